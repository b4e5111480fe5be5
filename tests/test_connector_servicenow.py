"""The ServiceNow connector through pysnow over HTTP: the contract, exact call counts, and what only ServiceNow does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from types import MappingProxyType
from typing import Any

import pytest
import responses

from connectors.auth import Bearer, Secret, UserPassword
from connectors.base import Busy, Down, Failure, Gone, LockedOut, Refused, Unsure
from connectors.servicenow import ServiceNow
from mappings.model import Change, Mark, Scope
from sandbox.faults import Faults
from sandbox.server import RequestLog, Server
from sandbox.servicenow import Model
from sandbox.servicenow import ServiceNow as Instance
from sandbox.servicenow.model import HOLD_REASONS
from sandbox.wire import Answer, Request
from tests.contract import Harness, HttpContract, changes, settable_clock

PASSWORD = "cörrect horse"
SCOPE = Scope(
    side="incident",
    mark="lockstep-acme",
    table="incident",
    where=(("assignment_group", ("App Support", "Data, Reporting")), ("category", ("Software", "inquiry"))),
    fields=("short_description", "description", "impact", "urgency", "assignment_group", "caller_id", "close_code"),
)
TABLE = "/api/now/table/incident"


class SnowHarness(Harness):
    connector: ServiceNow
    name = "snow"
    kind = "incident"
    title_field = "short_description"
    draft_fields = MappingProxyType({"assignment_group": "App Support", "category": "software"})
    channel = "comments"
    with_state = MappingProxyType({"close_code": "Solution provided", "close_notes": "Replaced the cable."})
    create_call = ("POST", f"{TABLE}$")
    update_call = ("PUT|PATCH", f"{TABLE}/")
    read_call = ("GET", f"{TABLE}$")
    say_call = ("PATCH", f"{TABLE}/")
    mark_natives = frozenset({"correlation_id", "correlation_display"})
    can_be_occupied = True
    no_such_id = "0" * 32
    secrets = (PASSWORD, "Y8O2cnJlY3QgaG9yc2U", "wrong one")

    def __init__(self, model: Model | None = None) -> None:
        self.scope, self.clock, self.faults, self.log = SCOPE, settable_clock(), Faults(), RequestLog()
        self.tracker = Instance("snow", self.clock, users={"lockstep": PASSWORD}, model=model)
        self.tracker.data.named("sys_user_group", "Data, Reporting")
        self.tracker.data.named("sys_user_group", "App Support")
        self.server = Server(self.tracker, self.clock, self.faults, self.log).start()
        self.connector = self.build()

    def build(self, *, wrong_password: bool = False, port: int = 0, page: int = 0, **options: object) -> ServiceNow:
        auth = UserPassword("lockstep", Secret("wrong one" if wrong_password else PASSWORD))
        url = f"http://127.0.0.1:{port or self.server.port}"
        return ServiceNow("snow", url, auth, self.clock, page=page, **options)  # type: ignore[arg-type]

    def person_creates(self, title: str) -> str:
        fields = {"short_description": title, "assignment_group": "App Support", "category": "software"}
        return str(self.tracker.create(fields, "jane"))

    def person_creates_outside(self, title: str) -> str:
        return str(self.tracker.create({"short_description": title, "assignment_group": "Network"}, "jane"))

    def person_comments(self, id: str, text: str) -> str:
        return str(self.tracker.comment(id, text, "beth.anglin"))

    def person_retitles(self, id: str, title: str) -> None:
        self.tracker.update(id, {"short_description": title}, "jane")

    def person_moves(self, id: str) -> str:
        self.tracker.move(id, "On Hold:Awaiting Vendor", "beth.anglin")
        return "On Hold:Awaiting Vendor"

    def person_moves_out(self, id: str) -> None:
        self.tracker.update(id, {"assignment_group": "Network"}, "beth.anglin")

    def person_occupies(self, id: str) -> None:
        self.tracker.update(id, {"correlation_id": "other-tool-77", "correlation_display": "Other Tool"}, "other")

    def person_removes(self, id: str) -> None:
        self.tracker.delete(id, "admin")

    def states_forward(self) -> str:
        return "Resolved"

    def refused_change(self) -> tuple[Change, str]:
        return Change(state="Resolved", with_state={"close_code": "Solution provided"}), "close_notes"

    def looks_inert(self, stored: str) -> bool:
        return "[code]" not in stored.lower() and "[/code]" not in stored.lower()


@pytest.fixture
def harness() -> Iterator[SnowHarness]:
    harness = SnowHarness()
    harness.connector.open([harness.scope])
    harness.log.clear()
    yield harness
    harness.connector.close()
    harness.server.stop()


class TestServiceNowContract(HttpContract):
    pass


def queries(harness: SnowHarness, name: str = "sysparm_query") -> list[str]:
    return [entry.query.get(name, [""])[0] for entry in harness.log.entries]


def scope(**changed: object) -> Scope:
    return replace(SCOPE, **changed)  # type: ignore[arg-type]


class TestCallCounts:
    def test_opening_is_two_calls_two_for_each_table_and_one_for_each_name_in_a_scope(
        self, harness: SnowHarness
    ) -> None:
        harness.connector.open([scope(where=()), scope(side="second", where=()), scope(table="problem", where=())])
        assert harness.sent() == 2 + 2 * 2
        harness.log.clear()
        harness.connector.open([SCOPE])
        assert harness.sent() == 2 + 2 + len(SCOPE.where[0][1])

    @pytest.mark.parametrize(("items", "calls"), [(0, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
    def test_changes_are_one_call_a_page_and_never_one_more(self, harness: SnowHarness, items: int, calls: int) -> None:
        for n in range(items):
            harness.person_creates(f"item {n}")
        small = harness.build(page=3)
        small.open([SCOPE])
        harness.log.clear()
        changes(small, SCOPE)
        assert harness.sent() == calls

    def test_one_item_s_life_is_one_call_a_step(self, harness: SnowHarness) -> None:
        record = harness.made("made")
        record = harness.retitled(record)
        harness.connector.say(SCOPE, record, "work_notes", "Noted.")
        theirs = harness.record(harness.person_creates("theirs"))
        harness.connector.adopt(SCOPE, theirs, harness.mark())
        harness.connector.find_made(SCOPE, harness.mark(), record.created)
        harness.connector.show(SCOPE, record, harness.mark(), "ABC-1", "https://x.example/ABC-1")
        assert [e.method for e in harness.log.entries] == "POST PATCH PATCH GET PATCH GET".split()

    def test_reads_and_discussions_are_batched_by_the_length_of_an_address(self, harness: SnowHarness) -> None:
        made = [harness.person_creates(f"item {n}") for n in range(400)]
        for id in made:
            harness.person_comments(id, "a word")
        assert all(harness.connector.read(SCOPE, made).values())
        assert harness.sent() == 3
        harness.log.clear()
        assert all(harness.connector.discussions(SCOPE, made).values())
        assert (harness.sent(("GET", "sys_journal_field")), harness.sent(("GET", "sys_user"))) == (2, 1)
        harness.connector.discussions(SCOPE, made)
        assert harness.sent(("GET", "sys_user")) == 1

    def test_many_discussions_come_from_the_whole_journal_where_that_is_fewer_calls(self, harness: SnowHarness) -> None:
        made = [harness.person_creates(f"item {n}") for n in range(1500)]
        for id in made[:50]:
            harness.person_comments(id, f"of {id}")
        found = harness.connector.discussions(SCOPE, made)
        assert harness.sent(("GET", "sys_journal_field")) == 1
        assert [found[id][0].text for id in made[:50]] == [f"of {id}" for id in made[:50]]

    def test_a_journal_that_is_too_wide_is_read_by_ids_and_not_tried_again(self, harness: SnowHarness) -> None:
        made = [harness.person_creates(f"item {n}") for n in range(1500)]
        for id in made[:50]:
            harness.person_comments(id, f"of {id}")
        small = harness.build(page=4)
        small.open([SCOPE])
        harness.log.clear()
        assert sum(map(len, small.discussions(SCOPE, made).values())) == 50
        first = harness.sent(("GET", "sys_journal_field"))
        small.discussions(SCOPE, made)
        assert harness.sent(("GET", "sys_journal_field")) == 2 * first - 1


class TestNoticing:
    def test_rows_that_may_not_be_read_empty_whole_pages_and_hide_nothing_behind_them(
        self, harness: SnowHarness
    ) -> None:
        made = [harness.person_creates(f"item {n}") for n in range(20)]
        visible = {made[0], *made[15:17]}
        harness.tracker.rights.hidden = set(made) - visible
        small = harness.build(page=2)
        small.open([SCOPE])
        assert {n.ref.id for n in changes(small, SCOPE)[0]} == visible

    def test_more_than_a_page_in_one_second_comes_whole_and_once(self, harness: SnowHarness) -> None:
        made = [harness.person_creates(f"item {n}") for n in range(25)]
        small = harness.build(page=4)
        small.open([SCOPE])
        found = [n.ref.id for n in changes(small, SCOPE)[0]]
        assert sorted(found) == sorted(made)

    def test_a_row_committed_late_is_noticed_although_its_stamp_lies_behind_the_cursor(
        self, harness: SnowHarness
    ) -> None:
        late = harness.person_creates("late")
        harness.clock.advance(timedelta(minutes=10))
        harness.tracker.commit_delay = timedelta(seconds=40)
        harness.person_retitles(late, "seen late")
        harness.tracker.commit_delay = timedelta(0)
        harness.clock.advance(timedelta(seconds=30))
        harness.person_creates("newer")
        notices, cursor = changes(harness.connector, SCOPE)
        assert "seen late" not in {n.record.fields["short_description"] for n in notices if n.record}
        harness.clock.advance(timedelta(seconds=15))
        notices, _ = changes(harness.connector, SCOPE, cursor)
        assert "seen late" in {n.record.fields["short_description"] for n in notices if n.record}

    def test_a_filter_that_the_instance_passes_over_lets_nothing_in(self, harness: SnowHarness) -> None:
        harness.person_creates("anything")
        wrong = scope(where=(("no_such_column", ("x",)),))
        assert changes(harness.connector, wrong)[0] == []
        assert harness.connector.open([wrong]).problems[0][1] == "no_such_column"

    def test_stamps_are_asked_for_in_utc_and_journals_never(self, harness: SnowHarness) -> None:
        harness.person_creates("anything")
        _, cursor = changes(harness.connector, SCOPE)
        changes(harness.connector, SCOPE, cursor)
        assert cursor.startswith("2026-01-05 08:00:0")
        assert "sys_updated_on>=2026-01-05 07:59:0" in queries(harness)[-1]
        asked = ",".join(queries(harness, "sysparm_fields")).split(",")
        assert not {"comments", "work_notes", "comments_and_work_notes", ""} & set(asked)

    def test_no_cookie_is_sent_back(self, harness: SnowHarness) -> None:
        harness.tracker.gate.session_busy = True
        for n in range(3):
            assert harness.record(harness.person_creates(f"item {n}")).ref

    def test_a_cancelled_transaction_is_asked_for_less(self, harness: SnowHarness) -> None:
        made = harness.person_creates("anything")
        told = {"message": "Transaction cancelled: maximum execution time exceeded", "detail": "too long"}
        partial = Answer.of({"result": [], "error": told, "status": "failure"})
        harness.fault("answer", harness.read_call, times=4, answer=partial)
        assert [n.ref.id for n in changes(harness.connector, SCOPE)[0]] == [made]
        assert queries(harness, "sysparm_limit") == ["10000"] * 4 + ["2500"]

    def test_a_caret_in_a_scope_is_a_problem_and_no_query(self, harness: SnowHarness) -> None:
        wrong = scope(where=(("short_description", ("x^ORsys_idISNOTEMPTY",)),))
        assert harness.connector.open([wrong]).problems[0][1] == "short_description"
        with pytest.raises(Refused):
            changes(harness.connector, wrong)


class TestOpening:
    def test_every_unknown_name_is_told_at_once(self, harness: SnowHarness) -> None:
        wrong = scope(
            where=(("assignment_group", ("App Support", "Nobody")), ("category", ("Softwaer",))),
            fields=("short_description", "u_none"),
            mark_fields=("u_mark", "correlation_id"),
        )
        names = [name for _, name, _ in harness.connector.open([wrong]).problems]
        assert sorted(names) == ["assignment_group", "category", "u_mark", "u_none"]

    def test_an_unknown_table_is_a_sentence(self, harness: SnowHarness) -> None:
        problems = harness.connector.open([scope(table="incidnet")]).problems
        assert len(problems) == 1 and "incidnet" in problems[0][2]

    def test_a_hidden_dictionary_is_told_and_reading_goes_on(self, harness: SnowHarness) -> None:
        harness.tracker.rights.unreadable = {"sys_dictionary"}
        connector = harness.build()
        assert "sys_dictionary" in connector.open([SCOPE]).problems[0][2]
        id = harness.person_creates("still")
        assert connector.read(SCOPE, [id])[id].fields["assignment_group"] == "App Support"  # type: ignore[union-attr]

    def test_a_bearer_token_signs_in(self, harness: SnowHarness) -> None:
        harness.tracker.gate.tokens["tok-123"] = "lockstep"
        connector = ServiceNow("snow", harness.server.url, Bearer(Secret("tok-123")), harness.clock)
        assert connector.open([SCOPE]).account == "lockstep"

    def test_closed_incidents_and_problems_are_never_left(self, harness: SnowHarness) -> None:
        harness.connector.open([SCOPE, scope(table="problem")])
        assert harness.connector.final(SCOPE) == harness.connector.final(scope(table="problem")) == {"Closed"}
        id = harness.person_creates("shut")
        harness.tracker.move(id, "Closed", by="abel", close_code="Solution provided", close_notes="done")
        with pytest.raises(Refused):
            harness.connector.update(SCOPE, harness.record(id), Change(state="In Progress"))

    def test_states_are_those_of_the_choices(self, harness: SnowHarness) -> None:
        held = [f"On Hold:{reason}" for reason in HOLD_REASONS.values()]
        states = ["New", "In Progress", "On Hold", "Resolved", "Closed", "Canceled"]
        assert sorted(harness.connector.states(SCOPE)) == sorted(states + held)
        assert "Root Cause Analysis" in harness.connector.states(scope(table="problem"))
        assert {"short_description", "hold_reason"} <= harness.connector.fields_known(SCOPE)


class TestStates:
    def test_a_hold_reason_is_part_of_the_state_both_ways(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("held"))
        held = harness.connector.update(SCOPE, record, Change(state="On Hold:Awaiting Problem"))
        assert held.state == "On Hold:Awaiting Problem"
        assert harness.tracker.item(record.ref.id)["hold_reason"] == "3"
        assert harness.connector.update(SCOPE, held, Change(state="In Progress")).state == "In Progress"
        assert "hold_reason" not in harness.tracker.item(record.ref.id)

    def test_awaiting_caller_asks_for_words_and_names_them(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("held"))
        with pytest.raises(Refused) as caught:
            harness.connector.update(SCOPE, record, Change(state="On Hold:Awaiting Caller"))
        assert caught.value.fields == ("comments",)
        told = Change(state="On Hold:Awaiting Caller", with_state={"comments": "Which floor?"})
        assert harness.connector.update(SCOPE, record, told).state == "On Hold:Awaiting Caller"

    def test_the_caller_s_reply_moves_the_record_under_us(self, harness: SnowHarness) -> None:
        id = harness.person_creates("held")
        harness.tracker.move(id, "On Hold:Awaiting Caller", "beth.anglin", comments="Which floor?")
        harness.tracker.comment(id, "The third.", "jane")
        assert harness.record(id).state == "In Progress"

    def test_both_missing_fields_of_a_resolution_are_named(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("done"))
        with pytest.raises(Refused) as caught:
            harness.connector.update(SCOPE, record, Change(state="Resolved"))
        assert caught.value.fields == ("close_code", "close_notes")
        assert "Data Policy Exception" in str(caught.value)

    def test_a_closed_incident_cannot_be_reopened_and_the_rule_is_named(self, harness: SnowHarness) -> None:
        id = harness.person_creates("over")
        harness.tracker.move(id, "Closed", "beth.anglin", close_code="Solution provided", close_notes="Done.")
        with pytest.raises(Refused, match="Business Rule"):
            harness.connector.update(SCOPE, harness.record(id), Change(state="In Progress"))
        assert harness.connector.say(SCOPE, harness.record(id), "work_notes", "Too late.").version

    def test_a_value_without_a_choice_is_the_raw_value(self, harness: SnowHarness) -> None:
        id = harness.person_creates("odd")
        harness.tracker.move(id, "-100", "beth.anglin")
        assert harness.record(id).state == "-100"
        record = harness.record(harness.person_creates("odd too"))
        assert harness.connector.update(SCOPE, record, Change(state="-100")).state == "-100"

    def test_a_replayed_log_brings_its_own_states(self) -> None:
        names = "New, Active, Awaiting User Info, Awaiting Vendor, Resolved, Closed".split(", ")
        states = {str(n): name for n, name in enumerate(names, 1)}
        own = Model(states=states, hold_reasons={}, on_hold="", awaiting_caller="", mandatory={}, final=())
        own.resolved, own.closed, own.inactive = "5", "6", ("6",)
        harness = SnowHarness(own)
        harness.connector.open([SCOPE])
        record = harness.record(harness.person_creates("replayed"))
        for state in ("Awaiting Vendor", "Closed", "Active"):
            record = harness.connector.update(SCOPE, record, Change(state=state))
            assert record.state == state
        assert sorted(harness.connector.states(SCOPE)) == sorted(names)
        harness.server.stop()


class TestFields:
    def test_a_reference_is_written_by_name_and_looked_up_once(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("to move"))
        harness.log.clear()
        for name in ("Data, Reporting", "App Support", "Data, Reporting"):
            record = harness.connector.update(SCOPE, record, Change({"assignment_group": name}))
            assert record.fields["assignment_group"] == name
        assert harness.sent(("GET", "sys_user_group")) == 0
        assert harness.tracker.item(record.ref.id)["assignment_group"] == "Data, Reporting"

    def test_a_person_is_found_by_name_user_name_or_address(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("for beth"))
        harness.tracker.data.named("sys_user", "beth.anglin")
        for called in ("Beth Anglin", "beth.anglin", "beth.anglin@example.com"):
            record = harness.connector.update(SCOPE, record, Change({"caller_id": called}))
            assert record.fields["caller_id"] == "Beth Anglin"

    @pytest.mark.parametrize(("name", "told"), [("Nobody", "no record"), ("Twins", "several records")])
    def test_a_name_of_none_or_several_is_refused(self, harness: SnowHarness, name: str, told: str) -> None:
        for _ in range(2):
            harness.tracker.data.insert("sys_user_group", {"name": "Twins"}, "admin", harness.clock.now())
        record = harness.record(harness.person_creates("to move"))
        with pytest.raises(Refused, match=told) as caught:
            harness.connector.update(SCOPE, record, Change({"assignment_group": name}))
        assert caught.value.fields == ("assignment_group",)
        assert harness.record(record.ref.id).version == record.version

    def test_a_list_of_people_is_a_tuple_of_names(self, harness: SnowHarness) -> None:
        wide = scope(fields=("watch_list", "short_description"))
        for name in ("Ann Bee", "Cat Dee"):
            harness.tracker.data.named("sys_user", name)
        record = harness.record(harness.person_creates("watched"))
        updated = harness.connector.update(wide, record, Change({"watch_list": ("Ann Bee", "Cat Dee")}))
        assert updated.fields["watch_list"] == ("Ann Bee", "Cat Dee")
        assert harness.connector.update(wide, updated, Change({"watch_list": ()})).fields["watch_list"] is None

    def test_natives_are_raw_values_names_of_references_and_none(self, harness: SnowHarness) -> None:
        fields = dict(harness.record(harness.person_creates("plain")).fields)
        assert fields == {
            "short_description": "plain",
            "description": None,
            "impact": "3",
            "urgency": "3",
            "assignment_group": "App Support",
            "caller_id": "Jane",
            "close_code": None,
        }

    def test_a_field_that_is_kept_from_us_is_none(self, harness: SnowHarness) -> None:
        harness.tracker.rights.hidden_fields = {("incident", "short_description")}
        assert harness.record(harness.person_creates("secret")).fields["short_description"] is None

    def test_a_title_too_long_is_cut_with_an_ellipsis(self, harness: SnowHarness) -> None:
        record = harness.retitled(harness.record(harness.person_creates("old")), "x" * 200)
        assert record.fields["short_description"] == "x" * 159 + "…"

    def test_priority_is_written_as_impact_and_urgency(self, harness: SnowHarness) -> None:
        wide = scope(fields=("priority",))
        record = harness.record(harness.person_creates("urgent"))
        change = Change({"impact": "1", "urgency": "2", "priority": "5"})
        assert harness.connector.update(wide, record, change).fields["priority"] == "2"

    def test_a_field_we_may_not_write_shows_in_the_answer(self, harness: SnowHarness) -> None:
        harness.tracker.rights.unwritable = {("incident", "short_description")}
        assert harness.retitled(harness.record(harness.person_creates("old"))).fields["short_description"] == "old"

    def test_a_missing_right_to_write_is_refused(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.tracker.rights.denied = {("update", "incident")}
        with pytest.raises(Refused, match="security constraints"):
            harness.retitled(record)


class TestMarks:
    def test_adopting_says_so_when_the_mark_fields_cannot_be_written(self, harness: SnowHarness) -> None:
        record = harness.record(harness.person_creates("theirs"))
        harness.tracker.rights.unwritable = {("incident", "correlation_id")}
        with pytest.raises(Refused, match="grant write"):
            harness.connector.adopt(SCOPE, record, harness.mark())

    def test_other_columns_can_carry_mark_and_keys(self, harness: SnowHarness) -> None:
        other = scope(mark_fields=("correlation_id", "user_input"))
        record = harness.connector.create(other, harness.draft("made"))
        assert record.mark == harness.mark()
        assert harness.tracker.item(record.ref.id)["correlation_id"] == SCOPE.mark

    def test_a_key_with_a_caret_is_refused_before_anything_is_sent(self, harness: SnowHarness) -> None:
        with pytest.raises(Refused):
            harness.connector.find_made(SCOPE, Mark(SCOPE.mark, made="a^ORb"), harness.clock.now())
        assert harness.sent() == 0


class TestJournal:
    def test_a_journal_that_shows_nothing_counts_as_unreadable_until_a_row_was_seen(self, harness: SnowHarness) -> None:
        harness.tracker.rights.journal_readable = False
        id = harness.person_creates("talk")
        harness.person_comments(id, "hidden")
        connector = harness.build()
        connector.open([SCOPE])
        assert not connector.journal_seen
        with pytest.raises(Refused, match="sys_journal_field"):
            connector.discussions(SCOPE, [id])
        harness.tracker.rights.journal_readable = True
        assert [c.text for c in connector.discussions(SCOPE, [id])[id]] == ["hidden"]
        assert connector.journal_seen

    def test_what_was_seen_once_is_remembered_by_the_caller(self, harness: SnowHarness) -> None:
        id = harness.person_creates("silent")
        connector = harness.build()
        connector.open([SCOPE])
        connector.journal_seen = True
        assert connector.discussions(SCOPE, [id]) == {id: ()}

    def test_comments_and_work_notes_keep_their_channel_and_their_author_s_name(self, harness: SnowHarness) -> None:
        id = harness.person_creates("talk")
        harness.tracker.comment(id, "for all", "beth.anglin")
        harness.tracker.comment(id, "among us", "Jörg Ümlaut", channel="work_notes")
        found = harness.connector.discussions(SCOPE, [id])[id]
        assert {(c.channel, c.author, c.account, c.text) for c in found} == {
            ("comments", "Beth Anglin", "beth.anglin", "for all"),
            ("work_notes", "Jörg Ümlaut", "Jörg Ümlaut", "among us"),
        }

    def test_names_that_cannot_be_looked_up_are_user_names(self, harness: SnowHarness) -> None:
        id = harness.person_creates("talk")
        harness.person_comments(id, "hello")
        harness.tracker.rights.unreadable = {"sys_user"}
        (comment,) = harness.connector.discussions(SCOPE, [id])[id]
        assert comment.author == "beth.anglin"

    def test_names_that_cannot_be_asked_for_at_the_moment_are_not_given_up(self, harness: SnowHarness) -> None:
        id = harness.person_creates("talk")
        harness.person_comments(id, "hello")
        down = harness.fault("answer", ("GET", "sys_user$"), answer=Answer(500))
        with pytest.raises(Down):
            harness.connector.discussions(SCOPE, [id])
        harness.faults.rules.remove(down)
        assert harness.connector.discussions(SCOPE, [id])[id][0].author == "Beth Anglin"

    def test_the_words_of_the_real_text_come_back_with_one_kind_of_line_end(self, harness: SnowHarness) -> None:
        id = harness.person_creates("talk")
        harness.person_comments(id, "one\r\ntwo\rthree  \n\n")
        assert harness.connector.discussions(SCOPE, [id])[id][0].text == "one\ntwo\nthree"

    @pytest.mark.parametrize("text", ["long words " * 20_000, "\U0001f680" * 999_000], ids=["words", "four bytes each"])
    def test_a_long_comment_goes_whole(self, harness: SnowHarness, text: str) -> None:
        record = harness.record(harness.person_creates("talk"))
        harness.connector.say(SCOPE, record, "comments", text)
        assert harness.connector.discussions(SCOPE, [record.ref.id])[record.ref.id][0].text == text.rstrip()

    def test_an_unknown_channel_is_refused(self, harness: SnowHarness) -> None:
        with pytest.raises(Refused, match="work_notes"):
            harness.connector.say(SCOPE, harness.record(harness.person_creates("talk")), "everyone", "x")


class TestAnswers:
    """What an instance, or something in front of it, answers instead of a result."""

    def test_202_on_a_write_is_unsure(self, harness: SnowHarness) -> None:
        harness.fault("answer", harness.create_call, times=1, answer=Answer(202))
        with pytest.raises(Unsure, match="202"):
            harness.made("queued")

    def test_an_error_beside_a_result_is_no_success(self, harness: SnowHarness) -> None:
        row = {"sys_id": "0" * 32, "sys_mod_count": "4"}
        both = Answer.of({"result": row, "error": {"message": "Row transform failed", "detail": None}})
        record = harness.record(harness.person_creates("old"))
        harness.fault("answer", harness.update_call, times=1, answer=both)
        with pytest.raises(Unsure, match="Row transform failed"):
            harness.retitled(record)

    def test_the_hour_s_limit_is_a_rest_until_it_is_over(self, harness: SnowHarness) -> None:
        id = harness.person_creates("a")
        harness.tracker.gate.rate_limit = 3
        for _ in range(3):
            harness.record(id)
        with pytest.raises(Busy) as caught:
            harness.record(id)
        assert abs(caught.value.until - harness.clock.now() - timedelta(hours=1)) < timedelta(seconds=10)
        harness.clock.set(caught.value.until + timedelta(seconds=1))
        assert harness.record(id)

    def test_a_full_queue_without_a_header_is_a_rest_of_seconds(self, harness: SnowHarness) -> None:
        id = harness.person_creates("a")
        harness.fault("answer", harness.read_call, times=1, answer=Answer(429))
        with pytest.raises(Busy) as caught:
            harness.record(id)
        assert caught.value.until - harness.clock.now() <= timedelta(seconds=10)

    @pytest.mark.parametrize(
        ("options", "failure"),
        [
            ({"body": '<html><form action="login.do"><input type="password">', "content_type": "text/html"}, LockedOut),
            ({"body": "<html>Your instance is hibernating</html>", "content_type": "text/html"}, Down),
            ({"body": '{"result": [{"sys_id": "1', "content_type": "application/json"}, Down),
            ({"body": "", "content_type": "application/json"}, Down),
            ({"body": "[]", "content_type": "application/json"}, Down),
            ({"body": "{}", "content_type": "application/json"}, Down),
            ({"body": '{"result": {}}', "content_type": "application/json"}, Down),
            ({"body": '{"result": ["x"]}', "content_type": "application/json"}, Down),
            ({"body": '{"error": "out of memory"}', "content_type": "application/json"}, Down),
            ({"body": '{"result": []}', "content_type": "text/plain"}, None),
            ({"body": '{"error": "User Not Authenticated"}', "status": 401}, LockedOut),
            ({"body": '{"error": {"message": "No Record found", "detail": "x"}}', "status": 404}, Gone),
            ({"body": '{"error": {"message": "Invalid table x", "detail": null}}', "status": 404}, Refused),
            ({"body": "Forbidden", "status": 403}, Refused),
        ],
    )
    def test_a_malformed_answer_to_a_read_is_named(
        self, harness: SnowHarness, options: dict[str, Any], failure: type[Failure] | None
    ) -> None:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
            wire.add(responses.GET, f"{harness.server.url}{TABLE}", **options)
            if failure is None:
                assert harness.connector.read(SCOPE, ["0" * 32]) == {"0" * 32: None}
                return
            with pytest.raises(failure):
                harness.connector.read(SCOPE, ["0" * 32])

    def test_an_answer_that_tells_no_total_is_read_until_it_is_empty(self, harness: SnowHarness) -> None:
        id = harness.person_creates("a")
        whole = harness.tracker.handle

        def untold(request: Request) -> Answer:
            answer = whole(request)
            answer.headers.pop("X-Total-Count", None)
            return answer

        harness.tracker.handle = untold
        assert [n.ref.id for n in changes(harness.connector, SCOPE)[0]] == [id]
        assert harness.sent() == 2

    def test_a_page_that_repeats_ends_the_walk(self, harness: SnowHarness) -> None:
        harness.person_creates("a")
        whole = harness.tracker.handle

        def repeating(request: Request) -> Answer:
            answer = whole(request)
            answer.headers["X-Total-Count"] = "99999"
            first.append(answer)
            return first[0]

        first: list[Answer] = []
        harness.tracker.handle = repeating
        with pytest.raises(Down, match="repeats"):
            changes(harness.connector, SCOPE)
        assert harness.sent() == 2

    def test_a_column_that_nothing_works_without_is_named(self, harness: SnowHarness) -> None:
        harness.person_creates("a")
        harness.tracker.rights.hidden_fields = {("incident", "sys_updated_on")}
        with pytest.raises(Refused, match="sys_updated_on"):
            changes(harness.connector, SCOPE)
        with pytest.raises(Unsure, match="sys_updated_on"):
            harness.made("made all the same")
        assert len(harness.tracker.ids()) == 2

    def test_each_thread_has_its_own_client(self, harness: SnowHarness) -> None:
        both = Barrier(2, timeout=60)

        def client(_: int) -> object:
            both.wait()
            return harness.connector.client.client()

        with ThreadPoolExecutor(2) as pool:
            clients = list(pool.map(client, range(2)))
        assert len({id(client) for client in clients}) == 2
