"""What a crash or a lost answer left open, and links found again by their marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from mappings.banner import link_key
from mappings.model import Record, Ref
from mappings.wording import in_utc
from sync.state import Origin
from sync.store import commit as c
from sync.store import (
    creations,
    dirty,
    journal,
    ties,
)
from sync.store import tables as t
from sync.store.creations import Begun
from sync.store.database import among, chunks
from sync.store.door import Door
from sync.store.fence import FENCE
from sync.store.force import IN_FORCE
from sync.store.requests import DECLINED
from sync.store.tables.columns import MICRO, Instant

#: the answer to what was asked of a state that turned out to be an older copy
ANEW = "the state was an older copy and is begun anew; ask again if it was not done"

#: what our own clock stamps: all instants but those of the journal, which are chained, and those that trackers tell
STAMPS: tuple[sa.Column[datetime], ...] = tuple(
    column
    for table in t.metadata.sorted_tables
    for column in table.c
    if isinstance(column.type, Instant) and str(column) not in ("journal.at", "items.created", "movements.until")
)


class Recovering(Door):
    """What a crash or a lost answer left open, and links found again by their marks."""

    def strand(self, link: int, now: datetime) -> None:
        """Work on a link that broke off in the middle: what was begun may have been applied, as after a crash."""
        begun = t.intents.c.link == link, t.intents.c.outcome == ""
        opening = t.intents.c.kind.in_(["open", "show"])
        with self.db.begin() as connection:
            connection.execute(sa.update(t.intents).where(*begun, opening).values(outcome="unsure", settled=now))
            connection.execute(sa.update(t.copies).where(t.copies.c.link == link, t.UNSETTLED).values(at=now))
            connection.execute(sa.update(t.intents).where(*begun).values(outcome="read"))

    def recover(self, now: datetime) -> int:
        """After a start, and after a pass that broke off: intents without an outcome may have been applied. Creations
        are looked up before they are repeated, everything else is settled by reading. What is unsure counts from
        ``now``: who intended it may have sent it a moment ago. Returns how many."""
        with self.db.begin() as connection:
            rows = connection.execute(sa.select(t.intents).where(t.ON_ITS_WAY, t.intents.c.outcome == "")).all()
            for row in rows:
                unsure = {"outcome": "unsure", "settled": now}
                connection.execute(sa.update(t.intents).where(t.intents.c.id == row.id).values(**unsure))
            links = {row.link for row in rows}
            unsettled = t.UNSETTLED
            connection.execute(sa.update(t.copies).where(unsettled).values(at=now))
            links |= set(connection.scalars(sa.select(t.copies.c.link).where(unsettled)))
            links |= set(connection.scalars(sa.select(t.remarks.c.link)))
            links |= set(connection.scalars(sa.select(t.orders.c.link)))
            members = connection.execute(sa.select(t.items).where(t.items.c.link.in_(links)))
            dirty.mark(connection, [(Ref(r.tracker, r.id), r.side, True) for r in members])
            connection.execute(
                sa.update(t.intents)
                .where(t.intents.c.outcome == "unsure", t.intents.c.kind.not_in(["open", "show"]))
                .values(outcome="read")
            )
        return len(rows)

    def turn_back(self, reached: datetime, now: datetime) -> None:
        """Our clock was set back from ``reached`` to ``now``: what lies ahead moves back by as much. What is unsure,
        what waits or counts for a while would do so for as long as the clock was wrong; what falls due later by right
        only comes up too early once, and is reckoned anew."""
        with self.db.begin() as connection:
            for column in STAMPS:
                moved = sa.type_coerce(column, sa.BigInteger) - (reached - now) // MICRO
                connection.execute(sa.update(column.table).where(column > now).values({column: moved}))
            told = f"our clock was set back from {in_utc(reached)}: what it stamped since moves back with it"
            journal.append(connection, now, [journal.Line("", "clock", "state", told)])

    def last_entry(self) -> datetime | None:
        """The instant up to which this state knows of anything: of its journal's last line."""
        with self.db.begin() as connection:
            return connection.scalar(sa.select(t.journal.c.at).order_by(t.journal.c.seq.desc()).limit(1))

    def known_creations(self, keys: Collection[str]) -> set[str]:
        """Those of the creation keys that a creation was ever begun with."""
        found: set[str] = set()
        with self.db.begin() as connection:
            for chunk in chunks(keys):
                found |= set(connection.scalars(sa.select(t.intents.c.key).where(among(t.intents.c.key, chunk))))
        return found

    def copies_on(self, refs: Collection[Ref]) -> dict[Ref, list[tuple[Origin, str]]]:
        """What was ever begun to be said on these items: the origin of each copy and, where it is known, its id."""
        found: dict[Ref, list[tuple[Origin, str]]] = defaultdict(list)
        c = t.copies.c
        with self.db.begin() as connection:
            for ref in refs:
                mine = sa.select(c.origin_tracker, c.origin_id, c.copy_id)
                mine = mine.where(c.target_tracker == ref.tracker, c.target_id == ref.id)
                found[ref] = [(Origin(row[0], row[1]), row[2] or "") for row in connection.execute(mine)]
        return found

    def forget_known(self, notes: Collection[str], now: datetime) -> None:
        """Forgets everything but what people said (who was taken out of a link, what is paused, the file in force),
        the journal, and these notes. Of a link stays by which routes it was opened on: where no item of one is found
        again, people took it away. What somebody asked of the older state is declined: it may be long done."""
        kept = {t.meta, t.tombstones, t.pauses, t.requests, t.journal, t.journal_bodies, t.links}
        declined = {"outcome": DECLINED, "answer": ANEW, "done": now, "args": ()}
        with self.db.begin() as connection:
            keep_routes(connection, now)
            for table in reversed(t.metadata.sorted_tables):
                if table not in kept:
                    connection.execute(sa.delete(table))
            connection.execute(sa.delete(t.meta).where(t.meta.c.name.not_in([*notes, FENCE, IN_FORCE])))
            connection.execute(sa.update(t.requests).where(t.requests.c.outcome == "").values(**declined))

    def unsettled_creations(self) -> list[Begun]:
        """Creations whose answer was lost."""
        with self.db.begin() as connection:
            return creations.begun(connection, t.intents.c.outcome == "unsure")

    def found_creation(self, begun: Begun, record: Record, *, history: bool, now: datetime) -> None:
        """The item that a lost answer left behind. Its echo is what was sent, so that a word its people changed
        meanwhile is theirs."""
        with self.db.begin() as connection:
            intent = connection.execute(sa.select(t.intents).where(t.intents.c.id == begun.intent)).one()
            payload = intent.payload
            if payload.get("task"):
                c.settle_intent(connection, begun.intent, "done", now)
                dirty.mark(connection, [(record.ref, begun.side, False)])
                return
            made, instance = record.ref, self.instance
            creations.join(connection, begun.link, begun.side, record)
            creations.promise(connection, begun.link, intent.route, payload.get("tasks", 0), made, now, instance)
            ties.wake(connection, begun.link)
            c.settle_intent(connection, begun.intent, "done", now)
            creations.show(connection, begun, Ref(intent.tracker, intent.item), record.ref, now)
            creations.echo(connection, record, payload["serials"], payload["fields"], self.natives(begun.side))
            if history:
                creations.rehear(connection, begun.link, ())
            else:
                creations.baseline(connection, begun.link, record.ref, now)
            dirty.mark(connection, [(record.ref, begun.side, True)])

    def creation_by_key(self, made: str) -> Begun | None:
        """A creation on its way or lost, by its key."""
        with self.db.begin() as connection:
            return next(iter(creations.begun(connection, t.intents.c.key == made)), None)

    def rebuild_link(
        self, key: str, source: Ref, members: Sequence[tuple[Record, str]], now: datetime, route: str = ""
    ) -> int:
        """Links items that were found by their mark, under the key they carry; ``route`` opened the link, if that can
        be told."""
        opened = link_key(self.instance, source) == key
        with self.db.begin() as connection:
            id = creations.rebuild(connection, key, source, members, now, opened=opened)
            c.keep_route(connection, id, route)
            ties.wake(connection, id)
            keys = ", ".join(record.key for record, _ in members)
            journal.append(connection, now, [journal.Line(key, "rebuilt", keys, "found again by their marks")])
        return id


def keep_routes(connection: sa.Connection, now: datetime) -> None:
    """Of each link the routes that opened an item on it, which from now on open one by a person's word alone."""
    opened = t.intents.c.kind == "open", t.intents.c.outcome == "done"
    routes: dict[int, set[str]] = defaultdict(set)
    for row in connection.execute(sa.select(t.intents.c.link, t.intents.c.route).where(*opened)):
        routes[row.link].add(row.route)
    blank = {"opened": now, "closed": None, "due": None, "before": "", "lead_tracker": None, "lead_id": None}
    for link in connection.execute(sa.select(t.links)).all():
        aside = sorted({*link.aside, *routes[link.id]})
        connection.execute(sa.update(t.links).where(t.links.c.id == link.id).values(aside=aside, **blank))
