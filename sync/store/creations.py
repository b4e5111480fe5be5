"""Items that we make or find again: how they join their link, and creations whose answer was lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mappings.banner import creation_key
from mappings.model import Mark, Native, Record, Ref
from mappings.routes import task_of
from sync.merging.merge import Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Show
from sync.store import commit, dirty
from sync.store import tables as t
from sync.store.database import insert_new, upsert


@dataclass(frozen=True, slots=True)
class Unshown:
    """A created item that lacks the visible link to its source."""

    intent: int
    ref: Ref
    side: str
    keys: str
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A creation whose answer was lost: intended ``at`` for its ``source`` by a route, found without an answer
    ``since``."""

    intent: int
    link: int
    key: str
    side: str
    keys: str
    at: datetime
    since: datetime
    source: Ref
    route: str


def join(connection: sa.Connection, link: int, side: str, record: Record) -> None:
    """An item that was made for a link becomes its member."""
    row = {"tracker": record.ref.tracker, "id": record.ref.id, "side": side, "link": link, "created": record.created}
    flags = {"talk": "", "gone": False, "rebuilt": False, "old": False, "acked": record.version}
    upsert(connection, t.items, [{**row, **commit.record_columns(record), **flags}])


def promise(
    connection: sa.Connection, link: int, route: str, count: int, made: Ref, now: datetime, instance: str
) -> None:
    """The tasks that the new item is to get, as creations that have not happened yet. They come with the item in one
    commit, so that none is forgotten, and none is made for an item that came otherwise."""
    for place in range(1, count + 1):
        task = task_of(route, place)
        row = {"link": link, "kind": "open", "tracker": made.tracker, "item": made.id, "route": task, "payload": {}}
        row |= {"key": creation_key(instance, task, made), "at": now, "outcome": "failed", "settled": now}
        connection.execute(sa.insert(t.intents).values(**row))


def show(connection: sa.Connection, begun: Begun, source: Ref, made: Ref, now: datetime) -> None:
    """The intent of the visible link from an item that was found to its source."""
    item = sa.select(t.items.c.key, t.items.c.url).where(t.items.c.tracker == source.tracker, t.items.c.id == source.id)
    row = connection.execute(item).first()
    if row is not None:
        mark = Mark.parse("", begun.keys)
        action = Show(made, begun.side, mark, row.key, row.url, "found after a lost answer")
        commit.insert_intent(connection, begun.link, action, now)


def echo(
    connection: sa.Connection,
    record: Record,
    serials: Mapping[str, int],
    fields: Mapping[str, Native],
    natives: Mapping[str, Sequence[str]],
) -> None:
    """What the new item was born with stands for the agreements it was made from; its state for none yet, so that it
    is brought to the link's stage."""
    echoes = [(record.ref, STAGE, Echo(spelled(record.state), 0))]
    for name, serial in serials.items():
        spelling = tuple((native, fields.get(native)) for native in natives.get(name, ()))
        echoes.append((record.ref, name, Echo(spelling, serial)))
    commit.write_echoes(connection, echoes)


def baseline(connection: sa.Connection, link: int, target: Ref, now: datetime) -> None:
    """Comments that were there before the item are history to it."""
    rows = connection.execute(sa.select(t.comments).where(t.comments.c.link == link))
    insert_new(connection, t.copies, [history_row(link, row.tracker, row.id, target, now) for row in rows])


def history_row(link: int, tracker: str, comment: str, target: Ref, now: datetime) -> dict[str, Any]:
    """A comment that is not carried to the target."""
    origin = {"origin_tracker": tracker, "origin_id": comment}
    place = {"target_tracker": target.tracker, "target_id": target.id, "part": 1, "link": link}
    return {**origin, **place, "outcome": "history", "at": now, "copy_id": None}


def rehear(connection: sa.Connection, link: int, heard: Collection[Ref]) -> None:
    """What was said on the link's items and is not in hand is read again, for an item that must be told of it."""
    spoke = sa.select(t.comments.c.tracker).where(t.comments.c.link == link)
    members = sa.select(t.items).where(t.items.c.link == link, t.items.c.tracker.in_(spoke))
    for row in connection.execute(members).all():
        ref = Ref(row.tracker, row.id)
        if ref not in heard:
            connection.execute(commit.item_update(ref).values(talk=""))
            dirty.mark(connection, [(ref, row.side, True)])


def unshown(connection: sa.Connection) -> list[Unshown]:
    query = sa.select(t.intents).where(t.intents.c.kind == "show", t.ON_ITS_WAY)
    return [
        Unshown(r.id, Ref(r.tracker, r.item), r.payload["side"], r.payload["keys"], r.payload["key"], r.payload["url"])
        for r in connection.execute(query)
    ]


def begun(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Begun]:
    """Creations on their way for which the conditions hold."""
    rows = connection.execute(sa.select(t.intents).where(t.intents.c.kind == "open", t.ON_ITS_WAY, *conditions))
    return [
        Begun(
            r.id,
            r.link,
            r.key,
            r.payload["side"],
            r.payload["keys"],
            r.at,
            r.settled or r.at,
            Ref(r.tracker, r.item),
            r.route,
        )
        for r in rows
    ]


def rebuild(
    connection: sa.Connection,
    key: str,
    source: Ref,
    members: Sequence[tuple[Record, str]],
    now: Any,
    *,
    opened: bool = False,
) -> int:
    """The link of that key with these members, which were found by their marks. ``source`` is the item that opened it,
    or, while that one is hidden, the oldest of those that were found."""
    id = connection.scalar(sa.select(t.links.c.id).where(t.links.c.key == key))
    if id is None:
        id = commit.new_link(connection, key, source, now)
    elif opened:
        values = {"source_tracker": source.tracker, "source_id": source.id}
        connection.execute(sa.update(t.links).where(t.links.c.id == id).values(**values))
    for record, side in members:
        found = commit.item_update(record.ref).values(link=id, side=side, rebuilt=True, talk="")
        connection.execute(found)
    return int(id)
