"""What moved the work, and which rules fire on work that did not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mappings.people import party_of
from sync.comments.discuss import Talk
from sync.escalation.escalate import Outlook, escalate
from sync.escalation.fire import fire
from sync.escalation.visits import Visit, assignments, journey, on_the_way, order
from sync.escalation.visits import actor as actor_of
from sync.merging.merge import Agreed
from sync.merging.status import STAGE
from sync.sheet import Sheet
from sync.state import Movement


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
            side = sheet.link.item(comment.item).side
            actor = party_of(sheet.setup.parties, side, comment.item.tracker, comment.account)
            event = f"comment:{comment.item.tracker}:{comment.id}"
            sheet.movements.append(Movement(event, "comment", comment.created, name, party, actor))
    for item in sheet.present():
        sheet.movements += assignments(sheet, item, name, party)


def stage_movement(sheet: Sheet, was: Agreed | None, stage: Agreed, party: str, last: Visit | None) -> Movement:
    """Entering a stage, at the time its tracker says: by its history where it tells, else by its record. A rebuilt link
    and one that a rule moved, at ours."""
    stages = sheet.setup.stages
    speaker = next((i for i in sheet.present() if i.side == stage.by), None)
    at, actor = sheet.now, ""
    reread = was is not None and bool(was.map)  # an edited file moved it, nobody's hand
    if speaker is not None and not speaker.rebuilt and not reread:
        record = sheet.record(speaker.ref)
        at, account = (last.moved.at, last.moved.account) if last else (record.updated, record.updated_by)
        at, actor = min(at, sheet.now), actor_of(sheet, speaker, account)
    reopened = was is not None and stages.get(str(was.value)).terminal
    event = f"{'reopened' if reopened else 'stage'}:{stage.serial}:{stage.value}"
    return Movement(event, "stage", at, str(stage.value), party, actor)


def rules(sheet: Sheet) -> Outlook:
    """Escalation on the values that the merge left, and what its firings ask for."""
    link = sheet.link
    movements = sorted((*link.movements, *sheet.movements), key=lambda m: m.at)
    since = link.opened or sheet.now
    armed = {rule.id: max(since, link.armed.get(rule.id, since)) for rule in sheet.setup.rules}
    outlook = escalate(sheet.setup, sheet.values(), current_last(movements), link.firings, armed, sheet.now)
    for due in outlook.fired:
        fire(sheet, due)
    return outlook


def current_last(movements: Sequence[Movement]) -> tuple[Movement, ...]:
    """The movements in time order with the latest stage standing at the end: two trackers' clocks may disagree about
    which came first, but where the link stands now is known."""
    stages = [m for m in movements if m.kind == "stage"]
    if not stages:
        return ()
    final = max(stages, key=lambda m: order(m.event))
    return tuple(replace(m, stage=final.stage, move=final.move) if m.at > final.at else m for m in movements)
