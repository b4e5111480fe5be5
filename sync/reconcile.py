"""The story of a pass, in reading order: notice, read, decide, guard, apply, settle.

``plan`` runs it on a scratch copy of the state with no hands; ``reconcile`` repeats it until nothing is left to do;
``run`` loops it over what moved. There is no second path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from connectors.base import Busy, Failure
from mappings.model import Comment, Ref
from sync.apply import apply
from sync.applying.hand import Applied
from sync.decide import decide
from sync.edits.edit import keep
from sync.engine import Engine
from sync.escalation.outbox import flush
from sync.freezing.brake import Braked, brake, give_back, note_waiting, standing, tell_rests
from sync.freezing.freeze import Frost, hold_back
from sync.joining.join import after_kin
from sync.joining.loose import something
from sync.joining.lost import outdated, remember_birth, tell_found
from sync.joining.match import without_rivals
from sync.joining.tally import Tally
from sync.listing.send import send_due
from sync.log import where
from sync.notice import look_again, notice
from sync.plan import Plan
from sync.read import Reading, read
from sync.requests.kinds import work
from sync.settle import settle_creations, show_sources
from sync.state import DEFECT, Held, LinkState, Seen
from sync.store import Dirty, StateBroken

#: the note in the state: when everything was swept last
SWEPT = "swept"
#: passes a reconciliation makes at the most, beside those that only wait for a lost answer
ROUNDS = 5
#: longest a reconciliation waits for something unsettled
PATIENCE = timedelta(minutes=3)

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


@dataclass
class Pass:
    """What one pass did. ``plans`` are those with actions; ``failures`` by tracker; ``aged`` counts the items that a
    route would open from if they were not older than its ``since``. ``frosts``: why nothing was written; ``withheld``:
    how many links wait for that, or for a pause to end, and with how many writes; ``left`` are the keys of the
    ``unsettled`` links."""

    at: datetime
    links: int = 0
    writes: int = 0
    refused: int = 0
    unsettled: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    waiting: datetime | None = None
    aged: int = 0
    tally: Tally = field(default_factory=Tally)
    frosts: tuple[Frost, ...] = ()
    withheld: tuple[int, int] = (0, 0)
    left: set[str] = field(default_factory=set)

    @property
    def quiet(self) -> bool:
        """Nothing was left to do."""
        return not self.plans and not self.unsettled and self.waiting is None and not self.stopped

    @property
    def stopped(self) -> bool:
        """Something waits because it must not be written now."""
        return self.withheld != (0, 0)


def one_pass(
    engine: Engine, *, sweep: bool = False, over_guard: bool = False, progress: Progress | None = None
) -> Pass:
    """One pass; with ``sweep`` over every item of an open link and everything that changed since the sweep before,
    which is how deletions, lost permissions and late index entries are found. A pass that goes beyond a guard, and one
    in a freeze, writes nothing and alerts; ``over_guard`` is a person's word that it may write."""
    engine.store.hold_on()
    engine.heed_clock()
    if engine.midway:
        engine.store.recover(engine.now())
    engine.open()
    keep(engine.store, engine.setup, engine.edit)
    work(engine)
    engine.midway = True
    done = Pass(engine.now())
    if sweep:
        engine.store.touch_all(closed=False)
    done.waiting = settle_creations(engine, done.failures)
    reading = begin(engine, done, sweep=sweep)
    braked = brake(engine, decided(engine, reading, done.at), reading.seen, done.at, over_guard)
    plans, done.frosts = braked.plans, braked.brakes.frosts
    act(engine, reading, braked, done, progress)
    tell_found(engine, reading, plans, done.at)
    tell_rests(engine, plans, done.at)
    look_again(engine, (plan for _, plan in plans))
    done.withheld = note_waiting(engine.store, (plan for _, plan in plans))
    give_back(engine, braked, done.writes)
    stopped = {link.source for link, plan in plans if plan.withheld or plan.frozen or plan.pending}
    stopped |= {link.source for link, _ in plans if link.key in done.left}
    pass_over(engine, reading, {link.source for link, plan in plans if plan.aged}, stopped | reading.deferred)
    fewer = {link.source: plan.settlement.aside for link, plan in plans if not link.id}
    engine.store.keep_aside({ref: aside for ref, aside in fewer.items() if aside is not None and ref not in stopped})
    show_sources(engine, done.failures)
    send_due(engine, done.at)
    flush(engine, done.at)
    engine.lock_out(done.failures)
    cleared = engine.keep_learned()
    done.waiting = (done.at if cleared else None) or done.waiting or engine.store.waiting()
    if sweep:
        engine.store.note(SWEPT, done.at.isoformat())
    engine.midway = False
    engine.reached = max(engine.reached or done.at, engine.now())
    return done


def begin(engine: Engine, done: Pass, *, sweep: bool = False) -> Reading:
    """Notice and read; once more where the state turns out to be an older copy."""
    remember_birth(engine)
    reading = read(engine, notice(engine, sweep=sweep))
    if outdated(engine, reading):
        reading = read(engine, notice(engine))
    done.failures |= reading.failures
    done.links = len(reading.links)
    return reading


def decided(
    engine: Engine, reading: Reading, now: datetime, approved: frozenset[str] = frozenset()
) -> list[tuple[LinkState, Plan]]:
    """A plan for every link that something moved in, with what a person ``approved``. Of those that want the same item
    one is kept; the others are decided again in a later pass."""
    choose = partial(decide, approved=approved)
    plans = [
        (link, plan)
        for link in reading.links
        if readable(link, reading)
        and (plan := safely(engine, link, now, choose, link, reading.seen, engine.setup, now))
    ]
    chosen = after_kin(without_rivals(plans, reading.seen), reading.seen)
    going = {link.key for link, _ in chosen}
    reading.deferred = {link.source for link, _ in plans if link.key not in going}
    return chosen


def safely(
    engine: Engine, link: LinkState, now: datetime, work: Callable[..., Result], *given: object
) -> Result | None:
    """Work on one link. What nobody foresaw sets that link aside, visibly, and the others go on."""
    try:
        return work(*given)
    except StateBroken:
        raise
    except Exception as error:
        structlog.get_logger().error("defect in Lockstep", action=called(work), link=link.key, where=where(error))
        reason = f"a defect in Lockstep stopped work on this item: {type(error).__name__} in {called(work)}"
        held = Held(link.source, DEFECT, reason, "please report it with the log line; it is tried again later", now)
        id = link.id or engine.store.link_by_key(link.key) or 0
        engine.store.hold(id, replace(held, retry=now + timedelta(minutes=15)), now)
        engine.store.strand(id, engine.now())
        return None


def called(work: Callable[..., object]) -> str:
    """The name of the work, bare of what was given to it beforehand."""
    return str(getattr(work, "func", work).__name__)


def readable(link: LinkState, reading: Reading) -> bool:
    """A link none of whose items could be read waits for its tracker."""
    return any(item.ref in reading.seen.records for item in link.items)


def act(engine: Engine, reading: Reading, braked: Braked, done: Pass, progress: Progress | None) -> None:
    """Carries the plans out, link by link, and forgets what is settled. What is stopped on the way waits too."""
    wanted = [(link, plan) for link, plan in braked.plans if link.id or something(plan)]
    total = len(wanted)

    def one(pair: tuple[LinkState, Plan]) -> Applied:
        link, plan = pair
        if not plan.frozen and hold_back(plan, link, engine.setup, standing(engine)) is not plan:
            return Applied(link.id, unsettled=True)
        carried = safely(engine, link, done.at, carry, engine, link, plan, reading.seen, done.at)
        whole = carried is not None and not carried.unsettled and plan.actions and plan.waiting is None
        if whole and any(held.what == DEFECT for held in link.held):
            engine.store.release(link.source, DEFECT)
        return carried or Applied(link.id, unsettled=True)

    for count, ((link, plan), applied) in enumerate(zip(wanted, engine.each(one, wanted), strict=True), 1):
        settle(engine, reading, link, plan, applied, done)
        if progress:
            progress(count, total)


def carry(engine: Engine, link: LinkState, plan: Plan, seen: Seen, now: datetime) -> Applied:
    """Applies a plan, and decides again with what was just created in hand, so that a new counterpart stands where
    its link stands, and opens its own counterparts, within the same pass."""
    if plan.frozen:
        return alert(engine, link, plan, seen, now)
    applied = apply(engine, link, plan, seen, now)
    total = applied
    for _ in range(ROUNDS):
        if not applied.created:
            break
        born: dict[Ref, tuple[Comment, ...]] = dict.fromkeys(applied.created, ())
        seen = replace(seen, records={**seen.records, **applied.records}, comments={**seen.comments, **born}, moves={})
        (link,) = engine.store.links([applied.link])
        # what they show is decided on now, but nobody heard their discussion since
        engine.store.touch((ref, link.item(ref).side, True) for ref in sorted(applied.strange))
        plan = hold_back(decide(link, seen, engine.setup, now), link, engine.setup, standing(engine))
        total.unsettled |= plan.frozen or bool(plan.withheld)
        if plan.frozen:
            break
        applied = apply(engine, link, plan, seen, now)
        total = total.plus(applied)
    return total


def alert(engine: Engine, link: LinkState, plan: Plan, seen: Seen, now: datetime) -> Applied:
    """Keeps what a frozen plan alerts of; of the items nothing but who works on them, so that all else is still news
    on thawing."""
    known = {item.ref: seen.records.get(item.ref) for item in link.items}
    records = {
        ref: replace(record, version=link.item(ref).version, key=link.item(ref).key)
        for ref, record in known.items()
        if record is not None
    }
    if link.id:
        engine.store.commit(link, plan, Seen(records), now)
    return Applied(link.id)


def settle(engine: Engine, reading: Reading, link: LinkState, plan: Plan, applied: Applied, done: Pass) -> None:
    """Counts what was done and cleans the dirty rows of a link in which nothing is left open."""
    done.writes += applied.writes
    done.refused += applied.refused
    done.failures |= applied.failures
    if not plan.quiet:
        done.plans.append(plan)
    if plan.waiting is not None and not plan.withheld:
        done.waiting = min(done.waiting or plan.waiting, plan.waiting)
    unread = any(i.ref in reading.unheard for i in link.items)
    if link.key not in reading.alone:
        known = reading.seen.records
        unread = unread or any(i.ref not in known and i.ref not in reading.poisoned for i in link.items)
    if plan.withheld or plan.frozen:
        engine.store.touch((i.ref, i.side, True) for i in link.items if i.ref not in reading.rows)
        return
    if applied.unsettled or unread or plan.pending:
        done.unsettled += 1
        done.left.add(link.key)
        # a link that came because something fell due has no dirty rows to bring it back
        unheard = reading.unheard
        engine.store.touch((i.ref, i.side, i.ref in unheard) for i in link.items if i.ref not in reading.rows)
        return
    poisoned = [item for item in link.items if item.ref in reading.poisoned]
    engine.store.touch((item.ref, item.side, True) for item in poisoned if item.ref not in reading.rows)
    looked_at = [reading.rows[i.ref] for i in link.items if i.ref in reading.rows and i not in poisoned]
    engine.store.clean([*looked_at, *(Dirty(ref, "", 1, False) for ref in applied.created)])


def pass_over(engine: Engine, reading: Reading, aged: set[Ref], stopped: set[Ref]) -> None:
    """Items that no link wants are noted and forgotten. One that no route would open now may become eligible later,
    however old it is. Those ``stopped`` by a freeze stay as they are."""
    unlinked = [link.source for link in reading.links if not link.id]
    places = engine.store.places(unlinked)
    passed = [ref for ref in unlinked if places.get(ref, (None, 0))[0] is None]
    passed = [ref for ref in passed if ref not in reading.unheard and ref not in stopped]
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
        if done.quiet or stuck(done) or done.stopped:
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
