"""The people of three organisations: each act is drawn from a step's seed and done through the trackers' own doors."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from random import Random

from sandbox.estate import Estate
from sandbox.people.script import Step
from sandbox.replay.acts import SIDES, Act

CALLER, TRIAGE = "sam.hill", "rita.cole"
NAMES = {"incident": (CALLER, TRIAGE), "defect": ("Ana Ruiz", "Ben Okafor"), "pbi": ("Chen Wei",)}
STATES = {
    "incident": ("New", "In Progress", "On Hold:Awaiting Caller", "Resolved"),
    "defect": ("To Do", "In Progress", "In Review", "Done"),
    "pbi": ("New", "Approved", "Committed", "Done"),
}
TITLES = {"incident": "short_description", "defect": "summary", "pbi": "System.Title"}
RANKS = {
    "incident": [{"impact": str(i), "urgency": str(u)} for i in (1, 2, 3) for u in (1, 2, 3)],
    "defect": [{"priority": name} for name in ("Highest", "High", "Medium", "Low", "Lowest")],
    "pbi": [{"Microsoft.VSTS.Common.Priority": str(n)} for n in (1, 2, 3, 4)],
}
CHANNELS = {"incident": "comments", "defect": "everyone", "pbi": "discussion"}
#: channels from which no path leads
PRIVATE = {"incident": "work_notes", "defect": "role:Developers"}


class People:
    """``acts`` is what they did, in order: what the checker holds the trackers against. ``told`` is the same in words.
    Titles and remarks are numbered, so that each is itself."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.acts: list[Act] = []
        self.count = 0

    def do(self, step: Step) -> Sequence[Act]:
        """Carries a step out and returns what was done: nothing where there is nothing to do it to, or where the
        tracker's own rules refuse it."""
        before = len(self.acts)
        act: Callable[[Random], None] = getattr(self, step.kind)
        try:
            act(step.draw())
        except Exception as refused:
            if not refused_by_tracker(refused):
                raise
        return self.acts[before:]

    # -- where things are

    def tracker(self, side: str) -> object:
        return {"incident": self.estate.servicenow, "defect": self.estate.jira, "pbi": self.estate.azure}[side]

    def ids(self, side: str) -> list[str]:
        """The items of a side that people see, oldest first."""
        if side == "incident":
            return self.estate.servicenow.ids("incident")
        return self.estate.jira.ids() if side == "defect" else [str(id) for id in self.estate.azure.ids()]

    def some(self, draw: Random, *sides: str) -> tuple[str, str]:
        """An item, one side as likely as another. Raises ``Nothing``."""
        there = [(side, self.ids(side)) for side in sides or SIDES]
        full = [(side, ids) for side, ids in there if ids]
        if not full:
            raise Nothing
        side, ids = draw.choice(full)
        return side, draw.choice(ids)

    def next(self, what: str) -> str:
        self.count += 1
        return f"{what} {self.count:03d}."

    def did(self, side: str, item: str, who: str, kind: str, fields: dict[str, str] | None = None, **said: str) -> None:
        self.acts.append(Act(self.estate.clock.now(), side, item, who, kind, fields or {}, **said))

    # -- what they do

    def incident(self, draw: Random) -> None:
        if len(self.ids("incident")) >= 3:
            raise Nothing
        fields = {
            "short_description": self.next("Trouble"),
            "description": "as reported",
            "assignment_group": "API Support",
            "category": "software",
            "state": "In Progress",
            **draw.choice(RANKS["incident"]),
        }
        id = self.estate.servicenow.create(fields, by=CALLER)
        self.did("incident", id, CALLER, "create", fields)

    def comment(self, draw: Random) -> None:
        side, id = self.some(draw)
        self.say(side, id, draw.choice(NAMES[side]), self.next(f"Word from {side}"), CHANNELS[side])

    def whisper(self, draw: Random) -> None:
        """What is not meant for the others."""
        side, id = self.some(draw, *PRIVATE)
        self.say(side, id, draw.choice(NAMES[side]), self.next(f"Secret of {side}"), PRIVATE[side])

    def say(self, side: str, id: str, who: str, text: str, channel: str) -> None:
        if side == "incident":
            remark = self.estate.servicenow.comment(id, text, who, channel)
        elif side == "defect":
            remark = self.estate.jira.comment(id, text, who, channel)
        else:
            remark = self.estate.azure.comment(id, html.escape(text, quote=False), who)
        self.did(side, id, who, "comment", text=text, channel=channel, id=str(remark))

    def title(self, draw: Random) -> None:
        side, id = self.some(draw)
        self.update(side, id, draw, {TITLES[side]: self.next("Title")})

    def rank(self, draw: Random) -> None:
        side, id = self.some(draw)
        self.update(side, id, draw, draw.choice(RANKS[side]))

    def tend(self, draw: Random) -> None:
        """Something nobody else is told of."""
        side, id = self.some(draw, "pbi")
        self.update(side, id, draw, {"Microsoft.VSTS.Scheduling.Effort": str(draw.randint(1, 90))})

    def update(self, side: str, id: str, draw: Random, fields: dict[str, str]) -> None:
        who = draw.choice(NAMES[side])
        {"incident": self.estate.servicenow, "defect": self.estate.jira, "pbi": self.estate.azure}[side].update(
            id, fields, who
        )
        self.did(side, id, who, "change", fields)

    def state(self, draw: Random) -> None:
        side, id = self.some(draw)
        who, to = draw.choice(NAMES[side]), draw.choice(STATES[side])
        if side == "incident":
            finish = {"close_code": "Solution provided", "close_notes": "done"} if to == "Resolved" else {}
            self.estate.servicenow.move(id, to, by=who, **finish)
        elif side == "defect":
            self.estate.jira.move(id, to, by=who, **({"resolution": "Done"} if to == "Done" else {}))
        else:
            self.estate.azure.move(id, to, by=who)
        self.did(side, id, who, "move", {"state": to})


class Nothing(Exception):
    """There is nothing to do that to."""


def refused_by_tracker(error: Exception) -> bool:
    """Whether a tracker's own rules, or the want of an item, refused an act."""
    return isinstance(error, KeyError | ValueError) or type(error).__module__.startswith("sandbox")
