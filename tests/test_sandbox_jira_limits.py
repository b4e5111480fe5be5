"""Limits, doors and ways of being away of the simulated Jira, and the turns its search takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sandbox.jira.defaults import BOT, USERS
from tests.jira_wire import Wire, built


@pytest.fixture
def build() -> Iterator[Callable[..., Wire]]:
    with built(Wire) as build:
        yield build


@pytest.fixture
def wire(build: Callable[..., Wire]) -> Wire:
    return build()


class TestLimits:
    """Atlassian developer documentation, "Rate limiting"; apis.md 2.4."""

    def test_a_burst_is_counted_by_endpoint_and_method_whoever_sends(self, wire: Wire) -> None:
        first, second = wire.new(), wire.new()
        wire.jira.limits.burst, wire.jira.limits.reads, wire.jira.limits.writes = True, (3, 1), (2, 1)
        assert [wire.send("GET", f"issue/{id}").status_code for id in (first, second, first, second)] == [200] * 3 + [
            429
        ]
        wire.auth = ("ana@example.org", "ana-token")
        assert wire.send("GET", f"issue/{first}").status_code == 429
        assert wire.send("GET", "myself").status_code == 200
        puts = [wire.send("PUT", f"issue/{first}", {"fields": {"summary": f"{n}"}}).status_code for n in range(3)]
        assert puts == [204, 204, 429]

    def test_a_refusal_tells_why_and_until_when(self, wire: Wire) -> None:
        wire.jira.limits.burst, wire.jira.limits.reads = True, (1, 1)
        wire.send("GET", "myself")
        headers = wire.send("GET", "myself").headers
        assert (headers["RateLimit-Reason"], headers["Retry-After"]) == ("jira-burst-based", "2")
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("1", "0")
        assert headers["X-RateLimit-NearLimit"] == "true"
        assert datetime.strptime(headers["X-RateLimit-Reset"], "%Y-%m-%dT%H:%MZ").year == 2026

    def test_an_issue_takes_twenty_writes_in_two_seconds_and_a_hundred_in_thirty(self, wire: Wire) -> None:
        id = wire.new()
        wire.jira.limits.per_issue = True
        seen = []
        for n in range(6):
            wire.clock.advance(timedelta(seconds=3))
            seen += [wire.send("PUT", f"issue/{id}/properties/k", n).status_code for _ in range(20)]
        assert seen.index(429) == 100 and wire.send("GET", f"issue/{id}").status_code == 200

    @pytest.mark.parametrize("pool", ["tenant", "global"])
    def test_apps_spend_points_by_the_hour_and_tokens_of_people_do_not(self, wire: Wire, pool: str) -> None:
        """One point a request and one more for each issue a read shows."""
        id = wire.new()
        wire.jira.apps["app-token"] = BOT.account_id
        wire.jira.limits.quota, wire.jira.limits.pool = 4, pool
        address = f"{wire.server.url}/ex/jira/{wire.jira.cloud_id}/rest/api/3/issue/{id}"
        answers = [requests.get(address, headers={"Authorization": "Bearer app-token"}, timeout=5) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["Beta-RateLimit"].startswith(f'"{pool}-app-quota";r=2;')
        assert answers[0].headers["Beta-RateLimit-Policy"] == f'"{pool}-app-quota";q=4;w=3600'
        refused = answers[2].headers
        assert refused["RateLimit-Reason"] == f"jira-quota-{pool}-based" and int(refused["Retry-After"]) > 3000
        assert wire.send("GET", f"issue/{id}").status_code == 200
        wire.clock.advance(timedelta(hours=1))
        assert requests.get(address, headers={"Authorization": "Bearer app-token"}, timeout=5).status_code == 200

    @pytest.mark.parametrize(("seconds", "told"), [(30, "30"), (0, None)])
    def test_a_site_that_is_away_may_say_until_when(self, wire: Wire, seconds: int, told: str | None) -> None:
        wire.jira.switches.unavailable = seconds
        answer = wire.send("GET", "myself")
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, told)


class TestDoors:
    def test_an_apps_token_is_good_at_the_gateway_only(self, wire: Wire) -> None:
        """Atlassian developer documentation, "OAuth 2.0 (3LO) apps" """
        wire.jira.apps["app-token"] = BOT.account_id
        bearer = {"Authorization": "Bearer app-token"}
        gateway = f"{wire.server.url}/ex/jira/{wire.jira.cloud_id}"
        answer = requests.get(f"{gateway}/rest/api/3/myself", headers=bearer, timeout=5)
        assert answer.json()["accountId"] == BOT.account_id and answer.json()["self"].startswith(gateway)
        assert requests.get(f"{wire.server.url}/rest/api/3/myself", headers=bearer, timeout=5).status_code == 403
        expired = requests.get(f"{gateway}/rest/api/3/myself", headers={"Authorization": "Bearer old"}, timeout=5)
        assert (expired.status_code, expired.json()["message"]) == (401, "Unauthorized")
        elsewhere = f"{wire.server.url}/ex/jira/another/rest/api/3/myself"
        assert requests.get(elsewhere, headers=bearer, timeout=5).status_code == 404
        assert requests.get(f"{gateway}/rest/api/3/myself", auth=wire.auth, timeout=5).status_code == 200


class TestTokens:
    def jql(self, wire: Wire) -> str:
        for _ in range(5):
            wire.new()
        return "project = CSPM ORDER BY updated ASC"

    def test_empty_pages_may_stand_in_the_middle(self, wire: Wire) -> None:
        """apis.md 2.1 [R kingfisher #460]"""
        jql, token, sizes = self.jql(wire), None, []
        wire.jira.switches.empty_pages = True
        while True:
            page = wire.search(jql, maxResults=2, nextPageToken=token).json()
            sizes.append(len(page["issues"]))
            token = page.get("nextPageToken")
            if page["isLast"]:
                break
        assert sizes == [2, 0, 2, 0, 1] and token is None

    def test_a_token_may_repeat_for_ever(self, wire: Wire) -> None:
        """apis.md 2.1 [R prowler #12539]"""
        jql = self.jql(wire)
        wire.jira.switches.repeated_tokens = True
        token = wire.search(jql, maxResults=2).json()["nextPageToken"]
        pages = [wire.search(jql, maxResults=2, nextPageToken=token).json() for _ in range(3)]
        assert [page["nextPageToken"] for page in pages] == [token] * 3
        assert len({page["issues"][0]["id"] for page in pages}) == 1

    def test_the_count_is_approximate_and_wants_a_bounded_query(self, build: Callable[..., Wire]) -> None:
        """v3 POST /rest/api/3/search/approximate-count"""
        wire = build(index_lag=timedelta(seconds=30))
        wire.new()
        counts = []
        for _ in range(2):
            counts.append(wire.send("POST", "search/approximate-count", {"jql": "project = CSPM"}).json())
            wire.clock.advance(timedelta(seconds=31))
        assert counts == [{"count": 0}, {"count": 1}]
        assert wire.send("POST", "search/approximate-count", {"jql": "ORDER BY key"}).status_code == 400

    def test_a_page_of_fields_is_smaller_than_asked_for(self, wire: Wire) -> None:
        """apis.md 2.1: the server may return fewer"""
        jql, wire.jira.page_limit = self.jql(wire), 2
        page = wire.search(jql, maxResults=50, fields=["summary"]).json()
        assert len(page["issues"]) == 2 and page["isLast"] is False

    def test_a_search_by_address_is_the_same_search(self, wire: Wire) -> None:
        self.jql(wire)
        page = wire.get("search/jql", jql="project = CSPM", fields="summary,labels", maxResults=2)
        assert set(page["issues"][0]["fields"]) == {"summary", "labels"} and page["isLast"] is False

    def test_a_field_that_is_none_in_the_body_is_refused(self, wire: Wire) -> None:
        """v3 SearchAndReconcileRequestBean: additionalProperties false"""
        assert wire.search("project = CSPM", startAt=0).status_code == 400


class TestTimes:
    """apis.md 2.1: minutes, in the searching user's profile zone; the hour that comes twice."""

    @pytest.fixture
    def autumn(self, build: Callable[..., Wire]) -> Wire:
        """An issue on each side of the end of summer time in Berlin, one hour apart: 02:30 comes twice."""
        wire = build(users=[replace(BOT, zone="Europe/Berlin"), *USERS[1:]])
        for hour in (0, 1):
            wire.clock.set(datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
            wire.new()
        return wire

    def test_an_hour_that_comes_twice_is_the_first_or_the_second_as_switched(self, autumn: Wire) -> None:
        jql = 'updated >= "2026-10-25 02:30" ORDER BY key ASC'
        assert autumn.keys(jql) == ["CSPM-1", "CSPM-2"]
        autumn.jira.switches.repeated_hour_is_first = False
        assert autumn.keys(jql) == ["CSPM-2"]

    def test_a_period_and_a_number_know_no_zone(self, autumn: Wire) -> None:
        autumn.clock.set(datetime(2026, 10, 25, 2, 0, tzinfo=UTC))
        assert autumn.keys("updated >= -45m") == ["CSPM-2"] and len(autumn.keys("updated >= -2h")) == 2
        stamp = int(datetime(2026, 10, 25, 1, 0, tzinfo=UTC).timestamp() * 1000)
        assert autumn.keys(f"updated >= {stamp}") == ["CSPM-2"]

    def test_an_hour_that_never_comes_is_read_all_the_same(self, autumn: Wire) -> None:
        assert len(autumn.keys('updated >= "2026-03-29 02:30"')) == 2
