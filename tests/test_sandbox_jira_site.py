"""What describes the simulated site, and its backups and copies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.clock import SandboxClock
from sandbox.jira import Jira
from sandbox.jira.defaults import ANA, BUG
from tests.jira_wire import START, Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.server.stop()


class TestVersions:
    def test_one_is_added_by_an_administrator_and_can_be_used_at_once(self, wire: Wire) -> None:
        body = {"projectId": 10000, "name": "26.07", "description": "summer", "releaseDate": "2026-07-01"}
        assert wire.send("POST", "version", body).status_code == 404
        wire.jira.promote("Lockstep")
        made = wire.send("POST", "version", body)
        assert made.status_code == 201
        assert (made.json()["released"], made.json()["releaseDate"], made.json()["projectId"]) == (
            False,
            "2026-07-01",
            10000,
        )
        assert wire.send("POST", "version", body).json()["errors"]["name"].startswith("A version with this name")
        id = wire.new()
        assert wire.send("PUT", f"issue/{id}", {"fields": {"fixVersions": [{"name": "26.07"}]}}).status_code == 204
        assert wire.keys("fixVersion = 26.07") == ["CSPM-1"]

    def test_they_are_listed_paged_changed_and_read(self, wire: Wire) -> None:
        names = [one["name"] for one in wire.get("project/CSPM/versions")]
        page = wire.get("project/CSPM/version", maxResults=2)
        assert [one["name"] for one in page["values"]] == names[:2] and page["isLast"] is False
        wire.jira.promote("Lockstep")
        first = page["values"][0]["id"]
        assert wire.send("PUT", f"version/{first}", {"released": True}).json()["released"] is True
        assert wire.get(f"version/{first}")["released"] is True
        assert wire.send("GET", "version/1").status_code == 404


class TestDescribing:
    @pytest.mark.parametrize(
        ("path", "names"),
        [
            ("priority", ["Highest", "High", "Medium", "Low", "Lowest"]),
            ("resolution", ["Done", "Won't Do", "Duplicate", "Cannot Reproduce"]),
            ("status", ["To Do", "In Progress", "In Review", "Done"]),
            ("issuetype", ["Bug", "Task", "Story"]),
            ("statuscategory", ["To Do", "In Progress", "Done"]),
            ("project/CSPM/components", ["Portal", "Batch"]),
            ("role", ["Developers", "Administrators"]),
        ],
    )
    def test_lists_name_what_there_is(self, wire: Wire, path: str, names: list[str]) -> None:
        assert [one["name"] for one in wire.get(path)] == names

    @pytest.mark.parametrize(
        ("path", "count"),
        [
            ("project/search", 2),
            ("priority/search", 5),
            ("statuses/search", 4),
            ("project/CSPM/component", 2),
            ("field/search", 34),
        ],
    )
    def test_lists_in_pages_tell_their_total(self, wire: Wire, path: str, count: int) -> None:
        page = wire.get(path, maxResults=1)
        assert (page["total"], len(page["values"]), page["isLast"]) == (count, 1, False)

    def test_a_project_tells_its_types_versions_components_and_roles(self, wire: Wire) -> None:
        project = wire.get("project/CSPM")
        assert [one["name"] for one in project["issueTypes"]] == ["Bug", "Task", "Story"]
        assert len(project["versions"]) == 3 and len(project["components"]) == 2
        role = wire.send("GET", project["roles"]["Developers"].partition("/api/2/")[2]).json()
        assert {actor["displayName"] for actor in role["actors"]} == {"Lockstep", "Ana Ruiz", "Ben Okafor"}
        assert wire.send("GET", "project/CSPM/role/1").status_code == 404
        wire.jira.deny("Lockstep", "CSPM", "BROWSE_PROJECTS")
        assert wire.send("GET", "project/CSPM").status_code == 404
        assert [one["key"] for one in wire.get("project/search")["values"]] == ["OPS"]

    def test_roles_are_for_everyone_or_for_administrators_as_switched(self, wire: Wire) -> None:
        """[U]: whether Administer Projects is wanted is not in the specs at hand"""
        mine = wire.get("project/CSPM/roledetails", currentMember="true")
        assert [one["name"] for one in mine] == ["Developers"] and len(wire.get("project/CSPM/roledetails")) == 2
        wire.jira.switches.roles_for_administrators = True
        paths = ("role", "role/10002", "roledetails")
        assert [wire.send("GET", f"project/CSPM/{path}").status_code for path in paths] == [404] * 3
        wire.jira.promote("Lockstep")
        assert [wire.send("GET", f"project/CSPM/{path}").status_code for path in paths] == [200] * 3

    def test_statuses_of_a_project_are_told_by_type(self, wire: Wire) -> None:
        """v3 GET /rest/api/3/project/{projectIdOrKey}/statuses"""
        types = {
            one["name"]: [status["name"] for status in one["statuses"]] for one in wire.get("project/CSPM/statuses")
        }
        assert types["Bug"] == ["To Do", "In Progress", "In Review", "Done"] and "In Review" not in types["Task"]

    def test_the_create_screen_lists_types_and_only_with_the_right_to_create(self, wire: Wire) -> None:
        """v3 GET /rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes"""
        assert [one["name"] for one in wire.get("issue/createmeta/CSPM/issuetypes")["issueTypes"]] == [
            "Bug",
            "Task",
            "Story",
        ]
        wire.jira.deny("Lockstep", "CSPM", "CREATE_ISSUES")
        assert wire.get("issue/createmeta/CSPM/issuetypes")["issueTypes"] == []
        assert wire.send("GET", f"issue/createmeta/CSPM/issuetypes/{BUG.id}").status_code == 400

    def test_labels_in_use(self, wire: Wire) -> None:
        wire.new(labels=["b", "a"])
        wire.jira.hide(wire.new(labels=["secret"]), "Lockstep")
        assert wire.get("label")["values"] == ["a", "b"]

    def test_the_server_says_what_it_is(self, wire: Wire) -> None:
        info = wire.get("serverInfo")
        assert (info["deploymentType"], info["versionNumbers"][0]) == ("Cloud", 1001)
        assert wire.get("configuration")["timeTrackingEnabled"] is True
        assert wire.get("project/type")[0]["key"] == "software" and wire.get("projectCategory") == []


class TestBackups:
    def everything(self, jira: Jira) -> dict[str, Any]:
        return {id: (jira.item(id), jira.comments(id), jira.history(id), jira.links(id)) for id in jira.ids()}

    def test_a_restored_backup_forgets_what_came_after_and_gives_its_ids_out_again(self, wire: Wire) -> None:
        kept = wire.new(labels=["a"])
        wire.send("PUT", f"issue/{kept}/properties/k", 1)
        backup, before = wire.jira.snapshot(), self.everything(wire.jira)
        for _ in range(2):
            wire.jira.update(kept, {"labels": ["b"]}, "Ana Ruiz")
            wire.jira.comment(kept, "lost", "Ana Ruiz")
            lost = wire.new()
            wire.jira.deny("Lockstep", "OPS", "EDIT_ISSUES")
            wire.jira.switches.old_keys = False
            wire.jira.restore(backup)
            assert self.everything(wire.jira) == before
            assert wire.send("GET", f"issue/{lost}").status_code == 404
            assert (wire.keys("labels = a"), wire.keys("labels = b")) == (["CSPM-1"], [])
        rights = wire.get("mypermissions", projectKey="OPS", permissions="EDIT_ISSUES")["permissions"]
        assert rights["EDIT_ISSUES"]["havePermission"] is True and wire.jira.switches.old_keys is False
        again = wire.new()
        assert wire.jira.item(again)["key"] == "CSPM-2" and wire.get(f"issue/{kept}/properties/k")["value"] == 1

    def test_the_clock_goes_on_after_a_restore(self, wire: Wire) -> None:
        backup = wire.jira.snapshot()
        wire.clock.advance(timedelta(days=1))
        wire.jira.restore(backup)
        assert wire.jira.item(wire.new())["created"] > START + timedelta(days=1)

    def test_what_the_index_had_not_seen_it_sees_after_a_restore_too(self) -> None:
        clock = SandboxClock(START)
        jira = Jira("jira", clock, index_lag=timedelta(seconds=30))
        jira.create({"summary": "a"}, "Ana Ruiz")
        backup = jira.snapshot()
        clock.advance(timedelta(minutes=1))
        assert len(jira.store.searchable().issues) == 1
        jira.restore(backup)
        assert len(jira.store.searchable().issues) == 1

    def test_a_clone_has_the_same_ids_keys_and_properties_and_goes_its_own_way(self, wire: Wire) -> None:
        id = wire.new(labels=["a"])
        wire.send("PUT", f"issue/{id}/properties/k", 1)
        wire.jira.comment(id, "both", "Ana Ruiz")
        twin = wire.jira.clone("twin", SandboxClock(START + timedelta(days=1)))
        assert self.everything(twin) == self.everything(wire.jira)
        assert twin.issue(id).properties == {"k": 1} and twin.name == "twin"
        twin.update(id, {"summary": "there"}, "Ana Ruiz")
        wire.jira.comment(id, "here", "Ana Ruiz")
        twin.deny("Lockstep", "CSPM", "EDIT_ISSUES")
        twin.switches.in_flight.add(id)
        assert wire.jira.item(id)["summary"] == "Export fails" and len(twin.comments(id)) == 1
        assert wire.send("PUT", f"issue/{id}", {"fields": {"summary": "here"}}).status_code == 204
        assert twin.item(id)["updated"] > START + timedelta(days=1) and twin.history(id)[-1]["by"] == ANA.account_id
