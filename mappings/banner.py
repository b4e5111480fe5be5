"""The banner of a copied comment: its one truth. First in the text, short, verifiable; final from the first landing.

``Jane Doe on INC0010003 · lockstep QH7KX2M4T9ABC.7KQ2M4TX`` — the first word names the origin, the second proves,
under the instance's secret, that this origin was carried to this very item. Quoting, forging or moving a banner to
another item verifies nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mappings.model import Ref
from mappings.text import clean

_LINE = re.compile(
    r"^(?P<who>[^<>·]{1,200}) · lockstep (?P<token>[A-Z2-7]{13})\.(?P<check>[A-Z2-7]{8})"
    r"(?: (?P<part>\d+)/(?P<parts>\d+))?$"
)
#: characters a banner line may take, for cutting long texts
ROOM = 300


@dataclass(frozen=True, slots=True)
class Banner:
    """A verified banner: the origin's token and which part of how many."""

    token: str
    part: int
    parts: int


@lru_cache(maxsize=1 << 16)  # every look at a link asks for those of all its comments again
def digest(secret: str, *words: str, length: int) -> str:
    """A keyed digest in base32; words are length-prefixed so that no two lists collide."""
    message = "".join(f"{len(word)}:{word}" for word in words).encode("utf-8", "surrogatepass")
    raw = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return base64.b32encode(raw).decode()[:length]


def origin_token(secret: str, tracker: str, comment: str) -> str:
    """Names an origin comment (65 bits)."""
    return digest(secret, "origin", tracker, comment, length=13)


def check(secret: str, token: str, target: Ref, part: int, parts: int) -> str:
    """Proves that the origin was carried to this item (40 bits)."""
    return digest(secret, "copy", token, target.tracker, target.id, f"{part}/{parts}", length=8)


def banner(secret: str, who: str, key: str, token: str, target: Ref, part: int = 1, parts: int = 1) -> str:
    """The banner line. ``who`` and ``key`` are shown; markup and line ends in them are made harmless."""
    named = clean(f"{who[:80]} on {key[:60]}")[0]
    shown = re.sub(r"[\s\[\]{}*_|<>&·@~^+\\]+", " ", named).strip()
    tail = f" {part}/{parts}" if parts > 1 else ""
    return f"{shown} · lockstep {token}.{check(secret, token, target, part, parts)}{tail}"


def verified(secrets: Sequence[str], text: str, target: Ref) -> Banner | None:
    """The banner at the head of ``text`` if it was made for ``target`` under one of the secrets."""
    found = _LINE.match(text.lstrip().partition("\n")[0].strip())
    if not found:
        return None
    part, parts = int(found["part"] or 1), int(found["parts"] or 1)
    for secret in secrets:
        if hmac.compare_digest(check(secret, found["token"], target, part, parts), found["check"]):
            return Banner(found["token"], part, parts)
    return None


def key_of(kind: str, *words: str) -> str:
    """A link or creation key: 20 characters, a digest of what names it (no secret: a rebuild needs no old one)."""
    message = "".join(f"{len(word)}:{word}" for word in (kind, *words)).encode()
    return base64.b32encode(hashlib.sha256(message).digest()).decode()[:20]


def link_key(instance: str, source: Ref) -> str:
    """Of the instance and the item that opened the link."""
    return key_of("link", instance, source.tracker, source.id)


def creation_key(instance: str, route: str, source: Ref) -> str:
    """Of the instance, the route and the source item."""
    return key_of("made", instance, route, source.tracker, source.id)
