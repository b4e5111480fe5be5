"""Which transition leads to a status, and what goes with it (Jira Cloud REST API, "Get transitions"). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import Refused


@dataclass(frozen=True, slots=True)
class Step:
    """A transition that is offered. ``screen`` are the fields it takes, ``required`` those it asks for."""

    id: str
    name: str
    to: str
    screen: frozenset[str]
    required: frozenset[str]


def steps(answer: Mapping[str, Any]) -> list[Step]:
    """The answer of ``GET transitions`` that was expanded with their fields."""
    return [step(one) for one in answer["transitions"] if one.get("isAvailable", True)]


def step(transition: Mapping[str, Any]) -> Step:
    fields = transition.get("fields") or {}
    required = {name for name, meta in fields.items() if meta.get("required") and not meta.get("hasDefaultValue")}
    return Step(
        str(transition["id"]), transition["name"], transition["to"]["name"], frozenset(fields), frozenset(required)
    )


def choose(offered: Sequence[Step], state: str, given: Collection[str], item: str) -> Step:
    """The step to ``state`` that asks for the fewest fields we do not have. Raises ``Refused``: names the right to
    grant where nothing is offered at all, else the steps that are."""
    if not offered:
        raise Refused(
            f"Jira offers no transition on {item}: our account lacks the permission Transition issues, or the workflow "
            "ends here"
        )
    leading = [one for one in offered if one.to == state]
    if not leading:
        shown = ", ".join(f"{one.name} -> {one.to}" for one in offered)
        raise Refused(f"No transition of {item} leads to {state}. Jira offers: {shown}", ("status",))
    return min(leading, key=lambda one: len(one.required - set(given)))
