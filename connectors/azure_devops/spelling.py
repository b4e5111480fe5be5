"""How Azure DevOps spells values: native text and lists out of JSON, and JSON out of native text and lists."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mappings.days import is_day, midnight
from mappings.model import Native
from mappings.text import clean, from_html, to_html

#: what makes a link or an image in Markdown (CommonMark 6.3, 6.4), and backslashes that would undo its escape
_MARKDOWN = re.compile(r"[\[\]]|\\(?=[\[\]\\])")
_ESCAPED = re.compile(r"\\([\[\]\\])")

TAGS = "System.Tags"
#: no field of the service: the addresses of an item's hyperlinks, which are read with it anyway
HYPERLINKS = "Hyperlinks"

#: short names that the admin's file may use
ALIASES = {"area": "System.AreaPath", "iteration": "System.IterationPath", "tags": TAGS}


@dataclass(frozen=True, slots=True)
class Kind:
    """A field's type as ``wit/fields`` gives it (identities are strings there with a mark of their own)."""

    name: str
    type: str
    identity: bool = False
    read_only: bool = False


def reference(name: str) -> str:
    """A field's reference name, from it or from a short name."""
    return ALIASES.get(name.lower(), name)


def moment(text: str) -> datetime:
    """A date as the service writes it, with none to seven places."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def native(value: Any, kind: Kind, *, markdown: bool = False) -> Native:
    """A field's value, normalised: two readings of the same thing are equal."""
    if value is None or value == "":
        return None
    if kind.identity or isinstance(value, dict):
        return person(value)[0] or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    text = str(value)
    if kind.type == "dateTime":
        return date(text)
    if kind.type in ("html", "history"):
        return (from_markdown(text) if markdown else from_html(text)) or None
    return clean(text)[0] or None


def person(value: Any) -> tuple[str, str]:
    """Display name and account of an IdentityRef, or of the text that stands for one: ``Name <account>``."""
    if isinstance(value, dict):
        return str(value.get("displayName") or ""), str(value.get("uniqueName") or value.get("id") or "")
    match = re.fullmatch(r"\s*(.*?)\s*<([^<>]+)>\s*", str(value or ""))
    return (match[1], match[2]) if match else (str(value or ""), str(value or ""))


def number(value: float) -> str:
    """4.0 and 4 are one number."""
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def date(text: str) -> str:
    try:
        found = moment(text)
    except ValueError:
        return text
    fraction = f".{found.microsecond:06d}".rstrip("0") if found.microsecond else ""
    return f"{found:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def wired(value: Native, kind: Kind, *, markdown: bool = False, zone: str = "UTC") -> Any:
    """A native value as JSON for a write; ``""`` clears (vendor's examples of PATCH). What does not fit the field's
    type goes as it is: the tracker's own reason is worth more than ours. Every date has a time there: a day is its
    midnight in ``zone``, else people there would see the day before."""
    if isinstance(value, tuple):
        return "; ".join(clean(part)[0] for part in value)
    if value is None:
        return ""
    text = clean(value)[0]
    if kind.type in ("html", "history"):
        return (to_markdown(text) if markdown else to_html(text)) if text else ""
    if kind.type == "string":
        # a line break in a one-line field is refused
        text = " ".join(text.splitlines())
    if kind.type == "dateTime" and is_day(text):
        return f"{midnight(text, zone):%Y-%m-%dT%H:%M:%SZ}"
    reader = _READERS.get(kind.type)
    try:
        return reader(text) if reader and text else text
    except ValueError:
        return text


def boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_READERS: dict[str, Any] = {"integer": int, "double": float, "boolean": boolean}


def to_markdown(text: str) -> str:
    """Plain text for a field that people turned to Markdown: tags, mentions, links and images stay words."""
    return _MARKDOWN.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))


def from_markdown(text: str) -> str:
    """Undoes ``to_markdown``; people's own markup stays as it is."""
    return clean(_ESCAPED.sub(r"\1", text).replace("&lt;", "<").replace("&amp;", "&"))[0]


def tags(text: Any) -> tuple[str, ...]:
    """The tags in a System.Tags text, or in a list of tag objects."""
    if isinstance(text, list):
        return tuple(str(tag.get("name") if isinstance(tag, dict) else tag) for tag in text)
    return tuple(tag.strip() for tag in str(text or "").split(";") if tag.strip())


def without(all_tags: Iterable[str], mark: str) -> tuple[str, ...]:
    """Tags are one whatever their case; a project keeps the first spelling."""
    return tuple(tag for tag in all_tags if tag.casefold() != mark.casefold())


def has(all_tags: Iterable[str], mark: str) -> bool:
    return any(tag.casefold() == mark.casefold() for tag in all_tags)


def spellings(name: str, value: Any, kind: Kind) -> set[str]:
    """Every text by which a scope may name a value, without case: a person by name or account, an area by itself
    and those above it."""
    if name == TAGS:
        return {tag.casefold() for tag in tags(value)}
    if kind.identity or isinstance(value, dict):
        return {spelled.casefold() for spelled in (*person(value), str(value)) if spelled}
    text = native(value, kind)
    if kind.type == "treePath" and isinstance(text, str):
        parts = text.casefold().strip("\\").split("\\")
        return {"\\".join(parts[: n + 1]) for n in range(len(parts))}
    return {text.casefold()} if isinstance(text, str) else set()
