"""A client that shows an exchange byte by byte, and how the connection ended."""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import dataclass
from typing import Any

from sandbox.estate import AZURE_PAT, JIRA_TOKEN, SERVICENOW_PASSWORD, Estate

SIGNS = {
    "servicenow": f"lockstep:{SERVICENOW_PASSWORD}",
    "jira": f"lockstep@example.org:{JIRA_TOKEN}",
    "azure": f":{AZURE_PAT}",
}


@dataclass(frozen=True)
class Raw:
    """What came back. ``end``: ``open`` (the connection stays), ``closed`` or ``reset``."""

    data: bytes
    end: str

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    def json(self) -> Any:
        return json.loads(self.body)


def line(tracker: str, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
    """A signed-in request as bytes."""
    sign = base64.b64encode(SIGNS.get(tracker, ":").encode()).decode()
    kinds = {"Host": "localhost", "Accept": "application/json", "Content-Type": "application/json"}
    sent = {**kinds, "Authorization": f"Basic {sign}", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


def exchange(port: int, *pieces: bytes, answers: int = 1) -> Raw:
    """Sends bytes and takes in what comes until the connection ends, or that many whole answers are there."""
    data = b""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        for piece in pieces:
            client.sendall(piece)
        while not whole(data, answers):
            try:
                piece = client.recv(65_536)
            except ConnectionResetError:
                return Raw(data, "reset")
            if not piece:
                return Raw(data, "closed")
            data += piece
    return Raw(data, "open")


def whole(data: bytes, answers: int) -> bool:
    """Whether that many answers with their whole bodies have come."""
    for _ in range(answers):
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return False
        lengths = [one.split(b":")[1] for one in head.lower().split(b"\r\n") if one.startswith(b"content-length")]
        size = int(lengths[0]) if lengths else 0
        if len(rest) < size or b"connection: close" in head.lower():
            return False
        data = rest[size:]
    return True


def ask(estate: Estate, tracker: str, target: str, method: str = "GET", body: Any = None) -> Raw:
    """One request as the integration's account."""
    sent = b"" if body is None else json.dumps(body).encode()
    return exchange(estate.servers[tracker].port, line(tracker, target, method, sent))
