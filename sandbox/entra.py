"""Microsoft Entra ID's token endpoint for service principals: discovery, client credentials by secret or certificate,
tokens that expire."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from sandbox import assertion
from sandbox.clock import SandboxClock
from sandbox.wire import Answer, Request

#: Azure DevOps as a resource (service principals page)
AZURE_DEVOPS_SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"


@dataclass(frozen=True, slots=True)
class Principal:
    """An app registration: its secret, and the object id under which Azure DevOps knows it (it has no e-mail).
    ``certificate`` is the one uploaded for it, in PEM form."""

    secret: str
    object_id: str
    certificate: str = ""


class Entra:
    """One tenant. ``clients`` are principals by client id; ``lifetime`` is how long a token lives."""

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        *,
        tenant: str = "11111111-2222-3333-4444-555555555555",
        clients: Mapping[str, Principal] | None = None,
        lifetime: timedelta = timedelta(seconds=3599),
    ) -> None:
        self.name, self.clock, self.tenant, self.lifetime = name, clock, tenant, lifetime
        self.clients = dict(
            clients or {"lockstep-client": Principal("entra-secret", "aaaa1111-0000-4000-8000-00000000beef")}
        )
        self.tokens: dict[str, tuple[str, datetime]] = {}

    def accepts(self, token: str) -> str:
        """The object id that a live token stands for, else nothing: Azure DevOps' side of the trust."""
        owner, until = self.tokens.get(token, ("", self.clock.now()))
        return owner if self.clock.now() < until else ""

    def revoke(self) -> None:
        """Every token given so far is void."""
        self.tokens.clear()

    def handle(self, request: Request) -> Answer:
        match request.method, request.path.strip("/").lower().split("/"):
            case "GET", [tenant, "v2.0", ".well-known", "openid-configuration"]:
                return self.discovery(request) if tenant == self.tenant else unknown_tenant(tenant)
            case "POST", [tenant, "oauth2", "v2.0", "token"]:
                return self.token(request) if tenant == self.tenant else unknown_tenant(tenant)
        return Answer(404)

    def discovery(self, request: Request) -> Answer:
        """msal reads the endpoints from here and refuses any that is not https."""
        base = f"https://{request.headers.get('host', 'login.microsoftonline.com')}/{self.tenant}"
        return Answer.of(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "issuer": f"{base}/v2.0",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
            }
        )

    def token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        client = self.clients.get(form.get("client_id", ""))
        if form.get("grant_type") != "client_credentials":
            return refusal("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if form.get("scope") != AZURE_DEVOPS_SCOPE:
            return refusal("invalid_scope", 70011, "The provided value for scope is not valid.")
        if client is None:
            return refusal("unauthorized_client", 700016, "Application was not found in the directory.")
        if form.get("client_assertion_type") == assertion.KIND and client.certificate:
            audience = f"https://{request.headers.get('host', '')}/{self.tenant}/oauth2/v2.0/token"
            wrong = assertion.fault(form.get("client_assertion", ""), client.certificate, form["client_id"], audience)
            return refusal("invalid_client", 700027, wrong, 401) if wrong else self.granted(client)
        if form.get("client_secret") != client.secret:
            return refusal("invalid_client", 7000215, "Invalid client secret provided.", 401)
        return self.granted(client)

    def granted(self, client: Principal) -> Answer:
        until = self.clock.now() + self.lifetime
        token = unsigned({"oid": client.object_id, "exp": int(until.timestamp()), "n": len(self.tokens)})
        self.tokens[token] = (client.object_id, until)
        seconds = int(self.lifetime.total_seconds())
        return Answer.of(
            {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        )


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token in the form of a JWT; nobody here reads inside."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"


def refusal(error: str, code: int, sentence: str, status: int = 400) -> Answer:
    """The error body of the token endpoint (Microsoft identity platform error codes page)."""
    return Answer.of(
        {
            "error": error,
            "error_description": f"AADSTS{code}: {sentence} Trace ID: 0f8b2d32 Correlation ID: 98b54862 Timestamp: now",
            "error_codes": [code],
            "timestamp": "2026-01-05 08:00:00Z",
            "trace_id": "0f8b2d32-fdff-4d39-87b8-548fb9450eb7",
            "correlation_id": "98b54862-0000-4000-8000-000000000000",
        },
        status,
    )


def unknown_tenant(tenant: str) -> Answer:
    return refusal("invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
