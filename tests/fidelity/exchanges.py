"""The recorded exchanges and vendors' examples of ../shared/specs/examples, in one form."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.fidelity.specs import SPECS

EXAMPLES = SPECS / "examples"


@dataclass(frozen=True)
class Exchange:
    """What was sent and what came back. ``recorded``: from a real system, not a page of the vendor's. An example
    without a request (``method`` empty) needs one from its scene."""

    name: str
    recorded: bool
    status: int
    answer: Any
    method: str = ""
    target: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    answer_headers: dict[str, str] = field(default_factory=dict)


def load(path: str) -> Any:
    return json.loads((EXAMPLES / path).read_text(encoding="utf-8"))


def azure_cli() -> list[Exchange]:
    """The recorder's answers began with a byte order mark where it says so; that is compared as a header."""
    found = []
    for number, pair in enumerate(load("azure-devops/recorded-az-cli-vcr.json")):
        asked, got = pair["request"], pair["response"]
        parts = urlsplit(asked["uri"])
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {**got["headers"], **({"byte-order-mark": "yes"} if got["bom"] else {})}
        found.append(
            Exchange(
                f"az-cli {number:02} {asked['method']} {target.partition('?')[0]}",
                True,
                got["status"]["code"],
                got["body"],
                asked["method"],
                target,
                asked["body"],
                {**asked["headers"], "host": parts.netloc},
                headers,
            )
        )
    return found


def azure_tables() -> list[Exchange]:
    """What the azure-devops client asks for before any call."""
    headers = {"host": "dev.azure.com", "accept": "application/json"}
    locations = load("azure-devops/options-apis-locations.json")
    locations.pop("_note")
    return [
        Exchange("recorded OPTIONS _apis", True, 200, locations, "OPTIONS", "/exampleorg/_apis", None, headers),
        Exchange("recorded ResourceAreas", True, 200, load("azure-devops/resource-areas.json"), "GET",
                 "/exampleorg/_apis/ResourceAreas", None, headers),
    ]  # fmt: skip


def azure_examples() -> list[Exchange]:
    found = []
    for name, page in load("azure-devops/spec-http-examples.json").items():
        status, got = next(iter(page["responses"].items()))
        parts = urlsplit(page["x-ms-vss-request-url"])
        method = page.get("x-ms-vss-request-method") or name.rpartition("/")[2].partition("_")[0]
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        found.append(
            Exchange(
                name,
                False,
                int(status),
                got.get("body"),
                {"LIST": "GET", "UPDATE": "PATCH"}.get(method, method),
                target,
                page["parameters"].get("body"),
                {"host": parts.netloc},
            )
        )
    return found


def jira_examples() -> list[Exchange]:
    pages = load("jira/cloud-v3-spec-examples.json")
    return [
        Exchange(f"{name} {status}", False, int(status), answer, method, target, page.get("request"))
        for name, page in pages.items()
        for method, _, target in [name.partition(" ")]
        for status, answer in page.items()
        if status != "request"
    ]


def jira_fixtures() -> list[Exchange]:
    """Data Center's answers as two clients recorded them; a file's name tells the request."""
    pages = load("jira/recorded-client-fixtures.json")
    statuses = {"invalid": 400, "missing_field": 400, "issue.post": 201, "comment.post": 201}
    return [
        Exchange(name, True, next((code for part, code in statuses.items() if part in name), 200), answer)
        for name, answer in pages.items()
        if not name.startswith("_")
    ]


def servicenow_recorded() -> list[Exchange]:
    pages = load("servicenow/recorded-table-api.json")
    statuses = {name: int(next(word for word in name.split() if word.isdigit())) for name in pages if name[0] != "_"}
    return [Exchange(f"table-api {name[:40]}", True, status, pages[name]) for name, status in statuses.items()]


#: samples of answers that are not 200, as their pages say
CREATED = ("create-record.md 0", "c_TableAPI.md 3", "c_AttachmentAPI.md 9", "c_AttachmentAPI.md 11",
           "c_ImportSetAPI.md 1", "c_ImportSetAPI.md 4")  # fmt: skip
STATUSES = {**dict.fromkeys(CREATED, 201), "inbound-REST-API-rate-limiting.md 0": 429}


def servicenow_samples() -> list[Exchange]:
    """Bodies alone; the request is the scene's."""
    pages = load("servicenow/docs-json-samples.json")["examples"]
    return [
        Exchange(name, False, STATUSES.get(name, 200), sample)
        for page, samples in pages.items()
        for number, sample in enumerate(samples)
        for name in [f"{page.rpartition('/')[2]} {number}"]
    ]
