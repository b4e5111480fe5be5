"""One line of a listing: an item with the link that holds it, and what its columns say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.calendar import local_date
from mappings.fields import Common
from mappings.model import Record, Ref
from mappings.templates import in_words
from sync.merging.status import STAGE
from sync.setup import Setup
from sync.state import LinkState, Movement


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of ``side``, whose ``record`` is ``None`` where it could not be read, with its link (``None``: no link
    holds it). ``title`` is what it is called. ``urls`` are the addresses of the link's items that were read; ``moved``
    is what happened in the link, oldest first; ``unread`` says which items could not be read, and why."""

    side: str
    key: str
    title: str
    record: Record | None = None
    link: LinkState | None = None
    urls: Mapping[Ref, str] = field(default_factory=dict)
    moved: tuple[Movement, ...] = ()
    unread: tuple[str, ...] = ()


def values_of(setup: Setup, entry: Entry) -> dict[str, Common]:
    """What is agreed on in the link; what the item itself says goes before it, for a listing shows what is there."""
    agreed: dict[str, Common] = {}
    if entry.link is not None:
        agreed = {name: one.value for name, one in entry.link.agreed.items()}
    if entry.record is None:
        return agreed
    own = own_meanings(setup, entry.side, entry.record)
    return {**agreed, **{n: agreed[n] if n in agreed and agreed[n] in some else some[0] for n, some in own.items()}}


def own_meanings(setup: Setup, side: str, record: Record) -> dict[str, tuple[Common, ...]]:
    """What the item's fields and its state may mean; what means nothing is left out."""
    found: dict[str, tuple[Common, ...]] = {
        name: declared.meanings(side, declared.spelled(side, record.fields))
        for name, declared in setup.fields.items()
        if side in declared.natives
    }
    return {name: some for name, some in {**found, STAGE: setup.stages.meanings(side, record.state)}.items() if some}


def cells(setup: Setup, entry: Entry, columns: tuple[str, ...]) -> tuple[str, ...]:
    """What each column says of the entry."""
    values = values_of(setup, entry)
    return tuple(cell(setup, entry, values, name) for name in columns)


def cell(setup: Setup, entry: Entry, values: Mapping[str, Common], name: str) -> str:
    """One column: a side, a field, or what a record says of itself."""
    record = entry.record
    if name in setup.sides:
        return keys_of(entry, name)
    if name == STAGE:
        return setup.stages.get(str(values[STAGE])).name if values.get(STAGE) else ""
    if name in setup.fields:
        return in_words(values.get(name))
    if name == "created":
        return str(local_date(setup.zone, record.created)) if record else ""
    told = {"key": entry.key, "title": entry.title, "state": record.state if record else ""}
    return {**told, "url": record.url if record else ""}[name]


def keys_of(entry: Entry, side: str) -> str:
    """The keys of a side's items in the link; of the item itself where no link holds it."""
    if entry.link is None:
        return entry.key if entry.side == side else ""
    return ", ".join(item.key for item in entry.link.on(side))


def heading(setup: Setup, name: str) -> str:
    """What a column is called: a field by what people see in place of its name."""
    return (setup.fields[name].label if name in setup.fields else "") or name
