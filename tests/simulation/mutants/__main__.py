"""``python -m tests.simulation.mutants``: lists the mutants, runs Lockstep with one, searches for what kills them.

python -m tests.simulation.mutants                            the mutants, and what kills each
python -m tests.simulation.mutants ID -- run -c FILE          Lockstep itself, with that bug
python -m tests.simulation.mutants --search [ID ...]          searches for killing histories, and stores them
python -m tests.simulation.mutants --shrink [ID ...]          stores them with the fewest steps that still kill
python -m tests.simulation.mutants --happy [ID ...]           whether each keeps the happy path
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.mutants import MUTANTS, mutant_of
from tests.simulation.mutants.graft import graft
from tests.simulation.mutants.mutant import ROOT
from tests.simulation.mutants.seeds import Kill, store, stored


def main(words: Sequence[str]) -> int:
    """The exit code: 1 where a mutant survived, or does not keep the happy path."""
    if "--" in words:
        return lockstep(words[: words.index("--")], words[words.index("--") + 1 :])
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--search", action="store_true", help="search for a killing history of each")
    parser.add_argument("--again", action="store_true", help="also of those that have one; shrink what was shrunk")
    parser.add_argument("--replay", action="store_true", help="live the stored histories again; a line of JSON each")
    parser.add_argument("--shrink", action="store_true", help="find the fewest steps of the stored histories that kill")
    parser.add_argument("--happy", action="store_true", help="try the happy path of each")
    parser.add_argument("--histories", type=int, default=5000, help="the most for one mutant (5000)")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long")
    parser.add_argument("--jobs", type=int, default=0, help="processes at a time (as many as there are cores)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".histories", help="where what was tried is kept")
    given = parser.parse_args(words)
    chosen = [mutant_of(id).id for id in given.ids] or list(MUTANTS)
    if given.happy:
        return tried_happy(chosen, given.jobs)
    if given.replay:
        return lived_again(chosen, given.jobs)
    if given.shrink:
        return shrunk(chosen, given.jobs, again=given.again)
    if given.search:
        return searched(chosen, given)
    return listed(chosen)


def lockstep(ids: Sequence[str], words: Sequence[str]) -> int:
    """Lockstep's own command line, with the mutant in it."""
    (id,) = ids
    graft(mutant_of(id))
    import bot

    sys.argv = ["lockstep", *words]
    bot.main(prog_name="lockstep")
    return 0


def listed(ids: Sequence[str]) -> int:
    from rich.console import Console
    from rich.table import Table

    kills, table = stored(), Table("mutant", "bug", "killed by", "histories", "as")
    for id in ids:
        kill = kills.get(id)
        told = (f"{kill.profile} {kill.seed}", str(kill.histories), kill.kind) if kill else ("nothing yet", "", "")
        table.add_row(id, MUTANTS[id].bug, *told)
    Console().print(table)
    return 0 if all(id in kills for id in ids) else 1


def tried_happy(ids: Sequence[str], jobs: int) -> int:
    from tests.simulation.mutants.apart import Nursery, Task
    from tests.simulation.mutants.happy import happy

    wrong = 0
    for ended in Nursery(jobs).each(deque(Task(id, MUTANTS[id], happy) for id in ids)):
        wrong += ended.result != []
        print(f"{ended.key}: {'keeps it' if ended.result == [] else ended.error or ended.result}", flush=True)
    return 1 if wrong else 0


def lived_again(ids: Sequence[str], jobs: int) -> int:
    """What is found in the stored histories, with the mutants and without."""
    from tests.simulation.mutants.replay import replayed

    kills = {id: kill for id, kill in stored().items() if id in ids}
    found = replayed(MUTANTS, kills, jobs)
    for id, (shown, clean) in found.items():
        print(json.dumps({"id": id, "kind": kills[id].kind, "with": shown, "without": clean}))
    return 0 if all(kills[id].kind in shown and not clean for id, (shown, clean) in found.items()) else 1


def shrunk(ids: Sequence[str], jobs: int, *, again: bool) -> int:
    from tests.simulation.mutants.shrinking import shrink

    def found(id: str, kill: Kill) -> None:
        print(f"{id}: {len(kill.steps)} steps", flush=True)
        store({**stored(), id: kill})

    kills = {id: kill for id, kill in stored().items() if id in ids and (again or not kill.steps)}
    left = shrink(MUTANTS, kills, jobs, found)
    print(f"as long as before: {', '.join(left) or 'none'}")
    return 0


def searched(ids: Sequence[str], given: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from sandbox.people import PROFILES
    from tests.simulation.mutants.apart import Nursery
    from tests.simulation.mutants.search import Log, Search
    from tests.simulation.source import source_digest

    known = stored()
    todo = [MUTANTS[id] for id in ids if given.again or id not in known]
    began = time.monotonic()

    def found(id: str, kill: Kill) -> None:
        store({**stored(), id: kill})

    log = Log(given.folder / "mutants.json", source_digest(), found)
    with Progress(console=Console(stderr=True)) as bar:
        line = bar.add_task("mutants", total=len(todo))

        def told(text: str) -> None:
            bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
            bar.update(line, advance=": killed" in text or ": survives" in text)

        def over() -> bool:
            return bool(given.minutes) and time.monotonic() - began > given.minutes * 60

        search = Search(Nursery(given.jobs), todo, list(PROFILES), given.histories, told, log, over)
        try:
            search.run()
        except KeyboardInterrupt:
            print("stopped; the same command goes on from here", file=sys.stderr)
    left = [one.id for one in todo if one.id not in search.killed]
    print(f"{len(search.killed)} of {len(todo)} killed", f"; not yet: {', '.join(left)}" if left else "", sep="")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
