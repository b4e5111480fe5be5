"""Replays the exchanges and names the differences; those known, with their reasons, are in ``differences.toml``."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sandbox.wire import Answer, Request
from tests.fidelity import exchanges, scenes_azure, scenes_jira, scenes_servicenow
from tests.fidelity.allowances import Allowances
from tests.fidelity.comparing import Difference, compare
from tests.fidelity.exchanges import Exchange
from tests.fidelity.scenes import Scene
from tests.fidelity.witness import Witness

FILE = Path(__file__).parent / "differences.toml"
BOM = b"\xef\xbb\xbf"
#: group of exchanges to (what loads it, the scenes)
GROUPS = {
    "Azure DevOps, recorded": (lambda: exchanges.azure_tables() + exchanges.azure_cli(), scenes_azure.SCENES),
    "Azure DevOps, vendor's examples": (exchanges.azure_examples, scenes_azure.SCENES),
    "Jira Cloud, vendor's examples": (exchanges.jira_examples, scenes_jira.CLOUD),
    "Jira Data Center, recorded": (exchanges.jira_fixtures, scenes_jira.DATA_CENTER),
    "ServiceNow, recorded": (exchanges.servicenow_recorded, scenes_servicenow.SCENES),
    "ServiceNow, vendor's samples": (exchanges.servicenow_samples, scenes_servicenow.SCENES),
}


@dataclass(frozen=True)
class Known:
    """Differences that are listed, or exchanges outside the product's surface; names as file patterns."""

    exchange: str
    reason: str
    at: str = "*"
    says: str = "*"

    def fits(self, name: str, difference: Difference | None = None) -> bool:
        if not fnmatchcase(name, self.exchange):
            return False
        return difference is None or (fnmatchcase(difference.at, self.at) and fnmatchcase(difference.says, self.says))


def known(kind: str) -> list[Known]:
    """``difference`` or ``outside`` entries of the data file."""
    listed: dict[str, list[dict[str, str]]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [Known(**entry) for entry in listed.get(kind, [])]


def differences(exchange: Exchange, scene: Scene) -> list[Difference]:
    """How the sandbox's answer differs from the recorded one: status, headers that matter, body."""
    answer = scene.answer(exchange)
    found = as_specified(scene.request(exchange), answer)
    if answer.status != exchange.status:
        found.append(Difference("status", f"{answer.status} instead of {exchange.status}: {answer.body[:200]!r}"))
        return found
    found += in_headers(exchange, scene, answer)
    found += compare(scene.recorded(exchange), body_of(answer), values=exchange.recorded)
    return list(dict.fromkeys(found))


def as_specified(request: Request, answer: Answer) -> list[Difference]:
    """What the specification says of the answer: a replayed one passes no server, so no witness saw it. Where none has
    the request, the recording alone judges."""
    witness = Witness(Allowances.read())
    witness("replayed", request, answer)
    found = [finding.deviation for finding in witness.take()]
    return [Difference("specification", str(one)) for one in found if one.kind != "request"]


def body_of(answer: Answer) -> Any:
    text = answer.body.removeprefix(BOM).decode("utf-8")
    return json.loads(text) if "json" in answer.headers.get("Content-Type", "") and text else text


def in_headers(exchange: Exchange, scene: Scene, answer: Answer) -> list[Difference]:
    """The media type, the encoding of a service's error and the byte order mark. The rest is the hosts' own."""
    ours = {name.lower(): value for name, value in answer.headers.items()}
    if answer.body.startswith(BOM):
        ours["byte-order-mark"] = "yes"
    found = []
    for name in ("content-type", "x-tfs-serviceerror", "byte-order-mark"):
        wanted = scene.swapped(unquote(exchange.answer_headers.get(name, "")))
        got = unquote(ours.get(name, ""))
        if exchange.answer_headers and wanted.partition(";")[0] != got.partition(";")[0]:
            found.append(Difference(f"header {name}", f"{got[:80]!r} instead of {wanted[:80]!r}"))
    return found
