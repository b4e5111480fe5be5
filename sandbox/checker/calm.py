"""Which passes were sure to see everything, and what was asked inside a rest: told from the request log."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property

from sandbox.checker.evidence import OVER_QUOTA, Evidence, Finding
from sandbox.replay.acts import TRACKERS
from sandbox.replay.course import Passed
from sandbox.replay.play import is_read
from sandbox.server import Entry

#: how long until a lost answer, a rest or a late index can no longer matter
SETTLES = timedelta(minutes=18)
#: a date tells whole seconds, and so does the clock beside it
ROUNDED = timedelta(seconds=1)


class Weather:
    """The passes with what their requests tell. Instants are of the common clock."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.skews = {name: clock.skew for name, clock in evidence.estate.clocks.items()}
        self.requests = [
            (self.at(entry), entry) for entry in evidence.estate.log.entries if entry.tracker in self.skews
        ]
        self.instants = [at for at, _ in self.requests]

    def at(self, entry: Entry) -> datetime:
        return datetime.fromtimestamp(entry.at, UTC) - self.skews.get(entry.tracker, timedelta(0))

    def during(self, one: Passed) -> list[Entry]:
        """The requests of a pass."""
        first, last = bisect_left(self.instants, one.begun), bisect_right(self.instants, one.ended)
        return [entry for _, entry in self.requests[first:last]]

    def asked(self, tracker: str, since: datetime, until: datetime) -> bool:
        """Whether a tracker was asked for items from an instant on and before another; what was said on them tells
        nothing of their fields."""
        first, last = bisect_left(self.instants, since), bisect_left(self.instants, until)
        return any(e.tracker == tracker and "/comments" not in e.path for _, e in self.requests[first:last])

    def wrote(self, one: Passed) -> list[Entry]:
        return [entry for entry in self.during(one) if not is_read(entry)]

    @cached_property
    def troubles(self) -> list[datetime]:
        """When something went wrong that a later pass may still suffer from."""
        passes = [one.ended for one in self.evidence.passes if not one.calm or not self.served(one)]
        return sorted([*passes, *self.evidence.deaths])

    def served(self, one: Passed) -> bool:
        """Whether every tracker was asked in a pass, and none failed to answer."""
        asked = self.during(one)
        return set(TRACKERS.values()) <= {entry.tracker for entry in asked} and not any(map(failed, asked))

    @cached_property
    def sure(self) -> tuple[bool, ...]:
        """Of each pass, whether it must have seen and done all there was: it was calm, and no trouble of before could
        still matter."""
        return tuple(
            one.calm and self.served(one) and not self.troubled(one.begun - SETTLES, one.ended)
            for one in self.evidence.passes
        )

    def amiss(self, at: datetime) -> bool:
        """Whether something went wrong in the pass of an instant."""
        return any(one.begun <= at <= one.ended and self.troubled(one.begun, one.ended) for one in self.evidence.passes)

    def troubled(self, since: datetime, until: datetime) -> bool:
        return bisect_left(self.troubles, since) < bisect_right(self.troubles, until)


def failed(entry: Entry) -> bool:
    """Whether an answer was none, or none that can be used."""
    return bool(entry.fault) or entry.status in (0, 202, 203, 401, 408, 429) or entry.status >= 500 or bool(entry.rest)


def over_quota(weather: Weather) -> Iterator[Finding]:
    """Calls to a tracker inside a rest that it asked for, by its own log."""
    resting: dict[str, tuple[datetime, Entry]] = {}
    for at, entry in weather.requests:
        until, asked = resting.get(entry.tracker, (at, entry))
        if at < until - ROUNDED:
            yield Finding(
                OVER_QUOTA,
                entry.tracker,
                f"{entry.method} {entry.path} was sent at {at:%H:%M:%S}, although {asked.status} to {asked.method} "
                f"{asked.path} had asked for rest until {until:%H:%M:%S} (Retry-After: {asked.rest})",
            )
        end = rest_of(weather, entry, at)
        if end is not None and end > until and heard(weather, entry, at):
            resting[entry.tracker] = end, entry


def heard(weather: Weather, entry: Entry, at: datetime) -> bool:
    """Whether the bot lived to hear an answer, and the answer came whole."""
    return entry.status != 0 and entry.fault not in ("cut", "reset_within", "reset_after") and at not in dying(weather)


def dying(weather: Weather) -> set[datetime]:
    """The instants of the last requests before the process died: it may not have heard the answer."""
    places = [bisect_right(weather.instants, death) - 1 for death in weather.evidence.deaths]
    return {weather.instants[place] for place in places if place >= 0}


def rest_of(weather: Weather, entry: Entry, at: datetime) -> datetime | None:
    """Until when an answer asks for rest: 429 and 503 do, and Azure DevOps on any answer (apis.md 3.4)."""
    if not entry.rest or (entry.status not in (429, 503) and entry.tracker != TRACKERS["pbi"]):
        return None
    try:
        return at + timedelta(seconds=max(0.0, float(entry.rest)))
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(entry.rest) - weather.skews[entry.tracker]
    except ValueError:
        return None
