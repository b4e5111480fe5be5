"""Counties' incidents in ServiceNow with their columns, and a Jira whose defects have two fields that are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.jira import Jira, defaults
from sandbox.jira.site import Field, IssueType
from sandbox.premises.people import accounts, created
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import Model

PEOPLE = ("petra.lind", "omar.haddad", "rosa.delgado", "martin.wu", "claire.boyd", "vera.kask")
#: the columns of the playbook's file that an incident does not have as shipped
COLUMNS = (
    Column("u_county", "County", table="incident"),
    Column("u_known_incidents", "Known incidents", max_length=255, table="incident"),
    Column("u_production_defect", "Production defect", "boolean", default="false", table="incident"),
    Column("u_target_release", "Target release", max_length=255, table="incident"),
    Column("u_concern", "Concern", max_length=100, table="incident"),
)
ADDED = (Field("customfield_10061", "Incidents", "number"), Field("customfield_10062", "Affected Counties", "textarea"))


def trackers(clock: SandboxClock) -> dict[str, Any]:
    servicenow = ServiceNow("servicenow", clock, users=accounts(*PEOPLE), model=Model(extra=COLUMNS))
    servicenow.data.named("sys_user_group", "Production Support")
    return {"servicenow": servicenow, "jira": jira(clock)}


def jira(clock: SandboxClock) -> Jira:
    screen = (*defaults.DEFECT_SCREEN, *(field.id for field in ADDED))
    bug = IssueType("10004", "Bug", defaults.DEFECT_WORKFLOW, screen, screen)
    projects = [replace(one, types=(bug, *one.types[1:])) if one.key == "CSPM" else one for one in defaults.projects()]
    return Jira("jira", clock, projects=projects, fields=(*defaults.FIELDS, *ADDED))


def first_steps(urls: Mapping[str, str]) -> str:
    """A county logs an incident that is a production defect."""
    incident = {
        "short_description": "Renewal batch stops at page two",
        "assignment_group": "Production Support",
        "u_county": "Alameda",
        "u_production_defect": "true",
    }
    return created(urls["servicenow"], "incident", incident, "petra.lind")
