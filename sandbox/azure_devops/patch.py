"""Reads a JSON Patch document on a work item. Nothing is changed here: the document is all or nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request, stale
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.links import known_rel, target_of
from sandbox.azure_devops.model import Relation, WorkItem, joined, tags_of
from sandbox.azure_devops.values import numeral


@dataclass
class Wanted:
    """What a document asks for: field values as JSON gave them (``None`` clears), the relations as they are to be,
    formats of long texts, and a remark for the history (text, format)."""

    fields: dict[str, Any] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    formats: dict[str, str] = field(default_factory=dict)
    history: tuple[str, str] | None = None
    dropped: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Manners:
    """How a document is read where servers or reports differ (``Switches`` says which is which)."""

    tags_merge: bool = True
    twins: bool = False
    markdown_stays: bool = True
    stale_status: int = 412


def read_patch(document: Any, item: WorkItem | None, find: Callable[[str], Field], manners: Manners) -> Wanted:
    """The wishes in ``document``. Raises ``Problem``: 412 (or 409) for a failed test, 400 otherwise."""
    if not isinstance(document, list) or not document:
        raise bad_request("You must pass a valid patch document in the body of the request.")
    wanted = Wanted(relations=copy.copy(item.relations), formats=dict(item.formats)) if item else Wanted()
    reader = _Reader(wanted, item, find, manners)
    for operation in document:
        reader.take(operation)
    wanted.relations = [one for at, one in enumerate(wanted.relations) if at not in wanted.dropped]
    if not manners.twins:
        refuse_twins(wanted.relations)
    return wanted


@dataclass
class _Reader:
    wanted: Wanted
    item: WorkItem | None
    find: Callable[[str], Field]
    manners: Manners

    def take(self, operation: Any) -> None:
        if not isinstance(operation, dict) or "op" not in operation or "path" not in operation:
            raise bad_request("You must pass a valid patch document in the body of the request.")
        op, path, value = str(operation["op"]).lower(), str(operation["path"]), operation.get("value")
        if op not in ("add", "replace", "remove", "test"):
            raise bad_request(f"The operation '{op}' is not supported.", "PatchOperationFailedException")
        segments = path.strip("/").split("/")
        match segments[0], segments[1:]:
            case "rev", []:
                self.take_rev(op, value)
            case "fields", [name]:
                self.take_field(op, name, value)
            case "relations", [place, *rest]:
                self.take_relation(op, place, rest, value)
            case "multilineFieldsFormat", [name] if op != "test":
                self.take_format(self.find(name).reference, str(value).lower())
            case _:
                raise bad_request(f"The path '{path}' is not valid.", "VssPropertyValidationException")

    def take_rev(self, op: str, value: Any) -> None:
        if op == "test" and self.item is not None and value != self.item.rev:
            raise stale(self.item.id, self.item.rev, value, self.manners.stale_status)

    def take_field(self, op: str, name: str, value: Any) -> None:
        reference = self.find(name).reference
        if op == "test":
            return self.test_field(reference, value)
        if reference == "System.History":
            self.take_history(value)
            return
        if reference == "System.Tags" and op == "add" and self.manners.tags_merge:
            value = joined([*tags_of(self.now(reference)), *tags_of(str(value or ""))])
        self.wanted.fields[reference] = None if op == "remove" else value

    def now(self, reference: str) -> Any:
        if reference in self.wanted.fields:
            return self.wanted.fields[reference]
        return self.item.fields.get(reference) if self.item else None

    def test_field(self, reference: str, value: Any) -> None:
        if self.now(reference) != value:
            text = f"VS403351: Test Operation for path /fields/{reference} failed"
            raise Problem(412, text, "TestPatchOperationFailedException")

    def take_format(self, reference: str, format: str) -> None:
        if format not in ("html", "markdown"):
            raise bad_request(f"The format '{format}' is not known.")
        if self.manners.markdown_stays and format == "html" and self.wanted.formats.get(reference) == "markdown":
            raise bad_request(f"The field {reference} is in Markdown and cannot be changed back to HTML.")
        self.wanted.formats[reference] = format

    def take_history(self, value: Any) -> None:
        if isinstance(value, dict):
            self.wanted.history = (str(value.get("text", "")), str(value.get("format", "html")).lower())
        elif value:
            self.wanted.history = (str(value), "html")

    def take_relation(self, op: str, place: str, rest: list[str], value: Any) -> None:
        if op == "add" and place == "-":
            self.wanted.relations.append(relation_of(value))
            return
        at = numeral(place)
        if at is None or at >= len(self.item.relations if self.item else []):
            raise bad_request(f"The index {place} of the relations is out of range.", "PatchOperationFailedException")
        if op == "remove" and not rest:
            self.wanted.dropped.add(at)
        elif op == "replace" and rest == ["attributes", "comment"]:
            changed = copy.copy(self.wanted.relations[at])
            changed.comment = str(value or "")
            self.wanted.relations[at] = changed
        elif op != "test":
            raise bad_request(f"The path '/relations/{place}' is not valid.")


def relation_of(value: Any) -> Relation:
    """A relation as a client sends it; a wrong shape is a 400 VssPropertyValidationException (quoted in a thread)."""
    if not fits_relation(value):
        text = json.dumps(value, indent=2).replace("\n", "\r\n")
        kind = "Microsoft.TeamFoundation.WorkItemTracking.WebApi.Models.WorkItemRelation"
        raise bad_request(f"Value {text} does not match the expected type {kind}.")
    rel = known_rel(value["rel"])
    if rel is None:
        raise bad_request(f'Unrecognized resource link "{value["rel"]}".')
    attributes = value.get("attributes") or {}
    comment = str(attributes.get("comment") or "")
    if len(comment) > 255:
        raise bad_request("The comment of a link cannot be longer than 255 characters.")
    if rel == "ArtifactLink" and not attributes.get("name"):
        raise bad_request("The link type of an artifact link must be named by its attribute 'name'.")
    url = value["url"]
    return Relation(rel, url, comment, target=target_of(rel, url), name=str(attributes.get("name") or ""))


def fits_relation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("rel"), str)
        and isinstance(value.get("url"), str)
        and ("//" in value["url"] or ":" in value["url"])
        and isinstance(value.get("attributes") or {}, dict)
    )


def refuse_twins(relations: list[Relation]) -> None:
    """The same target twice under one relation is refused; the real body of that error is not recorded."""
    seen = set()
    for one in relations:
        key = (one.rel, one.target or one.url.lower())
        if key in seen:
            text = f"The relation {one.rel} to this address already exists on the work item."
            raise bad_request(text, "WorkItemResourceLinkException", 3200)
        seen.add(key)
