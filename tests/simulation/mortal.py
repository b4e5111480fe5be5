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


#: which boundaries are counted: all, those around a request that changes something (before it, after it took effect,
#: and the commit after that), or commits of what changed in the state
ALL, WRITES, COMMITS = "all", "writes", "commits"


class Mortality:
    """Counts boundaries; ``after`` sets how many are survived and which are counted, ``doom`` draws it."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.counted = ALL
        self.wrote = self.changed = False
        self.again: int | None = None
        self.dead = False
        self.where = ""

    def after(self, boundaries: int, counted: str = ALL) -> None:
        self.left, self.counted, self.again = boundaries, counted, None

    def doom(self, draw: Random) -> None:
        """A death that may come at any boundary: around a write, at a commit, while the pass only looks what changed,
        or anywhere. Now and then the next process dies as well."""
        way = draw.random()
        if way < 0.4:
            self.after(draw.choice((0, 1, 1, 2, 3, 4, 5, 7, 10, 14)), WRITES)
        elif way < 0.75:
            self.after(draw.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 9)), COMMITS)
        else:
            self.after(draw.choice((draw.randint(0, 16), draw.randint(0, 16), draw.randint(0, 120))))
        self.again = draw.randint(0, 60) if draw.random() < 0.35 else None

    def spare(self) -> None:
        self.left = self.again = None

    def revive(self) -> None:
        """The next process."""
        self.dead, self.wrote, self.left, self.counted, self.again = False, False, self.again, ALL, None

    def boundary(self, where: str, *kinds: str) -> None:
        if self.dead:
            raise Died
        if self.left is not None and self.counted in (ALL, *kinds):
            self.left -= 1
            if self.left < 0:
                self.dead, self.where = True, where
                raise Died

    def request(self, tracker: str, request: Request, answered: bool) -> None:
        write = not changes_nothing(request.method, request.path)
        self.wrote = write and answered
        where = f"{'the answer to' if answered else ''} {request.method} {tracker} {request.path}".strip()
        self.boundary(where, *((WRITES,) if write else ()))

    def watch(self, engine: sa.Engine) -> None:
        """Makes each commit of this database a boundary."""
        sa.event.listen(engine, "commit", self.commit)
        sa.event.listen(engine, "begin", self.begin)
        sa.event.listen(engine, "before_cursor_execute", self.execute)

    def commit(self, connection: Any) -> None:
        kinds = [WRITES] if self.wrote else []
        kinds += [COMMITS] if self.changed else []
        self.wrote = self.changed = False
        self.boundary("a commit", *kinds)

    def begin(self, connection: Any) -> None:
        self.changed = False
        if self.dead:
            raise Died

    def execute(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        """A statement of the transaction under way."""
        self.changed = self.changed or statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE")
