"""Whose move it was: sums over recorded history in each party's calendar, as a table, and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.calendar import Calendar
from sync.escalation.turns import Turns, stretches, turns
from sync.setup import Setup
from sync.state import Movement
from tests.builders import HOUR, PARTIES, setup
from tests.world import RITA, World, cli

OFFICE = Calendar.of(zone="UTC", hours="08:00-17:00")
LATE = Calendar.of(zone="UTC", hours="12:00-20:00")
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
MOVES = {"Validating": "operations", "Fixing": "developers", "Waiting": "county", "Closed": ""}


def house(**calendars: Calendar) -> Setup:
    """The usual house, its parties at work as said."""
    parties = tuple(replace(party, calendar=calendars.get(party.name)) for party in PARTIES)
    return setup(parties=parties, calendar=OFFICE)


def entered(serial: int, stage: str, at: datetime, how: str = "stage") -> Movement:
    return Movement(f"{how}:{serial}:{stage}", "stage", at, stage, MOVES[stage])


def at(day: int, hour: float) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def told(found: Turns) -> dict[str, float]:
    return {name: span / HOUR for name, span in found.parties.items()} | {"paused": found.paused / HOUR}


def test_each_partys_time_is_counted_in_its_own_calendar() -> None:
    here = house(operations=OFFICE, developers=LATE)
    history = [
        entered(1, "Validating", at(0, 10)),
        entered(2, "Fixing", at(0, 16)),
        entered(3, "Validating", at(1, 13)),
    ]
    found = turns(here, history, at(0, 0), at(1, 18))
    assert told(found) == {"operations": 6 + 4, "developers": 4 + 1, "paused": 0}
    assert found.total == 15 * HOUR


def test_paused_time_stands_apart_and_is_nobodys() -> None:
    history = [entered(1, "Fixing", at(0, 8)), entered(2, "Waiting", at(0, 10)), entered(3, "Fixing", at(0, 15))]
    assert told(turns(house(), history, at(0, 0), at(0, 24))) == {"developers": 2 + 2, "paused": 5}


def test_the_time_in_which_the_work_was_over_counts_for_nobody() -> None:
    history = [
        entered(1, "Fixing", at(0, 8)),
        entered(2, "Closed", at(0, 11)),
        entered(3, "Fixing", at(1, 9), "reopened"),
    ]
    assert told(turns(house(), history, at(0, 0), at(1, 12))) == {"developers": 3 + 3, "paused": 0}


def test_a_period_takes_what_lies_in_it_and_nothing_else() -> None:
    history = [entered(1, "Validating", at(0, 8)), entered(2, "Fixing", at(1, 8))]
    assert told(turns(house(), history, at(0, 16), at(1, 10))) == {"operations": 1, "developers": 2, "paused": 0}
    assert turns(house(), history, at(-7, 0), at(0, 0)) == Turns()


def test_trackers_whose_clocks_disagree_make_no_time_run_backwards() -> None:
    history = [entered(1, "Validating", at(0, 8)), entered(3, "Closed", at(0, 12)), entered(2, "Fixing", at(0, 13))]
    found = list(stretches(house(), history, at(0, 16)))
    assert [(one.stage, one.start, one.end) for one in found] == [("Validating", at(0, 8), at(0, 13))]


def test_a_stage_that_is_nobodys_move_is_counted_as_nobodys() -> None:
    history = [Movement("stage:1:Fixing", "stage", at(0, 8), "Fixing", "")]
    assert told(turns(house(), history, at(0, 0), at(0, 10))) == {"nobody": 2, "paused": 0}


@st.composite
def lives(draw: st.DrawFn) -> list[Movement]:
    """A link's stages, some minutes or days apart."""
    minutes = draw(st.lists(st.integers(0, 4000), min_size=1, max_size=12))
    stages = draw(st.lists(st.sampled_from(sorted(MOVES)), min_size=len(minutes), max_size=len(minutes)))
    moments = [at(0, 0) + timedelta(minutes=sum(minutes[: n + 1])) for n in range(len(minutes))]
    return [entered(n, stage, moment) for n, (stage, moment) in enumerate(zip(stages, moments, strict=True))]


@given(lives(), st.integers(0, 20_000))
def test_the_sums_add_up_to_the_links_open_business_time(history: list[Movement], cut: int) -> None:
    """Whoever had the move: with one calendar for all, the open time is what the calendar counts without the pauses
    and without the time in which the work was over; and two halves of a period make the whole."""
    here, end = house(), at(40, 0)
    found = turns(here, history, at(0, 0), end)
    ends = [m.at for m in history[1:]] + [end]
    open_time = sum(
        (
            OFFICE.elapsed(m.at, until)
            for m, until in zip(history, ends, strict=True)
            if m.stage in ("Validating", "Fixing")
        ),
        timedelta(0),
    )
    assert found.total == open_time
    middle = at(0, 0) + timedelta(minutes=cut)
    halves = turns(here, history, at(0, 0), middle).plus(turns(here, history, middle, end))
    assert (halves.total, halves.paused) == (found.total, found.paused)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lived(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A link that was the desk's for two hours, the developers' for four, waited for three and came back."""
    for name, value in world.estate.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sync.commands.engines.SystemClock", lambda: world.estate.clock)
    return world


def moves(world: World, *words: str) -> Any:
    done = cli(world, "moves", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_the_command_tells_whose_move_it_was_and_the_sum(lived: World) -> None:
    world, snow = lived, lived.estate.servicenow
    incident, _, _ = world.linked(pbi=False)
    world.later(hours=4)
    snow.move(incident, "On Hold:Awaiting Caller", by=RITA, comments="please send the log")
    world.settle()
    world.later(hours=2)
    snow.move(incident, "In Progress", by=RITA)
    world.settle()
    world.later(hours=1)
    key = snow.item(incident)["number"]
    (one,) = moves(world, key)["links"]
    assert one["items"][0] == key
    assert one["paused"] > 0
    assert one["open"] == pytest.approx(sum(one["hours"].values()), abs=0.02)
    told = cli(world, "moves", key).output
    assert key in told and "paused" in told and "developers" in told
    assert moves(world)["all"] == {name: one[name] for name in ("hours", "open", "paused")}
    assert moves(world, "--to", "2026-11-01")["links"] == []


def test_a_day_that_is_none_and_an_item_that_is_unknown_are_told(lived: World) -> None:
    lived.linked(pbi=False)
    assert "2026-11-30" in cli(lived, "moves", "--from", "yesterday").output
    assert "in no link" in cli(lived, "moves", "NOPE-1").output
    assert cli(lived, "moves", "--from", "2030-01-01").exit_code == 2
