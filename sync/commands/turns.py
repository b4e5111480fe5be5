"""Whose move it was in a period, link by link."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from sync import show
from sync.commands.ending import QUIET, USAGE, fail
from sync.commands.times import instant_of
from sync.engine import Engine
from sync.escalation.turns import turns
from sync.show.turns import turns_json, turns_table
from sync.state import LinkState

#: the earliest instant that a period begins at
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def show_turns(engine: Engine, items: tuple[str, ...], start: str, end: str, as_json: bool) -> int:
    """Prints the table, or the same as JSON. Days are those of the bot's zone, the last one included; without them the
    whole life of the links up to now."""
    zone, now = engine.setup.zone, engine.now()
    first = instant_of(start, zone, "--from") if start else None
    last = min(instant_of(end, zone, "--to", last=True), now) if end else now
    if first is not None and first >= last:
        fail("this period is over before it begins, or lies ahead", USAGE)
    told = []
    for link in chosen(engine, items):
        one = turns(engine.setup, link.movements, first or EVER, last)
        if items or one.parties or one.paused:
            told.append((link.key, [item.key for item in link.items], one))
    told.sort(key=lambda row: (-row[2].total, row[0]))
    wall = ZoneInfo(zone)
    since, until = first.astimezone(wall) if first else None, last.astimezone(wall)
    if as_json:
        click.echo(json.dumps(turns_json(told, since, until), indent=2))
    else:
        show.console().print(turns_table(told, since, until) if told else "No link was open then.")
    return QUIET


def chosen(engine: Engine, items: tuple[str, ...]) -> Iterable[LinkState]:
    """The links of these items, each once; all links where none is named."""
    if not items:
        return engine.store.each_link()
    found: dict[str, LinkState] = {}
    for item in items:
        links = [link for link in engine.store.find(item) if link.id]
        if not links:
            fail(f"{item} is in no link", USAGE)
        found |= {link.key: link for link in links}
    return found.values()
