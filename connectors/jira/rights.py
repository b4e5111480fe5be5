"""What our account may do on the site and in a project (Jira REST API, "Get my permissions"; the keys are those of
Atlassian's page on permissions)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.base import Failure, Gone, Refused
from connectors.description import Right
from connectors.jira.client import Client
from mappings.model import Scope

#: key -> (what it is for, the purpose)
WANTED = {
    "BROWSE_PROJECTS": ("to see the issues", "work"),
    "CREATE_ISSUES": ("to open an issue", "create"),
    "EDIT_ISSUES": ("to keep fields in step, and for our label", "work"),
    "TRANSITION_ISSUES": ("to move an issue; without it Jira offers no transition at all", "work"),
    "ADD_COMMENTS": ("to copy comments", "comments"),
    "EDIT_OWN_COMMENTS": ("to bring edits to the copies of comments", "comments"),
    "LINK_ISSUES": ("for the link to the other items", "work"),
}
#: native field -> the key that writing it takes
FOR_FIELDS = {"assignee": "ASSIGN_ISSUES", "duedate": "SCHEDULE_ISSUES", "reporter": "MODIFY_REPORTER"}
TOO_MUCH = {
    "ADMINISTER": "it administers the whole site",
    "SYSTEM_ADMIN": "it administers the whole system",
    "ADMINISTER_PROJECTS": "it administers the project",
    "DELETE_ISSUES": "Lockstep deletes nothing",
    "DELETE_ALL_COMMENTS": "Lockstep deletes nothing",
    "EDIT_ALL_COMMENTS": "Lockstep leaves people's comments as they are",
}


def project_rights(client: Client, scope: Scope) -> Iterator[Right]:
    """Two calls: a Jira that does not know one of the keys refuses them all, so those that are too much are asked for
    by themselves."""
    wanted = WANTED | {key: (f"to write {name}", "work") for name, key in FOR_FIELDS.items() if name in scope.fields}
    where = f"project {scope.project}"
    grant = f"grant it to our account, or to a role that it is in, in the permission scheme of {scope.project}"
    told, because = permissions(client, scope.project, tuple(wanted))
    for key, (why, purpose) in wanted.items():
        yield Right(shown(key, told), held(key, told), why, True, purpose, where, scope.side, because, grant)
    told, because = permissions(client, scope.project, tuple(TOO_MUCH))
    for key, why in TOO_MUCH.items():
        if held(key, told) is not False:
            yield Right(shown(key, told), held(key, told), why, False, "safety", where, scope.side, because)


def permissions(client: Client, project: str, keys: Sequence[str]) -> tuple[Mapping[str, Any], str]:
    """What Jira tells of our permissions by key, and why it tells nothing of those that are missing there."""
    asked = {"projectKey": project, "permissions": ",".join(keys)}
    try:
        return client.get("mypermissions", asked, take=lambda answer: answer["permissions"]), "Jira does not tell of it"
    except (Refused, Gone) as failure:
        return {}, str(failure)


def held(key: str, told: Mapping[str, Any]) -> bool | None:
    return bool(told[key].get("havePermission")) if key in told else None


def shown(key: str, told: Mapping[str, Any]) -> str:
    """The key, and the name that the administrator sees."""
    name = told.get(key, {}).get("name")
    return f"{key} ({name})" if name else key


def channels(client: Client, project: str) -> dict[str, str | None] | None:
    """The channels of a project that not every project has, and why we cannot write to one: Jira refuses a comment that
    is restricted to a role or group which its author is not in, and shows internal comments to everyone outside of
    service projects. Four calls. ``None`` where roles cannot be listed."""
    try:
        roles = client.get(f"project/{project}/role", take=list)
        kind = client.get(f"project/{project}", take=lambda told: str(told.get("projectTypeKey")))
    except Failure:
        return None
    ours = our_roles(client, project)
    stranger = "our account is not in it, and Jira refuses a comment restricted to a role that its author is not in"
    desk = "" if kind == "service_desk" else f"{project} is no service project, so everyone there reads such a comment"
    found = {f"role:{name}": None if ours is None else "" if name in ours else stranger for name in roles}
    return {"internal": desk, **found, **{f"group:{name}": "" for name in groups(client)}}


def our_roles(client: Client, project: str) -> frozenset[str] | None:
    """``None`` where Jira does not tell (Data Center has no such resource)."""
    asked = {"currentMember": "true"}
    try:
        told: list[str] = client.get(
            f"project/{project}/roledetails", asked, take=lambda rows: [row["name"] for row in rows]
        )
    except Failure:
        return None
    return frozenset(told)


def groups(client: Client) -> list[str]:
    """The groups that our account is in."""
    told: list[str] = client.get(
        "myself",
        {"expand": "groups"},
        take=lambda me: [one["name"] for one in (me.get("groups") or {}).get("items") or ()],
    )
    return told
