"""How each request proves who we are, as requests' auth objects: all threads of a connector share one."""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from connectors.auth import ApiKey, Auth, Bearer, ClientCredentials, PasswordGrant, Secret, UserPassword
from connectors.base import LockedOut
from connectors.servicenow.oauth import OAuth
from connectors.transport import Transport


class Header(AuthBase):
    """A header that never changes."""

    def __init__(self, name: str, secret: Secret, before: str = "") -> None:
        self.name, self.secret, self.before = name, secret, before

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers[self.name] = self.before + self.secret.reveal()
        return r


def sign_in(auth: Auth, transport: Transport, base: str) -> AuthBase:
    """What signs the requests to the instance at ``base``; raises ``LockedOut`` where ``auth`` is another tracker's.
    Nothing is sent before the first request wants it."""
    match auth:
        case UserPassword(user, password):
            # bytes: as text, requests would send them as Latin-1
            return HTTPBasicAuth(user.encode(), password.reveal().encode())
        case Bearer(token):
            return Header("Authorization", token, "Bearer ")
        case ApiKey(key):
            return Header("x-sn-apikey", key)
        case ClientCredentials() | PasswordGrant():
            return OAuth(auth, transport, base)
    raise LockedOut(
        f"{transport.tracker}: ServiceNow takes a user and password, an OAuth application, a bearer token or an API key"
    )
