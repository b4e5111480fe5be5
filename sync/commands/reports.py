"""A listing shown or sent out of its turn, and links that somebody watches."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from mappings.wording import in_utc
from sync.clock import SystemClock
from sync.commands.asks import requested
from sync.commands.ending import QUIET, UNREACHABLE, USAGE, fail
from sync.commands.engines import loaded, opened
from sync.joining.relink import Declined
from sync.listing.asked import made, report_of
from sync.listing.send import as_text


def send_report(path: Path, id: str, moment: datetime | None, *, dry_run: bool) -> int:
    """Sends a report as if it were due at ``moment`` (``None``: now), or prints it; 3 where a tracker that is asked did
    not answer."""
    due = moment or SystemClock().now()
    if not dry_run:
        told(path, id)
        return requested(path, "send", [id, due.isoformat()])
    engine = opened(path, SystemClock(), exclusive=False, patient=True)
    try:
        report_of(engine.setup, id)
    except Declined as declined:
        fail(str(declined), USAGE)
    try:
        report, letters = made(engine, id, due)
    except Declined as declined:
        fail(str(declined), UNREACHABLE)
    click.echo("\n".join(map(as_text, letters)) or f"Nothing moved since {in_utc(report.at.before(due))}.")
    return QUIET


def told(path: Path, id: str) -> None:
    """Ends the command where the file has no such report."""
    try:
        report_of(loaded(path), id)
    except Declined as declined:
        fail(str(declined), USAGE)
