"""Bodies: work items, revisions, updates, comments and identities, in the shapes of the specification and of the
recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.model import FOREVER, Comment, Person, Project, Relation, WorkItem
from sandbox.azure_devops.values import wire

#: names of the links between work items, as relations carry them
_NAMES = {
    "System.LinkTypes.Hierarchy-Forward": "Child",
    "System.LinkTypes.Hierarchy-Reverse": "Parent",
    "System.LinkTypes.Related": "Related",
    "System.LinkTypes.Dependency-Forward": "Successor",
    "System.LinkTypes.Dependency-Reverse": "Predecessor",
}

#: fields that only ``$expand`` all or fields shows (recorded: GET with and without it)
_EXPANDED = frozenset(
    "System.Id System.AreaId System.NodeName System.AreaLevel1 System.Rev System.AuthorizedDate System.RevisedDate "
    "System.IterationId System.IterationLevel1 System.AuthorizedAs System.PersonId System.Watermark".split()
)


@dataclass(frozen=True, slots=True)
class Renderer:
    """``base`` is the organisation's address as the client wrote it; ``digits`` how many places dates have."""

    base: str
    fields: dict[str, Field]
    person: Callable[[str], Person]
    project: Callable[[str], Project]
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
        """Every field that has a value at a revision, identities as unique names and dates as text."""
        update = item.updates[-1] if not rev or rev == item.rev else item.revision(rev)
        stored = item.fields_at(update.rev)
        area, sprint = str(stored["System.AreaPath"]), str(stored["System.IterationPath"])
        found = {
            "System.Id": item.id,
            "System.AreaId": len(area) + 1000,
            "System.AreaPath": area,
            "System.TeamProject": stored["System.TeamProject"],
            "System.NodeName": area.split("\\")[-1],
            "System.AreaLevel1": area.split("\\")[0],
            "System.Rev": update.rev,
            "System.AuthorizedDate": wire(update.at, self.digits),
            "System.RevisedDate": wire(update.revised, self.digits) if update.revised else FOREVER,
            "System.IterationId": len(sprint) + 2000,
            "System.IterationPath": sprint,
            "System.IterationLevel1": sprint.split("\\")[0],
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
        }
        return {name: value for name, value in found.items() if value is not None}

    def shown(self, values: dict[str, Any], *, identity_text: bool = False) -> dict[str, Any]:
        """Identities as IdentityRef objects, or as ``Name <unique name>``."""
        spell = (lambda who: self.person(who).full_name) if identity_text else self.identity
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
        """A work item. ``fields`` limits it to those; ``expand`` is none, relations, fields, links or all; a batch
        answers without ``links`` unless they are expanded."""
        values = self.values(item, rev)
        if fields:
            asked = {name.lower() for name in fields}
            values = {name: value for name, value in values.items() if name.lower() in asked}
        elif expand not in ("all", "fields"):
            values = {name: value for name, value in values.items() if name not in _EXPANDED}
        body: dict[str, Any] = {"id": item.id, "rev": rev or item.rev, "fields": self.shown(values)}
        if not fields:
            body["multilineFieldsFormat"] = dict(item.formats)
        if expand in ("all", "relations") and item.relations and not rev:
            body["relations"] = [self.relation(one) for one in item.relations]
        if not fields and (links or expand in ("all", "links")):
            body["_links"] = self.links(item)
        return {**body, "url": self.item_url(item, *(("revisions", rev) if rev else ()))}

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

    def relation(self, one: Relation) -> dict[str, Any]:
        if not one.is_resource:
            attributes: dict[str, Any] = {"isLocked": False, "name": _NAMES.get(one.rel, "Related")}
        else:
            at = wire(one.at, self.digits) if one.at else FOREVER
            dates = dict.fromkeys(("authorizedDate", "resourceCreatedDate", "resourceModifiedDate"), at)
            attributes = {**dates, "id": one.id, "revisedDate": FOREVER}
        said = {"comment": one.comment} if one.comment else {}
        return {"rel": one.rel, "url": one.url, "attributes": attributes | said}

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
        relations = {"added": update.added, "removed": update.removed}
        if update.added or update.removed:
            body["relations"] = {name: [self.relation(r) for r in found] for name, found in relations.items() if found}
        return {**body, "url": self.item_url(item, "updates", at + 1)}

    def delta(self, item: WorkItem, before: int, after: int) -> dict[str, Any]:
        old = self.shown(self.values(item, before)) if before else {}
        new = self.shown(self.values(item, after))
        changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        pairs = {name: (("oldValue", old.get(name)), ("newValue", new.get(name))) for name in changed}
        delta = {name: {key: value for key, value in pair if value is not None} for name, pair in pairs.items()}
        said = next((c for c in item.comments if c.id == item.revision(after).comment), None)
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
