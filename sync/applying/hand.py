"""A plan being carried out, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from connectors.base import Failure
from mappings.model import Record, Ref
from sync.engine import Engine
from sync.plan import Action, Reword, Say
from sync.state import LinkState, Origin


@dataclass
class Applied:
    """What became of one plan on the link ``link``. ``created`` are the new items, ``records`` what the trackers now
    say. ``unsettled``: something was not done or not answered, so its items stay dirty. ``strange``: items that
    somebody else wrote between what was decided on and our own writes: all that they show is still news."""

    link: int
    writes: int = 0
    refused: int = 0
    unsettled: bool = False
    failures: dict[str, Failure] = field(default_factory=dict)
    created: list[Ref] = field(default_factory=list)
    records: dict[Ref, Record | None] = field(default_factory=dict)
    strange: set[Ref] = field(default_factory=set)

    def plus(self, other: Applied) -> Applied:
        """Both taken together."""
        return Applied(
            self.link,
            self.writes + other.writes,
            self.refused + other.refused,
            self.unsettled or other.unsettled,
            {**self.failures, **other.failures},
            [*self.created, *other.created],
            {**self.records, **other.records},
            self.strange | other.strange,
        )


@dataclass
class Hand:
    """One plan being carried out: the records as the answers leave them. After a comment that did not come through,
    the later ones on its item wait (``silent``), so that people's words stay in order; after a refused part, those of
    the same remark. ``heard``: the items whose discussion is in hand."""

    engine: Engine
    link: LinkState
    id: int
    now: datetime
    done: Applied
    blocked: bool = False
    silent: set[tuple[Ref, Origin | None]] = field(default_factory=set)
    heard: Collection[Ref] = ()

    def follows(self, ref: Ref, directly: bool) -> bool:
        """Whether an answer, and every one of ours before it, followed directly on what was decided on. Behind a
        stranger's write our next one looks as if it did, and would hide what they said."""
        if not directly:
            self.done.strange.add(ref)
        return ref not in self.done.strange

    def record(self, ref: Ref) -> Record:
        found = self.done.records[ref]
        assert found is not None
        return found


def leave(hand: Hand, action: Action, intent: int | None) -> None:
    """An action that is certainly not sent: the next pass decides again."""
    if isinstance(action, Say):
        hand.engine.store.said(action, hand.id, "pending", hand.now)
    elif isinstance(action, Reword):
        hand.engine.store.reworded(action, "failed", hand.now)
    elif intent is not None:
        hand.engine.store.settle_intent(intent, "failed", hand.now)
    hand.done.unsettled = True


def log(event: str, hand: Hand, key: str) -> None:
    structlog.get_logger().info(event, action="apply", link=hand.link.key, item=key)
