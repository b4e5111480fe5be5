"""What the simulated trackers cost, so that a benchmark of the bot measures the bot.

``python -m benchmarks.sandbox [--items N]`` prints three tables: small requests a second over HTTP beside a bare
``http.server`` that answers canned bytes, seconds to load the items, and what a query costs at 1,000 items and at N.
Read ratios; the other figures are the machine's.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import multiprocessing
import resource
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlencode

from sandbox.bulk import load
from sandbox.estate import AZURE_PAT, JIRA_TOKEN, SERVICENOW_PASSWORD, Estate
from sandbox.wire import Answer, Request

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SMALL, LARGE, SEVERAL = 1_000, 100_000, 100
MARK = "lockstep-bench"
PEOPLE = {"servicenow": "sam.hill", "jira": "Ana Ruiz", "azure": "Chen Wei"}
TRACKERS = tuple(PEOPLE)


def row(tracker: str, n: int) -> dict[str, Any]:
    """The ``n``-th item; the last hundred of any number are marked by ``marked``."""
    title = f"500 responses on API, node {n}"
    match tracker:
        case "servicenow":
            return {"short_description": title, "impact": "2", "urgency": "2", "assignment_group": f"Team {n % 50}"}
        case "jira":
            return {"summary": title, "labels": ["api", f"node-{n % 50}"]}
    return {"System.Title": title, "System.Tags": f"api; node-{n % 50}"}


def marked(tracker: str, n: int) -> dict[str, Any]:
    """The ``n``-th item with the mark of an integration."""
    match tracker:
        case "servicenow":
            return {**row(tracker, n), "correlation_display": MARK, "correlation_id": f"made:{n}"}
        case "jira":
            return {**row(tracker, n), "labels": ["api", MARK]}
    return {**row(tracker, n), "System.Tags": f"api; {MARK}"}


def retitled(tracker: str) -> dict[str, Any]:
    return {{"servicenow": "short_description", "jira": "summary", "azure": "System.Title"}[tracker]: "again"}


# -- requests


def headers(tracker: str) -> dict[str, str]:
    """What the integration's account sends."""
    signs = {
        "servicenow": f"lockstep:{SERVICENOW_PASSWORD}",
        "jira": f"lockstep@example.org:{JIRA_TOKEN}",
        "azure": f":{AZURE_PAT}",
    }
    sign = base64.b64encode(signs[tracker].encode()).decode()
    return {"authorization": f"Basic {sign}", "accept": "application/json", "content-type": "application/json"}


def small(tracker: str, id: str) -> str:
    """The address of one item, a few fields of it."""
    return {
        "servicenow": f"/api/now/table/incident/{id}?sysparm_fields=sys_id,number,state,sys_updated_on",
        "jira": f"/rest/api/2/issue/{id}?fields=summary,status,updated",
        "azure": f"/example/_apis/wit/workitems/{id}?fields=System.Title,System.State&api-version=7.1",
    }[tracker]


@dataclass(frozen=True)
class Question:
    """A request by name, and how many items its answer must hold."""

    name: str
    method: str
    target: str
    body: Any = None
    holds: int = SEVERAL

    def request(self, tracker: str) -> Request:
        body = b"" if self.body is None else json.dumps(self.body).encode()
        return Request.of(self.method, self.target, {**headers(tracker), "host": "localhost"}, body)


def table(query: str, limit: int = 1000) -> str:
    fields = "sys_id,number,state,short_description,sys_updated_on,sys_mod_count"
    asked = {"sysparm_query": query, "sysparm_limit": limit, "sysparm_fields": fields}
    return f"/api/now/table/incident?{urlencode(asked)}"


def of_servicenow(estate: Estate, since: datetime, ids: list[str]) -> Iterator[Question]:
    group = estate.servicenow.data.named("sys_user_group", "Team 1")
    stamp, order = f"{since:%Y-%m-%d %H:%M:%S}", "ORDERBYsys_updated_on^ORDERBYsys_id"
    after = f"sys_updated_on>={stamp}"
    scoped = f"{after}^assignment_group={group}^NQ{after}^correlation_display={MARK}^{order}"
    yield Question("change query", "GET", table(scoped))
    yield Question("IN list", "GET", table(f"sys_idIN{','.join(ids)}"))
    yield Question("marker query", "GET", table(f"correlation_display={MARK}^ORDERBYsys_created_on^ORDERBYsys_id"))
    yield Question("first page of all", "GET", table(order, SEVERAL))


def of_jira(estate: Estate, since: datetime, ids: list[str]) -> Iterator[Question]:
    def search(jql: str, size: int = SEVERAL) -> dict[str, Any]:
        return {"jql": jql, "fields": ["summary", "status", "updated"], "maxResults": size}

    project, place, order = next(iter(estate.jira.site.projects)), "/rest/api/2/search/jql", "ORDER BY updated ASC"
    after = int(since.timestamp() * 1000)
    scoped = f'((project = "{project}") OR labels = "{MARK}") AND updated >= {after} {order}, key ASC'
    yield Question("change query", "POST", place, search(scoped))
    yield Question("IN list", "POST", place, search(f"id in ({','.join(ids)})"))
    yield Question("marker query", "POST", place, search(f'labels = "{MARK}" ORDER BY created ASC, key ASC'))
    yield Question("first page of all", "POST", place, search(f'project = "{project}" {order}, key ASC'))


def of_azure(estate: Estate, since: datetime, ids: list[str]) -> Iterator[Question]:
    stamp, tracking = f"{since:%Y-%m-%dT%H:%M:%SZ}", "/example/_apis/wit"
    wiql = f"{tracking}/wiql?timePrecision=true&api-version=7.1"
    select, feed = "SELECT [System.Id] FROM WorkItems WHERE", f"{tracking}/reporting/workitemrevisions?api-version=7.1"
    changed = f"{select} [System.ChangedDate] >= '{stamp}' ORDER BY [System.ChangedDate], [System.Id]"
    batch = {"ids": [int(id) for id in ids], "fields": ["System.Title", "System.State", "System.ChangedDate"]}
    keyset = f"{select} [System.Id] > 0 ORDER BY [System.Id]"
    yield Question("change query", "POST", wiql, {"query": changed})
    yield Question("change feed", "GET", f"{feed}&includeLatestOnly=true&startDateTime={stamp}")
    yield Question("IN list", "POST", f"{tracking}/workitemsbatch?api-version=7.1", batch)
    yield Question("marker query", "POST", wiql, {"query": f"{select} [System.Tags] CONTAINS '{MARK}'"})
    yield Question("first page of all", "POST", f"{wiql}&$top={SEVERAL}", {"query": keyset})


QUESTIONS: Mapping[str, Callable[[Estate, datetime, list[str]], Iterator[Question]]] = {
    "servicenow": of_servicenow,
    "jira": of_jira,
    "azure": of_azure,
}


def held(answer: Answer) -> int:
    """How many items an answer holds; fails where it is none."""
    body = json.loads(answer.body)
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {body}")
    found = next(body[name] for name in ("result", "issues", "workItems", "value", "values") if name in body)
    return len(found)


# -- measuring


def milliseconds(call: Callable[[], object], rounds: int = 15) -> float:
    """The median of several calls."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def loaded(tracker: str, items: int) -> tuple[Estate, float, list[Question]]:
    """An estate with that many items in one tracker, a hundred of them marked and changed an hour later; the seconds
    that the loading took, and what to ask."""
    estate = Estate(START)
    where: Any = getattr(estate, tracker)
    rows = [row(tracker, n) if n < items - SEVERAL else marked(tracker, n) for n in range(items)]
    start = time.perf_counter()
    ids = load(where, rows, PEOPLE[tracker])[-SEVERAL:]
    seconds = time.perf_counter() - start
    estate.clock.advance(timedelta(hours=1))
    since = estate.clock.now()
    estate.clock.advance(timedelta(seconds=5))
    for id in ids:
        where.update(id, retitled(tracker), PEOPLE[tracker])
    return estate, seconds, list(QUESTIONS[tracker](estate, since, ids))


def costs(tracker: str, items: int) -> tuple[float, dict[str, float]]:
    """Seconds to load, and milliseconds a question."""
    estate, seconds, questions = loaded(tracker, items)
    server = estate.servers[tracker]
    found = {}
    for question in questions:
        request = question.request(tracker)
        if (holds := held(server.tracker.handle(request))) != question.holds:
            raise RuntimeError(f"{tracker}, {question.name}: {holds} items, not {question.holds}")
        found[question.name] = milliseconds(lambda asked=request: server.answer(asked))  # type: ignore[misc]
    estate.stop()
    return seconds, found


# -- over HTTP


class Canned(BaseHTTPRequestHandler):
    """The standard library's handler with nothing behind it: what HTTP itself costs."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    body = b'{"id":"1","fields":{"title":"500 responses on API","state":"New","updated":"2026-01-05T08:00:00Z"}}'

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


def serve(pipe: Connection) -> None:
    """Runs in a process of its own: tells where everything is, and ends when it is told anything."""
    bare = ThreadingHTTPServer(("127.0.0.1", 0), Canned)
    estate = Estate(START)
    places = {}
    for tracker in TRACKERS:
        made = load(getattr(estate, tracker), [row(tracker, 1)], PEOPLE[tracker])
        places[tracker] = (estate.servers[tracker].port, small(tracker, made[0]))
    threading.Thread(target=bare.serve_forever, daemon=True).start()
    pipe.send({"bare": (bare.server_address[1], "/"), **places})
    pipe.recv()


@contextmanager
def served() -> Iterator[dict[str, tuple[int, str]]]:
    """Port and address of a small request to each."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    yield ours.recv()
    ours.send("end")
    process.join(5)


def rates(places: Mapping[str, tuple[int, str]], rounds: int = 7) -> dict[str, float]:
    """Requests a second to each place: the median of several rounds, in turn, so that a busy moment hits all alike."""
    found: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(rounds):
        for name, place in places.items():
            found[name].append(rate(name, *place))
    return {name: statistics.median(several) for name, several in found.items()}


def rate(tracker: str, port: int, target: str, seconds: float = 0.3) -> float:
    """Requests a second on one kept connection."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = headers(tracker) if tracker in PEOPLE else {}
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        client.request("GET", target, headers=sent)
        response = client.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{tracker}: {response.status}")
        count += 1
    client.close()
    return count / spent


def main() -> None:
    parser = argparse.ArgumentParser(description="What the simulated trackers cost.")
    parser.add_argument("--items", type=int, default=LARGE, help="items of a large tracker")
    items = parser.parse_args().items
    with served() as places:
        told = rates(places)
    print(f"{'small GET':<12}{'per second':>12}{'to bare':>9}")
    for name, found in told.items():
        print(f"{name:<12}{found:>12,.0f}{found / told['bare']:>9.2f}")
    print(f"\n{'tracker':<12}{'question':<20}{SMALL:>10,}{items:>11,}{'ratio':>8}   (ms)")
    loads = {}
    for tracker in TRACKERS:
        _, few = costs(tracker, SMALL)
        loads[tracker], many = costs(tracker, items)
        for name, cost in many.items():
            print(f"{tracker:<12}{name:<20}{few[name]:>10.2f}{cost:>11.2f}{cost / few[name]:>8.1f}")
    print(f"\n{'load':<12}{'seconds':>12}{'µs an item':>12}")
    for tracker, seconds in loads.items():
        print(f"{tracker:<12}{seconds:>12.1f}{seconds / items * 1e6:>12.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory {peak:,.0f} MB, one tracker of {items:,} items at a time")


if __name__ == "__main__":
    main()
