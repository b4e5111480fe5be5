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


Auth = UserPassword | Bearer | AccessToken | Entra
