"""Where things are: the bot itself, trackers, sides and parties, checked and resolved."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from connectors.auth import Auth, Bearer, Secret, Unsuited
from connectors.installed import KINDS, UNLOADED
from connectors.kinds import Kind
from mappings.calendar import Calendar
from mappings.fields import TYPES
from mappings.model import Native, Scope
from mappings.people import Party
from sync.config.desk import RULE_WORDS, Desk
from sync.config.openings import created
from sync.config.problems import KeyPath, choice
from sync.config.tables.base import Source
from sync.config.tables.places import Side as SideTable
from sync.config.tables.places import SignInKeys, Tracker
from sync.config.tables.process import FieldTable, StageTable, ValueRow
from sync.setup import Side, TrackerSettings

_SIDE_KEYS = frozenset(key for kind in KINDS.values() for key in (*kind.side_keys, *kind.side_may))
_TRACKER_KEYS = frozenset(key for kind in KINDS.values() for key in kind.tracker_may)
_SHORT = 16
#: what the mark of tasks ends with, so that no search for linked items finds one; no instance is called so
TASKS = ".task"


def instance(desk: Desk) -> str:
    """The instance's name: it becomes a label and a tag, so it is kept plain."""
    name = desk.file.bot.instance
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}", name):
        what = "must be letters, digits and hyphens, 40 at most"
        plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "production"
        desk.report.wrong(("bot", "instance"), what, f'write instance = "{plain}"')
    return name


def secrets(desk: Desk) -> tuple[Secret, ...]:
    """What signs banners, the first one new ones."""
    path: KeyPath = ("bot", "secret")
    several = len(desk.file.bot.secret) > 1
    found = []
    for place, ref in enumerate(desk.file.bot.secret):
        found.append(desk.secret(ref, (*path, place) if several else path))
        if 0 < len(found[-1].reveal()) < _SHORT:
            desk.report.warn(path, f"a secret shorter than {_SHORT} characters can be guessed", "use a longer one")
    return tuple(found)


def state(desk: Desk) -> Secret:
    """Where Lockstep remembers; a relative file is beside the configuration, wherever Lockstep was started."""
    path, source = ("bot", "state"), desk.file.bot.state
    url = desk.secret(source, path).reveal()
    if url.startswith("sqlite:///") and not url.startswith("sqlite:///:") and len(url) > len("sqlite:///"):
        return Secret(_beside(desk, path, url.removeprefix("sqlite:///")))
    if not url.startswith("postgresql+psycopg://") and url:
        what = "must be a SQLite file or a PostgreSQL database"
        instead = 'write "sqlite:///lockstep.db" or "postgresql+psycopg://user@host/name"'
        desk.report.wrong(path, what, instead)
    elif source.plain and re.match(r"[^/]+//[^/@]*:[^/@]+@", url):
        instead = 'put the whole address into an environment variable and write state = { env = "LOCKSTEP_STATE" }'
        desk.report.wrong(path, "a password does not belong in this file", instead)
    return Secret(url)


def _beside(desk: Desk, path: KeyPath, name: str) -> str:
    file = Path(os.path.abspath(desk.folder / name))
    if not file.parent.is_dir():
        desk.report.wrong(path, f"there is no folder {file.parent}", "create it, or name another file")
    return f"sqlite:///{file}"


def calendar(desk: Desk) -> Calendar:
    return desk.calendar(desk.file.bot.calendar, ("bot", "calendar")) or Calendar.always(desk.zone)


def trackers(desk: Desk) -> dict[str, TrackerSettings]:
    """Every tracker with its way to sign in."""
    if not desk.names["trackers"]:
        desk.report.wrong(("trackers",), "there are no trackers", "write [trackers.NAME] for each system to talk to")
    return {name: tracker(desk, name, said) for name, said in desk.file.trackers.items()}


def tracker(desk: Desk, name: str, said: Tracker) -> TrackerSettings:
    path: KeyPath = ("trackers", name)
    plain_name(desk, path, name)
    kind = KINDS.get(said.kind)
    parts = urlsplit(said.url)
    if kind is None:
        no_kind(desk, (*path, "kind"), said.kind)
    else:
        misplaced(desk, path, said.model_fields_set & _TRACKER_KEYS, kind.tracker_may, kind)
        if parts.scheme not in kind.schemes:
            what = f"an address of {kind.name} begins with {' or '.join(f'{scheme}://' for scheme in kind.schemes)}"
            desk.report.wrong((*path, "url"), what, f'write url = "{kind.schemes[0]}://..."')
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        desk.report.warn((*path, "url"), "http sends passwords and work in the clear", "write https://")
    return TrackerSettings(
        name,
        said.kind,
        said.url,
        sign_in(desk, (*path, "auth"), said.auth, kind),
        said.lag,
        said.page,
        certificates(desk, (*path, "ca"), said.ca),
        proxy(desk, (*path, "proxy"), said.proxy),
        said.timeout.total_seconds(),
    )


def no_kind(desk: Desk, path: KeyPath, name: str) -> None:
    if name in UNLOADED:
        desk.report.wrong(path, UNLOADED[name], "mend or reinstall the package that brings it")
    else:
        what = f'there is no kind of tracker "{name}"'
        desk.report.wrong(path, what, choice(name, KINDS, "kinds", "kind"))


def plain_name(desk: Desk, path: KeyPath, name: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][\w-]*", name, re.ASCII):
        desk.report.wrong(path, "a name begins with a letter and holds letters, digits, _ and -", "rename it")


def misplaced(desk: Desk, path: KeyPath, given: set[str] | frozenset[str], may: tuple[str, ...], kind: Kind) -> None:
    for key in sorted(set(given) - set(may)):
        desk.report.wrong((*path, key), f"{key} means nothing to {kind.name}", "remove it")


def certificates(desk: Desk, path: KeyPath, name: str) -> str:
    if not name:
        return ""
    file = desk.folder / name
    if "\0" in name or not file.is_file():
        fault = f"there is no file {name!r}"
    else:
        try:
            fault = "" if b"-----BEGIN CERTIFICATE-----" in file.read_bytes() else f"{name!r} holds no certificates"
        except OSError as error:
            fault = f"the file {name!r} cannot be read: {error.strerror}"
    if fault:
        desk.report.wrong(path, fault, "name a file of certificates in PEM form that Lockstep may read")
    return str(file)


def proxy(desk: Desk, path: KeyPath, source: Source | None) -> Secret | None:
    """The proxy's address with its user and password, if it wants any."""
    if source is None:
        return None
    address = desk.secret(source, path)
    try:
        parts = urlsplit(address.reveal())
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, whole = urlsplit(""), False
    if address.reveal() and not whole:
        what = "is not the address of a proxy" if source.plain else "what is kept there is not the address of a proxy"
        desk.report.wrong(path, what, "the address is http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT")
    elif source.plain and parts.password:
        instead = 'put the whole address into an environment variable and write proxy = { env = "LOCKSTEP_PROXY" }'
        desk.report.wrong(path, "a password does not belong in this file", instead)
    return address


def sign_in(desk: Desk, path: KeyPath, said: SignInKeys, kind: Kind | None) -> Auth:
    """The credentials, in the one way to sign in that the keys make up."""
    given = {key: getattr(said, key) for key in type(said).model_fields if getattr(said, key)}
    resolved = {k: desk.secret(v, (*path, k)) if not isinstance(v, str) else v for k, v in given.items()}
    ways = kind.sign_ins if kind else ()
    for way in ways:
        if set(way.keys) <= set(given) <= {*way.keys, *way.may}:
            try:
                return way.make(resolved)
            except Unsuited as fault:
                desk.report.wrong((*path, fault.key), fault.what, fault.instead)
                return Bearer(Secret(""))
    if kind:
        options = "; or ".join(" and ".join(way.keys) for way in ways)
        what = f"{' and '.join(given)} alone do not sign in" if given else "says nothing"
        desk.report.wrong(path, f"{what} to {kind.name}", f"write {options}")
    return Bearer(Secret(""))


def sides(desk: Desk) -> dict[str, Side]:
    """Every side with its scope in its tracker's terms."""
    if not desk.names["sides"]:
        desk.report.wrong(("sides",), "there are no sides", "write [sides.NAME] for each kind of item")
    return {name: side(desk, name, said) for name, said in desk.file.sides.items()}


def side(desk: Desk, name: str, said: SideTable) -> Side:
    path: KeyPath = ("sides", name)
    side_name(desk, path, name)
    desk.known("trackers", said.tracker, (*path, "tracker"))
    if kind := desk.kind_of(name):
        for key in kind.side_keys:
            if not getattr(said, key):
                desk.report.wrong((*path, key), f"a side in {kind.name} needs {key}", f'write {key} = "..."')
        misplaced(desk, path, said.model_fields_set & _SIDE_KEYS, (*kind.side_keys, *kind.side_may), kind)
    kind_made = (said.type or [said.table])[0]
    above, create = under(desk, path, name, said), created(desk, (*path, "create"), name, said.create)
    return Side(name, said.tracker, scope(desk, name, said), kind_made, create, above)


def under(desk: Desk, path: KeyPath, name: str, said: SideTable) -> str:
    """The side whose items these are tasks of: in the same tracker, and no task itself."""
    if not said.under or not desk.known("sides", said.under, (*path, "under")) or said.under not in desk.file.sides:
        return said.under
    above = desk.file.sides[said.under]
    if said.under == name or above.under:
        desk.report.wrong((*path, "under"), f"{said.under} is no side that links are made of", "name one that is")
    elif above.tracker != said.tracker:
        what = f"{said.under} lives in {above.tracker}, and a task is found by its parent there"
        desk.report.wrong((*path, "under"), what, f'write tracker = "{above.tracker}", or remove under')
    return said.under


def side_name(desk: Desk, path: KeyPath, name: str) -> None:
    plain_name(desk, path, name)
    tables = (StageTable, FieldTable, ValueRow)
    taken = {known.alias or key for table in tables for key, known in table.model_fields.items()}
    if name in taken | {"stage", *RULE_WORDS, *TYPES}:
        desk.report.wrong(path, f"{name} is a word of this file's own", "give the side another name")


def scope(desk: Desk, name: str, said: SideTable) -> Scope:
    at = desk.file.trackers.get(said.tracker)
    first, second = at.mark_fields if at else Tracker.model_fields["mark_fields"].default
    return Scope(
        side=name,
        mark=f"lockstep-{desk.file.bot.instance}{TASKS if said.under else ''}",
        table=said.table,
        project=said.project,
        types=tuple(said.type),
        where=tuple((key, alternatives(value)) for key, value in said.scope.items()),
        fields=tuple(dict.fromkeys(mapped(desk, name))),
        keys_field=said.keys_field,
        mark_fields=(first, second),
        page=at.page if at else 0,
        query=said.query.strip(),
        mark_field=said.mark_field,
        zone=desk.zone,
    )


def alternatives(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value or "",)


def mapped(desk: Desk, side: str) -> Iterator[str]:
    """Every native field of a side that any declared field stands for: conditions, texts and rules name no others."""
    for said in desk.file.fields.values():
        extra: Mapping[str, list[str]] = said.__pydantic_extra__ or {}
        yield from extra.get(side, ())


def parties(desk: Desk) -> tuple[Party, ...]:
    """Every party; where two without members share a side, the first in the file would get everyone."""
    found = []
    open_sides: dict[str, str] = {}
    for name, said in desk.file.parties.items():
        path: KeyPath = ("parties", name)
        desk.known_all("sides", said.sides, (*path, "sides"))
        for at in said.members:
            desk.known("trackers", at, (*path, "members", at))
        for side in said.sides if not said.members else ():
            if open_sides.setdefault(side, name) != name:
                what = f"everyone on {side} counts as {open_sides[side]}, which stands first"
                desk.report.warn((*path, "sides"), what, "name the members of one of the two")
        if said.recipients.teams:
            desk.known("teams", said.recipients.teams, (*path, "recipients", "teams"))
        members = {at: tuple(accounts) for at, accounts in said.members.items()}
        hours = desk.calendar(said.calendar, (*path, "calendar"))
        to = tuple(said.recipients.email)
        found.append(Party(name, tuple(said.sides), members, hours, said.requester, to, said.recipients.teams))
    return tuple(found)
