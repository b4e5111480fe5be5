"""What a field takes, holds and shows, kind by kind.

``take`` reads JSON as a request sends it and raises ``Invalid`` with Jira's words; ``show`` gives JSON as an answer
has it; ``spell`` gives the value as people say it, ``typed`` the JSON for what people say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from sandbox.jira.refusals import TOO_LONG, Invalid
from sandbox.jira.site import Field, Named, Project, Site

SUMMARY_LIMIT, LINE_LIMIT, TEXT_LIMIT, LABEL_LIMIT = 255, 255, 32_767, 255
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}[+-][0-9]{4}")
_CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a value is taken or shown."""

    site: Site
    project: Project
    field: Field
    base: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """``schema`` is the ``schema`` of ``GET /field`` without what names the field; ``custom`` the custom type's key."""

    schema: dict[str, str]
    take: Callable[[Setting, Any], Any]
    show: Callable[[Setting, Any], Any]
    spell: Callable[[Any], Any]
    typed: Callable[[Any], Any]
    custom: str = ""


def length(text: str) -> int:
    """Jira counts UTF-16 units, as Java does: a character outside the first plane counts twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def string(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("Operation value must be a string")
    if _CONTROL.search(value):
        raise Invalid("The entered text contains characters that are not allowed.")
    return value


def take_summary(at: Setting, value: Any) -> str:
    text = string(value).strip()
    if not text:
        raise Invalid("You must specify a summary of the issue.")
    if "\n" in text or "\r" in text:
        raise Invalid("The summary is invalid because it contains newline characters.")
    if length(text) > SUMMARY_LIMIT:
        raise Invalid("Summary can't exceed 255 characters.")
    return text


def limited(limit: int) -> Callable[[Setting, Any], str | None]:
    def take(at: Setting, value: Any) -> str | None:
        text = string(value).rstrip() if value is not None else ""
        if length(text) > limit:
            raise Invalid(TOO_LONG.format(limit))
        return text or None

    return take


def take_number(at: Setting, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Invalid("Operation value must be a number")
    return float(value)


def take_date(at: Setting, value: Any) -> str | None:
    if value is None:
        return None
    if not is_date(value):
        raise Invalid("Operation value must be a date in the format yyyy-MM-dd")
    return str(value)


def take_moment(at: Setting, value: Any) -> str | None:
    """An instant with milliseconds and an offset; it is the instant that is kept."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(string(value)) if _MOMENT.fullmatch(string(value)) else None
    except ValueError:
        found = None
    if found is None:
        raise Invalid("Operation value must be a datetime in the format yyyy-MM-dd'T'HH:mm:ss.SSSZ")
    return f"{found.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000+0000}"


def is_date(value: Any) -> bool:
    """Whether it is a day of the calendar, ``yyyy-MM-dd``."""
    try:
        return isinstance(value, str) and bool(_DAY.fullmatch(value) and date.fromisoformat(value))
    except ValueError:
        return False


def take_labels(at: Setting, value: Any) -> tuple[str, ...] | None:
    for label in listed(value):
        if re.search(r"\s", string(label)):
            raise Invalid(f"The label '{label}' contains spaces which is invalid.")
        if length(label) > LABEL_LIMIT:
            raise Invalid(f"The label '{label}' exceeds the maximum length of {LABEL_LIMIT} characters.")
    return tuple(sorted(set(listed(value)))) or None


def take_user(at: Setting, value: Any) -> str | None:
    if value is None:
        return None
    account = value.get("accountId", value.get("id")) if isinstance(value, dict) else None
    if not isinstance(account, str) or account not in at.site.users:
        raise Invalid(
            "Specify a valid value for " + at.field.id if account is None else f"User '{account}' does not exist."
        )
    return str(account)


def chosen(
    what: str, key: str, offered: Callable[[Setting], Iterable[Named]]
) -> Callable[[Setting, Any], Named | None]:
    """One of the offered values, by ``id`` or by ``key`` (``name``, or ``value`` for options)."""

    def take(at: Setting, value: Any) -> Named | None:
        if value is None:
            return None
        if not isinstance(value, dict) or not ({"id", key} & value.keys()):
            raise Invalid(f"Could not find valid 'id' or '{key}' in the Parent Option object.")
        by = "id" if "id" in value else key
        for one in offered(at):
            if str(value[by]) == getattr(one, "id" if by == "id" else "name"):
                return one
        raise Invalid(f"{what} {'id' if by == 'id' else key} '{value[by]}' is not valid")

    return take


def listed(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise Invalid("data was not an array")
    return value or []


def several(take: Callable[[Setting, Any], Named | None]) -> Callable[[Setting, Any], tuple[Named, ...] | None]:
    def take_all(at: Setting, value: Any) -> tuple[Named, ...] | None:
        found = dict.fromkeys(one for one in (take(at, part) for part in listed(value)) if one is not None)
        return tuple(found) or None

    return take_all


def show_named(path: str, key: str = "name") -> Callable[[Setting, Named], dict[str, str]]:
    def show(at: Setting, value: Named) -> dict[str, str]:
        return {"self": f"{at.base}/{path}/{value.id}", key: value.name, "id": value.id}

    return show


def show_each(show: Callable[[Setting, Named], dict[str, str]]) -> Callable[[Setting, Any], list[dict[str, str]]]:
    return lambda at, values: [show(at, value) for value in values or ()]


def pictures(base: str, kind: str, id: str) -> dict[str, str]:
    """Where the pictures of a user or project are, by size."""
    place = f"{base}/universal_avatar/view/type/{kind}/avatar/{id}?size="
    return {f"{size}x{size}": f"{place}{size}" for size in (16, 24, 32, 48)}


def show_user(at: Setting, account: str) -> dict[str, Any]:
    user = at.site.users[account]
    shown: dict[str, Any] = {
        "self": f"{at.base}/user?accountId={account}",
        "accountId": account,
        "avatarUrls": pictures(at.base, "user", account),
        "displayName": user.name,
        "active": True,
        "timeZone": user.zone,
        "accountType": "app" if user.app else "atlassian",
    }
    hidden: dict[str, dict[str, str | None]] = {"null": {"emailAddress": None}, "empty": {"emailAddress": ""}}
    return shown | ({"emailAddress": user.email} if user.shows_email else hidden.get(at.site.switches.hidden_email, {}))


def same(at: Setting, value: Any) -> Any:
    return value


def unchanged(value: Any) -> Any:
    return value


def name(value: Named) -> str:
    return value.name


def names(values: tuple[Named, ...]) -> tuple[str, ...]:
    return tuple(value.name for value in values)


def called(key: str) -> Callable[[Any], Any]:
    return lambda value: None if value is None else {key: value}


def called_each(key: str) -> Callable[[Any], Any]:
    return lambda values: [{key: value} for value in values or ()]


def plain_number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def options(at: Setting) -> Iterable[Named]:
    return at.field.options


_version = chosen("Version", "name", lambda at: at.project.versions)
_component = chosen("Component", "name", lambda at: at.project.components)
_option = chosen("Option", "value", options)

KINDS: dict[str, Kind] = {
    "summary": Kind({"type": "string"}, take_summary, same, str, unchanged),
    "text": Kind({"type": "string"}, limited(LINE_LIMIT), same, str, unchanged, _CUSTOM + "textfield"),
    "textarea": Kind({"type": "string"}, limited(TEXT_LIMIT), same, str, unchanged, _CUSTOM + "textarea"),
    "number": Kind(
        {"type": "number"},
        take_number,
        same,
        plain_number,
        lambda v: None if v is None else float(v),
        _CUSTOM + "float",
    ),
    "date": Kind({"type": "date"}, take_date, same, str, unchanged, _CUSTOM + "datepicker"),
    "datetime": Kind({"type": "datetime"}, take_moment, same, str, unchanged, _CUSTOM + "datetime"),
    "labels": Kind(
        {"type": "array", "items": "string"},
        take_labels,
        lambda at, v: list(v or ()),
        tuple,
        lambda v: list(v or ()),
        _CUSTOM + "labels",
    ),
    "user": Kind({"type": "user"}, take_user, show_user, str, called("accountId"), _CUSTOM + "userpicker"),
    "priority": Kind(
        {"type": "priority"},
        chosen("Priority", "name", lambda at: at.site.priorities),
        show_named("priority"),
        name,
        called("name"),
    ),
    "resolution": Kind(
        {"type": "resolution"},
        chosen("Resolution", "name", lambda at: at.site.resolutions),
        show_named("resolution"),
        name,
        called("name"),
    ),
    "option": Kind(
        {"type": "option"}, _option, show_named("customFieldOption", "value"), name, called("value"), _CUSTOM + "select"
    ),
    "options": Kind(
        {"type": "array", "items": "option"},
        several(_option),
        show_each(show_named("customFieldOption", "value")),
        names,
        called_each("value"),
        _CUSTOM + "multiselect",
    ),
    "versions": Kind(
        {"type": "array", "items": "version"},
        several(_version),
        show_each(show_named("version")),
        names,
        called_each("name"),
    ),
    "components": Kind(
        {"type": "array", "items": "component"},
        several(_component),
        show_each(show_named("component")),
        names,
        called_each("name"),
    ),
}


def schema(field: Field) -> dict[str, Any]:
    """The ``schema`` part of a field's description."""
    kind = KINDS[field.kind]
    if field.custom:
        return {**kind.schema, "custom": kind.custom, "customId": field.number}
    return {**kind.schema, "system": field.id}


def empty(field: Field) -> Any:
    """How an empty field is shown: lists as empty ones, but for custom multi-selects, which are null."""
    return [] if KINDS[field.kind].schema["type"] == "array" and not field.custom else None


def wording(field: Field, site: Site, value: Any) -> str | None:
    """A value as the changelog words it."""
    if value is None:
        return None
    if field.kind == "user":
        return site.users[value].name
    spelled = KINDS[field.kind].spell(value)
    if isinstance(spelled, tuple):
        return (" " if field.kind == "labels" else ", ").join(spelled)
    return str(spelled)


def identity(value: Any) -> str | None:
    """The id of what a value names, if it has one."""
    return value.id if isinstance(value, Named) else None
