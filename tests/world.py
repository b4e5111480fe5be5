"""A whole Lockstep for tests: the estate over HTTP, the demo's file, an engine on a fresh SQLite state."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

import bot
from sandbox.clock import SandboxClock, SkewedClock
from sandbox.estate import Estate
from sandbox.inside import inside
from sandbox.story import MORNING
from sync.compose import compose, mismatches
from sync.config import load
from sync.edits.edit import take
from sync.engine import Engine
from sync.reconcile import Pass, one_pass, reconcile
from sync.store.fence import private
from tests.states import new_state

RITA, SAM, ANA, BEN, CHEN = "rita.cole", "sam.hill", "Ana Ruiz", "Ben Okafor", "Chen Wei"
READS = ("/oauth", "/search/jql", "/bulkfetch", "/wiql", "/workitemsbatch", "/reporting/")


@dataclass
class World:
    """The estate and the engine at work on it. ``edit`` changes the demo's file before it is read; ``clock`` is the
    engine's own, where it is not the estate's."""

    folder: Path
    edit: Callable[[str], str] = lambda text: text
    estate: Estate = field(default_factory=lambda: Estate(MORNING))
    clock: SandboxClock | None = None

    def __post_init__(self) -> None:
        self.path = self.folder / "lockstep.toml"
        self.state = self.folder / "lockstep.db"
        # on any real instance somebody has commented on something: without a row its journal counts as unreadable
        snow = self.estate.servicenow
        snow.comment(snow.create({"short_description": "long ago"}, by=SAM, table="problem"), "long said", SAM)
        self.engine = self.start()
        self.once()

    def start(self, *, opened: bool = True) -> Engine:
        """An engine on the state as it stands, as after a start of the process."""
        self.path.write_text(self.edit(self.estate.file(f"sqlite:///{self.state}")))
        if not self.state.exists():
            private(self.state).write_bytes(new_state())
        setup = load(self.path, self.estate.environment())
        engine = compose(setup, self.clock or self.estate.clock)
        if opened:
            engine.open()
            assert mismatches(engine) == []
        return engine

    def restart(self, *, lose_state: bool = False) -> None:
        """The process ends and another begins, with the state kept or deleted."""
        self.shut()
        if lose_state:
            for file in self.folder.glob("lockstep.db*"):
                file.unlink()
        self.engine = self.start()

    def edited(self, *changes: tuple[str, str]) -> None:
        """The file is edited, each text replaced by the other, and the process starts anew: what waits, waits."""
        before = self.edit

        def edit(text: str) -> str:
            text = before(text)
            for old, new in changes:
                assert old in text, old
                text = text.replace(old, new)
            return text

        self.edit = edit
        self.restart()

    def apply(self) -> None:
        """A person puts the edited file into force."""
        assert self.engine.edit is not None
        take(self.engine.store, self.engine.edit, self.engine.now())
        self.restart()
        assert self.engine.edit is None

    # ── passes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def once(self) -> Pass:
        return one_pass(self.engine)

    def settle(self, limit: int = 8) -> list[Pass]:
        """Passes until one is quiet; fails where that never comes."""
        passes: list[Pass] = []
        for _ in range(limit):
            passes.append(self.once())
            if passes[-1].quiet:
                return passes
            self.later(minutes=1)
        raise AssertionError(f"not quiet after {limit} passes: {passes[-1]}")

    def reconcile(self) -> list[Pass]:
        return reconcile(self.engine)

    def later(self, **span: int) -> None:
        self.estate.clock.advance(timedelta(**span))

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────────

    def incident(self, title: str = "500 responses on API", **fields: str) -> str:
        given = {
            "short_description": title,
            "description": "as reported",
            "assignment_group": "API Support",
            "impact": "2",
            "urgency": "2",
            "category": "software",
            **fields,
        }
        return self.estate.servicenow.create(given, by=SAM)

    def linked(self, title: str = "500 responses on API", *, pbi: bool = True) -> tuple[str, str, str]:
        """An incident with its defect and, unless it says no, its PBI, all in step: their ids."""
        incident = self.incident(title)
        self.estate.servicenow.move(incident, "In Progress", by=RITA)
        self.settle()
        defect = self.estate.jira.ids()[-1]
        if not pbi:
            return incident, defect, ""
        self.estate.jira.update(defect, {"labels": [*self.estate.jira.item(defect)["labels"], "dev"]}, by=ANA)
        self.settle()
        return incident, defect, self.estate.azure.ids()[-1]

    # ── what was asked and written ───────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The requests made inside, as ``tracker METHOD path``."""
        before = len(self.estate.log.entries)
        asked: list[str] = []
        yield asked
        asked += [f"{e.tracker} {e.method} {e.path}" for e in self.estate.log.entries[before:]]

    def words(self, tracker: str, id: str) -> list[str]:
        """The texts of an item's comments as people read them, oldest first."""
        texts = [comment["text"] for comment in getattr(self.estate, tracker).comments(id)]
        if tracker == "jira":
            return [re.sub(r"\\([^\w\s])", r"\1", text) for text in texts]
        return [html.unescape(text) for text in texts] if tracker == "azure" else texts

    def shut(self) -> None:
        """The process ends."""
        self.engine.store.close()
        for connector in self.engine.connectors.values():
            connector.close()

    def close(self) -> None:
        self.shut()
        self.estate.stop()


@contextmanager
def indoors(
    folder: Path, edit: Callable[[str], str] = lambda text: text, start: datetime | None = MORNING
) -> Iterator[World]:
    """A world without sockets: bytes for bytes the same, but time that an answer takes is the sandbox's. The engine's
    clock may be set apart from the estate's, by its ``skew``. For tests that ask the same over and over: nobody
    watches whether the answers keep to their specifications."""
    estate = Estate(start, doors=False)
    for server in estate.servers.values():
        server.witnesses = []  # type: ignore[misc]
    with inside({server.host: server for server in estate.servers.values()}):
        world = World(folder, edit, estate, SkewedClock(estate.clock))
        try:
            yield world
        finally:
            world.close()


#: begins a world of which a test has one; given what changes the demo's file
Begin = Callable[..., World]


def writes(asked: list[str]) -> list[str]:
    """Those of the requests that change something."""
    sent = [line for line in asked if line.split()[1] not in ("GET", "OPTIONS")]
    return [line for line in sent if not any(read in line.lower() for read in READS)]


def copies_of(text: str, comments: list[str]) -> int:
    """How many comments carry ``text``."""
    return sum(text in comment for comment in comments)


def cli(world: World, *words: str) -> Result:
    """A command in this process; what escapes as an exception is a defect."""
    result = CliRunner().invoke(bot.main, [words[0], "-c", str(world.path), *words[1:]])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
