"""What is said and to whom: paths for comments, masks, rules, mail and Teams, checked and resolved."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from mappings.disclosure import KNOWN_MASKS, Channel, Mask, Path
from mappings.fields import Common
from sync.config.desk import RULE_WORDS, Desk
from sync.config.places import certificates, proxy
from sync.config.problems import KeyPath, choice
from sync.config.process import once
from sync.config.tables.people import Teams
from sync.config.tables.rules import Email, RuleTable, StepTable
from sync.config.tables.talk import Comments
from sync.config.values import Wrong, address
from sync.setup import Mail, Mailing, Remark, Rule, Step, Webhook


def paths(desk: Desk) -> tuple[Path, ...]:
    """Which comments cross."""
    made = [path(desk, ("comments", place), said) for place, said in enumerate(desk.file.comments)]
    return (*(one for one in made if one), *(among_siblings(desk) if desk.file.disclosure.siblings else ()))


def among_siblings(desk: Desk) -> list[Path]:
    """Where siblings may hear each other: the one channel of a side that everyone on the item reads, never another."""
    kinds = ((side, desk.kind_of(side)) for side in desk.names["sides"])
    heard = [Channel(side, kind.everyone) for side, kind in kinds if kind and kind.everyone]
    return [Path(channel, (channel,)) for channel in heard]


def path(desk: Desk, at: KeyPath, said: Comments) -> Path | None:
    source = desk.channel(said.from_, (*at, "from"))
    targets = []
    for place, text in enumerate(said.to):
        to: KeyPath = (*at, "to", place)
        target = desk.channel(text, to)
        if target and source and target.side == source.side:
            desk.report.wrong(to, "a path leads to another side, never back to its own", "remove it")
        elif target in targets:
            desk.report.wrong(to, f"{target} is named twice", "name it once")
        targets += [target] if target else []
    return Path(source, tuple(targets)) if source else None


def masks(desk: Desk) -> tuple[Mask, ...]:
    """What never crosses, whatever the path."""
    made = (mask(desk, ("disclosure", "mask", i), text) for i, text in enumerate(desk.file.disclosure.mask))
    return tuple(one for one in made if one)


def mask(desk: Desk, at: KeyPath, text: str) -> Mask | None:
    name, colon, pattern = (part.strip() for part in text.partition(":"))
    if not colon:
        if name in KNOWN_MASKS:
            return Mask(name, KNOWN_MASKS[name])
        instead = f"{choice(name, KNOWN_MASKS, 'masks')}, or a pattern of your own: 'name: pattern'"
        desk.report.wrong(at, f'there is no mask "{name}"', instead)
        return None
    try:
        compiled = _compiled(pattern)
    except (re.error, OverflowError, RecursionError) as failure:
        desk.report.wrong(at, f"this is no pattern: {failure}", r"write 'name: \b1B\w{5}\b', a regular expression")
        return None
    if not name or compiled.match(""):
        what = "a mask needs a name" if not name else "this pattern matches everything"
        desk.report.wrong(at, what, r"write 'name: \b1B\w{5}\b'")
    return Mask(name, compiled)


def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # such patterns work as they did
        return re.compile(pattern)


def rules(desk: Desk) -> tuple[Rule, ...]:
    """What happens when work stalls."""
    once(desk, "rules", "id", [said.id for said in desk.file.rules])
    return tuple(rule(desk, ("rules", place), said) for place, said in enumerate(desk.file.rules))


def rule(desk: Desk, at: KeyPath, said: RuleTable) -> Rule:
    if (said.quiet is None) == (said.over is None):
        what = "needs quiet or over" if said.quiet is None else "is either quiet or over, not both"
        desk.report.wrong(at, f"a rule {what}", 'write quiet = "2d", or over = true')
    targets = any(stage.target for stage in desk.file.stages) or desk.report.doubts(("stages",))
    if said.over is True and not targets:
        desk.report.wrong((*at, "over"), "no stage has a target", 'write target = "1d" in a stage, or over = "2d"')
    steps = tuple(step(desk, (*at, "steps", place), one) for place, one in enumerate(said.steps))
    return Rule(
        said.id,
        desk.condition(said.when, (*at, "when")),
        said.quiet,
        said.over is not None,
        said.over if not isinstance(said.over, bool) else None,
        steps,
        desk.calendar(said.calendar, (*at, "calendar")),
    )


def step(desk: Desk, at: KeyPath, said: StepTable) -> Step:
    if not (said.say or said.set or said.email or said.teams):
        desk.report.wrong(at, "this step does nothing", "write say, set, email or teams")
    if said.text and not said.teams:
        desk.report.wrong((*at, "text"), "this text goes nowhere", 'write teams = "...", or put it under say or email')
    elif said.teams:
        desk.known("teams", said.teams, (*at, "teams"))
        text_of(desk, (*at, "text"), said.text)
    say = remark(desk, at, said)
    return Step(said.after, say, settings(desk, at, said.set), mailing(desk, at, said.email), said.teams, said.text)


def text_of(desk: Desk, at: KeyPath, text: str) -> None:
    desk.template(text, at, (*RULE_WORDS, *desk.names["sides"]))


def remark(desk: Desk, at: KeyPath, said: StepTable) -> Remark | None:
    if said.say is None:
        return None
    text_of(desk, (*at, "say", "text"), said.say.text)
    channel = desk.channel(said.say.on, (*at, "say", "on"))
    return Remark(channel, said.say.text) if channel else None


def settings(desk: Desk, at: KeyPath, said: Mapping[str, Common]) -> dict[str, Common]:
    """The common values a step writes."""
    return {name: setting(desk, (*at, "set", name), name, value) for name, value in said.items()}


def setting(desk: Desk, at: KeyPath, name: str, value: Common) -> Common:
    if not desk.known("fields", name, at) or name not in desk.file.fields:
        return None
    field = desk.file.fields[name]
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
    to, cc = (addresses(desk, (*at, key), names) for key, names in (("to", said.to), ("cc", said.cc)))
    return Mailing(to, cc, said.subject, said.text)


def addresses(desk: Desk, at: KeyPath, names: Sequence[str]) -> tuple[str, ...]:
    """Addresses as they are, parties as theirs, each once."""
    found = [one for place, name in enumerate(names) for one in reached(desk, (*at, place), name)]
    return tuple(dict.fromkeys(found))


def reached(desk: Desk, at: KeyPath, name: str) -> Sequence[str]:
    if "@" in name:
        try:
            return (address(name),)
        except Wrong as wrong:
            desk.report.wrong(at, f'"{name}" {wrong.what}', wrong.instead)
            return ()
    if not desk.known("parties", name, at) or name not in desk.file.parties:
        return ()
    email = desk.file.parties[name].recipients.email
    if not email:
        instead = 'write recipients = { email = ["name@example.org"] } under the party'
        desk.report.wrong(at, f'the party "{name}" has no e-mail address', instead)
    return email


def mail(desk: Desk) -> Mail | None:
    """How mail goes out."""
    said = desk.file.mail
    if said is None:
        return None
    if bool(said.user) != (said.password is not None):
        instead = 'write user = "..." and password = { env = "..." }'
        desk.report.wrong(("mail",), "user and password belong together", instead)
    password = desk.secret(said.password, ("mail", "password")) if said.password else None
    return Mail(said.server, said.sender, said.user, password)


def teams(desk: Desk) -> dict[str, Webhook]:
    """Where Teams messages are posted, and the way there."""
    return {name: webhook(desk, ("teams", name), said) for name, said in desk.file.teams.items()}


def webhook(desk: Desk, at: KeyPath, said: Teams) -> Webhook:
    url = desk.secret(said.webhook, (*at, "webhook"))
    if url.reveal() and not _is_address(url.reveal()):
        what = "what is kept there is not a web address"
        desk.report.wrong((*at, "webhook"), what, "keep the whole https://... address of the webhook there")
    return Webhook(url, certificates(desk, (*at, "ca"), said.ca), proxy(desk, (*at, "proxy"), said.proxy))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        return False
