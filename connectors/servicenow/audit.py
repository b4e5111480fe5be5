"""The history of a task: its changes of state and assignee as rows of sys_audit, one for each field that an update
changed (apis.md 1.5). ``record_checkpoint`` is the update's count, the version that it made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from connectors.servicenow.encoded_query import both, equal, moment, one_of
from connectors.servicenow.schema import Schema
from connectors.servicenow.table import Listing, Row, TableClient, needed, plain
from mappings.model import Moved

STATE = ("state", "hold_reason")
FIELDS = ("sys_id", "documentkey", "fieldname", "oldvalue", "newvalue", "user", "record_checkpoint", "sys_created_on")


def audited(client: TableClient, schema: Schema, since: Mapping[str, int]) -> dict[str, tuple[Moved, ...]]:
    """The moves of each task since its version. Those of which no row is shown are left out."""
    group = both(equal("tablename", [schema.table]), one_of("fieldname", (*STATE, "assigned_to")))
    listing = Listing("sys_audit", (group,), FIELDS, "sys_created_on")
    rows: dict[str, list[Row]] = defaultdict(list)
    for batch in client.batches(list(since), listing):
        wanted = Listing("sys_audit", (both(group, one_of("documentkey", batch)),), FIELDS, "sys_created_on")
        for page, _ in client.walk(wanted):
            for row in page.rows:
                rows[plain(row.get("documentkey"))].append(row)
    return {id: moves(schema, found, since[id]) for id, found in rows.items() if id in since}


def moves(schema: Schema, rows: list[Row], version: int) -> tuple[Moved, ...]:
    """Row by row, update by update: a state is told by two columns, of which an update may change one."""
    updates: dict[tuple[int, datetime], list[Row]] = defaultdict(list)
    for row in rows:
        updates[int(plain(row.get("record_checkpoint")) or 0), moment(needed(row, "sys_created_on"))].append(row)
    now = {name: first_value(rows, name) for name in STATE}
    found: list[Moved] = []
    for (count, at), changed in sorted(updates.items(), key=lambda pair: pair[0]):
        values = {plain(row.get("fieldname")): plain(row.get("newvalue")) for row in changed}
        account = plain(changed[0].get("user"))
        now |= {name: value for name, value in values.items() if name in STATE}
        told = [("state", schema.state(now))] if set(values) & set(STATE) else []
        told += [("assignee", values["assigned_to"])] if "assigned_to" in values else []
        found += [Moved(what, at, account, new) for what, new in told if count > version]
    return tuple(found)


def first_value(rows: list[Row], name: str) -> str:
    """What a column held before its first change that is known."""
    return next((plain(row.get("oldvalue")) for row in rows if plain(row.get("fieldname")) == name), "")
