"""What the shipped default rules fire on real incidents, beside a naive rule on the same ones.

``python -m benchmarks.escalation_sample [--log FILE]`` plays 2,000 real histories through the pure core: the rules,
calendars and bounds of ``config.example.toml`` against "no update for two days, any state but closed". The sample is
weighted (reopened, reassigned and long-running incidents are over-represented), so the two columns may be compared
with each other and no rate may be read off them.

How the log is read: its states are the incident states of the example (those that it does not list leave the stage as
it is), its times the clock of the example's zone. The log tells neither callers' words from the desk's nor comments
from other updates: each update by a person counts as a word of the party whose move it is, a change of group or
assignee as an assignment. The account that writes most of the log is a machine and counts as automation.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from mappings.fields import Common
from mappings.model import Ref
from sandbox.replay.log import Event, by_number, read_log
from sync.config import load
from sync.escalation.clocks import Due
from sync.escalation.digest import HOUR, Past, Wanted, share_out
from sync.escalation.episodes import is_stall
from sync.escalation.move import look, told_so_far
from sync.escalation.recipients import addressed
from sync.merging.status import STAGE
from sync.setup import Setup, Step
from sync.state import Firing, LinkState, Movement

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT.parent / "shared" / "data" / "incident_log" / "sample_2000_incidents.csv.gz"
#: states of the log in the words of the example's incident side
STATES = {"New": "New", "Active": "In Progress", "Awaiting User Info": "On Hold:Awaiting Caller"}
NAIVE = timedelta(days=2)
CLOSED = "Closed"
SECRETS = ("LOCKSTEP_SECRET", "SERVICENOW_PASSWORD", "JIRA_TOKEN", "AZURE_PAT")


@dataclass(frozen=True, slots=True)
class Fired:
    """A step that fired, when, and who is written to. ``stall``: because nothing happened, not because something
    did."""

    at: datetime
    rule: str
    incident: str
    to: tuple[str, ...] = ()
    stall: bool = True


@dataclass
class Column:
    """What one way to escalate made of the sample: its firings in all, those on stalled work, how many of these at
    weekends and at the most in one hour. ``written`` counts messages by recipient one by one, ``got`` what they get
    when people are spared."""

    firings: int = 0
    stalls: int = 0
    weekends: int = 0
    busiest: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    got: Counter[str] = field(default_factory=Counter)


def played(setup: Setup, number: str, events: Sequence[Event], machine: str, end: datetime) -> Iterator[Fired]:
    """One incident's life through the pure core: looked at after each event and whenever a step falls due."""
    movements: list[Movement] = []
    firings: list[Firing] = []
    bounds = [moment(setup, event) for event in events[1:]] + [end]
    for place, (event, bound) in enumerate(zip(events, bounds, strict=True)):
        movements += moved(setup, events[:place], event, movements, machine)
        values = values_of(event, movements)
        now: datetime | None = moment(setup, event)
        while now is not None and now <= bound and movements:
            link = LinkState(1, number, Ref("log", number), (), opened=movements[0].at, firings=tuple(firings))
            outlook = look(setup, link, values, told_so_far(link, movements), now)
            told = {(due.rule.id, due.episode, due.step): who(setup, due, values) for due in outlook.fired}
            firings += [with_told(f, told.get((f.rule, f.episode, f.step), ())) for f in outlook.firings]
            for due in outlook.fired:
                yield Fired(now, due.rule.id, number, recipients(setup, due, values), is_stall(due.rule))
            upcoming = outlook.next_due
            now = upcoming if upcoming is not None and now < upcoming < bound else None


def moved(
    setup: Setup, before: Sequence[Event], event: Event, movements: Sequence[Movement], machine: str
) -> list[Movement]:
    """What an event means for the clocks: the stage it enters, an assignment, or somebody's word."""
    place = len(before)
    at = moment(setup, event) + place * timedelta(microseconds=1)  # the log's minutes hold several updates, in order
    stands = next((m for m in reversed(movements) if m.kind == "stage"), None)
    stage = stage_of(setup, event.state) or (stands.stage if stands else "")
    move = setup.stages.get(stage).move
    party = "" if event.by == machine else (stands.move if stands else move)
    if not stage:
        return []
    if stands is None or stands.stage != stage:
        again = stands is not None and setup.stages.get(stands.stage).terminal
        how = "born" if stands is None else "reopened" if again else "stage"
        return [Movement(f"{how}:{place + 1}:{stage}", "stage", at, stage, move, party)]
    if not party:
        return []
    names = ("assigned_to", "assignment_group")
    passed_on = before and any(event.values.get(n) != before[-1].values.get(n) for n in names)
    kind = "assignment" if passed_on else "comment"
    return [Movement(f"{kind}:log:{place}", kind, at, stage, move, party)]


def stage_of(setup: Setup, state: str) -> str:
    """The stage of a state of the log; empty where the example's file does not list it."""
    return next(iter(setup.stages.meanings("incident", STATES.get(state, state))), "")


def values_of(event: Event, movements: Sequence[Movement]) -> dict[str, Common]:
    """What conditions may name."""
    stage = next((m.stage for m in reversed(movements) if m.kind == "stage"), "")
    priority = int(event.values.get("priority", "4")[0])
    return {STAGE: stage, "priority": priority, "category": event.values.get("category", "")}


def moment(setup: Setup, event: Event) -> datetime:
    """An event's instant: the log's clock stands for the one on the wall of the file's zone."""
    return event.at.replace(tzinfo=ZoneInfo(setup.zone)).astimezone(UTC)


def step_of(due: Due) -> Step:
    return due.rule.steps[due.step - 1]


def who(setup: Setup, due: Due, values: Mapping[str, Common]) -> tuple[str, ...]:
    """Whom a step addresses, as an acknowledgement counts it."""
    email = step_of(due).email
    return addressed(setup, values, email.to, email.cc).told if email else ()


def recipients(setup: Setup, due: Due, values: Mapping[str, Common]) -> tuple[str, ...]:
    """Whom it writes to, those in copy too."""
    email = step_of(due).email
    found = addressed(setup, values, email.to, email.cc) if email else None
    return (*found.to, *found.cc) if found else ()


def with_told(firing: Firing, told: tuple[str, ...]) -> Firing:
    return Firing(firing.rule, firing.episode, firing.step, firing.at, firing.outcome, told)


def naive(setup: Setup, number: str, events: Sequence[Event], end: datetime) -> Iterator[Fired]:
    """No update for two days of the wall clock, any state but closed: one alarm a silence."""
    bounds = [moment(setup, event) for event in events[1:]] + [end]
    for event, bound in zip(events, bounds, strict=True):
        due = moment(setup, event) + NAIVE
        if event.state != CLOSED and due < bound:
            yield Fired(due, "naive", number, ("desk@example.org",))


def column(setup: Setup, fired: Iterable[Fired], *, spares: bool) -> Column:
    """Counts firings, and messages as far as people are spared."""
    some = sorted(fired, key=lambda one: (one.at, one.incident, one.rule))
    stalls = [one.at for one in some if one.stall]
    weekends = sum(at.astimezone(ZoneInfo(setup.zone)).weekday() >= 5 for at in stalls)
    found = Column(len(some), len(stalls), weekends, busiest(stalls))
    for one in some:
        found.by_rule[one.rule] += 1
        found.written.update(one.to)
    found.got = spared(setup, some) if spares else Counter(found.written)
    return found


def spared(setup: Setup, fired: Sequence[Fired]) -> Counter[str]:
    """How many messages each recipient gets by the file's bounds, a pass following each instant at which anything
    fired."""
    sheaves: dict[str, dict[str, datetime]] = defaultdict(dict)
    for at, some in groupby(fired, key=lambda one: one.at):
        wanted = [
            Wanted(f"{one.rule}:{one.incident}:{at.timestamp()}:email", "email", name)
            for one in some
            for name in one.to
        ]
        for delivery in share_out(setup, wanted, {("email", n): past(s, at) for n, s in sheaves.items()}, at):
            sheaves[delivery.wanted.recipient][delivery.sheaf] = delivery.due
    return Counter({name: len(some) for name, some in sheaves.items()})


def past(sheaves: Mapping[str, datetime], now: datetime) -> Past:
    """What a recipient got in the last hour, and the sheaf that is being gathered."""
    sent = tuple(sorted(at for at in sheaves.values() if now - HOUR < at <= now))
    gathered = next(((key, at) for key, at in sheaves.items() if at > now), ("", None))
    return Past(sent, *gathered)


def busiest(moments: Sequence[datetime]) -> int:
    """The most that fired within any hour."""
    most = first = 0
    for last, at in enumerate(moments):
        while moments[first] <= at - HOUR:
            first += 1
        most = max(most, last - first + 1)
    return most


def measured(log: Path) -> tuple[Column, Column]:
    """Both columns."""
    setup = load(ROOT / "config.example.toml", dict.fromkeys(SECRETS, "not used here, not used here, not used"))
    events = read_log(log)
    machine = Counter(event.by for event in events).most_common(1)[0][0]
    end = max(moment(setup, event) for event in events)
    incidents = by_number(events)
    ours = [one for number, some in incidents.items() for one in played(setup, number, some, machine, end)]
    plain = [one for number, some in incidents.items() for one in naive(setup, number, some, end)]
    return column(setup, ours, spares=True), column(setup, plain, spares=False)


def table(ours: Column, plain: Column) -> str:
    """The two columns, for people."""
    rows: list[tuple[str, int | str, int | str]] = [
        ("firings in all", ours.firings, plain.firings),
        ("  on stalled work", ours.stalls, plain.stalls),
        ("    of these at weekends", ours.weekends, plain.weekends),
        ("    most in one hour", ours.busiest, plain.busiest),
        *((f"  by rule {rule}", count, "") for rule, count in sorted(ours.by_rule.items())),
    ]
    for name in sorted({*ours.written, *plain.written}):
        rows.append((f"messages to {name}, one by one", ours.written[name], plain.written[name]))
        rows.append(("  after digests", ours.got[name], plain.got[name]))
    head = f"{'':48}{'shipped rules':>16}{'naive rule':>16}"
    return "\n".join([head, *(f"{name:48}{one:>16}{other:>16}" for name, one, other in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--log", type=Path, default=LOG, help="the incident log (CSV, gzipped or not)")
    log: Path = parser.parse_args().log
    if not log.exists():
        print(f"skipped: {log} is not there; give --log FILE")
        return
    print(table(*measured(log)))
    print("\nA weighted sample: compare the columns with each other, read no rate off them.")


if __name__ == "__main__":
    main()
