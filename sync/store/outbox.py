"""Mails and cards that are to go out, and how they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync.store import tables as t
from sync.store.database import insert_new


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail or card that is not sent yet, of a link (0: about Lockstep itself)."""

    key: str
    link: int
    kind: str
    payload: Mapping[str, Any]
    tries: int


def waiting(connection: sa.Connection, now: datetime) -> list[Outgoing]:
    due = sa.or_(t.outbox.c.retry.is_(None), t.outbox.c.retry <= now)
    rows = connection.execute(sa.select(t.outbox).where(t.outbox.c.outcome == "", due).order_by(t.outbox.c.at))
    return [Outgoing(r.key, r.link or 0, r.kind, r.payload, r.tries) for r in rows]


def put(
    connection: sa.Connection, key: str, kind: str, to: Sequence[str], subject: str, text: str, now: datetime
) -> None:
    """One about Lockstep itself, and so of no link."""
    payload = {"to": list(to), "cc": [], "subject": subject, "text": text}
    row = {"key": key, "link": None, "kind": kind, "payload": payload, "at": now, "tries": 0}
    insert_new(connection, t.outbox, [{**row, "outcome": "", "error": ""}])


def settle(connection: sa.Connection, key: str, outcome: str, retry: datetime | None, error: str) -> None:
    """How one went; what was sent gives its text away."""
    values: dict[str, Any] = {"outcome": outcome, "retry": retry, "error": error, "tries": t.outbox.c.tries + 1}
    if outcome == "sent":
        values["payload"] = {}
    connection.execute(sa.update(t.outbox).where(t.outbox.c.key == key).values(**values))


def unsent(connection: sa.Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(sa.select(t.outbox).where(t.outbox.c.outcome != "sent"))
    return [(r.key, r.kind, r.error) for r in rows]
