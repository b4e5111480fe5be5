"""Putting an instance together from the admin's file: connectors, state, clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.base import Clock, Connector
from connectors.build import connector
from sync.engine import Engine
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


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A name in the file that its tracker does not know."""

    line: int
    path: str
    text: str


def mismatches(engine: Engine) -> list[Mismatch]:
    """States and fields of the file that the open trackers do not have, each with its line."""
    sides = [side.name for side in engine.setup.sides.values() if side.tracker in engine.opened]
    unknown = {(side, native) for side in sides for _, native in unknown_natives(engine, side)}
    found = [
        Mismatch(
            line_of(engine.setup, f"sides.{side}.scope.{name}", f"sides.{side}.scope", f"sides.{side}"),
            f"sides.{side}",
            text,
        )
        for side, name, text in engine.problems
        if (side, name) not in unknown
    ]
    for side in sides:
        found += unknown_states(engine, side)
        found += unknown_fields(engine, side)
    return sorted(set(found), key=lambda m: (m.line, m.path))


def unknown_states(engine: Engine, side: str) -> list[Mismatch]:
    states = set(engine.connector(side).states(engine.scope(side)))
    found = []
    for stage in engine.setup.stages.stages:
        for state in stage.states.get(side, ()):
            if states and state not in states:
                path = f"stages.{stage.name}.{side}"
                known = ", ".join(sorted(states))
                text = f'{engine.side(side).tracker} has no state "{state}" for {side}; it has: {known}'
                found.append(Mismatch(line_of(engine.setup, path, f"stages.{stage.name}"), path, text))
    return found


def unknown_fields(engine: Engine, side: str) -> list[Mismatch]:
    found = []
    for name, native in unknown_natives(engine, side):
        path = f"fields.{name}.{side}"
        text = f'{engine.side(side).tracker} has no field "{native}" for {side}, or hides it from our account'
        found.append(Mismatch(line_of(engine.setup, path, f"fields.{name}"), path, text))
    return found


def unknown_natives(engine: Engine, side: str) -> list[tuple[str, str]]:
    """The declared fields whose native name the tracker does not know, each with that name."""
    known = set(engine.connector(side).fields_known(engine.scope(side)))
    declared = [(name, native) for name, field in engine.setup.fields.items() for native in field.natives.get(side, ())]
    return [(name, native) for name, native in declared if known and native not in known]


def line_of(setup: Setup, *paths: str) -> int:
    return next((setup.lines[path] for path in paths if path in setup.lines), 0)
