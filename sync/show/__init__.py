"""What people are shown: plans, status, reasons and what is held, in colour on a terminal and plain elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mappings.wording import in_utc, many
from sync.engine import Engine
from sync.joining.tasks import state_of
from sync.merging.merge import Agreed
from sync.merging.status import STAGE
from sync.plan import Action, Adopt, Joining, Notify, Open, Plan, Reason, Reword, Say, Show, Unmark, Write
from sync.reconcile import Pass
from sync.state import Held, LinkState

MARKS = {Adopt: ("~", "cyan"), Unmark: ("-", "cyan"), Open: ("+", "green"), Show: ("~", "cyan"), Write: ("→", "yellow")}
MARKS |= {Say: ("»", "blue"), Reword: ("»", "blue"), Notify: ("!", "magenta")}


#: columns of what goes to a file or a program, where COLUMNS does not say
WIDE = 120


def console(**options: Any) -> Console:
    """What commands print on: as wide as the terminal, and ``WIDE`` where there is none."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        options.setdefault("width", WIDE)
    return Console(highlight=False, **options)


def sentence(action: Action, keys: Mapping[str, str]) -> str:
    """One action as a line for people. The text of a comment is never shown: it may be private."""
    match action:
        case Adopt():
            return f"mark {keys.get(str(action.ref), action.ref)}"
        case Unmark():
            return f"take the mark off {keys.get(str(action.ref), action.ref)}"
        case Open():
            article = "an" if action.side[0].lower() in "aeiou" else "a"
            return f"open {article} {action.side} ({action.draft.kind}): {action.draft.source_key}"
        case Write():
            return f"change {keys.get(str(action.ref), action.ref)}: {changes(action)}"
        case Say():
            part = f", part {action.copy.part} of {action.parts}" if action.parts > 1 else ""
            removed = f", {action.removed} control characters removed" if action.removed else ""
            where = keys.get(str(action.ref), str(action.ref))
            if not action.copy.origin.tracker:
                return f"say on {where} ({action.channel}): {short(action.text.partition(chr(10))[2])}"
            return f"copy a comment to {where} ({action.channel}), {len(action.text)} characters{part}{removed}"
        case Reword():
            what = "take back" if action.outcome == "withdrawn" else "change"
            where = keys.get(str(action.ref), str(action.ref))
            return f"{what} the copy of a comment on {where} ({action.channel}), {len(action.text)} characters"
        case Notify():
            return f"{action.kind} to {', '.join(action.to)}: {action.subject}"
    return type(action).__name__


def changes(action: Write) -> str:
    words = [f"{n} = {short(v)}" for n, v in action.change.fields.items()]
    if action.change.state is not None:
        extra = [f"{n} = {short(v)}" for n, v in action.change.with_state.items()]
        words.append(f"state = {action.change.state}" + (f" with {', '.join(extra)}" if extra else ""))
    return "; ".join(words)


def short(value: object, width: int = 60) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value if value is not None else "(empty)")
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def plan_text(plans: Sequence[Plan], aged: int = 0) -> RenderableType:
    """Every action of every plan with its reason. ``aged`` is the number of items left alone for their age."""
    left = f"\n{many(aged, 'item')} left alone: older than the first start, or than the route's since." if aged else ""
    if not plans:
        return Text(f"Nothing to do: every link is in step.{left}", style="green")
    blocks: list[RenderableType] = []
    for plan in plans:
        blocks.append(Text(plan.title or plan.key, style="bold"))
        for action in plan.actions:
            sign, colour = MARKS[type(action)]
            line = Text(f"  {sign} ", style=colour)
            line.append(sentence(action, plan.keys))
            blocks += [line, Padding(Text(f"because {action.reason}", style="dim"), (0, 0, 0, 6), expand=False)]
        blocks += [Text(f"  & {joining_words(joining, plan)}", style="cyan") for joining in plan.settlement.joins]
    count = many(sum(len(plan.actions) for plan in plans), "action")
    blocks.append(Text(f"\n{count} on {many(len(plans), 'link')}. Nothing was written.{left}", style="bold"))
    return Group(*blocks)


def joining_words(joining: Joining, plan: Plan) -> str:
    """Who comes into a link, and how."""
    key = plan.keys.get(str(joining.ref), str(joining.ref))
    why = next((reason.text for reason in plan.reasons if reason.about == "join"), f"it comes in by {joining.how}")
    return f"{key} joins a link: {why}" if joining.link else f"{key} comes into this link: {joining.how}"


def done_text(plan: Plan) -> RenderableType:
    """What a pass did on one link, for the demo."""
    lines = Text()
    for action in plan.actions:
        sign, colour = MARKS[type(action)]
        lines.append(f"   {sign} ", style=colour)
        lines.append(sentence(action, plan.keys) + "\n")
        lines.append(f"     {short(action.reason, 110)}\n", style="dim")
    return lines


def conversation(title: str, comments: Sequence[tuple[str, str, str]]) -> RenderableType:
    """What people read on one item: who, on which channel, the words. For the demo's own, public texts."""
    lines = Text(f"   {title} now reads\n", style="bold")
    for author, channel, text in comments:
        lines.append(f"     {author}", style="green")
        lines.append(f" ({channel}): " + " / ".join(text.splitlines()) + "\n")
    return lines


def demo_end(cards: Sequence[object], folder: object) -> RenderableType:
    """Where to go from here."""
    return Text.from_markup(
        f"\n{len(cards)} card went to the triage channel. The work note stayed where it was written.\n\n"
        "[bold]Where to go next[/bold]\n"
        "  python bot.py sandbox                  three trackers to try a file on\n"
        "  python bot.py init                     a file to begin with, made from what your trackers tell\n"
        "  python bot.py check -c FILE            every problem of a file, with its line\n"
        "  python bot.py doctor -c FILE           what in it does not fit the live trackers\n"
        "  python bot.py plan -c FILE             what a pass would do, and why\n"
        '  config.example.toml                    every key; README.md, "Pointing it at real trackers"\n'
    )


def plan_json(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """The same for programs. Texts of comments are left out."""
    return [
        {
            "link": plan.key,
            "items": plan.title,
            "values": dict(plan.values),
            "actions": [
                {"kind": type(a).__name__.lower(), "what": sentence(a, plan.keys), "reason": a.reason}
                for a in plan.actions
            ],
        }
        for plan in plans
    ]


def summary(passes: Sequence[Pass]) -> RenderableType:
    """What a reconciliation did."""
    table = Table(box=None, pad_edge=False)
    for column in ("pass", "links", "writes", "refused", "left open"):
        table.add_column(column, justify="right")
    for number, done in enumerate(passes, 1):
        table.add_row(*map(str, (number, done.links, done.writes, done.refused, done.unsettled)))
    return table


def failures(passes: Sequence[Pass]) -> list[str]:
    """Trackers that failed in the last pass, as sentences."""
    return [str(failure) for failure in passes[-1].failures.values()] if passes else []


def held_table(rows: Sequence[tuple[Held, str]], unsent: Sequence[tuple[str, str, str]]) -> RenderableType:
    """What is set aside, why, and what helps."""
    if not rows and not unsent:
        return Text("Nothing is held.", style="green")
    blocks: list[RenderableType] = []
    for held, key in rows:
        line = Text(f"{key}  {held.what}", style="bold")
        line.append(f"\n  {held.reason}", style="red")
        line.append(f"\n  {held.advice}", style="default")
        line.append(f"\n  {held_times(held)}", style="dim")
        blocks.append(line)
    for key, kind, error in unsent:
        blocks.append(Text(f"{kind} {key}\n  {error or 'waiting to be sent'}", style="red"))
    return Group(*blocks)


def held_times(held: Held) -> str:
    """Since when something is held, how often it was tried, and when it is looked at next."""
    tried = f", tried {many(held.tries, 'time')}, last at {in_utc(held.tried)}" if held.tried else ""
    again = f"again from {in_utc(held.retry)}" if held.retry else "looked at again when its item changes"
    return f"held since {in_utc(held.since)}{tried}, {again}; lockstep held --retry asks for it at once"


def why_text(engine: Engine, link: LinkState, plan: Plan | None) -> RenderableType:
    """Why a link is as it is: agreed values with their authors, what a pass would do, what is held, the journal."""
    blocks: list[RenderableType] = [Text(" · ".join(i.key for i in link.items), style="bold")]
    blocks += [Text(f"task {task.key}: {state_of(task)}", style="dim") for task in link.tasks]
    for item in link.strays:
        blocks.append(Text(f"{item.key} was {item.side}, which is no side of the file: it is left alone", style="dim"))
    table = Table(box=None, pad_edge=False)
    for column in ("field", "agreed value", "whose word", *(i.key for i in link.items)):
        table.add_column(column)
    keys = {str(item.ref): item.key for item in link.items}
    values = dict(link.agreed)
    for name, agreed in values.items():
        cells = []
        for item in link.items:
            echo = item.echoes.get(name)
            text = ", ".join(short(v, 24) for _, v in echo.spelling) if echo else ""
            behind = " (behind)" if echo and echo.serial < agreed.serial else ""
            cells.append(text + behind)
        value = engine.setup.stages.get(str(agreed.value)).name if name == STAGE and agreed.value else agreed.value
        table.add_row(name, short(value, 40), whose_word(engine, name, agreed), *cells)
    if values:
        blocks.append(table)
    if plan:
        set_aside = {held.reason for held in link.held}
        blocks += [Text(about(reason), style="cyan") for reason in plan.reasons if reason.text not in set_aside]
        blocks += [Text(f"next: {sentence(a, keys)} — {a.reason}", style="yellow") for a in plan.actions]
    blocks += [Text(f"held: {h.what}: {h.reason}\n      {h.advice}", style="red") for h in link.held]
    for entry in engine.store.journal(link.key, 40):
        place = keys.get(entry.item, entry.item)
        blocks.append(Text(f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind:9} {place}  {entry.body}", style="dim"))
    return Group(*blocks)


def whose_word(engine: Engine, name: str, agreed: Agreed) -> str:
    """The side whose word a value is; a rule's, or nobody's where Lockstep counted it."""
    declared = engine.setup.fields.get(name)
    if declared is not None and declared.source:
        return f"counted ({declared.source})"
    return agreed.by or ("" if agreed.value is None else "a rule")


def about(reason: Reason) -> str:
    """A reason as a line. One that begins with what it is about does not say so twice."""
    return reason.text if reason.text.startswith(f"{reason.about} ") else f"{reason.about}: {reason.text}"
