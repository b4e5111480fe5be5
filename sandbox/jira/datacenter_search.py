"""Searching in Data Center: by offset, over the index of one node, whose times are in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from zlib import crc32

from sandbox.jira.datacenter_nodes import Nodes
from sandbox.jira.issues import Issue
from sandbox.jira.jql import BadQuery, Clause, Operand, Query, read
from sandbox.jira.match import Matcher, Test
from sandbox.jira.search import Search
from sandbox.jira.site import Field, Site, User

Found = TypeVar("Found")
_UNIQUE = frozenset({"key", "issuekey", "issue", "id"})
_TIMES = {"created": "created", "createddate": "created", "updated": "updated", "updateddate": "updated"}


@dataclass(frozen=True, slots=True)
class Ways:
    """How a site's searches behave. ``grain`` is that of times in the index, in milliseconds. ``validated``: a value
    that does not exist is a 400; else it matches nothing (recorded: atlassian-python-api #752)."""

    grain: int = 1000
    validated: bool = True


class ServerMatcher(Matcher):
    """Clauses of a query as Data Center reads them."""

    def __init__(self, site: Site, store: Nodes, user: User, now: datetime, ways: Ways) -> None:
        super().__init__(site, store, user, now)
        self.ways = ways

    def stamp(self, clause: Clause, operand: Operand) -> int:
        return super().stamp(clause, operand) // self.ways.grain * self.ways.grain

    def dated(self, clause: Clause, attribute: str) -> Test:
        """What is compared are grains, of which ``start`` to ``end`` is the one that was asked for."""
        start = self.stamp(clause, clause.operands[0])
        end = start + self.ways.grain
        tests: dict[str, Callable[[int], bool]] = {
            "=": lambda at: start <= at < end,
            "!=": lambda at: not start <= at < end,
            ">": lambda at: at >= end,
            ">=": lambda at: at >= start,
            "<": lambda at: at < start,
            "<=": lambda at: at < end,
        }
        if clause.operator not in tests:
            raise self.unsupported(clause)
        test = tests[clause.operator]
        return lambda issue: test(getattr(issue, attribute))

    def issue_named(self, clause: Clause, operand: Operand) -> int:
        return self.known(super().issue_named, clause, operand, 0)

    def system_values(self, clause: Clause, operand: Operand) -> set[Any]:
        return self.known(super().system_values, clause, operand, set())

    def field_values(self, clause: Clause, field: Field, operand: Operand) -> set[Any]:
        return self.known(partial(super().field_values, field=field), clause, operand, set())

    def known(self, find: Callable[..., Found], clause: Clause, operand: Operand, nothing: Found) -> Found:
        """What a value stands for; ``nothing`` where it does not exist and the query is not validated."""
        try:
            return find(clause, operand=operand)
        except BadQuery:
            if self.ways.validated:
                raise
            return nothing

    def account(self, clause: Clause, operand: Operand) -> str:
        """By user name, key, e-mail address or full name."""
        known = (u for u in self.site.users.values() if operand.value in (u.login, u.account_id, u.email, u.name))
        user = next(known, None) if operand.kind != "function" else None
        return user.account_id if user else super().account(clause, operand)


class ServerSearch(Search):
    """One user's search, at one instant, on one node."""

    def __init__(self, site: Site, store: Nodes, user: User, now: datetime, ways: Ways) -> None:
        super().__init__(site, store, user, now)
        self.ways, self.node = ways, store.at
        self.matcher = ServerMatcher(site, store, user, now, ways)

    def all(self, jql: str) -> list[Issue]:
        """Every match in order. A query without a restriction is none too many."""
        query = read(jql)
        if query.where is None:
            return self.ordered([issue for issue in self.store.searchable().issues.values() if self.sees(issue)], query)
        test = self.matcher.test(query.where)
        return self.ordered([i for i in self.candidates(query.where) if self.sees(i) and test(i)], query)

    def ordered(self, issues: list[Issue], query: Query) -> list[Issue]:
        """Newest key first unless told otherwise. Where the order leaves two alike, the node's index decides: so pages
        of one query may repeat and miss issues, on one node when it is written to, between nodes always."""
        if not _UNIQUE & {name.lower() for name, _ in query.order or (("key", False),)}:
            issues.sort(key=lambda issue: crc32(f"{self.node} {issue.updated} {issue.id}".encode()))
        for name, ascending in reversed(query.order or (("key", False),)):
            issues.sort(key=self.sort_key(name), reverse=not ascending)
        return issues

    def sort_key(self, name: str) -> Any:
        time = _TIMES.get(name.lower())
        if time is None:
            return super().sort_key(name)
        return lambda issue: getattr(issue, time) // self.ways.grain
