"""What pysnow alone is caught by, shown with the library itself, and what the connector does instead. A new version of
the library that mends a trap fails the test that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pysnow
import pytest
import requests
import responses

from connectors.base import LockedOut, Refused, Unsure
from mappings.model import Change
from sandbox.faults import Fault
from sandbox.wire import Answer, Request
from tests.contract import changes
from tests.traps import SCOPES, Ground, draft, opened_and_made, recorded

SCOPE = SCOPES["servicenow"]
TABLE = "/api/now/table/incident"


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


@pytest.fixture
def alone(ground: Ground) -> Iterator[pysnow.Client]:
    """The library by itself, as its documentation shows it."""
    with requests.Session() as session:
        session.auth, session.trust_env = ("lockstep", "servicenow-password"), False
        yield pysnow.Client(host=f"127.0.0.1:{ground.port('servicenow')}", session=session, use_ssl=False)


def incidents(ground: Ground, count: int) -> list[str]:
    return [ground.estate.servicenow.create({"short_description": f"item {n}"}, "jane") for n in range(count)]


def test_parameters_of_one_call_leak_into_the_next(ground: Ground, alone: pysnow.Client) -> None:
    """stack.md 2.1, apis.md 4.1 #1 and #2: all calls of a Resource, and so all threads on it, share one dict."""
    asked = recorded(ground.estate.servicenow)
    resource = alone.resource("/table/incident")
    resource.get(query="number=INC1", limit=7, fields=["number"]).all()
    resource.create({"short_description": "leaked into"}).one()
    assert (asked[-1].method, asked[-1].one("sysparm_query"), asked[-1].one("sysparm_limit")) == (
        "POST",
        "number=INC1",
        "7",
    )

    one = ground.connector("servicenow")
    one.open([SCOPE])
    changes(one, SCOPE)
    one.create(SCOPE, draft("servicenow"))
    assert asked[-1].method == "POST" and asked[-1].one("sysparm_query") == "" != asked[-2].one("sysparm_query")


def test_a_list_is_cut_at_its_limit_without_a_word(ground: Ground, alone: pysnow.Client) -> None:
    """apis.md 4.1 #3: one request of 10,000 rows at most, whatever ``X-Total-Count`` says."""
    asked = recorded(ground.estate.servicenow)
    made = incidents(ground, 5)
    alone.resource("/table/incident").get().all()
    assert asked[-1].one("sysparm_limit") == "10000"
    cut = alone.resource("/table/incident").get(limit=2)
    assert (len(cut.all()), cut.headers["X-Total-Count"], len(asked)) == (2, "5", 2)

    one = ground.connector("servicenow", page=2)
    one.open([SCOPE])
    assert sorted(notice.ref.id for notice in changes(one, SCOPE)[0]) == sorted(made)


def test_a_write_that_was_refused_says_nothing_until_it_is_asked(ground: Ground, alone: pysnow.Client) -> None:
    """apis.md 4.1 #5: lost writes."""
    one = ground.connector("servicenow")
    record = opened_and_made(one)
    ground.estate.servicenow.rights.denied = {("insert", "incident"), ("update", "incident")}
    refused = alone.resource("/table/incident").create({"short_description": "lost"})
    with pytest.raises(requests.HTTPError):
        refused.one()

    with pytest.raises(Refused):
        one.create(SCOPE, draft("servicenow"))
    with pytest.raises(Refused):
        one.say(SCOPE, record, "comments", "lost")


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_an_error_beside_rows_is_passed_over(stream: bool) -> None:
    """stack.md 2.1, apis.md 4.1 #6. The connector: ``test_a_cancelled_transaction_is_asked_for_less``."""
    told = {"message": "Transaction cancelled: maximum execution time exceeded", "detail": "x"}
    body = json.dumps({"result": [{"number": "INC1"}], "error": told, "status": "failure"})
    with responses.RequestsMock() as wire, requests.Session() as session:
        wire.add("GET", f"https://snow.example{TABLE}", body=body, content_type="application/json")
        client = pysnow.Client(host="snow.example", session=session)
        assert list(client.resource("/table/incident").get(stream=stream).all()) == [{"number": "INC1"}]


def test_a_value_in_a_dict_query_may_hold_another_condition(ground: Ground, alone: pysnow.Client) -> None:
    """stack.md 2.1: nothing is escaped, and an encoded query has no escape. The connector refuses such a value before
    anything is sent: ``test_a_key_with_a_caret_is_refused_before_anything_is_sent``."""
    incidents(ground, 3)
    assert len(alone.resource("/table/incident").get(query={"number": "nobody's^ORsys_idISNOTEMPTY"}).all()) == 3


def test_an_update_is_a_read_and_a_write(ground: Ground, alone: pysnow.Client) -> None:
    """apis.md 4.1 #4: two requests, and a query that matches several changes none of them."""
    asked = recorded(ground.estate.servicenow)
    (id,) = incidents(ground, 1)
    alone.resource("/table/incident").update({"sys_id": id}, {"short_description": "new"}).one()
    assert [request.method for request in asked] == ["GET", "PUT"]

    one = ground.connector("servicenow")
    one.open([SCOPE])
    record = one.read(SCOPE, [id])[id]
    assert record is not None
    del asked[:]
    one.update(SCOPE, record, Change({"short_description": "newer"}))
    assert [(request.method, request.path) for request in asked] == [("PATCH", f"{TABLE}/{id}")]


def test_a_post_that_is_sent_elsewhere_becomes_a_get(ground: Ground, alone: pysnow.Client) -> None:
    """An address that redirects (http to https, an old name) answers a creation with a list: 200, and nothing made."""
    place = {"Location": f"{ground.estate.urls['servicenow']}{TABLE}?moved=1"}
    moved = Fault("answer", tracker="servicenow", method="POST", path=TABLE, answer=Answer(302, b"", place))
    one = ground.connector("servicenow")
    one.open([SCOPE])
    asked = recorded(ground.estate.servicenow)
    ground.estate.faults.add(moved)
    assert alone.resource("/table/incident").create({"short_description": "lost"})._response.status_code == 200
    assert [request.method for request in asked] == ["GET"] and ground.estate.servicenow.ids() == []

    with pytest.raises(LockedOut, match=r"sends us elsewhere \(302\): check `url`"):
        one.create(SCOPE, draft("servicenow"))
    assert len(asked) == 1


def test_a_session_cookie_is_sent_back_and_queues_into_202(ground: Ground, alone: pysnow.Client) -> None:
    """apis.md 1.1; the connector keeps none: ``test_no_cookie_is_sent_back``, and 202 is no success:
    ``test_202_on_a_write_is_unsure``."""
    ground.estate.servicenow.gate.session_busy = True
    alone.resource("/table/incident").get(limit=1).all()
    assert alone.resource("/table/incident").get(limit=1)._response.status_code == 202


def test_202_and_an_empty_answer_to_a_write_are_never_success(ground: Ground) -> None:
    one: Any = ground.connector("servicenow")
    record = opened_and_made(one)
    for answer in (Answer(202), Answer(200), Answer.of({"result": {}}), Answer.of({"result": []}), Answer(204)):
        fault = Fault("answer", tracker="servicenow", method="PATCH", times=1, answer=answer)
        ground.estate.faults.add(fault)
        with pytest.raises(Unsure):
            one.update(SCOPE, record, Change({"short_description": "new"}))


def test_a_byte_order_mark_is_no_trouble(ground: Ground) -> None:
    whole = ground.estate.servicenow.handle

    def marked(request: Request) -> Answer:
        answer = whole(request)
        answer.body = b"\xef\xbb\xbf" + answer.body
        return answer

    ground.estate.servicenow.handle = marked  # type: ignore[method-assign]
    assert opened_and_made(ground.connector("servicenow")).key
