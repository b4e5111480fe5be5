"""One table in memory: rows by sys_id, hash indexes, and the order of creation and of update."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.servicenow.columns import Column

Row = dict[str, str]


@dataclass
class Timeline:
    """An append-only list of (stamp, sys_id): rows from a stamp on are found without a scan."""

    stamps: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def add(self, stamp: str, id: str) -> None:
        self.stamps.append(stamp)
        self.ids.append(id)

    def last(self) -> str:
        return self.stamps[-1] if self.stamps else ""

    def span(self, operator: str, value: str) -> range | None:
        """Positions that a condition on the stamp can mean; ``None`` for an operator without an order."""
        low, _, high = value.partition("@")
        start = bisect_right(self.stamps, low) if operator == ">" else bisect_left(self.stamps, low)
        match operator:
            case ">" | ">=":
                return range(start, len(self.ids))
            case "=":
                return range(start, bisect_right(self.stamps, low))
            case "BETWEEN":
                return range(start, bisect_right(self.stamps, high))
        return None

    def rebuild(self, entries: Iterable[tuple[str, str]]) -> None:
        ordered = sorted(entries)
        self.stamps = [stamp for stamp, _ in ordered]
        self.ids = [id for _, id in ordered]


class Table:
    """Rows hold raw values; an empty value is not stored. ``pending`` rows are written but not yet committed: what
    others see is the old row (``None``: no row) until the instant given. ``version`` counts what was written."""

    def __init__(self, name: str, label: str, display: str, columns: dict[str, Column], indexed: Iterable[str]) -> None:
        self.name, self.label, self.display, self.columns = name, label, display, columns
        self.rows: dict[str, Row] = {}
        self.created, self.updated = Timeline(), Timeline()
        self.indexes: dict[str, dict[str, dict[str, None]]] = {column: {} for column in indexed}
        self.pending: dict[str, tuple[datetime, Row | None]] = {}
        self.version = 0

    def put(self, row: Row) -> None:
        """Inserts the row, or replaces the one of the same sys_id."""
        id = row["sys_id"]
        old = self.rows.get(id)
        for column, index in self.indexes.items():
            before, after = (old or {}).get(column, ""), row.get(column, "")
            if before != after:
                index.get(before, {}).pop(id, None)
                if after:
                    index.setdefault(after, {})[id] = None
        self.rows[id] = row
        self.version += 1
        self.note(old, row)

    def note(self, old: Row | None, row: Row) -> None:
        id = row["sys_id"]
        if old is None:
            self.created.add(row.get("sys_created_on", ""), id)
        if old is None or old.get("sys_updated_on") != row.get("sys_updated_on"):
            self.updated.add(row.get("sys_updated_on", row.get("sys_created_on", "")), id)
        if len(self.updated.ids) > 4 * len(self.rows) + 1000 and not self.pending:
            self.updated.rebuild((r.get("sys_updated_on", ""), r["sys_id"]) for r in self.rows.values())

    def drop(self, id: str) -> None:
        row = self.rows.pop(id)
        self.version += 1
        self.pending.pop(id, None)
        for column, index in self.indexes.items():
            index.get(row.get(column, ""), {}).pop(id, None)

    def hold(self, id: str, until: datetime, old: Row | None) -> None:
        """Keeps the latest write of a row from being seen until then."""
        kept = self.pending.get(id)
        self.pending[id] = (until, kept[1] if kept else old)

    def seen(self, id: str, now: datetime) -> Row | None:
        """The row as a reader sees it."""
        waiting = self.pending.get(id)
        if waiting and now < waiting[0]:
            return waiting[1]
        if waiting:
            del self.pending[id]
        return self.rows.get(id)

    def commit(self, id: str) -> None:
        self.pending.pop(id, None)

    def with_value(self, column: str, value: str) -> Collection[str]:
        """The sys_ids of the rows with that value, not empty, of an indexed column (or sys_id itself)."""
        if column == "sys_id":
            return (value,) if value in self.rows else ()
        return self.indexes[column].get(value, {})

    def find(self, column: str, value: str) -> Row | None:
        """The oldest row with that value of an indexed column."""
        for id in self.with_value(column, value):
            return self.rows[id]
        return None
