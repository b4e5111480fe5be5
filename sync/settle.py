"""Settling what a crash or a lost answer left open: creations are looked up before they are repeated, and a new
item's visible link to its source follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from connectors.base import Failure, Garbled, Refused
from connectors.leave import with_leave
from mappings.model import Mark, Record, Ref
from sync.engine import Engine
from sync.freezing.brake import stands_still
from sync.joining.rebuild import split_off
from sync.sparing import sift
from sync.state import UNREAD, Held
from sync.store import Begun, Unshown

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
    """Raises the failure of a tracker that cannot be asked."""
    found, strange = made(engine, begun)
    log = structlog.get_logger().bind(action="settle", route=begun.key, found=len(found))
    if found and split_off(engine, begun, found[0]):
        engine.store.settle_intent(begun.intent, "done", engine.now())
        log.info("creation found in another link", item=found[0].key)
    elif found:
        history = any(route.history for route in engine.setup.routes if route.opens == begun.side)
        engine.store.found_creation(begun, found[0], history=history, now=engine.now())
        log.info("creation found after a lost answer", item=found[0].key)
    elif strange:
        now, advice = engine.now(), "open it in its tracker and correct what the reason names; then the search ends"
        reason = f"whether the {begun.side} was created is not known yet: {'; '.join(strange)}"
        held = Held(begun.source, f"open {begun.route}", reason, advice, now, now + engine.setup.poll)
        engine.store.hold(begun.link, held, now)
    else:
        engine.store.settle_intent(begun.intent, "failed", engine.now())
        engine.store.touch_link(begun.link)
        log.info("creation did not happen, it is tried again")


def made(engine: Engine, begun: Begun) -> tuple[Sequence[Record], list[str]]:
    """The items that bear the creation's key, and of each that might and is not understood the reason. One that a link
    holds is none of these."""
    connector, scope = engine.connector(begun.side), engine.scope(begun.side)
    mark = Mark.parse(scope.mark, begun.keys)
    try:
        return connector.find_made(scope, mark, begun.at - CLOCKS), []
    except Garbled as garbled:
        refs = {Ref(connector.name, id): reason for id, reason in garbled.reasons.items()}
        places = engine.store.places(refs)
        strange = [f"{ref}: {reason}" for ref, reason in refs.items() if places.get(ref, (None, 0))[0] is None]
        return list(garbled.found.values()), strange


def show_sources(engine: Engine, failures: dict[str, Failure]) -> None:
    """Leaves the visible link on items that were created; repeating it changes nothing. One that cannot be read waits,
    and the others go on."""
    waiting: dict[str, list[Unshown]] = defaultdict(list)
    for shown in engine.store.unshown():
        if shown.side in engine.setup.sides and not stands_still(engine, shown.ref):
            waiting[shown.side].append(shown)
    for side, some in waiting.items():
        tracker = engine.side(side).tracker
        if tracker in failures or tracker in engine.closed:
            continue
        try:
            show_side(engine, side, some)
        except Failure as failure:
            failures[tracker] = failure


def show_side(engine: Engine, side: str, some: Sequence[Unshown]) -> None:
    connector, scope = engine.connector(side), engine.scope(side)
    sifted = sift(engine, side, UNREAD, [shown.ref.id for shown in some], lambda ids: connector.read(scope, ids))
    for shown in some:
        if engine.stopping.is_set() or shown.ref.id in sifted.bad or stands_still(engine, shown.ref):
            continue
        found, mark = sifted.found.get(shown.ref.id), Mark.parse(engine.setup.mark, shown.keys)
        try:
            if found is not None:
                with with_leave(engine.store.hold_on):
                    connector.show(scope, found, mark, shown.key, shown.url)
        except Refused as refusal:
            structlog.get_logger().warning("no visible link", action="show", item=str(shown.ref), reason=str(refusal))
        engine.store.settle_intent(shown.intent, "done", engine.now())
