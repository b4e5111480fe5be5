"""Runs an encoded query on a table, by an index where one helps."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable

from sandbox.servicenow.columns import Column
from sandbox.servicenow.database import Database
from sandbox.servicenow.query import Condition, Query, Test, compiled, number
from sandbox.servicenow.table import Row, Table

#: rows of a referenced table up to which a dot-walked condition is answered once for each of them
SMALL = 5000


class Search:
    """One query in plain operators and stored values (see ``Literals``); ``strict``:
    glide.invalid_query.returns_no_rows."""

    def __init__(self, data: Database, table: Table, query: Query, strict: bool = False) -> None:
        self.data, self.table = data, table
        self.invalid = False
        self.order = query.order
        self.groups = [self.readable(group) for group in query.groups]
        self.strict = strict

    def readable(self, group: list[list[Condition]]) -> list[list[Condition]]:
        """The conditions whose field exists: the instance ignores the others, and the result gets wider."""
        kept = []
        for either in group:
            known = [c for c in either if self.data.getter(self.table, c.field)]
            self.invalid = self.invalid or len(known) < len(either)
            if known:
                kept.append(known)
        return kept

    def run(self, offset: int = 0) -> list[Row]:
        """Every row that matches, in order. Ties that the query leaves open fall differently on each page, which is
        why offset paging needs a unique order."""
        if self.invalid and self.strict:
            return []
        now = self.data.clock.now()
        found: dict[str, Row] = {}
        for group in self.groups:
            tests = [self.either(conditions) for conditions in group]
            for id in self.candidates(group):
                row = None if id in found else self.table.seen(id, now)
                if row is not None and all(test(row) for test in tests):
                    found[id] = row
        return self.sorted(list(found.values()), offset)

    def either(self, conditions: list[Condition]) -> Test:
        tests = [self.test(condition) for condition in conditions]
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def test(self, condition: Condition) -> Test:
        found = self.data.getter(self.table, condition.field)
        assert found is not None
        column, get = found
        first, _, rest = condition.field.partition(".")
        reference = self.table.columns[first].reference
        far = self.data.tables.get(reference) if rest else None
        if far and len(far.rows) <= SMALL:
            inner = Search(self.data, far, Query([[[Condition(rest, condition.operator, condition.value)]]]))
            matching = {row["sys_id"] for row in inner.run()}
            empty = compiled(condition, column, lambda row: "")({})
            return lambda row: row[first] in matching if row.get(first) in far.rows else empty
        return compiled(condition, column, get)

    def candidates(self, group: list[list[Condition]]) -> Iterable[str]:
        """The smallest set of ids that an index gives for one of the conditions, or all."""
        best: Iterable[str] = self.table.rows
        size = len(self.table.rows)
        for either in group:
            narrowed = self.narrowed(either)
            if narrowed is not None and narrowed[0] < size:
                size, best = narrowed
        return list(dict.fromkeys([*best, *self.table.pending]))

    def narrowed(self, either: list[Condition]) -> tuple[int, Iterable[str]] | None:
        if len(either) == 1 and either[0].field in ("sys_updated_on", "sys_created_on"):
            timeline = self.table.updated if either[0].field == "sys_updated_on" else self.table.created
            span = timeline.span(either[0].operator, either[0].value)
            return None if span is None else (len(span), (timeline.ids[at] for at in span))
        values: list[tuple[str, str]] = []
        for condition in either:
            if condition.field != "sys_id" and condition.field not in self.table.indexes:
                return None
            if condition.operator not in ("=", "IN") or not condition.value:
                return None
            wanted = condition.value.split(",") if condition.operator == "IN" else [condition.value]
            values += [(condition.field, value) for value in wanted if value]
        sets = [self.table.with_value(field, value) for field, value in values]
        return sum(map(len, sets)), (id for ids in sets for id in ids)

    def sorted(self, rows: list[Row], offset: int) -> list[Row]:
        fields = [field for field, _ in self.order]
        if not {"sys_id", "number"} & set(fields):
            rows.sort(key=lambda row: zlib.crc32(f"{offset} {row['sys_id']}".encode()))
        if self.order == [("sys_updated_on", False), ("sys_id", False)]:
            return sorted(rows, key=lambda row: (row.get("sys_updated_on", ""), row["sys_id"]))
        for field, descending in reversed(self.order):
            found = self.data.getter(self.table, field)
            if found:
                rows.sort(key=self.ranked(*found), reverse=descending)
        return rows

    def ranked(self, column: Column, get: Callable[[Row], str]) -> Callable[[Row], tuple[float, str]]:
        return lambda row: number(get(row)) if column.numeric else (0.0, get(row))
