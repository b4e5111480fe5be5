"""Where the simulated Jira must be no kinder than the real one: all or nothing, bounds by every way in, rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.jira import Rejected
from sandbox.jira.defaults import ANA, BEN
from tests.jira_wire import ServerWire, Wire, bug, built


@pytest.fixture
def build() -> Iterator[Callable[..., Wire]]:
    with built(Wire) as build:
        yield build


@pytest.fixture
def wire(build: Callable[..., Wire]) -> Wire:
    return build()


@pytest.fixture
def server() -> Iterator[ServerWire]:
    with built(ServerWire) as build:
        yield build()


def saying(text: str) -> dict[str, Any]:
    return {"comment": [{"add": {"body": text}}]}


class TestAllOrNothing:
    @pytest.mark.parametrize("beside", [saying(""), saying("x" * 32_768), {"labels": [{"add": "a b"}]}])
    def test_an_edit_that_is_refused_in_one_part_writes_no_other(self, wire: Wire, beside: dict[str, Any]) -> None:
        """v3 PUT /rest/api/3/issue/{issueIdOrKey}: 400 if the request body is invalid."""
        id = wire.new()
        before = wire.jira.item(id)
        answer = wire.send("PUT", f"issue/{id}", {"fields": {"summary": "another"}, "update": beside})
        assert answer.status_code == 400
        assert (wire.jira.item(id), wire.jira.comments(id)) == (before, [])

    def test_a_step_whose_comment_is_refused_is_not_taken(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issue/{issueIdOrKey}/transitions"""
        id = wire.new()
        body = {"transition": {"id": "11"}, "update": saying("")}
        assert wire.send("POST", f"issue/{id}/transitions", body).status_code == 400
        assert wire.jira.item(id)["status"] == "To Do"

    def test_an_edit_whose_property_is_refused_writes_nothing(self, wire: Wire) -> None:
        id = wire.new()
        body = {"fields": {"summary": "another"}, "properties": [{"key": "k", "value": "x" * 40_000}]}
        assert wire.send("PUT", f"issue/{id}", body).status_code == 400
        assert wire.jira.item(id)["summary"] == "Export fails"
        assert wire.send("PUT", f"issue/{id}", body | {"properties": [{"key": "k", "value": 1}]}).status_code == 204
        assert wire.get(f"issue/{id}/properties/k")["value"] == 1


class TestProperties:
    @pytest.mark.parametrize(
        "property", [{"key": "k", "value": "x" * 32_768}, {"key": "k" * 256, "value": 1}, {"value": 1}]
    )
    def test_they_are_bounded_wherever_they_are_given(self, wire: Wire, property: dict[str, Any]) -> None:
        """apis.md 2.3: 32,768 characters, key 255."""
        id = wire.new()
        given = {"properties": [property]}
        assert wire.send("POST", "issue", bug() | given).status_code == 400
        assert wire.send("POST", f"issue/{id}/comment", {"body": "a"} | given).status_code == 400
        assert wire.send("POST", "issue/bulk", {"issueUpdates": [bug() | given]}).status_code == 400
        assert wire.jira.ids() == [id] and wire.jira.comments(id) == []

    def test_an_edit_of_a_comment_sets_its_properties(self, wire: Wire) -> None:
        """v3 PUT /rest/api/3/issue/{issueIdOrKey}/comment/{id}: "Optional on create and update"."""
        id = wire.new()
        comment = wire.send("POST", f"issue/{id}/comment", {"body": "a"}).json()["id"]
        internal = {"key": "sd.public.comment", "value": {"internal": True}}
        wire.send("PUT", f"issue/{id}/comment/{comment}", {"body": "b", "properties": [internal]})
        (told,) = wire.jira.comments(id)
        assert (told["text"], told["channel"]) == ("b", "internal")


class TestDocuments:
    def test_an_update_takes_documents_in_version_three_and_texts_in_version_two(self, wire: Wire) -> None:
        """apis.md 2.2: v3 takes documents, a string there is a 400."""
        id = wire.new()
        paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "in full"}]}
        document = {"type": "doc", "version": 1, "content": [paragraph]}
        for said, version, status in (
            (document, "3", 204),
            ("in brief", "3", 400),
            ("in brief", "2", 204),
            (document, "2", 400),
        ):
            for update in ({"description": [{"set": said}]}, {"comment": [{"add": {"body": said}}]}):
                assert wire.send("PUT", f"issue/{id}", {"update": update}, version).status_code == status
        assert wire.jira.item(id)["description"] == "in brief"
        assert [one["text"] for one in wire.jira.comments(id)] == ["in full", "in brief"]
        made = wire.send("POST", "issue", bug() | {"update": {"description": [{"set": document}]}}, "3")
        assert wire.jira.item(made.json()["id"])["description"] == "in full"


class TestValues:
    @pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "20260201", "2026-W05-1", "1"])
    def test_a_day_that_is_none_is_refused(self, wire: Wire, day: str) -> None:
        """v3 POST /rest/api/3/issue: 400; the form is yyyy-MM-dd."""
        answer = wire.send("POST", "issue", bug(duedate=day))
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"duedate"})

    def test_days_in_queries_are_days(self, wire: Wire) -> None:
        """apis.md 2.1: a date, or a period that counts from now."""
        wire.new(duedate="2026-01-07")
        assert wire.keys('project = CSPM AND due <= "2026/01/07"') == ["CSPM-1"]
        assert wire.keys("project = CSPM AND due <= 1d") == []
        assert wire.keys("project = CSPM AND due <= 2d AND due > now()") == ["CSPM-1"]
        assert wire.search("due > 2026-13-41").status_code == 400

    def test_who_may_not_be_assigned_is_refused_by_every_way(self, wire: Wire) -> None:
        """v3 PUT /rest/api/3/issue/{issueIdOrKey}/assignee; v3 GET /rest/api/3/user/assignable/search"""
        id = wire.new()
        wire.jira.deny("Ben Okafor", "CSPM", "ASSIGNABLE_USER")
        ben, ana = ({"accountId": one.account_id} for one in (BEN, ANA))
        refused = [
            wire.send("POST", "issue", bug(assignee=ben)),
            wire.send("PUT", f"issue/{id}", {"fields": {"assignee": ben}}),
            wire.send("PUT", f"issue/{id}", {"update": {"assignee": [{"set": ben}]}}),
            wire.send("PUT", f"issue/{id}/assignee", ben),
        ]
        why = {"assignee": f"User '{BEN.account_id}' cannot be assigned issues."}
        assert [(answer.status_code, answer.json()["errors"]) for answer in refused] == [(400, why)] * 4
        assert wire.send("PUT", f"issue/{id}", {"fields": {"assignee": ana}}).status_code == 204

    @pytest.mark.parametrize("size", [0, -1, 5001])
    def test_a_page_of_none_or_too_many_is_refused(self, wire: Wire, size: int) -> None:
        """recorded: jenkinsci/jira-plugin #646"""
        answer = wire.search("project = CSPM", maxResults=size)
        why = ["The max results parameter has to be between 1 and 5,000."]
        assert (answer.status_code, answer.json()["errorMessages"]) == (400, why)

    def test_a_creation_names_its_project_and_type(self, wire: Wire, server: ServerWire) -> None:
        """v3 GET /rest/api/3/issue/createmeta, its example: ``issuetype`` is required and has no default."""
        kinds = wire.get("issue/createmeta/CSPM/issuetypes")["issueTypes"]
        path = f"issue/createmeta/CSPM/issuetypes/{kinds[0]['id']}"
        for rows in (wire.get(path)["fields"], server.get(path)["values"]):
            needed = {row["fieldId"] for row in rows if row["required"] and not row["hasDefaultValue"]}
            assert needed == {"issuetype", "project", "summary"}


class TestComments:
    def test_a_deleted_comment_leaves_its_words_in_the_history_but_for_those_of_a_role(self, wire: Wire) -> None:
        """docs tecnofor.es "What happens if you delete something in Jira Cloud?" [C]"""
        id = wire.new()
        for channel in ("everyone", "role:Developers"):
            comment = wire.jira.comment(id, "a secret", "Ana Ruiz", channel)
            wire.jira.delete_comment(id, comment, "Ana Ruiz")
        history = [(one["field"], one["old"], one["new"]) for one in wire.jira.history(id)]
        hidden = "A comment with security level 'Developers' was removed."
        assert history == [("comment", "a secret", None), ("comment", hidden, None)]
        assert wire.get(f"issue/{id}/changelog")["values"][0]["items"][0]["field"] == "Comment"

    def test_or_nothing_where_it_is_switched(self, wire: Wire) -> None:
        wire.jira.switches.deleted_comments_in_history = False
        id = wire.new()
        before = wire.jira.item(id)["updated"]
        wire.jira.delete_comment(id, wire.jira.comment(id, "a secret", "Ana Ruiz"), "Ana Ruiz")
        assert wire.jira.history(id) == []
        assert wire.jira.item(id)["updated"] > before

    def test_comments_files_and_links_are_found_by_id_after_a_move_a_deletion_and_a_restored_backup(
        self, wire: Wire
    ) -> None:
        """v3 GET /rest/api/3/comment/{commentId}/properties; v3 GET /rest/api/3/issueLink/{linkId}"""
        id, other = wire.new(), wire.new()
        comment = wire.jira.comment(id, "a", "Ana Ruiz")
        held = wire.jira.snapshot()
        wire.jira.relocate(id, "Ana Ruiz", "OPS")
        ends = {"type": {"name": "Blocks"}, "inwardIssue": {"id": id}, "outwardIssue": {"id": other}}
        wire.send("POST", "issueLink", ends)
        link = wire.get(f"issue/{id}", fields="issuelinks")["fields"]["issuelinks"][0]["id"]
        assert wire.get(f"issueLink/{link}")["outwardIssue"]["id"] == other
        assert wire.send("GET", f"comment/{comment}/properties").status_code == 200
        wire.jira.delete(id, "Ana Ruiz")
        assert wire.send("GET", f"comment/{comment}/properties").status_code == 404
        assert wire.send("GET", f"issueLink/{link}").status_code == 404
        wire.jira.restore(held)
        assert wire.send("GET", f"comment/{comment}/properties").status_code == 200
        assert wire.send("GET", f"issueLink/{link}").status_code == 404


class TestTextQueries:
    def test_a_text_query_is_not_empty_and_begins_with_no_wildcard(self, wire: Wire) -> None:
        """Atlassian Support, "Search syntax for text fields" [C]"""
        for text in ("", " ", "*gate", "?ate"):
            answer = wire.send("POST", "search/jql", {"jql": f'project = CSPM AND summary ~ "{text}"'})
            assert answer.status_code == 400, text

    def test_stop_words_are_not_in_the_index(self, wire: Wire) -> None:
        """Atlassian Support, "Search syntax for text fields" [C]"""
        id = wire.new(summary="The gate is shut")
        found = {
            text: [
                one["id"] for one in wire.send("POST", "search/jql", {"jql": f'summary ~ "{text}"'}).json()["issues"]
            ]
            for text in ("an open gate", "a gate", "the", "gate")
        }
        assert found == {"an open gate": [], "a gate": [id], "the": [], "gate": [id]}


class TestRights:
    def test_a_move_wants_the_right_to_create_where_it_leads(self, wire: Wire) -> None:
        """docs support.atlassian.com "Move an issue" [U]"""
        id = wire.new()
        wire.jira.deny("Ana Ruiz", "OPS", "CREATE_ISSUES")
        with pytest.raises(Rejected, match="permission to create"):
            wire.jira.relocate(id, "Ana Ruiz", "OPS")
        assert wire.jira.relocate(id, "Ben Okafor", "OPS") == "OPS-1"

    def test_an_archived_issue_is_neither_linked_nor_watched_nor_moved(self, wire: Wire) -> None:
        """docs support.atlassian.com "Archive an issue" [U]"""
        id, other = wire.new(), wire.new()
        wire.jira.archive(id)
        for ends in ((id, other), (other, id)):
            body = {"type": {"name": "Blocks"}, "inwardIssue": {"id": ends[0]}, "outwardIssue": {"id": ends[1]}}
            assert wire.send("POST", "issueLink", body).status_code == 404
        assert wire.send("POST", f"issue/{id}/watchers").status_code == 403
        with pytest.raises(Rejected, match="permission to move"):
            wire.jira.relocate(id, "Ana Ruiz", "OPS")


class TestLimits:
    def test_writes_to_one_issue_are_counted_together_by_whatever_name(self, wire: Wire) -> None:
        """apis.md 2.4: per issue 20 in 2 s"""
        id = wire.new()
        wire.jira.relocate(id, "Ana Ruiz", "OPS")
        wire.jira.limits.per_issue = True
        names = [id, "OPS-1", "ops-1", "CSPM-1"] * 5
        sent = [wire.send("PUT", f"issue/{name}/properties/k", n).status_code for n, name in enumerate(names)]
        assert sent == [201] + [200] * 19
        assert wire.send("PUT", f"issue/{id}/properties/k", 1).status_code == 429
        wire.clock.advance(timedelta(seconds=3))
        assert wire.send("PUT", f"issue/{id}/properties/k", 1).status_code == 200


class TestDataCenter:
    def test_a_page_of_minus_one_is_the_most_there_may_be(self, server: ServerWire) -> None:
        """DC GET /api/2/search; `jira.search.views.default.max`"""
        server.jira.page_limit = 2
        for _ in range(3):
            server.new()
        answer = server.search("", maxResults=-1).json()
        assert (answer["maxResults"], len(answer["issues"]), answer["total"]) == (2, 2, 3)

    def test_two_in_one_process_keep_apart(self, server: ServerWire, wire: Wire, build: Callable[..., Wire]) -> None:
        """Nothing of one is the other's: rights, switches, versions, issues, limits."""
        other = build()
        wire.jira.deny("Lockstep", "CSPM", "EDIT_ISSUES")
        wire.jira.switches.old_keys, wire.jira.caps.comments, wire.jira.limits.burst = False, 0, True
        wire.jira.promote("Lockstep")
        assert wire.send("POST", "version", {"projectId": 10000, "name": "26.09"}).status_code == 201
        wire.new()
        for untouched in (other.jira, server.jira):
            assert untouched.ids() == [] and untouched.site.denied == set() and untouched.site.administrators == set()
            assert untouched.switches.old_keys and untouched.caps.comments == 5000 and not untouched.limits.burst
            assert len(untouched.site.projects["CSPM"].versions) == 3
