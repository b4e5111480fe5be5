"""The plan of an item that no link holds and that opens none: what it joins, what waits for a person, and the mark that
it loses where a person took it out of its link. Pure."""

from __future__ import annotations

from sync.joining.join import JOIN
from sync.plan import Plan, Settlement, Unmark
from sync.sheet import Sheet, title
from sync.state import DEFECT, UNHEARD, UNREAD, Held

#: what may be held of an item that no link holds
WAITING = (JOIN, "match")


def loose(sheet: Sheet) -> Plan:
    """The plan, which makes no link. What was held and is no more is released."""
    link = sheet.link
    holds = {key: held for key, held in sheet.holds.items() if held.what in WAITING}
    gone = tuple((h.ref, h.what) for h in link.held if passed(sheet, h) and (h.ref, h.what) not in holds)
    settlement = Settlement(
        holds=tuple(held for held in holds.values() if held not in link.held),
        releases=gone if link.source in sheet.seen.records else (),
        joins=tuple(sheet.joins),
        tells=tuple(sheet.tells),
        aside=sheet.aside(),
    )
    return Plan(
        0,
        link.key,
        title(sheet),
        actions=tuple(unmarks(sheet)),
        settlement=settlement,
        reasons=tuple(sheet.reasons),
        values=sheet.values(),
        aged=sheet.aged,
        keys={str(item.ref): item.key for item in link.items},
        proposals=tuple(sheet.proposals),
        pending=sheet.pending,
        loose=True,
    )


def passed(sheet: Sheet, held: Held) -> bool:
    """Whether something that is held of it could be judged anew now."""
    return held.what in (*WAITING, DEFECT, UNREAD) or (held.what == UNHEARD and held.ref in sheet.seen.comments)


def unmarks(sheet: Sheet) -> list[Unmark]:
    """Our mark on an item that was unlinked: it goes, and everything else stays as it is."""
    return [
        Unmark(item.ref, item.side, record.mark, f"{record.key} was taken out of its link")
        for item in sheet.present()
        if sheet.link.barred and (record := sheet.record(item.ref)).mark is not None
    ]


def something(plan: Plan) -> bool:
    """Whether an item's plan is worth carrying out though no link holds it."""
    settled = plan.settlement
    return bool(plan.actions or settled.holds or settled.joins or settled.releases or settled.tells)
