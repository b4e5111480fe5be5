"""The people of Jira and Azure DevOps: seeded, they move, rank, rename and discuss what turns up on their side."""

from __future__ import annotations

import html
import random
from collections.abc import Callable

from sandbox.estate import Estate
from sandbox.replay.acts import Act
from sandbox.replay.places import DEVELOPERS, TESTERS, WORKFLOW
from sandbox.replay.speech import Speech

#: what they do, and how often of a hundred times
HABITS = {"comment": 46, "move": 24, "rank": 14, "rename": 4, "whisper": 6, "tend": 6}
DEFECT_STATES = tuple(status.name for status in WORKFLOW.statuses)
DEFECT_RANKS = ("Highest", "High", "Medium", "Low", "Lowest")
PBI_STATES = ("New", "Approved", "Committed", "Done", "Removed")
PBI_RANK = "Microsoft.VSTS.Common.Priority"


class Developer:
    """Acts on items of both sides, one act at a time."""

    def __init__(self, estate: Estate, chance: random.Random, speech: Speech) -> None:
        self.estate, self.chance, self.speech = estate, chance, speech

    def act(self, side: str, id: str, habit: str = "") -> Act:
        """Something one of them does to an item; ``habit`` names it, else chance does."""
        habit = habit or self.chance.choices(list(HABITS), list(HABITS.values()))[0]
        who = self.chance.choice([d.name for d in DEVELOPERS] if side == "defect" else TESTERS)
        done: Callable[[str, str, str], Act] = getattr(self, habit)
        return done(side, id, who)

    # -- words

    def comment(self, side: str, id: str, who: str) -> Act:
        channel = "everyone" if side == "defect" else "discussion"
        return self.say(side, id, self.speech.sentence("J" if side == "defect" else "A"), who, channel)

    def whisper(self, side: str, id: str, who: str) -> Act:
        """A remark for developers alone; Azure DevOps knows no such thing."""
        if side == "pbi":
            return self.comment(side, id, who)
        return self.say(side, id, self.speech.sentence("X"), who, "role:Developers")

    def say(self, side: str, id: str, text: str, who: str, channel: str) -> Act:
        if side == "defect":
            remark = self.estate.jira.comment(id, text, who, channel)
        else:
            remark = self.estate.azure.comment(id, html.escape(text, quote=False).replace("\n", "<br>"), who)
        return Act(self.estate.clock.now(), side, id, who, "comment", text=text, channel=channel, id=remark)

    # -- deeds

    def move(self, side: str, id: str, who: str) -> Act:
        now = self.value(side, id, "status", "System.State")
        state = self.chance.choice([s for s in (DEFECT_STATES if side == "defect" else PBI_STATES) if s != now])
        if side == "pbi":
            self.estate.azure.move(id, state, who)
            return self.done(side, id, who, "move", {"System.State": state})
        finish = {"resolution": "Done"} if state == "Done" else {}
        self.estate.jira.move(id, state, who, **finish)
        return self.done(side, id, who, "move", {"status": state})

    def rank(self, side: str, id: str, who: str) -> Act:
        now = self.value(side, id, "priority", PBI_RANK)
        options = DEFECT_RANKS if side == "defect" else ("1", "2", "3", "4")
        return self.set(side, id, who, "priority", PBI_RANK, self.chance.choice([o for o in options if o != now]))

    def rename(self, side: str, id: str, who: str) -> Act:
        subject = self.value(side, id, "summary", "System.Title").partition(" (")[0]
        return self.set(side, id, who, "summary", "System.Title", self.speech.title(subject))

    def tend(self, side: str, id: str, who: str) -> Act:
        """Something nobody else is told of."""
        number = str(self.chance.randint(1, 90))
        if side == "pbi":
            return self.set(side, id, who, "", "Microsoft.VSTS.Scheduling.Effort", number)
        return self.set(side, id, who, "duedate", "", f"2017-{int(number) % 12 + 1:02}-{int(number) % 28 + 1:02}")

    def set(self, side: str, id: str, who: str, in_jira: str, in_azure: str, value: str) -> Act:
        field = in_jira if side == "defect" else in_azure
        (self.estate.jira if side == "defect" else self.estate.azure).update(id, {field: value}, who)
        return self.done(side, id, who, "change", {field: value})

    def value(self, side: str, id: str, in_jira: str, in_azure: str) -> str:
        if side == "defect":
            return str(self.estate.jira.item(id)[in_jira])
        return str(self.estate.azure.item(id)[in_azure])

    def done(self, side: str, id: str, who: str, kind: str, fields: dict[str, str]) -> Act:
        return Act(self.estate.clock.now(), side, id, who, kind, fields)
