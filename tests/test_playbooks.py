"""The shipped playbooks: ``init --playbook`` writes one with its roster, and each is a file that ``check`` takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bot
from sync.config import load
from sync.interview.playbook import ROSTER, playbooks, secrets_of, shelf

NAMES = playbooks()


def run(*words: str) -> Result:
    result = CliRunner().invoke(bot.main, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_playbook_is_written_with_its_roster_and_passes_the_check(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = run("init", "--playbook", name)
    assert written.exit_code == 0, written.output
    assert f"{name}.toml is written, and {ROSTER} beside it" in written.output
    text = (folder / f"{name}.toml").read_text()
    assert text == (shelf() / f"{name}.toml").read_text() and (folder / ROSTER).read_text().startswith("name,email,")
    for secret in secrets_of(text):
        assert f"export {secret}=" in written.output
        monkeypatch.setenv(secret, f"https://example.org/{secret}")
    assert load(folder / f"{name}.toml").roster.people
    checked = run("check", "-c", f"{name}.toml")
    assert checked.exit_code == 0 and "No problems." in checked.output, checked.output


@pytest.mark.parametrize("name", NAMES)
def test_a_playbook_says_what_it_plays_and_names_nobody_real(name: str) -> None:
    text, roster = (shelf() / f"{name}.toml").read_text(), (shelf() / f"{name}.csv").read_text()
    assert text.startswith(f"# Playbook {name}: ") and "by hand" in text
    domains = set(re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text + roster))
    assert domains <= {"example.org", "example.com"}
    assert tomllib.loads(text)["people"]["roster"] == ROSTER


def test_nothing_is_overwritten_unless_it_is_forced(folder: Path) -> None:
    (folder / ROSTER).write_text("mine")
    refused = run("init", "--playbook", NAMES[0])
    assert refused.exit_code == 2 and f"{ROSTER} is there already" in refused.output
    assert not (folder / f"{NAMES[0]}.toml").exists() and (folder / ROSTER).read_text() == "mine"
    (folder / f"{NAMES[0]}.toml").write_text("mine too")
    both = run("init", "--playbook", NAMES[0])
    assert both.exit_code == 2 and "are there already" in both.output
    assert run("init", "--playbook", NAMES[0], "--force").exit_code == 0
    assert (folder / ROSTER).read_text() != "mine" and (folder / f"{NAMES[0]}.toml").read_text() != "mine too"


def test_another_place_may_be_named(folder: Path) -> None:
    (folder / "live").mkdir()
    assert run("init", "--playbook", NAMES[0], "--out", "live/lockstep.toml").exit_code == 0
    assert sorted(path.name for path in (folder / "live").iterdir()) == ["lockstep.toml", ROSTER]


def test_a_playbook_that_is_not_there_is_told_with_those_that_are(folder: Path) -> None:
    refused = run("init", "--playbook", "calsaw")
    assert refused.exit_code == 2 and "there is no playbook calsaw; did you mean calsaws?" in refused.output
    assert all(name in refused.output for name in NAMES) and list(folder.iterdir()) == []


def test_a_playbook_takes_no_answers_of_the_interview(folder: Path) -> None:
    refused = run("init", "--playbook", NAMES[0], "--side", "incident", "servicenow", "incident")
    assert refused.exit_code == 2 and "takes no --side" in refused.output and list(folder.iterdir()) == []
