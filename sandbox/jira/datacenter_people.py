"""People and watchers in Data Center, by user name (REST API 10.3: "myself", "user", "issue/watchers")."""

from __future__ import annotations

from typing import Any

from sandbox.jira.api import Call
from sandbox.jira.api_people import assigned_in
from sandbox.jira.datacenter_door import ServerCall, server_endpoint
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import User
from sandbox.wire import Answer

SIZE, LARGEST = 50, 1000


@server_endpoint("GET", "myself")
def myself(call: ServerCall) -> Answer:
    if call.user is None:
        told = {"message": "Client must be authenticated to access this resource.", "status-code": 401}
        return Answer.of(told, 401)
    return Answer.of(described_user(call, call.user))


def described_user(call: Call, user: User) -> dict[str, Any]:
    named = [{"name": one, "self": f"{call.view.root}/group?groupname={one}"} for one in sorted(user.groups)]
    groups = {"size": len(named), "items": named if "groups" in call.request.one("expand") else []}
    return {**call.view.account(user.account_id), "locale": "en_US", "deleted": False, "groups": groups}


@server_endpoint("GET", "user")
def user(call: ServerCall) -> Answer:
    """By ``username`` or ``key``; there are no account ids (recorded: ahungry/org-jira #343)."""
    call.known_user()
    login, key = call.request.one("username"), call.request.one("key")
    if not login and not key:
        raise Rejected(404, ["Either the 'username' or the 'key' query parameters need to be provided"])
    sought = (one for one in call.jira.site.users.values() if login in (one.login, "") and key in (one.account_id, ""))
    found = next(sought, None)
    if found is None:
        raise Rejected(404, [f"The user named '{login or key}' does not exist"])
    return Answer.of(described_user(call, found))


@server_endpoint("GET", "user/search")
def user_search(call: ServerCall) -> Answer:
    """By the beginning of the user name, of a word of the full name or of the e-mail address."""
    call.known_user()
    query = call.request.one("username").lower()
    if not query:
        raise Rejected(400, ["The username query parameter was not provided"])
    return page(call, [one for one in call.jira.site.users.values() if begins(query, one)])


@server_endpoint("GET", "user/assignable/search")
def assignable(call: ServerCall) -> Answer:
    """Those who may be assigned in a project, or those of them that a name begins."""
    call.known_user()
    project, query = assigned_in(call), call.request.one("username").lower()
    people = (one for one in call.jira.site.users.values() if call.rules.assignable(project, one.account_id))
    return page(call, [one for one in people if begins(query, one)])


def page(call: Call, people: list[User]) -> Answer:
    start, size = call.whole("startAt", 0), min(call.whole("maxResults", SIZE), LARGEST)
    return Answer.of([call.view.account(one.account_id) for one in people[start : start + size]])


def begins(query: str, user: User) -> bool:
    """An empty query begins everything."""
    return any(text.lower().startswith(query) for text in (user.login, user.email, user.name, *user.name.split()))


@server_endpoint("POST", "issue/{}/watchers")
def watch(call: ServerCall, id: str) -> Answer:
    """The body is a user name as a JSON text; without one the caller watches."""
    issue, me = call.issue(id), call.known_user()
    account = me.account_id if call.body is None else call.named("watchers", call.body)
    call.jira.attaching.watch(me, issue, account, watching=True)
    return Answer(204)


@server_endpoint("DELETE", "issue/{}/watchers")
def unwatch(call: ServerCall, id: str) -> Answer:
    issue, me = call.issue(id), call.known_user()
    call.jira.attaching.watch(me, issue, call.named("watchers", call.request.one("username")), watching=False)
    return Answer(204)
