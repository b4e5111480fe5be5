"""``init``: a file to begin with, made from what live trackers tell, which passes ``check`` and ``doctor`` and works
with ``plan``. No secret is written, nothing is overwritten, nothing is changed in a tracker."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bot
from connectors.description import State
from sandbox.azure_devops import AzureDevOps
from sandbox.estate import AZURE_PAT, JIRA_TOKEN, SERVICENOW_PASSWORD, Estate
from sandbox.jira.defaults import BUG, USERS, projects
from sandbox.settled import settle
from sync.config import load
from sync.interview.fields import spread
from sync.interview.stages import category_of
from tests.world import READS

HERE = Path(__file__).resolve().parent.parent
SECRETS = (SERVICENOW_PASSWORD, JIRA_TOKEN, AZURE_PAT, "sandbox-secret-that-signs")


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    estate = Estate()
    settle_in(estate, tmp_path, monkeypatch)
    yield estate
    estate.stop()


def settle_in(estate: Estate, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has worked in these trackers; the secrets are set; the folder is the admin's."""
    for name, value in estate.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    settle(estate)


def run(*words: str, typed: str = "") -> Result:
    result = CliRunner().invoke(bot.main, words, input=typed or None)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def flags(estate: Estate, *more: str, pbi: str = "Portal/Product Backlog Item") -> list[str]:
    urls = estate.urls
    words = [
        "init",
        "--tracker",
        "servicenow",
        "servicenow",
        urls["servicenow"],
        "--tracker",
        "jira",
        "jira",
        urls["jira"],
    ]
    words += ["--tracker", "azure", "azure_devops", urls["azure"]]
    for auth in (
        "servicenow.user=lockstep",
        "servicenow.password=env:SERVICENOW_PASSWORD",
        "jira.user=lockstep@example.org",
        "jira.token=env:JIRA_TOKEN",
        "azure.pat=env:AZURE_PAT",
    ):
        words += ["--auth", auth]
    sides = (("incident", "servicenow", "incident"), ("defect", "jira", "CSPM/Bug"), ("pbi", "azure", pbi))
    for side in sides:
        words += ["--side", *side]
    return [*words, "--instance", "acme", *more]


def written(estate: Estate, *more: str, **options: str) -> str:
    done = run(*flags(estate, *more, **options))
    assert done.exit_code == 0, done.output
    return Path("lockstep.toml").read_text()


# ── a file that works ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_passes_check_and_doctor_and_plan_shows_what_it_would_do(estate: Estate) -> None:
    written(estate)
    checked, doctored = run("check"), run("doctor")
    assert (checked.exit_code, checked.stderr) == (0, ""), checked.output
    assert (doctored.exit_code, "✗" in doctored.stdout) == (0, False), doctored.stdout
    assert run("plan").exit_code == 0
    fresh = {"short_description": "500 on API", "impact": "1", "urgency": "2"}
    estate.servicenow.move(estate.servicenow.create(fresh, by="sam.hill"), "In Progress", by="rita.cole")
    planned = run("plan")
    assert planned.exit_code == 0 and "open a defect (Bug)" in planned.stdout
    assert len(estate.jira.ids()) == 4


def test_what_the_file_says_is_done_and_the_next_pass_is_quiet(estate: Estate) -> None:
    written(estate)
    fresh = {"short_description": "500 on API", "impact": "1", "urgency": "2"}
    incident = estate.servicenow.create(fresh, by="sam.hill")
    estate.servicenow.move(incident, "In Progress", by="rita.cole")
    done = run("reconcile")
    assert done.exit_code == 0, done.output
    defect = estate.jira.item(estate.jira.ids()[-1])
    assert (defect["summary"], defect["status"], defect["priority"]) == ("500 on API", "In Progress", "High")
    estate.jira.move(defect["id"], "Done", by="Ana Ruiz", resolution="Done")
    assert run("reconcile").exit_code == 0
    assert estate.servicenow.state_of(incident) == "Resolved"


def test_every_example_in_the_file_is_sound_once_it_is_opened(estate: Estate, tmp_path: Path) -> None:
    """A line that begins with # and no blank is an example."""
    text = written(estate)
    opened = re.sub(r"(?m)^#(?=[^ \n])", "", text)
    assert opened.count("[[comments]]") == 4 and "\n[[rules]]" in opened
    (tmp_path / "opened.toml").write_text(opened)
    assert len(load(tmp_path / "opened.toml").paths) == 4


def test_nothing_is_changed_in_a_tracker(estate: Estate) -> None:
    before = len(estate.log.entries)
    written(estate)
    asked = estate.log.entries[before:]
    assert {entry.tracker for entry in asked} == {"servicenow", "jira", "azure"}
    assert [e for e in asked if e.method not in ("GET", "OPTIONS") and not any(read in e.path for read in READS)] == []


# ── what stands in it ────────────────────────────────────────────────────────────────────────────────────────────


def test_states_stand_in_stages_by_what_they_count_as(estate: Estate) -> None:
    written(estate)
    stages = load("lockstep.toml").stages.stages
    assert [stage.name for stage in stages] == ["New", "In progress", "Waiting", "Done"]
    assert stages[1].states == {
        "incident": ("In Progress",),
        "defect": ("In Progress", "In Review"),
        "pbi": ("Committed",),
    }
    assert (stages[2].paused, set(stages[2].states)) == (True, {"incident"})
    assert stages[3].states["incident"] == ("Resolved", "Closed")
    assert stages[3].with_state["incident"]["close_code"] == "Solution provided"
    assert stages[3].with_state["defect"] == {"resolution": "Done"}


def test_what_was_called_off_is_left_to_the_admin(estate: Estate) -> None:
    text = written(estate)
    assert re.search(r"called off: incident Canceled; pbi Removed", text)
    assert not any(
        "Canceled" in states for stage in load("lockstep.toml").stages.stages for states in stage.states.values()
    )


def test_priorities_are_mapped_by_rank_and_all_values_are_listed(estate: Estate) -> None:
    text = written(estate)
    rows = load("lockstep.toml").fields["priority"].values
    assert [row.spellings["defect"][0][0][1] for row in rows] == ["Highest", "High", "Medium", "Low", "Lowest"]
    assert {spelling for row in rows for spelling in row.spellings["pbi"]} == {
        (("Microsoft.VSTS.Common.Priority", str(level)),) for level in range(1, 5)
    }
    assert sum(len(row.spellings["incident"]) for row in rows) == 9
    assert "# defect has Highest, High, Medium, Low, Lowest" in text
    assert "inquiry (Inquiry / Help)" in text


def test_no_comment_path_is_open_and_what_was_guessed_is_marked(estate: Estate) -> None:
    text = written(estate)
    assert load("lockstep.toml").paths == () and load("lockstep.toml").rules == ()
    assert "# defect has everyone, role:Developers" in text
    assert text.count("guessed:") > 8


def test_no_secret_stands_in_the_file(estate: Estate) -> None:
    text = written(estate)
    assert not [secret for secret in SECRETS if secret in text]
    assert 'password = { env = "SERVICENOW_PASSWORD" }' in text and 'secret   = { env = "LOCKSTEP_SECRET" }' in text


def test_lines_are_no_longer_than_a_screen(estate: Estate) -> None:
    tall = [line for line in written(estate).splitlines() if len(line) > 119 and "is = " not in line]
    assert tall == []


def test_a_scope_that_was_given_is_taken(estate: Estate) -> None:
    written(estate, "--scope", "incident.assignment_group=API Support", "--scope", "incident.category=software")
    assert load("lockstep.toml").sides["incident"].scope.where == (
        ("assignment_group", ("API Support",)),
        ("category", ("software",)),
    )


def test_fields_that_have_a_use_already_are_not_offered_for_another(estate: Estate) -> None:
    """Two tables of one instance share nearly all columns: journals, marks and mapped ones are no values to map."""
    words = flags(estate)
    sides = ["--side", "incident", "servicenow", "incident", "--side", "problem", "servicenow", "problem"]
    trackers = [
        *words[:5],
        "--auth",
        "servicenow.user=lockstep",
        "--auth",
        "servicenow.password=env:SERVICENOW_PASSWORD",
    ]
    done = run(*trackers, *sides, "--instance", "acme")
    assert done.exit_code == 0, done.output
    text = Path("lockstep.toml").read_text()
    offered = text[text.index("Several sides have") : text.index("── Comments")]
    assert 1 <= offered.count("[fields.") <= 8
    columns = ("comments", "work_notes", "correlation_id", "correlation_display", "impact", "close_code")
    assert not [name for name in columns if f'"{name}"' in offered]


def test_what_a_new_item_asks_for_is_supplied_and_marked(estate: Estate) -> None:
    home = projects(USERS)[0]
    severe = replace(BUG, required=("customfield_10042",))
    estate.jira.site.projects["CSPM"] = replace(home, types=(severe, *home.types[1:]))
    text = written(estate)
    assert load("lockstep.toml").sides["defect"].create == {"customfield_10042": "Critical"}
    assert "a new defect needs customfield_10042: it takes Critical, Major" in text
    assert run("doctor").exit_code == 0


def test_other_processes_and_empty_projects_make_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Estate()
    estate.stop()
    azure = AzureDevOps("azure", estate.clock, process="Agile", pats={AZURE_PAT: "Lockstep"})
    estate = Estate(azure=azure, clock=estate.clock)
    settle_in(estate, tmp_path, monkeypatch)
    for id in estate.jira.ids():
        estate.jira.delete(id, by="Ana Ruiz")
    text = written(estate, pbi="Portal/User Story")
    stages = {stage.name: stage.states["pbi"] for stage in load("lockstep.toml").stages.stages if "pbi" in stage.states}
    assert stages == {"New": ("New",), "In progress": ("Active", "Resolved"), "Done": ("Closed",)}
    assert 'no item stood in defect "To Do"' in text
    assert run("doctor").exit_code == 0
    estate.stop()


# ── answers that cannot be used ──────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_there_is_left_alone_unless_forced(estate: Estate) -> None:
    Path("lockstep.toml").write_text("mine")
    assert (run(*flags(estate)).exit_code, Path("lockstep.toml").read_text()) == (2, "mine")
    assert "[bot]" in written(estate, "--force")
    assert [path.name for path in Path().iterdir()] == ["lockstep.toml"]


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(estate: Estate) -> None:
    words = [word.replace("env:JIRA_TOKEN", JIRA_TOKEN) for word in flags(estate)]
    done = run(*words)
    assert done.exit_code == 2 and "env:NAME" in done.output and JIRA_TOKEN not in done.output
    assert not Path("lockstep.toml").exists()


def test_a_proxy_and_certificates_are_used_and_written(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    reach = ["--reach", "jira.ca=ca.pem", "--reach", "jira.proxy=env:PROXY"]
    assert "ca.pem" in run(*flags(estate, *reach)).output
    Path("ca.pem").write_text("")
    assert "PROXY" in run(*flags(estate, *reach)).output
    monkeypatch.setenv("PROXY", "http://us:hunter2@127.0.0.1:1")
    down = run(*flags(estate, *reach))
    assert down.exit_code != 0 and "hunter2" not in down.output and not Path("lockstep.toml").exists()
    text = written(estate, "--reach", f"jira.proxy={estate.urls['jira']}")
    assert f'proxy = "{estate.urls["jira"]}"' in text


WRONG = {
    "a kind": ("azure_devops", "azuredevops", 2, "azure_devops"),
    "an address": ("http://127", "htp://127", 2, "https://"),
    "an organisation": ("/example", "/exampel", 2, "/exampel with the address that your browser shows"),
    "a project": ("CSPM/Bug", "CSPX/Bug", 2, "CSPX"),
    "a type": ("CSPM/Bug", "CSPM/Defect", 2, "Task"),
    "a place": ("CSPM/Bug", "CSPM", 2, "SHOP/Bug"),
    "a tracker": ("--side defect jira", "--side defect jir", 2, "jira"),
    "a variable": ("env:JIRA_TOKEN", "env:JIRA_TOKEN_X", 2, "JIRA_TOKEN_X"),
    "an account": ("lockstep@example.org", "nobody@example.org", 3, "check the auth of jira"),
    "a key": ("jira.user=", "jira.usr=", 2, "user and token"),
    "a scope's field": ("--instance", "--scope defect.componets=Portal --instance", 2, "componets"),
    "a scope's value": ("--instance", "--scope incident.assignment_group=Nobody --instance", 2, "Nobody"),
    "a name with a space": ("--side incident", "--side my-\u00e4incident", 2, "write my_incident"),
    "a name twice": ("--side pbi", "--side defect", 2, "--side defect: the name stands twice"),
    "a tracker twice": ("--tracker azure", "--tracker jira", 2, "--tracker jira: the name stands twice"),
    "a name of the instance": ("acme", "acme&co", 2, "letters, digits and hyphens"),
    "a name before a key": ("jira.user=", "jria.user=", 2, "user"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_answer_that_cannot_be_used_is_told_and_nothing_is_written(estate: Estate, case: str) -> None:
    old, new, code, told = WRONG[case]
    words = "\0".join(flags(estate)).replace(old.replace(" ", "\0"), new.replace(" ", "\0"), 1).split("\0")
    done = run(*words)
    assert (done.exit_code, told in done.output) == (code, True), done.output
    assert not Path("lockstep.toml").exists()


def test_all_sides_that_are_not_there_are_told_at_once(estate: Estate) -> None:
    words = [word.replace("CSPM/Bug", "CSPX/Bug") for word in flags(estate, pbi="Portal/Story")]
    words[words.index("incident", words.index("--side") + 3)] = "incidant"
    done = run(*words)
    assert done.exit_code == 2 and all(name in done.output for name in ("incidant", "CSPX", "'Story'")), done.output


def test_what_comes_next_is_told_in_the_words_that_were_typed(estate: Estate) -> None:
    command = [sys.executable, str(HERE / "bot.py"), *flags(estate)]
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, timeout=120, check=True)
    assert f"  {sys.executable} {HERE / 'bot.py'} doctor -c lockstep.toml" in done.stdout.splitlines()


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────────────────────


def answers(estate: Estate, *, jira_secret: str = "JIRA_TOKEN") -> list[str]:
    """What an admin types; an empty answer takes what is offered."""
    urls = estate.urls
    servicenow = ["servicenow", "", urls["servicenow"], "1", "lockstep", "", "incident", ""]
    jira = ["jira", "", urls["jira"], "1", "lockstep@example.org", jira_secret, "CSPM", "Bug", ""]
    azure = ["y", "azure_devops", "", urls["azure"], "1", "AZURE_PAT", "Portal", "Product Backlog Item", ""]
    return [*servicenow, *jira, *azure, "n", "", "Acme Production", "America/Los_Angeles"]


def test_the_interview_leads_to_the_same_file(estate: Estate) -> None:
    done = run("init", typed="\n".join(answers(estate)) + "\n")
    assert done.exit_code == 0, done.output
    setup = load("lockstep.toml")
    assert (setup.instance, setup.zone) == ("acme-production", "America/Los_Angeles")
    assert list(setup.sides) == ["incident", "defect", "pbi"]
    assert run("doctor").exit_code == 0


def test_a_wrong_answer_is_asked_for_again(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = answers(estate)
    typed[2:3] = ["not an address", typed[2]]
    # once it failed, certificates and a proxy are asked for too
    typed[7:7] = ["", ""]
    bad = ["servicenow", "", estate.urls["servicenow"], "1", "nobody", ""]
    done = run("init", typed="\n".join([*bad, *typed]) + "\n")
    assert done.exit_code == 0, done.output
    assert "Once more" in done.output and "is not a web address" in done.output
    assert "nobody" not in Path("lockstep.toml").read_text()


def test_answers_that_failed_are_offered_again_and_a_name_cannot_be_taken_twice(estate: Estate) -> None:
    typed = answers(estate)
    bad = ["servicenow", "snow", estate.urls["servicenow"], "1", "nobody", "SERVICENOW_PASSWORD"]
    again = ["", "", "", "1", "lockstep", "", "", "", "incident", ""]
    jira = ["jira", "snow", "jira", *typed[10:16], "incident", "defect"]
    done = run("init", typed="\n".join([*bad, *again, *jira, "n", "", "acme", "UTC"]) + "\n")
    assert done.exit_code == 0, done.output
    assert "snow is the name of another one already" in done.output
    assert "incident is the name of another one already" in done.output
    setup = load("lockstep.toml")
    assert (list(setup.trackers), list(setup.sides)) == (["snow", "jira"], ["incident", "defect"])


def test_a_secret_that_is_typed_is_used_and_never_written(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIRA_TOKEN")
    typed = answers(estate, jira_secret="MY_JIRA")
    typed.insert(typed.index("MY_JIRA") + 1, JIRA_TOKEN)
    done = run("init", typed="\n".join(typed) + "\n")
    assert done.exit_code == 0, done.output
    text = Path("lockstep.toml").read_text()
    assert JIRA_TOKEN not in text + done.output and '{ env = "MY_JIRA" }' in text
    assert "export MY_JIRA=" in done.output


def test_the_interview_works_on_a_real_terminal(estate: Estate) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, **estate.environment(), "TERM": "dumb"}
    command = [sys.executable, str(HERE / "bot.py"), "init", "--out", "acme.toml"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    os.write(ours, ("\n".join(answers(estate)) + "\n").encode())
    said = b"".join(iter(lambda: read_some(ours), b""))
    os.close(ours)
    assert process.wait(timeout=120) == 0, said.decode(errors="replace")
    assert b"acme.toml is written" in said and load("acme.toml").instance == "acme-production"


def read_some(handle: int) -> bytes:
    """What the terminal shows; a closed one is an error on Linux."""
    try:
        return os.read(handle, 4096)
    except OSError:
        return b""


# ── guesses ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name, told, meant",
    [
        ("On Hold", "active", "paused"),
        ("Waiting for customer", "active", "paused"),
        ("Won't Do", "done", "removed"),
        ("Cancelled", "", "removed"),
        ("In Review", "active", "active"),
        ("Root Cause Analysis", "", "active"),
        ("Closed Complete", "", "done"),
        ("Open", "", "new"),
        ("Open", "active", "active"),
    ],
)
def test_a_state_counts_as_what_the_tracker_or_else_its_name_says(name: str, told: str, meant: str) -> None:
    assert category_of(State(name, told)) == meant


@pytest.mark.parametrize("here", range(2, 8))
@pytest.mark.parametrize("there", range(2, 8))
def test_a_scale_of_any_length_is_spread_over_another_and_nothing_is_left_out(here: int, there: int) -> None:
    levels = spread([((("p", str(at)),),) for at in range(here)], there)
    assert len(levels) == there and all(levels)
    assert {spelling for ways in levels for spelling in ways} == {(("p", str(at)),) for at in range(here)}
    firsts = [int(str(ways[0][0][1])) for ways in levels]
    assert firsts == sorted(firsts) and (firsts[0], firsts[-1]) == (0, here - 1)
