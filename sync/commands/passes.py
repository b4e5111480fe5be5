"""Reconciling under a progress bar, and what came of it; the daemon."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
import structlog
from rich.progress import Progress

from sync import show
from sync.clock import SystemClock
from sync.commands.ending import GUARD, HELD, LOCKED, QUIET, UNREACHABLE, USAGE, fail
from sync.commands.engines import opened
from sync.compose import recompose
from sync.config import ConfigProblems, load
from sync.edits.effects import edit_lines
from sync.engine import Engine
from sync.freezing.brake import told_frozen
from sync.reconcile import Pass, reconcile
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from sync.setup import Setup
from sync.store import Fenced, StateBroken


def run_reconcile(engine: Engine, *, over_guard: bool = False) -> int:
    """Reconciles under a progress bar and tells what came of it; the exit code."""
    try:
        with progress_bar() as tick:
            passes = reconcile(engine, over_guard=over_guard, progress=tick)
    except StateBroken as broken:
        fail(str(broken), LOCKED if isinstance(broken, Fenced) else USAGE)
    show.console().print(show.summary(passes))
    for line in (*show.failures(passes), *told_frozen(engine), *edit_lines(engine.edit)):
        click.echo(line, err=True)
    return outcome(engine, passes)


def outcome(engine: Engine, passes: list[Pass]) -> int:
    """The exit code of these passes."""
    if passes[-1].stopped:
        return GUARD
    if passes[-1].failures:
        return UNREACHABLE
    left = engine.store.counts()["held"] or engine.store.unsent() or not passes[-1].quiet
    return HELD if left else QUIET


def run_daemon(path: Path) -> None:
    """Runs on the file until SIGTERM; an edit of it that is broken is told and refused."""
    log = structlog.get_logger()
    signals = Signals()
    signals.listen()
    signals.watch(path.resolve())
    engine = opened(path, SystemClock(), exclusive=True, patient=True)
    engine.stopping = signals.stopping

    def reload() -> Setup | None:
        try:
            return load(path)
        except ConfigProblems as problems:
            for one in problems.problems:
                told = {"place": f"{one.file}:{one.line}", "key": one.key, "reason": one.said()}
                log.error("edited file not taken into force, the old one stays", action="reload", **told)
            return None

    daemon = Daemon(engine, signals, reload, recompose)
    daemon.tell_edit()
    try:
        daemon.run()
    except Fenced as fenced:
        log.error("this Lockstep writes nothing more and ends", action="run", reason=str(fenced))
        sys.exit(LOCKED)
    finally:
        signals.stopping.set()
        daemon.engine.close()


class progress_bar:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, what: str = "links") -> None:
        self.what = what

    def __enter__(self) -> Callable[[int, int], None]:
        self.bar = Progress(transient=True, disable=not sys.stderr.isatty())
        self.bar.start()
        self.task = self.bar.add_task(self.what, total=None)
        return lambda done, total: self.bar.update(self.task, completed=done, total=total)

    def __exit__(self, *error: object) -> None:
        self.bar.stop()
