"""The writes that carry orders out: who works on an item, and what it names. Each is written while the item still shows
what it showed when it was ordered; shows it something else, the write has come through or people have had their say.
Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mappings.model import Change, Native, Record, Ref
from mappings.roster import word_of
from sync.escalation.recipients import assignee, party_names
from sync.ordering.give import coming, fulfil, know, pending, route_called
from sync.plan import Action, Write
from sync.setup import Setup
from sync.sheet import Sheet, fingerprint_of, is_terminal, key_of, resting
from sync.speaking.lead import speaking
from sync.state import Held, Item, Order

#: under which an assignment is held
ASSIGNEE = "assignee"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody in a tracker: the account there, the name people see, and every spelling by which it may be shown."""

    id: str
    name: str
    shown: frozenset[str]


def ordered_writes(sheet: Sheet) -> list[Action]:
    """What orders write now."""
    for held in sheet.link.held:
        if held.what == ASSIGNEE and still_shows(sheet, held):
            sheet.holds[held.ref, held.what] = held
    found = [assign(sheet, order) for order in list(pending(sheet, "assign"))]
    found += [relation(sheet, order) for order in list(pending(sheet, "relate"))]
    return [write for write in found if write is not None]


# ── who works on an item ─────────────────────────────────────────────────────────────────────────────────────────────


def assign(sheet: Sheet, order: Order) -> Write | None:
    """Gives the item that speaks for its side to the person the rule means."""
    item = item_meant(sheet, order)
    if item is None:
        return None
    record = sheet.record(item.ref)
    if order.ref is None:
        order = replace(order, ref=item.ref, was=record.assignee)
        know(sheet, order)
    if record.assignee != order.was:
        fulfil(sheet, order, f"{item.key} is with {record.assignee or 'nobody'} since {order.reason}")
        return None
    native = sheet.seen.facts[item.ref.tracker].assignee
    account = account_of(sheet, order, item.ref.tracker) if native else None
    if account is None:
        hold_unassigned(sheet, order, item, bool(native))
        return None
    if record.assignee.casefold() in account.shown:
        fulfil(sheet, order, f"{item.key} is with {account.name} already")
        return None
    reason = f"{item.key} goes to {account.name}: {order.reason}"
    write = write_of(sheet, order, item, ASSIGNEE, {native: account.id}, reason)
    return replace(write, shown=account.shown) if write else None


def item_meant(sheet: Sheet, order: Order) -> Item | None:
    """The open item that speaks for the side, if it can be seen now. Where there is none, and none is about to come,
    the order is void."""
    ref = order.ref or (speaking(sheet, order.side) if order.side in sheet.setup.sides else None)
    item = next((item for item in sheet.link.items if item.ref == ref and not item.gone), None)
    if item is None:
        if not coming(sheet, order.side):
            fulfil(sheet, order, f"there is no {order.side} to assign: {order.reason}")
        return None
    if sheet.seen.records.get(item.ref) is None:
        return None
    if is_terminal(sheet.setup.stages, item.side, sheet.record(item.ref).state):
        fulfil(sheet, order, f"{item.key} is closed, and is assigned to nobody any more: {order.reason}")
        return None
    return item


def account_of(sheet: Sheet, order: Order, tracker: str) -> Account | None:
    """The account that the recipient means; an address that the roster does not know is left to the tracker to find."""
    person = assignee(sheet.setup, sheet.values(), order.value, tracker)
    if person is not None:
        shown = {person.accounts[tracker], person.name, person.email} - {""}
        return Account(person.accounts[tracker], person.name, frozenset(one.casefold() for one in shown))
    return stranger(sheet.setup, order.value)


def stranger(setup: Setup, text: str) -> Account | None:
    word = word_of(text, party_names(setup), setup.roster)
    if word is None or word.kind != "address" or setup.roster.at(word.name):
        return None
    return Account(word.name, word.name, frozenset({word.name.casefold()}))


def hold_unassigned(sheet: Sheet, order: Order, item: Item, known: bool) -> None:
    """Nobody is found, which the roster can mend; or the tracker knows of nobody who works on an item."""
    tracker = item.ref.tracker
    if known:
        reason = f'{item.key} is assigned to nobody: "{order.value}" means no person with an account in {tracker}'
        advice = f"write the account into the column {tracker} of the roster, or assign it yourself"
    else:
        reason = f"{item.key} cannot be assigned: items of {tracker} are nobody's"
        advice = f"name another side in the rule's assign ({order.reason})"
    sheet.hold(item.ref, ASSIGNEE, reason, advice)


def still_shows(sheet: Sheet, held: Held) -> bool:
    """Whether an item that did not take an assignment is still with whom it was."""
    record = sheet.seen.records.get(held.ref)
    return record is not None and held.fingerprint == with_whom(record.assignee)


def with_whom(assignee: str) -> str:
    """The fingerprint of whom an item is with in place of whom it was to be."""
    return f"shows:{fingerprint_of({ASSIGNEE: assignee})}"


# ── what an item names ───────────────────────────────────────────────────────────────────────────────────────────────


def relation(sheet: Sheet, order: Order) -> Write | None:
    """Lets the source name what was opened from it, unless it names something of the kind by now."""
    route = route_called(sheet.setup, order.value)
    source = next((item for item in sheet.link.items if item.ref == order.ref and not item.gone), None)
    if route is None or not route.relate or source is None:
        fulfil(sheet, order)
        return None
    made = next((item for item in sheet.present() if item.side == route.opens), None)
    if made is None:
        if not coming(sheet, route.opens) and not any(item.side == route.opens for item in sheet.link.items):
            fulfil(sheet, order)
        return None
    if sheet.seen.records.get(source.ref) is None:
        return None
    if named(sheet.record(source.ref), made.ref):
        fulfil(sheet, order)
        return None
    reason = f"{source.key} names {key_of(sheet, made.ref)}, which was opened from it: {order.reason}"
    return write_of(sheet, order, source, f"relate {route.id}", {route.relate: made.ref.id}, reason)


def named(record: Record, made: Ref) -> bool:
    """Whether the item names the other, or a problem of its own that people chose."""
    return any(kin.ref == made or kin.kind == "problem" for kin in record.kin)


def write_of(sheet: Sheet, order: Order, item: Item, what: str, fields: dict[str, Native], reason: str) -> Write | None:
    """The write, unless the tracker refused this very one and it rests."""
    fingerprint = fingerprint_of(fields)
    if resting(sheet, item.ref, what, fingerprint):
        return None
    record = sheet.record(item.ref)
    change = Change(fields, version=record.version, mark=record.mark)
    return Write(item.ref, item.side, change, {}, {}, {what: fingerprint}, reason, order.id, what)
