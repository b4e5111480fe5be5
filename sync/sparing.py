"""Reading in batches of which one item may be poisoned: it breaks the answer for all of them, or is not understood. The
others are read all the same, and it is set aside with the tracker's own reason."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import structlog

from connectors.base import Busy, Down, Failure, Garbled, LockedOut
from mappings.model import Ref
from mappings.wording import many
from sync.engine import Engine
from sync.state import Held

Told = TypeVar("Told")

#: questions asked in one reading to find out who is poisoned
MOST = 40
#: items that one line of the log names
NAMED = 5
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
    or is empty: one that is read tells a poisoned item from a tracker that is down. ``alive``: the last question was
    answered."""

    ask: Callable[[Sequence[str]], Mapping[str, Told]]
    neighbour: Callable[[], str]
    sifted: Sifted[Told] = field(default_factory=Sifted)
    alive: bool = False
    asked: int = 0

    def read(self, ids: Sequence[str]) -> None:
        """Raises the failure of a tracker that answers for none of them, or no more."""
        failure = self.take(ids)
        if failure is not None:
            self.part(ids, failure)

    def take(self, ids: Sequence[str]) -> Exception | None:
        """Asks for some together; what went wrong, if none of them came. Raises what concerns all of the tracker: a
        rest, our credentials."""
        self.asked += 1
        self.alive = False
        try:
            self.sifted.found |= self.ask(ids)
        except Garbled as garbled:
            self.sifted.found |= garbled.found
            self.sifted.bad |= garbled.reasons
        except (Busy, LockedOut):
            raise
        except Exception as failure:
            return failure
        self.alive = True
        return None

    def part(self, ids: Sequence[str], failure: Exception) -> None:
        """Finds out who of those that failed together fails alone; nobody is blamed by a tracker that went away
        meanwhile. Where that takes too many questions of one that answers otherwise, the rest waits: it is asked apart
        in the next passes."""
        if len(ids) == 1 or self.asked > MOST:
            self.must_answer(ids, failure)
            doubt = f" ({SUSPECT.format(many(len(ids), 'item'))})" if len(ids) > 1 else ""
            self.sifted.bad |= dict.fromkeys(ids, reason_of(failure) + doubt)
            return
        middle = len(ids) // 2
        failed = [(half, why) for half in (ids[:middle], ids[middle:]) if (why := self.take(half)) is not None]
        if len(failed) > 1:
            self.must_answer(ids, failure)
        for half, why in failed:
            self.part(half, why)

    def must_answer(self, failed: Sequence[str], failure: Exception) -> None:
        """Raises the failure, unless the tracker answered since, or does now: for an item that it read before, or for a
        neighbour, or where all that there is was asked for, for one of many that failed together."""
        if self.alive:
            return
        known = next(reversed(self.sifted.found), "")
        others = [known] if known else [self.neighbour(), *(random.sample(failed, 2) if len(failed) > 2 else ())]
        if not any(self.comes(other) for other in others if other):
            raise failure if isinstance(failure, Failure) else Down(reason_of(failure)) from None

    def comes(self, id: str) -> bool:
        """Whether the tracker answers for an item, be it in an unknown shape."""
        self.asked += 1
        try:
            self.ask([id])
        except Garbled:
            pass
        except Exception:  # whatever it is, it is told of those that were asked for
            return False
        self.alive = True
        return True


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
    warn({ref: reason for ref, reason in bad.items() if (ref, what) not in engine.poisoned}, what)
    for ref, reason in bad.items():
        held = Held(ref, what, reason, ADVICE, now, now + engine.setup.poll)
        engine.store.hold(places.get(ref, (None, 0))[0] or 0, held, now)
    engine.poisoned -= {(ref, what) for ref in well}
    engine.poisoned |= {(ref, what) for ref in bad}
    return set(bad)


def warn(fresh: Mapping[Ref, str], what: str) -> None:
    """One line for each reason, however many items have it."""
    for reason in dict.fromkeys(fresh.values()):
        items = [str(ref) for ref, why in fresh.items() if why == reason]
        log = structlog.get_logger().bind(action=what, items=items[:NAMED], count=len(items))
        log.warning("items cannot be read", reason=reason)
