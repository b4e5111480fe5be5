"""What the sides settle on: the status and every declared field, merged, and whose word did not stand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from mappings.fields import Field, Spelling
from mappings.model import Ref
from sync.merging.anew import deciding_first, edited, read_anew, unread
from sync.merging.merge import Agreed, Claim, Echo, Spoken, Verdict, merge, owners_word
from sync.merging.status import STAGE, StatusMeaning, deciders_word, spelled
from sync.ordering.stage import stage_ordered
from sync.sheet import Sheet, fingerprint_of, key_of, told, told_value
from sync.speaking.follow import final_ones, follow_stage, just_came, reopens
from sync.speaking.gate import ask_to_wait, barred, grant, remember_wish, waited, why_barred
from sync.speaking.lead import crowded, follows, sides_echo
from sync.state import Item, OwnRemark


def merge_status(sheet: Sheet) -> None:
    """The stage of the link, and which items must be brought to it."""
    setup, link = sheet.setup, sheet.link
    meaning = StatusMeaning(setup.stages, link.before)
    items = [i for i in by_precedence(sheet, "", ()) if i.side in setup.stages.sides()]
    heard = [i for i in items if not (follows(sheet, i) or just_came(sheet, i)) or reopens(sheet, i)]
    spoken = [Spoken(i.ref, i.side, spelled(sheet.record(i.ref).state), sides_echo(sheet, i)) for i in heard]
    choose = deciders_word(setup.stages, link.before, tuple(setup.sides), partial(barred, sheet))
    agreed = link.agreed.get(STAGE)
    if agreed is not None and edited(agreed, setup.stages.digest):
        if unread(sheet, setup.stages.sides()):
            return
        agreed, spoken = read_anew(sheet, STAGE, meaning, spoken, deciding_first(setup.stages, agreed, spoken))
    verdict = merge(meaning, agreed, spoken, choose)
    verdict = grant(sheet, meaning, verdict, spoken) or verdict
    sheet.granted = sheet.granted or waited(sheet, verdict)
    verdict = stage_ordered(sheet, meaning, verdict, spoken) or verdict
    verdict = final_ones(sheet, follow_stage(sheet, meaning, verdict, [i for i in items if i not in heard]))
    wordless = tuple((s.ref, Echo(s.spelling, verdict.agreed.serial)) for s in verdict.wordless)
    keep_unshown(sheet, STAGE, [Spoken(i.ref, i.side, spelled(sheet.record(i.ref).state)) for i in items])
    took(sheet, STAGE, replace(verdict, echoes=verdict.echoes + wordless, wordless=()))
    for s in verdict.unmapped:
        state, side = str(s.spelling[0][1]), s.side
        advice = f'list "{state}" under the stage it belongs to: {side} = ["{state}"]'
        sheet.hold(s.ref, STAGE, f'no stage lists the {side} state "{state}" of {key_of(sheet, s.ref)}', advice)
    remember_pause(sheet, link.agreed.get(STAGE), verdict.agreed)


def remember_pause(sheet: Sheet, was: Agreed | None, is_now: Agreed) -> None:
    """A paused stage remembers where it returns to."""
    stages = sheet.setup.stages
    if was is None or was.value == is_now.value:
        return
    if stages.get(str(is_now.value)).paused and not stages.get(str(was.value)).paused:
        sheet.before = str(was.value)
    elif not stages.get(str(is_now.value)).paused:
        sheet.before = ""


def merge_field(sheet: Sheet, declared: Field) -> None:
    """One declared field over the sides that have it."""
    known = {i.ref: i.echoes.get(declared.name) for i in sheet.link.items}
    spoken = spoken_of(sheet, declared, known)
    if not spoken:
        return
    choose = owners_word(declared.owner, (*declared.prefer, *sheet.setup.sides), declared.exclusive)
    agreed = sheet.link.agreed.get(declared.name)
    if edited(agreed, declared.digest):
        if unread(sheet, declared.natives):
            return
        agreed, spoken = read_anew(sheet, declared.name, declared, spoken, spoken)
    verdict = merge(declared, agreed, spoken, choose)
    # how an item was born is kept even where it says the same still: later nobody could tell
    born = [(s.ref, s.echo) for s in spoken if s.echo is not None and known.get(s.ref) is None]
    verdict = replace(verdict, echoes=tuple({**dict(born), **dict(verdict.echoes)}.items()))
    took(sheet, declared.name, verdict)
    hold_unsaid(sheet, declared, verdict)
    keep_unshown(sheet, declared.name, spoken)


def keep_unshown(sheet: Sheet, name: str, spoken: Sequence[Spoken]) -> None:
    """What a tracker acknowledged and does not show stays held until the item says something else."""
    for s in spoken:
        held = next((h for h in sheet.link.held if (h.ref, h.what) == (s.ref, name)), None)
        if held is not None and held.fingerprint == shown(s.spelling):
            sheet.holds[s.ref, name] = held


def shown(spelling: Spelling) -> str:
    """The fingerprint of what an item shows in place of what was written."""
    return f"shows:{fingerprint_of(dict(spelling))}"


def spoken_of(sheet: Sheet, declared: Field, echoes: Mapping[Ref, Echo | None]) -> list[Spoken]:
    """What every item that has the field says of it."""
    items = [i for i in by_precedence(sheet, declared.owner, declared.prefer) if i.side in declared.natives]
    return [
        Spoken(
            i.ref,
            i.side,
            declared.spelled(i.side, sheet.record(i.ref).fields),
            of_field(declared, i.side, echoes.get(i.ref)) or unborn(sheet, declared, i),
            follows(sheet, i),
            crowded(sheet, i.side),
        )
        for i in items
    ]


def of_field(declared: Field, side: str, echo: Echo | None) -> Echo | None:
    """The echo, unless it is of other native fields, which an edited file has replaced."""
    natives = tuple(native for native, _ in echo.spelling) if echo else ()
    return echo if natives == declared.natives[side] else None


def unborn(sheet: Sheet, declared: Field, item: Item) -> Echo | None:
    """Before it was opened by a route an item said nothing: what its tracker gave it at birth, its number above all, is
    its owner's change, where nobody had said anything of the field yet. ``None`` where that is not how it came."""
    agreed, born = sheet.link.agreed.get(declared.name), item.echoes.get(STAGE)
    made = born is not None and born.serial == 0 and not (item.joined or item.rebuilt)
    if not made or declared.owner != item.side or agreed is None or agreed.value not in (None, ()):
        return None
    return Echo(tuple((native, None) for native in declared.natives[item.side]), agreed.serial)


def hold_unsaid(sheet: Sheet, declared: Field, verdict: Verdict) -> None:
    """Sets aside what the file maps to nothing, and sides that have no word for what is agreed."""
    for s in verdict.unmapped:
        value = ", ".join(f"{n} {v!r}" for n, v in s.spelling)
        sheet.hold(
            s.ref,
            declared.name,
            f"{key_of(sheet, s.ref)} has {value}, which the file maps to no {declared.name}",
            f"add it to the values of [fields.{declared.name}], as an alternative of one that is there",
        )
    for s in verdict.wordless if not any(map(declared.only_read, declared.natives)) else ():
        sheet.hold(
            s.ref,
            declared.name,
            f"{s.side} has no word for {declared.name} = {verdict.agreed.value!r}",
            f"give that value a spelling for {s.side} in [fields.{declared.name}]",
        )


def by_precedence(sheet: Sheet, owner: str, prefer: Sequence[str]) -> list[Item]:
    """The items present, those whose word comes first for a first agreement ahead: owner, preferred, opener."""
    source = sheet.link.source
    order = [owner, *prefer] if owner else list(prefer)
    return sorted(
        sheet.present(),
        key=lambda i: (order.index(i.side) if i.side in order else len(order), i.ref != source),
    )


def took(sheet: Sheet, name: str, verdict: Verdict) -> None:
    """Notes a verdict, what it settles without a write, and whose word did not stand."""
    if verdict.agreed.serial:
        sheet.agreed[name] = verdict.agreed
    sheet.verdicts[name] = verdict
    sheet.echoes += [(ref, name, echo) for ref, echo in verdict.echoes]
    choice = verdict.choice
    if choice is None:
        return
    for claim in choice.waiting:
        ask_to_wait(sheet, claim)
    if choice.waiting and not choice.restored:
        return
    sheet.because(
        name, f"{name} is {told_value(sheet, name, verdict.agreed.value)}: {choice.by or 'a rule'} changed it"
    )
    for claim in choice.restored:
        note_claim(sheet, name, claim, restored=True)
    for claim in choice.overridden:
        note_claim(sheet, name, claim, restored=False)


def note_claim(sheet: Sheet, name: str, claim: Claim, *, restored: bool) -> None:
    """Keeps a word that did not stand: in the journal, and in a note for the people of the item it came from."""
    agreed = sheet.agreed[name]
    stands, word = (told_value(sheet, name, value) for value in (agreed.value, claim.value))
    by = agreed.by or "a rule"
    if restored:
        stage = sheet.setup.stages.get(str(sheet.link.agreed[STAGE].value)) if name == STAGE else None
        owner = (stage.decided_by if stage else "") or (sheet.setup.fields[name].owner if not stage else "another side")
        why = f"{name} is put back to {stands}: it is for {owner} to change, {claim.side} said {word}"
    else:
        said = f"{by} said {stands}, {claim.side} said {word}"
        why = f"{name} was changed on two sides at once: {said}; the word of {by} stands"
    gate = why_barred(sheet, claim, str(agreed.value)) if name == STAGE and restored else ""
    why = gate or why
    sheet.because(name, why)
    if gate:
        remember_wish(sheet, claim, agreed, gate)
    if claim.ref is None:
        return
    changed = fingerprint_of({name: repr(claim.value)})
    id = f"note:{sheet.link.key}:{name}:{agreed.serial}:{sheet.link.item(claim.ref).acked}:{changed}"
    if told(sheet, id, claim.ref):
        return
    sheet.conflicts.append((name, claim.side, claim.value))
    channel = sheet.seen.facts[claim.ref.tracker].note_channel
    sheet.remarks.append(OwnRemark(id, claim.ref, channel, why, why))
