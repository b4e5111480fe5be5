"""The roster: who is who, where they are reached, and whom a name in the admin's file means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: everybody who only ever hears of things in copy
OVERSIGHT = "oversight"
_OF_FIELD = re.compile(r"(?:(?P<role>[^{}]*?\S)\s+of\s+)?\{\s*(?P<field>[A-Za-z_]\w*)\s*\}")


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the roster. ``accounts`` are the tracker's own name of the person's account, by tracker. Somebody of
    ``oversight`` is only ever written to in copy."""

    name: str
    email: str = ""
    party: str = ""
    role: str = ""
    county: str = ""
    region: str = ""
    oversight: bool = False
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody the file's ``people.roster`` names, in its order. Somebody with several roles has several rows."""

    people: tuple[Person, ...] = ()

    def named(self, name: str) -> tuple[Person, ...]:
        return tuple(one for one in self.people if alike(one.name, name))

    def of_party(self, party: str) -> tuple[Person, ...]:
        return tuple(one for one in self.people if one.party == party)

    @property
    def oversight(self) -> tuple[Person, ...]:
        """Those who watch and never act."""
        return tuple(one for one in self.people if one.oversight)

    def in_role(self, role: str) -> tuple[Person, ...]:
        """Everybody with the role, by its name or its plural."""
        return tuple(one for one in self.people if one.role and is_role(role, one.role))

    def with_account(self, account: str, tracker: str = "") -> tuple[Person, ...]:
        """Whose account that is, on that tracker or on any."""
        found = (one for one in self.people if account)
        return tuple(one for one in found if account in accounts_of(one, tracker))

    def at(self, email: str) -> tuple[Person, ...]:
        return tuple(one for one in self.people if one.email and one.email.casefold() == email.casefold())

    def regions(self, county: str) -> frozenset[str]:
        """The regions of a county, as any row tells that has both."""
        rows = (one for one in self.people if one.county and one.region and alike(one.county, county))
        return frozenset(folded(one.region) for one in rows)

    def responsible(self, role: str, value: str) -> tuple[Person, ...]:
        """Those with the role whose county, region, party or name the value is; where there is none, those of the
        region that the value is a county of."""
        holders = self.in_role(role)
        own = tuple(one for one in holders if value.strip() and answers_for(one, value))
        regions = self.regions(value) if not own else frozenset()
        return own or tuple(one for one in holders if folded(one.region) in regions)


@dataclass(frozen=True, slots=True)
class Word:
    """A recipient as the admin wrote it. ``kind``: ``address``, ``oversight``, ``party``, ``person``, ``role`` or
    ``field``; ``name`` is what it names, ``field`` the declared field whose value decides (``role`` and ``field``)."""

    text: str
    kind: str
    name: str = ""
    field: str = ""


def word_of(text: str, parties: Iterable[str], roster: Roster) -> Word | None:
    """What a recipient's words mean, the first that fits; ``None`` where they mean nobody: an address, ``oversight``,
    ``{field}``, ``ROLE of {field}``, a party, a person's name, a role or its plural."""
    plain = " ".join(text.split())
    if about := _OF_FIELD.fullmatch(plain):
        return Word(text, "role" if about["role"] else "field", about["role"] or "", about["field"])
    if "@" in plain:
        return Word(text, "address", plain)
    if folded(plain) == OVERSIGHT:
        return Word(text, "oversight")
    if plain in parties:
        return Word(text, "party", plain)
    if roster.named(plain):
        return Word(text, "person", plain)
    return Word(text, "role", plain) if roster.in_role(plain) else None


def folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def alike(one: str, other: str) -> bool:
    return folded(one) == folded(other)


def is_role(said: str, role: str) -> bool:
    """Whether a role is meant, by its name or by one of the plurals that English has for it."""
    name = folded(role)
    return folded(said) in (name, *plurals(name))


def plurals(name: str) -> Sequence[str]:
    """``release managers``, ``directors of operations``, ``secretaries``."""
    head, of, rest = name.partition(" of ")
    ends = (f"{head}s", f"{head}es", *([f"{head[:-1]}ies"] if head.endswith("y") else []))
    return [f"{end}{of}{rest}" for end in ends]


def answers_for(person: Person, value: str) -> bool:
    return any(alike(of, value) for of in (person.county, person.region, person.party, person.name) if of)


def accounts_of(person: Person, tracker: str = "") -> Iterator[str]:
    for name, account in person.accounts.items():
        if account and tracker in ("", name):
            yield account
