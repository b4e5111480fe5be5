"""When something recurs: by the clock on the wall, once a day also where the clock is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.timetable import parse_timetable, told_days

ANGELES = "America/Los_Angeles"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_it_is_due_at_the_time_on_the_wall_in_winter_and_in_summer() -> None:
    mondays = parse_timetable("Mon 07:00", ANGELES)
    assert mondays.latest(at("2026-11-16 15:00")) == at("2026-11-16 15:00")
    assert mondays.latest(at("2026-11-16 14:59")) == at("2026-11-09 15:00")
    assert mondays.latest(at("2026-07-06 14:00")) == at("2026-07-06 14:00")
    assert mondays.before(at("2026-11-09 15:00")) == at("2026-11-02 15:00")
    assert mondays.before(at("2026-11-02 15:00")) == at("2026-10-26 14:00")


def test_a_time_that_the_clock_skips_is_the_moment_of_the_jump_and_one_that_comes_twice_is_the_earlier() -> None:
    nightly = parse_timetable("daily 02:30", ANGELES)
    assert nightly.latest(at("2026-03-08 12:00")) == at("2026-03-08 10:00")
    twice = parse_timetable("daily 01:30", ANGELES)
    assert twice.latest(at("2026-11-01 12:00")) == at("2026-11-01 08:30")
    assert twice.before(at("2026-11-01 08:30")) == at("2026-10-31 08:30")


TIMES = ("daily 02:30", "Mon-Fri 07:30", "Sun, Wed 23:59", "Mon 00:00")


@given(st.integers(0, 2 * 365 * 24 * 60), st.sampled_from(TIMES))
def test_it_is_due_once_on_each_of_its_days(minutes: int, text: str) -> None:
    times = parse_timetable(text, ANGELES)
    now = at("2026-01-01 00:00") + timedelta(minutes=minutes)
    due = times.latest(now)
    assert due <= now and times.latest(due) == due
    before = times.before(due)
    assert before < due and times.latest(due - timedelta(seconds=1)) == before
    days = {7: 1, 5: 3, 2: 4, 1: 7}[len(times.days)]
    assert timedelta(hours=22) < due - before <= timedelta(days=days, hours=1)


def test_days_before_begin_at_midnight_on_the_wall() -> None:
    mondays = parse_timetable("Mon 07:00", ANGELES)
    due = at("2026-11-09 15:00")
    since, until = mondays.midnight(due, 14), mondays.midnight(due, 7)
    assert (since, until) == (at("2026-10-26 07:00"), at("2026-11-02 08:00"))
    assert told_days(since, until, ANGELES) == "2026-10-26 to 2026-11-01"
    assert mondays.midnight(due - timedelta(days=7), 7) == since


@pytest.mark.parametrize("text", ["Monday 07:00", "Mon", "07:00", "Mon 24:00", "Mon 07:60", "Mon 7", ""])
def test_a_time_that_is_none_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match='is no time of the week: write at = "Mon 07:00", or "daily 07:00"'):
        parse_timetable(text, ANGELES)
