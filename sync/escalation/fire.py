"""What the steps that fire do: what they say, set and send. Pure."""

from __future__ import annotations

from mappings.fields import Common
from mappings.templates import Template
from sync.escalation.escalate import Due
from sync.merging.agree import hold_unsaid, spoken_of
from sync.merging.merge import Agreed, impose
from sync.merging.status import STAGE
from sync.plan import Notify
from sync.sheet import Sheet, title
from sync.state import OwnRemark


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
