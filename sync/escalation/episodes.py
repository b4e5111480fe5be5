"""Episodes: what a rule's trigger finds in the recorded history, the steps of each, and what ended it. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sync.escalation.clocks import (
    ACTS,
    Due,
    after,
    around_pauses,
    calendar_of,
    over_since,
    quiet_since,
    resumed,
    rungs,
    since_reopening,
    standing_at,
    stays,
    within,
)
from sync.escalation.words import ACK
from sync.setup import Rule, Setup
from sync.state import Firing, Movement

#: characters of a name in the table of what is armed
NAME_ROOM = 80
#: the step under which an episode is recorded whose rule's condition did not hold when its event came
NO_STEP = 0


@dataclass(frozen=True, slots=True)
class Episode:
    """One stall, or one thing that happened. ``id`` names it for good, ``began`` is what started its clock, at
    ``since``; ``dues`` are its steps as far as their instants are known. ``end`` is what ended it: from then on nothing
    of it becomes due, and only what an event says at once is still told."""

    rule: Rule
    id: str
    began: Movement
    since: datetime
    dues: tuple[Due, ...]
    end: Movement | None = None


def is_stall(rule: Rule) -> bool:
    """Whether the rule waits for what does not happen; the others for what does."""
    return rule.quiet is not None or rule.over


def parts_of(rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """What of each rule comes into force by itself, by the rule's id: its steps and what sets it off. What is added to
    a rule that stands counts from then on, as a new rule does."""
    return {rule.id: tuple(parts(rule)) for rule in rules}


def parts(rule: Rule) -> Iterator[str]:
    yield from (step_of(rule, number) for number in range(1, len(rule.steps) + 1))
    named = {"said": rule.said, "enters": rule.enters, "changes": rule.changes, "opens": rule.opens}
    yield from (armed_by(rule, kind, word) for kind, words in named.items() for word in words)


def step_of(rule: Rule, number: int) -> str:
    return part(f"{rule.id} step {number}")


def armed_by(rule: Rule, kind: str, word: str) -> str:
    return part(f"{rule.id} {kind} {word}")


def part(name: str) -> str:
    """A name that fits its column."""
    return name if len(name) <= NAME_ROOM else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def episodes(
    setup: Setup, rule: Rule, movements: Sequence[Movement], firings: Sequence[Firing], armed: Mapping[str, datetime]
) -> Iterator[Episode]:
    """The rule's episodes in the order of their beginning: of a stall the present one, of events each that happened
    since what it sets off is in force. Events of which everything is recorded are left out, but for the latest: a link
    may have thousands."""
    fired = [firing for firing in firings if firing.rule == rule.id]
    if is_stall(rule):
        yield from stall(setup, rule, movements, fired)
    elif rule.concern:
        yield from concerns(setup, rule, movements, fired, armed[rule.id])
    else:
        events = [movement for movement in movements if sets_off(rule, movement, armed)]
        over = recorded(rule, fired)
        for movement in events:
            if movement is events[-1] or movement.event not in over:
                yield of_event(setup, rule, movements, fired, movement)


def sets_off(rule: Rule, movement: Movement, armed: Mapping[str, datetime]) -> bool:
    """Whether a movement is an event of the rule, since what it sets off is in force."""
    name = meant(rule, movement) if not rule.by or movement.party in rule.by else ""
    return bool(name) and movement.at >= armed_since(armed, rule, name)


def recorded(rule: Rule, fired: Sequence[Firing]) -> frozenset[str]:
    """The episodes of which nothing can fire any more: every step is recorded, or they were let go."""
    steps: dict[str, set[int]] = defaultdict(set)
    for firing in fired:
        steps[firing.episode].add(firing.step)
    whole = set(range(1, len(rule.steps) + 1))
    return frozenset(episode for episode, done in steps.items() if NO_STEP in done or whole <= done)


def stall(setup: Setup, rule: Rule, movements: Sequence[Movement], fired: Sequence[Firing]) -> Iterator[Episode]:
    """The present stall; none while the stage pauses the clocks or ends the work."""
    latest = movements[-1]
    stage = setup.stages.get(latest.stage) if latest.stage else None
    if stage is None or stage.paused or (stage.terminal and not rule.resolved):
        return
    calendar = rule.calendar or calendar_of(setup, latest.move)
    if rule.quiet is not None:
        first = began = quiet_since(setup, movements)
        id, since = began.event, began.at
        dues = tuple(rungs(rule, id, calendar, since, rule.quiet))
        heard: datetime | None = dues[0].at
    elif target := rule.over_span or stage.target:
        id, since, spent = over_since(movements, calendar)
        visits = since_reopening(movements)
        began, first = visits[-1], next(entry for entry in visits if entry.stage == latest.stage)
        nominal = tuple(rungs(rule, id, calendar, since, target))
        dues = tuple(replace(due, at=resumed(calendar, since, due.at, spent)) for due in nominal)
        heard = within(calendar, stays(visits), calendar.elapsed(since, nominal[0].at))
    else:
        return
    yield Episode(rule, id, began, since, dues, ended(setup, rule, id, fired, after(movements, first), heard or since))


def meant(rule: Rule, movement: Movement) -> str:
    """What of the rule a movement sets off; empty where nothing."""
    match movement.kind:
        case "word" if movement.word in rule.said:
            return armed_by(rule, "said", movement.word)
        case "field" if movement.word in rule.changes:
            return armed_by(rule, "changes", movement.word)
        case "opened" if movement.word in rule.opens:
            return armed_by(rule, "opens", movement.word)
        case "stage" if entered(movement) in rule.enters:
            return armed_by(rule, "enters", entered(movement))
    return ""


def entered(movement: Movement) -> str:
    """The stage that somebody's move led into; empty where the stage was only found or read anew. The event names it:
    where clocks disagree, ``stage`` is where the link stands at last."""
    how, _, rest = movement.event.partition(":")
    return rest.partition(":")[2] if how in ("born", "stage", "reopened") else ""


def of_event(
    setup: Setup, rule: Rule, movements: Sequence[Movement], fired: Sequence[Firing], event: Movement
) -> Episode:
    """The episode that something which happened is: its first step is due at once."""
    calendar = rule.calendar or calendar_of(setup, standing_at(movements, event).move)
    nominal = rungs(rule, event.event, calendar, event.at, None)
    dues = tuple(around_pauses(setup, calendar, event, movements, nominal))
    end = ended(setup, rule, event.event, fired, after(movements, event), event.at)
    return Episode(rule, event.event, event, event.at, dues, end)


def concerns(
    setup: Setup, rule: Rule, movements: Sequence[Movement], fired: Sequence[Firing], armed: datetime
) -> Iterator[Episode]:
    """What requesters say while it is not their move. While an episode is open, further concerns belong to it."""
    commands = {command_of(movement) for movement in movements if movement.kind == "word"}
    asking = {p.name for p in setup.parties if p.requester and (not rule.by or p.name in rule.by)}
    let_go = {firing.episode: firing.at for firing in fired if firing.step == NO_STEP}
    open_one: Episode | None = None
    standing = movements[0]
    for movement in movements:
        standing = movement if movement.kind == "stage" else standing
        theirs = movement.kind == "comment" and movement.party in asking and movement.party != standing.move
        over = setup.stages.get(standing.stage).terminal and not rule.resolved
        if not theirs or over or movement.event in commands or movement.at < armed:
            continue
        if open_one is not None and movement.at <= min(closings(open_one, let_go), default=movement.at):
            continue
        open_one = of_event(setup, rule, movements, fired, movement)
        yield open_one


def closings(episode: Episode, let_go: Mapping[str, datetime]) -> Iterator[datetime]:
    """When an episode came to an end, where it did: it ended, or was let go."""
    if episode.end is not None:
        yield episode.end.at
    if episode.id in let_go:
        yield let_go[episode.id]


def command_of(word: Movement) -> str:
    """The event of the comment in which a command word was typed."""
    return f"comment:{word.event.partition(':')[2].rpartition(':')[0]}"


def ended(
    setup: Setup, rule: Rule, episode: str, fired: Sequence[Firing], since: Sequence[Movement], heard: datetime
) -> Movement | None:
    """What ended an episode, of the movements after its beginning: a word of ``until``; ``ack`` once there was
    something to acknowledge, at ``heard`` or when a step fired; what an addressed party did after it was told; or that
    the work moved on."""
    told = [(f.at, reached(setup, f.told)) for f in fired if f.episode == episode and f.outcome == "fired"]
    for movement in since:
        if movement.kind == "word" and movement.word in rule.until:
            return movement
        if movement.kind == "word" and movement.word == ACK and movement.at >= min([heard, *(at for at, _ in told)]):
            return movement
        if movement.kind in ACTS and any(at < movement.at and movement.party in parties for at, parties in told):
            return movement
        if movement.kind == "stage" and moved_on(setup, rule, movement):
            return movement
    return None


def moved_on(setup: Setup, rule: Rule, movement: Movement) -> bool:
    """Whether entering another stage leaves behind what the rule speaks of."""
    if rule.concern:
        return setup.stages.get(movement.stage).terminal and not rule.resolved
    return bool(rule.enters)


def reached(setup: Setup, told: Sequence[str]) -> frozenset[str]:
    """The parties that recipients stand for: named themselves, by an address of theirs, or by one of their people."""
    names = set(told)
    parties = {party.name for party in setup.parties if party.name in names or names & set(party.email)}
    return frozenset(parties | {p.party for p in setup.roster.people if p.party and names & {p.email, p.name} - {""}})


def snoozing(movements: Sequence[Movement], now: datetime) -> Movement | None:
    """The snooze that keeps every rule silent now: the last one, unless it has expired or was taken back."""
    said = [m for m in movements if m.kind == "word" and m.word in ("snooze", "unsnooze")]
    last = said[-1] if said else None
    return last if last is not None and last.until is not None and last.until > now else None


def armed_since(armed: Mapping[str, datetime], rule: Rule, name: str) -> datetime:
    """Since when something of a rule is in force: by itself, or else with its rule."""
    return max(armed[rule.id], armed.get(name, armed[rule.id]))
