"""Reading in batches of which one item may be poisoned: it breaks the answer for all of them, or is not understood. The
others are read all the same, and it is set aside with the tracker's own reason."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import structlog

from connectors.base import Busy, Failure, Garbled, LockedOut, Refused
from mappings.model import Ref
from mappings.wording import many
from sync.engine import Engine
from sync.state import Held

Told = TypeVar("Told")

#: questions asked in one reading to find out who is poisoned
MOST = 40
SUSPECT = "said of {} together; which of them it is will be found out in the next passes"
ADVICE = "open it in its tracker and correct what the reason names; it is read again in every pass, and then it flows"


@dataclass
class Sifted(Generic[Told]):
    """What was read, and by id why the rest was not."""

    found: dict[str, Told] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)


@dataclass
class Sieve(Generic[Told]):
    """One reading of a side's items. ``ask`` reads some of them; ``neighbour`` names another item of the same side,
    or is empty: one that is read tells a poisoned item from a tracker that is down."""

    ask: Callable[[Sequence[str]], Mapping[str, Told]]
    neighbour: Callable[[], str]
    sifted: Sifted[Told] = field(default_factory=Sifted)
    alive: bool = False
    asked: int = 0

    def read(self, ids: Sequence[str]) -> None:
        """Raises the failure of a tracker that answers for none of them."""
        failure = self.take(ids)
        if failure is not None:
            self.part(ids, failure)

    def take(self, ids: Sequence[str]) -> Exception | None:
        """Asks for some together; what went wrong, if none of them came. Raises what concerns all of the tracker: a
        rest, our credentials, a right that is missing."""
        self.asked += 1
        try:
            self.sifted.found |= self.ask(ids)
        except Garbled as garbled:
            self.sifted.found |= garbled.found
            self.sifted.bad |= garbled.reasons
        except (Busy, LockedOut, Refused):
            raise
        except Exception as failure:
            return failure
        self.alive = True
        return None

    def part(self, ids: Sequence[str], failure: Exception) -> None:
        """Finds out who of those that failed together fails alone. Where that takes too many questions of a tracker
        that answers otherwise, the rest waits: it is asked apart in the next passes."""
        if not (self.alive or len(ids) > 1 or self.answers(ids)):
            raise failure
        if len(ids) == 1:
            self.sifted.bad[ids[0]] = reason_of(failure)
            return
        if self.asked > MOST:
            if not self.answers(ids):
                raise failure
            self.sifted.bad |= dict.fromkeys(ids, f"{reason_of(failure)} ({SUSPECT.format(many(len(ids), 'item'))})")
            return
        middle = len(ids) // 2
        failed = [(half, why) for half in (ids[:middle], ids[middle:]) if (why := self.take(half)) is not None]
        if len(failed) > 1 and not self.answers(ids):
            raise failure
        for half, why in failed:
            self.part(half, why)

    def answers(self, failed: Sequence[str]) -> bool:
        """Whether the tracker reads another item, or where all that there is was asked for, one of many that failed
        together."""
        others = [] if self.alive else [self.neighbour(), *(random.sample(failed, 2) if len(failed) > 2 else ())]
        for other in filter(None, others):
            self.asked += 1
            with contextlib.suppress(Failure):
                self.ask([other])
                self.alive = True
                break
        return self.alive


def reason_of(failure: Exception) -> str:
    """The tracker's own words, or the name of a defect; never a value, which an error may hold."""
    if isinstance(failure, Failure):
        return str(failure)
    return f"a defect in Lockstep keeps it from being read: {type(failure).__name__}; please report it"


def sift(
    engine: Engine, side: str, what: str, ids: Sequence[str], ask: Callable[[Sequence[str]], Mapping[str, Told]]
) -> Sifted[Told]:
    """Reads items of a side; those that were poisoned the last time apart. Raises the failure of a tracker that answers
    for none."""
    tracker = engine.side(side).tracker
    sieve = Sieve(ask, partial(engine.store.neighbour, side, ids))
    apart = [id for id in ids if (Ref(tracker, id), what) in engine.poisoned]
    random.shuffle(apart)  # in one and the same order the same few would use up the questions each time
    for some in ([id for id in ids if id not in apart], apart):
        if some:
            sieve.read(some)
    return sieve.sifted


def set_aside(engine: Engine, tracker: str, sifted: Sifted[Told], what: str) -> set[Ref]:
    """Holds what could not be read, each with its own reason, and lets go what can be read again. Returns the items
    that are held."""
    bad = {Ref(tracker, id): reason for id, reason in sifted.bad.items()}
    well = [ref for id in sifted.found if ((ref := Ref(tracker, id)), what) in engine.poisoned and ref not in bad]
    for ref in well:
        engine.store.release(ref, what)
    places = engine.store.places(list(bad)) if bad else {}
    now = engine.now()
    for ref, reason in bad.items():
        if (ref, what) not in engine.poisoned:
            structlog.get_logger().warning("item cannot be read", action=what, item=str(ref), reason=reason)
        held = Held(ref, what, reason, ADVICE, now, now + engine.setup.poll)
        engine.store.hold(places.get(ref, (None, 0))[0] or 0, held, now)
    engine.poisoned -= {(ref, what) for ref in well}
    engine.poisoned |= {(ref, what) for ref in bad}
    return set(bad)
