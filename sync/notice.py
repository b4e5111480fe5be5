"""Notice: what may have moved. Pages of the change queries are reduced to references in the dirty table, in the
transaction that moves the cursor: a crash loses nothing, a poisoned item holds up nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from connectors.base import Failure
from mappings.model import Record, Ref
from sync.engine import Engine


@dataclass
class Noticed:
    """Records that came whole with the change queries, the trackers that failed, the sides read to their end now,
    and those whose first reading is not complete yet."""

    records: dict[Ref, Record] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)


def notice(engine: Engine, *, sweep: bool = False) -> Noticed:
    """Asks every tracker what changed, trackers side by side; in a sweep, what changed since the sweep before: a
    search index may have been later than the overlap."""
    noticed = Noticed(failures=dict(engine.closed))
    trackers = [name for name in engine.connectors if name not in engine.closed]
    for part in engine.each(lambda name: notice_tracker(engine, name, sweep), trackers):
        noticed.records |= part.records
        noticed.failures |= part.failures
        noticed.complete |= part.complete
    noticed.incomplete = set(engine.setup.sides) - noticed.complete
    noticed.incomplete -= {side for side in noticed.incomplete if engine.store.cursor(side)[1]}
    return noticed


def notice_tracker(engine: Engine, tracker: str, sweep: bool) -> Noticed:
    """Every side of one tracker; what was read before a failure is kept."""
    noticed = Noticed()
    try:
        for side in engine.setup.sides_in(tracker):
            noticed.records |= notice_side(engine, side.name, sweep)
            noticed.complete.add(side.name)
    except Failure as failure:
        structlog.get_logger().warning("tracker failed", action="notice", tracker=tracker, reason=str(failure))
        noticed.failures[tracker] = failure
    return noticed


def notice_side(engine: Engine, side: str, sweep: bool) -> dict[Ref, Record]:
    """One side from its cursor to the tracker's own end mark. Returns the records of what is news."""
    cursor, complete = engine.store.cursor(side)
    if sweep and complete:
        cursor = engine.store.swept(side, cursor)
    first = not complete
    records: dict[Ref, Record] = {}
    for page in engine.connector(side).changes(engine.scope(side), cursor):
        if complete and not page.notices and page.cursor == cursor:
            continue
        complete = complete or page.last
        news = engine.store.notice(side, page.notices, page.cursor, complete=complete, first=first)
        in_hand = {n.ref: n.record for n in page.notices if n.record is not None}
        records |= {ref: in_hand[ref] for ref in news if ref in in_hand}
    return records
