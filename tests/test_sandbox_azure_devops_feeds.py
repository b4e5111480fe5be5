"""Histories and feeds of the simulated Azure DevOps: revisions as of a date, discussions, dates and tags."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.azure_devops import Switches
from tests.azure_wire import FEED, JANE, PATCH, PREVIEW, Wire, problem, wired

SAID = "Portal/_apis/wit/reporting/workItemRevisions/discussions"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def test_discussions_are_revisions_that_comments_made(wire: Wire) -> None:
    """wit GET reporting/workItemRevisions/discussions; unrecorded."""
    id = wire.create()["id"]
    wire.tracker.comment(id, "first", JANE)
    wire.set(id, System__Title="b")
    wire.set(id, System__History="second")
    batch = wire.get(SAID)
    assert [(one["rev"], one["fields"]["System.History"]) for one in batch["values"]] == [(2, "first"), (4, "second")]
    assert batch["isLastBatch"] and batch["values"][0]["fields"]["System.ChangedBy"] == f"Jane Doe <{JANE}>"
    page = wire.get(SAID, params={"$maxPageSize": 1})
    assert len(page["values"]) == 1 and not page["isLastBatch"]
    rest = wire.get(SAID, params={"continuationToken": page["continuationToken"]})
    assert [one["rev"] for one in rest["values"]] == [4]


@pytest.mark.parametrize("shown", [False, True])
def test_edits_of_comments_are_in_the_discussions_feed_or_not(shown: bool) -> None:
    """apis.md 3.1: open whether it shows edits, switch ``discussion_edits``."""
    with wired(switches=Switches(discussion_edits=shown)) as wire:
        id = wire.create()["id"]
        said = wire.post(wire.talk(id), {"text": "a"}, headers=PREVIEW)["id"]
        token = wire.get(SAID)["continuationToken"]
        wire.ask("PATCH", f"{wire.talk(id)}/{said}", {"text": "b"}, headers=PREVIEW)
        found = wire.get(SAID, params={"continuationToken": token})["values"]
    assert [one["fields"]["System.History"] for one in found] == (["b"] if shown else [])


def test_the_feed_may_leave_only_what_was_said(wire: Wire) -> None:
    id = wire.create()["id"]
    wire.tracker.comment(id, "first", JANE)
    wire.set(id, System__Title="b")
    found = wire.get(FEED, params={"includeDiscussionChangesOnly": "true"})["values"]
    assert [one["rev"] for one in found] == [2]


def test_the_feed_may_show_tags_and_people_as_objects(wire: Wire) -> None:
    """wit GET reporting/workitemrevisions: includeTagRef, includeIdentityRef."""
    wire.create(System__Tags="a; b")
    fields = wire.get(FEED, params={"includeTagRef": "true", "includeIdentityRef": "true"})["values"][0]["fields"]
    assert [tag["name"] for tag in fields["System.Tags"]] == ["a", "b"]
    assert fields["System.CreatedBy"]["displayName"] == "Build Bot"


def test_an_item_can_be_read_as_of_a_date(wire: Wire) -> None:
    """recorded-az-cli-vcr 12: GET workitems?ids=...&asOf=..."""
    id = wire.create()["id"]
    before = wire.clock.now().isoformat().replace("+00:00", "Z")
    wire.clock.advance(timedelta(hours=1))
    wire.set(id, System__Title="later")
    found = wire.get("_apis/wit/workitems", params={"ids": str(id), "fields": "System.Title", "asOf": before})
    (one,) = found["value"]
    assert (one["rev"], one["fields"]["System.Title"], one["url"]) == (1, "a title", wire.address(id))
    early = wire.call("GET", f"_apis/wit/workitems/{id}", params={"asOf": "2025-01-01T00:00:00Z"})
    problem(early, 404, "WorkItemUnauthorizedAccessException")


@pytest.mark.parametrize(
    ("digits", "seen"),
    [
        (0, "2026-01-05T08:00:00Z"),
        (2, "2026-01-05T08:00:00Z"),
        (3, "2026-01-05T08:00:00.001Z"),
        (7, "2026-01-05T08:00:00.0010000Z"),
    ],
)
def test_dates_have_up_to_seven_places(digits: int, seen: str) -> None:
    """apis.md 3.1: 0 to 7 digits of fraction."""
    with wired(switches=Switches(digits=digits)) as wire:
        assert wire.create()["fields"]["System.CreatedDate"] == seen


def test_an_item_shows_what_was_said_in_its_newest_revision(wire: Wire) -> None:
    """Vendor's example of a Markdown remark: System.History and commentVersionRef."""
    id = wire.create()["id"]
    value = {"format": "Markdown", "text": "**so**"}
    body = wire.patch(id, {"op": "add", "path": "/fields/System.History", "value": value}).json()
    assert body["fields"]["System.History"] == "**so**"
    assert body["commentVersionRef"]["url"].endswith(f"/_apis/wit/workItems/{id}/comments/1/versions/1")
    assert wire.get(wire.talk(id), headers=PREVIEW)["comments"][0]["format"] == "markdown"
    assert "System.History" not in wire.set(id, System__Title="b").json()["fields"]


def test_a_remark_at_birth_is_a_comment_of_the_first_revision(wire: Wire) -> None:
    made = wire.create(System__History="born")
    assert (made["rev"], made["fields"]["System.CommentCount"], made["fields"]["System.History"]) == (1, 1, "born")
    update = wire.get(f"_apis/wit/workItems/{made['id']}/updates/1")
    assert update["fields"]["System.History"]["newValue"] == "born"


def test_the_newest_update_is_revised_never_and_the_others_were(wire: Wire) -> None:
    """apis.md 3.1: revisedDate 9999-01-01 on the newest."""
    id = wire.create()["id"]
    wire.set(id, System__Title="b")
    updates = wire.get(f"_apis/wit/workItems/{id}/updates?$top=10")["value"]
    assert updates[0]["revisedDate"] == updates[1]["fields"]["System.ChangedDate"]["newValue"]
    assert updates[1]["revisedDate"] == "9999-01-01T00:00:00Z"
    assert wire.get(f"_apis/wit/workItems/{id}/updates?$top=1&$skip=1")["value"] == updates[1:]


def test_a_field_in_markdown_stays_so_unless_switched(wire: Wire) -> None:
    """apis.md 3.3 [U], switch ``markdown_stays``; vendor's example of 7.2."""
    id = wire.create()["id"]
    to = lambda kind: {"op": "add", "path": "/multilineFieldsFormat/System.Description", "value": kind}  # noqa: E731
    text = {"op": "add", "path": "/fields/System.Description", "value": "# <b>one</b>"}
    body = wire.patch(id, text, to("markdown")).json()
    assert body["fields"]["System.Description"] == "# <b>one</b>"
    assert body["multilineFieldsFormat"] == {"System.Description": "markdown"}
    assert wire.patch(id, to("html")).status_code == 400
    wire.switches.markdown_stays = False
    assert wire.patch(id, to("html"), text).json()["multilineFieldsFormat"] == {"System.Description": "html"}


@pytest.mark.parametrize("status", [409, 412])
def test_two_writers_at_once_meet_in_one_of_two_ways(wire: Wire, status: int) -> None:
    """apis.md 3.2 [C]: 409 or 412 with TF26071, switch ``clashes``."""
    id = wire.create()["id"]
    wire.switches.clashes.append(status)
    body = problem(wire.set(id, System__Title="b"), status, "WorkItemRevisionMismatchException")
    assert body["message"].startswith("TF26071: This work item has been changed by someone else")
    assert wire.set(id, System__Title="b").status_code == 200


def test_a_failed_test_of_the_revision_may_be_a_409(wire: Wire) -> None:
    """apis.md 3.2 [C], switch ``stale_status``."""
    id = wire.create()["id"]
    test = {"op": "test", "path": "/rev", "value": 7}
    problem(wire.patch(id, test, *wire.fields(System__Title="b")), 412, "TestPatchOperationFailedException")
    wire.switches.stale_status = 409
    problem(wire.patch(id, test, *wire.fields(System__Title="b")), 409, "WorkItemRevisionMismatchException")


def test_several_items_are_deleted_at_once_each_with_its_result(wire: Wire) -> None:
    """wit POST workitemsdelete."""
    a, b = wire.create()["id"], wire.create()["id"]
    found = wire.post("Portal/_apis/wit/workitemsdelete", {"ids": [a, 99, b]})["results"]
    assert [(one["id"], one["code"]) for one in found] == [(a, 200), (99, 404), (b, 200)]
    assert wire.tracker.ids() == []
    listed = wire.get("Portal/_apis/wit/recyclebin")["value"]
    assert [one["id"] for one in listed] == [a, b]
    assert wire.get(f"Portal/_apis/wit/recyclebin?ids={b}")["value"][0]["name"] == "a title"
    assert wire.call("DELETE", f"Portal/_apis/wit/recyclebin/{a}").status_code == 204
    problem(wire.call("GET", f"Portal/_apis/wit/recyclebin/{a}"), 404, "WorkItemUnauthorizedAccessException")


def test_bypassed_rules_let_dates_authors_and_illegal_values_be_set(wire: Wire) -> None:
    """apis.md 3.2; vendor's example: an unknown person stays a text. VS402625: dates increase."""
    id = wire.create()["id"]
    wire.clock.advance(timedelta(days=1))
    signed = wire.fields(System__ChangedDate="2026-01-05T12:00:00Z", System__ChangedBy=JANE, System__State="Nowhere")
    body = wire.patch(id, *signed, *wire.fields(System__AssignedTo="Invalid Value"), query="?bypassRules=true").json()
    fields = body["fields"]
    assert (fields["System.ChangedDate"], fields["System.ChangedBy"]["uniqueName"]) == ("2026-01-05T12:00:00Z", JANE)
    assert (fields["System.State"], fields["System.AssignedTo"]) == ("Nowhere", "Invalid Value")
    early = wire.fields(System__ChangedDate="2026-01-05T11:00:00Z", System__Title="x")
    answer = wire.patch(id, *early, query="?bypassRules=true")
    assert "VS402625" in problem(answer, 400, "WorkItemDatesNotIncreasingException")["message"]
    problem(wire.patch(id, *early), 400, "RuleValidationException")
    assert [one["rev"] for one in wire.get(FEED)["values"]] == [1, 2]


def test_a_change_may_be_made_without_mail(wire: Wire) -> None:
    """apis.md 3.2: suppressNotifications."""
    id = wire.create()["id"]
    jane = wire.tracker.org.person(JANE).id
    said = wire.fields(System__History=f'<a href="#" data-vss-mention="version:2.0,{jane}">@Jane</a>')
    wire.patch(id, *said, query="?suppressNotifications=true")
    assert wire.tracker.org.mailed == []
    wire.patch(id, *said)
    assert wire.tracker.org.mailed == [(id, 2, jane)]


def test_validation_alone_says_the_same_and_keeps_nothing(wire: Wire) -> None:
    id = wire.create()["id"]
    wrong = wire.patch(id, *wire.fields(System__State="Nowhere"), query="?validateOnly=true")
    problem(wrong, 400, "RuleValidationException")
    link = {"op": "add", "path": "/relations/-", "value": {"rel": "System.LinkTypes.Related", "url": wire.address(9)}}
    create = "Portal/_apis/wit/workitems/$Bug?validateOnly=true"
    answer = wire.call("POST", create, [*wire.fields(System__Title="x"), link], headers=PATCH)
    problem(answer, 404, "WorkItemUnauthorizedAccessException")
    assert wire.read(id)["rev"] == 1 and wire.tracker.ids() == [str(id)]


def test_spaces_around_a_short_text_are_trimmed(wire: Wire) -> None:
    """apis.md 0, rule 6: compare with what the server answered."""
    assert wire.create(System__Title="  a title  ")["fields"]["System.Title"] == "a title"
    problem(wire.set(1, System__Title="   "), 400, "RuleValidationException")
