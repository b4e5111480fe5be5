"""A client of the simulated Azure DevOps without a library: paths below the organisation, JSON both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests

from sandbox.azure_devops import AzureDevOps, Person, Switches
from sandbox.clock import SandboxClock
from sandbox.faults import Faults
from sandbox.server import RequestLog, Server

PAT = "a-pat"
BOT, JANE = "bot@example.com", "jane@example.com"
PATCH = {"Content-Type": "application/json-patch+json", "Accept": "application/json;api-version=7.1"}
PREVIEW = {"Accept": "application/json;api-version=7.1-preview"}
FEED = "Portal/_apis/wit/reporting/workitemrevisions"


class Wire:
    """One organisation with two projects, spoken to as the build account."""

    def __init__(self, **options: Any) -> None:
        self.clock = SandboxClock(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
        self.switches: Switches = options.setdefault("switches", Switches())
        people = (Person(BOT, "Build Bot"), Person(JANE, "Jane Doe"))
        given = {"people": people, "areas": {"Portal": ("Defects",)}, "pats": {PAT: BOT}}
        self.tracker = AzureDevOps("azure", self.clock, **(given | options))
        self.server = Server(self.tracker, self.clock, Faults(), RequestLog()).start()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = ("", PAT)

    def stop(self) -> None:
        self.session.close()
        self.server.stop()

    @property
    def url(self) -> str:
        return f"{self.server.url}/example"

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        headers = {"Accept": "application/json;api-version=7.1", **options.pop("headers", {})}
        given = {"json": body, "headers": headers, "allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, f"{self.url}/{path}", **given)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        """The JSON of an answer that must have ``status``."""
        answer = self.call(method, path, body, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str, **options: Any) -> Any:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Any:
        return self.ask("POST", path, body, **options)

    def fields(self, **values: Any) -> list[dict[str, Any]]:
        return [
            {"op": "add", "path": f"/fields/{name.replace('__', '.')}", "value": value}
            for name, value in values.items()
        ]

    def create(self, type: str = "Product Backlog Item", **values: Any) -> Any:
        operations = self.fields(**{"System__Title": "a title", **values})
        return self.post(f"Portal/_apis/wit/workitems/${type}", operations, headers=PATCH)

    def read(self, id: int, query: str = "") -> Any:
        return self.get(f"_apis/wit/workitems/{id}{query}")

    def patch(self, id: int, *operations: dict[str, Any], query: str = "") -> requests.Response:
        return self.call("PATCH", f"_apis/wit/workitems/{id}{query}", list(operations), headers=PATCH)

    def set(self, id: int, **values: Any) -> requests.Response:
        return self.patch(id, *self.fields(**values))

    def address(self, id: int) -> str:
        return f"{self.url}/_apis/wit/workItems/{id}"

    def link(self, id: int, rel: str, target: int | str, **attributes: str) -> requests.Response:
        url = self.address(target) if isinstance(target, int) else target
        value = {"rel": rel, "url": url, "attributes": attributes}
        return self.patch(id, {"op": "add", "path": "/relations/-", "value": value})

    def wiql(self, text: str, path: str = "_apis/wit/wiql", **params: Any) -> requests.Response:
        return self.call("POST", path, {"query": text}, params=params)

    def query(self, where: str, path: str = "_apis/wit/wiql", **params: Any) -> list[int]:
        answer = self.wiql(f"SELECT [System.Id] FROM WorkItems WHERE {where}", path, **params)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["workItems"]]

    def talk(self, id: int) -> str:
        return f"Portal/_apis/wit/workItems/{id}/comments"


@contextmanager
def wired(**options: Any) -> Iterator[Wire]:
    made = Wire(**options)
    try:
        yield made
    finally:
        made.stop()


def problem(answer: requests.Response, status: int, type_key: str) -> dict[str, Any]:
    """The body of an error in the service's wrapper."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["typeKey"] == type_key
    assert {"$id", "innerException", "message", "typeName", "typeKey", "errorCode", "eventId"} <= set(body)
    return body
