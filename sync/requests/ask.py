"""Having a request worked: by this process where the state is free, else by the one that holds it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from connectors.base import Clock
from sync.compose import compose
from sync.engine import Engine
from sync.requests.kinds import work
from sync.setup import Setup
from sync.store import Request, StateLocked

#: how often an answer is looked for, and how long beyond two passes of the one at work
GLANCE, BEYOND = timedelta(seconds=0.2), timedelta(seconds=10)


def asker() -> str:
    """Who types the command, as the operating system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def ask(
    setup: Setup,
    clock: Clock,
    kind: str,
    args: Sequence[Any],
    by: str,
    patience: float = 0,
    watch: Callable[[int, int], None] | None = None,
) -> Request:
    """The request as it stands after its work, or after the wait for it, ``patience`` seconds beyond the usual: then
    without an outcome. ``watch`` is told how far the work is, where this process does it. Raises ``StateBroken``."""
    try:
        engine = compose(setup, clock)
    except StateLocked:
        beside = compose(setup, clock, exclusive=False)
        return handed_over(beside, setup, kind, args, by, timedelta(seconds=patience))
    try:
        id = engine.store.ask(kind, args, by, engine.now())
        engine.watch = watch
        work_all(engine)
        return engine.store.request(id)
    finally:
        engine.close()


def work_all(engine: Engine) -> None:
    """Works what waits, with every tracker that answers."""
    engine.open()
    work(engine)


def handed_over(engine: Engine, setup: Setup, kind: str, args: Sequence[Any], by: str, patience: timedelta) -> Request:
    """Leaves the request for the process that works on this state, and waits for the answer of its next pass. Where
    that process has ended meanwhile, the request is worked here."""
    clock, store = engine.clock, engine.store
    try:
        id = store.ask(kind, args, by, clock.now())
        usual = 2 * engine.setup.poll + BEYOND
        for _ in range(1 + patience // usual):
            until = clock.now() + usual
            while not store.request(id).outcome and clock.now() < until:
                clock.sleep(GLANCE.total_seconds())
            if store.request(id).outcome or take_over(setup, clock):
                break
        return store.request(id)
    finally:
        engine.close()


def take_over(setup: Setup, clock: Clock) -> bool:
    """Works what waits if nobody holds the state. Returns whether nobody did."""
    try:
        engine = compose(setup, clock)
    except StateLocked:
        return False
    try:
        work_all(engine)
    finally:
        engine.close()
    return True
