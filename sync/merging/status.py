"""Status: a field whose common values are the stages, with rules of its own for who may move the work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mappings.fields import Common, Spelling
from mappings.stages import StageMap
from sync.merging.merge import Agreed, Choice, Choose, Claim

#: the name under which the status is agreed, echoed and held beside the declared fields
STAGE = "stage"
STATE = "state"


def spelled(state: str) -> Spelling:
    return ((STATE, state),)


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """The stages as a merge sees them. ``before`` is the stage that a paused link returns to: a state listed under
    several stages means it first."""

    stages: StageMap
    before: str = ""

    def meanings(self, side: str, spelling: Spelling) -> tuple[Common, ...]:
        names = self.stages.meanings(side, str(spelling[0][1] or ""))
        return tuple(sorted(names, key=lambda name: name != self.before))

    def spelling(self, side: str, common: Common) -> Spelling | None:
        state = self.stages.spelling(side, str(common)) if common else None
        return spelled(state) if state else None


def may_decide(stages: StageMap, before: str, agreed: str, claim: Claim) -> bool:
    """Whether a claim is its side's to make: the stage that is left, or that a pause returns to, names it or nobody."""
    current = stages.get(agreed)
    base = before if current.paused and before else current.id
    entered = str(claim.value)
    return entered == base or stages.get(entered).paused or stages.get(base).decided_by in ("", claim.side)


def deciders_word(
    stages: StageMap, before: str, order: Sequence[str], barred: Callable[[str], bool] = lambda stage: False
) -> Choose:
    """A side's change moves the link on if the stage it leaves is ``decided_by`` that side or names none. Any side
    may enter a paused stage; leaving one returns to the stage before, and from there the same rule holds.
    A stage that is ``barred`` is entered by nobody; where its gate holds, who moved there waits in its place."""

    def choose(agreed: Agreed, claims: Sequence[Claim]) -> Choice:
        current = stages.get(str(agreed.value))
        base = before if current.paused and before else current.id
        decider = stages.get(base).decided_by
        rightful = [c for c in claims if may_decide(stages, before, str(agreed.value), c)]
        allowed = [c for c in rightful if c.value == base or not barred(str(c.value))]
        if not allowed:
            waiting = tuple(c for c in rightful if base == current.id and stages.get(str(c.value)).gate == "hold")
            restored = tuple(c for c in claims if c not in waiting)
            return Choice(base, claims[0].side if base != current.id else agreed.by, restored, waiting=waiting)
        winner = min(allowed, key=lambda c: (c.side != decider, order.index(c.side) if c.side in order else len(order)))
        others = [c for c in claims if c.value != winner.value]
        restored = tuple(c for c in others if c not in allowed)
        return Choice(winner.value, winner.side, restored, tuple(c for c in others if c in allowed))

    return choose
