"""The Attachment API (ServiceNow docs, Attachment API): files on records, raw or multipart."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import orjson

from sandbox.servicenow.database import Database, Session
from sandbox.servicenow.errors import Problem, no_right, not_found
from sandbox.servicenow.finder import Finder, base_of, flag, whole
from sandbox.servicenow.quota import Quota, cancelled
from sandbox.servicenow.rest import answer, json_of, links
from sandbox.servicenow.table import Row, Table
from sandbox.servicenow.writes import Writes
from sandbox.wire import Answer, Request

#: what the samples of the docs show, in their order
SHOWN = (
    "table_sys_id size_bytes download_link sys_updated_on sys_id image_height sys_created_on file_name sys_created_by "
    "compressed average_image_color sys_updated_by sys_tags table_name image_width sys_mod_count content_type "
    "size_compressed"
).split()


@dataclass(frozen=True, slots=True)
class File:
    """What an upload brings."""

    table: str
    record: str
    name: str
    kind: str
    content: bytes


class AttachmentApi:
    def __init__(self, data: Database, writes: Writes, finder: Finder, quota: Quota) -> None:
        self.data, self.writes, self.finder, self.quota = data, writes, finder, quota

    @property
    def table(self) -> Table:
        return self.data.tables["sys_attachment"]

    def answer(self, request: Request, session: Session, version: str, first: str, second: str) -> Answer:
        match request.method, first, second:
            case "GET", "", "":
                return self.page(request, session)
            case "GET", id, "":
                return answer(shown(self.row(id), base_of(request)))
            case "GET", id, "file":
                return self.file(request, self.row(id))
            case "POST", "file", "":
                return self.attach(request, session, sent_raw(request))
            case "POST", "upload", "":
                return self.attach(request, session, sent_in_parts(request))
            case "PATCH", id, "" if id:
                return self.rename(request, session, self.row(id))
            case "DELETE", id, "" if id:
                return self.remove(session, self.row(id))
        raise Problem(405, "Method not allowed", f"{request.method} is not supported for this resource")

    # -- reading

    def page(self, request: Request, session: Session) -> Answer:
        """Metadata of many; the limit (1000 by default) is applied before the access rules."""
        limit, offset = whole(request, "sysparm_limit", 1000), whole(request, "sysparm_offset", 0)
        rows = self.finder.rows(request, self.table, session, offset)
        seen = [row for row in rows[offset : offset + limit] if self.visible(row)]
        headers = {"X-Total-Count": str(len(rows))}
        if not flag(request, "sysparm_suppress_pagination_header"):
            headers["Link"] = links(request, offset, limit, len(rows))
        sent = self.quota.rows(len(seen))
        told = [shown(row, base_of(request)) for row in seen[:sent]]
        return answer(told, 200, headers) if sent == len(seen) else cancelled(told, headers, self.quota.cut_short)

    def row(self, id: str) -> Row:
        """The attachment; one that may not be read does not exist."""
        row = self.table.rows.get(id)
        if row is None or not self.visible(row):
            raise not_found()
        return row

    def visible(self, row: Row) -> bool:
        """An attachment is read by those who may read its record."""
        rights = self.finder.rights
        return self.finder.visible(row) and rights.readable("sys_attachment") and rights.readable(row["table_name"])

    def file(self, request: Request, row: Row) -> Answer:
        """The bytes, with the metadata in a header. JSON in Accept is what clients send by default and is no wish."""
        accept, kind = request.headers.get("accept", "*/*"), row["content_type"]
        wanted = ("*/*", "application/json", kind, f"{kind.partition('/')[0]}/*")
        if not any(each in accept for each in wanted):
            raise Problem(406, "Not acceptable", f"Cannot produce content of type {accept}")
        metadata = orjson.dumps(shown(row, base_of(request))).decode()
        return Answer(200, self.data.contents[row["sys_id"]], {"Content-Type": kind, "X-Attachment-Metadata": metadata})

    # -- writing

    def attach(self, request: Request, session: Session, file: File) -> Answer:
        table = self.finder.table(file.table)
        record = table.rows.get(file.record)
        if record is None or not self.finder.visible(record) or not self.finder.rights.readable(table.name):
            raise not_found()
        rights = self.finder.rights
        if rights.refuses("insert", "sys_attachment") or rights.refuses("update", table.name):
            raise no_right("Insert")
        self.check(file)
        row = self.data.insert("sys_attachment", stored(file), session.user, self.data.clock.tick())
        self.data.contents[row["sys_id"]] = file.content
        if self.finder.switches.attaching_bumps and table.name in self.data.models:
            self.writes.touch(table, file.record, session.user)
        where = f"{base_of(request)}/api/now/attachment/{row['sys_id']}"
        return answer(self.described(row, base_of(request)), 201, {"Location": where})

    def check(self, file: File) -> None:
        """The limits that an admin sets: size and kind of files."""
        switches = self.finder.switches
        if len(file.content) > switches.max_attachment:
            raise Problem(400, "Bad Request", f"File size exceeds the maximum of {switches.max_attachment} bytes")
        ending = file.name.rpartition(".")[2].lower()
        if switches.extensions and ending not in switches.extensions:
            raise Problem(400, "Bad Request", f"File type is not allowed or MIME type does not match: {file.name}")

    def described(self, row: Row, base: str) -> dict[str, str]:
        """What an upload answers: the metadata, and who it was by full name."""
        user = self.data.tables["sys_user"].find("user_name", row["sys_created_by"]) or {}
        name = user.get("name", row["sys_created_by"])
        return {**shown(row, base), "created_by_name": name, "updated_by_name": name}

    def rename(self, request: Request, session: Session, row: Row) -> Answer:
        body = json_of(request)
        name = str(body.get("file_name") or "") if isinstance(body, dict) else ""
        if not name:
            raise Problem(400, "Bad Request", "file_name is required")
        self.check_right("Update", row)
        count = str(int(row.get("sys_mod_count", "0")) + 1)
        stamp = self.data.stamp("sys_attachment", self.data.clock.tick())
        changed = {"file_name": name, "sys_updated_on": stamp, "sys_updated_by": session.user, "sys_mod_count": count}
        self.table.put({**row, **changed})
        return Answer(204)

    def remove(self, session: Session, row: Row) -> Answer:
        self.check_right("Delete", row)
        self.writes.detach(row["sys_id"])
        return Answer(204)

    def check_right(self, operation: str, row: Row) -> None:
        rights = self.finder.rights
        if rights.refuses(operation.lower(), "sys_attachment") or rights.refuses("update", row["table_name"]):
            raise no_right(operation)


def stored(file: File) -> Row:
    return {
        "table_name": file.table,
        "table_sys_id": file.record,
        "file_name": file.name,
        "content_type": file.kind,
        "compressed": "true",
        "size_bytes": str(len(file.content)),
        "size_compressed": str(len(zlib.compress(file.content, 1))),
    }


def shown(row: Row, base: str) -> dict[str, str]:
    link = f"{base}/api/now/attachment/{row['sys_id']}/file"
    return {name: link if name == "download_link" else row.get(name, "") for name in SHOWN}


def sent_raw(request: Request) -> File:
    """``/attachment/file``: everything but the bytes stands in the address and in Content-Type."""
    kind = request.headers.get("content-type", "")
    names = ("table_name", "table_sys_id", "file_name")
    missing = [name for name in names if not request.one(name)] + ([] if kind else ["Content-Type"])
    if missing:
        raise Problem(400, "Bad Request", f"Missing mandatory parameters: {', '.join(missing)}")
    table, record, name = (request.one(each) for each in names)
    return File(table, record, name, kind.partition(";")[0].strip(), request.body)


def sent_in_parts(request: Request) -> File:
    """``/attachment/upload``: the file is the last part; what stands behind it is not read."""
    kind = request.headers.get("content-type", "")
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    fields: dict[str, str] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_filename():
            fields |= {"file_name": str(part.get_filename())}
            return in_parts(fields, part)
        fields[named(part)] = content(part).decode("utf-8", "replace").strip()
    raise Problem(400, "Bad Request", "The request is no multipart message with a file")


def in_parts(fields: dict[str, str], part: Message) -> File:
    missing = [name for name in ("table_name", "table_sys_id") if not fields.get(name)]
    if missing:
        raise Problem(400, "Bad Request", f"Missing mandatory parameters: {', '.join(missing)}")
    table, record = fields["table_name"], fields["table_sys_id"]
    return File(table, record, fields["file_name"], part.get_content_type(), content(part))


def named(part: Message) -> str:
    return str(part.get_param("name", "", header="content-disposition"))


def content(part: Message) -> bytes:
    payload: Any = part.get_payload(decode=True)
    return bytes(payload or b"")
