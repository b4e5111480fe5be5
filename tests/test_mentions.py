"""People called by name: each tracker's own form, who is notified by it, and that nobody is by the words of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.servicenow.connector import ServiceNow
from mappings.mentions import BEGIN, BETWEEN, END, Mention, called, in_words, rendered
from mappings.text import clean, to_html, to_journal, to_wiki
from tests.contract import Harness
from tests.test_connector_azure_devops import JANE as UNIQUE
from tests.test_connector_azure_devops import AzureHarness
from tests.test_connector_jira import SCOPE, JiraHarness
from tests.test_connector_jira_datacenter import DataCenterHarness
from tests.test_connector_servicenow import SnowHarness

# ── The neutral form ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_rendered_and_what_stands_around_it_is_plain() -> None:
    text = f"A <b> said\n{called((Mention('acc', 'Ann'), Mention('', 'Bob')))}\nhello"
    assert rendered(text, str.upper, lambda one: f"[{one.account}:{one.name}]") == "A <B> SAID\n[acc:Ann], BOB\nHELLO"
    assert in_words(text) == "A <b> said\nAnn, Bob\nhello"
    assert called(()) == ""


@pytest.mark.parametrize("sign", [BEGIN, BETWEEN, END])
def test_no_words_that_are_cleaned_can_hold_a_call(sign: str) -> None:
    forged = f"{BEGIN}acc{BETWEEN}Ann{END}"
    assert sign not in clean(forged)[0]
    assert rendered(clean(forged)[0], str, lambda one: "CALLED") == "accAnn"


def test_a_name_cannot_break_out_of_its_call() -> None:
    twisted = Mention(f"a{END}cc", f"An{BEGIN}n{BETWEEN}{END}")
    assert rendered(called((twisted,)), str, lambda one: f"<{one.account}|{one.name}>") == "<acc|Ann>"


# ── The trackers' own ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def snow() -> Iterator[SnowHarness]:
    made = SnowHarness()
    made.connector.open([made.scope])
    yield made
    made.connector.close()
    made.server.stop()


@pytest.fixture
def jira() -> Iterator[JiraHarness]:
    made = JiraHarness(SCOPE)
    yield made
    made.connector.close()
    made.server.stop()


@pytest.fixture
def datacenter() -> Iterator[DataCenterHarness]:
    made = DataCenterHarness(SCOPE)
    yield made
    made.connector.close()
    made.server.stop()


@pytest.fixture
def azure() -> Iterator[AzureHarness]:
    made = AzureHarness()
    yield made
    made.stop()


def say(harness: Harness, *mentions: Mention, id: str = "") -> tuple[str, list[str], list[str]]:
    """What a remark that calls people by name looks like in the tracker, whom it notifies, and the calls it took."""
    record = harness.record(id or harness.person_creates("call"))
    before = len(harness.tracker.mentioned(record.ref.id))
    harness.log.clear()
    harness.connector.say(harness.scope, record, harness.channel, f"{called(mentions)}\nStill there?")
    asked = [f"{entry.method} {entry.path.partition('?')[0]}" for entry in harness.log.entries]
    text = harness.tracker.comments(record.ref.id)[-1]["text"]
    return text, harness.tracker.mentioned(record.ref.id)[before:], asked


def test_servicenow_is_told_the_sys_id_of_the_user(snow: SnowHarness) -> None:
    snow.person_comments(snow.person_creates("other"), "hello")  # so that Beth is known there
    users = snow.tracker.data.tables["sys_user"].rows
    beth = next(id for id, user in users.items() if user["user_name"] == "beth.anglin")
    text, notified, asked = say(snow, Mention("beth.anglin", "Beth [A]: Anglin"))
    assert text == f"@[{beth}:Beth A Anglin]\nStill there?"
    assert notified == ["beth.anglin"]
    assert [line.split("/")[-1] for line in asked if line.startswith("GET")] == ["sys_user"]
    assert not any(line.startswith("GET") for line in say(snow, Mention("beth.anglin", "Beth"))[2])


def test_servicenow_names_somebody_it_does_not_know_in_plain_words(snow: SnowHarness) -> None:
    assert say(snow, Mention("nobody", "Ned @[Nobody]"))[:2] == ("Ned @ [Nobody]\nStill there?", [])


def test_jira_cloud_is_told_the_account_id(jira: JiraHarness) -> None:
    user = jira.tracker.site.user("Ana Ruiz")
    text, notified, asked = say(jira, Mention(user.account_id, user.name))
    assert text == f"[~accountid:{user.account_id}]\nStill there?"
    assert notified == [user.name]
    assert len(asked) == (1 if re.fullmatch(r"[0-9a-f]{24}|\d+:[\w-]+", user.account_id) else 2)


def test_jira_looks_for_the_account_of_a_name_and_knows_it_from_then_on(jira: JiraHarness) -> None:
    user = jira.tracker.site.user("Ana Ruiz")
    text, notified, asked = say(jira, Mention(user.name, user.name))
    assert (text.partition("\n")[0], notified, len(asked)) == (f"[~accountid:{user.account_id}]", [user.name], 2)
    assert len(say(jira, Mention(user.name, user.name))[2]) == 1


def test_jira_names_somebody_it_does_not_know_in_plain_words(jira: JiraHarness) -> None:
    text, notified, _ = say(jira, Mention("Ned Nobody", "Ned [~Nobody]"))
    assert (text.partition("\n")[0], notified) == (to_wiki("Ned [~Nobody]"), [])


def test_data_center_is_told_the_user_name(datacenter: DataCenterHarness) -> None:
    user = datacenter.tracker.site.user("Ana Ruiz")
    text, notified, asked = say(datacenter, Mention(user.login, user.name))
    assert (text, notified, len(asked)) == (f"[~{user.login}]\nStill there?", [user.name], 1)


def test_azure_devops_is_told_the_id_that_the_item_gives_its_people(azure: AzureHarness) -> None:
    jane = azure.tracker.org.person(UNIQUE)
    text, notified, asked = say(azure, Mention(UNIQUE.upper(), "Jane <b>"))
    anchor = f'<a href="#" data-vss-mention="version:2.0,{jane.id}">@Jane &lt;b&gt;</a>'
    assert (text, notified) == (f"<div>{anchor}<br>Still there?</div>", [jane.unique_name])
    assert [line.rpartition("/")[2] for line in asked] == ["workItemsBatch", "comments"]
    assert len(say(azure, Mention(UNIQUE, "Jane"))[2]) == 1


def test_azure_devops_finds_others_in_the_teams_of_the_project(azure: AzureHarness) -> None:
    org = azure.tracker.org
    wei = org.person("wei@example.org")
    org.teams.team(org.rules.project("Portal")).members.append(wei.unique_name)
    _, notified, asked = say(azure, Mention("wei@example.org", "Wei"))
    assert notified == ["wei@example.org"]
    assert [line.rpartition("/")[2] for line in asked] == ["workItemsBatch", "teams", "members", "comments"]
    assert say(azure, Mention(wei.id, "Wei"))[1] == ["wei@example.org"]


def test_azure_devops_names_somebody_it_does_not_know_in_plain_words(azure: AzureHarness) -> None:
    id = azure.person_creates("call")
    text, notified, asked = say(azure, Mention("ned@example.org", "Ned <a>"), id=id)
    assert (text, notified) == ("<div>Ned &lt;a&gt;<br>Still there?</div>", [])
    assert len(say(azure, Mention("ned@example.org", "Ned"), id=id)[2]) == 1 < len(asked)


@pytest.mark.parametrize("kind", ["snow", "jira", "datacenter", "azure"])
def test_the_form_of_a_mention_in_other_peoples_words_calls_nobody(kind: str, request: pytest.FixtureRequest) -> None:
    harness: Any = request.getfixturevalue(kind)
    ids = everyone(harness)
    forms = [form for id in ids for form in (f"@[{id}:x]", f"[~{id}]", f"[~accountid:{id}]", f"@<{id}>")]
    forms += [f'<a href="#" data-vss-mention="version:2.0,{id}">@x</a>' for id in ids]
    forged = clean("".join(f"{BEGIN}{id}{BETWEEN}x{END}" for id in ids))[0]
    record = harness.record(harness.person_creates("quoted"))
    harness.connector.say(harness.scope, record, harness.channel, " ".join((*forms, forged)))
    assert harness.tracker.mentioned(record.ref.id) == []


def everyone(harness: Any) -> list[str]:
    """Every id and name by which the tracker's people could be called."""
    if isinstance(harness.connector, ServiceNow):
        return list(harness.tracker.data.tables["sys_user"].rows)
    if isinstance(harness, AzureHarness):
        return [person.id for person in harness.tracker.org.people.values()]
    return [word for user in harness.tracker.site.users.values() for word in (user.account_id, user.login) if word]


def test_the_markups_keep_the_words_of_a_mention_that_is_none() -> None:
    assert to_journal("see @[abc:Ann]") == "see @ [abc:Ann]"
    assert to_html("@<1>\n x") == "<div>@&lt;1&gt;<br> x</div>"
