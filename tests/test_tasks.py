"""Tasks under a work item: shown with its link, never counted, marked, told of or written."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from sync import show
from sync.reconcile import one_pass
from sync.show.status import every_link
from tests.world import BEN, CHEN, World, copies_of, writes

TASKS = """
[sides.task]
tracker = "azure"
project = "Portal"
type    = "Task"
under   = "pbi"
"""


class Tasked(World):
    def sweep(self) -> None:
        one_pass(self.engine, sweep=True)


@pytest.fixture
def tasked(tmp_path: Path) -> Iterator[Tasked]:
    world = Tasked(tmp_path, lambda text: text + TASKS)
    yield world
    world.close()


def task(world: World, title: str = "write the migration") -> str:
    return str(world.estate.azure.create({"System.Title": title, "System.WorkItemType": "Task"}, by=CHEN))


def shown(world: World) -> list[tuple[str, str]]:
    """The tasks of every link, each with its state."""
    rows = [
        (one.ref.id, str(one.echoes["stage"].spelling[0][1]))
        for link in world.engine.store.links()
        for one in link.tasks
    ]
    return sorted(rows)


def test_tasks_under_a_pbi_are_shown_not_counted(tasked: Tasked) -> None:
    world, azure = tasked, tasked.estate.azure
    incident, defect, pbi = world.linked()
    one = task(world)
    azure.put_under(one, pbi, by=CHEN)
    azure.comment(one, "only among developers", CHEN)
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    assert shown(world) == [(one, "To Do")]
    (link,) = world.engine.store.links()
    assert {item.ref.id for item in link.items} == {incident, defect, pbi}
    assert world.engine.store.counts()["items"] == 3
    azure.move(one, "Done", by=CHEN)
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    assert shown(world) == [(one, "Done")]
    assert world.estate.servicenow.state_of(incident) == "In Progress"
    assert copies_of("only among developers", world.words("jira", defect)) == 0
    (link,) = world.engine.store.links()
    out = show.console(record=True, width=200, file=StringIO())
    out.print(every_link(world.engine), show.why_text(world.engine, link, None))
    told = out.export_text()
    assert f"AB#{one} (Done)" in told and f"task AB#{one}: Done" in told


def test_an_open_task_keeps_no_work_from_closing(tasked: Tasked) -> None:
    world = tasked
    incident, defect, pbi = world.linked()
    world.estate.azure.put_under(task(world), pbi, by=CHEN)
    world.settle()
    world.estate.jira.update(defect, {"customfield_10044": "fixed the pool"}, by=BEN)
    world.estate.jira.move(defect, "Done", by=BEN, resolution="Done")
    world.settle()
    assert world.estate.servicenow.state_of(incident) == "Resolved"
    assert world.estate.azure.item(pbi)["System.State"] == "Done"


def test_a_task_follows_the_item_above_it(tasked: Tasked) -> None:
    world, azure = tasked, tasked.estate.azure
    _, _, first = world.linked("500 responses on API")
    _, _, second = world.linked("504 errors on API")
    one = task(world)
    azure.put_under(one, first, by=CHEN)
    world.settle()
    azure.put_under(one, "", by=CHEN)
    world.sweep()
    assert shown(world) == []
    azure.put_under(one, second, by=CHEN)  # which moves the revision of neither
    world.sweep()
    world.settle()
    (home,) = [link for link in world.engine.store.links() if link.tasks]
    assert second in {item.ref.id for item in home.items}


def test_a_task_made_before_its_item_was_linked_is_shown_when_that_comes(tasked: Tasked) -> None:
    world, azure = tasked, tasked.estate.azure
    pbi = str(azure.create({"System.Title": "later linked", "System.WorkItemType": "Product Backlog Item"}, by=CHEN))
    one = task(world)
    azure.put_under(one, pbi, by=CHEN)
    incident = world.incident("county A")
    world.settle()
    assert shown(world) == []
    number = world.estate.servicenow.item(incident)["number"]
    world.engine.store.ask("link", [number, f"AB#{pbi}"], "opal", world.engine.now())
    world.settle()
    assert shown(world) == [(one, "To Do")]


def test_a_task_that_is_gone_is_shown_no_more_and_never_held(tasked: Tasked) -> None:
    world, azure = tasked, tasked.estate.azure
    _, _, pbi = world.linked()
    one = task(world)
    azure.put_under(one, pbi, by=CHEN)
    world.settle()
    azure.delete(one, by=CHEN)
    world.settle()
    assert shown(world) == []
    assert world.engine.store.held() == []


@pytest.mark.parametrize("lose_state", [False, True], ids=["state kept", "state deleted"])
def test_with_tasks_a_second_reading_writes_nothing(tasked: Tasked, lose_state: bool) -> None:
    world = tasked
    _, _, pbi = world.linked()
    one = task(world)
    world.estate.azure.put_under(one, pbi, by=CHEN)
    world.settle()
    world.later(hours=1)
    world.restart(lose_state=lose_state)
    with world.counting() as asked:
        passes = world.reconcile()
    assert writes(asked) == [] and passes[-1].quiet
    assert shown(world) == [(one, "To Do")]
