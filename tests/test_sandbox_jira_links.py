"""Links between issues of the simulated Jira, remote links and properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.jira_wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.server.stop()


def blocks(inward: str, outward: str, **more: Any) -> dict[str, Any]:
    return {"type": {"name": "Blocks"}, "inwardIssue": {"key": inward}, "outwardIssue": {"key": outward}, **more}


def pointing(title: str = "INC1", global_id: str = "lockstep:k1") -> dict[str, Any]:
    return {"globalId": global_id, "object": {"url": "https://a.example", "title": title}, "relationship": "causes"}


class TestIssueLinks:
    def ends(self, wire: Wire, id: str) -> list[tuple[str, str]]:
        links = wire.get(f"issue/{id}", fields="issuelinks")["fields"]["issuelinks"]
        return [(end, link[end]["key"]) for link in links for end in ("inwardIssue", "outwardIssue") if end in link]

    def test_the_blocking_issue_is_named_inward_when_a_link_is_made(self, wire: Wire) -> None:
        """apis.md 2.2: "A blocks B" = inwardIssue A, outwardIssue B, 201 with no body."""
        first, second = wire.new(), wire.new()
        answer = wire.send("POST", "issueLink", blocks("CSPM-1", "CSPM-2"))
        assert (answer.status_code, answer.content) == (201, b"")
        assert self.ends(wire, first) == [("outwardIssue", "CSPM-2")]
        assert self.ends(wire, second) == [("inwardIssue", "CSPM-1")]
        assert wire.jira.history(first)[-1]["new"] == "This issue blocks CSPM-2"
        assert wire.jira.history(second)[-1]["new"] == "This issue is blocked by CSPM-1"

    def test_or_outward_where_it_is_switched(self, wire: Wire) -> None:
        """apis.md 2.2 [C]"""
        first = wire.new()
        wire.new()
        wire.jira.switches.inward_is_source = False
        wire.send("POST", "issueLink", blocks("CSPM-1", "CSPM-2"))
        assert self.ends(wire, first) == [("inwardIssue", "CSPM-2")]

    def test_a_link_that_is_there_is_not_made_twice(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issueLink: a duplicate is answered as created, its comment is added."""
        first, second = wire.new(), wire.new()
        for _ in range(2):
            comment = {"comment": {"body": "linked"}}
            assert wire.send("POST", "issueLink", blocks("CSPM-1", "CSPM-2", **comment)).status_code == 201
        assert len(self.ends(wire, first)) == 1 and len(wire.jira.comments(second)) == 2

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (blocks("CSPM-1", "CSPM-99"), 404),
            (blocks("CSPM-1", "CSPM-1"), 400),
            (blocks("CSPM-1", "CSPM-2") | {"type": {"name": "Eats"}}, 404),
            (blocks("CSPM-1", "CSPM-2", comment={"body": ""}), 400),
            ({"type": {"name": "Blocks"}, "inwardIssue": {"key": "CSPM-1"}}, 400),
        ],
    )
    def test_what_cannot_be_linked(self, wire: Wire, body: Any, status: int) -> None:
        first = wire.new()
        wire.new()
        assert wire.send("POST", "issueLink", body).status_code == status
        assert self.ends(wire, first) == []

    def test_linking_wants_its_right_and_says_404_without(self, wire: Wire) -> None:
        wire.new()
        wire.new()
        wire.jira.deny("Lockstep", "CSPM", "LINK_ISSUES")
        assert wire.send("POST", "issueLink", blocks("CSPM-1", "CSPM-2")).status_code == 404

    def test_a_link_is_read_and_deleted_by_its_id(self, wire: Wire) -> None:
        first, second = wire.new(), wire.new()
        wire.send("POST", "issueLink", blocks("CSPM-1", "CSPM-2"))
        id = wire.get(f"issue/{first}")["fields"]["issuelinks"][0]["id"]
        link = wire.get(f"issueLink/{id}")
        assert (link["inwardIssue"]["key"], link["outwardIssue"]["key"]) == ("CSPM-1", "CSPM-2")
        assert link["type"]["outward"] == "blocks"
        assert wire.send("DELETE", f"issueLink/{id}").status_code == 204
        assert self.ends(wire, first) == self.ends(wire, second) == []
        assert [wire.send("GET", f"issueLink/{one}").status_code for one in (id, "x")] == [404, 400]

    def test_what_is_hidden_is_not_linked_to(self, wire: Wire) -> None:
        first, second = wire.new(), wire.new()
        wire.send("POST", "issueLink", blocks("CSPM-1", "CSPM-2"))
        wire.jira.hide(second, "Lockstep")
        assert self.ends(wire, first) == []
        wire.jira.hide(second, "Lockstep", hidden=False)
        wire.jira.delete(second, "Ana Ruiz")
        assert self.ends(wire, first) == []

    def test_the_types_are_listed(self, wire: Wire) -> None:
        types = wire.get("issueLinkType")["issueLinkTypes"]
        assert {one["name"]: one["inward"] for one in types}["Blocks"] == "is blocked by"

    def test_an_issue_holds_so_many_links(self, wire: Wire) -> None:
        """apis.md 2.2: per-issue caps, 413"""
        wire.jira.caps.links = wire.jira.caps.remote_links = 1
        id = wire.new()
        wire.new()
        wire.new()
        answers = [wire.send("POST", "issueLink", blocks("CSPM-1", f"CSPM-{n}")) for n in (2, 3)]
        assert [answer.status_code for answer in answers] == [201, 413]
        answers = [wire.send("POST", f"issue/{id}/remotelink", pointing(global_id=one)) for one in ("a", "b", "a")]
        assert [answer.status_code for answer in answers] == [201, 413, 200]


class TestRemoteLinks:
    def test_an_upsert_empties_what_it_leaves_out(self, wire: Wire) -> None:
        """v3 POST /rest/api/3/issue/{issueIdOrKey}/remotelink; apis.md 2.3"""
        id = wire.new()
        made = wire.send("POST", f"issue/{id}/remotelink", pointing()).json()
        again = wire.send("POST", f"issue/{id}/remotelink", pointing("INC2") | {"relationship": None})
        assert (again.status_code, again.json()["id"]) == (200, made["id"])
        (link,) = wire.get(f"issue/{id}/remotelink")
        assert link["object"]["title"] == "INC2" and "relationship" not in link

    def test_without_a_global_id_each_call_makes_another(self, wire: Wire) -> None:
        id = wire.new()
        answers = [wire.send("POST", f"issue/{id}/remotelink", pointing(global_id="")) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert len(wire.get(f"issue/{id}/remotelink")) == 2

    def test_one_is_found_changed_and_deleted_by_either_id(self, wire: Wire) -> None:
        id = wire.new()
        made = wire.send("POST", f"issue/{id}/remotelink", pointing()).json()["id"]
        assert wire.get(f"issue/{id}/remotelink", globalId="lockstep:k1")["id"] == made
        assert wire.send("PUT", f"issue/{id}/remotelink/{made}", pointing("INC3")).status_code == 204
        assert wire.get(f"issue/{id}/remotelink/{made}")["object"]["title"] == "INC3"
        assert wire.send("DELETE", f"issue/{id}/remotelink?globalId=lockstep:k1").status_code == 204
        for path in (f"remotelink/{made}", "remotelink?globalId=lockstep:k1"):
            assert wire.send("GET", f"issue/{id}/{path}").status_code == 404
        made = wire.send("POST", f"issue/{id}/remotelink", pointing()).json()["id"]
        assert wire.send("DELETE", f"issue/{id}/remotelink/{made}").status_code == 204
        assert wire.send("DELETE", f"issue/{id}/remotelink").status_code == 400
        assert [entry["field"] for entry in wire.jira.history(id)] == ["RemoteIssueLink"] * 4

    def test_a_global_id_has_255_characters(self, wire: Wire) -> None:
        id = wire.new()
        for length, status in ((255, 201), (256, 400)):
            assert wire.send("POST", f"issue/{id}/remotelink", pointing(global_id="k" * length)).status_code == status


class TestProperties:
    def test_keys_and_values_have_their_limits(self, wire: Wire) -> None:
        """v3 PUT /rest/api/3/issue/{issueIdOrKey}/properties/{propertyKey}"""
        id = wire.new()
        for key, value, status in (
            ("k" * 255, 1, 201),
            ("k" * 256, 1, 400),
            ("v", "x" * 32_766, 201),
            ("w", "x" * 32_767, 400),
            ("n", None, 400),
        ):
            assert wire.send("PUT", f"issue/{id}/properties/{key}", value).status_code == status
        assert {one["key"] for one in wire.get(f"issue/{id}/properties")["keys"]} == {"k" * 255, "v"}

    def test_they_are_read_in_bulk_with_the_issues(self, wire: Wire) -> None:
        """apis.md 2.1: properties <= 5; 2.3"""
        id = wire.new()
        wire.send("PUT", f"issue/{id}/properties/lockstep", {"n": 1})
        asked = {"properties": ["lockstep", "none"]}
        assert wire.search("project = CSPM", **asked).json()["issues"][0]["properties"] == {"lockstep": {"n": 1}}
        bulk = wire.send("POST", "issue/bulkfetch", {"issueIdsOrKeys": [id], **asked}).json()
        assert bulk["issues"][0]["properties"] == {"lockstep": {"n": 1}}
        assert wire.search("project = CSPM", properties=[f"p{n}" for n in range(6)]).status_code == 400


def test_an_issue_shows_the_one_above_it_and_has_no_such_field_without_one(wire: Wire) -> None:
    """Jira Cloud REST API, "Get issue": id, key and a few fields of the parent, of a sub-task and an epic's child."""
    epic, story = wire.new(), wire.new()
    before = wire.get(f"issue/{story}", fields="updated,parent")["fields"]
    assert set(before) == {"updated"}
    wire.jira.put_under(story, epic, by="Ana Ruiz")
    shown = wire.get(f"issue/{story}", fields="updated,parent")["fields"]
    assert (shown["parent"]["id"], shown["parent"]["key"]) == (epic, "CSPM-1")
    assert shown["updated"] > before["updated"]
    assert wire.jira.history(story)[-1]["field"] == "parent"
    wire.jira.put_under(story, "", by="Ana Ruiz")
    assert "parent" not in wire.get(f"issue/{story}", fields="parent")["fields"]
