"""What a connector remembers between calls, bounded. Losing it costs a call, never a wrong result."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from connectors.base import Clock

#: most ids that a search takes as to be seen fresh (Jira Cloud REST API, "Search for issues")
RECONCILED = 50
#: descriptions whose source line is remembered
LINES = 4096


class Lately:
    """Ids written of late: as long as the search index may trail them, a search must be told of them."""

    def __init__(self, clock: Clock, keep: timedelta) -> None:
        self.clock, self.keep = clock, keep
        self.until: OrderedDict[str, datetime] = OrderedDict()
        self.lock = threading.Lock()

    def add(self, id: str) -> None:
        with self.lock:
            self.until.pop(id, None)
            self.until[id] = self.clock.now() + self.keep
            while len(self.until) > RECONCILED:
                self.until.popitem(last=False)

    def ids(self) -> list[int]:
        with self.lock:
            now = self.clock.now()
            for id in [id for id, until in self.until.items() if until < now]:
                del self.until[id]
            return [int(id) for id in self.until]


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
