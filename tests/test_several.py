"""Several items on one side of a link: who speaks, what reaches the others, and what each keeps to itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.model import Record, Ref
from mappings.stages import Stage, StageMap
from sync.decide import decide
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Plan
from sync.setup import Setup
from sync.state import Copy, LinkState
from tests.builders import (
    AGREED,
    DAY,
    DEFECT,
    FACTS,
    INCIDENT,
    NOW,
    PATHS,
    PBI,
    STAGES,
    comment,
    item,
    link,
    only_seen,
    path,
    record,
    route,
    says,
    setup,
    writes,
)
from tests.world import ANA, RITA, World
from tests.world import writes as sent

SECOND, THIRD = Ref("snow", "i2"), Ref("snow", "i3")
P2, P3 = Ref("azure", "p2"), Ref("azure", "p3")
#: any side may move the work on
FREE = StageMap(tuple(replace(stage, decided_by="") for stage in STAGES.stages))
FINAL = {**FACTS, "snow": replace(FACTS["snow"], final={"incident": frozenset({"Closed"})})}


def born(ref: Ref, state: str = "", days: int = 2, **said: Any) -> Record:
    return record(ref, state, created=NOW - days * DAY, **said)


#: three counties' incidents, the first the oldest, and one defect
COUNTIES = (born(INCIDENT, days=9), born(SECOND, days=8), born(THIRD, days=7), born(DEFECT))


def group(*shown: Record, was: dict[Ref, Any] | None = None, **said: Any) -> LinkState:
    """A link of these items as they stood in step, but for what ``was`` says of single ones."""
    members = [item(one, **(was or {}).get(one.ref, {})) for one in shown]
    return link(*members, **said)


def look(state: LinkState, *shown: Record, house: Setup | None = None, facts: Any = FACTS, **more: Any) -> Plan:
    seen = replace(only_seen(*shown, **more), facts=facts)
    return decide(state, seen, house or setup(stages=FREE), NOW)


def changed(*shown: Record, to: dict[Ref, str], version: int = 2) -> tuple[Record, ...]:
    """The same items, those named in another state."""
    return tuple(replace(r, state=to[r.ref], version=version) if r.ref in to else r for r in shown)


def states(plan: Plan) -> dict[Ref, str | None]:
    """The state that each item is given."""
    return {ref: write.change.state for ref, write in writes(plan.actions).items() if write.change.state}


def at(stage: str, serial: int = 1, by: str = "incident") -> dict[str, Agreed]:
    return {**AGREED, STAGE: Agreed(stage, serial, by)}


def after(state: LinkState, plan: Plan, *shown: Record) -> LinkState:
    """The state once a plan's settlements are kept and its writes answered as they were asked for."""
    settled = plan.settlement
    agreed = {**state.agreed, **settled.agreed}
    echoes = {(ref, name): echo for ref, name, echo in settled.echoes}
    items = []
    for one in state.items:
        kept = {**one.echoes, **{name: echo for (ref, name), echo in echoes.items() if ref == one.ref}}
        if one.ref in states(plan):
            kept[STAGE] = Echo(spelled(str(states(plan)[one.ref])), agreed[STAGE].serial)
        items.append(replace(one, echoes=kept, left=dict(settled.left).get(one.ref, one.left)))
    said = {say.copy: Copy("done", NOW) for say in says(plan.actions)}
    lead = settled.lead or state.lead
    return replace(
        state, items=tuple(items), agreed=agreed, lead=lead, copies={**state.copies, **said}, held=settled.holds
    )


def applied(plan: Plan, *shown: Record) -> tuple[Record, ...]:
    return tuple(replace(r, state=str(states(plan).get(r.ref, r.state)), version=r.version + 1) for r in shown)


# ── The lead ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_the_side_that_opened_the_link_the_lead_speaks() -> None:
    moved = changed(*COUNTIES, to={INCIDENT: "New"})
    assert look(group(*COUNTIES), *moved).settlement.agreed[STAGE] == Agreed("Validating", 2, "incident")
    other = changed(*COUNTIES, to={SECOND: "New"})
    plan = look(group(*COUNTIES), *other)
    assert STAGE not in plan.settlement.agreed and states(plan) == {}


def test_the_lead_is_remembered_though_an_older_item_joins() -> None:
    older = born(Ref("snow", "i0"), "New", days=30)
    state = group(*COUNTIES, older, was={older.ref: {"joined": "linked", "echoes": {}}})
    plan = look(state, *COUNTIES, older)
    assert plan.settlement.lead is None and STAGE not in plan.settlement.agreed
    assert states(plan) == {older.ref: "In Progress"}


def test_the_lead_passes_on_to_the_oldest_open_item_when_it_closes() -> None:
    moved = changed(*COUNTIES, to={INCIDENT: "Resolved"})
    plan = look(group(*COUNTIES), *moved)
    assert plan.settlement.lead == SECOND and plan.settlement.left == ((INCIDENT, True),)
    assert STAGE not in plan.settlement.agreed and plan.actions == ()
    again = look(after(group(*COUNTIES), plan), *moved)
    assert again.settlement.lead is None and again.quiet


def test_the_lead_passes_on_only_when_it_closes() -> None:
    for state in ("New", "On Hold:Awaiting Caller"):
        assert look(group(*COUNTIES), *changed(*COUNTIES, to={INCIDENT: state})).settlement.lead is None


def test_a_lead_that_could_not_be_read_keeps_its_place_and_nobody_speaks_for_it() -> None:
    rest = changed(*COUNTIES[1:], to={SECOND: "New"})
    plan = look(group(*COUNTIES), *rest)
    assert plan.settlement.lead is None and STAGE not in plan.settlement.agreed


def test_a_lead_that_is_gone_is_followed_by_the_oldest_open_item() -> None:
    seen = replace(only_seen(*COUNTIES[1:]), records={INCIDENT: None, **{r.ref: r for r in COUNTIES[1:]}})
    assert decide(group(*COUNTIES), seen, setup(stages=FREE), NOW).settlement.lead == SECOND


def test_the_last_open_item_closes_the_work_when_it_is_closed() -> None:
    state = group(*COUNTIES, was={INCIDENT: {"left": True}, THIRD: {"left": True}}, lead=SECOND)
    shown = changed(*COUNTIES, to={INCIDENT: "Resolved", THIRD: "Resolved", SECOND: "Resolved"})
    plan = look(state, *shown)
    assert plan.settlement.agreed[STAGE] == Agreed("Closed", 2, "incident") and states(plan) == {DEFECT: "Done"}


def test_the_new_lead_is_asked_what_has_changed_from_then_on() -> None:
    """That it stood elsewhere when it took over is no change of it."""
    waiting = changed(*COUNTIES, to={SECOND: "On Hold:Awaiting Caller"})
    state = group(*waiting, agreed=at("Fixing"))
    plan = look(state, *changed(*waiting, to={INCIDENT: "Resolved"}))
    assert plan.settlement.lead == SECOND and STAGE not in plan.settlement.agreed
    back = look(after(state, plan), *changed(*waiting, to={INCIDENT: "Resolved", SECOND: "New"}, version=3))
    assert back.settlement.agreed[STAGE].value == "Validating"


# ── Followers ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_links_stage_reaches_the_followers() -> None:
    plan = look(group(*COUNTIES), *changed(*COUNTIES, to={DEFECT: "Done"}))
    assert states(plan) == dict.fromkeys((INCIDENT, SECOND, THIRD), "Resolved")


def test_a_follower_that_its_people_moved_is_left_alone_until_the_next_stage() -> None:
    moved = changed(*COUNTIES, to={SECOND: "New"})
    plan = look(group(*COUNTIES), *moved)
    assert plan.actions == ()
    then = look(after(group(*COUNTIES), plan), *changed(*moved, to={DEFECT: "Done"}))
    assert states(then)[SECOND] == "Resolved"


def test_a_follower_that_comes_by_a_parent_a_mention_or_a_person_is_given_the_links_stage_at_once() -> None:
    new = born(Ref("snow", "i4"), "New", days=1)
    for how, given in (
        ("parent", True),
        ("problem", True),
        ("mention", True),
        ("linked", True),
        ("match number", False),
    ):
        state = group(*COUNTIES, new, was={new.ref: {"joined": how, "echoes": {}}})
        assert states(look(state, *COUNTIES, new)) == ({new.ref: "In Progress"} if given else {})


def test_a_stage_that_was_not_acknowledged_is_given_again() -> None:
    new = born(Ref("snow", "i4"), "New", days=1)
    state = group(*COUNTIES, new, was={new.ref: {"joined": "parent", "echoes": {}}})
    (echo,) = [e for ref, name, e in look(state, *COUNTIES, new).settlement.echoes if (ref, name) == (new.ref, STAGE)]
    lost = group(*COUNTIES, new, was={new.ref: {"joined": "parent", "echoes": {STAGE: echo}}})
    assert states(look(lost, *COUNTIES, new)) == {new.ref: "In Progress"}


def test_a_follower_closed_by_its_own_people_receives_no_more_stages() -> None:
    gone = changed(*COUNTIES, to={SECOND: "Resolved"})
    plan = look(group(*COUNTIES), *gone)
    assert plan.settlement.left == ((SECOND, True),) and plan.actions == ()
    state = after(group(*COUNTIES), plan)
    for stage, defect in (("Validating", "To Do"), ("Closed", "Done")):
        moved = look(state, *changed(*gone, to={DEFECT: defect}))
        assert moved.settlement.agreed[STAGE].value == stage
        assert SECOND not in states(moved) and {INCIDENT, THIRD} <= set(states(moved))


def test_a_follower_closed_by_its_own_people_is_not_opened_with_the_others() -> None:
    shut = changed(*COUNTIES, to={INCIDENT: "Resolved", SECOND: "Resolved", THIRD: "Resolved", DEFECT: "Done"})
    state = group(*shut, was={SECOND: {"left": True}}, agreed=at("Closed"), closed=NOW)
    plan = look(state, *changed(*shut, to={DEFECT: "In Progress"}))
    assert states(plan) == dict.fromkeys((INCIDENT, THIRD), "In Progress")


def test_a_follower_that_joins_when_its_people_have_closed_it_is_not_opened() -> None:
    new = born(Ref("snow", "i4"), "Resolved", days=1)
    state = group(*COUNTIES, new, was={new.ref: {"joined": "parent", "echoes": {}}})
    plan = look(state, *COUNTIES, new)
    assert plan.actions == () and plan.settlement.left == ((new.ref, True),)


def test_a_follower_that_came_back_while_the_work_goes_on_is_told_and_given_the_stage() -> None:
    gone = changed(*COUNTIES, to={SECOND: "Resolved"})
    state = group(*gone, was={SECOND: {"left": True}})
    plan = look(state, *changed(*gone, to={SECOND: "New"}))
    assert plan.settlement.left == ((SECOND, False),) and states(plan) == {SECOND: "In Progress"}
    (note,) = says(plan.actions)
    assert note.ref == DEFECT and "I2, which follows this work, was opened again" in note.text


# ── A follower that is opened again, and items that cannot be ────────────────────────────────────────────────────

SHUT = changed(*COUNTIES, to={INCIDENT: "Resolved", SECOND: "Resolved", THIRD: "Resolved", DEFECT: "Done"})
OVER = group(*SHUT, agreed=at("Closed"), closed=NOW - DAY)
ROUTES = (route("production", "incident", "defect"),)


def test_a_follower_reopened_by_its_people_is_told_to_the_work_side_and_opens_nothing() -> None:
    shown = changed(*SHUT, to={SECOND: "In Progress"})
    plan = look(OVER, *shown, house=setup(stages=FREE, routes=ROUTES))
    assert states(plan) == {} and STAGE not in plan.settlement.agreed
    (note,) = says(plan.actions)
    assert (note.ref, note.channel) == (DEFECT, "internal") and "The work stays closed" in note.text
    (held,) = plan.settlement.holds
    assert (held.ref, held.what) == (SECOND, STAGE) and "lockstep split I2" in held.advice
    again = look(after(OVER, plan), *shown, house=setup(stages=FREE, routes=ROUTES))
    assert again.quiet and again.settlement.releases == ()


def test_a_follower_reopened_by_its_people_opens_the_work_where_the_route_says_so() -> None:
    house = setup(stages=FREE, routes=(replace(ROUTES[0], reopen=True),))
    plan = look(OVER, *changed(*SHUT, to={SECOND: "In Progress"}), house=house)
    assert plan.settlement.agreed[STAGE] == Agreed("Fixing", 2, "incident")
    assert states(plan) == {INCIDENT: "In Progress", THIRD: "In Progress", DEFECT: "In Progress"}


def test_the_lead_opens_the_work_again_without_leave() -> None:
    plan = look(OVER, *changed(*SHUT, to={INCIDENT: "In Progress"}))
    assert plan.settlement.agreed[STAGE] == Agreed("Fixing", 2, "incident")


def test_a_follower_that_is_closed_again_is_no_longer_held() -> None:
    opened = changed(*SHUT, to={SECOND: "In Progress"})
    state = after(OVER, look(OVER, *opened))
    assert look(state, *SHUT).settlement.releases == ((SECOND, STAGE),)


def test_a_closed_incident_cannot_be_reopened_and_gets_a_work_note_and_a_held_entry() -> None:
    shown = changed(*SHUT, to={SECOND: "Closed"})
    state = group(*shown, agreed=at("Closed"), closed=NOW - DAY)
    reopened = changed(*shown, to={DEFECT: "In Progress"})
    plan = look(state, *reopened, facts=FINAL)
    assert states(plan) == dict.fromkeys((INCIDENT, THIRD), "In Progress"), "no trial write"
    (note,) = says(plan.actions)
    assert (note.ref, note.channel) == (SECOND, "work_notes") and "I2 cannot be opened again" in note.text
    (held,) = plan.settlement.holds
    assert (held.ref, held.what) == (SECOND, STAGE) and "I2 is Closed" in held.reason
    then = look(after(state, plan), *applied(plan, *reopened), facts=FINAL)
    assert then.quiet and then.settlement.releases == (), "held as long as it stands there, and told once"
    over = changed(*applied(plan, *reopened), to={DEFECT: "Done"}, version=4)
    assert look(after(state, plan), *over, facts=FINAL).settlement.releases == ((SECOND, STAGE),)


def test_a_lead_that_cannot_be_opened_again_is_followed_by_one_that_was() -> None:
    shown = changed(*SHUT, to={INCIDENT: "Closed"})
    state = group(*shown, agreed=at("Closed"), closed=NOW - DAY)
    reopened = changed(*shown, to={DEFECT: "In Progress"})
    plan = look(state, *reopened, facts=FINAL)
    assert plan.settlement.lead is None and INCIDENT not in states(plan)
    assert look(after(state, plan), *applied(plan, *reopened), facts=FINAL).settlement.lead == SECOND


def test_a_lone_closed_incident_is_told_and_not_tried() -> None:
    shown = changed(born(INCIDENT), born(DEFECT), to={INCIDENT: "Closed", DEFECT: "Done"})
    state = group(*shown, agreed=at("Closed"), closed=NOW - DAY)
    plan = look(state, *changed(*shown, to={DEFECT: "In Progress"}), facts=FINAL)
    assert states(plan) == {} and [s.ref for s in says(plan.actions)] == [INCIDENT]
    assert [(h.ref, h.what) for h in plan.settlement.holds] == [(INCIDENT, STAGE)]


# ── Work sides ───────────────────────────────────────────────────────────────────────────────────────────────────

REMOVED = StageMap((*FREE.stages, Stage("Withdrawn", {"pbi": ("Removed",)}, terminal=True, removed=True)))
WORK = (born(INCIDENT), born(DEFECT), born(PBI), born(P2), born(P3))


def test_on_a_work_side_the_least_advanced_open_item_speaks() -> None:
    plan = look(group(*WORK), *changed(*WORK, to={P3: "New"}))
    assert plan.settlement.agreed[STAGE] == Agreed("Validating", 2, "pbi")
    for done in ({PBI: "Done"}, {PBI: "Done", P2: "Done"}):
        plan = look(group(*WORK), *changed(*WORK, to=done))
        assert STAGE not in plan.settlement.agreed and states(plan) == {}


def test_when_none_is_open_the_furthest_done_speaks() -> None:
    """They are done one after another; the last one ends the work."""
    state = group(*WORK)
    shown: tuple[Record, ...] = WORK
    for count, ref in enumerate((P2, PBI, P3), 1):
        shown = changed(*shown, to={ref: "Done"}, version=count + 1)
        plan = look(state, *shown)
        assert (STAGE in plan.settlement.agreed) is (count == 3)
        state = after(state, plan)
    assert state.agreed[STAGE] == Agreed("Closed", 2, "pbi")


def test_removed_items_speak_only_if_all_are_removed() -> None:
    house = setup(stages=REMOVED)
    mixed = changed(*WORK, to={PBI: "Removed", P2: "Done", P3: "Removed"})
    assert look(group(*WORK), *mixed, house=house).settlement.agreed[STAGE] == Agreed("Closed", 2, "pbi")
    all_of = changed(*WORK, to=dict.fromkeys((PBI, P2, P3), "Removed"))
    assert look(group(*WORK), *all_of, house=house).settlement.agreed[STAGE] == Agreed("Withdrawn", 2, "pbi")
    some = changed(*WORK, to={PBI: "Removed", P2: "Removed"})
    assert STAGE not in look(group(*WORK), *some, house=house).settlement.agreed


def test_an_item_that_vanished_moves_nothing() -> None:
    ahead = changed(*WORK, to={PBI: "New"})
    state = group(*ahead, agreed=at("Validating", by="pbi"))
    seen = replace(only_seen(*ahead), records={**{r.ref: r for r in ahead}, PBI: None})
    assert STAGE not in decide(state, seen, setup(stages=FREE), NOW).settlement.agreed


def test_followers_on_a_work_side_are_only_moved_forward_and_never_out_of_a_state_that_ends_them() -> None:
    shown = changed(*WORK, to={PBI: "New", P2: "New", P3: "Done", DEFECT: "To Do", INCIDENT: "New"})
    state = group(*shown, agreed=at("Validating"))
    forward = look(state, *changed(*shown, to={DEFECT: "In Progress"}))
    assert states(forward) == {INCIDENT: "In Progress", PBI: "Approved", P2: "Approved"}
    back = look(group(*WORK), *changed(*WORK, to={DEFECT: "To Do"}))
    assert states(back) == {INCIDENT: "New", PBI: "New"}, "the one that speaks, and no other"


def test_one_item_reopened_of_several_opens_the_work_again_and_leaves_the_others_done() -> None:
    shut = changed(*WORK, to={INCIDENT: "Resolved", DEFECT: "Done", PBI: "Done", P2: "Done", P3: "Done"})
    state = group(*shut, agreed=at("Closed", by="pbi"), closed=NOW - DAY)
    reopened = changed(*shut, to={P2: "Approved"})
    plan = look(state, *reopened)
    assert plan.settlement.agreed[STAGE] == Agreed("Fixing", 2, "pbi")
    assert states(plan) == {INCIDENT: "In Progress", DEFECT: "In Progress"}
    state, shown = after(state, plan), applied(plan, *reopened)
    assert look(state, *shown).quiet
    again = look(state, *changed(*shown, to={P2: "Done"}, version=5))
    assert again.settlement.agreed[STAGE] == Agreed("Closed", 3, "pbi")
    assert states(again) == {INCIDENT: "Resolved", DEFECT: "Done"}


def test_one_item_reopened_where_that_is_not_its_sides_to_say_is_put_back() -> None:
    stages = StageMap(tuple(replace(s, decided_by="defect") if s.name == "Closed" else s for s in STAGES.stages))
    shut = changed(*WORK, to={INCIDENT: "Resolved", DEFECT: "Done", PBI: "Done", P2: "Done", P3: "Done"})
    state = group(*shut, agreed=at("Closed"), closed=NOW - DAY)
    plan = look(state, *changed(*shut, to={P2: "Approved"}), house=setup(stages=stages))
    assert STAGE not in plan.settlement.agreed and states(plan) == {P2: "Done"}


def test_an_item_on_hold_speaks_only_where_all_open_ones_are() -> None:
    waiting = StageMap(
        tuple(replace(s, states={**s.states, "pbi": ("On Hold",)}) if s.paused else s for s in FREE.stages)
    )
    house = setup(stages=waiting)
    assert STAGE not in look(group(*WORK), *changed(*WORK, to={PBI: "On Hold"}), house=house).settlement.agreed
    every = changed(*WORK, to=dict.fromkeys((PBI, P2, P3), "On Hold"))
    assert look(group(*WORK), *every, house=house).settlement.agreed[STAGE] == Agreed("Waiting", 2, "pbi")


# ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_forty_counties_keep_their_own_summaries() -> None:
    named = tuple(replace(r, fields={**r.fields, "short_description": f"ours {r.key}"}) for r in COUNTIES[1:3])
    new = {r.ref: {"joined": "parent", "echoes": {}} for r in named}
    state = group(COUNTIES[0], *named, COUNTIES[3], was=new)
    plan = look(state, COUNTIES[0], *named, COUNTIES[3])
    assert plan.actions == ()
    state = after(state, plan)
    renamed = replace(COUNTIES[3], fields={**COUNTIES[3].fields, "summary": "Pool exhausted"}, version=2)
    assert {*writes(look(state, COUNTIES[0], *named, renamed).actions)} == {INCIDENT}
    theirs = replace(COUNTIES[0], fields={**COUNTIES[0].fields, "short_description": "Slow"}, version=2)
    assert {*writes(look(state, theirs, *named, COUNTIES[3]).actions)} == {DEFECT}


def test_the_speaking_item_stands_for_its_side() -> None:
    shown = changed(*WORK, to={P2: "Done"})
    titled = replace(shown[3], fields={**shown[3].fields, "Title": "Part three"}, version=2)
    assert look(group(*shown), *shown[:3], titled, shown[4]).actions == ()
    spoke = replace(shown[2], fields={**shown[2].fields, "Title": "Slow"}, version=2)
    plan = look(group(*shown), *shown[:2], spoke, *shown[3:])
    assert plan.settlement.agreed["summary"] == Agreed("Slow", 2, "pbi")


def test_a_priority_that_the_work_side_sets_reaches_every_county_that_had_the_former_one() -> None:
    own = replace(COUNTIES[2], fields={**COUNTIES[2].fields, "impact": "1", "urgency": "1"}, version=2)
    state = after(group(*COUNTIES), look(group(*COUNTIES), *COUNTIES[:2], own, COUNTIES[3]))
    raised = replace(COUNTIES[3], fields={**COUNTIES[3].fields, "priority": "High"}, version=2)
    assert {*writes(look(state, *COUNTIES[:2], own, raised).actions)} == {INCIDENT, SECOND}


# ── Over HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_the_state_was_lost_an_incident_that_its_people_closed_is_still_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    snow, jira = world.estate.servicenow, world.estate.jira
    lead, defect, _ = world.linked(pbi=False)
    heir, other, gone = [world.incident(f"ours too {n}", parent_incident=lead) for n in range(3)]
    world.settle()
    for id in (lead, gone):
        snow.move(id, "Resolved", by=RITA, close_code="Solution provided", close_notes="gone")
    world.settle()
    world.later(hours=1)
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.reconcile()
    assert sent(asked) == []
    snow.update(lead, {"close_notes": "really gone"}, by=RITA)
    jira.update(defect, {"customfield_10044": "pool refilled"}, by=ANA)
    jira.move(defect, "Done", by=ANA, resolution="Done")
    with world.counting() as asked:
        world.settle()
    assert len(sent(asked)) == 2 and {snow.state_of(id) for id in (heir, other)} == {"Resolved"}
    assert snow.item(lead)["close_notes"] == "really gone"
    world.close()


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────

TALKING = setup(stages=FREE, paths=PATHS)
OURS = setup(
    stages=FREE,
    siblings=True,
    paths=(*PATHS, path("incident.comments", "incident.comments"), path("pbi.discussion", "pbi.discussion")),
)


def heard(plan: Plan) -> dict[Ref, str]:
    return {say.ref: say.channel for say in says(plan.actions)}


@pytest.mark.parametrize("speaker", [INCIDENT, SECOND])
def test_followers_comments_go_to_the_work_sides_only_and_never_to_their_siblings(speaker: Ref) -> None:
    plan = look(group(*COUNTIES), *COUNTIES, house=TALKING, comments=[comment(speaker, "c1")])
    assert heard(plan) == {DEFECT: "everyone"}


def test_a_work_sides_comment_reaches_every_incident() -> None:
    plan = look(group(*COUNTIES), *COUNTIES, house=TALKING, comments=[comment(DEFECT, "c1")])
    assert heard(plan) == dict.fromkeys((INCIDENT, SECOND, THIRD), "comments")


def test_siblings_hear_each_other_only_where_the_file_says_so_and_on_the_channel_everyone_reads() -> None:
    plan = look(group(*COUNTIES), *COUNTIES, house=OURS, comments=[comment(SECOND, "c1")])
    assert heard(plan) == {DEFECT: "everyone", INCIDENT: "comments", THIRD: "comments"}
    private = look(group(*COUNTIES), *COUNTIES, house=OURS, comments=[comment(SECOND, "c2", channel="work_notes")])
    assert heard(private) == {DEFECT: "role:Developers"}


def test_items_of_a_work_side_are_no_siblings_in_that_sense() -> None:
    plan = look(group(*WORK), *WORK, house=OURS, comments=[comment(PBI, "c1")])
    assert heard(plan) == {DEFECT: "everyone"}


def test_the_same_look_twice_gives_the_same_plan() -> None:
    shown = changed(*COUNTIES, to={INCIDENT: "Resolved", DEFECT: "Done"})
    assert look(group(*COUNTIES), *shown) == look(group(*COUNTIES), *shown)
