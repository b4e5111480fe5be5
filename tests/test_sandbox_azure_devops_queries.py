"""Queries of the simulated Azure DevOps: words of WIQL, macros, days of the caller, links and limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.azure_devops import Person, Switches
from tests.azure_wire import BOT, JANE, Wire, problem, wired

CHILD = "System.LinkTypes.Hierarchy-Forward"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def test_words_of_the_language(wire: Wire) -> None:
    a = wire.create("Bug", System__Title="Login page is slow", System__AreaPath="Portal\\Defects")["id"]
    b = wire.create(System__Title='a "quoted" one', System__AssignedTo=JANE)["id"]
    wire.set(b, System__State="Approved")
    for where, expected in {
        "[System.AssignedTo] IS EMPTY": [a],
        "[System.AssignedTo] IS NOT EMPTY": [b],
        "[System.Title] CONTAINS WORDS 'slow log'": [a],
        "[System.Title] NOT CONTAINS 'slow'": [b],
        "[System.AreaPath] NOT UNDER 'Portal\\Defects'": [b],
        "[System.WorkItemType] IN GROUP 'Microsoft.BugCategory'": [a],
        "[System.State] WAS EVER 'New' AND [System.State] <> 'New'": [b],
        '[System.Title] = "a ""quoted"" one"': [b],
        "[System.TeamProject] = @Project AND [System.CreatedBy] = @Me": [a, b],
        "NOT [System.Id] IN (1)": [b],
    }.items():
        if where.startswith("NOT"):
            problem(wire.wiql(f"SELECT [System.Id] FROM WorkItems WHERE {where}"), 400, "SyntaxException")
        else:
            assert wire.query(where, "Portal/_apis/wit/wiql") == expected, where


def test_paging_past_the_limit_goes_by_id(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """apis.md 3.1: [System.Id] > N."""
    monkeypatch.setattr("sandbox.azure_devops.wiql.LIMIT", 3)
    ids = [wire.create()["id"] for _ in range(5)]
    page = wire.query("[System.Id] > 0 ORDER BY [System.Id]", "_apis/wit/wiql?$top=3")
    assert page + wire.query(f"[System.Id] > {page[-1]} ORDER BY [System.Id]") == ids


def test_days_are_those_of_the_caller(wire: Wire) -> None:
    """apis.md 3.1: @Today is in the caller's zone; with date precision so are all days."""
    people = (Person(BOT, "Build Bot", zone="Asia/Tokyo"),)
    with wired(people=people) as tokyo:
        evening = tokyo.create()["id"]
        tokyo.clock.set(datetime(2026, 1, 5, 16, 0, tzinfo=UTC))
        morning = tokyo.create()["id"]
        assert tokyo.query("[System.CreatedDate] = @Today") == [morning]
        assert tokyo.query("[System.CreatedDate] = @Today - 1") == [evening]
        assert tokyo.query("[System.CreatedDate] >= '2026-01-06'") == [morning]
    first = wire.create()["id"]
    wire.clock.set(datetime(2026, 1, 5, 16, 0, tzinfo=UTC))
    assert wire.query("[System.CreatedDate] = @today") == [first]


def test_periods_begin_where_the_caller_s_do(wire: Wire) -> None:
    old = wire.create()["id"]
    wire.clock.advance(timedelta(days=30))
    new = wire.create()["id"]
    assert wire.query("[System.CreatedDate] >= @StartOfMonth") == [new]
    assert wire.query("[System.CreatedDate] >= @StartOfMonth('-1M')") == [old, new]
    assert wire.query("[System.CreatedDate] >= @StartOfWeek") == [new]
    assert wire.query("[System.CreatedDate] >= @StartOfYear AND [System.CreatedDate] < @StartOfDay") == [old]
    problem(wire.wiql("SELECT [System.Id] FROM WorkItems WHERE [System.Id] = @Nope"), 400, "SyntaxException")


def test_a_query_that_looks_at_too_much_times_out() -> None:
    """Integration best practices page: VS402335 after 30 seconds; here by the number of items looked at."""
    with wired(switches=Switches(query_cost=2)) as wire:
        for _ in range(3):
            wire.create()
        answer = wire.wiql("SELECT [System.Id] FROM WorkItems WHERE [System.Title] CONTAINS 'a'")
        assert "VS402335" in problem(answer, 400, "WorkItemTrackingQueryTimeoutException")["message"]
        assert wire.query("[System.Id] = 2") == [2]


def test_the_text_of_a_query_has_a_length(wire: Wire) -> None:
    """Object limits page: 32,000 characters."""
    ids = ", ".join(["123456"] * 4_100)
    assert wire.wiql(f"SELECT [System.Id] FROM WorkItems WHERE [System.Id] IN ({ids})").status_code == 400


def test_the_order_is_told_in_the_answer(wire: Wire) -> None:
    """Vendor's example: sortColumns."""
    body = wire.wiql("SELECT [System.Id] FROM WorkItems ORDER BY [System.ChangedDate] DESC, [System.Id]").json()
    assert [(one["field"]["referenceName"], one["descending"]) for one in body["sortColumns"]] == [
        ("System.ChangedDate", True),
        ("System.Id", False),
    ]


def family(wire: Wire) -> tuple[int, int, int, int]:
    """A feature, its item, that item's task, and an item alone."""
    top, middle, alone = wire.create("Feature")["id"], wire.create()["id"], wire.create()["id"]
    leaf = wire.create("Task")["id"]
    wire.link(top, CHILD, middle)
    wire.link(middle, CHILD, leaf)
    return top, middle, leaf, alone


def rows(wire: Wire, where: str, mode: str) -> list[tuple[int | None, int]]:
    body = wire.wiql(f"SELECT [System.Id] FROM WorkItemLinks WHERE {where} ORDER BY [System.Id] MODE ({mode})").json()
    assert body["queryResultType"] == "workItemLink"
    assert body["queryType"] == ("tree" if mode == "Recursive" else "oneHop")
    return [(one.get("source", {}).get("id"), one["target"]["id"]) for one in body["workItemRelations"]]


def test_links_are_queried_by_one_hop(wire: Wire) -> None:
    """wit WorkItemQueryResult: workItemRelations of rel, source and target."""
    top, middle, leaf, alone = family(wire)
    kind = f"[System.Links.LinkType] = '{CHILD}'"
    items = "[Source].[System.WorkItemType] = 'Product Backlog Item'"
    assert rows(wire, f"{items} AND {kind}", "MustContain") == [(None, middle), (middle, leaf)]
    assert rows(wire, f"{items} AND {kind}", "MayContain") == [(None, middle), (middle, leaf), (None, alone)]
    assert rows(wire, f"{items} AND {kind}", "DoesNotContain") == [(None, alone)]
    done = f"({items}) AND ({kind}) AND ([Target].[System.State] = 'Done')"
    assert rows(wire, done, "MustContain") == []
    wire.set(leaf, System__State="Done")
    assert rows(wire, done, "MustContain") == [(None, middle), (middle, leaf)]
    mixed = "[Source].[System.Id] = 1 OR [Target].[System.Id] = 2"
    problem(wire.wiql(f"SELECT [System.Id] FROM WorkItemLinks WHERE {mixed}"), 400, "SyntaxException")
    assert top


def test_links_are_queried_as_a_tree(wire: Wire) -> None:
    top, middle, leaf, alone = family(wire)
    found = rows(wire, f"[System.Links.LinkType] = '{CHILD}'", "Recursive")
    assert found == [(None, top), (top, middle), (middle, leaf), (None, alone)]
