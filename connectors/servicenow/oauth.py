"""OAuth tokens of one instance (apis.md 1.8), fetched when the first request wants one.

pysnow's own OAuthClient is passed over: it makes a session for each resource, knows the password grant only, and
puts the query of a request into the body that asks for a token.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import requests
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from connectors.auth import ClientCredentials, PasswordGrant, Secret
from connectors.base import Busy, Clock, Down, LockedOut
from connectors.transport import BOM, Transport, plain_reason

#: a token is renewed this long before it runs out, or at half its life where that is shorter
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Token:
    """``until`` is when to ask for another; ``refresh`` may be empty."""

    access: Secret
    refresh: Secret
    until: datetime

    @classmethod
    def of(cls, answer: dict[str, Any], now: datetime) -> Token:
        """A repeated request is answered with the current token and the rest of its life (apis.md 1.8), so that rest
        is halved as often as it takes. Raises what an answer of another shape leads to."""
        life = timedelta(seconds=float(answer["expires_in"]))
        access, refresh = str(answer["access_token"]), str(answer.get("refresh_token") or "")
        if not access:
            raise ValueError("no token")
        return cls(Secret(access), Secret(refresh), now + max(life / 2, life - MARGIN))


class OAuth(AuthBase):
    """Signs requests with a live token; one that is refused before its time is replaced, and the request sent once
    more: a 401 was not acted on."""

    def __init__(self, auth: ClientCredentials | PasswordGrant, transport: Transport, base: str) -> None:
        self.auth, self.transport = auth, transport
        self.url = f"{base}/oauth_token.do"
        self.session = transport.session()
        self.lock = threading.Lock()
        self.token: Token | None = None

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.live().reveal()}"
        r.register_hook("response", self.once_more)
        return r

    def once_more(self, response: Response, **options: Any) -> Response:
        """requests calls this with every answer."""
        if response.status_code != 401:
            return response
        # read to its end, else the connection is lost to the pool
        _ = response.content
        again = response.request.copy()
        refused = again.headers["Authorization"].removeprefix("Bearer ")
        again.headers["Authorization"] = f"Bearer {self.live(refused).reveal()}"
        return self.transport.send(again, **options)

    def live(self, refused: str = "") -> Secret:
        """A token that has not run out and is not the ``refused`` one. Raises ``LockedOut``, ``Busy`` or ``Down``: the
        request that wanted it was not sent, or not acted on."""
        with self.lock:
            known = self.token
            worn = known is None or known.until <= self.clock.now() or known.access.reveal() == refused
            if known is None or worn:
                known = self.token = self.refreshed(known) or self.asked(self.grant())
            return known.access

    @property
    def clock(self) -> Clock:
        return self.transport.clock

    def grant(self) -> dict[str, str]:
        if isinstance(self.auth, PasswordGrant):
            return {
                "grant_type": "password",
                "username": self.auth.user,
                "password": self.auth.password.reveal(),
            }
        return {"grant_type": "client_credentials"}

    def refreshed(self, known: Token | None) -> Token | None:
        """A new token for the refresh token; ``None`` where there is none or it has run out too."""
        if known is None or not known.refresh.reveal():
            return None
        try:
            return self.asked({"grant_type": "refresh_token", "refresh_token": known.refresh.reveal()})
        except LockedOut:
            return None

    def asked(self, form: dict[str, str]) -> Token:
        """One request, form encoded: the endpoint takes nothing else."""
        whole = {**form, "client_id": self.auth.client_id, "client_secret": self.auth.client_secret.reveal()}
        try:
            return self.granted(self.session.post(self.url, data=whole, headers={"Accept": "application/json"}))
        except requests.RequestException as error:
            raise Down(f"{self.transport.tracker} gives no token ({plain_reason(error)})") from None

    def granted(self, response: Response) -> Token:
        tracker, status = self.transport.tracker, response.status_code
        if status == 429 or (status == 503 and "Retry-After" in response.headers):
            until = self.transport.resting or self.clock.now()
            raise Busy(f"{tracker} asks for rest until {until:%H:%M:%S} UTC before it gives a token", until)
        if status == 401 and "X-MFA_TOKEN" in response.headers:
            raise LockedOut(f"{tracker} asks our user for a second factor: exempt it, or make it an API user")
        if 300 <= status < 500:
            raise LockedOut(f"{tracker} gives our OAuth application no token ({status}{reason(response)}): see `auth`")
        try:
            return Token.of(orjson.loads(response.content.removeprefix(BOM)), self.clock.now())
        except (ValueError, KeyError, TypeError, OverflowError):
            raise Down(f"{tracker} gives no token: it answered {status} with something else") from None


def reason(response: Response) -> str:
    """The endpoint's one-word reason, if it gives one; its sentences may quote what we sent."""
    try:
        told = orjson.loads(response.content.removeprefix(BOM))
        words = [str(told.get(name) or "") for name in ("error", "error_description")]
    except (ValueError, AttributeError):
        return ""
    plain = [word for word in dict.fromkeys(words) if word.replace("_", "").isalnum() and len(word) < 40]
    return "".join(f", {word}" for word in plain)
