"""The Table API through pysnow: one request in, rows out, and every failure by name.

pysnow gives address, session and parameters; the JSON is read here, because pysnow drops the ``error`` that stands
beside a partial ``result``. A Resource shares its parameters among its calls, so each call takes a new one.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import pysnow
import requests

from connectors.auth import Auth
from connectors.base import Busy, Down, Failure, Gone, LockedOut, Refused, Unsure
from connectors.servicenow.encoded_query import any_group, both
from connectors.servicenow.sign_in import sign_in
from connectors.transport import BOM, Transport

#: most rows of one answer (the default of sysparm_limit)
PAGE = 10_000
#: fewest rows asked for, when the instance gives up on larger pages
SMALLEST = 100
#: longest address sent, in bytes; servers and proxies in front of instances commonly take 8 kB
LONGEST_URL = 7_800

Row = Mapping[str, Any]

_MANDATORY = re.compile(r"fields are mandatory:\s*(.+)|Exception:\s*(.+?) is mandatory", re.IGNORECASE | re.DOTALL)
_SIGN_IN = re.compile(r'type=["\']?password|login\.do|sign ?in|log ?in|saml', re.IGNORECASE)


class Cancelled(Down):
    """The instance gave up in the middle of an answer: it asked for more than a transaction may take."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One page. ``total`` counts what the query matches before access rules take rows away; ``None`` where the
    answer does not say."""

    rows: tuple[Row, ...]
    total: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list: alternatives of conditions, of which one must hold, and the fields wanted. ``shown``: every field
    as value and display value. ``stamp`` is the column the order rests on; ``page`` the most rows of one answer, 0
    for the client's own."""

    table: str
    groups: tuple[str, ...]
    fields: tuple[str, ...]
    stamp: str = "sys_updated_on"
    shown: bool = False
    page: int = 0


class TableClient:
    """One instance. ``labels(table, labels)`` names the columns that an error calls by their labels."""

    def __init__(self, transport: Transport, url: str, auth: Auth, page: int = PAGE) -> None:
        self.transport, self.page = transport, page or PAGE
        parts = urlsplit(url if "://" in url else f"https://{url}")
        self.host = parts.netloc + parts.path.rstrip("/")
        self.secure = parts.scheme != "http"
        self.base = f"{parts.scheme}://{self.host}"
        self.sign_in = sign_in(auth, transport, self.base)
        self.per_thread = threading.local()
        self.columns_called: Callable[[str, Sequence[str]], tuple[str, ...]] = lambda table, labels: tuple(labels)

    # -- the library's client

    def client(self) -> pysnow.Client:
        """This thread's client: nothing says that a session may be shared, and pysnow's parameters may not."""
        client = getattr(self.per_thread, "client", None)
        if client is None:
            session = self.transport.session()
            session.auth = self.sign_in
            client = pysnow.Client(host=self.host, session=session, use_ssl=self.secure)
            self.per_thread.client = client
        return client

    def resource(self, listing: Listing) -> Any:
        resource = self.client().resource(api_path=f"/table/{listing.table}")
        resource.parameters.display_value = "all" if listing.shown else False
        resource.parameters.exclude_reference_link = True
        resource.parameters.suppress_pagination_header = True
        resource.parameters.fields = list(listing.fields)
        return resource

    # -- calls

    def list(self, listing: Listing, query: str, limit: int, offset: int = 0) -> Rows:
        """One page of a query. A read: repeated a few times where it fails."""

        def call() -> Rows:
            response = self.resource(listing).get(query=query, limit=limit, offset=offset, fields=list(listing.fields))
            rows = self.result(response._response, list) or []
            if not all(isinstance(row, dict) for row in rows):
                raise ValueError("no rows")
            total = response.headers.get("X-Total-Count", "")
            return Rows(tuple(rows), int(total) if total.isdigit() else None)

        return self.transport.read(call, lambda error: self.named(error, listing.table, writing=False))

    def write(self, method: str, listing: Listing, values: Mapping[str, str], id: str = "") -> Row:
        """One POST or PATCH, sent once; the record as the tracker then shows it."""

        def call() -> Row:
            path = {"path_append": f"/{id}"} if id else {}
            # as UTF-8: escaped, a long text of other scripts is beyond the largest body that is taken
            body = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
            response = self.resource(listing).request(method, data=body, **path)
            return self.result(response._response, dict) or {}

        row = self.transport.write(call, lambda error: self.named(error, listing.table, writing=True))
        if not row:
            raise Unsure(f"{self.transport.tracker} acknowledged the write without showing the record")
        return row

    def walk(self, listing: Listing, start: str = "") -> Iterator[tuple[Rows, bool]]:
        """Every page of the listing from the stamp ``start`` on, in order of stamp and sys_id, and whether it is the
        last. Each page asks for what stands behind the last row seen, so rows that move on between two pages are
        neither lost nor shown twice, and a second may hold any number of them."""
        behind, offset, limit = (f"{listing.stamp}>={start}" if start else ""), 0, listing.page or self.page
        reached = ("", "")
        while True:
            query = any_group([both(behind, group) for group in listing.groups], (listing.stamp, "sys_id"))
            try:
                page = self.list(listing, query, limit, offset)
            except Cancelled:
                if limit <= SMALLEST:
                    raise
                limit = max(SMALLEST, limit // 4)
                continue
            last = offset + limit >= page.total if page.total is not None else not page.rows
            yield page, last
            if last:
                return
            # a page that access rules left empty says nothing of where it ended: only the offset leads past it
            offset = 0 if page.rows else offset + limit
            if page.rows:
                behind, reached = self.advanced(listing, last_placed(listing, page.rows), reached)

    def advanced(self, listing: Listing, row: Row, reached: tuple[str, str]) -> tuple[str, tuple[str, str]]:
        """The condition for what stands behind a row, and its place; raises ``Down`` where the place did not move:
        the instance passes over the condition and would show the same page for ever."""
        place = needed(row, listing.stamp), needed(row, "sys_id")
        if place <= reached:
            raise Down(f"{self.transport.tracker} repeats its pages of {listing.table}")
        stamp, id = place
        return f"{listing.stamp}>{stamp}^ORsys_id>{id}^{listing.stamp}>={stamp}", place

    def batches(self, ids: Sequence[str], listing: Listing) -> Iterator[Sequence[str]]:
        """The ids in lists that fit in an address."""
        fixed = len(self.base) + len(quote("".join(listing.groups))) + sum(len(f) + 3 for f in listing.fields) + 600
        # 32 digits and an escaped comma
        size = max(1, (LONGEST_URL - fixed) // 35)
        for at in range(0, len(ids), size):
            yield ids[at : at + size]

    # -- answers and failures

    def result(self, response: requests.Response, shape: type) -> Any:
        """What a successful answer holds; ``None`` for any other. Raises ``ValueError`` where a success has no result
        of that shape: taken for an empty one, it would make every record look gone. An ``error`` is kept for
        ``named``."""
        self.per_thread.error = {}
        if response.status_code >= 300 or response.status_code == 202:
            return None
        payload = orjson.loads(response.content.removeprefix(BOM))
        if not isinstance(payload, dict):
            raise ValueError("not an object")
        self.per_thread.error = worded(payload.get("error"))
        if self.per_thread.error:
            return None
        if not isinstance(payload.get("result"), shape):
            raise ValueError("no result")
        return payload["result"]

    def named(self, error: Exception | None, table: str, writing: bool) -> Failure | None:
        """What an answer or an exception means for the caller; ``None`` for a success, or for an answer that never
        came whole."""
        response = self.transport.last
        if response is None:
            return None
        status, lost = response.status_code, Unsure if writing else Down
        tracker = self.transport.tracker
        if status in (200, 201):
            return self.named_success(error, response, lost)
        if status == 202:
            return lost(f"{tracker} answered 202: it queued the request and may drop it")
        if status == 401:
            return LockedOut(f"{tracker} refuses the credentials (401 User Not Authenticated): check its `auth`")
        if 300 <= status < 400:
            # a POST that followed would arrive as a GET
            return LockedOut(f"{tracker} sends us elsewhere ({status}): check `url`, and that the user may sign in")
        # a gateway that fails may have passed a write on, whatever rest it asks for
        if status == 429 or (status == 503 and "Retry-After" in response.headers and not writing):
            until = self.transport.resting or self.transport.clock.now()
            return Busy(f"{tracker} asks for rest until {until:%H:%M:%S} UTC ({status})", until)
        if status >= 500:
            return lost(f"{tracker} fails ({status})")
        return self.refusal(response, table) if status >= 400 else lost(f"{tracker} answered {status}")

    def named_success(
        self, error: Exception | None, response: requests.Response, lost: type[Failure]
    ) -> Failure | None:
        """HTTP 200 need not be a success: a cancelled transaction puts an error beside a partial result, and a
        sign-in page is a 200 too."""
        tracker = self.transport.tracker
        if error is None:
            told = getattr(self.per_thread, "error", {})
            cut = lost is Down and "cancelled" in reason(told).lower()
            return (Cancelled if cut else lost)(f"{tracker} did not finish: {reason(told)}") if told else None
        if "html" not in response.headers.get("Content-Type", "").lower() and not body(response).lstrip().startswith(
            "<"
        ):
            return None
        if _SIGN_IN.search(body(response)):
            return LockedOut(f"{tracker} shows a sign-in page instead of answering: check the user and its rights")
        return lost(f"{tracker} answered with a web page instead of JSON")

    def refusal(self, response: requests.Response, table: str) -> Failure:
        """A 4xx: no such record, or the tracker's own reason with the fields it blames."""
        tracker, told = self.transport.tracker, error_of(response)
        if response.status_code == 404 and not str(told.get("message", "")).startswith("Invalid table"):
            return Gone(f"{tracker} has no such record in {table}, or hides it from us")
        labels = mandatory(str(told.get("detail") or ""))
        fields = self.columns_called(table, labels) if labels else ()
        return Refused(f"{tracker} refuses ({response.status_code}): {reason(told)}", fields)


def last_placed(listing: Listing, rows: Sequence[Row]) -> Row:
    """The last row that tells where it stands."""
    return next((row for row in reversed(rows) if plain(row.get(listing.stamp)) and plain(row.get("sys_id"))), rows[-1])


def plain(cell: Any) -> str:
    """The stored value of a cell, whether it came bare or beside its display value."""
    return str(cell.get("value") or "") if isinstance(cell, dict) else str(cell or "")


def needed(row: Row, name: str) -> str:
    """The stored value of a column that nothing works without; raises ``Refused`` where it is kept from us."""
    stored = plain(row.get(name))
    if not stored:
        raise Refused(f"ServiceNow shows records without {name}: grant the integration user read on it", (name,))
    return stored


def display(cell: Any) -> str:
    """What people see of a cell; the stored value where that is all there is."""
    return str(cell.get("display_value") or cell.get("value") or "") if isinstance(cell, dict) else str(cell or "")


def mandatory(detail: str) -> tuple[str, ...]:
    """The labels of the fields that a data policy misses."""
    found = _MANDATORY.search(detail)
    if not found:
        return ()
    return tuple(label.strip() for label in (found[1] or found[2]).split(",") if label.strip())


def reason(told: Mapping[str, Any]) -> str:
    """The tracker's own words: message and detail."""
    words = [str(told[name]).strip() for name in ("message", "detail") if told.get(name)]
    return ": ".join(words)[:300] or "no reason given"


def error_of(response: requests.Response) -> dict[str, Any]:
    try:
        return worded(orjson.loads(body(response)).get("error"))
    except (ValueError, AttributeError):
        return {}


def worded(told: Any) -> dict[str, Any]:
    """An ``error`` in whichever shape."""
    return told if isinstance(told, dict) else {"message": told} if told else {}


def body(response: requests.Response) -> str:
    """The body as text; empty where it was cut off on the way."""
    try:
        return response.text
    except (RuntimeError, requests.RequestException):
        return ""
