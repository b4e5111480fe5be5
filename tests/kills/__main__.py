"""Kills the packaged daemon again and again, and counts what was lost or doubled:

    python -m tests.kills --kills 300 [--state postgresql+psycopg://...] [--minutes N] [--seed N]

A PostgreSQL database is given a schema for the run, which goes with it. Exit code 1 where anything is wrong; the
daemon's log is kept then.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.kills.run import Run, Wrong
from tests.kills.states import a_state

#: kills between two looks at everything
LOOK_EVERY = 25


@click.command()
@click.option("--kills", default=25, show_default=True)
@click.option("--state", default="", help="A PostgreSQL database instead of a SQLite file.")
@click.option("--minutes", type=float, default=0, help="Stop after so long.")
@click.option("--seed", default=1, show_default=True, help="What people do, and when the kills come.")
def main(kills: int, state: str, minutes: float, seed: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lockstep-kills-"))
    end = time.monotonic() + minutes * 60 if minutes else float("inf")
    with a_state(folder, state) as url:
        run = Run(folder, url, seed)
        try:
            wrong = play(run, kills, end)
        finally:
            run.close()
    Console().print(told(run, wrong))
    if wrong:
        print(f"{wrong}\nThe daemon's log is in {folder}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(folder)


def play(run: Run, kills: int, end: float) -> str:
    """What went wrong, if anything did; stops there, after the last kill, or when the time is over."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
    with bar:
        shown = bar.add_task("kills", total=kills)
        try:
            for number in range(1, kills + 1):
                run.kill()
                bar.update(shown, advance=1)
                last = number == kills or time.monotonic() > end
                if last or number % LOOK_EVERY == 0:
                    bar.update(shown, description="looking")
                    run.calm()
                    bar.update(shown, description="kills")
                if last:
                    break
        except Wrong as wrong:
            return str(wrong)
    return ""


def told(run: Run, wrong: str) -> Table:
    """The table."""
    table = Table("what", "how many", title="the packaged daemon, killed with SIGKILL")
    table.columns[1].justify = "right"
    table.add_row("kills", str(run.kills.total()))
    for way, times in sorted(run.kills.items()):
        table.add_row(f"  {way}", str(times))
    words = sum(len(case.words) for case in run.people.cases)
    table.add_row("looks at everything", str(run.looks))
    table.add_row("items wanted, each once", str(3 * len(run.people.cases)))
    table.add_row("comments of people, each once on three items", str(words))
    table.add_row("lost, doubled, diverged or written again", "see below" if wrong else "0")
    return table


if __name__ == "__main__":
    main()
