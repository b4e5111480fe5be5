"""Rebuild: items that carry our mark and that no link of the state holds are found again.

The same path serves a state that was lost, a creation whose answer never came, and a clone that a person made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mappings.banner import creation_key, link_key
from mappings.model import Record, Ref
from sync.engine import Engine
from sync.joining.join import ALONE
from sync.state import Held
from sync.store import Begun, Dirty


@dataclass(frozen=True, slots=True)
class Attached:
    """Items that must ``wait`` (a marked item's partners are only known once every side was read to its end), and
    those set ``aside`` as copies that a person made. ``found``: how many items came into which link, by its key."""

    wait: frozenset[Ref] = frozenset()
    aside: frozenset[Ref] = frozenset()
    found: Mapping[str, int] = field(default_factory=dict)


def attach(
    engine: Engine, records: Mapping[Ref, Record | None], rows: Mapping[Ref, Dirty], incomplete: set[str]
) -> Attached:
    """Puts marked items into the links their keys name."""
    strangers = marked_strangers(engine, records, rows)
    if strangers and incomplete:
        return Attached(wait=frozenset(record.ref for record, _ in strangers))
    groups: dict[str, list[tuple[Record, str]]] = defaultdict(list)
    openers = {link_key(engine.setup.instance, record.ref) for record, _ in strangers}
    for record, side in strangers:
        if not settles_creation(engine, record):
            groups[key_of(engine, record, openers)].append((record, side))
    twins = {key: group(engine, key, members) for key, members in groups.items()}
    found = {key: len(members) - len(twins[key]) for key, members in groups.items()}
    aside = frozenset(ref for refs in twins.values() for ref in refs)
    return Attached(aside=aside, found={key: count for key, count in found.items() if count})


def marked_strangers(
    engine: Engine, records: Mapping[Ref, Record | None], rows: Mapping[Ref, Dirty]
) -> list[tuple[Record, str]]:
    marked = [
        (record, rows[ref].side)
        for ref, record in records.items()
        if record is not None and record.mark is not None and record.mark.instance == engine.setup.mark and ref in rows
    ]
    places = engine.store.places([record.ref for record, _ in marked])
    strangers = [(record, side) for record, side in marked if places.get(record.ref, (None, 0))[0] is None]
    barred = engine.store.barred([record.ref for record, _ in strangers])
    return [(record, side) for record, side in strangers if ALONE not in barred.get(record.ref, ())]


def key_of(engine: Engine, record: Record, openers: Collection[str]) -> str:
    """The link key an item carries; the item that opened a link may carry the mark alone, its key follows from it. Keys
    on an item that another instance marked as well may be that one's: they count where they name a link of ours."""
    key = record.mark.link if record.mark else ""
    if key and record.occupied and key not in openers and engine.store.link_by_key(key) is None:
        key = ""
    return key or link_key(engine.setup.instance, record.ref)


def settles_creation(engine: Engine, record: Record) -> bool:
    """An item that bears the key of a creation on its way is that creation, acknowledged late."""
    begun = engine.store.creation_by_key(record.mark.made) if record.mark and record.mark.made else None
    if begun is None:
        return False
    if split_off(engine, begun, record):
        engine.store.settle_intent(begun.intent, "done", engine.now())
        return False
    history = any(route.history for route in engine.setup.routes if route.opens == begun.side)
    engine.store.found_creation(begun, record, history=history, now=engine.now())
    return True


def split_off(engine: Engine, begun: Begun, record: Record) -> bool:
    """Whether a person put what was created into another link since: it is there, and not made again."""
    keys = {link.key for link in engine.store.links([begun.link])}
    return record.mark is not None and bool(record.mark.link) and record.mark.link not in keys


def group(engine: Engine, key: str, members: list[tuple[Record, str]]) -> list[Ref]:
    """One link from its members; of two items that bear one creation key the oldest is adopted, the others are held
    and named, none is deleted. Returns those."""
    members = sorted(members, key=lambda m: (m[0].created, m[0].ref))
    taken = taken_keys(engine, key)
    adopted: list[tuple[Record, str]] = []
    twins: list[Ref] = []
    for record, side in members:
        made = record.mark.made if record.mark else ""
        if made and made in taken:
            hold_twin(engine, record, taken[made])
            twins.append(record.ref)
            continue
        if made:
            taken[made] = record.key
        adopted.append((record, side))
    if adopted:
        source = next((r.ref for r, _ in adopted if link_key(engine.setup.instance, r.ref) == key), adopted[0][0].ref)
        side = next(side for record, side in adopted if record.ref == source)
        engine.store.rebuild_link(key, source, adopted, engine.now(), route_of(engine, source, side, taken))
    return twins


def route_of(engine: Engine, source: Ref, side: str, made: Collection[str]) -> str:
    """The route that opened the link, by the creation keys of its items; else one that follows its side alone."""
    instance, routes = engine.setup.instance, engine.setup.routes
    opened = [route.id for route in routes if creation_key(instance, route.id, source) in made]
    alone = [route.id for route in routes if route.follows and route.source == side]
    return next(iter((*opened, *alone)), "")


def taken_keys(engine: Engine, key: str) -> dict[str, str]:
    """The creation keys that the link's present members were made with."""
    id = engine.store.link_by_key(key)
    if id is None:
        return {}
    done = [c for link in engine.store.links([id]) for c in link.creations if c.outcome == "done"]
    return {c.key: f"the item that route {c.route} opened" for c in done}


def hold_twin(engine: Engine, record: Record, other: str) -> None:
    reason = f"{record.key} bears the same creation key as {other}: it looks like a copy that somebody made of it"
    advice = f"remove the mark {engine.setup.mark} from {record.key} if it is a piece of work of its own"
    held = Held(record.ref, "twin", reason, advice, engine.now())
    engine.store.hold(0, held, engine.now())
