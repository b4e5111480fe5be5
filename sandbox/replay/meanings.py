"""What the replay's file means, read by code of its own: the checker must not share the bot's mistakes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.replay.acts import SIDES

#: what a side shows: its native values, in the order of the measure's native names
Shown = tuple[str, ...]
#: the native name of the state on each side, as the trackers' histories have it
STATE = {"incident": "state", "defect": "status", "pbi": "System.State"}
#: what an item never leaves: closed incidents are not opened again (apis.md 1.5)
FINAL = {"incident": frozenset({("Closed",), ("Canceled",)})}


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is kept in step: the stage or a field. ``natives`` are what it is called on each side, ``order``
    whose word stands when several change it at once. ``rows`` pair a value with what may be shown for it on each
    side; without rows the text itself is the value. ``paused`` values lead back to the one before them, and what is
    ``final`` on a side is never left there; values in ``over`` end the work."""

    name: str
    natives: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, tuple[Shown, ...]]], ...] = ()
    paused: frozenset[str] = frozenset()
    final: Mapping[str, frozenset[Shown]] = field(default_factory=dict)
    over: frozenset[str] = frozenset()

    def meanings(self, side: str, shown: Shown) -> tuple[str, ...]:
        """Every value that may be meant; none where it is unmapped."""
        if not self.rows:
            return shown
        return tuple(value for value, words in self.rows if shown in words.get(side, ()))

    def has_word(self, side: str, value: str) -> bool:
        return not self.rows or any(words.get(side) for meant, words in self.rows if meant == value)

    def kept(self, side: str, shown: Shown, value: str) -> bool:
        """Whether a side shows what it never leaves, and would have to for this value."""
        final = shown in self.final.get(side, ())
        return final and self.has_word(side, value) and value not in self.meanings(side, shown)

    def stuck(self, side: str, shown: Shown, value: str) -> bool:
        """Whether it is kept from work that goes on."""
        return value not in self.over and self.kept(side, shown, value)


@dataclass(frozen=True, slots=True)
class Meanings:
    """``paths`` lead from (side, channel) to the (side, channel) that a remark must reach."""

    measures: tuple[Measure, ...]
    paths: Mapping[tuple[str, str], tuple[tuple[str, str], ...]]

    @staticmethod
    def read(text: str) -> Meanings:
        """Of the file as it stands."""
        file = tomllib.loads(text)
        fields = [measured(name, table) for name, table in file["fields"].items()]
        return Meanings((stage(file["stages"]), *fields), paths(file["comments"]))


def stage(tables: Sequence[Mapping[str, Any]]) -> Measure:
    rows = [
        (str(one["name"]), {side: tuple((word,) for word in listed(one[side])) for side in SIDES if side in one})
        for one in tables
    ]
    paused = frozenset(str(one["name"]) for one in tables if one.get("paused"))
    natives = {side: (native,) for side, native in STATE.items()}
    over = frozenset(str(one["name"]) for one in tables if one.get("terminal"))
    return Measure("stage", natives, SIDES, tuple(rows), paused, FINAL, over)


def measured(name: str, table: Mapping[str, Any]) -> Measure:
    natives = {side: tuple(listed(table[side])) for side in SIDES if side in table}
    rows = tuple((str(row["is"]), spellings(row, natives)) for row in table.get("values", ()))
    owner = [table["owner"]] if "owner" in table else []
    order = tuple(dict.fromkeys((*owner, *table.get("prefer", ()), *SIDES)))
    return Measure(name, natives, order, rows)


def spellings(row: Mapping[str, Any], natives: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[Shown, ...]]:
    """What may be shown for a value on each side that can show it."""
    found = {}
    for side, names in natives.items():
        ways = listed(row[side]) if side in row else []
        found[side] = tuple(tuple(str(way[n]) for n in names) if isinstance(way, dict) else (str(way),) for way in ways)
    return found


def paths(tables: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    return {channel(one["from"]): tuple(channel(to) for to in listed(one["to"])) for one in tables}


def channel(text: str) -> tuple[str, str]:
    side, _, name = text.partition(".")
    return side, name


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
