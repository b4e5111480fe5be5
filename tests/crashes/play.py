"""One scenario, played once to its end, and then taken up again by a new process at each boundary of that life; and at
each boundary of what such a process lived through in its turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa

from sync.store.database import Database
from tests.crashes.boundaries import told_of_boundaries
from tests.crashes.scenarios import SCENARIOS
from tests.crashes.stage import Photograph
from tests.crashes.truth import Truth, differences, truth_of
from tests.world import writes


class Play:
    """A scenario on its stage. ``photos`` are those of a life that nothing disturbs, one at each boundary, ``wanted``
    is what it leads to."""

    def __init__(self, name: str, folder: Path) -> None:
        self.scenario = SCENARIOS[name]
        self.stage = self.scenario.stage(folder)
        self.photos: list[Photograph] = []
        self.step = 0
        self.stage.back_to(self.stage_kept())
        with told_of_boundaries(lambda event: self.photos.append(self.stage.photograph(event, self.step))):
            self.scenario.steps[0](self.stage)
            self.go_on(0)
        self.wanted = truth_of(self.stage)
        assert self.asked_again() == []

    def stage_kept(self) -> Photograph:
        self.stage.shut()
        return self.stage.photograph("", 0)

    def go_on(self, step: int) -> None:
        """The passes of this step, and the later steps with theirs."""
        self.step = step
        self.stage.work()
        for number, act in enumerate(self.scenario.steps[step + 1 :], step + 1):
            self.step = number
            act(self.stage)
            self.stage.work()

    def taken_up(self, photo: Photograph, *, lost: bool = False) -> None:
        """A new process, two minutes after the kill, plays to the end."""
        self.stage.back_to(photo, lost=lost)
        self.stage.world.later(minutes=2)
        self.go_on(photo.step)

    def after(self, photo: Photograph) -> list[str]:
        """What is wrong in the end where the process was killed at this boundary, the state kept."""
        self.taken_up(photo)
        return self.wrong()

    def wrong(self) -> list[str]:
        """How the end differs from that of the undisturbed life, and what is written after it."""
        found = differences(self.wanted, truth_of(self.stage))
        return found + [f"written again: {line}" for line in self.asked_again()]

    def second_lives(self, photo: Photograph) -> list[Photograph]:
        """The process that takes up the play at a boundary, photographed at each of its own."""
        photos: list[Photograph] = []
        with told_of_boundaries(lambda event: photos.append(self.stage.photograph(event, self.step))):
            self.taken_up(photo)
        return photos

    def after_losing_the_state(self, photo: Photograph) -> list[str]:
        """What is wrong where the state went with the process. Agreed values start afresh, so fields may wait; what was
        opened and said is there once, or at least not twice, and nothing more is written."""
        self.taken_up(photo, lost=True)
        wrong = lost_or_doubled(self.wanted, truth_of(self.stage), whole=self.scenario.lost == "there")
        return wrong + [f"written again: {line}" for line in self.asked_again()]

    def asked_again(self) -> list[str]:
        """What is written once everything is marked dirty and read again: nothing."""
        world = self.stage.world
        world.engine.store.touch_all(closed=True)
        with world.counting() as asked:
            world.once()
        return writes(asked)


def lost_or_doubled(wanted: Truth, found: Truth, *, whole: bool) -> list[str]:
    """Where comments and visible links are too many, or where the ``whole`` must be there, comments too few; and items
    that nobody wanted. A visible link that was not left yet is left out with the state: nobody knows of it any more."""
    places = {place for place in wanted.keys() | found.keys() if place.endswith((": comments", ": links"))}
    told = differences({p: wanted.get(p, []) for p in places}, {p: found.get(p, []) for p in places})
    told = [line for line in told if ": too much " in line or (whole and ": comments: " in line)]
    return told + [f"{place}: the whole item is too much" for place in sorted(places - wanted.keys())]


@contextmanager
def playing(name: str, folder: Path) -> Iterator[Play]:
    """A play, and the end of its processes."""
    with statements_composed_once():
        play = Play(name, folder)
        try:
            yield play
        finally:
            play.stage.close()


@contextmanager
def statements_composed_once() -> Iterator[None]:
    """Every process opens its database anew; only what SQLAlchemy made of our statements is kept from one to the next,
    which is a sixth of the time."""
    make, made = Database.make_engine, dict[tuple[str, bool], sa.Engine]()

    def known(database: Database) -> sa.Engine:
        key = str(database.url), database.read_only
        if key not in made or database.path is None:
            made[key] = make(database)
        return made[key]

    with patch.object(Database, "make_engine", known):
        yield
