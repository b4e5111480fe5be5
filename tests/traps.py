"""What the tests of traps share: the three trackers side by side, and connectors to them by any way there."""

from __future__ import annotations

import gc
import logging
import warnings
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.auth import AccessToken, Auth, Secret, UserPassword
from connectors.base import Connector
from connectors.build import connector
from mappings.model import Draft, Mark, Record, Scope
from sandbox.estate import AZURE_PAT, JIRA_TOKEN, SERVICENOW_PASSWORD, Estate
from sandbox.story import MORNING
from sandbox.wire import Answer, Request

KINDS = ("servicenow", "jira", "azure_devops")
#: each kind's name in the estate
NAMES = {"servicenow": "servicenow", "jira": "jira", "azure_devops": "azure"}
SCOPES = {
    "servicenow": Scope("incident", "lockstep-t", table="incident", fields=("short_description",)),
    "jira": Scope("defect", "lockstep-t", project="CSPM", types=("Bug",), fields=("summary",)),
    "azure_devops": Scope(
        "pbi", "lockstep-t", project="Portal", types=("Product Backlog Item",), fields=("System.Title",)
    ),
}
TITLES = {"servicenow": "short_description", "jira": "summary", "azure_devops": "System.Title"}
ITEMS = {"servicenow": "incident", "jira": "Bug", "azure_devops": "Product Backlog Item"}
AUTHS: dict[str, Auth] = {
    "servicenow": UserPassword("lockstep", Secret(SERVICENOW_PASSWORD)),
    "jira": UserPassword("lockstep@example.org", Secret(JIRA_TOKEN)),
    "azure_devops": AccessToken(Secret(AZURE_PAT)),
}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass
class Ground:
    """An estate and the connectors built in a test."""

    estate: Estate = field(default_factory=lambda: Estate(MORNING))
    built: list[Connector] = field(default_factory=list)

    def connector(
        self, kind: str, *, port: int = 0, tls: bool = False, auth: Auth | None = None, name: str = "", **options: Any
    ) -> Connector:
        """One as the admin's file would make it; by another port of this machine, or by TLS."""
        url = self.estate.urls[NAMES[kind]]
        if port:
            url = url.replace(str(self.estate.servers[NAMES[kind]].port), str(port))
        url = url.replace("http://", "https://") if tls else url
        made = connector(kind, name or NAMES[kind], url, auth or AUTHS[kind], self.estate.clock, **options)
        self.built.append(made)
        return made

    def port(self, kind: str) -> int:
        return self.estate.servers[NAMES[kind]].port

    def tracker(self, kind: str) -> Any:
        return getattr(self.estate, NAMES[kind])

    def close(self) -> None:
        for one in self.built:
            one.close()
        self.estate.stop()


def draft(kind: str, title: str = "made") -> Draft:
    mark = Mark("lockstep-t", link="k1", made="m1", at="20260105080000")
    return Draft(ITEMS[kind], {TITLES[kind]: title}, mark, "INC1", "https://source.example/INC1")


def opened_and_made(one: Connector) -> Record:
    """A start and a write, as a pass would do them."""
    opening = one.open([SCOPES[one.kind]])
    assert opening.account
    return one.create(SCOPES[one.kind], draft(one.kind))


def hostile_environment(monkeypatch: pytest.MonkeyPatch, folder: Any) -> None:
    """What a machine may hold for other programs: proxies that lead nowhere, certificates that are none, passwords of
    somebody else."""
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(folder / "nowhere.pem"))
    netrc = folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))


def recorded(tracker: Any) -> list[Request]:
    """The requests that reach a tracker from now on, whole."""
    asked: list[Request] = []
    whole = tracker.handle

    def handle(request: Request) -> Answer:
        asked.append(request)
        answer: Answer = whole(request)
        return answer

    tracker.handle = handle
    return asked


def swept() -> None:
    """Frees what exceptions still hold. A refused CONNECT leaves a socket that the standard library says was not
    closed, which would be told in whatever test comes next."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Every library may say what it likes."""
    caplog.set_level(logging.DEBUG)
