"""The Table API: lists and single records (ServiceNow docs, Table API)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from sandbox.servicenow.database import Database, Session
from sandbox.servicenow.errors import Problem, no_right, not_found
from sandbox.servicenow.finder import Finder, base_of, flag, whole
from sandbox.servicenow.quota import Cancelled, Quota, cancelled
from sandbox.servicenow.render import Render, View, view_of
from sandbox.servicenow.rights import Rights
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.writes import Writes
from sandbox.wire import Answer, Request

#: tables to which API users add no rows: the instance or an admin writes them
_OWN = (
    "sys_attachment sys_audit sys_audit_delete sys_choice sys_dictionary sys_import_set sys_journal_field "
    "sys_properties sys_user_has_role sys_user_role"
).split()


@dataclass
class Call:
    """A request of a signed-in user, taken apart."""

    request: Request
    version: str
    table: Table
    id: str
    session: Session
    view: View


class TableApi:
    def __init__(self, data: Database, writes: Writes, rights: Rights, finder: Finder, quota: Quota) -> None:
        self.data, self.writes, self.rights, self.finder, self.quota = data, writes, rights, finder, quota
        self.render = Render(data)

    def answer(self, request: Request, session: Session, version: str, table: str, id: str) -> Answer:
        """The answer to a request under /api/now/table; raises ``Problem``."""
        call = self.taken(request, session, version, table, id)
        match request.method, bool(id):
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
        raise Problem(405, "Method not allowed", f"{request.method} is not supported for this resource")

    def taken(self, request: Request, session: Session, version: str, name: str, id: str) -> Call:
        table = self.finder.table(name)
        model = self.data.models.get(name)
        view = view_of(request.query, base_of(request), session.zone, self.rights, model.views if model else {})
        return Call(request, version, table, id, session, view)

    def payload(self, call: Call) -> dict[str, Any]:
        """The body's record; of several only the first is taken."""
        body = json_of(call.request)
        body = body[0] if isinstance(body, list) and body else body
        if not isinstance(body, dict):
            raise Problem(400, "Exception while reading request", "The payload is not a JSON object")
        body = {name: value for name, value in body.items() if (call.table.name, name) not in self.rights.unwritable}
        if not flag(call.request, "sysparm_input_display_value"):
            return body
        return {name: self.finder.value(call.table, call.session, name, value) for name, value in body.items()}

    # -- reading

    def page(self, call: Call) -> Answer:
        """A page of rows. The limit is applied before the ACLs: rows that may not be read vanish after the cut."""
        limit = whole(call.request, "sysparm_limit", 10000)
        offset = whole(call.request, "sysparm_offset", 0)
        readable = self.rights.readable(call.table.name)
        rows = self.finder.rows(call.request, call.table, call.session, offset) if readable else []
        shown = [row for row in rows[offset : offset + limit] if self.finder.visible(row)]
        if call.version == "v1" and not shown:
            raise not_found()
        headers = {} if flag(call.request, "sysparm_no_count") else {"X-Total-Count": str(len(rows))}
        if not flag(call.request, "sysparm_suppress_pagination_header"):
            headers["Link"] = links(call.request, offset, limit, len(rows))
        sent = self.quota.rows(len(shown))
        told = [self.render.record(call.table, row, call.view) for row in shown[:sent]]
        return answer(told, 200, headers) if sent == len(shown) else cancelled(told, headers, self.quota.cut_short)

    def one(self, call: Call) -> Answer:
        return answer(self.render.record(call.table, self.row(call), call.view))

    def row(self, call: Call) -> Row:
        """The row asked for; hidden and missing are the same."""
        row = call.table.seen(call.id, self.data.clock.now())
        if row is None or not self.finder.visible(row) or not self.rights.readable(call.table.name):
            raise not_found()
        return row

    # -- writing

    def create(self, call: Call) -> Answer:
        self.check_right("Insert", call)
        body = self.payload(call)
        late = self.late()
        if call.table.name in self.data.models:
            row = self.writes.insert(call.table.name, body, call.session.user)
        else:
            known = {n: str(v) for n, v in body.items() if n in call.table.columns and not call.table.columns[n].kept}
            row = self.data.insert(call.table.name, known, call.session.user, self.data.clock.tick())
        where = f"{call.view.base}/api/now/table/{call.table.name}/{row['sys_id']}"
        return self.written(call, row, late, 201, {"Location": where})

    def change(self, call: Call) -> Answer:
        row = self.row(call)
        self.check_right("Update", call)
        silent = flag(call.request, "sysparm_suppress_auto_sys_field")
        body = self.payload(call)
        late = self.late()
        row = self.writes.update(call.table, row["sys_id"], body, call.session.user, silent=silent)
        return self.written(call, row, late)

    def remove(self, call: Call) -> Answer:
        row = self.row(call)
        self.check_right("Delete", call)
        late = self.late()
        self.writes.delete(call.table, row["sys_id"], call.session.user)
        if late:
            raise Cancelled()
        return Answer(204)

    def late(self) -> bool:
        """Whether the write runs out of time; raises where it then takes no effect."""
        late = self.quota.too_long()
        if late and not self.finder.switches.cancelled_writes_apply:
            raise Cancelled()
        return late

    def written(
        self, call: Call, row: Row, late: bool, status: int = 200, headers: dict[str, str] | None = None
    ) -> Answer:
        """The record as it now is, unless the caller wants none (X-no-response-body)."""
        if late:
            raise Cancelled()
        if call.request.headers.get("x-no-response-body", "").lower() == "true":
            return Answer(status, b"", headers or {})
        return answer(self.render.record(call.table, row, call.view), status, headers)

    def check_right(self, operation: str, call: Call) -> None:
        name = call.table.name
        only_read = name not in self.data.models and (operation != "Insert" or name in _OWN)
        if only_read or self.rights.refuses(operation.lower(), name):
            raise no_right(operation)


def json_of(request: Request) -> Any:
    """The JSON of a body; raises ``Problem``."""
    try:
        return request.json()
    except ValueError:
        raise Problem(400, "Exception while reading request", "The payload is not valid JSON") from None


def links(request: Request, offset: int, limit: int, total: int) -> str:
    """The Link header of a page: first, prev, next and last."""
    last = (total - 1) // limit * limit if limit and total else 0
    places = {"first": 0, "prev": offset - limit, "next": offset + limit, "last": last}
    wanted = {rel: at for rel, at in places.items() if at >= 0 and (rel != "next" or at < total)}
    return ",".join(f'<{at_offset(request, at, limit)}>;rel="{rel}"' for rel, at in wanted.items())


def at_offset(request: Request, offset: int, limit: int) -> str:
    kept = {n: v for n, v in request.query.items() if n not in ("sysparm_offset", "sysparm_limit")}
    query = urlencode({**kept, "sysparm_limit": [limit], "sysparm_offset": [offset]}, True)
    return f"{base_of(request)}{request.path}?{query}"


def answer(result: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    content = {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}
    return Answer(status, orjson.dumps({"result": result}), content)
