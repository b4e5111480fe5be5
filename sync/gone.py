"""Items that are not what was decided on: gone, hidden, restored from a backup, or another item under an old id. Pure.

Nothing is created, deleted or reopened because something is absent: it is held with what a person can do, and the rest
of the link goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mappings.model import Record, Ref
from sync.merging.merge import Echo
from sync.merging.status import STAGE, spelled
from sync.setup import Setup
from sync.sheet import Sheet
from sync.state import Item, LinkState, Seen

#: under which an item's absence is held, and a version that went back
ITEM, VERSION = "item", "version"
#: two readings of one item's birth may differ by so much
ROUNDING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Sane:
    """A link and what was seen of it, without what cannot be believed. ``receded`` are the items whose tracker was put
    back to an earlier time, ``doubted`` those of which that is not certain yet, with the instant from which it is, and
    ``strangers`` those whose id another item bears now."""

    link: LinkState
    seen: Seen
    receded: tuple[Ref, ...] = ()
    doubted: tuple[tuple[Ref, datetime], ...] = ()
    strangers: tuple[Ref, ...] = ()


def sane(link: LinkState, seen: Seen, setup: Setup, now: datetime) -> Sane:
    """What may be decided on. An item whose version fell below the one decided on is either shown by something that
    trails its tracker, which passes, or was restored from a backup: then its people changed nothing, what is agreed
    stands, and it is brought up to date like any item that is behind."""
    strangers = tuple(item.ref for item in link.items if is_stranger(link, item, seen.records.get(item.ref)))
    fallen = [i for i in link.items if i.ref not in strangers and fell(link, i, seen.records.get(i.ref))]
    doubted = tuple((i.ref, until) for i in fallen if (until := believed_at(link, i, seen, now)) > now)
    receded = tuple(i.ref for i in fallen if i.ref not in dict(doubted))
    if not fallen and not strangers:
        return Sane(link, seen)
    records = {ref: record for ref, record in seen.records.items() if ref not in dict(doubted)}
    records |= dict.fromkeys(strangers)
    unheard = {*strangers, *dict(doubted)}
    comments = {ref: said for ref, said in seen.comments.items() if ref not in unheard}
    items = tuple(demoted(i, link, seen, setup) if i.ref in receded else i for i in link.items)
    seen = replace(seen, records=records, comments=comments)
    return Sane(replace(link, items=items), seen, receded, doubted, strangers)


def is_stranger(link: LinkState, item: Item, record: Record | None) -> bool:
    """Whether another item bears this one's id: a restored tracker gives the ids of what it forgot out again. One that
    carries our mark was put back by its people, whatever its tracker says of its birth."""
    if not link.id or record is None or record.mark is not None or item.created is None:
        return False
    return record.created - item.created > ROUNDING


def fell(link: LinkState, item: Item, record: Record | None) -> bool:
    return bool(link.id) and record is not None and record.version < max(item.version, item.acked)


def believed_at(link: LinkState, item: Item, seen: Seen, now: datetime) -> datetime:
    """From when on a lower version is no late reading any more."""
    held = next((h for h in link.held if (h.ref, h.what) == (item.ref, VERSION)), None)
    return (held.since if held else now) + seen.facts[item.ref.tracker].grace


def demoted(item: Item, link: LinkState, seen: Seen, setup: Setup) -> Item:
    """The item as one that is behind with everything, and shows what it showed then."""
    record = seen.records[item.ref]
    assert record is not None
    echoes: dict[str, Echo] = {}
    for name, echo in item.echoes.items():
        declared = setup.fields.get(name)
        if name != STAGE and (declared is None or item.side not in declared.natives):
            continue
        shows = spelled(record.state) if declared is None else declared.spelled(item.side, record.fields)
        agreed = link.agreed.get(name)
        echoes[name] = Echo(shows, min(echo.serial, agreed.serial - 1) if agreed else echo.serial)
    return replace(item, echoes=echoes)


def missing(sheet: Sheet, found: Sane) -> None:
    """Holds what is gone, what another item stands in for, and what is not certain yet; tells what was restored."""
    for item in sheet.link.items:
        if item.ref in found.strangers:
            sheet.hold(item.ref, ITEM, *stranger_words(item))
        elif item.ref in sheet.seen.records and sheet.seen.records[item.ref] is None:
            sheet.hold(item.ref, ITEM, *gone_words(sheet, item))
    for ref, until in found.doubted:
        item = sheet.link.item(ref)
        why = f"{ref.tracker} shows an older {item.key} than before: late, or restored from a backup"
        sheet.hold(ref, VERSION, why, f"nothing to do: Lockstep looks again at {until:%H:%M:%S} UTC")
        sheet.waits.append(until)
    for ref in found.receded:
        why = f"{sheet.link.item(ref).key} went back to an earlier version: its tracker was restored from a backup"
        sheet.because(ITEM, f"{why}; what is agreed stands and is written to it again")
    # remembered with the plan: a write that fails leaves a restored item behind, not changed
    receded = [item for item in sheet.link.items if item.ref in found.receded]
    sheet.echoes += [(item.ref, name, echo) for item in receded for name, echo in item.echoes.items()]
    sheet.receded = found.receded
    sheet.unbelieved = (*found.strangers, *dict(found.doubted))


def gone_words(sheet: Sheet, item: Item) -> tuple[str, str]:
    """Why it is held and what to do. No tracker tells a deleted item from a hidden one."""
    opener = " It opened the link." if item.ref == sheet.link.source else ""
    return (
        f"{item.key} is gone from {item.ref.tracker} (deleted, merged, changed to another class) or hidden from "
        f"Lockstep's account.{opener}",
        f"restore it or its permission, and all that was said and done since goes to it; or take it out of the link: "
        f"lockstep unlink {item.key}",
    )


def stranger_words(item: Item) -> tuple[str, str]:
    """Why an item is taken for gone although its id answers, and what to do."""
    return (
        f"{item.key} is gone: {item.ref.tracker} gave its id {item.ref.id} to another item, as after a restored backup",
        f"lockstep unlink {item.key}, then lockstep link the one that takes its place, if there is one",
    )
