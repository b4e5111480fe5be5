"""The people of ServiceNow: they do what the log says they did, change by change."""

from __future__ import annotations

import random

from sandbox.estate import Estate
from sandbox.replay.acts import Act
from sandbox.replay.log import Event
from sandbox.replay.speech import Speech

#: columns of the log that are replayed as they stand, and the instance's own names for them
COLUMNS = {
    "category": "category",
    "subcategory": "subcategory",
    "u_symptom": "u_symptom",
    "contact_type": "contact_type",
    "assignment_group": "assignment_group",
    "assigned_to": "assigned_to",
    "cmdb_ci": "cmdb_ci",
    "knowledge": "knowledge",
    "u_priority_confirmation": "u_priority_confirmation",
    "impact": "impact",
    "urgency": "urgency",
}
FINISHED = ("Resolved", "Closed")
#: how often a change comes with a remark, and how often a row without a visible change was one the caller may read
ASIDE, PUBLIC = 0.06, 0.4


class Caller:
    """Plays events on ServiceNow. ``incidents`` is where each of the log's incidents went (its sys_id)."""

    def __init__(self, estate: Estate, chance: random.Random, speech: Speech) -> None:
        self.estate, self.chance, self.speech = estate, chance, speech
        self.incidents: dict[str, str] = {}
        self.last: dict[str, Event] = {}

    def play(self, event: Event) -> list[Act]:
        """What one row stands for. A row in which nothing visible changed was a remark: the log has no text."""
        before = self.last.get(event.number)
        self.last[event.number] = event
        if before is None:
            return [self.reported(event), self.said(event, "comments")]
        fields = self.changed(before, event)
        acts = [self.changes(event, fields)] if fields else []
        if not fields or self.chance.random() < ASIDE:
            acts.append(self.said(event, "comments" if self.chance.random() < PUBLIC else "work_notes"))
        return acts

    def reported(self, event: Event) -> Act:
        fields = {"number": event.number, **self.values(event), **self.finishing(event)}
        caller = event.values.get("caller_id", event.by)
        id = self.estate.servicenow.create({**fields, "caller_id": caller}, event.by)
        self.incidents[event.number] = id
        return self.act(event, "create", fields)

    def values(self, event: Event) -> dict[str, str]:
        """What a row says of the incident itself, and the summary made of it."""
        native = {name: event.values[column] for column, name in COLUMNS.items() if column in event.values}
        topic = [event.values.get(name, "") for name in ("category", "subcategory", "u_symptom")]
        return {
            **native,
            "state": event.state,
            "short_description": " / ".join(word for word in topic if word) or event.number,
        }

    def changed(self, before: Event, event: Event) -> dict[str, str]:
        old, new = self.values(before), self.values(event)
        fields = {name: new.get(name, "") for name in {**old, **new} if old.get(name) != new.get(name)}
        if event.code:
            fields["close_code"] = event.code
        return {**fields, **self.finishing(event)} if "state" in fields else fields

    def finishing(self, event: Event) -> dict[str, str]:
        """Notes on the resolution: the instance asks for them, the log has none."""
        return {"close_notes": f"Done by {event.by}."} if event.state in FINISHED else {}

    def changes(self, event: Event, fields: dict[str, str]) -> Act:
        self.estate.servicenow.update(self.incidents[event.number], fields, event.by)
        return self.act(event, "move" if "state" in fields else "change", fields)

    def said(self, event: Event, channel: str) -> Act:
        text = self.speech.sentence("C" if channel == "comments" else "W")
        return self.speaks(self.incidents[event.number], text, event.by, channel)

    def speaks(self, id: str, text: str, by: str, channel: str) -> Act:
        remark = self.estate.servicenow.comment(id, text, by, channel)
        at = self.estate.clock.now()
        return Act(at, "incident", id, by, "comment", text=text, channel=channel, id=remark)

    def act(self, event: Event, kind: str, fields: dict[str, str]) -> Act:
        return Act(self.estate.clock.now(), "incident", self.incidents[event.number], event.by, kind, fields)
