"""Limits of the simulated Azure DevOps: revisions, sizes, the TSTU quota; and how it lets callers in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.azure_devops import Switches
from tests.azure_wire import JANE, PREVIEW, Wire, problem, wired


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made


def test_beyond_its_revisions_an_item_is_closed_to_rest_but_not_to_people() -> None:
    """Object limits page; the text is quoted in onefuzz 3491."""
    with wired(switches=Switches(revisions=2)) as wire:
        id = wire.create()["id"]
        wire.set(id, System__Title="b")
        body = problem(wire.set(id, System__Title="c"), 400, "VssServiceException")
        assert body["message"] == (
            f"Work item {id} has 2 revisions, but currently, when updating via the API, only work items with up to 2 "
            "revisions are supported."
        )
        problem(wire.call("POST", wire.talk(id), {"text": "x"}, headers=PREVIEW), 400, "VssServiceException")
        wire.tracker.update(id, {"System.Title": "by hand"}, JANE)
        assert wire.read(id)["rev"] == 3 and Switches().revisions == 10_000


def test_tags_links_and_texts_have_limits() -> None:
    """Object limits page: 100 tags, 1,000 links, 1,048,576 characters of long text; here 2 tags, 2 links."""
    with wired(switches=Switches(tags=2, links=2)) as wire:
        id = wire.create(System__Tags="a; b")["id"]
        assert wire.set(id, System__Tags="c").status_code == 400
        wire.switches.tags_merge = False
        assert wire.set(id, System__Tags="c").status_code == 200
        for n in range(2):
            assert wire.link(id, "Hyperlink", f"https://x.example/{n}").status_code == 200
        problem(wire.link(id, "Hyperlink", "https://x.example/9"), 400, "WorkItemLinkLimitException")
        body = problem(wire.set(id, System__Description="x" * 1_048_577), 400, "RuleValidationException")
        assert "InvalidTooLong" in body["message"]
        assert wire.set(id, System__Description="x" * 1_048_576).status_code == 200
    assert (Switches().tags, Switches().links, Switches().files) == (100, 1_000, 100)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_user_is_delayed_and_then_refused(status: int) -> None:
    """Rate limits page: delays with Retry-After on 200, then TF400733; a sliding window of five minutes."""
    switches = Switches(capacity=1.0, blocked_status=status, costs={"GET": 0.4})
    with wired(switches=switches) as wire:
        answers = [wire.call("GET", "_apis/projects") for _ in range(6)]
        assert [one.status_code for one in answers] == [200] * 5 + [status]
        assert ["Retry-After" in one.headers for one in answers] == [False, False, True, True, True, True]
        slow = answers[2].headers
        assert (slow["Retry-After"], slow["X-RateLimit-Limit"], slow["X-RateLimit-Remaining"]) == ("30", "1", "0")
        assert int(slow["X-RateLimit-Reset"]) == int(wire.clock.now().timestamp()) + 300
        assert "X-RateLimit-Resource" in slow and "X-RateLimit-Delay" in slow
        assert "TF400733" in answers[-1].text and float(answers[-1].headers["Retry-After"]) == 300
        wire.clock.advance(timedelta(minutes=5))
        assert "Retry-After" not in wire.call("GET", "_apis/projects").headers


@pytest.mark.parametrize(("share", "borne"), [(1.0, 3), (3.0, 8)])
def test_how_far_above_the_limit_is_borne_is_not_told(share: float, borne: int) -> None:
    """Rate limits page: above it answers are delayed or refused, without saying where one ends; switch
    ``blocked_at``."""
    with wired(switches=Switches(capacity=1.0, blocked_at=share, costs={"GET": 0.4})) as wire:
        answers = [wire.call("GET", "_apis/projects").status_code for _ in range(borne + 1)]
        assert answers == [200] * borne + [429]


def test_a_bearer_token_stands_for_its_owner() -> None:
    """apis.md 3.4: PAT as Basic with an empty user, or an Entra ID token as Bearer."""
    with wired(bearer=lambda token: JANE if token == "good" else "") as wire:
        wire.session.auth = None
        accept = {"Accept": "application/json;api-version=7.1-preview"}
        good = wire.get("_apis/connectionData", headers={**accept, "Authorization": "Bearer good"})
        assert good["authenticatedUser"]["providerDisplayName"] == "Jane Doe"
        bad = wire.call("GET", "_apis/connectionData", headers={**accept, "Authorization": "Bearer bad"})
        assert (bad.status_code, bad.content) == (401, b"")


def test_connection_data_names_the_caller_and_the_place(wire: Wire) -> None:
    """apis.md 6: in no specification; the shape is the client's ConnectionData and what others declare."""
    data = wire.get("_apis/connectionData?connectOptions=IncludeServices", headers=PREVIEW)
    who = data["authenticatedUser"]
    assert who["id"] == wire.tracker.org.person("bot@example.com").id
    assert who["properties"]["Account"] == {"$type": "System.String", "$value": "bot@example.com"}
    place = data["locationServiceData"]
    assert {"serviceOwner", "defaultAccessMappingMoniker", "lastChangeId", "lastChangeId64"} <= set(place)
    mapping = place["accessMappings"][0]
    assert f"{mapping['accessPoint']}/{mapping['virtualDirectory']}" == wire.url
    assert "accessMappings" not in wire.get("_apis/connectionData", headers=PREVIEW)["locationServiceData"]


@pytest.mark.parametrize("suppressed", [False, True])
@pytest.mark.parametrize("page", ["203", "302"])
def test_the_sign_in_page_may_be_suppressed(wire: Wire, page: str, suppressed: bool) -> None:
    """apis.md 3.4 [C]: X-TFS-FedAuthRedirect: Suppress gives 401, switch ``suppressed``."""
    wire.switches.sign_in, wire.switches.suppressed = page, suppressed
    wire.session.auth = ("", "wrong")
    answer = wire.call("GET", "_apis/projects", headers={"X-TFS-FedAuthRedirect": "Suppress"})
    assert answer.status_code == (401 if suppressed else int(page))
    assert wire.call("GET", "_apis/projects").status_code == int(page)


def test_a_stopped_organisation_answers_503_with_a_byte_order_mark(wire: Wire) -> None:
    """recorded-az-cli-vcr 29: TF24668."""
    wire.switches.stopped = True
    answer = wire.call("OPTIONS", "_apis")
    assert answer.status_code == 503 and answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["x-tfs-serviceerror"].startswith("TF24668%3A%20The%20following")
    assert b'"typeKey":"VssServiceException"' in answer.content


def test_errors_may_be_text_with_the_message_in_a_header(wire: Wire) -> None:
    """apis.md 3.4: some are text/plain with x-tfs-serviceerror, URL-encoded."""
    wire.switches.plain_errors = True
    answer = wire.call("GET", "_apis/wit/workitems/9")
    assert answer.headers["Content-Type"].startswith("text/plain") and answer.text.startswith("TF401232")
    assert answer.headers["x-tfs-serviceerror"].startswith("TF401232%3A%20Work%20item%209")


def test_an_item_s_number_begins_at_one(wire: Wire) -> None:
    """recorded-az-cli-vcr 16: workItems/0 is nobody's address; the organisation is left out of the text."""
    answer = wire.call("DELETE", "Portal/_apis/wit/workItems/0")
    assert answer.status_code == 404
    assert answer.text == (
        "The controller for path '/Portal/_apis/wit/workItems/0' was not found or does not implement IController."
    )
    assert answer.headers["x-tfs-serviceerror"].startswith("The%20controller%20for%20path%20%27%2FPortal%2F_apis")
    problem(wire.call("GET", f"_apis/wit/workitems/{2**31}"), 404, "WorkItemUnauthorizedAccessException")
