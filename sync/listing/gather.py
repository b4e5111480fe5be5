"""What a listing is of, read from the trackers and the state. Calls: what was created, one query a page of the side's
tracker (Azure DevOps: and one for each 200 items); what moved, one read for each batch of the links' items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.base import Failure, Garbled
from mappings.model import Record, Ref, Scope
from sync.engine import Engine
from sync.listing.entry import Entry, values_of
from sync.listing.moves import news
from sync.setup import Report
from sync.sparing import Sifted, sift
from sync.state import UNREAD, LinkState, Movement

UNREADABLE = "{} could not be read: {}"


@dataclass
class Fetched:
    """Items as their trackers show them now (``None``: gone or hidden), and why others could not be read."""

    records: dict[Ref, Record | None] = field(default_factory=dict)
    unread: dict[Ref, str] = field(default_factory=dict)


def created(engine: Engine, report: Report, since: datetime, until: datetime) -> list[Entry]:
    """The items of the report's side that were created in the span and fit its condition, oldest first; then those of
    which nobody can tell. Raises ``Failure``."""
    side, strange = report.side, dict[Ref, str]()
    records: Sequence[Record]
    try:
        records = engine.connector(side).created(scope_of(engine, side), since, until)
    except Garbled as garbled:
        records = list(garbled.found.values())
        strange = {Ref(engine.side(side).tracker, id): reason for id, reason in garbled.reasons.items()}
    holders = {
        item.ref: link
        for link in engine.store.links_of([*(record.ref for record in records), *strange])
        for item in link.items
        if link.id
    }
    entries = [
        Entry(side, r.key, title_of(engine, side, r), r, holders.get(r.ref), {r.ref: r.url} if r.url else {})
        for r in records
    ]
    return [*(entry for entry in entries if fits(engine, report, entry)), *unknown(side, strange, holders)]


def unknown(side: str, strange: Mapping[Ref, str], holders: Mapping[Ref, LinkState]) -> Iterator[Entry]:
    """The entries of items that are not understood."""
    for ref, reason in strange.items():
        link = holders.get(ref)
        key = link.item(ref).key if link else ref.id
        yield Entry(side, key, "", link=link, unread=(UNREADABLE.format(key, reason),))


def moved(
    engine: Engine, since: datetime, until: datetime, told: Collection[str] = (), late: datetime | None = None
) -> dict[int, tuple[LinkState, tuple[Movement, ...]]]:
    """By link, what happened after ``since`` and up to ``until``; and from ``late`` on what was noticed too late for
    the listing before, which has ``told`` of the rest."""
    found = {}
    for link in engine.store.links(engine.store.moved_since(late or since)):
        some = [m for m in news(link.movements) if m.at <= until and (m.at > since or event_of(link, m) not in told)]
        some = [m for m in some if m.at > (late or since)]
        if some and link.items:
            found[link.id] = (link, tuple(some))
    return found


def event_of(link: LinkState, movement: Movement) -> str:
    """A movement by a name that is its own across links."""
    return f"{link.id} {movement.event}"


def links_entries(
    engine: Engine, report: Report, found: Iterable[tuple[LinkState, tuple[Movement, ...]]]
) -> list[Entry]:
    """The links as lines of a listing, each under the item that opened it; what cannot be read now is told as the state
    knows it."""
    pairs = list(found)
    fetch = fetched(engine, [link for link, _ in pairs])
    return [entry_of(engine, link, some, fetch) for link, some in pairs]


def entry_of(engine: Engine, link: LinkState, some: tuple[Movement, ...], fetch: Fetched) -> Entry:
    opener = next((item for item in link.items if item.ref == link.source), link.items[0])
    there = {item.ref: r for item in link.items if (r := fetch.records.get(item.ref)) is not None}
    titles = (title_of(engine, item.side, there[item.ref]) for item in link.items if item.ref in there)
    urls = {ref: record.url for ref, record in there.items() if record.url}
    title = next(filter(None, titles), "")
    unread = tuple(UNREADABLE.format(i.key, fetch.unread[i.ref]) for i in link.items if i.ref in fetch.unread)
    return Entry(opener.side, opener.key, title, there.get(opener.ref), link, urls, some, unread)


def fetched(engine: Engine, links: Iterable[LinkState]) -> Fetched:
    """The items of links as their trackers show them now."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for link in links:
        for item in link.items:
            if not item.gone and item.side in engine.setup.sides and item.ref.tracker in engine.opened:
                wanted[item.side].append(item.ref.id)

    def batch(side: str) -> tuple[str, Sifted[Record | None]]:
        tracker, connector, scope = engine.side(side).tracker, engine.connector(side), scope_of(engine, side)
        try:
            return tracker, sift(engine, side, UNREAD, wanted[side], lambda ids: connector.read(scope, ids))
        except Failure as failure:
            return tracker, Sifted(bad=dict.fromkeys(wanted[side], str(failure)))

    fetch = Fetched()
    for tracker, sifted in engine.each(batch, wanted):
        fetch.records |= {Ref(tracker, id): record for id, record in sifted.found.items()}
        fetch.unread |= {Ref(tracker, id): reason for id, reason in sifted.bad.items()}
    return fetch


def fits(engine: Engine, report: Report, entry: Entry) -> bool:
    return report.when is None or report.when.holds(values_of(engine.setup, entry))


def scope_of(engine: Engine, side: str) -> Scope:
    """The side's scope, read with its titles."""
    scope, title = engine.scope(side), engine.connector(side).title
    return replace(scope, fields=tuple(dict.fromkeys((*scope.fields, title))))


def title_of(engine: Engine, side: str, record: Record) -> str:
    return str(record.fields.get(engine.connector(side).title) or "")
