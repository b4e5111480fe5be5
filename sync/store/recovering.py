"""What a crash or a lost answer left open, and links found again by their marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from mappings.banner import link_key
from mappings.model import Record, Ref
from sync.store import commit as c
from sync.store import (
    creations,
    dirty,
    journal,
    ties,
)
from sync.store import tables as t
from sync.store.creations import Begun
from sync.store.door import Door


class Recovering(Door):
    """What a crash or a lost answer left open, and links found again by their marks."""

    def strand(self, link: int) -> None:
        """Work on a link that broke off in the middle: what was begun may have been applied, as after a crash."""
        begun = t.intents.c.link == link, t.intents.c.outcome == ""
        opening = t.intents.c.kind.in_(["open", "show"])
        with self.db.begin() as connection:
            connection.execute(sa.update(t.intents).where(*begun, opening).values(outcome="unsure"))
            connection.execute(sa.update(t.intents).where(*begun).values(outcome="read"))

    def recover(self) -> int:
        """After a start: intents without an outcome may have been applied. Creations are looked up before they are
        repeated, everything else is settled by reading. Returns how many."""
        with self.db.begin() as connection:
            rows = connection.execute(sa.select(t.intents).where(t.ON_ITS_WAY, t.intents.c.outcome == "")).all()
            for row in rows:
                connection.execute(sa.update(t.intents).where(t.intents.c.id == row.id).values(outcome="unsure"))
            links = {row.link for row in rows}
            unsettled = t.UNSETTLED
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
