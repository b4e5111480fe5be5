"""Guards, end to end: a pass that would do too much stops before it writes, says so, and asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.model import Ref
from sync import reconcile
from sync.freezing import brake
from sync.freezing.guard import Estate, Toll, excesses, toll
from sync.plan import Notify, Plan
from sync.reconcile import one_pass
from sync.running.daemon import Daemon
from sync.running.signals import Signals
from sync.setup import Guards
from sync.state import Held, Seen
from sync.store import StateBroken
from tests.builders import DEFECT, NOW, REFS, item, link, record
from tests.test_cli import cli
from tests.test_freeze import OPENING, frozen_pass, settled
from tests.world import ANA, RITA, Begin, World, copies_of, indoors, writes

#: our account in the simulated Jira
LOCKSTEP = "Lockstep"


def guarded(begin: Begin, rules: str = "writes = 3") -> World:
    return begin(lambda text: f"{text}\n[guard]\n{rules}\n")


@pytest.fixture
def world(begin: Begin) -> World:
    return begin()


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in real time for commands in this process, with its secrets in the environment; its engine is closed."""
    with indoors(tmp_path, start=None) as world:
        for name, value in world.estate.environment().items():
            monkeypatch.setenv(name, value)
        world.shut()
        yield world


def eligible(world: World, count: int) -> list[str]:
    incidents = [world.incident(f"failure {number}") for number in range(count)]
    for incident in incidents:
        world.estate.servicenow.move(incident, "In Progress", by=RITA)
    return incidents


# ── too many writes ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pass_that_would_write_more_often_than_the_file_allows_freezes_and_asks(begin: Begin) -> None:
    world = guarded(begin)
    incidents = eligible(world, 3)
    frozen_pass(world)
    (frost,) = world.once().frosts
    assert frost.kind == "guard" and "6 times; guard.writes allows 3" in str(frost)
    for incident in incidents[1:]:
        world.estate.servicenow.update(incident, {"category": "network"}, by=RITA)
    frozen_pass(world)  # what it wants now is little, and still a person is to look first
    assert "resumed" in brake.resume(world.engine, "all", "dana")
    world.settle()
    assert len(world.estate.jira.ids()) == 1


def test_approve_lets_the_pass_through_that_was_stopped_and_one_that_wants_much_more_stops_again(
    begin: Begin,
) -> None:
    world = guarded(begin)
    eligible(world, 3)
    world.once()
    assert "Approved: 6 writes" in brake.approve(world.engine, "dana")
    eligible(world, 2)
    frozen_pass(world)
    assert "10 times" in str(world.once().frosts[0])
    brake.approve(world.engine, "dana")
    done = world.once()
    assert (done.frosts, len(world.estate.jira.ids())) == ((), 5)
    world.settle()
    eligible(world, 2)
    frozen_pass(world)  # what was approved is used up
    assert "Nothing to approve" not in brake.approve(world.engine, "dana")


def test_an_approved_pass_that_a_tracker_breaks_off_goes_on_with_the_rest(begin: Begin) -> None:
    from sandbox.faults import Fault
    from sandbox.wire import Answer

    world = guarded(begin)
    eligible(world, 6)
    world.once()
    brake.approve(world.engine, "dana")
    world.estate.faults.add(Fault("answer", "jira", "POST", "/issue/?$", answer=Answer(503), times=6))
    done = world.once()
    assert done.frosts == () and done.unsettled
    world.later(minutes=5)
    world.settle()
    assert len(world.estate.jira.ids()) == 6


def test_what_was_approved_is_spent_once_although_the_state_breaks_in_the_middle(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = guarded(begin)
    eligible(world, 3)
    world.once()
    brake.approve(world.engine, "dana")

    def breaks(*given: object) -> None:
        raise StateBroken("the disk is full")

    monkeypatch.setattr(reconcile, "tell_found", breaks)
    with pytest.raises(StateBroken):
        world.once()
    monkeypatch.undo()
    assert len(world.estate.jira.ids()) == 3
    eligible(world, 3)
    frozen_pass(world)


def test_an_approval_that_a_small_pass_did_not_need_is_not_kept_for_a_large_one(begin: Begin) -> None:
    world = guarded(begin)
    incidents = eligible(world, 3)
    world.once()
    brake.approve(world.engine, "dana")
    for incident in incidents:
        world.estate.servicenow.update(incident, {"category": "network"}, by=RITA)
    world.settle()
    eligible(world, 3)
    frozen_pass(world)


def test_with_nothing_stopped_there_is_nothing_to_approve(world: World) -> None:
    assert "Nothing to approve" in brake.approve(world.engine, "dana")


def test_over_guard_lets_a_reconciliation_write_and_ends_the_freeze(begin: Begin) -> None:
    world = guarded(begin)
    eligible(world, 3)
    world.once()
    assert one_pass(world.engine, over_guard=True).frosts == ()
    assert len(world.estate.jira.ids()) == 3


def test_the_daemon_stays_up_reads_and_alerts_while_a_guard_keeps_it_from_writing(begin: Begin) -> None:
    world = guarded(begin, "writes = 7")
    incident, defect, _ = world.linked(pbi=False)
    world.estate.servicenow.update(incident, {"impact": "1"}, by=RITA)
    world.settle()
    eligible(world, 4)
    daemon = Daemon(world.engine, Signals(), lambda: None, lambda setup, engine: engine)
    assert daemon.once() is not None
    for hours in (30, 24):
        world.later(hours=hours)
        done = daemon.once()
        assert done is not None and done.frosts and not done.writes
    assert len(world.estate.hook.cards) == 1, "the rule's card went out"
    assert brake.approve(world.engine, "dana")
    world.settle()
    assert len(world.estate.jira.ids()) == 5
    assert copies_of("No movement", world.words("jira", defect)) == 1


def test_a_guard_that_trips_is_told_once_and_so_is_that_it_is_over(begin: Begin) -> None:
    world = guarded(begin, 'writes = 3\ntell = { teams = "triage" }')
    eligible(world, 3)
    for _ in range(3):
        world.once()
    assert len(world.estate.hook.cards) == 1
    card = str(world.estate.hook.cards[0])
    assert "guard.writes allows 3" in card and "lockstep approve" in card
    brake.approve(world.engine, "dana")
    world.settle()
    assert len(world.estate.hook.cards) == 2
    assert "dana approved" in str(world.estate.hook.cards[1])


def test_a_trip_outlives_the_process(begin: Begin) -> None:
    world = guarded(begin)
    eligible(world, 3)
    world.once()
    world.restart()
    frozen_pass(world)


def test_a_tripped_guard_ends_with_4_until_it_is_approved(real: World) -> None:
    real.path.write_text(real.path.read_text() + "\n[guard]\nwrites = 3\n")
    eligible(real, 4)
    for _ in range(2):
        result = cli(real, "reconcile")
        assert result.exit_code == 4
        assert "guard.writes" in result.stderr and "lockstep approve" in result.stderr
    assert cli(real, "status").exit_code == 4
    assert cli(real, "approve").exit_code == 0
    assert cli(real, "reconcile").exit_code == 0
    assert len(real.estate.jira.ids()) == 4
    assert cli(real, "status").exit_code == 0


# ── a share of the links, and items that are suddenly gone ───────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Twenty-one links in step, and a file that lets a pass change half of them and miss a fifth of a tracker."""
    rules = '\n[guard]\nshare = "50%"\ngone = "20%"\n'
    with indoors(tmp_path_factory.mktemp("many"), lambda text: text + rules) as world:
        eligible(world, 21)
        world.settle()
        yield world


def test_a_pass_that_would_change_more_than_a_share_of_the_open_links_freezes_and_asks(many: World) -> None:
    defects = many.estate.jira.ids()
    for defect in defects[:10]:
        many.estate.jira.comment(defect, "to ten of them.", ANA)
    assert many.once().frosts == ()
    for defect in defects[:11]:
        many.estate.jira.comment(defect, "to eleven of them.", ANA)
    frozen_pass(many)
    assert "11 of 21 open links" in str(many.once().frosts[0])
    brake.approve(many.engine, "dana")
    many.settle()
    said = [copies_of("to eleven of them.", many.words("servicenow", id)) for id in many.estate.servicenow.ids()]
    assert sum(said) == 11


def test_a_tracker_that_suddenly_shows_far_fewer_items_freezes_before_anything_is_held(many: World) -> None:
    defects = many.estate.jira.ids()
    for defect in defects[:5]:
        many.estate.jira.hide(defect, LOCKSTEP)
    with many.counting() as asked:
        done = one_pass(many.engine, sweep=True)
    assert writes(asked) == []
    assert "5 of 21 linked items of jira are suddenly gone" in str(done.frosts[0])
    assert many.engine.store.held() == []
    for defect in defects[:5]:
        many.estate.jira.hide(defect, LOCKSTEP, False)
    brake.resume(many.engine, "all", "dana")
    with many.counting() as asked:
        many.settle()
    assert (writes(asked), many.engine.store.held()) == ([], [])


def test_items_that_are_gone_are_held_once_a_person_approves_that(many: World) -> None:
    defects = many.estate.jira.ids()
    for defect in defects[:5]:
        many.estate.jira.hide(defect, LOCKSTEP)
    one_pass(many.engine, sweep=True)
    assert "5 items of jira missing" in brake.approve(many.engine, "dana")
    many.settle()
    assert [held.what for held, _ in many.engine.store.held()] == ["item"] * 5
    assert one_pass(many.engine, sweep=True).frosts == ()


def test_items_that_go_missing_a_few_in_each_pass_are_counted_together(many: World) -> None:
    defects = many.estate.jira.ids()
    for defect in defects[:5]:
        many.estate.jira.hide(defect, LOCKSTEP, False)
    one_pass(many.engine, sweep=True)
    many.settle()
    many.later(minutes=1)
    for defect in defects[:4]:
        many.estate.jira.hide(defect, LOCKSTEP)
    assert one_pass(many.engine, sweep=True).frosts == ()
    assert len(many.engine.store.held()) == 4, "so few are no reason to ask"
    for defect in defects[4:6]:
        many.estate.jira.hide(defect, LOCKSTEP)
    (frost,) = one_pass(many.engine, sweep=True).frosts
    assert "6 of 21 linked items of jira are suddenly gone" in str(frost) and "(4 of them before" in str(frost)
    brake.approve(many.engine, "dana")
    assert one_pass(many.engine, sweep=True).frosts == ()
    for defect in defects[6:8]:
        many.estate.jira.hide(defect, LOCKSTEP)
    assert one_pass(many.engine, sweep=True).frosts == (), "what was looked at counts no more"
    for defect in defects[:8]:
        many.estate.jira.hide(defect, LOCKSTEP, False)
    one_pass(many.engine, sweep=True)
    many.settle()
    assert many.engine.store.held() == []


def test_discussions_that_are_empty_all_at_once_freeze_and_nothing_is_taken_for_deleted(many: World) -> None:
    defects = many.estate.jira.ids()[:5]
    for defect in defects:
        many.estate.jira.comment(defect, "there it is.", ANA)
    many.settle()
    for defect in defects:
        for comment in many.estate.jira.comments(defect):
            if "lockstep" not in comment["text"]:
                many.estate.jira.delete_comment(defect, comment["id"], ANA)
    with many.counting() as asked:
        (frost,) = one_pass(many.engine, sweep=True).frosts
    assert writes(asked) == [] and "all comments of 5 items of jira are suddenly gone" in str(frost)
    assert not any(version.gone for link in many.engine.store.links() for version in link.versions.values())
    assert "5 discussions of jira emptied" in brake.approve(many.engine, "dana")
    many.settle()
    assert sum(version.gone for link in many.engine.store.links() for version in link.versions.values()) >= 5


def test_a_tracker_that_goes_back_in_time_freezes_before_it_is_written(many: World) -> None:
    server = many.estate.servers["jira"]
    server.backup()
    defects = many.estate.jira.ids()[:8]
    for defect in defects:
        many.estate.jira.comment(defect, "after the backup.", ANA)
    many.settle()
    server.restore()
    many.later(minutes=10)
    for _ in range(3):
        with many.counting() as asked:
            done = one_pass(many.engine, sweep=True)
        assert writes(asked) == []
        many.later(minutes=5)
    (frost,) = done.frosts
    assert "8 of 21 linked items of jira show an earlier version than before" in str(frost)


# ── the pure part ────────────────────────────────────────────────────────────────────────────────────────────────

BOUNDS = Guards(writes=10, share=0.5, gone=0.2)
THERE = Estate(20, {"jira": 20, "snow": 19, "azure": 4, "csv": 6}, {"csv": 2})


@pytest.mark.parametrize(
    "cost, words",
    [
        (Toll(10, 10, {"jira": 4}), []),
        (Toll(11), ["guard.writes"]),
        (Toll(0, 11), ["guard.share"]),
        (Toll(0, 0, {"jira": 5}), ["guard.gone"]),
        (Toll(0, 0, {"snow": 9}), []),
        (Toll(0, 0, {"snow": 10}), ["guard.gone"]),
        (Toll(0, 0, {"azure": 4}), []),
        (Toll(0, 0, {"csv": 2}), ["2 of them before this pass"]),
        (Toll(0, 0, {}, {"jira": 5}), ["restored from a backup"]),
        (Toll(0, 0, {}, {"jira": 4}), []),
        (Toll(0, 0, {}, {}, {"jira": 5}), ["all comments of 5 items of jira"]),
        (Toll(0, 0, {}, {}, {"jira": 4}), []),
        (Toll(11, 11, {"jira": 5}), ["guard.writes", "guard.share", "guard.gone"]),
    ],
    ids=[
        *("within", "writes", "share", "gone", "half of a few", "more than half of a few", "too few to say"),
        *("spread over passes", "put back", "a few put back", "silent", "a few silent", "all"),
    ],
)
def test_each_guard_has_its_bound_and_says_which_one_was_passed(cost: Toll, words: list[str]) -> None:
    reasons = excesses(BOUNDS, cost, THERE)
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_a_bound_of_nothing_is_none() -> None:
    assert excesses(Guards(writes=0), Toll(10**6, 20, {"jira": 20}), THERE) == ()


def test_a_share_says_nothing_of_a_few_links() -> None:
    assert excesses(BOUNDS, Toll(0, 19), Estate(19)) == ()


def test_mails_do_not_count_as_writes_nor_closed_links_as_changed() -> None:
    card = Notify("card", "teams", ("triage",), (), "quiet", "quiet", "rule")
    pairs = [(link(closed=NOW), Plan(1, "k", "t", (OPENING, card))), (link(), Plan(1, "k", "t", (card,)))]
    assert toll(pairs, Seen({})) == Toll(1, 0, {})


def test_what_was_missing_before_is_not_missed_again() -> None:
    held = Held(DEFECT, "item", "gone", "restore it", NOW)
    plan = Plan(1, "k", "t", (), settled())
    seen = Seen({DEFECT: None, REFS["pbi"]: None, Ref("snow", "i1"): None})
    gone_before = tuple(item(record(ref), gone=ref == REFS["pbi"]) for ref in REFS.values())
    assert toll([(link(), plan)], seen).gone == {"jira": 1, "azure": 1, "snow": 1}
    assert toll([(link(*gone_before, held=(held,)), plan)], seen).gone == {"snow": 1}


def test_what_was_approved_counts_no_more_and_what_comes_on_top_must_pass_the_guards() -> None:
    approved = Toll(100, 0, {"jira": 10})
    assert excesses(BOUNDS, Toll(110, 10, {"jira": 14}), THERE, approved) == ()
    assert len(excesses(BOUNDS, Toll(111, 11, {"jira": 15, "azure": 1}), THERE, approved)) == 3
