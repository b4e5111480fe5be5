"""What must not join again: an item that a person took out of a link, or kept out of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Ref
from sync.store import load
from sync.store import tables as t
from sync.store.database import chunks, insert_new


def bar(connection: sa.Connection, ref: Ref, keys: Collection[str], by: str, now: datetime) -> None:
    """The item joins none of these links until a person says so."""
    rows = [{"tracker": ref.tracker, "id": ref.id, "link_key": key, "at": now, "by": by} for key in keys]
    insert_new(connection, t.tombstones, rows)


def lift(connection: sa.Connection, ref: Ref, keys: Collection[str]) -> None:
    """The item may join these links again."""
    mine = (t.tombstones.c.tracker == ref.tracker, t.tombstones.c.id == ref.id)
    connection.execute(sa.delete(t.tombstones).where(*mine, t.tombstones.c.link_key.in_(keys)))


def barred(connection: sa.Connection, refs: Collection[Ref]) -> dict[Ref, frozenset[str]]:
    """The keys of the links that each of these items must not join; those without any are left out."""
    found = defaultdict(set)
    for chunk in chunks(refs):
        chosen = load.refs_where(t.tombstones, chunk)
        for row in connection.execute(sa.select(t.tombstones).where(chosen)):
            found[Ref(row.tracker, row.id)].add(row.link_key)
    return {ref: frozenset(keys) for ref, keys in found.items()}
