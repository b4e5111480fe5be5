"""What the connector reads in Azure DevOps: what changed, items, discussions, histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from connectors.auth import Auth
from connectors.azure_devops.metadata import check, read_fields, read_types
from connectors.azure_devops.people import People
from connectors.azure_devops.pull_requests import PullRequests, wanted
from connectors.azure_devops.records import (
    Account,
    Metadata,
    account_of,
    comment_of,
    is_markdown,
    may_concern,
    moves_of,
    record_of,
)
from connectors.azure_devops.service import (
    BATCH,
    COMMENTS,
    CONNECTION,
    FEED,
    UPDATES,
    WIQL,
    Ask,
    Service,
)
from connectors.azure_devops.spelling import ALIASES, HYPERLINKS, TAGS, reference
from connectors.azure_devops.survey import Survey
from connectors.base import Clock, Down, Garbled, Gone, LockedOut, Notice, Opening, Page, Refused
from connectors.confirm import confirmed
from connectors.description import Description
from connectors.description import Place as Home
from connectors.garbled import notices_of, sorted_out
from connectors.transport import understood
from mappings.model import ITERATION, PULL_REQUEST, PULL_REQUEST_URL, Comment, Moved, Record, Ref, Scope

#: items of one batch, and comments of one page (REST limits)
BATCH_SIZE = 200
#: whom connectionData names where a public organisation takes us for nobody
_ANONYMOUS = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
_BESIDE = {HYPERLINKS, ITERATION, PULL_REQUEST, PULL_REQUEST_URL}
_FED = ("System.Id", "System.Rev", "System.ChangedDate", "System.WorkItemType", "System.TeamProject", TAGS)
Item = TypeVar("Item")


class Reads:
    """One organisation at ``url`` (``https://dev.azure.com/example``, or a collection on premises).

    ``lag``: the feed and reads by id are consistent, so nothing need be waited out. ``page``: revisions of one batch
    of the feed; the server may give fewer.
    """

    kind = "azure_devops"
    #: a long text holds 1,048,576 characters of HTML (object limits page); an escaped character takes up to five
    comment_limit = 200_000
    note_channel = "discussion"
    rewords = True
    #: an edited comment makes no revision (apis.md 3.1)
    edits_show = False
    #: ``rev`` counts one by one
    consecutive = True
    #: revisions are guarded by a test of ``rev``, so that nobody can come in between
    updater = ""
    title = "System.Title"
    assignee = "System.AssignedTo"

    def __init__(
        self,
        name: str,
        url: str,
        auth: Auth,
        clock: Clock,
        *,
        lag: timedelta = timedelta(0),
        page: int = BATCH_SIZE,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
    ) -> None:
        self.name, self.url, self.lag, self.page = name, url.rstrip("/"), lag, page
        self.service = Service(name, url, auth, clock, verify=verify, proxies=proxies, timeout=timeout)
        self.transport = self.service.transport
        self.metadata = Metadata()
        self.account = Account()
        self.pull_requests = PullRequests(self.service.read)
        self.people = People(self.service, lambda id: self.batch([id], dict))
        #: (item, field) that people turned to Markdown, and the project of items that left their scope's
        self.markdown: set[tuple[str, str]] = set()
        self.elsewhere: dict[str, str] = {}

    def open(self, scopes: Sequence[Scope]) -> Opening:
        """One call for addresses, one for who we are, one for all fields, one per project for its types and states."""
        self.service.relocate()
        self.account = self.service.read(Ask("GET", CONNECTION), account_of)
        if not self.account.id or self.account.id == _ANONYMOUS:
            raise LockedOut(f"{self.name} takes us for nobody: the token is missing, wrong or expired")
        metadata = Metadata(fields=read_fields(self.service))
        problems: list[tuple[str, str, str]] = []
        for scope in scopes:
            problems += read_types(self.service, metadata, scope) or check(metadata, scope)
            problems += self.query_problems(scope)
        self.metadata = metadata
        return Opening(self.account.name, tuple(problems))

    def final(self, scope: Scope) -> tuple[str, ...]:
        """None: a workflow that forbids a step says so when it is asked for."""
        return ()

    def query_problems(self, scope: Scope) -> list[tuple[str, str, str]]:
        """One call where the scope has a raw query: the service names what it does not understand."""
        try:
            if scope.query:
                self.holding(scope, ["0"])
        except Refused as refusal:
            return [(scope.side, "query", str(refusal))]
        return []

    def states(self, scope: Scope) -> tuple[str, ...]:
        """Every state of the scope's types, the first type's first."""
        found = (
            state for type_ in self.types(scope) for state in self.metadata.states[scope.project.casefold(), type_]
        )
        return tuple(dict.fromkeys(found))

    def fields_known(self, scope: Scope) -> set[str]:
        """Names of the fields on the scope's types, short ones too, and what is read beside the fields."""
        known = (self.metadata.on_type[scope.project.casefold(), type_] for type_ in self.types(scope))
        there: set[str] = set().union(*known)
        return there | {short for short, name in ALIASES.items() if name in there} | (_BESIDE if there else set())

    def types(self, scope: Scope) -> tuple[str, ...]:
        """The scope's types as the project spells them; all of its types where the scope names none."""
        there = self.metadata.types.get(scope.project.casefold(), ())
        wanted = [name.casefold() for name in scope.types] or [name.casefold() for name in there]
        return tuple(name for one in wanted for name in there if name.casefold() == one)

    def describe(self, scopes: Sequence[Scope]) -> Description:
        with understood(self.name):
            return Survey(self.service, self.metadata).describe(scopes)

    def places(self, project: str = "") -> tuple[Home, ...]:
        with understood(self.name):
            return Survey(self.service, self.metadata).places(project)

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """The reporting feed of the project from its continuation token on: an idle call is one request, and where pull
        requests are shown one for each that is open, ``FEW`` at most. The feed shows
        no relations and filters by project and type only; what is neither in scope nor marked is dropped here. Types
        are not filtered there: a feed of some types loses an item that is made another (reporting revisions page)."""
        token, last = cursor, False
        while not last:
            ask = Ask("GET", FEED, {"project": scope.project}, self.feed_query(scope, token))
            page = self.service.read(ask, partial(self.page_of, scope))
            last = page.last
            if not last and page.cursor in ("", token):
                raise Down(f"{self.name} repeats a page of its feed")
            token = page.cursor or token
            yield replace(page, cursor=token)
        stirred = self.pull_requests.stirred(scope.side) if wanted(scope.fields) else ()
        if stirred:  # they have no new revision, so that the version known says nothing
            yield Page(tuple(Notice(Ref(self.name, id), 0) for id in stirred), token, True)

    def page_of(self, scope: Scope, batch: Mapping[str, Any]) -> Page:
        return Page(self.notices(scope, batch["values"]), next_token(batch), bool(batch["isLastBatch"]))

    def feed_query(self, scope: Scope, token: str) -> dict[str, object]:
        judged = [reference(name) for name, _ in scope.where]
        fields = [*_FED, *(name for name in judged if name in self.metadata.fields)]
        query: dict[str, object] = {"fields": ",".join(dict.fromkeys(fields)), "includeDeleted": True}
        query |= {"includeLatestOnly": True, "$maxPageSize": scope.page or self.page}
        if token:
            query["continuationToken"] = token
        return query

    def notices(self, scope: Scope, values: Sequence[Mapping[str, Any]]) -> tuple[Notice, ...]:
        """One notice for each item, of its highest revision, in the order of the feed."""
        told, bad = sorted_out(self.name, values, item_id, partial(self.noticed, scope))
        newest: dict[Ref, tuple[Notice, bool]] = {}
        for notice, concerns in told:
            known = newest.get(notice.ref)
            if known is None or notice.version >= known[0].version:
                newest.pop(notice.ref, None)
                newest[notice.ref] = notice, concerns
        return (*(notice for notice, concerns in newest.values() if concerns), *notices_of(self.name, bad))

    def noticed(self, scope: Scope, line: Mapping[str, Any]) -> tuple[Notice, bool]:
        """A line of the feed, and whether it is worth reading."""
        concerns = may_concern(line.get("fields") or {}, scope, self.metadata)
        return Notice(Ref(self.name, str(line["id"])), int(line["rev"])), concerns

    def read(self, scope: Scope, ids: Sequence[str]) -> dict[str, Record | None]:
        """200 items a call, and one for each pull request that is not merged, of sides that show them. Asked of the
        organisation, so that an item that was moved to another project is found."""
        found: dict[str, Record | None] = dict.fromkeys(ids)
        asked = [id for id in found if id.isdecimal() and int(id) < 2**31]
        bad: dict[str, str] = {}
        for start in range(0, len(asked), BATCH_SIZE):
            items = self.batch(asked[start : start + BATCH_SIZE], lambda item: item)
            records, unknown = sorted_out(self.name, items, item_id, partial(self.record, scope))
            bad |= unknown
            records = [self.pull_requests.asked(one) for one in records] if wanted(scope.fields) else records
            found |= {record.ref.id: record for record in confirmed(scope, records, partial(self.holding, scope))}
        if bad:
            raise Garbled(bad, {id: record for id, record in found.items() if id not in bad})
        return found

    def holding(self, scope: Scope, ids: Sequence[str]) -> set[str]:
        """The ids of which the scope's raw query holds: one call."""
        where = f"[System.Id] IN ({', '.join(ids)}) AND ({scope.query})"
        content = {"query": f"SELECT [System.Id] FROM WorkItems WHERE {where}"}
        return set(self.service.read(Ask("POST", WIQL, content=content), ids_of))

    def batch(self, ids: Sequence[str], take: Callable[[Mapping[str, Any]], Item]) -> list[Item]:
        """What ``take`` makes of each item with all its fields and relations; missing and hidden ones are left out."""
        content = {"ids": [int(id) for id in ids], "$expand": "Relations", "errorPolicy": "Omit"}
        return self.service.read(
            Ask("POST", BATCH, content=content),
            lambda answer: [take(one) for one in answer["value"] if one is not None],
        )

    def record(self, scope: Scope, item: Mapping[str, Any]) -> Record:
        record = record_of(self.name, self.url, item, scope, self.metadata)
        if wanted(scope.fields):
            self.pull_requests.note(scope.side, item)
            record = self.pull_requests.remembered(record)
        formats = item.get("multilineFieldsFormat") or {}
        self.markdown |= {(record.ref.id, field) for field in formats if is_markdown(formats, field)}
        if record.project.casefold() != scope.project.casefold():
            self.elsewhere[record.ref.id] = record.project
        else:
            self.elsewhere.pop(record.ref.id, None)
        return record

    def discussions(self, scope: Scope, ids: Sequence[str]) -> dict[str, tuple[Comment, ...]]:
        """One call an item and 200 comments; an item that is gone is left out, which is not an empty discussion."""
        found: dict[str, tuple[Comment, ...]] = {}
        bad: dict[str, str] = {}
        for id in ids:
            try:
                said = self.discussion(self.elsewhere.get(id, scope.project), id)
            except Gone:
                continue
            read, unknown = sorted_out(self.name, said, lambda raw: raw["id"], partial(self.comment, id))
            found[id] = tuple(sorted(read, key=lambda comment: (comment.created, int(comment.id))))
            bad |= dict.fromkeys([id] if unknown else [], "; ".join(unknown.values()))
        if bad:
            raise Garbled(bad, {id: comments for id, comments in found.items() if id not in bad})
        return found

    def discussion(self, project: str, id: str) -> list[Mapping[str, Any]]:
        """The comments as the service tells them, page by page."""
        comments: list[Mapping[str, Any]] = []
        query: dict[str, object] = {"$top": BATCH_SIZE, "order": "asc"}
        route, token = {"project": project, "workItemId": id}, ""
        seen = {token}
        while True:
            ask = Ask("GET", COMMENTS, route, query)
            said, token = self.service.read(ask, said_page)
            comments += said
            if not token:
                return comments
            if token in seen:
                raise Down(f"{self.name} repeats a page of comments")
            seen.add(token)
            query["continuationToken"] = token

    def comment(self, id: str, raw: Mapping[str, Any]) -> Comment:
        return comment_of(Ref(self.name, id), raw, self.account)

    def history(self, scope: Scope, changed: Sequence[tuple[Record, int]]) -> dict[str, tuple[Moved, ...]]:
        """One call an item and 200 updates, from the revision known on; an item that is gone is left out."""
        found = {}
        for record, version in changed:
            try:
                found[record.ref.id] = self.updates(record.ref.id, version)
            except Gone:
                continue
        return found

    def updates(self, id: str, version: int) -> tuple[Moved, ...]:
        """An update that made no revision has a number all the same, so that as many updates as revisions are known
        at least."""
        moves: list[Moved] = []
        skip, more = max(version, 0), True
        while more:
            ask = Ask("GET", UPDATES, {"id": id}, {"$top": BATCH_SIZE, "$skip": skip})
            page = self.service.read(ask, lambda answer: [(int(u["rev"]), moves_of(u)) for u in answer["value"]])
            moves += [moved for rev, found in page if rev > version for moved in found]
            skip, more = skip + len(page), len(page) == BATCH_SIZE
        return tuple(sorted(moves, key=lambda moved: moved.at))

    def calls(self) -> int:
        """Requests sent to Azure DevOps so far; those to Entra ID are not the tracker's."""
        return self.transport.ledger.total()

    def close(self) -> None:
        self.service.close()


def item_id(item: Mapping[str, Any]) -> object:
    return item["id"]


def said_page(answer: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], str]:
    """The comments of a page that are there, and the token of the next."""
    kept = [raw for raw in answer["comments"] if not raw.get("isDeleted")]
    return kept, str(answer.get("continuationToken") or "")


def ids_of(answer: Mapping[str, Any]) -> list[str]:
    return [str(one["id"]) for one in answer["workItems"]]


def next_token(batch: Mapping[str, Any]) -> str:
    """The token behind a batch; some answers give it in ``nextLink`` only (vendor's examples)."""
    link = parse_qs(urlsplit(str(batch.get("nextLink") or "")).query)
    return str(batch.get("continuationToken") or link.get("continuationToken", [""])[0])
