"""Seeking the counterparts that people made by hand: the names of what was read are kept in an index, and what a
route's ``match`` fields say is looked up there. No tracker is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from connectors.installed import KINDS
from mappings.fields import Field, digest_of
from mappings.matching import ADDRESS, EQUAL, NUMBER, Name, Naming, equals, name_of, named
from mappings.model import Record, Ref
from mappings.routes import Route
from sync.setup import Setup
from sync.state import Item, LinkState, Tie
from sync.store import Store
from sync.store.names import OWN, Kept, Wanted
from sync.store.ties import Place

Records = Mapping[Ref, Record | None]
#: under which it is noted what the names were kept for
NOTE = "names kept for"
#: the ways in which one item names another
NAMING = (NUMBER, ADDRESS)


def naming_of(setup: Setup, tracker: str) -> Naming:
    """How the items of a tracker are named in people's texts."""
    said = setup.trackers[tracker]
    kind = KINDS[said.kind]
    return Naming(tracker, kind.homes(said.url), kind.called)


def namings(setup: Setup) -> dict[str, Naming]:
    """By the side whose items are named."""
    known = {tracker: naming_of(setup, tracker) for tracker in setup.trackers if setup.trackers[tracker].kind in KINDS}
    return {side.name: known[side.tracker] for side in setup.sides.values() if side.tracker in known}


def matching(setup: Setup) -> tuple[Route, ...]:
    """The routes that look for a counterpart before they open one."""
    return tuple(route for route in setup.routes if route.match)


def prepare(store: Store, setup: Setup) -> None:
    """Where the file says anew what matches, the items that stand alone are read once more for their names."""
    routes = matching(setup)
    said = [(r.id, r.source, r.opens, [(field.name, field.digest) for field in fields_of(setup, r)]) for r in routes]
    digest = digest_of(said) if said else ""
    if (store.noted(NOTE) or "") != digest:
        store.touch_alone({side for route in routes for side in (route.source, route.opens)})
        store.note(NOTE, digest)


def index(store: Store, setup: Setup, records: Records, sides: Mapping[Ref, str]) -> None:
    """Keeps the names of what was read, for the sides that routes match on."""
    routes, known = matching(setup), namings(setup)
    wanted = {side for route in routes for side in (route.source, route.opens)}
    found = {
        ref: (sides[ref], kept_of(setup, routes, known, sides[ref], record))
        for ref, record in records.items()
        if record is not None and sides.get(ref) in wanted
    }
    changed = store.keep_names(found) if found else {}
    wake(store, routes, {ref: (sides[ref], names) for ref, names in changed.items()}, sides)


def wake(
    store: Store, routes: Iterable[Route], changed: Mapping[Ref, tuple[str, Kept]], known: Collection[Ref]
) -> None:
    """An item that stands alone is looked at again where what names it, or what it names, is new, changed or gone."""
    asked = {
        one
        for route in routes
        for side, names in changed.values()
        if side == route.opens
        for one in about(route, names)
    }
    found = store.find_names(asked) if asked else {}
    alone = {(one.ref, one.side, False) for ones in found.values() for one in ones if not one.link}
    store.touch(row for row in alone if row[0] not in known)


def about(route: Route, names: Kept) -> Iterator[Wanted]:
    """Where the items of the route's source are found that these names of the other side's are about."""
    for field, name in names:
        if field == OWN:
            yield from ((said, route.source, Name(way, name.value)) for said in route.match for way in NAMING)
        else:
            naming = name.way in NAMING
            yield OWN if naming else field, route.source, Name(NUMBER, name.value) if naming else name


def kept_of(setup: Setup, routes: Iterable[Route], known: Mapping[str, Naming], side: str, record: Record) -> Kept:
    """Everything that may be looked up of an item: its own names, and what its matching fields say. What an item that
    we made says in a field of both sides is its source's word, and nobody's hand."""
    made = record.mark is not None and bool(record.mark.made)
    names: set[tuple[str, Name]] = {(OWN, name) for name in own_names(record)}
    for route in routes:
        if side in (route.source, route.opens):
            other = route.opens if side == route.source else route.source
            for field in fields_of(setup, route):
                if not (made and {side, other} <= set(field.natives)):
                    names |= {(field.name, name) for name in said_of(field, side, other, record, known)}
    return frozenset(names)


def own_names(record: Record) -> tuple[Name, ...]:
    """What an item is called in a text: its key and its id."""
    return tuple(dict.fromkeys(Name(NUMBER, name_of(record.ref.tracker, one)) for one in (record.key, record.ref.id)))


def fields_of(setup: Setup, route: Route) -> tuple[Field, ...]:
    return tuple(setup.fields[name] for name in route.match if name in setup.fields)


def said_of(field: Field, side: str, other: str, record: Record, known: Mapping[str, Naming]) -> tuple[Name, ...]:
    """What a field of an item says of the other side's: the value itself where both have the field, and whom it
    names."""
    if side not in field.natives:
        return ()
    same = equals(field, side, record.fields) if other in field.natives else ()
    naming = known.get(other)
    natives = [record.fields.get(native) for native in field.natives[side]] if naming else []
    named_ones = [name for native in natives for name in named(native, naming)] if naming else []
    own = set(own_names(record))
    return (*same, *(name for name in dict.fromkeys(named_ones) if Name(NUMBER, name.value) not in own))


@dataclass(frozen=True, slots=True)
class Question:
    """What one item asks of the index for one route: per field, in the file's order, the names to look up, each with
    the way it would be found."""

    item: Item
    route: Route
    other: str
    fields: tuple[tuple[str, tuple[tuple[Wanted, str], ...]], ...]


def questions(setup: Setup, links: Iterable[LinkState], records: Records) -> Iterator[Question]:
    """What to look up for these links: a counterpart for an item whose route may open one, and a link for an item
    that a route would have opened."""
    known = namings(setup)
    for link in links:
        taken = {item.side for item in link.items if not item.gone}
        for item in link.items:
            record = records.get(item.ref)
            for route in matching(setup) if record is not None else ():
                if item.side == route.source and route.opens not in taken:
                    yield question(setup, known, item, route, route.opens, record)
                elif item.side == route.opens and not link.id:
                    yield question(setup, known, item, route, route.source, record)


def question(
    setup: Setup, known: Mapping[str, Naming], item: Item, route: Route, other: str, record: Record | None
) -> Question:
    assert record is not None
    asked = []
    for field in fields_of(setup, route):
        wanted: list[tuple[Wanted, str]] = []
        for name in said_of(field, item.side, other, record, known):
            place = OWN if name.way in NAMING else field.name
            looked = Name(NUMBER, name.value) if place == OWN else name
            wanted.append(((place, other, looked), name.way))
        if other in field.natives:
            ways = [(Name(way, name.value), way) for name in own_names(record) for way in NAMING]
            wanted += [((field.name, other, name), way) for name, way in ways]
        asked.append((field.name, tuple(wanted)))
    return Question(item, route, other, tuple(asked))


def seek(store: Store, setup: Setup, links: Iterable[LinkState], records: Records) -> dict[Ref, tuple[Tie, ...]]:
    """The ties by which items match, by item: of the fields in their order, the first that finds anything decides."""
    asked = list(questions(setup, links, records))
    wanted = {one for question in asked for _, names in question.fields for one, _ in names}
    found = store.find_names(wanted) if wanted else {}
    answers = [(question, answered(question, found)) for question in asked]
    members = store.sides_of({tie.link for _, ties in answers for tie in ties if tie.link})
    barred = store.barred([tie.ref for _, ties in answers for tie in ties if not tie.link])
    by_item: dict[Ref, list[Tie]] = defaultdict(list)
    for question, ties in answers:
        known = [replace(tie, barred=barred.get(tie.ref, frozenset())) for tie in ties]
        by_item[question.item.ref] += [second(question, tie, members.get(tie.link, frozenset())) for tie in known]
    return {ref: tuple(ties) for ref, ties in by_item.items() if ties}


def answered(question: Question, found: Mapping[Wanted, tuple[Place, ...]]) -> list[Tie]:
    """The ties of one question. From the side that is opened only items of links are found: an unlinked one finds its
    counterpart itself."""
    for field, names in question.fields:
        hits: dict[str, dict[Ref, Place]] = {EQUAL: {}, NUMBER: {}, ADDRESS: {}}
        for wanted, way in names:
            hits[way] |= {one.ref: one for one in found.get(wanted, ()) if concerns(question, one)}
        # who is named is meant, however many happen to say the same
        ones = {**hits[NUMBER], **hits[ADDRESS]} or hits[EQUAL]
        if ones:
            ways = {ref: next(way for way, of_way in hits.items() if ref in of_way) for ref in ones}
            ties = [tie_of(question.route, one, f"match {field} ({ways[ref]})") for ref, one in ones.items()]
            # what a link's item says may come from its link: that it is equal is no more than a hint
            return ties if hits[NUMBER] or hits[ADDRESS] else [hinted(tie) if tie.link else tie for tie in ties]
    return []


def concerns(question: Question, one: Place) -> bool:
    """Whether the one found is another item, and one that this question may tie it to."""
    return one.ref != question.item.ref and (question.item.side == question.route.source or bool(one.link))


def tie_of(route: Route, one: Place, told: str) -> Tie:
    """The tie that an item found by a name makes."""
    return Tie("match", route.id, one.ref, one.side, one.key, told, one.link, one.link_key, one.closed)


def second(question: Question, tie: Tie, members: Collection[str]) -> Tie:
    """A second counterpart of a linked item is one of two candidates: it is proposed, as what only mentions it is."""
    contested = question.item.side == question.route.opens and question.item.side in members
    return hinted(tie) if contested else tie


def hinted(tie: Tie) -> Tie:
    """The tie as one that a person is asked about."""
    return replace(tie, kind="mention")
