"""What the jira library alone is caught by, shown with the library itself, and what the connector does instead. A new
version of the library that mends a trap fails the test that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jira
import pytest
import requests

from connectors.base import Busy, Refused, Unsure
from mappings.model import Change
from sandbox.estate import JIRA_TOKEN
from sandbox.faults import Fault
from sandbox.wire import Answer
from tests.contract import changes
from tests.traps import SCOPES, Ground, draft, opened_and_made, recorded

SCOPE = SCOPES["jira"]
NEW = {"project": {"key": "CSPM"}, "issuetype": {"name": "Bug"}, "summary": "made by the library"}
CREATE = "/rest/api/2/issue$"


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the library would have slept."""
    naps: list[float] = []
    monkeypatch.setattr("jira.resilientsession.time", SimpleNamespace(sleep=naps.append))
    return naps


def alone(ground: Ground, **options: Any) -> jira.JIRA:
    """The library by itself, as its documentation shows it."""
    return jira.JIRA(ground.estate.urls["jira"], basic_auth=("lockstep@example.org", JIRA_TOKEN), **options)


def strikes(ground: Ground, kind: str, path: str = CREATE, **options: Any) -> Fault:
    return ground.estate.faults.add(Fault(kind, tracker="jira", method="POST", path=path, **options))


def test_a_creation_whose_answer_was_lost_is_sent_four_times(ground: Ground, slept: list[float]) -> None:
    """stack.md 2.2, 6.1: four issues."""
    fault = strikes(ground, "reset_after")
    with pytest.raises(requests.ConnectionError):
        alone(ground).create_issue(NEW)
    assert len(ground.estate.jira.ids()) == 4 and len(slept) == 3

    one = ground.connector("jira")
    one.open([SCOPE])
    with pytest.raises(Unsure):
        one.create(SCOPE, draft("jira"))
    assert len(ground.estate.jira.ids()) == 5 and len(slept) == 3
    ground.estate.faults.rules.remove(fault)


def test_a_rest_longer_than_a_minute_is_cut_short_and_the_creation_sent_again(
    ground: Ground, slept: list[float]
) -> None:
    """stack.md 2.2: ``Retry-After: 300`` is hammered after less than a minute."""
    wait = Answer(429, b"{}", {"Retry-After": "300", "Content-Type": "application/json"})
    strikes(ground, "answer", answer=wait, times=3)
    alone(ground).create_issue(NEW, prefetch=False)
    assert len(slept) == 3 and max(slept) <= 60

    one = ground.connector("jira")
    one.open([SCOPE])
    fault = strikes(ground, "answer", answer=wait)
    for _ in range(2):
        with pytest.raises(Busy):
            one.create(SCOPE, draft("jira"))
    assert (fault.struck, len(slept)) == (1, 3), "asked once, and then left alone"


@pytest.mark.parametrize("value", ["Mon, 05 Jan 2026 08:05:00 GMT", "1.5"])
def test_a_rest_told_as_a_date_or_a_fraction_is_an_error_of_its_own(
    ground: Ground, slept: list[float], value: str
) -> None:
    """stack.md 2.2. The connector: ``TestBadAnswers``."""
    strikes(ground, "answer", answer=Answer(429, b"{}", {"Retry-After": value}))
    with pytest.raises(ValueError, match="invalid literal for int"):
        alone(ground).create_issue(NEW)


def test_a_search_without_knowing_the_site_is_nothing_at_all(ground: Ground) -> None:
    """stack.md 2.2, 6.4: the library logs a warning, sends nothing and answers ``None``. The connector's session:
    ``test_the_librarys_own_search_takes_our_session_for_the_cloud``."""
    asked = recorded(ground.estate.jira)
    assert alone(ground, get_server_info=False).enhanced_search_issues("project = CSPM") is None
    assert asked == []


def test_a_repeated_page_token_is_followed_for_ever(ground: Ground) -> None:
    """stack.md 2.2, apis.md 2.1. The connector: ``test_a_repeated_token_ends_as_down_and_not_never``."""
    page = {"issues": [], "nextPageToken": "again", "isLast": False}
    asked = recorded(ground.estate.jira)
    whole = ground.estate.jira.handle

    def handle(request: Any) -> Answer:
        if not request.path.endswith("/search/jql"):
            return whole(request)
        asked.append(request)
        return Answer.of(page) if len(asked) < 50 else Answer.of({"errorMessages": ["enough"], "errors": {}}, 400)

    ground.estate.jira.handle = handle  # type: ignore[method-assign]
    with pytest.raises(jira.JIRAError):
        alone(ground).enhanced_search_issues("project = CSPM", maxResults=False, fields="summary")
    assert len(asked) >= 50


def test_one_page_is_taken_for_all_unless_the_library_is_told_otherwise(ground: Ground) -> None:
    """apis.md 4.2: ``maxResults=50``, and nobody says that there is more."""
    made = [ground.estate.jira.create({"summary": f"item {n}"}, "Ana Ruiz") for n in range(55)]
    ground.estate.clock.sleep(600)
    assert len(alone(ground).search_issues("project = CSPM")) == 50
    one = ground.connector("jira")
    one.open([SCOPE])
    assert {notice.ref.id for notice in changes(one, SCOPE)[0]} == set(made)


def test_it_waits_for_ever_unless_told_otherwise(ground: Ground) -> None:
    """stack.md 2.2, apis.md 4.2. The connector: ``test_an_answer_that_never_comes_is_given_up``."""
    assert alone(ground)._session.timeout is None


def test_every_write_is_followed_by_a_read_that_may_fail_it(ground: Ground) -> None:
    """stack.md 2.2: PUT and GET, always; a read that fails makes an applied write look like a failed one."""
    one = ground.connector("jira")
    record = opened_and_made(one)
    issue = alone(ground).issue(record.key)
    asked = recorded(ground.estate.jira)
    issue.update(summary="new")
    assert [request.method for request in asked] == ["PUT", "GET"]
    del asked[:]
    one.update(SCOPE, record, Change({"summary": "newer"}))
    assert [request.method for request in asked] == ["PUT"]


def test_an_error_loses_the_names_of_the_fields_it_blames(ground: Ground) -> None:
    """apis.md 4.2."""
    one = ground.connector("jira")
    one.open([SCOPE])
    told = {"errorMessages": [], "errors": {"customfield_10041": "Is required."}}
    strikes(ground, "answer", answer=Answer.of(told, 400))
    with pytest.raises(jira.JIRAError) as caught:
        alone(ground).create_issue(NEW)
    assert caught.value.text == "Is required."
    with pytest.raises(Refused, match="customfield_10041: Is required") as refused:
        one.create(SCOPE, draft("jira"))
    assert refused.value.fields == ("customfield_10041",)
