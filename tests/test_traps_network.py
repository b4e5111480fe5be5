"""Certificates, proxies and the environment, with real TLS and a real forward proxy on loopback."""

from __future__ import annotations

import socketserver
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysnow
import pytest
import requests

from connectors.auth import Bearer, Entra, Secret
from connectors.base import Connector, Down, LockedOut, Unsure
from sandbox.entra import Entra as TokenEndpoint
from sandbox.hook import Hook
from sandbox.server import Server
from sync.escalation.cards import Card, post_teams
from sync.escalation.notify import NotifyDown
from sync.escalation.posting import session_to
from sync.setup import Webhook
from tests.contract import everything_said, free_port
from tests.tls import Authority, Listener, fronted, proxying, running
from tests.traps import KINDS, SCOPES, Ground, draft, everything_logged, hostile_environment, opened_and_made, swept

PASSWORD = "pröxy:pass/word"
QUOTED = "pr%C3%B6xy%3Apass%2Fword"
CARD = Card("INC7: no update", "Still there?", "k1")


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


@pytest.fixture
def refused() -> Iterator[None]:
    """For the tests in which a proxy refuses a CONNECT."""
    yield
    swept()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "Some Other CA")


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_an_authority_named_in_the_file_is_trusted_whatever_the_environment_says(
    ground: Ground, company: Authority, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hostile_environment(monkeypatch, tmp_path)
    with fronted(ground.port(kind), company.context) as front:
        one = ground.connector(kind, port=front.port, tls=True, ca=str(company.file))
        assert opened_and_made(one).key
    assert front.accepted == 1, "one connection is kept for all calls"


@pytest.mark.parametrize("kind", KINDS)
def test_an_authority_of_the_environment_is_not(
    ground: Ground, company: Authority, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company.file))
    with fronted(ground.port(kind), company.context) as front:
        one = ground.connector(kind, port=front.port, tls=True)
        with pytest.raises(Down, match=r"not trusted .*: name the file .* under `ca`"):
            one.open([SCOPES[kind]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_that_met_a_strange_certificate_was_certainly_not_applied(
    ground: Ground, company: Authority, stranger: Authority, kind: str
) -> None:
    with fronted(ground.port(kind), company.context) as front:
        one: Any = ground.connector(kind, port=front.port, tls=True, ca=str(company.file))
        one.open([SCOPES[kind]])
        one.close()
        one.transport.verify = str(stranger.file)
        with pytest.raises(Down, match="`ca`"):
            one.create(SCOPES[kind], draft(kind))
    assert ground.tracker(kind).ids() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), (b"no certificates here", "holds no certificates in PEM form")]
)
def test_a_file_of_certificates_that_broke_since_it_was_checked_is_named(
    ground: Ground, company: Authority, kind: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_bytes(content)
    with fronted(ground.port(kind), company.context) as front:
        one = ground.connector(kind, port=front.port, tls=True, ca=str(file))
        with pytest.raises(Down, match=f"`ca` of .*{said}"):
            one.open([SCOPES[kind]])


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_in_the_clear_to_a_write_sent_by_tls_leaves_it_unsure(
    ground: Ground, company: Authority, kind: str
) -> None:
    """A gateway that breaks in the middle: OpenSSL calls it by the same name as a port without TLS."""
    with fronted(ground.port(kind), company.context) as front:
        one: Any = ground.connector(kind, port=front.port, tls=True, ca=str(company.file))
        one.open([SCOPES[kind]])
        one.close()
        front.breaking = True
        with pytest.raises(Unsure):
            one.create(SCOPES[kind], draft(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_https_to_a_port_that_speaks_none_names_the_address(ground: Ground, kind: str) -> None:
    class Plain(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(5)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with running(Listener(Plain)) as listener:
        one = ground.connector(kind, port=listener.port, tls=True)
        with pytest.raises(Down, match=r"does not speak TLS there: .*`url`"):
            one.open([SCOPES[kind]])


def test_pysnow_alone_lets_the_environment_beat_the_certificates_it_was_given(
    ground: Ground, company: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """stack.md 2.4: ``REQUESTS_CA_BUNDLE`` beats ``session.verify``; with pysnow as with msal."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.file))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    session = requests.Session()
    session.verify, session.auth = str(company.file), ("lockstep", "servicenow-password")
    with fronted(ground.port("servicenow"), company.context) as front:
        client = pysnow.Client(host=f"127.0.0.1:{front.port}", session=session)
        with pytest.raises(requests.exceptions.SSLError):
            client.resource("/table/incident").get(limit=1)
    session.close()


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_environment_is_heeded(
    ground: Ground, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hostile_environment(monkeypatch, tmp_path)
    assert opened_and_made(ground.connector(kind)).key


@pytest.mark.parametrize("kind", KINDS)
def test_no_call_walks_the_environment(ground: Ground, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """stack.md 3: a third of requests' time, with every call."""
    walked: list[object] = []

    def walk(*seen: object, **options: object) -> dict[str, str]:
        walked.append(seen)
        return {}

    monkeypatch.setattr("requests.sessions.get_environ_proxies", walk)
    monkeypatch.setattr("requests.sessions.get_netrc_auth", walk)
    assert opened_and_made(ground.connector(kind)).key
    assert walked == []


def test_the_libraries_session_alone_swaps_a_bearer_token_for_a_stranger_s_password(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """stack.md 6.6: with ``trust_env``, netrc takes the place of an Authorization header; the connector's stays."""
    ground.estate.servicenow.gate.tokens["tok"] = "lockstep"
    hostile_environment(monkeypatch, tmp_path)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer tok"
        client = pysnow.Client(host=f"127.0.0.1:{ground.port('servicenow')}", session=session, use_ssl=False)
        sent = client.resource("/table/incident").get(limit=1)._response
    assert sent.request.headers["Authorization"].startswith("Basic ") and sent.status_code == 401
    one = ground.connector("servicenow", auth=Bearer(Secret("tok")))
    assert one.open([SCOPES["servicenow"]]).account == "lockstep"


# ── proxies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "connect"])
@pytest.mark.parametrize("wanted", ["", f"lockstep:{PASSWORD}"], ids=["open", "password"])
def test_every_call_goes_by_the_proxy_of_the_file(
    ground: Ground,
    company: Authority,
    kind: str,
    tls: bool,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hostile_environment(monkeypatch, tmp_path)
    everything_logged(caplog)
    user = f"lockstep:{QUOTED}@" if wanted else ""
    with fronted(ground.port(kind), company.context if tls else None) as front, proxying(wanted) as proxy:
        by = Secret(f"http://{user}127.0.0.1:{proxy.port}")
        one = ground.connector(kind, port=front.port, tls=tls, ca=str(company.file), proxy=by)
        assert opened_and_made(one).key
        assert front.accepted == len(proxy.asked) and proxy.refused == 0
        assert len(proxy.asked) == (1 if tls else one.calls())
    assert all(str(front.port) in line and line.startswith("CONNECT ") == tls for line in proxy.asked)
    assert not any(word in caplog.text for word in (PASSWORD, QUOTED, "pass/word"))


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "connect"])
def test_a_proxy_that_refuses_our_password_locks_us_out_and_it_shows_nowhere(
    ground: Ground, company: Authority, kind: str, tls: bool, caplog: pytest.LogCaptureFixture
) -> None:
    everything_logged(caplog)
    with fronted(ground.port(kind), company.context if tls else None) as front, proxying("other:words") as proxy:
        by = Secret(f"http://lockstep:{QUOTED}@127.0.0.1:{proxy.port}")
        one = ground.connector(kind, port=front.port, tls=tls, ca=str(company.file), proxy=by)
        with pytest.raises(LockedOut, match=r"proxy of \w+ refuses us \(407\): .*`proxy`") as caught:
            one.open([SCOPES[kind]])
        assert proxy.refused == 1, "a refused password is not tried again: the account would be locked"
    said = everything_said(caught.value) + caplog.text
    assert not any(word in said for word in (PASSWORD, QUOTED, "pass/word"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "connect"])
def test_a_write_that_found_the_proxy_down_was_certainly_not_applied(
    ground: Ground, company: Authority, kind: str, tls: bool
) -> None:
    with fronted(ground.port(kind), company.context if tls else None) as front:
        one: Any = ground.connector(kind, port=front.port, tls=tls, ca=str(company.file))
        one.open([SCOPES[kind]])
        one.close()
        gone = f"http://lockstep:{QUOTED}@127.0.0.1:{free_port()}"
        one.transport.proxies = {"http": gone, "https": gone}
        with pytest.raises(Down, match="its proxy does not answer; check `proxy`") as caught:
            one.create(SCOPES[kind], draft(kind))
    assert QUOTED not in everything_said(caught.value)
    assert ground.tracker(kind).ids() == []


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_does_not_connect_us_says_so(ground: Ground, company: Authority, kind: str) -> None:
    with proxying() as proxy:
        proxy.closed = True
        by = Secret(f"http://127.0.0.1:{proxy.port}")
        one = ground.connector(kind, tls=True, ca=str(company.file), proxy=by)
        with pytest.raises(Down, match=r"its proxy does not connect us \(403\)"):
            one.open([SCOPES[kind]])


# ── tokens of Entra ID ───────────────────────────────────────────────────────────────────────────────────────────────


class Principal:
    """A service principal of the estate's organisation, and its token endpoint."""

    def __init__(self, ground: Ground) -> None:
        self.ground, estate = ground, ground.estate
        self.endpoint = TokenEndpoint("entra", estate.clock)
        self.server = Server(self.endpoint, estate.clock, estate.faults, estate.log).start()
        estate.azure.bearer = self.endpoint.accepts

    def connector(self, authority: str, **options: Any) -> Connector:
        auth = Entra(self.endpoint.tenant, "lockstep-client", Secret("entra-secret"), authority)
        return self.ground.connector("azure_devops", auth=auth, **options)


@pytest.fixture
def principal(ground: Ground) -> Iterator[Principal]:
    made = Principal(ground)
    yield made
    made.server.stop()


def test_tokens_come_from_an_authority_with_a_certificate_of_the_company(
    principal: Principal, company: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hostile_environment(monkeypatch, tmp_path)
    with fronted(principal.server.port, company.context) as front:
        authority = f"https://127.0.0.1:{front.port}"
        assert opened_and_made(principal.connector(authority, ca=str(company.file))).key
        with pytest.raises(Down, match=r"Microsoft Entra ID .* not trusted .*`ca`"):
            principal.connector(authority).open([SCOPES["azure_devops"]])


@pytest.mark.usefixtures("refused")
def test_tokens_are_fetched_by_the_proxy_of_the_file(
    principal: Principal, company: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    everything_logged(caplog)
    with (
        fronted(principal.server.port, company.context) as front,
        fronted(principal.ground.port("azure_devops"), company.context) as azure,
        proxying(f"lockstep:{PASSWORD}") as proxy,
    ):
        authority, by = f"https://127.0.0.1:{front.port}", f"http://lockstep:{QUOTED}@127.0.0.1:{proxy.port}"
        options: dict[str, Any] = {"ca": str(company.file), "port": azure.port, "tls": True}
        assert opened_and_made(principal.connector(authority, proxy=Secret(by), **options)).key
        assert sorted(proxy.asked) == sorted(f"CONNECT 127.0.0.1:{port}" for port in (front.port, azure.port))
        wrong = Secret(f"http://lockstep:{QUOTED}x@127.0.0.1:{proxy.port}")
        with pytest.raises(LockedOut, match="407") as caught:
            principal.connector(authority, proxy=wrong, **options).open([SCOPES["azure_devops"]])
    assert QUOTED not in everything_said(caught.value) + caplog.text


# ── Teams ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hook(ground: Ground) -> Hook:
    return ground.estate.hook


def post(webhook: Webhook) -> None:
    with session_to(webhook) as session:
        post_teams(webhook.url.reveal(), CARD, session)


def test_a_card_goes_to_a_hook_with_a_certificate_of_the_company_by_the_proxy(
    ground: Ground, hook: Hook, company: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hostile_environment(monkeypatch, tmp_path)
    port = ground.estate.servers[hook.name].port
    with fronted(port, company.context) as front, proxying(f"lockstep:{PASSWORD}") as proxy:
        url = Secret(f"https://127.0.0.1:{front.port}/hook")
        post(Webhook(url, str(company.file), Secret(f"http://lockstep:{QUOTED}@127.0.0.1:{proxy.port}")))
        assert proxy.asked == [f"CONNECT 127.0.0.1:{front.port}"]
        assert len(hook.cards) == 1


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("fault", ["ca", "password", "password, plain", "down"])
def test_a_card_that_does_not_get_there_names_the_setting(
    ground: Ground, hook: Hook, company: Authority, stranger: Authority, fault: str
) -> None:
    port = ground.estate.servers[hook.name].port
    with fronted(port, company.context) as front, proxying("other:words") as proxy:
        by = Secret(f"http://lockstep:{QUOTED}@127.0.0.1:{free_port() if fault == 'down' else proxy.port}")
        url = f"https://127.0.0.1:{front.port}/hook" if "plain" not in fault else f"http://127.0.0.1:{port}/hook"
        ca = stranger if fault == "ca" else company
        with pytest.raises(NotifyDown, match="`ca`" if fault == "ca" else "`proxy`") as caught:
            post(Webhook(Secret(url), str(ca.file), None if fault == "ca" else by))
    assert QUOTED not in everything_said(caught.value) and hook.cards == []
