"""Storms: seeded stretches of a replay in which all three trackers fail in every way there is."""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.wire import Answer

#: how often a window is stormy, how often such a one ends without a calm pass, and how late Jira's index may be
STORMY, UNCALMED, LATE = 0.15, 0.3, 90
#: how long until every rest, lag and lost answer of a storm is over
OVER = timedelta(minutes=4)
POLL = timedelta(seconds=30)


class Storm:
    """Arms an estate's faults and decides where they blow. Between storms they pause and Jira's index is prompt."""

    def __init__(self, estate: Estate, seed: int = 0, *, share: float = 1.0) -> None:
        self.estate, self.chance, self.share = estate, random.Random(seed), share
        for fault in kinds(share):
            estate.faults.add(fault)
        estate.faults.paused = True
        self.jira = estate.jira.store
        self.lag = self.jira.lag
        self.late = False

    @property
    def struck(self) -> int:
        return sum(rule.struck for rule in self.estate.faults.rules)

    def comes(self) -> int:
        """How many passes of the coming window are stormy: mostly none."""
        return self.chance.choice((1, 1, 1, 2, 3)) if self.chance.random() < STORMY else 0

    def calms(self) -> bool:
        """Whether a calm pass follows a stormy one."""
        return self.chance.random() >= UNCALMED

    def blow(self, stormy: bool) -> None:
        self.estate.faults.paused = not stormy
        self.jira.lag = self.lateness if stormy else self.lag

    def lateness(self) -> timedelta:
        return timedelta(seconds=self.chance.randint(0, LATE) * (self.chance.random() < 0.5))

    @property
    def lagging(self) -> bool:
        """Whether Jira's index still lacks a write."""
        self.jira.searchable()
        return bool(self.jira.pending)


def kinds(share: float) -> list[Fault]:
    """Every kind of fault; ``share`` scales how often each strikes."""
    busy = Answer.of({"error": {"message": "Rate limit exceeded"}, "status": "failure"}, 429, {"Retry-After": "2"})
    busier = Answer.of({"errorMessages": ["Rate limit exceeded."]}, 429, {"Retry-After": "20"})
    down = Answer(503, b"<html><body>Service Unavailable</body></html>", {"Content-Type": "text/html"})
    broken = Answer.of({"message": "An internal error occurred"}, 500)
    return [
        Fault("answer", answer=busy, chance=0.02 * share),
        Fault("answer", answer=busier, chance=0.005 * share),
        Fault("answer", answer=down, chance=0.01 * share),
        Fault("answer", answer=broken, chance=0.02 * share),
        Fault("reset_before", chance=0.02 * share),
        Fault("reset_after", chance=0.02 * share),
        Fault("cut", chance=0.02 * share, keep=0.6),
        Fault("delay", chance=0.01 * share, seconds=0.002),
    ]
