"""What the admin's file may say of rules: what sets them off, words, whose doing counts, and the rules' own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.config import explain
from tests.config_files import WHOLE, problems_of, read

HEAD = '[[rules]]\nid = "one"\n'
STEP = '  [[rules.steps]]\n  teams = "triage"\n'
REQUESTER = "[parties.county]\nrequester = true\n"


def file_with(keys: str, more: str = "") -> str:
    """The whole file with one more rule, at its end."""
    return f"{WHOLE}{REQUESTER}{HEAD}{keys}\n{STEP}{more}"


def test_each_trigger_is_read_with_what_goes_beside_it(tmp_path: Path) -> None:
    def rule(keys: str):  # type: ignore[no-untyped-def]
        return read(tmp_path, file_with(keys))[0].rules[-1]

    assert rule('concern = true\nby = "county"\nresolved = true').by == ("county",)
    assert rule('said = ["Research", "!delegate"]').said == ("research", "delegate")
    assert rule('enters = "Done"\nby = ["desk", "county"]').enters == ("Done",)
    assert rule('changes = ["priority"]\nuntil = "answered"').until == ("answered",)
    assert rule('opens = ["defect", "pbi"]').opens == ("defect", "pbi")
    assert rule('quiet = "2d"\nresolved = true').resolved


@pytest.mark.parametrize(
    "keys, key, what, instead",
    [
        ("", "rules.one", "needs something that sets it off", "concern = true"),
        ('quiet = "1d"\nsaid = "research"', "rules.one", "not by quiet and said", "write one of"),
        ("concern = false\nover = true", "rules.one.concern", "false says nothing", "leave the key out"),
        ('said = "two words"', "rules.one.said", '"two words" is no command word', '"research"'),
        ('said = "snooze"', "rules.one.said[1]", "a word of Lockstep's own", "another word"),
        ('quiet = "1d"\nuntil = ["ack"]', "rules.one.until[1]", "a word of Lockstep's own", "leave it out"),
        ('enters = "Doen"', "rules.one.enters[1]", 'there is no stage "Doen"', '"Done"'),
        ('changes = "prio"', "rules.one.changes[1]", 'there is no field "prio"', "priority"),
        ('changes = "stage"', "rules.one.changes[1]", "the stage is no field", "enters"),
        ('opens = "defct"', "rules.one.opens[1]", 'there is no side "defct"', '"defect"'),
        ('said = "x"\nby = "nobody"', "rules.one.by[1]", 'there is no party "nobody"', "parties"),
        ('quiet = "1d"\nby = "desk"', "rules.one.by", "quiet is nobody's doing", "leave it out"),
        ('concern = true\nby = "desk"', "rules.one.by[1]", "desk is no requester", "requester = true"),
        ('enters = "Done"\nresolved = true', "rules.one.resolved", "never stops a rule with enters", "leave it out"),
        ("said = []", "rules.one.said", "is an empty list", "at least one"),
        ('quiet = "0d"', "rules.one.quiet", "every movement would be told at once", 'quiet = "2d"'),
        ('over = "0h"', "rules.one.over", "every movement would be told at once", 'over = "2d"'),
    ],
)
def test_each_mistake_in_a_trigger_is_told_with_its_line_and_advice(
    tmp_path: Path, keys: str, key: str, what: str, instead: str
) -> None:
    text = file_with(keys)
    problems = problems_of(tmp_path, text)
    assert [problem.key for problem in problems] == [key], explain(problems)
    (problem,) = problems
    assert what in problem.what and instead in problem.instead
    assert problem.line > len(WHOLE.split("\n"))
    word = key.partition(".one.")[2].partition("[")[0]
    assert not word or text.split("\n")[problem.line - 1].strip().startswith(word)


def test_a_concern_needs_somebody_who_asks(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, f"{WHOLE}{HEAD}concern = true\n{STEP}")
    assert "nobody has a concern" in problem.what and "requester = true" in problem.instead


def test_a_side_that_no_route_opens_is_warned_of(tmp_path: Path) -> None:
    _, warnings = read(tmp_path, file_with('opens = "incident"'))
    assert any("this never happens" in warning.what for warning in warnings)


def test_a_span_that_a_rule_does_not_have_is_not_written(tmp_path: Path) -> None:
    text = '  text = "no movement for {quiet}"\n'
    (problem,) = problems_of(tmp_path, file_with("concern = true", text))
    assert problem.key == "rules.one.steps[1].text" and "this one waits for no span" in problem.what
    for waiting in ('quiet = "1d"', 'over = "1d"'):
        assert read(tmp_path, file_with(waiting, text))[0].rules[-1].id == "one"


def test_a_word_that_ends_an_episode_and_is_nearly_another_rule_s_is_warned_of(tmp_path: Path) -> None:
    other = f'{HEAD.replace("one", "two")}said = "research"\n{STEP}'
    _, warnings = read(tmp_path, file_with('quiet = "1d"\nuntil = ["reserch", "parked", "research"]', other))
    (warning,) = [one for one in warnings if "until" in one.key]
    assert warning.key == "rules.one.until[1]" and warning.instead == 'write "research" if that is meant'


# ── the rules' own tests ─────────────────────────────────────────────────────────────────────────────────────────────

GIVEN = 'stage = "New", priority = 1, last_movement = "2026-11-16 10:00"'
LADDER = 'when = "priority <= 2"\nquiet = "2d"'
SECOND = '  [[rules.steps]]\n  after = "1d"\n  teams = "triage"\n'


def example(now: str, step: int, given: str = GIVEN) -> str:
    return f'  [[rules.tests]]\n  given = {{ {given}, now = "{now}" }}\n  expect = {{ step = {step} }}\n'


def test_examples_that_come_out_are_silent(tmp_path: Path) -> None:
    more = SECOND + example("2026-11-18 10:00", 1) + example("2026-11-18 09:59", 0) + example("2026-11-19 10:00", 2)
    assert read(tmp_path, file_with(LADDER, more))[0].rules[-1].id == "one"


def test_an_example_that_does_not_come_out_is_told_with_its_line_and_what_is(tmp_path: Path) -> None:
    text = file_with(LADDER, SECOND + example("2026-11-18 09:59", 1))
    (problem,) = problems_of(tmp_path, text)
    assert problem.key == "rules.one.tests[1].expect"
    assert problem.what == "this test expects step 1, and no step fires; step 1 is due at 2026-11-18 10:00"
    assert problem.instead == "write expect = { step = 0 }, or change the rule"
    assert text.split("\n")[problem.line - 1].strip() == "expect = { step = 1 }"


def test_a_condition_that_bars_the_rule_is_named(tmp_path: Path) -> None:
    low = 'stage = "New", priority = 3, last_movement = "2026-11-16 10:00"'
    (problem,) = problems_of(tmp_path, file_with(LADDER, example("2026-11-19 10:00", 1, low)))
    assert "no step fires: priority <= 2 does not hold: priority is 3" in problem.what


@pytest.mark.parametrize(
    "keys",
    ['said = "research"', 'changes = "priority"', 'opens = "defect"', "concern = true", 'enters = "New"\nby = "desk"'],
)
def test_examples_of_what_happens_say_when_it_happened(tmp_path: Path, keys: str) -> None:
    more = SECOND + example("2026-11-16 10:00", 1) + example("2026-11-17 10:00", 2)
    assert read(tmp_path, file_with(keys, more))[0].rules[-1].id == "one"


@pytest.mark.parametrize(
    "given, what",
    [
        ('stage = "Nwe", last_movement = "2026-11-16 10:00"', 'no stage "Nwe"'),
        ('stage = "New", prio = 1, last_movement = "2026-11-16 10:00"', 'no field "prio"'),
        ('stage = "New", priority = "1", last_movement = "2026-11-16 10:00"', "of type integer"),
        ('stage = "New", last_movement = "yesterday"', "is not a time"),
        ('stage = "New", last_movement = "2026-11-26 10:00"', "now is before last_movement"),
        ('last_movement = "2026-11-16 10:00"', "is missing"),
    ],
)
def test_what_an_example_gives_is_checked_like_the_rest(tmp_path: Path, given: str, what: str) -> None:
    (problem,) = problems_of(tmp_path, file_with(LADDER, example("2026-11-18 10:00", 0, given)))
    assert what in problem.what
