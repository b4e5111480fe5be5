"""Reading links out of the tables, in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mappings.banner import link_key
from mappings.model import Mark, Ref
from sync.merge import Agreed, Echo
from sync.state import Copy, CopyKey, Creation, Firing, Held, Item, LinkState, Movement, Origin, OwnRemark
from sync.store import tables as t


def refs_where(table: sa.Table, refs: Collection[Ref]) -> sa.ColumnElement[bool]:
    """A condition that picks items; one IN list a tracker."""
    by_tracker: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        by_tracker[ref.tracker].append(ref.id)
    clauses = [sa.and_(table.c.tracker == name, table.c.id.in_(ids)) for name, ids in by_tracker.items()]
    return sa.or_(sa.false(), *clauses)


def grouped(connection: sa.Connection, table: sa.Table, ids: Sequence[int]) -> dict[int, list[Any]]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(sa.select(table).where(table.c.link.in_(ids))):
        rows[row.link].append(row)
    return rows


def load_links(connection: sa.Connection, ids: Sequence[int]) -> list[LinkState]:
    """The links of these ids, whole."""
    if not ids:
        return []
    parts = {
        table.name: grouped(connection, table, ids)
        for table in (t.items, t.agreed, t.comments, t.copies, t.movements, t.firings, t.held, t.remarks)
    }
    refs = [Ref(row.tracker, row.id) for rows in parts["items"].values() for row in rows]
    echoes = load_echoes(connection, refs)
    creations = load_creations(connection, ids)
    armed = {row.id: row.armed for row in connection.execute(sa.select(t.rules))}
    heads = connection.execute(sa.select(t.links).where(t.links.c.id.in_(ids)).order_by(t.links.c.id))
    return [link_of(head, parts, echoes, creations, armed) for head in heads]


def load_echoes(connection: sa.Connection, refs: Collection[Ref]) -> dict[Ref, dict[str, Echo]]:
    echoes: dict[Ref, dict[str, Echo]] = defaultdict(dict)
    for row in connection.execute(sa.select(t.echoes).where(refs_where(t.echoes, refs))):
        echoes[Ref(row.tracker, row.id)][row.name] = Echo(row.spelling, row.serial, row.sent)
    return echoes


def load_creations(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Creation]]:
    """The latest creation of each key."""
    rows = connection.execute(
        sa.select(t.intents).where(t.intents.c.link.in_(ids), t.intents.c.kind == "open").order_by(t.intents.c.id)
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
    return LinkState(
        id=head.id,
        key=head.key,
        source=Ref(head.source_tracker, head.source_id),
        items=tuple(item_of(row, echoes.get(Ref(row.tracker, row.id), {})) for row in items),
        agreed={r.name: Agreed(r.value, r.serial, r.by) for r in rows("agreed")},
        before=head.before,
        opened=head.opened,
        closed=head.closed,
        copies={copy_key(r): Copy(r.outcome, r.at, r.copy_id or "") for r in rows("copies")},
        known=frozenset(Origin(r.tracker, r.id) for r in rows("comments")),
        movements=tuple(
            sorted(
                (Movement(r.event, r.kind, r.at, r.stage, r.move, r.party) for r in rows("movements")),
                key=lambda m: (m.at, m.event),
            )
        ),
        firings=tuple(Firing(r.rule, r.episode, r.step, r.at, r.outcome) for r in rows("firings")),
        held=tuple(held_of(r) for r in rows("held")),
        creations=tuple(creations.get(head.id, ())),
        remarks=tuple(OwnRemark(r.id, Ref(r.tracker, r.item), r.channel, r.text, r.reason) for r in rows("remarks")),
        armed=armed,
    )


def item_of(row: Any, echoes: dict[str, Echo]) -> Item:
    mark = Mark(row.mark) if row.mark else None
    ref = Ref(row.tracker, row.id)
    return Item(
        ref, row.side, row.key, row.version, echoes, row.assignee, mark, row.gone, row.rebuilt, row.talk, row.acked
    )


def copy_key(row: Any) -> CopyKey:
    origin = Origin(row.origin_tracker, row.origin_id)
    return CopyKey(origin, Ref(row.target_tracker, row.target_id), row.part)


def held_of(row: Any) -> Held:
    ref = Ref(row.tracker, row.id)
    return Held(ref, row.what, row.reason, row.advice, row.since, row.retry, row.fingerprint)


def prospective(instance: str, row: Any) -> LinkState:
    """An item that no link holds, as the link it would open."""
    ref = Ref(row.tracker, row.id)
    item = item_of(row, {})
    return LinkState(0, link_key(instance, ref), ref, (item,), old=row.old)
