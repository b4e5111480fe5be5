"""The reporting feed of work item revisions: batches in order of the watermark, and a token to go on from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.azure_devops.call import Call, answered, parts
from sandbox.azure_devops.errors import bad_request
from sandbox.azure_devops.model import WorkItem, guid, tags_of
from sandbox.azure_devops.values import moment_of, numeral
from sandbox.wire import Answer


@dataclass(frozen=True, slots=True)
class Filter:
    """What a caller asks of the feed. Long texts come only with ``long``."""

    fields: tuple[str, ...]
    types: frozenset[str]
    deleted: bool
    latest: bool
    identities: bool
    long: bool
    discussion: bool
    tag_objects: bool = False


def get_feed(call: Call) -> Answer:
    wanted = Filter(
        fields=tuple(call.org.rules.find(name).reference for name in call.listed("fields")),
        types=frozenset(name.lower() for name in call.listed("types")),
        deleted=call.flag("includeDeleted"),
        latest=call.flag("includeLatestOnly"),
        identities=call.flag("includeIdentityRef"),
        long=call.query("$expand").lower() == "fields",
        discussion=call.flag("includeDiscussionChangesOnly"),
        tag_objects=call.flag("includeTagRef"),
    )
    return feed(call, wanted)


def post_feed(call: Call) -> Answer:
    body = {} if call.body() is None else call.shape()
    wanted = Filter(
        fields=tuple(call.org.rules.find(name).reference for name in parts(body, "fields", str)),
        types=frozenset(name.lower() for name in parts(body, "types", str)),
        deleted=bool(body.get("includeDeleted")),
        latest=bool(body.get("includeLatestOnly")),
        identities=bool(body.get("includeIdentityRef")),
        long=call.query("$expand").lower() == "fields",
        discussion=False,
        tag_objects=bool(body.get("includeTagRef")),
    )
    return feed(call, wanted)


def feed(call: Call, wanted: Filter) -> Answer:
    """A batch from where the token stands, and the token behind it; an idle feed answers the same token, ``values``
    empty and ``isLastBatch`` true."""
    start = starting_point(call)
    size = min(call.number("$maxPageSize", call.org.switches.page) or 1, call.org.switches.page)
    values, end = batch(call, wanted, start, size)
    given = call.query("continuationToken")
    token = given if given and end <= start else token_at(call, end)
    return answered(
        {
            "values": values,
            "nextLink": next_link(call, token),
            "continuationToken": token,
            "isLastBatch": end >= call.org.store.watermark,
        }
    )


def starting_point(call: Call) -> int:
    """The watermark already given. A token is ``watermark;id;rev`` (spec examples)."""
    return place_in(call, call.org.store.times)


def place_in(call: Call, times: Sequence[datetime]) -> int:
    """How much of a log the caller has had: from a token, from a date (what came after it), never from both."""
    token, since = call.query("continuationToken") or call.query("watermark"), call.query("startDateTime")
    if token and since:
        raise bad_request("The startDateTime parameter cannot be used together with a continuationToken.")
    if since:
        try:
            return bisect_right(times, moment_of(since))
        except ValueError:
            raise bad_request(f"The value '{since}' is not valid for startDateTime.") from None
    first = token.split(";")[0]
    at = numeral(first) if first else 0
    if at is None or (token and not first):
        raise bad_request(f"The continuation token '{token}' is not valid.", "InvalidContinuationTokenException")
    return at


def batch(call: Call, wanted: Filter, start: int, size: int) -> tuple[list[dict[str, Any]], int]:
    """Up to ``size`` revisions behind ``start``, and the watermark up to which the log was looked through."""
    values: list[dict[str, Any]] = []
    end = start
    for end, item, rev in entries(call, start):
        if fits(call, wanted, item, rev):
            values.append(shown(call, wanted, item, rev))
        if (end - start if call.org.switches.scan else len(values)) >= size:
            return values, end
    return values, max(end, call.org.store.watermark)


def entries(call: Call, start: int) -> Iterator[tuple[int, WorkItem, int]]:
    log, items = call.org.store.log, call.org.store.items
    for at in range(start, len(log)):
        id, rev = log[at]
        if id in items:
            yield at + 1, items[id], rev


def fits(call: Call, wanted: Filter, item: WorkItem, rev: int) -> bool:
    """Project and types are those of the revision: a move to another project or type leaves the earlier feed
    (reporting revisions page)."""
    if (wanted.latest and rev != item.rev) or (item.deleted and not wanted.deleted):
        return False
    fields = item.fields_at(rev)
    if call.project is not None and fields["System.TeamProject"] != call.project.name:
        return False
    if wanted.types and str(fields["System.WorkItemType"]).lower() not in wanted.types:
        return False
    if wanted.discussion and not item.revision(rev).comment:
        return False
    return call.org.readable(item, call.who)


def shown(call: Call, wanted: Filter, item: WorkItem, rev: int) -> dict[str, Any]:
    values = call.render.values(item, rev)
    if wanted.fields:
        values = {name: values[name] for name in wanted.fields if name in values}
    elif not wanted.long:
        kinds = call.org.rules.fields
        values = {name: value for name, value in values.items() if not kinds[name].long or name == "System.Tags"}
    fields = call.render.shown(values, identity_text=not wanted.identities)
    if wanted.tag_objects and "System.Tags" in fields:
        fields["System.Tags"] = [{"id": guid("tag", tag), "name": tag} for tag in tags_of(fields["System.Tags"])]
    return {"id": item.id, "rev": rev, "fields": fields}


def token_at(call: Call, end: int) -> str:
    if not end:
        return "0;0;0"
    id, rev = call.org.store.log[end - 1] if end <= len(call.org.store.log) else (0, 0)
    return f"{end};{id};{rev}"


def next_link(call: Call, token: str, resource: str = "workItemRevisions") -> str:
    project = f"/{quote(call.project.name)}" if call.project else ""
    kept = {name: values[0] for name, values in call.request.query.items() if name.lower() not in _OWN}
    query = urlencode({"continuationToken": token, **kept})
    return f"{call.render.base}{project}/_apis/wit/reporting/{resource}?{query}"


_OWN = frozenset({"continuationtoken", "startdatetime", "watermark"})
