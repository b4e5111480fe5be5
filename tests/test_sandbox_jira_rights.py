"""Who may do what in the simulated Jira, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from sandbox.jira.defaults import ANA, BOT, USERS
from tests.jira_wire import Wire, bug, built


@pytest.fixture
def build() -> Iterator[Callable[..., Wire]]:
    with built(Wire) as build:
        yield build


@pytest.fixture
def wire(build: Callable[..., Wire]) -> Wire:
    return build()


class TestAsking:
    def test_rights_are_told_by_their_keys_for_a_project_an_issue_or_anywhere(self, wire: Wire) -> None:
        """v3 GET /rest/api/3/mypermissions"""
        id = wire.new()
        wire.jira.deny("Lockstep", "CSPM", "EDIT_ISSUES")
        for where, had in (({"issueKey": "CSPM-1"}, False), ({"issueId": id}, False), ({}, True)):
            right = wire.get("mypermissions", permissions="EDIT_ISSUES", **where)["permissions"]["EDIT_ISSUES"]
            assert right["havePermission"] is had
            assert (right["id"], right["name"], right["type"]) == ("12", "Edit Issues", "PROJECT")
        assert wire.send("GET", "mypermissions?permissions=EDIT_ISSUES&issueKey=CSPM-99").status_code == 404

    def test_a_right_that_is_none_is_named(self, wire: Wire) -> None:
        answer = wire.send("GET", "mypermissions?permissions=EDIT_ISSUES,FLY")
        assert (answer.status_code, answer.json()["errors"]) == (400, {"FLY": "Unrecognized permission"})

    def test_nobody_administers_unless_promoted(self, wire: Wire) -> None:
        asked = {"permissions": "ADMINISTER,ADMINISTER_PROJECTS", "projectKey": "CSPM"}
        for had in (False, True):
            rights = wire.get("mypermissions", **asked)["permissions"]
            assert {right["havePermission"] for right in rights.values()} == {had}
            wire.jira.promote("Lockstep")

    def test_every_right_is_listed(self, wire: Wire) -> None:
        rights = wire.get("permissions")["permissions"]
        assert rights["BROWSE_PROJECTS"]["type"] == "PROJECT" and rights["USER_PICKER"]["type"] == "GLOBAL"

    def test_many_projects_and_issues_are_checked_at_once(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/permissions/check"""
        id = int(wire.new())
        wire.jira.deny("Lockstep", "OPS", "EDIT_ISSUES")
        body = {
            "globalPermissions": ["ADMINISTER", "USER_PICKER"],
            "projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [10000, 10001], "issues": [id, 99]}],
        }
        assert wire.send("POST", "permissions/check", body).json() == {
            "globalPermissions": ["USER_PICKER"],
            "projectPermissions": [{"permission": "EDIT_ISSUES", "projects": [10000], "issues": [id]}],
        }
        assert wire.send("POST", "permissions/check", {"accountId": ANA.account_id}).status_code == 403
        assert wire.send("POST", "permissions/check", {"globalPermissions": ["FLY"]}).status_code == 400


class TestRefusing:
    @pytest.mark.parametrize(
        ("right", "method", "path", "body", "status"),
        [
            ("BROWSE_PROJECTS", "GET", "issue/{id}", None, 404),
            ("CREATE_ISSUES", "POST", "issue", bug(), 400),
            ("EDIT_ISSUES", "PUT", "issue/{id}", {"fields": {"summary": "x"}}, 400),
            ("EDIT_ISSUES", "PUT", "issue/{id}/properties/k", {"n": 1}, 403),
            ("EDIT_ISSUES", "DELETE", "issue/{id}/properties/held", None, 404),
            ("TRANSITION_ISSUES", "POST", "issue/{id}/transitions", {"transition": {"id": "11"}}, 400),
            ("ADD_COMMENTS", "POST", "issue/{id}/comment", {"body": "a"}, 400),
            ("EDIT_OWN_COMMENTS EDIT_ALL_COMMENTS", "PUT", "issue/{id}/comment/{comment}", {"body": "b"}, 400),
            ("DELETE_OWN_COMMENTS DELETE_ALL_COMMENTS", "DELETE", "issue/{id}/comment/{comment}", None, 400),
            ("ASSIGN_ISSUES", "PUT", "issue/{id}/assignee", {"accountId": ANA.account_id}, 403),
            ("DELETE_ISSUES", "DELETE", "issue/{id}", None, 403),
            (
                "LINK_ISSUES",
                "POST",
                "issue/{id}/remotelink",
                {"object": {"url": "https://a.example", "title": "a"}},
                403,
            ),
            ("MANAGE_WATCHERS", "POST", "issue/{id}/watchers", ANA.account_id, 403),
            ("WORK_ON_ISSUES", "POST", "issue/{id}/worklog", {"timeSpent": "1h"}, 400),
        ],
    )
    def test_each_right_missing_is_refused_in_its_own_way(
        self, wire: Wire, right: str, method: str, path: str, body: Any, status: int
    ) -> None:
        """v3: the statuses under each operation"""
        id = wire.new()
        comment = wire.send("POST", f"issue/{id}/comment", {"body": "own"}).json()["id"]
        wire.send("PUT", f"issue/{id}/properties/held", {"n": 1})
        for one in right.split():
            wire.jira.deny("Lockstep", "CSPM", one)
        address = path.format(id=id, comment=comment)
        assert wire.send(method, address, body).status_code == status
        for one in right.split():
            wire.jira.allow("Lockstep", "CSPM", one)
        assert wire.send(method, address, body).status_code < 300

    @pytest.mark.parametrize(
        ("right", "field", "value"),
        [
            ("ASSIGN_ISSUES", "assignee", {"accountId": ANA.account_id}),
            ("MODIFY_REPORTER", "reporter", {"accountId": ANA.account_id}),
            ("SCHEDULE_ISSUES", "duedate", "2026-02-01"),
            ("RESOLVE_ISSUES", "fixVersions", [{"name": "26.01"}]),
        ],
    )
    def test_some_fields_want_a_right_of_their_own(self, wire: Wire, right: str, field: str, value: Any) -> None:
        """v3 GET /rest/api/3/issue/{issueIdOrKey}/editmeta, condition 3"""
        id = wire.new()
        wire.jira.deny("Lockstep", "CSPM", right)
        assert field not in wire.get(f"issue/{id}/editmeta")["fields"]
        refused = wire.send("PUT", f"issue/{id}", {"fields": {field: value}})
        assert (refused.status_code, set(refused.json()["errors"])) == (400, {field})
        assert set(wire.send("POST", "issue", bug(**{field: value})).json()["errors"]) == {field}
        wire.jira.allow("Lockstep", "CSPM", right)
        assert wire.send("PUT", f"issue/{id}", {"fields": {field: value}}).status_code == 204

    def test_only_administrators_keep_watchers_from_being_told(self, wire: Wire) -> None:
        """apis.md 2.2: notifyUsers=false needs admin, else refused; the spec's own word is "ignored"."""
        id, body = wire.new(), {"fields": {"summary": "quiet"}}
        address = f"issue/{id}?notifyUsers=false"
        assert wire.send("PUT", address, body).status_code == 403
        assert wire.jira.item(id)["summary"] == "Export fails"
        wire.jira.switches.quiet_refused = False
        assert wire.send("PUT", address, body).status_code == 204
        wire.jira.switches.quiet_refused = True
        wire.jira.promote("Lockstep")
        assert wire.send("PUT", address, {"fields": {"summary": "again"}}).status_code == 204

    def test_the_anonymous_cannot_delete_a_comment(self, wire: Wire) -> None:
        id = wire.new()
        comment = wire.jira.comment(id, "a", "Ana Ruiz")
        wire.auth = None
        assert wire.send("DELETE", f"issue/{id}/comment/{comment}").status_code == 405


class TestPeople:
    @pytest.mark.parametrize(
        ("how", "shown"), [("absent", {}), ("null", {"emailAddress": None}), ("empty", {"emailAddress": ""})]
    )
    def test_a_hidden_address_is_absent_null_or_empty(self, wire: Wire, how: str, shown: dict[str, Any]) -> None:
        """apis.md 2.3"""
        wire.jira.switches.hidden_email = how
        me = wire.get("myself")
        assert {name: value for name, value in me.items() if name == "emailAddress"} == shown

    def test_users_are_found_by_account_or_by_the_beginning_of_a_name(self, wire: Wire) -> None:
        found = wire.get("user/search", query="ru")
        assert [one["displayName"] for one in found] == ["Ana Ruiz"]
        assert wire.get("user/search", accountId=ANA.account_id) == found
        assert wire.get("user", accountId=ANA.account_id) == found[0]
        assert wire.get("user/search", query="ana@example.org") == []
        assert wire.send("GET", "user/search").status_code == 400
        assert wire.send("GET", f"user/search?query=a&accountId={ANA.account_id}").status_code == 400
        assert wire.send("GET", "user?accountId=nobody").status_code == 404

    def test_without_the_right_to_browse_users_a_search_is_empty_and_a_read_refused(self, wire: Wire) -> None:
        """v3 GET /rest/api/3/user/search"""
        wire.jira.deny("Lockstep", "", "USER_PICKER")
        assert wire.get("user/search", query="ana") == []
        assert wire.send("GET", f"user?accountId={ANA.account_id}").status_code == 403
        assert wire.send("GET", "users/search").status_code == 403

    def test_an_account_tells_its_groups_where_asked(self, build: Callable[..., Wire]) -> None:
        wire = build(users=[replace(BOT, groups=frozenset(["jira-users"])), *USERS[1:]])
        assert wire.get("myself")["groups"] == {"size": 1, "items": []}
        assert [one["name"] for one in wire.get("myself", expand="groups")["groups"]["items"]] == ["jira-users"]
        members = wire.get("group/member", groupname="jira-users")["values"]
        assert [one["displayName"] for one in members] == ["Lockstep"]

    def test_assignable_users_come_in_pages_that_are_cut_before_they_are_sifted(self, wire: Wire) -> None:
        """v3 GET /rest/api/3/user/assignable/search"""
        wire.jira.deny("Lockstep", "CSPM", "ASSIGNABLE_USER")
        page = wire.get("user/assignable/search", project="CSPM", maxResults=2)
        assert [one["displayName"] for one in page] == ["Ana Ruiz"]
        assert len(wire.get("user/assignable/search", issueKey=wire.get(f"issue/{wire.new()}")["key"])) == 2
        assert wire.send("GET", "user/assignable/search?query=a").status_code == 400

    def test_the_rest_of_the_directory(self, wire: Wire) -> None:
        assert len(wire.get("users/search", maxResults=2)) == 2
        bulk = wire.get("user/bulk", accountId=[ANA.account_id, "nobody"])
        assert [one["accountId"] for one in bulk["values"]] == [ANA.account_id] and bulk["isLast"] is True
        assert wire.send("GET", "user/bulk").status_code == 400
        assert wire.send("GET", "group/member?groupname=none").status_code == 404

    def test_assigning_wants_no_right_to_edit(self, wire: Wire) -> None:
        """v3 PUT /rest/api/3/issue/{issueIdOrKey}/assignee"""
        id = wire.new()
        wire.jira.deny("Lockstep", "CSPM", "EDIT_ISSUES")
        for account, name in ((ANA.account_id, "Ana Ruiz"), (None, None), (ANA.account_id, "Ana Ruiz"), ("-1", None)):
            assert wire.send("PUT", f"issue/{id}/assignee", {"accountId": account}).status_code == 204
            assert wire.jira.item(id)["assignee"] == name
        wire.jira.deny("Ana Ruiz", "CSPM", "ASSIGNABLE_USER")
        for body in ({"accountId": ANA.account_id}, {"name": "ana"}):
            assert wire.send("PUT", f"issue/{id}/assignee", body).status_code == 400

    def test_watching_moves_nothing(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issue/{issueIdOrKey}/watchers"""
        id = wire.new()
        before = wire.jira.item(id)
        assert wire.send("POST", f"issue/{id}/watchers", BOT.account_id).status_code == 204
        assert wire.send("POST", f"issue/{id}/watchers", "nobody").status_code == 404
        shown = wire.get(f"issue/{id}/watchers")
        assert (shown["isWatching"], shown["watchCount"]) == (True, 2)
        assert [one["displayName"] for one in shown["watchers"]] == ["Ana Ruiz", "Lockstep"]
        wire.jira.deny("Lockstep", "CSPM", "VIEW_VOTERS_AND_WATCHERS")
        assert [one["displayName"] for one in wire.get(f"issue/{id}/watchers")["watchers"]] == ["Lockstep"]
        assert wire.send("DELETE", f"issue/{id}/watchers").status_code == 400
        assert wire.send("DELETE", f"issue/{id}/watchers?accountId={BOT.account_id}").status_code == 204
        assert wire.get(f"issue/{id}")["fields"]["watches"]["watchCount"] == 1
        assert wire.jira.item(id) == before and wire.jira.history(id) == []
