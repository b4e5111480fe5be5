"""A plan is committed, its writes are settled, and what was refused is set aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Record, Ref
from sync.merging.merge import Echo
from sync.plan import Open, Plan, Reword, Say, Show
from sync.state import Held, LinkState, Seen
from sync.store import commit as c
from sync.store import (
    copies,
    creations,
    dirty,
    joining,
    journal,
    parting,
    strokes,
    ties,
)
from sync.store import tables as t
from sync.store.creations import Unshown
from sync.store.database import upsert
from sync.store.door import Door


class Settling(Door):
    """A plan is committed, its writes are settled, and what was refused is set aside."""

    def commit(self, link: LinkState, plan: Plan, seen: Seen, now: datetime) -> tuple[int, dict[int, int]]:
        """What a plan settles and intends, in one transaction. Returns the link's id and the intents by place."""
        with self.db.begin() as connection:
            if plan.loose:
                if link.id and plan.settlement.joins:
                    parting.vacate(connection, link.id, link.source, now)
                id, intents = joining.settle_loose(connection, plan, seen, now)
            else:
                id = c.ensure_link(connection, link, now)
                c.remember_records(connection, link, seen, plan, now)
                c.settle_plan(connection, id, plan, now)
                joining.settle_joins(connection, id, plan, seen, now)
                if not link.id or plan.settlement.closed is not None:
                    ties.wake(connection, id)
                intents = c.intend(connection, id, plan, now)
            journal.append(connection, now, c.lines_of(plan, link))
        return id, intents

    def settle_intent(self, intent: int, outcome: str, now: datetime) -> None:
        """How a write went: ``done``, ``failed``, ``unsure`` (may have been applied) or ``read`` (settled by
        reading)."""
        with self.db.begin() as connection:
            c.settle_intent(connection, intent, outcome, now)

    def acknowledge(
        self, intent: int, record: Record, echoes: Sequence[tuple[str, Echo]], now: datetime, *, direct: bool
    ) -> None:
        """A write that the tracker answered: its record is what counts from now on. ``direct``: nothing came between
        the version decided on and this one, so that it need not be looked at again."""
        with self.db.begin() as connection:
            c.settle_intent(connection, intent, "done", now)
            columns = {**c.record_columns(record), "acked": record.version}
            if not direct:
                del columns["version"]
            connection.execute(c.item_update(record.ref).values(**columns))
            c.write_echoes(connection, [(record.ref, name, echo) for name, echo in echoes])

    def created(
        self, id: int, intent: int, opened: Open, record: Record, now: datetime, heard: Collection[Ref] = ()
    ) -> int:
        """A counterpart that the tracker acknowledged joins its link. Comments that were there before it are history
        to it, unless the route carries them: then those that are not in hand (``heard``) are read once more. Returns
        the intent of its visible link to the source."""
        with self.db.begin() as connection:
            creations.join(connection, id, opened.side, record)
            creations.promise(connection, id, opened.route, opened.tasks, record.ref, now, self.instance)
            ties.wake(connection, id)
            c.settle_intent(connection, intent, "done", now)
            draft = opened.draft
            show = Show(record.ref, opened.side, draft.mark, draft.source_key, draft.source_url, opened.reason)
            shown = c.insert_intent(connection, id, show, now)
            fields = {name: record.fields.get(name) for name in opened.draft.fields}
            creations.echo(connection, record, opened.serials, fields, self.natives(opened.side))
            if opened.history:
                creations.rehear(connection, id, heard)
            else:
                creations.baseline(connection, id, record.ref, now)
        return shown

    def created_task(self, intent: int, record: Record, side: str, now: datetime) -> None:
        """A task that the tracker acknowledged: it is read and filed below its item in the next pass."""
        with self.db.begin() as connection:
            c.settle_intent(connection, intent, "done", now)
            dirty.mark(connection, [(record.ref, side, False)])

    def fulfil(self, order: str) -> None:
        """Forgets an order that is carried out."""
        with self.db.begin() as connection:
            c.fulfil(connection, [order])

    def unshown(self) -> list[Unshown]:
        """Created items whose visible link is still to be left."""
        with self.db.begin() as connection:
            return creations.unshown(connection)

    def said(self, say: Say, link: int, outcome: str, now: datetime, copy_id: str = "", version: int = 0) -> None:
        """How a copy went. ``version`` is the item's new one where nothing came between. An own remark whose last
        part is said needs its text no longer."""
        with self.db.begin() as connection:
            upsert(connection, t.copies, [copies.copy_row(link, say.copy, copies.said_as(say, outcome, now, copy_id))])
            if version:
                connection.execute(c.item_update(say.ref).values(version=version))
            if outcome == "done":
                copies.forget_said(connection, say.copy)
            if outcome == "pending":
                strokes.forget_say(connection, say.copy)

    def reworded(self, reword: Reword, outcome: str, now: datetime) -> None:
        """How new words for a copy went: ``done``, ``unsure`` (settled by reading) or ``failed``."""
        done = {"outcome": reword.outcome, "digest": reword.version, "sent": "", "channel": reword.channel, "at": now}
        sent = {"sent": reword.version, "at": now} if outcome == "unsure" else {"sent": ""}
        values = done if outcome == "done" else sent
        with self.db.begin() as connection:
            connection.execute(copies.reword_row(reword).values(**values))

    def hold(self, link: int, held: Held, now: datetime) -> None:
        """Sets aside what was tried and did not go; the link is looked at again when it may be retried. Told in the
        journal when it begins and when its reason changes: what lasts would fill it."""
        mine = (t.held.c.tracker == held.ref.tracker, t.held.c.id == held.ref.id, t.held.c.what == held.what)
        with self.db.begin() as connection:
            before = connection.execute(sa.select(t.held.c.tries, t.held.c.reason).where(*mine)).first()
            tried = replace(held, tries=(before.tries if before else 0) + 1, tried=now)
            upsert(connection, t.held, [c.held_row(link, tried)], keep=("since",))
            self._due_by(connection, link, held.retry)
            if before is not None and before.reason == held.reason:
                return
            key = connection.scalar(sa.select(t.links.c.key).where(t.links.c.id == link)) or ""
            journal.append(connection, now, [journal.Line(key, "held", str(held.ref), f"{held.what}: {held.reason}")])

    def release(self, ref: Ref, what: str) -> None:
        """Forgets that something was set aside."""
        with self.db.begin() as connection:
            c.release(connection, ref, what)

    def waiting(self) -> datetime | None:
        """When the next copy or creation whose answer was lost may be settled; ``None`` where none is open."""
        unsure = sa.select(t.copies.c.link).where(t.UNSETTLED)
        if self.sides is not None:
            # asked of each unsettled copy: a join might begin with every item there is
            target = sa.and_(t.copies.c.target_tracker == t.items.c.tracker, t.copies.c.target_id == t.items.c.id)
            unsure = unsure.where(sa.exists().where(target, t.items.c.side.in_(self.sides)))
        with self.db.begin() as connection:
            begun = [b.link for b in creations.begun(connection, t.intents.c.outcome == "unsure") if self.knows(b.side)]
            open_ends = sa.or_(t.links.c.id.in_(unsure), t.links.c.id.in_(begun))
            return connection.scalar(sa.select(sa.func.min(t.links.c.due)).where(open_ends))

    def due_by(self, link: int, at: datetime) -> None:
        """The link is looked at again at ``at`` at the latest."""
        with self.db.begin() as connection:
            self._due_by(connection, link, at)

    def _due_by(self, connection: sa.Connection, link: int, at: datetime | None) -> None:
        if at is not None:
            later = sa.or_(t.links.c.due.is_(None), t.links.c.due > at)
            connection.execute(sa.update(t.links).where(t.links.c.id == link, later).values(due=at))
