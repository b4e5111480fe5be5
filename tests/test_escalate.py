"""What is due, against examples and against a reference that lives through every minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mappings.calendar import Calendar, Span
from mappings.stages import StageMap
from sync.escalation.clocks import calendar_of
from sync.escalation.escalate import Outlook, escalate
from sync.setup import Rule, Setup
from sync.state import Firing, Movement
from tests.builders import PARTIES, STAGES, condition, rule, setup

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MOVE = {s.name: s.move for s in STAGES.stages}
START = datetime(2026, 11, 16, 16, 0, tzinfo=UTC)  # a Monday, 08:00 in Los Angeles
OFFICE = Calendar.of(zone="America/Los_Angeles", hours="08:00-17:00")


def entered(stage: str, at: datetime, serial: int = 1, party: str = "", reopened: bool = False) -> Movement:
    kind = "reopened" if reopened else "stage"
    return Movement(f"{kind}:{serial}:{stage}", "stage", at, stage, MOVE[stage], party)


def acted(party: str, at: datetime, stage: str = "Fixing", kind: str = "comment", n: int = 0) -> Movement:
    return Movement(f"{kind}:{party}:{n}:{at}", kind, at, stage, MOVE[stage], party)


def quiet(*after: Span | None, of: Span | None = None, **more: Any) -> Rule:
    """Quiet for two hours, unless it says for how long."""
    return rule(quiet=of or Span(seconds=7200), after=(None, *after), **more)


def look(
    house: Setup, now: datetime, *movements: Movement, firings: Sequence[Firing] = (), armed: datetime = START - DAY
) -> Outlook:
    return escalate(house, {"stage": movements[-1].stage}, movements, firings, {r.id: armed for r in house.rules}, now)


def outcomes(outlook: Outlook) -> list[tuple[int, str]]:
    return [(f.step, f.outcome) for f in outlook.firings]


LADDER = setup(rules=(quiet(Span(seconds=3600), Span(seconds=3600)),))

# ── The sentences ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_fires_at_its_instant_and_not_a_microsecond_before() -> None:
    began = entered("Fixing", START)
    before = look(LADDER, START + 2 * HOUR - timedelta(microseconds=1), began)
    assert before.firings == () and before.next_due == START + 2 * HOUR
    assert outcomes(look(LADDER, START + 2 * HOUR, began)) == [(1, "fired")]


def test_after_counts_from_the_due_time_of_the_step_before_not_from_when_it_fired() -> None:
    began = entered("Fixing", START)
    late = look(LADDER, START + 2 * HOUR + 50 * MINUTE, began)
    assert outcomes(late) == [(1, "fired")] and late.next_due == START + 3 * HOUR


def test_after_downtime_only_the_highest_due_step_fires() -> None:
    outlook = look(LADDER, START + 5 * HOUR, entered("Fixing", START))
    assert outcomes(outlook) == [(1, "superseded"), (2, "superseded"), (3, "fired")]
    assert [due.step for due in outlook.fired] == [3]


def test_what_fired_once_never_fires_again() -> None:
    began = entered("Fixing", START)
    first = look(LADDER, START + 5 * HOUR, began)
    assert look(LADDER, START + 9 * HOUR, began, firings=first.firings) == Outlook()


def test_nothing_that_was_due_before_the_rule_was_armed_fires() -> None:
    outlook = look(LADDER, START + 5 * HOUR, entered("Fixing", START), armed=START + 2 * HOUR + MINUTE)
    assert outcomes(outlook) == [(1, "before"), (2, "superseded"), (3, "fired")]


def test_a_word_of_the_party_whose_move_it_is_restarts_quiet() -> None:
    began, word = entered("Fixing", START), acted("developers", START + HOUR)
    assert look(LADDER, START + 2 * HOUR, began, word).next_due == START + 3 * HOUR


def test_a_requester_asking_for_news_does_not_restart_quiet() -> None:
    began, asked = entered("Fixing", START), acted("county", START + HOUR)
    assert outcomes(look(LADDER, START + 2 * HOUR, began, asked)) == [(1, "fired")]


def test_somebody_who_belongs_to_no_party_does_not_restart_quiet() -> None:
    assert outcomes(look(LADDER, START + 2 * HOUR, entered("Fixing", START), acted("", START + HOUR))) == [(1, "fired")]


def test_the_move_passing_to_another_party_restarts_quiet() -> None:
    story = entered("Validating", START), entered("Fixing", START + HOUR, 2)
    assert look(LADDER, START + 2 * HOUR, *story).next_due == START + 3 * HOUR


def test_a_word_that_was_noticed_after_the_move_had_passed_on_does_not_hide_the_passing() -> None:
    """Both came in with one pass: the comment was recorded with the stage of the moment it was noticed in."""
    story = (
        entered("Validating", START),
        acted("county", START + HOUR, "Fixing"),
        entered("Fixing", START + 90 * MINUTE, 2),
    )
    assert look(LADDER, START + 3 * HOUR, *story).firings == ()
    assert outcomes(look(LADDER, START + 210 * MINUTE, *story)) == [(1, "fired")]


def test_a_new_stall_is_a_new_episode_and_fires_again() -> None:
    began, word = entered("Fixing", START), acted("developers", START + 3 * HOUR)
    first = look(LADDER, START + 2 * HOUR, began)
    assert outcomes(look(LADDER, START + 5 * HOUR, began, word, firings=first.firings)) == [(1, "fired")]


def test_a_paused_stage_stops_the_clock_and_leaving_it_starts_a_new_one() -> None:
    story = entered("Fixing", START), entered("Waiting", START + HOUR, 2)
    assert look(LADDER, START + 9 * HOUR, *story) == Outlook()
    back = entered("Fixing", START + 9 * HOUR, 3)
    assert look(LADDER, START + 10 * HOUR, *story, back).next_due == START + 11 * HOUR


def test_leaving_a_pause_starts_a_new_clock_even_where_the_move_stays() -> None:
    stages = tuple(replace(s, move="developers") if s.paused else s for s in STAGES.stages)
    house = replace(LADDER, stages=StageMap(stages))
    pause = replace(entered("Waiting", START + HOUR, 2), move="developers")
    assert look(house, START + 9 * HOUR, entered("Fixing", START), pause, entered("Fixing", START + 8 * HOUR, 3)) == (
        Outlook(next_due=START + 10 * HOUR)
    )


def test_a_terminal_stage_ends_every_episode() -> None:
    assert look(LADDER, START + 9 * DAY, entered("Fixing", START), entered("Closed", START + HOUR, 2)) == Outlook()


def test_a_rule_whose_condition_does_not_hold_is_silent() -> None:
    house = setup(rules=(quiet(when=condition('stage == "Validating"')),))
    assert look(house, START + DAY, entered("Fixing", START)) == Outlook()


def test_a_rule_stands_in_the_calendar_of_the_party_whose_move_it_is() -> None:
    parties = tuple(replace(p, calendar=OFFICE) if p.name == "developers" else p for p in PARTIES)
    house = setup(rules=(quiet(of=Span(1)),), parties=parties)
    assert calendar_of(house, "developers") is OFFICE and calendar_of(house, "operations") is house.calendar
    assert look(house, START, entered("Fixing", START + HOUR)).next_due == START + DAY + HOUR
    own = setup(rules=(quiet(of=Span(1), calendar=Calendar.always("UTC")),), parties=parties)
    assert look(own, START, entered("Fixing", START + 12 * HOUR)).next_due == START + 36 * HOUR


def over(span: Span | None = None, *after: Span | None) -> Setup:
    return setup(rules=(rule(over=True, over_span=span, after=(None, *after)),))


def test_over_is_the_stages_own_target_unless_the_rule_names_one() -> None:
    assert look(over(), START, entered("Fixing", START)).next_due == START + 2 * DAY
    assert look(over(Span(seconds=600)), START, entered("Fixing", START)).next_due == START + 10 * MINUTE
    assert look(over(), START + DAY, entered("Waiting", START)) == Outlook()


def test_the_visits_of_a_stage_add_up_and_other_stages_do_not() -> None:
    story = entered("Fixing", START), entered("Waiting", START + DAY, 2), entered("Fixing", START + 9 * DAY, 3)
    assert look(over(), START + 9 * DAY, *story).next_due == START + 10 * DAY


def test_what_comes_after_a_target_adds_up_over_visits_too() -> None:
    story = entered("Fixing", START), entered("Waiting", START + 49 * HOUR, 2), entered("Fixing", START + 9 * DAY, 3)
    fired = Firing("quiet", "over:Fixing:0", 1, START + 2 * DAY)
    outlook = look(over(None, Span(seconds=7200)), START + 9 * DAY, *story, firings=[fired])
    assert outlook == Outlook(next_due=START + 9 * DAY + HOUR)


def test_a_word_does_not_restart_over() -> None:
    story = entered("Fixing", START), acted("developers", START + DAY)
    assert look(over(), START + DAY, *story).next_due == START + 2 * DAY


def test_a_target_starts_again_on_reopening() -> None:
    story = (
        entered("Fixing", START),
        entered("Closed", START + DAY, 2),
        entered("Fixing", START + 3 * DAY, 3, reopened=True),
    )
    outlook = look(over(), START + 3 * DAY, *story)
    assert outlook.next_due == START + 5 * DAY


def test_a_target_that_was_used_up_is_not_told_twice_and_a_reopening_is_a_new_episode() -> None:
    first = look(over(), START + 2 * DAY, entered("Fixing", START))
    assert outcomes(first) == [(1, "fired")]
    again = entered("Fixing", START), entered("Waiting", START + 3 * DAY, 2), entered("Fixing", START + 4 * DAY, 3)
    assert look(over(), START + 9 * DAY, *again, firings=first.firings).firings == ()
    closed = entered("Closed", START + 5 * DAY, 4), entered("Fixing", START + 6 * DAY, 5, reopened=True)
    assert outcomes(look(over(), START + 8 * DAY, *again, *closed, firings=first.firings)) == [(1, "fired")]


def test_a_target_never_fires_a_fraction_of_a_second_early() -> None:
    half = timedelta(milliseconds=300)
    story = entered("Fixing", START + half), entered("Waiting", START + DAY, 2), entered("Fixing", START + 9 * DAY, 3)
    due = look(over(), START + 9 * DAY, *story).next_due
    assert due is not None and due >= START + 10 * DAY + half


# ── The reference: one minute after another ──────────────────────────────────────────────────────────────────────


@dataclass
class Watch:
    """Lives through a timeline minute by minute. ``due`` is when each step came due, by episode."""

    house: Setup
    rule: Rule

    def live(self, story: Sequence[Movement], until: datetime) -> dict[tuple[str, int], datetime]:
        due: dict[tuple[str, int], datetime] = {}
        waits: dict[str, list[int]] = {}
        stage, episode, reopenings = "", "", 0
        at, todo = story[0].at, list(story)
        while at <= until:
            while todo and todo[0].at == at:
                event, left = todo.pop(0), stage
                if event.kind == "stage":
                    reopenings += event.event.startswith("reopened:")
                    stage = event.stage
                if self.restarts(event, left, stage):
                    episode = event.event
            if self.rule.over:
                episode = f"over:{stage}:{reopenings}"
            calendar = self.rule.calendar or calendar_of(self.house, MOVE[stage])
            if not (STAGES.get(stage).paused or STAGES.get(stage).terminal):
                self.tick(waits.setdefault(episode, self.spans()), calendar, at, episode, due)
            at += MINUTE
        return due

    def tick(
        self, waits: list[int], calendar: Calendar, at: datetime, episode: str, due: dict[tuple[str, int], datetime]
    ) -> None:
        """One minute of one episode: the first step that still waits waits one less, those before it are due."""
        awake = calendar.is_open(at)
        for step, left in enumerate(waits, 1):
            if left and awake:
                waits[step - 1] -= 1
            if left:
                return
            if awake or calendar.is_open(at - MINUTE):  # an instant that falls on a closing stays there
                due.setdefault((episode, step), at)

    def restarts(self, event: Movement, before: str, stage: str) -> bool:
        if self.rule.over:
            return False
        if event.kind == "stage" and (not before or MOVE[before] != MOVE[stage] or STAGES.get(before).paused):
            return True
        whose = MOVE[before] if event.kind == "stage" else MOVE[stage]
        return bool(event.party) and event.party == whose

    def spans(self) -> list[int]:
        first = self.rule.quiet or self.rule.over_span
        assert first is not None
        return [first.seconds // 60, *((s.after.seconds // 60) if s.after else 0 for s in self.rule.steps[1:])]


CALENDARS = st.sampled_from(
    [
        Calendar.always("UTC"),
        OFFICE,
        Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="22:00-06:00"),
        Calendar.of(zone="Europe/London", days="Sat-Sun", hours="00:30-02:30"),
    ]
)
#: a quiet week, and two in which clocks are put forward or back
WEEKS = st.sampled_from([START, datetime(2026, 3, 7, 20, 0, tzinfo=UTC), datetime(2026, 10, 31, 20, 0, tzinfo=UTC)])
SPANS = st.integers(0, 900).map(lambda minutes: Span(seconds=minutes * 60))
EVENTS = st.tuples(
    st.integers(1, 700),
    st.sampled_from(["Validating", "Fixing", "Validating", "Fixing", "Waiting", "Closed", "comment", "assignment"]),
    st.sampled_from(["", "operations", "developers", "county"]),
)


def timeline(start: datetime, events: Sequence[tuple[int, str, str]]) -> list[Movement]:
    story = [entered("Validating", start)]
    stage, at, serial = "Validating", start, 1
    for gap, what, party in events:
        at += gap * MINUTE
        if what in ("comment", "assignment"):
            story.append(acted(party, at, stage, what, len(story)))
        elif what != stage:
            serial += 1
            story.append(entered(what, at, serial, party, reopened=stage == "Closed"))
            stage = what
    return story


@settings(max_examples=250, deadline=None)
@given(st.data(), WEEKS, CALENDARS, st.lists(EVENTS, max_size=8), SPANS, st.lists(SPANS, max_size=2), st.booleans())
def test_none_comes_early_none_is_missed_and_none_comes_twice(
    data: st.DataObject,
    start: datetime,
    calendar: Calendar,
    events: list[tuple[int, str, str]],
    first: Span,
    after: list[Span],
    is_over: bool,
) -> None:
    """A pass at every event and at every instant that the pass before named, against the reference."""
    assume(first.seconds)
    said: dict[str, Any] = {"over": True, "over_span": first} if is_over else {"quiet": first}
    ruled = rule(after=(None, *after), calendar=calendar, **said)
    house = setup(rules=(ruled,))
    story = timeline(start, events)
    until = story[-1].at + data.draw(st.integers(0, 3000)) * MINUTE
    wanted = Watch(house, ruled).live(story, until)
    got: dict[tuple[str, int], datetime] = {}
    firings: list[Firing] = []
    now = start
    for _ in range(500):
        heard = [m for m in story if m.at <= now]
        outlook = escalate(house, {}, heard, firings, {ruled.id: start - DAY}, now)
        for firing in outlook.firings:
            assert (firing.episode, firing.step) not in got
            assert firing.outcome in ("fired", "superseded")
            got[firing.episode, firing.step] = now
        firings += outlook.firings
        coming = [m for m in story if m.at > now]
        instants = [*(m.at for m in coming[:1]), *([outlook.next_due] if outlook.next_due else [])]
        if not instants or min(instants) > until:
            break
        now = min(instants)
    assert got == wanted


@settings(max_examples=250, deadline=None)
@given(
    WEEKS, CALENDARS, st.lists(EVENTS, max_size=8), SPANS, st.lists(SPANS, min_size=1, max_size=3), st.integers(0, 9000)
)
def test_after_downtime_one_step_of_the_present_episode_fires_and_the_rest_is_recorded(
    start: datetime, calendar: Calendar, events: list[tuple[int, str, str]], first: Span, after: list[Span], down: int
) -> None:
    assume(first.seconds)
    ruled = rule(quiet=first, after=(None, *after), calendar=calendar)
    house = setup(rules=(ruled,))
    story = timeline(start, events)
    now = story[-1].at + down * MINUTE
    outlook = escalate(house, {}, story, (), {ruled.id: start - DAY}, now)
    wanted = Watch(house, ruled).live(story, now)
    stalled = [f.step for f in outlook.firings]
    assert stalled == list(range(1, len(stalled) + 1))
    assert [f.outcome for f in outlook.firings] == (["superseded"] * (len(stalled) - 1) + ["fired"] if stalled else [])
    assert {(f.episode, f.step) for f in outlook.firings} <= set(wanted)
    late = escalate(house, {}, story, outlook.firings, {ruled.id: start - DAY}, now)
    assert late.firings == ()


@settings(max_examples=250, deadline=None)
@given(WEEKS, st.lists(EVENTS, max_size=6), SPANS, st.integers(0, 5000), st.integers(0, 5000))
def test_whatever_was_due_before_the_rule_was_armed_never_fires(
    start: datetime, events: list[tuple[int, str, str]], first: Span, armed: int, later: int
) -> None:
    ruled = rule(quiet=first, after=(None, Span(seconds=60), Span(seconds=3600)))
    house = setup(rules=(ruled,))
    story = timeline(start, events)
    outlook = escalate(house, {}, story, (), {ruled.id: start + armed * MINUTE}, story[-1].at + later * MINUTE)
    assert all(due.at >= start + armed * MINUTE for due in outlook.fired)
