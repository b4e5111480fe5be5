"""The simulated instance: what answers over HTTP, and what its people do."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.servicenow.api import Api, Resource, api_of
from sandbox.servicenow.attachments import AttachmentApi
from sandbox.servicenow.batch import BatchApi
from sandbox.servicenow.database import BY_NAME, Database
from sandbox.servicenow.errors import Problem
from sandbox.servicenow.finder import Finder
from sandbox.servicenow.gate import Gate
from sandbox.servicenow.imports import ImportApi
from sandbox.servicenow.jobs import Job, Jobs
from sandbox.servicenow.model import Model, problem_model
from sandbox.servicenow.quota import Quota
from sandbox.servicenow.rest import TableApi
from sandbox.servicenow.rights import Rights
from sandbox.servicenow.snapshots import Snapshot
from sandbox.servicenow.stats import StatsApi
from sandbox.servicenow.switches import Switches
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.writes import Writes
from sandbox.servicenow.zones import instant
from sandbox.wire import Answer, Request

#: what a sleeping developer instance shows to whatever asks (apis.md 1.6 [U])
_HIBERNATING = (
    b"<html><head><title>Instance Hibernating page</title></head><body>Your instance is hibernating</body></html>"
)


class ServiceNow:
    """An instance with an incident and a problem table.

    ``users`` are the API users (name -> password). ``time_zone`` is the instance's, and so that of users who name no
    own: display values are in the session user's, raw values in UTC. ``gate``, ``rights``, ``quota`` and ``switches``
    hold what can be set; ``imports`` takes transform maps; ``commit_delay`` lets people's writes be seen late, under
    the stamp of when they were made.
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
        self.name, self.clock, self.time_zone, self.seed = name, clock, time_zone, seed
        self.models = {m.table: m for m in (model or Model(), problem or problem_model())}
        self.data = Database(clock, self.models.values(), time_zone, seed)
        self.jobs = Jobs()
        self.writes = Writes(self.data, self.jobs)
        self.rights, self.switches, self.quota = Rights(), Switches(), Quota()
        self.gate = Gate(clock, dict(users or {"lockstep": "secret"}))
        self.finder = Finder(self.data, self.rights, self.switches)
        self.imports = ImportApi(self.data, self.writes, self.finder, self.jobs)
        self.api = self.served()
        self.commit_delay: timedelta | Callable[[], timedelta] = timedelta(0)
        self.lock = threading.RLock()
        for user in (*self.gate.users, "system"):
            self.data.named("sys_user", user)
        self.set_property("instance_name", name)
        self.set_property("glide.sys.default.tz", time_zone)

    def served(self) -> Api:
        """The REST APIs of this instance."""
        tables = TableApi(self.data, self.writes, self.rights, self.finder, self.quota)
        attachments = AttachmentApi(self.data, self.writes, self.finder, self.quota)
        stats = StatsApi(self.data, self.finder)
        batch = BatchApi(lambda request, session: self.api.answer(request, session), self.quota, self.switches)
        resources: dict[str, Resource] = {
            "table": tables,
            "attachment": attachments,
            "stats": stats,
            "import": self.imports,
            "batch": batch,
        }
        return Api(resources, self.switches)

    # -- over HTTP

    def handle(self, request: Request) -> Answer:
        with self.gate.turn(request) as room, self.lock:
            try:
                return self.admitted(request, room)
            except Problem as problem:
                return problem.answer()

    def admitted(self, request: Request, room: bool) -> Answer:
        """The answer to a request; ``room``: its session's queue is not full. Raises ``Problem`` at the gate."""
        if self.switches.hibernating:
            return Answer(200, _HIBERNATING, {"Content-Type": "text/html;charset=UTF-8"})
        if request.path == "/oauth_token.do":
            return self.token(request)
        user = self.gate.user(request)
        if not room:
            return Answer(202, b"", {"Content-Type": "application/json;charset=UTF-8"})
        api = api_of(request)
        roles = self.roles(user) if self.gate.rules else ()
        headers = {**self.gate.count(user, roles, api), **self.gate.cookie(request, user)}
        self.catch_up()
        self.quota.begin(batch=api == "Batch API")
        answer = self.api.answer(request, self.data.session(user))
        answer.headers.update(headers)
        return answer

    def token(self, request: Request) -> Answer:
        self.gate.oauth.standard_errors = self.switches.oauth_errors == "rfc6749"
        return self.gate.oauth.answer(request, self.gate.admits)

    # -- what an admin does

    def set_property(self, name: str, value: str) -> None:
        """Sets a system property (sys_properties)."""
        with self.lock:
            table = self.data.tables["sys_properties"]
            row = table.find("name", name)
            if row:
                table.put({**row, "value": value})
            else:
                self.data.insert("sys_properties", {"name": name, "value": value}, "system", self.clock.now())

    def set_user(self, user: str, **columns: str) -> None:
        """Sets columns of a user's record (time_zone, web_service_access_only, ...), raw; the user is made where there
        is none."""
        with self.lock:
            table = self.data.tables["sys_user"]
            table.put({**table.rows[self.data.named("sys_user", user)], **columns})

    def grant(self, user: str, role: str) -> None:
        """Gives a user a role (sys_user_has_role)."""
        with self.lock:
            ids = {"user": self.data.named("sys_user", user), "role": self.data.named("sys_user_role", role)}
            values = {**ids, "state": "active", "inherited": "false"}
            self.data.insert("sys_user_has_role", values, "system", self.clock.now())

    def roles(self, user: str) -> set[str]:
        """The names of a user's roles."""
        held, named = self.data.tables["sys_user_has_role"], self.data.tables["sys_user_role"].rows
        row = self.data.tables["sys_user"].find("user_name", user)
        found = held.with_value("user", row["sys_id"]) if row else ()
        return {named[held.rows[id]["role"]]["name"] for id in found}

    def snapshot(self) -> Snapshot:
        """A backup of everything the instance holds; settings of the sandbox are no part of it."""
        with self.lock:
            return Snapshot.of(self.data, self.writes, self.jobs)

    def restore(self, snapshot: Snapshot) -> None:
        """Puts the instance back to a backup: later records are gone, later changes undone, numbers are given out
        again, sessions and tokens are void. Its name and time zone stay."""
        with self.lock:
            snapshot.restore(self.data, self.writes, self.jobs)
            self.gate.sessions.clear()
            self.gate.oauth.forget()
            self.set_property("instance_name", self.name)
            self.set_property("glide.sys.default.tz", self.time_zone)

    def clone(self, name: str, clock: SandboxClock) -> ServiceNow:
        """Another instance that holds the same, sys_ids, numbers and correlation fields included, under its own name
        and clock, with the same users and access rules."""
        with self.lock:
            model, problem = copy.deepcopy(list(self.models.values()))
            other = ServiceNow(
                name,
                clock,
                users=self.gate.users,
                model=model,
                problem=problem,
                time_zone=self.time_zone,
                seed=self.seed + 1,
            )
            other.imports.maps.update(self.imports.maps)
            vars(other.rights).update(copy.deepcopy(vars(self.rights)))
            vars(other.switches).update(vars(self.switches))
            other.restore(self.snapshot())
            return other

    # -- what people do, under the same rules

    def create(self, fields: Mapping[str, Any], by: str, table: str = "incident") -> str:
        """A person creates a record; labels and names are taken as the form takes them. The caller is the person
        unless named. Returns the sys_id; raises ``errors.Problem`` where a rule forbids it."""
        with self.lock:
            self.catch_up()
            given = dict(fields)
            if "caller_id" in self.data.tables[table].columns:
                given.setdefault("caller_id", by)
            row = self.writes.insert(table, self.filled_in(self.data.tables[table], given), by)
            if delay := self.late():
                self.data.tables[table].hold(row["sys_id"], self.clock.now() + delay, None)
            return row["sys_id"]

    def update(self, id: str, fields: Mapping[str, Any], by: str) -> None:
        """A person changes fields; a journal field adds an entry."""
        with self.lock:
            self.catch_up()
            table = self.data.task(id)
            values = self.filled_in(table, fields)
            self.writes.update(table, id, values, by, delay=self.late())

    def late(self) -> timedelta:
        """How late the write that is being made is seen."""
        return self.commit_delay() if callable(self.commit_delay) else self.commit_delay

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

    def undelete(self, id: str, by: str) -> None:
        """An admin restores a deleted record."""
        with self.lock:
            self.writes.undelete(id, by)

    def reclassify(self, id: str, table: str, by: str) -> None:
        """A person changes the class (Task type): the record is one of another table from then on."""
        with self.lock:
            self.writes.reclassify(self.data.task(id), id, self.data.tables[table], by)

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

    def mentioned(self, id: str) -> list[str]:
        """The user names of those whom entries of the item notified by calling them by name, in order."""
        with self.lock:
            users = self.data.tables["sys_user"].rows
            return [users[user]["user_name"] for task, _, user in self.data.mentioned if task == id]

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

    # -- what the instance does by itself

    def catch_up(self) -> None:
        """Runs the jobs that are due."""
        kinds = {"close": self.close, "change": self.change, "transform": self.imports.run}
        self.jobs.run(self.clock.now(), kinds)

    def close(self, job: Job) -> None:
        """The closing job (glide.ui.autoclose.time): what has been resolved long enough is closed by the system."""
        try:
            table = self.data.task(job.id)
        except KeyError:
            return
        row, model = table.rows[job.id], self.models[table.name]
        if row.get("state") != model.resolved or not row.get("resolved_at") or not model.auto_close:
            return
        if instant(row["resolved_at"]) + model.auto_close == job.due:
            self.writes.update(table, job.id, {"state": model.closed}, "system")

    def change(self, job: Job) -> None:
        """An asynchronous business rule or the SLA engine writes; what a rule then forbids does not happen."""
        try:
            self.writes.update(self.data.task(job.id), job.id, dict(job.values), job.by)
        except (KeyError, Problem):
            return
