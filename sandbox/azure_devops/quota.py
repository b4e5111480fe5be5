"""The TSTU limit of a user: first answers are delayed, then they are refused (rate limits page)."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta

from sandbox.azure_devops.errors import delayed, throttled
from sandbox.azure_devops.switches import Switches
from sandbox.wire import Answer

WINDOW = timedelta(minutes=5)


class Quota:
    """What each user has spent in the sliding five minutes."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.spent: defaultdict[str, deque[tuple[datetime, float]]] = defaultdict(deque)

    def used(self, who: str, now: datetime) -> float:
        spent = self.spent[who]
        while spent and spent[0][0] <= now - WINDOW:
            spent.popleft()
        return sum(cost for _, cost in spent)

    def refused(self, who: str, method: str, now: datetime) -> Answer | None:
        """Counts a request; an answer where it is beyond what is borne."""
        if not self.switches.capacity:
            return None
        over = self.used(who, now) / self.switches.capacity
        if over >= self.switches.blocked_at:
            return throttled(self.rest(who, now), self.switches.blocked_status)
        self.spent[who].append((now, self.switches.costs.get(method, 0.1)))
        return None

    def rest(self, who: str, now: datetime) -> float:
        """Seconds until the oldest of what was spent no longer counts."""
        spent = self.spent[who]
        return max(1.0, (spent[0][0] + WINDOW - now).total_seconds()) if spent else 1.0

    def headers(self, who: str, now: datetime) -> dict[str, str]:
        """On an answer that was delayed: how long to rest, and where the caller stands."""
        if not self.switches.capacity or self.used(who, now) <= self.switches.capacity:
            return {}
        limit, rest = self.switches.capacity, self.rest(who, now)
        wait = min(30.0, rest)
        numbers = {"X-RateLimit-Limit": f"{limit:g}", "X-RateLimit-Reset": f"{now.timestamp() + rest:.0f}"}
        return delayed(wait) | numbers
