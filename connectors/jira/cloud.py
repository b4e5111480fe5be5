"""Jira Cloud: search by token over an index that trails, bulk reads, people by account id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from connectors.base import Down
from connectors.jira.client import Client
from connectors.jira.deployment import BULK, issue_there
from connectors.jira.memory import RECONCILED
from connectors.jira.query import Question
from connectors.jira.records import MOVES, moved_in
from connectors.transport import understood
from mappings.model import Moved

#: issues of one bulk read of histories (Jira Cloud REST API, "Bulk fetch changelogs")
CHANGELOGS = 1000


class Cloud:
    """Jira Cloud REST API, version 2 where texts are wiki markup."""

    kind = "Cloud"
    search = "search/jql"
    user_key, user_query = "accountId", "query"
    comments: Mapping[str, str] = MappingProxyType({})
    tells_inside = True
    remembered = RECONCILED

    def __init__(self, client: Client) -> None:
        self.client = client

    def problem(self) -> str:
        return ""

    def pages(
        self, question: Question, fields: Sequence[str], size: int, fresh: Sequence[int]
    ) -> Iterator[tuple[list[Any], bool]]:
        """One call a page. Raises ``Down`` where it repeats a token, which would never end."""
        asked: dict[str, Any] = {
            "jql": question.jql(),
            "fields": list(fields),
            "expand": "changelog",
            "maxResults": size,
            "reconcileIssues": list(fresh),
        }
        tokens: set[str] = set()
        while True:
            issues, token = self.client.ask(self.search, asked, found_page)
            yield issues, not token
            if not token:
                return
            if token in tokens:
                raise Down(f"{self.client.name} repeats a page of its search")
            tokens.add(token)
            asked["nextPageToken"] = token

    def fetch(self, ids: Sequence[str], fields: Sequence[str]) -> Iterator[Any]:
        """What a bulk read could not fetch this time (``issueErrors``) is not gone: it is read by itself. What is gone
        or hidden is in neither list (Jira Cloud REST API, "Bulk fetch issues")."""
        for start in range(0, len(ids), BULK):
            some = list(ids[start : start + BULK])
            body = {"issueIdsOrKeys": some, "fields": list(fields), "expand": ["changelog"]}
            issues, failed = self.client.ask("issue/bulkfetch", body, bulk_page)
            yield from issues
            for id in failed:
                yield from issue_there(self.client, id, fields)

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Moved, ...]]:
        """One call for each thousand issues and page ("Bulk fetch changelogs")."""
        found: dict[str, list[Any]] = {id: [] for id in ids}
        for start in range(0, len(ids), CHANGELOGS):
            body: dict[str, Any] = {"issueIdsOrKeys": list(ids[start : start + CHANGELOGS]), "fieldIds": list(MOVES)}
            token: str | None = ""
            while token is not None:
                page, token = self.client.ask("changelog/bulkfetch", body, changelogs)
                body["nextPageToken"] = token
                for id, entries in page:
                    found.setdefault(id, []).extend(entries)
        with understood(self.client.name):
            return {id: moved_in(entries) for id, entries in found.items()}


def changelogs(answer: Any) -> tuple[list[tuple[str, list[Any]]], str | None]:
    """The entries of a page by issue, and the token of the next."""
    page = [(str(one["issueId"]), list(one["changeHistories"])) for one in answer["issueChangeLogs"]]
    return page, answer.get("nextPageToken") or None


def found_page(answer: Any) -> tuple[list[Any], str | None]:
    """The issues of a page and the token of the next; ``isLast`` ends it even beside a token."""
    issues = answer["issues"]
    if not isinstance(issues, list):
        raise TypeError("issues")
    token = None if answer.get("isLast") is True else answer.get("nextPageToken")
    return issues, token or None


def bulk_page(answer: Any) -> tuple[list[Any], list[str]]:
    issues = answer["issues"]
    if not isinstance(issues, list):
        raise TypeError("issues")
    return issues, [str(one["id"]) for one in answer.get("issueErrors") or ()]
