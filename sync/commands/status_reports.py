"""The status report of a period: read from the trackers, written to a folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from connectors.base import Clock, Failure
from sync.commands.ending import QUIET, UNREACHABLE, USAGE, fail
from sync.commands.engines import loaded
from sync.compose import connect
from sync.report.asked import StatusReport
from sync.report.gather import gather
from sync.report.page import html, markdown, sheets
from sync.report.period import Period
from sync.report.tables import Tables, tables
from sync.setup import Setup

MISSING = (
    "{file} has no [status_report], so there is nothing to report. Write the section: since, incidents and the other "
    "parts; config.example.toml shows every key, and `init --playbook benefitscal` writes a whole file with one."
)


def write_report(path: Path, first: date, last: date, out: Path | None, clock: Clock) -> int:
    """Writes report.html, report.md and a CSV file for each table, and says where; what stood there is replaced."""
    if last < first:
        fail(f"the period ends on {last}, before it begins on {first}: --from is its first day, --to its last", USAGE)
    setup = loaded(path)
    if setup.status_report is None:
        fail(MISSING.format(file=path), USAGE)
    made = reported(setup, setup.status_report, Period(first, last, setup.zone, clock.now()), clock)
    folder = out or Path(f"report-{first}-to-{last}")
    for name, text in files(made).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    click.echo(f"{folder / 'report.html'}, with the same numbers in report.md and {len(sheets(made))} tables in csv.")
    return QUIET


def reported(setup: Setup, asked: StatusReport, period: Period, clock: Clock) -> Tables:
    """The report, or exit 2 where a tracker does not know a name in the file, 3 where one cannot be asked: a report
    that lacks a part would be believed."""
    if period.first > period.day(clock.now()):
        fail(f"the period begins on {period.first}, which is still to come", USAGE)
    try:
        found = gather(setup, asked, period, clock, connect)
    except Failure as failure:
        fail(f"{failure}; no report was written", UNREACHABLE)
    if found.problems:
        fail("\n".join(f"[status_report] {problem}" for problem in found.problems), USAGE)
    return tables(found.records, found.histories, asked, setup.fields, period, found.unread)


def files(made: Tables) -> dict[str, str]:
    """The texts by the name of their file."""
    csv = {f"csv/{id}.csv": text for id, text in sheets(made).items()}
    return {"report.html": html(made), "report.md": markdown(made), **csv}
