"""Writing a plan into the tables: what was learnt and what is intended, in one transaction before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mappings.fields import Spelling
from mappings.model import Native, Record, Ref
from sync.merge import Echo
from sync.plan import Action, Adopt, Notify, Open, Plan, Say, Show, Write
from sync.state import CopyKey, LinkState, OwnRemark, Seen
from sync.status import STAGE, spelled
from sync.store import journal
from sync.store import tables as t
from sync.store.database import insert_new, upsert

#: stands for the talk of an item whose tracker shows none, once its discussion was read
HEARD = "heard"


def ensure_link(connection: sa.Connection, link: LinkState, now: datetime) -> int:
    """The link's id; an item that no link held opens one."""
    if link.id:
        return link.id
    id = new_link(connection, link.key, link.source, now)
    for item in link.items:
        connection.execute(item_update(item.ref).values(link=id))
    return id


def new_link(connection: sa.Connection, key: str, source: Ref, now: datetime) -> int:
    row = {"key": key, "source_tracker": source.tracker, "source_id": source.id, "opened": now, "before": ""}
    return int(connection.execute(sa.insert(t.links).values(row).returning(t.links.c.id)).scalar_one())


def item_update(ref: Ref) -> sa.Update:
    return sa.update(t.items).where(t.items.c.tracker == ref.tracker, t.items.c.id == ref.id)


def remember_records(connection: sa.Connection, link: LinkState, seen: Seen) -> None:
    """What was seen of the items: the version decided on, key, assignee, whether it is gone."""
    for item in link.items:
        record = seen.records.get(item.ref)
        if record is None:
            continue
        talk = {"talk": record.talk or HEARD} if item.ref in seen.comments else {}
        if (item.version, item.key, item.assignee) != (record.version, record.key, record.assignee) or talk:
            connection.execute(item_update(item.ref).values(**record_columns(record), **talk))


def record_columns(record: Record) -> dict[str, Any]:
    return {
        "key": record.key,
        "url": record.url,
        "version": record.version,
        "assignee": record.assignee,
        "mark": record.mark.instance if record.mark else "",
    }


def settle_plan(connection: sa.Connection, link: int, plan: Plan, now: datetime) -> None:
    """The settlements of a plan."""
    settled = plan.settlement
    upsert(connection, t.agreed, [{"link": link, "name": n, **asdict(a)} for n, a in settled.agreed.items()])
    write_echoes(connection, settled.echoes)
    insert_new(connection, t.comments, [{"tracker": c.item.tracker, "id": c.id, "link": link} for c in settled.known])
    upsert(connection, t.copies, [copy_row(link, key, copy.outcome, copy.at, id) for key, copy, id in settled.copies])
    insert_new(connection, t.movements, [{"link": link, **asdict(m)} for m in settled.movements])
    insert_new(connection, t.firings, [{"link": link, **asdict(f)} for f in settled.firings])
    insert_new(connection, t.remarks, [remark_row(link, remark) for remark in settled.remarks])
    for key, copy, _ in settled.copies:
        if copy.outcome == "done":
            forget_said(connection, key)
    settle_holds(connection, link, plan)
    settle_head(connection, link, plan, now)


def remark_row(link: int, remark: OwnRemark) -> dict[str, Any]:
    place = {"link": link, "tracker": remark.ref.tracker, "item": remark.ref.id}
    return {**place, "id": remark.id, "channel": remark.channel, "text": remark.text, "reason": remark.reason}


def settle_holds(connection: sa.Connection, link: int, plan: Plan) -> None:
    for ref, what in plan.settlement.releases:
        release(connection, ref, what)
    upsert(
        connection,
        t.held,
        [
            {
                "tracker": h.ref.tracker,
                "id": h.ref.id,
                "what": h.what,
                "link": link,
                "reason": h.reason,
                "advice": h.advice,
                "since": h.since,
                "retry": h.retry,
                "fingerprint": h.fingerprint,
            }
            for h in plan.settlement.holds
        ],
        keep=("since",),
    )


def release(connection: sa.Connection, ref: Ref, what: str) -> None:
    connection.execute(
        sa.delete(t.held).where(t.held.c.tracker == ref.tracker, t.held.c.id == ref.id, t.held.c.what == what)
    )


def settle_head(connection: sa.Connection, link: int, plan: Plan, now: datetime) -> None:
    """The link's own row: when it is due again, whether it is closed, where a pause returns to."""
    settled = plan.settlement
    due = min([d for d in (settled.due, plan.waiting) if d], default=None)
    values: dict[str, Any] = {"due": due}
    if settled.closed is not None:
        values["closed"] = now if settled.closed else None
    if settled.before is not None:
        values["before"] = settled.before
    connection.execute(sa.update(t.links).where(t.links.c.id == link).values(**values))


def write_echoes(connection: sa.Connection, echoes: Iterable[tuple[Ref, str, Echo]]) -> None:
    rows = [
        {
            "tracker": ref.tracker,
            "id": ref.id,
            "name": name,
            "spelling": echo.spelling,
            "serial": echo.serial,
            "sent": echo.sent,
        }
        for ref, name, echo in echoes
    ]
    upsert(connection, t.echoes, rows)


def remember_sent(connection: sa.Connection, write: Write) -> None:
    """What is on its way to an item: shown later without an answer, it is our own."""
    for name, natives in write.natives.items():
        state = name == STAGE and write.change.state is not None
        spelling = spelled(write.change.state or "") if state else spelling_of(natives, write.change.fields)
        mine = (t.echoes.c.tracker == write.ref.tracker, t.echoes.c.id == write.ref.id, t.echoes.c.name == name)
        connection.execute(sa.update(t.echoes).where(*mine).values(sent=spelling))


def spelling_of(natives: Iterable[str], fields: Mapping[str, Native]) -> Spelling:
    return tuple((native, fields.get(native)) for native in natives)


def forget_said(connection: sa.Connection, key: CopyKey) -> None:
    """A remark of our own whose every part is said needs its text no longer."""
    if key.origin.tracker:
        return
    parts = (
        t.copies.c.origin_tracker == "",
        t.copies.c.origin_id == key.origin.id,
        t.copies.c.target_tracker == key.target.tracker,
        t.copies.c.target_id == key.target.id,
    )
    if connection.scalar(sa.select(sa.func.count()).where(*parts, t.copies.c.outcome != "done")) == 0:
        mine = (t.remarks.c.id == key.origin.id, t.remarks.c.tracker == key.target.tracker)
        connection.execute(sa.delete(t.remarks).where(*mine, t.remarks.c.item == key.target.id))


def settle_intent(connection: sa.Connection, intent: int, outcome: str, now: datetime) -> None:
    connection.execute(sa.update(t.intents).where(t.intents.c.id == intent).values(outcome=outcome, settled=now))


def copy_row(link: int, key: CopyKey, outcome: str, at: datetime, copy_id: str = "") -> dict[str, Any]:
    return {
        "origin_tracker": key.origin.tracker,
        "origin_id": key.origin.id,
        "target_tracker": key.target.tracker,
        "target_id": key.target.id,
        "part": key.part,
        "link": link,
        "outcome": outcome,
        "at": at,
        "copy_id": copy_id or None,
    }


def intend(connection: sa.Connection, link: int, plan: Plan, now: datetime) -> dict[int, int]:
    """An intent for every action, by the action's place in the plan. A copy's own row is its intent: unsure until
    the answer is there."""
    intents: dict[int, int] = {}
    for place, action in enumerate(plan.actions):
        if isinstance(action, Say):
            upsert(connection, t.copies, [copy_row(link, action.copy, "unsure", now)])
        elif isinstance(action, Notify):
            row = {"key": action.key, "link": link, "kind": action.kind, "payload": payload_of(action), "at": now}
            insert_new(connection, t.outbox, [{**row, "tries": 0, "outcome": "", "error": ""}])
        else:
            intents[place] = insert_intent(connection, link, action, now)
        if isinstance(action, Write):
            remember_sent(connection, action)
    return intents


def insert_intent(connection: sa.Connection, link: int, action: Adopt | Open | Show | Write, now: datetime) -> int:
    ref = action.source if isinstance(action, Open) else action.ref
    values = {
        "link": link,
        "kind": type(action).__name__.lower(),
        "tracker": ref.tracker,
        "item": ref.id,
        "key": action.draft.mark.made if isinstance(action, Open) else "",
        "route": action.route if isinstance(action, Open) else "",
        "payload": payload_of(action),
        "at": now,
        "outcome": "",
    }
    return int(connection.execute(sa.insert(t.intents).values(values).returning(t.intents.c.id)).scalar_one())


def payload_of(action: Adopt | Open | Show | Write | Notify) -> Mapping[str, Any]:
    """What settling needs after a crash. Never the text of a comment."""
    match action:
        case Open():
            return {
                "side": action.side,
                "fields": dict(action.draft.fields),
                "serials": dict(action.serials),
                "keys": action.draft.mark.keys(),
            }
        case Show():
            return {"side": action.side, "keys": action.mark.keys(), "key": action.source_key, "url": action.source_url}
        case Write():
            return {"fields": sorted(action.wanted)}
        case Notify():
            return {"to": action.to, "cc": action.cc, "subject": action.subject, "text": action.text}
    return {}


def lines_of(plan: Plan, link: LinkState) -> Iterator[journal.Line]:
    """The journal's account of a plan."""
    settled = plan.settlement
    for name, agreed in settled.agreed.items():
        by = f" by {agreed.by}" if agreed.by else ""
        yield journal.Line(link.key, "agreed", plan.title, f"{name} = {agreed.value!r}{by} (agreement {agreed.serial})")
    for name, side, value in settled.conflicts:
        yield journal.Line(link.key, "conflict", plan.title, f"{side} said {name} = {value!r}; it did not stand")
    for firing in settled.firings:
        told = f"rule {firing.rule}, step {firing.step}, episode {firing.episode}: {firing.outcome}"
        yield journal.Line(link.key, "fire", plan.title, told)
    for hold in settled.holds:
        yield journal.Line(link.key, "held", str(hold.ref), f"{hold.what}: {hold.reason}")
    for ref, what in settled.releases:
        yield journal.Line(link.key, "released", str(ref), what)
    for action in plan.actions:
        yield journal.Line(link.key, type(action).__name__.lower(), name_of(action), action.reason)


def name_of(action: Action) -> str:
    match action:
        case Open():
            return f"{action.side} from {action.source}"
        case Notify():
            return f"{action.kind}"
    return str(action.ref)
