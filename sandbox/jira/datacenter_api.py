"""What Data Center answers in its own way (REST API 10.3: "search", "issue", "serverInfo", "mypermissions")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.jira import beans
from sandbox.jira.api import Call
from sandbox.jira.api_rights import described, had, places
from sandbox.jira.datacenter_door import ServerCall, server_endpoint
from sandbox.jira.datacenter_search import ServerSearch
from sandbox.jira.issues import milliseconds
from sandbox.jira.permissions import PERMISSIONS
from sandbox.jira.properties import given
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import IssueType, Project
from sandbox.wire import Answer

SIZE = 50
_KNOWN = ("jql", "startAt", "maxResults", "fields", "expand", "validateQuery")
_BEAN = (
    'Unrecognized field "{}" (Class com.atlassian.jira.rest.v2.search.SearchRequestBean), not marked as ignorable\n at '
    "[Source: org.apache.catalina.connector.CoyoteInputStream@70faf7c7; line: 1, column: 2]"
)
GONE_BY = (
    "It seems that you have tried to perform a workflow operation ({}) that is not valid for the current state of this "
    "issue ({}). The likely cause is that somebody has changed the issue recently, please look at the issue history "
    "for details."
)


# -- searching


@server_endpoint("POST", "search", beans.SERVER_SEARCH)
def post_search(call: ServerCall) -> Answer:
    body = call.object()
    unknown = [name for name in body if name not in _KNOWN]
    if unknown:
        return Answer.of({"errorMessages": [_BEAN.format(unknown[0])]}, 400)
    return found(call, body)


@server_endpoint("GET", "search")
def get_search(call: ServerCall) -> Answer:
    asked = {
        "jql": call.request.one("jql"),
        "startAt": call.whole("startAt", 0),
        "maxResults": call.whole("maxResults", SIZE),
        "fields": call.names("fields"),
        "expand": call.names("expand"),
        "validateQuery": call.request.one("validateQuery", "true").lower() != "false",
    }
    return found(call, asked)


def found(call: ServerCall, asked: dict[str, Any]) -> Answer:
    """A page by offset, and how many there are. The site's own most is taken where more is asked for."""
    start, size = max(0, asked.get("startAt") or 0), asked.get("maxResults", SIZE)
    size = min(SIZE if size is None else size, call.jira.page_limit)
    size = call.jira.page_limit if size < 0 else size
    shown: list[dict[str, Any]] = []
    total = 0
    if call.user is not None:
        ways = replace(call.jira.ways, validated=asked.get("validateQuery") is not False or call.jira.strict)
        search = ServerSearch(call.jira.site, call.jira.nodes, call.user, call.jira.clock.now(), ways)
        issues = search.all(asked.get("jql") or "")
        total = len(issues)
        view = replace(call.view, inline=call.jira.inline_comments)
        fields, expand = asked.get("fields") or ["*navigable"], ",".join(asked.get("expand") or ())
        shown = [call.shown(view, call.jira.shown(issue), fields, expand) for issue in issues[start : start + size]]
    return Answer.of({"expand": "schema,names", "startAt": start, "maxResults": size, "total": total, "issues": shown})


# -- issues


@server_endpoint("PUT", "issue/{}", beans.ISSUE)
def edit(call: ServerCall, id: str) -> Answer:
    """204, whatever else is asked for."""
    issue, user = call.issue(id), call.known_user()
    fields, update = call.fields(call.part("fields")), call.operations(call.part("update"))
    call.rules.edit(user, issue, fields, update, given(call.object()))
    return Answer(204)


@server_endpoint("PUT", "issue/{}/assignee", beans.ASSIGNEE)
def assign(call: ServerCall, id: str) -> Answer:
    """``-1`` is the project's default: here, nobody."""
    issue, user, login = call.issue(id), call.known_user(), call.object().get("name")
    nobody = login in (None, "", "-1")
    call.rules.assign(user, issue, None if nobody else call.named("assignee", login))
    return Answer(204)


@server_endpoint("POST", "issue/{}/transitions", beans.TRANSITION)
def transition(call: ServerCall, id: str) -> Answer:
    """A step that the workflow has but does not offer now is a 400; an unknown one is a 500."""
    issue, user = call.issue(id), call.known_user()
    wanted = str(call.part("transition").get("id", ""))
    steps = {step.id: step for step in call.rules.type_of(issue).workflow.transitions}
    if wanted not in steps:
        raise Rejected(500 if wanted else 400, ["Internal server error" if wanted else "Missing transition identifier"])
    if steps[wanted] not in call.rules.offered(user, issue):
        raise Rejected(400, [GONE_BY.format(steps[wanted].name, issue.key)])
    fields, update = call.fields(call.part("fields")), call.operations(call.part("update"))
    call.rules.transition(user, issue, wanted, fields, update)
    return Answer(204)


@server_endpoint("GET", "issue/createmeta/{}/issuetypes")
def create_types(call: ServerCall, key: str) -> Answer:
    found = creatable_in(call, key)
    return paged(call, [call.view.type(found, kind.name) for kind in types(call, found)])


@server_endpoint("GET", "issue/createmeta/{}/issuetypes/{}")
def create_fields(call: ServerCall, key: str, type_id: str) -> Answer:
    found = creatable_in(call, key)
    kind = next((kind for kind in types(call, found) if kind.id == type_id), None)
    return paged(call, call.view.creation(found, kind) if kind else [])


def creatable_in(call: ServerCall, key: str) -> Project:
    """400 where it does not exist or is hidden."""
    try:
        return call.project(key)
    except Rejected:
        raise Rejected(400, [f"No project could be found with key '{key}'."]) from None


def types(call: ServerCall, project: Project) -> tuple[IssueType, ...]:
    return project.types if call.jira.site.may(call.user, project.key, "CREATE_ISSUES") else ()


def paged(call: Call, rows: list[dict[str, Any]]) -> Answer:
    """The rows stand under ``values`` (recorded: pycontribs/jira #1699)."""
    start, size = call.whole("startAt", 0), call.whole("maxResults", SIZE)
    shown = {"maxResults": size, "startAt": start, "total": len(rows), "isLast": start + size >= len(rows)}
    return Answer.of({**shown, "values": rows[start : start + size]})


# -- the site


@server_endpoint("GET", "serverInfo")
def server_info(call: ServerCall) -> Answer:
    """For everyone; the time for those who are signed in."""
    numbers = [int(part) for part in call.jira.version.split(".")]
    shown = {
        "baseUrl": call.view.base,
        "version": call.jira.version,
        "versionNumbers": numbers,
        "deploymentType": "Server",
        "buildNumber": 10_030_024,
        "buildDate": "2025-11-03T00:00:00.000+0000",
        "databaseBuildNumber": 10_030_024,
        "scmInfo": "8d4d6d5b",
        "serverTitle": "Jira",
    }
    now = {"serverTime": call.view.time(milliseconds(call.jira.clock.now()))} if call.user else {}
    return Answer.of(shown | now)


@server_endpoint("GET", "mypermissions")
def my_permissions(call: ServerCall) -> Answer:
    """Every one, whichever are asked for."""
    call.known_user()
    projects = places(call)
    shown = {name: {**described(name), "havePermission": had(call, name, projects)} for name in PERMISSIONS}
    return Answer.of({"permissions": shown})
