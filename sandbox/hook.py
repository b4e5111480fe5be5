"""A webhook's far end: what was posted to it is kept and can be read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.wire import Answer, Request


class Hook:
    """Accepts every POST of JSON with 202, as Teams' workflow webhooks do, and keeps the cards; ``tell`` gets each."""

    def __init__(self, name: str = "teams") -> None:
        self.name = name
        self.cards: list[dict[str, Any]] = []
        self.tell: Callable[[dict[str, Any]], None] = lambda card: None

    def handle(self, request: Request) -> Answer:
        if request.method != "POST":
            return Answer(405)
        try:
            card = request.json()
        except ValueError:
            return Answer.of({"error": {"code": "InvalidRequestContent"}}, 400)
        self.cards.append(card)
        self.tell(card)
        return Answer(202)
