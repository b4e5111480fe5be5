"""Pages of listings as the trackers cut them: which page a request asks for, and what it looks like when rows moved.

ServiceNow pages by ``sysparm_offset``, Jira by ``startAt`` or ``nextPageToken``, Azure DevOps by ``$skip`` or
``continuationToken`` (apis.md 1.3, 2.1, 3.1, 3.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sandbox.wire import Answer, Request

OFFSETS = ("sysparm_offset", "startAt", "$skip")
TOKENS = ("nextPageToken", "continuationToken")
#: how many rows a page has; a listing is the same listing whatever its pages' size
SIZES = {"sysparm_offset": "sysparm_limit", "startAt": "maxResults", "$skip": "$top"}
#: how many listings are remembered
MOST = 256

Listing = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A page of a listing: ``name`` is the parameter that says which, ``value`` what it says; empty: the first."""

    listing: Listing
    name: str = ""
    value: str = ""
    size: int = 0

    @property
    def offset(self) -> int:
        return int(self.value) if self.name in OFFSETS and self.value.isdigit() else 0

    @property
    def first(self) -> bool:
        return self.value in ("", "0")


def asked(request: Request) -> dict[str, Any]:
    """Every parameter, of the address and of a JSON body."""
    given: dict[str, Any] = {name: values[0] for name, values in request.query.items()}
    if request.body[:1] == b"{":
        try:
            given |= request.json()
        except ValueError:
            return given
    return given


def place_of(request: Request) -> Place:
    given = asked(request)
    name = next((name for name in (*OFFSETS, *TOKENS) if given.get(name) not in (None, "")), "")
    kept = sorted(f"{key}={value}" for key, value in given.items() if key not in (*OFFSETS, *TOKENS))
    size = str(given.get(SIZES.get(name, ""), ""))
    listing = (request.method, request.path, *kept)
    return Place(listing, name, str(given.get(name, "")), int(size) if size.isdigit() else 0)


class Pages:
    """What a tracker's clients have been shown of their listings, and the shifts that are in force."""

    def __init__(self) -> None:
        self.shown: dict[Listing, Answer] = {}
        self.shifts: dict[Listing, int] = {}

    def fits(self, kind: str, request: Request) -> bool:
        """Whether a kind of fault can be done to the request: only a later page can come again or shift. One that a
        token leads to stands behind the last row shown, so it cannot shift."""
        place = place_of(request)
        if place.first:
            return False
        return bool(place.offset) if kind == "page_shift" else bool(place.offset) or place.listing in self.shown

    def struck(self, kind: str, rows: int, request: Request) -> Answer | None:
        """What to answer at once: by token the page before, again. By offset the listing shifts, and stays so until
        it is read from its beginning."""
        place = place_of(request)
        if not place.offset:
            return self.shown[place.listing]
        moved = rows if kind == "page_shift" else place.size or place.offset
        self.shifts[place.listing] = self.shifts.get(place.listing, 0) + moved
        return None

    def asks(self, request: Request) -> tuple[Request, int]:
        """The request as it must be put to a tracker in which nothing has moved, and by how much it was changed."""
        place = place_of(request)
        if place.first:
            self.shifts.pop(place.listing, None)
        by = min(self.shifts.get(place.listing, 0), place.offset)
        return (at_offset(request, place.name, place.offset - by), by) if by else (request, 0)

    def note(self, request: Request, answer: Answer) -> None:
        listing = place_of(request).listing
        self.shown.pop(listing, None)
        self.shown[listing] = answer
        if len(self.shown) > MOST:
            del self.shown[next(iter(self.shown))]


def at_offset(request: Request, name: str, offset: int) -> Request:
    """The same request for another place."""
    if name in request.query:
        return replace(request, query={**request.query, name: [str(offset)]})
    return replace(request, body=orjson.dumps({**request.json(), name: offset}))


def shifted(answer: Answer, rows: int) -> Answer:
    """The answer with its counts and links as though ``rows`` more stood in front."""
    headers = {name: moved(name, value, rows) for name, value in answer.headers.items()}
    body = answer.body
    if b'"startAt"' in body[:500]:
        body = orjson.dumps(recounted(orjson.loads(body), rows))
    return replace(answer, headers=headers, body=body)


def moved(name: str, value: str, rows: int) -> str:
    if name.lower() == "x-total-count" and value.isdigit():
        return str(int(value) + rows)
    return renumbered(value, rows) if name.lower() == "link" else value


def renumbered(text: str, rows: int) -> str:
    """The offsets in addresses, but for the first page's."""
    return re.sub(
        r"(sysparm_offset|startAt)=(\d+)", lambda m: m[0] if m[2] == "0" else f"{m[1]}={int(m[2]) + rows}", text
    )


def recounted(body: Mapping[str, Any], rows: int) -> dict[str, Any]:
    counted = {name: body[name] + rows for name in ("startAt", "total") if isinstance(body.get(name), int)}
    linked = {name: renumbered(body[name], rows) for name in ("self", "nextPage") if isinstance(body.get(name), str)}
    return {**body, **counted, **linked}
