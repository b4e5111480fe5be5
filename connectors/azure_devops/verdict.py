"""Names what an answer means: the library hides status, headers and sign-in pages, so the answer itself is read."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson
import requests

from connectors.base import Busy, Failure, Gone, LockedOut, Refused, Stale

_STALE = frozenset({"TestPatchOperationFailedException", "WorkItemRevisionMismatchException"})
_FIELD = re.compile(r"Cannot find field ([\w.]*\w)")
_LONGEST = 500


def verdict(
    tracker: str, response: requests.Response | None, resting: datetime | None, error: Exception | None
) -> Failure | None:
    """The failure that an answer stands for; ``None`` where it is fine (``error`` is ``None``) or where the answer
    was lost, broken or a server's failure, which a read repeats and a write cannot trust."""
    if response is None:
        return None
    if response.status_code == 401 or is_sign_in(response):
        return locked_out(tracker, response)
    if response.status_code == 429 or (response.status_code == 503 and is_throttled(response)):
        return busy(tracker, resting)
    if error is None or response.status_code < 300 or response.status_code >= 500 or response.status_code == 408:
        return None
    return refusal(tracker, response.status_code, wrapped(response))


def is_throttled(response: requests.Response) -> bool:
    """Whether a 503 is the service's own refusal of a caller who asks too much (rate-limits.md, apis.md 3.4). From any
    other, a gateway's above all, the request may have gone through, whatever rest it asks for."""
    return "X-RateLimit-Resource" in response.headers or b"TF400733" in body_of(response)


def is_sign_in(response: requests.Response) -> bool:
    """A sign-in page: 203 or a redirect, or a 200 whose HTML says so (community reports)."""
    if response.status_code in (203, 301, 302, 303, 307):
        return True
    html = "text/html" in response.headers.get("Content-Type", "")
    return html and response.status_code == 200 and b"sign in" in body_of(response)[:20_000].lower()


def locked_out(tracker: str, response: requests.Response) -> LockedOut:
    how = "401" if response.status_code == 401 else "a sign-in page came back"
    return LockedOut(
        f"{tracker} refuses our credentials ({how}): the token is wrong, expired or lacks access to the organisation"
    )


def busy(tracker: str, resting: datetime | None) -> Busy | None:
    return Busy(f"{tracker} asks for rest until {resting:%H:%M:%S} UTC", resting) if resting else None


def refusal(tracker: str, status: int, body: dict[str, Any]) -> Failure:
    """A 4xx by its typeKey and code."""
    reason = str(body.get("message") or f"HTTP {status}")[:_LONGEST]
    key = str(body.get("typeKey") or "")
    if status in (409, 412) or key in _STALE or "TF26071" in reason:
        return Stale(f"{tracker}: the work item moved on since it was read")
    if key == "WorkItemUnauthorizedAccessException" or "TF401232" in reason or "CommentNotFound" in key:
        return Gone(f"{tracker}: {reason}")
    return Refused(f"{tracker}: {reason}", blamed(reason, body.get("customProperties")))


def blamed(reason: str, properties: Any) -> tuple[str, ...]:
    """The fields that an error names, each once."""
    if not isinstance(properties, dict):
        return tuple(_FIELD.findall(reason))
    errors = properties.get("RuleValidationErrors")
    names = (
        [one.get("fieldReferenceName") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    )
    return tuple(dict.fromkeys(name for name in (properties.get("FieldReferenceName"), *names) if name))


def wrapped(response: requests.Response) -> dict[str, Any]:
    """The exception wrapper; some errors are plain text with the reason in ``x-tfs-serviceerror`` (recorded)."""
    try:
        body = orjson.loads(body_of(response).removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        body = None
    if isinstance(body, dict) and body.get("message"):
        return body
    return {"message": unquote(response.headers.get("x-tfs-serviceerror", ""))}


def body_of(response: requests.Response) -> bytes:
    """The body as far as it came."""
    try:
        return response.content or b""
    except (requests.RequestException, RuntimeError):
        return b""
