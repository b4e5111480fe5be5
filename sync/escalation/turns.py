"""Whose move it was, and for how long: business time by party, each in its own calendar. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.escalation.clocks import calendar_of
from sync.escalation.visits import order
from sync.setup import Setup
from sync.state import Movement

#: the move of a stage that names no party
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in which a link stood in one stage. ``party`` had the move; ``paused``: no clock ran."""

    stage: str
    party: str
    start: datetime
    end: datetime
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """How long it was whose move, as each party's calendar counts it; ``paused`` apart, as that party's counts it."""

    parties: dict[str, timedelta] = field(default_factory=dict)
    paused: timedelta = timedelta(0)

    @property
    def total(self) -> timedelta:
        """The link's open business time."""
        return sum(self.parties.values(), timedelta(0))

    def plus(self, other: Turns) -> Turns:
        """Both together."""
        names = dict.fromkeys((*self.parties, *other.parties))
        zero = timedelta(0)
        both = {name: self.parties.get(name, zero) + other.parties.get(name, zero) for name in names}
        return Turns(both, self.paused + other.paused)


def turns(setup: Setup, movements: Sequence[Movement], start: datetime, end: datetime) -> Turns:
    """Whose move it was from ``start`` to ``end``, as far as the link was open then."""
    found = Turns()
    for one in within(stretches(setup, movements, end), start, end):
        spent = calendar_of(setup, one.party).elapsed(one.start, one.end)
        found = found.plus(Turns({}, spent) if one.paused else Turns({one.party or NOBODY: spent}))
    return found


def stretches(setup: Setup, movements: Iterable[Movement], now: datetime) -> Iterator[Stretch]:
    """The stages that a link stood in up to ``now``, in their order; none for the time in which its work was over.
    Trackers' clocks may disagree: a stage that was agreed on later never began earlier."""
    entries = sorted((m for m in movements if m.kind == "stage"), key=lambda m: order(m.event))
    begun: list[tuple[Movement, datetime]] = []
    for entry in entries:
        begun.append((entry, max(entry.at, begun[-1][1]) if begun else entry.at))
    ends = [later for _, later in begun[1:]] + [now]
    for (entry, at), end in zip(begun, ends, strict=True):
        stage = setup.stages.get(entry.stage)
        if not stage.terminal and at < end:
            yield Stretch(entry.stage, entry.move, at, end, stage.paused)


def within(some: Iterable[Stretch], start: datetime, end: datetime) -> Iterator[Stretch]:
    """What of the stretches lies in a period."""
    for one in some:
        first, last = max(one.start, start), min(one.end, end)
        if first < last:
            yield Stretch(one.stage, one.party, first, last, one.paused)


def hours(spent: timedelta) -> float:
    """Hours to two places."""
    return round(spent.total_seconds() / 3600, 2)
