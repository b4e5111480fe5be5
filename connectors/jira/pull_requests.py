"""The pull requests that people hung on issues as remote links: Jira tells of no others to those who ask its API.

A link counts by its address (GitHub, Bitbucket, GitLab, Azure DevOps); it is over where its status is resolved
(Jira Cloud REST API, "Issue remote links": ``object.status.resolved``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.base import Gone
from connectors.jira.client import Client
from mappings.model import PULL_REQUEST, PULL_REQUEST_URL, Native, Record
from mappings.pull_requests import ABANDONED, MERGED, OPEN, standing

_ADDRESS = re.compile(r"/(?:pull|pull-requests|pullrequest|merge_requests)/\d+(?:[/?#].*)?$", re.IGNORECASE)
_GIVEN_UP = re.compile(r"abandon|declin|clos|superseded", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """What the remote links of an issue said, at the version it had."""

    version: int
    state: str | None
    urls: tuple[str, ...]


class PullRequests:
    """Asks for the remote links of issues: one call each."""

    def __init__(self) -> None:
        self.known: dict[str, Told] = {}

    def asked(self, client: Client, record: Record) -> Record:
        """The record with how its pull requests stand, and where they are."""
        try:
            found = client.get(f"issue/{record.ref.id}/remotelink", item=record.key, take=states_of)
        except Gone:
            return record
        urls = tuple(sorted(found))
        self.known[record.ref.id] = Told(record.version, standing(tuple(found.values())), urls)
        return self.remembered(record)

    def seen(self, client: Client, record: Record) -> Record:
        """The same for an issue out of a search: one that has not moved since is not asked for again. A new link moves
        its issue; that one was resolved does not, and is seen when the issue is read."""
        told = self.known.get(record.ref.id)
        return self.remembered(record) if told and told.version == record.version else self.asked(client, record)

    def remembered(self, record: Record) -> Record:
        """From what was told last, without a call."""
        told = self.known.get(record.ref.id)
        if told is None:
            return record
        known: dict[str, Native] = {PULL_REQUEST: told.state, PULL_REQUEST_URL: told.urls or None}
        return replace(record, fields={**record.fields, **{n: v for n, v in known.items() if n in record.fields}})


def states_of(links: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """How each pull request stands, by its address."""
    targets = (link["object"] for link in links)
    return {str(one["url"]): state_of(one) for one in targets if _ADDRESS.search(str(one.get("url") or ""))}


def state_of(target: Mapping[str, Any]) -> str:
    status = target.get("status") or {}
    if not status.get("resolved"):
        return OPEN
    said = str((status.get("icon") or {}).get("title") or "")
    return ABANDONED if _GIVEN_UP.search(said) else MERGED


def wanted(fields: Iterable[str]) -> bool:
    """Whether a side reads pull requests at all."""
    return bool({PULL_REQUEST, PULL_REQUEST_URL} & set(fields))
