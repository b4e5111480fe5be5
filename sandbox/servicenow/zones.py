"""Date-times between what is stored (UTC) and what a session user sees and writes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

STAMP = "%Y-%m-%d %H:%M:%S"


def to_utc(local: str, zone: ZoneInfo) -> str:
    """A literal of the session user's zone in UTC; raises ``ValueError`` for one that is none."""
    try:
        return datetime.strptime(local, STAMP).replace(tzinfo=zone).astimezone(UTC).strftime(STAMP)
    except OverflowError:
        raise ValueError(f"beyond the calendar: {local}") from None


def to_local(stamp: str, zone: ZoneInfo) -> str:
    """A stored stamp as the user sees it; what is no stamp is left as it is."""
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC).astimezone(zone).strftime(STAMP)
    except (ValueError, OverflowError):
        return stamp


def stamped(at: datetime) -> str:
    """An instant as it is stored: UTC, to the second."""
    return at.astimezone(UTC).strftime(STAMP)


def instant(stamp: str) -> datetime:
    """The instant of a stored stamp."""
    return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)


def is_stamp(stamp: str) -> bool:
    """Whether a date-time column can hold it. The calendar's last year is left out: periods are added to stamps."""
    try:
        return 1000 <= instant(stamp).year < 9999
    except ValueError:
        return False
