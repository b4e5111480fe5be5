"""Command words: a line of a comment that begins with ``!``, ``/`` or ``#`` and a word that Lockstep knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mappings.calendar import Span, parse_span

#: words that Lockstep itself understands, whatever the file says
ACK, SNOOZE, UNSNOOZE, WATCH, UNWATCH = "ack", "snooze", "unsnooze", "watch", "unwatch"
BUILT_IN = frozenset((ACK, SNOOZE, UNSNOOZE, WATCH, UNWATCH))
#: what to type, for a person who got it wrong
SNOOZE_SO = "!snooze 2d and then the reason, for days, hours (4h) and minutes (30m) of business time"

LINE = re.compile(r"[!/#]([^\W\d_][\w-]{0,59})(?![\w-])[.,:;]?[ \t]*(.*)")
SPAN = re.compile(r"((?:\d{1,7}[dhm][ \t]*)+)(?![\w-])[.,:;]?[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was typed. ``span`` is how long a snooze lasts; ``broken``: it lacks its span or its reason, so that
    it does nothing. What else stands on the line is never kept."""

    name: str
    span: Span | None = None
    broken: bool = False


def words_in(text: str, declared: Collection[str] = ()) -> tuple[Word, ...]:
    """The command words of a comment in their order: the built-in ones and those that the file's rules name, in small
    letters. A word that nobody declared is plain text."""
    return tuple(dict.fromkeys(found_in(text, BUILT_IN | frozenset(declared))))


def found_in(text: str, known: Collection[str]) -> Iterator[Word]:
    for line in text.splitlines():
        said = LINE.fullmatch(line.strip())
        name = said[1].casefold() if said else ""
        if said and name == SNOOZE:
            yield snooze(said[2])
        elif name in known:
            yield Word(name)


def snooze(rest: str) -> Word:
    """``2d waiting for the vendor``: a span and a reason, both needed."""
    found = SPAN.fullmatch(rest.strip())
    try:
        span = parse_span(found[1]) if found and found[2].strip() else None
    except ValueError:
        span = None
    return Word(SNOOZE, span) if span and (span.days or span.seconds) else Word(SNOOZE, broken=True)
