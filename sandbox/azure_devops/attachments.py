"""The routes of attachments: a file in one piece, a file in chunks, and its bytes."""

from __future__ import annotations

import re
from urllib.parse import quote

from sandbox.azure_devops.call import Call, answered
from sandbox.azure_devops.errors import Problem, bad_request
from sandbox.azure_devops.files import File, no_file
from sandbox.wire import Answer

_RANGE = re.compile(r"bytes\s+([0-9]{1,15})\s*-\s*([0-9]{1,15})\s*/\s*([0-9]{1,15})$", re.IGNORECASE)


def too_large(limit: int) -> Problem:
    text = f"TF237082: The file you are trying to upload exceeds the supported file upload size of {limit} bytes."
    return Problem(400, text, "WorkItemAttachmentExceedsMaxSizeException")


def reference(call: Call, file: File) -> dict[str, str]:
    return {"id": file.id, "url": f"{call.render.base}/_apis/wit/attachments/{file.id}?fileName={quote(file.name)}"}


def post_file(call: Call) -> Answer:
    """Uploads a file in one piece, or announces one that comes in chunks; 201 (vendor's examples)."""
    name = call.query("fileName") or "attachment"
    if call.query("uploadType").lower() == "chunked":
        return answered(reference(call, call.org.files.add(name, b"", total=-1)), 201)
    need_octets(call)
    content = call.request.body
    if len(content) > min(call.org.switches.upload, call.org.switches.file_size):
        raise too_large(min(call.org.switches.upload, call.org.switches.file_size))
    return answered(reference(call, call.org.files.add(name, content)), 201)


def put_chunk(call: Call) -> Answer:
    """The next bytes of a file, as ``Content-Range: bytes 0-9/50`` says; they come in order."""
    need_octets(call)
    file = call.org.files.by_id.get(call.args["id"].lower())
    match = _RANGE.match(call.request.headers.get("content-range", "").strip())
    if file is None:
        raise no_file(call.args["id"])
    if match is None:
        raise bad_request("The Content-Range header is missing or not valid.")
    first, last, total = (int(part) for part in match.groups())
    if total > call.org.switches.file_size:
        raise too_large(call.org.switches.file_size)
    if first != len(file.content) or last - first + 1 != len(call.request.body) or file.total not in (-1, total):
        raise bad_request("The range of the chunk does not follow the bytes that were uploaded before.")
    file.content, file.total = file.content + call.request.body, total
    return answered(reference(call, file), 201)


def need_octets(call: Call) -> None:
    kind = call.request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/octet-stream":
        text = (
            f'The request indicated a Content-Type of "{kind}" for method type "{call.request.method}" which is not '
            "supported. Valid content types for this method are: application/octet-stream."
        )
        raise bad_request(text, "VssRequestContentTypeNotSupportedException", status=415)


def get_file(call: Call) -> Answer:
    file = call.org.files.named(call.args["id"])
    name = call.query("fileName") or file.name
    headers = {"Content-Type": "application/octet-stream"}
    if call.flag("download"):
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return Answer(200, file.content, headers)
