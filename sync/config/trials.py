"""The rules' own tests: each example is put to the rule whenever the file is read. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mappings.fields import Common
from sync.config.desk import Desk
from sync.config.problems import KeyPath
from sync.config.tables.rules import Given, RuleTest
from sync.escalation.escalate import Outlook, escalate
from sync.merging.status import STAGE
from sync.setup import Rule, Setup
from sync.state import Movement


def try_rules(desk: Desk, setup: Setup) -> None:
    """Tells which of the file's examples do not come out. A file with other problems is not tried."""
    if desk.report.problems:
        return
    for place, (said, rule) in enumerate(zip(desk.file.rules, setup.rules, strict=True)):
        for number, one in enumerate(said.tests):
            try_rule(desk, setup, rule, one, ("rules", place, "tests", number))


def try_rule(desk: Desk, setup: Setup, rule: Rule, test: RuleTest, at: KeyPath) -> None:
    """One example: what is given in the file's own words, and the step that fires."""
    known = len(desk.report.problems)
    values = values_of(desk, test.given, (*at, "given"))
    began, now = (instant(desk, moment) for moment in (test.given.last_movement, test.given.now))
    if now < began:
        desk.report.wrong((*at, "given", "now"), "now is before last_movement", "write a later time")
    if len(desk.report.problems) > known:
        return
    history = happened(setup, rule, test.given.stage, began)
    outlook = escalate(replace(setup, rules=(rule,)), values, history, (), {rule.id: began}, now)
    step = next((due.step for due in outlook.fired), 0)
    if step != test.expect.step:
        what = f"this test expects {told(test.expect.step)}, and {told(step)} fires{why(desk, rule, values, outlook)}"
        desk.report.wrong((*at, "expect"), what, f"write expect = {{ step = {step} }}, or change the rule")


def values_of(desk: Desk, given: Given, at: KeyPath) -> dict[str, Common]:
    """The stage and the fields that the example names, as conditions see them."""
    desk.known("stages", given.stage, (*at, "stage"))
    values: dict[str, Common] = {STAGE: given.stage}
    for name, value in (given.model_extra or {}).items():
        if desk.known("fields", name, (*at, name)) and name in desk.file.fields:
            values[name] = desk.value(name, desk.file.fields[name], value, (*at, name))
    return values


def instant(desk: Desk, moment: datetime) -> datetime:
    return moment.replace(tzinfo=ZoneInfo(desk.zone)).astimezone(UTC)


def happened(setup: Setup, rule: Rule, stage: str, at: datetime) -> tuple[Movement, ...]:
    """The history that the example means: the stage was entered, or what the rule waits for happened in it."""
    move = setup.stages.get(stage).move
    requesters = [party.name for party in setup.parties if party.requester]
    party = next(iter(rule.by or (requesters if rule.concern else ())), "")
    if rule.enters or rule.quiet is not None or rule.over:
        return (Movement(f"stage:1:{stage}", "stage", at, stage, move, party),)
    kind, words = next(
        (kind, words)
        for kind, words in (
            ("word", rule.said),
            ("field", rule.changes),
            ("opened", rule.opens),
            ("comment", ("",)),
        )
        if words
    )
    entered = Movement(f"found:1:{stage}", "stage", at - timedelta(minutes=1), stage, move)
    return entered, Movement(f"{kind}:example", kind, at, stage, move, party, words[0])


def told(step: int) -> str:
    return f"step {step}" if step else "no step"


def why(desk: Desk, rule: Rule, values: dict[str, Common], outlook: Outlook) -> str:
    """What keeps the rule silent, or until when."""
    (look,) = outlook.looks
    if not look.holds and rule.when is not None:
        return f": {rule.when.reason(values)}"
    if look.coming is not None:
        due = look.coming.at.astimezone(ZoneInfo(desk.zone))
        return f"; step {look.coming.step} is due at {due:%Y-%m-%d %H:%M}"
    return ""
