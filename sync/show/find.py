"""How what was found is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sync.find import Findings, Found, Piece
from sync.show.status import ago

#: names of requesters, and items, that a line tells before it counts the rest
NAMED = 4


def findings_text(findings: Findings, words: str, counted: str, now: datetime) -> RenderableType:
    """A piece of work a row: what it is called, where it stands, whom it touches. ``counted`` heads the last."""
    more = [f"{side} has more than these: say it with more words, or raise --limit" for side in findings.more]
    if not findings.pieces:
        return Text(f"Nothing in scope speaks of {words!r}.", style="green")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in ("work", "stands", counted):
        table.add_column(head, overflow="fold", ratio={"work": 5, "stands": 3}.get(head, 2))
    table.expand = True
    for piece in findings.pieces:
        table.add_row(work(piece), stands(piece, now), touches(piece), style="" if piece.open else "dim")
    return Group(table, *(Text(line, style="yellow") for line in more))


def work(piece: Piece) -> Text:
    """What it is: a title, and the items below it."""
    text = Text(piece.title or "(untitled)", style="bold" if piece.open else "")
    for line in items(piece.items):
        text.append("\n").append_text(line)
    return text.append("\n")


def items(found: Sequence[Found]) -> list[Text]:
    """Items with their states, those that were hit first, each side's first ones by name."""
    lines: list[Text] = []
    for side in dict.fromkeys(one.side for one in found):
        there = sorted((one for one in found if one.side == side), key=lambda one: not one.hit)
        line = Text(f"{side} ", style="default")
        for place, one in enumerate(there[:NAMED]):
            line.append(", " if place else "").append(one.key, style="cyan bold" if one.hit else "cyan")
            line.append(f" {one.state or 'not read'}", style="dim")
        line.append(f" +{len(there) - NAMED}" if len(there) > NAMED else "")
        lines.append(line)
    return lines


def stands(piece: Piece, now: datetime) -> Text:
    """Where it stands: stage, whose move, how old, what is held."""
    stage = piece.stage or "?"
    if not piece.link:
        text = Text(f"{stage}\nnot linked", style="yellow" if piece.open else "")
        return text.append(f", {ago(piece.since, now)} old", style="default")
    if not piece.open:
        return Text(f"{stage}, closed")
    text = Text(stage, style="green")
    text.append(f"\nmove: {piece.move}" if piece.move else "", style="default")
    text.append(f"\n{ago(piece.since, now)} old, moved {ago(piece.moved, now)} ago", style="dim")
    return text.append(f"\n{piece.held} held" if piece.held else "", style="red")


def touches(piece: Piece) -> Text:
    """How many it touches, and the first of them by name."""
    text = Text(str(piece.touches), style="bold")
    if piece.touched:
        names = ", ".join(piece.touched[:NAMED])
        rest = len(piece.touched) - NAMED
        text.append(f": {names}" + (f" and {rest} more" if rest > 0 else ""), style="default")
    return text


def findings_json(findings: Findings, counted: str) -> dict[str, Any]:
    """What was found, for programs; ``counted`` names what ``touches`` counts."""
    return {
        "counted": counted,
        "found": [piece_json(piece) for piece in findings.pieces],
        "more": list(findings.more),
        "failed": {name: str(failure) for name, failure in findings.failures.items()},
    }


def piece_json(piece: Piece) -> dict[str, Any]:
    """One link or single item, for programs; times are ISO 8601."""
    return {
        "link": piece.link or None,
        "title": piece.title,
        "open": piece.open,
        "stage": piece.stage,
        "move": piece.move,
        "since": piece.since.isoformat(),
        "moved": piece.moved.isoformat(),
        "touches": piece.touches,
        "touched": list(piece.touched),
        "held": piece.held,
        "items": [
            {"side": i.side, "key": i.key, "url": i.url, "title": i.title, "state": i.state, "hit": i.hit}
            for i in piece.items
        ],
    }
