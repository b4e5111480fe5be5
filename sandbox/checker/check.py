"""The checker: everything that is wrong with a history, told from the trackers' side alone."""

from __future__ import annotations

from sandbox.checker.calm import Weather, over_quota
from sandbox.checker.evidence import Evidence, Finding
from sandbox.checker.items import World
from sandbox.checker.making import check_making
from sandbox.checker.rest import held_without_cause, not_quiet
from sandbox.checker.talk import check_talk
from sandbox.checker.values import check_values


def check(evidence: Evidence) -> tuple[Finding, ...]:
    """Each thing once, in a fixed order."""
    world, weather = World(evidence), Weather(evidence)
    found = [
        *check_talk(world, weather),
        *check_values(world, weather),
        *check_making(world),
        *not_quiet(world, weather),
        *over_quota(weather),
        *held_without_cause(world),
    ]
    return tuple(dict.fromkeys(found))
