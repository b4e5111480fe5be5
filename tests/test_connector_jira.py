"""The Jira connector through the library over HTTP: the contract, exact call counts, and what only Jira does."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses

from connectors.auth import AccessToken, Secret, UserPassword
from connectors.base import Busy, Down, Failure, Gone, LockedOut, Refused, Stale, Unsure
from connectors.jira import Jira, marker
from connectors.jira.fields import Schema, cut, native, units, written
from connectors.jira.query import among, quoted
from connectors.jira.workflow import Step, choose, next_step, steps
from mappings.model import Change, Mark, Native, Record, Scope
from mappings.text import from_wiki, to_wiki
from sandbox.faults import Faults
from sandbox.jira import Jira as Site
from sandbox.jira.defaults import BOT, BUG, TASK, projects
from sandbox.server import RequestLog, Server
from sandbox.wire import Answer
from tests.contract import Harness, HttpContract, changes, everything_said, settable_clock

API = "/rest/api/2"
SCOPE = Scope(
    side="defect",
    mark="lockstep-acme",
    project="CSPM",
    types=("Bug",),
    where=(("components", ("Portal", "")),),
    fields=(
        "summary",
        "description",
        "priority",
        "labels",
        "fixVersions",
        "resolution",
        "customfield_10040",
        "customfield_10041",
        "customfield_10042",
        "customfield_10043",
        "customfield_10046",
        "assignee",
    ),
)
KEYED = replace(SCOPE, keys_field="customfield_10045")


class JiraHarness(Harness):
    connector: Jira
    tracker: Site
    name = "jira"
    kind = "Bug"
    title_field = "summary"
    channel = "everyone"
    create_call = ("POST", f"{API}/issue$")
    update_call = ("PUT", f"{API}/issue/[^/]+$")
    read_call = ("POST", f"{API}/issue/bulkfetch$")
    say_call = ("POST", f"{API}/issue/[^/]+/comment$")
    no_such_id = "999999"
    secrets: tuple[str, ...] = (BOT.token, "bG9ja3N0ZXBAZXhhbXBsZS5vcmc6", "wrong one")

    def __init__(self, scope: Scope = SCOPE, **options: Any) -> None:
        self.scope, self.clock, self.faults, self.log = scope, settable_clock(), Faults(), RequestLog()
        self.mark_natives = frozenset({"labels", scope.keys_field} - {""})
        self.can_be_occupied = bool(scope.keys_field)
        self.tracker = Site("jira", self.clock, zone="America/Los_Angeles", **options)
        self.server = Server(self.tracker, self.clock, self.faults, self.log).start()
        self.connector = self.build()
        self.connector.open([scope])
        self.log.clear()

    def build(self, *, wrong_password: bool = False, port: int = 0, page: int = 0, **options: object) -> Jira:
        auth = UserPassword(BOT.email, Secret("wrong one" if wrong_password else BOT.token))
        url = f"http://127.0.0.1:{port or self.server.port}"
        return Jira("jira", url, auth, self.clock, page=page, **options)  # type: ignore[arg-type]

    def person_creates(self, title: str) -> str:
        return self.tracker.create({"summary": title}, "Ana Ruiz")

    def person_creates_outside(self, title: str) -> str:
        return self.tracker.create({"summary": title, "issuetype": "Task"}, "Ana Ruiz")

    def person_comments(self, id: str, text: str) -> str:
        return self.tracker.comment(id, text, "Ben Okafor")

    def person_retitles(self, id: str, title: str) -> None:
        self.tracker.update(id, {"summary": title}, "Ana Ruiz")

    def person_moves(self, id: str) -> str:
        self.tracker.move(id, "In Progress", "Ben Okafor")
        return "In Progress"

    def person_moves_out(self, id: str) -> None:
        self.tracker.relocate(id, "Ana Ruiz", "OPS", "Task")

    def person_occupies(self, id: str) -> None:
        self.tracker.update(id, {"customfield_10045": "other-tool-77"}, "Ana Ruiz")

    def person_removes(self, id: str) -> None:
        self.tracker.delete(id, "Ana Ruiz")

    def states_forward(self) -> str:
        return "In Progress"

    def refused_change(self) -> tuple[Change, str]:
        return Change({"priority": "No Such Priority"}), "priority"

    def looks_inert(self, stored: str) -> bool:
        """No macro, link, image, mention or table of its author's."""
        return re.search(r"(?<!\\)[{}\[\]!|]", stored) is None


@pytest.fixture(params=[SCOPE, KEYED], ids=["source-line", "keys-field"])
def harness(request: pytest.FixtureRequest) -> Iterator[JiraHarness]:
    made = JiraHarness(request.param)
    yield made
    made.connector.close()
    made.server.stop()


class TestJiraContract(HttpContract):
    def test_adopt_never_overwrites_an_occupied_field(self, harness: JiraHarness) -> None:  # type: ignore[override]
        """A keys field can be occupied; labels and descriptions have room for everyone, and what people put there
        stays."""
        if harness.can_be_occupied:
            super().test_adopt_never_overwrites_an_occupied_field(harness)
            return
        id = harness.person_creates("theirs")
        harness.tracker.update(id, {"labels": ["urgent"], "description": "their words"}, "Ana Ruiz")
        harness.connector.adopt(harness.scope, harness.record(id), harness.mark())
        item = harness.tracker.item(id)
        assert set(item["labels"]) == {"urgent", harness.scope.mark}
        assert item["description"] == "their words"


@pytest.fixture
def jira(request: pytest.FixtureRequest) -> Iterator[JiraHarness]:
    """With the keys in the source line; ``indirect`` parameters are the site's options."""
    made = JiraHarness(SCOPE, **getattr(request, "param", {}))
    yield made
    made.connector.close()
    made.server.stop()


def asked(jira: JiraHarness) -> list[str]:
    """Method and path of every request so far, ids folded."""
    return [f"{e.method} {re.sub(r'/[0-9]+', '/*', e.path.removeprefix(API + '/'))}" for e in jira.log.entries]


class TestCalls:
    """Exactly how many calls each operation makes, and which."""

    def test_opening(self, jira: JiraHarness) -> None:
        jira.connector.open([SCOPE])
        assert asked(jira) == [
            "GET myself",
            "GET serverInfo",
            "GET field",
            "GET project/CSPM",
            "GET project/CSPM/statuses",
            "GET mypermissions",
            "POST search/jql",
            "GET issue/createmeta/CSPM/issuetypes/*",
        ]

    def test_a_thousand_items_are_ten_pages_whole_with_their_comments(self, jira: JiraHarness) -> None:
        for n in range(1000):
            jira.person_comments(jira.person_creates(f"item {n}"), "a remark")
        notices, _ = changes(jira.connector, SCOPE)
        assert asked(jira) == ["POST search/jql"] * 10
        assert len(notices) == 1000
        assert all(notice.record and len(notice.record.comments or ()) == 1 for notice in notices)

    def test_reading_and_discussing_take_a_call_for_each_hundred(self, jira: JiraHarness) -> None:
        ids = [jira.person_creates(f"item {n}") for n in range(201)]
        jira.connector.read(SCOPE, ids)
        jira.connector.discussions(SCOPE, ids)
        assert asked(jira) == ["POST issue/bulkfetch"] * 6

    def test_creating_takes_two(self, jira: JiraHarness) -> None:
        jira.made("made")
        assert asked(jira) == ["POST issue", "GET issue/*"]

    def test_fields_take_one(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.log.clear()
        fields: dict[str, Native] = {
            "summary": "new",
            "labels": ("a",),
            "description": "words",
            "customfield_10041": "2.5",
        }
        jira.connector.update(SCOPE, record, Change(fields))
        assert asked(jira) == ["PUT issue/*"]

    def test_a_step_takes_its_list_its_step_and_one_more(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.log.clear()
        record = jira.connector.update(SCOPE, record, Change(state="In Progress"))
        assert asked(jira) == ["GET issue/*/transitions", "POST issue/*/transitions", "GET issue/*"]
        jira.log.clear()
        jira.connector.update(SCOPE, record, Change({"summary": "new"}, "In Review"))
        assert asked(jira) == ["GET issue/*/transitions", "POST issue/*/transitions", "PUT issue/*"]

    def test_talking_showing_adopting_and_looking_up_take_one_each(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.log.clear()
        jira.connector.say(SCOPE, record, "everyone", "Hello")
        jira.connector.show(SCOPE, record, jira.mark(), "INC1", "https://a.example/INC1")
        jira.connector.adopt(SCOPE, record, jira.mark())
        jira.connector.find_made(SCOPE, jira.mark(), jira.clock.now())
        assert asked(jira) == ["POST issue/*/comment", "POST issue/*/remotelink", "PUT issue/*", "POST search/jql"]

    def test_an_adopted_issue_that_came_into_a_link_takes_its_keys_in_a_line_of_its_description(
        self, jira: JiraHarness
    ) -> None:
        id = jira.person_creates("old")
        jira.tracker.update(id, {"description": "h2. Steps\n# {*}one{*}"}, "Ana Ruiz")
        record, mark = jira.record(id), Mark(SCOPE.mark, "LINKKEY", at="20261116080000")
        jira.log.clear()
        adopted = jira.connector.adopt(SCOPE, record, mark)
        assert asked(jira) == ["POST issue/bulkfetch", "PUT issue/*"]
        assert adopted.mark == mark
        assert jira.tracker.item(id)["description"] == f"h2. Steps\n# {{*}}one{{*}}\n\nLockstep: {mark.keys()}"
        jira.log.clear()
        assert jira.connector.adopt(SCOPE, adopted, mark) == adopted
        assert asked(jira) == []

    def test_a_long_discussion_takes_its_pages(self, jira: JiraHarness) -> None:
        id = jira.person_creates("talk")
        said = [jira.person_comments(id, f"remark {n}") for n in range(250)]
        notice = changes(jira.connector, SCOPE)[0][0]
        assert notice.record is not None and notice.record.comments is None
        jira.log.clear()
        found = jira.connector.discussions(SCOPE, [id])[id]
        assert [comment.id for comment in found] == said
        assert asked(jira) == ["POST issue/bulkfetch", *["GET issue/*/comment"] * 3]


class TestOpening:
    def test_every_wrong_name_is_told_at_once(self, jira: JiraHarness) -> None:
        wrong = replace(
            SCOPE, types=("Bug", "Epic"), fields=("nosuch",), keys_field="customfield_10043", mark="two words"
        )
        elsewhere = replace(SCOPE, side="other", project="NOPE", where=(("nofield", ("x",)),))
        found = {(side, name) for side, name, _ in jira.connector.open([wrong, elsewhere]).problems}
        assert found == {
            ("defect", "nosuch"),
            ("defect", "customfield_10043"),
            ("defect", "two words"),
            ("defect", "Epic"),
            ("other", "nofield"),
            ("other", "NOPE"),
        }

    def test_a_value_that_jira_does_not_know_is_told(self, jira: JiraHarness) -> None:
        scope = replace(SCOPE, where=(("priority", ("Urgent",)),))
        ((_, name, sentence),) = jira.connector.open([scope]).problems
        assert name == "Urgent" and "does not exist for the field 'priority'" in sentence

    def test_missing_rights_are_named(self, jira: JiraHarness) -> None:
        jira.tracker.deny("Lockstep", "CSPM", "TRANSITION_ISSUES")
        jira.tracker.deny("Lockstep", "CSPM", "ADD_COMMENTS")
        sentences = [sentence for _, _, sentence in jira.connector.open([SCOPE]).problems]
        assert ["Transition issues" in sentences[0], "Add comments" in sentences[1]] == [True, True]

    def test_labels_off_the_create_screen_are_told(self) -> None:
        bare = replace(BUG, create=tuple(name for name in BUG.create if name != "labels"))
        made = JiraHarness(SCOPE, projects=[replace(projects()[0], types=(bare, TASK))])
        ((_, name, sentence),) = made.connector.open([SCOPE]).problems
        assert (name, sentence) == ("labels", "put Labels on the create screen of Bug in project CSPM")
        made.server.stop()

    def test_a_server_that_is_too_old_is_told_so(self, jira: JiraHarness) -> None:
        """Creation screens by project and type came with 8.4 (pycontribs/jira, ``createmeta_issuetypes``)."""
        info = Answer.of({"deploymentType": "Server", "versionNumbers": [8, 3, 0]})
        jira.fault("answer", ("GET", "serverInfo"), answer=info)
        ((side, _, sentence),) = jira.connector.open([SCOPE]).problems
        assert side == "defect" and "older than 8.4" in sentence

    def test_states_are_those_of_the_scopes_types(self, jira: JiraHarness) -> None:
        assert jira.connector.states(SCOPE) == ("To Do", "In Progress", "In Review", "Done")
        assert jira.connector.states(replace(SCOPE, types=("Task",))) == ("To Do", "In Progress", "Done")
        assert {"summary", "customfield_10040", "status"} <= jira.connector.fields_known(SCOPE)

    def test_a_captcha_and_credentials_of_another_kind_lock_us_out(self, jira: JiraHarness) -> None:
        jira.tracker.captcha.add(BOT.account_id)
        with pytest.raises(LockedOut, match="CAPTCHA"):
            jira.connector.open([SCOPE])
        with pytest.raises(LockedOut, match="token"):
            Jira("jira", jira.server.url, AccessToken(Secret("x")), jira.clock)

    def test_being_served_as_anonymous_is_no_empty_jira(self, jira: JiraHarness) -> None:
        id = jira.person_creates("a")
        jira.tracker.lenient = True
        blind = jira.build(wrong_password=True)
        for act in (
            lambda: blind.open([SCOPE]),
            lambda: blind.read(SCOPE, [id]),
            lambda: list(blind.changes(SCOPE, "")),
        ):
            with pytest.raises(LockedOut, match="anonymous"):
                act()

    @pytest.mark.parametrize("page", ["open", "shape"])
    def test_what_is_no_jira_is_down(self, jira: JiraHarness, page: str) -> None:
        answer = Answer(404, b"<html>Not found</html>", {"Content-Type": "text/html"})
        jira.fault("answer", ("GET", "myself"), answer=answer if page == "open" else Answer.of(["x"]))
        with pytest.raises(Down):
            jira.connector.open([SCOPE])


class TestNoticing:
    def test_the_bound_is_the_minute_before_the_lag(self, jira: JiraHarness) -> None:
        with responses.RequestsMock() as mock:
            mock.post(re.compile(".*/search/jql"), json={"issues": [], "isLast": True})
            list(jira.connector.changes(SCOPE, "1767607265123:10001"))
            sent = json.loads(mock.calls[0].request.body or "")
        bound = int(datetime(2026, 1, 5, 9, 59, tzinfo=UTC).timestamp() * 1000)
        jql = (
            '((project = "CSPM" AND issuetype in ("Bug") AND (component in ("Portal") OR component is EMPTY))'
            f' OR labels = "lockstep-acme") AND updated >= {bound} ORDER BY updated ASC, key ASC'
        )
        assert sent["jql"] == jql

    @pytest.mark.parametrize("jira", [{"index_lag": timedelta(seconds=100)}], indirect=True)
    def test_a_lagging_index_loses_nothing_within_the_lag(self, jira: JiraHarness) -> None:
        cursor, seen = "", set()
        made = []
        for n in range(30):
            made.append(jira.person_creates(f"item {n}"))
            jira.clock.advance(timedelta(seconds=17))
            notices, cursor = changes(jira.connector, SCOPE, cursor)
            seen |= {notice.ref.id for notice in notices}
        jira.clock.advance(timedelta(seconds=100))
        seen |= {notice.ref.id for notice in changes(jira.connector, SCOPE, cursor)[0]}
        assert seen == set(made)

    @pytest.mark.parametrize("jira", [{"index_lag": timedelta(seconds=60)}], indirect=True)
    def test_our_own_write_is_not_seen_as_it_was_before(self, jira: JiraHarness) -> None:
        id = jira.person_creates("old")
        jira.clock.advance(timedelta(minutes=3))
        jira.connector.update(SCOPE, jira.record(id), Change({"summary": "new"}))
        (notice,) = changes(jira.connector, SCOPE)[0]
        assert notice.record is not None and notice.record.fields["summary"] == "new"

    @pytest.mark.parametrize("jira", [{"index_lag": timedelta(seconds=60)}], indirect=True)
    def test_what_is_asked_for_fresh_does_not_carry_the_cursor_past_others(self, jira: JiraHarness) -> None:
        ids = [jira.person_creates(f"item {n}") for n in range(4)]
        jira.clock.advance(timedelta(minutes=30))
        jira.connector.update(SCOPE, jira.record(ids[0]), Change({"summary": "new"}))
        small = jira.build(page=2)
        small.open([SCOPE])
        small.lately.add(ids[0])
        first = next(small.changes(SCOPE, ""))
        assert not first.last
        rest = {notice.ref.id for notice in changes(small, SCOPE, first.cursor)[0]}
        assert set(ids[2:]) <= rest

    def test_writes_are_remembered_fifty_at_most_and_not_for_long(self, jira: JiraHarness) -> None:
        for id in range(60):
            jira.connector.lately.add(str(id))
        assert jira.connector.lately.ids() == list(range(10, 60))
        jira.clock.advance(timedelta(minutes=5))
        assert jira.connector.lately.ids() == []

    def test_labels_that_differ_in_case_are_not_our_mark(self, jira: JiraHarness) -> None:
        id = jira.tracker.create({"summary": "a", "labels": ["LOCKSTEP-acme"], "issuetype": "Task"}, "Ana Ruiz")
        assert changes(jira.connector, SCOPE)[0] == [] and jira.record(id).mark is None

    def test_scope_is_checked_on_our_side(self, jira: JiraHarness) -> None:
        inside = jira.tracker.create({"summary": "a", "components": ["Portal"]}, "Ana Ruiz")
        outside = jira.tracker.create({"summary": "b", "components": ["Batch"]}, "Ana Ruiz")
        assert (jira.record(inside).in_scope, jira.record(outside).in_scope) == (True, False)
        people = replace(SCOPE, where=(("assignee", ("Ben Okafor",)),))
        jira.tracker.update(inside, {"assignee": "Ben Okafor"}, "Ana Ruiz")
        assert [notice.ref.id for notice in changes(jira.connector, people)[0]] == [inside]

    def test_a_repeated_token_ends_as_down_and_not_never(self, jira: JiraHarness) -> None:
        page = {"issues": [], "nextPageToken": "again", "isLast": False}
        with responses.RequestsMock() as mock:
            mock.post(re.compile(".*/search/jql"), json=page)
            with pytest.raises(Down, match="repeats"):
                list(jira.connector.changes(SCOPE, ""))
            assert len(mock.calls) == 2

    def test_an_empty_page_in_the_middle_is_no_end(self, jira: JiraHarness) -> None:
        jira.person_creates("a")
        empty = Answer.of({"issues": [], "nextPageToken": "t", "isLast": False})
        jira.fault("answer", ("POST", "search/jql"), nth=(1,), answer=empty)
        last = Answer.of({"issues": [], "isLast": True, "nextPageToken": "beside"})
        jira.fault("answer", ("POST", "search/jql"), answer=last)
        found = list(jira.connector.changes(SCOPE, "1767607265123:10001"))
        assert [(page.last, page.cursor) for page in found] == [
            (False, "1767607265123:10001"),
            (True, "1767607265123:10001"),
        ]

    @pytest.mark.parametrize("body", [{}, {"issues": None}, {"issues": [{"key": "A-1"}]}, [], {"issues": [None]}])
    def test_pages_of_another_shape_are_down(self, jira: JiraHarness, body: Any) -> None:
        jira.fault("answer", ("POST", "search/jql"), answer=Answer.of(body))
        with pytest.raises(Down):
            list(jira.connector.changes(SCOPE, ""))

    def test_a_query_that_jira_refuses_is_refused_with_its_words(self, jira: JiraHarness) -> None:
        with pytest.raises(Refused, match="The value 'Gone' does not exist"):
            list(jira.connector.changes(replace(SCOPE, types=("Gone",)), ""))


class TestReading:
    def test_values_are_what_people_call_them(self, jira: JiraHarness) -> None:
        fields = {
            "summary": "a",
            "priority": "High",
            "labels": ["x"],
            "fixVersions": ["26.01", "26.03"],
            "customfield_10041": "3",
            "customfield_10042": "Major",
            "customfield_10046": ["Yolo", "Fresno"],
            "customfield_10043": "one\r\ntwo",
            "assignee": "Ben Okafor",
        }
        record = jira.record(jira.tracker.create(fields, "Ana Ruiz"))
        assert dict(record.fields) == {
            "summary": "a",
            "description": None,
            "priority": "High",
            "labels": ("x",),
            "fixVersions": ("26.01", "26.03"),
            "resolution": None,
            "customfield_10040": None,
            "customfield_10041": "3",
            "customfield_10042": "Major",
            "customfield_10043": "one\ntwo",
            "customfield_10046": ("Yolo", "Fresno"),
            "assignee": "Ben Okafor",
        }
        assert (record.key, record.kind, record.project, record.assignee) == ("CSPM-1", "Bug", "CSPM", "Ben Okafor")
        assert record.url == f"{jira.server.url}/browse/CSPM-1"

    def test_who_acted_last_is_told(self, jira: JiraHarness) -> None:
        id = jira.person_creates("a")
        users = jira.tracker.site.user
        assert jira.record(id).updated_by == ""
        jira.person_comments(id, "b")
        assert jira.record(id).updated_by == users("Ben Okafor").account_id
        jira.person_retitles(id, "c")
        assert jira.record(id).updated_by == users("Ana Ruiz").account_id

    def test_an_id_survives_a_move_and_the_key_does_not(self, jira: JiraHarness) -> None:
        id = jira.person_creates("a")
        jira.tracker.relocate(id, "Ana Ruiz", "OPS", "Task")
        record = jira.record(id)
        assert (record.ref.id, record.key, record.project, record.in_scope) == (id, "OPS-1", "OPS", False)

    def test_what_a_bulk_read_failed_to_fetch_is_not_gone(self, jira: JiraHarness) -> None:
        id = jira.person_creates("a")
        jira.tracker.unfetched.add(id)
        assert jira.record(id).key == "CSPM-1"
        assert asked(jira) == ["POST issue/bulkfetch", "GET issue/*"]
        jira.fault("answer", ("GET", f"/issue/{id}$"), answer=Answer(500))
        with pytest.raises(Down):
            jira.record(id)

    def test_channels_tell_who_may_read(self) -> None:
        desk = replace(projects()[0], kind="service_desk")
        jira = JiraHarness(SCOPE, projects=[desk])
        jira.tracker.site.users[BOT.account_id] = replace(BOT, groups=frozenset({"staff"}))
        record = jira.record(jira.person_creates("talk"))
        channels = ["everyone", "internal", "role:Developers", "group:staff"]
        for channel in channels:
            jira.connector.say(SCOPE, record, channel, channel)
        assert [(c.channel, c.text) for c in jira.connector.discussions(SCOPE, [record.ref.id])[record.ref.id]] == [
            (channel, channel) for channel in channels
        ]
        assert [c["channel"] for c in jira.tracker.comments(record.ref.id)] == channels
        assert jira.connector.note_channel == "internal"
        with pytest.raises(Refused, match="no channel work_notes"):
            jira.connector.say(SCOPE, record, "work_notes", "x")
        with pytest.raises(Refused, match="Nobody does not exist"):
            jira.connector.say(SCOPE, record, "role:Nobody", "x")
        jira.server.stop()

    def test_a_comment_deleted_between_pages_loses_none_of_the_others(self, jira: JiraHarness) -> None:
        id = jira.person_creates("talk")
        said = [jira.person_comments(id, f"remark {n}") for n in range(130)]
        get, struck = jira.tracker.handle, list[str]()

        def handle(request: Any) -> Answer:
            if "startAt" in request.query and request.one("startAt") != "0" and not struck:
                struck.append(said[0])
                jira.tracker.delete_comment(id, said[0], "Ana Ruiz")
            return get(request)

        jira.tracker.handle = handle  # type: ignore[method-assign]
        assert [c.id for c in jira.connector.discussions(SCOPE, [id])[id]] == said[1:]

    def test_a_comment_deleted_and_one_added_between_pages_lose_none_of_the_others(self, jira: JiraHarness) -> None:
        """The total stays as it was: only the comment that both pages show tells of the shift."""
        id = jira.person_creates("talk")
        said = [jira.person_comments(id, f"remark {n}") for n in range(230)]
        get, struck = jira.tracker.handle, list[str]()

        def handle(request: Any) -> Answer:
            if "startAt" in request.query and request.one("startAt") != "0" and not struck:
                struck.append(said[0])
                jira.tracker.delete_comment(id, said[0], "Ana Ruiz")
                said.append(jira.person_comments(id, "one more"))
            return get(request)

        jira.tracker.handle = handle  # type: ignore[method-assign]
        assert [c.id for c in jira.connector.discussions(SCOPE, [id])[id]] == said[1:]

    @pytest.mark.parametrize("comments", [[{}], None, [1]])
    def test_comments_of_another_shape_are_down(self, jira: JiraHarness, comments: Any) -> None:
        id = jira.person_creates("talk")
        for n in range(30):
            jira.person_comments(id, f"remark {n}")
        odd = Answer.of({"comments": comments, "total": 30})
        jira.fault("answer", ("GET", "/comment$"), answer=odd)
        with pytest.raises(Down):
            jira.connector.discussions(SCOPE, [id])


class TestCreating:
    def test_mark_keys_and_source_are_on_the_item(self, jira: JiraHarness) -> None:
        draft = jira.draft("made")
        draft = replace(
            draft,
            fields={**draft.fields, "description": "It *fails*.", "labels": ("x",)},
            extra={"customfield_10042": "Major", "components": "Portal"},
        )
        record = jira.connector.create(SCOPE, draft)
        item = jira.tracker.item(record.ref.id)
        line = "Lockstep: INC0010003 https://source.example/INC0010003 link:k1 made:m1 at:20260105080000"
        assert item["description"] == f"It \\*fails*.\n\n{line}"
        assert item["labels"] == ("lockstep-acme", "x") and item["components"] == ("Portal",)
        assert record.fields["description"] == "It *fails*." and record.fields["labels"] == ("x",)
        assert record.mark == draft.mark and record.fields["customfield_10042"] == "Major"

    def test_a_long_summary_is_cut_and_made_one_line(self, jira: JiraHarness) -> None:
        record = jira.made("line\n" + "\U0001f680" * 200)
        summary = jira.tracker.item(record.ref.id)["summary"]
        assert summary.startswith("line \U0001f680") and summary.endswith("…") and units(summary) <= 255

    def test_a_description_is_cut_so_that_the_line_has_room(self, jira: JiraHarness) -> None:
        draft = jira.draft("made")
        record = jira.connector.create(SCOPE, replace(draft, fields={**draft.fields, "description": "x" * 40_000}))
        assert record.mark == draft.mark and len(jira.tracker.item(record.ref.id)["description"]) == 32_767

    def test_an_unreadable_afterwards_is_unsure_and_never_down(self, jira: JiraHarness) -> None:
        jira.fault("answer", ("GET", "/issue/[0-9]+$"), answer=Answer(500))
        with pytest.raises(Unsure, match="created an issue"):
            jira.made("made")
        assert len(jira.tracker.ids()) == 1

    def test_two_made_with_one_key_are_both_found_oldest_first(self, jira: JiraHarness) -> None:
        since = jira.clock.now()
        made = [jira.made(title).ref for title in ("first", "second")]
        assert [record.ref for record in jira.connector.find_made(SCOPE, jira.mark(), since)] == made

    def test_a_field_or_a_value_that_is_none_is_refused_by_name(self, jira: JiraHarness) -> None:
        for fields, name in (
            ({"nosuch": "x"}, "nosuch"),
            ({"customfield_10041": "three"}, "customfield_10041"),
            ({"priority": ("High", "Low")}, "priority"),
            ({"assignee": "Nobody Atall"}, "assignee"),
        ):
            draft = jira.draft("made")
            with pytest.raises(Refused) as caught:
                jira.connector.create(SCOPE, replace(draft, fields={**draft.fields, **fields}))
            assert caught.value.fields == (name,)
        assert jira.sent(jira.create_call) == 0


class TestUpdating:
    def done(self, jira: JiraHarness, **with_state: Any) -> Record:
        id = jira.person_creates("old")
        jira.person_moves(id)
        return jira.connector.update(SCOPE, jira.record(id), Change(state="Done", with_state=with_state))

    def test_every_kind_of_value_comes_back_as_it_was_written(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        fields: dict[str, Native] = {
            "summary": "new",
            "description": "[~a] {x}",
            "priority": "Low",
            "labels": ("b", "c"),
            "fixVersions": ("26.05",),
            "customfield_10040": "INC1",
            "customfield_10041": "2.5",
            "customfield_10042": "Minor",
            "customfield_10043": "- one\n* two",
            "customfield_10046": ("Alameda",),
            "assignee": "Ana Ruiz",
        }
        updated = jira.connector.update(SCOPE, record, Change(fields))
        assert {name: updated.fields[name] for name in fields} == fields
        cleared = jira.connector.update(SCOPE, updated, Change(dict.fromkeys(set(fields) - {"summary", "priority"})))
        assert {cleared.fields[name] for name in set(fields) - {"summary", "priority"}} == {None}

    def test_what_the_screen_requires_is_sent_and_what_it_lacks_is_written_after(self, jira: JiraHarness) -> None:
        record = self.done(jira, resolution="Won't Do", customfield_10040="INC7", fixVersions=("26.01",))
        assert (record.state, record.fields["resolution"]) == ("Done", "Won't Do")
        assert (record.fields["customfield_10040"], record.fields["fixVersions"]) == ("INC7", ("26.01",))

    def test_a_missing_required_field_is_refused_by_name(self, jira: JiraHarness) -> None:
        with pytest.raises(Refused, match="Resolution is required") as caught:
            self.done(jira)
        assert caught.value.fields == ("resolution",)

    def test_what_no_screen_takes_is_left_to_the_workflow(self, jira: JiraHarness) -> None:
        """In the simplified workflow a post function sets the resolution, which no screen has."""
        id = jira.tracker.create({"summary": "a", "issuetype": "Task"}, "Ana Ruiz")
        record = jira.connector.update(SCOPE, jira.record(id), Change(state="Done", with_state={"resolution": "Done"}))
        assert (record.state, record.fields["resolution"]) == ("Done", "Done")

    def test_no_way_there_names_what_is_offered(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        with pytest.raises(Refused, match=r"Jira offers: Start Progress -> In Progress$"):
            jira.connector.update(SCOPE, record, Change(state="Done"))
        jira.tracker.deny("Lockstep", "CSPM", "TRANSITION_ISSUES")
        with pytest.raises(Refused, match="permission Transition issues"):
            jira.connector.update(SCOPE, record, Change(state="In Progress"))

    def test_fields_that_fail_after_the_step_are_told_as_they_are(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.fault("answer", jira.update_call, times=1, answer=Answer(429, b"{}", {"Retry-After": "30"}))
        with pytest.raises(Unsure, match="was moved to In Progress, its fields were not written"):
            jira.connector.update(SCOPE, record, Change({"summary": "new"}, "In Progress"))
        assert jira.tracker.item(record.ref.id)["status"] == "In Progress"

    def test_a_conflict_in_flight_is_stale(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.fault("answer", jira.update_call, times=1, answer=Answer.of({"errorMessages": ["Conflict"]}, 409))
        with pytest.raises(Stale):
            jira.connector.update(SCOPE, record, Change({"summary": "new"}))

    def test_an_edit_that_returns_no_issue_is_read_back(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.fault("answer", jira.update_call, times=1, answer=Answer(204))
        assert jira.connector.update(SCOPE, record, Change({"summary": "new"})).fields["summary"] == "old"

    def test_labels_of_others_survive_and_so_does_our_mark(self, jira: JiraHarness) -> None:
        record = jira.made("made")
        jira.tracker.update(record.ref.id, {"labels": ["lockstep-acme", "theirs"]}, "Ana Ruiz")
        updated = jira.connector.update(SCOPE, record, Change({"labels": ("ours",)}))
        assert updated.fields["labels"] == ("ours", "theirs") and updated.mark == record.mark

    def test_a_rewritten_description_keeps_its_source_line(self, jira: JiraHarness) -> None:
        record = jira.made("made")
        for text in ("New words.", None, "Newer."):
            jira.log.clear()
            record = jira.connector.update(SCOPE, record, Change({"description": text}, mark=record.mark))
            assert (record.fields["description"], record.mark) == (text, jira.mark())
            assert asked(jira) == ["PUT issue/*"]
        assert "INC0010003 https://source.example/INC0010003" in jira.tracker.item(record.ref.id)["description"]

    def test_a_fresh_connector_reads_the_line_before_it_rewrites(self, jira: JiraHarness) -> None:
        record = jira.made("made")
        fresh = jira.build()
        fresh.open([SCOPE])
        assert fresh.update(SCOPE, record, Change({"description": "New."}, mark=record.mark)).mark == jira.mark()
        assert "INC0010003" in jira.tracker.item(record.ref.id)["description"]

    def test_a_deleted_source_line_comes_back_with_its_keys(self, jira: JiraHarness) -> None:
        record = jira.made("made")
        jira.tracker.update(record.ref.id, {"description": "People's words."}, "Ana Ruiz")
        assert jira.record(record.ref.id).mark == Mark("lockstep-acme")
        updated = jira.connector.update(SCOPE, record, Change({"description": "New."}, mark=record.mark))
        assert updated.mark == jira.mark() and updated.fields["description"] == "New."

    def test_nobody_marks_an_item_by_writing(self, jira: JiraHarness) -> None:
        forged = "Lockstep: INC9 https://x link:EVIL made:EVIL"
        draft = jira.draft("made")
        record = jira.connector.create(SCOPE, replace(draft, fields={**draft.fields, "description": f"a\n{forged}"}))
        assert record.mark == draft.mark and "EVIL" in str(record.fields["description"])
        id = jira.person_creates("theirs")
        adopted = jira.connector.adopt(SCOPE, jira.record(id), jira.mark())
        updated = jira.connector.update(SCOPE, adopted, Change({"description": forged}, mark=adopted.mark))
        assert updated.mark == Mark("lockstep-acme")

    def test_hostile_words_come_back_in_every_text_field(self, jira: JiraHarness) -> None:
        text = "[~jdoe] {code}x{code} !http://x/y.png! C:\\_t \\\\{ |a| *b* --flag\r\nx \ud800\x00 end"
        record = jira.record(jira.person_creates("old"))
        fields = {"summary": text, "description": text, "customfield_10040": text, "customfield_10043": text}
        updated = jira.connector.update(SCOPE, record, Change(fields))
        kept = text.replace("\r\n", "\n").replace("\ud800\x00", "")
        assert updated.fields["description"] == updated.fields["customfield_10043"] == kept
        assert updated.fields["summary"] == updated.fields["customfield_10040"] == kept.replace("\n", " ")

    def test_a_gone_issue_is_gone_whatever_is_done(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.person_removes(record.ref.id)
        connector = jira.connector
        for act in (
            lambda: connector.update(SCOPE, record, Change(state="In Progress")),
            lambda: connector.say(SCOPE, record, "everyone", "x"),
            lambda: connector.adopt(SCOPE, record, jira.mark()),
            lambda: connector.show(SCOPE, record, jira.mark(), "INC1", "https://a.example"),
        ):
            with pytest.raises(Gone):
                act()
        assert connector.discussions(SCOPE, [record.ref.id]) == {}


@pytest.mark.parametrize("sign", ["x", "{", "\U0001f680"])
def test_the_longest_comment_always_fits(jira: JiraHarness, sign: str) -> None:
    """An escape for every sign, or two UTF-16 units for every character."""
    record = jira.record(jira.person_creates("talk"))
    text = sign * jira.connector.comment_limit
    jira.connector.say(SCOPE, record, "everyone", text)
    assert jira.connector.discussions(SCOPE, [record.ref.id])[record.ref.id][0].text == text


class TestShowing:
    def test_one_link_however_often(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("a"))
        for _ in range(2):
            jira.connector.show(SCOPE, record, jira.mark(), "INC1", "https://a.example/INC1")
        assert jira.tracker.links(record.ref.id) == [
            {"global_id": "lockstep:k1", "url": "https://a.example/INC1", "title": "INC1"}
        ]

    def test_without_a_link_key_there_is_nothing_to_show(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("a"))
        jira.log.clear()
        jira.connector.show(SCOPE, record, Mark("lockstep-acme"), "INC1", "https://a.example")
        assert jira.log.entries == []


class TestKeysField:
    @pytest.fixture
    def keyed(self) -> Iterator[JiraHarness]:
        made = JiraHarness(KEYED)
        yield made
        made.server.stop()

    def test_the_description_is_peoples_alone(self, keyed: JiraHarness) -> None:
        record = keyed.made("made")
        item = keyed.tracker.item(record.ref.id)
        assert item["description"] is None and item["customfield_10045"] == "link:k1 made:m1 at:20260105080000"
        assert record.mark == keyed.mark()

    def test_keys_of_another_instance_are_a_strangers_text(self, keyed: JiraHarness) -> None:
        id = keyed.person_creates("theirs")
        keyed.tracker.update(id, {"customfield_10045": "link:k9 made:m9"}, "Ana Ruiz")
        assert keyed.record(id).occupied == "link:k9 made:m9"

    def test_keys_that_outlived_the_label_are_still_ours(self, keyed: JiraHarness) -> None:
        record = keyed.made("made")
        keyed.tracker.update(record.ref.id, {"labels": []}, "Ana Ruiz")
        bare = keyed.record(record.ref.id)
        assert bare.mark is None and keyed.connector.adopt(KEYED, bare, keyed.mark()).mark == keyed.mark()


class TestBadAnswers:
    """What a broken path between us and Jira may deliver."""

    URL = re.compile(".*/rest/api/2/.*")
    SIGN_IN = "<html><form action='https://id.atlassian.com/login'>Log in</form></html>"

    @pytest.mark.parametrize(
        ("answer", "reading", "writing"),
        [
            ({"body": SIGN_IN, "content_type": "text/html"}, LockedOut, LockedOut),
            ({"status": 302, "headers": {"Location": "https://id.atlassian.com/login"}}, LockedOut, LockedOut),
            ({"body": "<html>Maintenance</html>", "content_type": "text/html"}, Down, Unsure),
            ({"body": '{"issues": [', "content_type": "application/json"}, Down, Unsure),
            ({"body": ""}, Down, Unsure),
            ({"body": "null"}, Down, Unsure),
            ({"body": "ok", "content_type": "text/plain"}, Down, Unsure),
            ({"status": 502, "body": "<html>Bad gateway</html>"}, Down, Unsure),
            ({"status": 408}, Down, Unsure),
            ({"status": 403, "json": {"errorMessages": None, "errors": None}}, Refused, Refused),
            ({"status": 413, "json": {"errorMessages": ["too many"]}}, Refused, Refused),
            ({"body": requests.ConnectionError("reset")}, Down, Unsure),
            ({"body": requests.ReadTimeout("slow")}, Down, Unsure),
            ({"body": requests.exceptions.ChunkedEncodingError("cut")}, Down, Unsure),
            ({"status": 429, "headers": {"Retry-After": "300"}}, Busy, Busy),
            ({"status": 429, "headers": {"Retry-After": "Mon, 05 Jan 2026 08:05:00 GMT"}}, Busy, Busy),
            ({"status": 429, "headers": {"Retry-After": "300.5"}}, Busy, Busy),
            ({"status": 429}, Busy, Busy),
        ],
    )
    @pytest.mark.parametrize("writing_it", [False, True], ids=["read", "write"])
    def test_is_named(
        self,
        jira: JiraHarness,
        answer: Any,
        reading: Any,
        writing: Any,
        writing_it: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        record = jira.record(jira.person_creates("a"))
        naps: list[float] = []
        monkeypatch.setattr("time.sleep", naps.append)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST", "PUT"):
                mock.add(method, self.URL, **answer)
            with pytest.raises(writing if writing_it else reading) as caught:
                if writing_it:
                    jira.connector.say(SCOPE, record, "everyone", "private words")
                else:
                    jira.record(record.ref.id)
            assert len(mock.calls) == 1 or not writing_it
        assert " " in str(caught.value)
        assert naps == []
        said = everything_said(caught.value).replace('"private words"', "")
        assert "private words" not in said and BOT.token not in said

    def test_a_long_rest_is_not_slept_out_but_kept(self, jira: JiraHarness) -> None:
        id = jira.person_creates("a")
        answer = Answer(429, b"{}", {"Retry-After": "300", "RateLimit-Reason": "jira-burst-based"})
        jira.fault("answer", jira.read_call, times=1, answer=answer)
        start = jira.clock.now()
        with pytest.raises(Busy, match="jira-burst-based") as caught:
            jira.record(id)
        assert caught.value.until == start + timedelta(seconds=300) and jira.clock.now() - start < timedelta(seconds=1)

    def test_the_limit_by_issue_rests_us(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("a"))
        jira.tracker.limits.per_issue = True
        with pytest.raises(Busy, match="jira-per-issue-on-write"):
            for n in range(25):
                jira.connector.say(SCOPE, record, "everyone", f"remark {n}")
        assert len(jira.tracker.comments(record.ref.id)) == 20

    def test_rights_taken_away_are_refused_with_the_reason(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("a"))
        jira.tracker.deny("Lockstep", "CSPM", "ADD_COMMENTS")
        with pytest.raises(Refused, match="permission to comment"):
            jira.connector.say(SCOPE, record, "everyone", "x")
        jira.tracker.deny("Lockstep", "CSPM", "BROWSE_PROJECTS")
        assert jira.connector.read(SCOPE, [record.ref.id]) == {record.ref.id: None}


def test_each_thread_has_its_own_client_and_its_end_closes_nobodys_pool(jira: JiraHarness) -> None:
    clients = []
    jira.record(jira.person_creates("a"))
    pools = len(jira.connector.transport.poolmanager.pools)
    for _ in range(3):
        thread = threading.Thread(target=lambda: clients.append(id(jira.connector.client.session())))
        thread.start()
        thread.join()
    assert id(jira.connector.client.session()) not in clients
    assert len(jira.connector.transport.poolmanager.pools) == pools == 1


def test_the_librarys_own_search_takes_our_session_for_the_cloud(jira: JiraHarness) -> None:
    """Without ``deploymentType`` it would warn, send nothing and return ``None`` (jira 3.10)."""
    jira.person_creates("a")
    session = jira.connector.client.session()
    found = session.enhanced_search_issues("project = CSPM", json_result=True, use_post=True)
    assert isinstance(found, dict) and len(found["issues"]) == 1
    assert asked(jira) == ["POST search/jql"]


class TestSmallThings:
    def test_markers(self) -> None:
        mark = Mark("i", "K", "M", "20260105080000")
        line = marker.line(mark, "INC1", "https://a.example/x?a=[b]|{c} d")
        assert line == "Lockstep: INC1 https://a.example/x?a=%5Bb%5D%7C%7Bc%7D%20d link:K made:M at:20260105080000"
        assert marker.split(f"text\r\n\r\n{line}\r\nadded below") == ("text\nadded below", line)
        smart = "Lockstep: INC1 [https://a|https://a|smart-link] link:K made:M"
        assert marker.split(f"text\n\n{smart}") == ("text", smart)
        assert marker.split("Lockstep: nothing of ours") == ("Lockstep: nothing of ours", "")
        assert marker.split(marker.joined("", line)) == ("", line)

    def test_queries_cannot_be_broken_out_of(self) -> None:
        assert quoted('a" OR project = "X') == '"a\\" OR project = \\"X"'
        assert among("component", ("a", "")) == '(component in ("a") OR component is EMPTY)'
        assert among("component", ("",)) == "component is EMPTY"

    def test_cutting_never_splits_a_character(self) -> None:
        assert cut("\U0001f680" * 3, 6) == "\U0001f680" * 3
        assert cut("\U0001f680" * 4, 6) == "\U0001f680" * 2 + "…"

    def test_every_wiki_text_comes_back(self) -> None:
        for text in ("\\\\{", "a\\*b", "C:\\_t", "*b* snake_case --flag", "\\\\server\\!x", "[~x]"):
            assert from_wiki(to_wiki(text)) == text

    def test_shapes_of_other_fields(self) -> None:
        cascading = Schema("customfield_1", "Place", "option-with-child")
        value = {"value": "West", "child": {"value": "Yolo"}}
        assert native(cascading, value) == "West > Yolo" and written(cascading, "West > Yolo") == value
        assert native(None, [{"name": "a"}, {"displayName": "b"}, 3, 2.5, True]) == ("a", "b", "3", "2.5", "true")
        assert native(None, {"key": "X-1"}) == "X-1" and native(None, {}) is None and native(None, []) is None

    def test_the_step_that_asks_for_least_is_taken(self) -> None:
        def offer(id: str, *required: str) -> dict[str, Any]:
            fields = {name: {"required": True} for name in required}
            return {"id": id, "name": f"Step {id}", "to": {"name": "Done"}, "fields": fields}

        offered = steps({"transitions": [offer("1", "a", "b"), offer("2", "a"), offer("3"), offer("4", "c")]})
        assert choose(offered, "Done", (), "X-1").id == "3"
        assert choose(offered[:2], "Done", ("a", "b"), "X-1").id == "1"
        assert choose(offered[:2], "Done", ("a",), "X-1").id == "2"


class TestWays:
    """Steps come from the lists of transitions that were offered before (apis.md 2.2)."""

    def test_a_way_of_several_steps_is_taken_once_its_lists_were_seen(self, jira: JiraHarness) -> None:
        scout = jira.record(jira.person_creates("seen first"))
        jira.connector.update(SCOPE, scout, Change(state="In Progress"))
        record = self.done(jira)
        jira.log.clear()
        record = jira.connector.update(SCOPE, record, Change(state="In Progress"))
        assert record.state == "In Progress"
        step = ["GET issue/*/transitions", "POST issue/*/transitions"]
        assert asked(jira) == [*step, *step, "GET issue/*"]

    def done(self, jira: JiraHarness) -> Record:
        id = jira.person_creates("old")
        for status in ("In Progress", "Done"):
            jira.tracker.move(id, status, by="Ana Ruiz", **({"resolution": "Done"} if status == "Done" else {}))
        return jira.record(id)

    def test_without_a_known_way_the_change_is_refused_with_what_is_offered_and_no_step_is_tried(
        self, jira: JiraHarness
    ) -> None:
        record = self.done(jira)
        jira.log.clear()
        with pytest.raises(Refused, match=r"No transition of .* leads to In Progress. Jira offers: Reopen -> To Do"):
            jira.connector.update(SCOPE, record, Change(state="In Progress"))
        assert asked(jira) == ["GET issue/*/transitions"]

    def test_where_no_way_is_known_the_step_straight_to_another_state_of_the_stage_is_taken(
        self, jira: JiraHarness
    ) -> None:
        record = self.done(jira)
        record = jira.connector.update(SCOPE, record, Change(state="In Progress", also=("In Review", "To Do")))
        assert record.state == "To Do"

    def test_required_fields_come_with_the_step_that_asks_for_them(self, jira: JiraHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.connector.update(SCOPE, jira.record(jira.person_creates("a")), Change(state="In Progress"))
        jira.connector.update(SCOPE, self.working(jira), Change(state="In Review"))
        jira.log.clear()
        record = jira.connector.update(SCOPE, record, Change(state="Done", with_state={"resolution": "Done"}))
        assert record.state == "Done" and jira.tracker.item(record.ref.id)["resolution"] == "Done"
        step = ["GET issue/*/transitions", "POST issue/*/transitions"]
        assert asked(jira) == [*step, *step, "GET issue/*"]

    def working(self, jira: JiraHarness) -> Record:
        id = jira.person_creates("busy")
        jira.tracker.move(id, "In Progress", by="Ana Ruiz")
        return jira.record(id)

    @pytest.mark.parametrize("status, failure", [(429, Unsure), (400, Refused)])
    def test_a_way_that_breaks_off_tells_where_the_issue_stands(
        self, jira: JiraHarness, status: int, failure: type[Failure]
    ) -> None:
        jira.connector.update(SCOPE, jira.record(jira.person_creates("seen first")), Change(state="In Progress"))
        record = self.done(jira)
        answer = Answer.of({"errorMessages": ["no"], "errors": {}}, status)
        jira.fault("answer", ("POST", "/transitions$"), answer=answer, nth=(2,))
        with pytest.raises(failure, match="was moved to To Do on the way to In Progress"):
            jira.connector.update(SCOPE, record, Change(state="In Progress"))
        assert jira.tracker.item(record.ref.id)["status"] == "To Do"

    def test_what_was_seen_is_told_once_and_recalled_and_nonsense_is_passed_over(self, jira: JiraHarness) -> None:
        jira.connector.update(SCOPE, jira.record(jira.person_creates("seen first")), Change(state="In Progress"))
        kept = json.loads(json.dumps(jira.connector.learned()))
        assert jira.connector.learned() is None
        other = jira.build()
        for nonsense in ({}, {"ways": 5}, {"ways": [["CSPM"]]}, {"ways": [["CSPM", "Bug", "Done", [[1]]]]}):
            other.recall(nonsense)
        other.open([SCOPE])
        other.recall(kept)
        assert other.update(SCOPE, self.done(jira), Change(state="In Progress")).state == "In Progress"

    def test_of_the_known_ways_the_shortest_that_asks_for_nothing_we_lack(self) -> None:
        def one(id: str, to: str, *required: str) -> Step:
            return Step(id, id, to, frozenset(required), frozenset(required))

        begin, rest = [one("1", "b"), one("2", "c", "x")], {"b": [one("3", "e")], "c": [one("4", "d")]}
        seen = {"a": begin, **rest, "e": [one("5", "d")]}
        assert next_step(seen, "a", ("d",), (), "X-1").id == "1"
        assert next_step(seen, "a", ("d",), ("x",), "X-1").id == "2"
        assert next_step(seen, "a", ("nowhere", "b"), (), "X-1").id == "1"
        through = {"a": [replace(one("1", "b"), ends=True), one("2", "c")], "b": [one("3", "d")], "c": [one("4", "d")]}
        assert next_step(through, "a", ("d",), (), "X-1").id == "2", "not through a status that ends the work"
        with pytest.raises(Refused):
            next_step({"a": seen["a"]}, "a", ("d",), (), "X-1")
