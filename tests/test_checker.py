"""The general checker: each kind of fault, planted by hand, is found; and what is right is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.checker import KINDS
from sandbox.checker.parted import Parted, stays_out
from sandbox.server import Entry
from tests.planted import ANA, CHEN, SAM, Planted, held


@pytest.fixture
def link() -> Planted:
    return Planted()


def test_a_link_in_step_has_nothing_wrong(link: Planted) -> None:
    """Every rule at once: words with their copies, a title, a stage by steps, a conflict that the owner wins."""
    link.says(SAM, "incident", "Seen again.")
    link.says(ANA, "defect", "Seen again.")
    link.says(CHEN, "pbi", "Known & <mended>")
    link.by(ANA, "defect", {"summary": "Title 2."})
    begun = link.begins()
    link.copied("Sam Hill", "incident", "Seen again.", "defect", "pbi")
    link.copied(ANA, "defect", "Seen again.", "incident", "pbi")
    link.copied(CHEN, "pbi", "Known & <mended>", "incident", "defect")
    link.titled("Title 2.", "incident", "pbi")
    link.ends(begun)
    link.by(CHEN, "pbi", {"System.Title": "Title 4."})
    link.by(SAM, "incident", {"short_description": "Title 3."})
    link.moved_by(CHEN, "pbi", "Done")
    begun = link.begins()
    link.titled("Title 3.", "defect", "pbi")
    link.by_bot("incident", {"state": "Resolved", "close_code": "Solution provided", "close_notes": "done"})
    link.estate.jira.move(link.items["defect"], "Done", by="Lockstep", resolution="Done")
    link.ends(begun)
    link.passed()
    assert link.found() == ()


def test_a_comment_without_its_copy_is_lost(link: Planted) -> None:
    link.says(ANA, "defect", "Please look.")
    link.copied(ANA, "defect", "Please look.", "incident")
    link.passed()
    (found,) = link.found()
    assert (found.kind, "AB#1" in found.text and "Ana Ruiz" in found.text) == ("lost", True)


def test_two_comments_of_the_same_words_want_two_copies(link: Planted) -> None:
    link.says(ANA, "defect", "+1")
    link.says(CHEN, "pbi", "+1")
    link.says(ANA, "defect", "+1")
    link.copied(ANA, "defect", "+1", "incident", "pbi")
    link.copied(CHEN, "pbi", "+1", "incident", "defect")
    assert link.kinds() == {"lost"}
    link.copied(ANA, "defect", "+1", "incident", "pbi")
    assert link.found() == ()


def test_an_edit_that_never_arrived_is_lost_until_a_follow_up_shows_it(link: Planted) -> None:
    id = link.says(ANA, "defect", "At nine.")
    link.copied(ANA, "defect", "At nine.", "incident", "pbi")
    link.estate.jira.edit_comment(link.items["defect"], id, "At ten.", ANA)
    link.did("defect", link.items["defect"], ANA, "edit", text="At ten.", id=id)
    assert link.kinds() == {"lost"}
    link.copied(ANA, "defect", "edited: At ten.", "incident", "pbi")
    assert link.found() == ()


def test_the_parts_of_a_long_comment_are_one_copy_and_a_missing_part_is_lost(link: Planted) -> None:
    link.says(ANA, "defect", "A long tale in two halves.")
    for side in ("incident", "pbi"):
        for part, text in enumerate(("A long tale", "in two halves."), 1):
            key = link.key("defect", link.items["defect"])
            body = f"Ana Ruiz on {key} · lockstep {'D' * 13}.{'Q' * 8} {part}/2\n{text}"
            if (side, part) != ("pbi", 2):
                link.tracker(side).comment(link.items[side], body, "lockstep" if side == "incident" else "Lockstep")
    assert "lost" in link.kinds()
    body = f"Ana Ruiz on CSPM-1 · lockstep {'D' * 13}.{'Q' * 8} 2/2\nin two halves."
    link.estate.azure.comment(link.items["pbi"], body, "Lockstep")
    assert link.found() == ()


def test_a_change_that_never_arrived_is_lost_or_diverged(link: Planted) -> None:
    link.by(ANA, "defect", {"summary": "Title 2."})
    link.passed()
    assert link.kinds() == {"diverged"}
    link.by_bot("defect", {"summary": "Trouble 1."})
    link.passed()
    assert link.kinds() == {"stale overwrite"}


def test_a_copy_twice_is_doubled(link: Planted) -> None:
    link.says(ANA, "defect", "Please look.")
    token = link.copied(ANA, "defect", "Please look.", "incident", "pbi")
    link.copied(ANA, "defect", "Please look.", "pbi", token=token)
    assert link.kinds() == {"doubled"}


def test_two_items_opened_for_one_source_are_doubled(link: Planted) -> None:
    link.defect("Trouble 1.")
    assert "doubled" in link.kinds()


def test_two_items_opened_on_one_side_of_a_link_are_doubled(link: Planted) -> None:
    link.pbi("Trouble 1.", made="D" * 20)
    assert link.kinds() == {"doubled"}


def test_two_links_to_one_place_are_doubled(link: Planted) -> None:
    jira, body = link.estate.jira, {"object": {"url": "http://servicenow.sandbox/1", "title": "INC0010001"}}
    for name in ("one", "two"):
        jira.linking.point(jira.site.user("Lockstep"), jira.issue(link.items["defect"]), {**body, "globalId": name})
    assert link.kinds() == {"doubled"}


@pytest.mark.parametrize(
    ("who", "text"),
    [("Ana Ruiz", "Nobody said this."), ("Ben Okafor", "Please look."), ("Ana Ruiz", "Please lo?k.")],
    ids=["words that nobody said", "another author's name", "corrupted words"],
)
def test_what_nobody_wrote_is_a_phantom(link: Planted, who: str, text: str) -> None:
    link.says(ANA, "defect", "Please look.")
    link.copied(ANA, "defect", "Please look.", "incident")
    link.copied(who, "defect", text, "pbi")
    assert "phantom" in link.kinds()


def test_a_title_that_is_nobodys_is_a_phantom(link: Planted) -> None:
    begun = link.begins()
    link.titled("Trouble 1. [truncated]", "defect")
    link.ends(begun)
    assert link.kinds() >= {"phantom"}


def test_an_older_value_over_a_newer_one_is_found_even_where_all_agree_in_the_end(link: Planted) -> None:
    link.by(CHEN, "pbi", {"Microsoft.VSTS.Common.Priority": "4"})
    begun = link.begins()
    link.by_bot("pbi", {"Microsoft.VSTS.Common.Priority": "2"})
    link.by_bot("pbi", {"Microsoft.VSTS.Common.Priority": "4"})
    link.by_bot("incident", {"impact": "2", "urgency": "3"})
    link.by_bot("defect", {"priority": "Low"})
    link.ends(begun)
    found = link.found()
    assert {one.kind for one in found} == {"stale overwrite"}
    assert "Chen Wei changed priority of pbi AB#1 from '2' to '4'" in found[0].text


def test_what_people_change_within_a_pass_may_be_overtaken_but_not_later(link: Planted) -> None:
    link.by(SAM, "incident", {"short_description": "Title 2."})
    begun = link.begins()
    link.by(ANA, "defect", {"summary": "Title 3."})
    link.titled("Title 2.", "defect", "pbi")
    link.ends(begun)
    link.passed()
    assert link.found() == ()
    link.by(ANA, "defect", {"summary": "Title 4."})
    begun = link.begins()
    link.titled("Title 2.", "defect")
    link.ends(begun)
    assert link.kinds() == {"stale overwrite"}


def test_another_spelling_of_what_an_item_means_already_is_a_stale_overwrite(link: Planted) -> None:
    link.by(SAM, "incident", {"impact": "2", "urgency": "1"})
    link.passed()
    assert link.found() == ()
    begun = link.begins()
    link.by_bot("incident", {"impact": "1", "urgency": "2"})
    link.ends(begun)
    assert [one.kind for one in link.found() if "which means the same" in one.text] == ["stale overwrite"]


def test_a_work_item_written_over_what_its_people_did_since_it_was_read_is_a_stale_overwrite(link: Planted) -> None:
    """Azure DevOps tells who asks for the revision."""
    link.by(SAM, "incident", {"short_description": "Title 2."})
    begun = link.begins()
    link.by(CHEN, "pbi", {"System.Title": "Title 3."})
    link.asked("pbi")
    link.titled("Title 2.", "defect", "pbi")
    link.ends(begun)
    link.passed()
    assert link.found() == ()
    link.by(SAM, "incident", {"short_description": "Title 4."})
    begun = link.begins()
    link.by(CHEN, "pbi", {"System.Title": "Title 5."})
    link.titled("Title 4.", "defect", "pbi")
    link.ends(begun)
    assert [one.kind for one in link.found()] == ["stale overwrite"]


def test_a_state_on_the_way_is_no_stale_overwrite(link: Planted) -> None:
    link.moved_by(SAM, "incident", "New")
    begun = link.begins()
    link.estate.jira.move(link.items["defect"], "To Do", by="Lockstep")
    link.estate.azure.move(link.items["pbi"], "New", by="Lockstep")
    link.ends(begun)
    link.moved_by(CHEN, "pbi", "Done")
    begun = link.begins()
    link.estate.jira.move(link.items["defect"], "In Progress", by="Lockstep")
    link.estate.jira.move(link.items["defect"], "Done", by="Lockstep", resolution="Done")
    link.by_bot("incident", {"state": "Resolved", "close_code": "Solution provided", "close_notes": "done"})
    link.ends(begun)
    assert link.found() == ()


def test_writes_without_a_change_are_not_quiet(link: Planted) -> None:
    link.passed()
    begun = link.begins()
    link.asked("pbi", "PATCH")
    link.ends(begun)
    link.passed()
    assert link.kinds() == {"not quiet"}
    rewrite = Entry("jira", "PUT", "/rest/api/2/issue/1", {}, 200, 0.0)
    assert [one.kind for one in Planted().found(rewrites=[rewrite])] == ["not quiet"]
    assert [one.kind for one in Planted().found(restless=True)] == ["not quiet"]


def test_a_deleted_copy_carried_anew_is_resurrected(link: Planted) -> None:
    link.says(SAM, "incident", "Please look.")
    token = link.copied("Sam Hill", "incident", "Please look.", "defect", "pbi")
    jira, id = link.estate.jira, link.items["defect"]
    copy = jira.comments(id)[0]
    jira.delete_comment(id, copy["id"], "Lockstep")
    link.did("defect", id, ANA, "erase", text=copy["text"], id=copy["id"])
    assert link.found() == ()
    link.copied("Sam Hill", "incident", "Please look.", "defect", token=token)
    assert link.kinds() == {"resurrected"}


def test_a_counterpart_opened_anew_for_a_deleted_one_is_resurrected(link: Planted) -> None:
    link.estate.azure.delete(link.items["pbi"], CHEN)
    link.did("pbi", link.items["pbi"], CHEN, "delete")
    link.passed()
    assert link.found() == ()
    link.pbi("Trouble 1.")
    assert link.kinds() == {"resurrected"}


def test_a_counterpart_of_which_nothing_is_left_opened_anew_is_resurrected(link: Planted) -> None:
    link.says(ANA, "defect", "Please look.")
    link.copied(ANA, "defect", "Please look.", "incident", "pbi")
    link.estate.jira.delete(link.items["defect"], ANA)
    link.did("defect", link.items["defect"], ANA, "delete")
    link.passed()
    assert link.found() == ()
    link.defect("Trouble 1.")
    assert link.kinds() == {"resurrected"}


def test_closed_work_reopened_without_anybodys_move_is_resurrected(link: Planted) -> None:
    link.moved_by(CHEN, "pbi", "Done")
    begun = link.begins()
    link.estate.jira.move(link.items["defect"], "Done", by="Lockstep", resolution="Done")
    link.by_bot("incident", {"state": "Resolved", "close_code": "Solution provided", "close_notes": "done"})
    link.ends(begun)
    assert link.found() == ()
    link.passed()
    link.estate.azure.move(link.items["pbi"], "Approved", by="Lockstep")
    assert "resurrected" in link.kinds()


def test_an_item_taken_out_of_its_link_stays_out_and_its_words_with_it(link: Planted) -> None:
    parted = Parted("pbi", link.items["pbi"], "AB#1", ("Apart.",))
    assert [one.kind for one in stays_out(link.evidence(), parted)] == ["resurrected"]
    link.estate.azure.unlink(link.items["pbi"], "Hyperlink", "Lockstep")
    link.says(CHEN, "pbi", "Apart.")
    assert list(stays_out(link.evidence(), parted)) == []
    link.copied(CHEN, "pbi", "Apart.", "defect")
    assert [one.kind for one in stays_out(link.evidence(), parted)] == ["leaked"]


def test_private_words_anywhere_else_are_leaked(link: Planted) -> None:
    link.says(SAM, "incident", "The password is swordfish.", "work_notes")
    assert link.found() == ()
    link.copied("Sam Hill", "incident", "The password is swordfish.", "defect")
    link.by_bot("pbi", {"System.Title": "Trouble: the password is swordfish"})
    link.says(ANA, "defect", "For developers.", "role:Developers")
    link.copied(ANA, "defect", "For developers.", "incident")
    leaked = [one for one in link.found() if one.kind == "leaked"]
    assert len(leaked) == 2


def test_words_in_a_channel_that_more_people_read_are_leaked(link: Planted) -> None:
    link.says(CHEN, "pbi", "They broke it themselves.")
    link.copied(CHEN, "pbi", "They broke it themselves.", "defect", "incident")
    link.copied(CHEN, "pbi", "They broke it themselves.", "incident", channel="comments")
    assert link.kinds() == {"leaked"}


def test_a_siblings_words_on_its_sibling_are_leaked(link: Planted) -> None:
    other = link.incident("Trouble 2.", parent_incident=link.items["incident"])
    link.marked(other)
    link.says(SAM, "incident", "My address is 1 Elm Street.", id=other)
    for side in ("defect", "pbi"):
        text = f"Sam Hill on {link.key('incident', other)} · lockstep {'E' * 13}.{'Q' * 8}\nMy address is 1 Elm Street."
        link.tracker(side).comment(link.items[side], text, "Lockstep")
    assert link.found() == ()
    text = f"Sam Hill on {link.key('incident', other)} · lockstep {'E' * 13}.{'R' * 8}\nMy address is 1 Elm Street."
    link.estate.servicenow.comment(link.items["incident"], text, "lockstep")
    link.by_bot("incident", {"short_description": "Trouble 2."})
    assert [one.kind for one in link.found() if "sibling" in one.text] == ["leaked", "leaked"]


@pytest.mark.parametrize(
    ("side", "status", "rest", "found"),
    [
        ("defect", 429, "60", True),
        ("pbi", 200, "60", True),
        ("incident", 503, "Mon, 16 Nov 2026 17:00:00 GMT", True),
        ("defect", 200, "60", False),
        ("incident", 429, "20", False),
    ],
)
def test_a_call_inside_a_rest_that_the_tracker_asked_for_is_over_quota(
    link: Planted, side: str, status: int, rest: str, found: bool
) -> None:
    begun = link.begins()
    link.asked(side, status=status, rest=rest)
    link.ends(begun, calm=False)
    link.passed()
    assert ("over quota" in link.kinds()) is found


def test_a_death_before_the_answer_was_heard_excuses_the_next_call(link: Planted) -> None:
    begun = link.begins()
    link.asked("defect", status=429, rest="60")
    death = link.estate.clock.now()
    link.ends(begun, calm=False)
    link.passed()
    assert link.kinds(deaths=[death]) == set()


def test_something_held_wants_a_cause_that_the_trackers_show(link: Planted) -> None:
    assert link.kinds(held=[held("pbi", link.items["pbi"], "summary")]) == {"held without cause"}
    assert link.kinds(held=[held("pbi", link.items["pbi"], "item")]) == {"held without cause"}
    link.by(SAM, "incident", {"impact": "3", "urgency": "1"})
    begun = link.begins()
    link.by_bot("defect", {"priority": "Medium"})
    link.asked("pbi", "PATCH", status=400)
    link.ends(begun)
    assert link.kinds() == {"diverged"}
    assert link.kinds(held=[held("pbi", link.items["pbi"], "priority")]) == set()


def test_an_item_that_a_route_calls_for_and_that_was_never_opened_is_lost(link: Planted) -> None:
    link.incident("Trouble 2.")
    link.passed()
    assert link.kinds() == {"lost"}


def test_no_counterpart_is_wanted_for_work_that_is_over(link: Planted) -> None:
    late = link.estate.jira.create({"summary": "Found.", "description": "as found", "priority": "High"}, by=ANA)
    link.did("defect", late, ANA, "create")
    assert link.kinds() == {"lost"}
    link.estate.jira.move(late, "In Progress", by=ANA)
    link.estate.jira.move(late, "Done", by=ANA, resolution="Done")
    assert link.found() == ()


def test_clocks_of_trackers_that_differ_change_nothing() -> None:
    skewed = Planted(skew=timedelta(minutes=-7))
    skewed.by(ANA, "defect", {"summary": "Title 2."})
    begun = skewed.begins()
    skewed.titled("Title 2.", "incident", "pbi")
    skewed.ends(begun)
    skewed.passed()
    assert skewed.found() == ()


def test_every_kind_is_planted_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []
