"""What joins a link instead of opening one of its own, end to end on the three simulated trackers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.approval.approve import carry_out, draft
from sync.show.plan import words
from tests.world import ANA, RITA, SAM, World, copies_of, writes

JOIN = 'open = "defect"\njoin = { parent = true, problem = true, mention = "propose", in = ["summary"] }'
PROBLEMS = """
[sides.problem]
tracker = "servicenow"
table   = "problem"
scope   = { assignment_group = ["API Support"] }
[[routes]]
id   = "problem-defect"
from = "problem"
open = "defect"
"""


def joining(text: str) -> str:
    """The demo's file with the words of a route that say what joins."""
    assert 'open = "defect"' in text
    return text.replace('open = "defect"', JOIN, 1)


@pytest.fixture
def joined(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, joining)
    yield world
    world.close()


def with_problems(text: str) -> str:
    """The same with problems that open defects too."""
    named = 'incident = "short_description"'
    assert named in text
    return joining(text).replace(named, f'{named}\nproblem = "short_description"', 1) + PROBLEMS


def number(world: World, id: str) -> str:
    return str(world.estate.servicenow.item(id)["number"])


def opened(world: World, title: str = "500 responses on API") -> tuple[str, str]:
    """An incident in work with its defect."""
    incident, defect, _ = world.linked(title, pbi=False)
    return incident, defect


def test_an_incident_whose_parent_is_in_a_link_joins_it(joined: World) -> None:
    incident, _ = opened(joined)
    child = joined.incident("500 responses, county B", parent_incident=incident)
    joined.settle()
    (link,) = joined.engine.store.links()
    assert {item.key for item in link.items} == {number(joined, incident), number(joined, child), "CSPM-1"}
    assert next(item for item in link.items if item.ref.id == child).joined == "parent"
    snow = joined.estate.servicenow
    assert snow.state_of(child) == "In Progress"
    assert snow.item(child)["short_description"] == "500 responses, county B"
    assert f"link:{link.key}" in snow.item(child)["correlation_id"]
    assert len(joined.estate.jira.ids()) == 1


def test_an_incident_whose_problem_is_in_a_link_joins_it(tmp_path: Path) -> None:
    world = World(tmp_path, with_problems)
    snow = world.estate.servicenow
    given = {"short_description": "pool leaks", "assignment_group": "API Support"}
    problem = snow.create(given, by=SAM, table="problem")
    world.settle()
    assert len(world.estate.jira.ids()) == 1
    first = world.incident("county A", problem_id=problem)
    second = world.incident("county B", problem_id=problem)
    world.settle()
    (link,) = world.engine.store.links()
    assert {item.ref.id for item in link.items if item.side == "incident"} == {first, second}
    assert {item.joined for item in link.items if item.side == "incident"} == {"problem"}
    assert len(world.estate.jira.ids()) == 1
    world.close()


def test_a_parent_that_comes_into_a_link_later_takes_its_child_along(joined: World) -> None:
    parent = joined.incident("500 responses on API")
    child = joined.incident("500 responses, county B", parent_incident=parent)
    joined.settle()
    assert joined.engine.store.links() == []
    joined.estate.servicenow.move(parent, "In Progress", by=RITA)
    joined.settle()
    (link,) = joined.engine.store.links()
    assert {item.ref.id for item in link.items if item.side == "incident"} == {parent, child}


def test_parent_and_child_that_become_eligible_in_one_pass_make_one_link(joined: World) -> None:
    parent = joined.incident("500 responses on API")
    child = joined.incident("500 responses, county B", parent_incident=parent)
    for one in (child, parent):
        joined.estate.servicenow.move(one, "In Progress", by=RITA)
    joined.settle()
    assert len(joined.engine.store.links()) == len(joined.estate.jira.ids()) == 1


def test_one_that_only_mentions_a_linked_incident_is_proposed_and_opens_nothing_meanwhile(joined: World) -> None:
    incident, _ = opened(joined)
    other = joined.incident(f"the same as {number(joined, incident)}?")
    joined.estate.servicenow.move(other, "In Progress", by=RITA)
    joined.settle()
    assert len(joined.estate.jira.ids()) == 1
    ((held, key),) = joined.engine.store.held()
    assert (held.what, key) == ("join", number(joined, other))
    assert f"lockstep link {key} {number(joined, incident)}" in held.advice
    assert f"lockstep unlink {key}" in held.advice
    with joined.counting() as asked:
        joined.settle()
    assert writes(asked) == []


def test_a_mention_joins_where_the_route_says_so_and_then_only_in_the_fields_that_it_names(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: joining(text).replace('mention = "propose"', 'mention = "join"'))
    incident, _ = opened(world)
    named = number(world, incident)
    other = world.incident(f"see {named}")
    elsewhere = world.incident("another matter", description=f"not {named}")
    world.settle()
    (link,) = world.engine.store.links()
    assert other in {item.ref.id for item in link.items}
    assert elsewhere not in {item.ref.id for item in link.items}
    world.close()


def test_two_candidate_links_are_held_and_links_never_merge_themselves(tmp_path: Path) -> None:
    world = World(tmp_path, with_problems)
    incident, _ = opened(world)
    given = {"short_description": "pool leaks", "assignment_group": "API Support"}
    problem = world.estate.servicenow.create(given, by=SAM, table="problem")
    world.settle()
    torn = world.incident("which of the two", parent_incident=incident, problem_id=problem)
    world.estate.servicenow.move(torn, "In Progress", by=RITA)
    world.settle()
    assert len(world.engine.store.links()) == len(world.estate.jira.ids()) == 2
    ((held, key),) = world.engine.store.held()
    assert (held.what, key) == ("join", number(world, torn))
    problem_key = str(world.estate.servicenow.item(problem)["number"])
    assert number(world, incident) in held.reason and problem_key in held.reason
    world.estate.servicenow.update(torn, {"problem_id": ""}, by=RITA)
    world.settle()
    assert world.engine.store.held() == []
    assert torn in {item.ref.id for link in world.engine.store.links() for item in link.items}
    world.close()


def test_an_item_is_in_at_most_one_open_link_and_stays_when_its_parent_changes(joined: World) -> None:
    first, _ = opened(joined, "500 responses on API")
    second, _ = opened(joined, "504 errors on API")
    child = joined.incident("county B", parent_incident=first)
    joined.settle()
    joined.estate.servicenow.update(child, {"parent_incident": second}, by=RITA)
    joined.settle()
    homes = [link for link in joined.engine.store.links() if child in {item.ref.id for item in link.items}]
    assert [link.source.id for link in homes] == [first]
    ((held, key),) = joined.engine.store.held()
    assert (held.what, key) == ("join", number(joined, child))
    assert f"lockstep link {key} {number(joined, second)}" in held.advice
    joined.estate.servicenow.update(child, {"parent_incident": first}, by=RITA)
    joined.settle()
    assert joined.engine.store.held() == []


def test_a_route_from_an_item_that_is_already_linked_opens_into_that_link(joined: World) -> None:
    opened(joined)
    (link,) = joined.engine.store.links()
    jira = joined.estate.jira
    defect = jira.ids()[-1]
    jira.update(defect, {"labels": [*jira.item(defect)["labels"], "dev"]}, by=ANA)
    joined.settle()
    (after,) = joined.engine.store.links()
    assert after.key == link.key
    assert {item.side for item in after.items} == {"incident", "defect", "pbi"}


def test_what_was_said_before_the_joining_is_history_on_both_sides(joined: World) -> None:
    incident, defect = opened(joined)
    joined.estate.jira.comment(defect, "said to county A alone", ANA)
    joined.settle()
    child = joined.incident("county B")
    joined.estate.servicenow.comment(child, "said by county B before", SAM)
    joined.settle()
    joined.later(minutes=3)
    joined.estate.servicenow.update(child, {"parent_incident": incident}, by=RITA)
    joined.settle()
    joined.later(minutes=3)
    joined.estate.servicenow.comment(child, "said by county B after", SAM)
    joined.settle()
    joined.reconcile()
    assert copies_of("said by county B before", joined.words("jira", defect)) == 0
    assert copies_of("said to county A alone", joined.words("servicenow", child)) == 0
    assert copies_of("said by county B after", joined.words("jira", defect)) == 1
    assert copies_of("said by county B after", joined.words("servicenow", incident)) == 0


@pytest.mark.parametrize("lose_state", [False, True], ids=["state kept", "state deleted"])
def test_a_joined_link_is_quiet_when_everything_is_read_again(joined: World, lose_state: bool) -> None:
    incident, defect = opened(joined)
    joined.estate.jira.comment(defect, "first word", ANA)
    joined.settle()
    joined.later(minutes=10)
    child = joined.incident("county B", parent_incident=incident)
    joined.estate.servicenow.comment(child, "before", SAM)
    joined.settle()
    joined.later(hours=1)
    joined.restart(lose_state=lose_state)
    with joined.counting() as asked:
        passes = joined.reconcile()
    assert writes(asked) == []
    assert passes[-1].quiet
    (link,) = joined.engine.store.links()
    assert {item.ref.id for item in link.items} == {incident, child, defect}


def closed(world: World) -> tuple[str, str]:
    """An incident and its defect whose work is over."""
    incident, defect = opened(world)
    world.estate.jira.update(defect, {"customfield_10044": "fixed the pool"}, by=ANA)
    world.estate.jira.move(defect, "Done", by=ANA, resolution="Done")
    world.settle()
    assert world.engine.store.links()[0].closed
    return incident, defect


@pytest.mark.parametrize("how", ["parent", "mention"])
def test_a_new_incident_that_names_one_of_closed_work_is_told_to_the_work_side_and_proposed(
    joined: World, how: str
) -> None:
    incident, defect = closed(joined)
    named = number(joined, incident)
    given = {"parent_incident": incident} if how == "parent" else {}
    again = joined.incident("it is back" if how == "parent" else f"{named} is back", **given)
    joined.estate.servicenow.move(again, "In Progress", by=RITA)
    joined.settle()
    ((held, key),) = joined.engine.store.held()
    assert (held.what, key) == ("join", number(joined, again))
    assert "over" in held.reason and f"lockstep link {key} {named}" in held.advice
    told = f"{number(joined, again)} is new and names {named}"
    assert copies_of(told, joined.words("jira", defect)) == 1
    assert joined.estate.jira.item(defect)["status"] == "Done"
    joined.estate.servicenow.update(again, {"urgency": "1"}, by=SAM)
    joined.settle()
    assert copies_of(told, joined.words("jira", defect)) == 1
    assert joined.estate.jira.ids() == [defect]


def test_a_new_incident_that_names_closed_work_opens_it_again_only_where_the_route_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: joining(text).replace('"summary"] }', '"summary"] }\nreopen = true'))
    incident, defect = closed(world)
    again = world.incident("it is back", parent_incident=incident)
    world.estate.servicenow.move(again, "In Progress", by=RITA)
    for _ in range(4):
        world.once()
        world.later(minutes=1)
    (link,) = world.engine.store.links()
    assert again in {item.ref.id for item in link.items}
    assert link.closed is None
    assert world.estate.jira.ids() == [defect]
    assert world.estate.servicenow.state_of(again) == "In Progress"
    world.close()


def test_an_incident_from_before_lockstep_joins_by_an_approved_plan_only(tmp_path: Path) -> None:
    world = World(tmp_path, joining)
    parent, _ = opened(world)
    child = world.incident("county B, long known", parent_incident=parent)
    world.restart(lose_state=True)
    world.settle()
    (link,) = world.engine.store.links()
    assert child not in {item.ref.id for item in link.items}
    assert world.engine.store.held() == []
    document, _ = draft(world.engine, {"join"}, words)
    (entry,) = document.entries
    (proposal,) = entry.proposals
    assert number(world, child) in proposal["text"] and number(world, parent) in proposal["text"]
    outcome = carry_out(world.engine, document, "opal")
    assert outcome.skipped == []
    world.settle()
    (link,) = world.engine.store.links()
    assert child in {item.ref.id for item in link.items}
    world.close()


def test_a_closed_or_foreign_incident_joins_nothing(joined: World) -> None:
    incident, _ = opened(joined)
    foreign = joined.incident("of another group", parent_incident=incident, assignment_group="")
    over = joined.incident("county B, over", parent_incident=incident)
    joined.estate.servicenow.move(over, "Resolved", by=RITA, close_code="Solution provided", close_notes="done")
    joined.settle()
    (link,) = joined.engine.store.links()
    assert not {foreign, over} & {item.ref.id for item in link.items}


def test_a_side_that_the_routes_say_nothing_of_joins_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: joining(text).replace("parent = true", "parent = false"))
    incident, _ = opened(world)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    (link,) = world.engine.store.links()
    assert child not in {item.ref.id for item in link.items}
    world.close()


def test_a_defect_whose_parent_is_in_a_link_joins_it_too(joined: World) -> None:
    incident, defect = opened(joined)
    jira = joined.estate.jira
    part = jira.create({"summary": "one part of it"}, by=ANA)
    joined.settle()
    jira.put_under(part, defect, by=ANA)
    joined.settle()
    (link,) = joined.engine.store.links()
    assert {item.ref.id for item in link.items} == {incident, defect, part}
    assert jira.item(part)["summary"] == "one part of it"


def test_the_first_incident_of_a_problems_link_is_given_its_stage(tmp_path: Path) -> None:
    world = World(tmp_path, with_problems)
    snow = world.estate.servicenow
    given = {"short_description": "pool leaks", "assignment_group": "API Support"}
    problem = snow.create(given, by=SAM, table="problem")
    world.settle()
    defect = world.estate.jira.ids()[-1]
    world.estate.jira.move(defect, "In Progress", by=ANA)
    world.settle()
    first = world.incident("county A", problem_id=problem)
    world.settle()
    assert snow.state_of(first) == "In Progress"
    snow.move(first, "New", by=RITA)
    world.settle()
    assert world.estate.jira.item(defect)["status"] == "To Do"
    world.close()


def test_what_waits_between_two_links_joins_when_the_work_of_one_is_over(tmp_path: Path) -> None:
    world = World(tmp_path, with_problems)
    incident, defect = opened(world)
    given = {"short_description": "pool leaks", "assignment_group": "API Support"}
    problem = world.estate.servicenow.create(given, by=SAM, table="problem")
    world.settle()
    torn = world.incident("which of the two", parent_incident=incident, problem_id=problem)
    world.settle()
    assert [held.what for held, _ in world.engine.store.held()] == ["join"]
    world.estate.jira.update(defect, {"customfield_10044": "fixed the pool"}, by=ANA)
    world.estate.jira.move(defect, "Done", by=ANA, resolution="Done")
    world.settle()
    assert world.engine.store.held() == []
    (home,) = [link for link in world.engine.store.links() if torn in {item.ref.id for item in link.items}]
    assert home.source.id == problem
    world.close()


def test_what_waits_for_closed_work_joins_when_that_is_opened_again(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: joining(text).replace('mention = "propose"', 'mention = "join"'))
    incident, defect = closed(world)
    again = world.incident(f"{number(world, incident)} is back")
    world.settle()
    assert [held.what for held, _ in world.engine.store.held()] == ["join"]
    world.estate.jira.move(defect, "To Do", by=ANA)
    world.settle()
    assert world.engine.store.held() == []
    (link,) = world.engine.store.links()
    assert again in {item.ref.id for item in link.items}
    world.close()
