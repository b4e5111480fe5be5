"""The routes of work items: reading one, many and batches, creating, patching, the recycle bin, revisions, updates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.call import Call, answered, parts
from sandbox.azure_devops.classification import date_of
from sandbox.azure_devops.errors import Problem, bad_request, clash, no_item
from sandbox.azure_devops.model import WorkItem
from sandbox.azure_devops.patch import Wanted, read_patch
from sandbox.azure_devops.rules import first_values
from sandbox.azure_devops.values import numeral, wire
from sandbox.wire import Answer

#: items of one call (quoted: VS403474)
MOST = 200
_EXPANDS = ("none", "relations", "fields", "links", "all")


def get_item(call: Call) -> Answer:
    expand, fields = expansion(call.query("$expand"), call.listed("fields"))
    item = call.item()
    body = call.render.item(item, fields=known(call, fields), expand=expand, rev=rev_then(call, item))
    return answered({**body, "url": call.render.item_url(item)})


def rev_then(call: Call, item: WorkItem) -> int:
    """The revision at ``asOf``, 0 for now. Raises TF401232 where the item was not yet there."""
    if not call.query("asOf"):
        return 0
    moment = date_of(call.query("asOf"))
    revs = [update.rev for update in item.updates if moment and update.at <= moment]
    if not revs:
        raise no_item(item.id)
    return revs[-1] if revs[-1] < item.rev else 0


def in_list(call: Call, item: WorkItem, fields: tuple[str, ...], expand: str) -> dict[str, Any]:
    """An item of a list; its address names the project where the caller did (recorded)."""
    body = call.render.item(item, fields=fields, expand=expand, links=False, rev=rev_then(call, item))
    return {**body, "url": call.render.item_url(item, project=call.project is not None)}


def get_items(call: Call) -> Answer:
    ids = call.listed("ids")
    if not ids:
        raise bad_request("The request must contain at least one work item id.")
    numbers = [number for number in map(numeral, ids) if number is not None]
    if len(numbers) < len(ids):
        raise bad_request(f"The value '{call.query('ids')}' is not valid for ids.")
    return several(call, numbers, call.listed("fields"), call.query("$expand"), call.query("errorPolicy"))


def post_batch(call: Call) -> Answer:
    body = call.body()
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not ids or not all(isinstance(id, int) for id in ids):
        raise bad_request("The request must contain at least one work item id.")
    fields = tuple(parts(body, "fields", str))
    return several(call, ids, fields, str(body.get("$expand") or ""), str(body.get("errorPolicy") or ""))


def several(call: Call, ids: list[int], fields: tuple[str, ...], expand: str, policy: str) -> Answer:
    """Items in the order asked for. ``omit`` puts null at missing places; otherwise one missing item fails all."""
    if len(ids) > MOST:
        text = f"VS403474: You requested {len(ids)} work items which exceeds the limit of {MOST}. Reduce the number of "
        raise bad_request(text + "work items requested and try again.", "WorkItemTrackingBatchSizeException", 3200)
    expand, fields = expansion(expand, fields)
    fields = known(call, fields)
    found = [found_item(call, id, omit=policy.lower() == "omit") for id in ids]
    return call.listing([item and in_list(call, item, fields, expand) for item in found])


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
    bypass = flags(call, project.name)
    if call.flag("validateOnly"):
        return answered(validated(call, wanted, type_name, bypass))
    return written(call, call.org.create(project, type_name, wanted, call.who, bypass=bypass))


def flags(call: Call, project: str) -> bool:
    """Whether rules are bypassed, the rights that this and muting want being there."""
    bypass, mute = call.flag("bypassRules"), call.flag("suppressNotifications")
    call.org.rights.need_flags(call.who, project, bypass=bypass, mute=mute)
    return bypass


def validated(call: Call, wanted: Wanted, type_name: str, bypass: bool) -> dict[str, Any]:
    """The answer to a creation that is only validated: no id, no revision, nothing kept."""
    fields, _ = call.org.drafted(call.need_project(), type_name, wanted, bypass=bypass)
    call.org.check_fields(call.who, fields, {})
    call.org.check_links([], wanted.relations, call.who)
    return {"id": -1, "rev": -1, "fields": call.render.shown(fields)}


def get_template(call: Call) -> Answer:
    """What a new item of the type would start with, its title still to come (vendor's example)."""
    project = call.need_project()
    rules = call.org.rules
    first = first_values(rules, project, rules.type(project, call.args["type"]))
    draft = rules.applied(first, Wanted({"System.Title": "-"}), wire(call.org.clock.now()))
    who = {"System.CreatedBy": call.who.unique_name, "System.ChangedBy": call.who.unique_name}
    fields = {name: value for name, value in draft.items() if name != "System.Title"} | who
    place = f"{call.render.base}/{project.id}/_apis/wit"
    kind = rules.type(project, call.args["type"]).name
    links = {"workItemType": f"{place}/workItemTypes/{quote(kind)}", "fields": f"{place}/fields"}
    return answered(
        {
            "fields": call.render.shown(fields),
            "_links": {name: {"href": url} for name, url in links.items()},
            "url": f"{place}/workItems",
        }
    )


def patch_item(call: Call) -> Answer:
    item = call.item()
    wanted = patch(call, item)
    bypass = flags(call, item.project)
    if call.org.switches.clashes:
        raise clash(item.id, call.org.switches.clashes.pop(0))
    if call.flag("validateOnly"):
        call.org.checked(item, wanted, call.who, call.org.clock.now(), bypass=bypass)
    else:
        call.org.check_wall(item)
        with call.org.muted(call.flag("suppressNotifications")):
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
    return read_patch(call.body(), item, call.org.rules.find, call.org.manners)


def delete_item(call: Call) -> Answer:
    item = call.item()
    if call.flag("destroy"):
        call.org.destroy(item, call.who)
        return Answer(204)
    call.org.delete(item, call.who)
    return answered(binned(call, item))


def delete_many(call: Call) -> Answer:
    """Up to 200 items at once, each with its own result."""
    body = call.shape()
    ids = body.get("ids")
    if not isinstance(ids, list) or not ids or len(ids) > MOST or not all(isinstance(id, int) for id in ids):
        raise bad_request("The request must contain between 1 and 200 work item ids.")
    results = []
    for id in ids:
        try:
            item = call.org.item(id, call.who)
            if body.get("destroy"):
                call.org.destroy(item, call.who)
                results.append({"id": id, "code": 200})
            else:
                call.org.delete(item, call.who)
                results.append(binned(call, item))
        except Problem as problem:
            results.append({"id": id, "code": problem.status, "message": problem.message})
    return answered({"results": results})


def reference(call: Call, item: WorkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "type": item.type,
        "name": item.fields["System.Title"],
        "project": item.project,
        "deletedDate": wire(item.changed or item.created),
        "deletedBy": call.org.person(item.changed_by).full_name,
        "code": 200,
        "url": f"{call.render.base}/_apis/wit/recyclebin/{item.id}",
    }


def binned(call: Call, item: WorkItem) -> dict[str, Any]:
    return {**reference(call, item), "resource": call.render.item(item)}


def in_bin(call: Call) -> WorkItem:
    text = call.args.get("id") or ""
    item = call.org.store.items.get(numeral(text) or 0)
    if item is None or not item.deleted or not call.org.readable(item, call.who):
        raise no_item(text)
    return item


def get_bin(call: Call) -> Answer:
    if not call.args.get("id"):
        project = call.need_project().name
        held = [item for item in call.org.store.items.values() if item.deleted and item.project == project]
        held = [item for item in held if call.org.readable(item, call.who)]
        asked = call.listed("ids")
        if asked:
            return call.listing([reference(call, item) for item in held if str(item.id) in asked])
        return call.listing([{"id": item.id, "url": binned(call, item)["url"]} for item in held])
    return answered(binned(call, in_bin(call)))


def patch_bin(call: Call) -> Answer:
    item = in_bin(call)
    body = call.shape()
    if body.get("isDeleted", body.get("IsDeleted")) is not False:
        raise bad_request("The work item can only be restored by setting IsDeleted to false.")
    call.org.restore(item, call.who)
    return answered(binned(call, item))


def destroy_bin(call: Call) -> Answer:
    call.org.destroy(in_bin(call), call.who)
    return Answer(204)


# -- history


def get_revisions(call: Call) -> Answer:
    item = call.item()
    if call.args.get("revisionNumber"):
        rev = numeral(call.args["revisionNumber"]) or 0
        if not 1 <= rev <= item.rev:
            raise Problem(
                404,
                f"TF401233: Revision {rev} of work item {item.id} does not exist.",
                "WorkItemRevisionNotFoundException",
            )
        body = call.render.item(item, rev=rev, expand="all")
        return answered({**body, "_links": call.render.part_links(item, "revisions", rev)})
    start, top = call.number("$skip", 0), call.number("$top", MOST)
    revs = range(1, item.rev + 1)[start : start + min(top, MOST)]
    return call.listing([call.render.item(item, rev=rev, links=False) for rev in revs])


def get_updates(call: Call) -> Answer:
    item = call.item()
    if call.args.get("updateNumber"):
        at = numeral(call.args["updateNumber"]) or 0
        if not 1 <= at <= len(item.updates):
            raise Problem(
                404, f"TF401233: Update {at} of work item {item.id} does not exist.", "WorkItemUpdateNotFoundException"
            )
        return answered({**call.render.update(item, at - 1), "_links": call.render.part_links(item, "updates", at)})
    start, top = call.number("$skip", 0), call.number("$top", MOST)
    places = range(len(item.updates))[start : start + min(top, MOST)]
    return call.listing([call.render.update(item, at) for at in places])
