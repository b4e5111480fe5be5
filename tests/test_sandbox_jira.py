"""The simulated Jira on the wire: shapes, errors, permissions, paging, lag and limits, by plain requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from sandbox.clock import SandboxClock
from sandbox.jira import Jira, Rejected
from sandbox.jira.defaults import ANA, BEN, BOT, BUG, TASK, USERS, projects
from sandbox.jira.issues import instant, milliseconds
from sandbox.jira.jql import BadQuery, read
from sandbox.jira.refusals import OFF_SCREEN
from tests.jira_wire import START, Wire, bug, built


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.server.stop()


@pytest.fixture
def build() -> Iterator[Callable[..., Wire]]:
    with built(Wire) as build:
        yield build


class TestSigningIn:
    def test_a_wrong_token_is_401_in_plain_text(self, wire: Wire) -> None:
        wire.auth = (BOT.email, "no")
        answer = wire.send("GET", "myself")
        assert (answer.status_code, answer.headers["X-Seraph-LoginReason"]) == (401, "AUTHENTICATED_FAILED")
        assert answer.text == "Client must be authenticated to access this resource."

    def test_a_wrong_token_may_be_served_as_anonymous(self, wire: Wire) -> None:
        wire.new()
        wire.auth, wire.jira.lenient = (BOT.email, "no"), True
        answer = wire.search("project = CSPM")
        assert (answer.status_code, answer.json()) == (200, {"issues": [], "isLast": True})
        assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"

    def test_without_credentials_there_is_nothing_to_see(self, wire: Wire) -> None:
        id = wire.new()
        wire.auth = None
        assert wire.search("project = CSPM").json() == {"issues": [], "isLast": True}
        assert wire.send("GET", f"issue/{id}").status_code == 404
        assert wire.send("GET", "myself").status_code == 401
        assert wire.get("project") == []

    def test_a_captcha_is_a_403_with_its_reason(self, wire: Wire) -> None:
        wire.jira.captcha.add(BOT.account_id)
        answer = wire.send("GET", "myself")
        assert answer.status_code == 403
        assert answer.headers["X-Authentication-Denied-Reason"].startswith("CAPTCHA_CHALLENGE")

    def test_an_account_shows_no_address_unless_it_wants_to(self, wire: Wire) -> None:
        me = wire.get("myself")
        assert (me["accountId"], me["timeZone"]) == (BOT.account_id, "UTC") and "emailAddress" not in me

    def test_addresses_outside_the_api_are_html(self, wire: Wire) -> None:
        answer = requests.get(f"{wire.server.url}/jira/rest", timeout=5)
        assert answer.status_code == 404 and "html" in answer.headers["Content-Type"]


class TestCreating:
    def test_the_answer_has_id_key_and_self_only(self, wire: Wire) -> None:
        answer = wire.send("POST", "issue", bug())
        assert answer.status_code == 201 and set(answer.json()) == {"id", "key", "self"}
        assert answer.json()["key"] == "CSPM-1"

    def test_everything_wrong_is_told_at_once_by_field(self, wire: Wire) -> None:
        body = bug(
            priority={"name": "Urgent"},
            customfield_99999="x",
            customfield_10042={"value": "Huge"},
            customfield_10041="three",
            labels=["two words"],
            fixVersions=[{"name": "99"}],
        )
        answer = wire.send("POST", "issue", body)
        assert answer.status_code == 400 and answer.json()["errorMessages"] == []
        assert answer.json()["errors"] == {
            "priority": "Priority name 'Urgent' is not valid",
            "customfield_99999": OFF_SCREEN.format("customfield_99999"),
            "customfield_10042": "Option value 'Huge' is not valid",
            "customfield_10041": "Operation value must be a number",
            "labels": "The label 'two words' contains spaces which is invalid.",
            "fixVersions": "Version name '99' is not valid",
        }

    @pytest.mark.parametrize(
        ("summary", "why"),
        [
            (None, "Operation value must be a string"),
            ("  ", "You must specify a summary of the issue."),
            ("a\nb", "The summary is invalid because it contains newline characters."),
            ("x" * 256, "Summary can't exceed 255 characters."),
            ("\U0001f680" * 128, "Summary can't exceed 255 characters."),
        ],
    )
    def test_a_summary_has_its_limits(self, wire: Wire, summary: str | None, why: str) -> None:
        answer = wire.send("POST", "issue", bug(summary=summary))
        assert (answer.status_code, answer.json()["errors"]) == (400, {"summary": why})

    def test_a_summary_is_required(self, wire: Wire) -> None:
        body = bug()
        del body["fields"]["summary"]
        assert wire.send("POST", "issue", body).json()["errors"] == {
            "summary": "You must specify a summary of the issue."
        }

    def test_long_texts_end_at_32767_utf_16_units(self, wire: Wire) -> None:
        assert wire.send("POST", "issue", bug(description="x" * 32_767)).status_code == 201
        for text in ("x" * 32_768, "\U0001f680" * 16_384):
            answer = wire.send("POST", "issue", bug(description=text))
            assert answer.json()["errors"]["description"] == (
                "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
            )

    def test_a_field_off_the_screen_cannot_be_set(self, build: Callable[..., Wire]) -> None:
        bare = replace(BUG, create=tuple(name for name in BUG.create if name != "labels"))
        wire = build(projects=[replace(projects()[0], types=(bare, TASK))])
        assert "labels" in wire.send("POST", "issue", bug(labels=["a"])).json()["errors"]

    def test_a_type_may_require_more(self, build: Callable[..., Wire]) -> None:
        strict = replace(BUG, required=("customfield_10042",))
        wire = build(projects=[replace(projects()[0], types=(strict,))])
        assert wire.send("POST", "issue", bug()).json()["errors"] == {"customfield_10042": "Severity is required."}

    def test_unknown_places_and_missing_rights(self, wire: Wire) -> None:
        assert "project" in wire.send("POST", "issue", bug(project={"key": "NOPE"})).json()["errors"]
        assert "issuetype" in wire.send("POST", "issue", bug(issuetype={"name": "Epic"})).json()["errors"]
        wire.jira.deny("Lockstep", "CSPM", "CREATE_ISSUES")
        assert "permission" in wire.send("POST", "issue", bug()).json()["errors"]["project"]

    def test_properties_are_set_in_the_same_call(self, wire: Wire) -> None:
        body = bug() | {"properties": [{"key": "lockstep", "value": {"n": 1}}]}
        id = wire.send("POST", "issue", body).json()["id"]
        assert wire.get(f"issue/{id}/properties/lockstep") == {"key": "lockstep", "value": {"n": 1}}

    def test_what_is_no_json_is_400_and_what_does_not_say_so_415(self, wire: Wire) -> None:
        url = f"{wire.server.url}/rest/api/2/issue"
        json_type = {"Content-Type": "application/json"}
        assert requests.post(url, b"{", headers=json_type, auth=wire.auth, timeout=5).status_code == 400
        assert requests.post(url, b"{}", auth=wire.auth, timeout=5).status_code == 415


class TestReading:
    def test_an_issue_by_id_and_by_key_in_any_case(self, wire: Wire) -> None:
        id = wire.new(
            labels=["a"], priority="High", customfield_10042="Major", customfield_10041="2.5", assignee="Ben Okafor"
        )
        issue = wire.get("issue/cspm-1")
        fields = issue["fields"]
        assert (issue["id"], issue["key"]) == (id, "CSPM-1")
        assert fields["created"] == "2026-01-05T08:00:00.001+0000"
        assert (fields["status"]["name"], fields["status"]["statusCategory"]["key"]) == ("To Do", "new")
        assert (fields["priority"]["name"], fields["customfield_10042"]["value"]) == ("High", "Major")
        assert (fields["customfield_10041"], fields["labels"], fields["components"]) == (2.5, ["a"], [])
        assert (fields["resolution"], fields["customfield_10046"], fields["description"]) == (None, None, None)
        assert fields["assignee"]["displayName"] == "Ben Okafor"

    def test_times_have_the_sites_zone_without_a_colon(self, build: Callable[..., Wire]) -> None:
        wire = build(zone="America/Los_Angeles")
        id = wire.new()
        assert wire.get(f"issue/{id}", fields="created")["fields"] == {"created": "2026-01-05T00:00:00.001-0800"}

    def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(self, wire: Wire) -> None:
        id = wire.new()
        assert wire.jira.relocate(id, "Ana Ruiz", "OPS", "Task") == "OPS-1"
        assert {
            (wire.get(f"issue/{name}")["id"], wire.get(f"issue/{name}")["key"]) for name in (id, "CSPM-1", "OPS-1")
        } == {(id, "OPS-1")}

    def test_hidden_is_missing(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.hide(id, "Lockstep")
        answers = [wire.send("GET", f"issue/{name}") for name in (id, "999999")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert (
            answers[0].json()
            == answers[1].json()
            == {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}
        )
        assert wire.keys("project = CSPM") == []

    def test_a_bulk_read_is_by_ascending_id_without_the_missing(self, wire: Wire) -> None:
        ids = [wire.new() for _ in range(3)]
        wire.jira.unfetched.add(ids[1])
        body = {"issueIdsOrKeys": [ids[2], "999999", "CSPM-1", ids[1]], "fields": ["summary"]}
        answer = wire.send("POST", "issue/bulkfetch", body).json()
        assert [issue["id"] for issue in answer["issues"]] == [ids[0], ids[2]]
        assert [error["id"] for error in answer["issueErrors"]] == [ids[1]]
        assert answer["issues"][0]["fields"] == {"summary": "Export fails"}

    @pytest.mark.parametrize("count", [0, 101])
    def test_a_bulk_read_has_bounds(self, wire: Wire, count: int) -> None:
        assert wire.send("POST", "issue/bulkfetch", {"issueIdsOrKeys": ["1"] * count}).status_code == 400

    def test_version_three_speaks_documents(self, wire: Wire) -> None:
        refused = wire.send("POST", "issue", bug(description="plain"), version="3")
        assert "Atlassian Document" in refused.json()["errors"]["description"]
        document = {
            "type": "doc",
            "version": 1,
            "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}],
        }
        id = wire.send("POST", "issue", bug(description=document), version="3").json()["id"]
        assert wire.get(f"issue/{id}")["fields"]["description"] == "a"
        assert wire.send("GET", f"issue/{id}", version="3").json()["fields"]["description"] == document


class TestEditing:
    def test_204_or_the_issue_where_asked_for(self, wire: Wire) -> None:
        id = wire.new()
        assert wire.send("PUT", f"issue/{id}", {"fields": {"summary": "New"}}).status_code == 204
        answer = wire.send("PUT", f"issue/{id}?returnIssue=true", {"fields": {"summary": "Newer"}})
        assert answer.status_code == 200 and answer.json()["fields"]["summary"] == "Newer"

    def test_nothing_is_written_where_nothing_changes(self, wire: Wire) -> None:
        id = wire.new(labels=["a"])
        before = wire.jira.item(id)
        body = {"fields": {"summary": "Export fails"}, "update": {"labels": [{"add": "a"}]}}
        assert wire.send("PUT", f"issue/{id}", body).status_code == 204
        assert wire.jira.item(id) == before and wire.jira.history(id) == []

    def test_labels_are_added_and_removed_one_by_one(self, wire: Wire) -> None:
        id = wire.new(labels=["a", "b"])
        wire.send("PUT", f"issue/{id}", {"update": {"labels": [{"add": "c"}, {"remove": "a"}]}})
        assert wire.jira.item(id)["labels"] == ("b", "c")
        assert wire.jira.history(id)[0] | {"at": None} == {
            "at": None,
            "by": BOT.account_id,
            "field": "labels",
            "old": "a b",
            "new": "b c",
        }

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({}, "one of 'fields' or 'update' required"),
            ({"fields": {"status": {"name": "Done"}}}, "cannot be set"),
            ({"fields": {"resolution": {"name": "Done"}}}, "cannot be set"),
            ({"fields": {"labels": ["a"]}, "update": {"labels": [{"add": "b"}]}}, "cannot appear in both"),
            ({"fields": {"description": "bell \x07"}}, "not allowed"),
        ],
    )
    def test_what_cannot_be_edited(self, wire: Wire, body: Any, told: str) -> None:
        answer = wire.send("PUT", f"issue/{wire.new()}", body)
        assert answer.status_code == 400 and told in answer.text

    def test_without_the_right_every_field_is_refused_by_name(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.deny("Lockstep", "CSPM", "EDIT_ISSUES")
        assert set(wire.send("PUT", f"issue/{id}", {"fields": {"summary": "x"}}).json()["errors"]) == {"summary"}

    def test_properties_move_nothing(self, wire: Wire) -> None:
        id = wire.new()
        before = wire.jira.item(id)
        assert [wire.send("PUT", f"issue/{id}/properties/k", {"n": n}).status_code for n in (1, 2)] == [201, 200]
        assert wire.jira.item(id) == before and wire.jira.history(id) == []
        assert wire.send("DELETE", f"issue/{id}/properties/k").status_code == 204
        assert wire.send("GET", f"issue/{id}/properties/k").status_code == 404

    def test_a_remote_link_is_replaced_by_its_global_id(self, wire: Wire) -> None:
        id = wire.new()
        link = {"globalId": "lockstep:k1", "object": {"url": "https://a.example", "title": "INC1"}}
        first, second = (wire.send("POST", f"issue/{id}/remotelink", link) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200) and first.json()["id"] == second.json()["id"]
        assert len(wire.get(f"issue/{id}/remotelink")) == 1
        answer = wire.send("POST", f"issue/{id}/remotelink", {"object": {"url": "https://a.example"}})
        assert (answer.status_code, answer.json()["errors"]) == (400, {"title": "'title' is required."})


class TestMoving:
    def names(self, wire: Wire, id: str) -> list[str]:
        return [step["name"] for step in wire.get(f"issue/{id}/transitions")["transitions"]]

    def test_what_is_offered_depends_on_the_status(self, wire: Wire) -> None:
        id = wire.new()
        assert self.names(wire, id) == ["Start Progress"]
        assert wire.send("POST", f"issue/{id}/transitions", {"transition": {"id": "11"}}).status_code == 204
        assert self.names(wire, id) == ["Stop Progress", "Send to Review", "Resolve"]
        answer = wire.send("POST", f"issue/{id}/transitions", {"transition": {"id": "11"}})
        assert (answer.status_code, answer.json()["errorMessages"]) == (
            400,
            ["Transition id '11' is not valid for this issue."],
        )

    def test_a_screen_shows_its_fields_and_requires_some(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.move(id, "In Progress", "Ben Okafor")
        steps = wire.get(f"issue/{id}/transitions", expand="transitions.fields")["transitions"]
        resolve = next(step for step in steps if step["name"] == "Resolve")
        assert {name: meta["required"] for name, meta in resolve["fields"].items()} == {
            "resolution": True,
            "fixVersions": False,
        }
        assert resolve["fields"]["resolution"]["allowedValues"][0]["name"] == "Done"
        path, step = f"issue/{id}/transitions", {"transition": {"id": "51"}}
        assert wire.send("POST", path, step).json()["errors"] == {"resolution": "Resolution is required."}
        off = wire.send("POST", path, step | {"fields": {"resolution": {"name": "Done"}, "summary": "x"}})
        assert set(off.json()["errors"]) == {"summary"}
        assert wire.send("POST", path, step | {"fields": {"resolution": {"name": "Done"}}}).status_code == 204
        assert (wire.jira.item(id)["status"], wire.jira.item(id)["resolution"]) == ("Done", "Done")
        assert wire.get(f"issue/{id}")["fields"]["resolutiondate"] is not None

    def test_reopening_clears_the_resolution(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.move(id, "In Progress", "Ben Okafor")
        wire.jira.move(id, "Done", "Ben Okafor", resolution="Done")
        wire.jira.move(id, "To Do", "Ana Ruiz")
        assert wire.jira.item(id)["resolution"] is None
        assert [(entry["field"], entry["new"]) for entry in wire.jira.history(id)][-2:] == [
            ("status", "To Do"),
            ("resolution", None),
        ]

    def test_global_transitions_lead_from_anywhere_also_from_there(self, wire: Wire) -> None:
        id = wire.new(issuetype="Task")
        assert self.names(wire, id) == ["To Do", "In Progress", "Done"]
        wire.jira.move(id, "Done", "Ben Okafor")
        assert self.names(wire, id) == ["To Do", "In Progress", "Done"]
        assert wire.jira.item(id)["resolution"] == "Done"

    def test_without_the_right_the_list_is_empty(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.deny("Lockstep", "CSPM", "TRANSITION_ISSUES")
        assert wire.get(f"issue/{id}/transitions")["transitions"] == []

    def test_people_cannot_skip_a_step_either(self, wire: Wire) -> None:
        with pytest.raises(Rejected):
            wire.jira.move(wire.new(), "Done", "Ana Ruiz", resolution="Done")


class TestTalking:
    def test_a_comment_moves_updated_and_not_the_changelog(self, wire: Wire) -> None:
        id = wire.new()
        before = wire.jira.item(id)["updated"]
        answer = wire.send("POST", f"issue/{id}/comment", {"body": "Hello"})
        assert answer.status_code == 201 and answer.json()["body"] == "Hello" and answer.json()["jsdPublic"] is True
        assert wire.jira.item(id)["updated"] > before and wire.jira.history(id) == []

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({"body": ""}, "Comment body can not be empty!"),
            ({"body": "x" * 32_768}, "32,767"),
            ({"body": "nul \x00"}, "not allowed"),
            ({"body": "a", "visibility": {"type": "role", "value": "Nobody"}}, "Role: Nobody does not exist."),
            (
                {"body": "a", "visibility": {"type": "role", "value": "Administrators"}},
                "not a member of the project role",
            ),
        ],
    )
    def test_what_cannot_be_said(self, wire: Wire, body: Any, told: str) -> None:
        answer = wire.send("POST", f"issue/{wire.new()}/comment", body)
        assert answer.status_code == 400 and told in answer.text

    def test_only_members_hear_what_is_for_a_role(self, build: Callable[..., Wire]) -> None:
        roles = {"Developers": frozenset({ANA.account_id}), "Testers": frozenset({BOT.account_id, ANA.account_id})}
        wire = build(projects=[replace(projects()[0], roles=roles)])
        id = wire.new()
        wire.jira.comment(id, "for developers", "Ana Ruiz", "role:Developers")
        heard = wire.jira.comment(id, "for testers", "Ana Ruiz", "role:Testers")
        page = wire.get(f"issue/{id}/comment")
        assert page["total"] == 1 and [one["id"] for one in page["comments"]] == [heard]
        assert wire.get(f"issue/{id}")["fields"]["comment"]["total"] == 1
        assert [one["channel"] for one in wire.jira.comments(id)] == ["role:Developers", "role:Testers"]

    def test_internal_shows_in_a_service_desk_only(self, build: Callable[..., Wire]) -> None:
        wire = build(projects=[replace(projects()[0], kind="service_desk"), projects()[1]])
        for id, public in ((wire.new(), False), (wire.new(project="OPS", issuetype="Task"), True)):
            body = {"body": "a", "properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
            assert wire.send("POST", f"issue/{id}/comment", body).json()["jsdPublic"] is public

    def test_pages_have_a_start_a_size_and_a_total(self, wire: Wire) -> None:
        id = wire.new()
        said = [wire.jira.comment(id, f"remark {n}", "Ben Okafor") for n in range(5)]
        page = wire.get(f"issue/{id}/comment", startAt=3, maxResults=10)
        assert (page["startAt"], page["total"], [one["id"] for one in page["comments"]]) == (3, 5, said[3:])
        latest = wire.get(f"issue/{id}/comment", orderBy="-created", maxResults=2)
        assert [one["id"] for one in latest["comments"]] == said[:2:-1]
        assert wire.send("GET", f"issue/{id}/comment?orderBy=id").status_code == 400

    def test_inside_a_search_they_are_cut_and_counted(self, wire: Wire) -> None:
        id = wire.new()
        said = [wire.jira.comment(id, f"remark {n}", "Ben Okafor") for n in range(22)]
        inside = wire.search("project = CSPM", fields=["comment"]).json()["issues"][0]["fields"]["comment"]
        assert (inside["total"], [one["id"] for one in inside["comments"]]) == (22, said[2:])
        assert len(wire.get(f"issue/{id}")["fields"]["comment"]["comments"]) == 22

    def test_rewording_and_taking_back(self, wire: Wire) -> None:
        id = wire.new()
        own = wire.send("POST", f"issue/{id}/comment", {"body": "a"}).json()["id"]
        theirs = wire.jira.comment(id, "b", "Ben Okafor")
        assert wire.send("PUT", f"issue/{id}/comment/{own}", {"body": "c"}).json()["body"] == "c"
        wire.jira.deny("Lockstep", "CSPM", "EDIT_ALL_COMMENTS")
        assert wire.send("PUT", f"issue/{id}/comment/{theirs}", {"body": "d"}).status_code == 400
        assert wire.send("DELETE", f"issue/{id}/comment/{own}").status_code == 204
        assert [one["text"] for one in wire.jira.comments(id)] == ["b"]


class TestSearching:
    def test_the_old_search_is_gone(self, wire: Wire) -> None:
        answer = wire.send("GET", "search", params={"jql": "project = CSPM"})
        assert answer.status_code == 410 and "CHANGE-2046" in answer.text

    def test_ids_alone_by_default_and_no_total(self, wire: Wire) -> None:
        id = wire.new()
        answer = wire.search("project = CSPM").json()
        assert [set(issue) for issue in answer["issues"]] == [{"expand", "id", "self"}]
        assert (answer["issues"][0]["id"], answer["isLast"]) == (id, True)
        assert not {"total", "nextPageToken"} & set(answer)

    def test_tokens_lead_through_every_page_of_their_query(self, wire: Wire) -> None:
        made = [wire.new() for _ in range(5)]
        jql, found, token = "project = CSPM ORDER BY updated ASC", [], None
        while True:
            answer = wire.search(jql, maxResults=2, nextPageToken=token).json()
            found += [issue["id"] for issue in answer["issues"]]
            token = answer.get("nextPageToken")
            assert answer["isLast"] is (token is None)
            if token is None:
                break
        assert found == made

    def test_a_token_serves_no_other_query_and_no_other_week(self, wire: Wire) -> None:
        for _ in range(3):
            wire.new()
        token = wire.search("project = CSPM ORDER BY updated ASC", maxResults=1).json()["nextPageToken"]
        assert wire.search("project = OPS ORDER BY updated ASC", nextPageToken=token).status_code == 400
        assert wire.search("project = CSPM ORDER BY updated ASC", nextPageToken="junk").status_code == 400
        wire.clock.advance(timedelta(days=8))
        assert wire.search("project = CSPM ORDER BY updated ASC", nextPageToken=token).status_code == 400

    def test_large_pages_are_cut_unless_ids_alone_are_asked_for(self, wire: Wire) -> None:
        for _ in range(110):
            wire.new()
        assert len(wire.search("project = CSPM", maxResults=5000, fields=["summary"]).json()["issues"]) == 100
        assert len(wire.search("project = CSPM", maxResults=5000).json()["issues"]) == 110
        assert wire.search("project = CSPM", maxResults=5001).status_code == 400

    @pytest.mark.parametrize(
        ("jql", "told"),
        [
            ("", "Unbounded JQL"),
            ("ORDER BY key DESC", "Unbounded JQL"),
            ("nosuch = 1", "Field 'nosuch' does not exist or you do not have permission to view it."),
            ("cf[99999] = 1", "Field 'cf[99999]' does not exist"),
            ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
            ('issuetype in ("Bug", "Epic")', "The value 'Epic' does not exist for the field 'issuetype'."),
            ("status = Gone", "The value 'Gone' does not exist for the field 'status'."),
            ("cf[10042] = Huge", "The value 'Huge' does not exist for the field 'cf[10042]'."),
            ("assignee = 'Ana Ruiz'", "The value 'Ana Ruiz' does not exist for the field 'assignee'."),
            ("key = CSPM-99", "An issue with key 'CSPM-99' does not exist for field 'key'."),
            ("summary = x", "The operator '=' is not supported by the 'summary' field."),
            ("labels ~ x", "The operator '~' is not supported by the 'labels' field."),
            ("updated >= '2026-01-05 10:00:00'", "Date value '2026-01-05 10:00:00' for field 'updated' is invalid."),
            ("project CSPM", "Expecting operator but got 'CSPM'."),
            ("project = CSPM labels = x", "Expecting either 'OR' or 'AND' but got 'labels'."),
            ("project = CSPM AND", "Expecting a field name but got 'end of query'."),
            ("(project = CSPM", "Expecting ')' but got 'end of query'."),
            ("project in ()", "Expecting either a value, list or function but got ')'."),
            ("project = CSPM ORDER BY a,b,c,d,e,f,g,h", "ORDER BY"),
        ],
    )
    def test_queries_that_are_refused(self, wire: Wire, jql: str, told: str) -> None:
        answer = wire.search(jql)
        assert answer.status_code == 400 and told in answer.json()["errorMessages"][0]

    def test_what_queries_find(self, wire: Wire) -> None:
        wire.new(labels=["Mark"], priority="High", customfield_10040="INC0010003", components=("Portal",))
        wire.new(customfield_10042="Major", customfield_10041="3", assignee="Ben Okafor", fixVersions=("26.01",))
        wire.new(issuetype="Task", summary="Nightly batch is late")
        wire.jira.move(wire.new(project="OPS"), "Done", "Ana Ruiz")
        expected = {
            "project = cspm": {1, 2, 3},
            "project = CSPM AND issuetype in (Bug)": {1, 2},
            "labels = mark": {1},
            "labels != other": {1},
            "labels is EMPTY AND project = CSPM": {2, 3},
            "(project = CSPM AND issuetype = Task) OR labels = Mark": {1, 3},
            "NOT project = OPS AND NOT (issuetype = Task OR labels = Mark)": {2},
            "priority = High": {1},
            "priority != High AND project = CSPM": {2, 3},
            'cf[10040] ~ "INC0010003"': {1},
            '"Incident Number" is not EMPTY': {1},
            'summary ~ "batch nightly"': {3},
            "Severity in (Major, Minor)": {2},
            '"Story Points" >= 2.5': {2},
            f"assignee = '{BEN.account_id}'": {2},
            "assignee is EMPTY AND project = CSPM": {1, 3},
            "fixVersion = 26.01": {2},
            "component not in (Batch)": {1},
            "key in (CSPM-1, CSPM-3)": {1, 3},
            "id = 10001": {1},
            "resolution = Unresolved AND project = CSPM": {1, 2, 3},
            "statusCategory != Done AND status = 'to do'": {1, 2, 3},
            "creator = currentUser() OR updated > -1d AND project = CSPM": {1, 2, 3},
        }
        for jql, numbers in expected.items():
            found = {int(key[5:]) for key in wire.keys(jql) if key.startswith("CSPM")}
            assert found == numbers, jql
        assert wire.keys("statusCategory = Done") == ["OPS-1"]
        assert wire.send("POST", "search/approximate-count", {"jql": "project = CSPM"}).json() == {"count": 3}

    def test_dates_are_read_in_the_searchers_zone_and_numbers_are_not(self, build: Callable[..., Wire]) -> None:
        wire = build(users=[replace(BOT, zone="America/Los_Angeles"), *USERS[1:]])
        wire.new()
        at = milliseconds(wire.jira.item("CSPM-1")["updated"])
        found = {
            "updated >= '2026-01-05 00:00'": True,
            "updated >= '2026/01/05 00:01'": False,
            "updated >= '2026-01-05'": True,
            f"updated >= {at}": True,
            f"updated > {at}": False,
            f"updated < {at}": False,
            "updated >= -1m": True,
        }
        assert {jql: bool(wire.keys(jql)) for jql in found} == found

    def test_orders(self, wire: Wire) -> None:
        for priority in ("Low", "High", "Medium"):
            wire.new(priority=priority)
        wire.jira.update("CSPM-1", {"summary": "later"}, "Ana Ruiz")
        assert wire.keys("project = CSPM ORDER BY priority ASC") == ["CSPM-2", "CSPM-3", "CSPM-1"]
        assert wire.keys("project = CSPM ORDER BY updated DESC") == ["CSPM-1", "CSPM-3", "CSPM-2"]
        assert wire.keys("project = CSPM ORDER BY key ASC") == ["CSPM-1", "CSPM-2", "CSPM-3"]
        assert wire.keys("project = CSPM") == ["CSPM-3", "CSPM-2", "CSPM-1"]

    def test_the_cheap_ways_find_what_looking_at_everything_finds(self, wire: Wire) -> None:
        for n in range(60):
            wire.clock.advance(timedelta(minutes=1))
            wire.new(labels=["mark"] if n % 7 == 0 else [], issuetype=("Bug", "Task")[n % 2])
        since = milliseconds(START + timedelta(minutes=20))
        for where in (
            '(project = "CSPM" AND issuetype in ("Bug")) OR labels = "mark"',
            'labels = "mark"',
            "project = CSPM",
        ):
            cheap = wire.keys(f"({where}) AND updated >= {since} ORDER BY updated ASC, key ASC", maxResults=100)
            plain = wire.keys(f"NOT NOT ({where}) AND NOT updated < {since} ORDER BY created ASC", maxResults=100)
            assert cheap == plain and cheap


class TestLag:
    @pytest.fixture
    def late(self, build: Callable[..., Wire]) -> Wire:
        return build(index_lag=timedelta(seconds=30))

    def test_a_search_trails_and_a_read_does_not(self, late: Wire) -> None:
        id = late.new()
        assert late.keys("project = CSPM") == [] and late.get(f"issue/{id}")["key"] == "CSPM-1"
        late.clock.advance(timedelta(seconds=31))
        assert late.keys("project = CSPM") == ["CSPM-1"]

    def test_it_shows_values_and_belonging_as_they_were(self, late: Wire) -> None:
        id = late.new(labels=["a"])
        late.clock.advance(timedelta(minutes=1))
        late.jira.update(id, {"summary": "New", "labels": ["b"]}, "Ana Ruiz")
        found = late.search("labels = a", fields=["summary"]).json()["issues"]
        assert [issue["fields"]["summary"] for issue in found] == ["Export fails"]
        assert late.keys("labels = b") == []
        bulk = late.send("POST", "issue/bulkfetch", {"issueIdsOrKeys": [id], "fields": ["summary"]}).json()
        assert bulk["issues"][0]["fields"]["summary"] == "New"

    def test_what_is_reconciled_is_fresh(self, late: Wire) -> None:
        id = late.new(labels=["a"])
        late.clock.advance(timedelta(minutes=1))
        late.jira.update(id, {"labels": ["b"]}, "Ana Ruiz")
        assert late.keys("labels = b", reconcileIssues=[int(id)]) == ["CSPM-1"]
        assert late.keys("labels = a ORDER BY updated ASC", reconcileIssues=[int(id)]) == []
        assert late.search("labels = b", reconcileIssues=list(range(51))).status_code == 400

    def test_a_deleted_issue_lingers(self, late: Wire) -> None:
        id = late.new()
        late.clock.advance(timedelta(minutes=1))
        late.jira.delete(id, "Ana Ruiz")
        assert late.keys("project = CSPM") == ["CSPM-1"] and late.send("GET", f"issue/{id}").status_code == 404
        late.clock.advance(timedelta(minutes=1))
        assert late.keys("project = CSPM") == []

    def test_writes_may_become_visible_out_of_order(self, build: Callable[..., Wire]) -> None:
        lags = iter([timedelta(minutes=10), timedelta(0), timedelta(0)])
        wire = build(index_lag=lambda: next(lags))
        wire.new()
        wire.new()
        assert wire.keys("project = CSPM") == ["CSPM-2"]
        wire.jira.update("CSPM-1", {"summary": "newer"}, "Ana Ruiz")
        wire.clock.advance(timedelta(minutes=11))
        found = wire.search("key = CSPM-1", fields=["summary"]).json()["issues"]
        assert [issue["fields"]["summary"] for issue in found] == ["newer"]


class TestLimits:
    def test_bursts(self, wire: Wire) -> None:
        wire.jira.limits.burst = True
        answers = [wire.send("GET", "myself") for _ in range(101)]
        assert [answer.status_code for answer in answers] == [200] * 100 + [429]
        assert answers[-1].headers["RateLimit-Reason"] == "jira-burst-based"
        wire.clock.advance(timedelta(seconds=int(answers[-1].headers["Retry-After"])))
        assert wire.send("GET", "myself").status_code == 200

    def test_writes_to_one_issue(self, wire: Wire) -> None:
        first, second = wire.new(), wire.new()
        wire.jira.limits.per_issue = True
        answers = [wire.send("PUT", f"issue/{first}", {"fields": {"summary": f"{n}"}}) for n in range(21)]
        assert [answer.status_code for answer in answers] == [204] * 20 + [429]
        assert answers[-1].headers["RateLimit-Reason"] == "jira-per-issue-on-write"
        assert wire.send("PUT", f"issue/{second}", {"fields": {"summary": "x"}}).status_code == 204


class TestDescribing:
    def test_a_creation_screen_comes_in_pages(self, wire: Wire) -> None:
        page = wire.get(f"issue/createmeta/CSPM/issuetypes/{BUG.id}", startAt=2, maxResults=2)
        assert (page["startAt"], page["total"], len(page["fields"])) == (2, 2 + len(BUG.create), 2)
        assert page["fields"][0]["fieldId"] == "summary" and page["fields"][0]["required"] is True
        assert wire.send("GET", "issue/createmeta/CSPM/issuetypes?maxResults=201").status_code == 400

    def test_fields_tell_their_type_and_their_names_in_jql(self, wire: Wire) -> None:
        fields = {field["id"]: field for field in wire.get("field")}
        assert fields["fixVersions"]["schema"] == {"type": "array", "items": "version", "system": "fixVersions"}
        assert fields["fixVersions"]["clauseNames"] == ["fixVersion"]
        assert fields["customfield_10043"]["schema"]["custom"].endswith(":textarea")
        assert fields["customfield_10040"]["clauseNames"] == ["cf[10040]", "Incident Number"]

    def test_rights_must_be_named(self, wire: Wire) -> None:
        wire.jira.deny("Lockstep", "CSPM", "EDIT_ISSUES")
        rights = wire.get("mypermissions", projectKey="CSPM", permissions="EDIT_ISSUES,ADD_COMMENTS")["permissions"]
        assert {name: right["havePermission"] for name, right in rights.items()} == {
            "EDIT_ISSUES": False,
            "ADD_COMMENTS": True,
        }
        assert wire.send("GET", "mypermissions").status_code == 400

    def test_the_changelog_comes_oldest_first(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.move(id, "In Progress", "Ben Okafor")
        wire.jira.update(id, {"customfield_10040": "INC1"}, "Ana Ruiz")
        log = wire.get(f"issue/{id}/changelog")
        assert [(row["author"]["displayName"], row["items"][0]["field"]) for row in log["values"]] == [
            ("Ben Okafor", "status"),
            ("Ana Ruiz", "Incident Number"),
        ]
        assert log["values"][0]["items"][0] | {"fieldtype": ""} == {
            "field": "status",
            "fieldId": "status",
            "fieldtype": "",
            "from": "10000",
            "fromString": "To Do",
            "to": "3",
            "toString": "In Progress",
        }
        assert log["isLast"] is True and log["total"] == 2

    def test_unknown_addresses_and_methods(self, wire: Wire) -> None:
        assert wire.send("GET", "nothing").status_code == 404
        assert wire.send("DELETE", "field").status_code == 405


def test_jql_keeps_quoted_words_apart_from_keywords() -> None:
    assert read('labels in ("and", "a\\"b", x) ORDER BY updated DESC').order == (("updated", False),)
    with pytest.raises(BadQuery):
        read("labels = and")


def test_milliseconds_survive() -> None:
    for stamp in (0, 1, 1_767_600_000_123, 1_767_600_000_999):
        assert milliseconds(instant(stamp)) == stamp


def test_people_are_held_to_the_same_rules() -> None:
    jira = Jira("jira", SandboxClock(START))
    with pytest.raises(Rejected):
        jira.create({"summary": ""}, "Ana Ruiz")
    with pytest.raises(Rejected):
        jira.create({"summary": "a", "nosuch": "b"}, "Ana Ruiz")
    with pytest.raises(KeyError):
        jira.create({"summary": "a"}, "Nobody")
    with pytest.raises(KeyError):
        jira.item("10001")


def test_versions_grow_with_every_write_also_on_a_real_clock() -> None:
    jira = Jira("jira", SandboxClock())
    id = jira.create({"summary": "a"}, "Ana Ruiz")
    seen = [jira.item(id)["updated"]]
    for n in range(50):
        jira.update(id, {"summary": f"{n}"}, "Ana Ruiz")
        seen.append(jira.item(id)["updated"])
    assert seen == sorted(set(seen))
