"""How the board is shown: groups of links, worst first, then the links themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mappings.templates import in_words
from sync.engine import Engine
from sync.joining.tasks import state_of
from sync.setup import Setup
from sync.show.board import Row, Standing, standing, told, worst_first
from sync.state import LinkState

#: keys of one side that a line names before it counts the rest
NAMED = 2


def ago(at: datetime, now: datetime) -> str:
    """Wall time since an instant, the two largest units."""
    return told(max(now - at, timedelta(0)), timedelta(days=1))


def keys_of(link: LinkState, side: str) -> str:
    """The keys of a link's items on a side, the first ones by name."""
    keys = [item.key + (" (gone)" if item.gone else "") for item in link.items if item.side == side]
    keys += [f"{task.key} ({state_of(task)})" for task in link.tasks if task.side == side]
    more = f" +{len(keys) - NAMED}" if len(keys) > NAMED else ""
    return ", ".join(keys[:NAMED]) + more


def first_key(link: LinkState) -> str:
    return next((item.key for item in link.items if item.ref == link.source), link.key)


def spent_in(one: Standing) -> str:
    return "paused" if one.paused else told(one.spent, one.day)


def board_table(rows: Sequence[Row], by: str, now: datetime, *, narrowed: bool = False) -> RenderableType:
    """Counts of links that stand alike, with the one that stood the longest: in business time of its party's calendar,
    and by the clock on the wall."""
    if not rows:
        return Text("No open link is among these." if narrowed else "No open links.", style="green")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    heads = {"party": ("whose move", "stage"), "stage": ("stage", "whose move"), "age": ("age",)}[by]
    for head in heads:
        table.add_column(head, overflow="fold")
    for head in ("links", "over", "held"):
        table.add_column(head, justify="right")
    for head in ("longest", "by the wall", "item"):
        table.add_column(head, overflow="fold")
    before = ""
    for row in rows:
        label = (row.label[0] if row.label[0] != before else "", *row.label[1:])
        before = row.label[0]
        over = Text(str(row.over or ""), style="red")
        held = Text(str(row.held or ""), style="yellow")
        oldest = row.oldest
        spent = Text(spent_in(oldest), style="red" if oldest.late is not None else "")
        wall = Text(ago(oldest.entered, now), style="dim")
        table.add_row(*label, str(len(row.links)), over, held, spent, wall, Text(first_key(oldest.link), style="cyan"))
    return table


def links_table(
    standings: Sequence[Standing],
    sides: Sequence[str],
    now: datetime,
    total: int,
    *,
    narrowed: bool,
    counted: Sequence[str] = (),
) -> RenderableType:
    """The links, worst first. ``total``: how many there are of which these are the first. ``counted`` are fields that
    Lockstep counts, a column each."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    there = {item.side for one in standings for item in (*one.link.items, *one.link.tasks)}
    shown = [side for side in sides if side in there]
    for head in (*shown, *counted, "stage", "in stage", "moved", "held"):
        table.add_column(head, overflow="fold")
    for one in standings:
        cells = [keys_of(one.link, side) for side in shown]
        cells += [in_words(agreed.value) if (agreed := one.link.agreed.get(name)) else "" for name in counted]
        style = "red" if one.late is not None else "dim" if one.link.closed or one.paused else ""
        spent = "closed" if one.link.closed else spent_in(one)
        table.add_row(*cells, one.stage or "?", spent, f"{ago(one.moved, now)} ago", str(one.held or ""), style=style)
    rest = total - len(standings)
    if not rest:
        return table
    hint = "--rows shows more" if narrowed else "--party, --stage and --over narrow them, --rows shows more"
    return Group(table, Text(f"and {rest} more: {hint}", style="dim"))


def every_link(engine: Engine) -> RenderableType:
    """The links that there are, worst first."""
    now, setup = engine.now(), engine.setup
    standings = worst_first(standing(setup, link, now) for link in engine.store.links())
    return links_table(standings, list(setup.sides), now, len(standings), narrowed=False, counted=counts_of(setup))


def counts_of(setup: Setup) -> list[str]:
    """The fields in which Lockstep counts how far a link reaches."""
    return [name for name, declared in setup.fields.items() if declared.source and declared.type == "integer"]


def row_json(row: Row, by: str) -> dict[str, Any]:
    """A row of the board for programs: its label by the words it is grouped by, counts, and its oldest link."""
    names = {"party": ("party", "stage"), "stage": ("stage", "party"), "age": ("age",)}[by]
    oldest = {"item": first_key(row.oldest.link), **ages_json(row.oldest)}
    return {
        **dict(zip(names, row.label, strict=True)),
        "links": len(row.links),
        "over": row.over,
        "held": row.held,
        "longest": oldest,
    }


def ages_json(one: Standing) -> Mapping[str, Any]:
    """Business time in seconds, instants in UTC."""
    return {
        "in_stage": int(one.spent.total_seconds()),
        "late": None if one.late is None else int(one.late.total_seconds()),
        "entered": one.entered.isoformat(),
        "moved": one.moved.isoformat(),
        "paused": one.paused,
    }


def standing_json(one: Standing) -> dict[str, Any]:
    """Where a link stands, for programs."""
    link = one.link
    return {
        "link": link.key,
        "items": {str(item.ref): item.key for item in link.items},
        "tasks": {str(task.ref): {"key": task.key, "state": state_of(task)} for task in link.tasks},
        "agreed": {name: agreed.value for name, agreed in link.agreed.items()},
        "closed": str(link.closed) if link.closed else None,
        "held": len(link.held),
        "stage": one.stage,
        "party": one.party,
        **ages_json(one),
    }
