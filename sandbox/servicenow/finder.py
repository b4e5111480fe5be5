"""From a request's parameters to the rows it means: the same for the Table, Aggregate and Attachment APIs."""

from __future__ import annotations

from typing import Any

from sandbox.servicenow.database import BY_NAME, Database, Session
from sandbox.servicenow.errors import invalid_table
from sandbox.servicenow.keyset import Listings
from sandbox.servicenow.literals import Literals
from sandbox.servicenow.query import parse
from sandbox.servicenow.rights import Rights
from sandbox.servicenow.search import Search
from sandbox.servicenow.switches import Switches
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.zones import to_utc
from sandbox.wire import Request


class Finder:
    def __init__(self, data: Database, rights: Rights, switches: Switches) -> None:
        self.data, self.rights, self.switches = data, rights, switches
        self.listings = Listings(data)

    def table(self, name: str) -> Table:
        """The table of that name; raises ``Problem``."""
        table = self.data.tables.get(name)
        if table is None:
            raise invalid_table(name, self.switches.unknown_table)
        return table

    def rows(self, request: Request, table: Table, session: Session, offset: int = 0) -> list[Row]:
        """Every row that ``sysparm_query`` or else the ``name=value`` parameters match, in order, before access
        rules."""
        text = request.one("sysparm_query") or self.named_filters(request, table, session)
        query, broken = parse(text)
        if broken and self.rights.strict_queries:
            return []
        query = Literals(session, self.data.clock.now()).resolved(query)
        return self.listings.run(Search(self.data, table, query, self.rights.strict_queries), offset)

    def named_filters(self, request: Request, table: Table, session: Session) -> str:
        """``name=value`` parameters, used only where there is no sysparm_query; a display value is taken too."""
        filters = [(n, v[0]) for n, v in request.query.items() if not n.startswith(("sysparm_", "x-sn-"))]
        return "^".join(f"{name}={self.value(table, session, name, value)}" for name, value in filters)

    def value(self, table: Table, session: Session, name: str, value: Any) -> Any:
        """The stored value that a display value stands for: a label, a name or user name, a date-time in the session
        user's zone; anything else is left as it is."""
        column = table.columns.get(name)
        if column and column.kind == "glide_date_time" and value:
            return self.date(str(value), session)
        if column and column.reference in BY_NAME:
            far = self.data.tables[column.reference]
            by_user = far.find("user_name", str(value)) if far.name == "sys_user" else None
            return (far.find("name", str(value)) or by_user or {"sys_id": value})["sys_id"]
        model = self.data.models.get(table.name)
        labels = model.all_choices().get(name, {}) if model else {}
        return next((raw for raw, label in labels.items() if label == value), value)

    def date(self, value: str, session: Session) -> str:
        try:
            return to_utc(value, session.zone)
        except ValueError:
            return value

    def visible(self, row: Row) -> bool:
        """Whether the access rules show a row; an attachment is as visible as its record."""
        return row["sys_id"] not in self.rights.hidden and row.get("table_sys_id") not in self.rights.hidden


def whole(request: Request, name: str, default: int) -> int:
    """A parameter that counts; what is no number counts as not sent."""
    text = request.one(name)
    try:
        return max(0, int(text)) if text else default
    except ValueError:
        return default


def flag(request: Request, name: str) -> bool:
    return request.one(name).lower() == "true"


def base_of(request: Request) -> str:
    return f"http://{request.headers.get('host', 'localhost')}"
