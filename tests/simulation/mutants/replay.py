"""The stored histories lived again, each with its mutant and without."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial

from tests.simulation.mutants.apart import Ended, Nursery, Task
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.seeds import Kill
from tests.simulation.outcome import steps_of

#: under which all of them are lived without a mutant
CLEAN = "clean"
Kinds = list[str]


def kinds(kill: Kill) -> Kinds:
    """In a child: what is found in the stored history."""
    from tests.simulation.history import lived

    return sorted(lived(kill.profile, kill.seed, steps_of(kill.steps) if kill.steps else None).kinds)


def all_kinds(kills: Mapping[str, Kill]) -> dict[str, Kinds]:
    """In a child: what is found in each; a history that several share is lived once."""
    known: dict[tuple[str, int, tuple[str, ...]], Kinds] = {}
    for kill in kills.values():
        place = kill.profile, kill.seed, kill.steps
        known[place] = known[place] if place in known else kinds(kill)
    return {id: known[kill.profile, kill.seed, kill.steps] for id, kill in kills.items()}


def replayed(mutants: Mapping[str, Mutant], kills: Mapping[str, Kill], jobs: int) -> dict[str, tuple[Kinds, Kinds]]:
    """By mutant: what is found with it, and without. A child that fails counts as one that found its error."""
    tasks = deque([Task(CLEAN, None, partial(all_kinds, kills))])
    tasks += (Task(id, mutants[id], partial(kinds, kill)) for id, kill in kills.items())
    told = {one.key: one for one in Nursery(jobs).each(tasks)}
    clean = told[CLEAN]
    return {id: (of(told[id]), clean.result[id] if clean.result else of(clean)) for id in kills}


def of(ended: Ended) -> Kinds:
    """What a child found, or why it failed."""
    return [ended.error.strip()[-300:]] if ended.error else list(ended.result)
