"""Seeded faults: which requests fail, and how."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from sandbox.wire import Answer, Request


@dataclass(slots=True)
class Fault:
    """What to do to the requests that match.

    ``tracker``, ``method`` and ``path`` (a regular expression searched in the path) select; ``nth`` picks those
    calls of the matching ones (1-based), ``chance`` a seeded share of them; ``times`` is how often it strikes at the
    most (0: no bound). ``kind`` is one of

    - ``answer``: ``answer`` is sent, the request is not handled;
    - ``reset_before``: the connection is reset, the request is not handled;
    - ``reset_after``: the request takes effect, then the connection is reset;
    - ``cut``: the request takes effect, the body ends after ``keep`` of its bytes (a share, 0 to 1);
    - ``garbage``: the request takes effect, the body is HTML under the original status;
    - ``delay``: ``seconds`` of real time pass first.
    """

    kind: str
    tracker: str = ""
    method: str = ""
    path: str = ""
    nth: tuple[int, ...] = ()
    chance: float = 1.0
    times: int = 0
    answer: Answer | None = None
    keep: float = 0.5
    seconds: float = 0.0
    seen: int = 0
    struck: int = 0

    def matches(self, tracker: str, request: Request) -> bool:
        return (
            (not self.tracker or self.tracker == tracker)
            and (not self.method or request.method in self.method.split("|"))
            and bool(re.search(self.path, request.path, re.IGNORECASE))
        )

    def strikes(self, chance: random.Random) -> bool:
        """Counts a matching call and says whether this one is struck."""
        self.seen += 1
        if self.times and self.struck >= self.times:
            return False
        if self.nth and self.seen not in self.nth:
            return False
        if not self.nth and chance.random() >= self.chance:
            return False
        self.struck += 1
        return True


@dataclass
class Faults:
    """The faults in force. The same seed and the same requests give the same faults."""

    seed: int = 0
    rules: list[Fault] = field(default_factory=list)
    paused: bool = False

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def add(self, fault: Fault) -> Fault:
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules.clear()

    def pick(self, tracker: str, request: Request) -> Fault | None:
        """The first rule that strikes this request."""
        if self.paused:
            return None
        for rule in self.rules:
            if rule.matches(tracker, request) and rule.strikes(self.chance):
                return rule
        return None
