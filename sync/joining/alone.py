"""Items that are followed alone: a route that opens nothing gives them a link of their own, so that rules, gates and
clocks count for them before there is a counterpart. Pure."""

from __future__ import annotations

from mappings.routes import Route
from sync.joining.join import barred, joins, links_of, may_join, sorted_out
from sync.joining.match import asked
from sync.joining.route import left_alone, may_open
from sync.sheet import Sheet
from sync.state import Item, LinkState


def followed(sheet: Sheet) -> str:
    """The route by which an item that no link holds gets one of its own; empty where there is none. One that was
    there before Lockstep waits for a person, as before every route."""
    item = sheet.link.items[0]
    if sheet.link.id:
        note_alone(sheet, item)
        return ""
    if sheet.seen.records.get(item.ref) is None:
        return ""
    return next((route.id for route in sheet.setup.routes if takes(sheet, route, item)), "")


def lone(link: LinkState) -> bool:
    """Whether a link has one item and never opened anything, so that it may give way to another one."""
    return bool(link.id) and len(link.items) == 1 and not link.creations


def gives_way(sheet: Sheet) -> bool:
    """Whether an item that was followed alone joins the link of its parent or problem, which it was given later: its
    own link ends then. Links with more in them never merge, and one that was found again by its mark stays: a person
    may have split it off."""
    item = sheet.link.items[0] if lone(sheet.link) else None
    if item is None or item.rebuilt:
        return False
    ties = [tie for tie in sheet.seen.ties.get(item.ref, ()) if tie.link not in (0, sheet.link.id)]
    strong, _, _ = sorted_out(sheet, [tie for tie in ties if tie.kind != "match" and not barred(sheet, tie)])
    if len(links_of(strong)) != 1 or not may_join(sheet, item):
        return False
    joins(sheet, item, strong[0])
    return bool(sheet.joins)


def takes(sheet: Sheet, route: Route, item: Item) -> bool:
    """Whether a route follows the item now, noting why not."""
    if not route.follows or route.source != item.side:
        return False
    if not may_open(sheet, route, item):
        sheet.unfit.add(route.id)
        return False
    if left_alone(sheet, route, item) and asked(sheet, route, item, None):
        return False
    because(sheet, route, item)
    return True


def note_alone(sheet: Sheet, item: Item) -> None:
    """Says of a link of one item by which route it is followed."""
    route = next((one for one in sheet.setup.routes if one.follows and one.id == sheet.link.route), None)
    if route is not None and len(sheet.link.items) == 1:
        because(sheet, route, item)


def because(sheet: Sheet, route: Route, item: Item) -> None:
    sheet.because(f"route {route.id}", f"{item.key} is followed alone: it has a link of its own, without a counterpart")
