"""Files, hours and comments on the issues of the simulated Jira."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from sandbox.jira.defaults import ANA
from tests.jira_wire import Wire

NO_CHECK = {"X-Atlassian-Token": "no-check"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.server.stop()


Upload = Callable[..., requests.Response]


@pytest.fixture
def upload(wire: Wire) -> Upload:
    def upload(id: str, *files: tuple[str, bytes, str], part: str = "file", headers: Any = NO_CHECK) -> Any:
        url = f"{wire.server.url}/rest/api/2/issue/{id}/attachments"
        parts = [(part, file) for file in files]
        return requests.post(url, files=parts, headers=headers, auth=wire.auth, timeout=5)

    return upload


TEXT = ("log.txt", b"one\r\n--two\x00\xff", "text/plain")


class TestAttachments:
    def test_files_are_sent_in_parts_and_come_back_as_they_were(self, wire: Wire, upload: Upload) -> None:
        """v3 POST /rest/api/3/issue/{issueIdOrKey}/attachments"""
        id = wire.new()
        before = wire.jira.item(id)["updated"]
        answer = upload(id, TEXT, ("a b.png", b"\x89PNG", "image/png"))
        assert answer.status_code == 200
        assert [(one["filename"], one["size"], one["mimeType"]) for one in answer.json()] == [
            ("log.txt", len(TEXT[1]), "text/plain"),
            ("a b.png", 4, "image/png"),
        ]
        shown = wire.get(f"issue/{id}", fields="attachment")["fields"]["attachment"]
        assert shown == answer.json() and isinstance(shown[0]["id"], str)
        assert wire.send("GET", f"attachment/content/{shown[0]['id']}?redirect=false").content == TEXT[1]
        assert wire.jira.item(id)["updated"] > before
        assert [entry["new"] for entry in wire.jira.history(id)] == ["log.txt", "a b.png"]

    def test_content_is_a_redirect_that_needs_no_credentials(self, wire: Wire, upload: Upload) -> None:
        """v3 GET /rest/api/3/attachment/content/{id}"""
        file = upload(wire.new(), TEXT).json()[0]
        answer = wire.send("GET", f"attachment/content/{file['id']}")
        assert answer.status_code == 303
        assert requests.get(answer.headers["Location"], timeout=5).content == TEXT[1]

    @pytest.mark.parametrize(
        ("wanted", "status", "content"),
        [
            ("bytes=1-3", 206, TEXT[1][1:4]),
            ("bytes=4-", 206, TEXT[1][4:]),
            ("bytes=99-", 416, b""),
            ("lines=1", 400, None),
        ],
    )
    def test_a_range_of_it(self, wire: Wire, upload: Upload, wanted: str, status: int, content: bytes | None) -> None:
        file = upload(wire.new(), TEXT).json()[0]
        answer = wire.send("GET", f"attachment/content/{file['id']}?redirect=false", headers={"Range": wanted})
        assert answer.status_code == status and content in (None, answer.content)

    def test_without_its_header_the_request_is_taken_for_a_forged_one(self, wire: Wire, upload: Upload) -> None:
        """apis.md 2.2"""
        answer = upload(wire.new(), TEXT, headers={})
        assert (answer.status_code, answer.text) == (403, "XSRF check failed")

    def test_the_part_is_named_file(self, wire: Wire, upload: Upload) -> None:
        """apis.md 2.2"""
        id = wire.new()
        assert upload(id, TEXT, part="attachment").status_code == 400
        address = f"{wire.server.url}/rest/api/2/issue/{id}/attachments"
        assert requests.post(address, json={}, headers=NO_CHECK, auth=wire.auth, timeout=5).status_code == 415

    def test_no_more_than_sixty_files_and_no_more_than_the_issue_holds(self, wire: Wire, upload: Upload) -> None:
        """apis.md 2.2"""
        id = wire.new()
        assert upload(id, *[TEXT] * 61).status_code == 413
        assert upload(id, *[TEXT] * 60).status_code == 200
        wire.jira.caps.attachments = 61
        assert [upload(id, TEXT).status_code for _ in range(2)] == [200, 413]
        assert upload(id, ("big", b"x" * (wire.get("attachment/meta")["uploadLimit"] + 1), "")).status_code == 413

    def test_what_it_is_and_that_it_goes(self, wire: Wire, upload: Upload) -> None:
        """v3 GET and DELETE /rest/api/3/attachment/{id}: here the id is a number"""
        id = wire.new()
        file = upload(id, TEXT).json()[0]["id"]
        assert wire.get(f"attachment/{file}")["id"] == int(file)
        wire.jira.deny("Lockstep", "CSPM", "DELETE_OWN_ATTACHMENTS")
        wire.jira.deny("Lockstep", "CSPM", "DELETE_ALL_ATTACHMENTS")
        assert wire.send("DELETE", f"attachment/{file}").status_code == 403
        wire.jira.allow("Lockstep", "CSPM", "DELETE_ALL_ATTACHMENTS")
        assert wire.send("DELETE", f"attachment/{file}").status_code == 204
        assert wire.send("GET", f"attachment/{file}").status_code == 404
        wire.jira.deny("Lockstep", "CSPM", "CREATE_ATTACHMENTS")
        assert upload(id, TEXT).status_code == 403

    def test_a_file_on_a_hidden_issue_is_missing(self, wire: Wire, upload: Upload) -> None:
        id = wire.new()
        file = upload(id, TEXT).json()[0]["id"]
        wire.jira.hide(id, "Lockstep")
        assert wire.send("GET", f"attachment/{file}").status_code == 404


class TestWorklogs:
    def test_hours_are_logged_listed_and_add_up_in_the_history(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issue/{issueIdOrKey}/worklog"""
        id = wire.new()
        body = {"timeSpent": "1h 30m", "comment": "looked", "started": "2026-01-05T07:00:00.000+0000"}
        first = wire.send("POST", f"issue/{id}/worklog", body)
        assert (first.status_code, first.json()["timeSpentSeconds"], first.json()["comment"]) == (201, 5400, "looked")
        second = wire.send("POST", f"issue/{id}/worklog", {"timeSpentSeconds": 28_800}).json()
        assert second["timeSpent"] == "1d"
        page = wire.get(f"issue/{id}/worklog")
        assert (page["total"], [one["id"] for one in page["worklogs"]]) == (2, [first.json()["id"], second["id"]])
        assert wire.get(f"issue/{id}")["fields"]["worklog"]["total"] == 2
        assert [entry["new"] for entry in wire.jira.history(id)] == ["5400", "34200"]
        assert wire.get(f"issue/{id}/worklog/{second['id']}") == second

    @pytest.mark.parametrize("body", [{}, {"timeSpent": "soon"}, {"timeSpent": "1h", "started": "yesterday"}])
    def test_what_is_no_time(self, wire: Wire, body: Any) -> None:
        assert wire.send("POST", f"issue/{wire.new()}/worklog", body).status_code == 400

    def test_changed_ones_are_found_by_time_and_read_by_id(self, wire: Wire) -> None:
        id = wire.new()
        made = wire.send("POST", f"issue/{id}/worklog", {"timeSpent": "1h"}).json()
        changed = wire.get("worklog/updated", since=0)
        assert [one["worklogId"] for one in changed["values"]] == [int(made["id"])] and changed["lastPage"] is True
        assert wire.get("worklog/updated", since=changed["until"] + 1)["values"] == []
        assert wire.send("POST", "worklog/list", {"ids": [int(made["id"])]}).json() == [made]

    def test_an_issue_holds_so_many(self, wire: Wire) -> None:
        """apis.md 2.2"""
        id, wire.jira.caps.worklogs = wire.new(), 1
        answers = [wire.send("POST", f"issue/{id}/worklog", {"timeSpent": "1h"}).status_code for _ in range(2)]
        assert answers == [201, 413]


class TestComments:
    def test_an_issue_holds_so_many_comments(self, wire: Wire) -> None:
        """apis.md 2.2: 5000 comments, 413"""
        assert wire.jira.caps.comments == 5000
        id, wire.jira.caps.comments = wire.new(), 1
        answers = [wire.send("POST", f"issue/{id}/comment", {"body": "a"}).status_code for _ in range(2)]
        assert answers == [201, 413]
        step = {"transition": {"id": "11"}, "update": {"comment": [{"add": {"body": "b"}}]}}
        assert wire.send("POST", f"issue/{id}/transitions", step).status_code == 413

    def test_the_property_makes_a_comment_internal_or_not_as_switched(self, wire: Wire) -> None:
        """apis.md 2.3: jsdPublic is read-only; the property works in practice."""
        wire.jira.site.projects["CSPM"] = replace(wire.jira.site.projects["CSPM"], kind="service_desk")
        id, internal = wire.new(), {"key": "sd.public.comment", "value": {"internal": True}}
        body = {"body": "a", "properties": [internal], "jsdPublic": True}
        assert wire.send("POST", f"issue/{id}/comment", body).json()["jsdPublic"] is False
        assert wire.jira.comments(id)[0]["channel"] == "internal"
        assert wire.send("POST", f"issue/{id}/comment", {"body": "b", "jsdPublic": False}).json()["jsdPublic"] is True
        wire.jira.switches.internal_by_property = False
        assert wire.get(f"issue/{id}/comment")["comments"][0]["jsdPublic"] is True
        assert wire.jira.comments(id)[0]["channel"] == "everyone"

    def test_its_properties_are_read_and_set_without_moving_it(self, wire: Wire) -> None:
        """v3 PUT /rest/api/3/comment/{commentId}/properties/{propertyKey}"""
        id = wire.new()
        comment = wire.send("POST", f"issue/{id}/comment", {"body": "a"}).json()["id"]
        before = wire.jira.item(id), wire.jira.comments(id)
        answers = [wire.send("PUT", f"comment/{comment}/properties/k", {"n": n}).status_code for n in (1, 2)]
        assert answers == [201, 200]
        assert wire.get(f"comment/{comment}/properties/k") == {"key": "k", "value": {"n": 2}}
        assert [one["key"] for one in wire.get(f"comment/{comment}/properties")["keys"]] == ["k"]
        shown = wire.get(f"issue/{id}/comment", expand="properties,renderedBody")["comments"][0]
        assert (shown["properties"], shown["renderedBody"]) == ([{"key": "k", "value": {"n": 2}}], "<p>a</p>")
        assert (wire.jira.item(id), wire.jira.comments(id)) == before
        assert wire.send("GET", f"comment/{comment}/properties/none").status_code == 404

    def test_many_are_read_by_their_ids_but_for_what_may_not_be_heard(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/comment/list"""
        first, second = wire.new(), wire.new()
        ids = [int(wire.jira.comment(one, "a", "Ana Ruiz")) for one in (first, second)]
        wire.jira.hide(second, "Lockstep")
        assert [one["id"] for one in wire.send("POST", "comment/list", {"ids": ids}).json()["values"]] == [str(ids[0])]
        assert wire.send("POST", "comment/list", {"ids": []}).status_code == 400
        assert wire.send("POST", "comment/list", {"ids": list(range(1001))}).status_code == 400

    def test_an_edit_tells_who_and_when_and_moves_the_issue(self, wire: Wire) -> None:
        id = wire.new()
        comment = wire.jira.comment(id, "a", "Ana Ruiz")
        before = wire.jira.item(id)["updated"]
        shown = wire.send("PUT", f"issue/{id}/comment/{comment}", {"body": "b"}).json()
        assert (shown["author"]["accountId"], shown["updateAuthor"]["displayName"]) == (ANA.account_id, "Lockstep")
        assert shown["updated"] > shown["created"] and wire.jira.item(id)["updated"] > before
