"""Incidents and problems: how many came, were resolved, closed and triaged, week by week; where they stand and how old
they are; how they were resolved and what they were about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sync.report.asked import StatusReport
from sync.report.item import Item
from sync.report.period import Period
from sync.report.table import Cell, Table, tally
from sync.report.words import counted, sentence, short

#: name, least and most days; from 30 on the name's lower bound is excluded
BUCKETS = (
    ("(empty)", 0, 0),
    ("1-5 Days", 1, 5),
    ("6-10 Days", 6, 10),
    ("11-15 Days", 11, 15),
    ("16-30 Days", 16, 30),
    ("30-60 Days", 31, 60),
    ("60-180 Days", 61, 180),
    (">180 Days", 181, 1_000_000),
)
#: printed only where there is something in it
SPARE = "6-10 Days"
EXCLUDED = 'The metrics do not include "{}".'


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to records of one kind in the period: those concerned, each with when."""

    what: str
    at: tuple[datetime, ...]


def happenings(items: Sequence[Item], seen: Sequence[Item], period: Period) -> dict[str, Happened]:
    """``seen`` are those whose triage counts: the team's own, and those it handed on."""
    times: dict[str, list[datetime | None]] = {
        "created": [item.opened for item in items],
        "resolved": [item.resolved for item in items],
        "closed": [item.closed for item in items],
        "triaged": [item.triaged for item in seen],
    }
    return {what: Happened(what, tuple(at for at in when if at and period.holds(at))) for what, when in times.items()}


def overview(kind: str, noun: str, done: dict[str, Happened], asked: StatusReport, period: Period) -> tuple[str, ...]:
    """The sentences on what happened, one each."""
    team = asked.team
    span = "in the reporting period" if period.called == "reporting" else f"in the {period.called} reporting period"
    told = []
    for what, happened in done.items():
        number = counted(len(happened.at), noun)
        if what == "created" and kind == "Incidents":
            were = "was" if len(happened.at) == 1 else "were"
            told.append(f"{sentence(number)} {were} created {span} for the {team}.")
        elif what == "triaged":
            told.append(f"The {team} has triaged {number} {span}.")
        else:
            told.append(f"The {team} {what} {number} {span}.")
    return tuple(told)


def summary(kind: str, done: dict[str, Happened]) -> Table:
    """What happened, in numbers."""
    rows = tuple((f"{kind} {what}", len(happened.at)) for what, happened in done.items())
    return Table(f"{kind.lower()}-in-period", f"{kind} in the period", ("", "Total"), rows)


def weekly(kind: str, happened: Happened, asked: StatusReport, period: Period) -> Table:
    """Week by week; a week in which nothing happened is left out."""
    weeks = Counter(period.week_of(at, asked.week) for at in happened.at)
    rows = tuple((short(week), weeks[week]) for week in sorted(weeks))
    title = f"{kind} {happened.what} by week"
    empty = f"No {kind.lower()} were {happened.what} in the period."
    id = f"{kind.lower()}-{happened.what}-by-week"
    return Table(id, title, ("Week of", kind), rows, "bars", empty=empty)


def notes_on(asked: StatusReport, name: str) -> tuple[str, ...]:
    """The file's own note, and the queues that it leaves out."""
    population = asked.populations[name]
    queues = [value for _, values in population.excluded for value in values]
    told = EXCLUDED.format('", "'.join(queues)) if queues else ""
    return tuple(filter(None, (population.note, told)))


def age(item: Item, today: date, period: Period) -> int:
    """In days on the calendar, up to the end of the period; what is closed has aged to its closing."""
    end = period.day(item.closed) if item.counts == "closed" and item.closed else today
    return max((end - period.day(item.opened)).days, 0)


def by_state_and_age(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """How many stand in each state, by age."""
    spread = Counter((item.name, bucket(age(item, period.today, period))) for item in items if item.status)
    shown = [name for name, _, _ in BUCKETS if name != SPARE or any(at == SPARE for _, at in spread)]
    rows: list[tuple[Cell, ...]] = [
        (status.name, *(spread[status.name, name] for name in shown), sum(spread[status.name, name] for name in shown))
        for status in asked.statuses("incidents")
    ]
    rows += [tally(rows, "Count")] if rows else []
    return Table(
        "incidents-by-state-and-age",
        "Incidents by state and age",
        ("State", *shown, "Count"),
        tuple(rows),
        strong=frozenset([len(rows) - 1]),
        notes=unlisted(items),
    )


def bucket(days: int) -> str:
    return next(name for name, least, most in BUCKETS if least <= days <= most)


def unlisted(items: Iterable[Item]) -> tuple[str, ...]:
    """States of which the file says nothing, so that nobody misses their records unawares."""
    odd = Counter(item.state for item in items if item.status is None)
    if not odd:
        return ()
    told = ", ".join(f"{state} ({count})" for state, count in sorted(odd.items()))
    return (f"Not counted, because the file lists their state nowhere: {told}.",)


def meanings(asked: StatusReport) -> Table:
    """What the states mean."""
    rows = tuple((status.name, status.means) for status in asked.statuses("incidents") if status.means)
    return Table("incident-states", 'Aging "State" definitions', ("State", "Meaning"), rows)


def by_resolution(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """Incidents resolved since the file's day, by how."""
    since = period.instant(asked.since)
    found = Counter(item.text("resolution") for item in items if item.resolved and item.resolved >= since)
    note = f"Incidents resolved since {short(asked.since)}."
    return shares("incidents-by-resolution", "Incidents by resolution code", "Resolution code", found, note)


def by_category(items: Sequence[Item], asked: StatusReport, period: Period) -> Table:
    """Incidents created since the file's day, by what they are about; the file's small categories together."""
    since = period.instant(asked.since)
    named = [item.text("category") for item in items if item.opened >= since]
    found = Counter("Other" if name in asked.other else name for name in named)
    note = f"Incidents created since {short(asked.since)}."
    if asked.other:
        note += f' "Other" covers {", ".join(asked.other)}.'
    return shares("incidents-by-category", "Incidents created by category", "Category", found, note)


def shares(id: str, title: str, column: str, found: Counter[str], note: str) -> Table:
    """The largest first."""
    rows = tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
    return Table(id, title, (column, "Incidents"), rows, "pie", notes=(note,))
