"""Tasks below the items of a side: shown with their link, and never counted, marked, told of or written."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.model import Record, Ref
from sync.engine import Engine
from sync.merging.status import STAGE
from sync.state import Item
from sync.store import Dirty, Filed


def file_tasks(engine: Engine, records: Mapping[Ref, Record | None], rows: Mapping[Ref, Dirty]) -> frozenset[Ref]:
    """Puts the tasks in hand with the link of the item that they stand under now, and returns them: nothing is decided
    for them. One whose item is in no link is looked at again when that comes into one."""
    above = {name: side.under for name, side in engine.setup.sides.items() if side.under}
    tasks = {ref: records[ref] for ref, row in rows.items() if row.side in above and ref in records}
    named = {ref: parent_of(record) for ref, record in tasks.items() if record is not None}
    places = engine.store.whereabouts([parent for parent in named.values() if parent])
    filed = []
    for ref, record in tasks.items():
        place = places.get(parent) if (parent := named.get(ref)) else None
        there = place.link if place and place.side == above[rows[ref].side] else 0
        filed.append(Filed(ref, rows[ref].side, record, there, parent))
    if filed:
        engine.store.file_tasks(filed)
    return frozenset(tasks)


def parent_of(record: Record) -> Ref | None:
    """The item that this one stands under, if it names one."""
    return next((one.ref for one in record.kin if one.kind == "parent"), None)


def state_of(task: Item) -> str:
    """The state in which a task was last seen, in its tracker's words."""
    echo = task.echoes.get(STAGE)
    return str(echo.spelling[0][1] or "") if echo else ""
