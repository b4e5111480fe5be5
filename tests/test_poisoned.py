"""The poisoned item, end to end: one that cannot be read, decided, written or heard is held with the reason, and
everything else flows in the same pass; when the cause clears, it flows in one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors.base import Down, Garbled, Refused
from mappings.model import Mark, Ref
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync import decide as deciding
from sync import read as reading
from sync import reconcile as story
from sync.compose import recompose
from sync.engine import Engine
from sync.freezing.again import again
from sync.log import configure
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
DENIED = Answer(403, b'{"message": "not in this area"}', {"Content-Type": "application/json"})
#: small numbers are ids of comments too
NO_COMMENTS = "^(?!.*/comments)"
CAUSES = {
    "a record of an unknown shape": lambda tracker, id: Fault("stripped", tracker, path=NO_COMMENTS, about=id),
    "an answer that fails whenever it is asked for": lambda tracker, id: Fault(
        "answer", tracker, *READS[tracker], naming=id, answer=Answer(500, b"oops")
    ),
    "a refusal whenever it is asked for": lambda tracker, id: Fault(
        "answer", tracker, *READS[tracker], naming=id, answer=DENIED
    ),
}
#: whose discussions come by calls of their own, and by which
TALKS = {"servicenow": "/sys_journal_field", "azure": "/comments"}


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
def calm(living: Three) -> Three:
    living.world.estate.faults.clear()
    living.world.later(minutes=10)
    living.world.settle()
    assert living.held() == {}
    return living


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


def test_a_refusal_of_one_items_comments_holds_its_own_discussion_alone(calm: Three) -> None:
    world, id = calm.world, calm.links[1]["azure"]
    world.estate.faults.add(Fault("answer", "azure", "GET", "/comments", naming=id, answer=DENIED))
    text = calm.speak("azure")
    assert world.once().failures == {}
    assert calm.heard("jira", text) == [1, 0, 1]
    assert calm.held_as() == {id: "comments"} and "not in this area" in calm.held()[id]
    world.estate.faults.clear()
    world.later(minutes=1)
    world.once()
    assert calm.heard("jira", text) == [1, 1, 1]
    assert calm.held() == {}


@pytest.mark.parametrize("tracker", TALKS)
def test_comments_that_may_not_be_read_are_held_and_all_flow_in_one_pass_once_they_may(
    calm: Three, tracker: str
) -> None:
    world = calm.world
    world.estate.faults.add(Fault("answer", tracker, "GET", TALKS[tracker], answer=DENIED))
    text = calm.speak(tracker)
    configure("warning")
    with capture_logs() as logs:
        for _ in range(2):
            assert world.once().failures == {}
            world.later(minutes=1)
    assert calm.heard("jira", text) == [0, 0, 0]
    assert calm.held_as() == {link[tracker]: "comments" for link in calm.links}
    assert all("no comment can be carried from" in reason for reason in calm.held().values())
    assert [(log["event"], log["log_level"]) for log in logs] == [("no comment may be read", "warning")]
    calm.of("jira").update(calm.links[0]["jira"], {"summary": f"all else flows {text}"}, by=ANA)
    world.once()
    assert calm.of("azure").item(calm.links[0]["azure"])["System.Title"] == f"all else flows {text}"
    world.estate.faults.clear()
    world.later(minutes=1)
    world.once()
    assert calm.heard("jira", text) == [1, 1, 1]
    assert calm.held() == {}


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


@pytest.mark.parametrize("tracker", ["jira", "azure"])
def test_a_lost_creation_is_settled_beside_a_poisoned_item_and_waits_where_it_may_be_that_one(
    calm: Three, tracker: str
) -> None:
    world, people, known = calm.world, calm.of(tracker), calm.links[1][tracker]
    path = r"/issue$" if tracker == "jira" else r"/workitems/\$"
    world.estate.faults.add(Fault("answer_after", tracker, "POST|PATCH", path, times=1, answer=Answer(504)))
    second = world.incident("its answer is lost")
    world.estate.servicenow.move(second, "In Progress", by=RITA)
    world.once()
    if tracker == "azure":
        made = world.estate.jira.ids()[-1]
        world.estate.jira.update(made, {"labels": [*world.estate.jira.item(made)["labels"], "dev"]}, by=ANA)
        world.once()
    born = people.ids()[-1]
    world.estate.faults.add(Fault("stripped", tracker, path=NO_COMMENTS, about=born))
    held: list[tuple[str, str, int]] = []
    for _ in range(3):
        world.later(minutes=5)
        assert world.once().failures == {}
        held = [(h.ref.id, h.what, h.tries) for h, _ in world.engine.store.held() if h.what.startswith("open ")]
    ((source, what, tries),) = held
    assert (source, what) in [(second, "open production-defect"), (world.estate.jira.ids()[-1], "open development")]
    assert tries > 1 and people.ids()[-1] == born
    # what was made is understood now, another is not
    world.estate.faults.clear()
    world.estate.faults.add(Fault("stripped", tracker, path=NO_COMMENTS, about=known))
    world.later(minutes=5)
    world.once()
    (link,) = [one for one in world.engine.store.links() if any(item.ref.id == second for item in one.items)]
    assert born in {item.ref.id for item in link.items}
    world.once()
    assert [h.what for h, _ in world.engine.store.held() if h.ref.id != known] == []
    assert people.ids()[-1] == born


def test_a_visible_link_waits_for_its_own_item_alone(calm: Three) -> None:
    world = calm.world
    fault = world.estate.faults.add(Fault("answer", "jira", "POST", "/remotelink", answer=Answer(503)))
    for number in range(2):
        world.estate.servicenow.move(world.incident(f"failure {number}"), "In Progress", by=RITA)
        world.once()
        world.later(minutes=2)
    assert len(world.engine.store.unshown()) == 2
    fault.times = fault.struck
    poisoned = world.estate.jira.ids()[-2]
    world.estate.faults.add(Fault("stripped", "jira", about=poisoned))
    assert world.once().failures == {}
    assert [shown.ref.id for shown in world.engine.store.unshown()] == [poisoned]
    world.estate.faults.clear()
    world.later(minutes=1)
    world.once()
    assert world.engine.store.unshown() == []


def test_who_is_poisoned_is_known_after_a_restart_and_after_an_edit_of_the_file(calm: Three) -> None:
    world = calm.world
    strange = world.incident("new")
    world.estate.faults.add(Fault("stripped", "servicenow", path=NO_COMMENTS, about=strange))
    world.once()
    world.restart()
    anew = recompose(world.engine.setup, world.engine)
    assert anew.poisoned == world.engine.poisoned == {(Ref("servicenow", strange), UNREAD)}
    world.engine = anew
    world.estate.faults.clear()
    world.estate.servicenow.delete(strange, by=SAM)
    assert again(world.engine, strange, "admin") == f"Tried again in the next pass: 1 thing held of {strange}."
    world.once()
    assert world.engine.store.held() == [] and world.engine.poisoned == set()


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_query_tells_what_it_understands_beside_what_it_does_not(living: Three, tracker: str) -> None:
    engine, ids = living.world.engine, [link[tracker] for link in living.links]
    (side,) = engine.setup.sides_in(tracker)
    living.world.estate.faults.clear()
    living.world.estate.faults.add(Fault("stripped", tracker, about=ids[1]))
    connector, scope, now = engine.connectors[tracker], engine.scope(side.name), engine.now()
    with pytest.raises(Garbled) as told:
        connector.created(scope, now - timedelta(days=1), now)
    assert list(told.value.reasons) == [ids[1]] and {ids[0], ids[2]} <= set(told.value.found)
    if tracker != "servicenow":  # its query is for the very key
        with pytest.raises(Garbled) as told:
            connector.find_made(scope, Mark(scope.mark, made="none is called so"), now - timedelta(days=1))
        assert list(told.value.reasons) == [ids[1]] and told.value.found == {}


def test_what_cannot_be_read_under_another_side_waits_too(living: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    world, ref = living.world, Ref("jira", "1")

    def look(engine: Engine, rows: Any, records: Any, fetch: Any) -> Any:
        fetch([(ref, "defect")])
        return rows, records

    monkeypatch.setattr(reading, "at_home", look)
    monkeypatch.setattr(world.engine.connectors["jira"], "read", Bad("1"))
    monkeypatch.setattr(world.engine.store, "neighbour", lambda side, ids: "2")
    desk = reading.Desk(world.engine)
    reading.settle_sides(desk, {})
    assert desk.poisoned == {ref}


# ── finding out who it is ────────────────────────────────────────────────────────────────────────────────────────────


class Bad:
    """A tracker that fails whenever one of these is asked for; from a number of questions on, and before another, it is
    down."""

    def __init__(self, *ids: str, failure: Exception | None = None, before: int = 0, after: int = 10**6) -> None:
        self.ids, self.failure, self.before, self.after, self.asked = set(ids), failure, before, after, 0

    def __call__(self, *given: Any) -> dict[str, str]:
        self.asked += 1
        ids = given[-1]
        if not self.before < self.asked <= self.after or self.ids & set(ids):
            raise self.failure or Down("oops")
        return dict.fromkeys(ids, "well")


def test_a_poisoned_one_of_two_hundred_is_found_by_halves() -> None:
    tracker, ids = Bad("117"), [str(number) for number in range(200)]
    sieve = Sieve(tracker, lambda: "")
    sieve.read(ids)
    assert (sieve.sifted.bad, len(sieve.sifted.found)) == ({"117": "oops"}, 199)
    assert tracker.asked <= 2 * 8 + 2


@pytest.mark.parametrize("count", [1, 2, 200])
def test_a_tracker_that_is_down_is_asked_a_few_times_and_nobody_is_blamed(count: int) -> None:
    tracker = Bad(after=0)
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


@pytest.mark.parametrize("failure", [Down("oops"), Refused("no right"), ValueError("a value of somebody's")])
def test_a_poisoned_one_that_is_alone_is_told_by_its_neighbour(failure: Exception) -> None:
    sieve = Sieve(Bad("1", failure=failure), lambda: "2")
    sieve.read(["1"])
    assert list(sieve.sifted.bad) == ["1"]
    for ids, neighbour in ((["1"], ""), (["1", "2", "3"], "4")):
        with pytest.raises(Refused if isinstance(failure, Refused) else Down) as raised:
            Sieve(Bad(after=0, failure=failure), partial(str, neighbour)).read(ids)
        assert "somebody" not in f"{raised.value} {sieve.sifted.bad}"


def test_a_neighbour_of_an_unknown_shape_is_an_answer_too() -> None:
    def ask(ids: Any) -> dict[str, str]:
        raise Down("oops") if "1" in ids else Garbled({"2": "unknown"}, {})

    sieve = Sieve(ask, lambda: "2")
    sieve.read(["1"])
    assert sieve.sifted.bad == {"1": "oops"}


@pytest.mark.parametrize("last", [2, 3, 4, 9])
def test_a_tracker_that_goes_away_in_mid_batch_blames_nobody(last: int) -> None:
    tracker = Bad("1", before=1, after=last)
    sieve = Sieve(tracker, lambda: "other")
    with pytest.raises(Down):
        sieve.read([str(number) for number in range(200)])
    assert sieve.sifted.bad == {}
    assert tracker.asked <= last + 4
