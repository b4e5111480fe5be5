"""One call as the routes see it: who asks, about which project, with which arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.azure_devops.errors import bad_request, no_item
from sandbox.azure_devops.model import Person, Project, WorkItem
from sandbox.azure_devops.organisation import Organisation
from sandbox.azure_devops.render import Renderer
from sandbox.azure_devops.teams import Team
from sandbox.azure_devops.values import numeral
from sandbox.wire import Answer, Request

T = TypeVar("T")
#: levels of lists and objects in a body (what Newtonsoft.Json reads by default in its older versions; not documented)
DEEPEST = 128


@dataclass(frozen=True, slots=True)
class Call:
    """``args`` are the parameters of the route; ``query`` names are found in any case; ``team`` is the one that the
    address names behind the project, or empty."""

    org: Organisation
    request: Request
    who: Person
    project: Project | None
    args: dict[str, str]
    render: Renderer
    team: str = ""

    def query(self, name: str, default: str = "") -> str:
        """The first value of a query parameter, its name in any case."""
        found = next((values[0] for key, values in self.request.query.items() if key.lower() == name.lower()), default)
        return found or default

    def flag(self, name: str) -> bool:
        return self.query(name).lower() == "true"

    def number(self, name: str, default: int) -> int:
        """A whole, non-negative number of the query. Raises 400."""
        text = self.query(name)
        number = numeral(text) if text else default
        if number is None:
            raise bad_request(f"The value '{text}' is not valid for {name}.")
        return number

    def listed(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.query(name).split(",") if part.strip())

    def body(self) -> Any:
        """The JSON body. Raises 400 where it is none, or is nested too deeply."""
        try:
            body = self.request.json()
        except ValueError:
            raise bad_request("The request body is not valid JSON.", "VssRequestContentException") from None
        opened = self.request.body.count(b"[") + self.request.body.count(b"{")
        if opened > DEEPEST and too_deep(body):
            raise bad_request("The request body is nested too deeply.", "VssRequestContentException")
        return body

    def need_project(self) -> Project:
        if self.project is None:
            raise bad_request("A project name is required in order to perform this operation.", "ArgumentNullException")
        return self.project

    def need_team(self) -> Team:
        """The team of the address, or the project's default one."""
        return self.org.teams.team(self.need_project(), self.team)

    def shape(self) -> dict[str, Any]:
        """The JSON body as an object. Raises 400 where it is none."""
        body = self.body()
        if not isinstance(body, dict):
            raise bad_request("Value cannot be null.\r\nParameter name: body", "ArgumentNullException")
        return body

    def item(self, name: str = "id") -> WorkItem:
        """The item that the route names, if it is alive, readable, and of the project in the address."""
        text = self.args[name]
        item = self.org.item(numeral(text) or 0, self.who)
        if self.project is not None and item.project != self.project.name:
            raise no_item(text)
        return item

    def listing(self, values: list[Any]) -> Answer:
        return answered({"count": len(values), "value": values})


def too_deep(value: Any) -> bool:
    """Whether lists and objects are nested beyond what the service reads."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in within(one)]
    return bool(level)


def within(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def parts(body: dict[str, Any], name: str, kind: type[T]) -> list[T]:
    """The members of a list in a body, none where there is no list. Raises 400 where they are of another kind."""
    found = body.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, kind) for one in found):
        raise bad_request(f"The value of '{name}' is not valid.")
    return found


def answered(body: Any, status: int = 200) -> Answer:
    """A JSON answer; the version that was asked for is added to its type where the call is routed."""
    return Answer.of(body, status, {"Content-Type": "application/json; charset=utf-8"})
