"""Every issue as it is, and the search index that trails it."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Callable, Iterator
from datetime import timedelta

from sandbox.clock import SandboxClock
from sandbox.jira.issues import Issue, milliseconds

#: how long the index trails a write: fixed, or asked for each write (so that writes become visible out of order)
Lag = timedelta | Callable[[], timedelta]


class Index:
    """What a search sees: whole documents, some of them outdated. Kept in order of update, by label and by project,
    so that a change query costs what changed and a marker query what is marked."""

    def __init__(self) -> None:
        self.issues: dict[int, Issue] = {}
        self.updates: list[tuple[int, int]] = []
        self.labels: dict[str, set[int]] = {}
        self.projects: dict[str, set[int]] = {}
        self.dropped: set[int] = set()

    def put(self, issue: Issue) -> None:
        """A document that is older than the one held, or whose issue is known to be deleted, is passed over."""
        held = self.issues.get(issue.id)
        if issue.id in self.dropped or (held is not None and held.updated > issue.updated):
            return
        if held is not None:
            self.forget(held)
        self.issues[issue.id] = issue
        self.projects.setdefault(issue.project, set()).add(issue.id)
        for label in issue.values.get("labels") or ():
            self.labels.setdefault(label.lower(), set()).add(issue.id)
        if held is None or held.updated != issue.updated:
            self.note((issue.updated, issue.id))

    def note(self, entry: tuple[int, int]) -> None:
        if self.updates and entry < self.updates[-1]:
            bisect.insort(self.updates, entry)
        else:
            self.updates.append(entry)
        if len(self.updates) > 2 * len(self.issues) + 1024:
            self.updates = sorted((issue.updated, issue.id) for issue in self.issues.values())

    def drop(self, id: int) -> None:
        self.dropped.add(id)
        held = self.issues.pop(id, None)
        if held is not None:
            self.forget(held)

    def forget(self, held: Issue) -> None:
        self.projects[held.project].discard(held.id)
        for label in held.values.get("labels") or ():
            self.labels[label.lower()].discard(held.id)

    def since(self, stamp: int, id: int = 0) -> Iterator[Issue]:
        """From that place on, in order of update."""
        for at in range(bisect.bisect_left(self.updates, (stamp, id)), len(self.updates)):
            entry = self.updates[at]
            held = self.issues.get(entry[1])
            if held is not None and held.updated == entry[0]:
                yield held

    def later(self, stamp: int) -> int:
        """At most how many were updated since."""
        return len(self.updates) - bisect.bisect_left(self.updates, (stamp, 0))


class Store:
    """The issues, and writes on their way into the index."""

    def __init__(self, clock: SandboxClock, lag: Lag) -> None:
        self.clock, self.lag = clock, lag
        self.issues: dict[int, Issue] = {}
        self.keys: dict[str, int] = {}
        #: the issue that a comment, a file or a link hangs on, by its id
        self.owners: dict[int, int] = {}
        self.index = Index()
        self.pending: list[tuple[int, int, int, Issue | None]] = []
        self.writes = 0
        self.stamp = 0
        self.numbers: dict[str, int] = {}
        self.last_id = 10_000

    def tick(self) -> int:
        """The instant of a write in epoch milliseconds; never the same twice."""
        self.stamp = max(milliseconds(self.clock.tick()), self.stamp + 1)
        return self.stamp

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def next_key(self, project: str) -> str:
        self.numbers[project] = self.numbers.get(project, 0) + 1
        return f"{project}-{self.numbers[project]}"

    def find(self, id_or_key: str, old_keys: bool = True) -> Issue | None:
        """By id or key; with ``old_keys`` one it had before a move still leads to it (Jira Cloud REST API, "Get
        issue")."""
        if id_or_key.isascii() and id_or_key.isdigit():
            return self.issues.get(int(id_or_key))
        found = self.issues.get(self.keys.get(id_or_key.upper(), 0))
        return found if old_keys or found is None or found.key == id_or_key.upper() else None

    def belongs(self, part: int, issue: Issue) -> None:
        self.owners[part] = issue.id

    def owner(self, part: str | int) -> Issue | None:
        """The issue that a comment, a file or a link between issues hangs on, or hung on while it was there."""
        text = str(part)
        return self.issues.get(self.owners.get(int(text), 0)) if text.isascii() and text.isdigit() else None

    def put(self, issue: Issue) -> Issue:
        self.issues[issue.id] = issue
        self.keys[issue.key] = issue.id
        self.enqueue(issue.id, issue)
        return issue

    def drop(self, issue: Issue) -> None:
        del self.issues[issue.id]
        self.enqueue(issue.id, None)

    def enqueue(self, id: int, issue: Issue | None) -> None:
        lag = self.lag() if callable(self.lag) else self.lag
        self.writes += 1
        if not lag and not self.pending:
            self.show(id, issue)
        else:
            due = milliseconds(self.clock.now()) + int(lag.total_seconds() * 1000)
            heapq.heappush(self.pending, (due, self.writes, id, issue))

    def show(self, id: int, issue: Issue | None) -> None:
        if issue is None:
            self.index.drop(id)
        else:
            self.index.put(issue)

    def searchable(self) -> Index:
        """The index as it stands now."""
        now = milliseconds(self.clock.now())
        while self.pending and self.pending[0][0] <= now:
            _, _, id, issue = heapq.heappop(self.pending)
            self.show(id, issue)
        return self.index
