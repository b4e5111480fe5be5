"""From a tracker's settings to its connector. The client libraries are imported here, when one is wanted: together
they take more than a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

from connectors.auth import Auth, Secret
from connectors.base import Clock, Connector
from connectors.installed import KINDS


def connector(
    kind: str,
    name: str,
    url: str,
    auth: Auth,
    clock: Clock,
    *,
    lag: timedelta | None = None,
    page: int = 0,
    ca: str = "",
    proxy: Secret | None = None,
    timeout: float = 60.0,
) -> Connector:
    """A connector for one tracker. ``ca`` is a file of trusted certificates. Raises ``KeyError`` for an unknown
    kind."""
    module, _, cls = KINDS[kind].connector.partition(":")
    build: Callable[..., Any] = getattr(import_module(module), cls)
    options: dict[str, Any] = {"verify": ca or True, "timeout": (min(10.0, timeout), timeout)}
    if lag is not None:
        options["lag"] = lag
    if page:
        options["page"] = page
    if proxy is not None:
        options["proxies"] = {"http": proxy.reveal(), "https": proxy.reveal()}
    made: Connector = build(name, url, auth, clock, **options)
    return made
