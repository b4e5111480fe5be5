"""The state, on SQLite and on PostgreSQL: what the constraints refuse, what a transaction holds together, what a crash
leaves behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Notice
from mappings.banner import link_key
from mappings.mentions import Mention
from mappings.model import Mark, Record, Ref
from sync.decide import decide
from sync.escalation.digest import Delivery, Wanted
from sync.freezing.freeze import Pause
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Notify, Open, Plan, Say, Settlement
from sync.state import Copy, CopyKey, Firing, Held, LinkState, Movement, Order, Origin, OwnRemark
from sync.store import StateBroken, StateLocked, Store, database
from sync.store import tables as t
from sync.store.journal import KEPT
from sync.store.recovering import STAMPS
from tests.builders import (
    DAY,
    DEFECT,
    HOUR,
    INCIDENT,
    INSTANCE,
    MARK,
    MINUTE,
    NOW,
    PBI,
    comment,
    one,
    only_seen,
    opens,
    record,
    route,
    seen,
    setup,
)

HOUSE = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("LOCKSTEP_TEST_POSTGRES", "")
ROUTED = setup(routes=(route("production", "incident", "defect"),))
NAMES = {s: {n: f.natives[s] for n, f in ROUTED.fields.items() if s in f.natives} for s in ROUTED.sides}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, on PostgreSQL a schema of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state/lockstep.db"
        return
    if not POSTGRES:
        pytest.skip("LOCKSTEP_TEST_POSTGRES names no database")
    schema = f"lockstep_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    yield (
        sa.make_url(POSTGRES)
        .update_query_dict({"options": f"-csearch_path={schema}"})
        .render_as_string(hide_password=False)
    )
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
    engine.dispose()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = opened(url)
    yield found
    found.close()


def opened(url: str, *, exclusive: bool = True) -> Store:
    store = Store(url, INSTANCE)
    store.open(exclusive=exclusive)
    store.field_names = NAMES
    return store


def lone(ref: Ref = INCIDENT) -> Record:
    return record(ref, mark=None, version=3)


def welcomed(store: Store, *records: Record) -> LinkState:
    """The prospective link of the first record; all of them are known to the store."""
    sides = {"snow": "incident", "jira": "defect", "azure": "pbi"}
    store.remember([(r, sides[r.ref.tracker], False) for r in records])
    (found,) = store.links_of([records[0].ref])
    return found


def linked(store: Store) -> tuple[int, Open, int]:
    """A link whose counterpart is on its way: the link's id, the opening, its intent."""
    shown = lone()
    state = welcomed(store, shown)
    plan = decide(state, only_seen(shown), ROUTED, NOW)
    id, intents = store.commit(state, plan, only_seen(shown), NOW)
    (opening,) = opens(plan.actions)
    return id, opening, intents[plan.actions.index(opening)]


def whole(store: Store) -> int:
    """A link of an incident and a defect."""
    id, opening, intent = linked(store)
    store.created(id, intent, opening, record(DEFECT, "To Do", mark=opening.draft.mark), NOW)
    return id


def only(store: Store) -> LinkState:
    (found,) = store.links()
    return found


def settled(store: Store, **learnt: Any) -> None:
    """Commits a plan that only learns."""
    state = only(store)
    store.commit(state, Plan(state.id, state.key, "t", settlement=Settlement(**learnt)), seen(), NOW)


def refused(store: Store, table: sa.Table, row: dict[str, Any]) -> bool:
    try:
        with store.db.begin() as connection:
            connection.execute(sa.insert(table).values(row))
    except sa.exc.IntegrityError:
        return True
    return False


# ── Constraints ──────────────────────────────────────────────────────────────────────────────────────────────────


def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    with store.db.begin() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.select(table))]


def test_an_item_is_in_one_link_at_the_most(store: Store) -> None:
    whole(store)
    (row, _) = rows(store, t.items)
    assert refused(store, t.items, {**row, "link": None})
    assert refused(store, t.items, {**row, "link": row["link"] + 1, "id": "new"})  # and in one that exists


def test_two_openings_of_one_item_make_one_link(store: Store) -> None:
    shown = lone()
    state = welcomed(store, shown)
    plan = decide(state, only_seen(shown), ROUTED, NOW)
    store.commit(state, plan, only_seen(shown), NOW)
    with pytest.raises(sa.exc.IntegrityError):
        store.commit(state, plan, only_seen(shown), NOW)
    assert len(store.links()) == 1 and len(rows(store, t.intents)) == 2


def test_a_firing_happens_once(store: Store) -> None:
    whole(store)
    firing = Firing("quiet", "e", 1, NOW)
    settled(store, firings=(firing,))
    settled(store, firings=(replace(firing, at=NOW + HOUR),))
    assert only(store).firings == (firing,)
    assert refused(store, t.firings, rows(store, t.firings)[0])


def test_a_copy_has_one_origin(store: Store) -> None:
    whole(store)
    key = CopyKey(Origin("snow", "c1"), DEFECT)
    settled(store, copies=((key, Copy("done", NOW), "k1"),))
    (row,) = rows(store, t.copies)
    assert refused(store, t.copies, {**row, "origin_id": "c2"})
    assert refused(store, t.copies, row)
    assert not refused(store, t.copies, {**row, "origin_id": "c2", "copy_id": "k2"})


def test_two_creations_with_one_key_are_never_alive_at_once(store: Store) -> None:
    _, opening, intent = linked(store)
    row = next(row for row in rows(store, t.intents) if row["id"] == intent)
    again = {**row, "id": row["id"] + 10}
    for alive in ("", "unsure", "done"):
        store.settle_intent(intent, alive, NOW)
        assert refused(store, t.intents, again)
    store.settle_intent(intent, "failed", NOW)
    assert not refused(store, t.intents, again)
    assert opening.draft.mark.made == row["key"]


def test_what_a_transaction_cannot_finish_it_never_began(store: Store) -> None:
    id = whole(store)
    before = only(store)
    broken = Plan(id, before.key, "t", settlement=Settlement(known=(comment(INCIDENT, "c1"),), due=NOW))
    held = Held(INCIDENT, "x", None, "", NOW)  # type: ignore[arg-type]
    with pytest.raises(sa.exc.IntegrityError):
        store.commit(before, replace(broken, settlement=replace(broken.settlement, holds=(held,))), seen(), NOW)
    assert only(store) == before and store.due(NOW) == []


# ── Notice ───────────────────────────────────────────────────────────────────────────────────────────────────────


def notice(version: int, ref: Ref = INCIDENT) -> Notice:
    return Notice(ref, version)


def test_a_page_and_its_cursor_move_together_or_not_at_all(store: Store) -> None:
    store.notice("incident", [notice(1)], "a", complete=False, first=True)
    assert store.cursor("incident") == ("a", False) and [d.ref for d in store.dirty()] == [INCIDENT]
    assert store.dirty()[0].old
    with pytest.raises((sa.exc.SQLAlchemyError, StateBroken)):
        store.notice("incident", [notice(2, DEFECT)], None, complete=True, first=True)  # type: ignore[arg-type]
    assert store.cursor("incident") == ("a", False) and [d.ref for d in store.dirty()] == [INCIDENT]


def test_rows_of_an_overlap_are_no_news(store: Store) -> None:
    shown = lone()
    welcomed(store, shown)
    store.pass_over([shown])
    assert store.notice("incident", [notice(3)], "a", complete=True, first=False) == []
    assert store.notice("incident", [notice(2)], "a", complete=True, first=False) == []
    assert store.dirty() == []
    assert store.notice("incident", [notice(4)], "a", complete=True, first=False) == [INCIDENT]


def test_what_was_noticed_again_meanwhile_is_not_forgotten(store: Store) -> None:
    store.notice("incident", [notice(1)], "a", complete=True, first=False)
    taken = store.dirty()
    store.notice("incident", [notice(2)], "b", complete=True, first=False)
    store.clean(taken)
    assert [d.token for d in store.dirty()] == [2]
    store.clean(store.dirty())
    assert store.dirty() == []


def test_a_cursor_and_cursors_of_other_sides_do_not_meet(store: Store) -> None:
    assert store.cursor("defect") == ("", False)
    store.notice("incident", [], "a", complete=True, first=False)
    assert store.cursor("defect") == ("", False) and store.cursor("incident") == ("a", True)


# ── Links ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_is_read_back_as_it_was_settled(store: Store) -> None:
    whole(store)
    movement = Movement("stage:4:Fixing", "stage", NOW, "Fixing", "developers", "operations")
    held = Held(DEFECT, "summary", "no", "do", NOW, NOW + HOUR, "f")
    fired = Firing("quiet", "e", 1, NOW, "before", ("developers", "a@example.org"))
    called = (Mention("acc-ann", "Ann Lee"), Mention("", "Bob"))
    own = OwnRemark("note:1", DEFECT, "internal", "text", "why", called)
    key = CopyKey(Origin("snow", "c1"), DEFECT, 2)
    settled(
        store,
        agreed={"priority": Agreed(3, 4, "incident"), "labels": Agreed(("a", "b"), 2), "flag": Agreed(None, 1)},
        echoes=((DEFECT, "labels", Echo(one("labels", ("a", "b")), 2)),),
        before="Fixing",
        known=(comment(INCIDENT, "c1"),),
        copies=((key, Copy("done", NOW), "k1"),),
        movements=(movement,),
        firings=(fired,),
        holds=(held,),
        remarks=(own,),
        due=NOW + MINUTE,
        closed=True,
    )
    found = only(store)
    assert {n: found.agreed[n] for n in ("priority", "labels", "flag")} == {
        "priority": Agreed(3, 4, "incident"),
        "labels": Agreed(("a", "b"), 2),
        "flag": Agreed(None, 1),
    }
    assert found.item(DEFECT).echoes["labels"] == Echo(one("labels", ("a", "b")), 2)
    assert (found.before, found.closed, found.known) == ("Fixing", NOW, frozenset({Origin("snow", "c1")}))
    assert found.copies == {key: Copy("done", NOW, "k1")}
    assert movement in found.movements and found.firings == (fired,)
    assert (found.held, found.remarks) == ((held,), (own,))
    assert store.due(NOW) == [] and store.due(NOW + MINUTE) == [found.id]


def test_a_hold_keeps_the_instant_of_its_beginning(store: Store) -> None:
    id = whole(store)
    held = Held(DEFECT, "summary", "no", "do", NOW, NOW + HOUR, "f")
    store.hold(id, held, NOW)
    store.hold(id, replace(held, since=NOW + DAY, reason="still no"), NOW + DAY)
    assert [(h.since, h.reason) for h in only(store).held] == [(NOW, "still no")]
    assert [key for _, key in store.held()] == ["D1"]
    settled(store, releases=((DEFECT, "summary"),))
    assert store.held() == []


def test_a_new_item_echoes_what_it_was_born_with_and_earlier_comments_are_history(store: Store) -> None:
    id, opening, intent = linked(store)
    settled(store, known=(comment(INCIDENT, "c1"),))
    store.created(id, intent, opening, record(DEFECT, "To Do"), NOW)
    found = only(store)
    assert found.item(DEFECT).echoes[STAGE] == Echo(spelled("To Do"), 0)
    assert found.item(DEFECT).echoes["priority"] == Echo(one("priority", "Medium"), 1)
    assert found.copies == {CopyKey(Origin("snow", "c1"), DEFECT): Copy("history", NOW)}
    assert [c.outcome for c in found.creations] == ["done"]


def test_sweeps_close_upon_each_other_start_where_the_one_an_interval_ago_stood(store: Store) -> None:
    store.notice("defect", (), "", complete=True, first=True)

    def start(minutes: int, cursor: str, *, ends: bool = True) -> str:
        since = NOW + minutes * MINUTE, HOUR
        found = store.sweep_start("defect", cursor, *since)
        if ends:
            store.swept("defect", cursor, *since)
        return found

    close = {0: "a", 20: "b", 40: "c", 60: "d", 80: "e"}
    assert [start(minutes, cursor) for minutes, cursor in close.items()] == ["a"] * 5
    assert start(110, "f") == "c"
    assert [start(minutes, "g", ends=False) for minutes in (180, 240)] == ["f", "f"], "one broke off"
    assert start(300, "h") == "f"
    assert [start(minutes, "i") for minutes in (-1440, -1380)] == ["f", "h"], "the clock was set back"


def test_a_write_on_its_way_is_remembered_until_it_is_answered(store: Store) -> None:
    id, opening, intent = linked(store)
    born = record(DEFECT, "To Do", mark=opening.draft.mark)
    store.created(id, intent, opening, born, NOW)
    state = only(store)
    moved = record(INCIDENT, version=9, fields={"short_description": "Worse"})
    shown = only_seen(moved, born)
    plan = decide(state, shown, ROUTED, NOW)
    _, intents = store.commit(state, plan, shown, NOW)
    (place,) = intents
    echoes = only(store).item(DEFECT).echoes
    assert echoes["summary"] == Echo(one("summary", "Broken"), 1, one("summary", "Worse"))
    assert echoes[STAGE].sent == spelled("In Progress")
    answered = record(DEFECT, "In Progress", version=2, fields={"summary": "Worse"})
    store.acknowledge(intents[place], answered, [("summary", Echo(one("summary", "Worse"), 2))], NOW, direct=True)
    assert only(store).item(DEFECT).echoes["summary"] == Echo(one("summary", "Worse"), 2)
    assert (only(store).item(DEFECT).version, only(store).item(DEFECT).acked) == (2, 2)


def test_links_found_by_their_marks_are_put_together_under_their_key(store: Store) -> None:
    incident, defect = record(INCIDENT), record(DEFECT)
    welcomed(store, incident, defect)
    key = link_key(INSTANCE, INCIDENT)
    id = store.rebuild_link(key, INCIDENT, [(incident, "incident")], NOW)
    assert store.rebuild_link(key, INCIDENT, [(defect, "defect")], NOW) == id == store.link_by_key(key)
    assert {i.ref: i.rebuilt for i in only(store).items} == {INCIDENT: True, DEFECT: True}
    assert [found.key for text in ("i1", "d1", key, "D1") for found in store.find(text)] == [key] * 4


# ── A crash ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_crash_a_creation_may_have_happened_and_everything_is_read_again(url: str) -> None:
    first = opened(url)
    linked(first)
    first.close()
    after = opened(url)
    assert after.unsettled_creations() == []
    assert after.recover(NOW) == 2  # the mark and the creation
    (begun,) = after.unsettled_creations()
    assert (begun.side, begun.at) == ("defect", NOW)
    assert Mark.parse(MARK, begun.keys).made == begun.key
    assert [(d.ref, d.talk) for d in after.dirty()] == [(INCIDENT, True)]
    assert after.recover(NOW) == 0
    found = record(DEFECT, "To Do", mark=Mark.parse(MARK, begun.keys))
    assert after.creation_by_key(begun.key) == begun
    after.found_creation(begun, found, history=True, now=NOW)
    assert after.unsettled_creations() == [] and after.creation_by_key(begun.key) is None
    assert {i.ref for i in only(after).items} == {INCIDENT, DEFECT}
    after.close()


def test_a_state_that_is_begun_anew_keeps_what_only_people_said(store: Store) -> None:
    id = whole(store)
    store.pause(Pause("all", NOW, "dana"))
    asked = store.ask("unlink", ["I1"], "dana", NOW)
    store.keep_in_force("the file")
    for name in ("pass ended", "journal at snow"):
        store.note(name, "noted")
    settled(store, known=(comment(INCIDENT, "c1"),), firings=(Firing("quiet", "e", 1, NOW),))
    intent = next(row["id"] for row in rows(store, t.intents) if row["kind"] == "open")
    assert store.known_creations(["none", rows(store, t.intents)[-2]["key"]]) != set()
    assert store.last_entry() == NOW and intent
    store.forget_known({"pass ended"}, NOW + DAY)
    assert {table.name for table in t.metadata.sorted_tables if rows(store, table)} == (
        {"meta", "pauses", "requests", "journal", "journal_bodies", "links"}
    )
    ((link, aside),) = [(row["id"], row["aside"]) for row in rows(store, t.links)]
    assert (link, aside) == (id, ("production",))
    assert (store.noted("pass ended"), store.noted("journal at snow")) == ("noted", None)
    assert store.in_force() == "the file" and store.request(asked).outcome == "declined"
    assert store.broken_journal() is None
    store.hold_on()


def said(store: Store, part: int, parts: int, origin: str, text: str = "x") -> Say:
    return Say(DEFECT, "defect", "internal", CopyKey(Origin("", origin), DEFECT, part), parts, text)


def test_a_copy_that_was_on_its_way_is_unsure_and_its_text_is_in_no_table(store: Store) -> None:
    id = whole(store)
    say = Say(DEFECT, "defect", "everyone", CopyKey(Origin("snow", "c1"), DEFECT), 1, "very secret words", "why")
    state = only(store)
    store.commit(state, Plan(id, state.key, "t", (say,)), seen(), NOW)
    assert only(store).copies == {say.copy: Copy("unsure", NOW, channel="everyone")}
    everything = [value for table in t.metadata.sorted_tables for row in rows(store, table) for value in row.values()]
    assert not any("very secret words" in str(value) for value in everything)
    store.recover(NOW)
    assert {d.ref for d in store.dirty()} == {INCIDENT, DEFECT}


def test_a_remark_of_our_own_is_kept_until_every_part_of_it_is_said(store: Store) -> None:
    id = whole(store)
    settled(store, remarks=(OwnRemark("n1", DEFECT, "internal", "long", "why"),))
    parts = [said(store, n, 2, "n1") for n in (1, 2)]
    state = only(store)
    store.commit(state, Plan(id, state.key, "t", tuple(parts)), seen(), NOW)
    store.said(parts[0], id, "refused", NOW)
    store.said(parts[1], id, "done", NOW, "k2")
    assert len(only(store).remarks) == 1
    store.said(parts[0], id, "done", NOW, "k1")
    assert only(store).remarks == ()


def test_a_remark_that_turned_up_after_a_lost_answer_is_no_longer_kept(store: Store) -> None:
    id = whole(store)
    settled(store, remarks=(OwnRemark("n1", DEFECT, "internal", "short", "why"),))
    say, state = said(store, 1, 1, "n1"), only(store)
    store.commit(state, Plan(id, state.key, "t", (say,)), seen(), NOW)
    settled(store, copies=((say.copy, Copy("done", NOW), "k1"),))
    assert only(store).remarks == ()


def test_a_mail_goes_out_once_and_gives_its_text_away(store: Store) -> None:
    id = whole(store)
    state = only(store)
    mail = Notify("fire:1:email", "email", ("a@example.org",), (), "subject", "body", "why")
    for _ in range(2):
        store.commit(state, Plan(id, state.key, "t", (mail,)), seen(), NOW)
    wanted, pasts = store.unshared(NOW)
    assert (wanted, pasts) == ([Wanted("fire:1:email", "email", "a@example.org")], {})
    store.share([Delivery(wanted[0], "fire:1:email", NOW)])
    ((waiting,),) = (parcel.messages for parcel in store.parcels(NOW))
    assert (waiting.key, waiting.tries, waiting.payload["to"]) == ("fire:1:email", 0, ("a@example.org",))
    store.delivered(wanted, "", NOW + HOUR, "no server")
    assert store.parcels(NOW + HOUR) == [] and store.unshared(NOW)[0] == []
    assert store.unsent() == [("fire:1:email", "email", "no server")]
    store.share([Delivery(store.unshared(NOW + HOUR)[0][0], "fire:1:email", NOW + HOUR)])
    assert store.parcels(NOW + HOUR)[0].messages[0].tries == 1
    store.delivered(wanted, "sent", NOW + HOUR)
    assert store.parcels(NOW + HOUR) == [] and store.unsent() == [] and store.unshared(NOW + HOUR)[0] == []
    assert "body" not in str(rows(store, t.outbox))


def test_what_is_added_to_a_rule_is_armed_by_itself_and_what_is_gone_begins_anew(store: Store) -> None:
    whole(store)
    store.arm({"old": ()}, NOW)
    store.arm({"old": ("old step 1",), "new": ("new step 1",)}, NOW + DAY)
    assert dict(only(store).armed) == {"old": NOW, "old step 1": NOW, "new": NOW + DAY, "new step 1": NOW + DAY}
    store.arm({"new": ("new step 1", "new step 2")}, NOW + 2 * DAY)
    assert dict(only(store).armed) == {"new": NOW + DAY, "new step 1": NOW + DAY, "new step 2": NOW + 2 * DAY}
    store.arm({"old": ("old step 1",)}, NOW + 3 * DAY)
    assert dict(only(store).armed) == {"old": NOW + 3 * DAY, "old step 1": NOW + 3 * DAY}


def test_a_rule_is_armed_once(store: Store) -> None:
    store.arm({"quiet": ()}, NOW)
    store.arm({"quiet": (), "over": ()}, NOW + DAY)
    whole(store)
    assert dict(only(store).armed) == {"quiet": NOW, "over": NOW + DAY}


# ── The journal ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_journal_tells_what_was_decided_and_its_chain_holds(store: Store) -> None:
    whole(store)
    told = [(entry.kind, entry.body) for entry in store.journal(only(store).key)]
    assert ("agreed", "stage = 'Fixing' by incident (agreement 1)") in told
    assert "open" in dict(told) and store.broken_journal() is None


@pytest.mark.parametrize(
    "forgery",
    [
        sa.update(t.journal_bodies).where(t.journal_bodies.c.seq == 2).values(body="it never happened"),
        sa.update(t.journal).where(t.journal.c.seq == 2).values(item="something else"),
        sa.update(t.journal).where(t.journal.c.seq == 2).values(at=NOW + DAY),
        sa.update(t.journal).where(t.journal.c.seq == 2).values(digest="0" * 64),
        sa.update(t.journal).where(t.journal.c.seq == 2).values(kind="note", chain="0" * 64),
    ],
)
def test_whoever_alters_a_line_of_the_journal_is_found_out(store: Store, forgery: sa.Update) -> None:
    whole(store)
    with store.db.begin() as connection:
        connection.execute(forgery)
    assert store.broken_journal() == 2


def test_a_line_that_is_missing_in_the_journal_is_found_out(store: Store) -> None:
    whole(store)
    with store.db.begin() as connection:
        for table in (t.journal_bodies, t.journal):
            connection.execute(sa.delete(table).where(table.c.seq == 2))
    assert store.broken_journal() == 3


def test_what_a_clock_that_was_ahead_stamped_moves_back_with_it(store: Store) -> None:
    whole(store)
    reached = NOW + 3 * DAY
    with store.db.begin() as connection:
        for column in STAMPS:
            connection.execute(sa.update(column.table).values({column.name: reached - HOUR}))
        connection.execute(sa.update(t.links).values(due=reached + HOUR, closed=None))
    store.turn_back(reached, NOW)
    left = {str(column): {row[column.name] for row in rows(store, column.table)} for column in STAMPS}
    assert left.pop("links.due") == {NOW + HOUR} and left.pop("links.closed") == {None}
    assert set().union(*left.values()) == {NOW - HOUR}
    assert store.broken_journal() is None and store.last_entry() == NOW


def test_the_sentences_of_the_journal_can_go_and_the_chain_still_holds(store: Store) -> None:
    whole(store)
    count = len(rows(store, t.journal))
    store.forget_old(NOW + KEPT)
    assert len(rows(store, t.journal_bodies)) == count > 2
    store.forget_old(NOW + KEPT + MINUTE)
    assert store.broken_journal() is None
    assert {entry.body for entry in store.journal(only(store).key)} == {""}
    assert len(rows(store, t.journal)) == count
    whole_again = only(store)
    store.hold(whole_again.id, Held(DEFECT, "x", "no", "do", NOW), NOW)
    assert store.broken_journal() is None


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=400))
def test_whatever_people_write_the_state_takes_it(text: str) -> None:
    """On SQLite; PostgreSQL refuses less than the union of both, and is asked below."""
    store = opened("sqlite://")
    takes_anything(store, text)
    store.close()


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud83d", "é" * 4000, "'; drop table links; --"])
def test_hostile_words_are_no_stumbling_block(store: Store, text: str) -> None:
    takes_anything(store, text)


def takes_anything(store: Store, text: str) -> None:
    id = whole(store)
    settled(
        store,
        agreed={"summary": Agreed(text, 2, "incident")},
        echoes=((DEFECT, "summary", Echo(one("summary", text), 2)),),
        holds=(Held(DEFECT, "summary", text, text, NOW),),
        remarks=(OwnRemark("n1", DEFECT, "internal", text, text),),
    )
    state = only(store)
    say = Say(DEFECT, "defect", "everyone", CopyKey(Origin("snow", "c9"), DEFECT), 1, text, f"{text} wrote on I1")
    store.commit(state, Plan(id, state.key, text * 3, (say,)), seen(record(DEFECT, assignee=text, url=text)), NOW)
    assert only(store).agreed["summary"].value == text
    assert only(store).item(DEFECT).echoes["summary"].spelling == one("summary", text)
    assert store.broken_journal() is None


# ── The database itself ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_migrations_end_where_this_code_begins(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", str(HOUSE / "sync" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD
    with store.db.begin() as connection:
        assert database.revision(connection) == database.HEAD
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), t.metadata) == []


def downgraded(store: Store, revision: str) -> None:
    """Takes the tables back to an older version, as a state that such a Lockstep left."""
    config = Config()
    config.set_main_option("script_location", str(HOUSE / "sync" / "migrations"))
    with store.db.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    store.close()


def test_a_state_of_the_first_tables_keeps_its_links_and_learns_their_routes(url: str) -> None:
    first = opened(url)
    whole(first)
    (before,) = first.links()
    assert before.route == "production"
    downgraded(first, "0001")
    again = opened(url)
    kept = tuple(replace(moved, item="", author="") for moved in before.movements)
    assert again.links() == [replace(before, movements=kept, strokes=())]
    assert again.broken_journal() is None
    again.close()


def test_a_filled_state_of_the_second_tables_keeps_all_it_knows_and_sends_what_waits(url: str) -> None:
    first = opened(url)
    whole(first)
    link = only(first)
    moved = Movement("stage:4:Fixing", "stage", NOW, "Fixing", "developers", "operations", item="D-1", author="Ann")
    fired = Firing("quiet", "e", 1, NOW, "fired", ("developers",))
    held = Held(DEFECT, "summary", "no", "do", NOW, NOW + HOUR, "f")
    wish = Held(INCIDENT, STAGE, "gate", "do", NOW, None, f"wish:4:{'long ' * 10}")
    own = OwnRemark("note:1", DEFECT, "internal", "text", "why", (Mention("acc-ann", "Ann Lee"),))
    order = Order("fire:1:assign", "assign", "defect", "Ann Lee", "rule 1")
    mail = Notify("fire:1:email", "email", ("a@example.org",), (), "subject", "body", "why")
    learnt = Settlement(movements=(moved,), firings=(fired,), holds=(held, wish), remarks=(own,), orders=(order,))
    first.commit(link, Plan(link.id, link.key, "t", (mail,), settlement=learnt), seen(), NOW)
    first.share([Delivery(Wanted(mail.key, "email", "a@example.org"), mail.key, NOW)])
    before = only(first)
    downgraded(first, "0002")

    again = opened(url)
    kept = tuple(replace(one, item="", author="") for one in before.movements)
    known = {"movements": kept, "firings": (replace(fired, told=()),), "remarks": (replace(own, mention=()),)}
    assert only(again) == replace(before, **known, held=(held,), orders=(), strokes=())
    waits, _ = again.unshared(NOW)
    assert waits == [Wanted(mail.key, "email", "a@example.org")]
    assert again.broken_journal() is None
    again.close()


def test_names_as_long_as_people_make_them_are_kept(store: Store) -> None:
    whole(store)
    moved = Movement("word:1", "word", NOW, "Fixing", "developers", item="K" * 80, word="w" * 60)
    wish = Held(DEFECT, STAGE, "gate", "do", NOW, None, f"wish:4:{'s' * 200}")
    settled(store, movements=(moved,), holds=(wish,))
    assert moved in only(store).movements and wish in only(store).held


def test_a_state_of_a_newer_lockstep_is_left_alone(url: str) -> None:
    first = opened(url)
    with first.db.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    first.close()
    with pytest.raises(StateBroken, match="newer Lockstep"):
        opened(url)


def test_a_state_is_opened_again_as_it_was_left(url: str) -> None:
    first = opened(url)
    whole(first)
    before = first.links()
    first.close()
    again = opened(url)
    assert again.links() == before
    again.close()


SECOND = """
import sys
sys.path.insert(0, sys.argv[2])
from sync.store import StateLocked, Store
store = Store(sys.argv[1], "test")
try:
    store.open()
except StateLocked as locked:
    sys.exit(f"locked: {locked}")
print("free")
"""


def second(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SECOND, url, str(HOUSE)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_second_process_is_kept_out_until_the_first_is_gone(url: str) -> None:
    first = opened(url)
    refusal = second(url)
    assert refusal.returncode == 1 and "locked: another Lockstep works on" in refusal.stderr
    with pytest.raises(StateLocked):
        opened(url)
    reader = opened(url, exclusive=False)
    assert reader.counts()["links"] == 0
    reader.close()
    first.close()
    assert second(url).stdout == "free\n"


def test_a_scratch_copy_leaves_the_state_as_it_is(store: Store) -> None:
    whole(store)
    before = {table.name: rows(store, table) for table in t.metadata.sorted_tables}
    scratch = store.scratch()
    assert scratch.links() == store.links()
    scratch.touch_all(closed=True)
    settled(scratch, before="Fixing", holds=(Held(DEFECT, "x", "no", "do", NOW),))
    scratch.note("last pass", 1)
    assert len(scratch.dirty()) == 2 and scratch.noted("last pass") == 1
    scratch.close()
    assert {table.name: rows(store, table) for table in t.metadata.sorted_tables} == before


def test_the_files_of_the_state_are_their_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = opened(f"sqlite:///{tmp_path}/deep/down/lockstep.db")
        whole(store)
        files = sorted((tmp_path / "deep" / "down").iterdir())
        assert {"lockstep.db", "lockstep.db.lock"} <= {file.name for file in files}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        store.close()
    finally:
        os.umask(old)


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////proc/none/lockstep.db"])
def test_a_state_that_cannot_be_is_told_in_a_sentence(url: str) -> None:
    with pytest.raises(StateBroken):
        opened(url)


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "lockstep.db").write_text("these are not the tables you look for\n" * 100)
    with pytest.raises(StateBroken):
        opened(f"sqlite:///{tmp_path}/lockstep.db")


def test_commits_survive_power_loss_by_being_on_disk_first(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path}/lockstep.db")
    with store.db.begin() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2}
    store.close()


def test_instants_and_values_come_back_as_they_went(store: Store) -> None:
    exact = NOW.replace(microsecond=123457)
    store.note("at", {"list": ["a", ["b"]], "none": None})
    assert store.noted("at") == {"list": ("a", ("b",)), "none": None} and store.noted("nothing") is None
    id = whole(store)
    store.due_by(id, exact)
    assert store.due(exact - (exact - exact.replace(microsecond=123456))) == [] and store.due(exact) == [id]
    store.due_by(id, exact + DAY)
    assert store.due(exact) == [id]
    assert PBI not in {i.ref for i in only(store).items}
