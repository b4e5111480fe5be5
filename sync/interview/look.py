"""Asks the trackers what a first file needs to know. Only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from connectors.auth import Secret
from connectors.base import Clock, Connector, Gone, Refused
from connectors.description import Describes, Description, Place
from mappings.model import Scope
from sync.fit import compare
from sync.interview.answers import Answers, TrackerAnswer, Unclear
from sync.setup import TrackerSettings

Connect = Callable[[TrackerSettings, Clock], Connector]


class Eyes:
    """Opens connectors to the trackers of an interview. ``typed`` are secrets that were typed in, by the environment
    variable that will hold them."""

    def __init__(self, connect: Connect, clock: Clock, environ: Mapping[str, str], folder: Path) -> None:
        self.connect, self.clock, self.environ, self.folder = connect, clock, environ, folder
        self.typed: dict[str, Secret] = {}

    @contextmanager
    def on(self, tracker: TrackerAnswer) -> Iterator[Connector]:
        """A connector, closed afterwards. Raises ``Unclear`` where it cannot describe its tracker, or where something
        else than that answers at its address."""
        connector = self.connect(tracker.settings(self.environ, self.typed, self.folder), self.clock)
        try:
            if not isinstance(connector, Describes):
                raise Unclear(f"the connector for {tracker.kind} cannot describe its tracker: write its part by hand")
            yield connector
        except (Gone, Refused) as failure:
            raise Unclear(f"{failure}\n{compare(tracker.url)}") from None
        finally:
            connector.close()

    def places(self, tracker: TrackerAnswer, project: str = "") -> tuple[Place, ...]:
        """Where a side could live. Raises ``Unclear`` and the connector's failures."""
        with self.on(tracker) as connector:
            return tuple(connector.places(project)) if isinstance(connector, Describes) else ()


def look(answers: Answers, eyes: Eyes) -> dict[str, Description]:
    """What each tracker says of itself and of its sides. Raises ``Unclear`` where sides do not exist, and the
    connectors' failures."""
    found, wrong = {}, list[str]()
    for tracker in answers.trackers:
        scopes = [side.scope(answers.instance) for side in answers.sides if side.tracker == tracker.name]
        with eyes.on(tracker) as connector:
            problems = connector.open(scopes).problems
            described = connector.describe(scopes) if isinstance(connector, Describes) else None
        items = described.items if described else {}
        # a scope with a name or value that there is not would match nothing, or everything
        wrong += [f"{side}: {text}" for side, name, text in problems if name in dict(one_scope(scopes, side).where)]
        for scope in (scope for scope in scopes if scope.side not in items):
            told = "; ".join(text for side, _, text in problems if side == scope.side)
            wrong.append(f"{scope.side}: {told or 'nothing can be read of it'}")
        if described is not None:
            found[tracker.name] = described
    if wrong:
        raise Unclear("\n".join(dict.fromkeys(wrong)))
    return found


def one_scope(scopes: Sequence[Scope], side: str) -> Scope:
    return next(scope for scope in scopes if scope.side == side)
