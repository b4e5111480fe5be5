"""The Table API over a request: checks, routes, lists, single records (ServiceNow docs, Table API and REST API)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from sandbox.servicenow.database import BY_NAME, Database
from sandbox.servicenow.errors import Problem, invalid_table, no_right, not_found
from sandbox.servicenow.query import parse
from sandbox.servicenow.render import Render, View, view_of
from sandbox.servicenow.search import Search
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.writes import Writes
from sandbox.wire import Answer, Request

_PATH = re.compile(r"/api/now/(?:(v[12])/)?table/([a-z0-9_]+)(?:/([0-9A-Za-z]+))?/?")
_JSON = ("application/json", "*/*", "application/*", "text/json")
#: longest request line the front end takes, in bytes (not documented; commonly 8 kB)
LONGEST_URL = 8192


@dataclass
class Rights:
    """What the API users may see and do. ``hidden`` are the sys_ids, ``hidden_fields`` the (table, field) kept from
    them, ``unwritable`` those whose new values are silently dropped, ``denied`` the (operation, table) refused:
    insert, update, delete. ``journal_readable`` and
    ``audit_readable``: a denied read of those tables is an empty 200. ``strict_queries``:
    glide.invalid_query.returns_no_rows."""

    hidden: set[str] = field(default_factory=set)
    hidden_fields: set[tuple[str, str]] = field(default_factory=set)
    unwritable: set[tuple[str, str]] = field(default_factory=set)
    denied: set[tuple[str, str]] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    journal_readable: bool = True
    audit_readable: bool = True
    strict_queries: bool = False

    def readable(self, table: str) -> bool:
        if table == "sys_journal_field" and not self.journal_readable:
            return False
        return table not in self.unreadable and not (table == "sys_audit" and not self.audit_readable)


@dataclass
class Call:
    """A request of a signed-in user, taken apart."""

    request: Request
    method: str
    version: str
    table: Table
    id: str
    user: str
    view: View


class TableApi:
    def __init__(self, data: Database, writes: Writes, rights: Rights) -> None:
        self.data, self.writes, self.rights = data, writes, rights
        self.render = Render(data)

    def answer(self, request: Request, user: str) -> Answer:
        """The answer to a request under /api/now; raises ``Problem``."""
        method = request.headers.get("x-http-method-override", request.method).upper()
        self.check_size(request)
        self.check_media(request, method)
        call = self.taken(request, method, user)
        match method, bool(call.id):
            case "GET", False:
                return self.page(call)
            case "GET", True:
                return self.one(call)
            case "POST", False:
                return self.create(call)
            case "PUT" | "PATCH", True:
                return self.change(call)
            case "DELETE", True:
                return self.remove(call)
        raise Problem(405, "Method not allowed", f"{method} is not supported for this resource")

    # -- the request

    def check_size(self, request: Request) -> None:
        rough = sum(len(v) for values in request.query.values() for v in values)
        if rough > LONGEST_URL // 3 and len(request.path) + len(urlencode(request.query, True)) > LONGEST_URL:
            raise Problem(414, "Request-URI Too Long")

    def check_media(self, request: Request, method: str) -> None:
        accept, sent = request.headers.get("accept", ""), request.headers.get("content-type", "")
        if method in ("POST", "PUT", "PATCH") and not (accept and sent):
            raise Problem(400, "Bad Request", "Accept and Content-Type headers are required")
        if accept and not any(kind in accept for kind in _JSON):
            raise Problem(406, "Not acceptable", f"Cannot produce content of type {accept}")
        if method in ("POST", "PUT", "PATCH") and "json" not in sent:
            raise Problem(415, "Unsupported Media Type", f"Cannot consume content of type {sent}")

    def taken(self, request: Request, method: str, user: str) -> Call:
        found = _PATH.fullmatch(request.path)
        if found is None:
            raise Problem(400, "Requested URI does not represent any resource", request.path)
        table = self.data.tables.get(found[2])
        if table is None:
            raise invalid_table(found[2])
        base = f"http://{request.headers.get('host', 'localhost')}"
        view = view_of(request.query, base, frozenset(self.rights.hidden_fields))
        return Call(request, method, found[1] or "v2", table, found[3] or "", user, view)

    def payload(self, call: Call) -> dict[str, Any]:
        """The body's record; of several only the first is taken."""
        try:
            body = call.request.json()
        except ValueError:
            raise Problem(400, "Exception while reading request", "The payload is not valid JSON") from None
        body = body[0] if isinstance(body, list) and body else body
        if not isinstance(body, dict):
            raise Problem(400, "Exception while reading request", "The payload is not a JSON object")
        body = {name: value for name, value in body.items() if (call.table.name, name) not in self.rights.unwritable}
        return self.undisplayed(call.table, body) if self.flag(call, "sysparm_input_display_value") else body

    def undisplayed(self, table: Table, body: dict[str, Any]) -> dict[str, Any]:
        """Labels and names in the body read back to values (``sysparm_input_display_value=true``)."""
        return {name: self.data_value(table, name, value) for name, value in body.items()}

    def data_value(self, table: Table, name: str, value: Any) -> Any:
        column = table.columns.get(name)
        if column and column.kind == "glide_date_time" and value:
            return self.data.to_utc(str(value))
        if column and column.reference in BY_NAME:
            return (self.data.tables[column.reference].find("name", str(value)) or {"sys_id": value})["sys_id"]
        model = self.data.models.get(table.name)
        labels = model.all_choices().get(name, {}) if model else {}
        return next((raw for raw, label in labels.items() if label == value), value)

    def flag(self, call: Call, name: str) -> bool:
        return call.request.one(name).lower() == "true"

    # -- reading

    def page(self, call: Call) -> Answer:
        """A page of rows. The limit is applied before the ACLs: rows that may not be read vanish after the cut."""
        limit = self.count(call, "sysparm_limit", 10000)
        offset = self.count(call, "sysparm_offset", 0)
        rows = self.matching(call, offset) if self.rights.readable(call.table.name) else []
        shown = [row for row in rows[offset : offset + limit] if self.visible(row)]
        if call.version == "v1" and not shown:
            raise not_found()
        headers = {} if self.flag(call, "sysparm_no_count") else {"X-Total-Count": str(len(rows))}
        if not self.flag(call, "sysparm_suppress_pagination_header"):
            headers["Link"] = self.links(call, offset, limit, len(rows))
        return answer([self.render.record(call.table, row, call.view) for row in shown], 200, headers)

    def count(self, call: Call, name: str, default: int) -> int:
        text = call.request.one(name)
        try:
            return max(0, int(text)) if text else default
        except ValueError:
            return default

    def matching(self, call: Call, offset: int) -> list[Row]:
        text = call.request.one("sysparm_query") or self.named_filters(call)
        query, broken = parse(text)
        if broken and self.rights.strict_queries:
            return []
        user = self.data.tables["sys_user"].find("user_name", call.user) or {"sys_id": ""}
        names = {"javascript:gs.getUserID()": user["sys_id"], "javascript:gs.getUserName()": call.user}
        return Search(self.data, call.table, query, names, self.rights.strict_queries).run(offset)

    def named_filters(self, call: Call) -> str:
        """``name=value`` parameters, used only where there is no sysparm_query; a display value is taken too."""
        filters = [(n, v[0]) for n, v in call.request.query.items() if not n.startswith("sysparm_")]
        return "^".join(f"{name}={self.data_value(call.table, name, value)}" for name, value in filters)

    def visible(self, row: Row) -> bool:
        return row["sys_id"] not in self.rights.hidden

    def links(self, call: Call, offset: int, limit: int, total: int) -> str:
        last = (total - 1) // limit * limit if limit and total else 0
        places = {"first": 0, "prev": offset - limit, "next": offset + limit, "last": last}
        wanted = {rel: at for rel, at in places.items() if at >= 0 and (rel != "next" or at < total)}
        return ",".join(f'<{self.at_offset(call, at, limit)}>;rel="{rel}"' for rel, at in wanted.items())

    def at_offset(self, call: Call, offset: int, limit: int) -> str:
        kept = {n: v for n, v in call.request.query.items() if n not in ("sysparm_offset", "sysparm_limit")}
        query = urlencode({**kept, "sysparm_limit": [limit], "sysparm_offset": [offset]}, True)
        return f"{call.view.base}{call.request.path}?{query}"

    def one(self, call: Call) -> Answer:
        return answer(self.render.record(call.table, self.row(call), call.view))

    def row(self, call: Call) -> Row:
        """The row asked for; hidden and missing are the same."""
        row = call.table.seen(call.id, self.data.clock.now())
        if row is None or not self.visible(row) or not self.rights.readable(call.table.name):
            raise not_found()
        return row

    # -- writing

    def create(self, call: Call) -> Answer:
        self.check_right("Insert", call)
        body = self.payload(call)
        if call.table.name in self.data.models:
            row = self.writes.insert(call.table.name, body, call.user)
        else:
            known = {n: str(v) for n, v in body.items() if n in call.table.columns and not call.table.columns[n].kept}
            row = self.data.insert(call.table.name, known, call.user, self.data.clock.tick())
        where = f"{call.view.base}/api/now/table/{call.table.name}/{row['sys_id']}"
        return answer(self.render.record(call.table, row, call.view), 201, {"Location": where})

    def change(self, call: Call) -> Answer:
        row = self.row(call)
        self.check_right("Update", call)
        silent = self.flag(call, "sysparm_suppress_auto_sys_field")
        body = self.payload(call)
        row = self.writes.update(call.table, row["sys_id"], body, call.user, silent=silent)
        return answer(self.render.record(call.table, row, call.view))

    def remove(self, call: Call) -> Answer:
        row = self.row(call)
        self.check_right("Delete", call)
        self.writes.delete(call.table, row["sys_id"], call.user)
        return Answer(204)

    def check_right(self, operation: str, call: Call) -> None:
        only_read = call.table.name not in self.data.models and operation != "Insert"
        if only_read or (operation.lower(), call.table.name) in self.rights.denied:
            raise no_right(operation)


def answer(result: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    content = {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
    return Answer(status, orjson.dumps({"result": result}), content)
