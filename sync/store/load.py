"""Reading links out of the tables, in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mappings.banner import link_key
from mappings.mentions import Mention
from mappings.model import Mark, Ref
from sync.merging.merge import Agreed, Echo
from sync.state import (
    Copy,
    CopyKey,
    Creation,
    Firing,
    Held,
    Item,
    LinkState,
    Movement,
    Order,
    Origin,
    OwnRemark,
    Version,
)
from sync.store import strokes
from sync.store import tables as t
from sync.store.database import among, chunks

#: what is read of a link, by its id
PARTS = (t.items, t.agreed, t.comments, t.copies, t.movements, t.firings, t.held, t.remarks, t.orders, t.strokes)
#: how an item came that is shown with its parent's link and never counted
TASK = "task"


def refs_where(table: sa.Table, refs: Collection[Ref]) -> sa.ColumnElement[bool]:
    """A condition that picks items; one IN list a tracker."""
    by_tracker: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        by_tracker[ref.tracker].append(ref.id)
    clauses = [sa.and_(table.c.tracker == name, among(table.c.id, ids)) for name, ids in by_tracker.items()]
    return sa.or_(sa.false(), *clauses)


def grouped(connection: sa.Connection, table: sa.Table, ids: Sequence[int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(sa.select(table).where(among(table.c.link, ids))):
        rows[row.link].append(row)
    return rows


def load_links(connection: sa.Connection, ids: Sequence[int]) -> list[LinkState]:
    """The links of these ids, whole."""
    if not ids:
        return []
    parts = {table.name: grouped(connection, table, ids) for table in PARTS}
    refs = [Ref(row.tracker, row.id) for rows in parts["items"].values() for row in rows]
    echoes = load_echoes(connection, refs)
    creations = load_creations(connection, ids)
    armed = {row.id: row.armed for row in connection.execute(sa.select(t.rules))}
    paused = frozenset(connection.scalars(sa.select(t.pauses.c.what)))
    heads = connection.execute(sa.select(t.links).where(among(t.links.c.id, ids)).order_by(t.links.c.id))
    links = [link_of(head, parts, echoes, creations, armed) for head in heads]
    return [replace(link, paused=f"link:{link.key}" in paused) for link in links]


def without_strays(link: LinkState, sides: Collection[str]) -> LinkState:
    """The link as the file sees it: items of sides that are in it no more stand apart, with what is held of them and
    what was to be said on them. Where the one that opened the link is among them, the oldest left stands for it."""
    strays = tuple(item for item in (*link.items, *link.tasks) if item.side not in sides)
    if not strays:
        return link
    refs = {item.ref for item in strays}
    items = tuple(item for item in link.items if item.ref not in refs)
    return replace(
        link,
        items=items,
        tasks=tuple(item for item in link.tasks if item.ref not in refs),
        strays=strays,
        source=items[0].ref if items and link.source in refs else link.source,
        lead=None if link.lead in refs else link.lead,
        held=tuple(held for held in link.held if held.ref not in refs),
        copies={key: copy for key, copy in link.copies.items() if key.target not in refs},
        remarks=tuple(own for own in link.remarks if own.ref not in refs),
    )


def load_echoes(connection: sa.Connection, refs: Collection[Ref]) -> dict[Ref, dict[str, Echo]]:
    echoes: dict[Ref, dict[str, Echo]] = defaultdict(dict)
    for row in connection.execute(sa.select(t.echoes).where(refs_where(t.echoes, refs))):
        echoes[Ref(row.tracker, row.id)][row.name] = Echo(row.spelling, row.serial, row.sent)
    return echoes


def load_held(connection: sa.Connection, refs: Sequence[Ref]) -> dict[Ref, list[Held]]:
    """What is held of items that no link holds."""
    found: dict[Ref, list[Held]] = defaultdict(list)
    for chunk in chunks(refs):
        chosen = refs_where(t.held, chunk)
        for row in connection.execute(sa.select(t.held).where(chosen, t.held.c.link.is_(None))):
            found[Ref(row.tracker, row.id)].append(held_of(row))
    return found


def load_creations(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Creation]]:
    """The latest creation of each key."""
    rows = connection.execute(
        sa.select(t.intents).where(among(t.intents.c.link, ids), t.intents.c.kind == "open").order_by(t.intents.c.id)
    )
    latest: dict[int, dict[str, Creation]] = defaultdict(dict)
    for row in rows:
        latest[row.link][row.key] = Creation(row.key, row.route, row.at, row.outcome)
    return {link: list(found.values()) for link, found in latest.items()}


def link_of(
    head: Any,
    parts: dict[str, dict[int, list[Any]]],
    echoes: dict[Ref, dict[str, Echo]],
    creations: dict[int, list[Creation]],
    armed: dict[str, datetime],
) -> LinkState:
    """One link from its rows."""

    def rows(name: str) -> list[Any]:
        return parts[name].get(head.id, [])

    items = sorted(rows("items"), key=lambda r: (r.created, r.tracker, r.id))
    members = [item_of(row, echoes.get(Ref(row.tracker, row.id), {})) for row in items]
    return LinkState(
        id=head.id,
        key=head.key,
        source=Ref(head.source_tracker, head.source_id),
        items=tuple(member for member in members if member.joined != TASK),
        tasks=tuple(member for member in members if member.joined == TASK),
        agreed={r.name: Agreed(r.value, r.serial, r.by, r.map) for r in rows("agreed")},
        before=head.before,
        opened=head.opened,
        closed=head.closed,
        copies={copy_key(r): copy_of(r) for r in rows("copies")},
        known=frozenset(Origin(r.tracker, r.id) for r in rows("comments")),
        versions={
            Origin(r.tracker, r.id): Version(r.item, r.digest, r.changed, r.gone) for r in rows("comments") if r.changed
        },
        movements=tuple(
            sorted(
                (moved_of(r) for r in rows("movements")),
                key=lambda m: (m.at, m.event),
            )
        ),
        firings=tuple(Firing(r.rule, r.episode, r.step, r.at, r.outcome, tuple(r.told)) for r in rows("firings")),
        held=tuple(held_of(r) for r in rows("held")),
        creations=tuple(creations.get(head.id, ())),
        remarks=tuple(own_remark(r) for r in rows("remarks")),
        armed=armed,
        lead=Ref(head.lead_tracker, head.lead_id) if head.lead_id else None,
        route=head.route,
        aside=frozenset(head.aside),
        orders=tuple(sorted((order_of(r) for r in rows("orders")), key=lambda order: order.id)),
        strokes=tuple(sorted((strokes.of_row(r) for r in rows("strokes")), key=lambda stroke: (stroke.at, stroke.key))),
    )


def item_of(row: Any, echoes: dict[str, Echo]) -> Item:
    mark = Mark(row.mark) if row.mark else None
    ref = Ref(row.tracker, row.id)
    return Item(
        ref=ref,
        side=row.side,
        key=row.key,
        version=row.version,
        echoes=echoes,
        assignee=row.assignee,
        mark=mark,
        gone=row.gone,
        rebuilt=row.rebuilt,
        talk=row.talk,
        acked=row.acked,
        left=row.left,
        joined=row.joined,
        came=row.came,
        created=row.created,
    )


def copy_key(row: Any) -> CopyKey:
    origin = Origin(row.origin_tracker, row.origin_id)
    return CopyKey(origin, Ref(row.target_tracker, row.target_id), row.part)


def copy_of(row: Any) -> Copy:
    return Copy(row.outcome, row.at, row.copy_id or "", row.digest, row.sent, row.channel)


def held_of(row: Any) -> Held:
    ref = Ref(row.tracker, row.id)
    return Held(ref, row.what, row.reason, row.advice, row.since, row.retry, row.fingerprint, row.tries, row.tried)


def prospective(instance: str, row: Any) -> LinkState:
    """An item that no link holds, as the link it would open."""
    ref = Ref(row.tracker, row.id)
    item = item_of(row, {})
    return LinkState(0, link_key(instance, ref), ref, (item,), old=row.old, aside=frozenset(row.aside))


def order_of(row: Any) -> Order:
    ref = Ref(row.tracker, row.item) if row.tracker else None
    return Order(row.id, row.kind, row.side, row.value, row.reason, ref, row.was)


def own_remark(row: Any) -> OwnRemark:
    called = tuple(Mention(*one) for one in row.mention)
    return OwnRemark(row.id, Ref(row.tracker, row.item), row.channel, row.text, row.reason, called)


def moved_of(row: Any) -> Movement:
    return Movement(
        row.event, row.kind, row.at, row.stage, row.move, row.party, row.word, row.until, row.item, row.author
    )
