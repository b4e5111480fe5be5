"""What may have moved: cursors, and the items that wait to be looked at."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connectors.base import Notice
from mappings.model import Record, Ref
from sync.store import commit as c
from sync.store import (
    dirty,
)
from sync.store import tables as t
from sync.store.database import chunks, upsert
from sync.store.dirty import Dirty
from sync.store.door import Door


class Noticing(Door):
    """What may have moved: cursors, and the items that wait to be looked at."""

    def cursor(self, side: str) -> tuple[str, bool]:
        """The side's cursor, and whether its first reading is complete."""
        with self.db.begin() as connection:
            row = connection.execute(sa.select(t.cursors).where(t.cursors.c.side == side)).first()
        return (row.cursor, row.complete) if row else ("", False)

    def notice(
        self,
        side: str,
        notices: Sequence[Notice],
        cursor: str,
        *,
        complete: bool,
        first: bool,
        exact: bool = False,
    ) -> list[Ref]:
        """Reduces a page to references that are news, puts them in the dirty table and moves the cursor, in one
        transaction; nothing is committed where nothing moved. ``exact``: the tracker shows no older version than it
        has, so that a lower one is news too. Returns the news, without what belongs to another side."""
        with self.db.begin() as connection:
            known = dirty.known(connection, [n.ref for n in notices])
            at = {n.ref: known.get(n.ref, dirty.Known()) for n in notices}
            news = [n for n in notices if n.version > at[n.ref].version or (exact and n.version < at[n.ref].version)]
            if news:
                dirty.mark(connection, {n.ref: (n.ref, at[n.ref].home or side, True) for n in news}.values(), old=first)
            stored = connection.execute(sa.select(t.cursors).where(t.cursors.c.side == side)).first()
            if stored is None or (stored.cursor, stored.complete) != (cursor, complete):
                row = {"side": side, "cursor": cursor, "complete": complete, "swept": ""}
                upsert(connection, t.cursors, [row], keep=("swept",))
        return list(dict.fromkeys(n.ref for n in news if at[n.ref].home in ("", side)))

    def sweep_start(self, side: str, cursor: str, now: datetime, span: timedelta) -> str:
        """Where a sweep starts: the cursor as it stood at the sweep that was ``span`` ago at least, or the oldest that
        is known, so that sweeps close upon each other (a process that is started again and again) pass over nothing
        that shows late."""
        with self.db.begin() as connection:
            return sweeps_in(connection, side, cursor, now, span)[0][1]

    def swept(self, side: str, cursor: str, now: datetime, span: timedelta) -> None:
        """Remembers a sweep that read the side to its end, with the cursor as it stood before. One that broke off is
        not remembered: the next starts where it did."""
        with self.db.begin() as connection:
            sweeps = sweeps_in(connection, side, cursor, now, span)
            told = json.dumps([[at.isoformat(), then] for at, then in sweeps])
            connection.execute(sa.update(t.cursors).where(t.cursors.c.side == side).values(swept=told))

    def rewind(self, sides: Iterable[str]) -> None:
        """The sides are read from the beginning once more. What was old stays old."""
        with self.db.begin() as connection:
            connection.execute(
                sa.update(t.cursors).where(t.cursors.c.side.in_(list(sides))).values(cursor="", swept="")
            )

    def touch(self, rows: Iterable[tuple[Ref, str, bool]]) -> None:
        """Marks items dirty: a sweep, a webhook, a command."""
        moved = list(rows)
        if moved:
            with self.db.begin() as connection:
                dirty.mark(connection, moved)

    def touch_all(self, *, closed: bool) -> int:
        """Marks every linked item dirty, those of closed links too if asked, and in any case those of them that
        something is held of: what is over again moves no version. Returns how many."""
        query = sa.select(t.items).join(t.links, t.items.c.link == t.links.c.id)
        if not closed:
            kept = sa.exists().where(t.held.c.tracker == t.items.c.tracker, t.held.c.id == t.items.c.id)
            query = query.where(sa.or_(t.links.c.closed.is_(None), kept))
        with self.db.begin() as connection:
            rows = [(Ref(r.tracker, r.id), r.side, True) for r in connection.execute(query)]
            dirty.mark(connection, rows)
        return len(rows)

    def touch_link(self, id: int) -> None:
        """Marks the items of a link dirty."""
        with self.db.begin() as connection:
            members = connection.execute(sa.select(t.items).where(t.items.c.link == id)).all()
            dirty.mark(connection, [(Ref(r.tracker, r.id), r.side, False) for r in members])

    def touch_alone(self, sides: Collection[str]) -> int:
        """Marks every item of these sides dirty that no link holds. Returns how many."""
        query = sa.select(t.items).where(t.items.c.link.is_(None), t.items.c.side.in_(sides), t.items.c.gone.is_(False))
        with self.db.begin() as connection:
            rows = [(Ref(r.tracker, r.id), r.side, False) for r in connection.execute(query)]
            dirty.mark(connection, rows)
        return len(rows)

    def touch_old(self) -> int:
        """Marks every item dirty that was there before Lockstep and that no link holds. Returns how many."""
        query = sa.select(t.items).where(t.items.c.link.is_(None), t.items.c.old.is_(True), t.items.c.gone.is_(False))
        with self.db.begin() as connection:
            rows = [(Ref(r.tracker, r.id), r.side, True) for r in connection.execute(query)]
            dirty.mark(connection, rows)
        return len(rows)

    def dirty(self) -> list[Dirty]:
        """What waits to be looked at, of the sides that the file names."""
        with self.db.begin() as connection:
            return [row for row in dirty.read(connection) if self.knows(row.side)]

    def linked(self, tracker: str, ids: Collection[str] | None) -> list[tuple[Ref, str]]:
        """Those of a tracker's items (``None``: of all) that a link holds, with their sides."""
        query = sa.select(t.items.c.id, t.items.c.side).where(t.items.c.tracker == tracker, t.items.c.link.is_not(None))
        some = [query] if ids is None else [query.where(t.items.c.id.in_(chunk)) for chunk in chunks(sorted(ids))]
        with self.db.begin() as connection:
            return [(Ref(tracker, row.id), row.side) for one in some for row in connection.execute(one)]

    def clean(self, rows: Iterable[Dirty]) -> None:
        """Forgets what is settled, unless it was noticed again meanwhile."""
        settled = list(rows)
        if settled:
            with self.db.begin() as connection:
                dirty.clean(connection, settled)

    def remember(self, found: Iterable[tuple[Record, str, bool]]) -> None:
        """Items seen for the first time, each with its side and whether it is old: there before Lockstep first
        looked."""
        rows = list(found)
        if rows:
            with self.db.begin() as connection:
                dirty.remember(connection, rows)

    def settle_sides(self, rows: Iterable[tuple[Ref, str]]) -> None:
        """Items that no link holds belong to the side whose scope takes them in now."""
        with self.db.begin() as connection:
            for ref, side in rows:
                moved = c.item_update(ref).where(t.items.c.link.is_(None), t.items.c.side != side)
                connection.execute(moved.values(side=side))

    def pass_over(self, records: Iterable[Record], aged: Collection[Ref] = ()) -> None:
        """Notes the versions of items that no link wants, so that an overlap does not read them again. Those not in
        ``aged`` are old no longer: what they become from now on is new."""
        seen = list(records)
        if not seen:
            return
        with self.db.begin() as connection:
            for record in seen:
                young = {} if record.ref in aged else {"old": False}
                connection.execute(c.item_update(record.ref).values(**c.record_columns(record), **young))

    def keep_aside(self, routes: Mapping[Ref, Collection[str]]) -> None:
        """The routes that open from an item by a person's word alone have become these."""
        if routes:
            with self.db.begin() as connection:
                for ref, ids in routes.items():
                    connection.execute(c.item_update(ref).values(aside=sorted(ids)))

    def unheard_longest(self, trackers: Collection[str], before: datetime, limit: int) -> list[Ref]:
        """The items of open links whose discussions were read longest ago, before ``before``: at most ``limit`` of
        those that hold a comment."""
        spoken = t.items.c.tracker.in_(list(trackers)), t.items.c.talk.not_in(["", "0"]), t.items.c.gone.is_(False)
        longest = sa.or_(t.items.c.heard.is_(None), t.items.c.heard < before)
        query = sa.select(t.items.c.tracker, t.items.c.id).join(t.links, t.items.c.link == t.links.c.id)
        query = query.where(t.links.c.closed.is_(None), *spoken, longest).limit(limit)
        with self.db.begin() as connection:
            rows = connection.execute(query.order_by(sa.nulls_first(t.items.c.heard), t.items.c.id)).all()
        return [Ref(row.tracker, row.id) for row in rows]


def sweeps_in(
    connection: sa.Connection, side: str, cursor: str, now: datetime, span: timedelta
) -> list[tuple[datetime, str]]:
    """The sweeps that count, oldest first, with this one unless the one before is close: from the last on that was
    ``span`` ago at least. Those of a clock that has been set back since count as from now."""
    told = connection.scalar(sa.select(t.cursors.c.swept).where(t.cursors.c.side == side)) or ""
    marks = [(min(at, now), then) for at, then in marks_in(told)]
    aged = [place for place, (at, _) in enumerate(marks) if now - at >= span]
    kept = marks[aged[-1] :] if aged else marks
    return kept if kept and now - kept[-1][0] < span / 2 else [*kept, (now, cursor)]


def marks_in(text: str) -> list[tuple[datetime, str]]:
    """The cursors at earlier sweeps, oldest first, each with its instant. One without an instant is older than all."""
    try:
        return [(datetime.fromisoformat(at), cursor) for at, cursor in json.loads(text)]
    except (ValueError, TypeError):
        return [(datetime.min.replace(tzinfo=UTC), text)] if text else []
