"""Days of the calendar, as trackers spell them: dates, and instants that stand for one.

A date without a time is that day. An instant at midnight UTC that says so (``2026-11-30T00:00:00Z``) is what tools
write who mean a day; any other instant is on the day that it falls on in the zone of the file: people who pick a day
in a form get midnight where they are. An instant without a zone is UTC (ServiceNow, apis.md 1.2).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from mappings import calendar

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TOOLS = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?Z")


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, ``YYYY-MM-DD``."""
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def day_of(text: str, zone: str) -> str:
    """The day that a tracker's spelling stands for, as ``YYYY-MM-DD``. Raises ``ValueError`` where it is none."""
    if is_day(text):
        return text
    if (tools := _TOOLS.fullmatch(text)) and is_day(tools[1]):
        return tools[1]
    found = datetime.fromisoformat(text)
    if _DAY.fullmatch(text[:10]) is None or len(text) < 16:
        raise ValueError(f"{text!r} is not a day")
    try:
        return f"{(found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).date()}"
    except OverflowError:
        raise ValueError(f"{text!r} is not a day") from None


def midnight(day: str, zone: str) -> datetime:
    """When the day begins in the zone, UTC. Raises ``ValueError`` where the text is no day."""
    try:
        return calendar.midnight(zone, date.fromisoformat(day))
    except OverflowError:
        raise ValueError(f"{day!r} is not a day") from None
