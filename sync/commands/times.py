"""Days and times as they are typed at the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import click

from mappings.calendar import midnight


def moment_of(text: str, option: str) -> datetime:
    """A time as an instant, UTC unless it names its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-30T09:00", param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def instant_of(text: str, zone: str, option: str, *, last: bool = False) -> datetime:
    """A day or a time of the zone as an instant; of a day its beginning, or for the ``last`` one its end."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
            return midnight(zone, day)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day; write it as 2026-11-30", param_hint=option) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
