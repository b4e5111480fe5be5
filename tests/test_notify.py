"""Mails against a real SMTP server, cards against a real web server."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from connectors.auth import Secret
from sync.escalation.cards import BUTTONS, CARD_LINES, Card, post_teams, teams_message
from sync.escalation.hooks import Event, post_event
from sync.escalation.notify import (
    Mail,
    MailSettings,
    NotifyDown,
    NotifyRefused,
    compose,
    place_of,
    send_mail,
)
from tests.post import Mailbox, free_port

# The server that asks for a password on loopback warns of what it does; here it is wanted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

# ── A mail server ────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def serving(box: Mailbox, scheme: str = "smtp", user: str = "", **options: Any) -> Iterator[MailSettings]:
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        password = Secret("right horse") if user else None
        yield MailSettings(f"{scheme}://127.0.0.1:{port}", "Lockstep <bot@example.org>", user, password, timeout=10)
    finally:
        controller.stop()


def a_mail(**changes: Any) -> Mail:
    fields: dict[str, Any] = {
        "to": ("ann@example.org",),
        "cc": (),
        "subject": "INC7: no update",
        "text": "Still there?",
        "key": "k1",
    }
    return Mail(**{**fields, **changes})


def accept(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    # handled=False leaves it to the server to answer 535; by default it would say nothing.
    return AuthResult(success=(data.login, data.password) == (b"bot", b"right horse"), handled=False)


SIGNING_IN: dict[str, Any] = {"authenticator": accept, "auth_required": True, "auth_require_tls": False}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, *kept) + made.public_bytes(pem))
    return path


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


# ── Mail ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_arrives_as_it_was_written() -> None:
    box = Mailbox()
    with serving(box) as settings:
        send_mail(
            settings, a_mail(cc=("Åsa <asa@example.org>",), subject="Überfällig: INC7", text="Grüße 🚀\n.\nEnde\n")
        )
    message = box.only()
    assert box.envelopes == [("bot@example.org", ["ann@example.org", "asa@example.org"])]
    assert message["From"] == "Lockstep <bot@example.org>"
    assert (message["To"], message["Cc"]) == ("ann@example.org", "Åsa <asa@example.org>")
    assert message["Subject"] == "Überfällig: INC7"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo is not None
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines() == ["Grüße 🚀", ".", "Ende"]


def test_the_same_key_gives_the_same_message_id_and_another_another() -> None:
    ids = [compose("bot@example.org", a_mail(key=key, text=text))["Message-ID"] for key, text in ("ax", "ay", "bx")]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("<")
    assert ids[0].endswith("@example.org>")


def test_the_mails_of_one_thread_find_each_other_also_where_the_first_was_missed() -> None:
    first, second, third = (
        compose("bot@example.org", a_mail(key=key, thread="link:x", first=key == "k1")) for key in ("k1", "k2", "k3")
    )
    root = first["Message-ID"]
    assert first["References"] is None
    assert second["References"] == second["In-Reply-To"] == third["References"] == root
    assert len({root, second["Message-ID"], third["Message-ID"]}) == 3
    assert compose("bot@example.org", a_mail(key="k1", first=True))["Message-ID"] != root
    assert compose("bot@example.org", a_mail(key="k9", thread="link:y"))["References"] != root


def test_the_facts_stand_under_the_admins_words_and_then_the_addresses() -> None:
    facts = (("Why", "nothing has moved\nfor 2 days"), ("Last word", "Ann"))
    mail = a_mail(text="Still there?", facts=facts, links=(("INC7", "https://x.example.org/7"),))
    assert compose("bot@example.org", mail).get_content().splitlines() == [
        "Still there?", "",
        "Why        nothing has moved for 2 days", "Last word  Ann", "",
        "INC7       https://x.example.org/7",
    ]  # fmt: skip


def test_who_is_named_twice_gets_one_mail() -> None:
    box = Mailbox()
    with serving(box) as settings:
        send_mail(settings, a_mail(to=("ann@example.org", "Ann <ann@example.org>")))
    assert box.envelopes[0][1] == ["ann@example.org"]


@given(st.text(max_size=300), st.text(max_size=2000))
def test_no_text_adds_a_header_or_a_recipient(subject: str, text: str) -> None:
    plain = compose("bot@example.org", a_mail())
    message = email.message_from_bytes(
        compose("bot@example.org", a_mail(subject=subject, text=text)).as_bytes(), policy=email.policy.default
    )
    assert set(message.keys()) == set(plain.keys())
    assert message["To"] == "ann@example.org"


def test_a_subject_with_line_breaks_becomes_one_line() -> None:
    message = compose("bot@example.org", a_mail(subject="Late\r\nBcc: eve@example.org\n\u2028x\x00\ud800"))
    assert message["Subject"] == "Late Bcc: eve@example.org x ?"
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "", "ann", "ann@", "@example.org", "ann@example.org,eve@example.org", "ann@example.org\nBcc: eve@example.org",
        "Ann\r\nBcc: eve@example.org <ann@example.org>", "Ann <ann@example.org", "ann@example.org>", "a b@example.org",
        "<ann@example.org> <eve@example.org>", "änn@example.org", "ann@exämple.org", "ann@example.org\x00",
        "a@b@c", "..@b", "Ann\n<ann@example.org>", "\ud800@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(NotifyRefused, match="is no mail address"):
        compose("bot@example.org", a_mail(to=(address,)))
    with pytest.raises(NotifyRefused, match="is no mail address"):
        compose(address, a_mail())


def test_a_mail_to_nobody_is_refused() -> None:
    with pytest.raises(NotifyRefused, match="names nobody"):
        compose("bot@example.org", a_mail(to=()))


def test_signing_in() -> None:
    box = Mailbox()
    with serving(box, user="bot", **SIGNING_IN) as settings:
        send_mail(settings, a_mail())
    assert len(box.raw) == 1


def test_a_wrong_password_can_be_put_right_and_is_not_shown() -> None:
    box = Mailbox()
    with serving(box, user="bot", **SIGNING_IN) as settings:
        wrong = MailSettings(settings.server, settings.sender, "bot", Secret("wrong horse"))
        with pytest.raises(NotifyDown, match="does not accept user bot and its password: 535") as caught:
            send_mail(wrong, a_mail())
    assert "wrong horse" not in f"{caught.value!r} {wrong!r}"
    assert not box.raw


def test_a_server_that_asks_for_a_user_we_do_not_have_can_be_put_right() -> None:
    with serving(Mailbox(), **SIGNING_IN) as settings, pytest.raises(NotifyDown, match="530"):
        send_mail(settings, a_mail())


def test_a_password_is_never_sent_in_the_clear_to_another_machine() -> None:
    settings = MailSettings("smtp://mail.example.org", "bot@example.org", "bot", Secret("right horse"))
    with pytest.raises(NotifyDown, match=r"in the clear: write smtp\+starttls"):
        send_mail(settings, a_mail())


def test_a_recipient_the_server_does_not_know_is_refused_with_its_reason() -> None:
    box = Mailbox({"ann@example.org": "550 no such\x01 user"})
    with serving(box) as settings, pytest.raises(NotifyRefused, match=r"ann@example.org \(550 no such user\)"):
        send_mail(settings, a_mail())
    assert not box.raw


def test_where_some_are_refused_the_others_get_it_and_the_refusal_names_the_rest() -> None:
    box = Mailbox({"bob@example.org": "450 later"})
    with serving(box) as settings, pytest.raises(NotifyRefused, match=r"took the mail, but not for bob@example.org"):
        send_mail(settings, a_mail(to=("ann@example.org", "bob@example.org")))
    assert box.envelopes[0][1] == ["ann@example.org"]


def test_a_recipient_put_off_is_tried_later() -> None:
    box = Mailbox({"ann@example.org": "450 greylisted"})
    with serving(box) as settings, pytest.raises(NotifyDown, match="greylisted"):
        send_mail(settings, a_mail())


@pytest.mark.parametrize("reply, failure", [("554 spam", NotifyRefused), ("451 disk full", NotifyDown)])
def test_content_that_is_not_taken(reply: str, failure: type[Exception]) -> None:
    with serving(Mailbox(data=reply)) as settings, pytest.raises(failure, match=reply):
        send_mail(settings, a_mail())


def test_a_server_that_is_down_is_tried_later() -> None:
    port = free_port()
    with pytest.raises(NotifyDown, match=f"mail server 127.0.0.1:{port} cannot be reached"):
        send_mail(MailSettings(f"smtp://127.0.0.1:{port}", "bot@example.org"), a_mail())


@pytest.mark.parametrize("greeting, says", [(b"554 go away\r\n", "turns us away: 554"), (b"", "cannot be reached")])
def test_a_server_that_turns_us_away_is_tried_later(greeting: bytes, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: greet(listener, greeting))
        thread.start()
        with pytest.raises(NotifyDown, match=says):
            send_mail(MailSettings(f"smtp://127.0.0.1:{listener.getsockname()[1]}", "bot@example.org"), a_mail())
        thread.join()


def greet(listener: socket.socket, greeting: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(greeting)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = MailSettings(f"smtp://127.0.0.1:{listener.getsockname()[1]}", "bot@example.org", timeout=0.2)
        with pytest.raises(NotifyDown, match="timed out"):
            send_mail(settings, a_mail())


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_encrypted(scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    box = Mailbox()
    context = tls(certificate)
    if scheme == "smtps":
        options: dict[str, Any] = {"ssl_context": context}
    else:
        options = {"tls_context": context, "require_starttls": True, "authenticator": accept, "auth_required": True}
    with serving(box, scheme, user="" if scheme == "smtps" else "bot", **options) as settings:
        send_mail(settings, a_mail())
    assert len(box.raw) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_nobody_vouches_for_stops_the_mail(scheme: str, certificate: Path) -> None:
    box = Mailbox()
    context = tls(certificate)
    options: dict[str, Any] = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
    with serving(box, scheme, **options) as settings, pytest.raises(NotifyDown, match="cannot be trusted"):
        send_mail(settings, a_mail())
    assert not box.raw


def test_a_server_without_tls_is_not_used_without() -> None:
    box = Mailbox()
    with serving(box, "smtp+starttls") as settings, pytest.raises(NotifyDown, match="cannot do what its address"):
        send_mail(settings, a_mail())
    assert not box.raw


def test_addresses_of_servers() -> None:
    assert place_of("smtp://mail.example.org") == ("smtp", "mail.example.org", 25)
    assert place_of("smtp+starttls://mail.example.org") == ("smtp+starttls", "mail.example.org", 587)
    assert place_of("smtps://[::1]:1465") == ("smtps", "::1", 1465)


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://h:99999", "smtp://["]
)
def test_a_wrong_server_address_says_what_to_write(url: str) -> None:
    with pytest.raises(NotifyRefused, match="write it as in smtp://"):
        send_mail(MailSettings(url, "bot@example.org"), a_mail())


# ── Cards ────────────────────────────────────────────────────────────────────────────────────────────────────────

SECRET = "sig-4f9a"


class Hook:
    """A webhook that keeps what is posted and answers as told."""

    def __init__(self, status: int = 202, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers or {}
        self.posted: list[tuple[str, dict[str, str], Any]] = []


@contextmanager
def hooked(hook: Hook) -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.posted.append((self.path, dict(self.headers), body))
            self.send_response(hook.status)
            for name, value in {**hook.headers, "Content-Length": str(len(hook.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(hook.body)

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/workflows/{SECRET}?sig={SECRET}"
        finally:
            server.shutdown()
            thread.join()


CARD = Card("INC7: no update", "Still there?\nSince Monday.", "k1")


@pytest.mark.parametrize("status", [200, 202])
def test_a_card_arrives(status: int) -> None:
    hook = Hook(status)
    with hooked(hook) as url:
        post_teams(url, CARD)
    [(path, headers, body)] = hook.posted
    assert path.endswith(SECRET)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert body["type"] == "message"
    [attachment] = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    texts = [block["inlines"][0]["text"] for block in attachment["content"]["body"]]
    assert texts == ["INC7: no update", "Still there?", "Since Monday."]


def test_the_same_card_has_the_same_key() -> None:
    hook = Hook()
    with hooked(hook) as url:
        for key in ("k1", "k1", "k2"):
            post_teams(url, Card("t", "x", key))
    first, second, third = (headers["Idempotency-Key"] for _, headers, _ in hook.posted)
    assert first == second != third


@pytest.mark.parametrize(
    "status, failure",
    [
        (400, NotifyRefused), (401, NotifyRefused), (404, NotifyRefused), (413, NotifyRefused), (302, NotifyRefused),
        (408, NotifyDown), (429, NotifyDown), (500, NotifyDown), (503, NotifyDown),
    ],
)  # fmt: skip
def test_a_card_that_is_not_taken(status: int, failure: type[Exception]) -> None:
    hook = Hook(status, headers={"Location": "/elsewhere"} if status == 302 else None)
    with hooked(hook) as url, pytest.raises(failure, match=f"HTTP {status}"):
        post_teams(url, CARD)
    assert len(hook.posted) == 1


def test_the_flows_own_reason_is_told_without_its_sentences() -> None:
    reason = {"error": {"code": "TriggerInputSchemaMismatch", "message": f"no flow at /workflows/{SECRET}"}}
    hook = Hook(400, json.dumps(reason).encode())
    with hooked(hook) as url, pytest.raises(NotifyRefused, match="HTTP 400 TriggerInputSchemaMismatch") as caught:
        post_teams(url, CARD)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"error": {"code": ["x"]}}', b"\xff"])
def test_a_reply_that_says_nothing_useful_is_still_named(body: bytes) -> None:
    with hooked(Hook(400, body)) as url, pytest.raises(NotifyRefused, match=r"\(HTTP 400\)"):
        post_teams(url, CARD)


def test_a_hook_that_is_down_is_tried_later() -> None:
    with pytest.raises(NotifyDown, match=r"cannot be reached \(ConnectionError\)"):
        post_teams(f"http://127.0.0.1:{free_port()}/{SECRET}", CARD)


def test_a_hook_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NotifyDown, match="ReadTimeout"):
        post_teams(f"http://127.0.0.1:{listener.getsockname()[1]}/{SECRET}", CARD, timeout=(1, 0.2))


@pytest.mark.parametrize("url", ["", SECRET, f"ftp://{SECRET}", f"http://[{SECRET}", f"http://*.{SECRET}\n/"])
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises((NotifyRefused, NotifyDown)) as caught:
        post_teams(url, CARD)
    assert SECRET not in everything_said(caught.value)


def everything_said(error: BaseException | None) -> str:
    """An exception and all that it carries along."""
    return f"{error!r} {everything_said(error.__cause__)} {everything_said(error.__context__)}" if error else ""


def test_the_url_is_in_no_log_and_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with hooked(Hook(202)) as url:
        post_teams(url, CARD)
    for status in (400, 500):
        with hooked(Hook(status)) as url, pytest.raises((NotifyRefused, NotifyDown)) as caught:
            post_teams(url, CARD)
        assert SECRET not in everything_said(caught.value)
    with pytest.raises(NotifyDown) as caught:
        post_teams(url, CARD)  # nobody listens there any more
    assert SECRET not in everything_said(caught.value)
    assert SECRET not in caplog.text


def test_other_calls_are_still_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with hooked(Hook()) as url, requests.Session() as session:
        post_teams(url, CARD, session)
        session.post(url, json={})
    assert caplog.text.count("POST /workflows/") == 1


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    hook = Hook()
    with hooked(hook) as url:
        post_teams(url, CARD)
    assert len(hook.posted) == 1


@given(st.text(max_size=300), st.one_of(st.text(), st.text(alphabet='"\\\n🚀\x00', min_size=8000, max_size=12000)))
def test_every_card_fits_and_shows_text_as_text(title: str, text: str) -> None:
    message = teams_message(Card(title, text, "k"))
    assert len(json.dumps(message, ensure_ascii=False).encode()) < 28_000
    blocks = message["attachments"][0]["content"]["body"]
    assert {block["type"] for block in blocks} == {"RichTextBlock"}


def test_a_long_card_says_that_it_goes_on() -> None:
    blocks = teams_message(Card("t", "line\n" * 1000, "k"))["attachments"][0]["content"]["body"]
    assert len(blocks) == 1 + CARD_LINES + 1
    assert blocks[-1]["inlines"][0]["text"] == "…"


def test_a_card_shows_its_facts_and_a_button_for_each_item() -> None:
    links = (("INC7", "https://x.example.org/7"), ("SHOP-1", ""), ("PBI 2", "javascript:alert(1)"))
    card = Card("t", "x", "k", (("Last word", "[Ann](https://evil) **now**"),), links)
    content = teams_message(card)["attachments"][0]["content"]
    label, words = content["body"][-1]["inlines"]
    assert (label["text"], label["weight"]) == ("Last word: ", "Bolder")
    assert words == {"type": "TextRun", "text": "[Ann](https://evil) **now**"}
    assert content["actions"] == [{"type": "Action.OpenUrl", "title": "INC7", "url": "https://x.example.org/7"}]


def test_a_card_with_many_facts_and_items_still_fits() -> None:
    links = tuple((f"INC{n}", f"https://x.example.org/{'a' * 900}/{n}") for n in range(60))
    card = Card("t" * 500, "🚀" * 9000, "k", tuple((f"Told {n}", "🚀" * 600) for n in range(60)), links)
    message = teams_message(card)
    assert len(json.dumps(message, ensure_ascii=False).encode()) < 28_000
    assert len(message["attachments"][0]["content"]["actions"]) == BUTTONS


# ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

EVENT = Event("INC7", "Still there?", "k1", {"rule": "quiet", "step": 1})
KEY = base64.b64encode(b"a key of some length").decode()


def signature(headers: dict[str, str], body: bytes, key: bytes) -> str:
    """As any receiver works it out (standardwebhooks.com)."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("secret, key", [(f"whsec_{KEY}", b"a key of some length"), ("plain words", b"plain words")])
def test_an_event_is_signed_so_that_its_receiver_can_check_it(secret: str, key: bytes) -> None:
    hook = Hook(204)
    with hooked(hook) as url:
        post_event("pager", url, Secret(secret), EVENT)
    [(_, headers, body)] = hook.posted
    told = lowered(headers)
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    assert told["webhook-signature"] == signature(told, raw, key)
    assert abs(int(told["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert told["content-type"] == "application/json; charset=utf-8"
    assert body == {
        "type": "lockstep.rule.fired",
        "title": "INC7",
        "text": "Still there?",
        "data": {"rule": "quiet", "step": 1},
    }


def test_the_same_event_has_the_same_id_and_without_a_secret_no_signature() -> None:
    hook = Hook()
    with hooked(hook) as url:
        for key in ("k1", "k1", "k2"):
            post_event("pager", url, None, Event("t", "x", key))
    first, second, third = (lowered(headers) for _, headers, _ in hook.posted)
    assert first["webhook-id"] == second["webhook-id"] != third["webhook-id"]
    assert "webhook-signature" not in first
    assert hook.posted[0][2]["type"] == "lockstep.notice"


@pytest.mark.parametrize(
    "status, failure, says",
    [
        (400, NotifyRefused, r"the webhook pager refused the message \(HTTP 400\)"),
        (302, NotifyRefused, "refused the message"),
        (401, NotifyDown, "does not accept our signature"),
        (403, NotifyDown, "check `secret` on both sides"),
        (429, NotifyDown, "at the moment"),
        (503, NotifyDown, "at the moment"),
    ],
)
def test_an_event_that_is_not_taken(status: int, failure: type[Exception], says: str) -> None:
    with hooked(Hook(status)) as url, pytest.raises(failure, match=says) as caught:
        post_event("pager", url, Secret("right horse"), EVENT)
    assert SECRET not in everything_said(caught.value)
    assert "right horse" not in everything_said(caught.value)


def test_an_event_for_nobody_is_tried_later() -> None:
    with pytest.raises(NotifyDown, match=r"the webhook pager cannot be reached \(ConnectionError\)"):
        post_event("pager", f"http://127.0.0.1:{free_port()}/{SECRET}", None, EVENT)
