"""The admin's file: every problem at once, with its line and what to write instead."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.auth import (
    AccessToken,
    ApiKey,
    Bearer,
    ClientCredentials,
    Entra,
    EntraCertificate,
    PasswordGrant,
    Secret,
    UserPassword,
)
from mappings.calendar import Calendar, Span
from mappings.disclosure import Channel
from sync.config import ConfigProblems, explain
from tests.config_files import ENVIRON, HIDDEN, WARNED, WHOLE, WRONG, changed, problems_of, read

BOTH = "-----BEGIN PRIVATE KEY-----\nx\n-----BEGIN CERTIFICATE-----\ny"

# ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_file_becomes_a_setup_without_a_warning(tmp_path: Path) -> None:
    setup, warnings = read(tmp_path, WHOLE)
    assert warnings == []
    assert setup.mark == "lockstep-acme"
    assert (setup.poll, setup.sweep) == (timedelta(seconds=30), timedelta(hours=1))
    assert setup.state == Secret(f"sqlite:///{tmp_path}/lockstep.db")
    assert [secret.reveal() for secret in setup.secrets] == [HIDDEN]
    assert setup.calendar == Calendar.of(zone="America/Los_Angeles", holidays="US")
    assert setup.automation == {"svc"}
    assert setup.teams["triage"].url.reveal() == ENVIRON["TEAMS_URL"]
    assert HIDDEN not in repr(setup)


def test_sides_are_told_in_their_trackers_terms(tmp_path: Path) -> None:
    sides = read(tmp_path, WHOLE)[0].sides
    scope = sides["incident"].scope
    assert scope.where == (("assignment_group", ("Tier 3",)), ("active", ("true",)))
    assert scope.fields == ("short_description", "impact", "urgency", "escalation")
    assert (scope.mark, scope.table, sides["incident"].create_kind) == ("lockstep-acme", "incident", "incident")
    assert (sides["pbi"].scope.types, sides["pbi"].create_kind) == (("Bug", "Task"), "Bug")


def test_spellings_are_native_pairs_in_the_order_of_declaration(tmp_path: Path) -> None:
    rows = read(tmp_path, WHOLE)[0].fields["priority"].values
    assert [row.means for row in rows] == [1, 2]
    assert rows[1].spellings["incident"] == (
        (("impact", "2"), ("urgency", "1")),
        (("impact", "1"), ("urgency", "2")),
    )
    assert rows[1].spellings["defect"] == ((("priority", "Low"),), (("priority", "Lowest"),))


def test_stages_routes_and_rules_are_resolved(tmp_path: Path) -> None:
    setup, _ = read(tmp_path, WHOLE)
    assert setup.stages.meanings("incident", "Closed") == ("Done",)
    assert setup.stages.get("New").target == Span(days=1)
    assert setup.conditions["first"].holds({"stage": "New", "priority": 1})
    assert "second" not in setup.conditions
    quiet, late = setup.rules
    assert (quiet.quiet, quiet.over, late.over, late.over_span) == (Span(days=2), False, True, None)
    assert quiet.steps[0].say is not None
    assert quiet.steps[0].say.on == Channel("defect", "role:Devs")
    assert quiet.steps[1].email is not None
    assert quiet.steps[1].email.to == ("desk", "lead@example.org")  # resolved when the step fires
    assert quiet.steps[1].set == {"escalation": "High"}
    assert setup.parties[0].teams == "triage"


@pytest.mark.parametrize(
    "since, instant",
    [
        ("2026-11-05", datetime(2026, 11, 5, 8, tzinfo=UTC)),
        ('"2026-11-05"', datetime(2026, 11, 5, 8, tzinfo=UTC)),
        ('"2026-07-05 06:30"', datetime(2026, 7, 5, 13, 30, tzinfo=UTC)),
        ("2026-11-05 06:30:00Z", datetime(2026, 11, 5, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_the_bots_own_zones(tmp_path: Path, since: str, instant: datetime) -> None:
    text, _ = changed('id = "second"', f'id = "second"\nsince = {since}\nhistory = "all"')
    route = read(tmp_path, text)[0].routes[1]
    assert (route.since, route.history) == (instant, True)


@pytest.mark.parametrize(
    "tracker, auth, expected",
    [
        ("servicenow", '{ token = { env = "OTHER" } }', Bearer(Secret(HIDDEN))),
        ("jira", '{ token = { env = "OTHER" } }', Bearer(Secret(HIDDEN))),
        ("jira", '{ user = "u", password = { env = "OTHER" } }', UserPassword("u", Secret(HIDDEN))),
        ("azure", '{ pat = { file = "pat.txt" } }', AccessToken(Secret("from-a-file"))),
        (
            "azure",
            '{ tenant = "t", client_id = "c", client_secret = { env = "OTHER" }, authority = "https://a" }',
            Entra("t", "c", Secret(HIDDEN), "https://a"),
        ),
        (
            "azure",
            '{ tenant = "t", client_id = "c", certificate = { file = "both.pem" }, authority = "http://127.0.0.1:1" }',
            EntraCertificate("t", "c", Secret(BOTH), "http://127.0.0.1:1"),
        ),
        ("servicenow", '{ api_key = { env = "OTHER" } }', ApiKey(Secret(HIDDEN))),
        (
            "servicenow",
            '{ client_id = "c", client_secret = { env = "OTHER" } }',
            ClientCredentials("c", Secret(HIDDEN)),
        ),
        (
            "servicenow",
            '{ user = "u", password = { file = "pat.txt" }, client_id = "c", client_secret = { env = "OTHER" } }',
            PasswordGrant("u", Secret("from-a-file"), "c", Secret(HIDDEN)),
        ),
    ],
)
def test_each_way_to_sign_in(tmp_path: Path, tracker: str, auth: str, expected: object) -> None:
    (tmp_path / "pat.txt").write_text("from-a-file\n")
    (tmp_path / "both.pem").write_text(BOTH + "\n")
    assert read(tmp_path, signing_in(tracker, auth))[0].trackers[tracker].auth == expected


def signing_in(tracker: str, auth: str) -> str:
    """The whole file with another ``auth`` of one tracker."""
    return re.sub(rf"(\[trackers\.{tracker}\].*?)auth = [^\n]*", rf"\1auth = {auth}", WHOLE, count=1, flags=re.S)


@pytest.mark.parametrize(
    "tracker, auth, key, what, instead",
    [
        ("servicenow", '{ client_id = "c" }', "", "client_id alone do not sign in", "or client_id and client_secret"),
        ("servicenow", '{ api_key = { env = "OTHER" }, user = "u" }', "", "user and api_key alone", "or api_key"),
        ("jira", '{ api_key = { env = "OTHER" } }', "", "api_key alone do not sign in to jira", "user and token"),
        (
            "azure",
            '{ tenant = "t", client_id = "c", certificate = { env = "OTHER" } }',
            ".certificate",
            "must hold a private key without a passphrase and its certificate",
            "cat key.pem cert.pem",
        ),
        (
            "azure",
            '{ tenant = "t", client_id = "c", certificate = { env = "NOWHERE" } }',
            ".certificate",
            "the environment variable NOWHERE is not set",
            "give it its value",
        ),
        (
            "azure",
            '{ tenant = "t", client_id = "c", client_secret = { env = "OTHER" }, authority = "http://login.example" }',
            ".authority",
            "must begin with https://",
            "login.microsoftonline.com",
        ),
        (
            "azure",
            '{ tenant = "t", client_id = "c", client_secret = { env = "OTHER" }, authority = "https://[x" }',
            ".authority",
            "must begin with https://",
            "login.microsoftonline.com",
        ),
    ],
)
def test_what_cannot_sign_in_is_told_with_its_line(
    tmp_path: Path, tracker: str, auth: str, key: str, what: str, instead: str
) -> None:
    text = signing_in(tracker, auth)
    (problem,) = problems_of(tmp_path, text)
    assert problem.key == f"trackers.{tracker}.auth{key}"
    assert (what in problem.what, instead in problem.instead) == (True, True), str(problem)
    assert text.split("\n")[problem.line - 1].startswith("auth = ")


@pytest.mark.parametrize("place", ["trackers.jira", "teams.triage"])
@pytest.mark.parametrize(
    "line, what, instead",
    [
        ('proxy = "socks5://p:1"', "is not the address of a proxy", "http://HOST:PORT"),
        ('proxy = "proxy.example.org:3128"', "is not the address of a proxy", "http://HOST:PORT"),
        ('proxy = "http://[x"', "is not the address of a proxy", "http://HOST:PORT"),
        ('proxy = { env = "OTHER" }', "what is kept there is not the address of a proxy", "http://HOST:PORT"),
        (f'proxy = "http://u:{HIDDEN}@p:1"', "a password does not belong in this file", "LOCKSTEP_PROXY"),
        ('ca = "none.pem"', "there is no file", "in PEM form"),
        ('ca = "empty.pem"', "holds no certificates", "in PEM form"),
        # a file whose reading fails, for the superuser too
        ('ca = "/proc/self/mem"', "cannot be read: Input/output error", "may read"),
    ],
)
def test_a_way_to_the_network_that_leads_nowhere_is_told_with_its_line(
    tmp_path: Path, place: str, line: str, what: str, instead: str
) -> None:
    (tmp_path / "empty.pem").write_text("-----BEGIN PRIVATE KEY-----")
    text = WHOLE.replace(f"[{place}]\n", f"[{place}]\n{line}\n")
    (problem,) = problems_of(tmp_path, text)
    assert problem.key == f"{place}.{line.split()[0]}"
    assert (what in problem.what, instead in problem.instead) == (True, True), str(problem)
    assert text.split("\n")[problem.line - 1] == line


def test_a_proxy_with_its_password_is_kept_with_the_secrets(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("http://u:p@proxy.example.org:3128\n")
    text = WHOLE.replace("[trackers.jira]\n", '[trackers.jira]\nproxy = { file = "proxy" }\n')
    assert read(tmp_path, text)[0].trackers["jira"].proxy == Secret("http://u:p@proxy.example.org:3128")


def test_secrets_rotate_and_the_state_may_be_elsewhere(tmp_path: Path) -> None:
    text, _ = changed(
        'secret = { env = "LOCKSTEP_SECRET" }', 'secret = [{ env = "OTHER" }, { env = "LOCKSTEP_SECRET" }]'
    )
    text = text.replace("[bot]", '[bot]\nstate = { file = "where" }')
    (tmp_path / "where").write_text("postgresql+psycopg://u:p@db/lockstep\n")
    setup, _ = read(tmp_path, text)
    assert len(setup.secrets) == 2
    assert setup.state.reveal() == "postgresql+psycopg://u:p@db/lockstep"


def test_lines_lead_back_from_names_to_the_file(tmp_path: Path) -> None:
    lines = read(tmp_path, WHOLE)[0].lines
    for key, text in {
        "sides.incident.table": 'table = "incident"',
        "stages.Done.set.incident.close_code": "set = { incident",
        "fields.priority.values[2].defect": "{ is = 2,",
        "rules.quiet.steps[2].email.to": "email = {",
        "comments[1].from": 'from = "incident.comments"',
    }.items():
        assert WHOLE.split("\n")[lines[key] - 1].strip().startswith(text), key


def test_the_digest_is_the_files(tmp_path: Path) -> None:
    first, again = read(tmp_path, WHOLE)[0], read(tmp_path, WHOLE)[0]
    assert first.digest == again.digest != read(tmp_path, WHOLE + "# a remark\n")[0].digest


# ── what is wrong, thing by thing ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("old, new, key, what, instead", WRONG)
def test_each_mistake_is_told_alone_with_its_line_and_advice(
    tmp_path: Path, old: str, new: str, key: str, what: str, instead: str
) -> None:
    text, line = changed(old, new)
    problems = problems_of(tmp_path, text)
    assert [problem.key for problem in problems] == [key], explain(problems)
    (problem,) = problems
    assert what in problem.what
    assert instead in problem.instead
    assert abs(problem.line - line) <= 12 or not new
    last = re.sub(r"\[\d+\]$", "", key).rsplit(".", 1)[-1]
    shown = text.split("\n")[problem.line - 1]
    assert last in shown or shown.strip().startswith(("[", "{")), shown


def test_a_problem_reads_as_one_line_with_its_place(tmp_path: Path) -> None:
    text, _ = changed('tracker = "jira"', 'tracker = "jra"')
    line = text.split("\n").index('tracker = "jra"') + 1
    (problem,) = problems_of(tmp_path, text)
    assert str(problem) == (
        f'lockstep.toml:{line}: sides.defect.tracker: there is no tracker "jra"; '
        'write tracker = "jira" (trackers: servicenow, jira, azure)'
    )
    assert problem.column == 1
    assert str(ConfigProblems([problem])) == str(problem)
    assert explain([problem]).startswith("1 problem in lockstep.toml\n")


def test_every_problem_is_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = WHOLE
    for old, new in (
        ('instance = "acme"\n', ""),
        ('tracker = "jira"', 'tracker = "jra"'),
        ('move = "desk"', "move = 5\npausd = true"),
        ('quiet = "2d"', 'quiet = "2 d"'),
        ('{ env = "AZURE_PAT" }', '"x"'),
        ('to = ["desk",', 'to = ["dusk",'),
        ('owner = "incident"', 'owner = "incidents"'),
        ('name = "Done"\n', ""),
    ):
        text = text.replace(old, new)
    problems = problems_of(tmp_path, text)
    assert [problem.key for problem in problems] == [
        "bot.instance",
        "trackers.azure.auth.pat",
        "sides.defect.tracker",
        "stages.New.move",
        "stages.New.pausd",
        "stages[2].name",
        "fields.summary.owner",
        "rules.quiet.quiet",
        "rules.quiet.steps[2].email.to[1]",
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert f"{len(problems)} problems" in explain(problems)


def test_what_follows_from_a_broken_entry_is_not_told_as_well(tmp_path: Path) -> None:
    text, _ = changed('kind = "jira"', "kind = 5")
    assert [problem.key for problem in problems_of(tmp_path, text)] == ["trackers.jira.kind"]
    text, _ = changed('name = "New"\n', "name = 7\n")
    assert [problem.key for problem in problems_of(tmp_path, text)] == ["stages[1].name"]


def test_entries_behind_a_broken_one_keep_their_places(tmp_path: Path) -> None:
    text, _ = changed('id = "late"', 'id = "late"\nwhen = "nonsense == 1"')
    text = text.replace('[[rules]]\nid = "quiet"', '[[rules]]\nid = "odd"\nsteps = 5\n[[rules]]\nid = "quiet"')
    text = text.replace("[[rules]]\nid", "[[rules]]\nid", 1)
    assert [problem.key for problem in problems_of(tmp_path, text)] == ["rules.odd.steps", "rules.late.when"]


def test_an_empty_file_says_what_it_needs(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "")
    assert {problem.key for problem in problems} == {"bot", "trackers", "sides"}


@pytest.mark.parametrize("old, new, key, what", WARNED)
def test_what_is_perhaps_not_meant_is_a_warning(tmp_path: Path, old: str, new: str, key: str, what: str) -> None:
    (tmp_path / "short").write_text("short")
    text, _ = changed(old, new)
    setup, warnings = read(tmp_path, text)
    assert [(warning.key, what in warning.what) for warning in warnings] == [(key, True)]
    assert setup.instance == "acme"


def test_a_side_without_any_state_is_a_warning(tmp_path: Path) -> None:
    text = WHOLE.replace('pbi = "New"\n', "").replace('pbi = "Done"\n', "")
    assert [warning.key for warning in read(tmp_path, text)[1]] == ["sides.pbi"]


def test_a_priority_that_is_only_read_is_no_warning(tmp_path: Path) -> None:
    text, _ = changed('defect = "summary"\n', 'defect = "summary"\n[fields.urgent]\nincident = "priority"\n')
    assert read(tmp_path, text)[1] == []


def test_siblings_may_hear_each_other_on_the_channel_that_everyone_reads_and_on_no_other(tmp_path: Path) -> None:
    text, _ = changed("[disclosure]", "[disclosure]\nsiblings = true")
    setup, _ = read(tmp_path, text)
    own = [path for path in setup.paths if any(target.side == path.source.side for target in path.targets)]
    assert setup.siblings and {(str(path.source), *map(str, path.targets)) for path in own} == {
        ("incident.comments", "incident.comments"),
        ("defect.everyone", "defect.everyone"),
        ("pbi.discussion", "pbi.discussion"),
    }
    setup, _ = read(tmp_path, WHOLE)
    assert not setup.siblings and all(t.side != p.source.side for p in setup.paths for t in p.targets)


def test_what_a_stage_needs_and_what_is_removed_are_read(tmp_path: Path) -> None:
    setup, _ = read(tmp_path, changed("terminal = true", 'terminal = true\nremoved = true\nneeds = ["summary"]')[0])
    stage = setup.stages.get("Done")
    assert stage.needs == ("summary",) and stage.removed and not setup.stages.get("New").removed
