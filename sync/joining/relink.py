"""``link``, ``unlink`` and ``split``: a person's word about which items are one piece of work.

Each changes the state alone, in one transaction; marks, stages and all else follow with the next pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mappings.banner import link_key
from mappings.model import Ref
from sync.engine import Engine
from sync.joining.alone import lone
from sync.joining.join import ALONE, JOIN, LINKED, ended_as, last_seen
from sync.plan import Joining, Plan, Settlement
from sync.read import Desk, fetch, hear
from sync.state import LinkState, Seen
from sync.store import Place, Request


class Declined(Exception):
    """What was asked cannot be done. The message says why, and what can."""


def link(engine: Engine, request: Request) -> str:
    """The items become one link: the one that some of them are in, or a new one that the first opens. Raises
    ``Declined``."""
    places = found(engine, request.args)
    if len(places) < 2:
        raise Declined("name two items at least: lockstep link INC0010003 INC0010007")
    homes = home_of(engine, {place.link: place for place in places if place.link})
    if len(homes) > 1:
        words = " and ".join(f"{place.key} in that of {titled(engine, id)}" for id, place in homes.items())
        raise Declined(f"{words}: links never merge. Take one out of its link first: lockstep unlink KEY")
    loose = [place for place in places if place.link not in homes]
    if not loose:
        return f"{titled(engine, places[0].link)} are one link already."
    seen = looked_at(engine, loose)
    home = next(iter(homes), 0)
    opener, others = (None, loose) if home else (loose[0], loose[1:])
    engine.store.lift([place.ref for place in loose], [*(place.link_key for place in homes.values()), ALONE])
    if opener is not None:
        home = begin(engine, opener, others, seen)
    else:
        for place in others:
            bring(engine, place, home, seen)
    return f"{titled(engine, home)} are one link now; marks and stage follow with the next pass."


def home_of(engine: Engine, homes: Mapping[int, Place]) -> dict[int, Place]:
    """The links that the others may come into: those that are more than one item followed alone; where all are such,
    the first that was named."""
    alone = {link.id for link in engine.store.links(list(homes)) if lone(link)} if len(homes) > 1 else set()
    return {id: place for id, place in homes.items() if id not in alone} or dict(list(homes.items())[:1])


def begin(engine: Engine, opener: Place, others: Sequence[Place], seen: Seen) -> int:
    """A new link that the first item opens. Returns its id. Raises ``Declined``."""
    (link,) = engine.store.links_of([opener.ref])
    taken = engine.store.link_by_key(link.key)
    if taken is not None:
        raise Declined(f"{opener.key} opened {titled(engine, taken)} once, whose key is made of it; name another first")
    joins = tuple(joining(engine, place, 0, seen) for place in others)
    plan = plan_of(link, opener, joins)
    said = replace(plan.settlement, known=seen.comments.get(opener.ref, ()))  # it is history to whoever comes
    id, _ = engine.store.commit(link, replace(plan, settlement=said), seen, engine.now())
    return id


def bring(engine: Engine, place: Place, home: int, seen: Seen) -> None:
    """The item comes into a link that is there."""
    (link,) = engine.store.links_of([place.ref])
    if not link.id or lone(link):
        plan = plan_of(link, place, (joining(engine, place, home, seen),), loose=True)
        engine.store.commit(link, plan, seen, engine.now())


def plan_of(link: LinkState, place: Place, joins: tuple[Joining, ...], *, loose: bool = False) -> Plan:
    """What was held of the item while it stood alone is over with it."""
    releases = tuple((held.ref, held.what) for held in link.held)
    return Plan(0, link.key, place.key, settlement=Settlement(joins=joins, releases=releases), loose=loose)


def joining(engine: Engine, place: Place, home: int, seen: Seen) -> Joining:
    """As a follower: it is given the link's stage. What was said on it up to now is history."""
    came = last_seen(seen, place.ref)
    return Joining(place.ref, place.side, home, LINKED, came, stood=ended_as(engine.setup, place.side))


def unlink(engine: Engine, request: Request) -> str:
    """Each item leaves its link for good; of one that is only proposed for a link, the proposal is declined."""
    return " ".join(part(engine, place, request) for place in found(engine, request.args))


def part(engine: Engine, place: Place, request: Request) -> str:
    """One item leaves its link, or a proposal for it is declined; the answer in words. Raises ``Declined`` where it
    opened the link."""
    if not place.link:
        return declined(engine, place, request)
    (home,) = engine.store.links([place.link])
    if place.ref == home.source and not absent(home, place.ref) and not lone(home):
        others = " ".join(item.key for item in home.items if item.ref != place.ref) or "..."
        what = f"{place.key} opened its link, whose key is made of it, and stays"
        raise Declined(f"{what}. Take the others out: lockstep split {others}, or lockstep unlink, one by one")
    engine.store.unlink(place, request.by, engine.now())
    rest = " · ".join(item.key for item in home.items if item.ref != place.ref)
    return f"{place.key} was taken out of the link of {rest}. Its mark goes with the next pass, its values stay."


def absent(home: LinkState, ref: Ref) -> bool:
    """Whether the item is gone or hidden, as far as was seen."""
    return home.item(ref).gone or any((held.ref, held.what) == (ref, "item") for held in home.held)


def declined(engine: Engine, place: Place, request: Request) -> str:
    """Declines what waits for a person; what was taken out before is out. Raises ``Declined``."""
    (link,) = engine.store.links_of([place.ref])
    if any(held.what == JOIN for held in link.held):
        named = engine.store.keep_out(place.ref, request.by, engine.now())
        return f"{place.key} stays out of the link of {' and of '.join(named)}; its own routes apply again."
    if ALONE in link.barred:
        return f"{place.key} is out of its link, and stays out."
    raise Declined(f"{place.key} is in no link, and is proposed for none")


def split(engine: Engine, request: Request) -> str:
    """Items of one link become a link of their own, which the first opens. Raises ``Declined``."""
    places = found(engine, request.args)
    homes = {place.link for place in places}
    if homes == {0} or len(homes) != 1:
        raise Declined("split takes items of one link; to begin one with items of none, use lockstep link")
    (home,) = engine.store.links(list(homes))
    key = link_key(engine.setup.instance, places[0].ref)
    if home.key == key and home.source == places[0].ref and len(places) == len(home.items):
        return f"{titled(engine, home.id)} are a link of their own already."
    if any(place.ref == home.source for place in places):
        raise Declined(f"{home.item(home.source).key} opened the link, whose key is made of it: split off the others")
    if engine.store.link_by_key(key) is not None:
        raise Declined(f"{places[0].key} opened a link once, whose key is made of it; name another item first")
    id = engine.store.split(places, key, request.by, engine.now())
    return f"{titled(engine, id)} split off from {titled(engine, home.id)}; their keys follow with the next pass."


# ── finding and reading ──────────────────────────────────────────────────────────────────────────────────────────────


def found(engine: Engine, names: Sequence[str]) -> list[Place]:
    """The items of these readable keys, each once, in their order. ``TRACKER/KEY`` tells two of one key apart."""
    places = [one_called(engine, str(name)) for name in names]
    return list({place.ref: place for place in places}.values())


def one_called(engine: Engine, name: str) -> Place:
    """The known item that a person means. Raises ``Declined``."""
    tracker, _, key = name.rpartition("/") if name.partition("/")[0] in engine.setup.trackers else ("", "", name)
    places = [place for place in engine.store.bearing(key) if tracker in ("", place.ref.tracker)]
    if not places:
        raise Declined(f"{name} is unknown: neither in the scope of a side nor linked. Is the scope of its side right?")
    if len(places) > 1:
        raise Declined(f"{name} is several items: {', '.join(f'{p.ref.tracker}/{p.key}' for p in places)}; name one so")
    (place,) = places
    if place.side in engine.setup.sides and engine.setup.sides[place.side].under:
        raise Declined(f"{place.key} is a task: it goes with the item that it stands under")
    return place


def looked_at(engine: Engine, places: Sequence[Place]) -> Seen:
    """The items as their trackers show them now, with what was said on them. Raises ``Declined`` where one cannot be
    linked."""
    desk = Desk(engine, failures=dict(engine.closed))
    fetch(desk, [(place.ref, place.side) for place in places])
    for place in places:
        if place.ref.tracker in desk.failures:
            raise Declined(f"{place.key} cannot be read now: {desk.failures[place.ref.tracker]}")
        record = desk.records.get(place.ref)
        if record is None:
            raise Declined(f"{place.key} is gone from {place.ref.tracker}, or hidden from Lockstep's account")
        if not record.in_scope and record.mark is None:
            raise Declined(f"{place.key} is outside the scope of {place.side}, which says what may be linked")
    listen(desk, places)
    return desk.seen()


def listen(desk: Desk, places: Sequence[Place]) -> None:
    """What was said on these items, whose records are in hand: one call a side where the records do not bring it."""
    by_side: dict[str, list[Ref]] = defaultdict(list)
    for place in places:
        record = desk.records.get(place.ref)
        if record is not None and record.comments is not None:
            desk.comments[place.ref] = record.comments
        elif record is not None:
            by_side[place.side].append(place.ref)
    for side, refs in by_side.items():
        hear(desk, side, refs)


def titled(engine: Engine, id: int) -> str:
    """The keys of a link's items."""
    return " · ".join(item.key for link in engine.store.links([id]) for item in link.items)
