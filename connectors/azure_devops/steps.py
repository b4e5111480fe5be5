"""Which states a work item passes on its way to another. An inherited process may forbid steps (Azure DevOps REST API,
"Work Item Types - Get", ``transitions``). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connectors.base import Refused

#: the states that may follow each state of a type
Steps = Mapping[str, Sequence[str]]


def way(steps: Steps, at: str, wanted: Sequence[str], item: str, ends: Collection[str] = ()) -> list[str]:
    """The states to take one after another: to the first of ``wanted``, or else to another of them; never through one
    that ``ends`` the work, which others would take for news. Where the service
    does not tell the steps, the one straight there. Raises ``Refused`` where no way leads there: none is tried."""
    if at not in steps or at == wanted[0]:
        return [wanted[0]]
    for state in wanted:
        if found := shortest(steps, at, state, ends):
            return found
    shown = ", ".join(steps[at]) or "none"
    raise Refused(f"No step of {item} leads from {at} to {wanted[0]}. Its process allows: {shown}", ("System.State",))


def shortest(steps: Steps, at: str, state: str, ends: Collection[str]) -> list[str]:
    """Empty where there is no way."""
    ways = [[at]]
    seen = {at}
    while ways:
        if found := next((one for one in ways if one[-1] == state), None):
            return found[1:]
        news = {to: [*one, to] for one in reversed(ways) for to in steps.get(one[-1], ()) if to not in seen}
        seen |= set(news)
        ways = [one for to, one in news.items() if to == state or to not in ends]
    return []
