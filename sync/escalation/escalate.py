"""Escalation: which steps of which rules are due. A pure function of recorded history; nothing here reads a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mappings.fields import Common
from sync.escalation.clocks import Due
from sync.escalation.episodes import NO_STEP, Episode, armed_since, episodes, is_stall, snoozing, step_of
from sync.merging.status import STAGE
from sync.setup import Rule, Setup
from sync.state import Firing, Movement


@dataclass(frozen=True, slots=True)
class Look:
    """How a rule stands: the latest episode of it (``None``: nothing set it off) and what comes next in it.
    ``holds``: its condition does."""

    rule: Rule
    holds: bool
    episode: Episode | None = None
    coming: Due | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What escalation says now: firings to record (the highest due step of each episode fires, those below are
    superseded), and the next instant at which anything can become due. ``asleep`` is the snooze that keeps the rules
    silent, ``looks`` how each of them stands."""

    firings: tuple[Firing, ...] = ()
    fired: tuple[Due, ...] = ()
    next_due: datetime | None = None
    asleep: Movement | None = field(default=None, compare=False)
    looks: tuple[Look, ...] = field(default=(), compare=False)


@dataclass
class Round:
    """One look at the rules of a link, in the making. While it is ``asleep``, nothing fires."""

    firings: Sequence[Firing]
    armed: Mapping[str, datetime]
    now: datetime
    asleep: Movement | None
    recorded: list[Firing] = field(default_factory=list)
    fired: list[Due] = field(default_factory=list)
    upcoming: list[datetime] = field(default_factory=list)


def escalate(
    setup: Setup,
    values: Mapping[str, Common],
    movements: Sequence[Movement],
    firings: Sequence[Firing],
    armed: Mapping[str, datetime],
    now: datetime,
) -> Outlook:
    """Looks at every rule. Instants before a rule's ``armed`` never fire: a new rule, a rebuilt state and a first
    contact start afresh. ``armed`` has every rule by its id, and by ``arms`` what came into force by itself."""
    if not movements:
        return Outlook()
    round = Round(firings, armed, now, snoozing(movements, now))
    looks = tuple(look_at(round, setup, rule, values, movements) for rule in setup.rules)
    if round.asleep is not None and round.asleep.until is not None:
        round.upcoming = [round.asleep.until]
    return Outlook(tuple(round.recorded), tuple(round.fired), min(round.upcoming, default=None), round.asleep, looks)


def look_at(
    round: Round, setup: Setup, rule: Rule, values: Mapping[str, Common], movements: Sequence[Movement]
) -> Look:
    """One rule: what its condition bars, what its episodes want now."""
    holds = rule.when is None or rule.when.holds(values)
    if not holds and is_stall(rule):
        return Look(rule, holds)
    latest, coming = None, None
    for latest in episodes(setup, rule, movements, round.firings, round.armed):
        if met(rule, latest, values) if rule.changes else holds:
            coming = weigh(round, latest)
        else:
            pass_over(round, latest)
    return Look(rule, holds, latest, coming)


def met(rule: Rule, episode: Episode, values: Mapping[str, Common]) -> bool:
    """Whether a change is one that the rule speaks of: its ``stage`` is where the work stood when it was made."""
    return rule.when is None or rule.when.holds({**values, STAGE: episode.began.stage})


def pass_over(round: Round, episode: Episode) -> None:
    """An event whose rule's condition does not hold when it is first looked at is let go for good: it would else speak
    of it whenever the condition comes to hold."""
    if not any(f.rule == episode.rule.id and f.episode == episode.id for f in round.firings):
        round.recorded.append(Firing(episode.rule.id, episode.id, NO_STEP, round.now, "unmet"))


def weigh(round: Round, episode: Episode) -> Due | None:
    """What of an episode fires now, and its next step."""
    rule, now = episode.rule, round.now
    done = {f.step for f in round.firings if f.rule == rule.id and f.episode == episode.id}
    if NO_STEP in done:
        return None
    steps = [due for due in episode.dues if due.step not in done]
    if episode.end is not None:
        steps = [due for due in steps if not is_stall(rule) and due.at == episode.since]
    coming = next((due for due in steps if due.at > now), None)
    round.upcoming += [coming.at] if coming else []
    past = [due for due in steps if due.at <= now]
    stale = [due for due in past if due.at < armed_since(round.armed, rule, step_of(rule, due.step))]
    round.recorded += [Firing(rule.id, due.episode, due.step, now, "before") for due in stale]
    live = [due for due in past if due not in stale]
    if round.asleep is None:
        round.recorded += [Firing(rule.id, due.episode, due.step, now, "superseded") for due in live[:-1]]
        round.recorded += [Firing(rule.id, due.episode, due.step, now) for due in live[-1:]]
        round.fired += live[-1:]
    return coming
