"""Requests to Jira through its library's session, and what an answer means.

The library signs in, knows the addresses and keeps a session per thread; JSON is taken raw. Its own retries are off:
they would send a POST again after a lost answer.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import jira
import orjson
import requests

from connectors.auth import Auth, Bearer, UserPassword
from connectors.base import Busy, Down, Failure, Gone, LockedOut, Refused, Stale, Unsure
from connectors.transport import Transport

_SIGN_IN = re.compile(rb"log ?in|sign ?in|id\.atlassian\.com", re.IGNORECASE)
#: what Data Center answers where an admin has switched passwords off (Atlassian Support, "Disabling basic
#: authentication")
_NO_PASSWORDS = "Basic Authentication has been disabled"
#: longest part of Jira's own words that is shown
REASON_LIMIT = 500


class Session(jira.JIRA):
    """The library's client of one thread."""

    def close(self) -> None:
        """Nothing: the pool under it is every thread's, and the library closes it when a thread ends."""


class Client:
    """``read`` repeats what is safe to repeat, ``write`` sends once; both raise the named failures."""

    def __init__(self, name: str, url: str, auth: Auth, transport: Transport) -> None:
        self.name, self.url, self.transport = name, url.rstrip("/"), transport
        self.credentials = credentials(name, auth)
        #: ``Cloud`` or ``Server``, as ``serverInfo`` calls it
        self.deployment = "Cloud"
        self.per_thread = threading.local()

    def session(self) -> Session:
        """This thread's client. It sends nothing when it is made."""
        session: Session | None = getattr(self.per_thread, "session", None)
        if session is None:
            session = Session(
                options={"server": self.url, "rest_api_version": "2"},
                max_retries=0,
                timeout=self.transport.timeout,
                get_server_info=False,
                logging=False,
                **self.credentials,
            )
            # without this the library asks for /field before its first search
            session._fields_cache_value = {"-": "-"}
            # Data Center asks it of methods marked as experimental, /myself among them (REST API 10.3, introduction)
            session._session.headers["X-ExperimentalApi"] = "true"
            session._session.trust_env = False
            self.transport.mount(session._session)
            self.per_thread.session = session
        # the library chooses addresses by it, and takes a site for a server where it is not told
        session.deploymentType = self.deployment
        return session

    def send(self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        """One request; the JSON of its answer, ``None`` for an answer without content."""
        session = self.session()
        response: requests.Response = session._session.request(
            method,
            session._get_url(path),
            data=None if body is None else orjson.dumps(body),
            params=params,
            # a redirect leads to a sign-in page, and a redirected POST would become a GET
            allow_redirects=False,
        )
        if response.status_code == 204 or 300 <= response.status_code < 400:
            return None
        return orjson.loads(response.content)

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        item: str = "",
        take: Callable[[Any], Any] = lambda answer: answer,
    ) -> Any:
        """A read; ``item`` names the item at stake: 404 is then ``Gone``. ``take`` gets the parts wanted; whatever it
        raises is an unusable answer."""
        return self.read(lambda: take(self.send("GET", path, params=params)), item)

    def ask(self, path: str, body: Any, take: Callable[[Any], Any]) -> Any:
        """A read that needs a body."""
        return self.read(lambda: take(self.send("POST", path, body)))

    def read(self, call: Callable[[], Any], item: str = "") -> Any:
        return self.transport.read(call, lambda error: self.verdict(error, item, writing=False))

    def write(self, method: str, path: str, body: Any, item: str, params: Mapping[str, Any] | None = None) -> Any:
        def call() -> Any:
            return self.send(method, path, body, params)

        return self.transport.write(call, lambda error: self.verdict(error, item, writing=True))

    # -- what an answer means

    def verdict(self, error: Exception | None, item: str, writing: bool) -> Failure | None:
        """The failure an answer stands for, by this thread's last response; ``None`` for success, and for an answer
        that was lost."""
        response = self.transport.last
        if response is None:
            return None
        if "AUTHENTICATED_FAILED" in response.headers.get("X-Seraph-LoginReason", ""):
            return self.locked_out("Jira serves us as anonymous, for our user, password or token is refused")
        if response.status_code < 400:
            return self.verdict_on_success(response, error)
        if response.status_code >= 500 or response.status_code == 408:
            return self.verdict_on_failure(response, writing)
        return self.verdict_on_refusal(response, item)

    def verdict_on_success(self, response: requests.Response, error: Exception | None) -> Failure | None:
        if 300 <= response.status_code < 400:
            return self.locked_out("Jira sends us to a sign-in page")
        html = "html" in response.headers.get("Content-Type", "")
        if error is not None and html and _SIGN_IN.search(content(response)):
            return self.locked_out("Jira answers with a sign-in page")
        return None

    def verdict_on_failure(self, response: requests.Response, writing: bool) -> Failure | None:
        """A gateway that fails may have passed a write on, whatever it says."""
        status = response.status_code
        if writing:
            return Unsure(f"{self.name} answered {status} to a write: it may have been applied")
        resting = self.transport.resting
        if status == 503 and resting and resting > self.transport.clock.now():
            return Busy(f"{self.name} is unavailable until {resting:%H:%M:%S} UTC", resting)
        return Down(f"{self.name} answered {status}")

    def verdict_on_refusal(self, response: requests.Response, item: str) -> Failure:
        status = response.status_code
        if status == 401:
            return self.locked_out("Jira refuses our user, password or token (401)")
        if status == 429 and self.transport.resting:
            until = self.transport.resting
            return Busy(f"{self.name} asks for rest until {until:%H:%M:%S} UTC{limit_named(response)}", until)
        if status == 403 and "X-Authentication-Denied-Reason" in response.headers:
            return self.locked_out("Jira asks for a CAPTCHA (403): sign in once in a browser as that account")
        told = body(response)
        if status == 403 and isinstance(told, dict) and _NO_PASSWORDS in str(told.get("message")):
            return self.locked_out("Jira takes no passwords (403): use a personal access token")
        if status == 409:
            return Stale(f"{item or self.name} was being changed at the same moment")
        if status == 404:
            return self.missing(told, item)
        reason, fields = worded(told)
        return Refused(f"Jira says: {reason}" if reason else f"Jira answered {status} without a reason", fields)

    def missing(self, told: Any, item: str) -> Failure:
        if told is None:
            return Down(f"No Jira answers at the address of {self.name} (404)")
        if item:
            return Gone(f"{item} does not exist in {self.name}, or is hidden from us")
        return Refused(f"Jira says: {worded(told)[0] or 'not found'}")

    def locked_out(self, what: str) -> LockedOut:
        return LockedOut(f"{what}; check the auth of {self.name}")


def credentials(name: str, auth: Auth) -> dict[str, Any]:
    """As the library's constructor takes them."""
    if isinstance(auth, UserPassword):
        # bytes: as text, requests would send them as Latin-1
        return {"basic_auth": (auth.user.encode(), auth.password.reveal().encode())}
    if isinstance(auth, Bearer):
        return {"token_auth": auth.token.reveal()}
    raise LockedOut(f"{name} needs a user and a token (Jira Cloud), or a bearer token")


def content(response: requests.Response) -> bytes:
    """The body, as far as it came."""
    try:
        return response.content or b""
    except (requests.RequestException, RuntimeError):
        return b""


def body(response: requests.Response) -> Any:
    """The JSON of an error, ``None`` where it is none."""
    try:
        return orjson.loads(content(response))
    except orjson.JSONDecodeError:
        return None


def worded(told: Any) -> tuple[str, tuple[str, ...]]:
    """Jira's own words and the fields it blames. The library would drop the names of the fields."""
    if not isinstance(told, dict):
        return "", ()
    errors: dict[str, Any] = told["errors"] if isinstance(told.get("errors"), dict) else {}
    listed = told["errorMessages"] if isinstance(told.get("errorMessages"), list) else [told.get("message")]
    messages = [str(one) for one in listed if one]
    named = [found for text in messages for found in re.findall(r"[Ff]ield '([^']+)'", text)]
    words = [*messages, *(f"{name}: {why}" for name, why in errors.items())]
    return "; ".join(words)[:REASON_LIMIT], tuple(dict.fromkeys([*errors, *named]))


def limit_named(response: requests.Response) -> str:
    reason = response.headers.get("RateLimit-Reason", "")
    return f" ({reason})" if re.fullmatch(r"[a-z-]{1,60}", reason) else ""
