"""The witness that holds every answer of the sandbox against the published specifications."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sandbox.wire import Answer, Request
from tests.fidelity import specs
from tests.fidelity.allowances import Allowance, Allowances
from tests.fidelity.docs_extract import documented
from tests.fidelity.plugin import Counts, covered, figures, uncovered
from tests.fidelity.witness import Witness, router

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not specs.available(), reason="wants ../shared/specs")]

BIN = "/{organization}/{project}/_apis/wit/recyclebin"
ERROR = {"error": {"message": "No Record found", "detail": None}, "status": "failure"}


def seen(method: str, target: str, answer: Answer, *known: Allowance) -> list[str]:
    """What the witness says of an answer."""
    witness = Witness(Allowances(known))
    witness("tracker", Request.of(method, target, {}, b""), answer)
    return [str(finding) for finding in witness.take()]


def test_what_the_specification_knows_is_no_finding() -> None:
    assert seen("GET", "/rest/api/3/issue/CSPM-1", Answer.of({"id": "1", "key": "CSPM-1", "fields": {"a": 1}})) == []
    assert seen("GET", "/api/now/table/incident", Answer.of({"result": [{"number": "1", "caller_id": ""}]})) == []
    assert seen("GET", "/acme/Portal/_apis/wit/workitems/1", Answer.of({"id": 1, "rev": 2, "fields": {}})) == []


def test_a_finding_names_the_request_the_status_the_place_and_what_is_wanted() -> None:
    (told,) = seen("GET", "/rest/api/3/issue/CSPM-1", Answer.of({"id": 7, "fields": {}}))
    assert told == (
        "tracker: GET /rest/api/3/issue/CSPM-1 -> 200: [body] v3 GET /rest/api/3/issue/{issueIdOrKey}: at /id: "
        'a number is not of type "string"'
    )


@pytest.mark.parametrize(
    "method, target, answer, wrong",
    [
        ("GET", "/rest/api/3/issue/X-1", Answer.of({"id": "1", "made": "up"}), "('made' was unexpected)"),
        ("GET", "/acme/_apis/wit/workitems/1", Answer.of({"id": 1, "made": "up"}), "('made' was unexpected)"),
        ("GET", "/api/now/table/incident", Answer.of({"result": [{"number": 7}]}), "/result/*/number"),
        ("GET", "/api/now/table/incident", Answer.of({"rows": []}), "'rows' was unexpected"),
        ("GET", "/api/now/attachment/1", Answer.of({"result": {"name": "a"}}), "'name' was unexpected"),
        ("GET", "/rest/api/3/issue/X-1", Answer.of({}, 418), "does not name this status"),
        ("GET", "/acme/_apis/wit/workitems/1", Answer.of({"message": "no"}, 404), "required property"),
        ("GET", "/rest/api/3/issue/X-1", Answer(200, b"<html>", {"Content-Type": "text/html"}), "text/html"),
        ("DELETE", "/api/now/table/incident/1", Answer(204, b"{}", {}), "a body where there is none"),
        ("GET", "/rest/api/3/issue/X-1", Answer(200, b"", {}), "no body where there is one"),
        ("GET", "/rest/api/3/issue/X-1", Answer(200, b'{"id"', {"Content-Type": "application/json"}), "JSON"),
        ("GET", "/rest/api/3/made/up", Answer.of({}), "no specification has it"),
        ("GET", "/rest/api/3/made/up", Answer.of({"wrong": 1}, 404), "('wrong' was unexpected)"),
        ("DELETE", "/api/now/table/incident", Answer.of({"error": "no"}, 405), '"no" is not of type "object"'),
        ("POST", "/oauth_token.do", Answer.of({"status": "failure"}, 401), '"error" is a required property'),
        ("GET", "/rest/api/3/issue/X-1", Answer.of({"key": "X-1", "fields": {}}), '"id" is a required property'),
        ("GET", "/acme/_apis/wit/workitems/1", Answer.of({"id": 1, "fields": {}}), '"rev" is a required property'),
        ("POST", "/acme/P/_apis/wit/attachments", Answer.of({"made": "up"}, 201), "('made' was unexpected)"),
        ("GET", "/api/now/table/incident", Answer.of({"rows": []}, 202), "('rows' was unexpected)"),
        ("GET", "/rest/api/3/issue/X-1", Answer(302, b"{}", {}), "a body where there is none"),
    ],
)
def test_what_it_does_not_know_is_one(method: str, target: str, answer: Answer, wrong: str) -> None:
    assert any(wrong in one for one in seen(method, target, answer))


def test_errors_and_marks_before_them_are_held_against_the_recorded_wrapper() -> None:
    """apis.md 1.6, 3.4"""
    assert seen("GET", "/api/now/table/incident/1", Answer.of(ERROR, 404)) == []
    wrapper = {"$id": "1", "innerException": None, "message": "m", "typeName": "t", "typeKey": "k"}
    answer = Answer.of({**wrapper, "errorCode": 0, "eventId": 3000}, 503)
    answer.body = b"\xef\xbb\xbf" + answer.body
    assert seen("GET", "/acme/_apis/wit/workitems/1", answer) == []


def test_an_allowance_lets_its_deviation_pass_and_no_other() -> None:
    odd = Allowance("body", "v3 GET */issue/{issueIdOrKey}", "a page", where="/id", says="a number *")
    answer = Answer.of({"id": 7, "key": 8})
    (told,) = seen("GET", "/rest/api/3/issue/X-1", answer, odd)
    assert "at /key" in told


def test_an_allowance_that_nothing_used_is_told() -> None:
    used, idle = Allowance("status", "v3 *", "a", status=418), Allowance("status", "v3 *", "a", status=419)
    allowances = Allowances((used, idle))
    witness = Witness(allowances)
    witness("jira", Request.of("GET", "/rest/api/3/myself", {}, b""), Answer.of({}, 418))
    assert witness.take() == [] and allowances.unused(set(allowances.used)) == [idle]


def test_every_allowance_names_its_source_and_a_kind_that_exists(tmp_path: Path) -> None:
    assert all(len(one.source) > 8 for one in Allowances.read().known)
    (tmp_path / "a.toml").write_text('[[bodies]]\noperation = "x"\nsource = "y"\n')
    with pytest.raises(ValueError, match="bodies"):
        Allowances.read(tmp_path / "a.toml")


@pytest.mark.parametrize(
    "kind, method, path, asked, operation",
    [
        ("jira", "GET", "/rest/api/2/issue/A-1", "", "v2 GET /rest/api/2/issue/{issueIdOrKey}"),
        ("jira", "POST", "/rest/api/2/search/jql", "", "v3 POST /rest/api/3/search/jql"),
        ("jira", "GET", "/rest/api/3/issue/createmeta", "", "v3 GET /rest/api/3/issue/createmeta"),
        ("jira-datacenter", "GET", "/rest/api/2/search", "", "DC GET /rest/api/2/search"),
        ("azure", "POST", "/acme/_APIS/wit/wiql", "", "wit POST /{organization}/{project}/{team}/_apis/wit/wiql"),
        ("azure", "GET", "/a/b/_apis/wit/recyclebin", "ids", f"wit GET {BIN}?ids={{ids}}"),
        ("azure", "GET", "/a/b/_apis/wit/recyclebin", "", f"wit GET {BIN}"),
        ("servicenow", "GET", "/api/now/v2/table/user", "", "table-api GET /api/now/{api_version}/table/{tableName}"),
        ("servicenow", "GET", "/api/now/stats/incident", "", "aggregate-api GET /api/now/stats/{tableName}"),
    ],
)  # fmt: skip
def test_a_request_finds_its_operation(kind: str, method: str, path: str, asked: str, operation: str) -> None:
    assert str(router(kind).find(method, path, frozenset(asked.split()))) == operation


def test_a_documentation_page_becomes_a_specification() -> None:
    """Status codes from its list, keys from its tables and samples, a list's items from its dotted names."""
    endpoint = {
        "title": "Batch", "method": "POST", "path": "/now/batch", "urls": ["/api/now/v1/batch"],
        "status_codes": [["200", "fine"], ["401", "who?"]],
        "other_tables": [["served", "A list.Data type: Array"], ["served.code", "Its code.Data type: Number"]],
        "json_blocks": [{"id": "1"}],
    }  # fmt: skip
    page = {"source": "page", "release": "r", "endpoints": [endpoint]}
    operation = documented(page)["paths"]["/api/now/{api_version}/batch"]["post"]
    schema: dict[str, Any] = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert "429" in operation["responses"] and "201" not in operation["responses"]
    assert schema["properties"]["served"]["items"]["properties"] == {"code": {"type": "integer"}}
    assert schema["properties"]["id"] == {"type": "string"} and schema["additionalProperties"] is False


def test_what_the_product_uses_wants_a_row_with_a_source() -> None:
    shown = {
        "a GET /x": {"test_fidelity.py::nothing"},
        "b GET /y": {"test_sandbox_jira.py::test_the_old_search_is_gone"},
    }
    counts = Counts(Counter({"a GET /x": 2, "b GET /y": 1, "jira elsewhere": 3}), shown=shown, product=set(shown))
    assert covered(counts) == {"b GET /y"}
    assert uncovered(counts) == ["used by the product and in no row of the table: a GET /x"]
    assert figures(counts)[0] == "3 answers validated whole, 3 that no specification describes"
    assert figures(counts)[2].endswith("covered with a source: 1 of 2 = 50%")
