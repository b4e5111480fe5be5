"""Guards: what a pass would do, held against what the file allows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mappings.model import Ref
from sync.freezing.freeze import writes_of
from sync.plan import Plan
from sync.setup import Guards
from sync.state import LinkState, Seen

#: below so many open links, or linked items of a tracker, a share says nothing
FLOOR = 20


@dataclass(frozen=True, slots=True)
class Toll:
    """What a pass would do: how often it writes, how many open links it changes, and how many linked items of each
    tracker it misses for the first time."""

    writes: int = 0
    links: int = 0
    gone: Mapping[str, int] = field(default_factory=dict)

    def beyond(self, approved: Toll) -> Toll:
        """What it does more than was approved: that must pass the guards like anything else."""
        gone = {tracker: count - approved.gone.get(tracker, 0) for tracker, count in self.gone.items()}
        return Toll(max(0, self.writes - approved.writes), max(0, self.links - approved.links), gone)


NOTHING = Toll()


@dataclass(frozen=True, slots=True)
class Estate:
    """How much there is: open links, and the linked items of each tracker in them."""

    links: int = 0
    items: Mapping[str, int] = field(default_factory=dict)


def toll(plans: Iterable[tuple[LinkState, Plan]], seen: Seen) -> Toll:
    """Counts what a pass would do."""
    pairs = list(plans)
    written = [(link, count) for link, plan in pairs if (count := len(writes_of(plan.actions)))]
    changed = sum(1 for link, _ in written if link.id and not link.closed)
    return Toll(sum(count for _, count in written), changed, Counter(missed(pairs, seen)))


def missed(pairs: Iterable[tuple[LinkState, Plan]], seen: Seen) -> Iterable[str]:
    """The tracker of each item that is gone, or hidden, for the first time."""
    for link, _ in pairs:
        known = {held.ref for held in link.held if held.what == "item"}
        for item in link.items if link.id and not link.closed else ():
            if is_gone(item.ref, seen) and not item.gone and item.ref not in known:
                yield item.ref.tracker


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
    for tracker, count in sorted(toll.gone.items()):
        there = estate.items.get(tracker, 0)
        if guards.gone and beyond(more.gone[tracker], there, guards.gone):
            missing = f"{count} of {there} linked items of {tracker} are suddenly gone, or hidden from our account"
            found.append(f"{missing}; guard.gone allows {guards.gone * 100:g}%")
    return tuple(found)


def by_share(guards: Guards, toll: Toll) -> bool:
    """Whether what there is must be counted to know if the pass may go on."""
    return bool((guards.share and toll.links) or (guards.gone and toll.gone))


def beyond(part: int, whole: int, share: float) -> bool:
    """Whether a part is more than the share (0 to 1) of a whole that is large enough to tell."""
    return whole >= FLOOR and part > whole * share
