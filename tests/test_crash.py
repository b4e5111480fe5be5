"""The process dies at its writes again and again, and the state is lost with it; the next one finds its way. That one
death or two at any boundary, with the state kept, change nothing is shown in test_crashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from sync.engine import Engine
from tests.test_faults import Scene, assert_in_step, at_the_start, pass_until_over
from tests.world import CHEN, World, copies_of, writes

WRITES = ("create", "update", "adopt", "unmark", "show", "say")
LOST = pytest.mark.parametrize("lost", [False, True], ids=["state kept", "state deleted"])
MOMENT = pytest.mark.parametrize("moment", ["before it is sent", "after it took effect"])


class Died(BaseException):
    """The process is no more."""


@contextmanager
def mortal(engine: Engine, moment: str, after: int) -> Iterator[None]:
    """A process that does ``after`` writes and dies with the next: before it is sent, or before its answer is heard.
    The visible link is the same each time it is left: a process that dies of it would do so for ever."""
    left = after
    names = WRITES if moment == "before it is sent" else [name for name in WRITES if name != "show"]

    def wrapped(write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0 and moment == "before it is sent":
                raise Died
            answer = write(*given)
            if left < 0:
                raise Died
            return answer

        return call

    for connector in engine.connectors.values():
        for name in names:
            setattr(connector, name, wrapped(getattr(connector, name)))
    yield


def die_at_every_write(world: World, moment: str, limit: int = 25) -> None:
    """Lives of one write each, with each of which the state goes too, until one has nothing left to do. The first has
    done a write: an incident that bears no mark yet is an old one to the next."""
    for _ in range(limit):
        with mortal(world.engine, moment, after=1 if moment == "before it is sent" else 0):
            try:
                pass_until_over(world)
                world.restart()
                return
            except Died:
                world.restart(lose_state=True)
                world.later(minutes=2)
    raise AssertionError(f"still dying after {limit} lives")


def later_talk(scene: Scene) -> None:
    """What is said within minutes of the joining counts as older once the state is lost."""
    scene.world.later(minutes=15)
    for tracker in ("servicenow", "jira", "azure"):
        scene.speak(tracker)
        scene.world.later(seconds=20)


ACTS: dict[str, tuple[str, Callable[[Scene], None]]] = {
    "a link is opened": ("new", Scene.triage),
    "people talk on three sides": ("all", later_talk),
}


@MOMENT
@pytest.mark.parametrize("act", ACTS)
def test_dying_at_every_write_and_losing_the_state_each_time_doubles_nothing(
    world: World, act: str, moment: str
) -> None:
    """Agreed values start afresh with a lost state, so fields wait; items and people's words are all there, once."""
    begin, do = ACTS[act]
    scene = at_the_start(world, begin)
    do(scene)
    die_at_every_write(world, moment)
    pass_until_over(world)
    estate = world.estate
    assert (len(estate.jira.ids()), len(estate.azure.ids())) == (1, 1 if begin != "new" else 0)
    places = [("servicenow", scene.incident), ("jira", scene.defect)]
    places += [("azure", scene.pbi)] if estate.azure.ids() else []
    for place in places:
        for text in scene.said:
            assert copies_of(text, world.words(*place)) == 1, (place, text)
    assert_nothing_more(world)


@LOST
def test_a_rule_that_fired_before_the_process_died_fires_no_second_time(world: World, lost: bool) -> None:
    scene = at_the_start(world, "all")
    scene.stall()
    with mortal(world.engine, "after it took effect", after=0), pytest.raises(Died):
        world.once()
    world.restart(lose_state=lost)
    pass_until_over(world)
    world.later(hours=1)
    pass_until_over(world)
    assert copies_of("No movement for 1 business day", world.words("jira", scene.defect)) == 1


def test_a_defect_in_the_middle_of_a_creation_does_not_strand_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw sets the link aside; the creation that was begun is looked up and tried again, without
    anybody starting the process anew."""
    scene = at_the_start(world, "new")
    scene.triage()
    connector = world.engine.connectors["jira"]

    def wrong(*given: object) -> None:
        raise KeyError("a shape nobody foresaw")

    with monkeypatch.context() as patched:
        patched.setattr(connector, "create", wrong)
        world.once()
    assert [held.what for held, _ in world.engine.store.held()] == ["defect"]
    for _ in range(20):
        world.later(minutes=2)
        world.once()
    assert_in_step(scene)


def test_killed_in_turns_with_faults_and_a_lost_state_everything_is_there_once(world: World) -> None:
    scene = at_the_start(world, "all")
    for number in range(6):
        world.later(minutes=15)
        text = f"report {number} from the field."
        scene.said.append(text)
        world.estate.azure.comment(scene.pbi, text, CHEN)
        moment = ("before it is sent", "after it took effect")[number % 2]
        with mortal(world.engine, moment, after=number % 3), suppress(Died):
            world.once()
        world.restart(lose_state=number == 3)
    world.later(minutes=5)
    pass_until_over(world)
    assert_in_step(scene)


def assert_nothing_more(world: World) -> None:
    world.later(hours=1)
    world.engine.store.touch_all(closed=True)
    with world.counting() as asked:
        world.once()
    assert writes(asked) == []
