"""What matched how: a summary of plans for the person who takes Lockstep to a live estate. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.joining.match import MATCH
from sync.plan import Open, Plan


@dataclass(frozen=True, slots=True)
class Tally:
    """``paired`` and ``proposed`` count pairs by how they were found (``incident_number (equal value)``): those made
    now, and those that wait for a plan file. ``joined`` are items that come into links that are there. ``asked`` are
    the other proposals by kind, ``opened`` the counterparts to create; ``unclear`` tells each item that has several
    counterparts, or one that cannot be marked."""

    paired: Mapping[str, int] = field(default_factory=dict)
    proposed: Mapping[str, int] = field(default_factory=dict)
    joined: int = 0
    opened: int = 0
    asked: Mapping[str, int] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Nothing to tell."""
        return self == Tally()


def tally(plans: Iterable[Plan]) -> Tally:
    """Counts what the plans do and propose."""
    paired: Counter[str] = Counter()
    proposed: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    unclear: dict[str, None] = {}
    joined = opened = 0
    for plan in plans:
        for joining in plan.settlement.joins:
            if joining.link:
                joined += 1
            elif joining.how.startswith("match "):
                paired[joining.how.removeprefix("match ")] += 1
        for proposal in plan.proposals:
            if proposal.kind == "adopt":
                proposed[proposal.how.removeprefix("match ")] += 1
            else:
                asked[proposal.kind] += 1
        opened += sum(isinstance(action, Open) for action in plan.actions)
        unclear |= dict.fromkeys(reason.text for reason in plan.reasons if reason.about == MATCH)
    return Tally(dict(paired), dict(proposed), joined, opened, dict(asked), tuple(unclear))


def rows(found: Tally) -> list[tuple[str, int, int]]:
    """How each pair was found, with how many are paired now and how many wait: the most frequent first."""
    hows = {*found.paired, *found.proposed}
    counted = [(how, found.paired.get(how, 0), found.proposed.get(how, 0)) for how in hows]
    return sorted(counted, key=lambda row: (-row[1] - row[2], row[0]))


def as_json(found: Tally) -> dict[str, Any]:
    """The same for programs."""
    return {
        "paired": dict(sorted(found.paired.items())),
        "proposed": dict(sorted(found.proposed.items())),
        "joined": found.joined,
        "opened": found.opened,
        "asked": dict(sorted(found.asked.items())),
        "unclear": list(found.unclear),
    }
