"""What is wrong with the admin's file: every problem at once, each with its line and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: the way to a key: names of tables and keys, and places in lists (from 0)
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong. ``line`` and ``column`` count from 1 (0: the file as a whole); ``key`` is the key path as
    people read it, ``instead`` what to write."""

    line: int
    column: int
    key: str
    what: str
    instead: str = ""
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.said()) if part)

    def said(self) -> str:
        """What is wrong and what to write, without the place."""
        return f"{self.what}; {self.instead}" if self.instead else self.what


class ConfigProblems(Exception):
    """The file cannot be used. ``problems`` are all of them, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def explain(problems: Sequence[Problem]) -> str:
    """The problems for a terminal: a count, then for each its place, what is wrong and what to write."""
    if not problems:
        return ""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    files = tuple(dict.fromkeys(problem.file for problem in problems))
    blocks = [f"{count} in {' and '.join(files)}"]
    for problem in sorted(problems):
        place = f"line {problem.line}" if problem.line else "the file"
        place = f"{problem.file}, {place}" if len(files) > 1 else place
        lines = [f"  {place}{'  ' if problem.key else ''}{problem.key}", f"      {problem.what}"]
        blocks.append("\n".join([*lines, f"      → {problem.instead}"] if problem.instead else lines))
    return "\n".join(blocks)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty where none is near."""
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else ""


def choice(word: str, known: Iterable[str], title: str, key: str = "") -> str:
    """What to write instead of a word that is not known: the nearest, and all there are."""
    known = tuple(known)
    if not known:
        return f"declare it first (there are no {title})"
    near, all_of = nearest(word, known), f"({title}: {quoted(known)})"
    return f'write {f"{key} = " if key else ""}"{near}" {all_of}' if near else f"name one {all_of}"


def stray(key: str, sides: Sequence[str], keys: Sequence[str]) -> tuple[str, str]:
    """What to say of a key that is neither one of its table's own nor the name of a side."""
    near = nearest(key, (*sides, *keys))
    return f"{key} is neither a key nor a side", f"did you mean {near}?" if near else f"(sides: {quoted(sides)})"


def quoted(words: Iterable[str]) -> str:
    """Words as a list for people: ``incident, defect, "On Hold"``."""
    return ", ".join(word if word.replace("_", "").replace("-", "").isalnum() else f'"{word}"' for word in words)


@dataclass(slots=True)
class Report:
    """Collects problems and warnings, and knows where each key of the file stands."""

    file: str
    raw: Mapping[str, Any]
    positions: Mapping[KeyPath, tuple[int, int]]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)
    kept: dict[KeyPath, list[int]] = field(default_factory=dict)

    def wrong(self, path: KeyPath, what: str, instead: str = "") -> None:
        """Adds a problem, unless it only follows from one of shape at, above or below the same key."""
        if not self.doubts(path):
            self.problems.append(self.problem(self.origin(path), what, instead))

    def doubts(self, path: KeyPath) -> bool:
        """Whether something of wrong shape stands at, above or below the key."""
        path = self.origin(path)
        return any(path[: len(other)] == other[: len(path)] for other in self.broken)

    def misshapen(self, path: KeyPath, what: str, instead: str = "") -> None:
        """Adds a problem of shape; ``path`` is as it stands in the file."""
        if path not in self.broken:
            self.broken.add(path)
            self.problems.append(self.problem(path, what, instead))

    def warn(self, path: KeyPath, what: str, instead: str = "") -> None:
        """Adds a warning: the file works, but perhaps not as meant."""
        self.warnings.append(self.problem(self.origin(path), what, instead))

    def problem(self, path: KeyPath, what: str, instead: str) -> Problem:
        line, column = self.position(path)
        return Problem(line, column, label(path, self.raw), what, instead, self.file)

    def position(self, path: KeyPath) -> tuple[int, int]:
        """Where the key stands, or the nearest table around it; the file's first line where nothing is found."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.positions:
                return self.positions[path[:length]]
        return (1, 1)

    def origin(self, path: KeyPath) -> KeyPath:
        """The path as it stands in the file, after entries of lists were set aside."""
        found: KeyPath = ()
        for part in path:
            moved = self.kept.get(found) if isinstance(part, int) else None
            found = (*found, moved[part] if moved and isinstance(part, int) else part)
        return found


def label(path: KeyPath, raw: object) -> str:
    """The path as people read it: entries of lists by their id or name where they have one, else counted from 1."""
    words: list[str] = []
    for part in path:
        raw = entry(raw, part)
        if isinstance(part, str):
            words.append(part)
            continue
        name = (raw.get("id") or raw.get("name")) if isinstance(raw, dict) else None
        if isinstance(name, str) and name:
            words.append(name)
        elif words:
            words[-1] += f"[{part + 1}]"
    return ".".join(words)


def entry(raw: object, part: str | int) -> object:
    """What stands under a key or at a place of a list; ``None`` where there is nothing."""
    if isinstance(raw, dict):
        return raw.get(part)
    if isinstance(raw, list) and isinstance(part, int) and 0 <= part < len(raw):
        return raw[part]
    return None
