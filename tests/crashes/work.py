"""What a worker of ``python -m tests.crashes`` does, in a process of its own."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sync.log import configure
from tests.crashes.play import Play, playing


@dataclass(frozen=True)
class Task:
    """A scenario, the boundary of the first kill, and whether the process that follows is killed at each of its own."""

    scenario: str
    first: int
    pairs: bool


@dataclass
class Outcome:
    """How many ends were looked at, and what was wrong, by the boundaries that led there."""

    task: Task
    ends: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)


class Worker:
    """Plays on stages of its own, one for each scenario that it meets."""

    def __init__(self) -> None:
        self.stack, self.plays = ExitStack(), dict[str, Play]()

    def play(self, name: str) -> Play:
        if name not in self.plays:
            folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(dir=memory())))
            self.plays[name] = self.stack.enter_context(playing(name, folder))
        return self.plays[name]

    def carry_out(self, task: Task) -> Outcome:
        play, outcome = self.play(task.scenario), Outcome(task)
        photo = play.photos[task.first]
        photos = play.second_lives(photo) if task.pairs else [photo]
        for number, last in enumerate(photos):
            outcome.ends += 1
            try:
                wrong = play.after(last)
            except Exception as error:
                wrong = [f"{type(error).__name__}: {error}"]
            if wrong:
                outcome.wrong[f"{task.first + 1} {photo.event}, then {number + 1} {last.event}"] = wrong
        return outcome


worker: Worker


def begin() -> None:
    """A worker's process begins."""
    global worker
    configure("critical")
    worker = Worker()


def carry_out(task: Task) -> Outcome:
    return worker.carry_out(task)


def memory() -> str | None:
    """Where thousands of small states are written without waiting for a disk."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None
