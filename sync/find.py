"""``find``: which work speaks of something, across the trackers and links, and how many it touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.base import Failure
from mappings.fields import Common, Field
from mappings.model import Record, Ref, Scope
from mappings.words import search_words
from sync.engine import Engine
from sync.merging.status import STAGE
from sync.setup import Setup
from sync.state import Item, LinkState

#: items asked of one side
LIMIT = 50


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a piece of work. ``hit``: the words were found in it. ``state`` is empty where it was not read."""

    side: str
    key: str
    url: str
    title: str
    state: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A link, or an item that no link holds (``link`` is empty). ``touched`` are the requesters by name, where a
    declared field tells them; ``touches`` is how many they are, or else how many items the opening side has."""

    link: str
    title: str
    items: tuple[Found, ...]
    stage: str
    open: bool
    move: str
    since: datetime
    moved: datetime
    touched: tuple[str, ...]
    touches: int
    held: int


@dataclass(frozen=True, slots=True)
class Findings:
    """Open work first, then what touches the most, then what moved last. ``more`` are the sides that have more than was
    asked for, ``failures`` the trackers that could not answer, by name."""

    pieces: tuple[Piece, ...]
    more: tuple[str, ...] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)


@dataclass
class Desk:
    """The finding in the making: ``records`` with their sides, ``hits`` among them."""

    engine: Engine
    records: dict[Ref, Record | None] = field(default_factory=dict)
    sides: dict[Ref, str] = field(default_factory=dict)
    hits: set[Ref] = field(default_factory=set)
    more: set[str] = field(default_factory=set)
    failures: dict[str, Failure] = field(default_factory=dict)

    def title(self, side: str) -> str:
        """The native name of a side's titles."""
        return self.engine.connector(side).title

    def scope(self, side: str) -> Scope:
        """The side's scope, read with its titles."""
        scope = self.engine.scope(side)
        return replace(scope, fields=tuple(dict.fromkeys((*scope.fields, self.title(side)))))


def find(engine: Engine, text: str, limit: int = LIMIT) -> Findings:
    """One search a side; then the other items of the links found, in batches. What the state knows (keys, agreed texts)
    is found without a tracker. Writes nothing."""
    desk = Desk(engine, failures=dict(engine.closed))
    search(desk, text, limit)
    named = engine.store.find(text.strip())
    told = engine.store.speaking(search_words(text), titled(desk), limit)
    links = by_key([*engine.store.links_of(sorted(desk.hits)), *named, *told])
    desk.sides |= {item.ref: item.side for link in links for item in members(link)}
    called = text.strip().casefold()
    desk.hits |= {item.ref for link in named for item in members(link) if item.key.casefold() == called}
    fetch(desk, [item.ref for link in links for item in members(link)])
    known = {item.ref for link in links for item in (*members(link), *link.strays)}
    strangers = [ref for ref in sorted(desk.hits) if ref not in known]
    pieces = [piece_of(desk, link) for link in links if link.id]
    pieces += [
        lone(desk, ref) for ref in (*strangers, *(link.source for link in links if not link.id)) if seen(desk, ref)
    ]
    return Findings(tuple(ranked(pieces)), tuple(sorted(desk.more)), desk.failures)


def search(desk: Desk, text: str, limit: int) -> None:
    """Asks each side. What another side's people marked is passed over unless the state knows it."""
    engine = desk.engine
    asked = [side.name for side in engine.setup.sides.values() if side.tracker not in desk.failures]

    def ask(side: str) -> tuple[str, Sequence[Record] | Failure]:
        try:
            return side, engine.connector(side).search(desk.scope(side), text, limit)
        except Failure as failure:
            return side, failure

    for side, found in engine.each(ask, asked):
        if isinstance(found, Failure):
            desk.failures[engine.side(side).tracker] = found
            continue
        if len(found) >= limit:
            desk.more.add(side)
        places = engine.store.places([record.ref for record in found])
        for record in found:
            if record.in_scope or places.get(record.ref, (None, 0))[0] is not None:
                keep(desk, side, record)


def keep(desk: Desk, side: str, record: Record) -> None:
    """A record as its own side reads it: a marked item comes with every search of its tracker."""
    desk.hits.add(record.ref)
    if record.in_scope or record.ref not in desk.records:
        desk.records[record.ref], desk.sides[record.ref] = record, side


def fetch(desk: Desk, wanted: Iterable[Ref]) -> None:
    """Reads what is not in hand as its own side reads it, one batch a side."""
    engine = desk.engine
    by_side: dict[str, list[str]] = defaultdict(list)
    for ref in wanted:
        record = desk.records.get(ref)
        if (
            desk.sides[ref] in engine.setup.sides
            and ref.tracker not in desk.failures
            and not (record and record.in_scope)
        ):
            by_side[desk.sides[ref]].append(ref.id)

    def batch(side: str) -> tuple[str, Mapping[str, Record | None] | Failure]:
        try:
            return side, engine.connector(side).read(desk.scope(side), by_side[side])
        except Failure as failure:
            return side, failure

    for side, found in engine.each(batch, by_side):
        tracker = engine.side(side).tracker
        if isinstance(found, Failure):
            desk.failures[tracker] = found
        else:
            desk.records |= {Ref(tracker, id): record for id, record in found.items()}


def seen(desk: Desk, ref: Ref) -> bool:
    """Whether an item that no link holds may be shown: it is there, and the side's scope takes it in."""
    record = desk.records.get(ref)
    return record is not None and (record.in_scope or record.mark is not None)


def members(link: LinkState) -> tuple[Item, ...]:
    """The items of a link and the tasks below them."""
    return (*link.items, *link.tasks)


def by_key(links: Sequence[LinkState]) -> list[LinkState]:
    """Each link once."""
    return list({link.key: link for link in links}.values())


def titled(desk: Desk) -> list[str]:
    """The declared fields that carry titles."""
    setup = desk.engine.setup
    return [f.name for f in setup.fields.values() if any(desk.title(s) in names for s, names in f.natives.items())]


# ── what is told of a piece of work ──────────────────────────────────────────────────────────────────────────────────


def piece_of(desk: Desk, link: LinkState) -> Piece:
    """A link as the trackers show it now; where one could not be asked, as the state knows it."""
    setup = desk.engine.setup
    agreed = link.agreed.get(STAGE)
    stage = setup.stages.get(str(agreed.value)) if agreed and agreed.value else None
    items = tuple(item_of(desk, link, item) for item in members(link))
    fresh = [record.updated for item in link.items if (record := desk.records.get(item.ref))]
    opened = link.opened or min(fresh, default=desk.engine.now())
    touched, touches = requesters(desk, link)
    return Piece(
        link=link.key,
        title=next((found.title for found in items if found.title), ""),
        items=items,
        stage=stage.name if stage else "",
        open=link.closed is None,
        move=stage.move if stage else "",
        since=opened,
        moved=max((m.at for m in link.movements), default=opened),
        touched=touched,
        touches=touches,
        held=len(link.held),
    )


def item_of(desk: Desk, link: LinkState, item: Item) -> Found:
    record = desk.records.get(item.ref)
    hit = item.ref in desk.hits
    if record is None:
        return Found(item.side, item.key, "", remembered(desk, link, item.side), "", hit)
    return Found(item.side, record.key, record.url, title_of(desk, item.side, record), record.state, hit)


def title_of(desk: Desk, side: str, record: Record) -> str:
    """The item's title as its tracker tells it; empty where it was not read."""
    return str(record.fields.get(desk.title(side)) or "")


def remembered(desk: Desk, link: LinkState, side: str) -> str:
    """The title last agreed on, where the side shares it."""
    for name in titled(desk):
        if side in desk.engine.setup.fields[name].natives and name in link.agreed:
            return str(link.agreed[name].value or "")
    return ""


def lone(desk: Desk, ref: Ref) -> Piece:
    """An item that no link holds."""
    record, side, setup = desk.records[ref], desk.sides[ref], desk.engine.setup
    assert record is not None
    meanings = setup.stages.meanings(side, record.state)
    stage = setup.stages.get(meanings[0]) if meanings else None
    title = title_of(desk, side, record)
    counted = requester_field(setup)
    touched = tuple(sorted(values(counted, [(side, record)]))) if counted else ()
    return Piece(
        link="",
        title=title,
        items=(Found(side, record.key, record.url, title, record.state, True),),
        stage=stage.name if stage else "",
        open=not (stage and stage.terminal),
        move=stage.move if stage else "",
        since=record.created,
        moved=record.updated,
        touched=touched,
        touches=max(len(touched), 1),
        held=0,
    )


def requesters(desk: Desk, link: LinkState) -> tuple[tuple[str, ...], int]:
    """Who asked: the distinct values of the requester's field on the side that opened the link, else how many items
    that side has."""
    opener = next(
        (item.side for item in link.items if item.ref == link.source), link.items[0].side if link.items else ""
    )
    asking = [item for item in link.items if item.side == opener and not item.gone]
    counted = requester_field(desk.engine.setup)
    read = [(item.side, record) for item in asking if (record := desk.records.get(item.ref))]
    named = tuple(sorted(values(counted, read))) if counted else ()
    return named, len(named) or len(asking)


def requester_field(setup: Setup) -> Field | None:
    """The declared field that bears the name of the requesting party."""
    return next((setup.fields[p.name] for p in setup.parties if p.requester and p.name in setup.fields), None)


def values(declared: Field, read: Iterable[tuple[str, Record]]) -> set[str]:
    found: set[Common] = set()
    for side, record in read:
        if side in declared.natives:
            found |= set(declared.meanings(side, declared.spelled(side, record.fields))[:1])
    return {str(one) for one in found if one not in (None, "", ())}


def ranked(pieces: Sequence[Piece]) -> list[Piece]:
    return sorted(pieces, key=lambda p: (not p.open, -p.touches, -p.moved.timestamp(), p.link))
