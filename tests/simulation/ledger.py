"""What was lived already, on disk: a line for each history, so that a run goes on where another one stopped."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.simulation.outcome import Outcome, outcome_of
from tests.simulation.tally import Tally


class Taken(Exception):
    """Another run writes to the same ledger."""


class Ledger:
    """The histories of one state of the code (``digest``), with one mutant or none, in a folder. What an earlier run
    left there is in ``tally`` and ``done`` from the start; another digest begins another file. Raises ``Taken``."""

    def __init__(self, folder: Path, digest: str, mutant: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{'-'.join(filter(None, [digest, mutant]))}.jsonl"
        self.tally = Tally()
        self.done: set[tuple[str, int]] = set()
        self.spent: dict[str, float] = {}
        self.file = self.path.open("a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.file.close()
            raise Taken(f"another run writes to {self.path}: wait for it, or name another --folder") from None
        for row in self.rows():
            self.count(outcome_of(row), row["run"], row["after"], twice=row["twice"])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every whole line; a last one that a kill cut short is cut off."""
        self.file.seek(0)
        whole = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                self.file.truncate(whole)
                return
            whole += len(line)
            yield json.loads(line)

    def count(self, outcome: Outcome, run: str, after: float, *, twice: bool) -> None:
        self.tally.add(outcome, twice=twice)
        self.done.add((outcome.profile, outcome.seed))
        self.spent[run] = max(after, self.spent.get(run, 0.0))

    def add(self, outcome: Outcome, run: str, after: float, *, twice: bool) -> None:
        """Keeps a history that the ``run`` (its beginning, as text) lived, ``after`` seconds."""
        row = {**asdict(outcome), "story": (), "run": run, "after": round(after, 1), "twice": twice}
        self.file.write(json.dumps(row).encode() + b"\n")
        self.file.flush()
        self.count(outcome, run, after, twice=twice)

    @property
    def seconds(self) -> float:
        """How long all runs took together."""
        return sum(self.spent.values())

    def close(self) -> None:
        self.file.close()
