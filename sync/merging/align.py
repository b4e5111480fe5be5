"""What differs between items that came together as they were: shown, and left until the owner's next change or a
person's word. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from mappings.fields import Common, Spelling
from mappings.model import Ref
from sync.merging.merge import Echo, Meaning, Verdict
from sync.merging.status import STAGE, StatusMeaning, spelled
from sync.plan import Proposal
from sync.sheet import Sheet, fingerprint_of
from sync.speaking.lead import follows
from sync.state import Item

#: characters of a value that are shown
SHOWN = 40


def align(sheet: Sheet) -> None:
    """Tells of every field that differs, and brings the items to what is agreed where a person approved it."""
    if len({item.side for item in sheet.present()}) < 2:
        return
    for name, verdict in list(sheet.verdicts.items()):
        meaning = meaning_of(sheet, name)
        behind = {ref: wanted for ref, wanted in differing(sheet, name, verdict, meaning) if wanted is not None}
        if not behind:
            continue
        words = difference(sheet, name, verdict, meaning)
        sheet.because(name, words)
        print = fingerprint_of({"agreed": repr(verdict.agreed.value), **{str(ref): "" for ref in behind}})
        key = f"align {sheet.link.key} {name} {print}"
        if key in sheet.approved:
            sheet.verdicts[name] = replace(verdict, writes=(*verdict.writes, *behind.items()))
            sheet.echoes += outdated(sheet, name, verdict, behind)
        else:
            sheet.proposals.append(Proposal(key, "align", sheet.link.source, words))


def outdated(sheet: Sheet, name: str, verdict: Verdict, refs: Collection[Ref]) -> Iterator[tuple[Ref, str, Echo]]:
    """What a person approved stands: the items are behind what is agreed until they show it, so that a later pass
    finishes what a tracker does not take now."""
    for item in sheet.present():
        if item.ref in refs and (said := said_by(sheet, name, item)) is not None:
            yield item.ref, name, Echo(said, verdict.agreed.serial - 1)


def meaning_of(sheet: Sheet, name: str) -> Meaning:
    """How the spellings of a field, or of the status, are understood."""
    return StatusMeaning(sheet.setup.stages, sheet.link.before) if name == STAGE else sheet.setup.fields[name]


def said_by(sheet: Sheet, name: str, item: Item) -> Spelling | None:
    """How an item spells the field now; ``None`` where its side does not have it."""
    record = sheet.record(item.ref)
    if name == STAGE:
        return spelled(record.state) if item.side in sheet.setup.stages.sides() else None
    declared = sheet.setup.fields[name]
    return declared.spelled(item.side, record.fields) if item.side in declared.natives else None


def differing(sheet: Sheet, name: str, verdict: Verdict, meaning: Meaning) -> Iterator[tuple[Ref, Spelling | None]]:
    """The items that speak for their side and are in step with another value, each with how it would be spelled
    there. What is behind, held or has no meaning here is another matter."""
    agreed, written = verdict.agreed, {ref for ref, _ in verdict.writes}
    settled = dict(verdict.echoes)
    for item in sheet.present() if agreed.value not in (None, ()) else ():
        said = said_by(sheet, name, item)
        echo = settled.get(item.ref, item.echoes.get(name))
        if said is None or item.ref in written or item.left or follows(sheet, item):
            continue
        meant = meaning.meanings(item.side, said)
        if meant and agreed.value not in meant and echo is not None and echo.serial == agreed.serial:
            yield item.ref, meaning.spelling(item.side, agreed.value)


def difference(sheet: Sheet, name: str, verdict: Verdict, meaning: Meaning) -> str:
    """``priority differs: INC0010003 2, SHOP-3 3; waits for approval or incident's next change``."""
    values = []
    for item in sheet.present():
        said = said_by(sheet, name, item)
        meant = meaning.meanings(item.side, said) if said is not None else ()
        if meant and not follows(sheet, item):
            values.append(f"{item.key} {shown(sheet, name, meant[0])}")
    owner = sheet.setup.fields[name].owner if name in sheet.setup.fields else ""
    whose = f"{owner or verdict.agreed.by}'s" if owner or verdict.agreed.by else "somebody's"
    return f"{name} differs: {', '.join(values)}; waits for approval or {whose} next change"


def shown(sheet: Sheet, name: str, value: Common) -> str:
    """A value in few characters."""
    if name == STAGE:
        return f'"{sheet.setup.stages.get(str(value)).name}"'
    text = ", ".join(value) if isinstance(value, tuple) else "(empty)" if value is None else str(value)
    text = " ".join(text.split())
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return f'"{text}"' if isinstance(value, str) else text
