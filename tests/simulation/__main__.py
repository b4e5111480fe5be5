"""``python -m tests.simulation``: histories of the whole engine under one seed each, judged by the checker.

Goes on where it stopped as long as the code is the same; ends by number, by time or with Ctrl-C, each time with the
checker's table. What goes wrong is shrunk, told in sentences and kept as a test.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sandbox.people import PROFILES
from tests.simulation.hands import Hand, Unready
from tests.simulation.kept import Kept, keep
from tests.simulation.ledger import Ledger, Taken
from tests.simulation.outcome import Outcome, steps_of
from tests.simulation.report import closing, report
from tests.simulation.runner import Case, Run, Wanted, cases
from tests.simulation.source import ROOT, commit, source_digest

FOLDER = ROOT / ".histories"
console = Console(stderr=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--profile", "profiles", multiple=True, type=click.Choice(list(PROFILES)), help="Histories of this kind.")
@click.option("--histories", type=click.IntRange(1), help="So many in all, those lived before among them.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Begin none after so many minutes.")
@click.option("--from", "first", type=click.IntRange(0), default=0, show_default=True, help="The first seed.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, help="What was lived before; .histories.")
@click.option("--mutant", default="", metavar="ID", help="With this bug in the engine; nothing is kept as a test.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="every core")
@click.option("--keep-going", is_flag=True, help="Go on after a history that went wrong.")
@click.option("--store/--no-store", default=True, show_default=True, help="Keep what went wrong as a test.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--tell", type=click.IntRange(0), metavar="SEED", help="Only tell one history of the one --profile.")
@click.option("--steps", metavar="STEPS", help="With --tell: only these of its steps.")
def main(
    profiles: tuple[str, ...],
    mutant: str,
    store: bool,
    as_json: bool,
    tell: int | None,
    steps: str | None,
    **given: Any,
) -> None:
    """Lives histories of people, faults and crashes around the whole engine, and counts what went wrong.

    Without --histories and --minutes: 200 of them. Ends with 1 if anything was found, with 2 if it could not run."""
    if tell is not None:
        tell_one(profiles, tell, steps, mutant)
        return
    wanted = wanted_of(profiles or tuple(PROFILES), mutant, **given)
    try:
        ledger = Ledger(given["folder"], source_digest(), mutant)
    except Taken as taken:
        raise NoRun(str(taken)) from None
    try:
        run = live(wanted, ledger)
    except Unready as unready:
        raise NoRun(str(unready)) from None
    found = cases(ledger.tally.wrong, mutant, workers=wanted.workers)
    kept = [keep(kept_of(case)) for case in found if case.steps is not None] if store and not mutant else []
    tell_all(run, found, as_json, any(kept))
    ledger.close()
    sys.exit(0 if ledger.tally.clean and not run.moved else 1)


def wanted_of(
    profiles: tuple[str, ...],
    mutant: str,
    *,
    histories: int | None,
    minutes: float | None,
    first: int,
    workers: int,
    keep_going: bool,
    folder: Path,
) -> Wanted:
    number = histories or (0 if minutes else 200)
    return Wanted(profiles, number, (minutes or 0) * 60, first, workers, mutant, keep_going)


def live(wanted: Wanted, ledger: Ledger) -> Run:
    """The run under its progress bar; Ctrl-C lets what is under way end, a second one does not wait."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        before = sum(key in ledger.done for key in wanted.all()) if wanted.histories else ledger.tally.histories
        task = bar.add_task("histories", total=wanted.histories or None, completed=before, rate="")
        lived = itertools.count(1)

        def told(outcome: Outcome) -> None:
            now = next(lived)
            rate = f"{now / max(run.elapsed, 0.1):.1f}/s  {len(ledger.tally.wrong)} wrong"
            bar.update(task, completed=before + now, rate=rate)

        run = Run(wanted, ledger, told)
        with ending(run.over.set):
            run.go()
    return run


class NoRun(click.ClickException):
    """It could not begin."""

    exit_code = 2


class ending:
    """Ctrl-C calls ``over`` the first time; a second one, a while later, ends everything at once."""

    def __init__(self, over: Callable[[], None]) -> None:
        self.over = over
        self.asked = 0.0

    def __enter__(self) -> None:
        self.before = signal.signal(signal.SIGINT, self.signalled)

    def signalled(self, number: int, frame: FrameType | None) -> None:
        if self.asked and time.monotonic() - self.asked > 1:  # what stops a whole group may signal twice
            raise KeyboardInterrupt
        self.asked = self.asked or time.monotonic()
        self.over()

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self.before)


def kept_of(case: Case) -> Kept:
    assert case.steps is not None
    return Kept(case.profile, case.seed, case.steps, case.finding.kind, str(case.finding), commit())


def tell_all(run: Run, found: Sequence[Case], as_json: bool, kept: bool) -> None:
    if as_json:
        click.echo(json.dumps(report(run, found), indent=2))
        return
    for case in found:
        click.echo("\n".join(["═" * 100, case.heading(), "", *case.story, ""]))
    click.echo(closing(run))
    if kept:
        click.echo("What went wrong stands in tests/simulation/seeds.toml and is a test from now on.")


def tell_one(profiles: tuple[str, ...], seed: int, steps: str | None, mutant: str) -> None:
    if len(profiles) != 1:
        raise click.UsageError("--tell wants one --profile")
    hand = Hand(1, mutant)
    click.echo("\n".join(hand.tell(profiles[0], seed, None if steps is None else steps_of(steps.split()))))
    hand.close()


if __name__ == "__main__":
    main()
