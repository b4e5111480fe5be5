"""The state: the only place that speaks SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from connectors.base import Notice
from mappings.model import Record, Ref
from sync.merge import Echo
from sync.plan import Open, Plan, Say, Show
from sync.state import Held, LinkState, Seen
from sync.store import commit as c
from sync.store import creations, dirty, journal, load, outbox
from sync.store import tables as t
from sync.store.creations import Begun, Unshown
from sync.store.database import Database, StateBroken, StateLocked, insert_new, upsert
from sync.store.dirty import Dirty
from sync.store.outbox import Outgoing


class Store:
    """Links, items, cursors, intents and the journal, over SQLite or PostgreSQL."""

    def __init__(self, url: str, instance: str, *, database: Database | None = None) -> None:
        self.instance = instance
        self.db = database or Database(url)

    def open(self, *, exclusive: bool = True) -> None:
        """Migrates and, where this process is to work on it, takes the instance's lock; one that only looks leaves no
        file behind."""
        if not exclusive and self.db.path is not None and not self.db.path.exists():
            self.db = Database.empty()
            return
        try:
            if exclusive:
                self.db.acquire()
            self.db.migrate()
        except (StateBroken, StateLocked):
            self.db.close()
            raise

    def scratch(self) -> Store:
        """A copy in memory, for a dry run."""
        return Store("", self.instance, database=self.db.copy())

    def close(self) -> None:
        self.db.close()

    # ── notice ───────────────────────────────────────────────────────────────────────────────────────────────────

    def cursor(self, side: str) -> tuple[str, bool]:
        """The side's cursor, and whether its first reading is complete."""
        with self.db.begin() as connection:
            row = connection.execute(sa.select(t.cursors).where(t.cursors.c.side == side)).first()
        return (row.cursor, row.complete) if row else ("", False)

    def notice(self, side: str, notices: Sequence[Notice], cursor: str, *, complete: bool, first: bool) -> list[Ref]:
        """Reduces a page to references that are news, puts them in the dirty table and moves the cursor, in one
        transaction; nothing is committed where nothing moved. Returns the news."""
        with self.db.begin() as connection:
            known = dirty.versions(connection, [n.ref for n in notices])
            news = {n.ref: n for n in notices if n.version > known.get(n.ref, -1)}
            if news:
                dirty.mark(connection, [(ref, side, True) for ref in news], old=first)
            stored = connection.execute(sa.select(t.cursors).where(t.cursors.c.side == side)).first()
            if stored is None or (stored.cursor, stored.complete) != (cursor, complete):
                row = {"side": side, "cursor": cursor, "complete": complete, "swept": ""}
                upsert(connection, t.cursors, [row], keep=("swept",))
        return list(news)

    def swept(self, side: str, cursor: str) -> str:
        """Where a sweep starts: the cursor as it stood at the sweep before; remembers this one's."""
        with self.db.begin() as connection:
            before = connection.scalar(sa.select(t.cursors.c.swept).where(t.cursors.c.side == side))
            connection.execute(sa.update(t.cursors).where(t.cursors.c.side == side).values(swept=cursor))
        return before or cursor

    def touch(self, rows: Iterable[tuple[Ref, str, bool]]) -> None:
        """Marks items dirty: a sweep, a webhook, a command."""
        with self.db.begin() as connection:
            dirty.mark(connection, rows)

    def touch_all(self, *, closed: bool) -> int:
        """Marks every linked item dirty, those of closed links too if asked. Returns how many."""
        query = sa.select(t.items).join(t.links, t.items.c.link == t.links.c.id)
        if not closed:
            query = query.where(t.links.c.closed.is_(None))
        with self.db.begin() as connection:
            rows = [(Ref(r.tracker, r.id), r.side, True) for r in connection.execute(query)]
            dirty.mark(connection, rows)
        return len(rows)

    def touch_link(self, id: int) -> None:
        """Marks the items of a link dirty."""
        with self.db.begin() as connection:
            members = connection.execute(sa.select(t.items).where(t.items.c.link == id)).all()
            dirty.mark(connection, [(Ref(r.tracker, r.id), r.side, False) for r in members])

    def dirty(self) -> list[Dirty]:
        with self.db.begin() as connection:
            return dirty.read(connection)

    def clean(self, rows: Iterable[Dirty]) -> None:
        """Forgets what is settled, unless it was noticed again meanwhile."""
        with self.db.begin() as connection:
            dirty.clean(connection, rows)

    def remember(self, found: Iterable[tuple[Record, str, bool]]) -> None:
        """Items seen for the first time, each with its side and whether it is old: there before Lockstep first
        looked."""
        rows = list(found)
        if rows:
            with self.db.begin() as connection:
                dirty.remember(connection, rows)

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

    # ── links ────────────────────────────────────────────────────────────────────────────────────────────────────

    def places(self, refs: Collection[Ref]) -> dict[Ref, tuple[int | None, int]]:
        """The link of each known item (``None``: none yet) and the version that our own last write left it at."""
        if not refs:
            return {}
        with self.db.begin() as connection:
            columns = (t.items.c.tracker, t.items.c.id, t.items.c.link, t.items.c.acked)
            rows = [
                row
                for start in range(0, len(refs), 400)
                for row in connection.execute(
                    sa.select(*columns).where(load.refs_where(t.items, list(refs)[start : start + 400]))
                )
            ]
        return {Ref(row.tracker, row.id): (row.link, row.acked) for row in rows}

    def links_of(self, refs: Collection[Ref]) -> list[LinkState]:
        """The links that hold these items, and the prospective ones of those that no link holds."""
        if not refs:
            return []
        chunks = [list(refs)[i : i + 400] for i in range(0, len(refs), 400)]
        with self.db.begin() as connection:
            rows = [
                row
                for chunk in chunks
                for row in connection.execute(sa.select(t.items).where(load.refs_where(t.items, chunk)))
            ]
            ids = sorted({row.link for row in rows if row.link is not None})
            links = [link for i in range(0, len(ids), 400) for link in load.load_links(connection, ids[i : i + 400])]
        return links + [load.prospective(self.instance, row) for row in rows if row.link is None]

    def links(self, ids: Sequence[int] | None = None) -> list[LinkState]:
        """Links by id, or all of them."""
        with self.db.begin() as connection:
            wanted = list(ids) if ids is not None else list(connection.scalars(sa.select(t.links.c.id)))
            return [
                link for i in range(0, len(wanted), 400) for link in load.load_links(connection, wanted[i : i + 400])
            ]

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

    # ── plan, apply, settle ──────────────────────────────────────────────────────────────────────────────────────

    def commit(self, link: LinkState, plan: Plan, seen: Seen, now: datetime) -> tuple[int, dict[int, int]]:
        """What a plan settles and intends, in one transaction. Returns the link's id and the intents by place."""
        with self.db.begin() as connection:
            id = c.ensure_link(connection, link, now)
            c.remember_records(connection, link, seen)
            c.settle_plan(connection, id, plan, now)
            intents = c.intend(connection, id, plan, now)
            journal.append(connection, now, c.lines_of(plan, link))
        return id, intents

    def settle_intent(self, intent: int, outcome: str, now: datetime) -> None:
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

    def unshown(self) -> list[Unshown]:
        """Created items whose visible link is still to be left."""
        with self.db.begin() as connection:
            return creations.unshown(connection)

    #: native field names per side and declared field; the composition sets it from the admin's file
    field_names: Mapping[str, Mapping[str, tuple[str, ...]]] = {}

    def natives(self, side: str) -> Mapping[str, tuple[str, ...]]:
        return self.field_names.get(side, {})

    def said(self, say: Say, link: int, outcome: str, now: datetime, copy_id: str = "", version: int = 0) -> None:
        """How a copy went. ``version`` is the item's new one where nothing came between. An own remark whose last
        part is said needs its text no longer."""
        with self.db.begin() as connection:
            upsert(connection, t.copies, [c.copy_row(link, say.copy, outcome, now, copy_id)])
            if version:
                connection.execute(c.item_update(say.ref).values(version=version))
            if outcome == "done":
                c.forget_said(connection, say.copy)

    def hold(self, link: int, held: Held, now: datetime) -> None:
        """Sets aside what a tracker refused; the link is looked at again when it may be retried."""
        with self.db.begin() as connection:
            row = {
                "tracker": held.ref.tracker,
                "id": held.ref.id,
                "what": held.what,
                "link": link or None,
                "reason": held.reason,
                "advice": held.advice,
                "since": held.since,
                "retry": held.retry,
                "fingerprint": held.fingerprint,
            }
            upsert(connection, t.held, [row], keep=("since",))
            self._due_by(connection, link, held.retry)
            key = connection.scalar(sa.select(t.links.c.key).where(t.links.c.id == link)) or ""
            journal.append(connection, now, [journal.Line(key, "held", str(held.ref), f"{held.what}: {held.reason}")])

    def _due_by(self, connection: sa.Connection, link: int, at: datetime | None) -> None:
        if at is not None:
            later = sa.or_(t.links.c.due.is_(None), t.links.c.due > at)
            connection.execute(sa.update(t.links).where(t.links.c.id == link, later).values(due=at))

    def release(self, ref: Ref, what: str) -> None:
        """Forgets that something was set aside."""
        with self.db.begin() as connection:
            c.release(connection, ref, what)

    def waiting(self) -> datetime | None:
        """When the next copy or creation whose answer was lost may be settled; ``None`` where none is open."""
        unsure = sa.select(t.copies.c.link).where(t.copies.c.outcome == "unsure")
        begun = sa.select(t.intents.c.link).where(t.intents.c.outcome == "unsure", t.intents.c.kind == "open")
        with self.db.begin() as connection:
            return connection.scalar(sa.select(sa.func.min(t.links.c.due)).where(t.links.c.id.in_(unsure.union(begun))))

    def due_by(self, link: int, at: datetime) -> None:
        """The link is looked at again at ``at`` at the latest."""
        with self.db.begin() as connection:
            self._due_by(connection, link, at)

    # ── creations whose answer was lost, and items found by their mark ───────────────────────────────────────────

    def unsettled_creations(self) -> list[Begun]:
        with self.db.begin() as connection:
            return creations.begun(connection, t.intents.c.outcome == "unsure")

    def found_creation(self, begun: Begun, record: Record, *, history: bool, now: datetime) -> None:
        """The item that a lost answer left behind. Its echo is what was sent, so that a word its people changed
        meanwhile is theirs."""
        with self.db.begin() as connection:
            intent = connection.execute(sa.select(t.intents).where(t.intents.c.id == begun.intent)).one()
            payload = intent.payload
            creations.join(connection, begun.link, begun.side, record)
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
            on_its_way = t.intents.c.outcome.in_(["", "unsure"])
            return next(iter(creations.begun(connection, t.intents.c.key == made, on_its_way)), None)

    def link_by_key(self, key: str) -> int | None:
        with self.db.begin() as connection:
            return connection.scalar(sa.select(t.links.c.id).where(t.links.c.key == key))

    def rebuild_link(self, key: str, source: Ref, members: Sequence[tuple[Record, str]], now: datetime) -> int:
        """Links items that were found by their mark, under the key they carry."""
        with self.db.begin() as connection:
            id = creations.rebuild(connection, key, source, members, now)
            keys = ", ".join(record.key for record, _ in members)
            journal.append(connection, now, [journal.Line(key, "rebuilt", keys, "found again by their marks")])
        return id

    # ── recovery, rules, mail ────────────────────────────────────────────────────────────────────────────────────

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
            rows = connection.execute(sa.select(t.intents).where(t.intents.c.outcome == "")).all()
            for row in rows:
                connection.execute(sa.update(t.intents).where(t.intents.c.id == row.id).values(outcome="unsure"))
            links = {row.link for row in rows}
            links |= set(connection.scalars(sa.select(t.copies.c.link).where(t.copies.c.outcome == "unsure")))
            links |= set(connection.scalars(sa.select(t.remarks.c.link)))
            members = connection.execute(sa.select(t.items).where(t.items.c.link.in_(links)))
            dirty.mark(connection, [(Ref(r.tracker, r.id), r.side, True) for r in members])
            connection.execute(
                sa.update(t.intents)
                .where(t.intents.c.outcome == "unsure", t.intents.c.kind.not_in(["open", "show"]))
                .values(outcome="read")
            )
        return len(rows)

    def arm(self, rules: Iterable[str], now: datetime) -> None:
        """A rule counts from the moment it is first in force."""
        with self.db.begin() as connection:
            insert_new(connection, t.rules, [{"id": rule, "armed": now} for rule in rules])

    def outgoing(self, now: datetime) -> list[Outgoing]:
        with self.db.begin() as connection:
            return outbox.waiting(connection, now)

    def sent(self, key: str, outcome: str, *, retry: datetime | None = None, error: str = "") -> None:
        """How a mail or card went; one that was sent gives its text away."""
        with self.db.begin() as connection:
            outbox.settle(connection, key, outcome, retry, error)

    def unsent(self) -> list[tuple[str, str, str]]:
        """Mails and cards that failed or wait: key, kind and the last error."""
        with self.db.begin() as connection:
            return outbox.unsent(connection)

    # ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────

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
            "links": sa.select(sa.func.count()).select_from(t.links),
            "open": sa.select(sa.func.count()).select_from(t.links).where(t.links.c.closed.is_(None)),
            "items": sa.select(sa.func.count()).select_from(t.items).where(t.items.c.link.is_not(None)),
            "dirty": sa.select(sa.func.count()).select_from(t.dirty),
            "held": sa.select(sa.func.count()).select_from(t.held),
            "copies": sa.select(sa.func.count()).select_from(t.copies).where(t.copies.c.outcome == "done"),
        }
        with self.db.begin() as connection:
            return {name: int(connection.scalar(query) or 0) for name, query in queries.items()}

    def note(self, name: str, value: Any) -> None:
        """A small fact that outlives the process: the last pass, whether a journal was ever readable."""
        with self.db.begin() as connection:
            upsert(connection, t.meta, [{"name": name, "value": value}])

    def noted(self, name: str) -> Any:
        with self.db.begin() as connection:
            return connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name))

    def journal(self, link: str, limit: int = 200) -> list[journal.Entry]:
        with self.db.begin() as connection:
            return journal.read(connection, link, limit)

    def purge_journal(self, before: datetime) -> int:
        """Forgets the sentences of lines older than ``before``; the chain still verifies. Returns how many."""
        with self.db.begin() as connection:
            return journal.purge(connection, before)

    def broken_journal(self) -> int | None:
        with self.db.begin() as connection:
            return journal.verify(connection)
