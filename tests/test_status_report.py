"""The status report of any file: the command, what is wrong in its section, and the arithmetic of days and words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bot
from mappings.fields import Field
from mappings.model import Moved, Record, Ref, Scope
from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.commands.status_reports import reported
from sync.config import ConfigProblems, load
from sync.report.asked import Population, Status, Threshold
from sync.report.incidents import bucket
from sync.report.item import Item, items, moment
from sync.report.page import markdown, sheet
from sync.report.period import Period
from sync.report.table import Table
from sync.report.tables import Section, Tables
from sync.report.words import clock, counted, in_words, listed, zoned
from tests.config_files import ENVIRON, WHOLE
from tests.world import World

SECTION = """
[status_report]
since = "2024-01-01"
[status_report.incidents]
side     = "incident"
category = "category"
states   = [
  { name = "New", is = ["New"], counts = "new" },
  { name = "Open", is = ["In Progress", "On Hold"] },
  { name = "Closed", is = ["Resolved", "Closed"], counts = "closed" },
]
"""


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in real time, at work, with its secrets in the environment."""
    world = World(tmp_path_factory.mktemp("report"), lambda text: text + SECTION, estate=Estate())
    world.incident()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.estate.environment().items():
            patch.setenv(name, value)
        patch.chdir(world.folder)
        yield world
    world.close()


def run(world: World, *words: str, change: tuple[str, str] = ("", "")) -> Result:
    """The command on the world's file, in which the one text is replaced by the other."""
    text = world.path.read_text(encoding="utf-8")
    assert change[0] in text
    path = world.folder / "other.toml"
    path.write_text(text.replace(*change) if change[0] else text, encoding="utf-8")
    return CliRunner().invoke(bot.main, ["report", "-c", str(path), *words])


def this_week() -> tuple[str, ...]:
    today = datetime.now(UTC).date()
    return ("--from", f"{today - timedelta(days=6)}", "--to", f"{today}")


def test_the_command_writes_a_page_markdown_and_csv_beside_a_running_lockstep(real: World) -> None:
    """The world's engine is open and holds the state's lock meanwhile."""
    done = run(real, *this_week(), "--out", "out")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("out/report.html, with the same numbers in report.md and ")
    assert "| Incidents created | 1 |" in Path("out/report.md").read_text(encoding="utf-8")
    assert Path("out/csv/incidents-in-period.csv").read_bytes().splitlines()[1] == b"Incidents created,1"


def test_the_folder_is_named_by_the_period_where_none_is_named(real: World) -> None:
    words = this_week()
    assert run(real, *words).exit_code == 0
    assert Path(f"report-{words[1]}-to-{words[3]}/report.html").is_file()


def test_mistakes_of_the_command_line_are_told_and_nothing_is_written(real: World) -> None:
    before = {path.name for path in Path().iterdir()}
    backwards = run(real, "--from", "2026-01-15", "--to", "2026-01-01")
    assert backwards.exit_code == 2 and "ends on 2026-01-01, before it begins on 2026-01-15" in backwards.output
    ahead = run(real, "--from", "2999-01-01", "--to", "2999-01-14")
    assert ahead.exit_code == 2 and "still to come" in ahead.output
    assert run(real, "--from", "yesterday", "--to", "2026-01-01").exit_code == 2
    assert {path.name for path in Path().iterdir()} <= {*before, "other.toml"}


def test_a_file_without_the_section_says_what_to_write(real: World) -> None:
    done = run(real, *this_week(), change=(SECTION, ""))
    assert done.exit_code == 2
    assert "has no [status_report]" in done.output and "init --playbook benefitscal" in done.output


def test_a_tracker_that_is_down_leaves_no_half_of_a_report(real: World) -> None:
    real.estate.faults.add(Fault("answer", "servicenow", path="/table/incident", answer=Answer(503)))
    done = run(real, *this_week(), "--out", "half")
    real.estate.faults.clear()
    assert done.exit_code == 3 and "no report was written" in done.output
    assert not Path("half").exists()


def test_an_item_that_is_not_understood_is_named_and_the_others_are_counted(real: World) -> None:
    strange = real.incident("nobody can read it")
    real.estate.faults.add(Fault("stripped", "servicenow", path="/table/incident", about=strange))
    done = run(real, *this_week(), "--out", "most")
    real.estate.faults.clear()
    assert done.exit_code == 0, done.output
    told = Path("most/report.md").read_text(encoding="utf-8")
    assert "## Not counted in this report" in told and f"- incidents: {strange} could not be read: " in told
    assert "| Incidents created | 1 |" in told


def test_a_name_that_the_tracker_does_not_have_is_told(real: World) -> None:
    done = run(real, *this_week(), change=('category = "category"\nstates', 'exclude = { u_queue = ["x"] }\nstates'))
    assert done.exit_code == 2 and "incident has no column 'u_queue'" in done.output


def test_defects_in_azure_devops_are_counted_all_the_same(tmp_path: Path) -> None:
    """The report names no tracker: a side of any kind will do."""
    section = """
[status_report]
since = "2024-01-01"
[status_report.defects]
side     = "pbi"
scope    = {}
severity = "priority"
release  = "summary"
states   = [{ name = "New", is = ["New"], counts = "new" }, { name = "Done", is = ["Done"], counts = "closed" }]
"""
    world = World(tmp_path, lambda text: text + section)
    world.estate.azure.create({"System.Title": "26.01", "Microsoft.VSTS.Common.Priority": 1}, by="Chen Wei")
    world.later(minutes=1)
    setup, clock = world.engine.setup, world.estate.clock
    today = clock.now().date()
    assert setup.status_report is not None
    made = reported(setup, setup.status_report, Period(today, today, setup.zone, clock.now()), clock)
    assert made.table("defects-by-release").rows[0] == ("1", 1, 0, 1)
    assert made.table("dashboard").rows == (("Defects", "Green", "There is one (1) active production defect."),)
    world.close()


# ── mistakes in the file ─────────────────────────────────────────────────────────────────────────────────────────────


FIELDS = '[fields.category]\nincident = "category"\n[fields.release]\ndefect = "fixVersions"\n'


def problems(tmp_path: Path, *changes: tuple[str, str], section: str = SECTION) -> list[str]:
    text = section
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "lockstep.toml"
    whole = WHOLE + FIELDS + text
    path.write_text(whole)
    try:
        load(path, ENVIRON)
    except ConfigProblems as found:
        lines = whole.splitlines()
        return [f"{lines[problem.line - 1].strip()} → {problem.said()}" for problem in found.problems]
    return []


def test_a_sound_section_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    "old, new, line, said",
    [
        (
            'side     = "incident"',
            'side = "incidents"',
            "side =",
            'there is no side "incidents"; write "incident"',
        ),
        ('category = "category"', 'category = "categori"', "category =", 'there is no field "categori"'),
        (
            'category = "category"',
            'resolved = "labels"',
            "resolved =",
            "incident does not have the field labels; write",
        ),
        ('since = "2024-01-01"', 'since = "soon"', "since =", "is not a day; write"),
        ('since = "2024-01-01"', 'since = "2024-01-01"\nweek = "Monday"', "week =", ""),
        ('counts = "new"', 'counts = "fresh"', '{ name = "New"', ""),
        (', counts = "new"', "", "states", "no row counts as new, so nothing is ever triaged"),
        ('"On Hold"]', '"New"]', '{ name = "Open"', '"New" counts as New already; name it in one row'),
        ('name = "Open"', 'name = "New"', '{ name = "New"', '"New" is another row already'),
        ('category = "category"', 'project = "X"', "project =", "project means nothing to servicenow; remove it"),
        ('side     = "incident"', 'side = "incident"\ncolour = 1', "colour", "there is no key colour"),
    ],
)
def test_every_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: str, said: str) -> None:
    told = problems(tmp_path, (old, new))
    assert len(told) == 1, told
    assert told[0].startswith(line) and said in told[0]


@pytest.mark.parametrize(
    "more, said",
    [
        ('[[status_report.releases]]\nname = "1"\ndate = "2026-01-01"\nareas = ["Login"]', "no field tells the part"),
        ('[[status_report.releases]]\nname = "1"\ndate = "January"', "is not a day; write"),
        ('[[status_report.maintenance]]\nwindow = "2026-01-02 08:00 / 2026-01-01 08:00"\ntext = "x"', "ends before it"),
        ("[status_report.dashboard]\nincidents = { yellow = 5, red = 5 }", "write a red that is above yellow"),
        (
            '[status_report.defects]\nside = "defect"\nseverity = "priority"\nrelease = "release"',
            "defects have no states",
        ),
        (
            '[status_report.defects]\nside = "defect"\nseverity = "priority"\n'
            'states = [{ name = "New", is = "To Do" }]',
            'defects need release; write release = "..."',
        ),
        (2 * '[[status_report.releases]]\nname = "1"\ndate = "2026-01-01"\n', 'the release "1" stands above already'),
    ],
)
def test_every_mistake_in_its_parts_is_told(tmp_path: Path, more: str, said: str) -> None:
    told = problems(tmp_path, section=SECTION + more)
    assert len(told) == 1 and said in told[0], told


def test_a_kind_of_release_must_be_one_of_the_files(tmp_path: Path) -> None:
    release = '[[status_report.releases]]\nname = "1"\ndate = "2026-01-01"\nkind = "Mothly"'
    told = problems(tmp_path, ("since", 'kinds = ["Monthly"]\nsince'), section=SECTION + release)
    assert told == ['kind = "Mothly" → there is no kind of release "Mothly"; name one of Monthly, or add it to kinds']


def test_a_section_that_counts_nothing_is_a_mistake(tmp_path: Path) -> None:
    told = problems(tmp_path, section='[status_report]\nsince = "2024-01-01"\n')
    assert len(told) == 1 and "the report counts nothing" in told[0]


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

PACIFIC = "America/Los_Angeles"


def period(first: date, last: date, now: datetime | None = None, zone: str = PACIFIC) -> Period:
    return Period(first, last, zone, now or datetime(2030, 1, 1, tzinfo=UTC))


def test_a_period_begins_and_ends_at_midnight_in_the_files_zone_across_a_change_of_clocks() -> None:
    """Clocks go back on 5 November 2023."""
    over = period(date(2023, 10, 30), date(2023, 11, 12))
    assert over.start == datetime(2023, 10, 30, 7, tzinfo=UTC)
    assert over.end == datetime(2023, 11, 13, 8, tzinfo=UTC)
    assert over.holds(datetime(2023, 11, 13, 7, 59, tzinfo=UTC)) and not over.holds(over.end)
    assert over.day(datetime(2023, 11, 13, 7, 59, tzinfo=UTC)) == date(2023, 11, 12)


def test_weeks_are_told_by_their_first_day() -> None:
    at = datetime(2023, 11, 15, 20, tzinfo=UTC)  # a Wednesday
    over = period(date(2023, 11, 6), date(2023, 11, 19))
    assert over.week_of(at, 0) == date(2023, 11, 13)
    assert over.week_of(at, 6) == date(2023, 11, 12)
    assert over.week_of(datetime(2023, 11, 13, 7, tzinfo=UTC), 0) == date(2023, 11, 6)  # still Sunday there


def test_a_period_that_still_runs_goes_as_far_as_now() -> None:
    now = datetime(2023, 11, 10, 20, tzinfo=UTC)
    over = period(date(2023, 11, 6), date(2023, 11, 19), now)
    assert over.end == now and over.today == date(2023, 11, 10)
    assert over.following == date(2023, 12, 3)


def test_periods_are_called_by_their_length() -> None:
    day = date(2023, 11, 6)
    called = [period(day, day + timedelta(days=days - 1)).called for days in (1, 7, 14, 30)]
    assert called == ["daily", "weekly", "biweekly", "reporting"]


def test_months_go_back_over_the_turn_of_the_year() -> None:
    months = period(date(2023, 1, 2), date(2023, 1, 15)).months(3)
    assert months == (
        date(2022, 11, 1),
        date(2022, 12, 1),
        date(2023, 1, 1),
    )


@pytest.mark.parametrize(
    "days, name",
    [(0, "(empty)"), (1, "1-5 Days"), (5, "1-5 Days"), (6, "6-10 Days"), (10, "6-10 Days"), (15, "11-15 Days"),
     (16, "16-30 Days"), (30, "16-30 Days"), (31, "30-60 Days"), (60, "30-60 Days"), (61, "60-180 Days"),
     (180, "60-180 Days"), (181, ">180 Days"), (5000, ">180 Days")],
)  # fmt: skip
def test_the_lower_bound_of_a_bucket_is_excluded_from_thirty_on(days: int, name: str) -> None:
    assert bucket(days) == name


# ── what a record was ────────────────────────────────────────────────────────────────────────────────────────────────

ROWS = (
    Status("New", ("New",), "new"),
    Status("Open", ("In Progress", "On Hold")),
    Status("Resolved", ("Resolved",), "resolved"),
    Status("Closed", ("Closed",), "closed"),
)
POPULATION = Population("incidents", "incident", "snow", Scope("incident", "m"), ROWS)
OVER = period(date(2023, 11, 6), date(2023, 11, 19), zone="UTC")


def day(number: int) -> datetime:
    return datetime(2023, 11, number, 12, tzinfo=UTC)


def record(state: str, updated: int, created: int = 7, **fields: str) -> Record:
    ref = Ref("snow", "1")
    return Record(ref, "INC1", "", "incident", state, 1, day(created), day(updated), "sam", fields=fields)


def seen(record: Record, *moves: tuple[int, str], population: Population = POPULATION) -> Item | None:
    history = tuple(Moved("state", day(number), "sam", state) for number, state in moves)
    found = items([record], {"1": history}, population, {"closed": Field("closed", natives={"incident": ("c",)})}, OVER)
    return found[0] if found else None


def test_a_state_of_later_is_taken_back_to_the_end_of_the_period() -> None:
    now = record("Closed", 25)
    then = seen(now, (8, "In Progress"), (22, "Resolved"), (25, "Closed"))
    assert then and then.name == "Open" and then.closed is None and then.resolved is None
    untouched = seen(now, (22, "In Progress"), (25, "Closed"))
    assert untouched and untouched.name == "New" and untouched.triaged is None


def test_an_item_that_came_after_the_period_is_not_in_it() -> None:
    assert seen(record("New", 20, created=20)) is None


def test_reopened_work_is_not_resolved_and_resolved_again_counts_the_last_time() -> None:
    moves = [(8, "In Progress"), (9, "Resolved"), (10, "In Progress")]
    reopened = seen(record("In Progress", 10), *moves)
    assert reopened and reopened.resolved is None
    again = seen(record("Closed", 15), *moves, (12, "Resolved"), (15, "Closed"))
    assert again and again.resolved == day(12) and again.closed == day(15)


def test_triage_is_the_first_step_out_of_the_new_states() -> None:
    moved = seen(record("Open", 10), (9, "On Hold"), (10, "In Progress"))
    assert moved and moved.triaged == day(9)
    born = seen(record("In Progress", 7))
    assert born and born.triaged == day(7) and not born.blind


def test_a_field_that_names_the_closing_is_believed_unless_it_lies_after_the_period() -> None:
    named = Population("incidents", "incident", "snow", POPULATION.scope, ROWS, {"closed": "closed"})
    closed = seen(record("Closed", 15, c="2023-11-14 09:00:00"), (15, "Closed"), population=named)
    assert closed and closed.closed == datetime(2023, 11, 14, 9, tzinfo=UTC)
    later = seen(record("Closed", 25, c="2023-11-24 09:00:00"), (8, "Open"), (24, "Closed"), population=named)
    assert later and later.closed is None


@pytest.mark.parametrize(
    "text, at",
    [("2023-11-14 09:00:00", 9), ("2023-11-14T09:00:00Z", 9), ("2023-11-14T01:00:00.000-0800", 9), ("soon", None)],
)
def test_times_are_read_as_each_tracker_writes_them(text: str, at: int | None) -> None:
    assert moment(text) == (datetime(2023, 11, 14, at, tzinfo=UTC) if at else None)


# ── words, colours, files ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "number, words",
    [(0, "zero"), (1, "one"), (13, "thirteen"), (20, "twenty"), (43, "forty-three"), (100, "one hundred"),
     (581, "five hundred eighty-one"), (1200, "1,200")],
)  # fmt: skip
def test_numbers_are_written_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


def test_things_are_counted_listed_and_timed_as_people_write_them() -> None:
    assert counted(1, "problem") == "one (1) problem" and counted(2000, "incident") == "2,000 incidents"
    assert listed(["a", "b"]) == "a and b" and listed(["a", "b", "c"]) == "a, b, and c"
    assert [clock(datetime(2023, 1, 1, hour)) for hour in (0, 12, 20)] == ["12:00 am", "12:00 pm", "8:00 pm"]
    assert [zoned(datetime(2023, month, 1), PACIFIC) for month in (7, 12)] == ["PDT", "PST"]


def test_a_threshold_turns_yellow_and_red_at_its_number() -> None:
    assert [Threshold(5, 10).colour(count) for count in (4, 5, 9, 10)] == ["Green", "Yellow", "Yellow", "Red"]
    assert Threshold().colour(1000) == "Green"


def test_what_people_wrote_breaks_neither_markdown_nor_a_spreadsheet() -> None:
    table = Table("t", "T", ("Key", "Title"), (("A|1", "=cmd() *x* <b>\n[y](z)"),))
    assert "| A\\|1 | =cmd() \\*x\\* &lt;b> \\[y\\](z) |" in markdown(Tables("R", "P", (Section(1, "S", (table,)),)))
    assert sheet(table) == 'Key,Title\r\nA|1,"\'=cmd() *x* <b>\n[y](z)"\r\n'
