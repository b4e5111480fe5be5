"""The demo as it is told on a terminal: a scene, a pass, what the pass did; then the same pass again, and where to go
next. Whoever calls it brings the story: ``sync`` knows no sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.panel import Panel

from sync import show
from sync.commands.ending import HELD, QUIET
from sync.engine import Engine
from sync.plan import Plan
from sync.reconcile import ROUNDS, one_pass
from sync.show.status import every_link


class Scene(Protocol):
    """What people do, and a sentence or two that tell it."""

    @property
    def title(self) -> str: ...
    @property
    def told(self) -> str: ...
    @property
    def act(self) -> Callable[[], None]: ...


class Story(Protocol):
    """Scenes in their order, and at the end the discussions: a title each, then author, channel and words."""

    def scenes(self) -> Iterable[Scene]: ...
    def conversations(self) -> Iterable[tuple[str, Sequence[tuple[str, str, str]]]]: ...


def tell(engine: Engine, story: Story, asked: Callable[[], int], cards: Sequence[object], folder: Path) -> int:
    """Tells the story to its end. ``asked`` is how many requests the trackers were sent so far, ``cards`` are those
    that reached the channel, ``folder`` holds the file and the state. Returns the command's exit code."""
    out = show.console() if sys.stdout.isatty() else show.console(width=110)
    for number, scene in enumerate(story.scenes(), 1):
        scene.act()
        told = f"{engine.now():%a %d %b %H:%M} UTC   {scene.told}"
        out.print(Panel(told, title=f"{number}. {scene.title}", title_align="left", border_style="cyan"))
        for plan in pass_until_quiet(engine):
            out.print(show.done_text(plan))
    for title, comments in story.conversations():
        out.print(show.conversation(title, comments))
    code = pass_again(engine, asked, out)
    out.print(every_link(engine))
    out.print(show.demo_end(cards, folder))
    return code


def pass_until_quiet(engine: Engine) -> list[Plan]:
    """Passes until one has nothing to do; the plans they carried out."""
    plans: list[Plan] = []
    for _ in range(ROUNDS):
        done = one_pass(engine)
        plans += done.plans
        if done.quiet:
            break
    return plans


def pass_again(engine: Engine, asked: Callable[[], int], out: Console) -> int:
    """The same pass again: what it asked and what it wrote."""
    before = asked()
    done = one_pass(engine)
    out.print(
        f"\nThe same pass again: [bold]{asked() - before} requests[/bold], one for each side, "
        f"and [bold]{done.writes} writes[/bold].\n"
    )
    return QUIET if done.quiet else HELD
