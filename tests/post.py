"""A mail server on loopback for tests: what arrives is kept, and it can be closed and opened again."""

from __future__ import annotations

import email
import email.policy
import socket
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """Keeps what arrives; answers as it is told for the recipients in `replies` and for the data."""

    def __init__(self, replies: dict[str, str] | None = None, data: str = "250 taken") -> None:
        self.replies = replies or {}
        self.data = data
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        reply = self.replies.get(address, "250 fine")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.original_content)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.data

    def only(self) -> EmailMessage:
        [raw] = self.raw
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostOffice:
    """A mailbox behind a port, open from the start."""

    def __init__(self, box: Mailbox | None = None) -> None:
        self.box = box or Mailbox()
        self.port = free_port()
        self.controller: Controller | None = None
        self.open()

    def open(self) -> None:
        self.controller = Controller(self.box, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def close(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    @property
    def mails(self) -> list[EmailMessage]:
        """Everything that arrived, in order."""
        found = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.box.raw]
        return [mail for mail in found if isinstance(mail, EmailMessage)]
