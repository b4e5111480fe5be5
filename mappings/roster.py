"""The roster: who is who, where they are reached, and whom a name in the admin's file means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """Everybody the file's ``people.roster`` names, in its order."""

    people: tuple[Person, ...] = ()
