"""What a replayed exchange needs: a simulated tracker in the right state, and the names and ids that stand there for
the recorded ones."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.wire import Answer, Request, Tracker
from tests.fidelity.exchanges import Exchange

Sent = dict[str, Any] | list[Any] | str | bytes | None


@dataclass
class Scene:
    """``swaps``: recorded word to the word that stands for it here, in addresses, bodies and answers. ``method``,
    ``target``, ``body`` and ``headers`` are the request where the exchange holds none or lacks a part."""

    tracker: Tracker
    swaps: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    target: str = ""
    body: Sent = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def swapped(self, text: str) -> str:
        for recorded, ours in self.swaps.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(recorded)}(?![\w-])", ours.replace("\\", r"\\"), text)
        return text

    def request(self, exchange: Exchange) -> Request:
        target = self.swapped((self.target or exchange.target).replace("%2C", ","))
        body = self.body if self.body is not None else exchange.body
        raw = body if isinstance(body, bytes) else b"" if body is None else self.swapped(as_text(body)).encode()
        headers = {**exchange.headers, **self.headers}
        return Request.of(self.method or exchange.method, target, {k.lower(): v for k, v in headers.items()}, raw)

    def answer(self, exchange: Exchange) -> Answer:
        return self.tracker.handle(self.request(exchange))

    def recorded(self, exchange: Exchange) -> Any:
        """The recorded body in this scene's words."""
        return json.loads(self.swapped(json.dumps(exchange.answer, ensure_ascii=False)))


def as_text(body: Sent) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


Maker = Callable[[Exchange], Scene]


class Scenes:
    """Exchanges by name to what makes their scene."""

    def __init__(self) -> None:
        self.makers: dict[str, Maker] = {}

    def of(self, *names: str) -> Callable[[Maker], Maker]:
        """Registers a maker for the exchanges whose names start so."""

        def register(maker: Maker) -> Maker:
            self.makers.update(dict.fromkeys(names, maker))
            return maker

        return register

    def find(self, exchange: Exchange) -> Scene | None:
        """The scene of the longest name that fits: the exchange's own, or its first words or folders."""
        fitting = sorted(
            (name for name in self.makers if f"{exchange.name} ".startswith((f"{name} ", f"{name}/"))), key=len
        )
        return self.makers[fitting[-1]](exchange) if fitting else None
