"""Files on issues (Jira Cloud REST API: "Issue attachments")."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from urllib.parse import quote

from sandbox.jira import parts
from sandbox.jira.api import Call, endpoint
from sandbox.jira.attaching import SIZE_LIMIT
from sandbox.jira.issues import Attachment, Issue
from sandbox.jira.refusals import Rejected
from sandbox.wire import Answer, Request


@endpoint("POST", "issue/{}/attachments")
def attach(call: Call, id: str) -> Answer:
    """Multipart parts named ``file``. Without ``X-Atlassian-Token: no-check`` it is taken for a forged request."""
    if call.request.headers.get("x-atlassian-token", "").lower() not in ("no-check", "nocheck"):
        return Answer(403, b"XSRF check failed", {"Content-Type": "text/html;charset=UTF-8"})
    issue, user = call.issue(id), call.known_user()
    made = call.jira.attaching.attach(user, issue, files(call.request))
    return Answer.of([parts.attachment(call.view, one) for one in made])


def files(request: Request) -> list[tuple[str, str, bytes]]:
    """Name, type and content of every part named ``file``."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise Rejected(415, ["Unsupported Media Type"])
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body, policy=policy.HTTP)
    found: list[tuple[str, str, bytes]] = []
    for part in form.iter_parts() if form.is_multipart() else ():
        content = part.get_payload(decode=True)
        if part.get_param("name", header="content-disposition") == "file" and isinstance(content, bytes):
            told = part.get_content_type() if "content-type" in part else ""
            found.append((part.get_filename("file"), told, content))
    if not found:
        raise Rejected(400, ["The request holds no part named 'file'."])
    return found


@endpoint("GET", "attachment/meta")
def settings(call: Call) -> Answer:
    return Answer.of({"enabled": True, "uploadLimit": SIZE_LIMIT})


@endpoint("GET", "attachment/{}")
def one(call: Call, id: str) -> Answer:
    """Here the id is a number, in lists of an issue it is a text."""
    _, file = attached(call, id)
    return Answer.of({**parts.attachment(call.view, file), "id": file.id})


@endpoint("DELETE", "attachment/{}")
def detach(call: Call, id: str) -> Answer:
    issue, file = attached(call, id)
    call.jira.attaching.detach(call.known_user(), issue, file)
    return Answer(204)


@endpoint("GET", "attachment/content/{}")
def content(call: Call, id: str) -> Answer:
    """303 to where the bytes are, which need no credentials; with ``redirect=false`` the bytes, or a range of them."""
    _, file = attached(call, id)
    if call.request.one("redirect", "true").lower() != "false":
        place = f"{call.view.base}/rest/api/{call.view.version}/attachment/binary/{file.id}"
        return Answer(303, b"", {"Location": f"{place}?name={quote(file.name)}"})
    wanted = call.request.headers.get("range")
    return part_of(file, wanted) if wanted else Answer(200, file.content, {"Content-Type": file.kind})


@endpoint("GET", "attachment/binary/{}")
def binary(call: Call, id: str) -> Answer:
    """The media service's address that ``content`` leads to."""
    _, file = found(call, id)
    return Answer(200, file.content, {"Content-Type": file.kind})


def part_of(file: Attachment, wanted: str) -> Answer:
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if asked is None:
        raise Rejected(400, ["The range is malformed."])
    start, end = int(asked[1]), min(int(asked[2] or len(file.content)), len(file.content) - 1)
    if start > end:
        return Answer(416, b"", {"Content-Range": f"bytes */{len(file.content)}"})
    headers = {"Content-Type": file.kind, "Content-Range": f"bytes {start}-{end}/{len(file.content)}"}
    return Answer(206, file.content[start : end + 1], headers)


def attached(call: Call, id: str) -> tuple[Issue, Attachment]:
    """A file on an issue that the user sees."""
    issue, file = found(call, id)
    if not issue.visible(call.jira.site, call.user):
        raise missing(id)
    return issue, file


def found(call: Call, id: str) -> tuple[Issue, Attachment]:
    issue = call.store.owner(id)
    file = next((one for one in issue.attachments if str(one.id) == id), None) if issue else None
    if issue is None or file is None:
        raise missing(id)
    return issue, file


def missing(id: str) -> Rejected:
    return Rejected(404, [f"The attachment with id '{id}' does not exist"])
