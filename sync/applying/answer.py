"""What follows from a tracker's answer to a write, and from its refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from connectors.base import Busy, Down, Failure, LockedOut, Refused, Stale, Unsure
from mappings.fields import alike
from mappings.model import Record, Ref
from sync.applying.hand import Hand, log
from sync.merging.agree import shown
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.ordering.write import with_whom
from sync.plan import Write
from sync.state import Held

#: how long what a tracker refused rests before it is tried again unchanged
REST = timedelta(minutes=15)


def answered(hand: Hand, intent: int, before: Record, record: Record, echoes: list[tuple[str, Echo]]) -> None:
    """Settles a write by its answer. Unless the answer follows directly on the version decided on, somebody else
    wrote in between: then its version stays news, and the next pass looks at it again."""
    connector = hand.engine.connectors[record.ref.tracker]
    mine = connector.updater in ("", record.updated_by)
    next_version = connector.consecutive and mine and record.version == before.version + 1
    direct = hand.follows(record.ref, record.version == before.version or next_version)
    hand.engine.store.acknowledge(intent, record, echoes, hand.now, direct=direct)
    hand.done.records[record.ref] = record
    hand.done.writes += 1
    log("wrote", hand, record.key)


def echo_of(action: Write, name: str, agreed: Agreed, before: Record, record: Record) -> Echo:
    """What the tracker answered, never what was sent; but a status that is neither the one before nor the one asked for
    was given behind our own, and is somebody's word, which the next pass hears."""
    if name == STAGE:
        asked = (before.state, action.change.state, *action.change.also)
        return Echo(spelled(record.state if record.state in asked else str(action.change.state)), agreed.serial)
    return Echo(tuple((native, record.fields.get(native)) for native in action.natives[name]), agreed.serial)


def shows(hand: Hand, action: Write, name: str, echo: Echo) -> bool:
    """Whether the answer means what was agreed."""
    setup, agreed = hand.engine.setup, action.wanted[name].value
    if name == STAGE:
        return agreed in setup.stages.meanings(action.side, str(echo.spelling[0][1] or ""))
    return any(alike(agreed, value) for value in setup.fields[name].meanings(action.side, echo.spelling))


def hold_unshown(hand: Hand, action: Write, name: str, echo: Echo) -> None:
    """Sets aside what a tracker acknowledged and does not show: a right that is missing in silence, a text it cut."""
    key = hand.record(action.ref).key
    reason = f"{action.ref.tracker} took {name} for {key} and shows something else"
    advice = (
        "may Lockstep's account write the field, and is the field long enough? It is compared again when it changes"
    )
    held = Held(action.ref, name, reason, advice, hand.now, None, shown(echo.spelling))
    hand.engine.store.hold(hand.id, held, hand.now)
    hand.done.refused += 1


def hold_untaken(hand: Hand, action: Write, record: Record) -> None:
    """Sets aside an assignment that a tracker acknowledged and did not make. It is not tried again."""
    reason = f"{action.ref.tracker} took the assignment of {record.key} and shows {record.assignee or 'nobody'}"
    advice = "may Lockstep's account assign there, and may that person be assigned? Assign it by hand"
    held = Held(action.ref, action.what, reason, advice, hand.now, None, with_whom(record.assignee))
    hand.engine.store.hold(hand.id, held, hand.now)
    hand.done.refused += 1


def fell(hand: Hand, side: str, intent: int | None, failure: Failure) -> None:
    """A write that did not come through: what happens next follows from the failure's name."""
    tracker = hand.engine.side(side).tracker
    if isinstance(failure, Busy | Down | LockedOut):
        hand.done.failures[tracker] = failure
    if isinstance(failure, LockedOut):
        hand.engine.lock_out({tracker: failure})
    if isinstance(failure, Refused):
        hand.done.refused += 1
    else:
        hand.done.unsettled = True
    if intent is not None:
        settled = "unsure" if isinstance(failure, Unsure) else "refused" if isinstance(failure, Refused) else "failed"
        hand.engine.store.settle_intent(intent, settled, hand.engine.now())
    if isinstance(failure, Unsure):
        # from now on: the pass may have begun long ago
        hand.engine.store.due_by(hand.id, hand.engine.now() + hand.engine.facts()[tracker].grace)
    level = "info" if isinstance(failure, Stale) else "warning"
    getattr(structlog.get_logger(), level)(
        "not written",
        action="apply",
        tracker=tracker,
        link=hand.link.key,
        failure=type(failure).__name__,
        reason=str(failure),
    )


def hold(hand: Hand, ref: Ref, what: str, refusal: Refused, fingerprint: str) -> None:
    """Sets aside what the tracker refused, with its own reason; the rest goes on."""
    advice = "correct what the reason names; Lockstep tries again when it changes, and every quarter of an hour"
    since = next((h.since for h in hand.link.held if (h.ref, h.what) == (ref, what)), hand.now)
    held = Held(ref, what, str(refusal), advice, since, hand.now + REST, fingerprint)
    hand.engine.store.hold(hand.id, held, hand.now)
    hand.done.refused += 1


def release(hand: Hand, ref: Ref, what: str) -> None:
    """What was held and has now been taken is held no longer."""
    if any((held.ref, held.what) == (ref, what) for held in hand.link.held):
        hand.engine.store.release(ref, what)


def blames(refusal: Refused, action: Write, name: str) -> bool:
    natives = action.natives[name]
    if name == STAGE:
        natives = (*natives, *action.change.with_state)
    return any(native in refusal.fields for native in natives)


def only(action: Write, names: list[str]) -> Write:
    """The same change with some of its fields."""
    natives = {native for name in names for native in action.natives[name]}
    fields = {native: value for native, value in action.change.fields.items() if native in natives}
    state = action.change.state if STAGE in names else None
    with_state = action.change.with_state if STAGE in names else {}
    change = replace(action.change, fields=fields, state=state, with_state=with_state)
    wanted = {name: action.wanted[name] for name in names}
    return replace(action, change=change, wanted=wanted)
