"""The moves between two looks as movements of the link, each at its own instant. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mappings.model import Moved, Ref
from mappings.people import party_of
from sync.merging.merge import Agreed
from sync.sheet import Sheet, is_ours
from sync.speaking.lead import speaking
from sync.state import Item, Movement


@dataclass(frozen=True, slots=True)
class Visit:
    """A stage that was entered on an item, by the move that entered it."""

    stage: str
    item: Item
    moved: Moved


def visits(sheet: Sheet, item: Item, before: str) -> list[Visit]:
    """The stages that an item's moves led the link through from ``before`` on, as far as its side may move it."""
    found: list[Visit] = []
    stages, stage = sheet.setup.stages, before
    for moved in sheet.seen.moves.get(item.ref, ()):
        if is_ours(sheet, item.ref, moved.account):
            continue  # the steps by which we brought it where the link stood
        meant = stages.meanings(item.side, moved.new) if moved.what == "state" else ()
        if not meant or stage in meant:
            continue
        paused = stages.get(meant[0]).paused or stages.get(stage).paused
        if paused or stages.get(stage).decided_by in ("", item.side):
            stage = meant[0]
            found.append(Visit(stage, item, moved))
    return found


def journey(sheet: Sheet, was: Agreed | None, stage: Agreed) -> list[Visit]:
    """The stages on the way from one look to the next, the present one last: those of the item whose word stands, or,
    where the link is back where it was, of whichever item left and came back. Empty where no history tells."""
    if was is None or was.value is None:
        return []
    for item in sheet.present():
        if item.rebuilt or speaking(sheet, item.side) != item.ref:
            continue
        found = visits(sheet, item, str(was.value))
        if found and found[-1].stage == stage.value and (item.side == stage.by or was.value == stage.value):
            return found
    return []


def movement(sheet: Sheet, visit: Visit, was: Agreed, left: str) -> Movement:
    """A stage on the way, named by the agreement it began from and its instant."""
    reopened = sheet.setup.stages.get(left).terminal
    event = f"{'reopened' if reopened else 'stage'}:{was.serial}-{stamp(visit.moved)}:{visit.stage}"
    at, party = min(visit.moved.at, sheet.now), sheet.setup.stages.get(visit.stage).move
    by, author = acted(sheet, visit.item, visit.moved.account)
    return Movement(event, "stage", at, visit.stage, party, by, item=visit.item.key, author=author)


def on_the_way(sheet: Sheet, was: Agreed, found: list[Visit]) -> Iterator[Movement]:
    """The stages that were entered and left between two looks, as movements."""
    left = str(was.value)
    for visit in found:
        yield movement(sheet, visit, was, left)
        left = visit.stage


def assignments(sheet: Sheet, item: Item, stage: str, party: str) -> Iterator[Movement]:
    """Each assignment of an item since the last look; by its record where no history tells."""
    record = sheet.record(item.ref)
    if item.assignee == record.assignee or not item.version:
        return
    told = [moved for moved in sheet.seen.moves.get(item.ref, ()) if moved.what == "assignee"]
    for moved in told or [Moved("assignee", record.updated, record.updated_by, record.assignee)]:
        # what a rule assigned is nobody's doing
        if moved.account not in sheet.setup.automation and not is_ours(sheet, item.ref, moved.account):
            event = f"assignment:{item.ref}:{stamp(moved) if told else record.version}"
            by, author = acted(sheet, item, moved.account)
            yield Movement(event, "assignment", moved.at, stage, party, by, item=item.key, author=author)


def acted(sheet: Sheet, item: Item, account: str) -> tuple[str, str]:
    """The party behind an account and the name of the person."""
    return actor(sheet, item, account), who(sheet, item.ref, account)


def actor(sheet: Sheet, item: Item, account: str) -> str:
    """The party behind an account; automation is none, nor are we."""
    if account in sheet.setup.automation or is_ours(sheet, item.ref, account):
        return ""
    return party_of(sheet.setup.parties, item.side, item.ref.tracker, account)


def who(sheet: Sheet, ref: Ref, account: str) -> str:
    """The name of the person behind an account, as the roster has it, or else the account; nobody where it is ours."""
    if is_ours(sheet, ref, account):
        return ""
    return next((person.name for person in sheet.setup.roster.with_account(account, ref.tracker)), account)


def stamp(moved: Moved) -> int:
    return int(moved.at.timestamp() * 1000)


def order(event: str) -> tuple[int, int]:
    """Where a stage's entry stands among the others: agreement by agreement, those on the way after their start."""
    serial, _, way = event.split(":")[1].partition("-")
    return int(serial), int(way or 0)
