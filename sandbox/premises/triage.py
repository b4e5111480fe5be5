"""Customer service cases in ServiceNow; the product's bugs and the consultants' tasks in two Azure DevOps projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure_devops import AzureDevOps, Field
from sandbox.clock import SandboxClock
from sandbox.premises.people import accounts, created, persons, tokens
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import Model

TABLE = "sn_customerservice_case"
#: the columns that the playbook's file names besides those of every task
EXTRA = (
    *(f"u_{name}" for name in ("secondary_owner", "project_task", "triage", "product", "environment", "contact_email")),
    *(f"u_{name}" for name in ("steps_to_reproduce", "expected_result", "actual_result")),
    *(f"u_{name}" for name in ("time_spent", "time_remaining")),
)
STATES = {
    "1": "New",
    "10": "Open",
    "11": "In Triage",
    "12": "In Development",
    "18": "Awaiting Info",
    "6": "Resolved",
    "3": "Closed",
    "7": "Cancelled",
}
CUSTOM = ("HelpWanted", "HelpDetails", "SecondaryOwner", "CaseNumber", "ProjectManager", "Product", "ExpectedResult")
CLEO, PAUL, TARA, DEV = PEOPLE = tuple(
    f"{name}@example.org" for name in ("cleo.marsh", "paul.mendes", "tara.quinn", "dev.sharma")
)
CUSTOMER = "pat.buyer@example.com"


def case_table() -> Model:
    """Customer service cases with the states that the playbook's head asks for, and priorities that people set."""
    columns = [Column(name, name.removeprefix("u_").replace("_", " "), "string", 4000, table=TABLE) for name in EXTRA]
    priority = Column("priority", "Priority", "integer", choice=True, table=TABLE)
    made = Model(TABLE, "Case", "CS", STATES, "1", "", {}, "", "", "6", "3", ("3", "7"), ("3",), "", {})
    made.extra, made.mandatory, made.auto_close = (*columns, priority), {}, None
    return made


def trackers(clock: SandboxClock) -> dict[str, Any]:
    users = accounts("cleo.marsh", "lena.fox", "tara.quinn")
    servicenow = ServiceNow("servicenow", clock, users=users, model=case_table())
    for group in ("Support L1", "Triage", "Development"):
        servicenow.data.named("sys_user_group", group)
    azure = AzureDevOps(
        "azure",
        clock,
        projects=("Product", "Services"),
        process={"Product": "Scrum", "Services": "Agile"},
        areas={"Product": ("Customer Cases",)},
        people=persons(*PEOPLE),
        pats=tokens(*PEOPLE),
        custom=[
            *(Field(f"Custom.{name}", name) for name in (*CUSTOM, "ActualResult", "Resolution")),
            Field("Microsoft.VSTS.Scheduling.CompletedWork", "Completed Work", "double"),
        ],
    )
    for team in azure.org.teams.all:
        team.members += PEOPLE
    return {"servicenow": servicenow, "azure": azure}


def first_steps(urls: Mapping[str, str]) -> str:
    """A consultant makes a case."""
    case = {
        "short_description": "The export is empty",
        "u_contact_email": CUSTOMER,
        "u_secondary_owner": "Cleo Marsh",
        "u_product": "Exports",
        "impact": "2",
        "priority": "2",
        "assignment_group": "Support L1",
    }
    return created(urls["servicenow"], TABLE, case, "cleo.marsh")
