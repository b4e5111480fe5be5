"""What the file may say of actions in the trackers, and each mistake with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.routes import Tasks
from sync.config import Problem
from sync.setup import Assignment
from tests.config_files import WHOLE, problems_of, read

PEOPLE = """name,email,party,role,servicenow,jira
Paula Ray,paula@example.org,desk,problem manager,paula.ray,
Lee Ode,lee@example.org,developers,lead,,lee
"""
MORE = """
[sides.problem]
tracker = "servicenow"
table = "problem"
[sides.work]
tracker = "azure"
project = "Portal"
type = "Task"
under = "pbi"
[[routes]]
id = "escalated"
from = "incident"
open = "problem"
by = "rule"
[[routes]]
id = "planned"
from = "incident"
open = "pbi"
create = { "System.IterationPath" = "@current", "System.AreaPath" = "Portal" }
tasks = { side = "work", titles = ["Analyse {summary}", "Test {incident}"] }
[[rules]]
id = "acts"
quiet = "1d"
  [[rules.steps]]
  open = "escalated"
  assign = { on = "problem", to = "problem managers" }
  set = { stage = "Done", escalation = "High" }
"""


def whole(folder: Path, more: str = MORE) -> str:
    (folder / "people.csv").write_text(PEOPLE)
    head, people, rest = WHOLE.partition("[people]")
    return f'{head}{more}{people}\nroster = "people.csv"\nfallback = ["desk@example.org"]{rest}'


def test_a_file_may_say_all_of_it(tmp_path: Path) -> None:
    setup, _ = read(tmp_path, whole(tmp_path))
    routes = {route.id: route for route in setup.routes}
    assert (routes["escalated"].by, routes["escalated"].relate) == ("rule", "problem_id")
    assert routes["planned"].create == {"System.IterationPath": "@current", "System.AreaPath": "Portal"}
    assert routes["planned"].tasks == Tasks("work", ("Analyse {summary}", "Test {incident}"))
    (step,) = next(rule for rule in setup.rules if rule.id == "acts").steps
    assert (step.open, step.assign) == ("escalated", Assignment("problem", "problem managers"))
    assert step.set == {"stage": "Done", "escalation": "High"}
    assert (setup.sides["pbi"].scope.mark, setup.sides["work"].scope.mark) == ("lockstep-acme", "lockstep-acme.task")


@pytest.mark.parametrize(
    "old, new, key, what, instead",
    [
        ('open = "escalated"', 'open = "escalate"', "open", 'no route "escalate"', '"escalated"'),
        ('on = "problem"', 'on = "problems"', "assign.on", 'no side "problems"', '"problem"'),
        ('on = "problem"', 'on = "work"', "assign.on", "are tasks", "links are made of"),
        ("problem managers", "lead", "assign.to", "nobody who has an account in servicenow", "column servicenow"),
        ("problem managers", "problem manager of {town}", "assign.to", 'no field "town"', ""),
        ('stage = "Done"', 'stage = "Gone"', "set.stage", 'no stage "Gone"', '"Done"'),
        ('stage = "Done"', "stage = 2", "set.stage", "called by its name", 'stage = "..."'),
        ('by = "rule"', 'by = "rule"\nwhen = "true"', "when", "a rule says when", "remove when"),
        ('by = "rule"', 'by = "rule"\nsince = "2026-11-01"', "since", "a rule says when", "remove since"),
        ('by = "rule"', 'by = "people"', "by", "", '"rule"'),
        ('"System.AreaPath" = "Portal"', '"System.AreaPath" = "@current"', "System.AreaPath", "has no", "iteration"),
        ('by = "rule"', 'by = "rule"\ncreate = { impact = "@current" }', "impact", "has no", "the value itself"),
        ('side = "work"', 'side = "defect"', "tasks.side", "does not stand under pbi", 'under = "pbi"'),
        ("{incident}", "{nobody}", "tasks.titles[2]", "nobody", ""),
        ("tasks = {", 'relate = "x"\ntasks = {', "relate", "two trackers", "remove relate"),
    ],
)
def test_each_mistake_is_told_alone_with_its_line(
    tmp_path: Path, old: str, new: str, key: str, what: str, instead: str
) -> None:
    assert MORE.count(old) == 1, old
    (problem,) = problems_of(tmp_path, whole(tmp_path, MORE.replace(old, new)))
    assert isinstance(problem, Problem) and problem.line > 0
    assert key in problem.key and what in problem.what and instead in problem.instead, problem
