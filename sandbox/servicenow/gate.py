"""Who gets in: credentials, sessions, semaphores and rate rules."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.clock import SandboxClock
from sandbox.servicenow.errors import Problem, not_authenticated
from sandbox.servicenow.limits import RateLimits, RateRule
from sandbox.servicenow.oauth import OAuth, same
from sandbox.wire import Answer, Request

_COOKIE = re.compile(r"JSESSIONID=([0-9A-F]{32})")
#: requests of one session that wait for their turn; the next one is dropped
QUEUE = 10


@dataclass
class Gate:
    """``users`` are name -> password, ``tokens`` bearer token -> user (besides those of ``oauth``), ``api_keys``
    x-sn-apikey -> user. ``rules`` are the hourly limits; ``rate_limit`` is one for everybody on every API, 0 for
    none. ``session_busy``: a request that carries a session cookie meets a full queue of its session, and gets 202
    without taking effect; without the switch that happens when more than ten really wait. ``locked``: users locked
    out. ``mfa``: users of whom a second factor is asked. ``semaphores_full``: every API semaphore is taken and the
    queue behind them is full."""

    clock: SandboxClock
    users: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    api_keys: dict[str, str] = field(default_factory=dict)
    rate_limit: int = 0
    rules: list[RateRule] = field(default_factory=list)
    session_busy: bool = False
    semaphores_full: bool = False
    locked: set[str] = field(default_factory=set)
    mfa: set[str] = field(default_factory=set)
    sessions: dict[str, str] = field(default_factory=dict)
    waiting: Counter[str] = field(default_factory=Counter)
    counting: threading.Lock = field(default_factory=threading.Lock)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        self.oauth = OAuth(self.clock)
        self.limits = RateLimits(self.clock)

    # -- who it is

    def user(self, request: Request) -> str:
        """The signed-in user; raises 401."""
        if request.bearer():
            return self.known(self.tokens.get(request.bearer(), "") or self.oauth.user(request.bearer()))
        key = request.headers.get("x-sn-apikey") or request.one("x-sn-apikey")
        if key:
            return self.known(self.api_keys.get(key, ""))
        pair = request.basic()
        if pair is None:
            return self.known(self.sessions.get(session_of(request), ""))
        if not self.admits(*pair):
            raise not_authenticated()
        if pair[0] in self.mfa:
            raise SecondFactor()
        return pair[0]

    def admits(self, user: str, password: str) -> bool:
        """Whether user and password fit and the user is not locked out."""
        right = self.users.get(user)
        return right is not None and same(right, password) and user not in self.locked

    def known(self, user: str) -> str:
        if not user or user in self.locked:
            raise not_authenticated()
        return user

    # -- whether there is room

    def count(self, user: str, roles: Collection[str], api: str) -> dict[str, str]:
        """Counts a request against the hour's limit: the headers to send with the answer; raises 429 with them, or
        without any where the semaphores are full."""
        if self.semaphores_full:
            raise NoSemaphore()
        general = [RateRule(self.rate_limit)] if self.rate_limit else []
        found = [rule for rule in (*self.rules, *general) if rule.covers(user, roles, api)]
        return self.limits.count(min(found, key=lambda rule: rule.rank), user, api) if found else {}

    # -- sessions

    @contextmanager
    def turn(self, request: Request) -> Iterator[bool]:
        """Queues a request behind the others of its session; false where the queue is full."""
        session = session_of(request)
        known = session in self.sessions
        with self.counting:
            room = not known or not (self.session_busy or self.waiting[session] > QUEUE)
            self.waiting[session] += known
        try:
            yield room
        finally:
            with self.counting:
                self.waiting[session] -= known

    def cookie(self, request: Request, user: str) -> dict[str, str]:
        """A new session for a request that brought none."""
        if session_of(request):
            return {}
        session = f"{self.chance.getrandbits(128):032X}"
        self.sessions[session] = user
        if len(self.sessions) > 1000:
            self.sessions.pop(next(iter(self.sessions)))
        return {"Set-Cookie": f"JSESSIONID={session}; Path=/; HttpOnly"}


def session_of(request: Request) -> str:
    found = _COOKIE.search(request.headers.get("cookie", ""))
    return found[1] if found else ""


class SecondFactor(Problem):
    """The password fits, the second factor is missing (ServiceNow docs, Multi-factor authentication for inbound
    REST)."""

    def __init__(self) -> None:
        super().__init__(401, "User Not Authenticated", "Required to provide Auth information")

    def answer(self) -> Answer:
        answer = super().answer()
        answer.headers["X-MFA_TOKEN"] = "invalid"
        return answer


class NoSemaphore(Problem):
    """No semaphore is free and the queue is full: 429 without any header (apis.md 1.7 [C])."""

    def __init__(self) -> None:
        super().__init__(429, "Too Many Requests")

    def answer(self) -> Answer:
        return Answer(429)
