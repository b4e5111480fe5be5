"""Who may do what (Jira Cloud REST API: "Permissions")."""

from __future__ import annotations

from typing import Any

from sandbox.jira import beans
from sandbox.jira.api import Call, endpoint
from sandbox.jira.issues import Issue
from sandbox.jira.permissions import GLOBAL_PERMISSIONS, PERMISSIONS, PROJECT_PERMISSIONS
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import Project, User
from sandbox.wire import Answer


def described(name: str) -> dict[str, Any]:
    id, label = PERMISSIONS[name]
    kind = "GLOBAL" if name in GLOBAL_PERMISSIONS else "PROJECT"
    return {"id": str(id), "key": name, "name": label, "type": kind, "description": f"Ability to {label.lower()}."}


@endpoint("GET", "mypermissions")
def my_permissions(call: Call) -> Answer:
    """Those asked for, which must be named. Without a project or an issue a project permission is had if it is had
    anywhere."""
    asked = call.names("permissions")
    if not asked:
        raise Rejected(400, ["The 'permissions' query parameter is required."])
    recognised(asked, PERMISSIONS)
    projects = places(call)
    shown = {name: {**described(name), "havePermission": had(call, name, projects)} for name in asked}
    return Answer.of({"permissions": shown})


def recognised(names: list[str], known: dict[str, tuple[int, str]]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Rejected(400, errors=dict.fromkeys(unknown, "Unrecognized permission"))


def places(call: Call) -> list[Project]:
    """The projects a question is about; an issue stands for its project."""
    issue = call.request.one("issueKey") or call.request.one("issueId")
    if issue:
        return [call.jira.site.projects[call.issue(issue).project]]
    project = call.request.one("projectKey") or call.request.one("projectId")
    return [call.project(project)] if project else list(call.jira.site.projects.values())


def had(call: Call, name: str, projects: list[Project]) -> bool:
    if name in GLOBAL_PERMISSIONS:
        return call.jira.site.globally(call.user, name)
    return any(call.jira.site.may(call.user, project.key, name) for project in projects)


@endpoint("GET", "permissions")
def permissions(call: Call) -> Answer:
    """Every permission there is, whoever asks."""
    call.known_user()
    return Answer.of({"permissions": {name: described(name) for name in PERMISSIONS}})


@endpoint("POST", "permissions/check", beans.RIGHTS)
def check(call: Call) -> Answer:
    """Of the projects and issues asked about, those for which each permission is granted. About others only
    administrators may ask."""
    site, user, body = call.jira.site, call.known_user(), call.object()
    about = subject(call, user, body.get("accountId"))
    recognised(list(body.get("globalPermissions") or ()), GLOBAL_PERMISSIONS)
    granted: list[dict[str, Any]] = []
    for part in body.get("projectPermissions") or ():
        recognised(part.get("permissions") or [], PROJECT_PERMISSIONS)
        projects = [p for p in site.projects.values() if int(p.id) in (part.get("projects") or ())]
        asked = (call.store.issues.get(id) for id in part.get("issues") or ())
        issues = [issue for issue in asked if issue is not None and issue.visible(site, about)]
        granted += [granted_to(call, about, name, projects, issues) for name in part.get("permissions") or ()]
    globally = [name for name in body.get("globalPermissions") or () if site.globally(about, name)]
    return Answer.of({"globalPermissions": globally, "projectPermissions": granted})


def subject(call: Call, user: User, account: str | None) -> User:
    if account in (None, user.account_id):
        return user
    if not call.jira.site.globally(user, "ADMINISTER"):
        raise Rejected(403, ["Only Jira administrators can perform this operation."])
    if account not in call.jira.site.users:
        raise Rejected(400, [f"User '{account}' does not exist."])
    return call.jira.site.users[account]


def granted_to(call: Call, about: User, name: str, projects: list[Project], issues: list[Issue]) -> dict[str, Any]:
    may = call.jira.site.may
    return {
        "permission": name,
        "projects": [int(project.id) for project in projects if may(about, project.key, name)],
        "issues": [issue.id for issue in issues if may(about, issue.project, name)],
    }
