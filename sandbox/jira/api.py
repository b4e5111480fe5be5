"""The door: who asks, for which address, with what body."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.jira.adf import words
from sandbox.jira.beans import ANY, Misfit, Shape, fitted
from sandbox.jira.issues import Issue
from sandbox.jira.jql import BadQuery
from sandbox.jira.refusals import Invalid, Rejected, hidden
from sandbox.jira.rules import Rules
from sandbox.jira.shapes import View
from sandbox.jira.site import Project, User
from sandbox.jira.store import Store
from sandbox.wire import Answer, Request

if TYPE_CHECKING:
    from sandbox.jira import Jira

_PATH = re.compile(r"(?:/ex/jira/([^/]+))?/rest/api/(2|3|latest)/(.*?)/?$")
#: how Cloud refuses a body that its beans cannot hold (recorded: jira-node/node-jira-client #361)
UNREADABLE = "Invalid request payload. Refer to the REST API documentation and try again."
#: what reads although it is posted, so that quotas count what it shows
_READS = frozenset(["search/jql", "search/approximate-count", "issue/bulkfetch", "changelog/bulkfetch", "comment/list"])


@dataclass(slots=True)
class Call:
    """A request with its sender, its body and the means to answer."""

    jira: Jira
    request: Request
    user: User | None
    view: View
    body: Any

    @property
    def store(self) -> Store:
        return self.jira.store

    @property
    def rules(self) -> Rules:
        return self.jira.rules

    def shown(
        self, view: View, issue: Issue, fields: Sequence[str], expand: str, properties: Sequence[str] = ()
    ) -> dict[str, Any]:
        """An issue as ``view`` shows it, with the steps that the sender may take where they are asked for."""
        found = view.issue(issue, fields, expand, properties)
        if "transitions" in expand and self.user is not None:
            steps = self.rules.offered(self.user, issue)
            found["transitions"] = [view.transition(issue, step, False) for step in steps]
        return found

    def known_user(self) -> User:
        if self.user is None:
            raise Rejected(401, ["You are not authenticated. Authentication required to perform this operation."])
        return self.user

    def issue(self, id_or_key: str) -> Issue:
        """Hidden is the same as missing."""
        issue = self.find(id_or_key)
        if issue is None or not issue.visible(self.jira.site, self.user):
            raise hidden()
        return issue

    def find(self, id_or_key: str) -> Issue | None:
        return self.store.find(id_or_key, self.jira.switches.old_keys)

    def project(self, id_or_key: str) -> Project:
        found = next((p for p in self.jira.site.projects.values() if id_or_key.upper() in (p.key, p.id)), None)
        if found is None or not self.jira.site.may(self.user, found.key, "BROWSE_PROJECTS"):
            raise Rejected(404, [f"No project could be found with key '{id_or_key}'."])
        return found

    def object(self) -> dict[str, Any]:
        if not isinstance(self.body, dict):
            raise Rejected(400, ["There was an error parsing JSON. Check that your request body is valid."])
        return self.body

    def part(self, name: str) -> dict[str, Any]:
        """An object inside the body, empty where it is left out."""
        part: dict[str, Any] = self.object().get(name) or {}
        return part

    def misfit(self, error: Misfit) -> Rejected:
        return Rejected(400, [UNREADABLE])

    def names(self, name: str) -> list[str]:
        """A query parameter that takes a list, by commas or repeated."""
        return [one for text in self.request.query.get(name, ()) for one in text.split(",") if one]

    def whole(self, name: str, default: int) -> int:
        text = self.request.one(name, str(default))
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise Rejected(
                400, [f"Failed to convert value of type 'java.lang.String' to required type 'int' for '{name}'."]
            )
        return max(0, int(text))

    def wholes(self, name: str) -> list[int]:
        """A query parameter that takes a list of numbers."""
        found = self.names(name)
        wrong = next((one for one in found if not re.fullmatch(r"[0-9]{1,18}", one)), None)
        if wrong is not None:
            raise Rejected(400, [f'For input string: "{wrong}"'])
        return [int(one) for one in found]

    def paged(self, rows: Sequence[Any], size: int) -> Answer:
        """A page of rows with its place among them, ``size`` of them unless the request says so."""
        start, size = self.whole("startAt", 0), self.whole("maxResults", size)
        shown = {"startAt": start, "maxResults": size, "total": len(rows), "isLast": start + size >= len(rows)}
        address = f"{self.view.base}{self.request.path}"
        return Answer.of({"self": address, **shown, "values": list(rows[start : start + size])})

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of a request with long texts as version 2 has them; version 3 takes documents only."""
        if self.view.version != "3":
            return fields
        long = {field.id for field in self.jira.site.fields.values() if field.kind == "textarea"}
        return {name: self.document(name, value) if name in long else value for name, value in fields.items()}

    def operations(self, update: dict[str, Any]) -> dict[str, Any]:
        """What is done to fields, and said on the way, with long texts as version 2 has them."""
        given = {name: operations for name, operations in update.items() if operations is not None}
        if self.view.version != "3":
            return given
        return {name: [self.operation(name, one) for one in operations] for name, operations in given.items()}

    def operation(self, name: str, operation: dict[str, Any]) -> dict[str, Any]:
        if name != "comment":
            return {verb: self.fields({name: value})[name] for verb, value in operation.items()}
        said = operation.get("add")
        return {"add": {**said, "body": self.document(name, said.get("body"))}} if isinstance(said, dict) else operation

    def document(self, name: str, value: Any) -> Any:
        if self.view.version != "3":
            return value
        try:
            return words(value)
        except Invalid as error:
            raise Rejected(400, errors={name: str(error)}) from None


Endpoint = Callable[..., Answer]
ENDPOINTS: list[tuple[str, re.Pattern[str], Endpoint]] = []


def endpoint(method: str, path: str, body: Shape = ANY) -> Callable[[Endpoint], Endpoint]:
    """Registers ``path`` under ``/rest/api/{2,3,latest}/``; ``{}`` stands for one segment. ``body`` is the shape that
    a body must have to be looked into."""

    def register(function: Endpoint) -> Endpoint:
        pattern = re.compile(re.escape(path).replace(r"\{\}", "([^/]+)"))
        ENDPOINTS.append((method, pattern, shaped(function, body)))
        return function

    return register


def shaped(function: Endpoint, body: Shape) -> Endpoint:
    """The endpoint behind its bean."""

    def read(call: Call, *groups: str) -> Answer:
        try:
            held = fitted(body, call.body)
        except Misfit as error:
            raise call.misfit(error) from None
        return function(replace(call, body=held), *groups)

    return function if body == ANY else read


def answer(jira: Jira, request: Request) -> Answer:
    """What Jira says to a request."""
    if jira.site.switches.unavailable is not None:
        return unavailable(jira.site.switches.unavailable)
    user, refusal, headers = sign_in(jira, request)
    if refusal is None:
        refusal = limited(jira, request, user)
    found = refusal or routed(jira, request, user)
    found.headers.update(headers)
    return found


def unavailable(seconds: int) -> Answer:
    """503, with or without ``Retry-After`` (Atlassian developer documentation, "Rate limiting")."""
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return Answer.of({"errorMessages": ["Service Unavailable"], "errors": {}}, 503, headers)


def limited(jira: Jira, request: Request, user: User | None) -> Answer | None:
    """A 429 where a limit is reached; quotas are for apps, which come by a token of their own."""
    if not jira.limits.on:
        return None
    app = user.account_id if user and request.bearer() else ""
    return jira.limits.refuse(template(request), app, request.method, touched(jira, request), jira.clock.now())


def template(request: Request) -> str:
    """The endpoint an address belongs to, whatever it is about."""
    found = _PATH.match(request.path)
    path = found[3] if found else request.path
    return next((pattern.pattern for _, pattern, _ in ENDPOINTS if pattern.fullmatch(path)), path)


def sign_in(jira: Jira, request: Request) -> tuple[User | None, Answer | None, dict[str, str]]:
    """The account of a Basic header, or at the gateway of an app's token. Without one the sender is anonymous and
    served as such."""
    basic = request.basic()
    if basic is None:
        if request.bearer():
            return app_of(jira, request)
        return None, None, {}
    user = next((u for u in jira.site.users.values() if u.email and (u.email, u.token) == basic and u.token), None)
    if user is not None and user.account_id in jira.captcha:
        denied = "CAPTCHA_CHALLENGE; login-url=https://id.atlassian.com/login"
        headers = {"X-Authentication-Denied-Reason": denied, "X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}
        return None, Answer(403, b"", headers), {}
    if user is not None:
        return user, None, {"X-AACCOUNTID": user.account_id}
    failed = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
    if jira.lenient:
        return None, None, failed
    plain = {"Content-Type": "text/plain", "WWW-Authenticate": 'OAuth realm="https%3A%2F%2Fexample.atlassian.net"'}
    return None, Answer(401, b"Client must be authenticated to access this resource.", plain), failed


def app_of(jira: Jira, request: Request) -> tuple[User | None, Answer | None, dict[str, str]]:
    """Tokens of OAuth apps are good at ``/ex/jira/{cloud id}`` only (Atlassian developer documentation, "OAuth 2.0
    (3LO) apps")."""
    if not request.path.startswith("/ex/jira/"):
        return None, Answer.of({"error": "Failed to parse Connect Session Auth Token"}, 403), {}
    user = jira.site.users.get(jira.apps.get(request.bearer(), ""))
    if user is None:
        return None, Answer.of({"code": 401, "message": "Unauthorized"}, 401), {}
    return user, None, {"X-AACCOUNTID": user.account_id}


def touched(jira: Jira, request: Request) -> str:
    """The issue a request is about, for the limits by issue: its id, by whichever key it is named."""
    match = re.search(r"/issue/([A-Za-z][A-Za-z0-9_]*-\d+|\d+)(?:/|$)", request.path)
    issue = jira.store.find(match[1]) if match else None
    return str(issue.id) if issue else ""


def routed(jira: Jira, request: Request, user: User | None) -> Answer:
    found = _PATH.match(request.path)
    if found is None or found[1] not in (None, jira.cloud_id):
        return Answer(
            404, b"<html><body>Oops, you&#39;ve found a dead link.</body></html>", {"Content-Type": "text/html"}
        )
    version, path = found[2].replace("latest", "2"), found[3]
    base = jira.address or f"http://{request.headers.get('host', 'localhost')}"
    if found[1]:
        base += f"/ex/jira/{found[1]}"
    view = View(jira.site, user, base, version, store=jira.store)
    matching = [(method, f, m) for method, pattern, f in ENDPOINTS if (m := pattern.fullmatch(path))]
    # an address written out goes before one in which anything may stand
    matching.sort(key=lambda one: len(one[2].groups()))
    if not matching:
        return Answer.of({"message": f"null for uri: {base}{request.path}", "status-code": 404}, 404)
    for method, function, match in matching:
        if method == request.method:
            made = called(Call(jira, request, user, view, None), function, match.groups())
            if jira.limits.on and user and request.bearer():
                reads = request.method == "GET" or path in _READS
                made.headers.update(
                    jira.limits.spend(user.account_id, len(view.tally) if reads else 0, jira.clock.now())
                )
            return made
    return Answer.of({"errorMessages": ["Method Not Allowed"], "errors": {}}, 405)


def called(call: Call, function: Endpoint, groups: tuple[str, ...]) -> Answer:
    try:
        return function(replace(call, body=parsed(call.request)), *groups)
    except Rejected as refusal:
        return Answer.of(refusal.body(), refusal.status)
    except BadQuery as error:
        return Answer.of({"errorMessages": [str(error)], "errors": {}}, 400)


def parsed(request: Request) -> Any:
    if request.method not in ("POST", "PUT") or request.headers.get("content-type", "").startswith("multipart/"):
        return None
    if not request.body:
        return None
    if "json" not in request.headers.get("content-type", ""):
        raise Rejected(415, ["Unsupported Media Type"])
    try:
        return request.json()
    except ValueError:
        raise Rejected(400, ["There was an error parsing JSON. Check that your request body is valid."]) from None
