"""Escalation end to end: ladders over the whole estate, mails to a real SMTP server, cards to a real webhook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

import sync.reconcile
from sandbox.faults import Fault
from sandbox.story import MORNING
from sandbox.wire import Answer
from tests.post import Mailbox, PostOffice
from tests.test_crash import Died
from tests.test_faults import pass_until_over
from tests.world import ANA, BEN, RITA, SAM, World, copies_of

RULES = """
[[rules]]
id    = "quiet-defect"
when  = 'stage == "Fixing"'
quiet = "1d"
  [[rules.steps]]
  say   = { on = "defect.everyone", text = "No word for {quiet} on {incident}." }
  [[rules.steps]]
  after = "1d"
  email = { to = ["developers", "lead@example.org"], subject = "{incident}: quiet", text = "{summary} waits." }
  [[rules.steps]]
  after = "4h"
  set   = { escalation = "High" }
  teams = "triage"
  text  = "{incident} has not moved"
[[rules]]
id   = "over-target"
when = 'stage == "Fixing"'
over = true
  [[rules.steps]]
  email = { to = "lead@example.org", subject = "{incident} is over its time" }

[mail]
server = "smtp://127.0.0.1:PORT"
sender = "bot@example.org"

[teams.triage]"""


class Office(PostOffice):
    """A world with a ladder, a post office that can be closed, and a defect that stalls from Monday morning on."""

    def __init__(self, folder: Path, replies: dict[str, str] | None = None) -> None:
        super().__init__(Mailbox(replies))
        self.world = World(folder, self.file)
        self.incident, self.defect, _ = self.world.linked(pbi=False)

    def file(self, text: str) -> str:
        head, _, rest = text.partition("[[rules]]")
        tail = rest.partition("[teams.triage]")[2]
        head = head.replace(
            'sides = ["defect", "pbi"]', 'sides = ["defect", "pbi"]\nrecipients = { email = ["dev@example.org"] }'
        )
        return head + RULES.replace("PORT", str(self.port)) + tail

    def at(self, day: int, hours: float = 0.5) -> None:
        """A working hour of the day so many days after Monday; a pass or two are made then."""
        self.world.estate.clock.set(MORNING + timedelta(days=day, hours=hours))
        pass_until_over(self.world)

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"].partition(": ")[2] or mail["Subject"].partition(" ")[2] for mail in self.mails]

    def came(self) -> tuple[int, list[str], int, str]:
        """What reached people: remarks on the defect, subjects of mails, cards, the incident's escalation."""
        world = self.world
        remarks = copies_of("No word for", world.words("jira", self.defect))
        escalation = world.estate.servicenow.item(self.incident)["escalation"]
        return remarks, self.subjects, len(world.estate.hook.cards), escalation

    def firings(self) -> list[tuple[str, int, str]]:
        links = self.world.engine.store.links()
        return sorted((f.rule, f.step, f.outcome) for link in links for f in link.firings)


@contextmanager
def an_office(folder: Path, replies: dict[str, str] | None = None) -> Iterator[Office]:
    office = Office(folder, replies)
    yield office
    office.close()
    office.world.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path) as made:
        yield made


def test_the_steps_of_two_ladders_come_once_each_in_order_at_their_time(office: Office) -> None:
    office.at(0, 8.5)
    assert office.came() == (0, [], 0, "0")
    office.at(1)
    assert office.came() == (1, [], 0, "0")
    office.at(2)
    assert office.came() == (1, ["quiet"], 0, "0")
    office.at(2, 4.5)
    assert office.came() == (1, ["quiet"], 1, "2")
    office.at(3)
    assert office.came() == (1, ["quiet", "is over its time"], 1, "2")
    office.at(7, 8)
    assert office.came() == (1, ["quiet", "is over its time"], 1, "2")
    assert office.world.engine.store.held() == []
    assert office.box.envelopes[0][1] == ["dev@example.org", "lead@example.org"]
    assert "500 responses on API waits." in office.mails[0].get_content()


def test_a_step_counts_from_when_the_one_before_was_due_not_from_when_it_was_made(office: Office) -> None:
    office.at(1, 8.5)
    assert office.came()[0] == 1
    office.at(2)
    assert office.came()[:2] == (1, ["quiet"])


def test_after_downtime_only_the_highest_step_comes_and_the_lower_ones_are_recorded(office: Office) -> None:
    office.at(3)
    assert office.came() == (0, ["is over its time"], 1, "2")
    assert office.firings() == [
        ("over-target", 1, "fired"),
        ("quiet-defect", 1, "superseded"),
        ("quiet-defect", 2, "superseded"),
        ("quiet-defect", 3, "fired"),
    ]


def test_a_word_of_those_whose_move_it_is_starts_the_clock_anew_and_a_requesters_does_not(office: Office) -> None:
    office.at(0, 8)
    office.world.estate.servicenow.comment(office.incident, "any news?", SAM)
    office.world.estate.jira.comment(office.defect, "on it", ANA)
    office.at(0, 8.2)
    office.world.estate.servicenow.comment(office.incident, "and now?", SAM)
    office.at(1, 4)
    assert office.came()[0] == 0
    office.at(1, 8.5)
    assert office.came()[0] == 1


def test_a_requesters_word_alone_lets_the_clock_run_on(office: Office) -> None:
    office.at(0, 8)
    office.world.estate.servicenow.comment(office.incident, "any news?", SAM)
    office.at(1)
    assert office.came()[0] == 1


def test_an_acknowledgement_after_the_first_step_keeps_the_second_from_coming(office: Office) -> None:
    office.at(1)
    office.world.estate.jira.comment(office.defect, "waiting for a test system", BEN)
    office.at(2)
    assert office.came()[:2] == (1, [])
    office.at(2, 2)
    assert office.came()[:2] == (2, [])


def test_lockstep_does_not_acknowledge_its_own_remark(office: Office) -> None:
    office.at(1)
    office.world.engine.store.touch_all(closed=True)
    office.at(2)
    assert office.came()[:2] == (1, ["quiet"])


def test_work_that_ends_or_pauses_is_left_in_peace(office: Office) -> None:
    snow = office.world.estate.servicenow
    snow.move(office.incident, "On Hold:Awaiting Caller", by=RITA, comments="please send the log")
    office.at(4)
    assert office.came() == (0, [], 0, "0")


def test_mail_that_finds_no_server_is_told_and_goes_out_once_when_there_is_one(office: Office) -> None:
    office.at(1)
    office.close()
    office.at(2)
    ((_, kind, error),) = office.world.engine.store.unsent()
    assert kind == "email" and "cannot be reached" in error
    office.world.restart()
    office.at(2, 1.5)
    office.open()
    for hour in (3, 3.5):
        office.at(2, hour)
    assert office.came()[:2] == (1, ["quiet"])
    assert office.world.engine.store.unsent() == []


def test_a_webhook_that_fails_gets_its_card_later_once(office: Office) -> None:
    down = office.world.estate.faults.add(Fault("answer", "teams", answer=Answer(503)))
    office.at(2, 4.5)
    assert office.came()[2:] == (0, "2")
    office.world.estate.faults.rules.remove(down)
    office.at(2, 6.5)
    office.at(2, 7.5)
    assert office.came()[2:] == (1, "2")


def test_an_address_that_the_server_refuses_is_told_and_not_tried_for_ever(tmp_path: Path) -> None:
    with an_office(tmp_path, {"dev@example.org": "550 no such user", "lead@example.org": "550 nor that one"}) as office:
        office.at(1)
        office.at(2)
        office.at(2, 2.5)
        ((_, _, error),) = office.world.engine.store.unsent()
        assert "no such user" in error
        store, later = office.world.engine.store, MORNING + timedelta(days=30)
        assert (store.unshared(later)[0], store.parcels(later)) == ([], [])
        assert office.came() == (1, [], 0, "0")


def test_nothing_comes_twice_after_a_restart(office: Office) -> None:
    for day, hours in ((1, 0.5), (2, 0.5), (2, 4.5), (3, 0.5)):
        office.at(day, hours)
        before = office.came()
        office.world.restart()
        office.world.engine.store.touch_all(closed=True)
        pass_until_over(office.world)
        assert office.came() == before
    assert office.came() == (1, ["quiet", "is over its time"], 1, "2")


def test_a_rebuilt_state_makes_nothing_that_was_due_before_and_what_falls_due_after(office: Office) -> None:
    office.at(2, 4.5)
    before = office.came()
    office.world.restart(lose_state=True)
    pass_until_over(office.world)
    assert office.came() == before
    office.at(3, 0.6)
    assert office.came() == before
    office.at(3, 6)
    assert office.came()[0] == before[0] + 1


def test_a_process_that_dies_between_deciding_and_sending_sends_once_when_it_is_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*given: object) -> None:
        raise Died

    office.at(1)
    office.world.estate.clock.set(MORNING + timedelta(days=2, hours=0.5))
    with monkeypatch.context() as patched:
        patched.setattr(sync.reconcile, "flush", dies)
        with pytest.raises(Died):
            office.world.once()
    assert office.subjects == []
    office.world.restart()
    pass_until_over(office.world)
    pass_until_over(office.world)
    assert office.subjects == ["quiet"]


def test_a_title_made_to_add_recipients_adds_none(office: Office) -> None:
    hostile = "500s\r\nBcc: eve@example.org\r\n\r\n<a href='https://evil'>click</a> {priority} {incident}"
    office.world.estate.jira.update(office.defect, {"summary": hostile.replace("\r\n", " ")}, by=ANA)
    office.world.estate.servicenow.update(office.incident, {"short_description": hostile}, by=RITA)
    office.at(1)
    office.at(2)
    assert any("eve@example.org" in str(mail.get_content()) for mail in office.mails), "the title is told"
    assert all("eve@example.org" not in people for _, people in office.box.envelopes)
    assert all("Bcc" not in mail for mail in office.mails)


def test_a_tracker_that_is_down_when_a_step_falls_due_hears_of_it_once_when_it_is_back(office: Office) -> None:
    down = office.world.estate.faults.add(Fault("answer", "jira", answer=Answer(503)))
    office.world.estate.clock.set(MORNING + timedelta(days=1, hours=0.5))
    for _ in range(4):
        office.world.once()
        office.world.later(minutes=1)
    office.world.estate.faults.rules.remove(down)
    office.at(1, 2)
    assert office.came() == (1, [], 0, "0")
    office.at(2)
    assert office.came()[:2] == (1, ["quiet"])


def test_a_tracker_that_refuses_what_a_rule_sets_has_it_held_and_the_card_goes_out(office: Office) -> None:
    told = b'{"error":{"message":"Operation Failed","detail":"ACL"}}'
    answer = Answer(403, told, {"Content-Type": "application/json"})
    refuses = office.world.estate.faults.add(Fault("answer", "servicenow", "PATCH", answer=answer))
    office.world.estate.clock.set(MORNING + timedelta(days=2, hours=4.5))
    for _ in range(3):
        office.world.once()
        office.world.later(minutes=1)
    ((held, _),) = office.world.engine.store.held()
    assert (held.what, "ACL" in held.reason) == ("escalation", True)
    assert office.came()[2:] == (1, "0")
    office.world.estate.faults.rules.remove(refuses)
    office.at(2, 5.5)
    assert office.came()[2:] == (1, "2")
    assert office.world.engine.store.held() == []
