"""What no client should send: ServiceNow and Azure DevOps answer with their own errors, and never break."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.azure_devops import AzureDevOps, Person
from sandbox.azure_devops.locations import LOCATIONS
from sandbox.azure_devops.routes import routes_of
from sandbox.clock import SandboxClock
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.imports import TransformMap
from sandbox.wire import Answer, Request
from tests import azure_wire, servicenow_wire
from tests.azure_wire import problem, wired

SUPER_TWO = "²"  # str.isdigit() says yes, int() says no
NAMESPACE = "83e28ad4-2d72-4ceb-97b0-c7726d5502c3"


@pytest.fixture(scope="module")
def azure() -> Iterator[azure_wire.Wire]:
    with wired() as made:
        made.create()
        yield made


@pytest.fixture(scope="module")
def snow() -> Iterator[servicenow_wire.Wire]:
    made = servicenow_wire.Wire()
    made.post(short_description="here")
    yield made
    made.close()


def deep(count: int) -> str:
    return f"SELECT [System.Id] FROM WorkItems WHERE {'(' * count}[System.Id] = 1{')' * count}"


class TestAzureDevOps:
    """Every refusal is the wrapper with its typeKey (apis.md 3.4)."""

    @pytest.mark.parametrize(
        ("path", "type_key"),
        [
            (f"_apis/wit/workitems?ids=1,{SUPER_TWO}", "VssPropertyValidationException"),
            (f"_apis/wit/workitems?ids={'9' * 5000}", "VssPropertyValidationException"),
            (f"_apis/wit/workitems/1/updates?$top={SUPER_TWO}", "VssPropertyValidationException"),
            (
                f"_apis/wit/reporting/workitemrevisions?continuationToken={SUPER_TWO}",
                "InvalidContinuationTokenException",
            ),
            (
                "_apis/wit/reporting/workitemrevisions?startDateTime=9999-12-31T23:59:59-14:00",
                "VssPropertyValidationException",
            ),
            (f"_apis/permissions/{NAMESPACE}/{SUPER_TWO}", "VssPropertyValidationException"),
        ],
    )
    def test_a_number_or_date_in_an_address_that_is_none_is_refused(
        self, azure: azure_wire.Wire, path: str, type_key: str
    ) -> None:
        problem(azure.call("GET", path), 400, type_key)

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (f"Portal/_apis/wit/workItems/1/comments/{SUPER_TWO}", 404),
            (f"_apis/wit/workitems/1/revisions/{SUPER_TWO}", 404),
            (f"_apis/wit/workitems/1/updates/{SUPER_TWO}", 404),
            (f"Portal/_apis/git/pullrequests/{SUPER_TWO}", 404),
        ],
    )
    def test_a_part_whose_number_is_none_is_missing(self, azure: azure_wire.Wire, path: str, status: int) -> None:
        answer = azure.call("GET", path, headers={"Accept": "application/json;api-version=7.1-preview"})
        assert answer.status_code == status, answer.text

    @pytest.mark.parametrize("body", ["text", 1.5, {"fields": True}, {"fields": [{}]}, {"types": 7}, {"types": [None]}])
    def test_the_feed_refuses_a_filter_of_another_shape(self, azure: azure_wire.Wire, body: Any) -> None:
        answer = azure.call("POST", "_apis/wit/reporting/workitemrevisions", body)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, 0)

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "_apis/wit/workitemsbatch", {"ids": [1], "fields": 5}),
            ("POST", "_apis/security/permissionevaluationbatch", {"evaluations": 1.5}),
            ("POST", "_apis/security/permissionevaluationbatch", {"evaluations": [["x"]]}),
            (
                "POST",
                "_apis/security/permissionevaluationbatch",
                {"evaluations": [{"securityNamespaceId": NAMESPACE, "permissions": "%"}]},
            ),
            ("POST", "_apis/projects", {"name": "x", "capabilities": "y"}),
            ("POST", "Portal/_apis/wit/artifacturiquery", {"artifactUris": True}),
        ],
    )
    def test_a_body_of_another_shape_is_refused(
        self, azure: azure_wire.Wire, method: str, path: str, body: Any
    ) -> None:
        answer = azure.call(method, path, body, headers={"Accept": "application/json;api-version=7.1-preview"})
        assert (answer.status_code, answer.json()["errorCode"]) == (400, 0)

    @pytest.mark.parametrize(
        "query",
        [
            deep(5000),
            "SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > @Today - 99999999999",
            "SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > @Today - soon",
            "SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > @StartOfDay('+-+')",
            "SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > @StartOfYear - 9999",
        ],
    )
    def test_a_query_that_means_nothing_is_refused(self, azure: azure_wire.Wire, query: str) -> None:
        problem(azure.wiql(query), 400, "SyntaxException")

    def test_a_query_may_nest_a_little(self, azure: azure_wire.Wire) -> None:
        assert azure.wiql(deep(20)).json()["workItems"][0]["id"] == 1

    @pytest.mark.parametrize("levels", [200, 990, 100_000])
    def test_json_nested_without_end_is_refused(self, azure: azure_wire.Wire, levels: int) -> None:
        """As the shape of a relation, which the refusal of another shape would quote."""
        value = "[" * levels + "]" * levels
        body = f'[{{"op": "add", "path": "/relations/-", "value": {value}}}]'
        answer = azure.call("PATCH", "_apis/wit/workitems/1", data=body, headers=azure_wire.PATCH)
        problem(answer, 400, "VssRequestContentException")

    def test_a_chunk_s_range_is_in_ascii_digits(self, azure: azure_wire.Wire) -> None:
        kind: dict[str, str | bytes] = {"Content-Type": "application/octet-stream"}
        headers = {**kind, "Content-Range": "bytes 0-1/٥".encode()}
        file = azure.call("POST", "_apis/wit/attachments?uploadType=chunked&fileName=a", {}).json()["id"]
        answer = azure.session.put(
            f"{azure.url}/_apis/wit/attachments/{file}?api-version=7.1", data=b"ab", headers=headers, timeout=10
        )
        assert answer.status_code == 400


class TestServiceNow:
    """Refusals are ``error`` and ``status`` (apis.md 1.6)."""

    def test_a_date_or_number_that_a_column_cannot_hold_is_passed_over(self, snow: servicenow_wire.Wire) -> None:
        """The real instance stores a date-time or nothing in such a column: sys_dictionary, internal_type."""
        id = snow.post(short_description="dated", opened_at="2026-01-02 03:04:05")["sys_id"]
        for value in ("soon", "9999-99-99", "2026-01-02T03:04:05Z"):
            assert snow.patch(id, opened_at=value).json()["result"]["opened_at"] == "2026-01-02 03:04:05"
        assert snow.patch(id, opened_at="2026-02-02 03:04:05").json()["result"]["opened_at"] == "2026-02-02 03:04:05"
        assert snow.patch(id, resolved_at="x", reassignment_count=SUPER_TWO).status_code == 200

    @pytest.mark.parametrize(
        "condition",
        [
            "sys_updated_on>javascript:gs.daysAgo(99999999999999)",
            "sys_updated_on>javascript:gs.dateGenerate('9999-12-31','23:59:59')",
            "sys_updated_onRELATIVEGT@year@ago@99999999",
            "sys_updated_onRELATIVELT@hour@ahead@99999999999999",
        ],
    )
    def test_a_date_beyond_the_calendar_is_answered(self, snow: servicenow_wire.Wire, condition: str) -> None:
        answer = snow.call("GET", params={"sysparm_query": condition})
        assert answer.status_code == 200 and isinstance(answer.json()["result"], list)

    @pytest.mark.parametrize("headers", [-1, "x", ["x"], [{"name": "Accept"}]])
    def test_a_batch_item_may_have_headers_of_any_shape(self, snow: servicenow_wire.Wire, headers: Any) -> None:
        item = {"id": "1", "method": "GET", "url": "/api/now/table/incident", "headers": headers, "body": "é"}
        answer = snow.api("POST", "v1/batch", json={"batch_request_id": "1", "rest_requests": [item]})
        assert [one["id"] for one in answer.json()["serviced_requests"]] == ["1"]

    def test_json_nested_without_end_is_no_json(self, snow: servicenow_wire.Wire) -> None:
        answer = snow.call("POST", data=b"[" * 100_000, headers={"Content-Type": "application/json"})
        assert servicenow_wire.failure(answer)[:2] == (400, "Exception while reading request")


# -- at random, in process: what is raised is a defect, and so is an answer that says JSON and is none

ODD = st.sampled_from(
    ["", "0", "-1", "1", "9" * 25, "NaN", "true", "\x00", SUPER_TWO, "١", "^OR", "a,b", "9999-12-31T23:59:59-14:00",
     "1000-01-01 00:00:00", "9999-12-31 23:59:59", "A" * 300, "x\ny", "<b>", "..", "Bug", "Portal", "System.Title",
     "all", "omit", "html", "comments", "incident", "javascript:gs.hoursAgo(3)", "@hour@ago@3"]
)  # fmt: skip
KEYS = st.sampled_from(
    "id ids fields op path value query $expand text format rel url attributes isDeleted asOf types title name records "
    "workItemRefs rest_requests body headers method short_description state comments caller_id resolved_at u_title "
    "capabilities evaluations permissions values artifactUris impact".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)
PATCHED = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "replace", "remove", "test"]),
        "path": st.sampled_from(
            "/rev /relations/- /relations/0 /relations/0/attributes/comment /multilineFieldsFormat/System.Description "
            "/fields/System.State /fields/System.Tags /fields/System.AreaPath /fields/System.AssignedTo "
            "/fields/System.TeamProject /fields/System.WorkItemType /fields/System.ChangedDate /fields/System.History "
            "/fields/Microsoft.VSTS.Common.Priority /fields/Microsoft.VSTS.Scheduling.StartDate".split()
        ),
        "value": JSON | st.fixed_dictionaries({"rel": ODD | st.just("Hyperlink"), "url": ODD, "attributes": JSON}),
    }
)
TRIES = settings(max_examples=120, deadline=None)


def sound(answer: Answer) -> bool:
    """Whether an answer can be sent as it is."""
    if not answer.body or "json" not in answer.headers.get("Content-Type", ""):
        return 200 <= answer.status < 500
    json.loads(answer.body)
    return 200 <= answer.status < 500 and not any("\n" in value for value in answer.headers.values())


def azure_address(data: st.DataObject, template: str) -> str:
    known = {"project": "Portal", "team": "Portal Team", "type": "Bug", "repositoryId": "Portal", "projectId": "Portal"}

    def part(found: re.Match[str]) -> str:
        name = found[1]
        return quote(data.draw(st.just(known.get(name, "1")) | ODD, label=name), safe="")

    return re.sub(r"\{\*?(\w+)\}", part, template)


@TRIES
@given(st.data())
def test_azure_devops_breaks_at_nothing(data: st.DataObject) -> None:
    tracker = AzureDevOps("azure", SandboxClock(datetime(2026, 1, 5, tzinfo=UTC)), people=(Person("bot", "Bot"),))
    tracker.comment(tracker.create({"System.Title": "t"}, "bot"), "hello", "bot")
    location = data.draw(st.sampled_from(LOCATIONS))
    method = data.draw(st.sampled_from(sorted(routes_of(location)) or ["GET"]))
    template = location.template.replace("{area}", location.area).replace("{resource}", location.resource)
    names = [
        "$top",
        "$skip",
        "$expand",
        "ids",
        "fields",
        "asOf",
        "continuationToken",
        "startDateTime",
        "$depth",
        "format",
    ]
    query = data.draw(st.dictionaries(st.sampled_from(names), ODD, max_size=2)) | {"api-version": "7.1-preview"}
    items = location.resource == "workItems"
    body = data.draw(st.lists(PATCHED, min_size=1, max_size=2) if items else JSON)
    headers = {
        "authorization": "Basic " + base64.b64encode(b":pat-of-lockstep").decode(),
        "content-type": f"application/json{'-patch+json' if items else ''}",
    }
    address = f"/example/{azure_address(data, template)}?{urlencode(query)}"
    assert sound(tracker.handle(Request.of(method, address, headers, json.dumps(body).encode())))


@TRIES
@given(st.data())
def test_servicenow_breaks_at_nothing(data: st.DataObject) -> None:
    tracker = ServiceNow("snow", SandboxClock(datetime(2026, 1, 5, tzinfo=UTC)))
    tracker.imports.define(
        TransformMap("u_in", {"u_title": "Title"}, script=lambda row: {"resolved_at": row.get("u_title", "")})
    )
    id = tracker.create({"short_description": "t", "caller_id": "Abel"}, "abel")
    api = data.draw(
        st.sampled_from(["table/incident", "table", "stats/incident", "import/u_in", "attachment", "v1/batch"])
    )
    rest = data.draw(
        st.sampled_from(["", f"/{id}", "/insertMultiple", "/file"]) | ODD.map(lambda odd: f"/{quote(odd, safe='')}")
    )
    fields = st.sampled_from(["state", "sys_updated_on", "caller_id.name", "short_description", "impact", "bogus"])
    operators = st.sampled_from([">=", "=", "IN", "LIKE", "BETWEEN", "RELATIVEGT", "ON", "ISEMPTY", "NOT IN"])
    condition = st.tuples(fields, operators, ODD).map("".join)
    query = data.draw(
        st.dictionaries(
            st.sampled_from(
                "sysparm_limit sysparm_offset sysparm_fields sysparm_group_by sysparm_having state".split()
            ),
            ODD,
            max_size=2,
        )
    ) | {"sysparm_query": data.draw(st.lists(condition, max_size=3).map("^".join))}
    headers = {
        "authorization": "Basic " + base64.b64encode(b"lockstep:secret").decode(),
        "accept": "application/json",
        "content-type": "application/json",
    }
    method = data.draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE"]))
    body = json.dumps(data.draw(st.dictionaries(KEYS, JSON, max_size=3) | JSON)).encode()
    assert sound(tracker.handle(Request.of(method, f"/api/now/{api}{rest}?{urlencode(query)}", headers, body)))
