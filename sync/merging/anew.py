"""Reading agreed values anew where an edited file made their spellings mean something else. Pure.

Nobody changed anything then: what the sides last settled on is read from the same spellings under the new meaning,
from the one whose word counts. Items that mean it are in step, the others are behind and are written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from mappings.fields import Common
from mappings.stages import StageMap
from sync.merging.merge import Agreed, Echo, Meaning, Spoken, said
from sync.sheet import Sheet, told_value

NOTHING: tuple[tuple[Common, ...], ...] = ((), (None,), ((),))


def edited(agreed: Agreed | None, digest: str) -> bool:
    """Whether the value was agreed under another meaning than ``digest`` identifies."""
    return agreed is not None and agreed.map not in ("", digest)


def unread(sheet: Sheet, sides: Collection[str]) -> bool:
    """Whether an item that may have the word could not be read: what was agreed is then read anew later."""
    items = (i for i in sheet.link.items if i.side in sides and not i.gone)
    return any(i.ref not in sheet.seen.records for i in items)


def read_anew(
    sheet: Sheet, name: str, meaning: Meaning, spoken: Sequence[Spoken], readers: Sequence[Spoken]
) -> tuple[Agreed, list[Spoken]]:
    """A new agreement from what the first of ``readers`` who says something stands by, and everyone with their echo
    under it. Notes the echoes of those in step."""
    former = sheet.link.agreed[name]
    options = {s.ref: meant for s in readers if (meant := stands_by(meaning, former, s)) not in NOTHING}
    speaker = next((s for s in readers if s.ref in options), None)
    value = former.value
    if speaker is not None and value not in options[speaker.ref]:
        value = said(options[speaker.ref], list(options.values()))
    agreed = Agreed(value, former.serial + 1, speaker.side if speaker else former.by)
    renewed = [under(meaning, s, former, agreed) for s in spoken]
    was = {s.ref: s.echo for s in spoken}
    sheet.echoes += [(s.ref, name, s.echo) for s in renewed if s.echo is not None and s.echo != was[s.ref]]
    shown = told_value(sheet, name, value)
    sheet.because(name, f"{name} is {shown}: read anew from {agreed.by or 'a rule'}, for the edited file")
    return agreed, renewed


def stands_by(meaning: Meaning, former: Agreed, spoken: Spoken) -> tuple[Common, ...]:
    """What an item's part in the former agreement means now; nothing where it follows or had not heard of it yet. Of
    one whose side is new to the field, what it says."""
    if spoken.follows or (spoken.echo is not None and spoken.echo.serial < former.serial):
        return ()
    return meaning.meanings(spoken.side, spoken.echo.spelling if spoken.echo else spoken.spelling)


def under(meaning: Meaning, spoken: Spoken, former: Agreed, agreed: Agreed) -> Spoken:
    """An item in step with the former agreement is in step with the new one where its spelling means that. One that
    its people have changed since had seen what was agreed: theirs is a change of it, and not one made beside it."""
    echo = spoken.echo
    if echo is None or echo.serial < former.serial:
        return spoken
    meant, now = (meaning.meanings(spoken.side, spelling) for spelling in (echo.spelling, spoken.spelling))
    changed = spoken.spelling not in (echo.spelling, echo.sent) and not set(meant) & set(now)
    empty = agreed.value in (None, ()) and meant in NOTHING[1:]
    if not (changed or empty or agreed.value in meant):
        return spoken
    return replace(spoken, echo=Echo(echo.spelling, agreed.serial, echo.sent))


def deciding_first(stages: StageMap, former: Agreed, spoken: Sequence[Spoken]) -> list[Spoken]:
    """Who is asked where the work stands, first to last: the side that decides the agreed stage; without one, the
    side that decides the stage it stands in, and of several the furthest. A side without a word for the agreed stage
    says nothing of it."""
    id = str(former.value)
    decider = stages.get(id).decided_by
    worded = [s for s in spoken if stages.spelling(s.side, id) is not None]

    def order(one: Spoken) -> tuple[bool, bool, int]:
        spelling = one.echo.spelling if one.echo else one.spelling
        meant = stages.meanings(one.side, str(spelling[0][1] or ""))
        own = any(stages.get(stage).decided_by == one.side for stage in meant)
        return one.side != decider, not own, -max((stages.rank(stage) for stage in meant), default=-1)

    return sorted(worded or spoken, key=order)
