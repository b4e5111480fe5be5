"""Status: a field whose common values are the stages, with rules of its own for who may move the work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mappings.fields import Common, Spelling
from mappings.stages import StageMap
from sync.merge import Agreed, Choice, Choose, Claim

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


def deciders_word(stages: StageMap, before: str, order: Sequence[str]) -> Choose:
    """A side's change moves the link on if the stage it leaves is ``decided_by`` that side or names none. Any side
    may enter a paused stage; leaving one returns to the stage before, and from there the same rule holds."""

    def choose(agreed: Agreed, claims: Sequence[Claim]) -> Choice:
        current = stages.get(str(agreed.value))
        base = before if current.paused and before else current.name
        decider = stages.get(base).decided_by
        allowed = [c for c in claims if c.value == base or stages.get(str(c.value)).paused or decider in ("", c.side)]
        if not allowed:
            return Choice(base, claims[0].side if base != current.name else agreed.by, restored=tuple(claims))
        winner = min(allowed, key=lambda c: (c.side != decider, order.index(c.side) if c.side in order else len(order)))
        others = [c for c in claims if c.value != winner.value]
        restored = tuple(c for c in others if c not in allowed)
        return Choice(winner.value, winner.side, restored, tuple(c for c in others if c in allowed))

    return choose
