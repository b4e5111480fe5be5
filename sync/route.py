"""Which counterparts to open, and the marks that go before them. Pure."""

from __future__ import annotations

from mappings.banner import creation_key
from mappings.model import Draft, Mark, Native, Record
from mappings.routes import Route
from sync.plan import Action, Adopt, Open
from sync.sheet import Sheet, closed, fingerprint_of, follows, is_terminal, resting
from sync.state import Item
from sync.status import STAGE


def open_routes(sheet: Sheet) -> list[Action]:
    """The counterparts to open. A side that has an item, or a creation on its way, is not opened again; an item that
    is gone is never re-created."""
    openings: list[Action] = []
    taken = {item.side for item in sheet.link.items}
    for route in sheet.setup.routes:
        source = next((i for i in sheet.present() if i.side == route.source and not follows(sheet, i)), None)
        if source is None or route.opens in taken or not may_open(sheet, route, source):
            continue
        opening = opening_of(sheet, route, source)
        if opening is not None:
            openings.append(opening)
            taken.add(route.opens)
    return openings


def undone(sheet: Sheet, route: Route, source: Item) -> bool:
    """Whether the creation was begun and certainly came to nothing for no fault of its own: what was decided is done,
    though the item may have moved on meanwhile."""
    key = creation_key(sheet.setup.instance, route.id, source.ref)
    return any(c.key == key and c.outcome == "failed" for c in sheet.link.creations)


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
    elif not sheet.link.id and sheet.link.old and not young(route, record):
        sheet.aged = True
        sheet.because(about, f"{record.key} was there before Lockstep; a since on the route takes in what is younger")
    else:
        return True
    return False


def over(sheet: Sheet, source: Item) -> bool:
    """Whether nothing is opened from the item any more. One that was itself just opened still opens its own, so that
    a creation that was held up leaves no half of a link behind."""
    born = source.echoes.get(STAGE)
    if sheet.link.id:
        return closed(sheet) and not (born is not None and born.serial == 0)
    return closed(sheet) or is_terminal(sheet.setup.stages, source.side, sheet.record(source.ref).state)


def young(route: Route, record: Record) -> bool:
    return route.since is not None and record.created >= route.since


def opening_of(sheet: Sheet, route: Route, source: Item) -> Open | None:
    """The creation a route calls for, or ``None`` while one is on its way or is held."""
    key = creation_key(sheet.setup.instance, route.id, source.ref)
    begun = next((c for c in sheet.link.creations if c.key == key), None)
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
    draft = Draft(side.create_kind, fields, mark, record.key, record.url, side.create)
    what, fingerprint = f"open {route.id}", fingerprint_of(fields)
    if resting(sheet, source.ref, what, fingerprint):
        return None
    condition = sheet.setup.conditions.get(route.id)
    when = f" ({condition.text})" if condition else ""
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
    )


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
    """An item whose fields for the mark are occupied opens nothing: its counterpart could not be told from a second
    one once the state is lost."""
    return any(what == "mark" for _, what in sheet.holds)


def adopt_marks(sheet: Sheet) -> list[Action]:
    """The mark for every item that does not carry it yet, so that it is followed wherever it goes."""
    marks: list[Action] = []
    for item in sheet.present():
        record = sheet.record(item.ref)
        if record.mark is not None:
            continue
        if record.occupied:
            sheet.hold(
                item.ref,
                "mark",
                f"the fields for Lockstep's mark on {record.key} hold somebody else's text: {record.occupied[:60]!r}",
                "name other fields with mark_fields, or clear them",
            )
        elif not resting(sheet, item.ref, "mark", "mark"):
            mark = Mark(sheet.setup.mark, sheet.link.key)
            marks.append(Adopt(item.ref, item.side, mark, f"{record.key} belongs to a link and carries its mark"))
    return marks
