"""Processes of the simulated Azure DevOps: types, states, steps, categories, the custom type of an inherited one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.azure_devops import Field
from sandbox.azure_devops.process import MYTC, PROCESSES, SCRUM, inherited
from tests.azure_wire import PATCH, Wire, problem, wired

TYPES = "Portal/_apis/wit/workitemtypes"


@pytest.fixture
def mytc() -> Iterator[Wire]:
    process = {"Portal": "myTC", "Platform": "Agile"}
    with wired(process=process, processes=[MYTC], custom=[Field("Custom.Client", "Client")]) as made:
        yield made


@pytest.mark.parametrize(
    ("process", "type", "states"),
    [
        ("Scrum", "Product Backlog Item", "New Approved Committed Done Removed"),
        ("Scrum", "Task", "To Do/In Progress/Done/Removed"),
        ("Agile", "User Story", "New Active Resolved Closed Removed"),
        ("Basic", "Issue", "To Do/Doing/Done"),
        ("CMMI", "Requirement", "Proposed Active Resolved Closed"),
    ],
)
def test_each_shipped_type_has_the_states_of_its_process(process: str, type: str, states: str) -> None:
    """apis.md 3.2."""
    with wired(process=process) as wire:
        names = [one["name"] for one in wire.get(f"{TYPES}/{type}/states")["value"]]
    assert names == (states.split("/") if "/" in states else states.split())


def test_states_have_categories_to_map_by(mytc: Wire) -> None:
    states = mytc.get(f"{TYPES}/Request/states")["value"]
    assert [(one["name"], one["category"]) for one in states] == [
        ("New", "Proposed"), ("In Planning", "InProgress"), ("In Progress", "InProgress"), ("Done", "Completed"),
        ("Rejected", "Removed"),
    ]  # fmt: skip


def test_the_custom_type_request_lives_beside_the_types_it_inherits(mytc: Wire) -> None:
    """processes/001: a request is moved from New to In Planning."""
    types = {one["name"]: one["referenceName"] for one in mytc.get(TYPES)["value"]}
    assert (types["Request"], types["Bug"]) == ("myTC.Request", "Microsoft.VSTS.WorkItemTypes.Bug")
    made = mytc.create("Request", Custom__Client="ACME")
    assert (made["fields"]["System.State"], made["fields"]["Custom.Client"]) == ("New", "ACME")
    moved = mytc.set(made["id"], System__State="In Planning").json()["fields"]
    assert (moved["System.State"], moved["System.Reason"]) == ("In Planning", "Triage started")
    body = problem(mytc.set(made["id"], System__State="Approved"), 400, "RuleValidationException")
    assert body["customProperties"]["FieldReferenceName"] == "System.State"
    answer = mytc.call("POST", "Platform/_apis/wit/workitems/$Request", mytc.fields(System__Title="x"), headers=PATCH)
    problem(answer, 404, "WorkItemTypeNotFoundException")


def test_a_rule_of_an_inherited_process_forbids_a_step() -> None:
    strict = inherited(SCRUM, "Strict", "Request | New:Proposed:New", barred=[("Task", "To Do", "Done")])
    with wired(process="Strict", processes=[strict]) as wire:
        steps = wire.get(f"{TYPES}/Task")["transitions"]
        assert [one["to"] for one in steps["To Do"]] == ["In Progress", "Removed"]
        assert [one["to"] for one in steps[""]] == ["To Do"]
        id = wire.create("Task")["id"]
        problem(wire.set(id, System__State="Done"), 400, "RuleValidationException")
        wire.set(id, System__State="In Progress")
        assert wire.set(id, System__State="Done").status_code == 200


def test_the_fields_of_a_type_tell_what_they_take(mytc: Wire) -> None:
    fields = {one["referenceName"]: one for one in mytc.get(f"{TYPES}/Request/fields?$expand=all")["value"]}
    assert fields["System.State"]["allowedValues"] == ["New", "In Planning", "In Progress", "Done", "Rejected"]
    assert fields["System.Title"]["alwaysRequired"] and not fields["Custom.Client"]["alwaysRequired"]
    assert fields["Microsoft.VSTS.Common.Priority"]["defaultValue"] == "2"
    assert "Microsoft.VSTS.TCM.ReproSteps" not in fields
    assert "Jane Doe" in [one["displayName"] for one in fields["System.AssignedTo"]["allowedValues"]]
    problem(
        mytc.call("GET", f"{TYPES}/Request/fields/Microsoft.VSTS.TCM.ReproSteps"),
        400,
        "WorkItemTrackingFieldDefinitionNotFoundException",
    )


@pytest.mark.parametrize(
    ("process", "type"),
    [("Scrum", "Product Backlog Item"), ("Agile", "User Story"), ("Basic", "Issue"), ("CMMI", "Requirement")],
)
def test_categories_tell_which_types_stand_on_which_backlog(process: str, type: str) -> None:
    """Vendor's example of Microsoft.RequirementCategory."""
    with wired(process=process) as wire:
        one = wire.get("Portal/_apis/wit/workitemtypecategories/Microsoft.RequirementCategory")
        names = [each["name"] for each in wire.get("Portal/_apis/wit/workitemtypecategories")["value"]]
        problem(
            wire.call("GET", "Portal/_apis/wit/workitemtypecategories/x"), 404, "WorkItemTypeCategoryNotFoundException"
        )
    assert (one["defaultWorkItemType"]["name"], [each["name"] for each in one["workItemTypes"]]) == (type, [type])
    assert "Task Category" in names and ("Bug Category" in names) == (process != "Basic")


def test_processes_are_listed_shipped_and_inherited(mytc: Wire) -> None:
    listed = {one["name"]: one for one in mytc.get("_apis/process/processes")["value"]}
    assert set(listed) == {*PROCESSES, "myTC"}
    assert (listed["Basic"]["id"], listed["Basic"]["type"]) == ("b8a3a935-7e91-48b8-a94c-606d37c3e9f2", "system")
    assert listed["myTC"]["type"] == "inherited"
    assert mytc.get(f"_apis/process/processes/{listed['myTC']['id']}")["name"] == "myTC"
    project = mytc.get("_apis/projects/Portal?includeCapabilities=true")
    assert project["capabilities"]["processTemplate"]["templateName"] == "myTC"


def test_a_project_is_made_by_an_operation_that_is_polled(mytc: Wire) -> None:
    """recorded-az-cli-vcr 23 to 28: 202 notSet, then inProgress, at last succeeded."""
    basic = {"processTemplate": {"templateTypeId": "b8a3a935-7e91-48b8-a94c-606d37c3e9f2"}}
    queued = mytc.post("_apis/projects", {"name": "Fresh", "capabilities": basic}, status=202)
    assert queued["status"] == "notSet"
    polled = [mytc.get(f"_apis/operations/{queued['id']}")["status"] for _ in range(5)]
    assert polled == ["inProgress", "inProgress", "inProgress", "succeeded", "succeeded"]
    fresh = mytc.get("_apis/projects/fresh")
    assert (fresh["name"], fresh["defaultTeam"]["name"]) == ("Fresh", "Fresh Team")
    assert mytc.post("Fresh/_apis/wit/workitems/$Issue", mytc.fields(System__Title="x"), headers=PATCH)["id"]
    again = mytc.call("POST", "_apis/projects", {"name": "FRESH", "capabilities": basic})
    problem(again, 409, "ProjectAlreadyExistsException")


def test_a_completed_state_brings_the_date_of_closing_and_another_takes_it(mytc: Wire) -> None:
    """Vendor's example of the reporting feed: Microsoft.VSTS.Common.ClosedDate on an item that is Done."""
    id = mytc.create()["id"]
    closed = mytc.set(id, System__State="Done").json()["fields"]
    assert closed["Microsoft.VSTS.Common.ClosedDate"] == closed["Microsoft.VSTS.Common.StateChangeDate"]
    assert "Microsoft.VSTS.Common.ClosedDate" not in mytc.set(id, System__State="New").json()["fields"]


def test_the_next_state_of_an_item_is_told(mytc: Wire) -> None:
    """wit GET workitemtransitions; an item that is not there has an errorCode."""
    id = mytc.create("Task")["id"]
    found = mytc.get(f"_apis/wit/workitemtransitions?ids={id},99")["value"]
    assert (found[0]["stateOnTransition"], found[1]["errorCode"]) == ("In Progress", "TF401232")


def test_a_template_of_a_type_is_what_a_new_item_starts_with(mytc: Wire) -> None:
    """Vendor's example of GET workitems/$type."""
    fields = mytc.get("Portal/_apis/wit/workitems/$Task")["fields"]
    assert (fields["Microsoft.VSTS.Common.Priority"], fields["System.State"]) == (2, "To Do")
    assert "System.Title" not in fields and mytc.tracker.ids() == []
