"""Business time: when a party is at work, how much of that time has passed, and when an amount of it will have.

Pure: no clock is read. Instants come in and go out in UTC; the hours of a day are those of the clock on the wall of
the calendar's zone. An *opening* is one stretch of such hours, named by the date on which it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import dropwhile
from zoneinfo import ZoneInfo

from mappings.wording import many

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
LONGEST_DAYS = 3650

SPAN = re.compile(r"(?:(\d{1,7})d)?\s*(?:(\d{1,7})h)?\s*(?:(\d{1,7})m)?", re.ASCII)
HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """An amount of business time: whole openings, then seconds within openings. Its text is for people to read."""

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        counts = ((self.days, "business day"), (hours, "hour"), (minutes, "minute"), (seconds, "second"))
        words = [many(count, word) for count, word in counts if count]
        return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part) or "no time"


def parse_span(text: str) -> Span:
    """``2d``, ``4h``, ``90m`` or ``1d 4h``. Raises ValueError that says what to write."""
    found = SPAN.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValueError(f'"{text}" is no span: write days, hours and minutes as in "2d", "90m" or "1d 4h"')
    days, hours, minutes = (int(part or 0) for part in found.groups())
    if timedelta(days=days, hours=hours, minutes=minutes) > timedelta(days=LONGEST_DAYS):
        raise ValueError(f'"{text}" is too long: a span may be {LONGEST_DAYS} days at most')
    return Span(days, hours * 3600 + minutes * 60)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The openings of one party. ``days`` are weekdays (Monday is 0) on which an opening begins; one whose ``closes``
    is not after its ``opens`` lasts into the next day. ``holidays`` are single dates, ``region`` names a country or a
    part of it (``US``, ``US-CA``) whose holidays, the observed ones included, are looked up for each year needed."""

    zone: str
    days: frozenset[int]
    opens: time
    closes: time
    holidays: frozenset[date] = frozenset()
    region: str = ""

    def __post_init__(self) -> None:
        zone_of(self.zone)
        if not self.days or not self.days <= set(range(7)):
            raise ValueError("a calendar needs at least one day of the week, Monday being 0 and Sunday 6")

    @classmethod
    def of(cls, *, zone: str, days: str = "Mon-Fri", hours: str = "08:00-17:00", holidays: str = "") -> Calendar:
        """From the words of the admin's file. ``holidays`` holds at most one region, and dates such as 2026-12-24,
        with commas between. Raises ValueError that says what to write."""
        region, dates = parse_holidays(holidays)
        opens, closes = parse_hours(hours)
        return cls(zone, parse_days(days), opens, closes, dates, region)

    @classmethod
    def always(cls, zone: str) -> Calendar:
        """Wall hours: never closed, and a day is 24 hours."""
        return cls(zone, frozenset(range(7)), time(0), time(0))

    @property
    def never_closes(self) -> bool:
        return len(self.days) == 7 and self.opens == self.closes and not self.holidays and not self.region

    def add(self, start: datetime, amount: Span) -> datetime:
        """The instant at which ``amount`` of business time has passed since ``start``. A start outside hours moves to
        the next opening; an instant that falls on a closing stays there."""
        start = utc(start)
        if self.never_closes:
            return start + timedelta(days=amount.days, seconds=amount.seconds)
        return self._add_time(self._add_openings(start, amount.days), timedelta(seconds=amount.seconds))

    def elapsed(self, a: datetime, b: datetime) -> timedelta:
        """The business time from ``a`` to ``b``; none where ``b`` is not later."""
        a, b = utc(a), utc(b)
        if self.never_closes or b <= a:
            return max(b - a, timedelta(0))
        passed = timedelta(0)
        for begin, end in self._openings(a):
            if begin >= b:
                break
            passed += min(end, b) - max(begin, a)
        return passed

    def is_open(self, at: datetime) -> bool:
        """Whether ``at`` is within an opening; its closing is not."""
        at = utc(at)
        begin, _ = next(opening for opening in self._openings(at) if opening[1] > at)
        return begin <= at

    def is_holiday(self, day: date) -> bool:
        return day in self.holidays or (self.region != "" and day in holidays_in(self.region, day.year))

    def _add_openings(self, start: datetime, count: int) -> datetime:
        """As far into the ``count``-th next opening as ``start`` is into its own. From the very start of an opening
        that is the closing of the one before, so that one day from 08:00 is 17:00 of the same day."""
        if count == 0:
            return start
        ahead = ((begin, end) for begin, end in self._openings(start) if end > start)
        first = last = next(ahead)
        into = max(start - first[0], timedelta(0))
        for _ in range(count - (not into)):
            last = next(ahead)
        return min(last[0] + into, last[1]) if into else last[1]

    def _add_time(self, start: datetime, left: timedelta) -> datetime:
        for begin, end in self._openings(start):
            begin = max(begin, start)
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise AssertionError("openings never end")

    def _openings(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every opening that ends at ``since`` or later, in order, without end. One that ends there began on the day
        before, and two days before by the calendar where the zone skipped a day in between."""
        first = local_date(self.zone, since) - 2 * DAY
        return dropwhile(lambda opening: opening[1] < since, self._openings_from(first))

    def _openings_from(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        while True:
            if day.weekday() in self.days and not self.is_holiday(day):
                begin, end = opening(self.zone, self.opens, self.closes, day)
                # A zone that skipped this day, or these hours of it, had no opening.
                if begin < end:
                    yield begin, end
            day += DAY


@lru_cache(maxsize=32768)
def opening(zone: str, opens: time, closes: time, day: date) -> tuple[datetime, datetime]:
    """The instants between which the opening of ``day`` lies."""
    last = day if closes > opens else day + DAY
    return instant(zone, datetime.combine(day, opens)), instant(zone, datetime.combine(last, closes))


def instant(zone: str, wall: datetime) -> datetime:
    """The first moment at which the clock on the wall shows ``wall`` or later: the earlier of two where the clock is
    put back, the jump where it is put forward over it. So two shifts that meet at one time of day always meet."""
    there = wall.replace(tzinfo=zone_of(zone))
    early, late = sorted(there.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    skipped = early.astimezone(there.tzinfo).replace(tzinfo=None) != wall
    return jump(zone_of(zone), early, late) if skipped else early


def midnight(zone: str, day: date) -> datetime:
    """When a day begins in the zone, UTC. Raises ``OverflowError`` for one that UTC cannot tell."""
    return instant(zone, datetime.combine(day, time()))


def jump(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The moment between two instants at which the zone's offset changes, to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2 // timedelta(seconds=1) * timedelta(seconds=1)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def local_date(zone: str, at: datetime) -> date:
    return at.astimezone(zone_of(zone)).date()


def utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} names no time zone: business time is counted between instants")
    return at.astimezone(UTC)


@cache
def zone_of(name: str) -> ZoneInfo:
    """Raises ValueError for a name that is in no time zone database."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f'"{name}" is no time zone: write one such as "America/Los_Angeles"') from None


@cache
def holidays_in(region: str, year: int) -> frozenset[date]:
    """The holidays of a year, observed ones included. The years beside it are asked for too: New Year's Day is
    observed in December when it is a Saturday. Raises ValueError for an unknown region."""
    import holidays  # takes a fifth of a second, which a calendar without a region need not pay

    country, _, part = region.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=range(year - 1, year + 2))
    except NotImplementedError:
        raise ValueError(f'no holidays are known for "{region}": write a country or a part, as in "US-CA"') from None
    return frozenset(day for day in found if day.year == year)


def parse_holidays(text: str) -> tuple[str, frozenset[date]]:
    """``US-CA, 2026-12-24`` as the region and the dates."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    dates = [word for word in words if word[0].isdigit()]
    regions = [word for word in words if word not in dates]
    if len(regions) > 1:
        raise ValueError(f'"{text}" names several regions: write one, and single dates after it')
    for region in regions:
        holidays_in(region, 2000)  # so that a misspelt one is found while the file is read
    return "".join(regions), frozenset(parse_date(word) for word in dates)


def parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no date: write it as in "2026-12-24"') from None


def parse_days(text: str) -> frozenset[int]:
    """``Mon-Fri``, ``Mon,Wed`` or ``Sun-Thu``."""
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip().lower() for word in part.partition("-"))
        last = last if dash else first
        if first not in WEEK or last not in WEEK:
            raise ValueError(f'"{text}" are no days: write them as in "Mon-Fri" or "Mon,Wed"')
        begin, length = WEEK.index(first), (WEEK.index(last) - WEEK.index(first)) % 7
        days |= {(begin + step) % 7 for step in range(length + 1)}
    return frozenset(days)


def parse_hours(text: str) -> tuple[time, time]:
    """``08:00-17:00``, overnight ``22:00-06:00``, or ``00:00-24:00``."""
    found = HOURS.fullmatch(text.strip())
    wrong = ValueError(f'"{text}" are no hours: write them as in "08:00-17:00"')
    if found is None:
        raise wrong
    hour, minute, last_hour, last_minute = (int(part) for part in found.groups())
    if (last_hour, last_minute) == (24, 0):
        last_hour = 0
    elif (hour, minute) == (last_hour, last_minute):
        raise wrong
    try:
        return time(hour, minute), time(last_hour, last_minute)
    except ValueError:
        raise wrong from None
