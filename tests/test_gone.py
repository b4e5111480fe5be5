"""Gone things, end to end: deleted, hidden, moved, re-typed, merged, restored. Held or followed, never created again,
deleted or reopened; what is left of the link goes on, and what comes back is brought up to date in one pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync.reconcile import Pass, one_pass
from tests.world import ANA, BEN, CHEN, RITA, SAM, World, copies_of, writes

Act = Callable[[World, str], None]
SIDES = ("servicenow", "jira", "azure")


def hide_area(world: World, id: str) -> None:
    """A stakeholder's area that our account may not look into."""
    world.estate.azure.switches.hidden.add(("Lockstep", str(world.estate.azure.item(id)["System.AreaPath"])))


def archive(world: World, id: str) -> None:
    """Into an archive that our account may not browse."""
    world.estate.jira.deny("Lockstep", "CSPM", "BROWSE_ARCHIVE")
    world.estate.jira.archive(id)


@dataclass(frozen=True)
class Way:
    """A way to vanish and, where there is one, the way back. ``told``: the tracker's change query shows it."""

    name: str
    tracker: str
    vanish: Act
    back: Act | None = None
    told: bool = False


WAYS = (
    Way(
        "incident deleted",
        "servicenow",
        lambda w, id: w.estate.servicenow.delete(id, RITA),
        lambda w, id: w.estate.servicenow.undelete(id, RITA),
    ),
    Way(
        "incident made a problem",
        "servicenow",
        lambda w, id: w.estate.servicenow.reclassify(id, "problem", RITA),
        lambda w, id: w.estate.servicenow.reclassify(id, "incident", RITA),
    ),
    Way(
        "incident hidden",
        "servicenow",
        lambda w, id: w.estate.servicenow.rights.hidden.add(id),
        lambda w, id: w.estate.servicenow.rights.hidden.discard(id),
    ),
    Way("defect deleted", "jira", lambda w, id: w.estate.jira.delete(id, ANA)),
    Way(
        "defect in an archive that we may not browse",
        "jira",
        archive,
        lambda w, id: w.estate.jira.archive(id, False),
    ),
    Way(
        "defect hidden",
        "jira",
        lambda w, id: w.estate.jira.hide(id, "Lockstep"),
        lambda w, id: w.estate.jira.hide(id, "Lockstep", hidden=False),
    ),
    Way(
        "project hidden",
        "jira",
        lambda w, id: w.estate.jira.deny("Lockstep", "CSPM", "BROWSE_PROJECTS"),
        lambda w, id: w.estate.jira.allow("Lockstep", "CSPM", "BROWSE_PROJECTS"),
    ),
    Way(
        "work item in the recycle bin",
        "azure",
        lambda w, id: w.estate.azure.delete(id, CHEN),
        lambda w, id: w.estate.azure.undelete(id, CHEN),
        told=True,
    ),
    Way("area hidden", "azure", hide_area, lambda w, id: w.estate.azure.switches.hidden.clear()),
)


def by_name(way: Way) -> str:
    return way.name


def sweep(world: World) -> Pass:
    return one_pass(world.engine, sweep=True)


def counts(world: World) -> list[int]:
    """How many items each tracker has, whoever may see them."""
    estate = world.estate
    return [len(estate.servicenow.ids("incident")), len(estate.jira.ids()), len(estate.azure.ids())]


def elsewhere(world: World, way: Way, ids: dict[str, str]) -> tuple[str, str]:
    """An item of the link in another tracker."""
    return next((tracker, ids[tracker]) for tracker in SIDES if tracker != way.tracker)


def retitle(world: World, tracker: str, id: str, title: str) -> None:
    field = {"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}[tracker]
    getattr(world.estate, tracker).update(id, {field: title}, {"servicenow": SAM, "jira": ANA, "azure": CHEN}[tracker])


def title_of(world: World, tracker: str, id: str) -> object:
    field = {"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}[tracker]
    return getattr(world.estate, tracker).item(id)[field]


def say(world: World, tracker: str, id: str, text: str) -> None:
    getattr(world.estate, tracker).comment(id, text, {"servicenow": SAM, "jira": ANA, "azure": CHEN}[tracker])


def link(world: World) -> dict[str, str]:
    ids = dict(zip(SIDES, world.linked(), strict=True))
    say(world, "servicenow", ids["servicenow"], "said before")
    world.settle()
    return ids


@pytest.mark.parametrize("way", WAYS, ids=by_name)
def test_what_is_gone_is_held_the_rest_goes_on_and_what_comes_back_catches_up(world: World, way: Way) -> None:
    ids = link(world)
    key = next(i.key for i in world.engine.store.links()[0].items if i.ref.tracker == way.tracker)
    way.vanish(world, ids[way.tracker])
    left = counts(world)
    world.once()
    assert bool(world.engine.store.held()) is way.told, "where nothing else moves, only a sweep finds the rest"
    with world.counting() as asked:
        sweep(world)
    assert writes(asked) == []
    ((held, named),) = world.engine.store.held()
    assert (held.what, named) == ("item", key)
    assert key in held.reason and f"lockstep unlink {key}" in held.advice
    goes_on_without(world, way, ids)
    assert counts(world) == left, "nothing is created again, nothing deleted"
    assert [held.what for held, _ in world.engine.store.held()] == ["item"]
    if way.back:
        way.back(world, ids[way.tracker])
        world.once() if way.told else sweep(world)
        back_in_step(world, way, ids)


def goes_on_without(world: World, way: Way, ids: dict[str, str]) -> None:
    """The other two keep in step."""
    tracker, id = elsewhere(world, way, ids)
    say(world, tracker, id, "said meanwhile")
    retitle(world, tracker, id, "renamed meanwhile")
    for _ in range(2):
        world.once()
        world.later(minutes=5)
    third = next(t for t in SIDES if t not in (tracker, way.tracker))
    assert title_of(world, third, ids[third]) == "renamed meanwhile"
    assert copies_of("said meanwhile", world.words(third, ids[third])) == 1


def back_in_step(world: World, way: Way, ids: dict[str, str]) -> None:
    """All that was said and done since is there, once."""
    assert world.engine.store.held() == []
    assert title_of(world, way.tracker, ids[way.tracker]) == "renamed meanwhile"
    world.settle()
    for text in ("said before", "said meanwhile"):
        for place in SIDES:
            assert copies_of(text, world.words(place, ids[place])) == 1, (text, place)
    with world.counting() as asked:
        assert sweep(world).quiet
    assert writes(asked) == []


def test_with_the_sweep_off_what_is_gone_is_noticed_when_its_link_moves_next(world: World) -> None:
    ids = link(world)
    world.estate.jira.delete(ids["jira"], by=ANA)
    say(world, "servicenow", ids["servicenow"], "anybody there?")
    world.once()
    assert [(held.what, key) for held, key in world.engine.store.held()] == [("item", "CSPM-1")]
    assert copies_of("anybody there?", world.words("azure", ids["azure"])) == 1


def test_an_opener_that_was_hidden_while_the_state_was_lost_takes_its_place_again(world: World) -> None:
    ids = link(world)
    world.estate.servicenow.rights.hidden.add(ids["servicenow"])
    world.restart(lose_state=True)
    world.reconcile()
    assert counts(world) == [1, 1, 1]
    world.estate.servicenow.rights.hidden.clear()
    world.later(hours=1)
    world.reconcile()
    (found,) = world.engine.store.links()
    assert {item.ref.tracker: item.ref.id for item in found.items} == ids
    assert found.source.id == ids["servicenow"]
    assert counts(world) == [1, 1, 1]


def test_a_lead_that_is_gone_passes_the_word_on(tmp_path: Path) -> None:
    joining = lambda text: text.replace('open = "defect"', 'open = "defect"\njoin = { parent = true }', 1)  # noqa: E731
    world = World(tmp_path, joining)
    incident, defect, _ = world.linked(pbi=False)
    child = world.incident("county B", parent_incident=incident)
    world.settle()
    world.estate.servicenow.rights.hidden.add(incident)
    sweep(world)
    world.estate.servicenow.update(child, {"short_description": "county B speaks now"}, SAM)
    world.settle()
    assert world.estate.jira.item(defect)["summary"] == "county B speaks now"
    assert [held.what for held, _ in world.engine.store.held()] == ["item"]
    world.estate.servicenow.rights.hidden.clear()
    sweep(world)
    world.settle()
    assert world.engine.store.held() == []
    assert world.estate.jira.item(defect)["summary"] == "county B speaks now"
    assert len(world.estate.jira.ids()) == 1
    world.close()


# ── moved, re-typed: followed ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Move:
    """A way to leave the scope. ``told``: the tracker's change query still shows it."""

    name: str
    tracker: str
    move: Act
    told: bool = True


MOVES = (
    Move(
        "incident reassigned",
        "servicenow",
        lambda w, id: w.estate.servicenow.update(id, {"assignment_group": "Network"}, RITA),
    ),
    Move("defect moved to another project", "jira", lambda w, id: void(w.estate.jira.relocate(id, ANA, "OPS"))),
    Move("defect re-typed", "jira", lambda w, id: void(w.estate.jira.relocate(id, ANA, type="Task"))),
    Move(
        "work item moved to another project",
        "azure",
        lambda w, id: w.estate.azure.update(id, {"System.TeamProject": "Platform"}, CHEN),
        told=False,
    ),
    Move(
        "work item re-typed",
        "azure",
        lambda w, id: w.estate.azure.update(id, {"System.WorkItemType": "Bug"}, CHEN),
    ),
)


def void(_: object) -> None:
    """For what an act returns besides."""


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_what_was_moved_or_re_typed_is_followed_to_the_end(world: World, move: Move) -> None:
    """By its id; only a work item in another project is out of its feed, and found by the sweep."""
    ids = link(world)
    move.move(world, ids[move.tracker])
    world.settle() if move.told else sweep(world)
    say(world, move.tracker, ids[move.tracker], "said there")
    retitle(world, move.tracker, ids[move.tracker], "renamed there")
    with world.counting() as asked:
        world.once() if move.told else sweep(world)
    world.settle()
    others = [tracker for tracker in SIDES if tracker != move.tracker]
    for tracker in others:
        assert title_of(world, tracker, ids[tracker]) == "renamed there"
        assert copies_of("said there", world.words(tracker, ids[tracker])) == 1
    say(world, others[0], ids[others[0]], "said here")
    world.settle()
    assert copies_of("said here", world.words(move.tracker, ids[move.tracker])) == 1
    assert counts(world) == [1, 1, 1]
    assert world.engine.store.held() == []
    with world.counting() as asked:
        assert world.once().quiet
    assert len(asked) == 3, "one call a side"


def test_a_new_key_is_the_link_s_from_then_on(world: World) -> None:
    ids = link(world)
    key = world.estate.jira.relocate(ids["jira"], ANA, "OPS")
    world.settle()
    assert key.startswith("OPS-")
    assert [item.key for item in world.engine.store.find(key)[0].items if item.ref.tracker == "jira"] == [key]
    assert len(world.estate.jira.links(ids["jira"])) == 1


def test_a_re_typed_item_whose_states_no_stage_lists_is_held_and_the_rest_goes_on(world: World) -> None:
    """A Task has To Do and Done, which the stages do not list for a PBI."""
    ids = link(world)
    world.estate.azure.update(ids["azure"], {"System.WorkItemType": "Task", "System.State": "To Do"}, CHEN)
    say(world, "azure", ids["azure"], "it is a task now")
    for _ in range(3):
        world.once()
        world.later(minutes=2)
    ((held, key),) = world.engine.store.held()
    assert (held.what, key) == ("stage", f"AB#{ids['azure']}")
    assert "To Do" in held.reason and "pbi" in held.advice
    assert copies_of("it is a task now", world.words("jira", ids["jira"])) == 1
    assert world.estate.jira.item(ids["jira"])["status"] == "In Progress"
    back = {"System.WorkItemType": "Product Backlog Item", "System.State": "Approved"}
    world.estate.azure.update(ids["azure"], back, CHEN)
    world.settle()
    assert world.engine.store.held() == []


def test_what_is_closed_as_a_duplicate_is_a_change_of_state_like_any_other(world: World) -> None:
    """Merged by hand: the stage's own rule says what follows, nothing is opened again in its place."""
    ids = link(world)
    world.estate.jira.update(ids["jira"], {"customfield_10044": "see CSPM-9"}, by=BEN)
    world.estate.jira.move(ids["jira"], "Done", by=BEN, resolution="Duplicate")
    world.settle()
    assert world.estate.servicenow.state_of(ids["servicenow"]) == "Resolved"
    assert world.estate.jira.item(ids["jira"])["resolution"] == "Duplicate"
    sweep(world)
    assert counts(world) == [1, 1, 1]


def test_an_archived_issue_that_we_may_read_holds_what_jira_refuses(world: World) -> None:
    ids = link(world)
    world.estate.jira.archive(ids["jira"])
    retitle(world, "servicenow", ids["servicenow"], "renamed meanwhile")
    for _ in range(3):
        world.once()
        world.later(minutes=2)
    assert title_of(world, "azure", ids["azure"]) == "renamed meanwhile"
    assert {(held.what, key) for held, key in world.engine.store.held()} == {("summary", "CSPM-1")}
    world.estate.jira.archive(ids["jira"], False)
    world.later(minutes=20)
    world.settle()
    assert title_of(world, "jira", ids["jira"]) == "renamed meanwhile"
    assert world.engine.store.held() == []


# ── restored from a backup ───────────────────────────────────────────────────────────────────────────────────────────


def restored(world: World, tracker: str, name: str = "") -> None:
    """The tracker is put back to its backup, some time after."""
    world.later(minutes=10)
    world.estate.servers[tracker].restore(name)
    world.later(minutes=10)


def settled(world: World) -> None:
    """The sweep finds what went back, and it is believed once nothing late can be the reason."""
    sweep(world)
    world.later(minutes=5)
    world.settle()


@pytest.mark.parametrize("tracker", SIDES)
def test_a_tracker_restored_from_a_backup_is_brought_up_to_date_and_changes_nothing_elsewhere(
    world: World, tracker: str
) -> None:
    """An older version is not believed while it may be a late reading; then what is agreed stands. Afterwards changes
    of its people are noticed, though its counts and its feed have not reached what was decided on before."""
    ids = link(world)
    world.estate.servers[tracker].backup()
    other = next(one for one in SIDES if one != tracker)
    for number in range(4):
        say(world, tracker, ids[tracker], f"remark {number}, lost by the restore")
        world.settle()
    retitle(world, other, ids[other], "renamed after the backup")
    world.settle()
    restored(world, tracker)
    assert title_of(world, tracker, ids[tracker]) != "renamed after the backup"
    with world.counting() as asked:
        sweep(world)
    assert writes(asked) == []
    ((held, _),) = world.engine.store.held()
    assert held.what == "version" and "backup" in held.reason
    world.later(minutes=5)
    world.settle()
    assert [title_of(world, one, ids[one]) for one in SIDES] == ["renamed after the backup"] * 3
    assert copies_of("remark 3, lost", world.words(other, ids[other])) == 1
    assert (counts(world), world.engine.store.held()) == ([1, 1, 1], [])
    with world.counting() as asked:
        assert sweep(world).quiet
    assert writes(asked) == []
    retitle(world, tracker, ids[tracker], "renamed after the restore")
    world.settle()
    assert title_of(world, other, ids[other]) == "renamed after the restore"


def test_a_counterpart_made_after_the_backup_is_held_and_never_made_again(world: World) -> None:
    world.estate.servers["jira"].backup()
    incident, _, pbi = world.linked()
    restored(world, "jira")
    for _ in range(3):
        sweep(world)
    assert world.estate.jira.ids() == []
    assert [(held.what, key) for held, key in world.engine.store.held()] == [("item", "CSPM-1")]
    say(world, "servicenow", incident, "anybody there?")
    world.once()
    assert copies_of("anybody there?", world.words("azure", pbi)) == 1


def test_an_item_that_bears_the_id_of_a_lost_one_is_not_taken_for_it(world: World) -> None:
    """A restored Jira gives ids and keys out again (docs/sandbox.md)."""
    world.estate.servers["jira"].backup()
    incident, defect, pbi = world.linked()
    restored(world, "jira")
    other = world.estate.jira.create({"summary": "somebody else's"}, by=ANA)
    assert other == defect
    say(world, "servicenow", incident, "not for everybody")
    retitle(world, "servicenow", incident, "renamed meanwhile")
    for _ in range(3):
        sweep(world)
        world.later(minutes=5)
    assert world.estate.jira.item(other)["summary"] == "somebody else's"
    assert world.estate.jira.item(other)["labels"] == ()
    assert world.words("jira", other) == []
    assert title_of(world, "azure", pbi) == "renamed meanwhile"
    ((held, key),) = world.engine.store.held()
    assert (held.what, key) == ("item", "CSPM-1")
    assert "another item" in held.reason and "unlink" in held.advice


def test_an_item_put_back_to_before_it_was_linked_gets_its_mark_again(world: World) -> None:
    incident = world.incident()
    world.estate.servers["servicenow"].backup()
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.settle()
    restored(world, "servicenow")
    settled(world)
    assert world.estate.servicenow.item(incident)["correlation_display"] == "lockstep-demo"
    assert world.estate.servicenow.state_of(incident) == "In Progress"
    assert counts(world) == [1, 1, 0]


# ── the mark taken off ───────────────────────────────────────────────────────────────────────────────────────────────


def without_source_line(world: World, id: str) -> None:
    world.estate.jira.update(id, {"description": "written anew by its people"}, ANA)


def without_label(world: World, id: str) -> None:
    kept = [label for label in world.estate.jira.item(id)["labels"] if not label.startswith("lockstep")]
    world.estate.jira.update(id, {"labels": kept, "description": "and without the line"}, ANA)


def without_hyperlink(world: World, id: str) -> None:
    world.estate.azure.unlink(id, "Hyperlink", CHEN)


def without_keys(world: World, id: str) -> None:
    world.estate.servicenow.update(id, {"correlation_id": ""}, RITA)


OFF = {
    "source line of the defect": ("jira", without_source_line),
    "label and source line of the defect": ("jira", without_label),
    "hyperlink of the work item": ("azure", without_hyperlink),
    "keys of the incident": ("servicenow", without_keys),
}


@pytest.mark.parametrize("what", OFF)
def test_keys_that_people_took_off_are_put_back_so_that_a_lost_state_opens_nothing_twice(
    world: World, what: str
) -> None:
    tracker, act = OFF[what]
    ids = link(world)
    act(world, ids[tracker])
    world.settle()
    with world.counting() as asked:
        assert sweep(world).quiet
    assert writes(asked) == []
    world.restart(lose_state=True)
    world.reconcile()
    assert counts(world) == [1, 1, 1]
    (found,) = world.engine.store.links()
    assert {item.ref.tracker: item.ref.id for item in found.items} == ids
    assert copies_of("said before", world.words("jira", ids["jira"])) == 1


def test_an_item_of_a_closed_link_that_shows_again_is_held_no_longer_after_the_next_sweep(world: World) -> None:
    """Something else makes the link be looked at while the item is hidden; that it shows again moves no version."""
    incident, defect, _ = world.linked(pbi=False)
    world.estate.servicenow.move(incident, "Closed", by=RITA, close_code="Solution provided", close_notes="done")
    world.settle()
    assert world.engine.store.links()[0].closed is not None
    world.estate.jira.hide(defect, "Lockstep")
    say(world, "servicenow", incident, "thank you")
    world.once()
    ((held, _),) = world.engine.store.held()
    assert (held.ref.id, held.what) == (defect, "item")
    world.estate.jira.hide(defect, "Lockstep", hidden=False)
    sweep(world)
    assert world.engine.store.held() == []
    with world.counting() as asked:
        sweep(world)
    assert writes(asked) == []
