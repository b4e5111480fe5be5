"""Reads the values into the models and tells every problem of shape. What is broken is told once and set aside, so
that the rest can still be checked in the same run."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connectors.installed import KINDS
from sync.config.problems import KeyPath, Report, entry, nearest, quoted, stray
from sync.config.tables.base import SidesToo
from sync.config.tables.file import File
from sync.config.values import Wrong

#: keys of the shape to come; * is any name or entry
NOT_BUILT: tuple[tuple[str, ...], ...] = (("bot", "page"),)
#: what to write for a key that is missing or not of its shape
EXAMPLES: Mapping[str, str] = {
    "bot": '[bot] with instance = "acme-production" and secret = { env = "LOCKSTEP_SECRET" }',
    "instance": 'instance = "acme-production"',
    "secret": 'secret = { env = "LOCKSTEP_SECRET" }',
    "kind": f'kind = "..." with one of {quoted(KINDS)}',
    "url": 'url = "https://..."',
    "auth": 'auth = { user = "lockstep", password = { env = "NAME" } }',
    "tracker": 'tracker = "..." with a name under [trackers]',
    "name": 'name = "..."',
    "id": 'id = "..." that never changes',
    "from": 'from = "..."',
    "open": 'open = "..." with the side that is opened',
    "to": 'to = ["..."]',
    "is": "is = ... with the value in common words",
    "on": 'on = "side" (under say: "side.channel")',
    "text": 'text = "..."',
    "subject": 'subject = "..."',
    "steps": "[[rules.steps]] below the rule",
    "at": 'at = "Mon 07:00"',
    "what": 'what = "movement of links"',
    "server": 'server = "smtp://mail.example.org:587"',
    "sender": 'sender = "lockstep@example.org"',
    "webhook": 'webhook = { env = "TEAMS_URL" }',
    "scope": 'scope = { field = "value" }',
    "recipients": 'recipients = { email = ["name@example.org"] }',
    "calendar": 'calendar = { days = "Mon-Fri", hours = "08:00-17:00" }',
}
_SECRET = {"env": "-"}
#: what stands in for a missing key so that its neighbours can be looked at; never reaches a Setup
_STAND_INS: Mapping[str, Any] = {
    **dict.fromkeys(("name", "id", "from", "open", "tracker", "on", "subject", "text", "is"), "-"),
    "bot": {"instance": "-", "secret": _SECRET},
    "instance": "-",
    "secret": _SECRET,
    "webhook": _SECRET,
    "kind": "-",
    "url": "https://example.invalid",
    "auth": {},
    "to": ["-"],
    "server": "smtp://example.invalid",
    "sender": "-@-",
    "at": "daily 07:00",
    "what": "movement of links",
    "steps": [{}],
}
_ROUNDS = 50


def shaped(report: Report) -> File | None:
    """The file as models, without what is broken; ``None`` only where nothing can be made of it."""
    data = copy.deepcopy(dict(report.raw))
    for path in tuple(_unbuilt(data)):
        report.misshapen(path, "is not built yet", "remove it")
        _cut(report, data, path)
    for _ in range(_ROUNDS):
        try:
            return File.model_validate(data)
        except ValidationError as failure:
            _set_aside(report, data, failure.errors(include_url=False))
    return None


def known_keys(path: KeyPath) -> tuple[str, ...]:
    """The keys that may stand in the table at ``path``; none where names are free or nothing is known."""
    at = _model_at(path)
    return tuple(known.alias or name for name, known in at.model_fields.items()) if at else ()


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    at: Any = File
    for part in path:
        at = _bare(_below(at, part))
    return at if isinstance(at, type) and issubclass(at, BaseModel) else None


def _below(at: Any, part: str | int) -> Any:
    if isinstance(at, type) and issubclass(at, BaseModel):
        fields = {known.alias or name: known.annotation for name, known in at.model_fields.items()}
        return fields.get(str(part))
    if get_origin(at) in (list, dict):
        return get_args(at)[-1]
    return None


def _bare(at: Any) -> Any:
    """The annotation without ``| None`` and without what ``Annotated`` adds."""
    while hasattr(at, "__metadata__"):
        at = get_args(at)[0]
    options = [option for option in get_args(at) if option is not type(None)]
    return _bare(options[0]) if get_origin(at) not in (list, dict, None) and len(options) == 1 else at


def _unbuilt(data: object) -> Iterator[KeyPath]:
    for pattern in NOT_BUILT:
        yield from _matching(data, pattern)


def _matching(data: object, pattern: tuple[str, ...], path: KeyPath = ()) -> Iterator[KeyPath]:
    if not pattern:
        yield path
    elif pattern[0] != "*":
        if isinstance(data, dict) and pattern[0] in data:
            yield from _matching(data[pattern[0]], pattern[1:], (*path, pattern[0]))
    elif isinstance(data, list):
        for place, below in enumerate(data):
            yield from _matching(below, pattern[1:], (*path, place))


def _set_aside(report: Report, data: dict[str, Any], errors: list[ErrorDetails]) -> None:
    found = [(_real(data, tuple(error["loc"]), error["type"]), error) for error in errors]
    settled = frozenset(report.broken)
    for path, error in found:
        origin = report.origin(path)
        if not any(origin[: len(other)] == other[: len(origin)] for other in settled):
            where = _stray_key(origin, report.raw)
            report.misshapen(where or origin, *(_strayed(where, report.raw) if where else _told(path, error)))
    for path, error in sorted(found, key=lambda pair: _order(pair[0]), reverse=True):
        if error["type"] == "missing":
            _stand_in(report, data, path)
        else:
            _cut(report, data, path)


def _stray_key(path: KeyPath, raw: Mapping[str, Any]) -> KeyPath | None:
    """The key on the way that names neither a side nor anything else: that is the slip, whatever stands in it."""
    for length, part in enumerate(path):
        at = _model_at(path[:length])
        if at and issubclass(at, SidesToo) and part not in (*known_keys(path[:length]), *_sides(raw)):
            return path[: length + 1]
    return None


def _strayed(path: KeyPath, raw: Mapping[str, Any]) -> tuple[str, str]:
    return stray(str(path[-1]), _sides(raw), known_keys(path[:-1]))


def _sides(raw: Mapping[str, Any]) -> tuple[str, ...]:
    sides = raw.get("sides")
    return tuple(sides) if isinstance(sides, dict) else ()


def _order(path: KeyPath) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)


def _real(data: object, loc: KeyPath, kind: str) -> KeyPath:
    """The part of a location that exists in the file, and the missing key itself."""
    path: KeyPath = ()
    for part in loc:
        below = entry(data, part)
        if below is None:
            return (*path, part) if kind == "missing" and part == loc[-1] else path
        data, path = below, (*path, part)
    return path


def _cut(report: Report, data: dict[str, Any], path: KeyPath) -> None:
    parent: Any = data
    for part in path[:-1]:
        parent = entry(parent, part)
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
    elif isinstance(parent, list) and isinstance(place := path[-1], int) and place < len(parent):
        kept = report.kept.setdefault(report.origin(path[:-1]), list(range(len(parent))))
        del parent[place], kept[place]


def _stand_in(report: Report, data: dict[str, Any], path: KeyPath) -> None:
    parent: Any = data
    for part in path[:-1]:
        parent = entry(parent, part)
    if isinstance(parent, dict) and path[-1] in _STAND_INS:
        parent[str(path[-1])] = copy.deepcopy(_STAND_INS[str(path[-1])])
    elif len(path) > 1:
        _cut(report, data, path[:-1])


def _told(path: KeyPath, error: ErrorDetails) -> tuple[str, str]:
    """A problem of shape: what is wrong and what to write instead. Values are shown only where none is secret."""
    kind, key = error["type"], _key(path)
    if kind == "missing":
        return "is missing", f"write {EXAMPLES.get(key, f'{key} = ...')}"
    if kind == "extra_forbidden":
        return _unknown(path)
    wrong = error.get("ctx", {}).get("error")
    if isinstance(wrong, Wrong):
        return f"{_subject(wrong, error['input'])}{wrong.what}", wrong.instead
    return _mistyped(path, key, error)


def _key(path: KeyPath) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "the file")


def _subject(wrong: Wrong, value: object) -> str:
    if not wrong.what.startswith("is "):
        return ""
    shown = isinstance(value, str) and 0 < len(value) < 60 and "@" not in value
    return f'"{value}" ' if shown else "this "


def _unknown(path: KeyPath) -> tuple[str, str]:
    known = known_keys(path[:-1])
    near = nearest(str(path[-1]), known)
    what = f"there is no {'table' if len(path) == 1 else 'key'} {path[-1]}"
    return what, f"did you mean {near}?" if near else f"remove it (known: {quoted(known)})"


def _mistyped(path: KeyPath, key: str, error: ErrorDetails) -> tuple[str, str]:
    given, kind, limits = _word(error["input"]), error["type"], error.get("ctx", {})
    example = f"write {EXAMPLES[key]}" if key in EXAMPLES else ""
    if kind in ("list_type", "dict_type", "model_type", "model_attributes_type"):
        return _container(path, key, kind, given, example)
    if kind == "literal_error":
        expected = str(limits["expected"]).replace("'", '"')
        return f"must be {expected}", f"write {key} = {expected}"
    if kind in ("too_short", "string_too_short", "too_long"):
        count = limits.get("min_length", limits.get("max_length", 1))
        return ("is empty" if count == 1 else f"must name exactly {count}"), example
    if kind == "string_too_long":
        return f"is longer than {limits['max_length']} characters", "give it a shorter one"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {limits['ge']}" if "ge" in limits else f"at most {limits['le']}"
        return f"must be {bound}", f"write {key} = {limits.get('ge', limits.get('le'))}"
    wanted, instead = {
        "string_type": ("a text", example or f'write {key} = "..."'),
        "int_type": ("a whole number", f"write {key} = 10, without quotes"),
        "int_from_float": ("a whole number", f"write {key} = 10, without a point"),
        "bool_type": ("true or false", f"write {key} = true, without quotes"),
    }.get(kind, ("something else", example))
    return f"must be {wanted}, not {given}", instead


def _container(path: KeyPath, key: str, kind: str, given: str, example: str) -> tuple[str, str]:
    if kind == "list_type" and len(path) == 1:
        return "there may be several of these", f"write [[{key}]] for each"
    if len(path) == 1:
        named = not known_keys(path)
        return f"must be a table, not {given}", f"write [{key}.NAME]" if named else f"write [{key}]"
    if kind == "list_type":
        return f"must be a list, not {given}", example or f'write {key} = ["..."]'
    if len(path) == 2 and not known_keys(path[:1]):
        return f"must be a table, not {given}", f"write [{path[0]}.{key}]"
    return f"must be a table, not {given}", example or f"write {key} = {{ ... }}"


def _word(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date")
