"""Issues and what hangs on them (Jira Cloud REST API: "Issues", "Issue comments", "Issue remote links")."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import Issue, Remark, may_hear
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer

BULK_LIMIT, CHANGELOG_BULK_LIMIT, PROPERTY_LIMIT, PROPERTY_KEYS = 100, 1000, 32_768, 5


@endpoint("POST", "issue")
def create(call: Call) -> Answer:
    user, body = call.known_user(), call.object()
    properties = {one["key"]: one["value"] for one in body.get("properties") or ()}
    issue = call.rules.create(user, call.fields(call.part("fields")), call.fields(call.part("update")), properties)
    shown = call.view.issue(issue, ["id"])
    return Answer.of({"id": shown["id"], "key": issue.key, "self": shown["self"]}, 201)


@endpoint("GET", "issue/{}")
def get(call: Call, id: str) -> Answer:
    return shown(call, call.issue(id))


def shown(call: Call, issue: Issue) -> Answer:
    asked = call.names("fields") or ["*all"]
    return Answer.of(call.view.issue(issue, asked, call.request.one("expand"), call.names("properties")))


@endpoint("PUT", "issue/{}")
def edit(call: Call, id: str) -> Answer:
    """204, or with ``returnIssue=true`` 200 and the issue with every field."""
    issue = call.issue(id)
    issue = call.rules.edit(call.known_user(), issue, call.fields(call.part("fields")), call.part("update"))
    for one in call.object().get("properties") or ():
        call.rules.set_property(call.issue(id), one["key"], one["value"])
    if call.request.one("returnIssue").lower() != "true":
        return Answer(204)
    return Answer.of(call.view.issue(issue, ["*all"], call.request.one("expand")))


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


@endpoint("POST", "issue/bulkfetch")
def bulk_fetch(call: Call) -> Answer:
    """At most 100, in ascending order of id. What is missing or hidden is in neither list; ``issueErrors`` names what
    could not be fetched this time."""
    body = call.object()
    asked = [str(one) for one in body.get("issueIdsOrKeys") or ()]
    if not asked or len(asked) > BULK_LIMIT:
        raise Rejected(400, [f"The number of issue IDs or keys must be between 1 and {BULK_LIMIT}."])
    found = {issue.id: issue for one in asked if (issue := call.store.find(one)) is not None}
    seen = [issue for _, issue in sorted(found.items()) if issue.visible(call.jira.site, call.user)]
    failing = [issue for issue in seen if str(issue.id) in call.jira.unfetched]
    view = replace(call.view, inline=call.jira.inline_comments)
    fields, expand = body.get("fields") or ["*navigable"], " ".join(body.get("expand") or ())
    properties = (body.get("properties") or [])[:PROPERTY_KEYS]
    return Answer.of(
        {
            "expand": "schema,names",
            "issueErrors": [
                {"id": str(issue.id), "errorMessage": "The issue could not be fetched. Try again."} for issue in failing
            ],
            "issues": [view.issue(issue, fields, expand, properties) for issue in seen if issue not in failing],
        }
    )


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


@endpoint("POST", "issue/{}/transitions")
def transition(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    wanted = str(call.part("transition").get("id", ""))
    if not wanted:
        raise Rejected(400, ["Missing 'transition' identifier"])
    call.rules.transition(call.known_user(), issue, wanted, call.fields(call.part("fields")), call.part("update"))
    return Answer(204)


# -- comments


def heard(call: Call, issue: Issue, id: str) -> Remark:
    found = next((one for one in issue.remarks if str(one.id) == id), None)
    if found is None or not may_hear(call.jira.site, issue.project, call.user, found.visibility):
        raise Rejected(404, [f"Can not find a comment for the id: {id}."])
    return found


@endpoint("GET", "issue/{}/comment")
def comments(call: Call, id: str) -> Answer:
    """Oldest first, in pages of at most 5,000; only what the user may read is counted."""
    issue = call.issue(id)
    order = call.request.one("orderBy", "created")
    if order.lstrip("+- ") != "created":
        raise Rejected(400, ["The 'orderBy' parameter must be 'created', '-created' or '+created'."])
    found = list(issue.heard(call.jira.site, call.user))
    if order.startswith("-"):
        found.reverse()
    start, size = call.whole("startAt", 0), min(call.whole("maxResults", 100), 5000)
    page = [call.view.comment(issue, one, call.request.one("expand")) for one in found[start : start + size]]
    return Answer.of({"startAt": start, "maxResults": size, "total": len(found), "comments": page})


@endpoint("POST", "issue/{}/comment")
def comment(call: Call, id: str) -> Answer:
    issue, body = call.issue(id), dict(call.object())
    body["body"] = call.document("comment", body.get("body"))
    issue, remark = call.rules.comment(call.known_user(), issue, body)
    return Answer.of(call.view.comment(issue, remark), 201)


@endpoint("GET", "issue/{}/comment/{}")
def one_comment(call: Call, id: str, comment_id: str) -> Answer:
    issue = call.issue(id)
    return Answer.of(call.view.comment(issue, heard(call, issue, comment_id), call.request.one("expand")))


@endpoint("PUT", "issue/{}/comment/{}")
def reword(call: Call, id: str, comment_id: str) -> Answer:
    issue, body = call.issue(id), dict(call.object())
    if "body" in body:
        body["body"] = call.document("comment", body["body"])
    issue, remark = call.rules.reword(call.known_user(), issue, heard(call, issue, comment_id), body)
    return Answer.of(call.view.comment(issue, remark))


@endpoint("DELETE", "issue/{}/comment/{}")
def unsay(call: Call, id: str, comment_id: str) -> Answer:
    issue = call.issue(id)
    call.rules.unsay(call.known_user(), issue, heard(call, issue, comment_id))
    return Answer(204)


# -- history


@endpoint("GET", "issue/{}/changelog")
def changelog(call: Call, id: str) -> Answer:
    """Oldest first."""
    issue = call.issue(id)
    start, size = call.whole("startAt", 0), min(call.whole("maxResults", 100), 100)
    page = issue.changes[start : start + size]
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


@endpoint("POST", "changelog/bulkfetch")
def changelogs(call: Call) -> Answer:
    """At most 1,000 issues and ten fields; times here are in epoch milliseconds."""
    body = call.object()
    asked = [str(one) for one in body.get("issueIdsOrKeys") or ()]
    wanted = set(body.get("fieldIds") or ())
    if not asked or len(asked) > CHANGELOG_BULK_LIMIT or len(wanted) > 10:
        raise Rejected(400, [f"Between 1 and {CHANGELOG_BULK_LIMIT} issues and at most 10 fields may be asked for."])
    found = {issue.id: issue for one in asked if (issue := call.store.find(one)) is not None}
    entries = [
        (issue.id, change)
        for _, issue in sorted(found.items())
        if issue.visible(call.jira.site, call.user)
        for change in issue.changes
        if not wanted or wanted & {item.field for item in change.items}
    ]
    size, token = min(int(body.get("maxResults") or 1000), 10_000), body.get("nextPageToken")
    start = int(token) if token else 0
    logs: dict[int, list[dict[str, Any]]] = {}
    for id, change in entries[start : start + size]:
        logs.setdefault(id, []).append({**call.view.change(change), "created": change.at})
    answer: dict[str, Any] = {
        "issueChangeLogs": [{"issueId": str(id), "changeHistories": rows} for id, rows in logs.items()]
    }
    if start + size < len(entries):
        answer["nextPageToken"] = str(start + size)
    return Answer.of(answer)


# -- properties


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
    call.known_user()
    if len(key) > 255 or len(json.dumps(call.body)) > PROPERTY_LIMIT:
        raise Rejected(400, [f"The maximum length of a property value is {PROPERTY_LIMIT} and of its key 255."])
    return Answer.of({}, 201 if call.rules.set_property(call.issue(id), key, call.body) else 200)


@endpoint("DELETE", "issue/{}/properties/{}")
def delete_property(call: Call, id: str, key: str) -> Answer:
    get_property(call, id, key)
    call.rules.unset_property(call.issue(id), key)
    return Answer(204)


# -- remote links


@endpoint("GET", "issue/{}/remotelink")
def links(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    shown = [call.view.link(issue, link) for link in issue.links]
    wanted = call.request.one("globalId")
    if not wanted:
        return Answer.of(shown)
    found = [link for link in shown if link.get("globalId") == wanted]
    if not found:
        raise Rejected(404, [f"A remote link with the globalId '{wanted}' does not exist."])
    return Answer.of(found[0])


@endpoint("POST", "issue/{}/remotelink")
def link(call: Call, id: str) -> Answer:
    """201 for a new link; 200 where the global id was there and its link is replaced."""
    issue, body, target = call.issue(id), call.object(), call.part("object")
    errors = {name: f"'{name}' is required." for name in ("title", "url") if not target.get(name)}
    global_id = body.get("globalId") or ""
    if len(global_id) > 255:
        errors["globalId"] = "'globalId' must be less than 255 characters."
    if errors:
        raise Rejected(400, errors=errors)
    made, new = call.rules.link(call.known_user(), issue, global_id, body.get("relationship"), target)
    return Answer.of(
        {"id": made.id, "self": f"{call.view.root}/issue/{issue.id}/remotelink/{made.id}"}, 201 if new else 200
    )
