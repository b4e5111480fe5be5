"""Who names whom: items that no link holds, and tasks, by what they name as their parent, their problem or in their
texts. When one of those comes into a link, they are looked at again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from mappings.model import Ref
from sync.store import dirty, load
from sync.store import tables as t
from sync.store.database import chunks


@dataclass(frozen=True, slots=True)
class Place:
    """Where a known item stands: its side and readable key, and its link's id (0: none), key and whether it is over."""

    ref: Ref
    side: str
    key: str
    link: int = 0
    link_key: str = ""
    closed: bool = False


def places(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Place]:
    """The known items for which the conditions hold."""
    joined = t.items.outerjoin(t.links, t.items.c.link == t.links.c.id)
    columns = (t.items.c.tracker, t.items.c.id, t.items.c.side, t.items.c.key, t.items.c.link)
    query = sa.select(*columns, t.links.c.key.label("link_key"), t.links.c.closed).select_from(joined)
    return [
        Place(Ref(r.tracker, r.id), r.side, r.key, r.link or 0, r.link_key or "", r.closed is not None)
        for r in connection.execute(query.where(*conditions))
    ]


def whereabouts(connection: sa.Connection, refs: Collection[Ref]) -> dict[Ref, Place]:
    """Where these items stand; unknown ones are left out."""
    return {place.ref: place for chunk in chunks(refs) for place in places(connection, load.refs_where(t.items, chunk))}


def called(connection: sa.Connection, tracker: str, words: Collection[str]) -> list[Place]:
    """The items of a tracker that bear one of the words, in lower case, as their key or id."""
    return [
        place
        for chunk in chunks(sorted(words))
        for place in places(
            connection,
            t.items.c.tracker == tracker,
            sa.or_(sa.func.lower(t.items.c.key).in_(chunk), t.items.c.id.in_(chunk)),
        )
    ]


def keep(connection: sa.Connection, found: Mapping[Ref, Iterable[tuple[str, Ref]]]) -> None:
    """What each of these items names now, in place of what it named before."""
    refs = list(found)
    before: dict[Ref, set[tuple[str, Ref]]] = {ref: set() for ref in refs}
    for chunk in chunks(refs):
        for row in connection.execute(sa.select(t.ties).where(load.refs_where(t.ties, chunk))):
            before[Ref(row.tracker, row.id)].add((row.kind, Ref(row.to_tracker, row.to_id)))
    for ref, named in found.items():
        wanted = set(named)
        if wanted == before[ref]:
            continue
        connection.execute(sa.delete(t.ties).where(t.ties.c.tracker == ref.tracker, t.ties.c.id == ref.id))
        rows = [
            {"tracker": ref.tracker, "id": ref.id, "kind": kind, "to_tracker": other.tracker, "to_id": other.id}
            for kind, other in sorted(wanted)
        ]
        if rows:
            connection.execute(sa.insert(t.ties), rows)


def below(connection: sa.Connection, children: Mapping[Ref, Collection[Ref]]) -> list[Place]:
    """Those of the known items below others of which nobody has seen yet that they stand there: alone, or filed as
    tasks elsewhere."""
    found = whereabouts(connection, [child for named in children.values() for child in named])
    rows = connection.execute(sa.select(t.ties).where(load.refs_where(t.ties, list(found))))
    seen = {(Ref(row.tracker, row.id), Ref(row.to_tracker, row.to_id)) for row in rows}
    named_there = load.refs_where(t.items, list(found))
    tasks = {task.ref for task in places(connection, named_there, t.items.c.joined == load.TASK)}
    return [
        found[child]
        for parent, named in children.items()
        for child in named
        if child in found and (child, parent) not in seen and (not found[child].link or child in tasks)
    ]


def wake(connection: sa.Connection, link: int) -> None:
    """Items that no link holds, and tasks, are looked at again where they name one of this link's items."""
    counted = (t.items.c.link == link, t.items.c.joined != load.TASK)
    members = sa.select(t.items.c.tracker, t.items.c.id).where(*counted).subquery()
    here = sa.and_(t.ties.c.to_tracker == members.c.tracker, t.ties.c.to_id == members.c.id)
    tied = sa.and_(t.ties.c.tracker == t.items.c.tracker, t.ties.c.id == t.items.c.id)
    free = sa.or_(t.items.c.link.is_(None), sa.and_(t.items.c.joined == load.TASK, t.items.c.link != link))
    query = sa.select(t.items.c.tracker, t.items.c.id, t.items.c.side).distinct().where(free)
    rows = connection.execute(query.select_from(t.items.join(t.ties, tied).join(members, here))).all()
    dirty.mark(connection, [(Ref(row.tracker, row.id), row.side, True) for row in rows])


def wake_namers(connection: sa.Connection, named: Collection[Ref]) -> None:
    """Items that no link holds are looked at again where they name one that came into another link, or into none."""
    to = [sa.and_(t.ties.c.to_tracker == ref.tracker, t.ties.c.to_id == ref.id) for ref in named]
    tied = sa.and_(t.ties.c.tracker == t.items.c.tracker, t.ties.c.id == t.items.c.id)
    query = sa.select(t.items.c.tracker, t.items.c.id, t.items.c.side).distinct().where(sa.or_(*to))
    rows = connection.execute(query.select_from(t.items.join(t.ties, tied))).all()
    dirty.mark(connection, [(Ref(row.tracker, row.id), row.side, True) for row in rows])
