"""What Lockstep did, as the trackers show it: their items and histories now, held against how they were last time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.estate import Estate
from sandbox.people.people import People
from sandbox.replay.acts import SIDES, TRACKERS
from sandbox.replay.histories import OURS, Histories
from sandbox.replay.meanings import Meanings

#: an instant by the sandbox's clock, and a sentence
Said = tuple[datetime, str]
#: fields that no mapping names and whose change tells something all the same
TELLING = {"parent_incident", "assignment_group", "issuetype", "project", "System.AreaPath", "System.WorkItemType"}
#: fields of which a comment is a change as well
REMARKS = {"comments", "work_notes", "comment", "System.History"}


@dataclass
class Seen:
    """An item as it was: how many changes it had, and its comments' texts by their ids."""

    changes: int = 0
    comments: dict[str, str] = field(default_factory=dict)


class Witness:
    """Looks at all three trackers through the people's doors. ``file`` names the fields that matter."""

    def __init__(self, estate: Estate, people: People, file: str) -> None:
        self.estate, self.people, self.histories = estate, people, Histories(estate)
        measures = Meanings.read(file).measures
        self.natives = {side: [name for one in measures for name in one.natives.get(side, ())] for side in SIDES}
        self.seen: dict[tuple[str, str], Seen] = {}

    def name(self, side: str, id: str) -> str:
        """An item as people call it; one that is gone by its id."""
        try:
            item = self.histories.tracker(side).item(id)
        except KeyError:
            return f"{side} {id}"
        return {"incident": item.get("number"), "defect": item.get("key"), "pbi": f"PBI {id}"}[side] or f"{side} {id}"

    def look(self) -> list[Said]:
        """What the integration account did since the last look, in order."""
        return sorted(self.differences(), key=lambda said: said[0])

    def differences(self) -> Iterator[Said]:
        theirs = {(act.side, act.item, act.id) for act in self.people.acts if act.id}
        opened = {(act.side, act.item) for act in self.people.acts if act.kind == "create"}
        for side in SIDES:
            for id in self.histories.tracker(side).ids():
                new = (side, id) not in self.seen
                before = self.seen.setdefault((side, id), Seen())
                if new and (side, id) not in opened:
                    life = self.histories.life(side, id, self.natives[side])
                    first = ", ".join(f"{name} {quoted(value)}" for name, value in life.first.items() if value)
                    yield self.ours(side, life.born), f"Lockstep opened {self.name(side, id)} with {first}"
                yield from self.changed(side, id, before)
                yield from self.spoken(side, id, before, theirs)

    def changed(self, side: str, id: str, before: Seen) -> Iterator[Said]:
        history: Sequence[dict[str, Any]] = self.histories.tracker(side).history(id)
        for one in history[before.changes :]:
            if one["by"] == OURS[side] and one["field"] in (*self.natives[side], *TELLING):
                values = f"from {quoted(one['old'])} to {quoted(one['new'])}"
                yield self.ours(side, one["at"]), f"Lockstep set {one['field']} of {self.name(side, id)} {values}"
        before.changes = len(history)

    def spoken(self, side: str, id: str, before: Seen, theirs: set[tuple[str, str, str]]) -> Iterator[Said]:
        now = {one["id"]: one for one in self.histories.tracker(side).comments(id)}
        for comment, one in now.items():
            old = before.comments.get(comment)
            if one["by"] != OURS[side] or old == one["text"] or (side, id, comment) in theirs:
                continue
            verb = "wrote on" if old is None else "reworded its comment on"
            at = one["at"] if old is None else one.get("edited") or one["at"]
            where = f"{self.name(side, id)} ({one['channel']})"
            yield self.ours(side, at), f"Lockstep {verb} {where}: {quoted(one['text'])}"
        before.comments = {comment: one["text"] for comment, one in now.items()}

    def ours(self, side: str, at: datetime) -> datetime:
        """A tracker's instant by the sandbox's own clock."""
        return at - self.estate.clocks[TRACKERS[side]].skew

    def shown(self, side: str, id: str) -> str:
        """An item's mapped fields now."""
        item = self.histories.tracker(side).item(id)
        return ", ".join(f"{name} {quoted(item[name])}" for name in self.natives[side] if item.get(name))

    def standing(self) -> Iterator[str]:
        """Every item with what it shows and how much was said on it."""
        for side in SIDES:
            for id in self.histories.tracker(side).ids():
                said = len(self.histories.tracker(side).comments(id))
                yield f"{self.name(side, id)}: {self.shown(side, id)}; {said} comments"


def quoted(value: object, most: int = 160) -> str:
    """A value as it is told: on one line, and not at length."""
    if value is None or value == "":
        return "nothing"
    text = " ".join(str(value).split())
    return f'"{text}"' if len(text) <= most else f'"{text[:most]}…" ({len(str(value)):,} characters)'
