"""Clients' tickets in ServiceNow with a state Elevating, and the pipeline's own type of work item in Azure DevOps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure_devops import AzureDevOps, Field
from sandbox.azure_devops.process import SCRUM, inherited
from sandbox.clock import SandboxClock
from sandbox.premises.people import accounts, created, persons, tokens
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import CATEGORIES, Model

PROCESS = inherited(
    SCRUM,
    "Level 2",
    "Level 2 Issue | Validating:Proposed:New, Replicating:InProgress:Proven, Estimating:InProgress:Replicated, "
    "Fixing:InProgress:Estimated, Verifying:InProgress:Fixed, In Production:Completed:Delivered, "
    "Closed Unresolved:Completed:Given up, De-escalated:Completed:Given back",
)
STATES = {"1": "New", "2": "In Progress", "9": "Elevating", "3": "On Hold", "6": "Resolved", "7": "Closed"}
BUGS, INFRASTRUCTURE = "Bugs/Defects", "Infrastructure & Networking Issues"
LEVEL2 = (BUGS, INFRASTRUCTURE, "Security Issues", "Data Issues")
OONA, QUENTIN, PETRA, TARIQ = PEOPLE = tuple(
    f"{one}@example.org" for one in ("oona.park", "quentin.reyes", "petra.moss", "tariq.aziz")
)
CLARA, CLIENT = "clara.sands", "dana@client.example.com"
COLUMNS = (
    Column("u_client_email", "Client Email", max_length=100),
    Column("u_company_tier", "Company Tier", "integer"),
    Column("u_client_target_date", "Client Target Date", "glide_date"),
    Column("u_target_url", "Target URL", max_length=1024),
    Column("u_steps_to_reproduce", "Steps to Reproduce", max_length=4000),
    Column("u_workaround", "Workaround", max_length=4000),
    Column("u_pull_request", "Pull Request"),
    Column("u_pull_request_url", "Pull Request Address", max_length=1024),
)
FIELDS = (
    Field("Custom.Category", "Category"),
    Field("Custom.CompanyTier", "Company Tier", "integer"),
    Field("Custom.ClientTargetDate", "Client Target Date", "dateTime"),
    Field("Custom.TargetURL", "Target URL"),
    Field("Custom.StepsToReproduce", "Steps to Reproduce the Issue"),
    Field("Custom.AcceptanceCriteria", "Acceptance Criteria"),
    Field("Custom.Severity", "Severity"),
    Field("Custom.OpsCanReproduce", "Ops Can Reproduce the Issue"),
    Field("Custom.AffectsOtherClients", "Issue affects other clients"),
    Field("Custom.IssueWorkaround", "Issue Workaround"),
    Field("Custom.DeEscalationReason", "De-escalation Reason"),
    Field("Custom.ResolutionNotes", "Resolution Notes"),
)


def trackers(clock: SandboxClock) -> dict[str, Any]:
    model = Model(states=STATES, extra=COLUMNS)
    model.choices = {**model.choices, "category": {**CATEGORIES, **{one: one for one in LEVEL2}}}
    servicenow = ServiceNow("servicenow", clock, users=accounts(CLARA), model=model)
    servicenow.data.named("sys_user_group", "Client Support")
    azure = AzureDevOps(
        "azure",
        clock,
        projects=("Product",),
        process="Level 2",
        processes=(PROCESS,),
        people=persons(*PEOPLE),
        pats=tokens(*PEOPLE),
        custom=FIELDS,
    )
    return {"servicenow": servicenow, "azure": azure}


def first_steps(urls: Mapping[str, str]) -> str:
    """Client Support elevates a ticket."""
    ticket = {
        "short_description": "The export fails",
        "assignment_group": "Client Support",
        "category": BUGS,
        "state": "Elevating",
        "u_client_email": CLIENT,
        "u_company_tier": "2",
    }
    return created(urls["servicenow"], "incident", ticket, CLARA)
