"""The dirty table: references of what may have moved, and the items they were last seen as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mappings.model import Record, Ref
from sync.store import commit, load
from sync.store import tables as t
from sync.store.database import insert_new


@dataclass(frozen=True, slots=True)
class Dirty:
    """An item that may have moved. ``token`` grows with each notice, so that one that came in meanwhile is not
    forgotten; ``talk``: its discussion is to be read; ``old``: noticed by the very first reading of its side."""

    ref: Ref
    side: str
    token: int
    talk: bool
    old: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the state has of an item: the version it was last decided on, and its side where a link holds it."""

    version: int = -1
    home: str = ""


def known(connection: sa.Connection, refs: Sequence[Ref]) -> dict[Ref, Known]:
    """The items that are known."""
    found: dict[Ref, Known] = {}
    columns = (t.items.c.tracker, t.items.c.id, t.items.c.version, t.items.c.side, t.items.c.link)
    for start in range(0, len(refs), 500):
        chunk = refs[start : start + 500]
        for row in connection.execute(sa.select(*columns).where(load.refs_where(t.items, chunk))):
            found[Ref(row.tracker, row.id)] = Known(row.version, row.side if row.link is not None else "")
    return found


def mark(connection: sa.Connection, rows: Iterable[tuple[Ref, str, bool]], *, old: bool = False) -> None:
    for ref, side, talk in rows:
        changed = connection.execute(
            sa.update(t.dirty)
            .where(t.dirty.c.tracker == ref.tracker, t.dirty.c.id == ref.id)
            .values(token=t.dirty.c.token + 1, talk=sa.or_(t.dirty.c.talk, sa.literal(talk)))
        )
        if not changed.rowcount:
            row = {"tracker": ref.tracker, "id": ref.id, "side": side, "token": 1, "talk": talk, "old": old}
            connection.execute(sa.insert(t.dirty).values(row))


def read(connection: sa.Connection) -> list[Dirty]:
    """Every row, under the side its item has in a link."""
    rows = list(connection.execute(sa.select(t.dirty).order_by(t.dirty.c.side, t.dirty.c.id)))
    homes = known(connection, [Ref(r.tracker, r.id) for r in rows])
    sides = {ref: one.home for ref, one in homes.items() if one.home}
    return [Dirty(ref, sides.get(ref, r.side), r.token, r.talk, r.old) for r in rows for ref in [Ref(r.tracker, r.id)]]


def clean(connection: sa.Connection, rows: Iterable[Dirty]) -> None:
    """Forgets what is settled, unless it was noticed again meanwhile."""
    for row in rows:
        same = (t.dirty.c.tracker == row.ref.tracker, t.dirty.c.id == row.ref.id, t.dirty.c.token == row.token)
        connection.execute(sa.delete(t.dirty).where(*same))


def remember(connection: sa.Connection, found: Iterable[tuple[Record, str, bool]]) -> None:
    """Items seen for the first time."""
    fresh = {"link": None, "acked": -1, "talk": "", "gone": False, "rebuilt": False}
    rows = [
        {
            "tracker": record.ref.tracker,
            "id": record.ref.id,
            "side": side,
            **commit.record_columns(record),
            **fresh,
            "version": -1,
            "created": record.created,
            "old": old,
        }
        for record, side, old in found
    ]
    insert_new(connection, t.items, rows)
