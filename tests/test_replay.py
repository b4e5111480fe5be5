"""Real incidents through the whole of Lockstep, judged by a checker that sees the trackers' histories only."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox.replay import Checker, Event, Report, read_log, replay_file, sample
from sandbox.replay.course import Passed
from sandbox.replay.eligible import eligible
from sandbox.replay.talk import Copy, copies, letters, words
from sync.state import Held
from tests.played import Played

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LOG = SHARED / "incident_log" / "sample_2000_incidents.csv.gz"
BODIES = SHARED / "jira_text" / "bodies_1000.jsonl.gz"
INCIDENTS, ELIGIBLE, SOME = 2_000, 1_810, 60
UNMAPPED = {"INC0028089", "INC0030413"}

log_wanted = pytest.mark.skipif(not LOG.exists(), reason="wants ../shared/data/incident_log")
bodies_wanted = pytest.mark.skipif(not BODIES.exists(), reason="wants ../shared/data/jira_text")
Start = Callable[..., Played]


@pytest.fixture(scope="module")
def log() -> list[Event]:
    return read_log(LOG)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts replays, and stops them when the test is over."""
    begun: list[Played] = []

    def begin(*args: object, **options: object) -> Played:
        begun.append(Played(tmp_path, *args, **options))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def closed_for_good(played: Played, held: Held) -> bool:
    """Whether something waits only because a closed incident is never opened again, while its work goes on."""
    at = held.ref
    state = played.estate.servicenow.item(at.id)["state"] if at.tracker == "servicenow" else ""
    return (held.what, state) == ("stage", "7")


def all_is_well(played: Played, report: Report) -> None:
    """What must hold at the end of any replay."""
    assert report.clean, report.table() + "\n" + "\n".join(map(str, report.findings[:20]))
    assert report.links == report.eligible
    assert [key for held, key in played.engine.store.held() if not closed_for_good(played, held)] == []
    assert played.writes_of_a_full_look() == 0
    played.restart(lose_state=True)
    assert played.writes_of_a_full_look() == 0
    assert played.engine.store.counts()["links"] == report.links
    assert played.engine.store.held() == []


# ── the log alone ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.shared
@log_wanted
def test_the_log_is_read_in_order_and_its_last_column_last(log: list[Event]) -> None:
    assert len(log) == 15_211
    assert len({event.number for event in log}) == INCIDENTS
    assert all((a.at, a.count) <= (b.at, b.count) for a, b in pairwise(log))
    assert log[0].at == datetime(2016, 2, 29, 1, 23, tzinfo=UTC)
    assert all(not event.code or event.state == "Closed" for event in log)
    assert sum(event.state == "Closed" and not event.code for event in last_of_each(log)) == 7
    assert {event.number for event in log if event.state == "-100"} == UNMAPPED


def last_of_each(events: list[Event]) -> list[Event]:
    return list({event.number: event for event in events}.values())


@pytest.mark.shared
@log_wanted
def test_the_eligible_incidents_are_counted_from_the_log_alone(log: list[Event]) -> None:
    assert len(eligible(log, log[0].at)) == ELIGIBLE


@pytest.mark.shared
@log_wanted
def test_a_walk_through_every_window_finds_the_same_eligible_incidents(log: list[Event]) -> None:
    with gzip.open(LOG, "rt", newline="") as file:
        rows = [(minute_of(r["sys_updated_at"]), int(r["sys_mod_count"]), r) for r in csv.DictReader(file)]
    rows.sort(key=lambda row: row[:2])
    windows: dict[int, list[dict[str, str]]] = defaultdict(list)
    for minute, _, row in rows:
        windows[(minute - rows[0][0]) // 5].append(row)
    standing: dict[str, str] = {}
    found = set()
    for window in sorted(windows):
        standing |= {row["number"]: row["incident_state"] for row in windows[window]}
        found |= {number for number, state in standing.items() if state.split()[0] in ("New", "Active", "Awaiting")}
        standing = {number: state for number, state in standing.items() if number not in found}
    assert found == eligible(log, log[0].at)


def minute_of(text: str) -> int:
    return int((datetime.strptime(text, "%d/%m/%Y %H:%M") - datetime(2016, 1, 1)).total_seconds()) // 60


# ── the bot beside it ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.taste
@log_wanted
def test_some_incidents_pass_through_without_loss(log: list[Event], start: Start) -> None:
    played = start(sample(log, SOME), log[0].at)
    report = played.play()
    waiting = {(key, what) for key, what, reason in played.held if '"-100"' in reason}
    assert waiting == {(number, "stage") for number in UNMAPPED}
    all_is_well(played, report)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.taste
@log_wanted
def test_some_incidents_pass_through_storms_without_loss(log: list[Event], start: Start) -> None:
    played = start(sample(log, SOME, seed=3), log[0].at, seed=3)
    report = played.play(stormy=True)
    assert report.faults > 30
    all_is_well(played, report)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.year
@pytest.mark.timeout(2400)
@log_wanted
def test_the_year_of_an_eighth_of_the_incidents_passes_without_loss(log: list[Event], start: Start) -> None:
    """An eighth of them, so that a run of everything keeps its time; docs/replay.md has the command for all."""
    some = sample(log, INCIDENTS // 8)
    played = start(some, log[0].at)
    report = played.play()
    keep(report, "clean")
    assert (report.incidents, report.eligible) == (INCIDENTS // 8, len(eligible(some, log[0].at)))
    all_is_well(played, report)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.year
@pytest.mark.timeout(2400)
@log_wanted
def test_the_year_of_a_sixteenth_of_the_incidents_passes_through_storms_without_loss(
    log: list[Event], start: Start
) -> None:
    """A sixteenth of them, for the same reason."""
    some = sample(log, INCIDENTS // 16)
    played = start(some, log[0].at)
    report = played.play(stormy=True)
    keep(report, "storms")
    assert (report.incidents, report.eligible) == (INCIDENTS // 16, len(eligible(some, log[0].at)))
    all_is_well(played, report)


def keep(report: Report, name: str) -> None:
    """Leaves the figures where whoever runs the tests wants them."""
    if folder := os.environ.get("LOCKSTEP_REPORTS"):
        (Path(folder) / f"replay-{name}.txt").write_text(f"The year, {name}\n{report.table()}\n")


# ── a burst ──────────────────────────────────────────────────────────────────────────────────────────────────────

HOUR = datetime(2016, 3, 24, 18, 0, tzinfo=UTC)
CROWD, CHANGES = 420, 2_123


def burst() -> list[Event]:
    """An hour of 2,123 changes to 420 incidents; at half past, one change to each of them in the same second."""
    chance = random.Random(42)
    numbers = [f"INC{n:07}" for n in range(1, CROWD + 1)]
    moments = [(HOUR + timedelta(seconds=n * 2), number) for n, number in enumerate(numbers)]
    rest = [(HOUR + timedelta(seconds=chance.randrange(1_000, 3_600)), chance.choice(numbers))
            for _ in range(CHANGES - 2 * CROWD)]  # fmt: skip
    together = [(HOUR + timedelta(minutes=30), number) for number in numbers]
    seen: Counter[str] = Counter()
    events = []
    for at, number in sorted([*moments, *rest, *together]):
        count, seen[number] = seen[number], seen[number] + 1
        at_once = at == HOUR + timedelta(minutes=30)
        state = (
            "New" if not count else "Resolved" if at_once else chance.choice(("Active", "Awaiting Vendor", "Closed"))
        )
        level = chance.choice(("1 - High", "2 - Medium"))
        values = {"category": f"Category {number}", "impact": level, "urgency": "2 - Medium", "incident_state": state}
        events.append(Event(number, at, count, "Updated by 908", state, values))
    return events


@pytest.mark.slow
def test_2123_changes_in_an_hour_420_of_them_in_one_second_pass_without_loss(start: Start) -> None:
    events = burst()
    assert len(events) == CHANGES
    together = [event for event in events if event.at == HOUR + timedelta(minutes=30)]
    assert len(together) >= CROWD
    pages = lambda text: text.replace('kind = "servicenow"', 'kind = "servicenow"\npage = 100')  # noqa: E731
    played = start(events, HOUR, edit=pages)
    report = played.play(checkpoints=3)
    stamps = Counter(
        entry["at"].replace(microsecond=0)
        for id in played.replay.caller.incidents.values()
        for entry in played.estate.servicenow.history(id)
        if entry["field"] == "state" and entry["by"] == "Updated by 908"
    )
    assert stamps[HOUR + timedelta(minutes=30)] >= CROWD - 20  # those already resolved did not change
    assert report.eligible == CROWD
    all_is_well(played, report)


# ── real texts ───────────────────────────────────────────────────────────────────────────────────────────────────

HOLDERS = 50


@pytest.mark.shared
@pytest.mark.slow
@bodies_wanted
def test_a_thousand_real_bodies_spoken_in_servicenow_arrive_word_by_word(start: Start) -> None:
    with gzip.open(BODIES, "rt", encoding="utf-8", newline="") as file:
        bodies = [json.loads(line)["body"] for line in file]
    values = {"category": "Category 1", "impact": "2 - Medium", "urgency": "2 - Medium"}
    holders = [Event(f"INC{n:07}", HOUR, 0, "Updated by 1", "Active", values) for n in range(HOLDERS)]
    played = start(holders, HOUR)
    assert played.play(checkpoints=0).links == HOLDERS
    checker = Checker(played.replay, replay_file())
    checker.note(played.replay.acts)
    ids = list(played.replay.caller.incidents.values())
    spoken = [played.replay.caller.speaks(ids[n % HOLDERS], body, "updated.by.1", "comments") for n, body in
              enumerate(bodies)]  # fmt: skip
    checker.note(spoken)
    begun = played.estate.clock.tick()
    played.once()
    checker.passes.append(Passed(begun, played.estate.clock.tick()))
    assert not [finding for finding in checker.check() if finding.kind != "uncalled"]
    assert played.removed == 2 * sum(control_characters(body) for body in bodies) > 0
    long_ones = whole_words(played, checker, {letters(body): body for body in bodies})
    assert sum(len(body) > 32_767 for body in bodies) == 16
    assert {letters(body) for body in bodies if len(body) > 32_767} <= long_ones


def control_characters(text: str) -> int:
    return sum((ord(c) < 32 and c not in "\t\n\r") or c in "\x7f\ufffe\uffff" for c in text)


def whole_words(played: Played, checker: Checker, bodies: dict[str, str]) -> set[str]:
    """Compares every copy word by word with its body; the letters of those that came to Jira in several parts."""
    parted = set()
    for items in checker.marks.links.values():
        for side in ("defect", "pbi"):
            stored = checker.histories.spoken(side, items[side][0])
            found = [one for one in copies(side, stored) if isinstance(one, Copy) and one.letters in bodies]
            assert len(found) == 1_000 // HOLDERS
            parted |= {one.letters for one in found if one.parts > 1 and side == "defect"}
            for one in (one for one in found if one.parts == 1):
                assert one.words == words(bodies[one.letters])
    return parted
