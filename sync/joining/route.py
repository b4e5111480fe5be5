"""Which counterparts to open, and the marks that go before them. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from mappings.banner import creation_key
from mappings.model import MARKS, Draft, Mark, Native, Record
from mappings.routes import Route
from sync.joining.join import FOLLOWING, SPLIT, last_seen
from sync.joining.match import asked, counterpart, pair
from sync.merging.status import STAGE
from sync.ordering.give import OVER, fulfil, pending, relate, route_called
from sync.plan import Action, Adopt, Open
from sync.sheet import Sheet, closed, fingerprint_of, is_terminal, resting
from sync.speaking.gate import waits
from sync.speaking.lead import follows, opening_side
from sync.state import Creation, Item, Order

#: stands for "all of it is carried"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def open_routes(sheet: Sheet, only: Collection[str] = ()) -> list[Action]:
    """The counterparts to open; those that people made are paired with instead, and noted as joining. A side that has
    an item, or a creation on its way, is not opened again; an item that is gone is never re-created. What a rule
    ordered comes first, whatever the route's condition. ``only`` are the routes that it has ordered just now: those
    that find a counterpart wait for the next look."""
    openings: list[Action] = []
    taken = {item.side for item in sheet.link.items}
    taken |= {action.side for action in sheet.actions if isinstance(action, Open)}
    ordered = called(sheet)
    for route in sorted(sheet.setup.routes, key=lambda route: route.id not in ordered):
        source = source_of(sheet, route)
        if source is None or route.follows or route.opens in taken or (only and route.id not in only):
            continue
        order = ordered.get(route.id)
        if order is None and (route.by or not may_open(sheet, route, source)):
            sheet.unfit.add(route.id)
            continue
        alone = order is None and left_alone(sheet, route, source)
        found = counterpart(sheet, route, source)
        if found.unclear or (alone and asked(sheet, route, source, found.one)):
            taken.add(route.opens)
            continue
        if found.one is not None:
            taken.add(route.opens)
            if only:
                sheet.waits.append(sheet.now)
            else:
                pair(sheet, route, source, found.one)
            continue
        if not settled_before(sheet, route, source) and waits(sheet, route, source):
            continue
        opening = opening_of(sheet, route, source, order.reason if order else "")
        if opening is not None:
            openings.append(opening)
            taken.add(route.opens)
            relate(sheet, route, source, opening.reason)
    return openings


def source_of(sheet: Sheet, route: Route) -> Item | None:
    """The item that a route opens from: the one that speaks for its side."""
    return next((i for i in sheet.present() if i.side == route.source and not follows(sheet, i)), None)


def called(sheet: Sheet) -> dict[str, Order]:
    """The routes that a rule ordered to open and that have not opened yet. Where there is a counterpart nothing is
    opened, nor where the work ended meanwhile."""
    there = {item.side for item in sheet.link.items}
    found: dict[str, Order] = {}
    for order in list(pending(sheet, "open")):
        route = route_called(sheet.setup, order.value)
        if route is None or route.opens in there or opened_before(sheet, route):
            fulfil(sheet, order)
        elif route.source not in there:
            fulfil(sheet, order, f"there is no {route.source} that route {route.id} could open from: {order.reason}")
        elif closed(sheet) and order.was != OVER:
            fulfil(sheet, order, f"route {route.id} opens nothing any more, the work is over: {order.reason}")
        else:
            found[route.id] = order
    return found


def opened_before(sheet: Sheet, route: Route) -> bool:
    """Whether the route opened from its source once, wherever that item is now."""
    source = source_of(sheet, route)
    if source is None:
        return False
    made = standing_creation(sheet, route, source, creation_key(sheet.setup.instance, route.id, source.ref))
    return made is not None and made.outcome == "done"


def undone(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether the creation was begun and certainly came to nothing for no fault of its own: what was decided is done,
    though the item may have moved on meanwhile."""
    key = creation_key(sheet.setup.instance, route.id, source.ref)
    return any(c.key == key and c.outcome == "failed" for c in sheet.link.creations)


def settled_before(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether the creation was decided before: it is there, on its way, or undone. No gate stands before it then."""
    made = standing_creation(sheet, route, source, creation_key(sheet.setup.instance, route.id, source.ref))
    stands = made is not None and made.outcome in ("", "unsure", "done")
    return stands or undone(sheet, route, source)


def may_open(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether the route applies to its source now, noting why not."""
    record = sheet.record(source.ref)
    condition = sheet.setup.conditions.get(route.id)
    about = f"route {route.id}"
    if undone(sheet, route, source):
        return True
    if not record.in_scope and not sheet.link.id:
        sheet.because(about, f"{record.key} is outside the scope of {source.side}")
    elif over(sheet, source):
        sheet.because(about, f"{record.key} is closed")
    elif STAGE in {h for _, h in sheet.holds} and STAGE not in sheet.agreed:
        sheet.because(about, f"the state of {record.key} is not mapped")
    elif condition is not None and not condition.holds(sheet.values()):
        sheet.because(about, condition.reason(sheet.values()))
    else:
        return True
    return False


def left_alone(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether the item was there before Lockstep, so that the route acts on it by a person's word only."""
    record = sheet.record(source.ref)
    if route.id in sheet.link.aside and not undone(sheet, route, source):
        sheet.because(f"route {route.id}", f"{record.key} fitted it when the route came into force")
        return True
    if sheet.link.id or not sheet.link.old or young(route, record) or undone(sheet, route, source):
        return False
    sheet.aged = True
    why = f"{record.key} was there before Lockstep; a since on the route takes in what is younger"
    sheet.because(f"route {route.id}", why)
    return True


def over(sheet: Sheet, source: Item) -> bool:
    """Whether nothing is opened from the item any more. One that was itself just opened still opens its own, so that
    a creation that was held up leaves no half of a link behind."""
    born = source.echoes.get(STAGE)
    if sheet.link.id:
        return closed(sheet) and not (born is not None and born.serial == 0)
    return closed(sheet) or is_terminal(sheet.setup.stages, source.side, sheet.record(source.ref).state)


def young(route: Route, record: Record) -> bool:
    return route.since is not None and record.created >= route.since


def opening_of(sheet: Sheet, route: Route, source: Item, ordered: str = "") -> Open | None:
    """The creation a route calls for, or ``None`` while one is on its way or is held. ``ordered`` is why a rule wants
    it."""
    key = creation_key(sheet.setup.instance, route.id, source.ref)
    begun = standing_creation(sheet, route, source, key)
    side = sheet.setup.sides[route.opens]
    if begun and begun.outcome in ("", "unsure"):
        sheet.waits.append(begun.at + sheet.seen.facts[side.tracker].grace)
    if begun and begun.outcome in ("", "unsure", "done"):
        return None
    if source.ref in sheet.seen.unheard:
        sheet.because(f"route {route.id}", f"the discussion of {source.key} could not be read yet")
        return None
    record = sheet.record(source.ref)
    fields, serials = first_fields(sheet, route.opens)
    at = max((c.created for c in sheet.seen.comments.get(source.ref, ())), default=record.updated)
    mark = Mark(sheet.setup.mark, sheet.link.key, key, max(at, record.updated).strftime("%Y%m%d%H%M%S"))
    draft = Draft(side.create_kind, fields, mark, record.key, record.url, {**side.create, **route.create})
    if resting(sheet, source.ref, f"open {route.id}", fingerprint_of({**draft.extra, **fields})):
        return None
    condition = sheet.setup.conditions.get(route.id)
    why = ordered or (condition.text if condition else "")
    when = f" ({why})" if why else ""
    rebuilt = source.rebuilt and source.mark is not None and begun is None
    return Open(
        route.id,
        source.ref,
        route.opens,
        draft,
        serials,
        route.history,
        f"route {route.id}{when} opens from {record.key}",
        rebuilt,
        tasks=len(route.tasks.titles) if route.tasks else 0,
    )


def standing_creation(sheet: Sheet, route: Route, source: Item, key: str) -> Creation | None:
    """The creation that an opening waits for, or that stands for it: its own, one of that side that is on its way from
    whichever item, and on the side that opened the link the one of the item that led before."""
    creations = sheet.link.creations
    own = next((c for c in creations if c.key == key), None)
    to_side = {one.id for one in sheet.setup.routes if one.opens == route.opens}
    coming = next((c for c in creations if c.route in to_side and c.outcome in ("", "unsure")), None)
    made = [c for c in creations if (c.route, c.outcome) == (route.id, "done")]
    leads = source.side == opening_side(sheet.link)
    return coming or (own if own or not leads else next(iter(made), None))


def first_fields(sheet: Sheet, side: str) -> tuple[dict[str, Native], dict[str, int]]:
    """What a new item is born with: every agreed value that its side can spell."""
    fields: dict[str, Native] = {}
    serials: dict[str, int] = {}
    for declared in sheet.setup.fields.values():
        agreed = sheet.agreed.get(declared.name)
        if side not in declared.natives or agreed is None or agreed.value in (None, ()):
            continue
        spelling = declared.spelling(side, agreed.value)
        if spelling is not None:
            fields.update(spelling)
            serials[declared.name] = agreed.serial
    return fields, serials


def unmarkable(sheet: Sheet) -> bool:
    """An item that cannot be marked opens nothing: its counterpart could not be told from a second one once the state
    is lost. Where the mark is tried again now, what is opened waits for its success."""
    tried = {action.ref for action in sheet.actions if isinstance(action, Adopt)}
    return any(what == "mark" and ref not in tried for ref, what in sheet.holds)


def adopt_marks(sheet: Sheet) -> list[Action]:
    """The mark for every item that does not carry it yet, so that it is followed wherever it goes, and for one from
    which people took the key of its creation: without it a lost state would have it opened a second time."""
    marks: list[Action] = []
    for item in sheet.present():
        record = sheet.record(item.ref)
        made = made_by(sheet, item, record)
        if record.mark is not None and record.mark.made == made and not astray(sheet, item, record.mark):
            continue
        if record.occupied:
            sheet.hold(item.ref, "mark", *occupied_words(record))
        elif not resting(sheet, item.ref, "mark", "mark"):
            mark = Mark(sheet.setup.mark, sheet.link.key, made, came_by(sheet, item))
            marks.append(Adopt(item.ref, item.side, mark, f"{record.key} belongs to a link and carries its mark"))
    return marks


def occupied_words(record: Record) -> tuple[str, str]:
    """Why an item cannot be marked, and what to do. Another instance's mark is never taken for ours."""
    if record.occupied.startswith(MARKS):
        other = record.occupied.removeprefix(MARKS).split()[0]
        return (
            f"{record.key} carries the mark of another Lockstep instance, {other}: its tracker is a copy of the one "
            f"that {other} works on, or both work on it",
            "in a copied tracker clear the marks of the original; where both instances are to work on it, name other "
            "fields for ours: mark_fields of the tracker or keys_field of the side",
        )
    return (
        f"the fields for Lockstep's mark on {record.key} hold somebody else's text: {record.occupied[:60]!r}",
        "name other fields with mark_fields or keys_field, or clear them",
    )


def astray(sheet: Sheet, item: Item, mark: Mark) -> bool:
    """Whether the keys name another link than the one that the item was put into since."""
    return item.joined in (*FOLLOWING, SPLIT) and mark.link not in ("", sheet.link.key)


def made_by(sheet: Sheet, item: Item, record: Record) -> str:
    """The creation key stays with an item, whatever link it is in. Where people took it off, it is known here which one
    was opened for the link on the item's side: if that is one, and the item did not come otherwise."""
    if record.mark and record.mark.made:
        return record.mark.made
    if item.joined or item.ref == sheet.link.source:
        return ""
    opening = {route.id for route in sheet.setup.routes if route.opens == item.side}
    born = [creation.key for creation in sheet.link.creations if creation.route in opening]
    peers = [one for one in sheet.link.items if one.side == item.side]
    return born[0] if len(born) == len(peers) == 1 else ""


def came_by(sheet: Sheet, item: Item) -> str:
    """What the mark of an item that joined says of when it did: after the state was lost, comments up to then are
    history. Empty for one that opened the link, or that was opened."""
    if not item.joined or item.joined.startswith("opened"):
        return ""
    seen = max(last_seen(sheet.seen, one.ref) for one in sheet.present())
    return (seen if item.came is not None else LONG_AGO).strftime("%Y%m%d%H%M%S")
