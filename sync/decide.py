"""``decide(link, seen, setup, now) -> Plan``: what one link needs, from what is known and what is seen. Pure.

Dry run, real run and explanation are this one function with different hands: it neither reads a clock nor writes.
Fields and status are merged first; comments, routes and escalation then stand on the values that came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync.comments.amend import unsettled
from sync.comments.copies import LATER
from sync.comments.discuss import Talk, discuss, own_remarks
from sync.escalation.escalate import Outlook
from sync.escalation.move import move, rules
from sync.freezing.budget import strokes_of_others, within_budget
from sync.gone import missing, sane
from sync.joining.alone import followed, gives_way
from sync.joining.join import ALONE, join, note_moved
from sync.joining.loose import loose
from sync.joining.match import arrive, widened
from sync.joining.route import adopt_marks, open_routes, unmarkable
from sync.merging.agree import merge_field, merge_status
from sync.merging.align import align
from sync.merging.counting import count_field
from sync.merging.write import writes
from sync.ordering.below import open_tasks
from sync.ordering.give import learned as learned_orders
from sync.ordering.heed import heed
from sync.ordering.write import ordered_writes
from sync.plan import Action, Joining, Plan, Reword, Say, Settlement
from sync.setup import Setup
from sync.sheet import Sheet, closed, key_of, resting, title
from sync.speaking.gate import at_gate
from sync.speaking.lead import new_lead
from sync.state import DEFECT, UNHEARD, Copy, CopyKey, Held, LinkState, Seen


def decide(
    link: LinkState,
    seen: Seen,
    setup: Setup,
    now: datetime,
    *,
    approved: frozenset[str] = frozenset(),
    pairs: tuple[Joining, ...] = (),
) -> Plan:
    """What the link needs now. ``link.id`` is 0 for an item no link holds yet: then only what it joins or a route that
    opens makes a plan of it. A proposal whose key is ``approved`` is carried out. ``pairs`` are the
    counterparts that a first look found: with those who come the link is looked at once more."""
    found = sane(link, seen, setup, now)
    link, seen = found.link, found.seen
    wide = widened(link, seen, pairs)
    sheet = Sheet(wide, seen, setup, now, dict(link.agreed), before=link.before, approved=approved, joins=list(pairs))
    missing(sheet, found)
    for declared in setup.fields.values():
        (count_field if declared.source else merge_field)(sheet, declared)
    merge_status(sheet)
    if not wide.id and not pairs and (join(sheet) or ALONE in link.barred or arrive(sheet)):
        return loose(sheet)
    if gives_way(sheet):
        return loose(sheet)
    note_moved(sheet)
    openings = open_routes(sheet)
    if any(joining.link for joining in sheet.joins):
        return loose(sheet)
    if len(sheet.joins) > len(pairs):
        return decide(link, seen, setup, now, approved=approved, pairs=tuple(sheet.joins))
    sheet.follows = followed(sheet)
    if not link.id and not pairs and not openings and not at_gate(sheet) and not sheet.follows:
        return loose(sheet)
    sheet.actions += adopt_marks(sheet)
    sheet.actions += [] if unmarkable(sheet) else openings
    return stand_on_it(sheet, link)


def stand_on_it(sheet: Sheet, link: LinkState) -> Plan:
    """What stands on the values that came out: comments, the move, escalation, and what is written where. ``link`` is
    without those who only come with this plan: what was said before they came is not theirs to hear."""
    seen, setup, now = sheet.seen, sheet.setup, sheet.now
    talk = discuss(link, seen, setup, now)
    sheet.remarks += talk.remarks
    for about, text in talk.notes:
        sheet.because(about, text)
    move(sheet, talk)
    outlook = rules(sheet)
    heed(sheet)
    note_mute(sheet, talk)
    align(sheet)
    sheet.actions += writes(sheet)
    sheet.actions += ordered_writes(sheet)
    sheet.actions += [] if unmarkable(sheet) else open_tasks(sheet)
    sheet.actions += (*talk.rewords, *talk.says)
    own, waits = own_remarks(sheet.link, seen, setup, now, (*link.remarks, *sheet.remarks))
    sheet.actions += own
    return finish(sheet, talk, outlook, waits)


def note_mute(sheet: Sheet, talk: Talk) -> None:
    """Holds the comments of items of which none can be read: nothing is carried from there, and nothing to there, where
    nobody could tell what stands there already."""
    unsaid = [own.ref for own in (*sheet.link.remarks, *sheet.remarks) if own.ref.tracker in sheet.seen.mute]
    silent = [item.ref for item in sheet.present() if item.ref in sheet.seen.silent]
    for ref in dict.fromkeys((*silent, *talk.mute, *unsaid)):
        way = "from" if ref in silent else "to"
        sheet.hold(
            ref,
            UNHEARD,
            f"no comment can be carried {way} {key_of(sheet, ref)}: {sheet.seen.mute[ref.tracker]}",
            "grant the right it names; where nobody has commented yet, the first comment a person writes clears this",
        )


def finish(sheet: Sheet, talk: Talk, outlook: Outlook, waits: Sequence[datetime]) -> Plan:
    """The plan with everything the state learns from it, and nothing that rests."""
    link = sheet.link
    actions, waiting = within_budget(sheet, [a for a in sheet.actions if not rests(sheet, a)])
    return Plan(
        link.id,
        link.key,
        title(sheet),
        tuple(actions),
        learned(sheet, talk, outlook, actions, waiting),
        tuple(sheet.reasons),
        sheet.values(),
        min([w for w in (talk.waiting, *waits, *sheet.waits) if w], default=None),
        keys={str(item.ref): item.key for item in link.items},
        proposals=tuple(sheet.proposals),
        pending=sheet.pending,
    )


def learned(
    sheet: Sheet, talk: Talk, outlook: Outlook, actions: Sequence[Action], waiting: Sequence[Say]
) -> Settlement:
    """Everything the state learns. What was held stays held where this look tells nothing of it. Comments that an item
    is not given now (``waiting``) are kept in mind."""
    link = sheet.link
    kept = {(h.ref, h.what) for h in link.held if unknown(sheet, h, actions)} | set(sheet.holds)
    releases = tuple((h.ref, h.what) for h in link.held if (h.ref, h.what) not in kept)
    kept_now = [h for h in link.held if (h.ref, h.what) in kept - set(sheet.holds)]
    retries = [h.retry for h in (*sheet.holds.values(), *kept_now) if h.retry and h.retry > sheet.now]
    return Settlement(
        agreed={n: a for n, a in sheet.agreed.items() if link.agreed.get(n) != a},
        echoes=tuple({(ref, name): (ref, name, echo) for ref, name, echo in sheet.echoes}.values()),
        receded=sheet.receded,
        unbelieved=sheet.unbelieved,
        before=sheet.before if sheet.before != link.before else None,
        known=talk.known,
        copies=(*talk.copies, *kept_in_mind(sheet, talk, waiting)),
        versions=talk.versions,
        movements=tuple(sheet.movements),
        firings=outlook.firings,
        holds=tuple(h for h in sheet.holds.values() if h not in link.held),
        releases=releases,
        due=min([*filter(None, [outlook.next_due, talk.due]), *retries], default=None),
        closed=closing(sheet),
        aside=sheet.aside(),
        conflicts=tuple(sheet.conflicts),
        remarks=tuple(sheet.remarks),
        lead=new_lead(sheet),
        left=tuple(sheet.left),
        orders=learned_orders(sheet),
        fulfilled=tuple(dict.fromkeys(sheet.fulfilled)),
        joins=tuple(sheet.joins),
        follows=sheet.follows,
        strokes=strokes_of_others(sheet),
    )


def kept_in_mind(sheet: Sheet, talk: Talk, waiting: Sequence[Say]) -> list[tuple[CopyKey, Copy, str]]:
    """The copies that are still to be made, so that their words are read again. Our own remarks are kept anyway."""
    told = {key for key, _, _ in talk.copies} | set(sheet.link.copies)
    wanted = dict.fromkeys(say.copy for say in waiting if say.copy.origin.tracker and say.copy not in told)
    return [(key, Copy("pending", sheet.now), "") for key in wanted]


def rests(sheet: Sheet, action: Action) -> bool:
    """Whether these words were refused there and are not tried again yet."""
    match action:
        case Say():
            return resting(sheet, action.ref, said_of(action.copy), "say")
        case Reword():
            return resting(sheet, action.ref, said_of(action.copy), action.version)
    return False


def said_of(copy: CopyKey) -> str:
    return f"comment {copy.origin.tracker}:{copy.origin.id}"


def unknown(sheet: Sheet, held: Held, actions: Sequence[Action]) -> bool:
    """Whether this look tells nothing of what is held: its item was not read, or the comment was not heard again."""
    if held.ref not in sheet.seen.records:
        return True
    if held.what == UNHEARD:
        return held.ref not in sheet.seen.comments
    if held.what == DEFECT:
        # mended only once what it stopped is carried out
        return bool(actions) or any(copy.outcome in ("unsure", "pending") for copy in sheet.link.copies.values())
    if held.what.startswith("open "):
        # what became of a creation whose answer was lost is told by looking for it
        return any(c.outcome == "unsure" and held.what == f"open {c.route}" for c in sheet.link.creations)
    refused = any(
        key.target == held.ref and said_of(key) == held.what and copy.outcome == "refused"
        for key, copy in sheet.link.copies.items()
    )
    said = any(isinstance(a, Say | Reword) and a.ref == held.ref and said_of(a.copy) == held.what for a in actions)
    if said or refused or not held.what.startswith("comment "):
        return refused and not said
    stale = unsettled(sheet.link, deletions=sheet.setup.deletions)
    return held.what.partition(LATER)[0] in {said_of(CopyKey(origin, held.ref)) for origin in stale}


def closing(sheet: Sheet) -> bool | None:
    """Whether the link closes or opens again with this plan: closed when its stage is terminal."""
    return closed(sheet) if closed(sheet) != bool(sheet.link.closed) else None
