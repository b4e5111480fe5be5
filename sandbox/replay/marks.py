"""Counterparts, found as anyone could find them: by the mark on each item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.estate import Estate
from sandbox.replay.acts import SIDES

_LINK = re.compile(r"\blink:([A-Z2-7]{20})\b")
#: Jira's field for keys, where an admin gave one
KEYS_FIELD = "customfield_10045"


class Marks:
    """Which items bear which link's key. Items of Jira and Azure DevOps are read once, as they turn up; incidents
    when they are asked for, because their mark comes after they do. ``mark`` is the instance's own."""

    def __init__(self, estate: Estate, mark: str = "lockstep-replay") -> None:
        self.estate, self.mark = estate, mark
        self.seen = {"defect": 0, "pbi": 0}
        self.links: dict[str, dict[str, list[str]]] = {}
        self.keys: dict[str, str] = {}
        self.items: dict[str, list[str]] = {side: [] for side in SIDES}
        #: items that bear the mark and no key, or a key and no mark
        self.odd: list[tuple[str, str]] = []

    def refresh(self) -> None:
        """Takes up what was created since."""
        for side in ("defect", "pbi"):
            ids = self.estate.jira.ids() if side == "defect" else self.estate.azure.ids()
            for id in ids[self.seen[side] :]:
                self.take(side, id, self.key_of(side, id))
            self.seen[side] = len(ids)

    def take(self, side: str, id: str, key: str | None) -> None:
        if key is None:
            self.odd.append((side, id))
            return
        self.links.setdefault(key, {}).setdefault(side, []).append(id)
        self.keys[id if side == "incident" else f"{side}/{id}"] = key
        self.items[side].append(id)

    def incident(self, id: str) -> str | None:
        """The key of an incident's link, once it is marked."""
        if id in self.keys:
            return self.keys[id]
        key = self.key_of("incident", id)
        if key is not None:
            self.take("incident", id, key)
        return key

    def of(self, side: str, id: str) -> str | None:
        """The key of the link an item is in, as last seen."""
        return self.keys.get(id if side == "incident" else f"{side}/{id}")

    def key_of(self, side: str, id: str) -> str | None:
        """The key on an item, if it bears the instance's mark too."""
        mine, texts = getattr(self, f"read_{side}")(id)
        found = _LINK.search(texts)
        if self.mark not in mine or found is None:
            return None
        return found[1]

    def read_incident(self, id: str) -> tuple[tuple[str, ...], str]:
        """A deleted one still tells what it was."""
        rows, dropped = self.estate.servicenow.data.tables["incident"].rows, self.estate.servicenow.writes.dropped
        row = rows[id] if id in rows else dropped[id][1]
        return (row.get("correlation_display", ""),), row.get("correlation_id", "")

    def read_defect(self, id: str) -> tuple[tuple[str, ...], str]:
        """The keys stand in a field of their own, or else in the last line of the description."""
        values: dict[str, Any] = self.estate.jira.item(id)
        last = (values["description"] or "").strip().rpartition("\n")[2]
        return tuple(values["labels"] or ()), f"{values.get(KEYS_FIELD) or ''}\n{last}"

    def read_pbi(self, id: str) -> tuple[tuple[str, ...], str]:
        tags = str(self.estate.azure.item(id).get("System.Tags", ""))
        links = [one["comment"] for one in self.estate.azure.relations(id) if one["rel"] == "Hyperlink"]
        return tuple(tag.strip() for tag in tags.split(";")), "\n".join(links)

    def counterparts(self, incident: str) -> Iterator[tuple[str, str]]:
        """The items beside an incident, each with its side."""
        key = self.incident(incident)
        for side in ("defect", "pbi"):
            for id in self.links.get(key or "", {}).get(side, ()):
                yield side, id
