"""The search for histories that kill the mutants: seeds 0, 1, 2 ... over the profiles, until the checker finds it.

What a mutant is found by must be clean without it. Resumable: what was tried is kept beside the code's digest.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from tests.simulation.mutants.apart import Ended, Nursery, Task
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.seeds import Kill
from tests.simulation.outcome import Outcome, outcome_of

#: histories that one child lives before it reports
BATCH = 8
#: under which a history without a mutant is asked for
CLEAN = "clean "
Place = tuple[str, int]


def places(profiles: Sequence[str], own: str) -> Iterator[Place]:
    """The histories in the order in which they are tried: seed after seed of the mutant's own profile, and behind each
    third of them one of the others, in turn."""
    others = [name for name in profiles if name != own]
    for number in count():
        yield from ((own, 3 * number + place) for place in range(3))
        if others:
            yield others[number % len(others)], number // len(others)


def hunt(tries: Sequence[Place], kinds: Sequence[str]) -> tuple[int, str]:
    """In a child: lives histories until the checker finds one of the kinds. Returns how many, and the last one's
    outcome as a line, empty where nothing was found."""
    from tests.simulation.history import lived

    for number, (profile, seed) in enumerate(tries, 1):
        outcome = lived(profile, seed)
        if outcome.kinds & set(kinds):
            return number, outcome.line()
    return len(tries), ""


def verify(place: Place) -> tuple[str, ...]:
    """In a child, without a mutant: what the checker finds all the same."""
    from tests.simulation.history import lived

    return tuple(sorted(lived(*place).kinds))


@dataclass
class Search:
    """``tried`` counts the histories lived with each mutant; ``unclean`` are the places where the checker finds
    something without any. ``told`` hears of every step."""

    nursery: Nursery
    mutants: Sequence[Mutant]
    profiles: Sequence[str]
    most: int
    told: Callable[[str], None]
    log: Log
    over: Callable[[], bool] = lambda: False
    tasks: deque[Task] = field(default_factory=deque)
    waiting: dict[str, list[tuple[str, int, Outcome]]] = field(default_factory=dict)
    killed: dict[str, Kill] = field(default_factory=dict)

    def run(self) -> dict[str, Kill]:
        """The kills that were found, by mutant."""
        for mutant in self.mutants:
            self.go_on(mutant)
        for one in self.nursery.each(self.tasks):
            if one.key.startswith(CLEAN):
                self.cleared(one)
            else:
                self.heard(one)
            self.log.keep()
        return self.killed

    def go_on(self, mutant: Mutant) -> None:
        """The next histories with that mutant."""
        done = self.log.tried.get(mutant.id, 0)
        if done >= self.most:
            self.told(f"{mutant.id}: survives {done} histories")
        elif not self.over():
            tries = islice(places(self.profiles, mutant.profile), done, min(done + BATCH, self.most))
            self.tasks.append(Task(mutant.id, mutant, partial(hunt, list(tries), mutant.kinds)))

    def heard(self, ended: Ended) -> None:
        """A child reports on a mutant."""
        mutant = next(one for one in self.mutants if one.id == ended.key)
        if ended.error:
            self.told(f"{mutant.id}: {ended.error.strip().splitlines()[-1]}")
            return
        lived, line = ended.result
        self.log.tried[mutant.id] = self.log.tried.get(mutant.id, 0) + lived
        if not line:
            self.go_on(mutant)
            return
        outcome = outcome_of(json.loads(line))
        place = f"{CLEAN}{outcome.profile} {outcome.seed}"
        if place in self.log.clean:
            self.judge(mutant, outcome, self.log.clean[place])
            return
        asked = place in self.waiting
        self.waiting.setdefault(place, []).append((mutant.id, self.log.tried[mutant.id], outcome))
        if not asked:
            self.tasks.appendleft(Task(place, None, partial(verify, (outcome.profile, outcome.seed))))

    def cleared(self, ended: Ended) -> None:
        """A child reports on a history without a mutant."""
        found = list(ended.result) if not ended.error else ["crashed"]
        self.log.clean[ended.key] = found
        if found:
            self.told(f"without any mutant {ended.key.removeprefix(CLEAN)} shows {', '.join(found)}")
        for id, _, outcome in self.waiting.pop(ended.key, ()):
            self.judge(next(one for one in self.mutants if one.id == id), outcome, found)

    def judge(self, mutant: Mutant, outcome: Outcome, clean: Sequence[str]) -> None:
        """Killed, if what was found is the mutant's doing alone."""
        if clean:
            self.go_on(mutant)
            return
        finding = min(
            (one for one in outcome.findings if one.kind in mutant.kinds), key=lambda one: one.kind != mutant.finding
        )
        kill = Kill(outcome.profile, outcome.seed, self.log.tried[mutant.id], finding.kind, str(finding)[:300])
        self.killed[mutant.id] = kill
        self.log.found(mutant.id, kill)
        self.told(f"{mutant.id}: killed after {kill.histories} by {kill.profile} {kill.seed}: {kill.text}")


@dataclass
class Log:
    """What was tried, kept in a file: it counts for the same code only."""

    place: Path
    digest: str
    found: Callable[[str, Kill], None]
    tried: dict[str, int] = field(default_factory=dict)
    clean: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept: Mapping[str, Any] = json.loads(self.place.read_text()) if self.place.exists() else {}
        if kept.get("digest") == self.digest:
            self.tried, self.clean = dict(kept["tried"]), dict(kept["clean"])

    def keep(self) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        self.place.write_text(json.dumps({"digest": self.digest, "tried": self.tried, "clean": self.clean}, indent=1))
