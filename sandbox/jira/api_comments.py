"""What is said on issues (Jira Cloud REST API: "Issue comments", "Issue comment properties")."""

from __future__ import annotations

from sandbox.jira import beans
from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import Issue, Remark, may_hear
from sandbox.jira.properties import sized
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer

COMMENT_IDS = 1000


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


@endpoint("POST", "issue/{}/comment", beans.COMMENT)
def comment(call: Call, id: str) -> Answer:
    issue, body = call.issue(id), dict(call.object())
    body["body"] = call.document("comment", body.get("body"))
    issue, remark = call.rules.comment(call.known_user(), issue, body)
    return Answer.of(call.view.comment(issue, remark), 201)


@endpoint("GET", "issue/{}/comment/{}")
def one_comment(call: Call, id: str, comment_id: str) -> Answer:
    issue = call.issue(id)
    return Answer.of(call.view.comment(issue, heard(call, issue, comment_id), call.request.one("expand")))


@endpoint("PUT", "issue/{}/comment/{}", beans.COMMENT)
def reword(call: Call, id: str, comment_id: str) -> Answer:
    issue, body = call.issue(id), dict(call.object())
    if "body" in body:
        body["body"] = call.document("comment", body["body"])
    issue, remark = call.rules.reword(call.known_user(), issue, heard(call, issue, comment_id), body)
    return Answer.of(call.view.comment(issue, remark))


@endpoint("DELETE", "issue/{}/comment/{}")
def unsay(call: Call, id: str, comment_id: str) -> Answer:
    if call.user is None:
        raise Rejected(405, ["Anonymous calls cannot delete comments."])
    issue = call.issue(id)
    call.rules.unsay(call.user, issue, heard(call, issue, comment_id))
    return Answer(204)


@endpoint("POST", "comment/list", beans.IDS)
def some_comments(call: Call) -> Answer:
    """By id, whatever issue they are on; what may not be read is left out."""
    ids = call.object().get("ids") or []
    if not 0 < len(ids) <= COMMENT_IDS:
        raise Rejected(400, [f"Between 1 and {COMMENT_IDS} comment ids must be given."])
    expand = call.request.one("expand")
    found = [call.view.comment(*pair, expand) for id in sorted(set(ids)) if (pair := heard_of(call, str(id)))]
    return Answer.of({"startAt": 0, "maxResults": COMMENT_IDS, "total": len(found), "isLast": True, "values": found})


def heard_of(call: Call, id: str) -> tuple[Issue, Remark] | None:
    """A comment that the user may read, with its issue."""
    issue = call.store.owner(id)
    if issue is None or not issue.visible(call.jira.site, call.user):
        return None
    return next(((issue, one) for one in issue.heard(call.jira.site, call.user) if str(one.id) == id), None)


def comment_of(call: Call, id: str) -> tuple[Issue, Remark]:
    found = heard_of(call, id)
    if found is None:
        raise Rejected(404, [f"Can not find a comment for the id: {id}."])
    return found


@endpoint("GET", "comment/{}/properties")
def comment_property_keys(call: Call, id: str) -> Answer:
    _, remark = comment_of(call, id)
    base = f"{call.view.root}/comment/{remark.id}/properties"
    return Answer.of({"keys": [{"self": f"{base}/{key}", "key": key} for key in remark.properties]})


@endpoint("GET", "comment/{}/properties/{}")
def comment_property(call: Call, id: str, key: str) -> Answer:
    _, remark = comment_of(call, id)
    if key not in remark.properties:
        raise Rejected(404, ["Property with key not found."])
    return Answer.of({"key": key, "value": remark.properties[key]})


@endpoint("PUT", "comment/{}/properties/{}")
def put_comment_property(call: Call, id: str, key: str) -> Answer:
    issue, remark = comment_of(call, id)
    sized(key, call.body)
    new = call.rules.set_comment_property(call.known_user(), issue, remark, key, call.body)
    return Answer.of({}, 201 if new else 200)
