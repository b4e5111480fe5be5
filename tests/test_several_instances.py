"""Two ServiceNows, two Jiras and two Azure DevOps organisations in one file: ids, credentials, rests and lock-outs of
one are never the other's, although every id and every number is the same in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base import Busy, LockedOut
from sandbox.azure_devops import AzureDevOps
from sandbox.clock import SandboxClock
from sandbox.entra import Entra
from sandbox.estate import Estate
from sandbox.faults import Fault
from sandbox.jira import Jira
from sandbox.jira.defaults import ANA, BEN, BOT, projects
from sandbox.server import Server
from sandbox.servicenow import ServiceNow
from sandbox.servicenow.oauth import Client
from sandbox.story import MORNING
from sandbox.wire import Answer, Request
from sync.compose import compose, mismatches
from sync.config import load
from sync.reconcile import Pass, one_pass
from tests.traps import recorded

SAM = "sam.hill"
HEAD = """
[bot]
instance = "twins"
state = "sqlite:///STATE"
secret = { env = "LOCKSTEP_SECRET" }
workers = 4
"""
#: one instance's part of the file; N is its number
PART = """
[trackers.snow_N]
kind = "servicenow"
url = "SERVICENOW"
auth = SNOW_AUTH
[trackers.jira_N]
kind = "jira"
url = "JIRA"
auth = { user = "lockstep@example.org", token = { env = "JIRA_TOKEN_N" } }
[trackers.azure_N]
kind = "azure_devops"
url = "AZURE"
auth = AZURE_AUTH

[sides.incident_N]
tracker = "snow_N"
table = "incident"
scope = { assignment_group = ["API Support"] }
[sides.defect_N]
tracker = "jira_N"
project = "CSPM"
type = "Bug"
[sides.pbi_N]
tracker = "azure_N"
project = "Portal"
type = "Product Backlog Item"

[[routes]]
id = "defect-N"
from = "incident_N"
open = "defect_N"
[[routes]]
id = "pbi-N"
from = "defect_N"
open = "pbi_N"
[[comments]]
from = "incident_N.comments"
to = ["defect_N.everyone", "pbi_N.discussion"]
"""
TAIL = """
[[stages]]
name = "New"
incident_1 = ["New"]
incident_2 = ["New"]
defect_1 = ["To Do"]
defect_2 = ["To Do"]
pbi_1 = ["New"]
pbi_2 = ["New"]
[[stages]]
name = "Work"
incident_1 = ["In Progress"]
incident_2 = ["In Progress"]
defect_1 = ["In Progress"]
defect_2 = ["In Progress"]
pbi_1 = ["Approved"]
pbi_2 = ["Approved"]
[fields.summary]
incident_1 = "short_description"
incident_2 = "short_description"
defect_1 = "summary"
defect_2 = "summary"
pbi_1 = "System.Title"
pbi_2 = "System.Title"
"""
FIRST = {
    "SNOW_AUTH": '{ user = "lockstep", password = { env = "SERVICENOW_PASSWORD" } }',
    "AZURE_AUTH": '{ pat = { env = "AZURE_PAT" } }',
}
SECOND = {
    "SNOW_AUTH": '{ client_id = "app", client_secret = { env = "SNOW_SECRET" } }',
    "AZURE_AUTH": (
        '{ tenant = "TENANT", client_id = "lockstep-client", client_secret = { env = "ENTRA" }, authority = "LOGIN" }'
    ),
}


def second(clock: SandboxClock, entra: Entra) -> Estate:
    """The same again, with other credentials of the other family."""
    snow = ServiceNow("servicenow", clock, users={"lockstep": "unused", SAM: "x"})
    snow.data.named("sys_user_group", "API Support")
    snow.gate.oauth.clients["app"] = Client("snow-secret", "lockstep")
    users = (replace(BOT, token="other-token"), ANA, BEN)
    jira = Jira("jira", clock, users=users, projects=projects(users))
    azure = AzureDevOps("azure", clock, pats={"unused": "Lockstep", "chen": "Chen Wei"}, bearer=entra.accepts)
    return Estate(clock=clock, servicenow=snow, jira=jira, azure=azure)


class Twins:
    """Both estates on one clock, and an engine whose file names all six trackers. ``asked`` are the requests that
    reached each."""

    def __init__(self, folder: Path) -> None:
        self.clock = SandboxClock(MORNING)
        self.entra = Entra("entra", self.clock)
        first = Estate(clock=self.clock)
        self.estates = {1: first, 2: second(self.clock, self.entra)}
        self.login = Server(self.entra, self.clock, first.faults, first.log).start()
        names = ("servicenow", "jira", "azure")
        self.asked = {(n, name): recorded(getattr(e, name)) for n, e in self.estates.items() for name in names}
        for estate in self.estates.values():
            # without a row its journal counts as unreadable
            estate.servicenow.comment(estate.servicenow.create({}, SAM, table="problem"), "long said", SAM)
        (folder / "lockstep.toml").write_text(self.file(folder))
        environ = {**first.environment(), "JIRA_TOKEN_1": BOT.token, "JIRA_TOKEN_2": "other-token"}
        environ |= {"SNOW_SECRET": "snow-secret", "ENTRA": "entra-secret"}
        self.engine = compose(load(folder / "lockstep.toml", environ), self.clock)
        self.engine.open()
        assert mismatches(self.engine) == [] == self.engine.problems
        self.once()

    def file(self, folder: Path) -> str:
        parts = [self.part(1, FIRST), self.part(2, SECOND)]
        return HEAD.replace("STATE", str(folder / "lockstep.db")) + "".join(parts) + TAIL

    def part(self, number: int, auth: dict[str, str]) -> str:
        urls = self.estates[number].urls
        places = {"SERVICENOW": urls["servicenow"], "JIRA": urls["jira"], "AZURE": urls["azure"]}
        text = PART
        for word, value in {**auth, "TENANT": self.entra.tenant, "LOGIN": self.login.url}.items():
            text = text.replace(word, value)
        for word, value in places.items():
            text = text.replace(f'"{word}"', f'"{value}"')
        return text.replace("_N", f"_{number}").replace("-N", f"-{number}")

    def once(self) -> Pass:
        return one_pass(self.engine)

    def settle(self) -> None:
        for _ in range(8):
            self.clock.advance(timedelta(minutes=1))
            if self.once().quiet:
                return
        raise AssertionError("not quiet")

    def incident(self, number: int, title: str) -> str:
        given = {"short_description": title, "assignment_group": "API Support"}
        return self.estates[number].servicenow.create(given, SAM)

    def close(self) -> None:
        self.engine.close()
        for estate in self.estates.values():
            estate.stop()
        self.login.stop()


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    made = Twins(tmp_path)
    yield made
    made.close()


def linked(twins: Twins) -> dict[int, str]:
    """An incident in each ServiceNow, carried to the Jira and the organisation beside it."""
    incidents = {number: twins.incident(number, f"title of {number}") for number in (1, 2)}
    twins.settle()
    return incidents


def signs(asked: list[Request]) -> set[str]:
    return {request.headers["authorization"] for request in asked if "authorization" in request.headers}


def test_each_chain_keeps_to_its_own_trackers(twins: Twins) -> None:
    incidents = linked(twins)
    for number, estate in twins.estates.items():
        estate.servicenow.comment(incidents[number], f"words in {number}", SAM)
    twins.settle()
    items = [(estate.jira.ids(), estate.azure.ids()) for estate in twins.estates.values()]
    assert items[0] == items[1] and len(items[0][0]) == len(items[0][1]) == 1, "the same ids in both"
    for number, estate in twins.estates.items():
        (defect,), (pbi,) = estate.jira.ids(), estate.azure.ids()
        assert estate.jira.item(defect)["summary"] == f"title of {number}" == estate.azure.item(pbi)["System.Title"]
        for comments in (estate.jira.comments(defect), estate.azure.comments(pbi)):
            assert [f"words in {number}" in comment["text"] for comment in comments] == [True]


def test_credentials_and_cookies_never_cross(twins: Twins) -> None:
    linked(twins)
    for name in ("servicenow", "jira", "azure"):
        one, other = signs(twins.asked[1, name]), signs(twins.asked[2, name])
        assert one and other and not one & other
    everything = [request for asked in twins.asked.values() for request in asked]
    assert not any("cookie" in request.headers for request in everything)
    sessions = [{r.headers["x-tfs-session"] for r in twins.asked[n, "azure"] if r.method != "OPTIONS"} for n in (1, 2)]
    assert not sessions[0] & sessions[1]


@pytest.mark.parametrize("name", ["servicenow", "jira", "azure"])
def test_the_rest_of_one_is_nobody_else_s(twins: Twins, name: str) -> None:
    incidents = linked(twins)
    tracker = {"servicenow": "snow_2", "jira": "jira_2", "azure": "azure_2"}[name]
    rest = Answer(429, b"{}", {"Retry-After": "600", "Content-Type": "application/json"})
    fault = twins.estates[2].faults.add(Fault("answer", tracker=name, answer=rest, times=1))
    for number, estate in twins.estates.items():
        estate.servicenow.update(incidents[number], {"short_description": f"new title of {number}"}, SAM)
    for _ in range(4):
        twins.clock.advance(timedelta(minutes=1))
        done = twins.once()
        assert isinstance(done.failures.pop(tracker, None), Busy) and done.failures == {}
    assert fault.seen == 1, "nothing is sent while it rests"
    first = twins.estates[1]
    assert first.jira.item(first.jira.ids()[0])["summary"] == "new title of 1"
    assert first.azure.item(first.azure.ids()[0])["System.Title"] == "new title of 1"
    twins.clock.advance(timedelta(minutes=10))
    twins.settle()
    other = twins.estates[2]
    assert other.jira.item(other.jira.ids()[0])["summary"] == "new title of 2"
    assert other.azure.item(other.azure.ids()[0])["System.Title"] == "new title of 2"


def test_a_lock_out_of_one_is_nobody_else_s(twins: Twins) -> None:
    incidents = linked(twins)
    twins.estates[2].servicenow.gate.oauth.clients.clear()
    twins.estates[2].servicenow.gate.oauth.forget()
    twins.estates[1].servicenow.update(incidents[1], {"short_description": "goes on"}, SAM)
    twins.clock.advance(timedelta(minutes=1))
    done = twins.once()
    assert {name: type(failure) for name, failure in done.failures.items()} == {"snow_2": LockedOut}
    assert set(twins.engine.locked) == {"snow_2"}
    first = twins.estates[1]
    assert first.jira.item(first.jira.ids()[0])["summary"] == "goes on"
    second = twins.estates[2]
    second.jira.comment(second.jira.ids()[0], "still heard", "Ana Ruiz")
    before = len(twins.asked[2, "servicenow"])
    twins.clock.advance(timedelta(minutes=1))
    twins.once()
    assert len(twins.asked[2, "servicenow"]) == before, "it is left alone"
