"""Jira Cloud and Data Center in a state in which every example's request finds something."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.jira import Jira
from sandbox.jira.datacenter import DataCenter
from sandbox.wire import Request
from tests.fidelity.exchanges import Exchange
from tests.fidelity.jira_requests import ADF, FILE, FIXTURES, REMOTE, REQUESTS
from tests.fidelity.scenes import Scene, Scenes, Sent, basic

CLOUD, DATA_CENTER = Scenes(), Scenes()
BY = "Ana Ruiz"


@dataclass
class Place:
    """A Jira with an issue that has one of everything; ``ids`` fill the templates of the requests below."""

    jira: Jira
    headers: dict[str, str]
    ids: dict[str, str]

    def send(self, method: str, path: str, body: Sent = None, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", **self.headers, **headers}
        lower = {name.lower().replace("_", "-"): value for name, value in sent.items()}
        answer = self.jira.handle(Request.of(method, path, lower, raw))
        assert answer.status < 300, (method, path, answer)
        return json.loads(answer.body) if answer.body else {}


@cache
def place(cloud: bool) -> Place:
    clock = SandboxClock(datetime(2026, 1, 5, 12, 0, tzinfo=UTC))
    jira = Jira("jira", clock) if cloud else DataCenter("jira", clock)
    account = ("ana@example.org", "ana-token") if cloud else ("aruiz", "ana-pw")
    made = Place(jira, {"host": "your-domain.atlassian.net", **basic(*account)}, {})
    jira.promote(BY)
    furnish(made, "3" if cloud else "2")
    return made


def furnish(at: Place, version: str) -> None:
    """Two issues; comments, changes, a link, a remote link, a property, a file, work and versions."""
    jira, text = at.jira, ADF if version == "3" else "a text"
    one, other = (
        jira.create({"project": "CSPM", "issuetype": "Bug", "summary": "My first issue"}, by=BY) for _ in "12"
    )
    here = f"/rest/api/{version}/issue/{one}"
    jira.update(
        one,
        {"summary": "My first example issue", "labels": ["label"], "assignee": BY, "description": "Main order flow"},
        by=BY,
    )
    said = jira.comment(one, "Lorem ipsum", by=BY, channel="role:Developers")
    at.send(
        "PUT",
        f"/rest/api/{version}/comment/{said}/properties/propertyKey",
        {"system.conversation.id": "b1bf7be8-5f3d-4b4f-a3f0-1ab6a8b4e0d0", "system.support.time": "1m"},
    )
    at.send(
        "PUT",
        f"{here}/properties/propertyKey",
        {"system.conversation.id": "b1bf7be8-5f3d-4b4f-a3f0-1ab6a8b4e0d0", "system.support.time": "1m"},
    )
    link = at.send("POST", f"{here}/remotelink", REMOTE)
    at.send("POST", f"/rest/api/{version}/issueLink", {"type": {"name": "Blocks"}, "inwardIssue": {"id": one},
                                                       "outwardIssue": {"id": other}})  # fmt: skip
    form = {"Content_Type": "multipart/form-data; boundary=b", "X_Atlassian_Token": "no-check"}
    files = at.send("POST", f"{here}/attachments", FILE, **form)
    work = at.send("POST", f"{here}/worklog", {"comment": text, "timeSpentSeconds": 12000,
                                               "started": "2026-01-05T09:00:00.000+0000"})  # fmt: skip
    at.send("POST", f"{here}/watchers")
    shown = at.send("GET", f"{here}?expand=changelog")
    fields = shown["fields"]
    at.ids |= {
        "issueIdOrKey": one, "other": other, "commentId": said, "id": said, "propertyKey": "propertyKey",
        "linkId": str(link["id"]), "worklogId": str(work["id"]), "attachment": str(files[0]["id"]),
        "projectIdOrKey": "CSPM", "issueTypeId": "10004",
        "issueLink": str(fields["issuelinks"][0]["id"]) if fields.get("issuelinks") else "",
        "change": str(shown["changelog"]["histories"][0]["id"]),
    }  # fmt: skip


#: templates whose ``{id}`` or ``{linkId}`` is not a comment's or a remote link's
OTHERS = {"attachment/{id}": "attachment", "issueLink/{linkId}": "issueLink", "worklog/{id}": "worklogId"}


@CLOUD.of(*REQUESTS)
def cloud(exchange: Exchange) -> Scene:
    at, (query, body) = place(True), REQUESTS[exchange.name]
    path = exchange.target.replace("{projectIdOrKey}", "NOPE") if exchange.name.endswith("400") else exchange.target
    return asked(at, exchange, path, query, body)


def asked(at: Place, exchange: Exchange, path: str, query: str, body: object) -> Scene:
    for part, name in OTHERS.items():
        path = path.replace(part, part.partition("/")[0] + "/" + at.ids[name])
    headers = {**at.headers, "Content-Type": "application/json"}
    if isinstance(body, bytes):
        headers |= {"Content-Type": "multipart/form-data; boundary=b", "X-Atlassian-Token": "no-check"}
        sent: Sent = body
    else:
        sent = None if body is None else filled(json.dumps(body), at.ids)
    return Scene(at.jira, method=exchange.method, target=filled(path + query, at.ids), body=sent, headers=headers)


def filled(template: str, ids: dict[str, str]) -> str:
    """The template with its ids; ``"#{name}"`` stands for the number."""
    for name, value in ids.items():
        template = template.replace(f'"#{{{name}}}"', value)
        template = template.replace(f"{{{name}}}", value)
    return template


@DATA_CENTER.of(*FIXTURES)
def data_center(exchange: Exchange) -> Scene:
    method, path, body = FIXTURES[exchange.name]
    at = place(False)
    scene = asked(at, exchange, f"/rest/api/2/{path}", "", body)
    scene.method = method
    return scene
