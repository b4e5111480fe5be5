"""Records as the Table API shows them (ServiceNow docs, Table API)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.servicenow.columns import Column
from sandbox.servicenow.database import Database
from sandbox.servicenow.rights import Rights
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.zones import to_local

Named = Mapping[str, tuple[str, ...]]

_DATES = ("glide_date_time", "due_date")


@dataclass(frozen=True, slots=True)
class View:
    """How records are asked for: ``display`` is false, true or all; ``fields`` empty means all; ``links`` whether
    references carry a link; ``base`` the address the request came to; ``hidden`` the columns an ACL keeps back;
    ``zone`` the session user's; ``journals`` whether journals show their text."""

    fields: tuple[str, ...]
    display: str
    links: bool
    base: str
    hidden: frozenset[tuple[str, str]]
    zone: ZoneInfo
    journals: bool = True


class Render:
    def __init__(self, data: Database) -> None:
        self.data = data

    def record(self, table: Table, row: Row, view: View) -> dict[str, Any]:
        """One record. Unreadable and unknown fields are left out."""
        shown = {}
        for path in view.fields or tuple(table.columns):
            found = self.end(table, row, path, view)
            if found is not None:
                shown[path] = self.field(*found, view)
        return shown

    def end(self, table: Table, row: Row, path: str, view: View) -> tuple[Table, Row, Column] | None:
        """The record and column at the end of a dot-walked path."""
        first, _, rest = path.partition(".")
        column = table.columns.get(first)
        if column is None or (table.name, first) in view.hidden:
            return None
        if not rest:
            return table, row, column
        target = self.data.target(column, row.get(first, ""))
        if target:
            return self.end(*target, rest, view)
        further = self.data.tables.get(column.reference)
        return self.end(further, {}, rest, view) if further else None

    def field(self, table: Table, row: Row, column: Column, view: View) -> str | dict[str, str]:
        value = "" if column.journal else row.get(column.element, "")
        link = self.link(column, value, view)
        if view.display == "false":
            return {"link": link, "value": value} if link else value
        display = self.display(table, row, column, view)
        if view.display == "true":
            return {"display_value": display, "link": link} if link else display
        return {"display_value": display, "value": value, **({"link": link} if link else {})}

    def link(self, column: Column, value: str, view: View) -> str:
        """The address of a referenced record; empty where there is none to give."""
        if not view.links or not value or column.kind not in ("reference", "domain_id"):
            return ""
        target = self.data.target(column, value)
        name = target[0].name if target else column.reference or "sys_user_group"
        return f"{view.base}/api/now/table/{name}/{value}"

    def display(self, table: Table, row: Row, column: Column, view: View) -> str:
        value = row.get(column.element, "")
        if column.kind == "journal_input":
            return self.journal(row, (column.element,), view)
        if column.element == "comments_and_work_notes":
            return self.journal(row, ("comments", "work_notes"), view)
        if column.kind == "reference":
            target = self.data.target(column, value)
            return target[1].get(target[0].display, "") if target else ""
        if column.kind == "glide_list":
            return ", ".join(self.listed(column, id) for id in value.split(",")) if value else ""
        if column.choice:
            return self.data.choice_label(table.name, column, value)
        if column.element == "sys_class_name":
            return self.data.tables[value].label if value in self.data.tables else value
        return to_local(value, view.zone) if column.kind in _DATES and value else value

    def listed(self, column: Column, id: str) -> str:
        target = self.data.target(column, id)
        return target[1].get(target[0].display, "") if target else id

    def journal(self, row: Row, elements: tuple[str, ...], view: View) -> str:
        """A journal as one text, newest entry first, stamped in the session user's zone (public reports)."""
        if not view.journals:
            return ""
        entries = self.data.tables["sys_journal_field"]
        rows = [entries.rows[id] for id in entries.with_value("element_id", row.get("sys_id", "-"))]
        told = [self.entry(r, view) for r in reversed(rows) if r.get("element") in elements]
        return "".join(told)

    def entry(self, row: Row, view: View) -> str:
        users = self.data.tables["sys_user"]
        user = users.find("user_name", row["sys_created_by"]) or {}
        kind = "Work notes" if row["element"] == "work_notes" else "Additional comments"
        stamp = to_local(row["sys_created_on"], view.zone)
        return f"{stamp} - {user.get('name', row['sys_created_by'])} ({kind})\n{row.get('value', '')}\n\n"


def view_of(query: Mapping[str, list[str]], base: str, zone: ZoneInfo, rights: Rights, named: Named) -> View:
    """The view that the ``sysparm_`` parameters ask for; empty and Python-cased values are taken, as clients send
    them. ``named`` are the fields of the table's views (sysparm_view) by name, used where no fields are asked for."""

    def one(name: str) -> str:
        return query.get(name, [""])[0].strip()

    display = one("sysparm_display_value").lower()
    fields = tuple(field.strip() for field in one("sysparm_fields").split(",") if field.strip())
    return View(
        fields or tuple(named.get(one("sysparm_view"), ())),
        display if display in ("true", "all") else "false",
        one("sysparm_exclude_reference_link").lower() != "true",
        base,
        frozenset(rights.hidden_fields),
        zone,
        rights.journal_shown,
    )
