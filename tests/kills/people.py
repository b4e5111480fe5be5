"""What people do in the three trackers, over the trackers' own APIs, each signed in as themselves; and what those APIs
show of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from sandbox.estate import SERVICENOW_PASSWORD

TRACKERS = ("servicenow", "jira", "azure")
#: people work on so many of the latest cases
OPEN = 4
COMMENTS = "api-version=7.1-preview.4"
PATCH = {"Content-Type": "application/json-patch+json"}


@dataclass
class Case:
    """One piece of work. ``words`` are the comments that people left on it, wherever; ``titles`` all that they gave it;
    ``ids`` its items by tracker, as far as they were seen."""

    name: str
    ids: dict[str, str]
    words: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


class People:
    """Sam in ServiceNow, Ana in Jira, Chen in Azure DevOps."""

    def __init__(self, urls: Mapping[str, str], people: Mapping[str, tuple[str, str]], draw: Random) -> None:
        self.urls, self.draw = urls, draw
        self.cases: list[Case] = []
        self.sessions = {name: signed_in(*people[name]) for name in TRACKERS}
        self.auditor = signed_in("lockstep", SERVICENOW_PASSWORD)  # a caller may not read the journal's table

    def ask(self, tracker: str, method: str, path: str, body: Any = None, **options: Any) -> Any:
        session = options.pop("session", self.sessions[tracker])
        reply = session.request(method, f"{self.urls[tracker]}{path}", json=body, timeout=30, **options)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    # ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def act(self) -> None:
        """One thing that somebody does: now and then a new case, else a comment or a new title somewhere."""
        if not self.cases or self.draw.random() < 0.2:
            self.report()
            return
        case = self.draw.choice(self.cases[-OPEN:])
        tracker = self.draw.choice([name for name in TRACKERS if self.item(case, name)])
        (self.speak if self.draw.random() < 0.75 else self.rename)(case, tracker)

    def long_ago(self) -> None:
        """On any real instance somebody has commented on something: without a row its journal counts as unreadable."""
        given = {"short_description": "long ago", "comments": "long said"}
        self.ask("servicenow", "POST", "/api/now/table/problem", given)

    def report(self) -> None:
        """An incident that becomes a defect and a PBI."""
        name = f"case-{len(self.cases):04d}"
        given = {"short_description": f"{name} fails", "description": f"{name}, as reported", "state": "In Progress"}
        given |= {"assignment_group": "API Support", "category": "software", "impact": "2", "urgency": "2"}
        params = {"sysparm_input_display_value": "true"}
        made = self.ask("servicenow", "POST", "/api/now/table/incident", given, params=params)
        self.cases.append(Case(name, {"servicenow": made["result"]["sys_id"]}, titles=[f"{name} fails"]))

    def speak(self, case: Case, tracker: str) -> None:
        word = f"word-{case.name}-{len(case.words):03d}."
        case.words.append(word)
        id = case.ids[tracker]
        match tracker:
            case "servicenow":
                self.ask(tracker, "PATCH", f"/api/now/table/incident/{id}", {"comments": word})
            case "jira":
                self.ask(tracker, "POST", f"/rest/api/2/issue/{id}/comment", {"body": word})
            case _:
                self.ask(tracker, "POST", f"/Portal/_apis/wit/workItems/{id}/comments?{COMMENTS}", {"text": word})

    def rename(self, case: Case, tracker: str) -> None:
        title = f"{case.name} fails, {len(case.titles)} times"
        case.titles.append(title)
        id = case.ids[tracker]
        match tracker:
            case "servicenow":
                self.ask(tracker, "PATCH", f"/api/now/table/incident/{id}", {"short_description": title})
            case "jira":
                self.ask(tracker, "PUT", f"/rest/api/2/issue/{id}", {"fields": {"summary": title}})
            case _:
                change = [{"op": "add", "path": "/fields/System.Title", "value": title}]
                self.ask(tracker, "PATCH", f"/_apis/wit/workitems/{id}?api-version=7.1", change, headers=PATCH)

    # ── what the trackers show ───────────────────────────────────────────────────────────────────────────────────

    def item(self, case: Case, tracker: str) -> str:
        """The item of a case in a tracker, if it is there by now."""
        if tracker not in case.ids:
            found = [id for id, text in self.descriptions(tracker).items() if case.name in text]
            case.ids |= {tracker: found[0]} if found else {}
        return case.ids.get(tracker, "")

    def descriptions(self, tracker: str) -> dict[str, str]:
        """The description of every item of a tracker, by id."""
        match tracker:
            case "servicenow":
                rows = self.rows("incident", "sys_id,description")
                return {row["sys_id"]: row["description"] for row in rows}
            case "jira":
                return {issue["id"]: issue["fields"]["description"] or "" for issue in self.defects()}
        return {id: fields.get("System.Description", "") for id, fields in self.work_items()}

    def defects(self) -> Iterator[dict[str, Any]]:
        """Every defect, page by page."""
        query: dict[str, Any] = {"jql": "project = CSPM order by id", "fields": ["description"], "maxResults": 100}
        while True:
            found = self.ask("jira", "POST", "/rest/api/2/search/jql", query)
            yield from found["issues"]
            if "nextPageToken" not in found:
                return
            query["nextPageToken"] = found["nextPageToken"]

    def work_items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every PBI's fields."""
        query = {"query": "SELECT [System.Id] FROM WorkItems ORDER BY [System.Id]"}
        ids = [one["id"] for one in self.ask("azure", "POST", "/_apis/wit/wiql?api-version=7.1", query)["workItems"]]
        for start in range(0, len(ids), 200):
            some = ",".join(map(str, ids[start : start + 200]))
            read = self.ask("azure", "GET", f"/_apis/wit/workitems?ids={some}&api-version=7.1")
            yield from ((str(one["id"]), one["fields"]) for one in read["value"])

    def rows(self, table: str, fields: str, query: str = "") -> list[dict[str, str]]:
        params = {"sysparm_fields": fields, "sysparm_query": query, "sysparm_limit": "10000"}
        path = f"/api/now/table/{table}"
        return list(self.ask("servicenow", "GET", path, params=params, session=self.auditor)["result"])

    def title(self, case: Case, tracker: str) -> str:
        id = case.ids[tracker]
        match tracker:
            case "servicenow":
                return self.rows("incident", "short_description", f"sys_id={id}")[0]["short_description"]
            case "jira":
                return str(self.ask("jira", "GET", f"/rest/api/2/issue/{id}?fields=summary")["fields"]["summary"])
        return str(self.ask("azure", "GET", f"/_apis/wit/workitems/{id}?api-version=7.1")["fields"]["System.Title"])

    def comments(self, case: Case, tracker: str) -> list[str]:
        """The text of every comment on an item."""
        id = case.ids[tracker]
        match tracker:
            case "servicenow":
                return [row["value"] for row in self.rows("sys_journal_field", "value", f"element_id={id}")]
            case "jira":
                found = self.ask("jira", "GET", f"/rest/api/2/issue/{id}/comment?maxResults=5000")
                return [one["body"].replace("\\", "") for one in found["comments"]]
        found = self.ask("azure", "GET", f"/Portal/_apis/wit/workItems/{id}/comments?{COMMENTS}&$top=200")
        assert not found.get("continuationToken"), "more comments than one page holds"
        return [one["text"] for one in found["comments"]]


def signed_in(user: str, password: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = (user, password)
    session.headers["Accept"] = "application/json"
    return session


# ── the checker ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Verdict:
    """What the trackers show. ``doubled``: what is there more often than once, which never mends; ``missing``: what may
    still be on its way."""

    doubled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    words: int = 0
    items: int = 0


def look(people: People) -> Verdict:
    """Every item of every case once, every word once on each of its items, one title everywhere."""
    verdict = Verdict()
    for tracker in TRACKERS:
        texts = people.descriptions(tracker).values()
        for case in people.cases:
            count(verdict, f"{case.name} in {tracker}", sum(case.name in text for text in texts))
            verdict.items += 1
    if not verdict.missing:
        for case in people.cases:
            look_at(people, case, verdict)
    return verdict


def look_at(people: People, case: Case, verdict: Verdict) -> None:
    ids = [people.item(case, tracker) for tracker in TRACKERS]
    assert all(ids), case
    for tracker in TRACKERS:
        there = Counter(word for text in people.comments(case, tracker) for word in case.words if word in text)
        for word in case.words:
            count(verdict, f"{word} of {case.name} in {tracker}", there[word])
            verdict.words += 1
    titles = {tracker: people.title(case, tracker) for tracker in TRACKERS}
    if len(set(titles.values())) > 1:
        verdict.missing.append(f"{case.name}: the titles differ: {titles}")
    if not set(titles.values()) <= set(case.titles):
        verdict.doubled.append(f"{case.name}: a title that nobody gave: {titles}")


def count(verdict: Verdict, what: str, times: int) -> None:
    if times > 1:
        verdict.doubled.append(f"{what}: {times} times")
    if times < 1:
        verdict.missing.append(f"{what}: not there")
