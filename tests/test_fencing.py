"""One writer per state: who lost it without knowing, stopped, frozen or cut off, writes nothing more, neither into the
state nor to a tracker."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sandbox.estate import Estate
from sandbox.faults import Fault
from sync.freezing.freeze import Pause
from sync.store import Fenced, StateBroken, StateLocked, Store
from sync.store.database import KEEPALIVES
from sync.store.fence import FENCE_KEY, LOCK_KEY, SCHEMA
from tests.builders import NOW
from tests.test_daemon import Running, link
from tests.test_faults import assert_in_step, at_the_start, pass_until_over
from tests.test_store import opened, url
from tests.world import SAM, World, cli, copies_of

__all__ = ["url"]


def free_lock(url: str) -> None:
    """The lock is free while its holder thinks that it holds it: somebody removed the file, or the server dropped the
    connection."""
    database = sa.make_url(url)
    if database.get_backend_name() == "sqlite":
        Path(f"{database.database}.lock").unlink()
        return
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        held = "locktype = 'advisory' AND granted AND classid = :key AND objid = :schema"
        holds = f"SELECT pid FROM pg_locks WHERE {held}"
        schema = connection.scalar(sa.select(SCHEMA))
        found = {"key": LOCK_KEY, "schema": schema % 2**32}
        (pid,) = connection.scalars(sa.text(holds), found).all()
        connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
        while connection.scalars(sa.text(holds), found).all():
            signal.sigtimedwait([], 0.01)
    engine.dispose()


# ── the state ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_lost_the_lock_without_knowing_it_writes_nothing_more(url: str) -> None:
    first = opened(url)
    first.note("before", 1)
    free_lock(url)
    second = opened(url)
    for _ in range(2):
        with pytest.raises(Fenced, match="writes nothing more"):
            first.note("after", 1)
    with pytest.raises(Fenced):
        first.hold_on()
    assert (second.noted("before"), second.noted("after")) == (1, None)
    first.close()
    with pytest.raises(StateLocked):
        opened(url)
    second.note("after", 2)
    second.close()


def test_the_token_alone_stops_a_process_whose_lock_did_not_hold(tmp_path: Path) -> None:
    """Some network file systems grant one lock twice."""
    first = opened(f"sqlite:///{tmp_path}/lockstep.db")
    first.db.fence.close()
    second = opened(f"sqlite:///{tmp_path}/lockstep.db")
    with pytest.raises(Fenced, match="took over"):
        first.note("after", 1)
    second.close()
    first.close()


def test_a_command_beside_the_one_at_work_takes_neither_lock_nor_token(url: str) -> None:
    first = opened(url)
    beside = opened(url, exclusive=False)
    assert beside.pause(Pause("all", NOW, "dana"))
    assert beside.ask("link", ["INC1", "D-1"], "dana", NOW)
    beside.close()
    first.hold_on()
    assert [pause.what for pause in first.pauses()] == ["all"] and len(first.unanswered()) == 1
    first.close()


def test_each_process_takes_a_token_of_its_own_and_keeps_it_to_its_end(url: str) -> None:
    tokens = []
    for _ in range(3):
        store = opened(url)
        tokens.append(store.db.fence.token)
        store.close()
    assert tokens == [1, 2, 3]


@pytest.mark.parametrize("harm", ["the lock is removed", "the state is removed", "a backup is put in its place"])
def test_files_that_change_under_a_process_at_work_stop_it(tmp_path: Path, harm: str) -> None:
    state = tmp_path / "lockstep.db"
    store = opened(f"sqlite:///{state}")
    if harm == "the lock is removed":
        Path(f"{state}.lock").unlink()
    else:
        shutil.copy(state, tmp_path / "backup.db")
        state.unlink()
    if harm == "a backup is put in its place":
        (tmp_path / "backup.db").rename(state)
    with pytest.raises(Fenced, match="replaced or taken away"):
        store.note("after", 1)
    with pytest.raises(Fenced):
        store.hold_on()
    store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", [pytest.param("postgres")], indirect=True)
def test_a_lost_connection_is_made_again_and_the_lock_with_it(url: str) -> None:
    first = opened(url)
    free_lock(url)
    first.hold_on()
    first.note("after", 1)
    with pytest.raises(StateLocked):
        opened(url)
    first.close()


class Firewall:
    """Stands between a process and its PostgreSQL. One that ``forgets`` cuts our ends off, and the server hears nothing
    of it until it asks by itself (``tell``)."""

    def __init__(self, url: str) -> None:
        there = sa.make_url(url)
        self.server = (there.host or "127.0.0.1", there.port or 5432)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = there.set(host="127.0.0.1", port=self.door.getsockname()[1]).render_as_string(hide_password=False)
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.forgotten: list[socket.socket] = []
        threading.Thread(target=self.let_in, daemon=True).start()

    def let_in(self) -> None:
        with suppress(OSError):
            while True:
                near = self.door.accept()[0]
                far = socket.create_connection(self.server)
                self.pairs.append((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        if one not in self.forgotten:
            with suppress(OSError):
                other.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        for near, _ in self.pairs:
            self.forgotten.append(near)
            with suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)

    def tell(self) -> None:
        for _, far in self.pairs:
            with suppress(OSError):
                far.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.door.close()
        for near, far in self.pairs:
            near.close()
            far.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", [pytest.param("postgres")], indirect=True)
def test_a_connection_that_is_lost_on_our_side_alone_ends_nothing_for_good(url: str) -> None:
    between = Firewall(url)
    first = opened(between.url)
    between.forget()
    for _ in range(2):
        with pytest.raises(StateBroken, match="server still keeps its end of it") as broken:
            first.hold_on()
        assert not isinstance(broken.value, Fenced)
    with pytest.raises(StateLocked, match="of one that was cut off"):
        opened(url)
    between.tell()
    for _ in range(500):
        with suppress(StateBroken):
            first.hold_on()
            break
        signal.sigtimedwait([], 0.01)
    first.note("after", 1)
    with pytest.raises(StateLocked):
        opened(url)
    first.close()
    second = opened(url)
    assert (second.db.fence.token, second.noted("after")) == (2, 1)
    second.close()
    between.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", [pytest.param("postgres")], indirect=True)
def test_whoever_took_over_while_the_connection_was_lost_ends_the_one_before(url: str) -> None:
    between = Firewall(url)
    first = opened(between.url)
    between.forget()
    free_lock(url)
    second = opened(url)
    with pytest.raises(Fenced, match="took over"):
        first.hold_on()
    second.close()
    first.close()
    between.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", [pytest.param("postgres")], indirect=True)
def test_a_lock_whose_connection_fails_without_ending_goes_with_that_connection(url: str) -> None:
    first = opened(url)
    held = first.db.fence.held
    assert isinstance(held, sa.Connection)
    asks = {name: held.scalar(sa.text(f"SHOW tcp_{name}")) for name in KEEPALIVES}
    assert asks == {name: str(value) for name, value in KEEPALIVES.items()}, "the server lets a dead one go by itself"
    session = held.scalar(sa.select(sa.func.pg_backend_pid()))
    with pytest.raises(sa.exc.ProgrammingError):
        held.execute(sa.text("SELECT 1 FROM nowhere"))
    first.hold_on()
    held = first.db.fence.held
    assert isinstance(held, sa.Connection)
    assert held.scalar(sa.select(sa.func.pg_backend_pid())) != session
    first.close()
    opened(url).close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", [pytest.param("postgres")], indirect=True)
def test_a_successor_waits_for_what_was_begun_before_it_came(url: str) -> None:
    first = opened(url)
    other = sa.create_engine(url)
    free = sa.select(sa.func.pg_try_advisory_xact_lock(FENCE_KEY, SCHEMA))
    with other.connect() as successor:
        with first.db.begin():
            assert successor.scalar(free) is False
        assert successor.scalar(free) is True
    other.dispose()
    first.close()


# ── a pass ───────────────────────────────────────────────────────────────────────────────────────────────────────


def usurper(world: World) -> Callable[[], None]:
    """Another process takes the state over, once."""
    taken: list[Store] = []

    def take() -> None:
        if not taken:
            free_lock(f"sqlite:///{world.state}")
            taken.append(opened(f"sqlite:///{world.state}"))
            taken[0].close()

    return take


def test_whoever_loses_the_state_in_the_middle_of_a_write_sends_no_further_request(world: World) -> None:
    """A new state and a new title are one write and two requests; the takeover comes with the first of them."""
    scene = at_the_start(world, "all")
    scene.finish()
    scene.rename("azure")
    estate = world.estate
    struck = estate.faults.add(Fault("act", "jira", "POST", "/transitions$", times=1, act=usurper(world)))
    before = estate.log.count("jira", "PUT", "/issue/")
    with pytest.raises(Fenced):
        world.once()
    assert struck.struck == 1
    assert estate.log.count("jira", "PUT", "/issue/") == before
    world.restart()
    pass_until_over(world)
    assert estate.log.count("jira", "PUT", "/issue/") == before + 1
    assert_in_step(scene)


class Died(BaseException):
    """The process is no more."""


def test_a_creation_sent_late_in_a_long_pass_is_waited_for_by_the_next_process(world: World) -> None:
    """The pass that intended it began minutes ago; the request itself is still on its way when the process dies, and
    the next one must not believe it lost before it can have arrived."""
    scene = at_the_start(world, "new")
    scene.triage()
    on_its_way: list[tuple[Any, ...]] = []
    jira = world.engine.connectors["jira"]

    def create(*given: Any) -> None:
        world.later(minutes=5)
        on_its_way.append(given)
        raise Died

    real, jira.create = jira.create, create  # type: ignore[method-assign, assignment]
    with pytest.raises(Died):
        world.once()
    shut = world.engine.connectors
    world.engine.store.close()
    world.engine = world.start()
    world.once()
    assert world.estate.jira.ids() == []
    real(*on_its_way[0])
    for connector in shut.values():
        connector.close()
    pass_until_over(world)
    assert_in_step(scene)


# ── real processes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def running(tmp_path: Path, url: str) -> Iterator[Running]:
    """A world in real time on either database, and the daemon at work on it."""

    def edit(text: str) -> str:
        return re.sub(r'"sqlite:///[^"]*"', f'"{url}"', text.replace('poll     = "5s"', 'poll     = "1s"'))

    (tmp_path / "state").mkdir(exist_ok=True)
    world = World(tmp_path, edit, estate=Estate())
    world.shut()
    daemon = Running(world)
    yield daemon
    for process in filter(None, [daemon.process]):
        process.kill()
        process.wait()
    world.estate.stop()


def test_a_leader_stopped_in_its_write_wakes_to_another_at_work_and_ends_with_5(running: Running, url: str) -> None:
    running.start()
    incident, defect = link(running)
    world, estate = running.world, running.world.estate
    running.passes()
    leader = running.process
    assert leader is not None
    stops = Fault("act", "jira", "POST", "/comment$", times=1, act=lambda: os.kill(leader.pid, signal.SIGSTOP))
    estate.faults.add(stops)
    for text in ("the first word.", "the second word.", "the third word."):
        estate.servicenow.comment(incident, text, SAM)
    running.until(lambda: stops.struck)
    second = Running(world)
    free_lock(url)
    second.start()
    second.passes(2)
    leader.send_signal(signal.SIGCONT)
    assert leader.wait(60) == 5
    running.process = None
    assert running.says("writes nothing more")
    assert estate.log.count("jira", "POST", "/comment") == 1
    assert second.end() == 0
    world.engine = world.start()
    world.later(minutes=1)
    world.settle()
    for text in ("the first word.", "the second word.", "the third word."):
        assert copies_of(text, world.words("jira", defect)) == 1, text
    world.shut()


def test_two_daemons_and_a_single_command_never_work_on_one_state_together(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in running.world.estate.environment().items():
        monkeypatch.setenv(name, value)
    running.start()
    link(running)
    second = Running(running.world)
    second.start()
    assert second.process is not None and second.process.wait(60) == 5
    refused = cli(running.world, "reconcile")
    assert refused.exit_code == 5 and "another Lockstep works on" in refused.stderr
    assert cli(running.world, "pause").exit_code == 0
    assert cli(running.world, "resume").exit_code == 0
    assert running.end() == 0
    assert cli(running.world, "reconcile").exit_code == 0
