"""Fields: what each side calls a thing, and what its spellings mean.

A *spelling* is how one side says a value: pairs of native field and native value, one pair unless several native
fields share one meaning (ServiceNow's impact and urgency). A *common* value is what the spellings mean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from mappings.days import day_of
from mappings.model import BESIDE, Native

Common = str | int | float | bool | tuple[str, ...] | None
Spelling = tuple[tuple[str, Native], ...]

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
TYPES = ("text", "integer", "number", "boolean", "list", "date")


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One line of a value map: a common value and, per side, its alternative spellings (the first is written)."""

    means: Common
    spellings: Mapping[str, tuple[Spelling, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field. ``natives`` are the native names per side; ``owner`` is the side whose word counts when
    several changed it, ``prefer`` the order without an owner; ``exclusive``: nobody else may change it. ``label`` is
    what people see in place of the name. The value of a date is ``YYYY-MM-DD``, ``zone`` where its days begin.
    ``source`` is the field or the side that Lockstep counts it from, over all items of the link: nobody's word."""

    name: str
    type: str = "text"
    natives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owner: str = ""
    exclusive: bool = False
    prefer: tuple[str, ...] = ()
    values: tuple[ValueRow, ...] = ()
    label: str = ""
    zone: str = "UTC"
    source: str = ""

    @property
    def digest(self) -> str:
        """Identifies what the spellings mean: it changes with the type, the native names and the value map, and not
        with whose word counts."""
        rows = [(row.means, sorted(row.spellings.items())) for row in self.values]
        days = (self.zone,) if self.type == "date" else ()
        return digest_of((self.type, sorted(self.natives.items()), rows, *days))

    def spelled(self, side: str, native: Mapping[str, Native]) -> Spelling:
        """How an item of ``side`` spells this field now; a native field that is missing counts as empty."""
        return tuple((name, native.get(name)) for name in self.natives[side])

    def meanings(self, side: str, spelling: Spelling) -> tuple[Common, ...]:
        """Every common value the spelling may stand for, in the file's order; empty where it is unmapped. An empty
        spelling of a mapped field means nothing (``None``), so that it is never taken for a value."""
        if self.values:
            found = tuple(row.means for row in self.values if spelling in row.spellings.get(side, ()))
            return found or ((None,) if says_nothing(spelling) else ())
        try:
            return (self.coerced(spelling[0][1]),)
        except ValueError:
            return ()

    def only_read(self, side: str) -> bool:
        """Whether the side shows the field and takes no value for it."""
        return any(native.startswith(BESIDE) for native in self.natives.get(side, ()))

    def spelling(self, side: str, common: Common) -> Spelling | None:
        """How ``side`` writes the common value; ``None`` where it has no word for it."""
        if self.only_read(side):
            return None
        if not self.values:
            return ((self.natives[side][0], to_native(common)),)
        for row in self.values:
            if row.means == common and row.spellings.get(side):
                return row.spellings[side][0]
        return None

    def coerced(self, value: Native) -> Common:
        """A native value as the declared type. Raises ``ValueError`` where it is none."""
        if self.type == "list":
            return tuple(sorted(value)) if isinstance(value, tuple) else (value,) if value else ()
        if value is None or value == "":
            return None
        text = ", ".join(value) if isinstance(value, tuple) else value
        if self.type == "integer":
            return whole(text)
        if self.type == "number":
            return float(text) if isfinite(float(text)) else not_a(text, "number")
        if self.type == "boolean":
            return _WORDS[text.lower()] if text.lower() in _WORDS else not_a(text, "yes or no")
        if self.type == "date":
            return day_of(text, self.zone)
        return text


def whole(text: str) -> int:
    """``3`` and ``3.0``; long numbers keep every digit."""
    try:
        return int(text)
    except ValueError:
        return int(float(text)) if float(text).is_integer() else not_a(text, "whole number")


def not_a(text: str, kind: str) -> int:
    raise ValueError(f"{text!r} is not a {kind}")


def alike(one: Common, other: Common) -> bool:
    """Whether two common values say the same to a reader: blanks and line ends in texts do not count."""
    if isinstance(one, str) and isinstance(other, str):
        return one.split() == other.split()
    return one == other


def digest_of(meaning: object) -> str:
    """A short name for what a piece of the file means."""
    return hashlib.sha256(repr(meaning).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def says_nothing(spelling: Spelling) -> bool:
    return all(value in (None, "", ()) for _, value in spelling)


def to_native(common: Common) -> Native:
    """A common value as a native one, where no value map speaks."""
    if common is None or isinstance(common, tuple):
        return common
    if isinstance(common, bool):
        return "true" if common else "false"
    if isinstance(common, float) and common.is_integer():
        return str(int(common))
    return str(common)
