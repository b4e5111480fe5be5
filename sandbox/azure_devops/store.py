"""Everything the organisation holds, with the indexes that keep 100,000 items quick: a log of revisions in order of
their watermark, items by tag, and the creation order of ids."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

from sandbox.azure_devops.model import Comment, Relation, Update, WorkItem, tags_of


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
        self.ids, self.comment_ids, self.relation_ids = count(1), count(1), count(1)

    @property
    def watermark(self) -> int:
        return len(self.log)

    def add(self, fields: dict[str, Any], by: str, at: datetime, relations: Iterable[Relation]) -> WorkItem:
        """A new item in its first revision."""
        item = WorkItem(next(self.ids), fields, created=at, created_by=by, rev=0, changed=at, changed_by=by)
        item.relations = [self.numbered(relation, at) for relation in relations]
        self.items[item.id] = item
        self.created.append((at, item.id))
        self.retag("", fields.get("System.Tags"), item.id)
        self.log_revision(item, Update(1, at, by, 0, added=tuple(item.relations)))
        return item

    def numbered(self, relation: Relation, at: datetime) -> Relation:
        if relation.is_resource:
            relation.id, relation.at = next(self.relation_ids), at
        return relation

    def log_revision(self, item: WorkItem, update: Update) -> None:
        """Takes up a revision: number, watermark, who and when."""
        if item.updates:
            item.updates[-1].revised = update.at
        self.log.append((item.id, update.rev))
        self.times.append(update.at)
        update.watermark = self.watermark
        item.rev, item.watermark = update.rev, update.watermark
        item.changed, item.changed_by = update.at, update.by
        item.updates.append(update)

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
            for name in item.fields.keys() | fields.keys()
            if item.fields.get(name) != fields.get(name)
        }
        kept = item.relations if relations is None else relations
        added = tuple(self.numbered(one, at) for one in kept if one not in item.relations)
        removed = tuple(one for one in item.relations if one not in kept)
        self.retag(item.fields.get("System.Tags"), fields.get("System.Tags"), item.id)
        item.fields, item.relations = fields, list(kept)
        counted = any(one.is_resource for one in (*added, *removed))
        update = Update(item.rev, at, by, item.watermark, changes, added, removed, comment.id if comment else 0)
        if changes or counted or comment:
            update.rev += 1
            self.log_revision(item, update)
        elif added or removed:
            item.updates.append(update)

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
        del self.items[item.id]

    def created_since(self, moment: datetime) -> list[int]:
        return [id for _, id in self.created[bisect_left(self.created, (moment, 0)) :]]

    def changed_since(self, moment: datetime) -> set[int]:
        return {id for id, _ in self.log[bisect_left(self.times, moment) :]}
