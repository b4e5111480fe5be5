"""Dates: one day of the calendar, whatever way each tracker spells it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mappings.days import day_of, is_day, midnight
from mappings.fields import Field
from sandbox.clock import SandboxClock
from sandbox.estate import SERVICENOW_PASSWORD, Estate
from sandbox.jira import Jira, defaults
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import Field as JiraField
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import Model
from sandbox.story import MORNING
from sync.config import ConfigProblems
from tests.world import ANA, CHEN, RITA, World
from tests.world import writes as sent

ANGELES, KOLKATA, HAVANA = "America/Los_Angeles", "Asia/Kolkata", "America/Havana"


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-11-30", ANGELES, "2026-11-30"),
        ("2026-11-30T08:00:00Z", ANGELES, "2026-11-30"),
        ("2026-11-30T00:00:00Z", ANGELES, "2026-11-30"),
        ("2026-11-29T18:30:00Z", KOLKATA, "2026-11-30"),
        ("2026-12-01 00:00:00", ANGELES, "2026-11-30"),
        ("2026-12-01 01:00:00", ANGELES, "2026-11-30"),
        ("2026-11-30T00:00:00.000-0800", ANGELES, "2026-11-30"),
        ("2026-11-30T23:30:00.000-0800", KOLKATA, "2026-12-01"),
    ],
)
def test_every_spelling_of_a_tracker_is_a_day_of_the_files_zone(text: str, zone: str, day: str) -> None:
    """What tools write at midnight UTC is the day they name; a time without a zone is UTC."""
    assert day_of(text, zone) == day


@pytest.mark.parametrize("text", ["soon", "2026-02-30", "2026-W48-1", "20261130", "2026-11", "9999-12-31T23:59:59Z"])
def test_what_is_no_day_has_no_meaning(text: str) -> None:
    due = Field("due", "date", {"defect": ("duedate",)}, zone=KOLKATA)
    assert due.meanings("defect", (("duedate", text),)) == () and not is_day(text)


@pytest.mark.parametrize("zone", [ANGELES, KOLKATA, HAVANA, "UTC", "Pacific/Kiritimati"])
@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2026-12-31", "2027-01-01"])
def test_a_days_own_midnight_is_that_day_even_where_clocks_leave_midnight_out(zone: str, day: str) -> None:
    at = midnight(day, zone)
    assert day_of(f"{at:%Y-%m-%d %H:%M:%S}", zone) == day == day_of(f"{at:%Y-%m-%dT%H:%M:%SZ}", zone)


# ── over three trackers ──────────────────────────────────────────────────────────────────────────────────────────

DUE = """
[fields.due]
type     = "date"
incident = "due_date"
defect   = "duedate"
pbi      = "Microsoft.VSTS.Scheduling.DueDate"
[[routes]]"""


def due(text: str) -> str:
    assert f'timezone = "{ANGELES}"' in text
    return text.replace("\n[[routes]]", DUE, 1)


def test_one_day_stands_in_three_trackers_and_nobody_sees_the_day_before(tmp_path: Path) -> None:
    """ServiceNow and Azure DevOps keep instants: midnight where the file's people are. (jira-azuredevops-migrator #692
    tells of days that became the day before.)"""
    world = World(tmp_path, due)
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    incident, defect, pbi = world.linked()
    jira.update(defect, {"duedate": "2026-11-30"}, by=ANA)
    world.settle()
    assert snow.item(incident)["due_date"] == "2026-11-30 08:00:00"
    assert azure.item(int(pbi))["Microsoft.VSTS.Scheduling.DueDate"] == "2026-11-30T08:00:00Z"
    azure.update(int(pbi), {"Microsoft.VSTS.Scheduling.DueDate": "2026-12-24T00:00:00Z"}, by=CHEN)
    world.settle()
    assert (jira.item(defect)["duedate"], snow.item(incident)["due_date"]) == ("2026-12-24", "2026-12-24 08:00:00")
    snow.update(incident, {"due_date": "2026-12-29 01:30:00"}, by=RITA)
    world.settle()
    assert jira.item(defect)["duedate"] == "2026-12-28"
    assert azure.item(int(pbi))["Microsoft.VSTS.Scheduling.DueDate"] == "2026-12-28T08:00:00Z"
    with world.counting() as asked:
        world.reconcile()
    assert sent(asked) == []
    snow.update(incident, {"due_date": "2026-12-29 02:30:00"}, by=RITA)
    with world.counting() as asked:
        world.settle()
    assert sent(asked) == []  # another hour of the same day
    jira.update(defect, {"duedate": None}, by=ANA)
    world.settle()
    assert snow.item(incident).get("due_date", "") == ""
    assert "Microsoft.VSTS.Scheduling.DueDate" not in azure.item(int(pbi))
    world.close()


AT = "customfield_10050"
KINDS = DUE.replace('"due_date"', '"u_due"').replace('"duedate"', f'"{AT}"')


def with_other_kinds() -> Estate:
    """A ServiceNow that keeps the day as a day, and a Jira that keeps it as an instant."""
    clock = SandboxClock(MORNING)
    model = Model(extra=(Column("u_due", "Due", "glide_date"),))
    snow = ServiceNow("servicenow", clock, users={"lockstep": SERVICENOW_PASSWORD}, model=model)
    snow.data.named("sys_user_group", "API Support")
    first, *others = defaults.projects()
    bug = replace(first.types[0], create=(*first.types[0].create, AT), edit=(*first.types[0].edit, AT))
    projects = (replace(first, types=(bug, *first.types[1:])), *others)
    fields = (*defaults.FIELDS, JiraField(AT, "Deliver at", "datetime"))
    return Estate(
        clock=clock, servicenow=snow, jira=Jira("jira", clock, projects=projects, fields=fields, zone=KOLKATA)
    )


def test_a_column_of_days_is_written_days_and_a_field_of_instants_their_midnight(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace("\n[[routes]]", KINDS, 1), with_other_kinds())
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    incident = world.incident(u_due="2026-11-30")
    snow.move(incident, "In Progress", by=RITA)
    world.settle()
    (defect,) = jira.ids()
    assert jira.item(defect)[AT] == "2026-11-30T08:00:00.000+0000"
    jira.update(defect, {AT: "2026-12-02T23:30:00.000-0800", "labels": ["dev", "lockstep-demo"]}, by=ANA)
    world.settle()
    assert snow.item(incident)["u_due"] == "2026-12-02"
    (pbi,) = azure.ids()
    assert azure.item(pbi)["Microsoft.VSTS.Scheduling.DueDate"] == "2026-12-02T08:00:00Z"
    with pytest.raises(Rejected):
        jira.update(defect, {AT: "2026-12-03"}, by=ANA)
    snow.update(incident, {"u_due": "soon"}, by=RITA)
    assert snow.item(incident)["u_due"] == "2026-12-02"
    world.close()


@pytest.mark.parametrize(
    ("added", "what"),
    [
        ("""values = [{ is = "30.11.2026", defect = "x" }]""", "the field due is of type date"),
        ("""[[rules]]\nid = "late"\nquiet = "1d"\nwhen = 'due < "30.11.2026"'\n[[rules.steps]]\nteams = "triage"\n"""
         """text = "late" """, 'due is a date, and "30.11.2026" is no day'),
    ],
)  # fmt: skip
def test_nonsense_in_place_of_a_day_is_refused_with_its_line(tmp_path: Path, added: str, what: str) -> None:
    with pytest.raises(ConfigProblems, match=what):
        World(tmp_path, lambda text: due(text).replace("\n[[routes]]", f"\n{added}\n[[routes]]", 1))
