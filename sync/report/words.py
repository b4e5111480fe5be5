"""Numbers and days as a status report writes them: ``eight (8) incidents``, ``11/06/23``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

NONE = "None for the reporting period."

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number: int) -> str:
    """``forty-three``; from a thousand on the digits."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return _TENS[ten - 2] + (f"-{_SMALL[one]}" if one else "")
    if number < 1000:
        hundred, rest = divmod(number, 100)
        return f"{_SMALL[hundred]} hundred" + (f" {in_words(rest)}" if rest else "")
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """``eight (8) incidents``, ``one (1) problem``; large numbers as digits alone."""
    noun = one if number == 1 else many or f"{one}s"
    return f"{in_words(number)} ({number}) {noun}" if number < 1000 else f"{number:,} {noun}"


def sentence(text: str) -> str:
    """With a capital letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str]) -> str:
    """``a, b, and c``."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"


def short(day: date) -> str:
    """``11/06/23``."""
    return f"{day:%m/%d/%y}"


def long(day: date) -> str:
    """``November 6, 2023``."""
    return f"{day:%B} {day.day}, {day.year}"


def clock(at: datetime) -> str:
    """``8:00 pm``."""
    return f"{at.hour % 12 or 12}:{at:%M} {'am' if at.hour < 12 else 'pm'}"


def zoned(at: datetime, zone: str) -> str:
    """What the wall clock's time is called then: ``PST``."""
    return at.replace(tzinfo=ZoneInfo(zone)).strftime("%Z")
