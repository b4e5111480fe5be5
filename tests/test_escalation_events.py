"""Rules that wait for what happens, and the words that people answer with, over the whole estate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.story import MORNING
from sync.rehearse import dry_links
from tests.test_crash import Died
from tests.test_faults import pass_until_over
from tests.world import ANA, BEN, RITA, SAM, World, copies_of

COUNTY = '[parties.county]\nrequester = true\nmembers = { servicenow = ["sam.hill"] }\n[parties.developers]'
RULES = """
[[rules]]
id      = "asked"
concern = true
until   = ["answered"]
  [[rules.steps]]
  teams = "triage"
  text  = "asked 1"
  [[rules.steps]]
  after = "1d"
  teams = "triage"
  text  = "asked 2"
[[rules]]
id   = "research"
said = ["research"]
  [[rules.steps]]
  teams = "triage"
  text  = "research {incident}"
[[rules]]
id     = "taken"
enters = ["Fixing"]
  [[rules.steps]]
  teams = "triage"
  text  = "taken"
[[rules]]
id      = "hurry"
changes = ["priority"]
  [[rules.steps]]
  teams = "triage"
  text  = "priority {priority}"
[[rules]]
id    = "opened"
opens = ["defect"]
  [[rules.steps]]
  teams = "triage"
  text  = "opened {defect}"
[[rules]]
id    = "quiet"
when  = 'stage == "Fixing"'
quiet = "1d"
  [[rules.steps]]
  teams = "triage"
  text  = "quiet 1"
  [[rules.steps]]
  after = "1d"
  teams = "triage"
  text  = "quiet 2"

[teams.triage]"""


def ruled(text: str) -> str:
    head, _, rest = text.partition("[[rules]]")
    return head.replace("[parties.developers]", COUNTY, 1) + RULES + rest.partition("[teams.triage]")[2]


class Office:
    """A world with a rule of each kind, and an incident that became a defect on Monday morning."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, ruled)
        self.incident, self.defect, _ = self.world.linked(pbi=False)

    @property
    def number(self) -> str:
        return str(self.world.estate.servicenow.item(self.incident)["number"])

    def at(self, day: int, hours: float = 0.5) -> list[str]:
        """The cards that came since the last look, after passes at that working hour so many days after Monday."""
        self.world.estate.clock.set(MORNING + timedelta(days=day, hours=hours))
        pass_until_over(self.world)
        return self.new()

    def new(self) -> list[str]:
        said = [texts_of(card) for card in self.world.estate.hook.cards]
        self.world.estate.hook.cards.clear()
        return sorted(said)

    def asks(self, text: str, by: str = SAM) -> None:
        self.world.estate.servicenow.comment(self.incident, text, by)

    def answers(self, text: str, by: str = ANA) -> None:
        self.world.estate.jira.comment(self.defect, text, by)


def texts_of(card: object) -> str:
    """The admin's own words on a card."""
    text = str(card)
    found = [
        "asked 1",
        "asked 2",
        "taken",
        "quiet 1",
        "quiet 2",
        "research",
        "opened",
        *map("priority {}".format, range(6)),
    ]
    return next(words for words in found if f"'{words}" in text)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.world.close()


def test_a_new_incident_tells_that_it_entered_its_stage_and_that_its_defect_was_opened_once_each(
    office: Office,
) -> None:
    assert office.new() == ["opened", "taken"]
    office.world.restart()
    office.world.engine.store.touch_all(closed=True)
    assert office.at(0) == []


def test_a_requester_s_question_is_told_at_once_and_again_until_somebody_acknowledges(office: Office) -> None:
    office.new()
    office.asks("any news?")
    assert office.at(0, 1) == ["asked 1"]
    office.asks("hello?")
    assert office.at(0, 2) == []
    office.answers("!ack, I look into it")
    assert office.at(1, 1.5) == []
    office.asks("and?")
    assert office.at(1, 2) == ["asked 1"]
    office.asks("well?")
    assert "asked 2" in office.at(2, 2.5)


def test_a_command_word_counts_once_although_its_comment_is_copied(office: Office) -> None:
    office.new()
    office.asks("please:\n!research the log")
    assert office.at(0, 1) == ["research"]
    assert copies_of("!research", office.world.words("jira", office.defect)) == 1
    assert office.at(0, 2) == []
    office.answers("#Research again")
    assert office.at(0, 3) == ["research"]


def test_each_change_of_a_field_is_told_once_and_the_first_value_is_no_change(office: Office) -> None:
    assert "priority 3" not in office.new()
    office.world.estate.servicenow.update(office.incident, {"impact": "1", "urgency": "1"}, by=RITA)
    assert office.at(0, 1) == ["priority 1"]
    office.world.engine.store.touch_all(closed=True)
    assert office.at(0, 1.5) == []
    office.world.estate.servicenow.update(office.incident, {"impact": "2", "urgency": "2"}, by=RITA)
    assert office.at(0, 2) == ["priority 3"]


def test_a_snooze_is_over_when_its_span_is_and_then_the_highest_step_comes_alone(office: Office) -> None:
    office.new()
    office.asks("!snooze 3d waiting for the vendor", RITA)
    for day in (1, 2):
        assert office.at(day) == []
    assert office.at(3, 0.5) == ["quiet 2"]


def test_those_who_only_ask_silence_nobody(office: Office) -> None:
    """One county's word must not keep another's question from being told."""
    office.new()
    office.asks("!snooze 9d we can wait")
    office.asks("!ack")
    assert office.at(1, 1) == ["asked 2", "quiet 1"]
    assert [m for link in office.world.engine.store.links() for m in link.movements if m.kind == "word"] == []


def test_unsnooze_wakes_the_rules(office: Office) -> None:
    office.new()
    office.asks("!snooze 9d waiting for the vendor", RITA)
    assert office.at(1) == []
    office.asks("/unsnooze", RITA)
    assert office.at(1, 1) == ["quiet 1"]


def test_a_snooze_without_a_reason_is_answered_once_in_the_ticket_and_snoozes_nothing(office: Office) -> None:
    office.new()
    office.answers("!snooze 3d")
    office.at(0, 1)
    office.world.engine.store.touch_all(closed=True)
    assert office.at(1, 1) == ["quiet 1"]
    assert copies_of("Nothing was snoozed", office.world.words("servicenow", office.incident)) == 0
    assert copies_of("Nothing was snoozed", office.world.words("jira", office.defect)) == 1


def test_no_reason_and_no_word_of_a_comment_enters_the_state(office: Office) -> None:
    office.asks("!snooze 3d because of a secret vendor", RITA)
    office.at(0, 1)
    movements = [m for link in office.world.engine.store.links() for m in link.movements]
    assert [(m.word, m.item, bool(m.until)) for m in movements if m.kind == "word"] == [("snooze", office.number, True)]
    assert "vendor" not in repr(movements)


def test_a_rebuilt_state_tells_nothing_of_what_was_before(office: Office) -> None:
    office.asks("any news?\n")
    office.asks("!research")
    office.at(0, 1)
    office.world.restart(lose_state=True)
    assert office.at(0, 2) == []


def test_what_was_there_before_lockstep_tells_nothing(tmp_path: Path) -> None:
    from sandbox.estate import Estate

    estate = Estate(MORNING)
    old = {"short_description": "old", "assignment_group": "API Support", "category": "software"}
    estate.servicenow.move(estate.servicenow.create(old, by=SAM), "In Progress", by=RITA)
    world = World(tmp_path, ruled, estate)
    pass_until_over(world)
    assert world.estate.hook.cards == []
    world.close()


def test_a_rule_that_is_added_speaks_of_what_comes_not_of_what_was(office: Office) -> None:
    office.new()
    office.world.estate.servicenow.update(office.incident, {"impact": "1", "urgency": "1"}, by=RITA)
    office.answers("on it", BEN)
    assert office.at(0, 1) == ["priority 1"]
    office.world.edited(('enters = ["Fixing"]', 'enters = ["Fixing", "Validating"]'), ('"asked"', '"asks"'))
    assert office.at(0, 2) == []
    office.world.estate.servicenow.move(office.incident, "New", by=RITA)
    office.asks("what now?")
    assert office.at(0, 3) == ["asked 1", "taken"]


def test_why_tells_how_each_rule_stands(office: Office) -> None:
    office.asks("any news?")
    office.at(0, 1)
    office.answers("!ack")
    office.asks("!snooze 2d vendor", RITA)
    office.at(0, 2)
    (plan,) = dry_links(office.world.engine, office.world.engine.store.links())
    told = {reason.about: "" for reason in plan.reasons}
    for reason in plan.reasons:
        told[reason.about] += f"{reason.text}; "
    said = {about: re.sub(r"2026-11-\d\d \d\d:\d\d UTC", "THEN", text) for about, text in told.items()}
    asked = (
        f"set off since THEN, a comment by Sam Hill on {office.number}; acknowledged at THEN: the word ack by {ANA} on "
    )
    assert said["rule asked"].startswith(asked)
    assert f"snoozed until THEN by the word snooze by Rita Cole on {office.number}" in said["rule quiet"]
    quiet = f"its quiet clock runs since THEN, a comment by {ANA} on CSPM-1; step 1 comes at THEN"
    assert said["rule quiet"].startswith(quiet)
    assert said["rule research"].startswith("nothing set it off yet")


def test_a_process_that_dies_while_it_tells_tells_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    import sync.reconcile

    def dies(*given: object) -> None:
        raise Died

    office.new()
    office.asks("!research")
    office.world.estate.clock.advance(timedelta(minutes=5))
    with monkeypatch.context() as patched:
        patched.setattr(sync.reconcile, "flush", dies)
        with pytest.raises(Died):
            office.world.once()
    office.world.restart()
    assert office.at(0, 1) == ["research"]
    assert office.at(0, 2) == []
