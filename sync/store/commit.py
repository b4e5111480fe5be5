"""Writing a plan into the tables: what was learnt and what is intended, in one transaction before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, replace
from datetime import datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa

from mappings.fields import Spelling
from mappings.model import Native, Record, Ref
from sync.merging.merge import Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Action, Adopt, Notify, Open, Plan, Reword, Say, Show, Unmark, Write
from sync.state import Held, LinkState, Order, OwnRemark, Seen
from sync.store import copies, journal, strokes
from sync.store import tables as t
from sync.store.database import insert_new, upsert

#: what stays as it is of something held that is judged anew
JUDGED = ("since", "tries", "tried")
#: stands for the talk of an item whose tracker shows none, once its discussion was read
HEARD = "heard"


def ensure_link(connection: sa.Connection, link: LinkState, now: datetime) -> int:
    """The link's id; an item that no link held opens one."""
    if link.id:
        return link.id
    id = new_link(connection, link.key, link.source, now)
    for item in link.items:
        connection.execute(item_update(item.ref).values(link=id))
        take_along(connection, id, item.ref)
    if link.aside:
        connection.execute(sa.update(t.links).where(t.links.c.id == id).values(aside=sorted(link.aside)))
    return id


def new_link(connection: sa.Connection, key: str, source: Ref, now: datetime) -> int:
    row = {"key": key, "source_tracker": source.tracker, "source_id": source.id, "opened": now, "before": ""}
    return int(connection.execute(sa.insert(t.links).values(row).returning(t.links.c.id)).scalar_one())


def take_along(connection: sa.Connection, link: int, ref: Ref) -> None:
    """What was said on an item, and what was opened from it, goes with it into another link: a route opens from an item
    once, wherever it is, and what it heard before is history there."""
    said = (t.comments.c.tracker == ref.tracker, t.comments.c.item == ref.id)
    connection.execute(sa.update(t.comments).where(*said).values(link=link))
    opened = (t.intents.c.kind == "open", t.intents.c.tracker == ref.tracker, t.intents.c.item == ref.id)
    connection.execute(sa.update(t.intents).where(*opened).values(link=link))


def item_update(ref: Ref) -> sa.Update:
    return sa.update(t.items).where(t.items.c.tracker == ref.tracker, t.items.c.id == ref.id)


def remember_records(connection: sa.Connection, link: LinkState, seen: Seen, plan: Plan, now: datetime) -> None:
    """What was seen of the items: the version decided on, key, assignee, when its discussion was read. Of an item that
    was restored from a backup our own last write is forgotten too."""
    for ref in plan.settlement.receded:
        connection.execute(item_update(ref).values(acked=-1))
    for item in link.items:
        record = seen.records.get(item.ref)
        if record is None or item.ref in plan.settlement.unbelieved:
            continue
        talk = {"talk": record.talk or HEARD, "heard": now} if item.ref in seen.comments else {}
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
    known = [{"tracker": c.item.tracker, "id": c.id, "link": link, "item": c.item.id} for c in settled.known]
    insert_new(connection, t.comments, known)
    upsert(connection, t.comments, [copies.version_row(link, origin, version) for origin, version in settled.versions])
    for key, _, id in settled.copies:
        if id and key.origin.tracker:
            copies.forget_token(connection, key, id)
    upsert(connection, t.copies, [copies.copy_row(link, key, replace(copy, id=id)) for key, copy, id in settled.copies])
    insert_new(connection, t.movements, [{"link": link, **asdict(m)} for m in settled.movements])
    insert_new(connection, t.firings, [{"link": link, **asdict(f)} for f in settled.firings])
    insert_new(connection, t.remarks, [remark_row(link, remark) for remark in settled.remarks])
    upsert(connection, t.orders, [order_row(link, order) for order in settled.orders])
    fulfil(connection, settled.fulfilled)
    for key, copy, _ in settled.copies:
        if copy.outcome == "done":
            copies.forget_said(connection, key)
    strokes.keep(connection, link, settled.strokes, now)
    settle_holds(connection, link, plan)
    for ref, gone_their_way in settled.left:
        connection.execute(item_update(ref).values(left=gone_their_way))
    settle_head(connection, link, plan, now)


def remark_row(link: int, remark: OwnRemark) -> dict[str, Any]:
    place = {"link": link, "tracker": remark.ref.tracker, "item": remark.ref.id}
    called = [astuple(one) for one in remark.mention]
    words = {"channel": remark.channel, "text": remark.text, "reason": remark.reason, "mention": called}
    return {**place, "id": remark.id, **words}


def order_row(link: int, order: Order) -> dict[str, Any]:
    place = {"tracker": order.ref.tracker if order.ref else "", "item": order.ref.id if order.ref else ""}
    said = {"kind": order.kind, "side": order.side, "value": order.value, "reason": order.reason, "was": order.was}
    return {"id": order.id, "link": link, **said, **place}


def fulfil(connection: sa.Connection, ids: Iterable[str]) -> None:
    """Forgets orders that need nothing more."""
    for id in ids:
        connection.execute(sa.delete(t.orders).where(t.orders.c.id == id))


def settle_holds(connection: sa.Connection, link: int, plan: Plan) -> None:
    for ref, what in plan.settlement.releases:
        release(connection, ref, what)
    upsert(connection, t.held, [held_row(link, held) for held in plan.settlement.holds], keep=JUDGED)


def held_row(link: int, held: Held) -> dict[str, Any]:
    """What is set aside; ``link`` is 0 for an item that no link holds."""
    return {
        "tracker": held.ref.tracker,
        "id": held.ref.id,
        "what": held.what,
        "link": link or None,
        "reason": held.reason,
        "advice": held.advice,
        "since": held.since,
        "retry": held.retry,
        "fingerprint": held.fingerprint,
        "tries": held.tries,
        "tried": held.tried,
    }


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
    if settled.aside is not None:
        values["aside"] = sorted(settled.aside)
    if settled.lead is not None:
        values |= {"lead_tracker": settled.lead.tracker, "lead_id": settled.lead.id}
    connection.execute(sa.update(t.links).where(t.links.c.id == link).values(**values))
    keep_route(connection, link, route_of(plan))


def keep_route(connection: sa.Connection, link: int, route: str) -> None:
    """The first route that opened or paired something in a link is its own."""
    if route:
        none_yet = (t.links.c.id == link, t.links.c.route == "")
        connection.execute(sa.update(t.links).where(*none_yet).values(route=route))


def route_of(plan: Plan) -> str:
    """The route by which the plan opens or pairs a counterpart, or follows the item alone."""
    opened = (action.route for action in plan.actions if isinstance(action, Open))
    paired = (joining.route for joining in plan.settlement.joins if not joining.link)
    return next(chain(opened, paired, (plan.settlement.follows,)), "")


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


def settle_intent(connection: sa.Connection, intent: int, outcome: str, now: datetime) -> None:
    connection.execute(sa.update(t.intents).where(t.intents.c.id == intent).values(outcome=outcome, settled=now))
    if outcome == "failed":
        strokes.forget_intent(connection, intent)


def intend(connection: sa.Connection, link: int, plan: Plan, now: datetime) -> dict[int, int]:
    """An intent for every action, by the action's place in the plan. A copy's own row is its intent: unsure, or with
    a version that is on its way, until the answer is there."""
    intents: dict[int, int] = {}
    for place, action in enumerate(plan.actions):
        if isinstance(action, Say):
            upsert(connection, t.copies, [copies.copy_row(link, action.copy, copies.said_as(action, "unsure", now))])
        elif isinstance(action, Reword):
            connection.execute(copies.reword_row(action).values(sent=action.version, at=now))
        elif isinstance(action, Notify):
            row = {"key": action.key, "link": link, "kind": action.kind, "payload": payload_of(action), "at": now}
            insert_new(connection, t.outbox, [{**row, "tries": 0, "outcome": "", "error": ""}])
        else:
            intents[place] = insert_intent(connection, link, action, now)
        if isinstance(action, Write):
            remember_sent(connection, action)
        strokes.keep(connection, link, strokes.of_action(action, intents.get(place, 0), now), now)
    return intents


def insert_intent(
    connection: sa.Connection, link: int, action: Adopt | Open | Show | Unmark | Write, now: datetime
) -> int:
    ref = action.source if isinstance(action, Open) else action.ref
    values = {
        "link": link,
        "kind": type(action).__name__.lower(),
        "tracker": ref.tracker,
        "item": ref.id,
        "key": action.draft.mark.made if isinstance(action, Open) else "",
        "route": action.begun_as if isinstance(action, Open) else "",
        "payload": payload_of(action),
        "at": now,
        "outcome": "",
    }
    return int(connection.execute(sa.insert(t.intents).values(values).returning(t.intents.c.id)).scalar_one())


def payload_of(action: Adopt | Open | Show | Unmark | Write | Notify) -> Mapping[str, Any]:
    """What settling needs after a crash. Never the text of a comment."""
    match action:
        case Open():
            return {
                "side": action.side,
                "fields": dict(action.draft.fields),
                "serials": dict(action.serials),
                "keys": action.draft.mark.keys(),
                "task": action.task,
                "tasks": action.tasks,
            }
        case Show():
            return {"side": action.side, "keys": action.mark.keys(), "key": action.source_key, "url": action.source_url}
        case Write():
            return {"fields": sorted(action.wanted)}
        case Notify():
            about = [*astuple(action.about)[:3], action.about.since.isoformat()] if action.about else []
            said = {"to": action.to, "cc": action.cc, "subject": action.subject, "text": action.text}
            shown = {"thread": action.thread, "first": action.first, "facts": action.facts, "links": action.links}
            return {**said, **shown, "data": action.data, "about": about}
    return {}


def lines_of(plan: Plan, link: LinkState) -> Iterator[journal.Line]:
    """The journal's account of a plan."""
    settled = plan.settlement
    for name, agreed in settled.agreed.items():
        by = f" by {agreed.by}" if agreed.by else ""
        told = f"{name} = {journal.worded(agreed.value)}{by} (agreement {agreed.serial})"
        yield journal.Line(link.key, "agreed", plan.title, told)
    for name, side, value in settled.conflicts:
        told = f"{side} said {name} = {journal.worded(value)}; it did not stand"
        yield journal.Line(link.key, "conflict", plan.title, told)
    if settled.lead is not None:
        yield journal.Line(link.key, "lead", str(settled.lead), "speaks for its side from now on")
    for ref, gone_their_way in settled.left:
        said = "closed by its own people: given no more stages" if gone_their_way else "open again"
        yield journal.Line(link.key, "left", str(ref), said)
    for firing in settled.firings:
        told = f"rule {firing.rule}, step {firing.step}, episode {firing.episode}: {firing.outcome}"
        yield journal.Line(link.key, "fire", plan.title, told)
    for hold in settled.holds:
        yield journal.Line(link.key, "held", str(hold.ref), f"{hold.what}: {hold.reason}")
    for ref, what in settled.releases:
        yield journal.Line(link.key, "released", str(ref), what)
    for joining in settled.joins:
        yield journal.Line(link.key, "joined", str(joining.ref), f"{joining.how}, into link {joining.link or link.key}")
    for action in plan.actions:
        yield journal.Line(link.key, type(action).__name__.lower(), name_of(action), action.reason)


def name_of(action: Action) -> str:
    match action:
        case Open():
            return f"{action.side} from {action.source}"
        case Notify():
            return f"{action.kind}"
    return str(action.ref)
