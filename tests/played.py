"""A replay for tests: the log's estate, the shipped file, an engine on a fresh state, and the people at work."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sandbox.replay import Checker, Event, Replay, Report, Storm, play, replay_estate, replay_file
from sandbox.replay.play import CHECKPOINTS, is_read
from sync.compose import compose, mismatches
from sync.config import load
from sync.engine import Engine
from sync.plan import Say
from sync.reconcile import Pass, one_pass, reconcile


@dataclass
class Played:
    """The people's year and the bot beside it. ``edit`` changes the shipped file before it is read."""

    folder: Path
    events: Sequence[Event]
    first: datetime
    seed: int = 0
    edit: Callable[[str], str] = lambda text: text
    report: Report = field(default_factory=Report)
    held: set[tuple[str, str, str]] = field(default_factory=set)
    removed: int = 0

    def __post_init__(self) -> None:
        random.seed(self.seed)  # the pauses between the connectors' tries pass on the sandbox's clock
        self.estate = replay_estate(self.first, seed=self.seed)
        self.replay = Replay(self.estate, self.events, first=self.first, seed=self.seed)
        self.engine = self.start()

    def start(self) -> Engine:
        """An engine on the state as it stands, as after a start of the process."""
        path = self.folder / "lockstep.toml"
        path.write_text(self.edit(self.estate.file(f"sqlite:///{self.folder}/lockstep.db", replay_file())))
        engine = compose(load(path, self.estate.environment()), self.estate.clock)
        assert engine.open() == {}
        assert mismatches(engine) == []
        return engine

    def restart(self, *, lose_state: bool) -> None:
        """The process ends and another begins, with the state kept or deleted."""
        self.engine.store.close()
        if lose_state:
            for file in self.folder.glob("lockstep.db*"):
                file.unlink()
        self.engine = self.start()

    def play(self, *, stormy: bool = False, checkpoints: int = CHECKPOINTS) -> Report:
        """Everything to its end: clean and checked after each pass, or through storms and checked where they are
        over."""
        storm = Storm(self.estate, self.seed) if stormy else None
        checker = Checker(self.replay, replay_file(), strict=not stormy)
        self.report = play(
            self.estate, self.replay, self.once, checker, storm=storm, checkpoints=checkpoints, seed=self.seed
        )
        return self.report

    def once(self) -> Pass:
        done = one_pass(self.engine)
        self.held |= {(key, held.what, held.reason) for held, key in self.engine.store.held()}
        says = [action for plan in done.plans for action in plan.actions if isinstance(action, Say)]
        self.removed += sum(say.removed for say in says if say.copy.part == 1)
        return done

    def writes_of_a_full_look(self) -> int:
        """Reads everything there is and counts what was written, by the request log."""
        self.estate.log.clear()
        passes = reconcile(self.engine)
        assert passes[-1].quiet, passes[-1]
        return sum(not is_read(entry) for entry in self.estate.log.entries)

    def close(self) -> None:
        self.engine.store.close()
        self.estate.stop()
