"""Keyset paging without a scan for every page.

A client that pages by ``sys_updated_on`` and ``sys_id`` asks for the same rows again and again, with a bound that moves
on. Those rows without their bound are remembered in order until something is written.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from sandbox.servicenow.database import Database
from sandbox.servicenow.query import Condition, Query
from sandbox.servicenow.search import Search
from sandbox.servicenow.table import Row, Table

Groups = list[list[list[Condition]]]
ORDER = [("sys_updated_on", False), ("sys_id", False)]
#: fewer rows behind the bound than this, or than this share of the table, are as quickly looked at
FEW, SHARE = 2_000, 4
#: how many listings are remembered
MOST = 8


@dataclass(frozen=True, slots=True)
class Keyset:
    """Conditions without their common bound: rows from ``stamp`` on, or with ``id`` those behind that row."""

    groups: Groups
    stamp: str
    id: str | None

    def start(self, keys: list[tuple[str, str]]) -> int:
        if self.id is None:
            return bisect_left(keys, (self.stamp, ""))
        return bisect_right(keys, (self.stamp, self.id))


def keyset_of(search: Search) -> Keyset | None:
    """The keyset that a search is, if it is one."""
    if search.order != ORDER or (search.invalid and search.strict):
        return None
    first = search.groups[0]
    for length, id in ((2, behind(first)), (1, None)):
        if starts_with_bound(first, length, id):
            rest = [group[length:] for group in search.groups if group[:length] == first[:length]]
            return Keyset(rest, first[length - 1][0].value, id) if len(rest) == len(search.groups) else None
    return Keyset(search.groups, "", None)


def behind(group: list[list[Condition]]) -> str | None:
    """The sys_id in ``sys_updated_on>T^ORsys_id>ID^sys_updated_on>=T``, which is: behind that row."""
    if len(group) < 2 or len(group[0]) != 2 or len(group[1]) != 1:
        return None
    later, further = group[0]
    asked = [(one.field, one.operator) for one in (later, further)]
    same = asked == [("sys_updated_on", ">"), ("sys_id", ">")] and later.value == group[1][0].value
    return further.value if same else None


def starts_with_bound(group: list[list[Condition]], length: int, id: str | None) -> bool:
    if len(group) < length or (length == 2 and id is None):
        return False
    bound = group[length - 1]
    return len(bound) == 1 and (bound[0].field, bound[0].operator) == ("sys_updated_on", ">=") and bool(bound[0].value)


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows in order, as they stood when so much had been written to a table."""

    table: Table
    groups: Groups
    version: int
    keys: list[tuple[str, str]]
    rows: list[Row]


class Listings:
    """The listings that clients page through."""

    def __init__(self, data: Database) -> None:
        self.data = data
        self.known: list[Listing] = []

    def run(self, search: Search, offset: int) -> list[Row]:
        """What ``search.run`` answers."""
        keyset = keyset_of(search)
        if keyset is None or self.few(search.table, keyset.stamp) or self.unsettled():
            return search.run(offset)
        listing = self.listing(search.table, keyset.groups)
        return listing.rows[keyset.start(listing.keys) :]

    def few(self, table: Table, stamp: str) -> bool:
        behind = len(table.updated.span(">=", stamp) or ()) if stamp else len(table.rows)
        return behind < max(FEW, len(table.rows) // SHARE)

    def unsettled(self) -> bool:
        """Whether a write waits to be seen: then what is found hangs on the time."""
        now = self.data.clock.now()
        return any(now < until for table in self.data.tables.values() for until, _ in table.pending.values())

    def listing(self, table: Table, groups: Groups) -> Listing:
        version = sum(one.version for one in self.data.tables.values())
        for known in self.known:
            if known.table is table and known.groups == groups and known.version == version:
                return known
        rows = Search(self.data, table, Query(groups, ORDER)).run()
        keys = [(row.get("sys_updated_on", ""), row["sys_id"]) for row in rows]
        self.known = [*self.known[1 - MOST :], Listing(table, groups, version, keys, rows)]
        return self.known[-1]
