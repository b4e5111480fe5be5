"""Links between work items: their types as recorded, and the rules that a new one must meet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.model import Relation, WorkItem, guid


@dataclass(frozen=True, slots=True)
class LinkType:
    """``acyclic``: no way along it leads back to its start. ``tree``: an item has one source at most."""

    reference: str
    name: str
    opposite: str
    topology: str
    editable: bool = False
    remote: bool = False

    @property
    def acyclic(self) -> bool:
        return self.topology != "network"

    @property
    def forward(self) -> bool:
        return self.reference.endswith("-Forward")

    @property
    def base(self) -> str:
        """The name of both directions, as the feed of links has it (vendor's example)."""
        return self.reference.removesuffix("-Forward").removesuffix("-Reverse")

    def attributes(self) -> dict[str, Any]:
        directed = {"isForward": self.forward, "oppositeEndReferenceName": self.opposite} if self.acyclic else {}
        return {
            "usage": "workItemLink",
            "editable": self.editable,
            "enabled": True,
            "acyclic": self.acyclic,
            "directional": self.acyclic,
            "singleTarget": self.topology != "tree",
            "topology": self.topology,
            "remote": self.remote,
            **directed,
        }


def both_ways(base: str, forward: str, reverse: str, topology: str, **more: bool) -> tuple[LinkType, LinkType]:
    there, back = f"{base}-Forward", f"{base}-Reverse"
    return LinkType(there, forward, back, topology, **more), LinkType(back, reverse, there, topology, **more)


_TEST = "Microsoft.VSTS.TestCase"
#: as recorded: names, topologies, and which of them may be edited
LINK_TYPES = {
    one.reference: one
    for one in (
        *both_ways("Microsoft.VSTS.Common.Affects", "Affects", "Affected By", "dependency", editable=True),
        *both_ways(f"{_TEST}.SharedParameterReferencedBy", "Referenced By", "References", "dependency", editable=True),
        *both_ways("Microsoft.VSTS.Common.TestedBy", "Tested By", "Tests", "dependency", editable=True),
        *both_ways(f"{_TEST}.SharedStepReferencedBy", "Test Case", "Shared Steps", "dependency", editable=True),
        *both_ways("System.LinkTypes.Remote.Dependency", "Produces For", "Consumes From", "dependency", remote=True),
        *both_ways("System.LinkTypes.Duplicate", "Duplicate", "Duplicate Of", "tree"),
        *both_ways("System.LinkTypes.Dependency", "Successor", "Predecessor", "dependency"),
        *both_ways("System.LinkTypes.Hierarchy", "Child", "Parent", "tree"),
        LinkType("System.LinkTypes.Related", "Related", "System.LinkTypes.Related", "network"),
        LinkType("System.LinkTypes.Remote.Related", "Remote Related", "", "network", remote=True),
    )
}
RESOURCE_LINKS = {"AttachedFile": "Attached File", "Hyperlink": "Hyperlink", "ArtifactLink": "Artifact Link"}
PARENT = "System.LinkTypes.Hierarchy-Reverse"

_ITEM_ADDRESS = re.compile(r"/_apis/wit/workitems/(\d+)/?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link made or removed, as the feed of links tells it; ``rel`` is a forward type."""

    rel: LinkType
    source: int
    target: int
    at: datetime
    by: str
    comment: str
    active: bool


def known_rel(text: str) -> str | None:
    """A relation type in its own spelling."""
    known = (*LINK_TYPES, *RESOURCE_LINKS)
    return next((rel for rel in known if rel.lower() == text.lower()), None)


def target_of(rel: str, url: str) -> int:
    """The item that a link points to, 0 for a resource. Raises 400 where the address is none of a work item."""
    if rel in RESOURCE_LINKS:
        return 0
    found = _ITEM_ADDRESS.search(url)
    if found is None or LINK_TYPES[rel].remote:
        raise bad_request(f"VS403311: The link target {url} is not a work item of this organization.")
    return int(found[1])


def listed(item: WorkItem, relations: list[Relation]) -> list[Relation]:
    """Relations in the order in which the service lists them: not that of their making (recorded)."""
    return sorted(
        relations,
        key=lambda one: (one.is_resource, guid(str(item.id), one.rel, str(one.target)) if one.target else "", one.id),
    )


Relations = Callable[[int], list[Relation]]


def check_new(relations: Relations, id: int, one: Relation) -> None:
    """Raises what the service answers to a link that its type does not allow. ``relations`` gives those of any item,
    ``id`` is the item that gets the link (0 before it is made)."""
    kind = LINK_TYPES[one.rel]
    if one.target == id:
        raise bad_request("TF401351: A work item cannot be linked to itself.", "WorkItemLinkInvalidException")
    source, target = (id, one.target) if kind.forward else (one.target, id)
    if kind.base == "System.LinkTypes.Hierarchy" and any(known.rel == PARENT for known in relations(target)):
        raise second_parent(kind, id, one.target)
    upward = kind.opposite if kind.forward else kind.reference
    if kind.acyclic and target in upstream(relations, source, upward):
        raise circular(kind, id, one.target)


def upstream(relations: Relations, id: int, rel: str) -> set[int]:
    """Every item from which links of one type lead to ``id``, itself included."""
    seen: set[int] = set()
    waiting = [id]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            waiting += [one.target for one in relations(at) if one.rel == rel]
    return seen


def mirrored(one: Relation, id: int) -> Relation:
    """The same link as the other item has it."""
    url = re.sub(r"\d+/?$", str(id), one.url)
    return Relation(LINK_TYPES[one.rel].opposite, url, one.comment, at=one.at, target=id)


def second_parent(kind: LinkType, item: int, other: int) -> Problem:
    """Quoted in a thread (azure-devops-migration-tools 398)."""
    text = (
        f"TF201036: You cannot add a {kind.name} link between work items {item} and {other} because a work item can "
        "have only one Parent link."
    )
    return Problem(400, text, "WorkItemLinkInvalidException")


def circular(kind: LinkType, item: int, other: int) -> Problem:
    """Only the number is known for sure; clients look for it."""
    text = (
        f"TF201035: You cannot add a {kind.name} link between work items {item} and {other} because it would create a "
        "circular relationship."
    )
    return Problem(400, text, "WorkItemLinkInvalidException")
