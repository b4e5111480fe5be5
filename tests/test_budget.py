"""The budget of writes, end to end: a loop with somebody ends in a small number of writes, on one item, and is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mappings.model import Ref
from sync.freezing import brake
from sync.freezing.budget import LATER, STOPPED, within_budget
from sync.plan import Say
from sync.setup import Guards
from sync.sheet import Sheet
from sync.state import COMMENT, CopyKey, Origin, Stroke
from sync.store import strokes
from tests.builders import HOUR, INCIDENT, MINUTE, NOW, item, link, record, seen, setup
from tests.test_cli import cli
from tests.test_guards import guarded, real, world
from tests.test_requests import request
from tests.world import ANA, BEN, CHEN, RITA, SAM, Begin, World, copies_of, writes

__all__ = ["real", "world"]

RULED = {
    "servicenow": ("defect", r"/table/incident/\w+$", "short_description"),
    "jira": ("incident", r"/issue/\d+$", "summary"),
    "azure": ("incident", r"/workItems/\d+$", "System.Title"),
}
AUTHORS = {"servicenow": RITA, "jira": BEN, "azure": CHEN}


def stopped(world: World) -> list[str]:
    return [key for held, key in world.engine.store.held() if held.what == STOPPED]


# ── back and forth ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Fight:
    """A link, and a rule of one tracker that changes a title back whenever Lockstep has written it. ``owner`` is the
    side whose word alone counts, so that Lockstep puts it right each time."""

    world: World
    tracker: str
    item: str

    def turn(self) -> None:
        people = getattr(self.world.estate, self.tracker)
        field = RULED[self.tracker][2]
        if people.item(self.item)[field] != "as the rule has it":
            people.update(self.item, {field: "as the rule has it"}, by=AUTHORS[self.tracker])

    def round(self) -> list[str]:
        """The rule's turn, then Lockstep's. Returns what Lockstep wrote."""
        self.turn()
        with self.world.counting() as asked:
            self.world.once()
        self.world.later(minutes=1)
        return writes(asked)


def exclusive(text: str, owner: str) -> str:
    """The demo's file with a title that one side alone may change."""
    titled = 'pbi      = "System.Title"\nowner    = '
    assert titled in text
    return text.replace(f'{titled}"incident"', f'{titled}"{owner}"\nexclusive = true')


@pytest.mark.parametrize("tracker", RULED)
def test_a_rule_that_changes_back_what_lockstep_writes_ends_in_as_many_writes_as_the_file_says(
    begin: Begin, tracker: str
) -> None:
    owner, path, _ = RULED[tracker]
    rules = '\n[guard]\nflap = 3\ntell = { teams = "triage" }\n'
    world = begin(lambda text: exclusive(text, owner) + rules)
    items = dict(zip(RULED, world.linked(), strict=True))
    fight = Fight(world, tracker, items[tracker])
    sent = [line for _ in range(8) for line in fight.round() if not line.startswith("teams")]
    changed = [line for line in sent if re.search(path, line)]
    # in ServiceNow the note that says why is a change of its record like any other
    assert (len(changed), len(sent)) == ((6, 6) if tracker == "servicenow" else (3, 6))
    (key,) = stopped(world)
    (reason,) = [held.reason for held, _ in world.engine.store.held() if held.what == STOPPED]
    assert "Lockstep wrote '500 responses on API' 3 times (16:0" in reason
    assert re.search(r"\w+ wrote 'as the rule has it' 3 times \(16:0", reason)
    assert len(world.estate.hook.cards) == 1 and f"lockstep resume {key}" in str(world.estate.hook.cards[0])
    # everything else of the link flows, and what waited for the item comes once it may
    speaker = "jira" if tracker != "jira" else "azure"
    getattr(world.estate, speaker).comment(items[speaker], "meanwhile.", {"jira": ANA, "azure": CHEN}[speaker])
    world.settle()
    others = {name: copies_of("meanwhile.", world.words(name, id)) for name, id in items.items() if name != speaker}
    assert others == {name: int(name != tracker) for name in others}
    assert f"{key} may be written again" in brake.resume(world.engine, key, "dana")
    world.settle()
    assert copies_of("meanwhile.", world.words(tracker, items[tracker])) == 1
    assert getattr(world.estate, tracker).item(items[tracker])[RULED[tracker][2]] == "500 responses on API"
    assert world.engine.store.held() == []


def test_two_automations_that_fight_over_a_field_stop_one_item_and_leave_the_others_in_step(begin: Begin) -> None:
    world = guarded(begin, "flap = 3")
    incident, defect, _ = world.linked(pbi=False)
    sent = []
    for _ in range(9):
        world.estate.jira.update(defect, {"summary": "ours"}, by=BEN)
        with world.counting() as asked:
            world.once()
        sent += writes(asked)
        if world.estate.servicenow.item(incident)["short_description"] != "theirs":
            world.estate.servicenow.update(incident, {"short_description": "theirs"}, by=RITA)
        with world.counting() as asked:
            world.once()
        sent += writes(asked)
        world.later(minutes=1)
    assert len([line for line in sent if "PUT" in line]) == 3, "the defect, put right three times"
    assert len([line for line in sent if "PATCH" in line]) == 3, "and so the incident"
    assert len(stopped(world)) == 1 and len(sent) == 6, "where one of them rests, the other has its way"


def test_people_who_change_a_field_to_and_fro_now_and_then_stop_nothing(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    for number in range(4):
        world.estate.servicenow.update(incident, {"short_description": "one"}, by=RITA)
        world.settle()
        world.estate.jira.update(defect, {"summary": "other"}, by=ANA)
        world.settle()
        assert world.estate.servicenow.item(incident)["short_description"] == "other", number
    assert world.engine.store.held() == []


# ── too many ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_lockstep_on_the_same_items_ends_in_the_budget_and_not_in_a_storm(
    begin: Begin, tmp_path: Path
) -> None:
    rules = "\n[guard]\nitem = 8\n"
    one = begin(lambda text: text + rules)
    incident, defect, pbi = one.linked()

    def second(text: str) -> str:
        renamed = text.replace('instance = "demo"', 'instance = "second"')
        return renamed.replace('{ env = "LOCKSTEP_SECRET" }', '{ env = "JIRA_TOKEN" }') + rules

    (tmp_path / "two").mkdir()
    two = World(tmp_path / "two", second, one.estate)
    assert request(two, "link", "CSPM-1", "AB#1").outcome == "done"
    two.once()
    one.later(hours=2)
    one.estate.jira.comment(defect, "a first word.", ANA)
    for _ in range(20):
        one.once()
        two.once()
        one.later(seconds=30)
    with one.counting() as asked:
        one.once()
        two.once()
    assert writes(asked) == []
    assert stopped(one) and stopped(two)
    items = {"servicenow": incident, "jira": defect, "azure": pbi}
    said = {name: len(one.words(name, id)) for name, id in items.items()}
    assert said == {"servicenow": 8, "jira": 1 + 8 + 8, "azure": 8 + 8}
    two.shut()


def test_what_was_said_long_ago_is_carried_however_much_it_is(begin: Begin) -> None:
    everything = 'open = "defect"\nhistory = "all"'
    world = begin(lambda text: text.replace('open = "defect"', everything) + "\n[guard]\nitem = 5\n")
    incident = world.incident()
    for number in range(12):
        world.estate.servicenow.comment(incident, f"long ago {number}.", SAM)
    world.later(hours=2)
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.settle()
    (defect,) = world.estate.jira.ids()
    assert copies_of("long ago", world.words("jira", defect)) == 12
    assert stopped(world) == []


def test_the_budget_of_an_item_is_told_and_begins_anew_by_a_persons_word(real: World) -> None:
    real.path.write_text(real.path.read_text() + "\n[guard]\nitem = 4\n")
    incident = real.incident()
    real.estate.servicenow.move(incident, "In Progress", by=RITA)
    assert cli(real, "reconcile").exit_code == 0
    (defect,) = real.estate.jira.ids()
    for number in range(6):
        real.estate.servicenow.comment(incident, f"now {number}.", SAM)
    assert cli(real, "reconcile").exit_code == 1
    assert copies_of("now", real.words("jira", defect)) == 3, "the first step of the defect was a write too"
    assert "CSPM-1 has had its 4 writes an hour to one item (guard.item)" in cli(real, "held", "cspm-1").stdout
    assert "CSPM-1 is not written since" in cli(real, "status").stdout
    assert "guard.item" in cli(real, "why", "CSPM-1").stdout
    assert cli(real, "held", "CSPM-9", "--retry").exit_code == 2
    assert "1 thing held of CSPM-1" in cli(real, "held", "CSPM-1", "--retry").stdout
    assert cli(real, "reconcile").exit_code == 0
    assert [copies_of(f"now {number}.", real.words("jira", defect)) for number in range(6)] == [1] * 6


# ── comments that customers read ─────────────────────────────────────────────────────────────────────────────────────


def test_comments_that_customers_read_wait_for_their_hour_in_their_order(begin: Begin) -> None:
    world = guarded(begin, "comments = 3")
    incident, defect, pbi = world.linked()
    for number in range(5):
        world.estate.jira.comment(defect, f"public {number}.", ANA)
        world.estate.azure.comment(pbi, f"internal {number}.", CHEN)
        world.later(seconds=1)
    world.settle()
    public = [word for word in world.words("servicenow", incident) if "public" in word]
    assert [f"public {number}." in word for number, word in enumerate(public)] == [True] * 3
    assert copies_of("internal", world.words("servicenow", incident)) == 5, "work notes are read by none of them"
    assert copies_of("public", world.words("azure", pbi)) == 5
    ((held, _),) = world.engine.store.held()
    assert held.what == LATER and "2 comments for INC0010001 (comments) must wait: 3 an hour" in held.reason
    assert held.retry is not None and timedelta(minutes=50) < held.retry - world.engine.now() <= HOUR
    world.estate.jira.comment(defect, "public 5.", ANA)
    world.settle()
    world.restart()
    world.later(minutes=61)
    world.settle()
    public = [word for word in world.words("servicenow", incident) if "public" in word]
    assert [f"public {number}." in word for number, word in enumerate(public)] == [True] * 6
    assert world.engine.store.held() == []


@pytest.mark.parametrize("order", [("comments", "chat"), ("chat", "comments")])
def test_an_item_whose_comments_wait_in_two_places_is_looked_at_when_the_first_hour_is_over(
    order: tuple[str, str],
) -> None:
    said = {"comments": NOW - 50 * MINUTE, "chat": NOW - 20 * MINUTE}
    written = tuple(Stroke(name, INCIDENT, at, COMMENT, name) for name, at in said.items())
    whole = link(item(record(INCIDENT)), strokes=written)
    sheet = Sheet(whole, seen(), setup(guards=Guards(comments=1)), NOW)
    says = [Say(INCIDENT, "incident", name, CopyKey(Origin("jira", name), INCIDENT), 1, "a word") for name in order]
    assert within_budget(sheet, says) == ([], says)
    held = sheet.holds[INCIDENT, LATER]
    assert held.retry == NOW + 10 * MINUTE and "(comments)" in held.reason


def test_an_issue_that_takes_twenty_writes_in_two_seconds_gets_them_all_in_order(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    world.estate.jira.limits.per_issue = True
    for number in range(25):
        world.estate.servicenow.comment(incident, f"word {number:02}.", SAM)
        world.later(seconds=1)
    world.settle()
    said = world.words("jira", defect)
    assert [f"word {number:02}." in word for number, word in enumerate(said)] == [True] * 25


# ── what is kept of it ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_written_on_items_is_forgotten_once_it_can_tell_of_no_loop(world: World) -> None:
    store = world.engine.store
    _, defect, pbi = world.linked()

    def kept() -> set[Ref]:
        return {stroke.ref for one in store.links() for stroke in one.strokes}

    assert kept() >= {Ref("jira", defect), Ref("azure", pbi)}
    world.later(days=1)
    store.forget_old(world.engine.now())
    assert kept() >= {Ref("jira", defect), Ref("azure", pbi)}
    world.later(days=1, minutes=1)
    store.forget_old(world.engine.now())
    assert kept() == set()


def test_a_write_that_did_not_happen_is_forgotten_without_a_look_at_all_the_others(world: World) -> None:
    world.linked()
    store, asked = world.engine.store, list[tuple[str, Any]]()

    def kept() -> set[str]:
        return {stroke.key for one in store.links() for stroke in one.strokes}

    def hear(connection: sa.Connection, cursor: object, statement: str, given: Any, *_: object) -> None:
        asked.append((statement, given))

    before = kept()
    number = max(int(key.split()[1]) for key in before if key.startswith("intent "))
    with store.db.begin() as connection:
        sa.event.listen(connection, "before_cursor_execute", hear)
        strokes.forget_intent(connection, number)
        sa.event.remove(connection, "before_cursor_execute", hear)
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", given).all() for one, given in asked]
    gone = {key for key in before if key.startswith(f"intent {number} ")}
    assert kept() == before - gone < before
    assert plans and "SCAN" not in str(plans)
