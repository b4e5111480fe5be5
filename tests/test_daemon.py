"""The daemon as an operator runs it: a real process against trackers in real time, with real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.engine import Engine
from sync.freezing.brake import resume
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from sync.setup import Setup
from tests.test_cli import edit
from tests.world import ANA, CHEN, RITA, SAM, World, copies_of

HERE = Path(__file__).resolve().parent.parent


@dataclass
class Running:
    """A world in real time and the daemon at work on it."""

    world: World
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        command = [sys.executable, str(HERE / "bot.py"), "run", "-c", str(self.world.path)]
        environment = {**os.environ, **self.world.estate.environment()}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        threading.Thread(target=self.listen, args=(self.process,), daemon=True).start()

    def listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.lines.append(line)
        process.stderr.close()

    def until(self, true: Callable[[], object], seconds: float = 120) -> None:
        """Waits for something to become true; it usually does within a second."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "".join(self.lines)
            assert self.process is None or self.process.poll() is None, "".join(self.lines)
            time.sleep(0.02)

    def says(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends the daemon; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(120)
        self.process = None
        return code

    def passes(self, count: int = 2) -> None:
        """Waits until so many more passes asked Jira what changed."""
        log = self.world.estate.log
        before = log.count("jira", path="/search/jql")
        self.until(lambda: log.count("jira", path="/search/jql") >= before + count)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    world = World(tmp_path, lambda text: text.replace('poll     = "5s"', 'poll     = "1s"'), estate=Estate())
    world.shut()
    daemon = Running(world)
    yield daemon
    if daemon.process is not None:
        daemon.process.kill()
        daemon.process.wait()
    world.estate.stop()


def link(daemon: Running) -> tuple[str, str]:
    """An incident and its defect, linked by the running daemon."""
    estate = daemon.world.estate
    incident = daemon.world.incident()
    estate.servicenow.move(incident, "In Progress", by=RITA)
    daemon.until(lambda: estate.jira.ids() and estate.jira.item(estate.jira.ids()[-1])["status"] == "In Progress")
    return incident, estate.jira.ids()[-1]


def test_it_opens_a_counterpart_and_carries_a_comment_both_ways_within_seconds(running: Running) -> None:
    running.start()
    incident, defect = link(running)
    world = running.world
    world.estate.servicenow.comment(incident, "is there a workaround?", SAM)
    running.until(lambda: copies_of("is there a workaround?", world.words("jira", defect)))
    world.estate.jira.comment(defect, "retry once", ANA)
    running.until(lambda: copies_of("retry once", world.words("servicenow", incident)))
    running.passes(3)
    assert copies_of("is there a workaround?", world.words("jira", defect)) == 1
    assert running.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_during_a_slow_write_finishes_that_write_and_begins_no_other(running: Running, number: int) -> None:
    running.start()
    incident, defect = link(running)
    world, faults = running.world, running.world.estate.faults
    running.passes()
    slow = faults.add(Fault("delay", "jira", "POST", "/comment$", times=1, seconds=1.5))
    for text in ("the first word.", "the second word.", "the third word."):
        world.estate.servicenow.comment(incident, text, SAM)
    running.until(lambda: slow.struck)
    assert running.end(number) == 0
    assert copies_of("word.", world.words("jira", defect)) == 1
    sent = world.estate.log.count("jira", "POST", "/comment")
    assert sent == 1
    running.start()
    running.until(lambda: copies_of("word.", world.words("jira", defect)) >= 3)
    running.passes()
    assert copies_of("word.", world.words("jira", defect)) == 3
    assert running.end() == 0
    world.engine = world.start(opened=False)
    assert world.engine.store.broken_journal() is None
    assert (world.engine.store.held(), world.engine.store.dirty()) == ([], [])
    world.shut()


def test_killed_during_a_slow_write_it_doubles_nothing_on_the_next_start(running: Running) -> None:
    running.start()
    incident, defect = link(running)
    world = running.world
    running.passes()
    slow = world.estate.faults.add(Fault("delay", "jira", "POST", "/comment$", times=1, seconds=1.0))
    world.estate.servicenow.comment(incident, "said as it died.", SAM)
    running.until(lambda: slow.struck)
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    running.until(lambda: copies_of("said as it died.", world.words("jira", defect)))
    running.start()
    running.passes(3)
    assert copies_of("said as it died.", world.words("jira", defect)) == 1
    assert running.end() == 0


def test_an_edited_file_waits_where_it_must_and_a_broken_one_is_refused_while_the_old_one_works_on(
    running: Running,
) -> None:
    running.start()
    incident, defect = link(running)
    world, snow = running.world, running.world.estate.servicenow
    path = '\n[[comments]]\nfrom = "incident.work_notes"\nto = ["defect.everyone"]\n'
    good = world.path.read_text()
    replace_whole(world.path, good.replace("workers  = 1", "workers  = 2") + path)
    running.until(lambda: running.says("edit waits for apply"))
    assert running.says("comments[4]")
    running.until(lambda: running.says("the rest of the file taken into force"))
    snow.comment(incident, "a note for colleagues", RITA, "work_notes")
    snow.comment(incident, "said aloud", SAM)
    running.until(lambda: copies_of("said aloud", world.words("jira", defect)))
    assert copies_of("a note for colleagues", world.words("jira", defect)) == 0
    world.path.write_text(good + path + "\n[[comments]\nfrom = nowhere\n")
    running.until(lambda: running.says("not taken into force"))
    assert running.says("lockstep.toml:")
    snow.comment(incident, "after the slip", SAM)
    running.until(lambda: copies_of("after the slip", world.words("jira", defect)))
    assert running.end() == 0


def test_an_edited_roster_comes_into_force_by_itself_and_a_broken_one_is_refused_with_its_line(
    running: Running,
) -> None:
    people = running.world.folder / "people.csv"
    people.write_text("name,email\nAnn Lee,ann@example.org\n")
    running.world.path.write_text(running.world.path.read_text() + '\n[people]\nroster = "people.csv"\n')
    running.start()
    link(running)
    replace_whole(people, "name,email\nAnn Lee,ann\n")
    running.until(lambda: running.says("people.csv:2"))
    assert running.says("is not an e-mail address")
    replace_whole(people, "name,email\nAnn Lee,ann.lee@example.org\n")
    running.until(lambda: running.says("file taken into force"))
    assert not running.says("edit waits for apply")
    assert running.end() == 0


def replace_whole(path: Path, text: str) -> None:
    """As editors and deployment tools do."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@pytest.mark.parametrize(
    "old, new, word",
    [
        ('defect   = ["Done"]', 'defect   = ["Finished"]', "Finished"),
        ('instance = "demo"', 'instance = "other"', "bot.instance"),
    ],
    ids=["a state that Jira does not have", "another instance"],
)
def test_an_edit_that_does_not_fit_is_refused_and_the_old_file_works_on(
    running: Running, old: str, new: str, word: str
) -> None:
    running.start()
    incident, defect = link(running)
    edit(running.world, old, new)
    running.until(lambda: running.says("the old one stays"))
    assert running.says(word)
    running.world.estate.servicenow.comment(incident, "goes on", SAM)
    running.until(lambda: copies_of("goes on", running.world.words("jira", defect)))
    assert running.end() == 0


def test_a_file_that_vanishes_for_a_while_is_missed_and_nothing_stops(running: Running) -> None:
    running.start()
    incident, defect = link(running)
    aside = running.world.path.with_suffix(".aside")
    running.world.path.rename(aside)
    running.until(lambda: running.says("no such file"))
    aside.rename(running.world.path)
    running.world.estate.servicenow.comment(incident, "still here", SAM)
    running.until(lambda: copies_of("still here", running.world.words("jira", defect)))
    assert running.end() == 0


def test_hanging_up_takes_a_new_token_into_use_at_once(running: Running) -> None:
    """A token runs out; the operator puts the new one into its file and sends SIGHUP. The file itself is unchanged."""
    world = running.world
    token = world.folder / "jira-token"
    token.write_text("the one that ran out")
    token.chmod(0o600)
    edit(world, '{ env = "JIRA_TOKEN" }', f'{{ file = "{token}" }}')
    running.start()
    running.until(lambda: running.says("check the auth of jira"))
    world.estate.servicenow.move(world.incident(), "In Progress", by=RITA)
    token.write_text(world.estate.environment()["JIRA_TOKEN"])
    running.send(signal.SIGHUP)
    running.until(lambda: world.estate.jira.ids())
    assert running.end() == 0
    assert not any("the one that ran out" in line for line in running.lines)


def test_hanging_up_while_a_slow_tracker_is_still_being_opened_is_obeyed_later(running: Running) -> None:
    slow = running.world.estate.faults.add(Fault("delay", "jira", times=1, seconds=1.0))
    running.start()
    running.until(lambda: slow.struck)
    running.send(signal.SIGHUP)
    link(running)
    assert running.says("file taken into force")
    assert running.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_tracker_that_does_not_answer_at_the_start_does_not_hold_up_the_end(running: Running, number: int) -> None:
    silent = running.world.estate.faults.add(Fault("delay", seconds=180.0))
    running.start()
    running.until(lambda: silent.struck)
    begun = time.monotonic()
    assert running.end(number) == 0
    assert time.monotonic() - begun < 55  # before the read that is under way gives up, after 60 s


def test_a_tracker_that_is_down_at_the_start_joins_later_and_holds_up_nobody(running: Running) -> None:
    world, estate = running.world, running.world.estate
    down = estate.faults.add(Fault("answer", "azure", answer=Answer(503)))
    running.start()
    incident, defect = link(running)
    estate.jira.update(defect, {"labels": [*estate.jira.item(defect)["labels"], "dev"]}, by=ANA)
    estate.servicenow.comment(incident, "while it was down", SAM)
    running.until(lambda: copies_of("while it was down", world.words("jira", defect)))
    assert running.says("azure")
    assert estate.azure.ids() == []
    estate.faults.rules.remove(down)
    running.until(estate.azure.ids)
    estate.azure.comment(estate.azure.ids()[-1], "back again", CHEN)
    running.until(lambda: copies_of("back again", world.words("jira", defect)))
    assert len(estate.azure.ids()) == 1
    assert running.end() == 0


def test_every_tracker_down_at_the_start_is_waited_for(running: Running) -> None:
    down = running.world.estate.faults.add(Fault("reset_before"))
    running.start()
    running.until(lambda: down.struck > 12)
    running.world.estate.faults.clear()
    link(running)
    assert running.end() == 0


def test_a_tracker_that_joins_late_is_held_against_the_file(running: Running) -> None:
    edit(running.world, 'pbi      = ["Done"]', 'pbi      = ["Finished"]')
    down = running.world.estate.faults.add(Fault("answer", "azure", answer=Answer(503)))
    running.start()
    link(running)
    running.world.estate.faults.rules.remove(down)
    running.until(lambda: running.says("Finished"))
    assert running.end() == 0


# ── without a process ────────────────────────────────────────────────────────────────────────────────────────────


def daemon_of(world: World) -> Daemon:
    return Daemon(world.engine, Signals(), lambda: None, lambda setup, engine: engine)


def test_a_guard_that_tripped_stays_so_until_a_person_says_and_the_daemon_stays_up(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text + "\n[guard]\nwrites = 3\n")
    for number in range(3):
        world.estate.servicenow.move(world.incident(f"failure {number}"), "In Progress", by=RITA)
    daemon = daemon_of(world)
    tripped = daemon.once()
    assert tripped is not None and "guard.writes" in str(tripped.frosts)
    for id in world.estate.servicenow.ids()[1:]:
        world.estate.servicenow.update(id, {"category": "network"}, by=RITA)
    still = daemon.once()
    assert still is not None and still.frosts == tripped.frosts
    resume(world.engine, "all", "dana")
    gone_on = daemon.once()
    assert gone_on is not None and (gone_on.frosts, gone_on.writes) == ((), 3)
    world.close()


def test_what_nobody_foresaw_in_a_pass_does_not_end_the_daemon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*given: object) -> None:
        raise KeyError("private words")

    daemon = daemon_of(world)
    with monkeypatch.context() as patched:
        patched.setattr(world.engine.connectors["jira"], "changes", wrong)
        assert daemon.once() is None
    assert daemon.once() is not None


def test_a_signal_at_any_moment_is_heard_before_the_next_wait(world: World) -> None:
    """SIGTERM just before the wait for the next pass must not wait that long."""
    daemon = daemon_of(world)
    daemon.once = lambda: daemon.signals.stop(0, None)  # type: ignore[method-assign]
    thread = threading.Thread(target=daemon.run, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_a_hang_up_while_the_file_is_read_asks_for_another_reading(tmp_path: Path) -> None:
    """The secret may have been replaced between the reading and the signal; the file itself is the same."""
    world = World(tmp_path)
    signals, taken, readings = Signals(), list[Setup](), list[Setup | None]()

    def reload() -> Setup | None:
        readings.append(None if len(readings) == 1 else world.engine.setup)
        if len(readings) == 1:
            signals.hang_up(signal.SIGHUP, None)
        return readings[-1]

    def rebuild(setup: Setup, engine: Engine) -> Engine:
        taken.append(setup)
        return engine

    daemon = Daemon(world.engine, signals, reload, rebuild)
    daemon.take_edit()
    assert taken == [], "an edit that changed nothing"
    daemon.take_edit()
    assert taken == [], "the file was broken"
    daemon.take_edit()
    assert len(taken) == 1, "the hang-up still stands"
    world.close()
