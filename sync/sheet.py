"""The sheet a plan is drafted on, and what every part of deciding asks of it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mappings.fields import Common
from mappings.model import Native, Record, Ref
from mappings.stages import StageMap
from sync.merging.merge import Agreed, Echo, Verdict
from sync.merging.status import STAGE
from sync.plan import Action, Joining, Proposal, Reason, Telling
from sync.setup import Setup
from sync.state import Held, Item, LinkState, Movement, Order, Origin, OwnRemark, Seen


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
    receded: tuple[Ref, ...] = ()
    unbelieved: tuple[Ref, ...] = ()
    joins: list[Joining] = field(default_factory=list)
    tells: list[Telling] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    approved: frozenset[str] = frozenset()
    before: str = ""
    aged: bool = False
    unfit: set[str] = field(default_factory=set)
    pending: bool = False
    speakers: dict[str, Ref | None] = field(default_factory=dict)
    left: list[tuple[Ref, bool]] = field(default_factory=list)
    gated: list[str] = field(default_factory=list)
    granted: bool = False
    follows: str = ""
    orders: list[Order] = field(default_factory=list)
    fulfilled: list[str] = field(default_factory=list)

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

    def aside(self) -> frozenset[str] | None:
        """The routes that still open by a person's word alone, where they have become fewer: what does not fit one
        now may come to fit it anew."""
        left = self.link.aside - self.unfit
        return left if left != self.link.aside else None

    def values(self) -> dict[str, Common]:
        return {name: agreed.value for name, agreed in self.agreed.items()}


def key_of(sheet: Sheet, ref: Ref) -> str:
    return sheet.link.item(ref).key


def told_value(sheet: Sheet, name: str, value: Common) -> str:
    """A value as people read it: a stage by its name."""
    return repr(sheet.setup.stages.get(str(value)).name if name == STAGE and value else value)


def title(sheet: Sheet) -> str:
    return " · ".join(item.key for item in sheet.link.items)


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


def say_once(sheet: Sheet, id: str, ref: Ref, text: str) -> None:
    """A note for the people of an item, as private as its tracker knows how."""
    if not told(sheet, id, ref):
        channel = sheet.seen.facts[ref.tracker].note_channel
        sheet.remarks.append(OwnRemark(id, ref, channel, text, text))


def told(sheet: Sheet, id: str, ref: Ref) -> bool:
    """Whether a note was said, or is kept until it can be."""
    said = any(key.origin == Origin("", id) and key.target == ref for key in sheet.link.copies)
    return said or any(own.id == id and own.ref == ref for own in (*sheet.link.remarks, *sheet.remarks))


def fingerprint_of(fields: Mapping[str, Native]) -> str:
    return hashlib.sha256(repr(sorted(fields.items())).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_ours(sheet: Sheet, ref: Ref, account: str) -> bool:
    """Whether an account is our own, as who wrote last shows it or as histories name it."""
    facts = sheet.seen.facts.get(ref.tracker)
    return facts is not None and bool(account) and account in (facts.updater, facts.account)
