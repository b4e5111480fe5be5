"""What msal alone is caught by, shown with the library itself, and what our tokens of Entra ID do instead."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msal
import pytest
import responses

from connectors.auth import Entra, EntraCertificate, Secret
from connectors.base import Busy, Down, LockedOut
from connectors.entra import Tokens
from sandbox.entra import Entra as TokenEndpoint
from sandbox.faults import Fault
from sandbox.server import Server
from sandbox.wire import Answer
from tests.contract import everything_said, settable_clock
from tests.tls import application_certificate
from tests.traps import SCOPES, Ground, draft, everything_logged, opened_and_made

SCOPE = SCOPES["azure_devops"]
TENANT = "11111111-2222-3333-4444-555555555555"
LOGIN = f"https://login.example/{TENANT}"
TOKEN = f"{LOGIN}/oauth2/v2.0/token"


class Principal(Ground):
    """The estate, whose organisation knows a service principal, and the principal's token endpoint."""

    def __init__(self) -> None:
        super().__init__()
        estate = self.estate
        self.endpoint = TokenEndpoint("entra", estate.clock)
        self.server = Server(self.endpoint, estate.clock, estate.faults, estate.log).start()
        estate.azure.bearer = self.endpoint.accepts

    def auth(self, secret: str = "entra-secret") -> Entra:
        return Entra(TENANT, "lockstep-client", Secret(secret), self.server.url)

    def certified(self, pem: str) -> EntraCertificate:
        return EntraCertificate(TENANT, "lockstep-client", Secret(pem), self.server.url)

    def token_calls(self) -> int:
        return self.estate.log.count("entra", "POST")

    def answering(self, answer: Answer, times: int = 1) -> Fault:
        return self.estate.faults.add(Fault("answer", tracker="entra", method="POST", times=times, answer=answer))

    def close(self) -> None:
        super().close()
        self.server.stop()


@pytest.fixture
def principal() -> Iterator[Principal]:
    made = Principal()
    yield made
    made.close()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """A token endpoint that is no Microsoft one, so that msal asks nobody else about it."""
    endpoints = {"token_endpoint": TOKEN, "authorization_endpoint": f"{LOGIN}/auth", "issuer": f"{LOGIN}/v2.0"}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("GET", f"{LOGIN}/v2.0/.well-known/openid-configuration", json=endpoints)
        yield mock


def alone() -> Any:
    """The library by itself."""
    return msal.ConfidentialClientApplication(
        "client", client_credential="s", authority=LOGIN, instance_discovery=False
    )


def ours() -> Tokens:
    return Tokens(Entra(TENANT, "client", Secret("s"), "https://login.example"), settable_clock())


# ── what the library does ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_authority_over_http_is_refused(principal: Principal) -> None:
    """stack.md 2.4. Ours stands in for it, for a loopback authority, as every other test of this file shows."""
    with pytest.raises(ValueError, match="https"):
        msal.ConfidentialClientApplication("c", client_credential="s", authority=f"{principal.server.url}/{TENANT}")


def test_a_failure_is_remembered_and_repeated_without_asking(wire: responses.RequestsMock) -> None:
    """stack.md 2.4, 6.5: so our own tries would all see the first failure."""
    refused = wire.add("POST", TOKEN, status=503, body="busy", headers={"Retry-After": "1800"})
    app = alone()
    for _ in range(2):
        with pytest.raises(msal.exceptions.MsalServiceError):
            app.acquire_token_for_client(scopes=["x/.default"])
    assert refused.call_count == 1

    tokens = ours()
    with pytest.raises(Busy):
        tokens.token()
    tokens.transport.clock.sleep(1801)
    wire.replace("POST", TOKEN, json={"access_token": "live", "expires_in": 3599, "token_type": "Bearer"})
    assert tokens.token() == "live"


def test_a_refusal_is_a_dict_that_looks_like_any_other_answer(wire: responses.RequestsMock) -> None:
    """stack.md 2.4, apis.md 4.3."""
    wire.add("POST", TOKEN, status=401, json={"error": "invalid_client", "error_description": "AADSTS7000215: no"})
    assert alone().acquire_token_for_client(scopes=["x/.default"])["error"] == "invalid_client"
    with pytest.raises(LockedOut, match="AADSTS7000215"):
        ours().token()


def test_half_an_answer_is_logged_whole_with_the_token_in_it(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    everything_logged(caplog)
    wire.add("POST", TOKEN, body='{"access_token": "a-live-token", "expires_')
    logging.getLogger("msal.oauth2cli.oauth2").setLevel(logging.NOTSET)
    with pytest.raises(ValueError):
        alone().acquire_token_for_client(scopes=["x/.default"])
    assert "a-live-token" in caplog.text

    caplog.clear()
    with pytest.raises(Down, match="not JSON") as caught:
        ours().token()
    assert "a-live-token" not in everything_said(caught.value) + caplog.text


@pytest.mark.parametrize("status", [200, 400, 500, 502])
def test_a_page_instead_of_a_token_is_down(wire: responses.RequestsMock, status: int) -> None:
    """A gateway's, on the way; not a tenant that does not exist."""
    wire.add("POST", TOKEN, status=status, body="<html>Maintenance</html>", content_type="text/html")
    with pytest.raises(Down):
        ours().token()


# ── rest, threads, tokens that run out ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [b'{"error": "too_many_requests"}', b"<html>", b""])
def test_an_endpoint_that_asks_for_rest_is_left_alone_and_azure_devops_was_not_asked(
    principal: Principal, body: bytes
) -> None:
    one: Any = principal.connector("azure_devops", auth=principal.auth())
    one.open([SCOPE])
    one.service.tokens.forget()
    principal.answering(Answer(429, body, {"Retry-After": "300", "Content-Type": "application/json"}))
    until = principal.estate.clock.now() + timedelta(seconds=300)
    for _ in range(2):
        with pytest.raises(Busy) as caught:
            one.create(SCOPE, draft("azure_devops"))
        assert abs(caught.value.until - until) < timedelta(seconds=2)
    assert principal.token_calls() == 2 and principal.estate.azure.ids() == []
    principal.estate.clock.set(until + timedelta(seconds=1))
    assert one.create(SCOPE, draft("azure_devops")).key


def test_many_cold_threads_ask_for_one_token(principal: Principal) -> None:
    """stack.md 2.4: eight cold threads of msal's asked twice."""
    one = principal.connector("azure_devops", auth=principal.auth())
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda id: one.read(SCOPE, [id]), map(str, range(1, 9))))
    assert principal.token_calls() == 1


@pytest.mark.parametrize("by", ["secret", "certificate"])
def test_a_token_that_runs_out_in_the_middle_of_a_pass_is_renewed_and_nothing_is_made_twice(
    principal: Principal, by: str
) -> None:
    auth = principal.auth() if by == "secret" else principal.certified(certified(principal))
    one = principal.connector("azure_devops", auth=auth)
    record = opened_and_made(one)
    principal.estate.clock.advance(timedelta(hours=2))
    one.say(SCOPE, record, "discussion", "still here")
    assert principal.token_calls() == 2
    assert len(principal.estate.azure.comments(record.ref.id)) == 1


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────────


def certified(principal: Principal) -> str:
    """Uploads a certificate for the application; what the admin keeps of it."""
    pem, public = application_certificate()
    known = principal.endpoint.clients["lockstep-client"]
    principal.endpoint.clients["lockstep-client"] = replace(known, certificate=public)
    return pem


def test_a_principal_signs_in_by_certificate(principal: Principal) -> None:
    one = principal.connector("azure_devops", auth=principal.certified(certified(principal)))
    assert opened_and_made(one).key
    assert principal.token_calls() == 1


def test_a_certificate_that_was_not_uploaded_is_locked_out_and_the_key_shows_nowhere(
    principal: Principal, caplog: pytest.LogCaptureFixture
) -> None:
    everything_logged(caplog)
    certified(principal)
    pem, _ = application_certificate()
    with pytest.raises(LockedOut, match=r"AADSTS700027: The certificate .* is not registered") as caught:
        principal.connector("azure_devops", auth=principal.certified(pem)).open([SCOPE])
    assert pem.splitlines()[1] not in everything_said(caught.value) + caplog.text


@pytest.mark.parametrize("fault", ["key", "certificate", "pair"])
def test_what_cannot_sign_is_locked_out_with_the_setting_to_look_at(principal: Principal, fault: str) -> None:
    pem = certified(principal)
    lines = pem.splitlines()
    broken = {
        "key": pem.replace(lines[3], "A" * 64),
        "certificate": pem.replace(lines[lines.index("-----BEGIN CERTIFICATE-----") + 1], "A" * 64),
        "pair": pem.partition("-----BEGIN CERTIFICATE")[0] + application_certificate()[1],
    }[fault]
    with pytest.raises(LockedOut, match="`certificate`") as caught:
        principal.connector("azure_devops", auth=principal.certified(broken)).open([SCOPE])
    assert lines[1] not in everything_said(caught.value) and principal.token_calls() == 0
