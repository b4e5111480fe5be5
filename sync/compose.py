"""Putting an instance together from the admin's file: connectors, state, clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.base import Clock, Connector
from connectors.build import connector
from mappings.model import Scope
from sync.engine import Engine
from sync.fit import Known, Mismatch, misfits
from sync.setup import Setup, TrackerSettings
from sync.store import Store

Connect = Callable[[TrackerSettings, Clock], Connector]


def connect(tracker: TrackerSettings, clock: Clock) -> Connector:
    """The connector for a tracker of the file."""
    return connector(
        tracker.kind,
        tracker.name,
        tracker.url,
        tracker.auth,
        clock,
        lag=tracker.lag,
        page=tracker.page,
        ca=tracker.ca,
        proxy=tracker.proxy,
        timeout=tracker.timeout,
    )


def field_names(setup: Setup) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Native field names per side and declared field."""
    return {
        side: {name: f.natives[side] for name, f in setup.fields.items() if side in f.natives} for side in setup.sides
    }


def compose(setup: Setup, clock: Clock, *, exclusive: bool = True) -> Engine:
    """An engine ready for its first pass. ``exclusive``: it is to write, so it takes the state's lock. Raises
    ``StateLocked`` and ``StateBroken``."""
    store = Store(setup.state.reveal(), setup.instance)
    store.open(exclusive=exclusive)
    store.field_names = field_names(setup)
    connectors = {name: connect(tracker, clock) for name, tracker in setup.trackers.items()}
    if exclusive:
        store.recover()
        store.arm((rule.id for rule in setup.rules), clock.now())
    return Engine(setup, connectors, store, clock, begun=clock.now())


class Unfit(Exception):
    """An edited file that cannot be taken into force. The message says why."""


def recompose(setup: Setup, old: Engine) -> Engine:
    """The same state under an edited file. Raises ``Unfit`` where the file names what its trackers do not have."""
    if (setup.state, setup.instance) != (old.setup.state, old.setup.instance):
        raise Unfit("bot.state and bot.instance are read when Lockstep starts; start it anew to change them")
    connectors = {name: connect(tracker, old.clock) for name, tracker in setup.trackers.items()}
    engine = Engine(setup, connectors, old.store, old.clock, stopping=old.stopping, begun=old.begun)
    engine.open()
    wrong = [f"line {m.line}: {m.path}: {m.text}" for m in mismatches(engine)]
    for left in (connectors if wrong else old.connectors).values():
        left.close()
    if wrong:
        raise Unfit("; ".join(wrong))
    old.store.field_names = field_names(setup)
    old.store.arm((rule.id for rule in setup.rules), old.clock.now())
    return engine


def mismatches(engine: Engine) -> list[Mismatch]:
    """States and fields of the file that the open trackers do not have, each with its line."""
    known = {
        side.name: known_of(engine.connector(side.name), engine.scope(side.name))
        for side in engine.setup.sides.values()
        if side.tracker in engine.opened
    }
    return misfits(engine.setup, engine.problems, known)


def known_of(connector: Connector, scope: Scope) -> Known:
    return Known(tuple(connector.states(scope)), dict.fromkeys(sorted(connector.fields_known(scope)), ""))
