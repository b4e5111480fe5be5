"""The connector: what the engine asks of a tracker, in Azure DevOps' terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from connectors.auth import Auth
from connectors.azure_devops.metadata import check, read_fields, read_types
from connectors.azure_devops.records import (
    Account,
    Metadata,
    account_of,
    comment_of,
    is_markdown,
    keys_comment,
    mark_of,
    may_concern,
    ours,
    record_of,
)
from connectors.azure_devops.service import (
    BATCH,
    COMMENTS,
    CONNECTION,
    FEED,
    ITEM,
    JSON_PATCH,
    NEW_ITEM,
    WIQL,
    Ask,
    Place,
    Service,
)
from connectors.azure_devops.spelling import ALIASES, TAGS, has, reference, tags, wired, without
from connectors.azure_devops.survey import Survey
from connectors.base import Clock, Down, Gone, LockedOut, Notice, Opening, Page, Said
from connectors.description import Description
from connectors.description import Place as Home
from connectors.transport import understood
from mappings.model import Change, Comment, Draft, Mark, Native, Record, Ref, Scope
from mappings.text import clean, to_html

#: items of one batch, and comments of one page (REST limits)
BATCH_SIZE = 200
#: how far the tracker's clock may stand behind the one that an intent was stamped by
SKEW = timedelta(minutes=10)
#: whom connectionData names where a public organisation takes us for nobody
_ANONYMOUS = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
_FED = ("System.Id", "System.Rev", "System.ChangedDate", "System.WorkItemType", "System.TeamProject", TAGS)
_WITH_RELATIONS = {"$expand": "relations"}

Operation = dict[str, Any]
Item = TypeVar("Item")


class AzureDevOps:
    """One organisation at ``url`` (``https://dev.azure.com/example``, or a collection on premises).

    ``lag``: the feed and reads by id are consistent, so nothing need be waited out. ``page``: revisions of one batch
    of the feed; the server may give fewer.
    """

    kind = "azure_devops"
    #: a long text holds 1,048,576 characters of HTML (object limits page); an escaped character takes up to five
    comment_limit = 200_000
    note_channel = "discussion"
    #: ``rev`` counts one by one
    consecutive = True
    #: revisions are guarded by a test of ``rev``, so that nobody can come in between
    updater = ""

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
        #: (item, field) that people turned to Markdown, and the project of items that left their scope's
        self.markdown: set[tuple[str, str]] = set()
        self.elsewhere: dict[str, str] = {}

    # -- opening

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
        self.metadata = metadata
        return Opening(self.account.name, tuple(problems))

    def states(self, scope: Scope) -> tuple[str, ...]:
        """Every state of the scope's types, the first type's first."""
        found = (
            state for type_ in self.types(scope) for state in self.metadata.states[scope.project.casefold(), type_]
        )
        return tuple(dict.fromkeys(found))

    def fields_known(self, scope: Scope) -> set[str]:
        """Names of the fields on the scope's types, short ones too."""
        known = (self.metadata.on_type[scope.project.casefold(), type_] for type_ in self.types(scope))
        there: set[str] = set().union(*known)
        return there | {short for short, name in ALIASES.items() if name in there}

    def types(self, scope: Scope) -> tuple[str, ...]:
        """The scope's types as the project spells them; all of its types where the scope names none."""
        there = self.metadata.types.get(scope.project.casefold(), ())
        wanted = [name.casefold() for name in scope.types] or [name.casefold() for name in there]
        return tuple(name for one in wanted for name in there if name.casefold() == one)

    # -- telling

    def describe(self, scopes: Sequence[Scope]) -> Description:
        with understood(self.name):
            return Survey(self.service, self.metadata).describe(scopes)

    def places(self, project: str = "") -> tuple[Home, ...]:
        with understood(self.name):
            return Survey(self.service, self.metadata).places(project)

    # -- noticing

    def changes(self, scope: Scope, cursor: str) -> Iterator[Page]:
        """The reporting feed from its continuation token on: an idle call is one request. The feed shows no
        relations and filters by project and type only; what is neither in scope nor marked is dropped here."""
        token, last = cursor, False
        while not last:
            ask = Ask("GET", FEED, {"project": scope.project}, self.feed_query(scope, token))
            page = self.service.read(ask, partial(self.page_of, scope))
            last = page.last
            if not last and page.cursor in ("", token):
                raise Down(f"{self.name} repeats a page of its feed")
            token = page.cursor or token
            yield replace(page, cursor=token)

    def page_of(self, scope: Scope, batch: Mapping[str, Any]) -> Page:
        return Page(self.notices(scope, batch["values"]), next_token(batch), bool(batch["isLastBatch"]))

    def feed_query(self, scope: Scope, token: str) -> dict[str, object]:
        judged = [reference(name) for name, _ in scope.where]
        fields = [*_FED, *(name for name in judged if name in self.metadata.fields)]
        query: dict[str, object] = {"fields": ",".join(dict.fromkeys(fields)), "includeDeleted": True}
        query |= {"includeLatestOnly": True, "$maxPageSize": scope.page or self.page}
        if scope.types:
            query["types"] = ",".join(scope.types)
        if token:
            query["continuationToken"] = token
        return query

    def notices(self, scope: Scope, values: Sequence[Mapping[str, Any]]) -> tuple[Notice, ...]:
        """One notice for each item, of its highest revision, in the order of the feed."""
        newest: dict[int, Mapping[str, Any]] = {}
        for line in values:
            known = newest.get(line["id"])
            if known is None or line["rev"] >= known["rev"]:
                newest.pop(line["id"], None)
                newest[line["id"]] = line
        return tuple(
            Notice(Ref(self.name, str(id)), int(line["rev"]))
            for id, line in newest.items()
            if may_concern(line.get("fields") or {}, scope, self.metadata)
        )

    # -- reading

    def read(self, scope: Scope, ids: Sequence[str]) -> dict[str, Record | None]:
        """200 items a call. Asked of the organisation, so that an item that was moved to another project is found."""
        found: dict[str, Record | None] = dict.fromkeys(ids)
        asked = [id for id in found if id.isdecimal() and int(id) < 2**31]
        for start in range(0, len(asked), BATCH_SIZE):
            records = self.batch(asked[start : start + BATCH_SIZE], partial(self.record, scope))
            found |= {record.ref.id: record for record in records}
        return found

    def batch(self, ids: Sequence[str], take: Callable[[Mapping[str, Any]], Item]) -> list[Item]:
        """What ``take`` makes of each item with all its fields and relations; missing and hidden ones are left out."""
        content = {"ids": [int(id) for id in ids], "$expand": "Relations", "errorPolicy": "Omit"}
        return self.service.read(
            Ask("POST", BATCH, content=content),
            lambda answer: [take(one) for one in answer["value"] if one is not None],
        )

    def record(self, scope: Scope, item: Mapping[str, Any]) -> Record:
        record = record_of(self.name, self.url, item, scope, self.metadata)
        formats = item.get("multilineFieldsFormat") or {}
        self.markdown |= {(record.ref.id, field) for field in formats if is_markdown(formats, field)}
        if record.project.casefold() != scope.project.casefold():
            self.elsewhere[record.ref.id] = record.project
        else:
            self.elsewhere.pop(record.ref.id, None)
        return record

    def discussions(self, scope: Scope, ids: Sequence[str]) -> dict[str, tuple[Comment, ...]]:
        """One call an item and 200 comments; an item that is gone is left out, which is not an empty discussion."""
        found = {}
        for id in ids:
            try:
                found[id] = self.discussion(self.elsewhere.get(id, scope.project), id)
            except Gone:
                continue
        return found

    def discussion(self, project: str, id: str) -> tuple[Comment, ...]:
        comments: list[Comment] = []
        query: dict[str, object] = {"$top": BATCH_SIZE, "order": "asc"}
        route, token = {"project": project, "workItemId": id}, ""
        seen = {token}
        while True:
            ask = Ask("GET", COMMENTS, route, query)
            said, token = self.service.read(ask, partial(self.said, Ref(self.name, id)))
            comments += said
            if not token:
                return tuple(sorted(comments, key=lambda comment: (comment.created, int(comment.id))))
            if token in seen:
                raise Down(f"{self.name} repeats a page of comments")
            seen.add(token)
            query["continuationToken"] = token

    def said(self, ref: Ref, answer: Mapping[str, Any]) -> tuple[list[Comment], str]:
        """The comments of a page and the token of the next."""
        kept = [comment_of(ref, raw, self.account) for raw in answer["comments"] if not raw.get("isDeleted")]
        return kept, str(answer.get("continuationToken") or "")

    def find_made(self, scope: Scope, mark: Mark, since: datetime) -> list[Record]:
        """A query by tag and date for ids, then their batch. The key is compared whole, so starting a little early,
        lest the clocks differ, finds nothing wrong."""
        tag, from_ = mark.instance.replace("'", "''"), f"{since - SKEW:%Y-%m-%dT%H:%M:%SZ}"
        query = (
            f"SELECT [System.Id] FROM WorkItems WHERE [System.Tags] CONTAINS '{tag}' "
            f"AND [System.CreatedDate] >= '{from_}' ORDER BY [System.CreatedDate], [System.Id]"
        )
        ask = Ask("POST", WIQL, query={"timePrecision": True}, content={"query": query})
        ids = self.service.read(ask, ids_of)
        records = self.read(scope, ids).values()
        made = [record for record in records if record and record.mark and record.mark.made == mark.made]
        return sorted(made, key=lambda record: (record.created, int(record.ref.id)))

    # -- writing

    def create(self, scope: Scope, draft: Draft) -> Record:
        """One call with fields, tag and hyperlink; the item starts in its type's first state."""
        fields = {reference(name): value for name, value in (*draft.extra.items(), *draft.fields.items())}
        own = fields.pop(TAGS, None)
        wanted = [*(own if isinstance(own, tuple) else tags(own)), draft.mark.instance]
        operations = [self.set_field(name, value) for name, value in fields.items() if value not in (None, "", ())]
        operations.append(put(f"/fields/{TAGS}", "; ".join(dict.fromkeys(wanted))))
        operations.append(self.hyperlink(draft.source_url or self.url, draft.mark))
        route = {"project": scope.project, "type": draft.kind}
        return self.send(NEW_ITEM, "POST", route, operations, scope)

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """One call: a test of the revision, the fields, the state with what goes with it."""
        version = change.version or record.version
        values = {reference(name): value for name, value in (*change.fields.items(), *change.with_state.items())}
        if change.state is not None:
            values["System.State"] = change.state
        mark = change.mark or record.mark
        operations = [self.set_field(name, value, record) for name, value in values.items() if name != TAGS]
        if TAGS in values:
            operations.append(self.set_tags(values[TAGS], record, mark))
        return self.patch(record.ref.id, version, operations, scope)

    def adopt(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """Adds the tag and the hyperlink with the keys. The item is read first: a second hyperlink to one address
        is refused, and tags are written whole."""
        if record.mark == mark:
            return record
        items = self.batch([record.ref.id], dict)
        if not items:
            raise Gone(f"{self.name}: work item {record.ref.id} is gone or hidden from us")
        operations = self.marking(items[0], mark, record.url)
        if not operations:
            return self.record(scope, items[0])
        return self.patch(record.ref.id, int(items[0]["rev"]), operations, scope)

    def marking(self, item: Mapping[str, Any], mark: Mark, url: str) -> list[Operation]:
        """What is missing of the mark."""
        operations = []
        there = tags(item["fields"].get(TAGS))
        if not has(there, mark.instance):
            operations.append(put(f"/fields/{TAGS}", "; ".join((*there, mark.instance)), replaces=bool(there)))
        relations = item.get("relations") or []
        place = next((at for at, one in enumerate(relations) if ours(one, mark.instance)), None)
        if place is None:
            return operations + ([self.hyperlink(url, mark)] if mark.link or mark.made else [])
        known = mark_of({**item, "fields": {TAGS: mark.instance}}, mark.instance)
        wanted = keys_comment(kept(mark, known))
        if relations[place]["attributes"]["comment"] != wanted:
            operations.append(put(f"/relations/{place}/attributes/comment", wanted, replaces=True))
        return operations

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """Nothing to do: the hyperlink that carries the keys leads to the source."""

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """A comment in the discussion, as inert HTML."""
        route = {"project": record.project or scope.project, "workItemId": record.ref.id}
        content = {"text": to_html(clean(text)[0])}
        return self.service.write(Ask("POST", COMMENTS, route, {"format": "html"}, content), said_of)

    def send(
        self, place: Place, method: str, route: Mapping[str, object], operations: list[Operation], scope: Scope
    ) -> Record:
        ask = Ask(method, place, route, _WITH_RELATIONS, operations, JSON_PATCH)
        return self.service.write(ask, partial(self.record, scope))

    def patch(self, id: str, version: int, operations: list[Operation], scope: Scope) -> Record:
        """A document that applies to that revision only (``test /rev``)."""
        document = [{"op": "test", "path": "/rev", "value": version}, *operations]
        return self.send(ITEM, "PATCH", {"id": id}, document, scope)

    def set_field(self, name: str, value: Native, record: Record | None = None) -> Operation:
        markdown = record is not None and (record.ref.id, name) in self.markdown
        return put(f"/fields/{name}", wired(value, self.metadata.kind(name), markdown=markdown))

    def set_tags(self, value: Native, record: Record, mark: Mark | None) -> Operation:
        """Tags are written whole, always with our mark. ``replace`` takes the place of what is there, an ``add``
        joins it (vendor's examples), so ``add`` is used only where nothing is."""
        wanted = list(value if isinstance(value, tuple) else tags(value))
        if mark is not None:
            wanted = [*without(wanted, mark.instance), mark.instance]
        empty = mark is None and not record.fields.get(TAGS) and TAGS in record.fields
        return put(f"/fields/{TAGS}", "; ".join(wanted), replaces=not empty)

    def hyperlink(self, url: str, mark: Mark) -> Operation:
        return put("/relations/-", {"rel": "Hyperlink", "url": url, "attributes": {"comment": keys_comment(mark)}})

    # -- the rest

    def calls(self) -> int:
        """Requests sent to Azure DevOps so far; those to Entra ID are not the tracker's."""
        return self.transport.ledger.total()

    def close(self) -> None:
        self.service.close()


def kept(mark: Mark, known: Mark | None) -> Mark:
    """``mark`` with what stays true of the one there: the creation key, and the link's date if it is the same link."""
    if known is None:
        return mark
    at = known.at if known.link == mark.link else ""
    return replace(mark, made=mark.made or known.made, at=mark.at or at)


def put(path: str, value: Any, *, replaces: bool = False) -> Operation:
    return {"op": "replace" if replaces else "add", "path": path, "value": value}


def ids_of(answer: Mapping[str, Any]) -> list[str]:
    return [str(one["id"]) for one in answer["workItems"]]


def said_of(answer: Mapping[str, Any]) -> Said:
    return Said(str(answer["id"] if "id" in answer else answer["commentId"]))


def next_token(batch: Mapping[str, Any]) -> str:
    """The token behind a batch; some answers give it in ``nextLink`` only (vendor's examples)."""
    link = parse_qs(urlsplit(str(batch.get("nextLink") or "")).query)
    return str(batch.get("continuationToken") or link.get("continuationToken", [""])[0])
