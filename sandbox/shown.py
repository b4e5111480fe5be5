"""What reached people, in words for a terminal: a mail, a card of Teams."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any


def mail_text(raw: bytes) -> str:
    """Who is written to, about what, and the text."""
    mail = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    body = mail.get_body(("plain",))
    copy = f", copy to {mail['Cc']}" if mail["Cc"] else ""
    return told(f"mail to {mail['To']}{copy}: {mail['Subject']}", str(body.get_content()) if body else "")


def card_text(card: dict[str, Any]) -> str:
    """The card's texts and facts, one below the other."""
    return told("card in Teams", "\n".join(texts([one["content"] for one in card.get("attachments", ())])))


def texts(part: object) -> Iterator[str]:
    """Every text of an Adaptive Card, in its order; a fact is its title and value."""
    if isinstance(part, dict):
        if "value" in part and "title" in part:
            yield f"{part['title']}: {part['value']}"
        elif isinstance(part.get("text"), str):
            yield part["text"]
        yield from texts(list(part.values()))
    elif isinstance(part, list):
        for one in part:
            yield from texts(one)


def told(head: str, text: str) -> str:
    return "\n".join([f"── {head}", *(f"   {line}".rstrip() for line in text.strip().splitlines())])
