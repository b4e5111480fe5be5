"""A search by offset that loses nothing while issues move (Jira Data Center). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.base import Down
from connectors.jira.query import Question, epoch
from connectors.jira.records import moment

#: how often one second may begin anew before it is called too lively to be read
SHIFTS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A page: its issues, when each was updated or created (epoch milliseconds), its place, how many it may hold, and
    how many there are."""

    issues: Sequence[Any]
    stamps: Sequence[int]
    start: int
    width: int
    total: int


def found_page(stamped: str, answer: Mapping[str, Any]) -> Found:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` where the answer is not of the documented shape."""
    issues = answer["issues"]
    if not isinstance(issues, list):
        raise TypeError("issues")
    stamps = stamps_of(stamped, issues)
    width = max(int(answer["maxResults"]), len(issues), 1)
    return Found(issues, stamps, int(answer["startAt"]), width, int(answer["total"]))


def stamps_of(stamped: str, issues: Sequence[Any]) -> list[int]:
    """When each was updated or created. One that does not tell stands where the one before it stands: they come in
    order."""
    stamps: list[int] = []
    for issue in issues:
        try:
            stamps.append(epoch(moment(issue["fields"][stamped])))
        except (KeyError, TypeError, ValueError):
            stamps.append(stamps[-1] if stamps else 0)
    return stamps


@dataclass(frozen=True, slots=True)
class Place:
    """``offset`` issues of ``question`` are behind us; ``tail`` is the id of the last of them, empty where none is to
    be met again. ``left`` is how many there should be still, 0 where that is not known."""

    question: Question
    offset: int = 0
    tail: str = ""
    left: int = 0


class Walk:
    """Where a search stands that is ordered by time and then by key.

    Each page begins at the second of the last issue seen: an issue that is written meanwhile moves to the end and
    shifts nothing. Pages are counted only where one second fills a page, and where a page showed a later time than the
    one it was found by, which the number of issues left tells. A counted page takes in the last issue of the page
    before; where that is another one, something moved, and the count begins anew.
    """

    def __init__(self, tracker: str, question: Question, size: int) -> None:
        self.tracker, self.size = tracker, max(size, 2)
        self.place = self.counted = Place(question)
        self.seen: set[tuple[int, str]] = set()
        self.shifts, self.reached = 0, -1

    def asked(self) -> dict[str, Any]:
        overlap = 1 if self.place.tail else 0
        start, size = self.place.offset - overlap, self.size + overlap
        return {"jql": self.place.question.jql(), "startAt": start, "maxResults": size}

    def take(self, page: Found) -> tuple[list[Any], bool]:
        """The issues of a page that were not on an earlier one, and whether it is the last. Raises ``Down`` where it
        would never end."""
        if page.total < self.place.left:
            self.place = self.counted
            return [], False
        if self.place.tail and (not page.issues or str(page.issues[0]["id"]) != self.place.tail):
            self.begin_anew()
            return [], False
        marks = [(stamp, str(issue["id"])) for stamp, issue in zip(page.stamps, page.issues, strict=True)]
        new = [issue for issue, mark in zip(page.issues, marks, strict=True) if mark not in self.seen]
        self.seen.update(marks)
        self.go_on(page)
        return new, page.start + page.width >= page.total

    def begin_anew(self) -> None:
        self.place = Place(self.place.question)
        self.shifts += 1
        if self.shifts > SHIFTS:
            raise Down(f"{self.tracker} changes faster than its search can be read")

    def go_on(self, page: Found) -> None:
        whole = len(page.issues) == page.width
        tail = str(page.issues[-1]["id"]) if whole and page.issues else ""
        self.place = self.counted = Place(self.place.question, page.start + page.width, tail)
        seconds = [stamp // 1000 for stamp in page.stamps]
        if not whole or seconds != sorted(seconds) or seconds[-1] <= self.bound():
            return
        since = datetime.fromtimestamp(seconds[-1], UTC)
        left = page.total - page.start - seconds.index(seconds[-1])
        self.place = Place(replace(self.place.question, since=since), left=left)
        self.seen = {mark for mark in self.seen if mark[0] // 1000 >= seconds[-1]}
        if seconds[-1] > self.reached:
            # only what was never reached before is a step on: nodes that disagree lead back to it for ever
            self.reached, self.shifts = seconds[-1], 0

    def bound(self) -> int:
        """The second that the question begins at."""
        since = self.place.question.since
        return epoch(since) // 1000 if since else -1
