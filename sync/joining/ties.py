"""What binds items to linked ones: their parent, their problem, and what their texts name. Gathered from the records
in hand and from the state; ``join`` decides on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mappings.matching import named
from mappings.model import Record, Ref
from mappings.routes import Route
from sync.engine import Engine
from sync.joining.seek import naming_of
from sync.setup import Setup
from sync.state import Item, LinkState, Tie
from sync.store import Place

#: the relations of a tracker's own that bind an item to a link
KIN = ("parent", "problem")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that an item names: how, and where that stands."""

    kind: str
    place: Place


def gather(
    engine: Engine, links: Iterable[LinkState], records: Mapping[Ref, Record | None]
) -> dict[Ref, tuple[Tie, ...]]:
    """The ties of every item in hand that stands alone, and of followers whose parent may have moved. What stands
    alone is kept in mind by what it names, so that it is looked at again when that comes into a link."""
    items = [(link, item, record) for link in links for item in link.items if (record := records.get(item.ref))]
    alone = [(item, record) for link, item, record in items if not link.id]
    kin = related(engine, [(item, record) for _, item, record in items])
    texts = mentioned(engine, alone)
    found = {item.ref: [*kin.get(item.ref, ()), *texts.get(item.ref, ())] for _, item, _ in items}
    if alone:
        engine.store.keep_ties({item.ref: [(n.kind, n.place.ref) for n in found[item.ref]] for item, _ in alone})
    followers = engine.store.barred([item.ref for link, item, _ in items if link.id and found[item.ref]])
    ties: dict[Ref, tuple[Tie, ...]] = {}
    for _, item, _ in items:
        allowed = (tie for n in found[item.ref] if (tie := tie_of(engine.setup, item, n)))
        if kept := tuple(tie for tie in allowed if tie.link_key not in followers.get(item.ref, ())):
            ties[item.ref] = kept
    return ties


def related(engine: Engine, items: Iterable[tuple[Item, Record]]) -> dict[Ref, list[Named]]:
    """What the items name as their kin, where the file lets any of it bind."""
    if not any(route.parent or route.problem for route in engine.setup.routes):
        return {}
    kin = {item.ref: {one.ref: one.kind for one in record.kin if one.kind in KIN} for item, record in items}
    places = engine.store.whereabouts(list({ref: None for named_here in kin.values() for ref in named_here}))
    return {
        ref: [Named(kind, places[other]) for other, kind in named_here.items() if other in places]
        for ref, named_here in kin.items()
    }


def mentioned(engine: Engine, items: Iterable[tuple[Item, Record]]) -> dict[Ref, list[Named]]:
    """The known items that the texts of these name, in the fields that a route looks at; not what is their kin."""
    setup = engine.setup
    if not any(route.mention for route in setup.routes):
        return {}
    said = {item.ref: (words_of(setup, item, record), {one.ref for one in record.kin}) for item, record in items}
    words: dict[str, set[str]] = defaultdict(set)
    for names, _ in said.values():
        for tracker, word in names:
            words[tracker].add(word)
    places = [(tracker, place) for tracker, some in words.items() for place in engine.store.called(tracker, some)]
    by_name: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for tracker, place in places:
        for name in {place.key.casefold(), place.ref.id}:
            by_name[tracker, name].append(place)
    return {
        ref: [
            Named("mention", place)
            for place in {one.ref: one for name in sorted(names) for one in by_name.get(name, ())}.values()
            if place.ref not in {ref, *kin}
        ]
        for ref, (names, kin) in said.items()
    }


def words_of(setup: Setup, item: Item, record: Record) -> set[tuple[str, str]]:
    """The keys, ids and addresses of items that the texts of one name, each with its tracker."""
    fields = {name for r in setup.routes if r.mention and touches(r, item.side) for name in r.mention_in}
    declared = [setup.fields[name] for name in sorted(fields) if name in setup.fields]
    natives = dict.fromkeys(native for field in declared for native in field.natives.get(item.side, ()))
    trackers = {side.tracker: naming_of(setup, side.tracker) for side in setup.sides.values()} if natives else {}
    return {
        (tracker, name.value.partition("/")[2])
        for tracker, called in trackers.items()
        for native in natives
        for name in named(record.fields.get(native), called)
    }


def touches(route: Route, *sides: str) -> bool:
    """Whether a route is about one of the sides."""
    return bool({route.source, route.opens} & set(sides))


#: which routes let which relation bind
ALLOWS: Mapping[str, Callable[[Route], bool]] = {
    "parent": lambda route: route.parent,
    "problem": lambda route: route.problem,
    "mention": lambda route: bool(route.mention),
}


def tie_of(setup: Setup, item: Item, found: Named) -> Tie | None:
    """The tie, where a route says that it binds: one from the item's own side, else one about either side; one that
    opens something before one that only follows."""
    place = found.place
    routes = [r for r in setup.routes if ALLOWS[found.kind](r) and touches(r, item.side, place.side)]
    if not routes or place.side not in setup.sides or setup.sides[place.side].under:
        return None
    route = min(routes, key=lambda r: (r.source != item.side, r.follows))
    told = f"it mentions {place.key}" if found.kind == "mention" else f"its {found.kind} is {place.key}"
    return Tie(found.kind, route.id, place.ref, place.side, place.key, told, place.link, place.link_key, place.closed)
