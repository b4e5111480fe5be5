"""What the connector asks of Jira. Each method tells how many calls it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from connectors.auth import Auth
from connectors.base import Clock, Down, Garbled, Gone, Notice, Opening, Page, born
from connectors.confirm import confirmed
from connectors.description import Description, Place
from connectors.garbled import complete, notices_of, sorted_out
from connectors.jira import marker, query
from connectors.jira.bodies import Bodies
from connectors.jira.client import Client
from connectors.jira.cloud import Cloud
from connectors.jira.datacenter import DataCenter
from connectors.jira.deployment import Deployment, issue_there
from connectors.jira.fields import Schema
from connectors.jira.memory import Lately, Lines, Ways
from connectors.jira.opening import look_around
from connectors.jira.pull_requests import PullRequests
from connectors.jira.pull_requests import wanted as wanted_requests
from connectors.jira.records import Reading, wanted
from connectors.jira.survey import Survey
from connectors.transport import Transport, understood
from mappings.model import PULL_REQUEST, PULL_REQUEST_URL, Comment, Mark, Moved, Record, Ref, Scope
from mappings.words import search_words

#: comments of one page, of which the tracker may give fewer
COMMENTS = 100


class Reads:
    """A connector to one Jira site; see ``connectors.base.Connector`` for what each method promises. Which Jira it is,
    Cloud or Data Center, is learnt when it opens.

    ``lag`` is how far its search index may trail its writes (in Data Center: how far one node's may trail another's),
    ``page`` the size of a page of changes.
    """

    kind = "jira"
    #: half of Jira's limit: in wiki markup every character may need an escape, and Jira counts UTF-16 units
    comment_limit = 16_383
    rewords = True
    #: an edited comment moves its issue's ``updated``
    edits_show = True
    #: versions are instants: an answer does not show whether somebody else wrote just before
    consecutive = False
    title = "summary"
    assignee = "assignee"

    def __init__(
        self,
        name: str,
        url: str,
        auth: Auth,
        clock: Clock,
        *,
        lag: timedelta = timedelta(minutes=2),
        page: int = 100,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        timeout: tuple[float, float] = (10, 60),
    ) -> None:
        self.name, self.clock, self.lag, self.page = name, clock, lag, page or 100
        self.transport = Transport(name, clock, timeout=timeout, verify=verify, proxies=proxies)
        self.client = Client(name, url, auth, self.transport)
        self.note_channel = "everyone"
        self.reading = Reading(name, self.client.url, {}, "")
        self.served: Deployment = Cloud(self.client)
        self.bodies = Bodies(self.client, {}, self.served)
        self.state_names: dict[tuple[str, str], tuple[str, ...]] = {}
        self.editable: dict[tuple[str, str], frozenset[str]] = {}
        self.lately = Lately(clock, 2 * lag)
        self.lines = Lines()
        self.pull_requests = PullRequests()
        self.ways = Ways()
        self.updater = ""

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """Three calls, and for each project three and one for each type's creation screen and each scope's query."""
        found = look_around(self.client, scopes, self.deployed)
        self.served, self.lately.most = found.served, found.served.remembered
        desks = {project for project, kind in found.kinds.items() if kind == "service_desk"}
        # elsewhere an issue may have been moved to a service project that no scope names
        telling = None if found.served.tells_inside else frozenset(found.kinds) - desks
        self.reading = Reading(self.name, self.client.url, found.known, found.account, telling)
        self.updater = found.account
        self.bodies = Bodies(self.client, found.known, found.served)
        self.state_names = found.states
        # a note is internal where every project is a service desk; elsewhere Jira shows it to everyone all the same
        self.note_channel = "internal" if scopes and desks >= {scope.project for scope in scopes} else "everyone"
        self.editable.clear()
        return Opening(found.account, found.problems)

    def deployed(self, info: Mapping[str, Any]) -> Deployment:
        """By the answer of ``serverInfo``."""
        if info["deploymentType"] == "Cloud":
            return Cloud(self.client)
        return DataCenter(self.client, self.lately, tuple(int(part) for part in info["versionNumbers"]))

    def final(self, scope: Scope) -> tuple[str, ...]:
        """None: a workflow that forbids a step says so when it is asked for."""
        return ()

    def states(self, scope: Scope) -> tuple[str, ...]:
        """Every status an issue of the scope's types can have, as it was when the connector opened."""
        names = [
            name
            for (project, kind), states in self.state_names.items()
            if project == scope.project and (not scope.types or kind in scope.types)
            for name in states
        ]
        return tuple(dict.fromkeys(names))

    def fields_known(self, scope: Scope) -> set[str]:
        """The ids of every field of the site, and what is read beside them."""
        return {*self.reading.known, PULL_REQUEST, PULL_REQUEST_URL}

    @property
    def known(self) -> Mapping[str, Schema]:
        return self.reading.known

    def describe(self, scopes: Sequence[Scope]) -> Description:
        with understood(self.name):
            return Survey(self.client, self.known).describe(scopes)

    def places(self, project: str = "") -> tuple[Place, ...]:
        with understood(self.name):
            return Survey(self.client, {}).places(project)

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """One call a page, and where pull requests are shown one for each issue that moved. A cursor is
        ``<epoch ms>:<id>`` of the newest update seen."""
        since = datetime.fromtimestamp(int(cursor.partition(":")[0]) / 1000, UTC) - self.lag if cursor else None
        question = query.changed(scope, self.known, since)
        fresh = self.lately.ids()
        written = frozenset(fresh)
        newest = newest_of(cursor)
        for issues, last in self.served.pages(question, wanted(scope), scope.page or self.page, fresh):
            good, bad = sorted_out(self.name, issues, issue_id, partial(self.record, scope))
            records = self.confirmed(scope, good)
            # what was asked for fresh may stand out of order: before the end it must not carry the cursor past others
            passed = [(r.version, int(r.ref.id)) for r in records if last or int(r.ref.id) not in written]
            newest = max([newest, *passed])
            ours = [record for record in records if record.in_scope or record.mark]
            if wanted_requests(scope.fields):
                ours = [self.pull_requests.seen(self.client, record) for record in ours]
            notices = (*(Notice(r.ref, r.version, r) for r in ours), *notices_of(self.name, bad))
            yield Page(notices, f"{newest[0]}:{newest[1]}" if newest[0] else cursor, last)

    def record(self, scope: Scope, issue: Mapping[str, Any]) -> Record:
        """An issue as a record. Its source line is remembered for the next time the description is written."""
        with understood(self.name):
            record = self.pull_requests.remembered(self.reading.record(scope, issue))
            self.lines.put(record.ref.id, marker.split(issue["fields"].get("description") or "")[1])
        return record

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        """One call for each hundred, one for each issue that it leaves in doubt, and one for each of a side that shows
        pull requests."""
        found: dict[str, Record | None] = dict.fromkeys(ids)
        issues = self.served.fetch(ids, wanted(scope))
        records, bad = sorted_out(self.name, issues, issue_id, partial(self.record, scope))
        if wanted_requests(scope.fields):
            records = [self.pull_requests.asked(self.client, record) for record in records]
        found |= {record.ref.id: record for record in self.confirmed(scope, records)}
        if bad:
            raise Garbled(bad, {id: record for id, record in found.items() if id not in bad})
        return found

    def confirmed(self, scope: Scope, records: Sequence[Record]) -> list[Record]:
        """One call for each hundred, where the scope has a raw query."""

        def ask(ids: Sequence[str]) -> set[str]:
            holds: set[str] = set()
            for at in range(0, len(ids), self.page):
                question = query.confirming(scope, ids[at : at + self.page])
                pages = self.served.pages(question, ["id"], self.page, ())
                holds |= {str(issue["id"]) for issues, _ in pages for issue in issues}
            return holds

        return confirmed(scope, records, ask)

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        """One call for each hundred, and one for each page of comments of an issue whose own do not come with it, or do
        not tell who may read them. An issue that is gone is left out."""
        found: dict[str, tuple[Comment, ...]] = {}
        issues = self.served.fetch(ids, ["comment", "project"])
        told, bad = sorted_out(self.name, issues, issue_id, self.told_inside)
        for ref, inline in told:
            with suppress(Gone):
                found[ref.id] = self.every_comment(ref) if inline is None else inline
        if bad:
            raise Garbled(bad, found)
        return found

    def told_inside(self, issue: Mapping[str, Any]) -> tuple[Ref, tuple[Comment, ...] | None]:
        ref = Ref(self.name, str(issue["id"]))
        return ref, self.reading.inline_comments(ref, issue["fields"])

    def every_comment(self, ref: Ref) -> tuple[Comment, ...]:
        """Page by page to the tracker's own total. A comment deleted meanwhile shifts the pages: then once more. Each
        page but the first takes in the last comment of the one before, which tells of it."""
        for _ in range(3):
            comments = self.comments_unless_shifted(ref)
            if comments is not None:
                with understood(self.name):
                    return self.reading.comments(ref, comments.values())
        raise Down(f"The comments of {ref} change faster than they can be read")

    def comments_unless_shifted(self, ref: Ref) -> dict[str, Any] | None:
        comments: dict[str, Any] = {}
        total, tail = 1, ""
        while len(comments) < total:
            met = 1 if tail else 0
            place = {"startAt": len(comments) - met, "maxResults": COMMENTS + met, "orderBy": "created"}
            params = place | dict(self.served.comments)
            page, total = self.client.get(f"issue/{ref.id}/comment", params, ref.id, take=comment_page)
            shifted = bool(tail) and next(iter(page), "") != tail
            if shifted or (len(page) <= met and len(comments) < total):
                return None
            comments |= page
            tail = next(reversed(page), "")
        return comments

    def history(self, scope: Scope, changed: Sequence[tuple[Record, int]]) -> Mapping[str, tuple[Moved, ...]]:
        """No call where the history came with the issue; else one for each thousand issues and page."""
        found = {record.ref.id: record.moves for record, _ in changed if record.moves is not None}
        cut = [record.ref.id for record, _ in changed if record.moves is None]
        found |= self.served.histories(cut) if cut else {}
        since = {record.ref.id: version for record, version in changed}
        return {id: tuple(m for m in moves if query.epoch(m.at) > since[id]) for id, moves in found.items()}

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> Sequence[Record]:
        """One call."""
        records, bad = self.answered(scope, query.made(scope, self.known, since))
        return complete([record for record in records if record.mark and record.mark.made == mark.made], bad)

    def created(self, scope: Scope, since: datetime, until: datetime) -> Sequence[Record]:
        """One call a page."""
        records, bad = self.answered(scope, query.created(scope, self.known, since, until))
        return complete(born(self.confirmed(scope, records), since, until), bad)

    def answered(self, scope: Scope, question: query.Question) -> tuple[list[Record], dict[str, str]]:
        """Every record that a query finds, and by id why others are not understood."""
        pages = self.served.pages(question, wanted(scope), scope.page or self.page, ())
        issues = (issue for issues, _ in pages for issue in issues)
        return sorted_out(self.name, issues, issue_id, partial(self.record, scope))

    def search(self, scope: Scope, text: str, limit: int) -> Sequence[Record]:
        """One call, and one for an issue that is called so, which a query would refuse to look for in vain."""
        words, fields = search_words(text), wanted(scope)
        question = query.speaking(scope, self.known, words)
        found = next(self.served.pages(question, fields, limit, ()))[0] if words else []
        called = issue_there(self.client, text.strip(), fields) if query.is_key(text) else ()
        issues = {str(issue["id"]): issue for issue in (*called, *found)}
        records = self.confirmed(scope, [self.record(scope, issue) for issue in issues.values()])
        return [record for record in records if record.in_scope or record.mark][:limit]

    def learned(self) -> Mapping[str, object] | None:
        """The ways through the workflows."""
        return self.ways.told()

    def recall(self, kept: Mapping[str, object]) -> None:
        self.ways.recall(kept)

    def calls(self) -> int:
        return self.transport.ledger.total()

    def close(self) -> None:
        self.transport.close()


def issue_id(issue: Mapping[str, Any]) -> object:
    return issue["id"]


def newest_of(cursor: str) -> tuple[int, int]:
    stamp, _, id = cursor.partition(":")
    return (int(stamp), int(id or 0)) if stamp else (0, 0)


def comment_page(answer: Any) -> tuple[dict[str, Any], int]:
    """The comments of a page by id, in its order, and how many there are."""
    return {str(one["id"]): one for one in answer["comments"]}, int(answer["total"])
