"""Carrying out in the same plan what a rule has just ordered, so that a dry run shows it and guards count it. Pure."""

from __future__ import annotations

from sync.joining.route import open_routes, unmarkable
from sync.merging.agree import merge_status
from sync.merging.status import STAGE
from sync.ordering.give import FIRED
from sync.ordering.stage import moved
from sync.sheet import Sheet


def heed(sheet: Sheet) -> None:
    """The stage that was ordered, and the counterparts to open. A second word on the stage waits for the next look."""
    fresh = [order for order in sheet.orders if order.id.startswith(FIRED)]
    heard = any(order.kind == STAGE and order.id in sheet.fulfilled for order in sheet.link.orders)
    if any(order.kind == STAGE for order in fresh) and not heard:
        was = sheet.agreed.get(STAGE)
        sheet.left.clear()
        merge_status(sheet)
        moved(sheet, was)
    routes = frozenset(order.value for order in fresh if order.kind == "open")
    if routes and not unmarkable(sheet):
        sheet.actions += open_routes(sheet, routes)
