"""The wire under the simulated trackers: HTTP as clients speak it, on sockets of our own."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sandbox.estate import Estate
from sandbox.faults import Fault, Faults
from sandbox.hook import Hook
from sandbox.server import RequestLog, Server
from sandbox.wire import Answer, Request
from tests.contract import settable_clock
from tests.raw import ask, exchange, line
from tests.tls import Authority

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TABLE = "/api/now/table/incident"


@pytest.fixture
def estate() -> Iterator[Estate]:
    estate = Estate(START)
    yield estate
    estate.stop()


def created(title: str) -> bytes:
    return json.dumps({"short_description": title}).encode()


def titles(estate: Estate) -> list[str]:
    return [estate.servicenow.item(id)["short_description"] for id in estate.servicenow.ids("incident")]


def test_requests_sent_at_once_are_answered_in_order_on_one_connection(estate: Estate) -> None:
    port = estate.servers["servicenow"].port
    both = line("servicenow", TABLE, "POST", created("first")) + line("servicenow", TABLE, "POST", created("second"))
    raw = exchange(port, both, answers=2)
    assert raw.end == "open"
    assert raw.data.count(b"HTTP/1.1 201 Created") == 2
    assert titles(estate) == ["first", "second"]


def test_a_request_may_come_in_pieces(estate: Estate) -> None:
    sent = line("servicenow", TABLE, "POST", created("in pieces"))
    raw = exchange(estate.servers["servicenow"].port, *(sent[at : at + 7] for at in range(0, len(sent), 7)))
    assert raw.status == 201
    assert titles(estate) == ["in pieces"]


def test_a_chunked_body_is_put_together(estate: Estate) -> None:
    """azure-devops sends attachments in chunks (apis.md 4.3)."""
    body = created("in chunks")
    chunks = b"%x;ext=1\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (5, body[:5], len(body) - 5, body[5:])
    head = line("servicenow", TABLE, "POST", b"", **{"Transfer-Encoding": "chunked"})
    raw = exchange(estate.servers["servicenow"].port, head.replace(b"Content-Length: 0\r\n", b""), chunks)
    assert raw.status == 201
    assert titles(estate) == ["in chunks"]


def test_a_client_that_asks_whether_to_go_on_is_told_to(estate: Estate) -> None:
    """curl asks with large bodies (RFC 9110, 10.1.1)."""
    head = line("servicenow", TABLE, "POST", created("goes on"), Expect="100-continue")
    raw = exchange(estate.servers["servicenow"].port, head, answers=2)
    assert raw.data.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n")


def test_head_tells_the_length_and_sends_no_body(estate: Estate) -> None:
    """RFC 9110, 9.3.2. No tracker here knows HEAD; the sandbox's own door answers 404, whose body stays behind."""
    raw = exchange(estate.servers["jira"].port, line("jira", "/_sandbox/clock", "HEAD", Connection="close"), answers=2)
    assert (raw.status, raw.body, raw.end) == (404, b"", "closed")
    assert int(raw.headers["content-length"]) > 0


def test_an_answer_without_content_has_no_length(estate: Estate) -> None:
    """RFC 9110, 8.6: no Content-Length in a 204."""
    id = estate.jira.create({"summary": "old"}, "Ana Ruiz")
    raw = ask(estate, "jira", f"/rest/api/2/issue/{id}", "PUT", {"fields": {"summary": "new"}})
    assert raw.status == 204
    assert "content-length" not in raw.headers
    assert raw.end == "open"


@pytest.mark.parametrize(
    "version, wish, end",
    [("1.1", "close", "closed"), ("1.0", "", "closed"), ("1.0", "keep-alive", "open"), ("1.1", "", "open")],
)
def test_the_connection_stays_as_the_client_wishes(estate: Estate, version: str, wish: str, end: str) -> None:
    sent = line("servicenow", TABLE, Connection=wish)
    raw = exchange(estate.servers["servicenow"].port, sent.replace(b"HTTP/1.1", f"HTTP/{version}".encode()), answers=1)
    assert raw.status == 200
    if end == "closed":
        raw = exchange(estate.servers["servicenow"].port, sent.replace(b"/1.1", f"/{version}".encode()), answers=2)
    assert raw.end == end


@pytest.mark.parametrize(
    "sent, status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: ten\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(estate: Estate, sent: bytes, status: int) -> None:
    raw = exchange(estate.servers["jira"].port, sent, answers=2)
    assert raw.status == status
    assert raw.end in ("closed", "reset")


def test_a_stopped_tracker_ends_its_connections_and_may_come_back_with_all_it_held(estate: Estate) -> None:
    id = estate.jira.create({"summary": "kept"}, "Ana Ruiz")
    server = estate.servers["jira"]
    with socket.create_connection(("127.0.0.1", server.port), 10) as idle:
        idle.sendall(line("jira", "/rest/api/2/myself"))
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200")
        server.stop()
        server.stop()
        assert idle.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        ask(estate, "jira", "/rest/api/2/myself")
    again = Server(server.tracker, server.clock, estate.faults, estate.log, server.port).start()
    assert ask(estate, "jira", f"/rest/api/2/issue/{id}").json()["fields"]["summary"] == "kept"
    again.stop()


def test_a_witness_sees_the_trackers_own_answer_before_a_fault_bends_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, int]] = []

    def witness(tracker: str, request: Request, answer: Answer) -> None:
        seen.append((tracker, request.path, answer.status))

    monkeypatch.setattr(Server, "witnesses", [witness])
    estate.faults.add(Fault("answer_after", "jira", answer=Answer(504), nth=(1,)))
    estate.faults.add(Fault("reset_before", "azure"))
    assert ask(estate, "jira", "/rest/api/2/myself").status == 504
    assert ask(estate, "azure", "/example/_apis/connectionData").end == "reset"
    assert seen == [("jira", "/rest/api/2/myself", 200)]


def test_a_tracker_may_stand_behind_tls(tmp_path: Path) -> None:
    """Some clients take nothing but https (ServiceNow's PySNC, apis.md 4.1)."""
    authority = Authority(tmp_path)
    server = Server(Hook(), settable_clock(), Faults(), RequestLog(), tls=authority.context).start()
    try:
        assert server.url.startswith("https://")
        with requests.Session() as session:
            session.trust_env, session.verify = False, str(authority.file)
            assert session.post(server.url, json={"card": 1}, timeout=10).status_code == 202
        with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", server.port), 10) as client:
            ssl.create_default_context().wrap_socket(client, server_hostname="127.0.0.1")
    finally:
        server.stop()
