"""Edits and deletions of comments: settled, brought to the copies that are there, and never carried twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from mappings.banner import ROOM, banner, origin_token
from mappings.model import Comment
from sandbox.estate import PEOPLE
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.comments.amend import DELETED, EMPTIED, SETTLES, SHORTENED, WITHDRAWN
from sync.comments.copies import later, version_of
from sync.comments.discuss import Talk, discuss
from sync.plan import Reword
from sync.reconcile import Pass, one_pass
from sync.setup import Setup
from sync.state import Copy, CopyKey, LinkState, Origin, Version
from tests.builders import DAY, DEFECT, FACTS, HOUR, INCIDENT, MINUTE, NOW, PBI, comment, link, mask, seen, setup
from tests.world import ANA, BEN, CHEN, SAM, World, copies_of, writes

FACTS_NOW = {name: replace(facts, rewords=name != "snow") for name, facts in FACTS.items()}
HOUSE = setup()
#: a word on the defect, said an hour ago and copied to both others
WORD = comment(DEFECT, "c1", "It is broken")
EDITED = replace(WORD, text="It is broken on Sundays", updated=NOW - 10 * MINUTE)
ORIGIN = Origin("jira", "c1")


# ── The rule by itself ───────────────────────────────────────────────────────────────────────────────────────────────


def carried(word: Comment = WORD, house: Setup = HOUSE, **copies: Copy) -> LinkState:
    """A link in which the word was heard and copied. ``copies`` says otherwise of one side's copy."""
    digest = version_of(house, word)
    said = {
        "incident": Copy("done", NOW - HOUR, digest=digest, channel="comments"),
        "pbi": Copy("done", NOW - HOUR, "k2", digest, channel="discussion"),
    } | copies
    keys = {"incident": CopyKey(ORIGIN, INCIDENT), "pbi": CopyKey(ORIGIN, PBI)}
    versions = {ORIGIN: Version(DEFECT.id, digest, word.created)}
    return link(copies={keys[s]: c for s, c in said.items()}, known=frozenset(versions), versions=versions)


def look(state: LinkState, *comments: Comment, house: Setup = HOUSE, at: datetime = NOW, **more: object) -> Talk:
    shown = replace(seen(comments=comments, **more), facts=FACTS_NOW)  # type: ignore[arg-type]
    return discuss(state, shown, house, at)


def settled(state: LinkState, found: Talk) -> LinkState:
    """The link once what was found is committed."""
    copies = {**state.copies, **{key: replace(copy, id=id) for key, copy, id in found.copies}}
    return replace(state, copies=copies, versions={**state.versions, **dict(found.versions)})


def copy_on_pbi(text: str, updated: datetime = NOW - HOUR) -> Comment:
    line = banner("hush", "Ann", "D1", origin_token("hush", "jira", "c1"), PBI)
    found = comment(PBI, "k2", f"{line}\n{text}", ours=True, account="lockstep")
    return replace(found, updated=updated)


def words_under(action: Reword) -> str:
    return action.text.partition("\n")[2]


def test_what_was_not_edited_is_left_alone() -> None:
    found = look(carried(), WORD)
    assert (found.says, found.rewords, found.versions, found.copies, found.due) == ((), (), (), (), None)


def test_an_edit_settles_for_five_minutes() -> None:
    fresh = replace(EDITED, updated=NOW - MINUTE)
    first = look(carried(), fresh)
    assert (first.says, first.rewords) == ((), ()) and first.due == NOW + 4 * MINUTE == fresh.updated + SETTLES
    after = settled(carried(), first)
    assert look(after, fresh, at=NOW + 4 * MINUTE - timedelta(seconds=1)).rewords == ()
    assert len(look(after, fresh, at=NOW + 4 * MINUTE).rewords) == 1


def test_an_edit_of_an_edit_settles_anew_and_only_the_last_words_are_carried() -> None:
    once = replace(EDITED, updated=NOW - MINUTE)
    twice = replace(EDITED, text="It is broken on Mondays", updated=NOW + MINUTE)
    state = settled(carried(), look(carried(), once))
    state = settled(state, look(state, twice, at=NOW + 2 * MINUTE))
    assert look(state, twice, at=NOW + 4 * MINUTE).rewords == ()
    (reword,) = look(state, twice, at=NOW + 6 * MINUTE).rewords
    assert words_under(reword) == "It is broken on Mondays"


def test_an_edit_taken_back_in_time_is_none() -> None:
    state = settled(carried(), look(carried(), replace(EDITED, updated=NOW - MINUTE)))
    back = replace(WORD, updated=NOW)
    state = settled(state, look(state, back, at=NOW + MINUTE))
    found = look(state, back, at=NOW + HOUR)
    assert (found.says, found.rewords, found.due) == ((), (), None)


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(hours=-3)])
def test_a_tracker_whose_clock_is_off_delays_an_edit_by_five_minutes_at_most(ahead: timedelta) -> None:
    fresh = replace(EDITED, updated=NOW + ahead)
    state = settled(carried(), look(carried(), fresh))
    assert len(look(state, fresh, at=NOW + SETTLES).rewords) == 1


def test_an_edit_becomes_a_new_version_of_the_same_copy_where_the_tracker_can_edit_else_one_follow_up() -> None:
    found = look(carried(), EDITED)
    (reword,) = found.rewords
    assert (reword.ref, reword.id, reword.copy, words_under(reword)) == (PBI, "k2", CopyKey(ORIGIN, PBI), EDITED.text)
    (say,) = found.says
    assert (say.ref, say.channel, say.copy.origin) == (INCIDENT, "comments", later(ORIGIN, EDITED.updated))
    assert say.text.partition("\n")[2] == f"edited: {EDITED.text}"


def test_a_follow_up_that_was_said_is_not_said_again_and_the_next_edit_has_one_of_its_own() -> None:
    (say,) = look(carried(), EDITED).says
    now = carried(pbi=Copy("done", NOW, "k2", say.version))
    done = {**now.copies, say.copy: Copy("done", NOW, "", say.version, channel="comments")}
    state = replace(now, copies=done, versions={ORIGIN: Version(DEFECT.id, say.version, EDITED.updated)})
    assert look(state, EDITED).says == ()
    again = replace(EDITED, text="It is whole", updated=NOW)
    state = settled(state, look(state, again))
    (next_one,) = look(state, again, at=NOW + SETTLES).says
    assert next_one.copy.origin == later(ORIGIN, NOW) and next_one.text.endswith("\nedited: It is whole")


def test_masks_hold_in_an_edited_text_too() -> None:
    house = setup(masks=(mask("ssn", r"\d{3}-\d{2}-\d{4}"),))
    found = look(carried(house=house), replace(EDITED, text="mine is 123-45-6789"), house=house)
    assert [words_under(r) for r in found.rewords] == ["mine is [ssn]"]
    assert all("123-45" not in say.text for say in found.says)


def test_an_edit_may_change_the_number_of_parts() -> None:
    facts = {**FACTS_NOW, "azure": replace(FACTS_NOW["azure"], comment_limit=ROOM + 10)}

    def at(state: LinkState, word: Comment) -> Talk:
        return discuss(state, replace(seen(comments=[word]), facts=facts), HOUSE, NOW)

    grown = at(carried(), replace(EDITED, text="nine char more words"))
    assert [words_under(r) for r in grown.rewords] == ["nine char"]
    more = [say for say in grown.says if say.ref == PBI]
    assert [(say.copy.part, say.text.partition("\n")[2]) for say in more] == [(2, "more words")]
    assert more[0].text.splitlines()[0].endswith(" 2/2") and grown.rewords[0].text.splitlines()[0].endswith(" 1/2")
    parts = {CopyKey(ORIGIN, PBI, n): Copy("done", NOW, f"k{n + 1}", "before", channel="discussion") for n in (1, 2)}
    whole = carried()
    shrunk = at(replace(whole, copies={**whole.copies, **parts}), replace(EDITED, text="short"))
    assert {r.id: words_under(r) for r in shrunk.rewords} == {"k2": "short", "k3": SHORTENED}


def test_a_comment_emptied_by_its_author_says_so() -> None:
    assert [words_under(r) for r in look(carried(), replace(EDITED, text=" ")).rewords] == [EMPTIED]


def test_the_edit_of_a_comment_older_than_the_joining_is_not_carried() -> None:
    state = carried(pbi=Copy("history", NOW), incident=Copy("history", NOW))
    found = look(state, EDITED)
    assert (found.says, found.rewords) == ((), ())
    assert look(settled(state, found), EDITED).due is None


def test_a_comment_that_was_not_carried_yet_goes_with_its_present_words_once() -> None:
    found = look(carried(pbi=Copy("pending", NOW)), EDITED)
    assert [say.text.partition("\n")[2] for say in found.says if say.ref == PBI] == [EDITED.text]
    assert found.rewords == ()


def test_a_copy_that_somebody_edited_stays_a_copy_and_is_left_so_until_its_origin_is_edited() -> None:
    theirs = replace(copy_on_pbi(""), text="rewritten by an admin", updated=NOW - MINUTE)
    assert look(carried(), WORD, theirs).rewords == () and look(carried(), WORD, theirs).says == ()
    assert [r.id for r in look(carried(), EDITED, theirs).rewords] == ["k2"]


def test_a_copy_that_somebody_removed_stays_removed() -> None:
    found = look(carried(), EDITED, heard=[PBI])
    assert found.rewords == () and all(say.ref != PBI for say in found.says)
    assert look(settled(carried(), found), EDITED).rewords == ()


def test_the_state_keeps_digests_of_words_under_the_secret_and_no_words() -> None:
    found = look(carried(), EDITED)
    assert "Sundays" not in repr(found.versions) and "Sundays" not in repr(found.rewords)
    other = setup(secrets=(*HOUSE.secrets[:0], type(HOUSE.secrets[0])("other")))
    assert version_of(other, WORD) != version_of(HOUSE, WORD)


def test_a_new_secret_makes_no_edit_of_what_was_said_under_the_old_one() -> None:
    new = type(HOUSE.secrets[0])("new")
    found = look(carried(), WORD, house=setup(secrets=(new, *HOUSE.secrets)))
    assert (found.says, found.rewords, found.versions) == ((), (), ())


def test_comments_known_before_versions_were_kept_count_as_carried_as_they_are() -> None:
    old = carried(incident=Copy("done", NOW), pbi=Copy("done", NOW, "k2"))
    first = look(replace(old, versions={}), EDITED)
    assert (first.says, first.rewords) == ((), ())
    again = look(settled(replace(old, versions={}), first), EDITED)
    assert (again.says, again.rewords, again.versions, again.copies) == ((), (), (), ())


# ── Answers that were lost ───────────────────────────────────────────────────────────────────────────────────────────


def in_flight(ago: timedelta) -> LinkState:
    state = carried(pbi=Copy("done", NOW - ago, "k2", version_of(HOUSE, WORD), version_of(HOUSE, EDITED), "discussion"))
    return replace(state, versions={ORIGIN: Version(DEFECT.id, version_of(HOUSE, EDITED), EDITED.updated)})


def test_new_words_whose_answer_was_lost_are_settled_by_reading_the_copy() -> None:
    arrived = look(in_flight(HOUR), EDITED, copy_on_pbi(EDITED.text))
    assert arrived.rewords == () and {k: c for k, c, _ in arrived.copies}[CopyKey(ORIGIN, PBI)].sent == ""
    assert look(settled(in_flight(HOUR), arrived), EDITED).rewords == ()
    assert len(look(in_flight(HOUR), EDITED, copy_on_pbi(WORD.text)).rewords) == 1


def test_new_words_that_may_still_be_on_their_way_are_not_sent_again() -> None:
    found = look(in_flight(timedelta(seconds=5)), EDITED, copy_on_pbi(WORD.text))
    assert found.rewords == () and found.waiting == NOW + timedelta(seconds=25)
    unread = look(in_flight(HOUR), EDITED)
    assert unread.rewords == () and unread.waiting is not None


# ── Who may read it ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_comment_made_private_is_taken_back_at_once_where_that_can_be() -> None:
    private = replace(WORD, channel="role:Managers", updated=NOW)
    found = look(carried(), private)
    assert [(r.ref, r.outcome, words_under(r)) for r in found.rewords] == [(PBI, "withdrawn", WITHDRAWN)]
    assert found.says == ()


def test_where_a_copy_cannot_be_taken_back_the_comment_s_own_people_are_told_once() -> None:
    private = replace(WORD, channel="role:Managers", updated=NOW)
    found = look(carried(), private)
    (told,) = found.remarks
    assert (told.ref, told.channel) == (DEFECT, "internal") and "I1" in told.text and WORD.text not in told.text
    state = settled(carried(), found)
    assert look(state, private).remarks == ()


def test_a_comment_moved_to_other_readers_is_said_where_they_are() -> None:
    from tests.builders import path

    house = setup(paths=(path("defect.everyone", "pbi.discussion"), path("defect.internal", "incident.work_notes")))
    moved = replace(WORD, channel="internal", updated=NOW)
    found = look(carried(house=house), moved, house=house)
    assert [(s.ref, s.channel, s.text.partition("\n")[2]) for s in found.says] == [(INCIDENT, "work_notes", WORD.text)]


def test_a_comment_edited_after_its_path_was_removed_is_neither_carried_nor_taken_back() -> None:
    found = look(carried(), EDITED, house=setup(paths=()))
    assert (found.rewords, found.says, found.remarks) == ((), (), ())
    assert look(settled(carried(), found), EDITED, house=setup(paths=())).notes == ()


def test_a_private_comment_that_is_edited_again_is_told_of_no_more() -> None:
    private = replace(WORD, channel="role:Managers", updated=NOW)
    state = settled(carried(), look(carried(), private))
    gone = Copy("withdrawn", NOW, "k2", version_of(HOUSE, private), channel="discussion")
    state = replace(state, copies={**state.copies, CopyKey(ORIGIN, PBI): gone})
    again = look(state, replace(private, text="more", updated=NOW), at=NOW + HOUR)
    assert (again.rewords, again.says, again.remarks) == ((), (), ())


def test_paths_that_an_admin_changed_take_no_copy_back() -> None:
    found = look(carried(), WORD, house=setup(paths=()))
    assert (found.rewords, found.remarks) == ((), ())


# ── Deletions ────────────────────────────────────────────────────────────────────────────────────────────────────────

TELLING = setup(deletions=True)


def test_a_deletion_is_a_tombstone_carried_on_only_if_policy_says_so() -> None:
    found = look(carried(), heard=[DEFECT])
    assert [(origin, version.gone) for origin, version in found.versions] == [(ORIGIN, True)]
    state = settled(carried(), found)
    later_on = look(state, heard=[DEFECT], at=NOW + DAY)
    assert (later_on.says, later_on.rewords, later_on.versions, later_on.due) == ((), (), (), None)
    assert any("deletions" in text for _, text in later_on.notes)


def test_a_deletion_that_policy_carries_is_told_by_every_copy() -> None:
    first = look(carried(), heard=[DEFECT], house=TELLING)
    assert (first.says, first.rewords, first.due) == ((), (), NOW + SETTLES)
    state = settled(carried(), first)
    found = look(state, heard=[DEFECT], house=TELLING, at=NOW + SETTLES)
    assert [(r.id, r.outcome, words_under(r)) for r in found.rewords] == [("k2", "withdrawn", DELETED)]
    assert [(s.ref, s.channel) for s in found.says] == [(INCIDENT, "comments")]
    assert "deleted by its author" in found.says[0].text


def test_a_discussion_that_was_not_read_or_whose_item_is_hidden_tells_of_no_deletion() -> None:
    assert look(carried(), house=TELLING).versions == ()
    assert look(carried(), heard=[DEFECT], gone=[DEFECT], house=TELLING).versions == ()


def test_an_empty_journal_of_a_tracker_that_only_adds_to_it_tells_of_no_deletion() -> None:
    said = comment(INCIDENT, "s1")
    origin = Origin("snow", "s1")
    versions = {origin: Version(INCIDENT.id, version_of(TELLING, said), said.created)}
    copies = {CopyKey(origin, DEFECT): Copy("done", NOW, "k9", version_of(TELLING, said), channel="everyone")}
    found = look(link(copies=copies, known=frozenset(versions), versions=versions), heard=[INCIDENT], house=TELLING)
    assert (found.versions, found.rewords) == ((), ())


def test_a_comment_deleted_before_it_was_carried_stays_away() -> None:
    found = look(carried(pbi=Copy("pending", NOW)), heard=[DEFECT])
    assert {(key.target, copy.outcome) for key, copy, _ in found.copies} == {(PBI, "history")}


def test_a_deleted_comment_that_comes_back_is_carried_again_in_the_same_copy() -> None:
    state = carried(pbi=Copy("withdrawn", NOW, "k2", "gone", channel="discussion"))
    state = replace(state, versions={ORIGIN: replace(state.versions[ORIGIN], gone=True)})
    state = settled(state, look(state, WORD, house=TELLING))
    found = look(state, WORD, house=TELLING, at=NOW + SETTLES)
    assert [(r.id, words_under(r)) for r in found.rewords] == [("k2", WORD.text)]


# ── After the state was lost ─────────────────────────────────────────────────────────────────────────────────────────


def found_again(word: Comment, copy: Comment) -> Talk:
    state = link(copies={}, agreed={})
    return look(state, word, copy, heard=[INCIDENT])


def test_after_the_state_was_lost_a_copy_written_since_the_edit_is_in_step() -> None:
    found = found_again(EDITED, copy_on_pbi(EDITED.text, updated=NOW - MINUTE))
    assert found.rewords == ()


def test_after_the_state_was_lost_an_edit_that_no_copy_shows_is_carried() -> None:
    found = found_again(EDITED, copy_on_pbi(WORD.text))
    assert [words_under(r) for r in found.rewords] == [EDITED.text]


# ── End to end ───────────────────────────────────────────────────────────────────────────────────────────────────────


def telling(text: str) -> str:
    return text.replace('mask = ["ssn"]', 'mask = ["ssn"]\ndeletions = true')


@pytest.fixture
def telling_world(tmp_path: Path):  # type: ignore[no-untyped-def]
    world = World(tmp_path, telling)
    yield world
    world.close()


def sweep(world: World) -> Pass:
    return one_pass(world.engine, sweep=True)


def edits(asked: list[str]) -> list[str]:
    """The writes that say or change a comment, by method and tracker."""
    return [" ".join(line.split()[:2]) for line in writes(asked) if "omment" in line or "incident/" in line]


def test_an_edit_in_jira_changes_the_copy_in_azure_devops_and_follows_up_in_servicenow(world: World) -> None:
    incident, defect, pbi = world.linked()
    said = world.estate.jira.comment(defect, "fails on Sunday", ANA)
    world.settle()
    world.estate.jira.edit_comment(defect, said, "fails on Monday", ANA)
    with world.counting() as asked:
        assert world.once().quiet
    assert (len(asked), edits(asked)) == (3, [])
    world.later(minutes=6)
    with world.counting() as asked:
        world.settle()
    assert sorted(edits(asked)) == ["azure PATCH", "servicenow PATCH"]
    assert copies_of("fails on Sunday", world.words("azure", pbi)) == 0
    assert copies_of("fails on Monday", world.words("azure", pbi)) == 1
    assert copies_of("fails on Sunday", world.words("servicenow", incident)) == 1
    assert copies_of("edited: fails on Monday", world.words("servicenow", incident)) == 1
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []


def test_after_an_edit_and_the_loss_of_the_state_nothing_is_said_again(world: World) -> None:
    _, defect, _ = world.linked()
    said = world.estate.jira.comment(defect, "fails on Sunday", ANA)
    world.settle()
    world.estate.jira.edit_comment(defect, said, "fails on Monday", ANA)
    world.once()
    world.later(minutes=6)
    world.settle()
    world.later(minutes=10)
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.settle()
    assert edits(asked) == []


def test_an_edit_in_azure_devops_is_found_by_rereading_discussions_in_rotation(world: World) -> None:
    _, defect, pbi = world.linked()
    said = world.estate.azure.comment(pbi, "done by noon", CHEN)
    world.settle()
    world.estate.azure.edit_comment(pbi, said, "done by night", CHEN)
    world.later(minutes=30)
    world.settle()
    assert copies_of("done by night", world.words("jira", defect)) == 0
    world.later(minutes=40)
    with world.counting() as asked:
        sweep(world)
    assert len([line for line in asked if line.startswith("azure GET") and "/comments" in line]) == 1
    assert edits(asked).count("jira PUT") == 1
    assert copies_of("done by night", world.words("jira", defect)) == 1
    assert copies_of("done by noon", world.words("jira", defect)) == 0


def test_a_discussion_is_not_read_again_twice_between_two_sweeps_and_as_many_as_the_file_allows(world: World) -> None:
    for n in range(3):
        _, _, pbi = world.linked(f"outage {n}")
        world.estate.azure.comment(pbi, "noted", CHEN)
    world.settle()
    world.later(minutes=70)
    world.engine.setup = replace(world.engine.setup, reread=2)

    def read_again() -> int:
        with world.counting() as asked:
            sweep(world)
        return len([line for line in asked if line.startswith("azure GET") and "/comments" in line])

    assert [read_again() for _ in range(3)] == [2, 1, 0]


def test_an_edit_whose_answer_is_lost_is_not_doubled(world: World) -> None:
    _, defect, pbi = world.linked()
    said = world.estate.azure.comment(pbi, "done by noon", CHEN)
    world.settle()
    world.estate.azure.edit_comment(pbi, said, "done by night", CHEN)
    world.later(minutes=70)
    world.estate.faults.add(Fault("reset_after", tracker="jira", method="PUT", path="/comment/", times=1))
    with world.counting() as asked:
        sweep(world)
    assert edits(asked).count("jira PUT") == 1
    world.later(minutes=5)
    with world.counting() as asked:
        world.settle()
    assert "jira PUT" not in edits(asked)
    assert copies_of("done by night", world.words("jira", defect)) == 1


def test_a_refused_edit_is_held_with_the_tracker_s_reason_and_tried_again(world: World) -> None:
    _, defect, pbi = world.linked()
    said = world.estate.jira.comment(defect, "fails on Sunday", ANA)
    world.settle()
    refusal = Answer.of({"message": "TF237111: no right to edit comments", "typeKey": "AccessDenied"}, 403)
    world.estate.faults.add(
        Fault("answer", tracker="azure", method="PATCH", path="/comments/", answer=refusal, nth=(1,))
    )
    world.estate.jira.edit_comment(defect, said, "fails on Monday", ANA)
    world.once()
    world.later(minutes=6)
    world.once()
    ((held, _),) = world.engine.store.held()
    assert "TF237111" in held.reason and held.what == f"comment jira:{said}"
    world.later(minutes=16)
    world.settle()
    assert world.engine.store.held() == []
    assert copies_of("fails on Monday", world.words("azure", pbi)) == 1


def test_our_own_rewording_never_comes_back_as_an_edit(world: World) -> None:
    incident, defect, pbi = world.linked()
    world.estate.azure.switches.edits_revise = True
    said = world.estate.jira.comment(defect, "fails on Sunday", ANA)
    world.settle()
    for text in ("fails on Monday", "fails on Tuesday"):
        world.estate.jira.edit_comment(defect, said, text, ANA)
        world.once()
        world.later(minutes=6)
        world.settle()
    world.later(minutes=70)
    with world.counting() as asked:
        sweep(world)
        world.later(minutes=10)
        world.settle()
    assert edits(asked) == []
    assert copies_of("fails on", world.words("azure", pbi)) == 1
    assert copies_of("edited: ", world.words("servicenow", incident)) == 2


def test_a_jira_comment_made_private_is_taken_back_and_the_people_of_the_defect_are_told(world: World) -> None:
    incident, defect, pbi = world.linked()
    said = world.estate.jira.comment(defect, "the vendor failed us", ANA)
    world.settle()
    url = f"{world.estate.urls['jira']}/rest/api/2/issue/{defect}/comment/{said}"
    private = {"body": "the vendor failed us", "visibility": {"type": "role", "value": "Developers"}}
    assert requests.put(url, json=private, auth=PEOPLE["jira"], timeout=5).status_code == 200
    world.settle()
    assert copies_of("the vendor", world.words("azure", pbi)) == 0
    assert copies_of(WITHDRAWN, world.words("azure", pbi)) == 1
    assert copies_of("cannot be changed", world.words("jira", defect)) == 1
    assert copies_of("the vendor", world.words("servicenow", incident)) == 1


def test_a_deleted_comment_is_told_by_its_copies_where_the_file_says_so(telling_world: World) -> None:
    world = telling_world
    incident, defect, pbi = world.linked()
    said = world.estate.jira.comment(defect, "posted by mistake", ANA)
    world.settle()
    world.estate.jira.delete_comment(defect, said, ANA)
    world.once()
    world.later(minutes=6)
    world.settle()
    assert copies_of("posted by mistake", world.words("azure", pbi)) == 0
    assert copies_of(DELETED, world.words("azure", pbi)) == 1
    assert copies_of("deleted by its author", world.words("servicenow", incident)) == 1
    with world.counting() as asked:
        world.reconcile()
    assert writes(asked) == []


def test_a_deleted_comment_keeps_its_copies_unless_the_file_says_otherwise(world: World) -> None:
    _, defect, pbi = world.linked()
    said = world.estate.jira.comment(defect, "posted by mistake", ANA)
    world.settle()
    world.estate.jira.delete_comment(defect, said, ANA)
    world.once()
    world.later(minutes=6)
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    assert copies_of("posted by mistake", world.words("azure", pbi)) == 1


def test_an_edit_survives_a_restart_while_it_settles(world: World) -> None:
    _, defect, pbi = world.linked()
    said = world.estate.jira.comment(defect, "fails on Sunday", BEN)
    world.settle()
    world.estate.jira.edit_comment(defect, said, "fails on Monday", BEN)
    world.once()
    world.restart()
    world.later(minutes=6)
    world.settle()
    assert copies_of("fails on Monday", world.words("azure", pbi)) == 1


# ── A journal that moves no version ──────────────────────────────────────────────────────────────────────────────────


def journal_queries(asked: list[str]) -> int:
    return len([line for line in asked if line.startswith("servicenow GET") and "sys_journal_field" in line])


def test_where_a_comment_does_not_move_its_items_version_one_journal_query_a_pass_is_added(world: World) -> None:
    incident, defect, pbi = world.linked()
    world.estate.servicenow.models["incident"].comments_bump = False
    world.estate.jira.comment(defect, "our word shows that journals stand apart", ANA)
    world.settle()
    world.once()
    with world.counting() as asked:
        world.once()
    assert (journal_queries(asked), len(asked)) == (1, 4)
    world.later(minutes=1)
    world.estate.servicenow.comment(incident, "still broken for us", SAM)
    with world.counting() as asked:
        world.once()
    assert journal_queries(asked) == 2
    assert copies_of("still broken for us", world.words("jira", defect)) == 1
    assert copies_of("still broken for us", world.words("azure", pbi)) == 1
    world.restart()
    with world.counting() as asked:
        world.settle()
    assert copies_of("still broken for us", world.words("jira", defect)) == 1
    assert journal_queries(asked) >= 1


def test_a_sweep_learns_that_comments_move_no_version_where_nothing_was_said_by_us(world: World) -> None:
    incident, defect, _ = world.linked()
    world.estate.servicenow.models["incident"].comments_bump = False
    world.later(minutes=1)
    world.estate.servicenow.comment(incident, "still broken for us", SAM)
    world.later(minutes=1)
    world.settle()
    assert copies_of("still broken for us", world.words("jira", defect)) == 0
    sweep(world)
    assert copies_of("still broken for us", world.words("jira", defect)) == 1
    world.settle()
    world.later(minutes=1)
    world.estate.servicenow.comment(incident, "and once more", SAM)
    world.settle()
    assert copies_of("and once more", world.words("jira", defect)) == 1


def test_where_comments_move_versions_no_journal_query_is_added(world: World) -> None:
    _, defect, _ = world.linked()
    world.estate.jira.comment(defect, "a word", ANA)
    world.settle()
    with world.counting() as asked:
        world.once()
    assert (journal_queries(asked), len(asked)) == (0, 3)
