"""The Aggregate API (ServiceNow docs, Aggregate API): counts and sums of what a query matches. Values are strings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.servicenow.database import Database, Session
from sandbox.servicenow.errors import Problem
from sandbox.servicenow.finder import Finder, base_of, flag
from sandbox.servicenow.query import number
from sandbox.servicenow.render import Render, View, view_of
from sandbox.servicenow.rest import answer
from sandbox.servicenow.table import Row, Table
from sandbox.wire import Answer, Request

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
AGGREGATES = ("avg", "max", "min", "sum")


class StatsApi:
    def __init__(self, data: Database, finder: Finder) -> None:
        self.data, self.finder, self.render = data, finder, Render(data)

    def answer(self, request: Request, session: Session, version: str, first: str, second: str) -> Answer:
        table = self.finder.table(first)
        if request.method != "GET":
            raise Problem(405, "Method not allowed", f"{request.method} is not supported for this resource")
        self.check_right(table)
        rows = self.finder.rows(request, table, session)
        fields = [field for field in listed(request, "sysparm_group_by") if self.data.getter(table, field)]
        groups = self.grouped(table, rows, fields) if fields else [rows]
        groups = [group for group in groups if self.has(request, table, group)]
        if not fields:
            return answer({"stats": self.stats(request, table, groups[0])} if groups else {})
        view = view_of(request.query, base_of(request), session.zone, self.finder.rights, {})
        ordered = self.ordered(request, table, groups)
        return answer([self.told(request, table, group, fields, view) for group in ordered])

    def check_right(self, table: Table) -> None:
        """Aggregates know no rows that may not be read: one is enough to refuse them all."""
        hidden = any(id in table.rows for id in self.finder.rights.hidden)
        if hidden or not self.finder.rights.readable(table.name):
            raise Problem(403, "User Not Authorized", "Failed API level ACL Validation")

    def grouped(self, table: Table, rows: Sequence[Row], fields: Sequence[str]) -> list[list[Row]]:
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(self.values(table, [row], field)[0] for field in fields), []).append(row)
        return [groups[key] for key in sorted(groups)]

    def values(self, table: Table, rows: Sequence[Row], field: str) -> list[str]:
        found = self.data.getter(table, field)
        return [found[1](row) if found else "" for row in rows]

    # -- what a group shows

    def stats(self, request: Request, table: Table, rows: Sequence[Row]) -> dict[str, Any]:
        shown: dict[str, Any] = {"count": str(len(rows))} if flag(request, "sysparm_count") else {}
        for name in AGGREGATES:
            fields = [f for f in listed(request, f"sysparm_{name}_fields") if self.data.getter(table, f)]
            if fields:
                shown[name] = {field: aggregate(name, self.values(table, rows, field)) for field in fields}
        return shown

    def told(self, request: Request, table: Table, rows: Sequence[Row], fields: Sequence[str], view: View) -> Any:
        by = [self.group_field(table, rows[0], field, view) for field in fields]
        return {"stats": self.stats(request, table, rows), "groupby_fields": by}

    def group_field(self, table: Table, row: Row, field: str, view: View) -> dict[str, str]:
        value = self.values(table, [row], field)[0]
        if view.display == "false":
            return {"value": value, "field": field}
        found = self.render.end(table, row, field, view)
        display = self.render.display(*found, view) if found else value
        return {"display_value": display, "field": field, **({"value": value} if view.display == "all" else {})}

    # -- which groups, in which order

    def has(self, request: Request, table: Table, rows: Sequence[Row]) -> bool:
        """``aggregate^field^operator^value``, several divided by commas; what cannot be read is passed over."""
        for condition in listed(request, "sysparm_having"):
            parts = condition.split("^")
            if len(parts) == 4 and parts[2] in _COMPARE:
                found = number(aggregate(parts[0].lower(), self.values(table, rows, parts[1])))[0]
                if not _COMPARE[parts[2]](found, number(parts[3])[0]):
                    return False
        return True

    def ordered(self, request: Request, table: Table, groups: list[list[Row]]) -> list[list[Row]]:
        """``field``, ``AGGREGATE^field`` or ``COUNT``, each ascending unless ``^DESC`` follows."""
        for part in reversed(listed(request, "sysparm_order_by")):
            text = part.removesuffix("^DESC")
            name, _, field = text.partition("^")
            name = name.lower() if name.lower() in (*AGGREGATES, "count") else ""
            groups = sorted(groups, key=self.rank(table, name, field or text), reverse=text != part)
        return groups

    def rank(self, table: Table, name: str, field: str) -> Callable[[Sequence[Row]], tuple[float, str]]:
        if name:
            return lambda rows: number(aggregate(name, self.values(table, rows, field)))
        return lambda rows: number(self.values(table, rows[:1], field)[0])


def aggregate(name: str, values: Sequence[str]) -> str:
    """One aggregate of raw values; empty ones count for ``count`` only. Averages have four decimals."""
    if name == "count":
        return str(len(values))
    filled = sorted((value for value in values if value), key=number)
    if not filled:
        return ""
    if name in ("min", "max"):
        return filled[0] if name == "min" else filled[-1]
    total = sum(number(value)[0] for value in filled)
    return f"{total / len(filled):.4f}" if name == "avg" else f"{total:.4f}".rstrip("0").rstrip(".")


def listed(request: Request, name: str) -> list[str]:
    return [part.strip() for part in request.one(name).split(",") if part.strip()]
