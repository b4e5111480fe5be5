"""Lists that the product reads and that no other test of the simulated trackers asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.clock import SandboxClock
from sandbox.estate import AZURE_PAT, Estate
from sandbox.jira.datacenter import DataCenter


@pytest.fixture
def estate() -> Iterator[Estate]:
    clock = SandboxClock(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    estate = Estate(clock=clock, jira=DataCenter("jira", clock))
    yield estate
    estate.stop()


def read(url: str, user: str, password: str) -> Any:
    answer = requests.get(url, auth=(user, password), timeout=10)
    assert answer.status_code == 200
    return answer.json()


def test_data_center_lists_priorities_resolutions_and_what_a_person_may_edit(estate: Estate) -> None:
    """DC GET /api/2/priority, /api/2/resolution, /api/2/issue/{issueIdOrKey}/editmeta"""
    place, account = f"{estate.urls['jira']}/rest/api/2", ("lockstep", "bot-password")
    issue = estate.jira.create({"project": "CSPM", "issuetype": "Bug", "summary": "one"}, by="Ana Ruiz")
    assert [one["name"] for one in read(f"{place}/priority", *account)][:2] == ["Highest", "High"]
    assert "Done" in [one["name"] for one in read(f"{place}/resolution", *account)]
    fields = read(f"{place}/issue/{issue}/editmeta", *account)["fields"]
    assert fields["summary"]["required"] and "status" not in fields


def test_an_organisation_lists_its_fields_with_type_and_reference_name(estate: Estate) -> None:
    """wit GET fields"""
    listed = read(f"{estate.urls['azure']}/_apis/wit/fields?api-version=7.1", "", AZURE_PAT)
    by_name = {one["referenceName"]: one for one in listed["value"]}
    assert listed["count"] == len(by_name)
    assert (by_name["System.Title"]["type"], by_name["System.Tags"]["type"]) == ("string", "plainText")
    assert by_name["System.ChangedDate"]["readOnly"]
