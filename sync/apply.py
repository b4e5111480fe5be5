"""Apply: the only place that writes to a tracker. Every action was committed as an intent before; here it is sent
once and settled by what the tracker answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connectors.base import Failure, Gone, Refused, Unsure
from connectors.leave import with_leave
from mappings.model import Record
from sync.applying.answer import answered, blames, echo_of, fell, hold, hold_unshown, hold_untaken, only, release, shows
from sync.applying.hand import Applied, Hand, leave, log
from sync.engine import Engine
from sync.plan import Action, Adopt, Notify, Open, Plan, Reword, Say, Unmark, Write
from sync.sheet import fingerprint_of
from sync.state import LinkState, Seen


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
            continue
        # a plan may be long, and a process may sleep: the intent was ours when it was committed
        with with_leave(engine.store.hold_on):
            if isinstance(action, Say):
                say(hand, action)
            elif isinstance(action, Reword):
                reword(hand, action)
            else:
                carry_out(hand, action, intents[place])
    return hand.done


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
    echoes = [(name, echo_of(action, name, agreed, before, record)) for name, agreed in action.wanted.items()]
    answered(hand, intent, before, record, echoes)
    for name, echo in echoes:
        release(hand, action.ref, name)
        if not shows(hand, action, name, echo):
            hold_unshown(hand, action, name, echo)


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
        store.said(action, hand.id, outcome, hand.engine.now() if outcome == "unsure" else hand.now)
        if isinstance(failure, Refused):
            hand.silent.add((action.ref, action.copy.origin))
            hold(hand, action.ref, name, failure, "say")
        else:
            hand.silent.add((action.ref, None))
            fell(hand, action.side, None, failure)
        return
    next_version = said.version == before.version + 1 and hand.engine.connectors[action.ref.tracker].consecutive
    direct = hand.follows(action.ref, next_version)
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
        store.reworded(action, "unsure" if isinstance(failure, Unsure | Gone) else "failed", hand.engine.now())
        if isinstance(failure, Refused):
            hold(hand, action.ref, name, failure, action.version)
        else:
            fell(hand, action.side, None, failure)
        return
    store.reworded(action, "done", hand.now)
    release(hand, action.ref, name)
    hand.done.writes += 1
    log("reworded", hand, before.key)
