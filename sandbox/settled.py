"""Trackers that people have worked in for a while: our account set up as README.md asks, an incident that was talked
about, and a defect in every status, so that rights, journals and steps can be seen."""

from __future__ import annotations

from sandbox.estate import Estate
from sandbox.servicenow import ServiceNow

#: the statuses after the first, in the order of the demo's workflow
STATUSES = ("In Progress", "In Review", "Done")


def settle(estate: Estate) -> None:
    """Fills the default trackers of an estate. Nothing of it is due to be linked."""
    snow, jira = estate.servicenow, estate.jira
    our_account(snow)
    incident = snow.create({"short_description": "Mail is late", "assignment_group": "API Support"}, by="sam.hill")
    snow.comment(incident, "It came after all.", "sam.hill")
    for last, name in enumerate(("To Do", *STATUSES)):
        id = jira.create({"summary": f"A defect of long ago, {name}"}, by="Ana Ruiz")
        for status in STATUSES[:last]:
            jira.move(id, status, by="Ana Ruiz", **({"resolution": "Done"} if status == "Done" else {}))


def our_account(snow: ServiceNow) -> None:
    """Lockstep's user as README.md asks for it."""
    snow.set_user("lockstep", time_zone="GMT", web_service_access_only="true")
    snow.grant("lockstep", "itil")
    snow.rights.strict_queries = True
