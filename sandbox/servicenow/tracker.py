"""The simulated instance: what answers over HTTP, and what its people do."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.servicenow.database import BY_NAME, STAMP, Database
from sandbox.servicenow.errors import Problem
from sandbox.servicenow.gate import Gate
from sandbox.servicenow.model import Model, problem_model
from sandbox.servicenow.rest import Rights, TableApi
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.writes import Writes
from sandbox.wire import Answer, Request


class ServiceNow:
    """An instance with an incident and a problem table.

    ``users`` are the API users (name -> password). ``time_zone`` is the session users' own: display values are in
    it, raw values in UTC. ``gate`` and ``rights`` hold the switches for sessions, limits and ACLs;
    ``commit_delay`` lets people's writes be seen late, under the stamp of when they were made.
    """

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        *,
        users: Mapping[str, str] | None = None,
        model: Model | None = None,
        problem: Model | None = None,
        time_zone: str = "US/Pacific",
        seed: int = 0,
    ) -> None:
        self.name, self.clock = name, clock
        self.models = {m.table: m for m in (model or Model(), problem or problem_model())}
        self.data = Database(clock, self.models.values(), time_zone, seed)
        self.writes = Writes(self.data)
        self.rights = Rights()
        self.gate = Gate(clock, dict(users or {"lockstep": "secret"}))
        self.api = TableApi(self.data, self.writes, self.rights)
        self.commit_delay = timedelta(0)
        self.resolved: list[tuple[str, str]] = []
        self.lock = threading.RLock()
        for user in (*self.gate.users, "system"):
            self.data.named("sys_user", user)

    # -- over HTTP

    def handle(self, request: Request) -> Answer:
        with self.lock:
            try:
                return self.admitted(request)
            except Problem as problem:
                return problem.answer()

    def admitted(self, request: Request) -> Answer:
        user = self.gate.user(request)
        if self.gate.waits(request):
            return Answer(202, b"", {"Content-Type": "application/json;charset=UTF-8"})
        headers = {**self.gate.count(user), **self.gate.cookie(request, user)}
        self.close_resolved()
        answer = self.api.answer(request, user)
        self.remember_resolved(answer, request)
        answer.headers.update(headers)
        return answer

    def remember_resolved(self, answer: Answer, request: Request) -> None:
        if request.method != "GET" and answer.status < 300:
            id = answer.headers.get("Location", request.path).rstrip("/").rsplit("/", 1)[-1]
            self.note_resolved(id)

    # -- what people do, under the same rules

    def create(self, fields: Mapping[str, Any], by: str, table: str = "incident") -> str:
        """A person creates a record; labels and names are taken as the form takes them. The caller is the person
        unless named. Returns the sys_id; raises ``errors.Problem`` where a rule forbids it."""
        with self.lock:
            self.close_resolved()
            given = dict(fields)
            if "caller_id" in self.data.tables[table].columns:
                given.setdefault("caller_id", by)
            row = self.writes.insert(table, self.filled_in(self.data.tables[table], given), by)
            if self.commit_delay:
                until = self.clock.now() + self.commit_delay
                self.data.tables[table].hold(row["sys_id"], until, None)
            self.note_resolved(row["sys_id"])
            return row["sys_id"]

    def update(self, id: str, fields: Mapping[str, Any], by: str) -> None:
        """A person changes fields; a journal field adds an entry."""
        with self.lock:
            self.close_resolved()
            table = self.data.task(id)
            values = self.filled_in(table, fields)
            self.writes.update(table, id, values, by, delay=self.commit_delay)
            self.note_resolved(id)

    def move(self, id: str, state: str, by: str, **fields: Any) -> None:
        """A person changes the state, spelled ``Label`` or ``On Hold:Hold reason``."""
        self.update(id, {"state": state, **fields}, by)

    def comment(self, id: str, text: str, by: str, channel: str = "comments") -> str:
        """A person adds to a journal (``comments`` or ``work_notes``); the id of the entry."""
        self.update(id, {channel: text}, by)
        return str(self.writes.histories[id].comments[-1]["id"])

    def delete(self, id: str, by: str) -> None:
        with self.lock:
            self.writes.delete(self.data.task(id), id, by)

    def delete_comment(self, id: str, comment: str) -> None:
        """An admin removes a journal entry; the task does not notice."""
        with self.lock:
            self.data.tables["sys_journal_field"].drop(comment)
            kept = self.writes.histories[id].comments
            kept[:] = [remark for remark in kept if remark["id"] != comment]

    # -- the truth, for checkers

    def item(self, id: str) -> dict[str, str]:
        """The filled fields now: references by display value, the rest raw; ``KeyError`` where it is gone."""
        with self.lock:
            table = self.data.task(id)
            return {n: self.writes.shown(table.columns[n], v) for n, v in table.rows[id].items()}

    def state_of(self, id: str) -> str:
        """The state as people spell it."""
        with self.lock:
            table = self.data.task(id)
            return self.models[table.name].spelled(table.rows[id])

    def comments(self, id: str) -> list[dict[str, Any]]:
        """``id, at, by, channel, text`` of every journal entry, oldest first."""
        with self.lock:
            return [dict(remark) for remark in self.writes.histories[id].comments]

    def history(self, id: str) -> list[dict[str, Any]]:
        """``at, by, field, old, new`` of every change of a field since creation, computed fields included."""
        with self.lock:
            return [dict(change) for change in self.writes.histories[id].changes]

    def ids(self, table: str = "") -> list[str]:
        """The records that exist, in order of creation."""
        with self.lock:
            return [id for name in self.models if table in ("", name) for id in self.data.tables[name].rows]

    # -- the form, and the nightly job

    def filled_in(self, table: Table, fields: Mapping[str, Any]) -> Row:
        """What the form makes of names and labels."""
        filled: Row = {}
        for name, value in fields.items():
            if name == "state":
                filled |= self.models[table.name].spelling(str(value))
            else:
                filled[name] = self.picked(table, name, str(value))
        return filled

    def picked(self, table: Table, name: str, value: str) -> str:
        column = table.columns.get(name)
        if column is None or not value:
            return value
        if column.kind == "reference" and not self.data.target(column, value):
            return self.referred(column.reference, value)
        labels = self.models[table.name].all_choices().get(name, {})
        return next((raw for raw, label in labels.items() if label == value), value)

    def referred(self, table: str, name: str) -> str:
        if table in BY_NAME:
            return self.data.named(table, name)
        for task in self.models if table == "task" else (table,):
            row = self.data.tables[task].find("number", name) if task in self.models else None
            if row:
                return row["sys_id"]
        return name

    def note_resolved(self, id: str) -> None:
        """Puts a resolved record on the list of the closing job."""
        for name, model in self.models.items():
            row = self.data.tables[name].rows.get(id)
            if row and model.auto_close and row.get("state") == model.resolved and row.get("resolved_at"):
                due = datetime.strptime(row["resolved_at"], STAMP).replace(tzinfo=UTC) + model.auto_close
                heapq.heappush(self.resolved, (due.strftime(STAMP), id))

    def close_resolved(self) -> None:
        """The closing job (glide.ui.autoclose.time): what has been resolved long enough is closed by the system."""
        now = self.clock.now().strftime(STAMP)
        while self.resolved and self.resolved[0][0] <= now:
            due, id = heapq.heappop(self.resolved)
            try:
                table = self.data.task(id)
            except KeyError:
                continue
            if self.still_due(table, table.rows[id], due):
                self.writes.update(table, id, {"state": self.models[table.name].closed}, "system")

    def still_due(self, table: Table, row: Row, due: str) -> bool:
        model = self.models[table.name]
        if row.get("state") != model.resolved or not row.get("resolved_at") or not model.auto_close:
            return False
        at = datetime.strptime(row["resolved_at"], STAMP).replace(tzinfo=UTC) + model.auto_close
        return at.strftime(STAMP) == due
