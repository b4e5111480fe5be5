"""A process that can die at any boundary: before a request leaves, after it took effect, and before a commit.

What unwinds then must leave no trace: from the death on no request is sent and nothing is committed. Dying after a
commit is dying at the boundary that comes next.
"""

from __future__ import annotations

from random import Random
from typing import Any

import sqlalchemy as sa

from sandbox.replay.play import changes_nothing
from sandbox.wire import Request


class Died(BaseException):
    """The process is no more."""


class Mortality:
    """Counts boundaries; ``after`` sets how many are survived, ``doom`` draws it. With ``writes`` only those are
    counted that stand around a request that changes something: before it, after it took effect, and the commit after
    that."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.writes = self.wrote = False
        self.again: int | None = None
        self.dead = False
        self.where = ""

    def after(self, boundaries: int, *, writes: bool = False) -> None:
        self.left, self.writes, self.again = boundaries, writes, None

    def doom(self, draw: Random) -> None:
        """A death that may come at any boundary: around a write, while the pass only looks what changed, or anywhere.
        Now and then the next process dies as well."""
        if draw.random() < 0.5:
            self.after(draw.choice((0, 1, 1, 2, 3, 4, 5, 7, 10, 14)), writes=True)
        else:
            self.after(draw.choice((draw.randint(0, 16), draw.randint(0, 16), draw.randint(0, 120))))
        self.again = draw.randint(0, 60) if draw.random() < 0.35 else None

    def spare(self) -> None:
        self.left = self.again = None

    def revive(self) -> None:
        """The next process."""
        self.dead, self.wrote, self.left, self.writes, self.again = False, False, self.again, False, None

    def boundary(self, where: str, write: bool) -> None:
        if self.dead:
            raise Died
        if self.left is not None and (write or not self.writes):
            self.left -= 1
            if self.left < 0:
                self.dead, self.where = True, where
                raise Died

    def request(self, tracker: str, request: Request, answered: bool) -> None:
        write = not changes_nothing(request.method, request.path)
        self.wrote = write and answered
        self.boundary(f"{'the answer to' if answered else ''} {request.method} {tracker} {request.path}".strip(), write)

    def watch(self, engine: sa.Engine) -> None:
        """Makes each commit of this database a boundary."""
        sa.event.listen(engine, "commit", self.commit)
        sa.event.listen(engine, "begin", self.begin)

    def commit(self, connection: Any) -> None:
        wrote, self.wrote = self.wrote, False
        self.boundary("a commit", wrote)

    def begin(self, connection: Any) -> None:
        if self.dead:
            raise Died
