"""Cards for Microsoft Teams: one attempt each, and why it failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from sync.escalation.notify import FACT_LENGTH, Facts, clean, fingerprint, one_line
from sync.escalation.posting import TIMEOUT, judged, posted

#: Teams drops messages over 28 KB: these leave room for what the card adds around each line
CARD_BYTES, CARD_LINES = 10_000, 60
#: facts that a card shows, and how many bytes of them; buttons that Teams shows side by side
CARD_FACTS, FACTS_BYTES, BUTTONS = 20, 3_000, 6
_WHAT = "the Teams webhook"


@dataclass(frozen=True, slots=True)
class Card:
    """``key`` identifies it for good, as with a mail. ``facts`` stand under the text, ``links`` (the items' keys and
    addresses) become buttons."""

    title: str
    text: str
    key: str
    facts: Facts = ()
    links: Facts = ()


def post_teams(
    url: str, card: Card, session: requests.Session | None = None, timeout: tuple[float, float] = TIMEOUT
) -> None:
    """Posts the card to the webhook, once. The URL is a secret: whoever has it can write to the channel; no message
    of an exception holds it, and nothing of the call is logged."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": fingerprint(card.key)}
    body = json.dumps(teams_message(card), ensure_ascii=False).encode()
    status, code = posted(_WHAT, url, body, headers, session, timeout)
    judged(_WHAT, "card", status, code, "check that its URL is whole and its flow is on")


def teams_message(card: Card) -> dict[str, Any]:
    """The card as a Teams workflow takes it (Adaptive Card 1.4). Text runs show markup as it is written, which a
    FactSet would not: text from a tracker can make no link and mention nobody."""
    text, whole = shortened(clean(card.text))
    lines = [*text, *([] if whole else ["…"])]
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [run(one_line(card.title), weight="Bolder", size="Medium"), *(run(line) for line in lines)],
    }
    content["body"] += [fact(label, shown) for label, shown in few(card.facts)]
    if buttons := [button(key, url) for key, url in card.links if is_web(url)][:BUTTONS]:
        content["actions"] = buttons
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def fact(label: str, text: str) -> dict[str, Any]:
    named = {"type": "TextRun", "text": f"{label}: ", "weight": "Bolder"}
    return {"type": "RichTextBlock", "spacing": "Small", "inlines": [named, {"type": "TextRun", "text": text}]}


def few(facts: Facts) -> Iterator[tuple[str, str]]:
    """The facts that fit."""
    room = FACTS_BYTES
    for label, text in facts[:CARD_FACTS]:
        line = one_line(text, FACT_LENGTH)
        room -= len(line.encode())
        if room < 0:
            return
        yield label, line


def button(key: str, url: str) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "title": one_line(key, 80), "url": url}


def is_web(url: str) -> bool:
    """Whether an address can be opened: Teams drops a card of which one cannot."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and len(url) <= 1000
    except ValueError:
        return False


def shortened(text: str) -> tuple[list[str], bool]:
    """The lines that fit a card, and whether that is all of them."""
    cut = text.encode()[:CARD_BYTES].decode(errors="ignore")
    lines = [line for line in cut.splitlines() if line.strip()]
    return lines[:CARD_LINES], cut == text and len(lines) <= CARD_LINES
