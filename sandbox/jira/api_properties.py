"""Properties of issues (Jira Cloud REST API: "Issue properties")."""

from __future__ import annotations

from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import Issue
from sandbox.jira.properties import sized
from sandbox.jira.refusals import Rejected, hidden
from sandbox.wire import Answer


@endpoint("GET", "issue/{}/properties")
def property_keys(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    base = f"{call.view.root}/issue/{issue.id}/properties"
    return Answer.of({"keys": [{"self": f"{base}/{key}", "key": key} for key in issue.properties]})


@endpoint("GET", "issue/{}/properties/{}")
def get_property(call: Call, id: str, key: str) -> Answer:
    issue = call.issue(id)
    if key not in issue.properties:
        raise Rejected(404, ["Property with key not found."])
    return Answer.of({"key": key, "value": issue.properties[key]})


@endpoint("PUT", "issue/{}/properties/{}")
def put_property(call: Call, id: str, key: str) -> Answer:
    sized(key, call.body)
    issue = call.issue(id)
    may_edit(call, issue)
    return Answer.of({}, 201 if call.rules.set_property(issue, key, call.body) else 200)


def may_edit(call: Call, issue: Issue) -> None:
    if issue.archived or not call.jira.site.may(call.known_user(), issue.project, "EDIT_ISSUES"):
        raise Rejected(403, ["You do not have permission to edit this issue."])


@endpoint("DELETE", "issue/{}/properties/{}")
def delete_property(call: Call, id: str, key: str) -> Answer:
    get_property(call, id, key)
    issue = call.issue(id)
    if issue.archived or not call.jira.site.may(call.user, issue.project, "EDIT_ISSUES"):
        raise hidden()
    call.rules.unset_property(issue, key)
    return Answer(204)
