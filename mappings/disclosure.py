"""Disclosure: what may cross. What is not named does not cross."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """A way of speaking on a side: ``incident.comments``, ``defect.role:Developers``, ``pbi.discussion``."""

    side: str
    name: str

    @staticmethod
    def parse(text: str) -> Channel:
        """Raises ``ValueError`` where the text is not ``side.channel``."""
        side, dot, name = text.partition(".")
        if not (side and dot and name):
            raise ValueError(f"{text!r} is not a side and a channel, such as incident.comments")
        return Channel(side, name)

    def __str__(self) -> str:
        return f"{self.side}.{self.name}"


@dataclass(frozen=True, slots=True)
class Path:
    """Comments of ``source`` are copied to each of ``targets``. Direct: a copy never travels on."""

    source: Channel
    targets: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Mask:
    """A pattern whose matches never cross; they are replaced by ``[name]``."""

    name: str
    pattern: re.Pattern[str]


#: masks an admin can name without writing a pattern
KNOWN_MASKS = {
    "ssn": re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b"),
    "card": re.compile(r"\b(?:\d[ -]?){13,16}\b"),
}


def masked(text: str, masks: Sequence[Mask]) -> str:
    """The text with every match replaced."""
    for mask in masks:
        text = mask.pattern.sub(f"[{mask.name}]", text)
    return text


def targets(paths: Sequence[Path], side: str, channel: str) -> tuple[Channel, ...]:
    """Where a comment of a side's channel may go, each named once."""
    found = dict.fromkeys(t for path in paths if path.source == Channel(side, channel) for t in path.targets)
    return tuple(found)
