"""What a notice says beside the admin's words, from recorded history alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappings.calendar import Span
from sync.escalation.clocks import Due
from sync.escalation.evidence import as_data, facts, gathered
from sync.setup import Setup
from sync.sheet import Sheet
from sync.state import Firing, Movement
from tests import builders as b

ENTRY = Movement("stage:1:Fixing", "stage", b.NOW - 3 * b.DAY, "Fixing", "developers", "operations")
WORD = Movement(
    "comment:snow:7", "comment", b.NOW - 2 * b.DAY, "Fixing", "developers", "county", item="I1", author="Sam Hill"
)
SAID = replace(WORD, event="word:snow:7:research", kind="word", word="research")
CHANGED = replace(WORD, event="field:release:2", kind="field", word="labels", party="developers", author="")
OPENED = Movement("opened:jira:d1", "opened", b.NOW - b.DAY, "Fixing", "developers", word="defect", item="D1")
HOUSE = b.setup()


def evidence(
    cause: Movement, *history: Movement, step: int = 1, steps: int = 2, setup: Setup = HOUSE, **said: Any
) -> dict[str, str]:
    """The facts of a step, by label; of several of one label the last."""
    firings = said.pop("firings", ())
    rule = b.rule("r", after=(None, *(Span(1),) * (steps - 1)), **said)
    link = b.link(firings=firings)
    sheet = Sheet(link, b.seen(), setup, b.NOW, dict(link.agreed))
    due = Due(rule, step, cause.event, b.NOW - b.HOUR)
    return dict(facts(setup, gathered(sheet, due, (ENTRY, *history))))


@pytest.mark.parametrize(
    "cause, said, why",
    [
        (ENTRY, {"quiet": Span(2)}, "nothing has moved for 2 business days, since Fri 2026-11-13 18:00 UTC"),
        (ENTRY, {"over": True}, "it is in Fixing for longer than 2 business days, since Fri 2026-11-13 18:00 UTC"),
        (WORD, {"concern": True}, "Sam Hill asked on I1, since Sat 2026-11-14 18:00 UTC"),
        (SAID, {"said": ("research",)}, "Sam Hill wrote !research on I1, since Sat 2026-11-14 18:00 UTC"),
        (CHANGED, {"changes": ("labels",)}, "labels was changed by developers, since Sat 2026-11-14 18:00 UTC"),
        (OPENED, {"opens": ("defect",)}, "D1 was opened, since Sun 2026-11-15 18:00 UTC"),
        (ENTRY, {"enters": ("Fixing",)}, "it entered Fixing, since Fri 2026-11-13 18:00 UTC"),
    ],
)
def test_why_it_is_sent_and_since_when(cause: Movement, said: dict[str, Any], why: str) -> None:
    history = () if cause is ENTRY else (cause,)
    assert evidence(cause, *history, **said)["Why"] == why


def test_a_field_goes_by_the_name_that_people_see() -> None:
    fields = {**b.FIELDS, "labels": replace(b.LABELS, label="Tags")}
    told = evidence(CHANGED, CHANGED, setup=b.setup(fields=fields), changes=("labels",))
    assert told["Why"].startswith("Tags was changed")


def test_the_last_word_is_a_persons_and_names_no_text() -> None:
    later = replace(ENTRY, event="stage:2:Fixing", at=b.NOW - b.HOUR)
    told = evidence(ENTRY, WORD, later, quiet=Span(2))
    assert told["Last word"] == "Sam Hill, Sat 2026-11-14 18:00 UTC, on I1"
    assert told["Stage"] == "Fixing since Mon 2026-11-16 17:00 UTC, the move of developers"
    assert evidence(ENTRY, quiet=Span(2))["Last word"] == "nobody has written since the items were linked"


def test_who_was_told_before_are_the_steps_of_this_episode_that_fired() -> None:
    first = Firing("r", ENTRY.event, 1, b.NOW - b.DAY, "fired", ("operations", "lead@example.org"))
    firings = (
        first,
        replace(first, step=2, outcome="superseded", told=("nobody",)),
        replace(first, episode="another", told=("other@example.org",)),
        replace(first, rule="another", told=("other@example.org",)),
    )
    told = evidence(ENTRY, step=3, steps=3, firings=firings, quiet=Span(2))
    assert told["Told before"] == "Sun 2026-11-15 18:00 UTC: operations, lead@example.org"
    assert "Told before" not in evidence(ENTRY, quiet=Span(2))


def test_what_comes_next_counts_from_when_this_step_was_due() -> None:
    clock = evidence(ENTRY, step=1, quiet=Span(2))["Next"]
    assert clock == "step 2 on Tue 2026-11-17 17:00 UTC, unless something moves"
    event = evidence(WORD, WORD, step=1, concern=True)["Next"]
    assert event == "step 2 on Tue 2026-11-17 17:00 UTC, unless somebody acknowledges it"
    assert evidence(ENTRY, step=2, quiet=Span(2))["Next"] == "nothing more, this is the last step"


def test_for_programs_it_is_plain_json_with_the_addresses_of_the_items() -> None:
    link = b.link()
    sheet = Sheet(link, b.seen(gone=(b.PBI,)), HOUSE, b.NOW, dict(link.agreed))
    data = as_data(gathered(sheet, Due(b.rule("r", quiet=Span(2)), 1, ENTRY.event, b.NOW), (ENTRY, WORD)))
    assert data["since"] == "2026-11-13T18:00:00+00:00"
    assert data["last_word"] == {"by": "Sam Hill", "at": "2026-11-14T18:00:00+00:00", "item": "I1"}
    assert data["next"] is None
    assert data["items"] == [
        {"side": "incident", "key": "I1", "url": "https://snow/i1"},
        {"side": "defect", "key": "D1", "url": "https://jira/d1"},
        {"side": "pbi", "key": "P1", "url": ""},
    ]
