"""One history lived: a script's steps carried out, one after the other, in one thread."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

import sandbox.people
from sandbox.estate import Estate
from sandbox.inside import inside
from sandbox.people import People, Script, Step
from sandbox.people.profiles import PROFILES
from sandbox.people.script import OURS, PASS
from sandbox.replay.course import Passed
from sandbox.replay.play import is_read
from sandbox.replay.storm import kinds
from sandbox.server import Entry
from sandbox.settled import our_account
from sandbox.story import MORNING
from sync.compose import compose
from sync.config import load
from sync.engine import Engine
from sync.reconcile import Pass, one_pass
from sync.setup import Setup
from sync.store import Store
from tests.simulation.mortal import Died, Mortality

FILE = Path(sandbox.people.__file__).parent / "file.toml"
#: how long until every rest, lag and lost answer is over
OVER = timedelta(minutes=20)
#: passes after which a history must have come to rest
REST = 12


@dataclass
class Life:
    """A script under way in ``folder``, and what it left: the estate with its histories and request log, the people's
    acts, the passes. ``told`` is what happened, line by line; ``restless``: it never came to rest."""

    folder: Path
    script: Script
    told: list[str] = field(default_factory=list)
    passes: list[Passed] = field(default_factory=list)
    restless: bool = False
    last: Pass | None = None
    rewrites: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        random.seed(self.script.seed)  # the pauses between the connectors' tries pass on the sandbox's clock
        self.profile = PROFILES[self.script.profile]
        self.estate = Estate(MORNING, seed=self.script.seed, doors=False)
        our_account(self.estate.servicenow)
        self.people = People(self.estate)
        self.mortality = Mortality()
        self.state = self.folder / "lockstep.db"
        for fault in kinds(3.0):
            self.estate.faults.add(fault)
        self.estate.faults.paused = True

    # -- the process

    def start(self) -> Engine:
        """A process begins on the state as it stands."""
        if not self.state.exists():
            self.state.write_bytes(migrated())
        setup = setup_of()
        engine = compose(replace(setup, state=type(setup.state)(f"sqlite:///{self.state}")), self.estate.clock)
        self.mortality.watch(engine.store.db.engine)
        return engine

    def live(self) -> None:
        """The whole script, and the calm after it."""
        hosts = {server.host: server for server in self.estate.servers.values()}
        with inside(hosts, self.mortality.request), silent():
            self.engine = self.start()
            self.engine.open()
            for step in self.script.steps:
                self.take(step)
            self.rest()
            self.engine.close()

    def take(self, step: Step) -> None:
        before = len(self.people.acts)
        if step.kind in OURS:
            getattr(self, f"do_{step.kind}")(step)
        else:
            self.people.do(step)
        for act in self.people.acts[before:]:
            self.told.append(f"{act.at:%H:%M:%S} {act.by} {act.kind} {act.side} {act.item[:6]} {act.text or act.fields}")

    def do_pass(self, step: Step, *, sweep: bool = False) -> None:
        begun, struck = self.estate.clock.tick(), self.struck
        with suppress(Died):
            self.last = one_pass(self.engine, sweep=sweep)
        if self.mortality.dead:
            self.told.append(f"{begun:%H:%M:%S} the process died at {self.mortality.where}")
            self.mortality.revive()
            self.do_restart(step)
        elif self.last is not None:
            self.told.append(f"{begun:%H:%M:%S} pass: {self.last.writes} writes, {self.last.unsettled} open")
        calm = self.struck == struck and self.estate.faults.paused and not self.late
        self.passes.append(Passed(begun, self.estate.clock.tick(), calm))
        self.estate.clock.advance(timedelta(seconds=30))

    def do_sweep(self, step: Step) -> None:
        self.do_pass(step, sweep=True)

    def do_wait(self, step: Step) -> None:
        self.estate.clock.advance(timedelta(seconds=step.draw().choice((1, 7, 59, 60, 61, 400, 3600))))

    def do_storm(self, step: Step) -> None:
        self.estate.faults.paused = False

    def do_calm(self, step: Step) -> None:
        self.estate.faults.paused = True

    def do_die(self, step: Step) -> None:
        """The next pass dies at one of its boundaries, if it has so many."""
        self.mortality.after(step.draw().choice((0, 1, 2, 3, 5, 8, 13, 21)))

    def do_restart(self, step: Step) -> None:
        self.engine.close()
        self.engine = self.start()

    # -- the end

    @property
    def struck(self) -> int:
        return sum(rule.struck for rule in self.estate.faults.rules)

    @property
    def late(self) -> bool:
        """Whether Jira's index lacks a write."""
        self.estate.jira.store.searchable()
        return bool(self.estate.jira.store.pending)

    def rest(self) -> None:
        """Faults are over; passes until one is quiet. Where there are sweeps, one more of them."""
        nothing = Step(PASS, 0)
        self.estate.faults.paused = True
        self.mortality.spare()
        self.estate.clock.advance(OVER)
        if self.script.sweeps:
            self.do_sweep(nothing)
        for _ in range(REST):
            self.do_pass(nothing)
            self.estate.clock.advance(timedelta(minutes=1))
            if self.last is not None and self.last.quiet:
                break
        else:
            self.restless = True

        self.again()

    def again(self) -> None:
        """Everything is marked as changed and read again: nothing may be written (``rewrites`` are the requests)."""
        self.estate.clock.advance(timedelta(hours=1))
        begun = len(self.estate.log.entries)
        self.engine.store.touch_all(closed=True)
        self.do_pass(Step(PASS, 0))
        self.rewrites = [one for one in self.estate.log.entries[begun:] if not is_read(one)]


@cache
def text() -> str:
    return FILE.read_text()


@cache
def setup_of() -> Setup:
    """The file, read once: only the state's place differs from life to life."""
    estate = Estate(MORNING, doors=False)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lockstep.toml"
        path.write_text(estate.file(f"sqlite:///{folder}/lockstep.db", text()))
        return load(path, estate.environment())


@cache
def migrated() -> bytes:
    """A state of which nothing is known, as the migrations leave it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lockstep.db"
        store = Store(f"sqlite:///{path}", "lives")
        store.open()
        store.close()
        return path.read_bytes()


@contextmanager
def silent() -> Iterator[None]:
    """Without the log, which would be most of what is seen."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(**before)
