"""The demo's story: what the people of three organisations do, scene by scene, on the sandbox's clock."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.estate import Estate

#: a Monday morning, eight o'clock in California
MORNING = datetime(2026, 11, 16, 16, 0, tzinfo=UTC)
TRIAGE, CALLER, ANA, BEN, CHEN = "rita.cole", "sam.hill", "Ana Ruiz", "Ben Okafor", "Chen Wei"


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens, told in a sentence or two, and the acts behind it. A pass of the bot follows each scene."""

    title: str
    told: str
    act: Callable[[], None]


def readable(text: str) -> str:
    """A comment as its tracker shows it: escapes and tags gone."""
    return (
        html.unescape(re.sub(r"<br ?/?>", "\n", re.sub(r"\\([^\w\s])", r"\1", text)))
        .replace("<div>", "")
        .replace("</div>", "")
    )


class Story:
    """Two API failures and a slow mail; one of them becomes a defect and is followed to its end."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.incidents: dict[str, str] = {}

    def scenes(self) -> Iterator[Scene]:
        yield Scene(
            "Three incidents are logged",
            "`500 responses on API`, `504 errors on API`, `Password mail arrives late`.",
            self.logged,
        )
        yield Scene(
            "Triage makes one a defect",
            "Rita takes `500 responses on API` into work as a software fault, and leaves a private work note.",
            self.triaged,
        )
        yield Scene("Development takes it up", "In Jira, Ana labels the defect `dev`.", self.labelled)
        yield Scene(
            "People talk on three sides",
            "Sam asks in ServiceNow, Ana answers in Jira, Chen reports from Azure DevOps, with a taxpayer's number.",
            self.discussed,
        )
        yield Scene("The caller raises the urgency", "Impact and urgency go to high in ServiceNow.", self.raised)
        yield Scene("Nobody moves for a working day", "The first step of the ladder falls due.", self.stalled)
        yield Scene(
            "Nor for another", "The second step: escalation set to High, a card to the triage channel.", self.again
        )
        yield Scene(
            "A developer finishes", "Ben writes the resolution into Jira and resolves the defect.", self.finished
        )

    def logged(self) -> None:
        snow = self.estate.servicenow
        for title, group in (
            ("500 responses on API", "API Support"),
            ("504 errors on API", "API Support"),
            ("Password mail arrives late", "API Support"),
        ):
            fields = {
                "short_description": title,
                "description": f"Reported by the county service desk: {title.lower()}.",
                "assignment_group": group,
                "impact": "2",
                "urgency": "2",
            }
            self.incidents[title] = snow.create(fields, by=CALLER)
            self.later(minutes=4)

    def triaged(self) -> None:
        snow, id = self.estate.servicenow, self.incidents["500 responses on API"]
        self.later(minutes=20)
        snow.update(id, {"category": "software", "assigned_to": TRIAGE}, by=TRIAGE)
        snow.move(id, "In Progress", by=TRIAGE)
        snow.comment(id, "Contract penalty applies from Friday. Do not tell the county.", TRIAGE, "work_notes")

    def labelled(self) -> None:
        self.later(minutes=10)
        self.estate.jira.update(self.defect, {"labels": [*self.estate.jira.item(self.defect)["labels"], "dev"]}, by=ANA)

    def discussed(self) -> None:
        snow, id = self.estate.servicenow, self.incidents["500 responses on API"]
        self.later(minutes=15)
        snow.comment(id, "Is there a workaround? The counters open at nine.", CALLER)
        self.later(minutes=6)
        self.estate.jira.comment(self.defect, "Retrying once helps. The pool runs dry after a deploy.", ANA)
        self.later(minutes=8)
        self.estate.azure.comment(self.pbi, "Reproduced with taxpayer 123-45-6789 on node 2.", CHEN)

    def raised(self) -> None:
        self.later(minutes=30)
        self.estate.servicenow.update(
            self.incidents["500 responses on API"], {"impact": "1", "urgency": "1"}, by=TRIAGE
        )

    def stalled(self) -> None:
        self.estate.clock.set(MORNING + timedelta(days=1, hours=3))

    def again(self) -> None:
        self.estate.clock.set(MORNING + timedelta(days=2, hours=3))

    def finished(self) -> None:
        self.later(minutes=30)
        fixed = "Connection pool is sized before the deploy, and refilled in the background."
        self.estate.jira.update(self.defect, {"customfield_10044": fixed}, by=BEN)
        self.estate.jira.move(self.defect, "Done", by=BEN, resolution="Done")

    def conversations(self) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
        """What stands on the three items in the end: author, channel, words."""
        incident = self.incidents["500 responses on API"]
        for title, tracker, id in (
            ("The incident", self.estate.servicenow, incident),
            ("The defect", self.estate.jira, self.defect),
            ("The PBI", self.estate.azure, self.pbi),
        ):
            yield title, [(self.name(c["by"]), c["channel"], readable(c["text"])) for c in tracker.comments(id)]

    def name(self, account: str) -> str:
        user = self.estate.jira.site.users.get(account)
        return user.name if user else account

    # ── where things are ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def defect(self) -> str:
        """The counterpart that was opened in Jira."""
        return self.estate.jira.ids()[-1]

    @property
    def pbi(self) -> str:
        return self.estate.azure.ids()[-1]

    def later(self, **span: int) -> None:
        self.estate.clock.advance(timedelta(**span))
