"""The sheet a plan is drafted on, and what every part of deciding asks of it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mappings.fields import Common
from mappings.model import Native, Record, Ref
from mappings.stages import StageMap
from sync.merge import Agreed, Echo, Verdict
from sync.plan import Action, Reason
from sync.setup import Setup
from sync.state import Held, Item, LinkState, Movement, OwnRemark, Seen
from sync.status import STAGE


@dataclass
class Sheet:
    """The plan in the making, for one call of ``decide``."""

    link: LinkState
    seen: Seen
    setup: Setup
    now: datetime
    agreed: dict[str, Agreed] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    echoes: list[tuple[Ref, str, Echo]] = field(default_factory=list)
    holds: dict[tuple[Ref, str], Held] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    conflicts: list[tuple[str, str, Common]] = field(default_factory=list)
    remarks: list[OwnRemark] = field(default_factory=list)
    waits: list[datetime] = field(default_factory=list)
    before: str = ""
    aged: bool = False

    def hold(self, ref: Ref, what: str, reason: str, advice: str, fingerprint: str = "") -> None:
        """Sets something aside; what was held before keeps its instant."""
        old = next((h for h in self.link.held if h.ref == ref and h.what == what), None)
        since = old.since if old else self.now
        self.holds[ref, what] = Held(ref, what, reason, advice, since, fingerprint=fingerprint)

    def because(self, about: str, text: str) -> None:
        self.reasons.append(Reason(about, text))

    def record(self, ref: Ref) -> Record:
        found = self.seen.records[ref]
        assert found is not None
        return found

    def present(self) -> tuple[Item, ...]:
        """The items whose record is in hand."""
        return tuple(i for i in self.link.items if not i.gone and self.seen.records.get(i.ref) is not None)

    def values(self) -> dict[str, Common]:
        return {name: agreed.value for name, agreed in self.agreed.items()}


def key_of(sheet: Sheet, ref: Ref) -> str:
    return sheet.link.item(ref).key


def title(sheet: Sheet) -> str:
    return " · ".join(item.key for item in sheet.link.items)


def follows(sheet: Sheet, item: Item) -> bool:
    """Whether another item speaks for this one's side: on the opening side the oldest open one, elsewhere the least
    advanced open one; when none is open, the furthest."""
    return speaking(sheet, item.side) != item.ref


def speaking(sheet: Sheet, side: str) -> Ref | None:
    items = [i for i in sheet.present() if i.side == side]
    if len(items) < 2:
        return items[0].ref if items else None
    stages = sheet.setup.stages
    ranks = {i.ref: rank_of(stages, side, sheet.record(i.ref).state) for i in items}
    open_items = [i for i in items if not is_terminal(stages, side, sheet.record(i.ref).state)]
    if side == sheet.link.item(sheet.link.source).side:
        return min(open_items or items, key=lambda i: sheet.record(i.ref).created).ref
    if open_items:
        return min(open_items, key=lambda i: ranks[i.ref]).ref
    return max(items, key=lambda i: ranks[i.ref]).ref


def rank_of(stages: StageMap, side: str, state: str) -> int:
    return min((stages.rank(name) for name in stages.meanings(side, state)), default=0)


def is_terminal(stages: StageMap, side: str, state: str) -> bool:
    return any(stages.get(name).terminal for name in stages.meanings(side, state))


def closed(sheet: Sheet) -> bool:
    """Whether the link's stage ends the work."""
    stage = sheet.agreed.get(STAGE)
    return stage is not None and bool(stage.value) and sheet.setup.stages.get(str(stage.value)).terminal


def resting(sheet: Sheet, ref: Ref, what: str, fingerprint: str) -> bool:
    """Whether this very thing was refused and rests. What is still wanted stays held, also while it is tried again:
    only success releases it. Anything new is tried."""
    held = next((h for h in sheet.link.held if h.ref == ref and h.what == what), None)
    if held is None or held.fingerprint != fingerprint or held.retry is None:
        return False
    sheet.holds[ref, what] = held
    return held.retry > sheet.now


def fingerprint_of(fields: Mapping[str, Native]) -> str:
    return hashlib.sha256(repr(sorted(fields.items())).encode("utf-8", "surrogatepass")).hexdigest()[:16]
