"""The journal: an append-only record of what was seen, decided and done. A hash chain over salted digests; the
sentences lie beside it and can be purged without breaking the chain. No comment's text ever enters it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sync.store import tables as t
from sync.store.tables import ITEM_ROOM, sound

#: how long its sentences are kept, in which people are named: a year, and a month in which to look back on it
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: about a link (its key) and an item, of a kind (agreed, write, open, copy, held, fire ...)."""

    link: str
    kind: str
    item: str
    body: str


@dataclass(frozen=True, slots=True)
class Entry(Line):
    """A line as it stands in the journal; ``body`` is empty once purged."""

    seq: int
    at: datetime


def worded(value: object) -> str:
    """A value as people read it in a line."""
    if isinstance(value, tuple):
        return ", ".join(map(repr, value)) or "(empty)"
    return "(empty)" if value is None else repr(value)


def chained(previous: str, at: datetime, line: Line, digest: str) -> str:
    words = "\x1f".join((previous, at.isoformat(), line.link, line.kind, line.item, digest))
    return hashlib.sha256(words.encode()).hexdigest()


def fitted(line: Line) -> Line:
    """The line as both databases take it."""
    return Line(line.link, line.kind, sound(line.item)[:ITEM_ROOM], sound(line.body))


def append(connection: sa.Connection, at: datetime, lines: Iterable[Line]) -> None:
    """Adds lines at the end of the chain. A command beside the daemon may add some too; SQLite's transactions follow
    one another anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE"))
    last = connection.execute(sa.select(t.journal.c.seq, t.journal.c.chain).order_by(t.journal.c.seq.desc()).limit(1))
    row = last.first()
    seq, chain = (row.seq, row.chain) if row else (0, "")
    entries, bodies = [], []
    for line in map(fitted, lines):
        seq, salt = seq + 1, secrets.token_hex(8)
        digest = hashlib.sha256((salt + line.body).encode("utf-8", "surrogatepass")).hexdigest()
        chain = chained(chain, at, line, digest)
        entries.append(
            {
                "seq": seq,
                "at": at,
                "link": line.link,
                "kind": line.kind,
                "item": line.item,
                "digest": digest,
                "chain": chain,
            }
        )
        bodies.append({"seq": seq, "salt": salt, "body": line.body})
    if entries:
        connection.execute(sa.insert(t.journal), entries)
        connection.execute(sa.insert(t.journal_bodies), bodies)


def purge(connection: sa.Connection, before: datetime) -> None:
    """Forgets the sentences of lines older than ``before``, and the salts without which their digests tell nothing."""
    old = sa.select(t.journal.c.seq).where(t.journal.c.at < before)
    connection.execute(sa.delete(t.journal_bodies).where(t.journal_bodies.c.seq.in_(old)))


def read(connection: sa.Connection, link: str, limit: int = 200) -> list[Entry]:
    """The newest lines about a link, oldest first."""
    joined = t.journal.outerjoin(t.journal_bodies, t.journal.c.seq == t.journal_bodies.c.seq)
    query = sa.select(t.journal, t.journal_bodies.c.body).select_from(joined).where(t.journal.c.link == link)
    rows = connection.execute(query.order_by(t.journal.c.seq.desc()).limit(limit)).all()
    return [Entry(r.link, r.kind, r.item, r.body or "", r.seq, r.at) for r in reversed(rows)]


def verify(connection: sa.Connection) -> int | None:
    """``None`` where the chain holds, else the sequence number at which it breaks."""
    joined = t.journal.outerjoin(t.journal_bodies, t.journal.c.seq == t.journal_bodies.c.seq)
    query = sa.select(t.journal, t.journal_bodies.c.salt, t.journal_bodies.c.body).select_from(joined)
    chain = ""
    for row in connection.execute(query.order_by(t.journal.c.seq)):
        told = None if row.salt is None else hashlib.sha256((row.salt + row.body).encode("utf-8", "surrogatepass"))
        chain = chained(chain, row.at, Line(row.link, row.kind, row.item, ""), row.digest)
        if chain != row.chain or (told and told.hexdigest() != row.digest):
            return int(row.seq)
    return None
