"""Searches that trail, pages that come short, empty, twice or shifted, and thousands of rows of one second, with the
sweep off: everything is noticed and carried once. An index that is later than the overlap is what the sweep is for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.bulk import load
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.notice import notice
from sync.reconcile import one_pass
from tests.test_daemon import daemon_of
from tests.world import ANA, CHEN, SAM, World, copies_of, indoors

PEOPLE = {"servicenow": SAM, "jira": ANA, "azure": CHEN}
#: ServiceNow's overlap and Jira's, as the connectors have them; Azure DevOps' feed does not trail
OVERLAP = {"servicenow": timedelta(seconds=60), "jira": timedelta(minutes=2)}


def trailing(world: World, tracker: str, lag: Callable[[], timedelta]) -> None:
    """The tracker shows each write so much later, asked anew for each."""
    if tracker == "jira":
        world.estate.jira.store.lag = lag
    else:
        world.estate.servicenow.commit_delay = lag()


def say(world: World, tracker: str, id: str, text: str) -> None:
    getattr(world.estate, tracker).comment(id, text, PEOPLE[tracker])


def settle(world: World, limit: int = 20) -> None:
    """Passes half a minute apart, for longer than any overlap."""
    for _ in range(limit):
        world.once()
        world.later(seconds=30)


@pytest.mark.parametrize("tracker", OVERLAP)
def test_changes_that_show_late_and_out_of_order_are_noticed_within_the_overlap(tmp_path: Path, tracker: str) -> None:
    draw = random.Random(tracker)
    with indoors(tmp_path) as world:
        links = [dict(zip(PEOPLE, world.linked(f"link {n}"), strict=True)) for n in range(2)]
        said: list[tuple[dict[str, str], str]] = []
        for number in range(16):
            trailing(world, tracker, lambda: OVERLAP[tracker] * draw.random() * 0.9)
            link = draw.choice(links)
            said.append((link, f"word {number} of {link['jira']}."))
            say(world, tracker, link[tracker], said[-1][1])
            trailing(world, tracker, lambda: timedelta(0))
            world.later(seconds=draw.randint(0, 40))
            world.once()
        settle(world, 8)
        for link, text in said:
            for place in PEOPLE:
                assert copies_of(text, world.words(place, link[place])) == 1, (text, place)


def later_than_known(world: World, lag: timedelta) -> tuple[dict[str, str], dict[str, str]]:
    """A word in Jira's index only after ``lag``; meanwhile another issue has moved the cursor on."""
    early, other = (dict(zip(PEOPLE, world.linked(title), strict=True)) for title in ("late", "other"))
    world.later(minutes=10)
    trailing(world, "jira", lambda: lag)
    say(world, "jira", early["jira"], "shown late")
    trailing(world, "jira", lambda: timedelta(0))
    world.later(seconds=int(lag.total_seconds()) - 5)
    say(world, "jira", other["jira"], "shown at once")
    world.once()
    world.later(seconds=10)
    settle(world, 4)
    return early, other


@pytest.mark.parametrize("known, minutes", [("", 1), ("10m", 9), ("30m", 29)])
def test_an_index_as_late_as_the_file_says_loses_nothing(tmp_path: Path, known: str, minutes: int) -> None:
    with indoors(tmp_path, lambda text: with_lag(text, known)) as world:
        early, other = later_than_known(world, timedelta(minutes=minutes))
        assert copies_of("shown late", world.words("azure", early["azure"])) == 1
        assert copies_of("shown at once", world.words("azure", other["azure"])) == 1


@pytest.mark.parametrize("minutes", [5, 30])
def test_an_index_that_is_later_than_the_overlap_is_what_the_sweep_finds(tmp_path: Path, minutes: int) -> None:
    with indoors(tmp_path) as world:
        early, _ = later_than_known(world, timedelta(minutes=minutes))
        assert copies_of("shown late", world.words("azure", early["azure"])) == 0
        one_pass(world.engine, sweep=True)
        for place in PEOPLE:
            assert copies_of("shown late", world.words(place, early[place])) == 1


@pytest.mark.parametrize("anew", [False, True])
def test_a_new_issue_that_shows_late_is_found_by_the_first_sweep_that_does_not_break_off(
    tmp_path: Path, anew: bool
) -> None:
    """No link holds it, so that the search alone tells of it. The daemon goes on, or is started ``anew`` within each
    interval of the sweep."""
    with indoors(tmp_path) as world:
        jira = world.estate.jira
        trailing(world, "jira", lambda: timedelta(minutes=5))
        jira.create({"summary": "shown late", "labels": ["dev"]}, ANA)
        trailing(world, "jira", lambda: timedelta(0))
        world.later(seconds=295)
        jira.create({"summary": "shown at once"}, ANA)
        world.once()
        daemon = daemon_of(world)
        for minutes in range(0, 240, 15):  # sweeps are jittered: the one after the broken one may be late
            down = [Fault("answer", "jira", path="/search/jql", answer=Answer(503))] if 30 < minutes < 90 else []
            world.estate.faults.rules[:] = down
            if anew:
                world.restart()
                daemon = daemon_of(world)
            daemon.once()
            assert minutes >= 90 or world.estate.azure.ids() == []
            world.later(minutes=15)
        assert len(world.estate.azure.ids()) == 1


def with_lag(text: str, lag: str) -> str:
    return text.replace('kind = "jira"', f'kind = "jira"\nlag = "{lag}"') if lag else text


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def small_pages(text: str) -> str:
    return re.sub(r'^(kind = ".*")$', r"\1\npage = 1", text, flags=re.MULTILINE)


def hide_some(world: World) -> None:
    """Rows that our user may not read leave pages short and empty."""
    snow = world.estate.servicenow
    for number in range(9):
        snow.rights.hidden.add(snow.create({"short_description": f"hidden {number}", **GROUP}, by=SAM))
        world.later(seconds=1)


def begin_jira(world: World) -> None:
    world.estate.jira.switches.empty_pages = True


def begin_azure(world: World) -> None:
    world.estate.azure.switches.scan = True
    for number in range(9):
        world.estate.azure.create({"System.Title": f"task {number}", "System.WorkItemType": "Task"}, CHEN)


def again(world: World) -> None:
    world.estate.faults.add(Fault("page_again", chance=0.3))


def shifted(world: World) -> None:
    world.estate.faults.add(Fault("page_shift", chance=0.3))
    world.estate.faults.add(Fault("page_shift", chance=0.3, rows=-1))


GROUP = {"assignment_group": "API Support"}
PAGES = {
    "small": lambda world: None,
    "short and empty in ServiceNow": hide_some,
    "empty in Jira": begin_jira,
    "short and empty in Azure DevOps": begin_azure,
    "repeated": again,
    "shifted": shifted,
}


@pytest.mark.parametrize("pages", PAGES)
def test_pages_of_every_kind_are_read_to_their_end(tmp_path: Path, pages: str) -> None:
    with indoors(tmp_path, small_pages) as world:
        links = [dict(zip(PEOPLE, world.linked(f"link {n}"), strict=True)) for n in range(3)]
        said = []
        for turn in range(2):
            world.later(minutes=5)
            PAGES[pages](world)
            for number, link in enumerate(links):
                tracker = tuple(PEOPLE)[(turn + number) % 3]
                said.append((link, f"word {turn} of link {number} from {tracker}."))
                say(world, tracker, link[tracker], said[-1][1])
                world.estate.azure.update(link["azure"], {"System.Title": f"link {number}, turn {turn}"}, CHEN)
            settle(world, 3)
            world.estate.faults.clear()
        settle(world, 2)
        for link, text in said:
            for place in PEOPLE:
                assert copies_of(text, world.words(place, link[place])) == 1, (text, place)
        for number, link in enumerate(links):
            assert world.estate.jira.item(link["jira"])["summary"] == f"link {number}, turn 1"
        assert world.engine.store.held() == []


def test_a_page_that_repeats_for_ever_ends_the_pass_and_nothing_is_lost(tmp_path: Path) -> None:
    with indoors(tmp_path, small_pages) as world:
        links = [dict(zip(PEOPLE, world.linked(f"link {n}"), strict=True)) for n in range(4)]
        world.later(minutes=5)
        for link in links:
            say(world, "jira", link["jira"], "word")
        world.estate.jira.switches.repeated_tokens = True
        assert "repeats" in str(world.once().failures["jira"])
        world.estate.jira.switches.repeated_tokens = False
        settle(world, 2)
        assert [copies_of("word", world.words("azure", link["azure"])) for link in links] == [1] * 4


# ── many of one second ───────────────────────────────────────────────────────────────────────────────────────────────

MANY = 10_001


def many(world: World, tracker: str) -> set[str]:
    """Items of one second (of the same minute in Jira, which stamps milliseconds), made by an import."""
    made = {
        "servicenow": lambda n: {"short_description": f"row {n}", **GROUP},
        "jira": lambda n: {"summary": f"row {n}"},
        "azure": lambda n: {"System.Title": f"row {n}"},
    }[tracker]
    clock = world.estate.clock
    world.later(minutes=5)
    standing, clock.tick = clock.tick, clock.now  # type: ignore[method-assign]
    count = MANY if tracker == "servicenow" else MANY // 10
    rows = [made(n) for n in range(count)]
    found = set(load(getattr(world.estate, tracker), rows, PEOPLE[tracker]))
    clock.tick = standing  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("tracker", PEOPLE)
def test_more_rows_of_one_second_than_a_page_holds_are_all_noticed(tmp_path: Path, tracker: str) -> None:
    """10,001 in ServiceNow, whose page holds 10,000; ten pages and more in the others."""
    with indoors(tmp_path) as world:
        world.settle()
        made = many(world, tracker)
        notice(world.engine)
        assert {row.ref.id for row in world.engine.store.dirty() if row.ref.tracker == tracker} >= made
