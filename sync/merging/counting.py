"""Fields that Lockstep counts itself from all the items of a link: how many there are, and what they say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mappings.fields import Common, Field
from mappings.templates import in_words
from sync.merging.agree import keep_unshown, spoken_of, took
from sync.merging.merge import Agreed, Echo, Spoken, Verdict
from sync.sheet import Sheet, fingerprint_of, say_once
from sync.state import Item


def count_field(sheet: Sheet, declared: Field) -> None:
    """A counted field: its value is nobody's word, so that what people write over it is put back."""
    value = counted(sheet, declared)
    was = sheet.link.agreed.get(declared.name)
    new = Agreed(value, (was.serial if was else 0) + 1)
    agreed = replace(was, map="") if was is not None and was.value == value else new
    spoken = spoken_of(sheet, declared, {i.ref: i.echoes.get(declared.name) for i in sheet.link.items})
    behind = [s for s in spoken if not in_step(declared, agreed, s)]
    told = [(s, declared.spelling(s.side, value)) for s in behind]
    echoes = tuple((s.ref, now) for s in spoken if s not in behind and (now := heard(s, agreed)) != s.echo)
    writes = tuple((s.ref, wanted) for s, wanted in told if wanted is not None)
    took(sheet, declared.name, Verdict(agreed, echoes=echoes, writes=writes))
    keep_unshown(sheet, declared.name, spoken)
    for s in behind:
        if s.echo is not None and s.echo.serial >= agreed.serial:
            tell_counted(sheet, declared, agreed, s)


def in_step(declared: Field, agreed: Agreed, s: Spoken) -> bool:
    """Whether an item shows the value, or what its tracker made of it when it was written."""
    if agreed.value in declared.meanings(s.side, s.spelling):
        return True
    return s.echo is not None and s.echo.serial >= agreed.serial and s.spelling == s.echo.spelling


def heard(s: Spoken, agreed: Agreed) -> Echo:
    return Echo(s.spelling, agreed.serial)


def tell_counted(sheet: Sheet, declared: Field, agreed: Agreed, s: Spoken) -> None:
    """Whoever wrote over it hears once that it is not theirs to write."""
    text = f"{declared.label or declared.name} is put back to {in_words(agreed.value) or 'nothing'}: Lockstep counts it"
    print = fingerprint_of(dict(s.spelling))
    say_once(sheet, f"note:{sheet.link.key}:{declared.name}:{agreed.serial}:{print}", s.ref, text)


def counted(sheet: Sheet, declared: Field) -> Common:
    """How many items of a side there are; or what another field says on all items that have it: how many different
    values, the values as a list, or in one text."""
    if declared.source in sheet.setup.sides:
        return len(sheet.link.on(declared.source))
    values = said(sheet, sheet.setup.fields[declared.source], (i for i in sheet.link.items if not i.gone))
    if declared.type == "integer":
        return len(values)
    return values if declared.type == "list" else ", ".join(values) or None


def said(sheet: Sheet, source: Field, items: Iterable[Item]) -> tuple[str, ...]:
    """What a field says on the items, each value once, in the order of the alphabet; on those that were not read now,
    as they were last seen."""
    found: set[str] = set()
    for item in items:
        if item.side not in source.natives:
            continue
        record, echo = sheet.seen.records.get(item.ref), item.echoes.get(source.name)
        spelling = source.spelled(item.side, record.fields) if record else echo.spelling if echo else ()
        for value in source.meanings(item.side, spelling)[:1] if spelling else ():
            found |= set(value) if isinstance(value, tuple) else {in_words(value)}
    return tuple(sorted(found - {""}))
