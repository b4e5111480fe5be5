"""The published specifications as one set of OpenAPI documents, each brought into a form that says what is on the wire.

What is changed, mechanically and with its source, is listed with each function: everything else is left as published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.fidelity.docs_extract import documented

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"
METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
Document = dict[str, Any]

#: short name, as the table in docs/sandbox.md cites it, to the file
FILES = {
    "v3": "jira/cloud-v3.trimmed.json",
    "v2": "jira/cloud-v2-2024-08.trimmed.json",
    "DC": "jira/datacenter-10.3.trimmed.json",
    "wit": "azure-devops/wit-7.1.json",
    "core": "azure-devops/core-7.1.json",
    "git": "azure-devops/git-7.1.trimmed.json",
    "hooks": "azure-devops/hooks-7.1.json",
    "table-api": "servicenow/table-api.docs-extract.json",
    "aggregate-api": "servicenow/aggregate-api.docs-extract.json",
    "attachment-api": "servicenow/attachment-api.docs-extract.json",
    "batch-api": "servicenow/batch-api.docs-extract.json",
    "import-set-api": "servicenow/import-set-api.docs-extract.json",
}
#: the specifications that describe a kind of tracker; the first one that has a request's path speaks for it
KINDS = {
    "jira": ("v2", "v3"),
    "jira-datacenter": ("DC",),
    "azure": ("wit", "core", "git", "hooks"),
    "servicenow": ("table-api", "aggregate-api", "attachment-api", "batch-api", "import-set-api"),
}


def available() -> bool:
    return SPECS.is_dir()


@cache
def raw(name: str) -> Document:
    """A specification as it was published."""
    return json.loads((SPECS / FILES[name]).read_text(encoding="utf-8"))


@cache
def document(name: str) -> Document:
    """A specification as OpenAPI that names every key and status that may be on the wire."""
    as_published = json.loads((SPECS / FILES[name]).read_text(encoding="utf-8"))
    if name.endswith("-api"):
        return documented(as_published)
    return azure(as_published) if name in KINDS["azure"] else jira(as_published, name)


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """(METHOD, path template, operation) of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield method.upper(), path, operation


# -- Azure DevOps ------------------------------------------------------------------------------------------------------

#: the wrapper of every error (apis.md 3.4)
AZURE_ERROR: Document = {
    "type": "object",
    "required": ["$id", "message", "typeName", "typeKey", "errorCode", "eventId"],
    "properties": {
        "$id": {"type": "string"},
        "customProperties": {"type": "object"},
        "innerException": {},
        "message": {"type": "string"},
        "typeName": {"type": "string"},
        "typeKey": {"type": "string"},
        "errorCode": {"type": "integer"},
        "eventId": {"type": "integer"},
        "value": {},
    },
    "additionalProperties": False,
}


FEEDS = {"ReportingWorkItemRevisionsBatch": "WorkItem", "ReportingWorkItemLinksBatch": "WorkItemRelation"}
UNSET = {"WorkItemTypeFieldInstanceBase": ("helpText",), "WorkItemTypeFieldInstance": ("defaultValue",),
         "WorkItemTypeFieldWithReferences": ("defaultValue",), "WorkItemStateTransition": ("actions",),
         "WorkItemField": ("description",)}  # fmt: skip
#: keys that every recorded answer has and the specification, which names none as required, leaves open
#: (spec-http-examples.json, recorded-az-cli-vcr.json)
AZURE_ALWAYS = {"WorkItem": ("id", "rev", "fields"), "WorkItemComment": ("id", "text", "version", "createdBy"),
                "Comment": ("id", "workItemId", "version", "text", "createdBy", "createdDate"),
                "CommentList": ("totalCount", "count", "comments"), "WorkItemUpdate": ("id", "rev", "revisedBy"),
                "WorkItemQueryResult": ("queryType", "asOf", "columns"), "WorkItemReference": ("id", "url"),
                "WorkItemRelation": ("rel",), "IdentityRef": ("displayName", "id", "uniqueName"),
                "ReportingWorkItemRevisionsBatch": ("values", "continuationToken", "isLastBatch"),
                "AttachmentReference": ("id", "url"), "WorkItemStateColor": ("name", "color", "category"),
                "WorkItemType": ("name", "referenceName", "fields", "states")}  # fmt: skip
#: a template is an item that is not there yet: fields alone (spec-http-examples.json, GET_work_item_template.json)
TEMPLATE = "/{organization}/{project}/_apis/wit/workitems/${type}"
FORMATS: Document = {"type": "object", "additionalProperties": {"enum": ["markdown", "html"]}}


def azure(published: Document) -> Document:
    """- overloads under ``x-ms-paths`` become paths of their own, their query kept in the name;
    - a base class under ``allOf`` is merged, so that a model's keys are known and every other key is a finding;
    - ``{"type": "object"}`` without properties stands for .NET's ``object``, that is any value;
    - the generic ``T`` of the reporting feeds is a work item or a link, and an item says how its long texts are
      formatted (wit-7.2.json, which late 7.1 follows: apis.md 3.3);
    - what a type or a field does not set is null, not left out (spec-http-examples.json, GET__workItemType_field.json
      and POST_wit_field.json);
    - ``ReferenceLinks`` is a dictionary on the wire, and a list is wrapped as ``{"count", "value"}`` (recorded:
      recorded-az-cli-vcr.json, spec-http-examples.json);
    - statuses from 400 on carry the error wrapper (apis.md 3.4): the specification names no error at all.
    """
    models = published["definitions"]
    models["ReferenceLinks"] = {"type": "object", "additionalProperties": {}}
    if "WorkItem" in models:
        models["WorkItem"]["properties"]["multilineFieldsFormat"] = FORMATS
        for feed, item in FEEDS.items():
            models[feed]["properties"]["values"] = {"type": "array", "items": {"$ref": f"#/definitions/{item}"}}
        for model, names in UNSET.items():
            for name in names:
                models[model]["properties"][name]["x-nullable"] = True
    published["definitions"] = {name: merged(model, models) for name, model in models.items()}
    required(published["definitions"], AZURE_ALWAYS)
    published["paths"].update(published.pop("x-ms-paths", {}))
    if template := published["paths"].get(TEMPLATE):
        open_item = {key: value for key, value in published["definitions"]["WorkItem"].items() if key != "required"}
        template["get"]["responses"]["200"]["schema"] = open_item
    published["definitions"]["LockstepError"] = AZURE_ERROR
    for _, _, operation in operations(published):
        for answer in operation["responses"].values():
            if answer.get("schema", {}).get("type") == "array":
                answer["schema"] = wrapped(answer["schema"])
        operation["responses"]["default"] = {
            "description": "an error",
            "schema": {"$ref": "#/definitions/LockstepError"},
        }
    opened: Document = everywhere(published, any_value)
    return opened


def wrapped(listed: Document) -> Document:
    return {
        "type": "object",
        "required": ["count", "value"],
        "properties": {"count": {"type": "integer"}, "value": listed},
        "additionalProperties": False,
    }


def required(models: Document, always: Mapping[str, tuple[str, ...]]) -> None:
    """Makes the keys required that recorded answers always have, where the specification holds the model."""
    for name in always.keys() & models.keys():
        models[name]["required"] = sorted({*models[name].get("required", ()), *always[name]})


def merged(model: Document, models: Document) -> Document:
    """A model with the properties of its base classes, closed."""
    properties: Document = {}
    for base in model.get("allOf", ()):
        if "$ref" not in base:
            return model
        properties |= merged(models[base["$ref"].rpartition("/")[2]], models).get("properties", {})
    properties |= model.get("properties", {})
    if "additionalProperties" in model or not properties:
        return model
    return {"type": "object", "properties": properties, "additionalProperties": False}


def any_value(schema: Document) -> Document:
    bare = schema.get("type") == "object" and not {"properties", "additionalProperties", "allOf"} & schema.keys()
    return {key: value for key, value in schema.items() if key != "type"} if bare else schema


# -- Jira --------------------------------------------------------------------------------------------------------------

#: every refusal (apis.md 2.2); a status that the specification gives no schema for carries it as well
JIRA_ERROR: Document = {
    "type": "object",
    "properties": {
        "errorMessages": {"type": "array", "items": {"type": "string"}},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
        "status": {"type": "integer"},
        "warningMessages": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}


#: keys that every recorded answer has (recorded-client-fixtures.json, cloud-v3-spec-examples.json)
JIRA_ALWAYS = {"IssueBean": ("id",), "CreatedIssue": ("id", "key", "self"),
               "Comment": ("id", "self", "author", "body", "created", "updated"),
               "PageOfComments": ("comments", "maxResults", "startAt", "total"),
               "IssueTransition": ("id", "name", "to"), "Transitions": ("transitions",),
               "SearchAndReconcileResults": ("issues", "isLast"), "Changelog": ("id", "created", "items"),
               "PageOfChangelogs": ("histories",), "User": ("accountId", "displayName", "active"),
               "FieldDetails": ("id", "name", "custom", "schema"), "RemoteIssueLink": ("id", "object")}  # fmt: skip


def jira(published: Document, name: str) -> Document:
    """- models that do not say whether they take other keys take none (so do most of the Cloud's, which say so);
    - a time's offset has no colon (apis.md 2.1), which ``date-time`` would refuse;
    - a refusal without a schema carries the error collection (apis.md 2.2);
    - Data Center's paths stand below ``/rest`` (its server's address in the document); its models, derived from Java,
      leave out keys that the server writes (recorded-client-fixtures.json), so they stay open, and a bare object of
      theirs is any value.
    """
    if name == "DC":
        published["paths"] = {f"/rest{path}": methods for path, methods in published["paths"].items()}
        published = everywhere(published, any_value)
    if name != "DC":
        required(published["components"]["schemas"], JIRA_ALWAYS)
    error = {"application/json": {"schema": JIRA_ERROR}}
    for _, _, operation in operations(published):
        for status, answer in operation["responses"].items():
            if status >= "400" and not any("schema" in one for one in answer.get("content", {}).values()):
                answer["content"] = error
    return everywhere(published, jira_model if name == "DC" else closed_jira_model)


def jira_model(schema: Document) -> Document:
    if schema.get("format") == "date-time":
        return {key: value for key, value in schema.items() if key != "format"}
    return schema


def closed_jira_model(schema: Document) -> Document:
    schema = jira_model(schema)
    if schema.get("type") == "object" and schema.get("properties") and "additionalProperties" not in schema:
        return {**schema, "additionalProperties": False}
    return schema


def everywhere(node: Any, change: Callable[[Document], Document]) -> Any:
    """The document with ``change`` applied to every object of it, innermost first."""
    if isinstance(node, dict):
        return change({key: everywhere(value, change) for key, value in node.items()})
    return [everywhere(one, change) for one in node] if isinstance(node, list) else node
