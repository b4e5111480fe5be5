"""A simulated ServiceNow that is put back to a backup, or cloned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.clock import SandboxClock
from sandbox.servicenow import Model, ServiceNow
from sandbox.servicenow.imports import TransformMap
from tests.servicenow_wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


class TestRestore:
    def test_later_records_are_gone_and_later_changes_undone(self, wire: Wire) -> None:
        kept = wire.post(short_description="a", comments="first")
        backup = wire.snow.snapshot()
        wire.clock.advance(timedelta(hours=1))
        wire.patch(kept["sys_id"], short_description="b", comments="second", correlation_id="k1")
        later = wire.post(short_description="c")
        wire.snow.restore(backup)
        after = wire.call("GET", f"/{kept['sys_id']}").json()["result"]
        assert (after["short_description"], after["sys_mod_count"], after["correlation_id"]) == ("a", "0", "")
        assert after["sys_updated_on"] == kept["sys_updated_on"]
        assert wire.call("GET", f"/{later['sys_id']}").status_code == 404
        assert [row["value"] for row in wire.rows("", "sys_journal_field")] == ["first"]
        assert [remark["text"] for remark in wire.snow.comments(kept["sys_id"])] == ["first"]
        assert wire.titles("sys_updated_on>=2026-01-05 08:30:00") == []

    def test_a_number_is_given_out_again_to_another_record(self, wire: Wire) -> None:
        backup = wire.snow.snapshot()
        first = wire.post()
        wire.snow.restore(backup)
        second = wire.post()
        assert second["number"] == first["number"] and second["sys_id"] != first["sys_id"]

    def test_a_deleted_record_and_its_files_come_back(self, wire: Wire) -> None:
        record = wire.post()["sys_id"]
        params = {"table_name": "incident", "table_sys_id": record, "file_name": "a.txt"}
        headers = {"Content-Type": "text/plain"}
        file = wire.api("POST", "attachment/file", params=params, data=b"x", headers=headers).json()["result"]
        backup = wire.snow.snapshot()
        wire.call("DELETE", f"/{record}")
        wire.snow.restore(backup)
        assert wire.call("GET", f"/{record}").status_code == 200
        assert wire.api("GET", f"attachment/{file['sys_id']}/file").content == b"x"
        assert wire.rows("", "sys_audit_delete") == []

    def test_a_backup_can_be_restored_twice_and_is_not_touched_by_what_follows(self, wire: Wire) -> None:
        id = wire.post(short_description="a")["sys_id"]
        backup = wire.snow.snapshot()
        for title in ("b", "c"):
            wire.patch(id, short_description=title)
            wire.snow.restore(backup)
            assert wire.titles("correlation_idISEMPTY") == ["a"]

    def test_what_was_due_in_the_backup_is_due_again(self, wire: Wire) -> None:
        id = wire.post(state="6", close_code="Solution provided", close_notes="x")["sys_id"]
        backup = wire.snow.snapshot()
        wire.clock.advance(timedelta(days=8))
        assert wire.call("GET", f"/{id}").json()["result"]["state"] == "7"
        wire.snow.restore(backup)
        assert wire.call("GET", f"/{id}").json()["result"]["state"] == "7"
        assert wire.snow.item(id)["sys_mod_count"] == "1"

    def test_sessions_are_void(self, wire: Wire) -> None:
        wire.call("GET")
        backup = wire.snow.snapshot()
        wire.snow.restore(backup)
        assert wire.snow.gate.sessions == {}
        assert wire.call("GET").status_code == 200


class TestClone:
    def test_a_clone_holds_the_same_under_its_own_name_and_lives_on_alone(self, wire: Wire) -> None:
        row = wire.post(short_description="a", correlation_id="k1", correlation_display="lockstep", comments="hello")
        wire.snow.rights.hidden_fields = {("incident", "description")}
        clone = wire.snow.clone("test", SandboxClock(wire.clock.now() + timedelta(minutes=5)))
        wire.patch(row["sys_id"], short_description="b")
        item = clone.item(row["sys_id"])
        assert (item["short_description"], item["number"]) == ("a", row["number"])
        assert (item["correlation_id"], item["correlation_display"]) == ("k1", "lockstep")
        assert [remark["text"] for remark in clone.comments(row["sys_id"])] == ["hello"]
        assert clone.rights == wire.snow.rights and clone.rights is not wire.snow.rights
        clone.update(row["sys_id"], {"short_description": "c"}, "jane")
        assert wire.snow.item(row["sys_id"])["short_description"] == "b"
        assert clone.item(row["sys_id"])["sys_updated_on"] == "2026-01-05 08:05:00"
        names = clone.data.tables["sys_properties"].find("name", "instance_name")
        assert names is not None and names["value"] == "test"

    def test_both_give_the_next_number_to_records_of_their_own(self, wire: Wire) -> None:
        wire.post()
        clone = wire.snow.clone("test", wire.clock)
        mine, theirs = wire.snow.create({}, "jane"), clone.create({}, "jane")
        assert mine != theirs
        assert wire.snow.item(mine)["number"] == clone.item(theirs)["number"] == "INC0010002"

    def test_rules_and_maps_are_the_clone_s_as_well(self) -> None:
        def loud(row: dict[str, str], changes: dict[str, str], by: str) -> None:
            changes["short_description"] = "LOUD"

        snow = ServiceNow("snow", SandboxClock(), model=Model(rules=(loud,)))
        snow.imports.define(TransformMap("u_imp", {"short_description": "Title"}))
        clone = snow.clone("test", SandboxClock())
        assert clone.item(clone.create({"short_description": "x"}, "jane"))["short_description"] == "LOUD"
        assert "u_imp" in clone.imports.maps and "u_imp" in clone.data.tables
