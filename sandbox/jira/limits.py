"""Rate limits, off unless asked for (Atlassian developer documentation, "Rate limiting").

Apps spend points by the hour: one a request and one more for each issue a read shows. API tokens know bursts only: so
many requests a second by tenant, endpoint and method. Writes to one issue are limited for both.
"""

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
    """``burst`` bounds the requests to an endpoint, ``per_issue`` the writes to one issue. ``quota`` is how many points
    each app has an hour (0: unlimited), ``pool`` whose they are: ``tenant`` or ``global``."""

    burst: bool = False
    per_issue: bool = False
    quota: int = 0
    pool: str = "tenant"
    reads: tuple[int, int] = BURST_READ
    writes: tuple[int, int] = BURST_WRITE
    seen: dict[tuple[str, ...], deque[datetime]] = field(default_factory=dict)
    spent: dict[tuple[str, datetime], int] = field(default_factory=dict)

    @property
    def on(self) -> bool:
        return self.burst or self.per_issue or self.quota > 0

    def refuse(self, endpoint: str, app: str, method: str, issue: str, now: datetime) -> Answer | None:
        """A 429 where a limit is reached; what is refused does not count. ``app`` is empty for an API token."""
        if self.quota and app and self.left(app, now) <= 0:
            reason = f"jira-quota-{self.pool}-based"
            refusal = too_many((hour(now) + timedelta(hours=1) - now).total_seconds(), self.quota, reason, now)
            refusal.headers.update(self.twins(app, now))
            return refusal
        rules: list[tuple[tuple[str, ...], tuple[int, int], str]] = []
        if self.burst:
            rate = self.reads if method in ("GET", "POST") else self.writes
            rules.append((("burst", endpoint, method), rate, "jira-burst-based"))
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

    # -- points

    def left(self, app: str, now: datetime) -> int:
        return self.quota - self.spent.get((app, hour(now)), 0)

    def spend(self, app: str, issues: int, now: datetime) -> dict[str, str]:
        """Counts a request that was served; what its answer says about the quota."""
        if not self.quota:
            return {}
        key = (app, hour(now))
        self.spent[key] = self.spent.get(key, 0) + 1 + issues
        return self.twins(app, now)

    def twins(self, app: str, now: datetime) -> dict[str, str]:
        """The ``Beta-`` headers, which tell the quota before it is reached."""
        left, ends = max(0, self.left(app, now)), int((hour(now) + timedelta(hours=1) - now).total_seconds())
        policy = f'"{self.pool}-app-quota"'
        return {
            "Beta-RateLimit-Policy": f"{policy};q={self.quota};w=3600",
            "Beta-RateLimit": f"{policy};r={left};t={ends}",
        }


def hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


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
