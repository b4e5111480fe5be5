"""Tasks, as they are filed with the link of the item above them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from mappings.model import Record, Ref
from sync.merging.merge import Echo
from sync.merging.status import STAGE, spelled
from sync.store import commit, load, ties


@dataclass(frozen=True, slots=True)
class Filed:
    """A task as it is now (``None``: gone or hidden), the item it names as the one above it, and that one's link
    (0: none)."""

    ref: Ref
    side: str
    record: Record | None
    link: int
    parent: Ref | None


def file(connection: sa.Connection, tasks: Iterable[Filed]) -> None:
    """Where each task stands now, and in which state."""
    for task in tasks:
        shown = bool(task.link) and task.record is not None
        values = {"link": task.link if shown else None, "joined": load.TASK if shown else "", "side": task.side}
        columns = commit.record_columns(task.record) if task.record is not None else {}
        connection.execute(commit.item_update(task.ref).values(**values, **columns))
        ties.keep(connection, {task.ref: [(load.TASK, task.parent)] if task.parent else []})
        if task.record is not None:
            commit.write_echoes(connection, [(task.ref, STAGE, Echo(spelled(task.record.state), 0))])
