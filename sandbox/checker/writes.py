"""What no write may ever do to a value, whichever way things went: judged write by write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sandbox.checker.course import Event
from sandbox.checker.evidence import LEAKED, PHANTOM, RESURRECTED, STALE, Finding
from sandbox.checker.items import Item
from sandbox.checker.shown import Showing, Turned, norm
from sandbox.replay.acts import TRACKERS
from sandbox.replay.meanings import Shown

STAGE = "stage"


class Writes(Showing):
    """The bot's own writes of one measure of one link."""

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
        heard that it did, the value still counts as on its way since the last pass that was sure; where its people gave
        it for a moment that no pass saw, since the last one behind which all were in step."""
        since, ours = item.born, False
        for event in earlier[:-1]:
            if meant & set(self.measure.meanings(item.side, event.shown)):
                if not meant & set(self.measure.meanings(item.side, event.was)):
                    since, ours = event.at, event.ours
        if not ours and not any(since <= one.begun <= earlier[-1].at for one in self.passes):
            return self.all_seen_before(since)
        return self.sure_before(since) if ours and self.weather.amiss(since) else since

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
