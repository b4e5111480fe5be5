"""Jira's fields: how each is read into a native value and written back, by its schema from ``GET /field``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import Refused
from mappings.model import Native
from mappings.text import clean, from_wiki, to_wiki

#: Jira counts UTF-16 units (recorded: a character outside the first plane counts twice)
SUMMARY_LIMIT, TEXT_LIMIT = 255, 32_767
#: items of lists, and values, that are written by their name
_BY_NAME = frozenset({"priority", "resolution", "version", "component", "issuetype", "group", "securitylevel"})


@dataclass(frozen=True, slots=True)
class Schema:
    """One entry of ``GET /field``. ``clause`` is its name in JQL."""

    id: str
    name: str
    type: str
    items: str = ""
    custom: str = ""
    clause: str = ""

    @property
    def wiki(self) -> bool:
        """Whether its text is wiki markup in version 2 of the API."""
        return self.id in ("description", "environment") or self.custom.endswith(":textarea")

    @property
    def labels(self) -> bool:
        """Whether it takes labels."""
        return self.id == "labels" or self.custom.endswith(":labels")

    @property
    def line(self) -> bool:
        """Whether it is one line of free text."""
        return self.id == "summary" or self.custom.endswith(":textfield")


def schemas(entries: Iterable[Mapping[str, Any]]) -> dict[str, Schema]:
    """The answer of ``GET /field`` by id. Entries without a schema (``issuekey``, ``thumbnail``) cannot be read."""
    return {entry["id"]: schema(entry) for entry in entries if entry.get("schema")}


def schema(entry: Mapping[str, Any]) -> Schema:
    kind = entry["schema"]
    clauses = entry.get("clauseNames") or ()
    clause = f"cf[{kind['customId']}]" if "customId" in kind else clauses[0] if clauses else ""
    return Schema(entry["id"], entry["name"], kind["type"], kind.get("items", ""), kind.get("custom", ""), clause)


# -- reading


def native(schema: Schema | None, value: Any) -> Native:
    """A field's JSON as a native value: names of things, texts, tuples of them; ``None`` where it is empty."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, list):
        return tuple(text for text in (single(schema, one) for one in value) if text)
    return single(schema, value)


def single(schema: Schema | None, value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, dict):
        return named(schema, value)
    text = str(value)
    return (from_wiki(text) if schema and schema.wiki else clean(text)[0]) or None


def number(value: int | float) -> str:
    """Canonical: ``3``, ``2.5``."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def named(schema: Schema | None, value: Mapping[str, Any]) -> str | None:
    """What people call it: a user's display name, an option's value (a cascading one as ``A > B``), a name, a key."""
    if schema and schema.type == "project":
        return str(value["key"])
    for key in ("displayName", "value", "name", "key"):
        if value.get(key):
            child = value.get("child")
            return f"{value[key]} > {child['value']}" if isinstance(child, dict) else str(value[key])
    return None


# -- writing


def written(schema: Schema, value: Native) -> Any:
    """A native value as JSON. Raises ``Refused`` for what the field's type cannot hold. Users are the caller's: they
    are written by account id."""
    if schema.type == "array":
        return [item(schema, clean(one)[0]) for one in many(value)]
    if value is None or value == "" or value == ():
        return None
    if isinstance(value, tuple):
        if len(value) > 1:
            raise Refused(f"{schema.name} takes one value, not {len(value)}", (schema.id,))
        value = value[0]
    return scalar(schema, clean(value)[0])


def many(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()


def item(schema: Schema, text: str) -> Any:
    if schema.items == "option":
        return {"value": text}
    return {"name": text} if schema.items in _BY_NAME else text


def scalar(schema: Schema, text: str) -> Any:
    if schema.type == "number":
        return numeric(schema, text)
    if schema.type in ("option", "option-with-child"):
        return option(schema, text)
    if schema.type in _BY_NAME:
        return {"name": text}
    if schema.id == "summary":
        return cut(" ".join(text.split("\n")), SUMMARY_LIMIT)
    if schema.line:
        return " ".join(text.split("\n"))
    return to_wiki(text) if schema.wiki else text


def numeric(schema: Schema, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refused(f"{schema.name} takes a number", (schema.id,)) from None


def option(schema: Schema, text: str) -> dict[str, Any]:
    parent, separator, child = text.partition(" > ")
    if schema.type == "option-with-child" and separator:
        return {"value": parent, "child": {"value": child}}
    return {"value": text}


def cut(text: str, limit: int) -> str:
    """At most ``limit`` UTF-16 units, an ellipsis for what went."""
    if units(text) <= limit:
        return text
    raw = text.encode("utf-16-le")[: 2 * (limit - 1)]
    return raw.decode("utf-16-le", "ignore") + "…"


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
