"""What the steps that fire do: what they say, set and send. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mappings.fields import Common
from mappings.templates import Template
from sync.escalation.clocks import Due
from sync.escalation.evidence import Evidence, as_data, facts, gathered
from sync.escalation.recipients import addressed, called_upon, mentions
from sync.merging.agree import hold_unsaid, spoken_of
from sync.merging.merge import Agreed, impose
from sync.merging.status import STAGE
from sync.ordering.give import give
from sync.plan import About, Notify
from sync.setup import Step
from sync.sheet import Sheet, title
from sync.state import Item, Movement, OwnRemark


@dataclass(frozen=True, slots=True)
class Shot:
    """One step as it fires: what its texts may name, why it does what it does, the key that names the firing for good,
    the evidence that its notices show, and the item on which somebody asked or typed the word, if that set it off."""

    due: Due
    step: Step
    values: Mapping[str, Common]
    why: str
    key: str
    evidence: Evidence
    asked: Item | None = None

    def text(self, template: str) -> str:
        return Template(template).render(self.values)

    @property
    def about(self) -> About:
        items = " · ".join(one.key for one in self.evidence.items)
        return About(items, self.due.rule.id, self.due.step, self.evidence.since)


def fire(sheet: Sheet, due: Due, movements: Sequence[Movement] = ()) -> tuple[str, ...]:
    """The actions of one step: what it sets joins the merge, what it says and sends is keyed by the firing. Returns
    whom it addressed: parties by name, others by address, rooms and hooks by theirs."""
    asked = asked_on(sheet, due, movements)
    values = {**sheet.values(), **own_values(sheet, asked), **words_of(sheet, due, asked)}
    why = f"rule {due.rule.id}, step {due.step}, due {due.at:%Y-%m-%d %H:%M} UTC"
    sheet.because(f"rule {due.rule.id}", f"step {due.step} is due since {due.at:%Y-%m-%d %H:%M} UTC")
    key = f"fire:{sheet.link.key}:{due.rule.id}:{due.episode}:{due.step}"
    shot = Shot(due, due.rule.steps[due.step - 1], values, why, key, gathered(sheet, due, movements), asked)
    for name, value in shot.step.set.items():
        if name != STAGE:
            decree(sheet, name, value)
    give(sheet, shot.step, key, why)
    told = [*say(sheet, shot), *mail(sheet, shot), *post(sheet, shot)]
    return tuple(dict.fromkeys(told))


def say(sheet: Sheet, shot: Shot) -> Sequence[str]:
    """The remark on each item of its side, those first who are called by name; on one alone where somebody asked there:
    one county's answer is no other's."""
    said = shot.step.say
    if said is None:
        return ()
    called = mentions(sheet.setup, shot.values, said.mention, said.on.side)
    alone = shot.asked is not None and shot.asked.side == said.on.side
    for item in (shot.asked,) if shot.asked and alone else sheet.link.on(said.on.side):
        own = OwnRemark(shot.key, item.ref, said.on.name, shot.text(said.text), shot.why, called)
        sheet.remarks.append(own)
    return called_upon(sheet.setup, shot.values, said.mention)


def mail(sheet: Sheet, shot: Shot) -> Sequence[str]:
    """The mail, in the one conversation that the link has, to whom its recipients mean now."""
    said = shot.step.email
    if said is None:
        return ()
    who = addressed(sheet.setup, shot.values, said.to, said.cc)
    subject, text = shot.text(said.subject), shot.text(said.text)
    thread = f"link:{sheet.setup.instance}:{sheet.link.key}"
    key, body = f"{shot.key}:email", text or subject
    letter = Notify(key, "email", who.to, who.cc, subject, body, shot.why, thread, shot.about)
    sheet.actions.append(shown(sheet, shot, replace(letter, first=is_first(sheet)), who.astray))
    return who.told


def is_first(sheet: Sheet) -> bool:
    """Whether the link's conversation begins with a mail now: where the state was lost, nobody knows, and a beginning
    that came twice would be dropped by its readers' mail servers."""
    sent = any(isinstance(action, Notify) and action.kind == "email" for action in sheet.actions)
    fired = any(firing.outcome == "fired" for firing in sheet.link.firings)
    return not (sent or fired or any(item.rebuilt for item in sheet.link.items))


def post(sheet: Sheet, shot: Shot) -> Sequence[str]:
    """The card and the webhook's message."""
    step, heading = shot.step, title(sheet)
    text = shot.text(step.teams_text) if step.teams_text else heading
    told: list[str] = []
    for kind, name in (("teams", step.teams), ("webhook", step.webhook)):
        if name:
            message = Notify(f"{shot.key}:{kind}", kind, (name,), (), heading, text, shot.why, about=shot.about)
            sheet.actions.append(shown(sheet, shot, message, ()))
            told.append(f"{kind} {name}")
    return told


def shown(sheet: Sheet, shot: Shot, message: Notify, astray: tuple[str, ...]) -> Notify:
    """A message with its evidence."""
    evidence = replace(shot.evidence, astray=astray)
    links = tuple((one.key, one.url) for one in evidence.items)
    data = {"instance": sheet.setup.instance, "link": sheet.link.key, **as_data(evidence)}
    data = data if message.kind == "webhook" else {}
    return replace(message, facts=facts(sheet.setup, evidence), links=links, data=data)


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


def asked_on(sheet: Sheet, due: Due, movements: Sequence[Movement]) -> Item | None:
    """The item on which somebody said what the episode is about; ``None`` where no word set it off."""
    said = next((m for m in movements if m.event == due.episode and m.kind in ("comment", "word")), None)
    set_off = said is not None and (due.rule.concern or bool(due.rule.said))
    return next((i for i in sheet.present() if set_off and said and i.key == said.item), None)


def own_values(sheet: Sheet, item: Item | None) -> dict[str, Common]:
    """What an item says of its own fields, where several on its side may say different things: whose question it is."""
    if item is None:
        return {}
    natives = sheet.record(item.ref).fields
    declared = (f for f in sheet.setup.fields.values() if item.side in f.natives and not f.source)
    meant = {f.name: f.meanings(item.side, f.spelled(item.side, natives)) for f in declared}
    agreed = sheet.values()
    return {n: agreed[n] if agreed.get(n) in some else some[0] for n, some in meant.items() if some and some[0]}


def words_of(sheet: Sheet, due: Due, asked: Item | None = None) -> dict[str, Common]:
    """What a rule's texts may name beside the declared fields: each side's item key, the move and the span."""
    stage = sheet.setup.stages.get(str(sheet.agreed[STAGE].value))
    words: dict[str, Common] = dict.fromkeys(sheet.setup.sides, "")
    words |= {item.side: item.key for item in (*reversed(sheet.link.items), *([asked] if asked else []))}
    span = due.rule.quiet or due.rule.over_span or stage.target
    words[STAGE] = stage.name
    return {**words, "move": stage.move, "quiet": str(span or ""), "over": str(span or ""), "link": sheet.link.key}
