"""The level2 playbook: an issue that needs tech help, from the client's ticket to a delivered fix, told as the document
tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clock import SandboxClock
from sandbox.premises.level2 import BUGS, CLARA, CLIENT, INFRASTRUCTURE, OONA, PETRA, QUENTIN, TARIQ, trackers
from sandbox.story import MORNING
from tests.playbook import Playbook, Premises, mail_to, text_of
from tests.world import copies_of

OPERATIONS, QA, PROJECTS, SUPPORT = (f"{one}@example.org" for one in ("operations", "qa", "projects", "client.support"))
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
DUE = "Microsoft.VSTS.Scheduling.DueDate"
PROVEN = {
    "Custom.AcceptanceCriteria": "the export opens",
    "Custom.TargetURL": "https://app.example.com/export",
    "Custom.Severity": "Medium",
    "Custom.StepsToReproduce": "export twice",
    "Custom.OpsCanReproduce": "Yes",
}


class Level2(Playbook):
    """The people of the document, each doing what it says of them."""

    def __init__(self, folder: Path) -> None:
        clock = SandboxClock(MORNING)
        super().__init__(folder, estate=Premises(clock=clock, **trackers(clock)), name="level2")
        self.ticket = ""

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    def a_client_has_a_ticket(self, category: str, **more: str) -> None:
        given = {
            "short_description": "The export fails",
            "description": "since this morning",
            "assignment_group": "Client Support",
            "category": category,
            "impact": "2",
            "urgency": "2",
            "u_client_email": CLIENT,
            "u_company_tier": "2",
            **more,
        }
        self.ticket = self.estate.servicenow.create(given, by=CLARA)
        self.settle()

    def client_support_moves_it_to_elevating(self) -> None:
        self.estate.servicenow.move(self.ticket, "Elevating", by=CLARA)
        self.settle()

    def someone_fills_in(self, who: str, **fields: object) -> None:
        self.estate.azure.update(self.issue, {f"Custom.{name}": value for name, value in fields.items()}, by=who)
        self.settle()

    def someone_moves_it_to(self, who: str, state: str, **fields: object) -> None:
        """With what is filled in together with the move."""
        self.estate.azure.move(self.issue, state, who, **fields)
        self.settle()

    def operations_prove_it(self) -> None:
        self.estate.azure.update(self.issue, PROVEN, by=OONA)
        self.settle()
        self.someone_moves_it_to(OONA, "Replicating")

    def qa_replicate_it(self) -> None:
        self.someone_fills_in(QUENTIN, AffectsOtherClients="No", IssueWorkaround="export half of it")
        self.someone_moves_it_to(QUENTIN, "Estimating")

    def the_project_manager_estimates(self, day: str) -> None:
        self.estate.azure.update(self.issue, {DUE: f"{day}T05:00:00Z"}, by=PETRA)
        self.settle()

    def fixing(self, day: str = "2026-12-01") -> None:
        """It has come as far as Fixing, and what was told on the way was read."""
        self.a_client_has_a_ticket(BUGS)
        self.client_support_moves_it_to_elevating()
        self.operations_prove_it()
        self.qa_replicate_it()
        self.the_project_manager_estimates(day)
        self.someone_moves_it_to(PETRA, "Fixing")
        assert (self.stage, self.stands) == ("Fixing", "Fixing")
        self.new_mails()

    # ── what is to be seen ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def issue(self) -> str:
        (found,) = self.estate.azure.ids()
        return found

    @property
    def stands(self) -> str:
        """Where the issue stands in the pipeline."""
        return str(self.estate.azure.item(self.issue)["System.State"])

    @property
    def stage(self) -> str:
        """The stage of the work, as Lockstep has it."""
        (link,) = self.engine.store.links()
        return str(link.agreed["stage"].value)

    @property
    def priority(self) -> int:
        return int(self.estate.azure.item(self.issue)["Microsoft.VSTS.Common.Priority"])

    def asked(self, text: str) -> int:
        """How many comments on the issue say so."""
        return copies_of(text, self.words("azure", self.issue))

    def told(self, text: str) -> int:
        """How many comments on the ticket, which the client reads, say so."""
        said = self.estate.servicenow.comments(self.ticket)
        return sum(text in one["text"] for one in said if one["channel"] == "comments")


@pytest.fixture
def level2(tmp_path: Path) -> Iterator[Level2]:
    house = Level2(tmp_path)
    with house:
        yield house


def test_a_bug_from_the_clients_ticket_to_its_delivery(level2: Level2) -> None:
    azure, snow = level2.estate.azure, level2.estate.servicenow
    level2.a_client_has_a_ticket(BUGS)
    assert azure.ids() == [] and not level2.new_mails()
    level2.client_support_moves_it_to_elevating()
    # Process Entry Points: a ticket categorized as Bugs/Defects is moved to Elevating
    assert (level2.stands, snow.state_of(level2.ticket)) == ("Validating", "Elevating")
    number = snow.item(level2.ticket)["number"]
    assert mail_to(level2.new_mails(), OPERATIONS)["Subject"] == f"{number}: validate The export fails"

    # Validating: Ops confirm that it is a real issue and gather the minimum reproduction info
    level2.someone_moves_it_to(OONA, "Replicating")
    assert level2.stands == "Validating" and not level2.new_mails()
    for name in ("Acceptance Criteria", "Target URL", "Severity", "Steps to Reproduce the Issue", "Ops Can Reproduce"):
        assert level2.asked(name) == 1
    assert level2.asked("Company Tier") == 0
    azure.update(level2.issue, PROVEN, by=OONA)
    level2.settle()
    # filled in, the work goes on by itself: a proven issue, with severity estimated
    assert level2.stands == "Replicating" and level2.priority == 3
    assert "Severity: Medium" in text_of(mail_to(level2.new_mails(), QA))

    # Replicating: QA get reliable reproduction evidence
    level2.someone_moves_it_to(QUENTIN, "Estimating")
    assert level2.stands == "Replicating" and level2.asked("Issue affects other clients") == 1
    level2.someone_fills_in(QUENTIN, AffectsOtherClients="Yes", IssueWorkaround="export half of it")
    assert level2.stands == "Estimating" and snow.item(level2.ticket)["u_workaround"] == "export half of it"
    # priority based on severity, company tier, client target date and scope
    assert level2.priority == 2 and snow.item(level2.ticket)["urgency"] == "2" != snow.item(level2.ticket)["impact"]
    to_petra = mail_to(level2.new_mails(), PROJECTS)
    assert "severity Medium, company tier 2" in text_of(to_petra) and "other clients: Yes" in text_of(to_petra)

    # Estimating: the project manager sets the Estimated Delivery Date
    level2.someone_moves_it_to(PETRA, "Fixing")
    assert level2.stands == "Estimating" and level2.asked("Estimated Delivery Date") == 1
    level2.someone_moves_it_to(PETRA, "Estimating")
    level2.the_project_manager_estimates("2026-12-01")
    # Fixing: the Estimated Delivery Date is automatically communicated to the client
    assert level2.stands == "Fixing" and snow.item(level2.ticket)["due_date"] == "2026-12-01 05:00:00"
    assert level2.told("Estimated delivery date: 2026-12-01") == 1
    assert "2026-12-01" in mail_to(level2.new_mails(), CLIENT)["Subject"]

    # tech fix the issue and create a pull request with the fix: required to enter Verifying
    level2.someone_moves_it_to(TARIQ, "Verifying")
    assert (level2.stands, level2.stage) == ("Verifying", "Fixing")
    assert level2.asked("Link the pull request with the fix to this work item") == 1
    number = azure.open_request(level2.issue, by=TARIQ)
    level2.settle()
    assert level2.stage == "Verifying" and snow.item(level2.ticket)["u_pull_request"] == "open"
    assert f"/pullrequest/{number}" in text_of(mail_to(level2.new_mails(), QA))

    # Closed (Resolved): a merged pull request and resolution notes
    level2.someone_moves_it_to(QUENTIN, "In Production")
    assert (level2.stage, snow.state_of(level2.ticket)) == ("Verifying", "Elevating")
    assert level2.asked("Resolution Notes (on AB#1). Merge the pull request") == 1
    level2.someone_fills_in(QUENTIN, ResolutionNotes="the export no longer runs twice")
    assert level2.stage == "Verifying"
    azure.close_request(number, "completed", by=TARIQ)
    level2.settle()
    # delivery is automatically communicated to the client
    assert (level2.stage, snow.state_of(level2.ticket)) == ("Closed (Resolved)", "Resolved")
    assert snow.item(level2.ticket)["close_notes"] == "the export no longer runs twice"
    assert snow.item(level2.ticket)["u_pull_request"] == "merged"
    assert level2.told("the fix is delivered: the export no longer runs twice") == 1
    assert "delivered" in mail_to(level2.new_mails(), CLIENT)["Subject"]
    level2.quiet()


def test_any_change_of_the_due_date_from_fixing_on_is_communicated_to_the_client(level2: Level2) -> None:
    level2.fixing()
    level2.the_project_manager_estimates("2026-12-04")
    assert level2.told("is now 2026-12-04") == 1
    assert "2026-12-04" in mail_to(level2.new_mails(), CLIENT)["Subject"]
    level2.estate.azure.open_request(level2.issue, by=TARIQ)
    level2.someone_moves_it_to(TARIQ, "Verifying")
    level2.new_mails()
    level2.the_project_manager_estimates("2026-12-08")
    assert level2.told("is now 2026-12-08") == 1 and len(level2.new_mails()) == 1
    assert level2.told("2026-12-01") == 1


def test_a_ticket_from_the_client_form_begins_in_validating(level2: Level2) -> None:
    level2.a_client_has_a_ticket(INFRASTRUCTURE, state="9", u_client_target_date="2026-11-27")
    assert level2.stands == "Validating"
    assert level2.estate.azure.item(level2.issue)["Custom.ClientTargetDate"] == "2026-11-27T05:00:00Z"
    assert mail_to(level2.new_mails(), OPERATIONS)
    level2.operations_prove_it()
    assert level2.priority == 2  # Medium, and the client named a date
    level2.qa_replicate_it()
    level2.new_mails()
    level2.the_project_manager_estimates("2026-12-01")
    assert "later than the client asked" in mail_to(level2.new_mails(), PROJECTS)["Subject"]


@pytest.mark.parametrize("category", ["", "inquiry"])
def test_a_ticket_of_no_such_category_is_asked_for_one_before_it_enters(level2: Level2, category: str) -> None:
    level2.a_client_has_a_ticket(category)
    level2.client_support_moves_it_to_elevating()
    assert level2.estate.azure.ids() == []
    assert copies_of("choose one of these categories", level2.words("servicenow", level2.ticket)) == 1
    level2.estate.servicenow.update(level2.ticket, {"category": "Security Issues"}, by=CLARA)
    level2.settle()
    assert level2.stands == "Validating"


def test_priority_follows_from_severity_tier_target_date_and_others(level2: Level2) -> None:
    level2.a_client_has_a_ticket(BUGS, state="9", u_company_tier="3")
    for severity, tier, target, others, priority in (
        ("Critical", "3", "", "No", 1),
        ("High", "3", "", "No", 2),
        ("High", "1", "", "No", 1),
        ("Low", "2", "", "No", 4),
        ("Low", "2", "2026-12-24", "No", 3),
        ("Medium", "2", "", "No", 3),
        ("Medium", "2", "", "Yes", 2),
    ):
        given = {"u_company_tier": tier, "u_client_target_date": target}
        level2.estate.servicenow.update(level2.ticket, given, by=CLARA)
        level2.someone_fills_in(OONA, Severity=severity, AffectsOtherClients=others)
        assert level2.priority == priority, (severity, tier, target, others)
    level2.estate.azure.update(level2.issue, {"Microsoft.VSTS.Common.Priority": 4}, by=PETRA)
    level2.settle()
    assert level2.priority == 4  # the project manager verifies it


def test_what_is_no_level_2_issue_is_de_escalated_with_a_reason(level2: Level2) -> None:
    level2.a_client_has_a_ticket(BUGS)
    level2.client_support_moves_it_to_elevating()
    level2.new_mails()
    level2.someone_moves_it_to(OONA, "De-escalated")
    assert level2.stands == "Validating" and level2.asked("Say why it is given back: De-escalation Reason") == 1
    level2.someone_fills_in(OONA, DeEscalationReason="works as designed")
    assert level2.stands == "De-escalated"
    assert level2.estate.servicenow.state_of(level2.ticket) == "In Progress"
    assert "works as designed" in text_of(mail_to(level2.new_mails(), SUPPORT))
    assert copies_of("gives this back: works as designed", level2.words("servicenow", level2.ticket)) == 1
    assert level2.told("works as designed") == 0
    level2.client_support_moves_it_to_elevating()
    assert level2.stands == "Validating"


def test_closure_unresolved_is_communicated_to_the_client(level2: Level2) -> None:
    level2.fixing()
    level2.someone_moves_it_to(TARIQ, "Closed Unresolved")
    assert level2.stage == "Fixing" and level2.asked("Resolution Notes") == 1
    level2.someone_fills_in(TARIQ, ResolutionNotes="the vendor has withdrawn the service")
    assert level2.estate.servicenow.state_of(level2.ticket) == "Resolved"
    assert level2.estate.servicenow.item(level2.ticket)["close_code"] == "No resolution provided"
    assert level2.told("closed without a fix: the vendor has withdrawn") == 1
    assert "closed" in mail_to(level2.new_mails(), CLIENT)["Subject"]


def test_each_owner_hears_when_the_sla_of_the_stage_is_over(level2: Level2) -> None:
    level2.a_client_has_a_ticket(BUGS)
    level2.client_support_moves_it_to_elevating()
    level2.new_mails()
    level2.wait(days=2)
    late = mail_to(level2.new_mails(), OPERATIONS)
    assert "Validating is over its 1 business day" in late["Subject"] and "ivo.brandt@example.org" in late["Cc"]
    level2.operations_prove_it()
    level2.new_mails()
    level2.wait(days=1)
    assert not level2.new_mails()
    level2.wait(days=3)
    assert "Replicating is over its 2 business days" in mail_to(level2.new_mails(), QA)["Subject"]


def test_silence_in_fixing_is_asked_about(level2: Level2) -> None:
    level2.fixing()
    level2.wait(days=5)
    (card,) = level2.new_cards()
    assert "promised for 2026-12-01" in json.dumps(card) and level2.asked("Is 2026-12-01 still on track?") == 1
