"""Listings end to end: what was created and what moved, mailed once at their time to a real mail server, over the
whole estate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.story import MORNING
from sandbox.wire import Answer
from tests.post import PostOffice
from tests.world import ANA, BEN, RITA, World, cli, writes

REPORTS = """
[[reports]]
id    = "listing"
at    = "Mon 07:00"
what  = "defects created between 14 and 7 days ago"
show  = ["defect", "summary", "stage", "priority", "incident", "created"]
email = { to = ["leads"], cc = ["oversight"], subject = "Production Defect Listing", text = "As every week." }
teams = "triage"

[[reports]]
id    = "moved"
at    = "daily 07:00"
what  = "movement of links"
when  = 'priority <= 3'
show  = ["key", "title", "stage"]
email = { to = ["boss@example.org"], subject = "What moved" }

[[reports]]
id    = "watched"
at    = "daily 07:00"
what  = "movement of watched links"
when  = '"hot-topic" in labels'
show  = ["defect", "stage"]
email = { to = ["lia@example.org"], subject = "What you watch" }

[people]
roster   = "people.csv"
fallback = ["desk@example.org"]

[mail]
server = "smtp://127.0.0.1:PORT"
sender = "bot@example.org"

[teams.triage]"""
ROSTER = """name,email,role,oversight,jira,servicenow
Lia Moss,lia@example.org,lead,,,
Ana Ruiz,ana@example.org,,,5b10a2844c20165700ede21a,
Rita Cole,rita@example.org,,,,rita.cole
Zoe Hart,zoe@example.org,director,yes,,
"""
#: Monday 2026-11-30, seven o'clock in California: two weeks after the sandbox's first morning
MONDAY = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)


class Desk(PostOffice):
    """A world with three reports and a mailbox."""

    def __init__(self, folder: Path, estate: Estate | None = None) -> None:
        super().__init__()
        (folder / "people.csv").write_text(ROSTER)
        self.world = World(folder, self.file, estate or Estate(MORNING))

    def file(self, text: str) -> str:
        return text.replace("\n[teams.triage]", REPORTS.replace("PORT", str(self.port)))

    def at(self, moment: datetime) -> None:
        self.world.estate.clock.set(moment)
        self.world.settle()

    def came(self, subject: str = "") -> list[tuple[list[str], str]]:
        """To whom the mails of a subject went, and their texts."""
        pairs = zip(self.mails, self.box.envelopes, strict=True)
        return [(to, mail.get_content()) for mail, (_, to) in pairs if subject in str(mail["Subject"])]

    def close(self) -> None:
        self.world.close()
        super().close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The same in real time, with its secrets in the environment; its engine is closed, so that commands may work."""
    made = Desk(tmp_path, Estate())
    for name, value in made.world.estate.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


# ── what was created ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listing_goes_out_once_when_it_is_due_with_linked_and_unlinked_items_of_its_days(desk: Desk) -> None:
    world = desk.world
    _, linked, _ = world.linked("500 responses on API", pbi=False)
    alone = world.estate.jira.create({"summary": "made by hand, in no link"}, by=ANA)
    world.estate.jira.move(alone, "In Progress", by=ANA)
    desk.at(MONDAY - timedelta(days=6))
    world.estate.jira.create({"summary": "too young"}, by=ANA)
    desk.at(MONDAY - timedelta(minutes=1))
    ((_, early),) = desk.came("Listing")
    assert "defects created 2026-11-09 to 2026-11-15: none." in early
    desk.box.raw.clear()
    desk.box.envelopes.clear()
    desk.at(MONDAY)
    desk.at(MONDAY + timedelta(hours=1))
    ((to, text),) = desk.came("Listing")
    assert to == ["lia@example.org", "zoe@example.org"]
    keys = [world.estate.jira.item(id)["key"] for id in (linked, alone)]
    lines = text.splitlines()
    assert lines[0] == "As every week."
    assert lines[2] == "defects created 2026-11-16 to 2026-11-22: 2"
    assert lines[4].split() == ["defect", "summary", "stage", "priority", "incident", "created"]
    first, second = (line for line in lines if line.startswith(tuple(keys)))
    assert " ".join(first.split()[:8]).startswith(f"{keys[0]} 500 responses on API Fixing 3 INC")
    assert second.startswith(keys[1]) and "made by hand, in no link" in second and "INC" not in second
    assert sum("/browse/" in line for line in lines) == 2 and "too young" not in text
    assert len(world.estate.hook.cards) == 2


def test_a_listing_asks_one_query_of_the_side_and_writes_nothing(desk: Desk) -> None:
    desk.world.linked(pbi=False)
    desk.at(MONDAY - timedelta(minutes=1))
    with desk.world.counting() as idle:
        desk.world.once()
    desk.world.estate.clock.set(MONDAY)
    with desk.world.counting() as asked:
        desk.world.once()
    more = [line for line in asked if "teams" not in line]
    # the one query of the listing; the two digests of the same minute had nothing to tell
    assert len(more) - len(idle) == 1 and writes(more) == []


def test_after_downtime_only_the_latest_listing_goes_out(desk: Desk) -> None:
    desk.world.linked(pbi=False)
    desk.world.shut()
    desk.world.estate.clock.set(MONDAY + timedelta(days=15))
    desk.world.engine = desk.world.start()
    desk.world.settle()
    ((_, text),) = desk.came("Listing")
    assert "defects created 2026-11-30 to 2026-12-06: none." in text


def test_a_listing_whose_tracker_is_down_goes_out_once_it_answers(desk: Desk) -> None:
    desk.world.linked(pbi=False)
    desk.world.estate.clock.set(MONDAY)
    faults = desk.world.estate.faults
    faults.add(Fault("answer", tracker="jira", answer=Answer(503)))
    desk.world.once()
    assert desk.came("Listing") == []
    faults.clear()
    desk.at(MONDAY + timedelta(minutes=20))
    assert len(desk.came("Listing")) == 1


def test_a_listing_names_the_items_that_could_not_be_read_and_tells_the_rest(desk: Desk) -> None:
    world, jira = desk.world, desk.world.estate.jira
    _, defect, _ = world.linked(pbi=False)
    alone = jira.create({"summary": "made by hand"}, by=ANA)
    world.settle()
    world.estate.faults.add(Fault("stripped", "jira", about=defect))
    desk.at(MONDAY - timedelta(days=6))
    key = jira.item(defect)["key"]
    reason = f"{key} could not be read: jira sent something of an unknown shape (KeyError)"
    ((_, moved),) = desk.came("What moved")
    assert reason in moved and "500 responses on API" in moved
    desk.box.raw.clear()
    desk.box.envelopes.clear()
    desk.at(MONDAY)
    ((_, created),) = desk.came("Listing")
    assert "2026-11-22: 2" in created and reason in created
    assert jira.item(alone)["key"] in created and "made by hand" in created


def test_a_crash_after_the_mail_was_put_out_makes_no_second_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.world.linked(pbi=False)
    desk.world.estate.clock.set(MONDAY)
    store = desk.world.engine.store
    kept = store.noted("report listing")
    desk.world.once()
    store.note("report listing", kept)  # as if the process had died before it noted what it had put out
    desk.world.restart()
    desk.world.settle()
    assert len(desk.came("Listing")) == 1


def test_a_report_is_sent_out_of_its_turn_and_a_dry_run_prints_it(live: Desk) -> None:
    live.world.linked("500 responses on API", pbi=False)
    live.world.shut()
    due = f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%dT%H:%M}"
    printed = cli(live.world, "send", "listing", "--as-of", due, "--dry-run")
    assert printed.exit_code == 0 and live.came() == [], printed.output
    assert "Subject: Production Defect Listing" in printed.output and "500 responses on API" in printed.output
    sent = cli(live.world, "send", "listing", "--as-of", due)
    assert sent.exit_code == 0 and "listing goes to lia@example.org, zoe@example.org" in sent.output
    assert len(live.came("Listing")) == 1
    unknown = cli(live.world, "send", "listin")
    assert unknown.exit_code == 2 and "choose from listing, moved, watched" in unknown.output


# ── what moved ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_digest_tells_what_moved_since_the_one_before_and_is_silent_where_nothing_did(desk: Desk) -> None:
    world = desk.world
    world.later(minutes=10)
    incident, defect, _ = world.linked("500 responses on API", pbi=False)
    world.later(hours=1)
    world.estate.jira.comment(defect, "secret words of a comment", ANA)
    world.settle()
    desk.at(MONDAY - timedelta(days=13))
    ((to, text),) = desk.came("What moved")
    assert to == ["boss@example.org"] and "links that moved from 2026-11-16" in text
    assert "moved to" in text and "1 comment by Ana Ruiz on CSPM-" in text and "secret words" not in text
    desk.at(MONDAY - timedelta(days=12))
    assert len(desk.came("What moved")) == 1
    world.estate.servicenow.update(incident, {"impact": "3", "urgency": "3"}, by=RITA)
    world.estate.jira.comment(defect, "of no importance any more", ANA)
    world.settle()
    desk.at(MONDAY - timedelta(days=11))
    assert len(desk.came("What moved")) == 1


def test_what_is_noticed_late_is_told_by_the_next_digest_and_nothing_is_told_twice(desk: Desk) -> None:
    world = desk.world
    _, defect, _ = world.linked(pbi=False)
    due = MONDAY - timedelta(days=13)
    world.estate.clock.set(due - timedelta(minutes=30))
    world.estate.jira.comment(defect, "in time", ANA)
    world.settle()
    world.estate.clock.set(due - timedelta(minutes=5))
    world.estate.jira.comment(defect, "seen too late", BEN)
    world.estate.faults.add(Fault("answer", tracker="jira", answer=Answer(503)))
    desk.world.estate.clock.set(due)
    world.once()
    assert "by Ana Ruiz" in desk.came("What moved")[-1][1]
    world.estate.faults.clear()
    desk.at(due + timedelta(days=1))
    assert len(desk.came("What moved")) == 2
    text = desk.came("What moved")[-1][1]
    assert "1 comment by Ben Okafor" in text and "Ana Ruiz" not in text


# ── who watches ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_types_watch_gets_one_digest_of_what_moves_until_they_type_unwatch(desk: Desk) -> None:
    world = desk.world
    _, defect, _ = world.linked("watched by Ana", pbi=False)
    other, other_defect, _ = world.linked("watched by Rita and Ana", pbi=False)
    world.estate.jira.comment(defect, "!watch", ANA)
    world.estate.jira.comment(other_defect, "!watch please", ANA)
    world.estate.servicenow.comment(other, "!watch", RITA, "work_notes")
    world.settle()
    desk.at(MONDAY - timedelta(days=13))
    before = len(desk.came("What you watch"))
    for id in (defect, other_defect):
        world.estate.jira.comment(id, "news", BEN)
    world.settle()
    desk.at(MONDAY - timedelta(days=12))
    mails = {to[0]: text for to, text in desk.came("What you watch")[before:]}
    keys = [world.estate.jira.item(id)["key"] for id in (defect, other_defect)]
    assert {to: [key in text for key in keys] for to, text in mails.items()} == {
        "ana@example.org": [True, True],
        "rita@example.org": [False, True],
    }
    world.estate.jira.comment(defect, "!unwatch", ANA)
    world.settle()
    world.estate.jira.comment(defect, "more news", BEN)
    world.settle()
    count = len(desk.came("What you watch"))
    desk.at(MONDAY - timedelta(days=11))
    assert len(desk.came("What you watch")) == count


def test_a_hot_topic_is_watched_by_everybody_the_report_names(desk: Desk) -> None:
    world = desk.world
    _, defect, _ = world.linked(pbi=False)
    _, cold, _ = world.linked("of no interest", pbi=False)
    world.estate.jira.update(defect, {"labels": [*world.estate.jira.item(defect)["labels"], "hot-topic"]}, by=ANA)
    world.later(hours=1)
    for id in (defect, cold):
        world.estate.jira.comment(id, "news", BEN)
    world.settle()
    desk.at(MONDAY - timedelta(days=13))
    ((to, text),) = desk.came("What you watch")
    keys = [world.estate.jira.item(id)["key"] for id in (defect, cold)]
    assert to == ["lia@example.org"] and [key in text for key in keys] == [True, False]


def test_somebody_is_put_on_the_watch_list_at_the_command_line_and_taken_off(live: Desk) -> None:
    world = live.world
    _, defect, _ = world.linked(pbi=False)
    key = world.estate.jira.item(defect)["key"]
    world.shut()
    assert f"Rita Cole watches {key}" in cli(world, "watch", key, "--by", "Rita Cole").output
    assert f"Rita Cole watches {key} already" in cli(world, "watch", key, "--by", "Rita Cole").output
    lost = cli(world, "watch", key, "--by", "Nobody")
    assert lost.exit_code == 1 and "nobody knows how to reach Nobody" in lost.output
    assert "CSPM-99 is in no link" in cli(world, "watch", "CSPM-99", "--by", "Rita Cole").output
    world.estate.jira.comment(defect, "news", BEN)
    world.engine = world.start()
    world.settle()
    world.shut()
    later = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M}"  # the sandbox is some minutes ahead of us
    assert "watched goes to rita@example.org" in cli(world, "send", "watched", "--as-of", later).output
    ((to, text),) = live.came("What you watch")
    assert to == ["rita@example.org"] and f"by Ben Okafor on {key}" in text
    assert "no longer" in cli(world, "unwatch", key, "--by", "Rita Cole").output
    assert "watched makes no message" in cli(world, "send", "watched", "--as-of", later).output
    assert len(live.came("What you watch")) == 1
