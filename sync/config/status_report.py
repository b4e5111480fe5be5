"""The status report: its records, rows, releases and windows, checked and resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mappings.model import Native, Scope
from sync.config.desk import Desk
from sync.config.places import alternatives, misplaced
from sync.config.places import scope as scope_of
from sync.config.problems import KeyPath, quoted
from sync.config.tables.status_report import (
    Counted,
    DefectsTable,
    IncidentsTable,
    ReleaseTable,
    StatusReportTable,
    ThresholdTable,
)
from sync.report.asked import Maintenance, Population, Release, Status, StatusReport, Threshold

AT = "status_report"
#: the parts of the report that count records
PARTS = ("incidents", "problems", "defects", "enhancements", "requests", "follow_ups")
#: keys that name a declared field
ROLES = ("opened title resolved closed resolution category severity release area impact owner").split()
#: those without which a part says nothing
NEEDED: Mapping[str, tuple[str, ...]] = {"defects": ("severity", "release"), "enhancements": ("release",)}
#: those that count rows of the report, and so need some
ROWED = ("incidents", "problems", "defects", "requests", "follow_ups")
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def status_report(desk: Desk) -> StatusReport | None:
    """What the file asks for; ``None`` where it has no such section."""
    said = desk.file.status_report
    if said is None:
        return None
    populations = dict(counted(desk, said))
    if not populations:
        what = "the report counts nothing"
        desk.report.wrong((AT,), what, "write [status_report.incidents], or another of its parts")
    return StatusReport(
        title=said.title,
        product=said.product,
        team=said.team,
        since=said.since,
        zone=desk.zone,
        week=WEEK.index(said.week),
        populations=populations,
        other=tuple(said.incidents.other) if said.incidents else (),
        severities=tuple(said.defects.severities) if said.defects else (),
        months=said.defects.months if said.defects else DefectsTable.model_fields["months"].default,
        requests=said.requests.called if said.requests else "",
        kinds=tuple(said.kinds),
        releases=releases(desk, said),
        maintenance=tuple(Maintenance(*one.window, one.text, one.outage) for one in said.maintenance),
        thresholds={
            "incidents": threshold(desk, "incidents", said.dashboard.incidents),
            "defects": threshold(desk, "defects", said.dashboard.defects),
        },
    )


def counted(desk: Desk, said: StatusReportTable) -> Iterator[tuple[str, Population]]:
    """The populations of the parts that the file has, and the one whose triage counts."""
    for name in PARTS:
        part: Counted | None = getattr(said, name)
        if part is None:
            continue
        made = population(desk, name, part)
        yield name, made
        if isinstance(part, IncidentsTable) and part.triage is not None:
            wider = replace(made.scope, where=narrowed(part.triage), query="")
            yield "triage", replace(made, name="triage", scope=wider)


def population(desk: Desk, name: str, said: Counted) -> Population:
    path: KeyPath = (AT, name)
    known = desk.known("sides", said.side, (*path, "side")) and said.side in desk.file.sides
    kind = desk.kind_of(said.side)
    places = {key for key in ("table", "project", "type") if getattr(said, key)}
    if kind:
        misplaced(desk, path, places, (*kind.side_keys, *kind.side_may), kind)
    fields = dict(roles(desk, path, said)) if known else {}
    for key in NEEDED.get(name, ()):
        if not getattr(said, key):
            instead = f'write {key} = "..." (fields: {quoted(on_side(desk, said))})'
            desk.report.wrong(path, f"{name} need {key}", instead)
    return Population(
        name=name,
        side=said.side,
        tracker=desk.file.sides[said.side].tracker if known else "",
        scope=scope(desk, said, fields) if known else Scope(name, ""),
        statuses=statuses(desk, path, name, said),
        fields=fields,
        excluded=narrowed(said.exclude),
        note=said.note,
    )


def roles(desk: Desk, path: KeyPath, said: Counted) -> Iterator[tuple[str, str]]:
    """The declared fields by the part they play; each must be there on the side."""
    for role in ROLES:
        name = getattr(said, role, "")
        if not name or not desk.known("fields", name, (*path, role)) or name not in desk.file.fields:
            continue
        if said.side not in (desk.file.fields[name].__pydantic_extra__ or {}):
            what = f"{said.side} does not have the field {name}"
            desk.report.wrong((*path, role), what, f'write {said.side} = "..." in [fields.{name}]')
            continue
        yield role, name


def on_side(desk: Desk, said: Counted) -> list[str]:
    return [name for name, field in desk.file.fields.items() if said.side in (field.__pydantic_extra__ or {})]


def scope(desk: Desk, said: Counted, fields: Mapping[str, str]) -> Scope:
    """The side's scope, with what the part says otherwise, asking for the part's fields alone."""
    own = scope_of(desk, said.side, desk.file.sides[said.side])
    where = own.where if said.scope is None else narrowed(said.scope)
    natives = [native for name in fields.values() for native in desk.file.fields[name].__pydantic_extra__[said.side]]
    return replace(
        own,
        table=said.table or own.table,
        project=said.project or own.project,
        types=tuple(said.type) or own.types,
        where=where,
        query=own.query if said.scope is None else "",
        fields=tuple(dict.fromkeys(natives)),
    )


def narrowed(scope: Mapping[str, Native]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((key, alternatives(value)) for key, value in scope.items())


def statuses(desk: Desk, path: KeyPath, name: str, said: Counted) -> tuple[Status, ...]:
    """The rows; a name and a state stand once."""
    at: KeyPath = (*path, "states")
    if not said.states and name in ROWED:
        instead = 'write states = [{ name = "New", is = ["New"], counts = "new" }, ...]'
        desk.report.wrong(path, f"{name} have no states, so nothing could be counted", instead)
    rows: dict[str, int] = {}
    states: dict[str, str] = {}
    for place, row in enumerate(said.states):
        if rows.setdefault(row.name, place) != place:
            desk.report.wrong((*at, place, "name"), f'"{row.name}" is another row already', "make one row of the two")
        for state in row.is_:
            if states.setdefault(state, row.name) != row.name:
                what = f'"{state}" counts as {states[state]} already'
                desk.report.wrong((*at, place, "is"), what, "name it in one row")
    if isinstance(said, IncidentsTable) and said.states and not any(row.counts == "new" for row in said.states):
        instead = 'write counts = "new" in the row of those that nobody has looked at'
        desk.report.wrong(at, "no row counts as new, so nothing is ever triaged", instead)
    return tuple(Status(row.name, tuple(row.is_), row.counts, row.means) for row in said.states)


def releases(desk: Desk, said: StatusReportTable) -> tuple[Release, ...]:
    """Each named once, of a kind that the file knows."""
    return tuple(release(desk, place, one, said) for place, one in enumerate(said.releases))


def release(desk: Desk, place: int, said: ReleaseTable, whole: StatusReportTable) -> Release:
    path: KeyPath = (AT, "releases", place)
    if said.name in [one.name for one in whole.releases[:place]]:
        desk.report.wrong((*path, "name"), f'the release "{said.name}" stands above already', "keep one of the two")
    if said.kind and whole.kinds and said.kind not in whole.kinds:
        what = f'there is no kind of release "{said.kind}"'
        desk.report.wrong((*path, "kind"), what, f"name one of {quoted(whole.kinds)}, or add it to kinds")
    if said.areas and not any(part and part.area for part in (whole.defects, whole.enhancements)):
        what = "no field tells the part of the product that a defect or an enhancement is in"
        desk.report.wrong((*path, "areas"), what, 'write area = "..." in [status_report.defects], or remove areas')
    return Release(said.name, said.day, said.kind, tuple(said.areas), said.status)


def threshold(desk: Desk, name: str, said: ThresholdTable) -> Threshold:
    if said.red and said.yellow >= said.red:
        what = f"red from {said.red} on leaves no yellow from {said.yellow} on"
        desk.report.wrong((AT, "dashboard", name), what, "write a red that is above yellow")
    return Threshold(said.yellow, said.red)
