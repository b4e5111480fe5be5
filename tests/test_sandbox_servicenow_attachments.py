"""The simulated Attachment API on the wire (ServiceNow docs, Attachment API)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from tests.servicenow_wire import Wire, failure

TEXT = {"Content-Type": "text/plain"}
#: the keys of the docs' samples
KEYS = {
    *("table_sys_id size_bytes download_link sys_updated_on sys_id image_height sys_created_on file_name").split(),
    *("sys_created_by compressed average_image_color sys_updated_by sys_tags table_name image_width").split(),
    *("sys_mod_count content_type size_compressed").split(),
}


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def upload(
    wire: Wire, record: str, name: str = "a.txt", content: bytes = b"hello", missing: str = ""
) -> requests.Response:
    params = {"table_name": "incident", "table_sys_id": record, "file_name": name}
    params.pop(missing, None)
    return wire.api("POST", "attachment/file", params=params, data=content, headers=TEXT)


class TestUpload:
    def test_a_raw_body_is_attached_and_its_metadata_answered(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        answer = upload(wire, record, "log.txt", b"x" * 1000)
        row = answer.json()["result"]
        assert answer.status_code == 201
        assert set(row) == KEYS | {"created_by_name", "updated_by_name"}
        assert all(isinstance(value, str) for value in row.values())
        assert answer.headers["Location"] == f"{wire.server.url}/api/now/attachment/{row['sys_id']}"
        assert row["download_link"] == f"{wire.server.url}/api/now/attachment/{row['sys_id']}/file"
        assert (row["table_name"], row["table_sys_id"], row["file_name"]) == ("incident", record, "log.txt")
        assert (row["size_bytes"], row["content_type"], row["compressed"]) == ("1000", "text/plain", "true")
        assert int(row["size_compressed"]) < 1000 and row["created_by_name"] == "Lockstep"

    def test_a_multipart_message_carries_the_names_before_the_file(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        form = {"table_name": "incident", "table_sys_id": record}
        content = bytes(range(256))
        answer = wire.api("POST", "attachment/upload", data=form, files={"uploadFile": ("b.bin", content, "image/x")})
        row = answer.json()["result"]
        assert (answer.status_code, row["file_name"], row["content_type"]) == (201, "b.bin", "image/x")
        assert wire.api("GET", f"attachment/{row['sys_id']}/file").content == content

    def test_what_stands_behind_the_file_part_is_not_read(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        parts = [
            ("uploadFile", ("b.txt", b"x", "text/plain")),
            ("table_name", (None, "incident")),
            ("table_sys_id", (None, record)),
        ]
        answer = wire.api("POST", "attachment/upload", files=parts)
        assert failure(answer)[0] == 400 and "table_name" in str(failure(answer)[2])

    def test_a_multipart_message_without_a_boundary_is_refused(self, wire: Wire) -> None:
        # what pysnow's multipart upload sends (stack.md 2.1)
        headers = {"Content-Type": "multipart/form-data"}
        assert wire.api("POST", "attachment/upload", data=b"raw bytes", headers=headers).status_code == 400

    @pytest.mark.parametrize("missing", ["table_name", "table_sys_id", "file_name"])
    def test_a_missing_parameter_is_400(self, wire: Wire, missing: str) -> None:
        status, _, detail = failure(upload(wire, wire.post()["sys_id"], missing=missing))
        assert status == 400 and missing in str(detail)

    def test_a_file_without_a_content_type_is_400(self, wire: Wire) -> None:
        params = {"table_name": "incident", "table_sys_id": wire.post()["sys_id"], "file_name": "a"}
        assert wire.api("POST", "attachment/file", params=params, data=b"x").status_code == 400

    def test_a_record_that_is_missing_or_hidden_is_404(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        assert upload(wire, "0" * 32).status_code == 404
        wire.snow.rights.hidden = {record}
        assert upload(wire, record).status_code == 404

    @pytest.mark.parametrize("denied", [("insert", "sys_attachment"), ("update", "incident")])
    def test_attaching_needs_the_right_to_attach_and_to_write_the_record(
        self, wire: Wire, denied: tuple[str, str]
    ) -> None:
        record = wire.post()["sys_id"]
        wire.snow.rights.denied = {denied}
        assert upload(wire, record).status_code == 403

    def test_size_and_kind_are_limited_by_properties(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        wire.snow.switches.max_attachment = 5
        assert upload(wire, record, content=b"12345").status_code == 201
        assert failure(upload(wire, record, content=b"123456"))[0] == 400
        wire.snow.switches.extensions = ("pdf",)
        assert failure(upload(wire, record, content=b"1"))[0] == 400
        assert upload(wire, record, "a.PDF", b"1").status_code == 201

    def test_a_file_may_be_larger_than_any_other_body(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        wire.snow.switches.max_content = 100
        assert upload(wire, record, content=b"x" * 200).status_code == 201

    @pytest.mark.parametrize("bumps", [False, True])
    def test_an_attachment_is_no_update_of_its_record_unless_the_switch_says_so(self, wire: Wire, bumps: bool) -> None:
        row = wire.post()
        wire.snow.switches.attaching_bumps = bumps
        wire.clock.advance(timedelta(seconds=5))
        upload(wire, row["sys_id"])
        after = wire.call("GET", f"/{row['sys_id']}").json()["result"]
        assert after["sys_mod_count"] == ("1" if bumps else "0")
        assert (after["sys_updated_on"] > row["sys_updated_on"]) is bumps


class TestReading:
    def test_metadata_is_listed_by_query_in_pages(self, wire: Wire) -> None:
        record, other = wire.post()["sys_id"], wire.post()["sys_id"]
        for n in range(5):
            upload(wire, record, f"{n}.txt")
        upload(wire, other, "other.txt")
        query = f"table_sys_id={record}^ORDERBYDESCfile_name"
        params = {"sysparm_query": query, "sysparm_limit": "2", "sysparm_offset": "2"}
        answer = wire.api("GET", "attachment", params=params)
        assert [row["file_name"] for row in answer.json()["result"]] == ["2.txt", "1.txt"]
        assert answer.headers["X-Total-Count"] == "5" and 'rel="next"' in answer.headers["Link"]
        assert all(set(row) == KEYS for row in answer.json()["result"])

    def test_a_thousand_are_listed_by_default(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        row = {"table_name": "incident", "table_sys_id": record, "file_name": "x"}
        for _ in range(1001):
            wire.snow.data.insert("sys_attachment", row, "jane", wire.clock.now())
        assert len(wire.api("GET", "attachment").json()["result"]) == 1000

    def test_one_is_read_by_its_id_and_the_old_version_answers_alike(self, wire: Wire) -> None:
        id = upload(wire, wire.post()["sys_id"]).json()["result"]["sys_id"]
        assert wire.api("GET", f"attachment/{id}").json() == wire.api("GET", f"v1/attachment/{id}").json()
        assert wire.api("GET", f"attachment/{id}").json()["result"]["sys_id"] == id

    def test_the_file_comes_as_it_was_sent_with_its_metadata_in_a_header(self, wire: Wire) -> None:
        id = upload(wire, wire.post()["sys_id"], content=b"\x00\xffhello").json()["result"]["sys_id"]
        answer = wire.api("GET", f"attachment/{id}/file")
        assert (answer.content, answer.headers["Content-Type"]) == (b"\x00\xffhello", "text/plain")
        metadata = json.loads(answer.headers["X-Attachment-Metadata"])
        assert (metadata["sys_id"], metadata["file_name"], metadata["size_bytes"]) == (id, "a.txt", "7")

    @pytest.mark.parametrize(
        ("accept", "status"), [("*/*", 200), ("text/*", 200), ("text/plain", 200), ("image/png", 406)]
    )
    def test_a_file_of_another_kind_than_accepted_is_406(self, wire: Wire, accept: str, status: int) -> None:
        id = upload(wire, wire.post()["sys_id"]).json()["result"]["sys_id"]
        assert wire.api("GET", f"attachment/{id}/file", headers={"Accept": accept}).status_code == status

    def test_an_attachment_is_as_visible_as_its_record(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        id = upload(wire, record).json()["result"]["sys_id"]
        wire.snow.rights.hidden = {record}
        assert wire.api("GET", "attachment").json() == {"result": []}
        assert wire.api("GET", f"attachment/{id}").status_code == 404
        assert wire.api("GET", f"attachment/{id}/file").status_code == 404


class TestChanging:
    def test_renaming_is_204_without_a_body(self, wire: Wire) -> None:
        id = upload(wire, wire.post()["sys_id"]).json()["result"]["sys_id"]
        answer = wire.api("PATCH", f"attachment/{id}", json={"file_name": "b.txt"})
        assert (answer.status_code, answer.content) == (204, b"")
        after = wire.api("GET", f"attachment/{id}").json()["result"]
        assert (after["file_name"], after["sys_mod_count"]) == ("b.txt", "1")
        assert wire.api("PATCH", f"attachment/{id}", json={}).status_code == 400

    def test_deleting_is_204_and_then_404(self, wire: Wire) -> None:
        id = upload(wire, wire.post()["sys_id"]).json()["result"]["sys_id"]
        assert wire.api("DELETE", f"attachment/{id}").status_code == 204
        assert wire.api("DELETE", f"attachment/{id}").status_code == 404

    def test_a_deleted_record_takes_its_attachments_along(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        id = upload(wire, record).json()["result"]["sys_id"]
        wire.call("DELETE", f"/{record}")
        assert wire.api("GET", f"attachment/{id}").status_code == 404
        assert wire.snow.data.contents == {}

    def test_the_table_api_reads_metadata_and_makes_none(self, wire: Wire) -> None:
        upload(wire, wire.post()["sys_id"])
        assert [row["file_name"] for row in wire.rows("", "sys_attachment")] == ["a.txt"]
        assert wire.call("POST", table="sys_attachment", json={"file_name": "x"}).status_code == 403
