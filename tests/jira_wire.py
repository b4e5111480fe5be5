"""A client of the simulated Jira without a library: paths below the API, JSON both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests

from sandbox.clock import SandboxClock
from sandbox.faults import Faults
from sandbox.jira import Jira
from sandbox.jira.datacenter import BOT as SERVER_BOT
from sandbox.jira.datacenter import DataCenter
from sandbox.jira.defaults import BOT
from sandbox.server import RequestLog, Server

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TOKEN = {"Authorization": f"Bearer {SERVER_BOT.token}"}


class Wire:
    """A Jira Cloud behind HTTP and a client that sends what it is told."""

    def __init__(self, **options: Any) -> None:
        self.clock = SandboxClock(START)
        self.jira = Jira("jira", self.clock, **options)
        self.server = Server(self.jira, self.clock, Faults(), RequestLog()).start()
        self.auth: tuple[str, str] | None = (BOT.email, BOT.token)

    def send(self, method: str, path: str, body: Any = None, version: str = "2", **options: Any) -> requests.Response:
        url = f"{self.server.url}/rest/api/{version}/{path}"
        return requests.request(method, url, json=body, auth=self.auth, timeout=5, allow_redirects=False, **options)

    def get(self, path: str, **params: Any) -> Any:
        return self.send("GET", path, params=params).json()

    def search(self, jql: str, **options: Any) -> requests.Response:
        return self.send("POST", "search/jql", {"jql": jql, **options})

    def keys(self, jql: str, **options: Any) -> list[str]:
        answer = self.search(jql, fields=["key"], **options)
        assert answer.status_code == 200, answer.text
        return [issue["key"] for issue in answer.json()["issues"]]

    def new(self, **fields: Any) -> str:
        return self.jira.create({"summary": "Export fails", **fields}, "Ana Ruiz")


class ServerWire:
    """A Data Center behind HTTP and a client that keeps no cookies."""

    def __init__(self, **options: Any) -> None:
        self.clock = SandboxClock(START)
        self.jira = DataCenter("jira", self.clock, **options)
        self.server = Server(self.jira, self.clock, Faults(), RequestLog()).start()
        self.root = f"{self.server.url}{self.jira.context}/rest/api/2"

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        options.setdefault("headers", TOKEN)
        return requests.request(method, f"{self.root}/{path}", json=body, timeout=5, allow_redirects=False, **options)

    def get(self, path: str, **params: Any) -> Any:
        return self.send("GET", path, params=params).json()

    def search(self, jql: str, **options: Any) -> requests.Response:
        return self.send("POST", "search", {"jql": jql, **options})

    def keys(self, jql: str, **options: Any) -> list[str]:
        answer = self.search(jql, fields=["summary"], **options)
        assert answer.status_code == 200, answer.text
        return [issue["key"] for issue in answer.json()["issues"]]

    def new(self, **fields: Any) -> str:
        return self.jira.create({"summary": "Export fails", **fields}, "Ana Ruiz")

    def said(self, response: requests.Response) -> tuple[int, str, str]:
        headers = response.headers
        return response.status_code, headers["X-AUSERNAME"], headers.get("X-Seraph-LoginReason", "")


Spoken = TypeVar("Spoken", Wire, ServerWire)


@contextmanager
def built(kind: type[Spoken]) -> Iterator[Callable[..., Spoken]]:
    """Makes as many of a kind as are asked for, with its options, and ends them together."""
    made: list[Spoken] = []

    def build(**options: Any) -> Spoken:
        made.append(kind(**options))
        return made[-1]

    yield build
    for wire in made:
        wire.server.stop()


def bug(**fields: Any) -> dict[str, Any]:
    return {"fields": {"project": {"key": "CSPM"}, "issuetype": {"name": "Bug"}, "summary": "Export fails", **fields}}
