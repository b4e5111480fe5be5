"""What every connector must keep, told once for all trackers.

A tracker's test file subclasses ``Harness`` and ``HttpContract`` (``ConnectorContract`` where there is no HTTP) and
provides a ``harness`` fixture: an opened connector, its scope, and people who act on the simulated tracker without it.
"""

from __future__ import annotations

import re
import socket
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

from connectors.base import Busy, Connector, Down, Failure, Gone, LockedOut, Notice, Page, Refused, Stale, Unsure
from connectors.description import CATEGORIES, Describes
from mappings.model import Change, Draft, Mark, Native, Record, Scope
from mappings.text import clean
from sandbox.clock import SandboxClock
from sandbox.faults import Fault, Faults
from sandbox.server import RequestLog
from sandbox.wire import Answer
from sync.doctor.visit import described

HOSTILE = (
    "mentions [~jdoe] [~accountid:5b10] @jane @<4e4a7c2e-0000-4000-8000-000000000001> @[Jane](x) bye",
    "[code]<script>alert(1)</script>[/code] [CODE]<b>x</b>[/Code] bye",
    "<img src=x onerror=alert(1)> <a href='javascript:x'>y</a> &amp; &lt;b&gt; a < b > c bye",
    "{code}x{code} {{y}} h1. z !http://x/y.png! |a|b| *c* _d_ # e\n* f\n{color:red}g{color} bye",
    "NUL \x00 bell \x07 escape \x1b bye",
    "four bytes \U0001f680 \U0001d518 \U00020bb7 bye",
    "bidi \u202eevil\u202c \u2066x\u2069 zero\u200bwidth bye",
    "line\r\nline\rline\nline\n\n\nline bye",
    "lone \ud800 surrogate bye",
    "a^b^ORc=d ^NQsys_idISNOTEMPTY; ' OR 1=1 -- \" \\ bye",
)


class Harness:
    """What the contract needs of one tracker. A subclass sets the attributes and writes the methods that raise."""

    #: an opened connector with its default page, the side's scope, the simulated tracker and its surroundings;
    #: the clock is settable and is the connector's clock too
    connector: Connector
    scope: Scope
    tracker: Any
    clock: SandboxClock
    faults: Faults
    log: RequestLog
    #: the tracker's name in the log and in the faults
    name: str = ""
    #: Draft.kind of a new item, and the native name of its title (among scope.fields)
    kind: str = ""
    title_field: str = ""
    #: fields besides the title that a draft needs
    draft_fields: Mapping[str, Native] = MappingProxyType({})
    #: the channel of a remark that everyone reads
    channel: str = ""
    #: the fields that ``states_forward`` needs to be reached
    with_state: Mapping[str, Native] = MappingProxyType({})
    #: (methods, part of the path) of the calls that create an item, update its fields, read by id and add a comment
    create_call: tuple[str, str] = ("POST", "")
    update_call: tuple[str, str] = ("PUT|PATCH", "")
    read_call: tuple[str, str] = ("GET", "")
    say_call: tuple[str, str] = ("POST", "")
    #: native fields (as ``tracker.history`` names them) that may carry mark and keys
    mark_natives: frozenset[str] = frozenset()
    #: whether the tracker can tell a stale write, and whether mark fields can hold a stranger's text
    tells_stale: bool = False
    #: whether the tracker keeps a history of states and assignees that we may read
    tells_history: bool = True
    can_be_occupied: bool = False
    #: an id of the right form that no item has
    no_such_id: str = ""
    #: texts that must never show in an exception
    secrets: tuple[str, ...] = ()

    def build(self, *, wrong_password: bool = False, port: int = 0, page: int = 0) -> Connector:
        """Another connector to the same tracker, not yet opened; ``port``: to that port of 127.0.0.1 instead."""
        raise NotImplementedError

    def person_creates(self, title: str) -> str:
        """A person creates an item in scope."""
        raise NotImplementedError

    def person_creates_outside(self, title: str) -> str:
        """A person creates an item that the scope does not cover."""
        raise NotImplementedError

    def person_comments(self, id: str, text: str) -> str:
        raise NotImplementedError

    def person_retitles(self, id: str, title: str) -> None:
        raise NotImplementedError

    def person_moves(self, id: str) -> str:
        """A person moves the item to another state; its name as admins spell it."""
        raise NotImplementedError

    def person_moves_out(self, id: str) -> None:
        """A person changes the item so that the scope no longer covers it."""
        raise NotImplementedError

    def person_occupies(self, id: str) -> None:
        """A person (or another integration) fills the fields our mark would use."""
        raise NotImplementedError

    def person_removes(self, id: str) -> None:
        raise NotImplementedError

    def states_forward(self) -> str:
        """A state reachable from the initial one, with ``with_state``."""
        raise NotImplementedError

    def refused_change(self) -> tuple[Change, str]:
        """A change that the tracker refuses, and the native field it blames."""
        raise NotImplementedError

    def looks_inert(self, stored: str) -> bool:
        """Whether a comment as the tracker stores it renders without markup, mentions or scripts of its author."""
        raise NotImplementedError

    # -- what follows is the same everywhere

    def mark(self, made: str = "m1") -> Mark:
        return Mark(self.scope.mark, link="k1", made=made, at="20260105080000")

    def draft(self, title: str, made: str = "m1") -> Draft:
        fields = {self.title_field: title, **self.draft_fields}
        return Draft(self.kind, fields, self.mark(made), "INC0010003", "https://source.example/INC0010003")

    def made(self, title: str, made: str = "m1") -> Record:
        return self.connector.create(self.scope, self.draft(title, made))

    def record(self, id: str) -> Record:
        record = self.connector.read(self.scope, [id])[id]
        assert record is not None
        return record

    def retitled(self, record: Record, title: str = "new") -> Record:
        """The title written by the connector."""
        return self.connector.update(self.scope, record, Change({self.title_field: title}, version=record.version))

    def fault(self, kind: str, call: tuple[str, str], **options: Any) -> Fault:
        """Strikes that call of this tracker."""
        return self.faults.add(Fault(kind, tracker=self.name, method=call[0], path=call[1], **options))

    def sent(self, call: tuple[str, str] | None = None) -> int:
        """Requests so far, or those of one call."""
        methods, path = call or ("", "")
        return sum(
            e.tracker == self.name
            and (not methods or e.method in methods.split("|"))
            and bool(re.search(path, e.path, re.IGNORECASE))
            for e in self.log.entries
        )

    def writes(self) -> int:
        return self.sent(self.create_call) + self.sent(self.update_call)


def pages(connector: Connector, scope: Scope, cursor: str = "") -> list[Page]:
    """Every page of a change query; only the last says that it is the last."""
    found = list(connector.changes(scope, cursor))
    assert [page.last for page in found] == [False] * (len(found) - 1) + [True]
    return found


def changes(connector: Connector, scope: Scope, cursor: str = "") -> tuple[list[Notice], str]:
    found = pages(connector, scope, cursor)
    return [notice for page in found for notice in page.notices], found[-1].cursor


def ids(notices: list[Notice]) -> list[str]:
    """Ids in order of their last mention: a feed may name an item once for each revision."""
    return list(dict.fromkeys(notice.ref.id for notice in reversed(notices)))[::-1]


def words(text: str) -> str:
    """A text without its blanks and control characters: markup may change those, never the words."""
    return re.sub(r"\s+", "", clean(text)[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def everything_said(error: BaseException) -> str:
    """All that a log with a traceback would show of an exception."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


class ConnectorContract:
    """What holds of any tracker. Subclass it as ``TestXxxContract`` beside a ``harness`` fixture; over HTTP, subclass
    ``HttpContract``."""

    # -- opening

    def test_open_finds_our_account_and_no_problems(self, harness: Harness) -> None:
        opening = harness.connector.open([harness.scope])
        assert opening.account
        assert opening.problems == ()

    def test_open_names_each_unknown_field_at_once(self, harness: Harness) -> None:
        scope = replace(harness.scope, fields=(*harness.scope.fields, "no_such_a", "no_such_b"))
        problems = harness.connector.open([scope]).problems
        assert {"no_such_a", "no_such_b"} <= {name for _, name, _ in problems}
        assert all(side == scope.side and sentence for side, _, sentence in problems)

    def test_states_are_spelled_as_records_spell_them(self, harness: Harness) -> None:
        states = harness.connector.states(harness.scope)
        id = harness.person_creates("a")
        assert harness.record(id).state in states
        assert harness.states_forward() in states

    def test_states_that_are_never_left_are_states_and_are_known_once_it_is_open(self, harness: Harness) -> None:
        final = set(harness.connector.final(harness.scope))
        assert final <= set(harness.connector.states(harness.scope)) - {harness.states_forward()}
        assert set(harness.build().final(harness.scope)) <= final

    # -- telling

    def test_what_a_connector_tells_of_its_tracker_agrees_with_what_it_reads(self, harness: Harness) -> None:
        """``doctor`` and ``init`` rest on it; of a connector that cannot describe its tracker they learn states and
        fields, and say so."""
        before = harness.record(harness.person_creates("theirs"))
        report = described(harness.connector, [harness.scope], ())
        assert report.description is not None and bool(report.partly) != isinstance(harness.connector, Describes)
        items = report.description.items[harness.scope.side]
        states = {state.name for state in items.states}
        assert before.state in states and states == set(harness.connector.states(harness.scope))
        assert set(harness.scope.fields) <= set(items.fields)
        assert {state.category for state in items.states} <= {"", *CATEGORIES}
        assert {step.to for ways in items.steps.values() for step in ways} <= states
        assert [right for right in report.description.rights if right.held is None and not right.because] == []
        assert harness.record(before.ref.id) == before

    def test_a_connector_that_can_tell_where_sides_may_live_tells_of_its_scope_s_place(self, harness: Harness) -> None:
        scope, told = harness.scope, harness.connector
        if isinstance(told, Describes):
            assert scope.table in {place.table for place in told.places()}
            assert scope.project in {place.project for place in told.places()}
            assert set(scope.types) <= {place.type for place in told.places(scope.project)}

    # -- noticing

    def test_an_empty_cursor_gives_everything_in_scope_oldest_first_over_small_pages(self, harness: Harness) -> None:
        made = []
        for n in range(7):
            harness.clock.advance(timedelta(minutes=2))
            made.append(harness.person_creates(f"item {n}"))
            harness.person_creates_outside(f"elsewhere {n}")
        small = harness.build(page=3)
        small.open([harness.scope])
        notices, _ = changes(small, harness.scope)
        assert ids(notices) == made

    def test_a_record_that_comes_with_a_notice_is_the_one_read_by_id(self, harness: Harness) -> None:
        id = harness.person_creates("whole")
        notice = changes(harness.connector, harness.scope)[0][-1]
        assert notice.version == harness.record(id).version
        if notice.record is not None:
            assert replace(notice.record, comments=None) == replace(harness.record(id), comments=None)

    def test_marked_items_come_although_out_of_scope(self, harness: Harness) -> None:
        record = harness.made("made")
        harness.person_moves_out(record.ref.id)
        notices, _ = changes(harness.connector, harness.scope)
        assert record.ref.id in ids(notices)
        assert not harness.record(record.ref.id).in_scope

    def test_a_marked_item_reassigned_out_of_scope_is_still_noticed(self, harness: Harness) -> None:
        record = harness.made("made")
        _, cursor = changes(harness.connector, harness.scope)
        harness.clock.advance(timedelta(minutes=30))
        harness.person_moves_out(record.ref.id)
        assert record.ref.id in ids(changes(harness.connector, harness.scope, cursor)[0])

    def test_an_unmarked_item_moved_out_of_scope_is_no_longer_noticed(self, harness: Harness) -> None:
        id = harness.person_creates("theirs")
        _, cursor = changes(harness.connector, harness.scope)
        harness.clock.advance(timedelta(minutes=30))
        harness.person_moves_out(id)
        assert id not in ids(changes(harness.connector, harness.scope, cursor)[0])

    @pytest.mark.parametrize("act", ["retitles", "moves", "comments"])
    def test_a_change_after_the_cursor_is_noticed(self, harness: Harness, act: str) -> None:
        id, other = harness.person_creates("a"), harness.person_creates("b")
        _, cursor = changes(harness.connector, harness.scope)
        harness.clock.advance(timedelta(minutes=30))
        before = harness.record(id).version
        {
            "retitles": lambda: harness.person_retitles(id, "c"),
            "moves": lambda: harness.person_moves(id),
            "comments": lambda: harness.person_comments(id, "d"),
        }[act]()
        notices, _ = changes(harness.connector, harness.scope, cursor)
        newest = {notice.ref.id: notice.version for notice in notices}
        assert newest[id] > before
        assert other in ids(changes(harness.connector, harness.scope)[0])

    def test_ties_in_one_second_are_all_noticed_over_small_pages(self, harness: Harness) -> None:
        small = harness.build(page=2)
        small.open([harness.scope])
        _, cursor = changes(small, harness.scope)
        harness.clock.advance(timedelta(minutes=10))
        made = {harness.person_creates(f"tie {n}") for n in range(7)}
        assert set(ids(changes(small, harness.scope, cursor)[0])) == made

    def test_a_change_in_the_second_of_the_cursor_is_noticed(self, harness: Harness) -> None:
        cursor = ""
        for n in range(3):
            id = harness.person_creates(f"same second {n}")
            notices, cursor = changes(harness.connector, harness.scope, cursor)
            assert id in ids(notices)

    def test_the_same_cursor_gives_the_same_again(self, harness: Harness) -> None:
        harness.person_creates("before")
        _, cursor = changes(harness.connector, harness.scope)
        harness.clock.advance(timedelta(minutes=10))
        made = harness.person_creates("after")
        for _ in range(2):
            assert made in ids(changes(harness.connector, harness.scope, cursor)[0])

    def test_every_cursor_on_the_way_can_be_resumed_from(self, harness: Harness) -> None:
        for n in range(5):
            harness.clock.advance(timedelta(minutes=10))
            harness.person_creates(f"item {n}")
        small = harness.build(page=2)
        small.open([harness.scope])
        found = pages(small, harness.scope)
        for at, page in enumerate(found[:-1]):
            later = {notice.ref.id for rest in found[at + 1 :] for notice in rest.notices}
            assert later <= set(ids(changes(small, harness.scope, page.cursor)[0]))

    def test_an_idle_call_is_exactly_one_request(self, harness: Harness) -> None:
        for n in range(3):
            harness.person_creates(f"item {n}")
        _, cursor = changes(harness.connector, harness.scope)
        for _ in range(3):
            harness.clock.advance(timedelta(minutes=5))
            harness.log.clear()
            _, cursor = changes(harness.connector, harness.scope, cursor)
            assert harness.sent() == 1

    # -- reading

    def test_read_gives_none_for_what_is_gone(self, harness: Harness) -> None:
        alive, gone = harness.person_creates("alive"), harness.person_creates("gone")
        harness.person_removes(gone)
        found = harness.connector.read(harness.scope, [gone, alive, harness.no_such_id])
        assert found[gone] is None and found[harness.no_such_id] is None
        record = found[alive]
        assert record is not None and record.fields[harness.title_field] == "alive"
        assert record.in_scope and record.mark is None and not record.occupied

    def test_reading_nothing_asks_nothing(self, harness: Harness) -> None:
        harness.log.clear()
        assert harness.connector.read(harness.scope, []) == {}
        assert harness.connector.discussions(harness.scope, []) == {}
        assert harness.sent() == 0

    def test_a_person_s_state_is_read_as_admins_spell_it(self, harness: Harness) -> None:
        id = harness.person_creates("moving")
        before = harness.record(id).version
        state = harness.person_moves(id)
        record = harness.record(id)
        assert (record.state, record.version > before) == (state, True)

    def test_times_are_aware_utc_and_within_a_second(self, harness: Harness) -> None:
        harness.clock.advance(timedelta(hours=3))
        record = harness.record(harness.person_creates("timed"))
        assert record.created.tzinfo is UTC and record.updated.tzinfo is UTC
        assert abs(record.updated - harness.clock.now()) < timedelta(seconds=1.1)

    # -- searching

    def test_a_search_finds_every_word_in_a_title_whatever_its_case_the_last_updated_first(
        self, harness: Harness
    ) -> None:
        first = harness.person_creates("Gateway timeout on renewal")
        harness.person_creates("Gateway unreachable")
        second = harness.person_creates("A TIMEOUT of the gateway")
        harness.clock.advance(timedelta(minutes=1))
        harness.person_retitles(first, "Gateway timeout on renewal, again")
        found = harness.connector.search(harness.scope, "timeout Gateway", 10)
        assert [record.ref.id for record in found] == [first, second]
        assert [record.ref.id for record in harness.connector.search(harness.scope, "timeout gateway", 1)] == [first]
        assert found[0] == harness.record(first)
        assert list(harness.connector.search(harness.scope, "timeout nowhere", 10)) == []

    def test_a_search_shows_what_is_in_scope_or_marked_and_nothing_else(self, harness: Harness) -> None:
        inside, left = harness.person_creates("needle one"), harness.made("needle two").ref.id
        harness.person_moves_out(left)
        harness.person_creates_outside("needle three")
        found = {record.ref.id for record in harness.connector.search(harness.scope, "needle", 10)}
        assert found == {inside, left}

    def test_a_search_never_looks_into_comments(self, harness: Harness) -> None:
        harness.person_comments(harness.person_creates("nothing to see"), "needle")
        harness.connector.say(harness.scope, harness.made("ours"), harness.connector.note_channel, "needle")
        assert list(harness.connector.search(harness.scope, "needle", 10)) == []

    def test_a_search_finds_an_item_by_its_key(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("named"))
        assert [r.ref for r in harness.connector.search(harness.scope, f" {record.key.lower()} ", 10)] == [record.ref]

    def test_a_search_for_hostile_text_finds_nothing_more(self, harness: Harness) -> None:
        harness.person_creates("plain")
        for text in (*HOSTILE, "^NQactive=true", "*", "?", '"', "'", "", "javascript:gs.now()", "AND", "the"):
            assert list(harness.connector.search(harness.scope, text, 10)) == [], text

    # -- listing

    def test_what_was_created_in_a_span_of_time_is_listed_oldest_first_over_small_pages(self, harness: Harness) -> None:
        harness.person_creates("before")
        harness.clock.advance(timedelta(minutes=5))
        since = harness.clock.now().replace(microsecond=0)
        made = [harness.person_creates("at once"), harness.person_creates("one"), harness.person_creates("two")]
        harness.clock.advance(timedelta(minutes=5))
        made += [harness.person_creates("three"), harness.person_creates("four")]
        harness.person_creates_outside("outside")
        harness.person_retitles(made[1], "one, changed later")
        harness.person_moves(made[2])
        harness.clock.advance(timedelta(minutes=5))
        until = harness.clock.now().replace(microsecond=0)
        harness.person_creates("after")
        small = harness.build(page=2)
        small.open([harness.scope])
        for connector in (harness.connector, small):
            found = connector.created(harness.scope, since, until)
            assert {record.ref.id for record in found} == set(made)
            assert [record.created for record in found] == sorted(record.created for record in found)
            assert found[0] == harness.record(found[0].ref.id)
        later = harness.connector.created(harness.scope, until + timedelta(days=1), until + timedelta(days=2))
        assert list(later) == []
        small.close()

    # -- creating

    def test_create_carries_mark_and_keys_in_the_one_call(self, harness: Harness) -> None:
        since = harness.clock.now()
        harness.log.clear()
        record = harness.made("made")
        assert harness.writes() == 1
        assert record.mark == harness.mark()
        assert record.fields[harness.title_field] == "made"
        assert [r.ref for r in harness.connector.find_made(harness.scope, harness.mark(), since)] == [record.ref]
        assert harness.record(record.ref.id).mark == harness.mark()

    def test_find_made_takes_no_key_for_another(self, harness: Harness) -> None:
        since = harness.clock.now()
        for made in ("m1", "m10", "xm1"):
            harness.made(made, made)
        found = harness.connector.find_made(harness.scope, harness.mark("m1"), since)
        assert [record.fields[harness.title_field] for record in found] == ["m1"]
        assert harness.connector.find_made(harness.scope, harness.mark("m"), since) == []

    # -- updating

    def test_update_returns_what_the_tracker_now_says(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        updated = harness.retitled(record)
        assert updated.fields[harness.title_field] == "new"
        assert updated.version > record.version
        assert replace(updated, comments=None) == replace(harness.record(record.ref.id), comments=None)

    def test_a_stale_update_is_told_where_the_tracker_can(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.person_retitles(record.ref.id, "theirs")
        change = Change({harness.title_field: "ours"}, version=record.version)
        if not harness.tells_stale:
            assert harness.connector.update(harness.scope, record, change).version > record.version
            return
        with pytest.raises(Stale):
            harness.connector.update(harness.scope, record, change)
        assert harness.record(record.ref.id).fields[harness.title_field] == "theirs"

    def test_a_refused_value_names_the_field_and_gives_the_reason(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        change, field = harness.refused_change()
        harness.log.clear()
        with pytest.raises(Refused) as caught:
            harness.connector.update(harness.scope, record, replace(change, version=record.version))
        assert field in caught.value.fields and " " in str(caught.value)
        assert harness.writes() <= 1
        assert harness.record(record.ref.id).version == record.version

    def test_a_state_moves_with_the_fields_it_requires(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        change = Change({harness.title_field: "new"}, harness.states_forward(), harness.with_state, record.version)
        updated = harness.connector.update(harness.scope, record, change)
        assert (updated.state, updated.fields[harness.title_field]) == (harness.states_forward(), "new")
        assert harness.record(record.ref.id).state == harness.states_forward()

    def test_a_state_alone_moves(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        change = Change(state=harness.states_forward(), with_state=harness.with_state, version=record.version)
        updated = harness.connector.update(harness.scope, record, change)
        assert updated.state == harness.states_forward() and updated.version > record.version

    def test_an_unknown_state_is_refused(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        with pytest.raises(Refused):
            harness.connector.update(harness.scope, record, Change(state="No Such State", version=record.version))
        assert harness.record(record.ref.id).version == record.version

    def test_an_update_of_a_gone_item_is_gone(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.person_removes(record.ref.id)
        with pytest.raises(Gone):
            harness.retitled(record)

    def test_the_history_tells_each_move_since_a_version_with_its_time_and_state(self, harness: Harness) -> None:
        before = harness.record(harness.person_creates("old"))
        harness.clock.advance(timedelta(minutes=1))
        at = harness.clock.now()
        state = harness.person_moves(before.ref.id)
        harness.clock.advance(timedelta(minutes=1))
        harness.person_retitles(before.ref.id, "new")
        now = harness.record(before.ref.id)
        harness.log.clear()
        found = harness.connector.history(harness.scope, [(now, before.version)])
        assert harness.sent() <= 1
        told = [(m.what, m.new, abs(m.at - at) < timedelta(seconds=5)) for m in found.get(now.ref.id, ())]
        assert told == ([("state", state, True)] if harness.tells_history else [])
        assert not harness.connector.history(harness.scope, [(now, now.version)]).get(now.ref.id, ())

    # -- talking

    def test_what_we_say_is_shown_as_ours_with_the_same_words(self, harness: Harness) -> None:
        account = harness.connector.open([harness.scope]).account
        record = harness.record(harness.person_creates("talk"))
        said = harness.connector.say(harness.scope, record, harness.channel, "First.\nSecond line.")
        (comment,) = harness.connector.discussions(harness.scope, [record.ref.id])[record.ref.id]
        assert comment.ours and comment.account == account and comment.channel == harness.channel
        assert comment.text == "First.\nSecond line." and comment.item == record.ref
        assert said.id in ("", comment.id)

    def test_a_note_for_the_item_s_own_people_comes_back_on_its_channel(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("talk"))
        harness.connector.say(harness.scope, record, harness.connector.note_channel, "Among us.")
        (comment,) = harness.connector.discussions(harness.scope, [record.ref.id])[record.ref.id]
        assert comment.channel == harness.connector.note_channel

    def test_people_s_words_are_theirs_and_oldest_first(self, harness: Harness) -> None:
        first, second = harness.person_creates("a"), harness.person_creates("b")
        expected = []
        for n in range(5):
            harness.clock.advance(timedelta(seconds=5))
            expected.append((harness.person_comments(first, f"remark {n}"), f"remark {n}"))
        found = harness.connector.discussions(harness.scope, [first, second])
        assert [(c.id, c.text) for c in found[first]] == expected
        assert not any(c.ours for c in found[first]) and all(c.author and c.account for c in found[first])
        assert found[second] == ()

    def test_what_we_said_is_given_new_words_where_the_tracker_changes_comments(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("talk"))
        said = harness.connector.say(harness.scope, record, harness.connector.note_channel, "First.")
        (before,) = harness.connector.discussions(harness.scope, [record.ref.id])[record.ref.id]
        harness.clock.advance(timedelta(minutes=1))
        reword = partial(harness.connector.reword, harness.scope, record)
        if not harness.connector.rewords:
            with pytest.raises(Refused):
                reword(before.id, before.channel, "Second.")
            return
        harness.log.clear()
        assert reword(said.id, before.channel, "Second.\nAnd more.").id == said.id
        assert harness.sent() == 1
        (after,) = harness.connector.discussions(harness.scope, [record.ref.id])[record.ref.id]
        assert after.text == "Second.\nAnd more." and after.updated > before.updated
        assert replace(after, text=before.text, updated=before.updated) == before

    def test_new_words_for_a_comment_that_is_not_there_find_it_gone(self, harness: Harness) -> None:
        if harness.connector.rewords:
            record = harness.record(harness.person_creates("talk"))
            with pytest.raises(Gone):
                harness.connector.reword(harness.scope, record, "999999", harness.channel, "Second.")

    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text.split()[0])
    def test_hostile_text_arrives_as_the_same_words_and_inert(self, harness: Harness, text: str) -> None:
        record = harness.record(harness.person_creates("talk"))
        harness.connector.say(harness.scope, record, harness.channel, text)
        (comment,) = harness.connector.discussions(harness.scope, [record.ref.id])[record.ref.id]
        assert words(comment.text) == words(text)
        assert harness.looks_inert(harness.tracker.comments(record.ref.id)[0]["text"])

    # -- adopting

    def test_adopt_writes_the_marker_only_and_once(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("theirs"))
        before = len(harness.tracker.history(record.ref.id))
        adopted = harness.connector.adopt(harness.scope, record, Mark(harness.scope.mark, link="k1"))
        assert adopted.mark is not None and adopted.mark.instance == harness.scope.mark
        assert adopted.mark.link in ("", "k1")
        written = harness.tracker.history(record.ref.id)[before:]
        assert written and {entry["field"] for entry in written} <= harness.mark_natives
        again = harness.connector.adopt(harness.scope, adopted, Mark(harness.scope.mark, link="k1"))
        assert again.mark == adopted.mark
        assert len(harness.tracker.history(record.ref.id)) == before + len(written)

    def test_adopt_never_overwrites_an_occupied_field(self, harness: Harness) -> None:
        assert harness.can_be_occupied, "a tracker with room for everyone overrides this test with what people keep"
        id = harness.person_creates("theirs")
        harness.person_occupies(id)
        record = harness.record(id)
        assert record.occupied and record.mark is None
        with pytest.raises(Refused):
            harness.connector.adopt(harness.scope, record, harness.mark())
        assert harness.record(id) == record

    def test_adopt_gives_an_item_new_keys(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("theirs"))
        moment = "20260102030405"
        first = Mark(harness.scope.mark, link="k1", at=moment)
        adopted = harness.connector.adopt(harness.scope, record, first)
        assert adopted.mark == first
        second = replace(first, link="k2")
        assert harness.connector.adopt(harness.scope, adopted, second).mark == second

    def test_unmark_takes_the_marker_off_only_and_once(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("theirs"))
        mark = Mark(harness.scope.mark, link="k1", at="20260102030405")
        adopted = harness.connector.adopt(harness.scope, record, mark)
        before = len(harness.tracker.history(record.ref.id))
        freed = harness.connector.unmark(harness.scope, adopted, mark)
        assert (freed.mark, freed.occupied) == (None, "")
        assert freed.fields == record.fields and freed.state == record.state
        written = harness.tracker.history(record.ref.id)[before:]
        assert written and {entry["field"] for entry in written} <= harness.mark_natives | {"description"}
        harness.connector.unmark(harness.scope, freed, mark)
        assert len(harness.tracker.history(record.ref.id)) == before + len(written)

    def test_unmark_leaves_an_item_that_we_made_to_its_people(self, harness: Harness) -> None:
        made = harness.made("ours")
        assert made.mark is not None
        harness.connector.show(harness.scope, made, made.mark, "S-1", "https://source.example/S-1")
        freed = harness.connector.unmark(harness.scope, harness.record(made.ref.id), made.mark)
        assert freed.mark is None and freed.fields == made.fields

    # -- keeping quiet, counting, sharing

    def test_threads_do_not_mix_their_answers(self, harness: Harness) -> None:
        made = [harness.person_creates(f"item {n}") for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(harness.record, made * 4))
        assert [record.fields[harness.title_field] for record in found] == [f"item {n}" for n in range(8)] * 4

    def test_closing_drops_connections_and_reopening_works(self, harness: Harness) -> None:
        id = harness.person_creates("a")
        harness.connector.close()
        assert harness.record(id).ref.id == id


class HttpContract(ConnectorContract):
    """What a tracker over HTTP adds: lost answers, rests, failures, refused credentials. ``harness.fault`` strikes its
    calls on the wire."""

    def test_a_wrong_password_is_locked_out_with_a_sentence(self, harness: Harness) -> None:
        with pytest.raises(LockedOut) as caught:
            harness.build(wrong_password=True).open([harness.scope])
        assert " " in str(caught.value)

    def test_a_down_port_is_down(self, harness: Harness) -> None:
        with pytest.raises(Down):
            harness.build(port=free_port()).open([harness.scope])

    @pytest.mark.parametrize(("kind", "made"), [("reset_after", 1), ("cut", 1), ("garbage", 1), ("reset_before", 0)])
    def test_a_create_whose_answer_is_lost_is_unsure_and_found(self, harness: Harness, kind: str, made: int) -> None:
        since = harness.clock.now()
        harness.fault(kind, harness.create_call, times=1)
        with pytest.raises(Unsure):
            harness.made("lost")
        assert harness.sent(harness.create_call) == 1
        harness.clock.advance(timedelta(minutes=5))
        found = harness.connector.find_made(harness.scope, harness.mark(), since)
        assert len(found) == made == len(harness.tracker.ids())

    def test_a_comment_whose_answer_is_lost_is_unsure_and_sent_once(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("talk"))
        harness.log.clear()
        harness.fault("reset_after", harness.say_call, times=1)
        with pytest.raises(Unsure):
            harness.connector.say(harness.scope, record, harness.channel, "said once")
        assert harness.sent(harness.say_call) == 1
        assert len(harness.tracker.comments(record.ref.id)) == 1

    @pytest.mark.parametrize("dated", [False, True], ids=["seconds", "date"])
    def test_a_429_is_busy_and_nothing_is_sent_during_the_rest(self, harness: Harness, dated: bool) -> None:
        id = harness.person_creates("a")
        until = harness.clock.now() + timedelta(seconds=120)
        headers = {"Retry-After": format_datetime(until, usegmt=True) if dated else "120"}
        harness.fault("answer", harness.read_call, times=1, answer=Answer(429, b"{}", headers))
        with pytest.raises(Busy) as caught:
            harness.record(id)
        assert abs(caught.value.until - until) <= timedelta(seconds=2)
        sent = harness.sent()
        with pytest.raises(Busy):
            harness.record(id)
        with pytest.raises(Busy):
            harness.made("not now")
        assert harness.sent() == sent
        harness.clock.advance(timedelta(seconds=123))
        assert harness.record(id).ref.id == id

    def test_a_429_on_a_write_is_busy_and_sent_once(self, harness: Harness) -> None:
        answer = Answer(429, b"{}", {"Retry-After": "2", "Content-Type": "application/json"})
        harness.fault("answer", harness.create_call, times=1, answer=answer)
        with pytest.raises(Busy):
            harness.made("not now")
        assert harness.sent(harness.create_call) == 1

    def test_a_short_rest_is_waited_out_inside_a_read(self, harness: Harness) -> None:
        id = harness.person_creates("a")
        harness.fault("answer", harness.read_call, times=1, answer=Answer(429, b"{}", {"Retry-After": "2"}))
        before = harness.clock.now()
        assert harness.record(id).ref.id == id
        assert harness.clock.now() - before >= timedelta(seconds=2)

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_failing_read_is_down_in_the_end(self, harness: Harness, status: int) -> None:
        id = harness.person_creates("a")
        harness.log.clear()
        fault = harness.fault("answer", harness.read_call, answer=Answer(status, b"oops"))
        with pytest.raises((Down, Busy)):
            harness.record(id)
        assert harness.sent(harness.read_call) >= (1 if status == 503 else 2)
        harness.faults.rules.remove(fault)
        harness.clock.advance(timedelta(minutes=1))
        assert harness.record(id).ref.id == id

    @pytest.mark.parametrize("kind", ["garbage", "cut", "reset_before", "reset_after"])
    def test_an_unusable_answer_to_a_read_is_retried_then_down(self, harness: Harness, kind: str) -> None:
        id = harness.person_creates("a")
        harness.log.clear()
        fault = harness.fault(kind, harness.read_call)
        with pytest.raises(Down):
            harness.record(id)
        assert harness.sent(harness.read_call) >= 2
        harness.faults.rules.remove(fault)
        assert harness.record(id).ref.id == id

    @pytest.mark.parametrize("kind", ["garbage", "cut", "reset_before", "reset_after"])
    def test_one_unusable_answer_to_a_read_is_no_news(self, harness: Harness, kind: str) -> None:
        id = harness.person_creates("a")
        harness.fault(kind, harness.read_call, times=1)
        assert harness.record(id).ref.id == id

    @pytest.mark.parametrize("kind", ["garbage", "cut", "reset_before", "reset_after"])
    def test_an_unusable_answer_to_a_write_is_unsure_and_sent_once(self, harness: Harness, kind: str) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.log.clear()
        harness.fault(kind, harness.update_call, times=1)
        with pytest.raises(Unsure):
            harness.retitled(record)
        assert harness.sent(harness.update_call) == 1
        title = harness.record(record.ref.id).fields[harness.title_field]
        assert title == ("old" if kind == "reset_before" else "new")

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_failing_write_is_named_and_sent_once(self, harness: Harness, status: int) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.log.clear()
        harness.fault("answer", harness.update_call, times=1, answer=Answer(status, b"oops"))
        with pytest.raises((Unsure, Busy)):
            harness.retitled(record)
        assert harness.sent(harness.update_call) == 1

    def test_a_gateway_that_gave_up_on_a_write_leaves_it_unsure_whatever_rest_it_asks_for(
        self, harness: Harness
    ) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.log.clear()
        gave_up = Answer(503, b"upstream timed out", {"Retry-After": "1"})
        harness.fault("answer_after", harness.update_call, times=1, answer=gave_up)
        with pytest.raises(Unsure):
            harness.retitled(record)
        assert harness.sent(harness.update_call) == 1
        harness.clock.advance(timedelta(seconds=1))
        assert harness.record(record.ref.id).fields[harness.title_field] == "new"

    @pytest.mark.parametrize("call", ["read", "write"])
    def test_a_401_is_locked_out_and_not_repeated(self, harness: Harness, call: str) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.log.clear()
        harness.fault("answer", harness.read_call if call == "read" else harness.update_call, answer=Answer(401))
        with pytest.raises(LockedOut):
            harness.record(record.ref.id) if call == "read" else harness.retitled(record)
        assert harness.sent() == 1

    def test_no_exception_holds_a_secret_or_a_comment(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        words_of_a_comment = "the customer's private words"

        def attempt(act: Callable[[], object]) -> str:
            with pytest.raises(Failure) as caught:
                act()
            harness.clock.advance(timedelta(minutes=2))
            return everything_said(caught.value)

        said = [attempt(lambda: harness.build(wrong_password=True).open([harness.scope]))]
        said.append(attempt(lambda: harness.build(port=free_port()).open([harness.scope])))
        for kind in ("reset_before", "reset_after", "cut", "garbage"):
            harness.fault(kind, harness.say_call, times=1)
            say = lambda: harness.connector.say(harness.scope, record, harness.channel, words_of_a_comment)  # noqa: E731
            said.append(attempt(say))
        for text in said:
            assert words_of_a_comment not in text
            assert not any(secret in text for secret in harness.secrets)

    def test_every_try_is_counted(self, harness: Harness) -> None:
        record = harness.record(harness.person_creates("old"))
        harness.log.clear()
        before = harness.connector.calls()
        harness.fault("answer", harness.read_call, nth=(1,), answer=Answer(500, b"oops"))
        harness.record(record.ref.id)
        harness.retitled(record)
        changes(harness.connector, harness.scope)
        assert harness.connector.calls() - before == harness.sent()


def settable_clock() -> SandboxClock:
    """A Monday morning."""
    return SandboxClock(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
