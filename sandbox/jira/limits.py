"""Rate limits, off unless asked for (Atlassian developer documentation, "Rate limiting")."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.wire import Answer

#: (requests, window in seconds)
BURST_READ, BURST_WRITE = (100, 1), (50, 1)
PER_ISSUE = ((20, 2), (100, 30))


@dataclass
class Limits:
    """``burst`` bounds the requests of an account, ``per_issue`` the writes to one issue."""

    burst: bool = False
    per_issue: bool = False
    seen: dict[tuple[str, ...], deque[datetime]] = field(default_factory=dict)

    def refuse(self, account: str, method: str, issue: str, now: datetime) -> Answer | None:
        """A 429 where a limit is reached; what is refused does not count."""
        rules: list[tuple[tuple[str, ...], tuple[int, int], str]] = []
        if self.burst:
            rate = BURST_READ if method in ("GET", "POST") else BURST_WRITE
            rules.append((("burst", account, method), rate, "jira-burst-based"))
        if self.per_issue and issue and method != "GET":
            rules += [(("issue", issue, str(rate)), rate, "jira-per-issue-on-write") for rate in PER_ISSUE]
        for key, (most, window), reason in rules:
            wait = self.wait(key, most, window, now)
            if wait > 0:
                return too_many(wait, most, reason, now)
        for key, _, _ in rules:
            self.seen[key].append(now)
        return None

    def wait(self, key: tuple[str, ...], most: int, window: int, now: datetime) -> float:
        """Seconds until another request fits; 0 if it fits now."""
        times = self.seen.setdefault(key, deque())
        while times and times[0] <= now - timedelta(seconds=window):
            times.popleft()
        return (times[-most] + timedelta(seconds=window) - now).total_seconds() if len(times) >= most else 0.0


def too_many(wait: float, most: int, reason: str, now: datetime) -> Answer:
    seconds = int(wait) + 1
    reset = (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%MZ")
    headers = {
        "Retry-After": str(seconds),
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": reset,
        "X-RateLimit-NearLimit": "true",
        "RateLimit-Reason": reason,
    }
    return Answer.of({"errorMessages": ["Rate limit exceeded."], "errors": {}}, 429, headers)
