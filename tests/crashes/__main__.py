"""Every single boundary, or every pair of them, on all cores:

    python -m tests.crashes [--pairs] [--minutes N] [--scenario WORD] [--kept FILE]

What was played is kept in a file and not played again; a change of the code begins anew. Exit code 1 where anything is
wrong.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from sync.log import configure
from tests.crashes.play import playing
from tests.crashes.scenarios import SCENARIOS
from tests.crashes.work import Outcome, Task, begin, carry_out, memory

HERE = Path(__file__).resolve().parent.parent.parent
KEPT = Path(tempfile.gettempdir()) / "lockstep-crashes.jsonl"


def digest() -> str:
    """What was played, in a word: the code of the product, of the sandbox and of the plays."""
    parts = ("bot.py", "connectors", "mappings", "sync", "sandbox", "tests/crashes")
    files = sorted(file for part in parts for file in ([HERE / part] if part == "bot.py" else (HERE / part).rglob("*")))
    found = hashlib.sha256()
    for file in files:
        if file.suffix in (".py", ".toml"):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


def earlier(kept: Path, code: str) -> dict[Task, Outcome]:
    """What was played before with the same code."""
    if not kept.exists():
        return {}
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    outcomes = [Outcome(Task(**one["task"]), one["ends"], one["wrong"]) for one in lines if one["code"] == code]
    return {outcome.task: outcome for outcome in outcomes}


def tasks_of(names: Iterable[str], pairs: bool) -> Iterator[Task]:
    """One for each boundary of the undisturbed lives."""
    for name in names:
        with tempfile.TemporaryDirectory(dir=memory()) as folder, playing(name, Path(folder)) as play:
            boundaries = len(play.photos)
        yield from (Task(name, first, pairs) for first in range(boundaries))


def told(outcomes: Iterable[Outcome], asked: int) -> Table:
    """The table: a row a scenario."""
    by: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by[outcome.task.scenario].append(outcome)
    played = sum(len(some) for some in by.values())
    table = Table(title=f"{played} of {asked} first kills played")
    for name in ("scenario", "first kills", "ends", "wrong"):
        table.add_column(name, justify="left" if name == "scenario" else "right")
    rows = [(n, len(some), sum(o.ends for o in some), sum(len(o.wrong) for o in some)) for n, some in by.items()]
    for row in (*sorted(rows), ("all", played, sum(r[2] for r in rows), sum(r[3] for r in rows))):
        table.add_row(*map(str, row))
    return table


@click.command()
@click.option("--pairs", is_flag=True, help="The recovery is killed too, at each of its boundaries.")
@click.option("--minutes", type=float, default=0, help="Stop after so long; the next run goes on.")
@click.option("--scenario", default="", help="Only those whose name has this in it.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--kept", type=click.Path(dir_okay=False, path_type=Path), default=KEPT, show_default=True)
def main(pairs: bool, minutes: float, scenario: str, jobs: int, kept: Path) -> None:
    configure("critical")
    end = time.monotonic() + minutes * 60 if minutes else float("inf")
    code = digest()
    asked = list(tasks_of([name for name in SCENARIOS if scenario in name], pairs))
    done = {task: outcome for task, outcome in earlier(kept, code).items() if task in asked}
    todo = [task for task in asked if task not in done]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
    with multiprocessing.get_context("spawn").Pool(jobs, begin) as pool, kept.open("a") as file, bar:
        shown = bar.add_task("first kills", total=len(asked), completed=len(done))
        for outcome in pool.imap_unordered(carry_out, todo):
            done[outcome.task] = outcome
            file.write(json.dumps({"code": code, **asdict(outcome)}) + "\n")
            file.flush()
            ends = sum(one.ends for one in done.values())
            bar.update(shown, advance=1, description=f"{ends} ends, {sum(len(o.wrong) for o in done.values())} wrong")
            if time.monotonic() > end:
                break
    out = Console()
    out.print(told(done.values(), len(asked)))
    for outcome in done.values():
        for place, wrong in outcome.wrong.items():
            out.print(f"{outcome.task.scenario}, killed at {place}:", *wrong[:10], sep="\n  ", markup=False)
    sys.exit(any(outcome.wrong for outcome in done.values()))


if __name__ == "__main__":
    main()
