"""What a table is made of: its columns and choices, and how values and natives turn into each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import Refused
from connectors.servicenow.table import PAGE, Listing, Row, TableClient, display, plain
from mappings.days import is_day, midnight
from mappings.model import Native
from mappings.text import clean

#: references that every task has, for instances that hide sys_dictionary from us
WELL_KNOWN = {
    "assigned_to": "sys_user",
    "assignment_group": "sys_user_group",
    "caller_id": "sys_user",
    "closed_by": "sys_user",
    "cmdb_ci": "cmdb_ci",
    "company": "core_company",
    "opened_by": "sys_user",
    "parent": "task",
    "parent_incident": "incident",
    "problem_id": "problem",
    "resolved_by": "sys_user",
}
#: kinds of column that hold a date and a time
MOMENTS = frozenset({"glide_date_time", "due_date"})
#: states that are never left, by table (apis.md 1.5)
FINAL = {"incident": ("7",), "problem": ("107",)}
#: tables whose records are called by their number
NUMBERED = frozenset({"task", "incident", "problem", "change_request", "sc_request", "sc_req_item", "sc_task"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column as sys_dictionary has it. ``reference`` is the table it points to, or empty."""

    label: str
    kind: str = "string"
    reference: str = ""
    max_length: int = 0


@dataclass
class Schema:
    """One table. ``choices`` are column -> value -> label, in the order of the list."""

    table: str
    columns: dict[str, Column] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        return bool(self.columns)

    def reference(self, name: str) -> str:
        """The table that a column refers to; empty for any other column."""
        column = self.columns.get(name)
        if column is None:
            return "" if self.known else WELL_KNOWN.get(name, "")
        return column.reference if column.kind in ("reference", "glide_list") else ""

    def listed(self, name: str) -> bool:
        return name in self.columns and self.columns[name].kind == "glide_list"

    # -- states

    @property
    def hold(self) -> str:
        """The value of the state that has hold reasons; empty where the table has none."""
        if not self.choices.get("hold_reason"):
            return ""
        held = [value for value, label in self.states.items() if label.lower() == "on hold"]
        return held[0] if held else "3"

    @property
    def states(self) -> dict[str, str]:
        return self.choices.get("state", {})

    def state(self, row: Row) -> str:
        """How admins spell a record's state: ``Label`` or ``Label:Hold reason``. A value without a choice is the
        raw value itself; a hold reason left over in another state says nothing."""
        value, reason = plain(row.get("state")), plain(row.get("hold_reason"))
        label = self.states.get(value, value)
        if not reason or value != self.hold:
            return label
        return f"{label}:{self.choices['hold_reason'].get(reason, reason)}"

    def every_state(self) -> tuple[str, ...]:
        held = self.states.get(self.hold, "")
        reasons = self.choices.get("hold_reason", {}).values() if held else ()
        return (*self.states.values(), *(f"{held}:{reason}" for reason in reasons))

    def final_states(self) -> frozenset[str]:
        """The states that are never left, as admins spell them."""
        return frozenset(self.states.get(value, value) for value in FINAL.get(self.table, ()))

    def state_values(self, spelled: str, before: str) -> dict[str, str]:
        """The values that put an item into the state; ``before`` is its state now. A hold reason goes when the item
        is no longer on hold. Raises ``Refused`` for an unknown name."""
        label, _, reason = spelled.partition(":")
        found = {"state": self.value("state", label)}
        if reason:
            return {**found, "hold_reason": self.value("hold_reason", reason)}
        left = self.hold and before.partition(":")[2]
        return {**found, "hold_reason": ""} if left else found

    def value(self, name: str, label: str) -> str:
        """The stored value of a choice by its label, or by itself."""
        choices = self.choices.get(name, {})
        found = next((value for value, shown in choices.items() if shown == label), label)
        if found not in choices and not found.lstrip("-").isdigit():
            offered = ", ".join(choices.values()) or "nothing that we may read"
            raise Refused(f"ServiceNow has no {name} {label!r}; it offers {offered}", (name,))
        return found

    # -- natives

    def native(self, name: str, cell: object) -> Native:
        """A cell as a native value: the display value of a reference, a list as a tuple, anything else raw."""
        if self.listed(name):
            ids, names = plain(cell).split(","), display(cell).split(", ")
            return tuple(names if len(names) == len(ids) else ids) if plain(cell) else None
        if self.reference(name.rpartition(".")[2] if "." in name else name):
            return display(cell) or None
        return clean(plain(cell))[0] or None

    def fitted(self, name: str, text: str) -> str:
        """Text cut to the column with an ellipsis: the tracker would cut it without a word."""
        column = self.columns.get(name)
        limit = column.max_length if column and column.kind == "string" else 0
        return text[: limit - 1] + "…" if 0 < limit < len(text) else text

    def called(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The columns of those labels; a label that no column has stands for itself."""
        names = {column.label.lower(): name for name, column in reversed(self.columns.items())}
        return tuple(names.get(label.lower(), label) for label in labels)


def read_schema(client: TableClient, table: str, choice_columns: Sequence[str]) -> Schema:
    """Reads the columns and choices of a table. Those of task are inherited: its own entry wins."""
    names = f"nameIN{table},task"
    entries = ("name", "element", "column_label", "internal_type", "reference", "max_length")
    dictionary = Listing("sys_dictionary", (names,), entries)
    found = client.list(dictionary, f"{dictionary.groups[0]}^ORDERBYelement^ORDERBYsys_id", PAGE)
    wanted = ("name", "element", "value", "label", "sequence")
    choices = Listing("sys_choice", (f"{names}^elementIN{','.join(choice_columns)}^inactive=false",), wanted)
    listed = client.list(choices, f"{choices.groups[0]}^language=en^ORDERBYsequence^ORDERBYsys_id", PAGE)
    exists = any(plain(row.get("name")) == table for row in found.rows)
    columns = columns_of(own_last(found.rows, table)) if exists else {}
    return Schema(table, columns, choices_of(own_last(listed.rows, table), table))


def own_last(rows: Sequence[Row], table: str) -> list[Row]:
    """The rows of the table and of task, the table's own behind those that they replace."""
    kept = [row for row in rows if plain(row.get("name")) in (table, "task")]
    return sorted(kept, key=lambda row: plain(row.get("name")) == table)


def columns_of(rows: Sequence[Row]) -> dict[str, Column]:
    return {plain(row.get("element")): column_of(row) for row in rows if row.get("element")}


def column_of(row: Row) -> Column:
    length = plain(row.get("max_length"))
    label, kind = plain(row.get("column_label")), plain(row.get("internal_type"))
    return Column(label, kind, plain(row.get("reference")), int(length) if length.isdigit() else 0)


def choices_of(rows: Sequence[Row], table: str) -> dict[str, dict[str, str]]:
    """Choices by column; a table that lists its own for a column inherits none for it."""
    own = {plain(row.get("element")) for row in rows if plain(row.get("name")) == table}
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        element = plain(row.get("element"))
        if element not in own or plain(row.get("name")) == table:
            found.setdefault(element, {})[plain(row.get("value"))] = plain(row.get("label"))
    return found


def written(schema: Schema, natives: Mapping[str, Native], zone: str) -> dict[str, str]:
    """Natives as the values to send, references not yet looked up. A day in a column of date and time is its midnight
    in ``zone``."""
    return {name: timed(schema, name, joined(schema, name, native), zone) for name, native in natives.items()}


def timed(schema: Schema, name: str, text: str, zone: str) -> str:
    """Instants are sent in UTC (apis.md 1.2)."""
    column = schema.columns.get(name)
    if column is None or column.kind not in MOMENTS or not is_day(text):
        return text
    return f"{midnight(text, zone):%Y-%m-%d %H:%M:%S}"


def joined(schema: Schema, name: str, native: Native) -> str:
    if native is None:
        return ""
    if isinstance(native, tuple):
        return (",".join if schema.listed(name) else ", ".join)(native)
    return schema.fitted(name, clean(native)[0])
