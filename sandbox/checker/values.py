"""Fields and stages: what the bot wrote where, and how the items of a link stand at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from sandbox.checker.calm import Weather
from sandbox.checker.course import Event, Followed, events_of
from sandbox.checker.evidence import DIVERGED, LEAKED, LOST, PHANTOM, RESURRECTED, STALE, Finding
from sandbox.checker.items import Item, World
from sandbox.checker.ways import Ways
from sandbox.replay.acts import TRACKERS, Act
from sandbox.replay.course import Passed
from sandbox.replay.histories import Life
from sandbox.replay.meanings import Measure, Shown
from sandbox.replay.talk import plain, words

STAGE = "stage"


@dataclass(frozen=True, slots=True)
class Turned:
    """An event of one item."""

    item: Item
    event: Event


class Values:
    """One measure of one link."""

    def __init__(self, world: World, weather: Weather, key: str, measure: Measure) -> None:
        self.world, self.weather, self.measure = world, weather, measure
        self.items = [item for item in world.links[key] if item.side in measure.natives]
        self.lives = {item.id: normal(measure, item) for item in self.items}
        self.name = name_of(world.links[key])
        self.sides = {item.side for item in self.items}
        self.single = len(self.sides) == len(self.items)

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

    @cached_property
    def vanished(self) -> bool:
        """Whether something of the estate left nothing behind: it may have been in this link."""
        return bool(self.world.vanished)

    # -- one item a side: the whole course

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

    @property
    def passes(self) -> Sequence[Passed]:
        return self.world.evidence.passes

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

    # -- any link: what no write may ever do

    def written_wrongly(self) -> Iterator[Finding]:
        for one in self.turns():
            if one.event.ours and one.event.was:
                yield from self.nobodys(one) if not self.measure.rows else ()
                yield from self.put_back(one) if self.measure.name != STAGE else self.reopened(one)
                yield from self.needless(one) if self.measure.rows else ()
                yield from self.unguarded(one) if one.item.side == "pbi" else ()

    def nobodys(self, one: Turned) -> Iterator[Finding]:
        """A text that no person of another side of the link ever gave."""
        givers = {item.side for item in self.items if self.gave(item, one.event.shown, one.event.at)}
        text = f"at {one.event.at:%H:%M:%S} the bot wrote {self.measure.name} {self.told(one.event.shown)} to "
        if not givers and not self.from_vanished(one.event.shown):
            yield Finding(PHANTOM, self.name, f"{text}{one.item.name}: no person of this link ever wrote that")
        elif givers == {one.item.side} and len(self.on(one.item.side)) > 1 and not self.from_vanished(one.event.shown):
            yield Finding(LEAKED, self.name, f"{text}{one.item.name}: those are a sibling's words")

    def on(self, side: str) -> list[Item]:
        return [item for item in self.items if item.side == side]

    def gave(self, item: Item, shown: Shown, before: datetime) -> bool:
        """Whether a person gave an item that value."""
        born = not item.ours and self.first(item) == shown
        return born or any(
            not one.event.ours and one.event.shown == shown and one.event.at < before for one in self.turns_of[item.id]
        )

    def from_vanished(self, shown: Shown) -> bool:
        given = {
            norm(self.measure, a.side, v)
            for acts in self.world.vanished.values()
            for a in acts
            for v in a.fields.values()
        }
        return shown[0] in given

    def put_back(self, one: Turned) -> Iterator[Finding]:
        """A value that people had replaced where it stood, given back to the same item although nobody anywhere said it
        anew."""
        event, measure = one.event, self.measure
        earlier = [turn.event for turn in self.turns_of[one.item.id] if turn.event.at < event.at]
        last = earlier[-1] if earlier else None
        meant = set(measure.meanings(event.side, event.shown))
        if last is None or last.ours or not meant & set(measure.meanings(event.side, last.was)):
            return
        if meant & set(measure.meanings(event.side, last.shown)):
            return
        since = self.began_to_show(one.item, earlier, meant)
        anew = [
            turn for turn in self.turns()
            if not turn.event.ours and since < turn.event.at < event.at and turn.item is not one.item
            and meant & set(measure.meanings(turn.item.side, turn.event.shown))
        ]  # fmt: skip
        if not anew and not self.contested(one.item, since, event) and not self.world.vanished:
            yield Finding(
                STALE,
                self.name,
                f"{self.who(one.item, last)} changed {measure.name} of {one.item.name} from {self.told(last.was)} to "
                f"{self.told(last.shown)} at {last.at:%H:%M:%S}; at {event.at:%H:%M:%S} the bot wrote "
                f"{self.told(event.shown)} back, although nobody had said that anew",
            )

    def needless(self, one: Turned) -> Iterator[Finding]:
        """Another spelling of what an item meant already, unless it was on its way to something else, which a pass that
        something went wrong in may have broken off, or its people gave it that meaning in the same pass."""
        event, turns = one.event, [turn.event for turn in self.turns_of[one.item.id]]
        now = next((p for p in self.passes if p.begun <= event.at <= p.ended), None)
        meant = self.measure.meanings(event.side, event.shown)
        if now is None or len(meant) != 1 or meant != self.measure.meanings(event.side, event.was):
            return
        if self.weather.amiss(event.at):
            return
        others = [turn for turn in turns if now.begun <= turn.at <= now.ended and turn is not event]
        if not others and not one.item.absent(now.begun, event.at):
            yield Finding(
                STALE,
                self.name,
                f"{one.item.name} showed {self.told(event.was)}; at {event.at:%H:%M:%S} the bot wrote "
                f"{self.told(event.shown)}, which means the same",
            )

    def unguarded(self, one: Turned) -> Iterator[Finding]:
        """A value written over one that people gave a work item since it was last read: Azure DevOps would have told,
        had it been asked for the revision (apis.md 3.2)."""
        event = one.event
        before = [turn.event for turn in self.turns_of[one.item.id] if turn.event.at < event.at]
        last = before[-1] if before else None
        if last is None or last.ours:
            return
        if not self.weather.asked(TRACKERS["pbi"], last.at, event.at) and last.at < event.at:
            yield Finding(
                STALE,
                self.name,
                f"{self.who(one.item, last)} gave {one.item.name} {self.told(last.shown)} at {last.at:%H:%M:%S}; the "
                f"bot wrote {self.told(event.shown)} over it without having read it",
            )

    def contested(self, item: Item, since: datetime, event: Event) -> bool:
        """Whether people of another item replaced something else at the same time, before they had seen the value: then
        whoever said that is heard once more beside them, and the file's order decides."""
        meant, begun = set(self.measure.meanings(event.side, event.shown)), self.sure_before(since)
        return any(
            not turn.event.ours
            and turn.item is not item
            and begun <= turn.event.at < event.at
            and not meant & set(self.measure.meanings(turn.item.side, turn.event.was))
            for turn in self.turns()
        )

    def began_to_show(self, item: Item, earlier: Sequence[Event], meant: set[str]) -> datetime:
        """Since when an item showed a value before its people replaced it. Where the bot wrote that and may not have
        heard that it did, the value still counts as on its way since the last pass that was sure."""
        since, ours = item.born, False
        for event in earlier[:-1]:
            if meant & set(self.measure.meanings(item.side, event.shown)):
                if not meant & set(self.measure.meanings(item.side, event.was)):
                    since, ours = event.at, event.ours
        return self.sure_before(since) if ours and self.weather.amiss(since) else since

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

    def in_step(self, at: datetime) -> bool:
        """Whether all items that were there meant one value, those apart that have no word for it."""
        there = [item for item in self.items if item.born <= at]
        heard = [(item.side, meant) for item in there if (meant := self.measure.meanings(item.side, self.at(item, at)))]
        values = {value for _, meant in heard for value in meant}
        return any(all(v in meant or not self.measure.has_word(side, v) for side, meant in heard) for v in values)

    def at(self, item: Item, when: datetime) -> Shown:
        """What an item showed at an instant."""
        turns = [turn for turn in self.turns_of[item.id] if turn.event.at <= when]
        return turns[-1].event.shown if turns else self.first(item)

    def reopened(self, one: Turned) -> Iterator[Finding]:
        """An item that was closed and that the bot opened again without anybody's move."""
        event, over = one.event, self.measure.over
        before = set(self.measure.meanings(event.side, event.was))
        after = set(self.measure.meanings(event.side, event.shown))
        if not before or not before <= over or not after or after & over:
            return
        earlier = [turn.event for turn in self.turns_of[one.item.id] if turn.event.at < event.at]
        closed = earlier[-1].at if earlier else one.item.born
        since = self.all_seen_before(self.last_meant(one.item, earlier))
        moved = [t.event.at for t in self.turns() if not t.event.ours and t.item is not one.item]
        moved += [item.born for item in self.items if not item.ours and item is not one.item]
        if not any(since <= at <= event.at for at in moved) and not self.world.vanished:
            yield Finding(
                RESURRECTED,
                self.name,
                f"{one.item.name} stood in {self.told(event.was)} since {closed:%H:%M:%S}; at {event.at:%H:%M:%S} the "
                f"bot moved it to {self.told(event.shown)}, although nobody had moved any item of the link",
            )

    def last_meant(self, item: Item, earlier: Sequence[Event]) -> datetime:
        """Since when an item has shown its last state, with the time before in which it showed what the file maps to
        nothing: then what others said could not be settled with it."""
        for event in reversed(earlier):
            if not event.was or self.measure.meanings(item.side, event.was):
                return event.at
        return item.born

    @property
    def sure_passes(self) -> list[tuple[Passed, bool]]:
        return list(zip(self.passes, self.weather.sure, strict=True))

    # -- several items a side: how they stand at the end

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

    # -- words for it

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


def check_values(world: World, weather: Weather) -> Iterator[Finding]:
    """Every measure of every link."""
    for key in world.links:
        for measure in world.meanings.measures:
            yield from Values(world, weather, key, measure).check()
