"""Sides of every kind: any subset of trackers, several projects of one kind, two sides in one tracker, problems beside
incidents. Each constellation lives a whole life: opened, spoken in, changed, closed, found again without a state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.estate import Estate
from sandbox.story import MORNING
from sync.state import LinkState
from tests.world import ANA, CHEN, RITA, SAM, World, copies_of, writes

REQUESTS = """
[sides.request]
tracker = "azure"
project = "Portal"
type    = "Feature"
[sides.pbi]
tracker = "azure"
project = "Portal"
type    = "Product Backlog Item"
[[stages]]
name    = "New"
request = "New"
pbi     = "New"
[[stages]]
name    = "Work"
request = "In Progress"
pbi     = ["Approved", "Committed"]
[[stages]]
name     = "Closed"
request  = "Done"
pbi      = "Done"
terminal = true
[[routes]]
id   = "development"
from = "request"
when = 'stage == "Work"'
open = "pbi"
[fields.summary]
request = "System.Title"
pbi     = "System.Title"
[[comments]]
from = "request.discussion"
to   = ["pbi.discussion"]
[[comments]]
from = "pbi.discussion"
to   = ["request.discussion"]
"""
PROJECTS = """
[sides.defect]
tracker = "jira"
project = "CSPM"
type    = "Bug"
[sides.change]
tracker = "jira"
project = "OPS"
type    = "Task"
[[stages]]
name   = "New"
defect = "To Do"
change = "To Do"
[[stages]]
name   = "Work"
defect = ["In Progress", "In Review"]
change = "In Progress"
[[stages]]
name     = "Closed"
defect   = "Done"
change   = "Done"
terminal = true
set      = { defect = { resolution = "Done" } }
[[routes]]
id   = "change"
from = "defect"
when = 'stage == "Work"'
open = "change"
[fields.summary]
defect = "summary"
change = "summary"
[[comments]]
from = "defect.everyone"
to   = ["change.everyone"]
[[comments]]
from = "change.everyone"
to   = ["defect.everyone"]
"""
COUNTIES = """
[sides.incident]
tracker = "servicenow"
table   = "incident"
scope   = { assignment_group = ["API Support"] }
[sides.task]
tracker = "servicenow"
table   = "incident"
scope   = { assignment_group = ["Database"] }
create  = { assignment_group = "Database" }
[[stages]]
name     = "New"
incident = "New"
task     = "New"
[[stages]]
name     = "Work"
incident = "In Progress"
task     = "In Progress"
[[stages]]
name     = "Closed"
incident = ["Resolved", "Closed"]
task     = ["Resolved", "Closed"]
terminal = true
[stages.set]
incident = { close_code = "Solution provided", close_notes = "done" }
task     = { close_code = "Solution provided", close_notes = "done" }
[[routes]]
id   = "database"
from = "incident"
when = 'stage == "Work"'
open = "task"
[fields.summary]
incident = "short_description"
task     = "short_description"
[[comments]]
from = "incident.comments"
to   = ["task.comments"]
[[comments]]
from = "task.comments"
to   = ["incident.comments"]
"""
PROBLEMS = """
[sides.problem]
tracker = "servicenow"
table   = "problem"
scope   = { assignment_group = ["API Support"] }
[sides.incident]
tracker = "servicenow"
table   = "incident"
scope   = { assignment_group = ["API Support"] }
[sides.defect]
tracker = "jira"
project = "CSPM"
type    = "Bug"
[[stages]]
name     = "New"
problem  = "New"
incident = "New"
defect   = "To Do"
[[stages]]
name     = "Work"
problem  = ["Assess", "Root Cause Analysis", "Fix in Progress"]
incident = "In Progress"
defect   = ["In Progress", "In Review"]
[[stages]]
name     = "Closed"
incident = ["Resolved", "Closed"]
defect   = "Done"
terminal = true
[stages.set]
incident = { close_code = "Solution provided", close_notes = "done" }
[[routes]]
id   = "problem-defect"
from = "problem"
when = 'stage == "Work"'
open = "defect"
join = { problem = true }
[fields.summary]
problem  = "short_description"
incident = "short_description"
defect   = "summary"
[[comments]]
from = "incident.comments"
to   = ["defect.everyone"]
[[comments]]
from = "defect.everyone"
to   = ["incident.comments", "problem.work_notes"]
"""
#: the demo's file without its defects: incidents and PBIs alone
STRAIGHT = """
[sides.incident]
tracker = "servicenow"
table   = "incident"
scope   = { assignment_group = ["API Support"] }
[sides.pbi]
tracker = "azure"
project = "Portal"
type    = "Product Backlog Item"
[[stages]]
name     = "New"
incident = "New"
pbi      = "New"
[[stages]]
name     = "Work"
incident = "In Progress"
pbi      = ["Approved", "Committed"]
[[stages]]
name     = "Closed"
incident = ["Resolved", "Closed"]
pbi      = "Done"
terminal = true
set      = { incident = { close_code = "Solution provided", close_notes = "done" } }
[[routes]]
id   = "development"
from = "incident"
when = 'stage == "Work"'
open = "pbi"
[fields.summary]
incident = "short_description"
pbi      = "System.Title"
[[comments]]
from = "incident.comments"
to   = ["pbi.discussion"]
[[comments]]
from = "pbi.discussion"
to   = ["incident.comments"]
"""


class Person:
    """What people do and see in one place. ``where`` are the fields of a new item there."""

    def __init__(self, tracker: str, title: str, who: str, work: str, **where: str) -> None:
        self.tracker, self.title, self.who, self.work, self.where = tracker, title, who, work, where

    def opens(self, world: World, title: str) -> str:
        tracker = getattr(world.estate, self.tracker)
        id = str(tracker.create({self.title: title, **self.where}, by=self.who))
        return id

    def works(self, world: World, id: str) -> None:
        getattr(world.estate, self.tracker).move(id, self.work, by=self.who)

    def says(self, world: World, id: str, text: str) -> None:
        getattr(world.estate, self.tracker).comment(id, text, self.who)

    def renames(self, world: World, id: str, title: str) -> None:
        getattr(world.estate, self.tracker).update(id, {self.title: title}, self.who)

    def reads(self, world: World, id: str) -> object:
        return getattr(world.estate, self.tracker).item(id)[self.title]


SUPPORT = Person("servicenow", "short_description", RITA, "In Progress", assignment_group="API Support")
DATABASE = Person("servicenow", "short_description", SAM, "In Progress")
REQUESTER = Person("azure", "System.Title", CHEN, "In Progress", **{"System.WorkItemType": "Feature"})
DEVELOPER = Person("azure", "System.Title", CHEN, "Approved")
ANALYST = Person("jira", "summary", ANA, "In Progress", issuetype="Bug")
OPERATOR = Person("jira", "summary", ANA, "In Progress", project="OPS", issuetype="Task")

CONSTELLATIONS = {
    "two sides in one Azure DevOps": (REQUESTS, REQUESTER, DEVELOPER, "Done"),
    "two projects of one Jira": (PROJECTS, ANALYST, OPERATOR, "Done"),
    "two groups in one ServiceNow table": (COUNTIES, SUPPORT, DATABASE, "Resolved"),
    "ServiceNow and Azure DevOps without Jira": (STRAIGHT, SUPPORT, DEVELOPER, "Done"),
}


def lived_in(folder: Path, sides: str) -> World:
    """A world with these sides and what belongs to them, and the demo's bot and trackers."""
    estate = Estate(MORNING)
    estate.servicenow.data.named("sys_user_group", "Database")
    return World(folder, instead(sides), estate)


def instead(sides: str) -> Callable[[str], str]:
    """The demo's bot and trackers, with other sides and what belongs to them."""
    return lambda text: text[: text.index("[sides.incident]")] + sides


def sides_of(link: LinkState) -> list[str]:
    return sorted(item.side for item in link.items)


@pytest.mark.parametrize("name", CONSTELLATIONS)
def test_any_subset_of_trackers_and_two_sides_in_one_live_a_whole_life(tmp_path: Path, name: str) -> None:
    sides, opener, other, done = CONSTELLATIONS[name]
    world = lived_in(tmp_path, sides)
    opened = opener.opens(world, "as reported")
    opener.works(world, opened)
    world.settle()
    made = next(item.ref.id for item in world.engine.store.links()[0].items if item.ref.id != opened)
    assert other.reads(world, made) == "as reported"
    opener.says(world, opened, "from the opener")
    other.says(world, made, "from the other side")
    world.settle()
    other.renames(world, made, "renamed by the other side")
    world.settle()
    opener.renames(world, opened, "renamed by the opener")
    world.settle()
    for person, id in ((opener, opened), (other, made)):
        assert person.reads(world, id) == "renamed by the opener"
        words = world.words(person.tracker, id)
        assert [copies_of(text, words) for text in ("from the opener", "from the other side")] == [1, 1]
        assert len(words) == 2
    with world.counting() as asked:
        assert world.once().quiet
    assert (len(asked), writes(asked)) == (2, []), "one call a side"
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    (link,) = world.engine.store.links()
    found = {item.side: item.ref.id for item in link.items}
    assert found == dict(zip(world.engine.setup.sides, (opened, made), strict=True))
    closed = {"close_code": "Solution provided", "close_notes": "done"} if done == "Resolved" else {}
    getattr(world.estate, other.tracker).move(made, done, by=other.who, **closed)
    world.settle()
    assert world.engine.store.links()[0].closed
    assert world.engine.store.held() == []
    world.close()


def test_an_item_belongs_to_the_side_whose_scope_takes_it_in_until_a_link_holds_it(tmp_path: Path) -> None:
    world = lived_in(tmp_path, COUNTIES)
    snow = world.estate.servicenow
    id = snow.create({"short_description": "misrouted", "assignment_group": "Database"}, by=SAM)
    world.settle()
    snow.update(id, {"assignment_group": "API Support"}, RITA)
    snow.move(id, "In Progress", by=RITA)
    world.settle()
    (link,) = world.engine.store.links()
    assert link.source.id == id and sides_of(link) == ["incident", "task"]
    snow.update(id, {"assignment_group": "Database"}, RITA)
    snow.update(id, {"short_description": "still the incident"}, RITA)
    world.settle()
    (link,) = world.engine.store.links()
    assert link.item(link.source).side == "incident" and sides_of(link) == ["incident", "task"]
    world.close()


def test_a_problem_beside_its_incidents_lives_a_whole_life(tmp_path: Path) -> None:
    """It opens the defect; incidents that name it come along, are heard and told, and keep their own words."""
    world = lived_in(tmp_path, PROBLEMS)
    snow, jira = world.estate.servicenow, world.estate.jira
    problem = snow.create({"short_description": "pool leaks", "assignment_group": "API Support"}, SAM, table="problem")
    county = world.incident("county A cannot log in", problem_id=problem)
    snow.move(problem, "Assess", by=RITA)
    world.settle()
    (defect,) = jira.ids()
    assert jira.item(defect)["summary"] == "pool leaks"
    snow.comment(county, "since nine", SAM)
    jira.comment(defect, "found it", ANA)
    world.settle()
    assert copies_of("since nine", world.words("jira", defect)) == 1
    assert copies_of("found it", world.words("servicenow", county)) == 1
    assert copies_of("found it", world.words("servicenow", problem)) == 1
    assert copies_of("since nine", world.words("servicenow", problem)) == 0, "no path names it"
    jira.update(defect, {"summary": "connection pool leaks"}, by=ANA)
    world.settle()
    assert snow.item(problem)["short_description"] == "connection pool leaks"
    with world.counting() as asked:
        assert world.once().quiet
    assert (len(asked), writes(asked)) == (3, []), "one call a side"
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []
    (link,) = world.engine.store.links()
    assert {item.side: item.ref.id for item in link.items} == {"problem": problem, "incident": county, "defect": defect}
    jira.move(defect, "Done", by=ANA, resolution="Done")
    world.settle()
    assert snow.state_of(county) == "Resolved"
    assert world.engine.store.links()[0].closed
    world.close()
