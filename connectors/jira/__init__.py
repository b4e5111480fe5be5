"""Jira Cloud, through the library ``jira``. Each method tells how many calls it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.auth import Auth
from connectors.base import Busy, Clock, Down, Failure, Gone, Notice, Opening, Page, Refused, Said, Unsure
from connectors.jira import marker, query
from connectors.jira.bodies import Bodies
from connectors.jira.client import Client, understood
from connectors.jira.fields import Schema
from connectors.jira.memory import Lately, Lines
from connectors.jira.opening import look_around
from connectors.jira.records import Reading, wanted
from connectors.jira.workflow import Step, choose, steps
from connectors.transport import Transport
from mappings.model import Change, Comment, Draft, Mark, Native, Record, Ref, Scope

#: most issues of one bulk read (Jira Cloud REST API, "Bulk fetch issues")
BULK = 100
#: comments of one page, of which the tracker may give fewer
COMMENTS = 100


class Jira:
    """A connector to one Jira Cloud site; see ``connectors.base.Connector`` for what each method promises.

    ``lag`` is how far its search index may trail its writes, ``page`` the size of a page of changes.
    """

    kind = "jira"
    #: half of Jira's limit: in wiki markup every character may need an escape, and Jira counts UTF-16 units
    comment_limit = 16_383
    #: versions are instants: an answer does not show whether somebody else wrote just before
    consecutive = False
    updater = ""

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
        self.bodies = Bodies(self.client, {})
        self.state_names: dict[tuple[str, str], tuple[str, ...]] = {}
        self.editable: dict[tuple[str, str], frozenset[str]] = {}
        self.lately = Lately(clock, 2 * lag)
        self.lines = Lines()

    # -- opening

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """Three calls, and for each project three and one for each type's creation screen and each scope's query."""
        found = look_around(self.client, scopes)
        self.reading = Reading(self.name, self.client.url, found.known, found.account)
        self.bodies = Bodies(self.client, found.known)
        self.state_names = found.states
        # a note is internal where every project is a service desk; elsewhere Jira shows it to everyone all the same
        self.note_channel = "internal" if scopes and found.desks >= {scope.project for scope in scopes} else "everyone"
        self.editable.clear()
        return Opening(found.account, found.problems)

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
        """The ids of every field of the site."""
        return set(self.reading.known)

    @property
    def known(self) -> Mapping[str, Schema]:
        return self.reading.known

    # -- noticing

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """One call a page. A cursor is ``<epoch ms>:<id>`` of the newest update seen."""
        since = datetime.fromtimestamp(int(cursor.partition(":")[0]) / 1000, UTC) - self.lag if cursor else None
        jql = query.changed(scope, self.known, since)
        fresh = self.lately.ids()
        newest = newest_of(cursor)
        for issues, last in self.search(scope, jql, fresh):
            records = [self.record(scope, issue) for issue in issues]
            # what was asked for fresh may stand out of order: before the end it must not carry the cursor past others
            passed = [(r.version, int(r.ref.id)) for r in records if last or int(r.ref.id) not in fresh]
            newest = max([newest, *passed])
            notices = [Notice(r.ref, r.version, r) for r in records if r.in_scope or r.mark]
            yield Page(tuple(notices), f"{newest[0]}:{newest[1]}" if newest[0] else cursor, last)

    def search(self, scope: Scope, jql: str, fresh: Sequence[int] = ()) -> Iterator[tuple[list[Any], bool]]:
        """Pages of issues, and whether each is the last. Their only end is the tracker's own mark: a short or empty
        page is none. Raises ``Down`` where it repeats a token, which would never end."""
        asked: dict[str, Any] = {
            "jql": jql,
            "fields": wanted(scope),
            "expand": "changelog",
            "maxResults": scope.page or self.page,
            "reconcileIssues": list(fresh),
        }
        tokens: set[str] = set()
        while True:
            issues, token = self.client.ask("search/jql", asked, found_page)
            yield issues, not token
            if not token:
                return
            if token in tokens:
                raise Down(f"{self.name} repeats a page of its search")
            tokens.add(token)
            asked["nextPageToken"] = token

    # -- reading

    def record(self, scope: Scope, issue: Mapping[str, Any]) -> Record:
        """An issue as a record. Its source line is remembered for the next time the description is written."""
        with understood(self.name):
            record = self.reading.record(scope, issue)
            self.lines.put(record.ref.id, marker.split(issue["fields"].get("description") or "")[1])
        return record

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        """One call for each hundred."""
        found: dict[str, Record | None] = dict.fromkeys(ids)
        for issue in self.fetch(ids, wanted(scope)):
            record = self.record(scope, issue)
            found[record.ref.id] = record
        return found

    def fetch(self, ids: Sequence[str], fields: Sequence[str]) -> Iterator[Any]:
        """The issues that are there. What a bulk read could not fetch this time (``issueErrors``) is not gone: it is
        read by itself. What is gone or hidden is in neither list (Jira Cloud REST API, "Bulk fetch issues")."""
        for start in range(0, len(ids), BULK):
            some = list(ids[start : start + BULK])
            body = {"issueIdsOrKeys": some, "fields": list(fields), "expand": ["changelog"]}
            issues, failed = self.client.ask("issue/bulkfetch", body, bulk_page)
            yield from issues
            for id in failed:
                with suppress(Gone):
                    yield self.get_issue(id, fields, id)

    def get_issue(self, id: str, fields: Sequence[str], item: str) -> Any:
        return self.client.get(f"issue/{id}", {"fields": ",".join(fields), "expand": "changelog"}, item)

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        """One call for each hundred, and one for each page of comments of an issue that has too many to come with it.
        An issue that is gone is left out."""
        found: dict[str, tuple[Comment, ...]] = {}
        for issue in self.fetch(ids, ["comment"]):
            with understood(self.name):
                ref = Ref(self.name, str(issue["id"]))
                inline = self.reading.inline_comments(ref, issue["fields"])
            with suppress(Gone):
                found[ref.id] = self.every_comment(ref) if inline is None else inline
        return found

    def every_comment(self, ref: Ref) -> tuple[Comment, ...]:
        """Page by page to the tracker's own total. A comment deleted meanwhile shifts the pages: then once more."""
        for _ in range(3):
            comments = self.comments_unless_shifted(ref)
            if comments is not None:
                with understood(self.name):
                    return self.reading.comments(ref, comments.values())
        raise Down(f"The comments of {ref} change faster than they can be read")

    def comments_unless_shifted(self, ref: Ref) -> dict[str, Any] | None:
        comments: dict[str, Any] = {}
        total, at = 1, 0
        while at < total:
            params = {"startAt": at, "maxResults": COMMENTS, "orderBy": "created"}
            page, now = self.client.get(f"issue/{ref.id}/comment", params, ref.id, take=comment_page)
            if (at and now < total) or (not page and now > at):
                return None
            comments |= {one["id"]: one for one in page}
            total, at = now, at + len(page)
        return comments

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> Sequence[Record]:
        """One call."""
        pages = self.search(scope, query.made(mark.instance, since))
        records = [self.record(scope, issue) for issues, _ in pages for issue in issues]
        return [record for record in records if record.mark and record.mark.made == mark.made]

    # -- writing

    def create(self, scope: Scope, draft: Draft) -> Record:
        """Two calls: Jira answers a creation with id and key only."""
        made = self.client.write("POST", "issue", self.bodies.creation(scope, draft), "")
        id = self.id_of(made)
        self.lately.add(id)
        return self.afterwards(scope, id, f"{self.name} created an issue")

    def id_of(self, made: Any) -> str:
        try:
            return str(int(made["id"]))
        except (KeyError, TypeError, ValueError):
            raise Unsure(f"{self.name} did not say what it created") from None

    def afterwards(self, scope: Scope, id: str, what: str) -> Record:
        """What the tracker says after a write. Where it cannot be asked, or does not show it yet, the write is no less
        done."""
        try:
            return self.record(scope, self.get_issue(id, wanted(scope), id))
        except Failure as failure:
            raise Unsure(f"{what}, but could not be asked for it: {failure}") from None

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """Fields alone: one call. A step of the workflow: its list, its step, and one that writes the fields or
        else reads the issue. Jira keeps no version to check against: the last write wins."""
        fields = dict(change.fields)
        line = self.source_line(scope, record, change.mark) if "description" in fields else ""
        moving = change.state is not None and change.state != record.state
        if moving:
            fields |= self.transition(scope, record, change)
        elif change.with_state:
            fields |= self.settable(record, change.with_state)
        if not fields:
            return self.afterwards(scope, record.ref.id, f"{record.key} was written")
        try:
            return self.edit(scope, record, self.bodies.edit(scope, record, fields, line))
        except (Down, Busy) as failure:
            if not moving:
                raise
            raise Unsure(f"{record.key} was moved to {change.state}, its fields were not written: {failure}") from None

    def transition(self, scope: Scope, record: Record, change: Change) -> dict[str, Native]:
        """Takes the step, and returns what its screen does not take but the issue does."""
        step = self.step_to(record, change)
        sent = {name: value for name, value in change.with_state.items() if name in step.screen}
        body = {"transition": {"id": step.id}, "fields": self.bodies.fields(sent)}
        self.client.write("POST", f"issue/{record.ref.id}/transitions", body, record.key)
        self.lately.add(record.ref.id)
        return self.settable(record, {k: v for k, v in change.with_state.items() if k not in step.screen})

    def step_to(self, record: Record, change: Change) -> Step:
        """Ids of transitions depend on the present status, so they are asked for each time."""
        params = {"expand": "transitions.fields"}
        offered = self.client.get(f"issue/{record.ref.id}/transitions", params, record.key, take=steps)
        filled = {name for name, value in record.fields.items() if value}
        return choose(offered, str(change.state), {*change.with_state, *filled}, record.key)

    def settable(self, record: Record, fields: Mapping[str, Native]) -> dict[str, Native]:
        """Those on the edit screen, which is asked for once for each project and type."""
        if not fields:
            return {}
        place = (record.project, record.kind)
        if place not in self.editable:
            path = f"issue/{record.ref.id}/editmeta"
            self.editable[place] = self.client.get(
                path, item=record.key, take=lambda answer: frozenset(answer["fields"])
            )
        return {name: value for name, value in fields.items() if name in self.editable[place]}

    def source_line(self, scope: Scope, record: Record, mark: Mark | None) -> str:
        """The line a rewritten description keeps; where people deleted it, one of the keys alone. One call where the
        description has not been read of late."""
        held = self.lines.get(record.ref.id)
        if held is None:
            issue = self.get_issue(record.ref.id, ["description"], record.key)
            with understood(self.name):
                held = marker.split(issue["fields"].get("description") or "")[1]
        return held or (marker.line(mark) if mark and mark.made and not scope.keys_field else "")

    def edit(self, scope: Scope, record: Record, body: Mapping[str, Any]) -> Record:
        """One call: Jira returns the edited issue where asked to (Jira Cloud REST API, "Edit issue")."""
        params = {"returnIssue": "true", "expand": "changelog"}
        issue = self.client.write("PUT", f"issue/{record.ref.id}", body, record.key, params)
        self.lately.add(record.ref.id)
        if issue is None:
            return self.afterwards(scope, record.ref.id, f"{record.key} was written")
        try:
            return self.record(scope, issue)
        except Down as failure:
            raise Unsure(str(failure)) from None

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """One call; none where it is marked already."""
        keys = mark.keys() if scope.keys_field else ""
        if record.occupied not in ("", keys):
            name = self.known[scope.keys_field].name
            raise Refused(f"{name} of {record.key} holds a text that is not ours", (scope.keys_field,))
        if record.mark and (not keys or record.mark == mark):
            return record
        return self.edit(scope, record, self.bodies.adoption(scope, mark))

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """One call; none for a mark without a link key."""
        if mark.link:
            body = self.bodies.link(mark, source_key, source_url)
            self.client.write("POST", f"issue/{record.ref.id}/remotelink", body, record.key)
            self.lately.add(record.ref.id)

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """One call."""
        body = self.bodies.comment(channel, text)
        answer = self.client.write("POST", f"issue/{record.ref.id}/comment", body, record.key)
        self.lately.add(record.ref.id)
        return Said(self.id_of(answer))

    # -- accounting

    def calls(self) -> int:
        return self.transport.ledger.total()

    def close(self) -> None:
        self.transport.close()


def newest_of(cursor: str) -> tuple[int, int]:
    stamp, _, id = cursor.partition(":")
    return (int(stamp), int(id or 0)) if stamp else (0, 0)


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


def comment_page(answer: Any) -> tuple[list[Any], int]:
    return list(answer["comments"]), int(answer["total"])
