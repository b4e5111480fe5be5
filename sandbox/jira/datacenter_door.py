"""The door of a Data Center: which node answers, who asks, how often, for what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.jira.api import ENDPOINTS, Call, Endpoint, called, shaped, unavailable
from sandbox.jira.beans import ANY, Misfit, Shape
from sandbox.jira.datacenter_shapes import ServerView
from sandbox.jira.refusals import Rejected
from sandbox.jira.site import Field, User
from sandbox.wire import Answer, Request

if TYPE_CHECKING:
    from sandbox.jira.datacenter import DataCenter

_PATH = re.compile(r"/rest/api/(?:2|latest)/(.*?)/?$")
HTML = {"Content-Type": "text/html;charset=UTF-8"}
#: (method, address below ``/rest/api/2/``) of what is answered as in Cloud, but for the shapes of people and comments
SHARED = (
    ("POST", "issue"),
    ("POST", "issue/bulk"),
    ("GET", "issue/{}"),
    ("DELETE", "issue/{}"),
    ("GET", "issue/{}/editmeta"),
    ("GET", "issue/{}/transitions"),
    ("GET", "issue/{}/comment"),
    ("POST", "issue/{}/comment"),
    ("GET", "issue/{}/comment/{}"),
    ("PUT", "issue/{}/comment/{}"),
    ("DELETE", "issue/{}/comment/{}"),
    ("GET", "comment/{}/properties"),
    ("GET", "comment/{}/properties/{}"),
    ("PUT", "comment/{}/properties/{}"),
    ("GET", "issue/{}/properties"),
    ("GET", "issue/{}/properties/{}"),
    ("PUT", "issue/{}/properties/{}"),
    ("DELETE", "issue/{}/properties/{}"),
    ("GET", "issue/{}/remotelink"),
    ("POST", "issue/{}/remotelink"),
    ("DELETE", "issue/{}/remotelink"),
    ("GET", "issue/{}/remotelink/{}"),
    ("PUT", "issue/{}/remotelink/{}"),
    ("DELETE", "issue/{}/remotelink/{}"),
    ("GET", "issue/{}/worklog"),
    ("POST", "issue/{}/worklog"),
    ("GET", "issue/{}/worklog/{}"),
    ("POST", "issue/{}/attachments"),
    ("GET", "attachment/meta"),
    ("GET", "attachment/{}"),
    ("DELETE", "attachment/{}"),
    ("GET", "issueLinkType"),
    ("POST", "issueLink"),
    ("GET", "issueLink/{}"),
    ("DELETE", "issueLink/{}"),
    ("GET", "issue/{}/watchers"),
    ("GET", "field"),
    ("GET", "priority"),
    ("GET", "resolution"),
    ("GET", "status"),
    ("GET", "statuscategory"),
    ("GET", "issuetype"),
    ("GET", "project"),
    ("GET", "project/{}"),
    ("GET", "project/{}/statuses"),
    ("GET", "project/{}/role"),
    ("GET", "project/{}/versions"),
    ("GET", "project/{}/components"),
    ("GET", "role"),
    ("GET", "configuration"),
)
#: marked EXPERIMENTAL in the REST API's reference
EXPERIMENTAL = re.compile(r"myself|resolution/page|(?:issue|comment)/[^/]+/properties(?:/[^/]+)?")
#: recorded for the service desk (MrRefactoring/jira.js #213)
PREVIEW = (
    "This API is experimental. Experimental APIs are not guaranteed to be stable within the preview period. You must "
    "set the header 'X-ExperimentalApi: opt-in' to opt into using this API."
)

#: recorded: bobcarroll/jira-client #256, gioboa/jira-plugin #154
UNREADABLE = (
    "Can not deserialize instance of {} out of {} token\n at [Source: org.apache.catalina.connector."
    'CoyoteInputStream@518543b4; line: 1, column: 2] (through reference chain: com.atlassian.jira.rest.v2["{}"])'
)

OWN: list[tuple[str, re.Pattern[str], Endpoint]] = []


def pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{\}", "([^/]+)"))


def server_endpoint(method: str, path: str, body: Shape = ANY) -> Callable[[Endpoint], Endpoint]:
    """Registers what only Data Center has, or answers in its own way."""

    def register(function: Endpoint) -> Endpoint:
        OWN.append((method, pattern_of(path), shaped(function, body)))
        return function

    return register


def served() -> list[tuple[str, re.Pattern[str], Endpoint]]:
    shared = {(method, pattern_of(path).pattern) for method, path in SHARED}
    return OWN + [entry for entry in ENDPOINTS if (entry[0], entry[1].pattern) in shared]


class ServerCall(Call):
    """A request in which people are called by their user names."""

    jira: DataCenter

    def misfit(self, error: Misfit) -> Rejected:
        return Rejected(400, [UNREADABLE.format(error.java, error.token, error.place)])

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        people = {name: field for name, field in self.jira.site.fields.items() if field.kind == "user"}
        return {name: self.person(people[name], v) if name in people else v for name, v in fields.items()}

    def operations(self, update: dict[str, Any]) -> dict[str, Any]:
        return self.fields(super().operations(update))

    def person(self, field: Field, value: Any) -> Any:
        """A user, or what is done to one, as the rules take it."""
        if isinstance(value, list):
            if not all(isinstance(operation, dict) for operation in value):
                raise Rejected(400, errors={field.id: "expected Object containing a 'name' property"})
            return [{verb: self.person(field, one) for verb, one in operation.items()} for operation in value]
        if value is None:
            return None
        if not isinstance(value, dict) or "name" not in value:
            raise Rejected(400, errors={field.id: "expected Object containing a 'name' property"})
        return {"accountId": self.named(field.id, value["name"])} if value["name"] else None

    def named(self, field: str, login: Any) -> str:
        user = next((user for user in self.jira.site.users.values() if user.login == login), None)
        if user is None:
            raise Rejected(400, errors={field: f"User '{login}' does not exist."})
        return user.account_id


def answer(jira: DataCenter, request: Request) -> Answer:
    """What the Data Center says to a request, from whichever node the balancer picks."""
    if jira.switches.unavailable is not None:
        return unavailable(jira.switches.unavailable)
    headers = jira.balance(request)
    user, refusal, told = sign_in(jira, request)
    limited, rates = jira.rates.take(user.account_id, jira.clock.now()) if user else (None, {})
    found = refusal or limited or routed(jira, request, user)
    found.headers.update({"X-AUSERNAME": user.login if user else "anonymous", **headers, **rates, **told})
    return found


def sign_in(jira: DataCenter, request: Request) -> tuple[User | None, Answer | None, dict[str, str]]:
    """A personal access token, or user and password; without either the sender is anonymous and served as such."""
    if request.bearer():
        users = (user for user in jira.site.users.values() if user.token and user.token == request.bearer())
        user = next(users, None)
        return (user, None, {"X-Seraph-LoginReason": "OK"}) if user else failed(jira)
    basic = request.basic()
    if basic is None:
        return None, None, {}
    if not jira.passwords:
        return None, Answer.of({"message": "Basic Authentication has been disabled on this instance."}, 403), {}
    return by_password(jira, *basic)


def by_password(jira: DataCenter, login: str, password: str) -> tuple[User | None, Answer | None, dict[str, str]]:
    """After ``attempts`` wrong passwords in a row not even the right one is taken, until the CAPTCHA is solved."""
    user = next((user for user in jira.site.users.values() if user.login == login), None)
    if user is not None and user.account_id in jira.captcha:
        denied = f"CAPTCHA_CHALLENGE; login-url={jira.base(None)}/login.jsp"
        headers = {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED", "X-Authentication-Denied-Reason": denied}
        return None, Answer(403, b"Basic Authentication Failure - Reason : AUTHENTICATION_DENIED", HTML), headers
    if user is not None and user.password and user.password == password:
        jira.failures.pop(user.account_id, None)
        return user, None, {"X-Seraph-LoginReason": "OK"}
    if user is not None:
        jira.failures[user.account_id] += 1
        if jira.failures[user.account_id] >= jira.attempts:
            jira.captcha.add(user.account_id)
    return failed(jira)


def failed(jira: DataCenter) -> tuple[None, Answer | None, dict[str, str]]:
    """401 (recorded: jira-node/node-jira-client #314), or served as anonymous all the same (go-jira/jira #8)."""
    headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
    if jira.lenient:
        return None, None, headers
    realm = {"WWW-Authenticate": f'OAuth realm="{jira.base(None)}"'}
    body = b"<html><body>Basic Authentication Failure - Reason : AUTHENTICATED_FAILED</body></html>"
    return None, Answer(401, body, {**HTML, **realm}), headers


def routed(jira: DataCenter, request: Request, user: User | None) -> Answer:
    found = _PATH.fullmatch(request.path.removeprefix(jira.context))
    base = jira.base(request)
    if found is None or not request.path.startswith(jira.context):
        # there is no version 3
        return Answer.of({"message": f"null for uri: {base}{request.path}", "status-code": 404}, 404)
    path = found[1]
    matching = [(method, f, m) for method, pattern, f in served() if (m := pattern.fullmatch(path))]
    if not matching:
        return Answer.of({"message": f"null for uri: {base}{request.path}", "status-code": 404}, 404)
    if jira.experimental and EXPERIMENTAL.fullmatch(path) and not request.headers.get("x-experimentalapi"):
        return Answer.of({"errorMessages": [PREVIEW], "errors": {}}, 412)
    call = ServerCall(jira, request, user, ServerView(jira.site, user, base, store=jira.store), None)
    for method, function, match in matching:
        if method == request.method:
            return called(call, function, match.groups())
    return Answer.of({"errorMessages": ["Method Not Allowed"], "errors": {}}, 405)
