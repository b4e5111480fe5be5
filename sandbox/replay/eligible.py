"""Which incidents must get counterparts, told from the log alone: those that a pass finds in an opening state.

A pass follows each window that holds a change, so what counts is how an incident stood at the end of some window.
Shares nothing with the bot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sandbox.replay.log import SPAN, Event


def opening(state: str) -> bool:
    """New, Active, or waiting for somebody."""
    return state in ("New", "Active") or state.startswith("Awaiting ")


def openings(events: Sequence[Event], first: datetime) -> Iterator[tuple[str, int, int]]:
    """Each stretch of passes that finds an incident in an opening state: its number, the window that begins the
    stretch and the one that ends it (-1: it never ends)."""
    states: dict[str, dict[int, str]] = {}
    for event in events:
        states.setdefault(event.number, {})[(event.at - first) // SPAN] = event.state
    for number, seen in states.items():
        begun: int | None = None
        for window in sorted(seen):
            if opening(seen[window]) and begun is None:
                begun = window
            elif not opening(seen[window]) and begun is not None:
                yield number, begun, window
                begun = None
        if begun is not None:
            yield number, begun, -1


def eligible(events: Sequence[Event], first: datetime) -> frozenset[str]:
    """The numbers of the eligible incidents; ``first`` is the instant from which windows are counted."""
    return frozenset(number for number, _, _ in openings(events, first))


def eligible_at(events: Sequence[Event], first: datetime, calm: Collection[int] | None, upto: int) -> frozenset[str]:
    """Those found by a pass after one of the windows in ``calm`` (``None``: all that hold a change) up to ``upto``."""
    passes = sorted(calm) if calm is not None else None
    return frozenset(n for n, begun, end in openings(events, first) if met(begun, end, passes, upto))


def met(begun: int, end: int, passes: Sequence[int] | None, upto: int) -> bool:
    """Whether one of the passes, in order, falls into a stretch."""
    if passes is None:
        return begun <= upto
    place = bisect_left(passes, begun)
    return place < len(passes) and passes[place] <= upto and (end < 0 or passes[place] < end)
