"""When items moved: by their trackers' own histories, read for what changed and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from mappings.model import Moved, Ref
from mappings.stages import Stage
from sync.decide import decide
from sync.setup import Setup
from sync.state import LinkState, Movement
from tests.builders import DEFECT, HOUR, INCIDENT, MINUTE, NOW, item, link, record, seen, setup
from tests.world import ANA, BEN, CHEN, RITA, SAM, World

HOUSE = setup()


def moved(what: str, new: str, ago: timedelta, by: str = "otto") -> Moved:
    return Moved(what, NOW - ago, by, new)


def movements(state: LinkState, *moves: Moved, now_in: str, **said: str) -> list[Movement]:
    shown = record(INCIDENT, state=now_in, version=9, updated=NOW, updated_by="somebody", **said)
    found = replace(seen(shown), moves={INCIDENT: moves})
    return sorted(decide(state, found, HOUSE, NOW).settlement.movements, key=lambda m: m.at)


def told(found: list[Movement]) -> list[tuple[str, datetime]]:
    return [(m.stage, m.at) for m in found if m.kind == "stage"]


# ── The rule by itself ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_is_entered_when_the_history_says_and_by_whom() -> None:
    found = movements(link(), moved("state", "On Hold:Awaiting Caller", HOUR), now_in="On Hold:Awaiting Caller")
    assert told(found) == [("Waiting", NOW - HOUR)]
    assert [m.party for m in found] == ["operations"]


def test_without_a_history_the_record_s_own_time_counts() -> None:
    found = movements(link(), now_in="On Hold:Awaiting Caller")
    assert told(found) == [("Waiting", NOW)]


def test_several_moves_between_two_looks_are_movements_each_at_its_own_time() -> None:
    pause, back = moved("state", "On Hold:Awaiting Caller", 2 * HOUR), moved("state", "In Progress", HOUR)
    again = moved("state", "On Hold:Awaiting Caller", MINUTE)
    found = movements(link(), pause, back, again, now_in="On Hold:Awaiting Caller")
    assert told(found) == [("Waiting", pause.at), ("Fixing", back.at), ("Waiting", again.at)]
    assert len({m.event for m in found}) == 3


def test_moves_that_led_back_are_remembered_although_the_stage_is_the_same() -> None:
    pause, back = moved("state", "On Hold:Awaiting Caller", 2 * HOUR), moved("state", "On Hold:Awaiting Problem", HOUR)
    found = movements(link(), pause, back, now_in="On Hold:Awaiting Problem")
    assert told(found) == [("Waiting", pause.at), ("Fixing", back.at)]


def test_a_move_that_its_side_may_not_make_is_no_visit() -> None:
    up, back = moved("state", "New", 2 * HOUR), moved("state", "On Hold:Awaiting Problem", HOUR)
    assert told(movements(link(), up, back, now_in="On Hold:Awaiting Problem")) == []


def test_the_steps_by_which_lockstep_brought_an_item_along_are_nobodys_moves() -> None:
    """A workflow leads a reopened item through other stages; none of them is entered, so that no rule speaks of it."""
    through = [moved("state", state, HOUR, "lockstep") for state in ("New", "In Progress")]
    pause = moved("state", "On Hold:Awaiting Caller", MINUTE)
    shown = record(INCIDENT, state=pause.new, version=9, updated=NOW)
    found = replace(seen(shown), moves={INCIDENT: (through[0], through[1], pause)})
    house = replace(HOUSE, stages=replace(HOUSE.stages, stages=tuple(freely(HOUSE))))
    for facts in (replace(found.facts["snow"], account="lockstep"), replace(found.facts["snow"], updater="lockstep")):
        known = replace(found, facts={**found.facts, "snow": facts})
        movements = decide(link(), known, house, NOW).settlement.movements
        assert told(list(movements)) == [("Waiting", pause.at)]


def freely(house: Setup) -> Iterator[Stage]:
    """The stages, each of which every side may leave."""
    return (replace(stage, decided_by="") for stage in house.stages.stages)


def test_each_assignment_counts_by_its_own_hand_and_automation_is_none() -> None:
    first, second = moved("assignee", "u1", HOUR, "robot"), moved("assignee", "u2", MINUTE)
    found = movements(link(), first, second, now_in="In Progress", assignee="Otto")
    assert [(m.kind, m.at, m.party) for m in found] == [("assignment", second.at, "operations")]


def test_the_history_of_an_item_that_does_not_speak_for_its_side_tells_no_stage() -> None:
    follower = record(Ref("snow", "i2"), created=NOW - HOUR)
    state = link(*(item(record(ref)) for ref in (INCIDENT, DEFECT)), item(follower))
    moves = {follower.ref: (moved("state", "On Hold:Awaiting Caller", HOUR), moved("state", "In Progress", MINUTE))}
    found = decide(state, replace(seen(replace(follower, version=9)), moves=moves), HOUSE, NOW)
    assert found.settlement.movements == ()


# ── End to end ───────────────────────────────────────────────────────────────────────────────────────────────────────


def asked_for(asked: list[str], tracker: str, path: str) -> int:
    return len([line for line in asked if line.startswith(tracker) and path in line])


def stages(world: World) -> list[tuple[str, datetime]]:
    (found,) = world.engine.store.links()
    return [(m.stage, m.at) for m in found.movements if m.kind == "stage"]


def test_a_move_in_servicenow_is_timed_by_sys_audit_in_one_query(world: World) -> None:
    incident, _, _ = world.linked()
    before = len(stages(world))
    world.later(minutes=1)
    world.estate.servicenow.move(incident, "On Hold", by=RITA, hold_reason="Awaiting Caller", comments="what exactly?")
    at = world.engine.now()
    world.later(minutes=5)
    world.estate.servicenow.update(incident, {"short_description": "500 responses on the API"}, by=SAM)
    with world.counting() as asked:
        world.once()
    assert asked_for(asked, "servicenow GET", "sys_audit") == 1
    assert [at.replace(microsecond=0)] == [when.replace(microsecond=0) for _, when in stages(world)[before:]]


def test_two_moves_in_servicenow_between_two_looks_are_two_movements(world: World) -> None:
    incident, _, _ = world.linked()
    before = len(stages(world))
    world.later(minutes=1)
    world.estate.servicenow.move(incident, "On Hold", by=RITA, hold_reason="Awaiting Caller", comments="what exactly?")
    world.later(minutes=7)
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.estate.servicenow.update(incident, {"assigned_to": RITA}, by=RITA)
    world.later(minutes=3)
    world.once()
    found = stages(world)[before:]
    assert len(found) == 2 and found[1][1] - found[0][1] == timedelta(minutes=7)


def test_a_move_in_jira_is_timed_by_the_changelog_that_came_with_the_issue(world: World) -> None:
    _, defect, _ = world.linked()
    before = len(stages(world))
    world.later(minutes=1)
    at = world.engine.now()
    world.estate.jira.move(defect, "Done", BEN, resolution="Done")
    world.later(minutes=5)
    world.estate.jira.comment(defect, "see the notes", ANA)
    with world.counting() as asked:
        world.once()
    assert asked_for(asked, "jira", "changelog") == 0
    found = stages(world)[before:]
    assert [stage for stage, _ in found] == ["Closed"] and abs(found[0][1] - at) < timedelta(seconds=5)


def test_a_jira_history_cut_off_inside_its_issue_is_read_in_bulk(world: World) -> None:
    _, defect, _ = world.linked()
    for n in range(45):
        world.estate.jira.update(defect, {"summary": f"again {n}"}, by=ANA)
    world.settle()
    before = len(stages(world))
    world.estate.jira.move(defect, "Done", BEN, resolution="Done")
    at = world.engine.now()
    world.later(minutes=5)
    world.estate.jira.comment(defect, "see the notes", ANA)
    with world.counting() as asked:
        world.once()
    assert asked_for(asked, "jira POST", "changelog/bulkfetch") == 1
    found = stages(world)[before:]
    assert [stage for stage, _ in found] == ["Closed"] and abs(found[0][1] - at) < timedelta(seconds=5)


def test_an_assignment_in_azure_devops_is_timed_by_its_updates_one_call_an_item(world: World) -> None:
    _, _, pbi = world.linked()
    world.later(minutes=1)
    world.estate.azure.update(pbi, {"System.AssignedTo": CHEN}, by=CHEN)
    at = world.engine.now()
    world.later(minutes=5)
    world.estate.azure.update(pbi, {"System.Description": "more"}, by=ANA)
    with world.counting() as asked:
        world.once()
    assert asked_for(asked, "azure GET", "/updates") == 1
    (found,) = world.engine.store.links()
    (assigned,) = [m for m in found.movements if m.event.startswith("assignment:azure")]
    assert abs(assigned.at - at) < timedelta(seconds=5)


def test_nothing_is_asked_of_histories_where_no_state_and_no_assignee_changed(world: World) -> None:
    incident, _, pbi = world.linked()
    world.settle()
    world.estate.servicenow.update(incident, {"short_description": "500 responses on the API"}, by=SAM)
    world.estate.azure.comment(pbi, "noted", CHEN)
    with world.counting() as asked:
        world.settle()
    assert not [line for line in asked if any(h in line for h in ("sys_audit", "changelog", "/updates"))]


def test_where_sys_audit_is_denied_movements_are_timed_by_the_record(world: World) -> None:
    incident, _, _ = world.linked()
    world.estate.servicenow.rights.audit_readable = False
    before = len(stages(world))
    world.later(minutes=1)
    world.estate.servicenow.move(incident, "On Hold", by=RITA, hold_reason="Awaiting Caller", comments="what exactly?")
    world.once()
    assert len(stages(world)[before:]) == 1


def test_where_sys_audit_is_denied_doctor_says_that_clocks_are_sampled_at_the_poll_interval(world: World) -> None:
    world.estate.servicenow.rights.audit_readable = False
    connector = world.engine.connectors["servicenow"]
    scopes = [side.scope for side in world.engine.setup.sides_in("servicenow")]
    rights = connector.describe(scopes).rights  # type: ignore[attr-defined]
    (history,) = [right for right in rights if right.purpose == "history"]
    assert history.held is False and "clocks are sampled at the poll interval" in history.why
