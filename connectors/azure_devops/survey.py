"""What the organisation says of itself, and of the work items of each side: for ``doctor`` and ``init``. Only reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.azure_devops import rights
from connectors.azure_devops.iterations import ITERATION_PATH, today
from connectors.azure_devops.records import Metadata
from connectors.azure_devops.rights import PROJECTS
from connectors.azure_devops.service import CONNECTION, TYPES, Ask, Place, Service
from connectors.azure_devops.spelling import ALIASES, TAGS
from connectors.base import Failure, Gone, Refused
from connectors.description import Description, Items, NativeField, Right, State, Step, Unknown, ahead
from connectors.description import Place as Home
from mappings.model import Scope

TYPE_FIELDS = Place("bd293ce5-3d25-4192-8e67-e8092e879efb", "7.1-preview.3")
CATEGORIES = {
    "Proposed": "new",
    "InProgress": "active",
    "Resolved": "active",
    "Completed": "done",
    "Removed": "removed",
}
MEANINGS = {
    "System.Title": "summary",
    "System.Description": "description",
    "Microsoft.VSTS.Common.Priority": "priority",
    "Microsoft.VSTS.Scheduling.DueDate": "due",
    TAGS: "labels",
}
#: required, and filled in by the service
FILLED = frozenset(
    f"System.{name}"
    for name in "State Reason AreaId AreaPath IterationId IterationPath TeamProject WorkItemType History".split()
)
#: names that people commonly give such work items
SIDES = {"product backlog item": "pbi", "user story": "story", "bug": "bug", "issue": "work_item", "request": "request"}
_TYPES = {"integer": "integer", "double": "number", "boolean": "boolean", "dateTime": "date"}

Json = Mapping[str, Any]


class Survey:
    """One look at the organisation. ``metadata`` is what ``open`` learned."""

    def __init__(self, service: Service, metadata: Metadata) -> None:
        self.service, self.metadata = service, metadata

    def describe(self, scopes: Sequence[Scope]) -> Description:
        """One call; three for each side and one for each type; the rights besides."""
        told = self.service.read(Ask("GET", CONNECTION), dict)
        last = self.service.transport.last
        items = {scope.side: one for scope in scopes if (one := self.items(scope)) is not None}
        user = told.get("authenticatedUser") or {}
        return Description(
            "Azure DevOps Services" if told.get("deploymentType") == "hosted" else "Azure DevOps Server",
            account=str(user.get("providerDisplayName") or ""),
            ahead=ahead(last.headers, self.service.transport.clock.now()) if last is not None else None,
            rights=tuple(dict.fromkeys(self.rights([scope for scope in scopes if scope.side in items]))),
            items=items,
            unknown=tuple(self.unknown(items)),
        )

    def unknown(self, items: Mapping[str, Items]) -> Iterator[Unknown]:
        yield Unknown(
            "the scopes of a personal access token",
            "the service does not tell them; Lockstep needs Work Items: Read & write (vso.work_write), and no more",
        )
        for side in items:
            yield Unknown(
                "which fields the rules of the process ask for in a state",
                "rules are shown to those alone who may edit the process",
                side,
            )

    def rights(self, scopes: Sequence[Scope]) -> Iterator[Right]:
        there = rights.offered(self.service, (rights.NAMESPACES, rights.PERMISSIONS, rights.NODES))
        reader = rights.Reader(self.service)
        for scope in scopes:
            if there:
                yield from reader.rights(scope)
                continue
            for one in (*rights.PER_AREA, *rights.PER_PROJECT):
                because = "this server has no way to ask for it"
                yield rights.unknown(one, f"project {scope.project}", scope.side, because)

    # -- work items

    def items(self, scope: Scope) -> Items | None:
        """``None`` where the project is missing or hidden, or has none of the types: ``open`` has said so."""
        try:
            listed = self.service.read(Ask("GET", TYPES, {"project": scope.project}), lambda answer: answer["value"])
        except (Refused, Gone):
            return None
        order = [name.casefold() for name in scope.types]
        types = [one for one in listed if not order or one["name"].casefold() in order]
        types.sort(key=lambda one: order.index(one["name"].casefold()) if order else 0)
        if not types:
            return None
        states = {state["name"]: state for one in reversed(types) for state in one.get("states") or ()}
        first = [state["name"] for one in types for state in one.get("states") or ()]
        return Items(
            states=tuple(State(n, CATEGORIES.get(states[n].get("category", ""), "")) for n in dict.fromkeys(first)),
            fields=self.fields(scope.project, types),
            marks=(TAGS,),
            steps={name: way for one in reversed(types) for name, way in steps(one).items()},
            current=self.current(scope.project),
        )

    def current(self, project: str) -> dict[str, str]:
        """The iteration of today of the project's default team. One call; nothing where it cannot be asked for."""
        try:
            path = today(self.service.read, project)
        except Failure:
            return {}
        return dict.fromkeys((ITERATION_PATH, "iteration"), path)

    def fields(self, project: str, types: Sequence[Json]) -> dict[str, NativeField]:
        """The fields of the types, under their short names too; what the first type says of one counts."""
        found: dict[str, NativeField] = {}
        for one in types:
            values = self.values(project, one["name"])
            for instance in one.get("fieldInstances") or one.get("fields") or ():
                name = instance["referenceName"]
                found.setdefault(name, self.field(instance, values.get(name, ()), one is types[0]))
        return found | {short: found[name] for short, name in ALIASES.items() if name in found}

    def field(self, instance: Json, values: Sequence[str], first: bool) -> NativeField:
        name = instance["referenceName"]
        kind = self.metadata.kind(name)
        demanded = bool(instance.get("alwaysRequired")) and not instance.get("defaultValue") and name not in FILLED
        return NativeField(
            name,
            instance.get("name") or kind.name,
            "list" if name == TAGS else _TYPES.get(kind.type, "text"),
            {value: value for value in values},
            first and demanded and not kind.read_only,
            not kind.read_only,
            kind.identity,
            MEANINGS.get(name, ""),
        )

    def values(self, project: str, type_name: str) -> dict[str, list[str]]:
        """Allowed values by field; none where they cannot be read."""
        route = {"project": project, "type": type_name}
        ask = Ask("GET", TYPE_FIELDS, route, {"$expand": "allowedValues"})
        try:
            return self.service.read(
                ask, lambda a: {f["referenceName"]: [str(v) for v in f.get("allowedValues") or ()] for f in a["value"]}
            )
        except Failure:
            return {}

    # -- places

    def places(self, project: str) -> tuple[Home, ...]:
        """One call: the projects, or the types of one that can be made."""
        if not project:
            rows = self.service.read(Ask("GET", PROJECTS), lambda answer: answer["value"])
            return tuple(Home(project=row["name"], label=row.get("description") or "") for row in rows)
        rows = self.service.read(Ask("GET", TYPES, {"project": project}), lambda answer: answer["value"])
        return tuple(
            Home(project=project, type=row["name"], label=row["name"], side=side_of(row["name"]))
            for row in rows
            if not row.get("isDisabled")
        )


def side_of(type_name: str) -> str:
    return SIDES.get(type_name.lower(), "_".join(type_name.lower().split()))


def steps(one: Json) -> dict[str, tuple[Step, ...]]:
    """Where each state of a type leads; the empty one is that of a new item."""
    ways = one.get("transitions") or {}
    return {name: tuple(Step(way["to"]) for way in ways[name]) for name in ways if name}
