"""JQL for what the connector asks. Values are quoted, names come from Jira's own field list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    parts += [f"({scope.query})"] if scope.query else []
    return " AND ".join(parts)


def confirming(scope: Scope, ids: Sequence[str]) -> Question:
    """Those of the ids of which the scope's raw query holds."""
    return Question(f"id in ({', '.join(ids)}) AND ({scope.query})", "updated", None)


def comparable(schema: Schema) -> bool:
    return schema.type in _COMPARED or schema.items in _COMPARED or schema.id == "labels"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be found: ``where``, and ``field`` (``updated`` or ``created``) not before ``since`` (``None``: ever),
    in its order, ``newest`` the other way round, and before ``until`` where that is named. ``where`` holds no order and
    may hold an OR only inside brackets."""

    where: str
    field: str
    since: datetime | None
    newest: bool = False
    until: datetime | None = None

    def jql(self) -> str:
        """The bound is in epoch milliseconds, which no profile's time zone can shift (Atlassian Support, "JQL fields";
        Server and Data Center read it alike)."""
        bound = f" AND {self.field} >= {epoch(self.since)}" if self.since else ""
        bound += f" AND {self.field} < {epoch(self.until)}" if self.until else ""
        return f"{self.where}{bound} ORDER BY {self.field} {'DESC' if self.newest else 'ASC'}, key ASC"


def changed(scope: Scope, known: Mapping[str, Schema], since: datetime | None) -> Question:
    """In scope or marked, and updated since, oldest first."""
    return Question(within(scope, known), "updated", to_the_minute(since) if since else None)


def within(scope: Scope, known: Mapping[str, Schema]) -> str:
    """JQL for what is in scope or marked."""
    return f"(({in_scope(scope, known)}) OR {marked(scope, known)})"


def marked(scope: Scope, known: Mapping[str, Schema]) -> str:
    field = known.get(scope.mark_field)
    return f"{field.clause if field and field.clause else scope.mark_field} = {quoted(scope.mark)}"


def made(scope: Scope, known: Mapping[str, Schema], since: datetime) -> Question:
    """Marked and created since, oldest first."""
    return Question(marked(scope, known), "created", to_the_minute(since))


def created(scope: Scope, known: Mapping[str, Schema], since: datetime, until: datetime) -> Question:
    """In scope, and created in a span of time, oldest first."""
    return Question(in_scope(scope, known), "created", since, until=until)


def speaking(scope: Scope, known: Mapping[str, Schema], words: Sequence[str]) -> Question:
    """In scope or marked, and every word in the summary or the description, which Jira looks for by its stem; the last
    updated first. Not ``text``, which takes in comments. In lower case, or AND, OR and NOT would join the words
    (Atlassian Support, "Search syntax for text fields")."""
    spoken = " AND ".join(
        f"(summary ~ {quoted(word)} OR description ~ {quoted(word)})" for word in map(str.lower, words)
    )
    return Question(f"{within(scope, known)} AND {spoken}", "updated", None, newest=True)


def is_key(text: str) -> bool:
    """Whether a text has the form of an issue's key."""
    return bool(re.fullmatch(r"\s*[A-Za-z][A-Za-z0-9_]*-[0-9]+\s*", text, re.ASCII))


def to_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def epoch(moment: datetime) -> int:
    """Epoch milliseconds, in whole numbers."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
