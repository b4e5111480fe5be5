"""JQL for what the connector asks. Values are quoted, names come from Jira's own field list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.jira.fields import Schema
from mappings.model import Scope

#: types whose values JQL compares by name; others (users by account id, texts by words) are checked on our side only
_COMPARED = frozenset({"option", "priority", "resolution", "version", "component", "status", "issuetype", "project"})


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def among(clause: str, values: tuple[str, ...]) -> str:
    """``clause in (...)``; an empty value stands for EMPTY."""
    named = [quoted(value) for value in values if value]
    parts = [f"{clause} in ({', '.join(named)})"] if named else []
    if len(named) < len(values):
        parts.append(f"{clause} is EMPTY")
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"


def in_scope(scope: Scope, known: Mapping[str, Schema]) -> str:
    """The scope as far as JQL can tell it; never narrower than the scope."""
    parts = [f"project = {quoted(scope.project)}"]
    if scope.types:
        parts.append(among("issuetype", scope.types))
    for field, values in scope.where:
        schema = known.get(field)
        if schema and schema.clause and comparable(schema):
            parts.append(among(schema.clause, values))
    return " AND ".join(parts)


def comparable(schema: Schema) -> bool:
    return schema.type in _COMPARED or schema.items in _COMPARED or schema.id == "labels"


def changed(scope: Scope, known: Mapping[str, Schema], since: datetime | None) -> str:
    """In scope or marked, and updated since (``None``: ever), oldest first.

    The bound is in epoch milliseconds, which no profile's time zone can shift (Atlassian Support, "JQL fields")."""
    where = f"(({in_scope(scope, known)}) OR labels = {quoted(scope.mark)})"
    bound = f" AND updated >= {epoch(to_the_minute(since))}" if since else ""
    return f"{where}{bound} ORDER BY updated ASC, key ASC"


def made(mark: str, since: datetime) -> str:
    """Marked and created since, oldest first."""
    return f"labels = {quoted(mark)} AND created >= {epoch(to_the_minute(since))} ORDER BY created ASC, key ASC"


def to_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def epoch(moment: datetime) -> int:
    """Epoch milliseconds, in whole numbers."""
    return (moment - datetime.fromtimestamp(0, moment.tzinfo)) // timedelta(milliseconds=1)
