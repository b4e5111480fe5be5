"""Transaction quotas: what a request costs in simulated seconds, and what happens when it takes too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.servicenow.errors import Problem
from sandbox.wire import Answer

CANCELLED = "Transaction cancelled: maximum execution time exceeded"
#: what stands beside the rows of a read that was cut off (recorded by users of other clients, apis.md 1.6)
ERROR = {"message": CANCELLED, "detail": f"{CANCELLED}. Check logs for error trace."}


@dataclass
class Quota:
    """What one transaction may take and what it costs, in simulated seconds; no cost by default.

    ``seconds`` is the default rule of the Table, Aggregate, Import Set and Attachment APIs, ``batch_seconds`` the Batch
    API's (ServiceNow docs, Default quota rules). ``per_row`` is what a row read costs, ``per_write`` a write.
    ``cut_short``: the JSON of a cancelled read ends in the middle of a row. ``limit`` and ``spent`` are what the
    running transaction may take and took so far.
    """

    seconds: float = 60.0
    batch_seconds: float = 30.0
    per_row: float = 0.0
    per_write: float = 0.0
    cut_short: bool = False
    limit: float = 60.0
    spent: float = 0.0

    def begin(self, batch: bool) -> None:
        """A transaction starts."""
        self.limit, self.spent = self.batch_seconds if batch else self.seconds, 0.0

    @property
    def ended(self) -> bool:
        """Whether the running transaction's time is up."""
        return self.spent >= self.limit

    def rows(self, wanted: int) -> int:
        """How many rows can be sent before the time is up; their time is spent."""
        if wanted * self.per_row <= self.limit - self.spent:
            self.spent += wanted * self.per_row
            return wanted
        sent = int((self.limit - self.spent) / self.per_row)
        self.spent = self.limit
        return sent

    def too_long(self) -> bool:
        """Whether a write runs out of time; its time is spent."""
        late = self.per_write > self.limit - self.spent
        self.spent = self.limit if late else self.spent + self.per_write
        return late


class Cancelled(Problem):
    """A write that ran out of time: 500 (reports of deletions that took too long)."""

    def __init__(self) -> None:
        super().__init__(500, ERROR["message"], ERROR["detail"])


def cancelled(rows: Sequence[Any], headers: Mapping[str, str] | None = None, cut_short: bool = False) -> Answer:
    """A list that was cancelled while it was sent: 200, the rows so far, and the error in the same object."""
    body = orjson.dumps({"result": rows, "error": ERROR, "status": "failure"})
    if cut_short:
        whole = orjson.dumps({"result": rows})
        body = whole[: len(whole) * 3 // 4]
    return Answer(200, body, {"Content-Type": "application/json;charset=UTF-8", **(headers or {})})
