"""Records out of work items: mark and keys, scope, fields, comments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from connectors.azure_devops.spelling import (
    HYPERLINKS,
    TAGS,
    Kind,
    from_markdown,
    has,
    moment,
    native,
    person,
    reference,
    spellings,
    tags,
    without,
)
from mappings.model import (
    ITERATION,
    PULL_REQUEST,
    PULL_REQUEST_URL,
    Comment,
    Kin,
    Mark,
    Moved,
    Native,
    Record,
    Ref,
    Scope,
)
from mappings.text import clean, from_html

#: how the comment of our hyperlink begins; final from the first landing
_KEYS = "lockstep"
#: relations to the items above and below
_KIN = {"System.LinkTypes.Hierarchy-Reverse": "parent", "System.LinkTypes.Hierarchy-Forward": "child"}
_PLAIN = Kind("", "string")


@dataclass
class Metadata:
    """What ``open`` learned: fields by reference name, and per project the states, the steps between them
    and the fields of each type."""

    fields: dict[str, Kind] = field(default_factory=dict)
    states: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    on_type: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    types: dict[str, tuple[str, ...]] = field(default_factory=dict)
    steps: dict[tuple[str, str], dict[str, tuple[str, ...]]] = field(default_factory=dict)
    ends: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def kind(self, name: str) -> Kind:
        return self.fields.get(reference(name), _PLAIN)


def keys_comment(mark: Mark) -> str:
    """The comment of our hyperlink: whose it is, then the keys. Well under the 255 characters a link's comment has."""
    return f"{_KEYS} {signature(mark.instance)} {mark.keys()}".rstrip()


def signature(instance: str) -> str:
    return "_".join(instance.split())[:120]


def ours(relation: Mapping[str, Any], instance: str) -> bool:
    """A hyperlink that carries this instance's keys: a clone of the tracker may carry another's beside it."""
    words = str((relation.get("attributes") or {}).get("comment") or "").split()
    return relation.get("rel") == "Hyperlink" and words[:2] == [_KEYS, signature(instance)]


def mark_of(item: Mapping[str, Any], instance: str) -> Mark | None:
    """The mark that an item carries: the tag makes it ours, the hyperlink tells the keys."""
    if not has(tags(item["fields"].get(TAGS)), instance):
        return None
    link = next((one for one in item.get("relations") or () if ours(one, instance)), None)
    return Mark.parse(instance, str(link["attributes"]["comment"]) if link else "")


def in_scope(fields: Mapping[str, Any], scope: Scope, metadata: Metadata) -> bool:
    """Whether an item may open or join a link, judged here. Names are compared without case, as the service does."""
    if scope.project and str(fields.get("System.TeamProject", "")).casefold() != scope.project.casefold():
        return False
    types = {name.casefold() for name in scope.types}
    if types and str(fields.get("System.WorkItemType", "")).casefold() not in types:
        return False
    return all(holds(fields, reference(name), wanted, metadata) for name, wanted in scope.where)


def holds(fields: Mapping[str, Any], name: str, wanted: tuple[str, ...], metadata: Metadata) -> bool:
    found = spellings(name, fields.get(name), metadata.kind(name))
    return any(one.casefold().strip("\\") in found if one else not found for one in wanted)


def may_concern(fields: Mapping[str, Any], scope: Scope, metadata: Metadata) -> bool:
    """Whether a line of the feed is worth reading: in scope or marked. A field that the feed does not show cannot
    rule it out."""
    if has(tags(fields.get(TAGS)), scope.mark):
        return True
    types = {name.casefold() for name in scope.types}
    kind = str(fields.get("System.WorkItemType", "")).casefold()
    if types and kind and kind not in types:
        return False
    shown = tuple((name, wanted) for name, wanted in scope.where if reference(name) in fields)
    return all(holds(fields, reference(name), wanted, metadata) for name, wanted in shown)


def record_of(tracker: str, url: str, item: Mapping[str, Any], scope: Scope, metadata: Metadata) -> Record:
    """A record out of a work item with all fields and its relations."""
    fields = item["fields"]
    project = str(fields["System.TeamProject"])
    formats = item.get("multilineFieldsFormat") or {}
    return Record(
        ref=Ref(tracker, str(item["id"])),
        key=f"AB#{item['id']}",
        url=f"{url}/{quote(project)}/_workitems/edit/{item['id']}",
        kind=str(fields["System.WorkItemType"]),
        state=str(fields["System.State"]),
        version=int(item["rev"]),
        created=moment(fields["System.CreatedDate"]),
        updated=moment(fields["System.ChangedDate"]),
        updated_by=person(fields.get("System.ChangedBy"))[1],
        assignee=person(fields.get("System.AssignedTo"))[1],
        project=project,
        fields={
            name: _BESIDE[name](item) if name in _BESIDE else value_of(name, fields, scope, metadata, formats)
            for name in scope.fields
        },
        mark=mark_of(item, scope.mark),
        in_scope=in_scope(fields, scope, metadata),
        talk=str(fields.get("System.CommentCount", "")),
        kin=kin_of(tracker, item),
    )


def hyperlinks(item: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The addresses that people hung on the item. Those that carry an instance's keys, whichever, are none of them."""
    links = [one for one in item.get("relations") or () if one.get("rel") == "Hyperlink"]
    said = [(str(one["url"]), str((one.get("attributes") or {}).get("comment") or "")) for one in links]
    return tuple(dict.fromkeys(url for url, comment in said if comment.split()[:1] != [_KEYS])) or None


def iteration(item: Mapping[str, Any]) -> str | None:
    """The last part of the iteration path; none at its root, which is the project."""
    path = str(item["fields"].get("System.IterationPath") or "")
    return path.rpartition("\\")[2] if "\\" in path else None


#: what is read with an item that is no field of its own
_BESIDE: Mapping[str, Callable[[Mapping[str, Any]], Native]] = {
    HYPERLINKS: hyperlinks,
    ITERATION: iteration,
    PULL_REQUEST: lambda item: None,
    PULL_REQUEST_URL: lambda item: None,
}


def kin_of(tracker: str, item: Mapping[str, Any]) -> tuple[Kin, ...]:
    """The work items above and below: their addresses end in the id (apis.md 3.2). A link between items moves the
    revision of neither (apis.md 3.1), so that those below may be known by the one above alone."""
    named = ((_KIN.get(str(one.get("rel"))), str(one.get("url"))) for one in item.get("relations") or ())
    return tuple(Kin(kind, Ref(tracker, url.rstrip("/").rpartition("/")[2])) for kind, url in named if kind)


def value_of(
    name: str, fields: Mapping[str, Any], scope: Scope, metadata: Metadata, formats: Mapping[str, str]
) -> Native:
    field = reference(name)
    if field == TAGS:
        return without(tags(fields.get(TAGS)), scope.mark) or None
    return native(fields.get(field), metadata.kind(field), markdown=is_markdown(formats, field))


def is_markdown(formats: Mapping[str, str], field: str) -> bool:
    return str(formats.get(field, "")).lower() == "markdown"


def moves_of(update: Mapping[str, Any]) -> list[Moved]:
    """What an update moved. ``revisedDate`` is when the next one came; when this one did stands among its fields."""
    fields = update.get("fields") or {}
    at = (fields.get("System.ChangedDate") or {}).get("newValue")
    moved = {"System.State": "state", "System.AssignedTo": "assignee"}
    if not at:
        return []
    account = person(update.get("revisedBy"))[1]
    return [
        Moved(what, moment(at), account, named(fields[name].get("newValue")))
        for name, what in moved.items()
        if name in fields
    ]


def named(value: Any) -> str:
    return person(value)[1] if isinstance(value, Mapping) else str(value or "")


@dataclass(frozen=True, slots=True)
class Account:
    """Our own account, by every name that the service may give its author."""

    name: str = ""
    id: str = ""
    descriptor: str = ""

    def wrote(self, author: Mapping[str, Any]) -> bool:
        same_name = bool(self.name) and str(author.get("uniqueName") or "").casefold() == self.name.casefold()
        same_descriptor = bool(self.descriptor) and author.get("descriptor") == self.descriptor
        return same_name or same_descriptor or (bool(self.id) and author.get("id") == self.id)


def account_of(data: Mapping[str, Any]) -> Account:
    """Our account out of connectionData. A service principal has no e-mail and is named by its id."""
    user = data["authenticatedUser"]
    named = (user.get("properties") or {}).get("Account") or {}
    id = str(user.get("id") or "")
    return Account(str(named.get("$value") or id), id, str(user.get("subjectDescriptor") or ""))


def comment_of(ref: Ref, raw: Mapping[str, Any], account: Account) -> Comment:
    """A comment as plain text. The id has been called ``commentId`` (vendor's examples) and ``id`` (specification)."""
    author = raw.get("createdBy") or {}
    text = str(raw.get("text") or "")
    mine = account.wrote(author)
    created = moment(raw["createdDate"])
    return Comment(
        item=ref,
        id=str(raw.get("id", raw.get("commentId"))),
        channel="discussion",
        author=person(author)[0],
        account=account.name if mine else person(author)[1],
        created=created,
        updated=moment(raw["modifiedDate"]) if raw.get("modifiedDate") else created,
        text=from_markdown(text) if str(raw.get("format", "")).lower() == "markdown" else clean(from_html(text))[0],
        ours=mine,
    )


def kept(mark: Mark, known: Mark | None) -> Mark:
    """``mark`` with what stays true of the one there: the creation key, and the link's date if it is the same link."""
    if known is None:
        return mark
    at = known.at if known.link == mark.link else ""
    return replace(mark, made=mark.made or known.made, at=mark.at or at)
