"""What a person asks of whoever holds the state, and says to its brakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from sync.clock import SystemClock
from sync.commands.ending import HELD, LOCKED, QUIET, USAGE, fail
from sync.commands.engines import at_rest, loaded
from sync.commands.passes import progress_bar
from sync.config import ConfigProblems
from sync.engine import Engine
from sync.freezing.brake import Unpaused
from sync.log import configure
from sync.requests.ask import ask, asker
from sync.store import DONE, Fenced, StateBroken


def requested(path: Path, kind: str, args: Sequence[Any], *, patience: float = 0) -> int:
    """Has something done by whoever holds the state, and prints the answer."""
    configure("error")
    try:
        with progress_bar() as tick:
            request = ask(loaded(path), SystemClock(), kind, args, asker(), patience, tick)
    except (StateBroken, ConfigProblems) as broken:
        fail(str(broken), LOCKED if isinstance(broken, Fenced) else USAGE)
    if not request.outcome:
        fail("The running Lockstep has not answered yet; it takes this up with its next pass.", LOCKED)
    click.echo(request.answer, err=request.outcome != DONE)
    return QUIET if request.outcome == DONE else HELD


def say_to_brakes(path: Path, say: Callable[[Engine, str], str]) -> None:
    """What a person says of pauses and guards: a fact in the state, which a running daemon heeds before its next
    write."""
    engine = at_rest(path)
    if not engine.store.lasting:
        fail("there is no state yet: Lockstep has not run with this file", USAGE)
    try:
        click.echo(say(engine, asker()))
    except Unpaused as unpaused:
        fail(str(unpaused), USAGE)
