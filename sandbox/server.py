"""One tracker behind one port: it takes requests to the tracker, lets faults strike, and keeps the log."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.bend import Sent, bent, straight
from sandbox.clock import SandboxClock, SkewedClock
from sandbox.connection import Connection, Listener, Malformed
from sandbox.control import control
from sandbox.faults import BEFORE, PAGED, Fault, Faults
from sandbox.pages import Pages, shifted
from sandbox.wire import Answer, Keeper, Request, Tracker


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as it was answered (status 0: reset), the kind of the fault that struck it, and the Retry-After that
    was answered, as it stands in the header."""

    tracker: str
    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    at: float
    fault: str = ""
    rest: str = ""


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
    """One tracker on its own port of 127.0.0.1, over HTTPS where ``tls`` is given. Without a port it is found by its
    host name inside this process alone (``sandbox.inside``), and waiting is done on its clock.

    ``clock`` is the tracker's, and what the Date header shows. ``witnesses`` are shared by every server: each is called
    with the tracker's name after the tracker answered, before any fault bends the answer.
    """

    witnesses: ClassVar[list[Callable[[str, Request, Answer], None]]] = []

    def __init__(
        self,
        tracker: Tracker,
        clock: SandboxClock,
        faults: Faults,
        log: RequestLog,
        port: int | None = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tracker, self.clock, self.faults, self.log = tracker, clock, faults, log
        self.lock = threading.RLock()
        self.pages = Pages()
        self.backups: dict[str, Any] = {}
        self.clones: list[Server] = []
        self.http = Listener(port, self.serve, tls) if port is not None else None
        self.port = self.http.port if self.http else 80
        self.host = "127.0.0.1" if self.http else f"{tracker.name}.sandbox"
        self.wait: Callable[[float], None] = time.sleep if self.http else clock.sleep

    @property
    def url(self) -> str:
        if self.http is None:
            return f"http://{self.host}"
        return f"{'https' if self.http.tls else 'http'}://{self.host}:{self.port}"

    def start(self) -> Server:
        if self.http:
            self.http.start()
        return self

    def stop(self) -> None:
        """Closes the port and every connection; the tracker keeps what it holds."""
        for clone in self.clones:
            clone.stop()
        if self.http:
            self.http.server_close()

    # -- backups and clones

    @property
    def keeper(self) -> Keeper:
        """The tracker as something that can be backed up; ``TypeError`` where it cannot."""
        if not isinstance(self.tracker, Keeper):
            raise TypeError(f"{self.tracker.name} cannot be backed up")
        return self.tracker

    def backup(self, name: str = "") -> None:
        """Keeps what the tracker holds now under a name."""
        with self.lock:
            self.backups[name] = self.keeper.snapshot()

    def restore(self, name: str = "") -> None:
        """What the tracker held at the backup; ``KeyError`` where there is none of that name."""
        with self.lock:
            self.keeper.restore(self.backups[name])

    def clone(self, name: str, port: int = 0) -> Server:
        """Another instance with the same items under the same ids, on a port of its own and already started. It ends
        with this one, and its clock runs with this one's."""
        with self.lock:
            clock = SkewedClock(self.clock)
            door = (port, self.http.tls) if self.http else (None, None)
            twin = Server(self.keeper.clone(name, clock), clock, self.faults, self.log, *door)
        self.clones.append(twin.start())
        return twin

    # -- answering

    def serve(self, connection: Connection) -> None:
        """Answers the requests of one connection until either side ends it."""
        try:
            while (taken := connection.request()) is not None:
                request, stays = taken
                sent = self.answer(request)
                connection.send(sent.data(self.clock.now(), request.method == "HEAD"))
                if sent.end == "reset":
                    return connection.reset()
                if sent.end or not stays:
                    return
        except Malformed as problem:
            connection.send(Sent(problem.status, end="close").data(self.clock.now()))

    def answer(self, request: Request) -> Sent:
        """What leaves, bent by the fault that strikes."""
        if request.path.startswith("/_sandbox/"):
            return straight(control(self, request))
        fault = self.faults.pick(self.tracker.name, request, self.pages.fits)
        if fault and fault.kind == "delay":
            self.wait(fault.seconds)
        answer = (fault.answer or Answer(503)) if fault and fault.kind in BEFORE else self.told(request, fault)
        now = self.clock.now()
        sent = bent(fault, answer, now) if fault else straight(answer)
        if fault and fault.kind == "delay_after":
            self.wait(fault.seconds)
        self.log.entries.append(
            Entry(
                self.tracker.name,
                request.method,
                request.path,
                request.query,
                sent.status,
                now.timestamp(),
                fault.kind if fault else "",
                sent.headers.get("Retry-After", ""),
            )
        )
        return sent

    def told(self, request: Request, fault: Fault | None) -> Answer:
        """What the tracker says, which handles one request at a time."""
        with self.lock:
            if fault and fault.act:
                fault.act()
            if not self.faults.paging and not self.pages.shifts:
                return self.handled(request)
            again = self.pages.struck(fault.kind, fault.rows, request) if fault and fault.kind in PAGED else None
            if again:
                return again
            asked, rows = self.pages.asks(request)
            answer = self.handled(asked)
            answer = shifted(answer, rows) if rows else answer
            self.pages.note(request, answer)
            return answer

    def handled(self, request: Request) -> Answer:
        answer = self.tracker.handle(request)
        for witness in self.witnesses:
            witness(self.tracker.name, request, answer)
        return answer
