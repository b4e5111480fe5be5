"""Deviations from the specifications that a recorded fact or a page of the vendor justifies."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "allowances.toml"
KINDS = ("request", "status", "media", "body")


@dataclass(frozen=True, slots=True)
class Deviation:
    """``kind`` is one of KINDS; ``operation`` names the operation (or the request, where no specification has it);
    ``where`` is a place in the body, list positions as ``*``; ``says`` is what is wrong."""

    kind: str
    operation: str
    status: int
    where: str
    says: str

    def __str__(self) -> str:
        return f"[{self.kind}] {self.operation}: {f'at {self.where}: ' if self.where else ''}{self.says}"


@dataclass(frozen=True)
class Allowance:
    """Patterns as in file names (``*``); ``status`` 0 stands for any; ``source`` proves that the tracker does so."""

    kind: str
    operation: str
    source: str
    status: int = 0
    where: str = "*"
    says: str = "*"

    def __str__(self) -> str:
        return f"[{self.kind}] {self.operation} {self.status or '*'} {self.where} {self.says}"

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(
            re.compile(literal_brackets(one), re.IGNORECASE) for one in (self.operation, self.where, self.says)
        )

    def allows(self, deviation: Deviation) -> bool:
        if self.kind != deviation.kind or self.status not in (0, deviation.status):
            return False
        texts = (deviation.operation, deviation.where, deviation.says)
        return all(pattern.match(text) for pattern, text in zip(self.patterns, texts, strict=True))


def literal_brackets(pattern: str) -> str:
    """A file name's pattern in which only ``*`` and ``?`` mean something."""
    return translate(pattern.replace("[", "[[]"))


class Allowances:
    """The list, and how often each was used."""

    def __init__(self, known: tuple[Allowance, ...]) -> None:
        self.known = known
        self.used: Counter[int] = Counter()
        self.decided: dict[Deviation, int | None] = {}

    @classmethod
    def read(cls, path: Path = FILE) -> Allowances:
        """Raises TypeError for an entry with a key that means nothing, ValueError for an unknown kind."""
        listed: dict[str, list[dict[str, Any]]] = tomllib.loads(path.read_text(encoding="utf-8"))
        if strange := listed.keys() - set(KINDS):
            raise ValueError(f"{path.name}: no such kinds: {sorted(strange)}")
        return cls(tuple(Allowance(kind, **entry) for kind in KINDS for entry in listed.get(kind, [])))

    def allow(self, deviation: Deviation) -> Allowance | None:
        """The entry that lists the deviation, counted as used; None where there is none."""
        if deviation not in self.decided:
            found = (index for index, one in enumerate(self.known) if one.allows(deviation))
            self.decided[deviation] = next(found, None)
        index = self.decided[deviation]
        if index is None:
            return None
        self.used[index] += 1
        return self.known[index]

    def unused(self, used: set[int]) -> list[Allowance]:
        return [one for index, one in enumerate(self.known) if index not in used]
