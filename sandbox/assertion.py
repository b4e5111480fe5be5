"""The signed assertion by which an application proves that it holds its certificate's private key (Microsoft identity
platform, certificate credentials page)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def fault(assertion: str, certificate: str, client_id: str, audience: str) -> str:
    """What is wrong with an assertion, in the endpoint's words; empty where it proves the client. ``certificate`` is
    the one uploaded for it, in PEM form."""
    known = x509.load_pem_x509_certificate(certificate.encode())
    public = known.public_key()
    if not isinstance(public, RSAPublicKey):
        return "The certificate is not of an RSA key."
    thumbprint = base64.urlsafe_b64encode(known.fingerprint(hashes.SHA256())).decode().rstrip("=")
    try:
        if jwt.get_unverified_header(assertion).get("x5t#S256", "").rstrip("=") != thumbprint:
            return "The certificate with identifier used to sign the client assertion is not registered on application."
        claims = jwt.decode(assertion, public, algorithms=["PS256"], audience=audience, issuer=client_id)
    except jwt.PyJWTError as problem:
        return f"Client assertion failed signature validation or is not valid: {type(problem).__name__}."
    if claims.get("sub") != client_id:
        return "Client assertion is not within its subject."
    if not known.not_valid_before_utc <= datetime.now(UTC) <= known.not_valid_after_utc:
        return "The certificate used to sign the client assertion has expired."
    return ""
