"""The brakes at work: what stands still in this pass, the guards that stop one, and what people say about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from mappings.model import Ref
from mappings.wording import in_utc, many
from sync.engine import Engine
from sync.freezing.budget import STOPPED
from sync.freezing.freeze import ALL, LINK, ROUTE, Brakes, Frost, Pause, brakes, hold_back
from sync.freezing.guard import LATELY, NOTHING, Estate, Toll, by_share, excesses, toll
from sync.plan import Plan
from sync.setup import Setup
from sync.state import LinkState, Seen
from sync.store import Store

#: notes in the state: the guard that tripped, what was approved, what waits
TRIPPED, APPROVED, WAITS = "guard tripped", "guard approved", "waits"
#: and when a person last let one go on
LOOKED = "guard looked at"


#: what a person can do about each kind of frost
HELPS = {
    "window": "It ends by itself",
    "pause": "lockstep resume lets the writing go on",
    "guard": "lockstep plan shows what would be done; lockstep approve, or reconcile --over-guard, lets it through",
}


@dataclass(frozen=True, slots=True)
class Trip:
    """A guard that stopped a pass: since when, why, and what the pass would have done."""

    since: datetime
    reasons: tuple[str, ...]
    toll: Toll

    def frost(self) -> Frost:
        """The stop as the freezing knows it."""
        return Frost("guard", self.since, "a guard stopped a pass: " + "; ".join(self.reasons))


@dataclass
class Braked:
    """The plans of a pass as far as they may be carried out, and what stands still. ``approved`` is what a person let
    through, as far as the pass goes by it."""

    plans: list[tuple[LinkState, Plan]]
    brakes: Brakes
    toll: Toll = field(default_factory=Toll)
    approved: Toll = NOTHING


def standing(engine: Engine) -> Brakes:
    """What stands still now."""
    return brakes_at(engine.setup, engine.store, engine.now())


def stands_still(engine: Engine, ref: Ref) -> bool:
    """Whether nothing may be written to an item now: in a freeze, or while its link or that one's route is paused."""
    stopped = standing(engine)
    links = engine.store.links_of([ref]) if stopped.routes or engine.store.pauses() else []
    return bool(stopped.frosts) or any(link.paused or link.route in stopped.routes for link in links)


def brakes_at(setup: Setup, store: Store, now: datetime) -> Brakes:
    """All that stops writing at that moment: windows, pauses, a tripped guard."""
    note, pauses = store.stopped(TRIPPED)
    tripped = trip_in(note)
    return brakes(setup.freeze, pauses, tripped.frost() if tripped else None, now)


def brake(engine: Engine, plans: list[tuple[LinkState, Plan]], seen: Seen, now: datetime, over_guard: bool) -> Braked:
    """Keeps back what must not be written now. A pass that goes beyond a guard trips it before anything is written;
    ``over_guard`` is a person's word that it may."""
    if over_guard:
        lift(engine.store, "reconcile --over-guard", now)
    stopped = standing(engine)
    braked = [(link, hold_back(plan, link, engine.setup, stopped)) for link, plan in plans]
    cost = toll(braked, seen)
    if stopped.frosts or over_guard:
        return Braked(braked, stopped, cost)
    let_through = approved(engine.store)
    if cost == NOTHING == let_through:
        return Braked(braked, stopped, cost)
    # counted only where a share of it may be exceeded: the count grows with the links
    by_shares = by_share(engine.setup.guards, cost)
    estate = engine.store.estate(counted_from(engine.store, now)) if by_shares else Estate()
    reasons = excesses(engine.setup.guards, cost, estate, let_through)
    if reasons:
        trip(engine, Trip(now, reasons, cost))
        stopped = standing(engine)
        return Braked([(link, hold_back(plan, link, engine.setup, stopped)) for link, plan in braked], stopped, cost)
    if let_through != NOTHING:
        # spent before the first write: a pass that breaks off must not find it once more
        engine.store.note(APPROVED, None)
        let_through = let_through if excesses(engine.setup.guards, cost, estate) else NOTHING
    return Braked(braked, stopped, cost, let_through)


def counted_from(store: Store, now: datetime) -> datetime:
    """Since when items that went missing are counted together: what a person has looked at counts no more."""
    noted, counted = store.noted(LOOKED), now - LATELY
    looked = datetime.fromisoformat(noted) if noted else counted
    # one that lies ahead is of a clock that has been set back since
    return max(counted, looked) if looked <= now else counted


def give_back(engine: Engine, braked: Braked, writes: int) -> None:
    """What was approved and is not done stays approved: a pass that a tracker broke off may go on with the rest, and
    no further."""
    rest = braked.approved.writes - writes
    if rest > 0 and writes < braked.toll.writes:
        engine.store.note(APPROVED, told(replace(braked.approved, writes=rest)))


# ── what tripped, what is approved ───────────────────────────────────────────────────────────────────────────────────


def trip(engine: Engine, tripped: Trip) -> None:
    """Stops everything until a person has looked, and says so once."""
    reason = "; ".join(tripped.reasons)
    note = {"since": tripped.since.isoformat(), "reasons": list(tripped.reasons), "toll": told(tripped.toll)}
    engine.store.note(APPROVED, None)
    engine.store.note(TRIPPED, note)
    engine.store.log("tripped", "guard", reason, tripped.since)
    structlog.get_logger().error("guard tripped, nothing is written", action="guard", reason=reason)
    help_ = "lockstep plan shows what it would do; lockstep approve lets this pass through, lockstep resume goes on"
    tell(engine, f"guard:{tripped.since.isoformat()}", "stopped", f"{reason}. Nothing was written.\n\n{help_}.")


def trip_of(store: Store) -> Trip | None:
    """The guard that tripped, if one stands."""
    return trip_in(store.noted(TRIPPED))


def trip_in(note: Any) -> Trip | None:
    """The trip that a note of the state tells of."""
    if not note:
        return None
    return Trip(datetime.fromisoformat(note["since"]), tuple(note["reasons"]), toll_of(note["toll"]))


def lift(store: Store, by: str, now: datetime) -> Trip | None:
    """Takes a trip back. Returns it."""
    tripped = trip_of(store)
    if tripped is not None:
        store.note(TRIPPED, None)
        store.note(LOOKED, now.isoformat())
        store.log("resumed", "guard", f"by {by}", now)
    return tripped


def approved(store: Store) -> Toll:
    """What a person let through and is not done yet."""
    note = store.noted(APPROVED)
    return toll_of(note) if note else NOTHING


def told(toll: Toll) -> dict[str, object]:
    counts = {"gone": dict(toll.gone), "back": dict(toll.back), "silent": dict(toll.silent)}
    return {"writes": toll.writes, "links": toll.links, **counts}


def toll_of(note: dict[str, object]) -> Toll:
    return Toll(**note)  # type: ignore[arg-type]


def tell(engine: Engine, key: str, event: str, text: str) -> None:
    """A mail and a card about Lockstep itself, each event once."""
    guards, subject = engine.setup.guards, f"Lockstep {engine.setup.instance}: {event}"
    to = {"email": guards.tell, "teams": (guards.teams,) if guards.teams else ()}
    for kind, names in to.items():
        if names:
            engine.store.tell(f"{key}:{event}:{kind}", kind, names, subject, text, engine.now())


# ── what people say ──────────────────────────────────────────────────────────────────────────────────────────────────


def pause(engine: Engine, what: str, by: str) -> str:
    """Stops everything, a route or a link. The answer in words; raises ``Unpaused`` for what there is not."""
    known = named(engine, what)
    if engine.store.pause(Pause(known, engine.now(), by)):
        again = "lockstep resume" if known == ALL else f"lockstep resume {what}"
        return f"{words(engine, known)} paused. Reading and alerting go on; {again} lets the writing go on."
    return f"{words(engine, known)} paused already."


def resume(engine: Engine, what: str, by: str) -> str:
    """Ends a pause, or with ``all`` a trip as well. The answer in words."""
    store, now = engine.store, engine.now()
    known = named(engine, what)
    ended = [pause.what for pause in store.pauses() if pause.what == known]
    store.resume(ended, by, now)
    rested = let_go(store, what, by, now)
    tripped = lift(store, by, now) if known == ALL else None
    if tripped:
        over(engine, tripped, f"{by} let the writing go on")
    still = [f"Frozen: {frost}. {HELPS[frost.kind]}." for frost in standing(engine).frosts]
    still += told_pauses(engine)
    if rested:
        return " ".join([f"{', '.join(rested)} may be written again; what waited is written in the next pass.", *still])
    if not ended and not tripped:
        what = "no pause of everything and no guard stands" if known == ALL else f"{words(engine, known)} not paused"
        return " ".join([f"Nothing to resume: {what[0].lower()}{what[1:]}.", *still])
    return " ".join([f"{words(engine, known)} resumed; what waited is written in the next pass.", *still])


def let_go(store: Store, what: str, by: str, now: datetime) -> list[str]:
    """Lets items be written again that their budgets stopped: the item of that key, or all of a link. Their keys."""
    if what in ("", ALL) or what.startswith(ROUTE):
        return []
    rests = [(held, key) for held, key in store.held() if held.what == STOPPED]
    links = store.links_of([held.ref for held, _ in rests])
    whole = {item.ref for link in links if link.key == what.removeprefix(LINK) for item in link.items}
    found = [(held, key) for held, key in rests if held.ref in whole or what.casefold() == key.casefold()]
    store.begin_anew([held.ref for held, _ in found], by, now)
    return [key for _, key in found]


def approve(engine: Engine, by: str) -> str:
    """Lets the pass through that a guard stopped; what it wants beyond that must pass the guards like anything else.
    The answer in words."""
    tripped = trip_of(engine.store)
    if tripped is None:
        return "Nothing to approve: no guard has tripped."
    # first: a pass that begins in between must not trip again
    engine.store.note(APPROVED, told(tripped.toll))
    lift(engine.store, by, engine.now())
    over(engine, tripped, f"{by} approved the pass")
    cost = tripped.toll
    missed = "".join(f", {count} items of {tracker} missing" for tracker, count in sorted(cost.gone.items()))
    missed += "".join(f", {count} items of {tracker} put back" for tracker, count in sorted(cost.back.items()))
    missed += "".join(f", {count} discussions of {tracker} emptied" for tracker, count in sorted(cost.silent.items()))
    counts = f"{cost.writes} writes, {cost.links} open links changed{missed}"
    return f"Approved: {counts}. A pass that wants much more than that stops again."


def over(engine: Engine, tripped: Trip, text: str) -> None:
    tell(engine, f"guard:{tripped.since.isoformat()}", "goes on", f"{text}. What had stopped it: {tripped.reasons[0]}.")


class Unpaused(Exception):
    """There is no such thing to pause or resume. The message names what there is."""


def named(engine: Engine, what: str) -> str:
    """``all``, ``route:ID`` or ``link:KEY`` for what a person named: those, or the key of an item or of a link. Raises
    ``Unpaused``."""
    if what in ("", ALL):
        return ALL
    if what.startswith(ROUTE):
        id = what.removeprefix(ROUTE)
        routes = [route.id for route in engine.setup.routes]
        if id not in routes and what not in (pause.what for pause in engine.store.pauses()):
            raise Unpaused(f"there is no route {id}; the file has {', '.join(routes) or 'none'}")
        return what
    links = {link.key for link in engine.store.find(what.removeprefix(LINK)) if link.id}
    if len(links) != 1:
        why = "stands in several links" if links else "is in no link"
        raise Unpaused(f"{what} {why}; name a linked item, a link's key, or a route as route:ID")
    return LINK + links.pop()


def words(engine: Engine, what: str) -> str:
    """What is stopped or goes on, as the beginning of a sentence."""
    if what == ALL:
        return "All writing is"
    kind, _, name = what.partition(":")
    if kind == "route":
        return f"The route {name} is"
    items = [item.key for link in engine.store.find(name) if link.key == name for item in link.items]
    return f"The link of {' · '.join(items) or name} is"


def told_frozen(engine: Engine) -> list[str]:
    """What stands still, why, and what helps, as lines for people; none where all goes on."""
    stopped, (links, writes) = standing(engine), waiting(engine.store)
    lines = [f"Frozen: {frost}. {HELPS[frost.kind]}." for frost in stopped.frosts]
    lines += told_pauses(engine)
    if lines and links:
        lines.append(f"{links} {'link waits' if links == 1 else 'links wait'} with {many(writes, 'write')}.")
    return lines + told_rests(engine.store)


def told_rests(store: Store) -> list[str]:
    """The items that are written no more since their budgets were used up."""
    rests = [(held, key) for held, key in store.held() if held.what == STOPPED]
    return [f"{key} is not written since {in_utc(held.since)}: lockstep held tells why." for held, key in rests]


def tell_rests(engine: Engine, plans: Iterable[tuple[LinkState, Plan]], now: datetime) -> None:
    """Tells whoever hears of guards of each item that is written no more, once."""
    stopped = {h.ref: h for link, plan in plans for h in (*link.held, *plan.settlement.holds) if h.what == STOPPED}
    if not stopped:
        return
    for held, key in engine.store.held():
        if held.what == STOPPED and held.ref in stopped:
            text = f"{held.reason}\n\n{held.advice}."
            tell(engine, f"budget:{held.ref}:{held.since.isoformat()}", f"{key} is written no more", text)
            if held.since == now:
                structlog.get_logger().error("item stopped", action="guard", item=key, reason=held.reason)


def told_pauses(engine: Engine) -> list[str]:
    """What is paused of its own: routes and links."""
    others = [pause for pause in engine.store.pauses() if pause.what != ALL]
    return [f"{words(engine, one.what)} paused by {one.by}, since {in_utc(one.since)}." for one in others]


def waiting(store: Store) -> tuple[int, int]:
    """How many links wait for the thaw, and with how many writes, as the last pass saw it."""
    links, writes = store.noted(WAITS) or (0, 0)
    return links, writes


def note_waiting(store: Store, plans: Iterable[Plan]) -> tuple[int, int]:
    """Keeps for ``status`` what waits."""
    counts = [plan.withheld for plan in plans if plan.withheld or plan.frozen]
    found = len(counts), sum(counts)
    if found != waiting(store):
        store.note(WAITS, list(found))
    return found
