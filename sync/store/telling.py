"""What is told, sent and remembered: held entries, totals, mails, the file in force, the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync.edits.edit import Turn
from sync.escalation.digest import Delivery, Past, Wanted
from sync.state import Held
from sync.store import (
    force,
    journal,
    load,
    outbox,
    strokes,
)
from sync.store import tables as t
from sync.store.database import insert_new, upsert
from sync.store.door import Door
from sync.store.outbox import Parcel


class Telling(Door):
    """What is told, sent and remembered: held entries, totals, mails, the file in force, the journal."""

    def held(self) -> list[tuple[Held, str]]:
        """What is set aside, with the readable key of its item."""
        with self.db.begin() as connection:
            joined = t.held.outerjoin(
                t.items, sa.and_(t.held.c.tracker == t.items.c.tracker, t.held.c.id == t.items.c.id)
            )
            rows = connection.execute(
                sa.select(t.held, t.items.c.key).select_from(joined).order_by(t.held.c.since, t.held.c.id)
            ).all()
        return [(load.held_of(row), row.key or row.id) for row in rows]

    def counts(self) -> dict[str, int]:
        """Totals for the status line."""
        queries = {
            "links": sa.select(sa.func.count(sa.distinct(t.items.c.link))),
            "open": sa.select(sa.func.count()).select_from(t.links).where(t.links.c.closed.is_(None)),
            "items": sa.select(sa.func.count())
            .select_from(t.items)
            .where(t.items.c.link.is_not(None), t.items.c.joined != load.TASK),
            "dirty": sa.select(sa.func.count()).select_from(t.dirty),
            "held": sa.select(sa.func.count()).select_from(t.held),
            "copies": sa.select(sa.func.count()).select_from(t.copies).where(t.copies.c.outcome == "done"),
        }
        with self.db.begin() as connection:
            return {name: int(connection.scalar(query) or 0) for name, query in queries.items()}

    def arm(self, rules: Mapping[str, Sequence[str]], now: datetime) -> None:
        """A rule counts from the moment it is first in force, and so does by itself what came to it later: its steps,
        what sets it off. What is gone from the file begins anew when it comes back."""
        with self.db.begin() as connection:
            known = {row.id: row.armed for row in connection.execute(sa.select(t.rules))}
            wanted: dict[str, datetime] = {}
            for rule, parts in rules.items():
                # a state from before parts were armed by themselves: they came with their rule
                late = now if rule not in known or any(part in known for part in parts) else known[rule]
                wanted |= {rule: now, **dict.fromkeys(parts, late)}
            gone = sorted(set(known) - set(wanted))
            if gone:
                connection.execute(sa.delete(t.rules).where(t.rules.c.id.in_(gone)))
            fresh = [{"id": name, "armed": at} for name, at in wanted.items() if name not in known]
            insert_new(connection, t.rules, fresh)

    def unshared(self, now: datetime) -> tuple[list[Wanted], dict[tuple[str, str], Past]]:
        """The messages for which it is not settled yet when and in what each recipient gets them, and what those
        recipients got lately."""
        with self.db.begin() as connection:
            found = outbox.unshared(connection, now)
            return found, outbox.pasts(connection, now) if found else {}

    def share(self, deliveries: Sequence[Delivery]) -> None:
        """Keeps who gets what when."""
        with self.db.begin() as connection:
            outbox.share(connection, deliveries)

    def parcels(self, now: datetime) -> list[Parcel]:
        """What goes out now."""
        with self.db.begin() as connection:
            return outbox.parcels(connection, now)

    def sending(self, who: Sequence[Wanted]) -> None:
        """These deliveries are begun: after a crash they go out again as they are, or not at all."""
        with self.db.begin() as connection:
            outbox.begin(connection, who)

    def put_off(self, who: Sequence[Wanted]) -> None:
        """These deliveries, of which none is begun, are shared out anew."""
        with self.db.begin() as connection:
            outbox.put_off(connection, who)

    def delivered(
        self, who: Sequence[Wanted], outcome: str, at: datetime, error: str = "", *, taken: bool = False
    ) -> None:
        """How deliveries went: ``sent`` or ``refused`` at that instant, or empty: tried again from then on, as they are
        where they may have been ``taken``. A message that everybody got gives its text away."""
        with self.db.begin() as connection:
            outbox.settle(connection, who, outcome, at, error, taken=taken)

    def unsent(self) -> list[tuple[str, str, str]]:
        """Messages that failed, or that nothing was done about yet: key, kind and the last error."""
        with self.db.begin() as connection:
            return outbox.unsent(connection)

    def stuck(self, since: datetime) -> list[tuple[str, str, datetime, str]]:
        """Messages from before ``since`` that have not reached everybody: key, kind, instant and last error."""
        with self.db.begin() as connection:
            return outbox.stuck(connection, since)

    def refusals(self, since: datetime) -> list[tuple[str, str, str, str]]:
        """Deliveries that were refused for good from then on: key, kind, recipient and reason."""
        with self.db.begin() as connection:
            return outbox.refused(connection, since)

    def forget_old(self, now: datetime) -> None:
        """Once a day: what nothing asks for any more is forgotten. Who got what, who wrote what on which item, and the
        journal's sentences; its chain still verifies."""
        with self.db.begin() as connection:
            outbox.forget(connection, now - outbox.KEPT)
            strokes.purge(connection, now)
            journal.purge(connection, now - journal.KEPT)

    def tell(
        self, key: str, kind: str, to: Sequence[str], subject: str, text: str, now: datetime, cc: Sequence[str] = ()
    ) -> None:
        """Puts a mail or a card about no single link among those that go out; the same key goes out once."""
        with self.db.begin() as connection:
            outbox.put(connection, key, kind, to, subject, text, now, cc)

    def log(self, kind: str, item: str, body: str, now: datetime) -> None:
        """A line of the journal about Lockstep itself."""
        with self.db.begin() as connection:
            journal.append(connection, now, [journal.Line("", kind, item, body)])

    def in_force(self) -> str | None:
        """The text of the admin's file in force; ``None`` where the state is new."""
        with self.db.begin() as connection:
            return force.in_force(connection)

    def keep_in_force(self, text: str) -> None:
        """A file that means what the one in force means takes its place."""
        with self.db.begin() as connection:
            force.keep(connection, text)

    def put_in_force(self, turn: Turn, now: datetime) -> int:
        """An edited file comes into force, in one commit. Returns how many items are to be looked at again."""
        with self.db.begin() as connection:
            return force.put(connection, turn, now)

    def note(self, name: str, value: Any) -> None:
        """A small fact that outlives the process: the last pass, whether a journal was ever readable."""
        with self.db.begin() as connection:
            upsert(connection, t.meta, [{"name": name, "value": value}])

    def noted(self, name: str) -> Any:
        """A fact that ``note`` kept; ``None`` where it was never noted."""
        with self.db.begin() as connection:
            return connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name))

    def journal(self, link: str, limit: int = 200) -> list[journal.Entry]:
        """What the journal says of a link, by its key: ``limit`` entries at the most."""
        with self.db.begin() as connection:
            return journal.read(connection, link, limit)

    def broken_journal(self) -> int | None:
        """The first entry of the chain that does not verify; ``None`` where all do."""
        with self.db.begin() as connection:
            return journal.verify(connection)
