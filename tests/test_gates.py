"""Gates: what a stage needs is filled in before it is entered, and what is missing is said where it is filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.conditions import Conditions
from mappings.fields import Field
from mappings.model import Mark, Record
from mappings.stages import Need, StageMap
from sync.config import ConfigProblems
from sync.decide import decide
from sync.merging.merge import Agreed
from sync.merging.status import STAGE
from sync.plan import Adopt, Plan
from sync.requests.kinds import work
from sync.setup import Setup
from sync.state import Copy, LinkState
from tests.builders import (
    AGREED,
    DEFECT,
    FIELDS,
    INCIDENT,
    MARK,
    NOW,
    PBI,
    STAGES,
    echoes_of,
    item,
    link,
    only_seen,
    opens,
    prospect,
    record,
    route,
    says,
    setup,
    writes,
)
from tests.world import ANA, RITA, World, copies_of
from tests.world import writes as sent

STEPS = Field("steps", natives={"incident": ("u_steps",), "defect": ("steps_field",)}, owner="incident")
NEEDING = StageMap(tuple(replace(s, needs=("steps",)) if s.name == "Fixing" else s for s in STAGES.stages))
ALL = {**FIELDS, "steps": STEPS}


def house(**said: Any) -> Setup:
    return setup(**{"stages": NEEDING, "fields": ALL, "routes": (route("production", "incident", "defect"),), **said})


def shown(state: str, steps: str | None = None, version: int = 2, **said: Any) -> Record:
    return record(INCIDENT, state, version, fields={"u_steps": steps, **said.pop("fields", {})}, **said)


def standing(*others: Record, **said: Any) -> LinkState:
    """A link in which the work is being looked at."""
    was = record(INCIDENT, "New", fields={"u_steps": None})
    agreed = {**AGREED, STAGE: Agreed("Validating", 1, "incident"), "steps": Agreed(None, 1)}
    return link(
        item(was, echoes=echoed(was)), *(item(one, echoes=echoed(one)) for one in others), agreed=agreed, **said
    )


def echoed(one: Record) -> Any:
    return echoes_of(one, ALL)


def decided(state: LinkState, *records: Record, setup_: Setup | None = None) -> Plan:
    return decide(state, only_seen(*records), setup_ or house(), NOW)


DEFECT_SHOWN = record(DEFECT, "To Do", fields={"steps_field": None})


# ── Entering a stage ─────────────────────────────────────────────────────────────────────────────────────────────


def test_entering_a_stage_whose_needs_are_missing_is_put_back_with_a_note_that_names_them() -> None:
    plan = decided(standing(DEFECT_SHOWN), shown("In Progress"), DEFECT_SHOWN)
    assert STAGE not in plan.settlement.agreed
    assert writes(plan.actions)[INCIDENT].change.state == "New"
    (note,) = says(plan.actions)
    assert note.ref == INCIDENT and note.channel == "work_notes"
    assert "'Fixing' needs steps (u_steps on I1 or steps_field on D1)" in note.text


def test_once_it_is_filled_in_the_next_move_is_accepted() -> None:
    plan = decided(standing(DEFECT_SHOWN), shown("In Progress", "open it twice"), DEFECT_SHOWN)
    assert plan.settlement.agreed[STAGE] == Agreed("Fixing", 2, "incident")
    assert writes(plan.actions)[DEFECT].change.state == "In Progress"


def test_fields_are_merged_before_the_status_so_that_a_move_may_bring_what_it_needs() -> None:
    told = replace(DEFECT_SHOWN, fields={**DEFECT_SHOWN.fields, "steps_field": "open it twice"}, version=2)
    plan = decided(standing(DEFECT_SHOWN), shown("In Progress"), told)
    assert plan.settlement.agreed[STAGE].value == "Fixing"


def test_a_gate_is_no_other_sides_leave() -> None:
    """Whoever may not move the work on is told that, and not what is missing."""
    moved = replace(DEFECT_SHOWN, state="In Progress", version=2)
    (note,) = says(decided(standing(DEFECT_SHOWN), record(INCIDENT, "New", fields={"u_steps": None}), moved).actions)
    assert note.ref == DEFECT and "it is for incident to change" in note.text


def test_needs_names_only_what_exists_before_entry() -> None:
    """A field that no item of the link has cannot be filled in before the stage is entered."""
    later = Field("steps", natives={"pbi": ("Steps",)})
    there = house(fields={**FIELDS, "steps": later})
    was = link(item(record(INCIDENT, "New")), agreed={**AGREED, STAGE: Agreed("Validating", 1, "incident")})
    plan = decide(was, only_seen(record(INCIDENT, "In Progress", 2)), there, NOW)
    assert plan.settlement.agreed[STAGE].value == "Fixing"
    whole = link(*map(item, (record(INCIDENT, "New"), record(PBI, "New"))), agreed=was.agreed)
    seen = only_seen(record(INCIDENT, "In Progress", 2), record(PBI, "New", fields={"Steps": None}))
    assert STAGE not in decide(whole, seen, there, NOW).settlement.agreed


def test_a_pause_is_left_for_the_stage_before_whatever_that_needs() -> None:
    was = record(INCIDENT, "On Hold:Awaiting Caller", fields={"u_steps": None})
    agreed = {**AGREED, STAGE: Agreed("Waiting", 2, "incident"), "steps": Agreed(None, 1)}
    state = link(item(was, echoes=echoed(was)), agreed=agreed, before="Fixing")
    assert decided(state, shown("In Progress")).settlement.agreed[STAGE].value == "Fixing"


# ── Filled in, the work goes on by itself ────────────────────────────────────────────────────────────────────────


def after(plan: Plan, state: LinkState, **said: Any) -> LinkState:
    """The link as the plan leaves it, with what was put back written."""
    copies = {say.copy: Copy("done", NOW) for say in says(plan.actions)}
    agreed = {**state.agreed, **plan.settlement.agreed}
    return replace(state, agreed=agreed, held=plan.settlement.holds, copies={**state.copies, **copies}, **said)


def put_back() -> LinkState:
    """The incident's people moved it without the steps, and it was put back."""
    plan = decided(standing(DEFECT_SHOWN), shown("In Progress"), DEFECT_SHOWN)
    (held,) = plan.settlement.holds
    assert held.ref == INCIDENT and "'Fixing' needs steps" in held.reason
    (note,) = says(plan.actions)
    assert "the work goes on to 'Fixing' by itself" in note.text
    return after(plan, standing(DEFECT_SHOWN))


def test_a_move_that_was_put_back_is_done_again_once_what_it_lacked_is_there() -> None:
    plan = decided(put_back(), shown("New", "open it twice", 4), DEFECT_SHOWN)
    assert plan.settlement.agreed[STAGE] == Agreed("Fixing", 2, "incident")
    wrote = writes(plan.actions)
    assert wrote[INCIDENT].change.state == "In Progress" and wrote[DEFECT].change.state == "In Progress"
    assert plan.settlement.releases == ((INCIDENT, STAGE),) and says(plan.actions) == []


def test_a_move_that_was_put_back_is_remembered_while_nothing_is_filled_in_and_told_once() -> None:
    state = put_back()
    plan = decided(state, shown("New", version=4), DEFECT_SHOWN)
    assert plan.quiet and plan.settlement.releases == ()
    (held,) = plan.settlement.holds or state.held
    assert held.since == NOW and "'Fixing' needs steps" in held.reason


def test_a_move_that_was_put_back_is_forgotten_once_people_moved_the_work_elsewhere() -> None:
    state = put_back()
    moved = {**state.agreed, STAGE: Agreed("Waiting", 2, "incident")}
    was = record(INCIDENT, "On Hold:Awaiting Caller", 5, fields={"u_steps": "open it twice"})
    there = replace(state, agreed=moved, items=(item(was, echoes=echoed(was)), *state.items[1:]), before="Validating")
    plan = decided(there, was, DEFECT_SHOWN)
    assert STAGE not in plan.settlement.agreed and (INCIDENT, STAGE) in plan.settlement.releases


@pytest.mark.parametrize("gate", ["back", "hold"])
def test_a_move_that_lost_to_another_one_is_not_done_again(gate: str) -> None:
    everyones = tuple(replace(s, decided_by="", gate=gate) for s in NEEDING.stages)
    done = replace(DEFECT_SHOWN, state="Done", version=2)
    plan = decided(standing(DEFECT_SHOWN), shown("In Progress"), done, setup_=house(stages=StageMap(everyones)))
    assert plan.settlement.agreed[STAGE] == Agreed("Closed", 2, "defect")
    (note,) = says(plan.actions)
    assert "'Fixing' needs steps" in note.text and "by itself" not in note.text and plan.settlement.holds == ()


def asking(gate: str = "hold") -> Setup:
    """The stage needs the steps, and a priority that somebody has looked at."""
    looked = Conditions({name: field.type for name, field in ALL.items()}).compile("priority <= 2")
    need = Need("Give it a priority of 1 or 2", when=looked)
    stages = tuple(replace(s, gate=gate, asks=(need,)) if s.name == "Fixing" else s for s in NEEDING.stages)
    labelled = {**ALL, "steps": replace(STEPS, label="Steps to Reproduce")}
    return house(stages=StageMap(stages), fields=labelled)


def test_a_gate_that_holds_leaves_the_move_where_it_stands_and_asks_once() -> None:
    state, house_ = standing(DEFECT_SHOWN), asking()
    plan = decided(state, shown("In Progress"), DEFECT_SHOWN, setup_=house_)
    assert STAGE not in plan.settlement.agreed and writes(plan.actions) == {}
    (note,) = says(plan.actions)
    said = "'Fixing' needs Steps to Reproduce (on I1 or on D1). Give it a priority of 1 or 2. The work stays in"
    assert said in note.text and note.channel == "work_notes"
    (held,) = plan.settlement.holds
    assert (held.ref, held.what) == (INCIDENT, STAGE) and "Give it a priority of 1 or 2" in held.reason
    again = decided(after(plan, state), shown("In Progress", version=3), DEFECT_SHOWN, setup_=house_)
    assert again.quiet and again.settlement.releases == () and again.settlement.agreed == {}


def test_the_work_follows_a_move_that_was_held_once_all_is_there() -> None:
    state, house_ = standing(DEFECT_SHOWN), asking()
    waiting_ = after(decided(state, shown("In Progress"), DEFECT_SHOWN, setup_=house_), state)
    half = decided(waiting_, shown("In Progress", "open it twice", 3), DEFECT_SHOWN, setup_=house_)
    assert STAGE not in half.settlement.agreed and says(half.actions) == []
    (held,) = half.settlement.holds
    assert "steps" not in held.reason.lower() and held.reason.endswith("'Fixing' waits: Give it a priority of 1 or 2")
    urgent = {"impact": "1", "urgency": "1"}
    plan = decided(waiting_, shown("In Progress", "open it twice", 4, fields=urgent), DEFECT_SHOWN, setup_=house_)
    assert plan.settlement.agreed[STAGE] == Agreed("Fixing", 2, "incident")
    assert writes(plan.actions)[DEFECT].change.state == "In Progress" and INCIDENT not in writes(plan.actions)
    assert (INCIDENT, STAGE) in plan.settlement.releases


# ── A route at the gate ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_route_does_not_open_while_needs_are_missing_and_its_item_is_linked_alone_and_told() -> None:
    new = shown("In Progress", mark=None)
    plan = decide(prospect(new), only_seen(new), house(), NOW)
    assert opens(plan.actions) == [] and [a.ref for a in plan.actions if isinstance(a, Adopt)] == [INCIDENT]
    (held,) = plan.settlement.holds
    assert (held.ref, held.what) == (INCIDENT, "open production")
    assert held.reason == "route production opens no defect yet: 'Fixing' needs steps (u_steps on I1)"
    (note,) = says(plan.actions)
    assert note.channel == "work_notes" and "No defect is opened yet" in note.text


def waiting() -> LinkState:
    """The link as that plan leaves it."""
    new = shown("In Progress", mark=None)
    plan = decide(prospect(new), only_seen(new), house(), NOW)
    marked = replace(new, mark=Mark(MARK))
    copies = {say.copy: Copy("done", NOW) for say in says(plan.actions)}
    members = item(marked, echoes={**echoed(marked)})
    return link(members, agreed=dict(plan.settlement.agreed), held=plan.settlement.holds, copies=copies)


def test_an_item_at_the_gate_is_told_once_and_stays_held() -> None:
    plan = decided(waiting(), shown("In Progress", version=3))
    assert plan.quiet and plan.settlement.releases == () and plan.settlement.remarks == ()


def test_the_route_opens_in_the_pass_after_what_is_missing_was_filled_in() -> None:
    plan = decided(waiting(), shown("In Progress", "open it twice", 3))
    (opening,) = opens(plan.actions)
    assert opening.side == "defect" and opening.draft.fields["steps_field"] == "open it twice"
    assert plan.settlement.releases == ((INCIDENT, "open production"),) and says(plan.actions) == []


def test_an_item_that_no_route_wants_does_not_wait_at_a_gate() -> None:
    new = shown("In Progress", mark=None)
    unwanted = house(whens={"production": "priority <= 1"})
    plan = decide(prospect(new), only_seen(new), unwanted, NOW)
    assert plan.quiet and plan.settlement.holds == ()


# ── The file, and over HTTP ──────────────────────────────────────────────────────────────────────────────────────

GATED = """
[fields.cause]
incident = "business_impact"
defect   = "customfield_10043"
owner    = "incident"
[[routes]]"""


def gated(text: str) -> str:
    text = text.replace('name     = "Fixing"', 'name     = "Fixing"\nneeds    = ["cause"]')
    return text.replace("\n[[routes]]", GATED, 1)


def test_a_gate_over_three_trackers(tmp_path: Path) -> None:
    world = World(tmp_path, gated)
    snow, jira = world.estate.servicenow, world.estate.jira
    incident = world.incident()
    snow.move(incident, "In Progress", by=RITA)
    world.settle()
    assert jira.ids() == [] and snow.item(incident)["correlation_display"] == "lockstep-demo"
    assert copies_of("'Fixing' needs cause (business_impact on INC", world.words("servicenow", incident)) == 1
    assert [held.what for held, _ in world.engine.store.held()] == ["open production-defect"]
    world.settle()
    assert copies_of("needs cause", world.words("servicenow", incident)) == 1
    snow.update(incident, {"business_impact": "the pool"}, by=RITA)
    world.settle()
    (defect,) = jira.ids()
    assert jira.item(defect)["customfield_10043"] == "the pool" and world.engine.store.held() == []
    jira.update(defect, {"customfield_10043": ""}, by=ANA)
    snow.move(incident, "New", by=RITA)
    world.settle()
    jira.move(defect, "In Progress", by=ANA)
    world.settle()
    assert jira.item(defect)["status"] == "To Do" and snow.state_of(incident) == "New"
    assert copies_of("'Fixing' needs cause", world.words("jira", defect)) == 1
    snow.update(incident, {"business_impact": "the pool, still"}, by=RITA)
    world.settle()
    assert jira.item(defect)["status"] == "In Progress" and snow.state_of(incident) == "In Progress"
    assert world.engine.store.held() == []
    world.close()


HOLDING = """needs    = ["cause", { when = 'priority <= 2', ask = "Say that it is urgent" }]
gate     = "hold"
"""


def holding(text: str) -> str:
    text = gated(text).replace('needs    = ["cause"]\n', HOLDING)
    return text.replace("[fields.cause]\n", '[fields.cause]\nlabel    = "Cause"\n')


def test_a_gate_that_holds_over_three_trackers(tmp_path: Path) -> None:
    world = World(tmp_path, gated)
    snow, jira = world.estate.servicenow, world.estate.jira
    incident = world.incident()
    snow.update(incident, {"business_impact": "the pool"}, by=RITA)
    snow.move(incident, "In Progress", by=RITA)
    world.settle()
    snow.move(incident, "New", by=RITA)
    snow.update(incident, {"business_impact": ""}, by=RITA)
    world.settle()
    (defect,) = jira.ids()
    assert jira.item(defect)["status"] == "To Do"
    world.edit = holding
    world.restart()
    world.apply()
    jira.move(defect, "In Progress", by=ANA)
    world.settle()
    assert (jira.item(defect)["status"], snow.state_of(incident)) == ("In Progress", "New")
    said = "'Fixing' needs Cause (on INC0010001 or on CSPM-1). Say that it is urgent. The work stays in"
    assert copies_of(said, world.words("jira", defect)) == 1
    assert next(held.reason for held, _ in world.engine.store.held()).startswith("CSPM-1 stands in 'Fixing'")
    snow.update(incident, {"business_impact": "the disk"}, by=RITA)
    world.settle()
    assert (jira.item(defect)["status"], snow.state_of(incident)) == ("In Progress", "New")
    snow.update(incident, {"impact": "1", "urgency": "1"}, by=RITA)
    world.settle()
    assert (jira.item(defect)["status"], snow.state_of(incident)) == ("In Progress", "In Progress")
    assert world.engine.store.held() == [] and copies_of(said, world.words("jira", defect)) == 1
    world.close()


def test_what_was_told_at_a_gate_is_not_told_again_after_the_state_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path, gated)
    incident = world.incident()
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.settle()
    assert copies_of("needs cause", world.words("servicenow", incident)) == 1
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.reconcile()
        world.reconcile()
    assert sent(asked) == []
    assert copies_of("needs cause", world.words("servicenow", incident)) == 1
    world.close()


def test_no_gate_is_told_of_where_the_counterpart_was_opened_and_taken_out_by_a_person(tmp_path: Path) -> None:
    world = World(tmp_path, gated)
    snow = world.estate.servicenow
    incident = world.incident()
    snow.update(incident, {"business_impact": "the pool"}, by=RITA)
    snow.move(incident, "In Progress", by=RITA)
    world.settle()
    (defect,) = world.estate.jira.ids()
    world.engine.store.ask("unlink", ["CSPM-1"], "opal", world.engine.now())
    work(world.engine)
    snow.update(incident, {"business_impact": ""}, by=RITA)
    world.settle()
    assert world.engine.store.held() == []
    assert copies_of("needs cause", world.words("servicenow", incident)) == 0
    assert world.estate.jira.ids() == [defect]
    world.close()


def test_a_need_that_is_declared_nowhere_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match='there is no field "cause"'):
        World(tmp_path, lambda text: text.replace('name     = "Fixing"', 'name     = "Fixing"\nneeds    = ["cause"]'))
