"""Other people's clients, unchanged, against the simulated trackers over HTTP: what they do elsewhere, they do here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import SandboxClock
from sandbox.estate import AZURE_PAT, JIRA_TOKEN, SERVICENOW_PASSWORD, Estate
from sandbox.jira.datacenter import DataCenter
from tests.tls import Authority, fronted

ROOT = Path(__file__).parent.parent
THEIRS = ROOT / ".venv-clients" / "bin"
SAM, ANA, CHEN = "sam.hill", "Ana Ruiz", "Chen Wei"
BOT = "lockstep@example.org"

theirs = pytest.mark.skipif(not (THEIRS / "python").exists(), reason="`make clients` makes .venv-clients")


START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def estate() -> Iterator[Estate]:
    estate = Estate(START)
    yield estate
    estate.stop()


@pytest.fixture
def with_data_center() -> Iterator[Estate]:
    clock = SandboxClock(START)
    estate = Estate(clock=clock, jira=DataCenter("jira", clock))
    yield estate
    estate.stop()


def run(*command: str | Path, **environment: str) -> str:
    """What the command printed. Nothing of this machine's proxies or authorities is passed on."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "NETRC") if name in os.environ}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300, env={**kept, **environment}
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def told(script: str, python: Path | str = sys.executable, **at: Any) -> dict[str, Any]:
    """What a client of tests/clients saw of the tracker ``at`` tells of."""
    lines = run(python, ROOT / "tests" / "clients" / script, json.dumps(at), **at.get("environment", {})).splitlines()
    seen: dict[str, Any] = json.loads(lines[-1])
    return seen


def incidents(estate: Estate, client: str, count: int) -> list[str]:
    """The numbers of that many incidents, which the client will look for."""
    made = [estate.servicenow.create({"short_description": f"seen by {client} {n}"}, by=SAM) for n in range(count)]
    return [estate.servicenow.item(one)["number"] for one in made]


def issues(estate: Estate, count: int) -> list[str]:
    """Their summaries."""
    summaries = [f"issue {n}" for n in range(count)]
    for summary in summaries:
        estate.jira.create({"project": "CSPM", "issuetype": "Bug", "summary": summary}, by=ANA)
        estate.clock.advance(timedelta(minutes=1))
    return summaries


@theirs
def test_servicenows_own_pysnc_works_unchanged(estate: Estate, tmp_path: Path) -> None:
    authority, numbers = Authority(tmp_path), incidents(estate, "pysnc", 5)
    with fronted(estate.servers["servicenow"].port, authority.context) as front:
        seen = told(
            "pysnc_client.py",
            THEIRS / "python",
            url=f"https://127.0.0.1:{front.port}",
            user="lockstep",
            password=SERVICENOW_PASSWORD,
            ca=str(authority.file),
        )
    assert seen["numbers"] == numbers and seen["total"] == 5
    assert (seen["priority"], seen["priority_shown"]) == ("3", "3 - Moderate")
    assert seen["description"] == "now with a description"
    assert seen["said"] == ["said by pysnc"]
    assert seen["deleted"] and not seen["missing"]
    assert seen["sys_id"] not in estate.servicenow.ids()


def test_pysnow_works_unchanged(estate: Estate) -> None:
    numbers = incidents(estate, "pysnow", 3)
    host = estate.urls["servicenow"].removeprefix("http://")
    seen = told("pysnow_client.py", host=host, user="lockstep", password=SERVICENOW_PASSWORD)
    assert seen["numbers"] == numbers
    assert (seen["state"], seen["description"], seen["noted"]) == ("1", "changed", ["noted by pysnow"])
    assert seen["deleted"] == {"status": "record deleted"}


def test_the_jira_library_works_unchanged_with_the_cloud(estate: Estate) -> None:
    summaries = issues(estate, 3)
    seen = told("jira_client.py", url=estate.urls["jira"], user=BOT, password=JIRA_TOKEN)
    check_jira(seen, summaries, estate)


def test_the_jira_library_works_unchanged_with_a_data_center(with_data_center: Estate) -> None:
    summaries = issues(with_data_center, 3)
    seen = told("jira_client.py", url=with_data_center.urls["jira"], token="bot-pat")
    check_jira(seen, summaries, with_data_center)


def check_jira(seen: dict[str, Any], summaries: list[str], estate: Estate) -> None:
    assert seen["summaries"] == summaries
    assert seen["said"] == [seen["edited"]] == ["said by jira"]
    assert (seen["summary"], seen["status"]) == ("edited by jira", "In Progress")
    assert {"labels", "status", "summary"} <= set(seen["changed"])
    assert seen["offered"] == ["Start Progress"] and seen["links"] == ["one"]
    assert len(estate.jira.ids()) == 3


@theirs
def test_atlassian_python_api_works_unchanged_with_the_cloud(estate: Estate) -> None:
    summaries = issues(estate, 4)
    seen = told(
        "atlassian_client.py",
        THEIRS / "python",
        url=estate.urls["jira"],
        user=BOT,
        password=JIRA_TOKEN,
        cloud=True,
    )
    assert seen["deployment"] == "Cloud"
    check_atlassian(seen, summaries)


@theirs
def test_atlassian_python_api_works_unchanged_with_a_data_center(with_data_center: Estate) -> None:
    summaries = issues(with_data_center, 4)
    at = {"url": with_data_center.urls["jira"], "token": "bot-pat", "cloud": False}
    seen = told("atlassian_client.py", THEIRS / "python", **at)
    assert (seen["deployment"], seen["me"]) == ("Server", "lockstep")
    check_atlassian(seen, summaries)


def check_atlassian(seen: dict[str, Any], summaries: list[str]) -> None:
    assert seen["summaries"] == [summaries[:2], summaries[2:]]
    assert seen["said"] == ["said by atlassian-python-api"] * 2
    assert (seen["summary"], seen["status"]) == ("edited by atlassian-python-api", "In Progress")
    assert {"status", "summary"} <= set(seen["changed"])
    assert seen["offered"] == ["Start Progress"] and seen["links"] == ["one"]
    assert seen["summary_field"] == "Summary"


def test_microsofts_azure_devops_works_unchanged(estate: Estate, tmp_path: Path) -> None:
    seen = told("azure_devops_client.py", url=estate.urls["azure"], password=AZURE_PAT, cache=str(tmp_path))
    assert seen["projects"] == ["Platform", "Portal"]
    assert {"Bug", "Product Backlog Item", "Task"} <= set(seen["types"])
    assert seen["states"][0] == "New"
    assert (seen["tags"], seen["title"]) == ("one; two", "edited by azure-devops")
    assert seen["said"] == [seen["comment"]] == ["said by azure-devops"]
    assert seen["found"] == [seen["id"]] == [seen["deleted"]]
    assert seen["batch"] == ["edited by azure-devops", None]
    assert seen["revisions"] == seen["updates"] == seen["feed"] == [1, 2, 3]


@theirs
def test_dlt_reads_all_three_unchanged(estate: Estate, tmp_path: Path) -> None:
    numbers, summaries = incidents(estate, "dlt", 5), issues(estate, 5)
    item = estate.azure.create({"System.Title": "five comments"}, by=CHEN)
    for n in range(5):
        estate.azure.comment(item, f"comment {n}", by=CHEN)
    seen = told(
        "dlt_client.py",
        THEIRS / "python",
        servicenow={"url": estate.urls["servicenow"], "user": "lockstep", "password": SERVICENOW_PASSWORD},
        jira={"url": estate.urls["jira"], "user": BOT, "password": JIRA_TOKEN},
        azure={"url": estate.urls["azure"], "user": "", "password": AZURE_PAT, "item": item},
        environment={"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(tmp_path)},
    )
    assert seen["by_offset"] == seen["by_link"] == numbers
    assert seen["by_token"] == summaries
    assert seen["comments"] == [f"comment {n}" for n in range(5)]
    assert seen["found"] == [int(item)]


@theirs
def test_tap_jira_works_unchanged(estate: Estate, tmp_path: Path) -> None:
    """The tap speaks https only. It discovers, then reads what is selected since a date, with comments, changes and
    transitions inside."""
    issues(estate, 3)
    first = estate.jira.ids()[0]
    estate.jira.comment(first, "said by Ana", by=ANA)
    estate.jira.move(first, "In Progress", by=ANA)
    authority = Authority(tmp_path)
    with fronted(estate.servers["jira"].port, authority.context) as front:
        config = {
            "start_date": "2026-01-01T00:00:00Z",
            "user_agent": "tap-jira",
            "username": BOT,
            "password": JIRA_TOKEN,
            "base_url": f"127.0.0.1:{front.port}",
        }
        lines = tapped(tmp_path, config, {"issues", "issue_comments", "changelogs", "issue_transitions", "resolutions"})
    rows = [(line["stream"], line["record"]) for line in lines if line["type"] == "RECORD"]
    by_stream = {name: [row for stream, row in rows if stream == name] for name, _ in rows}
    assert [row["id"] for row in by_stream["issues"]] == [*estate.jira.ids()[1:], first]
    assert [row["body"] for row in by_stream["issue_comments"]] == ["said by Ana"]
    assert [row["items"][0]["toString"] for row in by_stream["changelogs"]] == ["In Progress"]
    assert "Start Progress" in {row["name"] for row in by_stream["issue_transitions"]}
    assert "Done" in {row["name"] for row in by_stream["resolutions"]}


def tapped(folder: Path, config: dict[str, str], selected: set[str]) -> list[dict[str, Any]]:
    """The messages of a run over the selected streams of the catalog that the tap discovers."""
    (folder / "config.json").write_text(json.dumps(config))
    trusts = {
        "PYTHONPATH": str(ROOT / "tests" / "clients" / "trust"),
        "TRUSTED_CA": str(next(folder.glob("*CA.pem"))),
    }
    command: list[str | Path] = [THEIRS / "tap-jira", "--config", folder / "config.json"]
    catalog = json.loads(run(*command, "--discover", **trusts))
    for stream in catalog["streams"]:
        entry = next(one for one in stream["metadata"] if not one["breadcrumb"])
        entry["metadata"]["selected"] = stream["tap_stream_id"] in selected
    (folder / "catalog.json").write_text(json.dumps(catalog))
    lines = run(*command, "--properties", folder / "catalog.json", **trusts).splitlines()
    return [json.loads(line) for line in lines]
