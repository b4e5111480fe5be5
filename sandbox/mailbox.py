"""A mail server on loopback: whoever signs in with the one password leaves messages, and each is handed on at once."""

from __future__ import annotations

import base64
import binascii
import socketserver
import threading
from collections.abc import Callable
from typing import Any

#: what is answered, by the first word of a command that only needs a nod
_NODS = {"NOOP": "250 OK", "RSET": "250 OK", "MAIL": "250 OK", "RCPT": "250 OK"}


class Listening(socketserver.ThreadingTCPServer):
    """Started again at once on the port it had."""

    allow_reuse_address = True
    daemon_threads = True


class Mailbox:
    """Takes mail over SMTP with AUTH PLAIN (RFC 5321, 4954). ``take`` is called with each message as it came."""

    def __init__(self, take: Callable[[bytes], None], user: str, password: str, port: int = 0) -> None:
        known = f"\0{user}\0{password}".encode()

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                converse(self.rfile, self.wfile, known, take)

        self.server = Listening(("127.0.0.1", port), Session)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def converse(read: Any, write: Any, known: bytes, take: Callable[[bytes], None]) -> None:
    """One session, from the greeting to QUIT or the end of the line."""
    signed_in = False
    write.write(b"220 sandbox ready\r\n")
    while line := read.readline():
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        verb = verb.upper()
        if verb == "QUIT":
            write.write(b"221 Bye\r\n")
            return
        answer = _NODS.get(verb, "502 Not known here")
        if verb == "EHLO":
            answer = "250-sandbox\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN"
        elif verb == "AUTH":
            signed_in = proven(rest) == known
            answer = "235 Welcome" if signed_in else "535 Wrong user or password"
        elif verb == "MAIL" and not signed_in:
            answer = "530 Sign in first"
        elif verb == "DATA":
            write.write(b"354 End with a dot\r\n")
            take(message(read))
            answer = "250 Taken"
        write.write(f"{answer}\r\n".encode())


def proven(rest: str) -> bytes:
    """What AUTH PLAIN says; empty where it is none."""
    kind, _, said = rest.partition(" ")
    try:
        return base64.b64decode(said, validate=True) if kind.upper() == "PLAIN" else b""
    except binascii.Error:
        return b""


def message(read: Any) -> bytes:
    """The lines up to the dot, each doubled dot at a beginning single again."""
    lines = []
    while (line := read.readline()) not in (b".\r\n", b""):
        lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)
