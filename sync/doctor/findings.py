"""What the trackers reported, and what was found when it was compared with the file. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.description import Description, Items
from sync.fit import Known, intended, meant
from sync.setup import Setup

#: ``error``: the file does not work with its trackers; ``warning``: it works, but not as it should; ``unknown``: it
#: could not be checked
LEVELS = ("error", "warning", "unknown")


@dataclass(frozen=True, slots=True)
class Report:
    """What one tracker said. ``failure`` is why it could not be asked, and ``reason`` of what kind that is: ``down``,
    ``locked out``, ``refused``. ``problems`` is what its connector found when it opened: (side, name at fault,
    sentence). ``partly`` names what its connector cannot tell."""

    failure: str = ""
    problems: tuple[tuple[str, str, str], ...] = ()
    description: Description | None = None
    partly: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``tracker`` is empty for the file itself; ``line`` counts from 1, 0 is the file as a whole;
    ``instead`` is what to write or to grant."""

    tracker: str
    level: str
    line: int
    key: str
    what: str
    instead: str = ""

    @property
    def rank(self) -> tuple[int, int, str, str]:
        return LEVELS.index(self.level), self.line, self.key, self.what


@dataclass(frozen=True, slots=True)
class Side:
    """A side of the file beside what its tracker says of its items."""

    setup: Setup
    name: str
    items: Items

    @property
    def tracker(self) -> str:
        return self.setup.sides[self.name].tracker

    def find(self, level: str, what: str, instead: str, *paths: str) -> Finding:
        """A finding at the first of the key paths that stands in the file; the side's own table where none does."""
        return found(self.setup, self.tracker, level, what, instead, *paths, f"sides.{self.name}")

    def meant(self, native: str) -> str:
        """What to write instead of a field that there is not."""
        return meant(native, known(self.items).fields)

    def intended(self, native: str) -> str:
        """The field that an unknown name stands for in all likelihood; empty where none is near."""
        return intended(native, known(self.items).fields)

    def natives(self) -> Iterator[tuple[str, str]]:
        """Every native field that the file maps on this side, with the declared field it stands for."""
        for field in self.setup.fields.values():
            for native in field.natives.get(self.name, ()):
                yield native, field.name


def known(items: Items) -> Known:
    """What names there are."""
    labels = {name: field.label for name, field in items.fields.items()}
    return Known(tuple(state.name for state in items.states), labels)


def found(setup: Setup, tracker: str, level: str, what: str, instead: str, *paths: str) -> Finding:
    path = next((path for path in paths if path in setup.lines), paths[0] if paths else "")
    return Finding(tracker, level, setup.lines.get(path, 0), path, what, instead)


def listed(words: object, most: int = 12) -> str:
    """Some words for people; of many, the first."""
    every = [str(word) for word in words] if not isinstance(words, str) and hasattr(words, "__iter__") else [str(words)]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
