"""What was written on items lately, by us and by others: as long as it can tell of a loop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mappings.model import Ref
from sync.plan import Action, Adopt, Reword, Say, Write
from sync.state import COMMENT, CopyKey, Stroke, kept_value
from sync.store import tables as t
from sync.store.database import upsert

#: what is older tells of no loop any more
KEPT = timedelta(days=2)
#: what a stroke of our mark is called
MARK = "mark"


def of_action(action: Action, intent: int, now: datetime) -> list[Stroke]:
    """What an action is about to write, as strokes of which the first one counts. A comment made long ago cannot be
    part of a loop: it does not count."""
    match action:
        case Write():
            told = [(name, kept_value(agreed.value)) for name, agreed in action.wanted.items()] or [(action.what, "")]
            return [
                Stroke(f"intent {intent} {name}", action.ref, now, name, value, counts=not place)
                for place, (name, value) in enumerate(told)
            ]
        case Adopt():
            return [Stroke(f"intent {intent} {MARK}", action.ref, now, MARK, "")]
        case Say():
            recent = action.made is None or action.made >= now - timedelta(hours=1)
            return [Stroke(copy_name(action.copy), action.ref, now, COMMENT, action.channel, counts=recent)]
        case Reword():
            name = f"{copy_name(action.copy)} {action.version}"
            return [Stroke(name, action.ref, now, COMMENT, f"{action.channel}, changed")]
    return []


def copy_name(key: CopyKey) -> str:
    return f"say {key.origin.tracker} {key.origin.id} {key.target} {key.part}"


def keep(connection: sa.Connection, link: int, strokes: Iterable[Stroke], now: datetime) -> None:
    """Writes strokes down, and forgets those of their items that are too old to tell anything."""
    found = list(strokes)
    upsert(connection, t.strokes, [row_of(link, stroke) for stroke in found], keep=("at",))
    for ref in {stroke.ref for stroke in found}:
        connection.execute(sa.delete(t.strokes).where(*of_item(ref), t.strokes.c.at < now - KEPT))


def purge(connection: sa.Connection, now: datetime) -> None:
    """Forgets those of items that are written no more, too."""
    connection.execute(sa.delete(t.strokes).where(t.strokes.c.at < now - KEPT))


def row_of(link: int, stroke: Stroke) -> dict[str, Any]:
    place = {"link": link, "tracker": stroke.ref.tracker, "item": stroke.ref.id}
    said = {"name": stroke.name, "value": stroke.value, "author": stroke.author}
    return {"key": stroke.key, **place, "at": stroke.at, **said, "counts": stroke.counts}


def of_row(row: Any) -> Stroke:
    ref = Ref(row.tracker, row.item)
    return Stroke(row.key, ref, row.at, row.name, row.value, row.author, row.counts)


def of_item(ref: Ref) -> tuple[sa.ColumnElement[bool], ...]:
    return (t.strokes.c.tracker == ref.tracker, t.strokes.c.item == ref.id)


def forget_intent(connection: sa.Connection, intent: int) -> None:
    """A write that certainly did not happen."""
    # by the index of items: that of keys serves no prefix on SQLite, nor on PostgreSQL under a language's own order
    row = connection.execute(sa.select(t.intents.c.tracker, t.intents.c.item).where(t.intents.c.id == intent)).one()
    mine = of_item(Ref(row.tracker, row.item))
    connection.execute(sa.delete(t.strokes).where(*mine, t.strokes.c.key.like(f"intent {intent} %")))


def forget_say(connection: sa.Connection, key: CopyKey) -> None:
    """A comment that certainly was not said."""
    connection.execute(sa.delete(t.strokes).where(t.strokes.c.key == copy_name(key)))


def forget_item(connection: sa.Connection, ref: Ref) -> None:
    """The item's budget begins anew."""
    connection.execute(sa.delete(t.strokes).where(*of_item(ref)))
