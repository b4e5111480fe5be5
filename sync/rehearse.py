"""What a pass would do: its first half on a copy of the state, with nobody to carry it out."""

from __future__ import annotations

from collections.abc import Callable

from sync.edits.edit import take
from sync.engine import Engine
from sync.escalation.episodes import parts_of
from sync.joining.seek import matching
from sync.joining.tally import tally
from sync.plan import Plan
from sync.reconcile import Pass, begin, decided
from sync.state import LinkState
from sync.store import Store


def dry(engine: Engine, *, everything: bool = False) -> Pass:
    """What a pass would do: the same pass on a copy of the state, with nobody to carry it out."""
    done = Pass(engine.now())

    def prepare(store: Store) -> None:
        if everything:
            store.touch_all(closed=True)
        if matching(engine.setup):
            store.touch_old()

    plans = rehearse(engine, done, prepare)
    done.plans = [plan for plan in plans if not plan.quiet]
    done.aged = sum(plan.aged for plan in plans)
    done.tally = tally(plans)
    return done


def dry_links(engine: Engine, links: list[LinkState]) -> list[Plan]:
    """What a pass would decide for these links, quiet or not: the reasons for ``why``."""
    rows = [(item.ref, item.side, True) for link in links for item in link.items]
    plans = rehearse(engine, Pass(engine.now()), lambda store: store.touch(rows))
    return [plan for plan in plans if plan.key in {link.key for link in links}]


def rehearse(engine: Engine, done: Pass, prepare: Callable[[Store], object]) -> list[Plan]:
    """The first half of a pass on a copy of the state."""
    scratch = scratch_of(engine)
    prepare(scratch.store)
    reading = begin(scratch, done)
    plans = [plan for _, plan in decided(scratch, reading, done.at)]
    scratch.store.close()
    return plans


def scratch_of(engine: Engine) -> Engine:
    """The same engine on a copy of the state, in which an edited file that is on trial has come into force."""
    scratch = Engine(engine.setup, engine.connectors, engine.store.scratch(), engine.clock, opened=engine.opened)
    scratch.closed, scratch.accounts = engine.closed, engine.accounts
    scratch.store.arm(parts_of(engine.setup.rules), engine.begun or engine.now())
    if engine.trial and engine.edit is not None:
        take(scratch.store, engine.edit, engine.now())
    return scratch
