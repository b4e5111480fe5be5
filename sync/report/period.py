"""The period a report is about: whole days in the zone of the admin's file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mappings.calendar import local_date, midnight

_CALLED = {1: "daily", 7: "weekly", 14: "biweekly"}


@dataclass(frozen=True, slots=True)
class Period:
    """From ``first`` to ``last``, both included. ``now`` is when the report is made (UTC): nothing later is known, so
    a period that is still running is reported as far as it has come."""

    first: date
    last: date
    zone: str
    now: datetime

    @property
    def start(self) -> datetime:
        """The first instant of the period, UTC."""
        return self.instant(self.first)

    @property
    def end(self) -> datetime:
        """The first instant after it, UTC, or ``now`` where that is earlier."""
        return min(self.instant(self.last + timedelta(days=1)), self.now)

    @property
    def today(self) -> date:
        """The day up to which ages are counted: the last of the period, or today where that is earlier."""
        return min(self.last, self.day(self.now))

    @property
    def called(self) -> str:
        """``biweekly`` and the like; ``reporting`` for any other length."""
        return _CALLED.get((self.last - self.first).days + 1, "reporting")

    @property
    def following(self) -> date:
        """The last day of the next period of the same length."""
        return self.last + (self.last - self.first) + timedelta(days=1)

    def instant(self, day: date) -> datetime:
        """When a day begins, UTC."""
        return midnight(self.zone, day)

    def day(self, at: datetime) -> date:
        """The day on the wall when it happened."""
        return local_date(self.zone, at)

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at < self.end

    def week_of(self, at: datetime, starts: int) -> date:
        """The first day of the week it happened in; ``starts``: Monday 0."""
        day = self.day(at)
        return day - timedelta(days=(day.weekday() - starts) % 7)

    def months(self, count: int) -> tuple[date, ...]:
        """The first days of so many months, the period's own last."""
        month = self.today.year * 12 + self.today.month - 1
        return tuple(date(m // 12, m % 12 + 1, 1) for m in range(month - count + 1, month + 1))
