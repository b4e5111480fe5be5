"""The simulated Table API's smaller parameters, relative dates, and what a session user is: zone and roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from sandbox.servicenow import Model
from sandbox.servicenow.switches import MEGABYTE, Switches
from tests.servicenow_wire import Wire, failure


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire(Model(views={"mobile": ("number", "short_description")}))
    yield wire
    wire.close()


class TestParameters:
    def test_a_view_chooses_the_fields_where_none_are_named(self, wire: Wire) -> None:
        # ServiceNow docs, Table API: sysparm_fields takes precedence
        wire.post(short_description="x")
        assert wire.rows(view="mobile") == [{"number": "INC0010001", "short_description": "x"}]
        assert wire.rows(view="mobile", fields="impact") == [{"impact": "3"}]
        assert len(wire.rows(view="unknown")[0]) == len(wire.rows()[0])

    @pytest.mark.parametrize("name", ["query_category", "query_no_domain"])
    def test_a_replica_or_domain_makes_no_difference_here(self, wire: Wire, name: str) -> None:
        wire.post()
        assert wire.rows(**{name: "true"}) == wire.rows()

    def test_the_answer_s_body_can_be_left_out(self, wire: Wire) -> None:
        headers = {"X-no-response-body": "true"}
        made = wire.call("POST", json={"short_description": "a"}, headers=headers)
        assert (made.status_code, made.content) == (201, b"")
        id = made.headers["Location"].rpartition("/")[2]
        changed = wire.call("PATCH", f"/{id}", json={"short_description": "b"}, headers=headers)
        assert (changed.status_code, changed.content) == (200, b"")
        assert wire.snow.item(id)["short_description"] == "b"

    def test_head_is_get_without_a_body(self, wire: Wire) -> None:
        wire.post()
        answer = wire.call("HEAD")
        assert (answer.status_code, answer.content, answer.headers["X-Total-Count"]) == (200, b"", "1")

    def test_an_address_that_is_no_resource_is_400(self, wire: Wire) -> None:
        told = (400, "Requested URI does not represent any resource", None)
        assert failure(wire.api("GET", "tables/incident")) == told
        assert failure(wire.api("GET", "table/incident/1/2")) == told

    def test_no_write_is_conditional(self, wire: Wire) -> None:
        # apis.md 1.5: no ETag, and If-Match is not looked at: the last write wins
        row = wire.post(short_description="a")
        answer = wire.call("GET", f"/{row['sys_id']}")
        assert "ETag" not in answer.headers
        wire.patch(row["sys_id"], short_description="b")
        stale = {"If-Match": '"0"', "If-Unmodified-Since": answer.headers["Date"]}
        assert wire.call("PATCH", f"/{row['sys_id']}", json={"impact": "1"}, headers=stale).status_code == 200

    def test_a_caret_in_a_value_cannot_be_escaped(self, wire: Wire) -> None:
        # apis.md 1.2: it parts the query, and what follows is read as a condition of its own
        for title in ("a", "a^b", "c"):
            wire.post(short_description=title)
        assert wire.titles("short_description=a^b^ORDERBYnumber") == ["a"]
        assert wire.titles("short_description=x^ORsys_idISNOTEMPTY^ORDERBYnumber") == ["a", "a^b", "c"]

    def test_a_negative_or_unreadable_limit_is_no_trap(self, wire: Wire) -> None:
        wire.post()
        assert len(wire.rows(limit="", offset="x")) == 1

    @pytest.mark.parametrize(
        "asked",
        ["GET table/incident", "GET stats/incident", "GET attachment", "POST import/u_none", "POST v1/batch"],
    )
    def test_every_api_wants_a_signed_in_user(self, wire: Wire, asked: str) -> None:
        method, _, path = asked.partition(" ")
        answer = requests.request(method, f"{wire.server.url}/api/now/{path}", timeout=10)
        assert failure(answer) == (401, "User Not Authenticated", "Required to provide Auth information")

    def test_a_named_filter_takes_a_user_name_or_a_full_name(self, wire: Wire) -> None:
        # ServiceNow docs, Table API: &assigned_to=john.smith
        wire.snow.create({"assigned_to": "john.smith"}, "jane")
        wire.post()
        for name in ("john.smith", "John Smith"):
            found = wire.call("GET", params={"assigned_to": name, "active": "true"}).json()["result"]
            assert [row["number"] for row in found] == ["INC0010001"]

    def test_sizes_are_those_of_the_properties_defaults(self) -> None:
        # apis.md 1.7
        sizes = Switches()
        assert (sizes.max_content, sizes.max_attachment) == (10 * MEGABYTE, 1024 * MEGABYTE)
        assert (sizes.batch_input, sizes.batch_output) == (5 * MEGABYTE, 10 * MEGABYTE)


class TestRelativeDates:
    @pytest.fixture(autouse=True)
    def estate(self, wire: Wire) -> None:
        """One incident each at 08:00, 09:00 and 10:00 UTC of 5 January; it is 11:00."""
        for title in ("eight", "nine", "ten"):
            wire.snow.create({"short_description": title}, "jane")
            wire.clock.advance(timedelta(hours=1))

    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("RELATIVEGT@hour@ago@2", "ten"),
            ("RELATIVEGE@minute@ago@120", "nine ten"),
            ("RELATIVELT@hour@ago@2", "eight"),
            ("RELATIVELE@hour@ago@3", "eight"),
            ("RELATIVEGT@dayofweek@ago@1", "eight nine ten"),
            ("RELATIVELT@hour@ahead@1", "eight nine ten"),
            (">javascript:gs.hoursAgo(2)", "ten"),
            (">=javascript:gs.hoursAgoStart(2)", "nine ten"),
            (">=javascript:gs.minutesAgoStart(61)", "ten"),
            ("<=javascript:gs.nowDateTime()", "eight nine ten"),
            ("<javascript:gs.beginningOfToday()", ""),
            ("ONToday@javascript:gs.beginningOfToday()@javascript:gs.endOfToday()", "eight nine ten"),
            (">javascript:gs.daysAgoEnd(1)", "eight nine ten"),
            ("BETWEENjavascript:gs.hoursAgo(3)@javascript:gs.hoursAgo(2)", "eight nine"),
        ],
    )
    def test_a_condition_on_a_stamp_is_read_now(self, wire: Wire, condition: str, found: str) -> None:
        # ServiceNow docs, Operators available for filters and queries
        assert " ".join(wire.titles(f"sys_created_on{condition}^ORDERBYnumber")) == found

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("short_descriptionCONTAINSn", "nine ten"),
            ("short_descriptionDOES NOT CONTAINn", "eight"),
            ("short_descriptionANYTHING", "eight nine ten"),
            ("descriptionEMPTYSTRING", "eight nine ten"),
        ],
    )
    def test_operators_go_by_other_names_too(self, wire: Wire, query: str, found: str) -> None:
        assert " ".join(wire.titles(f"{query}^ORDERBYnumber")) == found

    @pytest.mark.parametrize(("zone", "found"), [("US/Pacific", "nine ten"), ("Europe/Berlin", "eight nine ten")])
    def test_a_generated_date_is_read_in_the_session_user_s_zone(self, wire: Wire, zone: str, found: str) -> None:
        # apis.md 1.2 [S, C]; a raw literal is UTC for everybody
        wire.snow.set_user("lockstep", time_zone=zone)
        generated = "sys_created_on>javascript:gs.dateGenerate('2026-01-05','00:30:00')^ORDERBYnumber"
        assert " ".join(wire.titles(generated)) == found
        assert wire.titles("sys_created_on>2026-01-05 08:30:00^ORDERBYnumber") == ["nine", "ten"]

    def test_a_generated_date_that_is_none_matches_as_text(self, wire: Wire) -> None:
        assert wire.titles("sys_created_on<javascript:gs.dateGenerate('2026-13-40','00:00:00')^ORDERBYnumber") == [
            "eight",
            "nine",
            "ten",
        ]


class TestUsers:
    @pytest.mark.parametrize(
        ("zone", "shown"),
        [("", "2026-01-05 00:00:00"), ("GMT", "2026-01-05 08:00:00"), ("Japan", "2026-01-05 17:00:00")],
    )
    def test_display_values_are_in_the_user_s_zone_or_else_the_instance_s(
        self, wire: Wire, zone: str, shown: str
    ) -> None:
        wire.snow.create({}, "jane")
        wire.snow.set_user("lockstep", time_zone=zone)
        (row,) = wire.rows(fields="sys_created_on", display_value="all")
        assert row["sys_created_on"] == {"display_value": shown, "value": "2026-01-05 08:00:00"}

    def test_input_by_display_value_is_read_in_the_user_s_zone(self, wire: Wire) -> None:
        wire.snow.set_user("lockstep", time_zone="Japan")
        body = {"due_date": "2026-01-05 17:00:00"}
        params = {"sysparm_input_display_value": "true"}
        assert wire.call("POST", json=body, params=params).json()["result"]["due_date"] == "2026-01-05 08:00:00"

    def test_a_user_s_zone_and_kind_can_be_read(self, wire: Wire) -> None:
        wire.snow.set_user("lockstep", time_zone="GMT", web_service_access_only="true")
        (row,) = wire.rows("user_name=javascript:gs.getUserName()", "sys_user")
        assert (row["time_zone"], row["web_service_access_only"]) == ("GMT", "true")

    def test_roles_are_rows_that_lead_to_their_names(self, wire: Wire) -> None:
        # the example of ServiceNow docs, Dot-walking in REST API requests
        wire.snow.grant("lockstep", "itil")
        found = wire.rows(
            "user.user_name=lockstep", "sys_user_has_role", fields="role.name,user.name,role", display_value="true"
        )
        assert [(row["role.name"], row["user.name"]) for row in found] == [("itil", "Lockstep")]
        assert found[0]["role"]["display_value"] == "itil" and "/sys_user_role/" in found[0]["role"]["link"]

    @pytest.mark.parametrize("admin", [False, True])
    def test_properties_are_for_admins(self, wire: Wire, admin: bool) -> None:
        if admin:
            wire.snow.rights.unreadable = set()
        found = wire.rows("nameINinstance_name,glide.sys.default.tz^ORDERBYname", "sys_properties")
        assert [row["value"] for row in found] == (["US/Pacific", "snow"] if admin else [])
