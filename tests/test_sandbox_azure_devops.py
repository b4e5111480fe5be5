"""The simulated Azure DevOps on the wire, spoken to with plain requests and with the vendor's own client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.azure_devops import Field, Switches
from sandbox.azure_devops.errors import Problem, throttled
from tests.azure_wire import BOT, FEED, JANE, PAT, PATCH, Wire, problem


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire(custom=(Field("Custom.Cause", "Cause"),), needs={("Bug", "Done"): ("Custom.Cause",)})
    yield made
    made.stop()


# -- addresses, versions, signing in


def test_paths_are_the_same_in_any_case(wire: Wire) -> None:
    assert wire.call("OPTIONS", "_APIS").json()["count"] == 46
    assert wire.get("_apis/connectiondata", headers={"Accept": "application/json;api-version=7.1-preview.1"})
    id = wire.create()["id"]
    assert wire.get(f"PORTAL/_APIS/WIT/WORKITEMS/{id}")["id"] == id


def test_resource_areas_list_the_organisation_or_nothing(wire: Wire) -> None:
    preview = {"Accept": "application/json;api-version=7.1-preview.1"}
    areas = wire.get("_apis/ResourceAreas", headers=preview)
    assert areas["value"][1]["locationUrl"] == f"{wire.server.url}/example/"
    wire.switches.areas = False
    assert wire.get("_apis/ResourceAreas", headers=preview) == {"count": 0, "value": None}


def test_an_unknown_address_is_a_404_in_plain_text(wire: Wire) -> None:
    """Recorded: a path without a controller."""
    answer = wire.call("GET", "Portal/_apis/wit/nothing")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert "does not implement IController" in answer.text


@pytest.mark.parametrize(
    ("version", "type_key"),
    [
        ("7.1", "VssInvalidPreviewVersionException"),
        ("9.0", "VssVersionOutOfRangeException"),
        ("", "VssVersionNotSpecifiedException"),
    ],
)
def test_comments_want_a_preview_version(wire: Wire, version: str, type_key: str) -> None:
    id = wire.create()["id"]
    accept = {"Accept": f"application/json;api-version={version}" if version else "application/json"}
    answer = wire.call("POST", f"Portal/_apis/wit/workItems/{id}/comments", {"text": "x"}, headers=accept)
    problem(answer, 400, type_key)
    params = {"api-version": "7.1-preview.4"}
    assert wire.post(f"Portal/_apis/wit/workItems/{id}/comments", {"text": "x"}, params=params)["id"] == 1


def test_wrong_credentials_get_an_empty_401_a_203_page_or_a_redirect(wire: Wire) -> None:
    wire.session.auth = ("", "wrong")
    answer = wire.call("GET", "_apis/projects")
    assert (answer.status_code, answer.content) == (401, b"")
    wire.switches.sign_in = "203"
    page = wire.call("GET", "_apis/projects")
    assert page.status_code == 203 and "Sign In" in page.text
    wire.switches.sign_in = "302"
    assert wire.call("OPTIONS", "_apis").status_code == 302


def test_an_unknown_project_is_tf200016(wire: Wire) -> None:
    body = problem(wire.call("GET", "Nowhere/_apis/wit/workitemtypes"), 404, "ProjectDoesNotExistWithNameException")
    assert body["message"].startswith("TF200016: The following project does not exist: Nowhere.")


def test_error_bodies_may_begin_with_a_byte_order_mark() -> None:
    wire = Wire(switches=Switches(bom=True))
    answer = wire.call("GET", "_apis/wit/workitems/1")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    wire.stop()


def test_every_answer_may_ask_for_rest(wire: Wire) -> None:
    wire.switches.delay = 2.5
    answer = wire.call("GET", "_apis/projects")
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-RateLimit-Delay"]) == (
        200,
        "2.5",
        "2.500",
    )
    blocked = throttled(30)
    assert (blocked.status, blocked.headers["Retry-After"], b"TF400733" in blocked.body) == (429, "30", True)


# -- creating and reading


def test_a_creation_answers_200_with_the_recorded_shape(wire: Wire) -> None:
    body = wire.create("Task")
    assert list(body) == ["id", "rev", "fields", "multilineFieldsFormat", "_links", "url"]
    fields = body["fields"]
    assert (body["id"], body["rev"], fields["System.State"], fields["System.Reason"]) == (1, 1, "To Do", "New task")
    assert set(fields) == {
        "System.AreaPath", "System.TeamProject", "System.IterationPath", "System.WorkItemType", "System.State",
        "System.Reason", "System.CreatedDate", "System.CreatedBy", "System.ChangedDate", "System.ChangedBy",
        "System.CommentCount", "System.Title", "Microsoft.VSTS.Common.StateChangeDate",
        "Microsoft.VSTS.Common.Priority",
    }  # fmt: skip
    assert fields["System.CreatedBy"]["uniqueName"] == BOT
    assert set(fields["System.CreatedBy"]) == {
        "displayName", "url", "_links", "id", "uniqueName", "imageUrl", "descriptor",
    }  # fmt: skip


def test_expansion_shows_what_the_server_counts(wire: Wire) -> None:
    id = wire.create()["id"]
    fields = wire.get(f"_apis/wit/workitems/{id}?$expand=All")["fields"]
    assert (fields["System.Id"], fields["System.Rev"], fields["System.Watermark"]) == (id, 1, 1)
    assert fields["System.RevisedDate"] == "9999-01-01T00:00:00Z"
    some = wire.get(f"_apis/wit/workitems/{id}?fields=system.title,System.AssignedTo")
    assert some["fields"] == {"System.Title": "a title"}


def test_fields_and_expansion_exclude_each_other(wire: Wire) -> None:
    wire.create()
    answer = wire.call("GET", "_apis/wit/workitems?ids=1&fields=System.Title&$expand=relations")
    assert (
        "can not be used with the fields parameter" in problem(answer, 400, "ConflictingParametersException")["message"]
    )


def test_a_batch_fails_whole_or_puts_null_at_missing_places(wire: Wire) -> None:
    first, second = wire.create()["id"], wire.create()["id"]
    body = {"ids": [second, 99, first], "fields": ["System.Id"]}
    answer = wire.call("POST", "_apis/wit/workitemsbatch", body)
    assert "TF401232: Work item 99" in problem(answer, 404, "WorkItemUnauthorizedAccessException")["message"]
    found = wire.post("_apis/wit/workitemsbatch", {**body, "errorPolicy": "Omit"})
    assert [one and one["id"] for one in found["value"]] == [second, None, first]
    too_many = wire.call("POST", "_apis/wit/workitemsbatch", {"ids": list(range(1, 202))})
    assert "VS403474" in problem(too_many, 400, "WorkItemTrackingBatchSizeException")["message"]


def test_an_item_is_not_found_under_another_project(wire: Wire) -> None:
    id = wire.create()["id"]
    problem(wire.call("GET", f"Platform/_apis/wit/workitems/{id}"), 404, "WorkItemUnauthorizedAccessException")


def test_validation_alone_keeps_nothing(wire: Wire) -> None:
    body = wire.fields(System__Title="x")
    answer = wire.call("POST", "Portal/_apis/wit/workitems/$Bug?validateOnly=true", body, headers=PATCH)
    assert (answer.status_code, wire.tracker.ids()) == (200, [])
    id = wire.create()["id"]
    assert wire.patch(id, *wire.fields(System__Title="y"), query="?validateOnly=true").json()["rev"] == 1
    answer = wire.call(
        "POST", "Portal/_apis/wit/workitems/$Bug?validateOnly=true", wire.fields(System__State="No"), headers=PATCH
    )
    problem(answer, 400, "RuleValidationException")


# -- writing


def test_a_test_of_the_revision_guards_the_whole_document(wire: Wire) -> None:
    id = wire.create()["id"]
    test = {"op": "test", "path": "/rev", "value": 7}
    body = problem(wire.patch(id, *wire.fields(System__Title="x"), test), 412, "TestPatchOperationFailedException")
    assert body["message"] == "VS403351: Test Operation for path /rev failed, value 1 was not equal to test value 7"
    assert wire.get(f"_apis/wit/workitems/{id}")["fields"]["System.Title"] == "a title"
    assert wire.patch(id, {**test, "value": 1}, *wire.fields(System__Title="x")).json()["rev"] == 2


def test_the_media_type_of_a_patch_is_insisted_on(wire: Wire) -> None:
    id = wire.create()["id"]
    answer = wire.call("PATCH", f"_apis/wit/workitems/{id}", wire.fields(System__Title="x"))
    problem(answer, 415, "VssRequestContentTypeNotSupportedException")


def test_a_broken_rule_names_every_field_as_recorded(wire: Wire) -> None:
    bug = wire.create("Bug")["id"]
    answer = wire.set(bug, System__State="Done", System__Title="")
    body = problem(answer, 400, "RuleValidationException")
    assert body["message"] == "TF401320: Rule Error for field Title. Error code: Required, HasValues, InvalidEmpty."
    errors = body["customProperties"]["RuleValidationErrors"]
    assert [one["fieldReferenceName"] for one in errors] == ["System.Title", "Custom.Cause"]
    assert errors[0]["fieldStatusCode"] == 524293
    assert wire.get(f"_apis/wit/workitems/{bug}")["rev"] == 1
    assert wire.set(bug, System__State="Done", Custom__Cause="x").json()["fields"]["System.Reason"] == "Work finished"


def test_an_illegal_state_is_tf401320_and_any_legal_one_may_follow(wire: Wire) -> None:
    id = wire.create()["id"]
    body = problem(wire.set(id, System__State="Closed"), 400, "RuleValidationException")
    assert "TF401320" in body["message"] and body["customProperties"]["FieldReferenceName"] == "System.State"
    for state in ("done", "New", "Committed"):
        assert wire.set(id, System__State=state).json()["fields"]["System.State"].lower() == state.lower()


def test_an_item_is_born_in_its_first_state(wire: Wire) -> None:
    body = wire.fields(System__Title="a", System__State="Done")
    problem(wire.call("POST", "Portal/_apis/wit/workitems/$Task", body, headers=PATCH), 400, "RuleValidationException")
    migrated = wire.call("POST", "Portal/_apis/wit/workitems/$Task?bypassRules=true", body, headers=PATCH)
    assert migrated.json()["fields"]["System.State"] == "Done"


def test_an_unknown_field_is_tf51535(wire: Wire) -> None:
    id = wire.create()["id"]
    answer = wire.set(id, Custom__Nope="x")
    body = problem(answer, 400, "WorkItemTrackingFieldDefinitionNotFoundException")
    assert body["message"] == "TF51535: Cannot find field Custom.Nope."


def test_people_are_written_as_text_and_read_as_objects(wire: Wire) -> None:
    id = wire.create()["id"]
    for spelled in (JANE, "Jane Doe", f"Jane Doe <{JANE}>", {"uniqueName": JANE}):
        found = wire.set(id, System__AssignedTo=spelled).json()["fields"]["System.AssignedTo"]
        assert (found["uniqueName"], found["displayName"]) == (JANE, "Jane Doe")
    body = problem(wire.set(id, System__AssignedTo="nobody"), 400, "RuleValidationException")
    assert "unknown identity" in body["message"]
    assert "System.AssignedTo" not in wire.set(id, System__AssignedTo="").json()["fields"]


def test_tags_join_on_add_and_are_replaced_on_replace(wire: Wire) -> None:
    """Vendor's examples of PATCH: an add of "Tag1; Tag2" to "Tag0" gives three tags."""
    id = wire.create(System__Tags="Tag0")["id"]
    assert wire.set(id, System__Tags="Tag1, tag0; Tag2").json()["fields"]["System.Tags"] == "Tag0; Tag1; Tag2"
    replace = {"op": "replace", "path": "/fields/System.Tags", "value": "Tag1; TAG2"}
    assert wire.patch(id, replace).json()["fields"]["System.Tags"] == "Tag1; Tag2"
    wire.switches.tags_merge = False
    assert wire.set(id, System__Tags="only").json()["fields"]["System.Tags"] == "only"
    assert [tag["name"] for tag in wire.get("Portal/_apis/wit/tags")["value"]] == ["only"]


def test_a_write_that_changes_nothing_makes_no_revision(wire: Wire) -> None:
    id = wire.create()["id"]
    assert wire.set(id, System__Title="a title").json()["rev"] == 1


def test_html_is_cleaned_and_plain_text_is_not(wire: Wire) -> None:
    nasty = '<p onclick="x()">a<script>alert(1)</script><img src=x onerror=y></p><a href="javascript:z">b</a>'
    fields = wire.create(System__Description=nasty, System__Title="<script>a")["fields"]
    assert fields["System.Description"] == '<p>a<img src="x"></p><a>b</a>'
    assert fields["System.Title"] == "<script>a"


def test_values_must_fit_their_field(wire: Wire) -> None:
    id = wire.create()["id"]
    wrong = {"Microsoft__VSTS__Common__Priority": 9, "Microsoft__VSTS__Scheduling__Effort": "much", "System__Rev": 3}
    for name, value in {**wrong, "System__Title": "x" * 256}.items():
        problem(wire.set(id, **{name: value}), 400, "RuleValidationException")
    answer = wire.set(id, System__AreaPath="Portal\\Nowhere")
    assert "TF401347" in problem(answer, 400, "WorkItemTrackingTreeNodeNotFoundException")["message"]


def test_hyperlinks_make_a_revision_and_links_between_items_do_not(wire: Wire) -> None:
    """Recorded: adding children leaves rev at 1."""
    id, child = wire.create()["id"], wire.create("Task")["id"]
    link = {
        "rel": "System.LinkTypes.Hierarchy-Forward",
        "url": f"{wire.server.url}/example/_apis/wit/workItems/{child}",
    }
    body = wire.patch(id, {"op": "add", "path": "/relations/-", "value": link}).json()
    assert (body["rev"], body["relations"][0]["attributes"]) == (1, {"isLocked": False, "name": "Child"})
    page = {"rel": "Hyperlink", "url": "https://x.example/1", "attributes": {"comment": "why"}}
    body = wire.patch(id, {"op": "add", "path": "/relations/-", "value": page}).json()
    assert (body["rev"], body["relations"][1]["attributes"]["comment"]) == (2, "why")
    assert "relations" not in wire.get(f"_apis/wit/workitems/{id}")
    again = wire.patch(id, {"op": "add", "path": "/relations/-", "value": page})
    problem(again, 400, "WorkItemResourceLinkException")
    assert wire.patch(id, {"op": "remove", "path": "/relations/1"}).json()["rev"] == 3
    problem(wire.patch(id, {"op": "remove", "path": "/relations/5"}), 400, "PatchOperationFailedException")
    problem(
        wire.patch(id, {"op": "add", "path": "/relations/-", "value": {"rel": "x"}}),
        400,
        "VssPropertyValidationException",
    )


def test_the_comment_of_a_link_is_replaced_in_place(wire: Wire) -> None:
    id = wire.create()["id"]
    page = {"rel": "Hyperlink", "url": "https://x.example/1", "attributes": {"comment": "a"}}
    wire.patch(id, {"op": "add", "path": "/relations/-", "value": page})
    change = {"op": "replace", "path": "/relations/0/attributes/comment", "value": "b"}
    assert wire.patch(id, change).json()["relations"][0]["attributes"]["comment"] == "b"


def test_moving_takes_an_item_to_the_other_project_s_root(wire: Wire) -> None:
    """Vendor's examples of PATCH: project and area, then type and state."""
    id = wire.create("Bug", System__AreaPath="Portal\\Defects")["id"]
    moved = wire.set(id, System__TeamProject="Platform", System__AreaPath="Platform").json()["fields"]
    assert (moved["System.AreaPath"], moved["System.IterationPath"]) == ("Platform", "Platform")
    assert (
        wire.set(id, System__WorkItemType="Task", System__State="To Do").json()["fields"]["System.WorkItemType"]
        == "Task"
    )
    problem(wire.set(id, System__WorkItemType="Bug"), 400, "RuleValidationException")


def test_the_recycle_bin_hides_an_item_until_it_is_restored(wire: Wire) -> None:
    id = wire.create()["id"]
    answer = wire.call("DELETE", f"_apis/wit/workitems/{id}")
    assert (answer.status_code, answer.json()["code"], answer.json()["name"]) == (200, 200, "a title")
    body = problem(wire.call("GET", f"_apis/wit/workitems/{id}"), 404, "WorkItemUnauthorizedAccessException")
    assert body["message"].startswith(f"TF401232: Work item {id} does not exist, or you do not have permissions")
    assert wire.get(f"Portal/_apis/wit/recyclebin/{id}")["id"] == id
    assert wire.call("PATCH", f"Portal/_apis/wit/recyclebin/{id}", {"isDeleted": False}).status_code == 200
    assert wire.get(f"_apis/wit/workitems/{id}")["rev"] == 3


def test_rest_makes_no_more_revisions_than_its_limit() -> None:
    wire = Wire(switches=Switches(revisions=3))
    id = wire.create()["id"]
    assert [wire.set(id, System__Title=f"t{n}").status_code for n in range(4)] == [200, 200, 400, 400]
    wire.stop()


def test_rights_are_checked(wire: Wire) -> None:
    id = wire.create()["id"]
    wire.switches.taggers_barred.add(BOT)
    assert "TF401289" in wire.set(id, System__Tags="new").json()["message"]
    wire.switches.readers.add(BOT)
    assert (wire.set(id, System__Title="x").status_code, wire.call("GET", f"_apis/wit/workitems/{id}").status_code) == (
        403,
        200,
    )
    wire.switches.hidden.add((BOT, "Portal"))
    problem(wire.call("GET", f"_apis/wit/workitems/{id}"), 404, "WorkItemUnauthorizedAccessException")
    assert wire.query("[System.Id] > 0") == []


# -- history


def test_updates_are_deltas_and_revisions_are_whole(wire: Wire) -> None:
    id = wire.create()["id"]
    wire.clock.advance(timedelta(hours=1))
    wire.set(id, System__State="Approved")
    wire.tracker.comment(id, "hello", JANE)
    updates = wire.get(f"_apis/wit/workItems/{id}/updates")["value"]
    assert updates[1]["fields"]["System.State"] == {"oldValue": "New", "newValue": "Approved"}
    assert updates[1]["fields"]["System.ChangedDate"]["newValue"].startswith("2026-01-05T09:00")
    assert updates[2]["fields"]["System.History"] == {"newValue": "hello"}
    assert [update["revisedDate"][:4] for update in updates] == ["2026", "2026", "9999"]
    revisions = wire.get(f"_apis/wit/workItems/{id}/revisions?$top=2&$skip=1")["value"]
    assert [(one["rev"], one["fields"]["System.State"]) for one in revisions] == [(2, "Approved"), (3, "Approved")]
    assert wire.get(f"_apis/wit/workItems/{id}/revisions/1")["fields"]["System.State"] == "New"


def test_history_in_a_patch_makes_a_comment(wire: Wire) -> None:
    id = wire.create()["id"]
    assert wire.set(id, System__History="said", System__Title="b").json()["fields"]["System.CommentCount"] == 1
    assert [one["text"] for one in wire.tracker.comments(id)] == ["said"]
    assert wire.get(f"_apis/wit/workitems/{id}")["rev"] == 2


# -- the feed


def test_the_feed_is_every_revision_and_then_nothing(wire: Wire) -> None:
    id = wire.create()["id"]
    wire.set(id, System__Title="b")
    batch = wire.get(FEED)
    assert [(one["id"], one["rev"], one["fields"]["System.Title"]) for one in batch["values"]] == [
        (id, 1, "a title"),
        (id, 2, "b"),
    ]
    assert batch["values"][0]["fields"]["System.CreatedBy"] == f"Build Bot <{BOT}>"
    assert (batch["isLastBatch"], batch["continuationToken"]) == (True, "2;1;2")
    idle = wire.get(FEED, params={"continuationToken": "2;1;2"})
    assert (idle["values"], idle["isLastBatch"], idle["continuationToken"]) == ([], True, "2;1;2")
    assert "continuationToken=2%3B1%3B2" in batch["nextLink"]


def test_the_feed_filters_and_pages(wire: Wire) -> None:
    ids = [wire.create(("Bug", "Task")[n % 2])["id"] for n in range(6)]
    wire.set(ids[0], System__Title="b")
    query = {"types": "Bug", "includeLatestOnly": "true", "$maxPageSize": "2", "fields": "System.Id,System.AreaPath"}
    first = wire.get(FEED, params=query)
    assert [one["id"] for one in first["values"]] == [ids[2], ids[4]] and not first["isLastBatch"]
    assert first["values"][0]["fields"] == {"System.Id": ids[2], "System.AreaPath": "Portal"}
    second = wire.get(FEED, params={**query, "continuationToken": first["continuationToken"]})
    assert ([one["id"] for one in second["values"]], second["isLastBatch"]) == ([ids[0]], True)
    posted = wire.post(FEED, {"types": ["Task"], "fields": ["System.Id"]})
    assert [one["id"] for one in posted["values"]] == ids[1::2]


def test_long_texts_come_only_when_expanded(wire: Wire) -> None:
    wire.create(System__Description="long")
    assert "System.Description" not in wire.get(FEED)["values"][0]["fields"]
    assert wire.get(f"{FEED}?$expand=fields")["values"][0]["fields"]["System.Description"] == "long"


def test_the_feed_leaves_out_deleted_items_unless_asked(wire: Wire) -> None:
    id = wire.create()["id"]
    wire.tracker.delete(id, JANE)
    assert wire.get(FEED)["values"] == []
    last = wire.get(f"{FEED}?includeDeleted=true")["values"][-1]
    assert (last["id"], last["fields"]["System.IsDeleted"]) == (id, True)


def test_a_batch_cut_before_the_filter_may_be_empty_in_the_middle() -> None:
    wire = Wire(switches=Switches(scan=True, page=2))
    for kind in ("Task", "Task", "Bug"):
        wire.create(kind)
    first = wire.get(FEED, params={"types": "Bug"})
    assert (first["values"], first["isLastBatch"]) == ([], False)
    second = wire.get(FEED, params={"types": "Bug", "continuationToken": first["continuationToken"]})
    assert (len(second["values"]), second["isLastBatch"]) == (1, True)
    wire.stop()


def test_the_feed_starts_by_time_or_token_never_both(wire: Wire) -> None:
    wire.create()
    wire.clock.advance(timedelta(hours=1))
    later = wire.create()["id"]
    assert [one["id"] for one in wire.get(FEED, params={"startDateTime": "2026-01-05T08:30:00Z"})["values"]] == [later]
    both = {"startDateTime": "2026-01-05T08:30:00Z", "continuationToken": "1;1;1"}
    assert wire.call("GET", FEED, params=both).status_code == 400
    problem(wire.call("GET", FEED, params={"continuationToken": "x"}), 400, "InvalidContinuationTokenException")


def test_a_project_s_feed_has_the_revisions_made_in_it(wire: Wire) -> None:
    id = wire.create()["id"]
    wire.set(id, System__TeamProject="Platform")
    assert [one["rev"] for one in wire.get(FEED)["values"]] == [1]
    assert [one["rev"] for one in wire.get(FEED.replace("Portal", "Platform"))["values"]] == [2]


# -- comments


def talk(id: int) -> str:
    return f"Portal/_apis/wit/workItems/{id}/comments"


PREVIEW = {"Accept": "application/json;api-version=7.1-preview.4"}


def test_a_comment_makes_a_revision_and_its_edit_none(wire: Wire) -> None:
    id = wire.create()["id"]
    said = wire.post(talk(id), {"text": "<b>a</b><script>x</script>"}, headers=PREVIEW)
    assert (said["text"], said["version"], said["format"], said["workItemId"]) == ("<b>a</b>", 1, "html", id)
    assert wire.get(f"_apis/wit/workitems/{id}")["rev"] == 2
    edited = wire.call("PATCH", f"{talk(id)}/{said['id']}", {"text": "b"}, headers=PREVIEW).json()
    assert (edited["text"], edited["version"], edited["modifiedDate"] > edited["createdDate"]) == ("b", 2, True)
    assert wire.get(f"_apis/wit/workitems/{id}")["rev"] == 2
    wire.switches.edits_revise = True
    wire.call("DELETE", f"{talk(id)}/{said['id']}", headers=PREVIEW)
    assert wire.get(talk(id), headers=PREVIEW)["comments"] == []
    assert wire.get(f"{talk(id)}?includeDeleted=true", headers=PREVIEW)["comments"][0]["isDeleted"]
    assert wire.get(f"_apis/wit/workitems/{id}")["rev"] == 3


def test_comments_page_by_token_newest_first_unless_asked(wire: Wire) -> None:
    id = wire.create()["id"]
    made = [int(wire.tracker.comment(id, f"c{n}", JANE)) for n in range(5)]
    first = wire.get(f"{talk(id)}?$top=3&order=asc", headers=PREVIEW)
    assert ([c["id"] for c in first["comments"]], first["totalCount"], first["count"]) == (made[:3], 5, 3)
    token = first["continuationToken"]
    second = wire.get(f"{talk(id)}?$top=3&order=asc&continuationToken={token}", headers=PREVIEW)
    assert [c["id"] for c in second["comments"]] == made[3:] and "continuationToken" not in second
    assert [c["id"] for c in wire.get(talk(id), headers=PREVIEW)["comments"]] == made[::-1]


def test_comments_need_a_project_and_a_text(wire: Wire) -> None:
    id = wire.create()["id"]
    assert wire.call("GET", f"_apis/wit/workItems/{id}/comments", headers=PREVIEW).status_code == 400
    for text in ("", "<script>x</script>", None):
        assert wire.call("POST", talk(id), {"text": text}, headers=PREVIEW).status_code == 400
    assert wire.call("POST", talk(id), {"text": "x" * 1_048_577}, headers=PREVIEW).status_code == 400


def test_mentions_mail_people(wire: Wire) -> None:
    id = wire.create()["id"]
    jane = wire.tracker.org.person(JANE).id
    wire.tracker.comment(id, f'<a href="#" data-vss-mention="version:2.0,{jane}">@Jane</a>', BOT)
    wire.tracker.comment(id, f"@<{jane}>", BOT, format="markdown")
    wire.tracker.comment(id, f"@&lt;{jane}&gt; in words", BOT)
    assert [who for _, _, who in wire.tracker.org.mailed] == [jane, jane]


# -- queries


def test_a_query_answers_ids_only_with_the_recorded_shape(wire: Wire) -> None:
    id = wire.create()["id"]
    found = wire.post(
        "_apis/wit/wiql", {"query": "select [System.Id], [System.Title] from WorkItems where [System.Id] = 1"}
    )
    assert list(found) == ["queryType", "queryResultType", "asOf", "columns", "workItems"]
    assert found["workItems"] == [{"id": id, "url": f"{wire.server.url}/example/_apis/wit/workItems/{id}"}]
    assert [column["referenceName"] for column in found["columns"]] == ["System.Id", "System.Title"]


def test_the_language_of_queries(wire: Wire) -> None:
    a = wire.create(System__Tags="Lock; x", System__AreaPath="Portal\\Defects", System__AssignedTo=JANE)["id"]
    b = wire.create("Bug", System__Title="it's here", Microsoft__VSTS__Common__Priority=1)["id"]
    wire.set(b, System__State="Done", Custom__Cause="c")
    for where, expected in {
        "[System.Tags] CONTAINS 'lock'": [a],
        "[System.Tags] CONTAINS 'loc'": [],
        "[System.Title] CONTAINS 'it''s'": [b],
        "[System.AreaPath] UNDER 'Portal'": [a, b],
        "[System.AreaPath] UNDER 'Portal\\Defects'": [a],
        "[System.WorkItemType] IN ('Bug', 'Task') AND [System.State] <> 'New'": [b],
        "([System.Id] = 1 OR [System.Id] = 2) AND NOT [System.Id] = 9": None,
        "EVER [System.State] = 'New' AND [System.Id] > 1": [b],
        "[System.State] EVER 'New'": None,
        "[System.AssignedTo] = 'Jane Doe'": [a],
        "[Priority] < 2": [b],
        "[System.Id] NOT IN (1)": [b],
    }.items():
        if expected is None:
            answer = wire.call("POST", "_apis/wit/wiql", {"query": f"SELECT [System.Id] FROM WorkItems WHERE {where}"})
            problem(answer, 400, "SyntaxException")
        else:
            assert wire.query(where) == expected, where
    assert wire.query("[System.Id] > 0 ORDER BY [System.ChangedDate] DESC, [System.Id]") == [b, a]


def test_a_time_of_day_needs_time_precision(wire: Wire) -> None:
    wire.create()
    wire.clock.advance(timedelta(hours=3))
    later = wire.create()["id"]
    where = "[System.CreatedDate] >= '2026-01-05T10:00:00Z'"
    answer = wire.call("POST", "_apis/wit/wiql", {"query": f"SELECT [System.Id] FROM WorkItems WHERE {where}"})
    assert "You cannot supply a time with the date" in problem(answer, 400, "WorkItemTrackingQueryException")["message"]
    assert wire.query(where, timePrecision="true") == [later]
    assert len(wire.query("[System.ChangedDate] >= '2026-01-05'")) == 2


def test_more_than_20000_ids_are_refused_unless_cut(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.azure_devops.wiql.LIMIT", 3)
    for _ in range(4):
        wire.create()
    answer = wire.call("POST", "_apis/wit/wiql", {"query": "SELECT [System.Id] FROM WorkItems"})
    assert "VS402337" in problem(answer, 400, "WorkItemTrackingQueryResultSizeLimitExceededException")["message"]
    assert wire.query("[System.Id] > 0", "_apis/wit/wiql?$top=2") == [1, 2]


# -- what the organisation defines


def test_types_states_and_fields(wire: Wire) -> None:
    types = {one["name"]: one for one in wire.get("Portal/_apis/wit/workitemtypes")["value"]}
    assert [state["category"] for state in types["Bug"]["states"]] == [
        "Proposed", "Proposed", "InProgress", "Completed", "Removed",
    ]  # fmt: skip
    assert wire.get("Portal/_apis/wit/workitemtypes/bug/states")["value"] == types["Bug"]["states"]
    assigned = wire.get("_apis/wit/fields/System.AssignedTo")
    assert (assigned["type"], assigned["isIdentity"], assigned["readOnly"]) == ("string", True, False)
    assert (
        wire.get("Portal/_apis/wit/workitemtypes/Bug/fields/Severity?$expand=all")["allowedValues"][0] == "1 - Critical"
    )
    problem(wire.call("GET", "Portal/_apis/wit/workitemtypes/Story"), 404, "WorkItemTypeNotFoundException")
    assert [one["name"] for one in wire.get("_apis/projects")["value"]] == ["Portal", "Platform"]


@pytest.mark.parametrize(("process", "first"), [("Agile", "User Story"), ("Basic", "Issue"), ("CMMI", "Requirement")])
def test_each_shipped_process(process: str, first: str) -> None:
    wire = Wire(process=process)
    id = wire.tracker.create({"System.Title": "a"}, JANE)
    assert wire.get(f"_apis/wit/workitems/{id}")["fields"]["System.WorkItemType"] == first
    wire.stop()


def test_dates_may_have_seven_places() -> None:
    wire = Wire(switches=Switches(digits=7))
    assert re.fullmatch(r"2026-01-05T08:00:00\.0010000Z", wire.create()["fields"]["System.CreatedDate"])
    wire.stop()


# -- the story's people


def test_people_s_doings_go_through_the_same_rules_and_are_remembered(wire: Wire) -> None:
    id = wire.tracker.create({"System.Title": "a", "System.WorkItemType": "Bug"}, JANE)
    with pytest.raises(Problem, match="TF401320"):
        wire.tracker.move(id, "Done", JANE)
    wire.tracker.move(id, "Done", JANE, **{"Custom.Cause": "x"})
    comment = wire.tracker.comment(id, "hi", JANE)
    entries = [(entry["field"], entry["old"], entry["new"], entry["by"]) for entry in wire.tracker.history(id)]
    assert ("System.State", "New", "Done", JANE) in entries and ("System.History", None, "hi", JANE) in entries
    assert wire.tracker.comments(id)[0]["id"] == comment
    wire.tracker.delete(id, JANE)
    assert wire.tracker.ids() == [] and wire.tracker.item(id)["System.IsDeleted"] is True
    wire.tracker.undelete(id, JANE)
    assert wire.tracker.ids() == [id] and "System.IsDeleted" not in wire.tracker.item(id)


# -- the vendor's client


def test_the_vendor_s_client_works_unchanged(wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path))
    from azure.devops.connection import Connection
    from azure.devops.v7_1.work_item_tracking.models import CommentCreate, JsonPatchOperation, Wiql
    from msrest.authentication import BasicAuthentication

    connection = Connection(base_url=f"{wire.server.url}/example", creds=BasicAuthentication("", PAT))
    client = connection.clients_v7_1.get_work_item_tracking_client()
    title = JsonPatchOperation(op="add", path="/fields/System.Title", value="by the client")
    item = client.create_work_item([title], "Portal", "Product Backlog Item")
    assert (item.id, item.rev, item.fields["System.Title"]) == (1, 1, "by the client")
    comment = client.add_comment(CommentCreate(text="hello"), "Portal", item.id)
    listed = client.get_comments("Portal", item.id)
    assert (listed.total_count, listed.comments[0].id, listed.comments[0].text) == (1, comment.id, "hello")
    assert client.query_by_wiql(Wiql(query="SELECT [System.Id] FROM WorkItems")).work_items[0].id == 1
    assert client.get_work_items([1, 99], error_policy="omit")[1] is None
    assert client.get_work_item_type_states("Portal", "Task")[0].name == "To Do"
    assert client.get_updates(1)[0].fields["System.Title"].new_value == "by the client"
    feed = client.read_reporting_revisions_get(project="Portal").additional_properties
    assert feed["isLastBatch"] and len(feed["values"]) == 2
    assert client.delete_work_item(1).code == 200
