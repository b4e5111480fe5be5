"""The journal of a task table: comments and work notes as rows of sys_journal_field.

The display value of a journal column is never read: it is one text, and an entry can hold a line that looks like the
head of another (public reports). A denied read of sys_journal_field is an empty 200, so that no rows mean nothing
until a row has been seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from connectors.base import Garbled, Gone, Refused
from connectors.garbled import sorted_out
from connectors.servicenow.encoded_query import both, moment, one_of, stamp
from connectors.servicenow.table import Listing, Row, TableClient, needed, plain
from mappings.model import Comment, Ref
from mappings.text import trimmed

CHANNELS = ("comments", "work_notes")
FIELDS = ("sys_id", "element", "element_id", "value", "sys_created_on", "sys_created_by")
_OURS = one_of("element", CHANNELS)
STAMPED = "sys_created_on"
#: from so many batches of ids on, reading the table's whole journal may take fewer calls
MANY = 6
#: user names resolved in one call
NAMES = 100


class Journal:
    """Reads entries and the names of their authors. ``seen`` turns true once a row came, ``apart`` once an entry was
    met that moved no version of its task; both may be restored."""

    def __init__(self, tracker: str, client: TableClient) -> None:
        self.tracker, self.client = tracker, client
        self.account = ""
        self.seen = False
        self.apart = False
        self.names: dict[str, str] = {}
        self.whole: dict[str, int] = {}

    def probe(self) -> None:
        """Looks whether any entry can be read."""
        listing = Listing("sys_journal_field", (_OURS,), ("sys_id",))
        self.note(self.client.list(listing, _OURS, 1).rows)

    def note(self, rows: Sequence[Row]) -> None:
        self.seen = self.seen or bool(rows)

    def discussions(self, table: str, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        """Every entry of the items, oldest first; within a second their order is not known, and sys_id decides."""
        wanted = frozenset(ids)
        rows = [row for row in self.rows(table, ids) if asked_for(row, wanted)]
        self.note(rows)
        if not self.seen and ids:
            raise Refused(
                f"{self.tracker} shows no journal entries at all: grant the integration user read on sys_journal_field",
                ("sys_journal_field",),
            )
        self.learn({plain(row.get("sys_created_by")) for row in rows})
        found: dict[str, list[Comment]] = {id: [] for id in ids}
        said, bad = sorted_out(self.tracker, rows, lambda row: plain(row["element_id"]), self.comment)
        for comment in said:
            found[comment.item.id].append(comment)
        told = {id: tuple(sorted(said, key=lambda c: (c.created, c.id))) for id, said in found.items()}
        if bad:
            raise Garbled(bad, {id: comments for id, comments in told.items() if id not in bad})
        return told

    def comment(self, row: Row) -> Comment:
        account, created = plain(row.get("sys_created_by")), moment(needed(row, "sys_created_on"))
        text = trimmed(plain(row.get("value")))  # control characters stay: who carries it removes and counts them
        item, author = Ref(self.tracker, plain(row["element_id"])), self.names.get(account, account)
        channel, ours = plain(row["element"]), account == self.account
        return Comment(item, plain(row["sys_id"]), channel, author, account, created, created, text, ours)

    def spoken(self, tables: Sequence[str], cursor: str, lag: timedelta) -> tuple[frozenset[str], str]:
        """The sys_ids of tasks with entries that are new since the cursor: a stamp, then the entries already told of
        that lie within ``lag`` before it. One call a page."""
        reached, _, known = cursor.partition("|")
        told = frozenset(known.split(","))
        group = both(one_of("name", (*tables, "task")), _OURS)
        listing = Listing("sys_journal_field", (group,), ("sys_id", "element", "element_id", "sys_created_on"), STAMPED)
        start = stamp(moment(reached) - lag) if reached else ""
        rows = [row for page, _ in self.client.walk(listing, start) for row in page.rows]
        self.note(rows)
        reached = max([reached, *(needed(row, STAMPED) for row in rows)])
        recent = stamp(moment(reached) - lag) if reached else ""
        kept = sorted(needed(row, "sys_id") for row in rows if needed(row, STAMPED) >= recent)
        new = {plain(row.get("element_id")) for row in rows if needed(row, "sys_id") not in told}
        return frozenset(new), f"{reached}|{','.join(kept)}"

    # -- rows

    def rows(self, table: str, ids: Sequence[str]) -> list[Row]:
        """The entries of the ids: by lists of ids, or from the whole journal where that takes fewer calls."""
        batches = list(self.client.batches(ids, Listing("sys_journal_field", (_OURS,), FIELDS)))
        whole = self.whole_journal(table, len(batches)) if len(batches) >= MANY else None
        if whole is not None:
            return whole
        return [row for batch in batches for row in self.listed(both(one_of("element_id", batch), _OURS))]

    def whole_journal(self, table: str, batches: int) -> list[Row] | None:
        """Every entry of the table, or ``None`` where that takes more calls than ``batches``. Its size is learned
        from the first page."""
        if self.whole.get(table, 0) > batches * self.client.page:
            return None
        group = both(one_of("name", (table, "task")), _OURS)
        rows: list[Row] = []
        for page, _ in self.client.walk(Listing("sys_journal_field", (group,), FIELDS, "sys_created_on")):
            if not rows:
                self.whole[table] = page.total or 0
            if page.total is None or math.ceil(self.whole[table] / self.client.page) > batches:
                return None
            rows += page.rows
        return rows

    def listed(self, group: str) -> Iterable[Row]:
        listing = Listing("sys_journal_field", (group,), FIELDS, "sys_created_on")
        return [row for page, _ in self.client.walk(listing) for row in page.rows]

    # -- authors

    def learn(self, accounts: set[str]) -> None:
        """Looks up the names of authors not met yet. An account that cannot be looked up goes by its user name."""
        new = sorted(account for account in accounts - set(self.names) if account and not set(account) & set("^,"))
        for at in range(0, len(new), NAMES):
            batch = new[at : at + NAMES]
            self.names |= {account: account for account in batch} | self.looked_up(batch)

    def looked_up(self, accounts: Sequence[str]) -> dict[str, str]:
        group = one_of("user_name", accounts)
        try:
            rows = self.client.list(Listing("sys_user", (group,), ("user_name", "name")), group, len(accounts)).rows
        except (Refused, Gone):
            return {}
        return {plain(row.get("user_name")): plain(row.get("name")) for row in rows if plain(row.get("name"))}


def asked_for(row: Row, ids: frozenset[str]) -> bool:
    """Checked again on our side: a condition that the instance cannot read is passed over."""
    return plain(row.get("element_id")) in ids and plain(row.get("element")) in CHANNELS
