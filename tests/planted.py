"""An estate with one link in step, made by hand through the trackers' own doors: what the checker's tests plant faults
in. The bot is whoever writes as the integration's account."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.checker import Evidence, Finding, Held, check
from sandbox.estate import Estate
from sandbox.people import file_of
from sandbox.replay.acts import TRACKERS, Act
from sandbox.replay.course import Passed
from sandbox.server import Entry
from sandbox.settled import our_account
from sandbox.story import MORNING

LINK, MADE = "A" * 20, {"defect": "B" * 20, "pbi": "C" * 20}
MARK = "lockstep-lives"
SAM, ANA, CHEN = "sam.hill", "Ana Ruiz", "Chen Wei"
BOT = {"incident": "lockstep", "defect": "Lockstep", "pbi": "Lockstep"}
TITLES = {"incident": "short_description", "defect": "summary", "pbi": "System.Title"}
CHANNELS = {"incident": "comments", "defect": "everyone", "pbi": "discussion"}


@dataclass
class Planted:
    """``by_bot`` does what the bot would; ``by`` what a person does, who is recorded; ``passed`` is a pass."""

    estate: Estate = field(default_factory=lambda: Estate(MORNING, doors=False))
    acts: list[Act] = field(default_factory=list)
    passes: list[Passed] = field(default_factory=list)
    items: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    skew: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.estate.clocks["jira"].skew = self.skew
        our_account(self.estate.servicenow)
        self.items["incident"] = self.incident("Trouble 1.")
        begun = self.begins()
        self.marked(self.items["incident"])
        self.items["defect"] = self.defect("Trouble 1.")
        self.items["pbi"] = self.pbi("Trouble 1.")
        self.ends(begun)
        self.passed()

    # -- items

    def incident(self, title: str, **more: str) -> str:
        fields = {"short_description": title, "description": "as reported", "assignment_group": "API Support"}
        fields |= {"category": "software", "state": "In Progress", "impact": "1", "urgency": "2", **more}
        id = self.estate.servicenow.create(fields, by=SAM)
        self.did("incident", id, SAM, "create", fields)
        return id

    def marked(self, id: str, link: str = LINK) -> None:
        fields = {"correlation_display": MARK, "correlation_id": f"link:{link}"}
        self.estate.servicenow.update(id, fields, BOT["incident"])

    def defect(self, title: str, link: str = LINK, made: str = MADE["defect"]) -> str:
        fields = {"summary": title, "description": "as reported", "priority": "High", "labels": [MARK]}
        keys = {"customfield_10045": f"link:{link} made:{made}"}
        id = self.estate.jira.create({**fields, **keys}, by=BOT["defect"])
        self.estate.jira.move(id, "In Progress", by=BOT["defect"])
        return id

    def pbi(self, title: str, link: str = LINK, made: str = MADE["pbi"]) -> str:
        fields = {"System.Title": title, "System.Description": "as reported", "System.Tags": MARK}
        fields |= {"System.WorkItemType": "Product Backlog Item", "Microsoft.VSTS.Common.Priority": "2"}
        id = self.estate.azure.create(fields, BOT["pbi"])
        told = f"lockstep {MARK} link:{link} made:{made}"
        self.estate.azure.link(id, "Hyperlink", f"http://jira.sandbox/browse/{link}", BOT["pbi"], told)
        self.estate.azure.move(id, "Approved", by=BOT["pbi"])
        return id

    def tracker(self, side: str) -> Any:
        return {"incident": self.estate.servicenow, "defect": self.estate.jira, "pbi": self.estate.azure}[side]

    def key(self, side: str, id: str) -> str:
        names = {"incident": "number", "defect": "key"}
        return str(self.tracker(side).item(id)[names[side]]) if side in names else f"AB#{id}"

    # -- what people and the bot do

    def did(self, side: str, item: str, by: str, kind: str, fields: dict[str, str] | None = None, **said: str) -> None:
        self.acts.append(Act(self.estate.clock.now(), side, item, by, kind, fields or {}, **said))

    def by(self, who: str, side: str, fields: dict[str, str]) -> None:
        self.tracker(side).update(self.items[side], fields, who)
        self.did(side, self.items[side], who, "change", fields)

    def moved_by(self, who: str, side: str, state: str, **more: str) -> None:
        self.tracker(side).move(self.items[side], state, by=who, **more)
        self.did(side, self.items[side], who, "move", {"state": state})

    def by_bot(self, side: str, fields: dict[str, str]) -> None:
        self.tracker(side).update(self.items[side], fields, BOT[side])
        self.asked(side, "PATCH")

    def titled(self, title: str, *sides: str) -> None:
        for side in sides:
            self.by_bot(side, {TITLES[side]: title})

    def says(self, who: str, side: str, text: str, channel: str = "", id: str = "") -> str:
        item, told = id or self.items[side], channel or CHANNELS[side]
        stored = html.escape(text, quote=False) if side == "pbi" else text
        remark = str(self.tracker(side).comment(item, stored, who, told))
        self.did(side, item, who, "comment", text=text, channel=told, id=remark)
        return remark

    def copied(self, who: str, origin: str, text: str, *sides: str, channel: str = "", token: str = "") -> str:
        """The bot's copy of a remark on the items of other sides. Returns the banner's token."""
        self.tokens += 1
        name = token or f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[self.tokens]:A<13}"
        for side in sides:
            line = f"{who} on {self.key(origin, self.items[origin])} · lockstep {name}.{'Q' * 8}"
            place = channel or ("work_notes" if (origin, side) == ("pbi", "incident") else CHANNELS[side])
            stored = html.escape(text, quote=False) if side == "pbi" else text
            self.tracker(side).comment(self.items[side], f"{line}\n{stored}", BOT[side], place)
            self.asked(side, "POST")
        return name

    # -- passes and the log

    def asked(self, side: str, method: str = "GET", status: int = 200, rest: str = "") -> None:
        name = TRACKERS[side]
        at = self.estate.clocks[name].now().timestamp()
        path = f"/{name}/{self.items.get(side, '')}"
        self.estate.log.entries.append(Entry(name, method, path, {}, status, at, "", rest))

    def begins(self) -> Any:
        begun = self.estate.clock.tick()
        for side in TRACKERS:
            self.asked(side)
        return begun

    def ends(self, begun: Any, *, calm: bool = True) -> None:
        self.passes.append(Passed(begun, self.estate.clock.tick(), calm))
        self.estate.clock.advance(timedelta(seconds=30))

    def passed(self) -> None:
        self.ends(self.begins())

    def evidence(self, **more: Any) -> Evidence:
        return Evidence(self.estate, self.acts, self.passes, file_of(100), MARK, **more)

    def found(self, **more: Any) -> tuple[Finding, ...]:
        return check(self.evidence(**more))

    def kinds(self, **more: Any) -> set[str]:
        return {one.kind for one in self.found(**more)}


def held(side: str, item: str, what: str) -> Held:
    return Held(side, item, what, "as the bot says")
