"""Log lines: named fields and an ``action`` in each, JSON for machines, to standard error. Secrets hide themselves
and no line ever holds the text of a comment."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog


def where(error: BaseException) -> str:
    """Where an exception came from, innermost last, without messages or values: those may hold private text."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " > ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)
    return f"{type(error).__name__} at {places}"


def configure(level: str, *, as_json: bool = False) -> None:
    """Sets up logging for the process; the client libraries' own lines are shown from warnings on."""
    number = getattr(logging, level.upper())
    # never the formatter that shows local variables: they hold comments
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer = structlog.processors.JSONRenderer() if as_json else console
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.ERROR), stream=sys.stderr)
