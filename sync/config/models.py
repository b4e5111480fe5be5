"""The shape of the admin's file: which keys there are and what may stand in them. What belongs together is checked
elsewhere; here each key is looked at alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.installed import KINDS
from mappings.model import MARK_FIELDS
from sync.config.values import (
    Address,
    Alternatives,
    AnyNative,
    Business,
    Day,
    FrozenFor,
    OneNative,
    Over,
    Server,
    Share,
    Texts,
    Url,
    Value,
    Wait,
    Wrong,
)


def says(text: str, default: Any = ..., **more: Any) -> Any:
    """A key with its one line of why, which editors show."""
    return Field(default, description=text, **more)


class Table(BaseModel):
    """A table of the file: unknown keys are refused, values are taken as they are written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class SidesToo(Table):
    """A table whose other keys are the names of sides."""

    model_config = ConfigDict(extra="allow")


class SecretRef(Table):
    """Where a secret is: an environment variable or a file, never the secret itself."""

    env: str = says("The environment variable that holds it.", "")
    file: str = says("The file that holds it.", "")

    @model_validator(mode="before")
    @classmethod
    def once(cls, value: object) -> object:
        if isinstance(value, str):
            what = "a secret does not belong in this file"
            raise Wrong(what, 'put it into an environment variable and write { env = "NAME" }, or { file = "/path" }')
        if isinstance(value, dict) and not set(value) - {"env", "file"} and len(value) != 1:
            raise Wrong("must say where the secret is, once", 'write { env = "NAME" } or { file = "/path" }')
        return value


def one_or_many(value: object) -> object:
    return value if isinstance(value, list) else [value]


Secrets = Annotated[list[SecretRef], BeforeValidator(one_or_many), Field(min_length=1)]


class Source(SecretRef):
    """A text written out, or kept with the secrets where it holds a password."""

    plain: str = says("The text itself.", "")

    @model_validator(mode="before")
    @classmethod
    def once(cls, value: object) -> object:
        if isinstance(value, dict) and not set(value) - {"env", "file"} and len(value) != 1:
            raise Wrong("must be a text, or say where it is, once", 'write { env = "NAME" } or { file = "/path" }')
        return {"plain": value} if isinstance(value, str) else value


class Opening(Table):
    """When people are at work."""

    days: str = says("The days of the week.", "Mon-Fri")
    hours: str = says("The hours of a day.", "08:00-17:00")
    holidays: str = says("A country, or a country and a region, whose holidays are free.", "")


class Bot(Table):
    """Lockstep itself."""

    instance: str = says("Part of every mark: a cloned test tracker is never mistaken for this one.")
    secret: Secrets = says("Signs copied comments. A list allows rotation: the first signs.")
    state: Source = says("Where Lockstep remembers.", Source(plain="sqlite:///lockstep.db"))
    poll: Wait = says("How often each tracker is asked what changed.", "30s", validate_default=True)
    sweep: Wait = says("How often every open link is read again.", "1h", validate_default=True)
    reread: int = says("Discussions a sweep reads again where edited comments show nowhere; 0: none.", 200, ge=0)
    timezone: str = says("The zone of every time in this file.", "UTC")
    calendar: Opening | None = says("When people are at work; without it every hour counts.", None)
    workers: int = says("How many links are worked on at once.", 4, ge=1, le=64)


class Tell(Table):
    """Who hears of something that stopped."""

    email: list[str] = says("Addresses or parties.", [])
    teams: str = says("A name under [teams].", "")


class Guard(Table):
    """What stops a pass that would do too much."""

    writes: int = says("A pass that would write more often stops and asks; 0: no bound.", 1000, ge=0)
    share: Share = says("So does one that would change more of the open links.", "0%", validate_default=True)
    gone: Share = says("So does one that misses more of a tracker's linked items.", "20%", validate_default=True)
    tell: Tell = says("Who hears of it.", Tell())


class Freeze(Table):
    """When nothing is written; reading and alerting go on."""

    windows: list[FrozenFor] = says("From and to, in the zone of bot.timezone.", [])


class SignInKeys(Table):
    """How we sign in: user and password, user and token, a token, an API key, a PAT, an OAuth application, or an Entra
    application."""

    user: str = says("The account.", "")
    password: SecretRef | None = says("Its password.", None)
    token: SecretRef | None = says("An API token, or a bearer token where no user is named.", None)
    pat: SecretRef | None = says("A personal access token.", None)
    tenant: str = says("The Entra tenant.", "")
    client_id: str = says("The OAuth or Entra application.", "")
    client_secret: SecretRef | None = says("Its secret.", None)
    certificate: SecretRef | None = says("Its private key and certificate in PEM form, instead of a secret.", None)
    api_key: SecretRef | None = says("An API key.", None)
    authority: str = says("Where Entra tokens are asked for.", "")


class Tracker(Table):
    """A tracker to talk to."""

    kind: str = says("What it is.", json_schema_extra={"enum": list(KINDS)})
    url: Url = says("Its address.")
    auth: SignInKeys = says("How we sign in.")
    lag: Wait | None = says("How far its search may trail its writes.", None)
    page: int = says("Items a page; 0: the connector's own choice.", 0, ge=0, le=10_000)
    ca: str = says("A file of certificate authorities to trust.", "")
    proxy: Source | None = says("The proxy to go through.", None)
    timeout: Wait = says("How long one answer may take.", "60s", validate_default=True)
    mark_fields: list[str] = says(
        "The two fields that carry mark and keys.",
        list(MARK_FIELDS),
        min_length=2,
        max_length=2,
    )


class Side(Table):
    """A kind of item that links are made of."""

    tracker: str = says("The tracker it lives in.")
    table: str = says("The table.", "")
    project: str = says("The project.", "")
    type: Texts = says("The types of item; the first is the one created.", [])
    scope: dict[str, AnyNative] = says("Which items may open or join a link: field = value or [values].", {})
    query: str = says("A condition in the tracker's own query language that must hold as well.", "")
    create: dict[str, AnyNative] = says("Native fields of a new item.", {})
    mark_field: str = says("The field of labels that carries our mark.", "labels", min_length=1)
    keys_field: str = says("A text field for our keys; without it they stand in the description.", "")
    under: str = says("Its items are tasks below those of this side: shown with them, never counted nor written.", "")


class Recipients(Table):
    """Where a party is reached."""

    email: list[Address] = says("Addresses.", [])
    teams: str = says("A name under [teams].", "")


class PartyTable(Table):
    """People whose move it can be."""

    sides: list[str] = says("The sides they work on.", [])
    members: dict[str, Texts] = says("Their accounts by tracker; without them: everyone else on their sides.", {})
    calendar: Opening | None = says("When they are at work, if not when the rest is.", None)
    requester: bool = says("They asked for the work: asking for news is not movement.", False)
    recipients: Recipients = says("Where they are reached.", Recipients())


class StageTable(SidesToo):
    """Where the work stands. Every other key is a side and the states that count as this stage, the first written."""

    name: str = says("Its name.", min_length=1)
    id: str = says("Never changes, so that the name may; without it the name stands for it.", "")
    move: str = says("The party whose move it is.", "")
    decided_by: str = says("The side whose word moves the work on.", "")
    target: Business | None = says("How long it may take, in business time.", None)
    paused: bool = says("The clocks stand still.", False)
    terminal: bool = says("The work is done.", False)
    removed: bool = says("Taken out of the work, not done: of several items it counts only where all are.", False)
    needs: list[str] = says("Fields that must be filled in before the stage is entered.", [])
    set: dict[str, dict[str, OneNative]] = says("Native fields that go with entering it, by side.", {})
    __pydantic_extra__: dict[str, Texts]


class JoinTable(Table):
    """What joins the link of an item that it belongs to, instead of opening one of its own."""

    parent: bool = says("An item whose parent is in a link joins it.", True)
    problem: bool = says("An item whose problem is in a link joins it.", True)
    mention: Literal["propose", "join", "none"] = says("One that only mentions a linked item.", "propose")
    in_: list[str] = says("The fields in which a mention counts.", [], alias="in")


class RouteTable(Table):
    """Who opens what."""

    id: str = says("Never changes; names may.", min_length=1)
    from_: str = says("The side that opens.", alias="from")
    open: str = says("The side that is opened.")
    when: str | None = says("The condition; without one: always.", None)
    since: Day | None = says("Older items are left alone; without it: those from before the first start.", None)
    history: Literal["none", "all"] = says("Whether comments older than the link are carried.", "none")
    match: list[str] = says("Fields that find a counterpart made by hand, tried in order before one is opened.", [])
    join: JoinTable = says("What joins a link instead of opening one.", JoinTable.model_validate({}))
    reopen: bool = says("A follower that its people open again, or a new one that names closed work, opens it.", False)


class ValueRow(SidesToo):
    """One value: what it is, and how each side spells it."""

    is_: Value = says("The value in common words.", alias="is")
    __pydantic_extra__: dict[str, Alternatives]


class FieldTable(SidesToo):
    """A field. Every other key is a side and what the field is called there."""

    type: Literal["text", "integer", "number", "boolean", "list"] = says("What its values are.", "text")
    owner: str = says("The side whose word counts when several changed it.", "")
    exclusive: bool = says("Nobody but the owner may change it.", False)
    prefer: list[str] = says("The order of sides where there is no owner.", [])
    values: list[ValueRow] = says("How each side spells the values.", [])
    __pydantic_extra__: dict[str, Texts]


class Comments(Table):
    """A path for comments; what is not named does not cross."""

    from_: str = says("side.channel", alias="from")
    to: Texts = says("side.channel, each direct: copies never travel on.")


class Disclosure(Table):
    """What never crosses."""

    mask: list[str] = says("Names of known masks, or name: pattern.", [])
    siblings: bool = says("Whether comments for everyone reach the other items of the side that opened it.", False)
    deletions: bool = says("Whether the copies of a deleted comment are taken back too.", False)


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


class People(Table):
    """Who is who."""

    automation: list[str] = says("Accounts that are not people: their writes are not movement.", [])


class MailTable(Table):
    """How mail goes out."""

    server: Server = says("smtp://, smtps:// or smtp+starttls://, host and port.")
    sender: Address = says("The sender's address.")
    user: str = says("The account, where the server wants one.", "")
    password: SecretRef | None = says("Its password.", None)


class Teams(Table):
    """A channel of Microsoft Teams."""

    webhook: SecretRef = says("Its webhook's address, which is a secret.")
    ca: str = says("A file of certificate authorities to trust.", "")
    proxy: Source | None = says("The proxy to go through.", None)


class File(Table):
    """The whole file."""

    bot: Bot = says("Lockstep itself.")
    guard: Guard = says("What stops a pass that would do too much.", Guard())
    freeze: Freeze = says("When nothing is written.", Freeze())
    trackers: dict[str, Tracker] = says("Who we talk to.", {})
    sides: dict[str, Side] = says("The kinds of item links are made of.", {})
    parties: dict[str, PartyTable] = says("Whose move it can be.", {})
    stages: list[StageTable] = says("Where the work stands, in order.", [])
    routes: list[RouteTable] = says("Who opens what; the first that matches wins.", [])
    fields: dict[str, FieldTable] = says("Every name used in a condition or a text.", {})
    comments: list[Comments] = says("Which comments cross.", [])
    disclosure: Disclosure = says("What never crosses.", Disclosure())
    rules: list[RuleTable] = says("What happens when work stalls.", [])
    people: People = says("Who is who.", People())
    mail: MailTable | None = says("How mail goes out.", None)
    teams: dict[str, Teams] = says("Channels of Microsoft Teams.", {})
