"""Real HTTP on loopback. The socket is ours so that it can be reset, delayed and cut; the rest is the standard
library's."""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.control import control
from sandbox.faults import Fault, Faults
from sandbox.wire import Answer, Request, Tracker


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as it was answered (status 0: reset)."""

    tracker: str
    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    at: float


@dataclass
class RequestLog:
    """What was asked of each tracker, in order."""

    entries: list[Entry] = field(default_factory=list)

    def count(self, tracker: str = "", method: str = "", path: str = "") -> int:
        """How many requests match; ``path`` is a part of the path, in any case."""
        return sum(
            (not tracker or e.tracker == tracker)
            and (not method or e.method == method)
            and path.lower() in e.path.lower()
            for e in self.entries
        )

    def clear(self) -> None:
        self.entries.clear()


class Server:
    """One tracker on its own port of 127.0.0.1."""

    def __init__(self, tracker: Tracker, clock: SandboxClock, faults: Faults, log: RequestLog, port: int = 0) -> None:
        self.tracker, self.clock, self.faults, self.log = tracker, clock, faults, log
        self.lock = threading.RLock()
        self.http = Listener(("127.0.0.1", port), handler_for(self))
        self.port = int(self.http.server_address[1])
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        self.thread.start()
        return self

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)

    def answer(self, request: Request) -> tuple[Answer, Fault | None]:
        """The answer and the fault that bends it on the wire. The tracker handles one request at a time."""
        if request.path.startswith("/_sandbox/"):
            return control(self.clock, self.faults, self.log, request), None
        with self.lock:
            fault = self.faults.pick(self.tracker.name, request)
        if fault and fault.kind == "delay":
            time.sleep(fault.seconds)
        if fault and fault.kind in ("answer", "reset_before"):
            answer = fault.answer or Answer(503)
        else:
            with self.lock:
                answer = self.tracker.handle(request)
        reset = fault is not None and fault.kind.startswith("reset")
        status = 0 if reset else answer.status
        now = self.clock.now().timestamp()
        self.log.entries.append(Entry(self.tracker.name, request.method, request.path, request.query, status, now))
        return answer, fault


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else is a defect and is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client. ``tracker_server`` is set by ``handler_for``."""

    tracker_server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self.read_chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def read_chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request.of(self.command, self.path, headers, self.read_body())
        answer, fault = self.tracker_server.answer(request)
        if fault and fault.kind.startswith("reset"):
            return self.reset()
        body = b"<html><body>Please try again</body></html>" if fault and fault.kind == "garbage" else answer.body
        self.reply(answer, body, int(len(body) * fault.keep) if fault and fault.kind == "cut" else len(body))

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def reply(self, answer: Answer, body: bytes, keep: int) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(self.tracker_server.clock.now(), usegmt=True))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(body[:keep])
        self.wfile.flush()
        if keep < len(body):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = serve


def handler_for(server: Server) -> type[Handler]:
    """A handler that answers for one server: the standard library takes a class, not an object."""
    return type("TrackerHandler", (Handler,), {"tracker_server": server})
