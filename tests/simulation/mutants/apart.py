"""Work under a mutant in a process of its own: forked from one that has imported everything but our own code, and has
that compiled, so that a child begins in a fraction of a second."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from selectors import EVENT_READ, DefaultSelector
from types import CodeType, ModuleType
from typing import Any

from tests.simulation.mutants.graft import OURS, graft
from tests.simulation.mutants.mutant import ROOT, Mutant

#: what our code stands on, imported once for all children
BELOW = (
    *("alembic.command", "alembic.config", "cel_expr_python.cel", "click", "holidays.countries", "jira", "jinja2"),
    *("lxml.html", "msal", "msrest", "nh3", "orjson", "pydantic", "pysnow", "requests", "sqlalchemy"),
    "sqlalchemy.dialects.sqlite",
    *("structlog", "tenacity", "watchfiles", "sandbox.people", "sandbox.estate", "sandbox.inside", "sandbox.story"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """Work for one child: under that mutant, or with our code as it stands."""

    key: str
    mutant: Mutant | None
    work: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a task; ``error`` is the traceback where it raised."""

    key: str
    result: Any = None
    error: str = ""


@dataclass
class Child:
    """A process at work, and what it has said so far."""

    key: str
    pid: int
    pipe: int
    told: bytes = b""


class Compiled(SourceFileLoader):
    """Loads a module from the code that the parent compiled."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class Ready(MetaPathFinder):
    """All of our code, compiled once."""

    def __init__(self) -> None:
        files = [ROOT / "bot.py", *(file for name in OURS for file in (ROOT / name).rglob("*.py"))]
        self.codes = {str(file): compile(file.read_bytes(), file, "exec", dont_inherit=True) for file in files}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in OURS:
            return None
        found = PathFinder.find_spec(fullname, path or [str(ROOT)], target)
        if found is not None and found.origin in self.codes:
            found.loader = Compiled(fullname, found.origin, self.codes[found.origin])
        return found


class Nursery:
    """Where children are forked, ``jobs`` at a time."""

    def __init__(self, jobs: int = 0) -> None:
        self.jobs = jobs or os.cpu_count() or 1
        for name in BELOW:
            __import__(name)
        early = sorted(name for name in sys.modules if name.partition(".")[0] in OURS)
        assert not early, f"{early[0]} is imported already"
        self.ready = Ready()
        gc.collect()
        gc.freeze()

    def each(self, tasks: deque[Task]) -> Iterator[Ended]:
        """Carries out the tasks, each in a child of its own, and yields what becomes of each as it ends. Tasks may be
        added meanwhile."""
        running: dict[int, Child] = {}
        with DefaultSelector() as selector:
            while tasks or running:
                while tasks and len(running) < self.jobs:
                    child = self.begun(tasks.popleft())
                    running[child.pipe] = child
                    selector.register(child.pipe, EVENT_READ)
                for key, _ in selector.select():
                    child = running[key.fd]
                    part = os.read(child.pipe, 1 << 16)
                    child.told += part
                    if not part:
                        selector.unregister(child.pipe)
                        del running[child.pipe]
                        yield ended(child)

    def begun(self, task: Task) -> Child:
        """A child that carries out the task."""
        ours, theirs = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            os.close(theirs)
            return Child(task.key, pid, ours)
        try:
            sys.meta_path.insert(0, self.ready)
            with os.fdopen(theirs, "wb") as pipe:
                pickle.dump(carried_out(task), pipe)
        finally:
            os._exit(0)


def carried_out(task: Task) -> Ended:
    """In the child. A mutant whose module nobody imports has shown nothing."""
    try:
        hook = graft(task.mutant) if task.mutant else None
        result = task.work()
        if hook is not None and hook.grown != set(hook.mutant.modules):
            raise AssertionError(f"nobody imported {set(hook.mutant.modules) - hook.grown}")
        return Ended(task.key, result)
    except BaseException:
        return Ended(task.key, error=traceback.format_exc(limit=-12))


def ended(child: Child) -> Ended:
    """Collects a child that has closed its pipe."""
    os.close(child.pipe)
    os.waitpid(child.pid, 0)
    try:
        told: Ended = pickle.loads(child.told)
        return told
    except (pickle.UnpicklingError, EOFError):
        return Ended(child.key, error="the process ended without a word")
