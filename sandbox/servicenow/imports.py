"""The Import Set API (ServiceNow docs, Import Set API): rows go into a staging table and a transform map carries them
to a task table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.servicenow.columns import columns, table_columns
from sandbox.servicenow.database import Database, Session
from sandbox.servicenow.errors import Problem, no_right, not_found
from sandbox.servicenow.finder import Finder, base_of
from sandbox.servicenow.jobs import Job, Jobs
from sandbox.servicenow.rest import json_of
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.writes import Writes
from sandbox.wire import Answer, Request

#: what the instance adds to the columns of a staging table
_STAGING = """
sys_import_set           | Set            | reference:sys_import_set
sys_import_state         | State          | string:40
sys_import_state_comment | Comment        | string:4000
sys_target_sys_id        | Target record  | string:32
sys_target_table         | Target table   | table_name:80
"""


class Skipped(Exception):
    """A transform script set ``ignore``: the row goes no further."""


@dataclass
class TransformMap:
    """How rows of ``staging`` become records of the task table ``target``.

    ``columns`` are the staging table's own, name -> label. ``script`` makes the target's values of a row and may raise
    ``Skipped``; by default values go to the columns of the same names. ``coalesce`` names target columns: a record
    that agrees in all of them is updated instead of a new one made. ``synchronous`` and ``by_column_name`` are the
    settings of insertMultiple (sys_rest_insert_multiple).
    """

    staging: str
    columns: Mapping[str, str]
    target: str = "incident"
    name: str = "Incident"
    coalesce: tuple[str, ...] = ()
    script: Callable[[Row], Mapping[str, Any]] = field(default=lambda row: row)
    synchronous: bool = False
    by_column_name: bool = False


class ImportApi:
    def __init__(self, data: Database, writes: Writes, finder: Finder, jobs: Jobs) -> None:
        self.data, self.writes, self.finder, self.jobs = data, writes, finder, jobs
        self.maps: dict[str, TransformMap] = {}

    def define(self, map: TransformMap) -> None:
        """An admin makes a staging table and its transform map."""
        lines = "\n".join(f"{name} | {label} | string:4000" for name, label in map.columns.items())
        own = {**table_columns(map.staging, lines), **columns(_STAGING, map.staging)}
        self.maps[map.staging] = map
        self.data.tables[map.staging] = Table(map.staging, map.staging, "sys_id", own, ("sys_import_set",))

    def answer(self, request: Request, session: Session, version: str, first: str, second: str) -> Answer:
        map = self.maps.get(first)
        if map is None:
            self.finder.table(first)
            raise no_right("Insert")
        match request.method, second:
            case "GET", id if id:
                return self.told(request, map, self.staged(map, id))
            case "POST", "":
                return self.one(request, session, map)
            case "POST", "insertMultiple":
                return self.many(request, session, map)
        raise Problem(405, "Method not allowed", f"{request.method} is not supported for this resource")

    def staged(self, map: TransformMap, id: str) -> Row:
        row = self.data.tables[map.staging].rows.get(id)
        if row is None:
            raise not_found()
        return row

    # -- calls

    def one(self, request: Request, session: Session, map: TransformMap) -> Answer:
        """One row, transformed at once. What the call answers says little of how the row fared: its own status
        does."""
        self.check_right(map)
        body = json_of(request)
        values = body if isinstance(body, dict) else {}
        row = self.stage(map, values, self.import_set(map, session), session)
        row = self.transformed(map, row, session.user)
        failed = row["sys_import_state"] == "error"
        return self.told(request, map, row, self.finder.switches.failed_import if failed else 201)

    def many(self, request: Request, session: Session, map: TransformMap) -> Answer:
        """Many rows; by default they are transformed later, and the answer names the sets only."""
        self.check_right(map)
        body = json_of(request)
        records = body.get("records") if isinstance(body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise Problem(400, "Bad Request", "records is required")
        set = self.import_set(map, session)
        names = {label: name for name, label in map.columns.items()}
        for record in records:
            named = record if map.by_column_name else {names[k]: v for k, v in record.items() if k in names}
            self.stage(map, named, set, session)
        if map.synchronous:
            self.transform(map, set["sys_id"], session.user)
        else:
            self.jobs.add(self.data.clock.now(), "transform", set["sys_id"], {"staging": map.staging}, session.user)
        multiple = request.one("multi_import_set_id") or self.data.new_id()
        body = {"import_set_id": set["sys_id"], "multi_import_set_id": multiple}
        return Answer(201, orjson.dumps(body), {"Content-Type": "application/json;charset=UTF-8"})

    def check_right(self, map: TransformMap) -> None:
        if self.finder.rights.refuses("insert", map.staging):
            raise no_right("Insert")

    # -- rows

    def import_set(self, map: TransformMap, session: Session) -> Row:
        number = f"ISET{10001 + len(self.data.tables['sys_import_set'].rows):07}"
        values = {"number": number, "table_name": map.staging, "state": "loaded"}
        return self.data.insert("sys_import_set", values, session.user, self.data.clock.tick())

    def stage(self, map: TransformMap, values: Mapping[str, Any], set: Row, session: Session) -> Row:
        own = {name: str(values[name]) for name in map.columns if values.get(name) not in (None, "")}
        row = {**own, "sys_import_set": set["sys_id"], "sys_import_state": "pending"}
        return self.data.insert(map.staging, row, session.user, self.data.clock.tick())

    def run(self, job: Job) -> None:
        """The job behind insertMultiple."""
        self.transform(self.maps[dict(job.values)["staging"]], job.id, job.by)

    def transform(self, map: TransformMap, set: str, by: str) -> None:
        table = self.data.tables[map.staging]
        for id in list(table.with_value("sys_import_set", set)):
            self.transformed(map, table.rows[id], by)

    def transformed(self, map: TransformMap, row: Row, by: str) -> Row:
        """Carries one row over and notes how it fared: inserted, updated, ignored (nothing would differ), skipped or
        error."""
        try:
            state, target, comment = self.carried(map, row, by)
        except Skipped as reason:
            state, target, comment = "skipped", "", str(reason)
        except Problem as problem:
            state, target, comment = "error", "", problem.detail or problem.message
        noted = {"sys_import_state": state, "sys_target_sys_id": target, "sys_import_state_comment": comment}
        noted = {name: value for name, value in {**row, **noted, "sys_target_table": map.target}.items() if value}
        self.data.tables[map.staging].put(noted)
        return noted

    def carried(self, map: TransformMap, row: Row, by: str) -> tuple[str, str, str]:
        values = map.script({name: row[name] for name in map.columns if name in row})
        table = self.data.tables[map.target]
        found = next(self.agreeing(table, map.coalesce, values), None)
        if found is None:
            return "inserted", self.writes.insert(map.target, values, by)["sys_id"], ""
        changed = self.writes.update(table, found["sys_id"], values, by) is not found
        return "updated" if changed else "ignored", found["sys_id"], ""

    def agreeing(self, table: Table, coalesce: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[Row]:
        wanted = {name: str(values.get(name, "")) for name in coalesce}
        rows = list(table.rows.values()) if wanted else []
        return (row for row in rows if all(row.get(name, "") == value for name, value in wanted.items()))

    # -- answers

    def told(self, request: Request, map: TransformMap, row: Row, status: int = 200) -> Answer:
        set = self.data.tables["sys_import_set"].rows.get(row["sys_import_set"], {})
        body = {
            "import_set": set.get("number", ""),
            "staging_table": map.staging,
            "result": [self.fared(request, map, row)],
        }
        return Answer(status, orjson.dumps(body), {"Content-Type": "application/json;charset=UTF-8"})

    def fared(self, request: Request, map: TransformMap, row: Row) -> dict[str, str]:
        """How one row fared, as the API tells it."""
        state, target = row["sys_import_state"], row.get("sys_target_sys_id", "")
        said = {"transform_map": map.name, "table": map.target}
        if not target:
            key = "error_message" if state == "error" else "status_message"
            return {**said, "status": state, key: row.get("sys_import_state_comment", "")}
        table = self.data.tables[map.target]
        shown = {"display_name": table.display, "display_value": table.rows.get(target, {}).get(table.display, "")}
        link = f"{base_of(request)}/api/now/table/{map.target}/{target}"
        return {**said, **shown, "record_link": link, "status": state, "sys_id": target}
