"""Mails: one attempt each, and why it failed. Nothing is retried or remembered here; `outbox` does both, and may after
a crash send the same again, which the key in each message lets its reader recognise. `cards` and `hooks` are the same
for Teams and webhooks."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import smtplib
import ssl
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.auth import Secret

#: what a mail server answered for those that it did not take
Replies = dict[str, tuple[int, bytes]]
#: ports where the address of the mail server names none
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
#: longest subject or title, and longest fact
TITLE_LENGTH, FACT_LENGTH = 200, 500

SPEC = r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\[\]\\]+"
ADDRESS = re.compile(rf"([^<>@]*)<({SPEC})>|({SPEC})")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]+")


class NotifyRefused(Exception):
    """This message will never arrive as it is: the address, the webhook or the content is wrong. Hold it. ``whom``:
    the addresses that were refused where the others were taken, ``later``: those that may be taken later."""

    def __init__(self, text: str, whom: Collection[str] = (), later: Collection[str] = ()) -> None:
        super().__init__(text)
        self.whom, self.later = frozenset(whom), frozenset(later)


class NotifyDown(Exception):
    """Not sent now; the same message may go out later. ``unsure``: nobody heard whether it was taken."""

    def __init__(self, text: str, *, unsure: bool = False) -> None:
        super().__init__(text)
        self.unsure = unsure


@dataclass(frozen=True, slots=True)
class MailSettings:
    """``server`` is ``smtp://``, ``smtp+starttls://`` or ``smtps://`` with host and port."""

    server: str
    sender: str
    user: str = ""
    password: Secret | None = None
    timeout: float = 30.0


#: labels and texts that stand under a message's own words
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """``key`` identifies it for good: the same key gives the same Message-ID. ``thread`` names the conversation that it
    belongs to (empty: none), ``first``: it begins it. ``facts`` stand under the text, then ``links``: the items' keys
    and addresses."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str
    key: str
    thread: str = ""
    first: bool = False
    facts: Facts = ()
    links: Facts = ()


# ── Mail ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_mail(settings: MailSettings, mail: Mail) -> None:
    """Hands the mail to the server, once. Raises NotifyRefused or NotifyDown, each with a sentence for an operator;
    where the server took some recipients only, the refusal names the others."""
    message = compose(settings.sender, mail)
    recipients = [address.addr_spec for name in ("To", "Cc") for address in addresses_of(message, name)]
    with naming_failures(settings), connected(settings) as server:
        refused = handed_over(server, message, addresses_of(message, "From")[0].addr_spec, recipients)
    if refused:
        whom = [address for address, (code, _) in refused.items() if verdict(code) is NotifyRefused]
        text = f"the mail server took the mail, but not for {told(refused)}"
        raise NotifyRefused(text, whom, refused.keys() - set(whom))


def handed_over(server: smtplib.SMTP, message: EmailMessage, sender: str, recipients: list[str]) -> Replies:
    """The recipients that were not taken. Where the server falls silent, it may have taken the mail."""
    try:
        return server.send_message(message, sender, recipients)
    except OSError as error:
        if isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected):
            raise
        reason = one_line(str(error)) or type(error).__name__
        raise NotifyDown(f"the mail server fell silent over the mail: {reason}", unsure=True) from None


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
    root = f"<{fingerprint(mail.thread)}@{writer.domain}>"
    begins = mail.first and bool(mail.thread)
    message["Message-ID"] = root if begins else f"<{fingerprint(mail.key)}@{writer.domain}>"
    if mail.thread and not begins:  # (RFC 5322, 3.6.4); readers find the conversation also where its first was missed
        message["In-Reply-To"] = root
        message["References"] = root
    message["Auto-Submitted"] = "auto-generated"  # so that no out-of-office reply answers
    message.set_content(clean(body_of(mail)), charset="utf-8")
    return message


def body_of(mail: Mail) -> str:
    """The admin's words, then the facts with their labels in a column, then where the items are."""
    wide = max((len(label) for label, _ in (*mail.facts, *mail.links)), default=0) + 2
    parts = [mail.facts, mail.links]
    blocks = ["\n".join(f"{label:{wide}}{one_line(text, FACT_LENGTH)}" for label, text in part) for part in parts]
    return "\n\n".join(block for block in (mail.text, *blocks) if block)


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


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:40]


def one_line(text: str, length: int = TITLE_LENGTH) -> str:
    return " ".join(clean(text).split())[:length]


def clean(text: str) -> str:
    """Without control characters and half characters, which mail and JSON cannot carry."""
    unbroken = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub(" ", unbroken).encode("utf-8", "replace").decode()
