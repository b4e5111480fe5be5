"""The instance as an OAuth provider: /oauth_token.do (ServiceNow docs, REST OAuth example; OAuth inbound)."""

from __future__ import annotations

import base64
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from sandbox.clock import SandboxClock
from sandbox.wire import Answer, Request

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Client:
    """An application registry entry. ``user`` is whom client credentials act as; empty: that grant is refused."""

    secret: str
    user: str = ""


@dataclass
class OAuth:
    """Clients by client_id, and the tokens given to them. A token request that is repeated gets the token in force,
    with less time left. ``standard_errors``: refusals in the words of RFC 6749 instead of the reported ones."""

    clock: SandboxClock
    clients: dict[str, Client] = field(default_factory=dict)
    lifetime: timedelta = timedelta(seconds=1799)
    refresh_lifetime: timedelta = timedelta(days=100)
    access: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    refresh: dict[str, tuple[str, str, datetime]] = field(default_factory=dict)
    current: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    standard_errors: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(2))

    def user(self, token: str) -> str:
        """Whom a token stands for that has not expired; else nobody."""
        user, until = self.access.get(token, ("", self.clock.now()))
        return user if self.clock.now() < until else ""

    def forget(self) -> None:
        """Every token is void."""
        self.access.clear()
        self.refresh.clear()
        self.current.clear()

    def answer(self, request: Request, admits: Callable[[str, str], bool]) -> Answer:
        """A token request. ``admits(user, password)`` is the instance's own sign-in. The parameters count in a form
        body only."""
        sent = request.headers.get("content-type", "")
        body = request.body.decode("utf-8", "replace") if sent.startswith(FORM) else ""
        form = {name: values[0] for name, values in parse_qs(body).items()}
        id, secret = request.basic() or (form.get("client_id", ""), form.get("client_secret", ""))
        client = self.clients.get(id)
        if client is None or not same(client.secret, secret):
            return self.refusal("invalid_client", 401)
        match form.get("grant_type"):
            case "password" if admits(form.get("username", ""), form.get("password", "")):
                return self.granted(id, form["username"])
            case "client_credentials" if client.user:
                return self.granted(id, client.user, refreshable=False)
            case "refresh_token":
                return self.refreshed(id, form.get("refresh_token", ""))
            case "password" | "client_credentials":
                return self.refusal("invalid_grant", 401)
        return self.refusal("unsupported_grant_type", 400)

    def granted(self, client: str, user: str, refreshable: bool = True) -> Answer:
        access, refresh = self.current.get((client, user), ("", ""))
        if not self.user(access):
            access = self.token()
            self.access[access] = user, self.clock.now() + self.lifetime
        if refreshable and not refresh:
            refresh = self.token()
            self.refresh[refresh] = client, user, self.clock.now() + self.refresh_lifetime
        self.current[client, user] = access, refresh
        return self.told(access, refresh if refreshable else "")

    def refreshed(self, client: str, refresh: str) -> Answer:
        """A new access token for a refresh token, which stays the same."""
        owner, user, until = self.refresh.get(refresh, ("", "", self.clock.now()))
        if owner != client or self.clock.now() >= until:
            return self.refusal("invalid_grant", 401)
        access = self.token()
        self.access[access] = user, self.clock.now() + self.lifetime
        self.current[client, user] = access, refresh
        return self.told(access, refresh)

    def told(self, access: str, refresh: str) -> Answer:
        left = self.access[access][1] - self.clock.now()
        kept = {"refresh_token": refresh} if refresh else {}
        fixed = {"scope": "useraccount", "token_type": "Bearer", "expires_in": int(left.total_seconds())}
        return Answer.of({"access_token": access, **kept, **fixed})

    def refusal(self, error: str, status: int) -> Answer:
        if self.standard_errors:
            return Answer.of({"error": error}, status)
        return Answer.of({"error_description": "access_denied", "error": "server_error"}, 401)

    def token(self) -> str:
        return base64.urlsafe_b64encode(self.chance.randbytes(64)).decode().rstrip("=")


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
