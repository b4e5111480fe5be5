"""Properties that hang on issues and comments: what a request gives, and how much one may hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.jira.refusals import Rejected

PROPERTY_LIMIT, KEY_LIMIT = 32_768, 255


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    """The ``properties`` of a request that makes or changes something else; each is bounded as one set by itself."""
    found = {str(one.get("key") or ""): one.get("value") for one in body.get("properties") or ()}
    for key, value in found.items():
        sized(key, value)
    return found


def sized(key: str, value: Any) -> None:
    """The most a property may hold (Jira Cloud REST API, "Set issue property")."""
    long = len(key) > KEY_LIMIT or len(json.dumps(value, ensure_ascii=False)) > PROPERTY_LIMIT
    if not key or value is None or long:
        raise Rejected(400, [f"The maximum length of a property value is {PROPERTY_LIMIT} and of its key {KEY_LIMIT}."])
