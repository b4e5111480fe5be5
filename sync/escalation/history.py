"""When items moved, as their trackers' own histories tell: read in batches for the items whose state or assignee
changed, and for no others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import structlog

from connectors.base import Failure
from mappings.model import Moved, Record, Ref
from sync.engine import Engine
from sync.merging.status import STAGE, spelled
from sync.state import Item, LinkState


def histories(
    engine: Engine, links: Iterable[LinkState], records: Mapping[Ref, Record | None]
) -> dict[Ref, tuple[Moved, ...]]:
    """The moves of each item since it was last decided on. What cannot be read now is timed by its record instead."""
    changed: dict[str, list[tuple[Record, int]]] = defaultdict(list)
    for link in links:
        for item in link.items if link.id else ():
            record = records.get(item.ref)
            if record is not None and has_moved(item, record) and item.side in engine.setup.sides:
                changed[item.side].append((record, item.version))

    def read(side: str) -> Mapping[Ref, tuple[Moved, ...]]:
        tracker = engine.side(side).tracker
        try:
            found = engine.connector(side).history(engine.scope(side), changed[side])
        except Failure as failure:
            structlog.get_logger().warning("no history", action="history", tracker=tracker, reason=str(failure))
            return {}
        return {Ref(tracker, id): moves for id, moves in found.items() if moves}

    return {ref: moves for found in engine.each(read, changed) for ref, moves in found.items()}


def has_moved(item: Item, record: Record) -> bool:
    """Whether its people changed its state or assignee since the last look. One that was never looked at began with
    its link."""
    echo = item.echoes.get(STAGE)
    states = (echo.spelling, echo.sent) if echo else ()
    return item.version > 0 and bool(echo) and (item.assignee != record.assignee or spelled(record.state) not in states)
