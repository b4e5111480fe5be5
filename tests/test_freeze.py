"""Freezing, end to end: Lockstep reads, plans and alerts, writes nothing, and on thawing loses and doubles nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.faults import Fault
from sandbox.story import MORNING
from sandbox.wire import Answer
from sync.config import load
from sync.freezing import brake
from sync.freezing.freeze import ALL, Brakes, Frost, Pause, brakes, hold_back
from sync.plan import Joining, Notify, Open, Plan, Settlement
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from sync.setup import Window
from sync.state import Firing, Held, Movement, OwnRemark
from tests.builders import DEFECT, INCIDENT, NOW, link, prospect, record, setup
from tests.config_files import ENVIRON, WHOLE
from tests.test_cli import cli, real
from tests.world import ANA, RITA, SAM, World, copies_of, writes

__all__ = ["real"]

#: in the zone of the demo's file; the world begins on Monday the 16th at 08:00 there
WINDOW = '\n[freeze]\nwindows = ["2026-11-16 10:00 / 2026-11-20 06:00"]\n'
THAW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def frozen_world(folder: Path) -> World:
    return World(folder, lambda text: text + WINDOW)


@pytest.fixture
def winter(tmp_path: Path) -> Iterator[World]:
    """A world whose file freezes it from 10:00 on Monday until Friday morning; the work begins before."""
    world = frozen_world(tmp_path)
    yield world
    world.close()


def to(world: World, **since_morning: int) -> None:
    world.estate.clock.set(MORNING + timedelta(**since_morning))


def frozen_pass(world: World) -> list[str]:
    """What a pass asked, which must not have written."""
    with world.counting() as asked:
        done = world.once()
    assert done.writes == 0 and done.frosts
    assert writes([line for line in asked if not line.startswith("teams")]) == []
    return asked


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_in_a_freeze_window_lockstep_reads_and_plans_but_writes_nothing(winter: World) -> None:
    incident, defect, _ = winter.linked()
    to(winter, hours=3)
    snow, jira = winter.estate.servicenow, winter.estate.jira
    snow.comment(incident, "any news over the holidays?", SAM)
    jira.update(defect, {"summary": "renamed in the window"}, by=ANA)
    snow.move(winter.incident("found in the window"), "In Progress", by=RITA)
    for _ in range(3):
        asked = frozen_pass(winter)
        winter.later(minutes=1)
    assert any("servicenow GET" in line for line in asked)
    assert winter.once().withheld == (2, 6)
    assert len(jira.ids()) == 1
    assert winter.engine.store.held() == []


def test_on_thawing_everything_flows_in_one_pass_and_nothing_is_lost_or_doubled(winter: World) -> None:
    incident, defect, pbi = winter.linked()
    estate = winter.estate
    to(winter, hours=3)
    estate.servicenow.comment(incident, "said in the window.", SAM)
    frozen_pass(winter)
    to(winter, hours=30)
    estate.jira.comment(defect, "answered in the window.", ANA)
    estate.jira.update(defect, {"summary": "renamed in the window"}, by=ANA)
    estate.servicenow.move(winter.incident("found in the window"), "In Progress", by=RITA)
    frozen_pass(winter)
    estate.clock.set(THAW)
    done = winter.once()
    assert (done.frosts, done.withheld, done.unsettled) == ((), (0, 0), 0)
    assert [copies_of("said in the window.", winter.words(t, id)) for t, id in (("jira", defect), ("azure", pbi))] == [
        1,
        1,
    ]
    assert copies_of("answered in the window.", winter.words("servicenow", incident)) == 1
    assert estate.servicenow.item(incident)["short_description"] == "renamed in the window"
    assert estate.azure.item(pbi)["System.Title"] == "renamed in the window"
    assert [estate.jira.item(id)["summary"] for id in estate.jira.ids()] == [
        "renamed in the window",
        "found in the window",
    ]
    with winter.counting() as asked:
        winter.settle()
    assert writes(asked) == []


def test_of_two_words_on_one_field_in_a_freeze_the_owners_stands_on_thawing_whoever_spoke_last(winter: World) -> None:
    incident, defect, pbi = winter.linked()
    to(winter, hours=3)
    winter.estate.servicenow.update(incident, {"short_description": "as the owner says"}, by=RITA)
    frozen_pass(winter)
    to(winter, hours=4)
    winter.estate.jira.update(defect, {"summary": "as somebody else says, later"}, by=ANA)
    frozen_pass(winter)
    winter.estate.clock.set(THAW)
    winter.once()
    assert winter.estate.jira.item(defect)["summary"] == "as the owner says"
    assert winter.estate.servicenow.item(incident)["short_description"] == "as the owner says"
    winter.settle()
    assert winter.estate.azure.item(pbi)["System.Title"] == "as the owner says"


def test_what_is_no_longer_wanted_on_thawing_is_not_opened(winter: World) -> None:
    to(winter, hours=3)
    incident = winter.incident()
    winter.estate.servicenow.move(incident, "In Progress", by=RITA)
    frozen_pass(winter)
    winter.estate.servicenow.update(incident, {"category": "network"}, by=RITA)
    frozen_pass(winter)
    winter.estate.clock.set(THAW)
    winter.settle()
    assert winter.estate.jira.ids() == []
    assert winter.engine.store.links() == []


def test_a_state_entered_and_left_within_a_freeze_moves_nobody(winter: World) -> None:
    incident, _, _ = winter.linked(pbi=False)
    to(winter, hours=3)
    done = {"close_code": "Solution provided", "close_notes": "done"}
    winter.estate.servicenow.move(incident, "Resolved", by=RITA, **done)
    frozen_pass(winter)
    winter.estate.servicenow.move(incident, "In Progress", by=RITA)
    frozen_pass(winter)
    winter.estate.clock.set(THAW)
    with winter.counting() as asked:
        winter.settle()
    assert writes(asked) == []
    (linked,) = winter.engine.store.links()
    assert [m.stage for m in linked.movements if m.kind == "stage"] == ["Fixing"]


def test_in_a_freeze_window_firings_are_recorded_cards_go_out_and_what_they_write_waits(winter: World) -> None:
    incident, defect, _ = winter.linked(pbi=False)
    winter.estate.servicenow.update(incident, {"impact": "1"}, by=RITA)
    winter.settle()
    to(winter, days=1, hours=6)
    frozen_pass(winter)
    to(winter, days=2, hours=6)
    frozen_pass(winter)
    frozen_pass(winter)
    assert len(winter.estate.hook.cards) == 1
    assert winter.estate.servicenow.item(incident)["escalation"] == "0"
    assert copies_of("No movement", winter.words("jira", defect)) == 0
    winter.estate.clock.set(THAW)
    winter.settle()
    assert len(winter.estate.hook.cards) == 1
    assert winter.estate.servicenow.item(incident)["escalation"] == "2"
    assert copies_of("No movement", winter.words("jira", defect)) == 1
    (linked,) = winter.engine.store.links()
    assert [(f.rule, f.step, f.outcome) for f in linked.firings] == [
        ("quiet-defect", 1, "fired"),
        ("quiet-defect", 2, "fired"),
    ]


def test_a_freeze_survives_a_restart_and_what_waits_is_kept(winter: World) -> None:
    incident, defect, _ = winter.linked(pbi=False)
    to(winter, hours=3)
    winter.estate.servicenow.comment(incident, "said before the restart.", SAM)
    frozen_pass(winter)
    winter.restart()
    frozen_pass(winter)
    winter.estate.clock.set(THAW)
    winter.settle()
    assert copies_of("said before the restart.", winter.words("jira", defect)) == 1


def test_both_hours_that_the_clock_shows_twice_are_frozen_and_the_one_it_skips_ends_at_the_jump(tmp_path: Path) -> None:
    text = (
        WHOLE + '\n[freeze]\nwindows = ["2026-11-01 01:30 / 2026-11-01 01:45", "2027-03-14 01:00 / 2027-03-14 02:30"]\n'
    )
    (tmp_path / "lockstep.toml").write_text(text)
    autumn, spring = load(tmp_path / "lockstep.toml", ENVIRON).freeze
    assert autumn == Window(datetime(2026, 11, 1, 8, 30, tzinfo=UTC), datetime(2026, 11, 1, 9, 45, tzinfo=UTC))
    assert spring == Window(datetime(2027, 3, 14, 9, 0, tzinfo=UTC), datetime(2027, 3, 14, 10, 0, tzinfo=UTC))


# ── pauses ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_paused_nothing_is_written_and_resume_lets_it_go_on(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    assert "All writing is paused" in brake.pause(world.engine, "all", "dana")
    assert "already" in brake.pause(world.engine, "all", "eve")
    world.estate.servicenow.comment(incident, "while paused.", SAM)
    frozen_pass(world)
    (frost,) = world.once().frosts
    assert "dana" in str(frost)
    assert "resumed" in brake.resume(world.engine, "all", "dana")
    world.settle()
    assert copies_of("while paused.", world.words("jira", defect)) == 1
    assert "Nothing to resume" in brake.resume(world.engine, "all", "dana")


def test_what_is_said_of_a_pause_names_the_items_and_the_command_that_ends_it(world: World) -> None:
    incident, _, _ = world.linked(pbi=False)
    number = str(world.estate.servicenow.item(incident)["number"])
    said = brake.pause(world.engine, number, "dana")
    assert said.startswith(f"The link of {number} · CSPM-1 is paused.") and f"lockstep resume {number} lets" in said
    assert "lockstep resume route:development lets" in brake.pause(world.engine, "route:development", "dana")
    nothing = brake.resume(world.engine, "all", "dana")
    assert nothing.startswith("Nothing to resume: no pause of everything")
    assert f"The link of {number} · CSPM-1 is paused by dana" in nothing and "The route development is" in nothing
    assert "is resumed" in brake.resume(world.engine, number, "dana")
    assert brake.resume(world.engine, number, "dana").startswith(f"Nothing to resume: the link of {number} · CSPM-1 is")


def test_a_pause_in_the_middle_of_a_pass_stops_before_the_next_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        world.estate.servicenow.move(world.incident(f"failure {number}"), "In Progress", by=RITA)
    connector = world.engine.connectors["jira"]
    create = connector.create

    def paused_after(*given: object) -> object:
        made = create(*given)  # type: ignore[arg-type]
        brake.pause(world.engine, "all", "dana")
        return made

    monkeypatch.setattr(connector, "create", paused_after)
    world.once()
    monkeypatch.undo()
    assert len(world.estate.jira.ids()) == 1
    frozen_pass(world)
    brake.resume(world.engine, "all", "dana")
    world.settle()
    assert len(world.estate.jira.ids()) == 4


def test_a_paused_route_opens_nothing_and_the_links_it_opened_write_nothing(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    brake.pause(world.engine, "route:production-defect", "dana")
    world.estate.servicenow.comment(incident, "on the paused route.", SAM)
    world.estate.servicenow.move(world.incident("another"), "In Progress", by=RITA)
    with world.counting() as asked:
        done = world.once()
        world.once()
    assert (writes(asked), done.frosts, done.withheld) == ([], (), (2, 3))
    brake.resume(world.engine, "route:production-defect", "dana")
    world.settle()
    assert copies_of("on the paused route.", world.words("jira", defect)) == 1
    assert len(world.estate.jira.ids()) == 2


def test_a_link_that_is_found_again_after_the_state_was_lost_knows_its_route(world: World) -> None:
    incident, defect, _ = world.linked()
    world.restart(lose_state=True)
    world.settle()
    brake.pause(world.engine, "route:production-defect", "dana")
    world.estate.servicenow.comment(incident, "on the paused route.", SAM)
    assert world.once().withheld == (1, 2)
    assert copies_of("on the paused route.", world.words("jira", defect)) == 0


def test_the_visible_link_to_the_source_waits_too(world: World) -> None:
    refused = world.estate.faults.add(Fault("answer", "jira", "POST", "/remotelink", answer=Answer(503)))
    world.linked(pbi=False)
    world.estate.faults.rules.remove(refused)
    brake.pause(world.engine, "all", "dana")
    with world.counting() as asked:
        world.once()
    assert writes(asked) == []
    brake.resume(world.engine, "all", "dana")
    world.later(minutes=5)
    with world.counting() as asked:
        world.once()
    assert [line for line in writes(asked) if "remotelink" in line]


def test_a_route_that_is_paused_further_down_holds_up_nothing_else_of_the_link(world: World) -> None:
    incident, defect, _ = world.linked(pbi=False)
    brake.pause(world.engine, "route:development", "dana")
    estate = world.estate
    estate.jira.update(defect, {"labels": [*estate.jira.item(defect)["labels"], "dev"], "summary": "renamed"}, by=ANA)
    for _ in range(3):
        world.once()
        world.later(minutes=1)
    assert estate.azure.ids() == []
    assert estate.servicenow.item(incident)["short_description"] == "renamed"
    brake.resume(world.engine, "route:development", "dana")
    world.settle()
    assert len(estate.azure.ids()) == 1


def test_a_paused_link_writes_nothing_and_the_others_go_on(world: World) -> None:
    first, defect, _ = world.linked(pbi=False)
    second, other, _ = world.linked("another", pbi=False)
    number = world.estate.servicenow.item(first)["number"]
    assert "link" in brake.pause(world.engine, number, "dana")
    for incident in (first, second):
        world.estate.servicenow.comment(incident, "to both.", SAM)
    for _ in range(2):
        done = world.once()
    assert (done.frosts, done.withheld) == ((), (1, 1))
    assert [copies_of("to both.", world.words("jira", id)) for id in (defect, other)] == [0, 1]
    brake.resume(world.engine, number, "dana")
    world.settle()
    assert copies_of("to both.", world.words("jira", defect)) == 1


def test_only_what_there_is_can_be_paused(world: World) -> None:
    with pytest.raises(brake.Unpaused, match="production-defect, development"):
        brake.pause(world.engine, "route:nowhere", "dana")
    with pytest.raises(brake.Unpaused, match="is in no link"):
        brake.pause(world.engine, "INC9999999", "dana")


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_status_says_since_when_and_why_nothing_is_written_and_what_waits(real: World) -> None:
    real.estate.servicenow.move(real.incident(), "In Progress", by=RITA)
    assert cli(real, "pause").exit_code == 0
    result = cli(real, "reconcile")
    assert (result.exit_code, real.estate.jira.ids()) == (4, [])
    assert "paused by" in result.stderr
    told = cli(real, "status").stdout
    assert "Frozen: paused by" in told and "lockstep resume" in told and "1 link waits with 2 writes" in told
    frozen = json.loads(cli(real, "status", "--json").stdout)["frozen"]
    assert frozen[-1] == "1 link waits with 2 writes."
    assert "open a defect" in cli(real, "plan").stdout
    assert cli(real, "resume").exit_code == 0
    assert cli(real, "reconcile").exit_code == 0
    assert len(real.estate.jira.ids()) == 1
    assert json.loads(cli(real, "status", "--json").stdout)["frozen"] == []


def test_in_a_freeze_with_nothing_to_write_a_reconciliation_is_quiet(real: World) -> None:
    cli(real, "pause")
    assert cli(real, "reconcile").exit_code == 0


def test_what_cannot_be_paused_ends_with_2_and_names_what_can(real: World) -> None:
    result = cli(real, "pause", "route:nowhere")
    assert result.exit_code == 2
    assert "production-defect" in result.stderr


def test_the_daemon_stays_up_in_a_freeze_reads_and_says_it_once(winter: World) -> None:
    daemon = Daemon(winter.engine, Signals(), lambda: None, lambda setup, engine: engine)
    to(winter, hours=3)
    passes = [daemon.once() for _ in range(3)]
    assert all(done is not None and done.frosts for done in passes)
    winter.estate.clock.set(THAW)
    done = daemon.once()
    assert done is not None and daemon.frosts == ()


# ── the pure part ────────────────────────────────────────────────────────────────────────────────────────────────

WINTER = Frost("window", NOW, "a freeze window of the file", NOW + timedelta(days=1))
CARD = Notify("card", "teams", ("triage",), (), "quiet", "quiet", "rule")
OPENING = Open("r", INCIDENT, "defect", None, {}, False, "why")  # type: ignore[arg-type]


def test_a_window_holds_from_its_first_moment_to_before_its_last() -> None:
    window = Window(NOW, NOW + timedelta(hours=1))
    times = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=1)]
    assert [bool(brakes((window,), (), None, at).frosts) for at in times] == [False, True, True, False]


def test_a_pause_of_everything_freezes_and_one_of_a_route_does_not() -> None:
    found = brakes(
        (), (Pause(ALL, NOW, "dana"), Pause("route:r", NOW, "dana"), Pause("link:k", NOW, "dana")), None, NOW
    )
    assert ([frost.kind for frost in found.frosts], found.routes) == (["pause"], frozenset({"r"}))


def settled(**said: object) -> Settlement:
    return replace(Settlement(), **said)  # type: ignore[arg-type]


FIRED = Firing("quiet", "stage:1:Fixing", 1, NOW)
STAGE_MOVED = Movement("stage:2:Closed", "stage", NOW, "Closed", "")
SPOKEN = Movement("comment:jira:1", "comment", NOW, "Fixing", "developers", "developers")
SAYS = OwnRemark("fire:1", DEFECT, "everyone", "quiet", "rule")
NOTES = OwnRemark("note:1", DEFECT, "everyone", "restored", "note")


def test_a_frozen_plan_keeps_what_alerts_and_nothing_else() -> None:
    learnt = settled(
        firings=(FIRED,), movements=(STAGE_MOVED, SPOKEN), remarks=(SAYS, NOTES), closed=True, due=NOW, before="Fixing"
    )
    plan = Plan(1, "k", "t", (OPENING, CARD), learnt)
    left = hold_back(plan, link(), setup(), Brakes((WINTER,)))
    assert (left.actions, left.frozen, left.withheld) == ((CARD,), True, 1)
    assert left.settlement == settled(firings=(FIRED,), movements=(SPOKEN,), remarks=(SAYS,), due=NOW)


@pytest.mark.parametrize(
    "learnt",
    [
        settled(holds=(Held(DEFECT, "item", "gone", "restore it", NOW),)),
        settled(joins=(Joining(DEFECT, "defect", 7, "parent", route="r"),)),
    ],
    ids=["sets something aside", "joins"],
)
def test_a_plan_that_writes_nothing_but_waits_for_people_is_frozen_too(learnt: Settlement) -> None:
    assert hold_back(Plan(1, "k", "t", (), learnt), link(), setup(), Brakes((WINTER,))).settlement == Settlement()


def test_a_link_that_is_in_step_goes_through_a_freeze_as_it_is() -> None:
    plan = Plan(1, "k", "t", (CARD,), settled(movements=(STAGE_MOVED,)))
    assert hold_back(plan, link(), setup(), Brakes((WINTER,))) is plan


@pytest.mark.parametrize(
    "state, brakes, frozen, withheld",
    [
        (lambda: link(paused=True), Brakes(), True, 1),
        (lambda: link(route="r"), Brakes(routes=frozenset({"r"})), True, 1),
        (lambda: link(route="other"), Brakes(routes=frozenset({"r"})), False, 1),
        (lambda: prospect(record(INCIDENT)), Brakes(routes=frozenset({"r"})), True, 1),
        (lambda: link(route="other"), Brakes(routes=frozenset({"else"})), False, 0),
    ],
    ids=["a paused link", "a link of a paused route", "an opening below", "an item not linked yet", "another route"],
)
def test_pauses_of_routes_and_links_hold_back_what_is_theirs(
    state: Callable[[], object], brakes: Brakes, frozen: bool, withheld: int
) -> None:
    found = state()
    left = hold_back(Plan(found.id, "k", "t", (OPENING, CARD)), found, setup(), brakes)  # type: ignore[attr-defined, arg-type]
    assert (left.frozen, left.withheld) == (frozen, withheld)
    assert (OPENING in left.actions) == (not withheld)
