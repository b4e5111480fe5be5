"""What a connector remembers between calls, bounded. Losing it costs a call, never a wrong result."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Clock
from connectors.jira.workflow import Step

#: most ids that a search takes as to be seen fresh (Jira Cloud REST API, "Search for issues")
RECONCILED = 50
#: the version of an issue about which no index is believed: the answer to a write on it was lost
DOUBTED = sys.maxsize
#: descriptions whose source line is remembered
LINES = 4096


class Lately:
    """Ids written of late, each with the version that the tracker acknowledged (0: it told none): as long as the search
    index may trail them, a search must be told of them, or what it finds be compared with them."""

    def __init__(self, clock: Clock, keep: timedelta, most: int = RECONCILED) -> None:
        self.clock, self.keep, self.most = clock, keep, most
        self.written: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self.lock = threading.Lock()

    def add(self, id: str, version: int = 0) -> None:
        with self.lock:
            _, before = self.written.pop(id, (None, 0))
            known = before if before < DOUBTED or not version else 0
            self.written[id] = self.clock.now() + self.keep, max(version, known)
            while len(self.written) > self.most:
                self.written.popitem(last=False)

    def doubt(self, id: str) -> None:
        """A write whose version will not be told, or that may not have been applied: until the next acknowledged one
        the issue itself is asked."""
        self.add(id, DOUBTED)

    def ids(self) -> list[int]:
        with self.lock:
            now = self.clock.now()
            for id in [id for id, (until, _) in self.written.items() if until < now]:
                del self.written[id]
            return [int(id) for id in self.written]

    def version(self, id: str) -> int:
        """The least version that a truthful answer shows of an item; 0 where nothing is known."""
        with self.lock:
            return self.written.get(id, (None, 0))[1]


class Ways:
    """The last list of transitions that was offered in each status, by project and type. A workflow is edited rarely,
    and each list is read again before a step of it is taken."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], dict[str, tuple[Step, ...]]] = {}
        self.lock = threading.Lock()
        self.news = False

    def put(self, place: tuple[str, str], status: str, steps: Sequence[Step]) -> Mapping[str, tuple[Step, ...]]:
        """Remembers a list, and returns all that are known of the type."""
        with self.lock:
            known = {**self.held.get(place, {}), status: tuple(steps)}
            self.news = self.news or known != self.held.get(place)
            self.held[place] = known
            return known

    def strange(self, place: tuple[str, str], status: str, steps: Sequence[Step]) -> bool:
        """Whether a list is none that this status was seen with, but that of another one."""
        with self.lock:
            known = self.held.get(place, {})
            return tuple(steps) != known.get(status) and tuple(steps) in known.values()

    def told(self) -> dict[str, object] | None:
        """All lists as JSON takes them, where one has changed since the last time."""
        with self.lock:
            if not self.news:
                return None
            self.news = False
            lists = [(*place, at, found) for place, by_status in self.held.items() for at, found in by_status.items()]
            return {"ways": [(project, kind, at, list(map(plain, found))) for project, kind, at, found in lists]}

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Lists of an earlier life; what was seen in this one stands."""
        with self.lock, suppress(TypeError, ValueError, KeyError):
            for project, kind, at, rows in kept.get("ways", ()):
                self.held.setdefault((project, kind), {}).setdefault(at, tuple(step_of(row) for row in rows))


def plain(step: Step) -> list[object]:
    return [step.id, step.name, step.to, sorted(step.screen), sorted(step.required), step.ends]


def step_of(row: Sequence[Any]) -> Step:
    """A step as it was kept. Raises ``ValueError`` or ``TypeError`` where the row is of another shape."""
    id, name, to, screen, required, ends = row
    return Step(id, name, to, frozenset(screen), frozenset(required), bool(ends))


class Lines:
    """Source lines by id, as last read: a description is then rewritten without reading it first."""

    def __init__(self) -> None:
        self.held: OrderedDict[str, str] = OrderedDict()
        self.lock = threading.Lock()

    def put(self, id: str, line: str) -> None:
        with self.lock:
            self.held.pop(id, None)
            self.held[id] = line
            if len(self.held) > LINES:
                self.held.popitem(last=False)

    def get(self, id: str) -> str | None:
        return self.held.get(id)
