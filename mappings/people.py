"""Parties: whose move it can be, who belongs to them, and where they are reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mappings.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Party:
    """``members`` are accounts per tracker; a party without members is everyone on its ``sides`` who is named in no
    other. ``known`` are the accounts of its people on the roster, who count as members of it and close it to nobody.
    ``calendar`` is ``None`` where the bot's own applies. ``email`` and ``teams`` are its recipients."""

    name: str
    sides: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calendar: Calendar | None = None
    requester: bool = False
    email: tuple[str, ...] = ()
    teams: str = ""
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def party_of(parties: Sequence[Party], side: str, tracker: str, account: str) -> str:
    """The name of the party that ``account`` speaks for on a side; empty where it belongs to none."""
    for party in parties:
        if account in party.members.get(tracker, ()):
            return party.name
    for party in parties:
        if account in party.known.get(tracker, ()):
            return party.name
    for party in parties:
        if side in party.sides and not party.members:
            return party.name
    return ""
