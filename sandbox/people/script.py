"""A history before it happens: steps in order, each with a seed of its own, so that a script from which steps are
taken away still does the same in those that are left."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox.people.profiles import Profile

#: what is no act of people's: the caller carries these out
PASS, SWEEP, WAIT, STORM, CALM, DIE, RESTART = "pass", "sweep", "wait", "storm", "calm", "die", "restart"
OURS = frozenset([PASS, SWEEP, WAIT, STORM, CALM, DIE, RESTART])


@dataclass(frozen=True, slots=True)
class Step:
    """``kind`` is one of ``OURS`` or the name of an act of ``People``; all that it leaves open is drawn from ``seed``."""

    kind: str
    seed: int

    def draw(self) -> Random:
        return Random(self.seed)

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}"


@dataclass(frozen=True, slots=True)
class Script:
    """One history: its profile, its seed, whether sweeps happen in it, and its steps."""

    profile: str
    seed: int
    sweeps: bool
    steps: tuple[Step, ...]


def script_of(profile: Profile, seed: int) -> Script:
    """The script of a seed: bursts of acts, each followed by passes. Half of the seeds never sweep."""
    draw = Random(f"{profile.name} {seed}")
    sweeps = bool(draw.getrandbits(1))
    kinds, weights = zip(*sorted(profile.acts.items()), strict=True)
    steps: list[Step] = []

    def step(kind: str) -> None:
        steps.append(Step(kind, draw.getrandbits(32)))

    for kind in profile.begin:
        step(kind)
    for _ in range(profile.length):
        for _ in range(draw.choice(profile.burst)):
            step(draw.choices(kinds, weights)[0])
        for kind, chance in profile.between.items():
            if draw.random() < chance and (kind != SWEEP or sweeps):
                step(kind)
        step(PASS)
    return Script(profile.name, seed, sweeps, tuple(steps))
