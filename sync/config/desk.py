"""What every check needs at hand: the file, the names it declares, secrets, conditions and the report."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from connectors.auth import Secret
from connectors.installed import KINDS
from connectors.kinds import Kind
from mappings.calendar import Calendar, zone_of
from mappings.conditions import RESERVED, SIGNS, Condition, ConditionError, Conditions, comparisons
from mappings.days import is_day
from mappings.disclosure import Channel
from mappings.fields import Common
from mappings.roster import Roster
from mappings.templates import Template, TemplateError
from sync.config.problems import KeyPath, Report, choice, nearest
from sync.config.tables.base import Opening, SecretRef, Source
from sync.config.tables.file import File
from sync.config.tables.process import FieldTable

#: what a rule's texts may name beside fields, sides and the stage
RULE_WORDS = ("move", "quiet", "over", "link")
_ONE = {
    "trackers": "tracker",
    "sides": "side",
    "parties": "party",
    "stages": "stage",
    "fields": "field",
    "teams": "channel",
    "webhooks": "webhook",
    "routes": "route",
}
#: keys whose whole value is one name: the advice repeats the key
_NAMING = frozenset(("tracker", "from", "open", "owner", "move", "decided_by", "teams", "webhook"))
_FITS: Mapping[str, type[Any]] = {
    "text": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "list": list,
    "date": str,
}
_CALLED = {
    "text": "a text in quotes",
    "integer": "a whole number without quotes",
    "number": "a number without quotes",
    "boolean": "true or false without quotes",
    "list": 'a list such as ["one", "two"]',
    "date": 'a day: "2026-11-30"',
}


@dataclass(slots=True)
class Desk:
    """``names`` are what the file declares, table by table, whether or not the rest of the table is sound: so that one
    mistake is told once."""

    file: File
    report: Report
    folder: Path
    environ: Mapping[str, str]
    zone: str = "UTC"
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roster: Roster = field(default_factory=Roster)
    conditions: Conditions = field(init=False)
    doubtful: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        raw = self.report.raw
        self.names = {table: _declared(raw.get(table)) for table in _ONE}
        self.doubtful = frozenset(name for name in self.names["fields"] if self._doubts(name))
        sound = {n: f.type for n, f in self.file.fields.items() if n not in self.doubtful}
        self.conditions = Conditions(sound)
        self.zone = self._zone()

    def _doubts(self, name: str) -> bool:
        broken = any(path[:2] == ("fields", name) and path[2:] in ((), ("type",)) for path in self.report.broken)
        return broken or name not in self.file.fields or not sound_name(name)

    def _zone(self) -> str:
        try:
            return str(zone_of(self.file.bot.timezone))
        except ValueError as failure:
            self.report.wrong(("bot", "timezone"), *halves(failure))
            return "UTC"

    def known(self, table: str, name: str, path: KeyPath) -> bool:
        """Whether ``name`` is declared; says so where it is not, with the one that was probably meant."""
        names = self.names[table]
        if name in names or self._unsure(table):
            return name in names
        key = str(path[-1]) if isinstance(path[-1], str) and path[-1] in _NAMING else ""
        self.report.wrong(path, f'there is no {_ONE[table]} "{name}"', choice(name, names, table, key))
        return False

    def _unsure(self, table: str) -> bool:
        """Whether names of the table may be missing because an entry's own name is broken."""
        broken = (path for path in self.report.broken if path[0] == table)
        return any(len(path) == 1 or (isinstance(path[1], int) and path[2:] in ((), ("name",))) for path in broken)

    def known_all(self, table: str, names: Iterable[str], path: KeyPath) -> None:
        for place, name in enumerate(names):
            self.known(table, name, (*path, place))

    def kind_of(self, side: str) -> Kind | None:
        """The kind of tracker a side lives in, where that can be told."""
        said = self.file.sides.get(side)
        tracker = self.file.trackers.get(said.tracker) if said else None
        return KINDS.get(tracker.kind) if tracker else None

    def secret(self, ref: SecretRef, path: KeyPath) -> Secret:
        """The secret itself; says in clear what is missing where it cannot be had, and never shows it."""
        if isinstance(ref, Source) and ref.plain:
            return Secret(ref.plain)
        if ref.env:
            value = self.environ.get(ref.env, "")
            where = f"the environment variable {ref.env}"
            fault = "is empty" if ref.env in self.environ else "is not set"
        else:
            value, fault = self._content(ref.file)
            where = f"the file {ref.file}"
        if not value.strip():
            self.report.wrong(path, f"{where} {fault}", "give it its value where Lockstep is started")
        return Secret(value.strip("\r\n"))

    def _content(self, name: str) -> tuple[str, str]:
        try:
            return (self.folder / name).read_text("utf-8"), "is empty"
        except FileNotFoundError:
            return "", "is not there"
        except UnicodeDecodeError:
            return "", "is not UTF-8 text"
        except (OSError, ValueError) as failure:
            return "", f"cannot be read: {getattr(failure, 'strerror', None) or 'its name is broken'}"

    def channel(self, text: str, path: KeyPath) -> Channel | None:
        """``side.channel`` where the side is declared and its tracker has the channel."""
        try:
            channel = Channel.parse(text)
        except ValueError:
            self.report.wrong(path, f'"{text}" is not a side and a channel', f'write "side.channel" {self._channels()}')
            return None
        if not self.known("sides", channel.side, path):
            return None
        kind = self.kind_of(channel.side)
        if kind and not kind.speaks(channel.name):
            may = (*kind.channels, *(f"{group}NAME" for group in kind.groups))
            near = nearest(channel.name, kind.channels)
            all_of = f"({kind.name} has {', '.join(may)})"
            instead = f'write "{channel.side}.{near}" {all_of}' if near else f"name another {all_of}"
            self.report.wrong(path, f'there is no channel "{channel.name}" on {channel.side}', instead)
            return None
        return channel

    def _channels(self) -> str:
        kinds = ((side, self.kind_of(side)) for side in self.names["sides"])
        return f"(such as {', '.join(f'{side}.{kind.channels[0]}' for side, kind in kinds if kind)})"

    def condition(self, text: str | None, path: KeyPath) -> Condition | None:
        """The compiled condition, or ``None`` where there is none or it cannot be used."""
        if text is None or self._mentions_doubtful(text):
            return None
        try:
            compiled = self.conditions.compile(text)
        except ConditionError as failure:
            line = f"line {failure.line}, " if failure.line > 1 else ""
            place = f"{line}character {failure.column} of the condition"
            self.report.wrong(path, f"{failure.message} (at {place})", failure.hint)
            return None
        for word, _ in comparisons(text, "stage"):
            self.known("stages", word, path)
        for name in compiled.names:
            self._compared(name, text, path)
            self._dated(name, text, path)
        return compiled

    def _dated(self, name: str, text: str, path: KeyPath) -> None:
        """Dates are compared as texts, so what they are compared with must be spelled as they are."""
        if name in self.file.fields and self.file.fields[name].type == "date":
            for word, _ in comparisons(text, name, SIGNS):
                if word and not is_day(word):
                    self.report.wrong(path, f'{name} is a date, and "{word}" is no day', f'write {name} < "2026-11-30"')

    def _compared(self, name: str, text: str, path: KeyPath) -> None:
        values = self.file.fields[name].values if name in self.file.fields else []
        means = [str(row.is_) for row in values]
        for word, _ in comparisons(text, name) if means else ():
            if word not in means:
                self.report.warn(path, f'{name} is never "{word}"', choice(word, means, "values"))

    def _mentions_doubtful(self, text: str) -> bool:
        return any(re.search(rf"\b{re.escape(name)}\b", text) for name in self.doubtful)

    def template(self, text: str, path: KeyPath, more: Collection[str] = ()) -> None:
        """Checks a text with {names}: fields and the stage, and ``more``."""
        try:
            Template(text, {*self.names["fields"], "stage", *more})
        except TemplateError as failure:
            self.report.wrong(path, f"{failure.message} (at character {failure.column} of the text)", failure.hint)

    def calendar(self, opening: Opening | None, path: KeyPath) -> Calendar | None:
        """The calendar a table describes; its holidays are looked up once, to see that they are known."""
        if opening is None:
            return None
        try:
            made = Calendar.of(zone=self.zone, days=opening.days, hours=opening.hours, holidays=opening.holidays)
            made.is_holiday(date(2026, 1, 1))
            return made
        except ValueError as failure:
            self.report.wrong(path, *halves(failure))
            return None

    def value(self, name: str, said: FieldTable, given: Any, path: KeyPath) -> Common:
        """A common value as the field's type wants it."""
        if name in self.doubtful:
            return None
        value: Any = given
        if said.type == "number" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if said.type == "date":
            value = str(value) if is_day(str(value)) else None
        fits = type(value) is _FITS[said.type] and (said.type != "list" or all(isinstance(v, str) for v in value))
        if not fits:
            self.report.wrong(path, f"the field {name} is of type {said.type}", f"write {_CALLED[said.type]}")
            return None
        return tuple(value) if isinstance(value, list) else value


def halves(failure: ValueError) -> tuple[str, str]:
    """A message of the form ``what is wrong: write ...`` as what and instead."""
    what, colon, instead = str(failure).partition(": write ")
    return what, f"write {instead}" if colon else ""


def sound_name(name: str) -> bool:
    """Whether a field may be called so: conditions must be able to name it."""
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)) and name not in RESERVED


def _declared(table: object) -> tuple[str, ...]:
    if isinstance(table, dict):
        return tuple(table)
    if isinstance(table, list):
        named = (entry.get("id") or entry.get("name") for entry in table if isinstance(entry, dict))
        return tuple(name for name in named if isinstance(name, str))
    return ()
