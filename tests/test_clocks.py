"""Clocks, with the sweep off: a change is noticed and carried once whenever it is made, whatever the zones of the
trackers and their users, however our clock or a tracker's jumps or drifts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.clock import SkewedClock
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.running.audit import daily
from tests.world import ANA, CHEN, RITA, SAM, World, copies_of, indoors

PEOPLE = {"servicenow": SAM, "jira": ANA, "azure": CHEN}
TITLE = {"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}
#: the turn of a year, a leap day's beginning and end, a turn of a minute; in UTC, as all moments are
TURNS = ("2028-01-01 00:00:00", "2028-02-29 00:00:00", "2028-03-01 00:00:00", "2028-03-01 10:01:00")
#: from eleven hours behind to fourteen ahead, with half an hour, and the moments that each goes through: where there is
#: a summer time, both changes of the clocks
ZONES = {
    "Pacific/Pago_Pago": TURNS,
    "America/Los_Angeles": ("2027-03-14 10:00:00", "2027-11-07 09:00:00", *TURNS),
    "Europe/Berlin": ("2027-03-28 01:00:00", "2027-10-31 01:00:00"),
    "Asia/Kolkata": TURNS,
    "Pacific/Kiritimati": TURNS,
}
#: changes so long before and after a moment; those between two of them, and before a pass, share a second or a minute
AROUND = (timedelta(minutes=-30), timedelta(milliseconds=-2), timedelta(milliseconds=2), timedelta(minutes=30))


def linked(world: World) -> dict[str, str]:
    return dict(zip(PEOPLE, world.linked(), strict=True))


def speak(world: World, tracker: str, ids: dict[str, str], said: list[str]) -> None:
    said.append(f"word {len(said)} from {tracker}.")
    getattr(world.estate, tracker).comment(ids[tracker], said[-1], PEOPLE[tracker])


def all_speak(world: World, ids: dict[str, str], said: list[str]) -> None:
    """One word on each side."""
    for tracker in PEOPLE:
        speak(world, tracker, ids, said)


def retitle(world: World, tracker: str, ids: dict[str, str], title: str) -> None:
    getattr(world.estate, tracker).update(ids[tracker], {TITLE[tracker]: title}, PEOPLE[tracker])


def passes(world: World, limit: int = 8) -> None:
    """Passes a few seconds apart until one has nothing to do; never a sweep."""
    for _ in range(limit):
        done = world.once()
        world.later(seconds=7)
        if done.quiet and not done.failures:
            return
    raise AssertionError(f"not quiet: {done}")


def assert_carried(world: World, ids: dict[str, str], said: list[str]) -> None:
    for tracker, id in ids.items():
        words = world.words(tracker, id)
        assert {text: copies_of(text, words) for text in said} == dict.fromkeys(said, 1), tracker
    assert world.engine.store.held() == []


@pytest.mark.parametrize("zone", ZONES)
def test_a_change_at_any_moment_is_noticed_whatever_the_zones(tmp_path: Path, zone: str) -> None:
    with indoors(tmp_path) as world:
        snow, jira = world.estate.servicenow, world.estate.jira
        snow.set_user("lockstep", time_zone=zone)
        snow.set_property("glide.sys.default.tz", zone)
        jira.site.zone = zone
        for id, user in list(jira.site.users.items()):
            jira.site.users[id] = replace(user, zone=zone)
        world.restart()
        ids, said = linked(world), list[str]()
        for number, text in enumerate(ZONES[zone]):
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
            for at, span in enumerate(AROUND):
                world.estate.clock.set(moment + span)
                speak(world, tuple(PEOPLE)[(number + at) % 3], ids, said)
                world.once()
            tracker = tuple(PEOPLE)[number % 3]
            retitle(world, tracker, ids, f"renamed {number}")
            passes(world)
            titles = {getattr(world.estate, one).item(ids[one])[TITLE[one]] for one in PEOPLE}
            assert titles == {f"renamed {number}"}
        assert_carried(world, ids, said)


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=400), -timedelta(hours=1), -timedelta(days=400)])
def test_our_clock_may_jump(tmp_path: Path, jump: timedelta) -> None:
    """With words under way, and while a tracker rests: that may begin anew, but lasts for no longer than it asked."""
    with indoors(tmp_path) as world:
        assert isinstance(world.clock, SkewedClock)
        ids, said = linked(world), list[str]()
        all_speak(world, ids, said)
        world.once()
        world.clock.skew = jump
        all_speak(world, ids, said)
        passes(world)
        assert_carried(world, ids, said)
        world.estate.faults.add(Fault("answer", "jira", times=1, answer=Answer(429), retry_after=60))
        all_speak(world, ids, said)
        world.once()
        world.clock.skew = timedelta(0)
        passes(world, limit=12)
        all_speak(world, ids, said)
        passes(world)
        assert_carried(world, ids, said)


@pytest.mark.parametrize("tracker", PEOPLE)
def test_a_trackers_clock_may_jump_and_drift(tmp_path: Path, tracker: str) -> None:
    """Ahead, back, behind, and a second further off with each pass."""
    with indoors(tmp_path) as world:
        ids, said = linked(world), list[str]()
        steps = [600, 0, -600, 0, *range(0, 8), 86_400, -40]
        for number, seconds in enumerate(steps):
            world.estate.clocks[tracker].skew = timedelta(seconds=seconds)
            speak(world, tracker, ids, said)
            retitle(world, tracker, ids, f"renamed {number}")
            passes(world)
            world.later(minutes=number)
        titles = {getattr(world.estate, one).item(ids[one])[TITLE[one]] for one in PEOPLE}
        assert titles == {f"renamed {len(steps) - 1}"}
        assert_carried(world, ids, said)


@pytest.mark.parametrize(
    ("anew", "lost"), [(False, "answer"), (True, "answer_after")], ids=["at work", "between two processes"]
)
def test_a_clock_set_back_keeps_nothing_waiting(tmp_path: Path, anew: bool, lost: str) -> None:
    """Three days ahead, a comment and a creation get no answer, whether it took effect or not, and an hour's
    comments for customers are used up. Once it is right, all of that goes on within the hour."""
    with indoors(tmp_path, lambda text: text + "\n[guard]\ncomments = 3\n") as world:
        assert isinstance(world.clock, SkewedClock)
        ids, estate = linked(world), world.estate
        world.clock.skew = timedelta(days=3)
        estate.faults.add(Fault("answer", "azure", "POST", "/comments", times=1, answer=Answer(504)))
        estate.faults.add(Fault(lost, "jira", "POST", r"/issue$", times=1, answer=Answer(504)))
        estate.servicenow.comment(ids["servicenow"], "without an answer.", SAM)
        for number in range(5):
            estate.jira.comment(ids["jira"], f"word {number}.", ANA)
        estate.servicenow.move(world.incident("new"), "In Progress", by=RITA)
        world.once()
        assert len(world.engine.store.unsettled_creations()) == 1
        assert copies_of("without an answer.", world.words("azure", ids["azure"])) == 0
        world.clock.skew = timedelta(0)
        if anew:
            world.restart()
        world.settle()
        assert copies_of("without an answer.", world.words("azure", ids["azure"])) == 1
        assert len(estate.jira.ids()) == 2
        estate.servicenow.comment(ids["servicenow"], "said after.", SAM)
        world.later(minutes=61)
        world.settle()
        assert copies_of("said after.", world.words("jira", ids["jira"])) == 1
        assert copies_of("word", world.words("servicenow", ids["servicenow"])) == 5
        assert world.engine.store.held() == []
        with world.counting() as asked:
            world.once()
        assert len(asked) == 3, "an idle pass is one again"


def test_what_was_looked_at_once_a_day_is_looked_at_although_the_clock_was_ahead(tmp_path: Path) -> None:
    with indoors(tmp_path) as world:
        assert isinstance(world.clock, SkewedClock)
        world.clock.skew = timedelta(days=3)
        assert daily(world.engine) is not None
        world.clock.skew = timedelta(0)
        assert daily(world.engine) is not None and daily(world.engine) is None
