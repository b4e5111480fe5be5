"""An instance put together for a command: with its trackers open, or at rest beside a running daemon."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path

import click

from connectors.base import Clock
from mappings.wording import many
from sync.clock import SystemClock
from sync.commands.ending import LOCKED, UNREACHABLE, USAGE, fail
from sync.compose import compose, mismatches
from sync.config import ConfigProblems, load_with_warnings
from sync.engine import Engine
from sync.setup import Setup
from sync.store import StateBroken, StateLocked


def loaded(path: Path) -> Setup:
    """The file, or every problem in it and exit 2."""
    try:
        setup, warnings = load_with_warnings(path)
    except ConfigProblems as problems:
        fail(str(problems), USAGE)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return setup


def checked(path: Path) -> str:
    """What a sound file holds, in a line; ends the command with every problem of one that is not."""
    setup = loaded(path)
    written = [one for one in setup.paths if one.source not in one.targets]  # siblings are no path of the file
    parts: dict[str, Sized] = {"side": setup.sides, "stage": setup.stages.stages, "route": setup.routes}
    parts |= {"field": setup.fields, "comment path": written, "rule": setup.rules, "report": setup.reports}
    return f"{path}: {', '.join(many(len(some), name) for name, some in parts.items())}. No problems."


def opened(path: Path, clock: Clock, *, exclusive: bool, patient: bool = False, trial: bool = False) -> Engine:
    """An engine with its trackers open. Names in the file that a tracker does not know end it with exit 2; so does no
    tracker at all with 3, unless ``patient``: a daemon goes on without the one that is down. ``trial``: to see what an
    edited file would do."""
    setup = loaded(path)
    return ready(setup, clock, path, exclusive=exclusive, patient=patient, trial=trial)


def ready(
    setup: Setup, clock: Clock, path: Path, *, exclusive: bool, patient: bool = False, trial: bool = False
) -> Engine:
    """The same, for a file that was read already; it is closed with the command. A state that is held by another ends
    it with exit 5, one that cannot be read with 2."""
    try:
        engine = compose(setup, clock, exclusive=exclusive, trial=trial)
    except StateLocked as locked:
        fail(str(locked), LOCKED)
    except (StateBroken, ConfigProblems) as broken:
        fail(str(broken), USAGE)
    click.get_current_context().call_on_close(engine.close)
    for failure in engine.open().values():
        click.echo(str(failure), err=True)
    wrong = [f"{path}:{m.line}: {m.path}: {m.text}" for m in mismatches(engine)]
    if wrong:
        fail("\n".join(wrong), USAGE)
    if engine.closed and len(engine.closed) == len(engine.connectors) and not patient:
        fail("No tracker can be worked with; nothing was done.", UNREACHABLE)
    return engine


def at_rest(path: Path) -> Engine:
    """The state beside a running daemon: read, never written, no tracker asked."""
    try:
        engine = compose(loaded(path), SystemClock(), exclusive=False)
    except (StateBroken, ConfigProblems) as broken:
        fail(str(broken), USAGE)
    click.get_current_context().call_on_close(engine.close)
    return engine
