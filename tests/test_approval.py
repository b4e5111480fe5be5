"""What people say beside a Lockstep at work, at the worst moment: a pause or an approval in the middle of a pass, a
plan file that is replaced or out of date, an edit on top of an older one."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import Said
from mappings.model import Record, Scope
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync import reconcile
from sync.approval.planfile import Document
from sync.commands import plans
from sync.compose import recompose
from sync.config import load
from sync.freezing import brake
from sync.requests.ask import ask
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from sync.show.plan import document_text
from sync.store import DECLINED, StateBroken
from tests.test_cli import real
from tests.test_edits import WITHOUT_PBI
from tests.test_freeze import frozen_pass
from tests.test_guards import eligible, guarded
from tests.test_planfile import aged, applied, made, old, remapped, titles
from tests.world import ANA, RITA, SAM, Begin, World, cli, copies_of, writes

__all__ = ["old", "real", "remapped"]


# ── pauses and approvals in the middle of a pass ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", ["route:production-defect", "link"])
def test_a_pause_of_a_route_or_a_link_in_the_middle_of_a_pass_stops_before_the_next_link(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    pairs = [world.linked(f"failure {number}", pbi=False) for number in range(2)]
    for incident, _, _ in pairs:
        world.estate.servicenow.comment(incident, "any news.", SAM)
    connector = world.engine.connectors["jira"]
    say, told = connector.say, list[Record]()

    def paused_after(scope: Scope, record: Record, channel: str, text: str) -> Said:
        said = say(scope, record, channel, text)
        told.append(record)
        links = [link for link in world.engine.store.links() if all(i.ref != told[0].ref for i in link.items)]
        for one in [what] if what != "link" else [f"link:{link.key}" for link in links]:
            brake.pause(world.engine, one, "dana")
        return said

    monkeypatch.setattr(connector, "say", paused_after)
    world.once()
    monkeypatch.undo()
    assert sum(copies_of("any news.", world.words("jira", defect)) for _, defect, _ in pairs) == 1
    stopped = world.once()
    assert stopped.stopped and stopped.writes == 0
    for pause in world.engine.store.pauses():
        brake.resume(world.engine, pause.what, "dana")
    world.settle()
    assert [copies_of("any news.", world.words("jira", defect)) for _, defect, _ in pairs] == [1, 1]


def test_an_approval_that_comes_in_the_middle_of_a_stopped_pass_counts_for_the_next(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = guarded(begin)
    eligible(world, 3)
    frozen_pass(world)
    act = reconcile.act

    def approved_meanwhile(*given: object) -> None:
        brake.approve(world.engine, "dana")
        act(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(reconcile, "act", approved_meanwhile)
    frozen_pass(world)
    monkeypatch.undo()
    assert world.once().frosts == ()
    assert len(world.estate.jira.ids()) == 3


# ── plan files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def paired(folder: Path) -> tuple[World, str, str]:
    """A pair that people made by hand, adopted, whose priorities differ."""
    world = World(folder, lambda text: text.replace('open = "defect"', 'open = "defect"\nmatch = ["summary"]'))
    incident = world.incident("paired by hand")
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    defect = world.estate.jira.create({"summary": "paired by hand", "priority": "Lowest"}, by=ANA)
    world.restart(lose_state=True)
    world.settle()
    assert applied(world, made(world, "adopt")).whole
    world.settle()
    return world, incident, defect


def test_a_value_that_changed_since_is_skipped_and_listed_and_not_taken_for_done(tmp_path: Path) -> None:
    world, incident, _ = paired(tmp_path)
    document = made(world, "align")
    world.estate.servicenow.update(incident, {"impact": "3", "urgency": "3"}, by=RITA)
    outcome = applied(world, document)
    assert (outcome.done, outcome.over, len(outcome.skipped), outcome.whole) == ([], [], 1, False), outcome
    world.close()


def test_a_proposal_that_its_people_settled_otherwise_is_skipped_and_listed(tmp_path: Path) -> None:
    world, _, defect = paired(tmp_path)
    document = made(world, "align")
    world.estate.jira.update(defect, {"priority": "High"}, by=ANA)
    world.settle()
    outcome = applied(world, document)
    assert (outcome.done, outcome.writes, outcome.whole) == ([], 0, False), outcome
    assert "changed since" in outcome.skipped[0][1]
    world.close()


def test_an_aligned_field_that_a_tracker_does_not_take_now_is_finished_by_the_next_passes(tmp_path: Path) -> None:
    world, _, defect = paired(tmp_path)
    document = made(world, "align")
    world.estate.faults.add(Fault("answer", "jira", "PUT", "/issue/", answer=Answer(503), times=1))
    outcome = applied(world, document)
    assert (outcome.done, len(outcome.unfinished)) == ([], 1), outcome
    world.later(minutes=5)
    world.settle()
    assert world.estate.jira.item(defect)["priority"] == "Medium"
    with world.counting() as asked:
        again = applied(world, document)
    assert (len(again.over), writes(asked)) == (1, [])
    world.close()


def test_what_is_carried_out_is_what_was_shown_even_if_the_file_is_replaced_meanwhile(
    old: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = old.folder / "plan.json"
    assert cli(old, "plan", "--out", str(file)).exit_code == 0
    hash = json.loads(file.read_text())["hash"]
    shown = document_text

    def replaced(document: Document) -> object:
        file.write_text("{}")
        return shown(document)

    monkeypatch.setattr(plans, "document_text", replaced)
    carried = cli(old, "apply", str(file), "--hash", hash)
    assert (carried.exit_code, titles(old)) == (0, ["long known"]), carried.output


def test_a_plan_written_over_an_open_file_is_its_owners_alone(old: World) -> None:
    file = old.folder / "plan.json"
    file.write_text("an older one")
    file.chmod(0o644)
    assert cli(old, "plan", "--out", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# ── edits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_that_was_applied_before_any_pass_keeps_its_file_in_force(world: World) -> None:
    aged(world, "first")
    world.restart(lose_state=True)
    assert applied(world, made(world)).whole
    world.edited(('open = "defect"', 'open = "defect"\nmatch = ["summary"]'))
    assert world.engine.edit is not None


def called(name: str, text: str) -> str:
    """The file with the side of work items under another name."""
    return re.sub(r"\bpbi\b", name, text)


def taken(world: World, edit: Callable[[str], str]) -> None:
    """The file is edited, and a person puts it into force."""
    world.edit = edit
    world.restart()
    world.apply()


def test_a_creation_whose_answer_was_lost_is_found_under_the_new_name_of_its_side(world: World) -> None:
    _, defect, _ = world.linked(pbi=False)
    jira, whole = world.estate.jira, world.edit
    world.estate.faults.add(Fault("reset_after", tracker="azure", method="POST", path=r"/workitems/\$", times=1))
    jira.update(defect, {"labels": [*jira.item(defect)["labels"], "dev"]}, by=ANA)
    world.once()
    assert len(world.engine.store.unsettled_creations()) == 1
    taken(world, lambda text: called("backlog", whole(text)))
    world.later(minutes=10)
    world.settle()
    assert world.engine.store.unsettled_creations() == []
    (link,) = world.engine.store.links()
    assert [item.side for item in link.items] == ["incident", "defect", "backlog"]
    assert len(world.estate.azure.ids()) == 1


def test_a_side_may_take_the_name_that_a_removed_one_had(world: World) -> None:
    incident, _, pbi = world.linked()
    whole = world.edit

    def without(text: str) -> str:
        for there, instead in WITHOUT_PBI:
            text = text.replace(there, instead)
        return text

    taken(world, lambda text: without(whole(text)))
    taken(world, lambda text: called("backlog", whole(text)))
    world.settle()
    taken(world, whole)
    world.reconcile()
    world.estate.servicenow.update(incident, {"short_description": "renamed"}, by=RITA)
    world.settle()
    assert world.estate.azure.item(pbi)["System.Title"] == "renamed"
    assert len(world.estate.azure.ids()) == 1


def test_an_edit_that_the_state_cannot_take_now_leaves_everything_at_work_as_it_was(
    remapped: tuple[World, Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, document = remapped
    with monkeypatch.context() as patched:
        patched.setattr(world.engine.store, "put_in_force", full)
        with pytest.raises(StateBroken):
            applied(world, document)
    assert world.once().failures == {}
    assert world.engine.edit is not None
    outcome = applied(world, document)
    assert (outcome.in_force, outcome.whole) == (True, True)


def test_an_edit_that_the_daemon_cannot_look_up_now_is_taken_up_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slower = world.path.read_text().replace('poll     = "5s"', 'poll     = "6s"')
    signals = Signals()
    setup = world.engine.setup
    world.path.write_text(slower)
    daemon = Daemon(world.engine, signals, lambda: load(world.path, world.estate.environment()), recompose)
    with monkeypatch.context() as patched:
        patched.setattr(world.engine.store, "in_force", full)
        daemon.take_edit()
    assert daemon.engine.setup is setup and signals.edited.is_set()
    daemon.take_edit()
    assert daemon.engine.setup.poll == timedelta(seconds=6)
    world.engine = daemon.engine


def full(*given: object) -> None:
    raise StateBroken("the state cannot be used: the disk is full")


def test_a_command_says_what_keeps_the_file_in_force_from_being_read(
    old: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit takes out a tracker, and its secret is gone before the edit is applied."""
    text = old.path.read_text()
    tracker = text[text.index("[trackers.azure]") : text.index("[sides.incident]")]
    for there, instead in (*WITHOUT_PBI, (tracker, "")):
        text = text.replace(there, instead)
    old.path.write_text(text)
    monkeypatch.delenv("AZURE_PAT")
    for command in (("link", "INC0010001", "INC0010002"), ("status",), ("run",), ("pause",)):
        told = cli(old, *command)
        assert told.exit_code == 2, command
        assert "as it is in force" in told.stderr and "AZURE_PAT is not set" in told.stderr, command


# ── commands beside a daemon ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_to_a_lockstep_that_ended_meanwhile_is_worked_by_the_command_itself(world: World) -> None:
    incident, _, _ = world.linked()
    number = world.estate.servicenow.item(incident)["number"]
    setup, slept = world.engine.setup, list[float]()

    class Waiting:
        """The clock of the command: while it waits, the one at work ends."""

        def now(self) -> datetime:
            return world.estate.clock.now()

        def sleep(self, seconds: float) -> None:
            if not slept:
                world.shut()
            slept.append(seconds)
            world.later(seconds=1)

    answer = ask(setup, Waiting(), "split", [number], "dana")
    assert (answer.outcome, "opened the link" in answer.answer) == (DECLINED, True)
    assert len(slept) <= 21, "no longer than two passes and ten seconds"
    world.engine = world.start()
    assert world.engine.store.unanswered() == []
