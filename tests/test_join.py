"""What an item that no link holds joins: the pure part, on ties as they are gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappings.banner import link_key
from mappings.model import Ref
from sync.decide import decide
from sync.joining.join import ALONE
from sync.plan import Open, Plan, Unmark
from sync.state import Held, Tie
from tests.builders import INSTANCE, NOW, item, link, only_seen, prospect, record, route, setup

CHILD, ONE, OTHER = Ref("snow", "i9"), Ref("snow", "i1"), Ref("snow", "i2")
ROUTES = (route("production", "incident", "defect", parent=True, problem=True, mention="propose"),)


def tie(kind: str, ref: Ref = ONE, id: int = 1, **said: Any) -> Tie:
    key = ref.id.upper()
    told = f"it mentions {key}" if kind == "mention" else f"its {kind} is {key}"
    return Tie(kind, "production", ref, "incident", key, told, id, f"KEY{id}", **said)


def decided(*ties: Tie, state: str = "In Progress", routes: Any = ROUTES, **said: Any) -> Plan:
    """The plan for an incident with these ties."""
    approved = said.pop("approved", frozenset())
    shown = record(CHILD, state, mark=said.pop("mark", None), in_scope=said.pop("in_scope", True))
    seen = replace(only_seen(shown), ties={CHILD: ties}, unheard=said.pop("unheard", frozenset()))
    return decide(prospect(shown, **said), seen, setup(routes=routes), NOW, approved=approved)


def test_one_tie_joins_and_its_routes_open_nothing() -> None:
    plan = decided(tie("parent"))
    (joining,) = plan.settlement.joins
    assert (joining.ref, joining.link, joining.how, joining.route) == (CHILD, 1, "parent", "production")
    assert plan.actions == () and not plan.quiet and plan.loose


def test_without_a_tie_its_route_opens() -> None:
    assert any(isinstance(action, Open) for action in decided().actions)


def test_parent_and_problem_in_one_link_are_one_candidate() -> None:
    plan = decided(tie("parent"), tie("problem", OTHER, 1))
    assert [joining.how for joining in plan.settlement.joins] == ["parent"]


@pytest.mark.parametrize("second", ["problem", "match"])
def test_two_candidate_links_are_held_with_both_named(second: str) -> None:
    plan = decided(tie("parent"), tie(second, OTHER, 2))
    (held,) = plan.settlement.holds
    assert held.what == "join" and "I1" in held.reason and "I2" in held.reason
    assert "lockstep link I9 I1" in held.advice and "lockstep link I9 I2" in held.advice
    assert plan.settlement.joins == () and plan.actions == ()


def test_a_parent_counts_more_than_a_mention_of_another_link() -> None:
    plan = decided(tie("mention", OTHER, 2), tie("parent"))
    assert [joining.link for joining in plan.settlement.joins] == [1]


def test_a_mention_is_proposed_and_joins_once_it_is_approved() -> None:
    plan = decided(tie("mention"))
    (proposal,) = plan.proposals
    assert proposal.kind == "join" and plan.settlement.holds[0].what == "join"
    after = decided(tie("mention"), approved=frozenset({proposal.key}))
    assert [joining.how for joining in after.settlement.joins] == ["mention"]
    assert after.settlement.holds == ()


def test_a_tombstone_bars_that_link_and_no_other() -> None:
    barred = decided(tie("parent"), barred=frozenset({"KEY1"}))
    assert barred.settlement.joins == ()
    assert any(isinstance(action, Open) for action in barred.actions)
    assert decided(tie("parent"), barred=frozenset({"KEY2"})).settlement.joins


def test_an_unlinked_item_opens_nothing_and_loses_its_mark() -> None:
    mark = record(ONE).mark
    plan = decided(tie("parent"), barred=frozenset({"KEY1", ALONE}), mark=mark)
    assert [type(action) for action in plan.actions] == [Unmark]
    again = decided(tie("parent"), barred=frozenset({"KEY1", ALONE}))
    assert again.quiet


def test_what_is_out_of_scope_or_over_joins_nothing() -> None:
    assert decided(tie("parent"), in_scope=False).settlement.joins == ()
    assert decided(tie("parent"), state="Resolved").settlement.joins == ()


def test_an_item_whose_discussion_could_not_be_read_waits() -> None:
    plan = decided(tie("parent"), unheard=frozenset({CHILD}))
    assert plan.quiet and plan.settlement.holds == ()


def test_the_people_of_closed_work_are_told_once() -> None:
    first = decided(tie("parent", closed=True))
    (telling,) = first.settlement.tells
    assert telling.link == 1 and "I1" in telling.text
    (held,) = first.settlement.holds
    assert decided(tie("parent", closed=True), held=(held,)).settlement.tells == ()


def test_closed_work_is_joined_where_the_route_opens_it_again() -> None:
    routes = (replace(ROUTES[0], reopen=True),)
    (joining,) = decided(tie("mention", closed=True), routes=routes).settlement.joins
    assert joining.stood == "Resolved"


def test_what_was_held_is_released_when_it_is_decided() -> None:
    old = Held(CHILD, "join", "two links", "say which", NOW)
    plan = decided(tie("parent"), held=(old,))
    assert (CHILD, "join") in plan.settlement.releases


def test_a_follower_whose_parent_is_in_another_link_now_is_held_and_stays() -> None:
    child = record(CHILD)
    home = link(item(record(ONE)), item(child, joined="parent"))
    seen = replace(only_seen(record(ONE), child), ties={CHILD: (tie("parent", OTHER, 2),)})
    plan = decide(home, seen, setup(routes=ROUTES), NOW)
    assert [held.what for held in plan.settlement.holds] == ["join"]
    assert home.key == link_key(INSTANCE, ONE)
    assert plan.settlement.joins == ()
