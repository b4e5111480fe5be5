"""Searching (Jira Cloud REST API: "Issue search")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.jira import beans
from sandbox.jira.api import Call, endpoint
from sandbox.jira.refusals import Rejected
from sandbox.jira.search import RECONCILE_LIMIT, Search
from sandbox.jira.switches import Switches
from sandbox.wire import Answer

SIZE, LARGEST, PROPERTY_KEYS = 50, 5000, 5
_KNOWN = frozenset(
    ["expand", "fields", "fieldsByKeys", "jql", "maxResults", "nextPageToken", "properties", "reconcileIssues"]
)
#: begins the token that leads to an empty page between two others
BETWEEN = "between."
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
    "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


@endpoint("GET", "search")
@endpoint("POST", "search")
def removed(call: Call) -> Answer:
    return Answer.of({"errorMessages": [REMOVED], "errors": {}}, 410)


@endpoint("POST", "search/jql", beans.SEARCH)
def post(call: Call) -> Answer:
    body = call.object()
    unknown = sorted(body.keys() - _KNOWN)
    if unknown:
        raise Rejected(400, [f'Invalid request payload. Unrecognized field "{unknown[0]}".'])
    return found(call, body)


@endpoint("GET", "search/jql")
def get(call: Call) -> Answer:
    query = call.request
    return found(
        call,
        {
            "jql": query.one("jql"),
            "fields": call.names("fields"),
            "maxResults": call.whole("maxResults", SIZE),
            "nextPageToken": query.one("nextPageToken") or None,
            "expand": query.one("expand"),
            "properties": call.names("properties"),
            "reconcileIssues": call.wholes("reconcileIssues"),
        },
    )


def found(call: Call, asked: dict[str, Any]) -> Answer:
    """A page. The anonymous see nothing, and are not told so. Without ``fields`` ids alone are shown."""
    fields = asked.get("fields") or ["id"]
    reconcile = asked.get("reconcileIssues") or []
    properties = asked.get("properties") or []
    size = SIZE if asked.get("maxResults") is None else asked["maxResults"]
    if len(reconcile) > RECONCILE_LIMIT:
        raise Rejected(400, [f"The maximum number of issues to reconcile is {RECONCILE_LIMIT}."])
    if len(properties) > PROPERTY_KEYS:
        raise Rejected(400, [f"The maximum number of properties is {PROPERTY_KEYS}."])
    if not 1 <= size <= LARGEST:
        # recorded: jenkinsci/jira-plugin #646
        raise Rejected(400, [f"The max results parameter has to be between 1 and {LARGEST:,}."])
    if call.user is None:
        return Answer.of({"issues": [], "isLast": True})
    most = LARGEST if set(fields) <= {"id", "key"} else call.jira.page_limit
    search = Search(call.jira.site, call.store, call.user, call.jira.clock.now())
    token = asked.get("nextPageToken")
    if token and token.startswith(BETWEEN):
        return Answer.of({"issues": [], "isLast": False, "nextPageToken": token.removeprefix(BETWEEN)})
    page = search.page(asked.get("jql") or "", min(size, most), token, reconcile)
    following = switched(call.jira.switches, token, page.token)
    view = replace(call.view, inline=call.jira.inline_comments)
    shown = [call.shown(view, issue, fields, asked.get("expand") or "", properties) for issue in page.issues]
    return Answer.of(
        {"issues": shown, "isLast": following is None} | ({"nextPageToken": following} if following else {})
    )


def switched(switches: Switches, asked: str | None, following: str | None) -> str | None:
    """The token of the next page, or what has been seen in its stead by clients: the same one again, or one of an
    empty page."""
    if switches.repeated_tokens and asked and following:
        return asked
    return BETWEEN + following if switches.empty_pages and following else following


@endpoint("POST", "search/approximate-count", beans.COUNT)
def count(call: Call) -> Answer:
    if call.user is None:
        return Answer.of({"count": 0})
    search = Search(call.jira.site, call.store, call.user, call.jira.clock.now())
    return Answer.of({"count": search.count(call.object().get("jql") or "")})
