"""Comments: each remark of a person has one copy on every item that a path leads to, in its newest words, and nothing
else is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from sandbox.checker.calm import Weather
from sandbox.checker.evidence import DOUBLED, LEAKED, LOST, PHANTOM, RESURRECTED, Finding
from sandbox.checker.items import Item, Remark, World
from sandbox.checker.shown import name_of
from sandbox.replay.acts import SIDES, Act
from sandbox.replay.talk import Copy, Slip, copies, letters, plain

#: what the bot says itself: a word that did not stand, an item that cannot follow, what was closed or opened again,
#: a copy that it cannot take back
_OWN = re.compile(
    r"was changed on two sides at once|is put back to|cannot be opened again|was opened again by its own people|"
    r"^Who may read |^INC\d+ is new and names INC\d+, which was closed"
)
#: what a copy says whose remark was shortened or emptied
SHORTENED, EMPTIED = "(this part went when its author edited the comment)", "(emptied by its author)"
#: an edit is carried once it has stood for so long
CARRIED = timedelta(minutes=5)
#: before the new words of a remark whose copy cannot be changed
EDITED = "edited: "
_MARKUP = re.compile(r"[\s\[\]{}*_|<>&·@~^+\\]+")


@dataclass
class Due:
    """A remark that goes to one item in one channel; ``must``: it has to be there. ``shown`` are the versions that are
    there, ``follow`` those of them that came as comments of their own."""

    remark: Remark
    channel: str
    must: bool
    shown: list[int] = field(default_factory=list)
    follow: list[int] = field(default_factory=list)


class Talk:
    """The discussion of one item of a link."""

    def __init__(self, world: World, weather: Weather, target: Item) -> None:
        self.world, self.weather, self.target = world, weather, target
        self.link = world.links[target.link] if target.link else [target]
        self.name = name_of(self.link)
        self.due = list(self.owed())

    def owed(self) -> Iterator[Due]:
        """The remarks that paths lead here."""
        for item in self.link:
            for remark in item.remarks if item.side != self.target.side else ():
                for side, channel in self.world.meanings.paths.get((item.side, remark.channel), ()):
                    if side == self.target.side:
                        yield Due(remark, channel, self.must(item, remark))

    def must(self, item: Item, remark: Remark) -> bool:
        """Whether a remark has to have a copy here by now."""
        held = any((one.side, one.item) == (self.target.side, self.target.id) and one.what in ("comments", "item")
                   for one in self.world.evidence.held)  # fmt: skip
        unread = not item.there or (not self.world.evidence.sweeps and bool(item.away or self.target.away))
        lost = any(remark.versions[0][0] <= loss for loss in self.world.evidence.losses)
        there = self.target.there and not held and not unread and not lost
        return there and remark.erased is None and bool(letters(remark.text))

    def check(self) -> Iterator[Finding]:
        erased = Counter(self.erased())
        again: Counter[str] = Counter()
        for one in copies(self.target.side, self.target.copies):
            if isinstance(one, Slip):
                yield from self.slipped(one)
                continue
            said = letters(whole(one))
            again[said] += 1
            # the same words may have been said several times, and each has a copy of its own
            left = sum(self.carries(due.remark, said) for due in self.due) - erased[said]
            if erased[said] and again[said] > left and self.match(one):
                yield self.finding(RESURRECTED, f"a copy that was deleted is there again: {shortly(one)}")
            else:
                yield from self.judge(one)
        yield from self.missing(set(erased))

    def erased(self) -> Iterator[str]:
        """The words of copies that people took away, since the state was lost last."""
        own = {remark.id for remark in self.target.remarks}
        for act in self.world.acts[self.target.side, self.target.id]:
            lost = any(act.at <= loss for loss in self.world.evidence.losses)
            if act.kind == "erase" and act.id not in own and not lost:
                yield letters(body(act.text))

    def slipped(self, slip: Slip) -> Iterator[Finding]:
        if slip.kind != LOST or self.target.there:
            yield self.finding(slip.kind, slip.text)

    def judge(self, copy: Copy) -> Iterator[Finding]:
        """One remark of the bot's: whose it is, and whether it may be here."""
        due = self.match(copy)
        if due is not None:
            if not named(copy.who, due.remark):
                text = f"{shortly(copy)} names {copy.who!r}, but {due.remark.by} wrote it on {due.remark.key}"
                yield self.finding(PHANTOM, text)
            return
        if copy.who.startswith("Lockstep on ") and _OWN.search(copy.text):
            return
        yield from self.stray(copy)

    def match(self, copy: Copy) -> Due | None:
        """The remark that a copy carries, which is noted; each version counts once."""
        said, plainly = letters(whole(copy)), copy.text.startswith(EDITED)
        fits = [due for due in self.due if due.channel == copy.channel]
        # of the same words said twice by one person those that stand are carried before those that were taken back
        for due in sorted(fits, key=lambda due: (not named(copy.who, due.remark), due.remark.erased is not None)):
            for number in reversed(range(len(due.remark.versions))):
                text = due.remark.versions[number][1]
                if said == letters(text) and not due.shown:
                    due.shown.append(number)
                    return due
                if plainly and number and said == letters(EDITED + text) and number not in due.follow:
                    due.follow.append(number)
                    return due
        for due in fits:
            if EMPTIED in copy.text and not letters(due.remark.text) and not due.shown and named(copy.who, due.remark):
                due.shown.append(len(due.remark.versions) - 1)
                return due
        return None

    def stray(self, copy: Copy) -> Iterator[Finding]:
        """What is wrong with a remark of the bot's that nothing called for."""
        said = letters(whole(copy))
        private = self.private_in(said)
        source = next((one for one in self.everything if self.carries(one, said)), None)
        if private is not None:
            yield self.finding(LEAKED, f"{private.by}'s words in {private.channel} of {private.key}: {shortly(copy)}")
        elif any(self.carries(due.remark, said) and due.channel == copy.channel for due in self.due):
            yield self.finding(DOUBLED, f"{copy.who} once more: {shortly(copy)}")
        elif source is None and not any(said in letters(act.text) for act in self.gone_words):
            text = f"nobody wrote {shortly(copy)}, which the bot says {copy.who} wrote"
            yield self.finding(PHANTOM, text)
        elif source is not None and source.side == self.target.side and source.item in {i.id for i in self.link}:
            yield self.finding(LEAKED, f"a sibling's words, {source.by} on {source.key}: {shortly(copy)}")
        elif source is not None:
            where = f"{source.by} on {source.key} in {source.channel}, shown here in {copy.channel}"
            yield self.finding(LEAKED, f"words that no path leads here, {where}: {shortly(copy)}")

    @property
    def gone_words(self) -> list[Act]:
        return [act for acts in self.world.vanished.values() for act in acts if act.text]

    @cached_property
    def everything(self) -> list[Remark]:
        return [remark for item in self.world.items for remark in item.remarks]

    def carries(self, remark: Remark, said: str) -> bool:
        return any(said in (letters(text), letters(EDITED + text)) for _, text in remark.versions)

    def private_in(self, said: str) -> Remark | None:
        """A remark that no path leads anywhere, and whose words are here."""
        private = (r for r in self.everything if (r.side, r.channel) not in self.world.meanings.paths)
        return next((r for r in private if any((w := letters(text)) and w in said for _, text in r.versions)), None)

    def missing(self, erased: set[str]) -> Iterator[Finding]:
        """Remarks without a copy, and copies that trail an edit."""
        for due in self.due:
            remark = due.remark
            newest = max(number for number in range(len(remark.versions)) if not number or self.seen(remark, number))
            if not due.must or any(letters(text) in erased for _, text in remark.versions):
                continue
            shown = [*due.shown, *due.follow]
            if not shown:
                yield self.finding(LOST, f"{told(remark)} never arrived")
            elif max(shown) < newest and letters(remark.versions[max(shown)][1]) != letters(remark.versions[newest][1]):
                at, words = remark.versions[newest]
                text = f"{remark.by} changed it to {words[:60]!r} at {at:%H:%M:%S}"
                yield self.finding(LOST, f"{told(remark)} is still shown as it was; {text}")

    def seen(self, remark: Remark, version: int) -> bool:
        """Whether an edit must have been seen: Azure DevOps shows one nowhere but in the discussion itself, which is
        read again in rotation."""
        if remark.side != "pbi":
            return True
        place, passes = f"/workitems/{remark.item}/comments", self.world.evidence.passes
        edited, last = remark.versions[version][0], passes[-1].begun - CARRIED
        return any(
            edited <= at <= last and entry.method == "GET" and entry.status == 200 and place in entry.path.lower()
            for at, entry in self.weather.requests
        )

    def finding(self, kind: str, text: str) -> Finding:
        return Finding(kind, self.name, f"on {self.target.name}: {text}")


def told(remark: Remark) -> str:
    return f"{remark.by} on {remark.key} at {remark.at:%H:%M:%S} in {remark.channel}: {remark.versions[0][1][:60]!r}"


def shortly(copy: Copy) -> str:
    return repr(copy.text[:60])


def whole(copy: Copy) -> str:
    """A copy's words without what it says of parts that went."""
    return copy.text.replace(SHORTENED, "")


def body(text: str) -> str:
    """The words below a banner."""
    head, _, rest = plain("pbi", text).partition("\n")
    return rest if " · lockstep " in head else text


def named(who: str, remark: Remark) -> bool:
    """Whether a banner names a remark's author and item."""
    names = [f"{by[:80]} on {key[:60]}" for by in (remark.by, remark.shown) for key in remark.keys]
    return any(who == _MARKUP.sub(" ", name).strip() for name in names)


def leaked_fields(world: World) -> Iterator[Finding]:
    """Private words in what the bot wrote into fields."""
    private = [
        remark for item in world.items for remark in item.remarks
        if (remark.side, remark.channel) not in world.meanings.paths and letters(remark.text)
    ]  # fmt: skip
    for item in world.items if private else ():
        for turn in item.life.turns:
            said = letters(turn.value) if turn.ours else ""
            for remark in (one for one in private if said and letters(one.text) in said):
                text = f"{remark.by}'s words in {remark.channel} of {remark.key} stand in {turn.field} of {item.name}"
                yield Finding(LEAKED, item.name, f"{text}, written by the bot at {turn.at:%H:%M:%S}")


def check_talk(world: World, weather: Weather) -> Iterator[Finding]:
    """Every discussion."""
    for side in SIDES:
        for item in (one for one in world.items if one.side == side):
            yield from Talk(world, weather, item).check()
    yield from leaked_fields(world)
