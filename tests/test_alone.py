"""Items that are followed alone: a link of their own before there is a counterpart, and the file's words for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.approval.approve import carry_out, draft
from sync.decide import decide
from sync.freezing.freeze import Brakes, hold_back
from sync.plan import Adopt, Plan
from sync.requests.kinds import work
from sync.setup import Setup
from sync.show.plan import words
from tests.builders import INCIDENT, NOW, only_seen, opens, prospect, record, route, setup
from tests.config_files import WHOLE, problems_of, read
from tests.world import RITA, SAM, World, cli, copies_of, writes

FOLLOW = '\n[[routes]]\nid     = "every-incident"\nfrom   = "incident"\nfollow = true\n'
QUIET = """
[[rules]]
id    = "unread"
when  = 'stage == "Validating"'
quiet = "1d"
  [[rules.steps]]
  say = { on = "incident.work_notes", text = "Nobody looked at {incident} for {quiet}." }
"""


# ── One item, purely ─────────────────────────────────────────────────────────────────────────────────────────────


def house(when: str = "", **said: Any) -> Setup:
    whens = {"every": when} if when else {}
    return setup(routes=(route("every", "incident", ""),), whens=whens, **said)


def decided(setup_: Setup, approved: frozenset[str] = frozenset(), state: str = "New", **said: Any) -> Plan:
    new = record(INCIDENT, state, mark=None)
    return decide(prospect(new, **said), only_seen(new), setup_, NOW, approved=approved)


def test_an_item_that_a_route_follows_gets_a_link_of_its_own_and_its_mark_and_nothing_else() -> None:
    plan = decided(house())
    assert not plan.loose and plan.settlement.follows == "every"
    assert [type(action) for action in plan.actions] == [Adopt]
    assert plan.settlement.agreed["stage"].value == "Validating"


def test_one_that_does_not_meet_the_condition_stays_in_no_link() -> None:
    assert decided(house("priority == 1")).loose
    assert not decided(house("priority == 3")).loose


def test_one_whose_work_is_over_is_not_followed() -> None:
    assert decided(house(), state="Resolved").loose


def test_one_from_before_lockstep_waits_for_a_person_and_is_followed_once_approved() -> None:
    plan = decided(house(), old=True)
    (proposal,) = plan.proposals
    assert plan.loose and plan.aged
    assert (proposal.kind, proposal.text) == ("follow", "I1 is followed alone")
    assert not decided(house(), frozenset({proposal.key}), old=True).loose


def test_a_route_with_a_since_follows_what_is_younger() -> None:
    young = replace(house(), routes=(route("every", "incident", "", since=NOW - timedelta(days=9)),))
    assert not decided(young, old=True).loose
    assert decided(replace(young, routes=(route("every", "incident", "", since=NOW),)), old=True).loose


def test_where_the_route_is_paused_no_link_begins() -> None:
    plan = decided(house())
    assert hold_back(plan, prospect(record(INCIDENT)), house(), Brakes(routes=frozenset({"every"}))).frozen
    assert hold_back(plan, prospect(record(INCIDENT)), house(), Brakes()) is plan


def test_what_is_opened_by_another_route_at_once_is_opened_into_the_same_link() -> None:
    both = replace(house(), routes=(route("every", "incident", ""), route("more", "incident", "defect")))
    (opening,) = opens(decided(both).actions)
    assert opening.route == "more"


# ── On the trackers ──────────────────────────────────────────────────────────────────────────────────────────────


def following(text: str) -> str:
    """The demo's file with a route that follows every incident, and a rule for those that nobody looks at."""
    return text.replace("\n[fields.summary]", f"{FOLLOW}\n[fields.summary]", 1) + QUIET


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, following)
    yield world
    world.close()


def mark_of(world: World, incident: str) -> str:
    return str(world.estate.servicenow.item(incident).get("correlation_display", ""))


def titles(world: World) -> list[list[str]]:
    """The sides of each link, open ones only."""
    return [[item.side for item in link.items] for link in world.engine.store.links() if link.closed is None]


def test_it_is_marked_once_and_then_nothing_is_written(alone: World) -> None:
    incident = alone.incident()
    with alone.counting() as asked:
        alone.settle()
    assert len(writes(asked)) == 1 and mark_of(alone, incident) == "lockstep-demo"
    with alone.counting() as asked:
        alone.reconcile()
    assert writes(asked) == [] and titles(alone) == [["incident"]]


def test_rules_count_for_it_and_its_own_people_quieten_them(alone: World) -> None:
    quiet, busy = alone.incident("one"), alone.incident("two")
    alone.settle()
    alone.later(hours=8)
    alone.estate.servicenow.comment(busy, "I am on it", RITA)
    alone.settle()
    alone.later(hours=3)
    alone.settle()
    assert copies_of("Nobody looked at", alone.words("servicenow", quiet)) == 1
    assert copies_of("Nobody looked at", alone.words("servicenow", busy)) == 0


def test_what_a_route_opens_later_comes_into_the_same_link_with_what_was_said_since(alone: World) -> None:
    incident = alone.incident()
    alone.settle()
    alone.estate.servicenow.comment(incident, "it is the search page", SAM)
    alone.settle()
    alone.estate.servicenow.move(incident, "In Progress", by=RITA)
    alone.settle()
    assert titles(alone) == [["incident", "defect"]]
    alone.estate.servicenow.comment(incident, "and the cart", SAM)
    alone.settle()
    assert copies_of("and the cart", alone.words("jira", alone.estate.jira.ids()[-1])) == 1


def test_its_last_stage_closes_the_link_and_no_rule_counts_on(alone: World) -> None:
    incident = alone.incident()
    alone.settle()
    alone.estate.servicenow.move(incident, "Resolved", by=RITA, close_code="Duplicate", close_notes="as before")
    alone.settle()
    assert titles(alone) == []
    alone.later(days=3)
    alone.settle()
    assert copies_of("Nobody looked at", alone.words("servicenow", incident)) == 0


def test_the_link_is_found_again_by_its_mark_and_nothing_is_written_when_the_state_is_lost(alone: World) -> None:
    alone.incident()
    alone.settle()
    (before,) = alone.engine.store.links()
    alone.restart(lose_state=True)
    with alone.counting() as asked:
        alone.reconcile()
    assert writes(asked) == [] and titles(alone) == [["incident"]]
    (after,) = alone.engine.store.links()
    assert (after.key, after.route) == (before.key, "every-incident")


def test_what_it_does_after_the_state_was_lost_is_as_before(alone: World) -> None:
    incident = alone.incident()
    alone.settle()
    alone.restart(lose_state=True)
    alone.reconcile()
    alone.estate.servicenow.move(incident, "In Progress", by=RITA)
    alone.settle()
    assert titles(alone) == [["incident", "defect"]]


def test_an_incident_whose_parent_is_in_a_link_joins_it_and_is_not_followed_alone(alone: World) -> None:
    incident = alone.incident()
    alone.settle()
    alone.incident("the same, county B", parent_incident=incident)
    alone.settle()
    assert titles(alone) == [["incident", "incident"]]


def test_what_was_there_before_lockstep_is_followed_by_an_approved_plan_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    incident = world.incident()
    world.edit = following
    world.restart(lose_state=True)
    world.settle()
    assert titles(world) == []
    document, _ = draft(world.engine, ("follow",), words)
    outcome = carry_out(world.engine, document, "admin")
    assert outcome.whole and outcome.writes == 1
    assert titles(world) == [["incident"]] and mark_of(world, incident) == "lockstep-demo"
    world.close()


def test_a_person_takes_it_out_and_it_is_followed_no_more(alone: World) -> None:
    first = alone.incident()
    alone.settle()
    second = alone.incident("the same, county B", parent_incident=first)
    alone.settle()
    key = str(alone.estate.servicenow.item(second)["number"])
    alone.engine.store.ask("unlink", [key], "admin", alone.engine.now())
    work(alone.engine)
    alone.settle()
    assert titles(alone) == [["incident"]] and mark_of(alone, second) == ""


def number(world: World, incident: str) -> str:
    return str(world.estate.servicenow.item(incident)["number"])


def said(world: World, *words: str) -> None:
    """What a person asks of Lockstep, and what comes of it."""
    world.engine.store.ask(words[0], list(words[1:]), "admin", world.engine.now())
    work(world.engine)
    world.settle()


def test_its_parent_given_later_takes_it_into_that_link_and_a_lost_state_finds_it_there(alone: World) -> None:
    first, second = alone.incident(), alone.incident("the same, county B")
    alone.settle()
    assert titles(alone) == [["incident"], ["incident"]]
    alone.estate.servicenow.update(second, {"parent_incident": first}, by=RITA)
    alone.settle()
    assert titles(alone) == [["incident", "incident"]]
    alone.estate.servicenow.move(first, "In Progress", by=RITA)
    alone.settle()
    assert alone.estate.servicenow.state_of(second) == "In Progress"
    alone.restart(lose_state=True)
    with alone.counting() as asked:
        alone.reconcile()
    assert writes(asked) == [] and sorted(map(len, titles(alone))) == [3]


def test_a_person_links_two_that_were_followed_alone(alone: World) -> None:
    first, second = alone.incident(), alone.incident("the same, county B")
    alone.settle()
    said(alone, "link", number(alone, first), number(alone, second))
    assert titles(alone) == [["incident", "incident"]]


def test_one_that_opened_a_counterpart_gives_way_to_nobody(alone: World) -> None:
    first, second = alone.incident(), alone.incident("the same, county B")
    alone.settle()
    alone.estate.servicenow.move(second, "In Progress", by=RITA)
    alone.settle()
    alone.estate.servicenow.update(second, {"parent_incident": first}, by=RITA)
    alone.settle()
    assert sorted(map(len, titles(alone))) == [1, 2]
    said(alone, "link", number(alone, first), number(alone, second))
    assert sorted(map(len, titles(alone))) == [3]


def test_a_person_takes_one_out_that_was_alone_and_may_put_it_elsewhere(alone: World) -> None:
    first, second = alone.incident(), alone.incident("the same, county B")
    alone.settle()
    said(alone, "unlink", number(alone, second))
    assert titles(alone) == [["incident"]] and mark_of(alone, second) == ""
    alone.reconcile()
    assert titles(alone) == [["incident"]]
    said(alone, "link", number(alone, first), number(alone, second))
    assert titles(alone) == [["incident", "incident"]] and mark_of(alone, second) == "lockstep-demo"
    assert len(alone.engine.store.links()) == alone.engine.store.counts()["links"] == 1


def test_a_route_that_an_edited_file_adds_follows_what_is_new_and_leaves_the_rest(tmp_path: Path) -> None:
    world = World(tmp_path)
    old = world.incident()
    world.settle()
    world.edited(("\n[fields.summary]", f"{FOLLOW}\n[fields.summary]"))
    world.incident("before it was applied")
    world.settle()
    assert titles(world) == []
    world.apply()
    new = world.incident("after")
    world.settle()
    assert titles(world) == [["incident"]]
    assert (mark_of(world, old), mark_of(world, new)) == ("", "lockstep-demo")
    world.close()


def test_why_says_that_it_is_followed_and_by_which_route(alone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in alone.estate.environment().items():
        monkeypatch.setenv(name, value)
    key = str(alone.estate.servicenow.item(alone.incident())["number"])
    alone.settle()
    told = cli(alone, "why", key).output
    assert f"route every-incident: {key} is followed alone" in told.replace("\n", " ")


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────

ROUTE = '[[routes]]\nid = "alone"\nfrom = "incident"\n'


def test_a_route_follows_instead_of_opening(tmp_path: Path) -> None:
    made = read(tmp_path, f"{WHOLE}\n{ROUTE}follow = true\n")[0].routes[-1]
    assert made.follows and made.opens == ""
    assert not read(tmp_path, f'{WHOLE}\n{ROUTE}open = "defect"\nfollow = false\n')[0].routes[-1].follows


@pytest.mark.parametrize(
    "keys, key, what",
    [
        ("", "routes.alone", "neither what it opens nor that it follows"),
        ('open = "defect"\nfollow = true', "routes.alone.follow", "opens and follows at once"),
        ('follow = true\nmatch = ["summary"]', "routes.alone.match", "means nothing where nothing is opened"),
        ('follow = true\nhistory = "all"', "routes.alone.history", "means nothing where nothing is opened"),
        ("follow = true\nreopen = true", "routes.alone.reopen", "means nothing where nothing is opened"),
    ],
)
def test_what_is_wrong_of_following_is_told_with_its_place(tmp_path: Path, keys: str, key: str, what: str) -> None:
    (problem,) = problems_of(tmp_path, f"{WHOLE}\n{ROUTE}{keys}\n")
    assert problem.key == key and what in problem.what
