"""Bearer tokens of Microsoft Entra ID for Azure DevOps, through msal."""

from __future__ import annotations

import json
import logging
import re
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog

from connectors.auth import Entra, EntraCertificate, Secret
from connectors.base import Busy, Clock, Down, LockedOut
from connectors.transport import PlainSession, Transport, plain_reason

#: Azure DevOps as a resource (Microsoft's page on service principals and managed identities)
SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"

#: Microsoft's own clouds; anywhere else msal would ask login.microsoftonline.com whether it knows the authority
_MICROSOFT = frozenset({
    "login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net",
    "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
})  # fmt: skip

#: msal takes https authorities only; this one stands for a loopback authority over http and never leaves the machine
_STAND_IN = "https://login.lockstep.invalid"


class Redirected(PlainSession):
    """A session that sends what is meant for one origin to another."""

    def __init__(self, to: str) -> None:
        super().__init__()
        self.to = to
        self.port = urlsplit(to).netloc

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        path = urlsplit(url)._replace(scheme="", netloc="").geturl()
        return super().request(method, self.to + path, *args, **options)


class Forgetful(dict[str, Any]):
    """In place of msal's memory of failures, which it would repeat to us for up to an hour without asking again."""

    def __setitem__(self, key: str, value: Any) -> None:
        pass


class Tokens:
    """Tokens of one service principal. msal keeps them and asks anew when they run out; threads share them."""

    def __init__(
        self,
        auth: Entra | EntraCertificate,
        clock: Clock,
        *,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
    ) -> None:
        self.auth = auth
        self.transport = Transport("Microsoft Entra ID", clock, timeout=timeout, verify=verify, proxies=proxies)
        self.lock = threading.Lock()
        self.app: Any = None

    def token(self) -> str:
        """A live access token. Raises ``LockedOut`` where the principal is refused, ``Busy`` or ``Down`` where the
        endpoint is; none of these reached Azure DevOps."""
        with self.lock:
            answer = self.asked()
        if "access_token" in answer:
            return str(answer["access_token"])
        raise self.rest() or refusal(answer)

    def asked(self) -> dict[str, Any]:
        import msal

        try:
            # The constructor reads the tenant's endpoints, so it stands inside too
            self.app = self.app or self.application()
            return dict(self.app.acquire_token_for_client(scopes=[SCOPE]) or {})
        except (requests.RequestException, msal.exceptions.MsalError, ValueError) as error:
            structlog.get_logger().debug("token refused", action="token", error=type(error).__name__)
            raise self.rest() or unreachable(error) from None

    def rest(self) -> Busy | None:
        """Where the last answer asked for rest: msal's error dict holds neither status nor headers."""
        last, until = self.transport.last, self.transport.resting
        if last is None or until is None or not (last.status_code == 429 or "Retry-After" in last.headers):
            return None
        return Busy(f"Microsoft Entra ID asks for rest until {until:%H:%M:%S} UTC", until)

    def application(self) -> Any:
        import msal

        # it logs an answer that is not JSON whole: half a token answer holds a whole token
        logging.getLogger("msal.oauth2cli.oauth2").setLevel(logging.CRITICAL)
        loopback = self.auth.authority.startswith("http://")
        session = Redirected(self.auth.authority.rstrip("/")) if loopback else PlainSession()
        self.transport.mount(session)
        base = _STAND_IN if loopback else self.auth.authority.rstrip("/")
        return msal.ConfidentialClientApplication(
            self.auth.client_id,
            client_credential=self.credential(),
            authority=f"{base}/{self.auth.tenant}",
            http_client=session,
            http_cache=Forgetful(),
            instance_discovery=None if urlsplit(base).hostname in _MICROSOFT else False,
        )

    def credential(self) -> str | dict[str, str]:
        """As msal takes it: from a certificate it works out the thumbprint itself."""
        if isinstance(self.auth, Entra):
            return self.auth.client_secret.reveal()
        return {"private_key": self.auth.pem.reveal(), "public_certificate": certificate_in(self.auth.pem)}

    def forget(self) -> None:
        """Drops the kept token: the tracker refused it although it should still live."""
        with self.lock:
            if self.app is not None:
                self.app.remove_tokens_for_client()


def certificate_in(pem: Secret) -> str:
    """The certificate that stands beside the private key. Raises ``LockedOut`` where the two cannot sign us in: what
    msal would raise comes from deep inside its libraries."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    try:
        key = load_pem_private_key(pem.reveal().encode(), None)
        found = x509.load_pem_x509_certificate(pem.reveal().encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LockedOut("the private key or the certificate in `certificate` cannot be read") from None
    if not isinstance(key, RSAPrivateKey) or key.public_key() != found.public_key():
        raise LockedOut("`certificate` must hold an RSA key and the certificate made from it")
    return found.public_bytes(Encoding.PEM).decode()


def unreachable(error: Exception) -> LockedOut | Down:
    """msal says an unknown tenant with a ValueError; everything else is a network that failed."""
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException | json.JSONDecodeError):
        return LockedOut("Microsoft Entra ID does not know this tenant: check `tenant` and `authority`")
    return Down(f"Microsoft Entra ID gives no token ({plain_reason(error)})")


def refusal(answer: dict[str, Any]) -> LockedOut | Down:
    """msal's error dict as a sentence. Only the code and its first sentence are kept: the rest is trace ids."""
    error, said = str(answer.get("error", "")), str(answer.get("error_description", ""))
    if error in ("temporarily_unavailable", "server_error"):
        return Down(f"Microsoft Entra ID gives no token ({error})")
    sentence = re.split(r"\s+Trace ID:", said)[0].split(". ")[0].strip()
    return LockedOut(f"Microsoft Entra ID refuses our sign-in: {sentence or error or 'no reason given'}")
