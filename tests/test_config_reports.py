# ruff: noqa: E501
"""What the admin's file may say of reports and of fields that Lockstep counts."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from sync.config import ConfigProblems
from tests.config_files import WHOLE, problems_of, read
from tests.world import World

REPORT = """
[[reports]]
id = "weekly"
at = "Mon 07:00"
what = "defects created between 14 and 7 days ago"
email = { to = ["desk"], subject = "New defects" }
"""
COUNTED = """
[fields.county]
incident = "company"
[fields.reach]
type = "integer"
from = "county"
defect = "customfield_1"
"""
SAID = WHOLE.replace("[fields.labels]", COUNTED + "[fields.labels]") + REPORT


def test_a_report_is_read_with_its_times_its_days_and_its_columns(tmp_path: Path) -> None:
    (report,) = read(tmp_path, SAID)[0].reports
    assert (report.what, report.side, report.since, report.until) == ("created", "defect", 14, 7)
    assert (report.at.days, report.at.at, report.at.zone) == (frozenset({0}), time(7), "America/Los_Angeles")
    assert report.show == ("key", "title", "stage", "created")
    for words, what in (("movement of links", "moved"), ("movement of watched links", "watched")):
        said = SAID.replace("defects created between 14 and 7 days ago", words)
        assert read(tmp_path, said)[0].reports[0].what == what


def test_a_counted_field_needs_no_side_and_its_digest_stays_what_it_was(tmp_path: Path) -> None:
    setup = read(tmp_path, SAID.replace('defect = "customfield_1"\n', ""))[0]
    assert setup.fields["reach"].source == "county" and setup.fields["reach"].natives == {}


#: what is changed, into what; the key blamed, what is said to be wrong, what to write instead
WRONG = [
    ('id = "weekly"', "", "reports[1].id", "is missing", "never changes"),
    ('id = "weekly"', f'id = "{"w" * 41}"', f"reports.{'w' * 41}.id", "longer than 40", "shorter"),
    ('"Mon 07:00"', '"Monday 7"', "reports.weekly.at", '"Monday 7" is no time of the week', '"Mon 07:00"'),
    ("defects created between 14 and 7 days ago", "all defects", "reports.weekly.what", "nothing that can be listed", "incidents created between"),
    ("defects created", "defect created", "", "", ""),
    ("defects created", "defcts created", "reports.weekly.what", 'there is no side "defcts"', '"defect"'),
    ("between 14 and 7", "between 7 and 14", "reports.weekly.what", "the earlier day comes first", "defects created between 14 and 7 days ago"),
    ("between 14 and 7", "between 7 and 7", "reports.weekly.what", "the earlier day comes first", "between 8 and 7"),
    ('id = "weekly"', 'id = "weekly"\nwhen = "prioritee <= 2"', "reports.weekly.when", "prioritee is not declared", "did you mean priority?"),
    ('id = "weekly"', 'id = "weekly"\nshow = ["key", "sumary"]', "reports.weekly.show[2]", 'no field, side or column "sumary"', '"summary"'),
    ('to = ["desk"]', 'to = ["dsk"]', "reports.weekly.email.to[1]", 'no party "dsk"', '"desk"'),
    ('to = ["desk"]', 'to = ["desk", "{labels}"]', "reports.weekly.email.to[2]", "a field tells nobody", "name an address"),
    ('to = ["desk"], ', "", "reports.weekly.email.to", "is missing", 'to = ["..."]'),
    ('email = { to = ["desk"], subject = "New defects" }', "", "reports.weekly", "goes to nobody", "email = {"),
    ('email = { to = ["desk"], subject = "New defects" }', 'teams = "triaje"', "reports.weekly.teams", 'no channel "triaje"', "triage"),
    ('"defects created between 14 and 7 days ago"\nemail = { ', '"movement of watched links"\nemail = { cc = ["desk"], ', "reports.weekly.email.cc", "a listing of their own", "in to"),
    ('from = "county"', 'from = "county"\nowner = "defect"', "fields.reach.owner", "nobody's word", "remove"),
    ('from = "county"', 'from = "conty"', "fields.reach.from", 'no field or side "conty"', '"county"'),
    ('from = "county"', 'from = "reach"', "fields.reach.from", "counted itself", "people fill in"),
    ('type = "integer"\nfrom = "county"', 'type = "boolean"\nfrom = "county"', "fields.reach.type", "no boolean", '"integer"'),
    ('type = "integer"\nfrom = "county"', 'type = "list"\nfrom = "incident"', "fields.reach.from", "whole number", 'type = "integer"'),
    ('set = { escalation = "High" }', "set = { reach = 3 }", "rules.quiet.steps[2].set.reach", "no rule sets it", "remove"),
]  # fmt: skip


@pytest.mark.parametrize("old, new, key, what, instead", WRONG, ids=[f"{row[2]} {row[3]}" for row in WRONG])
def test_each_mistake_is_told_with_its_key_and_what_to_write(
    old: str, new: str, key: str, what: str, instead: str, tmp_path: Path
) -> None:
    assert SAID.count(old) == 1, old
    text = SAID.replace(old, new)
    if not key:
        assert read(tmp_path, text)[0].reports
        return
    (problem,) = problems_of(tmp_path, text)
    assert (problem.key, what in problem.what, instead in problem.instead) == (key, True, True), str(problem)
    assert problem.line


def test_a_report_that_names_what_is_not_in_force_yet_waits_with_it_and_the_rest_applies(tmp_path: Path) -> None:
    world = World(tmp_path)
    new = '\n[fields.team]\ndefect = "environment"\n[fields.escalation]'
    reports = (
        '\n[[reports]]\nid = "now"\nat = "daily 07:00"\nwhat = "movement of links"\nteams = "triage"\n'
        '[[reports]]\nid = "later"\nat = "daily 07:00"\nwhat = "movement of links"\nshow = ["team"]\nteams = "triage"\n'
    )
    try:
        world.settle()
        world.edited(("\n[fields.escalation]", new), ("\n[teams.triage]", f"{reports}\n[teams.triage]"))
        assert [report.id for report in world.engine.setup.reports] == ["now"]
        world.apply()
        assert [report.id for report in world.engine.setup.reports] == ["now", "later"]
    except ConfigProblems as problems:
        raise AssertionError(str(problems)) from None
    finally:
        world.close()
