"""The process is killed at every boundary of scripted scenarios, and in a sample of pairs the recovery too: in the end
the trackers, the mailboxes and the state are what an undisturbed life leads to, and nothing more is written. All pairs:
``python -m tests.crashes --pairs``."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import sync.settle
from sandbox.server import Server
from sync.engine import Engine
from sync.store import Begun
from tests.crashes.play import Play, playing
from tests.crashes.scenarios import SCENARIOS

#: pairs of kills that CI samples in each of the scenarios of PAIRED
PAIRS = 6
#: of the written boundaries every so manieth loses the state too; the command takes all
LOST = 3
PAIRED = ("a link is opened on all three sides", "a rule says, opens, assigns, sets, mails and posts")


@pytest.fixture(autouse=True)
def _unwitnessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer here is given in other tests too, which hold it against the specifications."""
    monkeypatch.setattr(Server, "witnesses", [])


def told(play: Play, number: int) -> str:
    """A boundary by its number and what had just taken place."""
    return f"{number} {play.photos[number].event}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_any_boundary_the_end_is_the_same_and_a_lost_state_doubles_nothing(name: str, tmp_path: Path) -> None:
    with playing(name, tmp_path) as play:
        assert len(play.photos) > 10
        wrong = {told(play, n): found for n, photo in enumerate(play.photos) if (found := play.after(photo))}
        assert wrong == {}
        written = [n for n, photo in enumerate(play.photos) if photo.event != "commit" and play.scenario.lost]
        wrong = {told(play, n): lost for n in written[::LOST] if (lost := play.after_losing_the_state(play.photos[n]))}
        assert wrong == {}


@pytest.mark.parametrize("name", PAIRED)
def test_the_recovery_is_killed_too(name: str, tmp_path: Path) -> None:
    draw = Random(name)
    with playing(name, tmp_path) as play:
        for _ in range(PAIRS // 2):
            first = draw.randrange(len(play.photos))
            seconds = play.second_lives(play.photos[first])
            for second in draw.sample(range(len(seconds)), min(2, len(seconds))):
                assert play.after(seconds[second]) == [], (told(play, first), second, seconds[second].event)


def creates_blindly(engine: Engine, begun: Begun) -> None:
    """A creation whose answer was lost is simply tried again."""
    engine.store.settle_intent(begun.intent, "failed", engine.now())
    engine.store.touch_link(begun.link)


def test_a_bot_that_creates_again_without_looking_is_found_at_the_boundary_after_the_creation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with playing("a route opens with tasks", tmp_path) as play:
        first, _ = [photo for photo in play.photos if photo.event.endswith("/workItems/$Task")]
        monkeypatch.setattr(sync.settle, "look_up", creates_blindly)
        assert [line for line in play.after(first) if line.startswith("azure 4: too much System.Title")]
