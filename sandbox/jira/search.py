"""Searching: from a JQL text to pages of issues, by the cheapest way into the index."""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sandbox.jira.issues import Issue, milliseconds
from sandbox.jira.jql import BadQuery, Both, Clause, Either, Negated, Node, Query, read
from sandbox.jira.match import Matcher, Test
from sandbox.jira.site import Site, User
from sandbox.jira.store import Index, Store

TOKEN_LIFE = timedelta(days=7)
ORDER_LIMIT, RECONCILE_LIMIT = 7, 50
_UPDATED = ("updated", "updateddate")


@dataclass(frozen=True, slots=True)
class Page:
    """Found issues and the token of the next page, ``None`` on the last."""

    issues: tuple[Issue, ...]
    token: str | None


class Search:
    """One user's search, taken at one instant."""

    def __init__(self, site: Site, store: Store, user: User, now: datetime) -> None:
        self.site, self.store, self.user, self.now = site, store, user, now
        self.matcher = Matcher(site, store, user, now)

    def page(self, jql: str, size: int, token: str | None, reconcile: Sequence[int]) -> Page:
        """Raises ``BadQuery``. ``reconcile`` names issues to be seen as they are, not as the index has them."""
        query = read(jql)
        if query.where is None:
            raise BadQuery("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
        if len(query.order) > ORDER_LIMIT:
            raise BadQuery(f"The maximum number of ORDER BY fields is {ORDER_LIMIT}.")
        stamp = hashlib.sha256(f"{self.user.account_id} {jql}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        after = self.opened(token, stamp) if token else None
        found = list(islice(self.found(query, query.where, after, frozenset(reconcile)), size + 1))
        if len(found) <= size:
            return Page(tuple(found), None)
        return Page(tuple(found[:size]), self.sealed(stamp, self.place(query, found[size - 1], size, after)))

    def count(self, jql: str) -> int:
        where = read(jql).where
        if where is None:
            raise BadQuery("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
        test = self.matcher.test(where)
        return sum(self.sees(issue) and test(issue) for issue in self.candidates(where))

    # -- tokens

    def sealed(self, stamp: str, place: list[int]) -> str:
        until = milliseconds(self.now + TOKEN_LIFE)
        return base64.urlsafe_b64encode(json.dumps([stamp, until, place]).encode()).decode()

    def opened(self, token: str, stamp: str) -> list[int]:
        """The place a token stands for; it serves the query it came from only, for a week."""
        try:
            made_for, until, place = json.loads(base64.urlsafe_b64decode(token))
        except (ValueError, TypeError):
            raise BadQuery("The provided nextPageToken is invalid.") from None
        if made_for != stamp or until < milliseconds(self.now):
            raise BadQuery("The provided nextPageToken is invalid.")
        return list(place)

    def place(self, query: Query, last: Issue, size: int, after: list[int] | None) -> list[int]:
        """In order of update a page goes on behind the last issue; in any other order by counting, so that what
        moves in between shifts the pages."""
        if by_update(query):
            return [last.updated, last.id]
        return [(after[0] if after else 0) + size]

    # -- finding

    def sees(self, issue: Issue) -> bool:
        return not issue.archived and issue.visible(self.site, self.user)

    def found(self, query: Query, where: Node, after: list[int] | None, fresh: frozenset[int]) -> Iterator[Issue]:
        test = self.matcher.test(where)
        current = [issue for id in fresh if (issue := self.store.issues.get(id)) is not None]
        extra = [issue for issue in current if self.sees(issue) and test(issue)]
        if by_update(query):
            return self.in_update_order(where, test, extra, fresh, after)
        rest = (i for i in self.candidates(where) if i.id not in fresh and self.sees(i) and test(i))
        ordered = self.ordered([*rest, *extra], query)
        return iter(ordered[after[0] if after else 0 :])

    def in_update_order(
        self, where: Node, test: Test, extra: list[Issue], fresh: frozenset[int], after: list[int] | None
    ) -> Iterator[Issue]:
        stamp, id = after or (0, 0)
        start = max((stamp, id + 1), (self.lower_bound(where), 0))
        rest = (i for i in self.walk(where, start) if i.id not in fresh and self.sees(i) and test(i))
        late = sorted((i for i in extra if (i.updated, i.id) >= start), key=lambda i: (i.updated, i.id))
        return heapq.merge(rest, late, key=lambda i: (i.updated, i.id))

    def walk(self, where: Node, start: tuple[int, int]) -> Iterator[Issue]:
        """Along the order of update, unless few enough issues can match to be sorted instead."""
        index = self.store.searchable()
        few = self.few(index, where, index.later(start[0]))
        if few is None:
            return index.since(*start)
        return iter(sorted((i for i in few if (i.updated, i.id) >= start), key=lambda i: (i.updated, i.id)))

    def candidates(self, where: Node) -> Iterable[Issue]:
        index = self.store.searchable()
        bound = self.lower_bound(where)
        few = self.few(index, where, index.later(bound))
        return index.since(bound) if few is None else few

    def few(self, index: Index, where: Node, otherwise: int) -> list[Issue] | None:
        """Every issue that can match, where they are clearly fewer than ``otherwise`` would be looked at."""
        sets = self.narrowed(index, where)
        if sets is None or 2 * sum(map(len, sets)) > otherwise:
            return None
        return [index.issues[id] for id in set().union(*sets) if id in index.issues]

    def narrowed(self, index: Index, node: Node) -> list[set[int]] | None:
        """Sets that together hold every match, where the index can tell; ``None``: any issue may match."""
        if isinstance(node, Both):
            known = [found for found in (self.narrowed(index, part) for part in node.parts) if found is not None]
            return min(known, key=lambda sets: sum(map(len, sets))) if known else None
        if isinstance(node, Either):
            parts = [self.narrowed(index, part) for part in node.parts]
            return None if None in parts else [one for part in parts for one in part or ()]
        if isinstance(node, Negated) or node.operator not in ("=", "in"):
            return None
        return self.named(index, node)

    def named(self, index: Index, clause: Clause) -> list[set[int]] | None:
        name = clause.field.lower()
        if any(operand.kind == "empty" for operand in clause.operands):
            return None
        if name == "labels":
            return [index.labels.get(operand.value.lower(), set()) for operand in clause.operands]
        if name in ("id", "key", "issue", "issuekey"):
            return [{self.matcher.issue_named(clause, operand)} for operand in clause.operands]
        if name == "project":
            keys = set().union(*(self.matcher.system_values(clause, operand) for operand in clause.operands))
            return [index.projects.get(key, set()) for key in keys]
        return None

    def lower_bound(self, node: Node) -> int:
        """The oldest update that can match, in epoch milliseconds; 0 where there is no bound."""
        if isinstance(node, Both):
            return max(self.lower_bound(part) for part in node.parts)
        if isinstance(node, Either):
            return min(self.lower_bound(part) for part in node.parts)
        if isinstance(node, Clause) and node.field.lower() in _UPDATED and node.operator in (">", ">=", "="):
            return max(0, self.matcher.stamp(node, node.operands[0]))
        return 0

    def ordered(self, issues: list[Issue], query: Query) -> list[Issue]:
        """Without an order the newest come first; empty values come last."""
        issues.sort(key=lambda issue: issue.created, reverse=True)
        for name, ascending in reversed(query.order):
            issues.sort(key=self.sort_key(name), reverse=not ascending)
        return issues

    def sort_key(self, name: str) -> Any:
        lowered = name.lower()
        if lowered in ("created", "createddate", *_UPDATED):
            return lambda issue: issue.created if lowered.startswith("created") else issue.updated
        if lowered in ("key", "issuekey", "issue", "id"):
            return lambda issue: issue.order
        if lowered in ("project", "issuetype", "type", "status", "creator"):
            return lambda issue: str(
                {"issuetype": issue.type, "type": issue.type}.get(lowered, getattr(issue, lowered, ""))
            )
        field = self.matcher.field(name)
        return lambda issue: sortable(issue.values.get(field.id))


def sortable(value: Any) -> tuple[bool, str]:
    return value is None, str(getattr(value, "id", value))


def by_update(query: Query) -> bool:
    """Whether the order is the one the index is kept in. Ties cannot arise: no two writes share a millisecond."""
    return bool(query.order) and query.order[0][0].lower() in _UPDATED and query.order[0][1]
