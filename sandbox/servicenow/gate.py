"""Who gets in: credentials, sessions and the hourly rate rule."""

from __future__ import annotations

import hmac
import random
import re
from dataclasses import dataclass, field

from sandbox.clock import SandboxClock
from sandbox.servicenow.errors import Problem, not_authenticated
from sandbox.wire import Answer, Request

_COOKIE = re.compile(r"JSESSIONID=([0-9A-F]{32})")


@dataclass
class Gate:
    """``users`` are name -> password, ``tokens`` bearer token -> user. ``rate_limit``: requests per user and hour
    (sys_rate_limit_rules), 0 for none. ``session_busy``: a request that carries a session cookie meets one of its
    session still running, and gets 202 without taking effect. ``locked``: users locked out."""

    clock: SandboxClock
    users: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    rate_limit: int = 0
    rate_rule: str = "Table API"
    session_busy: bool = False
    locked: set[str] = field(default_factory=set)
    sessions: dict[str, str] = field(default_factory=dict)
    used: dict[tuple[str, int], int] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def user(self, request: Request) -> str:
        """The signed-in user; raises 401."""
        if request.bearer():
            return self.known(self.tokens.get(request.bearer(), ""))
        pair = request.basic()
        if pair is None:
            raise not_authenticated()
        right = self.users.get(pair[0])
        if right is None or not hmac.compare_digest(right.encode(), pair[1].encode("utf-8", "replace")):
            raise not_authenticated()
        return self.known(pair[0])

    def known(self, user: str) -> str:
        if not user or user in self.locked:
            raise not_authenticated()
        return user

    def count(self, user: str) -> dict[str, str]:
        """Counts a request against the hour's limit: the headers to send with the answer; raises 429 with them."""
        if not self.rate_limit:
            return {}
        now = self.clock.now().timestamp()
        hour = int(now // 3600)
        used = self.used[user, hour] = self.used.get((user, hour), 0) + 1
        reset = (hour + 1) * 3600
        headers = {"X-RateLimit-Limit": str(self.rate_limit), "X-RateLimit-Reset": str(reset)}
        headers["X-RateLimit-Rule"] = self.rate_rule
        if used > self.rate_limit:
            raise TooMany(self.rate_limit, self.rate_rule, {**headers, "Retry-After": str(int(reset - now) + 1)})
        return headers

    def waits(self, request: Request) -> bool:
        """True where the request's session is still at work on another one."""
        found = _COOKIE.search(request.headers.get("cookie", ""))
        return bool(self.session_busy and found and found[1] in self.sessions)

    def cookie(self, request: Request, user: str) -> dict[str, str]:
        """A new session for a request that brought none."""
        if _COOKIE.search(request.headers.get("cookie", "")):
            return {}
        session = f"{self.chance.getrandbits(128):032X}"
        self.sessions[session] = user
        if len(self.sessions) > 1000:
            self.sessions.pop(next(iter(self.sessions)))
        return {"Set-Cookie": f"JSESSIONID={session}; Path=/; HttpOnly"}


class TooMany(Problem):
    """The hour's requests are used up (ServiceNow docs, Inbound REST API rate limiting)."""

    def __init__(self, limit: int, rule: str, headers: dict[str, str]) -> None:
        super().__init__(429, "Rate limit exceeded", f"Rate limit of {limit} requests per hour for {rule} exceeded")
        self.headers = headers

    def answer(self) -> Answer:
        answer = super().answer()
        answer.headers.update(self.headers)
        return answer
