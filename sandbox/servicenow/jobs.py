"""What the instance does by itself, later: closing what stays resolved, SLA engines and asynchronous business rules,
transformations of import sets."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """Something that is due: of one kind, on one record. ``order`` is its place among those due at one instant."""

    due: datetime
    order: int
    kind: str = field(compare=False)
    id: str = field(compare=False)
    values: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    by: str = field(default="system", compare=False)


@dataclass
class Jobs:
    """The queue. It is data only, so that a backup of the instance can hold it."""

    waiting: list[Job] = field(default_factory=list)
    added: int = 0

    def add(
        self, due: datetime, kind: str, id: str, values: Mapping[str, str] | None = None, by: str = "system"
    ) -> None:
        self.added += 1
        heapq.heappush(self.waiting, Job(due, self.added, kind, id, tuple((values or {}).items()), by))

    def run(self, now: datetime, kinds: Mapping[str, Callable[[Job], None]]) -> None:
        """Runs what is due. What that brings about at once waits for the next run."""
        last, late = self.added, []
        while self.waiting and self.waiting[0].due <= now:
            job = heapq.heappop(self.waiting)
            if job.order > last:
                late.append(job)
            else:
                kinds[job.kind](job)
        for job in late:
            heapq.heappush(self.waiting, job)
