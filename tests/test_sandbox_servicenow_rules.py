"""What the simulated ServiceNow changes by itself: business rules, assignment rules, late updates, refusals, rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from sandbox.servicenow import Model
from sandbox.servicenow.errors import Aborted
from sandbox.servicenow.model import AssignmentRule, Later
from tests.servicenow_wire import Wire, failure


@pytest.fixture
def made() -> Iterator[Callable[[Model], Wire]]:
    """Makes instances of a model and stops them."""
    wires: list[Wire] = []

    def make(model: Model) -> Wire:
        wires.append(Wire(model))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


@pytest.fixture
def wire(made: Callable[[Model], Wire]) -> Wire:
    return made(Model())


class TestBusinessRules:
    def test_an_admin_may_have_switched_off_what_hold_brings_with_it(self, made: Callable[[Model], Wire]) -> None:
        """apis.md 1.5: rules of the base system, which admins change."""
        bare = Model(caller_words_needed=False, reply_resumes=False, leaving_hold_clears_reason=False, auto_close=None)
        wire = made(bare)
        id = wire.snow.create({"short_description": "x"}, "jane")
        assert wire.patch(id, state="3", hold_reason="1").status_code == 200
        wire.snow.comment(id, "This.", "jane")
        assert wire.snow.state_of(id) == "On Hold:Awaiting Caller"
        assert wire.patch(id, state="2").json()["result"]["hold_reason"] == "1"
        wire.patch(id, state="6", close_code="Solution provided", close_notes="x")
        wire.clock.advance(timedelta(days=30))
        assert wire.call("GET", f"/{id}").json()["result"]["state"] == "6"

    def test_a_rule_changes_other_fields_in_the_same_write_and_the_answer_shows_them(
        self, made: Callable[[Model], Wire]
    ) -> None:
        # apis.md 1.5: take the response as the truth
        def normalise(row: dict[str, str], changes: dict[str, str], by: str) -> None:
            if "short_description" in changes:
                changes["short_description"] = changes["short_description"].capitalize()
                changes["category"] = "software"

        wire = made(Model(rules=(normalise,)))
        row = wire.post(short_description="printer", category="hardware")
        assert (row["short_description"], row["category"]) == ("Printer", "software")
        changed = wire.patch(row["sys_id"], short_description="mail").json()["result"]
        assert (changed["short_description"], changed["sys_mod_count"]) == ("Mail", "1")

    @pytest.mark.parametrize("explained", [True, False])
    def test_an_abort_names_the_rule_or_explains_nothing(self, made: Callable[[Model], Wire], explained: bool) -> None:
        # apis.md 1.6 [C]; detail may be null
        def never(row: dict[str, str], changes: dict[str, str], by: str) -> None:
            raise Aborted("Never on Sunday")

        wire = made(Model(rules=(never,)))
        wire.snow.switches.refusals_explained = explained
        status, message, detail = failure(wire.call("POST", json={}))
        assert (status, message) == (403, "Operation Failed")
        if explained:
            assert str(detail).startswith("Operation against file 'incident' was aborted by Business Rule 'Never on ")
            assert str(detail).endswith("Business Rule Stack:Never on Sunday")
        else:
            assert detail is None

    @pytest.mark.parametrize("explained", [True, False])
    def test_a_data_policy_names_the_fields_or_explains_nothing(self, wire: Wire, explained: bool) -> None:
        # apis.md 1.6 [R/C]
        wire.snow.switches.refusals_explained = explained
        status, message, detail = failure(wire.call("POST", json={"state": "6"}))
        text = "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes"
        assert (status, message, detail) == (403, "Operation Failed", text if explained else None)


class TestAssignmentRules:
    MODEL = Model(
        assignments=(
            AssignmentRule({"category": "network", "impact": "1"}, group="Network Emergency"),
            AssignmentRule({"category": "network"}, group="Network"),
            AssignmentRule({"category": "database"}, person="don.goodliffe"),
        )
    )

    def test_the_first_rule_that_fits_gives_the_record_to_its_group(self, made: Callable[[Model], Wire]) -> None:
        wire = made(self.MODEL)
        rows = [wire.post(category="network", impact=impact) for impact in ("1", "2")]
        groups = [wire.snow.item(row["sys_id"])["assignment_group"] for row in rows]
        assert groups == ["Network Emergency", "Network"]

    def test_a_rule_may_name_a_person_and_runs_on_updates_as_well(self, made: Callable[[Model], Wire]) -> None:
        wire = made(self.MODEL)
        id = wire.post()["sys_id"]
        changed = wire.patch(id, category="database").json()["result"]
        assert changed["assigned_to"]["value"] and wire.snow.item(id)["assigned_to"] == "Don Goodliffe"

    def test_what_somebody_has_is_left_alone(self, made: Callable[[Model], Wire]) -> None:
        wire = made(self.MODEL)
        id = wire.snow.create({"assignment_group": "App Support", "category": "network"}, "jane")
        assert wire.snow.item(id)["assignment_group"] == "App Support"


def sla(before: dict[str, str], after: dict[str, str], by: str) -> list[Later]:
    """The SLA engine: ten seconds after the work began it notes when it must end."""
    began = before.get("state") != "2" and after.get("state") == "2"
    return [Later(timedelta(seconds=10), {"sla_due": "2026-01-06 08:00:00"})] if began else []


class TestLateUpdates:
    def test_the_record_moves_on_after_the_answer_was_given(self, made: Callable[[Model], Wire]) -> None:
        wire = made(Model(after=(sla,)))
        row = wire.post(state="2")
        assert (row["sla_due"], row["sys_mod_count"]) == ("", "0")
        wire.clock.advance(timedelta(seconds=9))
        assert wire.call("GET", f"/{row['sys_id']}").json()["result"]["sys_mod_count"] == "0"
        wire.clock.advance(timedelta(seconds=2))
        late = wire.call("GET", f"/{row['sys_id']}").json()["result"]
        assert (late["sla_due"], late["sys_mod_count"]) == ("2026-01-06 08:00:00", "1")
        assert late["sys_updated_by"] == "system" and late["sys_updated_on"] > row["sys_updated_on"]

    def test_a_rule_without_delay_writes_before_the_next_request(self, made: Callable[[Model], Wire]) -> None:
        def at_once(before: dict[str, str], after: dict[str, str], by: str) -> list[Later]:
            return [Later(timedelta(0), {"escalation": "1"})] if after.get("impact") == "1" else []

        wire = made(Model(after=(at_once,)))
        row = wire.post(impact="1")
        assert row["escalation"] == "0"
        assert wire.rows()[0]["escalation"] == "1"

    def test_a_late_update_that_a_rule_forbids_does_not_happen(self, made: Callable[[Model], Wire]) -> None:
        def resolve(before: dict[str, str], after: dict[str, str], by: str) -> list[Later]:
            return [Later(timedelta(0), {"state": "6"})] if not before else []

        wire = made(Model(after=(resolve,)))
        wire.post()
        assert wire.rows()[0]["state"] == "1"

    def test_a_record_that_is_gone_by_then_stays_gone(self, made: Callable[[Model], Wire]) -> None:
        wire = made(Model(after=(sla,)))
        wire.call("DELETE", f"/{wire.post(state='2')['sys_id']}")
        wire.clock.advance(timedelta(minutes=1))
        assert wire.rows() == []


class TestKeys:
    @pytest.mark.parametrize("unique", [False, True])
    def test_correlation_ids_may_repeat_unless_an_admin_made_them_unique(
        self, made: Callable[[Model], Wire], unique: bool
    ) -> None:
        # apis.md 1.5 [C]: as shipped, uniqueness is on the client
        wire = made(Model(unique=("correlation_id",) if unique else ()))
        first = wire.post(correlation_id="k1")["sys_id"]
        answer = wire.call("POST", json={"correlation_id": "k1"})
        if not unique:
            assert answer.status_code == 201
            return
        status, message, detail = failure(answer)
        assert (status, message) == (403, "Operation Failed")
        assert detail == "Unique Key violation detected by database (Duplicate entry 'k1' for key 'correlation_id')"
        assert wire.patch(first, correlation_id="k1", impact="1").status_code == 200
        second = wire.post(correlation_id="k2")["sys_id"]
        assert wire.patch(second, correlation_id="k1").status_code == 403


class TestRights:
    def test_a_field_that_may_not_be_written_keeps_its_value_without_a_word(self, wire: Wire) -> None:
        wire.snow.rights.unwritable = {("incident", "short_description")}
        row = wire.post(short_description="a", description="b")
        assert (row["short_description"], row["description"]) == ("", "b")
        answer = wire.patch(row["sys_id"], short_description="c", description="d")
        assert answer.status_code == 200
        assert (answer.json()["result"]["short_description"], answer.json()["result"]["description"]) == ("", "d")

    @pytest.mark.parametrize("shown", [True, False])
    def test_the_display_journal_can_be_kept_back(self, wire: Wire, shown: bool) -> None:
        # apis.md 1.4 [C]
        id = wire.post(comments="hello")["sys_id"]
        wire.snow.rights.journal_shown = shown
        params = {"sysparm_display_value": "all", "sysparm_fields": "comments,comments_and_work_notes"}
        row = wire.call("GET", f"/{id}", params=params).json()["result"]
        for field in row.values():
            assert field["value"] == "" and ("hello" in field["display_value"]) is shown

    @pytest.mark.parametrize("readable", [True, False])
    def test_deletions_are_listed_where_that_table_may_be_read(self, wire: Wire, readable: bool) -> None:
        # apis.md 1.3 [S/C]
        row = wire.post()
        wire.call("DELETE", f"/{row['sys_id']}")
        if not readable:
            wire.snow.rights.unreadable = {"sys_audit_delete"}
        found = wire.rows(f"tablename=incident^documentkey={row['sys_id']}", "sys_audit_delete")
        assert [each["sys_created_by"] for each in found] == (["lockstep"] if readable else [])

    @pytest.mark.parametrize("status", [400, 404])
    def test_an_unknown_table_is_told_in_one_of_two_ways(self, wire: Wire, status: int) -> None:
        # apis.md 1.6: a fixture says 404, others 400
        wire.snow.switches.unknown_table = status
        assert failure(wire.call("GET", table="incidnet")) == (status, "Invalid table incidnet", None)

    @pytest.mark.parametrize(
        "table", ["sys_journal_field", "sys_choice", "sys_dictionary", "sys_properties", "sys_audit"]
    )
    def test_what_only_the_instance_or_an_admin_writes_takes_no_rows(self, wire: Wire, table: str) -> None:
        assert failure(wire.call("POST", table=table, json={"name": "x"}))[0] == 403


class TestAdmins:
    def test_a_record_of_another_class_leaves_its_table_and_keeps_its_id(self, wire: Wire) -> None:
        """KB0727652, KB0695953: deleted from the one table and inserted into the other with what both have."""
        row = wire.post(short_description="no incident", comments="said", category="software")
        id = row["sys_id"]
        wire.snow.reclassify(id, "problem", "jane")
        assert failure(wire.call("GET", f"/{id}"))[0] == 404
        (moved,) = wire.rows(f"sys_id={id}", "problem")
        assert (moved["number"], moved["sys_class_name"]) == (row["number"], "problem")
        assert [entry["value"] for entry in wire.rows(f"element_id={id}", "sys_journal_field")] == ["said"]

    def test_a_deleted_record_is_restored_under_its_id(self, wire: Wire) -> None:
        row = wire.post(short_description="kept", correlation_id="K")
        wire.snow.delete(row["sys_id"], "jane")
        wire.snow.undelete(row["sys_id"], "jane")
        back = wire.call("GET", f"/{row['sys_id']}").json()["result"]
        assert (back["short_description"], back["correlation_id"], back["number"]) == ("kept", "K", row["number"])
        assert int(back["sys_mod_count"]) > int(row["sys_mod_count"])
