"""What rules and routes do in the trackers: open a counterpart, assign, set the stage, create with tasks and in the
current iteration. Each once, whatever dies in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.story import MORNING
from sync.compose import connect
from sync.doctor.examine import examine
from sync.doctor.visit import visit
from sync.freezing.freeze import ALL, Pause
from sync.plan import Notify
from sync.rehearse import dry
from sync.show import sentence
from sync.state import LinkState
from tests.test_crash import die_at_every_write
from tests.test_faults import pass_until_over
from tests.world import ANA, BEN, CHEN, RITA, World, writes

PEOPLE = """name,email,party,role,county,region,oversight,servicenow,jira,azure
Paula Ray,paula@example.org,operations,problem manager,,,,paula.ray,,
Ana Ruiz,ana@example.org,developers,lead,,,,,Ana Ruiz,
Chen Wei,chen@example.org,developers,developer,,,,,,Chen Wei
Olga Watts,olga@example.org,,release manager,,,yes,olga.watts,,
Nick Ode,nick@example.org,,clerk,,,,nobody.here,,
"""

PROBLEM = """
[sides.problem]
tracker = "servicenow"
table   = "problem"

[[routes]]
id   = "problem"
from = "incident"
open = "problem"
by   = "rule"
"""

ESCALATE = """
[[rules]]
id    = "escalate"
when  = 'stage == "Fixing"'
quiet = "1d"
  [[rules.steps]]
  open   = "problem"
  assign = { on = "problem", to = "problem managers" }
  [[rules.steps]]
  after  = "1d"
  open   = "problem"
  assign = { on = "defect", to = "lead" }
"""

STAGE = """
[[rules]]
id    = "ask"
when  = 'stage == "Fixing"'
quiet = "1d"
  [[rules.steps]]
  set = { stage = "Waiting for the caller" }
"""

TITLE = 'incident = "short_description"'

TASKS = """
[sides.task]
tracker = "azure"
project = "Portal"
type    = "Task"
under   = "pbi"
"""


def with_rules(rules: str, more: str = "") -> Callable[[str], str]:
    """The demo's file with these rules in place of its own, and a roster."""

    def edit(text: str) -> str:
        head, _, rest = text.partition("[[rules]]")
        tail = rest.partition("[teams.triage]")[2]
        head = head.replace("On Hold:Awaiting Caller", "On Hold:Awaiting Vendor")  # which asks for no comment
        people = '[people]\nroster = "people.csv"\nfallback = ["desk@example.org"]\n'
        if "[sides.problem]" in more:
            head = head.replace(TITLE, f'{TITLE}\nproblem = "short_description"')
        return f"{head}{more}{rules}\n{people}[teams.triage]{tail}"

    return edit


def with_route(keys: str) -> Callable[[str], str]:
    """The demo's file with keys added to the route that opens a PBI."""
    at = 'when = \'"dev" in labels\'\nopen = "pbi"'
    return lambda text: text.replace(at, f"{at}\n{keys}") + TASKS


@contextmanager
def a_world(folder: Path, edit: Callable[[str], str], people: str = PEOPLE) -> Iterator[World]:
    roster = folder / "people.csv"
    roster.write_text(people)
    world = World(folder, edit)
    for user in ("paula.ray", "olga.watts"):
        world.estate.servicenow.data.named("sys_user", user)
    try:
        yield world
    finally:
        world.close()


def at(world: World, day: int, hours: float = 0.5) -> None:
    world.estate.clock.set(MORNING + timedelta(days=day, hours=hours))
    pass_until_over(world)


def problems(world: World) -> list[dict[str, Any]]:
    """Those that are not the long-past one of every world."""
    rows = world.estate.servicenow.data.tables["problem"].rows.values()
    return [dict(row) for row in rows if row["short_description"] != "long ago"]


def assignee(world: World, row: dict[str, Any]) -> str:
    users = world.estate.servicenow.data.tables["sys_user"].rows
    return str(users[row["assigned_to"]]["user_name"]) if row.get("assigned_to") else ""


def linked(world: World) -> list[LinkState]:
    """The links that are more than one item."""
    return [link for link in world.engine.store.links() if len(link.items) > 1]


def shown(world: World, defect: str) -> str:
    """Who works on a defect, by the name people see."""
    return str(world.estate.jira.item(defect).get("assignee") or "")


def label(world: World, defect: str) -> None:
    """The defect is for the developers: the route opens a PBI."""
    world.estate.jira.update(defect, {"labels": [*world.estate.jira.item(defect)["labels"], "dev"]}, by=ANA)


@pytest.fixture
def ladder(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, with_rules(ESCALATE, PROBLEM)) as world:
        yield world


# ── a rule opens, and assigns ────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_opens_a_problem_and_assigns_it_and_the_incident_names_it(ladder: World) -> None:
    incident, _, _ = ladder.linked(pbi=False)
    at(ladder, 0, 8.5)
    assert problems(ladder) == []
    at(ladder, 1)
    (problem,) = problems(ladder)
    assert problem["short_description"] == "500 responses on API"
    assert assignee(ladder, problem) == "paula.ray"
    assert ladder.estate.servicenow.item(incident)["problem_id"] == problem["number"]
    (link,) = [link for link in ladder.engine.store.links() if len(link.items) > 1]
    assert {item.side for item in link.items} == {"incident", "defect", "problem"}
    assert link.orders == () and ladder.engine.store.held() == []
    ladder.estate.servicenow.update(incident, {"problem_id": ""}, by=RITA)
    ladder.later(minutes=1)
    with ladder.counting() as asked:
        pass_until_over(ladder)
    assert writes(asked) == []
    assert not ladder.estate.servicenow.item(incident).get("problem_id")


def test_where_there_is_a_counterpart_a_rule_opens_nothing(ladder: World) -> None:
    """The second rung of the ladder opens by the route of the first."""
    ladder.linked(pbi=False)
    at(ladder, 1)
    at(ladder, 2)
    assert len(problems(ladder)) == 1
    (link,) = linked(ladder)
    assert sorted((f.step, f.outcome) for f in link.firings) == [(1, "fired"), (2, "fired")]
    assert link.orders == ()


def test_what_a_rule_wrote_is_nobodys_movement_and_is_written_once(ladder: World) -> None:
    _, defect, _ = ladder.linked(pbi=False)
    at(ladder, 2)
    assert shown(ladder, defect) == ANA
    (link,) = linked(ladder)
    assert [m for m in link.movements if m.kind == "assignment"] == []
    assert sorted((f.step, f.outcome) for f in link.firings) == [(1, "superseded"), (2, "fired")]
    ladder.estate.jira.update(defect, {"assignee": BEN}, by=ANA)
    ladder.later(minutes=1)
    with ladder.counting() as asked:
        pass_until_over(ladder)
        ladder.engine.store.touch_all(closed=True)
        pass_until_over(ladder)
    assert writes(asked) == []
    assert shown(ladder, defect) == BEN
    (link,) = linked(ladder)
    assert [m.kind for m in link.movements if m.kind == "assignment"] == ["assignment"]


def test_other_incidents_of_the_problem_join_the_work(ladder: World) -> None:
    ladder.linked(pbi=False)
    at(ladder, 1)
    (problem,) = problems(ladder)
    other = ladder.incident("504 errors on API")
    ladder.settle()
    ladder.estate.servicenow.update(other, {"problem_id": problem["sys_id"]}, by=RITA)
    ladder.settle()
    (link,) = linked(ladder)
    assert sorted(item.side for item in link.items) == ["defect", "incident", "incident", "problem"]
    assert len(problems(ladder)) == 1


def test_a_route_of_rules_opens_in_no_other_way(ladder: World) -> None:
    ladder.linked(pbi=False)
    ladder.incident("504 errors on API")
    assert [proposal for done in ladder.reconcile() for plan in done.plans for proposal in plan.proposals] == []
    assert problems(ladder) == []


def test_a_dry_run_shows_what_a_rule_would_open(ladder: World) -> None:
    ladder.linked(pbi=False)
    ladder.estate.clock.set(MORNING + timedelta(days=1, hours=0.5))
    with ladder.counting() as asked:
        rehearsed = dry(ladder.engine)
    told = [sentence(action, plan.keys) for plan in rehearsed.plans for action in plan.actions]
    assert writes(asked) == [] and problems(ladder) == []
    assert [line for line in told if line.startswith("open a problem")] != []


def test_what_a_rule_orders_in_a_freeze_is_done_on_thawing(ladder: World) -> None:
    ladder.linked(pbi=False)
    ladder.engine.store.pause(Pause(ALL, ladder.engine.now(), "opal"))
    ladder.estate.clock.set(MORNING + timedelta(days=1, hours=0.5))
    with ladder.counting() as asked:
        ladder.once()
        ladder.once()
    assert writes(asked) == [] and problems(ladder) == []
    ladder.engine.store.resume([ALL], "opal", ladder.engine.now())
    pass_until_over(ladder)
    (problem,) = problems(ladder)
    assert assignee(ladder, problem) == "paula.ray"
    (link,) = linked(ladder)
    assert [(f.step, f.outcome) for f in link.firings] == [(1, "fired")]


def test_who_cannot_be_assigned_is_held_by_name_and_assigned_as_soon_as_it_can_be(tmp_path: Path) -> None:
    rules = ESCALATE.replace("problem managers", "clerk")
    with a_world(tmp_path, with_rules(rules, PROBLEM)) as world:
        world.linked(pbi=False)
        at(world, 1)
        (problem,) = problems(world)
        assert assignee(world, problem) == ""
        ((held, _),) = world.engine.store.held()
        assert held.what == "assignee" and "nobody.here" in held.reason
        world.estate.servicenow.data.named("sys_user", "nobody.here")
        world.later(minutes=16)
        pass_until_over(world)
        assert assignee(world, problems(world)[0]) == "nobody.here"
        assert world.engine.store.held() == []


def test_an_assignment_that_a_tracker_drops_in_silence_is_held_until_people_see_to_it(ladder: World) -> None:
    ladder.estate.servicenow.rights.unwritable.add(("problem", "assigned_to"))
    ladder.linked(pbi=False)
    at(ladder, 1)
    ladder.later(minutes=30)
    ladder.engine.store.touch_all(closed=True)
    with ladder.counting() as asked:
        pass_until_over(ladder)
    assert writes(asked) == []
    ((held, key),) = ladder.engine.store.held()
    assert (held.what, key) == ("assignee", problems(ladder)[0]["number"]) and "shows nobody" in held.reason
    ladder.estate.servicenow.update(problems(ladder)[0]["sys_id"], {"assigned_to": RITA}, by=RITA)
    ladder.later(minutes=1)
    pass_until_over(ladder)
    assert ladder.engine.store.held() == []


def test_somebody_who_works_on_it_already_is_not_written_again(ladder: World) -> None:
    _, defect, _ = ladder.linked(pbi=False)
    ladder.estate.jira.update(defect, {"assignee": ANA}, by=BEN)
    pass_until_over(ladder)
    ladder.later(minutes=1)
    before = ladder.estate.jira.item(defect)["updated"]
    at(ladder, 2, 1.5)
    assert ladder.estate.jira.item(defect)["updated"] == before
    (link,) = linked(ladder)
    assert link.orders == ()


def test_a_state_lost_behind_the_opening_doubles_nothing(ladder: World) -> None:
    ladder.linked(pbi=False)
    at(ladder, 1)
    ladder.restart(lose_state=True)
    ladder.reconcile()
    at(ladder, 3)
    assert len(problems(ladder)) == 1


# ── a rule sets the stage ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, with_rules(STAGE)) as world:
        yield world


def test_a_rule_sets_the_stage_and_every_side_follows(asking: World) -> None:
    incident, _, _ = asking.linked(pbi=False)
    at(asking, 1)
    assert asking.estate.servicenow.state_of(incident) == "On Hold:Awaiting Vendor"
    (link,) = linked(asking)
    assert (link.agreed["stage"].value, link.before) == ("Waiting for the caller", "Fixing")
    assert [m.stage for m in link.movements if m.kind == "stage"][-2:] == ["Fixing", "Waiting for the caller"]
    asking.estate.servicenow.move(incident, "In Progress", by=RITA)
    asking.later(minutes=1)
    pass_until_over(asking)
    assert asking.estate.servicenow.state_of(incident) == "In Progress"


def test_what_the_stage_needs_holds_a_rules_word_back_until_it_is_there(tmp_path: Path) -> None:
    edit = with_rules(STAGE)
    gated = 'paused   = true\nneeds = ["resolution"]'
    with a_world(tmp_path, lambda text: edit(text).replace("paused   = true", gated)) as world:
        incident, defect, _ = world.linked(pbi=False)
        at(world, 1)
        assert world.estate.servicenow.state_of(incident) == "In Progress"
        ((held, _),) = world.engine.store.held()
        assert "resolution" in held.reason and "'Waiting for the caller'" in held.reason
        world.estate.jira.update(defect, {"customfield_10044": "ask whether it still fails"}, by=BEN)
        world.later(minutes=1)
        pass_until_over(world)
        assert world.estate.servicenow.state_of(incident) == "On Hold:Awaiting Vendor"
        assert world.engine.store.held() == []


def test_a_rules_word_that_waits_is_void_once_people_have_moved_the_work(tmp_path: Path) -> None:
    edit = with_rules(STAGE)
    gated = 'paused   = true\nneeds = ["resolution"]'
    with a_world(tmp_path, lambda text: edit(text).replace("paused   = true", gated)) as world:
        incident, defect, _ = world.linked(pbi=False)
        at(world, 1)
        world.estate.servicenow.move(incident, "New", by=RITA)
        world.later(minutes=1)
        pass_until_over(world)
        world.estate.jira.update(defect, {"customfield_10044": "found it"}, by=BEN)
        world.later(minutes=1)
        pass_until_over(world)
        assert world.estate.servicenow.state_of(incident) == "New"
        assert linked(world)[0].orders == ()


# ── a route creates in the current iteration ─────────────────────────────────────────────────────────────────────────


def sprint(world: World, name: str, start: timedelta, finish: timedelta) -> str:
    """An iteration of the default team, as people plan it; its path."""
    org = world.estate.azure.org
    root = org.nodes.roots["Portal", "iteration"]
    node = org.nodes.add(root, name)
    node.start, node.finish = MORNING + start, MORNING + finish
    org.teams.of(org.projects["Portal"])[0].iterations.append(node.id)
    return node.path


def test_a_route_creates_in_the_iteration_of_today(tmp_path: Path) -> None:
    with a_world(tmp_path, with_route('create = { "System.IterationPath" = "@current" }')) as world:
        sprint(world, "Sprint 1", timedelta(days=-14), timedelta(days=-1))
        now = sprint(world, "Sprint 2", timedelta(days=-1), timedelta(days=12))
        _, _, pbi = world.linked()
        assert world.estate.azure.item(pbi)["System.IterationPath"] == now == "Portal\\Sprint 2"


def test_without_a_current_iteration_the_opening_is_held_and_goes_on_by_itself(tmp_path: Path) -> None:
    with a_world(tmp_path, with_route('create = { iteration = "@current Portal Team" }')) as world:
        _, defect, _ = world.linked(pbi=False)
        world.estate.jira.update(defect, {"labels": ["lockstep-demo", "dev"]}, by=ANA)
        pass_until_over(world)
        ((held, _),) = world.engine.store.held()
        assert held.what == "open development" and "no current iteration" in held.reason
        assert world.estate.azure.ids() == []
        sprint(world, "Sprint 2", timedelta(days=-1), timedelta(days=12))
        world.later(minutes=16)
        pass_until_over(world)
        (pbi,) = world.estate.azure.ids()
        assert world.estate.azure.item(pbi)["System.IterationPath"] == "Portal\\Sprint 2"
        assert world.engine.store.held() == []


def test_the_doctor_tells_beforehand_that_there_is_no_current_iteration(tmp_path: Path) -> None:
    with a_world(tmp_path, with_route('create = { "System.IterationPath" = "@current" }')) as world:

        def told() -> list[tuple[str, str]]:
            setup = world.engine.setup
            found = examine(setup, visit(setup, world.estate.clock, connect))
            return [(one.level, one.what) for one in found if "routes.development" in one.key]

        assert told() == [("warning", "there is no current System.IterationPath in Portal today")]
        sprint(world, "Sprint 2", timedelta(days=-1), timedelta(days=12))
        assert told() == []


# ── a route creates tasks ────────────────────────────────────────────────────────────────────────────────────────────

TITLES = 'tasks = { side = "task", titles = ["Analyse {summary}", "Test {incident}"] }'


@pytest.fixture
def tasked(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, with_route(TITLES)) as world:
        yield world


def tasks_of(world: World) -> list[tuple[str, str]]:
    """Every task of the project: its title, and the item that it stands under."""
    found = []
    for id in world.estate.azure.ids():
        item = world.estate.azure.found(id)
        if item.type == "Task":
            above = next((str(one.target) for one in item.relations if one.rel.endswith("Hierarchy-Reverse")), "")
            found.append((str(item.fields["System.Title"]), above))
    return sorted(found)


def pbi_of(world: World) -> str:
    (pbi,) = [i for i in world.estate.azure.ids() if world.estate.azure.found(i).type == "Product Backlog Item"]
    return str(pbi)


def test_what_a_route_opens_gets_its_tasks_below_it(tasked: World) -> None:
    sprint(tasked, "Sprint 2", timedelta(days=-1), timedelta(days=12))
    incident, defect, _ = tasked.linked(pbi=False)
    label(tasked, defect)
    tasked.settle()
    number, pbi = tasked.estate.servicenow.item(incident)["number"], pbi_of(tasked)
    assert tasks_of(tasked) == [("Analyse 500 responses on API", pbi), (f"Test {number}", pbi)]
    (link,) = linked(tasked)
    assert (len(link.items), len(link.tasks)) == (3, 2)
    tasked.engine.store.touch_all(closed=True)
    with tasked.counting() as asked:
        tasked.settle()
    assert writes(asked) == [] and tasked.engine.store.held() == []


@pytest.mark.parametrize("moment", ["before it is sent", "after it took effect"])
def test_dying_at_every_write_and_losing_the_state_each_time_doubles_no_task(tasked: World, moment: str) -> None:
    _, defect, _ = tasked.linked(pbi=False)
    label(tasked, defect)
    die_at_every_write(tasked, moment)
    pass_until_over(tasked)
    titles = [title for title, _ in tasks_of(tasked)]
    assert len(titles) == len(set(titles)) <= 2
    assert len(linked(tasked)[0].tasks) == len(titles)


def test_a_task_whose_answer_was_lost_is_looked_for_before_it_is_made_again(tasked: World) -> None:
    tasked.estate.faults.add(Fault("reset_after", "azure", "POST", r"workitems/\$Task", times=1))
    _, defect, _ = tasked.linked(pbi=False)
    label(tasked, defect)
    tasked.settle()
    assert [title.split()[0] for title, _ in tasks_of(tasked)] == ["Analyse", "Test"]
    assert len(linked(tasked)[0].tasks) == 2


@pytest.mark.parametrize("lost", [False, True], ids=["state kept", "state deleted"])
def test_a_task_that_people_deleted_is_never_made_again(tasked: World, lost: bool) -> None:
    _, defect, _ = tasked.linked(pbi=False)
    label(tasked, defect)
    tasked.settle()
    first = next(i for i in tasked.estate.azure.ids() if tasked.estate.azure.found(i).type == "Task")
    tasked.estate.azure.delete(first, by=CHEN)
    tasked.restart(lose_state=lost)
    tasked.reconcile()
    assert len(tasks_of(tasked)) == 1
    assert len(linked(tasked)[0].tasks) == 1


def test_no_tasks_come_below_what_was_opened_before_the_route_had_any(tmp_path: Path) -> None:
    with a_world(tmp_path, with_route("")) as world:
        _, _, pbi = world.linked()
        world.edited(('open = "pbi"\n', f'open = "pbi"\n{TITLES}\n'))
        world.apply()
        world.reconcile()
        assert tasks_of(world) == [] and pbi_of(world) == pbi


# ── one step does it all ─────────────────────────────────────────────────────────────────────────────────────────────


def test_one_step_says_mails_sets_opens_and_assigns(tmp_path: Path) -> None:
    step = """open   = "problem"
  set    = { escalation = "High" }
  say    = { on = "incident.work_notes", text = "Escalated to {problem}." }
  email  = { to = ["problem manager"], subject = "{incident} is escalated", text = "{summary}" }"""
    mail = '[mail]\nserver = "smtp://127.0.0.1:9"\nsender = "bot@example.org"\n'
    rules = ESCALATE.replace('open   = "problem"', step)
    with a_world(tmp_path, with_rules(rules + mail, PROBLEM)) as world:
        incident, _, _ = world.linked(pbi=False)
        world.estate.clock.set(MORNING + timedelta(days=1, hours=0.5))
        sent = [a for plan in world.once().plans for a in plan.actions if isinstance(a, Notify)]
        (problem,) = problems(world)
        assert assignee(world, problem) == "paula.ray"
        assert world.estate.servicenow.item(incident)["escalation"] == "2"
        assert sum("Escalated to" in text for text in world.words("servicenow", incident)) == 1
        assert [(one.kind, one.to) for one in sent] == [("email", ("paula@example.org",))]
