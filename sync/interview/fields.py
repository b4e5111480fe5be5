"""Proposes fields: what both sides have, and value maps by rank. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.description import Items, NativeField
from mappings.fields import Spelling
from sync.interview.answers import plain

#: meanings that are kept in step from the start
KEPT = ("summary", "description")
#: fewest letters of a label that two sides may share by more than chance
_TELLING = 6
#: most of them that are shown
MOST = 8


@dataclass(frozen=True, slots=True)
class ProposedField:
    """A field by side; ``rows`` are the value map, each with the ways in which a side spells it, the first written,
    and what people call them. ``choices`` are shown beside a field of one side."""

    name: str
    natives: Mapping[str, tuple[str, ...]]
    type: str = "text"
    rows: tuple[tuple[int, Mapping[str, tuple[Spelling, ...]]], ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def propose_fields(sides: Mapping[str, Items]) -> tuple[ProposedField, ...]:
    """Summary and description, priority by rank, and a category for conditions."""
    found = []
    for meaning in KEPT:
        natives = {side: (known,) for side, items in sides.items() if (known := native_of(items, meaning))}
        if len(natives) > 1:
            found.append(ProposedField(meaning, natives))
    if priority := ranked("priority", sides):
        found.append(priority)
    for side, items in sides.items():
        if category := native_of(items, "category", writable=False):
            labels = {side: dict(items.fields[category].choices)}
            found.append(ProposedField("category", {side: (category,)}, labels=labels))
            break
    return tuple(found)


def namesakes(sides: Mapping[str, Items], taken: Collection[str]) -> tuple[ProposedField, ...]:
    """Fields that several sides call alike: worth a look, not proposed. Those with values to choose from first.
    ``taken`` are native fields that have a use already."""
    called: dict[str, dict[str, NativeField]] = {}
    for side, items in sides.items():
        for name, one in items.fields.items():
            if one.name == name and name not in (*taken, *items.marks) and is_telling(one):
                called.setdefault(one.label.casefold(), {}).setdefault(side, one)
    alike = [(label, ones) for label, ones in called.items() if len(ones) > 1]
    alike.sort(key=lambda pair: (not all(one.choices for one in pair[1].values()), pair[0]))
    return tuple(namesake(label, ones) for label, ones in alike[:MOST])


def is_telling(one: NativeField) -> bool:
    """Whether its name alone may say that it means the same elsewhere."""
    return one.writable and not one.meaning and not one.refers and len(one.label) >= _TELLING


def namesake(label: str, ones: Mapping[str, NativeField]) -> ProposedField:
    types = {one.type for one in ones.values()}
    return ProposedField(
        plain(label), {side: (one.name,) for side, one in ones.items()}, types.pop() if len(types) == 1 else "text"
    )


def native_of(items: Items, meaning: str, *, writable: bool = True) -> str:
    found = (n for n, one in items.fields.items() if one.meaning == meaning and one.name == n)
    return next((name for name in found if items.fields[name].writable or not writable), "")


# -- rank


def ranked(meaning: str, sides: Mapping[str, Items]) -> ProposedField | None:
    """A value map by order: highest with highest, lowest with lowest. The first side's count is everyone's."""
    scales = {side: scale for side, items in sides.items() if len(scale := scale_of(items, meaning)) > 1}
    if len(scales) < 2:
        return None
    count = len(next(iter(scales.values())))
    natives = {side: tuple(name for name, _ in scale[0][0]) for side, scale in scales.items()}
    rows = tuple(
        (rank + 1, {side: spread(scale, count)[rank] for side, scale in scales.items()}) for rank in range(count)
    )
    labels = {side: labels_of(sides[side], names) for side, names in natives.items()}
    return ProposedField(meaning, natives, "integer", rows, labels)


def scale_of(items: Items, meaning: str) -> tuple[tuple[Spelling, ...], ...]:
    """The levels of a side, the highest first, each with the ways to spell it."""
    if meaning in items.scales:
        return items.scales[meaning]
    native = items.fields.get(native_of(items, meaning))
    return tuple((((native.name, value),),) for value in native.choices) if native else ()


def spread(scale: Sequence[tuple[Spelling, ...]], count: int) -> list[tuple[Spelling, ...]]:
    """A scale stretched or squeezed to ``count`` levels: each level is spelled, and every spelling has a level."""
    here, there = max(1, len(scale) - 1), max(1, count - 1)
    levels: list[tuple[Spelling, ...]] = []
    for rank in range(count):
        nearest = round(rank * here / there)
        own = [at for at in range(len(scale)) if round(at * there / here) == rank and at != nearest]
        levels.append(tuple(spelling for at in (nearest, *own) for spelling in scale[at]))
    return levels


def labels_of(items: Items, natives: Sequence[str]) -> dict[str, str]:
    fields: list[NativeField] = [items.fields[name] for name in natives if name in items.fields]
    return dict(fields[0].choices) if len(fields) == 1 else {}


# -- creation


def needed(items: Items, given: Sequence[str]) -> dict[str, tuple[str, Mapping[str, str]]]:
    """What a new item asks for beyond ``given``: a value to begin with, and the values there are."""
    supplied = {*items.supplied, *given}
    asked = [one for n, one in items.fields.items() if one.required and one.name == n and n not in supplied]
    return {one.name: (next(iter(one.choices), "See the linked item."), one.choices) for one in asked}
