"""Transport errors after which the tracker has certainly not seen the request, each with the setting to look at."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from traceback import walk_tb

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.exceptions import ProxyError as ProxyFailed

from connectors.base import Down, Failure, LockedOut


def unreached(tracker: str, error: OSError) -> Failure | None:
    """``Down`` or ``LockedOut`` where no connection stood; ``None`` where the request may have been received. The
    sentence holds no address: that of a proxy may carry its password."""
    words = (Down(f"{tracker} cannot be reached: {_WORDS[type(one)]}") for one in causes(error) if type(one) in _WORDS)
    return by_setting(tracker, error) or next(words, None)


def by_setting(name: str, error: OSError) -> Failure | None:
    """What a file or address in the admin's file is to blame for; ``None`` for anything else."""
    if not isinstance(error, requests.RequestException):
        # requests looks for the file itself before it connects
        return Down(f"the file of certificates under `ca` of {name} cannot be read")
    found = tuple(causes(error))
    return by_proxy(name, found) or by_certificate(name, found)


_WORDS: dict[type[BaseException], str] = {
    NameResolutionError: "its host name is unknown",
    NewConnectionError: "nothing listens there",
    ConnectTimeoutError: "connecting took too long",
    requests.exceptions.ConnectTimeout: "connecting took too long",
}


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was made from, outermost first: requests and urllib3 wrap by argument."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        yield one
        waiting += [getattr(one, "reason", None), getattr(one, "original_error", None), *one.args]


def by_proxy(tracker: str, found: tuple[BaseException, ...]) -> Failure | None:
    if not any(isinstance(cause, requests.exceptions.ProxyError | ProxyFailed) for cause in found):
        return None
    told = re.search(r"Tunnel connection failed: (\d{3})", " ".join(str(cause) for cause in found))
    if told is None:
        return Down(f"{tracker} cannot be reached: its proxy does not answer; check `proxy`")
    if told[1] == "407":
        return LockedOut(f"the proxy of {tracker} refuses us (407): check the user and password in `proxy`")
    return Down(f"{tracker} cannot be reached: its proxy does not connect us ({told[1]})")


def by_certificate(tracker: str, found: tuple[BaseException, ...]) -> Failure | None:
    """What fails before the encrypted connection stands."""
    for cause in found:
        if isinstance(cause, ssl.SSLCertVerificationError):
            advice = "name the file of its authority's certificates under `ca`"
            return Down(f"{tracker} shows a certificate that is not trusted ({cause.verify_message}): {advice}")
        told = cause.reason if isinstance(cause, ssl.SSLError) else ""
        if told == "NO_CERTIFICATE_OR_CRL_FOUND" or (told or "").startswith("PEM"):
            return Down(f"the file under `ca` of {tracker} holds no certificates in PEM form")
        if told == "WRONG_VERSION_NUMBER" and in_handshake(cause):
            return Down(f"{tracker} does not speak TLS there: check https:// and the port in `url`")
    return None


def in_handshake(error: BaseException) -> bool:
    """Whether it broke before the first request was sent: later the same error may hide the answer to a write."""
    return any(frame.f_code.co_name == "do_handshake" for frame, _ in walk_tb(error.__traceback__))
