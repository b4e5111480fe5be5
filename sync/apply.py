"""Apply: the only place that writes to a tracker. Every action was committed as an intent before; here it is sent
once and settled by what the tracker answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from connectors.base import Busy, Down, Failure, Gone, LockedOut, Refused, Stale, Unsure
from mappings.fields import alike
from mappings.model import Record, Ref
from sync.engine import Engine
from sync.merging.agree import shown
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.ordering.write import with_whom
from sync.plan import Action, Adopt, Notify, Open, Plan, Reword, Say, Unmark, Write
from sync.sheet import fingerprint_of
from sync.state import Held, LinkState, Origin, Seen

#: how long what a tracker refused rests before it is tried again unchanged
REST = timedelta(minutes=15)


@dataclass
class Applied:
    """What became of one plan on the link ``link``. ``created`` are the new items, ``records`` what the trackers now
    say. ``unsettled``: something was not done or not answered, so its items stay dirty."""

    link: int
    writes: int = 0
    refused: int = 0
    unsettled: bool = False
    failures: dict[str, Failure] = field(default_factory=dict)
    created: list[Ref] = field(default_factory=list)
    records: dict[Ref, Record | None] = field(default_factory=dict)

    def plus(self, other: Applied) -> Applied:
        """Both taken together."""
        return Applied(
            self.link,
            self.writes + other.writes,
            self.refused + other.refused,
            self.unsettled or other.unsettled,
            {**self.failures, **other.failures},
            [*self.created, *other.created],
            {**self.records, **other.records},
        )


@dataclass
class Hand:
    """One plan being carried out: the records as the answers leave them. After a comment that did not come through,
    the later ones on its item wait (``silent``), so that people's words stay in order; after a refused part, those of
    the same remark. ``heard``: the items whose discussion is in hand."""

    engine: Engine
    link: LinkState
    id: int
    now: datetime
    done: Applied
    blocked: bool = False
    silent: set[tuple[Ref, Origin | None]] = field(default_factory=set)
    heard: Collection[Ref] = ()

    def record(self, ref: Ref) -> Record:
        found = self.done.records[ref]
        assert found is not None
        return found


def apply(engine: Engine, link: LinkState, plan: Plan, seen: Seen, now: datetime) -> Applied:
    """Commits a plan and carries it out, marks first: an item is marked before a counterpart is made, so that a lost
    state still tells that one may exist."""
    id, intents = engine.store.commit(link, plan, seen, now)
    refs = [*(item.ref for item in link.items), *(joining.ref for joining in plan.settlement.joins)]
    records = {ref: seen.records[ref] for ref in refs if ref in seen.records}
    # what joined another link, or is told to its people, is decided with it
    joined = plan.loose and bool(plan.settlement.joins or plan.settlement.tells)
    hand = Hand(engine, link, id, now, Applied(id, records=records, unsettled=joined), heard=seen.comments.keys())
    for place, action in sorted(enumerate(plan.actions), key=lambda pair: order_of(pair[1])):
        if isinstance(action, Notify):
            continue
        if engine.stopping.is_set() or engine.side(action.side).tracker in engine.closed:
            leave(hand, action, intents.get(place))
        elif isinstance(action, Say):
            say(hand, action)
        elif isinstance(action, Reword):
            reword(hand, action)
        else:
            carry_out(hand, action, intents[place])
    return hand.done


def leave(hand: Hand, action: Action, intent: int | None) -> None:
    """An action that is certainly not sent: the next pass decides again."""
    if isinstance(action, Say):
        hand.engine.store.said(action, hand.id, "pending", hand.now)
    elif isinstance(action, Reword):
        hand.engine.store.reworded(action, "failed", hand.now)
    elif intent is not None:
        hand.engine.store.settle_intent(intent, "failed", hand.now)
    hand.done.unsettled = True


def order_of(action: Action) -> int:
    return next((n for n, kind in enumerate((Adopt, Write, Open, Reword, Say)) if isinstance(action, kind)), 9)


def carry_out(hand: Hand, action: Action, intent: int) -> None:
    """Sends one intended write, or leaves it for the next pass where what it stands on failed."""
    match action:
        case Adopt() | Unmark():
            mark(hand, action, intent)
        case Open():
            create(hand, action, intent)
        case Write() if action.order:
            carry_order(hand, action, intent)
        case Write():
            write(hand, action, intent)


def mark(hand: Hand, action: Adopt | Unmark, intent: int) -> None:
    """Puts our mark on an item, on which its link's creations wait, or takes it off; repeating it changes nothing."""
    before = hand.record(action.ref)
    connector, scope = hand.engine.connector(action.side), hand.engine.scope(action.side)
    puts = isinstance(action, Adopt)
    try:
        record = (connector.adopt if puts else connector.unmark)(scope, before, action.mark)
    except Failure as failure:
        hand.blocked |= puts
        fell(hand, action.side, intent, failure)
        if isinstance(failure, Refused):
            hold(hand, action.ref, "mark", failure, "mark")
        return
    answered(hand, intent, before, record, [])
    release(hand, action.ref, "mark")


def create(hand: Hand, action: Open, intent: int) -> None:
    """Creates a counterpart. One that may exist already (its source was marked before the state was lost) is looked
    for first, as after a lost answer."""
    store = hand.engine.store
    if hand.blocked:
        leave(hand, action, intent)
        return
    if action.wait:
        store.settle_intent(intent, "unsure", hand.now)
        store.due_by(hand.id, hand.now + hand.engine.facts()[hand.engine.side(action.side).tracker].grace)
        return
    try:
        record = hand.engine.connector(action.side).create(hand.engine.scope(action.side), action.draft)
    except Failure as failure:
        fell(hand, action.side, intent, failure)
        if isinstance(failure, Refused):
            hold(hand, action.source, f"open {action.begun_as}", failure, fingerprint_of(action.given))
        return
    release(hand, action.source, f"open {action.begun_as}")
    if action.task:
        store.created_task(intent, record, action.side, hand.now)
        hand.done.writes += 1
        log("created", hand, record.key)
        return
    visible = store.created(hand.id, intent, action, record, hand.now, hand.heard)
    hand.done.records[record.ref] = record
    hand.done.writes += 1
    hand.done.created.append(record.ref)
    store.touch([(record.ref, action.side, False)])
    log("created", hand, record.key)
    show(hand, action, visible, record)


def show(hand: Hand, action: Open, intent: int, record: Record) -> None:
    """The visible link to the source. It is no condition of anything: where it fails, the next pass leaves it."""
    draft, connector = action.draft, hand.engine.connector(action.side)
    try:
        connector.show(hand.engine.scope(action.side), record, draft.mark, draft.source_key, draft.source_url)
    except Failure as failure:
        log(f"no visible link yet: {failure}", hand, record.key)
        return
    hand.engine.store.settle_intent(intent, "done", hand.now)


def write(hand: Hand, action: Write, intent: int) -> None:
    """Changes one item. Where the tracker refuses several fields together, the ones it names are held and the others
    sent; where it names none, each is sent alone."""
    before = hand.record(action.ref)
    change = replace(action.change, version=before.version)
    try:
        record = hand.engine.connector(action.side).update(hand.engine.scope(action.side), before, change)
    except Refused as refusal:
        hand.engine.store.settle_intent(intent, "refused", hand.now)
        refused(hand, action, intent, refusal)
        return
    except Failure as failure:
        fell(hand, action.side, intent, failure)
        return
    echoes = [(name, echo_of(action, name, agreed, record)) for name, agreed in action.wanted.items()]
    answered(hand, intent, before, record, echoes)
    for name, echo in echoes:
        release(hand, action.ref, name)
        if not shows(hand, action, name, echo):
            hold_unshown(hand, action, name, echo)


def carry_order(hand: Hand, action: Write, intent: int) -> None:
    """Writes what a rule or a route ordered. What is refused is held and tried again; what a tracker acknowledges and
    does not show is held too, for its people."""
    before = hand.record(action.ref)
    change = replace(action.change, version=before.version)
    try:
        record = hand.engine.connector(action.side).update(hand.engine.scope(action.side), before, change)
    except Failure as failure:
        fell(hand, action.side, intent, failure)
        if isinstance(failure, Refused):
            hold(hand, action.ref, action.what, failure, action.fingerprints[action.what])
        return
    answered(hand, intent, before, record, [])
    hand.engine.store.fulfil(action.order)
    if action.shown and record.assignee == before.assignee and record.assignee.casefold() not in action.shown:
        hold_untaken(hand, action, record)
        return
    release(hand, action.ref, action.what)


def hold_untaken(hand: Hand, action: Write, record: Record) -> None:
    """Sets aside an assignment that a tracker acknowledged and did not make. It is not tried again."""
    reason = f"{action.ref.tracker} took the assignment of {record.key} and shows {record.assignee or 'nobody'}"
    advice = "may Lockstep's account assign there, and may that person be assigned? Assign it by hand"
    held = Held(action.ref, action.what, reason, advice, hand.now, None, with_whom(record.assignee))
    hand.engine.store.hold(hand.id, held, hand.now)
    hand.done.refused += 1


def echo_of(action: Write, name: str, agreed: Agreed, record: Record) -> Echo:
    """What the tracker answered, never what was sent."""
    if name == STAGE:
        return Echo(spelled(record.state), agreed.serial)
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


def release(hand: Hand, ref: Ref, what: str) -> None:
    """What was held and has now been taken is held no longer."""
    if any((held.ref, held.what) == (ref, what) for held in hand.link.held):
        hand.engine.store.release(ref, what)


def refused(hand: Hand, action: Write, intent: int, refusal: Refused) -> None:
    """Finds out what of a change is refused, and sends the rest."""
    names = list(action.wanted)
    blamed = [n for n in names if blames(refusal, action, n)]
    if len(names) == 1 or blamed == names:
        for name in names:
            hold(hand, action.ref, name, refusal, action.fingerprints[name])
        return
    rest = [[n for n in names if n not in blamed]] if blamed else [[n] for n in names]
    for name in blamed:
        hold(hand, action.ref, name, refusal, action.fingerprints[name])
    for part in rest:
        write(hand, only(action, part), intent)


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


def answered(hand: Hand, intent: int, before: Record, record: Record, echoes: list[tuple[str, Echo]]) -> None:
    """Settles a write by its answer. Unless the answer follows directly on the version decided on, somebody else
    wrote in between: then its version stays news, and the next pass looks at it again."""
    connector = hand.engine.connectors[record.ref.tracker]
    mine = connector.updater in ("", record.updated_by)
    next_version = connector.consecutive and mine and record.version == before.version + 1
    direct = record.version == before.version or next_version
    hand.engine.store.acknowledge(intent, record, echoes, hand.now, direct=direct)
    hand.done.records[record.ref] = record
    hand.done.writes += 1
    log("wrote", hand, record.key)


def say(hand: Hand, action: Say) -> None:
    """Sends one part of a copy."""
    store = hand.engine.store
    name = f"comment {action.copy.origin.tracker}:{action.copy.origin.id}"
    silenced = hand.silent & {(action.ref, None), (action.ref, action.copy.origin)}
    if hand.blocked or silenced or action.ref.tracker in hand.done.failures:
        leave(hand, action, None)
        return
    before = hand.record(action.ref)
    try:
        said = hand.engine.connector(action.side).say(
            hand.engine.scope(action.side), before, action.channel, action.text
        )
    except Failure as failure:
        outcome = "unsure" if isinstance(failure, Unsure) else "refused" if isinstance(failure, Refused) else "pending"
        store.said(action, hand.id, outcome, hand.now)
        if isinstance(failure, Refused):
            hand.silent.add((action.ref, action.copy.origin))
            hold(hand, action.ref, name, failure, "say")
        else:
            hand.silent.add((action.ref, None))
            fell(hand, action.side, None, failure)
        return
    direct = said.version == before.version + 1 and hand.engine.connectors[action.ref.tracker].consecutive
    store.said(action, hand.id, "done", hand.now, said.id, said.version if direct else 0)
    release(hand, action.ref, name)
    if direct:
        hand.done.records[action.ref] = replace(before, version=said.version)
    hand.done.writes += 1
    log("said", hand, before.key)


def reword(hand: Hand, action: Reword) -> None:
    """Gives a copy that is there its new words. Where the answer is lost, or the copy cannot be found, the discussion
    is read before anything else."""
    store = hand.engine.store
    if hand.blocked or action.ref.tracker in hand.done.failures:
        leave(hand, action, None)
        return
    before, scope = hand.record(action.ref), hand.engine.scope(action.side)
    name = f"comment {action.copy.origin.tracker}:{action.copy.origin.id}"
    try:
        hand.engine.connector(action.side).reword(scope, before, action.id, action.channel, action.text)
    except Failure as failure:
        store.reworded(action, "unsure" if isinstance(failure, Unsure | Gone) else "failed", hand.now)
        if isinstance(failure, Refused):
            hold(hand, action.ref, name, failure, action.version)
        else:
            fell(hand, action.side, None, failure)
        return
    store.reworded(action, "done", hand.now)
    release(hand, action.ref, name)
    hand.done.writes += 1
    log("reworded", hand, before.key)


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
        hand.engine.store.settle_intent(intent, settled, hand.now)
    if isinstance(failure, Unsure):
        hand.engine.store.due_by(hand.id, hand.now + hand.engine.facts()[tracker].grace)
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


def log(event: str, hand: Hand, key: str) -> None:
    structlog.get_logger().info(event, action="apply", link=hand.link.key, item=key)
