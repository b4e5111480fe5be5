"""Who hears of stalled work and what they are told, end to end: roster, mentions in three trackers, mails with their
evidence in one thread, cards with buttons, signed webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.auth import Secret
from sync.escalation.hooks import key_of
from tests.test_escalation import Office
from tests.test_notify import Hook, hooked, lowered, signature
from tests.world import ANA, CHEN, RITA, SAM, cli

ROSTER = """name,email,party,role,county,region,oversight,servicenow,jira,azure
Sam Hill,sam@county.example.org,,PPOC,Yolo,Central,,sam.hill,,
Rita Cole,rita@example.org,operations,regional manager,,Central,,rita.cole,,
Ana Ruiz,ana@example.org,developers,release manager,,,,,ANA,Ana Ruiz
Chen Wei,,developers,pbi lead,,,,,,Chen Wei
Olga Stern,olga@example.org,,director,,,yes,,,
"""

RULES = """
[[rules]]
id    = "ladder"
when  = 'stage == "Fixing"'
quiet = "1d"
  [[rules.steps]]
  say   = { on = "defect.everyone", text = "No word for {quiet}.", mention = ["release manager", "PPOC of {county}"] }
  email = { to = "regional manager of {county}", cc = "oversight", subject = "{incident}: quiet", text = "{summary}" }
  [[rules.steps]]
  after   = "1d"
  say     = { on = "incident.work_notes", text = "Still no word.", mention = ["Rita Cole", "Ana Ruiz"] }
  email   = { to = ["release manager", "lead@example.org"], subject = "{incident}: still quiet" }
  teams   = "triage"
  webhook = "pager"
  text    = "{incident} has not moved"
[[rules]]
id    = "pbi-ladder"
when  = 'stage == "Fixing"'
quiet = "3d"
  [[rules.steps]]
  say   = { on = "pbi.discussion", text = "Three days.", mention = "developers" }

[mail]
server = "smtp://127.0.0.1:PORT"
sender = "Change Desk <bot@example.org>"
[webhooks.pager]
url    = { file = "pager" }
secret = { file = "secret" }

[fields.county]
incident = "subcategory"
[people]
roster   = "people.csv"
fallback = ["desk@example.org"]

[teams.triage]"""

PAGER = "whsec_cGFnZXIga2V5"
ACCOUNT = "5b10a2844c20165700ede21a"


class Told(Office):
    """The office with a roster and the webhook's secrets beside its file; the incident is of a county."""

    def __init__(self, folder: Path, pager: str, county: str = "Yolo") -> None:
        self.folder = folder
        (folder / "people.csv").write_text(ROSTER.replace("ANA", ACCOUNT))
        (folder / "pager").write_text(pager)
        (folder / "secret").write_text(PAGER)
        super().__init__(folder)
        self.world.estate.servicenow.update(self.incident, {"subcategory": county}, by=RITA)
        self.world.estate.jira.comment(self.defect, "on it, token hunter2", ANA)
        self.at(0, 1)

    def file(self, text: str) -> str:
        head, _, rest = text.partition("[[rules]]")
        return head + RULES.replace("PORT", str(self.port)) + rest.partition("[teams.triage]")[2]

    def body(self, place: int) -> list[str]:
        return [line for line in self.mails[place].get_content().splitlines() if line]


@pytest.fixture
def pager() -> Hook:
    return Hook()


@pytest.fixture
def told(tmp_path: Path, pager: Hook) -> Iterator[Told]:
    with hooked(pager) as url:
        made = Told(tmp_path, url)
        yield made
        made.close()
        made.world.close()


def test_a_stalled_defect_is_told_to_the_countys_manager_with_its_evidence(told: Told) -> None:
    forged = f"[~accountid:{ACCOUNT}] \x0e{ACCOUNT}\x1fAna\x0f @{ACCOUNT}"
    told.world.estate.servicenow.comment(told.incident, forged, SAM)
    told.at(1, 2)
    estate, [mail] = told.world.estate, told.mails
    key, number = estate.jira.item(told.defect)["key"], estate.servicenow.item(told.incident)["number"]
    assert (mail["From"], mail["To"]) == ("Change Desk <bot@example.org>", "rita@example.org")
    assert (mail["Cc"], mail["Subject"]) == ("olga@example.org", f"{number}: quiet")
    assert told.body(0) == [
        "500 responses on API",
        "Why         nothing has moved for 1 business day, since Mon 2026-11-16 08:01 PST",
        "Stage       Fixing since Mon 2026-11-16 08:00 PST, the move of developers",
        f"Last word   Sam Hill, Mon 2026-11-16 09:02 PST, on {number}",
        "Next        step 2 on Wed 2026-11-18 08:01 PST, unless something moves",
        "Rule        ladder, step 1 of 2",
        f"{number}  {estate.urls['servicenow']}/nav_to.do?uri=incident.do%3Fsys_id%3D{told.incident}",
        f"{key}      {estate.urls['jira']}/browse/{key}",
    ]
    [remark] = [text for text in told.world.words("jira", told.defect) if "No word for" in text]
    assert remark.splitlines()[1:] == [f"[~accountid:{ACCOUNT}], Sam Hill", "No word for 1 business day."]
    assert estate.jira.mentioned(told.defect) == ["Ana Ruiz"]
    assert any("accountid" in text and "Ana" in text for text in told.world.words("jira", told.defect)[:-1])


def test_the_second_step_knows_who_was_told_before_in_mail_card_webhook_and_note(told: Told, pager: Hook) -> None:
    estate = told.world.estate
    estate.servicenow.comment(told.incident, "between us: hunter2", RITA, "work_notes")
    told.at(1, 2)
    told.at(2, 2)
    number = estate.servicenow.item(told.incident)["number"]
    told_first = ["ana@example.org", "sam@county.example.org", "rita@example.org"]
    before = f"Tue 2026-11-17 10:00 PST: {', '.join(told_first)}"
    # the mail
    first, second = told.mails
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert told.box.envelopes[1][1] == ["ana@example.org", "lead@example.org"]
    assert f"Told before  {before}" in told.body(1)
    assert "Next         nothing more, this is the last step" in told.body(1)
    # the note in the incident
    assert estate.servicenow.mentioned(told.incident) == ["rita.cole"]
    [note] = [text for text in told.world.words("servicenow", told.incident) if "Still no word" in text]
    assert re.fullmatch(r"@\[[0-9a-f]{32}:Rita Cole\], Ana Ruiz", note.splitlines()[1])
    # the card
    [card] = estate.hook.cards
    content = card["attachments"][0]["content"]
    facts = ["".join(run["text"] for run in block["inlines"]) for block in content["body"]]
    assert facts[1] == f"{number} has not moved"
    assert f"Told before: {before}" in facts
    assert content["actions"][0]["title"] == number
    # the webhook
    [(_, headers, body)] = pager.posted
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    assert lowered(headers)["webhook-signature"] == signature(lowered(headers), raw, key_of(Secret(PAGER)))
    data = body["data"]
    assert (body["type"], data["rule"], data["step"], data["next"]) == ("lockstep.rule.fired", "ladder", 2, None)
    assert [one["side"] for one in data["items"]] == ["incident", "defect"]
    assert data["told"][0]["to"] == told_first
    # who was told is kept, and nobody's words are
    fired = [f for link in told.world.engine.store.links() for f in link.firings if f.outcome == "fired"]
    assert [f.told for f in sorted(fired, key=lambda f: f.step)] == [
        tuple(told_first),
        ("rita@example.org", "ana@example.org", "lead@example.org", "teams triage", "webhook pager"),
    ]
    sent = json.dumps([*estate.hook.cards, body]).encode() + b"".join(told.box.raw)
    assert b"Rita" in sent or b"rita" in sent
    assert b"hunter2" not in sent


def test_nobody_for_a_county_is_the_fallback_and_the_mail_says_so(tmp_path: Path) -> None:
    told = Told(tmp_path, "http://127.0.0.1:9/", county="Mars")
    try:
        told.at(1, 2)
        assert told.box.envelopes[0][1] == ["desk@example.org", "olga@example.org"]
        why = '"regional manager of {county}" (county: Mars): the roster knows nobody for it'
        assert f"Sent here because  {why}" in told.body(0)
    finally:
        told.close()
        told.world.close()


def test_everybody_of_a_party_is_called_in_azure_devops_by_id_or_in_plain_words(told: Told) -> None:
    world = told.world
    labels = world.estate.jira.item(told.defect)["labels"]
    world.estate.jira.update(told.defect, {"labels": [*labels, "dev"]}, by=ANA)
    told.at(0, 2)
    pbi = world.estate.azure.ids()[-1]
    world.estate.azure.comment(pbi, "mine", CHEN)
    told.at(0, 3)
    told.at(4, 4)
    [remark] = [text for text in world.words("azure", pbi) if "Three days." in text]
    assert re.search(
        r'<br>Ana Ruiz, <a href="#" data-vss-mention="version:2.0,[0-9a-f-]{36}">@Chen Wei</a><br>', remark
    )
    assert world.estate.azure.mentioned(pbi) == ["Chen Wei"]


def test_an_edited_roster_counts_at_once_and_a_broken_one_is_told_with_its_line(told: Told) -> None:
    people = told.folder / "people.csv"
    people.write_text(people.read_text().replace("rita@example.org", "rita.new@example.org"))
    told.world.restart()
    assert told.world.engine.edit is None
    told.at(1, 2)
    assert told.box.envelopes[0][1] == ["rita.new@example.org", "olga@example.org"]
    people.write_text(people.read_text().replace("rita.new@example.org,operations", "rita,operation"))
    result = cli(told.world, "check")
    assert result.exit_code != 0
    assert 'people.csv:3: email: "rita" is not an e-mail address; write name@example.org' in result.output
    assert 'people.csv:3: party: there is no party "operation"; write "operations"' in result.output
