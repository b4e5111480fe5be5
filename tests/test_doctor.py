"""``doctor``: what does not fit between the admin's file and the live trackers is named with its line and what to do;
nothing is written; what could not be checked is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bot
from connectors.base import Clock, Connector, Opening
from mappings.model import Scope
from sandbox.clock import SandboxClock
from sandbox.estate import Estate
from sandbox.jira.datacenter import DataCenter
from sandbox.jira.defaults import BUG, DEFECT_WORKFLOW, USERS, projects
from sandbox.settled import settle
from sandbox.story import MORNING
from sync.clock import FrozenClock
from sync.compose import compose, connect, mismatches
from sync.config import load
from sync.doctor import Finding, Report, examine, visit
from sync.setup import Setup, TrackerSettings
from tests.world import READS

BOT = "lockstep@example.org"
#: how the demo's file signs in to Jira, and how it would to a Data Center
BEARER = ('user = "lockstep@example.org", token', "token")


@dataclass
class Clinic:
    """An estate whose trackers have items in every state that the demo's file speaks of, and that file."""

    folder: Path
    estate: Estate = field(default_factory=lambda: Estate(MORNING))
    edit: Callable[[str], str] = lambda text: text
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self.estate)
        self.path = self.folder / "lockstep.toml"
        self.write(self.edit(self.estate.file(f"sqlite:///{self.folder / 'lockstep.db'}")))

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def change(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert text.count(old) >= 1, old
        self.write(text.replace(old, new, 1))

    def line(self, words: str) -> int:
        lines = self.path.read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if words in line)

    def reports(self, clock: Clock | None = None) -> dict[str, Report]:
        return visit(self.setup(), clock or self.estate.clock, connect)

    def setup(self) -> Setup:
        return load(self.path, {**self.estate.environment(), **self.secrets})

    def found(self, level: str = "", clock: Clock | None = None) -> list[Finding]:
        return [one for one in examine(self.setup(), self.reports(clock)) if level in ("", one.level)]

    def one(self, level: str, *words: str) -> Finding:
        """The only finding of a level that says all the words."""
        every = self.found(level)
        said = [one for one in every if all(word in f"{one.what} {one.instead}" for word in words)]
        assert len(said) == 1, "\n".join(f"{one.line} {one.what} -> {one.instead}" for one in every)
        return said[0]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.estate.stop()


# ── what fits, and what is left alone ────────────────────────────────────────────────────────────────────────────


def test_a_file_that_fits_has_nothing_to_mend(clinic: Clinic) -> None:
    assert clinic.found("error") == []


@pytest.mark.parametrize("side", ["pbi", "defect"])
def test_what_is_read_beside_an_item_s_fields_is_no_field_that_is_missing(clinic: Clinic, side: str) -> None:
    clinic.write(clinic.path.read_text() + f'\n[fields.pull]\n{side} = "@pull_request"\n')
    assert clinic.found("error") == []


def test_nothing_is_written_to_a_tracker_or_to_the_state(clinic: Clinic) -> None:
    """Reads alone: GET, OPTIONS, and the reads that need a body."""
    before = len(clinic.estate.log.entries)
    clinic.found()
    asked = clinic.estate.log.entries[before:]
    assert {entry.tracker for entry in asked} == {"servicenow", "jira", "azure"}
    strange = [e for e in asked if e.method not in ("GET", "OPTIONS") and not any(read in e.path for read in READS)]
    assert strange == []
    assert not list(clinic.folder.glob("lockstep.db*"))


# ── names and values ─────────────────────────────────────────────────────────────────────────────────────────────

SLIPS = {
    "a state": ('defect   = ["To Do"]', 'defect   = ["Todo"]', 'no state "Todo"', "To Do"),
    "a state of another process": ('pbi      = ["Done"]', 'pbi      = ["Closed"]', 'no state "Closed"', "Done"),
    "a project": ('project = "CSPM"', 'project = "CSPN"', "CSPN", "browse"),
    "a table": ('table   = "incident"', 'table   = "incidant"', "incidant", "sys_dictionary"),
    "a type": ('type    = "Bug"', 'type    = "Defect"', "no issue type Defect", "Bug"),
    "a type of work item": ('"Product Backlog Item"', '"Backlog Item"', "Backlog Item", "Product Backlog Item"),
    "a field": ('defect   = "summary"', 'defect   = "sumary"', 'no field "sumary"', '"summary"'),
    "a field by its label": ('pbi      = "System.Title"', 'pbi      = "Title"', 'no field "Title"', "System.Title"),
    "a value": ('defect = "Highest"', 'defect = "Top"', 'priority of defect has no value "Top"', "Highest"),
    "a value of two": ("{ impact = 1, urgency = 1 }", "{ impact = 9, urgency = 1 }", 'no value "9"', "impact"),
    "a scope's value": ('["API Support"]', '["API Suport"]', "API Suport", "sys_user_group"),
    "a value that is set": (
        '"Solution provided"',
        '"Solved"',
        'close_code of incident does not take "Solved"',
        "Solution",
    ),
    "a field that is set": ("close_code =", "closing_code =", 'no field "closing_code"', "close_code"),
    "a field of new items": ('type    = "Bug"', 'type    = "Bug"\ncreate = { part = "Portal" }', 'no field "part"', ""),
    "a value of new items": (
        'type    = "Bug"',
        'type    = "Bug"\ncreate = { components = ["Portl"] }',
        'components of defect has no value "Portl"',
        "Portal",
    ),
    "a role": (
        'to   = ["defect.everyone", "pbi',
        'to   = ["defect.role:Devs", "pbi',
        "no role:Devs",
        "role:Developers",
    ),
    "internal outside of a service project": (
        'to   = ["defect.everyone", "pbi',
        'to   = ["defect.internal", "pbi',
        "internal on defect cannot be used",
        "no service project",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_its_line_and_what_to_write(clinic: Clinic, slip: str) -> None:
    old, new, said, instead = SLIPS[slip]
    clinic.change(old, new)
    finding = clinic.one("error", said, instead)
    assert finding.line == clinic.line(new.splitlines()[-1]), finding


def test_a_scope_s_value_that_no_choice_has_is_named(clinic: Clinic) -> None:
    clinic.change('["API Support"] }', '["API Support"], category = ["sofware"] }')
    assert '"software"' in clinic.one("error", "sofware", "in scope").instead


def test_values_that_no_row_maps_are_listed(clinic: Clinic) -> None:
    clinic.change('  { is = 5, incident = { impact = 3, urgency = 3 }, defect = "Lowest", pbi = 4 },\n', "")
    assert "impact 3 and urgency 3" in clinic.one("warning", "no row of priority", "of incident").what
    assert "Lowest" in clinic.one("warning", "no row of priority", "of defect").what


def test_states_that_no_stage_lists_are_listed(clinic: Clinic) -> None:
    assert "Canceled" in clinic.one("warning", "no stage lists these states of incident").what
    assert "Removed" in clinic.one("warning", "no stage lists these states of pbi").what


def test_a_field_that_we_cannot_write_is_named(clinic: Clinic) -> None:
    """Priority is computed from impact and urgency (apis.md 1.5)."""
    clinic.change(
        '[fields.category]\nincident = "category"', '[fields.category]\nincident = "priority"\npbi = "System.Reason"'
    )
    assert "exclusive" in clinic.one("error", "priority of incident cannot be written").instead


def test_a_field_that_takes_certain_values_only_wants_a_value_map(clinic: Clinic) -> None:
    clinic.change('defect = "customfield_10044"', 'defect = "fixVersions"\nincident = "close_notes"')
    assert "26.01" in clinic.one("warning", "fixVersions of defect takes certain values").instead


def test_a_label_that_no_screen_takes_cannot_carry_our_mark(clinic: Clinic) -> None:
    """A field that is not on the screen is refused (apis.md 2.2)."""
    home = projects(USERS)[0]
    bare = replace(BUG, edit=tuple(name for name in BUG.edit if name != "labels"))
    clinic.estate.jira.site.projects["CSPM"] = replace(home, types=(bare, *home.types[1:]))
    assert "screen" in clinic.one("error", "labels (Labels) of defect cannot be written", "our mark").instead


def test_what_a_new_item_asks_for_must_be_supplied(clinic: Clinic) -> None:
    home = projects(USERS)[0]
    severe = replace(BUG, required=("customfield_10042",))
    clinic.estate.jira.site.projects["CSPM"] = replace(home, types=(severe, *home.types[1:]))
    finding = clinic.one("error", "a new defect needs customfield_10042 (Severity)")
    assert 'create = { customfield_10042 = "Critical" }' in finding.instead
    clinic.change('type    = "Bug"', 'type    = "Bug"\ncreate = { customfield_10042 = "Minor" }')
    assert clinic.found("error") == []


def test_a_number_says_nothing_of_the_field_that_was_meant(clinic: Clinic) -> None:
    """The ids of custom fields are numbers: the nearest in spelling is not the likeliest."""
    clinic.change('defect = "customfield_10044"', 'defect = "customfield_99999"')
    finding = clinic.one("error", 'no field "customfield_99999"')
    assert "customfield_10042 (Severity)" in finding.instead and not finding.instead.startswith("write")


def test_a_slip_is_told_once_and_not_what_follows_from_it(clinic: Clinic) -> None:
    """A state that there is not cannot be reached either, nor does a field with a slip in its name supply anything."""
    clinic.change('["Resolved", "Closed"]', '["Resolvd", "Closed"]')
    clinic.change('pbi      = ["Approved", "Committed"]', 'pbi      = ["Aproved", "Committed"]')
    clinic.change('pbi      = "System.Title"', 'pbi      = "Title"')
    clinic.change('defect   = "summary"', 'defect   = "sumary"')
    keys = {"stages.Closed.incident", "stages.Fixing.pbi", "fields.summary.pbi", "fields.summary.defect"}
    assert [one.key for one in clinic.found("error") if one.key not in keys] == []
    assert len(clinic.found("error")) == len(keys)


def test_thirty_slips_are_told_in_one_go_each_on_its_own_line(clinic: Clinic) -> None:
    text = clinic.path.read_text()
    rows = [row for row in text.splitlines() if "{ is = " in row and "pbi = " in row]
    for row in rows:
        broken = re.sub(r"(impact|urgency) = (\d)", r"\1 = 9\2", row).replace("pbi = ", "pbi = 9")
        text = text.replace(row, re.sub(r'defect = "(\w+)"', r'defect = "Not \1"', broken))
    clinic.write(text.replace('["To Do"]', '["Todo"]').replace('["Approved"', '["Aproved"'))
    found = clinic.found("error")
    assert len(found) >= 30 and len(set(found)) == len(found)
    assert {one.line for one in found} >= {
        clinic.line(words) for words in ("Not Highest", "Not Lowest", "Todo", "Aproved")
    }
    assert all(one.instead for one in found)


def started(clinic: Clinic) -> set[tuple[int, str, str]]:
    """What a start says of the file, and where."""
    engine = compose(clinic.setup(), clinic.estate.clock)
    try:
        engine.open()
        return {(one.line, one.path, one.what) for one in mismatches(engine)}
    finally:
        engine.close()


def test_a_start_refuses_what_doctor_calls_an_error_in_the_same_words(clinic: Clinic) -> None:
    clinic.change('["To Do"]', '["Todo"]')
    clinic.change('pbi      = "System.Title"', 'pbi      = "Title"')
    clinic.change('"API Support"', '"API Suport"')
    told = {(one.line, one.key, one.what) for one in clinic.found("error")}
    assert started(clinic) == told and len(told) == 3


def test_a_start_and_doctor_both_take_short_names_and_fields_of_other_records(clinic: Clinic) -> None:
    clinic.change('[fields.category]\nincident = "category"', '[fields.category]\nincident = "caller_id.email"')
    clinic.change('defect = "labels"', 'defect = "labels"\npbi = "tags"')
    assert started(clinic) == set()
    assert [one for one in clinic.found("error") if "no field" in one.what] == []


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_status_that_no_path_reaches_is_an_error(clinic: Clinic) -> None:
    """Ids and offers depend on workflow, status and person (apis.md 2.2): administrators alone may resolve."""
    steps = (replace(s, roles=("Administrators",)) if s.to == "Done" else s for s in DEFECT_WORKFLOW.transitions)
    guarded = replace(BUG, workflow=replace(DEFECT_WORKFLOW, transitions=tuple(steps)))
    home = projects(USERS)[0]
    clinic.estate.jira.site.projects["CSPM"] = replace(home, types=(guarded, *home.types[1:]))
    finding = clinic.one("error", 'defect cannot reach "Done"')
    assert "In Review" in finding.instead and finding.key == "stages.Closed.defect"


def test_a_status_that_only_a_detour_reaches_is_told_with_the_detour(clinic: Clinic) -> None:
    clinic.change('defect   = ["In Progress", "In Review"]', 'defect   = ["In Review"]')
    assert 'over "In Progress"' in clinic.one("warning", 'from "To Do" to "In Review"').what


def test_a_status_in_which_nothing_stands_is_not_taken_for_checked(clinic: Clinic) -> None:
    jira = clinic.estate.jira
    for id in jira.ids():
        if jira.item(id)["status"] == "In Review":
            jira.delete(id, by="Ana Ruiz")
    assert "no issue" in clinic.one("unknown", "lead out of In Review").what
    assert clinic.found("error") == []


@pytest.mark.parametrize(
    "words, side, needs",
    [
        (', defect = { resolution = "Done" }', "defect", "resolution"),
        ('close_code = "Solution provided", ', "incident", "close_code"),
    ],
)
def test_what_a_step_asks_for_must_be_supplied(clinic: Clinic, words: str, side: str, needs: str) -> None:
    """A transition's screen (apis.md 2.2) and a data policy (apis.md 1.5)."""
    clinic.change(words, "")
    finding = clinic.one("error", f"asks for {needs}", "does not supply")
    assert finding.key.startswith("stages.Closed") and f"{side} = {{ {needs}" in finding.instead
    assert ("Won't Do" if needs == "resolution" else "Solution provided") in finding.instead


# ── rights, zones, clocks ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["CREATE_ISSUES", "EDIT_ISSUES", "TRANSITION_ISSUES", "ADD_COMMENTS", "LINK_ISSUES"])
def test_a_right_that_jira_denies_is_named_by_its_key(clinic: Clinic, key: str) -> None:
    clinic.estate.jira.deny(BOT, "CSPM", key)
    finding = clinic.one("error", f"lacks {key} (")
    assert "project CSPM" in finding.what and "grant it" in finding.instead


def test_a_right_that_nothing_uses_is_not_asked_for(clinic: Clinic) -> None:
    clinic.estate.jira.deny(BOT, "CSPM", "ADD_COMMENTS")
    text = re.sub(r"\[\[comments\]\].*(?=\[disclosure\])", "", clinic.path.read_text(), flags=re.DOTALL)
    clinic.write(re.sub(r"  \[\[rules.steps\]\]\n  say .*\n", "", text))
    assert clinic.found("error") == []


def test_an_administrator_of_jira_may_too_much(clinic: Clinic) -> None:
    clinic.estate.jira.site.administrators.add(clinic.estate.jira.site.user(BOT).account_id)
    finding = clinic.one("warning", "may do more than Lockstep needs for project CSPM")
    assert "ADMINISTER (" in finding.what and "ADMINISTER_PROJECTS (" in finding.what


def test_a_role_that_our_account_is_not_in_cannot_be_written_to(clinic: Clinic) -> None:
    clinic.change('to   = ["defect.everyone", "pbi', 'to   = ["defect.role:Administrators", "pbi')
    assert "is not in it" in clinic.one("error", "role:Administrators").what


def test_private_words_on_their_way_to_a_public_channel_are_pointed_out(clinic: Clinic) -> None:
    clinic.change('from = "incident.comments"', 'from = "incident.work_notes"')
    every = [one for one in clinic.found("warning") if "private words cross" in one.what]
    assert [one.line for one in every] == [clinic.line('"defect.everyone", "pbi.discussion"]')] * 2


def test_a_journal_that_shows_no_row_wants_its_right(clinic: Clinic) -> None:
    """A denied read is an empty 200 (apis.md 1.4)."""
    clinic.estate.servicenow.rights.journal_readable = False
    assert "grant it" in clinic.one("error", "lacks read on sys_journal_field").instead


def test_a_journal_without_a_row_is_not_called_a_missing_right_alone(clinic: Clinic) -> None:
    """Empty and denied look alike (apis.md 1.4)."""
    clinic.estate.servicenow.rights.journal_readable = False
    assert "nobody has ever commented" in clinic.one("error", "sys_journal_field").instead


def test_where_a_right_is_granted_is_said(clinic: Clinic) -> None:
    clinic.estate.jira.deny(BOT, "CSPM", "EDIT_ISSUES")
    clinic.estate.azure.switches.denied.add(("Lockstep", "WORK_ITEM_WRITE", "Portal"))
    clinic.estate.servicenow.rights.hidden_fields.add(("incident", "category"))
    assert "permission scheme of CSPM" in clinic.one("error", "lacks EDIT_ISSUES (").instead
    assert "Areas, Security" in clinic.one("error", 'lacks "Edit work items').instead
    assert "(ACL) for read on incident.category" in clinic.one("error", "lacks read on incident.category").instead


def test_a_workflow_that_offers_us_nothing_points_to_rights(clinic: Clinic) -> None:
    """Without the right to transition the list is empty (apis.md 2.2)."""
    clinic.estate.jira.deny(BOT, "CSPM", "TRANSITION_ISSUES")
    assert "right to move items" in clinic.one("error", 'defect cannot reach "Done"').instead


def test_a_hidden_column_and_an_unreadable_audit_are_named(clinic: Clinic) -> None:
    clinic.estate.servicenow.rights.hidden_fields.add(("incident", "category"))
    clinic.estate.servicenow.rights.audit_readable = False
    assert clinic.one("error", "lacks read on incident.category")
    assert clinic.one("warning", "lacks read on sys_audit", "sampled at the poll interval")


def test_roles_of_our_user_are_weighed(clinic: Clinic) -> None:
    assert not [one for one in clinic.found() if "write on incident" in one.what]
    clinic.estate.servicenow.grant("lockstep", "admin")
    clinic.estate.servicenow.set_user("lockstep", web_service_access_only="false")
    assert clinic.one("warning", "may do more", "role admin")
    assert clinic.one("warning", "Web service access only").instead


def test_without_roles_to_read_nothing_is_taken_for_granted(clinic: Clinic) -> None:
    clinic.estate.servicenow.rights.unreadable.add("sys_user_has_role")
    assert clinic.one("unknown", "role admin", "could not be checked")
    assert clinic.one("unknown", "write on incident", "could not be checked")


@pytest.mark.parametrize(
    "key, right",
    [
        ("WORK_ITEM_READ", "View work items in this node"),
        ("WORK_ITEM_WRITE", "Edit work items in this node"),
        ("WORK_ITEM_SAVE_COMMENT", "Edit work item comments in this node"),
    ],
)
def test_rights_in_azure_devops_are_named_as_their_page_names_them(clinic: Clinic, key: str, right: str) -> None:
    """Permissions - Has Permissions; security namespace reference."""
    clinic.estate.azure.switches.denied.add(("Lockstep", key, "Portal"))
    assert "area Portal" in clinic.one("error", f'lacks "{right}"').what


def test_a_right_to_bypass_rules_is_too_much_and_tags_must_be_made(clinic: Clinic) -> None:
    assert '"Bypass rules on work item updates"' in clinic.one("warning", "for project Portal").what
    clinic.estate.azure.switches.denied.add(("Lockstep", "BYPASS_RULES", ""))
    clinic.estate.azure.switches.denied.add(("Lockstep", "Create", ""))
    assert not [one for one in clinic.found("warning") if "Bypass" in one.what]
    assert clinic.one("error", 'lacks "Create tag definition"')


def test_what_no_tracker_tells_is_said_to_be_unchecked(clinic: Clinic) -> None:
    assert "vso.work_write" in clinic.one("unknown", "scopes of a personal access token").what
    assert clinic.one("unknown", "rules of the process")
    assert clinic.one("unknown", "data policies")


def test_an_account_outside_of_utc_is_told_why_that_matters(clinic: Clinic) -> None:
    """JQL dates are read in the profile's zone (apis.md 2.1), what ServiceNow shows is in the user's (apis.md 1.2)."""
    user = clinic.estate.jira.site.user(BOT)
    clinic.estate.jira.site.users[user.account_id] = replace(user, zone="Europe/Berlin")
    clinic.estate.servicenow.set_user("lockstep", time_zone="US/Pacific")
    assert "epoch" in clinic.one("warning", "Europe/Berlin", "UTC").what
    assert clinic.one("warning", "US/Pacific", "UTC").line == clinic.line("[trackers.servicenow]")


def test_a_zone_that_the_record_does_not_name_is_seen_by_how_times_are_shown(clinic: Clinic) -> None:
    clinic.estate.servicenow.set_user("lockstep", time_zone="")
    assert clinic.one("warning", "zone UTC-08:00", "UTC")


@pytest.mark.parametrize("off, told", [(29, 0), (120, 3)])
def test_clocks_that_differ_are_told(clinic: Clinic, off: int, told: int) -> None:
    clock = FrozenClock(clinic.estate.clock.now() - timedelta(seconds=off))
    found = [one for one in clinic.found("warning", clock) if "ahead of ours" in one.what]
    assert len(found) == told


def test_an_instance_that_passes_over_broken_conditions_is_told_of_the_setting(clinic: Clinic) -> None:
    """apis.md 1.1."""
    clinic.estate.servicenow.rights.strict_queries = False
    assert clinic.one("warning", "glide.invalid_query.returns_no_rows").instead


def test_settings_that_are_unsafe_are_told(clinic: Clinic) -> None:
    mail = 'server = "smtp://mail.example.org"\nsender = "a@example.org"\npassword = { env = "JIRA_TOKEN" }\nuser = "a"'
    clinic.change("[disclosure]", f"[guard]\nwrites = 0\n[mail]\n{mail}\n[disclosure]")
    assert clinic.one("warning", "as often as it likes").line == clinic.line("writes = 0")
    assert clinic.one("warning", "in the clear", "smtps").line == clinic.line("smtp://")


def test_a_data_center_is_examined_as_far_as_it_tells(tmp_path: Path) -> None:
    """``mypermissions`` and ``serverInfo`` as in Cloud; it has no ``roledetails``."""
    jira = DataCenter("jira", SandboxClock(MORNING))
    clinic = Clinic(
        tmp_path, Estate(jira=jira, clock=jira.clock), lambda text: text.replace(*BEARER), {"JIRA_TOKEN": "bot-pat"}
    )
    clinic.change('to   = ["defect.everyone", "pbi', 'to   = ["defect.role:Developers", "pbi')
    jira.deny(BOT, "CSPM", "EDIT_ISSUES")
    told = clinic.reports()["jira"].description
    assert told is not None and (told.product, told.version[:3]) == ("Jira Data Center", "10.")
    assert "project CSPM" in clinic.one("error", "lacks EDIT_ISSUES (").what
    assert clinic.one("unknown", "whether we may write to role:Developers")
    clinic.estate.stop()


# ── trackers that are down, or tell little ───────────────────────────────────────────────────────────────────────


def test_a_tracker_that_is_down_does_not_stop_the_others(clinic: Clinic) -> None:
    clinic.estate.servers["jira"].stop()
    clinic.change('pbi      = ["Done"]', 'pbi      = ["Finished"]')
    assert clinic.reports()["jira"].failure and clinic.reports()["azure"].description
    assert clinic.one("unknown", "nothing could be checked").tracker == "jira"
    assert clinic.one("error", 'no state "Finished"')


@pytest.mark.parametrize(
    "old, new, at, told",
    [
        ('url  = "{servicenow}"', 'url  = "{servicenow}/now"', "trackers.servicenow.url", "{servicenow}/now"),
        ('url  = "{azure}"', 'url  = "{azure}s"', "trackers.azure.url", "{azure}s"),
        ('user = "lockstep", password', 'user = "nobody", password', "trackers.servicenow.auth", "check its `auth`"),
        ('"lockstep@example.org"', '"nobody@example.org"', "trackers.jira.auth", "check the auth of jira"),
    ],
)
def test_an_address_or_a_sign_in_that_is_refused_is_to_be_mended(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, old: str, new: str, at: str, told: str
) -> None:
    urls = clinic.estate.urls
    clinic.change(old.format(**urls), new.format(**urls))
    finding = clinic.one("error", "nothing could be checked")
    assert (finding.key, finding.line) == (at, clinic.line(new.format(**urls)))
    assert told.format(**urls) in f"{finding.what} {finding.instead}"
    assert doctor(clinic, monkeypatch).exit_code == 2


class Quiet:
    """A connector of somebody else's, which tells of itself only what every connector must."""

    def __init__(self, inner: Connector) -> None:
        self.inner, self.kind = inner, inner.kind

    def open(self, scopes: Sequence[Scope]) -> Opening:
        return self.inner.open(scopes)

    def states(self, scope: Scope) -> Sequence[str]:
        return self.inner.states(scope)

    def final(self, scope: Scope) -> Collection[str]:
        return self.inner.final(scope)

    def fields_known(self, scope: Scope) -> Collection[str]:
        return self.inner.fields_known(scope)

    def close(self) -> None:
        self.inner.close()


def test_a_connector_that_cannot_describe_its_tracker_is_checked_as_far_as_it_goes(clinic: Clinic) -> None:
    def quiet(tracker: TrackerSettings, clock: Clock) -> Connector:
        return Quiet(connect(tracker, clock))  # type: ignore[return-value]

    clinic.change('defect   = ["To Do"]', 'defect   = ["Todo"]')
    clinic.change('pbi      = "System.Title"', 'pbi      = "Titel"')
    setup = clinic.setup()
    found = examine(setup, visit(setup, clinic.estate.clock, quiet))
    wrong = [one.key for one in found if one.level == "error"]
    assert sorted(wrong) == [
        "fields.summary.pbi",
        "stages.Validating.defect",
    ]
    assert len([one for one in found if "tells only states and fields" in one.what]) == 3


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────


def doctor(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    for name, value in clinic.estate.environment().items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(bot.main, ["doctor", "-c", str(clinic.path), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_command_groups_by_tracker_and_ends_with_2_where_the_file_does_not_fit(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.change('defect   = ["To Do"]', 'defect   = ["Todo"]')
    told = doctor(clinic, monkeypatch)
    assert told.exit_code == 2
    assert re.search(r"(?m)^jira  Jira Cloud .*zone UTC", told.stdout)
    assert f"lockstep.toml:{clinic.line('Todo')}" in told.stdout.replace("\n", "")
    assert "Nothing was written" in told.stdout
    assert clinic.estate.environment()["JIRA_TOKEN"] not in told.output


def test_the_command_ends_with_3_where_a_tracker_could_not_be_asked(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.estate.servers["azure"].stop()
    assert doctor(clinic, monkeypatch).exit_code == 3


def test_the_command_tells_programs_the_same(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    told = doctor(clinic, monkeypatch, "--json")
    assert told.exit_code == 0
    answer = json.loads(told.stdout)
    assert answer["trackers"]["servicenow"]["product"] == "ServiceNow" and answer["trackers"]["jira"]["zone"] == "UTC"
    assert {one["level"] for one in answer["findings"]} == {"warning", "unknown"}
    assert {one["tracker"] for one in answer["findings"]} == {"servicenow", "jira", "azure"}
