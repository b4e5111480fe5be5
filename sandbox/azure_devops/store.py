"""Everything the organisation holds, with the indexes that keep 100,000 items quick: a log of revisions in order of
their watermark, items by tag, and the creation order of ids."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sandbox.azure_devops.links import LINK_TYPES, LinkChange, listed, mirrored
from sandbox.azure_devops.model import Comment, Relation, Update, WorkItem, tags_of


class Count:
    """Numbers from 1; unlike ``itertools.count`` it goes into a snapshot."""

    def __init__(self) -> None:
        self.last = 0

    def __next__(self) -> int:
        self.last += 1
        return self.last


class Store:
    """In memory; every method is called under the server's lock."""

    def __init__(self) -> None:
        self.items: dict[int, WorkItem] = {}
        #: (item id, revision), one for each revision ever made; its place + 1 is the watermark
        self.log: list[tuple[int, int]] = []
        self.times: list[datetime] = []
        self.created: list[tuple[datetime, int]] = []
        self.by_tag: defaultdict[str, set[int]] = defaultdict(set)
        self.tag_names: dict[str, str] = {}
        self.ids, self.comment_ids, self.relation_ids = Count(), Count(), Count()
        #: links between work items as they were made and removed, and (item id, revision, comment id, an edit, at)
        self.link_log: list[LinkChange] = []
        self.remarks: list[tuple[int, int, int, bool, datetime]] = []

    @property
    def watermark(self) -> int:
        return len(self.log)

    def add(self, fields: dict[str, Any], by: str, at: datetime, relations: Iterable[Relation]) -> WorkItem:
        """A new item in its first revision."""
        item = WorkItem(next(self.ids), fields, created=at, created_by=by, rev=0, changed=at, changed_by=by)
        item.relations = listed(item, [self.numbered(relation, at) for relation in relations])
        self.items[item.id] = item
        insort(self.created, (at, item.id))
        self.retag("", fields.get("System.Tags"), item.id)
        update = Update(1, at, by, 0, added=tuple(item.relations))
        self.log_revision(item, update)
        self.mirror(item, update)
        return item

    def numbered(self, relation: Relation, at: datetime) -> Relation:
        """A relation with its number; one that is only changed keeps it."""
        if relation.is_resource and not relation.id:
            relation.id, relation.at = next(self.relation_ids), at
        return relation

    def log_revision(self, item: WorkItem, update: Update) -> None:
        """Takes up a revision: number, watermark, who and when."""
        for before in reversed(item.updates):
            if before.revised:
                break
            before.revised = update.at
        self.log.append((item.id, update.rev))
        self.times.append(max(update.at, self.times[-1]) if self.times else update.at)
        update.watermark = self.watermark
        item.rev, item.watermark = update.rev, update.watermark
        item.changed, item.changed_by = update.at, update.by
        item.updates.append(update)
        item.current = update

    def change(
        self,
        item: WorkItem,
        fields: dict[str, Any],
        by: str,
        at: datetime,
        *,
        relations: list[Relation] | None = None,
        comment: Comment | None = None,
    ) -> None:
        """Makes ``fields`` and ``relations`` the item's own. What changes nothing makes no revision; links between
        work items make an update without one (recorded: rev stays)."""
        changes = {
            name: (item.fields.get(name), fields.get(name))
            for name in item.fields | fields  # in an order of their own: a set's would be another in each process
            if item.fields.get(name) != fields.get(name)
        }
        kept = item.relations if relations is None else relations
        added, removed, updated = self.sorted_out(item, kept, at)
        self.retag(item.fields.get("System.Tags"), fields.get("System.Tags"), item.id)
        item.fields, item.relations = fields, listed(item, list(kept))
        counted = any(one.is_resource for one in (*added, *removed, *updated))
        said = comment.id if comment else 0
        update = Update(item.rev, at, by, item.watermark, changes, added, removed, updated, said)
        if changes or counted or comment:
            update.rev += 1
            self.log_revision(item, update)
        elif added or removed:
            item.updates.append(update)
        if comment:
            self.remarks.append((item.id, update.rev, comment.id, bool(comment.older), at))
        self.mirror(item, update)

    def sorted_out(
        self, item: WorkItem, kept: list[Relation], at: datetime
    ) -> tuple[tuple[Relation, ...], tuple[Relation, ...], tuple[Relation, ...]]:
        """Which relations come, go and are changed where ``kept`` are to be the item's."""
        new = [self.numbered(one, at) for one in kept if one not in item.relations]
        gone = [one for one in item.relations if one not in kept]
        before, after = {one.id for one in gone if one.id}, {one.id for one in new}
        updated = tuple(one for one in new if one.id in before)
        added = tuple(one for one in new if one not in updated)
        return added, tuple(one for one in gone if not one.id or one.id not in after), updated

    def mirror(self, item: WorkItem, update: Update) -> None:
        """A link between work items is the other item's too: an update there, no revision and no date."""
        for one in (*update.removed, *update.added):
            other = self.items.get(one.target)
            if other is None:
                continue
            gone, theirs = one in update.removed, mirrored(one, item.id)
            kept = [known for known in other.relations if (known.rel, known.target) != (theirs.rel, theirs.target)]
            other.relations = listed(other, kept if gone else [*kept, theirs])
            there = Update(other.rev, update.at, update.by, other.watermark)
            there.added, there.removed = ((), (theirs,)) if gone else ((theirs,), ())
            other.updates.append(there)
            self.log_link(item, one, update, active=not gone)

    def log_link(self, item: WorkItem, one: Relation, update: Update, *, active: bool) -> None:
        kind = LINK_TYPES[one.rel]
        source, target = (item.id, one.target) if kind.forward or not kind.acyclic else (one.target, item.id)
        forward = kind if kind.forward or not kind.acyclic else LINK_TYPES[kind.opposite]
        self.link_log.append(LinkChange(forward, source, target, update.at, update.by, one.comment, active))

    def retag(self, old: str | None, new: str | None, id: int) -> None:
        before, after = tags_of(old), tags_of(new)
        for tag in before:
            if tag not in after:
                self.by_tag[tag.lower()].discard(id)
        for tag in after:
            self.tag_names.setdefault(tag.lower(), tag)
            self.by_tag[tag.lower()].add(id)

    def destroy(self, item: WorkItem) -> None:
        """For ever: the item leaves the feed too."""
        self.retag(item.fields.get("System.Tags"), "", item.id)
        for one in item.relations:
            other = self.items.get(one.target)
            if other:
                other.relations = [known for known in other.relations if known.target != item.id]
        del self.items[item.id]
