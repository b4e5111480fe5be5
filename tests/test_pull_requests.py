"""Pull requests: how those of an item stand is read with it, shown on the other sides, and opens gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.azure_devops.pull_requests import FEW
from mappings.pull_requests import standing
from sandbox.clock import SandboxClock
from sandbox.estate import PEOPLE, SERVICENOW_PASSWORD, Estate
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import Model
from sandbox.story import MORNING
from sync.config import ConfigProblems
from tests.world import ANA, CHEN, RITA, World, copies_of
from tests.world import writes as sent


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ((), None),
        (("open", "merged"), "open"),
        (("merged", "abandoned"), "merged"),
        (("merged", "merged"), "merged"),
        (("abandoned",), "abandoned"),
        (("abandoned", "open"), "open"),
    ],
)
def test_several_pull_requests_are_open_while_one_is_and_merged_once_all_that_count_are(
    states: tuple[str, ...], shown: str | None
) -> None:
    assert standing(states) == shown


FIELDS = """
[fields.pull_request]
{side}   = "@pull_request"
incident = "u_pull_request"
[fields.pull_request_url]
{side}   = "@pull_request_url"
incident = "u_pull_request_url"
[[routes]]"""
GATE = """needs    = ["pull_request", { when = 'pull_request == "merged"', ask = "Merge the pull request" }]
gate     = "hold"
"""


def shows(side: str, gate: str = "") -> Any:
    def edit(text: str) -> str:
        text = text.replace("\n[[routes]]", FIELDS.format(side=side), 1)
        return text.replace('name     = "Closed"\n', f'name     = "Closed"\n{gate}') if gate else text

    return edit


def estate() -> Estate:
    """The incident's form shows the pull request."""
    clock = SandboxClock(MORNING)
    shown = [Column(name, name, max_length=200) for name in ("u_pull_request", "u_pull_request_url")]
    users = {"lockstep": SERVICENOW_PASSWORD}
    snow = ServiceNow("servicenow", clock, users=users, model=Model(extra=tuple(shown)))
    snow.data.named("sys_user_group", "API Support")
    return Estate(clock=clock, servicenow=snow)


def counted(asked: list[str], part: str) -> int:
    return sum(part in line.lower() for line in asked)


def test_a_pull_request_of_a_work_item_is_shown_on_the_incident_and_asked_for_until_it_is_merged(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, shows("pbi"), estate())
    snow, azure = world.estate.servicenow, world.estate.azure
    incident, _, pbi = world.linked()
    first = azure.open_request(pbi, by=CHEN)
    with world.counting() as asked:
        world.once()
    assert counted(asked, "/_apis/git/pullrequests/") == 1
    assert snow.item(incident)["u_pull_request"] == "open"
    assert snow.item(incident)["u_pull_request_url"].endswith(f"/Portal/_git/Portal/pullrequest/{first}")
    second = azure.open_request(pbi, by=CHEN)
    azure.close_request(first, "completed", by=CHEN)
    world.settle()
    assert snow.item(incident)["u_pull_request"] == "open"
    azure.close_request(second, "abandoned", by=CHEN)
    with world.counting() as asked:
        world.once()  # that moves no work item: open pull requests are asked for with each look
    assert snow.item(incident)["u_pull_request"] == "merged"
    assert (counted(asked, f"/pullrequests/{first}"), counted(asked, f"/pullrequests/{second}")) == (0, 2)
    with world.counting() as asked:
        world.once()
    assert counted(asked, "/pullrequests/") == 0
    with world.counting() as asked:
        world.reconcile()
    assert sent(asked) == []
    snow.update(incident, {"u_pull_request": "all done"}, by=RITA)
    world.settle()
    assert snow.item(incident)["u_pull_request"] == "merged"  # for nobody else to say
    assert copies_of("it is for pbi to change", world.words("servicenow", incident)) == 1
    world.close()


def test_a_gate_opens_by_itself_once_the_pull_request_is_merged(tmp_path: Path) -> None:
    world = World(tmp_path, shows("pbi", GATE), estate())
    snow, azure = world.estate.servicenow, world.estate.azure
    incident, defect, pbi = world.linked()
    world.estate.jira.update(defect, {"customfield_10044": "a leak in the pool"}, by=ANA)
    world.settle()
    number = azure.open_request(pbi, by=CHEN)
    world.estate.jira.move(defect, "Done", by=ANA, resolution="Done")
    world.settle()
    assert snow.state_of(incident) == "In Progress"
    assert copies_of("'Closed' waits: Merge the pull request", world.words("jira", defect)) == 1
    azure.close_request(number, "completed", by=CHEN)
    world.once()
    assert (snow.state_of(incident), azure.item(pbi)["System.State"]) == ("Resolved", "Done")
    assert world.engine.store.held() == []
    world.close()


def test_of_many_open_pull_requests_a_few_are_asked_for_with_each_look_in_turn(tmp_path: Path) -> None:
    world = World(tmp_path, shows("pbi"), estate())
    snow, azure = world.estate.servicenow, world.estate.azure
    incident, _, pbi = world.linked()
    numbers = [azure.open_request(pbi, by=CHEN) for _ in range(FEW + 2)]
    world.settle()
    for number in numbers:
        azure.close_request(number, "abandoned", by=CHEN)
    for asked_for in (FEW, 2):
        with world.counting() as asked:
            list(world.engine.connector("pbi").changes(world.engine.scope("pbi"), world.engine.store.cursor("pbi")[0]))
        assert counted(asked, "/pullrequests/") == asked_for
    world.reconcile()
    assert snow.item(incident)["u_pull_request"] == "abandoned"
    world.close()


def test_a_pull_request_that_we_may_not_read_counts_as_open(tmp_path: Path) -> None:
    world = World(tmp_path, shows("pbi"), estate())
    azure = world.estate.azure
    incident, _, pbi = world.linked()
    number = azure.open_request(pbi, by=CHEN)
    azure.close_request(number, "completed", by=CHEN)
    del azure.org.git.requests[number]
    world.settle()
    assert world.estate.servicenow.item(incident)["u_pull_request"] == "open"
    assert world.estate.servicenow.item(incident).get("u_pull_request_url", "") == ""
    world.close()


PULL = "https://github.com/example/portal/pull/12"


def test_a_pull_request_hung_on_an_issue_is_shown_with_one_call_for_each_issue_that_moved(tmp_path: Path) -> None:
    world = World(tmp_path, shows("defect"), estate())
    snow, jira = world.estate.servicenow, world.estate.jira
    incident, defect, _ = world.linked(pbi=False)
    point(world, defect, PULL, resolved=False)
    with world.counting() as asked:
        world.settle()
    assert counted(asked, "/remotelink") == 1
    assert snow.item(incident)["u_pull_request"] == "open" and snow.item(incident)["u_pull_request_url"] == PULL
    with world.counting() as asked:
        world.once()
    assert counted(asked, "/remotelink") == 0
    point(world, defect, PULL, resolved=True)
    world.reconcile()
    assert snow.item(incident)["u_pull_request"] == "merged"
    point(world, defect, "https://wiki.example.org/pull-requests", resolved=False)
    world.reconcile()
    assert snow.item(incident)["u_pull_request"] == "merged"
    assert jira.item(defect)["summary"]
    world.close()


def point(world: World, defect: str, url: str, *, resolved: bool) -> None:
    """Somebody's tool hangs a link on the issue, or says that what it leads to is over."""
    body = {"globalId": url, "object": {"url": url, "title": "Fix it", "status": {"resolved": resolved}}}
    address = f"{world.estate.urls['jira']}/rest/api/2/issue/{defect}/remotelink"
    answer = requests.post(address, json=body, auth=PEOPLE["jira"], timeout=10)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"@pull_request"', '"@pull_requests"', "pbi has nothing called @pull_requests to read"),
        ('incident = "u_pull_request"', 'incident = "u_pull_request"\nowner = "incident"', "nobody else can own it"),
        ('incident = "u_pull_request"', 'defect = "@pull_request"', "can each only be read"),
        ('pbi   = "@pull_request_url"', 'pbi   = ["@pull_request_url", "System.Title"]', "stands alone"),
        ("[[routes]]", 'SET[[routes]]', "pull_request can only be read"),
    ],
)  # fmt: skip
def test_a_slip_in_what_can_only_be_read_is_named(tmp_path: Path, old: str, new: str, what: str) -> None:
    rule = '[[rules]]\nid = "x"\nquiet = "1d"\n[[rules.steps]]\nset = { pull_request = "merged" }\n'

    def edit(text: str) -> str:
        text = shows("pbi")(text)
        assert old in text
        return text.replace(old, new.replace("SET", rule), 1)

    with pytest.raises(ConfigProblems, match=what):
        World(tmp_path, edit)
