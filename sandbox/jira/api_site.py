"""What describes the site (Jira Cloud REST API: "Server info", "Myself", "Projects", "Issue fields", ...)."""

from __future__ import annotations

from typing import Any

from sandbox.jira import parts
from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import milliseconds
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import IssueType, Named, Project
from sandbox.wire import Answer

META_LIMIT = 200


@endpoint("GET", "serverInfo")
def server_info(call: Call) -> Answer:
    return Answer.of(
        {
            "baseUrl": call.view.base,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100262,
            "buildDate": "2025-12-01T00:00:00.000+0000",
            "serverTime": call.view.time(milliseconds(call.jira.clock.now())),
            "scmInfo": "57a0ca5b",
            "serverTitle": "Jira",
            "defaultLocale": {"locale": "en_US"},
            "serverTimeZone": call.jira.site.zone,
        }
    )


@endpoint("GET", "myself")
def myself(call: Call) -> Answer:
    """401 in plain text for the anonymous (recorded)."""
    if call.user is None:
        return Answer(401, b"Client must be authenticated to access this resource.", {"Content-Type": "text/plain"})
    shown = sorted(call.user.groups) if "groups" in call.request.one("expand") else []
    items = [{"name": name, "groupId": name, "self": f"{call.view.root}/group?groupname={name}"} for name in shown]
    groups = {"size": len(call.user.groups), "items": items}
    return Answer.of({**call.view.account(call.user.account_id), "locale": "en_US", "groups": groups})


@endpoint("GET", "field")
def fields(call: Call) -> Answer:
    return Answer.of(call.view.field_list())


def named(call: Call, path: str, values: tuple[Named, ...]) -> Answer:
    root = f"{call.view.root}/{path}"
    return Answer.of(
        [{"self": f"{root}/{one.id}", "id": one.id, "name": one.name, "description": ""} for one in values]
    )


@endpoint("GET", "priority")
def priorities(call: Call) -> Answer:
    return named(call, "priority", call.jira.site.priorities)


@endpoint("GET", "resolution")
def resolutions(call: Call) -> Answer:
    return named(call, "resolution", call.jira.site.resolutions)


@endpoint("GET", "status")
def statuses(call: Call) -> Answer:
    return Answer.of([call.view.status(status) for status in call.jira.site.statuses().values()])


@endpoint("GET", "issuetype")
def issue_types(call: Call) -> Answer:
    known = {kind.id: call.view.type(p, kind.name) for p in call.jira.site.projects.values() for kind in p.types}
    return Answer.of(list(known.values()))


@endpoint("GET", "project")
def projects(call: Call) -> Answer:
    seen = [p for p in call.jira.site.projects.values() if call.jira.site.may(call.user, p.key, "BROWSE_PROJECTS")]
    return Answer.of([call.view.project(project) for project in seen])


@endpoint("GET", "project/{}")
def project(call: Call, key: str) -> Answer:
    found = call.project(key)
    root = call.view.root
    return Answer.of(
        {
            **call.view.project(found),
            "issueTypes": [call.view.type(found, kind.name) for kind in found.types],
            "versions": [parts.version(call.view, found, one) for one in found.versions],
            "components": [parts.component(call.view, found, one) for one in found.components],
            "roles": {name: f"{root}/project/{found.id}/role/{at}" for at, name in enumerate(found.roles, 10002)},
        }
    )


@endpoint("GET", "project/{}/statuses")
def project_statuses(call: Call, key: str) -> Answer:
    """By issue type, in no order of the workflow that a client may rely on."""
    found = call.project(key)
    shown = [
        {
            "self": f"{call.view.root}/issuetype/{kind.id}",
            "id": kind.id,
            "name": kind.name,
            "subtask": False,
            "statuses": [call.view.status(status) for status in kind.workflow.statuses],
        }
        for kind in found.types
    ]
    return Answer.of(shown)


# -- what can be filled in when an issue is created


def creation_place(call: Call, key: str) -> Project:
    """The project to create in; where there is none the request is bad (v3 createmeta: 400), not its address."""
    try:
        return call.project(key)
    except Rejected as refusal:
        raise Rejected(400, refusal.messages) from None


@endpoint("GET", "issue/createmeta/{}/issuetypes")
def create_types(call: Call, key: str) -> Answer:
    found = creation_place(call, key)
    rows = [call.view.type(found, kind.name) for kind in creatable(call, found)]
    return paged(call, "issueTypes", rows)


@endpoint("GET", "issue/createmeta/{}/issuetypes/{}")
def create_fields(call: Call, key: str, type_id: str) -> Answer:
    found = creation_place(call, key)
    kind = next((kind for kind in creatable(call, found) if kind.id == type_id), None)
    if kind is None:
        raise Rejected(400, ["Issue type with id '" + type_id + "' is not available in the project."])
    return paged(call, "fields", call.view.creation(found, kind))


def creatable(call: Call, project: Project) -> tuple[IssueType, ...]:
    return project.types if call.jira.site.may(call.user, project.key, "CREATE_ISSUES") else ()


def paged(call: Call, name: str, rows: list[dict[str, Any]]) -> Answer:
    start, size = call.whole("startAt", 0), call.whole("maxResults", 50)
    if size > META_LIMIT:
        raise Rejected(400, [f"Parameter 'maxResults' must not exceed the limit '{META_LIMIT}'"])
    return Answer.of({"startAt": start, "maxResults": size, "total": len(rows), name: rows[start : start + size]})
