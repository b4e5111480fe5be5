"""The trackers' own histories, each change with its instant and whether the integration account made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.estate import Estate
from sandbox.jira.defaults import BOT

#: the integration's accounts, as the histories name them
OURS = {"incident": "lockstep", "defect": BOT.account_id, "pbi": "Lockstep"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One native value as it was from ``at`` on."""

    at: datetime
    ours: bool
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Life:
    """An item's native values: how it was born, and every change since."""

    born: datetime
    first: Mapping[str, str]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A comment as a tracker holds it, text as it is stored."""

    id: str
    ours: bool
    channel: str
    text: str


class Histories:
    """Reads lives and discussions through the people's door of each tracker."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.states = estate.servicenow.models["incident"].states

    def tracker(self, side: str) -> Any:
        return {"incident": self.estate.servicenow, "defect": self.estate.jira, "pbi": self.estate.azure}[side]

    def marks_of_change(self, side: str, id: str) -> tuple[int, int]:
        """What differs once there is another change or remark, or a remark reads otherwise."""
        tracker = self.tracker(side)
        return len(tracker.history(id)), hash(tuple((c["id"], c["text"]) for c in tracker.comments(id)))

    def life(self, side: str, id: str, fields: Iterable[str]) -> Life:
        """The life of an item in the fields named. What it was born with is read backwards from what it is."""
        wanted = tuple(fields)
        now = self.tracker(side).item(id)
        changes = [c for c in self.tracker(side).history(id) if c["field"] in wanted]
        first = {name: now["status"] if name == "status" else now.get(name) for name in wanted}
        for change in reversed(changes):
            first[change["field"]] = change["old"]
        turns = tuple(
            Turn(c["at"], c["by"] == OURS[side], c["field"], self.spelled(side, c["field"], c["new"])) for c in changes
        )
        return Life(self.born(side, id), {n: self.spelled(side, n, v) for n, v in first.items()}, turns)

    def spelled(self, side: str, field: str, value: Any) -> str:
        """A value as people spell it: ServiceNow's history has raw ones."""
        text = "" if value is None else str(value)
        return self.states.get(text, text) if (side, field) == ("incident", "state") else text

    def born(self, side: str, id: str) -> datetime:
        if side == "defect":
            return self.estate.jira.item(id)["created"]
        if side == "pbi":
            return self.estate.azure.found(id).created
        return datetime.fromisoformat(self.estate.servicenow.item(id)["sys_created_on"] + "+00:00")

    def spoken(self, side: str, id: str) -> list[Spoken]:
        return [
            Spoken(c["id"], c["by"] == OURS[side], c["channel"], c["text"]) for c in self.tracker(side).comments(id)
        ]
