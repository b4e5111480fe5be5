"""The incident log: real ServiceNow incidents as rows of an audit, read in the order in which things happened.

Source: Amaral, Fantinato & Peres (2018), Incident management process enriched event log, UCI, CC BY 4.0. Its times
are ``D/M/YYYY HH:MM`` without a zone (read as UTC); "?" is missing. ``closed_code``, ``resolved_by``, ``resolved_at``,
``closed_at`` and ``made_sla`` show their final values on every row, so that a row says nothing of them but at the end.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

#: how long a window is: a pass follows each one that holds any change
SPAN = timedelta(minutes=5)
#: columns that are known only once an incident is over
LATE = ("closed_code", "resolved_by", "resolved_at", "closed_at", "made_sla")


@dataclass(frozen=True, slots=True)
class Event:
    """One row: what an incident looked like after one update. ``values`` holds what is not missing and not ``LATE``;
    ``code`` is the resolution code, on an incident's very last row only."""

    number: str
    at: datetime
    count: int
    by: str
    state: str
    values: Mapping[str, str]
    code: str = ""


def read_log(path: str | Path) -> list[Event]:
    """Every row of a log (CSV, plain or gzipped), in order."""
    opened = gzip.open if str(path).endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return events_of(csv.DictReader(file))


def events_of(rows: Iterable[Mapping[str, str]]) -> list[Event]:
    """Rows as events, by time and then by the count of updates."""
    events = [event_of(row) for row in rows]
    last = {number: max(e.count for e in some) for number, some in by_number(events).items()}
    ordered = sorted(events, key=lambda e: (e.at, e.count, e.number))
    return [event if event.count == last[event.number] else without_code(event) for event in ordered]


def event_of(row: Mapping[str, str]) -> Event:
    known = {name: " ".join(value.split()) for name, value in row.items() if value != "?"}
    values = {name: value for name, value in known.items() if name not in LATE}
    return Event(
        row["number"],
        datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M").replace(tzinfo=UTC),
        int(row["sys_mod_count"]),
        known.get("sys_updated_by", "System"),
        row["incident_state"],
        values,
        known.get("closed_code", ""),
    )


def without_code(event: Event) -> Event:
    return Event(event.number, event.at, event.count, event.by, event.state, event.values)


def by_number(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events of each incident, in order."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.number, []).append(event)
    return found


def sample(events: Sequence[Event], limit: int, seed: int = 0) -> list[Event]:
    """The events of the first ``limit`` incidents of a seeded sample (0: all). The rare ones stand first in it, so
    that a short run meets them too: an unmapped state, a closed incident that is active again, no resolution code."""
    incidents = by_number(events)
    if not limit or limit >= len(incidents):
        return list(events)
    order = sorted(incidents)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda number: not rare(incidents[number]))
    chosen = set(order[:limit])
    return [event for event in events if event.number in chosen]


def rare(events: Sequence[Event]) -> bool:
    states = [event.state for event in events]
    again = any(pair == ("Closed", "Active") for pair in pairwise(states))
    return again or "-100" in states or not events[-1].code


def windows_of(events: Sequence[Event], first: datetime) -> Iterator[tuple[int, list[Event]]]:
    """Each five minutes that hold an event, counted from ``first`` (the log's first change)."""
    at: int | None = None
    held: list[Event] = []
    for event in events:
        number = (event.at - first) // SPAN
        if at is not None and number != at:
            yield at, held
            held = []
        at = number
        held.append(event)
    if at is not None:
        yield at, held
