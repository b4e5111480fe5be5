"""Links between issues and to other places (Jira Cloud REST API: "Issue links", "Issue link types", "Issue remote
links")."""

from __future__ import annotations

from typing import Any

from sandbox.jira import beans, parts
from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import Issue, IssueLink, RemoteLink
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import LinkType
from sandbox.wire import Answer

# -- between issues


@endpoint("GET", "issueLinkType")
def link_types(call: Call) -> Answer:
    return Answer.of({"issueLinkTypes": [parts.link_type(call.view, kind) for kind in call.jira.site.link_types]})


@endpoint("POST", "issueLink", beans.LINK)
def tie(call: Call) -> Answer:
    """ "A blocks B" names A as ``inwardIssue``. 201 without a body, also where the link is there already; a comment
    goes to the outward issue, and where it is refused there is no link either."""
    user, kind = call.known_user(), wanted_type(call)
    inward, outward = (call.issue(reference(call.part(name), name)) for name in ("inwardIssue", "outwardIssue"))
    if call.object().get("comment"):
        body = dict(call.part("comment"))
        body["body"] = call.document("comment", body.get("body"))
        call.rules.comment(user, outward, body)
        outward = call.issue(str(outward.id))
    ends = (inward, outward) if call.jira.switches.inward_is_source else (outward, inward)
    call.jira.linking.tie(user, kind, *ends)
    return Answer(201)


def wanted_type(call: Call) -> LinkType:
    named = call.part("type")
    by, wanted = ("id", str(named["id"])) if "id" in named else ("name", str(named.get("name", "")))
    found = next((kind for kind in call.jira.site.link_types if getattr(kind, by).lower() == wanted.lower()), None)
    if found is None:
        raise Rejected(404, [f"No issue link type with {by} '{wanted}' found."])
    return found


def reference(body: dict[str, Any], name: str) -> str:
    found = str(body.get("id") or body.get("key") or "")
    if not found:
        raise Rejected(400, [f"'{name}' must name an issue by id or key."])
    return found


@endpoint("GET", "issueLink/{}")
def one_link(call: Call, id: str) -> Answer:
    link, (source, target) = tied(call, id)
    return Answer.of(
        {
            "id": str(link.id),
            "self": f"{call.view.root}/issueLink/{link.id}",
            "type": parts.link_type(call.view, link.type),
            "inwardIssue": parts.linked_issue(call.view, source),
            "outwardIssue": parts.linked_issue(call.view, target),
        }
    )


@endpoint("DELETE", "issueLink/{}")
def untie(call: Call, id: str) -> Answer:
    user = call.known_user()
    link, ends = tied(call, id)
    call.jira.linking.untie(user, link, ends)
    return Answer(204)


def tied(call: Call, id: str) -> tuple[IssueLink, tuple[Issue, Issue]]:
    """A link of which the user sees both ends."""
    if not (id.isascii() and id.isdigit()):
        raise Rejected(400, [f"The issue link id '{id}' is not valid."])
    found = call.jira.linking.ends(int(id))
    if found is None or not all(issue.visible(call.jira.site, call.user) for issue in found[1]):
        raise Rejected(404, [f"No issue link with id '{id}' exists."])
    return found


# -- to other places


@endpoint("GET", "issue/{}/remotelink")
def links(call: Call, id: str) -> Answer:
    issue = call.issue(id)
    wanted = call.request.one("globalId")
    if not wanted:
        return Answer.of([call.view.link(issue, link) for link in issue.links])
    return Answer.of(call.view.link(issue, by_global_id(issue, wanted)))


@endpoint("POST", "issue/{}/remotelink", beans.REMOTE_LINK)
def point(call: Call, id: str) -> Answer:
    """201 for a new link; 200 where the global id was there and its link is replaced."""
    issue = call.issue(id)
    checked(call)
    made, new = call.jira.linking.point(call.known_user(), issue, call.object())
    shown = {"id": made.id, "self": f"{call.view.root}/issue/{issue.id}/remotelink/{made.id}"}
    return Answer.of(shown, 201 if new else 200)


@endpoint("DELETE", "issue/{}/remotelink")
def unpoint_global(call: Call, id: str) -> Answer:
    issue, wanted = call.issue(id), call.request.one("globalId")
    if not wanted:
        raise Rejected(400, errors={"globalId": "'globalId' is required."})
    call.jira.linking.unpoint(call.known_user(), issue, by_global_id(issue, wanted))
    return Answer(204)


@endpoint("GET", "issue/{}/remotelink/{}")
def one_remote(call: Call, id: str, link_id: str) -> Answer:
    issue = call.issue(id)
    return Answer.of(call.view.link(issue, by_id(issue, link_id)))


@endpoint("PUT", "issue/{}/remotelink/{}", beans.REMOTE_LINK)
def repoint(call: Call, id: str, link_id: str) -> Answer:
    """What the body leaves out is emptied."""
    issue = call.issue(id)
    checked(call)
    call.jira.linking.point(call.known_user(), issue, call.object(), by_id(issue, link_id).id)
    return Answer(204)


@endpoint("DELETE", "issue/{}/remotelink/{}")
def unpoint(call: Call, id: str, link_id: str) -> Answer:
    issue = call.issue(id)
    call.jira.linking.unpoint(call.known_user(), issue, by_id(issue, link_id))
    return Answer(204)


def checked(call: Call) -> None:
    target = call.part("object")
    errors = {name: f"'{name}' is required." for name in ("title", "url") if not target.get(name)}
    if len(call.object().get("globalId") or "") > 255:
        errors["globalId"] = "'globalId' must be less than 255 characters."
    if errors:
        raise Rejected(400, errors=errors)


def by_global_id(issue: Issue, wanted: str) -> RemoteLink:
    found = next((link for link in issue.links if link.global_id == wanted), None)
    if found is None:
        raise Rejected(404, [f"A remote link with the globalId '{wanted}' does not exist."])
    return found


def by_id(issue: Issue, wanted: str) -> RemoteLink:
    found = next((link for link in issue.links if str(link.id) == wanted), None)
    if found is None:
        raise Rejected(404, [f"A remote link with the id '{wanted}' does not exist."])
    return found
