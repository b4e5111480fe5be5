"""A shipped playbook at work, for tests that read like its document: the playbook's own file with only addresses and
secrets replaced, simulated trackers over HTTP, a real mail server, and the far end of a Teams webhook."""

from __future__ import annotations

import email
import email.policy
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from sandbox.estate import AZURE_PAT, JIRA_TOKEN, SERVICENOW_PASSWORD
from sandbox.premises import MAIL_PASSWORD, PLACES, Premises
from tests.post import Mailbox, free_port
from tests.world import World, writes

__all__ = ["PLACES", "SECRETS", "SHELF", "Playbook", "Premises", "mail_to", "text_of"]

SHELF = Path(__file__).parent.parent / "mappings" / "playbooks"
SECRETS = {
    "LOCKSTEP_SECRET": "sandbox-secret-that-signs",
    "SERVICENOW_PASSWORD": SERVICENOW_PASSWORD,
    "JIRA_TOKEN": JIRA_TOKEN,
    "AZURE_PAT": AZURE_PAT,
    "MAIL_PASSWORD": MAIL_PASSWORD,
}


def accept(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    known = (data.login, data.password) == (b"lockstep", SECRETS["MAIL_PASSWORD"].encode())
    return AuthResult(success=known, handled=False)


@dataclass
class Playbook(World):
    """The playbook ``name`` at work on an estate."""

    name: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        self.box = Mailbox()
        self.port = free_port()
        self.post = Controller(
            self.box,
            hostname="127.0.0.1",
            port=self.port,
            authenticator=accept,
            auth_required=True,
            auth_require_tls=False,
        )
        self.post.start()
        self.edit = lambda _: self.filled_in()
        shutil.copy(SHELF / f"{self.name}.csv", self.folder / "people.csv")
        self.mails_read = self.cards_read = 0
        super().__post_init__()

    def filled_in(self) -> str:
        """The playbook with this estate's addresses, and a state beside it."""
        text = (SHELF / f"{self.name}.toml").read_text()
        assert isinstance(self.estate, Premises)
        return self.estate.filled_in(text, f"sqlite:///{self.state}", self.port)

    # ── what reached people ──────────────────────────────────────────────────────────────────────────────────────

    def new_mails(self) -> list[EmailMessage]:
        """The mails that came since this was asked last."""
        raw, self.mails_read = self.box.raw[self.mails_read :], len(self.box.raw)
        found = [email.message_from_bytes(one, policy=email.policy.default) for one in raw]
        return [mail for mail in found if isinstance(mail, EmailMessage)]

    def new_cards(self) -> Sequence[Mapping[str, Any]]:
        """The Teams messages that came since this was asked last."""
        cards, self.cards_read = self.estate.hook.cards[self.cards_read :], len(self.estate.hook.cards)
        return cards

    def quiet(self) -> None:
        """Everything is read again, once with the state kept and once with it deleted: nothing is written or sent."""
        for lost in (False, True):
            self.restart(lose_state=lost)
            with self.counting() as asked:
                self.reconcile()
            assert writes(asked) == []
            assert not self.new_mails() and not self.new_cards()

    def wait(self, **span: int) -> None:
        """Time passes, and Lockstep looks."""
        self.estate.clock.advance(timedelta(**span))
        self.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        self.post.stop()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def mail_to(mails: list[EmailMessage], address: str) -> EmailMessage:
    """The only one of the mails that goes to the address."""
    (found,) = [mail for mail in mails if address in str(mail["To"])]
    return found
