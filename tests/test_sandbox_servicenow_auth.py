"""Who gets into the simulated ServiceNow, and how often: OAuth, API keys, second factors, sessions, rate rules."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from sandbox.servicenow.limits import RateRule
from sandbox.servicenow.oauth import Client
from sandbox.wire import Answer, Request
from tests.servicenow_wire import Wire, failure

SIGN_IN = {"client_id": "app", "client_secret": "s3cret"}
PASSWORD = {**SIGN_IN, "grant_type": "password", "username": "lockstep", "password": "pässword"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    wire.snow.gate.oauth.clients = {"app": Client("s3cret", "lockstep"), "web": Client("other")}
    yield wire
    wire.close()


def token(wire: Wire, form: dict[str, str]) -> requests.Response:
    return requests.post(f"{wire.server.url}/oauth_token.do", data=form, timeout=10)


def asked(wire: Wire, **headers: str) -> requests.Response:
    """A read without a password."""
    return requests.get(f"{wire.server.url}/api/now/table/incident", headers=headers, timeout=10)


def bearer(wire: Wire, access: str) -> requests.Response:
    return asked(wire, Authorization=f"Bearer {access}")


class TestOAuth:
    def test_a_password_gets_a_token_that_signs_in(self, wire: Wire) -> None:
        # ServiceNow docs, REST OAuth example
        answer = token(wire, PASSWORD)
        body = answer.json()
        assert answer.status_code == 200
        assert set(body) == {"access_token", "refresh_token", "scope", "token_type", "expires_in"}
        assert (body["scope"], body["token_type"], body["expires_in"]) == ("useraccount", "Bearer", 1799)
        assert len(body["access_token"]) == 86
        assert bearer(wire, body["access_token"]).status_code == 200

    def test_a_repeated_request_gets_the_current_token_with_less_time_left(self, wire: Wire) -> None:
        first = token(wire, PASSWORD).json()
        wire.clock.advance(timedelta(minutes=10))
        second = token(wire, PASSWORD).json()
        assert second == {**first, "expires_in": 1199}

    def test_a_token_that_has_run_out_is_401_and_another_is_given(self, wire: Wire) -> None:
        first = token(wire, PASSWORD).json()
        wire.clock.advance(timedelta(seconds=1799))
        assert bearer(wire, first["access_token"]).status_code == 401
        second = token(wire, PASSWORD).json()
        assert second["access_token"] != first["access_token"] and second["expires_in"] == 1799

    def test_a_refresh_token_gets_a_new_access_token_and_stays(self, wire: Wire) -> None:
        first = token(wire, PASSWORD).json()
        wire.clock.advance(timedelta(hours=1))
        form = {**SIGN_IN, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = token(wire, form).json()
        assert second["refresh_token"] == first["refresh_token"]
        assert second["access_token"] != first["access_token"]
        assert bearer(wire, second["access_token"]).status_code == 200
        wire.clock.advance(timedelta(days=100))
        assert token(wire, form).status_code == 401

    def test_client_credentials_act_as_the_client_s_user_and_get_no_refresh_token(self, wire: Wire) -> None:
        body = token(wire, {**SIGN_IN, "grant_type": "client_credentials"}).json()
        assert "refresh_token" not in body
        headers = {"Authorization": f"Bearer {body['access_token']}", "Accept": "application/json"}
        url = f"{wire.server.url}/api/now/table/incident"
        assert requests.post(url, json={}, headers=headers, timeout=10).json()["result"]["sys_created_by"] == "lockstep"
        other = {"client_id": "web", "client_secret": "other", "grant_type": "client_credentials"}
        assert token(wire, other).status_code == 401

    def test_the_client_may_sign_in_by_basic_authentication(self, wire: Wire) -> None:
        # as pysnow's OAuthClient does (stack.md 2.1)
        form = {"grant_type": "password", "username": "lockstep", "password": "pässword"}
        answer = requests.post(f"{wire.server.url}/oauth_token.do", data=form, auth=("app", "s3cret"), timeout=10)
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("changed", "standard"),
        [
            ({"client_secret": "wrong"}, (401, "invalid_client")),
            ({"client_id": "nobody"}, (401, "invalid_client")),
            ({"password": "wrong"}, (401, "invalid_grant")),
            ({"grant_type": "refresh_token"}, (401, "invalid_grant")),
            ({"grant_type": "implicit"}, (400, "unsupported_grant_type")),
        ],
    )
    def test_a_refusal_is_told_as_reported_or_as_the_standard_says(
        self, wire: Wire, changed: dict[str, str], standard: tuple[int, str]
    ) -> None:
        # reported: demisto/content-docs issue 1301; the standard: RFC 6749, 5.2
        answer = token(wire, {**PASSWORD, **changed})
        assert (answer.status_code, answer.json()) == (
            401,
            {"error_description": "access_denied", "error": "server_error"},
        )
        wire.snow.switches.oauth_errors = "rfc6749"
        answer = token(wire, {**PASSWORD, **changed})
        assert (answer.status_code, answer.json()["error"]) == standard

    def test_parameters_count_in_a_form_only(self, wire: Wire) -> None:
        url = f"{wire.server.url}/oauth_token.do"
        assert requests.post(url, json=PASSWORD, timeout=10).status_code == 401
        assert requests.post(url, params=PASSWORD, timeout=10).status_code == 401

    def test_a_user_who_is_locked_out_gets_no_token_and_loses_those_given(self, wire: Wire) -> None:
        access = token(wire, PASSWORD).json()["access_token"]
        wire.snow.gate.locked = {"lockstep"}
        assert bearer(wire, access).status_code == 401
        assert token(wire, PASSWORD).status_code == 401


class TestOtherWaysIn:
    def test_an_api_key_signs_in_by_header_or_parameter(self, wire: Wire) -> None:
        # ServiceNow docs, Configure API key
        wire.snow.gate.api_keys = {"key-1": "lockstep"}
        assert asked(wire, **{"x-sn-apikey": "key-1"}).status_code == 200
        assert failure(asked(wire, **{"x-sn-apikey": "key-2"}))[0] == 401
        url = f"{wire.server.url}/api/now/table/incident"
        assert requests.get(url, params={"x-sn-apikey": "key-1"}, timeout=10).status_code == 200

    def test_a_missing_second_factor_is_401_with_a_header_of_its_own(self, wire: Wire) -> None:
        # ServiceNow docs, Multi-factor authentication REST responses
        wire.snow.gate.mfa = {"lockstep"}
        answer = wire.call("GET")
        assert (failure(answer)[0], answer.headers["X-MFA_TOKEN"]) == (401, "invalid")
        wrong = requests.get(f"{wire.server.url}/api/now/table/incident", auth=("lockstep", "x"), timeout=10)
        assert wrong.status_code == 401 and "X-MFA_TOKEN" not in wrong.headers
        access = token(wire, PASSWORD).json()["access_token"]
        assert bearer(wire, access).status_code == 200

    def test_a_session_s_cookie_signs_in_by_itself(self, wire: Wire) -> None:
        # ServiceNow docs, REST APIs: cookies bind a request to an existing session
        wire.call("GET")
        cookie = wire.http.cookies.get_dict()["JSESSIONID"]
        assert asked(wire, Cookie=f"JSESSIONID={cookie}").status_code == 200
        assert asked(wire, Cookie=f"JSESSIONID={'0' * 32}").status_code == 401


class TestSessions:
    def test_the_twelfth_request_of_one_session_at_once_is_dropped_with_202(self, wire: Wire) -> None:
        # one runs, ten queue behind it, the next is answered 202 and dropped (apis.md 1, stack.md)
        wire.call("GET")
        cookie = wire.http.cookies.get_dict()["JSESSIONID"]
        headers = {"cookie": f"JSESSIONID={cookie}", "accept": "application/json", "content-type": "application/json"}
        answers: list[Answer] = []

        def post() -> None:
            answers.append(wire.snow.handle(Request.of("POST", "/api/now/table/incident", headers, b"{}")))

        threads = [threading.Thread(target=post) for _ in range(12)]
        with wire.snow.lock:
            for thread in threads:
                thread.start()
            while wire.snow.gate.waiting[cookie] < 12:
                pass
        for thread in threads:
            thread.join()
        assert sorted(answer.status for answer in answers) == [201] * 11 + [202]
        assert len(wire.snow.ids()) == 11

    def test_requests_without_cookies_never_queue(self, wire: Wire) -> None:
        wire.snow.gate.session_busy = True
        for _ in range(3):
            wire.http.cookies.clear()
            assert wire.call("GET").status_code == 200


class TestRateRules:
    def test_a_rule_counts_per_user_and_names_its_api_and_itself(self, wire: Wire) -> None:
        rule = RateRule(2, api="Table API")
        wire.snow.gate.rules = [rule]
        wire.snow.gate.users["other"] = "x"
        for _ in range(2):
            assert wire.call("GET").headers["X-RateLimit-Rule"] == rule.sys_id
        answer = wire.call("GET")
        told = (429, "Rate limit exceeded", "Rate limit of 2 requests per hour for Table API exceeded")
        assert failure(answer) == told
        assert int(answer.headers["Retry-After"]) == 3601
        assert "X-RateLimit-Limit" not in wire.api("GET", "attachment").headers
        url = f"{wire.server.url}/api/now/table/incident"
        assert requests.get(url, auth=("other", "x"), timeout=10).status_code == 200
        wire.clock.advance(timedelta(hours=1))
        assert wire.call("GET").status_code == 200

    @pytest.mark.parametrize(
        ("rules", "limit"),
        [
            ([RateRule(2), RateRule(3, role="import_admin"), RateRule(5, role="itil")], "3"),
            ([RateRule(2), RateRule(5, role="itil"), RateRule(10, user="lockstep")], "10"),
            ([RateRule(2), RateRule(5, role="admin"), RateRule(10, user="other")], "2"),
        ],
    )
    def test_a_rule_for_the_user_beats_the_lowest_of_the_roles_which_beats_that_for_all(
        self, wire: Wire, rules: list[RateRule], limit: str
    ) -> None:
        # the example of ServiceNow docs, Inbound REST API rate limiting
        wire.snow.grant("lockstep", "itil")
        wire.snow.grant("lockstep", "import_admin")
        wire.snow.gate.rules = rules
        assert wire.call("GET").headers["X-RateLimit-Limit"] == limit

    def test_several_nodes_count_apart_for_thirty_seconds(self, wire: Wire) -> None:
        wire.snow.gate.rules = [RateRule(2)]
        wire.snow.gate.limits.nodes = 3
        assert [wire.call("GET").status_code for _ in range(7)] == [200] * 6 + [429]
        wire.clock.advance(timedelta(seconds=30))
        assert wire.call("GET").status_code == 429

    def test_a_full_semaphore_queue_is_429_without_the_headers(self, wire: Wire) -> None:
        # apis.md 1.7 [C]
        wire.snow.gate.rules = [RateRule(9)]
        wire.snow.gate.semaphores_full = True
        answer = wire.call("GET")
        assert (answer.status_code, answer.content) == (429, b"")
        assert not [name for name in answer.headers if name.startswith(("X-RateLimit", "Retry"))]
        wire.snow.gate.semaphores_full = False
        assert wire.call("GET").status_code == 200
