"""What people ask of a Lockstep that is at work: written by a command, worked at the next pass, answered in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync.store import tables as t

#: how requests end: done, or declined with what the person can do
DONE, DECLINED = "done", "declined"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for. ``kind`` says what is done, ``args`` with what; ``outcome`` is empty until it is worked,
    then ``done`` or ``declined``, and ``answer`` says so in words."""

    id: int
    kind: str
    args: tuple[Any, ...]
    by: str
    at: datetime
    outcome: str = ""
    answer: str = ""


def add(connection: sa.Connection, kind: str, args: tuple[Any, ...], by: str, at: datetime) -> int:
    row = {"kind": kind, "args": args, "by": by, "at": at, "outcome": "", "answer": ""}
    return int(connection.execute(sa.insert(t.requests).values(row).returning(t.requests.c.id)).scalar_one())


def unanswered(connection: sa.Connection) -> list[Request]:
    """What waits, oldest first."""
    query = sa.select(t.requests).where(t.requests.c.outcome == "").order_by(t.requests.c.id)
    return [request_of(row) for row in connection.execute(query)]


def find(connection: sa.Connection, id: int) -> Request:
    return request_of(connection.execute(sa.select(t.requests).where(t.requests.c.id == id)).one())


def answer(connection: sa.Connection, id: int, outcome: str, words: str, now: datetime) -> None:
    """How a request ended; what it was about is kept no longer than that."""
    values = {"outcome": outcome, "answer": words, "done": now, "args": ()}  # a plan file's document is not kept
    connection.execute(sa.update(t.requests).where(t.requests.c.id == id).values(**values))


def about(request: Request) -> str:
    """The items that were named; a document is none of the journal's business."""
    return " ".join(str(arg) for arg in request.args if len(str(arg)) <= t.ITEM_ROOM)


def request_of(row: Any) -> Request:
    return Request(row.id, row.kind, row.args, row.by, row.at, row.outcome, row.answer)
