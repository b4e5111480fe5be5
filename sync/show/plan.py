"""What people are shown of a plan file, and the words that stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mappings.wording import in_utc, many
from sync.approval.planfile import Document
from sync.merging.status import STAGE
from sync.plan import Open, Plan
from sync.show import plan_json, short

#: links listed of a plan file before it is approved
LISTED = 20
#: what the counts of a plan file are called: what a person approves, and what is done then
COUNTED = {
    "approve: adopt": "approves: a pair made by hand",
    "approve: open": "approves: a counterpart to open",
    "approve: join": "approves: an item that joins",
    "approve: align": "approves: values that differ",
    "do: adopt": "does: marks",
    "do: unmark": "does: a mark taken off",
    "do: open": "does: a new item",
    "do: show": "does: keys shown on an item",
    "do: write": "does: values or states written",
    "do: say": "does: comments or notes",
    "do: reword": "does: copies of comments changed",
    "do: notify": "does: mails or cards",
    "do: join": "does: an item comes in",
}


def words(plan: Plan) -> Iterator[Mapping[str, str]]:
    """Each thing a plan does: its kind, what it is and why. The text of a comment is never among it."""
    for action, told in zip(plan.actions, plan_json([plan])[0]["actions"], strict=True):
        made = opening(action, plan) if isinstance(action, Open) else ""
        yield {"kind": told["kind"], "what": f"{told['what']}{made}", "reason": told["reason"]}
    for joining in plan.settlement.joins:
        key = plan.keys.get(str(joining.ref), str(joining.ref))
        yield {"kind": "join", "what": f"{key} comes into the link", "reason": joining.how}


def opening(action: Open, plan: Plan) -> str:
    """What a new item is made with, and where it is brought once it is there."""
    given = {**action.draft.fields, **action.draft.extra}
    made = "".join(f"; {name} = {short(value)}" for name, value in sorted(given.items()) if value)
    stage = plan.values.get(STAGE)
    return f"{made}; and brought to the stage {stage}" if stage else made


def document_text(document: Document) -> RenderableType:
    """What a person approves: how many of each kind, the differences of an edited file, and the first of the links."""
    table = Table(box=None, pad_edge=False)
    table.add_column("links", justify="right")
    table.add_column("this plan")
    for what, count in sorted(document.counts.items()):
        table.add_row(str(count), COUNTED.get(what, what))
    blocks: list[RenderableType] = [Text(head(document), style="bold")]
    if document.edited:
        blocks += [Text(f"  {line}", style="yellow") for line in document.edited.differences]
    blocks += [table] if document.entries else []
    for entry in document.entries[:LISTED]:
        blocks.append(Text(f"{entry.title}", style="bold"))
        blocks += [Text(f"  {short(proposal['text'], 110)}") for proposal in entry.proposals]
        blocks += [Text(f"  {short(action['what'], 110)}", style="dim") for action in entry.actions]
    if len(document.entries) > LISTED:
        blocks.append(Text(f"... and {many(len(document.entries) - LISTED, 'more link')}: they stand in the file."))
    return Group(*blocks)


def head(document: Document) -> str:
    edited = "puts the edited file into force and " if document.edited else ""
    made = in_utc(datetime.fromisoformat(document.made))
    return f"This plan, made {made}, {edited}changes {many(len(document.entries), 'link')}."
