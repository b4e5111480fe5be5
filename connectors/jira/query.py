"""JQL for what the connector asks. Values are quoted, names come from Jira's own field list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.jira.fields import Schema
from mappings.model import Scope

_EPOCH = datetime.fromtimestamp(0, UTC)
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be found: ``where``, and ``field`` (``updated`` or ``created``) not before ``since`` (``None``: ever),
    in its order. ``where`` holds no order and may hold an OR only inside brackets."""

    where: str
    field: str
    since: datetime | None

    def jql(self) -> str:
        """The bound is in epoch milliseconds, which no profile's time zone can shift (Atlassian Support, "JQL fields";
        Server and Data Center read it alike)."""
        bound = f" AND {self.field} >= {epoch(self.since)}" if self.since else ""
        return f"{self.where}{bound} ORDER BY {self.field} ASC, key ASC"


def changed(scope: Scope, known: Mapping[str, Schema], since: datetime | None) -> Question:
    """In scope or marked, and updated since, oldest first."""
    where = f"(({in_scope(scope, known)}) OR labels = {quoted(scope.mark)})"
    return Question(where, "updated", to_the_minute(since) if since else None)


def made(mark: str, since: datetime) -> Question:
    """Marked and created since, oldest first."""
    return Question(f"labels = {quoted(mark)}", "created", to_the_minute(since))


def to_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def epoch(moment: datetime) -> int:
    """Epoch milliseconds, in whole numbers."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
