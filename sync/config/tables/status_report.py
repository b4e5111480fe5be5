"""The status report of a period: which records it counts, what their states count as, releases and maintenance."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import PlainValidator

from sync.config.tables.base import Table, says
from sync.config.values import AnyNative, FrozenFor, Texts, Wrong, schema_of


def whole_day(value: object) -> date:
    """A day, as TOML knows it or in quotes. Raises ``Wrong``."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Wrong("is not a day", 'write "2026-11-30"') from None


WholeDay = Annotated[date, PlainValidator(whole_day), schema_of("string", format="date")]


class StatusRow(Table):
    """A row of the report."""

    name: str = says("What the report calls it.", min_length=1)
    is_: Texts = says("The states that count as it; one with hold reasons stands for each of them.", alias="is")
    counts: Literal["new", "open", "resolved", "closed"] = says("What a record in it is.", "open")
    means: str = says("What the report says it means.", "")


class Counted(Table):
    """Records that the report counts."""

    side: str = says("The side whose tracker has them.")
    table: str = says("Another table than the side's.", "")
    project: str = says("Another project than the side's.", "")
    type: Texts = says("Other types than the side's.", [])
    scope: dict[str, AnyNative] | None = says("Another scope than the side's: field = value or [values].", None)
    exclude: dict[str, AnyNative] = says("Queues left out, named in the report: field = value or [values].", {})
    states: list[StatusRow] = says("The rows, in their order.", [])
    opened: str = says("The field that says when one was opened; without it the tracker's own date.", "")
    title: str = says("The field that says what one is about.", "")
    note: str = says("A sentence below the charts and tables that count them.", "")


class IncidentsTable(Counted):
    """Incidents."""

    resolved: str = says("The field that says when one was resolved; without it the history tells.", "")
    closed: str = says("The field that says when one was closed; without it the history tells.", "")
    resolution: str = says("The field of how one was resolved.", "")
    category: str = says("The field of what one is about.", "")
    other: list[str] = says("Categories that are shown together, as Other.", [])
    triage: dict[str, AnyNative] | None = says("Whose triage counts, those handed on too: a scope of its own.", None)


class ProblemsTable(Counted):
    """Problems."""

    resolved: str = says("The field that says when one was resolved; without it the history tells.", "")
    closed: str = says("The field that says when one was closed; without it the history tells.", "")


class DefectsTable(Counted):
    """Production defects."""

    closed: str = says("The field that says when one was closed; without it the history tells.", "")
    severity: str = says("The field of its severity.", "")
    severities: list[str] = says("Severities that always have a row, in their order.", [])
    release: str = says("The field of the release that fixes it.", "")
    area: str = says("The field of the part of the product it is in.", "")
    months: int = says("How many months the backlog shows.", 12, ge=1, le=60)


class EnhancementsTable(Counted):
    """Enhancements that releases hold beside defects."""

    release: str = says("The field of the release that brings it.", "")
    area: str = says("The field of the part of the product it is in.", "")


class RequestsTable(Counted):
    """Requests for research."""

    called: str = says("What the report calls them.", "Requests for research")


class FollowUpsTable(Counted):
    """Incidents that are followed up."""

    impact: str = says("The field of what they keep people from.", "")
    owner: str = says("The field of who works on them.", "")


class ReleaseTable(Table):
    """A release."""

    name: str = says("Its name, as the field of the release spells it.", min_length=1)
    day: WholeDay = says("Its day.", alias="date")
    kind: str = says("Monthly, Priority, Emergency ...", "")
    areas: list[str] = says("The parts its summary speaks of; without them all.", [])
    status: str = says("The line on its development.", "")


class MaintenanceTable(Table):
    """A window of maintenance."""

    window: FrozenFor = says("From and to, in the zone of bot.timezone.")
    text: str = says("What is done.", min_length=1)
    outage: bool = says("It is a planned outage.", False)


class ThresholdTable(Table):
    """When a topic of the dashboard is no longer green."""

    yellow: int = says("From so many on it is yellow; 0: never.", 0, ge=0)
    red: int = says("From so many on it is red; 0: never.", 0, ge=0)


class DashboardTable(Table):
    """The dashboard's thresholds."""

    incidents: ThresholdTable = says("Open incidents.", ThresholdTable())
    defects: ThresholdTable = says("Active defects.", ThresholdTable())


class StatusReportTable(Table):
    """The status report of a period."""

    title: str = says("Its title.", "Status report")
    product: str = says("What is released.", "")
    team: str = says("Whose work it is, as its sentences call them.", "team")
    since: WholeDay = says("Where counts over all time begin, such as the day the product went live.")
    week: Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] = says("The day a week starts on.", "Mon")
    kinds: list[str] = says("Kinds of release that are named where there was none too.", [])
    incidents: IncidentsTable | None = says("Incidents.", None)
    problems: ProblemsTable | None = says("Problems.", None)
    defects: DefectsTable | None = says("Production defects.", None)
    enhancements: EnhancementsTable | None = says("Enhancements.", None)
    requests: RequestsTable | None = says("Requests for research.", None)
    follow_ups: FollowUpsTable | None = says("Incidents that are followed up.", None)
    releases: list[ReleaseTable] = says("Releases.", [])
    maintenance: list[MaintenanceTable] = says("Windows of maintenance.", [])
    dashboard: DashboardTable = says("The dashboard's thresholds.", DashboardTable())
