"""The packaged daemon killed with SIGKILL while it works on trackers in another process. The long run:
``python -m tests.kills --kills 300``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sandbox.estate import PEOPLE, Estate
from tests.kills.people import People, look
from tests.kills.run import Run
from tests.kills.states import a_state

POSTGRES = os.environ.get("LOCKSTEP_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    if request.param == "postgres" and not POSTGRES:
        pytest.skip("LOCKSTEP_TEST_POSTGRES names no database")
    with a_state(tmp_path, POSTGRES if request.param == "postgres" else "") as url:
        run = Run(tmp_path, url)
        yield run
        run.close()


def test_killed_again_and_again_the_daemon_loses_and_doubles_nothing(run: Run) -> None:
    kills = 2 if run.state.startswith("postgres") else 5
    for _ in range(kills):
        run.kill()
    run.calm()
    assert (run.kills.total(), run.looks) == (kills, 1)
    # between two kills there may be time for items only
    assert run.verdict.items >= 3 and (kills == 2 or run.verdict.words >= 3)


def test_the_checker_finds_what_is_there_twice_and_what_is_not_there() -> None:
    estate = Estate()
    people = People(estate.urls, PEOPLE, Random(1))
    people.report()
    (case,) = people.cases
    defect = estate.jira.create({"summary": case.titles[0], "description": case.name}, by="Ana Ruiz")
    assert look(people).missing == ["case-0000 in azure: not there"]
    estate.azure.create({"System.Title": "another title", "System.Description": case.name}, by="Chen Wei")
    people.speak(case, "servicenow")
    for _ in range(2):
        estate.jira.comment(defect, f"a copy of {case.words[0]}", "Ana Ruiz")
    found = look(people)
    assert found.doubled[0] == "word-case-0000-000. of case-0000 in jira: 2 times"
    assert found.missing[0] == "word-case-0000-000. of case-0000 in azure: not there"
    assert "a title that nobody gave" in found.doubled[1] and "the titles differ" in found.missing[1]
    estate.jira.create({"summary": "again", "description": case.name}, by="Ana Ruiz")
    assert look(people).doubled == ["case-0000 in jira: 2 times", *found.doubled]
    estate.stop()
