"""Relations of the simulated Azure DevOps: links between items, hyperlinks, artifacts and the feed of links."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.azure_wire import PATCH, Wire, problem, wired

CHILD, PARENT = "System.LinkTypes.Hierarchy-Forward", "System.LinkTypes.Hierarchy-Reverse"
RELATED, NEXT = "System.LinkTypes.Related", "System.LinkTypes.Dependency-Forward"
LINKS = "Portal/_apis/wit/reporting/workitemlinks"
REMOVE = {"op": "remove", "path": "/relations/0"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def items(wire: Wire, count: int) -> list[int]:
    return [wire.create()["id"] for _ in range(count)]


def test_a_link_stands_on_both_items_and_moves_neither_revision_nor_date(wire: Wire) -> None:
    """apis.md 3.1; recorded-az-cli-vcr 4, 8, 10: rev 1 and the old dates on both, System.Parent on the child."""
    parent, child = items(wire, 2)
    before = wire.read(parent)["fields"]["System.ChangedDate"], wire.read(child)["fields"]["System.ChangedDate"]
    wire.clock.advance(timedelta(hours=1))
    assert wire.link(parent, CHILD, child).json()["rev"] == 1
    home = f"{wire.url}/{wire.tracker.org.projects['Portal'].id}/_apis/wit/workItems"
    far = wire.read(child, "?$expand=relations")
    attributes = {"isLocked": False, "name": "Parent"}
    assert far["relations"] == [{"rel": PARENT, "url": f"{home}/{parent}", "attributes": attributes}]
    assert (far["rev"], far["fields"]["System.Parent"]) == (1, parent)
    assert (wire.read(parent)["fields"]["System.ChangedDate"], far["fields"]["System.ChangedDate"]) == before
    assert wire.query(f"[System.Parent] = {parent}") == [child]
    updates = wire.get(f"_apis/wit/workItems/{child}/updates")["value"]
    assert [(one["id"], one["rev"]) for one in updates] == [(1, 1), (2, 1)]
    assert updates[1]["relations"]["added"][0]["rel"] == PARENT and "fields" not in updates[1]


def test_removing_a_link_takes_it_from_both_items(wire: Wire) -> None:
    parent, child = items(wire, 2)
    wire.link(child, PARENT, parent)
    assert wire.read(parent, "?$expand=all")["relations"][0]["rel"] == CHILD
    assert wire.patch(parent, {"op": "test", "path": "/rev", "value": 1}, REMOVE).json()["rev"] == 1
    assert "relations" not in wire.read(child, "?$expand=all")
    assert "System.Parent" not in wire.read(child)["fields"]
    update = wire.get(f"_apis/wit/workItems/{child}/updates")["value"][-1]
    assert update["relations"]["removed"][0]["rel"] == PARENT


def test_links_are_listed_in_an_order_of_the_service_s_own(wire: Wire) -> None:
    """recorded-az-cli-vcr 4: 974, 975, 976 were added, 975, 974, 976 listed; so indexes must be read first."""
    first, *others = items(wire, 9)
    adds = [{"op": "add", "path": "/relations/-", "value": {"rel": CHILD, "url": wire.address(id)}} for id in others]
    listed = [int(one["url"].rsplit("/", 1)[1]) for one in wire.patch(first, *adds).json()["relations"]]
    assert sorted(listed) == others and listed != others
    left = wire.patch(first, {"op": "remove", "path": "/relations/1"}, REMOVE).json()["relations"]
    assert [int(one["url"].rsplit("/", 1)[1]) for one in left] == listed[2:]


def test_an_item_has_one_parent_and_is_moved_to_another_in_one_document(wire: Wire) -> None:
    """Quoted in azure-devops-migration-tools 398."""
    parent, other, child = items(wire, 3)
    wire.link(parent, CHILD, child)
    for answer in (wire.link(other, CHILD, child), wire.link(child, PARENT, other)):
        assert "because a work item can have only one Parent link" in answer.json()["message"]
        assert problem(answer, 400, "WorkItemLinkInvalidException")["message"].startswith("TF201036: You cannot add a")
    value = {"rel": PARENT, "url": wire.address(other)}
    moved = wire.patch(child, REMOVE, {"op": "add", "path": "/relations/-", "value": value})
    assert moved.json()["fields"]["System.Parent"] == other
    assert "relations" not in wire.read(parent, "?$expand=all")


@pytest.mark.parametrize("rel", [CHILD, NEXT])
def test_links_never_go_in_a_circle(wire: Wire, rel: str) -> None:
    """Clients look for TF201035."""
    a, b, c = items(wire, 3)
    wire.link(a, rel, b)
    wire.link(b, rel, c)
    assert "TF201035" in problem(wire.link(c, rel, a), 400, "WorkItemLinkInvalidException")["message"]
    assert wire.link(c, RELATED, a).status_code == 200
    assert "itself" in problem(wire.link(a, RELATED, a), 400, "WorkItemLinkInvalidException")["message"]


def test_a_document_is_all_or_nothing(wire: Wire) -> None:
    a, b = items(wire, 2)
    link = {"op": "add", "path": "/relations/-", "value": {"rel": CHILD, "url": wire.address(b)}}
    far = {"op": "add", "path": "/relations/-", "value": {"rel": RELATED, "url": wire.address(99)}}
    answer = wire.patch(a, *wire.fields(System__Title="changed"), link, far)
    problem(answer, 404, "WorkItemUnauthorizedAccessException")
    assert wire.read(a)["fields"]["System.Title"] == "a title"
    assert "relations" not in wire.read(b, "?$expand=all")


def test_a_relation_of_the_wrong_shape_is_named_in_the_answer(wire: Wire) -> None:
    """Quoted in vsts-rest-api-specs 704."""
    id = wire.create()["id"]
    value = {"rel": RELATED, "url": wire.address(id), "attributes": "System.Collections.Hashtable"}
    body = problem(
        wire.patch(id, {"op": "add", "path": "/relations/-", "value": value}), 400, "VssPropertyValidationException"
    )
    assert body["message"].startswith('Value {\r\n  "rel": "System.LinkTypes.Related"')
    kind = "Microsoft.TeamFoundation.WorkItemTracking.WebApi.Models.WorkItemRelation"
    assert body["message"].endswith(f"does not match the expected type {kind}.") and body["eventId"] == 3000


@pytest.mark.parametrize("taken", [False, True])
def test_the_same_hyperlink_twice_is_refused_or_taken(wire: Wire, taken: bool) -> None:
    """apis.md 6: the error was not found; simulated as 400, or taken by the switch ``twins``."""
    wire.switches.twins = taken
    id = wire.create()["id"]
    assert wire.link(id, "Hyperlink", "https://x.example/1").status_code == 200
    again = wire.link(id, "Hyperlink", "https://x.example/1")
    if not taken:
        problem(again, 400, "WorkItemResourceLinkException")
    assert len(wire.read(id, "?$expand=relations")["relations"]) == (2 if taken else 1)


def test_an_artifact_link_carries_its_name_and_makes_a_revision(wire: Wire) -> None:
    id = wire.create()["id"]
    url = "vstfs:///Git/PullRequestId/a%2Fb%2F7"
    answer = wire.link(id, "ArtifactLink", url)
    assert answer.status_code == 400 and "named by its attribute" in answer.json()["message"]
    body = wire.link(id, "ArtifactLink", url, name="Pull Request").json()
    assert (body["rev"], body["relations"][0]["attributes"]["name"]) == (2, "Pull Request")
    found = wire.post("Portal/_apis/wit/artifacturiquery", {"artifactUris": [url, "vstfs:///x"]})
    assert [[one["id"] for one in ids] for ids in found["artifactUrisQueryResult"].values()] == [[id], []]


def test_a_new_item_may_be_born_with_its_links(wire: Wire) -> None:
    parent = wire.create()["id"]
    value = {"rel": PARENT, "url": wire.address(parent)}
    link = {"op": "add", "path": "/relations/-", "value": value}
    made = wire.post(
        "Portal/_apis/wit/workitems/$Task", [*wire.fields(System__Title="x"), link, link | {}][:2], headers=PATCH
    )
    assert made["fields"]["System.Parent"] == parent
    assert wire.read(parent, "?$expand=relations")["relations"][0]["rel"] == CHILD


def test_the_kinds_of_relations_are_the_recorded_ones(wire: Wire) -> None:
    """recorded-az-cli-vcr 1: 21 of them."""
    kinds = {one["referenceName"]: one for one in wire.get("_apis/wit/workItemRelationTypes")["value"]}
    assert len(kinds) == 21
    assert kinds[CHILD]["attributes"] == {
        "usage": "workItemLink", "editable": False, "enabled": True, "acyclic": True, "directional": True,
        "singleTarget": False, "topology": "tree", "remote": False, "isForward": True,
        "oppositeEndReferenceName": PARENT,
    }  # fmt: skip
    assert "isForward" not in kinds[RELATED]["attributes"]
    assert kinds["Hyperlink"]["attributes"]["usage"] == "resourceLink"
    assert wire.get(f"_apis/wit/workItemRelationTypes/{NEXT}")["name"] == "Successor"


def test_the_feed_of_links_tells_what_was_made_and_removed(wire: Wire) -> None:
    """wit GET reporting/workitemlinks; the vendor's example has rel, sourceId, targetId, changedDate, isActive."""
    a, b, c = items(wire, 3)
    wire.link(b, PARENT, a)
    wire.link(a, RELATED, c)
    batch = wire.get(LINKS)
    assert [(one["rel"], one["sourceId"], one["targetId"], one["isActive"]) for one in batch["values"]] == [
        ("System.LinkTypes.Hierarchy", a, b, True),
        (RELATED, a, c, True),
    ]
    token = batch["continuationToken"]
    assert batch["isLastBatch"] and f"workItemLinks?continuationToken={token}" in batch["nextLink"]
    assert wire.get(LINKS, params={"continuationToken": token})["values"] == []
    since = wire.clock.now().isoformat()
    wire.clock.advance(timedelta(minutes=1))
    kept = wire.read(b, "?$expand=relations")["relations"][0]["rel"]
    assert kept == PARENT and wire.patch(b, REMOVE).status_code == 200
    gone = wire.get(LINKS, params={"continuationToken": token})["values"]
    assert [(one["sourceId"], one["targetId"], one["isActive"]) for one in gone] == [(a, b, False)]
    assert wire.get(LINKS, params={"startDateTime": since})["values"] == gone
    assert len(wire.get(LINKS, params={"linkTypes": RELATED})["values"]) == 1
    assert wire.get(LINKS, params={"types": "Bug"})["values"] == []


def test_a_changed_remark_on_a_hyperlink_is_an_updated_relation(wire: Wire) -> None:
    id = wire.create()["id"]
    number = wire.link(id, "Hyperlink", "https://x.example/1", comment="a").json()["relations"][0]["attributes"]["id"]
    wire.patch(id, {"op": "replace", "path": "/relations/0/attributes/comment", "value": "b"})
    update = wire.get(f"_apis/wit/workItems/{id}/updates")["value"][-1]
    assert list(update["relations"]) == ["updated"]
    assert update["relations"]["updated"][0]["attributes"]["id"] == number


def test_destroying_an_item_takes_its_links_along(wire: Wire) -> None:
    a, b = items(wire, 2)
    wire.link(a, CHILD, b)
    assert wire.call("DELETE", f"_apis/wit/workitems/{b}?destroy=true").status_code == 204
    assert "relations" not in wire.read(a, "?$expand=all")
    assert wire.get(LINKS)["values"] == []
