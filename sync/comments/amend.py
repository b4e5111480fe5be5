"""New words for copies that are there: what is to be done about one comment and one item, and which comments still
want it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mappings.model import Comment, Ref
from sync.comments.copies import Errand, first
from sync.plan import Reword, Say
from sync.setup import Setup
from sync.state import Copy, CopyKey, Item, LinkState, Origin, OwnRemark, Seen, Version

#: how long an edit must have stood before it is carried
SETTLES = timedelta(minutes=5)
#: what stands in a copy whose remark was deleted, moved to other readers, emptied or shortened
DELETED = "(deleted by its author)"
WITHDRAWN = "(no longer shown here: its author changed who may read it)"
EMPTIED = "(emptied by its author)"
SHORTENED = "(this part went when its author edited the comment)"
#: the version of a copy whose remark is gone, and of one that an edit was missed of
GONE, MISSED = "gone", "missed"
#: a look that could not settle new words is repeated so soon
SOON = timedelta(seconds=30)

Thread = list[tuple[CopyKey, Copy]]


@dataclass
class Revised:
    """What is to be done about comments that changed: new words for copies that are there, new parts of them,
    follow-ups, what the state learns, until when a lost answer is waited for, when an edit will have settled, what
    people are told."""

    rewords: list[Reword] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    says: list[Say] = field(default_factory=list)
    versions: list[tuple[Origin, Version]] = field(default_factory=list)
    copies: list[tuple[CopyKey, Copy, str]] = field(default_factory=list)
    waits: list[datetime] = field(default_factory=list)
    dues: list[datetime] = field(default_factory=list)
    remarks: list[OwnRemark] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Case:
    """One comment, as it now is, and one item that holds a copy of it."""

    link: LinkState
    seen: Seen
    setup: Setup
    now: datetime
    comment: Comment
    version: Version
    target: Item
    channels: tuple[str, ...]

    @property
    def origin(self) -> Origin:
        return Origin(self.comment.item.tracker, self.comment.id)

    @property
    def settled(self) -> bool:
        """Whether the newest words stand for long enough to be carried."""
        return self.now >= self.version.since + SETTLES


def threads(copies: Mapping[CopyKey, Copy]) -> dict[tuple[Origin, Ref], dict[int, Thread]]:
    """The copies of each remark on each item, by version: 0 is the first."""
    found: dict[tuple[Origin, Ref], dict[int, Thread]] = defaultdict(lambda: defaultdict(list))
    for key, copy in sorted(copies.items(), key=lambda pair: pair[0].part):
        origin, stamp = first(key.origin)
        found[origin, key.target][stamp].append((key, copy))
    return found


def unsettled(link: LinkState, *, deletions: bool) -> set[Origin]:
    """The remarks whose copies do not say yet what they should, as far as the state knows."""
    found = {first(key.origin)[0] for key, copy in link.copies.items() if copy.sent}
    for (origin, target), thread in threads(link.copies).items():
        version = link.versions.get(origin)
        rows = [copy for _, copy in thread[max(thread)]]
        if version and version.gone:
            erased = Origin(origin.tracker, f"{origin.id} deleted")
            said = link.copies.get(CopyKey(erased, target))
            told = said is not None and said.outcome == "done"
            found |= {origin} if deletions and not told and any(copy.outcome == "done" for copy in rows) else set()
        elif version and any(stale(copy, version.digest) for copy in rows):
            found.add(origin)
    return found


def to_hear(link: LinkState, now: datetime, *, deletions: bool) -> set[Ref]:
    """The items whose discussions are needed to bring copies up to date: those of remarks whose edit has settled, and
    those to which new words are on their way."""
    items = {key.target for key, copy in link.copies.items() if copy.sent}
    for origin in unsettled(link, deletions=deletions):
        version = link.versions.get(origin)
        if version and now >= version.since + SETTLES:
            items.add(Ref(origin.tracker, version.item))
    return items


def stale(copy: Copy, digest: str) -> bool:
    """Whether the copy holds other words than those of that digest."""
    return copy.outcome in ("done", "withdrawn") and copy.digest not in ("", digest)


def place_of(case: Case, rows: Thread) -> str:
    """The channel on which the copy stands; empty where neither the state nor the tracker tells."""
    there = {one.id: one.channel for one in case.seen.comments.get(case.target.ref, ())}
    return next((copy.channel or there.get(copy.id, "") for _, copy in rows), "")


def changeable(case: Case, rows: Thread) -> bool:
    """Whether the copy's tracker changes comments, and each part of the copy has an id to name it by."""
    return case.seen.facts[case.target.ref.tracker].rewords and all(copy.id for _, copy in rows)


@dataclass(frozen=True, slots=True)
class Reworded:
    """What a copy is to be: where it stands, its text, the version it carries, how it then counts, and why."""

    channel: str
    text: str
    version: str
    outcome: str
    reason: str


def amend(case: Case, key: CopyKey, copy: Copy, wanted: Reworded, revised: Revised) -> None:
    """One copy brought to what it is to say. One that says it already is settled by that; one that people removed
    stays removed; new words whose answer was lost are waited for."""
    there = case.seen.comments.get(key.target)
    if there is not None:
        found = next((one for one in there if one.id == copy.id), None)
        if found is None or found.text.split() == wanted.text.split():
            as_is = replace(copy, outcome=wanted.outcome, digest=wanted.version, sent="", channel=wanted.channel)
            revised.copies.append((key, as_is, copy.id))
            return
    believed = copy.at + case.seen.facts[key.target.tracker].grace
    if copy.sent and (there is None or case.now < believed):
        revised.waits.append(believed if case.now < believed else case.now + SOON)
        return
    place = case.target.ref, case.target.side, wanted.channel, key, copy.id
    revised.rewords.append(Reword(*place, wanted.text, wanted.version, wanted.reason, wanted.outcome))
