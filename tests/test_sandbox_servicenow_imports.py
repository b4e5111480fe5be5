"""The simulated Import Set API on the wire (ServiceNow docs, Import Set API)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.servicenow.imports import Skipped, TransformMap
from tests.servicenow_wire import Wire, failure

COLUMNS = {"u_title": "Title", "u_state": "State", "u_key": "Key"}


def transformed(row: Mapping[str, str]) -> dict[str, str]:
    """The admin's script: a row without a title goes no further."""
    if not row.get("u_title"):
        raise Skipped("no title")
    state = {"state": row["u_state"]} if "u_state" in row else {}
    return {"short_description": row["u_title"], "correlation_id": row.get("u_key", ""), **state}


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    wire.snow.imports.define(TransformMap("u_imp", COLUMNS, coalesce=("correlation_id",), script=transformed))
    yield wire
    wire.close()


def sent(wire: Wire, **values: str) -> dict[str, Any]:
    answer: dict[str, Any] = wire.api("POST", "import/u_imp", json=values).json()
    return answer


def test_a_row_becomes_a_record_and_the_answer_names_it(wire: Wire) -> None:
    answer = wire.api("POST", "import/u_imp", json={"u_title": "a", "u_key": "k1"})
    (id,) = wire.snow.ids()
    assert answer.status_code == 201
    assert answer.json() == {
        "import_set": "ISET0010001",
        "staging_table": "u_imp",
        "result": [
            {
                "transform_map": "Incident",
                "table": "incident",
                "display_name": "number",
                "display_value": "INC0010001",
                "record_link": f"{wire.server.url}/api/now/table/incident/{id}",
                "status": "inserted",
                "sys_id": id,
            }
        ],
    }


def test_a_row_that_agrees_with_a_record_updates_it_or_is_ignored(wire: Wire) -> None:
    first = sent(wire, u_title="a", u_key="k1")["result"][0]
    second = sent(wire, u_title="b", u_key="k1")["result"][0]
    third = sent(wire, u_title="b", u_key="k1")["result"][0]
    assert [row["status"] for row in (first, second, third)] == ["inserted", "updated", "ignored"]
    assert {row["sys_id"] for row in (first, second, third)} == {first["sys_id"]}
    assert wire.snow.item(first["sys_id"])["short_description"] == "b"


def test_a_row_that_the_script_passes_over_is_skipped(wire: Wire) -> None:
    (row,) = sent(wire, u_key="k1")["result"]
    assert (row["status"], row["status_message"]) == ("skipped", "no title")
    assert wire.snow.ids() == []


@pytest.mark.parametrize("status", [201, 200, 400])
def test_a_failed_row_says_so_itself_whatever_the_call_s_status_is(wire: Wire, status: int) -> None:
    # apis.md 1.8 [U]: look at each row, do not trust the status code
    wire.snow.switches.failed_import = status
    answer = wire.api("POST", "import/u_imp", json={"u_title": "a", "u_state": "6"})
    (row,) = answer.json()["result"]
    assert (answer.status_code, row["status"]) == (status, "error")
    assert "mandatory: Resolution code" in row["error_message"] and "sys_id" not in row


def test_a_staged_row_is_read_back_with_its_result(wire: Wire) -> None:
    made = sent(wire, u_title="a", u_key="k1")
    (staged,) = wire.rows("", "u_imp")
    answer = wire.api("GET", f"import/u_imp/{staged['sys_id']}")
    assert (answer.status_code, answer.json()) == (200, made)
    assert staged["sys_import_state"] == "inserted"
    assert wire.api("GET", f"import/u_imp/{'0' * 32}").status_code == 404


def test_many_rows_are_transformed_later_and_the_answer_names_the_sets(wire: Wire) -> None:
    records = [{"Title": "a", "Key": "k1"}, {"Title": "b", "Key": "k2"}, {"Nonsense": "c"}]
    answer = wire.api("POST", "import/u_imp/insertMultiple", json={"records": records})
    assert answer.status_code == 201 and set(answer.json()) == {"import_set_id", "multi_import_set_id"}
    assert wire.snow.ids() == []
    titles = wire.titles("ORDERBYnumber")
    assert titles == ["a", "b"]
    states = {row["sys_import_state"] for row in wire.rows(f"sys_import_set={answer.json()['import_set_id']}", "u_imp")}
    assert states == {"inserted", "skipped"}


def test_many_rows_can_be_transformed_at_once_and_named_by_column(wire: Wire) -> None:
    map = TransformMap("u_now", COLUMNS, script=transformed, synchronous=True, by_column_name=True)
    wire.snow.imports.define(map)
    body = {"records": [{"u_title": "a"}, {"Title": "b"}]}
    answer = wire.api("POST", "import/u_now/insertMultiple", json=body, params={"multi_import_set_id": "f" * 32})
    assert answer.json()["multi_import_set_id"] == "f" * 32
    assert [wire.snow.item(id)["short_description"] for id in wire.snow.ids()] == ["a"]


def test_without_a_script_values_go_to_the_columns_of_the_same_names(wire: Wire) -> None:
    wire.snow.imports.define(TransformMap("u_plain", {"short_description": "Short description"}))
    wire.api("POST", "import/u_plain", json={"short_description": "a", "impact": "1"})
    (id,) = wire.snow.ids()
    assert (wire.snow.item(id)["short_description"], wire.snow.item(id)["impact"]) == ("a", "3")


def test_what_is_no_staging_table_is_refused(wire: Wire) -> None:
    assert failure(wire.api("POST", "import/u_none", json={}))[1] == "Invalid table u_none"
    assert failure(wire.api("POST", "import/incident", json={}))[0] == 403
    wire.snow.rights.denied = {("insert", "u_imp")}
    assert failure(wire.api("POST", "import/u_imp", json={"u_title": "a"}))[0] == 403
    assert wire.api("POST", "import/u_imp/insertMultiple", json={"records": []}).status_code == 403
