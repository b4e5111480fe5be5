"""The replay: from change to change through the log, with the other people's doings between."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.estate import Estate
from sandbox.replay.acts import Act, Window
from sandbox.replay.caller import Caller
from sandbox.replay.developer import Developer
from sandbox.replay.log import SPAN, Event, windows_of
from sandbox.replay.marks import Marks
from sandbox.replay.speech import Speech

#: how often a change of the log meets one on the other sides in its own window, and a window one elsewhere
MEETS, ELSEWHERE = 0.12, 0.06
#: how often a pause of the log holds a window of the others' own, and how long it must be
PAUSES, PAUSE = 0.12, 4
#: of all that is said elsewhere, how often about something as recent as this many items
RECENT, LATELY = 0.9, 120


@dataclass(frozen=True, slots=True)
class Slot:
    """A window to come: five minutes counted from the log's first change, and what the log holds in them."""

    at: int
    events: tuple[Event, ...] = ()


class Replay:
    """Plays ``events`` on an estate and yields a ``Window`` after each five minutes that held any change, when the
    clock stands at their end: the caller lets one pass of the bot run before it asks for the next.

    ``first`` is the instant from which windows are counted: the whole log's first change, also for a part of it.
    """

    def __init__(
        self, estate: Estate, events: Sequence[Event], *, first: datetime | None = None, seed: int = 0
    ) -> None:
        self.estate, self.events = estate, events
        self.first = first or events[0].at
        self.chance = random.Random(seed)
        speech = Speech(self.chance)
        self.caller = Caller(estate, self.chance, speech)
        self.developer = Developer(estate, self.chance, speech)
        self.marks = Marks(estate)
        self.slots = tuple(self.planned())
        self.acts: list[Act] = []

    def __len__(self) -> int:
        return len(self.slots)

    def planned(self) -> Iterator[Slot]:
        """The windows of the log, and some of the others' own in its pauses."""
        before: int | None = None
        for at, events in windows_of(self.events, self.first):
            if before is not None and at - before > PAUSE and self.chance.random() < PAUSES:
                yield Slot(self.chance.randrange(before + 2, at - 1))
            yield Slot(at, tuple(events))
            before = at

    def __iter__(self) -> Iterator[Window]:
        for number, slot in enumerate(self.slots):
            start = self.first + slot.at * SPAN
            self.estate.clock.set(start)
            self.marks.refresh()
            acts = list(self.played(slot) if slot.events else self.on_their_own())
            self.acts += acts
            self.estate.clock.set(start + SPAN)
            yield Window(number, slot.at, start + SPAN, tuple(acts), bool(slot.events))

    def played(self, slot: Slot) -> Iterator[Act]:
        """The log's changes at their minute, each perhaps met by another before or after it."""
        for event in slot.events:
            self.estate.clock.set(event.at)
            met = self.meeting(event)
            first = self.chance.random() < 0.5
            if met and first:
                yield self.developer.act(*met)
            yield from self.caller.play(event)
            if met and not first:
                yield self.developer.act(*met)
        if self.chance.random() < ELSEWHERE:
            yield from self.on_their_own()

    def meeting(self, event: Event) -> tuple[str, str] | None:
        """An item beside the event's incident on which somebody acts at the same time."""
        id = self.caller.incidents.get(event.number)
        if id is None or self.chance.random() >= MEETS:
            return None
        beside = list(self.marks.counterparts(id))
        return self.chance.choice(beside) if beside else None

    def on_their_own(self) -> Iterator[Act]:
        """One to four acts on things of both sides, mostly recent ones, at times two on the two sides of one link."""
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            side = self.chance.choice(("defect", "pbi"))
            items = self.marks.items[side]
            if items:
                recent = items[-LATELY:] if self.chance.random() < RECENT else items
                yield from self.acts_on(side, self.chance.choice(recent))

    def acts_on(self, side: str, id: str) -> Iterator[Act]:
        self.estate.clock.advance(timedelta(seconds=self.chance.choice((0, 1, 7))))
        yield self.developer.act(side, id)
        other = "pbi" if side == "defect" else "defect"
        beside = self.marks.links[self.marks.of(side, id) or ""].get(other, ())
        if beside and self.chance.random() < 0.3:
            yield self.developer.act(other, beside[0])
