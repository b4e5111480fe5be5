"""The azure-devops library, for what it is good at: addresses, version negotiation, session. Data stays raw JSON."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
import requests
from urllib3.util.retry import Retry

from connectors.auth import AccessToken, Auth, Bearer, Entra, EntraCertificate, UserPassword
from connectors.azure_devops.verdict import body_of, verdict
from connectors.base import Clock, Failure, LockedOut
from connectors.entra import Tokens
from connectors.transport import BOM, Transport

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
Taken = TypeVar("Taken")


@dataclass(frozen=True, slots=True)
class Place:
    """A resource: its location id (the same on every server) and the version asked for, negotiated down by the
    library where the server knows less."""

    id: str
    version: str


CONNECTION = Place("00d9565f-ed9c-4a06-9a50-00e7896ccab4", "7.1-preview.1")
FIELDS = Place("b51fd764-e5c2-4b9b-aaf7-3395cf4bdd94", "7.1-preview.3")
TYPES = Place("7c8d7a76-4a09-43e8-b5df-bd792f4ac6aa", "7.1-preview.2")
STATES = Place("7c9d7a76-4a09-43e8-b5df-bd792f4ac6aa", "7.1-preview.1")
FEED = Place("f828fe59-dd87-495d-a17c-7a8d6211ca6c", "7.1-preview.2")
BATCH = Place("908509b6-4248-4475-a1cd-829139ba419f", "7.1-preview.1")
WIQL = Place("1a9c53f7-f243-4447-b110-35ef023636e4", "7.1-preview.2")
NEW_ITEM = Place("62d3d110-0047-428c-ad3c-4fe872c91c74", "7.1-preview.3")
ITEM = Place("72c7ddf8-2cdc-4f60-90cd-ab71c14a399b", "7.1-preview.3")
UPDATES = Place("6570bf97-d02c-4a91-8d93-3abe9895b1a9", "7.1-preview.4")
ITERATIONS = Place("c9175577-28a1-4b06-9197-8636af9f64ad", "7.1-preview.1")
COMMENTS = Place("608aac0a-32e1-4493-a863-b9cf4566d257", "7.1-preview.4")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request in the library's terms. ``content`` is sent as JSON."""

    method: str
    place: Place
    route: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    content: Any = None
    media_type: str = JSON


class Credentials:
    """What the library asks to sign each request: Basic with an empty user for a personal access token, else Bearer."""

    def __init__(self, auth: Auth, tokens: Tokens | None) -> None:
        self.auth, self.tokens = auth, tokens

    def signed_session(self, session: requests.Session | None = None) -> requests.Session:
        session = session or requests.Session()
        match self.auth:
            case AccessToken(token):
                session.headers["Authorization"] = basic("", token.reveal())
            case UserPassword(user, password):
                session.headers["Authorization"] = basic(user, password.reveal())
            case Bearer(token):
                session.headers["Authorization"] = f"Bearer {token.reveal()}"
            case Entra() | EntraCertificate() if self.tokens:
                session.headers["Authorization"] = f"Bearer {self.tokens.token()}"
            case _:
                raise LockedOut("Azure DevOps takes a personal access token or an Entra application")
        return session


class NoRetry:
    """The retry policy in the only shape that msrest takes; a bare ``retries = 0`` still hides the answer of a 500."""

    def __call__(self) -> Retry:
        return Retry(0, read=False)


class _Forgetful(dict[str, Any]):
    """In place of the library's cache on disk, which would serve another server's addresses for 12 hours."""

    def __missing__(self, key: str) -> None:
        return None

    def __setitem__(self, key: str, value: Any) -> None:
        pass


_importing = threading.Lock()


def library() -> Any:
    """The library's module of clients, imported on first use."""
    with _importing:
        return imported()


@cache
def imported() -> Any:
    """Its cache folder is made at import: in a temporary place, gone at once, and never written to. Its debug logging
    would show bodies."""
    before, folder = os.environ.get("AZURE_DEVOPS_CACHE_DIR"), tempfile.mkdtemp(prefix="lockstep-")
    os.environ["AZURE_DEVOPS_CACHE_DIR"] = folder
    try:
        from azure.devops import client
        from azure.devops.v7_1.work_item_tracking import work_item_tracking_client
    finally:
        if before is None:
            del os.environ["AZURE_DEVOPS_CACHE_DIR"]
        else:
            os.environ["AZURE_DEVOPS_CACHE_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)
    client.OPTIONS_FILE_CACHE = _Forgetful()
    for name in ("azure.devops.client", "msrest"):
        logging.getLogger(name).setLevel(logging.INFO)
    return work_item_tracking_client


class Service:
    """One organisation or collection at ``url``; one library client per thread, all over one transport."""

    def __init__(
        self,
        name: str,
        url: str,
        auth: Auth,
        clock: Clock,
        *,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
    ) -> None:
        self.url = url.rstrip("/")
        self.transport = Transport(name, clock, timeout=timeout, verify=verify, proxies=proxies, rest_on_success=True)
        self.tokens: Tokens | None = None
        if isinstance(auth, Entra | EntraCertificate):
            self.tokens = Tokens(auth, clock, verify=verify, proxies=proxies, timeout=timeout)
        self.credentials = Credentials(auth, self.tokens)
        self.per_thread = threading.local()
        # the library keeps one for all organisations, and each answer's is sent to every other
        self.session_id = str(uuid.uuid4())
        self.locating = threading.Lock()
        self.located = False

    # -- calls

    def read(self, ask: Ask, take: Callable[[Any], Taken]) -> Taken:
        """A read, repeated where that may help; WIQL and batches are reads by POST. ``take`` makes what is wanted of
        the JSON; where it cannot, the answer was not one. Raises the named failures."""
        self.locate()
        return self.transport.read(lambda: take(self.send(ask)), self.judge)

    def write(self, ask: Ask, take: Callable[[Any], Taken]) -> Taken:
        """A write, sent once. Addresses are known before: a start-up call that fails must not look like a write
        that may have been applied."""
        self.locate()
        return self.transport.write(lambda: take(self.send(ask)), self.judge)

    def judge(self, error: Exception | None) -> Failure | None:
        return verdict(self.transport.tracker, self.transport.last, self.transport.resting, error)

    def send(self, ask: Ask) -> Any:
        """One request. An Entra token that is refused before its time was revoked: a fresh one is tried once, which
        repeats nothing, because a 401 was not acted on."""
        from msrest.exceptions import AuthenticationError

        try:
            return self.send_once(ask)
        except AuthenticationError:
            if self.tokens is None:
                raise
            self.tokens.forget()
        return self.send_once(ask)

    def send_once(self, ask: Ask) -> Any:
        with self.unwrapped():
            response = self.client()._send(
                ask.method,
                ask.place.id,
                ask.place.version,
                route_values={name: quoted(value) for name, value in ask.route.items()},
                query_parameters={name: quoted(value) for name, value in ask.query.items()},
                content=None if ask.content is None else orjson.dumps(ask.content),
                media_type=ask.media_type,
                additional_headers={"X-TFS-Session": self.session_id},
            )
            return parsed(response.content)

    @contextmanager
    def unwrapped(self) -> Iterator[None]:
        """Lets out what requests raised, which msrest wraps: the transport names the original. An error's body is
        read to its end, else its connection would be lost to the pool."""
        from msrest.exceptions import ClientRequestError

        self.transport.per_thread.last = None
        try:
            yield
        except ClientRequestError as error:
            inner = getattr(error, "inner_exception", None)
            raise inner if isinstance(inner, requests.RequestException) else error from None
        finally:
            if self.transport.last is not None:
                body_of(self.transport.last)

    # -- the library's client

    def client(self) -> Any:
        found = getattr(self.per_thread, "client", None)
        if found is None:
            found = self.per_thread.client = self.new_client()
        return found

    def new_client(self) -> Any:
        client = library().WorkItemTrackingClient(self.url, self.credentials)
        client.config.retry_policy = NoRetry()
        client.config.keep_alive = True
        client.config.redirect_policy.allow = False
        client.config.proxies.use_env_settings = False
        client.config.session_configuration_callback = self.configure
        return client

    def configure(self, session: requests.Session, *_: Any, **options: Any) -> dict[str, Any]:
        if session.adapters.get("https://") is not self.transport:
            self.transport.mount(session)
        return options

    def locate(self) -> None:
        """Loads the server's addresses once; other threads share them."""
        if not self.located:
            with self.locating:
                if not self.located:
                    self.transport.read(self.load_locations, self.judge)
                    self.located = True

    def load_locations(self) -> None:
        client = self.client()
        client._locations.pop(client.normalized_url, None)
        with self.unwrapped():
            found = client._get_resource_locations(client.normalized_url, all_host_types=False)
        # the class's own cache, shared by all clients: taken over only once the answer is there
        client._locations_cache[client.normalized_url] = found

    def relocate(self) -> None:
        """The addresses are asked for again at the next call."""
        self.located = False

    def close(self) -> None:
        """Drops pooled connections; the next call opens new ones."""
        self.transport.close()
        if self.tokens:
            self.tokens.transport.close()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def quoted(value: object) -> str:
    """A value for an address: the library pastes what it is given."""
    return quote("true" if value is True else str(value), safe="")


def parsed(body: bytes) -> Any:
    """A JSON body; some begin with a byte order mark (recorded). Raises ``ValueError``."""
    return orjson.loads(body.removeprefix(BOM))
