"""The Azure DevOps connector through the real library over HTTP, and through ``responses`` where the transport itself
is broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
import responses

from connectors.auth import AccessToken, Auth, Entra, Secret
from connectors.azure_devops import AzureDevOps
from connectors.azure_devops.steps import way
from connectors.base import Busy, Down, LockedOut, Refused, Stale, Unsure
from mappings.model import Change, Draft, Mark, Native, Record, Scope
from sandbox.azure_devops import AzureDevOps as Organisation
from sandbox.azure_devops import Field, Person, Switches
from sandbox.azure_devops.errors import throttled
from sandbox.azure_devops.process import SCRUM, inherited
from sandbox.clock import SandboxClock
from sandbox.entra import Entra as TokenEndpoint
from sandbox.faults import Fault, Faults
from sandbox.server import RequestLog, Server
from sandbox.wire import Answer
from tests.contract import Harness, HttpContract, changes, everything_said, free_port, settable_clock

PAT = "pat-with-a-secret-in-it"
OURS = "lockstep@example.com"
JANE = "jane.doe@example.com"
ROOT_CAUSE = Field("Custom.RootCause", "Root Cause", "string")
SCOPE = Scope(
    side="pbi",
    mark="lockstep-test",
    project="Portal",
    types=("Product Backlog Item", "Bug"),
    where=(("System.AreaPath", ("Portal\\Defects",)),),
    fields=(
        "System.Title",
        "System.Description",
        "Microsoft.VSTS.Common.Priority",
        "Microsoft.VSTS.Scheduling.Effort",
        "System.AssignedTo",
        "System.Tags",
        "Custom.RootCause",
    ),
)


def organisation(clock: SandboxClock, **options: Any) -> Organisation:
    people = (Person(OURS, "Lockstep"), Person(JANE, "Jane Doe"))
    settings: dict[str, Any] = {
        "projects": ("Portal", "Platform"),
        "areas": {"Portal": ("Defects", "Defects\\Urgent", "Requests")},
        "people": people,
        "pats": {PAT: OURS},
        "custom": (ROOT_CAUSE,),
        "needs": {("Product Backlog Item", "Committed"): ("Custom.RootCause",)},
    }
    return Organisation("azure", clock, **{**settings, **options})


class AzureHarness(Harness):
    name = "azure"
    kind = "Product Backlog Item"
    title_field = "System.Title"
    draft_fields = {"System.AreaPath": "Portal\\Defects"}  # noqa: RUF012
    channel = "discussion"
    with_state = {"Custom.RootCause": "a race"}  # noqa: RUF012
    create_call = ("POST", r"/workitems/\$")
    update_call = ("PATCH", r"/workitems/\d+$")
    read_call = ("POST", "/workitemsbatch")
    say_call = ("POST", "/comments")
    mark_natives = frozenset({"System.Tags", "relations"})
    tells_stale = True
    no_such_id = "999999"
    secrets = (PAT, "cGF0LXdpdGgtYS1zZWNyZXQtaW4taXQ")

    def __init__(self, **options: Any) -> None:
        self.clock, self.faults, self.log = settable_clock(), Faults(), RequestLog()
        self.tracker = organisation(self.clock, **options)
        self.server = Server(self.tracker, self.clock, self.faults, self.log).start()
        self.scope, self.built = SCOPE, list[AzureDevOps]()
        self.connector = self.build()
        self.connector.open([self.scope])

    def build(
        self, *, wrong_password: bool = False, port: int = 0, page: int = 0, auth: Auth | None = None
    ) -> AzureDevOps:
        url = f"http://127.0.0.1:{port or self.server.port}/example"
        auth = auth or AccessToken(Secret("wrong" if wrong_password else PAT))
        self.built.append(AzureDevOps(self.name, url, auth, self.clock, page=page or 200))
        return self.built[-1]

    def stop(self) -> None:
        for connector in self.built:
            connector.close()
        self.server.stop()

    def person_creates(self, title: str) -> str:
        return self.tracker.create({"System.Title": title, "System.AreaPath": "Portal\\Defects\\Urgent"}, JANE)

    def person_creates_outside(self, title: str) -> str:
        return self.tracker.create({"System.Title": title, "System.AreaPath": "Portal\\Requests"}, JANE)

    def person_comments(self, id: str, text: str) -> str:
        return self.tracker.comment(id, text, JANE)

    def person_retitles(self, id: str, title: str) -> None:
        self.tracker.update(id, {"System.Title": title}, JANE)

    def person_moves(self, id: str) -> str:
        self.tracker.move(id, "Approved", JANE)
        return "Approved"

    def person_moves_out(self, id: str) -> None:
        self.tracker.update(id, {"System.AreaPath": "Portal\\Requests"}, JANE)

    def person_removes(self, id: str) -> None:
        self.tracker.delete(id, JANE)

    def states_forward(self) -> str:
        return "Committed"

    def refused_change(self) -> tuple[Change, str]:
        return Change({"Microsoft.VSTS.Common.Priority": "7"}), "Microsoft.VSTS.Common.Priority"

    def looks_inert(self, stored: str) -> bool:
        tags = set(re.findall(r"<\s*/?\s*([a-z]+)", stored, re.IGNORECASE))
        return tags <= {"div", "br"} and "data-vss-mention" not in stored and not self.tracker.org.mailed


@pytest.fixture
def harness() -> Iterator[AzureHarness]:
    made = AzureHarness()
    yield made
    made.stop()


class TestAzureDevOpsContract(HttpContract):
    def test_adopt_never_overwrites_an_occupied_field(self, harness: AzureHarness) -> None:  # type: ignore[override]
        """Tags and hyperlinks have room for everyone: what people put there stays."""
        id = harness.person_creates("theirs")
        harness.tracker.update(id, {"System.Tags": "urgent; Team A"}, JANE)
        harness.tracker.link(id, "Hyperlink", "https://wiki.example/page", JANE, "background")
        adopted = harness.connector.adopt(harness.scope, harness.record(id), harness.mark())
        assert adopted.mark == harness.mark()
        assert harness.tracker.item(id)["System.Tags"] == "urgent; Team A; lockstep-test"
        assert harness.tracker.relations(id)[0]["comment"] == "background"


# -- what each operation costs


def calls_of(harness: AzureHarness, act: Callable[[], object]) -> int:
    before = harness.sent()
    act()
    return harness.sent() - before


def test_opening_costs_three_calls_and_one_for_each_project(harness: AzureHarness) -> None:
    other = replace(SCOPE, side="request", project="Platform", where=())
    assert calls_of(harness, lambda: harness.build().open([SCOPE])) == 4
    assert calls_of(harness, lambda: harness.build().open([SCOPE, replace(SCOPE, side="bug"), other])) == 5


def test_a_batch_reads_two_hundred_items_a_call(harness: AzureHarness) -> None:
    ids = [harness.person_creates(f"item {n}") for n in range(401)]
    assert calls_of(harness, lambda: harness.connector.read(SCOPE, ids)) == 3
    assert calls_of(harness, lambda: changes(harness.connector, SCOPE)) == 3


def test_writes_cost_one_call_and_adopting_a_look_besides(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("one"))
    mark = harness.mark()
    assert calls_of(harness, lambda: harness.made("two")) == 1
    assert calls_of(harness, lambda: harness.retitled(record)) == 1
    assert calls_of(harness, lambda: harness.connector.say(SCOPE, record, "discussion", "hello")) == 1
    assert calls_of(harness, lambda: harness.connector.adopt(SCOPE, record, mark)) == 2
    adopted = harness.record(record.ref.id)
    assert calls_of(harness, lambda: harness.connector.adopt(SCOPE, adopted, mark)) == 0
    assert calls_of(harness, lambda: harness.connector.show(SCOPE, adopted, mark, "INC1", "https://x/1")) == 0
    assert calls_of(harness, lambda: harness.connector.find_made(SCOPE, mark, harness.clock.now())) == 2


def test_a_discussion_costs_one_call_for_two_hundred_comments(harness: AzureHarness) -> None:
    quiet, loud = harness.person_creates("quiet"), harness.person_creates("loud")
    said = [harness.person_comments(loud, f"remark {n}") for n in range(401)]
    before = harness.sent()
    found = harness.connector.discussions(SCOPE, [quiet, loud])
    assert harness.sent() - before == 4
    assert [comment.id for comment in found[loud]] == said


def test_one_change_is_one_revision_and_a_comment_another(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("one"))
    change = Change({"System.Title": "b", "Microsoft.VSTS.Common.Priority": "1"}, "Approved", version=record.version)
    updated = harness.connector.update(SCOPE, record, change)
    assert updated.version == record.version + 1
    harness.connector.say(SCOPE, updated, "discussion", "hello")
    assert harness.record(record.ref.id).version == record.version + 2


# -- values


@pytest.mark.parametrize(
    ("field", "native", "stored"),
    [
        ("Microsoft.VSTS.Common.Priority", "3", 3),
        ("Microsoft.VSTS.Scheduling.Effort", "4.5", 4.5),
        ("Microsoft.VSTS.Scheduling.Effort", "8", 8.0),
        ("System.Description", 'a < b\n  & "c"', '<div>a &lt; b<br> &nbsp;&amp; "c"</div>'),
        ("Custom.RootCause", "a race", "a race"),
    ],
)
def test_a_value_is_written_by_its_field_s_type_and_read_back_the_same(
    harness: AzureHarness, field: str, native: str, stored: object
) -> None:
    record = harness.record(harness.person_creates("one"))
    updated = harness.connector.update(SCOPE, record, Change({field: native}, version=record.version))
    assert updated.fields[field] == native
    assert harness.tracker.item(record.ref.id)[field] == stored


def test_a_value_is_cleared_and_an_empty_field_reads_as_none(harness: AzureHarness) -> None:
    fields = ("System.Description", "Microsoft.VSTS.Scheduling.Effort", "System.AssignedTo", "Custom.RootCause")
    id = harness.person_creates("one")
    harness.tracker.update(id, dict(zip(fields, ("<b>x</b>", 3, JANE, "c"), strict=True)), JANE)
    record = harness.record(id)
    assert [record.fields[name] for name in fields] == ["x", "3", "Jane Doe", "c"]
    cleared = harness.connector.update(SCOPE, record, Change(dict.fromkeys(fields), version=record.version))
    assert [cleared.fields[name] for name in fields] == [None] * 4
    assert not set(fields) & set(harness.tracker.item(id))


def test_people_are_read_by_name_and_written_by_account(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("one"))
    updated = harness.connector.update(SCOPE, record, Change({"System.AssignedTo": JANE}, version=record.version))
    assert (updated.fields["System.AssignedTo"], updated.assignee, updated.updated_by) == ("Jane Doe", JANE, OURS)
    change = Change({"System.AssignedTo": "nobody@example.com"}, version=updated.version)
    with pytest.raises(Refused, match="unknown identity") as caught:
        harness.connector.update(SCOPE, updated, change)
    assert caught.value.fields == ("System.AssignedTo",)


def test_html_of_people_is_read_as_words(harness: AzureHarness) -> None:
    id = harness.person_creates("one")
    harness.tracker.update(id, {"System.Description": "<p>one</p><ul><li>two</li></ul>three&nbsp;&lt;four"}, JANE)
    assert harness.record(id).fields["System.Description"] == "one\ntwo\nthree <four"


def test_a_field_that_people_turned_to_markdown_stays_markdown(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("one"))
    harness.tracker.org.store.items[int(record.ref.id)].formats["System.Description"] = "markdown"
    record = harness.record(record.ref.id)
    text = "*as it is* <b> @<4e4a7c2e-0000-4000-8000-000000000001> [a](javascript:b) ![](http://c) \\\\[d](e) \\n"
    updated = harness.connector.update(SCOPE, record, Change({"System.Description": text}, version=record.version))
    assert updated.fields["System.Description"] == text
    kept = str(harness.tracker.item(record.ref.id)["System.Description"])
    assert kept.startswith("*as it is* &lt;b>") and kept.endswith(r"\\\\\[d\](e) \n")
    assert re.search(r"(?<!\\)(?:\\\\)*[\[\]]", kept) is None


@pytest.mark.parametrize("merges", [True, False])
def test_tags_are_written_whole_and_keep_our_mark(merges: bool) -> None:
    harness = AzureHarness(switches=Switches(tags_merge=merges))
    made = harness.made("made")
    assert made.fields["System.Tags"] is None
    harness.tracker.update(made.ref.id, {"System.Tags": "LOCKSTEP-test; old; kept"}, JANE)
    record = harness.record(made.ref.id)
    assert record.fields["System.Tags"] == ("old", "kept")
    change = Change({"System.Tags": ("kept", "new")}, version=record.version, mark=record.mark)
    updated = harness.connector.update(SCOPE, record, change)
    assert updated.fields["System.Tags"] == ("kept", "new")
    assert updated.mark == harness.mark()
    assert harness.tracker.item(made.ref.id)["System.Tags"] == "kept; new; lockstep-test"
    harness.stop()


def test_dates_of_any_precision_are_one_moment() -> None:
    harness = AzureHarness(switches=Switches(digits=7))
    scope = replace(SCOPE, fields=("Microsoft.VSTS.Scheduling.DueDate",))
    id = harness.person_creates("one")
    harness.tracker.update(id, {"Microsoft.VSTS.Scheduling.DueDate": "2026-03-31T18:36:26.2300000Z"}, JANE)
    harness.tracker.org.store.items[int(id)].fields["Microsoft.VSTS.Scheduling.DueDate"] = (
        "2026-03-31T18:36:26.2300000Z"
    )
    record = harness.connector.read(scope, [id])[id]
    assert record is not None
    assert record.fields == {"Microsoft.VSTS.Scheduling.DueDate": "2026-03-31T18:36:26.23Z"}
    assert record.created.tzinfo is UTC
    harness.stop()


# -- creating, marking, finding


def test_a_creation_carries_the_fixed_fields_tags_and_a_link_to_the_source(harness: AzureHarness) -> None:
    extra: dict[str, Native] = {"System.AreaPath": "Portal\\Defects\\Urgent", "System.Tags": ("from-support", "p1")}
    draft = Draft("Bug", {"System.Title": "made"}, harness.mark(), "INC1", "https://snow.example/INC1", extra)
    record = harness.connector.create(SCOPE, draft)
    assert (record.kind, record.state, record.version, record.in_scope) == ("Bug", "New", 1, True)
    assert record.url == f"{harness.server.url}/example/Portal/_workitems/edit/{record.ref.id}"
    assert record.fields["System.Tags"] == ("from-support", "p1")
    assert harness.tracker.relations(record.ref.id) == [
        {
            "rel": "Hyperlink",
            "url": "https://snow.example/INC1",
            "comment": "lockstep lockstep-test link:k1 made:m1 at:20260105080000",
        }
    ]


def test_hyperlinks_that_people_hung_on_an_item_are_read_with_it_and_no_keys_are(harness: AzureHarness) -> None:
    id = harness.made("made").ref.id
    harness.tracker.link(id, "Hyperlink", "https://jira.example/browse/SHOP-12", JANE, "the defect")
    harness.tracker.link(id, "Hyperlink", "https://snow.example/INC1", JANE, "lockstep lockstep-clone link:k9")
    scope = replace(SCOPE, fields=(*SCOPE.fields, "Hyperlinks"))
    assert "Hyperlinks" in harness.connector.fields_known(scope)
    assert harness.connector.open([scope]).problems == ()
    before = harness.sent()
    record = harness.connector.read(scope, [id])[id]
    assert record is not None
    assert record.fields["Hyperlinks"] == ("https://jira.example/browse/SHOP-12",)
    assert harness.sent() - before == 1


def test_an_instance_of_any_name_is_found_and_no_other(harness: AzureHarness) -> None:
    since = harness.clock.now()
    for instance in ("o'brien's prod", "o'brien's test"):
        scope = replace(SCOPE, mark=instance)
        draft = replace(harness.draft("made"), mark=Mark(instance, "k1", "m1"))
        made = harness.connector.create(scope, draft)
        assert made.mark == Mark(instance, "k1", "m1")
        found = harness.connector.find_made(scope, made.mark, since)
        assert [record.ref for record in found] == [made.ref]


def test_two_instances_on_one_item_keep_their_own_keys(harness: AzureHarness) -> None:
    """A cloned tracker holds the marks of production; the clone's instance must not read them as its own."""
    made = harness.made("made")
    clone = replace(SCOPE, mark="lockstep-clone")
    seen = harness.connector.read(clone, [made.ref.id])[made.ref.id]
    assert seen is not None and seen.mark is None
    adopted = harness.connector.adopt(clone, seen, Mark("lockstep-clone", "k9"))
    assert adopted.mark == Mark("lockstep-clone", "k9")
    assert harness.record(made.ref.id).mark == harness.mark()


def test_a_new_link_key_takes_the_old_one_s_place_and_the_creation_key_stays(harness: AzureHarness) -> None:
    made = harness.made("made")
    adopted = harness.connector.adopt(SCOPE, made, Mark(SCOPE.mark, "k2", at="20270101000000"))
    assert adopted.mark == Mark(SCOPE.mark, "k2", "m1", "20270101000000")
    assert harness.connector.adopt(SCOPE, adopted, Mark(SCOPE.mark, "k2")).mark == adopted.mark
    assert len(harness.tracker.relations(made.ref.id)) == 1


def test_what_was_made_long_before_the_intent_is_not_found(harness: AzureHarness) -> None:
    harness.made("made")
    harness.clock.advance(timedelta(hours=2))
    assert harness.connector.find_made(SCOPE, harness.mark(), harness.clock.now()) == []


# -- scope and noticing


def test_a_scope_is_judged_without_case_and_covers_areas_below(harness: AzureHarness) -> None:
    scope = replace(SCOPE, project="portal", types=("bug",), where=(("System.AreaPath", ("portal\\DEFECTS",)),))
    harness.connector.open([scope])
    fields = {"System.Title": "a", "System.WorkItemType": "Bug", "System.AreaPath": "Portal\\Defects\\Urgent"}
    inside, outside = harness.tracker.create(fields, JANE), harness.person_creates("a PBI")
    found = harness.connector.read(scope, [inside, outside])
    assert [record.in_scope for record in found.values() if record] == [True, False]
    assert [notice.ref.id for notice in changes(harness.connector, scope)[0]] == [inside]


def test_a_scope_by_person_tag_or_absence(harness: AzureHarness) -> None:
    id = harness.person_creates("a")
    harness.tracker.update(id, {"System.AssignedTo": JANE, "System.Tags": "VIP; x"}, JANE)
    for where, expected in {
        ("System.AssignedTo", ("jane doe",)): True,
        ("System.AssignedTo", (JANE.upper(),)): True,
        ("System.AssignedTo", ("",)): False,
        ("System.Tags", ("vip",)): True,
        ("Custom.RootCause", ("", "other")): True,
        ("Microsoft.VSTS.Common.Priority", ("1", "2")): True,
    }.items():
        record = harness.connector.read(replace(SCOPE, where=(where,)), [id])[id]
        assert record is not None and record.in_scope is expected, where


def test_an_item_moved_to_another_project_is_read_and_heard_there(harness: AzureHarness) -> None:
    made = harness.made("made")
    harness.person_comments(made.ref.id, "hello")
    harness.tracker.update(made.ref.id, {"System.TeamProject": "Platform"}, JANE)
    record = harness.record(made.ref.id)
    assert (record.project, record.in_scope, record.mark) == ("Platform", False, harness.mark())
    assert [c.text for c in harness.connector.discussions(SCOPE, [made.ref.id])[made.ref.id]] == ["hello"]
    harness.connector.say(SCOPE, record, "discussion", "still here")
    newest = harness.record(made.ref.id)
    assert harness.retitled(newest, "there").fields["System.Title"] == "there"


def test_a_deleted_item_is_noticed_and_has_no_discussion(harness: AzureHarness) -> None:
    id = harness.person_creates("a")
    _, cursor = changes(harness.connector, SCOPE)
    harness.person_removes(id)
    assert [notice.ref.id for notice in changes(harness.connector, SCOPE, cursor)[0]] == [id]
    assert harness.connector.read(SCOPE, [id]) == {id: None}
    assert harness.connector.discussions(SCOPE, [id]) == {}


def test_short_and_empty_batches_in_the_middle_do_not_end_the_feed() -> None:
    harness = AzureHarness(switches=Switches(scan=True, page=2))
    made = []
    for n in range(5):
        made.append(harness.person_creates(f"item {n}"))
        for _ in range(4):
            harness.tracker.create({"System.Title": "noise", "System.TeamProject": "Platform"}, JANE)
    assert [notice.ref.id for notice in changes(harness.connector, SCOPE)[0]] == made
    harness.stop()


# -- comments


def test_an_edited_comment_shows_it_and_a_deleted_one_is_left_out(harness: AzureHarness) -> None:
    id = harness.person_creates("a")
    first, second = harness.person_comments(id, "<p>one</p>"), harness.person_comments(id, "two")
    harness.clock.advance(timedelta(minutes=1))
    harness.tracker.edit_comment(id, first, "<p>changed</p>", JANE)
    harness.tracker.delete_comment(id, second, JANE)
    (comment,) = harness.connector.discussions(SCOPE, [id])[id]
    assert (comment.id, comment.text, comment.author, comment.account) == (first, "changed", "Jane Doe", JANE)
    assert comment.updated > comment.created


def test_a_comment_in_markdown_is_read_as_it_stands(harness: AzureHarness) -> None:
    id = harness.person_creates("a")
    harness.tracker.comment(id, "**bold** &lt;x> a < b", JANE, format="markdown")
    (comment,) = harness.connector.discussions(SCOPE, [id])[id]
    assert comment.text == "**bold** <x> a < b"


def test_the_longest_comment_fits_whatever_it_holds(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("a"))
    text = "&" * harness.connector.comment_limit
    harness.connector.say(SCOPE, record, "discussion", text)
    assert harness.connector.discussions(SCOPE, [record.ref.id])[record.ref.id][0].text == text


# -- refusals


def test_a_state_without_the_fields_it_needs_blames_them(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("a"))
    with pytest.raises(Refused, match="TF401320: Rule Error for field Root Cause") as caught:
        harness.connector.update(SCOPE, record, Change(state="Committed", version=record.version))
    assert caught.value.fields == ("Custom.RootCause",)


@pytest.mark.parametrize(
    ("fields", "reason", "blamed"),
    [
        ({"Custom.Nope": "x"}, "TF51535: Cannot find field Custom.Nope", ("Custom.Nope",)),
        ({"System.Title": "x" * 256}, "InvalidTooLong", ("System.Title",)),
        ({"System.Title": None}, "Required", ("System.Title",)),
        ({"Microsoft.VSTS.Scheduling.Effort": "much"}, "InvalidType", ("Microsoft.VSTS.Scheduling.Effort",)),
        ({"System.AreaPath": "Portal\\Nowhere"}, "TF401347", ()),
        ({"System.Rev": "3"}, "ReadOnly", ("System.Rev",)),
    ],
)
def test_the_tracker_s_reason_and_field_come_through(
    harness: AzureHarness, fields: dict[str, str], reason: str, blamed: tuple[str, ...]
) -> None:
    record = harness.record(harness.person_creates("a"))
    with pytest.raises(Refused, match=reason) as caught:
        harness.connector.update(SCOPE, record, Change(fields, version=record.version))
    assert caught.value.fields == blamed


def test_a_line_break_in_a_title_becomes_a_blank(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("a"))
    updated = harness.retitled(record, "one\r\ntwo\x00")
    assert updated.fields["System.Title"] == "one two"


@pytest.mark.parametrize("bom", [False, True])
def test_missing_rights_are_refused_with_the_tracker_s_sentence(bom: bool) -> None:
    harness = AzureHarness(switches=Switches(readers={OURS}, bom=bom))
    record = harness.record(harness.person_creates("a"))
    with pytest.raises(Refused, match="TF237111"):
        harness.retitled(record)
    harness.tracker.switches.readers.clear()
    harness.tracker.switches.taggers_barred.add(OURS)
    with pytest.raises(Refused, match="TF401289"):
        harness.made("b")
    harness.stop()


def test_an_item_hidden_from_us_is_gone(harness: AzureHarness) -> None:
    record = harness.record(harness.person_creates("a"))
    harness.tracker.switches.hidden.add((OURS, "Portal\\Defects"))
    assert harness.connector.read(SCOPE, [record.ref.id]) == {record.ref.id: None}
    assert changes(harness.connector, SCOPE)[0] == []


@pytest.mark.parametrize("status", [409, 412])
def test_a_clash_of_two_writers_is_stale(harness: AzureHarness, status: int) -> None:
    record = harness.record(harness.person_creates("a"))
    body = b'{"message":"TF26071: changed by someone else","typeKey":"WorkItemRevisionMismatchException"}'
    answer = Answer(status, body, {"Content-Type": "application/json"})
    harness.fault("answer", harness.update_call, times=1, answer=answer)
    with pytest.raises(Stale):
        harness.retitled(record)


def test_names_that_the_project_does_not_know_are_all_told(harness: AzureHarness) -> None:
    wrong = Scope("pbi", "a;b", project="Portal", types=("Bugg",), where=(("Area Path", ("x",)),), fields=("Priority",))
    problems = harness.build().open([wrong, replace(SCOPE, side="x", project="Nowhere")]).problems
    told = {(side, name): sentence for side, name, sentence in problems}
    assert set(told) == {("pbi", "a;b"), ("pbi", "Bugg"), ("pbi", "Area Path"), ("pbi", "Priority"), ("x", "Nowhere")}
    assert "write System.AreaPath" in told["pbi", "Area Path"]
    assert "write Microsoft.VSTS.Common.Priority" in told["pbi", "Priority"]
    assert "Product Backlog Item" in told["pbi", "Bugg"]


def test_states_come_in_the_order_of_the_types(harness: AzureHarness) -> None:
    scope = replace(SCOPE, types=("Task", "bug"))
    assert harness.connector.states(scope) == (
        "To Do", "In Progress", "Done", "Removed", "New", "Approved", "Committed",
    )  # fmt: skip
    assert {"System.Title", "Custom.RootCause"} <= set(harness.connector.fields_known(scope))


# -- signing in


@pytest.mark.parametrize("sign_in", ["401", "203", "302"])
def test_a_sign_in_page_is_locked_out(sign_in: str) -> None:
    harness = AzureHarness(switches=Switches(sign_in=sign_in))
    with pytest.raises(LockedOut, match="refuses our credentials"):
        harness.build(wrong_password=True).open([SCOPE])
    harness.tracker.pats.clear()
    with pytest.raises(LockedOut):
        changes(harness.connector, SCOPE)
    with pytest.raises(LockedOut):
        harness.made("x")
    harness.stop()


def test_a_start_up_call_that_fails_is_not_taken_for_a_write(harness: AzureHarness) -> None:
    fresh = harness.build()
    harness.fault("reset_after", ("OPTIONS", "_apis"))
    with pytest.raises(Down):
        fresh.create(SCOPE, harness.draft("never sent"))
    assert harness.sent(harness.create_call) == 0


class EntraHarness(AzureHarness):
    def __init__(self) -> None:
        self.entra = TokenEndpoint("entra", settable_clock())
        super().__init__(bearer=self.entra.accepts)
        self.entra.clock = self.clock
        self.tokens = Server(self.entra, self.clock, self.faults, self.log).start()

    def signed(self, secret: str = "entra-secret", tenant: str = "", authority: str = "") -> AzureDevOps:
        auth = Entra(tenant or self.entra.tenant, "lockstep-client", Secret(secret), authority or self.tokens.url)
        return self.build(auth=auth)

    def token_calls(self) -> int:
        return self.log.count("entra", "POST")


@pytest.fixture
def entra() -> Iterator[EntraHarness]:
    made = EntraHarness()
    yield made
    made.stop()
    made.tokens.stop()


def test_a_service_principal_signs_in_once_for_many_calls(entra: EntraHarness) -> None:
    connector = entra.signed()
    entra.log.clear()
    opening = connector.open([SCOPE])
    record = connector.create(SCOPE, entra.draft("made"))
    connector.say(SCOPE, record, "discussion", "hello")
    (comment,) = connector.discussions(SCOPE, [record.ref.id])[record.ref.id]
    assert comment.ours and comment.account == opening.account
    assert entra.token_calls() == 1
    assert connector.calls() == entra.sent()


def test_a_token_refused_before_its_time_is_replaced_once(entra: EntraHarness) -> None:
    connector = entra.signed()
    connector.open([SCOPE])
    entra.entra.revoke()
    assert connector.create(SCOPE, entra.draft("made")).key
    assert entra.token_calls() == 2
    assert len(entra.tracker.ids()) == 1
    entra.tracker.bearer = lambda token: ""
    with pytest.raises(LockedOut):
        connector.create(SCOPE, entra.draft("refused"))


def test_a_wrong_secret_is_locked_out_with_microsoft_s_reason(entra: EntraHarness) -> None:
    connector = entra.signed(secret="not-the-secret")
    with pytest.raises(LockedOut, match="AADSTS7000215: Invalid client secret") as caught:
        connector.open([SCOPE])
    assert "not-the-secret" not in everything_said(caught.value)


def test_an_unknown_tenant_is_locked_out(entra: EntraHarness) -> None:
    with pytest.raises(LockedOut):
        entra.signed(tenant="99999999-0000-4000-8000-000000000000").open([SCOPE])


def test_a_token_endpoint_that_fails_is_down_and_nothing_was_written(entra: EntraHarness) -> None:
    connector = entra.signed()
    connector.open([SCOPE])
    connector.service.tokens.forget()  # type: ignore[union-attr]
    entra.faults.add(Fault("reset_before", tracker="entra"))
    with pytest.raises(Down, match="Entra"):
        connector.create(SCOPE, entra.draft("never sent"))
    assert entra.tracker.ids() == []
    with pytest.raises(Down, match="Entra"):
        entra.signed(authority=f"http://127.0.0.1:{free_port()}").open([SCOPE])


def test_microsoft_s_own_authority_is_asked_by_its_name() -> None:
    login, tenant = "https://login.microsoftonline.com", "11111111-2222-3333-4444-555555555555"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        endpoints = {"token_endpoint": f"{login}/{tenant}/token", "authorization_endpoint": f"{login}/{tenant}/auth"}
        issued = {**endpoints, "issuer": f"{login}/{tenant}/v2.0"}
        mock.add("GET", f"{login}/{tenant}/v2.0/.well-known/openid-configuration", json=issued)
        mock.add("GET", re.compile(f"{login}/common/discovery/instance"), json={"metadata": [], **endpoints})
        token = {"access_token": "bearer-of-ours", "expires_in": 3599, "token_type": "Bearer"}
        mock.add("POST", f"{login}/{tenant}/token", json=token)
        mock.add("OPTIONS", f"{URL}/_apis", json=LOCATIONS)
        batch = mock.add("POST", f"{URL}/_apis/wit/workItemsBatch", json={"value": [None]})
        connector = AzureDevOps("azure", URL, Entra(tenant, "client", Secret("s")), settable_clock())
        connector.read(SCOPE, ["1"])
        assert batch.calls[0].request.headers["Authorization"] == "Bearer bearer-of-ours"


# -- rest


def test_rest_asked_for_on_a_success_is_kept(harness: AzureHarness) -> None:
    harness.tracker.switches.delay = 30
    record = harness.record(harness.person_creates("a"))
    sent = harness.sent()
    with pytest.raises(Busy):
        harness.retitled(record)
    assert harness.sent() == sent
    harness.clock.advance(timedelta(seconds=31))
    assert harness.retitled(record).version == 2


def test_a_short_delay_on_success_is_waited_out(harness: AzureHarness) -> None:
    harness.tracker.switches.delay = 1
    ids = [harness.person_creates(f"item {n}") for n in range(3)]
    before = harness.clock.now()
    for id in ids:
        assert harness.record(id).ref.id == id
    assert harness.clock.now() - before >= timedelta(seconds=2)


@pytest.mark.parametrize("status", [429, 503])
def test_a_blocked_request_is_busy_until_the_time_named(harness: AzureHarness, status: int) -> None:
    harness.fault("answer", harness.create_call, times=1, answer=throttled(60, status))
    with pytest.raises(Busy) as caught:
        harness.made("blocked")
    assert caught.value.until - harness.clock.now() == timedelta(seconds=60)
    assert harness.tracker.ids() == []


# -- broken transports


URL = "https://dev.azure.com/example"
LOCATIONS = {
    "value": [
        {"id": id, "area": "wit", "resourceName": name, "routeTemplate": route, "resourceVersion": 3,
         "minVersion": "1.0", "maxVersion": "7.2", "releasedVersion": "7.1"}
        for id, name, route in (
            ("908509b6-4248-4475-a1cd-829139ba419f", "workItemsBatch", "{project}/_apis/{area}/{resource}"),
            ("f828fe59-dd87-495d-a17c-7a8d6211ca6c", "workItemRevisions", "{project}/_apis/wit/reporting/{resource}"),
            ("72c7ddf8-2cdc-4f60-90cd-ab71c14a399b", "workItems", "{project}/_apis/{area}/{resource}/{id}"),
        )
    ],
    "count": 3,
}  # fmt: skip


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("OPTIONS", f"{URL}/_apis", json=LOCATIONS)
        yield mock


def remote(clock: SandboxClock | None = None) -> AzureDevOps:
    return AzureDevOps("azure", URL, AccessToken(Secret(PAT)), clock or settable_clock())


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b'{"count":1,"value":[{"id":1,"re', "application/json"),
        (b"<html><body>maintenance</body></html>", "text/html"),
        (b"null", "application/json"),
        (b'{"message":"fine"}', "text/plain"),
        (b'{"value":[{"id":1,"rev":1,"fields":{}}]}', "application/json"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_is_down(
    mocked: responses.RequestsMock, body: bytes, content_type: str
) -> None:
    mocked.add("POST", f"{URL}/_apis/wit/workItemsBatch", body=body, content_type=content_type)
    with pytest.raises(Down):
        remote().read(SCOPE, ["1"])


def test_a_200_that_is_a_sign_in_page_is_locked_out(mocked: responses.RequestsMock) -> None:
    page = "<html><title>Azure DevOps Services | Sign In</title></html>"
    mocked.add("POST", f"{URL}/_apis/wit/workItemsBatch", body=page, content_type="text/html")
    with pytest.raises(LockedOut):
        remote().read(SCOPE, ["1"])


def test_a_page_token_that_repeats_is_down_and_not_a_loop(mocked: responses.RequestsMock) -> None:
    batch = {"values": [], "continuationToken": "5;1;1", "isLastBatch": False}
    mocked.add("GET", f"{URL}/Portal/_apis/wit/reporting/workItemRevisions", json=batch)
    with pytest.raises(Down, match="repeats a page"):
        changes(remote(), SCOPE, "5;1;1")


def test_the_token_may_stand_in_the_next_link_only(mocked: responses.RequestsMock) -> None:
    """As in the vendor's first example of the feed."""
    link = f"{URL}/_apis/wit/reporting/workItemRevisions?continuationToken=3;2;1&api-version=2.0"
    mocked.add(
        "GET",
        f"{URL}/Portal/_apis/wit/reporting/workItemRevisions",
        json={"values": [{"id": 2, "rev": 1, "fields": {}}], "nextLink": link, "isLastBatch": True},
    )
    notices, cursor = changes(remote(), SCOPE)
    assert ([n.ref.id for n in notices], cursor) == (["2"], "3;2;1")


def test_a_collection_on_premises_is_spoken_to_under_its_path() -> None:
    with responses.RequestsMock() as mock:
        mock.add("OPTIONS", "https://tfs.example/tfs/maincoll/_apis", json=LOCATIONS)
        mock.add("POST", "https://tfs.example/tfs/MainColl/_apis/wit/workItemsBatch", json={"value": [None]})
        connector = AzureDevOps("tfs", "https://tfs.example/tfs/MainColl/", AccessToken(Secret(PAT)), settable_clock())
        assert connector.read(SCOPE, ["7"]) == {"7": None}


# -- discretion


def test_nothing_said_or_secret_is_logged(harness: AzureHarness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    record = harness.record(harness.person_creates("a"))
    harness.connector.say(SCOPE, record, "discussion", "the customer's private words")
    harness.fault("garbage", harness.say_call, times=1)
    with pytest.raises(Exception, match="no usable answer"):
        harness.connector.say(SCOPE, record, "discussion", "the customer's private words")
    for secret in ("private words", *harness.secrets):
        assert secret not in caplog.text


def test_the_environment_s_proxies_are_not_asked(harness: AzureHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    assert harness.build().open([SCOPE]).problems == ()


def test_the_library_keeps_nothing_on_disk(harness: AzureHarness, tmp_path: Any) -> None:
    from azure.devops import client

    assert client.OPTIONS_FILE_CACHE == {}
    assert not list(tmp_path.iterdir())


def test_a_record_has_no_more_than_was_asked(harness: AzureHarness) -> None:
    record: Record = harness.record(harness.person_creates("a"))
    assert set(record.fields) == set(SCOPE.fields)
    assert (record.key, record.kind, record.talk, record.comments) == (
        f"AB#{record.ref.id}",
        "Product Backlog Item",
        "0",
        None,
    )


# -- a process that forbids steps (wit GET workitemtypes: transitions)

STEPS = {"a": ("b", "c"), "b": ("d",), "c": (), "d": ("a",)}


@pytest.fixture
def strict() -> Iterator[AzureHarness]:
    """Backlog items may not be done before somebody is committed to them."""
    kind = "Product Backlog Item"
    barred = [(kind, "New", "Committed"), (kind, "New", "Done"), (kind, "Approved", "Done")]
    process = inherited(SCRUM, "Strict", "Request | New:Proposed:New", barred=barred)
    harness = AzureHarness(process="Strict", processes=[process], needs={})
    yield harness
    harness.stop()


def test_a_state_that_no_single_step_leads_to_is_reached_by_the_shortest_way(strict: AzureHarness) -> None:
    record = strict.record(strict.person_creates("from afar"))
    strict.log.clear()
    done = strict.connector.update(SCOPE, record, Change({"System.Title": "near"}, "Done"))
    assert (done.state, done.fields["System.Title"]) == ("Done", "near")
    assert [entry.method for entry in strict.log.entries] == ["PATCH"] * 3, "approved, committed, done"


def test_one_step_stays_one_call(strict: AzureHarness) -> None:
    record = strict.record(strict.person_creates("near"))
    strict.log.clear()
    assert strict.connector.update(SCOPE, record, Change(state="Approved")).state == "Approved"
    assert len(strict.log.entries) == 1


def test_without_a_way_the_change_is_refused_with_what_is_allowed_and_no_step_is_tried() -> None:
    assert way(STEPS, "a", ("d",), "AB#1") == ["b", "d"]
    assert way(STEPS, "a", ("x", "c"), "AB#1") == ["c"]
    assert way({}, "a", ("d", "c"), "AB#1") == ["d"]
    assert way({**STEPS, "c": ("d",)}, "a", ("d",), "AB#1", ends={"b", "d"}) == ["c", "d"]
    with pytest.raises(Refused, match=r"No step of AB#1 leads from c to d. Its process allows: none"):
        way(STEPS, "c", ("d",), "AB#1")


def test_a_way_that_breaks_off_is_unsure_once_a_step_was_taken(strict: AzureHarness) -> None:
    record = strict.record(strict.person_creates("from afar"))
    strict.fault("answer", ("PATCH", ""), answer=Answer(429, b"{}", {"Retry-After": "1"}), nth=(2,))
    with pytest.raises(Unsure, match="was moved towards Committed"):
        strict.connector.update(SCOPE, record, Change(state="Done"))
    assert strict.tracker.item(record.ref.id)["System.State"] == "Approved"
