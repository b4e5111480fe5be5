"""A world that can be photographed, and put back to a photograph as often as one likes: estate, clock, state, people's
mailboxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sync.compose import compose
from sync.config import load
from sync.setup import Setup
from tests.post import PostOffice
from tests.states import new_state
from tests.world import World

STATE = "lockstep.db"
#: passes that a process takes at the most before it is quiet
PATIENCE = 15


@dataclass(frozen=True)
class Photograph:
    """Everything that the world outside a process has seen, right after ``event`` in the ``step`` of the play."""

    event: str
    step: int
    trackers: dict[str, Any]
    moment: datetime
    chance: object
    state: dict[str, bytes]
    cards: list[Any]
    mails: list[bytes]


@dataclass
class Stage:
    """A world, its people's mail, and what a play needs to remember of its beginning: ``ids``, by name. ``at_work``:
    there is a process."""

    folder: Path
    edit: Callable[[str], str] = lambda text: text
    office: PostOffice | None = None
    ids: dict[str, str] = field(default_factory=dict)
    at_work: bool = True

    def __post_init__(self) -> None:
        self.world = World(self.folder, self.edit)
        self.setups: dict[str, Setup] = {}

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────

    def work(self) -> None:
        """The process, or a new one, makes passes until one is quiet."""
        world = self.world
        if not self.at_work:
            world.engine, self.at_work = compose(self.setup(), world.estate.clock), True
        for _ in range(PATIENCE):
            done = world.once()
            world.later(minutes=1)
            if done.quiet and not done.failures:
                return
        raise AssertionError(f"not quiet after {PATIENCE} passes: {done}")

    def setup(self) -> Setup:
        """The admin's file as it stands."""
        text = self.world.path.read_text()
        if text not in self.setups:
            self.setups[text] = load(self.world.path, self.world.estate.environment())
        return self.setups[text]

    def ask(self, kind: str, *args: str) -> None:
        """A person asks for something on the command line, beside the process."""
        beside = compose(self.setup(), self.world.estate.clock, exclusive=False)
        beside.store.ask(kind, args, "opal", beside.now())
        beside.close()

    def shut(self) -> None:
        """The process is gone."""
        if self.at_work:
            self.world.shut()
        self.at_work = False

    # ── photographs ──────────────────────────────────────────────────────────────────────────────────────────────

    def photograph(self, event: str, step: int) -> Photograph:
        """The world as it stands, and as it would stand if the process were killed now."""
        estate = self.world.estate
        return Photograph(
            event,
            step,
            {name: estate.servers[name].keeper.snapshot() for name in ("servicenow", "jira", "azure")},
            estate.clock.now(),
            estate.servicenow.data.chance.getstate(),
            {file.name: file.read_bytes() for file in self.folder.glob(f"{STATE}*") if file.suffix != ".db-shm"},
            list(estate.hook.cards),
            list(self.mails),
        )

    def back_to(self, photo: Photograph, *, lost: bool = False) -> None:
        """The world as it stood, and no process at work; with ``lost`` the state is gone too."""
        self.shut()
        estate = self.world.estate
        for name, snapshot in photo.trackers.items():
            estate.servers[name].keeper.restore(snapshot)
            estate.clocks[name].last = photo.moment
        estate.clock.moment = photo.moment
        estate.servicenow.data.chance.setstate(photo.chance)  # type: ignore[arg-type]
        estate.log.clear()
        estate.hook.cards[:] = photo.cards
        self.mails[:] = photo.mails
        for file in self.folder.glob(f"{STATE}*"):
            file.unlink()
        for name, data in ({STATE: new_state()} if lost else photo.state).items():
            (self.folder / name).write_bytes(data)

    @property
    def mails(self) -> list[bytes]:
        """What the mail server took."""
        return self.office.box.raw if self.office is not None else []

    def close(self) -> None:
        """The play is over."""
        self.shut()
        self.world.estate.stop()
        if self.office is not None:
            self.office.close()
