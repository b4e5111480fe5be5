"""The sandbox's own door, ``/_sandbox/...`` on every port: clock, faults and the request log, for another process."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.clock import SandboxClock
from sandbox.faults import Fault, Faults
from sandbox.wire import Answer, Request

if TYPE_CHECKING:
    from sandbox.server import RequestLog


def control(clock: SandboxClock, faults: Faults, log: RequestLog, request: Request) -> Answer:
    """``GET clock`` · ``PUT clock {"now": ISO}`` · ``POST faults {Fault fields}`` · ``DELETE faults`` · ``GET log``."""
    match request.method, request.path.removeprefix("/_sandbox/"):
        case "GET", "clock":
            return Answer.of({"now": clock.now().isoformat()})
        case "PUT", "clock":
            clock.set(datetime.fromisoformat(request.json()["now"]))
            return Answer.of({"now": clock.now().isoformat()})
        case "POST", "faults":
            faults.add(fault_of(request.json()))
            return Answer.of({"faults": len(faults.rules)}, 201)
        case "DELETE", "faults":
            faults.clear()
            return Answer(204)
        case "GET", "log":
            names = ("tracker", "method", "path", "status")
            return Answer.of([{name: getattr(entry, name) for name in names} for entry in log.entries])
    return Answer.of({"error": "no such control"}, 404)


def fault_of(data: dict[str, object]) -> Fault:
    answer = data.pop("answer", None)
    fault = Fault(**data)  # type: ignore[arg-type]
    if isinstance(answer, dict):
        body = str(answer.get("body", "")).encode()
        fault.answer = Answer(int(answer["status"]), body, dict(answer.get("headers", {})))
    return fault
