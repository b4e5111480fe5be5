"""The stage and the items that follow: what reaches those that do not speak for their side. Pure.

On the side that opened the link every follower is given the link's stages, but for those that their own people closed.
On a work side followers are moved forward only, and never out of a state that ends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mappings.fields import Spelling
from mappings.model import Ref
from sync.joining.join import FOLLOWING
from sync.merging.merge import Agreed, Echo, Spoken, Verdict
from sync.merging.status import STAGE, StatusMeaning, spelled
from sync.sheet import Sheet, is_terminal, key_of, say_once
from sync.speaking.lead import is_final, on_hold, opening_side, over, rank_of, speaking
from sync.state import Item


@dataclass(frozen=True, slots=True)
class Follower:
    """A follower beside the stage that was settled: what it shows, whether that ends it, and whether its people put it
    there since the last look."""

    item: Item
    spelling: Spelling
    ended: bool
    moved: bool
    behind: bool


def follow_stage(sheet: Sheet, meaning: StatusMeaning, verdict: Verdict, items: Iterable[Item]) -> Verdict:
    """The verdict with the followers in it, in step or to be written."""
    echoes, writes, unmapped = list(verdict.echoes), list(verdict.writes), list(verdict.unmapped)
    for item in items:
        one = follower(sheet, item, verdict.agreed)
        if not meaning.meanings(item.side, one.spelling):
            unmapped.append(Spoken(item.ref, item.side, one.spelling, item.echoes.get(STAGE), follows=True))
            continue
        wanted = wanted_of(sheet, meaning, one, verdict.agreed)
        if wanted is not None:
            writes.append((item.ref, wanted))
        echo = echo_of(one, verdict.agreed, kept=wanted is not None)
        if echo != item.echoes.get(STAGE):
            echoes.append((item.ref, echo))
    return replace(verdict, echoes=tuple(echoes), writes=tuple(writes), unmapped=tuple(unmapped))


def follower(sheet: Sheet, item: Item, agreed: Agreed) -> Follower:
    """How an item stands to the stage that was agreed: whether its people moved it, and whether it is behind."""
    state, echo = sheet.record(item.ref).state, item.echoes.get(STAGE)
    moved = echo is not None and spelled(state) not in (echo.spelling, echo.sent)
    behind = echo is not None and echo.serial < agreed.serial
    return Follower(item, spelled(state), is_terminal(sheet.setup.stages, item.side, state), moved, behind)


def echo_of(one: Follower, agreed: Agreed, *, kept: bool) -> Echo:
    """What a follower said last. While it is to be written it stands for no newer agreement than before."""
    echo = one.item.echoes.get(STAGE)
    if not kept:
        return Echo(one.spelling, agreed.serial)
    return replace(echo, serial=min(echo.serial, agreed.serial - 1)) if echo is not None else Echo(one.spelling, 0)


def wanted_of(sheet: Sheet, meaning: StatusMeaning, one: Follower, agreed: Agreed) -> Spelling | None:
    """The state a follower is to be given; ``None`` where it keeps its own."""
    side, stage = one.item.side, str(agreed.value or "")
    if side == opening_side(sheet.link):
        fits = led(sheet, one, agreed)
    elif speaking(sheet, side) == one.item.ref:
        fits = not one.ended  # it came alone of its side into work that stands somewhere
    else:
        fits = not one.ended and advances(sheet, one, stage)
    in_step = agreed.value in meaning.meanings(side, one.spelling)
    return meaning.spelling(side, agreed.value) if fits and not in_step else None


def advances(sheet: Sheet, one: Follower, stage: str) -> bool:
    """Whether the stage would move a work side's follower forward; a pause has no rank."""
    stages, side, state = sheet.setup.stages, one.item.side, str(one.spelling[0][1])
    news = one.behind or (STAGE not in one.item.echoes and one.item.joined in FOLLOWING)
    ranked = not stages.get(stage).paused and not on_hold(stages, side, state)
    return news and ranked and rank_of(stages, side, state) < stages.rank(stage)


def led(sheet: Sheet, one: Follower, agreed: Agreed) -> bool:
    """Whether the stage reaches a follower of the opening side."""
    item, ends = one.item, bool(agreed.value) and sheet.setup.stages.get(str(agreed.value)).terminal
    if one.ended and (item.left or (not ends and (one.moved or STAGE not in item.echoes))):
        leave(sheet, item, gone_their_way=True)
        return False
    if not one.ended and ends and was_ended(sheet, item):
        leave(sheet, item, gone_their_way=False)
        tell_reopened(sheet, item, agreed, "The work stays closed: whoever does it opens it again if it is not done")
        return False
    if not one.ended and ends and not one.behind and STAGE in item.echoes:
        hold_reopened(sheet, item)
        return False
    if item.left:
        leave(sheet, item, gone_their_way=False)
        tell_reopened(sheet, item, agreed, "It is given the work's stages again")
        return True
    return one.behind or (STAGE not in item.echoes and item.joined in FOLLOWING)


def just_came(sheet: Sheet, item: Item) -> bool:
    """Whether an item came into work that had its stage: that is not for a newcomer to say, but to be given."""
    return STAGE in sheet.link.agreed and STAGE not in item.echoes and item.joined in FOLLOWING


def was_ended(sheet: Sheet, item: Item) -> bool:
    """Whether the item stood closed when it was last looked at, so that its people have opened it again."""
    echo = item.echoes.get(STAGE)
    return echo is not None and is_terminal(sheet.setup.stages, item.side, str(echo.spelling[0][1]))


def leave(sheet: Sheet, item: Item, *, gone_their_way: bool) -> None:
    """Notes that an item's own people closed it, or that it is back."""
    if item.left != gone_their_way:
        sheet.left.append((item.ref, gone_their_way))
        said = "was closed by its own people: it is given no more stages" if gone_their_way else "is open again"
        sheet.because(STAGE, f"{key_of(sheet, item.ref)} {said}")


def reopens(sheet: Sheet, item: Item) -> bool:
    """Whether a follower that its people opened again after the work was over speaks for its side: only where a route
    of the link says so."""
    if item.side != opening_side(sheet.link) or not over(sheet) or not was_ended(sheet, item):
        return False
    if is_terminal(sheet.setup.stages, item.side, sheet.record(item.ref).state):
        return False
    there = {one.side for one in sheet.link.items}
    return any(route.reopen and route.source == item.side and route.opens in there for route in sheet.setup.routes)


def tell_reopened(sheet: Sheet, item: Item, agreed: Agreed, what_now: str) -> None:
    """A note for those who do the work: a follower was opened again, and what that means for them."""
    key = key_of(sheet, item.ref)
    text = f"{key}, which follows this work, was opened again by its own people. {what_now}."
    for ref in told_of_it(sheet, item.side):
        id = f"note:{sheet.link.key}:reopened:{agreed.serial}:{item.ref.id}:{sheet.record(item.ref).version}"
        say_once(sheet, id, ref, text)
    if bool(agreed.value) and sheet.setup.stages.get(str(agreed.value)).terminal:
        hold_reopened(sheet, item)


def told_of_it(sheet: Sheet, side: str) -> list[Ref]:
    """The items that speak for the sides that were opened from this one; else for every other side."""
    there = {item.side for item in sheet.present()} - {side}
    opened = {route.opens for route in sheet.setup.routes if route.source == side} & there
    return [ref for other in sorted(opened or there) if (ref := speaking(sheet, other)) is not None]


def hold_reopened(sheet: Sheet, item: Item) -> None:
    """Its people opened it again, and no route opens the work by that."""
    key = key_of(sheet, item.ref)
    reason = f"{key} was opened again by its own people while the work is over; nothing else is opened by that"
    sheet.hold(item.ref, STAGE, reason, f"open the work again by hand, close {key}, or: lockstep split {key}")


def final_ones(sheet: Sheet, verdict: Verdict) -> Verdict:
    """The verdict without the writes that a tracker can only refuse: a state that is never left is named, in a note on
    the item and among what is held, and not tried."""
    stuck = [i for i in sheet.present() if is_final(sheet, i) and kept_from(sheet, verdict, i)]
    over = sheet.setup.stages.get(str(verdict.agreed.value)).terminal
    for item in stuck if not over else ():  # one that ended in another way than its work is over all the same
        hold_final(sheet, verdict, item)
    refs = {item.ref for item in stuck}
    echoes = {ref: echo for ref, echo in verdict.echoes if ref not in refs}
    for item in stuck:
        now = Echo(spelled(sheet.record(item.ref).state), verdict.agreed.serial)
        echoes |= {item.ref: now} if now != item.echoes.get(STAGE) else {}
    writes = tuple((ref, spelling) for ref, spelling in verdict.writes if ref not in refs)
    return replace(verdict, echoes=tuple(echoes.items()), writes=writes)


def kept_from(sheet: Sheet, verdict: Verdict, item: Item) -> bool:
    """Whether an item stands in another state than the one it would be given, now or when the work was opened again."""
    if any(ref == item.ref for ref, _ in verdict.writes):
        return True
    held = any(h.ref == item.ref and h.what == STAGE for h in sheet.link.held)
    return held and not item.left and not sheet.setup.stages.get(str(verdict.agreed.value)).terminal


def hold_final(sheet: Sheet, verdict: Verdict, item: Item) -> None:
    """The work goes on and the item can never be opened again: it is told so once, and held."""
    record, stage = sheet.record(item.ref), sheet.setup.stages.get(str(verdict.agreed.value))
    by = f" by {verdict.agreed.by}" if verdict.agreed.by else ""
    reason = (
        f"{record.key} is {record.state}, which {item.ref.tracker} never lets it leave; the work is in {stage.name}"
    )
    known = any(h.ref == item.ref and h.what == STAGE for h in sheet.link.held)
    sheet.hold(item.ref, STAGE, reason, f"open a new {item.side} that names {record.key}, if one is needed")
    text = f"The work on {record.key} was opened again{by} and is in {stage.name}. {record.key} cannot be opened again."
    if not known:
        say_once(sheet, f"note:{sheet.link.key}:final:{verdict.agreed.serial}", item.ref, text)
