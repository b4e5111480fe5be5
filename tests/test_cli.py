"""The command line as people and cron jobs use it: exit codes, sentences, nothing written where nothing may be, and no
secret anywhere. In one process where that shows the same, in real ones where it does not."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import bot
from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.wire import Answer
from sync.compose import compose
from sync.config import load
from sync.rehearse import dry
from sync.store.fence import FENCE
from tests.test_faults import SIGN_IN
from tests.world import CHEN, RITA, SAM, World, cli, copies_of, writes

HERE = Path(__file__).resolve().parent.parent
PRIVATE = "private words that stay in the trackers"


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in real time, with its secrets in the environment; its engine is closed, so that commands may work."""
    world = World(tmp_path, estate=Estate())
    for name, value in world.estate.environment().items():
        monkeypatch.setenv(name, value)
    world.shut()
    yield world
    world.estate.stop()


def process(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own."""
    command = [sys.executable, str(HERE / "bot.py"), words[0], "-c", str(world.path), *words[1:]]
    environment = {**os.environ, **world.estate.environment()}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=world.folder)


def edit(world: World, old: str, new: str) -> None:
    text = world.path.read_text()
    assert old in text
    world.path.write_text(text.replace(old, new, 1))


def state_of(world: World, *, starts: bool = True) -> str:
    """A digest of every table of the state; without ``starts`` but for the number of those who came to work on it,
    which fences off whoever worked on it before and only slept."""
    if not world.state.exists():
        return "none"
    with sqlite3.connect(world.state) as connection:
        dump = "\n".join(line for line in connection.iterdump() if starts or f"VALUES('{FENCE}'," not in line)
    connection.close()
    return hashlib.sha256(dump.encode()).hexdigest()


def link(world: World) -> tuple[str, str]:
    """A linked incident and its defect, in step."""
    incident = world.incident()
    world.estate.servicenow.move(incident, "In Progress", by=RITA)
    assert cli(world, "reconcile").exit_code == 0
    return incident, world.estate.jira.ids()[-1]


# ── 0, 1 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reconciliation_that_leaves_nothing_open_ends_with_0_and_so_does_the_next(real: World) -> None:
    incident = real.incident()
    real.estate.servicenow.move(incident, "In Progress", by=RITA)
    first = process(real, "reconcile")
    assert (first.returncode, len(real.estate.jira.ids())) == (0, 1), first.stderr
    with real.counting() as asked:
        assert process(real, "reconcile").returncode == 0
    assert writes(asked) == []


def test_something_held_ends_with_1_and_held_says_what_helps(real: World) -> None:
    incident, _ = link(real)
    real.estate.servicenow.move(incident, "Canceled", by=RITA)
    assert cli(real, "reconcile").exit_code == 1
    told = cli(real, "held")
    assert told.exit_code == 1
    assert "Canceled" in told.stdout and "list" in told.stdout and "INC" in told.stdout
    as_json = json.loads(cli(real, "held", "--json").stdout)
    assert [one["what"] for one in as_json["held"]] == ["stage"]
    status = cli(real, "status", "--json")
    assert (status.exit_code, json.loads(status.stdout)["counts"]["held"]) == (1, 1)


def test_with_nothing_held_the_commands_say_so_and_end_with_0(real: World) -> None:
    link(real)
    assert (cli(real, "held").exit_code, cli(real, "held").stdout.strip()) == (0, "Nothing is held.")
    assert cli(real, "status").exit_code == 0
    assert cli(real, "check").exit_code == 0


def test_a_lost_creation_is_waited_for_and_made_before_a_reconciliation_ends(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.estate.servicenow.move(world.incident(), "In Progress", by=RITA)
    world.estate.faults.add(Fault("reset_before", "jira", "POST", "/issue/?$", times=1))
    passes = world.reconcile()
    assert passes[-1].quiet
    assert len(world.estate.jira.ids()) == 1
    world.close()


# ── 2 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

BROKEN = {
    "broken TOML": ('instance = "demo"', "instance = demo", "quotes", "instance"),
    "an unknown key": ('poll     = "5s"', 'pool     = "5s"', "poll", "pool"),
    "a rule that cannot be parsed": (
        "when  = 'stage == \"Fixing\" && priority <= 2'",
        "when  = 'stage == \"Fixing\" && priority <='",
        "when",
        "priority <=",
    ),
    "a rule about an undeclared field": ("&& priority <= 2'", '&& colour == "red"\'', "colour", "colour"),
    "an unknown party": ('move     = "operations"', 'move     = "operation"', "operations", '"operation"'),
    "an unknown state": ('defect   = ["To Do"]', 'defect   = ["Todo"]', "To Do", "Todo"),
    "an unknown field": ('defect   = "summary"', 'defect   = "sumary"', "no field", "sumary"),
    "a secret that is not set": ('{ env = "JIRA_TOKEN" }', '{ env = "JIRA_TOKEN_X" }', "JIRA_TOKEN_X", "JIRA_TOKEN_X"),
}


@pytest.mark.parametrize("case, command", [(c, ("plan", "reconcile", "run")[n % 3]) for n, c in enumerate(BROKEN)])
def test_a_wrong_file_ends_with_2_its_line_and_what_to_write(real: World, case: str, command: str) -> None:
    old, new, advice, wrong = BROKEN[case]
    edit(real, old, new)
    line = next(n for n, text in enumerate(real.path.read_text().splitlines(), 1) if wrong in text)
    before = state_of(real, starts=False)
    with real.counting() as asked:
        result = cli(real, command)
    assert result.exit_code == 2
    assert advice in result.stderr
    told = [int(n) for n in re.findall(r"lockstep\.toml:(\d+)", result.stderr)]
    assert told and all(line - 3 <= n <= line + 1 for n in told), (line, result.stderr)
    assert (writes(asked), state_of(real, starts=False)) == ([], before)
    assert "Traceback" not in result.output


def test_no_file_a_folder_and_a_wrong_time_end_with_2(real: World) -> None:
    for words in (["plan", "-c", "/nowhere/lockstep.toml"], ["plan", "-c", str(real.folder)]):
        result = CliRunner().invoke(bot.main, words)
        assert result.exit_code == 2
        assert result.stderr.strip()
    result = cli(real, "plan", "--as-of", "tomorrow")
    assert result.exit_code == 2
    assert "2026-11-30T09:00" in result.stderr


def test_a_state_that_is_no_database_ends_with_2_and_is_left_as_it_is(real: World) -> None:
    for file in real.folder.glob("lockstep.db*"):
        file.unlink()
    real.state.write_text("this is my shopping list, not a database at all\n" * 40)
    for command in ("reconcile", "plan", "status", "held", "run"):
        result = cli(real, command)
        assert result.exit_code == 2, (command, result.output)
        assert "state" in result.stderr
    assert real.state.read_text().startswith("this is my shopping list")


def test_a_warning_goes_to_standard_error_and_json_stays_json(real: World) -> None:
    text = real.path.read_text()
    real.path.write_text(
        text.replace("[fields.category]", '[fields.unused]\ndefect = "environment"\n[fields.category]')
    )
    result = cli(real, "plan", "--json")
    assert isinstance(json.loads(result.stdout), list)


# ── 3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_tracker_down_ends_with_3_and_names_each(real: World) -> None:
    for server in real.estate.servers.values():
        server.stop()
    result = cli(real, "reconcile")
    assert result.exit_code == 3
    for name in ("servicenow", "jira", "azure"):
        assert name in result.stderr
    assert "nothing was done" in result.stderr
    for server in real.estate.servers.values():
        server.http.server_close()


@pytest.mark.parametrize("tracker", ["servicenow", "jira", "azure"])
@pytest.mark.parametrize("how", ["wrong password", "sign-in page"])
def test_one_tracker_that_refuses_us_ends_with_3_and_the_others_are_worked_with(
    real: World, tracker: str, how: str
) -> None:
    incident, defect = link(real)
    html = {"Content-Type": "text/html"}
    page = Answer(203 if tracker == "azure" else 200, SIGN_IN, html)
    real.estate.faults.add(Fault("answer", tracker, answer=Answer(401, b"") if how == "wrong password" else page))
    real.estate.servicenow.comment(incident, "is it known?", SAM)
    result = cli(real, "reconcile")
    assert result.exit_code == 3
    assert tracker in result.stderr.lower()
    assert any(word in result.stderr for word in ("check", "token is wrong")), result.stderr
    carried = copies_of("is it known?", real.words("jira", defect))
    assert carried == (1 if tracker == "azure" else 0)
    real.estate.faults.clear()
    assert cli(real, "reconcile").exit_code == 0
    assert copies_of("is it known?", real.words("jira", defect)) == 1


def test_a_tracker_that_is_down_ends_a_plan_with_3_and_what_can_be_told_is_told(real: World) -> None:
    real.estate.servicenow.move(real.incident(), "In Progress", by=RITA)
    real.estate.faults.add(Fault("answer", "azure", answer=Answer(503)))
    result = cli(real, "plan")
    assert result.exit_code == 3
    assert "azure" in result.stderr
    assert "open a defect" in result.stdout


# ── 4, 5 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_too_many_writes_end_with_4_and_nothing_written_and_over_guard_lets_them_go(real: World) -> None:
    real.path.write_text(real.path.read_text() + "\n[guard]\nwrites = 3\n")
    for number in range(4):
        real.estate.servicenow.move(real.incident(f"failure {number}"), "In Progress", by=RITA)
    with real.counting() as asked:
        result = cli(real, "reconcile")
    assert (result.exit_code, writes(asked)) == (4, [])
    assert "guard.writes" in result.stderr and "--over-guard" in result.stderr
    assert cli(real, "reconcile", "--over-guard").exit_code == 0
    assert len(real.estate.jira.ids()) == 4


def test_a_second_instance_ends_with_5_while_looking_stays_possible(real: World) -> None:
    link(real)
    command = [sys.executable, str(HERE / "bot.py"), "run", "-c", str(real.path)]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        wait_for_lock(real)
        for words in ("reconcile", "run"):
            second = process(real, words)
            assert second.returncode == 5, second.stderr
            assert "another Lockstep works on" in second.stderr
        for words in ("plan", "status", "held"):
            assert cli(real, words).exit_code == 0
    finally:
        first.send_signal(signal.SIGTERM)
        _, told = first.communicate(timeout=120)
    assert first.returncode == 0, told
    assert cli(real, "reconcile").exit_code == 0


def wait_for_lock(world: World) -> None:
    """Until the daemon has asked each tracker what changed: then it holds the state and listens to signals."""
    before = len(world.estate.log.entries)
    for _ in range(2400):
        if any(e.tracker == "azure" and "reporting" in e.path for e in world.estate.log.entries[before:]):
            return
        if any(e.tracker == "azure" and "wiql" in e.path.lower() for e in world.estate.log.entries[before:]):
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError("the daemon did not begin its work")


# ── plan, why ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_writes_nothing_to_a_tracker_nor_to_the_state(real: World) -> None:
    incident, _ = link(real)
    real.estate.servicenow.comment(incident, PRIVATE, SAM)
    real.estate.servicenow.move(real.incident("another"), "In Progress", by=RITA)
    before = state_of(real)
    with real.counting() as asked:
        later = ["plan", "--as-of", "2030-01-07T18:00"]
        for words in (["plan"], ["plan", "--json"], ["reconcile", "--dry-run"], later):
            result = cli(real, *words)
            assert result.exit_code == 0, result.output
            assert "another" not in result.stderr
            assert PRIVATE not in result.output
    assert writes(asked) == []
    assert state_of(real) == before
    shown = json.loads(cli(real, "plan", "--json").stdout)
    kinds = [action["kind"] for plan in shown for action in plan["actions"]]
    assert {"adopt", "open", "say"} <= set(kinds)
    assert all(action["reason"] for plan in shown for action in plan["actions"])


def test_a_plan_on_a_fresh_machine_leaves_no_state_behind(real: World) -> None:
    for file in real.folder.glob("lockstep.db*"):
        file.unlink()
    for command in ("plan", "status", "held"):
        assert cli(real, command).exit_code == 0
    assert list(real.folder.glob("lockstep.db*")) == []


def test_a_plan_names_items_as_people_do_also_those_that_no_link_holds_yet(real: World) -> None:
    incident = real.incident("not linked yet")
    real.estate.servicenow.move(incident, "In Progress", by=RITA)
    told = cli(real, "plan").stdout
    assert f"mark {real.estate.servicenow.item(incident)['number']}" in told
    assert incident not in told and "on 1 link." in told


def test_a_plan_tells_what_is_left_alone_for_its_age(real: World) -> None:
    """Without the sentence an admin with a file that opens nothing would look for the mistake elsewhere."""
    real.estate.servicenow.move(real.incident("older than the first start"), "In Progress", by=RITA)
    for file in real.folder.glob("lockstep.db*"):
        file.unlink()
    told = cli(real, "plan").stdout
    assert "Nothing to do" in told and "1 item left alone" in told and "since" in told


def test_a_plan_for_a_later_time_shows_the_firing_due_then(real: World) -> None:
    edit(real, 'calendar = { days = "Mon-Fri", hours = "08:00-17:00", holidays = "US-CA" }', "")
    incident, _ = link(real)
    real.estate.servicenow.update(incident, {"impact": "1", "urgency": "1"}, by=RITA)
    assert cli(real, "reconcile").exit_code == 0
    now = cli(real, "plan")
    assert "Nothing to do" in now.stdout
    later = datetime.now(UTC) + timedelta(hours=25)
    told = cli(real, "plan", "--as-of", later.isoformat()).stdout
    assert "rule quiet-defect, step 1" in told
    assert "step 2" not in told
    assert "rule quiet-defect, step 2" in cli(real, "plan", "--as-of", (later + timedelta(days=1)).isoformat()).stdout


def test_a_plan_shows_no_firing_of_a_new_rule_that_a_pass_would_not_make(tmp_path: Path) -> None:
    """A new rule counts from when it is first in force; so it must in the plan."""
    world = World(tmp_path)
    _, defect, _ = world.linked()
    world.later(hours=72)
    world.settle()
    rule = '\n[[rules]]\nid = "new-one"\nwhen = \'stage == "Fixing"\'\nquiet = "1h"\n'
    rule += '  [[rules.steps]]\n  say = { on = "defect.everyone", text = "well?" }\n'
    world.edit = lambda text: text + rule
    world.path.write_text(world.edit(world.estate.file(f"sqlite:///{world.state}")))
    looking = compose(load(world.path, world.estate.environment()), world.estate.clock, exclusive=False)
    looking.open()
    assert dry(looking, everything=True).plans == []
    looking.close()
    world.restart()
    world.settle()
    assert copies_of("well?", world.words("jira", defect)) == 0
    world.close()


def test_why_tells_whose_word_each_field_is_and_what_stands_in_the_way(real: World) -> None:
    incident, defect = link(real)
    real.estate.jira.update(defect, {"summary": "said by development"}, by="Ana Ruiz")
    assert cli(real, "reconcile").exit_code == 0
    number = real.estate.servicenow.item(incident)["number"]
    for name in (number, number.lower(), "CSPM-1"):
        told = cli(real, "why", name)
        assert told.exit_code == 0
        summary = next(line for line in told.stdout.splitlines() if "said by development" in line)
        assert "defect" in summary
    assert "agreed" in told.stdout  # the journal
    other = real.estate.servicenow.item(real.incident("a slow mail", category="network"))["number"]
    cli(real, "reconcile")
    why_not = cli(real, "why", other)
    assert "production-defect" in why_not.stdout
    assert "category" in why_not.stdout or "stage" in why_not.stdout
    unknown = cli(real, "why", "INC9999999")
    assert unknown.exit_code == 1
    assert "INC9999999" in unknown.stderr


def test_status_lists_links_as_text_and_as_json(real: World) -> None:
    incident, _ = link(real)
    number = real.estate.servicenow.item(incident)["number"]
    told = cli(real, "status").stdout
    assert number in told and "\n1 link, 1 open, 2 items, " in told
    told = json.loads(cli(real, "status", "--json").stdout)
    assert told["counts"]["links"] == 1
    assert number in told["links"][0]["items"].values()


def test_each_command_is_told_in_one_whole_sentence_on_a_narrow_terminal() -> None:
    told = CliRunner().invoke(bot.main, ["--help"], terminal_width=80).stdout
    lines = told.partition("Commands:")[2].partition("Exit codes")[0].split("\n")
    assert len([line for line in lines if line.strip()]) == len(bot.main.commands)
    assert [line for line in lines if "..." in line] == []


def test_what_goes_to_a_program_is_at_most_120_columns_wide(real: World) -> None:
    link(real)
    told = cli(real, "plan").stdout + cli(real, "why", "CSPM-1").stdout + cli(real, "status").stdout
    assert max(map(len, told.splitlines())) <= 120
    assert any(len(line) > 80 for line in told.splitlines())


def test_check_counts_the_comment_paths_that_stand_in_the_file(real: World) -> None:
    edit(real, "[disclosure]\n", "[disclosure]\nsiblings = true\n")
    assert "3 comment paths" in cli(real, "check").stdout


def test_why_of_what_no_pass_has_seen_yet_says_so(real: World) -> None:
    real.state.unlink()
    told = cli(real, "why", "INC0010001")
    assert told.exit_code == 1
    assert "No pass has run yet; see lockstep plan" in told.stderr


def test_looking_asks_no_tracker(real: World) -> None:
    link(real)
    with real.counting() as asked:
        for command in ("check", "status", "held"):
            cli(real, command)
    assert asked == []


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_edit_that_waits_is_said_by_status_and_doctor_and_its_effect_shown_by_plan(real: World) -> None:
    _, defect = link(real)
    edit(real, 'defect = "Medium", pbi = 3', 'defect = "High", pbi = 3')
    edit(real, 'defect = "High", pbi = 2', 'defect = "Highest", pbi = 2')
    line = next(n for n, text in enumerate(real.path.read_text().splitlines(), 1) if 'defect = "High"' in text)
    before = state_of(real)
    told = f'line {line}: fields.priority.values[3].defect: "High" instead of "Medium"'
    assert told in cli(real, "status").stdout
    assert any(one["waits"] for one in json.loads(cli(real, "status", "--json").stdout)["edit"])
    assert told in cli(real, "doctor").stderr
    shown = " ".join(cli(real, "plan").stdout.split())
    assert told in shown
    assert "1 defect: priority Medium → High" in shown
    assert "change CSPM-1: priority = High" in shown
    assert state_of(real) == before
    assert told in cli(real, "reconcile").stderr
    assert real.estate.jira.item(defect)["priority"] == "Medium"


def test_no_secret_and_no_word_of_a_comment_is_in_any_output_log_or_journal(real: World) -> None:
    incident, defect = link(real)
    real.estate.servicenow.comment(incident, PRIVATE, SAM)
    real.estate.servicenow.comment(incident, f"note: {PRIVATE}", RITA, "work_notes")
    real.estate.jira.update(defect, {"labels": [*real.estate.jira.item(defect)["labels"], "dev"]}, by="Ana Ruiz")
    first = process(real, "reconcile")
    outputs = [first.stdout, first.stderr]
    real.estate.azure.comment(real.estate.azure.ids()[-1], PRIVATE, CHEN)
    place = r"/(issue|workitems|incident)(/\w+(/comments?)?)?$"
    for kind, method, status in (("answer", "POST|PATCH|PUT", 400), ("answer", "GET", 500), ("garbage", "GET", 200)):
        answer = Answer(status, PRIVATE.encode(), {"Content-Type": "text/plain"})
        real.estate.faults.add(Fault(kind, method=method, times=2, path=place, answer=answer))
    for words in (["plan"], ["plan", "--json"], ["reconcile", "--dry-run"], ["why", "CSPM-1"], ["reconcile"], ["held"]):
        given = ["--log", "debug", words[0], "-c", str(real.path), *words[1:]]
        result = CliRunner().invoke(bot.main, given)
        assert isinstance(result.exception, SystemExit | None)
        outputs.append(result.output)
    real.estate.faults.clear()
    for tracker in ("servicenow", "jira", "azure"):
        real.estate.faults.add(Fault("answer", tracker, answer=Answer(401, PRIVATE.encode())))
    last = process(real, "reconcile")
    written = "".join([*outputs, last.stdout, last.stderr])
    assert last.returncode == 3
    with sqlite3.connect(real.state) as connection:
        tables = "\n".join(connection.iterdump())
    connection.close()
    for secret in real.estate.environment().values():
        assert secret not in written
        assert secret not in tables
    assert PRIVATE not in written
    journal = [line for line in tables.splitlines() if "journal" in line]
    assert PRIVATE not in "\n".join(journal)
    assert oct(real.state.stat().st_mode)[-3:] == "600"


def test_an_address_with_a_name_that_does_not_resolve_is_told_without_a_trace(real: World) -> None:
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    free = port.getsockname()[1]
    port.close()
    edit(real, real.estate.urls["jira"], f"http://127.0.0.1:{free}")
    result = cli(real, "reconcile")
    assert result.exit_code == 3
    assert "jira cannot be reached: nothing listens there" in result.stderr
    assert "Traceback" not in result.output
