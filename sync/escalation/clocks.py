"""The clocks of a link's rules: what started them, what stopped them, when their steps are due. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from mappings.calendar import Calendar, Span
from sync.setup import Rule, Setup
from sync.state import Movement


@dataclass(frozen=True, slots=True)
class Due:
    """A step and the instant it is or was due, in the episode that the event named."""

    rule: Rule
    step: int
    episode: str
    at: datetime


def rungs(rule: Rule, episode: str, calendar: Calendar, since: datetime, first: Span | None) -> Iterator[Due]:
    """The steps of a clock that ran since an instant, each counted from the one before; the first after ``first``, or
    at once."""
    due = calendar.add(since, first) if first is not None else since
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
        if passed or (movement.kind in ACTS and movement.party and movement.party == standing.move):
            start = movement
    return start


#: what people do that moves the work
ACTS = ("stage", "comment", "assignment")


def over_since(movements: Sequence[Movement], calendar: Calendar) -> tuple[str, datetime, timedelta]:
    """The episode of the present stage, when its present visit began, and the business time that earlier visits took.
    Visits since the last reopening add up; the episode is named by the stage and how often the link was reopened."""
    visits = since_reopening(movements)
    current = visits[-1]
    spent = timedelta(0)
    for entry, following in pairwise(visits):
        if entry.stage == current.stage:
            spent += calendar.elapsed(entry.at, following.at)
    reopenings = sum(m.kind == "stage" and m.event.startswith("reopened:") for m in movements)
    return f"over:{current.stage}:{reopenings}", current.at, spent


def since_reopening(movements: Sequence[Movement]) -> Sequence[Movement]:
    """The entries of stages since the link was last reopened."""
    entries = [m for m in movements if m.kind == "stage"] or list(movements[:1])
    reopenings = [place for place, m in enumerate(entries) if m.event.startswith("reopened:")]
    return entries[reopenings[-1] :] if reopenings else entries


def stays(visits: Sequence[Movement]) -> Sequence[tuple[datetime, datetime | None]]:
    """When the link stood in the last of these stages, over all its visits: from, to (``None``: it stands there)."""
    ends = [entry.at for entry in visits[1:]]
    pairs = zip(visits, [*ends, None], strict=True)
    return [(entry.at, end) for entry, end in pairs if entry.stage == visits[-1].stage]


def resumed(calendar: Calendar, since: datetime, due: datetime, spent: timedelta) -> datetime:
    """When a clock that would run from ``since`` to ``due`` ends if part of it was spent before: at once where all of
    it was."""
    left = max(timedelta(0), calendar.elapsed(since, due) - spent)
    return calendar.add(since, Span(seconds=ceil(left.total_seconds())))


def around_pauses(
    setup: Setup, calendar: Calendar, event: Movement, movements: Sequence[Movement], dues: Iterator[Due]
) -> Iterator[Due]:
    """The steps of a clock that an event started, put off by the pauses since. Of those that a pause holds back now
    nobody knows when they are due: they are left out. A step due at once waits for no clock."""
    running = tuple(stretches(setup, event, movements))
    for due in dues:
        needed = calendar.elapsed(event.at, due.at)
        if due.at == event.at or running == ((event.at, None),):
            yield due
        elif (at := within(calendar, running, needed)) is not None:
            yield replace(due, at=at)


def stretches(
    setup: Setup, event: Movement, movements: Sequence[Movement]
) -> Iterator[tuple[datetime, datetime | None]]:
    """When the clocks of the link ran since the event: from, to (``None``: they run on)."""
    began: datetime | None = None if setup.stages.get(standing_at(movements, event).stage).paused else event.at
    for movement in after(movements, event):
        if movement.kind != "stage":
            continue
        paused = setup.stages.get(movement.stage).paused
        if paused and began is not None:
            yield began, movement.at
        began = None if paused else began or movement.at
    if began is not None:
        yield began, None


def within(
    calendar: Calendar, running: Sequence[tuple[datetime, datetime | None]], needed: timedelta
) -> datetime | None:
    """When so much business time has passed in stretches of time; ``None`` while the last one does not hold it."""
    for begin, end in running:
        passed = calendar.elapsed(begin, end) if end is not None else needed
        if needed <= passed:
            return calendar.add(begin, Span(seconds=ceil(needed.total_seconds())))
        needed -= passed
    return None


def standing_at(movements: Sequence[Movement], event: Movement) -> Movement:
    """The entry of the stage that the link stood in when something happened, the event itself where it is one."""
    entry = movements[0]
    for movement in movements:
        entry = movement if movement.kind == "stage" else entry
        if movement.event == event.event:
            break
    return entry


def after(movements: Sequence[Movement], event: Movement) -> Sequence[Movement]:
    """What happened since an event, in order. What was said in the same comment is no answer to it."""
    place = next(place for place, movement in enumerate(movements) if movement.event == event.event)
    return [m for m in movements[place + 1 :] if m.kind != "word" or m.at > event.at]


def calendar_of(setup: Setup, party: str) -> Calendar:
    """The calendar of the party whose move it is, or the bot's own."""
    found = next((p for p in setup.parties if p.name == party), None)
    return found.calendar if found and found.calendar else setup.calendar
