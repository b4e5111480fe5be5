"""Command words: a line of a comment that begins with ``!``, ``/`` or ``#`` and a word that Lockstep knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from mappings.calendar import Span, parse_span

#: words that Lockstep itself understands, whatever the file says
ACK, SNOOZE, UNSNOOZE, WATCH, UNWATCH = "ack", "snooze", "unsnooze", "watch", "unwatch"
BUILT_IN = frozenset((ACK, SNOOZE, UNSNOOZE, WATCH, UNWATCH))
#: what silences the rules of a link: for those who work on it, never for those who only ask
SILENCING = frozenset((ACK, SNOOZE, UNSNOOZE))
#: the longest snooze: what nobody looks at for longer is no longer asleep
LONGEST = timedelta(days=90)
#: what to type, for a person who got it wrong
SNOOZE_SO = "!snooze 2d and then the reason, for days (90 at most), hours (4h) and minutes (30m) of business time"

LINE = re.compile(r"[!/#]([^\W\d_][\w-]{0,59})(?![\w-])[.,:;]?[ \t]*(.*)")
#: where a block begins or ends in which somebody else is quoted, or a machine: in wiki markup and in Markdown
FENCE = re.compile(r"\{(quote|code|noformat)(:[^{}\n]*)?\}|^[ \t]*(```|~~~)", re.MULTILINE)
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
    letters. A word that nobody declared is plain text, and what is quoted was said by another."""
    return tuple(dict.fromkeys(found_in(unquoted(text), BUILT_IN | frozenset(declared))))


def unquoted(text: str) -> str:
    """The text without its quoted and preformatted blocks. A sign that no other one answers begins none."""
    fences = [(one.start(), one.end(), one[1] or one[3], not one[2]) for one in FENCE.finditer(text)]
    last = {kind: start for start, _, kind, closes in fences if closes}
    pieces, at, inside = list[str](), 0, ""
    for start, end, kind, closes in fences:
        if not inside and start < last.get(kind, 0):
            pieces.append(text[at:start])
            inside = kind
        elif inside == kind and closes:
            at, inside = end, ""
    return "\n".join((*pieces, text[at:]))


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
    lasts = timedelta(days=span.days, seconds=span.seconds) if span else timedelta(0)
    return Word(SNOOZE, span) if timedelta(0) < lasts <= LONGEST else Word(SNOOZE, broken=True)
