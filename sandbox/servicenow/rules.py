"""Business rules and data policies of a task table: what a write brings with it, and what forbids it."""

from __future__ import annotations

from sandbox.servicenow.errors import Aborted, DataPolicy
from sandbox.servicenow.model import Model
from sandbox.servicenow.table import Row, Table


def before(model: Model, table: Table, row: Row, changes: Row, words: Row, by: Row, stamp: str) -> None:
    """Everything that runs before the write. ``row`` is the stored record (empty on insert), ``changes`` the raw
    values that will differ and are added to, ``words`` the journal entries written with it, ``by`` the author's
    sys_user row. Raises ``DataPolicy`` or ``Aborted``."""
    mirror_state(model, changes)
    resume_on_reply(model, row, changes, words, by)
    keep_final(model, row, changes)
    for rule in model.rules:
        rule(row, changes, by.get("user_name", ""))
    mirror_state(model, changes)
    leave_hold(model, row, changes)
    mark_resolution(model, row, changes, by, stamp)
    mark_closure(model, row, changes, by, stamp)
    count_reopening(model, row, changes, by, stamp)
    count_reassignment(row, changes)
    compute_priority(model, row, changes)
    demand(model, table, row, changes, words)


def mirror_state(model: Model, changes: Row) -> None:
    if not model.mirror:
        return
    if "state" in changes:
        changes[model.mirror] = changes["state"]
    elif model.mirror in changes:
        changes["state"] = changes[model.mirror]


def resume_on_reply(model: Model, row: Row, changes: Row, words: Row, by: Row) -> None:
    """A reply of the caller takes the incident off hold (ServiceNow docs, Incident Management)."""
    waits = row.get("state") == model.on_hold and row.get("hold_reason") == model.awaiting_caller
    replied = words.get("comments") and by["sys_id"] == row.get("caller_id")
    if model.reply_resumes and model.awaiting_caller and waits and replied and "state" not in changes:
        changes["state"] = model.resumed
        mirror_state(model, changes)


def keep_final(model: Model, row: Row, changes: Row) -> None:
    if row.get("state") in model.final and changes.get("state", row["state"]) != row["state"]:
        raise Aborted(f"Prevent reopening of closed {model.label.lower()}", model.table)


def leave_hold(model: Model, row: Row, changes: Row) -> None:
    if "state" not in changes or not model.leaving_hold_clears_reason or not model.hold_reasons:
        return
    if changes["state"] != model.on_hold and (row.get("hold_reason") or changes.get("hold_reason")):
        changes["hold_reason"] = ""


def mark_resolution(model: Model, row: Row, changes: Row, by: Row, stamp: str) -> None:
    if changes.get("state") == model.resolved and "resolved_at" in columns_of(model):
        changes.update(resolved_at=stamp, resolved_by=by["sys_id"])


def columns_of(model: Model) -> frozenset[str]:
    return frozenset({"resolved_at", "resolved_by", "reopen_count"}) if model.table == "incident" else frozenset()


def mark_closure(model: Model, row: Row, changes: Row, by: Row, stamp: str) -> None:
    """An item in an inactive state is not active; one that is left again is."""
    if "state" not in changes:
        return
    ends = changes["state"] in model.inactive
    changes["active"] = "false" if ends else "true"
    if ends:
        changes.update(closed_at=stamp, closed_by=by["sys_id"])
    elif row.get("closed_at"):
        changes.update(closed_at="", closed_by="")


def count_reopening(model: Model, row: Row, changes: Row, by: Row, stamp: str) -> None:
    over = (model.resolved, model.closed)
    reopened = row.get("state") in over and "state" in changes and changes["state"] not in over
    if reopened and "reopen_count" in columns_of(model):
        changes.update(reopen_count=one_more(row, "reopen_count"), reopened_by=by["sys_id"], reopened_time=stamp)
        changes.update(resolved_at="", resolved_by="")


def count_reassignment(row: Row, changes: Row) -> None:
    group = row.get("assignment_group")
    if group and changes.get("assignment_group", group) != group:
        changes["reassignment_count"] = one_more(row, "reassignment_count")


def one_more(row: Row, counter: str) -> str:
    return str(int(row.get(counter) or 0) + 1)


def compute_priority(model: Model, row: Row, changes: Row) -> None:
    """A priority that is written is overwritten by the matrix of impact and urgency."""
    now = {**row, **changes}
    computed = model.matrix.get((now.get("impact", ""), now.get("urgency", "")), now.get("priority", ""))
    changes.pop("priority", None)
    if computed != row.get("priority", ""):
        changes["priority"] = computed


def demand(model: Model, table: Table, row: Row, changes: Row, words: Row) -> None:
    """Data policies: the fields that the resulting state needs, the words that Awaiting Caller needs when it is
    entered."""
    now = {**row, **changes}
    needed = [field for field in model.mandatory.get(now.get("state", ""), ()) if not now.get(field)]
    entered = {"state", "hold_reason"} & set(changes) and now.get("state") == model.on_hold
    waits = entered and model.awaiting_caller and now.get("hold_reason") == model.awaiting_caller
    if waits and model.caller_words_needed and not words.get("comments"):
        needed.append("comments")
    if needed:
        raise DataPolicy([table.columns[field].label if field in table.columns else field for field in needed])
