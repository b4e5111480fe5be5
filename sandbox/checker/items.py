"""The items of a history with all that happened to them, in one time: the trackers' clocks may differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sandbox.checker.evidence import Evidence
from sandbox.replay.acts import SIDES, TRACKERS, Act
from sandbox.replay.histories import OURS, Histories, Life, Spoken, Turn
from sandbox.replay.marks import Marks
from sandbox.replay.meanings import Meanings

#: acts after which an item is not there for the bot, and those that end it
AWAY = {"delete": "undelete", "hide": "show"}
BACK = {back: away for away, back in AWAY.items()}
#: acts that say something
SAYING = frozenset(["comment", "forge", "alike", "ours", "robot"])
_MADE = re.compile(r"\bmade:([A-Z2-7]{20})\b")
_REMOTE = re.compile(r"lockstep:([A-Z2-7]{20})$")
EVER = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person said on an item of ``side`` that people called by ``keys``: the words of each version, in order,
    each with its instant. ``shown`` is its author's name as the tracker shows it. ``erased``: when it was deleted."""

    side: str
    item: str
    keys: tuple[str, ...]
    by: str
    shown: str
    channel: str
    id: str
    versions: tuple[tuple[datetime, str], ...]
    erased: datetime | None = None

    @property
    def key(self) -> str:
        return self.keys[-1]

    @property
    def at(self) -> datetime:
        return self.versions[0][0]

    @property
    def text(self) -> str:
        return self.versions[-1][1]


@dataclass(frozen=True, slots=True)
class Away:
    """A stretch in which an item was deleted or hidden; ``until`` is far ahead where it still is."""

    since: datetime
    until: datetime


@dataclass(frozen=True, eq=False)
class Item:
    """``keys`` are how people named it, the present name last; ``link`` and ``made`` are the keys it bears, empty where
    it bears none; ``ours``: the integration's account created it; ``there``: the bot can see it now."""

    side: str
    id: str
    keys: tuple[str, ...]
    link: str
    made: str
    ours: bool
    life: Life
    remarks: tuple[Remark, ...]
    #: the bot's own comments, with their instants by id
    copies: tuple[Spoken, ...]
    copied: Mapping[str, datetime]
    away: tuple[Away, ...]
    there: bool

    @property
    def key(self) -> str:
        return self.keys[-1]

    @property
    def name(self) -> str:
        return f"{self.side} {self.key}"

    @property
    def born(self) -> datetime:
        return self.life.born

    def absent(self, since: datetime, until: datetime) -> bool:
        """Whether it was away at any time between two instants."""
        return any(one.since <= until and since <= one.until for one in self.away)


class World:
    """All items of an estate, and the links by their keys."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.estate = evidence, evidence.estate
        self.meanings = Meanings.read(evidence.file)
        self.histories, self.marks = Histories(self.estate), Marks(self.estate, evidence.mark)
        self.acts: dict[tuple[str, str], list[Act]] = defaultdict(list)
        for act in evidence.acts:
            self.acts[act.side, act.item].append(act)
        self.natives = {
            side: tuple(n for one in self.meanings.measures for n in one.natives.get(side, ())) for side in SIDES
        }
        self.items = [self.item(side, id) for side in SIDES for id in self.ids(side)]
        self.links: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.link:
                self.links[item.link].append(item)

    # -- the trackers' time

    def true(self, side: str, at: datetime) -> datetime:
        """An instant of a tracker's clock by the common one."""
        clock = self.estate.clocks.get(TRACKERS[side])
        return at - clock.skew if clock else at

    # -- reading items

    def ids(self, side: str) -> list[str]:
        """Every item of which anything is left, deleted ones too."""
        if side == "defect":
            return self.estate.jira.ids()
        if side == "pbi":
            return [str(id) for id in self.estate.azure.org.store.items]
        return [*self.estate.servicenow.ids("incident"), *self.estate.servicenow.writes.dropped]

    @cached_property
    def vanished(self) -> dict[tuple[str, str], list[Act]]:
        """The acts on items of which nothing is left."""
        there = {(item.side, item.id) for item in self.items}
        return {place: acts for place, acts in self.acts.items() if place not in there}

    def item(self, side: str, id: str) -> Item:
        now, acts = self.histories.now(side, id), self.acts[side, id]
        key = {"incident": now.get("number"), "defect": now.get("key"), "pbi": f"AB#{id}"}[side]
        made = _MADE.search(getattr(self.marks, f"read_{side}")(id)[1])
        away = tuple(absences(acts))
        life = self.timed(side, self.settled(side, id, self.histories.life(side, id, self.natives[side])))
        item = Item(
            side,
            id,
            (*self.former(side, id), str(key)),
            self.link_of(side, id),
            made[1] if made else "",
            self.creator(side, now) == OURS[side],
            life,
            (),
            (),
            {},
            away,
            self.seen(side, id) and not any(one.until > self.end for one in away),
        )
        remarks, copies, copied = self.spoken(item)
        return replace(item, remarks=remarks, copies=copies, copied=copied)

    def former(self, side: str, id: str) -> list[str]:
        """The keys that an issue had in other projects."""
        history = self.estate.jira.history(id) if side == "defect" else ()
        return [str(change["old"]) for change in history if change["field"] == "Key"]

    def link_of(self, side: str, id: str) -> str:
        """The key of an item's link. An issue that lost its field for keys, as one of another type has none, is known
        by its remote link, or by that of the work item that was opened for it."""
        key = self.marks.key_of(side, id)
        remote = self.estate.jira.links(id) if side == "defect" and key is None else ()
        found = [_REMOTE.match(str(one["global_id"])) for one in remote]
        return key or next(
            (match[1] for match in found if match), "" if remote or side != "defect" else self.pointed(id)
        )

    def pointed(self, id: str) -> str:
        """The key of the link of a work item that points at an issue; empty where none does."""
        keys = [*self.former("defect", id), str(self.estate.jira.item(id)["key"])]
        for pbi in self.ids("pbi"):
            urls = {one["url"].rpartition("/")[2] for one in self.estate.azure.relations(pbi)}
            if urls & set(keys):
                return self.marks.key_of("pbi", pbi) or ""
        return ""

    @cached_property
    def end(self) -> datetime:
        return self.estate.clock.now()

    def creator(self, side: str, now: Mapping[str, Any]) -> str:
        name = {"incident": "sys_created_by", "defect": "creator", "pbi": "System.CreatedBy"}[side]
        return str(now.get(name, ""))

    def seen(self, side: str, id: str) -> bool:
        """Whether the tracker has the item."""
        if side == "defect":
            return OURS["defect"] not in self.estate.jira.issue(id).hidden_from
        if side == "pbi":
            return not self.estate.azure.org.store.items[int(id)].deleted
        return id not in self.estate.servicenow.writes.dropped

    def settled(self, side: str, id: str, life: Life) -> Life:
        """A life with the states into which an issue came by being moved to another project or type, which its history
        does not tell."""
        history = self.estate.jira.history(id) if side == "defect" else ()
        turns = list(life.turns)
        for moved in (change for change in history if change["field"] == "issuetype"):
            later = [c for c in history if c["field"] == "status" and c["at"] > moved["at"]]
            stands = str(later[0]["old"] if later else self.estate.jira.item(id)["status"])
            before = [turn.value for turn in turns if turn.field == "status" and turn.at <= moved["at"]]
            if stands != (before[-1] if before else life.first["status"]):
                turns.append(Turn(moved["at"], False, "status", stands))
        return replace(life, turns=tuple(sorted(turns, key=lambda turn: turn.at)))

    def timed(self, side: str, life: Life) -> Life:
        turns = tuple(replace(turn, at=self.true(side, turn.at)) for turn in life.turns)
        return replace(life, born=self.true(side, life.born), turns=turns)

    # -- reading discussions

    def spoken(self, item: Item) -> tuple[tuple[Remark, ...], tuple[Spoken, ...], Mapping[str, datetime]]:
        """What people said on an item, and what the bot said with when."""
        acts = self.acts[item.side, item.id]
        said = {
            act.id: act for act in acts if act.kind in SAYING or (act.channel and act.kind not in ("edit", "erase"))
        }
        found = {c["id"]: c for c in self.told(item)}
        remarks = [remark(item, self.person(item.side, act.by), act, acts) for act in said.values()]
        others = [c for id, c in found.items() if id not in said and c["by"] != OURS[item.side]]
        for c in others:
            at = self.true(item.side, c["at"])
            who = self.person(item.side, c["by"])
            remarks.append(Remark(item.side, item.id, item.keys, who, who, c["channel"], c["id"], ((at, c["text"]),)))
        ours = [c for id, c in found.items() if id not in said and c["by"] == OURS[item.side]]
        copies = tuple(Spoken(c["id"], True, c["channel"], c["text"]) for c in ours)
        return tuple(remarks), copies, {c["id"]: self.true(item.side, c["at"]) for c in ours}

    def told(self, item: Item) -> Sequence[Mapping[str, Any]]:
        tracker = self.histories.tracker(item.side)
        found: Sequence[Mapping[str, Any]] = tracker.comments(item.id)
        return found

    def person(self, side: str, account: str) -> str:
        """The name of an account as the tracker shows it."""
        if side == "defect" and account in self.estate.jira.site.users:
            return self.estate.jira.site.users[account].name
        if side == "incident":
            user = self.estate.servicenow.data.tables["sys_user"].find("user_name", account)
            return user.get("name", account) if user else account
        known = self.estate.azure.org.identify(account) if side == "pbi" else None
        return known.display_name if known else account


def remark(item: Item, shown: str, act: Act, acts: Iterable[Act]) -> Remark:
    """A remark with what became of it."""
    edits = [(one.at, one.text) for one in acts if one.kind == "edit" and one.id == act.id]
    erased = next((one.at for one in acts if one.kind == "erase" and one.id == act.id), None)
    versions = ((act.at, act.text), *edits)
    return Remark(item.side, item.id, item.keys, act.by, shown, act.channel, act.id, versions, erased)


def absences(acts: Sequence[Act]) -> Iterator[Away]:
    """The stretches in which an item was deleted or hidden."""
    open_since: dict[str, datetime] = {}
    for act in acts:
        if act.kind in AWAY:
            open_since.setdefault(act.kind, act.at)
        elif act.kind in BACK and BACK[act.kind] in open_since:
            yield Away(open_since.pop(BACK[act.kind]), act.at)
    for since in open_since.values():
        yield Away(since, since + EVER)
