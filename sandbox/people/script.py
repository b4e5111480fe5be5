"""A history before it happens: steps in order, each with a seed of its own, so that a script from which steps are
taken away still does the same in those that are left."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox.people.profiles import Profile

#: what is no act of people's: the caller carries these out. ``die``: the process dies in the passes that follow;
#: ``meanwhile``: an act of people's between two requests of the next pass; ``storm`` and ``calm``: the weather;
#: ``lose``: the process's state is lost
PASS, SWEEP, WAIT, STORM, CALM, DIE, RESTART = "pass", "sweep", "wait", "storm", "calm", "die", "restart"
MEANWHILE, LOSE = "meanwhile", "lose"
OURS = frozenset([PASS, SWEEP, WAIT, STORM, CALM, DIE, RESTART, MEANWHILE, LOSE])


@dataclass(frozen=True, slots=True)
class Step:
    """``kind`` is one of ``OURS`` or the name of an act of ``People``; what it leaves open is drawn from ``seed``."""

    kind: str
    seed: int

    def draw(self) -> Random:
        return Random(self.seed)

    def within(self, profile: Profile) -> tuple[int, Step]:
        """What ``meanwhile`` means: before which request of the pass, and which act."""
        draw = self.draw()
        kinds, weights = profile.weighted
        return draw.choice((draw.randint(1, 6), draw.randint(1, 30))), Step(draw.choices(kinds, weights)[0], self.seed)

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}"


@dataclass(frozen=True, slots=True)
class Script:
    """One history: its profile, its seed, whether sweeps happen in it, how many rows a page has (0: as many as the
    connectors like), and its steps."""

    profile: str
    seed: int
    sweeps: bool
    steps: tuple[Step, ...]
    page: int = 0


def script_of(profile: Profile, seed: int) -> Script:
    """The script of a seed: bursts of acts, each followed by a pass. Half of all histories never sweep."""
    draw = Random(f"{profile.name} {seed}")
    sweeps, page = draw.random() < profile.sweeps, draw.choice(profile.pages)
    kinds, weights = profile.weighted
    steps: list[Step] = []

    def step(kind: str) -> None:
        if kind != SWEEP or sweeps:
            steps.append(Step(kind, draw.getrandbits(32)))

    for kind in profile.begin:
        step(kind)
    for _ in range(profile.length):
        for _ in range(draw.choice(profile.burst)):
            if profile.pauses and draw.random() < profile.pauses:
                step(WAIT)
            step(draw.choices(kinds, weights)[0])
        for kind, often in profile.between.items():
            for _ in range(int(often) + (draw.random() < often % 1)):
                step(kind)
        step(PASS)
    for kind in profile.end:
        step(kind)
    return Script(profile.name, seed, sweeps, tuple(steps), page)
