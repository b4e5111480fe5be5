"""Listing what was created in a span of time: the text of the query."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.azure_devops.records import Metadata
from connectors.azure_devops.search import inside
from mappings.model import Scope

#: ids of one answer; a query that finds more than 20,000 is refused (apis.md, 3: VS402337)
IDS = 10_000


def question(scope: Scope, metadata: Metadata, since: datetime, until: datetime, after: str) -> str:
    """In scope as far as a query can tell it, created from ``since`` on and before ``until``, behind the id ``after``;
    in the order of ids, which is how more than one answer is asked for."""
    bounds = (f"[System.CreatedDate] >= '{stamp(since)}'", f"[System.CreatedDate] < '{stamp(until)}'")
    parts = (*inside(scope, metadata), *bounds, f"[System.Id] > {int(after)}")
    return f"SELECT [System.Id] FROM WorkItems WHERE {' AND '.join(parts)} ORDER BY [System.Id]"


def stamp(moment: datetime) -> str:
    """To the second, in UTC: with ``timePrecision`` the service takes it so."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
