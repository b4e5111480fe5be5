"""First contact with a live estate: what people paired by hand is found, marked and left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.first_contact import FIELDS, drafted, run
from mappings.model import Ref
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.approval.approve import carry_out
from sync.edits.edit import take
from sync.joining.tally import Tally
from sync.rehearse import dry, dry_links
from sync.requests.kinds import work
from sync.show.tally import tally_json, tally_text
from tests.world import ANA, CHEN, RITA, SAM, World, copies_of, writes

Start = Callable[..., World]
KEYS = 'type    = "Bug"\nkeys_field = "customfield_10045"\n'


def matching(more: str = "", *, keys: bool = True) -> Callable[[str], str]:
    """The demo's file with ``match`` on both routes; ``more`` are keys of the defect's, and with ``keys`` Jira has a
    field for ours."""

    def edit(text: str) -> str:
        match = 'match = ["incident_number", "see_also", "description"]\n'
        text = text.replace('open = "defect"\n', f'open = "defect"\n{match}{more}\n', 1)
        text = text.replace('open = "pbi"\n', 'open = "pbi"\nmatch = ["hyperlinks", "description"]\n', 1)
        text = text.replace('type    = "Bug"\n', KEYS if keys else 'type    = "Bug"\n', 1)
        return text.replace("\n[[comments]]", FIELDS, 1)

    return edit


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    worlds: list[World] = []

    def begin(edit: Callable[[str], str]) -> World:
        worlds.append(World(tmp_path, edit))
        return worlds[-1]

    yield begin
    for world in worlds:
        world.close()


def number(world: World, incident: str) -> str:
    return str(world.estate.servicenow.item(incident)["number"])


def move(world: World, incident: str) -> list[str]:
    """Its people take the incident up; what Lockstep wrote then."""
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    with world.counting() as asked:
        world.settle()
    return writes(asked)


def members(world: World) -> list[list[str]]:
    """The links' items by key, with how each came."""
    links = [sorted(f"{item.key} {item.joined}".strip() for item in link.items) for link in world.engine.store.links()]
    return sorted(links)


def test_match_runs_before_open_and_adopting_a_pair_writes_the_marker_and_nothing_else(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    defect = world.estate.jira.create({"summary": "API fails", "customfield_10040": number(world, incident)}, by=ANA)
    world.settle()
    before = dict(world.estate.jira.item(defect))
    assert len(move(world, incident)) == 2
    after = world.estate.jira.item(defect)
    assert {name for name in after if after[name] != before.get(name)} == {"labels", "customfield_10045", "updated"}
    assert world.estate.jira.ids() == [defect]
    assert members(world) == [["CSPM-1 match incident_number (equal value)", number(world, incident)]]


@pytest.mark.parametrize("way", ["a number in a text", "an address in a text", "an address on the incident"])
def test_a_counterpart_is_found_by_a_number_or_an_address_from_either_side(start: Start, way: str) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    said = {
        "a number in a text": f"as {number(world, incident)} says",
        "an address in a text": f"[it|{world.estate.urls['servicenow']}/incident.do?sys_id={incident}]",
        "an address on the incident": "of its own",
    }[way]
    defect = world.estate.jira.create({"summary": "API fails", "description": said}, by=ANA)
    if way == "an address on the incident":
        told = f"see {world.estate.urls['jira']}/browse/CSPM-1."
        world.estate.servicenow.update(incident, {"business_impact": told}, by=SAM)
    world.settle()
    assert len(move(world, incident)) == 2
    assert world.estate.jira.ids() == [defect]
    assert [len(link) for link in members(world)] == [2]


def test_a_hyperlink_that_people_hung_on_a_pbi_pairs_it_with_its_defect(start: Start) -> None:
    world = start(matching())
    _, defect, _ = world.linked(pbi=False)
    item = world.estate.azure.create({"System.Title": "fix it"}, by=CHEN)
    world.settle()
    world.estate.azure.link(item, "Hyperlink", f"{world.estate.urls['jira']}/browse/CSPM-1", by=CHEN)
    world.settle()
    labels = [*world.estate.jira.item(defect)["labels"], "dev"]
    world.estate.jira.update(defect, {"labels": labels}, by=ANA)
    world.settle()
    assert world.estate.azure.ids() == [item]
    assert world.estate.azure.item(item)["System.Title"] == "fix it"
    assert "AB#1 match hyperlinks (address named)" in members(world)[0]


def test_two_counterparts_are_held_with_both_named_until_one_reference_goes(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    called = number(world, incident)
    first, second = (world.estate.jira.create({"summary": s, "customfield_10040": called}, by=ANA) for s in ("a", "b"))
    world.settle()
    assert move(world, incident) == []
    ((held, key),) = world.engine.store.held()
    assert (key, held.what) == (called, "match")
    assert held.reason.endswith(": CSPM-1 (incident_number, equal value) and CSPM-2 (incident_number, equal value)")
    world.estate.jira.update(second, {"customfield_10040": None}, by=ANA)
    world.settle()
    world.settle()
    assert members(world) == [["CSPM-1 match incident_number (equal value)", called]]
    assert world.engine.store.held() == []
    assert world.estate.jira.ids() == [first, second]


def test_a_person_says_which_of_two_counterparts_is_meant_and_nothing_is_held_any_more(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    called = number(world, incident)
    first, second = (world.estate.jira.create({"summary": s, "customfield_10040": called}, by=ANA) for s in ("a", "b"))
    world.settle()
    move(world, incident)
    assert [held.what for held, _ in world.engine.store.held()] == ["match"]
    world.engine.store.ask("link", [called, "CSPM-2"], "opal", world.engine.now())
    work(world.engine)
    world.settle()
    assert members(world) == [["CSPM-2 linked", called]]
    assert world.engine.store.held() == []
    assert world.estate.jira.ids() == [first, second]


def test_of_two_incidents_that_name_one_defect_the_older_pairs_and_the_other_joins(start: Start) -> None:
    world = start(matching())
    incidents = [world.incident("one"), world.incident("two")]
    said = " and ".join(number(world, id) for id in incidents)
    world.estate.jira.create({"summary": "API fails", "description": f"see {said}"}, by=ANA)
    world.settle()
    for id in incidents:
        world.estate.servicenow.move(id, "In Progress", by=RITA)
    world.settle()
    assert [len(link) for link in members(world)] == [3]
    assert len(world.estate.jira.ids()) == 1
    (link,) = world.engine.store.links()
    assert link.source.id == incidents[0]


def test_a_defect_that_was_opened_is_no_counterpart_of_another_incident_of_the_same_words(start: Start) -> None:
    world = start(matching())
    first = world.incident("500 responses on API", description="the API is down, as INC0010002 says")
    second = world.incident("the same", description="the API is down, as INC0010002 says")
    assert number(world, second) == "INC0010002"
    world.settle()
    move(world, first)
    world.settle()
    move(world, second)
    world.settle()
    assert [len(link) for link in members(world)] == [2, 2]
    assert world.engine.store.held() == []


def test_fields_that_differ_stay_until_their_owners_next_change(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    given = {"summary": "API fails", "priority": "High", "customfield_10040": number(world, incident)}
    defect = world.estate.jira.create(given, by=ANA)
    world.settle()
    move(world, incident)
    (link,) = world.engine.store.links()
    told = [reason.text for plan in dry_links(world.engine, [link]) for reason in plan.reasons]
    assert any(text.startswith("priority differs: ") and text.endswith("incident's next change") for text in told), told
    world.estate.servicenow.update(incident, {"impact": "1", "urgency": "1"}, by=RITA)
    world.settle()
    after = world.estate.jira.item(defect)
    assert (after["priority"], after["summary"]) == ("Highest", "API fails")


@pytest.mark.parametrize("history", [False, True])
def test_comments_older_than_the_joining_are_carried_only_where_the_route_says_all(start: Start, history: bool) -> None:
    world = start(matching('history = "all"' if history else ""))
    incident = world.incident("500 responses on API")
    defect = world.estate.jira.create({"summary": "x", "customfield_10040": number(world, incident)}, by=ANA)
    world.estate.servicenow.comment(incident, "said long before", by=SAM)
    world.estate.jira.comment(defect, "noted long before", by=ANA)
    world.settle()
    world.later(minutes=5)
    move(world, incident)
    world.later(minutes=5)
    world.estate.jira.comment(defect, "said afterwards", by=ANA)
    world.settle()
    for _ in range(2):
        assert copies_of("said long before", world.words("jira", defect)) == history
        assert copies_of("noted long before", world.words("servicenow", incident)) == history
        assert copies_of("said afterwards", world.words("servicenow", incident)) == 1
        world.restart(lose_state=True)
        with world.counting() as asked:
            world.settle()
        assert writes(asked) == []


def test_a_pair_in_a_jira_without_a_field_for_keys_is_found_again_after_the_state_is_lost(start: Start) -> None:
    world = start(matching(keys=False))
    incident = world.incident("500 responses on API")
    words = "h2. Steps\n# *one*\n# two"
    given = {"summary": "API fails", "description": words, "customfield_10040": number(world, incident)}
    defect = world.estate.jira.create(given, by=ANA)
    world.settle()
    move(world, incident)
    text = str(world.estate.jira.item(defect)["description"])
    assert text.startswith(words), "people's markup stays as it is"
    assert "link:" in text.removeprefix(words)
    for _ in range(2):
        assert [len(link) for link in members(world)] == [2]
        world.restart(lose_state=True)
        with world.counting() as asked:
            world.settle()
        assert writes(asked) == []


def test_nothing_is_opened_before_the_other_side_was_read_to_its_end(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    defect = world.estate.jira.create({"summary": "x", "customfield_10040": number(world, incident)}, by=ANA)
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    world.edit = matching("since = 2020-01-01")
    world.restart(lose_state=True)
    world.estate.faults.add(Fault("answer", "jira", answer=Answer(503, b"")))
    with world.counting() as asked:
        world.once()
        world.later(minutes=1)
        world.once()
    assert writes(asked) == []
    world.estate.faults.clear()
    world.later(minutes=10)
    world.settle()
    assert world.estate.jira.ids() == [defect]
    assert [len(link) for link in members(world)] == [2]


def test_older_items_are_paired_through_an_approved_plan_alone(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API", state="In Progress")
    defect = world.estate.jira.create({"summary": "x", "customfield_10040": number(world, incident)}, by=ANA)
    lone = world.incident("nobody's", state="In Progress")
    world.restart(lose_state=True)
    with world.counting() as asked:
        world.settle()
    assert (writes(asked), world.engine.store.links()) == ([], [])
    found = dry(world.engine).tally
    assert (found.proposed, found.asked) == ({"incident_number (equal value)": 1}, {"open": 1})
    document = drafted(world.engine, {"adopt"})
    with world.counting() as asked:
        outcome = carry_out(world.engine, document, "ana")
        world.settle()
    assert (len(outcome.done), len(writes(asked))) == (1, 2)
    assert [len(link) for link in members(world)] == [2]
    assert world.estate.jira.ids() == [defect]
    assert not world.engine.store.links_of([Ref("servicenow", lone)])[0].id


def test_what_a_new_match_needs_is_read_once_and_then_found(start: Start) -> None:
    world = start(lambda text: text)
    incident = world.incident("500 responses on API")
    defect = world.estate.jira.create({"summary": "x", "customfield_10040": number(world, incident)}, by=ANA)
    world.settle()
    world.edit = matching()
    world.restart()
    assert world.engine.edit is not None
    take(world.engine.store, world.engine.edit, world.engine.now())
    world.restart()
    world.settle()
    move(world, incident)
    assert world.estate.jira.ids() == [defect]
    assert [len(link) for link in members(world)] == [2]


def test_an_approved_plan_skips_a_pair_of_which_one_was_changed_since(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API", state="In Progress")
    defect = world.estate.jira.create({"summary": "x", "customfield_10040": number(world, incident)}, by=ANA)
    world.restart(lose_state=True)
    world.settle()
    document = drafted(world.engine, {"adopt"})
    world.later(minutes=1)
    world.estate.jira.update(defect, {"summary": "something else"}, by=ANA)
    with world.counting() as asked:
        outcome = carry_out(world.engine, document, "ana")
    assert (outcome.done, writes(asked)) == ([], [])
    ((_, why),) = outcome.skipped
    assert "CSPM-1: summary" in why


def test_differing_fields_are_brought_in_step_by_an_approved_plan(start: Start) -> None:
    world = start(matching())
    incident = world.incident("500 responses on API")
    given = {"summary": "API fails", "priority": "High", "customfield_10040": number(world, incident)}
    defect = world.estate.jira.create(given, by=ANA)
    world.settle()
    move(world, incident)
    document = drafted(world.engine, {"align"})
    with world.counting() as asked:
        carry_out(world.engine, document, "ana")
    assert len(writes(asked)) == 2, "the defect's fields, and its state"
    after = world.estate.jira.item(defect)
    assert (after["summary"], after["priority"]) == ("500 responses on API", "Medium")
    world.settle()
    assert drafted(world.engine, {"align"}).entries == ()


def test_plan_reports_what_matched_how() -> None:
    found = Tally(
        {"notes (number named)": 2}, {"notes (number named)": 1, "links (address named)": 4}, 0, 0, {"open": 3}
    )
    found = replace(found, unclear=("INC1 has 2 counterparts to choose from: A-1 and A-2",))
    page = Console(width=120, record=True, file=StringIO())
    page.print(tally_text(found))
    told = page.export_text()
    assert [line.split() for line in told.splitlines() if "named" in line] == [
        ["links", "(address", "named)", "4"],
        ["notes", "(number", "named)", "2", "1"],
    ]
    assert "3 would be opened" in told
    assert "INC1 has 2 counterparts" in told
    (last,) = tally_json(found)
    assert last["counterparts"]["paired"] == {"notes (number named)": 2}
    assert tally_json(Tally()) == []


def test_the_estate_has_no_duplicate_and_no_overwritten_field(tmp_path: Path) -> None:
    """The benchmark's course at a fiftieth of its size; its full figures are in docs/benchmarks.md."""
    report = run(tmp_path, 0.02)
    assert (report.duplicates, report.overwritten, report.carried) == (0, [], 0)
    assert (report.missed, report.linked) == ([], report.pairs)
    assert report.pairs == 60
    assert (report.held_ambiguous, report.held_occupied) == (report.ambiguous, report.occupied) == (2, 2)
    assert report.opened == report.to_open == 1
    assert sum(report.tally.paired.values()) + sum(report.tally.proposed.values()) == report.pairs
    assert report.steps["plan"][2] == 0
    assert report.steps["the state deleted: passes"][2] == 0
