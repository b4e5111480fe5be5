"""What moved in a link, in a sentence or two; and who watches it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mappings.addresses import is_mail_address
from mappings.roster import Roster
from sync.escalation.words import UNWATCH, WATCH
from sync.setup import Setup
from sync.state import Movement

#: how the event of a word is called that was given at the command line
ASKED = "asked:"
#: how the events are called in which a link was only found or read anew
SILENT = ("found:", "reread:")


def news(movements: Sequence[Movement]) -> tuple[Movement, ...]:
    """The movements that a digest tells of, oldest first. That somebody asks for the digest is none, nor that a link
    was found again or is read by an edited file."""
    asked = {one.event for one in movements if one.kind == "word" and one.word in (WATCH, UNWATCH)}
    told = (one for one in movements if one.event not in asked and not one.event.startswith(SILENT))
    return tuple(sorted(told, key=lambda one: one.at))


def told(setup: Setup, movements: Sequence[Movement], *, outside: bool = False) -> tuple[str, ...]:
    """What happened, a line for each kind: the stage it came to, comments, words, fields, counterparts, assignments.
    For those ``outside``: the stage, comments and fields, and neither who it was nor on which item."""
    if outside:
        public = ("stage", "comment", "field")
        movements = [replace(m, author="", party="", item="") for m in movements if m.kind in public]
    return tuple(
        line
        for kind, say in (
            ("stage", stage_line),
            ("opened", opened_line),
            ("field", field_line),
            ("word", word_line),
            ("comment", comment_line),
            ("assignment", assignment_line),
        )
        if (some := [one for one in movements if one.kind == kind])
        for line in say(setup, some)
    )


def stage_line(setup: Setup, some: Sequence[Movement]) -> Iterator[str]:
    names = [setup.stages.get(one.stage).name for one in some if one.stage]
    yield f"moved to {', then '.join(names)}{by(some[-1])}"


def opened_line(setup: Setup, some: Sequence[Movement]) -> Iterator[str]:
    yield f"opened: {', '.join(one.item or one.word for one in some)}"


def field_line(setup: Setup, some: Sequence[Movement]) -> Iterator[str]:
    yield f"changed: {', '.join(dict.fromkeys(one.word for one in some))}{by(some[-1])}"


def word_line(setup: Setup, some: Sequence[Movement]) -> Iterator[str]:
    yield ", ".join(f"!{one.word}{by(one)}" for one in some)


def comment_line(setup: Setup, some: Sequence[Movement]) -> Iterator[str]:
    count = "1 comment" if len(some) == 1 else f"{len(some)} comments, the last"
    yield f"{count}{by(some[-1])}"


def assignment_line(setup: Setup, some: Sequence[Movement]) -> Iterator[str]:
    yield f"assigned anew{by(some[-1])}"


def by(one: Movement) -> str:
    """Who did it and where, as far as it is known."""
    who = f" by {one.author}" if one.author else f" by {one.party}" if one.party else ""
    return who + (f" on {one.item}" if one.item else "")


# ── who watches ──────────────────────────────────────────────────────────────────────────────────────────────────────


def watchers(movements: Sequence[Movement]) -> dict[str, Movement]:
    """Who said that they watch the link and did not take it back, as their comments name them, the first first, with
    the word by which they did."""
    watching: dict[str, Movement] = {}
    for one in sorted(movements, key=lambda m: m.at):
        if one.kind == "word" and one.word == WATCH:
            watching[one.author] = one
        elif one.kind == "word" and one.word == UNWATCH:
            watching.pop(one.author, None)
    return watching


def address_of(roster: Roster, name: str, *, asked: bool = False) -> str:
    """Where somebody is reached whom a tracker names: a person's name, an account, an address. Empty where the roster
    does not tell: what people call themselves in a tracker reaches nobody. ``asked``: whoever may run Lockstep named
    them, and may name any address."""
    known = roster.named(name) or roster.with_account(name) or roster.at(name)
    found = next((one.email for one in known if one.email), "")
    return found or (name if asked and not known and is_mail_address(name) else "")


def reached(setup: Setup, movements: Sequence[Movement]) -> dict[str, bool]:
    """The addresses of those who watch a link, and whether each speaks for its requesters: to those nobody is named."""
    asking = {party.name for party in setup.parties if party.requester}
    found: dict[str, bool] = {}
    for who, word in watchers(movements).items():
        address = address_of(setup.roster, who, asked=word.event.startswith(ASKED))
        if address:
            found[address] = found.get(address, False) or word.party in asking
    return found
