"""Projects, their versions, components, roles and labels (Jira Cloud REST API: "Projects", "Project versions", ...)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.jira import beans, parts
from sandbox.jira.api import Call, endpoint
from sandbox.jira.refusals import Rejected
from sandbox.jira.shapes import BUILT_IN
from sandbox.jira.site import CATEGORIES, Named, Project, Version
from sandbox.wire import Answer

KINDS = {"software": "Software", "service_desk": "Service Desk", "business": "Business"}
#: the id of the first role
ROLES = 10002
CHANGEABLE = ("name", "description", "released", "archived")


@endpoint("GET", "project/search")
def search(call: Call) -> Answer:
    """Projects the user may browse, in pages, by keys or by the beginning of key or name."""
    keys, ids, query = call.request.query.get("keys"), call.request.query.get("id"), call.request.one("query").lower()
    seen = [p for p in call.jira.site.projects.values() if call.jira.site.may(call.user, p.key, "BROWSE_PROJECTS")]
    found = [
        call.view.project(p)
        for p in seen
        if (not keys or p.key in keys) and (not ids or p.id in ids) and query in f"{p.key} {p.name}".lower()
    ]
    return call.paged(found, size=50)


@endpoint("GET", "project/type")
def kinds(call: Call) -> Answer:
    shown = [{"key": key, "formattedKey": name, "color": "", "icon": ""} for key, name in KINDS.items()]
    return Answer.of(shown)


@endpoint("GET", "projectCategory")
def categories(call: Call) -> Answer:
    call.known_user()
    return Answer.of([])


# -- versions


@endpoint("GET", "project/{}/versions")
def versions(call: Call, key: str) -> Answer:
    found = call.project(key)
    return Answer.of([parts.version(call.view, found, one) for one in found.versions])


@endpoint("GET", "project/{}/version")
def version_pages(call: Call, key: str) -> Answer:
    found = call.project(key)
    return call.paged([parts.version(call.view, found, one) for one in found.versions], size=50)


@endpoint("POST", "version", beans.VERSION)
def add_version(call: Call) -> Answer:
    """Wants the right to administer the project."""
    body = call.object()
    project = call.project(str(body.get("projectId") or body.get("project") or ""))
    may_administer(call, project)
    name = str(body.get("name") or "").strip()
    if not name or any(one.name == name for one in project.versions):
        why = "A version with this name already exists in this project." if name else "You must specify a name."
        raise Rejected(400, errors={"name": why})
    given = {key: body[key] for key in ("description", "released", "archived") if key in body}
    made = Version(str(call.store.next_id()), name, **given, released_on=str(body.get("releaseDate") or ""))
    call.jira.site.projects[project.key] = replace(project, versions=(*project.versions, made))
    return Answer.of(parts.version(call.view, project, made), 201)


@endpoint("GET", "version/{}")
def one_version(call: Call, id: str) -> Answer:
    project, found = version_of(call, id)
    return Answer.of(parts.version(call.view, project, found))


@endpoint("PUT", "version/{}", beans.VERSION)
def change_version(call: Call, id: str) -> Answer:
    project, held = version_of(call, id)
    may_administer(call, project)
    body = call.object()
    changed = replace(held, **{key: body[key] for key in CHANGEABLE if key in body})
    if "releaseDate" in body:
        changed = replace(changed, released_on=str(body["releaseDate"] or ""))
    rest = tuple(changed if one.id == held.id else one for one in project.versions)
    call.jira.site.projects[project.key] = replace(project, versions=rest)
    return Answer.of(parts.version(call.view, project, changed))


def version_of(call: Call, id: str) -> tuple[Project, Version]:
    for project in call.jira.site.projects.values():
        for one in project.versions:
            if one.id == id and call.jira.site.may(call.user, project.key, "BROWSE_PROJECTS"):
                return project, one
    raise Rejected(404, [f"Could not find version for id '{id}'"])


def may_administer(call: Call, project: Project) -> None:
    site, user = call.jira.site, call.known_user()
    if not site.may(user, project.key, "ADMINISTER_PROJECTS") and not site.globally(user, "ADMINISTER"):
        raise Rejected(404, ["The project does not exist or you do not have permission to administer it."])


# -- components, roles, labels


@endpoint("GET", "project/{}/components")
def components(call: Call, key: str) -> Answer:
    found = call.project(key)
    return Answer.of([parts.component(call.view, found, one) for one in found.components])


@endpoint("GET", "project/{}/component")
def component_pages(call: Call, key: str) -> Answer:
    found = call.project(key)
    return call.paged([parts.component(call.view, found, one) for one in found.components], size=50)


@endpoint("GET", "project/{}/role")
def roles(call: Call, key: str) -> Answer:
    found = call.project(key)
    may_see_roles(call, found)
    root = f"{call.view.root}/project/{found.id}/role"
    return Answer.of({name: f"{root}/{at}" for at, name in enumerate(found.roles, ROLES)})


@endpoint("GET", "project/{}/roledetails")
def role_details(call: Call, key: str) -> Answer:
    """With ``currentMember=true`` those the caller is in."""
    found, mine = call.project(key), call.request.one("currentMember").lower() == "true"
    may_see_roles(call, found)
    root = f"{call.view.root}/project/{found.id}/role"
    return Answer.of(
        [
            {"self": f"{root}/{at}", "name": name, "id": at, "description": "", "roleConfigurable": True}
            for at, name in enumerate(found.roles, ROLES)
            if not mine or call.jira.site.in_role(call.user, found.key, name)
        ]
    )


@endpoint("GET", "role")
def all_roles(call: Call) -> Answer:
    names = dict.fromkeys(name for project in call.jira.site.projects.values() for name in project.roles)
    root = f"{call.view.root}/role"
    return Answer.of([{"self": f"{root}/{at}", "id": at, "name": name} for at, name in enumerate(names, ROLES)])


def may_see_roles(call: Call, project: Project) -> None:
    """Anyone who sees the project, or its administrators alone, as switched."""
    if call.jira.switches.roles_for_administrators:
        may_administer(call, project)


@endpoint("GET", "project/{}/role/{}")
def role(call: Call, key: str, id: str) -> Answer:
    """Its members."""
    found = call.project(key)
    may_see_roles(call, found)
    named = {str(at): name for at, name in enumerate(found.roles, ROLES)}
    if id not in named:
        raise Rejected(404, [f"Can not retrieve a role actor for a project role with id '{id}'."])
    people = [call.jira.site.users[one] for one in sorted(found.roles[named[id]])]
    actors = [
        {"displayName": one.name, "type": "atlassian-user-role-actor", "actorUser": {"accountId": one.account_id}}
        for one in people
    ]
    self = f"{call.view.root}/project/{found.id}/role/{id}"
    return Answer.of({"self": self, "name": named[id], "id": int(id), "description": "", "actors": actors})


@endpoint("GET", "label")
def labels(call: Call) -> Answer:
    """Every label in use."""
    seen = (issue for issue in call.store.issues.values() if issue.visible(call.jira.site, call.user))
    return call.paged(sorted({label for issue in seen for label in issue.values.get("labels") or ()}), size=1000)


# -- what is described in pages


@endpoint("GET", "priority/search")
def priorities(call: Call) -> Answer:
    default = call.jira.site.priorities[len(call.jira.site.priorities) // 2]
    return call.paged([priority(call, one, one == default) for one in call.jira.site.priorities], size=50)


def priority(call: Call, one: Named, default: bool) -> dict[str, Any]:
    self = f"{call.view.root}/priority/{one.id}"
    return {"self": self, "id": one.id, "name": one.name, "description": "", "isDefault": default}


@endpoint("GET", "field/search")
def fields(call: Call) -> Answer:
    wanted, query = call.request.query.get("id"), call.request.one("query").lower()
    rows = [
        {"id": row["id"], "name": row["name"], "schema": row["schema"], "description": ""}
        for row in call.view.field_list()
        if (not wanted or row["id"] in wanted) and query in row["name"].lower() and row["id"] in searchable(call)
    ]
    return call.paged(rows, size=50)


def searchable(call: Call) -> set[str]:
    return {*call.jira.site.fields, *BUILT_IN}


@endpoint("GET", "statuses/search")
def statuses(call: Call) -> Answer:
    """Statuses with the words of workflows for their categories, which differ from those of issues."""
    words = {"new": "TODO", "indeterminate": "IN_PROGRESS", "done": "DONE"}
    found = [
        {
            "id": one.id,
            "name": one.name,
            "statusCategory": words[one.category],
            "description": "",
            "scope": {"type": "GLOBAL"},
        }
        for one in call.jira.site.statuses().values()
        if call.request.one("searchString").lower() in one.name.lower()
    ]
    return call.paged(found, size=200)


@endpoint("GET", "statuscategory")
def status_categories(call: Call) -> Answer:
    root = f"{call.view.root}/statuscategory"
    return Answer.of(
        [
            {"self": f"{root}/{id}", "id": id, "key": key, "colorName": colour, "name": name}
            for key, (id, name, colour) in CATEGORIES.items()
        ]
    )


@endpoint("GET", "configuration")
def configuration(call: Call) -> Answer:
    call.known_user()
    hours = {"workingHoursPerDay": 8.0, "workingDaysPerWeek": 5.0, "timeFormat": "pretty", "defaultUnit": "minute"}
    on = ("votingEnabled", "watchingEnabled", "unassignedIssuesAllowed", "issueLinkingEnabled", "timeTrackingEnabled")
    switches = dict.fromkeys((*on, "attachmentsEnabled"), True)
    return Answer.of({**switches, "subTasksEnabled": False, "timeTrackingConfiguration": hours})
