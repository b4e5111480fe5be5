"""A record as the report counts it: what it was at the end of the period, and when it came there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mappings.fields import Common, Field
from mappings.model import Moved, Record
from sync.report.asked import Population, Status
from sync.report.period import Period

DONE = ("resolved", "closed")


@dataclass(frozen=True, slots=True)
class Item:
    """One record. ``status`` is the row its state belonged to when the period ended (``None``: the file lists that
    state nowhere). ``values`` are the common values by the part they play. ``triaged`` is when it first left the
    states that count as new; ``blind``: its tracker shows no history that would tell."""

    key: str
    url: str
    title: str
    state: str
    status: Status | None
    opened: datetime
    moved: datetime
    triaged: datetime | None = None
    resolved: datetime | None = None
    closed: datetime | None = None
    blind: bool = False
    values: Mapping[str, Common] = field(default_factory=dict)

    @property
    def counts(self) -> str:
        """What its state counts as; one that is listed nowhere counts as nothing."""
        return self.status.counts if self.status else ""

    @property
    def name(self) -> str:
        return self.status.name if self.status else self.state

    def text(self, part: str, empty: str = "(empty)") -> str:
        """A value as the reader sees it."""
        value = self.values.get(part)
        if isinstance(value, tuple):
            return ", ".join(value) or empty
        return empty if value in (None, "") else str(value)

    def texts(self, part: str) -> tuple[str, ...]:
        """The values of a field that may have several."""
        value = self.values.get(part)
        return value if isinstance(value, tuple) else () if value in (None, "") else (str(value),)


def items(
    records: Iterable[Record],
    histories: Mapping[str, Sequence[Moved]],
    population: Population,
    fields: Mapping[str, Field],
    period: Period,
) -> tuple[Item, ...]:
    """Those that were there when the period ended, in the order of their keys. ``histories`` by id, each whole; a
    record that last changed before the period needs none."""
    made = (
        item(record, histories.get(record.ref.id), population, fields, period)
        for record in records
        if record.in_scope and not excluded(record, population)
    )
    return tuple(sorted((one for one in made if one), key=lambda one: (len(one.key), one.key)))


def excluded(record: Record, population: Population) -> bool:
    """Whether it stands in a queue that the file leaves out."""
    return any(set(each_of(record.fields.get(name))) & set(values) for name, values in population.excluded)


def each_of(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()


def item(
    record: Record,
    history: Sequence[Moved] | None,
    population: Population,
    fields: Mapping[str, Field],
    period: Period,
) -> Item | None:
    """``None`` for a record that came after the period."""
    values = {part: value(record, fields[name], population.side) for part, name in population.fields.items()}
    opened = moment(values.get("opened")) or record.created
    if opened >= period.end:
        return None
    known = sorted((m for m in history or () if m.what == "state"), key=lambda m: m.at)
    moves = [moved for moved in known if moved.at < period.end]
    state = state_then(record, known, moves, population, period)
    status = population.status(state)
    reach = Reach(population, record, moves, period)
    closed = reach.time("closed", values, status)
    return Item(
        key=record.key,
        url=record.url,
        title=str(values.get("title") or ""),
        state=state,
        status=status,
        opened=opened,
        moved=max((moved.at for moved in moves), default=opened),
        triaged=triaged(status, history, moves, opened, population),
        resolved=reach.time("resolved", values, status),
        closed=closed,
        blind=history is None and record.updated >= period.start and bool(status and status.counts != "new"),
        values=values,
    )


def triaged(
    status: Status | None,
    history: Sequence[Moved] | None,
    moves: Sequence[Moved],
    opened: datetime,
    population: Population,
) -> datetime | None:
    """When it first left the states that count as new: at once, where it never was in one. ``None`` where it has not,
    or nothing tells when."""
    left = next((moved.at for moved in moves if counts(population, moved.new) != "new"), None)
    if left or history is None or status is None or status.counts == "new":
        return left
    return opened


def value(record: Record, field: Field, side: str) -> Common:
    """The common value; where a value map has no line for it, what the tracker shows."""
    if side not in field.natives:
        return None
    spelling = field.spelled(side, record.fields)
    meanings = field.meanings(side, spelling)
    if meanings:
        return meanings[0]
    shown = [part for _, native in spelling for part in each_of(native)]
    return ", ".join(shown) or None


def moment(value: Common) -> datetime | None:
    """A date-time as trackers write them, UTC where it names no zone; ``None`` for what is none."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def state_then(
    record: Record, known: Sequence[Moved], moves: Sequence[Moved], population: Population, period: Period
) -> str:
    """The state when the period ended: the record's own unless it moved since; before its first move it was in the
    first state of the file's first row."""
    if record.updated < period.end or not known:
        return record.state
    if moves:
        return moves[-1].new
    return population.statuses[0].states[0] if population.statuses else record.state


def counts(population: Population, state: str) -> str:
    status = population.status(state)
    return status.counts if status else ""


@dataclass(frozen=True, slots=True)
class Reach:
    """When a record came to be resolved or closed, and stayed so up to the end of the period."""

    population: Population
    record: Record
    moves: Sequence[Moved]
    period: Period

    def time(self, what: str, values: Mapping[str, Common], status: Status | None) -> datetime | None:
        """By the field that the file names for it, else by the history, else by the record's last change."""
        there = ("closed",) if what == "closed" else DONE
        if what in self.population.fields:
            at = moment(values.get(what))
            return at if at and at < self.period.end else self.by_history(there, status) if at else None
        return self.by_history(there, status)

    def by_history(self, there: tuple[str, ...], status: Status | None) -> datetime | None:
        if status is None or status.counts not in there:
            return None
        before, at = "", None
        for moved in self.moves:
            now = counts(self.population, moved.new)
            if now in there and before not in there:
                at = moved.at
            before = now
        return at or min(self.record.updated, self.period.end)
