"""How far a piece of work reaches: fields that Lockstep counts over all items of a link, in texts, conditions and,
where the file says so, on the items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mappings.fields import Field
from mappings.model import Record, Ref
from sync.decide import decide
from sync.merging.merge import Agreed, Echo
from sync.plan import Plan, Write
from sync.state import LinkState
from tests.builders import DEFECT, FIELDS, INCIDENT, NOW, item, link, record, seen, setup
from tests.world import ANA, RITA, World, cli, writes

COUNTY = Field("county", natives={"incident": ("company",)})
FIELDS_OF_REACH = {
    **FIELDS,
    "county": COUNTY,
    "reach": Field("reach", "integer", {"defect": ("reach",)}, source="incident"),
    "how_many": Field("how_many", "integer", source="county"),
    "counties": Field("counties", "list", {"defect": ("counties",)}, source="county"),
    "named": Field("named", source="county"),
}
SECOND, THIRD = Ref("snow", "i2"), Ref("snow", "i3")


def incident(ref: Ref, county: str | None) -> Record:
    return record(ref, fields={"company": county})


def defect(**fields: object) -> Record:
    return record(DEFECT, fields={"reach": None, "counties": (), **fields})


def standing(*records: Record) -> LinkState:
    items = tuple(item(one, joined="mention" if one.ref in (SECOND, THIRD) else "") for one in records)
    return link(*items)


def decided(state: LinkState, *records: Record) -> Plan:
    return decide(state, seen(*records), setup(fields=FIELDS_OF_REACH), NOW)


def agreed(plan: Plan) -> dict[str, object]:
    return {name: plan.values[name] for name in ("reach", "how_many", "counties", "named")}


def written(plan: Plan) -> dict[str, object]:
    return {name: value for a in plan.actions if isinstance(a, Write) for name, value in a.change.fields.items()}


def test_items_and_the_different_values_of_a_field_are_counted_over_all_items() -> None:
    records = (
        incident(INCIDENT, "Yolo"),
        incident(SECOND, "Alameda"),
        incident(THIRD, "Yolo"),
        defect(),
    )
    plan = decided(standing(*records), *records)
    assert agreed(plan) == {"reach": 3, "how_many": 2, "counties": ("Alameda", "Yolo"), "named": "Alameda, Yolo"}
    assert written(plan) == {"reach": "3", "counties": ("Alameda", "Yolo")}


def test_an_item_that_was_not_read_counts_as_it_was_last_seen_and_one_that_is_gone_does_not() -> None:
    records = (incident(INCIDENT, "Yolo"), incident(SECOND, "Alameda"), incident(THIRD, "Fresno"), defect())
    state = standing(*records)
    known = {"county": Echo((("company", "Alameda"),), 1)}
    lost = replace(state.item(SECOND), echoes={**state.item(SECOND).echoes, **known})
    gone = replace(state.item(THIRD), gone=True)
    items = tuple({SECOND: lost, THIRD: gone}.get(one.ref, one) for one in state.items)
    plan = decided(replace(state, items=items), records[0], records[3])
    assert agreed(plan) == {"reach": 2, "how_many": 2, "counties": ("Alameda", "Yolo"), "named": "Alameda, Yolo"}


def test_where_nobody_says_anything_nothing_is_named() -> None:
    records = (incident(INCIDENT, None), defect())
    plan = decided(standing(*records), *records)
    assert agreed(plan) == {"reach": 1, "how_many": 0, "counties": (), "named": None}


def after(state: LinkState, plan: Plan, shown: Record) -> LinkState:
    """The link once the plan was carried out and the defect shows what it was given."""
    serials = dict(plan.settlement.agreed)
    echoes = {**state.item(DEFECT).echoes}
    for name in ("reach", "counties"):
        echoes[name] = Echo(FIELDS_OF_REACH[name].spelled("defect", shown.fields), serials[name].serial)
    items = tuple(replace(one, echoes=echoes) if one.ref == DEFECT else one for one in state.items)
    return replace(state, items=items, agreed={**state.agreed, **serials})


def test_what_stands_is_not_written_again_and_what_people_write_over_it_is_put_back_and_said() -> None:
    records = (incident(INCIDENT, "Yolo"), incident(SECOND, "Alameda"), defect())
    state = standing(*records)
    first = decided(state, *records)
    shown = defect(reach="2", counties=("Alameda", "Yolo"))
    state = after(state, first, shown)
    assert written(decided(state, *records[:2], shown)) == {}
    theirs = defect(reach="77", counties=("Alameda", "Yolo"))
    plan = decided(state, *records[:2], replace(theirs, version=2))
    assert written(plan) == {"reach": "2"}
    assert any("reach is put back to 2: Lockstep counts it" in remark.text for remark in plan.settlement.remarks)


def test_a_tracker_that_keeps_something_else_of_it_is_not_written_for_ever() -> None:
    records = (incident(INCIDENT, "Yolo"), incident(SECOND, "Alameda"), defect())
    state = standing(*records)
    first = decided(state, *records)
    shown = defect(reach="2", counties=("Alameda",))  # it cut the list
    state = after(state, first, shown)
    assert written(decided(state, *records[:2], shown)) == {}


def test_the_value_moves_with_the_items() -> None:
    records = (incident(INCIDENT, "Yolo"), defect(reach="1", counties=("Yolo",)))
    state = replace(standing(*records), agreed={**standing(*records).agreed, "reach": Agreed(1, 4)})
    joined = standing(*records, incident(SECOND, "Alameda"))
    state = replace(state, items=joined.items)
    plan = decided(state, *records, incident(SECOND, "Alameda"))
    assert plan.values["reach"] == 2 and plan.settlement.agreed["reach"].serial == 5


# ── over the whole estate ────────────────────────────────────────────────────────────────────────────────────────────

REACH = """
[fields.county]
incident = "company"
[fields.affected]
type = "integer"
from = "incident"
defect = "customfield_10041"
[fields.counties]
type = "list"
from = "county"
defect = "customfield_10046"
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    text = "\n[fields.escalation]"
    made = World(tmp_path, lambda file: file.replace(text, REACH + text, 1))
    for name, value in made.estate.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


def test_counties_that_join_are_shown_on_the_defect_in_status_and_in_why(world: World) -> None:
    snow, jira = world.estate.servicenow, world.estate.jira
    for name in ("Alameda", "Yolo"):
        snow.data.named("core_company", name)
    incident, defect, _ = world.linked(pbi=False)
    snow.update(incident, {"company": "Alameda"}, by=RITA)
    world.settle()
    other = world.incident("the same in Yolo", company="Yolo", parent_incident=snow.item(incident)["number"])
    world.settle()
    shown = jira.item(defect)
    assert (shown["customfield_10041"], sorted(shown["customfield_10046"])) == ("2", ["Alameda", "Yolo"])
    with world.counting() as asked:
        world.settle()
    assert writes(asked) == []
    jira.update(defect, {"customfield_10041": 9}, by=ANA)
    world.settle()
    assert jira.item(defect)["customfield_10041"] == "2"
    status, why = cli(world, "status").output, cli(world, "why", snow.item(other)["number"]).output
    assert "affected" in status and "counted (incident)" in why and "Alameda, Yolo" in why
