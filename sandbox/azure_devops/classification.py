"""The routes of areas and iterations."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import bad_request
from sandbox.azure_devops.nodes import AREA, ITERATION, Node, no_node
from sandbox.azure_devops.organisation import Organisation
from sandbox.azure_devops.values import moment_of, numeral, wire
from sandbox.wire import Answer

_GROUPS = {"areas": AREA, "iterations": ITERATION}
_FIELDS = {AREA: "System.AreaPath", ITERATION: "System.IterationPath"}


def node_url(call: Call, node: Node) -> str:
    below = "".join("/" + quote(one.name) for one in node.trail[1:])
    project = call.org.projects[node.trail[0].name]
    return f"{call.render.base}/{project.id}/_apis/wit/classificationNodes/{node.structure.title()}s{below}"


def node_body(call: Call, node: Node, depth: int = 0, *, links: bool = True) -> dict[str, Any]:
    """``depth`` levels of children are shown, without links of their own (vendor's examples)."""
    body: dict[str, Any] = {
        "id": node.id,
        "identifier": node.identifier,
        "name": node.name,
        "structureType": node.structure,
        "hasChildren": bool(node.children),
        "path": node.full_path,
    }
    if node.start and node.finish:
        body["attributes"] = {"startDate": wire(node.start), "finishDate": wire(node.finish)}
    if depth and node.children:
        body["children"] = [node_body(call, one, depth - 1, links=False) for one in node.children]
    if links:
        parent = {"parent": {"href": node_url(call, node.parent)}} if node.parent else {}
        body["_links"] = {"self": {"href": node_url(call, node)}, **parent}
    return {**body, "url": node_url(call, node)}


def named(call: Call, path: str | None = None) -> Node:
    group = call.args["structureGroup"].lower()
    if group not in _GROUPS:
        raise bad_request(f"The value '{call.args['structureGroup']}' is not valid for structureGroup.")
    return call.org.nodes.below(
        call.need_project(), _GROUPS[group], call.args.get("path", "") if path is None else path
    )


def get_node(call: Call) -> Answer:
    return answered(node_body(call, named(call), call.number("$depth", 0)))


def get_roots(call: Call) -> Answer:
    """Both roots, or the nodes that ``ids`` names; ``errorPolicy`` omit puts null at missing places."""
    project, depth = call.need_project(), call.number("$depth", 0)
    if not call.listed("ids"):
        roots = (call.org.nodes.roots[project.name, structure] for structure in (AREA, ITERATION))
        return call.listing([node_body(call, root, depth) for root in roots])
    found = []
    for id in call.listed("ids"):
        node = call.org.nodes.live(numeral(id) or 0)
        if node is None and call.query("errorPolicy").lower() != "omit":
            raise no_node(id)
        found.append(node and node_body(call, node, depth))
    return call.listing(found)


def post_node(call: Call) -> Answer:
    """A new node (201), or one that exists moved here by its id (200, recorded)."""
    body, parent = call.shape(), named(call)
    if body.get("id"):
        node = call.org.nodes.live(numeral(str(body["id"])) or 0)
        if node is None:
            raise no_node(str(body["id"]))
        old = node.path
        call.org.nodes.move(node, parent)
        carry_items(call.org, node.structure, old, node.path)
        return answered(node_body(call, node))
    node = call.org.nodes.add(parent, str(body.get("name") or ""))
    date_node(node, body)
    return answered(node_body(call, node), 201)


def patch_node(call: Call) -> Answer:
    body, node = call.shape(), named(call)
    old = node.path
    if body.get("name") and body["name"] != node.name:
        if node.parent is None:
            raise bad_request("TF400508: The root node cannot be renamed.")
        node.name = str(body["name"])
        carry_items(call.org, node.structure, old, node.path)
    date_node(node, body)
    return answered(node_body(call, node))


def date_node(node: Node, body: dict[str, Any]) -> None:
    """Takes ``attributes`` startDate and finishDate; both or neither."""
    dates = body.get("attributes")
    if not isinstance(dates, dict):
        return
    start, finish = (date_of(dates.get(name)) for name in ("startDate", "finishDate"))
    if (start is None) != (finish is None) or (start and finish and finish < start):
        raise bad_request("VS402374: The start date must be before the finish date, and both must be given.")
    node.start, node.finish = start, finish


def date_of(value: Any) -> datetime | None:
    try:
        return moment_of(str(value)) if value else None
    except ValueError:
        raise bad_request(f"The value '{value}' is not a date.") from None


def delete_node(call: Call) -> Answer:
    """The items below go to the node that ``$reclassifyId`` names; each gets a revision."""
    node = named(call)
    target = call.org.nodes.live(call.number("$reclassifyId", 0))
    held = list(items_below(call.org, node.structure, node.path))
    if target is None or target.structure != node.structure or node in target.trail:
        raise bad_request("VS402373: A valid node to reclassify the work items to is required.")
    call.org.nodes.remove(node)
    for item in held:
        fields = {**item.fields, _FIELDS[node.structure]: target.path}
        call.org.store.change(item, fields, call.who.unique_name, call.org.now())
    return Answer(204)


def items_below(org: Organisation, structure: str, path: str) -> list[Any]:
    name, lower = _FIELDS[structure], path.lower()
    return [
        item for item in org.store.items.values() if (str(item.fields[name]).lower() + "\\").startswith(lower + "\\")
    ]


def carry_items(org: Organisation, structure: str, old: str, new: str) -> None:
    """Items show a node's new path at once and without a revision: they refer to it by its number."""
    name = _FIELDS[structure]
    for item in items_below(org, structure, old):
        item.fields = {**item.fields, name: new + str(item.fields[name])[len(old) :]}
