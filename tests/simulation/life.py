"""One history lived: a script's steps carried out, one after the other, in one thread."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import structlog

from sandbox.checker.parted import Parted
from sandbox.estate import Estate
from sandbox.inside import inside
from sandbox.people import People, Script, Step, Weather, file_of
from sandbox.people.hands import NAMES, Nothing
from sandbox.people.profiles import PROFILES
from sandbox.people.script import OURS, PASS
from sandbox.replay.course import Passed
from sandbox.replay.play import is_read
from sandbox.server import Entry
from sandbox.settled import our_account
from sandbox.story import MORNING
from sandbox.wire import Request
from sync.compose import compose
from sync.config import load
from sync.engine import Engine
from sync.reconcile import Pass, one_pass
from sync.setup import Setup
from sync.state import Held
from sync.store import DONE
from tests.simulation.mortal import Died, Mortality
from tests.states import new_state

#: passes after which a history must have come to rest
REST = 12
#: the fields by which people name an item; a work item has its number
KEY = {"incident": "number", "defect": "key"}


@dataclass
class Life:
    """A script under way in ``folder``, and what it left: the estate with its histories and request log, the people's
    acts, the passes, the ``deaths`` of the process and the ``losses`` of its state, and what was ``held`` at rest, with
    the keys of the items. ``told`` is what happened, line by line; ``restless``: it never came to rest. ``resting`` is
    called where it did, before everything is read again and after that. ``parted`` was taken out of its link then."""

    folder: Path
    script: Script
    told: list[str] = field(default_factory=list)
    passes: list[Passed] = field(default_factory=list)
    resting: Callable[[], None] = lambda: None
    restless: bool = False
    last: Pass | None = None
    rewrites: list[Entry] = field(default_factory=list)
    held: list[tuple[Held, str]] = field(default_factory=list)
    deaths: list[datetime] = field(default_factory=list)
    losses: list[datetime] = field(default_factory=list)
    parted: Parted | None = None

    def __post_init__(self) -> None:
        random.seed(self.script.seed)  # the pauses between the connectors' tries pass on the sandbox's clock
        self.profile = PROFILES[self.script.profile]
        self.estate = Estate(MORNING, seed=self.script.seed, doors=False)
        our_account(self.estate.servicenow)
        #: acts that wait for the n-th request of the pass, and how many requests it has made
        self.meanwhile: list[tuple[int, Step]] = []
        self.asked = 0
        self.mortality = Mortality()
        self.state = self.folder / "lockstep.db"
        self.weather = Weather(self.estate, self.profile, self.script.seed, sweeps=self.script.sweeps)
        self.people = People(self.estate, room=self.profile.room)

    # -- the process

    def start(self) -> Engine:
        """A process begins on the state as it stands."""
        if not self.state.exists():
            self.state.write_bytes(new_state())
        setup = setup_of(self.script.page)
        engine = compose(replace(setup, state=type(setup.state)(f"sqlite:///{self.state}")), self.estate.clock)
        self.mortality.watch(engine.store.db.engine)
        return engine

    def live(self) -> None:
        """The whole script, and the calm after it."""
        hosts = {server.host: server for server in self.estate.servers.values()}
        with inside(hosts, self.boundary), silent():
            self.engine = self.start()
            self.engine.open()
            for step in self.script.steps:
                self.take(step)
            self.rest()
            self.part()
            self.engine.close()

    def take(self, step: Step) -> None:
        if step.kind in OURS:
            getattr(self, f"do_{step.kind}")(step)
        else:
            self.act(step)

    def act(self, step: Step) -> None:
        for act in self.people.do(step):
            said = act.text[:80] or dict(act.fields)
            self.told.append(f"{act.at:%H:%M:%S} {act.by} {act.kind} {act.side} {act.item[:6]} {said}")

    def boundary(self, tracker: str, request: Request, answered: bool) -> None:
        """Between two requests people may act, and the process may die."""
        if not answered:
            self.asked += 1
            self.acts_due()
        self.mortality.request(tracker, request, answered)

    def acts_due(self, *, all: bool = False) -> None:
        """The acts that wait for this request; ``all``: the pass is over, and had fewer."""
        due = [step for place, step in self.meanwhile if all or place <= self.asked]
        self.meanwhile = [] if all else [one for one in self.meanwhile if one[0] > self.asked]
        for step in due:
            self.act(step)

    def do_pass(self, step: Step, *, sweep: bool = False) -> None:
        begun, struck, self.last, self.asked = self.estate.clock.tick(), self.weather.struck, None, 0
        calm = self.weather.calm
        with suppress(Died):
            self.last = one_pass(self.engine, sweep=sweep)
        if self.mortality.dead:
            calm = False
            self.told.append(f"{begun:%H:%M:%S} the process died at {self.mortality.where}")
            self.deaths.append(self.estate.clock.now())
            self.weather.died()
            self.mortality.revive()
            self.do_restart(step)
        elif self.last is not None:
            name = "sweep" if sweep else "pass"
            self.told.append(f"{begun:%H:%M:%S} {name}: {self.last.writes} writes, {self.last.unsettled} open")
        calm = calm and self.weather.calm and self.weather.struck == struck
        self.passes.append(Passed(begun, self.estate.clock.tick(), calm, sweep))
        self.acts_due(all=True)
        self.estate.clock.advance(timedelta(seconds=step.draw().choice(self.profile.poll)))

    def do_sweep(self, step: Step) -> None:
        self.do_pass(step, sweep=True)

    def do_wait(self, step: Step) -> None:
        self.estate.clock.advance(timedelta(seconds=step.draw().choice((1, 7, 20, 59, 61, 150, 400, 400, 3600))))

    def do_meanwhile(self, step: Step) -> None:
        """An act between two requests of the next pass."""
        self.meanwhile.append(step.within(self.profile))

    def do_storm(self, step: Step) -> None:
        self.weather.storm(step)
        self.told.append(f"{self.estate.clock.now():%H:%M:%S} a storm: {self.weather}")

    def do_calm(self, step: Step) -> None:
        self.weather.still()

    def do_die(self, step: Step) -> None:
        """The passes that come die at one of their boundaries, if they have so many."""
        self.mortality.doom(step.draw())

    def do_restart(self, step: Step) -> None:
        self.engine.close()
        self.engine = self.start()

    def do_lose(self, step: Step) -> None:
        """The state is lost while all is in step but for some words and values, and rebuilt from the trackers before
        anybody acts again: at first perhaps with one of them failing."""
        if not self.settled():
            return
        draw = step.draw()
        for _ in range(draw.choice((0, 1, 2))):
            self.act(Step(draw.choice(("comment", "comment", "title", "rank")), draw.getrandbits(32)))
        self.engine.close()
        for file in self.folder.iterdir():
            file.unlink()
        self.losses.append(self.estate.clock.now())
        self.told.append(f"{self.estate.clock.now():%H:%M:%S} the state is lost")
        self.engine = self.start()
        if draw.random() < 0.6:
            self.do_storm(step)
            self.do_pass(step)
        self.settled()

    def settled(self, *, sweep: bool = False) -> bool:
        """Fair weather, nobody acts and nobody dies; passes until one is quiet, after a sweep."""
        self.weather.over()
        self.mortality.spare()
        if sweep:
            self.do_sweep(Step(PASS, 0))
        for _ in range(REST):
            self.do_pass(Step(PASS, 0))
            self.estate.clock.advance(timedelta(minutes=1))
            if self.last is not None and self.last.quiet:
                return True
        return False

    # -- the end

    def rest(self) -> None:
        """Faults are over; passes until one is quiet. Where there are sweeps, one more of them."""
        self.restless = not self.settled(sweep=self.script.sweeps)
        self.held = self.engine.store.held()
        self.people.leave_off()
        self.resting()
        self.again()
        self.resting()

    def again(self) -> None:
        """Everything is marked as changed and read again: nothing may be written (``rewrites`` are the requests)."""
        self.estate.clock.advance(timedelta(hours=1))
        begun = len(self.estate.log.entries)
        self.engine.store.touch_all(closed=True)
        self.do_pass(Step(PASS, 0))
        self.rewrites = [one for one in self.estate.log.entries[begun:] if not is_read(one)]

    def part(self) -> None:
        """In some histories a person takes an item out of its link at last, and people go on talking."""
        draw = Random(f"part {self.script.seed}")
        if draw.random() >= self.profile.parts:
            return
        with suppress(Nothing):
            side, id = draw.choice(self.people.family(draw))
            key = str(self.people.tracker(side).item(id)[KEY[side]]) if side in KEY else f"AB#{id}"
            asked = self.engine.store.ask("unlink", [key], "an admin", self.engine.now())
            self.settled()
            if self.engine.store.request(asked).outcome == DONE:
                self.told.append(f"{self.estate.clock.now():%H:%M:%S} {side} {key} is taken out of its link")
                self.people.name = "parted"
                words = self.people.next("Apart")
                self.people.say(side, id, NAMES[side][0], words)
                self.settled(sweep=True)
                self.parted = Parted(side, id, key, (words,))


@cache
def setup_of(page: int) -> Setup:
    """The file, read once for each size of pages: only the state's place differs from life to life."""
    estate = Estate(MORNING, doors=False)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lockstep.toml"
        path.write_text(estate.file(f"sqlite:///{folder}/lockstep.db", file_of(page)))
        return load(path, estate.environment())


@contextmanager
def silent() -> Iterator[None]:
    """Without the log, which would be most of what is seen."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(**before)
