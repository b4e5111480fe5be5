"""The routes of work items: reading one, many and batches, creating, patching, the recycle bin, revisions, updates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import Problem, bad_request, no_item
from sandbox.azure_devops.model import WorkItem
from sandbox.azure_devops.patch import Wanted, read_patch
from sandbox.azure_devops.values import wire
from sandbox.wire import Answer

#: items of one call (quoted: VS403474)
MOST = 200
_EXPANDS = ("none", "relations", "fields", "links", "all")


def get_item(call: Call) -> Answer:
    expand, fields = expansion(call.query("$expand"), call.listed("fields"))
    return answered(call.render.item(call.item(), fields=known(call, fields), expand=expand))


def get_items(call: Call) -> Answer:
    ids = call.listed("ids")
    if not ids:
        raise bad_request("The request must contain at least one work item id.")
    if not all(id.isdigit() for id in ids):
        raise bad_request(f"The value '{call.query('ids')}' is not valid for ids.")
    return several(
        call, [int(id) for id in ids], call.listed("fields"), call.query("$expand"), call.query("errorPolicy")
    )


def post_batch(call: Call) -> Answer:
    body = call.body()
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not ids or not all(isinstance(id, int) for id in ids):
        raise bad_request("The request must contain at least one work item id.")
    fields = tuple(body.get("fields") or ())
    return several(call, ids, fields, str(body.get("$expand") or ""), str(body.get("errorPolicy") or ""))


def several(call: Call, ids: list[int], fields: tuple[str, ...], expand: str, policy: str) -> Answer:
    """Items in the order asked for. ``omit`` puts null at missing places; otherwise one missing item fails all."""
    if len(ids) > MOST:
        text = f"VS403474: You requested {len(ids)} work items which exceeds the limit of {MOST}. Reduce the number of "
        raise bad_request(text + "work items requested and try again.", "WorkItemTrackingBatchSizeException", 3200)
    expand, fields = expansion(expand, fields)
    fields = known(call, fields)
    found = [found_item(call, id, omit=policy.lower() == "omit") for id in ids]
    return call.listing([item and call.render.item(item, fields=fields, expand=expand, links=False) for item in found])


def found_item(call: Call, id: int, *, omit: bool) -> WorkItem | None:
    try:
        item = call.org.item(id, call.who)
        if call.project is not None and item.project != call.project.name:
            raise no_item(id)
        return item
    except Problem:
        if omit:
            return None
        raise


def expansion(expand: str, fields: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Expansion and fields exclude each other (quoted in threads)."""
    lower = expand.lower() or "none"
    if lower not in _EXPANDS:
        raise bad_request(f"The value '{expand}' is not valid for $expand.")
    if fields and lower != "none":
        raise bad_request(
            "The expand parameter can not be used with the fields parameter.", "ConflictingParametersException"
        )
    return lower, fields


def known(call: Call, fields: Collection[str]) -> tuple[str, ...]:
    return tuple(call.org.rules.find(name).reference for name in fields)


# -- writing


def create_item(call: Call) -> Answer:
    wanted = patch(call, None)
    project, type_name = call.need_project(), call.args["type"]
    bypass = call.flag("bypassRules")
    if call.flag("validateOnly"):
        return answered(validated(call, wanted, type_name, bypass))
    return written(call, call.org.create(project, type_name, wanted, call.who, bypass=bypass))


def validated(call: Call, wanted: Wanted, type_name: str, bypass: bool) -> dict[str, Any]:
    """The answer to a creation that is only validated: no id, no revision, nothing kept."""
    call.org.check_rights(call.who)
    fields, _ = call.org.drafted(call.need_project(), type_name, wanted, bypass=bypass)
    return {"id": -1, "rev": -1, "fields": call.render.shown(fields)}


def patch_item(call: Call) -> Answer:
    item = call.item()
    wanted = patch(call, item)
    bypass = call.flag("bypassRules")
    if call.flag("validateOnly"):
        call.org.rules.applied(item.fields, wanted, wire(call.org.clock.now()), bypass=bypass)
    else:
        call.org.change(item, wanted, call.who, bypass=bypass)
    return written(call, item)


def written(call: Call, item: WorkItem) -> Answer:
    """An item after a write: 200 for a creation too, with its relations (recorded)."""
    return answered(call.render.item(item, expand=expansion(call.query("$expand") or "relations", ())[0]))


def patch(call: Call, item: WorkItem | None) -> Wanted:
    content_type = call.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/json-patch+json":
        text = (
            f'The request indicated a Content-Type of "{content_type}" for method type "{call.request.method}" '
            "which is not supported. Valid content types for this method are: application/json-patch+json."
        )
        raise bad_request(text, "VssRequestContentTypeNotSupportedException", status=415)
    return read_patch(call.body(), item, call.org.rules.find, tags_merge=call.org.switches.tags_merge)


def delete_item(call: Call) -> Answer:
    item = call.item()
    if call.flag("destroy"):
        call.org.check_rights(call.who)
        call.org.store.destroy(item)
        return Answer(204)
    call.org.delete(item, call.who)
    return answered(binned(call, item))


def binned(call: Call, item: WorkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "type": item.type,
        "name": item.fields["System.Title"],
        "project": item.project,
        "deletedDate": wire(item.changed or item.created),
        "deletedBy": call.org.person(item.changed_by).full_name,
        "code": 200,
        "url": f"{call.render.base}/_apis/wit/recyclebin/{item.id}",
        "resource": call.render.item(item),
    }


def in_bin(call: Call) -> WorkItem:
    text = call.args.get("id") or ""
    item = call.org.store.items.get(int(text)) if text.isdigit() else None
    if item is None or not item.deleted or not call.org.readable(item, call.who):
        raise no_item(text)
    return item


def get_bin(call: Call) -> Answer:
    if not call.args.get("id"):
        project = call.need_project().name
        held = [item for item in call.org.store.items.values() if item.deleted and item.project == project]
        return call.listing([{"id": item.id, "url": binned(call, item)["url"]} for item in held])
    return answered(binned(call, in_bin(call)))


def patch_bin(call: Call) -> Answer:
    item = in_bin(call)
    if (call.body() or {}).get("isDeleted", (call.body() or {}).get("IsDeleted")) is not False:
        raise bad_request("The work item can only be restored by setting IsDeleted to false.")
    call.org.restore(item, call.who)
    return answered(binned(call, item))


# -- history


def get_revisions(call: Call) -> Answer:
    item = call.item()
    if call.args.get("revisionNumber"):
        rev = int(call.args["revisionNumber"]) if call.args["revisionNumber"].isdigit() else 0
        if not 1 <= rev <= item.rev:
            raise Problem(
                404,
                f"TF401233: Revision {rev} of work item {item.id} does not exist.",
                "WorkItemRevisionNotFoundException",
            )
        return answered(call.render.item(item, rev=rev, expand="all", links=False))
    start, top = call.number("$skip", 0), call.number("$top", MOST)
    revs = range(1, item.rev + 1)[start : start + min(top, MOST)]
    return call.listing([call.render.item(item, rev=rev, links=False) for rev in revs])


def get_updates(call: Call) -> Answer:
    item = call.item()
    if call.args.get("updateNumber"):
        at = int(call.args["updateNumber"]) if call.args["updateNumber"].isdigit() else 0
        if not 1 <= at <= len(item.updates):
            raise Problem(
                404, f"TF401233: Update {at} of work item {item.id} does not exist.", "WorkItemUpdateNotFoundException"
            )
        return answered(call.render.update(item, at - 1))
    start, top = call.number("$skip", 0), call.number("$top", MOST)
    places = range(len(item.updates))[start : start + min(top, MOST)]
    return call.listing([call.render.update(item, at) for at in places])
