"""Guards: what a pass would do, held against what the file allows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mappings.model import Ref
from sync.freezing.freeze import writes_of
from sync.plan import Plan
from sync.setup import Guards
from sync.state import LinkState, Seen

#: below so many open links, or linked items of a tracker, a share says nothing
FLOOR = 20
#: of fewer linked items than that, but as many as these, more than half must be missing
FEW = 5
#: what went missing so long ago is no part of what is missing now
LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Toll:
    """What a pass would do: how often it writes, how many open links it changes, and of each tracker how many linked
    items it misses for the first time (``gone``), finds at an earlier version than before (``back``), or finds without
    any of the comments they had (``silent``)."""

    writes: int = 0
    links: int = 0
    gone: Mapping[str, int] = field(default_factory=dict)
    back: Mapping[str, int] = field(default_factory=dict)
    silent: Mapping[str, int] = field(default_factory=dict)

    def beyond(self, approved: Toll) -> Toll:
        """What it does more than was approved: that must pass the guards like anything else."""
        counts = (less(self.gone, approved.gone), less(self.back, approved.back), less(self.silent, approved.silent))
        return Toll(max(0, self.writes - approved.writes), max(0, self.links - approved.links), *counts)


def less(counts: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {tracker: count - others.get(tracker, 0) for tracker, count in counts.items()}


NOTHING = Toll()


@dataclass(frozen=True, slots=True)
class Estate:
    """How much there is: open links, the linked items of each tracker in them, and how many of those are missing since
    a while ago: what goes missing in several passes is counted together."""

    links: int = 0
    items: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)


def toll(plans: Iterable[tuple[LinkState, Plan]], seen: Seen) -> Toll:
    """Counts what a pass would do."""
    pairs = list(plans)
    written = [(link, count) for link, plan in pairs if (count := len(writes_of(plan.actions)))]
    changed = sum(1 for link, _ in written if link.id and not link.closed)
    back = Counter(ref.tracker for _, plan in pairs for ref in plan.settlement.receded)
    silent = Counter(tracker for link, plan in pairs for tracker in silenced(link, plan))
    return Toll(sum(count for _, count in written), changed, Counter(missed(pairs, seen)), back, silent)


def missed(pairs: Iterable[tuple[LinkState, Plan]], seen: Seen) -> Iterable[str]:
    """The tracker of each item that is gone, or hidden, for the first time."""
    for link, _ in pairs:
        known = {held.ref for held in link.held if held.what == "item"}
        for item in link.items if link.id and not link.closed else ():
            if is_gone(item.ref, seen) and not item.gone and item.ref not in known:
                yield item.ref.tracker


def silenced(link: LinkState, plan: Plan) -> Iterable[str]:
    """The tracker of each item that had comments of people and, all at once, has none."""
    there = {origin for origin, version in link.versions.items() if not version.gone}
    taken = {origin for origin, version in plan.settlement.versions if version.gone} & there
    spoken = {(origin.tracker, link.versions[origin].item) for origin in there - taken}
    emptied = {(origin.tracker, link.versions[origin].item) for origin in taken} - spoken
    return [tracker for tracker, _ in emptied]


def is_gone(ref: Ref, seen: Seen) -> bool:
    """Whether the item was asked for and is not there."""
    return ref in seen.records and seen.records[ref] is None


def excesses(guards: Guards, toll: Toll, estate: Estate, approved: Toll = NOTHING) -> tuple[str, ...]:
    """In what the pass would go further than the file and what was approved, as sentences; none where it may go on."""
    found = []
    more = toll.beyond(approved)
    if guards.writes and more.writes > guards.writes:
        found.append(f"this pass would write {toll.writes} times; guard.writes allows {guards.writes}")
    if guards.share and beyond(more.links, estate.links, guards.share):
        share = f"guard.share allows {guards.share * 100:g}%"
        found.append(f"this pass would change {toll.links} of {estate.links} open links; {share}")
    found += [too_few(guards, tracker, toll, more, estate) for tracker in sorted(toll.gone)]
    found += [put_back(guards, tracker, toll, more, estate) for tracker in sorted(toll.back)]
    found += [fell_silent(guards, tracker, toll, more) for tracker in sorted(toll.silent)]
    return tuple(filter(None, found))


def too_few(guards: Guards, tracker: str, toll: Toll, more: Toll, estate: Estate) -> str:
    """Far fewer items than before, also where they go missing a few at a time."""
    there, before = estate.items.get(tracker, 0), estate.missing.get(tracker, 0)
    if not more.gone[tracker] or not far_fewer(guards, more.gone[tracker] + before, there):
        return ""
    lately = f" ({before} of them before this pass)" if before else ""
    missing = f"{toll.gone[tracker] + before} of {there} linked items of {tracker} are suddenly gone, or hidden"
    return f"{missing} from our account{lately}; guard.gone allows {guards.gone * 100:g}%"


def put_back(guards: Guards, tracker: str, toll: Toll, more: Toll, estate: Estate) -> str:
    """A tracker that was restored from a backup, or another one that answers in its place."""
    there = estate.items.get(tracker, 0)
    if not far_fewer(guards, more.back[tracker], there):
        return ""
    why = f"{toll.back[tracker]} of {there} linked items of {tracker} show an earlier version than before"
    return f"{why}: it was restored from a backup, or a copy answers; guard.gone allows {guards.gone * 100:g}%"


def fell_silent(guards: Guards, tracker: str, toll: Toll, more: Toll) -> str:
    """Discussions that are empty all at once: more likely hidden from us than deleted."""
    if not guards.gone or more.silent[tracker] < FEW:
        return ""
    why = f"all comments of {toll.silent[tracker]} items of {tracker} are suddenly gone, or hidden from our account"
    return f"{why}; guard.gone allows fewer than {FEW} items"


def by_share(guards: Guards, toll: Toll) -> bool:
    """Whether what there is must be counted to know if the pass may go on."""
    return bool((guards.share and toll.links) or (guards.gone and (toll.gone or toll.back)))


def far_fewer(guards: Guards, part: int, whole: int) -> bool:
    """Whether so many of a tracker's items are more than may be missing. Of a few, more than half must be."""
    if not guards.gone or whole < FEW:
        return False
    return part > whole * (guards.gone if whole >= FLOOR else max(guards.gone, 0.5))


def beyond(part: int, whole: int, share: float) -> bool:
    """Whether a part is more than the share (0 to 1) of a whole that is large enough to tell."""
    return whole >= FLOOR and part > whole * share
