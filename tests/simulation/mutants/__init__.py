"""The mutation gate: classic bugs of integrations, one at a time, in the very code that the packaged daemon runs.

Each must be found by the general checker from seeds that nobody picked; one that is not found is a fault of the
histories. ``python -m tests.simulation.mutants`` lists them, runs Lockstep with one of them and searches for the seeds
that kill them.
"""

from __future__ import annotations

from tests.simulation.mutants.agreeing import AGREEING
from tests.simulation.mutants.answering import ANSWERING
from tests.simulation.mutants.linking import LINKING
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.noticing import NOTICING
from tests.simulation.mutants.paging import PAGING
from tests.simulation.mutants.talking import TALKING
from tests.simulation.mutants.writing import WRITING

ALL = (*PAGING, *NOTICING, *WRITING, *ANSWERING, *TALKING, *AGREEING, *LINKING)
MUTANTS = {mutant.id: mutant for mutant in ALL}
#: of these, those that no history has killed yet: they are looked for on, and are no part of the gate
SOUGHT = frozenset(
    {
        "late-write-as-change",
        "newest-first",
        "no-overlap-servicenow",
        "second-write-hides-anothers",
    }
)


def mutant_of(id: str) -> Mutant:
    """The mutant of that id. Raises ``KeyError`` with the ids there are."""
    if id not in MUTANTS:
        raise KeyError(f"there is no mutant {id}; there are {', '.join(MUTANTS)}")
    return MUTANTS[id]
