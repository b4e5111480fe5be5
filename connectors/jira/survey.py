"""What the site says of itself, and of the issues of each side: for ``doctor`` and ``init``. Only reads.

The steps of a workflow are read where everyone may read them: off an issue that stands in the status (Jira REST API,
"Get transitions"). The workflow itself is shown to administrators only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Gone, Refused
from connectors.description import Description, Items, NativeField, Place, State, Step, Unknown, ahead
from connectors.jira import rights
from connectors.jira.client import Client
from connectors.jira.deployment import creation_screen
from connectors.jira.fields import Schema
from connectors.jira.query import among, quoted
from mappings.model import Scope

CATEGORIES = {"new": "new", "indeterminate": "active", "done": "done"}
MEANINGS = {
    "summary": "summary",
    "description": "description",
    "priority": "priority",
    "labels": "labels",
    "duedate": "due",
}
#: what a creation sends in any case
SUPPLIED = frozenset({"project", "issuetype", "labels", "reporter"})
#: names that people commonly give such issues
SIDES = {"bug": "defect", "defect": "defect", "story": "story", "task": "task", "epic": "epic"}
_TYPES = {"number": "number", "array": "list", "date": "date", "datetime": "date"}

Json = Mapping[str, Any]


class Survey:
    """One look at the site. ``known`` are its fields by id."""

    def __init__(self, client: Client, known: Mapping[str, Schema]) -> None:
        self.client, self.known = client, known
        self.unknown: list[Unknown] = []
        info = client.get("serverInfo")
        last = client.transport.last
        self.ahead = ahead(last.headers, client.transport.clock.now()) if last is not None else None
        self.cloud, self.version = info.get("deploymentType") == "Cloud", str(info.get("version") or "")

    def describe(self, scopes: Sequence[Scope]) -> Description:
        """Two calls; for each side seven and two for each status, or three where issues stand in it."""
        me = self.client.get("myself")
        items = {scope.side: one for scope in scopes if (one := self.items(scope)) is not None}
        seen = [scope for scope in scopes if scope.side in items]
        found = [right for scope in seen for right in rights.project_rights(self.client, scope)]
        return Description(
            "Jira Cloud" if self.cloud else "Jira Data Center",
            self.version,
            str(me.get("displayName") or ""),
            zone=str(me.get("timeZone") or ""),
            zone_matters="Jira reads dates in a query in its zone; Lockstep asks in epoch milliseconds, people do not",
            ahead=self.ahead,
            rights=tuple(dict.fromkeys(found)),
            items=items,
            unknown=tuple(self.unknown),
        )

    # -- issues

    def items(self, scope: Scope) -> Items | None:
        """``None`` where the project is missing or hidden, or has none of the types: ``open`` has said so."""
        try:
            rows = self.client.get(f"project/{scope.project}/statuses", take=list)
        except (Refused, Gone):
            return None
        types = [row for row in rows if not scope.types or row["name"] in scope.types]
        types.sort(key=lambda row: scope.types.index(row["name"]) if scope.types else 0)
        if not types:
            return None
        states = {status["name"]: status for row in types for status in row["statuses"]}
        samples = {name: self.sample(scope, [row["name"] for row in types], name) for name in states}
        if empty := ", ".join(name for name, key in samples.items() if not key):
            what = f"the steps that lead out of {empty}"
            self.unknown.append(Unknown(what, "no issue that we may see stands there to read them off", scope.side))
        return Items(
            states=tuple(State(name, category(status)) for name, status in states.items()),
            fields=self.fields(scope, types[0], next(filter(None, samples.values()), "")),
            steps={name: self.steps(key) for name, key in samples.items() if key},
            supplied=SUPPLIED | {scope.keys_field or "description"},
            channels=rights.channels(self.client, scope.project),
            marks=(scope.mark_field, *([scope.keys_field] if scope.keys_field else [])),
            private=("internal", "role:", "group:"),
        )

    def sample(self, scope: Scope, types: Sequence[str], status: str) -> str:
        """The id of the newest issue in a status, of the first type that has one; empty where there is none."""
        for kind in types:
            where = f"project = {quoted(scope.project)} AND {among('issuetype', (kind,))} AND status = {quoted(status)}"
            body = {"jql": f"{where} ORDER BY updated DESC", "fields": ["status"], "maxResults": 1}
            for issue in self.client.ask("search/jql" if self.cloud else "search", body, lambda a: list(a["issues"])):
                return str(issue["id"])
        return ""

    def steps(self, id: str) -> tuple[Step, ...]:
        """What Jira offers on an issue. A field that its screen asks for is no need where the issue has it already."""
        asked = {"expand": "transitions.fields"}
        offered = self.client.get(f"issue/{id}/transitions", asked, id, take=lambda answer: list(answer["transitions"]))
        required = {name for one in offered for name, meta in demands(one)}
        filled = self.filled(id, required) if required else set()
        return tuple(
            Step(
                one["to"]["name"],
                one["name"],
                {name: tuple(allowed(meta)) for name, meta in demands(one) if name not in filled},
            )
            for one in offered
            if one.get("isAvailable", True)
        )

    def filled(self, id: str, names: set[str]) -> set[str]:
        params = {"fields": ",".join(sorted(names))}
        return {name for name, value in self.client.get(f"issue/{id}", params, id)["fields"].items() if value}

    # -- fields

    def fields(self, scope: Scope, kind: Json, sample: str) -> dict[str, NativeField]:
        """Every field of the site, with what the screens of the first type say of it."""
        created = self.created(scope.project, str(kind["id"]))
        edited = self.edited(sample) if sample else created
        lists = {name: self.named(name) for name in ("priority", "resolution")}
        found = {}
        for name, schema in self.known.items():
            meta = created.get(name) or edited.get(name) or {}
            values = allowed(meta) or lists.get(name, [])
            required = name in created and bool(meta.get("required")) and not meta.get("hasDefaultValue")
            found[name] = NativeField(
                name,
                schema.name,
                _TYPES.get(schema.type, "text"),
                {value: value for value in values},
                required,
                name in edited,
                schema.type == "user",
                MEANINGS.get(name, ""),
            )
        return found

    def created(self, project: str, type_id: str) -> Mapping[str, Json]:
        """The creation screen; empty where we may not create."""
        try:
            return creation_screen(self.client, project, type_id)
        except (Refused, Gone):
            return {}

    def edited(self, sample: str) -> dict[str, Json]:
        found: dict[str, Json] = self.client.get(f"issue/{sample}/editmeta", item=sample, take=lambda a: a["fields"])
        return found

    def named(self, path: str) -> list[str]:
        return list(self.client.get(path, take=lambda rows: [one["name"] for one in rows]))

    # -- places

    def places(self, project: str) -> tuple[Place, ...]:
        """One call: the projects, or the types of one."""
        if not project:
            rows = self.client.get("project", take=list)
            return tuple(Place(project=row["key"], label=row.get("name") or "") for row in rows)
        rows = self.client.get(f"project/{project}/statuses", take=list)
        return tuple(
            Place(project=project, type=row["name"], label=row["name"], side=SIDES.get(row["name"].lower(), "issue"))
            for row in rows
            if not row.get("subtask")
        )


def category(status: Json) -> str:
    return CATEGORIES.get((status.get("statusCategory") or {}).get("key", ""), "")


def demands(transition: Json) -> list[tuple[str, Json]]:
    """The fields that a transition's screen asks for and that have no default."""
    fields = transition.get("fields") or {}
    return [(n, meta) for n, meta in fields.items() if meta.get("required") and not meta.get("hasDefaultValue")]


def allowed(meta: Json) -> list[str]:
    """The values that a field's metadata lists, as the file spells them."""
    values = [one.get("value") or one.get("name") for one in meta.get("allowedValues") or () if isinstance(one, dict)]
    return [str(value) for value in values if value]
