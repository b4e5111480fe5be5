"""What differs between Jira Cloud and Jira Data Center, as the rest of the connector sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from connectors.base import Gone
from connectors.jira.client import Client
from connectors.jira.query import Question
from mappings.model import Moved

#: issues of one bulk read (Jira Cloud REST API, "Bulk fetch issues")
BULK = 100
#: most fields of one page of a creation screen (Jira REST API, "Get create field metadata")
META_PAGE = 200


class Deployment(Protocol):
    """How one kind of Jira is searched, read in bulk, and names people."""

    #: as ``serverInfo`` and the library call it
    kind: str
    #: the address of its search
    search: str
    #: what a user is written by, and what the search for users takes
    user_key: str
    user_query: str
    #: parameters that make a page of comments tell who may read each; whether a comment inside an issue tells it too
    comments: Mapping[str, str]
    tells_inside: bool
    #: how many of our own writes are worth remembering
    remembered: int

    def problem(self) -> str:
        """Why it cannot be served, as a sentence; empty where it can."""
        ...

    def pages(
        self, question: Question, fields: Sequence[str], size: int, fresh: Sequence[int]
    ) -> Iterator[tuple[list[Any], bool]]:
        """Pages of issues with their changelog, and whether each is the last. Their only end is the tracker's own mark:
        a short or empty page is none. ``fresh`` are ids that must not be shown as they were before our own writes."""
        ...

    def fetch(self, ids: Sequence[str], fields: Sequence[str]) -> Iterator[Any]:
        """The issues of ``ids`` that are there, with their changelog, in batches of ``BULK``."""
        ...

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Moved, ...]]:
        """The changes of state and assignee of issues whose history did not come whole with them."""
        ...


def one_issue(client: Client, id: str, fields: Sequence[str], item: str) -> Any:
    """An issue from the database itself, never from an index. Raises ``Gone``. One call."""
    return client.get(f"issue/{id}", {"fields": ",".join(fields), "expand": "changelog"}, item)


def issue_there(client: Client, id: str, fields: Sequence[str]) -> Iterator[Any]:
    """The issue, or nothing where it is gone."""
    try:
        yield one_issue(client, id, fields, id)
    except Gone:
        return


def creation_screen(client: Client, project: str, type_id: str) -> dict[str, Mapping[str, Any]]:
    """The fields of a creation screen by id, page by page to the tracker's own total. Raises ``Refused`` and ``Gone``
    where we may not create."""
    found: dict[str, Mapping[str, Any]] = {}
    at, total = 0, 1
    while at < total:
        params = {"startAt": at, "maxResults": META_PAGE}
        path = f"issue/createmeta/{project}/issuetypes/{type_id}"
        page, total = client.get(path, params, take=screen_page)
        found |= page
        at += max(len(page), 1)
    return found


def screen_page(answer: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Data Center calls the list ``values``."""
    rows = answer["fields"] if "fields" in answer else answer["values"]
    return {one["fieldId"]: one for one in rows}, int(answer["total"])
