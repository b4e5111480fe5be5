"""The daemon: passes over what moved, a sweep now and then, until it is told to stop."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from connectors.base import LockedOut
from sync.compose import Unfit, mismatches
from sync.engine import Engine
from sync.freezing.freeze import Frost
from sync.joining.lost import BORN
from sync.log import where
from sync.notice import JITTERED
from sync.reconcile import SWEPT, Pass, one_pass
from sync.running.alive import Beat, Watch, pass_ended
from sync.running.audit import daily
from sync.running.signals import Signals
from sync.running.trouble import Trouble
from sync.setup import Setup
from sync.store import Fenced, StateBroken

Reload = Callable[[], Setup | None]


class Daemon:
    """Runs passes at the file's pace. ``reload`` gives the edited file, or ``None`` where it is broken: then the old
    one stays in force. ``rebuild`` makes an engine of a new file on the same state."""

    def __init__(
        self, engine: Engine, signals: Signals, reload: Reload, rebuild: Callable[[Setup, Engine], Engine]
    ) -> None:
        self.engine = engine
        self.signals = signals
        self.reload = reload
        self.rebuild = rebuild
        self.checked = set(engine.opened)
        self.swept: datetime | None = None
        self.frosts: tuple[Frost, ...] = ()
        self.log = structlog.get_logger()
        self.beat = Beat()
        self.trouble = Trouble()
        self.watch = Watch(lambda: self.engine)

    def run(self) -> None:
        """Until told to stop. What goes wrong in a pass is logged and the next one tries again. Raises ``Fenced`` where
        another process works on the state now."""
        signals = self.signals
        signals.at_work = True
        self.watch.start(signals.stopping)
        while not signals.stopping.is_set():
            if signals.edited.is_set():
                signals.edited.clear()
                self.take_edit()
            self.once()
            pause = self.engine.setup.poll.total_seconds()
            signals.wake.wait(pause * random.uniform(0.9, 1.1))
            signals.wake.clear()  # after the wait: a signal that comes in before the next look is seen by that look

    def once(self) -> Pass | None:
        """One pass, as a sweep when one is due. Raises ``Fenced``."""
        swept = self.swept
        try:
            done = one_pass(self.engine, sweep=self.sweep_due())
        except Fenced:
            raise
        except StateBroken as broken:
            self.swept = swept
            self.trouble.met(self.engine, broken)
            return None
        except Exception as error:
            self.swept = swept
            self.log.error("defect in Lockstep, the pass is tried again", action="pass", where=where(error))
            return None
        self.check_names()
        self.tell(done)
        self.ended(done)
        return done

    def ended(self, done: Pass) -> None:
        """The pass came to its end: those who watch hear of it."""
        self.watch.passed()
        try:
            if done.writes or done.refused or done.unsettled:
                self.engine.store.note("last pass", [done.at.isoformat(), done.writes, done.refused])
            pass_ended(self.engine)
            self.trouble.over(self.engine)
            daily(self.engine)
        except Fenced:
            raise
        except StateBroken as broken:
            self.trouble.met(self.engine, broken)
        except Exception as error:
            self.log.error("defect in Lockstep, the passes go on", action="alive", where=where(error))
        self.beat.strike(self.engine.setup.notices.beat)

    def sweep_due(self) -> bool:
        """Whether this pass is to be a sweep, counted from the last one of whatever process, and before the first from
        the beginning of the state: one that is started anew within each hour would never come to it. Jittered, so that
        several instances do not sweep together."""
        now = self.engine.now()
        if self.swept is None:
            began = self.engine.store.noted(BORN) or {"at": now.isoformat()}
            self.swept = datetime.fromisoformat(self.engine.store.noted(SWEPT) or began["at"])
        due = not timedelta(0) <= now - self.swept < self.engine.setup.sweep * random.uniform(JITTERED, 2 - JITTERED)
        if due:
            self.swept = now
        return due

    def check_names(self) -> None:
        """A tracker that was down at the start is held against the file when it joins."""
        if not self.engine.opened <= self.checked:
            for wrong in mismatches(self.engine):
                self.log.error(
                    "the file does not fit", action="open", line=wrong.line, key=wrong.path, reason=wrong.text
                )
        self.checked |= self.engine.opened

    def tell(self, done: Pass) -> None:
        self.tell_frost(done)
        for tracker, failure in done.failures.items():
            loud = self.log.error if isinstance(failure, LockedOut) else self.log.warning
            loud(
                "tracker left out", action="pass", tracker=tracker, failure=type(failure).__name__, reason=str(failure)
            )
        if done.writes or done.refused or done.unsettled:
            self.log.info(
                "pass", action="pass", links=done.links, writes=done.writes, refused=done.refused, open=done.unsettled
            )

    def tell_frost(self, done: Pass) -> None:
        """Says once when the writing stops and when it goes on."""
        if done.frosts and done.frosts != self.frosts:
            self.log.warning("frozen, nothing is written", action="pass", reason="; ".join(map(str, done.frosts)))
        elif self.frosts and not done.frosts:
            self.log.info("thawed, writing goes on", action="pass")
        self.frosts = done.frosts

    def take_edit(self) -> None:
        """Takes a new file into force, or says why not and keeps the old one."""
        # first: a signal that comes while the file is read asks for another reading
        forced, self.signals.forced = self.signals.forced, False
        setup = self.reload()
        if setup is None:
            if forced:
                self.signals.forced = True
            return
        if setup.digest == self.engine.setup.digest and not forced:
            return
        try:
            self.engine = self.rebuild(setup, self.engine)
        except Unfit as unfit:
            self.log.error("edited file not taken into force, the old one stays", action="reload", reason=str(unfit))
            return
        except StateBroken as broken:
            self.log.error("edited file not taken into force yet", action="reload", reason=str(broken))
            self.signals.forced = self.signals.forced or forced
            self.signals.edited.set()
            return
        self.checked = set(self.engine.opened)
        self.tell_edit()
        what = "file taken into force" if self.engine.edit is None else "the rest of the file taken into force"
        self.log.info(what, action="reload", digest=setup.digest[:12])

    def tell_edit(self) -> None:
        """Says what of the file is not in force yet."""
        if self.engine.edit is None:
            return
        for one in self.engine.edit.waits:
            self.log.warning("edit waits for apply", action="reload", line=one.line, key=one.key, reason=one.means)
        for rule in self.engine.edit.rules:
            reason = "it names what is not in force yet"
            self.log.warning("rule waits for apply", action="reload", key=f"rules.{rule}", reason=reason)
