"""A process that can die at any boundary: before a request leaves, after it took effect, and before a commit.

What unwinds then must leave no trace: from the death on no request is sent and nothing is committed. Dying after a
commit is dying at the boundary that comes next.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sandbox.wire import Request


class Died(BaseException):
    """The process is no more."""


class Mortality:
    """Counts boundaries; ``after`` sets how many are survived."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.dead = False
        self.where = ""
        self.passed = 0

    def after(self, boundaries: int) -> None:
        self.left = boundaries

    def spare(self) -> None:
        self.left = None

    def revive(self) -> None:
        """The next process."""
        self.dead, self.left = False, None

    def boundary(self, where: str) -> None:
        if self.dead:
            raise Died
        self.passed += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.dead, self.where = True, where
                raise Died

    def request(self, tracker: str, request: Request, answered: bool) -> None:
        self.boundary(f"{'the answer to' if answered else ''} {request.method} {tracker} {request.path}".strip())

    def watch(self, engine: sa.Engine) -> None:
        """Makes each commit of this database a boundary."""
        sa.event.listen(engine, "commit", self.commit)
        sa.event.listen(engine, "begin", self.begin)

    def commit(self, connection: Any) -> None:
        self.boundary("a commit")

    def begin(self, connection: Any) -> None:
        if self.dead:
            raise Died
