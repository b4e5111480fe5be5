"""The calsaws playbook: questions about production defects and their escalation, told as the document tells it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from sandbox.clock import SandboxClock
from sandbox.premises.calsaws import trackers
from sandbox.story import MORNING
from sync.find import Piece, find
from tests.playbook import Playbook, Premises, mail_to, text_of
from tests.world import ANA, copies_of

# the mail server asks for a password on loopback, where nothing need be encrypted
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

ROSA, PETRA, OMAR, CLAIRE, VERA = "rosa.delgado", "petra.lind", "omar.haddad", "claire.boyd", "vera.kask"
OVERSIGHT = ("dana.whitfield@example.org", "lee.novak@example.org", "grace.okoye@example.org")
LISTING = "CalSAWS Jira: Subscription: Production Defect Listing"
RESEARCH = ("defect.research@example.org", "claire.boyd@example.org", "tomas.reyes@example.org")


class Counties(Playbook):
    """The people of the document, each doing what it says of them."""

    def __init__(self, folder: Path) -> None:
        clock = SandboxClock(MORNING)
        premises = Premises(clock=clock, **trackers(clock))
        super().__init__(folder, estate=premises, name="calsaws")
        self.first = self.second = self.defect = ""

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    def county_logs_the_incident(self, county: str, by: str, **more: str) -> str:
        """Step 3.3: County staff logs the incident (ticket) in SNOW."""
        fields = {
            "short_description": "Renewal batch stops at page two",
            "description": "The renewal packet of September stops",
            "assignment_group": "Production Support",
            "impact": "2",
            "urgency": "2",
            "u_county": county,
            **more,
        }
        made = self.estate.servicenow.create(fields, by=by)
        self.settle()
        return made

    def the_item_is_recognized_to_be_a_production_defect(self) -> None:
        self.estate.servicenow.update(self.first, {"u_production_defect": "true"}, by=VERA)
        self.settle()
        (self.defect,) = self.estate.jira.ids()

    def the_project_plans_its_release(self, release: str) -> None:
        self.estate.jira.update(self.defect, {"fixVersions": [release]}, by=ANA)
        self.estate.jira.move(self.defect, "In Progress", by=ANA)
        self.settle()

    def writes_on(self, incident: str, words: str, by: str, channel: str = "comments") -> None:
        self.estate.clock.advance(timedelta(minutes=5))
        self.estate.servicenow.comment(incident, words, by, channel)
        self.settle()

    def writes_on_the_defect(self, words: str) -> None:
        self.estate.clock.advance(timedelta(minutes=5))
        self.estate.jira.comment(self.defect, words, ANA)
        self.settle()

    def next_day(self, days: int = 1) -> None:
        self.wait(days=days)

    # ── what is to be seen ───────────────────────────────────────────────────────────────────────────────────────

    def shown(self, incident: str, name: str) -> str:
        return str(self.estate.servicenow.item(incident).get(name, ""))

    def number(self, incident: str) -> str:
        return self.shown(incident, "number")

    @property
    def key(self) -> str:
        return str(self.estate.jira.item(self.defect)["key"])

    def known_issues(self, words: str) -> Piece:
        """What the regional manager's research finds."""
        (piece,) = [piece for piece in find(self.engine, words).pieces if piece.link]
        return piece

    def notes(self, incident: str) -> list[str]:
        return [c["text"] for c in self.estate.servicenow.comments(incident) if c["channel"] == "work_notes"]


@pytest.fixture
def counties(tmp_path: Path) -> Iterator[Counties]:
    with Counties(tmp_path) as made:
        yield made


def recipients(mail: EmailMessage) -> tuple[set[str], set[str]]:
    """The addresses in ``To`` and ``Cc``."""
    found = [{one.addr_spec for one in mail[name].addresses} if name in mail else set() for name in ("To", "Cc")]
    return found[0], found[1]


def test_a_production_defect_goes_through_question_resolution_and_escalation(counties: Counties) -> None:
    # 1. "When an issue is identified by an end user, the issue should be logged into ServiceNow by the county. If the
    #    item is recognized to be a production defect, the item is logged in Jira to be assigned a number and continue
    #    to be tracked throughout its lifecycle."
    counties.next_day()
    counties.first = counties.county_logs_the_incident("Alameda", PETRA)
    assert counties.estate.jira.ids() == [] and counties.shown(counties.first, "correlation_display")
    counties.the_item_is_recognized_to_be_a_production_defect()
    defect = counties.estate.jira.item(counties.defect)
    assert defect["summary"] == "Renewal batch stops at page two"
    assert defect["customfield_10040"] == counties.number(counties.first)

    # 3.3 "If an incident on the same issue does exist, the County should log an incident, making note of the associated
    #     existing incident numbers"; 3.6 "find out if there is cross-county impact(s)"
    counties.second = counties.county_logs_the_incident("Yolo", OMAR, u_known_incidents=counties.number(counties.first))
    assert counties.estate.jira.ids() == [counties.defect]
    defect = counties.estate.jira.item(counties.defect)
    assert (defect["customfield_10061"], defect["customfield_10062"]) == ("2", "Alameda, Yolo")
    counties.the_project_plans_its_release("26.03")
    for incident in (counties.first, counties.second):
        assert counties.shown(incident, "u_target_release") == "26.03"
        assert counties.estate.servicenow.state_of(incident) == "In Progress"
    assert not counties.new_mails()

    # 3.4 "If a concern over lack of status update or priority level occurs, county may wish to update the ticket with
    #     an added note as to the concern"; 4. "RM(s) have primary responsibility to take point"
    counties.writes_on(counties.second, "Two offices cannot mail renewals. When is this fixed?", OMAR)
    (mail,) = counties.new_mails()
    assert recipients(mail) == ({"rosa.delgado@example.org"}, set())
    assert mail["Subject"] == f"{counties.number(counties.second)}: Yolo is concerned"
    assert "Targeted release: 26.03. Incidents: 2, from Alameda, Yolo." in text_of(mail)
    assert "Two offices" not in text_of(mail)
    assert counties.shown(counties.second, "u_concern") == "Raised"
    assert copies_of("Yolo is concerned", counties.notes(counties.second)) == 1
    assert copies_of("Yolo is concerned", counties.notes(counties.first)) == 0
    assert copies_of("Two offices", counties.words("servicenow", counties.first)) == 0

    # nobody takes it: reminded, and the day after the others hear, with oversight in copy only
    counties.wait(hours=5)
    assert recipients(mail_to(counties.new_mails(), "rosa.delgado"))[1] == set()

    # 4.1 "RM(s) will acknowledge receipt of the inquiry."
    counties.writes_on(counties.second, "!ack", ROSA, "work_notes")
    counties.next_day(3)
    assert not counties.new_mails()

    # 4.2 "RM(s) will access SNOW and/or Jira Defect to review the item ..., do any further research, if possible"
    piece = counties.known_issues("renewal batch")
    assert piece.touched == ("Alameda", "Yolo") and piece.stage == "In Progress"
    assert {found.key for found in piece.items} == {
        counties.key,
        counties.number(counties.first),
        counties.number(counties.second),
    }

    # 4.3 "If item is unable to be resolved by the RM(s) ..., the RM(s) will send an email to: Defect.Research", whose
    #     group has others "who are included as oversight only"
    counties.writes_on(counties.second, "!research The release date moved twice.", ROSA, "work_notes")
    (mail,) = counties.new_mails()
    assert recipients(mail) == (set(RESEARCH), set(OVERSIGHT))
    assert "research for Yolo" in str(mail["Subject"]) and "moved twice" not in text_of(mail)
    assert counties.shown(counties.second, "u_concern") == "With defect research"

    # 5.2 "If unable to respond to the item, delegate the item to the appropriate team member"
    counties.writes_on(counties.second, "!delegate", CLAIRE, "work_notes")
    (mail,) = counties.new_mails()
    assert recipients(mail) == ({"project.team@example.org"}, set()) and counties.key in str(mail["Subject"])
    assert copies_of("asks the project team", counties.words("jira", counties.defect)) == 1
    counties.next_day(3)
    (reminder,) = [mail for mail in counties.new_mails() if mail["Subject"] != LISTING]
    assert recipients(reminder) == ({"project.team@example.org"}, {"defect.research@example.org"})

    # 6. "Upon receipt of response from the Consortium Release & Tech Ops Manager or their delegate(s)"
    counties.writes_on_the_defect("Fixed by the new spooler in 26.03.\n!answered")
    (mail,) = counties.new_mails()
    assert recipients(mail) == ({"rosa.delgado@example.org"}, set())
    assert copies_of("new spooler", counties.words("servicenow", counties.second)) == 1

    # 6.1 "Provide the respective county/counties/Region with the response to their inquiry."
    counties.writes_on(counties.second, "!answered", ROSA, "work_notes")
    (mail,) = counties.new_mails()
    assert recipients(mail) == ({"omar.haddad@example.org"}, set())
    assert copies_of("is answered", counties.words("servicenow", counties.second)) == 1
    assert copies_of("is answered", counties.words("servicenow", counties.first)) == 0

    # 6.2 "If county is satisfied with the response, the item is considered resolved."
    counties.writes_on(counties.second, "!satisfied", OMAR)
    (mail,) = counties.new_mails()
    assert "Yolo is satisfied" in str(mail["Subject"])
    assert counties.shown(counties.second, "u_concern") == "Resolved"

    # 6.3 "the RM(s) will attempt to work with the county to resolve the remaining concerns or respond to additional
    #     questions": a further question is a new concern, of the county that asks
    counties.writes_on(counties.first, "And what of our daily batch?", PETRA)
    (mail,) = counties.new_mails()
    assert str(mail["Subject"]).endswith("Alameda is concerned")
    counties.writes_on(counties.first, "Not before 26.03 either.\n!answered", ROSA)
    assert recipients(counties.new_mails()[-1]) == ({"petra.lind@example.org"}, set())

    # 3.4 "or request a change in criticality"
    counties.writes_on(counties.first, "!criticality", PETRA)
    (mail,) = counties.new_mails()
    assert recipients(mail)[0] == {"rosa.delgado@example.org"} and "another criticality" in str(mail["Subject"])
    counties.estate.servicenow.update(counties.first, {"impact": "1", "urgency": "1"}, by=PETRA)
    counties.settle()
    (mail,) = counties.new_mails()
    assert "Alameda changed the criticality to 1" in str(mail["Subject"])
    assert counties.estate.jira.item(counties.defect)["priority"] == "Highest"
    counties.writes_on(counties.first, "!answered", ROSA, "work_notes")
    counties.new_mails()

    # 6.3 and 7. "the County PPOCs should notify the RM(s) that they plan on initiating an Escalation"
    counties.writes_on(counties.first, "!escalate", PETRA)
    (mail,) = counties.new_mails()
    to, copies = recipients(mail)
    assert to == {"rosa.delgado@example.org", *RESEARCH[1:]} and copies == set(OVERSIGHT)
    assert "Alameda begins a formal escalation" in str(mail["Subject"])
    assert counties.shown(counties.first, "u_concern") == "Escalated"
    assert counties.shown(counties.first, "escalation") == "2"
    assert copies_of("section 14.3", counties.words("servicenow", counties.first)) == 1
    counties.quiet()


def test_nobody_who_answers_is_told_to_the_others_with_oversight_in_copy_only(counties: Counties) -> None:
    counties.next_day()
    counties.first = counties.county_logs_the_incident("Fresno", "ines.prado")
    counties.writes_on(counties.first, "Does anybody look at this?", "ines.prado")
    (mail,) = counties.new_mails()
    assert recipients(mail)[0] == {"martin.wu@example.org"}
    counties.next_day(3)
    last = counties.new_mails()[-1]
    assert recipients(last) == ({"rosa.delgado@example.org", "martin.wu@example.org"}, set(OVERSIGHT))
    assert "nobody has taken the concern of Fresno" in str(last["Subject"])


def test_a_county_without_a_regional_manager_is_heard_by_the_fallback(counties: Counties) -> None:
    counties.next_day()
    counties.first = counties.county_logs_the_incident("Siskiyou", "ann.marsh")
    counties.writes_on(counties.first, "We cannot work.", "ann.marsh")
    (mail,) = counties.new_mails()
    assert recipients(mail)[0] == {"release.communications@example.org"}


def test_every_monday_the_regional_managers_get_the_listing_and_watchers_their_digest(counties: Counties) -> None:
    # 1. "Automated Email with the Production Defect list will be sent to the Regional Managers (RMs) on a weekly
    #    basis": "Production Defects created between one and two weeks before the date the report is generated", with
    #    their targeted releases
    counties.next_day()
    counties.first = counties.county_logs_the_incident("Alameda", PETRA)
    counties.the_item_is_recognized_to_be_a_production_defect()
    counties.the_project_plans_its_release("26.03")
    alone = counties.estate.jira.create({"summary": "found by the project itself"}, by=ANA)

    # 2. "monitor 'hot topic' defects in Jira" and "put specific defects ... on their 'Watch Lists'"
    labels = counties.estate.jira.item(counties.defect)["labels"]
    counties.estate.jira.update(counties.defect, {"labels": [*labels, "hot-topic"]}, by=ANA)
    counties.writes_on(counties.first, "!watch", PETRA)
    counties.new_mails()
    counties.next_day()
    digests = {str(mail["To"]): text_of(mail) for mail in counties.new_mails()}
    people = {"rosa.delgado@example.org", "martin.wu@example.org", "petra.lind@example.org"}
    assert set(digests) == people and all(counties.key in text for text in digests.values())
    counties.writes_on_the_defect("The spooler is rebuilt.")
    counties.next_day()
    texts = {str(mail["To"]): text_of(mail) for mail in counties.new_mails()}
    to_county = texts.pop("petra.lind@example.org")  # who works on it is for our own people
    assert len(texts) == 2 and all("1 comment by Ana Ruiz" in text for text in texts.values())
    assert "    1 comment" in to_county.splitlines() and "Ana Ruiz" not in to_county
    assert all("spooler" not in text for text in (to_county, *texts.values()))

    monday = MORNING + timedelta(days=14)
    counties.estate.clock.set(monday - timedelta(hours=2))
    counties.settle()
    counties.new_mails()
    counties.estate.clock.set(monday)
    counties.settle()
    (mail,) = counties.new_mails()
    assert mail["Subject"] == LISTING
    assert mail["From"] == "change@example.org"
    assert recipients(mail) == ({"rosa.delgado@example.org", "martin.wu@example.org"}, set())
    text = text_of(mail)
    assert "defects created 2026-11-16 to 2026-11-22: 2" in text
    line = next(line for line in text.splitlines() if line.startswith(counties.key))
    assert "26.03" in line and "Alameda" in line and counties.number(counties.first) in line
    assert counties.estate.jira.item(alone)["key"] in text
    counties.wait(hours=3)
    assert not counties.new_mails()
