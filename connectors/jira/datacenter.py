"""Jira Data Center: search by offset, one index for each node, people by user name (REST API 10.3, version 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from connectors.base import Refused
from connectors.jira.client import Client
from connectors.jira.deployment import BULK, issue_there
from connectors.jira.memory import Lately
from connectors.jira.query import Question, epoch
from connectors.jira.records import moment
from connectors.jira.walk import Found, Walk, found_page
from mappings.model import Moved

#: the first release whose creation screens can be asked for by project and type
OLDEST = (8, 4)


class DataCenter:
    """Its search reads the index of whichever node answers, which may trail a write through another node; an issue
    read by itself comes from the database. What a search shows is therefore held against our own late writes."""

    kind = "Server"
    search = "search"
    user_key, user_query = "name", "username"
    # Data Center shows no jsdPublic: only the property tells, and only in the list of comments
    comments: Mapping[str, str] = MappingProxyType({"expand": "properties"})
    tells_inside = False
    remembered = 4096

    def __init__(self, client: Client, lately: Lately, version: tuple[int, ...]) -> None:
        self.client, self.lately, self.version = client, lately, version

    def problem(self) -> str:
        if self.version >= OLDEST:
            return ""
        return "this Jira is older than 8.4, which is the first whose creation screens can be asked for: not served"

    def pages(
        self, question: Question, fields: Sequence[str], size: int, fresh: Sequence[int]
    ) -> Iterator[tuple[list[Any], bool]]:
        """One call a page, and one for each issue that a page shows as it was before our own write."""
        walk = Walk(self.client.name, question, size)
        recent = {str(id) for id in fresh}
        last = False
        while not last:
            found = self.found(walk.asked(), fields, question.field)
            issues, last = walk.take(found)
            yield [now for issue in issues for now in self.as_written(issue, fields, recent)], last

    def found(self, asked: Mapping[str, Any], fields: Sequence[str], stamped: str) -> Found:
        """One call."""
        body = {**asked, "fields": list(fields), "expand": ["changelog"]}
        found: Found = self.client.ask(self.search, body, partial(found_page, stamped))
        return found

    def as_written(self, issue: Any, fields: Sequence[str], recent: set[str]) -> Iterator[Any]:
        """The issue, read by itself where the index trails our own write; nothing where it is gone since."""
        if issue["id"] in recent and self.trails(issue):
            return issue_there(self.client, issue["id"], fields)
        return iter([issue])

    def trails(self, issue: Any) -> bool:
        return epoch(moment(issue["fields"]["updated"])) < self.lately.version(str(issue["id"]))

    def fetch(self, ids: Sequence[str], fields: Sequence[str]) -> Iterator[Any]:
        """One call for each hundred, and one for each issue that the search does not show, or shows as it was before
        our own write: that it is gone only the database can tell."""
        for start in range(0, len(ids), BULK):
            some = ids[start : start + BULK]
            found = self.by_id(some, [*fields, "updated"])
            for id in some:
                if id in found and not self.trails(found[id]):
                    yield found[id]
                else:
                    yield from issue_there(self.client, id, fields)

    def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[Moved, ...]]:
        """None: here the history always comes whole with its issue."""
        return {}

    def by_id(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Any]:
        """What a search shows of them. An unknown id in a list is a 400 unless the query is not validated (recorded:
        atlassian-python-api #752); where it is refused all the same, each is read by itself."""
        jql = f"id in ({', '.join(id for id in ids if id.isdigit())})"
        asked = {"jql": jql, "startAt": 0, "maxResults": len(ids), "validateQuery": False}
        try:
            found = self.found(asked, fields, "updated")
        except Refused:
            return {}
        return {str(issue["id"]): issue for issue in found.issues}
