"""The merge of one field: every sentence of the design, and a model of three sides that people edit at any time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.fields import Common, Field, Spelling, ValueRow
from mappings.model import Ref
from sync.merging.merge import OWN, Agreed, Choose, Claim, Echo, Spoken, Verdict, impose, merge, owners_word
from tests.builders import DEFECT, INCIDENT, PBI, PRIORITY, one, spelled_priority, two

REFS = {"incident": INCIDENT, "defect": DEFECT, "pbi": PBI}
OWNER = owners_word("incident", (), False)
EXCLUSIVE = owners_word("incident", (), True)
ALL_THREE = Agreed(3, 1, "incident")


def said(side: str, now: Common | Spelling, was: Common | Spelling = 3, serial: int = 1, **more: Any) -> Spoken:
    """A side that was at ``was`` when agreement ``serial`` was settled with it and shows ``now``."""
    spellings = [v if isinstance(v, tuple) else spelled_priority(side, v) for v in (now, was)]
    return Spoken(REFS[side], side, spellings[0], Echo(spellings[1], serial), **more)


def three(
    incident: Common | Spelling = 3, defect: Common | Spelling = 3, pbi: Common | Spelling = 3
) -> tuple[Spoken, ...]:
    return said("incident", incident), said("defect", defect), said("pbi", pbi)


def merged(spoken: tuple[Spoken, ...], agreed: Agreed | None = ALL_THREE, choose: Choose = OWNER) -> Verdict:
    return merge(PRIORITY, agreed, spoken, choose)


# ── The sentences ────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_changed_anything_and_nothing_is_written() -> None:
    assert merged(three()) == Verdict(ALL_THREE)


def test_one_side_changed_and_is_adopted_whoever_owns_the_field() -> None:
    verdict = merged(three(defect=1))
    assert verdict.agreed == Agreed(1, 2, "defect")
    assert verdict.writes == ((INCIDENT, two("1", "1")), (PBI, one("Priority", "1")))
    assert verdict.echoes == ((DEFECT, Echo(one("priority", "Highest"), 2)),)


def test_a_side_changed_when_it_differs_from_its_own_echo_never_from_another_sides_value() -> None:
    joined_differing = (said("incident", 3), said("defect", 1, was=1))
    assert merged(joined_differing) == Verdict(ALL_THREE)


def test_a_stranger_to_an_exclusive_field_is_put_back_and_named() -> None:
    verdict = merged(three(defect=1), choose=EXCLUSIVE)
    assert verdict.agreed == ALL_THREE
    assert verdict.writes == ((DEFECT, one("priority", "Medium")),)
    assert verdict.choice is not None and verdict.choice.restored == (Claim("defect", 1, DEFECT),)


def test_a_stranger_who_says_what_the_owner_says_is_not_put_back() -> None:
    verdict = merged(three(incident=1, defect=1), choose=EXCLUSIVE)
    assert verdict.agreed == Agreed(1, 2, "incident")
    assert verdict.choice is not None and verdict.choice.restored == ()
    assert [ref for ref, _ in verdict.writes] == [PBI]


def test_several_changed_alike_are_adopted_and_not_written() -> None:
    verdict = merged(three(1, 1, 1))
    assert verdict.agreed.value == 1 and verdict.agreed.serial == 2
    assert verdict.writes == ()
    assert verdict.choice is not None and verdict.choice.overridden == ()


def test_several_that_may_mean_the_same_changed_alike() -> None:
    verdict = merged(three(incident=5, pbi=4))  # the pbi has one word for 4 and 5
    assert verdict.agreed.value == 5
    assert verdict.choice is not None and verdict.choice.overridden == ()
    assert [ref for ref, _ in verdict.writes] == [DEFECT]


def test_a_lossy_word_never_wins_over_a_word_it_agrees_with() -> None:
    """The owner's ambiguous spelling is no reason to put another side's precise one back."""
    verdict = merge(PRIORITY, ALL_THREE, three(defect=5, pbi=4), owners_word("pbi", (), False))
    assert verdict.agreed.value == 5
    assert [ref for ref, _ in verdict.writes] == [INCIDENT]


def test_several_changed_differently_and_the_owners_word_stands() -> None:
    verdict = merged(three(incident=2, defect=1))
    assert verdict.agreed == Agreed(2, 2, "incident")
    assert verdict.choice is not None and verdict.choice.overridden == (Claim("defect", 1, DEFECT),)
    assert dict(verdict.writes) == {DEFECT: one("priority", "High"), PBI: one("Priority", "2")}


def test_an_overridden_word_that_could_not_be_written_over_does_not_speak_again() -> None:
    """Found by a simulated history: it brought the owner's older word back over what was said alone since."""
    first = merged(three(incident=2, pbi=1))
    heard = dict(first.echoes)[PBI]
    assert heard == Echo(one("Priority", "1"), 1)
    stale = Spoken(PBI, "pbi", one("Priority", "1"), heard)  # the write was refused
    in_step = said("incident", 2, was=2, serial=2)
    verdict = merged((in_step, said("defect", 4, was=2, serial=2), stale), first.agreed)
    assert verdict.agreed == Agreed(4, 3, "defect")
    assert dict(verdict.writes) == {INCIDENT: two("2", "3"), PBI: one("Priority", "4")}


def test_an_overridden_word_is_written_over_until_it_is_gone() -> None:
    first = merged(three(incident=2, pbi=1))
    stale = Spoken(PBI, "pbi", one("Priority", "1"), dict(first.echoes)[PBI])
    verdict = merged((said("incident", 2, 2, 2), said("defect", 2, 2, 2), stale), first.agreed)
    assert verdict.agreed == first.agreed and verdict.choice is None
    assert verdict.writes == ((PBI, one("Priority", "2")),)


def test_without_an_owner_the_first_in_prefer_wins() -> None:
    verdict = merged(three(incident=2, defect=1, pbi=4), choose=owners_word("", ("pbi", "defect"), False))
    assert verdict.agreed == Agreed(4, 2, "pbi")


def test_of_two_changes_of_others_than_the_owner_the_first_in_order_stands() -> None:
    verdict = merged(three(defect=1, pbi=2), choose=owners_word("incident", ("incident", "defect", "pbi"), False))
    assert verdict.agreed == Agreed(1, 2, "defect")


def test_an_item_that_already_means_the_agreed_value_is_never_written() -> None:
    verdict = merged((said("incident", 5, was=4), said("defect", 4, was=4), said("pbi", 4, was=4)), Agreed(4, 1))
    assert verdict.agreed.value == 5
    assert [ref for ref, _ in verdict.writes] == [DEFECT]
    assert (PBI, Echo(one("Priority", "4"), 2)) in verdict.echoes


def test_another_spelling_of_the_same_value_is_no_change_and_is_kept() -> None:
    verdict = merged(three(incident=two("1", "3")))
    assert verdict.agreed == ALL_THREE and verdict.writes == ()
    assert verdict.echoes == ((INCIDENT, Echo(two("1", "3"), 1)),)


def test_our_own_write_acknowledged_late_is_no_change() -> None:
    agreed = Agreed(1, 2, "incident")
    verdict = merged((said("incident", 1, was=1, serial=2), said("defect", 1)), agreed)
    assert verdict.agreed == agreed and verdict.choice is None and verdict.writes == ()
    assert verdict.echoes == ((DEFECT, Echo(one("priority", "Highest"), 2)),)


def test_a_late_write_of_an_agreement_that_moved_on_is_no_change_either() -> None:
    """The answer to a write of 2 was lost and the tracker was down while the incident moved to 1."""
    late = Spoken(
        DEFECT, "defect", one("priority", "High"), Echo(one("priority", "Medium"), 1, one("priority", "High"))
    )
    verdict = merge(
        PRIORITY, Agreed(1, 3, "incident"), (said("incident", 1, 1, 3), late), owners_word("defect", (), False)
    )
    assert verdict.agreed == Agreed(1, 3, "incident") and verdict.choice is None
    assert verdict.writes == ((DEFECT, one("priority", "Highest")),)
    assert verdict.echoes == ((DEFECT, Echo(one("priority", "High"), 1)),)


def test_a_late_write_seen_in_the_pass_in_which_the_agreement_moves_is_remembered() -> None:
    verdict = merged(
        (said("incident", 1, was=2, serial=2), said("defect", 2, was=3, serial=1)), Agreed(2, 2, "incident")
    )
    assert verdict.agreed.value == 1
    assert (DEFECT, Echo(one("priority", "High"), 1)) in verdict.echoes
    assert (DEFECT, one("priority", "Highest")) in verdict.writes


def test_one_who_changed_before_hearing_of_an_agreement_contests_it() -> None:
    agreed = Agreed(1, 2, "incident")
    verdict = merged((said("incident", 1, was=1, serial=2), said("defect", 4)), agreed)
    assert verdict.agreed == agreed
    assert verdict.choice is not None and verdict.choice.overridden == (Claim("defect", 4, DEFECT),)
    assert verdict.writes == ((DEFECT, one("priority", "Highest")),)


def test_a_contest_ends_alike_before_and_after_a_crash() -> None:
    """Agreed and committed, but the loser was not written yet: the same side wins again."""
    order = owners_word("", ("incident", "defect", "pbi"), False)
    first = merged(three(incident=2, defect=1), choose=order)
    echoes = dict(first.echoes)
    again = tuple(replace(s, echo=echoes.get(s.ref, s.echo)) for s in three(incident=2, defect=1))
    assert merged(again, first.agreed, order).agreed == first.agreed


def test_an_unmapped_value_is_told_and_the_others_go_on() -> None:
    verdict = merged(three(incident=two("7", "7"), defect=1))
    assert [s.ref for s in verdict.unmapped] == [INCIDENT]
    assert verdict.agreed.value == 1
    assert [ref for ref, _ in verdict.writes] == [PBI]


def test_a_side_without_a_word_is_told_and_never_written() -> None:
    verdict = merged(three(incident=two("", "")))
    assert verdict.agreed == Agreed(None, 2, "incident")
    assert verdict.writes == () and [s.ref for s in verdict.wordless] == [DEFECT, PBI]


def test_a_side_without_a_word_for_the_agreement_may_still_change_it() -> None:
    wordless = Agreed(None, 2, "incident")
    verdict = merged((said("incident", two("", ""), two("", ""), 2), said("defect", 1)), wordless)
    assert verdict.agreed == Agreed(1, 3, "defect")


FOLLOWER = Ref("snow", "i2")


MEDIUM = two("2", "2")


def following(now: Spelling, was: Spelling | None = MEDIUM, serial: int = 1) -> Spoken:
    """A second incident, for which the first one speaks."""
    echo = Echo(was, serial) if was is not None else None
    return Spoken(FOLLOWER, "incident", now, echo, follows=True, among=True)


def kept(verdict: Verdict) -> Echo | None:
    return dict(verdict.echoes).get(FOLLOWER)


def test_a_follower_that_is_in_step_takes_another_sides_value_and_does_not_speak() -> None:
    assert merged((*three(), following(two("1", "1")))).agreed == ALL_THREE
    assert (FOLLOWER, two("1", "2")) in merged((*three(defect=2), following(two("2", "2")))).writes


def test_a_follower_keeps_its_own_value_when_its_own_side_speaks() -> None:
    verdict = merged((*three(incident=2), following(two("2", "2"))))
    assert FOLLOWER not in dict(verdict.writes) and kept(verdict) == Echo(two("2", "2"), OWN)


def test_a_follower_whose_people_changed_the_value_keeps_it_whatever_the_others_say() -> None:
    verdict = merged((*three(defect=2), following(two("1", "1"))))
    assert FOLLOWER not in dict(verdict.writes) and kept(verdict) == Echo(two("1", "1"), OWN)
    later = merged((*three(defect=4), following(two("1", "1"), two("1", "1"), OWN)))
    assert FOLLOWER not in dict(later.writes) and FOLLOWER not in dict(later.echoes)


def test_a_follower_that_comes_to_mean_the_agreed_value_is_in_step_again() -> None:
    verdict = merged((*three(), following(two("2", "2"), two("1", "1"), OWN)))
    assert kept(verdict) == Echo(two("2", "2"), 1)


def test_a_follower_that_joins_with_a_value_of_its_own_keeps_it() -> None:
    assert kept(merged((*three(), following(two("1", "1"), None)))) == Echo(two("1", "1"), OWN)
    first = merge(PRIORITY, None, (*three(), following(two("1", "1"), None)), OWNER)
    assert kept(first) == Echo(two("1", "1"), OWN)


def test_a_new_lead_with_a_value_of_its_own_is_asked_and_not_written() -> None:
    lead = Spoken(INCIDENT, "incident", two("1", "1"), Echo(two("1", "1"), OWN), among=True)
    verdict = merged((lead, said("defect", 2), said("pbi", 3)))
    assert verdict.agreed == Agreed(2, 2, "defect") and INCIDENT not in dict(verdict.writes)
    assert verdict.choice is not None and verdict.choice.overridden == ()
    spoke = replace(lead, spelling=two("3", "3"))
    assert merged((spoke, said("defect", 3), said("pbi", 3))).agreed == Agreed(5, 2, "incident")


def test_an_item_that_is_alone_on_its_side_again_takes_the_next_value() -> None:
    alone = Spoken(INCIDENT, "incident", two("1", "1"), Echo(two("1", "1"), OWN))
    assert merged((alone, said("defect", 3), said("pbi", 3))).writes == ()
    assert dict(merged((alone, said("defect", 2), said("pbi", 3))).writes)[INCIDENT] == two("1", "2")


def test_a_rules_word_reaches_the_followers_that_are_in_step() -> None:
    verdict = impose(PRIORITY, ALL_THREE, (*three(), following(two("2", "2"))), 1)
    assert dict(verdict.writes)[FOLLOWER] == two("1", "1")
    own = impose(PRIORITY, ALL_THREE, (*three(), following(two("3", "3"), two("3", "3"), OWN)), 1)
    assert FOLLOWER not in dict(own.writes)


def test_the_first_agreement_writes_nothing_and_differences_wait_for_a_change() -> None:
    fresh = tuple(replace(s, echo=None) for s in three(incident=2, defect=1))
    verdict = merged(fresh, None)
    assert verdict.agreed == Agreed(2, 1, "incident") and verdict.writes == ()
    assert len(verdict.echoes) == 3


def test_the_first_agreement_reads_a_lossy_word_as_most_mean_it() -> None:
    fresh = tuple(replace(s, echo=None) for s in (said("pbi", 4), said("defect", 5), said("incident", 5)))
    assert merged(fresh, None).agreed.value == 5


def test_an_empty_list_is_no_first_word() -> None:
    labels = Field("labels", "list", {"defect": ("labels",), "pbi": ("Tags",)})
    spoken = (Spoken(DEFECT, "defect", one("labels", ())), Spoken(PBI, "pbi", one("Tags", ("urgent",))))
    assert merge(labels, None, spoken, owners_word("defect", (), False)).agreed == Agreed(("urgent",), 1, "pbi")


def test_a_rules_word_is_written_except_where_it_is_meant_already() -> None:
    verdict = impose(PRIORITY, Agreed(5, 1), (said("incident", 5, 5), said("defect", 5, 5), said("pbi", 5, 5)), 4)
    assert verdict.agreed == Agreed(4, 2)
    assert [ref for ref, _ in verdict.writes] == [INCIDENT, DEFECT]


# ── The model ────────────────────────────────────────────────────────────────────────────────────────────────────

#: a: precise. b: 2 and 3 share a word. c: 1 and 2 share one, and it has no word for 4.
WORDS = {"a": "1234", "b": "1224", "c": "113-"}
LOSSY = Field(
    "f",
    "integer",
    dict.fromkeys(WORDS, ("f",)),
    values=tuple(ValueRow(n + 1, {s: (one("f", w[n]),) for s, w in WORDS.items() if w[n] != "-"}) for n in range(4)),
)


@dataclass
class Place:
    """An item in its tracker, and what Lockstep remembers of it."""

    ref: Ref
    side: str
    shows: str
    echo: Echo


@dataclass
class House:
    """Three sides, an agreement, and writes that may be lost on their way there or back."""

    choose: Choose
    agreed: Agreed = field(default_factory=lambda: Agreed(1, 1, "a"))
    places: list[Place] = field(default_factory=list)
    edits: int = 0

    def __post_init__(self) -> None:
        self.places = [Place(Ref(s, s), s, WORDS[s][0], Echo(one("f", WORDS[s][0]), 1)) for s in WORDS]

    def person(self, side: str, value: int) -> None:
        place = next(p for p in self.places if p.side == side)
        word = WORDS[side][value - 1]
        if word not in ("-", place.shows):
            self.edits += 1
            place.shows = word

    def once(self, fates: dict[str, str], absent: frozenset[str] = frozenset()) -> Verdict:
        """One pass. The fate of a side's write: done, lost (never applied), late (applied, not acknowledged)."""
        there = [p for p in self.places if p.side not in absent]
        spoken = [Spoken(p.ref, p.side, one("f", p.shows), p.echo) for p in there]
        verdict = merge(LOSSY, self.agreed, spoken, self.choose)
        self.agreed = verdict.agreed
        by_ref = {p.ref: p for p in self.places}
        for ref, echo in verdict.echoes:
            by_ref[ref].echo = echo
        for ref, spelling in verdict.writes:
            place = by_ref[ref]
            place.echo = replace(place.echo, sent=spelling)
        for ref, spelling in verdict.writes:
            fate = fates.get(by_ref[ref].side, "done")
            if fate == "crash":
                break
            if fate in ("done", "late"):
                by_ref[ref].shows = str(spelling[0][1])
            if fate == "done":
                by_ref[ref].echo = Echo(spelling, verdict.agreed.serial)
        return verdict

    def settled(self) -> bool:
        """Every side means the agreed value, or has no word for it."""
        return all(
            self.agreed.value in LOSSY.meanings(p.side, one("f", p.shows))
            or LOSSY.spelling(p.side, self.agreed.value) is None
            for p in self.places
        )


def live(house: House, story: list[tuple[Any, ...]]) -> None:
    for what, one_thing, another in story:
        if what == "edit":
            house.person(one_thing, another)
        else:
            house.once(one_thing, another)


SIDES = st.sampled_from("abc")
FATES = st.dictionaries(SIDES, st.sampled_from(["lost", "late", "crash"]), max_size=3)
EDIT = st.tuples(st.just("edit"), SIDES, st.integers(1, 4))
PASS = st.tuples(st.just("pass"), FATES, st.frozensets(SIDES, max_size=2))
OPEN = [owners_word(owner, prefer, False) for owner, prefer in (("a", "abc"), ("c", "abc"), ("", "bca"))]
ORDERS = st.sampled_from([*OPEN, owners_word("b", "abc", True)])


@settings(max_examples=300, deadline=None)
@given(ORDERS, st.lists(st.one_of(EDIT, PASS), max_size=14))
def test_after_people_stop_one_pass_converges_and_the_next_writes_nothing(
    choose: Choose, story: list[tuple[Any, ...]]
) -> None:
    house = House(choose)
    live(house, story)
    house.once({})
    assert house.settled()
    agreed = house.agreed
    shown = [p.shows for p in house.places]
    assert house.once({}).writes == () and house.agreed == agreed
    assert [p.shows for p in house.places] == shown


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OPEN), st.lists(st.one_of(EDIT, PASS), max_size=14), SIDES, st.integers(1, 4))
def test_a_change_that_nobody_contests_stands_whatever_got_lost_before(
    choose: Choose, story: list[tuple[Any, ...]], side: str, value: int
) -> None:
    """Never an older value over a newer one: after a quiet pass without failures, the next person's word is it."""
    house = House(choose)
    live(house, story)
    house.once({})
    former, before = house.agreed, house.edits
    house.person(side, value)
    if house.edits == before:
        return
    word = next(p.shows for p in house.places if p.side == side)
    meant = LOSSY.meanings(side, one("f", word))
    house.once({})
    assert house.agreed.value in meant or former.value in meant
    assert next(p.shows for p in house.places if p.side == side) == word


@settings(max_examples=200, deadline=None)
@given(st.lists(PASS, min_size=1, max_size=6), st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_one_person_alone_is_never_contradicted_by_our_own_late_writes(
    passes: list[tuple[str, dict[str, str], frozenset[str]]], values: list[int]
) -> None:
    """Only side a is edited, any side may be preferred: whatever is lost or late, a's last word stands."""
    for preferred in ("b", "c"):
        house = House(owners_word(preferred, "abc", False))
        for n, value in enumerate(values):
            house.person("a", value)
            _, fates, absent = passes[n % len(passes)]
            house.once(fates, absent - {"a"})
        house.once({})
        assert house.agreed.value == int(house.places[0].shows) == values[-1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(EDIT, PASS), max_size=10))
def test_an_exclusive_field_ends_where_its_owner_left_it(story: list[tuple[Any, ...]]) -> None:
    house = House(owners_word("a", (), True))
    live(house, story)
    house.once({})
    assert house.agreed.value == int(house.places[0].shows)
    assert house.settled()
