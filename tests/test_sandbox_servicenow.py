"""The simulated ServiceNow on the wire, with plain requests: what the docs and recordings say an instance does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from sandbox.servicenow import Model, ServiceNow
from sandbox.servicenow.errors import Aborted, DataPolicy
from tests.contract import settable_clock
from tests.servicenow_wire import Wire, failure

HEX = re.compile(r"[0-9a-f]{32}")
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


class TestShapes:
    def test_a_create_is_201_with_a_location_and_every_value_a_string(self, wire: Wire) -> None:
        answer = wire.call("POST", json={"short_description": "Printer", "impact": 2, "knowledge": True})
        row = answer.json()["result"]
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"{wire.server.url}/api/now/table/incident/{row['sys_id']}"
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert HEX.fullmatch(row["sys_id"]) and row["number"] == "INC0010001"
        assert (row["impact"], row["knowledge"], row["priority"], row["state"]) == ("2", "true", "4", "1")
        assert (row["incident_state"], row["sys_mod_count"], row["sys_created_by"]) == ("1", "0", "lockstep")
        assert STAMP.fullmatch(row["sys_updated_on"]) and row["active"] == "true"
        opener = row.pop("opened_by")
        assert opener == {
            "link": f"{wire.server.url}/api/now/table/sys_user/{opener['value']}",
            "value": opener["value"],
        }
        row.pop("sys_domain")
        assert all(isinstance(value, str) for value in row.values())

    def test_a_record_shows_the_columns_that_a_recorded_one_shows(self, wire: Wire) -> None:
        # recorded from a developer instance (backstage community plugins, table API fixtures): 92 columns
        row = wire.call("GET", f"/{wire.post()['sys_id']}").json()["result"]
        assert {"task_effective_number", "universal_request", "u_none"} & set(row) == {
            "task_effective_number",
            "universal_request",
        }
        assert len(row) == 92

    def test_display_values_come_alone_or_beside_the_values(self, wire: Wire) -> None:
        id = wire.snow.create({"short_description": "x", "assignment_group": "App Support"}, "jane")
        fields = {"sysparm_fields": "state,assignment_group,sys_created_on,number"}
        plain = wire.call("GET", f"/{id}", params=fields).json()["result"]
        shown = wire.call("GET", f"/{id}", params={**fields, "sysparm_display_value": "True"}).json()["result"]
        both = wire.call("GET", f"/{id}", params={**fields, "sysparm_display_value": "all"}).json()["result"]
        group = plain["assignment_group"]
        assert shown["assignment_group"] == {"display_value": "App Support", "link": group["link"]}
        assert both["assignment_group"] == {"display_value": "App Support", **group}
        assert (plain["state"], shown["state"], both["state"]) == ("1", "New", {"display_value": "New", "value": "1"})
        assert plain["sys_created_on"] == "2026-01-05 08:00:00"
        assert shown["sys_created_on"] == "2026-01-05 00:00:00"

    def test_links_are_left_out_on_request_and_python_s_spelling_is_taken(self, wire: Wire) -> None:
        id = wire.snow.create({"assignment_group": "App Support"}, "jane")
        params = {
            "sysparm_exclude_reference_link": "True",
            "sysparm_display_value": "False",
            "sysparm_fields": "assignment_group",
            "sysparm_view": "",
            "sysparm_query": "",
        }
        assert HEX.fullmatch(wire.call("GET", f"/{id}", params=params).json()["result"]["assignment_group"])

    def test_fields_are_dot_walked_and_invalid_ones_ignored(self, wire: Wire) -> None:
        id = wire.snow.create({"short_description": "x"}, "jane")
        params = {"sysparm_fields": "caller_id.email, u_none,number"}
        row = wire.call("GET", f"/{id}", params=params).json()["result"]
        assert row == {"caller_id.email": "jane@example.com", "number": "INC0010001"}

    def test_a_field_kept_by_an_access_rule_is_left_out(self, wire: Wire) -> None:
        wire.snow.rights.hidden_fields = {("incident", "description")}
        assert "description" not in wire.post(description="x")

    def test_delete_is_204_without_a_body_and_leaves_an_audit_row(self, wire: Wire) -> None:
        row = wire.post()
        answer = wire.call("DELETE", f"/{row['sys_id']}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert wire.call("GET", f"/{row['sys_id']}").status_code == 404
        assert wire.rows(f"documentkey={row['sys_id']}", "sys_audit_delete")[0]["display_value"] == row["number"]


class TestErrors:
    @pytest.mark.parametrize("auth", [None, ("lockstep", "wrong"), ("nobody", "x"), ("lockstep", "")])
    def test_401_says_so_in_the_recorded_body(self, wire: Wire, auth: tuple[str, str] | None) -> None:
        answer = requests.get(f"{wire.server.url}/api/now/table/incident", auth=auth or (lambda r: r), timeout=10)
        assert failure(answer) == (401, "User Not Authenticated", "Required to provide Auth information")

    def test_hidden_and_missing_are_one_404(self, wire: Wire) -> None:
        hidden = wire.post()["sys_id"]
        wire.snow.rights.hidden = {hidden}
        told = (404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        assert failure(wire.call("GET", f"/{hidden}")) == told
        assert failure(wire.call("GET", f"/{'0' * 32}")) == told
        assert failure(wire.patch("0" * 32, impact="1")) == told

    def test_an_unknown_table_is_named(self, wire: Wire) -> None:
        assert failure(wire.call("GET", table="incidnet")) == (400, "Invalid table incidnet", None)

    @pytest.mark.parametrize(
        ("method", "headers", "data", "status"),
        [
            ("POST", {"Accept": "application/json"}, b"{}", 400),
            ("POST", {"Accept": None, "Content-Type": "application/json"}, b"{}", 400),
            ("POST", {"Content-Type": "text/plain"}, b"{}", 415),
            ("GET", {"Accept": "image/png"}, b"", 406),
            ("DELETE", {}, b"", 405),
            ("POST", {"Content-Type": "application/json"}, b"{", 400),
            ("POST", {"Content-Type": "application/json"}, b'"x"', 400),
        ],
    )
    def test_malformed_requests_are_refused_by_kind(
        self, wire: Wire, method: str, headers: dict[str, str], data: bytes, status: int
    ) -> None:
        assert wire.call(method, headers=headers, data=data).status_code == status

    def test_another_method_can_be_named_in_a_header(self, wire: Wire) -> None:
        headers = {"X-HTTP-Method-Override": "PATCH"}
        answer = wire.call("POST", f"/{wire.post()['sys_id']}", json={"impact": "1"}, headers=headers)
        assert answer.json()["result"]["impact"] == "1"

    def test_an_address_too_long_is_414(self, wire: Wire) -> None:
        assert wire.call("GET", params={"sysparm_query": "sys_idIN" + "0" * 9000}).status_code == 414

    def test_v1_answers_404_where_later_versions_answer_an_empty_list(self, wire: Wire) -> None:
        v1 = wire.http.get(f"{wire.server.url}/api/now/v1/table/incident", timeout=10)
        v2 = wire.http.get(f"{wire.server.url}/api/now/v2/table/incident", timeout=10)
        assert failure(v1)[0] == 404
        assert (v2.status_code, v2.json()) == (200, {"result": []})

    def test_a_denied_operation_is_403(self, wire: Wire) -> None:
        wire.snow.rights.denied = {("insert", "incident")}
        detail = "ACL Exception Insert Failed due to security constraints"
        assert failure(wire.call("POST", json={})) == (403, "Operation Failed", detail)


class TestPaging:
    def test_limit_offset_total_and_links(self, wire: Wire) -> None:
        for n in range(7):
            wire.post(short_description=str(n))
        params = {"sysparm_limit": "2", "sysparm_offset": "2", "sysparm_query": "ORDERBYnumber"}
        answer = wire.call("GET", params=params)
        assert [row["short_description"] for row in answer.json()["result"]] == ["2", "3"]
        assert answer.headers["X-Total-Count"] == "7"
        links = {rel: url for url, rel in re.findall(r'<([^>]+)>;rel="(\w+)"', answer.headers["Link"])}
        assert {rel: re.findall(r"sysparm_offset=(\d+)", url) for rel, url in links.items()} == {
            "first": ["0"],
            "prev": ["0"],
            "next": ["4"],
            "last": ["6"],
        }
        following = wire.http.get(links["next"], timeout=10).json()["result"]
        assert [row["short_description"] for row in following] == ["4", "5"]

    def test_headers_can_be_suppressed(self, wire: Wire) -> None:
        params = {"sysparm_no_count": "true", "sysparm_suppress_pagination_header": "true"}
        assert not {"X-Total-Count", "Link"} & set(wire.call("GET", params=params).headers)

    def test_the_limit_is_applied_before_access_rules(self, wire: Wire) -> None:
        made = [wire.post(short_description=str(n))["sys_id"] for n in range(6)]
        wire.snow.rights.hidden = set(made[:3])
        first = wire.call("GET", params={"sysparm_limit": "3", "sysparm_query": "ORDERBYnumber"})
        assert first.json() == {"result": []} and first.headers["X-Total-Count"] == "6"
        assert wire.titles("ORDERBYnumber", limit="3", offset="3") == ["3", "4", "5"]

    def test_without_a_unique_order_ties_fall_differently_on_each_page(self, wire: Wire) -> None:
        for n in range(40):
            wire.post(short_description=str(n))
        pages = [wire.titles("ORDERBYimpact", limit="20", offset=str(at)) for at in (0, 20)]
        assert len({title for page in pages for title in page}) < 40


class TestQueries:
    @pytest.fixture(autouse=True)
    def estate(self, wire: Wire) -> None:
        rows = [
            ("Printer is down", "App Support", "1", "software"),
            ("Mail is slow", "Network", "2", "software"),
            ("Printer jam", "App Support", "3", "hardware"),
            ("VPN", "", "2", ""),
        ]
        for title, group, impact, category in rows:
            given = {"short_description": title, "assignment_group": group, "impact": impact, "category": category}
            wire.snow.create({name: value for name, value in given.items() if value}, "jane")
            wire.clock.advance(timedelta(seconds=10))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("impact=2", "Mail VPN"),
            ("impact!=2", "Printer1 Printer3"),
            ("impact>1^impact<3", "Mail VPN"),
            ("impact>=2", "Mail Printer3 VPN"),
            ("impactBETWEEN2@3", "Mail Printer3 VPN"),
            ("short_descriptionLIKEPrinter", "Printer1 Printer3"),
            ("short_descriptionLIKEprinter", ""),
            ("short_descriptionNOT LIKEPrinter", "Mail VPN"),
            ("short_descriptionSTARTSWITHMail", "Mail"),
            ("short_descriptionENDSWITHjam", "Printer3"),
            ("impactIN1,3", "Printer1 Printer3"),
            ("impactNOT IN1,3", "Mail VPN"),
            ("assignment_groupISEMPTY", "VPN"),
            ("assignment_groupISNOTEMPTY^impact=2", "Mail"),
            ("assignment_group.name=App Support", "Printer1 Printer3"),
            ("assignment_group.nameSTARTSWITHNet", "Mail"),
            ("impact=1^ORimpact=3^category=software", "Printer1"),
            ("impact=1^NQimpact=3", "Printer1 Printer3"),
            ("impact=1^NQcategory=software^impact=2", "Printer1 Mail"),
            ("sys_created_on>=2026-01-05 08:00:20", "Printer3 VPN"),
            ("sys_updated_on>2026-01-05 08:00:10^ORsys_id>0^sys_updated_on>=2026-01-05 08:00:10", "Mail Printer3 VPN"),
            ("sys_created_on>=javascript:gs.dateGenerate('2026-01-05','00:00:20')", "Printer3 VPN"),
            ("caller_id=javascript:gs.getUserID()", ""),
            ("caller_id.user_name=jane^impact=1", "Printer1"),
            ("number~INC0010001", "Printer1 Mail Printer3 VPN"),
            ("u_none=1", "Printer1 Mail Printer3 VPN"),
            ("u_none=1^impact=1", "Printer1"),
            ("Impact=1", "Printer1 Mail Printer3 VPN"),
            ("impact=1^EQ", "Printer1"),
            ("correlation_id=", "Printer1 Mail Printer3 VPN"),
        ],
    )
    def test_an_encoded_query_finds(self, wire: Wire, query: str, found: str) -> None:
        names = {"Printer is down": "Printer1", "Mail is slow": "Mail", "Printer jam": "Printer3", "VPN": "VPN"}
        assert " ".join(names[title] for title in wire.titles(f"{query}^ORDERBYnumber")) == found

    def test_an_invalid_part_finds_nothing_where_the_property_says_so(self, wire: Wire) -> None:
        wire.snow.rights.strict_queries = True
        assert wire.rows("u_none=1^impact=1") == []

    def test_order_runs_over_several_columns(self, wire: Wire) -> None:
        assert wire.titles("ORDERBYDESCimpact^ORDERBYshort_description") == [
            "Printer jam",
            "Mail is slow",
            "VPN",
            "Printer is down",
        ]

    def test_named_filters_take_display_values_and_give_way_to_a_query(self, wire: Wire) -> None:
        both = {"impact": "1", "sysparm_query": "impact=2"}
        assert len(wire.call("GET", params={"state": "New", "impact": "2"}).json()["result"]) == 2
        assert len(wire.call("GET", params=both).json()["result"]) == 2

    def test_a_stamp_query_follows_updates(self, wire: Wire) -> None:
        first = wire.snow.ids()[0]
        wire.snow.update(first, {"impact": "2"}, "jane")
        assert wire.titles("sys_updated_on>=2026-01-05 08:00:40") == ["Printer is down"]


class TestWrites:
    def test_only_named_fields_change_and_one_update_counts_one(self, wire: Wire) -> None:
        row = wire.post(short_description="a", description="b")
        wire.clock.advance(timedelta(seconds=5))
        for method in ("PUT", "PATCH"):
            answer = wire.call(method, f"/{row['sys_id']}", json={"short_description": method})
            assert answer.status_code == 200
        changed = answer.json()["result"]
        assert (changed["short_description"], changed["description"], changed["sys_mod_count"]) == ("PATCH", "b", "2")
        assert changed["sys_updated_on"] > row["sys_updated_on"] and changed["sys_updated_by"] == "lockstep"

    def test_a_write_that_changes_nothing_counts_nothing(self, wire: Wire) -> None:
        row = wire.post(short_description="a")
        wire.clock.advance(timedelta(seconds=5))
        same = wire.patch(row["sys_id"], short_description="a", u_none="x", priority="1", sys_mod_count="9").json()[
            "result"
        ]
        assert same == row

    def test_long_text_is_cut_without_a_word(self, wire: Wire) -> None:
        row = wire.post(short_description="x" * 200, correlation_id="y" * 200)
        assert (len(row["short_description"]), len(row["correlation_id"])) == (160, 100)

    def test_an_empty_string_clears_text_and_never_a_choice(self, wire: Wire) -> None:
        row = wire.post(description="b", category="software")
        cleared = wire.patch(row["sys_id"], description="", category="").json()["result"]
        assert (cleared["description"], cleared["category"]) == ("", "software")

    def test_of_several_records_the_first_is_taken(self, wire: Wire) -> None:
        body = [{"short_description": "one"}, {"short_description": "two"}]
        assert wire.call("POST", json=body).json()["result"]["short_description"] == "one"
        assert len(wire.rows()) == 1

    def test_stamps_can_be_suppressed(self, wire: Wire) -> None:
        row = wire.post(short_description="a")
        wire.clock.advance(timedelta(seconds=5))
        params = {"sysparm_suppress_auto_sys_field": "true"}
        silent = wire.call("PATCH", f"/{row['sys_id']}", json={"impact": "1"}, params=params).json()["result"]
        assert (silent["impact"], silent["sys_updated_on"]) == ("1", row["sys_updated_on"])

    def test_input_can_be_display_values(self, wire: Wire) -> None:
        wire.snow.data.named("sys_user_group", "App Support")
        body = {"state": "In Progress", "assignment_group": "App Support", "due_date": "2026-01-05 00:00:00"}
        made = wire.call("POST", json=body, params={"sysparm_input_display_value": "true"}).json()["result"]
        assert (made["state"], made["due_date"]) == ("2", "2026-01-05 08:00:00")
        assert wire.snow.item(made["sys_id"])["assignment_group"] == "App Support"

    def test_a_bulk_update_shares_one_second(self, wire: Wire) -> None:
        stamps = {wire.post()["sys_updated_on"] for _ in range(20)}
        assert len(stamps) == 1

    def test_a_late_commit_is_seen_late_under_its_old_stamp(self, wire: Wire) -> None:
        id = wire.snow.create({"short_description": "old"}, "jane")
        wire.snow.commit_delay = timedelta(seconds=30)
        wire.clock.advance(timedelta(minutes=1))
        wire.snow.update(id, {"short_description": "new"}, "jane")
        later = wire.snow.create({"short_description": "other"}, "jane")
        assert wire.titles("") == ["old"]
        assert wire.call("GET", f"/{later}").status_code == 404
        wire.clock.advance(timedelta(seconds=31))
        assert sorted(wire.titles("sys_updated_on<2026-01-05 08:01:10")) == ["new", "other"]


class TestRules:
    def test_priority_comes_from_the_matrix(self, wire: Wire) -> None:
        row = wire.post(impact="1", urgency="1", priority="5")
        assert row["priority"] == "1"
        assert wire.patch(row["sys_id"], urgency="3", priority="1").json()["result"]["priority"] == "3"

    def test_resolving_needs_code_and_notes(self, wire: Wire) -> None:
        id = wire.post()["sys_id"]
        detail = "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes"
        assert failure(wire.patch(id, state="6")) == (403, "Operation Failed", detail)
        done = wire.patch(id, state="6", close_code="Solution provided", close_notes="x").json()["result"]
        assert (done["state"], done["incident_state"], done["active"]) == ("6", "6", "true")
        assert done["resolved_at"] and done["resolved_by"]["value"]

    def test_a_data_policy_refuses_the_whole_write(self, wire: Wire) -> None:
        row = wire.post(short_description="a")
        assert wire.patch(row["sys_id"], short_description="b", comments="c", state="6").status_code == 403
        assert wire.snow.item(row["sys_id"])["short_description"] == "a"
        assert wire.snow.comments(row["sys_id"]) == []

    def test_closed_is_final(self, wire: Wire) -> None:
        id = wire.post()["sys_id"]
        closed = wire.patch(id, state="7", close_code="Solution provided", close_notes="x").json()["result"]
        assert (closed["active"], bool(closed["closed_at"])) == ("false", True)
        status, message, detail = failure(wire.patch(id, state="2"))
        assert (status, message) == (403, "Operation Failed")
        assert str(detail).startswith("Operation against file 'incident' was aborted by Business Rule 'Prevent")
        assert wire.patch(id, work_notes="still").status_code == 200

    def test_a_reopened_incident_is_counted(self, wire: Wire) -> None:
        id = wire.post()["sys_id"]
        wire.patch(id, state="6", close_code="Solution provided", close_notes="x")
        again = wire.patch(id, incident_state="2").json()["result"]
        assert (again["state"], again["reopen_count"], again["resolved_at"]) == ("2", "1", "")

    def test_awaiting_caller_needs_words_and_ends_with_the_caller_s(self, wire: Wire) -> None:
        id = wire.snow.create({"short_description": "x"}, "jane")
        detail = failure(wire.patch(id, state="3", hold_reason="1"))[2]
        assert detail == "Data Policy Exception: The following fields are mandatory: Additional comments"
        assert wire.patch(id, state="3", hold_reason="1", comments="Which?").status_code == 200
        wire.snow.comment(id, "note", "beth.anglin")
        assert wire.snow.state_of(id) == "On Hold:Awaiting Caller"
        wire.snow.comment(id, "This.", "jane")
        assert wire.snow.state_of(id) == "In Progress" and "hold_reason" not in wire.snow.item(id)

    def test_leaving_hold_clears_the_reason(self, wire: Wire) -> None:
        id = wire.post(state="3", hold_reason="4")["sys_id"]
        assert wire.patch(id, state="2").json()["result"]["hold_reason"] == ""

    def test_what_stays_resolved_is_closed_by_the_system(self, wire: Wire) -> None:
        id = wire.post(state="6", close_code="Solution provided", close_notes="x")["sys_id"]
        wire.clock.advance(timedelta(days=6))
        assert wire.call("GET", f"/{id}").json()["result"]["state"] == "6"
        wire.clock.advance(timedelta(days=2))
        row = wire.call("GET", f"/{id}").json()["result"]
        assert (row["state"], row["sys_updated_by"]) == ("7", "system")

    def test_a_reassignment_is_counted(self, wire: Wire) -> None:
        id = wire.snow.create({"assignment_group": "App Support"}, "jane")
        wire.snow.update(id, {"assignment_group": "Network"}, "jane")
        assert wire.snow.item(id)["reassignment_count"] == "1"

    def test_people_stand_under_the_same_rules(self, wire: Wire) -> None:
        id = wire.snow.create({"short_description": "x"}, "jane")
        with pytest.raises(DataPolicy):
            wire.snow.move(id, "Resolved", "jane")
        wire.snow.move(id, "Closed", "jane", close_code="Solution provided", close_notes="x")
        with pytest.raises(Aborted):
            wire.snow.move(id, "New", "jane")

    def test_an_admin_s_own_rule_changes_the_write_or_aborts_it(self) -> None:
        def escalate(row: dict[str, str], changes: dict[str, str], by: str) -> None:
            if changes.get("short_description", "").startswith("!"):
                changes["impact"] = "1"
            if changes.get("short_description") == "no":
                raise Aborted("No is no title")

        wire = Wire(Model(rules=(escalate,)))
        assert wire.post(short_description="! fire")["impact"] == "1"
        assert "No is no title" in str(failure(wire.call("POST", json={"short_description": "no"}))[2])
        wire.server.stop()


class TestJournals:
    def test_a_journal_reads_empty_and_is_kept_as_rows(self, wire: Wire) -> None:
        row = wire.post(comments="seen by the caller")
        wire.clock.advance(timedelta(seconds=1))
        after = wire.patch(row["sys_id"], work_notes="not seen").json()["result"]
        assert (after["comments"], after["work_notes"], after["sys_mod_count"]) == ("", "", "1")
        rows = wire.rows(f"element_idIN{row['sys_id']},0^ORDERBYsys_created_on", "sys_journal_field")
        assert [(r["element"], r["value"], r["name"], r["sys_created_by"]) for r in rows] == [
            ("comments", "seen by the caller", "incident", "lockstep"),
            ("work_notes", "not seen", "incident", "lockstep"),
        ]

    def test_the_display_value_is_one_text_newest_first_in_the_user_s_zone(self, wire: Wire) -> None:
        id = wire.post()["sys_id"]
        for text in ("first", "second"):
            wire.clock.advance(timedelta(seconds=1))
            wire.snow.comment(id, text, "beth.anglin")
        params = {"sysparm_display_value": "all", "sysparm_fields": "comments"}
        shown = wire.call("GET", f"/{id}", params=params).json()["result"]["comments"]
        assert shown == {
            "display_value": "2026-01-05 00:00:02 - Beth Anglin (Additional comments)\nsecond\n\n"
            "2026-01-05 00:00:01 - Beth Anglin (Additional comments)\nfirst\n\n",
            "value": "",
        }

    def test_a_denied_read_is_an_empty_200(self, wire: Wire) -> None:
        wire.post(comments="x")
        wire.snow.rights.journal_readable = False
        answer = wire.call("GET", table="sys_journal_field")
        assert (answer.status_code, answer.json(), answer.headers["X-Total-Count"]) == (200, {"result": []}, "0")

    def test_the_same_words_twice_are_two_entries(self, wire: Wire) -> None:
        id = wire.post()["sys_id"]
        for _ in range(2):
            wire.patch(id, comments="again")
        assert len(wire.snow.comments(id)) == 2

    @pytest.mark.parametrize(
        ("sent", "kept"), [("a\x00b", "a"), ("a  \n", "a"), ("\ud800x", "?x"), ("\U0001f680", "\U0001f680")]
    )
    def test_odd_text_is_kept_as_a_database_keeps_it(self, wire: Wire, sent: str, kept: str) -> None:
        id = wire.post(comments=sent)["sys_id"]
        assert [remark["text"] for remark in wire.snow.comments(id)] == [kept]

    def test_an_entry_that_moves_no_version_can_be_played(self) -> None:
        wire = Wire(Model(comments_bump=False))
        row = wire.post()
        assert wire.patch(row["sys_id"], comments="x").json()["result"]["sys_mod_count"] == "0"
        wire.server.stop()


class TestTables:
    def test_choices_and_columns_can_be_read(self, wire: Wire) -> None:
        choices = wire.rows("name=incident^element=state^inactive=false^ORDERBYsequence", "sys_choice")
        assert [(c["value"], c["label"]) for c in choices][:3] == [("1", "New"), ("2", "In Progress"), ("3", "On Hold")]
        (title,) = wire.rows("nameINincident,task^element=short_description", "sys_dictionary")
        assert (title["name"], title["max_length"], title["internal_type"]["value"]) == ("task", "160", "string")
        (group,) = wire.rows("name=task^element=assignment_group", "sys_dictionary", display_value="all")
        assert group["reference"]["value"] == "sys_user_group"

    def test_people_groups_and_companies_can_be_read_and_not_changed(self, wire: Wire) -> None:
        wire.snow.create({"company": "Acme", "assignment_group": "App Support"}, "jane.doe")
        assert [u["name"] for u in wire.rows("user_name=jane.doe", "sys_user")] == ["Jane Doe"]
        assert [g["name"] for g in wire.rows("name=App Support", "sys_user_group")] == ["App Support"]
        (company,) = wire.rows("name=Acme", "core_company")
        assert wire.call("PATCH", f"/{company['sys_id']}", "core_company", json={"name": "x"}).status_code == 403

    def test_changes_are_audited_by_field(self, wire: Wire) -> None:
        row = wire.post(state="1", impact="3", urgency="3")
        wire.patch(row["sys_id"], impact="1", state="2")
        rows = wire.rows(f"documentkey={row['sys_id']}^ORDERBYfieldname", "sys_audit")
        assert [(r["fieldname"], r["oldvalue"], r["newvalue"], r["user"]) for r in rows] == [
            ("impact", "3", "1", "lockstep"),
            ("incident_state", "1", "2", "lockstep"),
            ("priority", "5", "3", "lockstep"),
            ("state", "1", "2", "lockstep"),
        ]
        wire.snow.rights.audit_readable = False
        assert wire.rows("", "sys_audit") == []

    def test_a_problem_is_a_task_of_its_own(self, wire: Wire) -> None:
        problem = wire.call("POST", table="problem", json={"short_description": "root"}).json()["result"]
        assert (problem["number"], problem["state"]) == ("PRB0010001", "101")
        incident = wire.post(problem_id=problem["sys_id"])
        assert wire.rows(f"problem_id.numberSTARTSWITHPRB^sys_id={incident['sys_id']}")


class TestGate:
    def test_the_hour_s_limit_is_told_and_kept(self, wire: Wire) -> None:
        wire.snow.gate.rate_limit = 2
        for _ in range(2):
            assert wire.call("GET").headers["X-RateLimit-Limit"] == "2"
        answer = wire.call("GET")
        assert failure(answer)[:2] == (429, "Rate limit exceeded")
        # the rule's sys_id (ServiceNow docs, Inbound REST API rate limiting)
        assert HEX.fullmatch(answer.headers["X-RateLimit-Rule"])
        assert int(answer.headers["X-RateLimit-Reset"]) == 1767603600
        assert 3590 <= int(answer.headers["Retry-After"]) <= 3601
        wire.clock.advance(timedelta(hours=1))
        assert wire.call("GET").status_code == 200

    def test_a_session_that_is_still_at_work_gets_202_and_nothing_happens(self, wire: Wire) -> None:
        id = wire.post(short_description="a")["sys_id"]
        wire.snow.gate.session_busy = True
        assert wire.patch(id, short_description="b").status_code == 202
        wire.http.cookies.clear()
        assert wire.patch(id, short_description="c").status_code == 200
        assert wire.snow.item(id)["short_description"] == "c"

    def test_a_bearer_token_signs_in(self, wire: Wire) -> None:
        wire.snow.gate.tokens["tok"] = "lockstep"
        url = f"{wire.server.url}/api/now/table/incident"
        assert requests.get(url, headers={"Authorization": "Bearer tok"}, timeout=10).status_code == 200
        assert requests.get(url, headers={"Authorization": "Bearer no"}, timeout=10).status_code == 401


class TestTruth:
    def test_history_comments_and_items_are_told_to_checkers(self, wire: Wire) -> None:
        id = wire.snow.create({"short_description": "a", "assignment_group": "App Support"}, "jane")
        wire.clock.advance(timedelta(seconds=5))
        wire.snow.update(id, {"short_description": "b", "assignment_group": "Network"}, "beth")
        comment = wire.snow.comment(id, "hello", "jane", channel="work_notes")
        changes = [(c["by"], c["field"], c["old"], c["new"]) for c in wire.snow.history(id)]
        assert ("beth", "short_description", "a", "b") in changes
        assert ("beth", "assignment_group", "App Support", "Network") in changes
        (remark,) = wire.snow.comments(id)
        assert (remark["id"], remark["by"], remark["channel"], remark["text"]) == (
            comment,
            "jane",
            "work_notes",
            "hello",
        )
        assert wire.snow.item(id)["assignment_group"] == "Network"
        wire.snow.delete(id, "admin")
        assert wire.snow.ids() == []
        with pytest.raises(KeyError):
            wire.snow.item(id)
        assert wire.snow.comments(id)

    def test_the_same_story_has_the_same_ids(self) -> None:
        def story() -> list[str]:
            snow = ServiceNow("snow", settable_clock(), seed=7)
            return [snow.create({"short_description": str(n)}, "jane") for n in range(3)]

        assert story() == story()
