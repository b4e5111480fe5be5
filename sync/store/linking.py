"""The links and the items in them, and by what names items are found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Ref
from sync.state import LinkState
from sync.store import (
    dirty,
    filing,
    load,
    names,
    sought,
    ties,
    tombstones,
)
from sync.store import tables as t
from sync.store.database import chunks
from sync.store.door import Door
from sync.store.filing import Filed
from sync.store.names import Kept, Wanted
from sync.store.ties import Place


class Linking(Door):
    """The links and the items in them, and by what names items are found."""

    def places(self, refs: Collection[Ref]) -> dict[Ref, tuple[int | None, int]]:
        """The link of each known item (``None``: none yet) and the version that our own last write left it at."""
        if not refs:
            return {}
        with self.db.begin() as connection:
            columns = (t.items.c.tracker, t.items.c.id, t.items.c.link, t.items.c.acked)
            rows = [
                row
                for chunk in chunks(refs)
                for row in connection.execute(sa.select(*columns).where(load.refs_where(t.items, chunk)))
            ]
        return {Ref(row.tracker, row.id): (row.link, row.acked) for row in rows}

    def neighbour(self, side: str, ids: Collection[str]) -> str:
        """The id of an item of the side that is none of these; empty where there is none."""
        newest = sa.select(t.items.c.id).where(t.items.c.side == side, t.items.c.gone.is_(False))
        others, known = newest.order_by(t.items.c.created.desc()), set(ids)  # more than a query may name
        with self.db.begin() as connection:
            return next((id for id in connection.scalars(others) if id not in known), "")

    def spoken_on(self, side: str, ids: Collection[str]) -> str:
        """The id of an item of the side, none of these, on which a copy of ours stands; empty where there is none."""
        item = sa.and_(t.items.c.tracker == t.copies.c.target_tracker, t.items.c.id == t.copies.c.target_id)
        wanted = (t.items.c.side == side, t.items.c.gone.is_(False), t.copies.c.outcome == "done")
        newest = sa.select(t.items.c.id).join(t.copies, item).where(*wanted).order_by(t.copies.c.at.desc())
        known = set(ids)
        with self.db.begin() as connection:
            return next((id for id in connection.scalars(newest) if id not in known), "")

    def links_of(self, refs: Collection[Ref]) -> list[LinkState]:
        """The links that hold these items, and the prospective ones of those that no link holds."""
        if not refs:
            return []
        with self.db.begin() as connection:
            rows = [
                row
                for chunk in chunks(refs)
                for row in connection.execute(sa.select(t.items).where(load.refs_where(t.items, chunk)))
            ]
            ids = sorted({row.link for row in rows if row.link is not None})
            links = [link for chunk in chunks(ids) for link in self._load(connection, chunk)]
            loose = [load.prospective(self.instance, row) for row in rows if row.link is None and self.knows(row.side)]
            refs = [link.source for link in loose]
            held, barred = load.load_held(connection, refs), tombstones.barred(connection, refs)
        aside = {ref: (tuple(held.get(ref, ())), barred.get(ref, frozenset())) for ref in refs}
        return links + [replace(one, held=aside[one.source][0], barred=aside[one.source][1]) for one in loose]

    def links(self, ids: Sequence[int] | None = None) -> list[LinkState]:
        """Links by id, or all of them."""
        with self.db.begin() as connection:
            wanted = list(ids) if ids is not None else list(connection.scalars(sa.select(t.links.c.id)))
            return [link for chunk in chunks(wanted) for link in self._load(connection, chunk)]

    def each_link(self, *, closed_since: datetime | None = None) -> Iterator[LinkState]:
        """Every link, or every open one and those that closed from that instant on; a few at a time: all at once need
        not fit the memory."""
        query = sa.select(t.links.c.id).order_by(t.links.c.id)
        if closed_since is not None:
            query = query.where(sa.or_(t.links.c.closed.is_(None), t.links.c.closed >= closed_since))
        with self.db.begin() as connection:
            ids = list(connection.scalars(query))
        for chunk in chunks(ids):
            yield from self.links(chunk)

    def _load(self, connection: sa.Connection, ids: Sequence[int]) -> list[LinkState]:
        # one that its only item left is no more than a name in the journal
        links = [link for link in load.load_links(connection, ids) if link.items or link.tasks]
        return links if self.sides is None else [load.without_strays(link, self.sides) for link in links]

    def due(self, now: datetime) -> list[int]:
        """Links whose next step, retry or settling is due: by index, so that it costs what is due."""
        with self.db.begin() as connection:
            return list(connection.scalars(sa.select(t.links.c.id).where(t.links.c.due <= now)))

    def find(self, text: str) -> list[LinkState]:
        """Links or unlinked items by readable key, id or link key."""
        with self.db.begin() as connection:
            rows = connection.execute(
                sa.select(t.items.c.tracker, t.items.c.id).where(
                    sa.or_(sa.func.lower(t.items.c.key) == text.lower(), t.items.c.id == text)
                )
            ).all()
            ids = list(connection.scalars(sa.select(t.links.c.id).where(t.links.c.key == text)))
        return self.links_of([Ref(r.tracker, r.id) for r in rows]) + (self.links(ids) if ids else [])

    def speaking(self, words: Collection[str], fields: Collection[str], limit: int) -> list[LinkState]:
        """Links with an agreed text among ``fields`` that holds every word, ``limit`` at the most."""
        with self.db.begin() as connection:
            ids = sought.speaking(connection, words, fields, limit)
        return self.links(ids)

    def link_by_key(self, key: str) -> int | None:
        """The id of the link of that key, open or closed."""
        with self.db.begin() as connection:
            return connection.scalar(sa.select(t.links.c.id).where(t.links.c.key == key))

    def sides_of(self, links: Collection[int]) -> dict[int, frozenset[str]]:
        """The sides that these links have an item on."""
        if not links:
            return {}
        with self.db.begin() as connection:
            return names.sides_of(connection, links)

    def whereabouts(self, refs: Collection[Ref]) -> dict[Ref, Place]:
        """Where these items stand; unknown ones are left out."""
        if not refs:
            return {}
        with self.db.begin() as connection:
            return ties.whereabouts(connection, refs)

    def called(self, tracker: str, words: Collection[str]) -> list[Place]:
        """The items of a tracker that bear one of the words, in lower case, as their key or id."""
        with self.db.begin() as connection:
            return ties.called(connection, tracker, words)

    def bearing(self, text: str) -> list[Place]:
        """The known items of that readable key, whatever its case, or of that id."""
        with self.db.begin() as connection:
            by_key = ties.places(connection, sa.func.lower(t.items.c.key) == text.lower())
            return by_key or ties.places(connection, t.items.c.id == text)

    def keep_ties(self, found: Mapping[Ref, Collection[tuple[str, Ref]]]) -> None:
        """What each of these items names now."""
        with self.db.begin() as connection:
            ties.keep(connection, found)

    def look_below(self, children: Mapping[Ref, Collection[Ref]]) -> None:
        """Marks known items dirty that stand below others now, by what these say."""
        with self.db.begin() as connection:
            dirty.mark(connection, [(place.ref, place.side, True) for place in ties.below(connection, children)])

    def file_tasks(self, tasks: Sequence[Filed]) -> None:
        """Where each task stands now, and in which state."""
        with self.db.begin() as connection:
            filing.file(connection, tasks)

    def barred(self, refs: Collection[Ref]) -> dict[Ref, frozenset[str]]:
        """The keys of the links that each of these items must not join; those without any are left out."""
        if not refs:
            return {}
        with self.db.begin() as connection:
            return tombstones.barred(connection, refs)

    def keep_names(self, items: Mapping[Ref, tuple[str, Kept]]) -> dict[Ref, Kept]:
        """Keeps by which names these items can be found: each with its side. Returns what is new or gone of them."""
        with self.db.begin() as connection:
            return names.keep(connection, items)

    def find_names(self, wanted: Collection[Wanted]) -> dict[Wanted, tuple[Place, ...]]:
        """The items that bear these names."""
        with self.db.begin() as connection:
            return names.find(connection, wanted)
