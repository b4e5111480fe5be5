"""What may stand in one key of the admin's file: texts, times, spans, addresses, native values."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from connectors.installed import KINDS
from mappings.addresses import is_mail_address
from mappings.calendar import Span, parse_span
from mappings.fields import Common
from mappings.model import Native

_SCHEMES = frozenset(scheme for kind in KINDS.values() for scheme in kind.schemes)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}
_TEXTS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


class Wrong(ValueError):
    """A value that does not fit: ``what`` is wrong and what to write ``instead``."""

    def __init__(self, what: str, instead: str = "") -> None:
        super().__init__(what)
        self.what, self.instead = what, instead


def native(value: object) -> Native:
    """A TOML value as trackers' native values are written in this program: ``1`` is ``"1"``, ``true`` is ``"true"``.
    Raises ``Wrong``."""
    if isinstance(value, list) and value and all(isinstance(v, str | int | float) for v in value):
        return tuple(str(native(v)) for v in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, str | int):
        return str(value)
    raise Wrong("must be a text, a number, true or false", 'write "..."')


def one_native(value: object) -> str:
    if isinstance(value, list):
        raise Wrong("must be one value, not a list", 'write "..."')
    return str(native(value))


def alternatives(value: object) -> tuple[str | dict[str, Native], ...]:
    """One side of a value map: a spelling or a list of them, each a value or a table of native fields."""
    several = value if isinstance(value, list) else [value]
    if not several:
        raise Wrong("has no spelling", "name one, or leave the key out")
    return tuple({k: native(v) for k, v in s.items()} if isinstance(s, dict) else one_native(s) for s in several)


def wait(value: object) -> timedelta:
    """A time by the wall clock: ``30s``, ``5m``, ``1h``, ``1d``. Raises ``Wrong``."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhd])", value) if isinstance(value, str) else None
    if not found or not float(found[1]):
        raise Wrong("is not a length of time", 'write a number and a unit: "30s", "5m", "1h" or "1d"')
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def span(value: object) -> Span:
    """Business time, as ``parse_span`` reads it. Raises ``Wrong``."""
    try:
        if isinstance(value, str):
            return parse_span(value)
    except ValueError:
        pass
    raise Wrong("is not a span of time", 'write a number and a unit: "2d", "4h" or "30m"')


def over(value: object) -> Span | bool:
    if value is False:
        raise Wrong("false says nothing", 'leave the key out, or write over = true or over = "2d"')
    return True if value is True else span(value)


def day(value: object) -> datetime | date:
    """A date or an instant, as TOML knows them or in quotes."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date):
        return value
    raise Wrong("is not a date", 'write since = "2026-11-01" or since = "2026-11-01 08:00"')


def moment(value: object) -> datetime:
    """A time on the clock of the file's zone. Raises ``Wrong``."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if at.tzinfo is None and 2000 <= at.year <= 9000:
            return at
    except ValueError:
        pass
    raise Wrong("is not a time on the clock of the file's zone", 'write "2026-11-16 10:00"')


def command_words(value: object) -> object:
    """Words as people type them after a sign, in small letters: ``!Research`` is ``research``."""
    words = listed(value)
    if not isinstance(words, list):
        return words
    found = [str(word).casefold().lstrip("!/#") for word in words]
    for said, word in zip(words, found, strict=True):
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,59}", word):
            raise Wrong(f'"{said}" is no command word', 'write one word of letters, digits, - and _: "research"')
    return found


def share(value: object) -> float:
    """A part of a whole: ``20%`` is 0.2. Raises ``Wrong``."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?)\s*%", value) if isinstance(value, str) else None
    if not found or float(found[1]) > 100:
        raise Wrong("is not a share", 'write a percentage: "20%", or "0%" for no bound')
    return float(found[1]) / 100


def window(value: object) -> tuple[datetime, datetime]:
    """Two times on the clock of the file's zone, the second one later: ``2026-12-24 18:00 / 2026-12-27 06:00``. Raises
    ``Wrong``."""
    example = 'write "2026-12-24 18:00 / 2026-12-27 06:00", in the zone of bot.timezone'
    try:
        start, end = (datetime.fromisoformat(half.strip()) for half in str(value).split("/"))
        if not 2000 <= start.year <= end.year <= 9000:
            raise ValueError
    except ValueError:
        raise Wrong("is not a window of time", example) from None
    if start.tzinfo or end.tzinfo:
        raise Wrong("is not a time on the clock of the file's zone", example)
    if end <= start:
        raise Wrong("is not a window of time: it ends before it begins", f"write {quoted_window(end, start)}")
    return start, end


def quoted_window(start: datetime, end: datetime) -> str:
    return f'"{start:%Y-%m-%d %H:%M} / {end:%Y-%m-%d %H:%M}"'


def url(value: object) -> str:
    """A tracker's address without a password in it, as some kind of tracker has them; the closing slash is dropped.
    Raises ``Wrong``."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        web = parts.scheme in ("https", "http")
        whole = parts.scheme in _SCHEMES and bool(parts.hostname if web else parts.path) and parts.port != 0
    except ValueError:
        parts, whole = urlsplit(""), False
    if not whole or re.search(r"\s", str(value)):
        raise Wrong("is not a web address", 'write url = "https://..."')
    if parts.username is not None or parts.query or parts.fragment:
        raise Wrong("holds more than an address", "write the address alone, and the account under auth = { ... }")
    return str(value).rstrip("/")


def server(value: object) -> str:
    """A mail server's address."""
    pattern = r"(smtp|smtps|smtp\+starttls)://[A-Za-z0-9.\-\[\]:]+?(:\d{1,5})?"
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise Wrong(
            "is not a mail server", 'write server = "smtp://mail.example.org:587" (or smtps://, smtp+starttls://)'
        )
    return value


def address(value: object) -> str:
    if not isinstance(value, str) or not is_mail_address(value):
        raise Wrong("is not an e-mail address", 'write "name@example.org"')
    return value


def sender(value: object) -> str:
    """An address, or a name and its address in angle brackets."""
    named = re.fullmatch(r"[^<>@\"\r\n]{1,80}<([^<>]*)>", value) if isinstance(value, str) else None
    address(named[1] if named else value)
    return str(value)


def listed(value: object) -> object:
    if value == []:
        raise Wrong("is an empty list", "name at least one, or leave the key out")
    return [value] if isinstance(value, str) else value


def schema_of(kind: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


Texts = Annotated[list[str], BeforeValidator(listed), WithJsonSchema(_TEXTS_SCHEMA)]
CommandWords = Annotated[list[str], BeforeValidator(command_words), WithJsonSchema(_TEXTS_SCHEMA)]
Moment = Annotated[datetime, PlainValidator(moment), schema_of("string", examples=["2026-11-16 10:00"])]
Wait = Annotated[timedelta, PlainValidator(wait), schema_of("string", pattern=r"^\d+(\.\d+)?\s*[smhd]$")]
Business = Annotated[Span, PlainValidator(span), schema_of("string", examples=["2d", "4h"])]
Over = Annotated[Span | bool, PlainValidator(over), WithJsonSchema({"type": ["string", "boolean"]})]
Day = Annotated[datetime | date, PlainValidator(day), schema_of("string", examples=["2026-11-01"])]
Share = Annotated[float, PlainValidator(share), schema_of("string", pattern=r"^\d+(\.\d+)?\s*%$")]
FrozenFor = Annotated[
    tuple[datetime, datetime],
    PlainValidator(window),
    schema_of("string", examples=["2026-12-24 18:00 / 2026-12-27 06:00"]),
]
Url = Annotated[str, PlainValidator(url), schema_of("string", format="uri")]
Server = Annotated[str, PlainValidator(server), schema_of("string", examples=["smtp://mail.example.org:587"])]
Address = Annotated[str, PlainValidator(address), schema_of("string", format="email")]
Sender = Annotated[str, PlainValidator(sender), schema_of("string", examples=["Change Desk <change@example.org>"])]
OneNative = Annotated[str, PlainValidator(one_native), WithJsonSchema(_SCALAR_SCHEMA)]
AnyNative = Annotated[Native, PlainValidator(native), WithJsonSchema({})]
Alternatives = Annotated[tuple[str | dict[str, Native], ...], PlainValidator(alternatives), WithJsonSchema({})]
Value = Annotated[Common, PlainValidator(lambda value: value), WithJsonSchema({})]
