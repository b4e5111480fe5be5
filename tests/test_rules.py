"""Rules of the design that no other test file holds by themselves (docs/rules.md leads here)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mappings.banner import creation_key, link_key
from mappings.calendar import Span
from mappings.model import Mark, Ref
from sandbox.estate import Estate
from sandbox.story import MORNING
from sync.config import ConfigProblems, load
from sync.decide import decide
from sync.escalation.escalate import escalate
from sync.merging.merge import Agreed, Choice, Choose, Claim, Echo
from sync.state import Movement, Origin
from tests.builders import (
    DEFECT,
    HOUR,
    INCIDENT,
    MINUTE,
    NOW,
    PBI,
    comment,
    condition,
    item,
    link,
    one,
    record,
    rule,
    says,
    seen,
    setup,
    two,
    writes,
)
from tests.test_decide import CHASED, STALLED
from tests.test_merge import LOSSY, OPEN, WORDS, House, Place
from tests.world import ANA, RITA, World

# ── Scope and marker, creation ───────────────────────────────────────────────────────────────────────────────────────


def test_marks_and_keys_stand_where_they_are_promised(world: World) -> None:
    incident, defect, pbi = world.linked()
    link_is = link_key("demo", Ref("servicenow", incident))
    made = creation_key("demo", "production-defect", Ref("servicenow", incident))
    snow, jira = world.estate.servicenow.item(incident), world.estate.jira.item(defect)
    assert (snow["correlation_display"], snow["correlation_id"]) == ("lockstep-demo", f"link:{link_is}")
    assert "lockstep-demo" in jira["labels"]
    assert f"link:{link_is} made:{made} " in jira["description"].splitlines()[-1]
    azure = world.estate.azure
    assert azure.item(pbi)["System.Tags"] == "lockstep-demo"
    (relation,) = azure.relations(pbi)
    assert (relation["rel"], relation["url"].endswith(f"/browse/{jira['key']}")) == ("Hyperlink", True)
    assert f"link:{link_is} made:" in str(relation)


def test_the_format_of_marks_and_keys_is_final() -> None:
    mark = Mark("lockstep-acme", "L" * 20, "M" * 20, "20261116160000")
    assert mark.keys() == f"link:{'L' * 20} made:{'M' * 20} at:20261116160000"
    assert Mark.parse("lockstep-acme", mark.keys()) == mark
    assert link_key("acme", Ref("snow", "i1")) == "UCAUE2R2F7PEE3EUAZTE"
    assert creation_key("acme", "route", Ref("snow", "i1")) == "CNC7QYZDARMVMPKROS7N"


# ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_that_is_not_declared_is_an_error_with_its_line(tmp_path: Path) -> None:
    estate = Estate(MORNING)
    estate.stop()
    text = estate.file("sqlite:///lockstep.db").replace(
        'category == "software"', 'colour == "software" && priority == "high"'
    )
    file = tmp_path / "lockstep.toml"
    file.write_text(text)
    with pytest.raises(ConfigProblems) as told:
        load(file, {**estate.environment(), "LOCKSTEP_SECRET": "s" * 40})
    line = next(n for n, words in enumerate(text.splitlines(), 1) if "colour" in words)
    assert [problem.line for problem in told.value.problems] == [line]
    assert "colour" in str(told.value)


def test_a_condition_sees_the_common_value_and_never_a_side_s_spelling() -> None:
    """Two sides spell priority 2 in two ways, and another says 3 of its own: the condition sees what is agreed."""
    urgent = rule(quiet=Span(seconds=60), when=condition("priority <= 2"))
    house = setup(rules=(urgent,))
    agreed = {**link().agreed, "priority": Agreed(2, 2, "incident")}
    for spelled in (two("1", "2"), two("2", "1")):
        incident = record(INCIDENT, fields=dict(spelled))
        lagging = record(DEFECT, fields={"priority": "Medium"})
        stood = link(item(incident), item(lagging), item(record(PBI)), agreed=agreed, movements=STALLED)
        assert decide(stood, seen(incident, lagging), house, NOW).values["priority"] == 2
        assert decide(stood, seen(incident, lagging), house, NOW).settlement.firings
    with pytest.raises(ValueError, match="cannot join a whole number and text"):
        condition('priority == "High"')


def test_of_several_alternatives_the_first_is_written() -> None:
    changed = record(DEFECT, version=2, fields={"priority": "High"})
    plan = decide(link(), seen(changed), setup(), NOW)
    assert writes(plan.actions)[INCIDENT].change.fields == dict(two("1", "2"))
    other = record(INCIDENT, version=2, fields=dict(two("2", "1")))
    assert set(writes(decide(link(), seen(other), setup(), NOW).actions)) == {DEFECT, PBI}


# ── Merge ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_people_who_change_two_fields_on_two_sides_are_both_heard(world: World) -> None:
    incident, defect, pbi = world.linked()
    world.estate.servicenow.update(incident, {"short_description": "retitled by the desk"}, by=RITA)
    world.estate.jira.update(defect, {"priority": "Highest"}, by=ANA)
    world.settle()
    snow, jira, azure = world.estate.servicenow, world.estate.jira, world.estate.azure
    assert jira.item(defect)["summary"] == azure.item(pbi)["System.Title"] == "retitled by the desk"
    assert (snow.item(incident)["impact"], snow.item(incident)["urgency"]) == ("1", "1")
    assert azure.item(pbi)["Microsoft.VSTS.Common.Priority"] == 1


@pytest.mark.parametrize("later", [INCIDENT, DEFECT])
def test_who_wrote_last_makes_no_difference(later: Ref) -> None:
    at = {INCIDENT: NOW - HOUR, DEFECT: NOW - HOUR, later: NOW - MINUTE}
    ours = record(INCIDENT, version=2, fields={"short_description": "the owner's"}, updated=at[INCIDENT])
    theirs = record(DEFECT, version=2, fields={"summary": "another's"}, updated=at[DEFECT])
    plan = decide(link(), seen(ours, theirs), setup(), NOW)
    assert plan.settlement.agreed["summary"] == Agreed("the owner's", 2, "incident")


def test_the_echo_stored_is_what_the_tracker_answered(world: World) -> None:
    """Azure DevOps keeps a description as HTML, Jira as wiki markup with our line under it, ServiceNow cuts a title."""
    incident, defect, _ = world.linked()
    title = "a title longer than ServiceNow takes " * 6
    world.estate.jira.update(defect, {"summary": title.strip(), "description": "*bold* <b>and</b> more  "}, by=ANA)
    world.settle()
    world.restart()
    engine = world.engine
    (stood,) = engine.store.links()
    for member in stood.items:
        now = engine.connector(member.side).read(engine.scope(member.side), [member.ref.id])[member.ref.id]
        assert now is not None
        for name in ("summary", "description", "priority"):
            assert member.echoes[name].spelling == engine.setup.fields[name].spelled(member.side, now.fields)
    cut = world.estate.servicenow.item(incident)["short_description"]
    assert len(cut) < len(title.strip())
    with world.counting() as asked:
        assert world.once().writes == 0
    assert asked


class SharedBase(House):
    """One base for all sides: what an agreement would look like on each, not what each showed."""

    def once(self, fates: dict[str, str], absent: frozenset[str] = frozenset()):  # type: ignore[no-untyped-def]
        for place in self.places:
            base = LOSSY.spelling(place.side, self.agreed.value) or one("f", WORDS[place.side][0])
            place.echo = Echo(base, self.agreed.serial)
        return super().once(fates, absent)


class Forgetful(House):
    """Writes whose answer was lost are forgotten: what shows of them later looks like people's."""

    def once(self, fates: dict[str, str], absent: frozenset[str] = frozenset()):  # type: ignore[no-untyped-def]
        for place in self.places:
            place.echo = replace(place.echo, sent=None)
        return super().once(fates, absent)


class Lenient(House):
    """Who was overridden is left with what was said there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.choose = forgiving(self.choose)


def forgiving(choose: Choose) -> Choose:
    def chosen(agreed: Agreed, claims: Sequence[Claim]) -> Choice:
        return replace(choose(agreed, claims), overridden=(), restored=())

    return chosen


def goes_wrong(build: Callable[[Choose], House], luck: random.Random) -> bool:
    """A story of edits and lossy passes, then a quiet pass, one person's word, and quiet passes: whether the sides are
    apart, the last still writes, or the person's word is gone."""
    house = build(luck.choice(OPEN))
    for _ in range(luck.randrange(10)):
        if luck.random() < 0.5:
            house.person(luck.choice("abc"), luck.randint(1, 4))
        else:
            fates = {side: luck.choice(["lost", "late", "crash", "done"]) for side in "abc"}
            house.once(fates, frozenset(side for side in "abc" if luck.random() < 0.2))
    house.once({})
    apart = not house.settled()
    restless = bool(house.once({}).writes)
    side, former = luck.choice("abc"), house.agreed.value
    house.person(side, luck.randint(1, 4))
    word = shown(house, side).shows
    meant = LOSSY.meanings(side, one("f", word))
    house.once({})
    lost = shown(house, side).shows != word or house.agreed.value not in (*meant, former)
    return apart or restless or lost or contradicted(build, luck)


def contradicted(build: Callable[[Choose], House], luck: random.Random) -> bool:
    """One person alone speaks, on one side, while our writes get lost or are acknowledged late: whether the person is
    ever contradicted."""
    house = build(luck.choice(OPEN))
    for _ in range(4):
        house.person("a", luck.randint(1, 4))
        said = shown(house, "a").shows
        absent = frozenset(side for side in "bc" if luck.random() < 0.3)
        house.once({side: luck.choice(["lost", "late", "done"]) for side in "bc"}, absent)
        if shown(house, "a").shows != said:
            return True
    return False


def shown(house: House, side: str) -> Place:
    return next(place for place in house.places if place.side == side)


@pytest.mark.parametrize("mistaken", [SharedBase, Forgetful, Lenient])
def test_each_of_three_mistakes_in_the_merge_is_found_by_its_model(mistaken: type[House]) -> None:
    luck = random.Random(1)
    assert not any(goes_wrong(House, luck) for _ in range(1500))
    luck = random.Random(1)
    assert any(goes_wrong(mistaken, luck) for _ in range(1500))


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_escalation_s_remark_has_its_firing_for_an_origin() -> None:
    first = decide(link(movements=STALLED), seen(), CHASED, NOW)
    (remark,) = first.settlement.remarks
    assert (remark.id, remark.ref) == (f"fire:{link().key}:quiet:stage:1:Fixing:1", DEFECT)
    (said,) = [say for say in says(first.actions) if "No movement" in say.text]
    assert (said.copy.origin, said.copy.target) == (Origin("", remark.id), DEFECT)


# ── Quiet and over ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_tags_never_restart_quiet() -> None:
    tagged = record(DEFECT, version=2, fields={"labels": ("urgent",)}, updated_by="ann")
    plan = decide(link(movements=STALLED), seen(tagged), setup(), NOW)
    assert plan.settlement.movements == ()
    assert writes(plan.actions)[PBI].change.fields == {"Tags": ("urgent",)}


def test_what_automation_writes_still_syncs() -> None:
    theirs = record(DEFECT, version=2, fields={"summary": "told by a robot"}, updated_by="robot")
    said = comment(DEFECT, "c1", "and said so", account="robot")
    plan = decide(link(), seen(theirs, comments=[said]), setup(), NOW)
    assert set(writes(plan.actions)) == {INCIDENT, PBI}
    assert {say.ref for say in says(plan.actions)} == {INCIDENT, PBI}
    assert plan.settlement.movements == ()


def episode(house_rule: object, *movements: Movement) -> str:
    house = setup(rules=(house_rule,))
    armed = {"quiet": NOW - timedelta(days=99)}
    outlook = escalate(house, {"stage": movements[-1].stage}, movements, (), armed, NOW)
    (firing,) = outlook.firings
    return firing.episode


def stage(name: str, at: timedelta, serial: int, move: str, *, again: bool = False) -> Movement:
    event = f"{'reopened' if again else 'stage'}:{serial}:{name}"
    return Movement(event, "stage", NOW - at, name, move)


def test_a_quiet_episode_is_named_by_the_event_that_started_its_clock() -> None:
    quiet = rule(quiet=Span(seconds=60))
    entered = stage("Fixing", 9 * HOUR, 1, "developers")
    said = Movement("comment:jira:7", "comment", NOW - 5 * HOUR, "Fixing", "developers", "developers")
    asked = Movement("comment:snow:8", "comment", NOW - 4 * HOUR, "Fixing", "developers", "county")
    assert episode(quiet, entered) == "stage:1:Fixing"
    assert episode(quiet, entered, said) == "comment:jira:7"
    assert episode(quiet, entered, said, asked) == "comment:jira:7"


def test_an_episode_of_over_is_the_stage_and_the_reopening() -> None:
    over = rule(over=True, over_span=Span(seconds=60))
    entered = stage("Fixing", 9 * HOUR, 1, "developers")
    closed, reopened = stage("Closed", 8 * HOUR, 2, ""), stage("Fixing", 7 * HOUR, 3, "developers", again=True)
    assert episode(over, entered) == "over:Fixing:0"
    assert episode(over, entered, closed, reopened) == "over:Fixing:1"
