"""Settling what a crash or a lost answer left open: creations are looked up before they are repeated, and a new
item's visible link to its source follows."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from connectors.base import Failure, Refused
from connectors.leave import with_leave
from mappings.model import Mark
from sync.engine import Engine
from sync.freezing.brake import stands_still
from sync.joining.rebuild import split_off
from sync.store import Begun

#: the tracker's clock may be behind ours by so much when it is asked for what was created since
CLOCKS = timedelta(days=1)


def settle_creations(engine: Engine, failures: dict[str, Failure]) -> datetime | None:
    """Looks for every creation whose answer was lost, once its tracker's search may be trusted: found, it joins its
    link; not found, it may be tried again. Returns from when the next one may be looked for."""
    waits: list[datetime] = []
    for begun in engine.store.unsettled_creations():
        if begun.side not in engine.setup.sides:
            continue
        tracker = engine.side(begun.side).tracker
        trusted = begun.since + engine.facts()[tracker].grace
        if engine.now() < trusted:
            waits.append(trusted)
        elif tracker not in engine.closed and tracker not in failures:
            try:
                look_up(engine, begun)
            except Failure as failure:
                failures[tracker] = failure
    return min(waits, default=None)


def look_up(engine: Engine, begun: Begun) -> None:
    connector, scope = engine.connector(begun.side), engine.scope(begun.side)
    mark = Mark.parse(scope.mark, begun.keys)
    found = connector.find_made(scope, mark, begun.at - CLOCKS)
    log = structlog.get_logger().bind(action="settle", route=begun.key, found=len(found))
    if found and split_off(engine, begun, found[0]):
        engine.store.settle_intent(begun.intent, "done", engine.now())
        log.info("creation found in another link", item=found[0].key)
    elif found:
        history = any(route.history for route in engine.setup.routes if route.opens == begun.side)
        engine.store.found_creation(begun, found[0], history=history, now=engine.now())
        log.info("creation found after a lost answer", item=found[0].key)
    else:
        engine.store.settle_intent(begun.intent, "failed", engine.now())
        engine.store.touch_link(begun.link)
        log.info("creation did not happen, it is tried again")


def show_sources(engine: Engine, failures: dict[str, Failure]) -> None:
    """Leaves the visible link on items that were created; repeating it changes nothing."""
    for shown in engine.store.unshown():
        if engine.stopping.is_set() or shown.side not in engine.setup.sides or stands_still(engine, shown.ref):
            continue
        side = engine.side(shown.side)
        if side.tracker in failures or side.tracker in engine.closed:
            continue
        mark = Mark.parse(engine.setup.mark, shown.keys)
        try:
            connector, scope = engine.connector(shown.side), engine.scope(shown.side)
            found = connector.read(scope, [shown.ref.id]).get(shown.ref.id)
            if found is not None:
                with with_leave(engine.store.hold_on):
                    connector.show(scope, found, mark, shown.key, shown.url)
        except Refused as refusal:
            structlog.get_logger().warning("no visible link", action="show", item=str(shown.ref), reason=str(refusal))
        except Failure as failure:
            failures[side.tracker] = failure
            continue
        engine.store.settle_intent(shown.intent, "done", engine.now())
