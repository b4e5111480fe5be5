"""What matched how, as people and programs are shown it."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sync.joining.tally import Tally, as_json, rows

#: ambiguous items that are named one by one
SHOWN = 20


def tally_text(found: Tally) -> RenderableType:
    """Pairs by how they were found, what else waits for a person, and each item that is unclear."""
    blocks: list[RenderableType] = []
    if counted := rows(found):
        table = Table(box=None, pad_edge=False)
        table.add_column("counterparts made by hand, found by")
        for column in ("paired", "waiting for a plan file"):
            table.add_column(column, justify="right")
        for how, paired, proposed in counted:
            table.add_row(how, str(paired or ""), str(proposed or ""))
        if len(counted) > 1:
            table.add_row("together", str(sum(found.paired.values())), str(sum(found.proposed.values())), style="bold")
        blocks += [Text(""), table]
    waiting = {"open": "would be opened", "join": "would join a link", "align": "fields that differ"}
    told = [f"{count} {waiting.get(kind, kind)}" for kind, count in found.asked.items()]
    if told:
        blocks.append(Text(f"Waiting for a person's word: {', '.join(told)}. lockstep plan --out FILE takes them in."))
    if found.unclear:
        blocks.append(Text(f"{len(found.unclear)} unclear, held until a person says:", style="red"))
        blocks += [Text(f"  {reason}", style="red") for reason in found.unclear[:SHOWN]]
        more = len(found.unclear) - SHOWN
        blocks += [Text(f"  and {more} more: lockstep held tells all", style="red")] if more > 0 else []
    return Group(*blocks)


def tally_json(found: Tally) -> list[dict[str, Any]]:
    """The same as the last entry of ``plan --json``; nothing where there is nothing to tell."""
    empty: dict[str, Any] = {"link": "", "items": "", "values": {}, "actions": []}
    return [] if found.silent else [{**empty, "counterparts": as_json(found)}]
