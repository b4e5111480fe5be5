"""The poisoned item, end to end: one that cannot be read, decided, written or heard is held with the reason, and
everything else flows in the same pass; when the cause clears, it flows in one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Down
from mappings.model import Ref
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync import decide as deciding
from sync import read as reading
from sync import reconcile as story
from sync.reconcile import one_pass
from sync.sparing import MOST, Sieve, set_aside, sift
from sync.state import UNREAD
from tests.world import ANA, CHEN, RITA, SAM, World, copies_of, indoors

TRACKERS = ("servicenow", "jira", "azure")
PEOPLE = {"servicenow": SAM, "jira": ANA, "azure": CHEN}
EDITORS = PEOPLE | {"servicenow": RITA}
TITLES = {"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}
#: what reads an item by its id, and nothing that writes
READS = {"servicenow": ("GET", "/table/incident"), "jira": ("POST", "/bulkfetch"), "azure": ("POST", "/workitemsbatch")}
#: small numbers are ids of comments too
NO_COMMENTS = "^(?!.*/comments)"
CAUSES = {
    "a record of an unknown shape": lambda tracker, id: Fault("stripped", tracker, path=NO_COMMENTS, about=id),
    "an answer that fails whenever it is asked for": lambda tracker, id: Fault(
        "answer", tracker, *READS[tracker], naming=id, answer=Answer(500, b"oops")
    ),
}


class Three:
    """Three links on three sides, the second of which is poisoned somewhere."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.links = [dict(zip(TRACKERS, world.linked(f"failure {number}"), strict=True)) for number in range(3)]
        self.said = 0

    def of(self, tracker: str) -> Any:
        return getattr(self.world.estate, tracker)

    def speak(self, tracker: str) -> str:
        """Somebody says something on that side of each link."""
        self.said += 1
        text = f"word {self.said}."
        for link in self.links:
            self.of(tracker).comment(link[tracker], text, PEOPLE[tracker])
        return text

    def heard(self, tracker: str, text: str) -> list[int]:
        """How often that text stands on that side of each link."""
        return [copies_of(text, self.world.words(tracker, link[tracker])) for link in self.links]

    def held_as(self) -> dict[str, str]:
        return {held.ref.id: held.what for held, _ in self.world.engine.store.held()}

    def held(self) -> dict[str, str]:
        return {held.ref.id: held.reason for held, _ in self.world.engine.store.held()}


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    with indoors(tmp_path_factory.mktemp("three")) as world:
        yield Three(world)


@pytest.fixture
def three(living: Three) -> Three:
    living.world.estate.faults.clear()
    for number in range(2):
        living.world.later(minutes=10)
        # the cursors leave the second link behind: its items are read by their ids alone
        living.of("jira").update(living.links[2]["jira"], {"summary": f"news {living.said} {number}"}, by=ANA)
        living.world.settle()
        one_pass(living.world.engine, sweep=True)
    living.world.later(minutes=10)
    assert living.held() == {}
    return living


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("tracker", TRACKERS)
def test_an_item_that_cannot_be_read_is_held_and_everything_else_flows(three: Three, tracker: str, cause: str) -> None:
    world, speaker = three.world, "jira" if tracker != "jira" else "azure"
    third = next(name for name in TRACKERS if name not in (tracker, speaker))
    id = three.links[1][tracker]
    world.estate.faults.add(CAUSES[cause](tracker, id))
    text = three.speak(speaker)
    if "shape" in cause:
        three.of(tracker).update(id, {TITLES[tracker]: f"renamed in {tracker}"}, by=EDITORS[tracker])
    done = one_pass(world.engine, sweep=True)
    assert done.failures == {}
    assert three.heard(tracker, text) == [1, 0, 1]
    assert three.heard(third, text) == [1, 1, 1]
    assert list(three.held()) == [id]
    again = three.speak(tracker if "shape" in cause else third)
    world.later(minutes=1)
    world.once()
    assert three.heard(speaker, again) == ([1, 0, 1] if "shape" in cause else [1, 1, 1])
    ((held, _),) = world.engine.store.held()
    assert held.tries == 2 and held.tried and held.retry and held.since < held.tried < held.retry
    world.estate.faults.clear()
    world.later(minutes=1)
    world.once()
    assert (three.heard(tracker, text), three.heard(speaker, again)) == ([1, 1, 1], [1, 1, 1])
    if "shape" in cause:
        assert three.of(third).item(three.links[1][third])[TITLES[third]] == f"renamed in {tracker}"
    assert three.held() == {}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_comment_of_an_unknown_shape_holds_its_own_discussion_alone(three: Three, tracker: str) -> None:
    world, speaker = three.world, "jira" if tracker != "jira" else "azure"
    text, other = three.speak(tracker), three.speak(speaker)
    id = three.links[1][tracker]
    (said,) = [comment["id"] for comment in three.of(tracker).comments(id) if text in comment["text"]]
    world.estate.faults.add(Fault("stripped", tracker, path={"azure": "/comments"}.get(tracker, ""), about=str(said)))
    assert world.once().failures == {}
    assert (three.heard(speaker, text), three.heard(tracker, other)) == ([1, 0, 1], [1, 1, 1])
    assert three.held_as() == {id: "comments"}
    world.estate.faults.clear()
    world.later(minutes=1)
    world.once()
    assert (three.heard(speaker, text), three.heard(tracker, other)) == ([1, 1, 1], [1, 1, 1])
    assert three.held() == {}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_new_item_of_an_unknown_shape_is_held_by_its_id_and_lets_the_next_ones_by(three: Three, tracker: str) -> None:
    world, people = three.world, three.of(tracker)
    given = {"jira": {"summary": "new"}, "azure": {"System.Title": "new"}}.get(tracker, {})
    strange, sound = (
        world.incident("new") if tracker == "servicenow" else people.create(dict(given), PEOPLE[tracker])
        for _ in range(2)
    )
    world.estate.faults.add(Fault("stripped", tracker, path=NO_COMMENTS, about=strange))
    assert world.once().failures == {}
    assert list(three.held()) == [strange]
    assert world.engine.store.places([Ref(tracker, strange), Ref(tracker, sound)]).keys() == {Ref(tracker, sound)}
    world.estate.faults.clear()
    world.later(minutes=1)
    world.once()
    assert three.held() == {}
    assert Ref(tracker, strange) in world.engine.store.places([Ref(tracker, strange)])


@pytest.mark.parametrize("where", ["deciding", "writing"])
def test_a_defect_that_one_item_sets_off_holds_that_one_and_is_told_once(
    three: Three, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    world, id = three.world, three.links[1]["jira"]
    called = {"deciding": "fails_too", "writing": "carry"}
    connector = world.engine.connectors["jira"]
    say, decide = connector.say, deciding.decide

    def fails(*given: Any, **more: Any) -> Any:
        if where == "writing" and given[1].ref.id == id:
            raise KeyError("nobody foresaw this")
        return say(*given, **more)

    def fails_too(link: Any, *given: Any, **more: Any) -> Any:
        if where == "deciding" and any(item.ref.id == id for item in link.items):
            raise KeyError("nobody foresaw this")
        return decide(link, *given, **more)

    monkeypatch.setattr(connector, "say", fails)
    for room in (story, reading):
        monkeypatch.setattr(room, "decide", fails_too)
    text = three.speak("servicenow")
    for _ in range(3):
        assert world.once().failures == {}
        world.later(minutes=1)
    assert three.heard("jira", text) == [1, 0, 1]
    ((held, _),) = world.engine.store.held()
    assert held.what == "defect" and "KeyError" in held.reason and "foresaw" not in held.reason
    (linked,) = [link for link in world.engine.store.links() if any(item.ref.id == id for item in link.items)]
    told = [line.body for line in world.engine.store.journal(linked.key, 100) if line.kind == "held"]
    assert len([body for body in told if f"KeyError in {called[where]}" in body]) == 1 and held.tries > 1
    monkeypatch.undo()
    world.later(minutes=1)
    world.once()
    world.later(minutes=1)
    world.once()
    assert three.heard("jira", text) == [1, 1, 1]
    assert three.held() == {}


# ── finding out who it is ────────────────────────────────────────────────────────────────────────────────────────────


class Bad:
    """A tracker that fails whenever one of these is asked for, or always."""

    def __init__(self, *ids: str, down: bool = False) -> None:
        self.ids, self.down, self.asked = set(ids), down, 0

    def __call__(self, ids: Any) -> dict[str, str]:
        self.asked += 1
        if self.down or self.ids & set(ids):
            raise Down("oops")
        return dict.fromkeys(ids, "well")


def test_a_poisoned_one_of_two_hundred_is_found_by_halves() -> None:
    tracker, ids = Bad("117"), [str(number) for number in range(200)]
    sieve = Sieve(tracker, lambda: "")
    sieve.read(ids)
    assert (sieve.sifted.bad, len(sieve.sifted.found)) == ({"117": "oops"}, 199)
    assert tracker.asked <= 2 * 8 + 1


@pytest.mark.parametrize("count", [1, 2, 200])
def test_a_tracker_that_is_down_is_asked_a_few_times_and_nobody_is_blamed(count: int) -> None:
    tracker = Bad(down=True)
    with pytest.raises(Down):
        Sieve(tracker, lambda: "other").read([str(number) for number in range(count)])
    assert tracker.asked <= 6


def test_many_poisoned_ones_are_all_found_in_some_passes_and_hold_up_no_other(world: World) -> None:
    tracker, ids = Bad("3", "5", "40", "77", "111", "150", "151", "199"), [str(number) for number in range(200)]
    flowing = []
    for _ in range(8):
        tracker.asked = 0
        sifted = sift(world.engine, "defect", UNREAD, ids, tracker)
        assert tracker.asked <= MOST + 4
        assert set(sifted.found) | set(sifted.bad) == set(ids)
        assert tracker.ids <= set(sifted.bad)
        set_aside(world.engine, "jira", sifted, UNREAD)
        flowing.append(len(sifted.found))
    assert flowing == sorted(flowing)
    assert flowing[-1] == len(ids) - len(tracker.ids)


def test_a_poisoned_one_that_is_alone_is_told_by_its_neighbour() -> None:
    sieve = Sieve(Bad("1"), lambda: "2")
    sieve.read(["1"])
    assert sieve.sifted.bad == {"1": "oops"}
    with pytest.raises(Down):
        Sieve(Bad("1"), lambda: "").read(["1"])
