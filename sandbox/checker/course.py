"""The course that a field or the stage of a link must have taken, judged at every write of the bot's.

Beyond the replay's course: people act inside a pass too, so that it may or may not have seen them; items are away for a
while; and each write must fit what stood when it was made, whether or not later ones put it right.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise, product

from sandbox.checker.items import Away
from sandbox.checker.ways import Ways
from sandbox.replay.course import Course, Passed, Way, settled
from sandbox.replay.histories import Life
from sandbox.replay.meanings import Measure, Shown

#: most ways followed at once; beyond, a course is not judged
WAYS = 400
INSTANT, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One item of a side shows something from ``at`` on, ``was`` before; ``ours``: the bot's doing. ``was`` is empty
    where the item was made."""

    at: datetime
    side: str
    ours: bool
    was: Shown
    shown: Shown


def events_of(measure: Measure, lives: Mapping[str, Life], made: frozenset[str] = frozenset()) -> list[Event]:
    """Every change of what the sides show, in order; what changes at one instant is one event. Items on the sides
    ``made`` were created by the bot, which chose what they were born with."""
    found: list[Event] = []
    for side, life in lives.items():
        names = measure.natives.get(side, ())
        now, turns = dict(life.first), [turn for turn in life.turns if turn.field in names]
        if side in made:
            found.append(Event(life.born, side, True, (), tuple(now[name] for name in names)))
        for at in sorted({turn.at for turn in turns}):
            was = tuple(now[name] for name in names)
            together = [turn for turn in turns if turn.at == at]
            now |= {turn.field: turn.value for turn in together}
            shown = tuple(now[name] for name in names)
            if shown != was:
                found.append(Event(at, side, together[-1].ours, was, shown))
    return sorted(found, key=lambda event: event.at)


class Followed(Course):
    """A course followed pass by pass. ``opener`` is the side whose word stood first, ``made`` the sides whose items the
    bot created; ``steps`` tell which states may be passed through on the way to another."""

    def __init__(
        self,
        measure: Measure,
        lives: Mapping[str, Life],
        away: Mapping[str, Sequence[Away]],
        opener: str,
        made: frozenset[str],
        steps: Mapping[str, Ways],
    ) -> None:
        super().__init__(measure, lives)
        self.away, self.opener, self.steps = away, opener, steps
        self.events = events_of(measure, self.lives, made if measure.name != "stage" else frozenset())
        self.instants = [event.at for event in self.events]
        #: how many events every pass from now on has heard of, side by side
        self.heard = dict.fromkeys(self.lives, 0)
        #: what the sides showed when the present pass began
        self.found_first: dict[str, Shown] = {}
        self.given_up = False

    def follow_all(self, passes: Sequence[Passed], sure: Sequence[bool]) -> Event | None:
        """Follows every pass, and returns the first write that fits no way; then nothing more is followed."""
        opened = min((life.born for side, life in self.lives.items() if side != self.opener), default=None)
        for one, is_sure in zip(passes, sure, strict=True):
            if opened is None or one.ended < opened:
                continue
            self.found_first = self.after_events(bisect_right(self.instants, one.begun))
            moments = [one.begun, *self.breaks(one), one.ended]
            for since, until in pairwise(moments):
                wrong = self.take(since, until, is_sure and len(moments) == 2)
                if wrong is not None or self.given_up:
                    self.given_up = True
                    return wrong
        return None

    def breaks(self, one: Passed) -> list[datetime]:
        """The instants within a pass at which people changed something, or an item went or came back: what the pass
        read before and wrote after them it could not know better."""
        said = {event.at for event in self.events if not event.ours}
        borders = {moment for stretches in self.away.values() for s in stretches for moment in (s.since, s.until)}
        found = {at for at in said | borders if one.begun < at < one.ended}
        # whoever was made is decided on once more with what its source shows by then
        made = {life.born + INSTANT for life in self.lives.values() if one.begun < life.born < one.ended}
        return sorted(found | made if found or not one.calm else found)

    def take(self, since: datetime, until: datetime, sure: bool) -> Event | None:
        """What happened in a pass, or in a part of it in which only the bot acted."""
        first, last = bisect_right(self.instants, since), bisect_left(self.instants, until)
        inside = self.events[first:last]
        found = {side: shown for side, shown in self.after_events(first).items() if self.present(side, since)}
        told = enumerate(self.events[:first])
        self.spoke = {event.side for place, event in told if not event.ours and place >= self.heard[event.side]}
        if self.ways:
            self.ways = {after for way in self.ways for after in self.after(way, found, sure)}
        else:
            shown: list[tuple[Shown, tuple[tuple[str, Shown, int], ...]]]
            shown = [(found[self.opener], ())] if self.opener in found else []
            if shown and not sure:
                # what people did lately may not have been seen yet: then it is a change of what was
                before = [e.was for e in self.events[:first] if e.side == self.opener and e.was]
                shown += [(was, ((self.opener, was, 1),)) for was in before]
            self.ways = {
                Way(value, self.opener, 1, known)
                for one, known in shown
                for value in self.measure.meanings(self.opener, one)
            }
        writes = [event for event in inside if event.ours]
        fitting = {way for way in self.ways if all(self.suits(way, event, inside) for event in writes)}
        if (
            self.ways
            and not fitting
            and not sure
            and any(all(self.suits(way, event, inside) for event in writes) for way in self.newest(until))
        ):
            self.given_up = True  # no older word, but nobody can tell what was seen from here on
            return None
        if self.ways and not fitting:
            return next((e for e in writes if not any(self.suits(way, e, inside) for way in self.ways)), writes[-1])
        here = {side: shown for side, shown in self.after_events(last).items() if self.present(side, until)}
        self.ways = {after for way in fitting for after in self.stood(way, here, sure)}
        self.given_up = len(self.ways) > WAYS
        self.heard |= dict.fromkeys(found, first) if sure else {}
        return None

    def newest(self, until: datetime) -> set[Way]:
        """What people said last. A database, and an index that comes late, may show their changes of one minute one
        after the other."""
        people = [event for event in self.events if not event.ours and event.at <= until]
        lately = [e for e in people if min(until, people[-1].at) - e.at <= MINUTE or until - e.at <= MINUTE]
        return {Way(v, e.side, 1, ()) for e in lately for v in self.measure.meanings(e.side, e.shown)}

    def after_events(self, count: int) -> dict[str, Shown]:
        """What every side shows after so many events."""
        names = self.measure.natives
        found = {side: tuple(life.first[name] for name in names[side]) for side, life in self.lives.items()}
        return found | {event.side: event.shown for event in self.events[:count]}

    def present(self, side: str, at: datetime) -> bool:
        gone = any(one.since <= at < one.until for one in self.away.get(side, ()))
        return self.lives[side].born <= at and not gone

    def suits(self, way: Way, event: Event, inside: Sequence[Event]) -> bool:
        """Whether the bot may have written that while this stood: it means it, or is a step on the way to it."""
        plain = self.measure.name != "stage"
        if plain and event.was and not self.measure.meanings(event.side, self.found_first[event.side]):
            return False  # what the file maps to nothing is held, and never written over
        if way.value in self.measure.meanings(event.side, event.shown):
            return True
        if plain:
            return False
        words = next(words for value, words in self.measure.rows if value == way.value).get(event.side, ())
        return any(self.steps[event.side].through(event.was[0], event.shown[0], word[0]) for word in words)

    def stood(self, way: Way, here: Mapping[str, Shown], sure: bool) -> Iterator[Way]:
        """What may be known of the sides after a pass. Unless it is ``sure``, what a side shows may not have been seen,
        nor what was written to it acknowledged: at the most what it showed before, which may mean what stands now."""
        before = {} if sure else {side: was for side, was, _ in way.shown if was != here.get(side, was)}
        before = {s: was for s, was in before.items() if way.value in self.measure.meanings(s, was)}
        seen = [(value,) if sure else (value, None, *([before[s]] if s in before else ())) for s, value in here.items()]
        for some in product(*seen):
            shown = {side: value for side, value in zip(here, some, strict=True) if value is not None}
            after = settled(self.measure, way, shown)
            known = {side: (was, serial) for side, was, serial in way.shown}
            known |= {side: (was, serial) for side, was, serial in after.shown}
            yield replace(after, shown=tuple((side, *known[side]) for side in sorted(known)))

    def at_rest(self, sides: Sequence[str]) -> str:
        """What is wrong with how these sides stand at the end: ``diverged``, ``lost`` or nothing."""
        now = self.after_events(len(self.events))
        mapped = {side: self.measure.meanings(side, now[side]) for side in sides if side in now}
        heard = {side: meant for side, meant in mapped.items() if meant}
        if any(self.fits(way.value, heard) for way in self.ways):
            return ""
        if not any(self.fits(value, heard) for meant in heard.values() for value in meant):
            return "diverged"
        return "" if self.given_up or not self.ways else "lost"

    def fits(self, value: str, heard: Mapping[str, tuple[str, ...]]) -> bool:
        now = self.after_events(len(self.events))
        return all(
            value in meant or not self.measure.has_word(side, value) or self.measure.kept(side, now[side], value)
            for side, meant in heard.items()
        )
