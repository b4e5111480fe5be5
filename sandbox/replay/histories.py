"""The trackers' own histories, each change with its instant and whether the integration account made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sandbox.estate import Estate
from sandbox.jira.defaults import BOT
from sandbox.servicenow import Model

#: the integration's accounts, as the histories name them
OURS = {"incident": "lockstep", "defect": BOT.account_id, "pbi": "Lockstep"}
#: what ServiceNow's state is made of
STATED = ("state", "hold_reason")


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
        self.model = estate.servicenow.models["incident"]

    def tracker(self, side: str) -> Any:
        return {"incident": self.estate.servicenow, "defect": self.estate.jira, "pbi": self.estate.azure}[side]

    def marks_of_change(self, side: str, id: str) -> tuple[int, int]:
        """What differs once there is another change or remark, or a remark reads otherwise."""
        tracker = self.tracker(side)
        return len(tracker.history(id)), hash(tuple((c["id"], c["text"]) for c in tracker.comments(id)))

    def life(self, side: str, id: str, fields: Iterable[str]) -> Life:
        """The life of an item in the fields named. What it was born with is read backwards from what it is."""
        wanted = tuple(fields)
        now = self.now(side, id)
        if side == "incident" and "state" in wanted:
            return self.told(side, id, wanted, *stated(self.model, now, self.tracker(side).history(id)))
        return self.told(side, id, wanted, now, self.tracker(side).history(id))

    def now(self, side: str, id: str) -> Mapping[str, Any]:
        """An item as it is, or as it was when it was deleted; ``KeyError`` for one of which nothing is left."""
        dropped = self.estate.servicenow.writes.dropped
        found: Mapping[str, Any] = dropped[id][1] if id in dropped else self.tracker(side).item(id)
        return found

    def told(
        self, side: str, id: str, wanted: Sequence[str], now: Mapping[str, Any], history: Iterable[Mapping[str, Any]]
    ) -> Life:
        """The life that a history tells of an item that is as it is now."""
        changes = [c for c in history if c["field"] in wanted]
        first = {name: now["status"] if name == "status" else now.get(name) for name in wanted}
        for change in reversed(changes):
            first[change["field"]] = change["old"]
        turns = tuple(Turn(c["at"], c["by"] == OURS[side], c["field"], spelled(c["new"])) for c in changes)
        return Life(self.born(side, id), {name: spelled(value) for name, value in first.items()}, turns)

    def born(self, side: str, id: str) -> datetime:
        if side == "defect":
            return self.estate.jira.item(id)["created"]
        if side == "pbi":
            return self.estate.azure.org.store.items[int(id)].created
        return datetime.fromisoformat(self.now(side, id)["sys_created_on"] + "+00:00")

    def spoken(self, side: str, id: str) -> list[Spoken]:
        return [
            Spoken(c["id"], c["by"] == OURS[side], c["channel"], c["text"]) for c in self.tracker(side).comments(id)
        ]


def spelled(value: Any) -> str:
    return "" if value is None else str(value)


def stated(
    model: Model, now: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    """ServiceNow's state as people say it, which a hold reason is part of: the item as it is, and its history with both
    in one change."""
    row = {name: str(now.get(name) or "") for name in STATED}
    item, told = {**now, "state": model.spelled(row)}, []
    for at, group in groupby(reversed(history), key=itemgetter("at")):
        changes, stands = list(group), model.spelled(row)
        row |= {c["field"]: str(c["old"] or "") for c in changes if c["field"] in STATED}
        told += [c for c in changes if c["field"] not in STATED]
        if model.spelled(row) != stands:
            by = next(c["by"] for c in changes if c["field"] in STATED)
            told.append({"at": at, "by": by, "field": "state", "old": model.spelled(row), "new": stands})
    return item, told[::-1]
