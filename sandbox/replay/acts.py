"""What people did: the list that the checker holds against the trackers' histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: the sides of the replay, in the order of its file, and the trackers they live in
SIDES = ("incident", "defect", "pbi")
TRACKERS = {"incident": "servicenow", "defect": "jira", "pbi": "azure"}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing one person did to one item. ``kind``: create, change, move or comment. ``fields`` are what was asked
    for, as people spell it; a comment has ``text``, ``channel`` and, as ``id``, the tracker's own id of it."""

    at: datetime
    side: str
    item: str
    by: str
    kind: str
    fields: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    channel: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Five minutes in which people acted. ``moment`` is its end, to which the clock is set: one pass of the bot
    belongs here. ``slot`` counts five minutes from the log's first change; ``logged``: it holds changes of the log,
    and not only what the other people did."""

    number: int
    slot: int
    moment: datetime
    acts: tuple[Act, ...]
    logged: bool = True
