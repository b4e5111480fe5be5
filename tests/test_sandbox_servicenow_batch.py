"""The simulated Batch API on the wire (ServiceNow docs, Batch API)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servicenow_wire import Wire, failure

JSON = [{"name": "Content-Type", "value": "application/json"}, {"name": "Accept", "value": "application/json"}]


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def item(id: str, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    packed = {"body": base64.b64encode(json.dumps(body).encode()).decode()} if body is not None else {}
    return {"id": id, "method": method, "url": url, "headers": JSON, **packed, **more}


def batch(wire: Wire, *items: dict[str, Any], **headers: str) -> Any:
    body = {"batch_request_id": "7", "rest_requests": list(items)}
    return wire.api("POST", "v1/batch", json=body, headers=headers).json()


def opened(serviced: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(serviced["body"]))


def test_requests_are_answered_one_by_one_with_bodies_in_base64(wire: Wire) -> None:
    answer = batch(
        wire,
        item("1", "POST", "/api/now/table/incident", {"short_description": "a"}),
        item("2", "GET", "/api/now/table/incident?sysparm_fields=number&sysparm_limit=1"),
        item("3", "GET", f"/api/now/table/incident/{'0' * 32}"),
    )
    assert (answer["batch_request_id"], answer["unserviced_requests"]) == ("7", [])
    made, listed, missing = answer["serviced_requests"]
    keys = {"id", "body", "status_code", "status_text", "headers", "execution_time"}
    assert [set(each) for each in answer["serviced_requests"]] == [keys] * 3
    assert (made["id"], made["status_code"], made["status_text"]) == ("1", 201, "Created")
    assert opened(made)["result"]["sys_created_by"] == "lockstep"
    assert opened(listed) == {"result": [{"number": "INC0010001"}]}
    assert {"name": "X-Total-Count", "value": "1"} in listed["headers"]
    assert (missing["status_code"], missing["status_text"]) == (404, "Not Found")
    assert opened(missing)["status"] == "failure"


def test_response_headers_can_be_left_out(wire: Wire) -> None:
    url = "/api/now/table/incident"
    answer = batch(wire, item("1", "GET", url, exclude_response_headers=True), item("2", "GET", url))
    bare, full = answer["serviced_requests"]
    assert bare["headers"] == [] and full["headers"]


def test_a_number_as_its_id_comes_back_as_text(wire: Wire) -> None:
    # ServiceNow's own Python client sends a number and expects text
    body = {"batch_request_id": 1, "rest_requests": []}
    answer = wire.api("POST", "v1/batch", json=body).json()
    assert answer == {"batch_request_id": "1", "serviced_requests": [], "unserviced_requests": []}


def test_the_items_are_subject_to_the_user_s_access_rules(wire: Wire) -> None:
    wire.snow.rights.denied = {("insert", "incident")}
    (refused,) = batch(wire, item("1", "POST", "/api/now/table/incident", {}))["serviced_requests"]
    assert refused["status_code"] == 403


def test_an_item_that_is_too_large_ends_the_batch(wire: Wire) -> None:
    wire.snow.switches.batch_input = 100
    url = "/api/now/table/incident"
    answer = batch(
        wire,
        item("1", "POST", url, {"short_description": "a"}),
        item("2", "POST", url, {"short_description": "b" * 100}),
        item("3", "POST", url, {"short_description": "c"}),
    )
    assert [each["id"] for each in answer["serviced_requests"]] == ["1"]
    assert answer["unserviced_requests"] == ["2", "3"]
    assert len(wire.snow.ids()) == 1


@pytest.mark.parametrize("by_header", [False, True])
def test_an_answer_that_is_too_large_ends_the_batch(wire: Wire, by_header: bool) -> None:
    wire.post()
    items = [item("1", "GET", "/api/now/table/problem"), item("2", "GET", "/api/now/table/incident")]
    if not by_header:
        wire.snow.switches.batch_output = 500
    headers = {"X-BATCHREQUEST-MAX-OUTPUT-SIZE": "500"} if by_header else {}
    answer = batch(wire, *items, **headers)
    assert [each["id"] for each in answer["serviced_requests"]] == ["1"]
    assert answer["unserviced_requests"] == ["2"]


def test_after_thirty_seconds_the_rest_is_left_undone(wire: Wire) -> None:
    wire.snow.quota.per_write = 12.0
    items = [item(str(n), "POST", "/api/now/table/incident", {"short_description": str(n)}) for n in range(4)]
    answer = batch(wire, *items)
    assert [each["id"] for each in answer["serviced_requests"]] == ["0", "1"]
    assert answer["serviced_requests"][0]["execution_time"] == 12000
    assert answer["unserviced_requests"] == ["2", "3"]


@pytest.mark.parametrize(("applies", "made"), [(True, 3), (False, 2)])
def test_the_item_that_ran_out_of_time_may_have_taken_effect(wire: Wire, applies: bool, made: int) -> None:
    wire.snow.quota.per_write = 12.0
    wire.snow.switches.cancelled_writes_apply = applies
    batch(wire, *(item(str(n), "POST", "/api/now/table/incident", {}) for n in range(4)))
    assert len(wire.snow.ids()) == made


def test_a_batch_without_requests_is_400_and_another_method_405(wire: Wire) -> None:
    assert failure(wire.api("POST", "v1/batch", json={"batch_request_id": "1"}))[0] == 400
    assert wire.api("GET", "v1/batch").status_code == 405
