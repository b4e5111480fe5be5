"""One write on a task table, from raw input to rows, audit and journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.servicenow.columns import Column
from sandbox.servicenow.database import Database
from sandbox.servicenow.errors import duplicate_key
from sandbox.servicenow.jobs import Jobs
from sandbox.servicenow.model import Model
from sandbox.servicenow.rules import before, one_more
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.zones import instant, is_stamp

#: what an integer column holds: 32 bits
_WHOLE = re.compile(r"-?[0-9]{1,9}")
#: how an entry calls a user by name
_MENTION = re.compile(r"@\[([0-9a-f]{32}):[^\]]*\]")
_UNWRITABLE = ("sys_class_name", "task_effective_number", "sys_tags", "sys_domain", "sys_domain_path")


@dataclass
class History:
    """The truth of one item for checkers: every change of a field and every remark, with millisecond instants."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)


class Writes:
    """Inserts and updates of task records. What a write brings about later is put into ``jobs``."""

    def __init__(self, data: Database, jobs: Jobs) -> None:
        self.data, self.jobs = data, jobs
        self.histories: dict[str, History] = {}
        self.dropped: dict[str, tuple[str, Row]] = {}

    def insert(self, name: str, values: Mapping[str, Any], by: str) -> Row:
        """A new record, with its defaults, number and computed fields."""
        table, model, at = self.data.tables[name], self.data.models[name], self.data.clock.tick()
        given, words = self.accepted(table, {}, values, guarded=False)
        author = self.author(by)
        stamp = self.data.stamp(name, at)
        row = {c.element: c.default.replace("_", " ") for c in table.columns.values() if c.default}
        row.update(state=model.initial, number="", opened_at=stamp, opened_by=author["sys_id"], sys_class_name=name)
        changes = {**row, **given}
        self.assign(model, {}, changes)
        before(model, table, {}, changes, words, author, stamp)
        self.check_unique(model, table, "", changes)
        changes["number"] = given.get("number") or self.data.next_number(name)
        changes["task_effective_number"] = changes["number"]
        stored = self.data.insert(name, changes, by, at)
        self.histories[stored["sys_id"]] = History()
        self.speak(table, stored, words, by, at)
        self.follow(model, {}, stored, by, at)
        return stored

    def update(
        self,
        table: Table,
        id: str,
        values: Mapping[str, Any],
        by: str,
        *,
        silent: bool = False,
        delay: timedelta = timedelta(0),
    ) -> Row:
        """Changes a record; nothing happens where nothing would differ. ``silent`` leaves the system fields alone
        (``sysparm_suppress_auto_sys_field``); the write is seen by others after ``delay``."""
        old = table.rows[id]
        changes, words = self.accepted(table, old, values)
        at = self.data.clock.tick() if changes or words else self.data.clock.now()
        author, stamp = self.author(by), self.data.stamp(table.name, at)
        model = self.data.models[table.name]
        self.assign(model, old, changes)
        before(model, table, old, changes, words, author, stamp)
        changes = {name: value for name, value in changes.items() if value != old.get(name, "")}
        self.check_unique(model, table, id, changes)
        if not changes and not words:
            return old
        row = {name: value for name, value in {**old, **changes}.items() if value}
        if not silent and (changes or model.comments_bump):
            row.update(sys_updated_on=stamp, sys_updated_by=by, sys_mod_count=one_more(old, "sys_mod_count"))
        table.commit(id)
        table.put(row)
        if delay:
            table.hold(id, at + delay, old)
        self.audit(table, old, row, changes, by, at)
        self.speak(table, row, words, by, at)
        self.follow(model, old, row, by, at)
        return row

    def touch(self, table: Table, id: str, by: str) -> None:
        """Counts an update of a record in which no field differs."""
        old = table.rows[id]
        stamp = self.data.stamp(table.name, self.data.clock.now())
        moved = {"sys_updated_on": stamp, "sys_updated_by": by, "sys_mod_count": one_more(old, "sys_mod_count")}
        table.put({**old, **moved})

    def delete(self, table: Table, id: str, by: str) -> None:
        """Removes a record and its attachments; its journal stays behind, as it does in the instance."""
        at = self.data.clock.tick()
        row = table.rows[id]
        table.drop(id)
        self.dropped[id] = (table.name, row)
        for attachment in list(self.data.tables["sys_attachment"].with_value("table_sys_id", id)):
            self.detach(attachment)
        gone = {"tablename": table.name, "documentkey": id, "display_value": row.get("number", "")}
        self.data.insert("sys_audit_delete", gone, by, at)

    def undelete(self, id: str, by: str) -> None:
        """Out of the list of deleted records, under its sys_id; its files stay gone (docs, "Restore a deleted record
        and reference"). It counts as an update."""
        name, row = self.dropped.pop(id)
        self.data.tables[name].put(row)
        self.touch(self.data.tables[name], id, by)

    def reclassify(self, table: Table, id: str, target: Table, by: str) -> None:
        """Moves a record to another task table: it keeps its sys_id, journal and what both tables have, and loses the
        rest (KB0727652, KB0695953)."""
        row = table.rows[id]
        table.drop(id)
        kept = {name: value for name, value in row.items() if name in target.columns}
        target.put({**kept, "sys_class_name": target.name})
        self.touch(target, id, by)

    def detach(self, attachment: str) -> None:
        self.data.tables["sys_attachment"].drop(attachment)
        self.data.contents.pop(attachment, None)

    # -- what comes with a write

    def assign(self, model: Model, row: Row, changes: Row) -> None:
        """Assignment rules: a record without group and person goes to those of the first rule that fits."""
        now = {**row, **changes}
        if now.get("assignment_group") or now.get("assigned_to"):
            return
        for rule in model.assignments:
            if all(now.get(name, "") == value for name, value in rule.when.items()):
                if rule.group:
                    changes["assignment_group"] = self.data.named("sys_user_group", rule.group)
                if rule.person:
                    changes["assigned_to"] = self.data.named("sys_user", rule.person)
                return

    def check_unique(self, model: Model, table: Table, id: str, changes: Row) -> None:
        for name in model.unique:
            value = changes.get(name, "")
            if value and any(other != id and row.get(name) == value for other, row in table.rows.items()):
                raise duplicate_key(name, value)

    def follow(self, model: Model, old: Row, row: Row, by: str, at: datetime) -> None:
        """Puts what the rules after the write ask for on the list of jobs, and what is resolved on that of the
        closing job."""
        if model.auto_close and row.get("resolved_at", "") not in ("", old.get("resolved_at")):
            self.jobs.add(instant(row["resolved_at"]) + model.auto_close, "close", row["sys_id"])
        for rule in model.after:
            for later in rule(old, row, by):
                self.jobs.add(at + later.delay, "change", row["sys_id"], later.values, later.by)

    def author(self, by: str) -> Row:
        return self.data.tables["sys_user"].rows[self.data.named("sys_user", by)]

    # -- input

    def accepted(self, table: Table, old: Row, values: Mapping[str, Any], guarded: bool = True) -> tuple[Row, Row]:
        """The values that are taken and differ, and the journal entries. Unknown and system columns are passed over,
        long text is cut, an empty string does not clear a choice (ServiceNow docs, REST API)."""
        changes: Row = {}
        words: Row = {}
        for name, given in values.items():
            column = table.columns.get(name)
            if column is None or column.kept or name in _UNWRITABLE:
                continue
            value = raw(given)
            if column.kind == "journal_input":
                words |= {name: spoken(value)} if spoken(value) else {}
            elif not column.journal and self.allowed(column, value) and (not guarded or value != old.get(name, "")):
                changes[name] = fitted(column, value)
        return {name: value for name, value in changes.items() if value != old.get(name, "")}, words

    def allowed(self, column: Column, value: str) -> bool:
        if column.choice and not value:
            return False
        if column.numeric:
            return not value or bool(_WHOLE.fullmatch(value))
        if column.kind == "glide_date_time":
            return not value or is_stamp(value)
        if column.kind == "glide_date":
            return not value or is_stamp(f"{value} 00:00:00")
        return column.kind != "boolean" or value in ("true", "false")

    # -- what a write leaves behind

    def audit(self, table: Table, old: Row, row: Row, changes: Row, by: str, at: datetime) -> None:
        kept = self.histories[row["sys_id"]].changes
        for name, value in changes.items():
            self.audited(table, row, name, old.get(name, ""), value, by, at)
            shown = [self.shown(table.columns[name], v) for v in (old.get(name, ""), value)]
            kept.append({"at": at, "by": by, "field": name, "old": shown[0], "new": shown[1]})

    def audited(self, table: Table, row: Row, name: str, old: str, new: str, by: str, at: datetime) -> None:
        entry = {
            "tablename": table.name,
            "documentkey": row["sys_id"],
            "fieldname": name,
            "oldvalue": old,
            "newvalue": new,
            "user": by,
            "record_checkpoint": row.get("sys_mod_count", "0"),
        }
        self.data.insert("sys_audit", entry, by, at)

    def shown(self, column: Column, value: str) -> str:
        """A value as item() shows it: a reference by its display value, anything else raw."""
        target = self.data.target(column, value) if column.kind == "reference" else None
        return target[1].get(target[0].display, "") if target else value

    def speak(self, table: Table, row: Row, words: Row, by: str, at: datetime) -> None:
        for element, text in words.items():
            self.audited(table, row, element, "", text, by, at)
            self.journal(table, row["sys_id"], element, text, by, at)

    def journal(self, table: Table, id: str, element: str, text: str, by: str, at: datetime) -> str:
        entry = {"name": table.name, "element": element, "element_id": id, "value": text}
        stored = self.data.insert("sys_journal_field", entry, by, at)
        remark = {"id": stored["sys_id"], "at": at.astimezone(UTC), "by": by, "channel": element, "text": text}
        self.histories[id].comments.append(remark)
        self.mention(id, stored["sys_id"], text, by)
        return stored["sys_id"]

    def mention(self, task: str, entry: str, text: str, by: str) -> None:
        """An entry notifies the active users whom it calls as ``@[sys_id:name]``, also where it came through the API,
        but for its author (ServiceNow Community, "@mentions through API")."""
        users = self.data.tables["sys_user"].rows
        for id in _MENTION.findall(text):
            user = users.get(id)
            if user and user.get("active") != "false" and user.get("user_name") != by:
                self.data.mentioned.append((task, entry, id))


def raw(given: Any) -> str:
    """A JSON value as the instance stores it: everything is a string. A reference may come as link and value."""
    if isinstance(given, dict):
        given = given.get("value", "")
    if given is None:
        return ""
    if isinstance(given, bool):
        return "true" if given else "false"
    return storable(str(given))


def storable(text: str) -> str:
    """Text as the database takes it: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def spoken(text: str) -> str:
    """A journal entry is cut at NUL, and blanks at its end are dropped."""
    return text.split("\x00")[0].rstrip()


def fitted(column: Column, value: str) -> str:
    """Text longer than the column is cut without a word."""
    limited = column.kind in ("string", "reference", "GUID") or column.reference
    return value[: column.max_length] if limited and column.kind != "glide_list" else value
