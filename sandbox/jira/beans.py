"""What a request's body must look like before anybody looks into it: the beans that Jira reads JSON into.

A text may be given as a number and a whole number in digits, as Jackson takes them; null is nothing; what a bean has no
word for is passed over here.
"""

from __future__ import annotations

import re
from typing import Any

TEXT, WHOLE, FLAG, OBJECT, ANY = "text", "whole", "flag", "object", "any"
#: a name of ``TEXT`` and so on, ``[shape]`` for a list, ``{name: shape}`` for an object, in which ``*`` is every name
Shape = str | list[Any] | dict[str, Any]

PROPERTIES = [{"key": TEXT, "value": ANY}]
ISSUE: Shape = {"fields": OBJECT, "update": {"*": [OBJECT]}, "properties": PROPERTIES}
ISSUES: Shape = {"issueUpdates": [ISSUE]}
TRANSITION: Shape = {"transition": {"id": TEXT}, "fields": OBJECT, "update": {"*": [OBJECT]}}
VISIBILITY = {"type": TEXT, "value": TEXT, "identifier": TEXT}
COMMENT: Shape = {"body": ANY, "visibility": VISIBILITY, "properties": PROPERTIES}
ASSIGNEE: Shape = {"accountId": TEXT, "name": TEXT}
WORKLOG: Shape = {"timeSpent": TEXT, "timeSpentSeconds": WHOLE, "started": TEXT, "comment": ANY}
IDS: Shape = {"ids": [WHOLE]}
CHANGELOG_IDS: Shape = {"changelogIds": [WHOLE]}
COUNT: Shape = {"jql": TEXT}
SEARCH: Shape = {
    "jql": TEXT,
    "fields": [TEXT],
    "maxResults": WHOLE,
    "nextPageToken": TEXT,
    "expand": TEXT,
    "properties": [TEXT],
    "reconcileIssues": [WHOLE],
}
SERVER_SEARCH: Shape = {
    "jql": TEXT,
    "startAt": WHOLE,
    "maxResults": WHOLE,
    "fields": [TEXT],
    "expand": [TEXT],
    "validateQuery": FLAG,
}
BULK_FETCH: Shape = {"issueIdsOrKeys": [TEXT], "fields": [TEXT], "expand": [TEXT], "properties": [TEXT]}
CHANGELOGS: Shape = {"issueIdsOrKeys": [TEXT], "fieldIds": [TEXT], "maxResults": WHOLE, "nextPageToken": TEXT}
LINK: Shape = {
    "type": {"id": TEXT, "name": TEXT},
    "inwardIssue": {"id": TEXT, "key": TEXT},
    "outwardIssue": {"id": TEXT, "key": TEXT},
    "comment": COMMENT,
}
REMOTE_LINK: Shape = {
    "globalId": TEXT,
    "relationship": TEXT,
    "application": OBJECT,
    "object": {"title": TEXT, "url": TEXT},
}
RIGHTS: Shape = {
    "accountId": TEXT,
    "globalPermissions": [TEXT],
    "projectPermissions": [{"permissions": [TEXT], "projects": [WHOLE], "issues": [WHOLE]}],
}
VERSION: Shape = {
    "projectId": WHOLE,
    "project": TEXT,
    "name": TEXT,
    "description": TEXT,
    "released": FLAG,
    "archived": FLAG,
    "releaseDate": TEXT,
}


class Misfit(Exception):
    """A part of the body that is not what its bean has there. ``java`` is the class wanted, ``token`` what came."""

    def __init__(self, place: str, java: str, value: Any) -> None:
        self.place, self.java, self.token = place, java, token(value)
        super().__init__(f"{java} out of {self.token} at {place}")


def token(value: Any) -> str:
    """How Jackson names what it met."""
    if isinstance(value, bool):
        return f"VALUE_{str(value).upper()}"
    named = {dict: "START_OBJECT", list: "START_ARRAY", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
    return named.get(type(value), "VALUE_STRING" if isinstance(value, str) else "VALUE_NULL")


def fitted(shape: Shape, value: Any, place: str = "") -> Any:
    """The body as its bean holds it; raises ``Misfit``."""
    if value is None or shape == ANY:
        return value
    if isinstance(shape, list):
        return [element(shape[0], one, place) for one in typed(list, "java.util.ArrayList", value, place)]
    if isinstance(shape, dict):
        held = typed(dict, "java.util.LinkedHashMap", value, place)
        rest: Shape = shape.get("*", ANY)
        return {name: fitted(shape.get(name, rest), one, name) for name, one in held.items()}
    if shape == OBJECT:
        return typed(dict, "java.util.LinkedHashMap", value, place)
    return scalar(shape, value, place)


def element(shape: Shape, value: Any, place: str) -> Any:
    """Of a list, in which nothing may be null."""
    if value is None:
        raise Misfit(place, "java.lang.Object", value)
    return fitted(shape, value, place)


def typed(kind: type, java: str, value: Any, place: str) -> Any:
    if not isinstance(value, kind):
        raise Misfit(place, java, value)
    return value


def scalar(shape: str, value: Any, place: str) -> Any:
    if shape == FLAG:
        return typed(bool, "java.lang.Boolean", value, place)
    if shape == TEXT:
        if isinstance(value, dict | list):
            raise Misfit(place, "java.lang.String", value)
        return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    digits = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value)
    if isinstance(value, bool) or not (digits or isinstance(value, int)) or abs(int(value)) >= 2**63:
        raise Misfit(place, "java.lang.Long", value)
    return int(value)
