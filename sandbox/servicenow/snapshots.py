"""Backups: what an instance holds at one moment."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from sandbox.servicenow.database import Database
from sandbox.servicenow.jobs import Jobs
from sandbox.servicenow.table import Table
from sandbox.servicenow.writes import History, Writes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The records, files, numbers and pending jobs of an instance. It can be restored any number of times."""

    tables: dict[str, Table]
    contents: dict[str, bytes]
    numbers: dict[str, int]
    histories: dict[str, History]
    jobs: Jobs

    @staticmethod
    def of(data: Database, writes: Writes, jobs: Jobs) -> Snapshot:
        return Snapshot(data.tables, data.contents, data.numbers, writes.histories, jobs).copy()

    def copy(self) -> Snapshot:
        # A row and a column are never changed in place, only replaced: copies share them.
        shared: dict[int, Any] = {}
        for table in self.tables.values():
            shared[id(table.columns)] = table.columns
            shared.update((id(row), row) for row in table.rows.values())
        return copy.deepcopy(self, shared)

    def restore(self, data: Database, writes: Writes, jobs: Jobs) -> None:
        """Puts everything back. New ids are still new: they are drawn at random, not counted."""
        kept = self.copy()
        for mine, theirs in (
            (data.tables, kept.tables),
            (data.contents, kept.contents),
            (data.numbers, kept.numbers),
            (writes.histories, kept.histories),
        ):
            mine.clear()
            mine.update(theirs)  # type: ignore[arg-type]
        jobs.waiting[:] = kept.jobs.waiting
