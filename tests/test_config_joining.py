"""What the admin's file may say of joining and of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config_files import WHOLE, changed, problems_of, read

ROUTE = 'id = "second"'
TASK = '[sides.task]\ntracker = "azure"\nproject = "Portal"\ntype = "Task"\nunder = "pbi"\n'

TASKED = WHOLE.replace('from = "defect"', 'from = "task"') + TASK


def said(keys: str) -> str:
    """The whole file with these keys on its second route."""
    return changed(ROUTE, f"{ROUTE}\n{keys}")[0]


def test_parent_and_problem_join_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    route = read(tmp_path, WHOLE)[0].routes[1]
    assert (route.parent, route.problem, route.mention, route.reopen) == (True, True, "", False)
    keys = 'join = { parent = false, mention = "join", in = ["summary"] }\nreopen = true'
    route = read(tmp_path, said(keys))[0].routes[1]
    assert (route.parent, route.problem, route.mention, route.mention_in) == (False, True, "join", ("summary",))
    assert route.reopen


def test_a_mention_counts_in_named_fields_only_and_is_proposed_there(tmp_path: Path) -> None:
    assert read(tmp_path, said('join = { mention = "propose" }'))[0].routes[1].mention == ""
    assert read(tmp_path, said('join = { in = ["summary"] }'))[0].routes[1].mention == "propose"
    assert read(tmp_path, said('join = { mention = "none", in = ["summary"] }'))[0].routes[1].mention == ""


def test_a_side_may_be_the_tasks_of_another_and_needs_no_stage(tmp_path: Path) -> None:
    setup, warnings = read(tmp_path, WHOLE + TASK)
    assert setup.sides["task"].under == "pbi"
    assert not [warning for warning in warnings if "task" in str(warning)]


@pytest.mark.parametrize(
    "text, key, what",
    [
        (said('join = { in = ["nowhere"] }'), "routes.second.join.in[1]", 'no field "nowhere"'),
        (said('join = { in = ["priority"] }'), "routes.second.join.in[1]", "priority is no text"),
        (said('join = { mention = "join" }'), "routes.second.join.mention", "counts in named fields only"),
        (said("join = { parents = true }"), "routes.second.join.parents", ""),
        (WHOLE + TASK.replace('"pbi"', '"pib"'), "sides.task.under", 'no side "pib"'),
        (WHOLE + TASK.replace('"pbi"', '"task"'), "sides.task.under", "no side that links are made of"),
        (WHOLE + TASK.replace('"pbi"', '"incident"'), "sides.task.under", "a task is found by its parent there"),
        (TASKED, "routes.second.from", "tasks are opened by nobody"),
    ],
)
def test_what_is_wrong_of_joining_and_tasks_is_told_with_its_place(
    tmp_path: Path, text: str, key: str, what: str
) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert problem.key == key
    assert what in problem.what
    assert problem.instead
