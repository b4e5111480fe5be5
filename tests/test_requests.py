"""``link``, ``unlink`` and ``split``: asked by people, worked by whoever holds the state, followed by the trackers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import main
from sync.joining.join import waits_below
from sync.requests.ask import ask
from sync.requests.kinds import work
from sync.store import DECLINED, DONE, Request
from tests.builders import DEFECT, INCIDENT, PBI
from tests.test_crash import Died, mortal
from tests.test_joining import joining, number, opened
from tests.world import ANA, RITA, SAM, World, copies_of, writes


@pytest.fixture
def asked_world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, joining)
    yield world
    world.close()


def request(world: World, kind: str, *names: str) -> Request:
    """A request as the running Lockstep works it."""
    id = world.engine.store.ask(kind, names, "opal", world.engine.now())
    work(world.engine)
    return world.engine.store.request(id)


def homes(world: World) -> list[set[str]]:
    """The ids of each link's items."""
    return [{item.ref.id for item in link.items} for link in world.engine.store.links()]


def test_linking_brings_items_into_the_link_that_one_of_them_has(asked_world: World) -> None:
    world, snow = asked_world, asked_world.estate.servicenow
    incident, defect = opened(world)
    other = world.incident("county B")
    world.settle()
    answer = request(world, "link", number(world, incident), number(world, other))
    assert (answer.outcome, answer.by) == (DONE, "opal")
    with world.counting() as sent:
        world.settle()
    assert homes(world) == [{incident, defect, other}]
    assert len(writes(sent)) == 2  # its mark and the link's stage
    assert snow.state_of(other) == "In Progress"
    assert snow.item(other)["short_description"] == "county B"


def test_linking_two_items_by_hand_makes_a_link_of_them_and_overwrites_nothing(asked_world: World) -> None:
    world, jira = asked_world, asked_world.estate.jira
    incident = world.incident("county A")
    defect = jira.create({"summary": "made by hand"}, by=ANA)
    world.settle()
    answer = request(world, "link", number(world, incident), jira.issue(defect).key)
    assert answer.outcome == DONE, answer.answer
    world.settle()
    assert homes(world) == [{incident, defect}]
    assert jira.item(defect)["summary"] == "made by hand"
    assert world.estate.servicenow.item(incident)["short_description"] == "county A"
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.settle()
    assert len(jira.ids()) == 1


def test_links_never_merge_themselves_nor_by_command(asked_world: World) -> None:
    world = asked_world
    first, _ = opened(world, "500 responses on API")
    second, _ = opened(world, "504 errors on API")
    answer = request(world, "link", number(world, first), number(world, second))
    assert answer.outcome == DECLINED
    assert "never merge" in answer.answer and "lockstep unlink" in answer.answer
    assert len(homes(world)) == 2


def test_unlinking_leaves_a_tombstone_that_bars_joining_again(asked_world: World) -> None:
    world, snow = asked_world, asked_world.estate.servicenow
    incident, defect = opened(world)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    assert request(world, "unlink", number(world, child)).outcome == DONE
    with world.counting() as sent:
        world.settle()
    assert len(writes(sent)) == 1  # the mark
    record = snow.item(child)
    assert not record.get("correlation_display") and not record.get("correlation_id")
    assert (record["short_description"], snow.state_of(child)) == ("county B", "In Progress")
    snow.update(child, {"urgency": "1"}, by=RITA)
    snow.comment(child, "still the same", SAM)
    world.settle()
    assert homes(world) == [{incident, defect}]
    assert copies_of("still the same", world.words("jira", defect)) == 0
    assert len(world.estate.jira.ids()) == 1
    with world.counting() as sent:
        world.reconcile()
    assert writes(sent) == []


def test_a_counterpart_that_was_unlinked_is_left_to_its_people_and_never_made_again(asked_world: World) -> None:
    world, jira = asked_world, asked_world.estate.jira
    incident, defect = opened(world)
    before = jira.item(defect)
    assert request(world, "unlink", "CSPM-1").outcome == DONE
    world.settle()
    world.estate.servicenow.update(incident, {"short_description": "renamed"}, by=RITA)
    world.settle()
    after = jira.item(defect)
    assert (after["summary"], after["status"]) == (before["summary"], before["status"])
    assert "lockstep-demo" not in after["labels"]
    assert "link:" not in str(after["description"] or "")
    assert jira.links(defect) == []
    assert jira.ids() == [defect]


def test_after_the_state_is_lost_what_was_unlinked_stays_apart(asked_world: World) -> None:
    world = asked_world
    incident, defect = opened(world)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    world.estate.servicenow.update(child, {"parent_incident": ""}, by=RITA)
    request(world, "unlink", number(world, child))
    world.settle()
    world.restart(lose_state=True)
    with world.counting() as sent:
        world.reconcile()
    assert writes(sent) == []
    assert homes(world) == [{incident, defect}]


def test_a_person_who_links_again_lifts_the_tombstone(asked_world: World) -> None:
    world = asked_world
    incident, defect = opened(world)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    request(world, "unlink", number(world, child))
    world.settle()
    assert request(world, "link", number(world, child), "cspm-1").outcome == DONE
    world.settle()
    assert homes(world) == [{incident, defect, child}]
    assert "link:" in str(world.estate.servicenow.item(child)["correlation_id"])


def test_unlinking_what_is_only_proposed_declines_and_its_own_routes_apply(asked_world: World) -> None:
    world = asked_world
    incident, _ = opened(world)
    other = world.incident(f"not {number(world, incident)}")
    world.estate.servicenow.move(other, "In Progress", by=RITA)
    world.settle()
    assert len(world.engine.store.held()) == 1
    assert request(world, "unlink", number(world, other)).outcome == DONE
    world.settle()
    assert world.engine.store.held() == []
    assert len(homes(world)) == len(world.estate.jira.ids()) == 2


@pytest.mark.parametrize("lose_state", [False, True], ids=["state kept", "state deleted"])
def test_what_was_split_is_a_link_of_its_own_and_stays_one(asked_world: World, lose_state: bool) -> None:
    world, snow = asked_world, asked_world.estate.servicenow
    incident, defect = opened(world)
    child = world.incident("county B", parent_incident=incident, category="hardware")
    world.settle()
    snow.comment(child, "county B speaks", SAM)
    world.settle()
    assert request(world, "split", number(world, child)).outcome == DONE
    with world.counting() as sent:
        world.settle()
    assert len(writes(sent)) == 1  # the keys
    assert homes(world) == [{incident, defect}, {child}]
    _, second = world.engine.store.links()
    assert f"link:{second.key}" in str(snow.item(child)["correlation_id"])
    world.later(hours=1)
    world.restart(lose_state=lose_state)
    with world.counting() as sent:
        passes = world.reconcile()
    assert writes(sent) == [] and passes[-1].quiet
    assert sorted(map(sorted, homes(world))) == sorted(map(sorted, [{incident, defect}, {child}]))
    assert copies_of("county B speaks", world.words("jira", defect)) == 1


def test_a_counterpart_split_off_is_never_made_again(asked_world: World) -> None:
    world, jira = asked_world, asked_world.estate.jira
    incident, defect, pbi = world.linked()
    assert request(world, "split", "CSPM-1", f"AB#{pbi}").outcome == DONE
    world.settle()
    assert homes(world) == [{incident}, {defect, pbi}]
    jira.update(defect, {"summary": "for the two of them"}, by=ANA)
    world.settle()
    assert world.estate.azure.item(pbi)["System.Title"] == "for the two of them"
    assert world.estate.servicenow.item(incident)["short_description"] == "500 responses on API"
    world.restart(lose_state=True)
    world.reconcile()
    assert jira.ids() == [defect] and world.estate.azure.ids() == [pbi]
    assert sorted(map(len, homes(world))) == [1, 2]


@pytest.mark.parametrize(
    "kind, names, why",
    [
        ("link", ("INC9999999", "CSPM-1"), "INC9999999 is unknown"),
        ("link", ("CSPM-1",), "name two items"),
        ("unlink", ("{incident}",), "opened its link"),
        ("split", ("{incident}",), "split off the others"),
        ("unlink", ("{lone}",), "in no link"),
        ("split", ("{lone}",), "lockstep link"),
        ("dance", ("CSPM-1",), "knows no dance"),
    ],
)
def test_a_request_that_cannot_be_done_says_why_and_changes_nothing(
    asked_world: World, kind: str, names: tuple[str, ...], why: str
) -> None:
    world = asked_world
    incident, _ = opened(world)
    lone = world.incident("on its own")
    world.settle()
    before = homes(world)
    filled = {"incident": number(world, incident), "lone": number(world, lone)}
    answer = request(world, kind, *(name.format(**filled) for name in names))
    assert answer.outcome == DECLINED and why in answer.answer
    assert homes(world) == before


def test_the_journal_says_who_asked(asked_world: World) -> None:
    world = asked_world
    opened(world)
    request(world, "unlink", "CSPM-1")
    (link,) = world.engine.store.links()
    assert any("opal" in entry.body for entry in world.engine.store.journal(link.key))
    assert any("opal" in entry.body for entry in world.engine.store.journal(""))


def test_a_request_worked_before_a_crash_is_in_effect_once(asked_world: World) -> None:
    world = asked_world
    incident, defect = opened(world)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    id = world.engine.store.ask("unlink", [number(world, child)], "opal", world.engine.now())
    work(world.engine)
    asked = world.engine.store.request(id)
    world.engine.store.answer(asked, "", "", world.engine.now())  # as if the answer had not been committed
    world.restart()
    world.settle()
    assert world.engine.store.request(id).outcome == DONE
    assert homes(world) == [{incident, defect}]


@pytest.mark.parametrize("moment", ["before it is sent", "after it took effect"])
def test_a_process_that_dies_while_it_takes_a_mark_off_is_followed_by_one_that_finishes(
    asked_world: World, moment: str
) -> None:
    world = asked_world
    _, defect = opened(world)
    request(world, "unlink", "CSPM-1")
    with mortal(world.engine, moment, after=0), pytest.raises(Died):
        world.settle()
    world.restart()
    world.settle()
    assert "lockstep-demo" not in world.estate.jira.item(defect)["labels"]
    assert world.estate.jira.ids() == [defect]
    with world.counting() as sent:
        world.reconcile()
    assert writes(sent) == []


def test_a_command_works_a_free_state_itself(asked_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = asked_world
    opened(world)
    world.shut()
    for name, value in world.estate.environment().items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, ["unlink", "-c", str(world.path), "CSPM-1"])
    assert done.exit_code == 0, done.output
    assert "CSPM-1 was taken out" in done.output
    refused = CliRunner().invoke(main, ["split", "-c", str(world.path), "CSPM-9"])
    assert refused.exit_code == 1
    assert "CSPM-9 is unknown" in refused.output
    world.engine = world.start()
    assert [len(items) for items in homes(world)] == [1]


def test_beside_a_running_lockstep_a_command_waits_for_its_answer(asked_world: World) -> None:
    world = asked_world
    opened(world)
    setup, answers = world.engine.setup, []

    class Waiting:
        """The clock of the command: while it waits, the one at work makes its pass."""

        def now(self):  # type: ignore[no-untyped-def]
            return world.engine.now()

        def sleep(self, seconds: float) -> None:
            world.once()

    def command() -> None:
        answers.append(ask(setup, Waiting(), "unlink", ["CSPM-1"], "opal"))

    thread = threading.Thread(target=command)
    thread.start()
    thread.join(20)
    (answer,) = answers
    assert answer.outcome == DONE
    assert [len(items) for items in homes(world)] == [1]


def test_of_items_that_stand_above_each_other_one_goes_first() -> None:
    ring = {INCIDENT: DEFECT, DEFECT: INCIDENT, PBI: DEFECT}
    assert [waits_below(ref, ring) for ref in (INCIDENT, DEFECT, PBI)] == [True, False, True]
    assert not waits_below(PBI, {})


def test_what_a_split_off_item_opened_is_not_opened_again(tmp_path: Path) -> None:
    world = World(tmp_path, joining)
    _, defect, pbi = world.linked()
    assert request(world, "split", world.estate.jira.issue(defect).key).outcome == DONE
    world.settle()
    assert sorted(map(len, homes(world))) == [1, 2]
    assert world.engine.store.held() == []
    assert world.estate.azure.ids() == [pbi]
    world.close()


def test_what_waits_for_an_item_that_is_unlinked_waits_no_more(asked_world: World) -> None:
    world = asked_world
    incident, _ = opened(world)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    other = world.incident(f"the same as {number(world, child)}?")
    world.estate.servicenow.move(other, "In Progress", by=RITA)
    world.settle()
    assert [held.what for held, _ in world.engine.store.held()] == ["join"]
    request(world, "unlink", number(world, child))
    world.settle()
    assert world.engine.store.held() == []
    assert len(world.estate.jira.ids()) == 2  # its own route opened


def test_what_was_said_between_items_that_are_split_off_together_still_arrives(tmp_path: Path) -> None:
    world = World(tmp_path, joining)
    incident, defect, pbi = world.linked()
    world.later(minutes=5)
    world.estate.jira.comment(defect, "between the two of us", ANA)
    assert request(world, "split", world.estate.jira.issue(defect).key, pbi).outcome == DONE
    world.settle()
    assert copies_of("between the two of us", world.words("azure", pbi)) == 1
    assert copies_of("between the two of us", world.words("servicenow", incident)) == 0
    world.close()


def test_what_an_item_heard_in_a_former_link_is_history_in_the_one_that_it_opens(tmp_path: Path) -> None:
    world = World(tmp_path, joining)
    jira, (_, defect, pbi) = world.estate.jira, world.linked()
    world.later(minutes=1)
    jira.comment(defect, "for county A alone", ANA)
    world.settle()
    world.later(minutes=3)
    request(world, "unlink", jira.issue(defect).key)
    world.settle()
    jira.comment(defect, "said while alone", ANA)
    other = world.incident("county B")
    world.later(minutes=3)
    world.settle()
    assert request(world, "link", jira.issue(defect).key, number(world, other)).outcome == DONE
    world.settle()
    assert homes(world)[1] == {defect, other}
    world.later(minutes=3)
    jira.comment(defect, "for county B", ANA)
    world.settle()
    words = world.words("servicenow", other)
    assert [copies_of(text, words) for text in ("county A alone", "while alone", "for county B")] == [0, 0, 1]
    assert world.estate.azure.ids() == [pbi]
    world.close()
