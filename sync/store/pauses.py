"""What people stopped, and how much there is that a guard counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from sync.freezing.freeze import Pause
from sync.freezing.guard import Estate
from sync.store import journal, load
from sync.store import tables as t
from sync.store.database import insert_new


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


def estate(connection: sa.Connection) -> Estate:
    """Open links, and the items in them by tracker."""
    open_links = sa.select(sa.func.count()).select_from(t.links).where(t.links.c.closed.is_(None))
    joined = t.items.join(t.links, t.items.c.link == t.links.c.id)
    items = (
        sa.select(t.items.c.tracker, sa.func.count())
        .select_from(joined)
        .where(t.links.c.closed.is_(None), t.items.c.joined != load.TASK)
        .group_by(t.items.c.tracker)
    )
    counted = {row[0]: int(row[1]) for row in connection.execute(items)}
    return Estate(int(connection.scalar(open_links) or 0), counted)
