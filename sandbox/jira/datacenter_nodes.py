"""The nodes of a Data Center: one database behind them, a search index on each (Jira Data Center, JRASERVER-69860)."""

from __future__ import annotations

import heapq

from sandbox.clock import SandboxClock
from sandbox.jira.issues import Issue, milliseconds
from sandbox.jira.store import Index, Lag, Store


class Nodes(Store):
    """``at`` is the node that serves the present request. What is written there its own index shows at once, the others
    after ``lag``."""

    def __init__(self, clock: SandboxClock, lag: Lag, count: int) -> None:
        super().__init__(clock, lag)
        self.at = 0
        self.indexes = [Index() for _ in range(count)]
        self.coming: list[list[tuple[int, int, int, Issue | None]]] = [[] for _ in range(count)]

    def enqueue(self, id: int, issue: Issue | None) -> None:
        lag = self.lag() if callable(self.lag) else self.lag
        due = milliseconds(self.clock.now()) + int(lag.total_seconds() * 1000)
        self.writes += 1
        for node, queue in enumerate(self.coming):
            if node == self.at:
                self.show_at(node, id, issue)
            else:
                heapq.heappush(queue, (due, self.writes, id, issue))

    def show_at(self, node: int, id: int, issue: Issue | None) -> None:
        if issue is None:
            self.indexes[node].drop(id)
        else:
            self.indexes[node].put(issue)

    def searchable(self) -> Index:
        """The index of the node that is asked."""
        now, queue = milliseconds(self.clock.now()), self.coming[self.at]
        while queue and queue[0][0] <= now:
            _, _, id, issue = heapq.heappop(queue)
            self.show_at(self.at, id, issue)
        return self.indexes[self.at]
