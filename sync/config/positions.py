"""Where each key of a TOML text stands. ``tomllib`` reads the values and forgets the places; this does the reverse.

Only ever given text that ``tomllib`` has accepted, so it need not check anything."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field

from sync.config.problems import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'"
    r"|\d{4}-\d\d-\d\d[Tt ]\d\d:[0-9:.]+(?:[Zz]|[+-]\d\d:\d\d)?|[^,\]}\s#]+",
    re.DOTALL,
)


def positions(text: str) -> dict[KeyPath, tuple[int, int]]:
    """Line and column of every key, table and list entry, by key path. Dotted keys, inline tables, lists of tables
    and lists of any depth are followed; ``text`` must be valid TOML with ``\\n`` line ends."""
    walk = _Walk(text)
    with suppress(RecursionError):  # what is nested hundreds deep keeps the place of what stands around it
        walk.document()
    return walk.places()


@dataclass(slots=True)
class _Walk:
    text: str
    at: int = 0
    starts: dict[KeyPath, int] = field(default_factory=dict)
    counts: dict[KeyPath, int] = field(default_factory=dict)

    def places(self) -> dict[KeyPath, tuple[int, int]]:
        lines = [0, *(m.end() for m in re.finditer("\n", self.text))]
        found = {path: (bisect_right(lines, start), start) for path, start in self.starts.items()}
        return {path: (line, start - lines[line - 1] + 1) for path, (line, start) in found.items()}

    def document(self) -> None:
        base: KeyPath = ()
        while self.blank() < len(self.text):
            if self.text[self.at] != "[":
                self.pair(base)
                continue
            many = self.text.startswith("[[", self.at)
            self.at += 1 + many
            base = self.header(many)
            self.at += 1 + many

    def header(self, many: bool) -> KeyPath:
        start, names = self.blank(), self.key()
        path = self.inside(names[:-1])
        path = (*path, names[-1])
        for length in range(1, len(path) + 1):
            self.starts.setdefault(path[:length], start)
        if many:
            self.counts[path] = self.counts.get(path, 0) + 1
        return self.placed(self.inside(names), start)

    def inside(self, names: list[str]) -> KeyPath:
        """A header's path with the place of the last entry wherever it passes through a list of tables."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def pair(self, base: KeyPath) -> None:
        start, path = self.blank(), base
        for name in self.key():
            path = self.placed((*path, name), start)
        self.at = self.blank() + 1
        self.value(path)

    def value(self, path: KeyPath) -> None:
        opening = self.text[self.blank()]
        if opening == "[":
            self.entries(path)
        elif opening == "{":
            self.pairs(path)
        elif scalar := _SCALAR.match(self.text, self.at):
            self.at = scalar.end()

    def entries(self, path: KeyPath) -> None:
        self.at, place = self.at + 1, 0
        while self.text[self.blank()] != "]":
            self.value(self.placed((*path, place), self.at))
            place += 1
            self.comma()
        self.at += 1

    def pairs(self, path: KeyPath) -> None:
        self.at += 1
        while self.text[self.blank()] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.at += self.text[self.blank()] == ","

    def key(self) -> list[str]:
        names = []
        while word := _KEY.match(self.text, self.blank()):
            names.append(_unquoted(word.group()))
            self.at = word.end()
            if self.text[self.blank()] != ".":
                break
            self.at += 1
        return names

    def blank(self) -> int:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def placed(self, path: KeyPath, start: int) -> KeyPath:
        self.starts.setdefault(path, start)
        return path


def _unquoted(word: str) -> str:
    if word[0] == "'":
        return word[1:-1]
    return str(tomllib.loads(f"key = {word}")["key"]) if word[0] == '"' else word
