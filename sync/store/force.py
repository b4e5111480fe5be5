"""The admin's file in force, and what the tables learn when an edited one comes into force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Ref
from sync.edits.edit import Turn
from sync.state import Copy, CopyKey, Origin
from sync.store import copies, creations, dirty, journal
from sync.store import tables as t
from sync.store.database import insert_new, upsert

#: the name of the fact that keeps the text
IN_FORCE = "file in force"


def in_force(connection: sa.Connection) -> str | None:
    """The text of the file in force; ``None`` in a state that knows of none."""
    found = connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == IN_FORCE))
    return str(found) if found is not None else None


def keep(connection: sa.Connection, text: str) -> None:
    """The text becomes the one in force, and nothing else happens."""
    upsert(connection, t.meta, [{"name": IN_FORCE, "value": text}])


def put(connection: sa.Connection, turn: Turn, now: datetime) -> int:
    """Everything that an edited file changes, and the dirty rows by which every link is looked at again. Returns how
    many."""
    keep(connection, turn.text)
    for old, new in turn.renamed.items():
        rename(connection, old, new)
    for name, digest in turn.maps.items():
        settled_before = (t.agreed.c.name == name, t.agreed.c.map == "")
        connection.execute(sa.update(t.agreed).where(*settled_before).values(map=digest))
    connection.execute(sa.delete(t.cursors).where(t.cursors.c.side.in_(turn.anew)))
    ids = sorted({id for routes in turn.routes.values() for id in routes})
    if ids:
        set_aside(connection, t.links, t.links.c.closed.is_(None), ids)
    for side, routes in turn.routes.items():
        set_aside(connection, t.items, sa.and_(t.items.c.link.is_(None), t.items.c.side == side), routes)
    for source, target in turn.paths:
        make_history(connection, source, target, turn.carried, now)
    journal.append(connection, now, [journal.Line("", "file", "an edited file", one) for one in turn.told])
    return touch(connection, turn.sides, turn.routes)


def rename(connection: sa.Connection, old: str, new: str) -> None:
    """A side goes by another name; where a side that was removed had that name, it reads on from its own place."""
    connection.execute(sa.delete(t.cursors).where(t.cursors.c.side == new))
    for table in (t.items, t.dirty, t.cursors, t.names):
        connection.execute(sa.update(table).where(table.c.side == old).values(side=new))
    connection.execute(sa.update(t.agreed).where(t.agreed.c.by == old).values(by=new))
    on_their_way = t.intents.c.kind.in_(["open", "show"]), t.intents.c.outcome.in_(["", "unsure"])
    for intent in connection.execute(sa.select(t.intents).where(*on_their_way)).all():
        if intent.payload["side"] == old:
            payload = {**intent.payload, "side": new}
            connection.execute(sa.update(t.intents).where(t.intents.c.id == intent.id).values(payload=payload))


def set_aside(connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], routes: Sequence[str]) -> None:
    """Keeps the routes off what is there already: what fits them now is opened by a person's word, or when it comes
    to fit anew."""
    connection.execute(sa.update(table).where(where, table.c.aside == ()).values(aside=list(routes)))
    rest = sa.select(table.c.aside).where(where, table.c.aside != list(routes)).distinct()
    for aside in list(connection.scalars(rest)):
        joint = sorted({*aside, *routes})
        connection.execute(sa.update(table).where(where, table.c.aside == aside).values(aside=joint))


def make_history(connection: sa.Connection, source: str, target: str, carried: Sequence[str], now: datetime) -> None:
    """A new path carries nothing from before: what was said on the source's items is history to the target's, unless
    the link's route carries history; then it is read once more."""
    links = sa.select(t.links.c.id, t.links.c.route).where(t.links.c.closed.is_(None))
    for link in connection.execute(links).all():
        if link.route in carried:
            creations.rehear(connection, link.id, ())
            continue
        heard = sa.select(t.comments.c.tracker, t.comments.c.id).where(t.comments.c.link == link.id)
        trackers = sa.select(t.items.c.tracker).where(t.items.c.link == link.id, t.items.c.side == source)
        targets = sa.select(t.items.c.tracker, t.items.c.id).where(t.items.c.link == link.id, t.items.c.side == target)
        origins = connection.execute(heard.where(t.comments.c.tracker.in_(trackers))).all()
        items = connection.execute(targets).all()
        keys = [CopyKey(Origin(o.tracker, o.id), Ref(i.tracker, i.id)) for o in origins for i in items]
        insert_new(connection, t.copies, [copies.copy_row(link.id, key, Copy("history", now)) for key in keys])


def touch(connection: sa.Connection, sides: Iterable[str], opening: Iterable[str]) -> int:
    """Marks dirty every linked item of the file's sides and the unlinked ones of those that open by other routes."""
    wanted = sa.or_(t.items.c.link.is_not(None), t.items.c.side.in_(list(opening)))
    wanted = sa.and_(wanted, t.items.c.side.in_(list(sides)))
    rows = [
        (Ref(row.tracker, row.id), row.side, True)
        for row in connection.execute(sa.select(t.items.c.tracker, t.items.c.id, t.items.c.side).where(wanted))
    ]
    dirty.mark(connection, rows)
    return len(rows)
