"""Which words of a value name an item, and what a route makes of the counterparts that were found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.kinds import OWN
from mappings.fields import Field
from mappings.matching import ADDRESS, EQUAL, LONGEST, MOST, NUMBER, Name, Naming, equals, named
from mappings.model import Record, Ref
from sync.decide import decide
from sync.joining.match import without_rivals
from sync.joining.seek import seek
from sync.plan import Adopt, Open, Plan, Write
from sync.setup import Setup
from sync.state import LinkState, Seen, Tie
from sync.store import Store
from tests.builders import DAY, DEFECT, INCIDENT, NOW, comment, only_seen, prospect, record, route, setup

SNOW, JIRA, AZURE = "https://acme.service-now.com", "https://acme.atlassian.net", "https://dev.azure.com/acme"
ID = "9d385017c611228701d22104cc95c371"


def naming(kind: str, url: str) -> Naming:
    return Naming("t", OWN[kind].homes(url), OWN[kind].called)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "url", "text", "word"),
    [
        ("servicenow", SNOW, f"{SNOW}/nav_to.do?uri=incident.do%3Fsys_id%3D{ID}", ID),
        (
            "servicenow",
            SNOW,
            f"{SNOW}/now/nav/ui/classic/params/target/incident.do%253Fsys_id%253D{ID}%2526x%253D1",
            ID,
        ),
        ("servicenow", SNOW, f"({SNOW}/now/sow/record/incident/{ID}).", ID),
        ("servicenow", SNOW, f"{SNOW}/incident.do?sysparm_query=number=INC0010003", "inc0010003"),
        ("servicenow", SNOW, f"{SNOW}/text_search_exact_match.do?sysparm_search=INC0010003", "inc0010003"),
        ("jira", JIRA, f"[the defect|{JIRA}/browse/SHOP-12?focusedId=1]", "shop-12"),
        ("jira", JIRA, f"{JIRA}/jira/software/c/projects/SHOP/boards/1?selectedIssue=SHOP-12", "shop-12"),
        ("jira", JIRA, f"{JIRA}/projects/SHOP/queues/custom/3/SHOP-12", "shop-12"),
        ("jira", JIRA, f"{JIRA}/rest/api/2/issue/10012", "10012"),
        ("azure_devops", AZURE, f"{AZURE}/My%20Portal/_workitems/edit/12/", "12"),
        ("azure_devops", AZURE, f"{AZURE}/_apis/wit/workItems/12", "12"),
        ("azure_devops", AZURE, f"{AZURE}/Portal/_boards/board/t/Team/Backlog?workitem=12", "12"),
        ("azure_devops", AZURE, "https://acme.visualstudio.com/Portal/_workitems/edit/12", "12"),
    ],
)
def test_any_spelling_of_an_items_address_names_it(kind: str, url: str, text: str, word: str) -> None:
    assert named(text, naming(kind, url)) == (Name(ADDRESS, f"t/{word}"),)
    assert named(f"see <a href='{text}'>this</a>, please", naming(kind, url)) == (Name(ADDRESS, f"t/{word}"),)


@pytest.mark.parametrize(
    ("kind", "url", "text", "words"),
    [
        ("servicenow", SNOW, "as inc0010003 and INC0010004 say", ["inc0010003", "inc0010004"]),
        ("servicenow", SNOW, f" {ID} ", [ID]),
        ("servicenow", SNOW, "XINC0010003A", []),
        ("jira", JIRA, "SHOP-12, (CSPM-3); not SHOP-12-b nor x-SHOP-4", ["shop-12", "cspm-3"]),
        ("azure_devops", AZURE, "AB#12, #13 and not x#14 nor &#39;", ["12", "13"]),
        ("azure_devops", AZURE, "12", ["12"]),
        ("azure_devops", AZURE, "12 apples", []),
        ("jira", JIRA, "10012", []),
    ],
)
def test_a_number_in_a_text_names_an_item(kind: str, url: str, text: str, words: list[str]) -> None:
    assert named(text, naming(kind, url)) == tuple(Name(NUMBER, f"t/{word}") for word in words)


def test_an_address_of_another_tracker_names_nothing_nor_does_the_number_in_it() -> None:
    assert named("https://other.atlassian.net/browse/SHOP-12", naming("jira", JIRA)) == ()
    assert named(f"{JIRA}.evil.example/browse/SHOP-12", naming("jira", JIRA)) == ()
    assert named("https://dev.azure.com/acme2/_workitems/edit/12", naming("azure_devops", AZURE)) == ()


def test_each_entry_of_a_list_is_a_value_of_its_own() -> None:
    assert named(("12", "apples"), naming("azure_devops", AZURE)) == (Name(NUMBER, "t/12"),)


def test_an_item_keeps_a_bounded_number_of_names_of_bounded_length() -> None:
    many = named(" ".join(f"SHOP-{n}" for n in range(1, 400)), naming("jira", JIRA))
    assert len(many) == MOST
    field = Field("text", natives={"a": ("x",)})
    (long,) = equals(field, "a", {"x": "word " * 400})
    assert len(long.value) <= LONGEST
    assert long != equals(field, "a", {"x": "word " * 401})[0]


def test_equal_is_what_means_the_same_whatever_its_case_and_blanks() -> None:
    field = Field("number", natives={"a": ("x",), "b": ("y",)})
    assert equals(field, "a", {"x": " INC 1 "}) == equals(field, "b", {"y": "inc  1"}) == (Name(EQUAL, "inc 1"),)
    assert equals(field, "a", {"x": None}) == equals(field, "a", {}) == ()


# ── what a route makes of them ───────────────────────────────────────────────────────────────────────────────────────

NUMBERS = Field("incident_number", natives={"incident": ("number",), "defect": ("custom",)}, owner="incident")
ROUTE = route("production", "incident", "defect", match=("incident_number",))
OTHER = Ref("jira", "d2")


def tied(ref: Ref, **said: Any) -> Tie:
    key = {DEFECT: "D1", OTHER: "D2"}.get(ref, ref.id.upper())
    return Tie("match", "production", ref, "defect", key, "match incident_number (equal value)", **said)


def look(*ties: Tie, also: tuple[Record, ...] = (), source: Record | None = None, **said: Any) -> Seen:
    """A lone incident with its ties, and the items tied to it."""
    records = (source or record(INCIDENT, mark=None), *(r for r in also))
    seen = replace(only_seen(*records), ties={INCIDENT: ties})
    return replace(seen, **said)


def planned(seen: Seen, *, link: LinkState | None = None, use: Setup | None = None, **said: Any) -> Plan:
    source = seen.records[INCIDENT]
    assert source is not None
    return decide(link or prospect(source), seen, use or setup(routes=(ROUTE,)), NOW, **said)


LONE = record(DEFECT, "To Do", mark=None, fields={"summary": "Else", "priority": "High"})


def test_exactly_one_counterpart_is_paired_and_only_marks_are_written() -> None:
    plan = planned(look(tied(DEFECT), also=(LONE,)))
    assert [(type(a), a.ref) for a in plan.actions if isinstance(a, Adopt)] == [(Adopt, INCIDENT), (Adopt, DEFECT)]
    assert not [a for a in plan.actions if isinstance(a, Open | Write)]
    (joining,) = plan.settlement.joins
    assert (joining.ref, joining.link, joining.how) == (DEFECT, 0, "match incident_number (equal value)")


def test_fields_that_differ_wait_for_approval_or_the_owners_next_change() -> None:
    seen = look(tied(DEFECT), also=(LONE,))
    plan = planned(seen)
    told = {reason.about: reason.text for reason in plan.reasons}
    assert told["priority"] == "priority differs: I1 3, D1 2; waits for approval or incident's next change"
    assert plan.values["priority"] == 3
    align = next(p for p in plan.proposals if p.kind == "align" and "priority" in p.key)
    (write,) = [a for a in planned(seen, approved=frozenset({align.key})).actions if isinstance(a, Write)]
    assert (write.ref, dict(write.change.fields)) == (DEFECT, {"priority": "Medium"})


def test_two_counterparts_are_held_and_both_are_named() -> None:
    plan = planned(look(tied(DEFECT), tied(OTHER), also=(LONE, replace(LONE, ref=OTHER, key="D2"))))
    assert (plan.actions, plan.settlement.joins, plan.loose) == ((), (), True)
    (held,) = plan.settlement.holds
    assert "D1" in held.reason
    assert "D2" in held.reason
    assert "lockstep link I1 D1, or lockstep link I1 D2" in held.advice


def test_matching_waits_until_the_other_side_was_read_to_its_end() -> None:
    plan = planned(look(unready=frozenset({"defect"})))
    assert (plan.actions, plan.pending) == ((), True)


def test_an_item_whose_fields_for_the_mark_are_occupied_is_held_and_nothing_is_opened_in_its_place() -> None:
    for source, other in ((None, replace(LONE, occupied="OT-7")), (record(INCIDENT, mark=None, occupied="OT-7"), LONE)):
        plan = planned(look(tied(DEFECT), also=(other,), source=source))
        assert (plan.actions, plan.settlement.joins) == ((), ())
        (held,) = plan.settlement.holds
        assert "somebody else's text" in held.reason


def test_a_counterpart_out_of_scope_is_none() -> None:
    plan = planned(look(tied(DEFECT), also=(replace(LONE, in_scope=False),)))
    assert [a.side for a in plan.actions if isinstance(a, Open)] == ["defect"]


def test_an_old_pair_is_proposed_and_paired_by_approval_alone() -> None:
    seen = look(tied(DEFECT), also=(LONE,))
    link = prospect(record(INCIDENT, mark=None), old=True)
    plan = planned(seen, link=link)
    assert (plan.actions, plan.aged) == ((), True)
    (proposal,) = plan.proposals
    assert proposal.kind == "adopt"
    approved = planned(seen, link=link, approved=frozenset({proposal.key}))
    assert [j.ref for j in approved.settlement.joins] == [DEFECT]


def test_an_old_item_without_a_counterpart_is_opened_by_approval_alone() -> None:
    link = prospect(record(INCIDENT, mark=None), old=True)
    (proposal,) = planned(look(), link=link).proposals
    assert proposal.kind == "open"
    assert [
        a.side for a in planned(look(), link=link, approved=frozenset({proposal.key})).actions if isinstance(a, Open)
    ]


def test_what_a_person_unlinked_is_not_paired_again_and_nothing_is_opened_in_its_place() -> None:
    plan = planned(look(tied(DEFECT, barred=frozenset({"*"})), also=(LONE,)))
    assert (plan.actions, plan.settlement.joins) == ((), ())


def test_old_comments_of_a_pair_are_not_carried_unless_the_route_says_so() -> None:
    said = (comment(INCIDENT, "c1", "before"), comment(DEFECT, "c2", "before"))
    seen = replace(only_seen(record(INCIDENT, mark=None), LONE, comments=said), ties={INCIDENT: (tied(DEFECT),)})
    plan = planned(seen)
    assert {type(a) for a in plan.actions} == {Adopt}
    (joining,) = plan.settlement.joins
    assert joining.came == max(LONE.updated, said[1].created)
    all_of_it = replace(ROUTE, history=True)
    assert planned(seen, use=setup(routes=(all_of_it,))).settlement.joins[0].came is None


def test_the_mark_of_a_pair_tells_when_it_came_so_that_a_lost_state_knows_what_is_history() -> None:
    marks = {a.ref: a.mark for a in planned(look(tied(DEFECT), also=(LONE,))).actions if isinstance(a, Adopt)}
    assert marks[INCIDENT].at == ""
    assert marks[DEFECT].at == max(LONE.updated, record(INCIDENT).updated).strftime("%Y%m%d%H%M%S")


def test_of_two_that_want_one_counterpart_the_older_has_it_and_the_other_waits() -> None:
    late, early = Ref("snow", "late"), Ref("snow", "early")
    pairs = []
    records: dict[Ref, Record | None] = {DEFECT: LONE}
    for ref, age in ((late, 1), (early, 3)):
        source = replace(record(INCIDENT, mark=None), ref=ref, created=NOW - age * DAY)
        records[ref] = source
        seen = replace(only_seen(source, LONE), ties={ref: (tied(DEFECT),)})
        pairs.append((prospect(source), decide(prospect(source), seen, setup(routes=(ROUTE,)), NOW)))
    (kept,) = without_rivals(pairs, Seen(records))
    assert kept[0].source == early


def test_what_an_item_would_open_alone_waits_where_another_one_wants_it() -> None:
    seen = look(tied(DEFECT), also=(LONE,))
    own = setup(routes=(ROUTE, route("development", "defect", "pbi")))
    alone = decide(prospect(LONE), seen, own, NOW)
    assert [a.side for a in alone.actions if isinstance(a, Open)] == ["pbi"]
    wanting = (prospect(record(INCIDENT, mark=None)), planned(seen, use=own))
    (kept,) = without_rivals([(prospect(LONE), alone), wanting], seen)
    assert kept == wanting
    assert [a.side for a in kept[1].actions if isinstance(a, Open)] == ["pbi"]


def test_nothing_is_sought_where_no_route_matches() -> None:
    store = Store("sqlite://", "acme")
    assert (
        seek(store, setup(routes=(route("production", "incident", "defect"),)), [prospect(LONE)], {DEFECT: LONE}) == {}
    )
