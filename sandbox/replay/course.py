"""The course one measure of one link must have taken: worked out from who changed what between which passes.

The rules are those of the file: what one side changes is adopted; of several different changes between two passes
the word of the first in order stands; a side that had not yet been brought to what stood when its people changed it
changed it at the same time as whoever said what stood. An unmapped value says nothing until it is mapped again. Where
faults may have kept a change from a pass, every way it can have gone is followed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from sandbox.replay.histories import Life
from sandbox.replay.meanings import Measure, Shown

#: most ways followed at once; beyond, a course is not judged
WAYS = 64


@dataclass(frozen=True, slots=True)
class Passed:
    """A pass of the bot, from when to when. ``calm``: no fault struck in it and no index was late. ``sweep``: it looked
    at every item."""

    begun: datetime
    ended: datetime
    calm: bool = True
    sweep: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way things can have gone: what stands, whose word that was, the how-manieth it is; and of each side what it
    showed, and of which agreement, when it was last in step. ``lost`` are the words of each side that did not stand;
    ``before`` is where a pause leads back to, which what may mean it then means first. ``barred`` are the sides that
    could not follow because they stand in what they never leave, each as often as that began; ``stuck`` those now."""

    value: str
    by: str
    serial: int
    shown: tuple[tuple[str, Shown, int], ...]
    lost: tuple[str, ...] = ()
    before: str = ""
    barred: tuple[str, ...] = ()
    stuck: frozenset[str] = frozenset()


class Course:
    """The sides' values over time, and the ways that explain them."""

    def __init__(self, measure: Measure, lives: Mapping[str, Life]) -> None:
        self.measure = measure
        self.lives = {side: life for side, life in lives.items() if side in measure.natives}
        self.now: dict[str, dict[str, str]] = {side: dict(life.first) for side, life in self.lives.items()}
        self.place = dict.fromkeys(self.lives, 0)
        self.ways: set[Way] = set()
        #: sides whose people changed something since the last calm pass: what only the bot changed is no claim
        self.spoke: set[str] = set()

    def shown(self, side: str) -> Shown:
        return tuple(self.now[side][name] for name in self.measure.natives[side])

    def advance(self, until: datetime) -> None:
        """Takes up every change up to an instant."""
        for side, life in self.lives.items():
            while self.place[side] < len(life.turns) and life.turns[self.place[side]].at <= until:
                turn = life.turns[self.place[side]]
                if turn.field in self.measure.natives[side]:
                    self.now[side][turn.field] = turn.value
                    self.spoke |= set() if turn.ours else {side}
                self.place[side] += 1

    def run(self, passes: Sequence[Passed], ends: Sequence[datetime], strict: bool) -> Iterator[tuple[Passed, str]]:
        """Follows the passes (``ends``: when each ended) and yields those after which the sides do not stand as they
        must, with what is wrong. Only the last is judged unless ``strict``."""
        opened = min((life.born for side, life in self.lives.items() if side != "incident"), default=None)
        at = bisect_left(ends, opened) if opened else len(passes)
        while at < len(passes):
            self.follow(passes[at])
            last = at == len(passes) - 1
            wrong = self.wrong() if (strict and passes[at].calm) or last else ""
            if wrong:
                yield passes[at], wrong
            at = len(passes) if last else self.following(at, passes, ends)

    def following(self, at: int, passes: Sequence[Passed], ends: Sequence[datetime]) -> int:
        """The next pass that matters: in which or before which something changes, or that follows a disturbed one."""
        if not passes[at].calm:
            return at + 1
        turns = [life.turns[self.place[s]].at for s, life in self.lives.items() if self.place[s] < len(life.turns)]
        next_change = bisect_left(ends, min(turns)) if turns else len(passes)
        return min(max(at + 1, next_change), len(passes) - 1)

    def follow(self, done: Passed) -> None:
        """One pass: what it found, and what it left."""
        self.advance(done.begun)
        found = {side: self.shown(side) for side, life in self.lives.items() if life.born <= done.begun}
        self.advance(done.ended)
        if not self.ways:
            self.ways = set(self.first(found))
        else:
            self.ways = {after for way in self.ways for after in self.after(way, found, done.calm)}
        here = {side: self.shown(side) for side, life in self.lives.items() if life.born <= done.ended}
        self.ways = {settled(self.measure, way, here) for way in self.ways}
        self.spoke = set() if done.calm else self.spoke

    def first(self, found: Mapping[str, Shown]) -> Iterator[Way]:
        """The opener's word stands first."""
        for value in self.measure.meanings("incident", found["incident"]):
            yield Way(value, "incident", 1, ())

    def after(self, way: Way, found: Mapping[str, Shown], calm: bool) -> Iterator[Way]:
        """What stands after a pass that found this; after a disturbed one, whichever of the changes it saw. A value
        that was only respelled may be taken for a change or not."""
        claims = dict(self.claims(way, found))
        sure = [side for side, (_, plain) in claims.items() if calm and plain]
        open_ones = [side for side in claims if side not in sure]
        for size in range(len(open_ones) + 1):
            for seen in combinations(open_ones, size):
                heard = {side: claims[side][0] for side in (*sure, *seen)}
                yield self.settle(way, {side: alike(meant, heard.values()) for side, meant in heard.items()})

    def claims(self, way: Way, found: Mapping[str, Shown]) -> Iterator[tuple[str, tuple[tuple[str, ...], bool]]]:
        """The sides whose people changed the value, to what it may mean, and whether it meant none of that before."""
        for side, was, _ in way.shown:
            options = self.measure.meanings(side, found.get(side, was))
            meant = tuple(sorted(options, key=lambda value: value != way.before))
            if side in self.spoke and found.get(side, was) != was and meant and way.value not in meant:
                yield side, (meant, not set(meant) & set(self.measure.meanings(side, was)))

    def settle(self, way: Way, claims: Mapping[str, str]) -> Way:
        if not claims:
            return way
        late = {side for side, _, serial in way.shown if serial < way.serial}
        heard = dict(claims)
        if way.by not in claims and late & claims.keys():
            heard[way.by] = way.value
        winner = min(heard, key=self.measure.order.index)
        lost = tuple(side for side in claims if heard[side] != heard[winner])
        if heard[winner] == way.value:
            return replace(way, lost=tuple(sorted((*way.lost, *lost))))
        stands, lost = heard[winner], tuple(sorted((*way.lost, *lost)))
        before = self.before(way, stands)
        return replace(way, value=stands, by=winner, serial=way.serial + 1, lost=lost, before=before)

    def before(self, way: Way, stands: str) -> str:
        """Where a pause leads back to: the last value that was none."""
        if stands not in self.measure.paused:
            return ""
        return way.before if way.value in self.measure.paused else way.value

    def wrong(self) -> str:
        """What is wrong with how the sides stand now, or nothing."""
        mapped = {side: self.measure.meanings(side, self.shown(side)) for side in self.lives}
        heard = {side: meant for side, meant in mapped.items() if meant}
        if len(self.ways) > WAYS or any(self.fits(way.value, heard) for way in self.ways):
            return ""
        agree = any(self.fits(value, heard) for meant in heard.values() for value in meant)
        stand = ", ".join(f"{side} {'/'.join(self.shown(side))}" for side in self.lives)
        due = " or ".join(sorted({f"{way.value!r} by {way.by}" for way in self.ways}))
        return f"{'overwritten' if agree else 'diverged'}: {stand}; {self.measure.name} must be {due}"

    def fits(self, value: str, heard: Mapping[str, tuple[str, ...]]) -> bool:
        return all(
            value in meant or not self.measure.has_word(side, value) or self.measure.kept(side, self.shown(side), value)
            for side, meant in heard.items()
        )


def settled(measure: Measure, way: Way, here: Mapping[str, Shown]) -> Way:
    """The sides that are in step after a pass, with what they show; the others as they last were."""
    before = {side: (was, serial) for side, was, serial in way.shown}
    shown = []
    for side, now in here.items():
        meant = measure.meanings(side, now)
        cannot = measure.kept(side, now, way.value)
        if meant and (way.value in meant or cannot or not measure.has_word(side, way.value)):
            shown.append((side, now, way.serial))
        else:
            was, serial = before.get(side, (now, 0))
            shown.append((side, was, serial))
    stuck = frozenset(side for side, now in here.items() if measure.stuck(side, now, way.value))
    barred = tuple(sorted((*way.barred, *(stuck - way.stuck))))
    return replace(way, shown=tuple(shown), barred=barred, stuck=stuck)


def alike(meant: tuple[str, ...], all_meant: Iterable[tuple[str, ...]]) -> str:
    """Of what may be meant, that which most of those who changed it may mean too; else the first."""
    others = list(all_meant)
    return max(meant, key=lambda value: (sum(value in other for other in others), -meant.index(value)))
