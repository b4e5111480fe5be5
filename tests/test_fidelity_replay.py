"""The recorded exchanges and vendors' examples, sent again: what differs is listed with its reason, or fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.fidelity import specs
from tests.fidelity.comparing import Difference
from tests.fidelity.replay import GROUPS, Known, differences, known

ROOT = Path(__file__).parent.parent
recordings_wanted = pytest.mark.skipif(not specs.available(), reason="wants ../shared/specs")
pytestmark = [pytest.mark.shared, recordings_wanted]


@dataclass
class Tally:
    """A group of exchanges, replayed."""

    equal: int = 0
    replayed: int = 0
    outside: int = 0
    unlisted: list[str] = field(default_factory=list)
    used: set[Known] = field(default_factory=set)

    def told(self, name: str) -> str:
        total = self.replayed + self.outside
        return f"| {name} | {total} | {self.replayed} | {self.equal} | {self.replayed - self.equal} | {self.outside} |"


@cache
def tally(group: str) -> Tally:
    load, scenes = GROUPS[group]
    found, outside = Tally(), known("outside")
    for exchange in load():
        out = next((one for one in outside if one.fits(exchange.name)), None)
        scene = None if out else scenes.find(exchange)
        if out:
            found.outside += 1
            found.used.add(out)
        elif scene is None:
            found.unlisted.append(f"{exchange.name}: neither replayed nor listed as outside")
        else:
            differing = differences(exchange, scene)
            found.replayed += 1
            found.equal += not differing
            found.unlisted += list(unlisted(exchange.name, differing, found.used))
    return found


def unlisted(name: str, differing: list[Difference], used: set[Known]) -> Iterator[str]:
    for difference in differing:
        entry = next((one for one in known("difference") if one.fits(name, difference)), None)
        if entry is None:
            yield f"{name}: {difference}"
        else:
            used.add(entry)


@pytest.mark.parametrize("group", GROUPS)
def test_every_recorded_exchange_is_answered_alike_but_for_listed_differences(group: str) -> None:
    told = "\n".join(tally(group).unlisted)
    assert not told, f"differences that tests/fidelity/differences.toml does not list:\n{told}"


def test_no_listed_difference_is_gone() -> None:
    used = set().union(*(tally(group).used for group in GROUPS))
    gone = [one for one in (*known("difference"), *known("outside")) if one not in used]
    assert gone == []


def test_the_docs_count_the_exchanges_as_they_are() -> None:
    """The table is printed where whoever runs the tests wants it, and stands in docs/sandbox.md."""
    rows = [tally(group).told(group) for group in GROUPS]
    if folder := os.environ.get("LOCKSTEP_REPORTS"):
        (Path(folder) / "exchanges.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    docs = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert [row for row in rows if row not in docs] == []
