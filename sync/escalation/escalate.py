"""Escalation: which steps of which rules are due. A pure function of recorded history; nothing here reads a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from mappings.calendar import Calendar, Span
from mappings.fields import Common
from sync.setup import Rule, Setup
from sync.state import Firing, Movement


@dataclass(frozen=True, slots=True)
class Due:
    """A step and the instant it is or was due, in the episode that the event named."""

    rule: Rule
    step: int
    episode: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """What escalation says now: firings to record (the highest due step of each rule fires, those below are
    superseded), and the next instant at which anything can become due."""

    firings: tuple[Firing, ...] = ()
    fired: tuple[Due, ...] = ()
    next_due: datetime | None = None


def escalate(
    setup: Setup,
    values: Mapping[str, Common],
    movements: Sequence[Movement],
    firings: Sequence[Firing],
    armed: Mapping[str, datetime],
    now: datetime,
) -> Outlook:
    """Looks at every rule whose condition holds. Instants before a rule's ``armed`` never fire: a new rule, a rebuilt
    state and a first contact start afresh."""
    recorded: list[Firing] = []
    fired: list[Due] = []
    upcoming: list[datetime] = []
    if not movements:
        return Outlook()
    for rule in setup.rules:
        if rule.when is not None and not rule.when.holds(values):
            continue
        done = {(f.episode, f.step) for f in firings if f.rule == rule.id}
        steps = [d for d in ladder(rule, setup, movements) if (d.episode, d.step) not in done]
        upcoming += [d.at for d in steps if d.at > now][:1]
        past = [d for d in steps if d.at <= now]
        stale = [d for d in past if d.at < armed[rule.id]]
        live = [d for d in past if d.at >= armed[rule.id]]
        recorded += [Firing(rule.id, d.episode, d.step, now, "before") for d in stale]
        recorded += [Firing(rule.id, d.episode, d.step, now, "superseded") for d in live[:-1]]
        recorded += [Firing(rule.id, d.episode, d.step, now) for d in live[-1:]]
        fired += live[-1:]
    return Outlook(tuple(recorded), tuple(fired), min(upcoming, default=None))


def ladder(rule: Rule, setup: Setup, movements: Sequence[Movement]) -> Iterator[Due]:
    """Every step of the rule's present episode with its due instant, lowest first; none while the stage pauses the
    clocks or ends the work."""
    latest = movements[-1]
    stage = setup.stages.get(latest.stage) if latest.stage else None
    if stage is None or stage.paused or stage.terminal:
        return
    calendar = rule.calendar or calendar_of(setup, latest.move)
    if rule.quiet is not None:
        event = quiet_since(setup, movements)
        yield from rungs(rule, event.event, calendar, event.at, rule.quiet)
    elif target := rule.over_span or stage.target:
        episode, since, spent = over_since(movements, calendar)
        for due in rungs(rule, episode, calendar, since, target):
            yield replace(due, at=resumed(calendar, since, due.at, spent))


def rungs(rule: Rule, episode: str, calendar: Calendar, since: datetime, first: Span) -> Iterator[Due]:
    """The steps of a clock that ran since an instant, each counted from the one before."""
    due = calendar.add(since, first)
    for number, step in enumerate(rule.steps, 1):
        due = calendar.add(due, step.after) if step.after is not None else due
        yield Due(rule, number, episode, due)


def quiet_since(setup: Setup, movements: Sequence[Movement]) -> Movement:
    """The event that started the quiet clock: the move passing to another party, or a comment, stage change or
    assignment by the party whose move it is. Time in a paused stage does not count: leaving one restarts it. Whose
    move it was when somebody acted is told by the stages before, for what is noticed late is recorded late."""
    start = standing = movements[0]
    for movement in movements[1:]:
        passed = False
        if movement.kind == "stage":
            passed = movement.move != standing.move or setup.stages.get(standing.stage).paused
            standing = movement
        if passed or (movement.party and movement.party == standing.move):
            start = movement
    return start


def over_since(movements: Sequence[Movement], calendar: Calendar) -> tuple[str, datetime, timedelta]:
    """The episode of the present stage, when its present visit began, and the business time that earlier visits took.
    Visits since the last reopening add up; the episode is named by the stage and how often the link was reopened."""
    entries = [m for m in movements if m.kind == "stage"] or list(movements[:1])
    reopenings = [place for place, m in enumerate(entries) if m.event.startswith("reopened:")]
    visits = entries[reopenings[-1] :] if reopenings else entries
    current = visits[-1]
    spent = timedelta(0)
    for entry, following in pairwise(visits):
        if entry.stage == current.stage:
            spent += calendar.elapsed(entry.at, following.at)
    return f"over:{current.stage}:{len(reopenings)}", current.at, spent


def resumed(calendar: Calendar, since: datetime, due: datetime, spent: timedelta) -> datetime:
    """When a clock that would run from ``since`` to ``due`` ends if part of it was spent before: at once where all of
    it was."""
    left = max(timedelta(0), calendar.elapsed(since, due) - spent)
    return calendar.add(since, Span(seconds=ceil(left.total_seconds())))


def calendar_of(setup: Setup, party: str) -> Calendar:
    """The calendar of the party whose move it is, or the bot's own."""
    found = next((p for p in setup.parties if p.name == party), None)
    return found.calendar if found and found.calendar else setup.calendar
