"""How a command ends: exit codes, and a sentence for the person who typed it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

QUIET, HELD, USAGE, UNREACHABLE, GUARD, LOCKED = range(6)
CODES = (
    "Exit codes: 0 quiet, 1 something held or failed, 2 configuration or usage, 3 a tracker unreachable, "
    "4 stopped: a guard tripped, or what is to be written waits for a freeze or a pause to end, "
    "5 another instance holds the state."
)


def fail(message: str, code: int) -> NoReturn:
    """Says what is wrong and ends the command."""
    click.echo(message, err=True)
    sys.exit(code)


def program() -> str:
    """How this program was called: by its name once it is installed, else the words that were typed."""
    return f"{sys.orig_argv[0]} {sys.argv[0]}" if Path(sys.argv[0]).name == "bot.py" else "lockstep"
