"""Which transition leads to a status, and what goes with it (Jira Cloud REST API, "Get transitions"). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import Refused


@dataclass(frozen=True, slots=True)
class Step:
    """A transition that is offered. ``screen`` are the fields it takes, ``required`` those it asks for,
    ``ends``: it leads to a status of the category *done*."""

    id: str
    name: str
    to: str
    screen: frozenset[str]
    required: frozenset[str]
    ends: bool = False


def steps(answer: Mapping[str, Any]) -> list[Step]:
    """The answer of ``GET transitions`` that was expanded with their fields."""
    return [step(one) for one in answer["transitions"] if one.get("isAvailable", True)]


def step(transition: Mapping[str, Any]) -> Step:
    fields = transition.get("fields") or {}
    required = {name for name, meta in fields.items() if meta.get("required") and not meta.get("hasDefaultValue")}
    to = transition["to"]
    ends = (to.get("statusCategory") or {}).get("key") == "done"
    return Step(str(transition["id"]), transition["name"], to["name"], frozenset(fields), frozenset(required), ends)


#: the lists of transitions seen of one type of issue, by the status they were offered in
Seen = Mapping[str, Sequence[Step]]


def next_step(seen: Seen, at: str, wanted: Sequence[str], given: Collection[str], item: str) -> Step:
    """The step to take from ``at`` towards the first of ``wanted``, or else towards another of them. The list that is
    offered now is among ``seen``. A way of several steps is begun only where all of it is known and nothing on it asks
    for a field that is not ``given``: none is tried. Raises ``Refused`` as ``choose`` does."""
    offered = seen[at]
    for state in wanted:
        if any(one.to == state for one in offered):
            return choose(offered, state, given, item)
        if (first := way(seen, at, state, given)) is not None:
            return first
    return choose(offered, wanted[0], given, item)


def way(seen: Seen, at: str, state: str, given: Collection[str]) -> Step | None:
    """The first step of the shortest way that is known to lead to ``state``; never through a status that ends the
    work, which others would take for news."""
    reached: dict[str, Step | None] = {at: None}
    edge = [at]
    while edge and state not in reached:
        found = [(one, reached[place]) for place in edge for one in passable(seen.get(place, ()), given)]
        news = {one.to: first or one for one, first in reversed(found) if one.to not in reached}
        reached |= news
        ended = {one.to for one, _ in found if one.ends}
        edge = [to for to in news if to not in ended]
    return reached.get(state)


def passable(steps: Sequence[Step], given: Collection[str]) -> list[Step]:
    """Those that ask for nothing we do not have."""
    return [one for one in steps if one.required <= set(given)]


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
