"""Pages that come twice or shift while a client pages, in each tracker's own way of paging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.estate import Estate
from sandbox.faults import Fault
from tests.raw import Raw, ask

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ITEMS, SIZE = 9, 3


@pytest.fixture
def estate() -> Iterator[Estate]:
    estate = Estate(START)
    for n in range(ITEMS):
        estate.servicenow.create({"short_description": f"{n}"}, "sam.hill")
    issue = estate.jira.create({"summary": "discussed"}, "Ana Ruiz")
    item = estate.azure.create({"System.Title": "revised"}, "Chen Wei")
    for n in range(1, ITEMS):
        estate.jira.comment(issue, f"{n - 1}", "Ana Ruiz")
        estate.azure.update(item, {"System.Title": f"title {n}"}, "Chen Wei")
    estate.jira.comment(issue, f"{ITEMS - 1}", "Ana Ruiz")
    yield estate
    estate.stop()


def incidents(estate: Estate, offset: int) -> Raw:
    asked = {
        "sysparm_query": "ORDERBYnumber",
        "sysparm_fields": "short_description",
        "sysparm_limit": SIZE,
        "sysparm_offset": offset,
    }
    return ask(estate, "servicenow", f"/api/now/table/incident?{urlencode(asked)}")


def read_incidents(estate: Estate) -> list[str]:
    """By offset until X-Total-Count is reached (apis.md 1.3)."""
    found: list[str] = []
    offset, total = 0, 1
    while offset < total:
        raw = incidents(estate, offset)
        found += [row["short_description"] for row in raw.json()["result"]]
        offset, total = offset + SIZE, int(raw.headers["x-total-count"])
    return found


def read_comments(estate: Estate) -> list[str]:
    """By startAt until the total is reached."""
    found: list[str] = []
    start, total, issue = 0, 1, estate.jira.ids()[0]
    while start < total:
        page = ask(estate, "jira", f"/rest/api/2/issue/{issue}/comment?startAt={start}&maxResults={SIZE}").json()
        assert page["startAt"] == start
        found += [one["body"] for one in page["comments"]]
        start, total = start + SIZE, page["total"]
    return found


def read_revisions(estate: Estate) -> list[str]:
    """By $skip until a page is empty."""
    found: list[str] = []
    item = estate.azure.ids()[0]
    page: list[dict[str, Any]] = [{}]
    while page:
        target = f"/example/_apis/wit/workItems/{item}/revisions?$skip={len(found)}&$top={SIZE}&api-version=7.1"
        page = ask(estate, "azure", target).json()["value"]
        found += [str(one["rev"] - 1) for one in page]
    return found


READERS = {"servicenow": read_incidents, "jira": read_comments, "azure": read_revisions}
ALL = [str(n) for n in range(ITEMS)]


@pytest.mark.parametrize("tracker", READERS)
@pytest.mark.parametrize(
    "kind, rows, seen",
    [
        ("page_again", 1, "012 012 345 678"),
        ("page_shift", 1, "012 234 567 8"),
        ("page_shift", 2, "012 123 456 78"),
        ("page_shift", -1, "012 456 78"),
    ],
)
def test_by_offset_rows_come_twice_or_are_missed_as_others_come_or_go_in_front(
    estate: Estate, tracker: str, kind: str, rows: int, seen: str
) -> None:
    """Offset paging is stable only while nothing moves (apis.md 1.3, 2.1)."""
    read = READERS[tracker]
    assert read(estate) == ALL
    rule = estate.faults.add(Fault(kind, tracker, "GET", "/incident$|/comment$|/revisions$", nth=(1,), rows=rows))
    assert read(estate) == list(seen.replace(" ", ""))
    assert rule.struck == 1
    assert read(estate) == ALL  # read from its beginning the listing is what it is


def test_links_to_further_pages_lead_on_through_a_shift(estate: Estate) -> None:
    """A client that follows the Link header comes to the end as well (apis.md 1.3)."""
    estate.faults.add(Fault("page_again", "servicenow", "GET", "/incident$", nth=(1,)))
    found, raw = [], incidents(estate, 0)
    while True:
        found += [row["short_description"] for row in raw.json()["result"]]
        following = [link for link in raw.headers["link"].split(",") if link.endswith('rel="next"')]
        if not following:
            break
        raw = ask(estate, "servicenow", following[0].split(">")[0].partition("localhost")[2])
    assert found == [*ALL[:3], *ALL]


def search(estate: Estate, token: str | None) -> Any:
    project = next(iter(estate.jira.site.projects))
    body = {"jql": f"project = {project} ORDER BY updated ASC", "maxResults": 2, "nextPageToken": token}
    return ask(estate, "jira", "/rest/api/2/search/jql", "POST", body).json()


def test_by_token_the_page_before_comes_again_with_the_token_that_led_to_it(estate: Estate) -> None:
    """Repeated tokens have been seen on Jira Cloud (apis.md 2.1); asking once more leads on."""
    for n in range(4):
        estate.jira.create({"summary": f"{n}"}, "Ana Ruiz")
    estate.faults.add(Fault("page_again", "jira", "POST", "/search/jql$", nth=(1,)))
    first = search(estate, None)
    again = search(estate, first["nextPageToken"])
    assert again == first
    on = search(estate, again["nextPageToken"])
    assert not {one["id"] for one in on["issues"]} & {one["id"] for one in first["issues"]}


def test_a_batch_of_the_feed_may_come_twice(estate: Estate) -> None:
    def feed(token: str) -> Any:
        target = f"/example/_apis/wit/reporting/workItemRevisions?$maxPageSize=4&api-version=7.1{token}"
        return ask(estate, "azure", target).json()

    estate.faults.add(Fault("page_again", "azure", "GET", "/workItemRevisions$", nth=(2,)))
    tokens, revs = "", []
    for _ in range(4):
        batch = feed(tokens)
        revs.append([one["rev"] for one in batch["values"]])
        tokens = f"&continuationToken={batch['continuationToken']}"
    assert revs == [[1, 2, 3, 4], [5, 6, 7, 8], [5, 6, 7, 8], [9]]


def test_what_a_token_leads_to_does_not_shift(estate: Estate) -> None:
    """A token stands for the place behind the last row, not for a number of rows."""
    estate.jira.create({"summary": "one more"}, "Ana Ruiz")
    estate.jira.create({"summary": "and another"}, "Ana Ruiz")
    rule = estate.faults.add(Fault("page_shift", "jira", "POST", "/search/jql$", rows=1))
    first = search(estate, None)
    second = search(estate, first["nextPageToken"])
    assert [one["id"] for one in (*first["issues"], *second["issues"])] == sorted(estate.jira.ids())
    assert rule.seen == 0


def test_rows_that_truly_move_between_two_pages_shift_an_offset_and_not_a_keyset(estate: Estate) -> None:
    """Somebody changes a row of the first page before the second is asked for: it goes to the end, and the row that
    takes its place at the border is on neither page (apis.md 1.3)."""
    order = "ORDERBYsys_updated_on^ORDERBYsys_id"

    def page(query: str, offset: int) -> list[dict[str, str]]:
        asked = {"sysparm_query": query, "sysparm_fields": "sys_id,sys_updated_on", "sysparm_offset": offset}
        raw = ask(estate, "servicenow", f"/api/now/table/incident?{urlencode({**asked, 'sysparm_limit': SIZE})}")
        rows: list[dict[str, str]] = raw.json()["result"]
        return rows

    def retitle() -> None:
        estate.clock.advance(timedelta(seconds=5))
        estate.servicenow.update(one[0]["sys_id"], {"short_description": "moved on"}, "sam.hill")

    one = page(order, 0)
    estate.faults.add(Fault("act", "servicenow", "GET", "/incident$", nth=(1,), act=retitle))
    shown = [row["sys_id"] for row in (*one, *page(order, 3), *page(order, 6), *page(order, 9))]
    missed = set(estate.servicenow.ids("incident")) - set(shown)
    assert len(missed) == 1
    stamp, id = one[-1]["sys_updated_on"], one[-1]["sys_id"]
    behind = page(f"sys_updated_on>{stamp}^ORsys_id>{id}^sys_updated_on>={stamp}^{order}", 0)
    assert missed <= {row["sys_id"] for row in behind}
