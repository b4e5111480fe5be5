"""Values on their way in and out: types, dates, identities, and HTML as the server cleans it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import nh3

from sandbox.azure_devops.errors import BAD_CHARACTERS, BAD_TYPE, TOO_LONG
from sandbox.azure_devops.fields import Field

#: characters of a string field and of a long text (object limits page)
SHORT, LONG = 255, 1_048_576

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ATTRIBUTES = {
    "*": {"style", "title", "align", "data-vss-mention"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
}


class Unfit(ValueError):
    """A value that a field cannot take; ``code`` says in which way."""

    def __init__(self, code: tuple[int, str]) -> None:
        super().__init__(code[1])
        self.code = code


def moment_of(text: str) -> datetime:
    """A date-time as clients write it, any number of fraction digits; without an offset it is UTC. Raises
    ``ValueError``."""
    moment = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:  # an offset carries it beyond the first or the last year
        raise ValueError(f"no date-time: {text}") from None


def numeral(text: str) -> int | None:
    """A whole number as the service reads it: ASCII digits, no more than 32 bits hold; ``None`` for anything else."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 2**31
    return number if number < 2**31 else None


def wire(moment: datetime, digits: int = 3) -> str:
    """A date-time as the service writes it: up to three places without trailing zeros; more are written out."""
    places = f"{moment.microsecond:06d}0"[:digits]
    fraction = places.rstrip("0") if digits <= 3 else places
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' + fraction if fraction else ''}Z"


def clean_html(markup: str) -> str:
    """HTML as it is stored: scripts and event handlers go, mentions and formatting stay."""
    return nh3.clean(markup, attributes=_ATTRIBUTES, link_rel=None, url_schemes={"http", "https", "mailto"})


def whole(text: str) -> str:
    """Lone surrogates do not survive the server's UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def coerced(field: Field, value: Any, markdown: bool = False) -> Any:
    """A JSON value as the field stores it (``None``: empty). Raises ``Unfit``."""
    if value is None or value == "":
        return None
    reader = _READERS.get(field.type, short_text)
    try:
        if field.type == "html":
            return long_text(value, markdown)
        return reader(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise error if isinstance(error, Unfit) else Unfit(BAD_TYPE) from None


def number(value: Any) -> float:
    if isinstance(value, bool):
        raise Unfit(BAD_TYPE)
    return float(value)


def integer(value: Any) -> int:
    read = number(value)
    if read != int(read):
        raise Unfit(BAD_TYPE)
    return int(read)


def boolean(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise Unfit(BAD_TYPE)
    return str(value).lower() == "true"


def short_text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise Unfit(BAD_TYPE)
    text = whole(str(value)).strip(" ")
    if len(text) > SHORT:
        raise Unfit(TOO_LONG)
    if _CONTROL.search(text) or "\n" in text or "\r" in text:
        raise Unfit(BAD_CHARACTERS)
    return text


def plain_text(value: Any) -> str:
    text = whole(str(value))
    if len(text) > LONG:
        raise Unfit(TOO_LONG)
    return text


def long_text(value: Any, markdown: bool = False) -> str:
    text = plain_text(value)
    return text if markdown else clean_html(text)


_READERS: dict[str, Any] = {
    "integer": integer,
    "double": number,
    "boolean": boolean,
    "dateTime": lambda value: wire(moment_of(str(value))),
    "plainText": plain_text,
    "html": long_text,
}
