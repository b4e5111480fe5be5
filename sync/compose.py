"""Putting an instance together from the admin's file: connectors, state, clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.base import Clock, Connector
from connectors.build import connector
from mappings.model import Scope
from sync.config import ConfigProblems
from sync.edits.edit import Edit, waiting
from sync.engine import Engine
from sync.escalation.episodes import parts_of
from sync.fit import Known, Mismatch, misfits
from sync.running.alive import last_end
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


def compose(setup: Setup, clock: Clock, *, exclusive: bool = True, trial: bool = False) -> Engine:
    """An engine ready for its first pass. ``exclusive``: it is to write, so it takes the state's lock. Where the file
    was edited since it was put into force, what waits stays as it is in force, unless this is a ``trial`` of what the
    edited file would do, which rehearses and never writes. Raises ``StateLocked``, ``StateBroken``, and
    ``ConfigProblems`` where the file in force can no longer be read."""
    store = Store(setup.state.reveal(), setup.instance)
    store.open(exclusive=exclusive)
    try:
        edit = edit_of(setup, store)
    except ConfigProblems:
        store.close()
        raise
    if edit is not None and not trial:
        setup = edit.standing
    store.field_names, store.sides = field_names(setup), frozenset(setup.sides)
    connectors = {name: connect(tracker, clock) for name, tracker in setup.trackers.items()}
    if exclusive:
        store.recover(clock.now())
        store.arm(parts_of(setup.rules), clock.now())
    engine = Engine(setup, connectors, store, clock, begun=clock.now(), edit=edit, trial=trial and edit is not None)
    engine.ended = store.last_entry() if exclusive else None
    engine.reached = max(filter(None, (engine.begun, engine.ended, last_end(store))))
    return engine


def edit_of(setup: Setup, store: Store) -> Edit | None:
    """What of the file waits for ``apply``. A new state, and one that was lost, takes the file as it is; so it does
    where nothing in the file waits."""
    text = store.in_force()
    return waiting(setup, text) if text is not None else None


def edit_beside(setup: Setup) -> Edit | None:
    """What of the file waits, as the state tells beside a running daemon. Raises ``StateBroken`` and
    ``ConfigProblems``."""
    store = Store(setup.state.reveal(), setup.instance)
    store.open(exclusive=False)
    try:
        return edit_of(setup, store)
    finally:
        store.close()


class Unfit(Exception):
    """An edited file that cannot be taken into force. The message says why."""


def recompose(setup: Setup, old: Engine) -> Engine:
    """The same state under an edited file, of which what waits for ``apply`` stays as it is in force. Raises ``Unfit``
    where the file names what its trackers do not have."""
    if (setup.state, setup.instance) != (old.setup.state, old.setup.instance):
        raise Unfit("bot.state and bot.instance are read when Lockstep starts; start it anew to change them")
    try:
        edit = edit_of(setup, old.store)
    except ConfigProblems as problems:
        raise Unfit(str(problems)) from None
    return in_charge(renewed(edit.standing if edit else setup, old, edit), old)


def renewed(setup: Setup, old: Engine, edit: Edit | None = None) -> Engine:
    """An engine of another setup on the same state, its trackers open beside the old one's. Raises ``Unfit`` where the
    setup names what they do not have."""
    connectors = {name: connect(tracker, old.clock) for name, tracker in setup.trackers.items()}
    engine = Engine(setup, connectors, old.store, old.clock, stopping=old.stopping, begun=old.begun, edit=edit)
    engine.midway, engine.ended, engine.reached = old.midway, old.ended, old.reached
    engine.open()
    wrong = [f"line {m.line}: {m.path}: {m.text}" for m in mismatches(engine)]
    if wrong:
        engine.close_trackers()
        raise Unfit("; ".join(wrong))
    return engine


def in_charge(engine: Engine, old: Engine) -> Engine:
    """The engine, whose setup its state works with from now on, in place of the old one."""
    setup, store = engine.setup, engine.store
    store.arm(parts_of(setup.rules), engine.now())
    store.field_names, store.sides = field_names(setup), frozenset(setup.sides)
    old.close_trackers()
    return engine


def mismatches(engine: Engine) -> list[Mismatch]:
    """States and fields of the file that the open trackers do not have, each with its line; those that an edited file
    would bring on sides that are in force too."""
    known = {
        side.name: known_of(engine.connector(side.name), engine.scope(side.name))
        for side in engine.setup.sides.values()
        if side.tracker in engine.opened
    }
    found = misfits(engine.setup, engine.problems, known)
    if engine.edit is not None and not engine.trial:
        to_come = engine.edit.setup
        found += misfits(to_come, (), {name: told for name, told in known.items() if name in to_come.sides})
    return sorted(set(found), key=lambda one: (one.line, one.path, one.what))


def known_of(connector: Connector, scope: Scope) -> Known:
    return Known(tuple(connector.states(scope)), dict.fromkeys(sorted(connector.fields_known(scope)), ""))
