"""An Azure DevOps project with requests of their own process, and two sprints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.azure_devops import AzureDevOps, Field
from sandbox.azure_devops.process import SCRUM, inherited
from sandbox.clock import SandboxClock
from sandbox.premises.people import made, persons, tokens

#: Scrum, and requests with states of their own
PROCESS = inherited(
    SCRUM,
    "myTC",
    "Request | New:Proposed:New, In Planning:InProgress:Triage started, In Progress:InProgress:Work started, "
    "Done:Completed:Delivered, Moved to Backlog:Completed:A feature request, Rejected:Removed:Not our problem",
)
HOLLY, SERGIO, AMARA = PEOPLE = ("holly.hart@example.org", "sergio.moreau@example.org", "amara.obi@example.org")
FORM, CLIENT = "forms.flow@example.org", "dana.client@example.com"


def trackers(clock: SandboxClock) -> dict[str, Any]:
    azure = AzureDevOps(
        "azure",
        clock,
        projects=("myTC",),
        process="myTC",
        processes=(PROCESS,),
        iterations={"myTC": ("Sprint 1", "Sprint 2")},
        people=persons(*PEOPLE),
        pats=tokens(*PEOPLE, FORM),
        custom=[Field("Custom.RequestType", "Request Type"), Field("Custom.ClientEmail", "Client Email")],
    )
    for node in azure.org.nodes.by_id.values():
        if node.name.startswith("Sprint"):
            node.start = clock.now() + timedelta(days=-2 if node.name == "Sprint 1" else 12)
            node.finish = node.start + timedelta(days=11)
    azure.org.teams.all[0].members += PEOPLE
    return {"azure": azure}


def first_steps(urls: Mapping[str, str]) -> str:
    """The form makes a request."""
    fields = {
        "System.Title": "API answers 500",
        "Custom.RequestType": "Production support",
        "Custom.ClientEmail": CLIENT,
    }
    return made(urls["azure"], "myTC", "Request", fields, FORM)
