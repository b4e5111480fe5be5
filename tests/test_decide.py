"""The plan of one link: routes, marks, what is held, what rests, what a rule does; pure."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import sync.decide
from mappings.fields import Field
from mappings.model import Mark, Record, Ref
from sync.decide import decide
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Adopt, Notify, Open, Plan, Say, Write
from sync.setup import Mailing, Remark, Step
from sync.sheet import fingerprint_of
from sync.state import Copy, CopyKey, Creation, Firing, Held, Movement, Origin
from tests.builders import (
    AGREED,
    DAY,
    DEFECT,
    FACTS,
    FIELDS,
    HOUR,
    INCIDENT,
    MARK,
    MINUTE,
    NOW,
    PARTIES,
    PBI,
    Channel,
    Span,
    comment,
    item,
    link,
    made_key,
    only_seen,
    opens,
    prospect,
    record,
    route,
    rule,
    says,
    seen,
    setup,
    two,
    writes,
)

ROUTE = route("production", "incident", "defect")
WHEN = {"production": 'stage == "Fixing" && priority <= 2'}
ROUTED = setup(routes=(ROUTE,), whens=WHEN)
URGENT = {"impact": "1", "urgency": "1"}


def fresh(**said: Any) -> Record:
    """An incident that no link holds, and that the route wants."""
    fields = {**URGENT, **said.pop("fields", {})}
    return record(INCIDENT, version=5, fields=fields, **{"mark": None, **said})


def first(shown: Record, house: Any = ROUTED, at: datetime = NOW, **more: Any) -> Plan:
    return decide(prospect(shown, **more), only_seen(shown), house, at)


def why(plan: Plan, about: str = "route production") -> str:
    return "; ".join(reason.text for reason in plan.reasons if reason.about == about)


# ── Routes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_that_becomes_eligible_gets_its_counterpart_marks_first() -> None:
    plan = first(fresh())
    mark, opening = plan.actions
    assert isinstance(mark, Adopt) and mark.mark == Mark(MARK, plan.key)
    assert isinstance(opening, Open) and opening.side == "defect"
    assert opening.draft.fields == {"summary": "Broken", "priority": "Highest"}
    assert (opening.draft.mark.link, opening.draft.mark.made) == (plan.key, made_key("production"))
    assert opening.draft.source_key == "I1"
    assert opening.serials == {"summary": 1, "priority": 1}


def test_an_item_that_no_route_wants_makes_no_plan_and_no_state() -> None:
    plan = first(fresh(fields={"impact": "3"}))
    assert plan.actions == () and plan.link == 0
    assert plan.settlement == Plan(0, "", "").settlement
    assert why(plan) == "priority <= 2 does not hold: priority is 3"


def test_a_condition_on_a_missing_value_does_not_hold_and_says_so() -> None:
    assert why(first(fresh(fields={"impact": "", "urgency": ""}))) == "priority has no value"


def test_an_item_outside_the_scope_opens_nothing() -> None:
    assert why(first(fresh(in_scope=False))) == "I1 is outside the scope of incident"


def test_a_linked_item_that_left_the_scope_is_followed_and_opens_on() -> None:
    away = fresh(in_scope=False)
    state = link(item(away), agreed={**AGREED, "priority": Agreed(1, 1, "incident")})
    assert len(opens(decide(state, only_seen(away), ROUTED, NOW).actions)) == 1


def test_a_closed_item_opens_nothing() -> None:
    open_anyway = setup(routes=(ROUTE,))
    assert why(first(fresh(state="Closed"), open_anyway)) == "I1 is closed"


def test_a_link_that_closes_now_opens_nothing_more() -> None:
    house = setup(routes=(ROUTE, route("development", "defect", "pbi")))
    done = record(DEFECT, "Done", 2)
    state = link(item(record(INCIDENT)), item(record(DEFECT)))
    assert opens(decide(state, only_seen(record(INCIDENT), done), house, NOW).actions) == []


def test_an_unmapped_state_opens_nothing() -> None:
    assert why(first(fresh(state="Limbo"), setup(routes=(ROUTE,)))) == "the state of I1 is not mapped"


OLD = NOW - 30 * DAY


@pytest.mark.parametrize("since, opened", [(None, 0), (OLD, 1), (NOW, 0)])
def test_an_item_that_was_there_before_is_opened_only_if_it_is_younger_than_since(since: Any, opened: int) -> None:
    house = setup(routes=(replace(ROUTE, since=since),), whens=WHEN)
    plan = first(fresh(), house, old=True)
    assert len(opens(plan.actions)) == opened
    assert plan.aged is (opened == 0)


def test_an_old_item_that_is_not_eligible_yet_is_not_aged_by_looking_at_it() -> None:
    assert first(fresh(fields={"impact": "3"}), old=True).aged is False


def begun(outcome: str) -> tuple[Creation, ...]:
    return (Creation(made_key("production"), "production", NOW - MINUTE, outcome),)


@pytest.mark.parametrize("outcome, opened", [("", 0), ("unsure", 0), ("done", 0), ("failed", 1), ("refused", 1)])
def test_what_is_on_its_way_or_was_made_is_not_made_again(outcome: str, opened: int) -> None:
    shown = fresh(mark=Mark(MARK))
    state = link(item(shown), agreed={**AGREED, "priority": Agreed(1, 1)}, creations=begun(outcome))
    assert len(opens(decide(state, only_seen(shown), ROUTED, NOW).actions)) == opened


@pytest.mark.parametrize("outcome, opened", [("", 0), ("unsure", 0), ("done", 0), ("failed", 1)])
def test_what_the_former_lead_opened_is_not_opened_by_the_next_one(outcome: str, opened: int) -> None:
    over = fresh(state="Closed", mark=Mark(MARK))
    heir = replace(over, ref=Ref("snow", "i2"), key="I2", state=fresh().state)
    state = link(item(over), item(heir), agreed={**AGREED, "priority": Agreed(1, 1)}, creations=begun(outcome))
    assert len(opens(decide(state, only_seen(over, heir), ROUTED, NOW).actions)) == opened


def test_a_creation_whose_answer_was_lost_is_waited_for() -> None:
    shown = fresh(mark=Mark(MARK))
    state = link(item(shown), agreed={**AGREED, "priority": Agreed(1, 1)}, creations=begun("unsure"))
    assert decide(state, only_seen(shown), ROUTED, NOW).waiting == NOW - MINUTE + FACTS["jira"].grace


@pytest.mark.parametrize("hidden", [{"gone": (DEFECT,)}, {"unread": (DEFECT,)}])
def test_an_item_that_is_gone_or_unread_is_never_created_again(hidden: dict[str, Any]) -> None:
    house = setup(routes=(ROUTE,))
    assert opens(decide(link(), seen(**hidden), house, NOW).actions) == []


def test_what_is_gone_is_held_and_everything_else_goes_on() -> None:
    moved = record(INCIDENT, version=2, fields={"short_description": "Broken again"})
    plan = decide(link(), seen(moved, gone=[DEFECT]), setup(), NOW)
    assert [(h.ref, h.what) for h in plan.settlement.holds] == [(DEFECT, "item")]
    assert set(writes(plan.actions)) == {PBI}


def test_of_two_routes_to_one_side_the_first_in_the_file_wins() -> None:
    house = setup(routes=(route("b", "incident", "defect"), route("a", "incident", "defect")))
    assert [opening.route for opening in opens(first(fresh(), house).actions)] == ["b"]


def test_after_the_state_was_lost_a_creation_is_looked_for_before_it_is_repeated() -> None:
    shown = fresh(mark=Mark(MARK))
    plan = decide(link(item(shown, rebuilt=True, echoes={}), agreed={}), only_seen(shown), ROUTED, NOW)
    assert [opening.wait for opening in opens(plan.actions)] == [True]


def test_a_refused_creation_rests_until_its_source_changes_or_it_is_due() -> None:
    shown = fresh(mark=Mark(MARK))
    (opening,) = opens(first(shown).actions)
    held = Held(INCIDENT, "open production", "no", "", NOW, NOW + HOUR, fingerprint_of(opening.draft.fields))
    state = link(item(shown), agreed={**AGREED, "priority": Agreed(1, 1)}, held=(held,), creations=begun("refused"))
    resting = decide(state, only_seen(shown), ROUTED, NOW)
    assert opens(resting.actions) == [] and resting.settlement.releases == () and resting.settlement.due == NOW + HOUR
    assert len(opens(decide(state, only_seen(shown), ROUTED, NOW + HOUR).actions)) == 1
    changed = replace(shown, fields={**shown.fields, "short_description": "Shorter"})
    assert len(opens(decide(state, only_seen(changed), ROUTED, NOW).actions)) == 1


# ── Marks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_of_the_link_that_lost_its_mark_gets_it_back() -> None:
    plan = decide(link(), seen(record(PBI, mark=None)), setup(), NOW)
    assert [(a.ref, a.mark.link) for a in plan.actions if isinstance(a, Adopt)] == [(PBI, plan.key)]


def test_an_occupied_mark_is_held_and_never_overwritten() -> None:
    plan = decide(link(), seen(record(PBI, mark=None, occupied="Remedy-77")), setup(), NOW)
    assert plan.actions == ()
    (held,) = plan.settlement.holds
    assert held.what == "mark" and "'Remedy-77'" in held.reason


# ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unmapped_value_is_held_with_what_to_write_while_other_fields_go_on() -> None:
    odd = record(INCIDENT, version=2, fields={"impact": "9", "short_description": "Worse"})
    plan = decide(link(), seen(odd), setup(), NOW)
    (held,) = plan.settlement.holds
    assert (held.ref, held.what) == (INCIDENT, "priority") and "impact '9'" in held.reason
    assert {ref: set(w.wanted) for ref, w in writes(plan.actions).items()} == {DEFECT: {"summary"}, PBI: {"summary"}}


def test_an_unmapped_state_is_held_while_fields_go_on() -> None:
    odd = record(DEFECT, "Parked", 2, fields={"summary": "Worse"})
    plan = decide(link(), seen(odd), setup(), NOW)
    assert [(h.ref, h.what) for h in plan.settlement.holds] == [(DEFECT, STAGE)]
    assert set(writes(plan.actions)) == {INCIDENT, PBI}


def test_a_side_without_a_word_for_a_value_is_held_and_released_once_it_has_one() -> None:
    cleared = record(DEFECT, version=2, fields={"priority": None})
    plan = decide(link(), seen(cleared), setup(), NOW)
    assert {(h.ref, h.what) for h in plan.settlement.holds} == {(INCIDENT, "priority"), (PBI, "priority")}
    assert writes(plan.actions) == {}
    again = decide(link(held=plan.settlement.holds), seen(), setup(), NOW)
    assert set(again.settlement.releases) == {(INCIDENT, "priority"), (PBI, "priority")}


def test_one_write_an_item_carries_every_field_and_the_state() -> None:
    moved = record(DEFECT, "Done", 2, fields={"summary": "Fixed", "priority": "High"})
    change = writes(decide(link(), seen(moved), setup(), NOW).actions)[INCIDENT].change
    assert change.fields == {"short_description": "Fixed", "impact": "1", "urgency": "2"}
    assert change.state == "Resolved" and change.version == 1


def test_two_who_changed_one_field_at_once_are_told_apart_in_a_note_and_the_journal() -> None:
    one = record(INCIDENT, version=2, fields={"short_description": "Mine"})
    another = record(DEFECT, version=2, fields={"summary": "Theirs"})
    plan = decide(link(), seen(one, another), setup(), NOW)
    assert plan.settlement.conflicts == (("summary", "defect", "Theirs"),)
    (note,) = plan.settlement.remarks
    assert (note.ref, note.channel) == (DEFECT, "internal") and "'Theirs'" in note.text and "'Mine'" in note.text
    assert [say.copy.origin for say in says(plan.actions)] == [Origin("", note.id)]


def test_a_strangers_change_of_an_exclusive_field_is_restored_and_said_so() -> None:
    alone = setup(fields={**FIELDS, "summary": replace(FIELDS["summary"], exclusive=True)})
    plan = decide(link(), seen(record(DEFECT, version=2, fields={"summary": "Theirs"})), alone, NOW)
    assert {ref: w.change.fields for ref, w in writes(plan.actions).items()} == {DEFECT: {"summary": "Broken"}}
    (note,) = says(plan.actions)
    assert note.ref == DEFECT and "it is for incident to change" in note.text and "'Theirs'" in note.text
    assert plan.settlement.conflicts == (("summary", "defect", "Theirs"),)


def test_a_note_is_told_once_however_often_the_change_is_still_to_be_put_back() -> None:
    """The tracker refuses to take the stage back: the note itself moves the item's version with every pass."""
    wrong = record(PBI, "Done", 2)
    plan = decide(link(), seen(wrong), setup(), NOW)
    (note,) = plan.settlement.remarks
    waiting = link(remarks=(note,))
    assert decide(waiting, seen(replace(wrong, version=3)), setup(), NOW).settlement.remarks == ()
    assert len(says(decide(waiting, seen(replace(wrong, version=3)), setup(), NOW).actions)) == 1
    (say,) = says(plan.actions)
    done = link(copies={say.copy: Copy("done", NOW)})
    later = decide(done, seen(replace(wrong, version=4)), setup(), NOW)
    assert says(later.actions) == [] and later.settlement.remarks == () and later.settlement.conflicts == ()
    assert set(writes(later.actions)) == {PBI}


def test_a_change_that_is_made_again_after_it_was_put_back_is_told_again() -> None:
    wrong = record(PBI, "Done", 2)
    (say,) = says(decide(link(), seen(wrong), setup(), NOW).actions)
    members = [item(record(INCIDENT)), item(record(DEFECT)), item(record(PBI), acked=3)]
    done = link(*members, copies={say.copy: Copy("done", NOW)})
    assert len(says(decide(done, seen(replace(wrong, version=4)), setup(), NOW).actions)) == 1


# ── What rests ───────────────────────────────────────────────────────────────────────────────────────────────────

RENAMED = record(INCIDENT, version=2, fields={"short_description": "Worse"})


def refused(what: str = "summary", ref: Ref = DEFECT, until: datetime = NOW + HOUR, print: str = "") -> Held:
    print = print or writes(decide(link(), seen(RENAMED), setup(), NOW).actions)[DEFECT].fingerprints[what]
    return Held(ref, what, "the screen lacks it", "add it", NOW - HOUR, until, print)


def test_a_refused_field_rests_while_the_other_items_go_on() -> None:
    plan = decide(link(held=(refused(),)), seen(RENAMED), setup(), NOW)
    assert set(writes(plan.actions)) == {PBI}
    assert plan.settlement.releases == () and plan.settlement.due == NOW + HOUR


def test_a_refused_field_is_tried_again_once_it_is_due() -> None:
    assert DEFECT in writes(decide(link(held=(refused(until=NOW),)), seen(RENAMED), setup(), NOW).actions)


def test_a_refused_field_is_tried_again_once_it_changes() -> None:
    other = record(INCIDENT, version=3, fields={"short_description": "Worse still"})
    assert DEFECT in writes(decide(link(held=(refused(),)), seen(other), setup(), NOW).actions)


def test_a_refused_move_is_tried_again_once_a_field_that_goes_with_it_changes() -> None:
    closed = record(DEFECT, "Done", 2, fields={"resolution_text": "Restarted it"})
    print = writes(decide(link(), seen(closed), setup(), NOW).actions)[INCIDENT].fingerprints[STAGE]
    held = refused(STAGE, INCIDENT, print=print)
    resting = decide(link(held=(held,)), seen(closed), setup(), NOW)
    assert INCIDENT not in writes(resting.actions)
    noted = replace(closed, fields={**closed.fields, "resolution_text": "Replaced the disk"})
    assert writes(decide(link(held=(held,)), seen(noted), setup(), NOW).actions)[INCIDENT].change.state == "Resolved"


def test_what_is_held_stays_held_while_its_item_cannot_be_read() -> None:
    plan = decide(link(held=(refused(),)), seen(RENAMED, unread=[DEFECT]), setup(), NOW)
    assert plan.settlement.releases == () and plan.settlement.due == NOW + HOUR


def test_a_refused_comment_rests_and_stays_held_while_its_source_is_not_heard() -> None:
    word = comment(INCIDENT, "c1")
    keys = {CopyKey(Origin("snow", "c1"), ref): Copy(o, NOW) for ref, o in ((DEFECT, "refused"), (PBI, "done"))}
    held = Held(DEFECT, "comment snow:c1", "too long", "", NOW, NOW + HOUR, "say")
    state = link(copies=keys, held=(held,), known=frozenset({Origin("snow", "c1")}))
    unheard = decide(state, seen(), setup(), NOW)
    assert says(unheard.actions) == [] and unheard.settlement.releases == ()
    assert says(decide(state, seen(comments=[word]), setup(), NOW).actions) == []
    assert len(says(decide(state, seen(comments=[word]), setup(), NOW + HOUR).actions)) == 1


def test_what_no_longer_stands_in_the_way_is_released() -> None:
    assert decide(link(held=(refused(),)), seen(), setup(), NOW).settlement.releases == ((DEFECT, "summary"),)


# ── Movement ─────────────────────────────────────────────────────────────────────────────────────────────────────


def movements(*shown: Record, comments: Any = (), **more: Any) -> list[tuple[str, str, str]]:
    found = decide(link(**more), seen(*shown, comments=comments), setup(), NOW).settlement.movements
    return [(m.kind, m.stage, m.party) for m in found]


def test_people_move_the_work_with_words_assignments_and_stages() -> None:
    assert movements(comments=[comment(INCIDENT, "c1", account="opal")]) == [("comment", "Fixing", "operations")]
    assert movements(record(DEFECT, version=2, assignee="dev")) == [("assignment", "Fixing", "developers")]
    assert movements(record(DEFECT, "Done", 2)) == [("stage", "Closed", "developers")]


def test_automation_and_our_own_words_are_no_movement_and_still_cross() -> None:
    robot = comment(DEFECT, "c1", account="robot")
    assert movements(comments=[robot]) == []
    assert len(says(decide(link(), seen(comments=[robot]), setup(), NOW).actions)) == 2
    assert movements(comments=[comment(DEFECT, "c2", ours=True)]) == []
    assert movements(record(DEFECT, version=2, assignee="dev", updated_by="robot")) == []
    assert movements(record(DEFECT, "Done", 2, updated_by="robot")) == [("stage", "Closed", "")]


def test_a_known_comment_moves_nothing_again() -> None:
    known = frozenset({Origin("snow", "c1")})
    assert movements(comments=[comment(INCIDENT, "c1")], known=known) == []


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────

STEP = Step(
    set={"escalation": "High"},
    say=Remark(Channel("defect", "role:Developers"), "No movement for {quiet}. {move}, is {defect} on track?"),
    email=Mailing(("ops@example.org",), ("boss@example.org",), "{incident}: quiet", ""),
    teams="triage",
    teams_text="{summary} stalls",
)
STALLED = (Movement("stage:1:Fixing", "stage", NOW - 5 * HOUR, "Fixing", "developers"),)
CHASED = setup(rules=(rule(quiet=Span(seconds=7200), steps=(STEP, Step(after=Span(seconds=14400)))),))


def chased(**said: Any) -> Plan:
    return decide(link(movements=STALLED, **said), seen(), CHASED, NOW)


def test_a_firing_sets_says_mails_and_posts_in_one_plan() -> None:
    plan = chased()
    key = f"fire:{plan.key}:quiet:stage:1:Fixing:1"
    assert [(f.step, f.outcome) for f in plan.settlement.firings] == [(1, "fired")]
    assert writes(plan.actions)[INCIDENT].change.fields == {"escalation": "2"}
    (say,) = says(plan.actions)
    assert (say.ref, say.channel) == (DEFECT, "role:Developers")
    assert say.copy == CopyKey(Origin("", key), DEFECT)
    assert say.text.endswith("No movement for 2 hours. developers, is D1 on track?")
    mail, card = (a for a in plan.actions if isinstance(a, Notify))
    assert (mail.key, mail.to, mail.cc, mail.subject) == (
        f"{key}:email",
        ("ops@example.org",),
        ("boss@example.org",),
        "I1: quiet",
    )
    assert (card.key, card.to, card.text) == (f"{key}:teams", ("triage",), "Broken stalls")
    assert plan.settlement.due == NOW + HOUR


def test_a_firing_that_is_recorded_does_nothing_again() -> None:
    plan = chased(firings=(Firing("quiet", "stage:1:Fixing", 1, NOW),))
    assert plan.actions == () and plan.settlement.firings == ()


def test_a_rules_word_reaches_every_side_that_does_not_mean_it_already() -> None:
    house = setup(rules=(rule(quiet=Span(seconds=7200), steps=(Step(set={"priority": 4}),)),))
    shown = [
        record(INCIDENT, fields={"impact": "3", "urgency": "3"}),
        record(DEFECT, fields={"priority": "Lowest"}),
        record(PBI, fields={"Priority": "4"}),
    ]
    state = link(*map(item, shown), movements=STALLED, agreed={**AGREED, "priority": Agreed(5, 1, "incident")})
    plan = decide(state, seen(*shown), house, NOW)
    assert set(writes(plan.actions)) == {INCIDENT, DEFECT}
    assert plan.settlement.agreed["priority"] == Agreed(4, 2)


def test_a_change_that_came_in_with_a_rules_word_is_not_taken_for_a_newer_one() -> None:
    """The incident said 'Low' in the pass in which the rule said 1; the write to it was lost."""
    house = setup(rules=(rule(quiet=Span(seconds=7200), steps=(Step(set={"priority": 1}),)),))
    low = record(INCIDENT, version=2, fields={"impact": "2", "urgency": "3"})
    plan = decide(link(movements=STALLED), seen(low), house, NOW)
    assert plan.settlement.agreed["priority"].value == 1
    kept = {name: echo for ref, name, echo in plan.settlement.echoes if ref == INCIDENT}
    assert kept["priority"] == Echo(two("2", "3"), 2)
    members = [item(low, echoes={**item(low).echoes, **kept}), item(record(DEFECT)), item(record(PBI))]
    again = decide(
        link(*members, agreed={**AGREED, **plan.settlement.agreed}, movements=STALLED, firings=plan.settlement.firings),
        seen(low),
        house,
        NOW,
    )
    assert "priority" not in again.settlement.agreed
    assert {INCIDENT, DEFECT, PBI} == set(writes(again.actions))


# ── Several items on a side ──────────────────────────────────────────────────────────────────────────────────────

SECOND = Ref("azure", "p2")


def test_on_a_work_side_the_least_advanced_open_item_speaks() -> None:
    ahead, behind = record(PBI, "Done", 2), record(SECOND, "Approved")
    free = setup(stages=replace(setup().stages, stages=tuple(replace(s, decided_by="") for s in setup().stages.stages)))
    state = link(item(record(INCIDENT)), item(record(PBI)), item(behind))
    shown = only_seen(record(INCIDENT), ahead, behind)
    assert decide(state, shown, free, NOW).settlement.agreed == {}
    done = replace(shown, records={**shown.records, SECOND: record(SECOND, "Done", 2)})
    assert decide(state, done, free, NOW).settlement.agreed[STAGE].value == "Closed"


def test_on_the_opening_side_the_oldest_open_item_leads() -> None:
    lead, follower = record(INCIDENT, created=NOW - 3 * DAY), record(Ref("snow", "i2"), "Resolved", 2)
    state = link(item(lead), item(replace(follower, state="In Progress", version=1)), item(record(DEFECT)))
    free = setup(stages=replace(setup().stages, stages=tuple(replace(s, decided_by="") for s in setup().stages.stages)))
    assert decide(state, only_seen(lead, follower, record(DEFECT)), free, NOW).settlement.agreed == {}


# ── Purity ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_inputs_give_the_same_plan() -> None:
    def plans() -> list[Plan]:
        words = [comment(INCIDENT, "c1"), comment(DEFECT, "c2")]
        return [
            first(fresh()),
            chased(),
            decide(link(), seen(RENAMED, record(DEFECT, "Done", 2), comments=words), setup(), NOW),
        ]

    assert plans() == plans()


def test_a_link_in_step_plans_nothing_and_settles_nothing() -> None:
    plan = decide(link(), seen(heard=(INCIDENT, DEFECT, PBI)), setup(routes=(ROUTE,), paths=()), NOW)
    assert plan.quiet and plan.settlement == Plan(0, "", "").settlement


CORE = (
    "decide",
    "gone",
    "plan",
    "sheet",
    "state",
    "merging/*",
    "speaking/*",
    "comments/*",
    "joining/join",
    "joining/match",
    "joining/route",
    "escalation/escalate",
)


@pytest.mark.parametrize("module", CORE)
def test_the_core_reads_no_clock_and_draws_no_lots(module: str) -> None:
    files = sorted(Path(sync.decide.__file__).parent.glob(f"{module}.py"))
    assert files
    text = "\n".join(re.sub(r"(?m)^from __future__.*$", "", file.read_text(encoding="utf-8")) for file in files)
    calls = {
        n.func.attr for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
    }
    assert not calls & {"now", "utcnow", "today", "time", "monotonic", "random", "choice", "token_hex", "sleep"}
    imported = {a.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import) for a in n.names}
    assert not imported & {"time", "random", "secrets", "os", "uuid"}


def test_the_order_of_a_field_without_owner_is_the_files_order_of_sides() -> None:
    free = {**FIELDS, "summary": Field("summary", natives=FIELDS["summary"].natives)}
    one = record(DEFECT, version=2, fields={"summary": "Theirs"})
    another = record(PBI, version=2, fields={"Title": "Ours"})
    plan = decide(link(), seen(one, another), setup(fields=free), NOW)
    assert plan.settlement.agreed["summary"] == Agreed("Theirs", 2, "defect")


def test_a_new_item_whose_state_stands_for_no_agreement_is_brought_to_the_stage() -> None:
    born = record(DEFECT, "To Do")
    new = item(born, echoes={**item(born).echoes, STAGE: Echo(spelled("To Do"), 0)})
    plan = decide(link(item(record(INCIDENT)), new), only_seen(record(INCIDENT), born), setup(), NOW)
    (change,) = (a.change for a in plan.actions if isinstance(a, Write))
    assert change.state == "In Progress"


def test_parties_with_members_do_not_swallow_the_others() -> None:
    assert [p.name for p in PARTIES] == ["operations", "county", "developers"]
    assert movements(comments=[comment(INCIDENT, "c1", account="stranger")]) == [("comment", "Fixing", "county")]
    assert not any(isinstance(a, Say) for a in first(fresh()).actions)
