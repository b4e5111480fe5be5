"""Tasks below what a route opened. They are promised in the very commit that takes the new item in, so that each is
made once: a promise is a creation of that key which has not happened yet. Without one nothing is made, however few
tasks there are: people may have deleted them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.banner import creation_key
from mappings.fields import Common
from mappings.model import Draft, Mark
from mappings.routes import Route, Tasks, task_of
from mappings.templates import Template
from sync.merging.status import STAGE
from sync.plan import Open
from sync.sheet import Sheet, fingerprint_of, is_terminal, resting
from sync.state import Creation, Item


def open_tasks(sheet: Sheet) -> list[Open]:
    """The tasks that are promised and not made yet."""
    promised = {creation.key: creation for creation in sheet.link.creations}
    return [opening for route in sheet.setup.routes for opening in of_route(sheet, route, promised)]


def of_route(sheet: Sheet, route: Route, promised: dict[str, Creation]) -> Iterator[Open]:
    """Those below each open item of the route's side that can be seen now."""
    tasks = route.tasks
    if tasks is None or tasks.side not in sheet.setup.sides:
        return
    for item in sheet.present():
        if item.side != route.opens or is_terminal(sheet.setup.stages, item.side, sheet.record(item.ref).state):
            continue
        for place in range(1, len(tasks.titles) + 1):
            key = creation_key(sheet.setup.instance, task_of(route.id, place), item.ref)
            if key in promised and due(sheet, tasks, promised[key]):
                opening = opening_of(sheet, route, tasks, item, place, key)
                if not resting(sheet, item.ref, f"open {opening.begun_as}", fingerprint_of(opening.given)):
                    yield opening


def due(sheet: Sheet, tasks: Tasks, creation: Creation) -> bool:
    """Whether a task is to be made now; one whose answer was lost is looked for first."""
    if creation.outcome in ("", "unsure"):
        sheet.waits.append(creation.at + sheet.seen.facts[sheet.setup.sides[tasks.side].tracker].grace)
    return creation.outcome not in ("", "unsure", "done")


def opening_of(sheet: Sheet, route: Route, tasks: Tasks, item: Item, place: int, key: str) -> Open:
    side, record = sheet.setup.sides[tasks.side], sheet.record(item.ref)
    title = " ".join(Template(tasks.titles[place - 1]).render(words_of(sheet)).split())
    fields = {sheet.seen.facts[side.tracker].title: title}
    mark = Mark(side.scope.mark or sheet.setup.mark, sheet.link.key, key)
    draft = Draft(side.create_kind, fields, mark, record.key, record.url, side.create, item.ref)
    reason = f"route {route.id} opened {record.key} with this task"
    return Open(route.id, item.ref, side.name, draft, {}, False, reason, task=place)


def words_of(sheet: Sheet) -> dict[str, Common]:
    """What a title may name beside the declared fields: the stage's name, and each side's item key."""
    stage = sheet.agreed.get(STAGE)
    words: dict[str, Common] = {**sheet.values(), **dict.fromkeys(sheet.setup.sides, "")}
    words |= {item.side: item.key for item in reversed(sheet.link.items)}
    return {**words, STAGE: sheet.setup.stages.get(str(stage.value)).name if stage and stage.value else ""}
