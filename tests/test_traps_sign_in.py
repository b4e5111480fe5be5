"""Every way to sign in, through the real libraries: tokens that run out, are revoked, or cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pysnow
import pytest
import responses

from connectors.auth import AccessToken, ApiKey, Auth, Bearer, ClientCredentials, PasswordGrant, Secret
from connectors.base import Busy, Down, LockedOut
from mappings.model import Change
from sandbox.estate import SERVICENOW_PASSWORD
from sandbox.faults import Fault
from sandbox.servicenow.oauth import Client
from sandbox.wire import Answer, Request
from tests.contract import everything_said
from tests.traps import SCOPES, Ground, draft, everything_logged, opened_and_made, recorded

SCOPE = SCOPES["servicenow"]
TOKEN_PATH = "/oauth_token.do"
SECRET = "oauth-client-sécret+&="
CREDENTIALS = ClientCredentials("lockstep-app", Secret(SECRET))
PASSWORD = PasswordGrant("lockstep", Secret(SERVICENOW_PASSWORD), "lockstep-app", Secret(SECRET))
GRANTS = pytest.mark.parametrize("auth", [CREDENTIALS, PASSWORD], ids=["client credentials", "password"])


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    made.estate.servicenow.gate.oauth.clients["lockstep-app"] = Client(SECRET, "lockstep")
    yield made
    made.close()


def signed(ground: Ground, auth: Auth) -> Any:
    return ground.connector("servicenow", auth=auth)


def token_calls(ground: Ground) -> int:
    return ground.estate.log.count("servicenow", "POST", TOKEN_PATH)


def answering(ground: Ground, answer: Answer, times: int = 1) -> None:
    """The token endpoint answers so instead."""
    ground.estate.faults.add(Fault("answer", tracker="servicenow", path=TOKEN_PATH, times=times, answer=answer))


# ── OAuth of ServiceNow ──────────────────────────────────────────────────────────────────────────────────────────────


@GRANTS
def test_one_token_serves_many_calls_and_is_fetched_when_it_is_first_wanted(ground: Ground, auth: Auth) -> None:
    one = signed(ground, auth)
    assert token_calls(ground) == 0
    before = len(ground.estate.log.entries)
    record = opened_and_made(one)
    one.say(SCOPE, record, "comments", "hello")
    assert record.updated_by == "lockstep" and token_calls(ground) == 1
    assert one.calls() == len(ground.estate.log.entries) - before, "a request for a token is counted like any other"


@GRANTS
def test_a_token_is_renewed_before_it_runs_out(ground: Ground, auth: Auth) -> None:
    """In the middle of a pass: no call is refused on the way."""
    one = signed(ground, auth)
    record = opened_and_made(one)
    for n in range(8):
        ground.estate.clock.advance(timedelta(minutes=10))
        record = one.update(SCOPE, record, Change({"short_description": f"title {n}"}))
    assert 3 <= token_calls(ground) <= 6
    assert [entry.status for entry in ground.estate.log.entries if entry.status >= 400] == []


def test_renewing_by_refresh_token_sends_no_password(ground: Ground) -> None:
    one = signed(ground, PASSWORD)
    opened_and_made(one)
    asked = recorded(ground.estate.servicenow)
    ground.estate.clock.advance(timedelta(minutes=30))
    one.read(SCOPE, ["0" * 32])
    assert [request.path for request in asked[:1]] == [TOKEN_PATH]
    assert b"grant_type=refresh_token" in asked[0].body and b"password" not in asked[0].body


def test_a_refresh_token_that_ran_out_too_is_replaced_by_signing_in_again(ground: Ground) -> None:
    one = signed(ground, PASSWORD)
    opened_and_made(one)
    ground.estate.clock.advance(timedelta(days=101))
    assert one.read(SCOPE, ["0" * 32]) == {"0" * 32: None}
    assert token_calls(ground) == 3


def test_a_repeated_request_that_gives_the_rest_of_the_old_token_is_not_repeated_with_each_call(ground: Ground) -> None:
    """apis.md 1.8: the token in force comes back with less time left, so a renewal in good time renews nothing."""
    one = signed(ground, CREDENTIALS)
    opened_and_made(one)
    ground.estate.clock.advance(timedelta(seconds=1799 - 50))
    for _ in range(20):
        one.read(SCOPE, ["0" * 32])
    assert token_calls(ground) == 2


@GRANTS
def test_a_write_that_got_401_is_sent_once_more_with_a_new_token_and_made_once(ground: Ground, auth: Auth) -> None:
    one = signed(ground, auth)
    one.open([SCOPE])
    ground.estate.servicenow.gate.oauth.forget()
    ground.estate.log.clear()
    record = one.create(SCOPE, draft("servicenow"))
    table = [(e.method, e.status) for e in ground.estate.log.entries if e.path != TOKEN_PATH]
    assert table == [("POST", 401), ("POST", 201)]
    assert ground.estate.servicenow.ids() == [record.ref.id]


@GRANTS
def test_a_user_who_stays_refused_is_locked_out_after_one_more_try(ground: Ground, auth: Auth) -> None:
    one = signed(ground, auth)
    record = opened_and_made(one)
    ground.estate.servicenow.gate.oauth.user = lambda token: ""  # type: ignore[method-assign]
    ground.estate.log.clear()
    with pytest.raises(LockedOut, match="401"):
        one.update(SCOPE, record, Change({"short_description": "new"}))
    assert ground.estate.log.count("servicenow", "PATCH") == 2


@pytest.mark.parametrize("standard", [False, True], ids=["reported", "rfc6749"])
@pytest.mark.parametrize(
    "auth",
    [
        ClientCredentials("lockstep-app", Secret("not-the-secret")),
        ClientCredentials("no-such-app", Secret(SECRET)),
        PasswordGrant("lockstep", Secret("not-the-secret"), "lockstep-app", Secret(SECRET)),
    ],
    ids=["secret", "application", "password"],
)
def test_an_application_that_is_refused_is_locked_out_and_shows_no_secret(
    ground: Ground, auth: Auth, standard: bool, caplog: pytest.LogCaptureFixture
) -> None:
    everything_logged(caplog)
    ground.estate.servicenow.switches.oauth_errors = "rfc6749" if standard else "reported"
    with pytest.raises(LockedOut, match=r"gives our OAuth application no token \(401, \w+.*`auth`") as caught:
        signed(ground, auth).open([SCOPE])
    said = everything_said(caught.value) + caplog.text
    assert "not-the-secret" not in said and SECRET not in said
    assert len(ground.estate.log.entries) == 1, "a refused password is not tried again: the account would be locked"


def test_a_second_factor_asked_of_our_user_is_named(ground: Ground) -> None:
    """apis.md 1.8: 401 with ``X-MFA_TOKEN: invalid``."""
    answering(ground, Answer(401, b"{}", {"X-MFA_TOKEN": "invalid"}))
    with pytest.raises(LockedOut, match="second factor"):
        signed(ground, PASSWORD).open([SCOPE])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b"null",
        b'{"access_token": "", "expires_in": 5}',
        b'{"access_token": "x", "expires_in": "soon"}',
        b'{"access_token": "x", "expires_in": "inf"}',
        b'{"access_token": "x", "expires_in": null}',
        b'{"access_token": "x", "expi',
    ],
)
def test_half_a_token_is_none_and_is_not_shown(ground: Ground, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    everything_logged(caplog)
    one = signed(ground, CREDENTIALS)
    one.open([SCOPE])
    ground.estate.servicenow.gate.oauth.forget()
    ground.estate.clock.advance(timedelta(hours=1))
    answering(ground, Answer(200, body, {"Content-Type": "application/json"}), times=0)
    with pytest.raises(Down, match="gives no token") as caught:
        one.create(SCOPE, draft("servicenow"))
    assert "access_token" not in everything_said(caught.value) + caplog.text
    assert ground.estate.servicenow.ids() == []


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut", "garbage"])
def test_a_write_whose_token_did_not_come_was_certainly_not_applied(ground: Ground, kind: str) -> None:
    one = signed(ground, CREDENTIALS)
    one.open([SCOPE])
    ground.estate.clock.advance(timedelta(hours=1))
    fault = ground.estate.faults.add(Fault(kind, tracker="servicenow", path=TOKEN_PATH))
    with pytest.raises(Down):
        one.create(SCOPE, draft("servicenow"))
    assert ground.estate.servicenow.ids() == []
    ground.estate.faults.rules.remove(fault)
    assert one.create(SCOPE, draft("servicenow")).key


def test_a_token_that_comes_late_is_waited_for_and_not_asked_for_twice(ground: Ground) -> None:
    one = signed(ground, CREDENTIALS)
    record = opened_and_made(one)
    ground.estate.clock.advance(timedelta(hours=1))
    answering(ground, Answer(429, b"{}", {"Retry-After": "900"}))
    until = ground.estate.clock.now() + timedelta(seconds=900)
    for _ in range(2):
        with pytest.raises(Busy) as caught:
            one.update(SCOPE, record, Change({"short_description": "new"}))
        assert abs(caught.value.until - until) < timedelta(seconds=2)
    assert token_calls(ground) == 2
    ground.estate.clock.set(caught.value.until)
    assert one.update(SCOPE, record, Change({"short_description": "new"})).version > record.version


def test_many_cold_threads_ask_for_one_token(ground: Ground) -> None:
    one = signed(ground, CREDENTIALS)
    made = [ground.estate.servicenow.create({"short_description": f"item {n}"}, "jane") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda id: one.read(SCOPE, [id])[id], made))
    assert [record.ref.id for record in found] == made
    assert token_calls(ground) == 1


def test_the_library_s_own_oauth_client_sends_a_request_s_query_to_the_token_endpoint() -> None:
    """stack.md 2.1: and it makes a session for each resource. Ours sends the form and nothing else, over one pool."""
    kept = {"access_token": "old", "refresh_token": "r", "scope": "useraccount", "token_type": "Bearer"}
    client = pysnow.OAuthClient(client_id="i", client_secret="s", token_updater=lambda new: None, host="snow.example")
    client.set_token({**kept, "expires_in": -1, "expires_at": 1})
    one, other = client.resource("/table/incident"), client.resource("/table/incident")
    assert one.kwargs["session"] is not other.kwargs["session"]
    with responses.RequestsMock() as wire:
        wire.add("POST", f"https://snow.example{TOKEN_PATH}", json={**kept, "access_token": "new", "expires_in": 9999})
        wire.add("GET", "https://snow.example/api/now/table/incident", json={"result": []})
        client.resource("/table/incident").get(query="number=INC1")
        assert "sysparm_query" in str(wire.calls[0].request.body)


# ── the other ways ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_api_key_goes_in_its_own_header_and_nowhere_else(ground: Ground) -> None:
    ground.estate.servicenow.gate.api_keys["key-1"] = "lockstep"
    asked = recorded(ground.estate.servicenow)
    one = signed(ground, ApiKey(Secret("key-1")))
    assert opened_and_made(one).updated_by == "lockstep"
    assert {request.headers["x-sn-apikey"] for request in asked} == {"key-1"}
    assert not any("authorization" in request.headers or "key-1" in str(request.query) for request in asked)
    with pytest.raises(LockedOut):
        signed(ground, ApiKey(Secret("key-2"))).open([SCOPE])


@pytest.mark.parametrize(
    ("kind", "auth"),
    [
        ("servicenow", AccessToken(Secret("x"))),
        ("jira", AccessToken(Secret("x"))),
        ("jira", ApiKey(Secret("x"))),
        ("azure_devops", ApiKey(Secret("x"))),
        ("azure_devops", CREDENTIALS),
    ],
)
def test_a_way_to_sign_in_of_another_tracker_locks_us_out_at_once(ground: Ground, kind: str, auth: Auth) -> None:
    with pytest.raises(LockedOut):
        ground.connector(kind, auth=auth).open([SCOPES[kind]])


def test_a_bearer_token_signs_in_everywhere(ground: Ground) -> None:
    """A fixed one: ServiceNow's, Jira's personal access token, one of Entra's that somebody else renews."""
    seen: list[str] = []
    for kind in ("servicenow", "jira", "azure_devops"):
        tracker = ground.tracker(kind)

        def handle(request: Request) -> Answer:
            seen.append(request.headers.get("authorization", ""))
            return Answer(401)

        tracker.handle = handle
        with pytest.raises(LockedOut):
            ground.connector(kind, auth=Bearer(Secret("tok-1"))).open([SCOPES[kind]])
    assert seen == ["Bearer tok-1"] * 3
