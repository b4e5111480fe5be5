"""What an item that no link holds joins: the link of its parent or problem, or of what it names. Pure.

Links never merge themselves, so two links to choose from are held. An item that only mentions a linked one, or names
one whose work is over, waits for a person, and its own routes open nothing meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mappings.model import Ref
from mappings.routes import Route
from sync.plan import Joining, Plan, Proposal, Telling
from sync.setup import Setup
from sync.sheet import Sheet, is_terminal
from sync.state import Item, LinkState, Seen, Tie

#: under which a joining that waits is held, and how an item came that a person put there
JOIN, LINKED, SPLIT = "join", "linked", "split"
#: how items come that follow: they are brought to the link's stage. A counterpart that matched keeps its own.
FOLLOWING = ("parent", "problem", "mention", LINKED)
#: in a link's barred keys: a person unlinked the item, so that no route opens from it
ALONE = "*"


def join(sheet: Sheet) -> bool:
    """Notes what the item joins, or why that waits. Returns whether its routes open nothing now."""
    item = sheet.link.items[0]
    known = [tie for tie in sheet.seen.ties.get(item.ref, ()) if tie.link and not barred(sheet, tie)]
    strong, weak, over = sorted_out(sheet, [tie for tie in known if tie.kind != "match"])
    matches = [tie for tie in known if tie.kind == "match" and not tie.closed]
    if not (strong or weak or over) or not may_join(sheet, item):
        return False
    if strong and len(links_of([*strong, *matches])) > 1:
        hold_between(sheet, item, [*strong, *matches])
    elif too_old(sheet, item, strong or weak or over):
        propose(sheet, item, strong or weak or over, held=False)
    elif strong:
        joins(sheet, item, strong[0])
    elif weak:
        propose(sheet, item, weak)
    elif reopens(sheet, over):
        joins(sheet, item, over[0])
    else:
        propose(sheet, item, over)
    return True


def sorted_out(sheet: Sheet, ties: Sequence[Tie]) -> tuple[list[Tie], list[Tie], list[Tie]]:
    """The ties that join, those that a person is asked about, and those to work that is over."""
    standing = [tie for tie in ties if not tie.closed]
    strong = [tie for tie in standing if tie.kind != "mention" or route_of(sheet, tie).mention == "join"]
    return strong, [tie for tie in standing if tie not in strong], [tie for tie in ties if tie.closed]


def route_of(sheet: Sheet, tie: Tie) -> Route:
    """The route whose words made the tie."""
    return next(route for route in sheet.setup.routes if route.id == tie.route)


def links_of(ties: Sequence[Tie]) -> dict[int, Tie]:
    """The first tie to each link."""
    found: dict[int, Tie] = {}
    for tie in ties:
        found.setdefault(tie.link, tie)
    return found


def barred(sheet: Sheet, tie: Tie) -> bool:
    """Whether a person took the item out of that link, or declined it."""
    if tie.link_key not in sheet.link.barred:
        return False
    sheet.because(JOIN, f"{tie.told}, whose link it was taken out of by a person; lockstep link brings it back")
    return True


def may_join(sheet: Sheet, item: Item) -> bool:
    """Whether the item is one that joins links: in its side's scope, and not over itself."""
    record = sheet.seen.records.get(item.ref)
    if record is None:
        return False
    if not record.in_scope:
        sheet.because(JOIN, f"{record.key} is outside the scope of {item.side}")
    elif is_terminal(sheet.setup.stages, item.side, record.state):
        sheet.because(JOIN, f"{record.key} is closed")
    else:
        return True
    return False


def too_old(sheet: Sheet, item: Item, ties: Sequence[Tie]) -> bool:
    """Whether the item was there before Lockstep, so that it joins by an approved plan only."""
    route, record = route_of(sheet, ties[0]), sheet.record(item.ref)
    return sheet.link.old and not (route.since is not None and record.created >= route.since)


def joins(sheet: Sheet, item: Item, tie: Tie) -> None:
    """The item joins, once its discussion is in hand: what was said up to then is history."""
    if item.ref in sheet.seen.unheard:
        sheet.because(JOIN, f"the discussion of {item.key} could not be read yet")
        return
    route = route_of(sheet, tie)
    came = None if route.history else last_seen(sheet.seen, item.ref)
    stood = ended_as(sheet.setup, item.side)
    sheet.joins.append(Joining(item.ref, item.side, tie.link, tie.kind, came, tie.route, stood))
    sheet.because(JOIN, f"{item.key} joins the link of {tie.key}: {tie.told}")


def ended_as(setup: Setup, side: str) -> str:
    """A state in which the side's items are over; empty where it has none."""
    ends = (stage.states.get(side) for stage in setup.stages.stages if stage.terminal)
    return next((states[0] for states in ends if states), "")


def last_seen(seen: Seen, ref: Ref) -> datetime:
    """The latest that an item shows, by its own tracker's clock: what is said on it later is news."""
    record = seen.records[ref]
    assert record is not None
    return max([record.updated, *(comment.created for comment in seen.comments.get(ref, ()))])


def reopens(sheet: Sheet, over: Sequence[Tie]) -> bool:
    """Whether the only work it names is over, and the route says that such an item opens it again."""
    return len(links_of(over)) == 1 and route_of(sheet, over[0]).reopen


def hold_between(sheet: Sheet, item: Item, ties: Sequence[Tie]) -> None:
    """Two links to choose from: a person says which."""
    found = list(links_of(ties).values())
    words = " and ".join(f"{tie.told} (in the link of {tie.key})" for tie in found)
    choices = ", or ".join(f"lockstep link {item.key} {tie.key}" for tie in found)
    sheet.hold(item.ref, JOIN, f"{item.key} is tied to {len(found)} links: {words}", choices, print_of(found))


def propose(sheet: Sheet, item: Item, ties: Sequence[Tie], *, held: bool = True) -> None:
    """Asks a person. One that is approved joins; an old item waits unheld, as everything from before Lockstep does."""
    found = list(links_of(ties).values())
    key = f"join:{item.ref}:{found[0].link_key}"
    if len(found) == 1 and key in sheet.approved:
        joins(sheet, item, found[0])
        return
    text = f"{item.key}: {' and '.join(tie.told for tie in found)}"
    if len(found) == 1:
        sheet.proposals.append(Proposal(key, JOIN, item.ref, f"{text}; it would join the link of {found[0].key}"))
    if not held:
        sheet.aged = True
        return
    tell_over(sheet, item, found)
    ended = ", whose work is over" if found[0].closed else ""
    choices = ", or ".join(f"lockstep link {item.key} {tie.key}" for tie in found)
    advice = f"{choices} puts it there; lockstep unlink {item.key} declines, and its own routes apply again"
    reason = f"{text}{ended}; nothing is opened from it before a person says"
    sheet.hold(item.ref, JOIN, reason, advice, print_of(found))


def tell_over(sheet: Sheet, item: Item, found: Sequence[Tie]) -> None:
    """The people of work that is over hear once that it is named again."""
    heard = any((h.ref, h.what, h.fingerprint) == (item.ref, JOIN, print_of(found)) for h in sheet.link.held)
    for tie in found if not heard else ():
        if tie.closed:
            text = f"{item.key} is new and names {tie.key}, which was closed here. If it is back, open this again."
            sheet.tells.append(Telling(tie.link, item.side, f"named:{item.ref}:{tie.link_key}", text))


def print_of(found: Sequence[Tie]) -> str:
    """These links in 32 characters at the most: other ones are another question."""
    return "+".join(sorted(tie.link_key for tie in found))[:32]


def note_moved(sheet: Sheet) -> None:
    """Holds an item of this link whose parent or problem is in another one now: it stays until a person says."""
    for item in sheet.present():
        astray = [tie for tie in sheet.seen.ties.get(item.ref, ()) if elsewhere(sheet.link, tie)]
        if astray and item.joined in FOLLOWING:
            tie = astray[0]
            stays = f"{item.key} stays in this link, though {tie.told}, which is in another one; links never merge"
            moves = f"lockstep unlink {item.key}, then lockstep link {item.key} {tie.key}"
            sheet.hold(item.ref, JOIN, stays, f"{moves}; or lockstep split {item.key}", print_of(astray[:1]))


def elsewhere(link: LinkState, tie: Tie) -> bool:
    """Whether the item stands under one that is in another open link."""
    return tie.kind in ("parent", "problem") and bool(tie.link) and tie.link != link.id and not tie.closed


def after_kin(plans: Sequence[tuple[LinkState, Plan]], seen: Seen) -> list[tuple[LinkState, Plan]]:
    """The plans without those of items whose parent or problem opens a link in the same pass: they join it then."""
    opening = {link.source for link, plan in plans if not link.id and not plan.loose}
    above = {
        ref: tie.ref
        for ref in opening
        for tie in seen.ties.get(ref, ())
        if tie.kind in ("parent", "problem") and tie.ref in opening
    }
    return [(link, plan) for link, plan in plans if not waits_below(link.source, above)]


def waits_below(ref: Ref, above: Mapping[Ref, Ref]) -> bool:
    """Whether an item waits for the one above it. Of items that stand above each other one goes first."""
    trail = [ref]
    while (up := above.get(trail[-1])) is not None and up not in trail:
        trail.append(up)
    return ref in above and not (up == ref and ref == min(trail))
