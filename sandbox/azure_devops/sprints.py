"""The routes of a team's settings: its iterations, what is in them, and its areas."""

from __future__ import annotations

from typing import Any

from sandbox.azure_devops.call import Call, answered, parts
from sandbox.azure_devops.errors import Problem
from sandbox.azure_devops.links import PARENT
from sandbox.azure_devops.nodes import AREA, Node, no_node
from sandbox.azure_devops.teams import timeframe
from sandbox.azure_devops.values import wire
from sandbox.wire import Answer

_WORK = "Microsoft.TeamFoundation.Work.WebApi.Exceptions"


def address(call: Call, *more: str) -> str:
    team = call.need_team()
    return "/".join([f"{call.render.base}/{call.need_project().id}/{team.id}/_apis/work/teamsettings", *more])


def get_settings(call: Call) -> Answer:
    team = call.need_team()
    backlog = call.org.nodes.live(team.backlog)
    iteration = {"id": backlog.identifier, "name": backlog.name, "path": below(backlog)} if backlog else None
    return answered(
        {
            "backlogIteration": iteration,
            "bugsBehavior": "asRequirements",
            "workingDays": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "backlogVisibilities": {
                "Microsoft.EpicCategory": True,
                "Microsoft.FeatureCategory": True,
                "Microsoft.RequirementCategory": True,
            },
            "defaultIteration": iteration,
            "defaultIterationMacro": "@CurrentIteration",
            "url": address(call),
        }
    )


def below(node: Node) -> str:
    """The path without its root, as team settings spell it."""
    return "\\".join(["", *(one.name for one in node.trail[1:])]) if node.parent else ""


def iteration_body(call: Call, node: Node) -> dict[str, Any]:
    return {
        "id": node.identifier,
        "name": node.name,
        "path": node.path,
        "attributes": {
            "startDate": wire(node.start) if node.start else None,
            "finishDate": wire(node.finish) if node.finish else None,
            "timeFrame": timeframe(node, call.org.clock.now()),
        },
        "url": address(call, "iterations", node.identifier),
    }


def chosen(call: Call) -> list[Node]:
    nodes = (call.org.nodes.live(id) for id in call.need_team().iterations)
    return [node for node in nodes if node]


def get_iterations(call: Call) -> Answer:
    """The team's iterations by their dates; ``$timeframe=current`` leaves the one of today."""
    if call.args.get("id"):
        return answered(iteration_body(call, chosen_one(call, call.args["id"])))
    frame = call.query("$timeframe").lower()
    if frame and frame != "current":
        raise Problem(400, "VS403310: The only timeframe is current.", "InvalidTeamSettingsException", _WORK, 3000)
    found = sorted(chosen(call), key=lambda node: (node.start is None, node.start or node.id))
    now = call.org.clock.now()
    shown = [node for node in found if not frame or timeframe(node, now) == "current"]
    return call.listing([iteration_body(call, node) for node in shown])


def chosen_one(call: Call, id: str) -> Node:
    found = next((node for node in chosen(call) if node.identifier == id.lower()), None)
    if found is None:
        raise no_node(id)
    return found


def post_iteration(call: Call) -> Answer:
    """Chooses an iteration for the team. Raises TF400497 before its backlog iteration is set (recorded)."""
    team, wanted = call.need_team(), str(call.shape().get("id") or "").lower()
    if not team.backlog:
        text = "TF400497: The backlog iteration path that you specified is no longer valid."
        namespace = "Microsoft.Azure.Boards.Agile.Common.Exceptions"
        raise Problem(400, text, "InvalidTeamSettingsException", namespace, 3000)
    node = next((one for one in call.org.nodes.by_id.values() if one.identifier == wanted), None)
    if node is None or node.trail[0].name != team.project:
        raise no_node(wanted)
    if node.id not in team.iterations:
        team.iterations.append(node.id)
    return answered(iteration_body(call, node))


def delete_iteration(call: Call) -> Answer:
    call.need_team().iterations.remove(chosen_one(call, call.args["id"]).id)
    return Answer(204)


def get_iteration_items(call: Call) -> Answer:
    """The items of an iteration as links, those with a parent below it."""
    node = chosen_one(call, call.args["iterationId"])
    held = [i for i in call.org.store.items.values() if i.fields["System.IterationPath"] == node.path and not i.deleted]
    relations = []
    for item in held:
        if call.org.readable(item, call.who):
            parent = next((one.target for one in item.relations if one.rel == PARENT), 0)
            source = {"id": parent, "url": call.render.far_url(parent)} if parent else None
            rel = "System.LinkTypes.Hierarchy-Forward" if parent else None
            relations.append(
                {"rel": rel, "source": source, "target": {"id": item.id, "url": call.render.item_url(item)}}
            )
    return answered({"workItemRelations": relations, "url": address(call, "iterations", node.identifier, "workitems")})


def get_areas(call: Call) -> Answer:
    team = call.need_team()
    values = [{"value": path, "includeChildren": below} for path, below in team.areas]
    default = values[0]["value"] if values else None
    field = {"referenceName": "System.AreaPath", "url": f"{call.render.base}/_apis/wit/fields/System.AreaPath"}
    return answered(
        {"field": field, "defaultValue": default, "values": values, "url": address(call, "teamfieldvalues")}
    )


def patch_areas(call: Call) -> Answer:
    """Raises 400 without a ``defaultValue`` (recorded)."""
    body, team = call.shape(), call.need_team()
    if not body.get("defaultValue"):
        raise Problem(400, "DefaultValue", "TeamFieldArgumentNullException", _WORK, 0)
    project = call.need_project()
    found = []
    for one in parts(body, "values", dict):
        node = call.org.nodes.find(project, AREA, str(one.get("value") or ""))
        if node is None:
            raise no_node(str(one.get("value")))
        found.append((node.path, bool(one.get("includeChildren"))))
    team.areas = sorted(found, key=lambda pair: pair[0] != body["defaultValue"])
    return get_areas(call)
