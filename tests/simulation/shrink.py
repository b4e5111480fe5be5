"""Delta debugging over the steps of a history: the fewest that still show the same kind of finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.people import Step

#: whether a history of these steps alone shows what was found
Shows = Callable[[Sequence[Step]], bool]


def shrunk(steps: Sequence[Step], shows: Shows, over: Callable[[], bool] = lambda: False) -> tuple[Step, ...]:
    """Steps of ``steps``, in their order, that still show it: none of them can be taken away alone, unless time was
    ``over`` before that was known. What is given must show it."""
    kept = without_tail(tuple(steps), shows, over)
    size = max(len(kept) // 2, 1)
    while not over():
        fewer = less(kept, size, shows, over)
        if size == 1 and len(fewer) == len(kept):
            return fewer
        kept, size = fewer, max(min(size // 2, len(fewer) // 2), 1)
    return kept


def without_tail(steps: tuple[Step, ...], shows: Shows, over: Callable[[], bool]) -> tuple[Step, ...]:
    """A beginning that shows it, found by halving: what people did after a fault is mostly beside the point."""
    enough, too_few = len(steps), -1
    while enough - too_few > 1 and not over():
        middle = (enough + too_few) // 2
        if shows(steps[:middle]):
            enough = middle
        else:
            too_few = middle
    return steps[:enough]


def less(steps: tuple[Step, ...], size: int, shows: Shows, over: Callable[[], bool]) -> tuple[Step, ...]:
    """Without every run of ``size`` steps that is not needed, the last ones first."""
    at = len(steps)
    while at > 0 and not over():
        begin = max(at - size, 0)
        rest = steps[:begin] + steps[at:]
        if shows(rest):
            steps = rest
        at = begin
    return steps
