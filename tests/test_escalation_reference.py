"""Goal A14: escalation against a reference that lives through every minute of random timelines: none early, none
missed, none doubled. The reference knows the rules in its own words; of the calendar it asks only whether a minute is
open. ``LOCKSTEP_TIMELINES=100000`` makes it a long run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

import pytest

from mappings.calendar import Calendar, Span
from mappings.fields import Common
from mappings.people import Party
from sync.escalation.episodes import parts_of
from sync.escalation.escalate import escalate
from sync.setup import Rule, Setup
from sync.state import Firing, Movement
from tests.builders import STAGES, condition, rule, setup

TIMELINES = int(os.environ.get("LOCKSTEP_TIMELINES", "200"))
MINUTE = timedelta(minutes=1)
#: minutes that a timeline lasts
LENGTH = 5 * 1440
#: a quiet week, one with holidays, and those in which clocks are put forward and back
STARTS = (
    datetime(2026, 11, 16, 16, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 16, 0, tzinfo=UTC),
    datetime(2026, 3, 6, 16, 0, tzinfo=UTC),
    datetime(2026, 10, 30, 15, 0, tzinfo=UTC),
)
ALWAYS = Calendar.always("UTC")
OFFICE = Calendar.of(zone="America/Los_Angeles", hours="08:00-17:00", holidays="US-CA, 2026-11-18")
NIGHT = Calendar.of(zone="America/Los_Angeles", days="Mon-Sun", hours="22:00-06:00")
SHORT = Calendar.of(zone="Europe/London", days="Fri-Mon", hours="00:30-02:30")
#: open minutes of a whole day, where every opening is as long as the next
WHOLE_DAY = {ALWAYS: 1440, OFFICE: 540}
MOVE = {stage.name: stage.move for stage in STAGES.stages}
HOT = condition("priority <= 2")
MANAGERS = "managers"


@cache
def hours(calendar: Calendar, start: datetime) -> tuple[bool, ...]:
    """Whether each minute of a timeline is open, from the minute before it on."""
    return tuple(calendar.is_open(start + (place - 1) * MINUTE) for place in range(LENGTH + 3))


# ── The reference ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Stretch:
    """One episode being lived through: how many open minutes each step still waits, which came due, what ended it."""

    name: str
    began: int
    hours: tuple[bool, ...]
    waits: list[int]
    due: dict[int, int] = field(default_factory=dict)
    over: int | None = None
    ripe: bool = False

    def mark(self, at: int, *, at_once: bool = False) -> None:
        """The steps that wait no more are due, but never outside hours, unless the hours end just now."""
        for number, left in enumerate(self.waits, 1):
            if left:
                return
            if at_once or self.hours[at + 1] or self.hours[at]:
                self.due.setdefault(number, at)
                self.ripe = True

    def spend(self, at: int) -> None:
        """One minute: the first step that still waits waits one less, if it is open."""
        for place, left in enumerate(self.waits):
            if left:
                self.waits[place] -= self.hours[at + 1]
                return


@dataclass
class Life:
    """One version of a rule living through a timeline. ``fired`` is when what step of what episode fired."""

    house: Setup
    rule: Rule
    start: datetime
    fired: Mapping[tuple[str, int], int]
    gone: Mapping[str, int]
    armed: int = 0
    stage: str = ""
    reopened: int = 0
    now: Stretch | None = None
    known: dict[str, Stretch] = field(default_factory=dict)

    def calendar(self) -> Calendar:
        party = next(party for party in self.house.parties if party.name == MOVE[self.stage])
        return self.rule.calendar or party.calendar or self.house.calendar

    def stretch(self, name: str, at: int, first: Span | None) -> Stretch:
        calendar = self.calendar()
        spans = [first, *(step.after for step in self.rule.steps)]
        waits = [minutes(calendar, span) for span in spans]
        return Stretch(name, at, hours(calendar, self.start), [waits[0] + waits[1], *waits[2:]])

    def stalls(self) -> bool:
        return self.rule.quiet is not None or self.rule.over

    def stopped(self) -> bool:
        stage = STAGES.get(self.stage)
        return stage.paused or (stage.terminal and not self.rule.resolved)

    def minute(self, at: int, heard: list[Movement]) -> None:
        """What is due at the beginning of the minute, what happens in it, and the minute itself."""
        for one in self.running():
            one.mark(at)
        for movement in heard:
            self.hear(at, movement)
        for one in self.running():
            one.mark(at)
            one.spend(at)

    def running(self) -> list[Stretch]:
        if not self.stage:
            return []
        if self.stalls():
            return [self.now] if self.now and not self.stopped() else []
        paused = STAGES.get(self.stage).paused
        return [one for one in self.known.values() if one.over is None and not paused]

    def hear(self, at: int, movement: Movement) -> None:
        before = self.stage
        if movement.kind == "stage":
            self.stage = movement.stage
            self.reopened += movement.event.startswith("reopened")
        for one in list(self.known.values()):
            if one.over is None and one.began < at and self.ends(one, at, movement):
                one.over = at
        if self.rule.quiet is not None:
            self.restart(at, movement, before)
        elif self.rule.over:
            self.visit(at, movement)
        elif self.sets_off(at, movement):
            self.known[movement.event] = one = self.stretch(movement.event, at, None)
            for number, left in enumerate(one.waits, 1):
                if any(one.waits[:number]):
                    break
                one.due[number] = at + left

    def ends(self, one: Stretch, at: int, movement: Movement) -> bool:
        told = [minute for (name, _), minute in self.fired.items() if name == one.name]
        if movement.kind == "word":
            heard = not self.stalls() or one.ripe
            return movement.word in self.rule.until or (movement.word == "ack" and heard)
        if movement.kind in ("comment", "stage", "assignment") and movement.party == MANAGERS:
            if any(minute < at for minute in told):
                return True
        if movement.kind != "stage":
            return False
        terminal = STAGES.get(movement.stage).terminal and not self.rule.resolved
        return bool(self.rule.enters) or (self.rule.concern and terminal)

    def restart(self, at: int, movement: Movement, before: str) -> None:
        """Quiet: the move passed on, a pause was left, or those whose move it was did something."""
        whose = MOVE[before or self.stage]
        acts = movement.kind in ("comment", "stage", "assignment") and movement.party == whose != ""
        passed = movement.kind == "stage" and (
            not before or MOVE[before] != MOVE[self.stage] or STAGES.get(before).paused
        )
        if acts or passed:
            self.now = self.stretch(movement.event, at, self.rule.quiet)
            self.known[self.now.name] = self.now

    def visit(self, at: int, movement: Movement) -> None:
        """Over: the stage's own time, over its visits, anew after each reopening."""
        if movement.kind != "stage":
            return
        name = f"over:{self.stage}:{self.reopened}"
        if self.now:
            self.now.due.clear()
        target = self.rule.over_span or STAGES.get(self.stage).target
        self.now = None
        if target is not None and not STAGES.get(self.stage).paused:
            self.now = self.known.get(name) or self.stretch(name, at, target)
            self.known[name] = self.now

    def sets_off(self, at: int, movement: Movement) -> bool:
        if self.rule.by and movement.party not in self.rule.by:
            return False
        if self.rule.concern:
            return at >= self.armed and self.worries(movement)
        words = {"word": self.rule.said, "field": self.rule.changes, "opened": self.rule.opens}
        if movement.kind == "stage":
            return movement.stage in self.rule.enters
        return movement.word in words.get(movement.kind, ())

    def worries(self, movement: Movement) -> bool:
        """A requester's comment while it is not its move, unless an earlier one is still open."""
        asks = movement.kind == "comment" and movement.party == "county" and MOVE[self.stage] != "county"
        stopped = STAGES.get(self.stage).terminal and not self.rule.resolved
        still = [one for one in self.known.values() if one.over is None and one.name not in self.gone]
        return asks and not stopped and not still and not movement.event.endswith("!")


def minutes(calendar: Calendar, span: Span | None) -> int:
    return 0 if span is None else span.days * WHOLE_DAY.get(calendar, 0) + span.seconds // 60


@dataclass
class Reference:
    """A watchman who looks every minute that Lockstep is up. ``armed`` is since when what of the rule counts."""

    house: Setup
    rules: dict[str, Rule]
    start: datetime
    fired: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)
    done: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    gone: dict[str, dict[str, int]] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    told: list[tuple[int, str, str, int]] = field(default_factory=list)

    def begin(self, past: list[tuple[int, list[Movement]]], armed: Mapping[str, int]) -> None:
        """The rules as they now are, each living through all that was before."""
        for id, ruled in self.rules.items():
            fired, gone = self.fired.setdefault(id, {}), self.gone.setdefault(id, {})
            life = Life(self.house, ruled, self.start, fired, gone, armed[id])
            heard = dict(past)
            for at in range(past[-1][0] if past else 0):
                life.minute(at, heard.get(at, []))
            self.lives[id] = life
        self.lives = {id: self.lives[id] for id in self.rules}

    def look(self, at: int, armed: Mapping[str, int], hot: bool, asleep: bool) -> None:
        for id, life in self.lives.items():
            holds = life.rule.when is None or hot
            done = self.done.setdefault(id, set())
            for one in self.standing(life):
                if not life.stalls() and one.began < self.counts_from(armed, life, one):
                    continue
                if not holds:
                    if not life.stalls() and not any(name == one.name for name, _ in done):
                        self.gone[id][one.name] = at
                        done.add((one.name, 0))
                    continue
                if one.name not in self.gone[id]:
                    self.fire(at, id, life, one, armed, asleep)

    def standing(self, life: Life) -> list[Stretch]:
        if life.stalls():
            return [life.now] if life.now and not life.stopped() else []
        return list(life.known.values())

    def counts_from(self, armed: Mapping[str, int], life: Life, one: Stretch) -> int:
        return max(at for name, at in armed.items() if name in (life.rule.id, f"{life.rule.id} {self.words[one.name]}"))

    #: what each event sets off, as the file says it
    words: dict[str, str] = field(default_factory=dict)

    def fire(self, at: int, id: str, life: Life, one: Stretch, armed: Mapping[str, int], asleep: bool) -> None:
        done = self.done[id]
        due = [(number, when) for number, when in sorted(one.due.items()) if (one.name, number) not in done]
        if one.over is not None:
            due = [(number, when) for number, when in due if not life.stalls() and when == one.began]
        for number, when in list(due):
            if when < max(armed[id], armed[f"{id} step {number}"]):
                done.add((one.name, number))
                due.remove((number, when))
        if due and not asleep:
            number, _ = due[-1]
            done |= {(one.name, lower) for lower, _ in due}
            self.fired[id][one.name, number] = at
            self.told.append((at, id, one.name, number))


# ── Timelines ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Story:
    """A timeline: what happens in which minute, when the condition holds, which rules stand from when on, and when
    Lockstep is up."""

    house: Setup
    start: datetime
    heard: dict[int, list[Movement]]
    hot: dict[int, bool]
    rules: dict[int, dict[str, Rule]]
    down: list[tuple[int, int]]

    def up(self, at: int) -> bool:
        return not any(begin <= at < end for begin, end in self.down)


def story(random: Random) -> Story:
    start = random.choice(STARTS)
    calendars = [random.choice((ALWAYS, OFFICE, NIGHT, SHORT)) for _ in range(3)]
    parties = (
        Party("operations", ("incident",), calendar=calendars[0]),
        Party("county", ("incident",), calendar=calendars[1], requester=True),
        Party("developers", ("defect",), calendar=calendars[2]),
        Party(MANAGERS),
        Party("", calendar=ALWAYS),
    )
    house = setup(parties=parties)
    ids = ["one", "two"][: random.choice((1, 1, 2))]
    rules = {0: {id: some_rule(random, id) for id in ids}}
    for _ in range(random.choice((0, 0, 1, 2))):
        at = random.randrange(1, LENGTH)
        last = rules[max(known for known in rules if known <= at)]
        later = {known: those for known, those in rules.items() if known > at}
        rules = {k: v for k, v in rules.items() if k not in later} | {at: edited(random, last)} | later
    begin = random.randrange(LENGTH)
    down = [(begin, begin + random.randrange(1, 3000))] if random.random() < 0.4 else []
    hot, at = {0: random.random() < 0.8}, 0
    while random.random() < 0.4 and (at := at + random.randrange(1, 3000)) < LENGTH:
        hot[at] = not hot[max(hot)]
    return Story(house, start, dict(happenings(random, house, start)), hot, rules, down)


def some_span(random: Random, calendar: Calendar | None) -> Span:
    if calendar in WHOLE_DAY and random.random() < 0.3:
        return Span(random.choice((1, 1, 2)), random.choice((0, 3600)))
    return Span(seconds=60 * random.choice((1, 30, 60, 119, 120, 121, 480, 540, 600, 1440)))


def some_rule(random: Random, id: str) -> Rule:
    calendar = random.choice((None, None, ALWAYS, OFFICE, NIGHT, SHORT))
    kind = random.choice(("quiet", "quiet", "over", "concern", "said", "enters", "changes", "opens"))
    said: dict[str, object] = {
        "quiet": {"quiet": some_span(random, calendar)},
        "over": {"over": True, "over_span": some_span(random, calendar)},
        "concern": {"concern": True},
        "said": {"said": ("research", "delegate")[: random.choice((1, 2))]},
        "enters": {"enters": random.choice((("Fixing",), ("Closed", "Waiting"), ("Validating", "Fixing")))},
        "changes": {"changes": ("due", "release")[: random.choice((1, 2))]},
        "opens": {"opens": ("defect",)},
    }[kind]  # type: ignore[assignment]
    steps = [None if random.random() < 0.6 else some_span(random, calendar)]
    steps += [some_span(random, calendar) for _ in range(random.randrange(3))]
    by = random.choice(((), (), ("developers", "county"))) if kind in ("said", "enters", "changes") else ()
    made = rule(id, after=steps, calendar=calendar, when=random.choice((None, None, HOT)), **said)
    until = random.choice(((), ("answered",)))
    return replace(made, by=by, until=until, resolved=kind in ("quiet", "over", "concern") and random.random() < 0.2)


def edited(random: Random, rules: dict[str, Rule]) -> dict[str, Rule]:
    """One rule changed, added to, taken away or put back."""
    id = random.choice(("one", "two"))
    if id not in rules:
        return {**rules, id: some_rule(random, id)}
    was, how = rules[id], random.choice(("span", "step", "word", "gone", "other"))
    if how == "gone":
        return {name: one for name, one in rules.items() if name != id}
    if how == "step":
        more = rule(after=[some_span(random, was.calendar)]).steps
        return {**rules, id: replace(was, steps=(*was.steps, *more))}
    if how == "word" and was.enters:
        return {**rules, id: replace(was, enters=tuple(dict.fromkeys((*was.enters, "Validating", "Closed"))))}
    if how == "span" and was.quiet:
        return {**rules, id: replace(was, quiet=some_span(random, was.calendar))}
    return {**rules, id: some_rule(random, id)} if how == "other" else rules


def happenings(random: Random, house: Setup, start: datetime) -> Iterator[tuple[int, list[Movement]]]:
    """What happens: a link is born, people move it, talk, command, assign, change fields."""
    stage, serial, at = "Validating", 1, 0
    yield 0, [Movement("born:1:Validating", "stage", start, stage, MOVE[stage])]
    while (at := at + random.choice((1, 2, 59, 60, 61, 300, random.randrange(1, 2000)))) < LENGTH:
        when, party = start + at * MINUTE, random.choice(("", "operations", "developers", "county", "county", MANAGERS))
        kind = random.choice(("stage", "stage", "comment", "comment", "word", "word", "assignment", "field", "opened"))
        if kind == "stage":
            left, stage = stage, random.choice([s for s in MOVE if s != stage])
            serial += 1
            how = "reopened" if STAGES.get(left).terminal else "stage"
            yield at, [Movement(f"{how}:{serial}:{stage}", kind, when, stage, MOVE[stage], party)]
        elif kind in ("comment", "assignment"):
            yield at, [Movement(f"{kind}:{at}", kind, when, stage, MOVE[stage], party)]
        elif kind == "word":
            yield at, list(command(random, house, start, at, stage, party))
        else:
            word = random.choice(("due", "release")) if kind == "field" else random.choice(("defect", "pbi"))
            yield at, [Movement(f"{kind}:{word}:{at}", kind, when, stage, MOVE[stage], party, word)]


def command(random: Random, house: Setup, start: datetime, at: int, stage: str, party: str) -> Iterator[Movement]:
    """A comment with a command word in it. A snooze is over when so many minutes of the move's calendar passed."""
    word = random.choice(("ack", "ack", "answered", "research", "delegate", "snooze", "snooze", "unsnooze"))
    said = Movement(f"comment:snow:{at}!", "comment", start + at * MINUTE, stage, MOVE[stage], party)
    until = None
    if word == "snooze":
        mine = next(p for p in house.parties if p.name == MOVE[stage]).calendar or ALWAYS
        open_ones = [minute for minute in range(at, LENGTH) if hours(mine, start)[minute + 1]]
        span = random.choice((60, 300, 600))
        until = start + ((open_ones[span - 1] + 1) if len(open_ones) >= span else 10 * LENGTH) * MINUTE
    yield said
    yield replace(said, event=f"word:snow:{at}!:0", kind="word", word=word, until=until)


# ── Side by side ─────────────────────────────────────────────────────────────────────────────────────────────────


def arm(armed: dict[str, int], rules: Mapping[str, Rule], at: int) -> dict[str, int]:
    """What is new counts from now on; what is gone begins anew when it comes back."""
    named = {name for id, parts in parts_of(tuple(rules.values())).items() for name in (id, *parts)}
    return {name: armed.get(name, at) for name in named}


def values_of(hot: bool) -> dict[str, Common]:
    return {"priority": 1 if hot else 3}


def lived(told: Story) -> list[tuple[int, str, str, int]]:
    """What the reference saw fire: minute, rule, episode, step."""
    watch = Reference(told.house, told.rules[0], told.start)
    armed = arm({}, told.rules[0], 0)
    past: list[tuple[int, list[Movement]]] = []
    watch.begin(past, armed)
    hot, asleep = told.hot[0], 0
    pending = False
    for at in range(LENGTH):
        pending = pending or at in told.rules
        if pending and told.up(at):
            rules = told.rules[max(known for known in told.rules if known <= at)]
            armed = arm(armed, rules, at)
            watch.rules, watch.lives, pending = rules, {}, False
            watch.begin([*past, (at, [])], armed)
        heard = told.heard.get(at, [])
        hot = told.hot.get(at, hot)
        for movement in heard:
            note(watch.words, movement)
            if movement.word in ("snooze", "unsnooze"):
                asleep = int((movement.until - told.start) / MINUTE) if movement.until else 0
        past += [(at, heard)] if heard else []
        for life in watch.lives.values():
            life.minute(at, heard)
        if told.up(at):
            watch.look(at, armed, hot, asleep > at)
    return watch.told


def note(words: dict[str, str], movement: Movement) -> None:
    kinds = {"word": "said", "field": "changes", "opened": "opens"}
    what = f"{kinds[movement.kind]} {movement.word}" if movement.kind in kinds else f"enters {movement.stage}"
    words[movement.event] = what


def passes(told: Story) -> list[tuple[int, str, str, int]]:
    """What escalation let fire, in passes at whatever is heard and at each instant that the pass before named."""
    firings: list[Firing] = []
    fired: list[tuple[int, str, str, int]] = []
    instants = {*told.heard, *told.hot, *told.rules, *(end for _, end in told.down)}
    armed: dict[str, int] = {}
    following: datetime | None = None
    at = 0
    while at < LENGTH:
        if told.up(at):
            rules = told.rules[max(known for known in told.rules if known <= at)]
            armed = arm(armed, rules, at)
            outlook = look(told, rules, armed, firings, at)
            for firing in outlook.firings:
                assert not any(
                    (f.rule, f.episode, f.step) == (firing.rule, firing.episode, firing.step) for f in firings
                )
                firings.append(replace(firing, told=(MANAGERS,) if firing.outcome == "fired" else ()))
            fired += [(at, due.rule.id, due.episode, due.step) for due in outlook.fired]
            following = outlook.next_due
        coming = [minute for minute in instants if minute > at]
        if following is not None:
            coming.append(max(at + 1, -((told.start - following) // MINUTE)))
        at = min(coming, default=LENGTH)
    return fired


def look(told: Story, rules: Mapping[str, Rule], armed: Mapping[str, int], firings: list[Firing], at: int):  # type: ignore[no-untyped-def]
    house = replace(told.house, rules=tuple(rules.values()))
    heard = [movement for minute in sorted(told.heard) if minute <= at for movement in told.heard[minute]]
    since = {name: told.start + minute * MINUTE for name, minute in armed.items()}
    hot = told.hot[max(minute for minute in told.hot if minute <= at)]
    return escalate(house, values_of(hot), heard, firings, since, told.start + at * MINUTE)


@pytest.mark.parametrize("part", range(4))
def test_no_step_comes_early_none_is_missed_and_none_comes_twice(part: int) -> None:
    for seed in range(part, TIMELINES, 4):
        told = story(Random(seed))
        assert sorted(passes(told)) == sorted(lived(told)), f"seed {seed}"
