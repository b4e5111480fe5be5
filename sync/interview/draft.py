"""What a first file is made of: answers, what the trackers told, and what is proposed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors.description import Description, Items
from connectors.installed import KINDS
from sync.interview.answers import Answers, SideAnswer
from sync.interview.fields import ProposedField
from sync.interview.stages import ProposedStage

#: how a remark begins that the admin should look at
GUESSED = "guessed:"


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the page is made of."""

    answers: Answers
    told: Mapping[str, Description]
    stages: tuple[ProposedStage, ...]
    left: Mapping[str, tuple[str, ...]]
    fields: tuple[ProposedField, ...]
    today: date

    def items(self, side: str) -> Items:
        tracker = next(one.tracker for one in self.answers.sides if one.name == side)
        return self.told[tracker].items[side]

    @property
    def opener(self) -> str:
        return self.answers.sides[0].name

    @property
    def active(self) -> ProposedStage | None:
        """The stage in which the first side's work is taken up."""
        return next((s for s in self.stages if s.category == "active" and self.opener in s.states), None)


def worker(draft: Draft) -> str:
    """The side that does the work: the first that is opened."""
    return draft.answers.sides[1].name if len(draft.answers.sides) > 1 else draft.opener


def party(side: str) -> str:
    return f"{side}_team"


def channels(draft: Draft, side: SideAnswer) -> list[str]:
    """The channels that may be named: the kind's own, and those of the place that we can use."""
    known = draft.items(side.name).channels or {}
    own = [name for name in KINDS[draft.answers.tracker(side.tracker).kind].channels if not known.get(name)]
    return [*own, *(name for name, why in known.items() if not why and name not in own)]


def public(draft: Draft, side: str) -> str:
    """The channel that everyone on the item reads."""
    answer = next(one for one in draft.answers.sides if one.name == side)
    private = draft.items(side).private
    names = channels(draft, answer)
    return next((name for name in names if not private or not name.startswith(private)), names[0])
