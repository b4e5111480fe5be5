"""A simulated ServiceNow on the wire and a plain session that talks to it, for the tests of the simulation."""

from __future__ import annotations

from typing import Any

import requests

from sandbox.faults import Faults
from sandbox.server import RequestLog, Server
from sandbox.servicenow import Model, ServiceNow
from tests.contract import settable_clock


class Wire:
    """An instance, its server, and a session of an API user."""

    def __init__(self, model: Model | None = None) -> None:
        self.clock, self.log = settable_clock(), RequestLog()
        self.snow = ServiceNow("snow", self.clock, users={"lockstep": "pässword"}, model=model)
        self.faults = Faults()
        self.server = Server(self.snow, self.clock, self.faults, self.log).start()
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.auth = (b"lockstep", "pässword".encode())  # type: ignore[assignment]
        self.http.headers.update({"Accept": "application/json"})

    def close(self) -> None:
        self.http.close()
        self.server.stop()

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request under /api/now."""
        return self.http.request(method, f"{self.server.url}/api/now/{path}", timeout=10, **options)

    def call(self, method: str, path: str = "", table: str = "incident", **options: Any) -> requests.Response:
        return self.api(method, f"table/{table}{path}", **options)

    def rows(self, query: str = "", table: str = "incident", **params: Any) -> list[dict[str, Any]]:
        asked = {"sysparm_query": query, **{f"sysparm_{name}": value for name, value in params.items()}}
        found: list[dict[str, Any]] = self.call("GET", table=table, params=asked).json()["result"]
        return found

    def titles(self, query: str, **params: Any) -> list[str]:
        return [row["short_description"] for row in self.rows(query, **params)]

    def post(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("POST", json=fields).json()["result"]
        return made

    def patch(self, id: str, **fields: Any) -> requests.Response:
        return self.call("PATCH", f"/{id}", json=fields)


def failure(answer: requests.Response) -> tuple[int, str, str | None]:
    body = answer.json()
    assert body["status"] == "failure" and set(body["error"]) == {"message", "detail"}
    return answer.status_code, body["error"]["message"], body["error"]["detail"]
