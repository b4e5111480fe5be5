"""What the admin's file may say of each kind of tracker: keys, ways to sign in, channels. Facts, no behaviour; the
one place outside the connectors that names the trackers, so that ``sync`` need not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.auth import AccessToken, Auth, Bearer, Entra, Secret, UserPassword

Given = Mapping[str, str | Secret]


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way to sign in: the keys it takes (all of them), those it may take, and what they make."""

    keys: tuple[str, ...]
    make: Callable[[Given], Auth]
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of tracker. ``side_keys`` must stand on each of its sides, ``side_may`` may; ``tracker_may`` are keys
    of its own. ``channels`` are whole names, ``groups`` are beginnings that a name follows (``role:``). ``computed``
    are native fields that the tracker works out by itself: what is so, and what to map instead."""

    name: str
    side_keys: tuple[str, ...]
    channels: tuple[str, ...]
    sign_ins: tuple[SignIn, ...]
    side_may: tuple[str, ...] = ()
    tracker_may: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    computed: Mapping[str, tuple[str, str]] = field(default_factory=dict)

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
_ENTRA = SignIn(
    ("tenant", "client_id", "client_secret"),
    lambda g: Entra(
        text(g, "tenant"),
        text(g, "client_id"),
        secret(g, "client_secret"),
        **({"authority": text(g, "authority")} if "authority" in g else {}),
    ),
    may=("authority",),
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "servicenow",
            side_keys=("table",),
            channels=("comments", "work_notes"),
            sign_ins=(_PASSWORD, _TOKEN),
            tracker_may=("mark_fields",),
            computed={
                "priority": (
                    "ServiceNow computes priority from impact and urgency",
                    'map those two: ["impact", "urgency"], with values = [...]',
                )
            },
        ),
        Kind(
            "jira",
            side_keys=("project", "type"),
            side_may=("keys_field",),
            channels=("everyone", "internal"),
            groups=("role:", "group:"),
            sign_ins=(_USER_TOKEN, _TOKEN, _PASSWORD),
        ),
        Kind(
            "azure_devops",
            side_keys=("project", "type"),
            channels=("discussion",),
            sign_ins=(_PAT, _ENTRA),
        ),
    )
}
