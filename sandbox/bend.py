"""What a fault makes of an answer: the bytes that leave, and how the connection ends."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from sandbox.faults import Fault
from sandbox.wire import Answer

BOM = b"\xef\xbb\xbf"
PAGE = b"<html><body>Please try again</body></html>"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer on its way out. Of body, or with ``whole`` of head and body, ``keep`` bytes leave (``None``: all);
    ``end``: ``""`` the connection stays, ``close``, or
    ``reset``. A reset with ``silent`` comes before the first byte."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    keep: int | None = None
    whole: bool = False
    end: str = ""
    silent: bool = False

    def data(self, now: datetime, head_only: bool = False) -> bytes:
        """Status line, headers and body, as far as they leave."""
        if self.silent:
            return b""
        bare = self.status in (204, 304) or self.status < 200
        head = self.head(now, bare)
        body = b"" if bare or head_only else self.body
        if self.keep is None:
            return head + body
        return (head + body)[: self.keep] if self.whole else head + body[: self.keep]

    def head(self, now: datetime, bare: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, '')}", f"Date: {http_date(now)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not bare:
            lines.append(f"Content-Length: {len(self.body)}")
        if self.end == "close" and self.keep is None:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def http_date(moment: datetime) -> str:
    return _date(moment.replace(microsecond=0))


@lru_cache(maxsize=64)
def _date(second: datetime) -> str:
    return format_datetime(second, usegmt=True)


def straight(answer: Answer) -> Sent:
    """The answer as the tracker gave it."""
    return Sent(answer.status, answer.body, answer.headers)


def bent(fault: Fault, answer: Answer, now: datetime) -> Sent:
    """The answer after the fault struck; ``now`` is the tracker's. ``answer`` is already the fault's own where the
    tracker was not asked."""
    sent = turned(fault, straight(answer), now)
    headers = {**sent.headers, **fault.headers}
    if fault.retry_after is not None:
        headers["Retry-After"] = retry_after(fault.retry_after, now if fault.as_date else None)
    return replace(sent, headers=headers)


def turned(fault: Fault, sent: Sent, now: datetime) -> Sent:
    match fault.kind:
        case "reset_before" | "reset_after":
            return replace(sent, status=0, end="reset", silent=True)
        case "reset_within":
            return replace(cut(fault, sent, now), end="reset")
        case "cut":
            return cut(fault, sent, now)
        case "garbage":
            return replace(sent, body=PAGE)
        case "noise":
            return replace(sent, body=random.Random(fault.struck).randbytes(len(sent.body)))
        case "html":
            return page(sent, fault.answer.body if fault.answer else PAGE)
        case "mistyped":
            return typed(sent, fault.content_type)
        case "bom":
            return replace(sent, body=BOM + sent.body)
        case "gzip" | "gzip_unsaid" | "gzip_false":
            return zipped(fault.kind, sent)
        case "stripped":
            return replace(sent, body=stripped(fault.about, sent.body))
        case "answer_after":
            return straight(fault.answer or Answer(504))
    return sent


def stripped(about: str, body: bytes) -> bytes:
    """JSON in which nothing but the id is left of each row of that id, stored and shown ones alike, and of a journal's
    entry whose it is."""

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(one) for one in value]
        if not isinstance(value, dict):
            return value
        for name in ("id", "sys_id"):
            told = value.get(name)
            if str(told.get("value") if isinstance(told, dict) else told) == about:
                return {kept: value[kept] for kept in (name, "element", "element_id") if kept in value}
        return {name: without(inner) for name, inner in value.items()}

    try:
        return json.dumps(without(json.loads(body))).encode()
    except ValueError:
        return body


def cut(fault: Fault, sent: Sent, now: datetime) -> Sent:
    """The answer ends early: after a share of the body or after an exact byte. An honest Content-Length is that of
    what is left of the body, so that nothing but the content shows the loss, and the connection may stay."""
    if fault.whole:
        total = len(sent.data(now))
        return replace(sent, keep=int(total * fault.keep) if fault.at is None else fault.at, whole=True, end="close")
    keep = min(len(sent.body), int(len(sent.body) * fault.keep) if fault.at is None else fault.at)
    if fault.honest:
        return replace(sent, body=sent.body[:keep])
    return replace(sent, keep=keep, end="close" if keep < len(sent.body) else "")


def typed(sent: Sent, content_type: str) -> Sent:
    others = {name: value for name, value in sent.headers.items() if name.lower() != "content-type"}
    return replace(sent, headers={**others, "Content-Type": content_type} if content_type else others)


def page(sent: Sent, body: bytes) -> Sent:
    return replace(typed(sent, "text/html; charset=utf-8"), body=body)


def zipped(kind: str, sent: Sent) -> Sent:
    said = {} if kind == "gzip_unsaid" else {"Content-Encoding": "gzip"}
    body = sent.body if kind == "gzip_false" else gzip.compress(sent.body, mtime=0)
    return replace(sent, body=body, headers={**sent.headers, **said})


def retry_after(seconds: float, now: datetime | None) -> str:
    """Retry-After as a number of seconds, or as a date where ``now`` is given (RFC 9110, 10.2.3)."""
    number = int(seconds) if seconds == int(seconds) else seconds
    return str(number) if now is None else http_date(now + timedelta(seconds=seconds))
