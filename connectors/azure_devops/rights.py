"""What our account may do in a project: asked of the service itself, which evaluates the caller's permissions (Azure
DevOps REST API, Security, "Permissions - Has Permissions"; names from Microsoft's "Security namespace and permission
reference")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.azure_devops.service import Ask, Place, Service
from connectors.azure_devops.spelling import reference
from connectors.base import Failure
from connectors.description import Right
from mappings.model import Scope

NAMESPACES = Place("ce7b9f95-fde9-4be8-a86d-83b366f0b87a", "7.1-preview.1")
PERMISSIONS = Place("dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d", "7.1-preview.2")
NODES = Place("5a172953-1b41-49d3-840a-33f79c3ce89f", "7.1-preview.2")
PROJECTS = Place("603fe2ac-9723-48b9-88ad-09305aa6c6e1", "7.1-preview.4")

AREA, PROJECT, TAGGING = (
    "83e28ad4-2d72-4ceb-97b0-c7726d5502c3",
    "52d39943-cb85-4d7f-8fa8-c6baac873819",
    "bb50f182-8e5e-40b8-bc21-e8752a1e7ae2",
)
#: where each kind of permission is granted (Microsoft's "Set permissions for work tracking" and "Set work tracking and
#: plan permissions")
GRANTED = {
    AREA: "grant it to our account under Project settings, Project configuration, Areas, Security of the area",
    TAGGING: "grant it to our account under Project settings, Permissions",
}
AREA_PATH = "System.AreaPath"
#: levels of areas read; Azure DevOps has no more than fourteen
DEPTH = 14


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission by its namespace, its action there, and its name on the settings pages."""

    namespace: str
    action: str
    name: str
    why: str
    wanted: bool = True
    purpose: str = "work"


PER_AREA = (
    Permission(AREA, "WORK_ITEM_READ", "View work items in this node", "to see the work items"),
    Permission(AREA, "WORK_ITEM_WRITE", "Edit work items in this node", "to keep fields in step, for our tag and link"),
    Permission(
        AREA, "WORK_ITEM_SAVE_COMMENT", "Edit work item comments in this node", "to carry comments", purpose="comments"
    ),
)
PER_PROJECT = (
    Permission(TAGGING, "Create", "Create tag definition", "our tag is a new one where it is first used"),
    Permission(
        PROJECT, "BYPASS_RULES", "Bypass rules on work item updates", "rules are there to be kept", False, "safety"
    ),
    Permission(
        PROJECT,
        "WORK_ITEM_PERMANENTLY_DELETE",
        "Permanently delete work items",
        "Lockstep deletes nothing",
        False,
        "safety",
    ),
    Permission(
        PROJECT, "GENERIC_WRITE", "Edit project-level information", "it administers the project", False, "safety"
    ),
)


@dataclass
class Reader:
    """Asks for permissions; what the service told is kept."""

    service: Service
    bits: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def rights(self, scope: Scope) -> Iterator[Right]:
        """Whether we hold each permission, for the side's areas and its project. One call for each, one for each
        namespace, one for the project and one for its areas."""
        where = f"project {scope.project}"
        try:
            areas, project = self.areas(scope), self.project(scope)
        except Failure as failure:
            yield from (unknown(one, where, scope.side, str(failure)) for one in (*PER_AREA, *PER_PROJECT))
            return
        for path, token in areas.items():
            for permission in PER_AREA:
                yield self.right(permission, token, f"area {path}", scope.side)
        tokens = {PROJECT: f"$PROJECT:vstfs:///Classification/TeamProject/{project}", TAGGING: f"/{project}"}
        for permission in PER_PROJECT:
            right = self.right(permission, tokens[permission.namespace], where, scope.side)
            if right.wanted or right.held is not False:
                yield right

    def right(self, permission: Permission, token: str, where: str, side: str) -> Right:
        try:
            held = self.holds(permission, token)
        except (Failure, KeyError) as failure:
            because = str(failure) if isinstance(failure, Failure) else "the service does not know this permission"
            return unknown(permission, where, side, because)
        why, wanted = permission.why, permission.wanted
        grant = GRANTED.get(permission.namespace, "") if wanted else ""
        return Right(f'"{permission.name}"', held, why, wanted, permission.purpose, where, side, instead=grant)

    def holds(self, permission: Permission, token: str) -> bool:
        """Raises ``KeyError`` where the service does not know the action."""
        bit = self.bits_of(permission.namespace)[permission.action]
        route = {"securityNamespaceId": permission.namespace, "permissions": bit}
        query = {"tokens": token, "alwaysAllowAdministrators": "false"}
        return self.service.read(Ask("GET", PERMISSIONS, route, query), first)

    def bits_of(self, namespace: str) -> Mapping[str, int]:
        if namespace not in self.bits:
            ask = Ask("GET", NAMESPACES, {"securityNamespaceId": namespace})
            self.bits[namespace] = self.service.read(ask, actions)
        return self.bits[namespace]

    def project(self, scope: Scope) -> str:
        return self.service.read(Ask("GET", PROJECTS, {"projectId": scope.project}), lambda answer: str(answer["id"]))

    def areas(self, scope: Scope) -> dict[str, str]:
        """Tokens by path: of the areas that the scope names, else of the project's root."""
        route = {"project": scope.project, "structureGroup": "areas"}
        root = self.service.read(Ask("GET", NODES, route, {"$depth": DEPTH}), dict)
        tokens = dict(walk(root, "", ""))
        named = [path for name, paths in scope.where if reference(name) == AREA_PATH for path in paths]
        found = {path: token for path in named for known, token in tokens.items() if known.lower() == path.lower()}
        return found or {str(root["name"]): tokens[str(root["name"])]}


def walk(node: Mapping[str, Any], above: str, token: str) -> Iterator[tuple[str, str]]:
    """Path and security token of a node and of all below it: tokens are made of identifiers, level by level."""
    path = f"{above}\\{node['name']}" if above else str(node["name"])
    token = ":".join(filter(None, (token, f"vstfs:///Classification/Node/{node['identifier']}")))
    yield path, token
    for child in node.get("children") or ():
        yield from walk(child, path, token)


def first(answer: Any) -> bool:
    """One token is answered with a bare ``true``, several with a list (vendor's examples)."""
    told = answer.get("value") if isinstance(answer, dict) else answer
    return bool(told[0] if isinstance(told, list) else told)


def actions(answer: Any) -> dict[str, int]:
    return {action["name"]: int(action["bit"]) for one in answer["value"] for action in one["actions"]}


def unknown(permission: Permission, where: str, side: str, because: str) -> Right:
    name, why, wanted = f'"{permission.name}"', permission.why, permission.wanted
    return Right(name, None, why, wanted, permission.purpose, where, side, because)


def offered(service: Service, places: Sequence[Place]) -> bool:
    """Whether the server has all of the resources: asking for one that it does not list fails before it is sent."""
    service.locate()
    client = service.client()
    listed = {str(one.id) for one in client._locations_cache.get(client.normalized_url) or ()}
    return all(place.id in listed for place in places)
