"""Asks the trackers what they are like. Only reads; a tracker that is down does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from connectors.base import Busy, Clock, Connector, Down, Failure, LockedOut
from connectors.description import Describes, Description, Items, NativeField, State
from mappings.model import Scope
from sync.doctor.findings import Report
from sync.setup import Setup, TrackerSettings

Connect = Callable[[TrackerSettings, Clock], Connector]


def visit(setup: Setup, clock: Clock, connect: Connect) -> dict[str, Report]:
    """A report of every tracker, asked side by side. Nothing is raised."""
    with ThreadPoolExecutor(max(1, len(setup.trackers))) as pool:
        reports = pool.map(lambda tracker: report(setup, tracker, clock, connect), setup.trackers.values())
        return dict(zip(setup.trackers, reports, strict=True))


def report(setup: Setup, tracker: TrackerSettings, clock: Clock, connect: Connect) -> Report:
    """What one tracker says, as far as it can be asked."""
    scopes = [replace(side.scope, mark=side.scope.mark or setup.mark) for side in setup.sides_in(tracker.name)]
    connector = connect(tracker, clock)
    try:
        opening = connector.open(scopes)
        return described(connector, scopes, opening.problems)
    except Failure as failure:
        return Report(str(failure), reason=reason_of(failure))
    finally:
        connector.close()


def reason_of(failure: Failure) -> str:
    """Whether it may pass (the tracker is down or wants rest), or the file is to be mended first."""
    if isinstance(failure, LockedOut):
        return "locked out"
    return "down" if isinstance(failure, Down | Busy) else "refused"


def described(connector: Connector, scopes: Sequence[Scope], problems: tuple[tuple[str, str, str], ...]) -> Report:
    if not isinstance(connector, Describes):
        told = (
            f"the connector for {connector.kind} tells only states and fields: rights, steps and values are unchecked"
        )
        return Report("", problems, sketched(connector, scopes), told)
    try:
        return Report("", problems, connector.describe(scopes))
    except Failure as failure:
        told = f"only states and fields could be checked, because {failure}"
        return Report("", problems, sketched(connector, scopes), told)


def sketched(connector: Connector, scopes: Sequence[Scope]) -> Description:
    """The little that every connector tells once it is open."""
    items = {
        scope.side: Items(
            tuple(State(name) for name in connector.states(scope)),
            {name: NativeField(name) for name in connector.fields_known(scope)},
            channels=None,
        )
        for scope in scopes
    }
    return Description(connector.kind, items=items)
