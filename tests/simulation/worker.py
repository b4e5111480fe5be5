"""A process that lives histories one after the other: a line of JSON comes in for each, and one goes out.

``python -m tests.simulation.worker [MUTANT]``; started by ``hands``. The mutant is grafted before the engine is
imported.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, TextIO

from tests.simulation.outcome import steps_of


def work(asked: TextIO, told: TextIO) -> None:
    """Says that it is ready, and answers until nothing more is asked."""
    import tests.simulation.story  # noqa: F401  # the whole engine: what cannot be imported is no history's fault

    print("ready", file=told, flush=True)
    for line in asked:
        print(answer(json.loads(line)), file=told, flush=True)


def answer(job: dict[str, Any]) -> str:
    """A history lived, as a line of JSON; for a job that wants it ``told``, its sentences."""
    from tests.simulation.history import lived
    from tests.simulation.story import story

    steps = None if job["steps"] is None else steps_of(job["steps"])
    if job["told"]:
        return json.dumps(story(job["profile"], job["seed"], steps))
    return lived(job["profile"], job["seed"], steps).line()


def begin(mutant: str) -> None:
    """With the mutant's bug in every module of ours that is imported from now on."""
    if mutant:
        from tests.simulation.mutants import mutant_of
        from tests.simulation.mutants.graft import graft

        graft(mutant_of(mutant))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner says when it is over
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever prints must not stand between the answers
    begin(sys.argv[1] if len(sys.argv) > 1 else "")
    with suppress(BrokenPipeError):  # nobody wants to know any more
        work(sys.stdin, answers)
