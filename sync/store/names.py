"""The names by which items find each other: what a field of one says of another, and what an item itself is called.

A name is kept as its way and its value in one text, so that one index answers both: what is equal, and what is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from mappings.matching import ADDRESS, EQUAL, NUMBER, Name
from mappings.model import Ref
from sync.store import load
from sync.store import tables as t
from sync.store.database import among, chunks
from sync.store.ties import Place

#: an item's own names, under no field
OWN = ""
#: how the ways are written: by their first letter
WAYS = {way[0]: way for way in (EQUAL, NUMBER, ADDRESS)}

#: field (``OWN``: its own) and name, for one item
Kept = frozenset[tuple[str, Name]]
#: (field, side, name): which items of the side say that name in the field
Wanted = tuple[str, str, Name]


def keep(connection: sa.Connection, items: Mapping[Ref, tuple[str, Kept]]) -> dict[Ref, Kept]:
    """Replaces what is kept of these items (side and names), where it differs. Returns what is new or gone of them."""
    differences: dict[Ref, Kept] = {}
    for chunk in chunks(items):
        there = kept(connection, chunk)
        changed = [ref for ref in chunk if there.get(ref, frozenset()) != items[ref][1]]
        differences |= {ref: there.get(ref, frozenset()) ^ items[ref][1] for ref in changed}
        if not changed:
            continue
        connection.execute(sa.delete(t.names).where(load.refs_where(t.names, changed)))
        rows = [
            {"tracker": ref.tracker, "id": ref.id, "side": items[ref][0], "name": field, "value": written(name)}
            for ref in changed
            for field, name in items[ref][1]
        ]
        if rows:
            connection.execute(sa.insert(t.names), rows)
    return differences


def kept(connection: sa.Connection, refs: Collection[Ref]) -> dict[Ref, Kept]:
    """What is kept of these items."""
    found: dict[Ref, set[tuple[str, Name]]] = defaultdict(set)
    for row in connection.execute(sa.select(t.names).where(load.refs_where(t.names, refs))):
        found[Ref(row.tracker, row.id)].add((row.name, read(row.value)))
    return {ref: frozenset(names) for ref, names in found.items()}


def find(connection: sa.Connection, wanted: Collection[Wanted]) -> dict[Wanted, tuple[Place, ...]]:
    """The items that bear each name, oldest first; those that are gone are left out."""
    by_place: dict[tuple[str, str], list[str]] = defaultdict(list)
    for field, side, name in dict.fromkeys(wanted):
        by_place[field, side].append(written(name))
    found: dict[Wanted, list[Place]] = defaultdict(list)
    for (field, side), values in by_place.items():
        for chunk in chunks(values):
            for row in connection.execute(bearers(field, side, chunk)):
                one = Place(
                    Ref(row.tracker, row.id), side, row.key, row.link or 0, row.link_key or "", bool(row.closed)
                )
                found[field, side, read(row.value)].append(one)
    return {name: tuple(ones) for name, ones in found.items()}


def sides_of(connection: sa.Connection, links: Collection[int]) -> dict[int, frozenset[str]]:
    """The sides that these links have an item on that is still there."""
    found: dict[int, set[str]] = defaultdict(set)
    for chunk in chunks(sorted(links)):
        there = sa.and_(among(t.items.c.link, chunk), t.items.c.gone.is_(False))
        for row in connection.execute(sa.select(t.items.c.link, t.items.c.side).where(there)):
            found[row.link].add(row.side)
    return {link: frozenset(sides) for link, sides in found.items()}


def bearers(field: str, side: str, values: Collection[str]) -> sa.Select[tuple[object, ...]]:
    """A query for the items of a side that bear one of the values in a field, the oldest first."""
    same = sa.and_(t.names.c.tracker == t.items.c.tracker, t.names.c.id == t.items.c.id)
    joined = t.names.join(t.items, same).outerjoin(t.links, t.items.c.link == t.links.c.id)
    columns = (t.names.c.value, t.items.c.tracker, t.items.c.id, t.items.c.key, t.items.c.link)
    return (
        sa.select(*columns, t.links.c.key.label("link_key"), t.links.c.closed)
        .select_from(joined)
        .where(t.names.c.name == field, t.names.c.side == side, among(t.names.c.value, values))
        .where(t.items.c.gone.is_(False))
        .order_by(t.items.c.created, t.items.c.tracker, t.items.c.id)
    )


def written(name: Name) -> str:
    return f"{name.way[0]} {name.value}"


def read(text: str) -> Name:
    return Name(WAYS[text[0]], text[2:])
