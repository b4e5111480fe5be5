"""Requests that no client should send: the simulated Jira answers each in its own words, and none ends in a defect."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from sandbox.clock import SandboxClock
from sandbox.jira import Jira
from sandbox.jira.api import ENDPOINTS
from sandbox.jira.datacenter import DataCenter
from sandbox.jira.datacenter_door import served
from sandbox.jira.defaults import ANA
from sandbox.wire import Answer, Request

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
BASIC = {"authorization": "Basic " + base64.b64encode(f"{ANA.email}:{ANA.token}".encode()).decode()}
BEARER = {"authorization": "Bearer ana-pat"}

BUG = {"project": {"key": "CSPM"}, "issuetype": {"name": "Bug"}, "summary": "Export fails"}
VALUES = {
    "labels": ["a"],
    "priority": {"name": "High"},
    "duedate": "2026-02-01",
    "assignee": {"accountId": ANA.account_id, "name": "aruiz"},
    "customfield_10041": 3,
    "customfield_10042": {"value": "Major"},
    "customfield_10046": [{"value": "Yolo"}],
}
PROPERTIES = [{"key": "k", "value": 1}]
TEXT = {"type": "text", "text": "b", "marks": [{"type": "link", "attrs": {"href": "u"}}, {"type": "strong"}]}
LIST = {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [TEXT]}]}]}
HEADING = {"type": "heading", "attrs": {"level": 1}, "content": [TEXT]}
CODE = {"type": "codeBlock", "attrs": {"language": "sql"}, "content": [{"type": "text", "text": "select"}]}
MENTION = {"type": "paragraph", "content": [{"type": "mention", "attrs": {"id": "x"}}]}
DOCUMENT = {"type": "doc", "version": 1, "content": [HEADING, LIST, CODE, MENTION]}
UPDATE = {
    "labels": [{"add": "b"}, {"remove": "a"}],
    "description": [{"set": DOCUMENT}],
    "comment": [{"add": {"body": DOCUMENT, "visibility": {"type": "role", "value": "Developers"}}}],
}
ISSUE = {"fields": {**BUG, **VALUES, "description": DOCUMENT}, "properties": PROPERTIES}
EDIT = {"fields": VALUES, "update": UPDATE, "properties": PROPERTIES}
COMMENT = {"body": DOCUMENT, "visibility": {"type": "role", "value": "Developers"}, "properties": PROPERTIES}
REMOTE = {"globalId": "g", "object": {"title": "t", "url": "https://a.example"}, "application": {}, "relationship": "r"}
JQL = "project = CSPM ORDER BY updated ASC"
#: a body that is taken, by method and address
BODIES: dict[str, Any] = {
    "POST issue": ISSUE,
    "POST issue/bulk": {"issueUpdates": [ISSUE]},
    "PUT issue/{}": EDIT,
    "PUT issue/{}/assignee": {"accountId": ANA.account_id, "name": "aruiz"},
    "POST issue/{}/transitions": {"transition": {"id": "11"}, "fields": {}, "update": {"comment": UPDATE["comment"]}},
    "POST issue/{}/comment": COMMENT,
    "PUT issue/{}/comment/{}": COMMENT,
    "POST issue/{}/remotelink": REMOTE,
    "PUT issue/{}/remotelink/{}": REMOTE,
    "POST issueLink": {
        "type": {"name": "Blocks"},
        "inwardIssue": {"key": "CSPM-1"},
        "outwardIssue": {"id": "10003"},
        "comment": {"body": "b"},
    },
    "POST issue/{}/worklog": {"timeSpent": "1h", "started": "2026-01-05T08:00:00.000+0000", "comment": DOCUMENT},
    "POST issue/{}/watchers": ANA.account_id,
    "PUT issue/{}/properties/{}": {"n": 1},
    "PUT comment/{}/properties/{}": {"n": 1},
    "POST issue/bulkfetch": {
        "issueIdsOrKeys": ["10001"],
        "fields": ["summary"],
        "expand": ["names"],
        "properties": ["k"],
    },
    "POST changelog/bulkfetch": {
        "issueIdsOrKeys": ["10001"],
        "fieldIds": ["status"],
        "maxResults": 1,
        "nextPageToken": "1",
    },
    "POST issue/{}/changelog/list": {"changelogIds": [10004]},
    "POST comment/list": {"ids": [10002]},
    "POST worklog/list": {"ids": [10002]},
    "POST permissions/check": {
        "accountId": ANA.account_id,
        "globalPermissions": ["ADMINISTER"],
        "projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [10000], "issues": [10001]}],
    },
    "POST search/jql": {
        "jql": JQL,
        "fields": ["summary"],
        "maxResults": 1,
        "nextPageToken": "",
        "expand": "names",
        "properties": ["k"],
        "reconcileIssues": [10001],
    },
    "POST search/approximate-count": {"jql": JQL},
    "POST search": {"jql": JQL, "startAt": 0, "maxResults": 1, "fields": ["summary"], "expand": ["names"]},
    "POST version": {"projectId": 10000, "name": "26.09", "released": False, "releaseDate": "2026-09-01"},
    "PUT version/{}": {"name": "26.11", "description": "d", "archived": True},
}
LONG = "9" * 30
ODD: list[Any] = [None, True, -1, 2**70, 1.5, "", "x", "²", "\ud800", LONG, [], {}, [None], [1], [{}], {"key": 1}]
SEGMENTS = ("10001", "10002", "CSPM-1", "cspm-1", "CSPM", "²", LONG, "\x00", "-1", "x")
PARAMETERS = (
    "startAt maxResults nextPageToken reconcileIssues expand fields properties orderBy startedAfter since keys id "
    "accountId username query project issueId projectId permissions permission globalId key"
).split()
QUERIES = (
    "", "(", "x", "key = ²", "key = currentUser()", "updated > -99999999999999d", "updated > 99999999999999999999999",
    "updated > 0001-01-01", 'updated > "9999-12-31 23:59"', "updated in (1)", "updated is empty", "project = empty",
    "due > x", "due > 2026-13-41", "cf[10041] > nan ORDER BY cf[10041]", "cf[10041] in (1, empty)", "summary in (a)",
    "summary ~ empty", "labels in ()", "status was Done", "updated > empty", "project = now()", "not", "cf[²] = 1",
    "key in (10001, empty)", "assignee = currentUser() ORDER BY assignee, priority, labels", "ORDER BY", "((((((",
    "(" * 2000 + "key = 1", "not " * 3000 + "key = 1",
)  # fmt: skip


class Door:
    """A tracker asked in process, so that a defect of its code is the test's."""

    def __init__(self, jira: Jira, headers: dict[str, str], endpoints: list[tuple[str, re.Pattern[str], Any]]) -> None:
        self.jira = jira
        self.headers = {"host": "jira.example", "content-type": "application/json", **headers}
        self.endpoints = [(method, plain(pattern)) for method, pattern, _ in endpoints]
        for _ in range(2):
            jira.comment(jira.create({"summary": "Export fails", "labels": ["a"]}, "Ana Ruiz"), "b", "Ana Ruiz")
        self.held = jira.snapshot()

    def ask(self, method: str, path: str, body: bytes, query: Any = None, version: str = "2") -> Answer:
        target = f"/rest/api/{version}/{path}"
        answer = self.jira.handle(Request(method, target, query or {}, self.headers, body, target))
        assert answer.status < 500 or path.endswith("transitions"), (method, path, body[:200], answer.body[:200])
        return answer


def plain(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.replace("([^/]+)", "{}").replace("\\", "")


def filled(path: str, *segments: str) -> str:
    """An address with its places taken by segments, the last of them for all that are left."""
    for place in range(path.count("{}")):
        path = path.replace("{}", segments[min(place, len(segments) - 1)], 1)
    return path


@pytest.fixture(params=["cloud", "data center"])
def door(request: pytest.FixtureRequest) -> Door:
    clock = SandboxClock(START)
    if request.param == "cloud":
        return Door(Jira("jira", clock), BASIC, ENDPOINTS)
    return Door(DataCenter("jira", clock), BEARER, served())


def bent(value: Any) -> Iterator[Any]:
    """The value with one part of it, or all of it, odd or left out."""
    yield from ODD
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: one for key, one in value.items() if key != name}
            yield from ({**value, name: odd} for odd in bent(inner))
    if isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], odd, *value[at + 1 :]] for odd in bent(inner))


def written(value: Any) -> bytes:
    """JSON, with lone surrogates and numbers of any size where there are such."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def test_every_body_above_is_one_of_an_address() -> None:
    known = {f"{method} {plain(pattern)}" for method, pattern, _ in (*ENDPOINTS, *served())}
    assert BODIES.keys() <= known


def test_no_body_with_an_odd_part_is_a_defect(door: Door) -> None:
    """Each part of each body in turn is something else; recorded refusals: jira-node/node-jira-client #361 (Cloud),
    bobcarroll/jira-client #256 (Data Center)."""
    for method, path in door.endpoints:
        for body in bent(BODIES.get(f"{method} {path}", {})) if method in ("POST", "PUT") else ():
            door.ask(method, filled(path, "10001", "10002"), written(body))
        door.jira.restore(door.held)


def test_no_document_with_an_odd_part_is_a_defect(door: Door) -> None:
    """In version 3, which reads documents; in Data Center, which has none, a text is all there is."""
    version = "2" if isinstance(door.jira, DataCenter) else "3"
    for method, path, body in (
        ("POST", "issue", ISSUE),
        ("PUT", "issue/10001", EDIT),
        ("POST", "issue/10001/comment", COMMENT),
        ("POST", "issue/10001/worklog", BODIES["POST issue/{}/worklog"]),
        ("POST", "issue/10001/transitions", BODIES["POST issue/{}/transitions"]),
    ):
        for odd in bent(body):
            door.ask(method, path, written(odd), version=version)
        door.jira.restore(door.held)


def test_no_bytes_are_a_defect(door: Door) -> None:
    deep = DOCUMENT
    for _ in range(400):
        deep = {"type": "blockquote", "content": [deep | {"type": "paragraph"}]}
    nested = written({"body": {"type": "doc", "version": 1, "content": [deep]}})
    for body in (b"", b"{", b"\xef\xbb\xbf{}", b"\xff\xfe", b"[" * 5000, b'{"a":' * 5000, b"NaN", b"1e999", nested):
        for method, path in door.endpoints:
            if method in ("POST", "PUT"):
                door.ask(method, filled(path, "10001", "10002"), body)
        door.ask("POST", "issue/10001/comment", body, version="2" if isinstance(door.jira, DataCenter) else "3")


def test_no_address_is_a_defect(door: Door) -> None:
    for method, path in door.endpoints:
        for segment in SEGMENTS if "{}" in path else ():
            door.ask(method, filled(path, segment), b"{}")
            door.ask(method, filled(path, "10001", segment), b"{}")
        door.jira.restore(door.held)


def test_no_parameter_is_a_defect(door: Door) -> None:
    for path in [filled(path, "10001", "10002") for method, path in door.endpoints if method == "GET"]:
        for name in PARAMETERS:
            for value in ("", "x", "-1", "²", LONG, "10001", "CSPM", "*all,names,changelog,transitions,renderedFields"):
                door.ask("GET", path, b"", {name: [value], "jql": [JQL]})


def test_no_query_is_a_defect(door: Door) -> None:
    server = isinstance(door.jira, DataCenter)
    for jql in QUERIES:
        door.ask("POST", "search" if server else "search/jql", written({"jql": jql}))


@pytest.mark.parametrize(
    ("token", "place"), [("W10=", "[]"), ("bnVsbA==", "null"), ("WzEsMixbM11d", "[1,2,[3]]"), ("²", ""), ("a", "")]
)
def test_a_token_that_was_never_given_is_refused(token: str, place: str) -> None:
    """v3 POST /rest/api/3/search/jql: 400."""
    door = Door(Jira("jira", SandboxClock(START)), BASIC, ENDPOINTS)
    answer = door.ask("POST", "search/jql", written({"jql": JQL, "nextPageToken": token}))
    assert answer.status == 400, place


MULTIPART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nzz\r\n--x--\r\n'


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; x=\xff"]
)
def test_no_form_is_a_defect(door: Door, kind: str) -> None:
    door.headers |= {"content-type": kind, "x-atlassian-token": "no-check"}
    for form in (
        MULTIPART,
        b"",
        b"--x\r\n\xff\xfe",
        MULTIPART.replace(b'"a.txt"', b"\xff\xfe"),
        MULTIPART.replace(b'filename="a.txt"', b"filename*=utf-8''%ff"),
        MULTIPART.replace(b"\r\n\r\nzz", b"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n"),
        MULTIPART.replace(b"\r\n\r\nzz", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!"),
    ):
        door.ask("POST", "issue/10001/attachments", form)


class TestRefusing:
    def test_cloud_says_that_the_payload_is_invalid(self) -> None:
        """recorded: jira-node/node-jira-client #361"""
        door = Door(Jira("jira", SandboxClock(START)), BASIC, ENDPOINTS)
        answer = door.ask("PUT", "issue/10001", written({"update": {"labels": {"add": "a"}}}))
        refused = ["Invalid request payload. Refer to the REST API documentation and try again."]
        assert (answer.status, orjson.loads(answer.body)["errorMessages"]) == (400, refused)

    def test_data_center_tells_what_java_wanted_and_where(self) -> None:
        """recorded: bobcarroll/jira-client #256"""
        door = Door(DataCenter("jira", SandboxClock(START)), BEARER, served())
        answer = door.ask("PUT", "issue/10001", written({"update": {"labels": {"add": "a"}}}))
        (told,) = orjson.loads(answer.body)["errorMessages"]
        assert answer.status == 400
        assert told.startswith("Can not deserialize instance of java.util.ArrayList out of START_OBJECT token\n")
        assert told.endswith('["labels"])')

    def test_numbers_are_taken_for_texts_and_digits_for_numbers(self) -> None:
        """As Jackson reads them."""
        door = Door(Jira("jira", SandboxClock(START)), BASIC, ENDPOINTS)
        read = door.ask("POST", "issue/bulkfetch", written({"issueIdsOrKeys": [10001], "fields": ["summary"]}))
        assert [issue["id"] for issue in orjson.loads(read.body)["issues"]] == ["10001"]
        found = door.ask("POST", "search/jql", written({"jql": JQL, "reconcileIssues": ["10001"], "maxResults": "1"}))
        assert len(orjson.loads(found.body)["issues"]) == 1
