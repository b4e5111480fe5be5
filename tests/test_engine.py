"""The main job, end to end: three trackers over HTTP through the real client libraries."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from mappings.model import Record, Ref
from sandbox.clock import SandboxClock
from sandbox.faults import Fault
from sandbox.story import Story
from sandbox.wire import Answer
from sync.applying.hand import Applied
from sync.engine import Engine
from sync.plan import Plan
from sync.read import Reading
from sync.reconcile import Pass, settle
from sync.state import Seen
from sync.store import Database, Store
from tests import builders as b
from tests.world import ANA, BEN, CHEN, RITA, SAM, World, copies_of, writes


def test_an_idle_pass_costs_one_call_a_side_and_writes_nothing(world: World) -> None:
    world.linked()
    world.settle()
    with world.counting() as asked:
        done = world.once()
    assert done.quiet
    assert len(asked) == 3
    assert writes(asked) == []


def test_the_story_ends_with_everything_in_step(world: World) -> None:
    story = Story(world.estate)
    for scene in story.scenes():
        scene.act()
        world.settle()
    incident = story.incidents["500 responses on API"]
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    record = snow.item(incident)
    assert snow.state_of(incident) == "Resolved"
    assert record["close_code"] == "Solution provided"
    assert "refilled in the background" in record["close_notes"]
    assert record["escalation"] == "2"
    assert jira.item(story.defect)["priority"] == "Highest"
    assert azure.item(story.pbi)["System.State"] == "Done"
    assert len(jira.ids()) == len(azure.ids()) == 1
    assert len(world.estate.hook.cards) == 1
    assert world.engine.store.held() == []


def test_a_work_note_stays_where_it_belongs_and_a_masked_number_never_crosses(world: World) -> None:
    incident, defect, pbi = world.linked()
    world.estate.servicenow.comment(incident, "penalty clause, do not tell", RITA, "work_notes")
    world.estate.azure.comment(pbi, "seen with 123-45-6789 on node 2", CHEN)
    world.settle()
    everything = [*world.words("jira", defect), *world.words("azure", pbi)]
    assert copies_of("penalty clause", everything) == 0
    for place in (world.words("jira", defect), world.words("servicenow", incident)):
        assert copies_of("123-45-6789", place) == 0
        assert copies_of("seen with [ssn] on node 2", place) == 1


def test_a_comment_reaches_each_other_item_once_and_never_travels_on(world: World) -> None:
    incident, defect, pbi = world.linked()
    world.estate.servicenow.comment(incident, "from the county", SAM)
    world.estate.jira.comment(defect, "from the analyst", ANA)
    world.estate.azure.comment(pbi, "from the developer", CHEN)
    world.settle()
    world.reconcile()
    for place in (("servicenow", incident), ("jira", defect), ("azure", pbi)):
        for text in ("from the county", "from the analyst", "from the developer"):
            assert copies_of(text, world.words(*place)) == 1, (place, text)
        assert len(world.words(*place)) == 3


@pytest.mark.parametrize("lose_state", [False, True], ids=["state kept", "state deleted"])
def test_after_everything_is_dirty_and_read_again_nothing_is_written(world: World, lose_state: bool) -> None:
    for title in ("500 responses on API", "504 errors on API"):
        incident, defect, pbi = world.linked(title)
        world.estate.servicenow.comment(incident, f"{title} since nine", SAM)
        world.estate.azure.comment(pbi, f"{title} reproduced", CHEN)
        world.estate.jira.update(defect, {"priority": "Lowest"}, by=BEN)
        world.settle()
    world.later(hours=1)
    world.restart(lose_state=lose_state)
    with world.counting() as asked:
        passes = world.reconcile()
    assert writes(asked) == []
    assert passes[-1].quiet
    counts = world.engine.store.counts()
    assert (counts["links"], counts["items"], counts["held"]) == (2, 6, 0)


def test_a_change_on_any_side_reaches_the_others(world: World) -> None:
    incident, defect, pbi = world.linked()
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    azure.update(pbi, {"System.Title": "Pool exhausted"}, by=CHEN)
    world.settle()
    assert snow.item(incident)["short_description"] == jira.item(defect)["summary"] == "Pool exhausted"
    snow.update(incident, {"impact": "1", "urgency": "1"}, by=RITA)
    world.settle()
    assert jira.item(defect)["priority"] == "Highest"
    assert azure.item(pbi)["Microsoft.VSTS.Common.Priority"] in (1, "1")
    jira.update(defect, {"customfield_10044": "fixed the pool"}, by=BEN)
    jira.move(defect, "Done", by=BEN, resolution="Done")
    world.settle()
    assert snow.state_of(incident) == "Resolved"
    assert azure.item(pbi)["System.State"] == "Done"


def test_when_two_change_one_field_at_once_the_owners_word_stands_and_the_other_is_kept(world: World) -> None:
    incident, defect, _ = world.linked()
    world.estate.servicenow.update(incident, {"short_description": "the owner's title"}, by=RITA)
    world.estate.jira.update(defect, {"summary": "the analyst's title"}, by=ANA)
    world.settle()
    assert world.estate.jira.item(defect)["summary"] == "the owner's title"
    assert copies_of("the analyst's title", world.words("jira", defect)) == 1
    world.settle()
    assert copies_of("the analyst's title", world.words("jira", defect)) == 1


def test_an_unmapped_priority_is_held_while_everything_else_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace('defect = "Highest", pbi = 1', 'defect = "High", pbi = 1'))
    incident, defect, _ = world.linked()
    world.estate.jira.update(defect, {"priority": "Highest", "summary": "renamed"}, by=ANA)
    world.settle()
    ((held, key),) = world.engine.store.held()
    assert (held.what, key) == ("priority", "CSPM-1")
    assert "Highest" in held.reason
    assert "[fields.priority]" in held.advice
    assert world.estate.servicenow.item(incident)["short_description"] == "renamed"
    world.estate.jira.update(defect, {"priority": "Low"}, by=ANA)
    world.settle()
    assert world.engine.store.held() == []
    assert world.estate.servicenow.item(incident)["priority"] == "4"
    world.close()


def test_an_unknown_state_is_held_and_flows_again(world: World) -> None:
    incident, defect, _ = world.linked()
    world.estate.servicenow.move(incident, "Canceled", by=RITA)
    world.settle()
    ((held, key),) = world.engine.store.held()
    assert held.what == "stage" and "Canceled" in held.reason and key.startswith("INC")
    assert world.estate.jira.item(defect)["status"] == "In Progress"
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.settle()
    assert world.engine.store.held() == []


def test_a_refused_transition_is_held_with_what_jira_offers_and_the_rest_goes_on(world: World) -> None:
    """Reopening leads to To Do; there is no single step from Done to In Progress, and with the state what is offered
    in To Do was forgotten."""
    incident, defect, pbi = world.linked()
    world.estate.jira.update(defect, {"customfield_10044": "done so"}, by=BEN)
    world.estate.jira.move(defect, "Done", by=BEN, resolution="Done")
    world.settle()
    world.restart(lose_state=True)
    world.reconcile()
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    for _ in range(3):
        world.once()
    ((held, key),) = world.engine.store.held()
    assert (key, held.what) == ("CSPM-1", "stage")
    assert "Reopen" in held.reason
    assert world.estate.azure.item(pbi)["System.State"] == "Approved"
    with world.counting() as asked:
        world.once()
    assert writes(asked) == []
    world.estate.jira.move(defect, "To Do", by=BEN)
    world.estate.jira.move(defect, "In Progress", by=BEN)
    world.settle()
    assert world.engine.store.held() == []


def test_a_way_of_several_steps_that_was_seen_is_taken_step_by_step(world: World) -> None:
    """What was seen outlives the process."""
    incident, defect, _ = world.linked()
    world.estate.jira.update(defect, {"customfield_10044": "done so"}, by=BEN)
    world.estate.jira.move(defect, "Done", by=BEN, resolution="Done")
    world.settle()
    world.restart()
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    with world.counting() as asked:
        world.once()
    steps = [line.rpartition("/")[0] for line in asked if line.endswith("/transitions")]
    assert [line.split()[1] for line in steps] == ["GET", "POST", "GET", "POST"]
    assert world.estate.jira.item(defect)["status"] == "In Progress" and world.engine.store.held() == []
    assert world.settle()[-1].quiet and world.estate.servicenow.state_of(incident) == "In Progress"


def test_a_way_that_broke_off_is_gone_to_its_end_and_is_no_change_of_anybodys(world: World) -> None:
    """The second step was refused for a moment: the first one shows a stage that nobody chose."""
    incident, defect, _ = world.linked()
    world.estate.jira.update(defect, {"customfield_10044": "done so"}, by=BEN)
    world.estate.jira.move(defect, "Done", by=BEN, resolution="Done")
    world.settle()
    no = Answer.of({"errorMessages": ["not now"], "errors": {}}, 400)
    world.estate.faults.add(Fault("answer", tracker="jira", method="POST", path="/transitions$", nth=(2,), answer=no))
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.once()
    assert world.estate.jira.item(defect)["status"] == "To Do"
    assert any("was moved to To Do on the way" in held.reason for held, _ in world.engine.store.held())
    world.settle()
    assert world.estate.jira.item(defect)["status"] == "In Progress" and world.engine.store.held() == []
    assert world.estate.servicenow.state_of(incident) == "In Progress"


def test_a_deleted_item_is_held_and_never_made_again(world: World) -> None:
    incident, defect, pbi = world.linked()
    world.estate.jira.delete(defect, by=ANA)
    world.estate.servicenow.comment(incident, "anybody there?", SAM)
    for _ in range(3):
        world.once()
        world.later(minutes=5)
    assert world.estate.jira.ids() == []
    assert [held.what for held, _ in world.engine.store.held()] == ["item"]
    assert copies_of("anybody there?", world.words("azure", pbi)) == 1
    assert world.estate.servicenow.state_of(incident) == "In Progress"


def test_an_occupied_mark_field_is_never_overwritten(world: World) -> None:
    incident = world.incident(correlation_display="PagerDuty", correlation_id="PD-1")
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    for _ in range(3):
        world.once()
    assert world.estate.servicenow.item(incident)["correlation_display"] == "PagerDuty"
    assert world.estate.jira.ids() == []
    assert "PagerDuty" in world.engine.store.held()[0][0].reason


def test_a_pass_that_would_write_too_much_stops_before_it_writes(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text + "\n[guard]\nwrites = 3\n")
    for number in range(3):
        world.estate.servicenow.move(world.incident(f"failure {number}"), "In Progress", by=RITA)
    with world.counting() as asked:
        assert [frost.kind for frost in world.once().frosts] == ["guard"]
    assert writes(asked) == []
    assert world.estate.jira.ids() == []
    world.close()


def test_a_tracker_that_is_down_holds_up_nobody_else(world: World) -> None:
    incident, defect, pbi = world.linked()
    down = world.estate.faults.add(Fault("answer", tracker="azure", answer=Answer(503)))
    world.estate.servicenow.comment(incident, "while it was down", SAM)
    world.estate.jira.update(defect, {"summary": "renamed meanwhile"}, by=ANA)
    for _ in range(3):
        done = world.once()
        world.later(minutes=1)
    assert "azure" in done.failures
    assert copies_of("while it was down", world.words("jira", defect)) == 1
    assert world.estate.servicenow.item(incident)["short_description"] == "renamed meanwhile"
    world.estate.faults.rules.remove(down)
    world.later(minutes=5)
    world.settle()
    assert copies_of("while it was down", world.words("azure", pbi)) == 1
    assert world.estate.azure.item(pbi)["System.Title"] == "renamed meanwhile"


def test_items_from_before_the_first_start_are_left_alone_until_they_become_eligible(tmp_path: Path) -> None:
    world = World(tmp_path)
    old = world.incident("long known")
    world.estate.servicenow.move(old, "In Progress", by=RITA)
    waiting = world.incident("not yet a defect")
    world.restart(lose_state=True)
    world.settle()
    assert world.estate.jira.ids() == []
    world.estate.servicenow.update(old, {"description": "still the same"}, by=RITA)
    world.estate.servicenow.move(waiting, "In Progress", by=RITA)
    world.settle()
    assert [world.estate.jira.item(id)["summary"] for id in world.estate.jira.ids()] == ["not yet a defect"]
    world.close()


def test_what_is_said_between_our_reading_and_our_second_write_is_heard(world: World) -> None:
    """Found by a simulated history: behind a stranger's write, our next one looked as if nobody had come between."""
    incident, defect, _ = world.linked()
    snow, jira = world.estate.servicenow, world.estate.jira
    jira.update(defect, {"priority": "High"}, by=ANA)
    jira.comment(defect, "From Jira.", ANA)
    said = Fault("act", "servicenow", method="PATCH", times=1, act=lambda: snow.comment(incident, "Meanwhile.", RITA))
    world.estate.faults.add(said)
    world.once()
    assert said.struck == 1
    assert copies_of("Meanwhile.", world.words("jira", defect)) == 0
    world.settle()
    assert copies_of("Meanwhile.", world.words("jira", defect)) == 1


def test_a_status_that_people_gave_right_before_our_own_write_is_their_word(world: World) -> None:
    """Found by a simulated history: our summary came behind it, and made their status look like a step of ours."""
    incident, defect, pbi = world.linked()
    jira = world.estate.jira
    moved = Fault(
        "act", "jira", method="PUT", path=r"/issue/\d+$", times=1, act=lambda: jira.move(defect, "To Do", by=ANA)
    )
    world.estate.faults.add(moved)
    world.estate.servicenow.update(incident, {"short_description": "a better title"}, by=RITA)
    jira.update(defect, {"customfield_10044": "done so"}, by=BEN)
    world.estate.azure.move(pbi, "Done", by=CHEN)
    world.once()
    assert moved.struck == 1
    assert jira.item(defect)["summary"] == "a better title"
    world.settle()
    assert (jira.item(defect)["status"], world.engine.store.held()) == ("To Do", [])
    assert world.estate.servicenow.state_of(incident) == "New"


def test_a_copy_whose_words_were_taken_back_before_its_answer_came_is_waited_for_no_longer(world: World) -> None:
    incident, defect, _ = world.linked()
    lost = Fault("reset_before", "jira", method="POST", path="/comment$", times=1)
    world.estate.faults.add(lost)
    remark = world.estate.servicenow.comment(incident, "too hasty", SAM)
    world.once()
    world.estate.servicenow.delete_comment(incident, remark)
    world.once()
    assert lost.struck == 1 and world.engine.store.waiting() is not None
    world.later(minutes=20)
    assert world.settle()[-1].quiet
    assert world.engine.store.waiting() is None
    assert copies_of("too hasty", world.words("jira", defect)) == 0


class Asked(dict[Ref, Record | None]):
    """Records that may be asked for one by one: going over all of them for each link costs their square."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("all records are gone over for one link")


@pytest.mark.parametrize("read", [True, False])
def test_settling_a_link_asks_for_its_own_items_alone(read: bool) -> None:
    engine = Engine(b.setup(), {}, Store("", b.INSTANCE, database=Database.empty()), SandboxClock(b.NOW))
    shown = Asked({b.INCIDENT: b.record(b.INCIDENT)} if read else {})
    reading = Reading([], Seen(shown), {}, frozenset(), frozenset(), set(), {})
    whole, done = b.link(b.item(b.record(b.INCIDENT))), Pass(b.NOW)
    settle(engine, reading, whole, Plan(whole.id, whole.key, "t"), Applied(whole.id), done)
    assert done.unsettled == (0 if read else 1)


def test_what_waited_for_a_refused_mark_is_opened_with_it_once_it_is_taken(world: World) -> None:
    """Found by a simulated history: the mark was tried again and taken, and nothing was opened behind it."""
    incident = world.incident("not yet ours")
    no = Answer.of({"error": {"message": "Operation Failed", "detail": "ACL Exception"}, "status": "failure"}, 403)
    refusal = Fault("answer", "servicenow", method="PATCH", path="/table/incident", answer=no)
    world.estate.faults.add(refusal)
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.once()
    assert [held.what for held, _ in world.engine.store.held()] == ["mark"]
    assert world.estate.jira.ids() == []
    world.estate.faults.clear()
    world.later(minutes=16)
    world.once()
    assert [world.estate.jira.item(id)["summary"] for id in world.estate.jira.ids()] == ["not yet ours"]
    assert world.engine.store.held() == []


def test_an_issue_that_people_moved_right_before_our_step_is_not_led_there_and_back(world: World) -> None:
    """Found by a simulated history: the step of another status was taken for one of the status decided on."""
    incident, defect, pbi = world.linked()
    jira = world.estate.jira
    jira.update(defect, {"customfield_10044": "done so"}, by=BEN)
    world.estate.azure.move(pbi, "Done", by=CHEN)
    world.settle()
    assert jira.item(defect)["status"] == "Done"
    moving = partial(jira.move, defect, "To Do", by=ANA)
    moved = Fault("act", "jira", method="GET", path="/transitions", times=1, act=moving)
    world.estate.faults.add(moved)
    world.estate.servicenow.move(incident, "New", by=RITA)
    with world.counting() as asked:
        world.once()
    assert moved.struck == 1
    assert [line for line in asked if "POST" in line and "/transitions" in line] == []
    assert jira.item(defect)["status"] == "To Do"
