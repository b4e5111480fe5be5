"""The tables of an instance, what is shipped in them, and how a reference is followed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sandbox.clock import SandboxClock
from sandbox.servicenow.columns import OTHERS, Column, table_columns, task_columns
from sandbox.servicenow.model import Model
from sandbox.servicenow.table import Row, Table

TASK_INDEXES = ("number", "correlation_display", "correlation_id", "assignment_group", "caller_id", "company")
TASK_LINKS = ("problem_id", "parent", "parent_incident")
OTHER_INDEXES = {
    "sys_user": ("user_name", "name"),
    "sys_user_group": ("name",),
    "core_company": ("name",),
    "cmdb_ci": ("name",),
    "sys_choice": ("element",),
    "sys_dictionary": ("name", "element"),
    "sys_journal_field": ("element_id",),
    "sys_audit": ("documentkey",),
    "sys_audit_delete": ("documentkey",),
    "sys_user_role": ("name",),
    "sys_user_has_role": ("user", "role"),
    "sys_user_grmember": ("user", "group"),
    "sys_properties": ("name",),
    "sys_attachment": ("table_sys_id",),
    "sys_import_set": ("number",),
}
#: tables whose rows appear by being named, so that a story needs no seeding
BY_NAME = ("sys_user", "sys_user_group", "core_company", "cmdb_ci", "sys_user_role")


@dataclass(frozen=True, slots=True)
class Session:
    """Who a request runs as: the user's name, the sys_id of the sys_user row, and the time zone of the user."""

    user: str
    id: str
    zone: ZoneInfo


class Database:
    """Rows, ids and stamps. ``models`` are the task tables by name; ``time_zone`` is the instance's own
    (glide.sys.default.tz), which users have who name none. ``contents`` are the files of attachments by sys_id."""

    def __init__(self, clock: SandboxClock, models: Iterable[Model], time_zone: str, seed: int = 0) -> None:
        self.clock, self.zone = clock, ZoneInfo(time_zone)
        self.chance = random.Random(seed)
        self.models = {model.table: model for model in models}
        self.numbers = dict.fromkeys(self.models, 10000)
        self.tables: dict[str, Table] = {}
        self.contents: dict[str, bytes] = {}
        #: whom a journal entry notified by calling them by name: sys_ids of the task, the entry and the user, in order
        self.mentioned: list[tuple[str, str, str]] = []
        for name, (label, display, own) in OTHERS.items():
            self.tables[name] = Table(name, label, display, table_columns(name, own), OTHER_INDEXES[name])
        for model in self.models.values():
            columns = task_columns(model.table, model.extra)
            indexes = [c for c in (*TASK_INDEXES, *TASK_LINKS) if c in columns]
            self.tables[model.table] = Table(model.table, model.label, "number", columns, indexes)
        for model in self.models.values():
            self.ship(model)

    # -- ids and stamps

    def new_id(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"

    def next_number(self, table: str) -> str:
        self.numbers[table] += 1
        return f"{self.models[table].prefix}{self.numbers[table]:07}"

    def stamp(self, table: str, at: datetime) -> str:
        """The instant as stored: UTC, to the second, never before the table's last one."""
        return max(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", self.tables[table].updated.last())

    def session(self, user: str) -> Session:
        """The session of a user; the zone is the user's, else the instance's."""
        row = self.tables["sys_user"].find("user_name", user) or {"sys_id": ""}
        return Session(user, row["sys_id"], ZoneInfo(row["time_zone"]) if row.get("time_zone") else self.zone)

    # -- rows

    def insert(self, table: str, values: Row, by: str, at: datetime) -> Row:
        """Stores a new row with its system fields; the given values are raw and complete."""
        stamp = self.stamp(table, at)
        system = {"sys_id": self.new_id(), "sys_created_on": stamp, "sys_created_by": by}
        moved = {"sys_updated_on": stamp, "sys_updated_by": by, "sys_mod_count": "0"}
        if table in ("sys_journal_field", "sys_audit", "sys_audit_delete"):
            moved = {}
        row = {name: value for name, value in {**values, **system, **moved}.items() if value}
        self.tables[table].put(row)
        return row

    def named(self, table: str, name: str) -> str:
        """The sys_id of the row called ``name`` in a table of people or things; made where there is none."""
        found = self.tables[table]
        row = found.find("user_name", name) if table == "sys_user" else None
        row = row or found.find("name", name)
        return (row or self.insert(table, self.thing(table, name), "system", self.clock.now()))["sys_id"]

    def thing(self, table: str, name: str) -> Row:
        if table != "sys_user":
            return {"name": name}
        user_name = name if name == name.lower() else name.lower().replace(" ", ".")
        shown = name if name != user_name else name.replace(".", " ").title()
        return {"user_name": user_name, "name": shown, "email": f"{user_name}@example.com", "active": "true"}

    def task(self, id: str) -> Table:
        """The task table that holds an item; ``KeyError`` where none does."""
        for name in self.models:
            if id in self.tables[name].rows:
                return self.tables[name]
        raise KeyError(id)

    def target(self, column: Column, id: str) -> tuple[Table, Row] | None:
        """The row that a reference points to. A reference to task is looked for in its extensions."""
        names = list(self.models) if column.reference == "task" else [column.reference]
        for name in names:
            table = self.tables.get(name)
            if table and id in table.rows:
                return table, table.rows[id]
        return None

    def getter(self, table: Table, path: str) -> tuple[Column, Callable[[Row], str]] | None:
        """The column at the end of a dot-walked path and a reader of its raw value; ``None`` for an unknown name."""
        first, _, rest = path.partition(".")
        column = table.columns.get(first)
        if column is None:
            return None
        if not rest:
            return column, lambda row: row.get(first, "")
        further = self.tables.get("incident" if column.reference == "task" else column.reference)
        found = self.getter(further, rest) if further else None
        if found is None:
            return None
        end, read = found

        def walk(row: Row) -> str:
            target = self.target(column, row.get(first, ""))
            return read(target[1]) if target else ""

        return end, walk

    # -- what is shipped

    def ship(self, model: Model) -> None:
        """Choices and dictionary entries of a task table."""
        at = self.clock.now()
        for element, values in model.all_choices().items():
            for place, (value, label) in enumerate(values.items()):
                choice = {"name": model.table, "element": element, "value": value, "label": label, "language": "en"}
                self.insert("sys_choice", {**choice, "inactive": "false", "sequence": str(place)}, "system", at)
        for column in self.tables[model.table].columns.values():
            if not self.in_dictionary(column):
                self.insert("sys_dictionary", dictionary_entry(column), "system", at)
        entry = {"name": model.table, "column_label": model.label, "internal_type": "collection"}
        self.insert("sys_dictionary", entry, "system", at)

    def in_dictionary(self, column: Column) -> bool:
        entries = self.tables["sys_dictionary"]
        return any(entries.rows[id].get("element") == column.element for id in entries.with_value("name", column.table))

    def choice_label(self, table: str, column: Column, value: str) -> str:
        model = self.models.get(table)
        return model.all_choices().get(column.element, {}).get(value, value) if model else value

    def rows(self, table: str) -> Iterator[Row]:
        yield from self.tables[table].rows.values()


def dictionary_entry(column: Column) -> Row:
    return {
        "name": column.table,
        "element": column.element,
        "column_label": column.label,
        "internal_type": column.kind,
        "reference": column.reference,
        "max_length": str(column.max_length),
        "mandatory": "false",
        "choice": "1" if column.choice else "",
        "read_only": "true" if column.kept else "false",
        "active": "true",
    }
