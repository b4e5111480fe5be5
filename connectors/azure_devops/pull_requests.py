"""The pull requests that work items are tied to (apis.md 3.2: an ArtifactLink to vstfs:///Git/PullRequestId/...)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from connectors.azure_devops.service import Ask, Place
from connectors.base import Gone, Refused
from mappings.model import PULL_REQUEST, PULL_REQUEST_URL, Record
from mappings.pull_requests import ABANDONED, MERGED, OPEN, standing

PULL_REQUESTS = Place("01a46dea-7d46-4d40-bc84-319e7c260d99", "7.1-preview.1")
#: open pull requests that are asked for with one look for changes, in turn: a merge moves no work item
FEW = 5
#: what the service calls a pull request's status (git 7.1, PullRequestStatus); anything else is not over
_STATES = {"completed": MERGED, "abandoned": ABANDONED}
_ARTIFACT = re.compile(r"vstfs:///Git/PullRequestId/([^/]+)/([^/]+)/(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Tied:
    """A pull request as a work item names it: its number, and the project by id or name."""

    number: int
    project: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the service says of one: how it stands, and its address for people."""

    state: str
    url: str


_UNKNOWN = Told(OPEN, "")


def tied(item: Mapping[str, Any]) -> tuple[Tied, ...]:
    """The pull requests of a work item, by their numbers."""
    urls = (unquote(str(one.get("url"))) for one in item.get("relations") or () if one.get("rel") == "ArtifactLink")
    found = (_ARTIFACT.fullmatch(url) for url in urls)
    return tuple(sorted({Tied(int(one[3]), one[1]) for one in found if one}))


class PullRequests:
    """Asks for pull requests: one call each. One that is merged stays so, and is asked for once; one that our account
    may not read counts as open, so that no gate opens by it."""

    def __init__(self, read: Callable[[Ask, Callable[[Any], Told]], Told]) -> None:
        self.read = read
        self.ties: dict[str, tuple[Tied, ...]] = {}
        self.sides: dict[str, str] = {}
        self.known: dict[Tied, Told] = {}

    def note(self, side: str, item: Mapping[str, Any]) -> None:
        """Keeps in mind what a work item of the side is tied to."""
        self.ties[str(item["id"])], self.sides[str(item["id"])] = tied(item), side

    def stirred(self, side: str) -> list[str]:
        """The side's items of which a pull request was open and stands otherwise now. A few calls, those asked for
        longest ago first; none where none is open."""
        here = {one: id for id, ties in self.ties.items() if self.sides[id] == side for one in ties}
        found = []
        for one in [one for one, told in self.known.items() if told.state == OPEN and told.url and one in here][:FEW]:
            self.ask(one)
            if self.known[one].state != OPEN:
                found += [id for id, ties in self.ties.items() if one in ties]
        return found

    def asked(self, record: Record) -> Record:
        """The record with how its pull requests stand, and where they are."""
        for one in self.ties.get(record.ref.id, ()):
            self.ask(one)
        return self.remembered(record)

    def remembered(self, record: Record) -> Record:
        """The same without a call, from what was told last: after a write, which no failed question may put in
        doubt."""
        found = [self.known.get(one, _UNKNOWN) for one in self.ties.get(record.ref.id, ())]
        urls = tuple(one.url for one in found if one.url)
        known = {PULL_REQUEST: standing([one.state for one in found]), PULL_REQUEST_URL: urls or None}
        return replace(record, fields={**record.fields, **{n: v for n, v in known.items() if n in record.fields}})

    def ask(self, one: Tied) -> None:
        if self.known.get(one, _UNKNOWN).state == MERGED:
            return
        route = {"project": one.project, "pullRequestId": one.number}
        try:
            told = self.read(Ask("GET", PULL_REQUESTS, route), told_of)
        except (Gone, Refused):
            told = _UNKNOWN
        self.known.pop(one, None)  # the one asked for last stands last
        self.known[one] = told


def told_of(answer: Mapping[str, Any]) -> Told:
    repository = answer["repository"]
    home = str(repository.get("webUrl") or repository.get("remoteUrl") or "")
    return Told(_STATES.get(str(answer["status"]), OPEN), f"{home}/pullrequest/{int(answer['pullRequestId'])}")


def wanted(fields: Iterable[str]) -> bool:
    """Whether a side reads pull requests at all."""
    return bool({PULL_REQUEST, PULL_REQUEST_URL} & set(fields))
