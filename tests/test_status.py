"""The status: who may move the work on. The space of sides, stages and changes is small: all of it is looked at."""

from __future__ import annotations

from itertools import product

import pytest

from mappings.stages import Stage, StageMap
from sync.decide import decide
from sync.merging.merge import Agreed, Echo, Spoken, Verdict, merge
from sync.merging.status import STAGE, StatusMeaning, deciders_word, spelled
from sync.plan import Plan
from tests.builders import AGREED, NOW, REFS, STAGES, item, link, record, seen, setup, writes

SIDES = tuple(REFS)
WORD = {side: {s.name: s.states[side][0] for s in STAGES.stages if side in s.states} for side in SIDES}
DECIDER = {s.name: s.decided_by for s in STAGES.stages}
UNPAUSED = ("Validating", "Fixing", "Closed")


def at(stage: str, before: str = "", stages: StageMap = STAGES, **states: str) -> Verdict:
    """The sides stood in step at ``stage``; those named now show another state."""
    meaning = StatusMeaning(stages, before)
    spoken = []
    for side in SIDES:
        stood = stages.spelling(side, stage) or stages.spelling(side, before) or ""
        now = spelled(states.get(side, stood))
        spoken.append(Spoken(REFS[side], side, now, Echo(spelled(stood), 1)))
    return merge(meaning, Agreed(stage, 1, "incident"), spoken, deciders_word(stages, before, SIDES))


def claims(verdict: Verdict, what: str) -> set[str]:
    return {claim.side for claim in getattr(verdict.choice, what)} if verdict.choice else set()


@pytest.mark.parametrize("side, stage, wanted", [c for c in product(SIDES, UNPAUSED, UNPAUSED) if c[1] != c[2]])
def test_one_side_moves_the_link_on_where_the_stage_it_leaves_is_its_to_decide(
    side: str, stage: str, wanted: str
) -> None:
    verdict = at(stage, **{side: WORD[side][wanted]})
    if DECIDER[stage] in ("", side):
        assert verdict.agreed == Agreed(wanted, 2, side)
        assert dict(verdict.writes) == {REFS[s]: spelled(WORD[s][wanted]) for s in SIDES if s != side}
    else:
        assert verdict.agreed == Agreed(stage, 1, "incident")
        assert dict(verdict.writes) == {REFS[side]: spelled(WORD[side][stage])}
        assert claims(verdict, "restored") == {side}


@pytest.mark.parametrize("stage, said", list(product(UNPAUSED, product(UNPAUSED, repeat=3))))
def test_whatever_the_sides_say_at_once_everyone_ends_in_one_stage(stage: str, said: tuple[str, ...]) -> None:
    words = dict(zip(SIDES, said, strict=True))
    verdict = at(stage, **{side: WORD[side][word] for side, word in words.items()})
    moved = {side for side in SIDES if words[side] != stage}
    allowed = [s for s in SIDES if s in moved and DECIDER[stage] in ("", s)]
    assert verdict.agreed.value == (words[allowed[0]] if allowed else stage)
    written = {ref for ref, _ in verdict.writes}
    assert written == {REFS[s] for s in SIDES if words[s] != verdict.agreed.value}
    wrong = {s for s in moved if words[s] != verdict.agreed.value}
    assert claims(verdict, "restored") == {s for s in wrong if s not in allowed}
    assert claims(verdict, "overridden") == {s for s in wrong if s in allowed}


@pytest.mark.parametrize("stage", UNPAUSED)
def test_any_side_may_enter_a_paused_stage_and_wordless_sides_keep_their_state(stage: str) -> None:
    verdict = at(stage, incident="On Hold:Awaiting Caller")
    assert verdict.agreed == Agreed("Waiting", 2, "incident")
    assert verdict.writes == ()


def test_leaving_a_pause_returns_to_the_stage_before() -> None:
    verdict = at("Waiting", "Fixing", incident="In Progress")
    assert verdict.agreed == Agreed("Fixing", 2, "incident")
    assert verdict.writes == () and claims(verdict, "restored") == set()


@pytest.mark.parametrize("to", ["Validating", "Closed"])
def test_leaving_a_pause_for_a_stage_that_is_not_its_to_choose_returns_to_the_stage_before(to: str) -> None:
    verdict = at("Waiting", "Fixing", incident=WORD["incident"][to])
    assert verdict.agreed == Agreed("Fixing", 2, "incident")
    assert dict(verdict.writes)[REFS["incident"]] == spelled("In Progress")
    assert claims(verdict, "restored") == {"incident"}


def test_the_decider_of_the_stage_before_may_move_the_work_on_out_of_a_pause() -> None:
    verdict = at("Waiting", "Fixing", defect="Done")
    assert verdict.agreed == Agreed("Closed", 2, "defect")


def test_another_state_of_the_same_stage_does_not_end_a_pause() -> None:
    verdict = at("Waiting", "Fixing", pbi="Committed")
    assert verdict.agreed == Agreed("Waiting", 1, "incident") and verdict.writes == ()


def test_a_wordless_side_is_put_back_where_it_stood() -> None:
    stages = StageMap((Stage("Triage", {"incident": ("Open",)}, decided_by="incident"), *STAGES.stages))
    meaning = StatusMeaning(stages)
    defect = Spoken(REFS["defect"], "defect", spelled("Done"), Echo(spelled("To Do"), 1))
    verdict = merge(meaning, Agreed("Triage", 1), (defect,), deciders_word(stages, "", SIDES))
    assert verdict.agreed.value == "Triage" and claims(verdict, "restored") == {"defect"}
    assert verdict.writes == ((REFS["defect"], spelled("To Do")),)


SHARED = StageMap(
    (
        Stage("Queued", {"incident": ("Open",), "defect": ("Todo",)}),
        Stage("Started", {"incident": ("Open", "Busy"), "defect": ("Doing",)}),
    )
)


@pytest.mark.parametrize("agreed, means", [("Queued", "Queued"), ("Started", "Started")])
def test_a_state_under_several_stages_means_the_agreed_one(agreed: str, means: str) -> None:
    spoken = (Spoken(REFS["incident"], "incident", spelled("Open"), Echo(spelled("Busy"), 1)),)
    verdict = merge(StatusMeaning(SHARED), Agreed(agreed, 1), spoken, deciders_word(SHARED, "", SIDES))
    assert verdict.agreed == Agreed(means, 1)


def test_a_state_under_several_stages_means_the_first_where_the_agreed_one_is_none_of_them() -> None:
    stages = StageMap((*SHARED.stages, Stage("Over", {"incident": ("Done",)})))
    spoken = (Spoken(REFS["incident"], "incident", spelled("Open"), Echo(spelled("Done"), 1)),)
    verdict = merge(StatusMeaning(stages), Agreed("Over", 1), spoken, deciders_word(stages, "", SIDES))
    assert verdict.agreed.value == "Queued"


def test_a_state_under_several_stages_means_the_one_that_a_pause_returns_to() -> None:
    assert StatusMeaning(SHARED, "Started").meanings("incident", spelled("Open"))[0] == "Started"


# ── Through decide ───────────────────────────────────────────────────────────────────────────────────────────────


def decided(stage: str, before: str = "", **states: str) -> Plan:
    """A link in step at ``stage`` of which some sides show another state."""
    stood = {s: STAGES.spelling(s, stage) or STAGES.spelling(s, before) or "" for s in SIDES}
    members = [item(record(REFS[s], stood[s])) for s in SIDES]
    state = link(*members, agreed={**AGREED, STAGE: Agreed(stage, 1, "incident")}, before=before)
    shown = [record(REFS[s], states.get(s, stood[s]), version=2) for s in SIDES]
    return decide(state, seen(*shown), setup(), NOW)


def test_a_change_that_is_put_back_is_told_in_a_note_on_its_item_that_says_why() -> None:
    plan = decided("Validating", defect="Done")
    assert writes(plan.actions)[REFS["defect"]].change.state == "To Do"
    (note,) = plan.settlement.remarks
    assert note.ref == REFS["defect"] and note.channel == "internal"
    assert "it is for incident to change" in note.text and "'Closed'" in note.text
    assert plan.settlement.conflicts == (("stage", "defect", "Closed"),)


def test_a_pause_remembers_where_it_returns_to_and_forgets_it_afterwards() -> None:
    assert decided("Fixing", incident="On Hold:Awaiting Caller").settlement.before == "Fixing"
    assert decided("Waiting", "Fixing", incident="In Progress").settlement.before == ""


def test_a_wordless_side_is_in_step_without_a_write_or_a_hold() -> None:
    plan = decided("Fixing", incident="On Hold:Awaiting Caller")
    assert plan.actions == () and plan.settlement.holds == ()
    assert {(ref, echo.serial) for ref, name, echo in plan.settlement.echoes if name == STAGE} >= {
        (REFS["defect"], 2),
        (REFS["pbi"], 2),
    }


def test_entering_a_stage_sends_the_fields_that_go_with_it() -> None:
    told = {**AGREED, "resolution": Agreed("Restarted it", 1)}
    defect = record(REFS["defect"], "Done", 2, fields={"resolution_text": "Restarted it"})
    members = [item(record(REFS[s])) for s in ("incident", "pbi")]
    was = item(record(REFS["defect"], fields={"resolution_text": "Restarted it"}))
    plan = decide(link(*members, was, agreed=told), seen(defect), setup(), NOW)
    change = writes(plan.actions)[REFS["incident"]].change
    assert (change.state, change.with_state) == ("Resolved", {"close_notes": "Restarted it"})
    assert plan.settlement.closed is True
