"""The REST APIs under /api/now: which of them a request is for, and what all of them demand of it (ServiceNow docs,
REST APIs)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlencode

from sandbox.servicenow.database import Session
from sandbox.servicenow.errors import Aborted, DataPolicy, Problem, no_such_resource, too_large
from sandbox.servicenow.switches import Switches
from sandbox.wire import Answer, Request

_PATH = re.compile(r"/api/now/(?:(v\d+)/)?(table|attachment|stats|import|batch)(?:/([^/]*))?(?:/([^/]*))?/?")
_JSON = ("application/json", "*/*", "application/*", "text/json")
#: the APIs as rate rules and their answers name them
NAMES = {
    "table": "Table API",
    "attachment": "Attachment API",
    "stats": "Aggregate API",
    "import": "Import Set API",
    "batch": "Batch API",
}
#: longest request line the front end takes, in bytes (not documented; commonly 8 kB)
LONGEST_URL = 8192


class Resource(Protocol):
    """One REST API: ``first`` and ``second`` are the parts of the path behind its name; raises ``Problem``."""

    def answer(self, request: Request, session: Session, version: str, first: str, second: str) -> Answer: ...


def api_of(request: Request) -> str:
    """The API that a request is for, as rate rules name it; empty where there is none."""
    found = _PATH.fullmatch(request.path)
    return NAMES[found[2]] if found else ""


class Api:
    """``resources`` are the APIs by their names in the path."""

    def __init__(self, resources: Mapping[str, Resource], switches: Switches) -> None:
        self.resources, self.switches = resources, switches

    def answer(self, request: Request, session: Session) -> Answer:
        """The answer to a request under /api/now, refusals included."""
        try:
            return self.served(request, session)
        except Problem as problem:
            if isinstance(problem, DataPolicy | Aborted) and not self.switches.refusals_explained:
                problem.detail = None
            return problem.answer()

    def served(self, request: Request, session: Session) -> Answer:
        method = request.headers.get("x-http-method-override", request.method).upper()
        if method == "HEAD":  # GET without a body, which the front end leaves out
            method = "GET"
        if method != request.method:
            request = replace(request, method=method)
        found = _PATH.fullmatch(request.path)
        check_address(request)
        if found is None:
            check_media(request)
            raise no_such_resource()
        if found[2] != "attachment":
            check_media(request)
            self.check_size(request)
        version, first, second = found[1] or "v2", found[3] or "", found[4] or ""
        return self.resources[found[2]].answer(request, session, version, first, second)

    def check_size(self, request: Request) -> None:
        if len(request.body) > self.switches.max_content:
            raise too_large(len(request.body), self.switches.max_content)


def check_address(request: Request) -> None:
    rough = sum(len(v) for values in request.query.values() for v in values)
    if rough > LONGEST_URL // 3 and len(request.path) + len(urlencode(request.query, True)) > LONGEST_URL:
        raise Problem(414, "Request-URI Too Long")


def check_media(request: Request) -> None:
    """Writes need both headers; everything here speaks JSON only, where a real instance speaks XML as well."""
    accept, sent = request.headers.get("accept", ""), request.headers.get("content-type", "")
    writes = request.method in ("POST", "PUT", "PATCH")
    if writes and not (accept and sent):
        raise Problem(400, "Bad Request", "Accept and Content-Type headers are required")
    if accept and not any(kind in accept for kind in _JSON):
        raise Problem(406, "Not acceptable", f"Cannot produce content of type {accept}")
    if writes and "json" not in sent:
        raise Problem(415, "Unsupported Media Type", f"Cannot consume content of type {sent}")
