"""The writes that bring every item to what is agreed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.fields import Spelling
from mappings.model import Change, Native
from mappings.templates import Template
from sync.merging.status import STAGE
from sync.plan import Action, Write
from sync.sheet import Sheet, fingerprint_of, resting, told_value
from sync.state import Item


def writes(sheet: Sheet) -> list[Action]:
    """One write an item, with every field that is behind and the state."""
    actions: list[Action] = []
    for item in sheet.present():
        spellings = {
            name: spelling
            for name, verdict in sheet.verdicts.items()
            for ref, spelling in verdict.writes
            if ref == item.ref
        }
        prints = {name: fingerprint_of(full_spelling(sheet, item, name, s)) for name, s in spellings.items()}
        wanted = {n: s for n, s in spellings.items() if not resting(sheet, item.ref, n, prints[n])}
        if wanted:
            actions.append(write_of(sheet, item, wanted, prints))
    return actions


def full_spelling(sheet: Sheet, item: Item, name: str, spelling: Spelling) -> dict[str, Native]:
    """What would be sent for a field. A state counts with the fields that go with it and the state it leaves: when
    one of them changes, a refused move is tried again."""
    if name != STAGE:
        return dict(spelling)
    return {**dict(spelling), **state_fields(sheet, item.side), "from": sheet.record(item.ref).state}


def write_of(sheet: Sheet, item: Item, wanted: Mapping[str, Spelling], prints: Mapping[str, str]) -> Write:
    record = sheet.record(item.ref)
    state = str(wanted[STAGE][0][1]) if STAGE in wanted else None
    fields = {native: value for name, spelling in wanted.items() if name != STAGE for native, value in spelling}
    with_state = state_fields(sheet, item.side) if state is not None else {}
    agreed = {name: sheet.verdicts[name].agreed for name in wanted}
    told = {name: f"{name} is {told_value(sheet, name, a.value)}" for name, a in agreed.items()}
    words = [told[name] + (f" by {a.by}" if a.by else "") for name, a in agreed.items()]
    return Write(
        item.ref,
        item.side,
        Change(fields, state, with_state, record.version, record.mark, others(sheet, item.side, state)),
        agreed,
        {name: tuple(native for native, _ in spelling) for name, spelling in wanted.items()},
        prints,
        f"{record.key}: " + "; ".join(words),
    )


def others(sheet: Sheet, side: str, state: str | None) -> tuple[str, ...]:
    """The side's other states that count as the stage it is brought to; none for one that is put back elsewhere."""
    states = sheet.setup.stages.get(str(sheet.agreed[STAGE].value)).states.get(side, ()) if state is not None else ()
    return tuple(one for one in states if one != state) if state in states else ()


def state_fields(sheet: Sheet, side: str) -> dict[str, Native]:
    """The fields that the stage sets side by side with the state, filled from the common values."""
    stage = sheet.setup.stages.get(str(sheet.agreed[STAGE].value))
    values = {**sheet.values(), STAGE: stage.name}
    filled = {native: Template(text).render(values) for native, text in stage.with_state.get(side, {}).items()}
    return {native: text for native, text in filled.items() if text}
