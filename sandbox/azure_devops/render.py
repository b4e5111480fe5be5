"""Bodies: work items, revisions, updates, comments and identities, in the shapes of the specification and of the
recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.links import LINK_TYPES, PARENT
from sandbox.azure_devops.model import FOREVER, Comment, Person, Project, Relation, WorkItem
from sandbox.azure_devops.nodes import AREA, ITERATION
from sandbox.azure_devops.values import wire

#: fields that only ``$expand`` all or fields shows (recorded: GET with and without it)
_EXPANDED = frozenset(
    "System.Id System.AreaId System.NodeName System.Rev System.AuthorizedDate System.RevisedDate System.IterationId "
    "System.AuthorizedAs System.PersonId System.Watermark System.AreaLevel1 System.AreaLevel2 System.AreaLevel3 "
    "System.AreaLevel4 System.IterationLevel1 System.IterationLevel2 System.IterationLevel3 "
    "System.IterationLevel4".split()
)


def levels(name: str, path: str) -> dict[str, str]:
    """The names on the way to a node, four at the most."""
    return {f"{name}{at}": part for at, part in enumerate(path.split("\\")[:4], start=1)}


@dataclass(frozen=True, slots=True)
class Renderer:
    """``base`` is the organisation's address as the client wrote it; ``node`` gives the number of an area or iteration
    (project, structure, path), ``home`` the id of an item's project; ``digits`` is how many places dates have."""

    base: str
    fields: dict[str, Field]
    person: Callable[[str], Person]
    known: Callable[[str], Person | None]
    project: Callable[[str], Project]
    node: Callable[[str, str, str], int]
    home: Callable[[int], str]
    digits: int = 3

    def identity(self, unique_name: str) -> dict[str, Any]:
        person = self.person(unique_name)
        avatar = f"{self.base}/_apis/GraphProfile/MemberAvatars/{person.descriptor}"
        return {
            "displayName": person.display_name,
            "url": f"{self.base}/_apis/Identities/{person.id}",
            "_links": {"avatar": {"href": avatar}},
            "id": person.id,
            "uniqueName": person.unique_name,
            "imageUrl": avatar,
            "descriptor": person.descriptor,
        }

    def values(self, item: WorkItem, rev: int = 0) -> dict[str, Any]:
        """Every field that has a value at a revision (0: now), identities as unique names and dates as text. The
        parent is only known of now, for it belongs to no revision."""
        update = item.current if not rev or rev == item.rev else item.revision(rev)
        stored = item.fields_at(update.rev)
        home, area, sprint = (
            str(stored["System.TeamProject"]),
            str(stored["System.AreaPath"]),
            str(stored["System.IterationPath"]),
        )
        parent = next((one.target for one in item.relations if one.rel == PARENT), None) if not rev else None
        found = {
            "System.Id": item.id,
            "System.AreaId": self.node(home, AREA, area),
            "System.AreaPath": area,
            "System.TeamProject": stored["System.TeamProject"],
            "System.NodeName": area.split("\\")[-1],
            **levels("System.AreaLevel", area),
            "System.Rev": update.rev,
            "System.AuthorizedDate": wire(update.at, self.digits),
            "System.RevisedDate": wire(update.revised, self.digits) if update.revised else FOREVER,
            "System.IterationId": self.node(home, ITERATION, sprint),
            "System.IterationPath": sprint,
            **levels("System.IterationLevel", sprint),
            "System.WorkItemType": stored["System.WorkItemType"],
            "System.State": stored["System.State"],
            "System.Reason": stored["System.Reason"],
            "System.AssignedTo": stored.get("System.AssignedTo"),
            "System.CreatedDate": wire(item.created, self.digits),
            "System.CreatedBy": item.created_by,
            "System.ChangedDate": wire(update.at, self.digits),
            "System.ChangedBy": update.by,
            "System.AuthorizedAs": update.by,
            "System.PersonId": item.id * 7919,
            "System.Watermark": update.watermark,
            "System.CommentCount": item.comments_at(update.rev),
            "System.IsDeleted": True if stored.get("System.IsDeleted") else None,
            **stored,
            "System.Parent": parent,
        }
        return {name: value for name, value in found.items() if value is not None}

    def shown(self, values: dict[str, Any], *, identity_text: bool = False) -> dict[str, Any]:
        """Identities as IdentityRef objects, or as ``Name <unique name>``; one that rules were bypassed for and nobody
        knows stays as it was written (vendor's example)."""

        def spell(name: str) -> Any:
            if not self.known(name):
                return name
            return self.person(name).full_name if identity_text else self.identity(name)

        return {
            name: spell(value) if self.fields[name].identity and isinstance(value, str) else value
            for name, value in values.items()
        }

    def item_url(self, item: WorkItem, *more: object, project: bool = True) -> str:
        place = f"/{self.project(item.project).id}" if project else ""
        return "/".join([f"{self.base}{place}/_apis/wit/workItems/{item.id}", *map(str, more)])

    def item(
        self, item: WorkItem, *, fields: Collection[str] = (), expand: str = "none", rev: int = 0, links: bool = True
    ) -> dict[str, Any]:
        """A work item. ``fields`` limits it to those; ``expand`` is none, relations, fields, links or all; a list
        answers without ``links`` unless they are expanded."""
        values = self.values(item, rev)
        if fields:
            asked = {name.lower() for name in fields}
            values = {name: value for name, value in values.items() if name.lower() in asked}
        elif expand not in ("all", "fields"):
            values = {name: value for name, value in values.items() if name not in _EXPANDED}
        body: dict[str, Any] = {"id": item.id, "rev": rev or item.rev, "fields": self.shown(values)}
        said = item.said_at(rev or item.rev)
        if said and not said.deleted and not fields:
            body["fields"]["System.History"] = said.text
            body["commentVersionRef"] = self.comment_version(item, said)
        if not fields:
            body["multilineFieldsFormat"] = dict(item.formats)
        if expand in ("all", "relations") and item.relations and not rev:
            body["relations"] = [self.relation(one) for one in item.relations]
        if not fields and (links or expand in ("all", "links")):
            body["_links"] = self.links(item)
        return {**body, "url": self.item_url(item, *(("revisions", rev) if rev else ()))}

    def part_links(self, item: WorkItem, what: str, number: int) -> dict[str, Any]:
        """The links of one revision or update (vendor's examples)."""
        list_name = {"updates": "workItemUpdates", "revisions": "workItemRevisions"}[what]
        places = {
            "self": self.item_url(item, what, number),
            list_name: self.item_url(item, what),
            "parent": self.item_url(item),
        }
        return {name: {"href": place} for name, place in places.items()}

    def links(self, item: WorkItem) -> dict[str, Any]:
        project = f"{self.base}/{self.project(item.project).id}"
        return {
            "self": {"href": self.item_url(item)},
            "workItemUpdates": {"href": self.item_url(item, "updates")},
            "workItemRevisions": {"href": self.item_url(item, "revisions")},
            "workItemComments": {"href": self.item_url(item, "comments")},
            "html": {"href": f"{project}/_workitems/edit/{item.id}"},
            "workItemType": {"href": f"{project}/_apis/wit/workItemTypes/{quote(item.type)}"},
            "fields": {"href": f"{project}/_apis/wit/fields"},
        }

    def comment_version(self, item: WorkItem, comment: Comment) -> dict[str, Any]:
        address = self.item_url(item, "comments", comment.id, "versions", comment.version)
        return {"commentId": comment.id, "version": comment.version, "url": address}

    def relation(self, one: Relation) -> dict[str, Any]:
        """Addresses of other items carry the project's id, whatever the client wrote (recorded)."""
        said = {"comment": one.comment} if one.comment else {}
        if one.target:
            attributes: dict[str, Any] = {"isLocked": False, "name": LINK_TYPES[one.rel].name}
            return {"rel": one.rel, "url": self.far_url(one.target), "attributes": attributes | said}
        at = wire(one.at, self.digits) if one.at else FOREVER
        attributes = {"authorizedDate": at, "id": one.id, "resourceCreatedDate": at, "resourceModifiedDate": at}
        named = {"name": one.name} if one.name else {}
        sized = {"resourceSize": one.size} if one.rel == "AttachedFile" else {}
        attributes |= {"revisedDate": FOREVER, **said, **named, **sized}
        return {"rel": one.rel, "url": one.url, "attributes": attributes}

    def far_url(self, id: int) -> str:
        home = self.home(id)
        return f"{self.base}/{f'{home}/' if home else ''}_apis/wit/workItems/{id}"

    def update(self, item: WorkItem, at: int) -> dict[str, Any]:
        """The ``at``-th update (0-based) as a delta; link-only updates repeat the revision before them."""
        update = item.updates[at]
        body: dict[str, Any] = {
            "id": at + 1,
            "workItemId": item.id,
            "rev": update.rev,
            "revisedBy": {**self.identity(update.by), "name": self.person(update.by).full_name},
            "revisedDate": wire(update.revised, self.digits) if update.revised else FOREVER,
        }
        before = item.updates[at - 1].rev if at else 0
        if update.rev != before:
            body["fields"] = self.delta(item, before, update.rev)
        relations = {"added": update.added, "removed": update.removed, "updated": update.updated}
        if any(relations.values()):
            body["relations"] = {name: [self.relation(r) for r in found] for name, found in relations.items() if found}
        return {**body, "url": self.item_url(item, "updates", at + 1)}

    def delta(self, item: WorkItem, before: int, after: int) -> dict[str, Any]:
        old = self.shown(self.values(item, before)) if before else {}
        new = self.shown(self.values(item, after))
        changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        pairs = {name: (("oldValue", old.get(name)), ("newValue", new.get(name))) for name in changed}
        delta = {name: {key: value for key, value in pair if value is not None} for name, pair in pairs.items()}
        said = item.said_at(after)
        return delta | ({"System.History": {"newValue": said.text}} if said else {})

    def comment(self, item: WorkItem, comment: Comment, *, rendered: bool = False) -> dict[str, Any]:
        body = {
            "workItemId": item.id,
            "id": comment.id,
            "version": comment.version,
            "text": comment.text,
            "createdBy": self.identity(comment.by),
            "createdDate": wire(comment.at, self.digits),
            "modifiedBy": self.identity(comment.changed_by),
            "modifiedDate": wire(comment.changed_at, self.digits),
            "format": comment.format,
            "isDeleted": comment.deleted,
            "url": self.item_url(item, "comments", comment.id),
        }
        return body | ({"renderedText": comment.text} if rendered else {})

    def version(self, item: WorkItem, comment: Comment, number: int) -> dict[str, Any]:
        """The ``number``-th version of a comment, 1 being the first."""
        now = (comment.text, comment.deleted, comment.changed_at, comment.changed_by)
        text, deleted, at, by = [*comment.older, now][number - 1]
        return {
            "id": comment.id,
            "version": number,
            "text": text,
            "createdBy": self.identity(comment.by),
            "createdDate": wire(comment.at, self.digits),
            "modifiedBy": self.identity(by),
            "modifiedDate": wire(at, self.digits),
            "isDeleted": deleted,
            "url": self.item_url(item, "comments", comment.id, "versions", number),
        }
