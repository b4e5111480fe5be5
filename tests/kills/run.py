"""A run: the trackers' process, the daemon's lives, and what the people and the checker do in between."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TextIO

from sync.commands.ending import LOCKED, QUIET
from tests.kills.people import People, Verdict, look
from tests.world import writes

HERE = Path(__file__).resolve().parent.parent.parent
#: how the kills come
ANY, BEFORE, AFTER = WAYS = ("at any instant", "before a write took effect", "after a write took effect")
#: how long the daemon may take to ask its first question, an armed kill to strike, and everything to come into step, in
#: seconds; a machine that is busy with other things is slow
BEGINS, STRIKES, AGREES = 60.0, 3.0, 300.0
#: poll and lag are short, so that a life has several passes; the PBI follows at once, and what was said before it came
#: is carried too, so that every word is owed to every item
EDITS = {
    'poll     = "5s"': 'poll     = "1s"',
    'open = "defect"': 'open = "defect"\nhistory = "all"',
    "when = '\"dev\" in labels'\n": 'history = "all"\n',
    'auth = { user = "lockstep@example.org", token': 'lag = "1s"\nauth = { user = "lockstep@example.org", token',
}


class Wrong(Exception):
    """The promise is broken, or the daemon does not run. The message says how."""


@dataclass
class Trackers:
    """The simulated trackers in a process that outlives every kill."""

    process: subprocess.Popen[str]
    told: dict[str, Any]

    @staticmethod
    def start() -> Trackers:
        command = [sys.executable, "-m", "tests.kills.trackers"]
        process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return Trackers(process, json.loads(process.stdout.readline()))

    def order(self, **order: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@dataclass
class Run:
    """``kills`` counts them by how they came."""

    folder: Path
    state: str
    seed: int = 1
    kills: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    looks: int = 0

    def __post_init__(self) -> None:
        self.draw = Random(self.seed)
        self.trackers = Trackers.start()
        told = self.trackers.told
        self.people = People(told["urls"], told["people"], self.draw)
        self.environment = {**os.environ, **told["environment"], "LOCKSTEP_STATE": self.state}
        self.path = self.folder / "lockstep.toml"
        self.path.write_text(filled_in(told["file"]))
        self.log: TextIO = (self.folder / "lockstep.log").open("a")
        self.daemon: subprocess.Popen[bytes] | None = None
        self.people.long_ago()
        self.lockstep("reconcile", "-c", str(self.path)).wait(60)  # a route acts on what comes after the first start

    # ── the daemon ───────────────────────────────────────────────────────────────────────────────────────────────

    def lockstep(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "bot.py"), *words]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stderr=self.log, stdout=self.log)

    def start(self) -> None:
        self.daemon = self.lockstep("run", "-c", str(self.path))

    def alive(self) -> bool:
        """Whether the daemon runs. One that ended by itself is wrong, but for one that found the lock still held: a
        server may take a moment to notice that a client was killed."""
        assert self.daemon is not None
        code = self.daemon.poll()
        if code == LOCKED:
            self.start()
        elif code not in (None, -signal.SIGKILL):
            raise Wrong(f"lockstep run ended by itself with {code}: {self.last_lines()}")
        return code in (None, LOCKED)

    def end(self, number: int) -> int:
        """Sends a signal and waits for the end."""
        assert self.daemon is not None
        with suppress(ProcessLookupError):
            self.daemon.send_signal(number)
        return self.daemon.wait(60)

    # ── kills ────────────────────────────────────────────────────────────────────────────────────────────────────

    def kill(self) -> None:
        """One life of the daemon, and its end: at a random instant, or in the middle of one of its writes."""
        self.trackers.order(do="watch")
        self.start()
        for _ in range(self.draw.randint(1, 3)):
            self.people.act()
        way = self.draw.choice(WAYS)
        if way == ANY:
            self.until_dead(BEGINS, until=self.at_work)
            self.until_dead(self.draw.uniform(0.0, 2.0))
        else:
            self.arm(after=way == AFTER)
            self.until_dead(BEGINS, until=self.at_work)
            self.until_dead(STRIKES)
            way = way if self.trackers.order(do="tell")["struck"] else ANY
        self.end(signal.SIGKILL)
        self.kills[way] += 1

    def arm(self, *, after: bool) -> None:
        assert self.daemon is not None
        self.trackers.order(do="arm", pid=self.daemon.pid, nth=self.draw.randint(1, 3), after=after)

    def at_work(self) -> bool:
        """Whether the daemon has asked a tracker anything in this life."""
        return bool(self.trackers.order(do="tell")["seen"])

    def until_dead(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Waits for the daemon's end, or for what becomes true before; not longer than this."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.alive() and not until():
            time.sleep(0.01)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def calm(self) -> None:
        """People stop, nobody kills: everything comes into step, and then everything is read again and nothing is
        written any more. Raises ``Wrong``."""
        self.trackers.order(do="watch")
        self.start()
        self.wait_for(self.agrees, AGREES)
        if self.end(signal.SIGTERM) != 0:
            raise Wrong(f"lockstep run did not end well: {self.last_lines()}")
        before = self.written()
        code = self.lockstep("reconcile", "-c", str(self.path)).wait(120)
        again = self.written()[len(before) :]
        if code != QUIET or again:
            raise Wrong(f"once all is in step, reconcile ends with {code} and writes {again}: {self.last_lines()}")
        self.verdict = look(self.people)
        if self.verdict.doubled or self.verdict.missing:
            raise Wrong("; ".join([*self.verdict.doubled, *self.verdict.missing]))
        self.looks += 1

    def agrees(self) -> bool:
        verdict = look(self.people)
        self.verdict = verdict
        if verdict.doubled:
            raise Wrong("; ".join(verdict.doubled))
        return not verdict.missing

    def wait_for(self, true: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not true():
            self.alive()
            if time.monotonic() > until:
                raise Wrong(f"not in step after {seconds:.0f} s: {'; '.join(self.verdict.missing[:10])}")
            time.sleep(1)

    def written(self) -> list[str]:
        """Every write that the trackers were ever sent, by anybody."""
        log = self.people.ask("jira", "GET", "/_sandbox/log")
        return writes([f"{entry['tracker']} {entry['method']} {entry['path']}" for entry in log])

    def last_lines(self) -> str:
        self.log.flush()
        return "".join((self.folder / "lockstep.log").read_text().splitlines(keepends=True)[-8:])

    def close(self) -> None:
        if self.daemon is not None:
            self.end(signal.SIGKILL)
        self.trackers.stop()
        self.log.close()


def filled_in(text: str) -> str:
    """The demo's file, quick and without its rules, its state named by the environment."""
    for old, new in EDITS.items():
        assert old in text, old
        text = text.replace(old, new)
    assert '"STATE"' in text
    return re.sub(r'"STATE"', '{ env = "LOCKSTEP_STATE" }', text)
