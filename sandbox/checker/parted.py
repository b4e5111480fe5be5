"""Items that a person took out of their link: they stay out, and what is said on either side of the cut stays there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.checker.evidence import LEAKED, RESURRECTED, Evidence, Finding
from sandbox.replay.acts import SIDES
from sandbox.replay.histories import Histories
from sandbox.replay.marks import Marks


@dataclass(frozen=True, slots=True)
class Parted:
    """An item that was taken out of its link, by the name its people use, and words said since on it ."""

    side: str
    item: str
    key: str
    said: Sequence[str] = ()


def stays_out(evidence: Evidence, parted: Parted) -> Iterator[Finding]:
    """It bears no link's key, and what is said on it is on no other item."""
    if Marks(evidence.estate, evidence.mark).key_of(parted.side, parted.item):
        text = f"{parted.side} {parted.key} was taken out of its link by a person, and is in one again"
        yield Finding(RESURRECTED, parted.key, text)
    histories = Histories(evidence.estate)
    for side in SIDES:
        for id in histories.tracker(side).ids():
            if (side, id) != (parted.side, parted.item):
                for remark in histories.tracker(side).comments(id):
                    for words in (one for one in parted.said if one in remark["text"]):
                        text = f"{words!r}, said on it after it was taken out of its link, stands on {side} {id}"
                        yield Finding(LEAKED, parted.key, text)
