"""What is said and to whom: paths for comments, masks, addresses, mail and Teams, checked and resolved."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from urllib.parse import urlsplit

from mappings.disclosure import KNOWN_MASKS, Channel, Mask, Path
from sync.config.desk import Desk
from sync.config.places import certificates, proxy
from sync.config.problems import KeyPath, choice
from sync.config.tables.people import HookTable, Teams
from sync.config.tables.talk import Comments
from sync.config.values import Wrong, address
from sync.setup import Hook, Mail, Webhook


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
    if url.reveal() and not is_address(url.reveal()):
        what = "what is kept there is not a web address"
        desk.report.wrong((*at, "webhook"), what, "keep the whole https://... address of the webhook there")
    return Webhook(url, certificates(desk, (*at, "ca"), said.ca), proxy(desk, (*at, "proxy"), said.proxy))


def webhooks(desk: Desk) -> dict[str, Hook]:
    """Where JSON is posted, what signs it, and the way there."""
    return {name: hook(desk, ("webhooks", name), said) for name, said in desk.file.webhooks.items()}


def hook(desk: Desk, at: KeyPath, said: HookTable) -> Hook:
    url = desk.secret(said.url, (*at, "url"))
    if url.reveal() and not is_address(url.reveal()):
        what = "what is kept there is not a web address"
        desk.report.wrong((*at, "url"), what, "keep the whole https://... address of the webhook there")
    signs = desk.secret(said.secret, (*at, "secret")) if said.secret else None
    if signs is None:
        what = "nothing signs what is posted there, so its receiver cannot tell it from anybody's"
        desk.report.warn((*at, "secret"), what, 'write secret = { env = "..." }')
    return Hook(url, signs, certificates(desk, (*at, "ca"), said.ca), proxy(desk, (*at, "proxy"), said.proxy))


def is_address(text: str) -> bool:
    """Whether a text is the address of a web server."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        return False
