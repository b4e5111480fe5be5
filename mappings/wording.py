"""How counts and instants are written for people, in one way everywhere."""

from __future__ import annotations

from datetime import datetime


def many(count: int, noun: str) -> str:
    """``1 link``, ``3 links``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def in_utc(at: datetime) -> str:
    """To the minute, by an instant's own reading: ``2026-11-16 10:00 UTC``. All our instants are UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
