"""A certificate authority made on the spot, and what stands in front of a server: TLS, a forward proxy. Both are real
and on loopback, and keep count of what came through."""

from __future__ import annotations

import base64
import os
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PEM = Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def pem_of(key: Key) -> bytes:
    return key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())


def certified(name: str, key: Key, by: tuple[x509.Certificate, Key] | None = None) -> x509.Certificate:
    """A certificate for 127.0.0.1, by an authority, or by itself and an authority then."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (by[0].subject, by[1]) if by else (subject, key)
    now = datetime.now(UTC)
    public = signing.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(signing, hashes.SHA256())
    )


class Authority:
    """``file`` is what an admin names under ``ca``; ``context`` is for a server that it vouches for."""

    def __init__(self, folder: Path, name: str = "Example Company CA") -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        root = certified(name, key)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(root.public_bytes(PEM))
        own = ec.generate_private_key(ec.SECP256R1())
        chain = folder / f"{name.replace(' ', '-')}-server.pem"
        chain.write_bytes(pem_of(own) + certified("127.0.0.1", own, (root, key)).public_bytes(PEM))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain)


def application_certificate() -> tuple[str, str]:
    """Key and certificate as an admin keeps them in one file, and the certificate alone, as it is uploaded."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = certified("lockstep", key).public_bytes(PEM).decode()
    return pem_of(key).decode() + certificate, certificate


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port = int(self.server_address[1])
        self.accepted = 0
        self.breaking = False

    def process_request(self, request: Any, client_address: Any) -> None:
        self.accepted += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are the point of some tests."""


@contextmanager
def running(listener: Listener) -> Iterator[Any]:
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def pump(one: socket.socket, other: socket.socket) -> None:
    """Both ways until either side has said all."""
    back = threading.Thread(target=pour, args=(other, one), daemon=True)
    back.start()
    pour(one, other)
    back.join()


def pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def fronted(port: int, context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A port that passes everything on to ``port``, with TLS taken off where there is a context; ``accepted`` counts
    connections. ``breaking``: requests on new connections are read, and answered in the clear."""

    class Front(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client = context.wrap_socket(self.request, server_side=True) if context else self.request
            if listener.breaking:
                with client:
                    client.recv(65536)
                    os.write(client.fileno(), b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                pump(client, server)

    with running(Listener(Front)) as listener:
        yield listener


class Proxy(Listener):
    """A forward proxy: CONNECT, and plain requests by whole address. ``wanted`` is ``user:password``; ``asked`` are
    the request lines that it let through, ``refused`` how many it did not. ``closed``: it connects nobody."""

    def __init__(self, wanted: str = "") -> None:
        super().__init__(Forwarding)
        self.wanted = wanted
        self.asked: list[str] = []
        self.refused = 0
        self.closed = False

    def refusal(self, head: bytes) -> bytes:
        """The status line for who may not pass; empty for who may."""
        sent = re.search(rb"proxy-authorization: *basic +(\S+)", head, re.IGNORECASE)
        if self.wanted and (sent is None or base64.b64decode(sent[1]) != self.wanted.encode()):
            return b"407 Proxy Authentication Required"
        return b"403 Forbidden" if self.closed else b""


class Forwarding(socketserver.StreamRequestHandler):
    """One connection of a client, for one server: good enough for a client that keeps a pool for each."""

    server: Proxy

    def handle(self) -> None:
        head = b"".join(iter(self.rfile.readline, b"\r\n")) + b"\r\n"
        line = head.split(b"\r\n")[0].decode()
        method, target, _ = line.split(" ")
        if refusal := self.server.refusal(head):
            self.server.refused += 1
            asking = b'Proxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
            self.wfile.write(b"HTTP/1.1 %b\r\n%b" % (refusal, asking))
            return
        self.server.asked.append(f"{method} {target}")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as server:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                pump(self.connection, server)
                return
            self.forward(server, head, f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def forward(self, server: socket.socket, head: bytes, path: str) -> None:
        """One plain request and its answer; then both connections end."""
        lines = head.split(b"\r\n")
        method = lines[0].split(b" ")[0]
        kept = [line for line in lines[1:] if line and not line.lower().startswith((b"proxy-", b"connection:"))]
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        body = self.rfile.read(int(length[1])) if length else b""
        server.sendall(b"\r\n".join([b"%b %b HTTP/1.1" % (method, path.encode()), *kept, b"Connection: close"]))
        server.sendall(b"\r\n\r\n" + body)
        status, _, rest = b"".join(iter(lambda: server.recv(65536), b"")).partition(b"\r\n")
        self.wfile.write(status + b"\r\nConnection: close\r\n" + rest)


@contextmanager
def proxying(wanted: str = "") -> Iterator[Proxy]:
    with running(Proxy(wanted)) as proxy:
        yield proxy
