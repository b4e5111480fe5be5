"""Issues, their workflow and their history (Jira Cloud REST API: "Issues")."""

from __future__ import annotations

from sandbox.jira import beans
from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import Issue
from sandbox.jira.properties import given
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer


@endpoint("POST", "issue", beans.ISSUE)
def create(call: Call) -> Answer:
    user, body = call.known_user(), call.object()
    fields, update = call.fields(call.part("fields")), call.operations(call.part("update"))
    issue = call.rules.create(user, fields, update, given(body))
    shown = call.view.issue(issue, ["id"])
    return Answer.of({"id": shown["id"], "key": issue.key, "self": shown["self"]}, 201)


@endpoint("GET", "issue/{}")
def get(call: Call, id: str) -> Answer:
    return shown(call, call.issue(id))


def shown(call: Call, issue: Issue) -> Answer:
    asked = call.names("fields") or ["*all"]
    return Answer.of(call.shown(call.view, issue, asked, call.request.one("expand"), call.names("properties")))


@endpoint("PUT", "issue/{}", beans.ISSUE)
def edit(call: Call, id: str) -> Answer:
    """204, or with ``returnIssue=true`` 200 and the issue with every field."""
    issue, user = call.issue(id), call.known_user()
    may_be_quiet(call, issue)
    fields, update = call.fields(call.part("fields")), call.operations(call.part("update"))
    issue = call.rules.edit(user, issue, fields, update, given(call.object()))
    if call.request.one("returnIssue").lower() != "true":
        return Answer(204)
    return Answer.of(call.view.issue(issue, ["*all"], call.request.one("expand")))


def may_be_quiet(call: Call, issue: Issue) -> None:
    """Only administrators may keep watchers from being told (Jira Cloud REST API, "Edit issue")."""
    quiet = call.request.one("notifyUsers", "true").lower() == "false"
    site, user = call.jira.site, call.user
    administers = site.may(user, issue.project, "ADMINISTER_PROJECTS") or site.globally(user, "ADMINISTER")
    if quiet and not administers and site.switches.quiet_refused:
        raise Rejected(
            403, ["To discard the user notification either admin or project admin permissions are required."]
        )


@endpoint("PUT", "issue/{}/assignee", beans.ASSIGNEE)
def assign(call: Call, id: str) -> Answer:
    """With the right to assign; the right to edit is not needed. ``-1`` is the project's default: here, nobody."""
    issue, user, body = call.issue(id), call.known_user(), call.object()
    if "accountId" not in body:
        raise Rejected(400, ["'accountId' must be the only user identifier in the request."])
    call.rules.assign(user, issue, None if body["accountId"] == "-1" else body["accountId"])
    return Answer(204)


@endpoint("DELETE", "issue/{}")
def delete(call: Call, id: str) -> Answer:
    call.rules.delete(call.known_user(), call.issue(id))
    return Answer(204)


@endpoint("GET", "issue/{}/editmeta")
def edit_meta(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    project = call.jira.site.projects[issue.project]
    required = ("summary", *call.rules.type_of(issue).required)
    names = call.rules.editable(call.known_user(), issue)
    return Answer.of({"fields": {name: call.view.field_meta(project, name, name in required) for name in names}})


# -- workflow


@endpoint("GET", "issue/{}/transitions")
def transitions(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    with_fields = "transitions.fields" in call.request.one("expand")
    offered = call.rules.offered(call.known_user(), issue)
    wanted = call.request.one("transitionId")
    return Answer.of(
        {
            "expand": "transitions",
            "transitions": [
                call.view.transition(issue, step, with_fields) for step in offered if wanted in ("", step.id)
            ],
        }
    )


@endpoint("POST", "issue/{}/transitions", beans.TRANSITION)
def transition(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    wanted = str(call.part("transition").get("id", ""))
    if not wanted:
        raise Rejected(400, ["Missing 'transition' identifier"])
    fields, update = call.fields(call.part("fields")), call.operations(call.part("update"))
    call.rules.transition(call.known_user(), issue, wanted, fields, update)
    return Answer(204)


# -- history


@endpoint("GET", "issue/{}/changelog")
def changelog(call: Call, id: str) -> Answer:
    """Oldest first, unless switched."""
    issue = call.issue(id)
    start, size = call.whole("startAt", 0), min(call.whole("maxResults", 100), 100)
    page = (issue.changes[::-1] if call.jira.switches.changelog_newest_first else issue.changes)[start : start + size]
    return Answer.of(
        {
            "self": f"{call.view.root}/issue/{issue.id}/changelog?maxResults={size}&startAt={start}",
            "maxResults": size,
            "startAt": start,
            "total": len(issue.changes),
            "isLast": start + size >= len(issue.changes),
            "values": [call.view.change(change) for change in page],
        }
    )


@endpoint("POST", "issue/{}/changelog/list", beans.CHANGELOG_IDS)
def some_changes(call: Call, id: str) -> Answer:
    """Entries by their ids; those the issue has not are left out."""
    issue, wanted = call.issue(id), set(call.object().get("changelogIds") or ())
    found = [call.view.change(change) for change in issue.changes if change.id in wanted]
    return Answer.of({"startAt": 0, "maxResults": len(found), "total": len(found), "histories": found})
