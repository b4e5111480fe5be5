"""The story of a pass, in reading order: notice, read, decide, guard, apply, settle.

``plan`` runs it on a scratch copy of the state with no hands; ``reconcile`` repeats it until nothing is left to do;
``run`` loops it over what moved. There is no second path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from connectors.base import Busy, Failure
from mappings.model import Comment, Ref
from sync.apply import Applied, apply
from sync.decide import decide, writes_to_trackers
from sync.engine import Engine
from sync.log import where
from sync.notice import notice
from sync.outbox import flush
from sync.plan import Plan
from sync.read import Reading, read
from sync.settle import settle_creations, show_sources
from sync.state import Held, LinkState, Seen
from sync.store import Dirty, StateBroken, Store

#: passes a reconciliation makes at the most, beside those that only wait for a lost answer
ROUNDS = 5
#: longest a reconciliation waits for something unsettled
PATIENCE = timedelta(minutes=3)

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


class GuardTripped(Exception):
    """A pass would write more than the file allows. Nothing was written; raise guard.writes, or let this pass through
    with ``reconcile --over-guard``."""


@dataclass
class Pass:
    """What one pass did. ``plans`` are those with actions; ``failures`` by tracker; ``aged`` counts the items that a
    route would open from if they were not older than its ``since``."""

    at: datetime
    links: int = 0
    writes: int = 0
    refused: int = 0
    unsettled: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    waiting: datetime | None = None
    aged: int = 0

    @property
    def quiet(self) -> bool:
        """Nothing was left to do."""
        return not self.plans and not self.unsettled and self.waiting is None


def dry(engine: Engine, *, everything: bool = False) -> Pass:
    """What a pass would do: the same pass on a copy of the state, with nobody to carry it out."""
    done = Pass(engine.now())
    plans = rehearse(engine, done, lambda store: store.touch_all(closed=True) if everything else 0)
    done.plans = [plan for plan in plans if not plan.quiet]
    done.aged = sum(plan.aged for plan in plans)
    return done


def dry_links(engine: Engine, links: list[LinkState]) -> list[Plan]:
    """What a pass would decide for these links, quiet or not: the reasons for ``why``."""
    rows = [(item.ref, item.side, True) for link in links for item in link.items]
    plans = rehearse(engine, Pass(engine.now()), lambda store: store.touch(rows))
    return [plan for plan in plans if plan.key in {link.key for link in links}]


def rehearse(engine: Engine, done: Pass, prepare: Callable[[Store], object]) -> list[Plan]:
    """The first half of a pass on a copy of the state."""
    scratch = Engine(engine.setup, engine.connectors, engine.store.scratch(), engine.clock, opened=engine.opened)
    scratch.closed = engine.closed
    scratch.store.arm((rule.id for rule in engine.setup.rules), engine.begun or engine.now())
    prepare(scratch.store)
    reading = begin(scratch, done)
    plans = [plan for _, plan in decided(scratch, reading, done.at)]
    scratch.store.close()
    return plans


def one_pass(
    engine: Engine, *, sweep: bool = False, over_guard: bool = False, progress: Progress | None = None
) -> Pass:
    """One pass; with ``sweep`` over every item of an open link and everything that changed since the sweep before,
    which is how deletions, lost permissions and late index entries are found. Raises ``GuardTripped`` before anything
    is written."""
    engine.open()
    done = Pass(engine.now())
    if sweep:
        engine.store.touch_all(closed=False)
    done.waiting = settle_creations(engine, done.failures)
    reading = begin(engine, done, sweep=sweep)
    plans = decided(engine, reading, done.at)
    guard(engine, [plan for _, plan in plans], over_guard)
    act(engine, reading, plans, done, progress)
    pass_over(engine, reading, {link.source for link, plan in plans if plan.aged})
    show_sources(engine, done.failures)
    flush(engine, done.at)
    engine.lock_out(done.failures)
    done.waiting = done.waiting or engine.store.waiting()
    return done


def begin(engine: Engine, done: Pass, *, sweep: bool = False) -> Reading:
    """Notice and read."""
    noticed = notice(engine, sweep=sweep)
    reading = read(engine, noticed)
    done.failures |= reading.failures
    done.links = len(reading.links)
    return reading


def decided(engine: Engine, reading: Reading, now: datetime) -> list[tuple[LinkState, Plan]]:
    """A plan for every link that something moved in."""
    return [
        (link, plan)
        for link in reading.links
        if readable(link, reading)
        and (plan := safely(engine, link, now, decide, link, reading.seen, engine.setup, now))
    ]


def safely(
    engine: Engine, link: LinkState, now: datetime, work: Callable[..., Result], *given: object
) -> Result | None:
    """Work on one link. What nobody foresaw sets that link aside, visibly, and the others go on."""
    try:
        return work(*given)
    except (StateBroken, GuardTripped):
        raise
    except Exception as error:
        structlog.get_logger().error("defect in Lockstep", action=work.__name__, link=link.key, where=where(error))
        reason = f"a defect in Lockstep stopped work on this item: {type(error).__name__} in {work.__name__}"
        held = Held(link.source, "defect", reason, "please report it with the log line; it is tried again later", now)
        id = link.id or engine.store.link_by_key(link.key) or 0
        engine.store.hold(id, replace(held, retry=now + timedelta(minutes=15)), now)
        engine.store.strand(id)
        return None


def readable(link: LinkState, reading: Reading) -> bool:
    """A link none of whose items could be read waits for its tracker."""
    return any(item.ref in reading.seen.records for item in link.items)


def guard(engine: Engine, plans: list[Plan], over_guard: bool) -> None:
    """Refuses a pass that would change more than a person would expect."""
    limit = engine.setup.guards.writes
    count = sum(len(writes_to_trackers(plan.actions)) for plan in plans)
    if limit and count > limit and not over_guard:
        raise GuardTripped(f"this pass would write {count} times; guard.writes allows {limit}. Nothing was written")


def act(
    engine: Engine, reading: Reading, plans: list[tuple[LinkState, Plan]], done: Pass, progress: Progress | None
) -> None:
    """Carries the plans out, link by link, and forgets what is settled."""
    wanted = [(link, plan) for link, plan in plans if link.id or plan.actions or plan.settlement.holds]
    total = len(wanted)

    def one(pair: tuple[LinkState, Plan]) -> Applied:
        link, plan = pair
        carried = safely(engine, link, done.at, carry, engine, link, plan, reading.seen, done.at)
        return carried or Applied(link.id, unsettled=True)

    for count, ((link, plan), applied) in enumerate(zip(wanted, engine.each(one, wanted), strict=True), 1):
        settle(engine, reading, link, plan, applied, done)
        if progress:
            progress(count, total)


def carry(engine: Engine, link: LinkState, plan: Plan, seen: Seen, now: datetime) -> Applied:
    """Applies a plan, and decides again with what was just created in hand, so that a new counterpart stands where
    its link stands, and opens its own counterparts, within the same pass."""
    applied = apply(engine, link, plan, seen, now)
    total = applied
    for _ in range(ROUNDS):
        if not applied.created:
            break
        born: dict[Ref, tuple[Comment, ...]] = dict.fromkeys(applied.created, ())
        seen = replace(seen, records={**seen.records, **applied.records}, comments={**seen.comments, **born})
        (link,) = engine.store.links([applied.link])
        plan = decide(link, seen, engine.setup, now)
        applied = apply(engine, link, plan, seen, now)
        total = total.plus(applied)
    return total


def settle(engine: Engine, reading: Reading, link: LinkState, plan: Plan, applied: Applied, done: Pass) -> None:
    """Counts what was done and cleans the dirty rows of a link in which nothing is left open."""
    done.writes += applied.writes
    done.refused += applied.refused
    done.failures |= applied.failures
    if plan.actions:
        done.plans.append(plan)
    if plan.waiting is not None:
        done.waiting = min(done.waiting or plan.waiting, plan.waiting)
    unread = any(i.ref in reading.unheard for i in link.items)
    if link.key not in reading.alone:
        unread = unread or any(i.ref not in reading.seen.records for i in link.items)
    if applied.unsettled or unread:
        done.unsettled += 1
        # a link that came because something fell due has no dirty rows to bring it back
        unheard = reading.unheard
        engine.store.touch((i.ref, i.side, i.ref in unheard) for i in link.items if i.ref not in reading.rows)
        return
    engine.store.clean(reading.rows[item.ref] for item in link.items if item.ref in reading.rows)
    engine.store.clean(Dirty(ref, "", 1, False) for ref in applied.created)


def pass_over(engine: Engine, reading: Reading, aged: set[Ref]) -> None:
    """Items that no link wants are noted and forgotten. One that no route would open now may become eligible later,
    however old it is."""
    unlinked = [link.source for link in reading.links if not link.id]
    places = engine.store.places(unlinked)
    passed = [ref for ref in unlinked if places.get(ref, (None, 0))[0] is None]
    passed = [ref for ref in passed if ref not in reading.unheard]
    records = [record for ref in passed if (record := reading.seen.records.get(ref)) is not None]
    engine.store.pass_over(records, aged)
    held: set[Ref] = {i.ref for link in reading.links for i in link.items} - set(passed)
    idle = [row for ref, row in reading.rows.items() if ref not in held and ref not in reading.wait]
    engine.store.clean(row for row in idle if row.ref in reading.seen.records)


def reconcile(engine: Engine, *, over_guard: bool = False, progress: Progress | None = None) -> list[Pass]:
    """Reads everything and applies it until no action remains: passes until one is quiet, waiting for lost answers as
    long as they may still turn up."""
    engine.store.touch_all(closed=True)
    passes: list[Pass] = []
    rounds = waits = 0
    while rounds < ROUNDS and waits < ROUNDS:
        done = one_pass(engine, sweep=not passes, over_guard=over_guard, progress=progress)
        passes.append(done)
        if done.quiet or stuck(done):
            break
        waited = wait_for(engine, done)
        rounds, waits = rounds + (not waited), waits + waited
    return passes


def stuck(done: Pass) -> bool:
    """Nothing was written and what is left hangs on a tracker that fails: more passes would not help."""
    return not done.writes and bool(done.failures) and not any(isinstance(f, Busy) for f in done.failures.values())


def wait_for(engine: Engine, done: Pass) -> bool:
    """Waits until a lost answer may be believed lost, or a tracker's rest is over, if that is soon."""
    until = [f.until for f in done.failures.values() if isinstance(f, Busy)]
    if done.waiting:
        until.append(done.waiting)
    soonest = min(until, default=None)
    if not soonest or not timedelta(0) < soonest - engine.now() <= PATIENCE:
        return False
    structlog.get_logger().info("waiting", action="reconcile", until=soonest.isoformat())
    engine.clock.sleep((soonest - engine.now()).total_seconds())
    return True
