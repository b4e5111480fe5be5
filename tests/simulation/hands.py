"""The processes in which histories are lived, seen from the runner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sandbox.checker.evidence import Finding
from sandbox.people.script import Step
from tests.simulation.outcome import CRASHED, Outcome, outcome_of, written

ROOT = Path(__file__).resolve().parents[2]
#: histories after which a process makes room for a fresh one, so that nothing can pile up
TURNS = 500


class Lives(Protocol):
    """Whoever lives histories and tells them."""

    @property
    def fresh(self) -> bool:
        """Whether the next history is the first one that sees the code as it is now."""

    def live(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
        """The history of a seed, or of some of its steps, lived and checked."""

    def tell(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> list[str]:
        """What happened in it, in sentences, and what is wrong."""

    def close(self) -> None:
        """No more."""


class Hand:
    """One process at a time that lives what it is asked for, started when it is needed and again when it died.
    ``hashing`` is its PYTHONHASHSEED, ``mutant`` the bug it runs with."""

    def __init__(self, hashing: int = 0, mutant: str = "", turns: int = TURNS) -> None:
        self.hashing, self.mutant, self.turns = hashing, mutant, turns
        self.process: subprocess.Popen[str] | None = None
        self.taken = 0

    def live(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> Outcome:
        """The history lived and checked. A process that ends over it is a finding."""
        try:
            return outcome_of(self.ask(profile, seed, steps))
        except Ended as ended:
            return Outcome(profile, seed, (Finding(CRASHED, "process", str(ended)),))

    def tell(self, profile: str, seed: int, steps: Sequence[Step] | None = None) -> list[str]:
        """What happened, in sentences, and what is wrong."""
        try:
            return [str(line) for line in self.ask(profile, seed, steps, told=True)]
        except Ended as ended:
            return [str(ended)]

    def ask(self, profile: str, seed: int, steps: Sequence[Step] | None, *, told: bool = False) -> Any:
        job = {"profile": profile, "seed": seed, "steps": None if steps is None else written(steps), "told": told}
        process = self.running()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise self.ended()
        return json.loads(line)

    @property
    def fresh(self) -> bool:
        """Whether the next history is the first one of a process."""
        return self.process is None or self.taken >= self.turns

    def running(self) -> subprocess.Popen[str]:
        """The process; another one after so many turns."""
        if self.fresh:
            self.close()
        self.taken += 1
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.simulation.worker", *filter(None, [self.mutant])],
                cwd=ROOT,
                env={**os.environ, "PYTHONHASHSEED": str(self.hashing)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            assert self.process.stdout
            if not self.process.stdout.readline():
                self.close()
                raise Unready("the engine or the simulation cannot be imported; what Python said stands above")
        return self.process

    def ended(self) -> Ended:
        """What is to be said of a process that answers no more."""
        assert self.process
        code = self.process.wait()
        self.close()
        return Ended(f"its process ended with code {code}; what it said stands above")

    def close(self) -> None:
        """Lets the process end after what it is at."""
        if self.process is not None:
            assert self.process.stdin and self.process.stdout
            with suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        self.process, self.taken = None, 0

    def kill(self) -> None:
        """Ends it at once."""
        if self.process is not None:
            self.process.kill()


class Unready(Exception):
    """No history can be lived at all."""


class Ended(Exception):
    """A process that lived histories is no more."""
