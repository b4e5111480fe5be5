"""Jira Cloud and Data Center, through the library ``jira``. Each method tells how many calls it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.auth import Auth
from connectors.base import Busy, Clock, Down, Failure, Gone, Notice, Opening, Page, Refused, Said, Unsure
from connectors.description import Description, Place
from connectors.jira import marker, query
from connectors.jira.bodies import Bodies
from connectors.jira.client import Client
from connectors.jira.cloud import Cloud
from connectors.jira.datacenter import DataCenter
from connectors.jira.deployment import Deployment, one_issue
from connectors.jira.fields import Schema
from connectors.jira.memory import Lately, Lines
from connectors.jira.opening import look_around
from connectors.jira.records import Reading, moment, wanted
from connectors.jira.survey import Survey
from connectors.jira.workflow import Step, choose, steps
from connectors.transport import Transport, understood
from mappings.model import Change, Comment, Draft, Mark, Native, Record, Ref, Scope

#: comments of one page, of which the tracker may give fewer
COMMENTS = 100


class Jira:
    """A connector to one Jira site; see ``connectors.base.Connector`` for what each method promises. Which Jira it is,
    Cloud or Data Center, is learnt when it opens.

    ``lag`` is how far its search index may trail its writes (in Data Center: how far one node's may trail another's),
    ``page`` the size of a page of changes.
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
        self.served: Deployment = Cloud(self.client)
        self.bodies = Bodies(self.client, {}, self.served)
        self.state_names: dict[tuple[str, str], tuple[str, ...]] = {}
        self.editable: dict[tuple[str, str], frozenset[str]] = {}
        self.lately = Lately(clock, 2 * lag)
        self.lines = Lines()

    # -- opening

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """Three calls, and for each project three and one for each type's creation screen and each scope's query."""
        found = look_around(self.client, scopes, self.deployed)
        self.served, self.lately.most = found.served, found.served.remembered
        desks = {project for project, kind in found.kinds.items() if kind == "service_desk"}
        # elsewhere an issue may have been moved to a service project that no scope names
        telling = None if found.served.tells_inside else frozenset(found.kinds) - desks
        self.reading = Reading(self.name, self.client.url, found.known, found.account, telling)
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

    # -- telling

    def describe(self, scopes: Sequence[Scope]) -> Description:
        with understood(self.name):
            return Survey(self.client, self.known).describe(scopes)

    def places(self, project: str = "") -> tuple[Place, ...]:
        with understood(self.name):
            return Survey(self.client, {}).places(project)

    # -- noticing

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """One call a page. A cursor is ``<epoch ms>:<id>`` of the newest update seen."""
        since = datetime.fromtimestamp(int(cursor.partition(":")[0]) / 1000, UTC) - self.lag if cursor else None
        question = query.changed(scope, self.known, since)
        fresh = self.lately.ids()
        written = frozenset(fresh)
        newest = newest_of(cursor)
        for issues, last in self.served.pages(question, wanted(scope), scope.page or self.page, fresh):
            records = [self.record(scope, issue) for issue in issues]
            # what was asked for fresh may stand out of order: before the end it must not carry the cursor past others
            passed = [(r.version, int(r.ref.id)) for r in records if last or int(r.ref.id) not in written]
            newest = max([newest, *passed])
            notices = [Notice(r.ref, r.version, r) for r in records if r.in_scope or r.mark]
            yield Page(tuple(notices), f"{newest[0]}:{newest[1]}" if newest[0] else cursor, last)

    # -- reading

    def record(self, scope: Scope, issue: Mapping[str, Any]) -> Record:
        """An issue as a record. Its source line is remembered for the next time the description is written."""
        with understood(self.name):
            record = self.reading.record(scope, issue)
            self.lines.put(record.ref.id, marker.split(issue["fields"].get("description") or "")[1])
        return record

    def read(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, Record | None]:
        """One call for each hundred, and one for each issue that it leaves in doubt."""
        found: dict[str, Record | None] = dict.fromkeys(ids)
        for issue in self.served.fetch(ids, wanted(scope)):
            record = self.record(scope, issue)
            found[record.ref.id] = record
        return found

    def discussions(self, scope: Scope, ids: Sequence[str]) -> Mapping[str, tuple[Comment, ...]]:
        """One call for each hundred, and one for each page of comments of an issue whose own do not come with it, or do
        not tell who may read them. An issue that is gone is left out."""
        found: dict[str, tuple[Comment, ...]] = {}
        for issue in self.served.fetch(ids, ["comment", "project"]):
            with understood(self.name):
                ref = Ref(self.name, str(issue["id"]))
                inline = self.reading.inline_comments(ref, issue["fields"])
            with suppress(Gone):
                found[ref.id] = self.every_comment(ref) if inline is None else inline
        return found

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

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> Sequence[Record]:
        """One call."""
        question = query.made(mark.instance, since)
        pages = self.served.pages(question, wanted(scope), scope.page or self.page, ())
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
            record = self.record(scope, one_issue(self.client, id, wanted(scope), id))
        except Failure as failure:
            self.lately.doubt(id)
            raise Unsure(f"{what}, but could not be asked for it: {failure}") from None
        self.lately.add(id, record.version)
        return record

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """Fields alone: one call, in Data Center two. A step of the workflow: its list, its step, and what writes the
        fields or else reads the issue. Jira keeps no version to check against: the last write wins."""
        fields = dict(change.fields)
        line = self.source_line(scope, record, change.mark) if "description" in fields else ""
        if change.state is None or change.state == record.state:
            return self.filled_in(scope, record, fields | self.settable(record, change.with_state), line)
        left = self.transition(record, change)
        try:
            return self.filled_in(scope, record, fields | self.settable(record, left), line)
        except (Down, Busy) as failure:
            self.lately.doubt(record.ref.id)
            raise Unsure(f"{record.key} was moved to {change.state}, its fields were not written: {failure}") from None

    def filled_in(self, scope: Scope, record: Record, fields: Mapping[str, Native], line: str) -> Record:
        """The issue with its fields written, or as it is where there are none."""
        if not fields:
            return self.afterwards(scope, record.ref.id, f"{record.key} was written")
        return self.edit(scope, record, self.bodies.edit(scope, record, fields, line))

    def transition(self, record: Record, change: Change) -> dict[str, Native]:
        """Takes the step, and returns the fields that its screen does not take."""
        step = self.step_to(record, change)
        sent = {name: value for name, value in change.with_state.items() if name in step.screen}
        body = {"transition": {"id": step.id}, "fields": self.bodies.fields(sent)}
        self.write("POST", record, "/transitions", body)
        return {name: value for name, value in change.with_state.items() if name not in step.screen}

    def write(
        self, method: str, record: Record, path: str, body: Mapping[str, Any], params: Mapping[str, Any] | None = None
    ) -> Any:
        """One write on an issue, which an index may now trail. Where its answer is lost, reading settles it: then no
        index may be what is read."""
        id = record.ref.id
        try:
            answer = self.client.write(method, f"issue/{id}{path}", body, record.key, params)
        except Unsure:
            self.lately.doubt(id)
            raise
        self.lately.add(id)
        return answer

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
            issue = one_issue(self.client, record.ref.id, ["description"], record.key)
            with understood(self.name):
                held = marker.split(issue["fields"].get("description") or "")[1]
        return held or (marker.line(mark) if mark and mark.made and not scope.keys_field else "")

    def edit(self, scope: Scope, record: Record, body: Mapping[str, Any]) -> Record:
        """One call: Jira Cloud returns the edited issue where asked to ("Edit issue"). Data Center passes over that, so
        it is read."""
        params = {"returnIssue": "true", "expand": "changelog"}
        issue = self.write("PUT", record, "", body, params)
        if issue is None:
            return self.afterwards(scope, record.ref.id, f"{record.key} was written")
        try:
            edited = self.record(scope, issue)
        except Down as failure:
            raise Unsure(str(failure)) from None
        self.lately.add(edited.ref.id, edited.version)
        return edited

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """As an edit of fields alone; no call where it is marked already."""
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
            self.write("POST", record, "/remotelink", body)

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """One call."""
        body = self.bodies.comment(channel, text)
        answer = self.write("POST", record, "/comment", body)
        self.lately.add(record.ref.id, said_at(answer))
        return Said(self.id_of(answer))

    # -- accounting

    def calls(self) -> int:
        return self.transport.ledger.total()

    def close(self) -> None:
        self.transport.close()


def newest_of(cursor: str) -> tuple[int, int]:
    stamp, _, id = cursor.partition(":")
    return (int(stamp), int(id or 0)) if stamp else (0, 0)


def said_at(answer: Any) -> int:
    """When a comment was added, and its issue updated; 0 where the answer does not tell."""
    try:
        return query.epoch(moment(answer["updated"]))
    except (KeyError, TypeError, ValueError):
        return 0


def comment_page(answer: Any) -> tuple[dict[str, Any], int]:
    """The comments of a page by id, in its order, and how many there are."""
    return {str(one["id"]): one for one in answer["comments"]}, int(answer["total"])
