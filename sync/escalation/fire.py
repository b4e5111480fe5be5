"""What the steps that fire do: what they say, set and send. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mappings.disclosure import Mask, masked
from mappings.fields import Common
from mappings.templates import Template
from mappings.text import clean
from mappings.wording import in_utc
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
from sync.speaking.lead import opening_side, speaking
from sync.state import Item, Movement, OwnRemark

#: the longest text that a rule says or sends
LONGEST = 10_000


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
    masks: Sequence[Mask] = ()

    def text(self, template: str) -> str:
        """The admin's words with what fields say filled in; what never crosses does not cross here either. Whole
        documents that people put into a field stay there: they would become dozens of remarks."""
        text = masked(clean(Template(template).render(self.values))[0], self.masks)
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

    @property
    def about(self) -> About:
        items = " · ".join(one.key for one in self.evidence.items)
        return About(items, self.due.rule.id, self.due.step, self.evidence.since)


def fire(sheet: Sheet, due: Due, movements: Sequence[Movement] = ()) -> tuple[str, ...]:
    """The actions of one step: what it sets joins the merge, what it says and sends is keyed by the firing. Returns
    whom it addressed: parties by name, others by address, rooms and hooks by theirs."""
    asked = asked_on(sheet, due, movements)
    values = {**sheet.values(), **own_values(sheet, asked), **words_of(sheet, due, asked)}
    why = f"rule {due.rule.id}, step {due.step}, due {in_utc(due.at)}"
    sheet.because(f"rule {due.rule.id}", f"step {due.step} is due since {in_utc(due.at)}")
    key = f"fire:{sheet.link.key}:{due.rule.id}:{due.episode}:{due.step}"
    step, evidence = due.rule.steps[due.step - 1], gathered(sheet, due, movements)
    shot = Shot(due, step, values, why, key, evidence, asked, sheet.setup.masks)
    for name, value in shot.step.set.items():
        if name != STAGE:
            decree(sheet, name, value)
    give(sheet, shot.step, key, why)
    told = [*say(sheet, shot), *mail(sheet, shot), *post(sheet, shot)]
    return tuple(dict.fromkeys(told))


def say(sheet: Sheet, shot: Shot) -> Sequence[str]:
    """The remark on each item of its side, those first who are called by name; on one alone where somebody asked there:
    one county's answer is no other's. On each of several it says what that one says of itself."""
    said = shot.step.say
    if said is None:
        return ()
    side, told = said.on.side, list[str]()
    answered = shot.asked is not None and shot.asked.side == side
    items = (shot.asked,) if shot.asked and answered else sheet.link.on(side)
    for item in items:
        own = {**shot.values, **own_values(sheet, item), side: item.key} if len(items) > 1 else shot.values
        there = replace(shot, values=own)
        called = mentions(sheet.setup, there.values, said.mention, side)
        sheet.remarks.append(OwnRemark(shot.key, item.ref, said.on.name, there.text(said.text), shot.why, called))
        told += called_upon(sheet.setup, there.values, said.mention)
    return told


def mail(sheet: Sheet, shot: Shot) -> Sequence[str]:
    """The mail, in the one conversation that the link has, to whom its recipients mean now."""
    said = shot.step.email
    if said is None:
        return ()
    who = addressed(sheet.setup, shot.values, said.to, said.cc)
    subject, text = shot.text(said.subject), shot.text(said.text)
    thread = f"link:{sheet.setup.instance}:{sheet.link.key}"
    key, body = f"{shot.key}:email", text or subject
    to = tuple(one for one in who.to if one not in who.outside)
    letter = Notify(key, "email", to, who.cc, subject, body, shot.why, thread, shot.about)
    ours = replace(letter, cc=tuple(one for one in who.cc if one not in who.outside))
    strangers = [one for one in (*who.to, *who.cc) if one in who.outside]
    letters = [shown(sheet, shot, ours, who.astray)] if to or not strangers else []
    letters += [bare(sheet, shot, replace(letter, to=(one,), cc=())) for one in strangers]
    # who is only ever in copy is in copy of what there is
    letters[0] = replace(letters[0], cc=ours.cc, first=is_first(sheet))
    sheet.actions += (replace(one, key=f"{key}{n}" if n > 1 else key) for n, one in enumerate(letters, 1))
    return who.told


def bare(sheet: Sheet, shot: Shot, letter: Notify) -> Notify:
    """A mail that leaves the house: the admin's words, and where the work is that its reader asked for. Who works on
    it, in which items, who was told and what comes next is nobody else's business; nor is who else gets it, so that
    each such reader has a mail of their own."""
    asking = {side for party in sheet.setup.parties if party.requester for side in party.sides}
    sides = asking & {item.side for item in sheet.link.items} or {opening_side(sheet.link)}
    own = [one for one in shot.evidence.items if one.side in sides and one.key == shot.values.get(one.side)]
    about = About(" · ".join(one.key for one in own), "", 0, shot.evidence.since)
    return replace(letter, about=about, links=tuple((one.key, one.url) for one in own))


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
    told = tuple((label, masked(text, shot.masks)) for label, text in facts(sheet.setup, evidence))
    data = {"instance": sheet.setup.instance, "link": sheet.link.key, **as_data(evidence)}
    data = data if message.kind == "webhook" else {}
    return replace(message, facts=told, links=links, data=data)


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
    """What an item says of its own fields, where several on its side may say different things: whose question it is.
    What another side has the word on is the link's. Where the item says nothing, what another of its side says is not
    its own word either."""
    if item is None:
        return {}
    record = sheet.seen.records.get(item.ref)
    alone = len(sheet.link.on(item.side)) == 1
    found: dict[str, Common] = {}
    for declared in (f for f in sheet.setup.fields.values() if item.side in f.natives and not f.source):
        agreed = sheet.agreed.get(declared.name, Agreed(None, 0))
        if agreed.value is not None and agreed.by != item.side:
            continue
        meant = declared.meanings(item.side, declared.spelled(item.side, record.fields)) if record else ()
        if meant and meant[0]:
            found[declared.name] = agreed.value if agreed.value in meant else meant[0]
        elif not alone:
            found[declared.name] = None
    return found


def speakers(sheet: Sheet) -> tuple[Item, ...]:
    """The item of each side whose word stands for it."""
    found = (speaking(sheet, side) for side in sheet.setup.sides)
    return tuple(sheet.link.item(ref) for ref in found if ref is not None)


def words_of(sheet: Sheet, due: Due, asked: Item | None = None) -> dict[str, Common]:
    """What a rule's texts may name beside the declared fields: each side's item key, the move and the span."""
    stage = sheet.setup.stages.get(str(sheet.agreed[STAGE].value))
    words: dict[str, Common] = dict.fromkeys(sheet.setup.sides, "")
    words |= {
        item.side: item.key for item in (*reversed(sheet.link.items), *speakers(sheet), *([asked] if asked else []))
    }
    span = due.rule.quiet or due.rule.over_span or stage.target
    words[STAGE] = stage.name
    return {**words, "move": stage.move, "quiet": str(span or ""), "over": str(span or ""), "link": sheet.link.key}
