"""The myTC playbook: a production support request from the client's form to its outcome, told as the document tells
it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clock import SandboxClock
from sandbox.premises.mytc import AMARA, CLIENT, FORM, HOLLY, SERGIO, trackers
from sandbox.story import MORNING
from tests.playbook import Playbook, Premises, mail_to, text_of
from tests.world import copies_of

COORDINATION, STAFF = "support.requests@example.org", "account.staff@example.org"
WE_WILL_TRIAGE = "We will triage this request and reach out as soon as we have an assessment."
PROCEEDS = "This dev support issue will proceed"


class MyTC(Playbook):
    """The people of the document, each doing what it says of them."""

    def __init__(self, folder: Path) -> None:
        clock = SandboxClock(MORNING)
        super().__init__(folder, estate=Premises(clock=clock, **trackers(clock)), name="mytc")
        self.request = ""

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    def client_submits_the_form(self, kind: str = "Production support") -> None:
        """The completed form makes a request in Azure DevOps."""
        fields = {
            "System.WorkItemType": "Request",
            "System.Title": "API answers 500",
            "System.Description": "since this morning",
            "Custom.RequestType": kind,
            "Custom.ClientEmail": CLIENT,
        }
        self.request = self.estate.azure.create(fields, by=FORM)
        self.settle()

    def holly_moves_it_to_in_planning(self) -> None:
        self.estate.azure.move(self.request, "In Planning", by=HOLLY)
        self.settle()

    def someone_comments(self, who: str, text: str) -> None:
        self.estate.azure.comment(self.request, text, by=who)
        self.settle()

    def someone_tags(self, who: str, *tags: str) -> None:
        """The tags are added to those that the request has."""
        had = str(self.estate.azure.item(self.request).get("System.Tags") or "")
        self.estate.azure.update(self.request, {"System.Tags": "; ".join((had, *tags))}, by=who)
        self.settle()

    # ── what is to be seen ───────────────────────────────────────────────────────────────────────────────────────

    def items(self, kind: str) -> list[str]:
        azure = self.estate.azure
        return [id for id in azure.ids() if azure.item(id)["System.WorkItemType"] == kind]

    def stands(self, id: str = "") -> str:
        return str(self.estate.azure.item(id or self.request)["System.State"])

    def said(self, text: str) -> int:
        """How many comments on the request say so."""
        return copies_of(text, self.words("azure", self.request))

    def mentioned(self, who: str) -> int:
        """How often Azure DevOps notified a person of a mention on the request."""
        org = self.estate.azure.org
        return sum((item, person) == (int(self.request), org.person(who).id) for item, _, person in org.mailed)

    @property
    def link(self) -> str:
        """The request's address, as people open it."""
        return f"{self.estate.urls['azure']}/myTC/_workitems/edit/{self.request}"


# The server that asks for a password on loopback warns of what it does; here it is wanted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.fixture
def mytc(tmp_path: Path) -> Iterator[MyTC]:
    with MyTC(tmp_path) as house:
        yield house


def test_an_urgent_production_support_issue_from_the_form_to_the_sprint_and_done(mytc: MyTC) -> None:
    mytc.client_submits_the_form()
    # the client receives a confirmation with the ticket's number, Holly an e-mail with number and link
    mails = mytc.new_mails()
    assert len(mails) == 2
    confirmation, to_holly = mail_to(mails, CLIENT), mail_to(mails, COORDINATION)
    assert mytc.request in confirmation["Subject"] and mytc.link in text_of(confirmation)
    assert mytc.request in to_holly["Subject"] and mytc.link in text_of(to_holly)
    assert CLIENT in text_of(to_holly)

    mytc.holly_moves_it_to_in_planning()
    # a comment that names the client, an e-mail to the client with the link, an urgent message in Teams
    assert mytc.said(WE_WILL_TRIAGE) == 1 and mytc.said(CLIENT) == 1
    (to_client,) = mytc.new_mails()
    assert CLIENT in to_client["To"] and WE_WILL_TRIAGE in text_of(to_client) and mytc.link in text_of(to_client)
    (card,) = mytc.new_cards()
    assert "Urgent: can someone please have a look at the Production Support ticket" in json.dumps(card)
    assert mytc.request in json.dumps(card)

    mytc.someone_comments(SERGIO, "This must not wait.<br>!urgent")
    # the scrum master's word makes a PBI with tasks, in the sprint, and Holly is told by name
    (pbi,) = mytc.items("Product Backlog Item")
    assert mytc.estate.azure.item(pbi)["System.IterationPath"] == "myTC\\Sprint 1"
    assert len(mytc.items("Task")) == 3
    assert mytc.said(PROCEEDS) == 1 and mytc.mentioned(HOLLY) == 1
    assert mytc.stands() == "In Progress"
    (will_proceed,) = mytc.new_mails()
    assert CLIENT in will_proceed["To"] and "will proceed" in will_proceed["Subject"]

    for state in ("Approved", "Committed", "Done"):
        mytc.estate.azure.move(pbi, state, by=AMARA)
        mytc.settle()
    assert mytc.stands() == "Done"
    (done,) = mytc.new_mails()
    assert CLIENT in done["To"] and "is done" in done["Subject"]
    mytc.quiet()


def test_what_proceeds_by_a_tag_is_handled_during_the_sprint_from_the_backlog(mytc: MyTC) -> None:
    mytc.client_submits_the_form()
    mytc.holly_moves_it_to_in_planning()
    mytc.someone_tags(SERGIO, "proceed")
    (pbi,) = mytc.items("Product Backlog Item")
    assert mytc.estate.azure.item(pbi)["System.IterationPath"] == "myTC"
    assert mytc.said(PROCEEDS) == 1 and mytc.stands() == "In Progress" and len(mytc.items("Task")) == 3


@pytest.mark.parametrize(
    ("word", "tag", "state", "subject"),
    [
        ("!notours", "", "Rejected", "outside myTC"),
        ("", "not our problem", "Rejected", "outside myTC"),
        ("/feature", "", "Moved to Backlog", "a bug or feature request"),
        ("", "feature request", "Moved to Backlog", "a bug or feature request"),
    ],
)
def test_the_other_outcomes_close_the_request_and_tell_the_client(
    mytc: MyTC, word: str, tag: str, state: str, subject: str
) -> None:
    mytc.client_submits_the_form()
    mytc.holly_moves_it_to_in_planning()
    mytc.new_mails()
    if word:
        mytc.someone_comments(AMARA, word)
    else:
        mytc.someone_tags(AMARA, tag)
    assert mytc.stands() == state and mytc.items("Product Backlog Item") == []
    (mail,) = mytc.new_mails()
    assert CLIENT in mail["To"] and subject in mail["Subject"]
    mytc.wait(days=5)
    assert not mytc.new_mails()


def test_it_goes_on_where_the_state_is_lost_in_the_middle_of_triage(mytc: MyTC) -> None:
    mytc.client_submits_the_form()
    mytc.holly_moves_it_to_in_planning()
    mytc.new_mails()
    mytc.new_cards()
    mytc.quiet()
    mytc.wait(minutes=5)
    mytc.someone_comments(SERGIO, "!proceed")
    assert len(mytc.items("Product Backlog Item")) == 1 and mytc.stands() == "In Progress"
    assert mytc.said(PROCEEDS) == 1 and mytc.mentioned(HOLLY) == 1
    assert mytc.said(WE_WILL_TRIAGE) == 1
    assert "will proceed" in mail_to(mytc.new_mails(), CLIENT)["Subject"]
    mytc.quiet()


def test_the_client_decides_nothing_by_typing_a_word(mytc: MyTC) -> None:
    mytc.client_submits_the_form()
    mytc.holly_moves_it_to_in_planning()
    mytc.someone_comments("somebody.else@example.com", "!proceed")
    assert mytc.items("Product Backlog Item") == [] and mytc.stands() == "In Planning"


def test_what_nobody_reads_or_assesses_is_asked_for_again(mytc: MyTC) -> None:
    mytc.client_submits_the_form()
    mytc.new_mails()
    mytc.wait(days=1)
    assert "still waits in New" in mail_to(mytc.new_mails(), COORDINATION)["Subject"]
    mytc.holly_moves_it_to_in_planning()
    assert len(mytc.new_cards()) == 1
    mytc.new_mails()
    mytc.wait(hours=5)
    (card,) = mytc.new_cards()
    assert "no assessment" in json.dumps(card)
    mytc.someone_comments(AMARA, "!ack I am on it")
    mytc.new_cards()
    mytc.wait(hours=3)
    assert not mytc.new_cards()


def test_another_kind_of_request_is_none_of_its_business(mytc: MyTC) -> None:
    mytc.client_submits_the_form("Question")
    assert not mytc.new_mails() and not mytc.engine.store.links()
