"""What a tracker says of itself: rights, zone, clock, and what the items of a scope are made of. ``doctor`` compares it
with the admin's file, ``init`` writes a first file from it. Pure data, and the protocol of those connectors that can
tell; one that cannot is still a connector.

Whatever could not be read is named as such (``Unknown``): silence would pass for health.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol, runtime_checkable

from mappings.fields import Spelling
from mappings.model import Scope

#: what a state may count as; empty where the tracker does not say
CATEGORIES = ("new", "active", "paused", "done", "removed")
#: what a right is for. ``work``: nothing goes without it; ``create``: only a side that is opened; ``comments`` and
#: ``history``: only where those are read; ``safety``: the work goes on, but not as it should
PURPOSES = ("work", "create", "comments", "history", "safety")


@dataclass(frozen=True, slots=True)
class State:
    """A state as admins spell it, and its category."""

    name: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A way out of a state. ``needs`` are the native fields that must be filled on the way and that nothing fills by
    itself, each with the values it takes (none: any)."""

    to: str
    name: str = ""
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NativeField:
    """A native field. ``type`` is one of the file's field types. ``choices`` are value -> label, in the tracker's
    order, as the file spells the values (none: any value). ``required``: a new item cannot be without it, and the
    tracker fills in nothing. ``writable``: whether we may write it; ``refers``: its values are the names of records,
    which are looked up when they are written. ``meaning``: what it is in common words, where the connector knows
    (summary, description, priority, labels ...)."""

    name: str
    label: str = ""
    type: str = "text"
    choices: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    writable: bool = True
    refers: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """What the items of one scope are made of.

    ``steps`` are by the state they begin in; a state that is missing there is one whose steps are not known.
    ``supplied`` are native fields that every creation fills without the file. ``channels`` are those that not every
    tracker of the kind has (``role:NAME``), each with why we cannot write to it: empty where we can, ``None`` where
    that is not known; ``channels`` is ``None`` where they are not known at all. ``marks`` are the fields that carry
    our mark. ``private`` are the channels, or their beginnings, that not everyone on the item reads. ``scales`` are
    meanings that several native fields share: from the highest value down, the ways to spell it. ``current`` are the
    values that ``@current`` stands for today (empty: there is none), where they could be asked for.
    """

    states: tuple[State, ...] = ()
    fields: Mapping[str, NativeField] = field(default_factory=dict)
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    supplied: frozenset[str] = frozenset()
    channels: Mapping[str, str | None] | None = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    scales: Mapping[str, tuple[tuple[Spelling, ...], ...]] = field(default_factory=dict)
    current: Mapping[str, str] = field(default_factory=dict)

    def state(self, name: str) -> State | None:
        return next((state for state in self.states if state.name == name), None)


@dataclass(frozen=True, slots=True)
class Right:
    """A right under the tracker's own name. ``wanted``: we need it; else it is more than we need. ``held`` is
    ``None`` where that cannot be told, and ``because`` says why. ``where`` is what it is for (project CSPM).
    ``instead`` is what to do where it is missing, if that is not to grant it."""

    name: str
    held: bool | None
    why: str
    wanted: bool = True
    purpose: str = "work"
    where: str = ""
    side: str = ""
    because: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the tracker that the admin should change, or know, and what to do."""

    what: str
    instead: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be found out, and why."""

    what: str
    because: str
    side: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """``zone`` is our account's time zone, empty where it could not be read and ``None`` where no answer of the
    tracker depends on it; ``zone_matters`` says what does. ``ahead`` is how far the tracker's clock is before ours."""

    product: str
    version: str = ""
    account: str = ""
    zone: str | None = None
    zone_matters: str = ""
    ahead: timedelta | None = None
    rights: tuple[Right, ...] = ()
    items: Mapping[str, Items] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where items of one kind live, in the words of the admin's file: a table, or a project and a type. ``side`` is
    a name that people commonly give such items; ``label`` what the tracker calls them."""

    table: str = ""
    project: str = ""
    type: str = ""
    label: str = ""
    side: str = ""

    def __str__(self) -> str:
        return self.table or "/".join(filter(None, (self.project, self.type)))


@runtime_checkable
class Describes(Protocol):
    """A connector that can tell what its tracker is like. Both calls only read, and raise the named failures."""

    def describe(self, scopes: Sequence[Scope]) -> Description:
        """What the tracker says of itself and of the scopes. After ``open``."""
        ...

    def places(self, project: str = "") -> Sequence[Place]:
        """Where a side could live, of what our account may see: tables, or projects (without a type); of a project
        that is named, its types of items. Signs in; needs no ``open``."""
        ...


def ahead(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far the tracker's clock is before ours, by the ``Date`` of an answer that just came; ``None`` where it has
    none. Whole seconds: HTTP dates have no fraction."""
    try:
        told = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError, TypeError):
        return None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)) - now.replace(microsecond=0)
