"""What moved the work, and which rules fire on work that did not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from mappings.fields import Common
from sync.comments.discuss import Talk
from sync.escalation.escalate import Outlook, escalate
from sync.escalation.fire import fire
from sync.escalation.happenings import field_changes, openings, remarked
from sync.escalation.tell import tell
from sync.escalation.visits import Visit, acted, assignments, journey, on_the_way, order
from sync.merging.merge import Agreed
from sync.merging.status import STAGE
from sync.setup import Setup
from sync.sheet import Sheet
from sync.state import LinkState, Movement


def move(sheet: Sheet, talk: Talk) -> None:
    """What moved the work since the last look, as recorded history for the clocks."""
    stage = sheet.agreed.get(STAGE)
    if stage is None or stage.value is None:
        return
    name = str(stage.value)
    party = sheet.setup.stages.get(name).move
    was = sheet.link.agreed.get(STAGE)
    found = journey(sheet, was, stage)
    if was is None or was.value != stage.value:
        way, last = found[:-1], found[-1] if found else None
        sheet.movements += on_the_way(sheet, was, way) if was else ()
        sheet.movements.append(stage_movement(sheet, was, stage, party, last))
    elif was is not None:
        sheet.movements += on_the_way(sheet, was, found)
    for comment in talk.fresh:
        by_people = not comment.ours and comment.account not in sheet.setup.automation
        if by_people and not (sheet.link.item(comment.item).rebuilt and was is None):
            sheet.movements += remarked(sheet, comment, name, party)
    for item in sheet.present():
        sheet.movements += assignments(sheet, item, name, party)
    # what changed together with the stage, or before it, was changed where the work stood then
    before = str(was.value) if was is not None and was.value else name
    sheet.movements += field_changes(sheet, before, sheet.setup.stages.get(before).move)
    sheet.movements += openings(sheet, name, party)


def stage_movement(sheet: Sheet, was: Agreed | None, stage: Agreed, party: str, last: Visit | None) -> Movement:
    """Entering a stage, at the time its tracker says: by its history where it tells, else by its record. A rebuilt link
    and one that a rule moved, at ours."""
    speaker = next((i for i in sheet.present() if i.side == stage.by), None)
    event = f"{came(sheet, was)}:{stage.serial}:{stage.value}"
    entered = Movement(event, "stage", sheet.now, str(stage.value), party)
    reread = was is not None and bool(was.map)  # an edited file moved it, nobody's hand
    if speaker is None or speaker.rebuilt or reread:
        return entered
    record = sheet.record(speaker.ref)
    at, account = (last.moved.at, last.moved.account) if last else (record.updated, record.updated_by)
    at = sheet.now if sheet.granted else at  # it was moved before, and had to wait at a gate until now
    by, author = acted(sheet, speaker, account)
    return replace(entered, at=min(at, sheet.now), party=by, item=speaker.key, author=author)


def came(sheet: Sheet, was: Agreed | None) -> str:
    """How the link came to its stage: ``born`` with an item that is new, ``found`` in it, ``reread`` by an edited file,
    ``reopened`` from a terminal one, or by a move to the ``stage``."""
    if was is None:
        rebuilt = any(item.rebuilt for item in sheet.link.items)
        return "found" if sheet.link.id or sheet.link.old or rebuilt else "born"
    if was.map:
        return "reread"
    return "reopened" if sheet.setup.stages.get(str(was.value)).terminal else "stage"


def rules(sheet: Sheet) -> Outlook:
    """Escalation on the values that the merge left, and what its firings ask for."""
    history = told_so_far(sheet.link, sheet.movements)
    outlook = look(sheet.setup, sheet.link, sheet.values(), history, sheet.now)
    tell(sheet, outlook)
    told = {(due.rule.id, due.episode, due.step): fire(sheet, due, history) for due in outlook.fired}
    firings = (replace(f, told=told.get((f.rule, f.episode, f.step), ())) for f in outlook.firings)
    return replace(outlook, firings=tuple(firings))


def told_so_far(link: LinkState, fresh: Sequence[Movement] = ()) -> tuple[Movement, ...]:
    """What moved the link, in time order, with what this look adds to it."""
    return current_last(sorted((*link.movements, *fresh), key=lambda m: (m.at, m.event)))


def look(
    setup: Setup, link: LinkState, values: Mapping[str, Common], history: Sequence[Movement], now: datetime
) -> Outlook:
    """Escalation on a link's recorded history."""
    since = began(history, link.opened or now)
    armed = {rule.id: since for rule in setup.rules} | {n: max(since, at) for n, at in link.armed.items()}
    return escalate(setup, values, history, link.firings, armed, now)


def began(movements: Sequence[Movement], opened: datetime) -> datetime:
    """From when on rules look at a link: since it was opened, or since the new item that opened it came to its stage,
    which its tracker knew before us."""
    return min([opened, *(m.at for m in movements if m.event.startswith("born:"))])


def current_last(movements: Sequence[Movement]) -> tuple[Movement, ...]:
    """The movements in time order with the latest stage standing at the end: two trackers' clocks may disagree about
    which came first, but where the link stands now is known."""
    stages = [m for m in movements if m.kind == "stage"]
    if not stages:
        return ()
    final = max(stages, key=lambda m: order(m.event))
    return tuple(replace(m, stage=final.stage, move=final.move) if m.at > final.at else m for m in movements)
