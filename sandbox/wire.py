"""A request and an answer, free of sockets: the same tracker code answers over HTTP and in process."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

if TYPE_CHECKING:
    from sandbox.clock import SandboxClock


@dataclass(slots=True)
class Request:
    """``path`` is percent-decoded; ``raw_path`` is not. ``headers`` have lower-case names."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    raw_path: str = ""

    @staticmethod
    def of(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        return Request(method, unquote(parts.path), query, headers, body, parts.path)

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> Any:
        """The body as JSON; ``ValueError`` where it is none."""
        try:
            return orjson.loads(self.body or b"null")
        except ValueError:  # the standard library also takes lone surrogates, which clients do send
            try:
                return json.loads(self.body)
            except RecursionError:
                raise ValueError("too deeply nested") from None

    def basic(self) -> tuple[str, str] | None:
        """User and password of a Basic header, if there is one."""
        kind, _, blob = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(blob).decode("utf-8").partition(":")
        except ValueError:
            return None
        return user, password

    def bearer(self) -> str:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else ""


@dataclass(slots=True)
class Answer:
    """What a tracker says. Content-Length and Date are the wire's."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
        """A JSON answer."""
        try:
            body = orjson.dumps(value)
        except TypeError:  # lone surrogates and numbers of any size
            body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return Answer(status, body, {"Content-Type": "application/json;charset=UTF-8", **(headers or {})})


class Tracker(Protocol):
    """A simulated tracker: a name and a function from request to answer. Calls are serialised by the server."""

    name: str

    def handle(self, request: Request) -> Answer: ...


@runtime_checkable
class Keeper(Tracker, Protocol):
    """A tracker that can be backed up, restored and cloned."""

    def snapshot(self) -> Any:
        """Everything it holds, as it stands now."""

    def restore(self, snapshot: Any) -> None:
        """What it held at the snapshot; all since is gone."""

    def clone(self, name: str, clock: SandboxClock) -> Self:
        """Another instance with the same items under the same ids, going its own way from now on."""
