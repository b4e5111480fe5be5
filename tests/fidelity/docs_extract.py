"""ServiceNow publishes no OpenAPI: its documentation pages, parsed into tables and samples, are turned into one here.

Status codes are the documented ones. The keys of an answer are those of its table ("name: Data type") and those of its
samples; for a table's rows they are free, since they are the table's columns, and only the forms of a value are known.
"""

from __future__ import annotations

import re
from typing import Any

Document = dict[str, Any]

#: a value as the Table API shows it by ``sysparm_display_value`` and ``sysparm_exclude_reference_link``
CELL: Document = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "display_value": {"type": "string"},
                "value": {"type": "string"},
                "link": {"type": "string"},
            },
            "additionalProperties": False,
        },
    ]
}
ROW: Document = {"type": "object", "additionalProperties": CELL}
#: (apis.md 1.6; the attachment pages' own table of it)
ERROR: Document = {
    "type": "object",
    "required": ["error", "status"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "detail"],
            "properties": {"message": {"type": "string"}, "detail": {"anyOf": [{"type": "string"}, {"enum": [None]}]}},
            "additionalProperties": False,
        },
        "status": {"enum": ["failure"]},
    },
    "additionalProperties": False,
}
#: the codes that every REST API may answer (r_RESTAPIHTTPResponseCodes, apis.md 1.6), besides the endpoint's own
COMMON = ("400", "401", "403", "404", "405", "406", "415", "429", "500", "502", "503")
_TYPES = {"String": "string", "Number": "integer", "Boolean": "boolean", "Array": "array", "Object": "object"}


def documented(page: Document) -> Document:
    """The OpenAPI document of one API's documentation page."""
    paths: Document = {}
    for endpoint in page["endpoints"]:
        operation = {"operationId": endpoint["title"], "responses": responses(endpoint)}
        for url in endpoint["urls"]:
            path = "/" + url.lstrip("/").replace("/v1/", "/{api_version}/")
            paths.setdefault(path, {})[endpoint["method"].lower()] = operation
    info = {"title": page["source"], "version": page["release"]}
    return {"openapi": "3.0.1", "info": info, "paths": paths, "components": {"schemas": {"Error": ERROR}}}


def responses(endpoint: Document) -> Document:
    error = {
        "description": "a refusal",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    found: Document = dict.fromkeys(COMMON, error)
    for code, words in endpoint["status_codes"]:
        if code < "400":
            found[code] = {"description": words, **content(endpoint, code)}
    return found


def content(endpoint: Document, code: str) -> Document:
    if code == "204":
        return {}
    if endpoint["path"].endswith("/file") and endpoint["method"] == "GET":
        return {"content": {"*/*": {"schema": {}}}}
    return {"content": {"application/json": {"schema": shape(endpoint)}}}


def shape(endpoint: Document) -> Document:
    """The schema of a successful answer."""
    if endpoint["path"].startswith("/now/table/"):
        many = "{sys_id}" not in endpoint["path"] and endpoint["method"] == "GET"
        return closed({"result": {"type": "array", "items": ROW} if many else ROW}, ["result"])
    if endpoint["path"].startswith("/now/stats/"):
        return statistics(endpoint)
    tables = of_tables(endpoint.get("other_tables") or ())
    samples = [of_sample(one) for one in endpoint["json_blocks"] if isinstance(one, dict) and "records" not in one]
    return union([tables, *[one for one in samples if "_unparsed" not in one["properties"]]])


NAMES = ("field", "value", "display_value")


def statistics(endpoint: Document) -> Document:
    """The statistics are those that parameters ask for, each by field; without grouping the result is one group."""
    asked = [name for line in endpoint["description"].splitlines() if (name := line.removeprefix("-").strip()) != line]
    by_field: Document = {"type": "object", "additionalProperties": {"type": "string"}}
    stats = {"count": {"type": "string"}, **dict.fromkeys(asked, by_field)}
    groups = {"type": "array", "items": closed({name: {"type": "string"} for name in NAMES})}
    group = closed({"stats": closed(stats), "groupby_fields": groups}, ["stats"])
    return closed({"result": {"anyOf": [group, {"type": "array", "items": group}]}}, ["result"])


def closed(properties: Document, required: list[str] | None = None) -> Document:
    found: Document = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": required} if required else found


def of_tables(rows: Any) -> Document:
    """The schema that rows of (dotted name, text with its data type) describe."""
    root = closed({})
    for row in rows:
        kind = re.search(r"Data type: (String|Number|Boolean|Array|Object)", row[1]) if len(row) == 2 else None
        if kind and not row[0].startswith(("error", "status")):
            place(root, row[0].split("."), _TYPES[kind.group(1)])
    opened: Document = without_empty(root)
    return opened


def without_empty(node: Any) -> Any:
    """An object or a list whose keys the table does not go into may hold anything."""
    if isinstance(node, dict):
        return {key: without_empty(one) for key, one in node.items()} if node.get("properties") != {} else {}
    return node


def place(root: Document, names: list[str], kind: str) -> None:
    """Puts a property of that kind where the names lead; a list's names are those of its items."""
    at = root
    for name in names[:-1]:
        at = at.get("items", at)
        at = at["properties"].setdefault(name, closed({}))
    at = at.get("items", at)
    at.setdefault("properties", {})[names[-1]] = (
        {"type": "array", "items": closed({})}
        if kind == "array"
        else closed({})
        if kind == "object"
        else {"type": kind}
    )


def of_sample(value: Any) -> Document:
    """The narrowest schema that a sample fits."""
    if isinstance(value, dict):
        return closed({key: of_sample(one) for key, one in value.items()})
    if isinstance(value, list):
        return {"type": "array", "items": union([of_sample(one) for one in value])}
    return {"type": {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}[type(value)]}


def union(schemas: list[Document]) -> Document:
    """One schema with the keys of all: those of a list's items likewise. The first one's type stands."""
    found: Document = {}
    for schema in schemas:
        if not found:
            found = dict(schema)
        elif "properties" in found and "properties" in schema:
            keys = [*found["properties"], *(key for key in schema["properties"] if key not in found["properties"])]
            both = {key: [s["properties"][key] for s in (found, schema) if key in s["properties"]] for key in keys}
            found["properties"] = {key: union(parts) for key, parts in both.items()}
        elif "items" in found and "items" in schema:
            found["items"] = union([found["items"], schema["items"]])
    return found
