"""The whole file."""

from __future__ import annotations

from sync.config.tables.base import Table, says
from sync.config.tables.bot import Bot, Freeze, Guard
from sync.config.tables.notices import NoticesTable
from sync.config.tables.people import HookTable, MailTable, PartyTable, People, Teams
from sync.config.tables.places import Side, Tracker
from sync.config.tables.process import FieldTable, RouteTable, StageTable
from sync.config.tables.reports import ReportTable
from sync.config.tables.rules import RuleTable
from sync.config.tables.status_report import StatusReportTable
from sync.config.tables.talk import Comments, Disclosure


class File(Table):
    """The whole file."""

    bot: Bot = says("Lockstep itself.")
    guard: Guard = says("What stops a pass that would do too much.", Guard())
    freeze: Freeze = says("When nothing is written.", Freeze())
    trackers: dict[str, Tracker] = says("Who we talk to.", {})
    sides: dict[str, Side] = says("The kinds of item links are made of.", {})
    parties: dict[str, PartyTable] = says("Whose move it can be.", {})
    stages: list[StageTable] = says("Where the work stands, in order.", [])
    routes: list[RouteTable] = says("Who opens what; the first that matches wins.", [])
    fields: dict[str, FieldTable] = says("Every name used in a condition or a text.", {})
    comments: list[Comments] = says("Which comments cross.", [])
    disclosure: Disclosure = says("What never crosses.", Disclosure())
    rules: list[RuleTable] = says("What happens when work stalls.", [])
    reports: list[ReportTable] = says("Listings that go out at their time.", [])
    status_report: StatusReportTable | None = says("The status report of a period.", None)
    people: People = says("Who is who.", People())
    notices: NoticesTable | None = says("How people are spared.", None)
    mail: MailTable | None = says("How mail goes out.", None)
    teams: dict[str, Teams] = says("Channels of Microsoft Teams.", {})
    webhooks: dict[str, HookTable] = says("Addresses that are posted JSON to.", {})
