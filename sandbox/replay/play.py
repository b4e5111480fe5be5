"""Playing a replay to its end: windows, passes, storms, checkpoints, and the report."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox.estate import Estate
from sandbox.replay.acts import Window
from sandbox.replay.checker import Checker
from sandbox.replay.course import Passed
from sandbox.replay.replay import Replay
from sandbox.replay.report import Finding, Report
from sandbox.replay.storm import OVER, POLL, Storm
from sandbox.server import Entry

#: ``progress(done, total)`` after each window
Progress = Callable[[int, int], None]
#: one pass of the bot; what it returns is its own affair
OnePass = Callable[[], object]
CHECKPOINTS = 20
#: requests whose answers change nothing, though they are no GETs
_READS = ("/search/jql", "/bulkfetch", "/wiql", "/workitemsbatch", "/workitemrevisions", "/approximate-count")


@dataclass
class Play:
    """A replay under way."""

    estate: Estate
    replay: Replay
    one_pass: OnePass
    checker: Checker
    storm: Storm | None = None
    report: Report = field(default_factory=Report)
    findings: dict[Finding, None] = field(default_factory=dict)
    first: tuple[Finding, ...] = ()

    def window(self, window: Window) -> None:
        """The passes that belong to a window: one, or, in a storm, as many as the daemon would make of them."""
        stormy = self.storm.comes() if self.storm else 0
        passes = [self.passed(stormy=True) for _ in range(stormy)]
        if self.storm is None or not stormy or self.storm.calms():
            passes.append(self.passed(stormy=False, later=bool(passes)))
        self.checker.window(window, passes)
        self.report.windows += 1
        self.report.acts.update(act.kind for act in window.acts)

    def passed(self, *, stormy: bool = False, later: bool = False) -> Passed:
        """One pass; ``later``: half a minute after the one before, as the daemon would poll."""
        struck = self.storm.struck if self.storm else 0
        if self.storm:
            self.storm.blow(stormy)
        if stormy or later:
            self.estate.clock.advance(POLL)
        late = bool(self.storm and self.storm.lagging)
        begun = self.estate.clock.tick()
        self.one_pass()
        self.report.passes += 1
        self.tally()
        calm = not late and (self.storm is None or (self.storm.struck == struck and not stormy))
        return Passed(begun, self.estate.clock.tick(), calm)

    def checkpoint(self) -> None:
        """Lets every fault be over, lets a pass run, and judges."""
        if self.storm:
            self.storm.blow(False)
            self.estate.clock.advance(OVER)
            self.checker.passes.append(self.passed())
        self.report.checkpoints += 1
        self.findings.update(dict.fromkeys(self.checker.check()))

    def tally(self) -> None:
        """Counts the requests since, and forgets them."""
        entries = self.estate.log.entries
        reads = sum(map(is_read, entries))
        self.report.reads += reads
        self.report.writes += len(entries) - reads
        entries.clear()

    def finished(self) -> Report:
        comments, copies, notes = self.checker.totals()
        eligible = len(self.checker.eligible(None))
        links = sum(len(items) > 1 for items in self.checker.marks.links.values())
        return replace(
            self.report,
            incidents=len(self.replay.caller.incidents),
            eligible=eligible,
            links=links,
            comments=comments,
            copies=copies,
            notes=notes,
            faults=self.storm.struck if self.storm else 0,
            findings=tuple(self.findings),
        )


def is_read(entry: Entry) -> bool:
    """Whether a request changes nothing."""
    return changes_nothing(entry.method, entry.path)


def changes_nothing(method: str, path: str) -> bool:
    return method in ("GET", "OPTIONS", "HEAD") or path.lower().endswith(_READS)


def play(
    estate: Estate,
    replay: Replay,
    one_pass: OnePass,
    checker: Checker,
    *,
    storm: Storm | None = None,
    checkpoints: int = CHECKPOINTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Plays everything: after each window one pass of the bot, after ``checkpoints`` seeded ones and at the end a check
    of every side. The report's ``held`` is for the caller to fill in."""
    under_way = Play(estate, replay, one_pass, checker, storm)
    total = len(replay)
    stops = set(random.Random(seed).sample(range(total), min(checkpoints, total)))
    for window in replay:
        under_way.window(window)
        if window.number in stops:
            under_way.checkpoint()
        if progress:
            progress(window.number + 1, total)
    under_way.checkpoint()
    return under_way.finished()
