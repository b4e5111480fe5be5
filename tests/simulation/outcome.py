"""What a history came to, as a value that also travels between processes as a line of JSON. Imports no engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.checker.evidence import KINDS as WORDS
from sandbox.checker.evidence import Finding
from sandbox.people.script import Step

#: what is no word of the checker's: something raised, or the history never ended
CRASHED = "crashed"
#: the same seed, lived again in another process, left another trace (goals A2)
UNLIKE = "unlike"
#: every kind of finding
KINDS = (*WORDS, CRASHED, UNLIKE)
#: what is counted in each history
COUNTS = ("passes", "acts", "requests", "deaths", "faults")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a history came to. ``digest`` is of everything that its trackers saw and hold: equal where two runs did the
    same. ``counts`` has the names of ``COUNTS`` (faults are those that struck). ``story`` is what happened, a line
    each; ``seconds`` are of the processor's time."""

    profile: str
    seed: int
    findings: tuple[Finding, ...] = ()
    digest: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    story: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of what was found."""
        return frozenset(one.kind for one in self.findings)

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


def outcome_of(row: Mapping[str, Any]) -> Outcome:
    """An outcome as its line had it."""
    return Outcome(
        row["profile"],
        row["seed"],
        tuple(Finding(**one) for one in row["findings"]),
        row["digest"],
        row["counts"],
        tuple(row.get("story", ())),
        row["seconds"],
    )


def written(steps: Sequence[Step]) -> list[str]:
    """Steps as text: ``comment:42``."""
    return [str(step) for step in steps]


def steps_of(texts: Sequence[str]) -> tuple[Step, ...]:
    """Steps from their texts. Raises ValueError for what is none."""
    pairs = [text.rpartition(":") for text in texts]
    return tuple(Step(kind, int(seed)) for kind, _, seed in pairs)
