"""The sandbox without sockets: a client library of the same process speaks HTTP to a server through memory.

What the library sends is parsed and answered by the server's own code, bytes for bytes as over a socket, in the thread
that reads the answer: nothing runs beside it, so that a seed decides everything. Time that an answer takes passes on
the sandbox's clock.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from sandbox.bend import Sent
from sandbox.connection import Connection
from sandbox.server import Server
from sandbox.wire import Request

#: called with the server's name, the request and whether it was answered yet; may raise what ends the process
Boundary = Callable[[str, Request, bool], None]


class Within:
    """The servers by their hosts, until it is over: the client libraries keep connections for ever, and with them
    everything that a connection leads to."""

    def __init__(self, servers: Mapping[str, Server], boundary: Boundary | None) -> None:
        self.servers, self.boundary = dict(servers), boundary

    def leave(self) -> None:
        self.servers.clear()
        self.boundary = None

    def passed(self, server: Server, request: Request, answered: bool) -> None:
        if self.boundary:
            self.boundary(server.tracker.name, request, answered)


class Pipe:
    """Both ends of one connection. The server reads what the client sent, and answers when the client reads."""

    def __init__(self, within: Within, host: str) -> None:
        self.within, self.host = within, host
        self.sent, self.answer, self.at = bytearray(), b"", 0
        self.end = ""
        self.timeout: float | None = None
        self.connection = Connection(self)  # type: ignore[arg-type]  # it asks for no more of a socket than is here

    # -- as the server's socket

    def recv(self, size: int) -> bytes:
        piece = bytes(self.sent[:size])
        del self.sent[:size]
        return piece

    # -- as the client's socket

    def sendall(self, data: bytes) -> None:
        if self.end:
            raise BrokenPipeError("the server closed the connection")
        self.sent += data

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def setsockopt(self, *given: Any) -> None:
        """Nothing to set on memory."""

    def shutdown(self, how: int) -> None:
        self.end = self.end or "close"

    def close(self) -> None:
        self.end = self.end or "close"

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(Reader(self), 65_536)

    # -- between the two

    def taken(self) -> bytes:
        """The next bytes for the client; empty at the end. Raises what a socket raises."""
        if self.at >= len(self.answer) and not self.end:
            self.respond()
        piece = self.answer[self.at :]
        self.at = len(self.answer)
        if not piece and self.end == "reset":
            raise ConnectionResetError(104, "Connection reset by peer")
        return piece

    def respond(self) -> None:
        found = self.connection.request()
        if found is None:
            self.end = "close"
            return
        request, stays = found
        server = self.within.servers[self.host]
        self.within.passed(server, request, False)
        begun = server.clock.now()
        sent: Sent = server.answer(request)
        self.within.passed(server, request, True)
        took = server.clock.now() - begun
        if self.timeout is not None and took > timedelta(seconds=self.timeout):
            self.end = "close"
            raise TimeoutError("timed out")
        self.answer, self.at = sent.data(server.clock.now(), request.method == "HEAD"), 0
        self.end = sent.end or ("" if stays else "close")


class Reader(io.RawIOBase):
    """The client's file on its end."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe, self.left = pipe, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            self.left = self.pipe.taken()
        piece = self.left[: len(buffer)]
        self.left = self.left[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def inside(servers: Mapping[str, Server], boundary: Boundary | None = None) -> Iterator[None]:
    """While inside, every connection to one of the hosts ends at its server; any other host refuses."""

    within = Within(servers, boundary)

    class Connected(HTTPConnection):
        def _new_conn(self) -> Any:
            if self.host not in within.servers:
                raise ConnectionRefusedError(111, f"{self.host} is not in the sandbox")
            return Pipe(within, self.host)

        @property
        def is_connected(self) -> bool:
            pipe: Any = self.sock
            return pipe is not None and not pipe.end

    before = HTTPConnectionPool.ConnectionCls
    HTTPConnectionPool.ConnectionCls = Connected
    try:
        yield
    finally:
        HTTPConnectionPool.ConnectionCls = before
        within.leave()
