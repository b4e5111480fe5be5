"""What the instance says of itself, and of the items of each table: for ``doctor`` and ``init``. Only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from connectors.description import Description, Items, NativeField, Place, Remark, State, Step, Unknown, ahead
from connectors.servicenow import rights
from connectors.servicenow.journal import Journal
from connectors.servicenow.schema import Schema, choices_of, own_last
from connectors.servicenow.table import PAGE, Listing, Row, TableClient, display, plain
from mappings.fields import Spelling
from mappings.model import Scope

#: task tables that a side is commonly made of, with what people call their items
TABLES = {
    "incident": "incident",
    "problem": "problem",
    "change_request": "change",
    "sc_req_item": "request_item",
    "sc_task": "catalog_task",
    "sc_request": "request",
    "sn_customerservice_case": "case",
    "incident_task": "incident_task",
    "problem_task": "problem_task",
}
#: categories of the states as shipped (apis.md 1.5)
CATEGORIES = {
    "incident": {"1": "new", "2": "active", "3": "paused", "6": "done", "7": "done", "8": "removed"},
    "problem": {"101": "new", "102": "active", "103": "active", "104": "active", "106": "done", "107": "done"},
}
#: what a state asks for as shipped: a data policy (apis.md 1.5), and a reason for waiting that wants a word to the
#: caller
NEEDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "incident": {"6": ("close_code", "close_notes"), "7": ("close_code", "close_notes"), "3:1": ("comments",)},
    "problem": {"106": ("resolution_code",)},
}
MEANINGS = {
    "short_description": "summary",
    "description": "description",
    "category": "category",
    "due_date": "due",
    "close_notes": "resolution",
}
_TYPES = {"integer": "integer", "boolean": "boolean", "decimal": "number", "float": "number", "glide_list": "list"}
_TYPES |= dict.fromkeys(("glide_date", "glide_date_time", "due_date"), "date")
#: columns that are written by other means, or by the instance alone
_NOT_OURS = frozenset({"priority", "number", "state", "hold_reason", "active", "sys_tags"})
#: priority by impact and urgency as shipped, the likeliest spelling of each first (ServiceNow docs, Incident
#: Management, "Priority lookup rules")
SCALE = ("11", "12 21", "22 13 31", "23 32", "33")


def describe(
    client: TableClient, journal: Journal, schema_of: Callable[[str], Schema], scopes: Sequence[Scope]
) -> Description:
    """Four calls, and seven for each side at most."""
    who = rights.account(client)
    last = client.transport.last
    told = ahead(last.headers, client.transport.clock.now()) if last is not None else None
    items = {scope.side: items_of(client, schema_of(scope.table)) for scope in scopes if schema_of(scope.table).known}
    found = [*rights.account_rights(who), rights.journal_right(journal.seen)]
    for scope in scopes:
        if scope.side in items:
            found += rights.table_rights(client, who, schema_of(scope.table), scope)
    notes = list(rights.strictness(client, [scope.table for scope in scopes if scope.side in items]))
    return Description(
        "ServiceNow",
        account=who.name,
        zone=rights.zone(who.row),
        zone_matters="what the instance shows, and dates in conditions that people write, are in our user's zone",
        ahead=told,
        rights=tuple(dict.fromkeys(found)),
        items=items,
        remarks=tuple(note for note in notes if isinstance(note, Remark)),
        unknown=(*(note for note in notes if isinstance(note, Unknown)), *policies(items)),
    )


def policies(sides: Mapping[str, Items]) -> Iterator[Unknown]:
    for side in sides:
        because = "the instance tells of its data policies only when one is broken; those it ships with were looked at"
        yield Unknown("what each state asks for", because, side)


def places(client: TableClient) -> tuple[Place, ...]:
    """The task tables that people commonly work in, of those the dictionary knows. One call."""
    group = f"internal_type=collection^nameIN{','.join(TABLES)}"
    listing = Listing("sys_dictionary", (group,), ("name", "column_label", "internal_type"))
    rows = {plain(row.get("name")): row for row in client.list(listing, f"{group}^ORDERBYname", PAGE).rows}
    return tuple(
        Place(table=name, label=plain(rows[name].get("column_label")), side=side)
        for name, side in TABLES.items()
        if name in rows
    )


# -- the items of a table


def items_of(client: TableClient, schema: Schema) -> Items:
    """Two calls: the dictionary with what ``open`` left out, and every choice of the table."""
    table = schema.table
    choices = all_choices(client, table)
    columns = dictionary(client, table)
    fields = {name: field_of(schema, name, columns.get(name, {}), choices.get(name, {})) for name in schema.columns}
    shared = {"impact", "urgency"} <= set(fields) and table in CATEGORIES
    return Items(
        states=tuple(State(name, category(schema, name)) for name in schema.every_state()),
        fields=fields,
        steps=steps(schema, choices),
        private=("work_notes",),
        scales={"priority": scale()} if shared else {},
    )


def dictionary(client: TableClient, table: str) -> dict[str, Row]:
    """Entries by column; the table's own replace those of task."""
    group = f"nameIN{table},task"
    listing = Listing("sys_dictionary", (group,), ("name", "element", "mandatory", "read_only", "default_value"))
    rows = client.list(listing, f"{group}^ORDERBYelement^ORDERBYsys_id", PAGE).rows
    return {plain(row.get("element")): row for row in own_last(rows, table) if plain(row.get("element"))}


def all_choices(client: TableClient, table: str) -> dict[str, dict[str, str]]:
    """Choices by column, value and label."""
    group = f"nameIN{table},task^inactive=false"
    listing = Listing("sys_choice", (group,), ("name", "element", "value", "label", "sequence"))
    rows = client.list(listing, f"{group}^language=en^ORDERBYsequence^ORDERBYsys_id", PAGE).rows
    return choices_of(own_last(rows, table), table)


def field_of(schema: Schema, name: str, entry: Row, choices: Mapping[str, str]) -> NativeField:
    column = schema.columns[name]
    # what is written to a journal is a comment, not a value
    kept = plain(entry.get("read_only")) == "true" or column.kind.startswith("journal")
    mandatory = plain(entry.get("mandatory")) == "true" and not display(entry.get("default_value"))
    return NativeField(
        name,
        column.label,
        _TYPES.get(column.kind, "text"),
        dict(choices),
        mandatory and not kept,
        not kept and name not in _NOT_OURS and not name.startswith("sys_"),
        bool(schema.reference(name)),
        MEANINGS.get(name, ""),
    )


def scale() -> tuple[tuple[Spelling, ...], ...]:
    return tuple(tuple((("impact", pair[0]), ("urgency", pair[1])) for pair in level.split()) for level in SCALE)


# -- states


def category(schema: Schema, name: str) -> str:
    label, _, reason = name.partition(":")
    value = next((value for value, shown in schema.states.items() if shown == label), "")
    return "paused" if reason else CATEGORIES.get(schema.table, {}).get(value, "")


def steps(schema: Schema, choices: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[Step, ...]]:
    """Any state follows any other over the Table API, but for the final ones, which are left to none."""
    final = schema.final_states()
    ways = [Step(name, needs=needs(schema, name, choices)) for name in schema.every_state()]
    return {
        name: () if name in final else tuple(step for step in ways if step.to != name) for name in schema.every_state()
    }


def needs(schema: Schema, name: str, choices: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    label, _, reason = name.partition(":")
    state = next((value for value, shown in schema.states.items() if shown == label), "")
    why = next((value for value, shown in schema.choices.get("hold_reason", {}).items() if shown == reason), "")
    asked = NEEDS.get(schema.table, {}).get(f"{state}:{why}" if why else state, ())
    return {field: tuple(choices.get(field, ())) for field in asked}
