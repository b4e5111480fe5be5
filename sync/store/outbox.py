"""Mails, cards and webhooks' messages that wait to be sent, and what each recipient gets when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sync.escalation.digest import HOUR, Delivery, Past, Wanted
from sync.store import tables as t
from sync.store.database import insert_new, upsert

#: who got what is needed for an hour, to spare them
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message of a link (0: about Lockstep itself) for some of its recipients, each with how often it was tried."""

    key: str
    link: int
    kind: str
    payload: Mapping[str, Any]
    recipients: tuple[Wanted, ...]
    tries: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes out as one message: one notice for all who get it now (``key`` is its own), or several that one
    recipient gets together."""

    key: str
    messages: tuple[Outgoing, ...]

    @property
    def recipients(self) -> tuple[Wanted, ...]:
        return self.messages[0].recipients


def unshared(connection: sa.Connection, now: datetime) -> list[Wanted]:
    """The messages and recipients for which it is not settled yet when and in what they go out, oldest first."""
    known = sa.exists().where(t.deliveries.c.key == t.outbox.c.key)
    new = connection.execute(sa.select(t.outbox).where(t.UNSENT, ~known).order_by(t.outbox.c.at, t.outbox.c.key)).all()
    joined = sa.select(t.deliveries, t.outbox.c.link, t.outbox.c.at).join(t.outbox)
    again = joined.where(t.UNDELIVERED, t.deliveries.c.sheaf == "", t.deliveries.c.due <= now)
    rows = connection.execute(again.order_by(t.outbox.c.at, t.outbox.c.key)).all()
    found = [Wanted(r.key, r.kind, r.recipient, r.cc, r.link is None) for r in rows]
    return [*found, *(one for row in new for one in wanted(row))]


def wanted(row: Any) -> list[Wanted]:
    """Who is to get a message, each once."""
    own = row.link is None
    said = [(name, False) for name in row.payload.get("to", ())] + [(name, True) for name in row.payload.get("cc", ())]
    found: dict[str, Wanted] = {}
    for name, cc in said:
        found.setdefault(name.casefold(), Wanted(row.key, row.kind, name, cc, own))
    return list(found.values())


def pasts(connection: sa.Connection, now: datetime) -> dict[tuple[str, str], Past]:
    """What each recipient got in the last hour, or is about to get, and the sheaf that is being gathered for it."""
    known = t.deliveries.c
    columns = (known.kind, known.recipient, known.sheaf, known.due, known.begun)
    lately = sa.select(*columns, t.deliveries.c.settled).where(
        t.deliveries.c.settled > now - HOUR, t.deliveries.c.outcome == "sent"
    )
    going = sa.select(*columns, sa.null().label("settled")).where(t.UNDELIVERED, t.deliveries.c.sheaf != "")
    sent: dict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
    gathered: dict[tuple[str, str], tuple[str, datetime]] = {}
    for row in [*connection.execute(lately), *connection.execute(going)]:
        place = (row.kind, row.recipient.casefold())
        if row.settled is None and row.due > now and not row.begun:
            gathered[place] = (row.sheaf, row.due)
        else:
            sent[place][row.sheaf] = row.settled or now
    places = {*sent, *gathered}
    return {one: Past(tuple(sorted(sent[one].values())), *gathered.get(one, ("", None))) for one in places}


def share(connection: sa.Connection, deliveries: Iterable[Delivery]) -> None:
    """Who gets what when, before anything of it is sent."""
    rows = [
        {
            "key": one.wanted.key,
            "recipient": one.wanted.recipient,
            "kind": one.wanted.kind,
            "cc": one.wanted.cc,
            "sheaf": one.sheaf,
            "due": one.due,
            "begun": False,
            "tries": 0,
            "outcome": "",
            "settled": None,
            "error": "",
        }
        for one in deliveries
    ]
    upsert(connection, t.deliveries, rows, keep=("tries", "error", "cc", "kind"))


def parcels(connection: sa.Connection, now: datetime) -> list[Parcel]:
    """What goes out now, in the order in which it was committed. A notice that several people get by itself
    goes to them together."""
    due = sa.select(t.deliveries, t.outbox.c.link, t.outbox.c.payload).join(t.outbox)
    due = due.where(t.UNDELIVERED, t.deliveries.c.sheaf != "", t.deliveries.c.due <= now)
    rows = connection.execute(due.order_by(t.outbox.c.at, t.outbox.c.key, t.deliveries.c.cc)).all()
    held: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        held[row.sheaf].add(row.key)
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.sheaf if len(held[row.sheaf]) > 1 else row.key][row.key].append(row)
    return [Parcel(key, tuple(map(outgoing, messages.values()))) for key, messages in found.items()]


def outgoing(rows: Sequence[Any]) -> Outgoing:
    """A message from the rows of its recipients."""
    first = rows[0]
    who = tuple(Wanted(r.key, r.kind, r.recipient, r.cc, r.link is None, r.begun) for r in rows)
    return Outgoing(first.key, first.link or 0, first.kind, first.payload, who, max(r.tries for r in rows))


def put(
    connection: sa.Connection,
    key: str,
    kind: str,
    to: Sequence[str],
    subject: str,
    text: str,
    now: datetime,
    cc: Sequence[str] = (),
) -> None:
    """One about Lockstep itself or about many links, and so of no link."""
    payload = {"to": list(to), "cc": list(cc), "subject": subject, "text": text}
    row = {"key": key, "link": None, "kind": kind, "payload": payload, "at": now, "tries": 0}
    insert_new(connection, t.outbox, [{**row, "outcome": "", "error": ""}])


def begin(connection: sa.Connection, who: Iterable[Wanted]) -> None:
    """These are on their way: whatever becomes of it, they may have been taken."""
    known = t.deliveries.c
    for one in who:
        mine = (known.key == one.key, known.recipient == one.recipient)
        connection.execute(sa.update(t.deliveries).where(*mine).values(begun=True))


def put_off(connection: sa.Connection, who: Iterable[Wanted]) -> None:
    """These are shared out anew."""
    known = t.deliveries.c
    for one in who:
        mine = (known.key == one.key, known.recipient == one.recipient)
        connection.execute(sa.update(t.deliveries).where(*mine).values(sheaf=""))


def settle(
    connection: sa.Connection, who: Sequence[Wanted], outcome: str, at: datetime, error: str, *, taken: bool
) -> None:
    """How these deliveries went: ``sent`` or ``refused`` at an instant, or empty: shared out anew then, but where they
    may have been ``taken``: those go out again just as they are."""
    known = t.deliveries.c
    values: dict[str, Any] = {"outcome": outcome, "error": error, "tries": known.tries + 1}
    anew = {"due": at} if taken else {"sheaf": "", "due": at, "begun": False}
    values |= {"settled": at} if outcome else anew
    for one in who:
        mine = (known.key == one.key, known.recipient == one.recipient)
        connection.execute(sa.update(t.deliveries).where(*mine).values(**values))
    for key in dict.fromkeys(one.key for one in who):
        settle_message(connection, key)


def settle_message(connection: sa.Connection, key: str) -> None:
    """What became of the message as a whole; one that everybody got gives its text away."""
    rows = connection.execute(sa.select(t.deliveries).where(t.deliveries.c.key == key)).all()
    outcomes = {row.outcome for row in rows}
    outcome = "" if "" in outcomes else "refused" if "refused" in outcomes else "sent"
    error = "; ".join(dict.fromkeys(row.error for row in rows if row.error))
    values: dict[str, Any] = {"outcome": outcome, "error": error, "tries": max(row.tries for row in rows)}
    if outcome == "sent":
        values["payload"] = {}
    connection.execute(sa.update(t.outbox).where(t.outbox.c.key == key).values(**values))


def unsent(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Messages that failed, and those for which nothing was tried yet. One that waits for a digest or for the end of
    quiet hours has not failed."""
    waits = sa.exists().where(t.deliveries.c.key == t.outbox.c.key)
    failed = sa.or_(t.outbox.c.outcome == "refused", sa.and_(t.UNSENT, sa.or_(t.outbox.c.error != "", ~waits)))
    rows = connection.execute(sa.select(t.outbox).where(failed).order_by(t.outbox.c.at, t.outbox.c.key))
    return [(r.key, r.kind, r.error) for r in rows]


def stuck(connection: sa.Connection, since: datetime) -> list[tuple[str, str, datetime, str]]:
    """Key, kind, instant and last error of the messages that were committed before ``since`` and have not reached
    everybody."""
    query = sa.select(t.outbox).where(t.UNSENT, t.outbox.c.at < since).order_by(t.outbox.c.at)
    return [(r.key, r.kind, r.at, r.error) for r in connection.execute(query)]


def refused(connection: sa.Connection, since: datetime) -> list[tuple[str, str, str, str]]:
    """Key, kind, recipient and reason of the deliveries that were refused for good from then on."""
    late = (t.deliveries.c.outcome == "refused", t.deliveries.c.settled >= since)
    query = sa.select(t.deliveries).where(*late).order_by(t.deliveries.c.settled)
    return [(r.key, r.kind, r.recipient, r.error) for r in connection.execute(query)]


def forget(connection: sa.Connection, before: datetime) -> None:
    """Who got what before that instant is forgotten."""
    sent = (t.deliveries.c.outcome == "sent", t.deliveries.c.settled < before)
    gone = sa.select(t.outbox.c.key).where(t.outbox.c.outcome == "sent")
    connection.execute(sa.delete(t.deliveries).where(*sent, t.deliveries.c.key.in_(gone)))
