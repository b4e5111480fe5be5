"""Comments: each along the paths that are named, once, whatever was lost, forged or quoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.banner import ROOM, banner, link_key, origin_token
from mappings.disclosure import KNOWN_MASKS, Channel, Mask, Path
from mappings.mentions import Mention, called, rendered
from mappings.model import Comment, Mark, Ref
from sync.comments.discuss import Talk, discuss
from sync.decide import decide
from sync.plan import Say
from sync.setup import Setup
from sync.state import Copy, CopyKey, Facts, LinkState, Origin, OwnRemark, Seen
from tests.builders import (
    DAY,
    DEFECT,
    FACTS,
    HOUR,
    INCIDENT,
    INSTANCE,
    MARK,
    MINUTE,
    NOW,
    PBI,
    REFS,
    comment,
    item,
    link,
    mask,
    path,
    record,
    says,
    seen,
    setup,
    side_of,
)

SETUP = setup()


def talk(
    *comments: Comment, state: LinkState | None = None, house: Setup = SETUP, at: datetime = NOW, **more: object
) -> Talk:
    return discuss(state or link(), seen(comments=comments, **more), house, at)  # type: ignore[arg-type]


def places(said: Iterable[Say]) -> set[tuple[Ref, str]]:
    return {(say.ref, say.channel) for say in said}


def copy_on(target: Ref, origin: Comment, id: str = "k1", text: str = "", part: int = 1, parts: int = 1) -> Comment:
    """Our copy of a comment as the target's tracker shows it."""
    token = origin_token("hush", origin.item.tracker, origin.id)
    line = banner("hush", origin.author, origin.item.id.upper(), token, target, part, parts)
    return comment(target, id, f"{line}\n{text or origin.text}", ours=True, account="lockstep")


def key(origin: Comment, target: Ref, part: int = 1) -> CopyKey:
    return CopyKey(Origin(origin.item.tracker, origin.id), target, part)


def told(outcome: str, at: datetime = NOW, id: str = "") -> Copy:
    return Copy(outcome, at, id)


WORD = comment(INCIDENT, "c1", "It is broken again")

# ── Paths ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_comment_goes_to_every_channel_that_its_path_names() -> None:
    said = talk(WORD).says
    assert places(said) == {(DEFECT, "everyone"), (PBI, "discussion")}
    assert all(say.text.splitlines()[1:] == ["It is broken again"] for say in said)
    assert all(say.text.startswith("Ann on I1 · lockstep ") for say in said)


def test_a_work_note_goes_only_where_work_notes_go() -> None:
    assert places(talk(comment(INCIDENT, "c1", channel="work_notes")).says) == {(DEFECT, "role:Developers")}


@pytest.mark.parametrize("channel", ["internal", "role:Managers", "group:everyone", "Everyone", ""])
def test_what_no_path_names_goes_nowhere(channel: str) -> None:
    said = replace(comment(DEFECT, "c1"), channel=channel)
    assert talk(said).says == ()


def test_siblings_never_hear_each_other() -> None:
    other = record(Ref("snow", "i2"))
    crowd = link(*(item(record(ref)) for ref in REFS.values()), item(other))
    house = setup(paths=(path("incident.comments", "incident.comments", "incident.work_notes", "defect.everyone"),))
    assert places(discuss(crowd, seen(other, comments=[WORD]), house, NOW).says) == {(DEFECT, "everyone")}


def test_a_copy_never_travels_on() -> None:
    assert talk(copy_on(DEFECT, WORD)).says == ()


CHANNELS = [
    Channel(side, name)
    for side, names in {
        "incident": ("comments", "work_notes"),
        "defect": ("everyone", "internal", "role:Developers", "role:Managers"),
        "pbi": ("discussion",),
    }.items()
    for name in names
]
MATRIX = st.dictionaries(st.sampled_from(CHANNELS), st.lists(st.sampled_from(CHANNELS), max_size=4), max_size=6)


@settings(max_examples=300)
@given(MATRIX, st.lists(st.sampled_from(CHANNELS), max_size=8))
def test_nothing_reaches_a_channel_that_no_path_names_and_everything_each_that_one_does(
    matrix: Mapping[Channel, list[Channel]], spoken: list[Channel]
) -> None:
    house = setup(paths=tuple(Path(source, tuple(targets)) for source, targets in matrix.items()))
    comments = [comment(REFS[c.side], f"c{n}", f"secret {n} ", c.name) for n, c in enumerate(spoken)]
    said = talk(*comments, house=house).says
    wanted = {
        (REFS[target.side], target.name, n)
        for n, channel in enumerate(spoken)
        for target in matrix.get(channel, ())
        if target.side != channel.side
    }
    got = [(say.ref, say.channel, n) for say in said for n in range(len(spoken)) if f"secret {n} " in f"{say.text} "]
    assert set(got) == wanted and len(got) == len(wanted)


# ── Our own copies ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_banner_that_a_person_wrote_silences_nobody() -> None:
    forged = replace(copy_on(DEFECT, WORD), ours=False, account="mallory")
    assert talk(forged, WORD).says == (*talk(WORD).says, *talk(forged).says)
    assert places(talk(forged).says) == {(INCIDENT, "comments"), (PBI, "discussion")}


@pytest.mark.parametrize("before", ["> ", "Ben wrote:\n", "<b>"])
def test_our_account_quoting_a_banner_is_a_remark_like_any_other(before: str) -> None:
    quoted = replace(copy_on(DEFECT, WORD), text=before + copy_on(DEFECT, WORD).text)
    found = talk(quoted)
    assert found.copies == () and places(found.says) == {(INCIDENT, "comments"), (PBI, "discussion")}


def test_a_banner_moved_to_another_item_is_no_copy_there() -> None:
    moved = replace(copy_on(DEFECT, WORD), item=PBI, channel="discussion")
    assert places(talk(moved).says) == {(DEFECT, "everyone")}


def test_an_edited_copy_stays_a_copy_by_its_id() -> None:
    edited = comment(DEFECT, "k1", "somebody rewrote it all", ours=True, account="lockstep")
    known = link(copies={key(WORD, DEFECT): told("done", id="k1"), key(WORD, PBI): told("done", id="k2")})
    found = talk(WORD, edited, state=known)
    assert found.says == () and Origin("jira", "k1") not in {Origin(c.item.tracker, c.id) for c in found.known}


def test_a_comment_that_was_carried_is_not_carried_again() -> None:
    known = link(copies={key(WORD, DEFECT): told("done"), key(WORD, PBI): told("history")})
    assert talk(WORD, state=known).says == ()


# ── Unsettled copies ─────────────────────────────────────────────────────────────────────────────────────────────


def unsure(ago: timedelta) -> LinkState:
    return link(copies={key(WORD, DEFECT): told("unsure", NOW - ago), key(WORD, PBI): told("done")})


def test_an_unsure_copy_waits_for_its_trackers_grace() -> None:
    found = talk(WORD, state=unsure(MINUTE), heard=[DEFECT])
    assert found.says == () and found.waiting == NOW + MINUTE


def test_an_unsure_copy_waits_until_its_discussion_was_read_again() -> None:
    assert talk(WORD, state=unsure(HOUR)).says == ()
    assert places(talk(WORD, state=unsure(HOUR), heard=[DEFECT]).says) == {(DEFECT, "everyone")}


def test_an_unsure_copy_that_turned_up_is_done() -> None:
    found = talk(WORD, copy_on(DEFECT, WORD), state=unsure(HOUR))
    assert found.says == () and found.waiting is None
    assert [(where, copy.outcome, id) for where, copy, id in found.copies] == [
        (key(WORD, DEFECT), "done", "k1"),
        (key(WORD, PBI), "done", ""),
    ]


def test_a_copy_that_was_certainly_not_sent_goes_at_once() -> None:
    known = link(copies={key(WORD, DEFECT): told("pending"), key(WORD, PBI): told("done")})
    assert places(talk(WORD, state=known).says) == {(DEFECT, "everyone")}


def test_a_comment_for_an_item_that_is_hidden_is_kept_in_mind() -> None:
    found = talk(WORD, gone=[DEFECT])
    assert places(found.says) == {(PBI, "discussion")}
    assert found.copies == ((key(WORD, DEFECT), told("pending"), ""),)


def test_a_comment_for_a_tracker_whose_journal_cannot_be_read_is_kept_in_mind_and_told() -> None:
    word = comment(DEFECT, "c1")
    found = talk(word, mute={"snow": "no right to read sys_journal_field"})
    assert places(found.says) == {(PBI, "discussion")}
    assert found.mute == (INCIDENT,) and found.copies == ((key(word, INCIDENT), told("pending"), ""),)
    later = link(known=frozenset({Origin("jira", "c1")}), copies={found.copies[0][0]: found.copies[0][1]})
    assert places(talk(word, state=later).says) >= {(INCIDENT, "comments")}


def test_a_long_comment_is_cut_into_numbered_parts_and_a_missing_one_follows() -> None:
    facts = {**FACTS, "jira": Facts(ROOM + 40, timedelta(), "internal")}
    long = replace(WORD, text="word " * 25 + "end")
    words = replace(seen(comments=[long]), facts=facts)
    said = [say for say in discuss(link(), words, SETUP, NOW).says if say.ref == DEFECT]
    assert len(said) == said[0].parts > 2
    assert [say.copy.part for say in said] == list(range(1, len(said) + 1))
    assert all(len(say.text) <= ROOM + 40 for say in said)
    assert " ".join(" ".join(say.text.split("\n", 1)[1].split()) for say in said) == long.text
    known = link(copies={say.copy: told("pending" if say.copy.part == 2 else "done") for say in said})
    again = [say for say in discuss(known, words, SETUP, NOW).says if say.ref == DEFECT]
    assert [say.copy.part for say in again] == [2]


# ── History, and a state that was lost ───────────────────────────────────────────────────────────────────────────


def lost(joined: datetime = NOW - DAY) -> LinkState:
    """The link as a rebuild finds it: members by their marks, and nothing said."""
    at = joined.strftime("%Y%m%d%H%M%S")
    mark = Mark(MARK, link_key(INSTANCE, INCIDENT), "MADE", at)
    members = [item(record(ref), echoes={}, rebuilt=True) for ref in (INCIDENT, DEFECT, PBI)]
    return link(*(replace(m, mark=mark) for m in members), agreed={}, known=frozenset())


def rebuilt_talk(*comments: Comment, joined: datetime = NOW - DAY, heard: Iterable[Ref] = REFS.values()) -> Talk:
    at = joined.strftime("%Y%m%d%H%M%S")
    mark = Mark(MARK, link_key(INSTANCE, INCIDENT), "MADE", at)
    records = [record(ref, created=joined, mark=mark) for ref in (DEFECT, PBI)]
    return discuss(lost(joined), seen(*records, comments=comments, heard=heard), SETUP, NOW)


def test_after_the_state_was_lost_banners_alone_tell_what_was_said() -> None:
    copies = [copy_on(DEFECT, WORD, "k1"), copy_on(PBI, WORD, "k2")]
    found = rebuilt_talk(WORD, *copies)
    assert found.says == ()
    assert {k for k, copy, _ in found.copies if copy.outcome == "done"} == {key(WORD, DEFECT), key(WORD, PBI)}


def test_after_the_state_was_lost_what_was_not_said_is_said() -> None:
    assert places(rebuilt_talk(WORD, copy_on(DEFECT, WORD)).says) == {(PBI, "discussion")}


def test_after_the_state_was_lost_the_part_that_is_missing_is_said() -> None:
    facts = {**FACTS, "jira": Facts(ROOM + 40, timedelta(), "internal")}
    long = replace(WORD, text="word " * 25 + "end")
    first = copy_on(DEFECT, long, "k1", "word", 1, 4)
    words = replace(seen(comments=[long, first], heard=REFS.values()), facts=facts)
    said = [say for say in discuss(lost(), words, SETUP, NOW).says if say.ref == DEFECT]
    assert [say.copy.part for say in said] == [2, 3, 4]


def test_after_the_state_was_lost_what_is_older_than_the_joining_stays_history() -> None:
    old = replace(WORD, created=NOW - 3 * DAY)
    found = rebuilt_talk(old)
    assert found.says == ()
    assert {(k.target, copy.outcome) for k, copy, _ in found.copies} == {(DEFECT, "history"), (PBI, "history")}


def test_after_the_state_was_lost_what_the_work_side_said_first_still_reaches_the_opener() -> None:
    old = comment(DEFECT, "c9", at=NOW - 3 * DAY)
    assert (INCIDENT, "comments") in places(rebuilt_talk(old).says)


@pytest.mark.parametrize("at", ["yesterday", "99999999999999", "2026"])
def test_a_mark_that_people_broke_does_not_stop_the_link(at: str) -> None:
    mark = Mark(MARK, "K", "MADE", at)
    words = seen(record(DEFECT, mark=mark, created=NOW - 2 * DAY), comments=[WORD], heard=REFS.values())
    assert (DEFECT, "everyone") in places(discuss(lost(), words, SETUP, NOW).says)


def test_nothing_is_said_to_an_item_that_was_found_again_before_its_discussion_was_read() -> None:
    found = rebuilt_talk(WORD, heard=[INCIDENT, PBI])
    assert places(found.says) == {(PBI, "discussion")}
    assert (key(WORD, DEFECT), told("unsure"), "") in found.copies
    assert found.waiting == NOW + FACTS["jira"].grace
    state = replace(lost(), copies={k: copy for k, copy, _ in found.copies} | {key(WORD, PBI): told("done")})
    later = NOW + HOUR
    there = seen(comments=[WORD, copy_on(DEFECT, WORD)])
    assert discuss(state, there, SETUP, later).says == ()
    not_there = seen(comments=[WORD], heard=[DEFECT])
    assert places(discuss(state, not_there, SETUP, later).says) == {(DEFECT, "everyone")}


def test_a_hidden_item_that_was_found_again_may_hold_the_copy_already() -> None:
    found = discuss(lost(), seen(comments=[WORD], heard=[INCIDENT, PBI], gone=[DEFECT]), SETUP, NOW)
    assert (key(WORD, DEFECT), told("unsure"), "") in found.copies


def test_an_item_that_was_found_again_and_heard_since_is_spoken_to_at_once() -> None:
    state = lost()
    heard = tuple(replace(i, talk="heard") for i in state.items)
    assert places(talk(WORD, state=replace(state, items=heard)).says) == {(DEFECT, "everyone"), (PBI, "discussion")}


def test_a_copy_that_was_found_before_its_origin_was_heard_of_is_not_said_twice() -> None:
    """The discussion of the source could not be read when the state was rebuilt."""
    first = rebuilt_talk(copy_on(DEFECT, WORD, "k1"), copy_on(PBI, WORD, "k2"), heard=[DEFECT, PBI])
    state = replace(lost(), copies={k: replace(copy, id=id) for k, copy, id in first.copies})
    assert len(state.copies) == 2
    assert talk(WORD, state=state).says == ()
    again = talk(WORD, copy_on(DEFECT, WORD, "k1"), copy_on(PBI, WORD, "k2"), state=state)
    assert again.says == ()
    assert {(where, id) for where, _, id in again.copies} == {(key(WORD, DEFECT), "k1"), (key(WORD, PBI), "k2")}


# ── What is said ─────────────────────────────────────────────────────────────────────────────────────────────────

SSN = setup(masks=(Mask("ssn", KNOWN_MASKS["ssn"]), mask("case", r"\b1B\w{5}\b")))


@pytest.mark.parametrize("text", ["it is 123-45-6789.", "123-\x0045-6789", "123\x07-45-6789", "case 1BABCDE here"])
def test_what_is_masked_never_crosses(text: str) -> None:
    for say in talk(replace(WORD, text=text), house=SSN).says:
        assert "45-6789" not in say.text and "1BABCDE" not in say.text
        assert "[ssn]" in say.text or "[case]" in say.text


def test_a_mask_is_applied_before_a_long_text_is_cut() -> None:
    facts = {**FACTS, "jira": Facts(ROOM + 20, timedelta(), "internal")}
    words = replace(seen(comments=[replace(WORD, text="word after 123-45-6789 end of it")]), facts=facts)
    said = discuss(link(), words, SSN, NOW).says
    assert not any(piece in say.text for say in said for piece in ("123-45", "45-6789"))


def test_control_characters_stay_behind_and_are_counted() -> None:
    said = talk(replace(WORD, text="a\x00b\x1b[1mc\ud800", author="E\x00ve\ud83d")).says
    assert {say.text.split("\n", 1)[1] for say in said} == {"ab[1mc"}
    assert {say.removed for say in said} == {3}
    assert all(say.text.startswith("Eve on I1 ·") for say in said)


def test_a_comment_without_words_is_not_carried() -> None:
    assert talk(replace(WORD, text=" \x00\n ")).says == ()


# ── Our own remarks ──────────────────────────────────────────────────────────────────────────────────────────────

OWN = OwnRemark("note:1", DEFECT, "internal", "priority was put back", "because")


def own_says(state: LinkState, there: Seen, at: datetime = NOW) -> list[Say]:
    return says(decide(state, there, SETUP, at).actions)


def test_a_remark_of_our_own_is_said_under_a_banner_until_it_is_there() -> None:
    (say,) = own_says(link(remarks=(OWN,)), seen())
    assert say.copy == CopyKey(Origin("", "note:1"), DEFECT) and say.channel == "internal"
    assert say.text.startswith("Lockstep on D1 · lockstep ") and say.text.endswith("\npriority was put back")
    there = comment(DEFECT, "k1", say.text, ours=True)
    state = link(remarks=(OWN,), copies={say.copy: told("unsure", NOW - HOUR)})
    assert own_says(state, seen()) == []
    assert own_says(state, seen(comments=[there])) == []
    assert len(own_says(state, seen(heard=[DEFECT]))) == 1


def test_those_who_are_called_by_name_stand_before_a_remark_and_nothing_in_it_can_call() -> None:
    forged = called((Mention("acc-eve", "Eve"),))
    own = replace(OWN, text=f"see {forged}", mention=(Mention("acc-ann", "Ann Lee"), Mention("", "Bob")))
    (say,) = own_says(link(remarks=(own,)), seen())
    words = rendered(say.text.partition("\n")[2], str, lambda one: f"<{one.account}>")
    assert words == "<acc-ann>, Bob\nsee acc-eveEve"


def test_a_remark_waits_while_its_tracker_cannot_be_read() -> None:
    plan = decide(link(remarks=(replace(OWN, ref=INCIDENT),)), seen(mute={"snow": "grant it"}), SETUP, NOW)
    assert says(plan.actions) == []
    assert [(h.ref, h.what) for h in plan.settlement.holds] == [(INCIDENT, "comments")]


# ── A model: whatever gets lost, each comment is there once ──────────────────────────────────────────────────────

STEP = st.one_of(
    st.tuples(st.just("speak"), st.sampled_from(list(REFS.values())), st.just("")),
    st.tuples(
        st.just("pass"),
        st.frozensets(st.sampled_from(list(REFS.values())), max_size=2),
        st.lists(st.sampled_from(["done", "lost", "late", "refused"]), max_size=4),
    ),
    st.tuples(st.just("forget"), st.just(None), st.just("")),
)


class Room:
    """Three discussions, and a state that may be lost."""

    def __init__(self) -> None:
        self.there: dict[Ref, list[Comment]] = {ref: [] for ref in REFS.values()}
        self.now, self.count = NOW, 0
        self.state = link(copies={}, known=frozenset())

    def speak(self, ref: Ref) -> None:
        self.count += 1
        self.there[ref].append(comment(ref, f"c{self.count}", f"remark {self.count}.", at=self.now))

    def once(self, unheard: frozenset[Ref], fates: list[str]) -> None:
        self.now += 10 * MINUTE
        heard = [ref for ref in REFS.values() if ref not in unheard]
        comments = [c for ref in heard for c in self.there[ref]]
        found = discuss(self.state, seen(comments=comments, heard=heard), SETUP, self.now)
        copies = {**self.state.copies, **{k: replace(copy, id=id) for k, copy, id in found.copies}}
        copies |= {say.copy: Copy("unsure", self.now) for say in found.says}
        for n, say in enumerate(found.says):
            fate = fates[n] if n < len(fates) else "done"
            id = ""
            if fate in ("done", "late"):
                self.count += 1
                id = f"k{self.count}"
                self.there[say.ref].append(comment(say.ref, id, say.text, ours=True, at=self.now))
            if fate in ("done", "refused"):
                copies[say.copy] = Copy(fate, self.now, id)
        items = tuple(replace(i, talk="heard" if i.ref in heard else i.talk) for i in self.state.items)
        known = self.state.known | {Origin(c.item.tracker, c.id) for c in found.known}
        self.state = replace(self.state, items=items, copies=copies, known=known)

    def forget(self) -> None:
        items = tuple(replace(i, rebuilt=True, talk="", echoes={}) for i in self.state.items)
        self.state = replace(self.state, items=items, copies={}, known=frozenset())


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=10))
def test_after_faults_stop_every_comment_is_on_every_item_of_its_paths_exactly_once(story: list[tuple]) -> None:
    room = Room()
    for what, one, another in story:
        if what == "speak":
            room.speak(one)
        elif what == "pass":
            room.once(one, another)
        else:
            room.forget()
    for _ in range(3):
        room.once(frozenset(), [])
    before = {ref: len(found) for ref, found in room.there.items()}
    room.once(frozenset(), [])
    assert {ref: len(found) for ref, found in room.there.items()} == before
    for ref, found in room.there.items():
        for said in found:
            if said.ours:
                continue
            for target in {
                r
                for p in SETUP.paths
                for c in p.targets
                if p.source == Channel(side_of(ref), said.channel)
                for r in [REFS[c.side]]
            }:
                assert sum(said.text in c.text for c in room.there[target]) == 1, (said.text, target)
