"""The portal's incidents, problems and defects: a ServiceNow queue, and a Jira project with types of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.jira import Jira, defaults
from sandbox.jira.site import Field, IssueType, Named, Project, Status, Transition, Version, Workflow
from sandbox.premises.people import accounts, created
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import Model

QUEUE, QUESTIONS = "Tier 3 App Support – BenefitsCal", "Tier 3 App Support – BenefitsCal Questions (DLT)"
TARA, PIET, SAM = "tara.lind", "piet.maas", "sam.hill"
CATEGORIES = ("Application Summary", "Apply for Benefits", "Dashboard", "Documents", "Help Center", "Login")
SEVERITIES = ("2-Normal/Medium", "3-Normal/Low", "4-Cosmetic")
RELEASES = ("23.09.21", "23.10.19", "23.11.09", "23.11.30", "23.12.19", "24.01.25")
AREAS = ("User Error Handling", "Exception Handling", "Application Summary", "Help Center")
REQUEST_STATES = ("New", "Assigned", "In Review", "Reopened", "Completed", "Rejected", "Withdrawn")


def trackers(clock: SandboxClock) -> dict[str, Any]:
    """The instance and the site as the report's people have them, empty."""
    shown = {name: name for name in CATEGORIES}
    extra = (
        Column("u_follow_up", "Follow up", "boolean"),
        Column("u_impact", "Impact on users", "string", 200),
        Column("u_target_release", "Target release"),
    )
    model = Model(extra=extra, auto_close=None, mandatory={}, caller_words_needed=False)
    model.choices = {**model.choices, "category": shown}
    snow = ServiceNow("servicenow", clock, users=accounts(TARA, PIET, SAM), model=model)
    for group in (QUEUE, QUESTIONS, "CalSAWS", "County Help Desk"):
        snow.data.named("sys_user_group", group)
    snow.data.named("sys_user", "tier3.desk")
    snow.data.named("cmdb_ci", "BenefitsCal")
    return {"servicenow": snow, "jira": jira(clock)}


def jira(clock: SandboxClock) -> Jira:
    severity = Field(
        "customfield_10042", "Severity", "option", tuple(Named(f"9{n}", s) for n, s in enumerate(SEVERITIES))
    )
    fields = tuple(severity if one.id == severity.id else one for one in defaults.FIELDS)
    defect = replace(defaults.BUG, id="20001", name="Production Defect")
    enhancement = replace(defaults.STORY, id="20002", name="Enhancement")
    steps = tuple(Transition(f"7{n}", name, name) for n, name in enumerate(REQUEST_STATES))
    flow = Workflow(tuple(Status(f"2001{n}", name) for n, name in enumerate(REQUEST_STATES)), steps)
    asked = tuple(
        IssueType(f"2100{n}", name, flow, defaults.COMMON, defaults.COMMON)
        for n, name in enumerate(("SCIRFRA", "SCERFRA", "SIRFRA", "SARRA", "CRPC"))
    )
    versions = tuple(Version(f"3000{n}", name) for n, name in enumerate(RELEASES))
    areas = tuple(Named(f"4000{n}", name) for n, name in enumerate(AREAS))
    roles = {"Developers": frozenset(user.account_id for user in defaults.USERS), "Administrators": frozenset[str]()}
    project = Project("10000", "CSPM", "Portal Maintenance", (defect, enhancement, *asked), versions, areas, roles)
    return Jira("jira", clock, projects=(project,), fields=fields)


def first_steps(urls: Mapping[str, str]) -> str:
    """A county logs an incident in the queue of Tier 3."""
    incident = {"short_description": "Documents cannot be uploaded", "assignment_group": QUEUE, "category": "Documents"}
    return created(urls["servicenow"], "incident", incident, SAM)
