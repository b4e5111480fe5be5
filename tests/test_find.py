"""``find``: an analyst's first step, over the trackers and the links, end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from connectors.base import Down
from mappings.words import search_words, speaks_of
from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.find import Findings, Piece, find
from sync.show.find import findings_text
from tests.test_tasks import TASKS
from tests.world import ANA, CHEN, RITA, SAM, World, cli, writes

COUNTY = """
[parties.county]
requester = true
[fields.county]
incident = "company"
"""
PRIVATE = "the caller's own words"


def with_counties(text: str) -> str:
    return text + COUNTY


@pytest.fixture
def counties(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, with_counties)
    for name in ("Kern", "Kings", "Yolo"):
        world.estate.servicenow.data.named("core_company", name)
    yield world
    world.close()


def keys(piece: Piece) -> list[str]:
    return [item.key for item in piece.items]


def number(world: World, incident: str) -> str:
    return str(world.estate.servicenow.item(incident)["number"])


def hits(findings: Findings) -> list[str]:
    return [item.key for piece in findings.pieces for item in piece.items if item.hit]


# ── the words ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_words_are_looked_for_once_whatever_their_case_and_without_common_ones() -> None:
    assert search_words("The gateway, the Gateway and THE timeout") == ("gateway", "timeout")
    assert search_words("not to be") == ("not", "to", "be")
    assert search_words("one two three four five six seven") == ("one", "two", "three", "four", "five", "six")


def test_no_word_can_mean_anything_to_a_query_language() -> None:
    assert search_words("a^ORb=1 'x' \"y\" (z) [q]") == ("ORb", "1", "x", "y", "z", "q")
    assert search_words("^ * ? -- ''") == ()


def test_a_text_speaks_of_words_in_any_order() -> None:
    assert speaks_of(("Gateway", "time"), "a timeout", "of the GATEWAY")
    assert not speaks_of(("gateway", "mail"), "a timeout of the gateway")


# ── across trackers and links ────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_is_found_once_whichever_of_its_items_speaks_of_the_words(world: World) -> None:
    incident, defect, pbi = world.linked("500 responses on API")
    world.estate.jira.update(defect, {"description": "the gateway gives up after a minute"}, by=ANA)
    world.later(minutes=5)
    findings = find(world.engine, "gateway minute")
    (piece,) = findings.pieces
    assert [(i.side, i.hit, i.title) for i in piece.items] == [
        ("incident", False, "500 responses on API"),
        ("defect", True, "500 responses on API"),
        ("pbi", False, "500 responses on API"),
    ]
    assert (piece.open, piece.stage, piece.move, piece.touches) == (True, "Fixing", "developers", 1)
    assert piece.items[0].key == number(world, incident)
    assert piece.items[2].key == f"AB#{pbi}"


def test_an_item_that_no_link_holds_is_found_too(world: World) -> None:
    incident = world.incident("a slow mail", category="network")
    world.settle()
    (piece,) = find(world.engine, "slow mail").pieces
    assert (piece.link, keys(piece), piece.stage, piece.open) == ("", [number(world, incident)], "Validating", True)


def test_an_item_out_of_scope_is_never_shown_unless_its_link_holds_it(world: World) -> None:
    incident, _, _ = world.linked("shared words inside")
    world.incident("shared words outside", assignment_group="Network")
    world.estate.servicenow.update(incident, {"assignment_group": "Network"}, by=RITA)
    world.settle()
    findings = find(world.engine, "shared words")
    assert number(world, incident) in hits(findings)
    assert [piece.title for piece in findings.pieces] == ["shared words inside"]


def test_what_a_raw_query_keeps_out_of_the_scope_is_not_shown(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        lambda text: text.replace('table   = "incident"\n', 'table   = "incident"\nquery = "category=software"\n'),
    )
    incident = world.incident("needle in scope")
    world.incident("needle outside", category="network")
    world.settle()
    assert hits(find(world.engine, "needle")) == [number(world, incident)]
    world.close()


def test_a_task_is_found_with_the_link_it_stands_under(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text + TASKS)
    _, _, pbi = world.linked()
    azure = world.estate.azure
    task = azure.create({"System.Title": "find the needle", "System.WorkItemType": "Task"}, by=CHEN)
    azure.put_under(task, pbi, by=CHEN)
    world.settle()
    (piece,) = find(world.engine, "needle").pieces
    assert [(item.side, item.hit) for item in piece.items] == [
        ("incident", False),
        ("defect", False),
        ("pbi", False),
        ("task", True),
    ]
    world.close()


def test_comments_and_work_notes_are_never_searched(world: World) -> None:
    incident, defect, _ = world.linked()
    world.estate.servicenow.comment(incident, PRIVATE, SAM, "work_notes")
    world.estate.jira.comment(defect, PRIVATE, ANA)
    world.settle()
    assert find(world.engine, PRIVATE).pieces == ()


@pytest.mark.parametrize("place", ["key", "lower", "azure", "bare"])
def test_a_key_finds_its_whole_link(world: World, place: str) -> None:
    incident, defect, pbi = world.linked()
    world.incident("another", category="network")
    world.settle()
    asked = {
        "key": number(world, incident),
        "lower": str(world.estate.jira.item(defect)["key"]).lower(),
        "azure": f"AB#{pbi}",
        "bare": pbi,
    }[place]
    (piece,) = find(world.engine, asked).pieces
    assert len(piece.items) == 3


def test_one_search_a_side_and_one_reading_of_what_else_the_links_hold(world: World) -> None:
    world.linked("the needle")
    world.later(minutes=5)
    with world.counting() as asked:
        find(world.engine, "needle")
    assert writes(asked) == []
    assert asked == [
        "servicenow GET /api/now/table/incident",
        "jira POST /rest/api/2/search/jql",
        "azure POST /example/_apis/wit/wiql",
        "azure POST /example/_apis/wit/workItemsBatch",
    ]


def test_a_tracker_that_fails_is_named_and_the_others_answer(world: World) -> None:
    world.linked("the needle")
    world.later(minutes=5)
    world.estate.faults.add(Fault("answer", "jira", "POST", "/search", answer=Answer(500)))
    findings = find(world.engine, "needle")
    assert list(findings.failures) == ["jira"]
    (piece,) = findings.pieces
    assert [(i.side, bool(i.state)) for i in piece.items] == [("incident", True), ("defect", False), ("pbi", True)]
    assert [i.title for i in piece.items] == ["the needle"] * 3


def test_what_was_agreed_is_found_while_no_tracker_answers(world: World) -> None:
    incident, _, _ = world.linked("the needle")
    world.engine.closed = {name: Down(name) for name in world.engine.connectors}
    (piece,) = find(world.engine, "NEEDLE").pieces
    assert (piece.title, keys(piece)[0]) == ("the needle", number(world, incident))


# ── whom it touches, and in what order ───────────────────────────────────────────────────────────────────────────────


def test_the_counties_that_a_link_touches_are_counted_by_name(counties: World) -> None:
    snow = counties.estate.servicenow
    incident, _, _ = counties.linked("the needle", pbi=False)
    snow.update(incident, {"company": "Kern"}, by=SAM)
    mark = {name: snow.item(incident)[name] for name in ("correlation_display", "correlation_id")}
    for company in ("Kings", "Kern", "Yolo", ""):
        counties.incident("the same again", company=company, **mark)
    counties.settle()
    (piece,) = find(counties.engine, "needle").pieces
    assert (piece.touches, piece.touched) == (3, ("Kern", "Kings", "Yolo"))
    assert sum(item.side == "incident" for item in piece.items) == 5


def test_where_no_field_names_the_county_the_incidents_are_counted(world: World) -> None:
    snow = world.estate.servicenow
    incident, _, _ = world.linked("the needle", pbi=False)
    mark = {name: snow.item(incident)[name] for name in ("correlation_display", "correlation_id")}
    world.incident("the same again", **mark)
    world.settle()
    (piece,) = find(world.engine, "needle").pieces
    assert (piece.touches, piece.touched) == (2, ())


def test_what_touches_more_comes_before_what_moved_later(world: World) -> None:
    snow = world.estate.servicenow
    incident, _, _ = world.linked("needle many", pbi=False)
    mark = {name: snow.item(incident)[name] for name in ("correlation_display", "correlation_id")}
    world.incident("the same again", **mark)
    world.settle()
    world.later(hours=1)
    world.linked("needle one", pbi=False)
    world.later(minutes=5)
    assert [piece.title for piece in find(world.engine, "needle").pieces] == ["needle many", "needle one"]


def test_open_work_comes_first_then_what_touches_the_most_then_what_moved_last(world: World) -> None:
    first, _, _ = world.linked("needle one", pbi=False)
    world.later(hours=1)
    world.linked("needle two", pbi=False)
    _, third_defect, _ = world.linked("needle three", pbi=False)
    world.estate.jira.move(third_defect, "Done", ANA, resolution="Done")
    world.settle()
    world.later(hours=1)
    world.estate.servicenow.comment(first, "still so", SAM)
    world.settle()
    world.later(minutes=5)
    found = find(world.engine, "needle").pieces
    assert [(p.title, p.open) for p in found] == [("needle one", True), ("needle two", True), ("needle three", False)]


def test_a_side_with_more_than_the_limit_says_so(world: World) -> None:
    for place in range(3):
        world.incident(f"needle {place}", category="network")
    world.settle()
    assert find(world.engine, "needle", 3).more == ("incident",)
    assert find(world.engine, "needle", 4).more == ()


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An incident with its defect, at rest, in real time."""
    world = World(tmp_path_factory.mktemp("find"), with_counties, estate=Estate())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.estate.environment().items():
            patch.setenv(name, value)
        world.estate.servicenow.data.named("core_company", "Kern")
        incident = world.incident("the needle", company="Kern")
        world.estate.servicenow.move(incident, "In Progress", by=RITA)
        world.settle()
        world.shut()
        yield world
    world.estate.stop()


def test_find_prints_a_table_and_json_and_ends_with_0(real: World) -> None:
    told = cli(real, "find", "needle")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "the needle" in told.stdout
    assert "touches (county)" in told.stdout
    assert "Kern" in told.stdout
    given = json.loads(cli(real, "find", "needle", "--json").stdout)
    (found,) = given["found"]
    assert (given["counted"], found["touches"], found["touched"], found["stage"]) == ("county", 1, ["Kern"], "Fixing")
    assert [item["side"] for item in found["items"]] == ["incident", "defect"]


def test_find_says_that_nothing_was_found(real: World) -> None:
    told = cli(real, "find", "nowhere")
    assert (told.exit_code, "Nothing in scope" in told.stdout) == (0, True)


def test_find_without_a_word_is_a_usage_error(real: World) -> None:
    told = cli(real, "find", "***")
    assert (told.exit_code, "no word" in told.stderr) == (2, True)


def test_find_ends_with_3_where_a_tracker_is_down_and_shows_what_the_others_say(real: World) -> None:
    real.estate.faults.add(Fault("answer", "azure", answer=Answer(500)))
    try:
        told = cli(real, "find", "needle")
    finally:
        real.estate.faults.clear()
    assert told.exit_code == 3
    assert "azure" in told.stderr
    assert "the needle" in told.stdout


@pytest.mark.parametrize("width", [80, 120])
def test_findings_are_readable_at_80_and_at_120_columns(world: World, width: int) -> None:
    world.linked("500 responses on API whenever a worker of a county opens the renewal form a second time")
    world.later(minutes=5)
    console = Console(width=width, record=True, file=StringIO())
    console.print(findings_text(find(world.engine, "500"), "500", "touches (items)", world.engine.now()))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    for word in ("INC00", "CSPM-", "AB#", "Fixing", "move: developers"):
        assert word in text
