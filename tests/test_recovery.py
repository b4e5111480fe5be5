"""The state lost, damaged, out of reach for a while, or an older copy of itself: nothing is doubled, nothing newer is
overwritten, and Lockstep says what it did."""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sandbox.faults import Fault
from sync.joining.lost import told_found
from sync.log import configure
from tests.post import PostOffice
from tests.test_cli import process, real
from tests.test_daemon import Running, daemon_of, link, running
from tests.test_faults import Scene, assert_in_step, at_the_start, pass_until_over
from tests.world import ANA, RITA, SAM, World, cli, copies_of, indoors, writes

__all__ = ["real", "running"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with indoors(tmp_path) as world:
        yield world


# ── an older copy ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands in this process need."""
    for name, value in world.estate.environment().items():
        monkeypatch.setenv(name, value)


def backed_up(world: World) -> Path:
    """A copy of the state as it stands, as a backup tool makes it."""
    copy = world.folder / "backup.db"
    with sqlite3.connect(world.state) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def put_back(world: World, copy: Path) -> None:
    """The process ends, the copy takes the state's place, and another process begins."""
    world.shut()
    for file in world.folder.glob("lockstep.db*"):
        file.unlink()
    shutil.copy(copy, world.state)
    world.engine = world.start()


def some_days(scene: Scene) -> Scene:
    """What happens after the backup: a rule that fires, talk, new words, a second piece of work."""
    world = scene.world
    scene.stall()
    world.settle()
    scene.rename("jira")
    world.settle()
    for tracker in ("servicenow", "jira", "azure"):
        world.later(hours=2)
        scene.speak(tracker)
        world.settle()
    other = Scene(world, world.incident("the printer burns"))
    world.settle()
    other.triage()
    world.settle()
    world.later(hours=1)
    return other


def test_an_older_state_is_recognised_and_nothing_is_doubled_nor_overwritten(world: World) -> None:
    scene = at_the_start(world, "all")
    estate, defect, pbi = world.estate, scene.defect, scene.pbi
    before = estate.servicenow.item(scene.incident)["short_description"]
    copy = backed_up(world)
    some_days(scene)
    # while nobody runs, somebody gives the title back that the older state has agreed on: the newest word
    estate.servicenow.update(scene.incident, {"short_description": before}, by=RITA)
    put_back(world, copy)
    with world.counting() as asked:
        pass_until_over(world)
    assert writes(asked) == []
    assert estate.servicenow.item(scene.incident)["short_description"] == before
    assert (len(estate.jira.ids()), len(estate.azure.ids())) == (2, 1)
    for place in (("servicenow", scene.incident), ("jira", defect), ("azure", pbi)):
        for text in scene.said:
            wanted = 0 if text.startswith("No movement") and place[0] != "jira" else 1
            assert copies_of(text, world.words(*place)) == wanted, (place, text)
    assert len(world.engine.store.links()) == 2 and world.engine.store.unsent() == []
    assert not any(f.outcome == "fired" for one in world.engine.store.links() for f in one.firings)
    # and it goes on: what people say and change from now on is carried
    world.later(minutes=10)
    estate.servicenow.update(scene.incident, {"short_description": "the newest title"}, by=RITA)
    estate.jira.comment(defect, "after the restore", ANA)
    pass_until_over(world)
    assert estate.jira.item(defect)["summary"] == "the newest title"
    assert copies_of("after the restore", world.words("servicenow", scene.incident)) == 1


def test_what_an_older_state_was_begun_anew_with_is_told(world: World, secrets: None) -> None:
    scene = at_the_start(world, "all")
    copy = backed_up(world)
    some_days(scene)
    put_back(world, copy)
    pass_until_over(world)
    told = [entry for entry in world.engine.store.journal("") if entry.kind == "rebuilt"]
    assert "older copy" in told[0].body and "since" in told[0].body
    assert "2 links with 5 items" in told[-1].body and "agreed values" in told[-1].body
    status = json.loads(cli(world, "status", "--json").stdout)
    assert "2 links with 5 items and 9 copied comments" in status["found_again"][0]
    assert "found again" in " ".join(cli(world, "status").stdout.split())


@pytest.mark.parametrize("act", ["a comment was copied", "an item was created"])
def test_one_thing_that_the_state_should_know_is_proof_enough(world: World, act: str) -> None:
    scene = at_the_start(world, "all")
    copy = backed_up(world)
    world.later(hours=1)
    if act == "a comment was copied":
        scene.speak("azure")
    else:
        other = Scene(world, world.incident("the printer burns"))
        world.settle()
        other.triage()
    world.settle()
    put_back(world, copy)
    world.once()
    assert [e.kind for e in world.engine.store.journal("")].count("rebuilt") == 2


def test_what_people_took_apart_stays_so_in_an_older_state(world: World, secrets: None) -> None:
    """The tombstone is as lost as the rest, but the mark went with it: what bears none is in no link."""
    scene = at_the_start(world, "all")
    copy = backed_up(world)
    world.later(hours=1)
    scene.speak("azure")
    world.settle()
    key = world.estate.jira.item(scene.defect)["key"]
    assert cli_beside(world, "unlink", key) == 0
    world.settle()
    put_back(world, copy)
    pass_until_over(world)
    (found,) = (one for one in world.engine.store.links() if len(one.items) > 1)
    assert {item.side for item in found.items} == {"incident", "pbi"}
    assert len(world.estate.jira.ids()) == 1


def cli_beside(world: World, *words: str) -> int:
    """A command between two lives of the process."""
    world.shut()
    code = cli(world, *words).exit_code
    world.engine = world.start()
    return code


@pytest.mark.parametrize("kept", [True, False], ids=["state kept", "state deleted"])
def test_a_state_that_was_only_away_for_a_while_is_no_older_copy(world: World, kept: bool) -> None:
    """People worked on while nobody ran, one item is shown again that was hidden, and Lockstep died in a write."""
    scene = at_the_start(world, "all")
    scene.speak("azure")
    world.estate.faults.add(Fault("reset_after", "jira", "POST", "/comment$", times=1))
    world.once()
    world.restart(lose_state=not kept)
    world.later(days=3)
    scene.rename("servicenow")
    scene.speak("jira")
    pass_until_over(world)
    told = [e.body for e in world.engine.store.journal("") if e.kind == "rebuilt"]
    assert len(told) == (0 if kept else 1) and not any("older copy" in body for body in told)
    if kept:
        assert_in_step(scene)


def test_an_item_that_people_cloned_proves_no_state_old(world: World) -> None:
    """The clone bears the keys of what it was made from, and a state that was rebuilt does not know those."""
    scene = at_the_start(world, "all")
    world.restart(lose_state=True)
    pass_until_over(world)
    world.later(hours=1)
    jira = world.estate.jira
    model = jira.item(scene.defect)
    given = {name: model[name] for name in ("summary", "description", "labels")}
    jira.create({**given, "issuetype": "Bug"}, by=ANA)
    world.restart()
    world.once()
    assert not any("older copy" in e.body for e in world.engine.store.journal(""))


def test_a_rebuilt_state_says_how_much_was_found_again_and_what_starts_afresh(world: World) -> None:
    at_the_start(world, "all")
    world.restart(lose_state=True)
    pass_until_over(world)
    (told,) = [e.body for e in world.engine.store.journal("") if e.kind == "rebuilt"]
    assert told.startswith("The state was new: 1 link with 3 items and 2 copied comments were found again")
    assert "agreed values" in told and "Nothing that was due before fires" in told
    assert told in told_found(world.engine)[0]
    world.later(days=8)
    assert told_found(world.engine) == []


# ── damaged ──────────────────────────────────────────────────────────────────────────────────────────────────────


def harm(state: Path, how: str) -> None:
    whole = state.read_bytes()
    page = int.from_bytes(whole[16:18], "big")
    middle = len(whole) // 2 // page * page
    match how:
        case "cut in half":
            state.write_bytes(whole[:middle])
        case "garbage in the middle":
            state.write_bytes(whole[:middle] + b"\x99" * 3 * page + whole[middle + 3 * page :])
        case "no database at all":
            state.write_bytes(b"these are not the tables you look for\n" * 100)


@pytest.mark.parametrize("how", ["cut in half", "garbage in the middle", "no database at all"])
def test_a_damaged_state_is_refused_with_what_helps_and_nothing_is_written(real: World, how: str) -> None:
    incident, defect = link_once(real)
    harm(real.state, how)
    left = real.state.read_bytes()
    real.estate.servicenow.comment(incident, "while it is broken", SAM)
    with real.counting() as asked:
        for words in ("run", "reconcile") if how == "cut in half" else ("reconcile",):
            result = process(real, words) if words == "run" else cli(real, words)
            code = result.returncode if words == "run" else result.exit_code  # type: ignore[union-attr]
            assert code == 2 and "damaged" in result.stderr and "move it and its -wal" in result.stderr
    assert asked == [] and real.state.read_bytes() == left
    for file in real.folder.glob("lockstep.db*"):
        file.unlink()
    assert cli(real, "reconcile").exit_code in (0, 1)
    assert copies_of("while it is broken", real.words("jira", defect)) <= 1
    assert len(real.estate.jira.ids()) == 1


def link_once(world: World) -> tuple[str, str]:
    incident = world.incident()
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    assert cli(world, "reconcile").exit_code == 0
    return incident, world.estate.jira.ids()[-1]


def test_an_empty_file_is_a_new_state(world: World) -> None:
    scene = at_the_start(world, "all")
    world.shut()
    for file in world.folder.glob("lockstep.db*"):
        file.unlink()
    world.state.touch(0o600)
    world.engine = world.start()
    with world.counting() as asked:
        pass_until_over(world)
    assert writes(asked) == [] and len(world.engine.store.links()) == 1
    assert (len(world.estate.jira.ids()), len(world.estate.azure.ids())) == (1, 1)
    assert all(copies_of(text, world.words("jira", scene.defect)) == 1 for text in scene.said)


# ── out of reach for a while ─────────────────────────────────────────────────────────────────────────────────────


def hasty(world: World) -> None:
    """The state's connection gives up at once where another program holds the state, not after half a minute."""
    with world.engine.store.db.begin() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")


class Holder:
    """Another program with a lock on the state: a backup tool, a person in a database browser."""

    def __init__(self, world: World) -> None:
        self.connection = sqlite3.connect(world.state, isolation_level=None, check_same_thread=False)

    def hold(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def let_go(self) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.close()


@pytest.mark.parametrize(
    "path, begin", [("/comment$", "all"), (r"/issue/?$", "new"), (r"/transitions$", "all")], ids=["say", "open", "move"]
)
def test_a_state_that_is_locked_in_the_middle_of_a_write_is_waited_for(world: World, path: str, begin: str) -> None:
    """The write took effect, and its answer could not be written down. The same process goes on later."""
    scene = at_the_start(world, begin)
    daemon = daemon_of(world)
    daemon.once()
    holder = Holder(world)
    hasty(world)
    if path == "/comment$":
        scene.speak("servicenow")
    elif begin == "new":
        scene.triage()
    else:
        scene.finish()
    struck = world.estate.faults.add(Fault("act", "jira", "POST", path, times=1, act=holder.hold))
    assert daemon.once() is None and struck.struck == 1
    with world.counting() as asked:
        assert daemon.once() is None
    assert asked == []
    holder.let_go()
    for _ in range(6):
        world.later(minutes=2)
        assert daemon.once() is not None
    assert_in_step(scene)


def test_what_lasts_is_said_once_and_told_to_people_past_the_state(tmp_path: Path) -> None:
    """A mail about a state that cannot be used cannot be kept in that state first."""
    configure("info")
    post = PostOffice()
    notices = f'\n[mail]\nserver = "smtp://127.0.0.1:{post.port}"\nsender = "bot@example.org"\n'
    notices += '[notices]\ntell = { email = ["ops@example.org"] }\n'
    with closing(post), capture_logs() as lines:
        world = World(tmp_path, lambda text: text + notices)
        daemon = daemon_of(world)
        daemon.once()
        hasty(world)
        holder = Holder(world)
        holder.hold()
        for _ in range(4):
            assert daemon.once() is None
            world.later(minutes=1)
        assert [mail["Subject"] for mail in post.mails] == ["Lockstep demo: its state cannot be used"]
        holder.let_go()
        assert daemon.once() is not None
        daemon.once()
        assert [mail["Subject"] for mail in post.mails][1:] == ["Lockstep demo: works again"]
        said = [line["event"] for line in lines if line["event"].startswith("state ")]
        assert said == ["state unusable, nothing is written until it is", "state usable again, writing goes on"]
        world.close()


def test_while_the_disk_is_full_nothing_is_sent_and_when_there_is_room_all_is(running: Running) -> None:
    """For real: the running daemon may write no file beyond a few bytes, as the kernel sees to."""
    running.start()
    incident, defect = link(running)
    world, log = running.world, running.world.estate.log
    running.passes()
    assert running.process is not None
    _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (64, hard))
    sent = log.count("jira", "POST", "/comment")
    world.estate.servicenow.comment(incident, "said while it was full.", SAM)
    running.until(lambda: running.says("state unusable"))
    several = time.monotonic() + 4 * world.engine.setup.poll.total_seconds()
    running.until(lambda: time.monotonic() > several)
    assert log.count("jira", "POST", "/comment") == sent
    assert sum("state unusable" in line for line in running.lines) == 1
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    running.until(lambda: copies_of("said while it was full.", world.words("jira", defect)))
    running.passes(2)
    assert running.says("state usable again") and running.end() == 0
    assert copies_of("said while it was full.", world.words("jira", defect)) == 1
