"""Whose move it was, as a table and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table

from sync.escalation.turns import Turns, hours

#: of each link its key, the keys of its items, and whose move it was
Told = Sequence[tuple[str, Sequence[str], Turns]]


def turns_table(told: Told, start: datetime | None, end: datetime) -> Table:
    """A row a link: the hours in which it was each party's move, their sum, and the paused ones apart."""
    parties = parties_of(told)
    since = f"from {start:%Y-%m-%d %H:%M %Z} to" if start else "up to"
    table = Table(title=f"Whose move it was, {since} {end:%Y-%m-%d %H:%M %Z}, in hours of each party's calendar")
    table.add_column("items")
    for name in (*parties, "open", "paused"):
        table.add_column(name, justify="right")
    for _, items, turns in told:
        table.add_row(" · ".join(items), *cells(turns, parties))
    if len(told) > 1:
        table.add_section()
        table.add_row(f"{len(told)} links", *cells(added(told), parties))
    return table


def cells(turns: Turns, parties: Sequence[str]) -> list[str]:
    spans = [*(turns.parties.get(name) for name in parties), turns.total, turns.paused]
    return [f"{hours(span):.2f}" if span else "" for span in spans]


def parties_of(told: Told) -> list[str]:
    """Everybody whose move it was at any time."""
    return sorted({name for _, _, turns in told for name in turns.parties})


def added(told: Told) -> Turns:
    whole = Turns()
    for _, _, turns in told:
        whole = whole.plus(turns)
    return whole


def turns_json(told: Told, start: datetime | None, end: datetime) -> dict[str, Any]:
    """The same for programs, hours to two places."""
    period = {"from": start.isoformat() if start else None, "to": end.isoformat()}
    links = [{"link": key, "items": list(items), **hours_of(turns)} for key, items, turns in told]
    return {**period, "links": links, "all": hours_of(added(told))}


def hours_of(turns: Turns) -> dict[str, Any]:
    each = {name: hours(span) for name, span in sorted(turns.parties.items())}
    return {"hours": each, "open": hours(turns.total), "paused": hours(turns.paused)}
