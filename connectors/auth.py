"""How a connector proves who it is. Secrets hide themselves wherever they are printed."""

from __future__ import annotations

from dataclasses import dataclass


class Secret:
    """A string that never shows itself: ``repr``, ``str`` and formatting give ``***``; ``reveal()`` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Unsuited(ValueError):
    """The value of ``key`` cannot sign anybody in: ``what`` is wrong and what to do ``instead``."""

    def __init__(self, key: str, what: str, instead: str) -> None:
        super().__init__(what)
        self.key, self.what, self.instead = key, what, instead


@dataclass(frozen=True, slots=True)
class UserPassword:
    """Basic authentication (ServiceNow), or Jira's e-mail and API token."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Bearer:
    """A fixed bearer token (Jira Data Center, a ServiceNow OAuth token)."""

    token: Secret


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An Azure DevOps personal access token."""

    token: Secret


@dataclass(frozen=True, slots=True)
class Entra:
    """A service principal of Microsoft Entra ID; ``authority`` is where tokens are asked for."""

    tenant: str
    client_id: str
    client_secret: Secret
    authority: str = "https://login.microsoftonline.com"


@dataclass(frozen=True, slots=True)
class EntraCertificate:
    """The same, proven by a certificate: ``pem`` holds the private key and the certificate, one after the other."""

    tenant: str
    client_id: str
    pem: Secret
    authority: str = "https://login.microsoftonline.com"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An OAuth application of ServiceNow that acts as the user it is bound to there (apis.md 1.8)."""

    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """An OAuth application of ServiceNow that acts as the user who signs in through it (apis.md 1.8)."""

    user: str
    password: Secret
    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of ServiceNow's, sent in a header of its own (apis.md 1.8)."""

    key: Secret


Auth = UserPassword | Bearer | AccessToken | Entra | EntraCertificate | ClientCredentials | PasswordGrant | ApiKey
