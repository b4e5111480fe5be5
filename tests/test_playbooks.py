"""The shipped playbooks: ``init --playbook`` writes one with its roster, and each is a file that ``check`` takes."""

from __future__ import annotations

import re
import shlex
import smtplib
import socket
import tomllib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

import bot
from sandbox.mailbox import Mailbox
from sandbox.premises import FIRST, MAIL_PASSWORD, premises
from sandbox.shown import card_text, mail_text
from sync.compose import compose, mismatches
from sync.config import load
from sync.interview.playbook import ROSTER, playbooks, secrets_of, shelf
from sync.reconcile import reconcile

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


# ── trying one on the sandbox ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def letters() -> Iterator[tuple[Mailbox, list[str]]]:
    told: list[str] = []
    box = Mailbox(lambda raw: told.append(mail_text(raw)), "lockstep", MAIL_PASSWORD)
    yield box, told
    box.stop()


def typed(command: str) -> requests.Response:
    """What a person's ``curl`` line does."""
    words = shlex.split(command)
    said = {words[at]: words[at + 1] for at in range(2, len(words) - 1, 2)} | {"url": words[-1]}
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    user, password = said["-u"].split(":")
    return requests.post(said["url"], data=said["-d"].encode(), headers=headers, auth=(user, password), timeout=10)


@pytest.mark.parametrize("name", NAMES)
def test_a_playbook_on_its_premises_begins_with_the_line_that_the_sandbox_prints(
    name: str, folder: Path, letters: tuple[Mailbox, list[str]]
) -> None:
    box, told = letters
    estate = premises(name, {})
    try:
        text = (shelf() / f"{name}.toml").read_text("utf-8")
        (folder / "try.toml").write_text(estate.filled_in(text, f"sqlite:///{folder / 'try.db'}", box.port), "utf-8")
        (folder / ROSTER).write_text((shelf() / f"{name}.csv").read_text("utf-8"), "utf-8")
        engine = compose(load(folder / "try.toml", estate.environment()), estate.clock)
        engine.open()
        assert mismatches(engine) == []
        reconcile(engine)
        assert typed(FIRST[name](estate.urls)).status_code in (200, 201)
        reconcile(engine)
        assert engine.store.counts()["open"] == 1 and engine.store.held() == []
        expected = {"mytc": 2, "level2": 1, "triage": 1}
        assert len(told) == expected.get(name, 0), told
        engine.store.close()
    finally:
        estate.stop()


def test_the_sandbox_s_mail_server_takes_what_somebody_sends_who_signs_in(
    letters: tuple[Mailbox, list[str]],
) -> None:
    box, told = letters
    mail = EmailMessage()
    mail["To"], mail["From"], mail["Subject"] = "ann@example.org", "lockstep@example.org", "late"
    mail.set_content("It waits.\n.\n..still")
    with smtplib.SMTP("127.0.0.1", box.port) as client:
        with pytest.raises(smtplib.SMTPException):
            client.send_message(mail)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("lockstep", "wrong")
        client.login("lockstep", MAIL_PASSWORD)
        client.send_message(mail)
    assert told == ["── mail to ann@example.org: late\n   It waits.\n   .\n   ..still"]


def test_a_card_is_shown_with_its_texts_and_facts() -> None:
    body = [{"type": "TextBlock", "text": "late"}, {"type": "FactSet", "facts": [{"title": "Why", "value": "quiet"}]}]
    assert card_text({"attachments": [{"content": {"body": body}}]}) == "── card in Teams\n   late\n   Why: quiet"


@pytest.mark.parametrize("words", [(), ("--playbook", "mytc")])
def test_a_port_that_is_taken_is_told_with_what_to_do(folder: Path, words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("sandbox", "--port", port, *words)
    assert refused.exit_code == 2 and f"a port from {port} on is taken" in refused.output
    assert list(folder.iterdir()) == []


def test_the_sandbox_names_the_playbooks_there_are(folder: Path) -> None:
    refused = run("sandbox", "--playbook", "calsaw")
    assert refused.exit_code == 2 and "there is no playbook calsaw" in refused.output and "calsaws" in refused.output
    assert list(folder.iterdir()) == []
