"""A webhook's far end: what was posted to it is kept and can be read back."""

from __future__ import annotations

from typing import Any

from sandbox.wire import Answer, Request


class Hook:
    """Accepts every POST of JSON with 202, as Teams' workflow webhooks do, and keeps the cards."""

    def __init__(self, name: str = "teams") -> None:
        self.name = name
        self.cards: list[dict[str, Any]] = []

    def handle(self, request: Request) -> Answer:
        if request.method != "POST":
            return Answer(405)
        try:
            card = request.json()
        except ValueError:
            return Answer.of({"error": {"code": "InvalidRequestContent"}}, 400)
        self.cards.append(card)
        return Answer(202)
