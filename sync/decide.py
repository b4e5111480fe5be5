"""``decide(link, seen, setup, now) -> Plan``: what one link needs, from what is known and what is seen. Pure.

Dry run, real run and explanation are this one function with different hands: it neither reads a clock nor writes.
Fields and status are merged first; comments, routes and escalation then stand on the values that came out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sync.agree import merge_field, merge_status
from sync.discuss import Talk, discuss, own_remarks
from sync.escalate import Outlook
from sync.move import move, rules
from sync.plan import Action, Notify, Plan, Say, Settlement
from sync.route import adopt_marks, open_routes, unmarkable
from sync.setup import Setup
from sync.sheet import Sheet, closed, key_of, resting, title
from sync.state import CopyKey, Held, LinkState, Seen
from sync.write import writes


def decide(link: LinkState, seen: Seen, setup: Setup, now: datetime) -> Plan:
    """What the link needs now. ``link.id`` is 0 for an item no link holds yet: then only a route that opens makes a
    plan of it."""
    sheet = Sheet(link, seen, setup, now, dict(link.agreed), before=link.before)
    missing(sheet)
    merge_status(sheet)
    for declared in setup.fields.values():
        merge_field(sheet, declared)
    openings = open_routes(sheet)
    if not link.id and not openings:
        return Plan(0, link.key, title(sheet), reasons=tuple(sheet.reasons), values=sheet.values(), aged=sheet.aged)
    sheet.actions += adopt_marks(sheet)
    sheet.actions += [] if unmarkable(sheet) else openings
    talk = discuss(link, seen, setup, now)
    move(sheet, talk)
    outlook = rules(sheet)
    note_mute(sheet, talk)
    sheet.actions += writes(sheet)
    sheet.actions += talk.says
    own, waits = own_remarks(link, seen, setup, now, (*link.remarks, *sheet.remarks))
    sheet.actions += own
    return finish(sheet, talk, outlook, waits)


def missing(sheet: Sheet) -> None:
    """Holds what was deleted or hidden: nothing is re-created, deleted or re-opened because something is absent."""
    for item in sheet.link.items:
        if item.ref in sheet.seen.records and sheet.seen.records[item.ref] is None:
            tracker = item.ref.tracker
            sheet.hold(
                item.ref,
                "item",
                f"{item.key} is gone from {tracker}, or hidden from Lockstep's account",
                "restore it or its permission, or close the link's other items by hand",
            )


def note_mute(sheet: Sheet, talk: Talk) -> None:
    unsaid = [own.ref for own in (*sheet.link.remarks, *sheet.remarks) if own.ref.tracker in sheet.seen.mute]
    for ref in dict.fromkeys((*talk.mute, *unsaid)):
        sheet.hold(
            ref,
            "comments",
            f"no comment can be carried to {key_of(sheet, ref)}: {sheet.seen.mute[ref.tracker]}",
            "grant the right it names; where nobody has commented yet, the first comment a person writes clears this",
        )


def finish(sheet: Sheet, talk: Talk, outlook: Outlook, waits: Sequence[datetime]) -> Plan:
    """The plan with everything the state learns from it, and nothing that rests."""
    link = sheet.link
    actions = [a for a in sheet.actions if not (isinstance(a, Say) and resting(sheet, a.ref, said_of(a.copy), "say"))]
    kept = {(h.ref, h.what) for h in link.held if unknown(sheet, h, actions)} | set(sheet.holds)
    releases = tuple((h.ref, h.what) for h in link.held if (h.ref, h.what) not in kept)
    kept_now = [h for h in link.held if (h.ref, h.what) in kept - set(sheet.holds)]
    retries = [h.retry for h in (*sheet.holds.values(), *kept_now) if h.retry and h.retry > sheet.now]
    settlement = Settlement(
        agreed={n: a for n, a in sheet.agreed.items() if link.agreed.get(n) != a},
        echoes=tuple(sheet.echoes),
        before=sheet.before if sheet.before != link.before else None,
        known=talk.known,
        copies=talk.copies,
        movements=tuple(sheet.movements),
        firings=outlook.firings,
        holds=tuple(h for h in sheet.holds.values() if h not in link.held),
        releases=releases,
        due=min([*filter(None, [outlook.next_due]), *retries], default=None),
        closed=closing(sheet),
        conflicts=tuple(sheet.conflicts),
        remarks=tuple(sheet.remarks),
    )
    waiting = min([w for w in (talk.waiting, *waits, *sheet.waits) if w], default=None)
    keys = {str(item.ref): item.key for item in link.items}
    reasons, values = tuple(sheet.reasons), sheet.values()
    return Plan(link.id, link.key, title(sheet), tuple(actions), settlement, reasons, values, waiting, keys=keys)


def said_of(copy: CopyKey) -> str:
    return f"comment {copy.origin.tracker}:{copy.origin.id}"


def unknown(sheet: Sheet, held: Held, actions: Sequence[Action]) -> bool:
    """Whether this look tells nothing of what is held: its item was not read, or the comment was not heard again."""
    if held.ref not in sheet.seen.records:
        return True
    if held.what == "comments":
        return held.ref not in sheet.seen.comments
    refused = any(
        key.target == held.ref and said_of(key) == held.what and copy.outcome == "refused"
        for key, copy in sheet.link.copies.items()
    )
    said = any(isinstance(a, Say) and a.ref == held.ref and said_of(a.copy) == held.what for a in actions)
    return refused and not said


def closing(sheet: Sheet) -> bool | None:
    """Whether the link closes or opens again with this plan: closed when its stage is terminal."""
    return closed(sheet) if closed(sheet) != bool(sheet.link.closed) else None


def writes_to_trackers(actions: Iterable[Action]) -> list[Action]:
    """The actions that change a tracker: everything but mail and cards."""
    return [a for a in actions if not isinstance(a, Notify)]
