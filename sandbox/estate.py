"""Three trackers and a webhook's far end, side by side on loopback, with one clock, one log and one set of faults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sandbox.azure_devops import AzureDevOps
from sandbox.clock import SandboxClock, SkewedClock
from sandbox.faults import Faults
from sandbox.hook import Hook
from sandbox.jira import Jira
from sandbox.server import RequestLog, Server
from sandbox.servicenow import ServiceNow
from sandbox.wire import Tracker

#: what the integration accounts sign in with; secrets of a sandbox, so written out
SERVICENOW_PASSWORD = "servicenow-password"
JIRA_TOKEN = "jira-api-token"
AZURE_PAT = "azure-pat"
#: people who may act over HTTP as well, each with what signs them in
PEOPLE = {
    "servicenow": ("sam.hill", "sam-password"),
    "jira": ("ana@example.org", "ana-token"),
    "azure": ("", "chen-pat"),
}


class Estate:
    """ServiceNow, Jira and Azure DevOps as an organisation would have them, started together.

    ``start`` sets a clock that stands still until it is moved; without it the trackers live in real time. ``clocks``
    holds the own clock of each tracker by name; its ``skew`` may be set. Trackers may be given ready-made, and then
    keep the clock they were made with. ``ports`` fixes the ports by name, the others are free ones. With ``doors``
    closed there are no ports: the trackers are reached inside this process alone (``sandbox.inside``).
    """

    def __init__(
        self,
        start: datetime | None = None,
        *,
        seed: int = 0,
        ports: Mapping[str, int] | None = None,
        servicenow: ServiceNow | None = None,
        jira: Jira | None = None,
        azure: AzureDevOps | None = None,
        clock: SandboxClock | None = None,
        doors: bool = True,
    ) -> None:
        self.clock = clock or SandboxClock(start)
        self.faults = Faults(seed)
        self.log = RequestLog()
        given = {"servicenow": servicenow, "jira": jira, "azure": azure}
        self.clocks = {name: SkewedClock(self.clock) for name, tracker in given.items() if tracker is None}
        self.servicenow = servicenow or ServiceNow(
            "servicenow",
            self.clocks["servicenow"],
            users={"lockstep": SERVICENOW_PASSWORD, PEOPLE["servicenow"][0]: PEOPLE["servicenow"][1]},
        )
        if servicenow is None:
            self.servicenow.data.named("sys_user_group", "API Support")
        self.jira = jira or Jira("jira", self.clocks["jira"])
        self.azure = azure or AzureDevOps(
            "azure", self.clocks["azure"], pats={AZURE_PAT: "Lockstep", PEOPLE["azure"][1]: "Chen Wei"}
        )
        self.hook = Hook()
        wanted = ports or {}
        trackers: tuple[Tracker, ...] = (self.servicenow, self.jira, self.azure, self.hook)
        self.servers = {
            tracker.name: self.server(tracker, wanted.get(tracker.name, 0) if doors else None).start()
            for tracker in trackers
        }

    def server(self, tracker: Tracker, port: int | None) -> Server:
        return Server(tracker, self.clocks.get(tracker.name, self.clock), self.faults, self.log, port)

    @property
    def urls(self) -> dict[str, str]:
        """Where each tracker is, as an admin's file names it."""
        urls = {name: server.url for name, server in self.servers.items()}
        return {**urls, "azure": f"{urls['azure']}/example"}

    def environment(self) -> dict[str, str]:
        """The secrets that a file for this estate refers to."""
        return {
            "LOCKSTEP_SECRET": "sandbox-secret-that-signs",
            "SERVICENOW_PASSWORD": SERVICENOW_PASSWORD,
            "JIRA_TOKEN": JIRA_TOKEN,
            "AZURE_PAT": AZURE_PAT,
            "TEAMS_TRIAGE_URL": self.urls["teams"],
        }

    def first_steps(self) -> str:
        """How a person logs an incident that becomes a defect, from a shell."""
        user, password = PEOPLE["servicenow"]
        incident = '{"short_description": "500 responses on API", "assignment_group": "API Support", '
        incident += '"category": "software", "state": "2", "impact": "2", "urgency": "2"}'
        return (
            f"curl -u {user}:{password} -H 'Content-Type: application/json' -H 'Accept: application/json' "
            f"-d '{incident}' '{self.urls['servicenow']}/api/now/table/incident?sysparm_input_display_value=true'"
        )

    def file(self, state: str, text: str | None = None) -> str:
        """The demo's file, or ``text``, with this estate's addresses and the state's filled in."""
        filled = text if text is not None else (Path(__file__).parent / "demo.toml").read_text()
        for name, place in (("SERVICENOW", "servicenow"), ("JIRA", "jira"), ("AZURE", "azure")):
            filled = filled.replace(f'"{name}"', f'"{self.urls[place]}"')
        return filled.replace('"STATE"', f'"{state}"')

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()
