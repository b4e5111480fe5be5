"""Attachments of the simulated Azure DevOps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.azure_devops import Switches
from tests.azure_wire import Wire, problem, wired

FILES = "Portal/_apis/wit/attachments"
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired(switches=Switches(file_size=50, upload=20, files=2)) as made:
        yield made


def upload(wire: Wire, content: bytes, name: str = "log.txt") -> requests.Response:
    return wire.call("POST", f"{FILES}?fileName={name}", data=content, headers=OCTETS)


def chunk(wire: Wire, id: str, content: bytes, start: int, total: int) -> requests.Response:
    headers = {**OCTETS, "Content-Range": f"bytes {start}-{start + len(content) - 1}/{total}"}
    return wire.call("PUT", f"{FILES}/{id}?uploadType=chunked", data=content, headers=headers)


def attach(wire: Wire, item: int, file: dict[str, Any], **attributes: str) -> requests.Response:
    return wire.link(item, "AttachedFile", file["url"], **attributes)


def test_a_file_is_uploaded_first_and_then_linked(wire: Wire) -> None:
    """apis.md 3.2; vendor's example: 201 with id and url."""
    answer = upload(wire, b"line 1\nline 2")
    assert (answer.status_code, list(answer.json())) == (201, ["id", "url"])
    assert answer.json()["url"].endswith("?fileName=log.txt")
    id = wire.create()["id"]
    body = attach(wire, id, answer.json(), comment="seen").json()
    attributes = body["relations"][0]["attributes"]
    assert (body["rev"], attributes["name"], attributes["resourceSize"], attributes["comment"]) == (
        2, "log.txt", 13, "seen",
    )  # fmt: skip
    got = wire.call("GET", f"{FILES}/{answer.json()['id']}?download=true&fileName=a%20b.txt")
    assert (got.content, got.headers["Content-Type"]) == (b"line 1\nline 2", "application/octet-stream")
    assert got.headers["Content-Disposition"].endswith("a%20b.txt")


def test_a_file_comes_in_chunks_and_is_there_when_the_last_has_come(wire: Wire) -> None:
    """wit PUT attachments/{id}: Content-Range, in order."""
    started = wire.call("POST", f"{FILES}?uploadType=chunked&fileName=big.bin", {"x": 1})
    assert started.status_code == 201
    id = started.json()["id"]
    assert chunk(wire, id, b"a" * 20, 0, 25).status_code == 201
    problem(wire.call("GET", f"{FILES}/{id}"), 404, "AttachmentNotFoundException")
    assert chunk(wire, id, b"x", 10, 25).status_code == 400
    assert chunk(wire, id, b"b" * 5, 20, 25).json()["id"] == id
    assert wire.call("GET", f"{FILES}/{id}").content == b"a" * 20 + b"b" * 5


def test_files_too_large_are_refused(wire: Wire) -> None:
    """apis.md 3.2: 60 MB each, chunks above 130 MB; here 50 and 20 bytes."""
    assert "TF237082" in problem(upload(wire, b"x" * 21), 400, "WorkItemAttachmentExceedsMaxSizeException")["message"]
    id = wire.call("POST", f"{FILES}?uploadType=chunked", {}).json()["id"]
    problem(chunk(wire, id, b"x", 0, 51), 400, "WorkItemAttachmentExceedsMaxSizeException")
    assert (Switches().file_size, Switches().upload) == (60 * 2**20, 130 * 2**20)


def test_an_item_takes_so_many_files_and_only_files_that_exist(wire: Wire) -> None:
    """Object limits page: 100; here 2."""
    id = wire.create()["id"]
    for name in ("a", "b"):
        assert attach(wire, id, upload(wire, b"x", name).json()).status_code == 200
    problem(attach(wire, id, upload(wire, b"x", "c").json()), 400, "WorkItemLinkLimitException")
    ghost = {"url": f"{wire.url}/_apis/wit/attachments/00000000-0000-0000-0000-000000000000"}
    problem(attach(wire, wire.create()["id"], ghost), 404, "AttachmentNotFoundException")


def test_an_upload_must_be_octets(wire: Wire) -> None:
    answer = wire.call("POST", FILES, {"text": "x"})
    problem(answer, 415, "VssRequestContentTypeNotSupportedException")
