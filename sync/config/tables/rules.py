"""Rules: what happens when work stalls."""

from __future__ import annotations

from sync.config.tables.base import Opening, Table, says
from sync.config.values import Business, Over, Texts, Value


class Say(Table):
    """A remark on an item."""

    on: str = says("side.channel")
    text: str = says("What to say.", min_length=1)


class Email(Table):
    """An e-mail."""

    to: Texts = says("Addresses or parties.")
    cc: Texts = says("Addresses or parties.", [])
    subject: str = says("The subject.", min_length=1)
    text: str = says("The text; without it the subject stands alone.", "")


class StepTable(Table):
    """One step of a rule."""

    after: Business | None = says("How long after the step before, in business time.", None)
    say: Say | None = says("A remark.", None)
    set: dict[str, Value] = says("Fields to set.", {})
    email: Email | None = says("An e-mail.", None)
    teams: str = says("A name under [teams].", "")
    text: str = says("What to write there; without it the items are named.", "")


class RuleTable(Table):
    """What happens when work stalls."""

    id: str = says("Never changes.", min_length=1)
    when: str | None = says("The condition; without one: always.", None)
    quiet: Business | None = says("How long nothing moved.", None)
    over: Over | None = says("true: the stage's target is over; or a span of its own.", None)
    calendar: Opening | None = says("Whose hours count, if not those of the party whose move it is.", None)
    steps: list[StepTable] = says("What is done, in order.", min_length=1)
