"""The playbook benefitscal, told as its document tells it: the bi-weekly status report, from raw records to the printed
figures, through the real clients."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mappings.model import Record
from sandbox.estate import Estate
from sandbox.premises.benefitscal import QUESTIONS, QUEUE, SAM, TARA
from sandbox.story import MORNING
from sync.commands.status_reports import files, reported
from sync.compose import connect
from sync.config import load
from sync.report.asked import StatusReport
from sync.report.gather import Gathered, gather
from sync.report.period import Period
from sync.report.table import Cell
from sync.report.tables import Tables, tables
from sync.setup import Setup
from tests.benefitscal import AGES, ANA, FIRST, FOLLOWED, IMPACT, LAST, PRINTED, REQUESTS, at, estate, played
from tests.playbook import PLACES, SECRETS, SHELF, Playbook, Premises
from tests.world import copies_of

# the mail server asks for a password on loopback, where nothing need be encrypted
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

Place = tuple[str, int, str, str]


def playbook(estate: Estate, folder: Path) -> Path:
    """The shipped file, with only the addresses replaced."""
    text = (SHELF / "benefitscal.toml").read_text(encoding="utf-8")
    for tracker in ("servicenow", "jira"):
        assert text.count(f'"{PLACES[tracker]}"') == 1
        text = text.replace(f'"{PLACES[tracker]}"', f'"{estate.urls[tracker]}"')
    (folder / "people.csv").write_bytes((SHELF / "benefitscal.csv").read_bytes())
    path = folder / "lockstep.toml"
    path.write_text(text, encoding="utf-8")
    return path


@dataclass
class Town:
    """The trackers on the evening of the period's last day, the file, and what the report read of them."""

    estate: Estate
    setup: Setup
    gathered: Gathered

    @property
    def asked(self) -> StatusReport:
        assert self.setup.status_report is not None
        return self.setup.status_report

    def period(self) -> Period:
        return Period(FIRST, LAST, self.setup.zone, self.estate.clock.now())

    def report(self) -> Tables:
        """Read anew."""
        return reported(self.setup, self.asked, self.period(), self.estate.clock)

    def record(self, population: str, fits: Callable[[Record], bool], turn: int = 0) -> Record:
        """The one in that place of those that fit."""
        return [record for record in self.gathered.records[population] if fits(record)][turn]

    def tables(self, population: str, record: Record, *, blind: bool = False) -> Tables:
        """The report with that record in the place of the one that was read; ``blind``: without its history."""
        records = [record if one.ref == record.ref else one for one in self.gathered.records[population]]
        histories = dict(self.gathered.histories[population])
        if blind:
            histories.pop(record.ref.id)
        return tables(
            {**self.gathered.records, population: records},
            {**self.gathered.histories, population: histories},
            self.asked,
            self.setup.fields,
            self.period(),
        )

    def changing(self, population: str, record: Record, **changes: Any) -> dict[Place, tuple[Cell | None, Cell | None]]:
        """The cells that are not as they were once the record is changed so."""
        g = self.gathered
        before = tables(g.records, g.histories, self.asked, self.setup.fields, self.period())
        return changed(before, self.tables(population, replace(record, **changes)))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    estate = played()
    setup = load(playbook(estate, tmp_path_factory.mktemp("benefitscal")), SECRETS)
    made = Town(estate, setup, Gathered())
    made.gathered = gather(setup, made.asked, made.period(), estate.clock, connect)
    yield made
    estate.stop()


@pytest.fixture(scope="module")
def printed(town: Town) -> Tables:
    return town.report()


def sentences(tables: Tables) -> list[str]:
    return [
        sentence
        for section in tables.sections
        for part in section.parts
        if isinstance(part, tuple)
        for sentence in part
    ]


# ── the figures as they were printed ─────────────────────────────────────────────────────────────────────────────────


def test_agenda_and_dashboard_are_as_printed(printed: Tables) -> None:
    assert printed.period == "November 6, 2023 to November 19, 2023"
    assert printed.table("agenda").rows == (
        ("BenefitsCal Priority Release 23.11.09", "11/09/23"),
        ("Upcoming BenefitsCal Monthly Release 23.11.30", "11/30/23"),
    )
    assert printed.table("dashboard").rows == (
        ("Defects", "Green", "There are thirty-four (34) active production defects."),
        ("Incidents", "Green", "There are nineteen (19) open incidents."),
    )


def test_highlights_and_planned_outages_are_as_printed(printed: Tables) -> None:
    told = sentences(printed)
    assert "Priority release: 23.11.09 deployed to production." in told
    assert "Emergency release: None for the reporting period." in told
    assert "Monthly release: None for the reporting period." in told
    assert "Thursday, 11/09/23 8:00 pm – 11/09/23 9:30 pm PST: BenefitsCal Production Deployment" in told


def test_requests_for_research_are_as_printed(printed: Tables) -> None:
    assert dict(printed.table("requests").rows) == {
        "Rejected": 0,
        "New/Assigned": 1,
        "Completed": 1,
        "Reopened": 0,
        "In Review": 0,
        "Withdrawn": 0,
        "Total": 2,
    }
    listed = printed.table("request-list")
    assert listed.rows == tuple((f"CSPM-{number}", status, title) for number, title, status in REQUESTS)
    assert [address.rpartition("/")[2] for _, address in listed.links] == [row[0] for row in listed.rows]


def test_what_happened_in_the_period_is_told_in_the_words_of_the_document(printed: Tables) -> None:
    team, span = "The BenefitsCal Tier 3 Team", "in the biweekly reporting period"
    assert [sentence for sentence in sentences(printed) if span in sentence] == [
        f"Eight (8) incidents were created {span} for the BenefitsCal Tier 3 Team.",
        f"{team} resolved six (6) incidents {span}.",
        f"{team} closed nine (9) incidents {span}.",
        f"{team} has triaged forty-three (43) incidents {span}.",
        f"{team} created four (4) problem tickets {span}.",
        f"{team} resolved one (1) problem ticket {span}.",
    ]
    assert [row[1] for row in printed.table("incidents-in-period").rows] == [8, 6, 9, 43]
    assert [row[1] for row in printed.table("problems-in-period").rows] == [4, 1]


def test_weeks_add_up_and_an_empty_one_is_left_out(printed: Tables) -> None:
    sums = {"incidents-created": 8, "incidents-resolved": 6, "incidents-triaged": 43, "problems-created": 4}
    for name, total in sums.items():
        rows = printed.table(f"{name}-by-week").rows
        assert [row[0] for row in rows] == ["11/06/23", "11/13/23"]
        assert sum(int(row[1]) for row in rows) == total
    assert printed.table("problems-resolved-by-week").rows == (("11/06/23", 1),)
    assert 'The metrics do not include "Tier 3 App Support – BenefitsCal Questions (DLT)".' in sentences(printed)


def test_state_and_age_are_as_printed(printed: Tables) -> None:
    table = printed.table("incidents-by-state-and-age")
    assert table.columns == ("State", *AGES, "Count")
    assert {row[0]: row[1:] for row in table.rows} == PRINTED
    assert printed.table("incident-states").cell("New", "Meaning") == "Incident triage not started."


def test_shares_add_up_to_what_was_resolved_and_created_since_the_product_went_live(printed: Tables) -> None:
    assert sum(int(row[1]) for row in printed.table("incidents-by-resolution").rows) == 585
    categories = dict(printed.table("incidents-by-category").rows)
    assert sum(map(int, categories.values())) == 604
    assert set(categories) == {"Other", "Apply for Benefits", "Documents", "Login"}
    assert "Dashboard, Help Center" in printed.table("incidents-by-category").notes[0]


def test_maintenance_is_as_printed(printed: Tables) -> None:
    """The document prints "9:30 am" for the end of the first, before its beginning; its executive summary has pm."""
    assert [row[1:] for row in printed.table("maintenance").rows] == [
        ("11/09/23 8:00 pm – 11/09/23 9:30 pm PST", "BenefitsCal Production Deployment"),
        ("11/10/23 6:00 pm – 11/12/23 6:10 pm PST", "CalSAWS Application Maintenance"),
        ("11/19/23 6:00 am – 11/19/23 3:00 pm PST", "CalSAWS Application Maintenance"),
    ]
    assert [row[0] for row in printed.table("maintenance").rows] == ["11/09/23", "11/10/23 - 11/12/23", "11/19/23"]


def test_follow_ups_are_as_printed(printed: Tables) -> None:
    assert printed.table("follow-ups").rows == tuple(
        (number, title, f"{day:%m/%d/%y}", IMPACT, state, "CalSAWS") for number, title, day, state in FOLLOWED
    )


def test_the_release_schedule_of_defects_is_as_printed(printed: Tables) -> None:
    table = printed.table("defects-by-release")
    assert table.columns == ("Severity", "Release 23.11.30", "Release 23.12.19", "Release 24.01.25", "TBD", "Total")
    none = (0, 0, 0, 0, 0)
    blocks = {"2-Normal/Medium": (1, 1, 0, 0, 2), "3-Normal/Low": (14, 11, 1, 5, 31), "4-Cosmetic": (1, 0, 0, 0, 1)}
    rows: list[tuple[Cell, ...]] = []
    for severity, counts in blocks.items():
        rows += [(severity, *counts), ("New", *none), ("In Progress", *counts), ("Closed", *none)]
    assert table.rows == (*rows, ("Total", 16, 12, 1, 5, 34))


def test_the_backlog_ends_with_the_active_defects(printed: Tables) -> None:
    table = printed.table("defect-backlog")
    assert [table.rows[0][0], table.rows[-1]] == ["Dec 2022", ("Nov 2023", 34, 1)]
    for before, month in zip(table.rows, table.rows[1:], strict=False):
        assert int(month[1]) + int(month[2]) >= int(before[1])  # what left the backlog was closed


def test_releases_are_as_printed(printed: Tables) -> None:
    areas = "User Error Handling, Exception Handling, and Application Summary"
    assert printed.table("upcoming-releases").rows == (
        ("23.11.30 – Monthly", "11/30/23",
         f"Eight (8) production defects and four (4) enhancements are planned for {areas}."),
    )  # fmt: skip
    delivered = "BenefitsCal Priority Release 23.11.09 was deployed on 11/09/23. "
    delivered += f"One (1) production defect and one (1) enhancement were planned for {areas}."
    assert delivered in sentences(printed)
    assert printed.table("development").rows == (
        ("23.11.09", "11/09/23", "Delivered to production."),
        ("23.11.30", "11/30/23", "Continued development and provided SIT Support"),
        ("23.12.19", "12/19/23", "Estimated December Enhancements"),
    )


# ── page, Markdown and CSV ───────────────────────────────────────────────────────────────────────────────────────────


def test_page_markdown_and_csv_show_the_same_numbers(printed: Tables) -> None:
    made = files(printed)
    for table in printed.every():
        rows = list(csv.reader(io.StringIO(made[f"csv/{table.id}.csv"])))
        assert rows[0] == list(table.columns)
        assert rows[1:] == [[str(cell) for cell in row] for row in table.rows]
    page, text = made["report.html"], made["report.md"]
    found = re.findall(r'<td class="number">(\d+)</td>', page)
    numbers = [str(cell) for table in printed.every() for row in table.rows for cell in row if isinstance(cell, int)]
    assert found == numbers
    assert "| **Count** | **1** | **6** | **43** | **305** | **150** | **97** | **2** | **604** |" in text


def test_the_page_needs_nothing_else_and_is_the_same_each_time(printed: Tables) -> None:
    page = files(printed)["report.html"]
    assert page.count("<svg") == 8  # five by week, two pies, the backlog
    assert "<script" not in page and "@import" not in page and "<link" not in page and "url(" not in page
    linked = set(re.findall(r'(?:href|src)="([^"#]+)', page))
    assert linked == {address for table in printed.every() for _, address in table.links}
    assert page == files(printed)["report.html"]


def test_the_report_only_reads_and_asks_each_population_once(town: Town) -> None:
    before = len(town.estate.log.entries)
    town.report()
    entries = town.estate.log.entries[before:]
    assert {(entry.tracker, entry.path.rpartition("/")[2]) for entry in entries if entry.method != "GET"} == {
        ("jira", "jql")
    }
    tables = Counter(entry.path.rpartition("/")[2] for entry in entries if entry.tracker == "servicenow")
    assert (tables["incident"], tables["problem"], tables["sys_audit"]) == (3, 1, 4)


# ── one record changed ───────────────────────────────────────────────────────────────────────────────────────────────


def changed(before: Tables, now: Tables) -> dict[Place, tuple[Cell | None, Cell | None]]:
    """Every cell that is not as it was, before and now."""
    old, new = before.cells(), now.cells()
    return {place: (old.get(place), new.get(place)) for place in old | new if old.get(place) != new.get(place)}


def opened(record: Record, day: str) -> bool:
    """Whether it was opened on that day (UTC)."""
    return str(record.fields["opened_at"]).startswith(day)


def test_a_defect_that_is_given_a_release_leaves_the_undetermined_ones(town: Town, printed: Tables) -> None:
    site = town.estate.jira
    id = next(i for i in site.ids() if "In Progress" in str(site.item(i)["status"]) and not site.item(i)["fixVersions"])
    site.update(id, {"fixVersions": ["23.12.19"]}, by="Ana Ruiz")
    table, low = "defects-by-release", "3-Normal/Low"
    assert changed(printed, town.report()) == {
        (table, 0, low, "Release 23.12.19"): (11, 12),
        (table, 0, low, "TBD"): (5, 4),
        (table, 1, "In Progress", "Release 23.12.19"): (11, 12),
        (table, 1, "In Progress", "TBD"): (5, 4),
        (table, 0, "Total", "Release 23.12.19"): (12, 13),
        (table, 0, "Total", "TBD"): (5, 4),
    }
    site.update(id, {"fixVersions": []}, by="Ana Ruiz")


@pytest.mark.parametrize("turn", range(12))
def test_a_category_that_is_changed_moves_one_incident_between_two_slices(town: Town, turn: int) -> None:
    record = town.record("incidents", lambda r: r.fields["category"] == "Login", turn * 8)
    places = town.changing("incidents", record, fields={**record.fields, "category": "Documents"})
    table = "incidents-by-category"
    assert places == {(table, 0, "Login", "Incidents"): (101, 100), (table, 0, "Documents", "Incidents"): (100, 101)}


def test_a_change_among_the_small_categories_changes_no_cell(town: Town) -> None:
    record = town.record("incidents", lambda r: r.fields["category"] == "Dashboard")
    assert town.changing("incidents", record, fields={**record.fields, "category": "Help Center"}) == {}


def test_an_incident_in_the_excluded_queue_is_counted_nowhere(town: Town) -> None:
    record = town.record("incidents", lambda r: opened(r, "2023-09-30") and r.state.startswith("On Hold"))
    ages = "incidents-by-state-and-age"
    assert town.changing("incidents", record, fields={**record.fields, "assignment_group": QUESTIONS}) == {
        (ages, 0, "On Hold", "30-60 Days"): (6, 5),
        (ages, 0, "On Hold", "Count"): (13, 12),
        (ages, 0, "Count", "30-60 Days"): (150, 149),
        (ages, 0, "Count", "Count"): (604, 603),
        ("incidents-by-category", 0, "Login", "Incidents"): (101, 100),
        ("dashboard", 0, "Incidents", "Highlights"): (
            "There are nineteen (19) open incidents.",
            "There are eighteen (18) open incidents.",
        ),
    }


def test_an_incident_that_is_put_on_hold_moves_one_row_down(town: Town) -> None:
    record = town.record("incidents", lambda r: r.state == "In Progress" and r.fields["assignment_group"] == QUEUE)
    ages = "incidents-by-state-and-age"
    assert town.changing("incidents", record, state="On Hold:Awaiting Vendor") == {
        (ages, 0, "In Progress", "1-5 Days"): (2, 1),
        (ages, 0, "In Progress", "Count"): (2, 1),
        (ages, 0, "On Hold", "1-5 Days"): (0, 1),
        (ages, 0, "On Hold", "Count"): (13, 14),
    }


def test_an_incident_of_six_to_ten_days_brings_its_column(town: Town) -> None:
    record = town.record("incidents", lambda r: opened(r, "2023-11-19") and r.state == "New")
    fields = {**record.fields, "opened_at": "2023-11-11 18:00:00"}
    now = town.tables("incidents", replace(record, fields=fields)).table("incidents-by-state-and-age")
    assert now.columns[2:5] == ("1-5 Days", "6-10 Days", "11-15 Days")
    assert [now.cell("New", name) for name in now.columns[1:]] == [0, 3, 1, 0, 0, 0, 0, 0, 4]


def test_a_state_that_the_file_lists_nowhere_is_told(town: Town) -> None:
    record = town.record("incidents", lambda r: r.state == "New")
    now = town.tables("incidents", replace(record, state="Canceled")).table("incidents-by-state-and-age")
    assert now.notes == ("Not counted, because the file lists their state nowhere: Canceled (1).",)


def test_a_follow_up_that_is_renamed_changes_its_line_alone(town: Town) -> None:
    record = town.record("follow_ups", lambda r: r.key == "INC0111961")
    fields = {**record.fields, "short_description": "504 errors on two APIs"}
    place = ("follow-ups", 0, "INC0111961", "Description")
    expected = ("504 errors on API", "504 errors on two APIs")
    assert town.changing("follow_ups", record, fields=fields) == {place: expected}


def test_incidents_without_a_history_are_told_instead_of_passed_over(town: Town) -> None:
    """sys_audit may be denied, which looks like an empty answer."""
    record = town.record("triage", lambda r: opened(r, "2023-11-05") and r.state == "In Progress")
    told = sentences(town.tables("triage", record, blind=True))
    assert "One (1) incident shows no history: when they were triaged is not known." in told
    assert any("has triaged forty-two (42) incidents" in sentence for sentence in told)


def test_what_happens_after_the_period_changes_nothing_in_it(town: Town, printed: Tables) -> None:
    """Last in this file: the clock does not go back."""
    snow, site = town.estate.servicenow, town.estate.jira
    named = {snow.item(id).get("short_description"): id for id in snow.ids("incident")}
    done = next(id for id in site.ids() if str(site.item(id)["status"]) == "In Progress")
    town.estate.clock.set(at(LAST + timedelta(days=3)))
    snow.create({"short_description": "the next period's", "assignment_group": QUEUE}, by=SAM)
    snow.move(named["incident 10"], "Resolved", by=TARA, close_code="User error")
    snow.move(named["incident 40"], "Closed", by=TARA)
    snow.move(named["incident 0"], "In Progress", by=TARA)
    site.move(done, "Done", by="Ana Ruiz", resolution="Done")
    assert changed(printed, town.report()) == {}


# ── the ladder whose final step is a problem ─────────────────────────────────────────────────────────────────────────


class Desk(Playbook):
    """Tier 3, the counties and the developers, each doing what the document says of them."""

    def county_logs_an_incident(self, title: str, **more: str) -> str:
        fields = {"short_description": title, "description": "as reported", "assignment_group": QUEUE, **more}
        made = self.estate.servicenow.create(fields, by=SAM)
        self.settle()
        return made

    def shown(self, id: str, name: str) -> str:
        return str(self.estate.servicenow.item(id).get(name, ""))

    def stands(self, id: str) -> str:
        return self.estate.servicenow.state_of(id)

    def subjects(self) -> list[tuple[str, str]]:
        """To whom and about what mails went out since this was asked last."""
        return [(str(mail["To"]), str(mail["Subject"])) for mail in self.new_mails()]

    def the_only(self, table: str) -> str:
        (id,) = [id for id in self.estate.servicenow.ids(table) if self.shown(id, "short_description") != "long ago"]
        return id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path, estate=estate(MORNING, Premises), name="benefitscal") as made:
        yield made


def test_triage_that_is_late_ends_in_a_problem_to_which_many_incidents_belong(desk: Desk) -> None:
    snow, site = desk.estate.servicenow, desk.estate.jira
    # "New: Incident triage not started." Nobody begins for a day: Tier 3 hear of it.
    first = desk.county_logs_an_incident("500 responses on API")
    number = desk.shown(first, "number")
    desk.wait(days=1, hours=1)
    assert desk.subjects() == [("tier3@example.org", f"{number}: triage is over its time")]
    # another day: it is the triage lead's, the consortium in copy
    desk.wait(days=1)
    assert desk.shown(first, "assigned_to") == "Tara Lind"
    assert desk.subjects() == [("tara.lind@example.org", f"{number}: triage is over its time and now yours")]
    # "Problems represent ... the final step in escalation."
    desk.wait(days=2)
    problem = desk.the_only("problem")
    assert desk.shown(problem, "short_description") == "500 responses on API"
    assert desk.shown(problem, "assigned_to") == "Piet Maas"
    assert (desk.stands(first), desk.stands(problem)) == ("On Hold:Awaiting Problem", "New")
    assert desk.shown(first, "problem_id") == desk.shown(problem, "number")
    assert desk.subjects() == [("piet.maas@example.org", f"{number}: a problem was opened")]
    # "... issues that can have a many to one relationship with incidents"
    second = desk.county_logs_an_incident("API does not answer", problem_id=desk.shown(problem, "number"))
    numbers = [desk.shown(id, "number") for id in (first, second, problem)]
    assert len({link.key for one in numbers for link in desk.engine.store.find(one)}) == 1
    # Tier 3 finds that it is a production defect, and says so in a word
    snow.comment(first, "!defect the gateway drops the session", TARA, "work_notes")
    desk.settle()
    (defect,) = site.ids()
    assert site.item(defect)["summary"] == "500 responses on API"
    # its release is told to the counties, and so is each change of it
    for release in ("23.11.30", "23.12.19"):
        site.update(defect, {"fixVersions": [release]}, by=ANA)
        desk.settle()
        assert desk.shown(first, "u_target_release") == release
        assert copies_of(f"planned for release {release}", desk.words("servicenow", first)) == 1
    # "Closed: Incident triage completed after a defect fix": the fix is told down the line
    site.move(defect, "In Progress", by=ANA)
    site.update(defect, {"customfield_10044": "the gateway keeps sessions"}, by=ANA)
    desk.settle()
    site.move(defect, "Done", by=ANA, resolution="Done")
    desk.settle()
    assert {desk.stands(id) for id in (first, second, problem)} == {"Resolved"}
    assert desk.shown(first, "close_notes") == "the gateway keeps sessions"
    desk.new_mails()
    desk.quiet()


def test_a_problem_is_opened_at_once_where_tier_3_says_so(desk: Desk) -> None:
    incident = desk.county_logs_an_incident("504 errors on API")
    desk.estate.servicenow.comment(incident, "!problem", SAM, "comments")
    desk.settle()
    assert desk.estate.servicenow.ids("problem")[1:] == []  # a county's word does not count
    desk.estate.servicenow.comment(incident, "!problem", TARA, "work_notes")
    desk.settle()
    assert desk.shown(desk.the_only("problem"), "assigned_to") == "Piet Maas"
    assert desk.stands(incident) == "On Hold:Awaiting Problem"
