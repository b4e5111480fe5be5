"""What a report reads: every record of its populations, and the histories that its period needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.base import Clock, Connector, Garbled
from mappings.disclosure import Mask, masked
from mappings.model import Moved, Native, Record, Scope
from sync.report.asked import Population, StatusReport
from sync.report.period import Period
from sync.setup import Setup, TrackerSettings

Connect = Callable[[TrackerSettings, Clock], Connector]


@dataclass(slots=True)
class Gathered:
    """Records and histories (by id) by population; ``problems`` are names in the file that a tracker does not have,
    ``months`` how far back the backlog goes, ``unread`` says of which items nothing is known, and why."""

    months: int = 12
    records: dict[str, Sequence[Record]] = field(default_factory=dict)
    histories: dict[str, Mapping[str, Sequence[Moved]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def gather(setup: Setup, asked: StatusReport, period: Period, clock: Clock, connect: Connect) -> Gathered:
    """Asks each tracker once, for all the populations in it. Raises the connectors' failures: a report that lacks a
    part would be believed; single items that are not understood are named in it. Where a tracker does not know a name
    in the file, nothing is read."""
    found = Gathered(asked.months)
    for name in dict.fromkeys(one.tracker for one in asked.populations.values()):
        connector = connect(setup.trackers[name], clock)
        try:
            visit(connector, [one for one in asked.populations.values() if one.tracker == name], setup, period, found)
        finally:
            connector.close()
    return found


def visit(
    connector: Connector, populations: Sequence[Population], setup: Setup, period: Period, found: Gathered
) -> None:
    """One tracker."""
    scopes = {one.name: scope(one, setup) for one in populations}
    opening = connector.open(list(scopes.values()))
    found.problems += [f"{side}: {sentence}" for side, _, sentence in opening.problems]
    if found.problems:
        return
    for one in populations:
        seen, strange = everything(connector, scopes[one.name])
        found.unread += [f"{one.name}: {id} could not be read: {reason}" for id, reason in strange.items()]
        records = [without(record, setup.masks) for record in seen]
        found.records[one.name] = records
        moved = [(record, 0) for record in records if record.updated >= since(one, period, found.months)]
        found.histories[one.name] = connector.history(scopes[one.name], moved) if moved else {}


def scope(population: Population, setup: Setup) -> Scope:
    """The population's scope, as the trackers are asked: with the fields its queues are told by."""
    own = population.scope
    fields = dict.fromkeys((*own.fields, *(name for name, _ in population.excluded)))
    return replace(own, mark=own.mark or setup.mark, side=population.name, fields=tuple(fields))


def everything(connector: Connector, scope: Scope) -> tuple[tuple[Record, ...], dict[str, str]]:
    """Every record in scope, closed ones too, by the change query from the beginning; and by id why others are not
    understood."""
    found: dict[str, Record] = {}
    strange: dict[str, str] = {}
    for page in connector.changes(scope, ""):
        unread = [notice.ref.id for notice in page.notices if notice.record is None]
        try:
            read = connector.read(scope, unread).values() if unread else ()
        except Garbled as garbled:
            read, strange = garbled.found.values(), {**strange, **garbled.reasons}
        records = [*(notice.record for notice in page.notices), *read]
        found |= {record.ref.id: record for record in records if record is not None and record.in_scope}
    return tuple(found.values()), strange


def without(record: Record, masks: Sequence[Mask]) -> Record:
    """A record without what never crosses: the report is read by others."""

    def cleared(value: Native) -> Native:
        texts = tuple(masked(one, masks) for one in value) if isinstance(value, tuple) else ()
        return texts or (masked(value, masks) if isinstance(value, str) else value)

    return replace(record, fields={name: cleared(value) for name, value in record.fields.items()}) if masks else record


def since(population: Population, period: Period, months: int) -> datetime:
    """From when on histories count: the period, or the first month of a backlog that no field tells the closing of."""
    if population.name == "defects" and "closed" not in population.fields:
        return period.instant(period.months(months)[0])
    return period.start
