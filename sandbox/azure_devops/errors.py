"""Errors as the service words them: the exception wrapper with typeKey (recorded bodies, and those that client code
and threads quote)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sandbox.wire import Answer

_SERVER = "Microsoft.TeamFoundation.WorkItemTracking.Server"
_COMMON = "Microsoft.VisualStudio.Services.Common"

#: status code of a rule that the value breaks (recorded: required and empty)
REQUIRED = (524293, "required, hasValues, invalidEmpty")
NOT_IN_LIST = (8388677, "required, hasValues, limitedToValues, allowsOldValue, invalidNotOldValue")
TOO_LONG = (33554433, "required, invalidTooLong")
BAD_CHARACTERS = (67108865, "required, invalidCharacters")
BAD_TYPE = (16777217, "required, invalidType")
READ_ONLY = (1048578, "readOnly, hasValues, invalidNotOldValue")


@dataclass
class Problem(Exception):
    """An error that is answered. ``properties`` are the body's customProperties."""

    status: int
    message: str
    type_key: str
    namespace: str = _SERVER
    event_id: int = 3200
    properties: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        custom = {} if self.properties is None else {"customProperties": self.properties}
        return {
            "$id": "1",
            **custom,
            "innerException": None,
            "message": self.message,
            "typeName": f"{self.namespace}.{self.type_key}, {self.namespace.removesuffix('.Exceptions')}",
            "typeKey": self.type_key,
            "errorCode": 0,
            "eventId": self.event_id,
        }

    def answer(self, bom: bool = False, plain: bool = False) -> Answer:
        """``bom``: the body begins with a byte order mark, as a recorded 503 does. ``plain``: it is text."""
        if plain:
            headers = {"x-tfs-serviceerror": quote(self.message, safe=""), "Content-Type": "text/plain; charset=utf-8"}
            return Answer(self.status, self.message.encode(), headers)
        # recorded: a body that is JSON comes without the header, but for the host's own refusal
        told = {"x-tfs-serviceerror": quote(self.message, safe="")} if bom else {}
        answer = Answer.of(self.body(), self.status, {**told, **self.headers})
        answer.headers["Content-Type"] = "application/json; charset=utf-8"
        answer.body = (b"\xef\xbb\xbf" if bom else b"") + answer.body
        return answer


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that one field breaks: the field's reference name, its friendly name, and what is wrong."""

    field: str
    name: str
    code: tuple[int, str]
    message: str = ""

    def text(self) -> str:
        flags = ", ".join(flag[0].upper() + flag[1:] for flag in self.code[1].split(", "))
        return self.message or f"TF401320: Rule Error for field {self.name}. Error code: {flags}."

    def entry(self) -> dict[str, Any]:
        return {
            "fieldReferenceName": self.field,
            "fieldStatusFlags": self.code[1],
            "errorMessage": self.text(),
            "fieldStatusCode": self.code[0],
            "ruleValidationErrors": None,
        }


def rules_broken(broken: Sequence[Broken]) -> Problem:
    """400 RuleValidationException; the message is the first field's (recorded)."""
    first = broken[0]
    properties = {
        "FieldReferenceName": first.field,
        "FieldStatusFlags": first.code[1],
        "ErrorMessage": first.text(),
        "FieldStatusCode": first.code[0],
        "RuleValidationErrors": [one.entry() for one in broken],
    }
    return Problem(400, first.text(), "RuleValidationException", properties=properties)


def no_item(id: object) -> Problem:
    """404, for a missing item and a hidden one alike (recorded)."""
    text = f"TF401232: Work item {id} does not exist, or you do not have permissions to read it."
    return Problem(404, text, "WorkItemUnauthorizedAccessException")


def no_comment(item: int, comment: int) -> Problem:
    text = f"TF401416: Comment {comment} of work item {item} does not exist."
    return Problem(404, text, "WorkItemCommentNotFoundException")


def no_project(name: str) -> Problem:
    text = (
        f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and "
        "that the project exists on the specified Azure DevOps Server."
    )
    namespace = "Microsoft.TeamFoundation.Core.WebApi"
    return Problem(404, text, "ProjectDoesNotExistWithNameException", namespace, 3000)


def no_type(name: str, project: str) -> Problem:
    text = f"VS402323: Work item type {name} does not exist in project {project} or you may not access it."
    return Problem(404, text, "WorkItemTypeNotFoundException")


def no_field(name: str) -> Problem:
    return Problem(400, f"TF51535: Cannot find field {name}.", "WorkItemTrackingFieldDefinitionNotFoundException")


def stale(id: int, found: int, wanted: object, status: int = 412) -> Problem:
    """412 for a test of /rev that fails (quoted by several clients); with 409, what two writers at once get."""
    if status == 409:
        return clash(id, 409)
    text = f"VS403351: Test Operation for path /rev failed, value {found} was not equal to test value {wanted}"
    return Problem(412, text, "TestPatchOperationFailedException")


def clash(id: int, status: int) -> Problem:
    """409 or 412 where another writer came first (several clients tell of both)."""
    text = (
        f"TF26071: This work item has been changed by someone else since you opened it. You will need to refresh it "
        f"and discard your changes. Work item: {id}."
    )
    return Problem(status, text, "WorkItemRevisionMismatchException")


def too_many_revisions(id: int, count: int, most: int) -> Problem:
    """Quoted in a thread (onefuzz 3491)."""
    text = (
        f"Work item {id} has {count} revisions, but currently, when updating via the API, only work items with up to "
        f"{most} revisions are supported."
    )
    return Problem(400, text, "VssServiceException", _COMMON)


def bad_request(
    message: str, type_key: str = "VssPropertyValidationException", event_id: int = 3000, status: int = 400
) -> Problem:
    return Problem(status, message, type_key, _COMMON, event_id)


def throttled(seconds: float, status: int = 429) -> Answer:
    """A 429 or 503 with TF400733 (rate limits page), for a fault's ``answer``."""
    text = (
        "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource "
        "'Concurrency' in namespace 'User'. For more information on why your request was blocked, see the topic "
        '"Rate limits" on the Microsoft Web site.'
    )
    namespace = "Microsoft.TeamFoundation.Framework.Server"
    return Problem(status, text, "RequestBlockedException", namespace, 3000, headers=delayed(seconds)).answer()


def delayed(seconds: float) -> dict[str, str]:
    """The headers of an answer that was, or will be, delayed (rate limits page)."""
    return {
        "Retry-After": f"{seconds:g}",
        "X-RateLimit-Resource": "WorkItemTracking/Concurrency",
        "X-RateLimit-Delay": f"{seconds:.3f}",
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": "0",
    }


def stopped(organisation: str) -> Problem:
    """The recorded 503 of an organisation that is stopped; its body begins with a byte order mark."""
    text = (
        f"TF24668: The following team project collection is stopped: {organisation}. Start the collection and then try "
        "again. Administrator Reason: This Azure DevOps organization has been deactivated due to inactivity. For more "
        "information please visit aka.ms/adofootprintreduction"
    )
    return Problem(503, text, "VssServiceException", _COMMON, 3000)
