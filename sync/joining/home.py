"""Which side an item is at home on, where a tracker holds several: the scope tells for what no link holds yet; a
member of a link stays on its side, wherever its people move it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from mappings.model import Record, Ref
from sync.engine import Engine
from sync.setup import Side
from sync.store import Dirty


class Fetch(Protocol):
    """Reads items, each under the scope of the side beside it; what cannot be read is left out."""

    def __call__(self, wanted: Iterable[tuple[Ref, str]]) -> Mapping[Ref, Record | None]: ...


def at_home(
    engine: Engine, rows: Mapping[Ref, Dirty], records: Mapping[Ref, Record | None], fetch: Fetch
) -> tuple[dict[Ref, Dirty], dict[Ref, Record | None]]:
    """The rows under their own sides, and the records as read under them. Only a marked item that no link holds and
    that its side's scope does not take in is looked at again, under the other sides of its tracker."""
    shared = {name for name in engine.connectors if len(engine.setup.sides_in(name)) > 1}
    places = engine.store.places([ref for ref in rows if ref.tracker in shared])
    loose = [ref for ref in rows if ref.tracker in shared and places.get(ref, (None, 0))[0] is None]
    lost = [ref for ref in loose if (found := records.get(ref)) is not None and found.mark and not found.in_scope]
    homes, reread = looked_up(engine, {ref: rows[ref].side for ref in lost}, fetch)
    settled = {ref: replace(row, side=homes.get(ref, row.side)) for ref, row in rows.items()}
    if loose:
        engine.store.settle_sides((ref, settled[ref].side) for ref in loose)
    return settled, {**records, **reread}


def looked_up(engine: Engine, lost: Mapping[Ref, str], fetch: Fetch) -> tuple[dict[Ref, str], dict[Ref, Record | None]]:
    """The side in whose scope each item is, else one of whose kind it is, with the record as read under it."""
    homes: dict[Ref, str] = {}
    reread: dict[Ref, Record | None] = {}
    for side in engine.setup.sides.values():
        open_ones = [ref for ref, at in lost.items() if ref.tracker == side.tracker and at != side.name]
        wanted = [ref for ref in open_ones if not taken(reread.get(ref))]
        for ref, record in fetch([(ref, side.name) for ref in wanted]).items():
            akin = fits(side, record) and not fits(engine.side(lost[ref]), record) and ref not in homes
            if taken(record) or akin:
                homes[ref], reread[ref] = side.name, record
    return homes, reread


def taken(record: Record | None) -> bool:
    return record is not None and record.in_scope


def fits(side: Side, record: Record | None) -> bool:
    """Whether an item is of the side's kind, wherever it was moved."""
    kinds: Collection[str] = (*side.scope.types, side.scope.table)
    return record is not None and record.kind in kinds
