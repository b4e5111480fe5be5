"""Plan files, end to end: what waits for a person is shown, approved by its hash, and carried out exactly."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sync.approval.approve import Outcome, Stopped, carry_out, draft
from sync.approval.planfile import KINDS, Document, PlanFileBroken, as_text, digest_of, read
from sync.compose import compose
from sync.config import load
from sync.engine import Engine
from sync.freezing import brake
from sync.plan import Plan, Say
from sync.show.plan import words
from sync.state import CopyKey, Origin
from tests.builders import DEFECT, INCIDENT
from tests.test_cli import HERE, cli, real
from tests.world import ANA, RITA, SAM, World, copies_of, writes

__all__ = ["real"]


def aged(world: World, *titles: str) -> list[str]:
    """Incidents that were eligible before Lockstep first looked."""
    incidents = [world.incident(title) for title in titles]
    for incident in incidents:
        world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.restart(lose_state=True)
    world.settle()
    assert world.estate.jira.ids() == []
    return incidents


def made(world: World, *kinds: str) -> Document:
    """A plan file of the world as it is, through its text."""
    with world.counting() as asked:
        document, _ = draft(world.engine, kinds or KINDS, words)
    assert writes(asked) == []
    return read(as_text(document))


def applied(world: World, document: Document) -> Outcome:
    return carry_out(world.engine, document, "dana")


def titles(world: World) -> list[str]:
    return sorted(world.estate.jira.item(id)["summary"] for id in world.estate.jira.ids())


# ── first contact ────────────────────────────────────────────────────────────────────────────────────────────────


def test_older_items_are_opened_only_through_an_approved_plan_and_exactly_as_it_shows(world: World) -> None:
    aged(world, "first", "second")
    document = made(world)
    assert [p["kind"] for entry in document.entries for p in entry.proposals] == ["open", "open"]
    assert {action["kind"] for entry in document.entries for action in entry.actions} == {"adopt", "open"}
    world.settle()
    assert titles(world) == [], "nobody approved it yet"
    outcome = applied(world, document)
    assert (len(outcome.done), outcome.over, outcome.skipped, outcome.whole) == (2, [], [], True)
    assert titles(world) == ["first", "second"]
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []


def test_the_same_plan_applied_twice_writes_nothing_the_second_time_and_says_so(world: World) -> None:
    aged(world, "first", "second")
    document = made(world)
    applied(world, document)
    with world.counting() as asked:
        again = applied(world, document)
    assert writes(asked) == []
    assert (again.writes, again.done, len(again.over), again.skipped) == (0, [], 2, [])
    assert "2 had been carried out before." in again.told()


def test_an_item_changed_since_is_skipped_and_listed_with_what_changed(world: World) -> None:
    _, second = aged(world, "first", "second")
    document = made(world)
    world.estate.servicenow.update(second, {"short_description": "renamed since"}, by=RITA)
    outcome = applied(world, document)
    assert titles(world) == ["first"]
    ((title, why),) = outcome.skipped
    assert world.estate.servicenow.item(second)["number"] in title
    assert "short_description" in why and "changed since" in why
    assert "renamed since" not in why
    applied(world, made(world))
    assert titles(world) == ["first", "renamed since"]


def test_an_item_that_is_no_longer_wanted_or_gone_is_skipped_and_listed(world: World) -> None:
    first, second = aged(world, "first", "second")
    document = made(world)
    world.estate.servicenow.move(first, "New", by=RITA)
    world.estate.servicenow.delete(second, by=RITA)
    outcome = applied(world, document)
    assert (titles(world), outcome.done, len(outcome.skipped)) == ([], [], 2)


def test_a_comment_that_came_since_changes_nothing_of_what_was_approved(world: World) -> None:
    (first,) = aged(world, "first")
    document = made(world)
    world.estate.servicenow.comment(first, "any news?", SAM)
    assert applied(world, document).whole
    assert titles(world) == ["first"]


def test_only_the_kinds_that_were_asked_for_are_taken_in(world: World) -> None:
    aged(world, "first")
    assert made(world, "adopt").entries == ()
    assert len(made(world, "open").entries) == 1


def test_a_pair_from_before_is_adopted_by_one_plan_and_its_differing_field_aligned_by_another(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace('open = "defect"', 'open = "defect"\nmatch = ["summary"]'))
    jira = world.estate.jira
    incident = world.incident("paired by hand")
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    defect = jira.create({"summary": "paired by hand", "priority": "Lowest"}, by=ANA)
    world.restart(lose_state=True)
    world.settle()
    outcome = applied(world, made(world, "adopt"))
    assert (len(outcome.done), outcome.skipped, jira.ids()) == (1, [], [defect])
    world.settle()
    assert jira.item(defect)["priority"] == "Lowest", "adopting writes the marker and nothing else"
    (entry,) = made(world, "align").entries
    assert {proposal["kind"] for proposal in entry.proposals} == {"align"}
    assert applied(world, made(world, "align")).whole
    assert jira.item(defect)["priority"] == "Medium"
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    world.close()


def test_the_plans_own_count_is_the_approval_so_no_guard_stops_it(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text + "\n[guard]\nwrites = 1\n")
    aged(world, "first", "second")
    assert applied(world, made(world)).whole
    assert titles(world) == ["first", "second"]
    world.close()


def test_nothing_is_carried_out_while_frozen_and_what_is_paused_is_skipped(world: World) -> None:
    aged(world, "first")
    document = made(world)
    brake.pause(world.engine, "all", "dana")
    with world.counting() as asked, pytest.raises(Stopped, match="paused by dana"):
        applied(world, document)
    assert writes(asked) == []
    brake.resume(world.engine, "all", "dana")
    brake.pause(world.engine, "route:production-defect", "dana")
    assert [why for _, why in applied(world, document).skipped] == ["it is paused"]
    brake.resume(world.engine, "route:production-defect", "dana")
    assert applied(world, document).whole
    assert titles(world) == ["first"]


class Crash(BaseException):
    """The process ends."""


def test_after_a_crash_in_the_middle_the_same_plan_completes_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(world, "first", "second", "third")
    document = made(world)
    connector = world.engine.connectors["jira"]
    create = connector.create

    def crashing(*given: object) -> object:
        if world.estate.jira.ids():
            raise Crash
        return create(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(connector, "create", crashing)
    with pytest.raises(Crash):
        applied(world, document)
    monkeypatch.undo()
    world.restart()
    outcome = applied(world, document)
    assert len(outcome.done) + len(outcome.over) == 3
    world.settle()
    assert titles(world) == ["first", "second", "third"]
    assert world.engine.store.broken_journal() is None


def test_what_a_tracker_does_not_take_now_is_finished_by_the_next_passes(world: World) -> None:
    from sandbox.faults import Fault
    from sandbox.wire import Answer

    aged(world, "first")
    document = made(world)
    world.estate.faults.add(Fault("answer", "jira", "POST", "/issue/?$", answer=Answer(503), times=1))
    outcome = applied(world, document)
    assert (outcome.done, len(outcome.unfinished), outcome.whole) == ([], 1, False)
    world.later(minutes=5)
    world.settle()
    assert titles(world) == ["first"]


# ── an edited file ───────────────────────────────────────────────────────────────────────────────────────────────


def edited(world: World, old: str, new: str, *, trial: bool) -> Engine:
    """An engine of the edited file: on trial, or at work with what is in force."""
    text = world.path.read_text()
    assert old in text or new in text
    world.path.write_text(text.replace(old, new))
    engine = compose(load(world.path, world.estate.environment()), world.estate.clock, exclusive=not trial, trial=trial)
    engine.open()
    return engine


MAP = ('defect = "Medium", pbi = 3', 'defect = "Low", pbi = 3')
LOW = ('defect = "Low", pbi = 4', 'defect = "Medium", pbi = 4')


@pytest.fixture
def remapped(world: World) -> tuple[World, Document]:
    """A link in step, an edit of a value map, and the plan that puts it into force; the daemon is not at work."""
    world.linked()
    world.path.write_text(world.path.read_text().replace(*LOW))
    world.shut()
    trial = edited(world, *MAP, trial=True)
    document, _ = draft(trial, KINDS, words)
    trial.close()
    world.engine = edited(world, *MAP, trial=False)
    return world, read(as_text(document))


def test_an_edit_is_shown_and_put_into_force_by_apply_with_exactly_the_writes_it_showed(
    remapped: tuple[World, Document],
) -> None:
    world, document = remapped
    (defect,) = world.estate.jira.ids()
    assert world.estate.jira.item(defect)["priority"] == "Medium"
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    assert document.edited is not None and document.edited.differences
    outcome = applied(world, document)
    assert (outcome.in_force, len(outcome.done), outcome.writes, outcome.skipped) == (True, 1, 1, [])
    assert world.estate.jira.item(defect)["priority"] == "Low"
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    again = applied(world, document)
    assert (again.in_force, again.writes, len(again.over)) == (False, 0, 1)


def test_a_plan_is_of_no_use_once_the_file_was_edited_again(remapped: tuple[World, Document]) -> None:
    world, document = remapped
    world.engine.close()
    world.engine = edited(world, 'poll     = "5s"', 'poll     = "6s"', trial=False)
    with pytest.raises(PlanFileBroken, match="edited since"):
        applied(world, document)
    assert world.engine.edit is not None


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_file_that_was_changed_or_is_none_is_refused(world: World) -> None:
    aged(world, "first")
    text = as_text(draft(world.engine, KINDS, words)[0])
    for wrong in (text.replace("= first", "= other"), text.replace('"do: open": 1', '"do: open": 2')):
        assert wrong != text
        with pytest.raises(PlanFileBroken, match="changed after it was made"):
            read(wrong)
    for wrong in (
        "",
        "{}",
        "[]",
        "1",
        '"lockstep plan"',
        text[:-40],
        text.replace('"lockstep plan": 1', '"lockstep plan": 9'),
    ):
        with pytest.raises(PlanFileBroken):
            read(wrong)


def test_a_plan_of_another_instance_or_another_file_is_refused(world: World) -> None:
    aged(world, "first")
    document = made(world)
    with pytest.raises(PlanFileBroken, match="made for other"):
        applied(world, replace(document, instance="other"))
    with pytest.raises(PlanFileBroken, match="edited since"):
        applied(world, replace(document, file="0" * 64))
    assert titles(world) == []


def test_no_text_of_a_comment_and_no_secret_stands_in_a_plan_file(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace('open = "defect"', 'open = "defect"\nhistory = "all"'))
    incident = world.incident("with a past")
    world.estate.servicenow.comment(incident, "words that stay private", SAM)
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.restart(lose_state=True)
    world.settle()
    document = made(world)
    text = as_text(document)
    assert document.entries
    assert "words that stay private" not in text
    assert not [secret for secret in world.estate.environment().values() if secret in text]
    applied(world, document)
    world.settle()
    assert copies_of("words that stay private", world.words("jira", world.estate.jira.ids()[0])) == 1
    world.close()


def test_the_digest_of_a_plan_is_of_what_it_does_and_not_of_when_or_why() -> None:
    said = Say(DEFECT, "defect", "everyone", CopyKey(Origin("snow", "c1"), DEFECT), 1, "banner\nwords", "because")
    same = replace(said, reason="for another reason")
    others = [replace(said, text="banner\nother words"), replace(said, ref=INCIDENT), replace(said, channel="internal")]
    digest = digest_of(Plan(1, "k", "t", (said,)))
    assert digest_of(Plan(1, "k", "t", (same,))) == digest
    assert len({digest, *(digest_of(Plan(1, "k", "t", (other,))) for other in others)}) == 4


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def old(real: World) -> World:
    """A real-time world with one incident from before the first start."""
    incident = real.incident("long known")
    real.estate.servicenow.move(incident, "In Progress", by=RITA)
    for file in real.folder.glob("lockstep.db*"):
        file.unlink()
    assert cli(real, "reconcile").exit_code == 0
    assert real.estate.jira.ids() == []
    return real


def test_plan_out_shows_what_waits_and_apply_carries_it_out_by_its_hash(old: World) -> None:
    file = old.folder / "plan.json"
    with old.counting() as asked:
        told = cli(old, "plan", "--out", str(file))
    assert (told.exit_code, writes(asked)) == (0, [])
    said = json.loads(file.read_text())
    assert said["hash"][:16] in told.stdout and "long known" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for word in ("", "--hash=0123456789ab", f"--hash={said['hash'][:6]}"):
        refused = cli(old, "apply", str(file), *([word] if word else []))
        assert (refused.exit_code, old.estate.jira.ids()) == (2, []), word
        assert said["hash"][:16] in refused.stderr
    carried = cli(old, "apply", str(file), "--hash", said["hash"][:16])
    assert (carried.exit_code, titles(old)) == (0, ["long known"]), carried.stderr
    assert "1 carried out with 3 writes, 0 skipped." in carried.stdout
    again = cli(old, "apply", str(file), "--hash", said["hash"])
    assert again.exit_code == 0 and "had been carried out before" in again.stdout


def test_what_was_skipped_ends_apply_with_1_and_is_listed(old: World) -> None:
    file = old.folder / "plan.json"
    cli(old, "plan", "--out", str(file), "--only", "open")
    (incident,) = [id for id in old.estate.servicenow.ids() if "long known" in str(old.estate.servicenow.item(id))]
    old.estate.servicenow.update(incident, {"short_description": "renamed since"}, by=RITA)
    skipped = cli(old, "apply", str(file), "--hash", json.loads(file.read_text())["hash"])
    assert (skipped.exit_code, old.estate.jira.ids()) == (1, [])
    assert "skipped: INC" in skipped.stderr and "short_description" in skipped.stderr


def test_a_daemon_at_work_carries_the_plan_out_and_the_command_tells_the_outcome(old: World) -> None:
    file = old.folder / "plan.json"
    cli(old, "plan", "--out", str(file))
    hash = json.loads(file.read_text())["hash"]
    old.engine = old.start()
    command = [sys.executable, str(HERE / "bot.py"), "apply", "-c", str(old.path), str(file), "--hash", hash]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    ended = threading.Event()
    said: list[str] = []

    def wait() -> None:
        said.extend(process.communicate(timeout=60))
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    while not ended.wait(0.05):
        old.once()
    old.shut()
    assert process.returncode == 0, said
    assert "1 carried out with 3 writes, 0 skipped." in said[0], said
    assert titles(old) == ["long known"]
