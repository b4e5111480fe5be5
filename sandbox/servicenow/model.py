"""What an admin configures of a task table: states, choices, mandatory fields, business rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.servicenow.columns import Column

#: ``rule(row, changes, by)``: a business rule before the write. ``row`` is the stored record, ``changes`` what the
#: write would change, raw; it may add to them, or raise ``errors.Aborted``
BusinessRule = Callable[[dict[str, str], dict[str, str], str], None]


@dataclass(frozen=True, slots=True)
class Later:
    """What an asynchronous business rule or the SLA engine writes once ``delay`` has passed; raw values."""

    delay: timedelta
    values: Mapping[str, str]
    by: str = "system"


#: ``rule(before, after, by)``: runs after a write, with the record as it was (empty at its creation) and as it is
AfterRule = Callable[[dict[str, str], dict[str, str], str], Iterable[Later]]


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    """Who gets a record that nobody has (sysrule_assignment): the group or the person named, where the record holds
    the raw values of ``when``."""

    when: Mapping[str, str]
    group: str = ""
    person: str = ""


HOLD_REASONS = {"1": "Awaiting Caller", "3": "Awaiting Problem", "4": "Awaiting Vendor", "5": "Awaiting Change"}
CLOSE_CODES = (
    "Duplicate",
    "Known error",
    "No resolution provided",
    "Resolved by caller",
    "Resolved by change",
    "Resolved by problem",
    "Resolved by request",
    "Solution provided",
    "Workaround provided",
    "User error",
)
LEVELS = {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}
PRIORITIES = {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low", "5": "5 - Planning"}
#: (impact, urgency) -> priority, as shipped
MATRIX = {
    ("1", "1"): "1",
    ("1", "2"): "2",
    ("1", "3"): "3",
    ("2", "1"): "2",
    ("2", "2"): "3",
    ("2", "3"): "4",
    ("3", "1"): "3",
    ("3", "2"): "4",
    ("3", "3"): "5",
}
CATEGORIES = {
    "inquiry": "Inquiry / Help",
    "software": "Software",
    "hardware": "Hardware",
    "network": "Network",
    "database": "Database",
}


@dataclass
class Model:
    """A task table. The defaults are the incident as shipped (ServiceNow docs, Incident Management).

    ``states`` are value -> label; a state may lack a choice and is then shown by its value. ``mandatory`` are data
    policies: state value -> fields that must be filled while an item is in it. ``hold_reasons`` empty: the table has
    no hold reasons. ``final``: states that cannot be left. ``mirror`` repeats the state. ``auto_close``: how long an
    item stays resolved before the instance closes it (``None``: for ever). ``comments_bump``: whether a journal entry
    counts as an update of the task. ``rules`` run before a write, ``after`` behind it; ``assignments`` give out what
    nobody has, the first that fits. ``unique``: columns of which an admin made the values unique; the correlation
    fields are not, as shipped. ``views``: the fields of a UI view by its name (sysparm_view).
    """

    table: str = "incident"
    label: str = "Incident"
    prefix: str = "INC"
    states: dict[str, str] = field(
        default_factory=lambda: {
            "1": "New",
            "2": "In Progress",
            "3": "On Hold",
            "6": "Resolved",
            "7": "Closed",
            "8": "Canceled",
        }
    )
    initial: str = "1"
    on_hold: str = "3"
    hold_reasons: dict[str, str] = field(default_factory=lambda: dict(HOLD_REASONS))
    awaiting_caller: str = "1"
    resumed: str = "2"
    resolved: str = "6"
    closed: str = "7"
    inactive: tuple[str, ...] = ("7", "8")
    final: tuple[str, ...] = ("7",)
    mirror: str = "incident_state"
    matrix: dict[tuple[str, str], str] = field(default_factory=lambda: dict(MATRIX))
    choices: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            "impact": dict(LEVELS),
            "urgency": dict(LEVELS),
            "severity": dict(LEVELS),
            "priority": dict(PRIORITIES),
            "category": dict(CATEGORIES),
            "close_code": {code: code for code in CLOSE_CODES},
            "contact_type": {"phone": "Phone", "email": "Email", "self-service": "Self-service"},
        }
    )
    mandatory: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"6": ("close_code", "close_notes"), "7": ("close_code", "close_notes")}
    )
    extra: tuple[Column, ...] = ()
    rules: tuple[BusinessRule, ...] = ()
    after: tuple[AfterRule, ...] = ()
    assignments: tuple[AssignmentRule, ...] = ()
    unique: tuple[str, ...] = ()
    views: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reply_resumes: bool = True
    caller_words_needed: bool = True
    leaving_hold_clears_reason: bool = True
    auto_close: timedelta | None = timedelta(days=7)
    comments_bump: bool = True

    def all_choices(self) -> dict[str, dict[str, str]]:
        """Every choice list of the table, state and hold reason included."""
        mirrored = {self.mirror: self.states} if self.mirror else {}
        held = {"hold_reason": self.hold_reasons} if self.hold_reasons else {}
        return {**self.choices, "state": self.states, **mirrored, **held}

    def spelled(self, row: dict[str, str]) -> str:
        """A record's state as people say it: label, or label and hold reason."""
        state = row.get("state", "")
        label = self.states.get(state, state)
        reason = row.get("hold_reason", "") if state == self.on_hold else ""
        return f"{label}:{self.hold_reasons.get(reason, reason)}" if reason else label

    def spelling(self, text: str) -> dict[str, str]:
        """The state fields that ``text`` (a label, ``label:hold reason`` or a raw value) stands for."""
        label, _, reason = text.partition(":")
        values = {name: value for value, name in self.states.items()}
        reasons = {name: value for value, name in self.hold_reasons.items()}
        found = {"state": values.get(label, label)}
        return {**found, "hold_reason": reasons.get(reason, reason)} if reason else found


def incident_model() -> Model:
    """The incident as shipped."""
    return Model()


def problem_model() -> Model:
    """The problem as shipped (ServiceNow docs, Problem Management)."""
    states = {
        "101": "New",
        "102": "Assess",
        "103": "Root Cause Analysis",
        "104": "Fix in Progress",
        "106": "Resolved",
        "107": "Closed",
    }
    codes = ("Fix Applied", "Risk Accepted", "Duplicate", "Canceled")
    model = Model("problem", "Problem", "PRB", states, "101", "", {}, "", "", "106", "107", ("107",), ("107",))
    model.mirror, model.auto_close = "problem_state", None
    model.choices = {**model.choices, "resolution_code": {code.lower().replace(" ", "_"): code for code in codes}}
    model.mandatory = {"106": ("resolution_code",)}
    return model
