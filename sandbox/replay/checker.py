"""The checker: holds every side of every link against what people did. It sees the log, the list of the people's own
acts and the trackers' histories; never the bot's state."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from sandbox.replay.acts import SIDES, Act, Window
from sandbox.replay.course import Course, Passed
from sandbox.replay.eligible import eligible_at
from sandbox.replay.histories import Histories
from sandbox.replay.marks import Marks
from sandbox.replay.meanings import Meanings
from sandbox.replay.replay import Replay
from sandbox.replay.report import Finding
from sandbox.replay.talk import BARRED, Slip, judged, letters

_PRIVATE = {("incident", "work_notes"), ("defect", "role:Developers")}


class Checker:
    """``strict``: after each single pass every side must stand as it must; else only when it is asked, which is after
    a calm pass. ``note`` takes what happened, ``check`` judges."""

    def __init__(self, replay: Replay, file: str, *, strict: bool = True) -> None:
        self.replay, self.estate, self.strict = replay, replay.estate, strict
        self.meanings = Meanings.read(file)
        self.marks, self.histories = Marks(self.estate), Histories(self.estate)
        self.passes: list[Passed] = []
        self.ends: list[datetime] = []
        self.said: dict[tuple[str, str], list[Act]] = defaultdict(list)
        self.secret: dict[str, Act] = {}
        self.calm: set[int] = set()
        self.slot = -1
        self.judged: dict[str, tuple[object, tuple[Finding, ...]]] = {}
        self.notes: dict[str, Counter[tuple[str, str]]] = {}

    # -- what happened

    def note(self, acts: Sequence[Act]) -> None:
        """Takes up what people did."""
        for act in acts:
            if act.kind == "comment":
                self.said[act.side, act.item].append(act)
                if (act.side, act.channel) in _PRIVATE:
                    self.secret[letters(act.text)] = act

    def window(self, window: Window, passes: Sequence[Passed]) -> None:
        """Takes up a window and the passes that followed it."""
        self.note(window.acts)
        self.passes += passes
        self.slot = window.slot
        if any(one.calm for one in passes):
            self.calm.add(window.slot)

    # -- judging

    def check(self) -> tuple[Finding, ...]:
        """Everything that is wrong now, each thing once over all checks."""
        self.refresh()
        self.ends = [one.ended for one in self.passes]
        found = [*self.unpaired(), *self.forgotten()]
        for key in sorted(self.marks.links):
            found += self.judge(key)
        return tuple(found)

    def refresh(self) -> None:
        self.marks.refresh()
        for id in self.replay.caller.incidents.values():
            self.marks.incident(id)

    def name(self, key: str) -> str:
        ids = self.marks.links[key].get("incident")
        return self.estate.servicenow.item(ids[0])["number"] if ids else f"link {key}"

    def unpaired(self) -> Iterator[Finding]:
        """Items without their counterparts, with two, or with half a mark; incidents that had no right to any."""
        may = self.eligible(None)
        for key, items in self.marks.links.items():
            for side in SIDES:
                if len(items.get(side, ())) != 1:
                    yield Finding("unpaired", self.name(key), f"{len(items.get(side, ()))} items on side {side}")
            if self.name(key) not in may:
                yield Finding("uncalled", self.name(key), "has counterparts, but no pass found it in an opening state")
        for side, id in self.marks.odd:
            yield Finding("unpaired", f"{side} {id}", "bears no whole mark")

    def forgotten(self) -> Iterator[Finding]:
        linked = {id for items in self.marks.links.values() for id in items.get("incident", ()) if len(items) > 1}
        for number in sorted(self.eligible(self.calm)):
            if self.replay.caller.incidents.get(number) not in linked:
                yield Finding("forgotten", number, "a pass found it in an opening state, but it has no counterparts")

    def eligible(self, calm: set[int] | None) -> frozenset[str]:
        """By the log alone, up to the present window."""
        return eligible_at(self.replay.events, self.replay.first, calm, self.slot)

    def judge(self, key: str) -> tuple[Finding, ...]:
        """One link; what did not change since it was last judged is not judged again."""
        items = {side: ids[0] for side, ids in self.marks.links[key].items()}
        if "incident" not in items or len(items) < 2:
            return ()
        changed = tuple((side, self.histories.marks_of_change(side, id)) for side, id in items.items())
        if key not in self.judged or self.judged[key][0] != changed:
            name = self.name(key)
            notes: Counter[tuple[str, str]] = Counter()
            found = (*self.talked(name, items, notes), *self.values(name, items, notes))
            self.judged[key] = (changed, tuple(dict.fromkeys(found)))
            self.notes[key] = notes
        return self.judged[key][1]

    def talked(self, name: str, items: dict[str, str], notes: Counter[tuple[str, str]]) -> Iterator[Finding]:
        for side, id in items.items():
            due = list(self.owed(items, side))
            for one in judged(side, self.histories.spoken(side, id), due, self.secret):
                if isinstance(one, Slip):
                    yield Finding(one.kind, name, f"on {side}: {one.text}")
                else:
                    notes[side, one.note] += 1

    def owed(self, items: dict[str, str], target: str) -> Iterator[tuple[Act, str]]:
        """The remarks that must have a copy on the item of side ``target``, each with its channel."""
        for side, id in items.items():
            for act in self.said.get((side, id), ()):
                for place, channel in self.meanings.paths.get((side, act.channel), ()):
                    if place == target:
                        yield act, channel

    def values(self, name: str, items: dict[str, str], notes: Counter[tuple[str, str]]) -> Iterator[Finding]:
        natives = {side: [n for m in self.meanings.measures for n in m.natives.get(side, ())] for side in items}
        lives = {side: self.histories.life(side, id, natives[side]) for side, id in items.items()}
        for measure in self.meanings.measures:
            course = Course(measure, lives)
            for done, wrong in course.run(self.passes, self.ends, self.strict):
                kind, _, text = wrong.partition(": ")
                yield Finding(kind, name, f"after the pass at {done.begun:%Y-%m-%d %H:%M:%S}: {text}")
            yield from self.noted(name, course, notes)

    def noted(self, name: str, course: Course, notes: Counter[tuple[str, str]]) -> Iterator[Finding]:
        """A word that did not stand leaves a note on its own item; nothing else does."""
        what = course.measure.name
        for side in course.lives:
            told = notes[side, what]
            due = {way.lost.count(side) for way in course.ways} or {0}
            if self.strict and told < min(due):
                yield Finding("lost", name, f"{told} notes on {side} of {min(due)} words on {what} that did not stand")
            if told > max(due):
                yield Finding("phantom", name, f"{told} notes on {side}, but {max(due)} words on {what} did not stand")
            yield from self.barred(name, course, side, notes[side, BARRED])

    def barred(self, name: str, course: Course, side: str, told: int) -> Iterator[Finding]:
        """An item that cannot be opened again with its work is told so, once each time."""
        due = {way.barred.count(side) for way in course.ways} or {0}
        if self.strict and course.measure.final and told < min(due):
            yield Finding("lost", name, f"{told} notes on {side} that cannot follow, of {min(due)}")
        if course.measure.final and told > max(due):
            yield Finding(
                "phantom", name, f"{told} notes on {side} that it cannot follow, but it could {max(due)} times"
            )

    # -- totals

    def totals(self) -> tuple[int, int, int]:
        """Remarks that have somewhere to go, copies they make, and the bot's notes, over all links."""
        remarks = copies = 0
        for items in self.marks.links.values():
            one = {side: ids[0] for side, ids in items.items()}
            for side, id in one.items():
                goes = [len(self.meanings.paths.get((side, act.channel), ())) for act in self.said.get((side, id), ())]
                remarks, copies = remarks + sum(map(bool, goes)), copies + sum(goes)
        return remarks, copies, sum(sum(notes.values()) for notes in self.notes.values())
