"""The simulated trackers as a process of their own. It prints where they are and then obeys a line of JSON at a time:
``{"do": "watch"}`` counts the daemon's requests from now on and kills nothing, ``{"do": "arm", "pid": 4711, "nth": 2,
"after": true}`` kills that process with the n-th write that it sends, ``{"do": "tell"}`` does nothing. It answers how
many requests the daemon sent, and whether a kill struck."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sandbox.estate import PEOPLE, Estate
from sandbox.faults import Fault
from sandbox.wire import Request

WRITING = "POST|PUT|PATCH|DELETE"
#: reads that look like writes
READS = r"^(?!.*(/oauth|/search/jql|/bulkfetch|/wiql|/workitemsbatch|/reporting/))"


def by_daemon(request: Request) -> bool:
    """People's own requests pass by."""
    return request.headers.get("user-agent") == "Lockstep"


class Watching(Fault):
    """Counts the daemon's requests and strikes none."""

    def matches(self, tracker: str, request: Request) -> bool:
        self.seen += by_daemon(request)
        return False


class Deadly(Fault):
    """Kills the process that sent the request: before it is handled where ``kind`` is ``reset_before``, with ``act``
    after it took effect and before it is answered."""

    pid: int

    def matches(self, tracker: str, request: Request) -> bool:
        return by_daemon(request) and Fault.matches(self, tracker, request)

    def strikes(self, draw: Callable[[], float]) -> bool:
        struck = Fault.strikes(self, draw)
        if struck:
            with suppress(ProcessLookupError):  # a timer may have been quicker
                os.kill(self.pid, signal.SIGKILL)
        return struck


def obey(estate: Estate, order: dict[str, Any]) -> Any:
    faults = estate.faults
    if order["do"] == "watch":
        faults.clear()
        faults.add(Watching("headers"))
    elif order["do"] == "arm":
        kind = "act" if order["after"] else "reset_before"
        deadly = Deadly(kind, method=WRITING, path=READS, nth=(order["nth"],), times=1)
        deadly.pid = order["pid"]
        faults.add(deadly)
    return {"seen": sum(rule.seen for rule in faults.rules[:1]), "struck": any(rule.struck for rule in faults.rules)}


def main() -> None:
    estate = Estate()
    told = {"urls": estate.urls, "environment": estate.environment(), "file": estate.file("STATE"), "people": PEOPLE}
    print(json.dumps(told), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(estate, json.loads(line))), flush=True)
    estate.stop()


if __name__ == "__main__":
    main()
