"""What a run came to: the checker's table, and under which circumstances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.simulation.outcome import written
from tests.simulation.runner import Case, Run
from tests.simulation.source import commit
from tests.simulation.tally import span


def closing(run: Run) -> str:
    """The table, and the lines under it."""
    tally = run.ledger.tally
    if not tally.histories:
        return "No history was lived."
    return "\n".join([tally.table(), "", *circumstances(run)])


def circumstances(run: Run) -> list[str]:
    ledger, tally = run.ledger, run.ledger.tally
    first, last = tally.seeds or (0, 0)
    share = tally.twice / tally.histories
    lines = [
        f"{commit() or 'outside a repository'}, source {run.digest}, {run.name[:10]}, {span(ledger.seconds)}, "
        f"seeds {first} to {last}; {tally.twice:,} of {tally.histories:,} ({share:.1%}) were lived twice, in two "
        "processes with other hashes",
        f"{tally.histories / max(ledger.seconds, 0.1):.2f} histories a second",
    ]
    if run.wanted.mutant:
        lines.insert(0, f"with the mutant {run.wanted.mutant}")
    if run.moved:
        lines.append("It ended early: the code was changed under it. What counts is what was lived before.")
    if tally.wrong and not run.wanted.keep_going:
        lines.append("It ended at what went wrong; --keep-going goes on.")
    return lines


def report(run: Run, found: Sequence[Case]) -> dict[str, Any]:
    """The same as plain values."""
    ledger = run.ledger
    return {
        "commit": commit(),
        "source": run.digest,
        "date": run.name,
        "seconds": round(ledger.seconds, 1),
        "histories": ledger.tally.histories,
        "mutant": run.wanted.mutant,
        "moved": run.moved,
        **ledger.tally.as_json(),
        "cases": [
            {
                "profile": case.profile,
                "seed": case.seed,
                "kind": case.finding.kind,
                "text": str(case.finding),
                "steps": None if case.steps is None else written(case.steps),
                "story": list(case.story),
            }
            for case in found
        ],
    }
