"""Fields and stages: what the bot wrote where, and how the items of a link stand at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sandbox.checker.calm import Weather
from sandbox.checker.course import Event, Followed
from sandbox.checker.evidence import DIVERGED, LOST, PHANTOM, STALE, Finding
from sandbox.checker.items import Item, World
from sandbox.checker.ways import Ways
from sandbox.checker.writes import Writes


class Values(Writes):
    """One measure of one link, write by write and at rest."""

    def check(self) -> Iterator[Finding]:
        if len(self.sides) < 2:
            return
        wrong = list(self.written_wrongly())
        yield from wrong
        if not all(map(self.settled_at, self.world.evidence.losses)):
            return
        if self.single and not self.vanished:
            yield from self.followed(judged=bool(wrong))
        else:
            yield from self.at_rest_of_many()

    def settled_at(self, loss: datetime) -> bool:
        """Whether the items were in step when the state was lost, and until it was found again: what was agreed starts
        afresh then, and words that differ wait for their people's next."""
        found = min((one.ended for one in self.passes if one.begun >= loss), default=loss)
        heard = []
        for item in self.items:
            before = [turn.event for turn in self.turns_of[item.id] if turn.event.at <= loss]
            heard.append(set(self.measure.meanings(item.side, before[-1].shown if before else self.first(item))))
        moved = any(loss <= turn.event.at <= found for turn in self.turns())
        return not moved and bool(set.intersection(*heard))

    def followed(self, *, judged: bool) -> Iterator[Finding]:
        opener = min(self.items, key=lambda item: item.born)
        by_side = {item.side: item for item in self.items}
        course = Followed(
            self.measure,
            {side: self.lives[item.id] for side, item in by_side.items()},
            {side: item.away for side, item in by_side.items()},
            opener.side,
            frozenset(item.side for item in self.items if item.ours),
            {item.side: Ways.of(self.world.estate, item.side, item.id) for item in self.items},
        )
        wrong = course.follow_all(self.passes, self.weather.sure)
        if wrong is not None and not judged:
            yield self.finding_of(wrong, by_side[wrong.side])
        if wrong is not None or judged:
            return
        sides = [item.side for item in self.items if self.stands(item)]
        amiss = course.at_rest(sides)
        if amiss:
            kind = DIVERGED if amiss == "diverged" else LOST
            due = " or ".join(sorted({f"{way.value!r} as {way.by} said" for way in course.ways})) or "one value"
            yield Finding(kind, self.name, f"{self.measure.name} is to be {due}, but {self.standing()}; {self.said()}")

    def stands(self, item: Item) -> bool:
        """Whether an item must be in step at the end: it is there, and not held."""
        held = {(one.side, one.item) for one in self.world.evidence.held if one.what in (self.measure.name, "item")}
        return item.there and not self.unnoticed(item) and (item.side, item.id) not in held

    def unnoticed(self, item: Item) -> bool:
        """Whether it came back and only a sweep could have told, where there are none."""
        return not self.world.evidence.sweeps and bool(item.away)

    def finding_of(self, event: Event, item: Item) -> Finding:
        """A write that fits nothing that stood: an older word over a newer one, or nobody's."""
        meant = set(self.measure.meanings(event.side, event.shown))
        people = [one for one in self.turns() if not one.event.ours and one.event.at < event.at]
        known = {v for one in self.items for v in self.measure.meanings(one.side, self.first(one))}
        known |= {v for one in people for v in self.measure.meanings(one.item.side, one.event.shown)}
        kind = STALE if meant & known else PHANTOM
        was = f" over {self.told(event.was)}" if event.was else ""
        return Finding(
            kind,
            self.name,
            f"at {event.at:%H:%M:%S} the bot wrote {self.measure.name} {self.told(event.shown)}{was} to {item.name}, "
            f"which nobody's word stood for then; {self.said(event.at)}",
        )

    def at_rest_of_many(self) -> Iterator[Finding]:
        """The sides that have one item agree, whoever leads the others."""
        alone = [item for item in self.items if len(self.on(item.side)) == 1 and self.stands(item)]
        heard = [(item, meant) for item in alone if (meant := self.measure.meanings(item.side, self.last(item)))]
        others = (item for item in self.items if self.stands(item))
        values = {value for item in others for value in self.measure.meanings(item.side, self.last(item))}
        if len(heard) > 1 and not any(
            all(value in meant or not self.measure.has_word(item.side, value) for item, meant in heard)
            for value in values
        ):
            yield Finding(DIVERGED, self.name, f"{self.measure.name} is not the same: {self.standing()}; {self.said()}")


def check_values(world: World, weather: Weather) -> Iterator[Finding]:
    """Every measure of every link."""
    for key in world.links:
        for measure in world.meanings.measures:
            yield from Values(world, weather, key, measure).check()
