"""What the admin's file may say of each kind of tracker: keys, ways to sign in, channels. Facts, no behaviour; the
one place outside the connectors that names the trackers, so that ``sync`` need not. Further kinds: ``installed``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.auth import (
    AccessToken,
    ApiKey,
    Auth,
    Bearer,
    ClientCredentials,
    Entra,
    EntraCertificate,
    PasswordGrant,
    Secret,
    Unsuited,
    UserPassword,
)
from mappings.matching import Called
from mappings.model import ITERATION, PULL_REQUEST, PULL_REQUEST_URL

Given = Mapping[str, str | Secret]


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way to sign in: the keys it takes (all of them), those it may take, and what they make, which raises
    ``Unsuited`` for a value that can be seen to be wrong."""

    keys: tuple[str, ...]
    make: Callable[[Given], Auth]
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of tracker. ``side_keys`` must stand on each of its sides, ``side_may`` may; ``tracker_may`` are keys
    of its own. ``channels`` are whole names, ``groups`` are beginnings that a name follows (``role:``). ``computed``
    are native fields that the tracker works out by itself: what is so, and what to map instead. ``connector`` is the
    class, as ``package.module:Class``; it is imported only when a tracker of the kind is worked with. ``schemes`` are
    how its addresses may begin. ``everyone`` is the channel that everyone on an item reads, if there is one. ``called``
    is how its items are named in people's texts, ``homes`` gives the beginnings of their addresses for the tracker's
    own. ``beside`` are the native names of what is read with an item and never written. ``relations`` are the fields by
    which an item of one table names one of another; ``current`` are the fields of which the tracker knows a current
    value, which ``@current`` stands for in a new item."""

    name: str
    connector: str
    side_keys: tuple[str, ...]
    channels: tuple[str, ...]
    sign_ins: tuple[SignIn, ...]
    side_may: tuple[str, ...] = ()
    tracker_may: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    computed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    schemes: tuple[str, ...] = ("https", "http")
    everyone: str = ""
    called: Called = field(default_factory=Called)
    relations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    current: tuple[str, ...] = ()
    homes: Callable[[str], tuple[str, ...]] = lambda url: (url,)
    beside: tuple[str, ...] = ()

    def speaks(self, channel: str) -> bool:
        """True where the tracker has a channel of that name."""
        return channel in self.channels or any(channel.startswith(g) and channel != g for g in self.groups)


def text(given: Given, key: str) -> str:
    value = given[key]
    return value.reveal() if isinstance(value, Secret) else value


def secret(given: Given, key: str) -> Secret:
    value = given[key]
    return value if isinstance(value, Secret) else Secret(value)


_PASSWORD = SignIn(("user", "password"), lambda g: UserPassword(text(g, "user"), secret(g, "password")))
_TOKEN = SignIn(("token",), lambda g: Bearer(secret(g, "token")))
_USER_TOKEN = SignIn(("user", "token"), lambda g: UserPassword(text(g, "user"), secret(g, "token")))
_PAT = SignIn(("pat",), lambda g: AccessToken(secret(g, "pat")))
_KEY = SignIn(("api_key",), lambda g: ApiKey(secret(g, "api_key")))
_APPLICATION = SignIn(
    ("client_id", "client_secret"), lambda g: ClientCredentials(text(g, "client_id"), secret(g, "client_secret"))
)
_PASSWORD_GRANT = SignIn(
    ("user", "password", "client_id", "client_secret"),
    lambda g: PasswordGrant(text(g, "user"), secret(g, "password"), text(g, "client_id"), secret(g, "client_secret")),
)
_ENTRA = SignIn(
    ("tenant", "client_id", "client_secret"),
    lambda g: Entra(text(g, "tenant"), text(g, "client_id"), secret(g, "client_secret"), **authority(g)),
    may=("authority",),
)


def authority(given: Given) -> dict[str, str]:
    """Where tokens are asked for; our secret goes there, so in the clear to this machine only."""
    if "authority" not in given:
        return {}
    try:
        parts = urlsplit(text(given, "authority"))
        here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
        safe = bool(parts.hostname) and (parts.scheme == "https" or here)
    except ValueError:
        safe = False
    if not safe:
        raise Unsuited("authority", "must begin with https://", 'write authority = "https://login.microsoftonline.com"')
    return {"authority": text(given, "authority")}


def entra_certificate(given: Given) -> Auth:
    pem = secret(given, "certificate")
    missing = [word for word in ("PRIVATE KEY-----", "BEGIN CERTIFICATE-----") if word not in pem.reveal()]
    if pem.reveal() and (missing or "ENCRYPTED" in pem.reveal()):
        what = "must hold a private key without a passphrase and its certificate, both in PEM form"
        raise Unsuited("certificate", what, "put both into one file: cat key.pem cert.pem > lockstep.pem")
    return EntraCertificate(text(given, "tenant"), text(given, "client_id"), pem, **authority(given))


_ENTRA_CERTIFICATE = SignIn(("tenant", "client_id", "certificate"), entra_certificate, may=("authority",))


def azure_homes(url: str) -> tuple[str, ...]:
    """``dev.azure.com/ORG`` was ``ORG.visualstudio.com``, and old addresses still lead there (Microsoft: "Introducing
    Azure DevOps URLs")."""
    parts = urlsplit(url)
    organisation = parts.path.strip("/").partition("/")[0]
    moved = (parts.hostname or "").casefold() == "dev.azure.com" and organisation
    return (url, f"https://{organisation}.visualstudio.com") if moved else (url,)


_ISSUE = r"([A-Z][A-Z0-9_]+-[1-9]\d*)(?![\w-])"
_RECORD = r"([A-Z]{2,10}\d{4,})(?!\w)"

#: the kinds that Lockstep brings
OWN: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "servicenow",
            "connectors.servicenow:ServiceNow",
            side_keys=("table",),
            side_may=("query",),
            channels=("comments", "work_notes"),
            everyone="comments",
            sign_ins=(_PASSWORD, _TOKEN, _KEY, _APPLICATION, _PASSWORD_GRANT),
            tracker_may=("mark_fields",),
            relations={("incident", "problem"): "problem_id"},
            called=Called(
                key=rf"(?<!\w){_RECORD}",
                addresses=(
                    r"(?:\bsys_id=|/)([0-9a-f]{32})(?![0-9a-f])",
                    rf"\b(?:number|sysparm_search|sysparm_query)=(?:number=)?{_RECORD}",
                ),
                whole=r"([0-9a-f]{32})",
            ),
            computed={
                "priority": (
                    "ServiceNow computes priority from impact and urgency",
                    'map those two: ["impact", "urgency"], with values = [...]',
                )
            },
        ),
        Kind(
            "jira",
            "connectors.jira:Jira",
            side_keys=("project", "type"),
            side_may=("keys_field", "mark_field", "query"),
            channels=("everyone", "internal"),
            everyone="everyone",
            groups=("role:", "group:"),
            beside=(PULL_REQUEST, PULL_REQUEST_URL),
            called=Called(key=rf"(?<![\w-]){_ISSUE}", addresses=(rf"[/=]{_ISSUE}", r"/issue/(\d+)(?!\w)"), whole=""),
            sign_ins=(_USER_TOKEN, _TOKEN, _PASSWORD),
        ),
        Kind(
            "azure_devops",
            "connectors.azure_devops:AzureDevOps",
            side_keys=("project", "type"),
            side_may=("query",),
            channels=("discussion",),
            everyone="discussion",
            sign_ins=(_PAT, _ENTRA, _ENTRA_CERTIFICATE),
            called=Called(
                key=r"(?<![\w&/])(?:AB)?#(\d{1,10})(?!\w)",
                addresses=(r"/_?workitems(?:/edit)?/(\d+)", r"[?&](?:workitem|id)=(\d+)"),
                whole=r"(\d{1,10})",
            ),
            homes=azure_homes,
            current=("System.IterationPath", "iteration"),
            beside=(PULL_REQUEST, PULL_REQUEST_URL, ITERATION),
            computed={
                "Hyperlinks": (
                    "the hyperlinks of a work item are read and never written",
                    "leave it the field's only native name, or name another field",
                )
            },
        ),
    )
}
