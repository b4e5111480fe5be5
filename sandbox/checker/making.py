"""Items and links that were made: each once, for somebody's word, and for nothing that was merely absent."""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.checker.evidence import DOUBLED, LOST, PHANTOM, RESURRECTED, Finding
from sandbox.checker.items import Item, World
from sandbox.checker.shown import name_of

#: one condition of a route that can be read without the bot's own code
_TERM = re.compile(r'^\s*(\w+)\s*==\s*"([^"]*)"\s*$')


def check_making(world: World) -> Iterator[Finding]:
    yield from made_twice(world)
    yield from made_for_nobody(world)
    yield from linked_twice(world)
    yield from brought_back(world)
    yield from never_made(world)


def made_twice(world: World) -> Iterator[Finding]:
    """Two items opened for one source by one route, or on one side of one link. The second is resurrected where the
    first was gone."""
    made: dict[str | tuple[str, str], list[Item]] = defaultdict(list)
    for item in (one for one in world.items if one.made and one.ours):
        made[item.made].append(item)
        if item.link:
            made[item.link, item.side].append(item)
    for items in made.values():
        first, *others = sorted(items, key=lambda item: item.born)
        for item in others:
            gone = any(one.since < item.born for one in first.away)
            kind = RESURRECTED if gone else DOUBLED
            why = " after that was gone" if gone else ""
            text = f"{item.name} was opened at {item.born:%H:%M:%S} for what {first.name} was opened for{why}"
            yield Finding(kind, name_of(world.links[item.link] or [item]), text)
    yield from made_anew(world)


def made_anew(world: World) -> Iterator[Finding]:
    """A counterpart opened for what had one that has left nothing behind."""
    gone = {place: acts for place, acts in world.vanished.items() if any(a.kind == "delete" for a in acts)}
    for (side, _), acts in gone.items():
        deleted = max(act.at for act in acts if act.kind == "delete")
        first = min(act.at for act in acts)
        for item in world.items:
            source = min(world.links.get(item.link, [item]), key=lambda one: one.born)
            eligible_before = source.born < first and item.side == side and item.ours and source is not item
            if eligible_before and item.born > deleted and alone_before(world, source, side, deleted):
                text = f"{item.name} was opened at {item.born:%H:%M:%S}, when one like it had been deleted"
                yield Finding(RESURRECTED, name_of(world.links[item.link]), f"{text} at {deleted:%H:%M:%S}")


def alone_before(world: World, source: Item, side: str, deleted: Any) -> bool:
    """Whether every item that could have had the deleted one for its counterpart is this one: then it was its own."""
    rivals = [
        item for item in world.items
        if item.side == source.side and item.born < deleted and not any(
            one.side == side and one.born < deleted for one in world.links.get(item.link, ()))
    ]  # fmt: skip
    return rivals == [source]


def made_for_nobody(world: World) -> Iterator[Finding]:
    """Items of the bot's that no source stands behind, or that bear half a mark."""
    for item in world.items:
        others = [one for one in world.links.get(item.link, ()) if one is not item]
        if item.ours and not others and not world.vanished:
            yield Finding(PHANTOM, item.name, f"{item.name} was opened by the bot, and belongs to no other item")


def linked_twice(world: World) -> Iterator[Finding]:
    """Two remote links, or two hyperlinks, to one place."""
    for item in world.items:
        for place, count in Counter(targets(world, item)).items():
            if count > 1:
                yield Finding(DOUBLED, item.name, f"{item.name} has {count} links to {place}")


def targets(world: World, item: Item) -> Sequence[str]:
    if item.side == "defect":
        return [str(one["url"]) for one in world.estate.jira.links(item.id)]
    if item.side == "pbi":
        return [one["url"] for one in world.estate.azure.relations(item.id) if one["rel"] == "Hyperlink"]
    return ()


def brought_back(world: World) -> Iterator[Finding]:
    """Items that the bot itself took out of a recycle bin: gone by a person's act, there without one."""
    for item in world.items:
        acts = [act for act in world.acts[item.side, item.id] if act.kind in ("delete", "undelete")]
        if acts and acts[-1].kind == "delete" and world.seen(item.side, item.id):
            text = f"{acts[-1].by} deleted {item.name} at {acts[-1].at:%H:%M:%S}, and it is there again"
            yield Finding(RESURRECTED, item.name, text)


def never_made(world: World) -> Iterator[Finding]:
    """Items that a route calls for, or called for when they were last at rest, without their counterpart."""
    file = tomllib.loads(world.evidence.file)
    held = {(one.side, one.item) for one in world.evidence.held}
    for route in file.get("routes", ()):
        for item in world.items:
            linked = world.links.get(item.link, ()) if item.link else ()
            if item.side != route["from"] or any(one.side == route["open"] for one in linked) or world.vanished:
                continue
            if item.there and (item.side, item.id) not in held and not item.away and called(world, file, route, item):
                text = f"{item.name} is what route {route['id']} opens a {route['open']} for, and it has none"
                yield Finding(LOST, item.name, text)


def called(world: World, file: Mapping[str, Any], route: Mapping[str, Any], item: Item) -> bool:
    """Whether an item is in scope, its work is not over, and what the route asks holds, as far as that can be read."""
    ends = {value for measure in world.meanings.measures for value in measure.over}
    if any(holds(world, file, item, {}, "stage", value) for value in ends):
        return False
    now = world.histories.now(item.side, item.id)
    scope = file["sides"][item.side].get("scope", {})
    if any(str(world.histories.tracker(item.side).item(item.id).get(name)) not in map(str, values)
           for name, values in scope.items()):  # fmt: skip
        return False
    for term in str(route.get("when", "")).split("&&"):
        found = _TERM.match(term)
        if term.strip() and (found is None or not holds(world, file, item, now, found[1], found[2])):
            return False
    return item.link != "" or not item.ours


def holds(world: World, file: Mapping[str, Any], item: Item, now: Mapping[str, Any], name: str, value: str) -> bool:
    """Whether a declared field, or the stage, has a value: surely, and not perhaps."""
    measure = next((one for one in world.meanings.measures if one.name == name), None)
    if measure is not None and item.side in measure.natives:
        last = dict(item.life.first)
        for turn in item.life.turns:
            last[turn.field] = turn.value
        shown = tuple(last[native] for native in measure.natives[item.side])
        return measure.meanings(item.side, shown) == (value,)
    native = file.get("fields", {}).get(name, {}).get(item.side)
    return isinstance(native, str) and str(now.get(native)) == value
