"""Hours (Jira Cloud REST API: "Issue worklogs")."""

from __future__ import annotations

from datetime import datetime

from sandbox.jira import beans, parts
from sandbox.jira.api import Call, endpoint
from sandbox.jira.attaching import seconds
from sandbox.jira.issues import Issue, Worklog, milliseconds
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer

PAGE, LIST_LIMIT = 5000, 1000


@endpoint("GET", "issue/{}/worklog")
def worklogs(call: Call, id: str) -> Answer:
    """Oldest first."""
    issue = call.issue(id)
    after, before = call.whole("startedAfter", 0), call.whole("startedBefore", 0)
    found = [one for one in issue.worklogs if one.started >= after and (not before or one.started < before)]
    start, size = call.whole("startAt", 0), min(call.whole("maxResults", PAGE), PAGE)
    page = [parts.worklog(call.view, issue, one) for one in found[start : start + size]]
    return Answer.of({"startAt": start, "maxResults": size, "total": len(found), "worklogs": page})


@endpoint("POST", "issue/{}/worklog", beans.WORKLOG)
def log(call: Call, id: str) -> Answer:
    """``timeSpentSeconds`` or ``timeSpent``; ``started`` as Jira writes times, now where it is left out."""
    issue, user, body = call.issue(id), call.known_user(), call.object()
    spent = body.get("timeSpentSeconds") or seconds(str(body.get("timeSpent", "")))
    if not isinstance(spent, int) or spent <= 0:
        raise Rejected(400, errors={"timeLogged": "Worklog must not be null."})
    text = call.document("comment", body.get("comment"))
    made = call.jira.attaching.log(user, issue, started(call, body.get("started")), spent, text)
    return Answer.of(parts.worklog(call.view, issue, made), 201)


def started(call: Call, text: str | None) -> int:
    if text is None:
        return milliseconds(call.jira.clock.now())
    try:
        return milliseconds(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z"))
    except ValueError:
        raise Rejected(400, errors={"started": "The time is not in the format yyyy-MM-dd'T'HH:mm:ss.SSSZ."}) from None


@endpoint("GET", "issue/{}/worklog/{}")
def one_worklog(call: Call, id: str, worklog_id: str) -> Answer:
    issue = call.issue(id)
    found = next((one for one in issue.worklogs if str(one.id) == worklog_id), None)
    if found is None:
        raise Rejected(404, [f"Cannot find worklog with id: '{worklog_id}'."])
    return Answer.of(parts.worklog(call.view, issue, found))


@endpoint("GET", "worklog/updated")
def updated(call: Call) -> Answer:
    """Ids by the time of their last change, in epoch milliseconds, a thousand a page."""
    since = call.whole("since", 0)
    rows = sorted((one.updated, one.id) for _, one in logged(call) if one.updated >= since)
    page = rows[:LIST_LIMIT]
    address = f"{call.view.root}/worklog/updated"
    answer = {
        "values": [{"worklogId": id, "updatedTime": at, "properties": []} for at, id in page],
        "since": since,
        "until": page[-1][0] if page else since,
        "self": f"{address}?since={since}",
        "lastPage": len(rows) <= LIST_LIMIT,
    }
    return Answer.of(answer if answer["lastPage"] else {**answer, "nextPage": f"{address}?since={answer['until']}"})


@endpoint("POST", "worklog/list", beans.IDS)
def some(call: Call) -> Answer:
    ids = call.object().get("ids") or []
    if not 0 < len(ids) <= LIST_LIMIT:
        raise Rejected(400, [f"Between 1 and {LIST_LIMIT} worklog ids must be given."])
    return Answer.of([parts.worklog(call.view, issue, one) for issue, one in logged(call) if one.id in set(ids)])


def logged(call: Call) -> list[tuple[Issue, Worklog]]:
    """Every worklog on an issue the user sees."""
    seen = (issue for issue in call.store.issues.values() if issue.visible(call.jira.site, call.user))
    return [(issue, one) for issue in seen for one in issue.worklogs]
