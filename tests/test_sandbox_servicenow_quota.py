"""What the simulated ServiceNow does with requests that are too long or too large, or while it sleeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.faults import Fault
from sandbox.servicenow.quota import cancelled
from tests.servicenow_wire import Wire, failure

CANCELLED = "Transaction cancelled: maximum execution time exceeded"


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


class TestCancelledReads:
    def test_a_read_that_takes_too_long_is_200_with_rows_and_an_error(self, wire: Wire) -> None:
        # apis.md 1.6 (gflewis/sndml3 issue 38): the answer that must not be taken for a whole page
        for n in range(5):
            wire.post(short_description=str(n))
        wire.snow.quota.per_row = 20.0
        answer = wire.call("GET", params={"sysparm_query": "ORDERBYnumber"})
        body = answer.json()
        assert answer.status_code == 200 and answer.headers["X-Total-Count"] == "5"
        assert [row["short_description"] for row in body["result"]] == ["0", "1", "2"]
        assert list(body) == ["result", "error", "status"]
        assert (body["error"]["message"], body["status"]) == (CANCELLED, "failure")
        assert set(body["error"]) == {"message", "detail"}

    def test_a_smaller_page_gets_through(self, wire: Wire) -> None:
        for _ in range(5):
            wire.post()
        wire.snow.quota.per_row = 20.0
        assert set(wire.call("GET", params={"sysparm_limit": "3"}).json()) == {"result"}

    def test_the_json_can_end_in_the_middle(self, wire: Wire) -> None:
        for _ in range(5):
            wire.post()
        wire.snow.quota.per_row, wire.snow.quota.cut_short = 20.0, True
        answer = wire.call("GET")
        assert answer.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            answer.json()

    def test_the_same_answer_can_be_sent_by_a_fault(self, wire: Wire) -> None:
        row = wire.post()
        wire.faults.add(Fault("answer", method="GET", path="/table/incident$", nth=(2,), answer=cancelled([row])))
        assert set(wire.call("GET").json()) == {"result"}
        told = wire.call("GET").json()
        assert (told["result"], told["error"]["message"]) == ([row], CANCELLED)

    def test_a_list_of_attachments_is_cut_as_well(self, wire: Wire) -> None:
        row = {"table_name": "incident", "table_sys_id": wire.post()["sys_id"], "file_name": "x"}
        for _ in range(4):
            wire.snow.data.insert("sys_attachment", row, "jane", wire.clock.now())
        wire.snow.quota.per_row = 30.0
        body = wire.api("GET", "attachment").json()
        assert (len(body["result"]), body["error"]["message"]) == (2, CANCELLED)


class TestCancelledWrites:
    @pytest.mark.parametrize(("applies", "title"), [(True, "b"), (False, "a")])
    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_a_write_that_takes_too_long_is_500_and_may_have_taken_effect(
        self, wire: Wire, method: str, applies: bool, title: str
    ) -> None:
        id = wire.post(short_description="a")["sys_id"]
        wire.snow.quota.per_write = 61.0
        wire.snow.switches.cancelled_writes_apply = applies
        answer = wire.call(method, f"/{id}", json={"short_description": "b"})
        assert failure(answer)[:2] == (500, CANCELLED)
        assert wire.snow.item(id)["short_description"] == title

    @pytest.mark.parametrize(("applies", "left"), [(True, 0), (False, 1)])
    def test_so_is_a_deletion(self, wire: Wire, applies: bool, left: int) -> None:
        id = wire.post()["sys_id"]
        wire.snow.quota.per_write = 61.0
        wire.snow.switches.cancelled_writes_apply = applies
        assert wire.call("DELETE", f"/{id}").status_code == 500
        assert len(wire.snow.ids()) == left

    def test_a_creation_may_leave_a_record_that_nobody_was_told_of(self, wire: Wire) -> None:
        wire.snow.quota.per_write = 61.0
        assert wire.call("POST", json={}).status_code == 500
        assert len(wire.snow.ids()) == 1


class TestSize:
    def test_a_body_above_the_limit_is_400_and_names_it(self, wire: Wire) -> None:
        # glide.rest.max_content_length, 10 MB (ServiceNow docs, Controlling maximum request size)
        fits, above = "x" * (10 * 2**20 - 30), "x" * (10 * 2**20)
        assert wire.call("POST", json={"short_description": fits}).status_code == 201
        status, _, detail = failure(wire.call("POST", json={"short_description": above}))
        assert status == 400 and "Max allowed: 10485760 bytes" in str(detail)


class TestSleep:
    @pytest.mark.parametrize("asleep", [True, False])
    def test_a_hibernating_instance_answers_200_with_a_page(self, wire: Wire, asleep: bool) -> None:
        # apis.md 1.6 [U]
        wire.snow.switches.hibernating = asleep
        answer = wire.call("GET")
        kind = "text/html;charset=UTF-8" if asleep else "application/json;charset=UTF-8"
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        assert (b"hibernating" in answer.content) is asleep
