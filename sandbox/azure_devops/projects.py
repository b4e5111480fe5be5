"""The routes of projects, processes, teams and the operations that make a project."""

from __future__ import annotations

from typing import Any

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.model import Project, guid
from sandbox.azure_devops.process import SHIPPED_IDS, Process
from sandbox.azure_devops.teams import Team
from sandbox.wire import Answer

_STATES = ("inProgress", "inProgress", "inProgress", "succeeded")


def project_body(call: Call, project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "url": f"{call.render.base}/_apis/projects/{project.id}",
        "state": "wellFormed",
        "revision": 11,
        "visibility": "private",
        "lastUpdateTime": "2025-01-10T12:13:40.297Z",
    }


def get_projects(call: Call) -> Answer:
    asked = call.args.get("projectId")
    if not asked:
        skip, top = call.number("$skip", 0), call.number("$top", 100)
        found = list(call.org.projects.values())[skip : skip + top]
        return call.listing([project_body(call, project) for project in found])
    project = call.org.rules.project(asked)
    team = call.org.teams.team(project)
    body = project_body(call, project)
    address = f"{call.render.base}/_apis/projects/{project.id}"
    links = {
        "self": address,
        "collection": f"{call.render.base}/_apis/projectCollections/{guid('collection')}",
        "web": f"{call.render.base}/{project.name}",
    }
    body["description"] = ""
    body["_links"] = {name: {"href": url} for name, url in links.items()}
    body["defaultTeam"] = {"id": team.id, "name": team.name, "url": f"{address}/teams/{team.id}"}
    if call.flag("includeCapabilities"):
        body["capabilities"] = capabilities(call.org.rules.process(project))
    return answered(body)


def capabilities(process: Process) -> dict[str, dict[str, str]]:
    """What a project was made with (recorded)."""
    return {
        "processTemplate": {"templateName": process.name, "templateTypeId": process.id},
        "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True", "tfvcEnabled": "False"},
    }


def inside(body: dict[str, Any], name: str) -> dict[str, Any]:
    """An object in an object, empty where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def post_project(call: Call) -> Answer:
    """Queues the making of a project: 202 and an operation to poll (recorded)."""
    body = call.shape()
    wanted = inside(inside(body, "capabilities"), "processTemplate").get("templateTypeId")
    process = next((one for one in call.org.processes.values() if one.id == wanted), None)
    name = str(body.get("name") or "").strip()
    if process is None or not name:
        raise bad_request("TF200013: The project name or its process template is not valid.", "ArgumentException")
    if any(name.lower() == known.lower() for known in call.org.projects):
        text = f"TF200019: The following project already exists on the Azure DevOps Server: {name}."
        raise Problem(409, text, "ProjectAlreadyExistsException", "Microsoft.TeamFoundation.Core.WebApi", 3000)
    call.org.found(Project(name, process.name))
    id = guid("operation", name)
    call.org.operations[id] = 0
    return answered({"id": id, "status": "notSet", "url": f"{call.render.base}/_apis/operations/{id}"}, 202)


def get_operation(call: Call) -> Answer:
    """Each look finds the operation further on, until it has succeeded (recorded)."""
    id = call.args["operationId"]
    if id not in call.org.operations:
        raise bad_request(f"The operation {id} was not found.", "OperationNotFoundException", status=404)
    status = _STATES[min(call.org.operations[id], len(_STATES) - 1)]
    call.org.operations[id] += 1
    address = f"{call.render.base}/_apis/operations/{id}"
    return answered({"id": id, "status": status, "url": address, "_links": {"self": {"href": address}}})


# -- processes


def process_body(call: Call, process: Process) -> dict[str, Any]:
    return {
        "id": process.id,
        "name": process.name,
        "description": "",
        "isDefault": process.name == "Agile",
        "type": "system" if process.name in SHIPPED_IDS else "inherited",
        "url": f"{call.render.base}/_apis/process/processes/{process.id}",
    }


def get_processes(call: Call) -> Answer:
    asked = call.args.get("processId")
    if not asked:
        return call.listing([process_body(call, one) for one in call.org.processes.values()])
    found = next((one for one in call.org.processes.values() if one.id == asked.lower()), None)
    if found is None:
        raise Problem(404, f"VS402362: The process with id {asked} does not exist.", "ProcessNotFoundByTypeIdException")
    return answered(process_body(call, found))


# -- teams


def team_body(call: Call, team: Team) -> dict[str, Any]:
    project = call.org.projects[team.project]
    return {
        "id": team.id,
        "name": team.name,
        "url": f"{call.render.base}/_apis/projects/{project.id}/teams/{team.id}",
        "description": team.description,
        "identityUrl": f"{call.render.base}/_apis/Identities/{team.id}",
        "projectName": project.name,
        "projectId": project.id,
    }


def get_teams(call: Call) -> Answer:
    """The teams of a project, or one of them; of every project where none is named."""
    asked = call.args.get("projectId")
    if not asked:
        return call.listing([team_body(call, team) for team in call.org.teams.all])
    project = call.org.rules.project(asked)
    if call.args.get("teamId"):
        return answered(team_body(call, call.org.teams.team(project, call.args["teamId"])))
    skip, top = call.number("$skip", 0), call.number("$top", 100)
    return call.listing([team_body(call, team) for team in call.org.teams.of(project)[skip : skip + top]])


def post_team(call: Call) -> Answer:
    body, project = call.shape(), call.org.rules.project(call.args["projectId"])
    name = str(body.get("name") or "").strip()
    if not name or any(name.lower() == team.name.lower() for team in call.org.teams.of(project)):
        raise bad_request(f"TF400856: The team name '{name}' is empty or already in use.", "TeamAlreadyExistsException")
    team = Team(project.name, name, str(body.get("description") or ""))
    call.org.teams.all.append(team)
    return answered(team_body(call, team))


def change_team(call: Call) -> Answer:
    """PATCH renames or describes a team, DELETE removes it; the default one stays."""
    project = call.org.rules.project(call.args["projectId"])
    team = call.org.teams.team(project, call.args["teamId"])
    if call.request.method == "DELETE":
        if team is call.org.teams.team(project):
            raise bad_request("TF400860: The default team of a project cannot be deleted.", "DefaultTeamException")
        call.org.teams.all.remove(team)
        return Answer(204)
    body = call.shape()
    team.name, team.description = (str(body.get(name, getattr(team, name))) for name in ("name", "description"))
    return answered(team_body(call, team))


def get_members(call: Call) -> Answer:
    project = call.org.rules.project(call.args["projectId"])
    team = call.org.teams.team(project, call.args["teamId"])
    return call.listing([{"identity": call.render.identity(name)} for name in team.members])
