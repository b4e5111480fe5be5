"""The routes that describe work items: fields, types, states, categories, kinds of links, tags."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.call import Call, answered, parts
from sandbox.azure_devops.errors import Problem, no_field
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.links import LINK_TYPES, RESOURCE_LINKS
from sandbox.azure_devops.model import WorkItem, guid
from sandbox.azure_devops.process import Type
from sandbox.azure_devops.values import numeral
from sandbox.wire import Answer

# -- fields


_REQUIRED = frozenset("System.Title System.State System.AreaPath System.IterationPath".split())


def field_body(call: Call, field: Field) -> dict[str, Any]:
    operations = [("Equals", "="), ("NotEquals", "<>"), ("In", "In")]
    return {
        "name": field.name,
        "referenceName": field.reference,
        "description": None,
        "type": field.type,
        "usage": "workItem",
        "readOnly": field.kept,
        "canSortBy": not field.long,
        "isQueryable": True,
        "supportedOperations": [{"referenceName": f"SupportedOperations.{r}", "name": n} for r, n in operations],
        "isIdentity": field.identity,
        "isPicklist": False,
        "isPicklistSuggested": False,
        "url": field_url(call, field),
    }


def field_url(call: Call, field: Field) -> str:
    return f"{call.render.base}/_apis/wit/fields/{field.reference}"


def get_fields(call: Call) -> Answer:
    asked = call.args.get("fieldNameOrRefName")
    if asked:
        found = call.org.rules.names.get(asked.lower())
        if found is None:
            text = f"TF51535: Cannot find field {asked}."
            raise Problem(404, text, "WorkItemTrackingFieldDefinitionNotFoundException")
        return answered(field_body(call, found))
    return call.listing([field_body(call, field) for field in call.org.rules.fields.values()])


def instance(call: Call, field: Field, *, values: bool = False) -> dict[str, Any]:
    """A field of a type; an identity takes the organisation's people (vendor's example)."""
    body = {
        "helpText": None,
        "alwaysRequired": field.reference in _REQUIRED,
        "defaultValue": None if field.default is None else str(field.default),
        "referenceName": field.reference,
        "name": field.name,
        "url": field_url(call, field),
    }
    allowed: list[Any] = list(field.values)
    if values and field.identity:
        people = dict.fromkeys(call.org.people.values())
        shown = (call.render.identity(person.unique_name) for person in people)
        allowed = [{name: one[name] for name in ("displayName", "id", "uniqueName", "descriptor")} for one in shown]
    return body | ({"allowedValues": allowed, "dependentFields": []} if values else {})


# -- types and states


def type_of(call: Call) -> Type:
    return call.org.rules.type(call.need_project(), call.args["type"])


def state_bodies(type_: Type) -> list[dict[str, str]]:
    return [{"name": s.name, "color": s.colour, "category": s.category} for s in type_.states]


def type_body(call: Call, type_: Type) -> dict[str, Any]:
    address = f"{call.render.base}/{call.need_project().id}/_apis/wit/workItemTypes/{quote(type_.name)}"
    fields = [instance(call, field) for field in call.org.rules.on_type(type_.name)]
    steps = {
        s.name: [t.name for t in type_.states if t is not s and type_.allows(s.name, t.name)] for s in type_.states
    }
    steps[""] = [type_.states[0].name]
    return {
        "name": type_.name,
        "referenceName": type_.reference,
        "description": "",
        "color": "009CCC",
        "icon": {"id": "icon_list", "url": f"{call.render.base}/_apis/wit/workItemIcons/icon_list?color=009CCC&v=2"},
        "isDisabled": False,
        "xmlForm": "",
        "fields": fields,
        "fieldInstances": fields,
        "transitions": {old: [{"to": new, "actions": None} for new in news] for old, news in steps.items()},
        "states": state_bodies(type_),
        "_links": {"self": {"href": address}},
        "url": address,
    }


def get_types(call: Call) -> Answer:
    if call.args.get("type"):
        return answered(type_body(call, type_of(call)))
    types = call.org.rules.process(call.need_project()).types
    return call.listing([type_body(call, one) for one in types])


def get_states(call: Call) -> Answer:
    return call.listing(list(state_bodies(type_of(call))))


def get_type_fields(call: Call) -> Answer:
    """The fields of a type; the values allowed to its state are its states."""
    values = call.query("$expand").lower() in ("allowedvalues", "all")
    type_ = type_of(call)
    states = tuple(state.name for state in type_.states)
    fields = [
        replace(field, values=states) if field.reference == "System.State" else field
        for field in call.org.rules.on_type(type_.name)
    ]
    asked = call.args.get("field")
    if asked:
        wanted = call.org.rules.find(asked).reference
        found = next((field for field in fields if field.reference == wanted), None)
        if found is None:
            raise no_field(asked)
        return answered(instance(call, found, values=values))
    return call.listing([instance(call, field, values=values) for field in fields])


# -- categories, steps and kinds of links


def type_reference(call: Call, name: str) -> dict[str, str]:
    address = f"{call.render.base}/{call.need_project().id}/_apis/wit/workItemTypes/{quote(name)}"
    return {"name": name, "url": address}


def get_categories(call: Call) -> Answer:
    """Which types stand on which backlog."""
    project = call.need_project()
    bodies = [
        {
            "name": name,
            "referenceName": reference,
            "defaultWorkItemType": type_reference(call, types[0]),
            "workItemTypes": [type_reference(call, one) for one in types],
            "url": f"{call.render.base}/{project.id}/_apis/wit/workItemTypeCategories/{reference}",
        }
        for reference, (name, types) in call.org.rules.process(project).categories().items()
    ]
    asked = call.args.get("category")
    if not asked:
        return call.listing(bodies)
    found = next((body for body in bodies if asked.lower() == str(body["referenceName"]).lower()), None)
    if found is None:
        text = f"VS402377: The work item type category {asked} does not exist."
        raise Problem(404, text, "WorkItemTypeCategoryNotFoundException")
    return answered(found)


def get_relation_types(call: Call) -> Answer:
    """The kinds of relations (recorded)."""
    kinds = [(one.reference, one.name, one.attributes()) for one in LINK_TYPES.values()]
    plain = {"usage": "resourceLink", "editable": False, "enabled": True}
    kinds += [(reference, name, plain) for reference, name in RESOURCE_LINKS.items()]
    place = f"{call.render.base}/_apis/wit/workItemRelationTypes"
    bodies = [{"attributes": a, "referenceName": r, "name": n, "url": f"{place}/{r}"} for r, n, a in kinds]
    asked = call.args.get("relation")
    if not asked:
        return call.listing(bodies)
    found = next((body for body in bodies if asked.lower() == str(body["referenceName"]).lower()), None)
    if found is None:
        raise Problem(404, f"VS402386: The relation type {asked} does not exist.", "RelationTypeNotFoundException")
    return answered(found)


def get_next_states(call: Call) -> Answer:
    """The state that an item takes when its work is checked in: the next one on the way to completion."""
    found: list[dict[str, Any]] = []
    for id in call.listed("ids"):
        item = call.org.store.items.get(numeral(id) or 0)
        if item is None or item.deleted or not call.org.readable(item, call.who):
            text = f"TF401232: Work item {id} does not exist, or you do not have permissions to read it."
            found.append({"id": numeral(id) or 0, "errorCode": "TF401232", "message": text})
            continue
        found.append({"id": item.id, "stateOnTransition": next_state(call, item)})
    return call.listing(found)


def next_state(call: Call, item: WorkItem) -> str:
    states = call.org.rules.type(call.org.projects[item.project], item.type).states
    names = [state.name for state in states if state.category != "Removed"]
    now = str(item.fields["System.State"])
    return names[min(names.index(now) + 1, len(names) - 1)] if now in names else now


def post_artifacts(call: Call) -> Answer:
    """Items by the artifacts that they link."""
    uris = parts(call.shape(), "artifactUris", str)
    held = [i for i in call.org.store.items.values() if not i.deleted and call.org.readable(i, call.who)]
    found = {}
    for uri in uris:
        tied = [i for i in held if any(r.rel == "ArtifactLink" and r.url.lower() == uri.lower() for r in i.relations)]
        found[uri] = [{"id": item.id, "url": call.render.item_url(item, project=False)} for item in tied]
    return answered({"artifactUrisQueryResult": found})


# -- tags


def get_tags(call: Call) -> Answer:
    project = call.need_project().name
    used = sorted(
        name
        for lower, name in call.org.store.tag_names.items()
        if any(call.org.store.items[id].project == project for id in call.org.store.by_tag[lower])
    )
    asked = call.args.get("tagIdOrName")
    bodies = [{"id": guid("tag", n), "name": n, "url": f"{call.render.base}/_apis/wit/tags/{quote(n)}"} for n in used]
    if asked:
        found = next((body for body in bodies if asked.lower() in (body["id"], body["name"].lower())), None)
        if found is None:
            raise Problem(404, f"VS403406: The tag {asked} does not exist.", "TagNotFoundException")
        return answered(found)
    return call.listing(bodies)
