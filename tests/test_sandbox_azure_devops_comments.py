"""Comments of the simulated Azure DevOps: versions, reactions, mentions, deleted ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.azure_wire import BOT, JANE, PREVIEW, Wire, problem, wired


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def test_every_version_of_a_comment_can_be_read(wire: Wire) -> None:
    """wit GET comments/{commentId}/versions."""
    id = wire.create()["id"]
    said = wire.tracker.comment(id, "one", JANE)
    place = f"{wire.talk(id)}/{said}"
    wire.ask("PATCH", place, {"text": "two"}, headers=PREVIEW)
    wire.ask("DELETE", place, headers=PREVIEW)
    versions = wire.get(f"{place}/versions", headers=PREVIEW)["value"]
    assert [(one["version"], one["text"], one["isDeleted"]) for one in versions] == [
        (3, "two", True), (2, "two", False), (1, "one", False),
    ]  # fmt: skip
    first = wire.get(f"{place}/versions/1", headers=PREVIEW)
    assert (first["createdBy"]["uniqueName"], first["modifiedBy"]["uniqueName"]) == (JANE, JANE)
    assert versions[1]["modifiedBy"]["uniqueName"] == BOT
    problem(wire.call("GET", f"{place}/versions/9", headers=PREVIEW), 404, "WorkItemCommentNotFoundException")


def test_a_deleted_comment_is_shown_only_to_who_asks_for_it(wire: Wire) -> None:
    """Vendor's example of DELETE: 200 with isDeleted; wit: includeDeleted."""
    id = wire.create()["id"]
    place = f"{wire.talk(id)}/{wire.tracker.comment(id, 'x', JANE)}"
    gone = wire.ask("DELETE", place, headers=PREVIEW)
    assert (gone["isDeleted"], gone["version"]) == (True, 2)
    problem(wire.call("GET", place, headers=PREVIEW), 404, "WorkItemCommentNotFoundException")
    problem(wire.call("PATCH", place, {"text": "y"}, headers=PREVIEW), 404, "WorkItemCommentNotFoundException")
    assert wire.get(f"{place}?includeDeleted=true", headers=PREVIEW)["isDeleted"]
    assert wire.read(id)["fields"]["System.CommentCount"] == 0


def test_markdown_is_kept_and_html_cleaned(wire: Wire) -> None:
    """wit x-ms-paths: ?format=markdown."""
    id = wire.create()["id"]
    text = "**a** <script>b</script>"
    marked = wire.post(f"{wire.talk(id)}?format=markdown", {"text": text}, headers=PREVIEW)
    assert (marked["text"], marked["format"]) == (text, "markdown")
    assert wire.post(wire.talk(id), {"text": text}, headers=PREVIEW)["text"] == "**a** "
    place = f"{wire.talk(id)}/{marked['id']}"
    assert wire.ask("PATCH", f"{place}?format=html", {"text": "<b>c</b>"}, headers=PREVIEW)["format"] == "html"


def test_reactions_are_counted_and_make_no_revision(wire: Wire) -> None:
    """wit PUT comments/{commentId}/reactions/{reactionType}."""
    id = wire.create()["id"]
    place = f"{wire.talk(id)}/{wire.tracker.comment(id, 'x', JANE)}"
    liked = wire.ask("PUT", f"{place}/reactions/like", headers=PREVIEW)
    assert (liked["count"], liked["isCurrentUserEngaged"], wire.read(id)["rev"]) == (1, True, 2)
    assert wire.get(f"{place}/reactions", headers=PREVIEW)["value"] == [liked]
    assert wire.get(f"{place}?$expand=reactions", headers=PREVIEW)["reactions"] == [liked]
    assert wire.ask("DELETE", f"{place}/reactions/like", headers=PREVIEW)["count"] == 0
    assert wire.call("PUT", f"{place}/reactions/shrug", headers=PREVIEW).status_code == 400


def test_mentions_are_told_when_asked_for(wire: Wire) -> None:
    id = wire.create()["id"]
    jane = wire.tracker.org.person(JANE).id
    said = wire.post(f"{wire.talk(id)}?format=markdown", {"text": f"see @<{jane}>"}, headers=PREVIEW)["id"]
    (listed,) = wire.get(f"{wire.talk(id)}?$expand=all", headers=PREVIEW)["comments"]
    assert [(one["targetId"], one["commentId"]) for one in listed["mentions"]] == [(jane, said)]
    assert listed["renderedText"] == listed["text"]


@pytest.mark.parametrize("most", [200, 300])
def test_a_page_of_comments_has_a_largest_size(wire: Wire, most: int) -> None:
    """apis.md 3.3: $top up to 200 [C], switch ``comment_page``; the token is opaque (vendor's example)."""
    wire.switches.comment_page = most
    id = wire.create()["id"]
    for n in range(201):
        wire.tracker.comment(id, f"c{n}", JANE)
    page = wire.get(f"{wire.talk(id)}?$top=500", headers=PREVIEW)
    assert (page["count"], page["totalCount"], "continuationToken" in page) == (min(most, 201), 201, most == 200)
    chosen = ",".join(str(one["id"]) for one in page["comments"][:2])
    assert wire.get(f"{wire.talk(id)}?ids={chosen}", headers=PREVIEW)["count"] == 2
    if most == 200:
        rest = wire.get(
            page["nextPage"].split("/example/")[1].replace("&api-version=7.1-preview.4", ""), headers=PREVIEW
        )
        assert [one["text"] for one in rest["comments"]] == ["c0"] and not page["continuationToken"].isdigit()
    assert wire.call("GET", f"{wire.talk(id)}?continuationToken=17", headers=PREVIEW).status_code == 400


@pytest.mark.parametrize("mailed", [True, False])
def test_a_mention_mails_whom_it_names_or_does_not(wire: Wire, mailed: bool) -> None:
    """apis.md 3.3 [S/C], switch ``mentions_mail``."""
    wire.switches.mentions_mail = mailed
    id, jane = wire.create()["id"], wire.tracker.org.person(JANE).id
    wire.post(f"{wire.talk(id)}?format=markdown", {"text": f"see @<{jane}>"}, headers=PREVIEW)
    assert [who for *_, who in wire.tracker.org.mailed] == ([jane] if mailed else [])
