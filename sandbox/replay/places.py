"""Where the log is played: three trackers set up as the log's own organisation would have them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sandbox.clock import SandboxClock
from sandbox.estate import SERVICENOW_PASSWORD, Estate
from sandbox.jira import IssueType, Jira, Project, Status, Transition, User, Workflow
from sandbox.jira.defaults import BOT, COMMON
from sandbox.servicenow import Model, ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import LEVELS

#: values as the instance of the log would have them; "-100" is a value of which it has no choice
STATES = {
    "1": "New",
    "2": "Active",
    "3": "Awaiting Problem",
    "4": "Awaiting User Info",
    "5": "Awaiting Evidence",
    "8": "Awaiting Vendor",
    "6": "Resolved",
    "7": "Closed",
}
PRIORITIES = {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low"}
#: (impact, urgency) -> priority as every row of the log has it; a high with a low, which nobody there ever combined but
#: which comes about where a developer's word and the log's meet, is as shipped
MATRIX = {
    ("1", "1"): "1",
    ("1", "2"): "2",
    ("2", "1"): "2",
    ("2", "2"): "3",
    ("1", "3"): "3",
    ("3", "1"): "3",
    ("2", "3"): "4",
    ("3", "2"): "4",
    ("3", "3"): "4",
}
NOTES_NEEDED = ("close_notes",)
EXTRA = (
    Column("u_symptom", "Symptom", table="incident"),
    Column("u_priority_confirmation", "Priority confirmation", "boolean", table="incident"),
)

TO_DO, DOING = Status("1", "To Do", "new"), Status("3", "In Progress", "indeterminate")
REVIEW = Status("4", "In Review", "indeterminate")
HOLD, DONE = Status("5", "On Hold", "indeterminate"), Status("6", "Done", "done")
CLEARS = ("resolution",)
#: any status from any other; finishing asks for a resolution
WORKFLOW = Workflow(
    (TO_DO, DOING, REVIEW, HOLD, DONE),
    (
        Transition("11", "Back to start", "To Do", clears=CLEARS),
        Transition("21", "Work", "In Progress", clears=CLEARS),
        Transition("31", "Review", "In Review", clears=CLEARS),
        Transition("41", "Hold", "On Hold", clears=CLEARS),
        Transition("51", "Finish", "Done", screen=("resolution",), required=("resolution",)),
    ),
)
BUG = IssueType("10004", "Bug", WORKFLOW, COMMON, COMMON)
DEVELOPERS = tuple(
    User(f"557058:dev-{n:03}", name, f"{name.split()[0].lower()}@example.org")
    for n, name in enumerate(("Ana Ruiz", "Ben Okafor", "Chen Wei", "Dana Webb", "Emil Brandt", "Fay Osei"), 1)
)
TESTERS = ("Gita Rao", "Hugo Lind", "Ines Prado", "Jon Vale", "Kira Soto")


def log_model() -> Model:
    """The incident table as the log shows it: Closed may go back to Active, closing asks for notes but, seven times,
    for no code, and nothing waits for the caller."""
    model = Model(states=dict(STATES), hold_reasons={}, on_hold="", awaiting_caller="", resumed="2", auto_close=None)
    model.inactive, model.final, model.matrix = ("7",), (), dict(MATRIX)
    model.mandatory = {"6": NOTES_NEEDED, "7": NOTES_NEEDED}
    codes = {f"code {n}": f"code {n}" for n in range(1, 18)}
    model.choices = {"impact": dict(LEVELS), "urgency": dict(LEVELS), "priority": dict(PRIORITIES), "close_code": codes}
    model.extra = EXTRA
    return model


def defect_tracker(clock: SandboxClock) -> Jira:
    everyone = frozenset(user.account_id for user in (BOT, *DEVELOPERS))
    project = Project("10000", "OPS", "Operations", (BUG,), roles={"Developers": everyone})
    return Jira("jira", clock, users=(BOT, *DEVELOPERS), projects=(project,))


def replay_estate(start: datetime, *, seed: int = 0, ports: Mapping[str, int] | None = None) -> Estate:
    """The three trackers on a clock that stands until it is moved."""
    clock = SandboxClock(start)
    users = {"lockstep": SERVICENOW_PASSWORD}
    servicenow = ServiceNow("servicenow", clock, users=users, model=log_model(), time_zone="UTC", seed=seed)
    return Estate(seed=seed, ports=ports, servicenow=servicenow, jira=defect_tracker(clock), clock=clock)


def replay_file() -> str:
    """The shipped configuration of the replay, addresses and state not filled in."""
    return (Path(__file__).parent.parent / "replay.toml").read_text(encoding="utf-8")
