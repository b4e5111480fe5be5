"""The admin's file: begun from what the trackers tell, and compared with them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from connectors.base import Failure
from sync import show
from sync.clock import SystemClock
from sync.commands.ending import QUIET, UNREACHABLE, USAGE, fail, program
from sync.commands.engines import loaded
from sync.compose import connect, edit_beside
from sync.config import ConfigProblems
from sync.doctor import examine, visit
from sync.doctor.show import as_json as told
from sync.doctor.show import as_text
from sync.edits.effects import edit_lines
from sync.interview import Unclear, look, page, put
from sync.interview.ask import interview
from sync.interview.flags import answers_of
from sync.interview.look import Eyes
from sync.interview.playbook import begin
from sync.setup import Setup
from sync.store import StateBroken


def begin_file(out: Path, **given: Any) -> None:
    """Interviews the admin, or takes the flags, looks at the trackers and writes the file; says what comes next."""
    eyes = Eyes(connect, SystemClock(), os.environ, out.absolute().parent)
    try:
        answers = answers_of(**given) if given["trackers"] else interview(eyes)
        today = eyes.clock.now().astimezone(ZoneInfo(answers.zone)).date()
        text = page(answers, look(answers, eyes), today, out.name)
        written = put(text, out, os.environ, eyes.typed, program())
    except Unclear as unclear:
        fail(str(unclear), USAGE)
    except Failure as failure:
        fail(str(failure), UNREACHABLE)
    for line in written:
        click.echo(line)


def begin_playbook(name: str, out: Path, *, force: bool, given: Mapping[str, Any]) -> None:
    """Writes the file and the roster of a shipped process; says what comes next. It takes no other answers."""
    stray = next((key for key, value in given.items() if value), "")
    if stray:
        fail(f"--playbook is a whole file: it takes no --{stray.rstrip('s')}; edit {out} instead", USAGE)
    try:
        written = begin(name, out, os.environ, program(), force=force)
    except Unclear as unclear:
        fail(str(unclear), USAGE)
    for line in written:
        click.echo(line)


def examined(path: Path, as_json: bool) -> int:
    """What the trackers say of the file: 2 where it does not fit them, 3 where one could not be asked."""
    setup = loaded(path)
    for line in said_of_edit(setup):
        click.echo(line, err=True)
    reports = visit(setup, SystemClock(), connect)
    findings = examine(setup, reports)
    if as_json:
        click.echo(json.dumps(told(str(path), reports, findings), indent=2))
    else:
        show.console().print(as_text(str(path), reports, findings))
    if any(finding.level == "error" for finding in findings):
        return USAGE
    return UNREACHABLE if any(report.failure for report in reports.values()) else QUIET


def said_of_edit(setup: Setup) -> list[str]:
    """What of the file is not in force yet; a state that cannot be read is named, and stops nobody who only asks."""
    try:
        return edit_lines(edit_beside(setup))
    except (StateBroken, ConfigProblems) as broken:
        return [str(broken)]
