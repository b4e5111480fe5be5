"""What moved the work, and what the rules do about work that did not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mappings.fields import Common
from mappings.people import party_of
from mappings.templates import Template
from sync.comments.discuss import Talk
from sync.escalation.escalate import Due, Outlook, escalate
from sync.escalation.visits import Visit, assignments, journey, on_the_way, order
from sync.escalation.visits import actor as actor_of
from sync.merging.agree import hold_unsaid, spoken_of
from sync.merging.merge import Agreed, impose
from sync.merging.status import STAGE
from sync.plan import Notify
from sync.sheet import Sheet, title
from sync.state import Movement, OwnRemark


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


def fire(sheet: Sheet, due: Due) -> None:
    """The actions of one step: what it sets joins the merge, what it says and sends is keyed by the firing."""
    step = due.rule.steps[due.step - 1]
    values = {**sheet.values(), **words_of(sheet, due)}
    why = f"rule {due.rule.id}, step {due.step}, due {due.at:%Y-%m-%d %H:%M} UTC"
    sheet.because(f"rule {due.rule.id}", f"step {due.step} is due since {due.at:%Y-%m-%d %H:%M} UTC")
    key = f"fire:{sheet.link.key}:{due.rule.id}:{due.episode}:{due.step}"
    for name, value in step.set.items():
        decree(sheet, name, value)
    if step.say:
        text = Template(step.say.text).render(values)
        items = sheet.link.on(step.say.on.side)
        sheet.remarks += [OwnRemark(key, item.ref, step.say.on.name, text, why) for item in items]
    if step.email:
        subject, text = (Template(t).render(values) for t in (step.email.subject, step.email.text))
        body = text or subject
        sheet.actions.append(Notify(f"{key}:email", "email", step.email.to, step.email.cc, subject, body, why))
    if step.teams:
        text = Template(step.teams_text).render(values) if step.teams_text else title(sheet)
        sheet.actions.append(Notify(f"{key}:teams", "teams", (step.teams,), (), title(sheet), text, why))


def decree(sheet: Sheet, name: str, value: Common) -> None:
    """A rule's word on a field: a new agreement that every side is behind of, unless it means it already."""
    declared = sheet.setup.fields[name]
    was = sheet.agreed.get(name, Agreed(None, 0))
    if was.value == value:
        return
    echoes = {i.ref: i.echoes.get(name) for i in sheet.link.items}
    echoes |= {ref: echo for ref, n, echo in sheet.echoes if n == name}
    verdict = impose(declared, was, spoken_of(sheet, declared, echoes), value)
    sheet.agreed[name] = verdict.agreed
    sheet.verdicts[name] = verdict
    sheet.echoes += [(ref, name, echo) for ref, echo in verdict.echoes]
    hold_unsaid(sheet, declared, verdict)


def words_of(sheet: Sheet, due: Due) -> dict[str, Common]:
    """What a rule's texts may name beside the declared fields: each side's item key, the move and the span."""
    stage = sheet.setup.stages.get(str(sheet.agreed[STAGE].value))
    words: dict[str, Common] = dict.fromkeys(sheet.setup.sides, "")
    words |= {item.side: item.key for item in reversed(sheet.link.items)}
    span = due.rule.quiet or due.rule.over_span or stage.target
    words[STAGE] = stage.name
    return {**words, "move": stage.move, "quiet": str(span or ""), "over": str(span or ""), "link": sheet.link.key}
