"""The release that work is meant for, shown on the other sides."""

from __future__ import annotations

from pathlib import Path

from sandbox.azure_devops import AzureDevOps
from sandbox.clock import SandboxClock
from sandbox.estate import AZURE_PAT, SERVICENOW_PASSWORD, Estate
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.columns import Column
from sandbox.servicenow.model import Model
from sandbox.story import MORNING
from tests.world import ANA, CHEN, World, copies_of
from tests.world import writes as sent

FIELDS = """
[fields.release]
incident  = "u_target_release"
defect    = "fixVersions"
owner     = "defect"
exclusive = true
[fields.iteration]
incident  = "u_iteration"
pbi       = "@iteration"
[fields.due]
type      = "date"
incident  = "due_date"
defect    = "duedate"
[[rules]]
id      = "due-changed"
changes = ["due"]
  [[rules.steps]]
  say = { on = "incident.comments", text = "It is now due on {due}, in release {release}." }
[[routes]]"""


def estate() -> Estate:
    clock = SandboxClock(MORNING)
    shown = (Column("u_target_release", "Target Release"), Column("u_iteration", "Iteration"))
    users = {"lockstep": SERVICENOW_PASSWORD}
    snow = ServiceNow("servicenow", clock, users=users, model=Model(extra=shown))
    snow.data.named("sys_user_group", "API Support")
    iterations = {"Portal": ("2026", "2026\\Sprint 23")}
    azure = AzureDevOps("azure", clock, iterations=iterations, pats={AZURE_PAT: "Lockstep"})
    return Estate(clock=clock, servicenow=snow, azure=azure)


def test_fix_versions_and_iteration_are_shown_on_the_incident_and_a_new_due_date_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, lambda text: text.replace("\n[[routes]]", FIELDS, 1), estate())
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    incident, defect, pbi = world.linked()
    assert snow.item(incident).get("u_iteration", "") == ""  # at the root of the iterations: in none
    first, second = (version.name for version in jira.site.projects["CSPM"].versions[:2])
    jira.update(defect, {"fixVersions": [first], "duedate": "2026-12-01"}, by=ANA)
    azure.update(pbi, {"System.IterationPath": "Portal\\2026\\Sprint 23"}, by=CHEN)
    world.settle()
    assert snow.item(incident)["u_target_release"] == first and snow.item(incident)["u_iteration"] == "Sprint 23"
    assert copies_of(f"due on 2026-12-01, in release {first}", world.words("servicenow", incident)) == 1
    jira.update(defect, {"fixVersions": [first, second], "duedate": "2026-12-08"}, by=ANA)
    world.settle()
    assert snow.item(incident)["u_target_release"] == f"{first}, {second}"
    assert copies_of("It is now due on 2026-12-08", world.words("servicenow", incident)) == 1
    assert copies_of("It is now due on", world.words("servicenow", incident)) == 2
    with world.counting() as asked:
        world.reconcile()
    assert sent(asked) == []
    world.close()
