"""When something recurs: on days of the week, at a time of the clock on the wall. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from mappings.calendar import DAY, instant, local_date, midnight, parse_days, zone_of

_FORM = re.compile(r"(daily|[A-Za-z][A-Za-z, -]*?)\s+(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Timetable:
    """``days`` are weekdays (Monday is 0), ``at`` the time on the wall in ``zone``. Where the clock is put forward over
    that time, it is the moment of the jump; where it is put back, the earlier of the two: once a day in any case."""

    days: frozenset[int]
    at: time
    zone: str

    def latest(self, now: datetime) -> datetime:
        """The last instant that is due at ``now`` or before, UTC."""
        return next(due for due in self._back(now) if due <= now)

    def before(self, due: datetime) -> datetime:
        """The one before ``due``, which need not be on the timetable."""
        return next(one for one in self._back(due) if one < due)

    def midnight(self, due: datetime, days: int) -> datetime:
        """The beginning of the day so many days before that of ``due``, UTC."""
        return midnight(self.zone, local_date(self.zone, due) - days * DAY)

    def _back(self, now: datetime) -> Iterator[datetime]:
        """Due instants from a day after ``now`` backwards, without end."""
        day = local_date(self.zone, now) + DAY
        while True:
            if day.weekday() in self.days:
                yield instant(self.zone, datetime.combine(day, self.at))
            day -= DAY


def parse_timetable(text: str, zone: str) -> Timetable:
    """``Mon 07:00``, ``Mon-Fri 07:30``, ``Mon, Thu 18:00`` or ``daily 07:00``. Raises ValueError that says what to
    write."""
    found = _FORM.fullmatch(text.strip())
    wrong = f'"{text}" is no time of the week: write at = "Mon 07:00", or "daily 07:00"'
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        raise ValueError(wrong)
    try:
        days = frozenset(range(7)) if found[1] == "daily" else parse_days(found[1])
    except ValueError:
        raise ValueError(wrong) from None
    zone_of(zone)
    return Timetable(days, time(int(found[2]), int(found[3])), zone)


def told_days(since: datetime, until: datetime, zone: str) -> str:
    """The whole days from one midnight to another, the last one included: ``2026-11-02 to 2026-11-08``."""
    first, last = local_date(zone, since), local_date(zone, until - timedelta(seconds=1))
    return f"{first}" if first == last else f"{first} to {last}"
