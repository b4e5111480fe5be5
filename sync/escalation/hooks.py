"""Messages for programs: JSON to a webhook, signed as the Standard Webhooks specification says (standardwebhooks.com),
so that its receivers can be checked with any of its libraries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from connectors.auth import Secret
from sync.escalation.notify import NotifyDown, clean, fingerprint, one_line
from sync.escalation.posting import TIMEOUT, judged, posted


@dataclass(frozen=True, slots=True)
class Event:
    """What is told to a program. ``key`` identifies it for good; ``data`` are the facts of a firing, empty for what
    is said to people alone, such as a digest."""

    title: str
    text: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)


def post_event(
    name: str,
    url: str,
    secret: Secret | None,
    event: Event,
    session: requests.Session | None = None,
    timeout: tuple[float, float] = TIMEOUT,
) -> None:
    """Posts the event, once, to the webhook that the file calls ``name``. Raises ``NotifyRefused`` and
    ``NotifyDown``; neither holds the URL or the secret."""
    body = json.dumps(message(event), ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", **signed(secret, fingerprint(event.key), body)}
    what = f"the webhook {name}"
    status, code = posted(what, url, body, headers, session, timeout)
    if status in (401, 403):  # put right on either side; what waited then goes out
        raise NotifyDown(f"{what} does not accept our signature (HTTP {status}): check `secret` on both sides")
    judged(what, "message", status, code, "check that its URL is whole and its receiver takes JSON")


def message(event: Event) -> dict[str, Any]:
    """``type``, ``data``, and the title and text that people would read."""
    kind = "lockstep.rule.fired" if event.data else "lockstep.notice"
    return {"type": kind, "title": one_line(event.title), "text": clean(event.text), "data": dict(event.data)}


def signed(secret: Secret | None, id: str, body: bytes) -> dict[str, str]:
    """The headers of the specification: the id is the same whenever the message is repeated, the timestamp (whole
    seconds since 1970) that of this try, the signature over ``id.timestamp.body``. Without a secret: no signature."""
    stamp = str(int(time.time()))
    headers = {"webhook-id": id, "webhook-timestamp": stamp}
    if secret is None:
        return headers
    mac = hmac.new(key_of(secret), f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(mac).decode()}"}


def key_of(secret: Secret) -> bytes:
    """The key: what stands behind ``whsec_`` in base64, or the secret's own characters."""
    text = secret.reveal()
    if text.startswith("whsec_"):
        try:
            return base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return text.encode()
