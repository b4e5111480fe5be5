"""The indexes of the simulated trackers answer exactly what looking at everything answers, and cost as little as a
benchmark of the bot needs."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import sandbox as benchmark
from sandbox.azure_devops import wiql
from sandbox.azure_devops.wiql import Runner
from sandbox.bulk import load
from sandbox.clock import SandboxClock
from sandbox.estate import Estate
from sandbox.jira.datacenter import DataCenter
from sandbox.jira.datacenter_search import ServerSearch
from sandbox.jira.jql import BadQuery
from sandbox.jira.search import Search as JiraSearch
from sandbox.jira.store import Index
from sandbox.servicenow import keyset
from sandbox.servicenow.keyset import Listings
from sandbox.servicenow.search import Search as TableSearch
from sandbox.wire import Request

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SEEDS = st.integers(0, 2**32)
ROUNDS = settings(max_examples=12, deadline=None)
ACTS, QUERIES = 60, 40

Ask = tuple[str, str, Any]


def told(estate: Estate, tracker: str, ask: Ask) -> tuple[int, str, bytes]:
    """Status, total and body of an answer."""
    method, target, body = ask
    sent = b"" if body is None else json.dumps(body).encode()
    headers = {**benchmark.headers(tracker), "host": "localhost", "cookie": "JSESSIONID=1"}
    answer = estate.servers[tracker].tracker.handle(Request.of(method, target, headers, sent))
    return answer.status, answer.headers.get("X-Total-Count", ""), answer.body


def compare(estate: Estate, tracker: str, asks: list[Ask], scanning: Callable[[], Any]) -> int:
    """Every question answered by the indexes and by a scan; how many found something."""
    found = 0
    for ask in asks:
        quick = told(estate, tracker, ask)
        with scanning():
            slow = told(estate, tracker, ask)
        assert quick == slow, ask
        found += quick[0] == 200 and held(quick[2]) > 0
    return found


def held(body: bytes) -> int:
    told = json.loads(body)
    return len(next(told[name] for name in ("result", "issues", "workItems", "values") if name in told))


@contextmanager
def patched(*places: tuple[Any, str, Any]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in places:
            patch.setattr(owner, name, value)
        yield


# -- ServiceNow


def act_in_servicenow(estate: Estate, chance: Random) -> None:
    snow, ids = estate.servicenow, estate.servicenow.ids("incident")
    fields = {
        "short_description": f"{chance.randrange(5)}",
        "correlation_display": chance.choice(("", "lockstep", "other")),
        "assignment_group": chance.choice(("API Support", "Network")),
        "impact": chance.choice("123"),
    }
    match chance.randrange(6) if ids else 0:
        case 0 | 1:
            snow.create(fields, "sam.hill")
        case 2:
            snow.delete(chance.choice(ids), "sam.hill")
        case _:
            name = chance.choice(list(fields))
            snow.update(chance.choice(ids), {name: fields[name]}, "sam.hill")
    estate.clock.advance(timedelta(milliseconds=chance.choice((0, 300, 1500))))


def table_query(estate: Estate, chance: Random) -> str:
    rows = list(estate.servicenow.data.tables["incident"].rows.values()) or [{"sys_id": "x", "sys_updated_on": ""}]
    row, other = chance.choice(rows), chance.choice(rows)
    stamp = row["sys_updated_on"]
    group = estate.servicenow.data.named("sys_user_group", "Network")
    conditions = [
        f"sys_id={row['sys_id']}",
        f"sys_idIN{row['sys_id']},{other['sys_id']},nothing",
        "correlation_display=lockstep",
        "correlation_displayINlockstep,other",
        "correlation_display=lockstep^ORcorrelation_display=other",
        f"correlation_display=lockstep^ORassignment_group={group}",
        "assignment_group.name=API Support",
        "impact>=2",
        "short_descriptionLIKE1",
        f"sys_updated_on={stamp}",
        f"sys_created_on>{stamp}",
        f"sys_updated_onBETWEEN{stamp}@{other['sys_updated_on']}",
        f"sys_updated_on<={stamp}",
        "no_such_field=1",
    ]
    bound = chance.choice(
        [
            "",
            f"sys_updated_on>={stamp}",
            f"sys_updated_on>{stamp}^ORsys_id>{row['sys_id']}^sys_updated_on>={stamp}",
            f"sys_updated_on>{other['sys_updated_on']}^ORsys_id>{row['sys_id']}^sys_updated_on>={stamp}",
        ]
    )
    groups = [
        "^".join([bound, *chance.sample(conditions, chance.randrange(3))]) for _ in range(chance.choice((1, 1, 2)))
    ]
    order = chance.choice(["ORDERBYsys_updated_on^ORDERBYsys_id", "ORDERBYnumber", "ORDERBYDESCsys_updated_on", ""])
    return "^".join(["^NQ".join(groups), order]).strip("^")


def ask_servicenow(estate: Estate, chance: Random) -> Ask:
    asked = {"sysparm_query": table_query(estate, chance), "sysparm_fields": "sys_id,sys_updated_on,impact"}
    page = {"sysparm_limit": chance.choice((3, 1000)), "sysparm_offset": chance.choice((0, 0, 3))}
    return "GET", f"/api/now/table/incident?{urlencode({**asked, **page})}", None


#: asked after every write: what is remembered of a listing must not outlive it
AGAIN: list[Ask] = [
    ("GET", f"/api/now/table/incident?{urlencode({'sysparm_query': query, 'sysparm_fields': 'sys_id,impact'})}", None)
    for query in (
        "assignment_group.name=Network^ORDERBYsys_updated_on^ORDERBYsys_id",
        "sys_updated_on>=2026-01-05 08:00:03^impact=1^ORDERBYsys_updated_on^ORDERBYsys_id",
    )
]


def scanning_servicenow() -> Any:
    return patched((TableSearch, "narrowed", lambda *_: None), (Listings, "few", lambda *_: True))


@ROUNDS
@given(SEEDS)
def test_encoded_queries_by_index_find_what_a_scan_finds(seed: int) -> None:
    estate, chance = Estate(START), Random(seed)
    found = 0
    with patched((keyset, "FEW", 1), (keyset, "SHARE", 1_000_000)):
        for late in (0, 2, 0):  # seconds after which a write is seen by others
            estate.servicenow.commit_delay = timedelta(seconds=late)
            for _ in range(ACTS // 3):
                act_in_servicenow(estate, chance)
                found += compare(estate, "servicenow", AGAIN, scanning_servicenow)
            asks = [ask_servicenow(estate, chance) for _ in range(QUERIES // 3)]
            found += compare(estate, "servicenow", asks, scanning_servicenow)
            estate.clock.advance(timedelta(seconds=late))
    assert found > 0
    estate.stop()


# -- Jira


def act_in_jira(estate: Estate, chance: Random) -> None:
    jira, ids = estate.jira, estate.jira.ids()
    jira.store.lag = lambda: timedelta(milliseconds=chance.choice((0, 0, 500, 3000)))
    projects = list(jira.site.projects)
    labels = chance.sample(["api", "Lockstep", "dev"], chance.randrange(4))
    match chance.randrange(7) if ids else 0:
        case 0 | 1:
            jira.create({"summary": "made", "labels": labels, "project": chance.choice(projects)}, "Ana Ruiz")
        case 2:
            jira.delete(chance.choice(ids), "Ana Ruiz")
        case 3:
            jira.relocate(chance.choice(ids), "Ana Ruiz", chance.choice(projects))
        case _:
            jira.update(chance.choice(ids), {"labels": labels}, "Ana Ruiz")
    estate.clock.advance(timedelta(milliseconds=chance.choice((0, 300, 1500))))


def ask_jira(estate: Estate, chance: Random) -> Ask:
    issues = list(estate.jira.store.issues.values())
    one, other = (chance.choice(issues) for _ in range(2))
    stamp, project = one.updated + chance.choice((-1, 0, 1)), chance.choice(list(estate.jira.site.projects))
    clauses = [
        f"project = {project}",
        f"project in ({', '.join(estate.jira.site.projects)})",
        "labels = lockstep",
        "labels in (API, dev)",
        "labels != api",
        "labels is EMPTY",
        f"id in ({one.id}, {other.id})",
        f"key = {other.key}",
        f"updated >= {stamp}",
        f"updated > {stamp}",
        f"updated < {stamp}",
        f"created >= {other.created}",
        "summary ~ made",
    ]
    first, second, third = (chance.choice(clauses) for _ in range(3))
    shape = chance.choice(["{}", "{} AND {}", "{} OR {}", "({} OR {}) AND {}", "({} AND {}) OR {}", "NOT {} AND {}"])
    order = chance.choice(
        ["ORDER BY updated ASC, key ASC", "ORDER BY created ASC, key ASC", "ORDER BY updated DESC", ""]
    )
    jql = f"{shape.format(first, second, third)} {order}"
    fresh = [one.id, other.id] if chance.random() < 0.2 else []
    asked = {
        "jql": jql,
        "fields": ["labels", "updated"],
        "maxResults": chance.choice((3, 100)),
        "reconcileIssues": fresh,
    }
    return "POST", "/rest/api/2/search/jql", asked


def every_issue(index: Index, stamp: int, id: int = 0) -> Any:
    ordered = sorted(index.issues.values(), key=lambda issue: (issue.updated, issue.id))
    return (issue for issue in ordered if (issue.updated, issue.id) >= (stamp, id))


def scanning_jira() -> Any:
    return patched(
        (JiraSearch, "few", lambda *_: None), (JiraSearch, "lower_bound", lambda *_: 0), (Index, "since", every_issue)
    )


@ROUNDS
@given(SEEDS)
def test_jql_by_index_finds_what_a_scan_finds(seed: int) -> None:
    estate, chance, found = Estate(START), Random(seed), 0
    for _ in range(3):
        for _ in range(ACTS // 3):
            act_in_jira(estate, chance)
        estate.jira.create({"summary": "made"}, "Ana Ruiz")
        found += compare(estate, "jira", [ask_jira(estate, chance) for _ in range(QUERIES // 3)], scanning_jira)
        estate.clock.advance(timedelta(seconds=4))
    assert found > 0
    estate.stop()


def found_in_data_center(jira: DataCenter, jql: str) -> list[int] | str:
    search = ServerSearch(jira.site, jira.nodes, jira.site.user("Lockstep"), jira.clock.now(), jira.ways)
    try:
        return [issue.id for issue in search.all(jql)]
    except BadQuery as error:
        return str(error)


@ROUNDS
@given(SEEDS)
def test_jql_by_index_finds_what_a_scan_finds_in_data_center(seed: int) -> None:
    clock, chance, found = SandboxClock(START), Random(seed), 0
    jira = DataCenter("jira", clock)
    estate = Estate(clock=clock, jira=jira)
    for _ in range(ACTS):
        act_in_jira(estate, chance)
    jira.create({"summary": "made"}, "Ana Ruiz")
    for _ in range(QUERIES):
        jql = ask_jira(estate, chance)[2]["jql"]
        quick = found_in_data_center(jira, jql)
        with scanning_jira():
            assert found_in_data_center(jira, jql) == quick, jql
        found += isinstance(quick, list) and len(quick) > 0
    assert found > 0
    estate.stop()


# -- Azure DevOps


def act_in_azure(estate: Estate, chance: Random) -> None:
    azure, ids = estate.azure, estate.azure.ids()
    tags = "; ".join(chance.sample(["api", "Lockstep", "dev"], chance.randrange(4)))
    match chance.randrange(7) if ids else 0:
        case 0 | 1:
            azure.create({"System.Title": f"{chance.randrange(3)}", "System.Tags": tags}, "Chen Wei")
        case 2:
            azure.delete(chance.choice(ids), "Chen Wei")
        case 3:
            azure.comment(chance.choice(ids), "word", "Chen Wei")
        case _:
            azure.update(chance.choice(ids), {"System.Tags": tags}, "Chen Wei")
    estate.clock.advance(timedelta(milliseconds=chance.choice((0, 300, 1500))))


def ask_azure(estate: Estate, chance: Random) -> Ask:
    items = list(estate.azure.org.store.items.values())
    one, other = (chance.choice(items) for _ in range(2))
    stamp = f"{chance.choice((one.changed, other.created)):%Y-%m-%dT%H:%M:%S.%fZ}"
    clauses = [
        f"[System.Id] = {one.id}",
        f"[System.Id] IN ({one.id}, {other.id}, 99999)",
        f"[System.Id] > {one.id}",
        f"[System.Id] >= {other.id}",
        f"[System.Id] < {one.id}",
        "[System.Tags] CONTAINS 'lockSTEP'",
        "[System.Tags] NOT CONTAINS 'api'",
        "[System.Title] = '1'",
        "[System.AssignedTo] = ''",
        f"[System.ChangedDate] >= '{stamp}'",
        f"[System.ChangedDate] > '{stamp}'",
        f"[System.ChangedDate] < '{stamp}'",
        f"[System.CreatedDate] >= '{stamp}'",
        "[System.CommentCount] > 0",
    ]
    first, second, third = (chance.choice(clauses) for _ in range(3))
    shape = chance.choice(["{}", "{} AND {}", "{} OR {}", "({} OR {}) AND {}", "({} AND {}) OR {}"])
    order = chance.choice(["ORDER BY [System.Id]", "ORDER BY [System.ChangedDate], [System.Id]", ""])
    query = f"SELECT [System.Id] FROM WorkItems WHERE {shape.format(first, second, third)} {order}"
    top = f"&$top={chance.choice((1, 3))}" if chance.random() < 0.3 else ""
    return "POST", f"/example/_apis/wit/wiql?timePrecision=true&api-version=7.1{top}", {"query": query}


def scanning_azure() -> Any:
    return patched((Runner, "narrowed", lambda *_: None), (wiql, "by_id", lambda order: False))


@ROUNDS
@given(SEEDS)
def test_wiql_by_index_finds_what_a_scan_finds(seed: int) -> None:
    estate, chance, found = Estate(START), Random(seed), 0
    for _ in range(3):
        for _ in range(ACTS // 3):
            act_in_azure(estate, chance)
        estate.azure.create({"System.Title": "1", "System.Tags": "lockstep"}, "Chen Wei")
        found += compare(estate, "azure", [ask_azure(estate, chance) for _ in range(QUERIES // 3)], scanning_azure)
    assert found > 0
    estate.stop()


@ROUNDS
@given(SEEDS)
def test_a_field_read_alone_is_what_the_whole_item_shows(seed: int) -> None:
    estate, chance = Estate(START), Random(seed)
    for _ in range(ACTS // 3):
        act_in_azure(estate, chance)
    render, org = estate.azure.renderer(), estate.azure.org
    runner = Runner(org.store, render.values, lambda item: True, lambda name: {name})
    for item in org.store.items.values():
        whole = render.values(item)
        assert {name: runner.value(item, field) for name, field in org.rules.fields.items()} == {
            name: whole.get(name) for name in org.rules.fields
        }
    estate.stop()


@ROUNDS
@given(SEEDS)
def test_the_feed_since_an_instant_shows_every_later_revision_and_no_other(seed: int) -> None:
    estate, chance = Estate(START), Random(seed)
    for _ in range(ACTS // 2):
        act_in_azure(estate, chance)
    store = estate.azure.org.store
    made = [(item.id, update.rev, update.at) for item in store.items.values() for update in item.updates]
    for since in {at for _, _, at in made}:
        query = urlencode({"startDateTime": since.isoformat(), "includeDeleted": "true", "api-version": "7.1"})
        _, _, body = told(estate, "azure", ("GET", f"/example/_apis/wit/reporting/workItemRevisions?{query}", None))
        shown = {(one["id"], one["rev"]) for one in json.loads(body)["values"]}
        assert shown == {(id, rev) for id, rev, at in made if at > since}
    estate.stop()


# -- what it costs


@pytest.mark.parametrize("tracker", benchmark.TRACKERS)
def test_the_benchmarks_questions_find_what_they_should_at_any_size(tracker: str) -> None:
    for items in (300, 3_000):
        seconds, found = benchmark.costs(tracker, items)
        assert seconds > 0
        assert {"change query", "IN list", "marker query"} <= set(found)


@pytest.mark.parametrize("tracker", benchmark.TRACKERS)
def test_a_change_query_an_id_list_and_a_marker_query_look_at_what_they_answer_and_not_at_everything(
    tracker: str,
) -> None:
    """Counted in calls, not in seconds: twenty times the items must not make twice the work."""
    few, many = ({one.name: calls(estate, tracker, one) for one in asked} for estate, asked in two_sizes(tracker))
    assert {name: count for name, count in many.items() if count > 2 * few[name]} == {}


def two_sizes(tracker: str) -> Iterator[tuple[Estate, list[benchmark.Question]]]:
    for items in (300, 6_000):
        estate, _, asked = benchmark.loaded(tracker, items)
        for question in asked:  # what is remembered from the first time on is not counted
            estate.servers[tracker].tracker.handle(question.request(tracker))
        yield estate, asked
        estate.stop()


def calls(estate: Estate, tracker: str, question: benchmark.Question) -> int:
    """How many calls of Python functions an answer takes."""
    count = 0

    def counting(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    request = question.request(tracker)
    sys.setprofile(counting)
    try:
        estate.servers[tracker].tracker.handle(request)
    finally:
        sys.setprofile(None)
    return count


def test_loading_leaves_the_collector_as_it_was() -> None:
    estate = Estate(START)
    load(estate.jira, [{"summary": "one"}], "Ana Ruiz")
    assert gc.isenabled()
    with pytest.raises(KeyError):
        load(estate.jira, [{"summary": "one"}], "Nobody")
    assert gc.isenabled()
    estate.stop()
