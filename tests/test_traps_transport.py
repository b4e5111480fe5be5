"""Traps that are the same under every library, through all three connectors: rest, time-outs, cookies, names."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import requests

from connectors.base import Busy, Down, Failure, Unsure
from connectors.transport import Transport
from sandbox.faults import Fault
from sandbox.wire import Answer, Request
from tests.contract import settable_clock
from tests.traps import KINDS, NAMES, SCOPES, Ground, draft, opened_and_made, recorded


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


# ── shape ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [{}, [], "x", {"value": [{}], "result": [{}], "issues": [{}], "total": 1}])
def test_a_look_around_that_gets_answers_of_another_shape_raises_nothing_but_failures(
    ground: Ground, kind: str, body: Any
) -> None:
    one: Any = ground.connector(kind)
    one.open([SCOPES[kind]])
    ground.estate.faults.add(Fault("answer", tracker=NAMES[kind], answer=Answer.of(body)))
    for look in (lambda: one.describe([SCOPES[kind]]), one.places, lambda: one.places("CSPM")):
        with suppress(Failure):
            look()


# ── rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7.5", 7.5),
        ("3600", 3600),
        ("9" * 400, 86_400),
        ("inf", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("nan", 10),
        ("soon", 10),
        ("", 10),
        ("Mon, 99 Foo", 10),
        ("-5", 0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
    ],
)
def test_however_a_rest_is_told_it_is_kept(ground: Ground, kind: str, asked: str, seconds: float) -> None:
    """Seconds, a fraction, a date against the tracker's own clock; one that says nothing is ten seconds, one longer
    than any limit of theirs a day."""
    one: Any = ground.connector(kind)
    one.open([SCOPES[kind]])
    until = ground.estate.clock.now() + timedelta(seconds=seconds)
    answer = Answer(429, b"{}", {"Retry-After": asked})
    ground.estate.faults.add(Fault("answer", tracker=NAMES[kind], method="POST", answer=answer, times=1))
    with pytest.raises(Busy) as caught:
        one.create(SCOPES[kind], draft(kind))
    assert abs(caught.value.until - until) < timedelta(seconds=2)


def test_the_longer_of_two_rests_stands_whichever_comes_last() -> None:
    """Two threads' answers cross: one was refused for five minutes, the other let through with a short delay."""
    transport = Transport("t", settable_clock(), rest_on_success=True)
    start = transport.clock.now()
    for status, seconds in ((429, "300"), (200, "5")):
        answer = requests.Response()
        answer.status_code, answer.headers["Retry-After"] = status, seconds
        transport.note_rest(answer)
    assert transport.resting == start + timedelta(seconds=300)


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_never_comes_is_given_up(ground: Ground, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """stack.md 2.2, 6.4: jira alone would wait for ever."""
    monkeypatch.setattr("connectors.transport.READ_TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = ground.connector(kind, port=silent.getsockname()[1], timeout=0.2)
        with pytest.raises(Down, match="took too long"):
            one.open([SCOPES[kind]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_that_is_never_answered_may_have_been_applied(ground: Ground, kind: str) -> None:
    one: Any = ground.connector(kind, timeout=1.0)
    one.open([SCOPES[kind]])
    ground.estate.faults.add(Fault("delay", tracker=NAMES[kind], seconds=3.0, times=1))
    with pytest.raises(Unsure, match="took too long"):
        one.create(SCOPES[kind], draft(kind))


# ── what is said of us ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_says_who_sends_it(ground: Ground, kind: str) -> None:
    """stack.md 2.1: pysnow calls itself ``pysnow``, the others after their own libraries."""
    asked = recorded(ground.tracker(kind))
    opened_and_made(ground.connector(kind))
    assert {request.headers["user-agent"] for request in asked} == {"Lockstep"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_tracker_s_cookie_is_sent_back(ground: Ground, kind: str) -> None:
    """Calls that share a session queue behind each other at ServiceNow and are answered 202; anywhere, a session's
    cookie outlives the token that earned it."""
    asked = recorded(ground.tracker(kind))
    whole = ground.tracker(kind).handle

    def handle(request: Request) -> Answer:
        answer: Answer = whole(request)
        answer.headers["Set-Cookie"] = "JSESSIONID=0123456789ABCDEF0123456789ABCDEF; Path=/; HttpOnly"
        return answer

    ground.tracker(kind).handle = handle
    opened_and_made(ground.connector(kind))
    assert len(asked) > 3 and not any("cookie" in request.headers for request in asked)


# ── what is loaded ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "loaded"),
    [("servicenow", {"pysnow"}), ("jira", {"jira"}), ("azure_devops", set())],
)
def test_a_connector_loads_its_own_library_and_no_other(kind: str, loaded: set[str]) -> None:
    """stack.md 1: all of them take more than a second. Azure DevOps' is loaded by its first call, msal by the first
    token. That the command line loads none: ``test_help_imports_no_client_library``."""
    code = (
        "import sys\n"
        "from connectors.auth import AccessToken, Secret, UserPassword\n"
        "from connectors.build import connector\n"
        "before = {'pysnow', 'jira', 'azure', 'msal', 'ijson'} & set(sys.modules)\n"
        f"auth = AccessToken(Secret('x')) if {kind!r} == 'azure_devops' else UserPassword('u', Secret('x'))\n"
        f"connector({kind!r}, 't', 'https://t.example', auth, None)\n"
        "print(sorted(before), sorted({'pysnow', 'jira', 'azure', 'msal'} & set(sys.modules)))"
    )
    told = subprocess.check_output([sys.executable, "-W", "ignore", "-c", code], text=True).strip()
    assert told == f"[] {sorted(loaded)}"
