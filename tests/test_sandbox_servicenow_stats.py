"""The simulated Aggregate API on the wire (ServiceNow docs, Aggregate API)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.servicenow_wire import Wire, failure


@pytest.fixture(scope="module")
def shared() -> Iterator[Wire]:
    wire = Wire()
    rows = [("App Support", "1", "1"), ("App Support", "3", "3"), ("Network", "2", "2"), ("", "2", "3")]
    for group, impact, urgency in rows:
        given = {"impact": impact, "urgency": urgency, **({"assignment_group": group} if group else {})}
        wire.snow.create(given, "jane")
    yield wire
    wire.close()


@pytest.fixture
def wire(shared: Wire) -> Iterator[Wire]:
    yield shared
    shared.snow.rights.hidden = set()
    shared.snow.rights.unreadable = {"sys_properties"}


def stats(wire: Wire, **params: str) -> Any:
    asked = {f"sysparm_{name}": value for name, value in params.items()}
    return wire.api("GET", "stats/incident", params=asked).json()["result"]


def test_a_count_is_a_string(wire: Wire) -> None:
    assert stats(wire, count="true") == {"stats": {"count": "4"}}
    assert stats(wire, count="true", query="impact=2") == {"stats": {"count": "2"}}
    assert stats(wire) == {"stats": {}}


def test_averages_have_four_decimals_and_all_values_are_strings(wire: Wire) -> None:
    found = stats(wire, avg_fields="impact,urgency", sum_fields="impact", min_fields="number", max_fields="number")
    assert found == {
        "stats": {
            "avg": {"impact": "2.0000", "urgency": "2.2500"},
            "max": {"number": "INC0010004"},
            "min": {"number": "INC0010001"},
            "sum": {"impact": "8"},
        }
    }


def test_groups_name_their_fields_and_an_empty_value_is_a_group(wire: Wire) -> None:
    found = stats(wire, avg_fields="impact", group_by="assignment_group")
    assert all(set(group) == {"stats", "groupby_fields"} for group in found)
    empty = [group for group in found if group["groupby_fields"][0]["value"] == ""]
    assert empty == [
        {"stats": {"avg": {"impact": "2.0000"}}, "groupby_fields": [{"value": "", "field": "assignment_group"}]}
    ]
    assert len(found) == 3


def test_groups_are_named_by_display_value_on_request(wire: Wire) -> None:
    shown = stats(wire, count="true", group_by="assignment_group", display_value="true")
    names = {group["groupby_fields"][0]["display_value"]: group["stats"]["count"] for group in shown}
    assert names == {"": "1", "App Support": "2", "Network": "1"}
    both = stats(wire, count="true", group_by="impact", display_value="all")[0]["groupby_fields"]
    assert both == [{"display_value": "1 - High", "value": "1", "field": "impact"}]


def test_several_fields_make_one_group_each(wire: Wire) -> None:
    found = stats(wire, count="true", group_by="impact,urgency", order_by="COUNT")
    assert [tuple(f["value"] for f in group["groupby_fields"]) for group in found] == [
        ("1", "1"),
        ("2", "2"),
        ("2", "3"),
        ("3", "3"),
    ]


@pytest.mark.parametrize(
    ("having", "left"),
    [
        ("count^impact^>^1", ["2"]),
        ("avg^urgency^<^2", ["1"]),
        ("count^impact^=^1,max^urgency^>^2", ["3"]),
        ("unreadable", ["1", "2", "3"]),
    ],
)
def test_groups_are_kept_by_an_aggregate(wire: Wire, having: str, left: list[str]) -> None:
    found = stats(wire, count="true", group_by="impact", having=having)
    assert [group["groupby_fields"][0]["value"] for group in found] == left


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("impact^DESC", ["3", "2", "1"]),
        ("COUNT^DESC,impact", ["2", "1", "3"]),
        ("AVG^urgency", ["1", "2", "3"]),
    ],
)
def test_groups_are_ordered_by_field_or_aggregate(wire: Wire, order: str, values: list[str]) -> None:
    found = stats(wire, count="true", group_by="impact", order_by=order)
    assert [group["groupby_fields"][0]["value"] for group in found] == values


def test_one_row_that_may_not_be_read_refuses_them_all(wire: Wire) -> None:
    # ServiceNow docs, Aggregate API: read access to all records of the table is needed
    wire.snow.rights.hidden = {wire.snow.ids("incident")[0]}
    assert failure(wire.api("GET", "stats/incident", params={"sysparm_count": "true"}))[0] == 403
    wire.snow.rights.hidden = set()
    wire.snow.rights.unreadable = {"incident"}
    assert failure(wire.api("GET", "stats/incident", params={"sysparm_count": "true"}))[0] == 403


def test_only_reading_is_possible_and_only_from_known_tables(wire: Wire) -> None:
    assert wire.api("POST", "stats/incident", json={}).status_code == 405
    assert failure(wire.api("GET", "stats/incidnet"))[1] == "Invalid table incidnet"
