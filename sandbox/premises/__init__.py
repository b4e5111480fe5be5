"""Premises of the shipped playbooks: trackers with the tables, types, fields and people that each one's file names, so
that it can be tried by hand and told in a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.estate import Estate
from sandbox.premises import benefitscal, calsaws, level2, mytc, triage
from sandbox.settled import our_account

MAIL_PASSWORD = "right horse"
#: what each playbook needs: the trackers as ``Estate`` takes them
MADE: Mapping[str, Callable[[SandboxClock], dict[str, Any]]] = {
    "benefitscal": benefitscal.trackers,
    "calsaws": calsaws.trackers,
    "level2": level2.trackers,
    "mytc": mytc.trackers,
    "triage": triage.trackers,
}
#: how somebody begins the process from a shell, by the trackers' addresses
FIRST: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "benefitscal": benefitscal.first_steps,
    "calsaws": calsaws.first_steps,
    "level2": level2.first_steps,
    "mytc": mytc.first_steps,
    "triage": triage.first_steps,
}
#: the trackers of a playbook, by the address that it ships with
PLACES = {
    "servicenow": "https://example.service-now.com",
    "jira": "https://example.atlassian.net",
    "azure": "https://dev.azure.com/example",
}
_MAIL_SERVER = re.compile(r'^(server\s*=\s*)"[^"]*"', re.M)
_SECRET_LINE = re.compile(r'^(secret\s*=\s*\{ env = "LOCKSTEP_SECRET" \})', re.M)


class Premises(Estate):
    """An estate with the secrets that a playbook refers to; every Teams channel of it ends in the one hook."""

    def environment(self) -> dict[str, str]:
        hooks = dict.fromkeys(("TEAMS_SUPPORT_URL", "TEAMS_TRIAGE_URL", "HEARTBEAT_URL"), self.urls["teams"])
        return {**super().environment(), "MAIL_PASSWORD": MAIL_PASSWORD, **hooks}

    def filled_in(self, text: str, state: str, mail: int, *more: str) -> str:
        """A playbook's text with this estate's addresses, the mail server's port on loopback, and where its state is;
        ``more`` are further lines of its ``[bot]``."""
        for tracker, url in PLACES.items():
            text = text.replace(f'"{url}"', f'"{self.urls[tracker]}"')
        text = _MAIL_SERVER.sub(rf'\1"smtp://127.0.0.1:{mail}"', text)
        lines = "\n".join((f'state = "{state}"', *more))
        return _SECRET_LINE.sub(lambda found: f"{found[1]}\n{lines}", text, count=1)


def premises(name: str, ports: Mapping[str, int]) -> Premises:
    """The premises of a playbook, in real time. Somebody has talked in ServiceNow before, so that its journal shows."""
    clock = SandboxClock()
    made = Premises(clock=clock, ports=ports, **MADE[name](clock))
    our_account(made.servicenow)
    record = made.servicenow.create({"short_description": "Mail is late"}, by="sam.hill", table="problem")
    made.servicenow.comment(record, "It came after all.", "sam.hill")
    return made
