"""Counterparts that people made by hand: whether a route pairs with one, asks, or opens a new item. Pure.

``seek`` found them by the route's ``match`` fields. Pairing writes the marks and nothing else: fields and states that
differ stay as they are until their owner's next change, or until a person approves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mappings.banner import creation_key
from mappings.model import Ref
from mappings.routes import Route
from sync.joining.join import ALONE, last_seen, may_join
from sync.plan import Joining, Plan, Proposal
from sync.sheet import Sheet
from sync.state import Item, LinkState, Seen, Tie

#: under which it is held that nobody knows which counterpart is meant, or that it cannot be marked
MATCH = "match"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What a route found: ``one`` to pair with, or nothing; ``unclear``: neither is paired nor opened now."""

    one: Tie | None = None
    unclear: bool = False


NONE, UNCLEAR = Counterpart(), Counterpart(unclear=True)


def counterpart(sheet: Sheet, route: Route, source: Item) -> Counterpart:
    """The counterpart that people made for an item. One whose creation was begun has its own already."""
    key = creation_key(sheet.setup.instance, route.id, source.ref)
    if not route.match or any(creation.key == key for creation in sheet.link.creations):
        return NONE
    about = f"route {route.id}"
    if route.opens in sheet.seen.unready or source.ref in sheet.seen.unheard:
        sheet.pending = True
        sheet.because(about, f"whether a {route.opens} was made by hand is known once all of them were read")
        return UNCLEAR
    members = {item.ref for item in sheet.link.items}
    ties = [t for t in sheet.seen.ties.get(source.ref, ()) if (t.kind, t.route) == (MATCH, route.id)]
    ties = [tie for tie in ties if tie.ref not in members]
    return chosen(sheet, source, route, [tie for tie in ties if fits(sheet, about, tie)])


def fits(sheet: Sheet, about: str, tie: Tie) -> bool:
    """Whether the item that is named may be a counterpart: it is there and in scope. One that could not be read now
    is waited for, see ``chosen``."""
    record = sheet.seen.records.get(tie.ref)
    if record is not None and not record.in_scope and not tie.link:
        sheet.because(about, f"{tie.key} would match, but is outside the scope of {tie.side}")
        return False
    return record is not None or tie.ref not in sheet.seen.records or bool(tie.link)


def chosen(sheet: Sheet, source: Item, route: Route, ties: Sequence[Tie]) -> Counterpart:
    """The only one is paired with; of several, and of one that cannot be marked, a person says what is meant."""
    if not ties:
        return NONE
    if (own := sheet.record(source.ref)).occupied and own.mark is None:
        hold_occupied(sheet, source, source.key, ties)
        return UNCLEAR
    if len({tie.link or tie.ref for tie in ties}) > 1:
        words = " and ".join(words_of(tie) for tie in ties)
        choices = ", or ".join(f"lockstep link {source.key} {tie.key}" for tie in ties)
        reason = f"{source.key} has {len(ties)} counterparts to choose from: {words}"
        hold(sheet, source, reason, f"{choices}; or take the reference off the others", ties)
        return UNCLEAR
    return in_link(sheet, source, route, ties[0]) if ties[0].link else free(sheet, source, route, ties[0])


def in_link(sheet: Sheet, source: Item, route: Route, tie: Tie) -> Counterpart:
    """A counterpart that a link holds: the item that stands alone joins it there."""
    about = f"route {route.id}"
    if sheet.link.id or len(sheet.link.items) > 1:
        reason = f"{source.key} and {words_of(tie)} are in two links, and links never merge themselves"
        joins = f"lockstep link {source.key} {tie.key} where one of them is followed alone"
        hold(sheet, source, reason, f"{joins}; else lockstep unlink one of them first", [tie])
    elif tie.link_key in sheet.link.barred:
        sheet.because(about, f"{source.key} was unlinked from {tie.key} by a person; lockstep link brings it back")
    elif tie.closed:
        reason = f"{source.key} goes with {words_of(tie)}, whose work is over"
        hold(sheet, source, reason, f"lockstep link {source.key} {tie.key}, or take the reference off", [tie])
    else:
        return Counterpart(tie)
    return UNCLEAR


def free(sheet: Sheet, source: Item, route: Route, tie: Tie) -> Counterpart:
    """A counterpart that stands alone."""
    record = sheet.seen.records.get(tie.ref)
    if record is None:
        sheet.pending = True
    elif ALONE in tie.barred:
        sheet.because(f"route {route.id}", f"{tie.key} was unlinked by a person; lockstep link brings it back")
    elif record.occupied and record.mark is None:
        hold_occupied(sheet, source, tie.key, [tie])
    else:
        return Counterpart(tie)
    return UNCLEAR


def arrive(sheet: Sheet) -> bool:
    """Whether an item that stands alone names, or is named by, one whose link has no item of its side yet: then it
    comes into that link, and its own routes open nothing."""
    (item,) = sheet.link.items
    ties = [tie for tie in sheet.seen.ties.get(item.ref, ()) if tie.kind == MATCH and tie.link and not tie.closed]
    routes = {route.id: route for route in sheet.setup.routes if route.opens == item.side}
    ties = [tie for tie in ties if tie.route in routes and tie.link_key not in sheet.link.barred]
    if not ties or not may_join(sheet, item):
        return False
    record, route = sheet.record(item.ref), routes[ties[0].route]
    if record.occupied and record.mark is None:
        hold_occupied(sheet, item, item.key, ties)
    elif len({tie.link for tie in ties}) > 1:
        words = " and ".join(words_of(tie) for tie in ties)
        choices = ", or ".join(f"lockstep link {item.key} {tie.key}" for tie in ties)
        hold(sheet, item, f"{item.key} goes with items of several links: {words}", choices, ties)
    elif sheet.link.old and asked(sheet, route, item, ties[0]):
        sheet.aged = True
    else:
        pair(sheet, route, item, ties[0])
    return True


def hold_occupied(sheet: Sheet, source: Item, key: str, ties: Sequence[Tie]) -> None:
    """Neither of a pair may be left unmarked, and a foreign text is never overwritten."""
    words = " and ".join(words_of(tie) for tie in ties)
    reason = f"{source.key} goes with {words}, but the fields for Lockstep's mark on {key} hold somebody else's text"
    hold(sheet, source, reason, "name other fields with mark_fields, or clear them", ties)


def hold(sheet: Sheet, source: Item, reason: str, advice: str, ties: Sequence[Tie]) -> None:
    sheet.hold(source.ref, MATCH, reason, advice, print_of(ties))
    sheet.because(MATCH, reason)


def words_of(tie: Tie) -> str:
    """``SHOP-3 (incident_number, equal value)``."""
    return f"{tie.key} ({tie.told.removeprefix('match ').rstrip(')').replace(' (', ', ')})"


def print_of(ties: Sequence[Tie]) -> str:
    """These candidates in 32 characters at the most: other ones are another question."""
    return "+".join(sorted(str(tie.ref) for tie in ties))[:32]


def asked(sheet: Sheet, route: Route, source: Item, one: Tie | None) -> bool:
    """Whether a person's word is needed and not given: what was there before Lockstep is proposed, and left alone."""
    kind = "adopt" if one else "follow" if route.follows else "open"
    key = f"{kind} {route.id} {source.ref}" + (f" {one.ref}" if one else "")
    if key in sheet.approved:
        return False
    alone = f"{source.key} is followed alone" if route.follows else f"{source.key} opens a {route.opens}"
    what = f"{source.key} and {words_of(one)} belong together" if one else alone
    sheet.proposals.append(Proposal(key, kind, source.ref, what, one.told if one else ""))
    return True


def pair(sheet: Sheet, route: Route, item: Item, one: Tie) -> None:
    """A counterpart that stands alone comes into the link; the item itself comes into the one that holds its
    counterpart. What was said on whoever comes is history up to now."""
    comer = (item.ref, item.side) if one.link else (one.ref, one.side)
    came = None if route.history else last_seen(sheet.seen, comer[0])
    sheet.joins.append(Joining(*comer, one.link, one.told, came, route.id))
    sheet.because(f"route {route.id}", f"{item.key} goes with {words_of(one)}: it is paired, and nothing is opened")


def widened(link: LinkState, seen: Seen, joins: Sequence[Joining]) -> LinkState:
    """The link as it is with those who come into it now. A person's word for the first counts for what follows."""
    comers = []
    for joining in joins:
        record = seen.records[joining.ref]
        assert record is not None
        comers.append(
            Item(joining.ref, joining.side, record.key, -1, mark=record.mark, joined=joining.how, came=joining.came)
        )
    return replace(link, items=(*link.items, *comers), old=link.old and not comers)


def without_rivals(plans: Sequence[tuple[LinkState, Plan]], seen: Seen) -> list[tuple[LinkState, Plan]]:
    """The plans that may be carried out together: of two that want one item, the link that is there before the item
    that stands alone, the older before the younger; and what an item would do alone waits where another one wants it.
    The others are decided again when that is done."""
    wanted = {joining.ref for _, plan in plans for joining in pairs_of(plan)}
    if not wanted:
        return list(plans)

    def rank(place: int) -> tuple[bool, bool, datetime]:
        link, _ = plans[place]
        record = seen.records.get(link.source)
        born = record.created if record is not None else datetime.max.replace(tzinfo=UTC)
        return not link.id, not link.id and link.source in wanted, born

    taken: set[Ref] = set()
    kept: set[int] = set()
    for place in sorted(range(len(plans)), key=rank):
        link, plan = plans[place]
        wants = {joining.ref for joining in pairs_of(plan)} | ({link.source} if not link.id else set())
        if not wants & taken:
            taken |= wants if pairs_of(plan) else set()
            kept.add(place)
    return [pair for place, pair in enumerate(plans) if place in kept]


def pairs_of(plan: Plan) -> list[Joining]:
    """Those who come into the plan's own link."""
    return [joining for joining in plan.settlement.joins if not joining.link]
