"""Rules: what sets them off, when they hold, and what their steps do, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.fields import Common
from mappings.model import BESIDE
from sync.config import acts
from sync.config.desk import RULE_WORDS, Desk
from sync.config.keys import once
from sync.config.problems import KeyPath, choice
from sync.config.recipients import recipients
from sync.config.tables.rules import Email, RuleTable, StepTable
from sync.config.triggers import check_trigger
from sync.setup import Mailing, Remark, Rule, Step


def rules(desk: Desk) -> tuple[Rule, ...]:
    """What happens when work stalls, or something happens to it."""
    once(desk, "rules", "id", [said.id for said in desk.file.rules])
    return tuple(rule(desk, ("rules", place), said) for place, said in enumerate(desk.file.rules))


def rule(desk: Desk, at: KeyPath, said: RuleTable) -> Rule:
    check_trigger(desk, at, said)
    steps = tuple(step(desk, (*at, "steps", place), one) for place, one in enumerate(said.steps))
    return Rule(
        said.id,
        desk.condition(said.when, (*at, "when")),
        said.quiet,
        said.over is not None,
        said.over if not isinstance(said.over, bool) else None,
        steps,
        desk.calendar(said.calendar, (*at, "calendar")),
        concern=said.concern,
        said=tuple(said.said),
        enters=tuple(said.enters),
        changes=tuple(said.changes),
        opens=tuple(said.opens),
        by=tuple(said.by),
        until=tuple(said.until),
        resolved=said.resolved,
    )


def step(desk: Desk, at: KeyPath, said: StepTable) -> Step:
    does = said.say, said.set, said.assign, said.open, said.email, said.teams, said.webhook
    if not any(does):
        desk.report.wrong(at, "this step does nothing", "write say, set, assign, open, email, teams or webhook")
    if said.text and not (said.teams or said.webhook):
        desk.report.wrong((*at, "text"), "this text goes nowhere", 'write teams = "...", or put it under say or email')
    elif said.text:
        text_of(desk, (*at, "text"), said.text)
    for table, key, name in (("teams", "teams", said.teams), ("webhooks", "webhook", said.webhook)):
        if name:
            desk.known(table, name, (*at, key))
    say = remark(desk, at, said)
    return Step(
        said.after,
        say,
        settings(desk, at, said.set),
        mailing(desk, at, said.email),
        said.teams,
        said.text,
        acts.assignment(desk, (*at, "assign"), said.assign),
        acts.opening(desk, (*at, "open"), said.open),
        said.webhook,
    )


def text_of(desk: Desk, at: KeyPath, text: str) -> None:
    desk.template(text, at, (*RULE_WORDS, *desk.names["sides"]))


def remark(desk: Desk, at: KeyPath, said: StepTable) -> Remark | None:
    if said.say is None:
        return None
    text_of(desk, (*at, "say", "text"), said.say.text)
    channel = desk.channel(said.say.on, (*at, "say", "on"))
    called = recipients(desk, (*at, "say", "mention"), said.say.mention, mailed=False)
    return Remark(channel, said.say.text, called) if channel else None


def settings(desk: Desk, at: KeyPath, said: Mapping[str, Common]) -> dict[str, Common]:
    """The common values a step writes."""
    return {name: setting(desk, (*at, "set", name), name, value) for name, value in said.items()}


def setting(desk: Desk, at: KeyPath, name: str, value: Common) -> Common:
    if name == "stage":
        return acts.stage(desk, at, value)
    if not desk.known("fields", name, at) or name not in desk.file.fields:
        return None
    field = desk.file.fields[name]
    if field.from_:
        desk.report.wrong(at, f"{name} is counted by Lockstep, so that no rule sets it", "remove it")
    if any(word.startswith(BESIDE) for words in (field.__pydantic_extra__ or {}).values() for word in words):
        desk.report.wrong(at, f"{name} can only be read", "name another field")
    common = desk.value(name, field, value, at)
    means = [row.is_ for row in field.values]
    if means and common is not None and common not in means:
        instead = choice(str(common), map(str, means), "values")
        desk.report.wrong(at, f"{name} has no value {common}", instead if field.type == "text" else "name another")
    return common


def mailing(desk: Desk, at: KeyPath, said: Email | None) -> Mailing | None:
    if said is None:
        return None
    at = (*at, "email")
    if "mail" not in desk.report.raw:
        desk.report.wrong(at, "there is no mail server", "write [mail] with server and sender")
    for key, text in (("subject", said.subject), ("text", said.text)):
        text_of(desk, (*at, key), text)
    to, cc = (recipients(desk, (*at, key), names) for key, names in (("to", said.to), ("cc", said.cc)))
    return Mailing(to, cc, said.subject, said.text)
