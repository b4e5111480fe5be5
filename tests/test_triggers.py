"""What sets rules off, what ends their episodes, and what keeps them silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mappings.calendar import Span
from mappings.roster import Person, Roster
from sync.escalation.episodes import episodes, parts_of
from sync.escalation.escalate import Outlook, escalate
from sync.setup import Rule, Setup
from sync.state import Firing, Movement
from tests.builders import DAY, HOUR, MINUTE, STAGES, condition, rule, setup
from tests.test_escalate import START, acted, entered, outcomes, quiet

HOURS = Span(seconds=3600)


def word(name: str, at: datetime, party: str = "", until: datetime | None = None, stage: str = "Fixing") -> Movement:
    move = STAGES.get(stage).move
    return Movement(f"word:snow:{name}{at:%d%H%M}:0", "word", at, stage, move, party, name, until)


def changed(field: str, at: datetime, party: str = "", n: int = 1) -> Movement:
    return Movement(f"field:{field}:{n}", "field", at, "Fixing", "developers", party, field)


def opened(side: str, at: datetime) -> Movement:
    return Movement(f"opened:jira/{side}", "opened", at, "Fixing", "developers", word=side)


def event_rule(*after: Span | None, **said: object) -> Setup:
    return setup(rules=(rule("one", after=(None, *after), **said),))


def look(
    house: Setup,
    now: datetime,
    *movements: Movement,
    firings: Sequence[Firing] = (),
    armed: datetime = START - DAY,
    priority: int = 1,
) -> Outlook:
    since = {rule.id: armed for rule in house.rules}
    return escalate(house, {"priority": priority}, movements, firings, since, now)


FIXING = entered("Fixing", START)


@pytest.mark.parametrize(
    ("said", "event"),
    [
        ({"concern": True}, acted("county", START + HOUR)),
        ({"said": ("research",)}, word("research", START + HOUR)),
        ({"enters": ("Fixing",)}, entered("Fixing", START + HOUR, 2)),
        ({"changes": ("due",)}, changed("due", START + HOUR)),
        ({"opens": ("defect",)}, opened("defect", START + HOUR)),
    ],
)
def test_the_first_step_of_what_happened_is_due_at_once_and_the_next_after_its_time(
    said: dict[str, object], event: Movement
) -> None:
    house = event_rule(HOURS, **said)
    before = entered("Validating", START)
    first = look(house, START + HOUR, before, event)
    assert [(due.step, due.episode, due.at) for due in first.fired] == [(1, event.event, START + HOUR)]
    assert first.next_due == START + 2 * HOUR
    assert outcomes(look(house, START + 2 * HOUR, before, event, firings=first.firings)) == [(2, "fired")]


def test_each_event_is_an_episode_of_its_own() -> None:
    house = event_rule(changes=("due",))
    two = changed("due", START + HOUR), changed("due", START + 2 * HOUR, n=2)
    assert [due.episode for due in look(house, START + 3 * HOUR, FIXING, *two).fired] == ["field:due:1", "field:due:2"]


def test_events_that_were_told_cost_nothing_any_more_but_for_the_latest() -> None:
    """A link may have thousands."""
    house = event_rule(HOURS, said=("research",))
    words = [word("research", START + n * DAY) for n in range(5)]
    told = [Firing("one", one.event, step, one.at) for one in words[:4] for step in (1, 2)]
    left_out = [Firing("one", words[4].event, 0, words[4].at, "unmet")]
    movements, armed = (FIXING, *words), {"one": START}
    begun = [one.began for one in episodes(house, house.rules[0], movements, told[:-1], armed)]
    assert begun == words[3:]
    begun = [one.began for one in episodes(house, house.rules[0], movements, [*told, *left_out], armed)]
    assert begun == words[4:]


def test_only_what_the_named_parties_did_counts() -> None:
    house = event_rule(changes=("due",), by=("developers",))
    assert look(house, START + HOUR, FIXING, changed("due", START, "county")).fired == ()
    assert len(look(house, START + HOUR, FIXING, changed("due", START, "developers")).fired) == 1


def test_what_happened_before_the_rule_was_armed_never_fires_nor_does_what_follows_from_it() -> None:
    house = event_rule(Span(2), said=("research",))
    outlook = look(house, START + 3 * DAY, FIXING, word("research", START), armed=START + HOUR)
    assert outlook == Outlook()


def test_an_event_whose_condition_did_not_hold_is_let_go_for_good() -> None:
    house = event_rule(enters=("Fixing",), when=condition("priority <= 2"))
    first = look(house, START, FIXING, priority=3)
    assert [(f.step, f.outcome) for f in first.firings] == [(0, "unmet")]
    assert look(house, START + DAY, FIXING, firings=first.firings, priority=1) == Outlook()


def test_a_stage_that_was_only_found_or_read_anew_is_not_entered() -> None:
    house = event_rule(enters=("Fixing",))
    for how in ("found", "reread"):
        assert look(house, START, replace(FIXING, event=f"{how}:1:Fixing")) == Outlook()
    assert len(look(house, START, replace(FIXING, event="born:1:Fixing")).fired) == 1


def test_leaving_the_stage_cancels_what_was_still_to_come_and_not_what_entering_it_says() -> None:
    house = event_rule(HOURS, enters=("Fixing",))
    left = entered("Validating", START + 30 * MINUTE, 2)
    assert [due.step for due in look(house, START + DAY, FIXING, left).fired] == [1]


def test_a_terminal_stage_stops_quiet_over_and_concern_unless_asked_and_nothing_else() -> None:
    closed = entered("Closed", START + HOUR, 2)
    asked = acted("county", START + 2 * HOUR, "Closed")
    said = word("research", START + 2 * HOUR, stage="Closed")
    for kind in ({"concern": True}, {"quiet": HOURS}, {"over": True, "over_span": HOURS}):
        assert look(event_rule(**kind), START + DAY, FIXING, closed, asked) == Outlook()
        assert len(look(event_rule(**kind, resolved=True), START + DAY, FIXING, closed, asked).fired) == 1
    assert len(look(event_rule(said=("research",)), START + DAY, FIXING, closed, said).fired) == 1


def test_a_paused_stage_stops_the_clock_of_an_episode_and_leaving_it_lets_it_go_on() -> None:
    house = event_rule(Span(seconds=2 * 3600), said=("research",))
    story = FIXING, word("research", START), entered("Waiting", START + HOUR, 2)
    first = look(house, START, *story[:2])
    assert look(house, START + 5 * HOUR, *story, firings=first.firings) == Outlook()
    back = entered("Fixing", START + 9 * HOUR, 3)
    assert look(house, START + 9 * HOUR, *story, back, firings=first.firings).next_due == START + 10 * HOUR


# ── concerns ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CONCERN = event_rule(HOURS, concern=True, until=("answered",))


def test_a_requester_who_has_the_move_is_not_concerned() -> None:
    waiting = entered("Waiting", START + HOUR, 2)
    assert look(CONCERN, START + DAY, FIXING, waiting, acted("county", START + 2 * HOUR, "Waiting")) == Outlook()


def test_a_command_word_of_a_requester_is_no_concern() -> None:
    said = acted("county", START + HOUR)
    command = replace(word("answered", START + HOUR, "county"), event="word:snow:7:0")
    assert look(CONCERN, START + HOUR, FIXING, replace(said, event="comment:snow:7"), command) == Outlook()


def test_while_an_episode_is_open_further_concerns_belong_to_it() -> None:
    first, again = acted("county", START + HOUR), acted("county", START + 90 * MINUTE, n=2)
    fired = look(CONCERN, START + HOUR, FIXING, first).firings
    assert look(CONCERN, START + 90 * MINUTE, FIXING, first, again, firings=fired) == Outlook(next_due=START + 2 * HOUR)


@pytest.mark.parametrize("end", ["ack", "answered"])
def test_a_word_ends_the_episode_and_the_next_concern_is_a_new_one(end: str) -> None:
    first, said = acted("county", START + HOUR), word(end, START + 90 * MINUTE)
    again = acted("county", START + 3 * HOUR, n=2)
    fired = look(CONCERN, START + HOUR, FIXING, first).firings
    assert look(CONCERN, START + 2 * HOUR, FIXING, first, said, firings=fired) == Outlook()
    outlook = look(CONCERN, START + 3 * HOUR, FIXING, first, said, again, firings=fired)
    assert [(due.episode, due.step) for due in outlook.fired] == [(again.event, 1)]


# ── acknowledgement ──────────────────────────────────────────────────────────────────────────────────────────────────

LADDER = setup(rules=(quiet(HOURS, HOURS),))


def told(*names: str, at: datetime = START + 2 * HOUR) -> Firing:
    return Firing("quiet", FIXING.event, 1, at, told=names)


def test_whoever_was_told_acknowledges_by_a_comment_an_assignment_or_a_stage() -> None:
    at = START + 150 * MINUTE
    for act in (
        acted("operations", at),
        acted("operations", at, kind="assignment"),
        entered("Fixing", at, 2, "operations"),
    ):
        assert look(LADDER, START + DAY, FIXING, act, firings=[told("operations")]) == Outlook()
        assert outcomes(look(LADDER, START + DAY, FIXING, act, firings=[told("county")]))[-1] == (3, "fired")


def test_what_was_said_before_the_step_fired_acknowledges_nothing() -> None:
    act = acted("operations", START + HOUR)
    assert outcomes(look(LADDER, START + 3 * HOUR, FIXING, act, firings=[told("operations")])) == [(2, "fired")]


def test_an_address_stands_for_its_party_and_its_person_s() -> None:
    ann = Person("Ann Bell", "ann@example.org", "county")
    house = replace(LADDER, roster=Roster((ann,)))
    act = acted("county", START + 150 * MINUTE)
    assert look(house, START + DAY, FIXING, act, firings=[told("ann@example.org")]) == Outlook()
    assert look(house, START + DAY, FIXING, acted("operations", act.at), firings=[told("ops@example.org")]) == Outlook()


def test_ack_counts_from_anybody_once_something_was_due_and_not_before() -> None:
    late, early = word("ack", START + 150 * MINUTE), word("ack", START + HOUR)
    assert look(LADDER, START + DAY, FIXING, late, firings=[told()]) == Outlook()
    assert outcomes(look(LADDER, START + 2 * HOUR, FIXING, early)) == [(1, "fired")]


def test_the_next_stall_is_told_anew_after_an_acknowledgement() -> None:
    ack, moved = word("ack", START + 150 * MINUTE), acted("developers", START + DAY)
    assert outcomes(look(LADDER, START + DAY + 2 * HOUR, FIXING, ack, moved, firings=[told()])) == [(1, "fired")]


def test_an_acknowledged_target_stays_so_when_the_stage_is_visited_again() -> None:
    house = setup(rules=(rule("one", over=True, over_span=HOURS, after=(None, HOURS)),))
    fired = Firing("one", "over:Fixing:0", 1, START + HOUR)
    story = FIXING, word("ack", START + 70 * MINUTE), entered("Validating", START + 80 * MINUTE, 2)
    back = entered("Fixing", START + DAY, 3)
    assert look(house, START + 2 * DAY, *story, back, firings=[fired]) == Outlook()


# ── snooze ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_snooze_silences_every_rule_until_it_expires_and_then_only_the_highest_step_comes() -> None:
    snooze = word("snooze", START + HOUR, until=START + 5 * HOUR)
    assert look(LADDER, START + 3 * HOUR, FIXING, snooze) == Outlook(next_due=START + 5 * HOUR)
    after = look(LADDER, START + 5 * HOUR, FIXING, snooze)
    assert outcomes(after) == [(1, "superseded"), (2, "superseded"), (3, "fired")]


def test_unsnooze_takes_it_back_and_a_later_snooze_takes_its_place() -> None:
    snooze = word("snooze", START + HOUR, until=START + 9 * HOUR)
    woken = word("unsnooze", START + 2 * HOUR)
    assert outcomes(look(LADDER, START + 2 * HOUR, FIXING, snooze, woken)) == [(1, "fired")]
    shorter = word("snooze", START + 2 * HOUR, until=START + 3 * HOUR)
    assert look(LADDER, START + 2 * HOUR, FIXING, snooze, shorter).next_due == START + 3 * HOUR


def test_words_and_changes_of_fields_do_not_restart_quiet() -> None:
    at = START + HOUR
    busy = word("watch", at, "developers"), changed("due", at + MINUTE, "developers"), opened("pbi", at + 2 * MINUTE)
    assert outcomes(look(LADDER, START + 2 * HOUR, FIXING, *busy)) == [(1, "fired")]


# ── edits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def armed(rules: Sequence[Rule], at: datetime) -> dict[str, datetime]:
    return {name: at for id, parts in parts_of(rules).items() for name in (id, *parts)}


def test_a_step_that_is_added_counts_from_then_on_and_what_was_due_before_never_fires() -> None:
    short, long = quiet(HOURS), quiet(HOURS, HOURS)
    since = armed((long,), START + 5 * HOUR) | armed((short,), START - DAY)
    done = [told(), Firing("quiet", FIXING.event, 2, START + 3 * HOUR)]
    house = setup(rules=(long,))
    outlook = escalate(house, {}, [FIXING], done, since, START + 5 * HOUR)
    assert outcomes(outlook) == [(3, "before")] and outlook.fired == ()
    again = acted("developers", START + 5 * HOUR)
    late = escalate(house, {}, [FIXING, again], (*done, *outlook.firings), since, START + 9 * HOUR)
    assert [due.step for due in late.fired] == [3]


def test_a_stage_that_is_added_to_a_rule_counts_from_then_on() -> None:
    one, two = rule("one", enters=("Validating",)), rule("one", enters=("Validating", "Fixing"))
    since = armed((two,), START + timedelta(hours=1)) | armed((one,), START - DAY)
    house = setup(rules=(two,))
    assert escalate(house, {}, [FIXING], (), since, START + 2 * HOUR) == Outlook()
    again = entered("Validating", START + 2 * HOUR, 2), entered("Fixing", START + 3 * HOUR, 3)
    assert len(escalate(house, {}, [FIXING, *again], (), since, START + 3 * HOUR).fired) == 2


def test_names_of_what_is_armed_fit_their_column() -> None:
    long = rule("x" * 80, enters=("y" * 60,))
    assert all(len(name) <= 80 for name in parts_of((long,))["x" * 80])
