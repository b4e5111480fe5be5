"""How the smaller things of a site look in an answer: what hangs on an issue, versions, components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.jira.attaching import spelled
from sandbox.jira.issues import Attachment, Issue, IssueLink, Worklog
from sandbox.jira.site import LinkType, Named, Project, Version

if TYPE_CHECKING:
    from sandbox.jira.shapes import View


def link_type(view: View, kind: LinkType) -> dict[str, str]:
    return {
        "id": kind.id,
        "name": kind.name,
        "inward": kind.inward,
        "outward": kind.outward,
        "self": f"{view.root}/issueLinkType/{kind.id}",
    }


def linked_issue(view: View, issue: Issue) -> dict[str, Any]:
    """The other end, with what lists show of it."""
    shown = ("summary", "status", "priority", "issuetype")
    return {
        "id": str(issue.id),
        "key": issue.key,
        "self": f"{view.root}/issue/{issue.id}",
        "fields": {name: view.value(issue, name) for name in shown},
    }


def issue_links(view: View, issue: Issue) -> list[dict[str, Any]]:
    """Each names its other end: ``outwardIssue`` where this one is the source. What the user may not see is left
    out."""
    return [
        {
            "id": str(link.id),
            "self": f"{view.root}/issueLink/{link.id}",
            "type": link_type(view, link.type),
            "outwardIssue" if link.source else "inwardIssue": linked_issue(view, other),
        }
        for link in issue.issue_links
        if (other := other_end(view, link)) is not None
    ]


def parent(view: View, issue: Issue) -> dict[str, Any] | None:
    """The issue above it, an epic's child and a sub-task alike (Jira Cloud REST API, "Get issue")."""
    above = view.store.issues.get(issue.parent) if view.store and issue.parent else None
    return linked_issue(view, above) if above is not None and above.visible(view.site, view.user) else None


def other_end(view: View, link: IssueLink) -> Issue | None:
    other = view.store.issues.get(link.other) if view.store else None
    return other if other is not None and other.visible(view.site, view.user) else None


def attachment(view: View, one: Attachment) -> dict[str, Any]:
    return {
        "self": f"{view.root}/attachment/{one.id}",
        "id": str(one.id),
        "filename": one.name,
        "author": view.account(one.author),
        "created": view.time(one.created),
        "size": len(one.content),
        "mimeType": one.kind,
        "content": f"{view.root}/attachment/content/{one.id}",
    }


def worklog(view: View, issue: Issue, one: Worklog) -> dict[str, Any]:
    shown = {
        "self": f"{view.root}/issue/{issue.id}/worklog/{one.id}",
        "author": view.account(one.author),
        "updateAuthor": view.account(one.editor),
        "created": view.time(one.created),
        "updated": view.time(one.updated),
        "started": view.time(one.started),
        "timeSpent": spelled(one.seconds),
        "timeSpentSeconds": one.seconds,
        "id": str(one.id),
        "issueId": str(issue.id),
    }
    return shown | ({"comment": view.text(one.text)} if one.text is not None else {})


def watchers(view: View, issue: Issue, named: bool) -> dict[str, Any]:
    """``named``: with the accounts, of which one without the right to see watchers sees their own only."""
    me = view.user.account_id if view.user else ""
    shown: dict[str, Any] = {
        "self": f"{view.root}/issue/{issue.key}/watchers",
        "watchCount": len(issue.watchers),
        "isWatching": me in issue.watchers,
    }
    if named:
        all_seen = view.site.may(view.user, issue.project, "VIEW_VOTERS_AND_WATCHERS")
        shown["watchers"] = [view.account(one) for one in issue.watchers if all_seen or one == me]
    return shown


def version(view: View, project: Project, one: Version) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "self": f"{view.root}/version/{one.id}",
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "archived": one.archived,
        "released": one.released,
        "projectId": int(project.id),
    }
    return shown | ({"releaseDate": one.released_on} if one.released_on else {})


def component(view: View, project: Project, one: Named) -> dict[str, Any]:
    return {
        "self": f"{view.root}/component/{one.id}",
        "id": one.id,
        "name": one.name,
        "assigneeType": "PROJECT_DEFAULT",
        "realAssigneeType": "PROJECT_DEFAULT",
        "isAssigneeTypeValid": False,
        "project": project.key,
        "projectId": int(project.id),
    }
