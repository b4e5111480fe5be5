"""What differs between two files, key by key, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.config.problems import KeyPath, label

#: longest value that is shown whole
SHOWN = 100
#: what names an entry of a list of tables, the first that is there
NAMED = ("id", "name", "from", "is")

MEANS: Mapping[tuple[str, str], str] = {
    ("sides", "new"): "its items are read from the beginning and count as old: routes leave them alone",
    ("sides", "gone"): "its items stay in the state and are neither read nor written",
    ("sides", "changed"): "linked items stay linked; what comes into scope by this counts as old",
    ("stages", "new"): "the states it lists are read anew",
    ("stages", "gone"): "links in it are read anew from the side that decides",
    ("stages", "changed"): "links are read anew where a state means another stage now",
    ("routes", "new"): "what fits it already is opened by apply alone, what comes to fit it later as it comes",
    ("routes", "gone"): "it opens nothing more; what it opened stays linked",
    ("routes", "changed"): "what fits it already is opened by apply alone, what comes to fit it later as it comes",
    ("fields", "new"): "differing values are shown and wait for their owner's next change, or for apply",
    ("fields", "gone"): "its values are neither read nor written",
    ("fields", "changed"): "values are read anew from the side whose word counts; items that mean another are written",
    ("comments", "new"): "comments cross by it from now on; those from before do not",
    ("comments", "gone"): "nothing more crosses by it; what has crossed stays",
    ("comments", "changed"): "comments cross so from now on; those from before do not",
    ("disclosure", "changed"): "it counts for comments from now on",
    ("trackers", "new"): "it comes with the sides that need it",
    ("trackers", "gone"): "it goes with the sides that needed it",
    ("parties", "changed"): "it counts for movements from now on",
    ("rules", "new"): "it counts from now on: what was due or happened before is not told",
    ("rules", "gone"): "nothing more comes of it; brought back, it begins anew",
    ("rules", "changed"): "it counts for work as it stands; a step or trigger that is added, from now on",
}
#: keys that only say whose word counts
WORDS = ("owner", "exclusive", "prefer", "decided_by", "move", "target", "name", "set", "needs", "gate", "label")


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of two files. ``line`` is where it stands in the edited one (0: it stands there no more), ``old`` and
    ``new`` are as they are written (empty: not there), ``means`` what comes of it. ``waits``: for ``apply``."""

    key: str
    line: int
    old: str
    new: str
    waits: bool
    means: str = ""

    @property
    def text(self) -> str:
        """The difference as a line for people."""
        place = f"line {self.line}: " if self.line else ""
        if self.old and self.new:
            return f"{place}{self.key}: {self.new} instead of {self.old}"
        return f"{place}{self.key}: {self.new} is new" if self.new else f"{self.key}: {self.old} is gone"


def differences(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    positions: Mapping[KeyPath, tuple[int, int]],
    waits: Callable[[KeyPath], bool],
) -> tuple[Difference, ...]:
    """Every difference between two files' values, in the order of the edited one; what is gone comes last.
    ``positions`` are the edited file's."""
    found = []
    for path, was, now in differing(old, new, ()):
        gone = now is None
        line, _ = positions.get(path, (0, 0)) if not gone else (0, 0)
        key = label(path, old if gone else new)
        found.append(Difference(key, line, shown(was), shown(now), waits(path), meaning(path, was, now)))
    return tuple(found)


def differing(old: Any, new: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any, Any]]:
    """Paths with the old and the new value; ``None`` where there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from differing(old.get(key), new.get(key), (*path, key))
    elif tables(old) and tables(new):
        yield from entries_differing(old, new, path)
    elif one(old) != one(new):
        yield path, old, new


def tables(value: object) -> bool:
    """Whether a value of the file is a list of tables."""
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def one(value: object) -> object:
    """A list of one text says what the text says."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


def entries_differing(old: Sequence[Any], new: Sequence[Any], path: KeyPath) -> Iterator[tuple[KeyPath, Any, Any]]:
    """Entries of a list of tables go by what names them, not by their place; another order is a difference too."""
    was, now = named(old), named(new)
    for key, place in now.items():
        yield from differing(old[was[key]] if key in was else None, new[place], (*path, place))
    for key, place in was.items():
        if key not in now:
            yield (*path, place), old[place], None
    kept = [key for key in was if key in now]
    if kept != [key for key in now if key in was]:
        yield path, [key[0] for key in was], [key[0] for key in now]


def named(entries: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], int]:
    """The place of each entry by what names it; of several that are named alike, in their order."""
    found: dict[tuple[str, int], int] = {}
    for place, entry in enumerate(entries):
        name = next((str(entry[key]) for key in NAMED if key in entry), "")
        number = sum(key[0] == name for key in found)
        found[name, number] = place
    return found


def shown(value: object) -> str:
    """A value as it is written, shortened."""
    if value is None:
        return ""
    text = written(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def written(value: object) -> str:
    """A value as the file would say it."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {written(one)}' for key, one in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def meaning(path: KeyPath, old: object, new: object) -> str:
    """What comes of a difference."""
    table = str(path[0])
    whole = len(path) == 2
    kind = "new" if whole and old is None else "gone" if whole and new is None else "changed"
    if path[-1] in WORDS and kind == "changed":
        return "it counts from now on"
    return MEANS.get((table, kind), "")
