"""What the connector finds when it opens: our account, the fields, the states, and everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import Refused
from connectors.jira import query
from connectors.jira.client import Client
from connectors.jira.deployment import Deployment, creation_screen
from connectors.jira.fields import Schema, schemas
from connectors.jira.records import account_of
from mappings.model import BESIDE, Scope

Problem = tuple[str, str, str]
#: permission -> what it is needed for
NEEDED = {
    "BROWSE_PROJECTS": "Browse projects",
    "CREATE_ISSUES": "Create issues",
    "EDIT_ISSUES": "Edit issues",
    "TRANSITION_ISSUES": "Transition issues",
    "ADD_COMMENTS": "Add comments",
    "LINK_ISSUES": "Link issues",
}


@dataclass(frozen=True, slots=True)
class Found:
    """``states`` by project and type; ``kinds`` of the projects (``service_desk``, ``software``, ``business``)."""

    served: Deployment
    account: str
    known: Mapping[str, Schema]
    states: dict[tuple[str, str], tuple[str, ...]]
    kinds: Mapping[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A project as we may see it: its types and their states, what we may not do there."""

    kind: str
    type_ids: Mapping[str, str]
    states: Mapping[str, tuple[str, ...]]
    denied: tuple[str, ...]


def look_around(client: Client, scopes: Sequence[Scope], deployed: Callable[[Any], Deployment]) -> Found:
    """``deployed`` reads the answer of ``serverInfo``. Raises ``LockedOut`` and ``Down``; names that are wrong are
    collected, all of them."""
    account = client.get("myself", take=ourselves)
    served = client.get("serverInfo", take=deployed)
    client.deployment = served.kind
    known = client.get("field", take=schemas)
    places = {key: place(client, key) for key in dict.fromkeys(scope.project for scope in scopes)}
    problems: list[Problem] = []
    for scope in scopes:
        if served.problem():
            problems.append((scope.side, "", served.problem()))
        else:
            problems += scope_problems(client, served, scope, known, places[scope.project])
    found = {key: one for key, one in places.items() if one is not None}
    states = {(key, kind): names for key, one in found.items() for kind, names in one.states.items()}
    kinds = {key: one.kind for key, one in found.items()}
    return Found(served, account, known, states, kinds, tuple(problems))


def ourselves(me: Mapping[str, Any]) -> str:
    """Raises ``ValueError`` where the answer names nobody."""
    account = account_of(me)
    if not account:
        raise ValueError("nobody")
    return account


def place(client: Client, key: str) -> Place | None:
    """``None`` where the project does not exist or is hidden. Three calls."""
    try:
        kind = client.get(f"project/{key}", take=lambda project: str(project.get("projectTypeKey")))
    except Refused:
        return None
    rows = client.get(f"project/{key}/statuses", take=lambda rows: [type_states(row) for row in rows])
    asked = {"projectKey": key, "permissions": ",".join(NEEDED)}
    denied = client.get("mypermissions", asked, take=denied_rights)
    return Place(kind, {name: id for name, id, _ in rows}, {name: states for name, _, states in rows}, denied)


def type_states(row: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    return row["name"], str(row["id"]), tuple(status["name"] for status in row["statuses"])


def denied_rights(answer: Mapping[str, Any]) -> tuple[str, ...]:
    rights = answer["permissions"]
    return tuple(words for name, words in NEEDED.items() if not rights.get(name, {}).get("havePermission"))


def scope_problems(
    client: Client, served: Deployment, scope: Scope, known: Mapping[str, Schema], where: Place | None
) -> Iterator[Problem]:
    yield from name_problems(scope, known)
    if where is None:
        yield scope.side, scope.project, f"no project {scope.project}, or our account may not browse it"
        return
    for right in where.denied:
        yield scope.side, "", f"our account lacks the permission {right} in project {scope.project}"
    missing = [name for name in scope.types if name not in where.type_ids]
    for name in missing:
        yield scope.side, name, f"project {scope.project} has no issue type {name}: {', '.join(where.type_ids)}"
    if not missing:
        yield from query_problems(client, served, scope, known)
        yield from screen_problems(client, scope, known, where)


def name_problems(scope: Scope, known: Mapping[str, Schema]) -> Iterator[Problem]:
    for name in dict.fromkeys([*scope.fields, *(field for field, _ in scope.where)]):
        if name not in known and not name.startswith(BESIDE):
            yield scope.side, name, f"Jira has no field {name}, or our account may not see it"
    if not (scope.mark_field in known and known[scope.mark_field].labels):
        yield scope.side, scope.mark_field, f"{scope.mark_field} is no field of labels, which the mark needs"
    if scope.keys_field and not (scope.keys_field in known and known[scope.keys_field].line):
        yield scope.side, scope.keys_field, f"{scope.keys_field} is no single-line text field, which the keys need"
    if re.search(r"\s", scope.mark) or not scope.mark:
        yield scope.side, scope.mark, "the instance's mark becomes a label, which cannot be empty or hold a blank"


def query_problems(client: Client, served: Deployment, scope: Scope, known: Mapping[str, Schema]) -> Iterator[Problem]:
    """Jira is asked the very query: it names the values it does not know."""
    body = {"jql": query.changed(scope, known, None).jql(), "fields": ["id"], "maxResults": 1}
    try:
        client.ask(served.search, body, lambda answer: answer["issues"])
    except Refused as refusal:
        value = re.search(r"value '([^']*)'", str(refusal))
        yield scope.side, value[1] if value else "", str(refusal)


def screen_problems(client: Client, scope: Scope, known: Mapping[str, Schema], where: Place) -> Iterator[Problem]:
    """Mark and keys must be on the screen that creates the scope's first type, or no creation succeeds."""
    if not scope.types or "Create issues" in where.denied:
        return
    kind = scope.types[0]
    offered = creation_screen(client, scope.project, where.type_ids[kind])
    for name in (scope.mark_field, scope.keys_field or "description"):
        if name not in offered and name in known:
            called = known[name].name
            yield scope.side, name, f"put {called} on the create screen of {kind} in project {scope.project}"
