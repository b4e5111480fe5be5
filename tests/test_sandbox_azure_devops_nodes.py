"""Areas, iterations and teams of the simulated Azure DevOps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.azure_wire import JANE, Wire, problem, wired

NODES = "Portal/_apis/wit/classificationnodes"
TEAM = "Portal/Portal%20Team/_apis/work/teamsettings"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired(iterations={"Portal": ("Release 1\\Sprint 1", "Release 1\\Sprint 2")}) as made:
        yield made


def dated(wire: Wire, name: str, start: str, finish: str) -> Any:
    dates = {"startDate": f"{start}T00:00:00Z", "finishDate": f"{finish}T00:00:00Z"}
    return wire.ask("PATCH", f"{NODES}/iterations/Release%201/{name}", {"attributes": dates})


def test_a_node_has_the_recorded_shape(wire: Wire) -> None:
    """recorded-az-cli-vcr 17 and 18: 201, path with the group in it, links to itself and its parent."""
    top = wire.post(f"{NODES}/areas", {"name": "Web"}, status=201)
    assert list(top) == ["id", "identifier", "name", "structureType", "hasChildren", "path", "_links", "url"]
    assert (top["structureType"], top["hasChildren"], top["path"]) == ("area", False, "\\Portal\\Area\\Web")
    below = wire.post(f"{NODES}/areas/%5CWeb", {"name": "Forms"}, status=201)
    assert below["url"].endswith("/_apis/wit/classificationNodes/Areas/Web/Forms")
    assert below["_links"]["parent"]["href"] == top["url"]


def test_a_node_is_moved_by_posting_its_id_to_another_parent(wire: Wire) -> None:
    """recorded-az-cli-vcr 20: 200."""
    web, forms = (wire.post(f"{NODES}/areas", {"name": name}, status=201) for name in ("Web", "Forms"))
    id = wire.create(System__AreaPath="Portal\\Forms")["id"]
    moved = wire.post(f"{NODES}/areas/Web", {"id": forms["id"]})
    assert (moved["id"], moved["path"]) == (forms["id"], "\\Portal\\Area\\Web\\Forms")
    assert wire.read(id)["fields"]["System.AreaPath"] == "Portal\\Web\\Forms" and wire.read(id)["rev"] == 1
    problem(wire.call("POST", f"{NODES}/areas/Web/Forms", {"id": web["id"]}), 400, "VssPropertyValidationException")


def test_trees_are_shown_as_deep_as_asked(wire: Wire) -> None:
    roots = wire.get(NODES, params={"$depth": 2})["value"]
    assert [one["structureType"] for one in roots] == ["area", "iteration"]
    release = roots[1]["children"][0]
    assert [one["name"] for one in release["children"]] == ["Sprint 1", "Sprint 2"]
    assert "children" not in wire.get(f"{NODES}/iterations")
    ids = f"{release['id']},77777"
    problem(wire.call("GET", f"{NODES}?ids={ids}"), 404, "WorkItemTrackingTreeNodeNotFoundException")
    found = wire.get(f"{NODES}?ids={ids}&errorPolicy=omit")["value"]
    assert (found[0]["name"], found[1]) == ("Release 1", None)


def test_names_are_unique_below_a_node_and_have_no_odd_characters(wire: Wire) -> None:
    again = wire.call("POST", f"{NODES}/areas", {"name": "defects"})
    problem(again, 409, "ClassificationNodeDuplicateNameException")
    problem(wire.call("POST", f"{NODES}/areas", {"name": "a/b"}), 400, "ClassificationNodeNameInvalidException")
    problem(wire.call("GET", f"{NODES}/areas/Nowhere"), 404, "WorkItemTrackingTreeNodeNotFoundException")


def test_a_renamed_node_shows_on_its_items_without_a_revision(wire: Wire) -> None:
    id = wire.create(System__AreaPath="Portal\\Defects")["id"]
    wire.ask("PATCH", f"{NODES}/areas/Defects", {"name": "Faults"})
    found = wire.read(id)
    assert (found["fields"]["System.AreaPath"], found["rev"]) == ("Portal\\Faults", 1)
    assert wire.query("[System.AreaPath] UNDER 'Portal\\Faults'") == [id]


def test_a_deleted_node_s_items_go_to_another(wire: Wire) -> None:
    id = wire.create(System__AreaPath="Portal\\Defects")["id"]
    assert wire.call("DELETE", f"{NODES}/areas/Defects").status_code == 400
    root = wire.get(f"{NODES}/areas")["id"]
    assert wire.call("DELETE", f"{NODES}/areas/Defects?$reclassifyId={root}").status_code == 204
    found = wire.read(id)
    assert (found["fields"]["System.AreaPath"], found["rev"]) == ("Portal", 2)


def test_an_iteration_must_exist_to_be_written(wire: Wire) -> None:
    id = wire.create(System__IterationPath="portal\\release 1\\sprint 1")["id"]
    assert wire.read(id)["fields"]["System.IterationPath"] == "Portal\\Release 1\\Sprint 1"
    answer = wire.set(id, System__IterationPath="Portal\\Release 9")
    assert "TF401347" in problem(answer, 400, "WorkItemTrackingTreeNodeNotFoundException")["message"]
    expanded = wire.read(id, "?$expand=fields")["fields"]
    assert expanded["System.IterationId"] == wire.get(f"{NODES}/iterations/Release%201/Sprint%201")["id"]


def test_a_team_s_current_iteration_follows_the_clock(wire: Wire) -> None:
    assert dated(wire, "Sprint%201", "2026-01-05", "2026-01-16")["attributes"]["startDate"] == "2026-01-05T00:00:00Z"
    dated(wire, "Sprint%202", "2026-01-19", "2026-01-30")
    assert [one["name"] for one in wire.get(f"{TEAM}/iterations?$timeframe=current")["value"]] == ["Sprint 1"]
    wire.clock.advance(timedelta(days=11, hours=15))
    assert [one["name"] for one in wire.get(f"{TEAM}/iterations?$timeframe=current")["value"]] == ["Sprint 1"]
    wire.clock.advance(timedelta(days=1))
    assert wire.get(f"{TEAM}/iterations?$timeframe=current")["value"] == []
    wire.clock.advance(timedelta(days=3))
    frames = [one["attributes"]["timeFrame"] for one in wire.get(f"{TEAM}/iterations")["value"]]
    assert frames == ["past", "current", "future"]
    answer = wire.call(
        "PATCH", f"{NODES}/iterations/Release%201", {"attributes": {"startDate": "2026-01-05T00:00:00Z"}}
    )
    assert answer.status_code == 400


def test_items_follow_the_current_iteration_in_queries(wire: Wire) -> None:
    dated(wire, "Sprint%201", "2026-01-05", "2026-01-16")
    dated(wire, "Sprint%202", "2026-01-19", "2026-01-30")
    ids = [wire.create(System__IterationPath=f"Portal\\Release 1\\Sprint {n}")["id"] for n in (1, 2)]
    where = "[System.IterationPath] = @CurrentIteration"
    assert wire.query(where, "Portal/Portal%20Team/_apis/wit/wiql") == [ids[0]]
    assert wire.query(f"{where} + 1", "Portal/Portal%20Team/_apis/wit/wiql") == [ids[1]]
    assert wire.query(f"{where}('[Portal]\\Portal Team') + 1") == [ids[1]]
    assert wire.wiql(f"SELECT [System.Id] FROM WorkItems WHERE {where}").status_code == 400


def test_a_team_chooses_its_iterations(wire: Wire) -> None:
    """recorded-az-cli-vcr 22: TF400497 where the team has no backlog iteration."""
    wire.post("_apis/projects/Portal/teams", {"name": "Night shift"})
    node = wire.get(f"{NODES}/iterations/Release%201/Sprint%201")["identifier"]
    place = "Portal/Night%20shift/_apis/work/teamsettings"
    answer = wire.call("POST", f"{place}/iterations", {"id": node})
    assert problem(answer, 400, "InvalidTeamSettingsException")["message"].startswith("TF400497: The backlog iteration")
    assert wire.get(place)["backlogIteration"] is None
    assert wire.post(f"{TEAM}/iterations", {"id": node})["path"] == "Portal\\Release 1\\Sprint 1"
    assert wire.call("DELETE", f"{TEAM}/iterations/{node}").status_code == 204
    problem(wire.call("GET", f"{TEAM}/iterations/{node}"), 404, "WorkItemTrackingTreeNodeNotFoundException")


def test_the_items_of_an_iteration_are_listed_as_links(wire: Wire) -> None:
    parent = wire.create(System__IterationPath="Portal\\Release 1\\Sprint 1")["id"]
    child = wire.create("Task", System__IterationPath="Portal\\Release 1\\Sprint 1")["id"]
    wire.link(parent, "System.LinkTypes.Hierarchy-Forward", child)
    node = wire.get(f"{NODES}/iterations/Release%201/Sprint%201")["identifier"]
    rows = wire.get(f"{TEAM}/iterations/{node}/workitems")["workItemRelations"]
    assert [(one["source"] and one["source"]["id"], one["target"]["id"]) for one in rows] == [
        (None, parent),
        (parent, child),
    ]


def test_a_team_s_areas_need_a_default(wire: Wire) -> None:
    """recorded-az-cli-vcr 21: 400 TeamFieldArgumentNullException without defaultValue."""
    values = [{"value": "Portal\\Defects", "includeChildren": True}]
    answer = wire.call("PATCH", f"{TEAM}/teamfieldvalues", {"values": values})
    assert problem(answer, 400, "TeamFieldArgumentNullException")["message"] == "DefaultValue"
    body = {"values": values, "defaultValue": "Portal\\Defects"}
    assert wire.ask("PATCH", f"{TEAM}/teamfieldvalues", body)["values"] == values
    assert wire.get(f"{TEAM}/teamfieldvalues")["defaultValue"] == "Portal\\Defects"


def test_projects_have_teams_and_teams_members(wire: Wire) -> None:
    wire.tracker.org.teams.team(wire.tracker.org.projects["Portal"]).members.append(JANE)
    (team,) = wire.get("_apis/projects/Portal/teams")["value"]
    assert (team["name"], team["projectName"]) == ("Portal Team", "Portal")
    (member,) = wire.get(f"_apis/projects/Portal/teams/{team['id']}/members")["value"]
    assert member["identity"]["uniqueName"] == JANE
    preview = {"Accept": "application/json;api-version=7.1-preview.3"}
    assert len(wire.get("_apis/teams", headers=preview)["value"]) == 2
    problem(wire.call("GET", "_apis/projects/Portal/teams/Nobody"), 404, "TeamNotFoundException")


def test_a_team_is_renamed_and_deleted_but_for_the_default_one(wire: Wire) -> None:
    """core PATCH and DELETE projects/{projectId}/teams/{teamId}, with their examples."""
    id = wire.post("_apis/projects/Portal/teams", {"name": "Night shift"})["id"]
    renamed = wire.ask("PATCH", f"_apis/projects/Portal/teams/{id}", {"name": "Late", "description": "d"})
    assert (renamed["name"], renamed["description"]) == ("Late", "d")
    assert wire.call("DELETE", "_apis/projects/Portal/teams/Late").status_code == 204
    assert wire.call("DELETE", "_apis/projects/Portal/teams/Portal%20Team").status_code == 400


def test_the_levels_of_a_path_are_fields(wire: Wire) -> None:
    id = wire.create(System__IterationPath="Portal\\Release 1\\Sprint 1")["id"]
    fields = wire.read(id, "?$expand=all")["fields"]
    assert [fields[f"System.IterationLevel{n}"] for n in (1, 2, 3)] == ["Portal", "Release 1", "Sprint 1"]
    assert "System.IterationLevel2" not in wire.read(id)["fields"]
