"""Trackers and sides: who we talk to, and the kinds of item links are made of."""

from __future__ import annotations

from connectors.installed import KINDS
from mappings.model import MARK_FIELDS
from sync.config.tables.base import SecretRef, Source, Table, says
from sync.config.values import AnyNative, Texts, Url, Wait


class SignInKeys(Table):
    """How we sign in: user and password, user and token, a token, an API key, a PAT, an OAuth application, or an Entra
    application."""

    user: str = says("The account.", "")
    password: SecretRef | None = says("Its password.", None)
    token: SecretRef | None = says("An API token, or a bearer token where no user is named.", None)
    pat: SecretRef | None = says("A personal access token.", None)
    tenant: str = says("The Entra tenant.", "")
    client_id: str = says("The OAuth or Entra application.", "")
    client_secret: SecretRef | None = says("Its secret.", None)
    certificate: SecretRef | None = says("Its private key and certificate in PEM form, instead of a secret.", None)
    api_key: SecretRef | None = says("An API key.", None)
    authority: str = says("Where Entra tokens are asked for.", "")


class Tracker(Table):
    """A tracker to talk to."""

    kind: str = says("What it is.", json_schema_extra={"enum": list(KINDS)})
    url: Url = says("Its address.")
    auth: SignInKeys = says("How we sign in.")
    lag: Wait | None = says("How far its search may trail its writes.", None)
    page: int = says("Items a page; 0: the connector's own choice.", 0, ge=0, le=10_000)
    ca: str = says("A file of certificate authorities to trust.", "")
    proxy: Source | None = says("The proxy to go through.", None)
    timeout: Wait = says("How long one answer may take.", "60s", validate_default=True)
    mark_fields: list[str] = says(
        "The two fields that carry mark and keys.",
        list(MARK_FIELDS),
        min_length=2,
        max_length=2,
    )


class Side(Table):
    """A kind of item that links are made of."""

    tracker: str = says("The tracker it lives in.")
    table: str = says("The table.", "")
    project: str = says("The project.", "")
    type: Texts = says("The types of item; the first is the one created.", [])
    scope: dict[str, AnyNative] = says("Which items may open or join a link: field = value or [values].", {})
    query: str = says("A condition in the tracker's own query language that must hold as well.", "")
    create: dict[str, AnyNative] = says("Native fields of a new item.", {})
    mark_field: str = says("The field of labels that carries our mark.", "labels", min_length=1)
    keys_field: str = says("A text field for our keys; without it they stand in the description.", "")
    under: str = says("Its items are tasks below those of this side: shown with them, never counted nor written.", "")
