"""Many issues in one call (Jira Cloud REST API: "Bulk create issue", "Bulk fetch issues", "Bulk fetch changelogs")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.jira import beans
from sandbox.jira.api import Call, endpoint
from sandbox.jira.properties import given
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer

CREATE_LIMIT, BULK_LIMIT, CHANGELOG_BULK_LIMIT, PROPERTY_KEYS = 50, 100, 1000, 5


@endpoint("POST", "issue/bulk", beans.ISSUES)
def create_many(call: Call) -> Answer:
    """201 where at least one is made, with the others' mistakes in ``errors`` by their place; 400 where none is."""
    user, asked = call.known_user(), call.object().get("issueUpdates") or []
    if not 0 < len(asked) <= CREATE_LIMIT:
        why = {"errorMessages": [f"Between 1 and {CREATE_LIMIT} issues may be created at once."], "errors": {}}
        error = {"status": 400, "elementErrors": why, "failedElementNumber": min(len(asked), CREATE_LIMIT)}
        return Answer.of({"issues": [], "errors": [error]}, 400)
    made: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for place, one in enumerate(asked):
        try:
            fields, update = call.fields(one.get("fields") or {}), call.operations(one.get("update") or {})
            issue = call.rules.create(user, fields, update, given(one))
        except Rejected as refusal:
            errors.append({"status": refusal.status, "elementErrors": refusal.body(), "failedElementNumber": place})
        else:
            made.append({"id": str(issue.id), "key": issue.key, "self": f"{call.view.root}/issue/{issue.id}"})
    return Answer.of({"issues": made, "errors": errors}, 201 if made else 400)


@endpoint("POST", "issue/bulkfetch", beans.BULK_FETCH)
def bulk_fetch(call: Call) -> Answer:
    """At most 100, in ascending order of id. What is missing or hidden is in neither list; ``issueErrors`` names what
    could not be fetched this time."""
    body = call.object()
    asked = [str(one) for one in body.get("issueIdsOrKeys") or ()]
    if not asked or len(asked) > BULK_LIMIT:
        raise Rejected(400, [f"The number of issue IDs or keys must be between 1 and {BULK_LIMIT}."])
    found = {issue.id: issue for one in asked if (issue := call.find(one)) is not None}
    seen = [issue for _, issue in sorted(found.items()) if issue.visible(call.jira.site, call.user)]
    failing = [issue for issue in seen if str(issue.id) in call.jira.unfetched]
    view = replace(call.view, inline=call.jira.inline_comments)
    fields, expand = body.get("fields") or ["*navigable"], " ".join(body.get("expand") or ())
    properties = (body.get("properties") or [])[:PROPERTY_KEYS]
    return Answer.of(
        {
            "issueErrors": [
                {"id": str(issue.id), "errorMessage": "The issue could not be fetched. Try again."} for issue in failing
            ],
            "issues": [view.issue(issue, fields, expand, properties) for issue in seen if issue not in failing],
        }
    )


@endpoint("POST", "changelog/bulkfetch", beans.CHANGELOGS)
def changelogs(call: Call) -> Answer:
    """At most 1,000 issues and ten fields; times here are in epoch milliseconds."""
    body = call.object()
    asked = [str(one) for one in body.get("issueIdsOrKeys") or ()]
    wanted = set(body.get("fieldIds") or ())
    if not asked or len(asked) > CHANGELOG_BULK_LIMIT or len(wanted) > 10:
        raise Rejected(400, [f"Between 1 and {CHANGELOG_BULK_LIMIT} issues and at most 10 fields may be asked for."])
    found = {issue.id: issue for one in asked if (issue := call.find(one)) is not None}
    entries = [
        (issue.id, change)
        for _, issue in sorted(found.items())
        if issue.visible(call.jira.site, call.user)
        for change in issue.changes
        if not wanted or wanted & {item.field for item in change.items}
    ]
    size, token = min(body.get("maxResults") or 1000, 10_000), body.get("nextPageToken")
    start = place_of(token) if token else 0
    logs: dict[int, list[dict[str, Any]]] = {}
    for id, change in entries[start : start + size]:
        logs.setdefault(id, []).append({**call.view.change(change), "created": change.at})
    answer: dict[str, Any] = {
        "issueChangeLogs": [{"issueId": str(id), "changeHistories": rows} for id, rows in logs.items()]
    }
    if start + size < len(entries):
        answer["nextPageToken"] = str(start + size)
    return Answer.of(answer)


def place_of(token: str) -> int:
    if not token.isascii() or not token.isdigit():
        raise Rejected(400, ["The provided nextPageToken is invalid."])
    return int(token)
