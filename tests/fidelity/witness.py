"""Every answer of a simulated tracker against the specification of the operation it answers.

The body is validated whole, on every answer, by schemathesis; the status, the media type and the emptiness of a body
are checked beside it. What deviates and is not in ``allowances.toml`` is a finding.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from typing import Any

import requests
import schemathesis
from jsonschema_rs import Draft202012Validator
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.schemas import APIOperation

from sandbox.wire import Answer, Request
from tests.fidelity.allowances import Allowances, Deviation
from tests.fidelity.docs_extract import ERROR as REFUSAL
from tests.fidelity.routes import Route, Router, below_context, kind_of
from tests.fidelity.specs import AZURE_ERROR, JIRA_ERROR, document

NO_BODY = (204, 304)
BOM = b"\xef\xbb\xbf"
#: the one form of a refusal, by kind of tracker
REFUSALS = {"azure": AZURE_ERROR, "jira": JIRA_ERROR, "jira-datacenter": JIRA_ERROR, "servicenow": REFUSAL}
#: the User-Agent of the connectors
PRODUCT = "Lockstep"
#: (RFC 6749 5.2)
OAUTH_REFUSAL = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    "additionalProperties": False,
}
#: what schemathesis wants to know of a request when it validates an answer
ASKED = requests.Request("GET", "http://tracker.example/").prepare()


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer that the specification does not allow: what was asked, the status, and the deviation."""

    request: str
    status: int
    deviation: Deviation

    def __str__(self) -> str:
        return f"{self.request} -> {self.status}: {self.deviation}"


class Witness:
    """Watches answers; calls come from the servers' threads. ``seen`` counts answers by operation, ``shown`` are the
    tests in which each was answered (``test`` is the one that runs), ``used`` those that the product asked for."""

    def __init__(self, allowances: Allowances) -> None:
        self.allowances = allowances
        self.findings: list[Finding] = []
        self.seen: Counter[str] = Counter()
        self.shown: defaultdict[str, set[str]] = defaultdict(set)
        self.used: set[str] = set()
        self.test = ""
        self.lock = threading.Lock()

    def __call__(self, tracker: str, request: Request, answer: Answer) -> None:
        kind = kind_of(request, answer)
        if not kind:
            return
        with self.lock:
            # ServiceNow takes the method from a header where a proxy lets none but GET and POST through (apis.md 1.1)
            method = request.headers.get("x-http-method-override", request.method)
            path = below_context(request.path)
            route = router(kind).find(method, path, frozenset(request.query))
            name = str(route) if route else f"{kind} {method} {path}"
            self.seen[str(route) if route else f"{kind} elsewhere"] += 1
            for deviation in deviations(route, name, answer):
                allowed = self.allowances.allow(deviation)
                if allowed is None:
                    asked = f"{tracker}: {request.method} {request.raw_path or request.path}"
                    self.findings.append(Finding(asked, answer.status, deviation))
                elif route is None:
                    name = allowed.operation
            self.shown[name].add(self.test)
            if request.headers.get("user-agent") == PRODUCT:
                self.used.add(name)

    def take(self) -> list[Finding]:
        """The findings since the last call, the repeated ones once."""
        with self.lock:
            found, self.findings = self.findings, []
        return list({(one.status, one.deviation): one for one in found}.values())


@cache
def router(kind: str) -> Router:
    return Router(kind)


@cache
def operation(route: Route) -> APIOperation[Any, Any, Any, Any]:
    return schema(route.spec)[route.path][route.method]


@cache
def schema(spec: str) -> Any:
    return schemathesis.openapi.from_dict(document(spec))


@cache
def described(route: Route) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """{status: (whether a body is described, its media types)}."""
    published = document(route.spec)["paths"][route.path][route.method.lower()]
    found = {}
    for status, answer in published["responses"].items():
        content = answer.get("content", {})
        has_schema = "schema" in answer or any("schema" in one for one in content.values())
        found[status] = has_schema, tuple(content) or tuple(published.get("produces", ()))
    return found


def deviations(route: Route | None, name: str, answer: Answer) -> Iterator[Deviation]:
    """How an answer deviates from the specification of its operation."""
    if route is None:
        yield Deviation("request", name, answer.status, "", "no specification has it")
        yield from in_refusal(name, answer)
        return
    known = described(route)
    status = str(answer.status)
    if status not in known and not (answer.status >= 400 and "default" in known):
        yield Deviation("status", name, answer.status, "", "the specification does not name this status")
    if status not in known:
        status = like(known, answer.status)
    has_schema, medias = known.get(status, (False, ()))
    media = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    redirects = 300 <= answer.status < 400
    if answer.body and (answer.status in NO_BODY or redirects):
        yield Deviation("body", name, answer.status, "", "a body where there is none")
    elif answer.body and medias and not any(fnmatch(media, one) for one in medias):
        yield Deviation("media", name, answer.status, "", f"{media or 'no media type'} is not among {sorted(medias)}")
    elif answer.body and media == "application/json":
        yield from in_body(route, name, answer, status)
    elif has_schema and not answer.body and answer.status not in NO_BODY and not redirects:
        yield Deviation("body", name, answer.status, "", "no body where there is one")


def like(known: Mapping[str, Any], status: int) -> str:
    """The status whose body stands for that of one that the specification does not name: a success like the other
    successes, a refusal like the other refusals; empty where there is none."""
    if status >= 400 and "default" in known:
        return "default"
    return min((one for one in known if one.isdigit() and (int(one) >= 400) == (status >= 400)), default="")


def in_refusal(name: str, answer: Answer) -> Iterator[Deviation]:
    """A refusal has its tracker's one form also where no specification has the request."""
    refusal = OAUTH_REFUSAL if "/oauth_token.do" in name else REFUSALS[name.partition(" ")[0]]
    if answer.status < 400 or "json" not in answer.headers.get("Content-Type", "") or not answer.body:
        return
    body = json.loads(answer.body.removeprefix(BOM))
    for error in Draft202012Validator(refusal).iter_errors(body):
        place = "/".join(str(step) for step in error.instance_path)
        yield Deviation("body", name, answer.status, f"/{place}", error.message)


def in_body(route: Route, name: str, answer: Answer, status: str) -> Iterator[Deviation]:
    judged = int(status) if status.isdigit() else answer.status
    try:
        operation(route).validate_response(response(answer, judged))
    except Failure as failure:
        yield deviation(name, answer.status, failure)
    except FailureGroup as group:
        for one in group.exceptions:
            yield deviation(name, answer.status, one)


def response(answer: Answer, status: int) -> Response:
    """The answer as schemathesis takes it, under the status by which its body is judged. A byte order mark, which
    Azure DevOps puts before some bodies (apis.md 3.4), is no part of the JSON."""
    headers = {name.lower(): [value] for name, value in answer.headers.items()}
    body = answer.body.removeprefix(BOM)
    return Response(status_code=status, headers=headers, content=body, request=ASKED, elapsed=0.0, verify=False)


def deviation(name: str, status: int, failure: BaseException) -> Deviation:
    if isinstance(failure, JsonSchemaError):
        place = "/".join("*" if isinstance(step, int) else str(step) for step in failure.instance_path)
        said, _, wanted = failure.validation_message.rpartition(" is not of type ")
        says = f"{json_type(failure.instance)} is not of type {wanted}" if said else failure.validation_message
        return Deviation("body", name, status, f"/{place}", says)
    return Deviation("body", name, status, "", str(failure).strip())


def json_type(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
