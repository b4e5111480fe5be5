"""Giving an order: it is committed with the firing, or with the opening, that gave it, before anything is sent, and
kept until it is carried out or people have had their say. So it is carried out once, whatever dies in between. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.routes import Route
from sync.merging.merge import Agreed
from sync.merging.status import STAGE
from sync.plan import Open
from sync.setup import Setup, Step
from sync.sheet import Sheet, closed
from sync.state import Item, Order

#: how the ids of orders begin that a firing gave
FIRED = "fire:"
#: what an order to open remembers of work that was over when it was given
OVER = "over"


def give(sheet: Sheet, step: Step, key: str, why: str) -> None:
    """The orders of a step that fires; ``key`` names the firing for good."""
    route = route_called(sheet.setup, step.open)
    if route is not None:
        take(sheet, Order(f"{key}:open", "open", route.opens, route.id, why, was=OVER if closed(sheet) else ""))
    if STAGE in step.set:
        stands = sheet.agreed.get(STAGE, Agreed(None, 0))
        take(sheet, Order(f"{key}:stage", STAGE, "", str(step.set[STAGE]), why, was=str(stands.serial)))
    if step.assign is not None:
        take(sheet, Order(f"{key}:assign", "assign", step.assign.side, step.assign.to, why))


def relate(sheet: Sheet, route: Route, source: Item, why: str) -> None:
    """That the source is to name what the route opens."""
    if route.relate:
        id = f"relate:{route.id}:{source.ref}"
        take(sheet, Order(id, "relate", route.source, route.id, why, source.ref))


def take(sheet: Sheet, order: Order) -> None:
    """Takes an order that is not there yet."""
    if all(one.id != order.id for one in (*sheet.link.orders, *sheet.orders)):
        sheet.orders.append(order)


def pending(sheet: Sheet, *kinds: str) -> Iterator[Order]:
    """The orders of these kinds that wait, as they are known by now."""
    known = {order.id: order for order in (*sheet.link.orders, *sheet.orders)}
    for order in known.values():
        if order.kind in kinds and order.id not in sheet.fulfilled:
            yield order


def fulfil(sheet: Sheet, order: Order, why: str = "") -> None:
    """The order needs nothing more."""
    sheet.fulfilled.append(order.id)
    if why:
        sheet.because(order.kind, why)


def know(sheet: Sheet, order: Order) -> None:
    """The order as it is known better now."""
    sheet.orders.append(order)


def learned(sheet: Sheet) -> tuple[Order, ...]:
    """The orders that the state is to keep, each as it is known last."""
    return tuple({order.id: order for order in sheet.orders}.values())


def coming(sheet: Sheet, side: str) -> bool:
    """Whether an item of that side is about to be opened."""
    routes = {route.id for route in sheet.setup.routes if route.opens == side}
    on_its_way = any(c.route in routes and c.outcome in ("", "unsure") for c in sheet.link.creations)
    opening = any(isinstance(action, Open) and action.side == side for action in sheet.actions)
    return on_its_way or opening or any(order.side == side for order in pending(sheet, "open"))


def route_called(setup: Setup, id: str) -> Route | None:
    """The route of that id; ``None`` where there is none (any more)."""
    return next((route for route in setup.routes if id and route.id == id), None)
