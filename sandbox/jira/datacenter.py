"""A simulated Jira Data Center: the same people and rules as in Cloud, behind version 2 of the REST API of 10.3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from sandbox.clock import SandboxClock
from sandbox.jira import Jira, datacenter_api, datacenter_people
from sandbox.jira.datacenter_door import answer
from sandbox.jira.datacenter_nodes import Nodes
from sandbox.jira.datacenter_rates import Rates
from sandbox.jira.datacenter_search import Ways
from sandbox.jira.issues import Issue
from sandbox.jira.site import User
from sandbox.jira.store import Lag
from sandbox.wire import Answer, Request

#: importing them registers the endpoints
ENDPOINT_MODULES = (datacenter_api, datacenter_people)
#: largest page of a search (``jira.search.views.default.max``)
PAGE_LIMIT = 1000
COOKIE = "ROUTEID"

BOT = User("JIRAUSER10100", "Lockstep", "lockstep@example.org", "bot-pat", login="lockstep", password="bot-password")
ANA = User(
    "JIRAUSER10101", "Ana Ruiz", "ana@example.org", "ana-pat", "America/Los_Angeles", login="aruiz", password="ana-pw"
)
BEN = User(
    "JIRAUSER10102", "Ben Okafor", "ben@example.org", "ben-pat", "Europe/Berlin", login="bokafor", password="ben-pw"
)
USERS = (BOT, ANA, BEN)


class DataCenter(Jira):
    """``nodes`` share the issues; each has its own search index, which shows what another node wrote after
    ``index_lag``. Requests go to the nodes in turn, or by the balancer's cookie where it is sent back; people act on
    the node that was asked last. ``context`` is the path that stands before ``/rest``.

    Switches to be set at any time, besides those of ``Jira``: ``rates``; ``passwords`` (whether Basic authentication is
    on) and ``attempts`` (wrong ones until a CAPTCHA); ``experimental`` (whether experimental methods insist on their
    header); ``ways.grain`` (of times in the index); ``strict`` (``validateQuery=false`` is passed over); ``current``
    (searches show values from the database, found and ordered by the index); ``sticky`` (whether the balancer sets a
    cookie).
    """

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        *,
        users: Iterable[User] = USERS,
        nodes: int = 1,
        index_lag: Lag = timedelta(0),
        version: str = "10.3.24",
        context: str = "",
        **options: Any,
    ) -> None:
        super().__init__(name, clock, users=users, **options)
        self.settle(Nodes(clock, index_lag, nodes))
        self.version, self.context = version, context
        self.inline_comments, self.page_limit = 5000, PAGE_LIMIT
        self.rates, self.ways = Rates(), Ways()
        self.passwords, self.attempts = True, 3
        self.failures: Counter[str] = Counter()
        self.experimental = self.strict = self.current = False
        self.sticky = True
        self.turn = 0

    @property
    def nodes(self) -> Nodes:
        return cast(Nodes, self.store)

    def handle(self, request: Request) -> Answer:
        return answer(self, request)

    def balance(self, request: Request) -> dict[str, str]:
        """Chooses the node, and returns the headers that tell of it."""
        count = len(self.nodes.indexes)
        cookies = dict(part.strip().partition("=")[::2] for part in request.headers.get("cookie", "").split(";"))
        kept = cookies.get(COOKIE, "").removeprefix(".node")
        if self.sticky and kept.isdigit() and int(kept) < count:
            self.nodes.at = int(kept)
            return {"X-ANODEID": f"node{kept}"}
        self.nodes.at, self.turn = self.turn % count, self.turn + 1
        node = f"node{self.nodes.at}"
        return {"X-ANODEID": node} | ({"Set-Cookie": f"{COOKIE}=.{node}; path=/"} if self.sticky and count > 1 else {})

    def base(self, request: Request | None) -> str:
        host = request.headers.get("host", "localhost") if request else "localhost"
        return (self.address or f"http://{host}") + self.context

    def shown(self, issue: Issue) -> Issue:
        """What a search shows of an issue that it found."""
        return self.store.issues.get(issue.id, issue) if self.current else issue

    def clone(self, name: str, clock: SandboxClock) -> Jira:
        twin = super().clone(name, clock)
        assert isinstance(twin, DataCenter)
        twin.rates, twin.failures = Rates(), Counter()
        return twin
