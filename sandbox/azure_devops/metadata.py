"""The routes that describe the organisation: who we are, projects, types, states, fields, tags, and queries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.fields import Field
from sandbox.azure_devops.locations import AREAS, LOCATIONS
from sandbox.azure_devops.model import Project, guid
from sandbox.azure_devops.process import PROCESSES, Type
from sandbox.azure_devops.values import wire
from sandbox.azure_devops.wiql import Parser, Runner, broken_query, day
from sandbox.wire import Answer


def list_locations() -> Answer:
    """``OPTIONS _apis``: the table that client libraries route by."""
    entries = [location.entry() for location in LOCATIONS]
    return answered({"count": len(entries), "value": entries})


def get_areas(call: Call) -> Answer:
    if not call.org.switches.areas:
        return answered({"count": 0, "value": None})
    place = f"{call.render.base}/"
    areas = [{"id": id, "name": name, "locationUrl": place} for id, name in AREAS.items()]
    asked = call.args.get("areaId")
    return answered(next((a for a in areas if a["id"] == asked), None)) if asked else call.listing(areas)


def get_connection(call: Call) -> Answer:
    """``connectionData``; its shape is in no specification: this is what clients read of it."""
    who = call.who
    account = {"$type": "System.String", "$value": who.unique_name}
    user = {
        "id": who.id,
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{guid('tenant')}\\{who.unique_name}",
        "subjectDescriptor": who.descriptor,
        "providerDisplayName": who.display_name,
        "isActive": True,
        "properties": {"Account": account} if "@" in who.unique_name else {},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }
    return answered(
        {
            "authenticatedUser": user,
            "authorizedUser": user,
            "instanceId": guid("instance", call.render.base.rsplit("/", 1)[-1]),
            "deploymentId": guid("deployment"),
            "deploymentType": "hosted",
        }
    )


def project_body(call: Call, project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "url": f"{call.render.base}/_apis/projects/{project.id}",
        "state": "wellFormed",
        "revision": 11,
        "visibility": "private",
        "lastUpdateTime": "2025-01-10T12:13:40.297Z",
    }


def get_projects(call: Call) -> Answer:
    if call.args.get("projectId"):
        return answered(project_body(call, call.org.rules.project(call.args["projectId"])))
    return call.listing([project_body(call, project) for project in call.org.projects.values()])


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
    """A field of a type."""
    body = {
        "helpText": None,
        "alwaysRequired": field.reference in _REQUIRED,
        "defaultValue": None if field.default is None else str(field.default),
        "referenceName": field.reference,
        "name": field.name,
        "url": field_url(call, field),
    }
    return body | ({"allowedValues": list(field.values), "dependentFields": []} if values else {})


# -- types and states


def type_of(call: Call) -> Type:
    return call.org.rules.type(call.need_project(), call.args["type"])


def state_bodies(type_: Type) -> list[dict[str, str]]:
    return [{"name": s.name, "color": s.colour, "category": s.category} for s in type_.states]


def type_body(call: Call, type_: Type) -> dict[str, Any]:
    address = f"{call.render.base}/{call.need_project().id}/_apis/wit/workItemTypes/{quote(type_.name)}"
    fields = [instance(call, field) for field in call.org.rules.on_type(type_.name)]
    steps = [{"to": state.name, "actions": None} for state in type_.states]
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
        "transitions": {"": [steps[0]], **{s.name: [t for t in steps if t["to"] != s.name] for s in type_.states}},
        "states": state_bodies(type_),
        "_links": {"self": {"href": address}},
        "url": address,
    }


def get_types(call: Call) -> Answer:
    if call.args.get("type"):
        return answered(type_body(call, type_of(call)))
    types = PROCESSES[call.need_project().process].types
    return call.listing([type_body(call, one) for one in types])


def get_states(call: Call) -> Answer:
    return call.listing(list(state_bodies(type_of(call))))


def get_type_fields(call: Call) -> Answer:
    values = call.query("$expand").lower() in ("allowedvalues", "all")
    fields = call.org.rules.on_type(type_of(call).name)
    asked = call.args.get("field")
    if asked:
        wanted = call.org.rules.find(asked)
        return answered(instance(call, wanted, values=values))
    return call.listing([instance(call, field, values=values) for field in fields])


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


# -- queries


def post_wiql(call: Call) -> Answer:
    body = call.body()
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise bad_request("The query statement is missing.")
    now = call.org.clock.now()
    macros = {"@today": day(now), "@me": call.who.unique_name}
    macros |= {"@project": call.project.name} if call.project else {}
    query = Parser(body["query"], find_in_query(call), macros).query()
    runner = Runner(
        call.org.store,
        replace(call.render, digits=3).values,
        lambda item: call.org.readable(item, call.who),
        lambda name: spellings(call, name),
        precise=call.flag("timePrecision"),
    )
    ids = runner.run(query, call.number("$top", 0))
    return answered(
        {
            "queryType": "flat",
            "queryResultType": "workItem",
            "asOf": wire(now),
            "columns": [
                {"referenceName": f.reference, "name": f.name, "url": field_url(call, f)} for f in query.columns
            ],
            "workItems": [{"id": id, "url": f"{call.render.base}/_apis/wit/workItems/{id}"} for id in ids],
        }
    )


def find_in_query(call: Call) -> Any:
    def find(name: str) -> Field:
        found = call.org.rules.names.get(name.lower())
        if found is None:
            raise broken_query(name)
        return found

    return find


def spellings(call: Call, name: str) -> set[str]:
    person = call.org.identify(name)
    names = (person.unique_name, person.display_name, person.full_name) if person else (name,)
    return {spelled.lower() for spelled in names}
