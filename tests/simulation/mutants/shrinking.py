"""The stored histories with the fewest steps that still kill: what CI lives again should be short."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import process_time

from sandbox.people import Step
from tests.simulation.mutants.apart import Nursery, Task
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.replay import kinds
from tests.simulation.mutants.seeds import Kill
from tests.simulation.outcome import steps_of, written

#: seconds of the processor's time that one history is worth
WORTH = 4.0
#: under which a shorter history is lived without its mutant
CLEAN = "clean "


def shorter(kill: Kill) -> list[str]:
    """In a child: the fewest steps that were found to kill. Raises AssertionError where all of them kill no more."""
    from tests.simulation.history import lived, script_for
    from tests.simulation.shrink import shrunk

    def kills(steps: Sequence[Step]) -> bool:
        return kill.kind in lived(kill.profile, kill.seed, steps).kinds

    begun = process_time()
    whole = steps_of(kill.steps) if kill.steps else script_for(kill.profile, kill.seed).steps
    assert kills(whole), "it kills no more"
    return written(shrunk(whole, kills, lambda: process_time() - begun > WORTH))


def shrink(
    mutants: Mapping[str, Mutant], kills: Mapping[str, Kill], jobs: int, store: Callable[[str, Kill], None]
) -> list[str]:
    """Stores each history with fewer steps, unless something is found in them without the mutant. Returns those that
    stayed as they were."""
    tasks = deque(Task(id, mutants[id], partial(shorter, kill)) for id, kill in kills.items())
    short: dict[str, Kill] = {}
    done: set[str] = set()
    for one in Nursery(jobs).each(tasks):
        id = one.key.removeprefix(CLEAN)
        if one.key == id and not one.error:
            short[id] = replace(kills[id], steps=tuple(one.result))
            tasks.appendleft(Task(CLEAN + id, None, partial(kinds, short[id])))
        elif one.key != id and one.result == []:
            store(id, short[id])
            done.add(id)
    return sorted(set(kills) - done)
