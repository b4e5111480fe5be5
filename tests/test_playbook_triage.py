"""The triage playbook: a support case goes to development through the Triage team, told as the document tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clock import SandboxClock
from sandbox.premises.triage import CLEO, CUSTOMER, DEV, PAUL, TABLE, TARA, trackers
from sandbox.story import MORNING
from sync.requests.kinds import work
from tests.playbook import Playbook, Premises, mail_to, text_of
from tests.world import copies_of

TRIAGE, DEVELOPMENT = "triage@example.org", "development@example.org"
TEMPLATE = {
    "u_steps_to_reproduce": "Open the export page, choose March, press Export",
    "u_expected_result": "A file with 31 rows",
    "u_actual_result": "An empty file",
    "u_environment": "Production, version 7.2",
}


class CaseDesk(Playbook):
    """The people of the document, each doing what it says of them."""

    def __init__(self, folder: Path) -> None:
        clock = SandboxClock(MORNING)
        super().__init__(folder, estate=Premises(clock=clock, **trackers(clock)), name="triage")
        self.case = self.task = ""

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    def a_project_task_is_under_way(self) -> None:
        fields = {
            "System.TeamProject": "Services",
            "System.WorkItemType": "Task",
            "System.Title": "Set up the exports",
            "Custom.ProjectManager": PAUL,
            "Custom.SecondaryOwner": "Cleo Marsh",
        }
        self.task = self.estate.azure.create(fields, by=CLEO)
        self.settle()

    def the_resource_creates_a_case(self, **more: str) -> None:
        """New Case: contact, secondary owner, subject, description, impact, priority, product; Support L1."""
        fields = {
            "u_contact_email": CUSTOMER,
            "u_secondary_owner": "Cleo Marsh",
            "short_description": "The export is empty",
            "description": "Since the update the March export has no rows",
            "impact": "2",
            "priority": "2",
            "u_product": "Exports",
            "u_project_task": f"#{self.task}" if self.task else "",
            "assignment_group": "Support L1",
            **more,
        }
        self.case = self.estate.servicenow.create(fields, by="cleo.marsh", table=TABLE)
        self.settle()

    def case_moves(self, state: str, by: str = "lena.fox", **fields: str) -> None:
        self.estate.servicenow.move(self.case, state, by=by, **fields)
        self.settle()

    def in_development(self) -> str:
        """A case that went through triage: its bug."""
        self.the_resource_creates_a_case(**TEMPLATE)
        self.case_moves("In Triage")
        self.case_moves("In Development", by="tara.quinn", u_triage="Ready for development")
        (bug,) = self.bugs()
        return bug

    def a_bug_is_made(self) -> str:
        """By a developer, without a case."""
        fields = {
            "System.WorkItemType": "Bug",
            "System.TeamProject": "Product",
            "System.AreaPath": "Product\\Customer Cases",
            "System.Title": "Exports are empty",
        }
        bug = self.estate.azure.create(fields, by=DEV)
        self.settle()
        return bug

    def case_is_filled_in(self, by: str = "cleo.marsh", **fields: str) -> None:
        self.estate.servicenow.update(self.case, fields, by=by)
        self.settle()

    def task_is_filled_in(self, **fields: object) -> None:
        self.estate.azure.update(self.task, {name.replace("__", "."): value for name, value in fields.items()}, by=CLEO)
        self.settle()

    def bug_moves(self, bug: str, state: str, **fields: object) -> None:
        self.estate.azure.move(bug, state, by=DEV, **{n.replace("__", "."): value for n, value in fields.items()})
        self.settle()

    # ── what is to be seen ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def number(self) -> str:
        return str(self.shown("number"))

    def shown(self, name: str) -> str:
        return str(self.estate.servicenow.item(self.case).get(name, ""))

    def stands(self) -> str:
        return self.estate.servicenow.state_of(self.case)

    def bugs(self) -> list[str]:
        azure = self.estate.azure
        return [id for id in azure.ids() if azure.item(id)["System.WorkItemType"] == "Bug"]

    def in_azure(self, id: str, name: str) -> object:
        return self.estate.azure.item(id).get(name)

    def customer_was_told(self, stage: str) -> bool:
        """Whether the only mail to the customer since the last look names the stage, and stands in the case as well."""
        mail = mail_to(self.new_mails(), CUSTOMER)
        noted = copies_of(f"E-mail to {CUSTOMER}: your case {self.number} is now: {stage}", self.notes())
        return bool(noted == 1 and f"{self.number}: {stage}" in mail["Subject"] and stage in text_of(mail))

    def notes(self) -> list[str]:
        return self.words("servicenow", self.case)

    def mentioned(self, who: str, item: str) -> int:
        org = self.estate.azure.org
        return sum((on, person) == (int(item), org.person(who).id) for on, _, person in org.mailed)


# The server that asks for a password on loopback warns of what it does; here it is wanted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CaseDesk]:
    with CaseDesk(tmp_path) as house:
        yield house


def test_a_case_goes_from_the_project_task_through_triage_to_development_and_back(desk: CaseDesk) -> None:
    desk.a_project_task_is_under_way()
    desk.the_resource_creates_a_case()
    assert desk.customer_was_told("Received")

    # Updating the Project: the task names the case, takes the time and is closed, and the PM is mentioned
    desk.task_is_filled_in(Custom__HelpWanted="The export is empty")
    assert copies_of(f"Case {desk.number} is open: https://", desk.words("azure", desk.task)) == 1
    desk.task_is_filled_in(Microsoft__VSTS__Scheduling__CompletedWork=6, Microsoft__VSTS__Scheduling__RemainingWork=4.5)
    said = desk.words("azure", desk.task)
    assert desk.in_azure(desk.task, "System.State") == "Closed"
    assert copies_of(f"Closed until case {desk.number} is resolved: https://", said) == 1
    assert copies_of("Delivered: 6 hours", said) == 1
    assert copies_of("Estimated to complete: 4.5 hours", said) == 1 and desk.mentioned(PAUL, desk.task) == 1
    assert (desk.shown("u_time_spent"), desk.shown("u_time_remaining")) == ("6", "4.5")

    desk.new_mails()
    desk.case_moves("Open")
    assert desk.customer_was_told("With Support") and desk.shown("assignment_group") == "Support L1"

    # Transfer to Triage without the Bug Submission Template: what is missing is asked for in the ticket, once
    desk.case_moves("In Triage")
    assert copies_of("Steps to Reproduce Issue/Error", desk.notes()) == 1
    assert not desk.new_mails() and desk.shown("assignment_group") == "Support L1"
    desk.case_is_filled_in(**TEMPLATE)
    # filled in, the work goes on by itself
    assert (desk.stands(), desk.shown("assignment_group")) == ("In Triage", "Triage")
    mails = desk.new_mails()
    assert "for triage" in mail_to(mails, TRIAGE)["Subject"] and "In Triage" in mail_to(mails, CUSTOMER)["Subject"]
    (card,) = desk.new_cards()
    assert desk.number in json.dumps(card)

    # The Triage Team's word, and the transfer to development
    desk.case_moves("In Development", by="tara.quinn", u_triage="Ready for development")
    (bug,) = desk.bugs()
    shown = {name: desk.in_azure(bug, name) for name in ("System.Title", "Custom.Product", "Custom.SecondaryOwner")}
    assert shown == {
        "System.Title": "The export is empty",
        "Custom.Product": "Exports",
        "Custom.SecondaryOwner": "Cleo Marsh",
    }
    assert desk.in_azure(bug, "Custom.CaseNumber") == desk.number and desk.in_azure(bug, "System.State") == "Approved"
    assert "Open the export page" in str(desk.in_azure(bug, "Microsoft.VSTS.TCM.ReproSteps"))
    assert desk.shown("assignment_group") == "Development"
    mails = desk.new_mails()
    assert "ready for development" in mail_to(mails, DEVELOPMENT)["Subject"]
    assert "In Development" in mail_to(mails, CUSTOMER)["Subject"]

    # Resolution: the customer and the project manager are told
    desk.bug_moves(bug, "Committed")
    assert not desk.new_mails()
    desk.bug_moves(bug, "Done", Custom__Resolution="The date was read in the wrong zone")
    assert desk.stands() == "Resolved" and "wrong zone" in desk.shown("close_notes")
    mails = desk.new_mails()
    assert "Resolved" in mail_to(mails, CUSTOMER)["Subject"]
    to_manager = mail_to(mails, PAUL)
    assert "schedule the remaining work" in to_manager["Subject"] and "wrong zone" in text_of(to_manager)
    assert copies_of("Please schedule a new task for the 4.5 hours", desk.words("azure", desk.task)) == 1
    desk.quiet()


def test_a_project_task_that_asks_for_help_gets_a_case_with_its_people_and_words(desk: CaseDesk) -> None:
    desk.a_project_task_is_under_way()
    desk.task_is_filled_in(Custom__HelpWanted="The export is empty", Custom__HelpDetails="No rows since the update")
    (desk.case,) = desk.estate.servicenow.ids(TABLE)
    assert desk.shown("short_description") == "The export is empty"
    assert desk.shown("u_secondary_owner") == "Cleo Marsh"
    said = desk.words("azure", desk.task)
    assert copies_of(f"Case {desk.number} is open", said) == 1 and desk.mentioned(CLEO, desk.task) == 1
    assert desk.in_azure(desk.task, "Custom.CaseNumber") == desk.number


def test_words_and_fields_go_between_the_case_and_development_whose_customer_hears_none_of_it(desk: CaseDesk) -> None:
    bug = desk.in_development()
    desk.estate.servicenow.comment(desk.case, "It is the March file only", by="cleo.marsh", channel="work_notes")
    desk.estate.azure.comment(bug, "Which browser?", by=DEV)
    desk.settle()
    assert copies_of("It is the March file only", desk.words("azure", bug)) == 1
    assert copies_of("Which browser?", desk.words("servicenow", desk.case)) == 1
    said = [one["text"] for one in desk.estate.servicenow.comments(desk.case) if one["channel"] == "comments"]
    assert copies_of("Which browser?", said) == 0
    desk.case_is_filled_in(u_secondary_owner="Ivo Petrov")
    assert desk.in_azure(bug, "Custom.SecondaryOwner") == "Ivo Petrov"


def test_it_goes_on_where_the_state_is_lost_while_development_works(desk: CaseDesk) -> None:
    bug = desk.in_development()
    desk.new_mails()
    desk.new_cards()
    desk.quiet()
    desk.wait(minutes=5)
    desk.bug_moves(bug, "Done", Custom__Resolution="The zone was wrong")
    assert desk.stands() == "Resolved" and desk.shown("close_notes") == "The zone was wrong"
    assert "Resolved" in mail_to(desk.new_mails(), CUSTOMER)["Subject"]
    desk.quiet()


def test_a_case_that_is_moved_past_triage_is_put_back_with_the_reason(desk: CaseDesk) -> None:
    desk.the_resource_creates_a_case(**TEMPLATE)
    desk.case_moves("Open")
    desk.case_moves("In Development")
    assert desk.stands() == "Open" and desk.bugs() == []
    assert copies_of("All cases must route through the Triage team", desk.notes()) == 1
    desk.case_moves("In Development")
    assert desk.stands() == "Open" and desk.bugs() == []


def test_a_case_that_is_assigned_past_triage_is_put_back_with_the_reason(desk: CaseDesk) -> None:
    desk.the_resource_creates_a_case(**TEMPLATE)
    desk.case_moves("Open")
    desk.new_mails()
    desk.case_is_filled_in(by="lena.fox", assignment_group="Development")
    assert desk.shown("assignment_group") == "Support L1" and desk.bugs() == []
    assert copies_of("all cases must route through the Triage team", desk.notes()) == 1
    assert "past triage" in mail_to(desk.new_mails(), TARA)["Subject"]


def test_a_bug_that_is_made_past_triage_cannot_be_started(desk: CaseDesk) -> None:
    bug = desk.a_bug_is_made()
    assert "made past triage" in mail_to(desk.new_mails(), TRIAGE)["Subject"]
    assert copies_of("This was made without triage", desk.words("azure", bug)) == 1
    desk.bug_moves(bug, "Approved")
    assert desk.in_azure(bug, "System.State") == "New"
    assert copies_of("All cases must route through the Triage team", desk.words("azure", bug)) == 1


def test_a_bug_that_was_made_past_triage_is_given_to_its_case_once_that_is_triaged(desk: CaseDesk) -> None:
    bug = desk.a_bug_is_made()
    desk.the_resource_creates_a_case(**TEMPLATE)
    desk.case_moves("In Triage")
    desk.engine.store.ask("link", [desk.number, f"AB#{bug}"], "tara.quinn", desk.engine.now())
    work(desk.engine)
    desk.settle()
    desk.case_moves("In Development", by="tara.quinn", u_triage="Ready for development")
    assert desk.bugs() == [bug] and desk.in_azure(bug, "System.State") == "Approved"
    desk.new_mails()
    desk.new_cards()
    desk.quiet()


def test_a_bug_elsewhere_in_the_product_is_none_of_its_business(desk: CaseDesk) -> None:
    bug = desk.estate.azure.create({"System.WorkItemType": "Bug", "System.Title": "Our own"}, by=DEV)
    desk.settle()
    desk.bug_moves(bug, "Approved")
    assert desk.in_azure(bug, "System.State") == "Approved" and not desk.engine.store.links()


def test_a_triage_that_takes_too_long_is_escalated(desk: CaseDesk) -> None:
    desk.the_resource_creates_a_case(**TEMPLATE)
    desk.case_moves("In Triage")
    desk.new_mails()
    desk.wait(days=1, hours=1)
    assert "has been in triage" in mail_to(desk.new_mails(), TARA)["Subject"]
    desk.case_is_filled_in(by="tara.quinn", comments="!ack we wait for the vendor's log")
    desk.wait(days=1)
    assert not desk.new_mails()
