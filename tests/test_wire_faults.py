"""Every kind of fault, byte by byte: what leaves the socket, whether the request took effect, and when it strikes."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.estate import Estate
from sandbox.faults import KINDS, Fault
from sandbox.wire import Answer
from tests.raw import Raw, ask

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ISSUE = "/rest/api/2/issue"
BODY = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "made"}}
HTML = b"<html><body>Please try again</body></html>"


@pytest.fixture(scope="module")
def living() -> Iterator[Estate]:
    estate = Estate(START, seed=4)
    yield estate
    estate.stop()


@pytest.fixture
def estate(living: Estate) -> Estate:
    living.faults.clear()
    return living


def make(estate: Estate) -> tuple[Raw, int]:
    """Asks Jira for a new issue: the answer, and how many were made."""
    before = len(estate.jira.ids())
    body = {**BODY, "fields": {**BODY["fields"], "project": {"key": next(iter(estate.jira.site.projects))}}}
    raw = ask(estate, "jira", ISSUE, "POST", body)
    return raw, len(estate.jira.ids()) - before


def myself(estate: Estate) -> Raw:
    return ask(estate, "jira", "/rest/api/2/myself")


def struck(estate: Estate, kind: str, **options: Any) -> tuple[Raw, int]:
    """A creation that meets one fault."""
    estate.faults.add(Fault(kind, "jira", "POST", "/issue$", **options))
    return make(estate)


# -- kinds


def test_any_status_body_and_headers_may_be_answered_instead_of_the_tracker(estate: Estate) -> None:
    answer = Answer(418, b"short and stout", {"Content-Type": "text/x-tea", "X-Pot": "1"})
    raw, made = struck(estate, "answer", answer=answer)
    assert (raw.status, raw.body, made, raw.end) == (418, b"short and stout", 0, "open")
    assert (raw.headers["content-type"], raw.headers["x-pot"]) == ("text/x-tea", "1")


def test_a_gateway_may_give_up_on_what_took_effect(estate: Estate) -> None:
    raw, made = struck(estate, "answer_after", answer=Answer(504, b"", {"Server": "gateway"}))
    assert (raw.status, made, raw.headers["server"]) == (504, 1, "gateway")


@pytest.mark.parametrize("kind, made", [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_comes_before_or_after_the_write_took_effect_and_says_nothing(
    estate: Estate, kind: str, made: int
) -> None:
    assert struck(estate, kind) == (Raw(b"", "reset"), made)
    assert estate.log.entries[-1].status == 0


def test_a_reset_may_come_in_the_middle_of_an_answer(estate: Estate) -> None:
    whole, _ = make(estate)
    raw, made = struck(estate, "reset_within", at=5)
    assert (raw.end, made) == ("reset", 1)
    assert raw.data in (b"", whole.data[: len(whole.data) - len(whole.body) + 5])  # a reset may overtake what was sent


@pytest.mark.parametrize("at", [0, 1, 2, 17])
def test_a_body_ends_at_an_exact_byte_under_the_length_of_the_whole(estate: Estate, at: int) -> None:
    whole = myself(estate)
    estate.faults.add(Fault("cut", "jira", at=at))
    raw = myself(estate)
    assert (raw.body, raw.end) == (whole.body[:at], "closed")
    assert raw.headers["content-length"] == str(len(whole.body))


def test_a_body_may_end_early_under_an_honest_length_so_that_only_the_json_tells(estate: Estate) -> None:
    whole = myself(estate)
    estate.faults.add(Fault("cut", "jira", keep=0.25, honest=True))
    raw = myself(estate)
    assert (raw.body, raw.end) == (whole.body[: len(whole.body) // 4], "open")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        raw.json()


def test_an_answer_may_end_at_every_byte_of_its_head(estate: Estate) -> None:
    whole = myself(estate)
    head = len(whole.data) - len(whole.body)
    for at in range(0, head + 3, 11):
        estate.faults.clear()
        estate.faults.add(Fault("cut", "jira", at=at, whole=True))
        raw = myself(estate)
        assert (raw.data, raw.end) == (whole.data[:at], "closed")
    estate.faults.clear()
    estate.faults.add(Fault("cut", "jira", keep=0.5, whole=True))
    assert myself(estate).data == whole.data[: len(whole.data) // 2]


def test_garbage_is_html_that_claims_to_be_json(estate: Estate) -> None:
    raw, made = struck(estate, "garbage")
    assert (raw.status, raw.body, made) == (201, HTML, 1)
    assert raw.headers["content-type"].startswith("application/json")


def test_html_says_that_it_is(estate: Estate) -> None:
    raw, made = struck(estate, "html")
    assert (raw.status, raw.body, made, raw.headers["content-type"]) == (201, HTML, 1, "text/html; charset=utf-8")
    estate.faults.clear()
    raw, _ = struck(estate, "html", answer=Answer(200, b"<html>Sign in</html>"))
    assert raw.body == b"<html>Sign in</html>"


def test_noise_is_of_the_same_length_and_the_same_each_time(estate: Estate) -> None:
    whole = myself(estate)
    found = []
    for _ in range(2):
        estate.faults.clear()
        estate.faults.add(Fault("noise", "jira"))
        found.append(myself(estate).body)
    assert found[0] == found[1] != whole.body
    assert len(found[0]) == len(whole.body)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
def test_the_content_type_may_be_wrong_or_missing(estate: Estate, content_type: str) -> None:
    whole = myself(estate)
    estate.faults.add(Fault("mistyped", "jira", content_type=content_type))
    raw = myself(estate)
    assert raw.headers.get("content-type", "") == content_type
    assert raw.body == whole.body


def test_a_byte_order_mark_may_stand_before_the_json(estate: Estate) -> None:
    """As in Azure DevOps' recorded 503 (apis.md 3.4)."""
    whole = myself(estate)
    estate.faults.add(Fault("bom", "jira"))
    raw = myself(estate)
    assert raw.body == b"\xef\xbb\xbf" + whole.body
    assert raw.headers["content-length"] == str(len(whole.body) + 3)


@pytest.mark.parametrize(
    "kind, said, zipped", [("gzip", True, True), ("gzip_unsaid", False, True), ("gzip_false", True, False)]
)
def test_compression_may_be_right_unsaid_or_only_said(estate: Estate, kind: str, said: bool, zipped: bool) -> None:
    whole = myself(estate)
    estate.faults.add(Fault(kind, "jira"))
    raw = myself(estate)
    assert raw.headers.get("content-encoding") == ("gzip" if said else None)
    assert (gzip.decompress(raw.body) if zipped else raw.body) == whole.body


@pytest.mark.parametrize("kind, made", [("delay", 0), ("delay_after", 1)])
def test_a_delay_comes_before_the_effect_or_after_it(
    estate: Estate, kind: str, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, slept = len(estate.jira.ids()), []
    server = estate.servers["jira"]
    monkeypatch.setattr(server, "wait", lambda s: slept.append((s, len(estate.jira.ids()) - before)))
    assert struck(estate, kind, seconds=30)[0].status == 201
    assert slept == [(30, made)]


# -- Retry-After and other headers


@pytest.mark.parametrize("seconds, told", [(90, "90"), (1.5, "1.5"), (0, "0"), (-5, "-5"), (3600, "3600")])
def test_retry_after_may_be_a_number_a_fraction_included(estate: Estate, seconds: float, told: str) -> None:
    raw, _ = struck(estate, "answer", answer=Answer(429), retry_after=seconds)
    assert (raw.status, raw.headers["retry-after"]) == (429, told)


@pytest.mark.parametrize("seconds", [90, -90])
def test_retry_after_may_be_a_date_by_the_trackers_clock_a_past_one_included(estate: Estate, seconds: int) -> None:
    estate.clocks["jira"].skew = timedelta(minutes=7)
    raw, _ = struck(estate, "answer", answer=Answer(503), retry_after=seconds, as_date=True)
    estate.clocks["jira"].skew = timedelta(0)
    told, date = (parsedate_to_datetime(raw.headers[name]) for name in ("retry-after", "date"))
    assert told - date == timedelta(seconds=seconds)
    assert abs(date - estate.clock.now() - timedelta(minutes=7)) < timedelta(seconds=2)


def test_a_success_may_ask_to_wait(estate: Estate) -> None:
    """Azure DevOps delays before it refuses (apis.md 3.4)."""
    raw, made = struck(estate, "headers", retry_after=12, headers={"X-RateLimit-Remaining": "0"})
    assert (raw.status, made) == (201, 1)
    assert (raw.headers["retry-after"], raw.headers["x-ratelimit-remaining"]) == ("12", "0")


# -- which requests are struck


def test_a_rule_picks_by_tracker_method_and_path(estate: Estate) -> None:
    estate.faults.add(Fault("answer", "jira", "GET|PUT", "/MYSELF$", answer=Answer(599)))
    assert myself(estate).status == 599
    assert ask(estate, "jira", "/rest/api/2/serverInfo").status == 200
    assert make(estate)[0].status == 201
    assert ask(estate, "azure", "/example/_apis/connectionData").status == 200


def test_a_rule_picks_the_nth_calls_and_strikes_no_more_than_it_may(estate: Estate) -> None:
    rule = estate.faults.add(Fault("answer", "jira", nth=(2, 4, 5), times=2, answer=Answer(599)))
    assert [myself(estate).status for _ in range(6)] == [200, 599, 200, 599, 200, 200]
    assert (rule.seen, rule.struck) == (6, 2)


def test_the_same_seed_and_the_same_requests_give_the_same_faults_whatever_comes_between() -> None:
    def storm(seed: int, between: bool) -> list[int]:
        estate = Estate(START, seed=seed)
        estate.faults.add(Fault("answer", chance=0.3, answer=Answer(599)))
        found = []
        for _ in range(60):
            if between:
                ask(estate, "azure", "/example/_apis/connectionData")
            found.append(myself(estate).status)
        estate.stop()
        return found

    alone = storm(4, False)
    assert storm(4, True) == alone
    assert storm(5, False) != alone
    assert 6 <= alone.count(599) <= 32


def test_paused_faults_count_and_strike_nothing(estate: Estate) -> None:
    rule = estate.faults.add(Fault("answer", "jira", answer=Answer(599)))
    estate.faults.paused = True
    assert myself(estate).status == 200
    estate.faults.paused = False
    assert (rule.seen, myself(estate).status) == (0, 599)


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no such kind of fault: 'flood'"):
        Fault("flood")


def test_somebody_may_work_between_two_requests(estate: Estate) -> None:
    id = estate.jira.create({"summary": "before"}, "Ana Ruiz")
    estate.faults.add(
        Fault(
            "act",
            "jira",
            "GET",
            f"/issue/{id}$",
            nth=(2,),
            act=lambda: estate.jira.update(id, {"summary": "after"}, "Ana Ruiz"),
        )
    )
    shown = [ask(estate, "jira", f"{ISSUE}/{id}?fields=summary").json()["fields"]["summary"] for _ in range(3)]
    assert shown == ["before", "after", "after"]


def test_one_row_of_an_answer_may_lose_its_shape(estate: Estate) -> None:
    first, second = (estate.jira.create({"summary": "told"}, "Ana Ruiz") for _ in range(2))
    estate.faults.add(Fault("stripped", "jira", naming=first, about=first))
    body = {"issueIdsOrKeys": [second, first], "fields": ["summary"]}
    issues = ask(estate, "jira", f"{ISSUE}/bulkfetch", "POST", body).json()["issues"]
    assert {issue["id"]: len(issue) > 1 for issue in issues} == {first: False, second: True}
    del body["issueIdsOrKeys"][1]
    ask(estate, "jira", f"{ISSUE}/bulkfetch", "POST", body)
    assert [rule.struck for rule in estate.faults.rules] == [1], "what does not name it is not struck"


def test_the_docs_name_every_kind_and_every_part_of_a_rule() -> None:
    text = (Path(__file__).parent.parent / "docs" / "sandbox.md").read_text()
    kinds = set(re.findall(r"^\| `(\w+)` \| (?:yes|no|later) \|", text, re.MULTILINE))
    assert kinds == KINDS
    own = {"kind", "seen", "struck", "place"}
    assert [field.name for field in fields(Fault) if field.name not in own and f"`{field.name}`" not in text] == []
