"""What the azure-devops library alone is caught by, shown with the library itself, and what the connector does instead.
A new version of the library that mends a trap fails the test that shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.azure_devops.service import library
from connectors.base import Busy, Gone
from mappings.model import Change
from sandbox.estate import AZURE_PAT
from sandbox.faults import Fault
from sandbox.wire import Answer, Request
from tests.contract import changes
from tests.tls import fronted
from tests.traps import SCOPES, Ground, opened_and_made, recorded

SCOPE = SCOPES["azure_devops"]
BATCH = "/workitemsbatch"


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long urllib3 would have slept."""
    naps: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=naps.append, time=lambda: 0.0))
    return naps


def alone(ground: Ground, port: int = 0) -> Any:
    """The library by itself, as its documentation shows it."""
    from msrest.authentication import BasicAuthentication

    url = f"http://127.0.0.1:{port or ground.port('azure_devops')}/example"
    return library().WorkItemTrackingClient(url, BasicAuthentication("", AZURE_PAT))


def answering(ground: Ground, path: str, answer: Answer, times: int = 0) -> Fault:
    return ground.estate.faults.add(Fault("answer", tracker="azure", path=path, answer=answer, times=times))


def sign_in_page(status: int) -> Answer:
    return Answer(status, b"<html><title>Azure DevOps Services | Sign In</title></html>", {"Content-Type": "text/html"})


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_has_neither_status_nor_headers(ground: Ground) -> None:
    """stack.md 2.3, 6.3. The connector takes both from its own adapter: ``test_a_blocked_request_is_busy_until...``."""
    from azure.devops.exceptions import AzureDevOpsServiceError

    body = {
        "$id": "1",
        "message": "TF400733: blocked",
        "typeName": "x",
        "typeKey": "x",
        "errorCode": 0,
        "eventId": 3000,
    }
    answering(ground, "/workitems/", Answer.of(body, 429, {"Retry-After": "77"}))
    with pytest.raises(AzureDevOpsServiceError) as caught:
        alone(ground).update_work_item([], 1)
    assert not {"77", "429"} & {str(value) for value in vars(caught.value).values()}
    assert not hasattr(caught.value, "response") and not hasattr(caught.value, "status_code")


@pytest.mark.parametrize("status", [200, 203])
def test_a_sign_in_page_is_an_error_of_another_library(ground: Ground, status: int) -> None:
    """stack.md 2.3. The connector: ``test_a_sign_in_page_is_locked_out``, ``test_a_200_that_is_a_sign_in_page...``."""
    from azure.core.exceptions import DeserializationError
    from azure.devops.exceptions import AzureDevOpsClientRequestError

    answering(ground, "/workitems/", sign_in_page(status))
    with pytest.raises(DeserializationError) as caught:
        alone(ground).get_work_item(1)
    assert not isinstance(caught.value, AzureDevOpsClientRequestError)


def test_an_empty_answer_is_an_attribute_error(ground: Ground) -> None:
    """stack.md 2.3. The connector: ``test_an_answer_that_is_not_what_was_asked_is_down``."""
    answering(ground, "/wiql", Answer(200, b"", {"Content-Type": "application/json"}))
    with pytest.raises(AttributeError):
        alone(ground).query_by_wiql({"query": "SELECT [System.Id] FROM WorkItems"}).work_items  # noqa: B018


def test_the_feed_comes_as_an_object_without_attributes(ground: Ground) -> None:
    """stack.md 2.3, apis.md 4.3: everything is in ``additional_properties``."""
    one = ground.connector("azure_devops")
    record = opened_and_made(one)
    batch = alone(ground).read_reporting_revisions_get("Portal")
    assert (batch.values, batch.continuation_token, batch.as_dict()) == (None, None, {})
    assert batch.additional_properties["values"]
    assert [notice.ref for notice in changes(one, SCOPE)[0]] == [record.ref]


def test_what_is_missing_comes_as_nothing_among_the_items(ground: Ground) -> None:
    """apis.md 4.3."""
    one = ground.connector("azure_devops")
    record = opened_and_made(one)
    assert alone(ground).get_work_items([int(record.ref.id), 999999], error_policy="omit")[1] is None
    assert one.read(SCOPE, [record.ref.id, "999999"])["999999"] is None


def test_a_value_of_none_is_sent_as_no_value_at_all(ground: Ground) -> None:
    """stack.md 2.3. The connector clears by an empty text (the vendor's examples of PATCH)."""
    from azure.devops.v7_1.work_item_tracking.models import JsonPatchOperation

    one = ground.connector("azure_devops")
    record = opened_and_made(one)
    asked = recorded(ground.estate.azure)
    operation = JsonPatchOperation(op="add", path="/fields/System.Description", value=None)
    with suppress(Exception):
        alone(ground).update_work_item([operation], int(record.ref.id))
    assert asked[-1].json() == [{"op": "add", "path": "/fields/System.Description"}]
    (record,) = filter(None, one.read(SCOPE, [record.ref.id]).values())
    one.update(SCOPE, record, Change({"System.Description": None}, version=record.version))
    assert {"op": "add", "path": "/fields/System.Description", "value": ""} in asked[-1].json()


# ── rest and connections ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_read_sleeps_out_any_rest_inside_the_library(ground: Ground, slept: list[float]) -> None:
    """stack.md 2.3, 6.3: uncapped and seen by nobody, and three times over."""
    one = ground.connector("azure_devops")
    record = opened_and_made(one)
    wait = Answer(429, b"{}", {"Retry-After": "3600", "Content-Type": "application/json"})
    fault = answering(ground, "/workitems/|/comments|workitemsbatch", wait)
    with pytest.raises(Exception, match="429"):
        alone(ground).get_work_item(int(record.ref.id))
    assert slept == [3600.0] * 3 and fault.struck == 4

    for _ in range(2):
        with pytest.raises(Busy):
            one.discussions(SCOPE, [record.ref.id])
    assert (len(slept), fault.struck) == (3, 5)


def test_a_failing_read_is_repeated_inside_the_library_and_its_answer_lost(ground: Ground, slept: list[float]) -> None:
    answering(ground, "/workitems/", Answer(500, b'{"message": "the reason"}', {"Content-Type": "application/json"}))
    with pytest.raises(Exception, match="too many 500 error responses") as caught:
        alone(ground).get_work_item(1)
    assert "the reason" not in str(caught.value)
    assert ground.estate.log.count("azure", "GET", "/workitems/1") == 4 and len(slept) == 2


def test_a_creation_whose_answer_was_lost_is_sent_once_since_urllib3_reads_other_options(
    ground: Ground, slept: list[float]
) -> None:
    """stack.md 2.3, apis.md 4.3: msrest asks for POST to be repeated too, by a name that urllib3 2 passes over. With
    1.26 it would be: so its version is pinned, and the connector's own policy repeats nothing at all."""
    ground.estate.faults.add(Fault("reset_after", tracker="azure", method="POST", path=r"/workitems/\$"))
    with pytest.raises(Exception, match="Error occurred in request"):
        alone(ground).create_work_item([], "Portal", "Bug")
    assert ground.estate.log.count("azure", "POST", "/workitems/$") == 1 and slept == []
    assert alone(ground).config.retry_policy.policy.total == 3
    one: Any = ground.connector("azure_devops")
    assert one.service.client().config.retry_policy().total == 0


def test_each_error_closes_the_connection(ground: Ground) -> None:
    """stack.md 2.3: five errors are five connections; the connector keeps one."""
    with fronted(ground.port("azure_devops")) as front:
        client = alone(ground, front.port)
        for id in range(5):
            with pytest.raises(Exception, match="TF401232"):
                client.get_work_item(999990 + id)
        assert front.accepted >= 5

    with fronted(ground.port("azure_devops")) as front:
        one: Any = ground.connector("azure_devops", port=front.port)
        record = opened_and_made(one)
        ground.estate.azure.delete(record.ref.id, "Chen Wei")
        for _ in range(5):
            with pytest.raises(Gone):
                one.say(SCOPE, record, "discussion", "nobody there")
        assert front.accepted == 1


# ── what is shared behind one's back ─────────────────────────────────────────────────────────────────────────────────


def test_a_session_of_one_organisation_is_sent_to_the_next(ground: Ground) -> None:
    """The library keeps ``X-TFS-Session`` for the whole process; ours has one for each tracker."""
    asked = recorded(ground.estate.azure)
    whole = ground.estate.azure.handle

    def handle(request: Request) -> Answer:
        answer = whole(request)
        answer.headers["X-TFS-Session"] = "of-that-organisation"
        return answer

    ground.estate.azure.handle = handle  # type: ignore[method-assign]
    alone(ground).get_work_item_fields()
    other = Ground()
    try:
        elsewhere = recorded(other.estate.azure)
        alone(other).get_work_item_fields()
        assert elsewhere[-1].headers["x-tfs-session"] == "of-that-organisation"
        del asked[:], elsewhere[:]
        opened_and_made(ground.connector("azure_devops"))
        opened_and_made(other.connector("azure_devops"))
        sent = [{r.headers["x-tfs-session"] for r in seen if r.method != "OPTIONS"} for seen in (asked, elsewhere)]
        assert len(sent[0]) == len(sent[1]) == 1
        assert not sent[0] & sent[1] and "of-that-organisation" not in sent[0] | sent[1]
    finally:
        other.close()


UNWRITABLE = "/proc/nowhere"


@pytest.mark.parametrize(
    ("code", "works"),
    [
        ("import azure.devops.client", False),
        ("from connectors.azure_devops.service import library; library()", True),
    ],
    ids=["alone", "ours"],
)
def test_a_home_that_cannot_be_written_fails_the_import(code: str, works: bool) -> None:
    """stack.md 2.3: its cache on disk is made when it is imported."""
    environ = {**os.environ, "HOME": UNWRITABLE, "AZURE_DEVOPS_CACHE_DIR": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert (ran.returncode == 0) == works, ran.stderr[-500:]


def test_addresses_of_a_server_that_went_are_kept_on_disk_for_the_next(ground: Ground, tmp_path: Path) -> None:
    """stack.md 2.3: twelve hours, by address; a sandbox on the same port, or a server that moved, is spoken to by the
    old ones. The connector asks anew when it opens, and writes nothing: ``test_the_library_keeps_nothing_on_disk``."""
    code = (
        "from msrest.authentication import BasicAuthentication as B\n"
        "from azure.devops.v7_1.work_item_tracking import WorkItemTrackingClient as C\n"
        f"C('http://127.0.0.1:{ground.port('azure_devops')}/example', B('', '{AZURE_PAT}')).get_work_item_fields()"
    )
    environ = {**os.environ, "AZURE_DEVOPS_CACHE_DIR": str(tmp_path), "NO_PROXY": "*"}
    for _ in range(2):
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=environ, check=True)
    assert ground.estate.log.count("azure", "OPTIONS") == 1 and list(tmp_path.rglob("options.json"))

    one: Any = ground.connector("azure_devops")
    for _ in range(2):
        one.open([SCOPE])
    assert ground.estate.log.count("azure", "OPTIONS") == 3


def test_a_bearer_token_over_http_is_refused_even_to_this_machine() -> None:
    """stack.md 2.3. Ours is put into the header, so that a sandbox can be spoken to: tests/test_traps_entra.py."""
    from msrest.authentication import OAuthTokenAuthentication

    client = library().WorkItemTrackingClient(
        "http://127.0.0.1:9/example", OAuthTokenAuthentication("id", {"access_token": "x"})
    )
    with pytest.raises(Exception, match="OAuth 2 MUST utilize https"):
        client.get_work_item(1)
