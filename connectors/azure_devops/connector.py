"""What the connector writes in Azure DevOps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connectors.azure_devops.finds import Finds
from connectors.azure_devops.iterations import CURRENT, ITERATION_PATH, current_iteration
from connectors.azure_devops.records import (
    kept,
    keys_comment,
    mark_of,
    ours,
)
from connectors.azure_devops.rights import AREA_PATH
from connectors.azure_devops.service import (
    COMMENTS,
    ITEM,
    JSON_PATCH,
    NEW_ITEM,
    Ask,
    Place,
)
from connectors.azure_devops.spelling import TAGS, has, reference, tags, wired, without
from connectors.azure_devops.steps import way
from connectors.base import Busy, Down, Gone, Refused, Said, Unsure
from mappings.model import Change, Draft, Mark, Native, Record, Ref, Scope
from mappings.text import clean, to_html

_WITH_RELATIONS = {"$expand": "relations"}
#: the relation from an item to the one above it
PARENT = "System.LinkTypes.Hierarchy-Reverse"
Operation = dict[str, Any]


class AzureDevOps(Finds):
    """A connector to one organisation; see ``connectors.base.Connector`` for what each method promises. Here is what it
    writes."""

    def create(self, scope: Scope, draft: Draft) -> Record:
        """One call with fields, tag and hyperlink; the item starts in its type's first state. One more where a value is
        the current one, and for one that stands below another: it is born in that one's area and iteration, as the
        boards' own *Add child* does, where the file names no others."""
        fields = {reference(name): value for name, value in (*draft.extra.items(), *draft.fields.items())}
        fields = {name: self.resolved(scope, name, value) for name, value in fields.items()}
        fields = {**self.inherited(draft.parent), **fields} if draft.parent else fields
        own = fields.pop(TAGS, None)
        wanted = [*(own if isinstance(own, tuple) else tags(own)), draft.mark.instance]
        there = {name: value for name, value in fields.items() if value not in (None, "", ())}
        operations = [self.set_field(scope, name, value) for name, value in there.items()]
        operations.append(put(f"/fields/{TAGS}", "; ".join(dict.fromkeys(wanted))))
        operations.append(self.hyperlink(draft.source_url or self.url, draft.mark))
        operations += [self.below(draft.parent)] if draft.parent else []
        route = {"project": scope.project, "type": draft.kind}
        return self.send(NEW_ITEM, "POST", route, operations, scope)

    def resolved(self, scope: Scope, name: str, value: Native) -> Native:
        """``@current``, or ``@current TEAM``, as the iteration of today; any other value as it is. One call."""
        if name != ITERATION_PATH or not isinstance(value, str) or value.partition(" ")[0] != CURRENT:
            return value
        return current_iteration(self.service.read, scope.project, value.partition(" ")[2].strip())

    def inherited(self, parent: Ref) -> dict[str, Native]:
        """The area and iteration of the item above. Raises ``Refused`` where it is gone: nothing is left hanging."""
        found = self.batch([parent.id], lambda item: item["fields"])
        if not found:
            raise Refused(f"{self.name}: the work item above, {parent.id}, is gone or hidden from us")
        return {name: str(found[0][name]) for name in (AREA_PATH, ITERATION_PATH) if found[0].get(name)}

    def below(self, parent: Ref) -> Operation:
        """The relation to the item above (apis.md 3.2)."""
        return put("/relations/-", {"rel": PARENT, "url": f"{self.url}/_apis/wit/workItems/{parent.id}"})

    def update(self, scope: Scope, record: Record, change: Change) -> Record:
        """One call: a test of the revision, the fields, the state with what goes with it. Where the process forbids
        the step, one more for each state on the way."""
        version = change.version or record.version
        values = {reference(name): value for name, value in (*change.fields.items(), *change.with_state.items())}
        if change.state is not None:
            place = record.project.casefold(), record.kind
            known, ends = self.metadata.steps.get(place, {}), self.metadata.ends.get(place, ())
            passed = way(known, record.state, (change.state, *change.also), record.key, ends)
            values["System.State"] = passed[-1]
            version = self.pass_through(scope, record, passed[:-1], version)
        mark = change.mark or record.mark
        operations = [self.set_field(scope, name, value, record) for name, value in values.items() if name != TAGS]
        if TAGS in values:
            operations.append(self.set_tags(values[TAGS], record, mark))
        try:
            return self.patch(record.ref.id, version, operations, scope)
        except (Down, Busy) as failure:
            if version == (change.version or record.version):
                raise
            raise Unsure(f"{record.key} was moved on its way to {values['System.State']}: {failure}") from None

    def pass_through(self, scope: Scope, record: Record, states: Sequence[str], version: int) -> int:
        """Takes the states on the way, and returns the version that the last one left."""
        begun = version
        for state in states:
            step = [self.set_field(scope, "System.State", state, record)]
            try:
                version = self.patch(record.ref.id, version, step, scope).version
            except (Down, Busy) as failure:
                if version == begun:
                    raise
                raise Unsure(f"{record.key} was moved towards {state}: {failure}") from None
        return version

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

    def unmark(self, scope: Scope, record: Record, mark: Mark) -> Record:
        """Takes off the tag and the hyperlink with the keys. The item is read first: tags are written whole, and a
        relation is removed by its place (apis.md 3.2)."""
        items = self.batch([record.ref.id], dict)
        if not items:
            raise Gone(f"{self.name}: work item {record.ref.id} is gone or hidden from us")
        operations = self.unmarking(items[0], mark)
        if not operations:
            return self.record(scope, items[0])
        return self.patch(record.ref.id, int(items[0]["rev"]), operations, scope)

    def unmarking(self, item: Mapping[str, Any], mark: Mark) -> list[Operation]:
        """What is there of the mark."""
        relations = item.get("relations") or []
        places = [at for at, one in enumerate(relations) if ours(one, mark.instance)]
        operations: list[Operation] = [{"op": "remove", "path": f"/relations/{at}"} for at in reversed(places)]
        there = tags(item["fields"].get(TAGS))
        if has(there, mark.instance):
            operations.append(put(f"/fields/{TAGS}", "; ".join(without(there, mark.instance)), replaces=True))
        return operations

    def show(self, scope: Scope, record: Record, mark: Mark, source_key: str, source_url: str) -> None:
        """Nothing to do: the hyperlink that carries the keys leads to the source."""

    def say(self, scope: Scope, record: Record, channel: str, text: str) -> Said:
        """A comment in the discussion, as inert HTML but for the mentions in it."""
        route = {"project": record.project or scope.project, "workItemId": record.ref.id}
        content = {"text": self.people.html(text, record, record.project or scope.project)}
        return self.service.write(Ask("POST", COMMENTS, route, {"format": "html"}, content), said_of)

    def reword(self, scope: Scope, record: Record, comment: str, channel: str, text: str) -> Said:
        """One call."""
        route = {"project": record.project or scope.project, "workItemId": record.ref.id, "commentId": comment}
        content = {"text": to_html(clean(text)[0])}
        return self.service.write(Ask("PATCH", COMMENTS, route, {"format": "html"}, content), said_of)

    def send(
        self, place: Place, method: str, route: Mapping[str, object], operations: list[Operation], scope: Scope
    ) -> Record:
        ask = Ask(method, place, route, _WITH_RELATIONS, operations, JSON_PATCH)
        return self.service.write(ask, partial(self.record, scope))

    def patch(self, id: str, version: int, operations: list[Operation], scope: Scope) -> Record:
        """A document that applies to that revision only (``test /rev``)."""
        document = [{"op": "test", "path": "/rev", "value": version}, *operations]
        return self.send(ITEM, "PATCH", {"id": id}, document, scope)

    def set_field(self, scope: Scope, name: str, value: Native, record: Record | None = None) -> Operation:
        markdown = record is not None and (record.ref.id, name) in self.markdown
        return put(f"/fields/{name}", wired(value, self.metadata.kind(name), markdown=markdown, zone=scope.zone))

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


def put(path: str, value: Any, *, replaces: bool = False) -> Operation:
    return {"op": "replace" if replaces else "add", "path": path, "value": value}


def said_of(answer: Mapping[str, Any]) -> Said:
    return Said(str(answer["id"] if "id" in answer else answer["commentId"]))
