"""Data Center's rate limiting: a bucket of tokens for each user, off unless asked for (Atlassian Support, "Improving
instance stability with rate limiting")."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.wire import Answer

#: Tomcat's page (recorded: ahungry/org-jira #365)
PAGE = (
    b'<!doctype html><html lang="en"><head><title>HTTP Status 429 \xe2\x80\x93 Too Many Requests</title></head><body>'
    b"<h1>HTTP Status 429 \xe2\x80\x93 Too Many Requests</h1><p><b>Message</b> Rate limit exceeded.</p></body></html>"
)


@dataclass
class Rates:
    """``fill`` tokens come every ``interval`` seconds, up to ``most``; a request takes one."""

    on: bool = False
    most: int = 100
    fill: int = 10
    interval: int = 1
    #: by account: tokens left, and since when
    buckets: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def take(self, account: str, now: datetime) -> tuple[Answer | None, dict[str, str]]:
        """The refusal, where no token is left, and the headers that every answer carries. ``Retry-After`` is 0 as long
        as there are tokens."""
        if not self.on:
            return None, {}
        left, since = self.filled(account, now)
        refused = left == 0
        left = max(0, left - 1)
        self.buckets[account] = left, since
        wait = 0 if left else -(-(since + timedelta(seconds=self.interval) - now).total_seconds() // 1)
        headers = {
            "X-RateLimit-Limit": str(self.most),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-FillRate": str(self.fill),
            "X-RateLimit-Interval-Seconds": str(self.interval),
            "Retry-After": str(int(wait)),
        }
        return (Answer(429, PAGE, {"Content-Type": "text/html;charset=utf-8"}) if refused else None), headers

    def filled(self, account: str, now: datetime) -> tuple[int, datetime]:
        left, since = self.buckets.get(account, (self.most, now))
        whole = int((now - since) / timedelta(seconds=self.interval))
        return min(self.most, left + whole * self.fill), since + timedelta(seconds=whole * self.interval)
