"""What the items of a link showed of one measure, and when, as their trackers' histories tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from sandbox.checker.calm import Weather
from sandbox.checker.course import Event, events_of
from sandbox.checker.items import Item, World
from sandbox.replay.acts import Act
from sandbox.replay.course import Passed
from sandbox.replay.histories import Life
from sandbox.replay.meanings import Measure, Shown
from sandbox.replay.talk import plain, words


@dataclass(frozen=True, slots=True)
class Turned:
    """An event of one item."""

    item: Item
    event: Event


class Showing:
    """One measure of one link."""

    def __init__(self, world: World, weather: Weather, key: str, measure: Measure) -> None:
        self.world, self.weather, self.measure = world, weather, measure
        self.items = [item for item in world.links[key] if item.side in measure.natives]
        self.lives = {item.id: normal(measure, item) for item in self.items}
        self.name = name_of(world.links[key])
        self.sides = {item.side for item in self.items}
        self.single = len(self.sides) == len(self.items)

    @property
    def passes(self) -> Sequence[Passed]:
        return self.world.evidence.passes

    @cached_property
    def vanished(self) -> bool:
        """Whether something of the estate left nothing behind: it may have been in this link."""
        return bool(self.world.vanished)

    @property
    def sure_passes(self) -> list[tuple[Passed, bool]]:
        return list(zip(self.passes, self.weather.sure, strict=True))

    def on(self, side: str) -> list[Item]:
        return [item for item in self.items if item.side == side]

    @cached_property
    def turns_of(self) -> Mapping[str, list[Turned]]:
        return {
            item.id: [Turned(item, event) for event in events_of(self.measure, {item.side: self.lives[item.id]})]
            for item in self.items
        }

    def turns(self) -> list[Turned]:
        return sorted((turn for turns in self.turns_of.values() for turn in turns), key=lambda turn: turn.event.at)

    def first(self, item: Item) -> Shown:
        return tuple(self.lives[item.id].first[name] for name in self.measure.natives[item.side])

    def last(self, item: Item) -> Shown:
        turns = self.turns_of[item.id]
        return turns[-1].event.shown if turns else self.first(item)

    def at(self, item: Item, when: datetime) -> Shown:
        """What an item showed at an instant."""
        turns = [turn for turn in self.turns_of[item.id] if turn.event.at <= when]
        return turns[-1].event.shown if turns else self.first(item)

    def in_step(self, at: datetime) -> bool:
        """Whether all items that were there meant one value, those apart that have no word for it."""
        there = [item for item in self.items if item.born <= at]
        heard = [(item.side, meant) for item in there if (meant := self.measure.meanings(item.side, self.at(item, at)))]
        values = {value for _, meant in heard for value in meant}
        return any(all(v in meant or not self.measure.has_word(side, v) for side, meant in heard) for v in values)

    def sure_before(self, at: datetime) -> datetime:
        """When the last pass began that ended before an instant and was sure."""
        return max(
            (p.begun for p, sure in self.sure_passes if sure and p.ended < at), default=datetime.min.replace(tzinfo=UTC)
        )

    def all_seen_before(self, at: datetime) -> datetime:
        """The same of the last one in which no item of the link was away, and behind which all were in step."""
        return max(
            (
                p.begun
                for p, sure in self.sure_passes
                if sure and p.ended < at and self.in_step(p.ended)
                if not any(item.absent(p.begun, p.ended) for item in self.items)
            ),
            default=datetime.min.replace(tzinfo=UTC),
        )

    def standing(self) -> str:
        return ", ".join(f"{item.name} shows {self.told(self.last(item))}" for item in self.items)

    def said(self, until: datetime | None = None) -> str:
        """What people said of it last."""
        people = [one for one in self.turns() if not one.event.ours and (until is None or one.event.at < until)]
        told = [
            f"{self.who(t.item, t.event)} gave {t.item.name} {self.told(t.event.shown)} at {t.event.at:%H:%M:%S}"
            for t in people[-4:]
        ]
        return "people's last words: " + ("; ".join(told) or "none since the items were made")

    def who(self, item: Item, event: Event) -> str:
        acts: Sequence[Act] = self.world.acts[item.side, item.id]
        return next((act.by for act in acts if abs((act.at - event.at).total_seconds()) < 0.0005), "somebody")

    def told(self, shown: Shown) -> str:
        return repr("/".join(shown))


def name_of(items: Sequence[Item]) -> str:
    """How people would name a link."""
    return " + ".join(item.key for item in sorted(items, key=lambda item: item.born))


def normal(measure: Measure, item: Item) -> Life:
    """A life whose texts are told as people read them, whatever their markup."""
    if measure.rows:
        return item.life
    names, side = measure.natives[item.side], item.side
    first = {n: norm(measure, side, v) if n in names else v for n, v in item.life.first.items()}
    turns = [replace(t, value=norm(measure, side, t.value)) if t.field in names else t for t in item.life.turns]
    return replace(item.life, first=first, turns=tuple(turns))


def norm(measure: Measure, side: str, text: str) -> str:
    """A title as it stands but for its blanks; a longer text by its words, without the line that names its source."""
    if measure.name != "description":
        return " ".join(text.split())
    told = [line for line in plain(side, text).splitlines() if "link:" not in line]
    return " ".join(words("\n".join(told)))
