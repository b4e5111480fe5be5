"""What a tracker gives to an item that a route opened: its owner's word, where nobody had said anything of it."""

from __future__ import annotations

import pytest

from mappings.fields import Common, Field
from mappings.model import Native
from sync.decide import decide
from sync.merging.merge import Agreed, Echo
from sync.merging.status import STAGE, spelled
from sync.plan import Plan
from tests.builders import AGREED, DEFECT, FIELDS, INCIDENT, NOW, item, link, only_seen, record, setup, writes


def decided(owner: str, before: Common, *, born: int = 0, joined: str = "") -> Plan:
    """A defect that shows a number of its own; ``born`` is the agreement that its state stands for."""
    number = Field("number", natives={"incident": ("u_defect",), "defect": ("number",)}, owner=owner)
    fields = {**FIELDS, "number": number}
    shown: Native = str(before) if before else None
    one = record(INCIDENT, fields={"u_defect": shown})
    other = record(DEFECT, fields={"number": "CSPM-7"})
    of_one = {**item(one).echoes, "number": Echo((("u_defect", shown),), 1)}
    of_other = {**item(other).echoes, STAGE: Echo(spelled(other.state), born)}
    state = link(
        item(one, echoes=of_one),
        item(other, echoes=of_other, joined=joined),
        agreed={**AGREED, "number": Agreed(before, 1)},
    )
    return decide(state, only_seen(one, other), setup(fields=fields), NOW)


def test_the_number_of_a_new_item_goes_to_the_item_that_opened_it() -> None:
    plan = decided("defect", None)
    assert plan.settlement.agreed["number"] == Agreed("CSPM-7", 2, "defect")
    assert writes(plan.actions)[INCIDENT].change.fields == {"u_defect": "CSPM-7"}


@pytest.mark.parametrize(
    ("owner", "before", "born", "joined"),
    [("incident", None, 0, ""), ("defect", "CSPM-1", 0, ""), ("defect", None, 1, ""), ("defect", None, 0, "match x")],
    ids=["another owns it", "somebody said something", "it is there for long", "people made it"],
)
def test_what_is_not_its_owners_first_word_waits(owner: str, before: Common, born: int, joined: str) -> None:
    plan = decided(owner, before, born=born, joined=joined)
    assert "number" not in plan.settlement.agreed and INCIDENT not in writes(plan.actions)
