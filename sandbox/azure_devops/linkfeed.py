"""Two feeds beside that of revisions: links between work items, and discussions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.links import LinkChange
from sandbox.azure_devops.model import WorkItem
from sandbox.azure_devops.reporting import next_link, place_in
from sandbox.azure_devops.values import wire
from sandbox.wire import Answer

Entry = dict[str, Any]


def page(call: Call, resource: str, times: list[datetime], entry: Callable[[int], Entry | None]) -> Answer:
    """A batch from where the caller stands; entries that are None are passed over. The token counts what was looked
    through."""
    start = place_in(call, times)
    size = min(call.number("$maxPageSize", call.org.switches.page) or 1, call.org.switches.page)
    values: list[Entry] = []
    end = start
    while end < len(times) and len(values) < size:
        found = entry(end)
        values += [found] if found else []
        end += 1
    token = call.query("continuationToken") if end <= start and call.query("continuationToken") else str(end)
    return answered(
        {
            "values": values,
            "nextLink": next_link(call, token, resource),
            "continuationToken": token,
            "isLastBatch": end >= len(times),
        }
    )


# -- links


def get_links(call: Call) -> Answer:
    """Links as they were made and removed (``isActive``); neither is a revision of an item (apis.md 3.1)."""
    log = call.org.store.link_log
    return page(call, "workItemLinks", [change.at for change in log], lambda at: link_entry(call, log[at]))


def link_entry(call: Call, change: LinkChange) -> Entry | None:
    """None for a link that the caller may not see or did not ask for."""
    ends = [call.org.store.items.get(id) for id in (change.source, change.target)]
    source = ends[0]
    kinds, types = ({one.lower() for one in call.listed(name)} for name in ("linkTypes", "types"))
    if any(item is None or not call.org.readable(item, call.who) for item in ends) or source is None:
        return None
    if call.project is not None and source.project != call.project.name:
        return None
    if types and source.type.lower() not in types:
        return None
    if kinds and not kinds & {change.rel.base.lower(), change.rel.reference.lower(), change.rel.opposite.lower()}:
        return None
    return {
        "rel": change.rel.base,
        "sourceId": change.source,
        "targetId": change.target,
        "changedDate": wire(change.at, call.org.switches.digits),
        "isActive": change.active,
    }


# -- discussions


def get_discussions(call: Call) -> Answer:
    """The revisions that comments made; edits and deletions are there only where ``discussion_edits`` says so, for
    no source tells whether the service shows them (apis.md 3.1)."""
    log = call.org.store.remarks
    times = [at for *_, at in log]
    return page(call, "workItemRevisions/discussions", times, lambda at: remark_entry(call, *log[at][:4]))


def remark_entry(call: Call, id: int, rev: int, comment: int, edit: bool) -> Entry | None:
    item = call.org.store.items.get(id)
    if item is None or item.deleted or not call.org.readable(item, call.who):
        return None
    if (edit and not call.org.switches.discussion_edits) or (call.project and item.project != call.project.name):
        return None
    return {"id": id, "rev": rev, "fields": said_fields(call, item, rev, comment)}


def said_fields(call: Call, item: WorkItem, rev: int, comment: int) -> dict[str, Any]:
    said = call.org.comment_of(item, comment)
    values = call.render.values(item, rev)
    names = ("System.Id", "System.Rev", "System.TeamProject", "System.WorkItemType", "System.ChangedBy")
    shown = {name: values[name] for name in (*names, "System.ChangedDate")}
    return call.render.shown({**shown, "System.History": said.text}, identity_text=True)
