"""The board: where the open work stands, with whom and for how long. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mappings.calendar import Calendar, Span, parse_span
from sync.escalation.clocks import calendar_of, over_since, resumed
from sync.escalation.move import current_last
from sync.escalation.turns import NOBODY
from sync.merging.status import STAGE
from sync.setup import Setup
from sync.state import LinkState

DAY = timedelta(days=1)
#: upper bounds, in business days, of the ages that links are grouped by
AGES = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one link stands. ``spent`` is the time in the stage over all its visits since the last reopening, as the
    calendar of the party counts it, ``day`` one day of that calendar; ``late`` is how far that is over the stage's
    target (``None``: not over, or none set). ``entered`` began the present visit, ``moved`` was the last movement.
    ``paused``: no clock runs."""

    link: LinkState
    stage: str
    party: str
    entered: datetime
    moved: datetime
    spent: timedelta
    day: timedelta
    late: timedelta | None
    paused: bool

    @property
    def held(self) -> int:
        return len(self.link.held)

    @property
    def days(self) -> float:
        """Business days in the stage."""
        return self.spent / self.day


@dataclass(frozen=True, slots=True)
class Row:
    """Links that stand alike, the worst of them first."""

    label: tuple[str, ...]
    links: tuple[Standing, ...]

    @property
    def over(self) -> int:
        return sum(one.late is not None for one in self.links)

    @property
    def held(self) -> int:
        return sum(one.held > 0 for one in self.links)

    @property
    def oldest(self) -> Standing:
        """The link that is longest in its stage, counted in full days of its calendar."""
        return max(self.links, key=lambda one: (one.spent / one.day, -one.entered.timestamp()))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a person wants to see: a party's move, a stage, what is over its target or longer in its stage than a
    span. Empty: all."""

    party: str = ""
    stage: str = ""
    target: bool = False
    span: Span | None = None

    @classmethod
    def of(cls, setup: Setup, party: str, stage: str, over: str) -> Narrowed:
        """From the words of the command line. Raises ``ValueError`` that says what there is."""
        parties = [one.move for one in setup.stages.stages if one.move]
        stages = [one.name for one in setup.stages.stages]
        stage = next((one.name for one in setup.stages.stages if one.id == stage), stage)
        return cls(
            chosen("party", party, parties),
            chosen("stage", stage, stages),
            over == "target",
            parse_span(over) if over not in ("", "target") else None,
        )

    def takes(self, one: Standing) -> bool:
        """Whether a link is among those that were asked for."""
        in_place = self.party in ("", one.party) and self.stage in ("", one.stage)
        long = self.span is None or one.spent > self.span.days * one.day + timedelta(seconds=self.span.seconds)
        return in_place and long and (not self.target or one.late is not None)


def chosen(what: str, said: str, there: Iterable[str]) -> str:
    """A name as the file spells it, whatever its case. Raises ``ValueError``."""
    names = list(dict.fromkeys(there))
    found = next((name for name in names if name.casefold() == said.casefold()), "")
    if said and not found:
        raise ValueError(
            f"there is no {what} {said!r}: " + (f"choose from {', '.join(names)}" if names else "none has a move")
        )
    return found


def standing(setup: Setup, link: LinkState, now: datetime) -> Standing:
    """Where a link stands at ``now``."""
    agreed = link.agreed.get(STAGE)
    stage = setup.stages.get(str(agreed.value)) if agreed and agreed.value else None
    party = stage.move if stage else ""
    calendar = calendar_of(setup, party)
    movements = current_last(sorted(link.movements, key=lambda m: m.at))
    opened = link.opened or now
    entered, before = opened, timedelta(0)
    if movements:
        _, entered, before = over_since(movements, calendar)
    paused = bool(stage and stage.paused)
    return Standing(
        link=link,
        stage=stage.name if stage else "",
        party=party,
        entered=entered,
        moved=max((m.at for m in movements), default=opened),
        spent=timedelta(0) if paused else before + calendar.elapsed(entered, now),
        day=day_of(calendar),
        late=late(calendar, entered, before, None if paused or not stage else stage.target, now),
        paused=paused,
    )


def late(calendar: Calendar, since: datetime, spent: timedelta, target: Span | None, now: datetime) -> timedelta | None:
    """How far the time in a stage is over its target, as the rule ``over`` counts it."""
    if target is None:
        return None
    due = resumed(calendar, since, calendar.add(since, target), spent)
    return calendar.elapsed(due, now) if now > due else None


def day_of(calendar: Calendar) -> timedelta:
    """One full opening of a calendar."""
    opens, closes = (timedelta(hours=t.hour, minutes=t.minute) for t in (calendar.opens, calendar.closes))
    return closes - opens if closes > opens else closes - opens + DAY


def worst_first(standings: Iterable[Standing]) -> list[Standing]:
    """What is over its target by the most, then what stood the longest; paused work last."""
    return sorted(standings, key=lambda s: (s.paused, s.late is None, -(s.late or s.spent) / s.day, s.entered))


def board(standings: Sequence[Standing], by: str) -> list[Row]:
    """The links grouped by ``party`` and stage, by ``stage`` and party, or by ``age``, the worst group first."""
    groups: Mapping[tuple[str, ...], list[Standing]] = defaultdict(list)
    for one in worst_first(standings):
        groups[label(one, by)].append(one)
    rows = [Row(name, tuple(links)) for name, links in groups.items()]
    if by == "age":
        return sorted(rows, key=lambda row: (row.oldest.paused, -row.oldest.days))
    firsts: dict[str, int] = {}
    for place, row in enumerate(sorted(rows, key=severity)):
        firsts.setdefault(row.label[0], place)
    return sorted(rows, key=lambda row: (firsts[row.label[0]], severity(row)))


def severity(row: Row) -> tuple[bool, int, float]:
    """The order of the rows: what is paused last, then the most over target, then the oldest first."""
    return row.oldest.paused, -row.over, -row.oldest.days


def label(one: Standing, by: str) -> tuple[str, ...]:
    party, stage = one.party or NOBODY, one.stage or "no stage"
    if by == "party":
        return party, stage
    return (stage, party) if by == "stage" else (age(one),)


def age(one: Standing) -> str:
    """The group of an age, in full days of the calendar."""
    if one.paused:
        return "paused"
    bounds = [bound for bound in AGES if one.days < bound]
    if not bounds:
        return f"{AGES[-1]} days and more"
    place = AGES.index(bounds[0])
    return f"{AGES[place - 1]} to {bounds[0]} days" if place else f"less than {bounds[0]} day"


def told(spent: timedelta, day: timedelta) -> str:
    """An amount of business time in days of its calendar, hours and minutes: the two largest."""
    days, rest = divmod(spent, day)
    hours, rest = divmod(rest, timedelta(hours=1))
    parts = [(days, "d"), (hours, "h"), (int(rest.total_seconds() // 60), "m")]
    first = next((place for place, (count, _) in enumerate(parts) if count), 2)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2] if count) or "0m"
