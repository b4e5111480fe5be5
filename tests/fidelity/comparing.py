"""How an answer differs from a recorded one: the keys and types of the body always, and for a recorded exchange the
values too, but for those that no two systems share (ids, times, hosts, people)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FORMS = (
    ("a time with a zone's offset", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")),
    ("a time in UTC", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")),
    ("a time without a zone", re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")),
    ("a GUID", re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)),
    ("an address", re.compile(r"(https?|vstfs)://\S+")),
)
#: keys whose values name people, places and single records
_OWN = {
    "displayName", "uniqueName", "descriptor", "imageUrl", "emailAddress", "name", "id", "key", "link", "self",
    "description", "accountId", "filename", "summary", "comment", "href", "$id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """``at`` is a place, list positions as ``*``; ``says`` how the answer differs there."""

    at: str
    says: str

    def __str__(self) -> str:
        return f"{self.at}: {self.says}"


def compare(recorded: Any, ours: Any, *, values: bool, at: str = "") -> Iterator[Difference]:
    """``values``: compare them as well, and find keys that the recorded body lacks. A vendor's example may leave keys
    out: there the specification judges the others."""
    if "" in (recorded, ours) and isinstance(recorded if ours == "" else ours, dict):
        return  # ServiceNow: an empty reference is an empty text (apis.md 1.1), what is not set here or there
    if json_type(recorded) != json_type(ours):
        yield Difference(at or "/", f"{json_type(ours)} instead of {json_type(recorded)}")
    elif isinstance(recorded, dict):
        yield from in_object(recorded, ours, values, at)
    elif isinstance(recorded, list):
        yield from in_list(recorded, ours, values, at)
    elif isinstance(recorded, str):
        yield from in_text(recorded, ours, values, at)
    elif values and recorded != ours and not is_own(at):
        yield Difference(at, f"{ours!r} instead of {recorded!r}")


def is_own(at: str) -> bool:
    key = at.rpartition("/")[2]
    return key in _OWN or key.endswith(("Id", "Watermark"))


def in_object(recorded: dict[str, Any], ours: dict[str, Any], values: bool, at: str) -> Iterator[Difference]:
    for key in recorded:
        if key not in ours:
            yield Difference(f"{at}/{key}", "is missing")
        else:
            yield from compare(recorded[key], ours[key], values=values, at=f"{at}/{key}")
    for key in ours:
        if values and key not in recorded:
            yield Difference(f"{at}/{key}", "is more than recorded")


def in_list(recorded: list[Any], ours: list[Any], values: bool, at: str) -> Iterator[Difference]:
    """Each entry against the recorded one at its place; where the lists differ in length, ours against the whole of
    the recorded ones, whose keys may differ among themselves."""
    if len(recorded) == len(ours) and values:
        for one, other in zip(recorded, ours, strict=True):
            yield from compare(one, other, values=values, at=f"{at}/*")
    elif recorded and not ours:
        yield Difference(f"{at}/*", "is missing")
    elif recorded:
        yield from compare(overlaid(recorded), overlaid(ours), values=False, at=f"{at}/*")


def overlaid(entries: list[Any]) -> Any:
    """One entry with the keys that all of them have."""
    first = entries[0]
    if not all(isinstance(entry, dict) for entry in entries):
        return first
    return {key: first[key] for key in first if all(key in entry for entry in entries)}


def in_text(recorded: str, ours: str, values: bool, at: str) -> Iterator[Difference]:
    if form(recorded) != form(ours) and recorded != "" and (values or ours != ""):
        yield Difference(at, f"{form(ours)} instead of {form(recorded)}")
    elif values and recorded != ours and form(recorded) == "a text" and not is_own(at):
        yield Difference(at, f"{ours!r} instead of {recorded!r}")


def form(text: str) -> str:
    return next((name for name, pattern in _FORMS if pattern.fullmatch(text)), "a text")


def json_type(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "nothing"}
    return names.get(type(value), "a number")
