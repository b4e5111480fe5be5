"""Mails and Teams cards: one attempt each, and why it failed. Nothing is retried or remembered here; `outbox` does
both, and may after a crash send the same again, which the key in each message lets its reader recognise."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from connectors.auth import Secret
from connectors.unreached import by_setting
from connectors.wire import Wire
from sync.setup import Webhook

#: ports where the address of the mail server names none
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
#: Teams drops messages over 28 KB: these leave room for what the card adds around each line
CARD_BYTES, CARD_LINES, TITLE_LENGTH = 10_000, 60, 200

SPEC = r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\[\]\\]+"
ADDRESS = re.compile(rf"([^<>@]*)<({SPEC})>|({SPEC})")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]+")


class NotifyRefused(Exception):
    """This message will never arrive as it is: the address, the webhook or the content is wrong. Hold it."""


class NotifyDown(Exception):
    """Not sent now; the same message may go out later."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """``server`` is ``smtp://``, ``smtp+starttls://`` or ``smtps://`` with host and port."""

    server: str
    sender: str
    user: str = ""
    password: Secret | None = None
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Mail:
    """``key`` identifies it for good: the same key gives the same Message-ID."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Card:
    """``key`` identifies it for good, as with a mail."""

    title: str
    text: str
    key: str


# ── Mail ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_mail(settings: MailSettings, mail: Mail) -> None:
    """Hands the mail to the server, once. Raises NotifyRefused or NotifyDown, each with a sentence for an operator;
    where the server took some recipients only, the refusal names the others."""
    message = compose(settings.sender, mail)
    recipients = [address.addr_spec for name in ("To", "Cc") for address in addresses_of(message, name)]
    with naming_failures(settings), connected(settings) as server:
        refused = server.send_message(message, addresses_of(message, "From")[0].addr_spec, recipients)
    if refused:
        raise NotifyRefused(f"the mail server took the mail, but not for {told(refused)}")


def compose(sender: str, mail: Mail) -> EmailMessage:
    """The mail as it goes out. Text from the trackers reaches the subject and the body only, and the subject is one
    line, so it can add no header and no recipient."""
    if not mail.to:
        raise NotifyRefused("the mail names nobody in `to`")
    message = EmailMessage(policy=SMTP)
    writer = address_of(sender)
    message["From"] = writer
    message["To"] = unique(mail.to)
    if mail.cc:
        message["Cc"] = unique(mail.cc)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{fingerprint(mail.key)}@{writer.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no out-of-office reply answers
    message.set_content(clean(mail.text), charset="utf-8")
    return message


def unique(texts: tuple[str, ...]) -> tuple[Address, ...]:
    return tuple({address.addr_spec: address for address in map(address_of, texts)}.values())


def address_of(text: str) -> Address:
    """``ann@example.org`` or ``Ann <ann@example.org>``; anything else is refused, line breaks and lists above all."""
    wrong = NotifyRefused(f'"{one_line(text)}" is no mail address: write name@host in ASCII')
    found = ADDRESS.fullmatch(text.strip())
    if found is None or CONTROLS.search(text) or "\n" in text.strip():
        raise wrong
    try:
        return Address((found[1] or "").strip(), addr_spec=(found[2] or found[3]).encode("ascii").decode())
    except (ValueError, IndexError, HeaderParseError):
        raise wrong from None


def addresses_of(message: EmailMessage, header: str) -> tuple[Address, ...]:
    return message[header].addresses if header in message else ()


@contextmanager
def connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """A session that is signed in where a user is set. How it ends no longer matters once the mail is taken."""
    server = dial(settings)
    try:
        if settings.user:
            server.login(settings.user, settings.password.reveal() if settings.password else "")
        yield server
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


def dial(settings: MailSettings) -> smtplib.SMTP:
    scheme, host, port = place_of(settings.server)
    if settings.user and scheme == "smtp" and not is_loopback(host):
        raise NotifyDown(f"no password is sent in the clear: write smtp+starttls://{host} or smtps://{host}")
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=settings.timeout, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=settings.timeout)
    if scheme == "smtp+starttls":
        start_tls(server)
    return server


def start_tls(server: smtplib.SMTP) -> None:
    try:
        server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise


def place_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a mail server's address."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        parts, port = urlsplit(""), 0
    if not parts.hostname:
        raise NotifyRefused("the mail server's address is wrong: write it as in smtp://mail.example.org:587")
    return parts.scheme, parts.hostname, port


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def naming_failures(settings: MailSettings) -> Iterator[None]:
    """Turns what smtplib raises into a refusal or a failure. A wrong password or certificate is a failure, not a
    refusal: it is put right on our side, and the mails that waited then go out."""
    _, host, port = place_of(settings.server)
    where = f"mail server {host}:{port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise NotifyDown(f"{where} does not accept user {settings.user} and its password: {said(error)}") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise recipients_refused(where, error) from None
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        raise NotifyDown(f"{where} turns us away: {said(error)}") from None
    except smtplib.SMTPResponseException as error:
        raise verdict(error.smtp_code)(f"{where} did not take the mail: {said(error)}") from None
    except smtplib.SMTPNotSupportedError as error:
        raise NotifyDown(f"{where} cannot do what its address or user asks for: {one_line(str(error))}") from None
    except ssl.SSLCertVerificationError as error:
        raise NotifyDown(f"{where} shows a certificate that cannot be trusted: {error.verify_message}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotifyDown(f"{where} cannot be reached: {one_line(str(error)) or type(error).__name__}") from None


def recipients_refused(where: str, error: smtplib.SMTPRecipientsRefused) -> NotifyRefused | NotifyDown:
    """Nobody was taken. While one of them may be taken later, the whole mail may."""
    later = any(code < 500 for code, _ in error.recipients.values())
    return (NotifyDown if later else NotifyRefused)(f"{where} does not take mail for {told(error.recipients)}")


def verdict(code: int) -> Callable[[str], NotifyRefused | NotifyDown]:
    """By an SMTP reply to the mail: 5xx is for good, but for 530, which asks us to sign in; the rest is for now."""
    return NotifyRefused if 500 <= code < 600 and code != 530 else NotifyDown


def told(refused: Any) -> str:
    """Recipients and the server's reason for each."""
    return "; ".join(f"{address} ({code} {text_of(reply)})" for address, (code, reply) in refused.items())


def said(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {text_of(error.smtp_error)}"


def text_of(reply: bytes | str) -> str:
    return one_line(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)


# ── Teams ────────────────────────────────────────────────────────────────────────────────────────────────────────


def post_teams(
    url: str, card: Card, session: requests.Session | None = None, timeout: tuple[float, float] = (5, 30)
) -> None:
    """Posts the card to the webhook, once. The URL is a secret: whoever has it can write to the channel; no message
    of an exception holds it, and nothing of the call is logged."""
    with hushed():
        status, code = deliver(url, card, session, timeout)
    if 200 <= status < 300:
        return
    if status == 407:
        raise NotifyDown("the proxy of the Teams webhook refuses us (407): check the user and password in `proxy`")
    reply = f"HTTP {status}{f' {code}' if code else ''}"
    if status in (408, 425, 429) or status >= 500:
        raise NotifyDown(f"the Teams webhook does not take cards at the moment ({reply})")
    raise NotifyRefused(f"the Teams webhook refused the card ({reply}): check that its URL is whole and its flow is on")


def deliver(url: str, card: Card, session: requests.Session | None, timeout: tuple[float, float]) -> tuple[int, str]:
    """The reply's status and error code. What requests raises holds the URL, so ours is raised outside its ``except``
    and carries nothing of it along."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": fingerprint(card.key)}
    body = json.dumps(teams_message(card), ensure_ascii=False).encode()
    failure: Exception
    try:
        with borrowed(session) as used:
            reply = used.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False)
            return reply.status_code, error_code(reply, url)
    except ValueError:  # what requests says of a URL that is none
        failure = NotifyRefused("the Teams webhook's URL is none: copy it again from the flow")
    except OSError as error:
        set_wrong = by_setting("the Teams webhook", error)
        failure = NotifyDown(str(set_wrong or f"the Teams webhook cannot be reached ({type(error).__name__})"))
    raise failure


@contextmanager
def borrowed(session: requests.Session | None) -> Iterator[requests.Session]:
    """The caller's session, left open, or one of our own."""
    if session is not None:
        yield session
        return
    with session_to(Webhook(Secret(""))) as own:
        yield own


def session_to(webhook: Webhook) -> requests.Session:
    """A session that goes the webhook's way and heeds no proxy, password or certificate of the environment."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", Wire())
    session.mount("https://", Wire())
    session.verify = webhook.ca or True
    if webhook.proxy is not None:
        session.proxies = {"http": webhook.proxy.reveal(), "https": webhook.proxy.reveal()}
    return session


def error_code(reply: requests.Response, url: str) -> str:
    """The one word that a flow gives as its reason. Its sentences are left out: they may quote the URL."""
    try:
        code = reply.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z]{3,60}", code) and code not in url else ""


def teams_message(card: Card) -> dict[str, Any]:
    """The card as a Teams workflow takes it. Text runs show markup as it is written: text from a tracker can make no
    link and mention nobody."""
    text, whole = shortened(clean(card.text))
    lines = [*text, *([] if whole else ["…"])]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [run(one_line(card.title), weight="Bolder", size="Medium"), *(run(line) for line in lines)],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def shortened(text: str) -> tuple[list[str], bool]:
    """The lines that fit a card, and whether that is all of them."""
    cut = text.encode()[:CARD_BYTES].decode(errors="ignore")
    lines = [line for line in cut.splitlines() if line.strip()]
    return lines[:CARD_LINES], cut == text and len(lines) <= CARD_LINES


#: whether this thread is posting to a webhook
posting: ContextVar[bool] = ContextVar("posting", default=False)


@contextmanager
def hushed() -> Iterator[None]:
    """While it lasts urllib3 logs nothing in this thread: at DEBUG it would log the path, which is the secret."""
    token = posting.set(True)
    try:
        yield
    finally:
        posting.reset(token)


def not_posting(record: logging.LogRecord) -> bool:
    return not posting.get()


logging.getLogger("urllib3.connectionpool").addFilter(not_posting)


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:40]


def one_line(text: str) -> str:
    return " ".join(clean(text).split())[:TITLE_LENGTH]


def clean(text: str) -> str:
    """Without control characters and half characters, which mail and JSON cannot carry."""
    unbroken = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub(" ", unbroken).encode("utf-8", "replace").decode()
