"""What every act of people's rests on: where items are, who is who, and the record of what was done."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from sandbox.estate import Estate
from sandbox.jira.defaults import BOT
from sandbox.replay.acts import SIDES, Act

CALLER, TRIAGE = "sam.hill", "rita.cole"
NAMES = {"incident": (CALLER, TRIAGE), "defect": ("Ana Ruiz", "Ben Okafor"), "pbi": ("Chen Wei",)}
#: the integration's own accounts, through which a person may act as well
OURS = {"incident": "lockstep", "defect": "Lockstep", "pbi": "Lockstep"}
#: what a program of somebody else's acts as
AUTOMATION = {"incident": "svc_monitor", "defect": "Ben Okafor", "pbi": "Build Service"}
CHANNELS = {"incident": "comments", "defect": "everyone", "pbi": "discussion"}
#: channels from which no path leads
PRIVATE = {"incident": "work_notes", "defect": "role:Developers"}
HOME, PROJECT, AREA = "API Support", "CSPM", "Portal"
#: the field of Jira that holds the keys, as the admin's file has it
KEYS = "customfield_10045"
T = TypeVar("T")
_LINK = re.compile(r"\blink:([A-Z2-7]{20})\b")


class Hands:
    """``acts`` is what people did, in order and as it took effect: what the checker holds the trackers against. Titles
    and remarks bear the ``name`` of their step, so that each is itself. ``room``: how many incidents and defects they
    log at the most."""

    def __init__(self, estate: Estate, *, room: int = 3) -> None:
        self.estate, self.room = estate, room
        self.acts: list[Act] = []
        self.name, self.count = "", 0
        #: what is out of sight and can come back: hidden from our account, or deleted
        self.hidden: list[tuple[str, str]] = []
        self.deleted: list[tuple[str, str]] = []
        #: incidents of long before
        self.old = frozenset(estate.servicenow.ids("incident"))

    # -- where things are

    def tracker(self, side: str) -> Any:
        return {"incident": self.estate.servicenow, "defect": self.estate.jira, "pbi": self.estate.azure}[side]

    def ids(self, side: str) -> list[str]:
        """The items of a side that people see, oldest first."""
        if side == "incident":
            return [id for id in self.estate.servicenow.ids("incident") if id not in self.old]
        return list(self.tracker(side).ids())

    def some(self, draw: Random, *sides: str) -> tuple[str, str]:
        """An item, one side as likely as another. Raises ``Nothing``."""
        there = [(side, self.ids(side)) for side in sides or SIDES]
        side, ids = chosen(draw, [(side, ids) for side, ids in there if ids])
        return side, draw.choice(ids)

    def family(self, draw: Random) -> Sequence[tuple[str, str]]:
        """Items that say that they belong together. Raises ``Nothing`` where no two do."""
        homes: dict[str, list[tuple[str, str]]] = {}
        for side in SIDES:
            for id in self.ids(side):
                found = _LINK.search(self.keys(side, id))
                if found:
                    homes.setdefault(found[1], []).append((side, id))
        return chosen(draw, [items for items in homes.values() if len(items) > 1])

    def keys(self, side: str, id: str) -> str:
        """Where an item names its link."""
        if side == "pbi":
            return " ".join(one["comment"] for one in self.estate.azure.relations(id))
        return str(self.tracker(side).item(id).get({"incident": "correlation_id"}.get(side, KEYS)))

    def shown(self, side: str, id: str, fields: Mapping[str, str]) -> dict[str, str]:
        """What an item shows now in those fields."""
        item = self.tracker(side).item(id)
        return {name: "" if item.get(name) is None else str(item[name]) for name in fields}

    # -- doing and recording

    def next(self, what: str) -> str:
        """Words that nobody else says."""
        self.count += 1
        return f"{what} {self.name}n{self.count}."

    def did(
        self, side: str, item: str, who: str, kind: str, fields: Mapping[str, str] | None = None, **said: str
    ) -> None:
        self.acts.append(Act(self.estate.clock.now(), side, item, who, kind, dict(fields or {}), **said))

    def say(self, side: str, id: str, who: str, text: str, channel: str = "", kind: str = "comment") -> None:
        """A remark; without a channel in the one that everybody reads."""
        channel = channel or CHANNELS[side]
        words = html.escape(text, quote=False) if side == "pbi" else text
        remark = self.tracker(side).comment(id, words, who, channel)
        self.did(side, id, who, kind, text=text, channel=channel, id=str(remark))

    def update(self, side: str, id: str, who: str, fields: Mapping[str, str], kind: str = "change") -> None:
        """Other values; what an item shows already is no act. Raises ``Nothing``."""
        if self.shown(side, id, fields) == dict(fields):
            raise Nothing
        self.tracker(side).update(id, dict(fields), who)
        self.did(side, id, who, kind, fields)

    def move(self, side: str, id: str, who: str, to: str, text: str = "") -> None:
        """To another state, with what the tracker asks for on the way: a reason, a resolution, words for the caller."""
        given: dict[str, str] = {}
        if side == "incident" and to == "Resolved":
            given = {"close_code": "Solution provided", "close_notes": "done"}
        elif side == "incident" and to.startswith("On Hold"):
            given = {"comments": text or self.next("What else can you tell")}
        elif side == "defect" and to == "Done":
            given = {"resolution": "Done"}
        self.tracker(side).move(id, to, by=who, **given)
        self.did(side, id, who, "move", {"state": to})
        if "comments" in given:
            remark = self.estate.servicenow.comments(id)[-1]["id"]
            self.did(side, id, who, "comment", text=given["comments"], channel="comments", id=str(remark))

    def state(self, side: str, id: str) -> str:
        if side == "incident":
            return self.estate.servicenow.state_of(id)
        return str(self.tracker(side).item(id)["status" if side == "defect" else "System.State"])

    def ways(self, side: str, id: str, states: Sequence[str]) -> list[str]:
        """The states to which an item can be moved now: of ``states``, or as a workflow of Jira offers."""
        if side == "defect":
            jira = self.estate.jira
            return [step.to for step in jira.rules.offered(BOT, jira.issue(id))]
        now = self.state(side, id)
        return [one for one in states if one != now]


class Nothing(Exception):
    """There is nothing to do that to."""


def chosen(draw: Random, there: Sequence[T]) -> T:
    """One of what there is. Raises ``Nothing``."""
    if not there:
        raise Nothing
    return draw.choice(there)
