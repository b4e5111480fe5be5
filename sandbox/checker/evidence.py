"""What the checker is given, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.estate import Estate
from sandbox.replay.acts import Act
from sandbox.replay.course import Passed
from sandbox.server import Entry

LOST, DOUBLED, PHANTOM, STALE = "lost", "doubled", "phantom", "stale overwrite"
DIVERGED, NOT_QUIET, RESURRECTED = "diverged", "not quiet", "resurrected"
LEAKED, OVER_QUOTA, HELD = "leaked", "over quota", "held without cause"
#: what a checker may find (goals A); each must be none
KINDS = (LOST, DOUBLED, PHANTOM, STALE, DIVERGED, NOT_QUIET, RESURRECTED, LEAKED, OVER_QUOTA, HELD)


@dataclass(frozen=True, slots=True)
class Held:
    """Something that is set aside at rest: ``what`` of an item (a field, ``item``, ``comments``, ...) and why."""

    side: str
    item: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a kind of ``KINDS``, the item or link, and a sentence."""

    kind: str
    item: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.item}: {self.text}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A history at rest: the trackers with their histories and the log of their requests (``estate``), what people did
    (``acts``), the passes, the admin's file, the instance's ``mark``, whether there were sweeps, what is held. After it
    everything was marked as changed and read again: ``rewrites`` are the requests that wrote then. ``restless``: passes
    went on writing for ever. ``deaths`` are the instants at which the process died, ``losses`` those at which its
    state was deleted."""

    estate: Estate
    acts: Sequence[Act]
    passes: Sequence[Passed]
    file: str
    mark: str
    sweeps: bool = True
    held: Sequence[Held] = ()
    rewrites: Sequence[Entry] = ()
    restless: bool = False
    deaths: Sequence[datetime] = ()
    losses: Sequence[datetime] = ()
