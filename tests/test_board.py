"""The board of ``status``: where the work stands, with whom, and for how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mappings.calendar import Calendar
from mappings.model import Ref
from mappings.people import Party
from mappings.stages import StageMap
from sandbox.estate import Estate
from sync.merging.merge import Agreed
from sync.merging.status import STAGE
from sync.setup import Setup
from sync.show.board import Narrowed, Standing, board, standing, told, worst_first
from sync.show.status import board_table, links_table
from sync.state import Held, Item, LinkState, Movement
from tests.builders import DEFECT, HOUR, link, setup
from tests.world import RITA, World, cli

#: nine hours a day, Monday to Friday
OFFICE = Calendar.of(zone="UTC", hours="08:00-17:00")
#: a Wednesday
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
MONDAY, TUESDAY, FRIDAY = (datetime(2026, 11, day, 12, tzinfo=UTC) for day in (16, 17, 13))
MOVES = {"Validating": "operations", "Fixing": "developers", "Waiting": "county", "Closed": ""}


def house() -> Setup:
    parties = (Party("operations", ("incident",)), Party("developers", ("defect", "pbi"), calendar=OFFICE))
    return setup(parties=parties)


def entered(stage: str, at: datetime, serial: int = 1, *, reopened: bool = False) -> Movement:
    return Movement(f"{'reopened' if reopened else 'stage'}:{serial}:{stage}", "stage", at, stage, MOVES[stage])


def standing_in(*visits: tuple[str, datetime], key: str = "a", now: datetime = NOW, **said: object) -> Standing:
    """A link that went through these stages."""
    movements = tuple(entered(stage, at, serial) for serial, (stage, at) in enumerate(visits, 1))
    agreed = {STAGE: Agreed(visits[-1][0], len(visits), "incident")}
    given = link(key=key, agreed=agreed, movements=movements, opened=visits[0][1], **said)
    return standing(house(), given, now)


# ── how long ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_age_in_a_stage_is_business_time_of_the_calendar_of_the_party_whose_move_it_is() -> None:
    theirs = standing_in(("Fixing", FRIDAY))
    assert (theirs.spent, told(theirs.spent, theirs.day)) == (3 * 9 * HOUR, "3d")
    ours = standing_in(("Validating", FRIDAY))
    assert told(ours.spent, ours.day) == "5d"


def test_the_age_in_a_stage_adds_up_over_its_visits() -> None:
    back = standing_in(("Fixing", MONDAY), ("Validating", MONDAY + HOUR), ("Fixing", NOW - 2 * HOUR))
    assert told(back.spent, back.day) == "3h"
    assert back.entered == NOW - 2 * HOUR


def test_a_link_is_over_where_its_stage_took_longer_than_its_target() -> None:
    late = standing_in(("Fixing", FRIDAY))
    assert late.late == 9 * HOUR
    assert standing_in(("Fixing", TUESDAY)).late is None
    assert standing_in(("Validating", TUESDAY), now=TUESDAY + timedelta(days=1)).late is None
    assert standing_in(("Validating", TUESDAY), now=TUESDAY + timedelta(days=1, minutes=1)).late == HOUR / 60


def test_in_a_paused_stage_no_clock_runs() -> None:
    waiting = standing_in(("Fixing", FRIDAY), ("Waiting", MONDAY))
    assert (waiting.paused, waiting.spent, waiting.late) == (True, timedelta(0), None)
    assert worst_first([waiting, standing_in(("Validating", NOW))])[-1] is waiting


def test_a_comment_is_a_movement_and_does_not_restart_the_age_in_the_stage() -> None:
    said = Movement("comment:jira:1", "comment", NOW - HOUR, "Fixing", "developers", "developers")
    agreed = {STAGE: Agreed("Fixing", 1, "incident")}
    movements = (entered("Fixing", MONDAY), said)
    one = standing(house(), link(agreed=agreed, movements=movements, opened=MONDAY), NOW)
    assert (one.moved, one.entered) == (NOW - HOUR, MONDAY)


@pytest.mark.parametrize(
    ("spent", "words"),
    [(0, "0m"), (59, "0m"), (60, "1m"), (3600, "1h"), (5400, "1h 30m"), (9 * 3600, "1d"), (20 * 3600, "2d 2h")],
)
def test_business_time_is_told_in_days_of_its_calendar(spent: int, words: str) -> None:
    assert told(timedelta(seconds=spent), timedelta(hours=9)) == words


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────

OLD, YOUNG, LATE = (
    standing_in(("Fixing", TUESDAY), key="old"),
    standing_in(("Fixing", NOW - HOUR), key="young"),
    standing_in(("Fixing", FRIDAY), key="late"),
)
MINE, WAITING = standing_in(("Validating", NOW - HOUR), key="mine"), standing_in(("Waiting", FRIDAY), key="waiting")
ALL = [YOUNG, WAITING, MINE, LATE, OLD]


def test_the_board_groups_by_whose_move_it_is_and_stage_the_worst_first() -> None:
    rows = board(ALL, "party")
    assert [(row.label, len(row.links), row.over) for row in rows] == [
        (("developers", "Fixing"), 3, 1),
        (("operations", "Validating"), 1, 0),
        (("county", "Waiting"), 1, 0),
    ]
    assert [one.link.key for one in rows[0].links] == ["late", "old", "young"]
    assert rows[0].oldest is LATE


def test_the_board_groups_by_stage_and_by_age_too() -> None:
    assert next(row.label for row in board(ALL, "stage")) == ("Fixing", "developers")
    assert [(row.label, len(row.links)) for row in board(ALL, "age")] == [
        (("2 to 5 days",), 1),
        (("1 to 2 days",), 1),
        (("less than 1 day",), 2),
        (("paused",), 1),
    ]


def test_the_board_counts_the_links_that_hold_something() -> None:
    held = Held(DEFECT, "summary", "no", "ask", NOW)
    (row,) = board([standing_in(("Fixing", MONDAY), held=(held, replace(held, what="x"))), YOUNG], "party")
    assert (row.held, len(row.links)) == (1, 2)


def test_a_view_is_narrowed_by_party_stage_target_and_span() -> None:
    def left(**said: str) -> list[str]:
        narrowed = Narrowed.of(house(), **{"party": "", "stage": "", "over": "", **said})
        return sorted(one.link.key for one in ALL if narrowed.takes(one))

    assert left(party="Developers") == ["late", "old", "young"]
    assert left(stage="validating") == ["mine"]
    assert left(over="target") == ["late"]
    assert left(over="30m") == ["late", "mine", "old", "young"]
    assert left(over="1d", party="developers") == ["late"]


def test_a_stage_is_named_by_its_name_or_its_id() -> None:
    renamed = StageMap(tuple(replace(s, name="Mending") if s.id == "Fixing" else s for s in house().stages.stages))
    for said in ("Fixing", "mending"):
        assert Narrowed.of(replace(house(), stages=renamed), "", said, "").stage == "Mending"


@pytest.mark.parametrize("said", [{"party": "nobody"}, {"stage": "Somewhere"}, {"over": "long"}])
def test_a_name_or_span_that_means_nothing_is_told_with_what_there_is(said: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"choose from|write days"):
        Narrowed.of(house(), **{"party": "", "stage": "", "over": "", **said})


# ── as people see it ─────────────────────────────────────────────────────────────────────────────────────────────────


def rendered(width: int, *blocks: object) -> list[str]:
    console = Console(width=width, record=True, file=StringIO())
    for block in blocks:
        console.print(block)
    return console.export_text().splitlines()


def crowd() -> LinkState:
    """Forty incidents of one link."""
    items = [Item(Ref("snow", str(n)), "incident", f"INC00100{n:02}") for n in range(40)]
    agreed = {STAGE: Agreed("Fixing", 1, "incident")}
    defect = Item(DEFECT, "defect", "CSPM-1")
    return link(*items, defect, source=items[0].ref, agreed=agreed, movements=(entered("Fixing", FRIDAY),))


@pytest.mark.parametrize("width", [80, 120])
def test_the_board_is_readable_at_80_and_at_120_columns(width: int) -> None:
    standings = worst_first([*ALL, standing(house(), crowd(), NOW)])
    table = links_table(standings, list(house().sides), NOW, len(standings) + 3, narrowed=False)
    lines = rendered(width, board_table(board(standings, "party"), "party", NOW), table)
    assert max(map(len, lines)) <= width
    assert any("developers" in line and "Fixing" in line and "4" in line and "3d" in line for line in lines)
    assert any("INC0010000, INC0010001 +38" in line for line in lines) or width == 80
    assert any("and 3 more" in line for line in lines)


def test_a_board_without_open_links_says_so() -> None:
    assert rendered(80, board_table([], "party", NOW)) == ["No open links."]


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One linked and one closed piece of work, at rest."""
    world = World(Path(tmp_path_factory.mktemp("board")), estate=Estate())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.estate.environment().items():
            patch.setenv(name, value)
        for title in ("open", "closed"):
            incident = world.incident(title)
            world.estate.servicenow.move(incident, "In Progress", by=RITA)
        world.settle()
        resolved = {"close_code": "Solution provided", "close_notes": "done"}
        world.estate.servicenow.move(incident, "Resolved", by=RITA, **resolved)
        world.settle()
        world.shut()
        yield world
    world.estate.stop()


def test_status_tells_the_board_and_the_links_as_json(real: World) -> None:
    told_json = json.loads(cli(real, "status", "--json").stdout)
    (row,) = told_json["board"]
    assert (row["party"], row["stage"], row["links"], row["over"]) == ("developers", "Fixing", 1, 0)
    assert [(one["stage"], one["party"], one["paused"]) for one in told_json["links"]] == [
        ("Fixing", "developers", False)
    ]
    assert len(json.loads(cli(real, "status", "--json", "--all").stdout)["links"]) == 2


@pytest.mark.parametrize("by", ["party", "stage", "age"])
def test_status_groups_as_it_is_told(real: World, by: str) -> None:
    shown = cli(real, "status", "--by", by)
    assert shown.exit_code == 0
    assert ("less than 1 day" if by == "age" else "developers") in shown.stdout


def test_status_is_narrowed_and_asks_no_tracker(real: World) -> None:
    with real.counting() as asked:
        assert "No open link is among these." in cli(real, "status", "--over").stdout
        assert "No open link is among these." in cli(real, "status", "--stage", "Validating").stdout
        assert "CSPM-" in cli(real, "status", "--party", "developers").stdout
    assert asked == []


def test_status_of_a_party_that_is_not_there_is_a_usage_error(real: World) -> None:
    wrong = cli(real, "status", "--party", "marketing")
    assert wrong.exit_code == 2
    assert "choose from operations, developers" in wrong.stderr
