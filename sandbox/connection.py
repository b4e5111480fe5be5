"""HTTP/1.1 on our own sockets: quick, and exact about what leaves a socket and how it ends.

The standard library's handler reads headers through the e-mail parser and keeps files on the socket, so that a reset
comes late; this one reads from one buffer and closes at once.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from sandbox.wire import Request

LARGEST_HEAD = 65_536


class Malformed(Exception):
    """What came is no request; ``status`` says what to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection:
    """One client's connection. Every method raises ``OSError`` where the client hung up."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = bytearray()

    def more(self) -> bool:
        """Takes in what has come; false at the end."""
        piece = self.socket.recv(262_144)
        self.buffer += piece
        return bool(piece)

    def until(self, mark: bytes) -> bytes | None:
        """What stands before a mark, which is taken too; ``None`` where the client closed first."""
        while (end := self.buffer.find(mark)) < 0:
            if len(self.buffer) > LARGEST_HEAD:
                raise Malformed(431)
            if not self.more():
                return None
        found = bytes(self.buffer[:end])
        del self.buffer[: end + len(mark)]
        return found

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self.more():
                raise ConnectionResetError("the client closed inside a request")
        found = bytes(self.buffer[:size])
        del self.buffer[:size]
        return found

    def request(self) -> tuple[Request, bool] | None:
        """The next request and whether the client keeps the connection; ``None`` at the end. Raises ``Malformed``."""
        head = self.until(b"\r\n\r\n")
        if head is None:
            return None
        first, *fields = head.decode("latin-1").lstrip("\r\n").split("\r\n")
        headers = {name.lower().strip(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Malformed(400)
        if headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            request = Request.of(words[0], words[1], headers, self.body(headers))
        except ValueError:
            raise Malformed(400) from None
        wish = headers.get("connection", "").lower()
        return request, wish == "keep-alive" if words[2] == "HTTP/1.0" else wish != "close"

    def body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.exactly(number(headers.get("content-length") or "0", 10))
        chunks = []
        while size := number((self.until(b"\r\n") or b"").split(b";")[0].decode("latin-1"), 16):
            chunks.append(self.exactly(size))
            self.exactly(2)
        self.until(b"\r\n")
        return b"".join(chunks)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """The client gets a reset and no orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Ends the connection, also under a thread that waits for a request."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def number(text: str, base: int) -> int:
    """A length; ``ValueError`` where it is none."""
    found = int(text, base)
    if found < 0:
        raise ValueError(f"no length: {text}")
    return found


class Listener:
    """A port of 127.0.0.1. ``serve`` is called with each connection, in a thread of its own."""

    def __init__(self, port: int, serve: Callable[[Connection], None], tls: ssl.SSLContext | None = None) -> None:
        self.serve, self.tls = serve, tls
        self.socket = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = int(self.socket.getsockname()[1])
        self.open: set[Connection] = set()
        self.lock = threading.Lock()
        self.closing = False
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def accept(self) -> None:
        while True:
            sock, _ = self.socket.accept()
            if self.closing:
                return sock.close()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.served, args=(sock,), daemon=True).start()

    def served(self, sock: socket.socket) -> None:
        """One connection from its first byte to its last. A client that hangs up, or that refuses our certificate, is
        no news; anything else is a defect, and Python shows it with the thread's end."""
        try:
            connection = Connection(self.tls.wrap_socket(sock, server_side=True) if self.tls else sock)
        except OSError:
            return sock.close()
        with self.lock:
            self.open.add(connection)
        try:
            self.serve(connection)
        except OSError:
            pass
        finally:
            connection.close()
            with self.lock:
                self.open.discard(connection)

    def server_close(self) -> None:
        """Closes the port and every connection; a second call changes nothing."""
        if self.closing:
            return
        self.closing = True
        if self.thread.ident:
            socket.create_connection(("127.0.0.1", self.port), 5).close()  # wakes the accepting thread
            self.thread.join(5)
        self.socket.close()
        with self.lock:
            left = list(self.open)
        for connection in left:
            connection.close()
