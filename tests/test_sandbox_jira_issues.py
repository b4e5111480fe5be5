"""Issues of the simulated Jira: many at once, clashes, moves, archives, histories, documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.jira import Rejected
from sandbox.jira.adf import words
from sandbox.jira.defaults import BUG
from sandbox.jira.wiki import document
from tests.jira_wire import Wire, bug


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.server.stop()


def text(words: str, *marks: str) -> dict[str, Any]:
    return {"type": "text", "text": words} | ({"marks": [{"type": mark} for mark in marks]} if marks else {})


def node(kind: str, *content: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(content)} | ({"attrs": attributes} if attributes else {})


def doc(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


class TestManyAtOnce:
    def test_some_are_made_and_the_others_are_told_by_their_place(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issue/bulk; apis.md 2.1"""
        property = {"properties": [{"key": "lockstep", "value": {"n": 1}}]}
        updates = [bug() | property, bug(summary=""), bug(labels=["a"]), bug(project={"key": "NOPE"})]
        answer = wire.send("POST", "issue/bulk", {"issueUpdates": updates})
        assert answer.status_code == 201
        assert [one["key"] for one in answer.json()["issues"]] == ["CSPM-1", "CSPM-2"]
        assert [(one["failedElementNumber"], one["status"]) for one in answer.json()["errors"]] == [(1, 400), (3, 400)]
        assert set(answer.json()["errors"][0]["elementErrors"]["errors"]) == {"summary"}
        assert wire.get("issue/CSPM-1/properties/lockstep")["value"] == {"n": 1}

    def test_it_is_a_400_where_none_is_made(self, wire: Wire) -> None:
        answer = wire.send("POST", "issue/bulk", {"issueUpdates": [bug(summary="")]})
        assert (answer.status_code, answer.json()["issues"], len(answer.json()["errors"])) == (400, [], 1)

    @pytest.mark.parametrize("count", [0, 51])
    def test_at_most_fifty(self, wire: Wire, count: int) -> None:
        assert wire.send("POST", "issue/bulk", {"issueUpdates": [bug()] * count}).status_code == 400
        assert wire.jira.ids() == []

    def test_histories_are_read_in_bulk_by_field_and_in_pages(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/changelog/bulkfetch: stamps are numbers there (spec example)"""
        ids = [wire.new() for _ in range(2)]
        for id in ids:
            wire.jira.update(id, {"summary": "New"}, "Ana Ruiz")
            wire.jira.update(id, {"labels": ["a"]}, "Ana Ruiz")
        body: dict[str, Any] = {"issueIdsOrKeys": [*ids, "CSPM-99"], "fieldIds": ["labels"], "maxResults": 1}
        first = wire.send("POST", "changelog/bulkfetch", body).json()
        second = wire.send("POST", "changelog/bulkfetch", body | {"nextPageToken": first["nextPageToken"]}).json()
        assert [page["issueChangeLogs"][0]["issueId"] for page in (first, second)] == ids
        assert isinstance(first["issueChangeLogs"][0]["changeHistories"][0]["created"], int)
        assert "nextPageToken" not in second

    @pytest.mark.parametrize(("issues", "fields"), [(0, 0), (1001, 0), (1, 11)])
    def test_histories_in_bulk_have_bounds(self, wire: Wire, issues: int, fields: int) -> None:
        body = {"issueIdsOrKeys": ["1"] * issues, "fieldIds": [f"f{n}" for n in range(fields)]}
        assert wire.send("POST", "changelog/bulkfetch", body).status_code == 400


class TestWriting:
    @pytest.mark.parametrize(("switch", "status"), [("in_flight", 409), ("misconfigured", 422)])
    def test_a_clash_and_a_broken_configuration_write_nothing(self, wire: Wire, switch: str, status: int) -> None:
        """apis.md 2.2"""
        id = wire.new()
        getattr(wire.jira.switches, switch).add(id)
        before = wire.jira.item(id)
        assert wire.send("PUT", f"issue/{id}", {"fields": {"summary": "x"}}).status_code == status
        assert wire.send("POST", f"issue/{id}/transitions", {"transition": {"id": "11"}}).status_code == status
        assert wire.jira.item(id) == before

    def test_the_last_of_two_writes_stands(self, wire: Wire) -> None:
        """apis.md 2.2: no revision check"""
        id = wire.new()
        for summary in ("first", "second"):
            assert wire.send("PUT", f"issue/{id}", {"fields": {"summary": summary}}).status_code == 204
        assert wire.jira.item(id)["summary"] == "second"

    def test_reopening_leaves_the_resolution_where_no_post_function_clears_it(self, wire: Wire) -> None:
        """apis.md 2.2 [C]"""
        wire.jira.switches.reopening_clears = False
        id = wire.new()
        wire.jira.move(id, "In Progress", "Ben Okafor")
        wire.jira.move(id, "Done", "Ben Okafor", resolution="Done")
        wire.jira.move(id, "To Do", "Ana Ruiz")
        assert (wire.jira.item(id)["status"], wire.jira.item(id)["resolution"]) == ("To Do", "Done")

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({}, "Missing 'transition' identifier"),
            ({"transition": {"id": "99"}}, "Transition id '99' is not valid for this issue."),
            (
                {"transition": {"id": "11"}, "fields": {"labels": ["a"]}},
                "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown.",
            ),
        ],
    )
    def test_transitions_that_are_refused(self, wire: Wire, body: Any, told: str) -> None:
        """apis.md 2.2"""
        answer = wire.send("POST", f"issue/{wire.new()}/transitions", body)
        assert answer.status_code == 400 and told in answer.text

    def test_a_field_is_set_in_one_way_only_on_a_transition(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issue/{issueIdOrKey}/transitions"""
        id = wire.new()
        wire.jira.move(id, "In Progress", "Ben Okafor")
        done = {"name": "Done"}
        both = {"fields": {"resolution": done}, "update": {"resolution": [{"set": done}]}}
        assert wire.send("POST", f"issue/{id}/transitions", {"transition": {"id": "51"}, **both}).status_code == 400

    def test_a_transition_carries_a_comment_and_may_be_asked_for_by_id(self, wire: Wire) -> None:
        id = wire.new()
        assert len(wire.get(f"issue/{id}/transitions", transitionId="99")["transitions"]) == 0
        step = {"transition": {"id": "11"}, "update": {"comment": [{"add": {"body": "off we go"}}]}}
        assert wire.send("POST", f"issue/{id}/transitions", step).status_code == 204
        assert [one["text"] for one in wire.jira.comments(id)] == ["off we go"]

    def test_labels_have_no_spaces_and_255_characters(self, wire: Wire) -> None:
        """apis.md 2.2"""
        for label, status in (("a" * 255, 201), ("a" * 256, 400), ("a b", 400)):
            assert wire.send("POST", "issue", bug(labels=[label])).status_code == status


class TestMoving:
    def test_the_old_key_leads_on_or_to_nothing_as_switched(self, wire: Wire) -> None:
        """apis.md 2.3 [S/C]: id stable, key changes"""
        id = wire.new()
        wire.jira.relocate(id, "Ana Ruiz", "OPS", "Task")
        bulk = {"issueIdsOrKeys": ["CSPM-1"], "fields": ["summary"]}
        assert wire.send("POST", "issue/bulkfetch", bulk).json()["issues"][0]["key"] == "OPS-1"
        assert wire.keys("key = CSPM-1") == ["OPS-1"]
        wire.jira.switches.old_keys = False
        assert wire.send("GET", "issue/CSPM-1").status_code == 404
        assert wire.get("issue/OPS-1")["id"] == wire.get(f"issue/{id}")["id"] == id
        assert wire.send("POST", "issue/bulkfetch", bulk).json()["issues"] == []

    def test_another_type_keeps_the_key_and_starts_over_where_it_lacks_the_status(self, wire: Wire) -> None:
        id = wire.new(customfield_10042="Major")
        wire.jira.move(id, "In Progress", "Ben Okafor")
        wire.jira.move(id, "In Review", "Ben Okafor")
        assert wire.jira.relocate(id, "Ana Ruiz", type="Task") == "CSPM-1"
        item = wire.jira.item(id)
        assert (item["issuetype"], item["status"], item["customfield_10042"]) == ("Task", "To Do", None)
        assert wire.jira.history(id)[-1] | {"at": None, "by": ""} == {
            "at": None,
            "by": "",
            "field": "issuetype",
            "old": "Bug",
            "new": "Task",
        }

    def test_moving_wants_its_right(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.deny("Ana Ruiz", "CSPM", "MOVE_ISSUES")
        with pytest.raises(Rejected):
            wire.jira.relocate(id, "Ana Ruiz", "OPS", "Task")

    def test_a_deleted_issue_is_404_everywhere_and_leaves_no_trace(self, wire: Wire) -> None:
        """apis.md 2.1: no tombstone"""
        id = wire.new()
        assert wire.send("DELETE", f"issue/{id}").status_code == 204
        assert {wire.send("GET", f"issue/{id}{part}").status_code for part in ("", "/comment", "/changelog")} == {404}
        bulk = wire.send("POST", "issue/bulkfetch", {"issueIdsOrKeys": [id]}).json()
        assert bulk == {"issues": [], "issueErrors": []}

    def test_an_archived_issue_is_out_of_searches_and_closed_to_writes(self, wire: Wire) -> None:
        """Atlassian Support, "Archive an issue": read-only, not in searches, for those who may browse the archive"""
        id = wire.new()
        comment = wire.send("POST", f"issue/{id}/comment", {"body": "a"}).json()["id"]
        wire.jira.archive(id)
        assert wire.keys("project = CSPM") == [] and wire.get(f"issue/{id}")["id"] == id
        assert wire.get(f"issue/{id}/transitions")["transitions"] == []
        for method, path, body in (
            ("PUT", "", {"fields": {"summary": "x"}}),
            ("POST", "/comment", {"body": "b"}),
            ("PUT", f"/comment/{comment}", {"body": "b"}),
            ("PUT", "/properties/k", {"n": 1}),
        ):
            assert wire.send(method, f"issue/{id}{path}", body).status_code in (400, 403)
        wire.jira.deny("Lockstep", "CSPM", "BROWSE_ARCHIVE")
        assert wire.send("GET", f"issue/{id}").status_code == 404
        wire.jira.archive(id, archived=False)
        assert wire.keys("project = CSPM") == ["CSPM-1"]


class TestHistory:
    def test_entries_come_in_pages_and_by_their_ids(self, wire: Wire) -> None:
        """v3 GET /rest/api/3/issue/{issueIdOrKey}/changelog and POST .../changelog/list"""
        id = wire.new()
        for n in range(5):
            wire.jira.update(id, {"summary": f"{n}"}, "Ana Ruiz")
        page = wire.get(f"issue/{id}/changelog", startAt=3, maxResults=1)
        assert (page["total"], page["isLast"], page["values"][0]["items"][0]["toString"]) == (5, False, "3")
        entry = page["values"][0]
        assert isinstance(entry["id"], str)
        found = wire.send("POST", f"issue/{id}/changelog/list", {"changelogIds": [int(entry["id"]), 1]}).json()
        assert found["histories"] == [entry]

    def test_entries_may_lack_the_fields_id_and_come_newest_first(self, wire: Wire) -> None:
        """apis.md 2.3 [S/C]: fieldId often absent, order not promised"""
        id = wire.new()
        for n in range(3):
            wire.jira.update(id, {"summary": f"{n}"}, "Ana Ruiz")
        wire.jira.switches.changelog_field_ids, wire.jira.switches.changelog_newest_first = False, True
        values = wire.get(f"issue/{id}/changelog")["values"]
        assert [entry["items"][0]["toString"] for entry in values] == ["2", "1", "0"]
        assert all("fieldId" not in item for entry in values for item in entry["items"])

    def test_an_issue_shows_its_history_names_and_schema_where_asked(self, wire: Wire) -> None:
        id = wire.new(description="a <b>")
        wire.jira.update(id, {"summary": "New"}, "Ana Ruiz")
        fields, expand = "summary,description", "changelog,names,schema,renderedFields"
        issue = wire.get(f"issue/{id}", fields=fields, expand=expand)
        assert issue["changelog"]["total"] == 1
        assert issue["names"] == {"summary": "Summary", "description": "Description"}
        assert issue["schema"]["summary"] == {"type": "string", "system": "summary"}
        assert issue["renderedFields"] == {"summary": None, "description": "<p>a &lt;b&gt;</p>"}


RICH = doc(
    node("heading", text("Steps"), level=2),
    node(
        "paragraph", text("a "), text("bold", "strong"), text(" - not *bold* {x} [y]"), {"type": "hardBreak"}, text("b")
    ),
    node(
        "bulletList",
        node(
            "listItem",
            node("paragraph", text("one")),
            node("orderedList", node("listItem", node("paragraph", text("n")))),
        ),
        node("listItem", node("paragraph", text("two", "em"))),
    ),
    node("codeBlock", text("x = [1]\n\n*y*"), language="python"),
    node("blockquote", node("paragraph", text("q"))),
    {"type": "rule"},
)


class TestDocuments:
    """apis.md 2.2: version 2 takes wiki markup, version 3 documents, which are normalised on save."""

    def test_a_document_comes_back_and_is_wiki_markup_in_version_two(self, wire: Wire) -> None:
        id = wire.send("POST", "issue", bug(description=RICH), version="3").json()["id"]
        assert wire.send("GET", f"issue/{id}", version="3").json()["fields"]["description"] == RICH
        assert wire.get(f"issue/{id}")["fields"]["description"].startswith("h2. Steps\n\na *bold* \\- not")

    def test_two_backslashes_escape_nothing(self) -> None:
        """ESCAPING_PATTERN of Jira's renderer, as Atlassian's editor quotes it; entities: ENTITY_PATTERN of its
        HtmlEscaper, and pandoc #5926."""
        (paragraph,) = document(r"a \[~accountid:x] \\[~accountid:y] &#92;\[~accountid:z] \n &lt;&#38;lt;")["content"]
        mentions = [one["attrs"]["id"] for one in paragraph["content"] if one["type"] == "mention"]
        breaks = [one for one in paragraph["content"] if one["type"] == "hardBreak"]
        assert (mentions, len(breaks)) == (["y"], 1)
        said = [one["text"] for one in paragraph["content"] if one["type"] == "text"]
        assert "".join(said) == r"a [~accountid:x]  \[~accountid:z] \n <&lt;"

    def test_what_means_nothing_is_gone_when_it_comes_back(self, wire: Wire) -> None:
        sent = doc(
            node("paragraph", text("a"), text("b"), localId="x"), node("paragraph"), node("paragraph", text("c"))
        )
        id = wire.new()
        shown = wire.send("POST", f"issue/{id}/comment", {"body": sent}, version="3").json()["body"]
        assert shown == doc(node("paragraph", text("ab")), node("paragraph", text("c"))) != sent

    @pytest.mark.parametrize(
        "body",
        [
            "plain",
            {"type": "doc", "content": []},
            {"type": "paragraph", "version": 1},
            doc({"type": "nosuch"}),
            doc(node("paragraph", {"type": "text", "text": ""})),
        ],
    )
    def test_what_is_no_document_is_refused(self, wire: Wire, body: Any) -> None:
        answer = wire.send("POST", f"issue/{wire.new()}/comment", {"body": body}, version="3")
        assert answer.status_code == 400 and "Atlassian Document Format" in answer.json()["errors"]["comment"]
        assert wire.jira.comments(wire.jira.ids()[0]) == []

    def test_markup_written_through_version_two_is_a_document_in_version_three(self, wire: Wire) -> None:
        id = wire.new(description="see [the log|https://a.example/x] [~accountid:5b10]\n* {{code}}\n----")
        content = wire.send("GET", f"issue/{id}", version="3").json()["fields"]["description"]["content"]
        assert [block["type"] for block in content] == ["paragraph", "bulletList", "rule"]
        assert content[0]["content"][1]["marks"] == [{"type": "link", "attrs": {"href": "https://a.example/x"}}]
        assert content[0]["content"][-1] == {"type": "mention", "attrs": {"id": "5b10"}}

    def test_a_document_as_kept_is_kept_as_it_is(self) -> None:
        for kept in (RICH, document("a *b* _c_ -d- +e+ {{f}}\ng")):
            assert document(words(kept) or "") == kept

    @pytest.mark.parametrize("text", ["*" * 32_000, "[a|" * 10_000, "{code}" * 5000, "*_+-" * 8000, "{{" * 16_000])
    def test_hostile_texts_are_read_to_their_end(self, text: str) -> None:
        """Spans are bounded, so that this ends at all (pytest's time limit would tell)."""
        assert "the end" in str(document(text + " the end"))

    def test_a_document_is_as_long_as_its_text(self, wire: Wire) -> None:
        for length, status in ((32_767, 201), (32_768, 400)):
            body = bug(description=doc(node("paragraph", text("x" * length))))
            assert wire.send("POST", "issue", body, version="3").status_code == status


def test_editmeta_lists_the_edit_screen_with_what_is_required(wire: Wire) -> None:
    """v3 GET /rest/api/3/issue/{issueIdOrKey}/editmeta"""
    fields = wire.get(f"issue/{wire.new()}/editmeta")["fields"]
    assert set(fields) == set(BUG.edit) and fields["summary"]["required"] is True
    assert fields["labels"]["operations"] == ["add", "set", "remove"]
    assert fields["priority"]["allowedValues"][0]["name"] == "Highest"
