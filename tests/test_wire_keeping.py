"""Clocks that go wrong, backups that are restored, clones, and the sandbox's own door for another process."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from sandbox.bulk import load
from sandbox.clock import SandboxClock, SkewedClock
from sandbox.control import fault_of
from sandbox.estate import Estate
from tests.raw import Raw, ask, exchange, line

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TRACKERS = ("servicenow", "jira", "azure")
PEOPLE = {"servicenow": "sam.hill", "jira": "Ana Ruiz", "azure": "Chen Wei"}
TITLES = {"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}


@pytest.fixture
def estate() -> Iterator[Estate]:
    estate = Estate(START)
    yield estate
    estate.stop()


def make(estate: Estate, tracker: str, title: str) -> str:
    where: Any = getattr(estate, tracker)
    return str(where.create({TITLES[tracker]: title}, PEOPLE[tracker]))


def shown(port: int, tracker: str, id: str) -> Raw:
    """An item as the integration reads it by id."""
    target = {
        "servicenow": f"/api/now/table/incident/{id}?sysparm_fields=short_description,sys_updated_on",
        "jira": f"/rest/api/2/issue/{id}?fields=summary,updated",
        "azure": f"/example/_apis/wit/workitems/{id}?fields=System.Title,System.ChangedDate&api-version=7.1",
    }
    return exchange(port, line(tracker, target[tracker]))


def title(raw: Raw, tracker: str) -> str:
    body = raw.json()
    return str((body["result"] if tracker == "servicenow" else body["fields"])[TITLES[tracker]])


def updated(raw: Raw, tracker: str) -> datetime:
    body = raw.json()
    names = {"servicenow": "sys_updated_on", "jira": "updated", "azure": "System.ChangedDate"}
    text = (body["result"] if tracker == "servicenow" else body["fields"])[names[tracker]]
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# -- skew


@pytest.mark.parametrize("tracker", TRACKERS)
@pytest.mark.parametrize("minutes", [7, -7])
def test_a_tracker_whose_clock_is_wrong_shows_it_in_its_dates_and_its_stamps(
    estate: Estate, tracker: str, minutes: int
) -> None:
    port, skew = estate.servers[tracker].port, timedelta(minutes=minutes)
    estate.clocks[tracker].skew = skew
    raw = shown(port, tracker, make(estate, tracker, "skewed"))
    other = next(name for name in TRACKERS if name != tracker)
    right = shown(estate.servers[other].port, other, make(estate, other, "right"))
    for found, by in ((raw, skew), (right, timedelta(0))):
        date = parsedate_to_datetime(found.headers["date"])
        assert abs(date - estate.clock.now() - by) < timedelta(seconds=2)
    assert abs(updated(raw, tracker) - estate.clock.now() - skew) < timedelta(seconds=2)
    assert abs(updated(right, other) - estate.clock.now()) < timedelta(seconds=2)


def test_a_clock_that_is_set_back_gives_no_stamp_before_the_last() -> None:
    clock = SkewedClock(SandboxClock(START), timedelta(minutes=5))
    last = clock.tick()
    clock.skew = timedelta(0)
    assert clock.now() < last
    assert [clock.tick(), clock.tick()] == [last, last]
    clock.base.advance(timedelta(minutes=6))
    assert clock.tick() > last


def test_a_skewed_clock_moves_with_the_sandboxs() -> None:
    base = SandboxClock(START)
    clock = SkewedClock(base, timedelta(hours=1))
    clock.set(START + timedelta(hours=3))
    clock.sleep(30)
    assert base.now() == START + timedelta(hours=2, seconds=30)
    assert (clock.now() - base.now(), clock.settable, SkewedClock(SandboxClock()).settable) == (
        timedelta(hours=1),
        True,
        False,
    )


# -- backups and clones


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_tracker_restored_from_a_backup_has_forgotten_what_came_after(estate: Estate, tracker: str) -> None:
    server, where = estate.servers[tracker], getattr(estate, tracker)
    kept = make(estate, tracker, "before")
    server.backup("monday")
    where.update(kept, {TITLES[tracker]: "after"}, PEOPLE[tracker])
    lost = make(estate, tracker, "lost")
    server.restore("monday")
    assert title(shown(server.port, tracker, kept), tracker) == "before"
    assert shown(server.port, tracker, lost).status == 404
    where.update(kept, {TITLES[tracker]: "again"}, PEOPLE[tracker])
    server.restore("monday")  # a backup can be restored more than once
    assert title(shown(server.port, tracker, kept), tracker) == "before"
    with pytest.raises(KeyError, match="tuesday"):
        server.restore("tuesday")


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_clone_has_the_same_items_under_the_same_ids_and_goes_its_own_way(estate: Estate, tracker: str) -> None:
    server, where = estate.servers[tracker], getattr(estate, tracker)
    id = make(estate, tracker, "in both")
    twin = server.clone(f"{tracker}-test")
    assert title(shown(twin.port, tracker, id), tracker) == "in both"
    where.update(id, {TITLES[tracker]: "in the first"}, PEOPLE[tracker])
    assert title(shown(twin.port, tracker, id), tracker) == "in both"
    other: Any = twin.tracker
    other.update(id, {TITLES[tracker]: "in the second"}, PEOPLE[tracker])
    assert title(shown(server.port, tracker, id), tracker) == "in the first"
    assert {entry.tracker for entry in estate.log.entries} == {tracker, f"{tracker}-test"}
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        shown(twin.port, tracker, id)


# -- the door


def door(estate: Estate, method: str, name: str, body: Any = None, tracker: str = "jira") -> Raw:
    return ask(estate, tracker, f"/_sandbox/{name}", method, body)


def test_another_process_sets_the_clock_and_a_trackers_skew(estate: Estate) -> None:
    later = START + timedelta(hours=2)
    assert door(estate, "PUT", "clock", {"now": later.isoformat()}).json() == {"now": later.isoformat()}
    assert estate.clock.now() == later
    assert door(estate, "PUT", "skew", {"seconds": -90}).status == 200
    assert estate.clocks["jira"].now() == later - timedelta(seconds=90)
    assert door(estate, "GET", "clock").json()["now"] == estate.clocks["jira"].now().isoformat()
    assert door(estate, "PUT", "skew", {"seconds": 1}, "teams").status == 400


def test_another_process_sets_every_kind_of_fault_reads_them_and_takes_them_back(estate: Estate) -> None:
    answer = {"status": 429, "headers": {"X-Why": "burst"}, "body_base64": base64.b64encode(b"\xff\x00").decode()}
    rule = {"kind": "answer", "tracker": "jira", "path": "/myself", "nth": [2], "retry_after": 1.5, "answer": answer}
    assert door(estate, "POST", "faults", rule).json() == {"faults": 1}
    assert [ask(estate, "jira", "/rest/api/2/myself").status for _ in range(3)] == [200, 429, 200]
    shown = {"kind": "answer", "tracker": "jira", "method": "", "path": "/myself", "seen": 3, "struck": 1}
    assert door(estate, "GET", "faults").json() == [shown]
    assert door(estate, "DELETE", "faults").status == 204
    assert door(estate, "GET", "faults").json() == []
    assert fault_of(rule).answer.body == b"\xff\x00"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body, told",
    [
        ({"kind": "flood"}, "no such kind of fault: 'flood'"),
        ({"kind": "cut", "bite": 3}, "a fault has no 'bite'"),
        ({"kind": "act", "act": "rm"}, "a fault has no 'act'"),
        ({"kind": "answer", "answer": {"status": 200, "body_base64": "*"}}, "body_base64"),
        ({"tracker": "jira"}, "kind"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_reason(estate: Estate, body: Any, told: str) -> None:
    raw = door(estate, "POST", "faults", body)
    assert raw.status == 400
    assert told in raw.json()["error"]
    assert estate.faults.rules == []


def test_another_process_reads_and_empties_the_log(estate: Estate) -> None:
    ask(estate, "azure", "/example/_apis/connectionData")
    entry = {"tracker": "azure", "method": "GET", "path": "/example/_apis/connectionData", "status": 200}
    assert door(estate, "GET", "log").json() == [entry]
    assert door(estate, "DELETE", "log").status == 204
    assert estate.log.entries == []


def test_another_process_backs_up_restores_and_clones(estate: Estate) -> None:
    kept = make(estate, "jira", "kept")
    assert door(estate, "POST", "backup", {"name": "monday"}).status == 204
    lost = make(estate, "jira", "lost")
    url = door(estate, "POST", "clone", {"name": "jira-test"}).json()["url"]
    assert door(estate, "POST", "restore", {"name": "monday"}).status == 204
    assert estate.jira.ids() == [kept]
    twin = int(url.rpartition(":")[2])
    assert title(shown(twin, "jira", lost), "jira") == "lost"
    assert "tuesday" in door(estate, "POST", "restore", {"name": "tuesday"}).json()["error"]
    assert "cannot be backed up" in door(estate, "POST", "backup", {}, "teams").json()["error"]


def test_another_process_loads_items(estate: Estate) -> None:
    rows = [{"summary": f"{n}"} for n in range(20)]
    ids = door(estate, "POST", "load", {"by": "Ana Ruiz", "items": rows}).json()["ids"]
    assert [estate.jira.item(id)["summary"] for id in ids] == [row["summary"] for row in rows]
    assert "cannot be loaded" in door(estate, "POST", "load", {"by": "", "items": []}, "teams").json()["error"]


def test_what_is_no_control_is_404(estate: Estate) -> None:
    assert door(estate, "GET", "teapot").status == 404
    assert door(estate, "PATCH", "clock").status == 404


@pytest.mark.parametrize("tracker", TRACKERS)
def test_loaded_items_are_as_people_would_have_made_them_a_millisecond_apart(estate: Estate, tracker: str) -> None:
    where: Any = getattr(estate, tracker)
    before = estate.clock.now()
    ids = load(where, [{TITLES[tracker]: f"{n}"} for n in range(30)], PEOPLE[tracker])
    assert where.ids()[-30:] == ids
    assert timedelta(0) < estate.clock.now() - before < timedelta(seconds=1)
    alone = make(estate, tracker, "29")
    varying = {"id", "key", "number", "task_effective_number", "sys_id", "created", "updated", "System.Id"}
    varying |= {"System.CreatedDate", "System.ChangedDate", "System.AuthorizedDate", "System.PersonId"}
    varying |= {"System.Watermark", "Microsoft.VSTS.Common.StateChangeDate"}
    loaded, made = ({k: v for k, v in where.item(one).items() if k not in varying} for one in (ids[-1], alone))
    assert loaded == made
    assert where.history(ids[-1]) == where.history(alone)
