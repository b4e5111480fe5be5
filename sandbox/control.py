"""The sandbox's own door, ``/_sandbox/...`` on every port, for another process: clock, skew, faults, the request log,
backups, clones and loading."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.bulk import Maker, load
from sandbox.clock import SkewedClock
from sandbox.faults import Fault
from sandbox.wire import Answer, Request

if TYPE_CHECKING:
    from sandbox.server import Server

#: what a rule may say over HTTP; a call in Python cannot be sent
_SAID = frozenset(field.name for field in fields(Fault)) - {"act", "seen", "struck", "place"}


def control(server: Server, request: Request) -> Answer:
    """Answers one request; 400 with the reason where it cannot be done."""
    door = _DOORS.get((request.method, request.path.removeprefix("/_sandbox/")))
    if door is None:
        return Answer.of({"error": "no such control"}, 404)
    try:
        return door(server, request.json() or {} if request.body else {})
    except (TypeError, ValueError, KeyError, OSError) as error:
        return Answer.of({"error": str(error) or type(error).__name__}, 400)


def get_clock(server: Server, body: dict[str, Any]) -> Answer:
    return Answer.of({"now": server.clock.now().isoformat()})


def put_clock(server: Server, body: dict[str, Any]) -> Answer:
    """``{"now": ISO}``: jumps forward to it."""
    server.clock.set(datetime.fromisoformat(body["now"]))
    return get_clock(server, body)


def put_skew(server: Server, body: dict[str, Any]) -> Answer:
    """``{"seconds": N}``: how far this tracker's clock is ahead of the sandbox's."""
    if not isinstance(server.clock, SkewedClock):
        raise TypeError("this tracker shares the sandbox's clock")
    server.clock.skew = timedelta(seconds=float(body["seconds"]))
    return get_clock(server, body)


def get_faults(server: Server, body: dict[str, Any]) -> Answer:
    shown = ("kind", "tracker", "method", "path", "seen", "struck")
    return Answer.of([{name: getattr(rule, name) for name in shown} for rule in server.faults.rules])


def post_fault(server: Server, body: dict[str, Any]) -> Answer:
    server.faults.add(fault_of(body))
    return Answer.of({"faults": len(server.faults.rules)}, 201)


def delete_faults(server: Server, body: dict[str, Any]) -> Answer:
    server.faults.clear()
    return Answer(204)


def get_log(server: Server, body: dict[str, Any]) -> Answer:
    names = ("tracker", "method", "path", "status")
    return Answer.of([{name: getattr(entry, name) for name in names} for entry in server.log.entries])


def delete_log(server: Server, body: dict[str, Any]) -> Answer:
    server.log.clear()
    return Answer(204)


def post_backup(server: Server, body: dict[str, Any]) -> Answer:
    """``{"name": ...}``, or without one under no name."""
    server.backup(str(body.get("name", "")))
    return Answer(204)


def post_restore(server: Server, body: dict[str, Any]) -> Answer:
    server.restore(str(body.get("name", "")))
    return Answer(204)


def post_clone(server: Server, body: dict[str, Any]) -> Answer:
    """``{"name": ..., "port": N}``; the answer says where the clone is."""
    return Answer.of({"url": server.clone(str(body["name"]), int(body.get("port", 0))).url}, 201)


def post_load(server: Server, body: dict[str, Any]) -> Answer:
    """``{"by": person, "items": [fields, ...]}``; the answer lists the new ids."""
    if not isinstance(server.tracker, Maker):
        raise TypeError(f"{server.tracker.name} cannot be loaded")
    with server.lock:
        return Answer.of({"ids": load(server.tracker, body["items"], str(body["by"]))}, 201)


_DOORS: dict[tuple[str, str], Callable[[Server, dict[str, Any]], Answer]] = {
    ("GET", "clock"): get_clock,
    ("PUT", "clock"): put_clock,
    ("PUT", "skew"): put_skew,
    ("GET", "faults"): get_faults,
    ("POST", "faults"): post_fault,
    ("DELETE", "faults"): delete_faults,
    ("GET", "log"): get_log,
    ("DELETE", "log"): delete_log,
    ("POST", "backup"): post_backup,
    ("POST", "restore"): post_restore,
    ("POST", "clone"): post_clone,
    ("POST", "load"): post_load,
}


def fault_of(data: dict[str, Any]) -> Fault:
    """A rule as it is written in JSON: the fields of ``Fault``; ``answer`` is ``{status, headers, body}``, or
    ``body_base64`` for bytes that are no text."""
    unknown = sorted(data.keys() - _SAID)
    if unknown:
        raise ValueError(f"a fault has no {unknown[0]!r}")
    if "kind" not in data:
        raise ValueError("a fault has a kind")
    given = {**data, "nth": tuple(data.get("nth", ()))}
    answer = given.get("answer")
    return Fault(**{**given, "answer": answer_of(answer) if answer else None})


def answer_of(data: dict[str, Any]) -> Answer:
    try:
        body = (
            base64.b64decode(data["body_base64"], validate=True)
            if "body_base64" in data
            else str(data.get("body", "")).encode()
        )
    except binascii.Error as error:
        raise ValueError(f"body_base64: {error}") from None
    return Answer(int(data["status"]), body, {str(k): str(v) for k, v in data.get("headers", {}).items()})
