"""Reads what the organisation defines, and checks the names that a side uses against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from connectors.azure_devops.records import Metadata
from connectors.azure_devops.service import FIELDS, STATES, TYPES, Ask, Service
from connectors.azure_devops.spelling import HYPERLINKS, Kind, reference
from connectors.base import Gone, Refused
from mappings.model import BESIDE, Scope

Problem = tuple[str, str, str]


def read_fields(service: Service) -> dict[str, Kind]:
    """Every field of the organisation by reference name."""

    def take(answer: Any) -> dict[str, Kind]:
        return {one["referenceName"]: kind_of(one) for one in answer["value"]}

    return service.read(Ask("GET", FIELDS), take)


def kind_of(one: Any) -> Kind:
    return Kind(one["name"], str(one["type"]), bool(one.get("isIdentity")), bool(one.get("readOnly")))


def read_types(service: Service, metadata: Metadata, scope: Scope) -> list[Problem]:
    """Takes up the project's types with their states and fields; a project read before is not read again. The
    problem where the project is missing or hidden, which the service does not tell apart."""
    project = scope.project.casefold()
    if project in metadata.types:
        return []
    try:
        listed = service.read(Ask("GET", TYPES, {"project": scope.project}), types_of)
    except (Refused, Gone):
        return [(scope.side, scope.project, f"there is no project {scope.project!r}, or our account may not see it")]
    metadata.types[project] = tuple(one.name for one in listed)
    for one in listed:
        metadata.states[project, one.name] = one.states or states_of(service, scope.project, one.name)
        metadata.on_type[project, one.name] = one.fields
        metadata.steps[project, one.name] = one.steps
        metadata.ends[project, one.name] = one.ends
    return []


@dataclass(frozen=True, slots=True)
class Type:
    """A work item type with the names of its states, the reference names of its fields, and the states that may follow
    each of its states (empty where the server does not tell). In ``ends`` it is done or removed."""

    name: str
    states: tuple[str, ...]
    fields: frozenset[str]
    steps: dict[str, tuple[str, ...]]
    ends: frozenset[str]


def types_of(answer: Any) -> list[Type]:
    return [type_of(one) for one in answer["value"]]


def type_of(one: Any) -> Type:
    """A type as the process tells it, with the states in which work is over."""
    states = one.get("states") or ()
    ends = frozenset(state["name"] for state in states if state.get("category") in ("Completed", "Removed"))
    return Type(one["name"], names(states), fields_of(one), steps_of(one), ends)


def steps_of(one: Any) -> dict[str, tuple[str, ...]]:
    """The states that each state leads to; the empty one is the creation, which is no step."""
    return {state: tuple(way["to"] for way in ways) for state, ways in (one.get("transitions") or {}).items() if state}


def fields_of(one: Any) -> frozenset[str]:
    return frozenset(field["referenceName"] for field in one.get("fieldInstances") or one.get("fields") or ())


def names(listed: Any) -> tuple[str, ...]:
    return tuple(one["name"] for one in listed)


def states_of(service: Service, project: str, type_name: str) -> tuple[str, ...]:
    """Older servers list types without their states."""
    route = {"project": project, "type": type_name}
    return service.read(Ask("GET", STATES, route), lambda answer: names(answer["value"]))


def check(metadata: Metadata, scope: Scope) -> list[Problem]:
    """Every name of a side that the project does not know."""
    return [*check_mark(scope), *check_types(metadata, scope), *check_fields(metadata, scope)]


def check_mark(scope: Scope) -> list[Problem]:
    if not scope.mark or len(scope.mark) > 400 or set(scope.mark) & set(",;"):
        return [
            (scope.side, scope.mark, "the instance becomes a tag: it needs 1 to 400 characters, none of them , or ;")
        ]
    return []


def check_types(metadata: Metadata, scope: Scope) -> list[Problem]:
    there = metadata.types[scope.project.casefold()]
    known = {name.casefold() for name in there}
    return [
        (scope.side, name, f"{scope.project} has no work item type {name!r}; it has {', '.join(there)}")
        for name in scope.types
        if name.casefold() not in known
    ]


def check_fields(metadata: Metadata, scope: Scope) -> list[Problem]:
    """Fields must stand on one of the side's types at least."""
    project = scope.project.casefold()
    types = [name for name in metadata.types[project] if name.casefold() in {t.casefold() for t in scope.types}]
    known = set().union(*(metadata.on_type[project, name] for name in types or metadata.types[project]))
    names = dict.fromkeys((*scope.fields, *(name for name, _ in scope.where)))
    unknown = [name for name in names if reference(name) not in known and name != HYPERLINKS and name[:1] != BESIDE]
    return [(scope.side, name, f"no such field{hint(name, known, metadata)}") for name in unknown]


def hint(name: str, known: Iterable[str], metadata: Metadata) -> str:
    """What the admin may have meant: the field of that friendly name, or one spelled nearly so."""
    friendly = [one for one in known if metadata.kind(one).name.casefold() == name.casefold()]
    near = friendly or get_close_matches(name, list(known), n=1)
    if near:
        return f": write {near[0]}"
    return " on these work item types" if reference(name) in metadata.fields else ""
