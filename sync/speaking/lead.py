"""Who speaks for a side that has several items in a link, and who follows. Pure.

On the side that opened the link the *lead* speaks: it is remembered, and passes on only when it closes. On a work side
the least advanced open item speaks; when none is open, the one furthest done; removed ones only if all are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mappings.model import Ref
from mappings.stages import StageMap
from sync.merging.merge import Echo
from sync.merging.status import STAGE, STATE, spelled
from sync.sheet import Sheet, is_ours, is_terminal
from sync.state import Item, LinkState


def follows(sheet: Sheet, item: Item) -> bool:
    """Whether another item speaks for this one's side."""
    return speaking(sheet, item.side) != item.ref


def speaking(sheet: Sheet, side: str) -> Ref | None:
    """The item that stands for a side; ``None`` where none can be seen."""
    if side not in sheet.speakers:
        opening = side == opening_side(sheet.link)
        sheet.speakers[side] = (
            lead(sheet, side) if opening else bearer(sheet.setup.stages, side, states_of(sheet, side))
        )
    return sheet.speakers[side]


def opening_side(link: LinkState) -> str:
    """The side that opened the link."""
    opener = next((i for i in link.items if i.ref == link.source), None) or next(iter(link.items), None)
    return opener.side if opener else ""


def crowded(sheet: Sheet, side: str) -> bool:
    """Whether a side has several items that are there."""
    return sum(item.side == side for item in sheet.present()) > 1


def sides_echo(sheet: Sheet, item: Item) -> Echo | None:
    """The echo of the state of the item that speaks. A work side of several items changed when its *word* did: what it
    was is told by the item that spoke before."""
    own = half_way(sheet, item)
    if own is None or item.side == opening_side(sheet.link) or not crowded(sheet, item.side):
        return own
    echoes = {i.ref: i.echoes[STAGE] for i in sheet.present() if i.side == item.side and STAGE in i.echoes}
    was = bearer(sheet.setup.stages, item.side, {ref: str(echo.spelling[0][1]) for ref, echo in echoes.items()})
    return own if was is None else replace(own, spelling=echoes[was].spelling)


def half_way(sheet: Sheet, item: Item) -> Echo | None:
    """The echo of an item's own state. Where a move of ours was begun and not answered, and nobody else wrote or moved
    it since, what the item shows is a step on its way."""
    echo, record, facts = item.echoes.get(STAGE), sheet.record(item.ref), sheet.seen.facts.get(item.ref.tracker)
    if echo is None or echo.sent is None or facts is None or not facts.updater:
        return echo
    moved = [one for one in sheet.seen.moves.get(item.ref, ()) if one.what == STATE]
    mine = record.updated_by == facts.updater and (not moved or is_ours(sheet, item.ref, moved[-1].account))
    return replace(echo, sent=spelled(record.state)) if mine else echo


def states_of(sheet: Sheet, side: str) -> dict[Ref, str]:
    """What the items of a side show now. One that has just come is heard once it stands where its link does."""
    items = [item for item in sheet.present() if item.side == side]
    known = [item for item in items if STAGE in item.echoes] or items
    return {item.ref: sheet.record(item.ref).state for item in known}


# ── The side that opened the link ────────────────────────────────────────────────────────────────────────────────


def lead(sheet: Sheet, side: str) -> Ref | None:
    """The remembered lead while it is open, or while nobody else is; then the oldest open item. One that was not read
    this time keeps its place, and nobody speaks in its stead."""
    holder = sheet.link.lead or sheet.link.source
    items = [item for item in sheet.present() if item.side == side]
    keeps = next((item for item in items if item.ref == holder), None)
    if any(i.ref == holder and not i.gone for i in sheet.link.items) and holder not in sheet.seen.records:
        return holder
    if keeps is not None and (over(sheet) or is_open(sheet, keeps)):
        return holder
    heirs = [item for item in items if is_open(sheet, item)]
    if keeps is not None and not heirs:
        return holder
    oldest = sorted(heirs or items, key=lambda item: (sheet.record(item.ref).created, item.ref))
    return oldest[0].ref if oldest else None


def new_lead(sheet: Sheet) -> Ref | None:
    """The item that leads from now on; ``None`` where the lead stays who it was."""
    side, holder = opening_side(sheet.link), sheet.link.lead or sheet.link.source
    ref = speaking(sheet, side)
    if ref is None or ref == holder:
        return None
    sheet.because(STAGE, f"{sheet.link.item(ref).key} speaks for {side} from now on: the one before is closed or gone")
    return ref


def is_open(sheet: Sheet, item: Item) -> bool:
    """Whether an item is worked on, or about to be: one that is to be opened again with its link counts as open."""
    state = sheet.record(item.ref).state
    return not is_terminal(sheet.setup.stages, item.side, state) or to_be_reopened(sheet, item)


def to_be_reopened(sheet: Sheet, item: Item) -> bool:
    """Whether an item still stands where it was closed together with a link that has been opened again since."""
    echo, agreed = item.echoes.get(STAGE), sheet.link.agreed.get(STAGE)
    state = sheet.record(item.ref).state
    if echo is None or agreed is None or item.left or not 0 <= echo.serial < agreed.serial:
        return False
    return echo.spelling == spelled(state) and not is_final(sheet, item)


def is_final(sheet: Sheet, item: Item) -> bool:
    """Whether the item stands in a state that its tracker never lets it leave."""
    facts = sheet.seen.facts.get(item.ref.tracker)
    return facts is not None and sheet.record(item.ref).state in facts.final.get(item.side, frozenset())


def over(sheet: Sheet) -> bool:
    """Whether the work had ended when it was last agreed on."""
    agreed = sheet.link.agreed.get(STAGE)
    return agreed is not None and bool(agreed.value) and sheet.setup.stages.get(str(agreed.value)).terminal


# ── Work sides ───────────────────────────────────────────────────────────────────────────────────────────────────


def bearer(stages: StageMap, side: str, states: Mapping[Ref, str]) -> Ref | None:
    """The item that speaks for a work side, by what each shows. Those on hold speak only where all open ones are."""
    working = [ref for ref, state in states.items() if not is_terminal(stages, side, state)]
    if working:
        return min(working, key=lambda ref: (on_hold(stages, side, states[ref]), rank_of(stages, side, states[ref])))
    done = [ref for ref, state in states.items() if not is_removed(stages, side, state)]
    return max(done or states, key=lambda ref: rank_of(stages, side, states[ref]), default=None)


def rank_of(stages: StageMap, side: str, state: str) -> int:
    """How far a state is; the least of the stages it may mean, 0 where it means none."""
    return min((stages.rank(id) for id in stages.meanings(side, state)), default=0)


def on_hold(stages: StageMap, side: str, state: str) -> bool:
    """Whether a state can mean nothing but a paused stage."""
    meant = stages.meanings(side, state)
    return bool(meant) and all(stages.get(id).paused for id in meant)


def is_removed(stages: StageMap, side: str, state: str) -> bool:
    """Whether a state can mean nothing but a stage of removed items."""
    meant = stages.meanings(side, state)
    return bool(meant) and all(stages.get(id).removed for id in meant)
