"""Rules: what happens when work stalls."""

from __future__ import annotations

from pydantic import ConfigDict

from sync.config.tables.base import Opening, Table, says
from sync.config.values import Business, CommandWords, Moment, Over, Texts, Value


class Say(Table):
    """A remark on an item."""

    on: str = says("side.channel")
    text: str = says("What to say.", min_length=1)
    mention: Texts = says("Recipients who are called by name first.", [])


class Email(Table):
    """An e-mail."""

    to: Texts = says("Addresses, parties, people, roles, {field} or ROLE of {field}.")
    cc: Texts = says("Who gets a copy; oversight stands here alone.", [])
    subject: str = says("The subject.", min_length=1)
    text: str = says("The text; without it the subject stands alone.", "")


class AssignTable(Table):
    """Who is to work on an item."""

    on: str = says("The side whose item it is.")
    to: str = says("Somebody with an account there: a person, an address, ROLE or ROLE of {field}.", min_length=1)


class StepTable(Table):
    """One step of a rule."""

    after: Business | None = says("How long after the step before, in business time.", None)
    say: Say | None = says("A remark.", None)
    set: dict[str, Value] = says("Fields to set; stage sets the stage.", {})
    assign: AssignTable | None = says("Who is to work on an item.", None)
    open: str = says("The route by which a counterpart is opened.", "")
    email: Email | None = says("An e-mail.", None)
    teams: str = says("A name under [teams].", "")
    webhook: str = says("A name under [webhooks].", "")
    text: str = says("What to write there, or to the webhook; without it the items are named.", "")


class Given(Table):
    """The work that a rule is tried on. Every other key is a declared field."""

    model_config = ConfigDict(extra="allow")

    stage: str = says("The stage it stands in.")
    last_movement: Moment = says("When what the rule waits for happened: the last movement, the entry, the word.")
    now: Moment = says("When the rule is looked at.")


class Expect(Table):
    """What a rule is to do then."""

    step: int = says("The step that fires; 0: none.", ge=0)


class RuleTest(Table):
    """An example of what the rule does, tried whenever the file is read."""

    given: Given = says("How the work stands.")
    expect: Expect = says("What the rule does.")


class RuleTable(Table):
    """What happens when work stalls, or when something happens to it."""

    id: str = says("Never changes.", min_length=1, max_length=80)
    when: str | None = says("The condition; without one: always.", None)
    quiet: Business | None = says("How long nothing moved.", None)
    over: Over | None = says("true: the stage's target is over; or a span of its own.", None)
    concern: bool = says("true: a requester says something while it is not its move.", False)
    said: CommandWords = says("Command words that somebody types in a comment.", [])
    enters: Texts = says("Stages that the work enters.", [])
    changes: Texts = says("Fields whose agreed value changes.", [])
    opens: Texts = says("Sides of which a counterpart is opened.", [])
    by: Texts = says("Parties whose word, change or move counts; without it: everybody's.", [])
    until: CommandWords = says("Command words that end it, beside an acknowledgement.", [])
    resolved: bool = says("true: work in a terminal stage counts too.", False)
    calendar: Opening | None = says("Whose hours count, if not those of the party whose move it is.", None)
    steps: list[StepTable] = says("What is done, in order.", min_length=1)
    tests: list[RuleTest] = says("Examples of what the rule does.", [])
