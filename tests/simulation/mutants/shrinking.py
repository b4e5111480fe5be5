"""The stored histories with the fewest steps that still kill: what CI lives again should be short."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from time import process_time

from tests.simulation.mutants.apart import Nursery, Task
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.replay import kinds
from tests.simulation.mutants.seeds import Kill
from tests.simulation.outcome import written

#: seconds of the processor's time that one history is worth
WORTH = 20.0
#: under which a shorter history is lived without its mutant
CLEAN = "clean "


def shorter(kill: Kill) -> list[str]:
    """In a child: the fewest steps that were found to kill."""
    from tests.simulation.history import lived, script_for
    from tests.simulation.shrink import shrunk

    begun = process_time()
    steps = shrunk(
        script_for(kill.profile, kill.seed).steps,
        lambda steps: kill.kind in lived(kill.profile, kill.seed, steps).kinds,
        lambda: process_time() - begun > WORTH,
    )
    return written(steps)


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
            tasks.append(Task(CLEAN + id, None, partial(kinds, short[id])))
        elif one.key != id and one.result == []:
            store(id, short[id])
            done.add(id)
    return sorted(set(kills) - done)
