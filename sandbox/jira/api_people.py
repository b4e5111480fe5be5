"""Accounts, groups and watchers (Jira Cloud REST API: "Users", "User search", "Groups", "Issue watchers")."""

from __future__ import annotations

from typing import Any

from sandbox.jira import parts
from sandbox.jira.api import Call, endpoint
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import Project, User
from sandbox.wire import Answer

#: user searches look at no more than this many accounts, whatever the page
SEARCH_LIMIT = 1000
UNKNOWN = "Specified user does not exist or you do not have required permissions"


@endpoint("GET", "user")
def user(call: Call) -> Answer:
    account = call.request.one("accountId")
    may_browse_users(call)
    if account not in call.jira.site.users:
        raise Rejected(404, [UNKNOWN])
    return Answer.of(call.view.account(account))


def may_browse_users(call: Call) -> None:
    if not call.jira.site.globally(call.known_user(), "USER_PICKER"):
        raise Rejected(403, ["You do not have permission to browse users."])


@endpoint("GET", "user/search")
def user_search(call: Call) -> Answer:
    """By account id, or by the beginning of a word of the display name or of the e-mail address, in any case of
    letters. Empty without the right to browse users."""
    sought(call)
    if not call.jira.site.globally(call.user, "USER_PICKER"):
        return Answer.of([])
    found = [one for one in call.jira.site.users.values() if matches(call, one)][:SEARCH_LIMIT]
    start = call.whole("startAt", 0)
    return Answer.of([call.view.account(u.account_id) for u in found[start : start + call.whole("maxResults", 50)]])


@endpoint("GET", "user/assignable/search")
def assignable(call: Call) -> Answer:
    """The page is taken first and then what cannot be assigned is left out, so that pages come short."""
    call.known_user()
    sought(call, needed=False)
    project = assigned_in(call)
    start = call.whole("startAt", 0)
    page = list(call.jira.site.users.values())[:SEARCH_LIMIT][start : start + call.whole("maxResults", 50)]
    found = [one for one in page if call.rules.assignable(project, one.account_id) and matches(call, one)]
    return Answer.of([call.view.account(one.account_id) for one in found])


def assigned_in(call: Call) -> Project:
    issue = call.request.one("issueKey") or call.request.one("issueId")
    if issue:
        return call.jira.site.projects[call.issue(issue).project]
    project = call.request.one("project")
    if not project:
        raise Rejected(400, ["One of 'project', 'issueKey' and 'issueId' is required."])
    return call.project(project)


def sought(call: Call, needed: bool = True) -> None:
    """Either ``query`` or ``accountId``, never both."""
    given = [name for name in ("query", "accountId") if call.request.query.get(name)]
    if len(given) > 1 or (needed and not given):
        raise Rejected(400, ["Either the 'query' or the 'accountId' parameter must be given, and only one of them."])


def matches(call: Call, one: User) -> bool:
    account, query = call.request.one("accountId"), call.request.one("query").lower()
    if account:
        return one.account_id == account
    return begins(query, one.name, one.email if one.shows_email else "")


def begins(query: str, name: str, email: str) -> bool:
    lowered = name.lower()
    return lowered.startswith(query) or f" {query}" in f" {lowered}" or email.lower().startswith(query)


@endpoint("GET", "user/bulk")
def some_users(call: Call) -> Answer:
    """By account ids; those that are nobody's are left out."""
    call.known_user()
    asked = call.request.query.get("accountId", [])
    if not asked:
        raise Rejected(400, ["The 'accountId' query parameter is required."])
    found = [call.view.account(one) for one in dict.fromkeys(asked) if one in call.jira.site.users]
    return call.paged(found, size=10)


@endpoint("GET", "users/search")
@endpoint("GET", "users")
def all_users(call: Call) -> Answer:
    may_browse_users(call)
    start, size = call.whole("startAt", 0), min(call.whole("maxResults", 50), SEARCH_LIMIT)
    return Answer.of([call.view.account(one) for one in list(call.jira.site.users)[start : start + size]])


@endpoint("GET", "group/member")
def members(call: Call) -> Answer:
    may_browse_users(call)
    group = call.request.one("groupname") or call.request.one("groupId")
    found = [one.account_id for one in call.jira.site.users.values() if group in one.groups]
    if not found:
        raise Rejected(404, [f"The group named '{group}' does not exist."])
    return call.paged([call.view.account(one) for one in found], size=50)


# -- watchers


@endpoint("GET", "issue/{}/watchers")
def watchers(call: Call, id: str) -> Answer:
    return Answer.of(parts.watchers(call.view, call.issue(id), named=True))


@endpoint("POST", "issue/{}/watchers")
def watch(call: Call, id: str) -> Answer:
    """The body is an account id as a JSON text; without one the caller watches."""
    issue, me = call.issue(id), call.known_user()
    account = me.account_id if call.body is None else watcher(call, call.body)
    call.jira.attaching.watch(me, issue, account, watching=True)
    return Answer(204)


@endpoint("DELETE", "issue/{}/watchers")
def unwatch(call: Call, id: str) -> Answer:
    issue, me = call.issue(id), call.known_user()
    account = call.request.one("accountId")
    if not account:
        raise Rejected(400, ["The 'accountId' query parameter is required."])
    call.jira.attaching.watch(me, issue, watcher(call, account), watching=False)
    return Answer(204)


def watcher(call: Call, account: Any) -> str:
    if not isinstance(account, str):
        raise Rejected(400, ["The account id must be a text."])
    if account not in call.jira.site.users:
        raise Rejected(404, [UNKNOWN])
    return account
