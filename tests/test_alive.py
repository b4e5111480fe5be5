"""Whether passes end: noted, told when they do not, spoken of beside a pass that hangs, called out to a watchman."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog

import sync.reconcile
import sync.running.daemon
from connectors.auth import Secret
from sync.log import configure
from sync.running.alive import Beat, call, last_end, verdict
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from tests.builders import HOUR, MINUTE, NOW
from tests.post import PostOffice
from tests.world import World, cli

HIDDEN = "beat-4f9a"


class Ops(PostOffice):
    """A world whose file names those who hear of silence, and the daemon at work in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        mail = f'[mail]\nserver = "smtp://127.0.0.1:{self.port}"\nsender = "bot@example.org"\n'
        notices = (
            '[notices]\nsilent = "15m"\ntell = { email = ["ops@example.org"] }\nper_hour = 1\nquiet = "00:00-23:59"\n'
        )
        self.world = World(folder, lambda text: f"{text}\n{notices}" + ("" if "[mail]" in text else f"\n{mail}"))
        self.daemon = self.begun()

    def begun(self) -> Daemon:
        """A daemon, as after a start."""
        return Daemon(self.world.engine, Signals(), lambda: None, lambda setup, engine: engine)

    @property
    def texts(self) -> list[str]:
        return [raw.decode().replace("=\r\n", "") for raw in self.box.raw]


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    made = Ops(tmp_path)
    yield made
    made.world.close()
    made.close()


def test_the_end_of_each_pass_is_noted_and_nothing_is_told_while_they_end(ops: Ops) -> None:
    for _ in range(3):
        assert ops.daemon.once() is not None
        assert last_end(ops.world.engine.store) == ops.world.engine.now()
        ops.daemon.watch.look()
        ops.world.later(minutes=14)
    assert ops.texts == []


def test_the_next_start_tells_from_when_to_when_lockstep_was_silent_once(ops: Ops) -> None:
    ops.daemon.once()
    ended = ops.world.engine.now()
    ops.world.later(hours=9)
    ops.world.restart()
    ops.daemon = ops.begun()
    ops.daemon.once()
    ops.daemon.once()
    (told,) = ops.texts
    assert f"silent from {ended:%Y-%m-%d %H:%M:%S} UTC to {ended + 9 * HOUR:%Y-%m-%d %H:%M:%S} UTC" in told
    assert "To: ops@example.org" in told


def test_a_pass_that_hangs_is_spoken_of_at_once_though_nothing_else_goes_on(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass never ends by itself; the thread beside it speaks, and says when it is over."""
    hangs, goes_on = threading.Event(), threading.Event()
    one_pass = sync.reconcile.one_pass

    def hanging(*given: Any, **named: Any) -> Any:
        hangs.set()
        assert goes_on.wait(60)
        return one_pass(*given, **named)

    ops.daemon.once()
    monkeypatch.setattr(sync.running.daemon, "one_pass", hanging)
    monkeypatch.setattr(ops.daemon.watch, "pace", lambda: 0.01)
    stopping, spoken = threading.Event(), ops.daemon.watch.look
    looked = threading.Event()

    def look() -> None:
        spoken()
        looked.set()

    monkeypatch.setattr(ops.daemon.watch, "look", look)
    worker = threading.Thread(target=ops.daemon.once)
    worker.start()
    assert hangs.wait(60)
    ops.world.later(minutes=16)
    ops.daemon.watch.start(stopping)
    looked.clear()
    assert looked.wait(60)
    (told,) = ops.texts
    assert "is silent" in told and "A pass may hang" in told
    goes_on.set()
    worker.join(60)
    assert not worker.is_alive()
    stopping.set()
    assert len(ops.texts) == 2 and "works again" in ops.texts[1]


def test_silence_is_told_once_however_long_it_lasts(ops: Ops) -> None:
    ops.daemon.once()
    for _ in range(3):
        ops.world.later(minutes=20)
        ops.daemon.watch.look()
    assert len(ops.texts) == 1


def test_a_state_that_cannot_be_used_ends_no_pass_and_that_is_silence(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any, **named: Any) -> Any:
        raise KeyError("private words")

    ops.daemon.once()
    monkeypatch.setattr(sync.running.daemon, "one_pass", broken)
    ops.world.later(minutes=16)
    assert ops.daemon.once() is None
    ops.daemon.watch.look()
    assert "is silent" in ops.texts[0]


def test_the_thread_looks_as_often_as_the_bound_wants(ops: Ops) -> None:
    assert ops.daemon.watch.pace() == 30
    stopping = threading.Event()
    thread = ops.daemon.watch.start(stopping)
    stopping.set()
    thread.join(60)
    assert not thread.is_alive()


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "last, silent, well, word",
    [
        (NOW - MINUTE, 15 * MINUTE, True, "1 min ago"),
        (NOW - 15 * MINUTE, 15 * MINUTE, True, "15 min ago"),
        (NOW - 16 * MINUTE, 15 * MINUTE, False, "notices.silent allows 15 min"),
        (NOW - 2 * HOUR - 3 * MINUTE, 15 * MINUTE, False, "for 2 h 3 min, since 2026-11-16 15:57:00 UTC"),
        (NOW - 16 * MINUTE, None, False, "15 min are allowed"),
        (None, 15 * MINUTE, False, "No pass has ended yet"),
    ],
)
def test_whether_it_is_alive_is_one_sentence(last: Any, silent: Any, well: bool, word: str) -> None:
    found, sentence = verdict(last, silent, NOW)
    assert (found, word in sentence) == (well, True), sentence


def test_a_watchman_gets_an_exit_code(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ops.world
    for name, value in world.estate.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sync.commands.engines.SystemClock", lambda: world.estate.clock)
    assert cli(world, "alive").exit_code == 1
    ops.daemon.once()
    done = cli(world, "alive")
    assert (done.exit_code, done.output) == (0, "The last pass ended 0 s ago.\n")
    world.later(minutes=16)
    done = cli(world, "alive")
    assert (done.exit_code, "for 16 min" in done.output) == (1, True)


# ── the watchman outside ─────────────────────────────────────────────────────────────────────────────────────────────


class Watchman:
    """Answers calls as told and counts them."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.calls: list[str] = []


@contextmanager
def watching(watchman: Watchman) -> Iterator[Secret]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            watchman.calls.append(self.path)
            self.send_response(watchman.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Secret(f"http://127.0.0.1:{server.server_port}/{HIDDEN}")
        finally:
            server.shutdown()
            thread.join()


def test_the_watchman_is_called_once_after_each_pass_that_ended(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    watchman = Watchman()
    with watching(watchman) as url:
        engine = ops.world.engine
        engine.setup = replace(engine.setup, notices=replace(engine.setup.notices, beat=url))
        ops.daemon.once()
        ops.daemon.once()
        assert watchman.calls == [f"/{HIDDEN}"] * 2
        monkeypatch.setattr(sync.running.daemon, "one_pass", lambda *given, **named: 1 / 0)
        assert ops.daemon.once() is None
    assert len(watchman.calls) == 2


def test_a_watchman_that_does_not_answer_is_logged_once_until_it_does(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    configure("info")
    watchman, beat = Watchman(503), Beat()
    with structlog.testing.capture_logs() as logged, watching(watchman) as url:
        for _ in range(3):
            beat.strike(url)
        watchman.status = 204
        beat.strike(url)
        beat.strike(url)
    beat.strike(url)
    said = [(line["log_level"], line["event"]) for line in logged]
    assert said == [("warning", "heartbeat not taken"), ("info", "heartbeat taken again")]
    assert "HTTP 503" in str(logged)
    assert HIDDEN not in f"{logged} {caplog.text}"


@pytest.mark.parametrize("url", [f"http://127.0.0.1:1/{HIDDEN}", f"http://[{HIDDEN}", f"gopher://{HIDDEN}"])
def test_an_address_that_cannot_be_called_is_a_sentence_without_it(url: str) -> None:
    wrong = call(Secret(url))
    assert "notices.beat" in wrong and HIDDEN not in wrong


def test_a_watchman_who_points_elsewhere_has_heard_nothing() -> None:
    watchman = Watchman(301)
    with watching(watchman) as url:
        assert call(url) == "the address under notices.beat answers HTTP 301"


def test_no_beat_is_no_call() -> None:
    beat = Beat()
    beat.strike(None)
    assert not beat.failing
