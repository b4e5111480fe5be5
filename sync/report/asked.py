"""What the admin's file asks of a status report: which records, what their states count as, releases and windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from mappings.model import Scope


@dataclass(frozen=True, slots=True)
class Status:
    """A row of the report: its name, the states it stands for (``On Hold`` stands for each of its hold reasons too),
    what it counts as (new, open, resolved or closed) and what it means to the reader."""

    name: str
    states: tuple[str, ...]
    counts: str = "open"
    means: str = ""

    def covers(self, state: str) -> bool:
        return state in self.states or state.partition(":")[0] in self.states


@dataclass(frozen=True, slots=True)
class Population:
    """The records a part of the report is about: in ``scope`` of ``side``'s tracker, less those whose native field
    holds a value that is ``excluded``. ``fields`` are the declared fields by the part they play in the report
    (``opened``, ``closed``, ``severity`` ...). ``note`` stands below what counts them."""

    name: str
    side: str
    tracker: str
    scope: Scope
    statuses: tuple[Status, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""

    def status(self, state: str) -> Status | None:
        """The first row that the state belongs to; ``None`` where the file lists it nowhere."""
        return next((status for status in self.statuses if status.covers(state)), None)


@dataclass(frozen=True, slots=True)
class Release:
    """A release and its day. ``areas``: its summary speaks of these alone; ``status`` is the line on its
    development."""

    name: str
    day: date
    kind: str = ""
    areas: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window of maintenance on the wall clock of the report's zone. ``outage``: it was a planned outage."""

    start: datetime
    end: datetime
    text: str
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """From how many on a topic of the dashboard is yellow, and red; 0: never."""

    yellow: int = 0
    red: int = 0

    def colour(self, count: int) -> str:
        if self.red and count >= self.red:
            return "Red"
        return "Yellow" if self.yellow and count >= self.yellow else "Green"


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The whole of [status_report]. Populations by name: ``incidents``, ``triage``, ``problems``, ``defects``,
    ``enhancements``, ``requests``, ``follow_ups``; those the file leaves out have no part in the report. ``since`` is
    where the counts over all time begin, ``week`` the day a week starts on (Monday 0)."""

    title: str
    product: str
    team: str
    since: date
    zone: str
    week: int = 0
    populations: Mapping[str, Population] = field(default_factory=dict)
    other: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    months: int = 12
    requests: str = "Requests for research"
    kinds: tuple[str, ...] = ()
    releases: tuple[Release, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)

    def statuses(self, name: str) -> tuple[Status, ...]:
        population = self.populations.get(name)
        return population.statuses if population else ()
