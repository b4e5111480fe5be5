"""What people stopped, and how much there is that a guard counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from mappings.model import Ref
from sync.freezing.freeze import Pause
from sync.freezing.guard import Estate
from sync.gone import ITEM
from sync.store import dirty, journal, load
from sync.store import tables as t
from sync.store.database import among, chunks, insert_new


def read(connection: sa.Connection) -> list[Pause]:
    rows = connection.execute(sa.select(t.pauses).order_by(t.pauses.c.since, t.pauses.c.what))
    return [Pause(row.what, row.since, row.by) for row in rows]


def begin(connection: sa.Connection, pause: Pause) -> bool:
    """Whether it is new: one that stands already keeps its instant and its author."""
    stands = sa.select(t.pauses.c.what).where(t.pauses.c.what == pause.what)
    if connection.scalar(stands) is not None:
        return False
    insert_new(connection, t.pauses, [{"what": pause.what, "since": pause.since, "by": pause.by}])
    journal.append(connection, pause.since, [line("paused", pause.what, f"by {pause.by}")])
    return True


def end(connection: sa.Connection, whats: Iterable[str], by: str, now: datetime) -> None:
    """Forgets pauses, and says so in the journal."""
    ended = list(whats)
    connection.execute(sa.delete(t.pauses).where(t.pauses.c.what.in_(ended)))
    journal.append(connection, now, [line("resumed", what, f"by {by}") for what in ended])


def line(kind: str, what: str, body: str) -> journal.Line:
    """A line of the journal; one about a link stands among its own."""
    return journal.Line(what.removeprefix("link:") if what.startswith("link:") else "", kind, what, body)


def estate(connection: sa.Connection, since: datetime) -> Estate:
    """Open links, the items in them by tracker, and those of them that went missing since then and still are."""
    open_links = sa.select(sa.func.count()).select_from(t.links).where(t.links.c.closed.is_(None))
    joined = t.items.join(t.links, t.items.c.link == t.links.c.id)
    items = (
        sa.select(t.items.c.tracker, sa.func.count())
        .select_from(joined)
        .where(t.links.c.closed.is_(None), t.items.c.joined != load.TASK)
        .group_by(t.items.c.tracker)
    )
    counted = {row[0]: int(row[1]) for row in connection.execute(items)}
    held = t.held.join(t.links, t.held.c.link == t.links.c.id)
    missing = (
        sa.select(t.held.c.tracker, sa.func.count())
        .select_from(held)
        .where(t.held.c.what == ITEM, t.held.c.since > since, t.links.c.closed.is_(None))
        .group_by(t.held.c.tracker)
    )
    lately = {row[0]: int(row[1]) for row in connection.execute(missing)}
    return Estate(int(connection.scalar(open_links) or 0), counted, lately)


def wake(connection: sa.Connection, refs: Collection[Ref]) -> None:
    """Items, and the others of their links, are looked at in the next pass."""
    for chunk in chunks(refs):
        found = connection.execute(sa.select(t.items).where(load.refs_where(t.items, chunk))).all()
        links = sorted({row.link for row in found if row.link is not None})
        others = connection.execute(sa.select(t.items).where(among(t.items.c.link, links))).all() if links else []
        rows = {(r.tracker, r.id): (Ref(r.tracker, r.id), r.side, True) for r in (*others, *found)}
        dirty.mark(connection, rows.values())
