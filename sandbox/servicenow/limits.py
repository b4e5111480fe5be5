"""Hourly rate rules (sys_rate_limit_rules; ServiceNow docs, Inbound REST API rate limiting)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from sandbox.clock import SandboxClock
from sandbox.servicenow.errors import Problem
from sandbox.wire import Answer

#: how often a node's counts are committed to the database, in seconds
COMMIT = 30


@dataclass(frozen=True, slots=True)
class RateRule:
    """``limit`` requests an hour for each user on one REST API (``api``: as answers name it, empty for every one).
    ``user`` and ``role`` narrow it to those users."""

    limit: int
    api: str = ""
    user: str = ""
    role: str = ""

    @property
    def sys_id(self) -> str:
        return hashlib.md5(f"{self.api}|{self.user}|{self.role}".encode(), usedforsecurity=False).hexdigest()

    def covers(self, user: str, roles: Collection[str], api: str) -> bool:
        mine = self.user in ("", user) and (not self.role or self.role in roles)
        return mine and self.api in ("", api)

    @property
    def rank(self) -> tuple[int, int]:
        """A rule for one user comes before those for a role, those before the ones for all; among equals the lowest
        limit."""
        return 0 if self.user else 1 if self.role else 2, self.limit


@dataclass
class RateLimits:
    """The counts of an instance of ``nodes`` nodes. Each node counts for itself and commits every 30 seconds, so more
    requests than the limit get through where there are several."""

    clock: SandboxClock
    nodes: int = 1
    committed: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    waiting: dict[int, Counter[tuple[str, str, int]]] = field(default_factory=dict)
    last: float = 0.0
    turn: int = 0

    def count(self, rule: RateRule, user: str, api: str) -> dict[str, str]:
        """Counts a request: the headers to send with the answer; raises ``TooMany``."""
        now = self.clock.now().timestamp()
        self.commit(now)
        hour = int(now // 3600)
        key, node = (rule.sys_id, user, hour), self.turn % self.nodes
        self.turn += 1
        mine = self.waiting.setdefault(node, Counter())
        reset = (hour + 1) * 3600
        headers = {"X-RateLimit-Limit": str(rule.limit), "X-RateLimit-Reset": str(reset)}
        headers["X-RateLimit-Rule"] = rule.sys_id
        if self.committed[key] + mine[key] >= rule.limit:
            raise TooMany(rule, api, {**headers, "Retry-After": str(int(reset - now) + 1)})
        mine[key] += 1
        return headers

    def commit(self, now: float) -> None:
        if now - self.last >= COMMIT:
            self.last = now
            for counts in self.waiting.values():
                self.committed.update(counts)
            self.waiting.clear()


class TooMany(Problem):
    """The hour's requests are used up."""

    def __init__(self, rule: RateRule, api: str, headers: dict[str, str]) -> None:
        detail = f"Rate limit of {rule.limit} requests per hour for {api} exceeded"
        super().__init__(429, "Rate limit exceeded", detail)
        self.headers = headers

    def answer(self) -> Answer:
        answer = super().answer()
        answer.headers.update(self.headers)
        return answer
