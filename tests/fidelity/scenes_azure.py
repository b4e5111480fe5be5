"""Azure DevOps in the states that the recorded calls of its command line and the specification's examples found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sandbox.azure_devops import AzureDevOps
from sandbox.azure_devops.model import Person
from sandbox.clock import SandboxClock
from sandbox.wire import Request
from tests.fidelity.exchanges import Exchange, azure_cli
from tests.fidelity.scenes import Scene, Scenes, basic

SCENES = Scenes()
SIGNED_IN = basic("", "pat")
#: the projects that the recorded calls found; the one of calls 12 to 16 was removed before call 15
PROJECTS = ("WIRel000001", "Area1000001", "IterationProj_000001", "PullRequestLiveTest")
DELETED = "WorkItemCreateShowUpdateDeleteTests"
CHILD = "System.LinkTypes.Hierarchy-Forward"


def organisation(*projects: str, process: str = "Basic", name: str = "exampleorg") -> AzureDevOps:
    clock = SandboxClock(datetime(2025, 1, 10, 12, 0, tzinfo=UTC))
    return AzureDevOps(
        "azure",
        clock,
        organisation=name,
        projects=projects or PROJECTS,
        process=process,
        pats={"pat": "Example Person 5"},
    )


def task(tracker: AzureDevOps, title: str, type: str = "Task") -> str:
    return tracker.create({"System.Title": title, "System.WorkItemType": type}, by="Example Person 5")


def family(*children: int) -> tuple[AzureDevOps, dict[str, str]]:
    """A task and four more, of which some are its children."""
    tracker = organisation()
    ids = [task(tracker, f"Task_{n}") for n in range(5)]
    for number in children:
        url = f"https://dev.azure.com/exampleorg/_apis/wit/workItems/{ids[number]}"
        tracker.link(ids[0], CHILD, url, by="Example Person 5")
    return tracker, dict(zip(("973", "974", "975", "976", "977"), ids, strict=True))


@SCENES.of("recorded", "az-cli 00", "az-cli 01", "az-cli 15", "az-cli 16", "az-cli 17", "az-cli 23")
def as_it_is(exchange: Exchange) -> Scene:
    return Scene(organisation(), headers=SIGNED_IN)


@SCENES.of("az-cli 02", "az-cli 03", "az-cli 04")
def without_children(exchange: Exchange) -> Scene:
    tracker, ids = family()
    return Scene(tracker, ids, headers=SIGNED_IN)


@SCENES.of("az-cli 05", "az-cli 08", "az-cli 09", "az-cli 10")
def with_children(exchange: Exchange) -> Scene:
    tracker, ids = family(1, 2, 3)
    return Scene(tracker, ids, headers=SIGNED_IN)


@SCENES.of("az-cli 06", "az-cli 07")
def with_one_child(exchange: Exchange) -> Scene:
    tracker, ids = family(1) if exchange.name.startswith("az-cli 06") else family(1, 4)
    return Scene(tracker, ids, headers=SIGNED_IN)


@SCENES.of("az-cli 12", "az-cli 13", "az-cli 14")
def with_an_issue_and_a_task(exchange: Exchange) -> Scene:
    tracker = organisation(DELETED)
    ids = {"40": task(tracker, "Test", "Issue"), "41": task(tracker, "Test2")}
    tracker.update(ids["40"], {"System.Description": "one"}, by="Example Person 5")
    for n in range(4):
        tracker.update(ids["41"], {"System.Description": str(n)}, by="Example Person 5")
    return Scene(tracker, ids, headers=SIGNED_IN)


def sent(tracker: AzureDevOps, method: str, path: str, body: object, query: str = "") -> dict[str, Any]:
    """What the service answers to a call before the one that is replayed."""
    headers = {"authorization": SIGNED_IN["Authorization"], "content-type": "application/json"}
    target = f"/{tracker.organisation}/{path}?api-version=7.1-preview{query}"
    raw = b"" if body is None else json.dumps(body).encode()
    answer = tracker.handle(Request.of(method, target, headers, raw))
    assert answer.status < 300, answer
    found: dict[str, Any] = json.loads(answer.body)
    return found


def after(first: str, exchange: Exchange) -> Scene:
    """The recorded calls from ``first`` to this one, as they were sent; their new ids stand for the recorded."""
    tracker = organisation()
    made: dict[str, str] = {}
    for earlier in azure_cli():
        if first <= earlier.name < exchange.name:
            answer = Scene(tracker, made, headers=SIGNED_IN).answer(earlier)
            made[str(earlier.answer["id"])] = str(json.loads(answer.body)["id"])
    return Scene(tracker, made, headers=SIGNED_IN)


@SCENES.of("az-cli 18", "az-cli 19", "az-cli 20")
def with_areas(exchange: Exchange) -> Scene:
    return after("az-cli 17", exchange)


@SCENES.of("az-cli 24", "az-cli 25", "az-cli 26", "az-cli 27")
def with_an_operation(exchange: Exchange) -> Scene:
    return after("az-cli 23", exchange)


@SCENES.of("az-cli 28")
def with_a_project(exchange: Exchange) -> Scene:
    """The operation's own id is no project's."""
    scene = after("az-cli 23", exchange)
    return Scene(scene.tracker, headers=SIGNED_IN)


@SCENES.of("az-cli 21", "az-cli 22")
def with_a_team(exchange: Exchange) -> Scene:
    tracker = organisation()
    project, team = exchange.target.split("/")[2:4]
    sent(tracker, "POST", f"_apis/projects/{project}/teams", {"name": team})
    return Scene(tracker, headers=SIGNED_IN)


@SCENES.of("az-cli 32", "az-cli 33")
def with_a_repository(exchange: Exchange) -> Scene:
    tracker = organisation()
    here = "PullRequestLiveTest/_apis/git/repositories"
    repository = sent(tracker, "POST", here, {"name": "XVFjTPTE"})
    swaps = {"75055255-180d-40f6-819c-5dd61686a788": repository["id"]}
    if exchange.name.startswith("az-cli 33"):
        request = next(one for one in azure_cli() if one.name.startswith("az-cli 32"))
        swaps["57"] = str(sent(tracker, "POST", f"{here}/XVFjTPTE/pullRequests", request.body)["pullRequestId"])
    return Scene(tracker, swaps, headers=SIGNED_IN)


@SCENES.of("az-cli 29")
def stopped(exchange: Exchange) -> Scene:
    tracker = organisation()
    tracker.switches.stopped = True
    return Scene(tracker, {"AzureDevOpsCliTest": "exampleorg"}, headers=SIGNED_IN)


@SCENES.of("az-cli 30")
def signed_out(exchange: Exchange) -> Scene:
    return Scene(organisation())


# -- the specification's examples --------------------------------------------------------------------------------------

HOME = "Fabrikam-Fiber-Git"
#: the identifiers of projects in the examples' addresses
PROJECT_IDS = ("6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", "aaee31d9-14cf-48b9-a92b-3f1446c13f80",
               "eb6e4656-77fc-42a1-9181-4c6d8e9da5d1", "8e5a3cfb-fed3-46f3-8657-e3b175cd0305")  # fmt: skip
#: as many work items as the highest number in an example
ITEMS = 400
WORKED_ON, BUGS = (1, 6, 7, 12, 297, 299, 300, 335), (1, 398)
AUTHOR = "fabrikamfiber4@hotmail.com"
#: as the examples' items were created
BORN = {"System.Title": "as in the examples", "System.AssignedTo": AUTHOR, "System.Tags": "one; two",
        "System.IterationPath": f"{HOME}\\Iteration 1"}  # fmt: skip


@dataclass
class Shop:
    """The examples' organisation. Built once a name: most examples only read, the others change items of their own."""

    tracker: AzureDevOps
    said: list[str]
    file: str
    state: object


@cache
def shop(organisation: str) -> Shop:
    clock = SandboxClock(datetime(2015, 1, 5, 12, 0, tzinfo=UTC))
    tracker = AzureDevOps(
        "azure",
        clock,
        organisation=organisation,
        projects=(HOME, "Fabrikam-Scrum", "Test Project"),
        process="Scrum",
        areas={HOME: ("Website", "Web", "Parent Area")},
        iterations={HOME: ("Iteration 1", "Final Iteration", "Parent Iteration", "Ultimate iteration")},
        people=(Person(AUTHOR, "Jamal Hartnett"),),
        pats={"pat": AUTHOR},
    )
    for number in range(1, ITEMS + 1):
        tracker.create({"System.WorkItemType": "Bug" if number in BUGS else "Task", **BORN}, by=AUTHOR)
    for number in WORKED_ON:
        worked_on(tracker, number)
    said = [tracker.comment(299, f"comment {n}", by=AUTHOR) for n in range(5)]
    file = uploaded(tracker)
    return Shop(tracker, said, file, tracker.snapshot())


def worked_on(tracker: AzureDevOps, number: int) -> None:
    """Relations, revisions of every kind, and a remark last."""
    for n in range(2):
        tracker.link(number, "Hyperlink", f"https://blog.example/{number}/{n}", by=AUTHOR, comment="one")
        tracker.update(number, {"System.Description": f"text {n}"}, by=AUTHOR)
    if number not in BUGS:
        tracker.update(number, {"Microsoft.VSTS.Scheduling.RemainingWork": 4}, by=AUTHOR)
    child = f"https://dev.azure.com/{tracker.organisation}/_apis/wit/workItems/{number + 1}"
    tracker.link(number, CHILD, child, by=AUTHOR, comment="two")
    tracker.update(number, {"System.History": "a remark"}, by=AUTHOR)


def uploaded(tracker: AzureDevOps) -> str:
    """The id of a file."""
    target = f"/{tracker.organisation}/_apis/wit/attachments?fileName=a.png&api-version=7.1"
    headers = {"authorization": SIGNED_IN["Authorization"], "content-type": "application/octet-stream"}
    return str(json.loads(tracker.handle(Request.of("POST", target, headers, b"PNG")).body)["id"])


@SCENES.of("wit/7.1", "wit/7.2", "core/7.1")
def example(exchange: Exchange) -> Scene:
    """The request of the page, at the version of the page, whatever its example was made with."""
    place = shop(exchange.target.split("/")[1])
    place.tracker.restore(place.state)
    version = exchange.name.split("/")[1]
    bare, _, query = exchange.target.partition("?")
    asked = [part for part in query.split("&") if part and "api-version" not in part]
    target = f"{bare}?{'&'.join([*asked, f'api-version={version}-preview'])}"
    headers = {**SIGNED_IN, "Content-Type": media(exchange), "Content-Range": "bytes 0-14/40"}
    return Scene(
        place.tracker, stand_ins(place, exchange), target=target, body=current(exchange, place.tracker), headers=headers
    )


def stand_ins(place: Shop, exchange: Exchange) -> dict[str, str]:
    """What stands for the identifiers in the examples: those of the projects, comments, files, nodes and teams here."""
    areas, iterations = (node_ids(place.tracker, group) for group in ("areas", "iterations"))
    team = sent(place.tracker, "GET", f"_apis/projects/{HOME}/teams", None)["value"][0]["id"]
    swaps = {
        **dict.fromkeys(PROJECT_IDS, HOME),
        **{f"comments/{recorded}": f"comments/{place.said[n]}" for n, recorded in enumerate(("50", "42", "2"))},
        "ids=42,43": f"ids={place.said[1]},{place.said[2]}",
        **dict.fromkeys(("77fda52e-ee95-4750-ac77-a6229507cfc7", "098a279a-60b9-40a8-868b-b7fd00c0a439"), place.file),
        **dict.fromkeys(("ids=1,3", "ids=1,2"), f"ids={areas['']},{iterations['']}"),
        "3568": areas[""], "3569": iterations[""], "126391": areas["Web"], "126392": iterations["Ultimate iteration"],
        "564e8204-a90b-4432-883b-d4363c6125ca": team,
    }  # fmt: skip
    if exchange.method == "POST" and "/classificationNodes/" in exchange.target:
        swaps |= {"Web": "Site", "Final Iteration": "Last Iteration"}  # the names to be made are taken here
    if "continuationToken=DFk" in exchange.target:
        page = sent(place.tracker, "GET", f"{HOME}/_apis/wit/workItems/299/comments", None, "&$top=2")
        swaps["DFkODYtNTYxYS03ZDdiLWJj"] = page["continuationToken"]
    if exchange.method == "PUT":
        begun = sent(place.tracker, "POST", "_apis/wit/attachments", None, "&uploadType=chunked&fileName=largefile.zip")
        swaps["de471719-27b2-40ab-ac40-4890f3eb1443"] = begun["id"]
    return swaps


def node_ids(tracker: AzureDevOps, group: str) -> dict[str, str]:
    """The identifiers of a project's nodes by name, the root's under the empty one."""
    root = sent(tracker, "GET", f"{HOME}/_apis/wit/classificationNodes/{group}", None, "&$depth=2")
    return {"": str(root["id"]), **{one["name"]: str(one["id"]) for one in root["children"]}}


def media(exchange: Exchange) -> str:
    if "attachments" in exchange.target:
        return "application/octet-stream"
    return "application/json-patch+json" if isinstance(exchange.body, list) else "application/json"


def current(exchange: Exchange, tracker: AzureDevOps) -> list[Any] | None:
    """A patch's expected revision is the one that the item has here."""
    if not isinstance(exchange.body, list):
        return None
    number = exchange.target.partition("?")[0].rpartition("/")[2]
    if not number.isdigit():
        return exchange.body
    rev = tracker.item(number)["System.Rev"]
    return [{**step, "value": rev} if step.get("path") == "/rev" else step for step in exchange.body]
