"""The Jira connector against Data Center: the contract, exact call counts, and what only Data Center does."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.auth import Auth, Bearer, Secret, UserPassword
from connectors.base import Busy, Down, Gone, LockedOut, Refused, Unsure
from connectors.jira import Jira
from connectors.jira.query import Question, epoch
from connectors.jira.walk import SHIFTS, Found, Walk
from mappings.model import Change, Native, Record, Scope
from sandbox.clock import SandboxClock
from sandbox.estate import JIRA_TOKEN, Estate
from sandbox.faults import Faults
from sandbox.jira.datacenter import BOT, USERS, DataCenter
from sandbox.jira.defaults import projects
from sandbox.server import RequestLog, Server
from sandbox.story import MORNING
from sandbox.wire import Answer, Request
from tests import test_connector_jira as cloud
from tests.contract import Harness, changes, pages, settable_clock
from tests.test_connector_jira import KEYED, SCOPE
from tests.world import ANA, BEN, CHEN, SAM, World, copies_of, writes

API = "/rest/api/2"
PAT = Bearer(Secret(BOT.token))
PASSWORD = UserPassword(BOT.login, Secret(BOT.password))


class DataCenterHarness(cloud.JiraHarness):
    tracker: DataCenter
    read_call = ("POST", f"{API}/search$")
    secrets = (BOT.token, BOT.password, "bG9ja3N0ZXA6", "wrong one")

    def __init__(self, scope: Scope = SCOPE, auth: Auth = PAT, **options: Any) -> None:
        self.scope, self.clock, self.faults, self.log = scope, settable_clock(), Faults(), RequestLog()
        self.mark_natives = frozenset({"labels", scope.keys_field} - {""})
        self.can_be_occupied = bool(scope.keys_field)
        self.auth = auth
        self.tracker = DataCenter("jira", self.clock, zone="America/Los_Angeles", **options)
        self.server = Server(self.tracker, self.clock, self.faults, self.log).start()
        self.connector = self.build()
        self.connector.open([scope])
        self.log.clear()

    def build(self, *, wrong_password: bool = False, port: int = 0, page: int = 0, **options: object) -> Jira:
        wrong = Secret("wrong one")
        auth = self.auth
        if wrong_password:
            auth = UserPassword(BOT.login, wrong) if isinstance(auth, UserPassword) else Bearer(wrong)
        url = f"http://127.0.0.1:{port or self.server.port}{self.tracker.context}"
        return Jira("jira", url, auth, self.clock, page=page, **options)  # type: ignore[arg-type]


@pytest.fixture(
    params=[(SCOPE, PAT, {}), (KEYED, PASSWORD, {"nodes": 3, "context": "/jira"})],
    ids=["one-node-token", "three-nodes-password"],
)
def harness(request: pytest.FixtureRequest) -> Iterator[DataCenterHarness]:
    scope, auth, options = request.param
    made = DataCenterHarness(scope, auth, **options)
    yield made
    made.connector.close()
    made.server.stop()


class TestDataCenterContract(cloud.TestJiraContract):
    @pytest.mark.parametrize("kind", ["garbage", "cut", "reset_before", "reset_after"])
    def test_an_unusable_answer_to_a_write_is_unsure_and_sent_once(self, harness: Harness, kind: str) -> None:
        """An edit is answered by 204, which has no body to be cut or garbled: then it is simply done."""
        if kind.startswith("reset"):
            super().test_an_unusable_answer_to_a_write_is_unsure_and_sent_once(harness, kind)
            return
        record = harness.record(harness.person_creates("old"))
        harness.log.clear()
        harness.fault(kind, harness.update_call, times=1)
        assert harness.retitled(record).fields["summary"] == "new"
        assert harness.sent(harness.update_call) == 1


@pytest.fixture
def jira(request: pytest.FixtureRequest) -> Iterator[DataCenterHarness]:
    """One node, a personal access token; ``indirect`` parameters are the site's options."""
    made = DataCenterHarness(SCOPE, **getattr(request, "param", {}))
    yield made
    made.connector.close()
    made.server.stop()


SEVERAL = {"nodes": 3, "index_lag": timedelta(seconds=40)}


def asked(jira: DataCenterHarness) -> list[str]:
    """Method and path of every request so far, ids folded."""
    return [f"{e.method} {re.sub(r'/[0-9]+', '/*', e.path.removeprefix(API + '/'))}" for e in jira.log.entries]


def between(jira: DataCenterHarness, act: Callable[[], object], call: int) -> None:
    """People act just before the tracker's n-th answer from now on."""
    handle, calls = jira.tracker.handle, iter(range(1, 10_000))

    def interrupted(request: Request) -> Answer:
        if next(calls) == call:
            act()
        return handle(request)

    jira.tracker.handle = interrupted  # type: ignore[method-assign]


class TestCalls:
    """Exactly how many calls each operation makes, and which."""

    def test_opening(self, jira: DataCenterHarness) -> None:
        jira.connector.open([SCOPE])
        assert asked(jira) == [
            "GET myself",
            "GET serverInfo",
            "GET field",
            "GET project/CSPM",
            "GET project/CSPM/statuses",
            "GET mypermissions",
            "POST search",
            "GET issue/createmeta/CSPM/issuetypes/*",
        ]

    def test_a_thousand_items_of_one_second_are_ten_pages_whole_with_their_comments(
        self, jira: DataCenterHarness
    ) -> None:
        for n in range(1000):
            id = jira.person_creates(f"item {n}")
            if n % 100 == 0:
                jira.person_comments(id, "a remark")
        notices, _ = changes(jira.connector, SCOPE)
        assert len({notice.ref.id for notice in notices}) == len(notices) == 1000
        # they were made within two seconds: the page in which one ends and the next begins is asked for again
        assert asked(jira) == ["POST search"] * 11
        assert sum(len(notice.record.comments or ()) for notice in notices if notice.record) == 10

    def test_reading_and_discussing_take_a_call_for_each_hundred(self, jira: DataCenterHarness) -> None:
        ids = [jira.person_creates(f"item {n}") for n in range(201)]
        jira.connector.read(SCOPE, ids)
        jira.connector.discussions(SCOPE, ids)
        assert asked(jira) == ["POST search"] * 6

    def test_creating_takes_two_and_so_do_fields(self, jira: DataCenterHarness) -> None:
        record = jira.made("made")
        jira.retitled(record)
        assert asked(jira) == ["POST issue", "GET issue/*", "PUT issue/*", "GET issue/*"]

    def test_a_step_takes_its_list_its_step_and_what_writes_the_fields(self, jira: DataCenterHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.log.clear()
        record = jira.connector.update(SCOPE, record, Change(state="In Progress"))
        assert asked(jira) == ["GET issue/*/transitions", "POST issue/*/transitions", "GET issue/*"]
        jira.log.clear()
        jira.connector.update(SCOPE, record, Change({"summary": "new"}, "In Review"))
        assert asked(jira) == ["GET issue/*/transitions", "POST issue/*/transitions", "PUT issue/*", "GET issue/*"]

    def test_talking_showing_and_looking_up_take_one_each(self, jira: DataCenterHarness) -> None:
        record = jira.record(jira.person_creates("old"))
        jira.log.clear()
        jira.connector.say(SCOPE, record, "everyone", "Hello")
        jira.connector.show(SCOPE, record, jira.mark(), "INC1", "https://a.example/INC1")
        jira.connector.find_made(SCOPE, jira.mark(), jira.clock.now())
        assert asked(jira) == ["POST issue/*/comment", "POST issue/*/remotelink", "POST search"]


class TestShiftingPages:
    """Offsets shift while issues move (apis.md 2.1, JRASERVER-69860): whatever people do between two pages, nothing is
    missed."""

    @pytest.mark.parametrize("call", [2, 3, 4])
    @pytest.mark.parametrize("current", [False, True], ids=["values-of-the-index", "values-of-the-database"])
    @pytest.mark.parametrize("spread", [0, 7], ids=["in-one-second", "seconds-apart"])
    def test_issues_written_between_two_pages_cost_no_other(
        self, jira: DataCenterHarness, spread: int, current: bool, call: int
    ) -> None:
        jira.tracker.current = current
        made = []
        for n in range(12):
            jira.clock.advance(timedelta(seconds=spread))
            made.append(jira.person_creates(f"item {n}"))
        jira.clock.advance(timedelta(seconds=spread))
        small = jira.build(page=4)
        small.open([SCOPE])

        def act() -> None:
            jira.clock.advance(timedelta(seconds=1))
            for id in made[:3]:
                jira.person_retitles(id, "moved to the end")

        between(jira, act, call)
        notices, cursor = changes(small, SCOPE)
        assert {notice.ref.id for notice in notices} == set(made)
        assert cursor.endswith(f":{made[2]}")

    @pytest.mark.parametrize("call", [2, 3, 4])
    def test_issues_deleted_between_two_pages_cost_no_other(self, jira: DataCenterHarness, call: int) -> None:
        made = [jira.person_creates(f"item {n}") for n in range(9)]
        small = jira.build(page=3)
        small.open([SCOPE])

        def act() -> None:
            for id in made[:2]:
                jira.person_removes(id)

        between(jira, act, call)
        assert {notice.ref.id for notice in changes(small, SCOPE)[0]} == set(made)

    def test_a_second_that_never_stands_still_is_down_in_the_end(self, jira: DataCenterHarness) -> None:
        made = [jira.person_creates(f"item {n}") for n in range(60)]
        small, handle = jira.build(page=4), jira.tracker.handle
        small.open([SCOPE])

        def lively(request: Request) -> Answer:
            jira.clock.advance(timedelta(seconds=1))
            jira.person_retitles(made.pop(0), "moved")
            return handle(request)

        jira.tracker.handle = lively  # type: ignore[method-assign]
        with pytest.raises(Down, match="faster"):
            changes(small, SCOPE)

    def test_a_short_page_in_the_middle_is_no_end(self, jira: DataCenterHarness) -> None:
        """An issue that the index still has and the database has not makes a page short, never the last."""
        made = [jira.person_creates(f"item {n}") for n in range(6)]
        small, handle = jira.build(page=3), jira.tracker.handle
        small.open([SCOPE])

        def short(request: Request) -> Answer:
            answer = handle(request)
            found = json.loads(answer.body)
            found["issues"] = [issue for issue in found["issues"] if issue["id"] != made[2]]
            return Answer.of(found, headers=answer.headers)

        jira.tracker.handle = short  # type: ignore[method-assign]
        found = pages(small, SCOPE)
        assert [len(page.notices) for page in found][:1] == [2]
        assert {notice.ref.id for page in found for notice in page.notices} == set(made) - {made[2]}

    def test_a_page_that_shows_a_later_time_than_it_was_found_by_skips_nothing(self) -> None:
        """The last issue was written after the search and before it was shown: the count of what is left tells."""
        walk = Walk("jira", Question("labels = x", "updated", None), 2)
        walk.take(Found([{"id": "1"}, {"id": "2"}], [1_000, 90_000], 0, 2, 5))
        assert "updated >= 90000" in walk.asked()["jql"]
        assert walk.take(Found([{"id": "2"}], [90_000], 0, 2, 1)) == ([], False)
        assert walk.asked() == {"jql": "labels = x ORDER BY updated ASC, key ASC", "startAt": 1, "maxResults": 3}
        issues, last = walk.take(Found([{"id": "2"}, {"id": "3"}, {"id": "4"}], [2_000, 3_000, 4_000], 1, 3, 5))
        assert [issue["id"] for issue in issues] == ["2", "3", "4"] and not last

    def test_a_walk_ends_where_nothing_stands_still(self) -> None:
        walk = Walk("jira", Question("labels = x", "updated", None), 2)
        with pytest.raises(Down):
            for n in range(2 * SHIFTS + 3):
                walk.take(Found([{"id": f"{n}"}, {"id": f"{n} too"}], [1_000, 1_000], 0, 2, 9))

    def test_nodes_that_disagree_for_ever_are_down_in_the_end(self) -> None:
        """One node finds nine issues, the next none of those left, a third another order: no page leads further."""
        walk = Walk("jira", Question("labels = x", "updated", None), 2)
        first = Found([{"id": "1"}, {"id": "2"}], [1_000, 2_000], 0, 2, 9)
        with pytest.raises(Down, match="faster"):
            for _ in range(SHIFTS + 2):
                walk.take(first)
                walk.take(Found([], [], 0, 2, 0))
                walk.take(Found([{"id": "7"}], [1_000], walk.asked()["startAt"], 3, 9))

    def test_a_bound_is_the_same_instant_in_every_zone(self) -> None:
        """Python subtracts within one zone without minding summer time."""
        summer = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
        assert epoch(summer) == epoch(summer.astimezone(UTC)) == 1_782_900_000_000

    @pytest.mark.parametrize(
        "body", [{}, {"issues": None}, {"issues": [{"id": "1"}]}, [], {"issues": [], "startAt": 0, "maxResults": 9}]
    )
    def test_pages_of_another_shape_are_down(self, jira: DataCenterHarness, body: Any) -> None:
        jira.fault("answer", jira.read_call, answer=Answer.of(body))
        with pytest.raises(Down):
            list(jira.connector.changes(SCOPE, ""))


class TestReading:
    def test_an_unknown_id_is_gone_and_the_others_are_read(self, jira: DataCenterHarness) -> None:
        """In a validated query it would be a 400 (recorded: atlassian-python-api #752)."""
        ids = [jira.person_creates(title) for title in ("a", "b", "c")]
        jira.person_removes(ids[0])
        jira.tracker.hide(ids[1], "Lockstep")
        found = jira.connector.read(SCOPE, [*ids, "999999"])
        assert {id: record is not None for id, record in found.items()} == {
            ids[0]: False,
            ids[1]: False,
            ids[2]: True,
            "999999": False,
        }
        assert asked(jira) == ["POST search", *["GET issue/*"] * 3]

    def test_where_every_query_is_validated_each_is_read_by_itself(self, jira: DataCenterHarness) -> None:
        jira.tracker.strict = True
        id = jira.person_creates("a")
        assert jira.connector.read(SCOPE, [id, "999999"])[id] is not None
        assert asked(jira) == ["POST search", "GET issue/*", "GET issue/*"]

    @pytest.mark.parametrize("jira", [SEVERAL], indirect=True)
    def test_what_another_node_has_not_heard_of_is_not_gone(self, jira: DataCenterHarness) -> None:
        id = jira.person_creates("a")
        assert [jira.record(id).key for _ in range(3)] == ["CSPM-1"] * 3

    @pytest.mark.parametrize("jira", [SEVERAL], indirect=True)
    def test_our_own_writes_are_never_shown_as_they_were_before(self, jira: DataCenterHarness) -> None:
        id = jira.person_creates("old")
        jira.clock.advance(timedelta(minutes=1))
        changes(jira.connector, SCOPE)
        jira.retitled(jira.record(id))
        jira.connector.say(SCOPE, jira.record(id), "everyone", "Hello")
        for _ in range(3):
            (notice,) = changes(jira.connector, SCOPE)[0]
            assert notice.record is not None and notice.record.fields["summary"] == "new"
            assert [comment.text for comment in notice.record.comments or ()] == ["Hello"]
            assert jira.record(id).fields["summary"] == "new"
            assert len(jira.connector.discussions(SCOPE, [id])[id]) == 1

    @pytest.mark.parametrize("jira", [SEVERAL], indirect=True)
    def test_a_write_whose_answer_was_lost_is_settled_by_no_index(self, jira: DataCenterHarness) -> None:
        id = jira.person_creates("old")
        jira.clock.advance(timedelta(minutes=1))
        record = jira.record(id)
        jira.fault("reset_after", jira.update_call, times=1)
        with pytest.raises(Unsure):
            jira.retitled(record)
        assert [jira.record(id).fields["summary"] for _ in range(3)] == ["new"] * 3
        jira.connector.update(SCOPE, record, Change({"summary": "newer"}))
        jira.clock.advance(timedelta(minutes=1))
        jira.log.clear()
        assert jira.record(id).fields["summary"] == "newer"
        assert asked(jira) == ["POST search"], "what was acknowledged since is believed again"

    @pytest.mark.parametrize("jira", [SEVERAL], indirect=True)
    def test_nodes_that_trail_lose_nothing_within_the_lag(self, jira: DataCenterHarness) -> None:
        cursor, seen, made = "", set(), []
        for n in range(20):
            made.append(jira.person_creates(f"item {n}"))
            jira.clock.advance(timedelta(seconds=7))
            notices, cursor = changes(jira.connector, SCOPE, cursor)
            seen |= {notice.ref.id for notice in notices}
        jira.clock.advance(timedelta(seconds=40))
        seen |= {notice.ref.id for notice in changes(jira.connector, SCOPE, cursor)[0]}
        assert seen == set(made)

    def test_more_writes_are_remembered_than_a_search_of_cloud_takes(self, jira: DataCenterHarness) -> None:
        for id in range(60):
            jira.connector.lately.add(str(id), id)
        assert len(jira.connector.lately.ids()) == 60 and jira.connector.lately.version("59") == 59

    def test_who_acted_last_is_told_by_user_name(self, jira: DataCenterHarness) -> None:
        id = jira.person_creates("a")
        jira.person_comments(id, "b")
        assert jira.record(id).updated_by == "bokafor"


class TestPeople:
    def test_people_are_written_by_user_name_and_read_by_full_name(self, jira: DataCenterHarness) -> None:
        """``{"name": ...}``: Data Center knows no account ids (apis.md 2.3)."""
        record = jira.record(jira.person_creates("a"))
        for who in ("Ben Okafor", "ben@example.org", "bokafor"):
            assert jira.connector.update(SCOPE, record, Change({"assignee": who})).assignee == "Ben Okafor"
            record = jira.connector.update(SCOPE, record, Change({"assignee": None}))
            assert record.assignee == ""

    def test_nobody_and_two_of_one_name_are_refused(self, jira: DataCenterHarness) -> None:
        record = jira.record(jira.person_creates("a"))
        twin = replace(
            BOT, account_id="JIRAUSER10200", name="Ana Ruiz", login="aruiz2", email="", token="", password=""
        )
        jira.tracker.site.users[twin.account_id] = twin
        for who in ("Nobody Atall", "Ana Ruiz"):
            with pytest.raises(Refused, match="accounts in Jira are called") as caught:
                jira.connector.update(SCOPE, record, Change({"assignee": who}))
            assert caught.value.fields == ("assignee",)

    def test_our_account_is_the_user_name_that_comments_show(self, jira: DataCenterHarness) -> None:
        assert jira.connector.open([SCOPE]).account == "lockstep"


class TestServiceDesk:
    @pytest.fixture
    def desk(self) -> Iterator[DataCenterHarness]:
        made = DataCenterHarness(SCOPE, projects=[replace(projects(USERS)[0], kind="service_desk")])
        yield made
        made.connector.close()
        made.server.stop()

    def test_internal_comments_are_told_by_their_property(self, desk: DataCenterHarness) -> None:
        """No ``jsdPublic`` here: inside an issue nothing tells, so that the list is read (pycontribs/jira #1011)."""
        record = desk.record(desk.person_creates("talk"))
        for channel in ("everyone", "internal", "role:Developers"):
            desk.connector.say(SCOPE, record, channel, channel)
        (notice,) = changes(desk.connector, SCOPE)[0]
        assert notice.record is not None and notice.record.comments is None
        desk.log.clear()
        found = desk.connector.discussions(SCOPE, [record.ref.id])[record.ref.id]
        assert [(comment.channel, comment.text) for comment in found] == [
            (channel, channel) for channel in ("everyone", "internal", "role:Developers")
        ]
        assert asked(desk) == ["POST search", "GET issue/*/comment"]
        assert desk.connector.note_channel == "internal"

    def test_an_issue_moved_to_a_service_project_that_no_side_names_keeps_its_internal_comments(self) -> None:
        """It is followed there; that its comments tell nothing is not known of a project that nobody looked at."""
        maintenance, operations = projects(USERS)
        elsewhere = replace(operations, kind="service_desk", types=maintenance.types)
        jira = DataCenterHarness(SCOPE, projects=[maintenance, elsewhere])
        record = jira.connector.adopt(SCOPE, jira.record(jira.person_creates("talk")), jira.mark())
        tracker = jira.tracker
        tracker.rules.move(tracker.site.user(ANA), tracker.issue(record.ref.id), elsewhere, maintenance.types[0])
        jira.connector.say(SCOPE, record, "internal", "not for everyone")
        now = jira.record(record.ref.id)
        assert (now.project, now.comments) == ("OPS", None)
        (comment,) = jira.connector.discussions(SCOPE, [record.ref.id])[record.ref.id]
        assert comment.channel == "internal"
        jira.connector.close()
        jira.server.stop()

    def test_an_issue_without_comments_costs_no_call(self, desk: DataCenterHarness) -> None:
        id = desk.person_creates("talk")
        assert desk.connector.discussions(SCOPE, [id]) == {id: ()}
        assert asked(desk) == ["POST search"]


class TestSigningIn:
    @pytest.mark.parametrize("auth", [PAT, PASSWORD], ids=["token", "password"])
    def test_both_families_open(self, jira: DataCenterHarness, auth: Auth) -> None:
        assert Jira("jira", jira.server.url, auth, jira.clock).open([SCOPE]).problems == ()

    def test_a_password_beyond_latin_1_is_sent_as_utf_8(self, jira: DataCenterHarness) -> None:
        handle, sent = jira.tracker.handle, list[str]()

        def noting(request: Request) -> Answer:
            sent.append(base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
            return handle(request)

        jira.tracker.handle = noting  # type: ignore[method-assign]
        jira.auth = UserPassword("jőzsef", Secret("pässwőrd€"))
        with pytest.raises(LockedOut):
            jira.build().open([SCOPE])
        assert sent == ["jőzsef:pässwőrd€"]

    def test_three_wrong_passwords_lock_the_account_and_we_say_what_to_do(self, jira: DataCenterHarness) -> None:
        jira.auth = PASSWORD
        for _ in range(3):
            with pytest.raises(LockedOut):
                jira.build(wrong_password=True).open([SCOPE])
        with pytest.raises(LockedOut, match="CAPTCHA"):
            jira.build().open([SCOPE])
        assert jira.connector.open([SCOPE]).problems == ()

    def test_switched_off_passwords_are_told(self, jira: DataCenterHarness) -> None:
        jira.tracker.passwords = False
        with pytest.raises(LockedOut, match="personal access token"):
            Jira("jira", jira.server.url, PASSWORD, jira.clock).open([SCOPE])

    def test_being_served_as_anonymous_is_no_empty_jira(self, jira: DataCenterHarness) -> None:
        jira.tracker.lenient = True
        with pytest.raises(LockedOut, match="anonymous"):
            jira.build(wrong_password=True).open([SCOPE])

    def test_experimental_methods_get_the_header_that_they_insist_on(self, jira: DataCenterHarness) -> None:
        jira.tracker.experimental = True
        assert jira.connector.open([SCOPE]).problems == ()


class TestOpening:
    def test_labels_off_the_create_screen_are_told(self) -> None:
        project = projects(USERS)[0]
        bare = replace(project.types[0], create=tuple(name for name in project.types[0].create if name != "labels"))
        made = DataCenterHarness(SCOPE, projects=[replace(project, types=(bare, *project.types[1:]))])
        ((_, name, sentence),) = made.connector.open([SCOPE]).problems
        assert (name, sentence) == ("labels", "put Labels on the create screen of Bug in project CSPM")
        made.server.stop()

    def test_wrong_names_values_and_missing_rights_are_told_at_once(self, jira: DataCenterHarness) -> None:
        jira.tracker.deny("Lockstep", "CSPM", "TRANSITION_ISSUES")
        scope = replace(SCOPE, fields=("nosuch",), where=(("priority", ("Urgent",)),))
        elsewhere = replace(SCOPE, side="other", project="NOPE")
        told = {name: sentence for _, name, sentence in jira.connector.open([scope, elsewhere]).problems}
        assert set(told) == {"nosuch", "Urgent", "", "NOPE"} and "Transition issues" in told[""]

    def test_a_look_around_for_the_admin_knows_which_jira_it_is(self, jira: DataCenterHarness) -> None:
        jira.person_creates("a")
        told = jira.connector.describe([SCOPE])
        assert (told.product, told.version, told.account) == ("Jira Data Center", "10.3.24", "Lockstep")
        assert [step.to for step in told.items["defect"].steps["To Do"]] == ["In Progress"]

    def test_the_librarys_own_search_takes_our_session_for_a_server(self, jira: DataCenterHarness) -> None:
        """On a session that it takes for Cloud it would ask for ``search/jql``, which is not there (jira 3.10)."""
        jira.person_creates("a")
        found = jira.connector.client.session().search_issues("project = CSPM", json_result=True, use_post=True)
        assert isinstance(found, dict) and found["total"] == 1
        assert asked(jira) == ["POST search"]


class TestLimits:
    def test_an_empty_bucket_rests_us_until_the_next_tokens(self, jira: DataCenterHarness) -> None:
        """429 with a page of HTML (recorded: ahungry/org-jira #365)."""
        id = jira.person_creates("a")
        jira.tracker.rates = replace(jira.tracker.rates, on=True, most=2, fill=2, interval=120)
        for _ in range(2):
            jira.record(id)
        with pytest.raises(Busy) as caught:
            jira.record(id)
        assert caught.value.until - jira.clock.now() <= timedelta(seconds=120)
        jira.clock.set(caught.value.until)
        assert jira.record(id).ref.id == id

    def test_a_retry_after_of_nought_beside_an_answer_is_no_rest(self, jira: DataCenterHarness) -> None:
        """It stands on every answer while there are tokens (Atlassian Support, "Rate limiting: HTTP headers")."""
        id = jira.person_creates("a")
        jira.tracker.rates = replace(jira.tracker.rates, on=True, most=1000)
        start = jira.clock.now()
        for _ in range(5):
            jira.record(id)
        assert jira.clock.now() == start


def test_a_step_that_somebody_took_first_is_refused_with_jiras_words(jira: DataCenterHarness) -> None:
    record = jira.record(jira.person_creates("old"))
    between(jira, lambda: jira.person_moves(record.ref.id), 2)
    with pytest.raises(Refused, match="somebody has changed the issue recently"):
        jira.connector.update(SCOPE, record, Change(state="In Progress"))


def test_every_kind_of_value_comes_back_as_it_was_written(jira: DataCenterHarness) -> None:
    record = jira.record(jira.person_creates("old"))
    fields: dict[str, Native] = {
        "summary": "new",
        "description": "[~a] {x}",
        "priority": "Low",
        "labels": ("b", "c"),
        "fixVersions": ("26.05",),
        "customfield_10041": "2.5",
        "customfield_10042": "Minor",
        "customfield_10046": ("Alameda",),
        "assignee": "Ana Ruiz",
    }
    updated = jira.connector.update(SCOPE, record, Change(fields))
    assert {name: updated.fields[name] for name in fields} == fields


def test_a_gone_issue_is_gone_whatever_is_done(jira: DataCenterHarness) -> None:
    record: Record = jira.record(jira.person_creates("old"))
    jira.person_removes(record.ref.id)
    for act in (
        lambda: jira.connector.update(SCOPE, record, Change(state="In Progress")),
        lambda: jira.connector.say(SCOPE, record, "everyone", "x"),
        lambda: jira.connector.show(SCOPE, record, jira.mark(), "INC1", "https://a.example"),
    ):
        with pytest.raises(Gone):
            act()
    assert jira.connector.discussions(SCOPE, [record.ref.id]) == {}


def test_a_step_taken_whose_fields_cannot_follow_is_unsure(jira: DataCenterHarness) -> None:
    """What the issue takes is asked for after the step: nothing that fails then was certainly not applied."""
    record = jira.record(jira.person_creates("old"))
    jira.fault("answer", ("GET", "/editmeta$"), answer=Answer(500))
    with pytest.raises(Unsure, match="was moved to In Progress"):
        jira.connector.update(SCOPE, record, Change(state="In Progress", with_state={"description": "x"}))
    assert jira.tracker.item(record.ref.id)["status"] == "In Progress"


def test_a_write_whose_reading_back_fails_is_unsure(jira: DataCenterHarness) -> None:
    record = jira.record(jira.person_creates("old"))
    jira.fault("answer", ("GET", "/issue/[0-9]+$"), answer=Answer(500))
    with pytest.raises(Unsure, match="was written"):
        jira.retitled(record)
    assert jira.tracker.item(record.ref.id)["summary"] == "new"


def by_token(text: str) -> str:
    """The demo's file for a Data Center: a personal access token, and no user beside it."""
    signing_in = 'auth = { user = "lockstep@example.org", token = { env = "JIRA_TOKEN" } }'
    assert signing_in in text
    return text.replace(signing_in, 'auth = { token = { env = "JIRA_TOKEN" } }')


@pytest.fixture(params=[1, 3], ids=["one node", "three nodes"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The demo's three trackers, with a Data Center in the place of Jira Cloud."""
    clock = SandboxClock(MORNING)
    users = (replace(BOT, token=JIRA_TOKEN), *USERS[1:])
    jira = DataCenter("jira", clock, users=users, nodes=request.param, index_lag=timedelta(seconds=20))
    made = World(tmp_path, by_token, Estate(jira=jira, clock=clock))
    yield made
    made.close()


def linked(world: World) -> tuple[str, str, str]:
    """An incident, its defect and its PBI: their ids. What people do shows on every node a minute later."""
    incident, defect, _ = world.linked(pbi=False)
    jira = world.estate.jira
    jira.update(defect, {"labels": [*jira.item(defect)["labels"], "dev"]}, by=ANA)
    world.later(minutes=1)
    world.settle()
    return incident, defect, world.estate.azure.ids()[-1]


def test_a_defect_side_in_data_center_is_opened_followed_and_finished(world: World) -> None:
    incident, defect, pbi = linked(world)
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    snow.comment(incident, "from the county", SAM)
    jira.comment(defect, "from the analyst", ANA)
    azure.comment(pbi, "from the developer", CHEN)
    jira.update(defect, {"summary": "Pool exhausted", "customfield_10044": "fixed the pool"}, by=BEN)
    jira.move(defect, "Done", by=BEN, resolution="Done")
    world.later(minutes=1)
    world.settle()
    for place in (("servicenow", incident), ("jira", defect), ("azure", pbi)):
        for text in ("from the county", "from the analyst", "from the developer"):
            assert copies_of(text, world.words(*place)) == 1, (place, text)
    assert snow.item(incident)["short_description"] == "Pool exhausted"
    assert snow.state_of(incident) == "Resolved" and azure.item(pbi)["System.State"] == "Done"
    assert world.engine.store.held() == []


@pytest.mark.parametrize("lose_state", [False, True], ids=["state kept", "state deleted"])
def test_a_data_center_read_again_whole_is_written_nothing(world: World, lose_state: bool) -> None:
    incident, _, pbi = linked(world)
    world.estate.servicenow.comment(incident, "since nine", SAM)
    world.estate.azure.comment(pbi, "reproduced", CHEN)
    world.settle()
    world.later(hours=1)
    world.restart(lose_state=lose_state)
    with world.counting() as asked_for:
        passes = world.reconcile()
    assert [line for line in writes(asked_for) if not line.endswith("/rest/api/2/search")] == []
    assert passes[-1].quiet and world.engine.store.counts()["links"] == 1
