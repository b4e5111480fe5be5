"""Notice: what may have moved. Pages of the change queries are reduced to references in the dirty table, in the
transaction that moves the cursor: a crash loses nothing, a poisoned item holds up nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from connectors.base import Failure, Gone, Journalled, Refused
from mappings.model import Record, Ref
from sync.engine import Engine
from sync.plan import Plan

#: sweeps come this much closer together than the file says, at the least: they are jittered
JITTERED = 0.9


@dataclass
class Noticed:
    """Records that came whole with the change queries, the side that each item was noticed for, the trackers that
    failed, the sides read to their end now, and those whose first reading is not complete yet. ``again``: items whose
    discussions are read again although nothing shows that they moved."""

    records: dict[Ref, Record] = field(default_factory=dict)
    sides: dict[Ref, str] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)
    again: frozenset[Ref] = frozenset()


def notice(engine: Engine, *, sweep: bool = False) -> Noticed:
    """Asks every tracker what changed, trackers side by side; in a sweep, what changed since the sweep before: a
    search index may have been later than the overlap."""
    noticed = Noticed(failures=dict(engine.closed))
    trackers = [name for name in engine.connectors if name not in engine.closed]
    for part in engine.each(lambda name: notice_tracker(engine, name, sweep), trackers):
        noticed.records |= part.records
        noticed.sides |= part.sides
        noticed.failures |= part.failures
        noticed.complete |= part.complete
    noticed.again = frozenset(rotation(engine)) if sweep else frozenset()
    noticed.incomplete = set(engine.setup.sides) - noticed.complete
    noticed.incomplete -= {side for side in noticed.incomplete if engine.store.cursor(side)[1]}
    return noticed


def rotation(engine: Engine) -> list[Ref]:
    """Where an edited comment moves nothing, the discussions that were read longest ago: as many a sweep as the file
    allows, and none twice between two sweeps."""
    silent = [name for name, c in engine.connectors.items() if c.rewords and not c.edits_show]
    if not silent or not engine.setup.reread:
        return []
    return engine.store.unheard_longest(silent, engine.now() - engine.setup.sweep, engine.setup.reread)


def notice_tracker(engine: Engine, tracker: str, sweep: bool) -> Noticed:
    """Every side of one tracker; what was read before a failure is kept. A project that is gone or hidden is its own
    side's failure: the tracker's other sides, and its items by their ids, are read all the same."""
    noticed = Noticed()
    for side in engine.setup.sides_in(tracker):
        try:
            claim(noticed, side.name, notice_side(engine, side.name, sweep))
            noticed.complete.add(side.name)
        except Failure as failure:
            structlog.get_logger().warning("tracker failed", action="notice", tracker=tracker, reason=str(failure))
            alone = isinstance(failure, Refused | Gone)
            noticed.failures[f"{tracker}: {side.name}" if alone else tracker] = failure
            if not alone:
                break
    if tracker not in noticed.failures:
        hear_of(engine, tracker, noticed)
    return noticed


def hear_of(engine: Engine, tracker: str, noticed: Noticed) -> None:
    """Where a comment moves no version of its item: one question more, for what was said. The first time, everything
    linked is looked at."""
    connector = engine.connectors[tracker]
    if not (isinstance(connector, Journalled) and connector.journal_apart):
        return
    if not engine.store.noted(f"journal apart {tracker}"):
        engine.store.note(f"journal apart {tracker}", True)
    name = f"journal at {tracker}"
    cursor = engine.store.noted(name) or ""
    try:
        ids, reached = connector.spoken([side.scope for side in engine.setup.sides_in(tracker)], cursor)
    except Failure as failure:
        structlog.get_logger().warning("tracker failed", action="notice", tracker=tracker, reason=str(failure))
        noticed.failures[tracker] = failure
        return
    engine.store.touch((ref, side, True) for ref, side in engine.store.linked(tracker, ids if cursor else None))
    if reached != cursor:
        engine.store.note(name, reached)


def claim(noticed: Noticed, side: str, news: Mapping[Ref, Record | None]) -> None:
    """What two sides of one tracker noticed belongs to the first in whose scope it is; a mark alone shows in both."""
    for ref, record in news.items():
        before = noticed.records.get(ref)
        if ref in noticed.sides and not (before and record and record.in_scope and not before.in_scope):
            continue
        noticed.sides[ref] = side
        if record is not None:
            noticed.records[ref] = record


def notice_side(engine: Engine, side: str, sweep: bool) -> dict[Ref, Record | None]:
    """One side from its cursor to the tracker's own end mark. Returns what is news, with its record where it came. The
    first reading is what the first sweep counts from."""
    stood, complete = engine.store.cursor(side)
    sweep = sweep and complete
    since = engine.now(), engine.setup.sweep * JITTERED
    cursor = reached = engine.store.sweep_start(side, stood, *since) if sweep else stood
    first = not complete
    exact = engine.connector(side).consecutive
    records: dict[Ref, Record | None] = {}
    for page in engine.connector(side).changes(engine.scope(side), cursor):
        if complete and not page.notices and page.cursor == cursor:
            continue
        complete, reached = complete or page.last, page.cursor
        news = engine.store.notice(side, page.notices, page.cursor, complete=complete, first=first, exact=exact)
        in_hand = {n.ref: n.record for n in page.notices}
        records |= {ref: in_hand[ref] for ref in news}
    if sweep or (first and complete):
        engine.store.swept(side, stood or reached, *since)
    return records


def look_again(engine: Engine, plans: Iterable[Plan]) -> None:
    """A tracker that was restored from a backup is read from its beginning once more: a cursor of its own may stand
    beyond all that it has, and would pass over what comes until it gets there."""
    for tracker in {ref.tracker for plan in plans for ref in plan.settlement.receded}:
        structlog.get_logger().warning("restored from a backup", action="notice", tracker=tracker)
        engine.store.rewind(side.name for side in engine.setup.sides_in(tracker))
